# Exponents shared by groups: the sum that is minimised is never larger than SciPy's best from random starts.
import json
import math
import os
import random

import pytest
from test_fit import document, fit, loss_of, sweep, write  # noqa: F401 (fit is a fixture)

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads are slower beside other load
numpy = pytest.importorskip("numpy")
optimize = pytest.importorskip("scipy.optimize")


def scipy_best(rows, scales, starts, seed):
    """Least of Σ r²/(2 λ_g), r = log L − log L̂, over alpha, beta and log E, A, B of each group."""
    size, data, loss = (numpy.log([row[i] for row in rows]) for i in range(3))
    group = numpy.array(["abc".index(row[3]) for row in rows])
    weight = 1 / numpy.sqrt(2 * numpy.array(scales)[group])
    size, data = size - size.mean(), data - data.mean()

    def residuals(x):
        c = numpy.exp(x[2:].reshape(3, 3))[group]
        value = c[:, 0] + c[:, 1] * numpy.exp(-x[0] * size) + c[:, 2] * numpy.exp(-x[1] * data)
        return (loss - numpy.log(value)) * weight

    generator = numpy.random.default_rng(seed)
    best = math.inf
    for _ in range(starts):
        start = numpy.concatenate([generator.uniform(0.05, 1.2, 2), generator.uniform(-3, 1.5, 9)])
        found = optimize.least_squares(residuals, start, max_nfev=300, xtol=1e-14, ftol=1e-14, gtol=1e-12)
        best = min(best, 2 * found.cost)
    return best


@pytest.mark.parametrize("seed, sigma", [(0, 0.003), (1, 0.01), (2, 0.05)])
def test_shared_exponents_are_never_worse_than_scipy(fit, tmp_path, seed, sigma):  # noqa: F811
    generator = random.Random(seed)
    groups = [("a", 1, 1), *((name, 10 ** generator.uniform(-1, 1), 10 ** generator.uniform(-1, 1)) for name in "bc")]
    rows = [(n, d, loss_of(by_n * n, by_d * d, generator.gauss(0, sigma)), name)
            for name, by_n, by_d in groups for n, d, _ in sweep()]
    out = document(fit(write(tmp_path / "t.csv", rows, "N,D,loss,objective"), "--share", "exponents", "--loss", "mse",
                       "--ci", "none", "--json"))
    scales = [2 * law["objective"] / (25 - 5) for law in out["laws"]]  # residual variances of separate fits
    best = scipy_best(rows, scales, 10, seed)
    assert out["shared_exponents"]["objective"] <= best * (1 + 1e-9), json.dumps(out["shared_exponents"])
