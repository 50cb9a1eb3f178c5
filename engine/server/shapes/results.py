"""The results of a job as the server answers them: outputs, checkpoints, evaluation."""

from typing import Annotated

from pydantic import Field

from engine.server.shapes.basis import Count, FileId, InputId, JobId, JobsPage, Link, Shape, Time, Values, an_id
from engine.server.shapes.course import InputFile


class OutputFile(InputFile):
    """The file behind an output."""

    ref: Link
    file_type: str


class OutputNotes(Shape):
    """What this engine says of an output beyond the common form."""

    rows: Count
    first_row: Count | None
    last_row: Count | None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Output(Shape):
    """One result file of a job."""

    id: Annotated[str, an_id("out")]
    job_id: JobId
    port_name: str
    input_id: InputId
    input_file_id: FileId | None
    data: OutputFile
    expires_at: Time = Field(description="When the link stops to work. Listing again makes a new one.")
    created_at: Time
    engine: OutputNotes


class OutputPage(JobsPage):
    """Result files in the order of their commits, unless asked otherwise."""

    outputs: list[Output]


class Checkpoint(Shape):
    """A state of a model in training."""

    id: Annotated[str, an_id("ckp")]
    name: str
    step: Count
    metrics: Values
    created_at: Time


class CheckpointPage(JobsPage):
    """Checkpoints of a training job."""

    checkpoints: list[Checkpoint]


class ClassScore(Shape):
    """How well one class is found."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: Count


class Confusion(Shape):
    """How often which class was taken for which: rows are the truth."""

    classes: list[str]
    matrix: list[list[Count]]


class Evaluation(Shape):
    """How good a job's predictions are."""

    job_id: JobId
    final: bool
    windows: Count
    excluded: Count
    accuracy: float | None
    macro_f1: float | None
    majority_baseline: float | None = Field(description="The accuracy of always answering the most frequent class.")
    per_class: dict[str, ClassScore]
    confusion: Confusion
