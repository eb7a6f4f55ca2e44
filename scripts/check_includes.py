#!/usr/bin/env python3
"""Fails when a folder includes one that stands below it in the layering, or names a torch header.

The order is the architecture (docs/architecture.md): a folder may include itself and folders above it.
Everything above `tensor` builds without LibTorch; only assay/tensor/ names torch headers.
"""
import pathlib
import re
import sys

LAYERS = ["core", "stats", "noise", "store", "law", "report", "schedule",
          "tensor", "data", "model", "objective", "train", "measure", "study"]
TORCH_FREE = set(LAYERS[:LAYERS.index("tensor")])
# Folders inside a layer that stand in an order too.
WITHIN = {"law": ["numeric", "table", "forms", "fit", "intervals", "validation", "fitted", "shared", "study",
                  "drivers", "plan"]}
# Folders with a rule of their own: the World's renderer lies in data/ but needs no tensor.
SPECIAL = {"assay/data/world": {"core", "noise", "data/world"},
           "apps/assay": TORCH_FREE,
           "apps/assay-worker": set(LAYERS)}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
TORCH_HEADER = re.compile(r"^(torch|ATen|c10|caffe2)/")


def allowed(folder: str) -> set[str]:
    for prefix, names in SPECIAL.items():
        if folder == prefix or folder.startswith(prefix + "/"):
            return names
    layer = folder.split("/")[1]
    return set(LAYERS[:LAYERS.index(layer) + 1]) if layer in LAYERS else set()


def stands_below(folder: str, target: str) -> bool:
    """Does `target` come after `folder` in the order inside their layer?"""
    (_, layer, *own), (other, *theirs) = folder.split("/"), target.split("/")
    order = WITHIN.get(layer) if layer == other else None
    return bool(order and own and theirs) and order.index(theirs[0]) > order.index(own[0])


def violations(root: pathlib.Path) -> list[str]:
    found = []
    for path in sorted([*root.glob("assay/**/*.h"), *root.glob("assay/**/*.cpp"),
                        *root.glob("apps/**/*.h"), *root.glob("apps/**/*.cpp")]):
        folder = path.parent.relative_to(root).as_posix()
        permitted = allowed(folder)
        for bracket, name in INCLUDE.findall(path.read_text()):
            where = f"{path.relative_to(root)}: includes {name}"
            if TORCH_HEADER.match(name) and not folder.startswith("assay/tensor"):
                found.append(f"{where}: only assay/tensor/ names torch headers")
            if bracket == '"' and name.startswith("assay/"):
                target = "/".join(name.split("/")[1:-1])
                if target.split("/")[0] not in permitted and target not in permitted:
                    found.append(f"{where}: {folder} may include only {', '.join(sorted(permitted))}")
                elif folder.startswith("assay/") and stands_below(folder, target):
                    found.append(f"{where}, which stands below {folder}")
    return found


def main() -> int:
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    found = violations(root)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
