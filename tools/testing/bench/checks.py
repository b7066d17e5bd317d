#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""checks.py CHECKED UNCHECKED

What the checks against a hostile peer cost a message, in instructions: of two consoles of the
scenario "checks", with them and without. A message of each run is looked at, and the middle
one taken; what half of the runs are apart is printed beside it. Fails if a run is missing.
"""
import statistics
import sys

from report import figures

NS = 2              # an instruction, with --icount
ROUNDS = 7
LIMIT = 12
# Title, and what a round's figures make of it: ns of a message.
ROWS = [(f"{how}, {title}", how, what) for how in ("thread", "ready") for title, what in (
    ("batch 1, both ends", "rate-64-1"), ("batch 16, both ends", "rate-64-16"),
    ("the sender alone", "send"), ("the receiver alone", "receive"))]
ROWS.append(("round trip asleep, half of it", "ready", "ping-64"))


def a_message(found, how, what, n):
    """In instructions. KeyError if it was not run."""
    if what in ("send", "receive"):
        # What waking and the answer take is in both.
        field = "ns" if what == "send" else "rest"
        fill, few = found[f"kernel/{how}-fill-64.{n}"], found[f"kernel/{how}-few-64.{n}"]
        return (fill[field] - few[field]) / (fill["messages"] - few["messages"]) / NS
    figure = found[f"kernel/{how}-{what}.{n}"]
    return figure["ns"] / figure["messages"] / NS / (2 if what == "ping-64" else 1)


def middle(found, how, what):
    """The median, and how far the quartiles are apart; None if a run is missing."""
    try:
        each = [a_message(found, how, what, n) for n in range(1, ROUNDS + 1)]
    except KeyError:
        return None
    first, second, third = statistics.quantiles(each)
    return second, third - first


def main(checked, unchecked):
    consoles = [figures(console, "figure") for console in (checked, unchecked)]
    failed = 0
    print(f"{'64 bytes, instructions a message':<40} {'checked':>16} {'unchecked':>16}"
          f" {'the checks':>11}  <= {LIMIT}")
    for title, how, what in ROWS:
        both = [middle(found, how, what) for found in consoles]
        if None in both:
            failed += 1
            print(f"{title:<40} failed to run")
            continue
        cost = both[0][0] - both[1][0]
        shown = "".join(f" {m:>9.1f} +-{d / 2:<4.1f}" for m, d in both)
        print(f"{title:<40}{shown} {cost:>11.1f}  {'met' if cost <= LIMIT else 'not'}")
    print(f"checks: {len(ROWS) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


main(*sys.argv[1:])
