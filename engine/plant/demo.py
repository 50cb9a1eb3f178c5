"""The demonstration: labelled examples of every state, recordings to classify with their truth, and the job that joins them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import Problem, RequestError
from engine.output.files import make_folder, publish
from engine.plant.instruments import channel_names
from engine.plant.recording import write_csv
from engine.plant.scenario import STATES, Episode, Scenario

JOB_NAME = "demo-plant"
WINDOW_ROWS = 64
SHOTS_PER_STATE = 2
LEAST_EPISODE_ROWS = 2 * WINDOW_ROWS

_STREAM_DEMO = 6
_SHOTS_START = "2026-01-05T06:00:00Z"
_RECORDINGS: tuple[tuple[str, str], ...] = (
    ("plant_a", "2026-01-12T06:00:00Z"),
    ("plant_b", "2026-01-19T06:00:00Z"),
)


@dataclass(frozen=True, slots=True)
class DemoPlant:
    """Where the demonstration lies."""

    folder: Path
    job: Path
    shots: tuple[tuple[str, Path], ...]  # state, recording of that state alone
    recordings: tuple[Path, ...]
    truths: tuple[Path, ...]  # one to a recording


def write_demo(
    folder: Path, *, seed: int = 7, channels: int = 12, shot_rows: int = 600, recording_rows: int = 10_000
) -> DemoPlant:
    """Write the demonstration's files into a folder, which is made where it is missing, and return their paths.

    Two shots a state, of a mild and of a grave case; two recordings in which every fault occurs once between normal times, in a random order and for random
    times, each with a truth file; and `job.json`, the request that classifies them, its `file_id` relative to itself. Each
    file has set points and fault severities of its own.

    Parameters
    ----------
    seed : int
        The same seed writes the same bytes.
    shot_rows, recording_rows : int
        Rows of each shot and of each recording, one a second.

    Raises
    ------
    RequestError
        A number is out of range; everything wrong is named.
    OutputError
        A file could not be written.
    """
    _check(seed, channels, shot_rows, recording_rows)
    make_folder(folder)
    rng = np.random.default_rng([seed, _STREAM_DEMO])
    shots: list[tuple[str, Path]] = []
    for state in STATES:
        for number in range(SHOTS_PER_STATE):
            path = folder / f"shot_{state}_{number + 1}.csv"
            severity = (number + rng.random()) / SHOTS_PER_STATE
            write_csv(path, Scenario((Episode(state, shot_rows, severity),), _seed(rng), channels, start=_SHOTS_START))
            shots.append((state, path))
    recordings, truths = [], []
    for stem, start in _RECORDINGS:
        recording, truth = folder / f"{stem}.csv", folder / f"{stem}_labels.csv"
        scenario = Scenario(_episodes(recording_rows, rng), _seed(rng), channels, start=start)
        write_csv(recording, scenario, truth=truth)
        recordings.append(recording)
        truths.append(truth)
    job = folder / "job.json"
    plant = DemoPlant(folder, job, tuple(shots), tuple(recordings), tuple(truths))
    publish(job, (json.dumps(_request(plant, channels), indent=2) + "\n").encode())
    return plant


def _check(seed: int, channels: int, shot_rows: int, recording_rows: int) -> None:
    problems: list[Problem] = []
    try:
        Scenario((Episode(STATES[0], 1),), seed, channels)
    except RequestError as error:
        problems += error.problems
    least = {"shot_rows": WINDOW_ROWS, "recording_rows": (2 * len(STATES) - 1) * LEAST_EPISODE_ROWS}
    for where, rows in (("shot_rows", shot_rows), ("recording_rows", recording_rows)):
        if rows < least[where]:
            message = f"The demonstration cannot be written with {rows} {where}."
            problems.append(Problem("invalid_parameter", message, where, f"Give at least {least[where]}."))
    if problems:
        raise RequestError(problems)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def _episodes(rows: int, rng: np.random.Generator) -> tuple[Episode, ...]:
    """Return normal times with every fault once between them, of random lengths that add up to `rows`."""
    faults = [STATES[1 + i] for i in rng.permutation(len(STATES) - 1)]
    states = ["normal"] + [state for fault in faults for state in (fault, "normal")]
    weights = rng.uniform(0.6, 1.4, len(states))
    spare_rows = rows - LEAST_EPISODE_ROWS * len(states)
    ends = np.rint(np.cumsum(weights) / weights.sum() * spare_rows).astype(int)
    lengths = LEAST_EPISODE_ROWS + np.diff(ends, prepend=0)
    return tuple(Episode(state, int(length)) for state, length in zip(states, lengths, strict=True))


def _request(plant: DemoPlant, channels: int) -> dict[str, object]:
    reader = {
        "data_columns": list(channel_names(channels)),
        "timestamp_column": "timestamp",
        "window_size": WINDOW_ROWS,
        "step_size": 1,
    }
    pairs = zip(plant.recordings, plant.truths, strict=True)
    return {
        "name": JOB_NAME,
        "pipeline_type": "batch",
        "pipeline_key": "machine-state-classification",
        "inputs": {
            "worker.inference": [{"file_id": path.name} for path in plant.recordings],
            "worker.n_shots": [{"file_id": path.name, "metadata": {"class": state}} for state, path in plant.shots],
            "worker.labels": [{"file_id": truth.name, "metadata": {"for": path.name}} for path, truth in pairs],
        },
        "parameters": {"worker": {"config": {"reader_config": reader, "evaluation": {"label_column": "label"}}}},
    }
