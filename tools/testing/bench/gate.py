#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""gate.py RECORDED [--record] JSON...

Compares the ratios of bench.json with those recorded: more than 3 % worse fails, and is
named; of several runs the best counts. With --record writes them instead, each of the run where it
is worst: one that came by luck would fail what is as good. What is recorded and was not measured
fails.
"""
import argparse
import json
import sys

WORSE = 1.03


def less(row):
    """Whether less is better."""
    return row["to_reach"].startswith("<=")


def worse(row, recorded):
    """How many times worse than recorded; less than 1 is better."""
    return row["ratio"] / recorded if less(row) else recorded / row["ratio"]


def pick(rows, best):
    """The best, or the worst, of one row in each run that measured it; None if none did."""
    rows = [row for row in rows if row["ratio"]]
    lowest = rows and less(rows[0]) == best
    return (min if lowest else max)(rows, key=lambda row: row["ratio"], default=None)


def read(paths, best):
    runs = {}
    for path in paths:
        with open(path, encoding="ascii") as file:
            for row in json.load(file)["rows"]:
                runs.setdefault(row["workload"], []).append(row)
    return {title: pick(rows, best) for title, rows in runs.items()}


def record(rows, path):
    ratios = {title: round(row["ratio"], 4) for title, row in rows.items() if row}
    with open(path, "w", encoding="ascii") as file:
        json.dump(ratios, file, indent=1)
        file.write("\n")


def compare(rows, path):
    try:
        with open(path, encoding="ascii") as file:
            ratios = json.load(file)
    except FileNotFoundError:
        sys.exit(f"gate: {path} is not there: nothing is recorded")
    failed = 0
    for title, recorded in ratios.items():
        row = rows.get(title)
        if not row:
            print(f"not ok: {title}: not measured")
        elif worse(row, recorded) > WORSE:
            print(f"not ok: {title}: ratio {row['ratio']:.3f}, {recorded:.3f} is recorded")
        else:
            continue
        failed += 1
    print(f"gate: {len(ratios) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


parser = argparse.ArgumentParser()
parser.add_argument("recorded")
parser.add_argument("--record", action="store_true")
parser.add_argument("runs", nargs="+")
args = parser.parse_args()
(record if args.record else compare)(read(args.runs, not args.record), args.recorded)
