"""Millstream beside Flink, DuckDB and DataFusion: the same queries over the same file, results compared first.

usage: compare.py --bin MILLSTREAM [--bids N] [--runs N] [--queries q0,tumble,…] [--engines …] [--parallelism N]

Every engine reads the same JSON-lines file of Nexmark bids. First each query runs over a small file of the same
kind, and all results must agree; only then is anything timed. What is timed: Millstream as a whole process, from exec to exit; Flink from
submission to the end of the job, without the start of its JVM and after one discarded warm-up; DuckDB and DataFusion the
query alone, in a process that has started. So every doubt is to the others' advantage. Runs of the engines alternate;
medians and ratios are printed, with CPU seconds and peak memory.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "sql"))
from batch import BATCH  # noqa: E402

QUERIES = ["q0", "q1", "q2", "q7", "tumble", "hop"]
ENGINES = ["millstream", "flink", "duckdb", "datafusion"]
PACKAGES = {"flink": "apache-flink==2.3.0", "duckdb": "duckdb==2.0.0", "datafusion": "datafusion"}
MODULES = {"flink": "pyflink", "duckdb": "duckdb", "datafusion": "datafusion"}


def read_sql(name):
    with open(os.path.join(HERE, "sql", name + ".sql")) as file:
        return file.read().strip()


def install(engines):
    """Installs the engines that are missing into the environment that runs this script."""
    for engine in engines:
        if engine in PACKAGES and subprocess.run([sys.executable, "-c", "import " + MODULES[engine]],
                                                 capture_output=True).returncode:
            print("installing", PACKAGES[engine], file=sys.stderr)
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", PACKAGES[engine]], check=True)


def generate(binary, path, bids, event_rate):
    """Writes a file of bids with Millstream's own seeded generator, once; event_rate is events a second of event time."""
    if os.path.exists(path):
        return
    print(f"generating {path}", file=sys.stderr)
    columns = "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING"
    directory = tempfile.mkdtemp(dir=os.path.dirname(path))
    sql = (f"CREATE TABLE bid ({columns}) WITH ('connector' = 'nexmark', 'nexmark.event' = 'bid', "
           f"'nexmark.events' = '{bids * 50 // 46}', 'nexmark.event-rate' = '{event_rate}', 'nexmark.splits' = '1');"
           f"CREATE TABLE out ({columns}) WITH ('connector' = 'filesystem', 'path' = '{directory}', 'format' = 'json', "
           "'sink.rolling-policy.file-size' = '64 gb');"
           "INSERT INTO out SELECT * FROM bid;")
    subprocess.run([binary, "run", "-q", "-p", "1", "-e", sql], check=True)
    parts = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    assert len(parts) == 1, parts
    os.rename(os.path.join(directory, parts[0]), path)
    os.rmdir(directory)


def measured(command, **options):
    """Runs a command; returns its output, wall and CPU seconds, and peak memory in MiB."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    # Read before waiting, or a long output would block the process for ever.
    out = process.stdout.read()
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:3]}… failed:\n{err[-3000:]}")
    return out, {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024}


def job_file(path, bids, query, sink):
    """One SQL file for Millstream and Flink alike; `sink` replaces printing by a blackhole."""
    text = read_sql("bid").format(bids=bids) + "\n"
    if sink:
        text += f"CREATE TABLE nothing ({SINKS[query]}) WITH ('connector' = 'blackhole');\nINSERT INTO nothing\n"
    with open(path, "w") as file:
        file.write(text + read_sql(query) + ";\n")


WINDOWED = "auction BIGINT, window_end TIMESTAMP(3), bids BIGINT, highest BIGINT"
SINKS = {
    "q0": "auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), extra STRING",
    "q1": "auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), `dateTime` TIMESTAMP(3), extra STRING",
    "q2": "auction BIGINT, price BIGINT",
    "q7": "maxprice BIGINT, window_end TIMESTAMP(3)",
    "tumble": WINDOWED,
    "hop": WINDOWED,
}


def run(engine, query, bids, options, rows):
    """Runs one query on one engine. With `rows`, returns the result as a sorted list; else the figures."""
    with tempfile.TemporaryDirectory() as directory:
        job, out = os.path.join(directory, "job.sql"), os.path.join(directory, "rows")
        job_file(job, bids, query, sink=not rows)
        if engine == "millstream":
            text, figures = measured([options.bin, "run", job, "-q", "-o", "ndjson" if rows else "none",
                                      "-p", str(options.parallelism)])
            return sorted(canonical(json.loads(line)) for line in text.splitlines()) if rows else figures
        peer = [sys.executable, os.path.join(HERE, "peers.py"), engine, query, bids, str(options.parallelism), job]
        text, figures = measured(peer + ([out] if rows else []))
        if rows:
            with open(out) as file:
                return sorted(canonical(json.loads(line)) for line in file)
        # What the peer says of itself excludes the start of its process.
        return figures | json.loads(text.strip().splitlines()[-1])


def canonical(row):
    """One spelling of a row for all engines: window ends as milliseconds, numbers as text, columns in order."""
    from datetime import datetime, timezone
    values = []
    for name, value in row.items():
        if isinstance(value, str) and name in ("window_end", "dateTime"):
            moment = datetime.fromisoformat(value.replace("T", " ")).replace(tzinfo=timezone.utc)
            value = round(moment.timestamp() * 1000)
        elif name == "price" and not isinstance(value, int):
            value = float(value)
        values.append(str(value))
    return tuple(values)


def verify(queries, engines, bids, options):
    for query in queries:
        expected = run("millstream", query, bids, options, rows=True)
        for engine in engines:
            if engine != "millstream" and (engine == "flink" or query in BATCH):
                rows = run(engine, query, bids, options, rows=True)
                if rows != expected:
                    theirs, ours = sorted(set(rows) - set(expected))[:3], sorted(set(expected) - set(rows))[:3]
                    raise SystemExit(f"{query}: {engine} disagrees: {len(rows)} rows {theirs}, ours {len(expected)} {ours}")
        print(f"{query}: {len(expected)} rows, all engines agree", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--bids", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--parallelism", type=int, default=os.cpu_count())
    parser.add_argument("--queries", default=",".join(QUERIES))
    parser.add_argument("--engines", default=",".join(ENGINES))
    options = parser.parse_args()
    options.bin = os.path.abspath(options.bin)
    queries, engines = options.queries.split(","), options.engines.split(",")
    install(engines)
    data = os.path.join(os.environ.get("MILLSTREAM_CACHE", os.path.expanduser("~/.cache/millstream")), "bench")
    os.makedirs(data, exist_ok=True)
    bids, few = os.path.join(data, f"bids-{options.bids}.json"), os.path.join(data, "bids-few.json")
    generate(options.bin, bids, options.bids, event_rate=100_000)
    # Few rows over many windows: PyFlink hands results over one by one, a few hundred a second.
    generate(options.bin, few, 5_000, event_rate=250)
    verify(queries, engines, few, options)
    print(f"\n{options.bids} bids, {os.path.getsize(bids) / 1e9:.2f} GB, parallelism {options.parallelism}, "
          f"median of {options.runs} runs\n")
    print("| query | engine | wall s | CPU s | peak MiB | × Millstream |\n|---|---|---|---|---|---|")
    for query in queries:
        able = [e for e in engines if e in ("millstream", "flink") or query in BATCH]
        runs = {engine: [] for engine in able}
        for _ in range(options.runs):
            for engine in able:
                runs[engine].append(run(engine, query, bids, options, rows=False))
        middle = {e: {k: statistics.median(r[k] for r in rs) for k in ("wall", "cpu", "rss")} for e, rs in runs.items()}
        for engine, m in middle.items():
            ratio = m["wall"] / middle[able[0]]["wall"]
            print(f"| {query} | {engine} | {m['wall']:.2f} | {m['cpu']:.2f} | {m['rss']:.0f} | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
