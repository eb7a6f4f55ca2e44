"""Golden values of frequency bands of images: Haar rings, cosine octaves, next-band likelihood."""

import math

import torch

from tensors import case, double, wave


def haar_matrix(side):
    """Orthonormal Haar basis, one function a row: the mean, then levels of 1, 2, 4, … functions."""
    rows = [torch.full((side,), 1 / math.sqrt(side), dtype=torch.double)]
    width = side
    while width > 1:
        half = width // 2
        for start in range(0, side, width):
            row = torch.zeros(side, dtype=torch.double)
            row[start:start + half] = 1 / math.sqrt(width)
            row[start + half:start + width] = -1 / math.sqrt(width)
            rows.append(row)
        width = half
    return torch.stack(rows)


def cosine_matrix(side):
    """Orthonormal DCT-II, one frequency a row."""
    k, n = torch.arange(side).double()[:, None], torch.arange(side).double()[None, :]
    matrix = torch.cos(math.pi * k * (n + 0.5) / side) * math.sqrt(2 / side)
    matrix[0] /= math.sqrt(2)
    return matrix


def ring_of(side):
    """[side, side] band of a coefficient: max of the levels 0 1 2 2 3 3 3 3 of its indices."""
    level = torch.tensor([index.bit_length() for index in range(side)])
    return torch.maximum(level[:, None], level[None, :])


def by_ring(images, basis):
    """Energies [N, bands], and the images made of the rings up to j, [bands, N, side, side]."""
    rings = ring_of(images.shape[-1])
    coefficients = basis @ images @ basis.T
    bands = int(rings.max()) + 1
    energies = torch.stack([coefficients.square()[:, rings == band].sum(-1)
                            for band in range(bands)], -1)
    low = torch.stack([basis.T @ (coefficients * (rings <= band)) @ basis for band in range(bands)])
    return coefficients, energies, low


def haar_rings(images):
    """Haar rings of single-channel images.

    Formula: C = H X H', H the orthonormal Haar matrix (tensor basis); ring of C_kl = max(level k,
    level l), levels 0 | 1 | 2 2 | 3 3 3 3: ring 0 is the mean, rings of 1, 3, 12, 48 numbers.
    Rings up to j give the means of blocks of side/2^j pixels. Energies sum to |x|²

    Source: Haar 1910; Mallat 1989, IEEE PAMI 11(7): the rings span the detail spaces of his
    pyramid
    """
    coefficients, energies, low = by_ring(images, haar_matrix(images.shape[-1]))
    counts = torch.bincount(ring_of(images.shape[-1]).reshape(-1)).double()
    return {"coefficients": coefficients, "energies": energies, "counts": counts,
            "low_pass": low, "total": images.square().sum((1, 2))}


def cosine_octaves(images):
    """Octaves of the orthonormal cosine transform of single-channel images.

    Formula: C = T X T', T the DCT-II; octave of C_kl by max(k, l): 0 | 1 | 2-3 | 4-7. Energies
    sum to |x|², so their sum is that of the Haar rings

    Source: Ahmed et al. 1974, IEEE Trans. Computers C-23; Parseval
    """
    coefficients, energies, _ = by_ring(images, cosine_matrix(images.shape[-1]))
    return {"coefficients": coefficients, "energies": energies,
            "total": images.square().sum((1, 2))}


def next_band(images, predictions, log_deviations):
    """Likelihood of the bands, each given the lower ones, as predicted images.

    Formula: per band -ln p = E_b/(2 s_b²) + n_b ln s_b + n_b/2·ln 2 pi nats, E_b the squared
    error of prediction b (what it says of ring b) in the Haar ring b, n_b its numbers; bits =
    nats/ln 2

    Source: Gaussian likelihood by chain rule over an orthonormal basis; next scale as Tian et al.
    2024, arXiv 2404.02905, without quantisation
    """
    basis = haar_matrix(images.shape[-1])
    bands = predictions.shape[1]
    energies = torch.stack([by_ring(images - predictions[:, band], basis)[1][:, band]
                            for band in range(bands)], -1)
    counts = torch.bincount(ring_of(images.shape[-1]).reshape(-1)).double()
    nats = (energies / (2 * torch.exp(2 * log_deviations))
            + counts * (log_deviations + math.log(2 * math.pi) / 2))
    return {"energies": energies, "counts": counts, "nats": nats, "per_example": nats.sum(-1),
            "bits_per_number": nats / counts / math.log(2),
            "best_log_deviations": 0.5 * (energies.mean(0) / counts).log()}


def cases():
    images = wave((2, 8, 8), 0.55, 0.8) + wave((2, 8, 8), 2.3, 2.9, 0.2)
    yield case("haar_rings", haar_rings, {"images": images}, haar_rings(images))
    yield case("cosine_octaves", cosine_octaves, {"images": images}, cosine_octaves(images))
    predictions = wave((2, 4, 8, 8), 0.5, 0.85, 0.9)
    deviations = double([0.4, -0.2, -0.7, -1.1])
    inputs = {"images": images, "predictions": predictions, "log_deviations": deviations}
    yield case("next_band", next_band, inputs, next_band(**inputs))
