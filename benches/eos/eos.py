"""Millstream beside Flink 2.3 and Kafka Streams 4.3, exactly once, from Kafka to Kafka: `./x bench eos`.

usage: eos.py --bin MILLSTREAM [--quick] [--only throughput,latency,recovery,memory,churn] [--engines millstream,flink,streams]
              [--runs N] [--bids N] [--parallelism N]

throughput  Five million bids in one partition (lz4), counted by auction in windows of 10 s into another topic; a job ends when all its
            windows are committed. Millstream is timed as a whole process, from exec to exit; Flink from submission to the job's end and
            Kafka Streams from start() until the last input offset is committed, both in a warm JVM after a discarded run. Runs alternate.
            What each run committed is digested by a read_committed consumer and has to be what DuckDB computes from the file.
latency     Load.java sends 50,000 bids a second by schedule; windows of 70 ms, so that their ends fall at all phases of the epochs.
            Latency counts from when the bid that completes a window was due until a read_committed consumer has the row.
recovery    The same load, with 1 GB of state held beside it: kill -9, start again at once; time until a new row is committed and read.
memory      Keys by the ten million in one window, under --memory 512MiB and without: the same result, and the peak memory.
churn       Twenty million keys come and go: state, memory and time to restart before and after.

Tables are Markdown for benches/README.md. Everything runs on this machine, broker and load as well.
"""
import argparse, os, random, shutil, signal, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "compare"))
import engines  # noqa: E402
from compare import generate, install  # noqa: E402

INTERVALS_MS = [1000, 100]
SECTIONS = ["throughput", "latency", "recovery", "memory", "churn"]
NAMES = {"millstream": "Millstream", "flink": "Flink 2.3", "streams": "Kafka Streams 4.3"}


def say(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options, directory):
        self.options, self.directory, self.jobs = options, directory, 0
        classes = os.path.join(directory, "classes")
        os.mkdir(classes)
        engines.compile_java(classes)
        self.classes, self.kafka = classes, engines.Kafka(directory, classes)
        self.engines = {}

    def engine(self, name):
        """Engines start when they are first needed."""
        if name not in self.engines:
            options = self.options
            self.engines[name] = {"millstream": lambda: engines.Millstream(options.bin, self.directory, options.parallelism),
                                  "flink": lambda: engines.Flink(self.directory, options.parallelism),
                                  "streams": lambda: engines.Streams(self.directory, self.classes)}[name]()
        return self.engines[name]

    def dismiss(self, *names):
        for name in names:
            if name in self.engines:
                self.engines.pop(name).end()

    def job(self, **values):
        """A job of its own name, into a fresh topic."""
        self.jobs += 1
        name = f"job{self.jobs}"
        self.kafka.load("create", name)
        interval_ms = values["interval_ms"]
        return {"name": name, "output": name, "bootstrap": self.kafka.bootstrap, "guarantee": "exactly-once",
                "interval": f"{interval_ms} ms", **values}

    def end(self):
        self.dismiss(*list(self.engines))
        self.kafka.stop()


def expected(bids, window_ms):
    """Count and digest of the right result, from DuckDB; Load.java's `digest` computes the same from a topic."""
    import duckdb, numpy
    rows = duckdb.connect().execute(
        f"SELECT auction, (epoch_ms(dateTime) // {window_ms} + 1) * {window_ms} AS window_end, count(*) AS bids, max(price) AS highest "
        f"FROM read_json('{bids}', format = 'newline_delimited', columns = {{auction: 'BIGINT', price: 'BIGINT', dateTime: 'TIMESTAMP'}}) "
        "GROUP BY ALL").fetchnumpy()
    factors = {"auction": 0x9E3779B97F4A7C15, "window_end": 0xC2B2AE3D27D4EB4F, "bids": 0x165667B19E3779F9, "highest": 0x27D4EB2F165667C5}
    x = sum(numpy.asarray(rows[name]).astype(numpy.uint64) * numpy.uint64(factor) for name, factor in factors.items())
    x = (x ^ (x >> numpy.uint64(32))) * numpy.uint64(0xD6E8FEB86659FD93)
    x ^= x >> numpy.uint64(32)
    return {"rows": len(x), "digest": format(int(x.sum(dtype=numpy.uint64)), "x")}


def throughput(bench, bids):
    options, kafka = bench.options, bench.kafka
    say(f"filling a topic from {bids}")
    kafka.load("create", "bids")
    kafka.load("fill", "bids", bids)
    right = expected(bids, 10_000)
    say(f"the right result has {right['rows']} rows")

    def run(name, interval_ms):
        engine = bench.engine(name)
        job = bench.job(input="bids", bounded="latest-offset", window="10", delay="4", interval_ms=interval_ms,
                        **({"guarantee": options.guarantee} if options.guarantee else {}))
        broker = kafka.cpu()
        figures = engine.run(job)
        figures["broker"] = kafka.cpu() - broker
        committed = kafka.load("digest", job["output"])
        kafka.load("delete", job["output"])
        if committed != right:
            say(f"{name}, {interval_ms} ms: committed {committed}, right is {right}; this run does not count")
            if name == "millstream":
                raise SystemExit(1)
            return None
        say(f"{name}, {interval_ms} ms: {figures['wall']:.2f} s, result right")
        return figures

    for name in options.engines:
        run(name, INTERVALS_MS[0])
    print(f"\n{options.bids} bids in one partition, windows of 10 s, {right['rows']} results, exactly once, parallelism "
          f"{options.parallelism}, median of {options.runs} runs\n\n"
          "| epochs | engine | wall s | CPU s | broker's CPU s | peak MiB | × Millstream |\n|---|---|---|---|---|---|---|")
    for interval_ms in INTERVALS_MS:
        runs = {name: [] for name in options.engines}
        for _ in range(options.runs):
            for name in options.engines:
                runs[name].append(run(name, interval_ms))
        middle = {}
        for name, of in runs.items():
            right_ones = [figures for figures in of if figures]
            if not right_ones:
                print(f"| {interval_ms} ms | {NAMES[name]} | no run with the right result | | | | |")
                continue
            m = middle[name] = {key: statistics.median(figures[key] for figures in right_ones) for key in right_ones[0]}
            print(f"| {interval_ms} ms | {NAMES[name]} | {m['wall']:.2f} | {m['cpu']:.2f} | {m['broker']:.2f} | {m['rss']:.0f} | "
                  f"{m['wall'] / next(iter(middle.values()))['wall']:.1f} |", flush=True)
    kafka.load("delete", "bids")


def latency(bench, bids):
    options, kafka = bench.options, bench.kafka
    warmup_s, measured_s = (15, 15) if options.quick else (20, 40)
    print(f"\n{options.rate:,} bids a second for {measured_s} s, windows of 70 ms, milliseconds from when a window was complete until a "
          "read_committed consumer had the row\n\n"
          "| engine | guarantee | epochs | p50 | p99 | p99.9 | max | results | CPU cores | of which load |\n|---|---|---|---|---|---|---|---|---|---|")
    for name in options.engines:
        for guarantee, interval_ms in [("exactly-once", 100), ("exactly-once", 1000), ("at-least-once", 100)]:
            if options.guarantee not in (None, guarantee):
                continue
            engine = bench.engine(name)
            kafka.load("create", f"flow{bench.jobs}")
            job = bench.job(input=f"flow{bench.jobs}", bounded="unbounded", window="0.07", delay="0.001", interval_ms=interval_ms, guarantee=guarantee)
            engine.start(job)
            load = kafka.paced(job["input"], job["output"], bids, options.rate, 0)
            time.sleep(warmup_s)
            load.tell("reset")
            before, brokers, start = engine.figures(), kafka.cpu(), time.monotonic()
            loads = engines.figures.process(load.process.pid)["cpu"]
            time.sleep(measured_s)
            figures = load.ask("report", 10)
            wall = time.monotonic() - start
            loads = engines.figures.process(load.process.pid)["cpu"] - loads
            cpu = engine.figures()["cpu"] - before["cpu"] + kafka.cpu() - brokers + loads
            load.tell("stop")
            load.end()
            engine.stop()
            kafka.load("delete", job["input"], job["output"])
            say(f"{name} {guarantee} {interval_ms} ms: {figures}")
            print(f"| {NAMES[name]} | {guarantee} | {interval_ms} ms | {figures['p50_ms']:.0f} | {figures['p99_ms']:.0f} | "
                  f"{figures['p999_ms']:.0f} | {figures['max_ms']:.0f} | {figures['rows']:,} | {cpu / wall:.2f} | {loads / wall:.2f} |", flush=True)
        bench.dismiss(name)


def newest_snapshot_bytes(state):
    """Bytes of the files of the newest complete checkpoint; they share most of them with others."""
    checkpoints = os.path.join(state, "checkpoints")
    names = sorted(name for name in (os.listdir(checkpoints) if os.path.isdir(checkpoints) else []) if name.isdigit())
    for name in reversed(names):
        try:
            return sum(entry.stat().st_size for entry in os.scandir(os.path.join(checkpoints, name)))
        except FileNotFoundError:
            continue  # collected just now
    return 0


def settle(millstream, job, least_bytes, timeout_s):
    """Waits until the state has at least so many bytes and grows no more, and the process is as idle as the load lets it be."""
    sizes, deadline = [], time.monotonic() + timeout_s
    while len(sizes) < 8 or sizes[-1] < least_bytes or max(sizes[-8:]) - min(sizes[-8:]) > max(sizes[-1] // 50, 1 << 20):
        if time.monotonic() > deadline:
            raise SystemExit(f"the state did not settle; it has {sizes[-1] if sizes else 0} bytes, {least_bytes} expected")
        time.sleep(1)
        millstream.figures()
        sizes.append(newest_snapshot_bytes(millstream.state(job)))
    return sizes[-1]


def restarted(millstream, job, load):
    """Kills the job, starts it again, and returns the milliseconds until a new result was committed and read."""
    millstream.figures()
    millstream.kill()
    load.tell("mark")
    millstream.start(job)
    return load.answer(120)["after_mark_ms"]


def recovery(bench, bids):
    options, kafka, millstream = bench.options, bench.kafka, bench.engine("millstream")
    held = int(options.state_mb * 1e6)
    kafka.load("create", "wide", "flow")
    say(f"filling a topic with {held / 1e6:.0f} MB of keys")
    kafka.load("wide", "wide", held // 216, 200)
    results = {}
    for interval_ms in INTERVALS_MS:
        job = bench.job(template="recovery.sql", input="flow", wide="wide", interval_ms=interval_ms)
        millstream.start(job)
        load = kafka.paced(job["input"], job["output"], bids, options.rate, 0)
        state = settle(millstream, job, held * 9 // 10, 300)
        say(f"the state has {state / 1e6:.0f} MB")
        times = []
        for _ in range(3 if options.quick else 7):
            time.sleep(random.uniform(4, 6))
            times.append(restarted(millstream, job, load))
            say(f"a new result after {times[-1]} ms")
        results[interval_ms] = (state, times)
        load.tell("stop")
        load.end()
        millstream.stop()
        shutil.rmtree(millstream.state(job), ignore_errors=True)
        kafka.load("delete", job["output"], "flow")
        kafka.load("create", "flow")
    kafka.load("delete", "wide", "flow")
    print(f"\nkill -9 under {options.rate:,} bids a second, milliseconds until a new result was committed and read\n\n"
          "| epochs | state MB | kills | least | median | most |\n|---|---|---|---|---|---|")
    for interval_ms, (state, times) in results.items():
        print(f"| {interval_ms} ms | {state / 1e6:.0f} | {len(times)} | {min(times)} | {statistics.median(times):.0f} | {max(times)} |", flush=True)


def memory(bench, _):
    options, millstream = bench.options, bench.engine("millstream")
    keys, results = options.keys, {}
    for budget in ["512MiB", "64GiB"]:
        parts = os.path.join(bench.directory, "parts")
        job = {"name": f"keys{budget}", "template": "keys.sql", "keys": keys, "directory": parts, "interval": "1 s"}
        state, peak = millstream.state(job), 0
        figures = millstream.run(job, *(["--memory", budget] if millstream.keeps_state else []))
        rows, digest = 0, ""
        for name in sorted(os.listdir(parts)):
            if not name.startswith((".", "_")):
                with open(os.path.join(parts, name)) as file:
                    lines = file.read().split()
                rows, digest = rows + len(lines), digest + " ".join(lines)
        shutil.rmtree(parts)
        results[budget] = (figures, digest)
        say(f"{keys} keys, {budget}: {figures['wall']:.1f} s, {figures['rss']:.0f} MiB, {digest}")
    if len({digest for _, digest in results.values()}) != 1:
        raise SystemExit(f"results differ: {results}")
    print(f"\n{keys:,} keys in one window, results equal: {digest}\n\n| --memory | wall s | CPU s | peak RSS MiB |\n|---|---|---|---|")
    for budget, (figures, _) in results.items():
        print(f"| {budget} | {figures['wall']:.1f} | {figures['cpu']:.1f} | {figures['rss']:.0f} |", flush=True)


def churn(bench, bids):
    options, kafka, millstream = bench.options, bench.kafka, bench.engine("millstream")
    kafka.load("create", "flow")
    job = bench.job(input="flow", bounded="unbounded", window="0.2", delay="0.001", interval_ms=100)
    millstream.start(job)
    load = kafka.paced(job["input"], job["output"], bids, 2000, 0)
    print(f"\n{options.churn:,} keys come and go in windows of 0.2 s with epochs of 100 ms, beside 2,000 bids a second\n\n"
          "| when | state MB | state directory MB | RSS MiB | restart ms |\n|---|---|---|---|---|")

    def sample(when):
        state = settle(millstream, job, 1, 120)
        figures = millstream.figures()
        whole = int(subprocess.run(["du", "-sb", millstream.state(job)], stdout=subprocess.PIPE, text=True).stdout.split()[0])
        restarts = sorted(restarted(millstream, job, load) for _ in range(3))
        print(f"| {when} | {state / 1e6:.1f} | {whole / 1e6:.1f} | {figures['now']:.0f} | {restarts[1]} |", flush=True)

    time.sleep(10)
    sample("before")
    time.sleep(10)
    load.ask(f"churn {options.churn}", 600)
    say(f"churned; now {millstream.figures()['now']:.0f} MiB, peak {millstream.figures()['rss']:.0f} MiB")
    time.sleep(20)
    sample("after")
    time.sleep(10)
    sample("after a restart")
    load.tell("stop")
    load.end()
    millstream.stop()
    kafka.load("delete", "flow", job["output"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, to see that all works")
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("--engines", default="millstream,flink,streams")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--bids", type=int)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--keys", type=int)
    parser.add_argument("--churn", type=int)
    parser.add_argument("--state-mb", type=int)
    parser.add_argument("--guarantee", help="exactly-once or at-least-once only, in the first two sections")
    parser.add_argument("--parallelism", type=int, default=os.cpu_count())
    options = parser.parse_args()
    quick = {"runs": (3, 1), "bids": (5_000_000, 1_000_000), "keys": (50_000_000, 5_000_000), "churn": (20_000_000, 2_000_000),
             "state_mb": (1000, 100)}
    for name, (full, short) in quick.items():
        if getattr(options, name) is None:
            setattr(options, name, short if options.quick else full)
    options.bin, options.engines, options.only = os.path.abspath(options.bin), options.engines.split(","), options.only.split(",")
    install(["duckdb"] + [name for name in options.engines if name == "flink"])
    data = os.path.join(engines.CACHE, "bench")
    os.makedirs(data, exist_ok=True)
    bids = os.path.join(data, f"bids-{options.bids}.json")
    generate(options.bin, bids, options.bids, event_rate=100_000)
    # Whoever ends us, broker and engines go too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="millstream-eos.") as directory:
        bench = Bench(options, directory)
        try:
            for section in options.only:
                {"throughput": throughput, "latency": latency, "recovery": recovery, "memory": memory, "churn": churn}[section](bench, bids)
        finally:
            bench.end()


if __name__ == "__main__":
    main()
