#!/usr/bin/env python3
"""Time of `assay fit` beside Python on one table of 240 rows, in one run and on one thread.

    bench/law_fit.py [--program build/bin/assay] [--rounds 9] [--no-million]

The table is Besiroglu et al.'s reconstruction of Hoffmann et al.'s figure 4 without its 5 largest losses
(../shared/data/laws/epoch-chinchilla), or a simulated one of that size where it is missing; the objective the sum
of Huber's loss of log residuals, delta = 1e-3. In Python: the strongest we could write (law_fit_python.py) and
the published ways, of which a sample is timed and the rest extrapolated, which the table says. Assay's times
are its own clock's ("seconds" of its JSON: reading and printing left out, as for Python) and a process's. Contenders take
turns, so that a drifting machine slows all of them.
"""
import argparse
import csv
import json
import math
import os
import pathlib
import statistics
import sys
import tempfile
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read when NumPy is imported

import numpy  # noqa: E402

import law_fit_python as python  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
EPOCH = ROOT.parent / "shared" / "data" / "laws" / "epoch-chinchilla" / "svg_extracted_data.csv"
DELTA = 1e-3


def law(n, d, generator, sigma):
    return (1.8172 + 477.8 * n**-0.3473 + 2143.4 * d**-0.3672) * numpy.exp(sigma * generator.standard_normal(len(n)))


def table():
    """(what it is, N, D, loss)"""
    if not EPOCH.exists():
        generator = numpy.random.default_rng(1)
        n, d = 10 ** generator.uniform(7.6, 10.2, 240), 10 ** generator.uniform(8.5, 11.5, 240)
        return "simulated", n, d, law(n, d, generator, 0.005)
    with EPOCH.open(newline="") as text:
        rows = sorted(([float(row[name]) for name in ("Model Size", "Training FLOP", "loss")]
                       for row in csv.DictReader(text)), key=lambda row: row[2])[:240]
    n, flops, loss = numpy.array(rows).T
    return "Chinchilla reconstruction", n, flops / (6 * n), loss


def write(path, n, d, loss):
    numpy.savetxt(path, numpy.column_stack([n, d, loss]), fmt="%.17g", delimiter=",", header="N,D,loss", comments="")


def assay(program, path, intervals):
    """(JSON, seconds of the process, its peak memory in MB)"""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        arguments = [str(program), "fit", str(path), "--form", "chinchilla", "--loss", f"huber:{DELTA}", "--ci",
                     intervals, "--json"]
        process = os.posix_spawn(program, arguments, os.environ,
                                 file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - start
        if status != 0:
            sys.exit(f"`{' '.join(arguments)}` failed")
        out.seek(0)
        return json.load(out), seconds, usage.ru_maxrss / 1024


def timed(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def fit_rows(program, path, rows, rounds):
    """Rows (what, seconds, objective, note) of one fit."""
    times = {name: [] for name in ("search", "assay", "process", "one", "four")}
    for _ in range(rounds):
        ours, wall, _ = assay(program, path, "none")
        times["search"].append(ours["search_seconds"])
        times["assay"].append(ours["seconds"])
        times["process"].append(wall)
        for name, starts in (("one", 1), ("four", 4)):
            found, seconds = timed(lambda: python.projected_fit(rows, DELTA, starts))
            times[name].append(seconds)
            if name == "one":
                one = found
        four = found
    median = {name: statistics.median(some) for name, some in times.items()}
    sample = 60
    published, seconds = timed(lambda: python.published_grid(rows, DELTA, sample))
    return [("assay fit: the search alone, which is what Python does", median["search"], ours["objective"],
             f"{ours['agreeing']} of {ours['starts']} starts agree"),
            ("assay fit, with identifiability and influence", median["assay"], ours["objective"], ""),
            ("assay fit, the whole process", median["process"], ours["objective"], ""),
            ("Python: projected grid, 1 start polished", median["one"], one[1], ""),
            ("Python: projected grid, 4 starts polished", median["four"], four[1], "as Assay does"),
            ("published: 4,500 starts, SciPy's L-BFGS-B", seconds * 4500 / sample, published[1],
             f"extrapolated from {sample} starts; the best of those")], one[0]


def bootstrap_rows(program, path, rows, warm):
    generator = numpy.random.default_rng(42)
    sample = 40
    draws = [generator.integers(0, rows.count, rows.count) for _ in range(sample)]
    _, descent = timed(lambda: [python.descend(rows.take(draw), warm, DELTA) for draw in draws])
    _, restart = timed(lambda: [python.projected_fit(rows.take(draw), DELTA, 4) for draw in draws])
    note = f"extrapolated from {sample} resamples"
    out = []
    for name, intervals, seconds in (("4,000 bootstraps, warm", "bootstrap:4000", descent),
                                     ("4,000 bootstraps, each from the grid", "bootstrap-full:4000", restart)):
        ours = assay(program, path, intervals)[0]
        out.append((f"assay fit, {name}", ours["seconds"], math.nan, f"{ours['bootstrap']['disagreeing']} disagree"))
        out.append((f"Python, {name}", seconds * 4000 / sample, math.nan, note))
    return out



def show(rows):
    """The first row is what the others are compared with."""
    print("| what | seconds | ratio | objective | |\n|---|---|---|---|---|")
    for what, seconds, objective, note in rows:
        value = "" if objective != objective else f"{objective:.14g}"
        print(f"| {what} | {seconds:.4g} | {seconds / rows[0][1]:.3g} | {value} | {note} |")
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build" / "bin" / "assay")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-million", action="store_true", help="leave out the table of a million rows")
    arguments = parser.parse_args()
    what, n, d, loss = table()
    rows = python.Rows.of(n, d, loss)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "table.csv"
        write(path, n, d, loss)
        print(f"{what}, {rows.count} rows, delta = {DELTA}, one thread\n")
        fits, warm = fit_rows(arguments.program, path, rows, arguments.rounds)
        show(fits)
        bootstraps = bootstrap_rows(arguments.program, path, rows, warm)
        show(bootstraps[:2])
        show(bootstraps[2:])
        if not arguments.no_million:
            generator = numpy.random.default_rng(2)
            n, d = 10 ** generator.uniform(7, 10, 10**6), 10 ** generator.uniform(9, 12, 10**6)
            write(path, n, d, law(n, d, generator, 0.005))
            ours, wall, memory = assay(arguments.program, path, "none")
            print(f"a million rows ({path.stat().st_size / 1e6:.0f} MB): {wall:.2f} s, of which the fit "
                  f"{ours['seconds']:.2f} s; peak {memory:.0f} MB")


if __name__ == "__main__":
    main()
