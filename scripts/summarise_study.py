#!/usr/bin/env python3
"""A study as Markdown tables, from `assay report DIR --json`: for docs/validation/.

    scripts/summarise_study.py runs/natural
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def number(value):
    return "–" if value is None else f"{value:.3g}"


def interval(mark):
    if mark["value"] is None:
        return mark.get("note") or "missing"
    if mark.get("low") is None or mark.get("high") is None:
        return number(mark["value"])
    return f"{number(mark['value'])} [{number(mark['low'])}, {number(mark['high'])}]"


def print_figure(figure):
    print(f"### {figure['title']}\n")
    for panel in figure["panels"]:
        by_flops = not panel["categories"]
        print(f"{panel['title']} ({panel['y_title']})\n")
        for series in panel["series"]:
            cells = [f"{m['x']:.3g} FLOP: {interval(m)}" if by_flops else f"{m['x']}: {interval(m)}"
                     for m in series["marks"]]
            print(f"- {series['label']}: " + "; ".join(cells))
        print()


def print_table(table):
    print(f"### {table['title']}\n")
    print("| " + " | ".join(table["columns"]) + " |")
    print("|" + "---|" * len(table["columns"]))
    for row in table["rows"]:
        print("| " + " | ".join(cell["text"] for cell in row) + " |")
    print()


def main():
    folder = sys.argv[1]
    program = ROOT / "build" / "bin" / "assay"
    report = json.loads(subprocess.run([program, "report", folder, "--json"], check=True,
                                       capture_output=True, text=True).stdout)
    print(f"## Study `{report['study']['name']}`\n\n{report['study']['question']}\n")
    for sentence in report["verdict"]["sentences"]:
        print(f"- {sentence}")
    print()
    for figure in report["figures"]:
        if figure["id"] in ("outcome", "gain", "snr", "share", "loss"):
            print_figure(figure)
    for table in report["tables"]:
        if table["id"] in ("variance", "cost"):
            print_table(table)
    print("### Limits\n")
    for sentence in report["limits"]:
        print(f"- {sentence}")


if __name__ == "__main__":
    main()
