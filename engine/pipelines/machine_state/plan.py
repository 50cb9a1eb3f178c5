"""Everything about a job that can be checked before work starts: its files, headers, columns, classes and model."""

import os
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError, InputError, Problem, RequestError
from engine.models.catalog import Catalog, ModelEntry
from engine.output.predictions import OutputOptions, column_names
from engine.pipelines.machine_state.classifier import Shot
from engine.pipelines.machine_state.config import MachineStateConfig
from engine.pipelines.request import InputFile, JobRequest, Resolve
from engine.pipelines.wording import show_value
from engine.stream.diagnose import joined_columns
from engine.stream.labels import LabelledRecording
from engine.stream.repair import Recording
from engine.stream.scan import ReadOptions, Table, open_table

TIMES = {"time", "timestamp", "date", "datetime", "date_time", "date time", "ts", "epoch", "unixtime", "unix_time"}


@dataclass(frozen=True, slots=True)
class Target:
    """An inference file: its place in the request, the opened table, and what is read from it (with labels, where asked)."""

    file: InputFile
    table: Table
    recording: Recording


@dataclass(frozen=True, slots=True)
class Plan:
    """A job whose files have been opened and whose headers fit.

    Attributes
    ----------
    config
        Resolved: `data_columns` and `normalization` are never null.
    paths : dict
        Input id to path, for every file of the request.
    warnings : tuple of (code, sentence)
    """

    request: JobRequest
    config: MachineStateConfig
    model: ModelEntry
    targets: tuple[Target, ...]
    shots: tuple[Shot, ...]
    paths: dict[str, Path]
    warnings: tuple[tuple[str, str], ...]

    def to_json(self) -> str:
        """Return the resolved request, with the inputs' ids, as JSON text."""
        return self.request.to_json(self.config)


def make_plan(request: JobRequest, resolve: Resolve, catalog: Catalog) -> Plan:
    """Open every file of a request and check what headers can tell.

    Raises
    ------
    RequestError
        With every problem found.
    """
    config = request.config
    assert isinstance(config, MachineStateConfig)
    problems: list[Problem] = []
    warnings: list[tuple[str, str]] = []
    for file in request.on("worker.fine_tune_checkpoint"):
        message = f"{file.where}: checkpoint {file.file_id!r} is not known here."
        problems.append(Problem("checkpoint_not_found", message, file.where))
    paths = request.resolve(resolve, problems)
    reader = config.reader_config
    named = "timestamp_column" in reader.model_fields_set and reader.timestamp_column is not None
    labels = _match_labels(request, config, problems)
    label_column = config.evaluation.label_column
    columns: tuple[str, ...] | None = tuple(reader.data_columns) if reader.data_columns else None
    pattern: Table | None = None  # the file whose columns are taken because the request names none

    def open_file(file: InputFile, options: ReadOptions) -> Table | None:
        if file.id not in paths:
            return None
        try:
            return open_table(paths[file.id], file.file_id, options)
        except InputError as error:
            if pattern is not None and error.column in pattern.data_columns and error.code == "missing_column":
                error = _blame(error, pattern, reader.separator)
            problem = Problem(error.code, error.message, file.where, error.cure)
            if problem.message not in {known.message for known in problems}:
                problems.append(problem)
            return None

    def options(label: str | None = None, *, stamped: bool = False) -> ReadOptions:
        return ReadOptions(
            data_columns=columns,
            timestamp_column=reader.timestamp_column if stamped and named else None,
            label_column=label,
            separator=reader.separator,
            decimal=reader.decimal,
            null_values=tuple(reader.null_values),
        )

    targets: list[Target] = []
    for file in request.on("worker.inference"):
        apart = labels.get(file.file_id)
        inside = label_column if apart is None and len(labels) == len(request.on("worker.labels")) else None
        table = open_file(file, options(inside, stamped=True))
        if table is None:
            continue
        if columns is None:
            columns, pattern = table.data_columns, table
            warnings += _doubt_columns(table, timed=named)
        recording: Recording = table
        if apart is not None and label_column is not None:
            truth = open_file(apart, ReadOptions((), None, label_column, reader.separator, reader.decimal))
            if truth is None:
                continue
            recording = LabelledRecording(table, truth)
        targets.append(Target(file, table, recording))
    shots: list[Shot] = []
    if columns is not None:
        for file in request.on("worker.n_shots"):
            table = open_file(file, options())
            if table is not None:
                shots.append(Shot(str(file.metadata["class"]), table))
    if targets and not problems:
        _check_names(targets[0].recording.timestamp_name, shots, config, problems)
    model = _find_model(config, catalog, columns, problems)
    if problems or model is None or columns is None:
        raise RequestError(problems)
    if reader.window_size < 16:
        warnings.append(
            ("window.short", f"window_size {reader.window_size} is short: below 16 rows a window shows little.")
        )
    resolved = config.model_copy(
        update={
            "reader_config": reader.model_copy(update={"data_columns": list(columns)}),
            "normalization": config.normalization or model.manifest.normalization or "shots",
        }
    )
    return Plan(request, resolved, model, tuple(targets), tuple(shots), paths, tuple(warnings))


def _doubt_columns(table: Table, *, timed: bool) -> list[tuple[str, str]]:
    """Return warnings about columns that are taken for channels, or not, though nobody named any."""
    doubts = []
    if nameless := table.columns.count(""):
        message = f"{table.name}: {nameless} columns without a name in the header are no channels."
        doubts.append(("columns.nameless", message))
    times = [column for column in table.data_columns if column.casefold() in TIMES]
    if times and not timed and "timestamp" not in table.columns:
        message = (
            f"{table.name}: the column {times[0]} is taken for a channel, and rows are counted instead of timed; if it holds"
            " times, name it in reader_config.timestamp_column (--timestamp-column)."
        )
        doubts.append(("columns.time", message))
    return doubts


def _blame(error: InputError, pattern: Table, separator: str) -> InputError:
    """Say why a column is expected in a file: another file has it, perhaps only because that one was read in a wrong way."""
    joined = joined_columns(pattern.name, pattern.data_columns, separator)
    if joined is not None:
        return joined
    cure = (
        f"Every column of {pattern.name} is taken for a channel: name the channels in reader_config.data_columns (--columns), "
        f"or the column of times in reader_config.timestamp_column (--timestamp-column)."
    )
    return InputError(error.message, code=error.code, file=error.file, column=error.column, cure=error.cure or cure)


def _match_labels(request: JobRequest, config: MachineStateConfig, problems: list[Problem]) -> dict[str, InputFile]:
    """Return the label file of each inference file that has one, by the inference file's name."""
    files = request.on("worker.labels")
    if files and config.evaluation.label_column is None:
        where = "parameters.worker.config.evaluation.label_column"
        message = "worker.labels has files, but evaluation.label_column is not set."
        cure = "Name the files' column with the states in it (--label-column)."
        problems.append(Problem("missing_parameter", message, where, cure))
    known = {os.path.normpath(file.file_id): file.file_id for file in request.on("worker.inference")}
    matched: dict[str, InputFile] = {}
    for file in files:
        target = file.metadata.get("for")
        target = known.get(os.path.normpath(target)) if isinstance(target, str) else None
        if target is None:
            given = file.metadata.get("for")
            got = "" if given is None else f"; got {show_value(given)}"
            message = f"{file.where} ({file.file_id}) needs metadata.for, the name of one of the inference files{got}."
            problems.append(Problem("missing_parameter", message, file.where))
        elif target in matched:
            message = f"{file.where} ({file.file_id}): {target} has labels in {matched[target].file_id} already."
            problems.append(Problem("invalid_parameter", message, file.where))
        else:
            matched[target] = file
    return matched


def _check_names(timestamp_name: str, shots: list[Shot], config: MachineStateConfig, problems: list[Problem]) -> None:
    classes = tuple(sorted({shot.label for shot in shots}))
    try:
        column_names(
            timestamp_name, classes, OutputOptions(**config.output.model_dump(include=set(OutputOptions.__slots__)))
        )
    except RequestError as error:
        problems += error.problems


def _find_model(
    config: MachineStateConfig, catalog: Catalog, columns: tuple[str, ...] | None, problems: list[Problem]
) -> ModelEntry | None:
    where = "parameters.worker.config.model_type"
    try:
        model = catalog.find(config.model_type)
    except EngineError as error:
        problems.append(Problem("invalid_parameter", error.message, where, error.cure))
        return None
    if columns is not None and model.channels is not None and len(columns) != model.channels:
        message = (
            f"model_type {config.model_type} takes exactly {model.channels} data_columns; {len(columns)} were given."
        )
        problems.append(Problem("invalid_channel_count", message, where))
    return model
