#!/usr/bin/env python3
"""Does the useful rate of branches predict what the next stretch of training gains? And does anything cheaper?

    scripts/drive_prediction.py runs/drive

A cell is an objective at a checkpoint that has a next one; its values are means over the completed seeds. What is
predicted: the gain of the probe (linear readout, averaged weights, all factors) from this checkpoint to the next,
in bits per GFLOP. Predictors: the useful rate of branches, and as controls the gain of the stretch before (what a
plotted curve gives for nothing), objective SNR per example and per GFLOP at averaged weights, and the fall of the
held-out loss per GFLOP relative to the loss. Spearman's rank correlation over cells; its interval by a
bootstrap over objectives (cells of one objective are not independent), 4,000 resamples, fixed seed. The last
column correlates within checkpoints (ranks among objectives at equal compute, averaged), which removes the common
decay of everything along training.
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


def cells_of_trial(lines):
    """By fraction of the budget: what is predicted and all predictors of one trial."""
    def bits(fraction):
        return value(find(lines, "probe", "bits", fraction, factor="all", readout="linear", features="trained"))

    def flops(fraction):
        return find(lines, "probe", "bits", fraction, factor="all", readout="linear", features="trained")["flops"]

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
        gflops = (flops(after) - flops(here)) / 1e9
        cells[here] = {"gain": (bits(after) - bits(here)) / gflops, "useful rate": rate,
                       "SNR per example": snr(here, "snr_per_example"), "SNR per GFLOP": snr(here, "snr_per_gflop")}
        if before is not None:
            spent = (flops(here) - flops(before)) / 1e9
            cells[here]["gain of the stretch before"] = (bits(here) - bits(before)) / spent
            cells[here]["fall of the loss before"] = (loss(before) - loss(here)) / abs(loss(before)) / spent
    return cells


def study_cells(folder):
    """[(objective, fraction, {name: mean over seeds})]"""
    study = json.loads((folder / "study.json").read_text())
    by_cell = collections.defaultdict(lambda: collections.defaultdict(list))
    for trial in study["trials"]:
        lines = records(folder, trial)
        if lines is None:
            continue
        config = json.loads((folder / "trials" / trial["id"] / "config.json").read_text())
        for fraction, cell in cells_of_trial(lines).items():
            for name, number in cell.items():
                if number is not None:
                    by_cell[config["objective"]["name"], fraction][name].append(number)
    return [(objective, fraction, {name: statistics.mean(numbers) for name, numbers in cell.items()})
            for (objective, fraction), cell in sorted(by_cell.items())]


def correlation(cells, predictor):
    pairs = [(cell[predictor], cell["gain"]) for _, _, cell in cells if predictor in cell]
    if len({x for x, _ in pairs}) < 2 or len({y for _, y in pairs}) < 2:
        return None
    return stats.spearmanr(*zip(*pairs)).statistic


def within_checkpoints(cells, predictor):
    found = []
    for fraction in sorted({fraction for _, fraction, _ in cells}):
        one = correlation([cell for cell in cells if cell[1] == fraction], predictor)
        if one is not None:
            found.append(one)
    return statistics.mean(found) if found else None


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
    print("| predictor | cells | rank correlation | 95% | within checkpoints | 95% |\n|---|---|---|---|---|---|")
    for predictor in sorted({name for _, _, cell in cells for name in cell} - {"gain"}):
        row = [predictor, str(sum(predictor in cell for _, _, cell in cells))]
        for statistic in (correlation, within_checkpoints):
            one = statistic(cells, predictor)
            low, high = interval(cells, predictor, statistic)
            row += ["–", "–"] if one is None else [f"{one:.2f}", f"{low:.2f} to {high:.2f}"]
        print("| " + " | ".join(row) + " |")
    print("\n| objective | fraction | gain to the next, bits/GFLOP | useful rate | SNR per example |\n|---|---|---|---|---|")
    for objective, fraction, cell in cells:
        snr = cell.get("SNR per example")
        print(f"| {objective} | {fraction} | {cell['gain']:.3g} | {cell['useful rate']:.3g} | "
              f"{'–' if snr is None else format(snr, '.2g')} |")


if __name__ == "__main__":
    main()
