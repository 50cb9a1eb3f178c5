"""Recordings that are in memory already: arrays and data frames, read like files."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import InputError
from engine.stream.scan import Chunk

CHUNK_BYTES = 8 << 20


class ArrayRecording:
    """Rows of an array, as a recording.

    Parameters
    ----------
    values : (rows, channels) array-like of numbers
        NaN, infinity and masked cells count as missing.
    name : str
        For messages.
    columns : sequence of str or None
        Names of the channels; None names them `channel_0`, `channel_1`, ...
    timestamps : series of text or None

    Raises
    ------
    InputError
        The values are no numbers (times are none), not of two dimensions, or not as many columns as names.
    """

    def __init__(
        self,
        values: Any,
        name: str,
        columns: Sequence[str] | None = None,
        timestamps: pl.Series | None = None,
        timestamp_name: str = "timestamp",
    ) -> None:
        try:
            array = _as_numbers(values)
        except (TypeError, ValueError) as error:
            raise InputError(f"{name} does not hold numbers only: {error}.", code="invalid_cell", file=name) from None
        if array.ndim != 2 or array.shape[1] == 0:
            raise InputError(
                f"{name} must have two dimensions, (rows, channels); its shape is {array.shape}.",
                code="invalid_parameter",
                file=name,
            )
        if columns and len(columns) != array.shape[1]:
            message = f"{name} has {array.shape[1]} columns for {len(columns)} names."
            raise InputError(message, code="duplicate_column", file=name, cure="Give each column a name of its own.")
        self._values = array
        self._timestamps = timestamps
        self.name = name
        self.data_columns = tuple(columns) if columns else tuple(f"channel_{c}" for c in range(array.shape[1]))
        self.timestamp_name = timestamp_name
        self.line_word = "row"

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The rows, (rows, channels)."""
        return self._values

    def chunks(self, rows: int | None = None) -> Iterator[Chunk]:
        """Yield copies of the rows, channel by channel."""
        size = rows or max(1024, CHUNK_BYTES // (8 * self._values.shape[1]))
        for first in range(0, len(self._values), size):
            part: npt.NDArray[np.float64] = self._values[first : first + size].T.copy()
            stamps = None if self._timestamps is None else self._timestamps[first : first + size]
            yield Chunk(first, part, stamps, None)

    def line_of(self, row: int) -> int:
        """Return the 1-based row."""
        return row + 1

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._values)


def _as_numbers(values: Any) -> npt.NDArray[np.float64]:
    """Return values as float64, NaN where they are masked; numpy itself would take times for numbers, too."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    array = np.asarray(values)
    if array.dtype.kind in "mM":
        raise TypeError("times are none")
    return array.astype(np.float64, copy=False)
