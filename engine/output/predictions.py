"""Predictions of consecutive windows, the table they make, and what they add up to."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import Problem, RequestError
from engine.output.score import INVALID_STATE

Format = Literal["csv", "jsonl", "parquet"]

_ROWWISE = (
    "start_rows",
    "codes",
    "confidence",
    "timestamps",
    "finish_timestamps",
    "probabilities",
    "embeddings",
    "truth",
)


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What result files hold beside timestamp and prediction, and their format."""

    format: Format = "csv"
    row_index: bool = False
    window_bounds: bool = False
    probabilities: bool = False
    embeddings: bool = False


@dataclass(frozen=True, slots=True)
class Predictions:
    """A run of consecutive windows of one input, in row order.

    The sink keeps the arrays until their part is published: hand over arrays that nothing writes to any more.

    Attributes
    ----------
    start_rows : (n,) int64
        File row of each window's first row.
    codes : (n,) int32
        Index into the sink's classes, -1 for INVALID_STATE.
    confidence : (n,) float64
        The winner's share of the vote; ignored where the state is invalid.
    timestamps : String series of n, or None
        Of the first row, opaque; null or empty for an empty cell. None: the input has none, row numbers stand in.
    finish_timestamps : series of n, or None
        Of the last row (row numbers where there are no timestamps). Needed for `window_bounds`.
    probabilities : (n, classes) float64 or None
        Needed for `probabilities`; ignored where the state is invalid.
    embeddings : (n, D) float32 or None
        Needed for `embeddings`.
    truth : (n,) int32 or None
        Index into `truth_classes`, -1 for windows left out of the evaluation.
    truth_classes : tuple of str
        Names of the true states seen so far. A later tuple only adds to an earlier one.
    """

    start_rows: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int32]
    confidence: npt.NDArray[np.float64]
    timestamps: pl.Series | None = None
    finish_timestamps: pl.Series | None = None
    probabilities: npt.NDArray[np.float64] | None = None
    embeddings: npt.NDArray[np.float32] | None = None
    truth: npt.NDArray[np.int32] | None = None
    truth_classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.start_rows)

    def cut(self, start: int, stop: int) -> "Predictions":
        """Return the windows from `start` to before `stop`, without copies."""
        values = {name: getattr(self, name) for name in _ROWWISE}
        return replace(self, **{name: value[start:stop] for name, value in values.items() if value is not None})


def join(pieces: list[Predictions]) -> Predictions:
    """Return consecutive runs as one. Names of true classes are those of the last, which knows most."""
    joined: dict[str, Any] = {}
    for name in _ROWWISE:
        values = [getattr(piece, name) for piece in pieces]
        if isinstance(values[0], pl.Series):
            joined[name] = pl.concat(values)
        elif values[0] is not None:
            joined[name] = np.concatenate(values)
    return replace(pieces[-1], **joined)


def column_names(timestamp_name: str, classes: tuple[str, ...], options: OutputOptions) -> tuple[str, ...]:
    """Return the result files' columns in order.

    Raises
    ------
    RequestError
        Two columns would have the same name, which only the timestamp column's own name can cause.
    """
    names = [timestamp_name, "Prediction"]
    names += ["start_row"] * options.row_index
    names += ["start_timestamp", "finish_timestamp"] * options.window_bounds
    names += [f"p_{name}" for name in classes] * options.probabilities
    taken = {*names[1:], *(["start_row", "embedding"] if options.embeddings else [])}
    if timestamp_name in taken:
        message = f"reader_config.timestamp_column '{timestamp_name}' is also the name of an output column."
        problem = Problem(
            "invalid_parameter",
            message,
            "parameters.worker.config.reader_config.timestamp_column",
            "Rename the column.",
        )
        raise RequestError([problem])
    return tuple(names)


class Layout:
    """How predictions become a table.

    Parameters
    ----------
    timestamp_name : str
        Header of the first column.
    classes : tuple of str
        Sorted by code point.
    options : OutputOptions

    Raises
    ------
    RequestError
        The timestamp column's name is also that of an output column.
    """

    def __init__(self, timestamp_name: str, classes: tuple[str, ...], options: OutputOptions) -> None:
        self.columns = column_names(timestamp_name, classes, options)
        self.classes = classes
        self.options = options
        # An empty label would be written as "" in CSV, and quotes are only for fields that need them.
        empty = None if options.format == "csv" else ""
        self._labels = pl.Series([name or empty for name in (*classes, INVALID_STATE)], dtype=pl.String)

    def table(self, block: Predictions) -> pl.DataFrame:
        """Return the rows of a result, in the asked columns."""
        invalid = block.codes < 0
        first = _text(block.timestamps, block.start_rows)
        values = [first, self._labels.gather(np.where(invalid, len(self._labels) - 1, block.codes))]
        if self.options.row_index:
            values.append(pl.Series(block.start_rows))
        if self.options.window_bounds:
            values += [first, _text(block.finish_timestamps, block.start_rows)]
        if self.options.probabilities and block.probabilities is not None:
            shares = np.where(invalid[:, np.newaxis], np.nan, block.probabilities)
            values += [pl.Series(share, nan_to_null=True) for share in shares.T]
        return pl.DataFrame([value.alias(name) for name, value in zip(self.columns, values, strict=True)])

    def vectors(self, block: Predictions) -> pl.DataFrame:
        """Return the rows of the second result: start_row, timestamp, embedding (a list of float32)."""
        assert block.embeddings is not None
        width = pl.Array(pl.Float32, block.embeddings.shape[1])
        vectors = pl.Series(block.embeddings, dtype=width).cast(pl.List(pl.Float32))
        values = (pl.Series(block.start_rows), _text(block.timestamps, block.start_rows), vectors)
        names = ("start_row", self.columns[0], "embedding")
        return pl.DataFrame([value.alias(name) for name, value in zip(names, values, strict=True)])


@dataclass(slots=True)
class Sums:
    """What the windows of a part add up to, in the form of a journal line."""

    classes: tuple[str, ...]
    rows: int = 0
    first_row: int = 0
    last_row: int = 0
    invalid: int = 0
    confidence: float = 0.0
    _counts: npt.NDArray[np.int64] = field(init=False)
    _truth_classes: tuple[str, ...] = ()
    _excluded: int = 0
    _confusion: dict[tuple[int, int], int] = field(default_factory=dict)  # (truth, code) to windows

    def __post_init__(self) -> None:
        """Start from nothing."""
        self._counts = np.zeros(len(self.classes), np.int64)

    def add(self, block: Predictions) -> None:
        """Add consecutive windows."""
        valid = block.codes >= 0
        self.first_row = int(block.start_rows[0]) if not self.rows else self.first_row
        self.last_row = int(block.start_rows[-1])
        self.rows += len(block)
        self._counts += np.bincount(block.codes[valid], minlength=len(self._counts))
        self.invalid += int(np.count_nonzero(~valid))
        self.confidence += float(block.confidence[valid].sum())
        self._truth_classes = block.truth_classes
        if block.truth is not None:
            known = block.truth >= 0
            self._excluded += int(np.count_nonzero(~known))
            pairs, windows = np.unique(np.stack([block.truth[known], block.codes[known]]), axis=1, return_counts=True)
            for truth, code, n in zip(*pairs.tolist(), windows.tolist(), strict=True):
                self._confusion[truth, code] = self._confusion.get((truth, code), 0) + n

    def counts(self) -> dict[str, int]:
        """Return the windows of each class that was predicted."""
        return {name: int(n) for name, n in zip(self.classes, self._counts, strict=True) if n}

    def facts(self) -> dict[str, Any]:
        """Return what a journal line says of these windows."""
        facts: dict[str, Any] = {
            "rows": self.rows,
            "first_row": self.first_row,
            "last_row": self.last_row,
            "invalid": self.invalid,
            "confidence": self.confidence,
            "counts": self.counts(),
        }
        if self._confusion or self._excluded:
            facts["excluded"] = self._excluded
            facts["confusion"] = [
                [self._truth_classes[t], self.classes[p] if p >= 0 else INVALID_STATE, n]
                for (t, p), n in sorted(self._confusion.items())
            ]
        return facts


def _text(series: pl.Series | None, rows: npt.NDArray[np.int64]) -> pl.Series:
    """Return a timestamp column: opaque text with null for empty cells, or row numbers where there is no text."""
    if series is None:
        return pl.Series(rows)
    if series.dtype != pl.String:
        return series
    empty = series == ""
    return series if not empty.any() else pl.select(pl.when(~empty).then(series)).to_series()
