#!/usr/bin/env python3
"""Does the useful rate of branches predict what the next stretch of training gains? And does anything cheaper?

    scripts/drive_prediction.py runs/drive

A cell is an objective at a checkpoint that has a next one; its values are means over the completed seeds. What is
predicted: the gain of the probe (linear readout, averaged weights, all factors) from this checkpoint to the next,
in bits per GFLOP. Predictors: the useful rate of branches, and as controls the gain of the stretch before (what a
plotted curve gives for nothing), objective SNR per example and per GFLOP at averaged weights, and the fall of the
held-out loss per GFLOP relative to the loss. Spearman's rank correlation over cells; its interval by a
bootstrap over objectives (cells of one objective are not independent), 4,000 resamples, fixed seed. Three further
readings of the same cells guard against a correlation that is cheaply had:
  within checkpoints   ranks among objectives at equal compute, averaged: removes the common decay along training;
  other seeds          gain of one seed against the predictor's mean over the others, averaged over seeds: one seed's
                       probe at the checkpoint stands in both its rate and its gain, with the same error;
  long stretches       only cells whose next stretch has at least twice the steps of a branch: of a shorter one a
                       branch measures the gain rather than predicts it.
"""
import collections
import json
import pathlib
import random
import statistics
import sys

from scipy import stats

from learned import find, records

RESAMPLES = 4000


def value(line):
    return None if line is None else line["value"]


def cells_of_trial(lines, branch_steps):
    """By fraction of the budget: what is predicted, all predictors, and the next stretch in branches, of one trial."""
    def bits(fraction):
        return value(find(lines, "probe", "bits", fraction, factor="all", readout="linear", features="trained"))

    def place(fraction, unit):
        return find(lines, "probe", "bits", fraction, factor="all", readout="linear", features="trained")[unit]

    def loss(fraction):
        return value(find(lines, "heldout_loss", "training_loss", fraction, weights="averaged"))

    def snr(fraction, quantity):
        return value(find(lines, "objective_snr", quantity, fraction, group="trunk", metric="euclidean",
                          weights="averaged"))

    fractions = sorted({line["fraction"] for line in lines if line["kind"] == "measurement"})
    cells = {}
    for before, here, after in zip([None, *fractions], fractions, fractions[1:]):
        rate = value(find(lines, "drive", "useful_rate", here, factor="all"))
        if rate is None:
            continue
        gflops = (place(after, "flops") - place(here, "flops")) / 1e9
        cells[here] = {"gain": (bits(after) - bits(here)) / gflops, "useful rate": rate,
                       "branches": (place(after, "step") - place(here, "step")) / branch_steps,
                       "SNR per example": snr(here, "snr_per_example"), "SNR per GFLOP": snr(here, "snr_per_gflop")}
        if before is not None:
            spent = (place(here, "flops") - place(before, "flops")) / 1e9
            cells[here]["gain of the stretch before"] = (bits(here) - bits(before)) / spent
            cells[here]["fall of the loss before"] = (loss(before) - loss(here)) / abs(loss(before)) / spent
    return cells


def study_cells(folder):
    """[(objective, fraction, {name: [number of each seed]})]"""
    study = json.loads((folder / "study.json").read_text())
    by_cell = collections.defaultdict(lambda: collections.defaultdict(list))
    for trial in study["trials"]:
        lines = records(folder, trial)
        if lines is None:
            continue
        config = json.loads((folder / "trials" / trial["id"] / "config.json").read_text())
        steps = config["measure"].get("drive", {}).get("steps")
        for fraction, cell in cells_of_trial(lines, steps).items():
            for name, number in cell.items():
                by_cell[config["objective"]["name"], fraction][name].append(number)
    return [(*key, dict(cell)) for key, cell in sorted(by_cell.items())]


def mean(numbers):
    known = [number for number in numbers if number is not None]
    return statistics.mean(known) if known else None


def spearman(pairs):
    pairs = [pair for pair in pairs if None not in pair]
    if len({x for x, _ in pairs}) < 2 or len({y for _, y in pairs}) < 2:
        return None
    return stats.spearmanr(*zip(*pairs)).statistic


def correlation(cells, predictor):
    return spearman([(mean(cell[predictor]), mean(cell["gain"])) for _, _, cell in cells if predictor in cell])


def within_checkpoints(cells, predictor):
    return mean([correlation([cell for cell in cells if cell[1] == fraction], predictor)
                 for fraction in sorted({fraction for _, fraction, _ in cells})])


def other_seeds(cells, predictor):
    seeds = min(len(cell["gain"]) for _, _, cell in cells)
    if seeds < 2:
        return None
    return mean([spearman([(mean(cell[predictor][:seed] + cell[predictor][seed + 1:]), cell["gain"][seed])
                           for _, _, cell in cells if predictor in cell]) for seed in range(seeds)])


def long_stretches(cells, predictor):
    return correlation([cell for cell in cells if mean(cell[2]["branches"]) >= 2], predictor)


def interval(cells, predictor, statistic):
    objectives = sorted({objective for objective, _, _ in cells})
    grouped = {objective: [cell for cell in cells if cell[0] == objective] for objective in objectives}
    generator = random.Random(0)
    found = []
    for _ in range(RESAMPLES):
        chosen = [cell for objective in generator.choices(objectives, k=len(objectives)) for cell in grouped[objective]]
        one = statistic(chosen, predictor)
        if one is not None:
            found.append(one)
    found.sort()
    return (found[int(.025 * len(found))], found[int(.975 * len(found))]) if found else (float("nan"),) * 2


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cells = study_cells(pathlib.Path(sys.argv[1]))
    if not cells:
        sys.exit("no completed trial has branches: name `drive` in [measure]")
    print(f"{len(cells)} cells of {len({c[0] for c in cells})} objectives\n")
    far = sum(mean(cell["branches"]) >= 2 for _, _, cell in cells)
    print(f"| predictor | cells | all | within checkpoints | other seeds | long stretches ({far} cells) |")
    print("|---|---|---|---|---|---|")
    for predictor in sorted({name for _, _, cell in cells for name in cell} - {"gain", "branches"}):
        row = [predictor, str(sum(predictor in cell for _, _, cell in cells))]
        for statistic in (correlation, within_checkpoints, other_seeds, long_stretches):
            one = statistic(cells, predictor)
            low, high = interval(cells, predictor, statistic)
            row.append("–" if one is None else f"{one:.2f} [{low:.2f}, {high:.2f}]")
        print("| " + " | ".join(row) + " |")
    print("\n| objective | fraction | gain to the next, bits/GFLOP | useful rate | SNR per example | next stretch, branches |"
          "\n|---|---|---|---|---|---|")
    for objective, fraction, cell in cells:
        snr = mean(cell["SNR per example"])
        print(f"| {objective} | {fraction} | {mean(cell['gain']):.3g} | {mean(cell['useful rate']):.3g} | "
              f"{'–' if snr is None else format(snr, '.2g')} | {mean(cell['branches']):.2g} |")


if __name__ == "__main__":
    main()
