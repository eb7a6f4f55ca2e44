"""The golden values are reproducible, and obey the identities that tie them together."""

import json
import math
import pathlib
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

import bands  # noqa: E402
import bound  # noqa: E402
import latent_variable  # noqa: E402
import regularisers  # noqa: E402
import views  # noqa: E402
from tensors import double  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def golden():
    entries = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry for entry in entries}


def tensors(entry, part):
    return {key: torch.tensor(value["data"], dtype=torch.double).reshape(value["shape"])
            for key, value in entry[part].items()}


def same(a, b, relative=1e-7):
    torch.testing.assert_close(torch.as_tensor(a).double(), torch.as_tensor(b).double(),
                               rtol=relative, atol=relative * 1e-1)


def test_file_is_what_the_script_computes():
    result = subprocess.run([sys.executable, str(HERE / "make_golden.py"), "--check"],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_case_is_complete(golden):
    assert len(golden) >= 60
    for entry in golden.values():
        assert entry["source"] and entry["formula"] and entry["inputs"] and entry["expected"]
        for part in ("inputs", "expected"):
            for value in entry[part].values():
                assert math.prod(value["shape"]) == len(value["data"])


def test_vicreg_normalisations_are_equivalent(golden):
    for name in regularisers.feature_sets():
        entry = golden[f"vicreg_equivalence_{name}"]
        other = tensors(golden[entry["options"]["times"]], "expected")["loss"]
        same(tensors(entry, "expected")["loss"], entry["options"]["equals"] * other)
    # The note's figures: D = 2048, (1, 1, 80) is 25 / 50 / .98.
    assert 25 * 80 / 2047 == pytest.approx(0.977, abs=1e-3)


def test_sigreg_variants_differ_by_count_and_quadrature(golden):
    per_view = tensors(golden["sigreg_lejepa_gaussian"], "expected")["per_slice"]
    coarse = tensors(golden["sigreg_eb_jepa_gaussian"], "expected")["per_slice"]
    same(per_view, 16 * coarse, relative=0.02)
    # Equal views: pooling V of them multiplies the statistic by V.
    collapsed = tensors(golden["sigreg_lejepa_collapsed"], "expected")["per_slice"]
    pooled = tensors(golden["sigreg_flattened_collapsed"], "expected")["per_slice"]
    same(pooled, 2 * collapsed[0])
    assert per_view.mean() < 0.1 * collapsed.mean()


def test_epps_pulley_of_a_point_at_zero():
    """|1 - e^{-t²/2}|²e^{-t²/2} integrates in closed form over the line; beyond 3 lies 0.25 %."""
    knots, weights = regularisers.half_line(17)
    value = regularisers.epps_pulley(torch.zeros(4, 1).double(), knots, weights)
    whole = math.sqrt(2 * math.pi) * (1 - 2 / math.sqrt(2) + 1 / math.sqrt(3))
    tail = math.erfc(3 / math.sqrt(2)) - math.sqrt(2) * math.erfc(3)
    exact = whole - math.sqrt(2 * math.pi) * (tail + math.erfc(3 * math.sqrt(1.5)) / math.sqrt(3))
    assert value.item() == pytest.approx(exact, rel=2e-3)


def test_contrastive_and_prototype_losses_of_equal_features():
    equal = torch.ones(2, 4, 6).double()
    same(views.nt_xent(equal, 0.2)["mean"], math.log(7))
    same(views.info_nce(equal, equal, 0.2)["mean"], math.log(4))
    zeros = torch.zeros(4, 3, 6).double()
    out = views.dino_loss(zeros, zeros[:2], torch.zeros(6).double(), 0.1, 0.04, 0.9)
    same(out["loss"], math.log(6))


def test_sinkhorn_assignments(golden):
    assignment = tensors(golden["sinkhorn"], "expected")["assignment"]
    same(assignment.sum(1), torch.ones(6))
    even = views.sinkhorn(tensors(golden["sinkhorn"], "inputs")["scores"], 0.05, 200)["assignment"]
    same(even.sum(0), torch.full((5,), 6 / 5), relative=1e-4)


@pytest.mark.parametrize("path", ["preserving", "straight", "general"])
def test_losses_of_all_spaces_are_weights_on_x(golden, path):
    loss = tensors(golden[f"denoising_losses_{path}"], "expected")
    weight = tensors(golden[f"space_weights_{path}"], "expected")
    for space in ("eps", "v", "flow"):
        same(loss[f"loss_{space}"], weight[space] * loss["loss_x"])
    if path == "preserving":
        same(weight["v"], weight["snr"] + 1)
    if path == "straight":
        sigma = tensors(golden[f"space_weights_{path}"], "inputs")["sigma"]
        same(weight["flow"], sigma.pow(-2))


def test_edm_weight_is_one_on_the_network_output(golden):
    out = tensors(golden["edm"], "expected")
    same(out["weight"] * out["c_out"].square(), torch.ones(6))
    same(out["weighted_loss"], out["loss_output"], relative=1e-6)


def test_min_snr_is_one_weight_in_three_spaces(golden):
    out, snr = (tensors(golden["min_snr"], part) for part in ("expected", "inputs"))
    same(out["eps"] * snr["snr"], out["x"])
    same(out["v"] * (snr["snr"] + 1), out["x"])


def test_velocity_from_x(golden):
    out, given = (tensors(golden["velocity_from_x"], part) for part in ("expected", "inputs"))
    error = (given["predicted"] - given["clean"]).square().sum(-1)
    same(out["per_example"], error / given["share"].clamp_min(0.05).square())


def test_laws_of_levels(golden):
    law = tensors(golden["level_laws"], "expected")
    for name in ("uniform", "logit_normal_jit", "logit_normal_standard", "log_normal_edm", "cosine",
                 "cosine_plain"):
        assert (law[name].diff() > 0).all(), name
        assert 0 < law[name][0] and law[name][-1] < 1
    same(law["log_normal_edm"], torch.sigmoid(-law["log_normal_edm_log_snr"] / 2))
    same(law["cosine"], torch.sigmoid(-law["cosine_log_snr"] / 2), relative=1e-6)
    same(law["cosine_alpha"] ** 2 + law["cosine_sigma"] ** 2, torch.ones(9))


def test_bound_falls_with_levels_to_its_limit(golden):
    losses = [tensors(golden[f"variational_bound_{k}"], "expected") for k in (1, 2, 4, 16)]
    values = [loss["bound"].item() for loss in losses]
    assert values == sorted(values, reverse=True)
    limit = losses[0]["limit"].item()
    variances = tensors(golden["variational_bound_1"], "inputs")["variances"]
    assert values[-1] > limit
    fine = bound.discretised_bound(variances, 20000, 7.0, -7.0)["bound"].item()
    assert fine == pytest.approx(limit, rel=1e-3)
    part = tensors(golden["variational_bound_entropy"], "expected")
    same(part["entropy"], part["entropy_given_cleanest"] + part["limit"]
         + part["information_of_noisiest"])
    assert part["prior_loss"] > part["information_of_noisiest"]


def test_bound_is_the_sum_of_the_chain_of_kl_divergences(golden):
    """KL(q(z_s|z_t, x) || q(z_s|z_t, x^)) of the variance preserving chain, term by term."""
    out = tensors(golden["variational_bound_4"], "expected")
    total = 0.0
    for step in range(4):
        snr_s, snr_t = out["snr"][step], out["snr"][step + 1]
        a2_s, a2_t = snr_s / (1 + snr_s), snr_t / (1 + snr_t)
        transition = (1 - a2_t) - a2_t / a2_s * (1 - a2_s)
        posterior = transition * (1 - a2_s) / (1 - a2_t)
        shift = a2_s.sqrt() * transition / (1 - a2_t)
        total += shift**2 * out["errors"][step] / (2 * posterior)
    same(total, out["bound"])


def test_linear_vae_optimum_is_probabilistic_pca(golden):
    out = tensors(golden["probabilistic_pca"], "expected")
    data = tensors(golden["probabilistic_pca"], "inputs")["data"]
    same(out["elbo"], out["log_likelihood"])
    values, noise = out["eigenvalues"], out["noise_variance"]
    closed = -(values[:2].log().sum() + 3 * noise.log() + 5 + 5 * math.log(2 * math.pi)) / 2
    same(out["mean_log_likelihood"], closed)
    point = out["decoder"], out["encoder"], out["latent_variance"], noise
    at_optimum = latent_variable.with_gradients(data, *point)
    for name, value in at_optimum.items():
        if name.startswith("gradient_"):
            assert value.abs().max() < 1e-7, name
    elsewhere = golden["linear_vae_elsewhere"]
    assert tensors(elsewhere, "expected")["elbo"].mean() < out["elbo"].mean()


def test_linear_vae_bound_is_the_expectation_over_its_posterior(golden):
    """Two-point Gauss-Hermite quadrature is exact for the quadratic log-likelihood."""
    given = tensors(golden["linear_vae_elsewhere"], "inputs")
    spread = given["latent_variance"].sqrt()
    mean = given["data"] @ given["encoder"].T
    nll = 0.0
    for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        latent = mean + double(signs) * spread
        error = (given["data"] - latent @ given["decoder"].T).square().sum(-1)
        noise = given["noise_variance"]
        nll += (error / noise + 5 * (2 * math.pi * noise).log()) / 2 / 4
    same(nll, tensors(golden["linear_vae_elsewhere"], "expected")["reconstruction_nll"])


def test_bands_keep_energy_and_nest(golden):
    images = tensors(golden["haar_rings"], "inputs")["images"]
    haar, cosine = (tensors(golden[name], "expected") for name in ("haar_rings", "cosine_octaves"))
    same(haar["energies"].sum(-1), images.square().sum((1, 2)))
    same(haar["energies"].sum(-1), cosine["energies"].sum(-1))
    for basis in (bands.haar_matrix(8), bands.cosine_matrix(8)):
        same(basis @ basis.T, torch.eye(8))
    below = torch.zeros_like(images)
    for level in range(4):
        block = 8 // 2**level
        means = torch.nn.functional.avg_pool2d(images.unsqueeze(1), block).squeeze(1)
        means = means.repeat_interleave(block, 1).repeat_interleave(block, 2)
        same(haar["low_pass"][level], means)
        same(haar["energies"][:, level], (means - below).square().sum((1, 2)))
        below = means


def test_next_band_with_one_deviation_is_the_plain_likelihood():
    images, guess = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    out = bands.next_band(images, guess.unsqueeze(1).expand(-1, 4, -1, -1), double([0.3] * 4))
    plain = -torch.distributions.Normal(guess, math.exp(0.3)).log_prob(images).sum((1, 2))
    same(out["per_example"], plain)


def test_learned_log_variance_is_lowest_at_its_best(golden):
    entry = golden["learned_log_variance"]
    out, given = tensors(entry, "expected"), tensors(entry, "inputs")
    assert (out["loss"] >= out["best_loss"]).all()
    same(torch.exp(-out["best_u"]) * given["loss"], given["count"])


def test_release_opens_every_band(golden):
    weight = tensors(golden["release_schedule"], "expected")["weights"]
    assert (weight.diff(dim=0) >= 0).all() and (weight[0] == 0).all() and (weight[-1] == 1).all()
