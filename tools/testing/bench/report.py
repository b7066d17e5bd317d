#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""report.py ROWS CONSOLE FOLDER

Makes bench.json, table.txt and what plots.gp draws, in FOLDER, of the lines "# figure" in a
scenario's console, and prints the table. A row of ROWS without both figures is told as such,
and fails; so nothing is ever taken from elsewhere.
"""
import json
import os
import re
import sys

UNITS = {"us": "us", "rate": "1/s", "MB": "MB/s", "jain": "", "events": "1/s", "B": "B",
         "grants": ""}
VIRTUAL = "in virtual time, 2 ns an instruction of either end"
# Their limits are for what is ours, and not for a ratio.
ABSOLUTE = ("events", "B", "grants")


def figures(console, kind):
    """{"wire/workload": {name: number}}; a line that something else got into is not there."""
    found = {}
    with open(console, encoding="ascii", errors="replace") as file:
        for line in file:
            match = re.fullmatch(rf"# {kind} (\S+)((?: \w+ -?\d+)+)\s*", line)
            if match:
                words = match[2].split()
                found[match[1]] = dict(zip(words[::2], map(int, words[1::2])))
    return found


def hypercalls(console):
    """{"wire/workload": {name: number a message}}, of both ends and all that runs beside"""
    return {name: {what: count / counts["messages"] for what, count in counts.items()
                   if what != "messages"}
            for name, counts in figures(console, "hypercalls").items()}


def measured(console):
    """Where, and in which time: a host says so itself."""
    with open(console, encoding="ascii", errors="replace") as file:
        for line in file:
            match = re.fullmatch(r"# measured (.+?)\s*", line)
            if match:
                return match[1]
    return VIRTUAL


def value(figure, what):
    """In the unit of the row; None if it has none."""
    if what == "grants":
        return costs(figure).get("grant_operations_per_message")
    needs = {"us": ("ns", "messages"), "rate": ("messages", "ns"), "MB": ("bytes", "ns"),
             "jain": ("messages", "channels", "squares"), "events": ("events", "ns"),
             "B": ("bytes", "channels")}[what]
    if not figure or not all(name in figure for name in needs) or figure[needs[-1]] <= 0:
        return None
    if what == "jain":
        # Jain's fairness index: (sum of x)^2 / (n * sum of x^2), x the messages of a channel.
        # R. Jain, D. Chiu, W. Hawe, "A Quantitative Measure of Fairness and Discrimination
        # for Resource Allocation in Shared Computer Systems", DEC-TR-301, 1984.
        return figure["messages"]**2 / (figure["channels"] * figure["squares"])
    per = figure[needs[0]] / figure[needs[1]]
    return per * {"us": 1e-3, "rate": 1e9, "MB": 1e3, "events": 1e9, "B": 1}[what]


def costs(figure):
    """Counters of both ends for a message and a MiB, as far as the wire told them."""
    def both(*names):
        return sum(figure[n] for n in names) if all(n in figure for n in names) else None

    if not figure:
        return {}
    events = both("notifies", "peer_notifies")
    if events is None:
        events = both("events", "peer_events")
    counts = {"notifications": events, "wakeups": both("wakeups", "peer_wakeups")}
    calls = both("hypercalls", "peer_hypercalls")
    if calls is not None:
        counts["grant_operations"] = calls - events
        counts["copies"] = calls - events - figure["peer_maps"]
    per = {}
    for name, count in counts.items():
        if count is not None and figure.get("messages"):
            per[name + "_per_message"] = round(count / figure["messages"], 4)
            if figure["bytes"]:
                per[name + "_per_mib"] = round(count * 2**20 / figure["bytes"], 2)
    return per


def compare(rows, found):
    """A list of dictionaries, one for each row."""
    made = []
    with open(rows, encoding="ascii") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    for title, peer, ours, what, limit in lines:
        row = {"workload": title, "peer": peer, "ours": ours, "unit": UNITS[what],
               "to_reach": limit, "peer_value": value(found.get(peer), what),
               "ours_value": value(found.get(ours), what), "ratio": None, "met": None,
               "peer_costs": costs(found.get(peer)), "ours_costs": costs(found.get(ours))}
        # What has no peer says so, and has no ratio.
        row["failed"] = [name for name, x in ((peer, row["peer_value"]), (ours, row["ours_value"]))
                         if x is None and (name != "-" or what not in ABSOLUTE)]
        if not row["failed"] and what not in ABSOLUTE:
            if row["peer_value"]:
                row["ratio"] = row["ours_value"] / row["peer_value"]
            else:
                row["failed"] = [peer]
        if not row["failed"]:
            reached = row["ours_value"] if what in ABSOLUTE else row["ratio"]
            sense, bound = limit.split()
            row["met"] = reached <= float(bound) if sense == "<=" else reached >= float(bound)
        made.append(row)
    return made


def disagree(found, calls):
    """Names whose own counters are not what Xen has seen. A domain does a little beside."""
    wrong = []
    for name, seen in calls.items():
        has = costs(found.get(name))
        xen = {"notifications_per_message": seen["event"],
               "grant_operations_per_message": seen["grant"] - seen.get("again", 0)}
        if any(own in has and abs(has[own] - count) > 0.1 + 0.05 * count
               for own, count in xen.items()):
            wrong.append(name)
    return wrong


def number(x, none="failed"):
    if x is None:
        return none
    return f"{x:.0f}" if x >= 10000 else f"{x:.1f}" if x >= 10 else f"{x:.3f}"


def cost(row, end, name):
    x = row[end + "_costs"].get(name)
    return "-" if x is None else f"{x:.3f}" if x < 10 else f"{x:.1f}"


def table(made, found, calls, how, wrong):
    """As text."""
    form = "{:<42} {:>10} {:>10} {:<5} {:>6} {:>8} {:>4}  {:>8} {:>8} {:>8} {:>8} {:>7}\n"
    text = f"Measured {how}\n\n"
    text += form.format("", "peer", "ours", "", "ratio", "to reach", "", "events", "of ours",
                       "of ours", "wakeups", "grants")
    text += form.format("", "", "", "", "", "", "", "a msg", "a msg", "a MiB", "a msg", "a msg")
    for row in made:
        met = {None: "FAIL", True: "met", False: "not"}[row["met"]]
        text += form.format(row["workload"],
                            number(row["peer_value"], "-" if row["peer"] == "-" else "failed"),
                            number(row["ours_value"]), row["unit"],
                            "-" if row["ratio"] is None else f"{row['ratio']:.2f}",
                            row["to_reach"], met, cost(row, "peer", "notifications_per_message"),
                            cost(row, "ours", "notifications_per_message"),
                            cost(row, "ours", "notifications_per_mib"),
                            cost(row, "ours", "wakeups_per_message"),
                            cost(row, "ours", "grant_operations_per_message"))
        for name in row["failed"]:
            text += f"    {name} failed to run\n"
    text += "\nHypercalls for a message, of both ends, as xentrace sees them:\n"
    for name, counts in calls.items():
        text += "{:<24}".format(name) + "".join(
            f" {what} {count:.2f}" for what, count in counts.items()) + "\n"
    for name in wrong:
        text += f"    {name}: its own counters say otherwise\n"
    text += "\nAll figures of this boot:\n"
    for name, figure in sorted(found.items()):
        has = {what: number(value(figure, what), "-") for what in UNITS}
        text += "{:<32}".format(name)
        if has["B"] != "-" and "ns" not in figure:
            text += " {:>10} B a channel\n".format(has["B"])
        elif "messages" in figure or "bytes" in figure:
            text += " {us:>10} us {rate:>10} 1/s {MB:>10} MB/s".format(**has)
            text += " {jain:>10} Jain\n".format(**has) if has["jain"] != "-" else "\n"
        else:
            text += " {:>10} events a second\n".format(has["events"])
    return text


def plot_data(made, folder):
    """A line a row: number, title, the ratio as "better is more", the limit in the same way."""
    with open(os.path.join(folder, "ratios.dat"), "w", encoding="ascii") as file:
        for i, row in enumerate(r for r in made if r["ratio"]):
            sense, bound = row["to_reach"].split()
            less = sense == "<="
            file.write('{} "{}" {:.4f} {:.4f}\n'.format(
                -i, row["workload"], 1 / row["ratio"] if less else row["ratio"],
                1 / float(bound) if less else float(bound)))


def main(rows, console, folder):
    found, calls = figures(console, "figure"), hypercalls(console)
    made, how = compare(rows, found), measured(console)
    # Of PVH domains, as a host may have, Xen traces no hypercalls.
    wrong = disagree(found, calls) if how == VIRTUAL else []
    with open(os.path.join(folder, "bench.json"), "w", encoding="ascii") as file:
        json.dump({"measured": how, "rows": made, "figures": found, "hypercalls": calls}, file, indent=1)
        file.write("\n")
    text = table(made, found, calls, how, wrong)
    with open(os.path.join(folder, "table.txt"), "w", encoding="ascii") as file:
        file.write(text)
    print(text, end="")
    plot_data(made, folder)
    failed = sum(bool(row["failed"]) for row in made) + len(wrong)
    print(f"bench: {len(made) + len(wrong) - failed} measured, {failed} failed, "
          f"{sum(row['met'] is True for row in made)} met")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
