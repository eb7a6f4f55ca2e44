# assay measure drive: branches of a trained trial, which stays as it was.
import json
import shutil
import subprocess

import pytest

from conftest import assert_same_files

STUDY = """
[study]
name = "small"

[data.world]
kind = "world"

[model]
width = 16
depth = 1
heads = 2
patch = 8

[train]
budget = { steps = 40 }
batch = 16
microbatch = 8

[[objective]]
preset = "mae"

[measure]
at = [0.5, 1]
heldout_loss = { examples = 64 }
objective_snr = false
collapse = false
probe = false
"""
SMALL = ["--branches", "2", "--steps", "5", "--images", "60", "--probe-images", "120", "--factors", "shape,x",
         "--attribution-images", "16"]


@pytest.fixture(scope="module")
def trained(assay, real_worker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drive")
    (folder / "small.toml").write_text(STUDY)
    done = subprocess.run([assay, "run", "small.toml", "-o", "out", "--no-progress"], cwd=folder, env=real_worker,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def measure(assay, worker, folder, *arguments):
    return subprocess.run([assay, *arguments], cwd=folder, env=worker, capture_output=True, text=True, timeout=300)


def test_branches_are_recorded_and_the_trial_stays(assay, real_worker, trained, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder)
    done = measure(assay, real_worker, folder, "measure", "drive", "out/mae", *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    step = json.loads(done.stdout)["trials"][0]["steps"][0]
    assert step["step"] == 20  # the last snapshot that leaves room for five steps
    quantities = {m["quantity"] for m in step["measurements"]}
    assert {"gain_bits", "useful_rate", "useful_snr", "null_gain_bits", "attribution_bits", "drift_snr"} <= quantities
    assert step["measuring"][0]["measuring_flops"] > 2 * 5 * 16
    kept = list(folder.rglob("measures.jsonl"))
    assert len(kept) == 1
    lines = [json.loads(line) for line in kept[0].read_text().splitlines()]
    assert [m for m in lines if m["kind"] == "measurement"] == step["measurements"]
    kept[0].unlink()
    assert_same_files(trained / "out", folder / "out")


def test_no_bit_depends_on_threads(assay, real_worker, trained, tmp_path):
    answers = []
    for threads in ("1", "2"):
        folder = tmp_path / threads
        shutil.copytree(trained, folder)
        done = measure(assay, real_worker, folder, "measure", "drive", "out/mae", *SMALL, "--threads", threads, "--json")
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout)["trials"][0]["steps"])
    assert answers[0] == answers[1]


def test_another_objective_branches_from_the_same_trunk(assay, real_worker, trained, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(trained, folder)
    done = measure(assay, real_worker, folder, "measure", "drive", "out/mae", *SMALL, "--objective", "vicreg",
                   "--head-steps", "3")
    assert done.returncode == 0, done.stderr
    assert "2 branches of 5 steps of vicreg" in done.stdout
    for part in ("vicreg.variance", "momentum", "weight decay", "all parts"):
        assert part in done.stdout, done.stdout


@pytest.mark.parametrize("arguments, words", [
    (["--at", "40"], "0 steps left"),
    (["--at", "7"], "20"),
    (["--objective", "mea"], "mae"),
    (["--steps", "100"], "no snapshot with 100 steps"),
    (["--factors", "colour"], "shape"),
])
def test_what_cannot_be_done_says_why(assay, real_worker, trained, arguments, words):
    others = [(name, value) for name, value in zip(SMALL[::2], SMALL[1::2]) if name not in arguments]
    done = measure(assay, real_worker, trained, "measure", "drive", "out/mae", *sum(others, ()), *arguments)
    assert done.returncode != 0
    assert "error[" in done.stderr and words in done.stderr, done.stderr
    assert not list(trained.rglob("measures.jsonl"))
