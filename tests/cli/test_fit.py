# assay fit: a table with a known law gives that law, its counts and its intervals; bad input says what is wrong with it.
import hashlib
import json
import math
import os
import random
import stat
import subprocess

import pytest

LAW = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.29}


def loss_of(n, d, noise=0.0):
    return (LAW["E"] + LAW["A"] * n ** -LAW["alpha"] + LAW["B"] * d ** -LAW["beta"]) * math.exp(noise)


def sweep(sigma=0.0, seed=0, sizes=5):
    """Rows (N, D, loss) of a square sweep over two decades each."""
    generator = random.Random(seed)
    points = [(1e6 * 10 ** (2 * i / (sizes - 1)), 1e7 * 10 ** (2 * j / (sizes - 1)))
              for i in range(sizes) for j in range(sizes)]
    return [(n, d, loss_of(n, d, generator.gauss(0, sigma))) for n, d in points]


def write(path, rows, header="N,D,loss"):
    path.write_text("\n".join([header, *(",".join(map(repr, row)).replace("'", "") for row in rows)]) + "\n")
    return path.name


@pytest.fixture
def fit(assay, tmp_path):
    def call(*arguments):
        return subprocess.run([assay, "fit", *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True,
                              timeout=60)

    return call


def document(process):
    assert process.returncode == 0, process.stdout + process.stderr
    return json.loads(process.stdout)


def test_noise_free_table_gives_its_law(fit, tmp_path):
    law = document(fit(write(tmp_path / "t.csv", sweep()), "--json", "--ci", "none"))
    assert law["form"] == "chinchilla" and law["converged"] and law["n"] == 25 and law["failure"] is None
    for name, value in LAW.items():
        assert law["parameters"][name] == pytest.approx(value, rel=1e-5), name
    assert law["optimal_allocation"]["a"] == pytest.approx(LAW["beta"] / (LAW["alpha"] + LAW["beta"]), rel=1e-5)


def test_intervals_hold_the_law_and_repeat(fit, tmp_path):
    name = write(tmp_path / "t.csv", sweep(sigma=0.005, seed=3))
    law = document(fit(name, "--json", "--ci", "bootstrap:500"))
    again = document(fit(name, "--json", "--ci", "bootstrap:500"))
    assert law["intervals"] == again["intervals"], "resampling has a seed of its own"
    for parameter, (low, high) in law["intervals"].items():
        assert low < law["parameters"][parameter] < high, parameter
    low, high = law["intervals"]["alpha"]
    assert 0.01 < high - low < 0.2  # the published simulation: a standard error of about .008 at this noise
    assert 0.001 < law["sigma"] < 0.02 and law["bootstrap"]["disagreeing"] == 0
    profile = document(fit(name, "--json", "--ci", "profile"))
    low, high = profile["intervals"]["alpha"]
    assert low < law["parameters"]["alpha"] < high and profile["bootstrap"] is None


def test_rows_left_out_and_diverged_are_counted(fit, tmp_path):
    rows = [*sweep(), (2e6, 3e7, float("nan")), (3e6, 3e7, 80.0)]
    done = fit(write(tmp_path / "t.csv", rows), "--where", "loss < 50", "--ci", "none")
    assert done.returncode == 0, done.stderr
    law = document(fit(write(tmp_path / "t.csv", rows[:-1]), "--ci", "none", "--json"))
    assert law["diverged"] == 1 and law["n"] == 25
    assert "left out by `loss < 50`" in done.stdout


def test_a_law_for_each_group_and_a_stored_file(fit, tmp_path):
    rows = [(*row, name) for name in ("mae", "jepa") for row in sweep()]
    out = document(fit(write(tmp_path / "t.csv", rows, "N,D,loss,objective"), "--group-column", "objective", "--json",
                       "--ci", "none", "-o", "law.json"))
    assert [law["group"] for law in out["laws"]] == ["mae", "jepa"]
    assert json.loads((tmp_path / "law.json").read_text())["laws"][0]["form"] == "chinchilla"


def test_one_column_gives_a_floor_and_a_power(fit, tmp_path):
    rows = [(d, 0.5 + 30 * d ** -0.4) for d in (1e3, 3e3, 1e4, 3e4, 1e5, 3e5)]
    law = document(fit(write(tmp_path / "t.csv", rows, "tokens,loss"), "--json", "--ci", "none"))
    assert law["form"] == "floor_power"
    assert law["parameters"]["E"] == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("text, arguments, code", [
    ("N,D\n1,2\n", [], "usage.missing_column"),
    ("N,D,loss\n1e6,1e7,-1\n", [], "data.sign"),
    ("N,D,loss\n1e6,1e7,two\n", [], "data.number"),
    ("N,D,loss\n", [], "data.no_rows"),
    ("N,D,loss\n1e6,1e7,3\n", ["--form", "chinchila"], "usage.form"),
    ("N,D,loss\n1e6,1e7,3\n", ["--loss", "hubert"], "usage.loss"),
    ("N,D,loss\n1e6,1e7,3\n", ["--ci", "bootstrap:ten"], "usage.interval"),
    ("N,D,loss\n1e6,1e7,3\n", ["--ci", "bootstrap:10"], "usage.interval"),
    ("N,D,loss\n1e6,1e7,3\n", ["-o", "nowhere/law.json"], "usage.output"),
    ("N,D,loss\n1e6,1e7,3\n", ["-o", "t.csv"], "usage.output"),
    ("N,D,loss\n1e6,1e7,3\n", ["-o", "."], "usage.output"),
    ("N,D,loss,group\n1e6,1e7,3,\n", ["--group-column", "group"], "data.missing_value"),
    ("N,D,loss\n1e6,1e7,3\n2e6,2e7,2\n", ["--form", "repetition"], "law.column"),
    ("N,D,loss\n1e6,1e7,3\n1e6,1e7,3.1\n", [], "law.form"),
])
def test_bad_input_says_what_is_wrong(fit, tmp_path, text, arguments, code):
    (tmp_path / "t.csv").write_text(text)
    done = fit("t.csv", *arguments)
    assert f"error[{code}]" in done.stderr, done.stderr
    assert done.returncode == (2 if code.startswith("usage.") else 1)
    assert (tmp_path / "t.csv").read_text() == text, "what is read is never written to"
    assert done.stdout == "" and "help:" in done.stderr


# Too few rows are a result, not a crash: the law says that it could not be fitted, and the exit code is 1.
def test_fewer_rows_than_parameters_is_a_result_that_says_so(fit, tmp_path):
    done = fit(write(tmp_path / "t.csv", sweep(sizes=2)), "--json")
    assert done.returncode == 1
    law = json.loads(done.stdout)
    assert law["failure"] and law["parameters"]["alpha"] is None


# Planted fault: D = 20 N throughout. Exponents of such a table are luck.
def test_a_single_line_of_n_and_d_identifies_no_exponents(fit, tmp_path):
    generator = random.Random(5)
    rows = [(n, 20 * n, loss_of(n, 20 * n, generator.gauss(0, 0.005))) for n in (10 ** (6 + i / 4) for i in range(12))]
    name = write(tmp_path / "t.csv", rows)
    law = document(fit(name, "--json", "--ci", "none"))
    assert law["identifiable"] is False and law["parameters"]["alpha"] is None and law["optimal_allocation"] is None
    assert law["identifiability"]["reasons"] and law["identifiability"]["remedies"]
    text = fit(name, "--ci", "none").stdout
    assert "does not identify" in text and "alpha" not in text.split("\n", 4)[-1]
    assert document(fit(write(tmp_path / "u.csv", sweep(0.005)), "--json", "--ci", "none"))["identifiable"] is True


def test_hold_out_predicts_the_larger_runs_and_chooses_the_form(fit, tmp_path):
    name = write(tmp_path / "t.csv", sweep(0.003, seed=2, sizes=6))
    law = document(fit(name, "--json", "--ci", "none", "--holdout", "rolling"))
    cuts = {cut["name"]: cut for cut in law["holdout"]["cuts"]}
    assert len(cuts) == 5 and all(cut["failure"] is None for cut in cuts.values())
    assert all(cut["fitted"] + cut["held_out"] == 36 for cut in cuts.values())
    assert law["holdout"]["log_rmse"] < 0.5 * law["holdout"]["carried_rmse"]
    choice = law["form_choice"]
    assert {choice["best"], *(rival["form"] for rival in choice["rivals"])} == {"chinchilla", "tied", "outer"}
    assert law["form"] == choice["chosen"]
    text = fit(name, "--ci", "none", "--holdout", "rolling").stdout
    assert "chosen by hold-out" in text and "carried forward" in text


@pytest.fixture
def frozen(fit, tmp_path):
    """A table and the options that a fit of it was frozen with."""
    rows = [*sweep(0.003, seed=6), (2e6, 3e7, 80.0)]
    name = write(tmp_path / "t.csv", rows)
    done = fit(name, "--where", "loss < 50", "--form", "tied", "--ci", "none", "--json",
               "--write-preregistration", "plan.toml")
    return name, document(done), tmp_path / "plan.toml"


def test_a_preregistered_fit_is_the_fit_that_was_frozen(fit, frozen):
    name, before, plan = frozen
    law = document(fit(name, "--preregistered", "plan.toml", "--form", "tied", "--json"))
    record = law.pop("preregistration")
    assert record == {"file": "plan.toml", "name": "", "predictions": [],
                      "sha256": hashlib.sha256(plan.read_bytes()).hexdigest()}
    for one in (law, before):
        assert 0 < one.pop("search_seconds") <= one.pop("seconds")
    assert law == before and law["form"] == "tied" and law["table"]["left_out"][0]["rows"] == 1
    assert "preregistered in plan.toml" in fit(name, "--preregistered", "plan.toml").stdout


@pytest.mark.parametrize("option, value, frozen_as", [
    ("--form", "chinchilla", "tied"), ("--where", "loss < 60", "loss < 50"), ("--ci", "profile", "none"),
    ("--loss", "mse", "huber:auto"), ("--holdout", "rolling", "none"), ("--n-column", "N", "nothing"),
])
def test_an_option_that_contradicts_the_file_is_an_error(fit, frozen, option, value, frozen_as):
    done = fit(frozen[0], "--preregistered", "plan.toml", option, value)
    assert done.returncode == 2 and "error[usage.preregistered]" in done.stderr and done.stdout == ""
    assert f"{option} {value}" in done.stderr and frozen_as in done.stderr


def test_a_frozen_file_is_not_overwritten_and_has_no_unknown_keys(fit, frozen):
    name, _, plan = frozen
    done = fit(name, "--where", "loss < 50", "--ci", "none", "--write-preregistration", "plan.toml")
    assert done.returncode == 2 and "error[usage.preregistration_exists]" in done.stderr
    plan.write_text(plan.read_text() + "delta = 0.1\n")
    done = fit(name, "--preregistered", "plan.toml")
    assert done.returncode == 2 and "error[config.unknown_key]" in done.stderr and "plan.toml:" in done.stderr


def test_losses_foretold_are_tested_by_later_runs(fit, assay, tmp_path):
    first = write(tmp_path / "t.csv", sweep(0.003, seed=7))
    fit(first, "--ci", "bootstrap:300", "-o", "law.json", "--write-preregistration", "plan.toml")
    points = [(1e9, 3e9), (3e8, 1e10)]
    for n, d in points:
        entry = subprocess.run([assay, "predict", "law.json", "--at", f"N={n},D={d}", "--freeze", "-q"], cwd=tmp_path,
                               capture_output=True, text=True, timeout=60)
        assert entry.returncode == 0, entry.stderr
        with open(tmp_path / "plan.toml", "a") as plan:
            plan.write(entry.stdout)
    rows = [*sweep(0.003, seed=7), (*points[0], loss_of(*points[0])), (*points[0], 1.3 * loss_of(*points[0]))]
    law = document(fit(write(tmp_path / "u.csv", rows), "--preregistered", "plan.toml", "--json"))
    one, two = law["preregistration"]["predictions"]
    assert (one["rows"], one["inside"], two["rows"]) == (2, 1, 0)
    assert one["value"] == pytest.approx(loss_of(*points[0]), rel=0.02)
    text = fit("u.csv", "--preregistered", "plan.toml").stdout
    assert "1 of 2 runs inside" in text and "no run there yet" in text


def test_rows_that_move_the_exponents_are_named(fit, tmp_path):
    rows = sweep(0.003, seed=8)
    rows[20] = (*rows[20][:2], rows[20][2] * 0.93)  # line 22, of the largest models
    rows.append(rows[7])  # line 27: entered twice
    name = write(tmp_path / "t.csv", rows)
    law = document(fit(name, "--json", "--ci", "none"))
    flagged = {row["line"]: row["reasons"] for row in law["influence"]["rows"]}
    assert flagged[27] == ["duplicate"] and flagged[22] == ["outlier", "largest N"] and len(flagged) == 10
    most = law["influence"]["largest"]["alpha"]
    without = document(fit(write(tmp_path / "u.csv", rows[:most["line"] - 2] + rows[most["line"] - 1:]), "--json",
                           "--ci", "none"))
    # σ, and with it δ, is found anew without the row.
    assert most["change"] == pytest.approx(without["parameters"]["alpha"] - law["parameters"]["alpha"], rel=0.3)
    told = fit(name, "--ci", "none").stderr
    assert told.count("27") == 1, "a row entered twice is told once"
    assert most["standard_errors"] > 0 and "flagged rows" in fit(name, "--ci", "none").stdout


def shared_table(path, units=("nats", "nats")):
    rows = [(n, d, loss, group, unit)
            for group, seed, factor, unit in (("mae", 1, 1, units[0]), ("jepa", 2, 3, units[1]))
            for n, d, loss in ((n, d, loss_of(factor * n, d) * math.exp(noise))
                               for (n, d, _), noise in zip(sweep(), noises(seed)))]
    return write(path, rows, "N,D,loss,objective,loss_unit")


def noises(seed, sigma=0.002):
    generator = random.Random(seed)
    return [generator.gauss(0, sigma) for _ in range(25)]


def test_exponents_shared_by_objectives(fit, tmp_path):
    name = shared_table(tmp_path / "t.csv")
    out = document(fit(name, "--share", "exponents", "--ci", "bootstrap:300", "--json"))
    shared = out["shared_exponents"]
    assert shared["alpha"] == pytest.approx(LAW["alpha"], abs=0.05) and shared["reference"] == "mae"
    efficiency = shared["groups"][1]["efficiency"]
    low, high = efficiency["N_interval"]
    assert 1 < low < efficiency["N"] < high and efficiency["N"] == pytest.approx(3, rel=0.1)
    assert shared["groups"][0]["efficiency"]["N_interval"] == [1, 1]
    assert shared["test"]["p_value"] > 1e-4 and shared["warnings"] == [] and out["table"]["loss_unit"] == "nats"
    text = fit(name, "--share", "exponents", "--ci", "none").stdout
    assert "shared exponents: alpha" in text and "that all groups have these exponents" in text


@pytest.mark.parametrize("units, arguments, code", [
    (("nats", "bits"), [], "law.shared"),
    (("nats", "nats"), ["--form", "tied"], "usage.share"),
    (("nats", "nats"), ["--where", "objective == mae"], "law.shared"),
])
def test_exponents_that_cannot_be_shared(fit, tmp_path, units, arguments, code):
    done = fit(shared_table(tmp_path / "t.csv", units), "--share", "exponents", "--ci", "none", *arguments)
    assert done.returncode in (1, 2) and f"error[{code}]" in done.stderr and done.stdout == ""


def test_a_law_of_losses_in_two_units_is_refused(fit, tmp_path):
    rows = [(*row, "bits" if i == 3 else "nats") for i, row in enumerate(sweep())]
    done = fit(write(tmp_path / "t.csv", rows, "N,D,loss,loss_unit"), "--ci", "none")
    assert done.returncode == 1 and "error[data.mixed_units]" in done.stderr and "line 5" in done.stderr


# S = b/(1 - b) B D^(1-b)/ln 2 at the largest D. Without a unit there are no bits, and the law says what to give.
def test_structural_bits_need_the_unit_of_the_loss(fit, tmp_path):
    name = write(tmp_path / "t.csv", sweep(), "N,tokens,loss")
    unknown = document(fit(name, "--json", "--ci", "none"))["structural_bits"]
    assert unknown["bits"] is None and "--loss-unit" in unknown["failure"]
    found = document(fit(name, "--json", "--ci", "none", "--loss-unit", "nats"))["structural_bits"]
    beta = LAW["beta"]
    expected = beta / (1 - beta) * LAW["B"] * 1e9 ** (1 - beta) / math.log(2)
    assert found["data_size"] == 1e9 and found["bits"] == pytest.approx(expected, rel=1e-4)
    bits = document(fit(name, "--json", "--ci", "none", "--loss-unit", "bits"))["structural_bits"]
    assert bits["bits"] == pytest.approx(found["bits"] * math.log(2), rel=1e-12)
    per_byte = fit(name, "--ci", "none", "--loss-unit", "bits per byte").stdout
    assert "structural bits: none; the loss is per byte, and D counts tokens" in per_byte


def test_structural_bits_have_an_interval(fit, tmp_path):
    name = write(tmp_path / "t.csv", sweep(sigma=0.003, seed=4), "N,tokens,loss_nats_per_token")
    found = document(fit(name, "--json", "--ci", "bootstrap:300"))["structural_bits"]
    low, high = found["interval"]
    assert low < found["bits"] < high and 0 < found["extrapolated"] < 1


def test_outputs_go_through_links_and_into_pipes(fit, assay, tmp_path):
    name = write(tmp_path / "t.csv", sweep())
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    done = fit(name, "--ci", "none", "-o", "link.json")
    assert done.returncode == 0 and "stored in link.json" in done.stdout
    assert (tmp_path / "link.json").is_symlink() and "prediction" in (tmp_path / "real.json").read_text()
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen([assay, "fit", name, "--ci", "none", "-o", "pipe"], cwd=tmp_path,
                          stdout=subprocess.DEVNULL) as process:
        text = (tmp_path / "pipe").read_text()
    assert process.returncode == 0 and "prediction" in json.loads(text)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("arguments", [["fit", "t.csv"], ["fit", "t.csv", "--json"], ["plan"], ["--help"], ["plan", "--help"]])
def test_a_full_disk_behind_stdout_is_told(assay, tmp_path, arguments):
    write(tmp_path / "t.csv", sweep())
    with open("/dev/full", "w") as full:
        done = subprocess.run([assay, *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 5, done.stderr


def test_a_group_that_cannot_be_fitted_leaves_the_others_their_laws(fit, tmp_path):
    rows = [(*row, group) for group in "ab" for row in sweep(0.002, seed=ord(group))]
    name = write(tmp_path / "t.csv", [*rows, (1e6, 1e7, 3.0, "c")], "N,D,loss,group")
    for arguments in ([], ["--holdout", "rolling"]):
        done = fit(name, "--group-column", "group", "--json", "--ci", "none", *arguments)
        assert done.returncode == 1
        laws = json.loads(done.stdout)["laws"]
        assert [law["failure"] is None for law in laws] == [True, True, False]
        assert laws[2]["group"] == "c" and "1 row:" in laws[2]["failure"]


def test_compute_and_data_tell_the_model_size(fit, tmp_path):
    law = document(fit(write(tmp_path / "t.csv", [(6 * n * d, d, loss) for n, d, loss in sweep()], "C,D,loss"), "--json",
                       "--ci", "none"))
    assert law["form"] == "chinchilla" and law["table"]["size_from_compute"]
    assert law["parameters"]["alpha"] == pytest.approx(LAW["alpha"], rel=1e-4)


def test_repeated_data_are_told(fit, tmp_path):
    rows = [(n, d, min(d, 3e7), loss) for n, d, loss in sweep(0.002)]
    done = fit(write(tmp_path / "t.csv", rows, "N,D,U,loss"), "--ci", "none")
    assert "in 20 of 25 rows data were seen several times" in done.stderr and "--form repetition" in done.stderr
    assert "several times" not in fit("t.csv", "--ci", "none", "--where", "D < 3e7").stderr


def test_groups_of_different_forms_are_told(fit, tmp_path):
    lines = [(1e6, d, 1.5 + 80 * d ** -0.3, "curve") for d in (1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7)]
    rows = [(*row, "sweep") for row in sweep(0.002)]
    done = fit(write(tmp_path / "t.csv", rows + lines, "N,D,loss,group"), "--group-column", "group", "--ci", "none")
    assert "different forms, whose exponents do not compare" in done.stderr


def test_nothing_that_is_read_or_frozen_is_written_over(fit, tmp_path):
    name = write(tmp_path / "own.csv", sweep(0.002))
    assert fit(name, "--write-preregistration", "own.toml", "--ci", "none").returncode == 0
    plan = (tmp_path / "own.toml").read_text()
    for arguments in (["--preregistered", "own.toml", "-o", "own.toml"],
                      ["--write-preregistration", "x", "-o", "x"],
                      ["--write-preregistration", name]):
        done = fit(name, "--ci", "none", *arguments)
        assert done.returncode == 2 and "would overwrite" in done.stderr, done.stderr
    assert (tmp_path / "own.toml").read_text() == plan and not (tmp_path / "x").exists()
