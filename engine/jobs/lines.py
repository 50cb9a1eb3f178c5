"""A run's journal as others read it while it grows: its whole lines from a byte on, and which of them still count."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.output.journal import Entry

_READ_BYTES = 1 << 22


def read_entries(path: Path, start: int = 0, end: int | None = None) -> Iterator[tuple[Entry, int]]:
    """Yield the committed lines behind byte `start` of a journal, each with the byte behind it; heads included.

    Ends before a torn line, at byte `end`, or at once where there is no journal. A journal that is shorter than `start` was begun
    anew: nothing is yielded.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(start)
        place = start
        while end is None or place < end:
            lines = file.readlines(_READ_BYTES)
            if not lines:
                return
            for line in lines:
                place += len(line)
                if not line.endswith(b"\n") or (end is not None and place > end):
                    return
                try:
                    entry = json.loads(line)
                except ValueError:
                    return
                if not isinstance(entry, dict):
                    return
                yield entry, place


class LiveLines:
    """The lines of inputs that still count, as lines come: behind the last head, without replaced drafts and what was reopened."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._lines: dict[int, list[Entry]] = {}
        for entry in entries:
            self.take(entry)

    def take(self, entry: Entry) -> None:
        """Take the next line."""
        if "journal" in entry:
            self._lines.clear()
        place = entry.get("input")
        if place is None:
            return
        lines = self._lines.setdefault(place, [])
        if lines and "draft" in lines[-1]:
            lines.pop()
        if entry.get("reopened"):
            lines[:] = [line for line in lines if "part" in line and line["part"] < entry["parts"]]
        else:
            lines.append(entry)

    def of(self, place: int) -> list[Entry]:
        """Return those of one input, in order."""
        return self._lines.get(place, [])

    def __iter__(self) -> Iterator[Entry]:
        """Yield all of them, input by input."""
        for lines in self._lines.values():
            yield from lines
