"""Golden values of metrics between a prediction and its target."""

import torch
import torch.nn.functional as F

from tensors import case, decimal, double, wave


def squared_error(prediction, target):
    """Squared error.

    Formula: |p - y|², summed over the numbers of a token; mean = over all numbers

    Source: torch.nn.functional.mse_loss
    """
    per_token = (prediction - target).square().sum(-1)
    return {"per_token": per_token, "per_example": per_token.sum(-1),
            "mean": F.mse_loss(prediction, target)}


def smooth_l1(prediction, target, beta):
    """Smooth L1 (Huber over beta).

    Formula: d = |p - y|; d²/(2 beta) if d < beta, else d - beta/2

    Source: Girshick 2015, arXiv 1504.08083, eq. 3; beta 1 in I-JEPA, 2 in data2vec (vision), .05
    in SRA
    """
    distance = (prediction - target).abs()
    error = torch.where(distance < beta, distance.square() / (2 * beta), distance - beta / 2)
    torch.testing.assert_close(error, F.smooth_l1_loss(prediction, target, beta=beta,
                                                       reduction="none"))
    per_token = error.sum(-1)
    return {"per_token": per_token, "per_example": per_token.sum(-1), "mean": error.mean()}


def jepa_loss(prediction, teacher):
    """I-JEPA: smooth L1 against layer-normalised teacher features.

    Formula: smooth_l1_1(p, LN(h)), LN without scale and shift, biased variance, eps 1e-5

    Source: facebookresearch/ijepa src/train.py forward_target, loss_fn; Assran et al. 2023, arXiv
    2301.08243
    """
    mean = teacher.mean(-1, keepdim=True)
    variance = teacher.var(-1, keepdim=True, unbiased=False)
    target = (teacher - mean) / (variance + 1e-5).sqrt()
    torch.testing.assert_close(target, F.layer_norm(teacher, teacher.shape[-1:]))
    return {"target": target} | smooth_l1(prediction, target, 1.0)


def data2vec_loss(prediction, layers, top_k):
    """data2vec: the target averages the top layers of the teacher.

    Formula: y = 1/k·sum over the last k layers of LN(h_l) (eps 1e-5, no affine); smooth_l1_2(p,
    y). Variant: y' = LN(1/k·sum h_l)

    Source: Baevski et al. 2022, arXiv 2202.03555, section 3.3; the variant is stable-pretraining
    methods/data2vec.py
    """
    top = layers[-top_k:]
    width = layers.shape[-1:]
    target = F.layer_norm(top, width).mean(0)
    variant = F.layer_norm(top.mean(0), width)
    return ({"target": target, "target_of_mean": variant} | smooth_l1(prediction, target, 2.0)
            | {"mean_of_variant": F.smooth_l1_loss(prediction, variant, beta=2.0)})


def nepa_loss(embeddings, outputs):
    """NEPA: negative cosine between output t and input embedding t + 1.

    Formula: -mean over t of cos(f_t, e_{t+1}), cos of vectors divided by max(norm, 1e-12)

    Source: SihanXU/nepa modeling_vit_nepa.py loss with shift; Xu et al. 2025, arXiv 2512.16922
    """
    prediction = F.normalize(outputs[:, :-1], dim=-1)
    target = F.normalize(embeddings[:, 1:], dim=-1)
    per_token = -(prediction * target).sum(-1)
    return {"per_token": per_token, "per_example": per_token.sum(-1), "mean": per_token.mean()}


def pixel_cross_entropy(pixels, logits, levels):
    """Cross-entropy of quantised pixels, several categorical targets per token.

    Formula: class = clip(floor((x + 1)/2·levels), 0, levels - 1); -log softmax(logits)[class],
    nats. Logits of one number of the patch lie together: [..., number, level]

    Source: uniform quantisation of [-1, 1], as van den Oord et al. 2016, arXiv 1601.06759 (256
    levels)
    """
    classes = torch.floor((pixels + 1) / 2 * levels).clamp(0, levels - 1).long()
    surprise = -torch.log_softmax(logits, -1).gather(-1, classes.unsqueeze(-1)).squeeze(-1)
    return {"classes": classes, "per_number": surprise, "per_token": surprise.sum(-1),
            "per_example": surprise.sum((1, 2)), "mean": surprise.mean()}


def label_cross_entropy(logits, labels, smoothing):
    """Cross-entropy of class labels with label smoothing.

    Formula: -sum_k q_k log softmax(l)_k, q = (1 - a)·onehot + a/K

    Source: Szegedy et al. 2016, arXiv 1512.00567, section 7; torch cross_entropy(label_smoothing)
    """
    per_example = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
    return {"per_example": per_example, "mean": per_example.mean()}


def mae_normalised(patches, prediction, mask):
    """MAE with per-patch normalised pixels.

    Formula: y = (x - mean)/sqrt(var + 1e-6), var over the numbers of the patch, divided by n - 1;
    loss = sum_i m_i·mean((p_i - y_i)²)/sum m

    Source: facebookresearch/mae models_mae.py forward_loss with norm_pix_loss; arXiv 2111.06377
    """
    mean = patches.mean(-1, keepdim=True)
    variance = (patches - mean).square().sum(-1, keepdim=True) / (patches.shape[-1] - 1)
    target = (patches - mean) / (variance + 1e-6).sqrt()
    per_token = (prediction - target).square().sum(-1)
    masked = per_token * mask
    return {"target": target, "per_token": per_token, "per_example": masked.sum(-1),
            "loss": masked.sum() / mask.sum() / patches.shape[-1]}


def cases():
    prediction, target = wave((2, 3, 4), scale=2), wave((2, 3, 4), 0.9, 2.1, 3, 0.4)
    pair = {"prediction": prediction, "target": target}
    yield case("squared_error", squared_error, pair, squared_error(prediction, target))
    for beta in (1.0, 2.0, 0.05):
        yield case(f"smooth_l1_beta_{beta:g}", smooth_l1, pair,
                   smooth_l1(prediction, target, beta), {"beta": beta})
    wide = wave((2, 3, 8), 1.1, 0.9)
    teacher = wave((2, 3, 8), 1.7, 0.5, 3, 0.2)
    yield case("jepa_smooth_l1", jepa_loss, {"prediction": wide, "teacher": teacher},
               jepa_loss(wide, teacher), {"beta": 1.0, "epsilon": 1e-5})
    layers = wave((4, 2, 3, 8), 0.6, 1.9, 2, 1.0)
    yield case("data2vec", data2vec_loss, {"prediction": wide, "layers": layers},
               data2vec_loss(wide, layers, 3), {"beta": 2.0, "epsilon": 1e-5, "layers": 3})
    embeddings, outputs = wave((2, 5, 8), 0.8, 1.1), wave((2, 5, 8), 0.8, 1.3, 2, 0.3)
    yield case("nepa_cosine", nepa_loss, {"embeddings": embeddings, "outputs": outputs},
               nepa_loss(embeddings, outputs))
    yield from _class_cases()
    patches, guess = wave((2, 4, 12), 2.3, 0.5, 0.8, 0.1), wave((2, 4, 12), 0.7, 1.0, 1.2)
    patches[1, 2] = 0.25  # a flat patch: the target is zero
    mask = double([[1, 0, 1, 1], [0, 1, 1, 0]])
    yield case("mae_norm", mae_normalised, {"patches": patches, "prediction": guess, "mask": mask},
               mae_normalised(patches, guess, mask), {"epsilon": 1e-6})


def _class_cases():
    levels = 16
    pixels = wave((2, 3, 12), 1.9, 0.8, 1.0, 0.6)
    pixels[0, 0, :6] = double([-1, 1, 0, -1.2, 1.3, -0.875])  # edges and what lies outside
    logits = decimal(wave((2, 3, 12, levels), 0.37, 1.7, 2.0), 3)
    yield case("pixel_cross_entropy", pixel_cross_entropy, {"pixels": pixels, "logits": logits},
               pixel_cross_entropy(pixels, logits, levels), {"levels": levels})
    scores, labels = wave((4, 5), 1.3, 2.9, 3), torch.tensor([0, 3, 4, 1])
    for smoothing in (0.0, 0.1):
        yield case(f"label_cross_entropy_{smoothing:g}", label_cross_entropy,
                   {"logits": scores, "labels": labels},
                   label_cross_entropy(scores, labels, smoothing), {"label_smoothing": smoothing})
