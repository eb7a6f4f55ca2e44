# assay fit DIR: the laws of a study, from planted trials.
import json
import math
import subprocess

import pytest


def write_study(folder, objectives, flops_per=6, sizes=(3e4, 1e5, 4e5, 3e6), data=(3000, 12000, 60000, 300000)):
    """objectives: name -> (floor, alpha, beta). Residuals alternate by half a percent."""
    trials = []
    for name, (floor, alpha, beta) in objectives.items():
        for i, n in enumerate(sizes):
            for j, d in enumerate(data):
                identity = f"{name}-{i}-{j}"
                loss = floor + 6 * (3e4 / n) ** alpha + 6 * (3e3 / d) ** beta
                loss *= math.exp(0.005 * math.cos(5 * i + 3 * j))
                at = folder / "trials" / identity
                at.mkdir(parents=True)
                config = {"name": f"{name}/width={i}/examples={d}", "objective": {"name": name}}
                (at / "config.json").write_text(json.dumps(config))
                (at / "outcome.json").write_text('{"status": "completed", "reason": "", "step": 10}')
                common = {"kind": "measurement", "unit": "bit", "step": 10, "fraction": 1, "flops": flops_per * n * d,
                          "coverage": 0.95, "n": 100, "method": "planted"}
                lines = [{**common, "meter": "probe", "quantity": "deficit_bits", "value": loss,
                          "labels": {"factor": "all", "features": "trained", "readout": "linear"}},
                         {**common, "meter": "heldout_loss", "quantity": "loss_per_target", "value": loss / 7,
                          "labels": {"weights": "averaged", "term": "a"}},
                         {"kind": "ledger", "step": 10, "training_flops": flops_per * n * d, "measuring_flops": 0,
                          "examples": d, "unique_examples": d, "tokens": d}]
                (at / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
                trials.append({"id": identity, "name": config["name"], "config": config, "steps": 10, "flops": flops_per * n * d,
                               "parameters": 2 * n, "trunk_parameters": n})
    study = {"format": 1, "name": "planted", "question": "?", "base": ".", "toml": "", "set": [], "trials": trials,
             "warnings": []}
    (folder / "study.json").write_text(json.dumps(study))


def run(assay, *arguments):
    return subprocess.run([assay, "fit", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_laws_of_every_outcome_and_objective(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5), "jepa": (8, 0.6, 0.5)})
    done = run(assay, tmp_path, "--json", "-o", tmp_path / "laws.json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert json.loads((tmp_path / "laws.json").read_text())["outcomes"][0]["outcome"] == "bit deficit"
    deficit, own = document["outcomes"]
    assert (deficit["readout"], deficit["comparable"], own["comparable"]) == ("linear", True, False)
    assert [law["group"] for law in deficit["laws"]] == ["mae", "jepa"]
    mae, jepa = deficit["laws"]
    assert mae["parameters"]["E"] == pytest.approx(4, abs=0.5)
    assert jepa["parameters"]["E"] == pytest.approx(8, abs=0.5)
    assert mae["parameters"]["alpha"] == pytest.approx(0.4, abs=0.1)
    assert mae["holdout"]["log_rmse"] < mae["holdout"]["carried_rmse"]
    assert len(mae["rows"]) == 16
    floors = [one for one in deficit["differences"] if one["quantity"] == "E"]
    assert [one["distinguished"] for one in floors] == [True]
    assert own["differences"] == [] and own["laws"][0]["slopes"]["D"]["value"] > 0


def test_text_names_outcomes_and_the_smallest_difference(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5), "jepa": (8, 0.6, 0.5)})
    done = run(assay, tmp_path)
    assert done.returncode == 0
    assert "bit deficit, linear readout" in done.stdout
    assert "exponents do not compare" in done.stdout
    assert "detectable" in done.stdout


def test_wrong_folders_and_factors(assay, tmp_path):
    done = run(assay, tmp_path)
    assert done.returncode == 1 and "study.json" in done.stderr
    write_study(tmp_path, {"mae": (4, 0.4, 0.5)})
    done = run(assay, tmp_path, "--factor", "al")
    assert done.returncode == 2 and "error[usage.factor]" in done.stderr and "`all`" in done.stderr
    table = tmp_path / "t.csv"
    table.write_text("N,loss\n1,2\n")
    done = run(assay, table, "--factor", "all")
    assert done.returncode == 2 and "error[usage.of_studies]" in done.stderr


def test_options_of_tables_are_refused(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5)})
    done = run(assay, tmp_path, "--where", "loss < 4")
    assert done.returncode == 2 and "error[usage.of_tables]" in done.stderr and "--where" in done.stderr


def test_stored_laws_predict_and_plan(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5), "jepa": (8, 0.6, 0.5)})
    laws = tmp_path / "laws.json"
    assert run(assay, tmp_path, "-o", laws).returncode == 0
    of = ["--group", "jepa: bit deficit, linear"]
    done = subprocess.run([assay, "predict", laws, *of, "--at", "N=3e6,D=3e5", "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)["predictions"][0]["value"]
    assert value == pytest.approx(8 + 6 * 100 ** -0.6 + 6 * 100 ** -0.5, rel=0.02)
    done = subprocess.run([assay, "plan", "--from", laws, *of, "--n-range", "3e4:3e6", "--d-range", "3e3:3e5", "--json"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_compute_is_divided_at_the_cost_of_the_trials(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5)}, flops_per=96)
    laws = tmp_path / "laws.json"
    assert run(assay, tmp_path, "-o", laws).returncode == 0
    of = ["--group", "mae: bit deficit, linear", "--json"]
    done = subprocess.run([assay, "predict", laws, *of, "--at", "C=1e13"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    optimal = json.loads(done.stdout)["predictions"][0]["optimal"]
    assert 96 * optimal["N"] * optimal["D"] == pytest.approx(1e13, rel=1e-6)
    plan = ["plan", "--from", laws, "--group", "mae: bit deficit, linear", "--n-range", "3e4:3e6", "--d-range", "3e3:3e5"]
    done = subprocess.run([assay, *plan, "--json"], capture_output=True, text=True)
    assert json.loads(done.stdout)["flops_per"] == pytest.approx(96)
    done = subprocess.run([assay, *plan, "--flops-per", "6", "--json"], capture_output=True, text=True)
    assert json.loads(done.stdout)["flops_per"] == 6
    # At the optimum both terms fall alike: alpha A N^-alpha = beta B D^-beta.
    size, data = 0.4 * 6 * (3e4 / optimal["N"]) ** 0.4, 0.5 * 6 * (3e3 / optimal["D"]) ** 0.5
    assert size == pytest.approx(data, rel=0.2)


def test_a_study_is_not_written_over(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5)})
    records = next(tmp_path.glob("trials/*/records.jsonl"))
    for file in (tmp_path / "study.json", records):
        before = file.read_text()
        for command in ("fit", "report"):
            done = subprocess.run([assay, command, tmp_path, "-o", file], capture_output=True, text=True)
            assert done.returncode == 2 and "what the study in" in done.stderr, done.stderr
        assert file.read_text() == before
    assert run(assay, tmp_path, "--ci", "none", "-o", tmp_path / "laws.json").returncode == 0


def test_terms_of_an_objective_have_laws_of_their_own(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5)})
    for records in tmp_path.glob("trials/*/records.jsonl"):
        lines = [json.loads(line) for line in records.read_text().splitlines()]
        own = next(line for line in lines if line.get("meter") == "heldout_loss")
        more = {**own, "value": own["value"] ** 0.5, "labels": {**own["labels"], "term": "b"}}
        records.write_text("".join(json.dumps(line) + "\n" for line in [*lines, more]))
    laws = json.loads(run(assay, tmp_path, "--ci", "none", "--json").stdout)["outcomes"][1]["laws"]
    assert [law["group"] for law in laws] == ["mae: a", "mae: b"]
    assert laws[0]["slopes"]["D"]["value"] == pytest.approx(2 * laws[1]["slopes"]["D"]["value"])


def test_an_objective_without_a_law_is_told_by_the_exit_code(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5), "few": (4, 0.4, 0.5)})
    study = json.loads((tmp_path / "study.json").read_text())
    study["trials"] = [t for t in study["trials"] if not t["id"].startswith("few") or t["id"][-3:] in ("0-0", "0-3", "3-0")]
    (tmp_path / "study.json").write_text(json.dumps(study))
    done = run(assay, tmp_path, "--ci", "none")
    assert done.returncode == 1 and "few: no law: 3 rows" in done.stdout


def test_why_a_stored_law_has_no_intervals(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5)}, sizes=(1e5,), data=(3000, 12000, 60000, 300000, 900000))
    laws = tmp_path / "laws.json"
    assert run(assay, tmp_path, "-o", laws).returncode == 0
    done = subprocess.run([assay, "predict", laws, "--group", "mae: bit deficit, linear", "--at", "D=1e5"],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "5 runs are too few to resample" in done.stderr, done.stderr
    assert "x = D" in run(assay, tmp_path).stdout


def test_one_size_and_one_budget_have_no_law(assay, tmp_path):
    write_study(tmp_path, {"mae": (4, 0.4, 0.5)}, sizes=(1e5,), data=(3000,))
    done = run(assay, tmp_path)
    assert done.returncode == 1 and "error[law.form]" in done.stderr
