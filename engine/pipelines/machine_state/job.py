"""The batch job: a plan's inputs are classified one after the other, into a folder (resumable at every flush) or into memory."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import polars as pl

from engine.errors import InputError, JobFailed, Problem, RequestError
from engine.models.encoder import load_encoder
from engine.models.library import Search
from engine.models.session import resolve_device, usable_cores
from engine.output.events import Event, Events
from engine.output.files import publish
from engine.output.journal import Journal
from engine.output.memory import MemoryStore
from engine.output.port import Destination, Sink, Store
from engine.output.predictions import OutputOptions
from engine.output.score import collect, score
from engine.output.sink import FolderStore
from engine.output.summary import Status, Summary, add_up
from engine.pipelines.machine_state.classifier import Classifier, Pass
from engine.pipelines.machine_state.identity import identify
from engine.pipelines.machine_state.plan import Plan, Target
from engine.pipelines.wording import show_value
from engine.stream.flow import Stopwatch
from engine.stream.windows import count_windows


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. Windows of earlier runs count as done; the total is an estimate until a file has been read."""

    input: str
    place: int
    inputs: int
    windows: int
    windows_total: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how a job runs. None of these changes a byte of the results, but for the device.

    Attributes
    ----------
    device : `auto`, `cpu` or `cuda`
    threads : int or None
        None: the cores that this process may use.
    search : `auto`, `exact` or `faiss`
    restart : bool
        Discard what an earlier run left in the folder.
    on_event, on_progress : callables or None
    """

    device: str = "auto"
    threads: int | None = None
    search: Search = "auto"
    restart: bool = False
    on_event: Callable[[Event], None] | None = None
    on_progress: Callable[[Progress], None] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be. Who knows the devices refuses those."""
        problems = []
        if self.threads is not None and self.threads < 1:
            message = f"threads must be a whole number, at least 1, or null; got {show_value(self.threads)}."
            problems.append(Problem("invalid_parameter", message, "threads"))
        if self.search not in get_args(Search):
            known = ", ".join(map(repr, get_args(Search)))
            message = f"search must be one of {known}; got {show_value(self.search)}."
            problems.append(Problem("invalid_parameter", message, "search"))
        if problems:
            raise RequestError(problems)


def run_job(plan: Plan, folder: Path, settings: Settings) -> Summary:
    """Run a plan into a folder, or go on where an earlier run of the same plan ended.

    Raises
    ------
    RequestError, InputError, ModelError, DeviceError
        The shots or the model do not do; nothing was written.
    OutputError
        The folder cannot be taken, or the disk refused.
    JobFailed
        No input gave a result. The summary is in the folder.
    """
    run = _Run(plan, settings)
    with run.classifier, Journal.open(folder, identify(plan, run.device), restart=settings.restart) as journal:
        publish(folder / "request.json", plan.to_json().encode("utf-8", "replace"))
        with Events(folder, settings.on_event) as events:
            summary = run.execute(FolderStore(journal), events, folder)
            summary.save(folder)
    return _unless_failed(summary, plan)


def classify_in_memory(plan: Plan, settings: Settings) -> tuple[dict[str, pl.DataFrame], Summary]:
    """Run a plan without writing anything; return each inference file's predictions and the summary.

    Raises
    ------
    As `run_job`, but for OutputError.
    """
    run = _Run(plan, settings)
    store = MemoryStore()
    with run.classifier, Events(None, settings.on_event) as events:
        summary = run.execute(store, events, None)
    _unless_failed(summary, plan)
    frames: dict[str, pl.DataFrame] = {}
    for place, target in enumerate(plan.targets):
        frames[name_apart(target.file.file_id, frames)] = store.frame(place)
    return frames, summary


class _Run:
    """One run of a plan: the classifier learned from its shots, and what adds up over its inputs."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self._begun = time.perf_counter()
        self._plan = plan
        self._settings = settings
        self._stopwatch = Stopwatch()
        self._warnings: list[tuple[str, str, dict[str, Any]]] = [(code, text, {}) for code, text in plan.warnings]
        self._repaired = self._gaps = self._resumed = self._written = 0
        self.device = resolve_device(settings.device)
        reader = plan.config.reader_config
        threads = self._threads = settings.threads or usable_cores()
        encoder = load_encoder(
            plan.model,
            channels=len(reader.data_columns or ()),
            window=reader.window_size,
            step=reader.step_size,
            device=self.device,
            threads=threads,
        )
        try:
            self.classifier = Classifier(
                plan.config, encoder, plan.shots, search=settings.search, threads=threads, report=self._remember
            )
        except BaseException:
            encoder.close()
            raise
        self._learned = time.perf_counter()
        self._stopwatch.add("shots", self._learned - self._begun)

    def execute(self, store: Store, events: Events, folder: Path | None) -> Summary:
        """Classify every input that is not final yet, and sum up."""
        self._events = events
        self._announce()
        for place, target in enumerate(self._plan.targets):
            self._run_input(place, target, store)
        summary = self._sum_up(store, folder)
        self._conclude(summary)
        return summary

    def _remember(self, code: str, message: str, payload: dict[str, Any] | None = None) -> None:
        self._warnings.append((code, message, payload or {}))

    def _warn(self, event: str, code: str, message: str, payload: dict[str, Any], input_id: str | None = None) -> None:
        self._warnings.append((code, message, payload))
        self._events.emit(event, "WARN", message, payload, input_id=input_id)

    def _announce(self) -> None:
        request, emit = self._plan.request, self._events.emit
        emit("running_job", "INFO", "Running job", {"name": request.name})
        for code, message, payload in self._warnings:
            emit(
                "window.short" if code == "window.short" else "job.warning", "WARN", message, {"code": code, **payload}
            )
        if request.ignored:
            paths = [
                f"{path} (did you mean {request.hints[path]}?)" if path in request.hints else path
                for path in request.ignored
            ]
            message = f"Ignored configuration: {', '.join(paths)}"
            self._warn("config.ignored", "config.ignored", message, {"keys": list(request.ignored)})
        encoder, library = self.classifier.encoder, self.classifier.library
        emit("info", "INFO", f"Using accelerator: {encoder.device.kind}", {"device": self._device_name()})
        message = f"Model loaded, {len(library):,} reference windows encoded in {self._learned - self._begun:.1f} sec"
        emit("info", "INFO", message, {"model": encoder.model, "references": len(library), "search": library.search})

    def _run_input(self, place: int, target: Target, store: Store) -> None:
        config, name, input_id = self._plan.config, target.file.file_id, target.file.id
        destination = Destination(
            input_index=place,
            input_id=input_id,
            stem=stem_of(name),
            timestamp_name=target.recording.timestamp_name,
            classes=self.classifier.classes,
            rows_per_part=config.rows_per_part,
            options=OutputOptions(**config.output.model_dump(include=set(OutputOptions.__slots__))),
        )
        with store.sink(destination) as sink:
            done = sink.windows_committed
            self._resumed += done
            if sink.ended is not None:
                self._repaired += sink.ended.get("repaired", 0)
                self._gaps += sink.ended.get("gaps", 0)
                self._warnings += [("earlier", message, {}) for message in sink.ended.get("warnings", ())]
                self._tell(place, done, done)
                return
            if done:
                payload = {"windows": done, "resumed_from_row": sink.next_row}
                self._events.emit(
                    "job.resumed", "INFO", f"Resuming {name} after {done:,} windows", payload, input_id=input_id
                )
            self._events.emit("vectorizing_file", "INFO", f"Vectorizing file {name}", input_id=input_id)
            begun = time.perf_counter()
            run = Pass(first_row=sink.next_row, stopwatch=self._stopwatch)
            failure = self._write_all(place, target, run, sink)
            self._written += sink.windows_committed - done
            self._repaired += int(run.findings.repaired.sum())
            self._gaps += run.findings.gaps
            self._report(target, run, failure, sink.windows_committed, time.perf_counter() - begun)

    def _write_all(self, place: int, target: Target, run: Pass, sink: Sink) -> InputError | None:
        """Classify one input into its sink; return the error that ended it early, if it is the input's own."""
        reader, found = self._plan.config.reader_config, run.findings
        rows, _ = target.table.estimate_rows()
        expected = count_windows(rows, reader.window_size, reader.step_size)
        done = sink.windows_committed
        failure: InputError | None = None
        self._tell(place, done, max(done, expected))
        try:
            for predictions in self.classifier.classify(target.recording, run):
                begun = time.perf_counter()
                sink.write(predictions)
                self._stopwatch.add("write", time.perf_counter() - begun)
                done += len(predictions)
                self._tell(place, done, max(done, expected))
        except InputError as error:
            failure = error
        facts: dict[str, Any] = {"rows": found.rows, "repaired": int(found.repaired.sum()), "gaps": found.gaps}
        facts["warnings"] = [
            message for _, message, _ in _describe(target, run)
        ]  # for a run that finds this input final
        if failure is None:
            sink.end(**facts)
        else:
            sink.fail(failure, **facts)
        self._tell(place, done, done)
        return failure

    def _tell(self, place: int, windows: int, total: int) -> None:
        if self._settings.on_progress is not None:
            targets = self._plan.targets
            self._settings.on_progress(Progress(targets[place].file.file_id, place, len(targets), windows, total))

    def _report(self, target: Target, run: Pass, failure: InputError | None, windows: int, seconds: float) -> None:
        name, input_id = target.file.file_id, target.file.id
        for event, message, payload in _describe(target, run):
            self._warn(event, event, message, payload, input_id)
        facts: dict[str, Any] = {"records": windows, "failed_records": 0, "duration_ms": round(seconds * 1000)}
        if failure is not None:
            facts["error_code"] = failure.code
            self._events.emit("inference.failed", "FAILED", str(failure), facts, input_id=input_id)
            return
        message = f"Saving chunk with result for {name} - Done {seconds:.1f} sec"
        payload = {"rows": windows, "total_success": windows, "total_failed": 0}
        self._events.emit("inference.completed", "INFO", message, payload, input_id=input_id)
        self._events.emit("inference.success", "SUCCESS", f"{name}: {windows:,} windows", facts, input_id=input_id)

    def _sum_up(self, store: Store, folder: Path | None) -> Summary:
        tally = add_up(store.live())
        pairs, excluded = collect(store.live())
        self._warn_of_strange_truth(pairs)
        status: Status = "completed"
        if tally.failed_inputs:
            status = "partial" if tally.completed_inputs else "failed"
        ended = time.perf_counter()
        return Summary(
            status=status,
            tally=tally,
            repaired_cells=self._repaired,
            gaps=self._gaps,
            warnings=tuple(message for _, message, _ in self._warnings),
            stage_s={name: round(seconds, 4) for name, seconds in self._stopwatch.seconds.items()},
            elapsed_s=round(ended - self._begun, 4),
            windows_per_s=round(self._written / (ended - self._learned), 1),
            device=self._device_name(),
            model=self.classifier.encoder.model,
            folder=None if folder is None else str(folder),
            resumed_windows=self._resumed,
            evaluation=score(pairs, excluded=excluded) if self._plan.config.evaluation.label_column else None,
        )

    def _device_name(self) -> str:
        device = self.classifier.encoder.device
        return (
            f"cpu ({self._threads} thread{'s' if self._threads > 1 else ''})" if device.kind == "cpu" else device.name
        )

    def _warn_of_strange_truth(self, pairs: Mapping[tuple[str, str], int]) -> None:
        strange: dict[str, int] = {}
        for (truth, _), windows in pairs.items():
            if truth not in self.classifier.classes:
                strange[truth] = strange.get(truth, 0) + windows
        if strange:
            shown = ", ".join(f"{label!r} ({windows:,} windows)" for label, windows in list(strange.items())[:5])
            known = ", ".join(repr(label) for label in self.classifier.classes[:5])
            message = f"Truth without n-shots, so always counted as wrong: {shown}. The n-shots' classes: {known}"
            self._warn("job.warning", "truth_without_shots", message, {"labels": strange})

    def _conclude(self, summary: Summary) -> None:
        failed = summary.tally.failed_inputs
        if summary.status == "failed":
            payload = {"failed_inputs": len(failed)}
            self._events.emit("job.failed", "FAILED", f"Job failed: {failed[0].message}", payload)
            return
        if summary.status == "partial":
            message = f"{len(failed)} of {len(failed) + summary.tally.completed_inputs} inputs failed"
            self._events.emit("job.partial", "WARN", message, {"failed_inputs": len(failed)})
        message = f"Job completed in {summary.elapsed_s:.0f}s"
        self._events.emit("job.completed", "SUCCESS", message, {"windows": summary.tally.windows})


def _describe(target: Target, run: Pass) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what is to be said of an input that has been read: event type, sentence, and the numbers behind it."""
    name, found = target.file.file_id, run.findings
    said: list[tuple[str, str, dict[str, Any]]] = []
    if found.repaired.any():
        counts = zip(target.recording.data_columns, found.repaired, strict=True)
        cells = {column: int(count) for column, count in counts if count}
        shown = ", ".join(list(cells)[:8]) + (", ..." if len(cells) > 8 else "")
        total = sum(cells.values())
        share = total / (found.rows * len(found.repaired))
        message = f"{name}: {total:,} missing or infinite cells ({share:.1%}) in {shown}"
        said.append(("input.missing_values", message, {"cells": cells}))
    if run.blind is not None:
        first = f"{run.blind!r} is no number, no ISO 8601 time and no day.month.year" if run.blind else "there are none"
        message = f"{name}: no gap was looked for, because its timestamps cannot be read as times: {first}"
        said.append(("job.warning", message, {"code": "timestamps_unreadable"}))
    if found.gaps:
        line = target.recording.line_of(found.first_gap_row or 0)
        message = (
            f"{name}: {found.gaps:,} gaps in time, {found.backward:,} of them backward; the first before line {line:,}"
        )
        payload = {"gaps": found.gaps, "backward": found.backward, "first_row": found.first_gap_row}
        said.append(("input.gaps", message, payload))
    if run.unusable:
        message = f"{name}: the encoder's vectors of {run.unusable:,} windows are not finite: INVALID_STATE"
        said.append(("job.warning", message, {"windows": run.unusable}))
    return said


def _unless_failed(summary: Summary, plan: Plan) -> Summary:
    """Return the summary of a job that gave a result; raise for one that gave none."""
    if summary.status != "failed":
        return summary
    failed = summary.tally.failed_inputs
    errors = tuple(InputError(one.message, code=one.code, file=plan.targets[one.input].file.file_id) for one in failed)
    written = f" ({summary.tally.windows:,} windows before the errors were written)" if summary.tally.windows else ""
    raise JobFailed(f"No input could be classified to its end{written}. {failed[0].message}", errors=errors)


def name_apart(name: str, taken: Mapping[str, object]) -> str:
    """Return the name of an input's results: its file's, or `name (2)` where a file is given a second time."""
    number = 1 + sum(other == name or other.startswith(f"{name} (") for other in taken)
    return name if number == 1 else f"{name} ({number})"


def stem_of(name: str) -> str:
    """Return a file's name without folders and without compression and format suffixes: `line7.csv.gz` -> `line7`."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1]
    for suffixes in ((".gz", ".zst", ".zstd"), (".csv", ".tsv", ".txt", ".parquet", ".pq", ".jsonl", ".ndjson")):
        for suffix in suffixes:
            if stem.lower().endswith(suffix) and len(stem) > len(suffix):
                stem = stem[: -len(suffix)]
                break
    return stem
