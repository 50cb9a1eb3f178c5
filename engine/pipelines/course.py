"""What the runs of all pipelines do alike: how they are set up, how they tell what happens, and how they end."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from engine.errors import InputError, JobFailed, Problem, RequestError
from engine.models.library import Search
from engine.models.session import Device, Session, resolve_device, usable_cores
from engine.models.warm import OpenSession
from engine.output.events import Event, Events, Level
from engine.output.files import publish
from engine.output.journal import Journal
from engine.output.summary import FailedInput, RunSummary, Status
from engine.pipelines.request import InputFile, JobRequest
from engine.pipelines.wording import show_value
from engine.stream.flow import Stopwatch

Done = TypeVar("Done", bound=RunSummary)

EVENT_CODES = ("window.short",)  # warnings of a plan that have an event type of their own


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. What earlier runs did counts as done; the total may be an estimate until a file has been read.

    Attributes
    ----------
    input : str
        The file, as the request names it; `place` is its 0-based place among the `inputs` to process.
    done, total : int
        Windows or records of this input.
    unit : str
        `windows` or `records`.
    failed, tokens : int
        Records of this input that failed, and the tokens that this run answered so far.
    """

    input: str
    place: int
    inputs: int
    done: int
    total: int
    unit: str = "windows"
    failed: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how a job runs. None of these changes a byte of the results, but for the device.

    Attributes
    ----------
    device : `auto`, `cpu` or `cuda`
    threads : int or None
        None: the cores that this process may use.
    search : `auto`, `exact` or `faiss`
        Who finds the neighbours, where there are some.
    restart : bool
        Discard what an earlier run left in the folder.
    on_event, on_progress : callables or None
    open_session : callable
        Opens models, or has them open; a process that runs many jobs gives a `WarmSessions`.
    """

    device: str = "auto"
    threads: int | None = None
    search: Search = "auto"
    restart: bool = False
    on_event: Callable[[Event], None] | None = None
    on_progress: Callable[[Progress], None] | None = None
    open_session: OpenSession = Session

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


class Course:
    """One run of a plan as others see it: its clock, its device, its warnings and its events.

    Parameters
    ----------
    request
        What is run.
    settings
        Where, and who is told.
    warnings : of (code, sentence)
        Of the plan.

    Attributes
    ----------
    begun : float
        When it began, by `time.perf_counter`.
    device : Device
        Where it runs.
    threads : int
    stopwatch : Stopwatch
    warnings : list of (code, sentence, payload)
        All that were given so far.

    Raises
    ------
    DeviceError
        The asked device is not there.
    """

    def __init__(self, request: JobRequest, settings: Settings, warnings: Iterable[tuple[str, str]]) -> None:
        self.begun = time.perf_counter()
        self.stopwatch = Stopwatch()
        self.warnings: list[tuple[str, str, dict[str, Any]]] = [(code, text, {}) for code, text in warnings]
        self.device: Device = resolve_device(settings.device)
        self.threads = settings.threads or usable_cores()
        self.settings = settings
        self._request = request
        self._events: Events | None = None
        self._turn = threading.Lock()  # of the stopwatch, and of whoever is told: inputs may go side by side

    @property
    def device_name(self) -> str:
        """Return the device for people: `cpu (2 threads)`, or the GPU's own name."""
        if self.device.kind == "cpu":
            return f"cpu ({self.threads} thread{'s' if self.threads > 1 else ''})"
        return self.device.name

    @property
    def messages(self) -> tuple[str, ...]:
        """Return the warnings' sentences."""
        return tuple(message for _, message, _ in self.warnings)

    def remember(self, code: str, message: str, payload: dict[str, Any] | None = None) -> None:
        """Keep a warning for the summary. `announce` tells those from before it; later ones need an event of their own."""
        self.warnings.append((code, message, payload or {}))

    def emit(
        self, event: str, level: Level, message: str, payload: dict[str, Any] | None = None, input_id: str | None = None
    ) -> None:
        """Tell of an event."""
        assert self._events is not None, "not announced yet"
        self._events.emit(event, level, message, payload, input_id=input_id)

    def warn(self, event: str, code: str, message: str, payload: dict[str, Any], input_id: str | None = None) -> None:
        """Tell of a warning, and keep it for the summary."""
        self.warnings.append((code, message, payload))
        self.emit(event, "WARN", message, payload, input_id)

    def tell(self, progress: Progress) -> None:
        """Tell how far the run is, one at a time."""
        if self.settings.on_progress is not None:
            with self._turn:
                self.settings.on_progress(progress)

    def include(self, stopwatch: Stopwatch) -> None:
        """Count in what an input's stages took."""
        with self._turn:
            self.stopwatch.include(stopwatch)

    def announce(self, events: Events) -> None:
        """Take the run's events, and tell what is known before the first input: warnings, ignored keys, the device."""
        self._events = events
        request = self._request
        self.emit("running_job", "INFO", "Running job", {"name": request.name})
        for code, message, payload in self.warnings:
            self.emit(code if code in EVENT_CODES else "job.warning", "WARN", message, {"code": code, **payload})
        if request.ignored:
            paths = [
                f"{path} (did you mean {request.hints[path]}?)" if path in request.hints else path
                for path in request.ignored
            ]
            message = f"Ignored configuration: {', '.join(paths)}"
            self.warn("config.ignored", "config.ignored", message, {"keys": list(request.ignored)})
        self.emit("info", "INFO", f"Using accelerator: {self.device.kind}", {"device": self.device_name})

    def conclude(
        self,
        status: Status,
        failed: Sequence[FailedInput],
        completed_inputs: int,
        *,
        elapsed_s: float,
        payload: dict[str, Any],
        failed_records: int = 0,
    ) -> None:
        """Tell how the run ended."""
        if status == "failed":
            self.emit("job.failed", "FAILED", f"Job failed: {failed[0].message}", {"failed_inputs": len(failed)})
            return
        if status == "partial":
            counts = {"failed_inputs": len(failed)}
            said = [f"{len(failed)} of {len(failed) + completed_inputs} inputs failed"] if failed else []
            if failed_records:
                counts["failed_records"] = failed_records
                said.append(f"{failed_records:,} records failed")
            self.emit("job.partial", "WARN", "; ".join(said), counts)
        self.emit("job.completed", "SUCCESS", f"Job completed in {elapsed_s:.0f}s", payload)


def run_into(
    folder: Path, identity: dict[str, Any], request: str, settings: Settings, execute: Callable[[Journal, Events], Done]
) -> Done:
    """Run into a job's folder: take it, keep the request there, execute, save the summary and return it.

    Raises
    ------
    OutputError
        The folder cannot be taken, or the disk refused.
    """
    with Journal.open(folder, identity, restart=settings.restart) as journal:
        publish(folder / "request.json", request.encode("utf-8", "replace"))
        with Events(folder, settings.on_event) as events:
            summary = execute(journal, events)
            summary.save(folder)
    return summary


def job_failed(message: str, failed: Sequence[FailedInput], files: Sequence[InputFile]) -> JobFailed:
    """Return the error of a job that gave no result: a sentence of its own, then what the first input says."""
    errors = tuple(
        InputError(
            one.message,
            code=one.code,
            file=files[one.input].file_id,
            line=one.line,
            column=one.column,
            value=one.value,
        )
        for one in failed
    )
    return JobFailed(f"{message} {failed[0].message}", errors=errors)
