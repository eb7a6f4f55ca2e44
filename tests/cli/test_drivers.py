# assay drivers: a planted relation is found, too few objectives are refused, bad tables say what is wrong with them.
import json
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
