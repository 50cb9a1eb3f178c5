"""Recordings of the plant as CSV files: those of a scenario, and large ones for benchmarks.

Lines end with LF, cells have the fixed decimals of their instrument, and no cell is missing. A file appears under its name when
it is whole; memory does not grow with its length.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.output.files import Draft
from engine.plant.instruments import instruments
from engine.plant.scenario import STATES, Episode, Scenario
from engine.plant.simulation import simulate
from kernels import fixed_point

BLOCK_BYTES = 4 << 20  # of readings as float64
LARGE_HOURS = 4
HOUR_ROWS = 3600


@dataclass(frozen=True, slots=True)
class Lines:
    """Some rows as lines of CSV."""

    text: npt.NDArray[np.uint8]  # (bytes,)
    starts: npt.NDArray[np.int64]  # (rows,) where each line begins


def write_csv(path: Path, scenario: Scenario, *, truth: Path | None = None) -> int:
    """Record a scenario as `timestamp,<channel>,...` and return its rows.

    Parameters
    ----------
    path : Path
        In a folder that exists; an existing file is replaced.
    truth : Path, optional
        Gets `timestamp,label`, row by row the state that the plant really is in. It is published before the recording.

    Raises
    ------
    OutputError
        A file could not be written (`DiskFull` for want of room); neither of the two is left half-written.
    """
    labels_draft = None if truth is None else Draft(truth)
    try:
        draft = Draft(path)
        try:
            draft.write(_header(scenario))
            if labels_draft is not None:
                labels_draft.write(b"timestamp,label\n")
            for lines, times, states in _lines(scenario, max(256, BLOCK_BYTES // (8 * scenario.channels))):
                draft.write(lines.text.data)
                if labels_draft is not None:
                    labels = [f"{time},{STATES[state]}\n" for time, state in zip(times, states.tolist(), strict=True)]
                    labels_draft.write("".join(labels).encode())
            if labels_draft is not None:
                labels_draft.publish()
            draft.publish()
        finally:
            draft.discard()
    finally:
        if labels_draft is not None:
            labels_draft.discard()
    return scenario.rows


def write_large(path: Path, *, num_bytes: int, channels: int = 40, seed: int = 0) -> int:
    """Write a CSV of a given size about as fast as the disk takes it, and return its rows.

    The first hours (four; fewer above 100 channels) are simulated and formatted once, every state for an equal time; then the
    same readings are repeated under rising timestamps, one row a second. So the file is a plain recording to a reader, but its
    signal jumps at every repetition. It ends with the row that reaches `num_bytes`, and has at least one row.

    Raises
    ------
    RequestError
        There are not so many channels, or the seed is negative.
    OutputError
        The file could not be written (`DiskFull` for want of room); nothing is left of it.
    """
    hours = max(1, min(LARGE_HOURS, 100 * LARGE_HOURS // max(1, channels)))
    rows = hours * HOUR_ROWS
    scenario = Scenario(tuple(Episode(state, rows // len(STATES)) for state in STATES), seed, channels)
    lines, _, _ = next(_lines(scenario, rows))
    ends = np.append(lines.starts[1:], len(lines.text))
    clock = np.datetime64(scenario.start[:13], "h") + np.arange(hours)  # the recording starts on the hour
    draft = Draft(path)
    try:
        draft.write(_header(scenario))
        for first_row in itertools.count(0, rows):
            last = int(np.searchsorted(ends, num_bytes - draft.size_bytes))
            if last < rows:
                draft.write(lines.text[: ends[last]].data)
                draft.publish()
                return first_row + last + 1
            draft.write(lines.text.data)
            clock += hours
            _set_hours(lines, clock)
    finally:
        draft.discard()
    raise AssertionError("the count has no end")


def _header(scenario: Scenario) -> bytes:
    names = (instrument.name for instrument in instruments(scenario.channels))
    return (",".join(["timestamp", *names]) + "\n").encode()


def _lines(scenario: Scenario, block_rows: int) -> Iterator[tuple[Lines, list[str], npt.NDArray[np.int64]]]:
    """Yield the lines of each block, its times and its states. The lines share one buffer: use them before the next."""
    decimals = np.array([instrument.decimals for instrument in instruments(scenario.channels)])
    starts = np.empty(block_rows, dtype=np.int64)
    out = np.empty(0, dtype=np.uint8)
    for block in simulate(scenario, block_rows):
        times = _ascii(np.array(block.timestamps))
        room = block.rows * (times.shape[1] + 1 + scenario.channels * fixed_point.WIDEST_CELL_BYTES)
        if room > len(out):
            out = np.empty(room, dtype=np.uint8)
        size = fixed_point.write_rows(times, block.values, decimals, starts[: block.rows], out)
        yield Lines(out[:size], starts[: block.rows]), block.timestamps, block.states


def _ascii(texts: npt.NDArray[np.str_]) -> npt.NDArray[np.uint8]:
    """Return ASCII texts of one width as bytes; (rows, width)."""
    return texts.view(np.uint32).reshape(len(texts), -1).astype(np.uint8)


def _set_hours(lines: Lines, clock: npt.NDArray[np.datetime64]) -> None:
    """Overwrite date and hour of each line, `HOUR_ROWS` lines to an hour; minutes and seconds repeat."""
    for hour, text in enumerate(_ascii(np.datetime_as_string(clock, unit="h").astype("U13"))):
        starts = lines.starts[hour * HOUR_ROWS : (hour + 1) * HOUR_ROWS]
        for place, digit in enumerate(text):
            lines.text[starts + place] = digit
