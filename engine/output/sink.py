"""The output port: predictions in row order become parts of exactly so many lines, each committed by one journal line.

Windows are gathered into blocks that start at multiples of a fixed size within their part, however many come at a time: so the
bytes of a part are always the same.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.errors import EngineError
from engine.output.files import make_folder, reach
from engine.output.journal import EMBEDDINGS, RESULTS, Entry, Journal, files_of
from engine.output.part import Part
from engine.output.port import Destination
from engine.output.predictions import Layout, Predictions, join
from engine.output.summary import failed_end

_BLOCK_ROWS = 16_384
_NAME_BYTES = 250  # file systems take 255, and the temporary name is 5 longer


class ResultSink:
    """Writes the results of one input into a job's folder.

    What an earlier run committed is taken from the journal: `windows_committed` windows are done, and `write` goes on with the
    next one. Memory: one part of row-wise formats is written as it grows (16,384 rows at a time); Parquet parts and embeddings are
    held until they are whole.

    Parameters
    ----------
    journal : Journal
        Of the folder to write to.
    destination : Destination
        The input, its names and form.
    on_commit : callable or None
        Called after each committed part with the journal's line, and in it how many seconds writing took, `duration_s`.
    shard : int
        Kept in the journal's lines.
    """

    def __init__(
        self,
        journal: Journal,
        destination: Destination,
        *,
        on_commit: Callable[[Entry], None] | None = None,
        shard: int = 0,
    ) -> None:
        to = destination
        if "/" in to.input_id + to.stem:
            raise ValueError(f"no path separator may be in {to.input_id!r} or {to.stem!r}")
        self._journal = journal
        self._input_index = to.input_index
        self._input_id = to.input_id
        self._stem = to.stem
        self._layout = Layout(to.timestamp_name, to.classes, to.options)
        self._rows_per_part = to.rows_per_part
        self._options = to.options
        self._on_commit = on_commit
        self._shard = shard
        self._pending: deque[Predictions] = deque()
        self._pending_rows = 0
        self._truth_classes: tuple[str, ...] = ()
        self._part: Part | None = None
        self._ended: Entry | None = None
        self._read_journal()

    @property
    def windows_committed(self) -> int:
        """Return how many windows of this input are committed: where a resumed run goes on."""
        return self._cursor

    @property
    def next_row(self) -> int:
        """Return the first file row at which the next window may start: behind the start of the last committed one."""
        return self._next_row

    @property
    def parts(self) -> int:
        """Return how many parts of this input are committed."""
        return self._number

    @property
    def ended(self) -> Entry | None:
        """Return `{"status": "completed"|"failed", ...}` when this input is final, else None."""
        return self._ended

    def write(self, predictions: Predictions) -> None:
        """Take the next windows, publish and commit every part that is full now.

        Raises
        ------
        DiskFull, OutputError
            The folder refused; what was committed stays.
        """
        assert self._ended is None, "this input is final"
        self._check(predictions)
        if len(predictions):
            self._pending.append(predictions)
            self._pending_rows += len(predictions)
        while self._pending_rows >= self._wanted_rows():
            self._absorb(self._take(self._wanted_rows()))

    def end(self, **facts: Any) -> None:
        """Commit the last, shorter part, if any rows are left, and that the input is completed, in one journal line."""
        self._end({"status": "completed", **facts})

    def fail(self, error: EngineError, **facts: Any) -> None:
        """Commit what came before the error as a last part, and that the input failed, in one journal line.

        For what is wrong with the input, and so comes again at the same row with the same input. An error of the run (output,
        device) ends the run instead, and leaves the input to be resumed.
        """
        self._end(failed_end(error, **facts))

    def reopen(self) -> None:
        """Take a failed input up again after its last full part: what may have been cut short is written anew."""
        assert self._ended is not None, "this input is not final"
        parts = self._lines_of_parts()
        full = sum(entry["rows"] == self._rows_per_part for entry in parts)
        self._journal.commit({"shard": self._shard, "input": self._input_index, "reopened": True, "parts": full})
        for entry in parts[full:]:
            for (place, name), _ in files_of(entry):
                (self._journal.folder / place / name).unlink(missing_ok=True)
        self._read_journal()

    def close(self) -> None:
        """Forget what is not committed and remove its temporary file. May be called again."""
        self._pending.clear()
        self._pending_rows = 0
        if self._part is not None:
            self._part.discard()
            self._part = None

    def __enter__(self) -> Self:
        """Return the sink itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _lines_of_parts(self) -> list[Entry]:
        return [entry for entry in self._journal.of_input(self._input_index) if "part" in entry]

    def _read_journal(self) -> None:
        parts = self._lines_of_parts()
        self._number = len(parts)
        self._cursor: int = parts[-1]["cursor"] if parts else 0
        self._next_row: int = parts[-1]["last_row"] + 1 if parts else 0
        ends = [entry["ended"] for entry in self._journal.of_input(self._input_index) if "ended" in entry]
        self._ended = ends[-1] if ends else None

    def _check(self, predictions: Predictions) -> None:
        known = len(self._truth_classes)
        assert predictions.truth_classes[:known] == self._truth_classes, "true classes may only be added"
        self._truth_classes = predictions.truth_classes
        for asked, name in (
            (self._options.window_bounds, "finish_timestamps"),
            (self._options.probabilities, "probabilities"),
            (self._options.embeddings, "embeddings"),
        ):
            assert not asked or getattr(predictions, name) is not None, f"{name} was asked for"

    def _wanted_rows(self) -> int:
        written = self._part.sums.rows if self._part is not None else 0
        return min(_BLOCK_ROWS, self._rows_per_part - written)

    def _take(self, rows: int) -> Predictions:
        self._pending_rows -= rows
        pieces = []
        while rows:
            piece = self._pending.popleft()
            if len(piece) > rows:
                self._pending.appendleft(piece.cut(rows, len(piece)))
                piece = piece.cut(0, rows)
            pieces.append(piece)
            rows -= len(piece)
        return pieces[0] if len(pieces) == 1 else join(pieces)

    def _absorb(self, block: Predictions) -> None:
        if self._part is None:
            self._part = self._open_part()
        self._part.add(block)
        if self._part.sums.rows == self._rows_per_part:
            self._commit(self._part)

    def _open_part(self) -> Part:
        return Part(
            self._path(RESULTS, "output", self._options.format),
            self._path(EMBEDDINGS, "embeddings", "parquet") if self._options.embeddings else None,
            self._layout,
        )

    def _path(self, place: str, kind: str, extension: str) -> Path:
        make_folder(self._journal.folder / place)
        before, after = f"{self._input_id}_{kind}_", f"_part_{self._number}.{extension}"
        # A long stem is cut where the file system would refuse the name; the id keeps it unique.
        room = _NAME_BYTES - len(os.fsencode(before)) - len("_part_1234567890.parquet")
        stem = os.fsencode(self._stem)
        kept = self._stem if len(stem) <= room else stem[:room].decode("utf-8", "ignore")
        return self._journal.folder / place / f"{before}{kept}{after}"

    def _commit(self, part: Part, end: Entry | None = None) -> None:
        cursor = self._cursor + part.sums.rows
        try:
            place = {"shard": self._shard, "input": self._input_index, "part": self._number}
            entry = {**place, **part.publish(), "cursor": cursor}
            if end is not None:
                entry["ended"] = end
            self._journal.commit(entry)
        except EngineError:  # then no line names these files
            part.withdraw()
            raise
        self._part = None
        self._number += 1
        self._cursor = cursor
        self._next_row = part.sums.last_row + 1
        if self._on_commit is not None:
            self._on_commit({**entry, "duration_s": part.duration_s})

    def _end(self, end: Entry) -> None:
        assert self._ended is None, "this input is final"
        if self._pending_rows:
            self._absorb(self._take(self._pending_rows))
        if self._part is not None:
            self._commit(self._part, end)
        else:
            self._journal.commit({"shard": self._shard, "input": self._input_index, "ended": end})
        self._ended = end
        reach("input.ended")


class FolderStore:
    """The results of a run in a job's folder, by its journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def sink(self, destination: Destination, on_commit: Callable[[Entry], None] | None = None) -> ResultSink:
        """Return the sink of one input."""
        return ResultSink(self._journal, destination, on_commit=on_commit)

    def live(self) -> Iterator[Entry]:
        """Yield the journal's lines that still count."""
        return self._journal.live()
