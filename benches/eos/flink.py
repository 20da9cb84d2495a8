"""Flink's mini-cluster in one warm JVM, for eos.py: runs SQL files as it is told on standard input, answers in JSON, a line each.

usage: flink.py KAFKA_CONNECTOR_JAR DIRECTORY PARALLELISM
  run FILE     runs the file's job to its end and prints wall and CPU seconds and peak memory
  start FILE   starts it; `stop` cancels it

Its best settings we know: object reuse, state on the heap, and for a job that is watched for latency (`start`) short buffer time-outs and
frequent watermarks. Without the idle time-out the subtask that has no partition would hold all windows back.
"""
import json, os, re, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from figures import jvm_below  # noqa: E402

jar, directory, parallelism = sys.argv[1:4]
SETTINGS = {
    "parallelism.default": parallelism, "pipeline.object-reuse": "true", "table.local-time-zone": "UTC",
    "taskmanager.memory.process.size": "4g", "pipeline.jars": f"file://{os.path.abspath(jar)}",
    "execution.checkpointing.dir": f"file://{os.path.abspath(directory)}", "state.backend.type": "hashmap",
    "table.exec.source.idle-timeout": "200 ms",
}
QUICK = {"pipeline.auto-watermark-interval": "5 ms", "execution.buffer-timeout.interval": "5 ms"}


def submit(file, settings):
    from pyflink.table import EnvironmentSettings, TableEnvironment
    table_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for key, value in settings.items():
        table_env.get_config().set(key, value)
    with open(file) as text:
        statements = [s.strip() for s in re.sub(r"^--.*$", "", text.read(), flags=re.M).split(";") if s.strip()]
    for statement in statements[:-1]:
        setting = re.fullmatch(r"SET\s+'([^']+)'\s*=\s*'([^']*)'", statement)
        if setting:
            table_env.get_config().set(*setting.groups())
        else:
            table_env.execute_sql(statement)
    return table_env, statements[-1]


job = None
for line in sys.stdin:
    words = line.split()
    if words[0] == "run":
        table_env, insert = submit(words[1], SETTINGS)
        before, start = jvm_below(os.getpid()), time.monotonic()
        table_env.execute_sql(insert).wait()
        wall, after = time.monotonic() - start, jvm_below(os.getpid())
        answer = {"wall": wall, "cpu": after["cpu"] - before["cpu"], "rss": after["rss"]}
    elif words[0] == "start":
        table_env, insert = submit(words[1], SETTINGS | QUICK)
        job, answer = table_env.execute_sql(insert).get_job_client(), {"started": True}
    else:
        job.cancel().result()
        answer = {"stopped": True}
    print(json.dumps(answer), flush=True)
