#!/usr/bin/env python3
"""Which objectives of a study beat their own random initialisation, as a Markdown table.

    scripts/learned.py runs/systems

By objective, over its completed seeds: the drop of the held-out training loss from the first to the last
checkpoint, and the probe's gain in bits over random init (all factors), each with the 95% t-interval over
seeds (n - 1 degrees of freedom; with one seed the trial's own interval). A gain whose interval includes 0
reads "not learned". Last, the rank correlation of the linear gain with a published harness.
"""
import json
import pathlib
import statistics
import sys

from scipy import stats

# Linear probe on Imagenette, ViT-S/16 at 224 px, 200 epochs, one harness: stable-pretraining
# benchmarks/imagenet10/RESULTS.md. iGPT there is next-patch regression.
PUBLISHED = {"lejepa": 87.1, "dino": 86.1, "mae-norm": 84.1, "vicreg": 79.4, "simclr": 74.9, "jepa": 34.0,
             "data2vec": 26.3, "pixel-ar": 12.8}


def records(folder, trial):
    path = folder / "trials" / trial["id"] / "records.jsonl"
    outcome = folder / "trials" / trial["id"] / "outcome.json"
    if not outcome.exists() or json.loads(outcome.read_text())["status"] != "completed":
        return None
    return [json.loads(line) for line in path.read_text().splitlines()]


def find(lines, meter, quantity, fraction, **labels):
    for line in lines:
        if (line["kind"] == "measurement" and line["meter"] == meter and line["quantity"] == quantity
                and line["fraction"] == fraction
                and all(line["labels"].get(key) == value for key, value in labels.items())):
            return line
    return None


def estimate(values):
    """Mean and 95% t-interval over seeds; of one seed, what the meter gave."""
    values = [v for v in values if v is not None and v["value"] is not None]
    if not values:
        return None
    if len(values) == 1:
        return values[0]["value"], values[0].get("low"), values[0].get("high")
    numbers = [v["value"] for v in values]
    half = stats.t.ppf(.975, len(numbers) - 1) * statistics.stdev(numbers) / len(numbers) ** .5
    mean = statistics.mean(numbers)
    return mean, mean - half, mean + half


def text(item, sign):
    if item is None:
        return "–"
    value, low, high = item
    if low is None:
        return f"{value:.3g}"
    learned = (low > 0) if sign > 0 else (high < 0)
    words = f"{value:.3g} [{low:.3g}, {high:.3g}]"
    return words if learned else f"{words} not learned"


def main():
    folder = pathlib.Path(sys.argv[1])
    study = json.loads((folder / "study.json").read_text())
    rows = {}
    for trial in study["trials"]:
        lines = records(folder, trial)
        if lines is None:
            continue
        row = rows.setdefault(trial["config"]["objective"]["name"],
                              {"loss": [], "linear": [], "attentive": [], "rank": [], "steps": trial["steps"]})
        ends = [find(lines, "heldout_loss", "training_loss", at, weights="averaged") for at in (0, 1)]
        row["loss"].append({"value": ends[1]["value"] - ends[0]["value"],
                            "low": ends[1]["low"] - ends[0]["high"], "high": ends[1]["high"] - ends[0]["low"]})
        for readout in ("linear", "attentive"):
            row[readout].append(find(lines, "probe", "bits_gain", 1, factor="all", readout=readout))
        row["rank"].append(find(lines, "collapse", "effective_rank", 1, weights="averaged"))
    print("| objective | seeds | steps | held-out loss, end minus start | linear probe, bits over random init "
          "| attentive probe | effective rank |")
    print("|---|---|---|---|---|---|---|")
    gains = {}
    for name, row in rows.items():
        linear = estimate(row["linear"])
        gains[name] = linear
        rank = estimate(row["rank"])
        print(f"| {name} | {len(row['loss'])} | {row['steps']} | {text(estimate(row['loss']), -1)} | {text(linear, 1)} "
              f"| {text(estimate(row['attentive']), 1)} | {rank[0]:.1f} |")
    common = [name for name in PUBLISHED if gains.get(name)]
    if len(common) >= 4:
        test = stats.spearmanr([PUBLISHED[n] for n in common], [gains[n][0] for n in common])
        print(f"\nRank correlation of the linear gain with the published harness over {len(common)} objectives "
              f"({', '.join(common)}): {test.statistic:.2f}, p = {test.pvalue:.2g} two-sided.")


if __name__ == "__main__":
    main()
