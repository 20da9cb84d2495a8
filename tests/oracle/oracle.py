"""Batch DataFusion as oracle: random queries over random disordered rows, streamed by the binary and recomputed in one batch.

usage: oracle.py BINARY SEED CASES

The stream reads one file with a watermark after every row, so which rows are late is a plain fact: a row counts for a window
unless the watermark had completed that window before the row came. The batch query gets that watermark as a column and nothing
else of ours: windows are made by arithmetic, aggregates are DataFusion's own. A case that differs is printed whole, with the
seed that repeats it, and ends the run.
"""
import json, math, os, random, subprocess, sys, tempfile

import datafusion
import pyarrow

BINARY, SEED, CASES = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
BASE = 1_704_067_200_000  # 2024-01-01 00:00:00 UTC
DELAY = 2_000

# An aggregate in our SQL and in the batch query; results are compared as numbers with a tolerance for floats.
AGGREGATES = [
    ("COUNT(*)", "count(*)"), ("COUNT(v)", "count(v)"), ("COUNT(DISTINCT v)", "count(DISTINCT v)"), ("SUM(v)", "sum(v)"),
    ("MIN(v)", "min(v)"), ("MAX(v)", "max(v)"), ("SUM(DISTINCT v)", "sum(DISTINCT v)"), ("AVG(d)", "avg(d)"),
    ("SUM(d)", "sum(d)"), ("MAX(d)", "max(d)"), ("MIN(s)", "min(s)"), ("MAX(s)", "max(s)"),
    ("AVG(v)", "CAST(trunc(CAST(sum(v) AS DOUBLE) / count(v)) AS BIGINT)"),
    ("COUNT(*) FILTER (WHERE v > 3)", "count(*) FILTER (WHERE v > 3)"),
    ("SUM(v) FILTER (WHERE s IS NOT NULL)", "sum(v) FILTER (WHERE s IS NOT NULL)"),
    ("STDDEV_POP(d)", "stddev_pop(d)"), ("VAR_SAMP(d)", "var_samp(d)"), ("SUM(v * 2 + 1)", "sum(v * 2 + 1)"),
    ("MAX(CASE WHEN v > 5 THEN v ELSE -v END)", "max(CASE WHEN v > 5 THEN v ELSE -v END)"),
    ("MIN(UPPER(s))", "min(upper(s))"),
]
FILTERS = [None, None, "v > 2", "s <> 'b'", "v IS NOT NULL AND d < 50", "s LIKE 'a%' OR v = 1"]
KEYS = [[], ["s"], ["v"], ["s", "v"], ["v % 3"], ["UPPER(s)", "v"]]


def rows_of(rng):
    """Rows in order of arrival; time mostly moves on, some rows are out of order, a few far behind."""
    now, rows = 0, []
    for _ in range(rng.randint(0, 120)):
        now += rng.choice([0, 1, 50, 400, 1500, 7000])
        behind = rng.choice([0, 0, 0, 500, 1999, 2000, 2001, 6000, 30000])
        rows.append({
            "v": rng.choice([None, *range(9)]), "s": rng.choice([None, "a", "b", "ab", "é\"\\", ""]),
            "d": rng.choice([None, round(rng.uniform(-100, 100), 3)]), "ts": BASE + max(0, now - behind),
        })
    return rows


def windows_of(rng):
    """(SQL of the window function, function from a time to the windows that cover it)."""
    size = rng.choice([10000, 20000])
    offset = rng.choice([0, 0, 3000, -4000])
    interval = lambda ms: f"INTERVAL '{ms // 1000}' SECOND"
    shift = f", {interval(offset)}" if offset else ""
    floor = lambda t, step: (t - offset) // step * step + offset
    kind = rng.choice(["TUMBLE", "HOP", "CUMULATE"])
    if kind == "TUMBLE":
        return (f"TUMBLE(TABLE t, DESCRIPTOR(ts), {interval(size)}{shift})", lambda t: [(floor(t, size), floor(t, size) + size)])
    part = size // rng.choice([1, 2, 5, 10])
    if kind == "HOP":
        def hop(t):
            last = floor(t, part)
            return [(last - k * part, last - k * part + size) for k in range(size // part)]
        return f"HOP(TABLE t, DESCRIPTOR(ts), {interval(part)}, {interval(size)}{shift})", hop

    def cumulate(t):
        start = floor(t, size)
        return [(start, end) for end in range(start + part, start + size + 1, part) if t < end]
    return f"CUMULATE(TABLE t, DESCRIPTOR(ts), {interval(part)}, {interval(size)}{shift})", cumulate


def sql_time(ms):
    from datetime import datetime, timezone
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S.") + f"{ms % 1000:03}"


def covered(rows, windows):
    """(row, window) pairs that count, as columns for the batch query."""
    watermark, pairs = -math.inf, []
    for row in rows:
        pairs += [{**row, "ws": start, "we": end} for start, end in windows(row["ts"]) if watermark < end - 1]
        watermark = max(watermark, row["ts"] - DELAY)
    return pairs


def stream(directory, rows, sql, parallelism):
    path = os.path.join(directory, "rows.json")
    with open(path, "w") as file:
        file.writelines(json.dumps({**row, "ts": sql_time(row["ts"])}) + "\n" for row in rows)
    ddl = ("CREATE TABLE t (v INT, s STRING, d DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH "
           f"('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json', 'scan.watermark.emit.strategy' = 'on-event');\n")
    done = subprocess.run([BINARY, "run", "-q", "-o", "ndjson", "-p", str(parallelism), "-e", ddl + sql], capture_output=True, text=True)
    if done.returncode:
        return done.stderr
    return [tuple(json.loads(line).values()) for line in done.stdout.splitlines()]


def batch(pairs, sql):
    columns = {"v": pyarrow.int32(), "s": pyarrow.string(), "d": pyarrow.float64(), "ws": pyarrow.int64(), "we": pyarrow.int64()}
    table = pyarrow.table({name: pyarrow.array([p[name] for p in pairs], kind) for name, kind in columns.items()})
    if not pairs:
        return []
    context = datafusion.SessionContext()
    context.register_record_batches("t", [table.to_batches()])
    return [tuple(row.values()) for row in context.sql(sql).to_arrow_table().to_pylist()]


def canonical(rows):
    """Comparable whatever the order of rows; floats are last in importance, since they differ in their last digits."""
    value = lambda v: v if isinstance(v, float) else str(v).removesuffix(".000")
    exact = lambda row: [v for v in row if not isinstance(v, float)]
    return sorted((tuple(map(value, row)) for row in rows), key=exact)


def same(ours, theirs):
    """Equal, with floats to a relative millionth: partials are added in another order."""
    close = lambda a, b: math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6) if isinstance(a, float) and isinstance(b, float) else a == b
    return len(ours) == len(theirs) and all(all(map(close, a, b)) for a, b in zip(ours, theirs))


def case(seed):
    rng = random.Random(seed)
    rows, (tvf, windows) = rows_of(rng), windows_of(rng)
    keys, where = rng.choice(KEYS), rng.choice(FILTERS)
    aggregates = rng.sample(AGGREGATES, rng.randint(1, 5))
    having = rng.choice([None, None, "COUNT(*) > 1"])
    names = lambda exprs: [f"{expr} AS c{number}" for number, expr in enumerate(exprs)]
    tail = (f" WHERE {where}" if where else "") + " GROUP BY {bounds}" + "".join(f", {key}" for key in keys)
    tail += f" HAVING {having}" if having else ""
    ours = ("SELECT window_start, window_end, " + ", ".join(names(keys + [a for a, _ in aggregates])) + f" FROM {tvf}"
            + tail.format(bounds="window_start, window_end"))
    theirs = "SELECT ws, we, " + ", ".join(names(keys + [b for _, b in aggregates])) + " FROM t" + tail.format(bounds="ws, we")
    expected = canonical((sql_time(ws), sql_time(we), *rest) for ws, we, *rest in batch(covered(rows, windows), theirs))
    with tempfile.TemporaryDirectory() as directory:
        parallelism = rng.choice([1, 2, 3])
        got = stream(directory, rows, ours, parallelism)
    if isinstance(got, str) or not same(canonical(got), expected):
        print(f"seed {seed} differs, parallelism {parallelism}\n{ours}\n{theirs}\nrows:", *rows, sep="\n  ")
        if isinstance(got, str):
            print(got)
        else:
            print("missing", sorted(set(expected) - set(canonical(got)))[:5], "extra", sorted(set(canonical(got)) - set(expected))[:5])
        sys.exit(1)


for number in range(CASES):
    case(SEED + number)
print(f"{CASES} cases agree, seeds {SEED} to {SEED + CASES - 1}")
