"""What a run tells while it works: `events.jsonl` in its folder, a callback, or both.

Events are for people and for followers of a job. Nothing is derived from them, so they are appended without fsync; a kill costs
at most the last one. Ids count from 1 within the folder and go on when a run is resumed.
"""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from engine.output.files import refusal, write_all

EVENTS = "events.jsonl"
Level = Literal["INFO", "WARN", "ERROR", "SUCCESS", "FAILED"]

_TAIL_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `index` is the worker's number, `created_at` RFC 3339 in UTC with six decimals."""

    id: int
    event_type: str
    level: Level
    message: str
    payload: dict[str, Any]
    input_id: str | None
    index: int | None
    created_at: str


class Events:
    """The events of one run. Threads may share it; the callback sees events one at a time, in the order of their ids.

    Parameters
    ----------
    folder : Path or None
        The job's folder, whose journal this run holds open; None keeps no file.
    callback : callable or None
        Called with each event after it is written; what it raises reaches whoever emitted.

    Raises
    ------
    DiskFull, OutputError
        Here and in `emit`, when the file cannot be written. It never keeps half a line.
    """

    def __init__(self, folder: Path | None = None, callback: Callable[[Event], None] | None = None) -> None:
        self._callback = callback
        self._turn = threading.RLock()  # a callback may emit
        self._last_id = 0
        self._descriptor: int | None = None
        if folder is not None:
            self._path = folder / EVENTS
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
                self._size_bytes, self._last_id = _recover(self._descriptor)
            except OSError as error:
                self.close()
                raise refusal(error, self._path) from error

    def emit(
        self,
        event_type: str,
        level: Level,
        message: str,
        payload: dict[str, Any] | None = None,
        *,
        input_id: str | None = None,
        index: int | None = None,
    ) -> Event:
        """Write an event, hand it to the callback, and return it. `payload` is JSON values."""
        with self._turn:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            event = Event(self._last_id + 1, event_type, level, message, payload or {}, input_id, index, now)
            if self._descriptor is not None:
                self._append(self._descriptor, json.dumps(asdict(event), allow_nan=False).encode("ascii") + b"\n")
            self._last_id = event.id
            if self._callback is not None:
                self._callback(event)
            return event

    def close(self) -> None:
        """Close the file. May be called again."""
        with self._turn:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def __enter__(self) -> Self:
        """Return the events themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        self.close()

    def _append(self, descriptor: int, line: bytes) -> None:
        try:
            write_all(descriptor, line)
        except OSError as error:
            os.ftruncate(descriptor, self._size_bytes)
            raise refusal(error, self._path) from error
        self._size_bytes += len(line)


def _recover(descriptor: int) -> tuple[int, int]:
    """Cut a torn last line; return the file's size and the last event's id."""
    size_bytes = os.fstat(descriptor).st_size
    tail_bytes = min(size_bytes, _TAIL_BYTES)
    while True:
        tail = os.pread(descriptor, tail_bytes, size_bytes - tail_bytes)
        whole = tail[: tail.rfind(b"\n") + 1]
        start = whole.rfind(b"\n", 0, -1) + 1
        if (whole and start) or tail_bytes == size_bytes:
            break
        tail_bytes = min(size_bytes, 2 * tail_bytes)
    whole_bytes = size_bytes - tail_bytes + len(whole)
    if whole_bytes != size_bytes:
        os.ftruncate(descriptor, whole_bytes)
    return whole_bytes, json.loads(whole[start:])["id"] if whole else 0
