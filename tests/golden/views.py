"""Golden values of losses between views: contrastive, and prototypes with self-distillation."""

import torch
import torch.nn.functional as F

from tensors import case, double, wave, with_gradient


def nt_xent(views, temperature):
    """NT-Xent as SimCLR: the 2N - 1 other embeddings of both views are the candidates.

    Formula: -log(e^{cos(z_i, z_j)/T} / sum over k != i of e^{cos(z_i, z_k)/T}), j the other view
    of i, k over both views; mean over 2N anchors

    Source: Chen et al. 2020, arXiv 2002.05709, eq. 1; vturrisi/solo-learn solo/losses/simclr.py
    """
    count = views.shape[1]
    z = F.normalize(views.reshape(2 * count, -1), dim=-1)
    similarity = torch.exp(z @ z.T / temperature)
    index = torch.arange(count).repeat(2)
    positives = index[:, None] == index[None, :]
    negatives = ~positives
    positives.fill_diagonal_(False)
    positive = (similarity * positives).sum(1)
    per_anchor = -torch.log(positive / (positive + (similarity * negatives).sum(1)))
    per_anchor = per_anchor.view(2, count)
    return {"per_anchor": per_anchor, "per_example": per_anchor.sum(0), "mean": per_anchor.mean()}


def info_nce(queries, keys, temperature):
    """One-sided InfoNCE: the N embeddings of the other view are the candidates.

    Formula: -log softmax over k of cos(q_i^a, k_k^b)/T at k = i, b the other view than a. mean =
    over both directions (CLIP); moco_v3 = 2T·(sum of the two directions' means)

    Source: van den Oord et al. 2018, arXiv 1807.03748; facebookresearch/moco-v3 moco/builder.py
    ctr_loss; Radford et al. 2021, arXiv 2103.00020, figure 3
    """
    labels = torch.arange(queries.shape[1])
    rows = []
    for view in (0, 1):
        q, k = F.normalize(queries[view], dim=-1), F.normalize(keys[1 - view], dim=-1)
        rows.append(F.cross_entropy(q @ k.T / temperature, labels, reduction="none"))
    per_anchor = torch.stack(rows)
    return {"per_anchor": per_anchor, "per_example": per_anchor.sum(0), "mean": per_anchor.mean(),
            "moco_v3": 2 * temperature * per_anchor.mean(1).sum()}


def dino_loss(student, teacher, centre, student_temperature, teacher_temperature, momentum):
    """DINO: cross-entropy of crop pairs, the teacher centred and sharpened.

    Formula: p = softmax((g - c)/T_t); -sum_k p_k log softmax(s/T_s)_k; mean over pairs (teacher
    crop t, student crop v), v != t; then c <- m c + (1 - m)·mean of g over batch and teacher
    crops

    Source: facebookresearch/dino main_dino.py DINOLoss; Caron et al. 2021, arXiv 2104.14294, eq.
    4
    """
    p = torch.softmax((teacher - centre) / teacher_temperature, -1)
    log_q = torch.log_softmax(student / student_temperature, -1)
    pairs = -torch.einsum("tbk,vbk->tvb", p, log_q)  # [teacher crop, student crop, example]
    used = ~torch.eye(teacher.shape[0], student.shape[0], dtype=torch.bool)
    per_example = pairs[used].mean(0)
    batch_mean = teacher.reshape(-1, teacher.shape[-1]).mean(0)
    return {"teacher_probabilities": p, "per_pair": pairs, "per_example": per_example,
            "loss": per_example.mean(),
            "new_centre": momentum * centre + (1 - momentum) * batch_mean}


def sinkhorn(scores, temperature, iterations):
    """Sinkhorn-Knopp assignment of the teacher instead of centring.

    Formula: Q = e^{g/T}/sum; repeat: rows of a prototype /= (row sum·K), columns of an example /=
    (column sum·B); Q·B, so that each example's assignment sums to 1

    Source: facebookresearch/dinov2 dinov2/loss/dino_clstoken_loss.py sinkhorn_knopp_teacher;
    Caron et al. 2020, arXiv 2006.09882
    """
    q = torch.exp(scores / temperature)  # [B, K]
    q = q / q.sum()
    batch, prototypes = q.shape
    for _ in range(iterations):
        q = q / q.sum(0, keepdim=True) / prototypes
        q = q / q.sum(1, keepdim=True) / batch
    return {"assignment": q * batch}


def koleo(features):
    """KoLeo: spread on the sphere.

    Formula: -log(|x_i - x_nn(i)| + 1e-8) on L2-normalised rows, nn by largest inner product; the
    norm is of the difference plus 1e-8 per coordinate, as torch PairwiseDistance; mean over rows

    Source: facebookresearch/dinov2 dinov2/loss/koleo_loss.py; Sablayrolles et al. 2019, arXiv
    1806.03198
    """
    x = F.normalize(features, dim=-1, eps=1e-8)
    nearest = (x @ x.T).detach().fill_diagonal_(-1).argmax(1)
    distance = (x - x[nearest] + 1e-8).norm(dim=-1)
    per_example = -torch.log(distance + 1e-8)
    return {"nearest": nearest, "distance": distance, "per_example": per_example,
            "loss": per_example.mean()}


def cases():
    views = wave((2, 4, 6), 1.3, 0.7) + wave((1, 4, 6), 2.1, 1.9)
    yield case("nt_xent", nt_xent, {"views": views},
               with_gradient(nt_xent, views, 0.2, of="mean"), {"temperature": 0.2})
    yield case("info_nce_one_sided", info_nce, {"queries": views, "keys": views},
               with_gradient(lambda live: info_nce(live, live, 0.2), views, of="mean"),
               {"temperature": 0.2})
    keys = views + wave((2, 4, 6), 0.5, 2.7, 0.5)
    yield case("info_nce_teacher_keys", info_nce, {"queries": views, "keys": keys},
               with_gradient(info_nce, views, keys, 0.2, of="mean"), {"temperature": 0.2})
    student, teacher = wave((4, 3, 6), 0.9, 1.7, 0.3), wave((2, 3, 6), 1.9, 0.8, 0.2, 0.5)
    centre = double([0.05, -0.1, 0.02, 0.0, 0.15, -0.03])
    yield case("dino", dino_loss, {"student": student, "teacher": teacher, "centre": centre},
               with_gradient(dino_loss, student, teacher, centre, 0.1, 0.04, 0.9, of="loss"),
               {"student_temperature": 0.1, "teacher_temperature": 0.04, "centre_momentum": 0.9})
    scores = wave((6, 5), 1.9, 0.8, 0.2, 0.5)
    yield case("sinkhorn", sinkhorn, {"scores": scores}, sinkhorn(scores, 0.05, 3),
               {"temperature": 0.05, "iterations": 3})
    features = wave((6, 5), 1.3, 0.7, 2) + wave((6, 5), 2.9, 2.2)
    yield case("koleo", koleo, {"features": features}, with_gradient(koleo, features, of="loss"),
               {"epsilon": 1e-8})
