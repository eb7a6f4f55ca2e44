"""A slow, independent minimiser of what `assay fit` minimises: SciPy from many random starts.

The objective is sum_i rho(log L_i - log L^_i) with Huber's rho(r) = r^2/2 where |r| <= delta, else
delta (|r| - delta/2); delta = inf is least squares. No code and no idea of assay's search is shared: no grid, no
choice of starts. Forms and their bounds stand in law_oracle_forms.py. Parameters of an oracle are in units in which
losses have a geometric mean of one and so have columns, which moves no residual.

Every start is brought near a minimum by MINPACK's Levenberg-Marquardt (coefficients as logarithms, residuals as the
signed root of 2 rho, so that their squares sum to the objective), at a coarse delta first; the best of them are
brought to it by L-BFGS-B within the bounds, and those that differ are polished until nothing is gained.
"""
import math

import numpy
from scipy import optimize

import law_oracle_forms

COARSE_DELTA = 0.03  # of the first iterations of a start: far rows still pull
RELATIVE = 1e-9
# Residuals of 1e-12 in every row: the logarithm of a loss written in double precision is known no better than
# 1e-15, and a sum of squares this small says only that the table has no noise.
RESIDUAL_FLOOR = 1e-12
FINALISTS = 12  # starts that L-BFGS-B continues


class Oracle:
    """One table and one form. columns: arrays [n] in the form's order, N, D, U; losses [n]."""

    def __init__(self, losses, *columns, delta, form=None):
        self.log_loss = numpy.log(numpy.asarray(losses, float))
        self.centre = self.log_loss.mean()
        self.log_loss = self.log_loss - self.centre
        logs = numpy.log(numpy.asarray(columns, float))
        self.means = logs.mean(axis=1)
        if len(logs) == 3:
            self.means[2] = self.means[1]  # U is counted in the unit of D
        self.columns = logs - self.means[:, None]
        self.rows = len(self.log_loss)
        self.delta = math.inf if delta is None else delta
        self.form = law_oracle_forms.FORMS[form or ("chinchilla" if len(logs) == 2 else "floor_power")]
        self.low, self.high = numpy.array(self.form.bounds, float).T
        self.bounds = [(low, high if math.isfinite(high) else None) for low, high in self.form.bounds]

    def units(self, parameters):
        """Parameters in the units of the table -> those of the oracle."""
        return self.form.centred(numpy.asarray(parameters, float), self.means, self.centre)

    def residuals(self, parameters):
        """And their derivatives, [n] and [n, p]."""
        value, slope = self.form.evaluate(parameters, self.columns)
        value = numpy.maximum(value, 1e-300)
        return self.log_loss - numpy.log(value), -(slope / value).T

    def value_and_gradient(self, parameters, delta=None):
        delta = self.delta if delta is None else delta
        residual, slope = self.residuals(parameters)
        near = numpy.clip(residual, -delta, delta)
        return float(near @ residual - 0.5 * near @ near), near @ slope

    def value(self, parameters):
        return self.value_and_gradient(parameters)[0]

    def random_start(self, generator):
        """Any share of the floor, any size of the terms, any exponent."""
        return numpy.clip(self.form.start(generator, self.columns, math.exp(self.log_loss.min())), self.low, self.high)

    def approach(self, start, delta, evaluations):
        """Levenberg-Marquardt in logarithms of the coefficients; what would leave the bounds stands at them."""
        count = self.form.coefficients
        low, high = self.low.copy(), self.high.copy()
        low[:count], high[:count] = -60, 60
        kept = {}

        def at(inner):
            outer = numpy.clip(inner, low, high)
            outer[:count] = numpy.exp(outer[:count])
            return outer

        def both(inner):
            key = inner.tobytes()
            if key not in kept:
                outer = at(inner)
                residual, slope = self.residuals(outer)
                near = numpy.clip(residual, -delta, delta)
                root = numpy.sqrt(numpy.maximum(2 * near * residual - near * near, 1e-300))
                slope[:, :count] *= outer[:count]
                slope[:, (inner < low) | (inner > high)] = 0
                kept.clear()
                kept[key] = numpy.sign(residual) * root, slope * (numpy.abs(near) / root)[:, None]
            return kept[key]

        inner = start.copy()
        inner[:count] = numpy.log(numpy.maximum(start[:count], 1e-12))
        solved = optimize.leastsq(lambda z: both(z)[0], inner, Dfun=lambda z: both(z)[1], ftol=1e-5, xtol=1e-6,
                                  maxfev=evaluations, full_output=True)[0]
        return at(solved)

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
        scale = {"loss": "linear"} if math.isinf(self.delta) else {"loss": "huber", "f_scale": self.delta}
        for _ in range(rounds):
            before = value
            inside = numpy.clip(best, self.low + 1e-12,
                                numpy.where(numpy.isinf(self.high), self.high, self.high - 1e-12))
            trials = [self.descend(best, self.delta, scale=1 / max(before, 1e-30))]
            try:
                solved = optimize.least_squares(lambda p: self.residuals(p)[0], inside, lambda p: self.residuals(p)[1],
                                                bounds=(self.low, self.high), x_scale="jac", xtol=1e-15, ftol=1e-15,
                                                gtol=1e-15, max_nfev=200, **scale).x
                trials += [solved, self.descend(solved, self.delta, scale=1 / max(before, 1e-30))]
            except ValueError:  # a step to where values overflow
                pass
            for trial in trials:
                if self.value(trial) < value:
                    best, value = trial, self.value(trial)
            if not value < before * (1 - 1e-12):
                break
        return best, value

    def minimise(self, starts, seed, polished=4):
        """(parameters, objective): `starts` random starts, the best `polished` different ones polished."""
        generator = numpy.random.default_rng(seed)
        own = min(self.delta, 1e3)
        found = []
        with numpy.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for _ in range(starts):
                at = self.random_start(generator)
                if self.delta < COARSE_DELTA:
                    at = self.approach(at, COARSE_DELTA, 30)
                at = self.approach(at, own, 60)
                found.append((self.value(at), at))
            found.sort(key=lambda one: one[0])
            finalists = [self.descend(at, own) for _, at in different(found, 1e-3, FINALISTS)]
            found = sorted(((self.value(at), at) for at in finalists), key=lambda one: one[0])
            return min((self.polish(at) for _, at in different(found, 1e-4, polished)), key=lambda one: one[1])


def different(found, relative, most):
    """Of sorted (value, parameters), up to `most` whose values differ: others are the same minimum again."""
    out = []
    for value, at in found:
        if len(out) < most and (not out or value > out[-1][0] * (1 + relative)):
            out.append((value, at))
    return out


def excess(objective, oracle_objective, rows):
    """By how much a fit is worse than the oracle, beyond what rounding explains; at most zero = not worse."""
    allowed = RELATIVE * abs(oracle_objective) + 0.5 * rows * RESIDUAL_FLOOR**2
    return objective - oracle_objective - allowed
