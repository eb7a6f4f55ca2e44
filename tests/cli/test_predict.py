# assay predict: a law stored by `assay fit -o` predicts what its table's truth says; what it cannot know is refused.
import json
import math
import random

import pytest
from test_fit import document, fit, loss_of, sweep, write  # noqa: F401 (fit is a fixture)


@pytest.fixture
def predict(assay, tmp_path, run):
    return lambda *arguments: run("predict", *arguments)


@pytest.fixture
def stored(fit, tmp_path):  # noqa: F811
    """stored(rows, header) -> name of the law file."""

    def call(rows, header="N,D,loss", *arguments):
        done = fit(write(tmp_path / "t.csv", rows, header), "--ci", "bootstrap:500", "-o", "law.json", *arguments)
        assert done.returncode == 0, done.stderr
        return "law.json"

    return call


def test_values_and_intervals_at_points(stored, predict):
    law = stored(sweep(0.003, seed=4))
    out = document(predict(law, "--at", "N=3e6,D=2e8", "--at", "N=1e9,D=1e9", "--json"))
    near, far = out["predictions"]
    assert near["decades_beyond"] == 0 and near["warnings"] == []
    for found, n, d in ((near, 3e6, 2e8), (far, 1e9, 1e9)):
        assert found["point"] == {"N": n, "D": d}
        low, high = found["interval"]
        run_low, run_high = found["run_interval"]
        assert run_low < low < found["value"] < high < run_high
        assert found["value"] == pytest.approx(loss_of(n, d), rel=0.02)
    assert far["decades_beyond"] == pytest.approx(1, abs=1e-6)
    assert far["decades_beyond_by_column"] == {"N": pytest.approx(1), "D": 0}
    done = predict(law, "--at", "N=1e9,D=1e11")
    assert done.returncode == 0 and "decades beyond the fitted runs" in done.stderr
    assert "95% of a new run" in done.stdout


def test_compute_alone_is_spent_optimally(stored, predict):
    out = document(predict(stored(sweep()), "--at", "C=6e15", "--json"))
    found = out["predictions"][0]
    optimal = found["optimal"]
    assert optimal["N"] * optimal["D"] == pytest.approx(1e15)
    best = min(loss_of(n, 1e15 / n) for n in (10 ** (4 + i / 1000) for i in range(6000)))
    assert found["value"] == pytest.approx(best, rel=1e-5)
    assert optimal["N_interval"][0] <= optimal["N"] * (1 + 1e-6)


def test_the_printed_law_holds_no_draws(fit, predict, tmp_path):  # noqa: F811
    name = write(tmp_path / "t.csv", sweep(0.003))
    printed = fit(name, "--ci", "bootstrap:500", "--json", "-o", "law.json").stdout
    kept = (tmp_path / "law.json").read_text()
    assert len(printed) < 20_000 and "prediction" not in json.loads(printed)
    both = json.loads(kept)
    prediction = both.pop("prediction")
    assert both == json.loads(printed), "the file is what was printed, and the draws"
    assert len(prediction[0]["draws"]) == 5 and len(prediction[0]["draws"][0]) == 500
    assert len(kept) < 80_000 and len(kept.splitlines()) < 400


def test_groups_are_named(stored, predict):
    rows = [(*row, name) for name in ("mae", "jepa") for row in sweep(0.003)]
    law = stored(rows, "N,D,loss,objective", "--group-column", "objective")
    assert document(predict(law, "--at", "N=1e7,D=1e8", "--group", "jepa", "--json"))["group"] == "jepa"
    for arguments in ([], ["--group", "japa"]):
        done = predict(law, "--at", "N=1e7,D=1e8", *arguments)
        assert done.returncode == 2 and "error[usage.group]" in done.stderr


@pytest.mark.parametrize("point, code", [
    ("N=1e8", "usage.missing_axis"),
    ("N=1e8,M=3", "usage.axis"),
    ("N=1e8,D=1e9,U=1e8", "usage.axis"),
    ("N=0,D=1e9", "usage.number"),
    ("N=1e8,D=many", "usage.number"),
    ("1e8", "usage.point"),
])
def test_points_that_cannot_be_read(stored, predict, point, code):
    done = predict(stored(sweep(0.003)), "--at", point)
    assert done.returncode == 2 and f"error[{code}]" in done.stderr and "help:" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("text, code", [
    (None, "data.missing_file"),
    ("N,D,loss\n1,2,3\n", "data.not_a_law"),
    ('{"format": 1}', "data.not_a_law"),
    ('{"format": 99, "prediction": []}', "data.law_format"),
])
def test_files_that_hold_no_law(predict, tmp_path, text, code):
    if text is not None:
        (tmp_path / "x.json").write_text(text)
    done = predict("x.json", "--at", "N=1e8,D=1e9")
    assert done.returncode == 1 and f"error[{code}]" in done.stderr


def test_a_failed_fit_predicts_nothing(fit, predict, tmp_path):  # noqa: F811
    assert fit(write(tmp_path / "t.csv", sweep(sizes=2)), "-o", "law.json").returncode == 1
    done = predict("law.json", "--at", "N=1e8,D=1e9")
    assert done.returncode == 1 and "error[law.unusable]" in done.stderr


# D = 20 N throughout: between its runs such a law is as good as any, beside them it is luck.
def test_a_single_line_predicts_along_itself(stored, predict):
    generator = random.Random(5)
    sizes = [10 ** (6 + i / 4) for i in range(12)]
    law = stored([(n, 20 * n, loss_of(n, 20 * n, generator.gauss(0, 0.003))) for n in sizes])
    out = document(predict(law, "--at", "N=2e7,D=4e8", "--json"))
    found = out["predictions"][0]
    assert out["identifiable"] is False and "does not identify" in found["warnings"][0]
    assert found["run_interval"][0] < loss_of(2e7, 4e8) < found["run_interval"][1]
    done = predict(law, "--at", "N=2e6,D=4e9")
    assert done.returncode == 1 and "error[law.not_identifiable]" in done.stderr


def test_without_resamples_there_are_no_intervals(fit, predict, tmp_path):  # noqa: F811
    fit(write(tmp_path / "t.csv", sweep(0.003)), "--ci", "none", "-o", "law.json")
    out = document(predict("law.json", "--at", "N=1e7,D=1e8", "--json"))
    assert out["predictions"][0]["interval"] is None and "--ci bootstrap" in out["predictions"][0]["warnings"][0]
    assert math.isclose(out["predictions"][0]["value"], loss_of(1e7, 1e8), rel_tol=0.02)


def test_exponents_shared_by_groups_predict_each(fit, predict, tmp_path):  # noqa: F811
    noise = random.Random(1)
    rows = [(n, d, loss_of(factor * n, d, noise.gauss(0, 0.002)), group)
            for group, factor in (("mae", 1), ("jepa", 3)) for n, d, _ in sweep()]
    name = write(tmp_path / "t.csv", rows, "N,D,loss,objective")
    done = fit(name, "--group-column", "objective", "--share", "exponents", "--ci", "bootstrap:300", "-o", "law.json")
    assert done.returncode == 0, done.stderr
    at = ["--at", "N=1e9,D=1e10", "--json"]
    alone, shared = (document(predict("law.json", "--group", group, *at))["predictions"][0]
                     for group in ("jepa", "jepa: shared exponents"))
    truth = loss_of(3e9, 1e10)
    for found in (alone, shared):
        assert found["interval"][0] < truth < found["interval"][1] and found["run_interval"]
    # Both groups' rows tell the exponents: less is open.
    assert shared["interval"][1] - shared["interval"][0] < alone["interval"][1] - alone["interval"][0]
    assert "jepa: shared exponents" in predict("law.json", *at).stderr


def test_exponents_that_are_not_shared_predict_between_their_runs_alone(fit, predict, tmp_path):  # noqa: F811
    rows = [(n, d, 1.7 + 400 * n ** -alpha + 900 * d ** -0.29, group)
            for group, alpha in (("a", 0.3), ("b", 0.5)) for n, d, _ in sweep()]
    name = write(tmp_path / "t.csv", [(*row[:2], row[2] * math.exp(0.002 * math.sin(i)), row[3])
                                      for i, row in enumerate(rows)], "N,D,loss,objective")
    done = fit(name, "--group-column", "objective", "--share", "exponents", "--ci", "bootstrap:200", "-o", "law.json")
    assert "so read the separate laws" in done.stdout
    group = ["--group", "a: shared exponents"]
    assert predict("law.json", *group, "--at", "N=1e7,D=1e8").returncode == 0
    far = predict("law.json", *group, "--at", "N=1e9,D=1e10")
    assert far.returncode == 1 and "do not share their exponents" in far.stderr
