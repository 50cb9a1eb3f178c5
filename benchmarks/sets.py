"""Labelled sensor data sets on disk, for benchmarks that take a folder of them.

A set is a folder with `manifest.json`: `columns` (channels), `classes`, `recommended_windows`, and `files`, each with `path`, `role`
(`nshot`, `tune` or `eval`), `segments` (contiguous row ranges), and `class` or the path of a `labels` file (`timestamp,label`).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl


@dataclass(frozen=True, slots=True)
class Segment:
    """Contiguous rows of one recording: values (rows, channels) float64, labels (rows,) of text."""

    values: npt.NDArray[np.float64]
    labels: npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A set's segments by role, and the window that its makers recommend."""

    name: str
    columns: tuple[str, ...]
    window: int
    segments: dict[str, list[Segment]]


def find_sets(folders: list[Path]) -> list[Path]:
    """Return the folders with a manifest at or right below the given ones, by name."""
    found = {
        path.parent for folder in folders for path in (*folder.glob("manifest.json"), *folder.glob("*/manifest.json"))
    }
    return sorted(found)


def read_set(folder: Path) -> LabelledSet:
    """Read a set; every file's rows are split at its seams."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    columns = tuple(manifest["columns"])
    segments: dict[str, list[Segment]] = {"nshot": [], "tune": [], "eval": []}
    for file in manifest["files"]:
        table = pl.read_csv(folder / file["path"], infer_schema_length=None)
        values = table.select(columns).cast(pl.Float64).to_numpy()
        if "class" in file:
            labels = np.full(len(values), file["class"])
        else:
            labels = pl.read_csv(folder / file["labels"], infer_schema_length=None)["label"].cast(pl.String).to_numpy()
        for first, last in file["segments"]:
            segments[file["role"]].append(Segment(values[first:last], labels[first:last].astype(str)))
    return LabelledSet(folder.name, columns, manifest["recommended_windows"][0], segments)


def label_windows(labels: npt.NDArray[np.str_], window: int, step: int) -> npt.NDArray[np.object_]:
    """Return each window's label (windows,), None for windows that hold more than one."""
    codes = np.unique(labels, return_inverse=True)[1]
    changes = np.concatenate([[0], np.cumsum(np.diff(codes) != 0)])
    starts = np.arange(0, len(labels) - window + 1, step)
    pure = changes[starts] == changes[starts + window - 1]
    named: npt.NDArray[np.object_] = np.where(pure, labels[starts].astype(object), None)
    return named
