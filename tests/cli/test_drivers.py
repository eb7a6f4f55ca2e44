# assay drivers: a planted relation is found, too few objectives are refused, bad tables say what is wrong with them.
import json
import math
import random
import subprocess

import pytest


def objectives(count, slope=1.0, scatter=0.3, seed=1):
    """Rows (objective, alpha, alpha_se, snr, snr_se)."""
    generator = random.Random(seed)
    rows = []
    for i in range(count):
        driver = generator.gauss(0, 1)
        outcome = 0.3 + slope * driver + generator.gauss(0, scatter)
        rows.append((f"o{i}", outcome + generator.gauss(0, 0.1), 0.1, driver + generator.gauss(0, 0.2), 0.2))
    return rows


HEADER = "objective,alpha,alpha_se,snr,snr_se"
COLUMNS = ["--outcome", "alpha", "--outcome-se", "alpha_se", "--driver", "snr", "--driver-se", "snr_se"]


@pytest.fixture
def drivers(assay, tmp_path):
    def call(rows, *arguments, header=HEADER):
        text = rows if isinstance(rows, str) else "\n".join(",".join(map(str, row)) for row in rows)
        (tmp_path / "t.csv").write_text(f"{header}\n{text}\n")
        return subprocess.run([assay, "drivers", "t.csv", *arguments], cwd=tmp_path, capture_output=True, text=True,
                              timeout=60)

    return call


def test_a_planted_relation_is_found(drivers):
    done = drivers(objectives(16), *COLUMNS, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == "predicts" and found["p_value"] < 0.01 and found["orders"] == 20001
    (low, high), = found["slope_intervals"]
    assert low < 1 < high and low < found["slopes"][0] < high
    assert found["leave_one_out"]["rmse"] < found["leave_one_out"]["rmse_of_mean"]
    assert abs(found["correlation"]) > abs(found["measured_correlation"])
    assert [at["correlation"] for at in found["power"]] == [0.9, 0.8, 0.7, 0.6, 0.5]
    again = json.loads(drivers(objectives(16), *COLUMNS, "--json").stdout)
    assert again == found, "permutations have a seed of their own"


def test_the_text_is_a_table_and_a_verdict(drivers):
    done = drivers(objectives(16), *COLUMNS)
    lines = done.stdout.splitlines()
    assert "16 rows read; objectives by `objective`" in lines[0]
    assert sum(line.split()[:1] == [f"o{i}"] for i in range(16) for line in lines) == 16
    assert lines[-1].startswith("the driver predicts the outcome: p = ") and "leave-one-out error" in lines[-1]


def test_too_few_objectives_are_refused(drivers):
    done = drivers(objectives(5, scatter=0), "--outcome", "alpha", "--driver", "snr")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == \
        "refused: 5 objectives have 80% power only for |r| ≥ 0.96; 14 needed for .7"
    assert "no standard errors are given" in done.stderr


def test_rows_are_chosen_and_counted(drivers):
    rows = [*objectives(9), ("odd", 50, 0.1, 50, 0.2)]
    found = json.loads(drivers(rows, *COLUMNS, "--where", "alpha < 10", "--json").stdout)
    assert len(found["objectives"]) == 9 and found["table"] == {
        "rows_read": 10, "left_out": [{"where": "alpha < 10", "rows": 1}]}


def test_two_drivers_need_fourteen_objectives(drivers):
    rows = [(*row, i * i % 7) for i, row in enumerate(objectives(14))]
    both = ["--outcome", "alpha", "--driver", "snr", "--driver", "level"]
    done = drivers(rows, *both, "--json", header=HEADER + ",level")
    assert done.returncode == 0 and len(json.loads(done.stdout)["slopes"]) == 2, done.stderr
    done = drivers(rows[:13], *both, header=HEADER + ",level")
    assert done.returncode == 1 and "error[law.drivers]: 2 drivers of 13 objectives" in done.stderr
    assert "measure 1 more objective" in done.stderr


@pytest.mark.parametrize("rows, arguments, code, words", [
    (objectives(9), ["--outcome", "alpha", "--driver", "snrr"], "usage.unknown_column", "did you mean `snr`"),
    (objectives(9), ["--driver", "snr"], "usage.arguments", "--outcome"),
    (objectives(9), ["--outcome", "alpha", "--driver", "snr", "--driver", "snr_se", "--driver-se", "snr_se"],
     "usage.arguments", "1 --driver-se for 2 --driver"),
    (objectives(2), COLUMNS, "law.drivers", "2 objectives"),
    ([(*row[:2], -0.1, *row[3:]) for row in objectives(9)], COLUMNS, "data.sign", "a standard error of `-0.1`"),
    ([(*row[:3], 2.0, 0.1) for row in objectives(9)], COLUMNS, "data.constant", "the driver takes one value"),
    ([(row[0], 2.0, *row[2:]) for row in objectives(9)], COLUMNS, "data.constant", "the outcome takes one value"),
    ([*objectives(9), ("o3", 1, 1, 1, 1)], COLUMNS, "data.duplicate", "`o3` stands in lines 5 and 11"),
    ("a,,1,1,1", COLUMNS, "data.missing_value", "column `alpha`"),
    ("a,x,1,1,1", COLUMNS, "data.number", "`x` is not a number"),
    (objectives(9), [*COLUMNS, "--where", "alpha > 1e9"], "data.no_rows", "--where"),
])
def test_bad_input_says_what_is_wrong(drivers, rows, arguments, code, words):
    done = drivers(rows, *arguments)
    assert done.returncode in (1, 2) and f"error[{code}]" in done.stderr and words in done.stderr, done.stderr
    assert done.stdout == "" and "help:" in done.stderr


def write_study(folder, objectives):
    """Three sizes by three budgets; the deficit falls as D^-slope, and SNR is 1 + 10 slope, both with a little noise."""
    trials = []
    for k in range(objectives):
        slope = 0.05 + 0.02 * k
        for i, n in enumerate((1e5, 3e5, 1e6)):
            for j, d in enumerate((1e4, 1e5, 1e6)):
                identity, flops = f"o{k}-{i}-{j}", 6 * n * d
                deficit = 10 * (n / 1e5) ** -0.05 * (d / 1e4) ** -slope * math.exp(0.003 * math.cos(7 * i + 5 * j + k))
                snr = 1 + 10 * slope + 0.01 * math.cos(3 * k)
                common = {"kind": "measurement", "step": 10, "fraction": 1, "flops": flops, "coverage": 0.95, "n": 100,
                          "method": "planted"}
                lines = [{**common, "meter": "probe", "quantity": "deficit_bits", "unit": "bit", "value": deficit,
                          "labels": {"factor": "all", "features": "trained", "readout": "attentive"}},
                         {**common, "meter": "objective_snr", "quantity": "snr_per_example", "unit": "1", "value": snr,
                          "low": snr - 0.02, "high": snr + 0.02,
                          "labels": {"group": "trunk", "metric": "euclidean", "weights": "averaged"}},
                         {"kind": "ledger", "step": 10, "training_flops": flops, "measuring_flops": 0, "examples": d,
                          "unique_examples": d, "tokens": d}]
                config = {"name": f"o{k}/width={i}/examples={d:.0f}", "objective": {"name": f"o{k}"}}
                at = folder / "trials" / identity
                at.mkdir(parents=True)
                (at / "config.json").write_text(json.dumps(config))
                (at / "outcome.json").write_text('{"status": "completed", "reason": "", "step": 10}')
                (at / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
                trials.append({"id": identity, "name": config["name"], "config": config, "steps": 10, "flops": flops,
                               "parameters": n, "trunk_parameters": n})
    (folder / "study.json").write_text(json.dumps(
        {"format": 1, "name": "planted", "question": "?", "base": ".", "toml": "", "set": [], "trials": trials,
         "warnings": []}))


def of_study(assay, folder, *arguments):
    return subprocess.run([assay, "drivers", folder, *arguments], capture_output=True, text=True, timeout=60)


def test_a_study_is_read_without_a_table(assay, tmp_path):
    write_study(tmp_path, 9)
    done = of_study(assay, tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["outcome"], found["drivers"], found["verdict"]) == ("slope_D", ["snr"], "predicts")
    assert found["study"] == {"name": "planted", "readout": "attentive", "fraction": 1, "left_out": []}
    (low, high), = found["slope_intervals"]
    assert low < 0.1 < high, "planted: the slope rises by .1 for each unit of SNR"
    text = of_study(assay, tmp_path)
    assert text.stdout.startswith("9 objectives of study planted, attentive readout") and "o8" in text.stdout


def test_a_study_of_too_few_objectives_is_refused(assay, tmp_path):
    write_study(tmp_path, 5)
    assert json.loads(of_study(assay, tmp_path, "--json").stdout)["verdict"] == "refused"
    done = of_study(assay, tmp_path, "--driver", "useful_rate")
    assert done.returncode != 0 and "o0: useful_rate was not measured" in done.stderr
    for wrong in (["--outcome-se", "x"], ["--where", "a > 1"], ["--driver", "loudness"], ["--outcome", "gamma"]):
        done = of_study(assay, tmp_path, *wrong)
        assert done.returncode == 2 and "help:" in done.stderr


def test_two_decimal_marks_and_a_column_that_predicts_itself_are_refused(drivers):
    rows = "\n".join(f"o{i};0,{i + 1};{'2.5' if i == 4 else f'1,{i}'}" for i in range(8))
    done = drivers(rows, "--outcome", "alpha", "--driver", "snr", header="objective;alpha;snr")
    assert done.returncode == 1 and "error[data.decimal_mark]" in done.stderr, done.stderr
    done = drivers(objectives(9), "--outcome", "snr", "--driver", "snr")
    assert done.returncode == 2 and "named twice" in done.stderr
