# `assay list` with the real worker: parts, presets as TOML, and the documentation that is made of them.
import json
import os
import subprocess
import sys
import tomllib

import pytest

from conftest import BIN, ROOT

SLOTS = ["views", "corrupt", "law", "predict", "target", "metric", "weight", "regularise"]


@pytest.fixture
def listed(assay, real_worker, tmp_path):
    """listed("parts", "mask") -> CompletedProcess with the real worker."""

    def call(*arguments):
        return subprocess.run([assay, "list", *arguments], cwd=tmp_path, capture_output=True, text=True,
                              timeout=60, env=real_worker)

    return call


def without_nulls(value):
    if not isinstance(value, dict):
        return value
    return {key: without_nulls(item) for key, item in value.items() if item is not None}


def test_parts_are_grouped_by_slot(listed):
    parts = json.loads(listed("parts", "--json").stdout)
    assert list(dict.fromkeys(part["slot"] for part in parts)) == SLOTS
    text = listed("parts").stdout
    headings = [line.split(":")[0] for line in text.splitlines() if ":" in line and line[0].isalpha()]
    assert headings[:len(SLOTS)] == SLOTS
    for part in parts:
        assert part["summary"] and part["formula"] and f"\n  {part['name']} " in text
        for option in part["options"]:
            assert option["help"] and (option.get("required") or "default" in option)


def test_a_slot_or_a_part_in_full(listed):
    laws = listed("parts", "law").stdout
    assert "cosine: " in laws and "log-normal: " in laws and "vicreg" not in laws
    level = listed("part", "level").stdout
    assert "a part of slot law" in level and '{ kind = "logit-normal" }' in level
    assert "in [0, 1)" in level  # the range of drop_ratio
    wrong = listed("part", "levle")
    assert wrong.returncode == 2 and "did you mean `level`?" in wrong.stderr


@pytest.mark.parametrize("kind", ["datasets", "meters"])
def test_other_lists_have_options_with_help(listed, kind):
    for entry in json.loads(listed(kind, "--json").stdout):
        assert entry["summary"] and f"{entry['name']} " in listed(kind).stdout
        assert all(option["help"] for option in entry["options"])


def test_presets_say_what_they_cost(listed):
    presets = {preset["name"]: preset for preset in json.loads(listed("presets", "--json").stdout)}
    assert presets.keys() == {path.stem for path in (ROOT / "presets").glob("*.toml")}
    for name, preset in presets.items():
        assert preset["summary"] and preset["source"], name
        assert preset["costs"]["relative_flops"] > 0 and preset["costs"]["head_over_trunk"] > 0
    assert presets["token"]["needs"] == "text" and presets["mae"]["needs"] == "images"
    # Three quarters of 64 patches of 4·4·3 numbers.
    assert presets["mae"]["costs"]["targets_per_example"] == {"pixels": 48 * 48}
    assert presets["mae"]["costs"]["relative_flops"] < 1 < presets["denoise"]["costs"]["relative_flops"]
    assert presets["simclr"]["costs"]["coupled"] and not presets["mae"]["costs"]["coupled"]


@pytest.mark.parametrize("name", ["mae", "denoise", "lejepa", "token"])
def test_a_preset_prints_as_complete_toml(listed, name):
    printed = listed("preset", name)
    assert printed.returncode == 0, printed.stderr
    described = json.loads(listed("preset", name, "--json").stdout)[0]
    assert tomllib.loads(printed.stdout) == without_nulls(described["composition"])
    for formula in described["formulas"].values():
        assert formula in printed.stdout
    assert "couples the examples of a batch: " in printed.stdout


def test_what_is_printed_is_an_objective(assay, real_worker, listed, tmp_path):
    text = listed("preset", "masked-denoise").stdout.replace("[term.", "[objective.term.")
    (tmp_path / "study.toml").write_text(
        f'[study]\nname = "printed"\n[train]\nbudget = {{ steps = 2 }}\n[[objective]]\nname = "mine"\n{text}')
    done = subprocess.run([assay, "check", "study.toml"], cwd=tmp_path, capture_output=True, text=True,
                          timeout=60, env=real_worker)
    assert done.returncode == 0, done.stderr


def test_documentation_is_up_to_date(assay, real_worker):
    done = subprocess.run([sys.executable, ROOT / "scripts" / "make_objective_docs.py", "--check"],
                          capture_output=True, text=True, env={**os.environ, "ASSAY_BIN": str(BIN)})
    assert done.returncode == 0, done.stderr
