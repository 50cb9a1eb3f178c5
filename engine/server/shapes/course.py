"""The course of a job as the server answers it: events, progress, inputs, traces."""

from typing import Annotated, Literal

from pydantic import Field

from engine.jobs.records import InputStatus, Level
from engine.server.shapes.basis import Count, FileId, InputId, JobId, JobsPage, Link, Shape, Time, Values
from engine.server.shapes.jobs import InputCounts, Records


class Event(Shape):
    """Something that happened to a job. Ids count from 1 within the job."""

    id: Annotated[int, Field(ge=1)]
    event_type: str
    level: Level
    message: str
    payload: Values
    input_id: InputId | None
    index: Count | None = Field(description="The worker's number.")
    created_at: Time


class EventPage(JobsPage):
    """Events, newest first unless asked otherwise."""

    events: list[Event]


class Metrics(Shape):
    """How far an input is."""

    percent_complete: float = Field(ge=0, le=100)
    items_processed: Count
    items_total: Count | None
    success: Count
    failed: Count


class ProgressEntry(Shape):
    """How far an input was at a commit. Ids count from 1 within the job."""

    id: Annotated[int, Field(ge=1)]
    kind: Literal["inference", "train", "eval"]
    step: Annotated[int, Field(ge=1)]
    message: str
    metrics: Metrics
    payload: Values
    input_id: InputId | None
    index: Count | None = Field(description="The worker's number.")
    created_at: Time


class ProgressPage(JobsPage):
    """Entries of progress, oldest first."""

    entries: list[ProgressEntry]


class InputFile(Shape):
    """The file behind an input."""

    ref: Link | None
    filename: str
    file_type: str | None
    file_extension: str = Field(description="With its dot.")
    num_bytes: Count
    metadata: Values
    file_tags: list[str] | None
    file_attributes: Values | None


class InputNotes(Shape):
    """What this engine says of an input beyond the common form."""

    records: Records | None


class Input(Shape):
    """One input of a job."""

    id: InputId
    job_id: JobId
    port_name: str
    file_id: FileId
    data: InputFile
    status: InputStatus = Field(description="`reference` is what is read but not processed, such as an example.")
    error_message: str | None
    created_at: Time
    completed_at: Time | None
    engine: InputNotes


class InputPage(JobsPage):
    """Inputs, in the order of the request."""

    inputs: list[Input]


class InputProgress(Shape):
    """An input that is processed, and how far it is."""

    input: Input
    latest_progress: ProgressEntry | None
    step: Annotated[int, Field(ge=1)] | None = Field(description="Its rank in finishing; null until then.")


class InputProgressPage(JobsPage):
    """Inputs, the last changed first unless asked otherwise."""

    items: list[InputProgress]


class JobCounts(InputCounts):
    """Tracked inputs of a job by status."""

    job_id: JobId


class FinishedFiles(Shape):
    """Inputs that are final."""

    completed: Count
    failed: Count


class FinishedItems(Shape):
    """Windows or lines that are final."""

    success: Count
    failed: Count


class TracePoint(Shape):
    """What was finished up to a time."""

    t: Time
    step: Count
    files: FinishedFiles
    items: dict[str, FinishedItems] = Field(description="By kind of progress.")


class Traces(Shape):
    """How a job went over time."""

    job_id: JobId
    bucket_seconds: float = Field(ge=0)
    latest_event_at: Time | None
    points: list[TracePoint] = Field(min_length=10, max_length=1000)
