"""Runs one query on one peer engine and prints its figures as JSON; with a last argument, writes the rows there.

usage: peers.py flink|duckdb|datafusion QUERY BIDS PARALLELISM JOB_SQL [ROWS]
"""
import json, os, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "sql"), os.path.join(HERE, "..")]
from batch import BATCH  # noqa: E402
from figures import jvm_below  # noqa: E402

engine, query, bids, parallelism, job = sys.argv[1:6]
rows_path = sys.argv[6] if len(sys.argv) > 6 else None


def write(names, rows):
    with open(rows_path, "w") as out:
        for row in rows:
            out.write(json.dumps(dict(zip(names, row)), default=str) + "\n")


def flink():
    """Flink's mini-cluster: object reuse on, all of the machine's cores; one warm-up job for the JIT."""
    from pyflink.table import EnvironmentSettings, TableEnvironment
    table_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    config = table_env.get_config()
    for key, value in {"parallelism.default": parallelism, "pipeline.object-reuse": "true",
                       "table.local-time-zone": "UTC", "taskmanager.memory.process.size": "4g"}.items():
        config.set(key, value)
    with open(job) as file:
        statements = [s.strip() for s in file.read().split(";") if s.strip()]
    for statement in statements[:-1]:
        table_env.execute_sql(statement)
    if rows_path:
        result = table_env.execute_sql(statements[-1])
        names = result.get_table_schema().get_field_names()
        with result.collect() as rows:
            write(names, ([v for v in row] for row in rows))
        return None
    table_env.execute_sql(statements[-1]).wait()
    before, start = jvm_below(os.getpid()), time.monotonic()
    table_env.execute_sql(statements[-1]).wait()
    wall, after = time.monotonic() - start, jvm_below(os.getpid())
    return {"wall": wall, "cpu": after["cpu"] - before["cpu"], "rss": after["rss"]}


def duckdb():
    import duckdb as engine_module
    connection = engine_module.connect(config={"threads": int(parallelism)})
    connection.execute(
        f"CREATE VIEW bid AS SELECT * FROM read_json('{bids}', format = 'newline_delimited', columns = {{auction: 'BIGINT', "
        "bidder: 'BIGINT', price: 'BIGINT', channel: 'VARCHAR', url: 'VARCHAR', dateTime: 'TIMESTAMP', extra: 'VARCHAR'})")
    sql = BATCH[query].format(ms="epoch_ms(dateTime)")
    start = time.monotonic()
    result = connection.execute(sql)
    names = [column[0] for column in result.description]
    rows = result.fetchall() if rows_path else result.to_arrow_table()
    wall = time.monotonic() - start
    if rows_path:
        write(names, rows)
    return {"wall": wall}


def datafusion():
    import datafusion as engine_module
    import pyarrow
    context = engine_module.SessionContext(engine_module.SessionConfig().with_target_partitions(int(parallelism)))
    schema = pyarrow.schema([("auction", pyarrow.int64()), ("bidder", pyarrow.int64()), ("price", pyarrow.int64()),
                             ("channel", pyarrow.string()), ("url", pyarrow.string()),
                             ("dateTime", pyarrow.timestamp("ms")), ("extra", pyarrow.string())])
    context.register_json("bid", bids, schema=schema, file_extension=".json")
    sql = BATCH[query].format(ms='arrow_cast(arrow_cast("dateTime", \'Timestamp(Millisecond, None)\'), \'Int64\')')
    sql = sql.replace("//", "/")
    start = time.monotonic()
    table = context.sql(sql).to_arrow_table()
    wall = time.monotonic() - start
    if rows_path:
        write(table.column_names, zip(*(column.to_pylist() for column in table.columns)))
    return {"wall": wall}


figures = {"flink": flink, "duckdb": duckdb, "datafusion": datafusion}[engine]()
print(json.dumps(figures or {}))
