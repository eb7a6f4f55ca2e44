#!/usr/bin/env python3
"""What estimators of gradient noise return where the truth is known: Assay's beside those of other tools.

    bench/noise_estimators.py [--replications 400] [--seed 1]

World: example i has the loss (w − c_i)ᵀH(w − c_i)/2 with H = diag(h) and c_i ~ N(w*, H⁻¹), P = 100 parameters.
Its gradient is H(w − c_i): G = H(w − w*), Σ = H, so |G|² and tr Σ are known at any weights. An objective with
its own randomness adds N(0, ratio · H) at each draw. What is estimated is the SNR of one example, |G|²/tr Σ;
tools that report the gradient noise scale (GNS = tr Σ/|G|²) enter with 1/GNS, because GNS has no mean where the
estimate of |G|² may be near 0.

Each estimator gets 512 per-example gradients, in the way that suits it best: as one batch where it takes any
batch, as 16 microbatches of 32 where it compares two batch sizes. Written from the formulas; no other tool's
code is run:

 * MeanGSNR: mean over parameters of ḡ²/(mean of g² − ḡ² + 1e-5). Cockpit, cockpit/quantities/mean_gsnr.py,
   after Liu et al. 2020 (arXiv 2001.07384). Its truth is the mean over parameters of G_k²/Σ_kk.
 * plug-in: |ḡ|²/tr of the per-example variance (divisor N), which is what one gets from BackPACK's BatchGrad or
   Variance (backpack/extensions/firstorder/variance/variance_base.py) without more ado. BackPACK claims no SNR.
   Under a mean loss its gradients are scaled by 1/N (its issue 49): that is undone here.
 * two batch sizes: McCandlish et al. 2018 (arXiv 1812.06162), eq. A.2, from |g|² at 512 and the mean of |g|² at
   32, as data-parallel trackers have it (k-diffusion, k_diffusion/gns.py, which also clamps).
 * tracker: the same from successive steps of training, the small norm from the last of 4 steps (default: 5) only,
   averages with β = .99, then their ratio. gpt-neox, megatron/gradient_noise_scale/gradient_noise_scale.py.
 * per-example norms: the same with B_small = 1, |G|² clamped at 1e-6. nanoGNS, exact/gns-analysis.py. It gets its
   norms cheaply, from the LayerNorm layers; that is not at issue: here they are those of all parameters.
 * Assay: docs/objective_snr.md, "Estimator". The intervals here are Student's: a jackknife over units, and for
   the SNR the variance that is there without signal. Assay's own invert tests (assay/stats/signal_interval.h);
   their coverage is tested in tests/stats/coverage_test.cpp.
"""
import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402 (threads are read at import)

PARAMETERS, EXAMPLES, UNITS = 100, 512, 16
MICROBATCH = EXAMPLES // UNITS
STEPS_OF_TRACKER = 4
STUDENT = 2.1314  # 97.5% quantile at 15 degrees of freedom
CURVATURE = np.geomspace(0.25, 2.5, PARAMETERS)
TOTAL = CURVATURE.sum()  # tr Σ of the examples
LEARNING_RATE, BURN_IN, AVERAGED = 0.3, 200, 200


# --- Estimators of the SNR of one example; g: [N, P] per-example gradients, u: [m, P] means of microbatches ---

def mean_gsnr(g):
    mean, second = g.mean(0), (g**2).mean(0)
    return (mean**2 / (second - mean**2 + 1e-5)).mean()


def plug_in(g):
    mean = g.mean(0)
    return (mean**2).sum() / ((g**2).mean(0) - mean**2).sum()


def signal_and_noise(small, big, b_small, b_big):
    """Unbiased |G|², tr Σ from squared norms of gradients at two batch sizes."""
    return (b_big * big - b_small * small) / (b_big - b_small), (small - big) / (1 / b_small - 1 / b_big)


def two_batch_sizes(u):
    signal, noise = signal_and_noise((u**2).sum(1).mean(), (u.mean(0) ** 2).sum(), MICROBATCH, EXAMPLES)
    return signal / noise


def tracker(steps, beta=0.99):
    """Its corrections for the start of the averages are the same factor in both, and cancel."""
    averages = np.zeros(2)
    for window in steps.reshape(-1, STEPS_OF_TRACKER, PARAMETERS):
        small, big = (window[-1] ** 2).sum(), (window.mean(0) ** 2).sum()
        averages = beta * averages + (1 - beta) * np.array(
            signal_and_noise(small, big, MICROBATCH, STEPS_OF_TRACKER * MICROBATCH))
    return averages[0] / averages[1]


def per_example_norms(g):
    signal, noise = signal_and_noise((g**2).sum(1).mean(), (g.mean(0) ** 2).sum(), 1, len(g))
    return max(signal, 1e-6) / noise


def nested_ratios(total, squares, within, m, b, r):
    """(SNR, objective share), tr Σ from |Σ_u ḡ_u|², Σ_u |ḡ_u|² and Σ_uj |g_uj − ḡ_u|²."""
    between = (squares - total / m) / (m - 1)
    objective = b * within / (m * (r - 1)) if r > 1 else 0 * within
    trace = b * between - objective / r + objective
    return np.array([(total / m**2 - between / m) / trace, objective / trace]), trace


def assay(units):
    """[value, low, high] of the SNR and of the objective share; units: [m, r, b, P]."""
    m, r, b, _ = units.shape
    draw = units.mean(2)
    unit = draw.mean(1)
    within = ((draw - unit[:, None]) ** 2).sum((1, 2))
    gram = unit @ unit.T
    squares, to_sum, total = np.diag(gram), gram.sum(0), gram.sum()
    value, trace = nested_ratios(total, squares.sum(), within.sum(), m, b, r)
    without, _ = nested_ratios(total - 2 * to_sum + squares, squares.sum() - squares, within.sum() - within,
                               m - 1, b, r)
    variance = (m - 1) * without.var(1)

    # Without signal |G|² varies by 2 tr Σ_u²/(m (m − 1)), which the jackknife counts twice and knows badly.
    centred = gram - to_sum / m - (to_sum / m)[:, None] + total / m**2
    trace_u = np.trace(centred) / (m - 1)
    trace_square = ((centred[~np.eye(m, dtype=bool)] + trace_u / m) ** 2).mean()
    degenerate = 2 * trace_square / (m * (m - 1)) / trace**2
    variance[0] = degenerate + max(variance[0] - 2 * degenerate, 0)
    half = STUDENT * np.sqrt(variance)
    return np.stack([value, value - half, value + half], 1)


# --- The world ---

def examples(rng, gradient, n=EXAMPLES, ratio=0.0):
    """[n, P] gradients, each of its own example and draw."""
    return gradient + np.sqrt((1 + ratio) * CURVATURE) * rng.standard_normal((n, PARAMETERS))


def with_signal(snr):
    """G with |G|² = snr · tr Σ, along all parameters alike in units of their noise."""
    return np.sqrt(snr * CURVATURE)


def descend(rng, weights, steps, step_gradients=None):
    """SGD on batches of 32 from w − w* = weights [R, P] on; yields the weights after each step."""
    for i in range(steps):
        gradient = CURVATURE * weights + np.sqrt(CURVATURE / MICROBATCH) * rng.standard_normal(weights.shape)
        if step_gradients is not None:
            step_gradients[:, i] = gradient
        weights = weights - LEARNING_RATE * gradient
        yield weights


class Sample:
    """What one replication lets the estimators see, and what is true of it."""

    def __init__(self, gradient, g, nested=(), steps=None, truth_share=0.0, ratio=0.0):
        self.g, self.nested, self.truth_share = g, nested, truth_share
        self.units = g.reshape(UNITS, MICROBATCH, PARAMETERS)
        self.steps = self.units.mean(1) if steps is None else steps
        self.snr = (gradient**2).sum() / (TOTAL * (1 + ratio))
        self.gsnr = (gradient**2 / (CURVATURE * (1 + ratio))).mean()


def still(snr):
    """Independent examples at fixed weights."""
    def draw(rng, _):
        return Sample(with_signal(snr), examples(rng, with_signal(snr)))
    return draw


def duplicated(snr):
    """256 examples, each twice: shuffled; and for who knows it, as two draws of one example."""
    def draw(rng, _):
        once = examples(rng, with_signal(snr), EXAMPLES // 2)
        g = np.repeat(once, 2, 0)[rng.permutation(EXAMPLES)]
        units = once.reshape(UNITS, 1, -1, PARAMETERS)
        return Sample(with_signal(snr), g, [("Assay, told which are the same", np.repeat(units, 2, 1), 0)])
    return draw


def own_randomness(snr, ratio):
    """A fresh draw for each of 512 examples; or 256 examples with two draws each, for the split."""
    def draw(rng, _):
        gradient = with_signal(snr * (1 + ratio))
        data = examples(rng, gradient, EXAMPLES // 2).reshape(UNITS, 1, -1, PARAMETERS)
        noise = rng.standard_normal((UNITS, 2, data.shape[2], PARAMETERS))
        nested = data + np.sqrt(ratio * CURVATURE) * noise
        rows = [("Assay, 2 draws: SNR", nested, 0), ("Assay, 2 draws: objective's share", nested, 1)]
        return Sample(gradient, examples(rng, gradient, ratio=ratio), rows, None, ratio / (1 + ratio), ratio)
    return draw


def trained(replications, averaged):
    """Weights of SGD about its minimum: the last, or their average. The tracker sees the run go on."""
    runs = {}

    def draw(rng, k):
        if not runs:
            path = descend(rng, np.zeros((replications, PARAMETERS)), BURN_IN + AVERAGED)
            mean = np.zeros((replications, PARAMETERS))
            for i, live in enumerate(path):
                mean += live * (i >= BURN_IN) / AVERAGED
            runs["steps"] = np.empty((replications, UNITS, PARAMETERS))
            for _ in descend(rng, live, UNITS, runs["steps"]):
                pass
            runs["weights"] = mean if averaged else live
        gradient = CURVATURE * runs["weights"][k]
        return Sample(gradient, examples(rng, gradient), steps=runs["steps"][k])
    return draw


# --- Tables ---

def estimates(sample):
    """{row: (truth, value, low, high)}; low and high are nan where the tool gives no interval."""
    g, u = sample.g, sample.units.mean(1)
    plain = {
        "MeanGSNR (Cockpit)": (sample.gsnr, mean_gsnr(g)),
        "the same, batches of 32, averaged": (sample.gsnr, np.mean([mean_gsnr(part) for part in sample.units])),
        "plug-in (BackPACK's variance)": (sample.snr, plug_in(g)),
        "two batch sizes (McCandlish)": (sample.snr, two_batch_sizes(u)),
        "tracker in training (gpt-neox)": (sample.snr, tracker(sample.steps)),
        "per-example norms (nanoGNS)": (sample.snr, per_example_norms(g)),
    }
    rows = {name: (*pair, np.nan, np.nan) for name, pair in plain.items()}
    rows["Assay, 1 draw"] = (sample.snr, *assay(sample.units[:, None])[0])
    for name, units, which in sample.nested:
        rows[name] = ((sample.snr, sample.truth_share)[which], *assay(units)[which])
    return rows


def note(name, truth, value, low, high):
    if not np.isnan(low).any():
        covered = ((low <= truth) & (truth <= high)).mean()
        return f"interval covers {covered:.0%}, holds 0 in {((low <= 0) & (high >= 0)).mean():.0%}"
    if "nanoGNS" in name:
        return f"no interval; clamped in {(value < 1e-6).mean():.0%}"
    return f"no interval; negative in {(value < 0).mean():.0%}" if (value < 0).any() else "no interval"


def table(title, draw, replications, rng):
    """Prints one situation."""
    results = {}
    for k in range(replications):
        for name, row in estimates(draw(rng, k)).items():
            results.setdefault(name, []).append(row)
    print(f"\n{title}\n{'':36}{'truth':>9}{'mean':>9}{'5%':>9}{'95%':>9}{'bias/se':>9}")
    for name, rows in results.items():
        truth, value, low, high = np.array(rows).T
        error = value - truth
        bias = error.mean() / (error.std(ddof=1) / np.sqrt(replications))
        numbers = [truth.mean(), value.mean(), *np.quantile(value, [0.05, 0.95])]
        columns = "".join(f"{x:9.5f}" for x in numbers)
        print(f"  {name:34}{columns}{bias:+9.1f}  {note(name, truth, value, low, high)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    n = arguments.replications
    print(f"SNR of one example, from {EXAMPLES} per-example gradients; {n} replications; "
          "bias in standard errors of the mean")
    situations = [
        ("1. No signal", still(0)),
        ("2. Low SNR", still(0.001)),
        ("3. Moderate SNR", still(0.1)),
        ("4a. Live weights of SGD at a constant rate", trained(n, averaged=False)),
        ("4b. Averaged weights of the same runs (the tracker still sees the live ones)", trained(n, averaged=True)),
        ("5. Low SNR, every example twice", duplicated(0.001)),
        ("6. Low SNR, two thirds of the noise from the objective's own randomness", own_randomness(0.001, 2.0)),
    ]
    for index, (title, draw) in enumerate(situations):
        # 4a and 4b share a seed, so that they are the same runs.
        key = 3 if index == 4 else index
        table(title, draw, n, np.random.default_rng([arguments.seed, key]))


if __name__ == "__main__":
    main()
