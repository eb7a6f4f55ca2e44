# Files that NumPy itself writes, from `assay check` and `assay run` with the real worker.
import json
import struct
import subprocess

import numpy
import pytest

STUDY = """
[study]
name = "digits"
[data.digits]
kind = "arrays"
{data}
[model]
width = 16
depth = 1
heads = 2
patch = 4
[train]
budget = {{ steps = 4 }}
batch = 16
[[objective]]
preset = "mae"
[measure]
at = [1]
heldout_loss = {{ examples = 32 }}
objective_snr = {{ units = 8, level_units = 8, band_units = 8 }}
probe = {{ train = 200, validation = 50, test = 50 }}
"""
FILES = "path = 'train.npy'\nheldout = 'heldout.npy'\n"


def images(seed, shape=(64, 8, 8), dtype=numpy.uint8):
    return numpy.random.default_rng(seed).integers(0, 256, shape).astype(dtype)


@pytest.fixture
def call(assay, real_worker, tmp_path):
    """call("check", data) -> CompletedProcess; `data` is what stands below `kind`."""
    numpy.save(tmp_path / "train.npy", images(0, (400, 8, 8)))
    numpy.save(tmp_path / "heldout.npy", images(1, (400, 8, 8)))

    def run(command, data, *more):
        (tmp_path / "study.toml").write_text(STUDY.format(data=data))
        return subprocess.run([assay, command, "study.toml", *more], cwd=tmp_path, env=real_worker, text=True,
                              capture_output=True, timeout=120)

    return run


def test_grey_images_with_labels_train_and_are_probed(call, tmp_path):
    for name in ("train", "heldout"):
        numpy.save(tmp_path / f"{name}_labels.npy", numpy.arange(400) % 4)
    done = call("run", FILES + "labels = 'train_labels.npy'\nheldout_labels = 'heldout_labels.npy'", "-o", "out")
    assert done.returncode == 0, done.stderr
    (records,) = (tmp_path / "out").glob("trials/*/records.jsonl")
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    assert any("probe" in json.dumps(line) and "class" in json.dumps(line) for line in lines)


def write_safetensors(path, **arrays):
    """As in the description of the format, by hand: the package is no dependency."""
    header, data = {}, b""
    for name, array in arrays.items():
        dtype = {"uint8": "U8", "float32": "F32", "int64": "I64"}[array.dtype.name]
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_every_form_is_accepted(call, tmp_path):
    for dtype, more in (("uint8", ""), ("float32", "range = [0, 255]\n")):
        for shape in ((64, 8, 8), (64, 8, 8, 3), (64, 3, 8, 8)):
            for version in ((1, 0), (2, 0), (3, 0)):
                with open(tmp_path / "train.npy", "wb") as file:
                    numpy.lib.format.write_array(file, images(0, shape, dtype), version=version)
            done = call("check", FILES + more)
            assert done.returncode == 0, done.stderr
            write_safetensors(tmp_path / "train.safetensors", images=images(0, shape, dtype), labels=numpy.arange(64))
            done = call("check", "path = 'train.safetensors'\nheldout = 'heldout.safetensors'\n" + more)
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("array, code, words, remedy", [
    (numpy.asfortranarray(images(0)), "data.layout", "Fortran order", "np.ascontiguousarray"),
    (images(0).astype(">f4"), "data.dtype", "big-endian", "newbyteorder"),
    (images(0).astype(numpy.float64), "data.dtype", "'<f8'", "astype(np.float32)"),
    (images(0).astype(numpy.int16), "data.dtype", "int16", "astype(np.float32)"),
    (numpy.array([images(0), None], dtype=object), "data.dtype", "pickled", "np.stack"),
    (numpy.zeros(4, dtype=[("x", "<f4"), ("y", "u1")]), "data.dtype", "records", "each field"),
    (images(0, (64, 8, 10)), "data.layout", "8 × 10 are not square", "crop or pad"),
])
def test_what_numpy_can_write_and_assay_cannot_use(call, tmp_path, array, code, words, remedy):
    numpy.save(tmp_path / "train.npy", array, allow_pickle=True)
    done = call("check", FILES)
    assert done.returncode != 0
    assert done.stderr.startswith(f"error[{code}]: ") and "train.npy" in done.stderr
    assert words in done.stderr and remedy in done.stderr


def test_npz_and_cut_files(call, tmp_path):
    whole = (tmp_path / "train.npy").read_bytes()
    (tmp_path / "train.npy").write_bytes(whole[:-1])
    assert "error[data.truncated]" in call("check", FILES).stderr
    with open(tmp_path / "train.npy", "wb") as file:
        numpy.savez(file, a=images(0))
    done = call("check", FILES)
    assert "error[data.format]" in done.stderr and ".npz" in done.stderr
