"""Time between rows, where timestamps can be read as times: numbers, ISO 8601, or day.month.year."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import InputError
from engine.stream.scan import Chunk

HEAD_ROWS = 10_001  # the rows whose steps give the usual step
SAMPLE = 256  # of them, evenly spread: a form by which not one of these parses is none
USUAL_STEPS = 5.0  # a step above so many usual steps is a gap


NUMBER, DIGITS = "number", "%Y%m%d%H%M%S"
SECONDS, ZONED = "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z"
# ISO 8601 with a `T`; a blank in its place is replaced first.
FORMATS = (
    DIGITS,  # before numbers, which they are as well
    NUMBER,
    SECONDS,
    ZONED,
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d",
    "%d.%m.%YT%H:%M:%S%.f",  # dots mean day first; dates with slashes are ambiguous, and not read
    "%d.%m.%YT%H:%M",
)


def read_times(timestamps: pl.Series, form: str) -> npt.NDArray[np.float64]:
    """Return times (rows,) float64, NaN where a text does not parse by `form`, one of `FORMATS`.

    Seconds; numbers are taken as they are, in whatever unit they have.
    """
    times = _parse(timestamps, _narrow(timestamps[0], form) if len(timestamps) else form)
    if times.null_count():  # not all alike, blanks around them, or one in the place of the `T`
        texts = timestamps.str.strip_chars().str.replace(",", ".", literal=True)  # a decimal mark, in ISO 8601 too
        times = _parse(texts if form == NUMBER else texts.str.replace(" ", "T", literal=True), form)
    values = times.to_numpy().astype(np.float64)
    return values if form == NUMBER else values / 1e6


def _narrow(text: str, form: str) -> str:
    """Return a form that takes fewer texts, this one among them, a fifth of the time."""
    apart = text[10:11]
    if form not in (SECONDS, ZONED) or apart not in ("T", " "):
        return form
    zone = "Z" if form == ZONED else ""
    clock = {19: "%H:%M:%S", 23: "%H:%M:%S.%3f"}.get(len(text) - len(zone))
    return f"%Y-%m-%d{apart}{clock}{zone}" if clock and text.endswith(zone) else form


def _parse(texts: pl.Series, form: str) -> pl.Series:
    """Return numbers, or microseconds, null where a text does not parse."""
    if form == NUMBER:
        return texts.cast(pl.Float64, strict=False)
    return texts.str.to_datetime(form, time_unit="us", strict=False).cast(pl.Int64)


def recognise(head: pl.Series) -> tuple[str, npt.NDArray[np.float64]] | None:
    """Return the first of `FORMATS` by which at least half of these texts parse, some of them that are looked at first, and their times."""
    some = head.gather_every(-(-len(head) // SAMPLE)) if len(head) else head
    for form in FORMATS:
        if np.isfinite(read_times(some, form)).any():
            times = read_times(head, form)
            if np.isfinite(times).mean() >= 0.5:
                return form, times
    return None


def peek(chunks: Iterator[Chunk], rows: int) -> tuple[pl.Series | None, Iterator[Chunk]]:
    """Return the timestamps of the first rows, fewer where a recording ends or errs before, and all of its chunks, error included.

    None where rows are numbered, or where there is none.

    Raises
    ------
    InputError
        The very first row is at fault.
    """
    held: list[Chunk] = []
    failure: InputError | None = None
    count = 0
    try:
        while count < rows and (chunk := next(chunks, None)) is not None:
            held.append(chunk)
            count += chunk.values.shape[1]
    except InputError as error:
        if not held:
            raise
        failure = error

    def again() -> Iterator[Chunk]:
        while held:
            yield held.pop(0)
        if failure is not None:
            raise failure
        yield from chunks

    texts = [chunk.timestamps for chunk in held if chunk.timestamps is not None]
    return (pl.concat(texts)[:rows] if texts else None), again()


class Gaps(Protocol):
    """Finds the gaps in time of one file.

    Attributes
    ----------
    found, backward : int
        Gaps so far, and how many of them go backward.
    first_row : int or None
        The first row behind one, counted from the first row passed.
    """

    found: int
    backward: int
    first_row: int | None

    def find(self, timestamps: pl.Series) -> npt.NDArray[np.bool_]:
        """Return where a step from the row before is a gap, (rows,) bool, for the next rows of the file."""
        ...

    def finish(self) -> None:
        """Count what is left to count: no more rows come."""
        ...


@dataclass(slots=True)
class Clock:
    """Finds gaps: steps above `max_gap` (seconds; the timestamps' own unit where they are numbers), or backward.

    `max_gap` is taken from the request, or is five times the median of the file's first 10,000 steps.
    """

    form: str
    max_gap: float
    found: int = 0
    backward: int = 0
    first_row: int | None = None
    _rows: int = 0
    _previous: float = field(default=float("nan"))

    @classmethod
    def for_file(cls, head: pl.Series | None, max_gap: float | None) -> "Clock | None":
        """Set a clock by the file's first rows; None when its timestamps are no times."""
        recognised = None if head is None or not len(head) else recognise(head)
        if recognised is None:
            return None
        form, times = recognised
        if max_gap is None:
            steps = np.diff(times)
            steps = steps[np.isfinite(steps) & (steps > 0)]
            if not steps.size:
                return None
            max_gap = USUAL_STEPS * float(np.median(steps))
        return cls(form, max_gap)

    def find(self, timestamps: pl.Series) -> npt.NDArray[np.bool_]:
        """Return where a step from the row before is a gap, (rows,) bool, for the next rows of the file."""
        times = read_times(timestamps, self.form)
        known = np.flatnonzero(np.isfinite(times))  # a time that cannot be read does not hide the gap it lies in
        steps = np.diff(times[known], prepend=self._previous)
        if known.size:
            self._previous = float(times[known[-1]])
        gaps = np.zeros(len(times), dtype=np.bool_)
        gaps[known] = (steps > self.max_gap) | (steps < 0)
        if self.first_row is None and gaps.any():
            self.first_row = self._rows + int(np.argmax(gaps))
        self.found += int(gaps.sum())
        self.backward += int((steps < 0).sum())
        self._rows += len(times)
        return gaps

    def finish(self) -> None:
        """Do nothing: everything is counted."""


class LateClock:
    """Counts the gaps of a file where nobody waits to know where they are: it is set when its first rows have passed.

    Parameters
    ----------
    max_gap : float or None
        As in `Clock`.
    """

    def __init__(self, max_gap: float | None) -> None:
        self.found = self.backward = 0
        self.first_row: int | None = None
        self._max_gap = max_gap
        self._head: list[pl.Series] | None = []  # None: the clock is set, if there is one
        self._clock: Clock | None = None

    def find(self, timestamps: pl.Series) -> npt.NDArray[np.bool_]:
        """Return no gap."""
        if self._head is None:
            self._count([timestamps])
        else:
            self._head.append(timestamps)
            if sum(map(len, self._head)) >= HEAD_ROWS:
                self.finish()
        return np.zeros(len(timestamps), dtype=np.bool_)

    def finish(self) -> None:
        """Set the clock by the first rows, however few there are, and count their gaps."""
        held, self._head = self._head, None
        if held:
            self._clock = Clock.for_file(pl.concat(held)[:HEAD_ROWS], self._max_gap)
            self._count(held)

    def _count(self, pieces: list[pl.Series]) -> None:
        clock = self._clock
        if clock is not None:
            for timestamps in pieces:
                clock.find(timestamps)
            self.found, self.backward, self.first_row = clock.found, clock.backward, clock.first_row
