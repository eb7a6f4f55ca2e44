#!/usr/bin/env python3
"""Step time of each preset beside the same model in PyTorch eager, on one thread, in alternating runs.

    bench/step_time.py [--rounds 3] [--steps 10] [--widths 64 128] [--presets token mae denoise]

Each round runs Assay's program and then the eager twin below, so that a drifting machine slows both.
A step = 64 examples in 8 microbatches of 8, forward, backward, AdamW. The eager twin gets its noise from
torch's own generator and a ready batch in memory; Assay renders its data, keys its noise, splits its loss
by band and observes every microbatch: all of that is inside its time.
"""
import argparse
import json
import math
import pathlib
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEAK_GFLOPS = 186.0  # fp32 fused multiply-adds of one core with AVX-512, measured


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp_in, self.mlp_out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, causal):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        x = x + self.projection(mixed.transpose(1, 2).reshape(b, t, d))
        return x + self.mlp_out(F.gelu(self.mlp_in(self.norm2(x))))


def level_features(share, width=128):
    half = width // 2
    frequencies = torch.exp(torch.arange(half) * (-math.log(1e4) / half))
    angles = 1000 * share[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


class Trunk(nn.Module):
    def __init__(self, width, depth, heads, numbers, tokens):
        super().__init__()
        self.patch = nn.Linear(numbers, width) if numbers else nn.Embedding(256, width)
        self.level = nn.Sequential(nn.Linear(128, width), nn.SiLU(), nn.Linear(width, width))
        self.register_buffer("positions", torch.randn(tokens, width))
        self.layers = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, x, share, kept=None, causal=False):
        positions = self.positions.unsqueeze(0)
        if kept is not None:
            x = torch.gather(x, 1, kept[:, :, None].expand(-1, -1, x.shape[2]))
            positions = self.positions[kept]
        x = self.patch(x) + positions + self.level(level_features(share))[:, None]
        for layer in self.layers:
            x = layer(x, causal)
        return self.norm(x)


def patchify(images):
    b = images.shape[0]
    return images.view(b, 3, 8, 4, 8, 4).permute(0, 2, 4, 1, 3, 5).reshape(b, 64, 48)


class Denoise(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.trunk = Trunk(width, 4, 4, 48, 64)
        self.head = nn.Linear(width, 48)

    def forward(self, images):
        x = patchify(images)
        share = torch.sigmoid(torch.randn(len(x)) * 0.8 + 0.8)
        s = share[:, None, None]
        z = (1 - s) * x + s * torch.randn_like(x)
        error = self.head(self.trunk(z, share)) - x
        return (error.square() / s.clamp_min(0.05).square()).mean()


class Mae(nn.Module):
    def __init__(self, width, decoder_width, decoder_depth, decoder_heads):
        super().__init__()
        self.trunk = Trunk(width, 4, 4, 48, 64)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, decoder_width))
        self.input = nn.Linear(width, decoder_width)
        self.register_buffer("positions", torch.randn(64, decoder_width))
        self.layers = nn.ModuleList(Block(decoder_width, decoder_heads) for _ in range(decoder_depth))
        self.norm, self.output = nn.LayerNorm(decoder_width), nn.Linear(decoder_width, 48)

    def forward(self, images):
        x = patchify(images)
        b = len(x)
        order = torch.rand(b, 64).argsort(1)
        kept, masked = order[:, :16], order[:, 16:]
        encoded = self.input(self.trunk(x, torch.zeros(1), kept))
        full = torch.cat([encoded, self.mask_token.expand(b, 48, -1)], 1) + self.positions[order]
        for layer in self.layers:
            full = layer(full, False)
        predicted = self.output(self.norm(full[:, 16:]))
        target = torch.gather(x, 1, masked[:, :, None].expand(-1, -1, 48))
        return (predicted - target).square().mean()


class Token(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.trunk = Trunk(width, 4, 4, 0, 64)
        self.head = nn.Linear(width, 256)

    def forward(self, bytes_):
        logits = self.head(self.trunk(bytes_[:, :-1], torch.zeros(1), causal=True))
        return F.cross_entropy(logits.flatten(0, 1), bytes_[:, 1:].flatten())


def eager_step_ms(preset, width, steps):
    torch.manual_seed(0)
    model = {"denoise": lambda: Denoise(width), "mae": lambda: Mae(width, width // 2, 2, 2),
             "token": lambda: Token(width)}[preset]()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    data = (torch.randint(0, 256, (64, 65)) if preset == "token" else torch.randn(64, 3, 32, 32))
    times = []
    for step in range(steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        for microbatch in data.split(8):
            (model(microbatch) / 8).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[2:]), sum(p.numel() for p in model.parameters())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--presets", nargs="+", default=["token", "mae", "denoise"])
    parser.add_argument("--program", default=ROOT / "build" / "bin" / "step_time")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'preset':9}{'width':>6}{'assay ms':>10}{'eager ms':>10}{'assay/eager':>13}{'GFLOP/s':>9}"
          f"{'of peak':>9}{'data':>7}{'online':>8}")
    for width in arguments.widths:
        for preset in arguments.presets:
            ours, eager = [], []
            for _ in range(arguments.rounds):
                out = subprocess.run([arguments.program, preset, str(width), str(arguments.steps)],
                                     check=True, capture_output=True, text=True).stdout
                ours.append(json.loads(out))
                milliseconds, parameters = eager_step_ms(preset, width, arguments.steps)
                eager.append(milliseconds)
            if abs(parameters / ours[0]["parameters"] - 1) > 0.02:
                print(f"warning: eager has {parameters} parameters, Assay {ours[0]['parameters']}")
            middle = {key: statistics.median(o[key] for o in ours)
                      for key in ("step_ms", "gflops", "data_share", "online_share")}
            ratio = statistics.median(o["step_ms"] / e for o, e in zip(ours, eager))
            print(f"{preset:9}{width:6}{middle['step_ms']:10.1f}{statistics.median(eager):10.1f}{ratio:13.2f}"
                  f"{middle['gflops']:9.1f}{middle['gflops'] / PEAK_GFLOPS:9.0%}{middle['data_share']:7.1%}"
                  f"{middle['online_share']:8.2%}")


if __name__ == "__main__":
    main()
