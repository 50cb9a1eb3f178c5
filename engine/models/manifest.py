"""The `model.json` beside every model: what its graph takes and gives, whose weights they are, and the digests of its files.

A model folder is untrusted input: unknown keys are refused, file names stay inside the folder, and nothing in it is executed but
the graph.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import ModelError

MANIFEST = "model.json"
LONGEST_WINDOW = 1024
MANIFEST_BYTES = 1 << 20  # a larger model.json is not one


def inside(name: str) -> str:
    """Return a name that stays inside a model's folder; raises ValueError for any other."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or path.as_posix() != name:
        raise ValueError(f"a file name must stay inside the model's folder; got {name!r}")
    return name


FileName = Annotated[str, AfterValidator(inside)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Rows = Annotated[int, Field(ge=1)]
Normalization = Literal["none", "shots", "file", "window"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())


class DenseOutput(_Part):
    """One output of a dense graph: `maps` maps whose every value is computed from `receptive_field` rows."""

    name: str
    receptive_field: Rows
    maps: int = Field(ge=1)


class DenseGraph(_Part):
    """The graph for windows of `min_window` to `max_window` rows; it is run over a series, not over windows."""

    file: FileName
    min_window: Rows
    max_window: Rows
    outputs: list[DenseOutput] = Field(min_length=1)


class Compression(_Part):
    """How responses are compressed: `log(1 + gain * x) * scale`."""

    gain: float = Field(default=10.0, gt=0)
    scale: float = Field(default=0.5, gt=0)


class Dense(_Part):
    """A translation-invariant encoder: graphs whose maps are averaged over each window."""

    input: str
    graphs: list[DenseGraph] = Field(min_length=1)
    compression: Compression = Compression()


class Windowed(_Part):
    """An encoder that is run on every window: what its graph takes and gives.

    A univariate graph sees each channel by itself, (windows * channels, 1, rows), and a window's vector is its channels' vectors
    in column order. A multivariate one sees (windows, channels, rows).
    """

    file: FileName = Field(default="encoder.onnx", description="The graph.")
    input: str = Field(description="Input that takes the readings.")
    layout: Literal["univariate", "multivariate"]
    axes: Literal["NCT", "NTC", "NT"] = Field(
        default="NCT", description="Order of rows of the batch, channels and time."
    )
    channels: Rows | None = Field(default=None, description="Number of channels; null takes any.")
    length: Rows | None = Field(
        default=None, description="Rows that the graph sees, shorter windows are padded; null takes any."
    )
    multiple: Rows = Field(
        default=1, description="Where length is null: windows are padded to a multiple of so many rows."
    )
    padding: Literal["left", "right"] = Field(default="right", description="Side of the zeros beside a short window.")
    mask: str | None = Field(default=None, description="Input that tells readings from padding, (N, T).")
    mask_marks: Literal["readings", "padding"] = Field(
        default="readings", description="What a 1 in the mask stands for."
    )
    min_window: Rows = 2
    max_window: Rows = LONGEST_WINDOW
    output: str = Field(description="Output that gives the vectors.")
    output_axes: Literal["ND", "NTD", "NDT"] = Field(
        default="ND", description="Order of batch, positions and features."
    )
    pooling: Literal["none", "last", "mean"] = Field(
        default="none",
        description="How positions become one vector: the last one of a reading, or the mean over readings.",
    )
    embedding_size: int = Field(ge=1, description="Numbers per channel (univariate) or per window (multivariate).")
    batch: Rows | None = Field(default=None, description="Rows of a batch where the graph fixes them.")
    usual_level: float = Field(default=0.0, description="Mean of the readings that it is fed with; for its trial.")
    usual_spread: float = Field(default=1.0, gt=0, description="Their deviation.")

    @model_validator(mode="after")
    def _agree(self) -> "Windowed":
        if self.axes == "NT" and self.layout == "multivariate":
            raise ValueError("axes NT has no place for channels, so layout must be univariate")
        if (self.pooling == "none") != (self.output_axes == "ND"):
            raise ValueError("pooling is none exactly where output_axes is ND: one vector without positions")
        if self.min_window > self.max_window:
            raise ValueError(f"min_window {self.min_window} is above max_window {self.max_window}")
        if self.length is not None and self.max_window > self.length:
            raise ValueError(f"max_window {self.max_window} is above length {self.length}")
        return self


class Language(_Part):
    """A model that continues texts: a decoder with a cache of keys and values, its tokenizer, and where its answers end."""

    file: FileName = Field(default="model.onnx", description="The graph.")
    tokenizer: Literal["tokenizer.json"] = "tokenizer.json"
    template: Literal["chat_template.jinja", "tokenizer_config.json"] | None = Field(
        default=None, description="File that holds the chat template; null has the plain one."
    )
    cache: Literal["shared", "growing"] = Field(
        description="Past and present are one buffer, or present is past with the new tokens behind it."
    )
    context_length: int = Field(ge=16, description="Tokens that prompt and answer may have together.")
    vocab_size: int = Field(ge=1, description="Tokens that it knows: the width of its logits.")
    stop_tokens: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, description="Tokens that end an answer.")

    @model_validator(mode="after")
    def _agree(self) -> "Language":
        unknown = [token for token in self.stop_tokens if token >= self.vocab_size]
        if unknown:
            raise ValueError(
                f"stop token {unknown[0]:,} is none of the {self.vocab_size:,} tokens that the graph knows"
            )
        return self


class Manifest(_Part):
    """The content of `model.json`."""

    format: Literal[1] = 1
    name: str = Field(min_length=1)
    kind: Literal["dense", "windowed", "language"]
    licence: str = "unknown"
    provenance: str = Field(description="Whose weights these are, in plain words.")
    normalization: Normalization | None = Field(
        default=None, description="The normalization it was trained with, taken unless a job names another."
    )
    dense: Dense | None = None
    windowed: Windowed | None = None
    language: Language | None = None
    sha256: dict[FileName, Digest] = Field(description="Every file of the model and its digest.")
    size_bytes: dict[FileName, int] = Field(default_factory=dict, description="Every file of the model and its size.")

    @model_validator(mode="after")
    def _complete(self) -> "Manifest":
        sections = {"dense": self.dense, "windowed": self.windowed, "language": self.language}
        if [kind for kind, section in sections.items() if section is not None] != [self.kind]:
            raise ValueError(f"a model of kind {self.kind} has exactly the section '{self.kind}'")
        if self.language is not None and self.normalization is not None:
            raise ValueError("a language model takes no normalization")
        missing = [name for name in self.needed_files() if name not in self.sha256]
        if missing:
            raise ValueError(f"sha256 has no digest of {', '.join(missing)}")
        return self

    def needed_files(self) -> tuple[str, ...]:
        """Return the names of the files that the description itself names: all but those that hold a graph's weights."""
        if self.dense:
            return tuple(graph.file for graph in self.dense.graphs)
        if self.windowed:
            return (self.windowed.file,)
        assert self.language is not None
        template = (self.language.template,) if self.language.template else ()
        return (self.language.file, self.language.tokenizer, *template)


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that a job can name.

    Attributes
    ----------
    name : str
        The name it was asked for by.
    folder : Path
    manifest : Manifest
    shipped : bool
        It came with the engine; the others were added by the user.
    channels : int or None
        The exact number of channels that it takes, None for any.
    aliases : tuple[str, ...]
        Other names that lead here.
    """

    name: str
    folder: Path
    manifest: Manifest
    shipped: bool
    channels: int | None = None
    aliases: tuple[str, ...] = ()


def added_entry(name: str, folder: Path, manifest: Manifest) -> ModelEntry:
    """Return the entry of a user's model, with the number of channels that its graph fixes."""
    windowed = manifest.windowed
    channels = windowed.channels if windowed and windowed.layout == "multivariate" else None
    return ModelEntry(name, folder, manifest, shipped=False, channels=channels)


def read_manifest(folder: Path) -> Manifest:
    """Read and check a folder's `model.json`.

    Raises
    ------
    ModelError
        It is missing, not JSON, or a field is wrong; the message names the file and the field.
    """
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MANIFEST_BYTES:
            raise ModelError(f"{path} is larger than {MANIFEST_BYTES:,} bytes, so it is not a model's description.")
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ModelError(
            f"{folder} is not a model folder: it has no {MANIFEST}.",
            code="model_missing",
            cure="Add the model with: engine models add FOLDER --name NAME",
        ) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        raise ModelError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except (UnicodeDecodeError, RecursionError):
        raise ModelError(f"{path} is not JSON.") from None
    return check_manifest(content, str(path))


def check_manifest(content: object, where: str) -> Manifest:
    """Turn the content of a `model.json` into a Manifest; `where` names it in messages. Raises ModelError."""
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False):
            field = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "the whole"
            lines.append(f"{field}: {problem['msg'].removeprefix('Value error, ')}")
        raise ModelError(f"{where}: {'; '.join(lines)}.") from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a folder's `model.json`, in the order of the fields and without those at null."""
    text = json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def find_files(folder: Path, manifest: Manifest) -> dict[str, Path]:
    """Return the path of every file of a model, after a look at each that costs no reading.

    Raises
    ------
    ModelError
        A file is missing, is a link out of the folder, or has another size than was recorded.
    """
    home = folder.resolve()
    found = {}
    for name in manifest.sha256:
        path = folder / name
        if not path.resolve().is_relative_to(home):
            raise ModelError(f"{path} leads out of the model's folder, which is refused.")
        if not path.is_file():
            raise ModelError(
                f"Model {manifest.name} is incomplete: {path} is missing.",
                code="model_missing",
                cure="Remove the model and add it again.",
            )
        size, recorded = path.stat().st_size, manifest.size_bytes.get(name)
        if recorded is not None and size != recorded:
            raise ModelError(
                f"Model {manifest.name} is damaged: {path} has {size:,} bytes, {recorded:,} were recorded.",
                cure="Remove the model and add it again.",
            )
        found[name] = path
    return found


def digest(path: Path) -> str:
    """Return a file's sha256 as hexadecimal; about 1 s per GB."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
