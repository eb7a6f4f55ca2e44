#!/usr/bin/env python3
"""What probe mode costs: seconds over its bare passes, and memory over a training step's.

    bench/probe_cost.py [--width 128] [--units 8 64] [--repeats 5] [--presets mae denoise token]

Time: one block of units of 8 examples with two draws, measured, beside the same forward and backward passes of
the same examples and draws whose gradients nobody looks at; alternating in one process, median of the ratios.
Memory: peak resident size of a process that measures, beside one that takes training steps of 64 examples in
microbatches of 8. `copies` is the difference in copies of the gradient; at most units + 2 are meant to be spent.
"""
import argparse
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(arguments, preset, mode, units):
    out = subprocess.run([arguments.program, preset, str(arguments.width), mode, str(units), str(arguments.repeats)],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--units", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--presets", nargs="+", default=["mae", "denoise", "token"])
    parser.add_argument("--program", default=ROOT / "build" / "bin" / "probe_cost")
    arguments = parser.parse_args()
    print(f"{'preset':10}{'units':>6}{'bare ms':>10}{'probe ms':>10}{'over':>8}{'train MB':>10}{'probe MB':>10}"
          f"{'copies':>8}{'allowed':>9}")
    for preset in arguments.presets:
        train = run(arguments, preset, "train", 0)
        for units in arguments.units:
            probe = run(arguments, preset, "probe", units)
            copies = (probe["peak_mb"] - train["peak_mb"]) / probe["gradient_mb"]
            print(f"{preset:10}{units:6}{probe['bare_ms']:10.0f}{probe['probe_ms']:10.0f}{probe['overhead']:8.1%}"
                  f"{train['peak_mb']:10.0f}{probe['peak_mb']:10.0f}{copies:8.1f}{units + 2:9}", flush=True)


if __name__ == "__main__":
    main()
