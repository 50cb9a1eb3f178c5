"""Small recordings and requests for tests: CSVs of noise around a level, one level a state."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

LEVELS = {"idle": 0.0, "run": 5.0}
COLUMNS = ("speed", "current", "flow")


def readings(state: str, rows: int, *, channels: int = 3, seed: int = 0) -> npt.NDArray[np.float64]:
    """Return readings of one state, (rows, channels)."""
    return np.random.default_rng(seed).normal(LEVELS[state], 1.0, (rows, channels)).round(3)


def write_csv(
    path: Path, values: npt.NDArray[Any], *, columns: tuple[str, ...] = COLUMNS, first_time: int = 1000
) -> Path:
    """Write readings under integer timestamps, one a second."""
    lines = [",".join(("timestamp", *columns[: values.shape[1]]))]
    lines += [f"{first_time + row}," + ",".join(map(str, cells)) for row, cells in enumerate(values.tolist())]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_plant(folder: Path, *, rows: int = 200, shot_rows: int = 100, channels: int = 3) -> Path:
    """Write `idle.csv`, `run.csv` and `line7.csv`, which is idle in its first half and runs in its second; return the folder."""
    columns = COLUMNS[:channels] if channels <= len(COLUMNS) else tuple(f"c{n}" for n in range(channels))
    for seed, state in enumerate(LEVELS):
        write_csv(folder / f"{state}.csv", readings(state, shot_rows, channels=channels, seed=seed), columns=columns)
    halves = [
        readings("idle", rows // 2, channels=channels, seed=7),
        readings("run", rows - rows // 2, channels=channels, seed=8),
    ]
    write_csv(folder / "line7.csv", np.concatenate(halves), columns=columns)
    return folder


def request(**config: Any) -> dict[str, Any]:
    """Return a request for the files of `write_plant`; keywords go into the worker's config."""
    return {
        "name": "line7-states",
        "pipeline_type": "batch",
        "pipeline_key": "machine-state-classification",
        "inputs": {
            "worker.inference": [{"file_id": "line7.csv"}],
            "worker.n_shots": [{"file_id": f"{state}.csv", "metadata": {"class": state}} for state in LEVELS],
        },
        "parameters": {"worker": {"config": config}},
    }


def write_job(folder: Path, body: dict[str, Any]) -> Path:
    """Write a request beside its files."""
    path = folder / "job.json"
    path.write_text(json.dumps(body))
    return path
