"""Batch DataFusion as oracle of generated queries (tests/fuzz): reads one case a line, computes it, compares.

A case is a JSON object: `table` (column -> [kind, values]), `theirs` (a query over a table `t`), `kinds` of the result's columns,
and `rows`, what Millstream said. Cases that differ are printed whole, with their seeds; the fifth ends the run.
"""
import datetime, decimal, json, math, sys

import datafusion
import pyarrow

TYPES = {
    "int": pyarrow.int32(), "big": pyarrow.int64(), "double": pyarrow.float64(), "decimal": pyarrow.decimal128(10, 2),
    "text": pyarrow.string(), "bool": pyarrow.bool_(), "time": pyarrow.timestamp("ms"), "date": pyarrow.date32(),
}
KNOWN = ("Physical input schema should be the same", "Projections require unique expression names", "Schema contains duplicate")
EPOCH = datetime.datetime(1970, 1, 1)


def column(kind, values):
    if kind == "decimal":
        values = [v and decimal.Decimal(v) for v in values]
    if kind == "double":
        values = [v if v is None else float(v) for v in values]
    if kind == "date":
        values = [v and datetime.date.fromisoformat(v) for v in values]
    return pyarrow.array(values, TYPES[kind])


def canonical(kind, value):
    """A value that is equal to another one exactly if it means the same, whoever wrote it down."""
    if value is None:
        return None
    if kind in ("int", "big"):
        return int(value)
    if kind == "double":
        return float(value)
    if kind == "decimal":
        return decimal.Decimal(str(value)).normalize()
    if kind == "time":
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value.rstrip("Z"))
        return round((value - EPOCH) / datetime.timedelta(milliseconds=1))
    if kind == "date":
        return str(value)[:10]
    return value


def sort_key(row):
    """Floats come last: they may differ in their last digits, and must not decide the order."""
    exact = [(value is not None, "" if isinstance(value, float) else str(value)) for value in row]
    return exact, [round(value, 3) + 0.0 for value in row if isinstance(value, float)]


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
    return a == b


def differs(case):
    """What is wrong with a case; None if nothing is."""
    kinds, table = case["kinds"], case["table"]
    batch = pyarrow.table({name: column(kind, values) for name, (kind, values) in table.items()})
    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(1))
    context.register_record_batches("t", [batch.to_batches() or [pyarrow.RecordBatch.from_pylist([], batch.schema)]])
    found = context.sql(case["theirs"]).to_arrow_table()
    theirs = zip(*(c.to_pylist() for c in found.columns)) if found.num_columns else []
    clean = lambda rows: sorted((tuple(map(canonical, kinds, row)) for row in rows), key=sort_key)
    theirs, ours = clean(theirs), clean(tuple(row.values()) for row in case["rows"])
    if len(theirs) == len(ours) and all(len(a) == len(b) and all(map(same, a, b)) for a, b in zip(ours, theirs)):
        return None, len(ours)
    pairs = [f"  ours {a}\n  not  {b}" for a, b in zip(ours, theirs) if not all(map(same, a, b))]
    return f"{len(ours)} rows, {len(theirs)} expected\n" + "\n".join(pairs[:3]), len(ours)


def main():
    cases = rows = wrong = failed = 0
    for line in sys.stdin:
        case = json.loads(line, parse_float=decimal.Decimal)
        try:
            difference, count = differs(case)
        except Exception as error:
            # DataFusion's optimizer has bugs of its own: names that it gives twice, columns that can be NULL for one part only.
            if any(known in str(error) for known in KNOWN):
                failed += 1
                continue
            difference, count = f"the oracle failed: {error}", 0
        if difference:
            print(f"seed {case['seed']} differs: {difference}\nours:\n{case['ours']}\ntheirs:\n{case['theirs']}")
            print("table:", json.dumps(case["table"], default=str))
            wrong += 1
            if wrong == 5:
                break
        cases, rows = cases + 1, rows + count
    if wrong:
        sys.exit(1)
    # Queries that find nothing prove nothing.
    if cases > 100 and rows < cases:
        sys.exit(f"only {rows} rows in {cases} cases")
    if cases > 100 and failed > cases // 20:
        sys.exit(f"the oracle could not run {failed} queries, and {cases} it could")
    print(f"{cases} cases agree, {rows} rows; the oracle could not run {failed}")


main()
