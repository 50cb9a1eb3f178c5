"""Jobs in this process, without a server or a database: `run` takes a request, `classify` takes files."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import polars as pl

from engine.errors import Problem, RequestError
from engine.jobs.request import parse_request
from engine.jobs.results import read_results
from engine.models.catalog import Catalog
from engine.models.library import Metric, Search, Weights
from engine.output.events import Event
from engine.output.summary import Summary
from engine.pipelines.activity_detection.config import ActivityConfig
from engine.pipelines.course import Progress, Settings
from engine.pipelines.machine_state.config import GapPolicy, LabelRule, MissingValues, Normalization, OutputFormat
from engine.pipelines.machine_state.job import classify_in_memory, run_job
from engine.pipelines.machine_state.plan import Plan, make_plan
from engine.pipelines.names import stem_of
from engine.pipelines.request import JobRequest, Resolve
from engine.pipelines.wording import plain

if TYPE_CHECKING:  # loaded with the first job that needs a language model
    from engine.output.answers import AnswerSummary
    from engine.pipelines.activity_detection.plan import ActivityPlan
    from engine.pipelines.machine_state.quantize import Quantized

Pathlike = str | os.PathLike[str]
Files = Pathlike | Sequence[Pathlike]


class Options(TypedDict, total=False):
    """What `classify` takes beside files and places; defaults and rules as in `parameters.worker.config`.

    `window`, `step`, `columns`, `timestamp_column`, `separator`, `decimal`, `null_values` are the reader's; `neighbors`, `metric`,
    `weights`, `normalize_embeddings` the vote's; `output_format`, `row_index`, `window_bounds`, `probabilities`, `embeddings` say
    what is written; `label_column`, `label_rule` and `labels` (inference file to label file) where the truth is.
    """

    window: int
    step: int
    columns: Sequence[str] | None
    timestamp_column: str | None
    neighbors: int
    metric: Metric
    weights: Weights
    normalize_embeddings: bool
    normalization: Normalization | None
    model: str
    missing_values: MissingValues
    gap_policy: GapPolicy
    max_gap: float | None
    separator: str
    decimal: str
    null_values: Sequence[str]
    output_format: OutputFormat
    row_index: bool
    window_bounds: bool
    probabilities: bool
    embeddings: bool
    label_column: str | None
    label_rule: LabelRule
    labels: Mapping[str, Pathlike]


# Where each option stands in `parameters.worker.config`.
PLACES = {
    "window": "reader_config.window_size",
    "step": "reader_config.step_size",
    "columns": "reader_config.data_columns",
    "timestamp_column": "reader_config.timestamp_column",
    "separator": "reader_config.separator",
    "decimal": "reader_config.decimal",
    "null_values": "reader_config.null_values",
    "neighbors": "classifier_config.n_neighbors",
    "metric": "classifier_config.metric",
    "weights": "classifier_config.weights",
    "normalize_embeddings": "classifier_config.normalize_embeddings",
    "normalization": "normalization",
    "model": "model_type",
    "missing_values": "missing_values",
    "gap_policy": "gap_policy",
    "max_gap": "max_gap",
    "output_format": "output.format",
    "row_index": "output.row_index",
    "window_bounds": "output.window_bounds",
    "probabilities": "output.probabilities",
    "embeddings": "output.embeddings",
    "label_column": "evaluation.label_column",
    "label_rule": "evaluation.label_rule",
}


@dataclass(frozen=True, slots=True)
class Classification:
    """The predictions of each file and what the run did.

    Attributes
    ----------
    predictions : dict
        File name, as given, to a frame with the timestamp column, `Prediction`, and the columns asked for; a row a window.
    summary : Summary
    """

    predictions: dict[str, pl.DataFrame]
    summary: Summary


def folder_resolver(folder: Path) -> Resolve:
    """Return a resolver that takes a `file_id` as a path relative to a folder (or an absolute one)."""

    def resolve(file_id: str) -> Path:
        path = folder / file_id
        try:
            if path.is_file():
                return path
            there = path.exists()
        except OSError as error:
            raise LookupError(f"cannot be opened: {error.strerror}") from None
        except ValueError as error:
            raise LookupError(f"cannot be opened: {error}") from None
        if path.is_dir():
            raise LookupError("is a folder, not a file")
        if there:
            raise LookupError("is not a regular file: write what it delivers into one")
        raise LookupError(
            f"does not exist in {folder.absolute()}" if not Path(file_id).is_absolute() else "does not exist"
        )

    return resolve


def read_request(source: Pathlike | Mapping[str, Any]) -> tuple[JobRequest, Path]:
    """Read a request from a file or take it as it is; return it with the folder that its files are relative to.

    Raises
    ------
    RequestError
        The file cannot be read, or the request is wrong.
    """
    if isinstance(source, Mapping):
        return parse_request(source), Path()
    path = Path(source)
    try:
        body = path.read_bytes()
    except IsADirectoryError:
        message = f"{path} is a folder, not a request."
        raise RequestError([Problem("file_not_found", message, "", "Give the JSON file with the request.")]) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise RequestError([Problem("file_not_found", message)]) from None
    return parse_request(body, name=str(path)), path.parent


def prepare(
    source: Pathlike | Mapping[str, Any], *, resolve: Resolve | None = None, catalog: Catalog | None = None
) -> "Plan | ActivityPlan":
    """Check a request in full, headers of all files included, without running it.

    Raises
    ------
    RequestError
        With every problem found.
    """
    request, folder = read_request(source)
    resolve, catalog = resolve or folder_resolver(folder), catalog or Catalog()
    if isinstance(request.config, ActivityConfig):
        from engine.pipelines.activity_detection.plan import make_activity_plan

        return make_activity_plan(request, resolve, catalog)
    return make_plan(request, resolve, catalog)


def run(
    request: Pathlike | Mapping[str, Any],
    output: Pathlike | None = None,
    *,
    resolve: Resolve | None = None,
    device: str = "auto",
    threads: int | None = None,
    search: Search = "auto",
    restart: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> "Summary | AnswerSummary":
    """Run a create-job request into a folder. The same call on the same folder goes on where it ended.

    Parameters
    ----------
    request : path or mapping
        The body of `POST /batch/jobs`. A `file_id` is a path relative to the request's file (or to the working folder).
    output : path or None
        The job's folder. None: beside the request's file, named after it.
    resolve : callable or None
        Turns a `file_id` into a path instead; raises LookupError.
    device : `auto`, `cpu` or `cuda`
    threads : int or None
        None: all cores that this process may use.
    search : `auto`, `exact` or `faiss`
        Who finds the neighbours, in machine-state classification; the results are the same.
    restart : bool
        Discard what an earlier run left in the folder.
    on_progress, on_event : callables
        Told how far the run is, and what happens.

    Returns
    -------
    A `Summary` of machine-state classification, an `AnswerSummary` of activity detection.

    Raises
    ------
    RequestError, InputError, ModelError, DeviceError
        Before anything is written.
    OutputError
        The folder cannot be taken or written.
    JobFailed
        No input gave a result.
    """
    plan = prepare(request, resolve=resolve)
    if output is None:
        if isinstance(request, Mapping):
            raise RequestError([Problem("missing_parameter", "output is required when the request is not a file.")])
        output = default_output(Path(request))
    settings = Settings(device, threads, search, restart, on_event, on_progress)
    if isinstance(plan, Plan):
        return run_job(plan, Path(output), settings)
    from engine.pipelines.activity_detection.job import run_activity

    return run_activity(plan, Path(output), settings)


def default_output(request: Path) -> Path:
    """Return the folder beside a request file that is named after it: `job.json` -> `job`."""
    if not request.name:  # "." or "/": no request, as will be said
        return request / "results"
    return request.with_suffix("") if request.suffix else request.with_name(request.name + ".results")


def answers_beside(file: Path) -> Path:
    """Return the folder beside a file of records that is named after it: `asked.jsonl.gz` -> `asked-answers`."""
    return file.with_name(f"{stem_of(file.name)}-answers") if file.name else file / "answers"


def classify(
    files: Files,
    shots: Mapping[str, Files],
    *,
    output: Pathlike | None = None,
    device: str = "auto",
    threads: int | None = None,
    search: Search = "auto",
    restart: bool = False,
    parallelism: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
    on_event: Callable[[Event], None] | None = None,
    **options: Unpack[Options],
) -> Classification:
    """Classify every sliding window of sensor files by a few labelled example files.

    Parameters
    ----------
    files : path or paths
        CSV (plain, gzip, zstd) or Parquet files to classify.
    shots : mapping of label to path or paths
        Files that show one state throughout.
    output : path or None
        A job folder to write and to resume; None keeps the results in memory.
    device, threads, search, restart, on_progress, on_event
        As in `run`.
    parallelism : int
        How many files go side by side, at most; no more than there are threads. Worth it for many small files.
    **options
        See `Options`: `window=64`, `step=1`, `columns=[...]`, `neighbors=5`, `metric="cosine"`, ...

    Raises
    ------
    As `run`.
    """
    plan = prepare(build_request(files, shots, parallelism, **options))
    assert isinstance(plan, Plan)
    settings = Settings(device, threads, search, restart, on_event, on_progress)
    if output is None:
        frames, summary = classify_in_memory(plan, settings)
        return Classification(frames, summary)
    summary = run_job(plan, Path(output), settings)
    return Classification(read_results(output), summary)


def quantize(
    shots: Mapping[str, Files], *, name: str | None = None, replace: bool = False, **options: Unpack[Options]
) -> "Quantized":
    """Add the int8 twin of an encoder that was added: faster where its graph multiplies much, a little less exact. For CPUs.

    The package onnx is needed: `pip install 'sensor-state-engine[quantize]'`.

    Parameters
    ----------
    shots : mapping of label to path or paths
        Files that show one state throughout: ranges come from their first two thirds, what the twin costs is measured on the rest.
    name : str or None
        The twin's; None: the encoder's with `-int8` behind.
    replace : bool
        Take the place of a model that has this name already.
    **options
        As in `classify`; `model` is the encoder. The twin is made for windows that are cut and scaled so.

    Returns
    -------
    What it is and what it costs: see `Quantized`.

    Raises
    ------
    RequestError, InputError
        The shots do not do.
    ModelError
        The model has no such twin, or the name is taken.
    """
    from engine.pipelines.machine_state.quantize import quantize as make_twin

    files = [path for paths in shots.values() for path in _each(paths)]
    catalog = Catalog()
    try:
        plan = prepare(build_request(files[:1], shots, **options), catalog=catalog)
    except RequestError as error:  # the first shot stands for a file to classify: what is wrong with it is said once
        own = [problem for problem in error.problems if not problem.where.startswith("worker.inference")]
        raise RequestError(own or error.problems) from None
    assert isinstance(plan, Plan)
    return make_twin(plan, catalog, name=name or f"{plan.model.name}-int8", replace=replace)


def build_request(
    files: Files, shots: Mapping[str, Files], parallelism: int = 1, **options: Unpack[Options]
) -> dict[str, Any]:
    """Build the create-job request for files on this machine. Raises TypeError for an unknown option."""
    labels = options.get("labels") or {}
    config: dict[str, Any] = {}
    for name, given in options.items():
        value = plain(given)
        if name == "labels" or value is None:
            continue
        if name not in PLACES:
            raise TypeError(f"There is no option {name!r}; there are: {', '.join([*PLACES, 'labels'])}.")
        section, _, key = PLACES[name].rpartition(".")
        place = config.setdefault(section, {}) if section else config
        several = name in ("columns", "null_values") and not isinstance(value, str)
        place[key] = list(value) if several else [value] if name in ("columns", "null_values") else value
    return {
        "name": "classify",
        "pipeline_type": "batch",
        "pipeline_key": "machine-state-classification",
        "inputs": {
            "worker.inference": [{"file_id": path} for path in _each(files)],
            "worker.n_shots": [
                {"file_id": path, "metadata": {"class": label}}
                for label, paths in shots.items()
                for path in _each(paths)
            ],
            "worker.labels": [
                {"file_id": os.fspath(path), "metadata": {"for": os.fspath(name)}} for name, path in labels.items()
            ],
        },
        "parameters": {"worker": {"parallelism": parallelism, "config": config}},
    }


def _each(files: Files) -> Iterator[str]:
    for path in [files] if isinstance(files, str | os.PathLike) else files:
        yield os.fspath(path)
