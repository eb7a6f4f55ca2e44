# The files of a study, read by nothing but Python's own libraries: what others may rely on.
import json
import math
import os
import pathlib
import struct
import subprocess

import pytest

np = pytest.importorskip("numpy")

TYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "U8": "u1"}
STUDY = """
[study]
name = "formats"
[data.scenes]
kind = "world"
examples = 2000
heldout = 2000
[model]
width = 32
depth = 2
heads = 2
[train]
budget = { steps = 10 }
batch = 16
[[objective]]
preset = "mae"
[measure]
at = [0, 1]
objective_snr = { units = 8, level_units = 8, band_units = 8 }
probe = { train = 100, validation = 40, test = 60, attentive_steps = 20 }
"""


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert (8 + length) % 8 == 0, "tensors start aligned"
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    body = data[8 + length :]
    tensors, covered = {}, 0
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        assert begin == covered
        covered = end
        tensors[name] = np.frombuffer(body[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    assert covered == len(body)
    return tensors, metadata


@pytest.fixture(scope="module")
def trial(assay, real_worker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    (folder / "study.toml").write_text(STUDY)
    done = subprocess.run([assay, "run", "study.toml", "-o", "out"], cwd=folder, env=real_worker, text=True,
                          capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return next((folder / "out/trials").iterdir())


def test_json_files(trial):
    study = json.loads((trial.parents[1] / "study.json").read_text())
    assert study["format"] == 1 and study["trials"][0]["id"] == trial.name
    assert json.loads((trial / "config.json").read_text()) == study["trials"][0]["config"]
    assert json.loads((trial / "outcome.json").read_text()) == {"status": "completed", "reason": "", "step": 10}
    assert os.path.getsize(trial / ".lock") == 0


def test_records(trial):
    text = (trial / "records.jsonl").read_text()
    assert text.endswith("\n")
    kinds = set()
    for line in text.splitlines():
        record = json.loads(line)
        kinds.add(record["kind"])
        if record["kind"] == "measurement":
            assert {"meter", "quantity", "unit", "step", "value", "n", "method"} <= record.keys()
    assert {"step", "measurement", "ledger"} <= kinds


def test_checkpoint(trial):
    tensors, metadata = read_safetensors(trial / "checkpoint.safetensors")
    assert tensors and all(math.prod(tensor.shape) == tensor.size for tensor in tensors.values())
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())
    assert all(isinstance(value, str) for value in metadata.values())
    for snapshot in (trial / "snapshots").iterdir():
        read_safetensors(snapshot)
