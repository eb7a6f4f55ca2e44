"""Golden values of weights and schedules that change with training."""

import math

import torch

from tensors import case, double


def learned_log_variance(loss, count, u):
    """Learned balance of cells.

    Formula: e^{-u} l + n u per cell, l the summed loss of the cell, n its numbers (n = 1 with l
    the mean is EDM2's); derivative n - e^{-u} l; best u = ln(l/n), where the loss is n (1 +
    ln(l/n))

    Source: Karras et al. 2024, arXiv 2312.02696; NVlabs/edm2 training/training_loop.py; Kendall
    et al. 2018, arXiv 1705.07115
    """
    best = (loss / count).log()
    return {"loss": torch.exp(-u) * loss + count * u, "derivative": count - torch.exp(-u) * loss,
            "best_u": best, "best_loss": count * (1 + best)}


def release(progress, start, end):
    """Release of withheld bands over training progress.

    Formula: r_b(tau) = clip((tau - from_b)/(to_b - from_b), 0, 1)

    Source: linear ramp
    """
    ramp = (progress[:, None] - start[None, :]) / (end - start)[None, :]
    return {"weights": ramp.clamp(0, 1)}


def momentum(progress, start, end):
    """Momentum of an averaged teacher over training progress.

    Formula: linear: m0 + (m1 - m0) tau; cosine: m1 - (m1 - m0)(1 + cos(pi tau))/2

    Source: linear: facebookresearch/ijepa src/train.py momentum_scheduler; cosine: Grill et al.
    2020, arXiv 2006.07733, and facebookresearch/dino utils.py cosine_scheduler
    """
    return {"linear": start + (end - start) * progress,
            "cosine": end - (end - start) * (1 + torch.cos(math.pi * progress)) / 2}


def cases():
    inputs = {"loss": double([[12.0, 3.5], [0.7, 40.0], [5.0, 1.25]]),
              "count": double([[4.0, 12.0], [4.0, 12.0], [4.0, 12.0]]),
              "u": double([[0.3, -0.6], [-1.1, 1.4], [0.0, 0.2]])}
    yield case("learned_log_variance", learned_log_variance, inputs, learned_log_variance(**inputs))
    progress = double([0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0])
    inputs = {"progress": progress, "start": double([0.0, 0.1, 0.25, 0.5]),
              "end": double([0.1, 0.5, 0.75, 0.75])}
    yield case("release_schedule", release, inputs, release(**inputs))
    yield case("teacher_momentum", momentum, {"progress": progress},
               momentum(progress, 0.996, 1.0), {"start": 0.996, "end": 1.0})
