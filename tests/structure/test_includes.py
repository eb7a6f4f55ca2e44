"""The layering holds, and the check that says so can fail."""
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = ROOT / "scripts" / "check_includes.py"


def run(root):
    return subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)


def test_layering_holds():
    result = run(ROOT)
    assert result.returncode == 0, result.stdout


def test_upward_include_is_caught(tmp_path):
    folder = tmp_path / "assay" / "stats"
    folder.mkdir(parents=True)
    (folder / "wrong.h").write_text('#include "assay/train/trainer.h"\n')
    result = run(tmp_path)
    assert result.returncode == 1
    assert "assay/stats/wrong.h: includes assay/train/trainer.h" in result.stdout


def test_upward_include_inside_a_layer_is_caught(tmp_path):
    folder = tmp_path / "assay" / "law" / "fit"
    folder.mkdir(parents=True)
    (folder / "wrong.h").write_text('#include "assay/law/intervals/bootstrap.h"\n')
    result = run(tmp_path)
    assert result.returncode == 1
    assert "assay/law/fit/wrong.h: includes assay/law/intervals/bootstrap.h, which stands below" in result.stdout


def test_torch_header_outside_tensor_is_caught(tmp_path):
    folder = tmp_path / "assay" / "model"
    folder.mkdir(parents=True)
    (folder / "wrong.cpp").write_text("#include <torch/nn.h>\n")
    result = run(tmp_path)
    assert result.returncode == 1
    assert "only assay/tensor/ names torch headers" in result.stdout


def test_world_renderer_stays_free_of_tensors(tmp_path):
    folder = tmp_path / "assay" / "data" / "world"
    folder.mkdir(parents=True)
    (folder / "wrong.cpp").write_text('#include "assay/data/dataset.h"\n')
    assert run(tmp_path).returncode == 1


TABLES = {"data": r"^DatasetEntry (\w+)_dataset\(\)", "measure": r"^MeterEntry (\w+)\(\)",
          "objective": r"^PartEntry<\w+> (\w+)\(\)"}


@pytest.mark.parametrize("folder", TABLES)
def test_no_component_is_left_out_of_its_table(folder):
    """A file without its line in builtin.def would silently not exist for users and tests."""
    lines = re.findall(r"^ASSAY_\w+\(([^)]*)\)", (ROOT / "assay" / folder / "builtin.def").read_text(), re.M)
    # ASSAY_PART(Corrupt, corrupt, mask) names corrupt_mask(); the others name one function.
    listed = ["_".join(line.split(", ")[-2:]) for line in lines]
    defined = [name for path in (ROOT / "assay" / folder).glob("**/*.cpp")
               for name in re.findall(TABLES[folder], path.read_text(), re.M)]
    assert sorted(listed) == sorted(defined) and defined
