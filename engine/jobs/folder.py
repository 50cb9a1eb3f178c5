"""One job's folder: what was asked (`job.json`), what became of it (`state.jsonl`), and the folder that workers run into.

A folder appears whole and disappears at once, by a rename. Only the server writes `job.json`, `state.jsonl` and `events.jsonl`;
`run/` belongs to whoever holds the lock of its journal.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import OutputError
from engine.jobs.states import State
from engine.output.events import EVENTS, Event
from engine.output.files import refusal, sync_folder, write_all
from engine.output.journal import JOURNAL

JOB = "job.json"
STATES = "state.jsonl"
RUN = "run"

_TAIL_BYTES = 1 << 14
_UNBORN = ".new"
_GONE = ".gone"


@dataclass(frozen=True, slots=True)
class JobFolder:
    """A job's folder, by its path; the name is the job's id."""

    path: Path

    @property
    def job_id(self) -> str:
        """Return the id of the job."""
        return self.path.name

    @property
    def run(self) -> Path:
        """Return the folder that the pipeline runs into; it need not exist."""
        return self.path / RUN

    @property
    def journal(self) -> Path:
        """Return the path of the run's journal; it need not exist."""
        return self.run / JOURNAL

    def placeless(self, text: str) -> str:
        """Return a text about files in here without the place of this folder, which is nobody's business but this machine's."""
        return text.replace(f"{self.path}{os.sep}", "").replace(str(self.path), "the job's folder")

    @property
    def exists(self) -> bool:
        """Tell whether the job is there."""
        return (self.path / JOB).is_file()

    def create(self, job: Mapping[str, Any], state: State) -> None:
        """Make the folder, whole or not at all, and durable.

        Parameters
        ----------
        job
            What `job.json` keeps for good, as JSON values.
        state
            The first one.

        Raises
        ------
        DiskFull, OutputError
            The system refused; nothing is left.
        """
        unborn = self.path.with_name(f".{self.job_id}{_UNBORN}")
        try:
            unborn.mkdir(mode=0o700, parents=True)
            _write(unborn / JOB, json.dumps(job, allow_nan=False, ensure_ascii=True, separators=(",", ":")).encode())
            _write(unborn / STATES, state.to_json().encode() + b"\n")
            sync_folder(unborn)
            unborn.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise refusal(error, self.path) from error
        finally:
            shutil.rmtree(unborn, ignore_errors=True)

    def read(self) -> dict[str, Any]:
        """Return what `job.json` keeps. Raises OutputError where it cannot be read or says nothing."""
        path = self.path / JOB
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None
        if not isinstance(found, dict):
            raise unreadable(path, ValueError("it holds no object"))
        return found

    def append_state(self, state: State) -> None:
        """Make a state the last one, durably. A torn line that a kill left is cut first.

        Raises
        ------
        DiskFull, OutputError
            The system refused; the state before is still the last one.
        """
        path = self.path / STATES
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            try:
                whole_bytes = _whole_bytes(descriptor)
                os.ftruncate(descriptor, whole_bytes)
                try:
                    write_all(descriptor, state.to_json().encode() + b"\n")
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, whole_bytes)
                    raise
            finally:
                os.close(descriptor)
        except OSError as error:
            raise refusal(error, path) from error

    def last_state(self) -> State:
        """Return the last whole state. Raises OutputError where there is none."""
        path = self.path / STATES
        try:
            with path.open("rb") as file:
                size_bytes = file.seek(0, os.SEEK_END)
                tail_bytes = min(size_bytes, _TAIL_BYTES)
                while True:
                    file.seek(size_bytes - tail_bytes)
                    lines = file.read(tail_bytes).split(b"\n")[:-1]  # what is behind the last line end never happened
                    if len(lines) > 1 or tail_bytes == size_bytes:
                        return State.from_json(json.loads(lines[-1]))
                    tail_bytes = min(size_bytes, 2 * tail_bytes)
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise unreadable(path, error) from None

    def events(self, after_id: int = 0) -> Iterator[Event]:
        """Yield the events with an id above `after_id`, in order; a torn last line is none, nor is one that the disk has damaged."""
        try:
            file = (self.path / EVENTS).open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                try:
                    event = Event(**json.loads(line))
                    new = event.id > after_id
                except (ValueError, TypeError):
                    continue
                if new:
                    yield event

    def discard_run(self) -> None:
        """Throw away what was run, at once. May be called again."""
        doomed = self.path / f".{RUN}{_GONE}"
        try:
            shutil.rmtree(doomed, ignore_errors=True)
            if self.run.exists():
                self.run.rename(doomed)
                sync_folder(self.path)
        except OSError as error:
            raise refusal(error, self.run) from error
        shutil.rmtree(doomed, ignore_errors=True)

    def remove(self) -> None:
        """Remove the folder: gone at once, its bytes a little later. May be called again."""
        doomed = self.path.with_name(f".{self.job_id}{_GONE}")
        try:
            shutil.rmtree(doomed, ignore_errors=True)
            if self.path.exists():
                self.path.rename(doomed)
                sync_folder(self.path.parent)
        except OSError as error:
            raise refusal(error, self.path) from error
        shutil.rmtree(doomed, ignore_errors=True)


def find_folders(jobs: Path) -> list[JobFolder]:
    """Return the folders of all jobs, and remove what a kill left of those that were being made or removed."""
    found = []
    for path in sorted(jobs.iterdir()) if jobs.is_dir() else ():
        if path.name.startswith("."):
            if path.name.endswith((_UNBORN, _GONE)):
                shutil.rmtree(path, ignore_errors=True)
        elif (folder := JobFolder(path)).exists:
            found.append(folder)
    return found


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole_bytes(descriptor: int) -> int:
    """Return where the last whole line of a file ends."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _TAIL_BYTES)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def unreadable(path: Path, error: Exception) -> OutputError:
    """Return the error of a file of a job's folder that does not say what it should."""
    reason = error.strerror if isinstance(error, OSError) else str(error) or type(error).__name__
    return OutputError(
        f"{path} cannot be read: {reason}.", code="job_unreadable", cure="Put it back, or delete the job."
    )
