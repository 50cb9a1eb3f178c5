"""Results that stay in memory, for programs that embed the engine."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import polars as pl

from engine.errors import EngineError
from engine.output.journal import Entry
from engine.output.port import Destination
from engine.output.predictions import Layout, Predictions, Sums
from engine.output.summary import failed_end


class MemorySink:
    """Keeps the predictions of one input as a table."""

    windows_committed = 0
    next_row = 0
    ended: Entry | None = None

    def __init__(self, destination: Destination) -> None:
        self._layout = Layout(destination.timestamp_name, destination.classes, destination.options)
        self._input = destination.input_index
        self._sums = Sums(destination.classes)
        self._tables: list[pl.DataFrame] = []

    @property
    def line(self) -> Entry:
        """Return what a journal would say of this input."""
        return {"input": self._input, "part": 0, **self._sums.facts(), "ended": self.ended}

    def frame(self) -> pl.DataFrame:
        """Return the predictions, one row a window."""
        return pl.concat(self._tables) if self._tables else pl.DataFrame()

    def write(self, predictions: Predictions) -> None:
        """Take the next windows."""
        if len(predictions):
            table = self._layout.table(predictions)
            if self._layout.options.embeddings:
                table = table.with_columns(self._layout.vectors(predictions)["embedding"])
            self._tables.append(table)
            self._sums.add(predictions)

    def end(self, **facts: Any) -> None:
        """Take note that the input is complete."""
        self.ended = {"status": "completed", **facts}

    def fail(self, error: EngineError, **facts: Any) -> None:
        """Take note that the input ended early."""
        self.ended = failed_end(error, **facts)

    def __enter__(self) -> Self:
        """Return the sink itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep what was taken."""


class MemoryStore:
    """The results of a run in memory."""

    def __init__(self) -> None:
        self._sinks: dict[int, MemorySink] = {}

    def sink(self, destination: Destination, on_commit: Callable[[Entry], None] | None = None) -> MemorySink:  # noqa: ARG002 - nothing is committed
        """Return the sink of one input."""
        sink = self._sinks[destination.input_index] = MemorySink(destination)
        return sink

    def live(self) -> Iterator[Entry]:
        """Yield what a journal would say."""
        return (sink.line for sink in self._sinks.values())

    def frame(self, input_index: int) -> pl.DataFrame:
        """Return the predictions of one input."""
        return self._sinks[input_index].frame()
