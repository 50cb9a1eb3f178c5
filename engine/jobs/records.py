"""The rows of the job service as the rest of it sees them: one frozen class a table, and what is said when there is no such row."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Generic, Literal, TypeVar

from engine.errors import EngineError
from engine.output.events import Event, Level

__all__ = [
    "Conflict",
    "Event",
    "Input",
    "InputStatus",
    "Job",
    "JobStatus",
    "Level",
    "NotFound",
    "Output",
    "Page",
    "ProgressEntry",
    "event_from",
    "read_row",
    "read_rows",
]

JobStatus = Literal["PENDING", "ADMITTED", "RUNNING", "PREEMPTED", "COMPLETED", "FAILED", "CANCELLED"]
InputStatus = Literal["pending", "processing", "completed", "failed", "reference"]

_JSON = frozenset({"parameters", "engine", "error", "metadata", "records", "metrics", "payload"})
_BOOL = frozenset({"tracked"})

Row = TypeVar("Row")
Item = TypeVar("Item")


class NotFound(EngineError):
    """There is no such job, input, output or file for this organisation."""

    def __init__(self, message: str, *, code: str = "NOT_FOUND", cure: str = "") -> None:
        super().__init__(message, code=code, cure=cure)


class Conflict(EngineError):
    """The object's state forbids what was asked."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message, code="conflict", cure=cure)


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    Attributes
    ----------
    parameters : dict
        Resolved: defaults and request.
    engine : dict
        `ignored_config`, `overridden_config`, `warnings`, `accelerator`, `model`, `token_budget`, `estimate`.
    idle_preemptions : int
        Preemptions in a row that brought no new commit.
    error : dict or None
        `{code, message, error_uid, input_id}` of a failed job.
    pending, processing, completed, failed : int
        Tracked inputs by status.
    records_total, records_succeeded, records_failed, records_truncated, records_invalid : int
        Windows or lines that are committed. Truncated ones are among the succeeded; the other three sum to the total.
    journal_bytes, journal_lines : int
        How far the run's journal has been followed; heads are no lines.
    queued_at : str or None
        Its place in the queue while it waits.
    """

    id: str
    org_id: str
    name: str
    pipeline_type: str
    pipeline_key: str
    pipeline_version: str
    status: JobStatus
    parameters: dict[str, Any]
    engine: dict[str, Any]
    parallelism: int
    retry_count: int
    preemption_count: int
    idle_preemptions: int
    created_at: str
    updated_at: str
    started_at: str | None
    completed_at: str | None
    failed_at: str | None
    cancelled_at: str | None
    error: dict[str, Any] | None
    pending: int
    processing: int
    completed: int
    failed: int
    records_total: int
    records_succeeded: int
    records_failed: int
    records_truncated: int
    records_invalid: int
    journal_bytes: int
    journal_lines: int
    queued_at: str | None

    @property
    def tracked(self) -> int:
        """Return how many inputs are processed one by one."""
        return self.pending + self.processing + self.completed + self.failed

    @property
    def waits(self) -> bool:
        """Tell whether it stands in the queue."""
        return self.status in ("PENDING", "PREEMPTED")


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a job.

    Attributes
    ----------
    seq, place : int
        Its 0-based place in the request and on its port.
    kind : str
        `file` or `checkpoint`; then `file_name` is the checkpoint's id, and there is no `file_uid`.
    records : dict or None
        `{total, succeeded, failed, truncated, invalid}` of what is committed.
    step : int or None
        The 1-based rank in which it finished.
    """

    id: str
    job_id: str
    seq: int
    port_name: str
    place: int
    tracked: bool
    kind: str
    file_uid: str | None
    file_name: str
    file_type: str | None
    num_bytes: int
    sha256: str | None
    metadata: dict[str, Any]
    status: InputStatus
    error_code: str | None
    error_message: str | None
    records: dict[str, int] | None
    created_at: str
    changed_at: str
    completed_at: str | None
    step: int | None


@dataclass(frozen=True, slots=True)
class Output:
    """One result file. `place` is its folder in the run's, `results` or `embeddings`; `seq` its place in the order of commits."""

    id: str
    job_id: str
    seq: int
    port_name: str
    input_id: str
    part: int
    filename: str
    place: str
    file_type: str
    num_bytes: int
    rows: int
    first_row: int | None
    last_row: int | None
    sha256: str
    created_at: str


@dataclass(frozen=True, slots=True)
class ProgressEntry:
    """How far one input was at a commit. `worker` is the worker's number, `step` the 1-based number of the input's commit."""

    job_id: str
    id: int
    kind: str
    step: int
    message: str
    metrics: dict[str, Any]
    payload: dict[str, Any]
    input_id: str | None
    worker: int | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A piece of a list, and the length of the whole."""

    items: list[Item]
    total: int


def read_row(kind: type[Row], row: sqlite3.Row | Mapping[str, Any]) -> Row:
    """Return a row as an object of one of the classes above: JSON decoded, other columns left out."""
    values: dict[str, Any] = {}
    form: Any = kind
    for name in _names(form):
        value = row[name]
        if name in _JSON:
            value = None if value is None else json.loads(value)
        elif name in _BOOL:
            value = bool(value)
        values[name] = value
    return kind(**values)


def read_rows(kind: type[Row], rows: Iterable[sqlite3.Row]) -> list[Row]:
    """Return rows as objects."""
    return [read_row(kind, row) for row in rows]


def event_from(row: sqlite3.Row) -> Event:
    """Return a row of `events`."""
    return Event(
        id=row["id"],
        event_type=row["event_type"],
        level=row["level"],
        message=row["message"],
        payload=json.loads(row["payload"]),
        input_id=row["input_id"],
        index=row["worker"],
        created_at=row["created_at"],
    )


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
