"""Jobs as the server answers them."""

from typing import Annotated, Literal

from pydantic import Field

from engine.jobs.records import JobStatus
from engine.server.shapes.basis import Count, InputId, JobId, OrgId, Page, Shape, Time, Values, absent, an_id


class JobWarning(Shape):
    """Something that a job does, but that its owner may not want."""

    code: str
    message: str


class Estimate(Shape):
    """What a job is expected to be."""

    records: Count = Field(description="Windows or lines.")
    windows: Count | None
    channel_windows: Count | None
    output_files: Count
    seconds: float = Field(ge=0, description="Of computing on this machine's processor, without waiting.")
    exact: bool = Field(description="False where the counts come from the sizes of files.")


class Records(Shape):
    """Windows or lines that are committed. Truncated ones are among the succeeded; the last three but it sum to the total."""

    total: Count
    succeeded: Count
    failed: Count
    truncated: Count
    invalid: Count


class JobNotes(Shape):
    """What this engine says of a job beyond the common form."""

    ignored_config: list[str] = Field(description="Dotted paths of keys that mean nothing here.")
    overridden_config: list[str] = Field(description="Dotted paths of keys that a checkpoint replaced.")
    warnings: list[JobWarning]
    accelerator: str | None = Field(description="Null until a worker has it.")
    model: str
    token_budget: Count | None
    estimate: Estimate
    records: Records


class InputCounts(Shape):
    """Tracked inputs by status."""

    pending: Count
    processing: Count
    completed: Count
    failed: Count


class JobError(Shape):
    """Why a job failed."""

    code: str
    message: str
    error_uid: Annotated[str, an_id("err")]
    input_id: InputId | None


class _JobFields(Shape):
    id: JobId
    org_id: OrgId
    name: str
    pipeline_type: Literal["batch", "training"]
    pipeline_key: str
    pipeline_version: str
    status: JobStatus = Field(description="Final: COMPLETED, FAILED, CANCELLED. With any other, wait.")
    parameters: Values = Field(description="Resolved: the request on top of the defaults.")
    retry_count: Count
    preemption_count: Count
    created_at: Time
    updated_at: Time
    started_at: Time | None
    completed_at: Time | None
    failed_at: Time | None
    cancelled_at: Time | None
    error: JobError | None
    engine: JobNotes


class NewJob(_JobFields):
    """A job as it is created."""

    queue_position: Annotated[int, Field(ge=1)] = absent("1 is next; left out where the job does not wait.")
    queue_depth: Annotated[int, Field(ge=1)] = absent("How many wait; left out where the job does not wait.")


class Job(_JobFields):
    """A job."""

    queue_position: Annotated[int, Field(ge=1)] | None = Field(description="1 is next; null where it does not wait.")
    queue_depth: Annotated[int, Field(ge=1)] | None = Field(description="How many wait; null where it does not wait.")
    input_progress: InputCounts


class CheckedJob(Shape):
    """The answer to a dry run that found nothing wrong."""

    valid: Literal[True]
    parameters: Values
    estimate: Estimate
    warnings: list[JobWarning]


class CancelledJob(Shape):
    """The answer to a cancellation."""

    id: JobId
    status: Literal["CANCELLED"]
    cancelled_at: Time


class RetriedJob(Shape):
    """The answer to a retry."""

    id: JobId
    status: Literal["PENDING"]
    retry_count: Annotated[int, Field(ge=1)]


class DeletedJob(Shape):
    """The answer to a deletion."""

    id: JobId
    deleted: Literal[True]


class Queue(Shape):
    """How many jobs of a type wait."""

    pipeline_type: Literal["batch", "training"]
    depth: Count


class Queues(Shape):
    """The queues, one for each type of pipelines."""

    queues: list[Queue]


class JobPage(Page):
    """Jobs, newest first."""

    jobs: list[Job]
