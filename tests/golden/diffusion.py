"""Golden values of denoising losses: spaces, weights, parametrisations and laws of levels.

z = a·x + s·e; SNR = a²/s². A loss in another space is a weight on |x^ - x|².
"""

import math

import torch

from tensors import case, double, wave

# Pythagorean, so that a² + s² = 1 holds exactly in decimals. From nearly clean to nearly noise.
PRESERVING = ([0.96, 0.936, 0.8432, 0.8, 0.6, 0.5376, 0.352, 0.28],
              [0.28, 0.352, 0.5376, 0.6, 0.8, 0.8432, 0.936, 0.96])
SHARES = [0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]


def space_weights(alpha, sigma):
    """Weights on |x^ - x|² that make it the loss in another space.

    Formula: eps: a²/s² = SNR; v = a e - s x: (a² + s²)²/s², which is 1/s² = SNR + 1 if a² + s² =
    1; flow velocity u = e - x: (a + s)²/s², which is 1/s² if a + s = 1

    Source: Salimans and Ho 2022, arXiv 2202.00512, section 4 and appendix D (SNR, SNR + 1);
    lucidrains/denoising-diffusion-pytorch (loss_weight); Li and He 2025, arXiv 2511.13720, table
    1
    """
    return {"snr": (alpha / sigma).square(), "eps": (alpha / sigma).square(),
            "v": ((alpha.square() + sigma.square()) / sigma).square(),
            "flow": ((alpha + sigma) / sigma).square()}


def losses(clean, noise, predicted, alpha, sigma):
    """The error of one prediction of x, measured in the spaces of x, eps, v and the flow velocity.

    Formula: z = a x + s e; e^ = (z - a x^)/s; v^ = a e^ - s x^; u^ = e^ - x^; squared errors
    summed per example

    Source: Salimans and Ho 2022, arXiv 2202.00512, section 4; Lipman et al. 2023, arXiv
    2210.02747
    """
    a, s = alpha.unsqueeze(-1), sigma.unsqueeze(-1)
    noisy = a * clean + s * noise
    noise_hat = (noisy - a * predicted) / s
    v, v_hat = a * noise - s * clean, a * noise_hat - s * predicted
    flow, flow_hat = noise - clean, noise_hat - predicted
    squared = {"x": predicted - clean, "eps": noise_hat - noise, "v": v_hat - v,
               "flow": flow_hat - flow}
    return ({"noisy": noisy, "eps_target": noise, "v_target": v, "flow_target": flow,
             "eps_prediction": noise_hat, "v_prediction": v_hat, "flow_prediction": flow_hat}
            | {f"loss_{name}": error.square().sum(-1) for name, error in squared.items()})


def x_of_outputs(noisy, output, alpha, sigma):
    """The x that a network output means under each parametrisation.

    Formula: eps: (z - s o)/a; v: (a z - s o)/(a² + s²); flow velocity: (z - s o)/(a + s)

    Source: Salimans and Ho 2022, arXiv 2202.00512, section 4; Li and He 2025, arXiv 2511.13720,
    table 1
    """
    a, s = alpha.unsqueeze(-1), sigma.unsqueeze(-1)
    return {"x_of_x": output, "x_of_eps": (noisy - s * output) / a,
            "x_of_v": (a * noisy - s * output) / (a.square() + s.square()),
            "x_of_flow": (noisy - s * output) / (a + s)}


def min_snr(snr, gamma):
    """Min-SNR weights on the loss in each space.

    Formula: x: min(SNR, g); eps: min(SNR, g)/SNR; v: min(SNR, g)/(SNR + 1). One weight on |x^ -
    x|²

    Source: Hang et al. 2023, arXiv 2303.09556; lucidrains/denoising-diffusion-pytorch loss_weight
    with min_snr_loss_weight
    """
    clipped = snr.clamp_max(gamma)
    return {"x": clipped, "eps": clipped / snr, "v": clipped / (snr + 1)}


def edm(sigma, data_deviation, clean, unit_noise, output):
    """EDM weight and preconditioning.

    Formula: w = (s² + d²)/(s d)²; c_skip = d²/(s² + d²), c_out = s d/sqrt(s² + d²), c_in =
    1/sqrt(s² + d²), c_noise = ln(s)/4; z = x + s e; D = c_skip z + c_out F; w·|D - x|² = |F - (x
    - c_skip z)/c_out|²

    Source: Karras et al. 2022, arXiv 2206.00364, table 1; NVlabs/edm training/loss.py EDMLoss
    """
    total = sigma.square() + data_deviation**2
    weight = total / (sigma * data_deviation).square()
    skip, out = data_deviation**2 / total, sigma * data_deviation / total.sqrt()
    noisy = clean + sigma.unsqueeze(-1) * unit_noise
    denoised = skip.unsqueeze(-1) * noisy + out.unsqueeze(-1) * output
    error = (denoised - clean).square().sum(-1)
    target = (clean - skip.unsqueeze(-1) * noisy) / out.unsqueeze(-1)
    return {"weight": weight, "c_skip": skip, "c_out": out, "c_in": total.rsqrt(),
            "c_noise": sigma.log() / 4, "denoised": denoised, "loss_x": error,
            "weighted_loss": weight * error, "output_target": target,
            "loss_output": (output - target).square().sum(-1)}


def velocity_from_x(noisy, clean, predicted, share, clip):
    """JiT: prediction of x, loss of the velocity that it implies.

    Formula: s' = max(s, clip); |(p - z)/s' - (x - z)/s'|² = |p - x|²/s'², s = 1 - t the noise
    share

    Source: Li and He 2025, arXiv 2511.13720, algorithm 1 (prediction of x, loss of v; 1 - t
    clipped at .05)
    """
    divisor = share.clamp_min(clip).unsqueeze(-1)
    velocity, target = (predicted - noisy) / divisor, (clean - noisy) / divisor
    return {"velocity": velocity, "velocity_target": target,
            "per_example": (velocity - target).square().sum(-1),
            "mean": (velocity - target).square().mean(),
            "weight": divisor.squeeze(-1).pow(-2)}


def level_laws(uniform):
    """Quantiles of the noise share s/(a + s) under published laws of levels.

    Formula: logit-normal: sigmoid(d·Q(u) - m), m and d of the logit of the signal share;
    log-normal (EDM): s = e^{m + d Q(u)}, a = 1; cosine: a² = f(u)/f(0), f(t) = cos²(pi/2·(t +
    o)/(1 + o)), s² = 1 - a²; Q the standard normal's quantile. log_snr = ln(a²/s²)

    Source: Esser et al. 2024, arXiv 2403.03206, section 3.1; Li and He 2025, arXiv 2511.13720
    (-.8, .8); Karras et al. 2022, arXiv 2206.00364 (-1.2, 1.2); Nichol and Dhariwal 2021, arXiv
    2102.09672, eq. 17 (o = .008, without the clip of beta)
    """
    normal = torch.special.ndtri(uniform)
    sigma = torch.exp(-1.2 + 1.2 * normal)
    out = {"uniform": uniform, "logit_normal_jit": torch.sigmoid(0.8 * normal + 0.8),
           "logit_normal_standard": torch.sigmoid(normal),
           "log_normal_edm_sigma": sigma, "log_normal_edm": sigma / (1 + sigma),
           "log_normal_edm_log_snr": -2 * sigma.log()}
    for name, offset in (("cosine", 0.008), ("cosine_plain", 0.0)):
        curve = torch.cos((uniform + offset) / (1 + offset) * math.pi / 2).square()
        kept = curve / math.cos(offset / (1 + offset) * math.pi / 2) ** 2
        a, s = kept.sqrt(), (1 - kept).sqrt()
        out |= {f"{name}_alpha": a, f"{name}_sigma": s, name: s / (a + s),
                f"{name}_log_snr": (kept / (1 - kept)).log()}
    return out


def cases():
    preserving = {"alpha": double(PRESERVING[0]), "sigma": double(PRESERVING[1])}
    straight = {"alpha": 1 - double(SHARES), "sigma": double(SHARES)}
    other = {"alpha": double([1.0, 0.9, 0.3]), "sigma": double([0.5, 1.1, 2.0])}
    paths = {"preserving": preserving, "straight": straight, "general": other}
    for name, path in paths.items():
        yield case(f"space_weights_{name}", space_weights, path, space_weights(**path))
        rows = len(path["alpha"])
        inputs = {"clean": wave((rows, 4), 1.3, 0.7), "noise": wave((rows, 4), 2.2, 1.9, 1.5),
                  "predicted": wave((rows, 4), 1.1, 0.9, 0.9, 0.1)} | path
        yield case(f"denoising_losses_{name}", losses, inputs, losses(**inputs))
        inputs = {"noisy": wave((rows, 4), 0.8, 1.2), "output": wave((rows, 4), 1.5, 0.6)} | path
        yield case(f"x_of_outputs_{name}", x_of_outputs, inputs, x_of_outputs(**inputs))
    snr = double([0.01, 0.1, 0.5, 1, 4, 5, 6, 25, 400])
    yield case("min_snr", min_snr, {"snr": snr}, min_snr(snr, 5.0), {"gamma": 5.0})
    inputs = {"sigma": double([0.02, 0.1, 0.3, 1, 5, 80]), "clean": wave((6, 4), scale=0.5),
              "unit_noise": wave((6, 4), 2.2, 1.9, 1.5), "output": wave((6, 4), 1.1, 0.9)}
    yield case("edm", edm, inputs, edm(data_deviation=0.5, **inputs), {"data_deviation": 0.5})
    share = double(SHARES)
    clean, noise = wave((8, 4)), wave((8, 4), 2.2, 1.9, 1.5)
    inputs = {"noisy": (1 - share[:, None]) * clean + share[:, None] * noise, "clean": clean,
              "predicted": wave((8, 4), 1.1, 0.9, 0.9, 0.1), "share": share}
    yield case("velocity_from_x", velocity_from_x, inputs, velocity_from_x(clip=0.05, **inputs),
               {"clip": 0.05})
    uniform = double([0.001, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.999])
    yield case("level_laws", level_laws, {"u": uniform}, level_laws(uniform),
               {"jit": [-0.8, 0.8], "standard": [0.0, 1.0], "edm": [-1.2, 1.2],
                "cosine_offset": 0.008})
