"""Time between rows, where timestamps can be read as times: numbers, ISO 8601, or day.month.year."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import InputError
from engine.stream.scan import Chunk

HEAD_ROWS = 10_001  # the rows whose steps give the usual step
USUAL_STEPS = 5.0  # a step above so many usual steps is a gap


NUMBER = "number"
# ISO 8601 with a `T`; a blank in its place is replaced first.
FORMATS = (
    NUMBER,
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%d.%m.%YT%H:%M:%S%.f",  # dots mean day first; dates with slashes are ambiguous, and not read
    "%d.%m.%YT%H:%M",
)


def read_times(timestamps: pl.Series, form: str) -> npt.NDArray[np.float64]:
    """Return times (rows,) float64, NaN where a text does not parse by `form`, one of `FORMATS`.

    Seconds; numbers are taken as they are, in whatever unit they have.
    """
    texts = timestamps.str.strip_chars()
    if form == NUMBER:
        times = texts.cast(pl.Float64, strict=False)
    else:
        dates = texts.str.replace(" ", "T", literal=True).str.to_datetime(form, time_unit="us", strict=False)
        times = dates.dt.epoch("us").cast(pl.Float64) / 1e6
    return np.array(times.fill_null(float("nan")), dtype=np.float64)


def recognise(head: pl.Series) -> str | None:
    """Return the first of `FORMATS` by which at least half of these texts parse, or None."""
    for form in FORMATS:
        if np.isfinite(read_times(head, form)).mean() >= 0.5:
            return form
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


@dataclass(slots=True)
class Clock:
    """Finds gaps: steps above `max_gap` (seconds; the timestamps' own unit where they are numbers), or backward.

    `max_gap` is taken from the request, or is five times the median of the file's first 10,000 steps.
    """

    form: str
    max_gap: float
    _previous: float = field(default=float("nan"))

    @classmethod
    def for_file(cls, head: pl.Series | None, max_gap: float | None) -> "Clock | None":
        """Set a clock by the file's first rows; None when its timestamps are no times."""
        form = None if head is None or not len(head) else recognise(head)
        if head is None or form is None:
            return None
        if max_gap is None:
            steps = np.diff(read_times(head, form))
            steps = steps[np.isfinite(steps) & (steps > 0)]
            if not steps.size:
                return None
            max_gap = USUAL_STEPS * float(np.median(steps))
        return cls(form, max_gap)

    def find_gaps(self, timestamps: pl.Series) -> tuple[npt.NDArray[np.bool_], int]:
        """Return where a step from the row before is a gap (rows,) bool, and how many of these go backward."""
        times = read_times(timestamps, self.form)
        known = np.flatnonzero(np.isfinite(times))  # a time that cannot be read does not hide the gap it lies in
        steps = np.diff(times[known], prepend=self._previous)
        if known.size:
            self._previous = float(times[known[-1]])
        gaps = np.zeros(len(times), dtype=np.bool_)
        gaps[known] = (steps > self.max_gap) | (steps < 0)
        return gaps, int((steps < 0).sum())
