"""The output port for answers: lines in input order become the result file of one input, committed as it grows.

A result file grows as a draft beside its final name. A commit makes its bytes durable, then writes one journal line that says how
many of them count; what a kill left behind them is cut when the next run opens the draft. A file that is whole is committed as a
draft first, then renamed, then named by a line of its own: between the two it is found under its final name.
"""

from collections import Counter
from types import TracebackType
from typing import Any, Self

from engine.errors import EngineError
from engine.output.files import Draft, make_folder, reach, sync_folder, temporary
from engine.output.journal import RESULTS, Entry, Journal
from engine.output.summary import failed_end


class LinesSink:
    """Writes the answers to one input into a job's folder.

    What an earlier run committed is taken from the journal: `lines_committed` lines are done, and `write` goes on with the next one.

    Parameters
    ----------
    journal : Journal
        Of the folder to write to.
    input_index : int
        Place of the input in the request.
    input_id : str
        `inp_...`, the beginning of the files' names.
    lines_per_part : int or None
        None: one file, `<input id>_output.jsonl`. Else files of so many lines, `<input id>_output_part_<n>.jsonl`, the last one
        shorter; `commit` must be called when `full` says so.
    shard : int
        Kept in the journal's lines.
    """

    def __init__(
        self, journal: Journal, input_index: int, input_id: str, *, lines_per_part: int | None = None, shard: int = 0
    ) -> None:
        self._journal = journal
        self._place: Entry = {"shard": shard, "input": input_index}
        self._input_id = input_id
        self._lines_per_part = lines_per_part
        self._draft: Draft | None = None
        self._number = 0  # of the part that grows
        self._part_start = 0
        self._cursor = 0
        self._lines = 0  # that were written since the last commit
        self._sums: Counter[str] = Counter()
        self._ended: Entry | None = None
        self._read_journal()

    @property
    def lines_committed(self) -> int:
        """Return how many lines of this input are committed: where a resumed run goes on."""
        return self._cursor

    @property
    def ended(self) -> Entry | None:
        """Return `{"status": "completed"|"failed", ...}` when this input is final, else None."""
        return self._ended

    @property
    def sums(self) -> Counter[str]:
        """Return what the commits so far add up to, in all runs; nothing is 0."""
        return self._sums

    @property
    def full(self) -> bool:
        """Tell whether the part has all its lines, so that it must be committed before the next one is written."""
        return (
            self._lines_per_part is not None and self._cursor - self._part_start + self._lines == self._lines_per_part
        )

    def write(self, line_index: int, line: bytes) -> None:
        """Append the next line, its end included.

        Raises
        ------
        DiskFull, OutputError
            The folder refused; what was committed stays.
        """
        assert self._ended is None, "this input is final"
        assert line_index == self._cursor + self._lines, "lines come in order"
        assert not self.full, "the part is full and not committed"
        if self._draft is None:
            make_folder(self._journal.folder / RESULTS)
            self._draft = Draft(self._journal.folder / RESULTS / self._name(), "part")
        self._draft.write(line)
        self._lines += 1

    def commit(self, **counts: int) -> None:
        """Make everything written so far outlive this process; publish the part when it is full.

        Parameters
        ----------
        **counts
            What the lines since the last commit add to `sums`.
        """
        if self._draft is None or not self._lines:
            assert not any(counts.values()), "counts of no line"
            return
        full = self.full
        self._draft.sync()
        sums = self._sums + Counter(counts)
        cursor = self._cursor + self._lines
        draft = {"file": self._name(), "bytes": self._draft.size_bytes}
        self._journal.commit({**self._place, "draft": draft, "cursor": cursor, "sums": dict(sums)})
        self._sums, self._cursor, self._lines = sums, cursor, 0
        if full:
            self._publish(None)

    def end(self, **facts: Any) -> None:
        """Publish what is committed, and commit that the input is completed, in one journal line."""
        self._end({"status": "completed", **facts})

    def fail(self, error: EngineError, **facts: Any) -> None:
        """Publish what is committed, and commit that the input failed, in one journal line.

        For what is wrong with the input, and so comes again with the same input.
        """
        self._end(failed_end(error, **facts))

    def close(self) -> None:
        """Leave what is committed and forget the rest. May be called again."""
        if self._draft is not None:
            self._draft.discard()
            self._draft = None
        self._lines = 0

    def __enter__(self) -> Self:
        """Return the sink itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _name(self) -> str:
        part = "" if self._lines_per_part is None else f"_part_{self._number}"
        return f"{self._input_id}_output{part}.jsonl"

    def _read_journal(self) -> None:
        lines = self._journal.of_input(self._place["input"])
        parts = [entry for entry in lines if "part" in entry]
        self._number = len(parts)
        self._part_start = parts[-1]["cursor"] if parts else 0
        last = next((entry for entry in reversed(lines) if "cursor" in entry), None)
        self._cursor = last["cursor"] if last is not None else 0
        self._sums = Counter(last["sums"] if last is not None else {})
        ends = [entry["ended"] for entry in lines if "ended" in entry]
        self._ended = ends[-1] if ends else None
        if last is not None and "draft" in last:
            path = self._journal.folder / RESULTS / last["draft"]["file"]
            if not temporary(path).exists():  # a kill came between the rename and the line that names the file
                path.rename(temporary(path))
                sync_folder(path.parent)
            self._draft = Draft(path, "part", keep_bytes=last["draft"]["bytes"])
            if self.full:
                self._publish(None)

    def _publish(self, end: Entry | None) -> None:
        """Publish the draft, all of which is committed, and name it in the journal."""
        assert self._draft is not None
        name = self._name()
        self._draft.publish()
        entry: Entry = {
            **self._place,
            "part": self._number,
            "file": name,
            "rows": self._cursor - self._part_start,
            "bytes": self._draft.size_bytes,
            "sha256": self._draft.sha256,
            "cursor": self._cursor,
            "sums": dict(self._sums),
        }
        if end is not None:
            entry["ended"] = end
        self._journal.commit(entry)
        self._draft = None
        self._number += 1
        self._part_start = self._cursor

    def _end(self, end: Entry) -> None:
        assert self._ended is None, "this input is final"
        assert not self._lines, "commit first"
        if self._draft is not None:
            self._publish(end)
        else:
            self._journal.commit({**self._place, "ended": end})
        self._ended = end
        reach("input.ended")
