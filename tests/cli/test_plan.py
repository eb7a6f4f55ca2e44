# assay plan: what a sweep would tell and cost, the study that it writes, and bad input.
import json
import math
import re
import subprocess
import tomllib

import pytest


@pytest.fixture
def plan(assay, tmp_path):
    def call(*arguments):
        return subprocess.run([assay, "plan", "--workers", "2", *map(str, arguments)], cwd=tmp_path,
                              capture_output=True, text=True, timeout=120)

    return call


def document(process):
    assert process.returncode == 0, process.stdout + process.stderr
    return json.loads(process.stdout)


# The default: 5 × 5 over 2.5 decades, two seeds more at the corners; notes on published sweeps say
# "about .005 at σ .005 and a floor of .33".
def test_the_default_grid_has_the_published_precision(plan):
    out = document(plan("--json"))
    assert out["design"] == "grid" and out["trials"] == 33 and len(out["runs"]) == 25
    assert out["exponents"]["alpha"]["standard_error"] == pytest.approx(0.005, abs=0.0005)
    assert out["exponents"]["alpha"]["detectable_difference"] == pytest.approx(
        3.962 * out["exponents"]["alpha"]["standard_error"], rel=1e-3)
    flops = sum(6 * run["model_size"] * run["data_size"] * run["seeds"] for run in out["runs"])
    assert out["flops"] == pytest.approx(flops, rel=1e-9)
    assert out["hours"] == pytest.approx(max(flops / 2, 6 * 1e7 * 3.2e6) / 50e9 / 3600, rel=1e-6)
    assert out["target"]["reached"] is None and out["remedies"] == []


@pytest.mark.parametrize("design", ["grid", "isoflop", "optimal"])
def test_a_target_is_reached_or_it_says_what_would(plan, design):
    out = document(plan("--design", design, "--target-se", 0.006, "--of", "alpha", "--json"))
    assert out["target"]["reached"] is True
    assert out["exponents"]["alpha"]["standard_error"] <= 0.006
    assert (out["grid_efficiency"] is None) == (design == "grid")
    out = document(plan("--design", design, "--target-se", 0.0004, "--json"))
    assert out["target"]["reached"] is False and out["remedies"]
    text = plan("--design", design, "--target-se", 0.0004).stdout
    assert "does NOT reach" in text and "- " + out["remedies"][0]["change"] in text


def test_a_half_width_is_that_of_t_with_the_degrees_left(plan):
    out = document(plan("--design", "optimal", "--target-half-width", 0.02, "--json"))
    assert all(exponent["half_width"] <= 0.02 for exponent in out["exponents"].values())
    assert all(exponent["half_width"] > 1.96 * exponent["standard_error"] for exponent in out["exponents"].values())


def test_hours_limit_what_is_planned(plan):
    free = document(plan("--design", "optimal", "--target-se", 0.004, "--json"))
    held = document(plan("--design", "optimal", "--target-se", 0.004, "--hours", free["hours"] / 5, "--json"))
    assert held["target"]["reached"] is False and held["hours"] <= free["hours"] / 5
    assert held["remedies"][0]["change"].startswith("more hours")
    assert held["remedies"][0]["hours"] == pytest.approx(free["hours"], rel=0.05)


def test_a_target_that_the_hours_do_not_pay_for_is_not_reached(plan):
    done = plan("--hours", 0.1, "--target-half-width", 0.02)
    assert done.returncode == 0
    assert "that is more than the 6 min 0 s given" in done.stdout and "\nreaches" not in done.stdout
    assert "does NOT reach" in done.stdout and "more hours: the cheapest such sweep" in done.stdout
    assert "- --design optimal: " in done.stdout


def test_large_numbers_are_for_people(plan):
    text = plan("--n-range", "1e6:1e9", "--d-range", "1e9:1e12").stdout
    assert "1e+03" not in text and "1 T" in text and "years" in text
    assert "-92" not in plan("--overhead", 1e300).stdout


def test_a_stored_law_is_the_guess(assay, plan, tmp_path):
    law = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.29}
    rows = ["N,D,loss,objective"]
    for name in ("mae", "jepa"):
        for i in range(5):
            for j in range(5):
                n, d = 1e6 * 10 ** (i / 2), 1e7 * 10 ** (j / 2)
                loss = law["E"] + law["A"] * n ** -law["alpha"] + law["B"] * d ** -law["beta"]
                rows.append(f"{n!r},{d!r},{loss * math.exp(0.003 * math.sin(7.0 * i + 13.0 * j)):.9g},{name}")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    subprocess.run([assay, "fit", "t.csv", "--group-column", "objective", "--ci", "none", "-o", "laws.json"],
                   cwd=tmp_path, check=True, capture_output=True)
    fitted = json.loads((tmp_path / "laws.json").read_text())["laws"][1]
    ranges = ["--n-range", "1e6:1e8", "--d-range", "1e7:1e9"]
    out = document(plan("--from", "laws.json", "--group", "jepa", *ranges, "--json"))
    assert out["guess"] == pytest.approx(fitted["parameters"])
    assert out["sigma"] == fitted["sigma"] and "laws.json (jepa)" in out["guess_source"]
    assert document(plan("--from", "laws.json", "--group", "mae", "--sigma", 0.02, *ranges, "--json"))["sigma"] == 0.02
    for arguments, code in ((["--from", "laws.json"], "usage.group"),
                            (["--from", "laws.json", "--group", "jeppa"], "usage.group"),
                            (["--from", "t.csv"], "data.not_a_law"), (["--from", "none.json"], "data.missing_file"),
                            (["--from", "laws.json", "--group", "mae", "--alpha", 0.3], "usage.arguments")):
        done = plan(*arguments, *ranges)
        assert done.returncode in (1, 2) and f"error[{code}]" in done.stderr, done.stderr


SWEEPS = [["--design", "grid", "--sizes", 4, "--budgets", 4, "--n-range", "2e4:6e5", "--d-range", "6400:216000"],
          ["--design", "isoflop", "--n-range", "2e4:4e6", "--d-range", "6400:1e6", "--objective", "mae", "--objective", "token"],
          ["--design", "optimal", "--target-half-width", 0.03, "--n-range", "2e4:2e6", "--d-range", "6400:6e5",
           "--overhead", 20, "--depth", 2, "--heads", 8]]


def runs_of(study):
    """{(width, examples, seed): count} of one objective of a study file's grid."""
    found = {}
    first = study["objective"][0]["preset"]
    for entry in study["objective"]:
        if entry["preset"] != first:
            continue
        for width in entry["model"]["width"]:
            for examples in entry["train"]["budget"]["examples"]:
                for seed in entry["train"]["seed"]:
                    found[width, examples, seed] = found.get((width, examples, seed), 0) + 1
    return found


@pytest.mark.parametrize("sweep", SWEEPS, ids=["grid", "isoflop", "optimal"])
def test_the_study_holds_the_runs_that_were_planned(plan, tmp_path, sweep):
    out = document(plan(*sweep, "-o", "sweep.toml", "--json"))
    study = tomllib.loads((tmp_path / "sweep.toml").read_text())
    wanted = {(run["width"], int(run["data_size"]), seed) for run in out["runs"] for seed in range(run["seeds"])}
    found = runs_of(study)
    assert set(found) == wanted and set(found.values()) == {1} and len(found) == out["trials"]
    depth, heads = study["model"]["depth"], study["model"]["heads"]
    assert all(width % 8 == 0 and width % heads == 0 for width, _, _ in found)
    assert all(run["model_size"] == 12 * depth * run["width"] ** 2 for run in out["runs"])
    assert all(examples % study["train"]["batch"] == 0 for _, examples, _ in found)
    assert study["data"]["scenes"]["examples"] == max(examples for _, examples, _ in found)
    assert ("captions" in study["data"]) == ("token" in sweep)
    assert out["flops_per"] == 96


@pytest.mark.parametrize("sweep", SWEEPS, ids=["grid", "isoflop", "optimal"])
def test_assay_check_accepts_the_study(assay, plan, real_worker, tmp_path, sweep):
    out = document(plan(*sweep, "-o", "sweep.toml", "--json"))
    done = subprocess.run([assay, "check", "sweep.toml", "--json"], cwd=tmp_path, env=real_worker, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    objectives = 1 + sweep.count("--objective") // 2
    assert len(json.loads(done.stdout)["trials"]) == out["trials"] * objectives


# Slices over less than three decades of compute, and runs so short that starting them counts.
def test_weak_plans_are_warned_of(plan):
    narrow = plan("--design", "isoflop", "--n-range", "1e6:5e7", "--d-range", "1e6:5e7")
    assert narrow.returncode == 0 and "3 are advised" in narrow.stderr, narrow.stderr
    short = ["--design", "optimal", "--n-range", "3e4:1e6", "--d-range", "1e4:3e5"]
    assert "--overhead" in plan(*short).stderr
    assert "--overhead" not in plan(*short, "--overhead", 10).stderr
    assert plan(*short, "-q").stderr == ""


def test_sizes_that_round_to_one_width_are_told(plan, tmp_path):
    close = ["--n-range", "1e5:2.1e5", "--d-range", "1e4:1e6", "--overhead", 10]
    merged = plan(*close, "-o", tmp_path / "s.toml")
    assert merged.returncode == 0 and "of 5 model sizes only" in merged.stderr, merged.stderr
    assert "model sizes only" not in plan("--n-range", "1e5:1e7", "--d-range", "1e4:1e6", "-o",
                                          tmp_path / "t.toml").stderr


def test_a_range_that_rounds_to_one_width_is_no_range(plan, tmp_path):
    for arguments in (["--n-range", "100:1000"], ["--heads", 1000]):
        done = plan("--d-range", "1e4:1e6", *arguments, "-o", tmp_path / "s.toml")
        assert done.returncode == 2 and "is one value once it is rounded to trunk widths" in done.stderr, done.stderr
        assert not (tmp_path / "s.toml").exists()


def test_seeds_at_a_point_are_limited(plan):
    for more in ([], ["--of", "allocation", "--n-range", "3e4:3e5", "--overhead", 20]):
        found = document(plan("--design", "optimal", "--most-seeds", 1, *more, "--json"))
        assert max(run["seeds"] for run in found["runs"]) == 1
        assert found["efficiency_bound"] <= 1 + 1e-9


def test_a_law_of_one_column_is_planned_along_it(assay, plan, tmp_path):
    rows = [(n, 2 + 300 * n ** -0.4 * (1 + 0.003 * math.sin(n))) for n in (1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8)]
    (tmp_path / "t.csv").write_text("N,loss\n" + "".join(f"{n},{loss}\n" for n, loss in rows))
    done = subprocess.run([assay, "fit", "t.csv", "-o", "n.json"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wrong = plan("--from", tmp_path / "n.json", "--n-range", "1e5:1e8", "--d-range", "1e5:1e6")
    assert wrong.returncode == 2 and "is one of N, and the ranges vary D" in wrong.stderr
    right = document(plan("--from", tmp_path / "n.json", "--n-range", "1e5:1e8", "--d-range", "1e6", "--json"))
    assert len({run["model_size"] for run in right["runs"]}) == 5


@pytest.mark.parametrize("of", ["alpha", "beta", "allocation", "exponents"])
def test_each_exponent_has_an_optimal_sweep_of_its_own(plan, of):
    own = document(plan("--design", "optimal", "--of", of, "--json"))
    whole = document(plan("--design", "optimal", "--of", of, "--criterion", "determinant", "--json"))
    assert own["grid_efficiency"] > 1 and own["grid_efficiency"] > 0.98 * whole["grid_efficiency"]
    assert 0.5 < own["efficiency_bound"] <= 1


def test_text_says_runs_errors_cost_and_limit(plan):
    done = plan("--design", "optimal", "--hours", 0.5)
    assert done.returncode == 0
    for words in ("standard error", "with E known", "difference found", "times as efficient", "is limited most by"):
        assert words in done.stdout, words
    assert re.search(r"optimal: \d+ runs at \d+ points, .* on 2 workers", done.stdout)
    one = plan("--n-range", "1e6", "--d-range", "1e4:1e7").stdout
    assert "E + A x^-c" in one and "alpha" not in one


@pytest.mark.parametrize("arguments, code", [
    (["--n-range", "1e6:1e5"], "plan.range"),
    (["--n-range", "big:1e5"], "usage.range"),
    (["--n-range", "0:1e5"], "usage.range"),
    (["--n-range", "1e6", "--d-range", "1e6"], "plan.range"),
    (["--sigma", "0"], "plan.noise"),
    (["--floor-share", "1"], "plan.guess"),
    (["--alpha", "-1"], "plan.guess"),
    (["--target-se", "-1"], "plan.target"),
    (["--of", "alfa"], "plan.target"),
    (["--target-se", "0.01", "--target-half-width", "0.02"], "usage.arguments"),
    (["--hours", "0"], "plan.target"),
    (["--gflops", "0"], "plan.cost"),
    (["--sizes", "2"], "plan.singular"),
    (["--sizes", "1"], "plan.layout"),
    (["--sizes", "0"], "usage.arguments"),
    (["--design", "optimal", "--sizes", "4"], "usage.design"),
    (["--criterion", "determinant"], "usage.design"),
    (["--design", "isoflop", "--corner-seeds", "1"], "usage.design"),
    (["--from", "laws.json"], "usage.range"),
    (["--overhead", "-1"], "plan.cost"),
    (["--design", "optimal", "--candidates", "99"], "usage.arguments"),
    (["--design", "isoflop", "--budgets", "2"], "plan.layout"),
    (["--design", "isoflop", "--n-range", "1e6"], "plan.layout"),
    (["--design", "optimal", "--hours", "0.0001"], "plan.budget"),
    (["--design", "square"], "usage.arguments"),
    (["-o", "x.toml", "--heads", "0"], "usage.heads"),
    (["-o", "x.toml", "--objective", 'm"ae'], "usage.objective"),
    (["--group", "mae"], "usage.arguments"),
])
def test_bad_input_says_what_is_wrong(plan, tmp_path, arguments, code):
    done = plan(*arguments)
    assert done.returncode == 2 and f"error[{code}]" in done.stderr, done.stderr
    assert done.stdout == "" and done.stderr.count("error[") == 1 and "help:" in done.stderr
    assert not (tmp_path / "x.toml").exists()
