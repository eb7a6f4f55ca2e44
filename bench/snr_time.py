#!/usr/bin/env python3
"""Seconds to a ±20% interval on the total SNR, beside per-example gradients in PyTorch.

    bench/snr_time.py [--presets mae denoise token] [--width 128] [--steps 400] [--half-width 0.2]

Trains each preset on the World (batch 64 in 8 microbatches of 8, depth 4), and measures the trunk's SNR at averaged
weights a quarter into the run with `assay measure snr --draws 1`, until the interval is as narrow as asked: the
seconds are those of the whole command, start included. Beside it the gradients that the usual way takes for as many
examples, one draw each: PyTorch's vmap(grad) in chunks of 8, a loop over single examples, and the bare passes in
batches of 8, all of the same model in eager_models.py on the same machine in the same run. Those gradients would
still have to be squared, summed and given an interval; nothing is charged for that.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
from torch.func import functional_call, grad, vmap

from eager_models import TWINS

ROOT = pathlib.Path(__file__).resolve().parent.parent
STUDY = """
[study]
name = "snr-time"

[data.scenes]
kind = "world"
view = "{view}"

[model]
width = {width}
depth = 4
heads = 4
patch = 4

[train]
budget = {{ steps = {steps} }}
batch = 64
microbatch = 8

[[objective]]
preset = "{preset}"

[measure]
at = [0.25, 1]
objective_snr = false
heldout_loss = false
probe = false
collapse = false
"""


def per_example_ms(preset, width, rounds=7):
    """Median milliseconds an example: {way: ms}."""
    torch.manual_seed(0)
    model = TWINS[preset](width)
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    trained = [p for p in model.parameters() if p.requires_grad]
    data = [rows[:8] for rows in model.data()]

    def loss(weights, *example):
        return functional_call(model, weights, tuple(row.unsqueeze(0) for row in example))

    each = vmap(grad(loss), in_dims=(None, *([0] * len(data))), randomness="different")

    def loop():
        for i in range(8):
            torch.autograd.grad(model(*(rows[i:i + 1] for rows in data)), trained)

    ways = {"vmap": lambda: each(parameters, *data), "loop": loop,
            "bare": lambda: torch.autograd.grad(model(*data), trained)}
    times = {way: [] for way in ways}
    for _ in range(rounds):
        for way, call in ways.items():
            start = time.perf_counter()
            call()
            times[way].append(1e3 * (time.perf_counter() - start) / 8)
    return {way: statistics.median(values[2:]) for way, values in times.items()}


def trained(preset, arguments, folder):
    view = "caption" if preset == "token" else "image"
    (folder / "study.toml").write_text(STUDY.format(view=view, width=arguments.width, steps=arguments.steps,
                                                    preset=preset))
    subprocess.run([arguments.program, "run", "study.toml", "-o", "study", "--workers", "1", "--no-progress"],
                   cwd=folder, check=True, capture_output=True)


def measured(preset, arguments, folder):
    """Seconds of the command, the SNR's record, and what it took."""
    start = time.perf_counter()
    out = subprocess.run([arguments.program, "measure", "snr", f"study/{preset}", "--at", str(arguments.steps // 4),
                          "--half-width", str(arguments.half_width), "--draws", "1", "--units", "64", "--examples", "8",
                          "--budget", "1000000", "--json", *arguments.extra], cwd=folder, check=True,
                         capture_output=True, text=True).stdout
    seconds = time.perf_counter() - start
    step = json.loads(out)["trials"][0]["steps"][0]
    snr = next(m for m in step["measurements"] if m["quantity"] == "snr_per_example"
               and m["labels"] == {"group": "trunk", "metric": "euclidean", "weights": "averaged"})
    return seconds, snr, step["measuring"][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=["mae", "denoise", "token"])
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--half-width", type=float, default=0.2)
    parser.add_argument("--program", default=ROOT / "build" / "bin" / "assay", type=pathlib.Path)
    parser.add_argument("extra", nargs="*", help="further options of assay measure snr, after --")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"{'preset':9}{'SNR':>26}{'width':>7}{'examples':>10}{'GFLOP':>8}{'assay s':>9}{'vmap s':>9}{'loop s':>9}"
          f"{'bare s':>9}{'best/assay':>12}")
    for preset in arguments.presets:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            trained(preset, arguments, folder)
            before = per_example_ms(preset, arguments.width)
            seconds, snr, cost = measured(preset, arguments, folder)
            after = per_example_ms(preset, arguments.width)
        theirs = {way: snr["n"] * (before[way] + after[way]) / 2e3 for way in before}
        reached = f"±{cost['half_width']:.0%}" if cost["half_width"] else ">0"
        interval = f"{snr['value']:.2g} [{snr['low']:.2g}, {snr['high']:.2g}]"
        print(f"{preset:9}{interval:>26}{reached:>7}{snr['n']:10}{cost['measuring_flops'] / 1e9:8.0f}{seconds:9.1f}"
              f"{theirs['vmap']:9.1f}{theirs['loop']:9.1f}{theirs['bare']:9.1f}"
              f"{min(theirs['vmap'], theirs['loop']) / seconds:12.2f}", flush=True)


if __name__ == "__main__":
    main()
