"""A slow, independent minimiser of what `assay fit` minimises: SciPy from many random starts.

The objective is sum_i rho(log L_i - log(E + sum_k A_k x_ik^-a_k)) with Huber's
rho(r) = r^2/2 where |r| <= delta, else delta (|r| - delta/2); delta = inf is least squares. Coefficients are
not negative and exponents lie within EXPONENTS, as in assay/law/forms. No code and no idea of assay's search is
shared: no grid, no projection, no choice of starts. Losses are in units of their geometric mean and columns
of theirs, which moves no residual. Parameters of an oracle are [E, A_1.., a_1..] in those units.
"""
import math

import numpy
from scipy import optimize

EXPONENTS = (0.005, 4.0)  # of chinchilla and floor_power
COARSE_DELTA = 0.03  # of the first iterations of a start: far rows still pull
RELATIVE = 1e-9
# Residuals of 1e-12 in every row: the logarithm of a loss written in double precision is known no better than
# 1e-15, and a sum of squares this small says only that the table has no noise.
RESIDUAL_FLOOR = 1e-12


class Oracle:
    """One table. columns: arrays [n] of N, D, … ; losses [n]."""

    def __init__(self, losses, *columns, delta):
        self.log_loss = numpy.log(numpy.asarray(losses, float))
        self.centre = self.log_loss.mean()
        self.log_loss = self.log_loss - self.centre
        logs = numpy.log(numpy.asarray(columns, float)).T
        self.means = logs.mean(axis=0)
        self.columns = logs - self.means  # [n, terms]
        self.rows, self.terms = self.columns.shape
        self.delta = math.inf if delta is None else delta
        self.bounds = [(0, None)] * (1 + self.terms) + [EXPONENTS] * self.terms

    def units(self, parameters):
        """Parameters in the units of the table -> those of the oracle."""
        floor, coefficients, exponents = self._parts(numpy.asarray(parameters, float))
        scaled = coefficients * numpy.exp(-exponents * self.means - self.centre)
        return numpy.concatenate([[floor * math.exp(-self.centre)], scaled, exponents])

    def residuals(self, parameters):
        """And their derivatives, [n] and [n, p]."""
        floor, coefficients, exponents = self._parts(parameters)
        powers = numpy.exp(-exponents * self.columns)
        terms = coefficients * powers
        value = numpy.maximum(floor + terms.sum(axis=1), 1e-300)
        slope = numpy.empty((self.rows, len(parameters)))
        slope[:, 0] = -1
        slope[:, 1:1 + self.terms] = -powers
        slope[:, 1 + self.terms:] = terms * self.columns
        return self.log_loss - numpy.log(value), slope / value[:, None]

    def value_and_gradient(self, parameters, delta=None):
        delta = self.delta if delta is None else delta
        residual, slope = self.residuals(parameters)
        near = numpy.clip(residual, -delta, delta)
        return float(near @ residual - 0.5 * near @ near), near @ slope

    def value(self, parameters):
        return self.value_and_gradient(parameters)[0]

    def random_start(self, generator):
        """Any share of the floor, any size of the terms, any exponent."""
        floor = generator.uniform(0, 1.2) * math.exp(self.log_loss.min())
        coefficients = numpy.exp(generator.normal(-1, 1.5, self.terms))
        exponents = numpy.exp(generator.uniform(math.log(0.02), math.log(2.0), self.terms))
        return numpy.concatenate([[floor], coefficients, exponents])

    def descend(self, start, delta, iterations=200, scale=None):
        scale = scale or 1 / min(self.rows * delta**2, 1.0)

        def scaled(parameters):
            value, gradient = self.value_and_gradient(parameters, delta)
            return value * scale, gradient * scale

        return optimize.minimize(scaled, start, jac=True, method="L-BFGS-B", bounds=self.bounds,
                                 options={"maxiter": iterations, "ftol": 1e-11, "gtol": 1e-9, "maxcor": 20}).x

    def polish(self, start, rounds=6):
        """Robust least squares inside the bounds, then L-BFGS-B onto them, until nothing is gained."""
        best, value = start, self.value(start)
        low, high = (numpy.array([b[k] if b[k] is not None else math.inf for b in self.bounds]) for k in (0, 1))
        scale = {"loss": "linear"} if math.isinf(self.delta) else {"loss": "huber", "f_scale": self.delta}
        for _ in range(rounds):
            before = value
            inside = numpy.clip(best, low + 1e-12, numpy.where(numpy.isinf(high), high, high - 1e-12))
            solved = optimize.least_squares(lambda p: self.residuals(p)[0], inside, lambda p: self.residuals(p)[1],
                                            bounds=(low, high), x_scale="jac", xtol=1e-15, ftol=1e-15, gtol=1e-15,
                                            max_nfev=200, **scale).x
            for trial in (solved, self.descend(solved, self.delta, scale=1 / max(before, 1e-30)),
                          self.descend(best, self.delta, scale=1 / max(before, 1e-30))):
                if self.value(trial) < value:
                    best, value = trial, self.value(trial)
            if not value < before * (1 - 1e-12):
                break
        return best, value

    def minimise(self, starts, seed, polished=4):
        """(parameters, objective): `starts` random starts, the best `polished` different ones polished."""
        generator = numpy.random.default_rng(seed)
        found = []
        for _ in range(starts):
            at = self.random_start(generator)
            if self.delta < COARSE_DELTA:
                at = self.descend(at, COARSE_DELTA, iterations=40)
            at = self.descend(at, min(self.delta, 1e3))
            found.append((self.value(at), at))
        found.sort(key=lambda one: one[0])
        best = None
        last = -math.inf
        for value, at in found:
            if value <= last * (1 + 1e-4):
                continue  # the same minimum, nearly reached again
            last = value
            candidate = self.polish(at)
            best = candidate if best is None or candidate[1] < best[1] else best
            polished -= 1
            if polished == 0:
                break
        return best

    def _parts(self, parameters):
        return parameters[0], parameters[1:1 + self.terms], parameters[1 + self.terms:]


def excess(objective, oracle_objective, rows):
    """By how much a fit is worse than the oracle, beyond what rounding explains; at most zero = not worse."""
    allowed = RELATIVE * abs(oracle_objective) + 0.5 * rows * RESIDUAL_FLOOR**2
    return objective - oracle_objective - allowed
