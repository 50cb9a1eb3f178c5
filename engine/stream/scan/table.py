"""A table opened for reading, and the chunks that it gives."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import InputError
from engine.stream.header import Selection
from engine.stream.scan.cells import text_name
from engine.stream.source import Source

_CHUNK_BYTES = 1 << 21
_FEWEST_ROWS, _MOST_ROWS = 1 << 10, 1 << 16

Frames = Generator[tuple[pl.DataFrame, InputError | None], None, None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Successive rows of a table."""

    first_row: int  # 0-based data row of the file of column 0
    values: npt.NDArray[np.float64]  # (channels, rows), C-contiguous, writable, the caller's own; missing cells are NaN
    timestamps: pl.Series | None  # (rows,) String, the exact text of the cells, "" where empty; None: row numbers
    labels: pl.Series | None  # (rows,) String, trimmed, "" where empty


class Reader(Protocol):
    """What reads one kind of file."""

    def frames(self) -> Frames:
        """Yield frames in file order: Float64 data columns named by position, and text columns (`text_name`).

        What is wrong with the file comes with the frame of the last good rows before it, and ends the iteration.
        """

    def estimate_rows(self) -> tuple[int, bool]:
        """Return the number of data rows, and whether it is exact."""

    def line_of(self, row: int) -> int:
        """Return the 1-based physical line of a 0-based data row."""


class Table:
    """One opened input file: its header has been read and checked, nothing else."""

    def __init__(self, source: Source, columns: tuple[str, ...], selection: Selection, reader: Reader) -> None:
        self.name: str = source.name
        self.path: Path = source.path
        self.num_bytes: int = source.num_bytes
        self.columns: tuple[str, ...] = columns
        self.data_columns: tuple[str, ...] = tuple(columns[position] for position in selection.data)
        self.line_word: str = "row" if source.kind == "parquet" else "line"
        self.timestamp_name: str = "timestamp" if selection.timestamp is None else columns[selection.timestamp]
        self._selection = selection
        self._reader = reader

    def chunks(self, rows: int | None = None) -> Iterator[Chunk]:
        """Yield the table in file order. May be called again, and closed early.

        Parameters
        ----------
        rows : int, optional
            Rows per chunk; the last one has the rest. By default about 2 MB of values, 1,024 to 65,536 rows, the first ones fewer, as
            somebody waits for them. Neither the rows nor the errors depend on it.

        Raises
        ------
        InputError
            `invalid_cell`, `malformed_row` or `read_error`, once every row before the fault has been yielded.
        """
        if rows is None:
            most = min(_MOST_ROWS, max(_FEWEST_ROWS, _CHUNK_BYTES // (8 * max(1, len(self.data_columns)))))
            return self._chunks(_FEWEST_ROWS, most)
        if rows < 1:
            raise ValueError(f"rows must be at least 1; got {rows}")
        return self._chunks(rows, rows)

    def estimate_rows(self) -> tuple[int, bool]:
        """Return how many data rows can be read, and whether that is exact; cells are not looked at.

        Exact for Parquet and for up to 12 MB of CSV text; otherwise judged from the length of the first rows.

        Raises
        ------
        InputError
            `read_error`: a damaged Parquet file.
        """
        return self._reader.estimate_rows()

    def line_of(self, row: int) -> int:
        """Return the 1-based physical line of a 0-based data row, for messages (Parquet: row + 1).

        Reads the file up to that row: about two seconds per GB of text.

        Raises
        ------
        IndexError
            There is no such row.
        """
        return self._reader.line_of(row)

    def _chunks(self, rows: int, most: int) -> Generator[Chunk, None, None]:
        """Yield chunks of so many rows, each of twice as many as the one before, up to the most."""
        first = 0
        held = pl.DataFrame()
        with closing(self._reader.frames()) as frames:
            for frame, error in frames:
                held = frame if held.is_empty() else pl.concat([held, frame], rechunk=False)
                start = 0
                while held.height - start >= rows or (error and start < held.height):
                    yield self._chunk(held.slice(start, rows), first + start)
                    start += rows
                    rows = min(2 * rows, most)
                if error:
                    raise error
                held = held.slice(start)
                first += start
        if not held.is_empty():
            yield self._chunk(held, first)

    def _chunk(self, frame: pl.DataFrame, first_row: int) -> Chunk:
        # Column by column: all at once would queue behind the blocks that are parsed meanwhile, in Polars' one pool of threads.
        values = np.empty((len(self._selection.data), frame.height), dtype=np.float64)
        for channel, position in enumerate(self._selection.data):
            values[channel] = frame.get_column(str(position)).to_numpy()
        timestamp, label = self._selection.timestamp, self._selection.label
        return Chunk(
            first_row=first_row,
            values=values,
            timestamps=None if timestamp is None else _without_nulls(frame[text_name(timestamp)]),
            labels=None if label is None else _without_nulls(frame[text_name(label)]).str.strip_chars(),
        )


def _without_nulls(texts: pl.Series) -> pl.Series:
    """Return texts with "" where there is none; without a query, which would wait for the blocks that are parsed meanwhile."""
    return texts.fill_null("") if texts.null_count() else texts
