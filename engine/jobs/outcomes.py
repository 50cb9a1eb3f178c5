"""How a job ended: whether a run that calls itself complete was, and what is told where the run itself could not."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.jobs.records import Job, Level
from engine.jobs.states import State

ENDS = frozenset({"job.completed", "job.partial"})  # the events that a run tells at its end
NO_RESULT = {"code": "job_failed", "message": "No input gave a result."}


@dataclass(frozen=True, slots=True)
class Ending:
    """An event at the end of a job."""

    event_type: str
    level: Level
    message: str
    payload: dict[str, Any]


def why_unfinished(job: Job) -> dict[str, Any] | None:
    """Return the error of a job whose run calls itself complete and is not; None where it is."""
    if left := job.pending + job.processing:
        return {
            "code": "internal_error",
            "message": f"The run ended, but {left} of {job.tracked} inputs are not final.",
        }
    return None if job.completed else NO_RESULT


def ends_to_tell(job: Job, state: State, told: Collection[str]) -> Iterator[Ending]:
    """Yield what is still to be told of a completed job; `told` are the event types that its run did tell."""
    if (job.failed or job.records_failed) and "job.partial" not in told:
        message = f"{job.failed} of {job.tracked} inputs and {job.records_failed:,} records failed"
        payload = {"failed_inputs": job.failed, "failed_records": job.records_failed}
        yield Ending("job.partial", "WARN", message, payload)
    if "job.completed" not in told:
        begun, ended = (datetime.fromisoformat(at or state.updated_at) for at in (state.started_at, state.completed_at))
        message = f"Job completed in {(ended - begun).total_seconds():.0f}s"
        yield Ending("job.completed", "SUCCESS", message, {"records": job.records_total})
