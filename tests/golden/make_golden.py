#!/usr/bin/env python
"""Writes golden.json, or with --check compares it with a fresh computation.

The values come from published formulas in PyTorch's float64, never from Assay's own code.
"""

import argparse
import json
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bands  # noqa: E402
import bound  # noqa: E402
import diffusion  # noqa: E402
import latent_variable  # noqa: E402
import metrics  # noqa: E402
import regularisers  # noqa: E402
import views  # noqa: E402
import weights  # noqa: E402

FILE = pathlib.Path(__file__).with_name("golden.json")
MODULES = (metrics, views, regularisers, latent_variable, diffusion, bound, bands, weights)
TOLERANCE = 1e-6


def compute():
    """All cases, in the order of the modules."""
    torch.set_default_dtype(torch.double)
    entries = [entry for module in MODULES for entry in module.cases()]
    names = [entry["name"] for entry in entries]
    if len(set(names)) != len(names):
        raise ValueError("two cases share a name")
    return entries


def text_of(entries):
    """One line per tensor, so that a change shows as such in a diff."""
    def table(values):
        rows = [f"      {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"
                for key, value in values.items()]
        return "{\n" + ",\n".join(rows) + "\n    }" if rows else "{}"

    blocks = []
    for entry in entries:
        fields = [f"    {json.dumps(key)}: "
                  + (table(value) if isinstance(value, dict)
                     else json.dumps(value, ensure_ascii=False))
                  for key, value in entry.items()]
        blocks.append("  {\n" + ",\n".join(fields) + "\n  }")
    return "[\n" + ",\n".join(blocks) + "\n]\n"


def differences(fresh, stored):
    """Lines that say where two lists of cases differ by more than the tolerance."""
    new, old = ({entry["name"]: entry for entry in entries} for entries in (fresh, stored))
    found = [f"{name}: only in one of the two" for name in new.keys() ^ old.keys()]
    for name in new.keys() & old.keys():
        for part in ("source", "formula", "options"):
            if new[name][part] != old[name][part]:
                found.append(f"{name}: {part} differs")
        for part in ("inputs", "expected"):
            a, b = new[name][part], old[name][part]
            found += [f"{name}.{part}.{key}: only in one of the two" for key in a.keys() ^ b.keys()]
            found += [f"{name}.{part}.{key}: differs" for key in a.keys() & b.keys()
                      if not _close(a[key], b[key])]
    return sorted(found)


def _close(a, b):
    """Relative to the largest number of the tensor, since sums leave tiny remainders near zero."""
    if a["shape"] != b["shape"] or len(a["data"]) != len(b["data"]):
        return False
    scale = max((abs(number) for number in b["data"]), default=0.0)
    return all(abs(x - y) <= TOLERANCE * max(abs(y), 1e-6 * scale) + 1e-13
               for x, y in zip(a["data"], b["data"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    fresh = compute()
    if not parser.parse_args().check:
        FILE.write_text(text_of(fresh), encoding="utf-8")
        return 0
    found = differences(fresh, json.loads(FILE.read_text(encoding="utf-8")))
    print("\n".join(found) or f"{len(fresh)} cases agree to {TOLERANCE:g}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
