#!/usr/bin/env python3
"""Accuracy on labelled sets, product defaults, beside mean and deviation per window.

    .venv/bin/python benchmarks/accuracy.py --data FOLDER [FOLDER ...] [--pilot FOLDER]

Every set is learned from its n-shot files (library step W/4) and scored on its eval files (step W/2), seams respected, windows with
more than one label left out, labels without shots not scored. W is the set's recommended window; everything else is the product's
default, nothing is chosen here. `--pilot` takes a folder with normal_shots.csv and fault_shots.csv (timestamp and channels, 2,000
rows each): the first 1,600 rows of each are the shots, the last 400 are scored, window 64, 5 neighbours, euclidean.

The last line is JSON.
"""

import argparse
import json
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from sets import LabelledSet, Segment, find_sets, label_windows, read_set
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neighbors import KNeighborsClassifier

import engine


def score_engine(shots: list[Segment], test: list[Segment], window: int, steps: tuple[int, int]) -> tuple[float, float]:
    """Return accuracy and macro-F1 of the product's classifier.

    The product uses one step for shots and recordings. The library is learned at the finer step and every window of the
    recordings at that step is predicted; the coarser ones are scored.
    """
    fine, coarse = steps
    known = {str(label) for segment in shots for label in segment.labels}
    recordings, names = [], []
    for segment in shots:
        for values, label in _stretches(segment):
            if len(values) >= window:
                recordings.append(values)
                names.append(label)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant channels
        model = engine.StateClassifier(window=window, step=fine).fit(recordings, names)
    truth: list[str] = []
    predicted: list[str] = []
    for segment in test:
        if len(segment.values) < window:
            continue
        labels = label_windows(segment.labels, window, fine)
        guesses = model.predict(segment.values)
        chosen = np.arange(0, len(labels), max(1, coarse // fine))
        for place in chosen:
            if labels[place] is not None and labels[place] in known:
                truth.append(labels[place])
                predicted.append(guesses[place])
    model.close()
    return accuracy_score(truth, predicted), f1_score(truth, predicted, average="macro")


def score_moments(
    shots: list[Segment], test: list[Segment], window: int, steps: tuple[int, int]
) -> tuple[float, float]:
    """Return accuracy and macro-F1 of mean and deviation per channel, scaled on the shots, 5 neighbours."""
    rows = np.concatenate([segment.values for segment in shots])
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    deviation[deviation <= 1e-6 * np.maximum(1e-12, np.abs(mean))] = 1.0

    def vectors(segments: list[Segment], step: int) -> tuple[np.ndarray, np.ndarray]:
        found, names = [], []
        for segment in segments:
            labels = label_windows(segment.labels, window, step)
            scaled = (segment.values - mean) / deviation
            for place, label in enumerate(labels):
                if label is not None:
                    part = scaled[place * step : place * step + window]
                    found.append(np.concatenate([part.mean(axis=0), part.std(axis=0)]))
                    names.append(label)
        return np.array(found), np.array(names)

    library, names = vectors(shots, steps[0])
    queries, truth = vectors(test, steps[1])
    scored = np.isin(truth, names)
    predicted = KNeighborsClassifier(5, algorithm="brute").fit(library, names).predict(queries[scored])
    return accuracy_score(truth[scored], predicted), f1_score(truth[scored], predicted, average="macro")


def score_pilot(folder: Path) -> dict[str, float]:
    """Score the two-file pilot: the last 400 rows of each file are held out."""
    shots, test = [], []
    for label in ("normal", "fault"):
        table = pl.read_csv(folder / f"{label}_shots.csv", infer_schema_length=None)
        values = table.drop([name for name in table.columns if name == "timestamp"]).cast(pl.Float64).to_numpy()
        names = np.full(len(values), label)
        shots.append(Segment(values[:-400], names[:-400]))
        test.append(Segment(values[-400:], names[-400:]))
    accuracy, macro_f1 = score_engine(shots, test, 64, (1, 1))
    base_accuracy, base_f1 = score_moments(shots, test, 64, (1, 1))
    return {"accuracy": accuracy, "macro_f1": macro_f1, "moments_accuracy": base_accuracy, "moments_macro_f1": base_f1}


def _stretches(segment: Segment) -> list[tuple[np.ndarray, str]]:
    changes = np.flatnonzero(segment.labels[1:] != segment.labels[:-1]) + 1
    edges = [0, *changes.tolist(), len(segment.labels)]
    return [(segment.values[a:b], str(segment.labels[a])) for a, b in pairwise(edges)]


def main() -> None:
    """Score every set and print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", type=Path, default=[], help="sets, or folders of sets")
    parser.add_argument("--pilot", type=Path, help="folder with normal_shots.csv and fault_shots.csv")
    arguments = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    for folder in find_sets(arguments.data):
        data: LabelledSet = read_set(folder)
        steps = (max(1, data.window // 4), max(1, data.window // 2))
        accuracy, macro_f1 = score_engine(data.segments["nshot"], data.segments["eval"], data.window, steps)
        base_accuracy, base_f1 = score_moments(data.segments["nshot"], data.segments["eval"], data.window, steps)
        results[data.name] = {
            "window": data.window,
            "accuracy": accuracy,
            "macro_f1": macro_f1,
            "moments_accuracy": base_accuracy,
            "moments_macro_f1": base_f1,
        }
        print(
            f"{data.name:20} window {data.window:4}  accuracy {accuracy:.3f}  macro-F1 {macro_f1:.3f}   "
            f"mean+deviation {base_accuracy:.3f} {base_f1:.3f}",
            flush=True,
        )
    summary: dict[str, object] = {"benchmark": "accuracy", "version": engine.__version__, "sets": results}
    if results:
        summary["mean_macro_f1"] = float(np.mean([one["macro_f1"] for one in results.values()]))
        summary["moments_mean_macro_f1"] = float(np.mean([one["moments_macro_f1"] for one in results.values()]))
        summary["worst_difference"] = float(min(one["macro_f1"] - one["moments_macro_f1"] for one in results.values()))
    if arguments.pilot:
        summary["pilot"] = score_pilot(arguments.pilot)
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
