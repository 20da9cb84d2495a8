"""CPU seconds and memory of processes, out of /proc: what the drivers of the comparisons share."""
import os

TICKS = os.sysconf("SC_CLK_TCK")


def process(pid):
    """CPU seconds, present and peak memory in MiB of a process; zeros if it has gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        with open(f"/proc/{pid}/status") as file:
            lines = dict(line.split(":", 1) for line in file)
        memory = {name: int(lines[key].split()[0]) / 1024 for name, key in (("now", "VmRSS"), ("rss", "VmHWM"))}
        return {"cpu": (int(fields[11]) + int(fields[12])) / TICKS, **memory}
    except (FileNotFoundError, ProcessLookupError, KeyError):
        return {"cpu": 0.0, "now": 0.0, "rss": 0.0}


def jvm_below(parent):
    """The figures of the JVM that a process started."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                name, fields = file.read().rsplit(")", 1)
            if int(fields.split()[1]) == parent and name.endswith("(java"):
                return process(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return {"cpu": 0.0, "now": 0.0, "rss": 0.0}
