"""The windowed queries of Nexmark on Millstream and on Flink over the same events: both must give the same rows.

usage: agree.py --bin MILLSTREAM [--events N] [--parallelism N] [--queries q5,q7,…]

The queries are examples/nexmark/qN.sql as they are, but their tables read JSON files that Millstream's seeded generator has
written. q12 runs by processing time, so which window a bid is in is up to the clock: its files are watched without an end, and
the bids of each bidder in all windows together must be equal.
"""
import argparse, collections, glob, json, os, re, subprocess, sys, tempfile
from datetime import datetime, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "..", "examples", "nexmark")
QUERIES = ["q5", "q7", "q8", "q11", "q12"]
BY_CLOCK = ["q12"]
# Events a second of event time: 40,000 events are 80 seconds.
EVENT_RATE = 500


def statements(text):
    return [s.strip() for s in re.sub(r"--.*", "", text).split(";") if s.strip()]


def example(query):
    with open(os.path.join(EXAMPLES, query + ".sql")) as file:
        return statements(file.read())


def over_files(query, directory):
    """The statements of a query with its Nexmark tables reading files."""
    def table(match):
        watched = ", 'source.monitor-interval' = '200 ms'" if query in BY_CLOCK else ""
        path = os.path.join(directory, re.search(r"'nexmark.event' = '(\w+)'", match[0])[1])
        return f"WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json'{watched})"
    return [re.sub(r"WITH \(\s*'connector' = 'nexmark'.*?\)", table, s, flags=re.S) for s in example(query)]


def generate(binary, directory, events):
    """Writes persons, auctions and bids, by the declarations of the examples themselves."""
    ddl = {}
    for statement in example("q8") + example("q7"):
        found = re.match(r"CREATE TABLE (\w+) \((.*)\) WITH", statement, re.S)
        if found:
            ddl[found[1]] = ", ".join(line.strip().rstrip(",") for line in found[2].strip().splitlines() if "WATERMARK" not in line)
    for event, columns in ddl.items():
        sql = (f"CREATE TABLE {event} ({columns}) WITH ('connector' = 'nexmark', 'nexmark.event' = '{event}', 'nexmark.splits' = '1', "
               f"'nexmark.events' = '{events}', 'nexmark.event-rate' = '{EVENT_RATE}');"
               f"CREATE TABLE written ({columns}) WITH ('connector' = 'filesystem', 'path' = '{directory}/{event}', 'format' = 'json');"
               f"INSERT INTO written SELECT * FROM {event};")
        subprocess.run([binary, "run", "-q", "-p", "1", "-e", sql], check=True)


def until_all(query, rows, bids):
    """The rows; of a query that has no end, until it has counted all bids."""
    counted = 0
    for row in rows:
        counted += row.get("bid_count", 0)
        yield row
        if query in BY_CLOCK and counted >= bids:
            return


def millstream(query, directory, bids, options):
    sql = ";\n".join(over_files(query, directory)) + ";"
    process = subprocess.Popen([options.bin, "run", "-q", "-p", str(options.parallelism), "-o", "ndjson", "-e", sql],
                               stdout=subprocess.PIPE, text=True)
    try:
        rows = list(until_all(query, map(json.loads, process.stdout), bids))
    finally:
        if query in BY_CLOCK:
            process.kill()
    if process.wait() and query not in BY_CLOCK:
        raise SystemExit(f"{query}: millstream failed")
    return rows


def flink(query, directory, bids, options):
    from pyflink.table import EnvironmentSettings, TableEnvironment
    table_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for key, value in {"parallelism.default": str(options.parallelism), "table.local-time-zone": "UTC"}.items():
        table_env.get_config().set(key, value)
    *before, last = over_files(query, directory)
    for statement in before:
        table_env.execute_sql(statement)
    result = table_env.execute_sql(last)
    names = result.get_table_schema().get_field_names()
    with result.collect() as rows:
        return list(until_all(query, (dict(zip(names, row)) for row in rows), bids))


def compared(query, rows):
    """What of the rows must be equal: all of them, or the totals of bidders."""
    if query in BY_CLOCK:
        totals = collections.Counter()
        for row in rows:
            totals[row["bidder"]] += row["bid_count"]
        return sorted(totals.items())
    return sorted(tuple(map(value, row.values())) for row in rows)


def value(cell):
    """One spelling of a value for both engines: times as milliseconds, all as text."""
    if isinstance(cell, str) and re.match(r"\d{4}-\d\d-\d\d[T ]", cell):
        cell = datetime.fromisoformat(cell.replace("T", " "))
    if isinstance(cell, datetime):
        cell = round(cell.replace(tzinfo=timezone.utc).timestamp() * 1000)
    return str(cell)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument("--queries", default=",".join(QUERIES))
    options = parser.parse_args()
    options.bin = os.path.abspath(options.bin)
    if subprocess.run([sys.executable, "-c", "import pyflink"], capture_output=True).returncode:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "apache-flink==2.3.0"], check=True)
    disagree = False
    with tempfile.TemporaryDirectory() as directory:
        generate(options.bin, directory, options.events)
        bids = sum(1 for path in glob.glob(f"{directory}/bid/[!._]*") for _ in open(path))
        for query in options.queries.split(","):
            ours, theirs = (compared(query, run(query, directory, bids, options)) for run in (millstream, flink))
            what = f"totals of {bids} bids by bidder" if query in BY_CLOCK else "rows"
            if ours == theirs and ours:
                print(f"{query}: {len(ours)} {what}, equal", flush=True)
                continue
            disagree = True
            print(f"{query}: DIFFER: ours {len(ours)} {what}, Flink's {len(theirs)}")
            print("  only ours:", sorted(set(ours) - set(theirs))[:3])
            print("  only Flink's:", sorted(set(theirs) - set(ours))[:3], flush=True)
    sys.exit(disagree)


if __name__ == "__main__":
    main()
