"""Runs Flink's own SQL cases against the binary and holds the result to the set that passed before.

usage: conformance.py FOLDER BINARY [--bless]

FOLDER is the conformance kit (run.py, cases.json). The cases that pass are listed in tests/conformance-passing.txt, one
`PARALLELISM NAME` a line: a case that is listed and fails is a regression, and the exit status says so. Cases that are not
sensitive to the order of watermarks must pass at parallelism 2 as well. --bless rewrites the list.
"""
import json, os, re, subprocess, sys

folder, binary = sys.argv[1:3]
listing = os.path.join(os.path.dirname(os.path.abspath(__file__)), "conformance-passing.txt")
with open(os.path.join(folder, "cases.json")) as file:
    cases = {case["name"]: case for case in json.load(file)}
# What First light promises two thirds of: event-time windows with aggregates and nothing else.
WINDOWED = {"event_time", "window", "window_agg", "tumble_tvf", "hop_tvf", "cumulate_tvf", "distinct_agg", "agg_filter",
            "window_offset", "timestamp_ltz", "sink_insert"}

passing, core = set(), {}
for parallelism in ("1", "2"):
    output = subprocess.run([sys.executable, os.path.join(folder, "run.py"), "--bin", binary, "--parallelism", parallelism, "-v"],
                            capture_output=True, text=True).stdout
    for verdict, name in re.findall(r"^(ok  |FAIL) (\S+)", output, re.M):
        case = cases[name]
        if parallelism == "2" and case.get("watermark_sensitive"):
            continue
        if verdict == "ok  ":
            passing.add(f"{parallelism} {name}")
        if set(case["features"]) <= WINDOWED and "window_agg" in case["features"]:
            core.setdefault(parallelism, []).append(verdict == "ok  ")

if "--bless" in sys.argv:
    with open(listing, "w") as file:
        file.write("\n".join(sorted(passing)) + "\n")
with open(listing) as file:
    floor = set(file.read().split("\n")) - {""}
for parallelism, verdicts in core.items():
    print(f"parallelism {parallelism}: {sum(verdicts)} of {len(verdicts)} cases with only event-time windows and aggregates pass")
for name in sorted(floor - passing):
    print("REGRESSION", name)
for name in sorted(passing - floor):
    print("passes now, not in the list:", name)
print(f"{len(floor & passing)} passed, {len(floor - passing)} failed")
sys.exit(bool(floor - passing))
