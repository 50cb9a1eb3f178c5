"""The output port: what a pipeline writes its predictions to, whatever is behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from engine.errors import EngineError
from engine.output.journal import Entry
from engine.output.predictions import OutputOptions, Predictions


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one input's results go, and in which form.

    Attributes
    ----------
    input_index, input_id, stem
        Place in the request, id and file name without suffixes; id and stem make the parts' names.
    timestamp_name : str
        Header of the first column.
    classes : tuple of str
        Sorted by code point.
    rows_per_part : int
        Lines of every part but the last.
    options : OutputOptions
    """

    input_index: int
    input_id: str
    stem: str
    timestamp_name: str
    classes: tuple[str, ...]
    rows_per_part: int
    options: OutputOptions


class Sink(Protocol):
    """Takes the predictions of one input, in row order."""

    @property
    def windows_committed(self) -> int:
        """How many windows are there already."""

    @property
    def next_row(self) -> int:
        """The first file row at which the next window may start."""

    @property
    def ended(self) -> Entry | None:
        """What the input ended with, None while it is not final."""

    def write(self, predictions: Predictions) -> None:
        """Take the next windows."""

    def end(self, **facts: Any) -> None:
        """Take note that the input is complete."""

    def fail(self, error: EngineError, **facts: Any) -> None:
        """Take note that the input ended early, by an error of its own."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Store(Protocol):
    """Where the results of a run go: gives each input its sink, and remembers what was committed."""

    def sink(self, destination: Destination, on_commit: Callable[[Entry], None] | None = None) -> Sink:
        """Return the sink of one input. `on_commit` is told the line of each part that is committed, where parts are."""

    def live(self) -> Iterator[Entry]:
        """Yield the lines of what is committed, as in a journal."""
