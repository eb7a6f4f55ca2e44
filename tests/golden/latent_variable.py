"""Golden values of Gaussian bottlenecks and likelihoods, and the linear VAE's known optimum."""

import math

import torch
import torch.nn.functional as F
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from tensors import case, double, wave

LOG_2PI = math.log(2 * math.pi)


def standard_kl(mean, log_variance, free):
    """KL of a diagonal Gaussian from the standard normal, with free bits.

    Formula: per dimension (mu² + e^lv - lv - 1)/2; free bits: sum_d max(KL_d, lambda) per
    example, or sum_d max(mean over the batch of KL_d, lambda); nats

    Source: Kingma and Welling 2014, arXiv 1312.6114, appendix B; Kingma et al. 2016, arXiv
    1606.04934 (free bits of the batch mean)
    """
    per_dimension = (mean.square() + log_variance.exp() - log_variance - 1) / 2
    exact = kl_divergence(Normal(mean, (log_variance / 2).exp()),
                          Normal(torch.zeros_like(mean), torch.ones_like(mean)))
    torch.testing.assert_close(per_dimension, exact)
    return {"per_dimension": per_dimension, "per_example": per_dimension.sum(-1),
            "mean": per_dimension.sum(-1).mean(),
            "free_per_example": per_dimension.clamp_min(free).sum(-1),
            "free_of_batch_mean": per_dimension.mean(0).clamp_min(free).sum()}


def gaussian_nll(prediction, target, log_variance):
    """Gaussian negative log-likelihood with one shared learned log-variance.

    Formula: sum of (r² e^{-lv} + lv + ln 2 pi)/2 over the numbers of an example, r = y - p; its
    derivative by lv of the mean over examples; the best lv is ln mean r²

    Source: torch gaussian_nll_loss(full=True); Rybkin et al. 2021, arXiv 2006.13202 (sigma-VAE)
    """
    residual = target - prediction
    nll = (residual.square() * torch.exp(-log_variance) + log_variance + LOG_2PI) / 2
    torch.testing.assert_close(nll, F.gaussian_nll_loss(
        prediction, target, log_variance.exp().expand_as(target), full=True, reduction="none"))
    per_token = nll.sum(-1)
    slope = (1 - residual.square() * torch.exp(-log_variance)).sum((1, 2)).mean() / 2
    return {"per_token": per_token, "per_example": per_token.sum(-1), "mean": nll.mean(),
            "bits_per_number": nll.mean() / math.log(2), "derivative": slope,
            "best_log_variance": residual.square().mean().log()}


def band_nll(energies, counts, log_variance):
    """Gaussian negative log-likelihood with one log-variance per band.

    Formula: per band b (E_b e^{-lv_b} + n_b·lv_b + n_b ln 2 pi)/2, E_b the squared residual in
    the band, n_b its numbers; best lv_b = ln(mean over examples of E_b/n_b)

    Source: Gaussian likelihood of orthonormal coefficients
    """
    per_band = (energies * torch.exp(-log_variance) + counts * (log_variance + LOG_2PI)) / 2
    return {"per_band": per_band, "per_example": per_band.sum(-1),
            "best_log_variance": (energies.mean(0) / counts).log()}


def linear_vae(data, decoder, encoder, latent_variance, noise_variance):
    """ELBO of a linear VAE per example, exactly (no sampling).

    Formula: q(z|x) = N(V x, diag d), p(x|z) = N(W z, s2 I), p(z) = N(0, I): -KL - (|x - W V x|² +
    sum_j d_j |W_j|²)/(2 s2) - D/2·ln(2 pi s2), KL = (|V x|² + sum d - sum ln d - q)/2

    Source: Lucas et al. 2019, arXiv 1911.02469, analytic ELBO of the linear VAE
    """
    mean = data @ encoder.T
    kl = (mean.square().sum(-1) + (latent_variance - latent_variance.log() - 1).sum()) / 2
    spread = (latent_variance * decoder.square().sum(0)).sum()
    error = (data - mean @ decoder.T).square().sum(-1) + spread
    width = data.shape[1]
    nll = error / (2 * noise_variance) + width / 2 * (LOG_2PI + noise_variance.log())
    return {"kl": kl, "reconstruction_nll": nll, "elbo": -kl - nll}


def probabilistic_pca(data, latents):
    """The linear VAE at its optimum is probabilistic PCA.

    Formula: S = X'X/n = U L U'; s2 = mean of the D - q smallest eigenvalues; W = U_q (L_q -
    s2)^{1/2}; M = W'W + s2 I; encoder V = M^{-1} W', posterior variance s2 M^{-1} (diagonal). Per
    example ELBO = ln N(x; 0, W W' + s2 I); mean = -(sum_{i<=q} ln l_i + (D - q) ln s2 + D + D ln
    2 pi)/2

    Source: Tipping and Bishop 1999, J. R. Stat. Soc. B 61(3), eqs. 6-8; Lucas et al. 2019, arXiv
    1911.02469
    """
    covariance = data.T @ data / len(data)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0), vectors.flip(1)
    noise = values[latents:].mean()
    decoder = vectors[:, :latents] * (values[:latents] - noise).sqrt()
    largest = decoder.abs().argmax(0, keepdim=True)  # fixes the sign of each column
    decoder = decoder * decoder.gather(0, largest).sign()
    precision = decoder.T @ decoder + noise * torch.eye(latents)
    encoder = torch.linalg.solve(precision, decoder.T)
    latent_variance = noise / precision.diagonal()
    marginal = decoder @ decoder.T + noise * torch.eye(data.shape[1])
    likelihood = MultivariateNormal(torch.zeros(data.shape[1]).double(), marginal).log_prob(data)
    bound = linear_vae(data, decoder, encoder, latent_variance, noise)
    return {"eigenvalues": values, "noise_variance": noise, "decoder": decoder, "encoder": encoder,
            "latent_variance": latent_variance, "model_covariance": marginal,
            "log_likelihood": likelihood, "mean_log_likelihood": likelihood.mean()} | bound


def with_gradients(data, decoder, encoder, latent_variance, noise_variance):
    """ELBO of a linear VAE and its gradients away from the optimum.

    Formula: as linear_vae; gradients of the mean ELBO over the examples by W, V, ln d and ln s2

    Source: Lucas et al. 2019, arXiv 1911.02469, differentiated by torch autograd
    """
    leaves = {"decoder": decoder.clone(), "encoder": encoder.clone(),
              "latent_log_variance": latent_variance.log(), "log_variance": noise_variance.log()}
    for leaf in leaves.values():
        leaf.requires_grad_(True)
    bound = linear_vae(data, leaves["decoder"], leaves["encoder"],
                       leaves["latent_log_variance"].exp(), leaves["log_variance"].exp())
    gradients = torch.autograd.grad(bound["elbo"].mean(), list(leaves.values()))
    return bound | {f"gradient_{name}": gradient for name, gradient in zip(leaves, gradients)}


def symmetric_data():
    """[16, 5] with exactly zero mean, so that biases vanish at the optimum."""
    scales = double([2.0, 1.4, 0.9, 0.5, 0.3])
    half = (wave((8, 5), 1.3, 2.1) + wave((8, 5), 0.4, 1.2)) * scales
    return torch.cat([half, -half])


def cases():
    mean, log_variance = wave((3, 5), 1.3, 0.7), wave((3, 5), 0.6, 1.1, 1.5, 0.2)
    yield case("kl_standard_normal", standard_kl, {"mean": mean, "log_variance": log_variance},
               standard_kl(mean, log_variance, 0.25), {"free_nats": 0.25})
    prediction, target = wave((2, 3, 4), scale=2), wave((2, 3, 4), 0.9, 2.1, 3, 0.4)
    shared = double(-0.4)
    yield case("gaussian_nll", gaussian_nll,
               {"prediction": prediction, "target": target, "log_variance": shared},
               gaussian_nll(prediction, target, shared))
    energies, counts = double([[5.2, 3.1, 0.8], [2.4, 6.6, 1.9]]), double([1, 3, 12])
    per_band = double([1.2, 0.3, -2.0])
    yield case("band_nll", band_nll,
               {"energies": energies, "counts": counts, "log_variance": per_band},
               band_nll(energies, counts, per_band))
    data = symmetric_data()
    optimum = probabilistic_pca(data, 2)
    yield case("probabilistic_pca", probabilistic_pca, {"data": data}, optimum, {"latents": 2})
    point = (wave((5, 2), 0.9, 1.6), wave((2, 5), 1.1, 0.8, 0.5), double([0.3, 0.7]), double(0.6))
    yield case("linear_vae_elsewhere", with_gradients,
               {"data": data, "decoder": point[0], "encoder": point[1], "latent_variance": point[2],
                "noise_variance": point[3]}, with_gradients(data, *point))
