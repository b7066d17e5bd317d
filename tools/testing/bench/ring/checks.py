#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""checks.py PROGRAM UNCHECKED

What the checks against a hostile peer cost a message of 64 bytes in a ring, in instructions as
callgrind counts them: of both ends together, and of each alone. PROGRAM and UNCHECKED are
ring_bench of the tree and of what ../unchecked makes of it. Says if it is more than LIMIT;
fails if they cost nothing, for then they were not taken out.
"""
import re
import sys
import tempfile

from measure import COUNT, run

BATCHES = (1, 16)
LIMIT = 12
ENDS = {"both": (), "send": ("--toggle-collect=duct_send_batch",),
        "receive": ("--toggle-collect=duct_take_batch",)}


def instructions(program, end, batch, count):
    with tempfile.NamedTemporaryFile() as out:
        done = run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}",
                    *ENDS[end], program, "duct", str(batch), str(count)])
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def a_message(program, end, batch):
    """Without what a run of none takes."""
    return (instructions(program, end, batch, COUNT) - instructions(program, end, batch, 0)) / COUNT


def main(program, unchecked):
    failed = 0
    print(f"64 bytes, instructions a message     checked  unchecked  the checks  <= {LIMIT}")
    for batch in BATCHES:
        for end in ENDS:
            with_them, without = (a_message(p, end, batch) for p in (program, unchecked))
            cost = with_them - without
            failed += cost < 0 or (end == "both" and not cost)
            print(f"batch {batch:>2}, {end:<8} {with_them:>26.1f} {without:>10.1f} {cost:>11.1f}  "
                  + ("met" if cost <= LIMIT else "not"))
    print(f"checks: {len(BATCHES) * len(ENDS) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


main(*sys.argv[1:])
