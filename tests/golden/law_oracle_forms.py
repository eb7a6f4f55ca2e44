"""The forms of `assay fit` in NumPy, for law_oracle.py: values, derivatives, bounds and random starts.

Bounds are those of assay/law/forms, in the same units: columns divided by their geometric means (U by that of D), so
log_x0, log_d and log_rho count from there. evaluate(parameters, columns [k, n]) gives L [n] and dL/dp [p, n].
"""
import math

import numpy

INFINITY = math.inf
COEFFICIENT = (0, INFINITY)
EXPONENT = (0.005, 4)


def log_uniform(generator, low, high):
    return math.exp(generator.uniform(math.log(low), math.log(high)))


def softplus(t):
    return numpy.logaddexp(0, t)


def logistic(t):
    return 0.5 * (1 + numpy.tanh(0.5 * t))


class Power:
    """A x^-c"""

    coefficients, bounds = 1, [COEFFICIENT, (-4, 4)]

    def evaluate(self, p, columns):
        term = numpy.exp(-p[1] * columns[0])
        return p[0] * term, numpy.array([term, -p[0] * term * columns[0]])

    def centred(self, p, means, centre):
        return numpy.array([p[0] * math.exp(-p[1] * means[0] - centre), p[1]])

    def start(self, generator, columns, least):
        return numpy.array([math.exp(generator.normal(0, 1.5)), generator.uniform(-1, 2)])


class Sum:
    """E + sum_k A_k x_k^-a_k, of any number of columns; tied: one exponent"""

    def __init__(self, terms, tied=False):
        self.terms, self.tied, self.coefficients = terms, tied, 1 + terms
        self.bounds = [COEFFICIENT] * (1 + terms) + [EXPONENT] * (1 if tied else terms)

    def evaluate(self, p, columns):
        exponents = numpy.reshape(p[1 + self.terms:], (-1, 1))
        powers = numpy.exp(-exponents * columns)
        terms = p[1:1 + self.terms, None] * powers
        by_exponent = -terms * columns
        if self.tied:
            by_exponent = by_exponent.sum(axis=0, keepdims=True)
        return p[0] + terms.sum(axis=0), numpy.concatenate([numpy.ones((1, columns.shape[1])), powers, by_exponent])

    def centred(self, p, means, centre):
        out = numpy.array(p, float)
        out[0] *= math.exp(-centre)
        out[1:1 + self.terms] *= numpy.exp(-p[1 + self.terms:] * means - centre)
        return out

    def start(self, generator, columns, least):
        exponents = [log_uniform(generator, 0.02, 2) for _ in range(1 if self.tied else self.terms)]
        return numpy.array([generator.uniform(0, 1.2) * least, *numpy.exp(generator.normal(-1, 1.5, self.terms)),
                            *exponents])


class Outer:
    """E + K (N^-alpha + exp(log_rho) D^-beta)^gamma"""

    coefficients = 2
    bounds = [COEFFICIENT] * 2 + [(0.005, 8), (0.005, 8), (-60, 60), (0.05, 8)]

    def evaluate(self, p, columns):
        floor, scale, alpha, beta, log_rho, gamma = p
        x, y = columns
        top = numpy.maximum(-alpha * x, log_rho - beta * y)  # powers of a sum of powers, without overflow
        one, two = numpy.exp(-alpha * x - top), numpy.exp(log_rho - beta * y - top)
        log_sum = top + numpy.log(one + two)
        power = numpy.exp(gamma * log_sum)
        first, second = one / (one + two), two / (one + two)
        pull = scale * gamma * power
        return floor + scale * power, numpy.array([numpy.ones_like(x), power, -pull * first * x, -pull * second * y,
                                                   pull * second, scale * power * log_sum])

    def centred(self, p, means, centre):
        floor, scale, alpha, beta, log_rho, gamma = p
        return numpy.array([floor * math.exp(-centre), scale * math.exp(-alpha * gamma * means[0] - centre), alpha,
                            beta, log_rho - beta * means[1] + alpha * means[0], gamma])

    def start(self, generator, columns, least):
        return numpy.array([generator.uniform(0, 1.2) * least, math.exp(generator.normal(-1, 1.5)),
                            log_uniform(generator, 0.05, 3), log_uniform(generator, 0.05, 3),
                            generator.normal(0, 2), log_uniform(generator, 0.1, 5)])


class Bounded:
    """E (1 - s) + L0 s with s/(1 - s)^a = (x/exp(log_x0))^-c"""

    coefficients = 2
    bounds = [COEFFICIENT] * 2 + [(0.005, 8), (-10, 10), (0.05, 20)]

    def evaluate(self, p, columns):
        floor, top, c, log_x0, a = p
        x = columns[0]
        u = -c * (x - log_x0)
        # log s - a log(1 - s) = u with s = logistic(t): increasing and between 1 and a steep; bisection, then Newton.
        low, high = numpy.minimum(u, u / a) - 1 - a, numpy.maximum(u, u / a) + 1 + 1 / a
        t = 0.5 * (low + high)
        for _ in range(100):
            wrong = -softplus(-t) + a * softplus(t) - u
            low, high = numpy.where(wrong < 0, t, low), numpy.where(wrong < 0, high, t)
            step = wrong / (logistic(-t) + a * logistic(t))
            newton = t - step
            t = numpy.where((newton >= low) & (newton <= high), newton, 0.5 * (low + high))
            if numpy.all(numpy.abs(step) <= 1e-14 * (1 + numpy.abs(t))):
                break
        share, rest = logistic(t), logistic(-t)
        slope = (top - floor) * share * rest / (rest + a * share)
        return floor * rest + top * share, numpy.array([rest, share, -slope * (x - log_x0), slope * c,
                                                        -slope * softplus(t)])

    def centred(self, p, means, centre):
        return numpy.array([p[0] * math.exp(-centre), p[1] * math.exp(-centre), p[2], p[3] - means[0], p[4]])

    def start(self, generator, columns, least):
        x = columns[0]
        return numpy.array([generator.uniform(0, 1.2) * least, math.exp(generator.normal(0.5, 1)),
                            log_uniform(generator, 0.05, 4), generator.uniform(x.min() - 4, x.max() + 4),
                            log_uniform(generator, 0.1, 10)])


class OneBreak:
    """E + B x^-c0 (1 + (x/exp(log_d))^(1/f))^(-c1 f)"""

    coefficients = 2
    bounds = [COEFFICIENT] * 2 + [(0, 4), (-4, 4), (-60, 60), (0.05, 4)]

    def evaluate(self, p, columns):
        floor, scale, c0, c1, log_d, f = p
        x = columns[0]
        u = (x - log_d) / f
        soft, rise = softplus(u), logistic(u)
        power = numpy.exp(-c0 * x - c1 * f * soft)
        term = scale * power
        return floor + term, numpy.array([numpy.ones_like(x), power, -term * x, -term * f * soft, term * c1 * rise,
                                          -term * c1 * (soft - u * rise)])

    def centred(self, p, means, centre):
        floor, scale, c0, c1, log_d, f = p
        return numpy.array([floor * math.exp(-centre), scale * math.exp(-c0 * means[0] - centre), c0, c1,
                            log_d - means[0], f])

    def start(self, generator, columns, least):
        x = columns[0]
        return numpy.array([generator.uniform(0, 1.2) * least, math.exp(generator.normal(-0.5, 1.5)),
                            generator.uniform(0, 1.5), generator.uniform(-1.5, 2),
                            generator.uniform(x.min() - 1, x.max() + 1), log_uniform(generator, 0.05, 2)])


class Repetition:
    """E + A N'^-alpha + B D'^-beta of Muennighoff et al. (2023): x' = u (1 + r (1 - exp(-(x/u - 1)/r))) with u the
    unique data, or the model size that balances both terms there."""

    coefficients = 3

    def __init__(self, tied):
        self.tied = tied
        self.bounds = [COEFFICIENT] + [(1e-6, INFINITY)] * 2 + [(0.02, 4)] * (1 if tied else 2) + [(0.05, 1e4)] * 2

    @staticmethod
    def worth(log_x, log_unique, star):
        """log x', and its derivatives by log u and by r."""
        repeats = numpy.maximum(numpy.expm1(log_x - log_unique), 0)
        kept = numpy.exp(-repeats / star)
        factor = 1 + star * (1 - kept)
        return (log_unique + numpy.log(factor), 1 - kept * (1 + repeats) / factor,
                (1 - kept - kept * repeats / star) / factor)

    def evaluate(self, p, columns):
        x, y, unique = columns
        floor, a, b, alpha = p[:4]
        beta = alpha if self.tied else p[4]
        data_star, model_star = p[-2:]
        log_u = numpy.minimum(y, unique)
        balance = math.log(alpha * a) - math.log(beta * b)
        log_size = (balance + beta * log_u) / alpha
        excess = log_size < x
        data, _, data_by_star = self.worth(y, log_u, data_star)
        model, by_size, model_by_star = self.worth(x, numpy.where(excess, log_size, x), model_star)
        first, second = numpy.exp(-alpha * model), numpy.exp(-beta * data)
        through = numpy.where(excess, -a * alpha * first * by_size, 0)  # dL/dlog u_N
        log_size = numpy.where(excess, log_size, 0)
        by_alpha = -a * first * model + through * (1 / alpha - log_size) / alpha
        by_beta = -b * second * data + through * (log_u - 1 / beta) / alpha
        own = [by_alpha + by_beta] if self.tied else [by_alpha, by_beta]
        return floor + a * first + b * second, numpy.array(
            [numpy.ones_like(x), first + through / (alpha * a), second - through / (alpha * b),
             *own, -b * beta * second * data_by_star, -a * alpha * first * model_by_star])

    def centred(self, p, means, centre):
        out = numpy.array(p, float)
        alpha, beta = p[3], p[3] if self.tied else p[4]
        out[:3] *= math.exp(-centre)
        out[1] *= math.exp(-alpha * means[0])
        out[2] *= math.exp(-beta * means[1])
        return out

    def start(self, generator, columns, least):
        exponents = [log_uniform(generator, 0.05, 1.5) for _ in range(1 if self.tied else 2)]
        return numpy.array([generator.uniform(0, 1.2) * least, *numpy.exp(generator.normal(-1, 1.5, 2)), *exponents,
                            log_uniform(generator, 0.3, 300), log_uniform(generator, 0.3, 300)])


FORMS = {"power": Power(), "floor_power": Sum(1), "chinchilla": Sum(2), "tied": Sum(2, tied=True), "outer": Outer(),
         "bounded": Bounded(), "one_break": OneBreak(), "repetition": Repetition(False),
         "repetition_tied": Repetition(True)}
