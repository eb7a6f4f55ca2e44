# assay fit finds the global minimum: never worse than SciPy from many random starts (tests/golden/law_oracle.py),
# on simulated tables of seven designs, on tables of every form and on published ones. With ASSAY_VALIDATE=1: 1,000
# simulated tables of chinchilla, 25 of every form and every published table, 500 starts each.
import csv
import json
import math
import os
import pathlib
import subprocess
import sys

import pytest

numpy = pytest.importorskip("numpy")
pytest.importorskip("scipy")

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "golden"))
from law_oracle import RELATIVE, Oracle, excess  # noqa: E402
from law_oracle_forms import FORMS  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "laws"
FULL = os.environ.get("ASSAY_VALIDATE") == "1"
STARTS = 500 if FULL else 30
BLOCK = 20  # tables a test
BLOCKS = 50 if FULL else 1
DESIGNS = ("5x5", "4x4", "random12", "outliers", "shallow", "no_floor", "clustered")
LOSSES = ("huber:auto", "huber:1e-3", "mse")
# Tables beside the first three with minima that are hard to find: at bounds, between two rows, along flat valleys.
HARD = {"bounded": (7,), "one_break": (37, 52, 66), "repetition": (5, 8, 10), "chinchilla": (25,)}


def simulated(index):
    """(name, rows of N, D, loss, run): designs and noise levels in turn, a law drawn for each."""
    generator = numpy.random.default_rng([6, index])
    design = DESIGNS[index % len(DESIGNS)]
    exponents = generator.uniform(0.2, 0.6, 2)
    if design == "shallow":
        exponents[index // len(DESIGNS) % 2] = 0.1
    shares = generator.dirichlet([2, 2, 2])  # floor, N and D, of the loss at the centre of the design
    if design == "no_floor":
        shares[0] = 0
    size = 4 if design == "4x4" else 5
    axis = numpy.linspace(-1, 1, size) * math.log(10)
    x, y = (one.ravel() for one in numpy.meshgrid(axis, axis))
    if design == "random12":
        x, y = generator.uniform(-1, 1, (2, 12)) * math.log(10)
    run = numpy.arange(len(x))
    if design == "clustered":  # 9 runs with 4 checkpoints each
        x, y = generator.uniform(-1, 1, (2, 9)) * math.log(10)
        run = numpy.repeat(numpy.arange(9), 4)
        x, y = x[run], y[run] + numpy.tile(numpy.log([0.25, 0.5, 0.75, 1]), 9)
    sigma = (0.005, 0.001, 0.02)[index // (len(DESIGNS) * len(LOSSES)) % 3]
    noise = sigma * generator.standard_normal(len(x))
    if design == "outliers":
        noise += (generator.random(len(x)) < 0.08) * generator.uniform(5, 20, len(x)) * sigma
    if design == "clustered":
        noise += sigma * generator.standard_normal(9)[run]
    loss = 3 * (shares[0] + shares[1] * numpy.exp(-exponents[0] * x) + shares[2] * numpy.exp(-exponents[1] * y))
    return design, list(zip(1e7 * numpy.exp(x), 1e9 * numpy.exp(y), loss * numpy.exp(noise), run))


def simulated_form(name, index):
    """(columns as logarithms from the centre [k, n], losses): a law of the form drawn at random that falls by a factor
    between 1.3 and 50 over the table."""
    generator = numpy.random.default_rng([6, sorted(FORMS).index(name), index])
    form = FORMS[name]
    if name in ("power", "floor_power", "bounded", "one_break"):
        rows = ((20, 30, 60) if name == "one_break" else (12, 20, 40))[index % 3]
        columns = [numpy.sort(generator.uniform(-3.5, 3.5, rows))]
    else:
        axis = numpy.linspace(-1, 1, (5, 6)[index % 2]) * math.log(10)
        columns = [one.ravel() for one in numpy.meshgrid(axis, axis)]
        if name.startswith("repetition"):
            columns.append(numpy.full(len(columns[0]), generator.uniform(-1.5, 1)))
    columns = numpy.array(columns)
    while True:
        parameters = form.start(generator, columns, 1.0)
        if name == "bounded":
            parameters[:4] = generator.uniform(0, 0.3), 1, generator.uniform(0.3, 1.5), generator.uniform(-2, 2)
        value = form.evaluate(parameters, columns)[0]
        if 1.3 < value.max() / value.min() < 50:
            break
    sigma = (0.005, 0.001, 0.02)[index // 3 % 3]
    return columns, value * numpy.exp(sigma * generator.standard_normal(len(value)))


def fit(assay, folder, header, rows, *options):
    (folder / "t.csv").write_text("\n".join([header, *(",".join(str(one) for one in row) for row in rows)]) + "\n")
    done = subprocess.run([assay, "fit", "t.csv", "--json", "--ci", "none", *options], cwd=folder, timeout=60,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    law = json.loads(done.stdout)
    assert law["n"] == len(rows)
    return law


def compare(law, oracle, seed, starts=STARTS):
    """Fails where the fit is worse than the oracle, or says an objective that its parameters do not have.
    Returns (fit - oracle) / oracle."""
    parameters = law["fitted"]  # the minimum; `parameters` are null where a table does not identify them
    own = oracle.value(oracle.units(parameters))
    floor = excess(0, 0, oracle.rows)
    assert law["objective"] == pytest.approx(own, rel=1e-8, abs=-floor), "objective of the reported parameters"
    at, best = oracle.minimise(starts, seed)
    worse = excess(law["objective"], best, oracle.rows)
    assert worse <= 0, f"{law['objective']!r} at {parameters}; the oracle has {best!r} at {at.tolist()} (its units)"
    return (law["objective"] - best) / max(best, -floor)


def delta_of(law):
    return law["delta"] if law["delta"] is not None else math.inf


def reached(differences, share):
    """The oracle is a test only where it arrives: of its results, at least `share` are the fit's own minimum."""
    arrived = sum(abs(one) <= 1e-7 for one in differences)
    print(f"{len(differences)} tables, the oracle arrives on {arrived}; differences {min(differences):.1e} to "
          f"{max(differences):.1e}")
    assert arrived >= share * len(differences)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_simulated_tables(assay, tmp_path, block):
    differences, failures = [], []
    for index in range(block * BLOCK, (block + 1) * BLOCK):
        design, rows = simulated(index)
        loss = LOSSES[index // len(DESIGNS) % len(LOSSES)]
        law = fit(assay, tmp_path, "N,D,loss,run", rows, "--form", "chinchilla", "--loss", loss)
        n, d, losses, _ = zip(*rows)
        try:
            differences.append(compare(law, Oracle(losses, n, d, delta=delta_of(law)), index))
        except AssertionError as error:
            failures.append(f"table {index}, {design}, {loss}: {error}")
    assert not failures, "\n".join(failures)
    reached(differences, 0.9)


@pytest.mark.parametrize("name", FORMS)
def test_every_form(assay, tmp_path, name):
    differences, failures = [], []
    for index in sorted({*range(25 if FULL else 3), *HARD.get(name, ())}):
        columns, losses = simulated_form(name, index)
        loss = LOSSES[index % 3 if len(columns) > 1 else index // 3 % 3]
        table = numpy.exp(columns) * numpy.array([[1e9]] if len(columns) == 1 else [[1e7], [1e9], [1e9]])[:len(columns)]
        rows = [[repr(float(one)) for one in row] for row in zip(*table, losses)]
        header = {1: "D,loss", 2: "N,D,loss", 3: "N,D,U,loss"}[len(columns)]
        law = fit(assay, tmp_path, header, rows, "--form", name, "--loss", loss)
        try:
            differences.append(compare(law, Oracle(losses, *table, delta=delta_of(law), form=name), index))
        except AssertionError as error:
            failures.append(f"table {index}, {loss}: {error}")
    assert not failures, "\n".join(failures)
    reached(differences, 0.6)  # its starts are few for five parameters and more


def published(folder, file):
    path = DATA / folder / file
    if not path.exists():
        pytest.skip(f"no ../shared/data/laws/{folder} here")
    with path.open(newline="") as text:
        return list(csv.DictReader(text))


@pytest.mark.parametrize("loss", LOSSES if FULL else LOSSES[1:2])
@pytest.mark.parametrize("dropped", (5, 0) if FULL else (5,))
def test_chinchilla_reconstruction(assay, tmp_path, loss, dropped):
    table = published("epoch-chinchilla", "svg_extracted_data.csv")
    rows = [(float(r["Model Size"]), float(r["Training FLOP"]) / (6 * float(r["Model Size"])), float(r["loss"]))
            for r in table]
    rows = sorted(rows, key=lambda row: row[2])[:len(rows) - dropped]
    law = fit(assay, tmp_path, "N,D,loss", rows, "--form", "chinchilla", "--loss", loss)
    n, d, losses = zip(*rows)
    reached([compare(law, Oracle(losses, n, d, delta=delta_of(law)), 0)], 1)


@pytest.mark.skipif(not FULL, reason="ASSAY_VALIDATE=1: every published table")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("single_epoch", (True, False))
def test_datablations(assay, tmp_path, loss, single_epoch):
    rows = [tuple(float(r[name]) for name in ("params_N", "tokens_D", "val_loss", "unique_tokens_U"))
            for r in published("datablations", "c4_val_losses_N_D_U.csv")]
    rows = [row[:3] for row in rows if not single_epoch or row[1] <= row[3]]
    law = fit(assay, tmp_path, "N,D,loss", rows, "--form", "chinchilla", "--loss", loss)
    n, d, losses = zip(*rows)
    compare(law, Oracle(losses, n, d, delta=delta_of(law)), 0)


@pytest.mark.skipif(not FULL, reason="ASSAY_VALIDATE=1: every published table")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("file", ("benchmark.lang.csv", "benchmark.vision.csv"))
def test_learning_curves(assay, tmp_path, file, loss):
    curves = {}
    for r in published("alabdulmohsin-benchmark", file):
        if r["Training"] == "1":
            curves.setdefault((r["Domain"], r["Task"], r["Model"]), []).append(
                (float(r["Seen Examples"]), float(r["Loss"])))
    failures, differences = [], []
    for name, rows in curves.items():
        law = fit(assay, tmp_path, "D,loss", rows, "--form", "floor_power", "--loss", loss)
        try:
            differences.append(compare(law, Oracle(*reversed(list(zip(*rows))), delta=delta_of(law)), 0))
        except AssertionError as error:
            failures.append(f"{name}: {error}")
    assert not failures, "\n".join(failures)
    reached(differences, 0.9)


# A planted fault: parameters a thousandth off the minimum, and a minimum that is only local, are both caught.
@pytest.mark.parametrize("fault", ("perturbed", "no floor"))
def test_a_fit_that_is_no_minimum_is_caught(fault):
    _, rows = simulated(0)
    n, d, losses, _ = zip(*rows)
    oracle = Oracle(losses, n, d, delta=0.005)
    best, value = oracle.minimise(8, 0)
    assert excess(value, value, oracle.rows) <= 0 < excess(value * (1 + 3 * RELATIVE), value, oracle.rows)
    wrong = best * 1.001 if fault == "perturbed" else oracle.polish(numpy.concatenate([[0], best[1:]]), rounds=0)[0]
    table = wrong * numpy.exp([oracle.centre] * 3 + [0, 0])
    table[1:3] *= numpy.exp(wrong[3:] * oracle.means)
    law = {"fitted": list(table), "objective": oracle.value(wrong)}
    with pytest.raises(AssertionError, match="the oracle has"):
        compare(law, oracle, 0, starts=8)
