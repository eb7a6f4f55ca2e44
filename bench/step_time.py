#!/usr/bin/env python3
"""Step time of each preset beside the same model in PyTorch eager, on one thread, in alternating runs.

    bench/step_time.py [--rounds 3] [--steps 10] [--widths 64 128] [--presets token mae ...]

Each round runs Assay's program and then the eager twin (eager_models.py), so that a drifting machine slows
both. A step = 64 examples in 8 microbatches of 8, or in one where the loss couples the examples of a batch
(lejepa), forward, backward, AdamW, and the teacher's average where there is one. The eager twin gets its noise
from torch's own generator and a ready batch in memory; Assay renders its data, keys its noise, splits its
loss by band and observes every microbatch: all of that is inside its time. Crops and colour jitter are inside
both. `online`: what observing the microbatches adds to a step; `one pass`: a step's time over that of the same batch
in one piece, unobserved.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import torch

from eager_models import BATCH, TWINS

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEAK_GFLOPS = 186.0  # fp32 fused multiply-adds of one core with AVX-512, measured


def eager_step_ms(preset, width, steps):
    """Median milliseconds of a step, trained parameters, microbatch."""
    torch.manual_seed(0)
    model = TWINS[preset](width)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    data = model.data()
    times = []
    for step in range(steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        for microbatch in zip(*(rows.split(model.microbatch) for rows in data)):
            (model(*microbatch) * (model.microbatch / BATCH)).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        model.after_step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[2:]), sum(p.numel() for p in trained), model.microbatch


def compare(preset, width, arguments):
    """Prints one row."""
    ours, eager = [], []
    for _ in range(arguments.rounds):
        out = subprocess.run([arguments.program, preset, str(width), str(arguments.steps)],
                             check=True, capture_output=True, text=True).stdout
        ours.append(json.loads(out))
        milliseconds, parameters, microbatch = eager_step_ms(preset, width, arguments.steps)
        eager.append(milliseconds)
    for what, theirs in (("parameters", parameters), ("microbatch", microbatch)):
        if abs(theirs / ours[0][what] - 1) > 0.02:
            print(f"warning: {what} of eager: {theirs}, of Assay: {ours[0][what]}")

    def middle(key):
        return statistics.median(o[key] for o in ours)

    ratio = statistics.median(o["step_ms"] / e for o, e in zip(ours, eager))
    # A batch in one piece has no microbatches to observe.
    online = "-" if ours[0]["online_share"] is None else f"{middle('online_share'):.2%}"
    print(f"{preset:11}{width:5}{ours[0]['microbatch']:6}{middle('step_ms'):10.1f}"
          f"{statistics.median(eager):10.1f}{ratio:13.2f}{middle('gflops'):9.1f}"
          f"{middle('gflops') / PEAK_GFLOPS:9.0%}{middle('data_share'):7.1%}{online:>8}"
          f"{middle('to_one_pass'):10.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--presets", nargs="+", default=list(TWINS), choices=list(TWINS))
    parser.add_argument("--program", default=ROOT / "build" / "bin" / "step_time")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'preset':11}{'width':>5}{'micro':>6}{'assay ms':>10}{'eager ms':>10}{'assay/eager':>13}"
          f"{'GFLOP/s':>9}{'of peak':>9}{'data':>7}{'online':>8}{'one pass':>10}")
    for width in arguments.widths:
        for preset in arguments.presets:
            compare(preset, width, arguments)


if __name__ == "__main__":
    main()
