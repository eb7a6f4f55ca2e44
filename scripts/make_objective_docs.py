#!/usr/bin/env python3
"""Writes docs/objectives.md from what the executable says of its own parts and presets.

    scripts/make_objective_docs.py            write the file
    scripts/make_objective_docs.py --check    exit 1 if the file is not what would be written

ASSAY_BIN names the folder of the executables; by default build/bin.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "objectives.md"
SLOTS = ["views", "corrupt", "predict", "target", "metric", "weight", "regularise"]

INTRODUCTION = """\
# Presets and parts

Written by `scripts/make_objective_docs.py` from `assay list presets --json` and `assay list parts --json`; a test
fails where it is out of date. [add_objective.md](add_objective.md) and [add_part.md](add_part.md) tell how to add to it.

An objective is a table of terms over one trunk, and a term has a part in each slot: the example becomes `views`;
`corrupt` gives every token a noise level σ (0 clean, ∞ masked); the trunk encodes what is left; `predict` maps its
features to a prediction; `metric` compares that with the `target`, token by token; `weight` says what each loss
counts; `regularise` adds losses that need no target. Whatever a study does not say has the default given here.
"""

PRESETS = """\
## Presets

*Passes* are the FLOPs of one training step per example (student, head, regularisers, teachers) over those of one
forward-backward pass of the trunk over all tokens of one example. *Coupled* objectives compare the examples of a
batch, so that they train without microbatches. *Head* is its parameters over those of the trunk. All figures are for
"""


def ask(kind):
    folder = pathlib.Path(os.environ.get("ASSAY_BIN", ROOT / "build" / "bin"))
    done = subprocess.run([folder / "assay", "list", kind, "--json"], check=True, capture_output=True, text=True,
                          env={**os.environ, "ASSAY_WORKER": str(folder / "assay-worker")})
    return json.loads(done.stdout)


def value(item):
    """As TOML writes it, `kind` first."""
    if isinstance(item, dict):
        keys = sorted(item, key=lambda key: (key != "kind", key))
        return "{ " + ", ".join(f"{key} = {value(item[key])}" for key in keys) + " }"
    return json.dumps(item, ensure_ascii=False)


def part_in_line(table):
    """mask (drop = true, ratio = 0.75)"""
    options = ", ".join(f"{key} = {part_in_line(item) if isinstance(item, dict) else value(item)}"
                        for key, item in sorted(table.items()) if key != "kind")
    return table["kind"] + (f" ({options})" if options else "")


def term_in_line(term):
    """What a preset says itself: its parts in the order of the slots, without defaults."""
    words = []
    for slot in SLOTS:
        table = term.get(slot)
        if table and "kind" in table:
            words.append(f"{slot} {part_in_line(table)}")
        elif table:
            words += [f"{slot} {part_in_line(part)}" for part in table.values()]
    return "; ".join(words)


def sentence(text):
    """Capital and full stop, unless it begins with a symbol."""
    return (text[0].upper() if text[1:2].islower() or text[1:2] == " " else text[0]) + text[1:] + "."


def table(header, rows):
    def line(cells):
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
    return "\n".join([line(header), "|" + "---|" * len(header), *map(line, rows)]) + "\n"


def option_rows(options, prefix=""):
    for option in options:
        default = "required" if option.get("required") else (
            f"`{value(option['default'])}`" if option.get("default") is not None else "–")
        type_and_range = " ".join(filter(None, [option["type"], option.get("range")]))
        yield [f"`{prefix}{option['name']}`", type_and_range, default, option["help"]]
        yield from option_rows(option.get("options", []), f"{prefix}{option['name']}.")


def preset_section(preset):
    costs = preset["costs"]
    units = {term: "" if unit == "1" else f" ({unit})" for term, unit in costs["units"].items()}
    targets = ", ".join(f"{count:g} of `{term}`{units[term]}"
                        for term, count in costs["targets_per_example"].items())
    lines = [f"### {preset['name']}\n", f"{sentence(preset['summary'])}\n"]
    lines += [f"- Method: {preset['source']}"] if preset["source"] else []
    for name, term in preset["given"].items():
        lines.append(f"- Term `{name}`: `{term_in_line(term)}`")
    lines.append(f"- Per example: {costs['relative_flops']:.2f} passes, {costs['tokens_per_example']} tokens through "
                 f"the trunk; targets: {targets}")
    return "\n".join(lines) + "\n"


def part_section(part):
    lines = [f"#### {part['name']}\n", f"{sentence(part['summary'])}\n", f"    {part['formula']}\n"]
    notes = ([f"Source: {part['source']}."] if part["source"] else []) + (
        [f"Needs {part['needs']}."] if part.get("needs") else [])
    if notes:
        lines.append(" ".join(notes) + "\n")
    rows = list(option_rows(part["options"]))
    if rows:
        lines.append(table(["option", "type", "default", "meaning"], rows))
    return "\n".join(lines)


def document(presets, parts):
    nominal = list(dict.fromkeys(preset["for"] for preset in presets))
    overview = [[f"[{preset['name']}](#{preset['name']})", preset["source"],
                 f"{preset['costs']['relative_flops']:.2f}", "yes" if preset["costs"]["coupled"] else "no",
                 f"{preset['costs']['head_over_trunk']:.3f}"] for preset in presets]
    text = [INTRODUCTION, PRESETS + "; or ".join(nominal) + ".\n",
            table(["preset", "equivalent method", "passes", "coupled", "head"], overview)]
    text += [preset_section(preset) for preset in presets]
    text.append("## Parts\n")
    slot = None
    for part in parts:
        if part["slot"] != slot:
            slot = part["slot"]
            text.append(f"### Slot `{slot}`\n\n{sentence(part['slot_summary'])}\n")
        text.append(part_section(part))
    return "\n".join(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    text = document(ask("presets"), ask("parts"))
    if not check:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        sys.exit(f"{FILE.relative_to(ROOT)} is out of date: run scripts/make_objective_docs.py")


if __name__ == "__main__":
    main()
