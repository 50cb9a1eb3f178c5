"""The batch job: a plan's inputs are classified, into a folder (resumable at every flush) or into memory.

`parallelism` inputs go side by side, no more than there are threads: their waiting for disks overlaps, and one is read while another
votes. A single large input needs no such help: its stages keep all cores busy.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import InputError
from engine.models.encoder import load_encoder
from engine.output.events import Events
from engine.output.journal import Entry, Journal
from engine.output.memory import MemoryStore
from engine.output.port import Destination, Sink, Store
from engine.output.predictions import OutputOptions
from engine.output.score import collect, score
from engine.output.sink import FolderStore
from engine.output.summary import Status, Summary, add_up
from engine.pipelines.course import Course, Progress, Settings, job_failed, run_into
from engine.pipelines.identity import identify
from engine.pipelines.machine_state.classifier import Classifier, Pass
from engine.pipelines.machine_state.plan import Plan, Target
from engine.pipelines.names import name_apart, stem_of
from engine.stream.flow import Lanes
from engine.stream.windows import count_windows


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
    with run.classifier:
        identity = identify(plan.request, plan.config, plan.paths, model=plan.model, device=run.course.device)
        summary = run_into(folder, identity, plan.to_json(), settings, run.execute_into)
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


@dataclass(slots=True)
class _Outcome:
    """What one input came to: filled cells, gaps, windows of an earlier run and of this one, warnings for the summary."""

    repaired: int = 0
    gaps: int = 0
    resumed: int = 0
    written: int = 0
    warnings: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)


class _Run:
    """One run of a plan: the classifier learned from its shots, and the inputs that it classifies."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self.course = Course(plan.request, settings, plan.warnings)
        self._plan = plan
        self._lanes = Lanes(min(plan.request.parallelism, self.course.threads))
        reader = plan.config.reader_config
        encoder = load_encoder(
            plan.model,
            channels=len(reader.data_columns or ()),
            window=reader.window_size,
            step=reader.step_size,
            device=self.course.device,
            open_session=settings.open_session,
        )
        try:
            self.classifier = Classifier(
                plan.config,
                encoder,
                plan.shots,
                search=settings.search,
                threads=self.course.threads,
                report=self.course.remember,
            )
        except BaseException:
            encoder.close()
            raise
        self._learned = time.perf_counter()
        self.course.stopwatch.add("shots", self._learned - self.course.begun)

    def execute_into(self, journal: Journal, events: Events) -> Summary:
        """Classify into a job's folder."""
        return self.execute(FolderStore(journal), events, journal.folder)

    def execute(self, store: Store, events: Events, folder: Path | None) -> Summary:
        """Classify every input that is not final yet, and sum up."""
        self.course.announce(events)
        self._introduce()
        outcomes = self._lanes.run(lambda place: self._run_input(place, store), range(len(self._plan.targets)))
        summary = self._sum_up(store, folder, outcomes)
        self.course.conclude(
            summary.status,
            summary.tally.failed_inputs,
            summary.tally.completed_inputs,
            elapsed_s=summary.elapsed_s,
            payload={"windows": summary.tally.windows},
        )
        return summary

    def _introduce(self) -> None:
        encoder, library = self.classifier.encoder, self.classifier.library
        seconds = self._learned - self.course.begun
        message = f"Model loaded in {seconds:.1f} sec"
        payload = {"model": encoder.model, "references": len(library), "search": library.search}
        self.course.emit("info", "INFO", message, payload)

    def _run_input(self, place: int, store: Store) -> _Outcome:
        target, config = self._plan.targets[place], self._plan.config
        name, input_id = target.file.file_id, target.file.id
        destination = Destination(
            input_index=place,
            input_id=input_id,
            stem=stem_of(name),
            timestamp_name=target.recording.timestamp_name,
            classes=self.classifier.classes,
            rows_per_part=config.rows_per_part,
            options=OutputOptions(**config.output.model_dump(include=set(OutputOptions.__slots__))),
        )
        with store.sink(destination, lambda line: self._tell_commit(target, line)) as sink:
            done = sink.windows_committed
            if sink.ended is not None:
                self._tell(place, done, done)
                warnings: list[tuple[str, str, dict[str, Any]]] = [
                    ("earlier", message, {}) for message in sink.ended.get("warnings", ())
                ]
                return _Outcome(sink.ended.get("repaired", 0), sink.ended.get("gaps", 0), done, 0, warnings)
            if done:
                payload = {"windows": done, "resumed_from_row": sink.next_row}
                message = f"Resuming {name} after {done:,} windows"
                self.course.emit("job.resumed", "INFO", message, payload, input_id)
            self.course.emit("vectorizing_file", "INFO", f"Vectorizing file {name}", None, input_id)
            begun = time.perf_counter()
            run = Pass(first_row=sink.next_row)
            failure = self._write_all(place, target, run, sink)
            self.course.include(run.stopwatch)
            seconds = time.perf_counter() - begun
            message = f"Vectorizing file {name} - Done {seconds:.1f} sec"
            self.course.emit("vectorizing_file", "INFO", message, None, input_id)
            warnings = self._report(target, run, failure, sink.windows_committed, seconds)
            written = sink.windows_committed - done
            return _Outcome(int(run.findings.repaired.sum()), run.findings.gaps, done, written, warnings)

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
                run.stopwatch.add("write", time.perf_counter() - begun)
                done += len(predictions)
                self._tell(place, done, max(done, expected))
        except InputError as error:
            failure = error
        if self._plan.config.gap_policy == "skip":
            run.skipped = max(0, count_windows(found.rows, reader.window_size, reader.step_size) - done)
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
        self._lanes.go_on()
        targets = self._plan.targets
        self.course.tell(Progress(targets[place].file.file_id, place, len(targets), windows, total))

    def _tell_commit(self, target: Target, line: Entry) -> None:
        """Tell that a file of results is there for good."""
        message = f"Saving chunk with result for {target.file.file_id} - Done {line['duration_s']:.1f} sec"
        payload = {
            "rows": line["rows"],
            "total_success": line["rows"] - line["invalid"],
            "total_failed": line["invalid"],
        }
        self.course.emit("inference.completed", "INFO", message, payload, target.file.id)

    def _report(
        self, target: Target, run: Pass, failure: InputError | None, windows: int, seconds: float
    ) -> list[tuple[str, str, dict[str, Any]]]:
        """Tell of an input's end; return its warnings."""
        name, input_id = target.file.file_id, target.file.id
        warnings = _describe(target, run)
        for event, message, payload in warnings:
            self.course.emit(event, "WARN", message, payload, input_id)
        facts: dict[str, Any] = {"records": windows, "failed_records": 0, "duration_ms": round(seconds * 1000)}
        facts["error_code"] = None if failure is None else failure.code
        if failure is not None:
            self.course.emit("inference.failed", "FAILED", str(failure), facts, input_id)
            return warnings
        self.course.emit("inference.success", "SUCCESS", f"{name}: {windows:,} windows", facts, input_id)
        return warnings

    def _sum_up(self, store: Store, folder: Path | None, outcomes: list[_Outcome]) -> Summary:
        for outcome in outcomes:
            self.course.warnings += outcome.warnings
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
            repaired_cells=sum(one.repaired for one in outcomes),
            gaps=sum(one.gaps for one in outcomes),
            warnings=self.course.messages,
            stage_s={name: round(seconds, 4) for name, seconds in self.course.stopwatch.seconds.items()},
            elapsed_s=round(ended - self.course.begun, 4),
            windows_per_s=round(sum(one.written for one in outcomes) / (ended - self._learned), 1),
            device=self.course.device_name,
            model=self.classifier.encoder.model,
            folder=None if folder is None else str(folder),
            resumed_windows=sum(one.resumed for one in outcomes),
            evaluation=score(pairs, excluded=excluded) if self._plan.config.evaluation.label_column else None,
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
            self.course.warn("job.warning", "truth_without_shots", message, {"labels": strange})


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
        first = (
            f"the first is {run.blind!r}; numbers, ISO 8601 and day.month.year are read, and must rise"
            if run.blind
            else "there are none"
        )
        message = f"{name}: no gap was looked for, because its timestamps tell no time between rows: {first}"
        said.append(("job.warning", message, {"code": "timestamps_unreadable"}))
    if found.gaps:
        line = target.recording.line_of(found.first_gap_row or 0)
        message = f"{name}: {found.gaps:,} gaps in time, {found.backward:,} of them backward; the first before {target.recording.line_word} {line:,}"
        payload = {"gaps": found.gaps, "backward": found.backward, "first_row": found.first_gap_row}
        if run.skipped:
            message += f"; {run.skipped:,} windows that cross one were left out"
            payload["skipped_windows"] = run.skipped
        said.append(("input.gaps", message, payload))
    if run.unusable:
        message = f"{name}: the encoder's vectors of {run.unusable:,} windows are not finite: INVALID_STATE"
        said.append(("job.warning", message, {"windows": run.unusable}))
    return said


def _unless_failed(summary: Summary, plan: Plan) -> Summary:
    """Return the summary of a job that gave a result; raise for one that gave none."""
    if summary.status != "failed":
        return summary
    written = f" ({summary.tally.windows:,} windows before the errors were written)" if summary.tally.windows else ""
    message = f"No input could be classified to its end{written}."
    raise job_failed(message, summary.tally.failed_inputs, [target.file for target in plan.targets])
