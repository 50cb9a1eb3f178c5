"""The bodies that clients send, as the API page tells them.

They describe, and check nothing at run time: requests are read from their bytes, so that every problem can be told at once. Unknown
keys are taken everywhere.
"""

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from engine.jobs.file_facts import LONGEST_NAME, TYPES
from engine.jobs.uploads import LARGEST_BYTES
from engine.pipelines.activity_detection.config import ActivityConfig
from engine.pipelines.machine_state.config import MachineStateConfig

FileName: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, examples=["line7.csv"])]
FileType: TypeAlias = Annotated[
    str | None, Field(description=f"One of {', '.join(TYPES)}; none: by the name's suffix.")
]

EXAMPLE: dict[str, Any] = {
    "name": "line7-states",
    "pipeline_type": "batch",
    "pipeline_key": "machine-state-classification",
    "inputs": {
        "worker.inference": [{"file_id": "line7.csv"}],
        "worker.n_shots": [
            {"file_id": "idle.csv", "metadata": {"class": "idle"}},
            {"file_id": "run.csv", "metadata": {"class": "run"}},
        ],
    },
    "parameters": {"worker": {"config": {"reader_config": {"window_size": 64, "step_size": 1}}}},
}


_ABSENT: Any = None  # of a key that may be left out, but not be null


class Body(BaseModel):
    """A body; keys that are not listed mean nothing."""

    model_config = ConfigDict(extra="allow")


class InputEntry(Body):
    """A file, or a checkpoint, on a port."""

    file_id: str = Field(_ABSENT, min_length=1, description="Name or uid of an uploaded file.")
    metadata: dict[str, Any] | None = Field(None, description='Examples and training files: `{"class": "idle"}`.')
    kind: str = Field("file", description="`file` or `checkpoint`.")
    checkpoint_id: str = Field(_ABSENT, min_length=1, description="In place of `file_id`, where kind is `checkpoint`.")


class WorkerParameters(Body):
    """How the one component of every pipeline works."""

    parallelism: int = Field(1, ge=1, description="Upper bound on shards at a time. Never changes results.")
    config: MachineStateConfig | ActivityConfig | None = Field(
        None, description="On top of the pipeline's defaults, which its schema in the registry tells."
    )


class Parameters(Body):
    """Settings by component."""

    worker: WorkerParameters | None = None


class CreateJob(Body):
    """A request for a job."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [EXAMPLE]})
    name: str = Field(min_length=1, description="Need not be unique.")
    pipeline_type: str = Field(description="`batch` or `training`, as the pipeline is.")
    pipeline_key: str = Field(description="A key of the registry.")
    pipeline_version: str | None = Field(None, description="None: the newest.")
    inputs: dict[str, list[InputEntry] | InputEntry] | None = Field(
        None, description="By port, with the component or without: `worker.inference`, `inference`."
    )
    parameters: Parameters | None = None
    idempotency_key: str | None = Field(
        None, description="The same key with the same body within a day gives the first job."
    )


class RetryJob(Body):
    """How to retry. May be left out."""

    restart: bool = Field(False, description="Discard the results so far and begin from nothing.")


class Base64File(Body):
    """A file as text."""

    filename: FileName
    file_type: FileType = None
    data: str = Field(description="Base64.", examples=["YSxiCjEsMgo="])


class InitiateUpload(Body):
    """What is to come in parts."""

    filename: FileName
    file_type: FileType = None
    num_bytes: int = Field(ge=1, le=LARGEST_BYTES)
    resume_if_started: bool | None = Field(None, description="Go on with an unfinished upload of this name.")


class PartNumbers(Body):
    """Parts, by their 1-based numbers."""

    part_numbers: list[Annotated[int, Field(ge=1)]] = Field(max_length=10_000)


class PartToken(Body):
    """A part that was uploaded."""

    part_number: int = Field(ge=1)
    part_token: str = Field(description="The ETag that the server answered, with its quotes or without.")


class PartTokens(Body):
    """Parts that were uploaded."""

    parts: list[PartToken] = Field(default_factory=list, max_length=10_000)


class CompleteUpload(Body):
    """Parts that are not noted yet, and the checksum of the whole."""

    parts: list[PartToken] = Field(default_factory=list, max_length=10_000)
    integrity_checksum: str | None = Field(None, description="Base64 of the big-endian CRC-32C of the file.")


class FormFile(Body):
    """A form with the file as its part `file`."""

    file: Annotated[str, Field(json_schema_extra={"format": "binary"})]
