#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""gate.py JSON RECORDED [record]

Compares the ratios of bench.json with those recorded: more than 3 % worse fails, and is
named. With "record" writes them instead. What is recorded and was not measured fails.
"""
import json
import sys

WORSE = 1.03


def worse(row, recorded):
    """How many times worse than recorded; less than 1 is better."""
    less = row["to_reach"].startswith("<=")
    return row["ratio"] / recorded if less else recorded / row["ratio"]


def main(measured, path, *words):
    with open(measured, encoding="ascii") as file:
        rows = {row["workload"]: row for row in json.load(file)["rows"]}
    if words == ("record",):
        ratios = {title: round(row["ratio"], 4) for title, row in rows.items() if row["ratio"]}
        with open(path, "w", encoding="ascii") as file:
            json.dump(ratios, file, indent=1)
            file.write("\n")
        return
    try:
        with open(path, encoding="ascii") as file:
            ratios = json.load(file)
    except FileNotFoundError:
        sys.exit(f"gate: {path} is not there: nothing is recorded")
    failed = 0
    for title, recorded in ratios.items():
        row = rows.get(title)
        if not row or not row["ratio"]:
            print(f"not ok: {title}: not measured")
        elif worse(row, recorded) > WORSE:
            print(f"not ok: {title}: ratio {row['ratio']:.3f}, {recorded:.3f} is recorded")
        else:
            continue
        failed += 1
    print(f"gate: {len(ratios) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


main(*sys.argv[1:])
