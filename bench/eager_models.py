"""The presets' models and losses in plain PyTorch, for bench/step_time.py.

A twin takes one microbatch of the data and returns its loss. Randomness comes from torch's own generator,
patterns of masked tokens are uniform subsets of the preset's size (jepa's rectangles cost Assay more), and
losses are not split by band.
"""
import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

BATCH = 64
CLASSES = 4  # of the World's shape
LEVEL_FEATURES = 64


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp_in, self.mlp_out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, causal=False):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        x = x + self.projection(mixed.transpose(1, 2).reshape(b, t, d))
        return x + self.mlp_out(F.gelu(self.mlp_in(self.norm2(x))))


def level_features(share):
    half = LEVEL_FEATURES // 2
    frequencies = torch.exp(torch.arange(half) * (-math.log(1e4) / half))
    angles = 1000 * share[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


class Trunk(nn.Module):
    def __init__(self, width, numbers=48, tokens=64, depth=4, heads=4):
        super().__init__()
        self.patch = nn.Linear(numbers, width) if numbers else nn.Embedding(256, width)
        self.level = nn.Sequential(nn.Linear(LEVEL_FEATURES, width), nn.SiLU(), nn.Linear(width, width))
        self.register_buffer("positions", torch.randn(tokens, width))
        self.layers = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, x, share=None, kept=None, causal=False):
        positions = self.positions.unsqueeze(0)
        if kept is not None:
            x, positions = take(x, kept), self.positions[kept]
        share = torch.zeros(1) if share is None else share
        x = self.patch(x) + (positions + self.level(level_features(share))[:, None])
        for layer in self.layers:
            x = layer(x, causal)
        return self.norm(x)


class Decoder(nn.Module):
    def __init__(self, inputs, width, outputs, depth=2, heads=2):
        super().__init__()
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.input = nn.Linear(inputs, width)
        self.register_buffer("positions", torch.randn(64, width))
        self.layers = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, outputs)

    def run(self, x, first=0):
        for layer in self.layers:
            x = layer(x)
        return self.output(self.norm(x[:, first:]))

    def fill(self, encoded, kept, masked):
        """Outputs at `masked`, from features at `kept`."""
        hidden = self.mask_token.expand(len(encoded), masked.shape[1], -1)
        positions = self.positions[torch.cat([kept, masked], 1)]
        return self.run(torch.cat([self.input(encoded), hidden], 1) + positions, kept.shape[1])

    def generate(self, code):
        return self.run(self.input(code).unsqueeze(1) + (self.mask_token + self.positions))


def patchify(images):
    b = images.shape[0]
    return images.view(b, 3, 8, 4, 8, 4).permute(0, 2, 4, 1, 3, 5).reshape(b, 64, 48)


def take(tokens, positions):
    return torch.gather(tokens, 1, positions[:, :, None].expand(-1, -1, tokens.shape[2]))


def random_split(batch, kept):
    order = torch.rand(batch, 64).argsort(1)
    return order[:, :kept], order[:, kept:]


def grey(images):
    return (images * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def crop(images, smallest, colour=0.0):
    """A random square crop at the same resolution, flipped half of the time; brightness, contrast and
    saturation within 1 ± .4·colour."""
    u = torch.rand(len(images), 7)
    scale = (u[:, 0] * (1 - smallest) + smallest).sqrt()
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0] = torch.where(u[:, 3] < 0.5, -scale, scale)
    theta[:, 1, 1] = scale
    theta[:, :, 2] = (2 * u[:, 1:3] - 1) * (1 - scale)[:, None]
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    out = F.grid_sample(images, grid, "bilinear", "border", align_corners=False)
    if colour == 0:
        return out
    factor = ((2 * u[:, 4:] - 1) * (0.4 * colour) + 1).view(-1, 3, 1, 1, 1)
    out = ((out + 1) / 2 * factor[:, 0]).clamp(0, 1)
    mean = grey(out).mean((1, 2, 3), keepdim=True)
    out = (mean + (out - mean) * factor[:, 1]).clamp(0, 1)
    plain = grey(out)
    return (plain + (out - plain) * factor[:, 2]).clamp(0, 1) * 2 - 1


class Twin(nn.Module):
    microbatch = 8

    def data(self):
        """A batch in memory: tensors whose rows are examples."""
        return (0.5 * torch.randn(BATCH, 3, 32, 32),)

    def after_step(self):
        """What follows the optimiser's step."""


class Token(Twin):
    def __init__(self, width):
        super().__init__()
        self.trunk, self.head = Trunk(width, numbers=0), nn.Linear(width, 256)

    def data(self):
        return (torch.randint(0, 256, (BATCH, 65)),)

    def forward(self, text):
        logits = self.head(self.trunk(text[:, :-1], causal=True))
        return F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())


class Mae(Twin):
    def __init__(self, width):
        super().__init__()
        self.trunk, self.decoder = Trunk(width), Decoder(width, width // 2, 48)

    def forward(self, images):
        x = patchify(images)
        kept, masked = random_split(len(x), 16)
        predicted = self.decoder.fill(self.trunk(x, kept=kept), kept, masked)
        return (predicted - take(x, masked)).square().mean()


class Denoise(Twin):
    def __init__(self, width):
        super().__init__()
        self.trunk, self.head = Trunk(width), nn.Linear(width, 48)

    def forward(self, images):
        x = patchify(images)
        share = torch.sigmoid(torch.randn(len(x)) * 0.8 + 0.8)
        s = share[:, None, None]
        z = (1 - s) * x + s * torch.randn_like(x)
        error = self.head(self.trunk(z, share)) - x
        return (error / s.clamp_min(0.05)).square().mean()


class Vae(Twin):
    def __init__(self, width, latents=64):
        super().__init__()
        self.trunk, self.code = Trunk(width), nn.Linear(width, 2 * latents)
        self.decoder = Decoder(latents, width // 2, 48)
        self.log_variance = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        x = patchify(images)
        mean, log_variance = self.code(self.trunk(x).mean(1)).chunk(2, 1)
        log_variance = log_variance.clamp(-15, 15)
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        error = (self.decoder.generate(code) - x).square().mean()
        surprise = (error * (-self.log_variance).exp() + self.log_variance + math.log(2 * math.pi)) / 2
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
        return surprise.squeeze() + divergence / x[0].numel()


class Jepa(Twin):
    def __init__(self, width, momentum=0.995):
        super().__init__()
        self.momentum = momentum
        self.trunk, self.decoder = Trunk(width), Decoder(width, width // 2, width)
        self.teacher = copy.deepcopy(self.trunk).requires_grad_(False)

    def forward(self, images):
        x = patchify(images)
        kept, masked = random_split(len(x), 16)
        with torch.no_grad():
            features = self.teacher(x)
            target = take(F.layer_norm(features, features.shape[-1:]), masked)
        return F.smooth_l1_loss(self.decoder.fill(self.trunk(x, kept=kept), kept, masked), target)

    @torch.no_grad()
    def after_step(self):
        torch._foreach_lerp_(list(self.teacher.parameters()), list(self.trunk.parameters()), 1 - self.momentum)


def epps_pulley(z, slices, knots=17):
    t = torch.linspace(0, 3, knots)
    weights = torch.full((knots,), 6 / (knots - 1))
    weights[[0, -1]] /= 2
    window = (-t.square() / 2).exp()
    phase = (z @ slices).unsqueeze(2) * t
    error = (phase.cos().mean(0) - window).square() + phase.sin().mean(0).square()
    return (error @ (weights * window)).mean() * len(z)


class Lejepa(Twin):
    microbatch = BATCH  # SIGReg compares the examples of a batch

    def __init__(self, width, outputs=32, crops=4, slices=256):
        super().__init__()
        self.outputs, self.crops, self.slices = outputs, crops, slices
        self.trunk = Trunk(width)
        self.projector = nn.Sequential(nn.Linear(width, 4 * width), nn.LayerNorm(4 * width), nn.GELU(),
                                       nn.Linear(4 * width, outputs))

    def forward(self, images):
        views = [crop(images, 0.3) for _ in range(self.crops)]
        z = torch.stack([self.projector(self.trunk(patchify(view)).mean(1)) for view in views])
        slices = F.normalize(torch.randn(self.outputs, self.slices), dim=0)
        sigreg = sum(epps_pulley(own, slices) for own in z) / self.crops
        return 0.98 * (z - z.mean(0)).square().mean() + 0.02 * sigreg


class Supervised(Twin):
    def __init__(self, width):
        super().__init__()
        self.trunk, self.head = Trunk(width), nn.Linear(width, CLASSES)

    def data(self):
        return (*super().data(), torch.randint(0, CLASSES, (BATCH,)))

    def forward(self, images, labels):
        return F.cross_entropy(self.head(self.trunk(patchify(crop(images, 0.5))).mean(1)), labels)


TWINS = {"token": Token, "mae": Mae, "denoise": Denoise, "vae": Vae, "jepa": Jepa, "lejepa": Lejepa,
         "supervised": Supervised}
