"""The parameters of all calls, each declared once: what `asking.Query` checks and what the API page says are the same."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import Path

MOST_ITEMS = 10_000  # of one page
LARGEST = 10**15  # number of anything that is counted: exact in every reader of JSON


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds; `usual` is taken where it is missing."""

    name: str
    told: str
    low: int | None = None
    high: int | None = None
    usual: int | None = None

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        known = {"type": "integer", "minimum": self.low, "maximum": self.high, "default": self.usual}
        return {key: value for key, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    name: str
    told: str
    choices: tuple[str, ...]
    usual: str

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        return {"type": "string", "enum": list(self.choices), "default": self.usual}


@dataclass(frozen=True, slots=True)
class Text:
    """A text to look for; `many`: it may be repeated, and any of them does."""

    name: str
    told: str
    many: bool = False

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        return {"type": "array", "items": {"type": "string"}} if self.many else {"type": "string"}


Parameter: TypeAlias = Whole | Choice | Text

OFFSET = Whole("offset", "How many to pass over.", 0, LARGEST, 0)
LIMIT = Whole("limit", "The most that one answer lists.", 1, MOST_ITEMS, 100)
PAGE = (OFFSET, LIMIT)

PIPELINE_TYPE = Text("pipeline_type", "`batch` or `training`.")
PIPELINE_KEY = Text("pipeline_key", "The pipeline's key.")
STATUS = Text("status", "One of the states of a job. May be repeated: any of them.", many=True)
Q = Text("q", "Part of the name, the id or the pipeline's key, in any case.")
DRY_RUN = Choice("dry_run", "Check everything and create nothing.", ("true", "false", "1", "0"), "false")

LEVEL = Text("level", "`INFO`, `WARN`, `ERROR`, `SUCCESS` or `FAILED`.")
EVENT_TYPE = Text("event_type", "One kind of events, such as `inference.completed`.")
INPUT_ID = Text("input_id", "What belongs to one input.")
AFTER_ID = Whole("after_id", "Only events with a higher id, oldest first.", 0, LARGEST)
NEWEST = Choice("order", "Newest first (`desc`) or oldest first.", ("desc", "asc"), "desc")
OLDEST = Choice("order", "Oldest first (`asc`) or newest first.", ("desc", "asc"), "asc")

KIND = Text("kind", "`inference`, `train` or `eval`.")
PORT_NAME = Text("port_name", "One port, with its component or without: `worker.results`, `results`.")
INPUT_STATUS = Text(
    "status", "`pending`, `processing`, `completed`, `failed` or `reference`. May be repeated: any of them.", many=True
)
BUCKETS = Whole("buckets", "How many points. Fewer than 10 are 10, more than 1,000 are 1,000.", None, None, 100)
EXPIRES_IN = Whole("expires_in", "Seconds for which the links of the answer work.", 60, 604_800, 3600)

VISIBILITY = Choice("visibility", "Whose pipelines.", ("platform", "org"), "platform")
PIPELINE_STATUS = Choice(
    "status", "Which state of pipelines.", ("draft", "published", "deactivated", "deleted"), "published"
)

FILES_LIMIT = Whole("limit", "The most files that one answer lists.", 1, 1000, 100)
AFTER = Text("after", "The `next_cursor` of the page before.")
BEFORE = Text("before", "The `prev_cursor` of the page behind. Not together with `after`.")
FILE_TYPE = Text("file_type", "Only files of this type.")
SHARD_INDEX = Whole("shard_index", "Which shard of the list, from 0.", 0, 10**9, 0)
SHARD_ITEMS = Whole("max_items_per_shard", "Files of one shard, up to 1,000; -1 puts all into one.", -1, 1000, -1)

EXP = Whole("exp", "Until when the link works, a Unix time.")
KID = Text("kid", "Which secret signed it.")
SIG = Text("sig", "The signature.")
SIGNATURE = (EXP, KID, SIG)

JobPath: TypeAlias = Annotated[str, Path(description="The job's id.")]
FilePath: TypeAlias = Annotated[str, Path(description="The file's name or uid.")]
PipelinePath: TypeAlias = Annotated[str, Path(description="The pipeline's key or id.")]
UploadPath: TypeAlias = Annotated[str, Path(description="The upload's id.")]
NumberPath: TypeAlias = Annotated[str, Path(description="The part's number, from 1.")]
PlacePath: TypeAlias = Annotated[str, Path(description="The id of an output, or the uid of a file.")]
