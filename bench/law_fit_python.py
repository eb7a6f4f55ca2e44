"""Scaling laws fitted with NumPy and SciPy: the strongest we could write, and the published way. For law_fit.py.

Both minimise the sum of Huber's loss of log L - log(exp(a - alpha log N) + exp(b - beta log D) + exp(e)).
Parameters: [a, b, e, alpha, beta].
"""
import dataclasses
import itertools

import numpy
from scipy import optimize

COARSE_DELTA = 0.03


@dataclasses.dataclass
class Rows:
    """Centred logarithms (the strongest), or as they are (the published way, with centres of zero)."""

    x: numpy.ndarray
    y: numpy.ndarray
    log_loss: numpy.ndarray
    centres: tuple

    @classmethod
    def of(cls, n, d, loss):
        x, y = numpy.log(n), numpy.log(d)
        return cls(x - x.mean(), y - y.mean(), numpy.log(loss), (x.mean(), y.mean()))

    @property
    def count(self):
        return len(self.x)

    def take(self, rows):
        return Rows(self.x[rows], self.y[rows], self.log_loss[rows], self.centres)


def value(p, rows, delta):
    residual = rows.log_loss - numpy.log(numpy.exp(p[0] - p[3] * rows.x) + numpy.exp(p[1] - p[4] * rows.y)
                                         + numpy.exp(p[2]))
    near = numpy.clip(residual, -delta, delta)
    return near @ residual - 0.5 * (near @ near)


def value_and_gradient(p, rows, delta, scale):
    first = numpy.exp(p[0] - p[3] * rows.x)
    second = numpy.exp(p[1] - p[4] * rows.y)
    floor = numpy.exp(p[2])
    predicted = first + second + floor
    residual = rows.log_loss - numpy.log(predicted)
    near = numpy.clip(residual, -delta, delta)
    pull = near / predicted
    one, two = pull * first, pull * second
    gradient = numpy.array([-one.sum(), -two.sum(), -floor * pull.sum(), one @ rows.x, two @ rows.y])
    return scale * (near @ residual - 0.5 * (near @ near)), scale * gradient


def descend(rows, start, delta):
    """BFGS with the analytic gradient, on a sum scaled to about 1 so that its tolerance means something."""
    scale = 1 / max(value(start, rows, delta), 1e-30)
    return optimize.minimize(value_and_gradient, start, (rows, delta, scale), jac=True, method="BFGS",
                             options={"gtol": 1e-7}).x


def projected_grid(rows, size=32):
    """Least squares of 1 - prediction/loss over E, A, B >= 0 at every (alpha, beta) at once, in closed form: of the
    7 sets of active terms, the one that is feasible and best. Returns exponents, sums [size, size], coefficients."""
    exponents = numpy.linspace(0.05, 1.25, size)
    loss = numpy.exp(rows.log_loss)
    first = numpy.exp(-numpy.outer(exponents, rows.x)) / loss
    second = numpy.exp(-numpy.outer(exponents, rows.y)) / loss
    floor = 1 / loss
    gram, right = numpy.empty((size, size, 3, 3)), numpy.empty((size, size, 3))
    gram[..., 0, 0] = (first**2).sum(1)[:, None]
    gram[..., 1, 1] = (second**2).sum(1)
    gram[..., 2, 2] = floor @ floor
    gram[..., 0, 1] = gram[..., 1, 0] = first @ second.T
    gram[..., 0, 2] = gram[..., 2, 0] = (first @ floor)[:, None]
    gram[..., 1, 2] = gram[..., 2, 1] = second @ floor
    right[..., 0], right[..., 1], right[..., 2] = first.sum(1)[:, None], second.sum(1), floor.sum()
    best = numpy.full((size, size), numpy.inf)
    coefficients = numpy.zeros((size, size, 3))
    for active in ([0, 1, 2], [0, 1], [0, 2], [1, 2], [0], [1], [2]):
        some = right[..., active]
        solved = numpy.linalg.solve(gram[..., active, :][..., active], some[..., None])[..., 0]
        total = rows.count - (solved * some).sum(-1)
        better = (solved >= 0).all(-1) & (total < best)
        best[better] = total[better]
        coefficients[better] = 0
        where = numpy.nonzero(better)
        for k, term in enumerate(active):
            coefficients[(*where, term)] = solved[better][:, k]
    return exponents, best, coefficients


def projected_fit(rows, delta, starts):
    """(parameters, objective): the grid's best local minima, polished at a coarse delta and then at delta."""
    exponents, total, coefficients = projected_grid(rows)
    edge = numpy.pad(total, 1, constant_values=numpy.inf)
    around = [edge[1 + i:1 + i + len(total), 1 + j:1 + j + len(total)]
              for i, j in itertools.product((-1, 0, 1), repeat=2) if i or j]
    minima = numpy.argwhere(total <= numpy.min(around, axis=0))
    minima = list(minima[numpy.argsort(total[tuple(minima.T)])][:starts])
    # As many as asked for: more of the best cells where there are fewer local minima.
    for cell in numpy.argsort(total, axis=None):
        if len(minima) >= starts:
            break
        minima.append(numpy.array(numpy.unravel_index(cell, total.shape)))
    best = None
    for i, j in minima:
        logs = numpy.log(numpy.maximum(coefficients[i, j], 1e-6))
        at = descend(rows, numpy.array([*logs, exponents[i], exponents[j]]), COARSE_DELTA)
        at = descend(rows, at, delta)
        found = value(at, rows, delta)
        if best is None or found < best[1]:
            best = at, found
    return best


def published_grid(rows, delta, sample):
    """Besiroglu et al. (2024, arXiv:2404.10102): L-BFGS-B with finite differences from 5 x 5 x 5 x 6 x 6 starts, of
    which `sample` are drawn. (parameters, objective) of the best."""
    raw = Rows(rows.x + rows.centres[0], rows.y + rows.centres[1], rows.log_loss, (0, 0))
    half, five = numpy.arange(0, 2.1, 0.5), numpy.arange(0, 26, 5)
    grid = list(itertools.product(five, five, numpy.arange(-1, 1.1, 0.5), half, half))
    best = None
    for k in numpy.random.default_rng(0).choice(len(grid), sample, replace=False):
        with numpy.errstate(over="ignore", invalid="ignore"):
            found = optimize.minimize(value, numpy.array(grid[k]), (raw, delta), method="L-BFGS-B")
        if best is None or found.fun < best[1]:
            best = found.x, found.fun
    return best
