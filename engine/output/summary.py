"""What a run did, in one object: for the terminal, for `summary.json`, and for whoever called the library.

Counts come from the journal, so a run that was killed five times sums up like an undisturbed one. Times are the last run's.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import EngineError
from engine.output.files import publish
from engine.output.journal import files_of
from engine.output.score import Evaluation

SUMMARY = "summary.json"
Status = Literal["completed", "partial", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class FailedInput:
    """An input without a complete result, and why: what its InputError says."""

    input: int  # index in the request
    code: str
    message: str
    line: int | None = None
    column: str | None = None
    value: str | None = None


class RunSummary:
    """What the summaries of all pipelines have in common: these fields, their JSON, and their place in the job's folder."""

    __slots__ = ()

    status: Status
    warnings: tuple[str, ...]
    stage_s: dict[str, float]
    elapsed_s: float
    device: str
    model: str
    folder: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        raise NotImplementedError

    def to_json(self) -> str:
        """Return it as JSON text, indented."""
        return json.dumps(self.as_dict(), allow_nan=False, indent=2) + "\n"

    def save(self, folder: Path) -> Path:
        """Write `summary.json` into a job's folder and return its path. Raises DiskFull or OutputError."""
        path = folder / SUMMARY
        publish(path, self.to_json().encode("ascii"), kind="summary")
        return path


def failed_end(error: EngineError, **facts: Any) -> dict[str, Any]:
    """Return how a journal tells of an input that ended early: the error, its place in the file where it has one, and more facts."""
    places = {name: getattr(error, name, None) for name in ("line", "column", "value")}
    known = {name: place for name, place in places.items() if place is not None}
    return {"status": "failed", "code": error.code, "message": str(error), **known, **facts}


def ends_of(entries: Iterable[Mapping[str, Any]]) -> tuple[int, tuple[FailedInput, ...]]:
    """Return how many inputs the journal lines call completed, and those that they call failed, in request order."""
    completed = 0
    failed: list[FailedInput] = []
    for entry in entries:
        end = entry.get("ended")
        if end is not None and end["status"] == "failed":
            failed.append(
                FailedInput(
                    entry["input"], end["code"], end["message"], end.get("line"), end.get("column"), end.get("value")
                )
            )
        completed += end is not None and end["status"] == "completed"
    return completed, tuple(sorted(failed, key=lambda one: one.input))


@dataclass(frozen=True, slots=True)
class Tally:
    """What the journal's lines add up to.

    `mean_confidence` is that of the windows with a state, None without any; `files` are relative to the job's folder, in the
    order of inputs and parts.
    """

    windows: int
    invalid: int
    counts: dict[str, int]
    mean_confidence: float | None
    files: tuple[str, ...]
    completed_inputs: int
    failed_inputs: tuple[FailedInput, ...]


@dataclass(frozen=True, slots=True)
class Summary(RunSummary):
    """The result of a run of machine-state classification.

    Attributes
    ----------
    status : str
        `completed`; `partial` when some inputs failed, `failed` when all did; `interrupted` when it can be resumed.
    tally : Tally
        Windows, states, files and failed inputs, over all runs into this folder.
    repaired_cells, gaps : int
        Missing or infinite cells that were filled; time gaps that were seen.
    warnings : tuple of str
        Sentences for a person.
    stage_s : dict
        Seconds of work by stage, in the order of the flow. Stages overlap: they do not sum to `elapsed_s`.
    elapsed_s, windows_per_s : float
        Wall time of this run, and the windows that it computed itself, each second.
    device, model : str
        What really ran.
    folder : str or None
        The job's folder.
    resumed_windows : int
        Windows that an earlier run had committed.
    evaluation : Evaluation or None
        Where the true states are known.
    """

    status: Status
    tally: Tally
    repaired_cells: int
    gaps: int
    warnings: tuple[str, ...]
    stage_s: dict[str, float]
    elapsed_s: float
    windows_per_s: float
    device: str
    model: str
    folder: str | None
    resumed_windows: int = 0
    evaluation: Evaluation | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = asdict(self)
        tally = values.pop("tally")
        values["evaluation"] = self.evaluation.as_dict() if self.evaluation is not None else None
        return {"status": values.pop("status"), **tally, **values}


def add_up(entries: Iterable[Mapping[str, Any]]) -> Tally:
    """Add up the journal lines that still count (`Journal.live`)."""
    windows = invalid = 0
    confidence = 0.0
    counts: dict[str, int] = {}
    files: list[str] = []
    entries = list(entries)
    for entry in sorted(entries, key=lambda entry: (entry.get("input", -1), entry.get("part", float("inf")))):
        if "part" in entry:
            windows += entry["rows"]
            invalid += entry["invalid"]
            confidence += entry["confidence"]
            for name, count in entry["counts"].items():
                counts[name] = counts.get(name, 0) + count
            files += [f"{place}/{name}" for (place, name), _ in files_of(entry)]
    completed, failed = ends_of(entries)
    return Tally(
        windows=windows,
        invalid=invalid,
        counts=dict(sorted(counts.items())),
        mean_confidence=confidence / (windows - invalid) if windows > invalid else None,
        files=tuple(files),
        completed_inputs=completed,
        failed_inputs=failed,
    )
