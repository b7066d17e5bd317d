#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""measure.py PROGRAM JSON RECORDED [record]

Counts what a message of 64 bytes costs in a ring, by batch size, for ours and libxenvchan's:
instructions of both ends, by callgrind, without those of a run of none; and cache lines that
move from one processor to the other, by a model. In the model each end is a processor with a
cache that forgets nothing; a line moves when an end reads what the other wrote last, or
writes what the other has. The accesses are those that valgrind's lackey saw.

Writes JSON; prints a table; fails if an instruction or line count is more than 3 % above the
one in RECORDED as a ratio to libxenvchan's, or writes these with "record".
"""
import json
import re
import subprocess
import sys
import tempfile

BATCHES = (1, 2, 4, 8, 16, 64)
COUNT = 832         # about one lap of the ring, and every batch divides it
LINE = 64
WORSE = 1.03


def run(arguments):
    """What it prints; it must end well, and nobody was told anything."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode or "notified 0\n" not in done.stdout:
        sys.exit(f"ring: {' '.join(arguments)} fails: {done.stderr[-300:]}")
    return done


def instructions(program, ring, batch, count):
    """Of a run."""
    with tempfile.NamedTemporaryFile() as out:
        done = run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}",
                    program, ring, str(batch), str(count)])
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def moved(trace, start, size, end_word):
    """How many lines move in a trace."""
    wrote, has, end, moves = {}, {}, 0, 0
    for line in trace:
        if line[:3] not in (" L ", " S ", " M "):
            continue
        address, length = line[3:].split(",")
        address, length = int(address, 16), int(length)
        if address == end_word:
            end = (end % 2) + 1     # it is stored at each turn, first 1
        if not start <= address < start + size:
            continue
        for at in range(address // LINE, (address + length - 1) // LINE + 1):
            if line[1] == "L":
                moves += wrote.get(at, end) != end and end not in has.get(at, ())
                has.setdefault(at, set()).add(end)
            else:
                moves += bool(has.get(at, set()) - {end})
                has[at], wrote[at] = {end}, end
    return moves


def lines(program, ring, batch):
    """Of a run of COUNT messages."""
    done = run(["valgrind", "--tool=lackey", "--trace-mem=yes", "--log-fd=2", program,
                ring, str(batch), str(COUNT)])
    start, size = map(int, re.search(r"shared (\d+) (\d+)", done.stdout).groups())
    end = int(re.search(r"end (\d+)", done.stdout).group(1))
    return moved(done.stderr.splitlines(), start, size, end)


def measure(program):
    found = {str(batch): {} for batch in BATCHES}
    for ring in ("duct", "vchan"):
        idle = instructions(program, ring, 1, 0)
        for batch in BATCHES:
            busy = instructions(program, ring, batch, COUNT)
            found[str(batch)][ring] = {"instructions": (busy - idle) / COUNT,
                                       "lines": lines(program, ring, batch) / COUNT}
    return found


def table(found):
    print("64 bytes      instructions, both ends      cache lines that move")
    print("batch        duct   vchan   duct/vchan     duct  vchan  duct/vchan")
    for batch, rings in found.items():
        print("{:>5}    {:>8.1f} {:>7.1f} {:>12.2f} {:>8.2f} {:>6.2f} {:>11.2f}".format(
            batch, *(f(rings, what) for what in ("instructions", "lines") for f in (
                lambda r, w: r["duct"][w], lambda r, w: r["vchan"][w], ratio))))


def ratio(rings, what):
    return rings["duct"][what] / rings["vchan"][what]


def ratios(found):
    return {batch: {what: round(ratio(rings, what), 4) for what in ("instructions", "lines")}
            for batch, rings in found.items()}


def main(program, out, recorded, *words):
    found = measure(program)
    with open(out, "w", encoding="ascii") as file:
        json.dump(found, file, indent=1)
    table(found)
    if words == ("record",):
        with open(recorded, "w", encoding="ascii") as file:
            json.dump(ratios(found), file, indent=1)
            file.write("\n")
        return
    with open(recorded, encoding="ascii") as file:
        limits = json.load(file)
    failed = 0
    for batch, now in ratios(found).items():
        for what, value in now.items():
            if value > limits[batch][what] * WORSE:
                print(f"not ok: batch {batch}, {what}: {value} of libxenvchan's, "
                      f"{limits[batch][what]} is recorded")
                failed += 1
    print(f"ring: {2 * len(found) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
