#!/usr/bin/env python3
"""The judge of a round: recomputes every result from the input topic as it was read back, and compares.

    oracle.py DIR

DIR holds what the rig wrote down:
    acked.txt     id partition offset     records that the broker acknowledged to the generator
    input.jsonl   the input topic, read at the end
    output.jsonl  the output topic, read at the end with isolation.level=read_committed
    live.jsonl    the same, read while faults happened
Prints one JSON object; "ok" says whether the round was exactly-once. Nothing here is shared with
Millstream; the standard library is all it needs.

    lost        a result that is not there
    duplicated  a result that is there more than once
    wrong       a result that is there with another value, or should not be there at all
    torn        an epoch of which only a part is visible, or epochs out of order
    unstable    rows that a read_committed reader saw earlier, and are not there at the end, or the reverse
"""

import json
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

LATE = timedelta(minutes=30)  # the late ones are an hour late, the others less than half a second
FUTURE = timedelta(hours=12)  # the last record of a partition is a day ahead
EXAMPLES = 5


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def milliseconds(at):
    return round(at.timestamp() * 1000)


def recompute(records):
    """The rows that must come out, as a multiset of (identity, values)."""
    tumble, hop = {}, {}
    expected = Counter()
    newest = {}
    for record in sorted(records, key=lambda record: (record["p"], record["o"])):
        event = json.loads(record["value"])
        at, key, value, number = moment(event["ts"]), event["k"], event["v"], event["id"]
        at_ms = milliseconds(at)
        if number % 4 == 0:
            expected[("pass", key, at_ms, number), (1, value, number, number, None)] += 1
        partition = record["p"]
        latest = newest.get(partition, at)
        if at < latest - LATE:
            for name in ("late-tumble", "late-hop"):
                expected[(name, key, at_ms, number), (1, value, number, number, None)] += 1
            continue
        newest[partition] = max(latest, at)
        if at > latest + FUTURE:
            continue  # it fires all windows but its own
        count = tumble.setdefault((key, at_ms // 1000 * 1000), [0, 0, number, number])
        count[0] += 1
        count[1] += value
        count[2] = min(count[2], number)
        count[3] = max(count[3], number)
        last = at_ms // 500 * 500
        for start in (last, last - 500):
            mean = hop.setdefault((key, start), [0, 0])
            mean[0] += 1
            mean[1] += value
    for (key, start), (n, total, low, high) in tumble.items():
        expected[("tumble", key, start, None), (n, total, low, high, None)] += 1
    for (key, start), (n, total) in hop.items():
        expected[("hop", key, start, None), (n, None, None, None, total / n)] += 1
    return expected


def observed(records):
    actual = Counter()
    for record in records:
        row = json.loads(record["value"])
        number = None if row["q"] in ("tumble", "hop") else row["low"]
        identity = (row["q"], row["k"], milliseconds(moment(row["at"])), number)
        actual[identity, tuple(row.get(name) for name in ("n", "total", "low", "high", "mean"))] += 1
    return actual


def compare(expected, actual):
    by_identity = defaultdict(Counter)
    for (identity, values), times in actual.items():
        by_identity[identity][values] += times
    wanted = {identity: values for identity, values in expected}
    lost, duplicated, wrong = [], [], []
    for (identity, values), times in expected.items():
        found = by_identity.get(identity)
        if not found:
            lost.append([identity, values])
        elif sum(found.values()) > times:
            duplicated.append([identity, values, list(found.items())])
        elif values not in found:
            wrong.append([identity, values, list(found.items())])
    for identity, found in by_identity.items():
        if identity not in wanted:
            wrong.append([identity, None, list(found.items())])
    return lost, duplicated, wrong


def torn_epochs(records):
    """Audit headers (`epoch`, `seq` = writer/number): within an epoch every writer counts its rows
    without a gap, and epochs do not go back."""
    torn, writers, newest = [], defaultdict(list), {}
    for record in sorted(records, key=lambda record: (str(record["p"]), record["o"])):
        if isinstance(record["p"], str):
            continue  # a part of a directory: rows of files have no headers
        if "epoch" not in record or "seq" not in record:
            torn.append(["no audit headers", record["p"], record["o"]])
            continue
        epoch = int(record["epoch"])
        writer, _, seq = record["seq"].rpartition("/")
        writers[epoch, writer].append(int(seq))
        if epoch < newest.get(record["p"], 0):
            torn.append(["epoch goes back", record["p"], record["o"], epoch, newest[record["p"]]])
        newest[record["p"]] = max(epoch, newest.get(record["p"], 0))
    for (epoch, writer), seqs in writers.items():
        if sorted(seqs) != list(range(len(seqs))):
            missing = sorted(set(range(max(seqs) + 1)) - set(seqs))[:EXAMPLES]
            torn.append(["epoch not whole", epoch, writer, f"{len(seqs)} rows", f"missing {missing}"])
    return torn, len({epoch for epoch, _ in writers})


def sequence(records):
    """By partition, what a reader sees in which order."""
    partitions = defaultdict(list)
    for record in records:
        partitions[record["p"]].append((record["o"], record["value"]))
    return partitions


def unstable(live, final):
    live, final = sequence(live), sequence(final)
    differences = []
    for partition in sorted(set(live) | set(final)):
        before, after = live.get(partition, []), final.get(partition, [])
        if before != after:
            at = next((i for i, (a, b) in enumerate(zip(before, after)) if a != b), min(len(before), len(after)))
            differences.append([partition, len(before), len(after), before[at:at + 1], after[at:at + 1]])
    return differences


def unkept(acked, records):
    """Acknowledged records that the input topic does not have: then the broker, not the job, lost them."""
    there = {(json.loads(record["value"])["id"], record["p"], record["o"]) for record in records}
    return [list(record) for record in acked if record not in there]


def judge(directory):
    directory = Path(directory)
    acked = [tuple(map(int, line.split())) for line in (directory / "acked.txt").read_text().splitlines()]
    records, output = lines(directory / "input.jsonl"), lines(directory / "output.jsonl")
    expected, actual = recompute(records), observed(output)
    lost, duplicated, wrong = compare(expected, actual)
    torn, epochs = torn_epochs(output)
    moved = unstable(lines(directory / "live.jsonl"), output)
    broker = unkept(acked, records)
    found = {
        "lost": lost, "duplicated": duplicated, "wrong": wrong, "torn": torn, "unstable": moved,
        "lost_by_broker": broker,
    }
    verdict = {"ok": not any(found.values()), "input_rows": len(records), "output_rows": len(output), "epochs": epochs}
    verdict.update({name: len(cases) for name, cases in found.items()})
    verdict["examples"] = {name: cases[:EXAMPLES] for name, cases in found.items() if cases}
    # A round that says nothing is not a good one.
    if len(records) != len(acked) or not output:
        verdict["ok"] = False
        verdict["examples"]["invalid"] = f"{len(records)} records read, {len(acked)} acknowledged, {len(output)} rows"
    return verdict


if __name__ == "__main__":
    result = judge(sys.argv[1])
    print(json.dumps(result))
    sys.exit(0 if result["ok"] else 1)
