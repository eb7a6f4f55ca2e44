"""Golden values of VICReg and SIGReg in their published normalisations."""

import torch
import torch.nn.functional as F

from tensors import case, decimal, double, normal_like, wave, with_gradient


def _moments(view):
    """Mean hinge on the deviations, and the sum of squared off-diagonal covariances, of [N, D]."""
    centred = view - view.mean(0)
    variance = centred.square().sum(0) / (len(view) - 1)
    hinge = torch.relu(1 - (variance + 1e-4).sqrt()).mean()
    covariance = centred.T @ centred / (len(view) - 1)
    return hinge, covariance.square().sum() - covariance.diagonal().square().sum()


def vicreg_official(views, invariance, variance, covariance):
    """VICReg with the authors' normalisation.

    Formula: l_s·mean((z - z')²) + l_v·1/2·sum over views of mean_d relu(1 - sqrt(var_d + 1e-4)) +
    l_c·sum over views of sum_{i != j} C_ij²/D; variances and covariances divided by N - 1

    Source: facebookresearch/vicreg main_vicreg.py VICReg.forward; Bardes et al. 2022, arXiv
    2105.04906
    """
    hinges, squares = zip(*(_moments(view) for view in views))
    mse = F.mse_loss(views[0], views[1])
    hinge = sum(hinges) / 2
    off = sum(squares) / views.shape[-1]
    return {"invariance": mse, "variance": hinge, "covariance": off,
            "loss": invariance * mse + variance * hinge + covariance * off}


def vicreg_eb_jepa(views, variance, covariance):
    """VICReg with the normalisation of eb_jepa.

    Formula: mean((z - z')²) + l_v·sum over views of mean_d relu(1 - sqrt(var_d + 1e-4)) + l_c·sum
    over views of mean_{i != j} C_ij² (of D(D - 1) entries). 25 times (1, l_v, l_c) is the
    official loss with (25, 50·l_v, 25·l_c/(D - 1))

    Source: facebookresearch/eb_jepa eb_jepa/losses.py HingeStdLoss, CovarianceLoss, VICRegLoss
    """
    hinges, squares = zip(*(_moments(view) for view in views))
    width = views.shape[-1]
    mse = F.mse_loss(views[0], views[1])
    hinge, off = sum(hinges), sum(squares) / width / (width - 1)
    return {"invariance": mse, "variance": hinge, "covariance": off,
            "loss": mse + variance * hinge + covariance * off}


def epps_pulley(samples, knots, weights):
    """sum over knots of weight·|ECF(t) - e^{-t²/2}|². samples [N, M] -> [M]."""
    phase = samples.unsqueeze(-1) * knots
    gauss = torch.exp(-knots.square() / 2)
    error = (phase.cos().mean(0) - gauss).square() + phase.sin().mean(0).square()
    return error @ weights


def half_line(count):
    """Knots on [0, 3], trapezoid doubled by symmetry, times the window e^{-t²/2}."""
    knots = torch.linspace(0, 3, count, dtype=torch.double)
    step = 3 / (count - 1)
    weights = torch.full((count,), 2 * step, dtype=torch.double)
    weights[0] = weights[-1] = step
    return knots, weights * torch.exp(-knots.square() / 2)


def sigreg_lejepa(views, slices, share):
    """SIGReg of LeJEPA: per view, times the number of samples.

    Formula: per view and slice N·integral over [-3, 3] of e^{-t²/2}·|ECF(t) - e^{-t²/2}|² dt by
    17 knots on [0, 3] (trapezoid, doubled); mean over views and slices. loss = (1 - l)·mean((z -
    mean over views)²) + l·SIGReg

    Source: rbalestr-lab/lejepa MINIMAL.md and lejepa/univariate/epps_pulley.py; arXiv 2511.08544
    """
    knots, weights = half_line(17)
    statistic = torch.stack([len(view) * epps_pulley(view @ slices, knots, weights)
                             for view in views])
    invariance = (views.mean(0) - views).square().mean()
    regulariser = statistic.mean()
    return {"per_slice": statistic, "sigreg": regulariser, "invariance": invariance,
            "loss": (1 - share) * invariance + share * regulariser}


def sigreg_eb_jepa(views, slices, weight):
    """SIGReg of eb_jepa (BCS): per view, not times the number of samples.

    Formula: per view and slice integral of e^{-t²/2}·|ECF(t) - e^{-t²/2}|² dt by the trapezoid on
    10 points of [-3, 3]; mean over slices and the two views. loss = mean((z - z')²) + l·SIGReg

    Source: facebookresearch/eb_jepa eb_jepa/losses.py epps_pulley, BCS at 966e61e (later versions
    take lejepa's knots and factor N)
    """
    knots = torch.linspace(-3, 3, 10, dtype=torch.double)
    weights = torch.full((10,), 6 / 9, dtype=torch.double)
    weights[0] = weights[-1] = 3 / 9
    weights = weights * torch.exp(-knots.square() / 2)
    statistic = torch.stack([epps_pulley(view @ slices, knots, weights) for view in views])
    invariance, regulariser = F.mse_loss(views[0], views[1]), statistic.mean()
    return {"per_slice": statistic, "sigreg": regulariser, "invariance": invariance,
            "loss": invariance + weight * regulariser}


def sigreg_flattened(views, slices, weight):
    """SIGReg of stable-pretraining: all views are one sample.

    Formula: as LeJEPA's, of the V·N rows of all views together and times V·N; mean over slices.
    loss = mean((z - mean over views)²) + l·SIGReg (not convex)

    Source: stable-pretraining methods/lejepa.py _compute_loss at 9aa93f8 (changed to one
    statistic per view later)
    """
    knots, weights = half_line(17)
    rows = views.reshape(-1, views.shape[-1])
    statistic = len(rows) * epps_pulley(rows @ slices, knots, weights)
    invariance = (views.mean(0) - views).square().mean()
    regulariser = statistic.mean()
    return {"per_slice": statistic, "sigreg": regulariser, "invariance": invariance,
            "loss": invariance + weight * regulariser}


def feature_sets():
    """[2, N, D] by name: like N(0, I), too narrow and correlated, collapsed."""
    first = normal_like((16, 4))
    second = decimal(first + 0.3 * normal_like((16, 4), 0.37), 4)
    mixing = double([[0.5, 0.3, 0, 0], [0, 0.4, 0.2, 0], [0, 0, 0.3, 0.1], [0.2, 0, 0, 0.6]])
    gaussian = torch.stack([first, second])
    collapsed = double([0.5, -1.0, 0.25, 2.0]).expand(2, 16, 4).contiguous()
    return {"gaussian": gaussian, "narrow": decimal(gaussian @ mixing + 0.2, 4),
            "collapsed": collapsed}


def cases():
    slices = wave((5, 4), 1.7, 2.3, 1.0, 0.4)
    slices = decimal(slices / slices.norm(dim=1, keepdim=True), 6).T.contiguous()  # [D, M]
    for name, views in feature_sets().items():
        inputs = {"views": views}
        width = views.shape[-1]
        yield case(f"vicreg_official_{name}", vicreg_official, inputs,
                   with_gradient(vicreg_official, views, 25, 25, 1, of="loss"),
                   {"invariance": 25, "variance": 25, "covariance": 1, "epsilon": 1e-4})
        yield case(f"vicreg_eb_jepa_{name}", vicreg_eb_jepa, inputs,
                   with_gradient(vicreg_eb_jepa, views, 1, 80, of="loss"),
                   {"invariance": 1, "variance": 1, "covariance": 80, "epsilon": 1e-4})
        yield case(f"vicreg_equivalence_{name}", vicreg_official, inputs,
                   with_gradient(vicreg_official, views, 25, 50, 25 * 80 / (width - 1), of="loss"),
                   {"invariance": 25, "variance": 50, "covariance": 25 * 80 / (width - 1),
                    "equals": 25, "times": f"vicreg_eb_jepa_{name}"})
        inputs = {"views": views, "slices": slices}
        yield case(f"sigreg_lejepa_{name}", sigreg_lejepa, inputs,
                   with_gradient(sigreg_lejepa, views, slices, 0.02, of="loss"),
                   {"weight": 0.02, "knots": 17, "range": 3.0, "convex": True})
        yield case(f"sigreg_eb_jepa_{name}", sigreg_eb_jepa, inputs,
                   with_gradient(sigreg_eb_jepa, views, slices, 10.0, of="loss"),
                   {"weight": 10.0, "knots": 10, "range": 3.0, "convex": False})
        yield case(f"sigreg_flattened_{name}", sigreg_flattened, inputs,
                   with_gradient(sigreg_flattened, views, slices, 0.02, of="loss"),
                   {"weight": 0.02, "knots": 17, "range": 3.0, "convex": False})
