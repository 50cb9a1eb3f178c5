"""What happens to rows between the reader and the windows: missing cells are filled and counted, gaps in time found, labels coded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import InputError
from engine.stream.clock import Gaps
from engine.stream.scan import Chunk
from kernels.scaling import fill_forward


@dataclass(frozen=True, slots=True)
class Rows:
    """Successive rows of one file, ready to be cut.

    Attributes
    ----------
    first_row : int
        File row of the first column.
    values : (channels, rows) float64, finite
    missing : (rows,) bool
        A cell of this row was repaired.
    gaps : (rows,) bool
        The step from the row before this one is a gap in time.
    timestamps : (rows,) text or None
    labels : (rows,) int32 or None
        Label codes in order of first appearance, -1 for an empty label.
    """

    first_row: int
    values: npt.NDArray[np.float64]
    missing: npt.NDArray[np.bool_]
    gaps: npt.NDArray[np.bool_]
    timestamps: pl.Series | None
    labels: npt.NDArray[np.int32] | None


@dataclass(slots=True)
class Findings:
    """What was found while a file was read. Complete when its last row has been read."""

    rows: int = 0
    repaired: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # (channels,) cells
    gaps: int = 0
    backward: int = 0  # timestamps earlier than the row before them; also counted as gaps
    first_gap_row: int | None = None
    labels: list[str] = field(default_factory=list)  # by code

    def note_gaps(self, clock: Gaps) -> None:
        """Take over what a clock has counted so far."""
        self.gaps, self.backward, self.first_gap_row = clock.found, clock.backward, clock.first_row


class Recording(Protocol):
    """Anything with channels and rows: an opened file, or arrays in memory."""

    name: str
    data_columns: tuple[str, ...]
    timestamp_name: str
    line_word: str  # what `line_of` counts, for messages: "line" or "row"

    def chunks(self, rows: int | None = None) -> Iterator[Chunk]:
        """Yield the recording's rows in order."""
        ...

    def line_of(self, row: int) -> int:
        """Return the 1-based line of a data row, for messages."""
        ...


def repair_rows(
    recording: Recording,
    chunks: Iterator[Chunk],
    findings: Findings,
    *,
    fill: npt.NDArray[np.float64],
    fail_on_missing: bool = False,
    clock: Gaps | None = None,
) -> Iterator[Rows]:
    """Fill, count and mark the rows of one file.

    Parameters
    ----------
    recording
        Named in messages.
    chunks
        Its rows in file order, from row 0.
    findings
        Counted into as rows pass.
    fill : (channels,) float64
        Takes the place of cells before a channel's first finite value.
    fail_on_missing : bool
        Raise at the first missing cell; the rows before it are delivered.
    clock : Gaps or None
        Finds gaps in time; None when timestamps tell nothing.

    Raises
    ------
    InputError
        `invalid_cell` for a missing cell that must not be there; `empty_column` at the end for a channel without one finite value.
    """
    findings.repaired = np.zeros(len(recording.data_columns), dtype=np.int64)
    try:
        yield from _repair(recording, chunks, findings, fill, clock, fail_on_missing=fail_on_missing)
    finally:
        if clock is not None:
            clock.finish()
            findings.note_gaps(clock)
    if findings.rows:
        for channel, name in enumerate(recording.data_columns):
            if findings.repaired[channel] == findings.rows:
                raise InputError(
                    f"{recording.name}, column {name}: not one of {findings.rows:,} cells holds a finite number.",
                    code="empty_column",
                    file=recording.name,
                    column=name,
                    cure="Leave the column out of data_columns, or repair the file.",
                )


def _repair(
    recording: Recording,
    chunks: Iterator[Chunk],
    findings: Findings,
    fill: npt.NDArray[np.float64],
    clock: Gaps | None,
    *,
    fail_on_missing: bool,
) -> Iterator[Rows]:
    last = np.array(fill, dtype=np.float64)
    codes: dict[str, int] = {}
    for chunk in chunks:
        values = chunk.values
        count = values.shape[1]
        missing = np.empty(count, dtype=np.bool_)
        if fail_on_missing and not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values).all(axis=0)))
            channel = int(np.argmin(np.isfinite(values[:, row])))
            yield _rows(chunk, row, np.zeros(row, dtype=np.bool_), findings, clock, codes)
            cell = values[channel, row]
            raise InputError(
                f"{recording.name}, {recording.line_word} {recording.line_of(chunk.first_row + row)}, column "
                f"{recording.data_columns[channel]}: {'the cell is empty' if np.isnan(cell) else f'{cell} is not finite'}.",
                code="invalid_cell",
                file=recording.name,
                line=recording.line_of(chunk.first_row + row),
                column=recording.data_columns[channel],
                value="" if np.isnan(cell) else str(cell),
                cure="Repair the cell, or let missing_values be 'ffill' (take the value before) or 'invalid' (mark the windows).",
            )
        fill_forward(values, last, findings.repaired, missing)
        yield _rows(chunk, count, missing, findings, clock, codes)


def _rows(
    chunk: Chunk,
    count: int,
    missing: npt.NDArray[np.bool_],
    findings: Findings,
    clock: Gaps | None,
    codes: dict[str, int],
) -> Rows:
    gaps = np.zeros(count, dtype=np.bool_)
    timestamps = None if chunk.timestamps is None else chunk.timestamps[:count]
    if clock is not None and timestamps is not None:
        gaps = clock.find(timestamps)
        findings.note_gaps(clock)
    labels = None
    if chunk.labels is not None:
        labels = _code_labels(chunk.labels[:count], codes)
        findings.labels = list(codes)
    findings.rows += count
    return Rows(chunk.first_row, chunk.values[:, :count], missing, gaps, timestamps, labels)


def _code_labels(labels: pl.Series, codes: dict[str, int]) -> npt.NDArray[np.int32]:
    """Turn label texts into codes, in order of first appearance; empty ones are -1."""
    for label in labels.unique(maintain_order=True):
        if label:
            codes.setdefault(label, len(codes))
    if not codes:
        return np.full(len(labels), -1, dtype=np.int32)
    coded = labels.replace_strict(list(codes), list(codes.values()), default=-1, return_dtype=pl.Int32)
    return np.array(coded.fill_null(-1), dtype=np.int32)
