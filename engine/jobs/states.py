"""The states of a job and what leads from one to the next: one table, and the fields that each step changes.

Every change makes a new snapshot, which the job's folder keeps: the last one is what the job is, whatever became of the index.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from engine.jobs.records import Conflict, JobStatus

Trigger = Literal["claim", "start", "complete", "fail", "preempt", "cancel", "retry"]

TRANSITIONS: dict[Trigger, tuple[frozenset[JobStatus], JobStatus]] = {
    "claim": (frozenset({"PENDING", "PREEMPTED"}), "ADMITTED"),
    "start": (frozenset({"ADMITTED"}), "RUNNING"),
    "complete": (frozenset({"RUNNING"}), "COMPLETED"),
    "fail": (frozenset({"ADMITTED", "RUNNING", "PREEMPTED"}), "FAILED"),
    "preempt": (frozenset({"ADMITTED", "RUNNING"}), "PREEMPTED"),
    "cancel": (frozenset({"PENDING", "ADMITTED", "RUNNING", "PREEMPTED"}), "CANCELLED"),
    "retry": (frozenset({"FAILED", "CANCELLED"}), "PENDING"),
}
"""Trigger to (the states that it may come in, the state that it leads to). Creation leads to PENDING."""

TERMINAL: frozenset[JobStatus] = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
WAITING: frozenset[JobStatus] = frozenset({"PENDING", "PREEMPTED"})
HELD: frozenset[JobStatus] = frozenset({"ADMITTED", "RUNNING"})  # by a worker
STATUSES: tuple[JobStatus, ...] = ("PENDING", "ADMITTED", "RUNNING", "PREEMPTED", "COMPLETED", "FAILED", "CANCELLED")

MOST_IDLE_PREEMPTIONS = 5  # preemptions in a row without a new commit, after which a job is given up
BACKOFF = "backoff_limit_exceeded"

_WHY = {
    "cancel": "cannot be cancelled",
    "retry": "cannot be retried",
    "claim": "does not wait",
    "start": "was not given to a worker",
    "complete": "does not run",
    "fail": "is final or was never started",
    "preempt": "does not run",
}


@dataclass(frozen=True, slots=True)
class State:
    """What may change of a job, at one instant; times as in the columns of the same names.

    Attributes
    ----------
    commits : int
        Lines of the run's journal at the last preemption or retry: more of them later are progress.
    discard : bool
        The run's folder is to be thrown away before a worker gets the job; any later state means that it was.
    error : dict or None
        `{code, message, error_uid, input_id}`.
    """

    status: JobStatus
    updated_at: str
    queued_at: str | None
    retry_count: int = 0
    preemption_count: int = 0
    idle_preemptions: int = 0
    commits: int = 0
    discard: bool = False
    started_at: str | None = None
    completed_at: str | None = None
    failed_at: str | None = None
    cancelled_at: str | None = None
    error: dict[str, Any] | None = None

    @classmethod
    def created(cls, now: str) -> "State":
        """Return the state of a new job."""
        return cls("PENDING", now, now)

    def to_json(self) -> str:
        """Return it as one line of JSON, without its end."""
        return json.dumps(asdict(self), allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "State":
        """Return the state that a line of the folder tells. Raises KeyError or TypeError where it is none."""
        known = {field.name for field in fields(cls)}
        state = cls(**{name: value for name, value in values.items() if name in known})
        if state.status not in STATUSES:
            raise KeyError(state.status)
        return state


def allows(status: JobStatus, trigger: Trigger) -> bool:
    """Tell whether a trigger may come in a state."""
    return status in TRANSITIONS[trigger][0]


def advance(
    job_id: str,
    state: State,
    trigger: Trigger,
    now: str,
    *,
    error: dict[str, Any] | None = None,
    commits: int = 0,
    discard: bool = False,
) -> State:
    """Return the state that a trigger leads to.

    Parameters
    ----------
    error
        Of `fail`.
    commits : int
        Of `preempt` and `retry`: lines of the run's journal by now.
    discard : bool
        Of `retry`: start from nothing.

    Raises
    ------
    Conflict
        The trigger may not come in this state.
    """
    allowed, status = TRANSITIONS[trigger]
    if state.status not in allowed:
        shown = ", ".join(one for one in STATUSES if one in allowed)
        raise Conflict(f"Job {job_id} is {state.status} and {_WHY[trigger]}.", cure=f"It would have to be {shown}.")
    waits = now if status in WAITING else None
    moved = replace(state, status=status, updated_at=now, queued_at=waits, discard=False)
    match trigger:
        case "start":
            return replace(moved, started_at=state.started_at or now)
        case "complete":
            return replace(moved, completed_at=now, error=None)
        case "fail":
            return replace(moved, failed_at=now, error=error)
        case "cancel":
            return replace(moved, cancelled_at=now)
        case "preempt":
            idle = 0 if commits > state.commits else state.idle_preemptions + 1
            count = state.preemption_count + 1
            return replace(moved, preemption_count=count, idle_preemptions=idle, commits=commits)
        case "retry":
            return replace(
                moved,
                retry_count=state.retry_count + 1,
                idle_preemptions=0,
                commits=commits,
                discard=discard,
                started_at=None,
                completed_at=None,
                failed_at=None,
                cancelled_at=None,
                error=None,
            )
        case "claim":
            return moved
