"""Which windows exist, and the blocks of rows that hold them.

Blocks are anchored: they start at multiples of `block_rows` from the file's start, whatever chunks the reader delivered and
wherever a run was resumed. A block owns the windows that start in its rows and carries the rows after it which these windows
reach, so that each block can be computed by itself and always gives the same bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import EngineError
from engine.stream.repair import Rows


def count_windows(rows: int, window: int, step: int) -> int:
    """Return how many windows of `window` rows start at 0, step, 2 step, ... and end within `rows`."""
    return 0 if rows < window else (rows - window) // step + 1


@dataclass(frozen=True, slots=True)
class Block:
    """The windows of one stretch of a file, with the rows they need.

    Attributes
    ----------
    first_row : int
        File row of the first column of `values`, a multiple of the block length.
    values : (channels, rows) float64, finite
    starts : (windows,) int64
        File rows at which the windows start.
    texts : (rows,) text, or None for row numbers
        Timestamps of the rows.
    invalid : (windows,) bool
        The window contains a repaired cell or crosses a gap, where the request asks for these to be marked.
    truth : (windows,) int32 or None
        Label code of the window, -1 where it has none or is to be left out.
    """

    first_row: int
    values: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]
    texts: pl.Series | None
    invalid: npt.NDArray[np.bool_]
    truth: npt.NDArray[np.int32] | None

    def timestamps(self, row: int = 0) -> pl.Series | None:
        """Return the timestamp of each window's row of this number, (windows,) text, or None for row numbers."""
        return None if self.texts is None else self.texts[self.starts - self.first_row + row]


@dataclass(frozen=True, slots=True)
class Cut:
    """How rows are cut into windows.

    Attributes
    ----------
    window, step : int
    block_rows : int
        The anchor, from the encoder.
    label_rule : str
        `first`, `last`, `majority` or `pure`.
    invalid_missing : bool
        Mark windows with repaired cells.
    gap_policy : str
        `ignore`, `mark` or `skip` windows that cross a time gap.
    """

    window: int
    step: int
    block_rows: int
    label_rule: str = "first"
    invalid_missing: bool = False
    gap_policy: str = "ignore"


def cut_blocks(rows: Iterator[Rows], cut: Cut, first_row: int = 0) -> Iterator[Block]:
    """Assemble blocks from successive rows of one file.

    An error of the reader is raised after the block with the windows that were whole before it: what is published before a bad
    row does not depend on how the file was read.

    Parameters
    ----------
    rows
        In file order, from row 0.
    first_row : int
        Windows that start before this row are not wanted any more. Blocks that hold only such windows are not assembled; the
        first one assembled may begin with some.
    """
    held: list[Rows] = []
    end = 0  # file row behind the last one held
    block = first_row // cut.block_rows
    failure: EngineError | None = None
    source = iter(rows)
    while True:
        try:
            piece = next(source, None)
        except EngineError as error:
            failure, piece = error, None
        if piece is not None:
            held.append(piece)
            end = piece.first_row + piece.values.shape[1]
        while True:
            first = block * cut.block_rows
            needed = first + cut.block_rows + cut.window - 1
            if piece is not None and end < needed:
                break
            if first + cut.window > end:
                break
            assembled = _assemble(held, first, min(needed, end), cut)
            if assembled is not None:
                yield assembled
            block += 1
        first = block * cut.block_rows
        held = [part for part in held if part.first_row + part.values.shape[1] > first]
        if piece is None:
            if failure is not None:
                raise failure
            return


def _assemble(held: list[Rows], first: int, end: int, cut: Cut) -> Block | None:
    """Join the held rows from `first` to `end` and list the windows that start in the block; None when there are none."""
    lowest = -(-first // cut.step) * cut.step
    highest = min(first + cut.block_rows, end - cut.window + 1)
    starts = np.arange(lowest, highest, cut.step, dtype=np.int64)
    if not starts.size:
        return None
    parts = []
    for part in held:
        stop = part.first_row + part.values.shape[1]
        if part.first_row < end and stop > first:
            parts.append((part, slice(max(0, first - part.first_row), min(stop, end) - part.first_row)))
    values = np.concatenate([part.values[:, rows] for part, rows in parts], axis=1)
    missing = np.concatenate([part.missing[rows] for part, rows in parts])
    gaps = np.concatenate([part.gaps[rows] for part, rows in parts])
    invalid = np.zeros(starts.size, dtype=np.bool_)
    if cut.invalid_missing:
        invalid |= _count_in(missing, starts - first, cut.window) > 0
    if cut.gap_policy != "ignore":
        # A gap lies before its row: the window's own first row does not count.
        crossing = _count_in(gaps, starts - first + 1, cut.window - 1) > 0
        if cut.gap_policy == "mark":
            invalid |= crossing
        else:
            starts, invalid = starts[~crossing], invalid[~crossing]
            if not starts.size:
                return None
    texts = None
    if parts[0][0].timestamps is not None:
        texts = pl.concat([part.timestamps[rows] for part, rows in parts if part.timestamps is not None])
    truth = None
    if parts[0][0].labels is not None:
        labels = np.concatenate([part.labels[rows] for part, rows in parts if part.labels is not None])
        truth = _label_windows(labels, starts - first, cut.window, cut.label_rule)
    return Block(first, values, starts, texts, invalid, truth)


def _count_in(flags: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    """Count the set flags in each stretch of `length` rows."""
    total = np.zeros(flags.size + 1, dtype=np.int64)
    np.cumsum(flags, out=total[1:])
    counts: npt.NDArray[np.int64] = total[starts + length] - total[starts]
    return counts


def _label_windows(
    labels: npt.NDArray[np.int32], starts: npt.NDArray[np.int64], window: int, rule: str
) -> npt.NDArray[np.int32]:
    """Give each window one label code, or -1: `labels` (rows,) are codes by first appearance, -1 where a row has none."""
    if rule == "first":
        return labels[starts]
    if rule == "last":
        return labels[starts + window - 1]
    present = np.unique(labels[labels >= 0])
    best = np.full(starts.size, -1, dtype=np.int32)
    most = np.zeros(starts.size, dtype=np.int64)
    for code in present:  # rising: the label met first in the file keeps a tie
        count = _count_in(labels == code, starts, window)
        better = count > most
        best[better], most[better] = code, count[better]
    if rule == "pure":
        best[most < window] = -1
    return best
