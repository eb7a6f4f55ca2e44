#!/usr/bin/env python3
"""Seconds to a ±20% interval on the total SNR, beside per-example gradients in PyTorch.

    bench/snr_time.py [--presets mae denoise token] [--width 128] [--steps 400] [--half-width 0.2]

Trains each preset on the World (batch 64 in 8 microbatches of 8, depth 4), and measures the trunk's SNR at averaged
weights a quarter into the run with `assay measure snr --draws 1`, until the interval is as narrow as asked. Beside it
a Python program with the same model (eager_models.py) that takes as many per-example gradients, one draw each, by
PyTorch's vmap(grad) in chunks of 8 or a loop over single examples, and keeps what the estimate takes: their sum and
the sum of their squared norms. It gives no interval, and is told how many examples suffice. Both are whole processes,
start included; `gradients` is the ratio without either start. The Python program is timed on a sample of the
examples and extrapolated. `bare`: passes in batches of 8 whose gradients nobody looks at.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
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


WAYS = ("vmap", "loop", "bare")
SAMPLE = 256  # examples that a way is timed on


def work(preset, width, way):
    """Takes SAMPLE per-example gradients and prints the seconds that it took, the first chunk apart."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = TWINS[preset](width)
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    trained = [p for p in model.parameters() if p.requires_grad]
    data = [rows[:8] for rows in model.data()]
    total, squares = [torch.zeros_like(p) for p in trained], 0.0

    def loss(weights, *example):
        return functional_call(model, weights, tuple(row.unsqueeze(0) for row in example))

    each = vmap(grad(loss), in_dims=(None, *([0] * len(data))), randomness="different")

    def keep(gradients, mean):
        nonlocal squares
        squares += sum(float(norm) ** 2 for norm in torch._foreach_norm(gradients))
        torch._foreach_add_(total, mean)

    def chunk():
        if way == "vmap":
            gradients = list(each(parameters, *data).values())
            keep(gradients, [g.sum(0) for g in gradients])
        elif way == "loop":
            for i in range(8):
                gradients = torch.autograd.grad(model(*(rows[i:i + 1] for rows in data)), trained)
                keep(gradients, gradients)
        else:
            torch.autograd.grad(model(*data), trained)

    chunk()
    start = time.perf_counter()
    for _ in range(SAMPLE // 8):
        chunk()
    print(time.perf_counter() - start)


def python_cost(preset, width, way):
    """(milliseconds an example, seconds of start) of a Python process."""
    start = time.perf_counter()
    out = subprocess.run([sys.executable, __file__, "--work", preset, str(width), way], check=True, capture_output=True,
                         text=True).stdout
    seconds = float(out)
    return 1e3 * seconds / SAMPLE, time.perf_counter() - start - seconds


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


def started(arguments, folder):
    """Seconds of a command that loads torch and the library and does nothing."""
    start = time.perf_counter()
    subprocess.run([arguments.program.parent / "assay-worker", "--version"], cwd=folder, capture_output=True)
    return time.perf_counter() - start


def main():
    if sys.argv[1:2] == ["--work"]:
        return work(sys.argv[2], int(sys.argv[3]), sys.argv[4])
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
          f"{'bare s':>9}{'best/assay':>12}{'gradients':>11}")
    for preset in arguments.presets:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            trained(preset, arguments, folder)
            before = {way: python_cost(preset, arguments.width, way) for way in WAYS}
            seconds, snr, cost = measured(preset, arguments, folder)
            start = started(arguments, folder)
            after = {way: python_cost(preset, arguments.width, way) for way in WAYS}
        gradients = {way: snr["n"] * (before[way][0] + after[way][0]) / 2e3 for way in WAYS}
        whole = {way: gradients[way] + (before[way][1] + after[way][1]) / 2 for way in WAYS}
        best = min(("vmap", "loop"), key=whole.get)
        reached = f"±{cost['half_width']:.0%}" if cost["half_width"] else ">0"
        interval = f"{snr['value']:.2g} [{snr['low']:.2g}, {snr['high']:.2g}]"
        print(f"{preset:9}{interval:>26}{reached:>7}{snr['n']:10}{cost['measuring_flops'] / 1e9:8.0f}{seconds:9.1f}"
              f"{whole['vmap']:9.1f}{whole['loop']:9.1f}{gradients['bare']:9.1f}{whole[best] / seconds:12.2f}"
              f"{gradients[best] / (seconds - start):11.2f}", flush=True)

if __name__ == "__main__":
    main()
