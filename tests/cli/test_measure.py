# assay measure: figures that agree with the meter and with NumPy, stops as asked, and leaves training files alone.
import json
import pathlib
import re
import resource
import signal
import subprocess
import time

import numpy
import pytest

from conftest import ROOT, files_of

STUDY = """
[study]
name = "measured"

[data.scenes]
kind = "world"
examples = 2000
heldout = 500

[model]
width = 16
depth = 2
heads = 2

[train]
budget = { steps = 40 }
batch = 16

[[objective]]
preset = "denoise"

[[objective]]
preset = "simclr"

[measure]
at = [0, 0.5, 1]
objective_snr = { units = 16, examples_per_unit = 2, level_units = 0, band_units = 0 }
probe = false
collapse = false
"""
BLOCK = ["--units", "16", "--examples", "2"]
PILOT = [*BLOCK, "--of", "share", "--half-width", "100"]  # any share that is resolved is precise enough
NARROW = [*BLOCK, "--of", "share", "--half-width", "0.2", "--budget", "100"]
RESULTS = re.compile(r"measures\.jsonl$")


@pytest.fixture(scope="module")
def trained(assay, real_worker, tmp_path_factory):
    home = tmp_path_factory.mktemp("measure")
    (home / "study.toml").write_text(STUDY)
    done = subprocess.run([assay, "run", "study.toml", "-o", "study", "--no-progress"], cwd=home, env=real_worker,
                          capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "study"


@pytest.fixture
def measure(assay, real_worker, trained):
    """measure("snr", …) -> CompletedProcess, in the folder that holds `study`; its results are taken away after."""

    def call(*arguments, **options):
        return subprocess.run([assay, "measure", *map(str, arguments)], cwd=trained.parent, env=real_worker,
                              capture_output=True, text=True, timeout=250, **options)

    yield call
    for path in trained.rglob("measures.jsonl"):
        path.unlink()


def document(process):
    assert process.returncode == 0, process.stdout + process.stderr
    return json.loads(process.stdout)


def folder_of(study, name):
    for path in study.glob("trials/*/config.json"):
        if json.loads(path.read_text())["name"] == name:
            return path.parent
    raise AssertionError(name)


def value(step, quantity, **labels):
    labels = {"group": "trunk", "metric": "euclidean", "weights": "averaged", **labels}
    found = [m for m in step["measurements"] if m["quantity"] == quantity and m["labels"] == labels]
    assert len(found) == 1, (quantity, labels, len(found))
    return found[0]


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


# H0: meter and command are one estimator on one set of draws; then the first block gives the meter's own records,
# at every step and for both weights.
def test_the_first_block_is_what_the_meter_recorded(measure, trained):
    answer = document(measure("snr", "study/denoise", *PILOT, "--at", "all", "--weights", "averaged,live", "--json"))
    recorded = {(m["step"], m["quantity"], *sorted(m["labels"].items())): m["value"]
                for m in lines_of(folder_of(trained, "denoise") / "records.jsonl")
                if m["kind"] == "measurement" and m["meter"] == "objective_snr"}
    steps = answer["trials"][0]["steps"]
    assert [step["step"] for step in steps] == [0, 20, 40]
    compared = 0
    for step in steps:
        assert all(cost["blocks"] == 1 for cost in step["measuring"])
        for m in step["measurements"]:
            assert m["value"] == recorded[(step["step"], m["quantity"], *sorted(m["labels"].items()))]
            compared += 1
    assert compared > 100


def test_training_files_are_read_only_and_the_report_takes_the_results(measure, trained, assay, real_worker):
    before = files_of(trained)
    answer = document(measure("snr", "study/denoise", *NARROW, "--json"))
    after = {name: data for name, data in files_of(trained).items() if not RESULTS.search(name)}
    assert after == before
    results = lines_of(folder_of(trained, "denoise") / "measures.jsonl")
    step = answer["trials"][0]["steps"][0]
    assert results == step["measurements"] + step["measuring"]
    report = subprocess.run([assay, "report", "study", "--json"], cwd=trained.parent, env=real_worker, text=True,
                            capture_output=True, timeout=60)
    assert report.returncode == 0, report.stderr
    expected = value(step, "objective_share")["value"]
    assert re.search(rf"\b{re.escape(repr(expected)[:9])}", report.stdout), "the report shows the meter's value"


# H0: both estimate one SNR; 16 units give intervals that overlap unless the two differ by more than both widths.
def test_one_draw_gives_the_total_at_half_the_cost(measure):
    plan = ["--units", "16", "--examples", "4", "--half-width", "100", "--json"]
    once, twice = (document(measure("snr", "study/denoise", *plan, "--draws", draws))["trials"][0]["steps"][0]
                   for draws in ("1", "2"))
    assert 2 * once["measuring"][0]["measuring_flops"] == twice["measuring"][0]["measuring_flops"]
    quantities = {m["quantity"] for m in once["measurements"]}
    assert "snr_per_example" in quantities and not quantities & {"objective_share", "data_variance", "headroom"}
    a, b = value(once, "snr_per_example"), value(twice, "snr_per_example")
    assert a["low"] <= b["high"] and b["low"] <= a["high"]
    text = measure("snr", "study/denoise", *plan[:-1], "--draws", "1")
    assert text.returncode == 0 and "–" in text.stdout, text.stdout + text.stderr


def test_patterns_split_the_objectives_variance(measure):
    step = document(measure("snr", "study/denoise", *PILOT, "--patterns", "2", "--json"))["trials"][0]["steps"][0]
    parts = [value(step, quantity)["value"] for quantity in ("level_variance", "pattern_variance")]
    assert sum(parts) == pytest.approx(value(step, "objective_variance")["value"])
    assert value(step, "level_share")["value"] == pytest.approx(parts[0] / value(step, "total_variance")["value"])
    plain = document(measure("snr", "study/denoise", *PILOT, "--json"))["trials"][0]["steps"][0]
    assert step["measuring"][0]["measuring_flops"] == 2 * plain["measuring"][0]["measuring_flops"]
    text = measure("snr", "study/denoise", *PILOT, "--patterns", "2")
    assert "share of levels" in text.stdout
    for options in (["--patterns", "0"], ["--patterns", "2", "--draws", "1"]):
        refused = measure("snr", "study/denoise", *BLOCK, *options)
        assert refused.returncode == 2 and "error[usage.plan]" in refused.stderr


# A trial less itself is nothing, exactly; two steps of it are one objective, so that |G|² and tr Σ are compared too;
# a coupled objective is compared in units of its batch, once they are asked for.
def test_differences_are_of_pairs(measure, trained):
    def difference(*arguments):
        return document(measure("difference", *arguments, *BLOCK, "--json"))["trials"][0]["steps"][0]

    first = {"with": "denoise, step 40"}
    for quantity in ("snr", "share", "signal", "total_variance"):
        nothing = value(difference("study/denoise", "study/denoise"), f"{quantity}_difference", **first)
        assert nothing["value"] == nothing["low"] == nothing["high"] == 0
    step = difference("study/denoise", "study/denoise", "--second-at", "0")
    alone = document(measure("snr", "study/denoise", *PILOT, "--json"))["trials"][0]["steps"][0]
    snr = value(step, "snr_difference", **{"with": "denoise, step 0"})
    assert snr["low"] <= snr["value"] <= snr["high"] < 0, "signal is loudest at initialisation"
    assert snr["value"] < value(alone, "snr_per_example")["value"]
    assert step["measuring"][0]["measuring_flops"] == 2 * alone["measuring"][0]["measuring_flops"]

    refused = measure("difference", "study/denoise", "study/simclr", *BLOCK)
    assert refused.returncode == 2 and "error[usage.pairs]" in refused.stderr and "--examples 16" in refused.stderr
    said = measure("difference", "study/denoise", "study/simclr", "--units", "8", "--examples", "16")
    assert said.returncode == 0 and "simclr, step 40" in said.stdout and "signal" not in said.stdout
    lines = lines_of(folder_of(trained, "denoise") / "measures.jsonl")
    assert lines[-1]["command"] == "difference"


def test_goes_on_until_the_interval_is_narrow_enough(measure):
    text = measure("snr", "study/denoise", *NARROW)
    assert text.returncode == 0 and "as asked" in text.stdout, text.stdout + text.stderr
    step = document(measure("snr", "study/denoise", *NARROW, "--json"))["trials"][0]["steps"][0]
    cost = step["measuring"][0]
    share = value(step, "objective_share")
    assert cost["stopped_by"] == "half_width" and cost["half_width"] <= 0.2
    assert (share["high"] - share["low"]) / 2 / share["value"] == pytest.approx(cost["half_width"])
    assert share["n"] == cost["blocks"] * 16 * 2 and cost["blocks"] > 1


def test_says_what_ended_it(measure):
    tight = ["snr", "study/denoise", *BLOCK, "--half-width", "0.0001", "--json"]
    step = document(measure(*tight))["trials"][0]["steps"][0]
    cost = step["measuring"][0]
    assert cost["stopped_by"] == "budget"
    assert "budget ended it" in value(step, "signal")["note"]
    one_block = cost["measuring_flops"] / cost["blocks"]
    more = document(measure(*tight, "--budget", 5.5 * one_block / 1e9))["trials"][0]["steps"][0]["measuring"][0]
    assert more["blocks"] == 5 and more["measuring_flops"] <= 5.5 * one_block
    everything = document(measure(*tight, "--budget", "1e6"))["trials"][0]["steps"][0]["measuring"][0]
    assert everything["stopped_by"] == "data" and everything["blocks"] == 2000 // 32
    refused = measure(*tight, "--budget", one_block / 2e9)
    assert refused.returncode == 2 and "usage.budget" in refused.stderr


def test_levels_bands_and_layers(measure):
    answer = document(measure("snr", "study/denoise", *PILOT, "--by", "level,band,layer,function", "--json"))
    step = answer["trials"][0]["steps"][0]
    labels = [m["labels"] for m in step["measurements"] if m["quantity"] == "snr_per_example"]
    assert [one["group"] for one in labels if one["metric"] == "function"] == ["trunk"]
    assert {"trunk", "head", "layer.0", "layer.1"} <= {one["group"] for one in labels if one.get("level") == "0"}
    assert any("band" in one and one["group"] == "layer.1" for one in labels)
    abouts = [cost["about"] for cost in step["measuring"]]
    assert abouts[0] == "whole" and "level 0" in abouts
    assert abouts[-3:] == ["bands", "levels side by side", "function space"]
    stands = [m for m in step["measurements"] if m["quantity"] == "signal_product" and m["labels"]["with"] == "whole"]
    assert {"0", "7"} <= {m["labels"].get("level") for m in stands} and any("band" in m["labels"] for m in stands)
    table = measure("snr", "study/denoise", *PILOT, "--by", "level,function").stdout
    assert "trunk level 0" in table and "layer.0" not in table and "trunk in function space" in table
    assert "levels side by side: one block, nothing to narrow" in table


def test_coupled_objectives_are_measured_in_training_batches(measure):
    step = document(measure("snr", "study/simclr", *BLOCK, "--by", "level,band", "--of", "share", "--half-width", "100",
                            "--json"))["trials"][0]["steps"][0]
    assert [cost["examples_per_unit"] for cost in step["measuring"]] == [16], "one aspect, units of a batch"


def test_a_study_means_its_completed_trials(measure):
    answer = document(measure("snr", "study", *PILOT, "--json"))
    assert [trial["name"] for trial in answer["trials"]] == ["denoise", "simclr"]


def numpy_lines():
    """The block of docs/objective_snr.md that recomputes the noise view."""
    text = (ROOT / "docs/objective_snr.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


# The documented NumPy against the command on the same units, in every group. Tolerance 1e-5 of tr Σ for what is a
# difference of large numbers, and relative for the others. Planted fault: units that swap two gradients.
def test_the_documented_numpy_recomputes_every_number(measure, trained, monkeypatch):
    where = trained.parent / "g.safetensors"
    meta = document(measure("gradients", "study/denoise", "--out", "g.safetensors", *BLOCK, "--json"))
    assert meta["bytes"] == where.stat().st_size and meta["units"] == 16
    step = document(measure("snr", "study/denoise", *PILOT, "--json"))["trials"][0]["steps"][0]
    monkeypatch.chdir(trained.parent)
    found = {}
    exec(numpy_lines(), found)  # noqa: S102 (the documented lines themselves)
    assert set(found["results"]) == {"trunk", "head", "layer.0", "layer.1"}
    for group, numbers in found["results"].items():
        total = value(step, "total_variance", group=group)["value"]
        for quantity, number in numbers.items():
            expected = value(step, quantity, group=group)["value"]
            scale = abs(expected) if quantity in ("objective_variance", "total_variance", "objective_share") else \
                max(abs(expected), total if quantity in ("signal", "data_variance") else 1)
            assert abs(number - expected) <= 1e-5 * scale, (group, quantity, number, expected)
    damaged = found["g"].copy()
    damaged[0, 0], damaged[1, 0] = found["g"][1, 0], found["g"][0, 0]
    unit = damaged.mean(1, keepdims=True)
    assert abs(((damaged - unit) ** 2).sum() / ((found["g"] - found["g"].mean(1, keepdims=True)) ** 2).sum() - 1) > 1e-3


def test_exported_ids_seeds_and_ranges(measure, trained):
    document(measure("gradients", "study/denoise", "--out", "g.safetensors", *BLOCK, "--draws", "3", "--json"))
    raw = (trained.parent / "g.safetensors").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])

    def tensor(name, dtype):
        begin, end = header[name]["data_offsets"]
        return numpy.frombuffer(raw[8 + length + begin:8 + length + end], dtype).reshape(header[name]["shape"])

    ids, seeds = tensor("ids", numpy.int64), tensor("draw_seeds", numpy.int64)
    assert ids.shape == (16, 2) and len(set(ids.ravel())) == 32 and 0 <= ids.min() and ids.max() < 2000
    assert seeds.shape == (16, 3) and len(set(seeds.ravel())) == 48
    meta = json.loads(header["__metadata__"]["assay"])
    size = header["gradients"]["shape"][2]
    assert meta["parameters"][0]["begin"] == 0 and meta["parameters"][-1]["end"] == size
    assert tensor("adam_weight", numpy.float32).shape == (size,)
    assert numpy.isfinite(tensor("gradients", numpy.float32)).all()


@pytest.mark.parametrize("arguments, code, words", [
    (["snr", "nowhere"], "store.read", "there is no folder"),
    (["snr", "."], "store.read", "not a study folder"),
    (["snr", "study/denoize"], "usage.unknown_name", "did you mean `denoise`?"),
    (["snr", "study/denoise", "--by", "levle"], "usage.unknown_name", "did you mean `level`?"),
    (["snr", "study/denoise", "--weights", "averged"], "usage.unknown_name", "did you mean `averaged`?"),
    (["snr", "study/denoise", "--at", "39"], "usage.step", "snapshots exist at 0, 20, 40"),
    (["snr", "study/denoise", "--at", "soon"], "usage.step", "`soon` is not a step"),
    (["snr", "study/denoise", "--draws", "0"], "usage.plan", "at least 8 units"),
    (["snr", "study/denoise", "--draws", "1", "--of", "share"], "usage.plan", "--draws 2"),
    (["snr", "study/denoise", "--half-width", "0"], "usage.half_width", "never reached"),
    (["snr", "study/denoise", "--halfwidth", "0"], "usage.unknown_option", "did you mean `--half-width`?"),
    (["snrr", "study/denoise"], "usage.unknown_command", "did you mean `snr`?"),
    (["gradients", "study", "--out", "x"], "usage.one_trial", "study/denoise"),
    (["gradients", "study/denoise", "--out", "x", "--max-gb", "0.0001"], "usage.size", "--max-gb"),
    (["gradients", "study/denoise", "--out", "no/x"], "store.write", "no/x"),
])
def test_errors(measure, arguments, code, words):
    process = measure(*arguments)
    assert process.returncode != 0
    assert code in process.stderr and words in process.stderr, process.stderr


def test_a_trial_without_a_snapshot(measure, trained):
    folder = folder_of(trained, "denoise")
    (folder / "snapshots").rename(folder / "elsewhere")
    try:
        process = measure("snr", "study/denoise")
        assert process.returncode == 2 and "holds no snapshot" in process.stderr, process.stderr
    finally:
        (folder / "elsewhere").rename(folder / "snapshots")


def hidden_files(folder):
    return [path.name for path in pathlib.Path(folder).rglob(".*.tmp")]


# Signals reach `assay` alone here; at a terminal they reach both processes.
@pytest.mark.timeout(200)
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_leaves_nothing_half_written(assay, real_worker, trained, number, code):
    before = files_of(trained)
    process = subprocess.Popen([assay, "measure", "gradients", "study/denoise", "--out", "big", "--units", "900",
                                "--examples", "2", "--draws", "50", "--max-gb", "50"], cwd=trained.parent,
                               env=real_worker, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (trained.parent / ".big.tmp").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "nothing was written" in errors
    assert not (trained.parent / "big").exists() and not hidden_files(trained.parent)
    assert files_of(trained) == before


@pytest.mark.timeout(200)
def test_interrupted_snr_ends_at_once(assay, real_worker, trained):
    before = files_of(trained)
    process = subprocess.Popen([assay, "measure", "snr", "study/denoise", "--half-width", "0.0001", "--budget", "1e6",
                                "--draws", "100"], cwd=trained.parent, env=real_worker, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert files_of(trained) == before


@pytest.mark.timeout(200)
def test_two_at_once_keep_each_others_results(assay, real_worker, measure, trained):
    processes = [subprocess.Popen([assay, "measure", "snr", "study/denoise", *PILOT, "--at", at, "--quiet"],
                                  cwd=trained.parent, env=real_worker, stdout=subprocess.PIPE, text=True)
                 for at in ("0", "20", "40")]
    for process in processes:
        process.communicate(timeout=150)
        assert process.returncode == 0
    lines = lines_of(folder_of(trained, "denoise") / "measures.jsonl")
    assert {line["step"] for line in lines if line["kind"] == "measuring"} == {0, 20, 40}


def test_a_full_disk_is_said(measure, trained):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # kept across exec: the write fails instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = measure("gradients", "study/denoise", "--out", "g2", *BLOCK, preexec_fn=limit)
    assert process.returncode == 5 and "File too large" in process.stderr, process.stderr
    assert not (trained.parent / "g2").exists() and not hidden_files(trained.parent)
    process = measure("snr", "study/denoise", *PILOT, preexec_fn=limit)
    assert process.returncode == 5 and "File too large" in process.stderr, process.stderr
    assert not hidden_files(trained.parent)


@pytest.mark.parametrize("command", [["measure"], ["measure", "snr"], ["measure", "gradients"]])
def test_help_has_an_example_that_parses(run, command):
    text = run(*command, "--help").stdout
    assert "Example: assay measure" in text
    example = text.split("Example: assay ")[1].split("\n")[0].split()
    process = run(*example)
    assert "usage.arguments" not in process.stderr and "usage.unknown" not in process.stderr, process.stderr
