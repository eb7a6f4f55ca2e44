"""Golden values of the discretised variational bound of diffusion on Gaussian data."""

import math

import torch

from tensors import case, double


def discretised_bound(variances, levels, log_snr_max, log_snr_min):
    """Diffusion part of the variational bound with K levels, at the best prediction of x.

    Formula: log SNR linear in t from max (t = 0) to min (t = 1), knots i/K; L_K =
    1/2·sum_{i=1..K} (SNR((i-1)/K) - SNR(i/K))·E|x - x^(z_{i/K})|² nats per example, x_d ~ N(0,
    tau_d²), E|x_d - x^_d|² = tau²/(1 + SNR tau²). Limit K -> infinity, from above: sum_d
    1/2·ln((1 + SNR_max tau²)/(1 + SNR_min tau²))

    Source: Kingma et al. 2021, arXiv 2107.00630, sections 4 (K/2·E_i of the same) and 5.1 (limit)
    """
    times = torch.arange(levels + 1, dtype=torch.double) / levels
    snr = torch.exp(log_snr_max + (log_snr_min - log_snr_max) * times)
    error = (variances / (1 + snr[1:, None] * variances)).sum(-1)  # at the noisier end of each step
    drop = snr[:-1] - snr[1:]
    return {"snr": snr, "weights": levels / 2 * drop, "errors": error,
            "loss_per_level": levels / 2 * drop * error, "bound": (drop * error).sum() / 2,
            "limit": limit(variances, math.exp(log_snr_max), math.exp(log_snr_min))}


def limit(variances, snr_max, snr_min):
    return 0.5 * torch.log((1 + snr_max * variances) / (1 + snr_min * variances)).sum()


def closed_loop(variances, log_snr_max, log_snr_min):
    """The continuous bound is tight: its parts add up to the entropy of the data.

    Formula: H(x) = h(x|z_0) + L_infinity + I(x; z_1), h(x_d|z) = 1/2·ln(2 pi e tau²/(1 + SNR
    tau²)), I(x_d; z) = 1/2·ln(1 + SNR tau²). Prior loss against N(0, 1) instead of the marginal
    of z_1: sum_d (a² tau² + s² - 1 - ln s²)/2 with a² = sigmoid(log SNR), s² = 1 - a²

    Source: Kingma et al. 2021, arXiv 2107.00630, section 4 (prior loss) and 5.1
    """
    maximum, minimum = math.exp(log_snr_max), math.exp(log_snr_min)
    constant = math.log(2 * math.pi * math.e)
    kept = 1 / (1 + math.exp(-log_snr_min))
    noise = 1 - kept
    prior = (kept * variances + noise - 1 - math.log(noise)) / 2
    return {"entropy": 0.5 * (constant + variances.log()).sum(),
            "entropy_given_cleanest":
                0.5 * (constant + (variances / (1 + maximum * variances)).log()).sum(),
            "limit": limit(variances, maximum, minimum),
            "information_of_noisiest": 0.5 * torch.log(1 + minimum * variances).sum(),
            "prior_loss": prior.sum()}


def best_denoiser(variances, alpha, sigma):
    """The best linear prediction of Gaussian x from z, and its error.

    Formula: x^ = g z, g = a tau²/(a² tau² + s²); E|x - x^|² = tau² s²/(a² tau² + s²)

    Source: Wiener 1949; conditional mean of jointly Gaussian variables
    """
    total = alpha[:, None].square() * variances + sigma[:, None].square()
    return {"gain": alpha[:, None] * variances / total,
            "error": variances * sigma[:, None].square() / total}


def cases():
    variances = double([2.0, 1.0, 0.25, 0.04, 0.01])
    for levels in (1, 2, 4, 16):
        yield case(f"variational_bound_{levels}", discretised_bound, {"variances": variances},
                   discretised_bound(variances, levels, 7.0, -7.0),
                   {"levels": levels, "log_snr_max": 7.0, "log_snr_min": -7.0})
    yield case("variational_bound_entropy", closed_loop, {"variances": variances},
               closed_loop(variances, 7.0, -7.0), {"log_snr_max": 7.0, "log_snr_min": -7.0})
    inputs = {"variances": variances, "alpha": double([0.96, 0.8, 0.5, 0.1]),
              "sigma": double([0.28, 0.6, 0.5, 0.9])}
    yield case("best_denoiser", best_denoiser, inputs, best_denoiser(**inputs))
