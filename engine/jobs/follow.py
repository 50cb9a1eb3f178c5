"""From a run's journal to the rows of a job: what each committed line says of outputs, progress and inputs.

The journal is the truth and is only ever appended to, but for a torn end. So a follower remembers how many bytes it has read, and
reading all of them anew gives the same rows. Nothing here writes: `engine.jobs.ledger` does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from engine.jobs.ids import derived_id
from engine.jobs.lines import LiveLines
from engine.jobs.records import InputStatus, Output, ProgressEntry
from engine.output.journal import EMBEDDINGS, RESULTS, Entry

FILE_TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson", "parquet": "application/x-parquet"}
NOTHING = {"total": 0, "succeeded": 0, "failed": 0, "truncated": 0, "invalid": 0}


@dataclass(slots=True)
class Track:
    """One tracked input while lines are followed; `was` are its status and records as they stand in the index."""

    id: str
    place: int
    name: str
    num_bytes: int
    status: InputStatus
    records: dict[str, int]
    error_code: str | None = None
    error_message: str | None = None
    completed_at: str | None = None
    changed_at: str | None = None
    step: int | None = None
    commits: int = 0  # entries of progress so far
    was: tuple[InputStatus, dict[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        """Keep what it was."""
        self.was = (self.status, self.records)

    def forget(self, status: InputStatus = "pending") -> None:
        """Take back that it ended."""
        self.status, self.step = status, None
        self.error_code = self.error_message = self.completed_at = None


@dataclass(slots=True)
class Folding:
    """Journal lines of one job, folded into what changes in its rows.

    Attributes
    ----------
    job_id, ports
        The job, and the ports of its results and its embeddings.
    load : callable
        Returns the track of a tracked input by its place, as the index has it.
    earlier : callable
        Returns all lines before the first one that is folded; needed only where an input was reopened.
    when : callable
        Returns the time of a line, which does not say it itself.
    expected : callable
        Returns how many records an input may have, None where nobody knows, and whether that is exact.
    next_output, next_progress, finished : int
        The numbers that the next output and entry get, and how many inputs have finished.
    outputs : dict
        New ones by (input id, folder, part).
    dropped : list
        (input id, first part) of outputs that do not count any more; they go before the new ones come.
    restarted : bool
        All rows from before the first line that was folded are void: outputs, records, ends of inputs.
    lines : int
        Lines that were folded, without heads.
    identity : dict or None
        Of the last head.
    """

    job_id: str
    ports: tuple[str, str]
    load: Callable[[int], Track]
    earlier: Callable[[], Iterable[Entry]]
    when: Callable[[Entry], str]
    expected: Callable[[Track], tuple[float | None, bool]]
    next_output: int
    next_progress: int
    finished: int
    fresh: bool
    worker: int | None = None
    tracks: dict[int, Track] = field(default_factory=dict)
    outputs: dict[tuple[str, str, int], Output] = field(default_factory=dict)
    progress: list[ProgressEntry] = field(default_factory=list)
    dropped: list[tuple[str, int]] = field(default_factory=list)
    restarted: bool = False
    lines: int = 0
    identity: dict[str, Any] | None = None
    _taken: list[Entry] = field(default_factory=list)
    _live: LiveLines | None = None  # made when the first line takes something back

    def take(self, entry: Entry) -> None:
        """Fold the next line."""
        if self._live is None:
            self._taken.append(entry)
        else:
            self._live.take(entry)
        if "journal" in entry:
            self._begin(entry)
            return
        self.lines += 1
        place = entry.get("input")
        if place is None:
            return
        track = self._track(place)
        now = self.when(entry)
        track.changed_at = now
        if entry.get("reopened"):
            self._reopen(track, entry["parts"])
            return
        if track.status == "pending":
            track.status = "processing"
        if "part" in entry:
            self._add_outputs(track, entry, now)
        if "part" in entry or "draft" in entry:
            grown = track.records["total"]
            track.records = records_after(track.records, entry)
            if track.records["total"] > grown:  # a whole file was committed as a draft before
                self._tell(track, entry, now)
        if "ended" in entry:
            self._end(track, entry["ended"], now)
            self._tell(track, entry, now)

    def _begin(self, entry: Entry) -> None:
        self.identity = entry.get("identity")
        if not self.fresh:
            self.restarted = True
            self.outputs.clear()
            self.dropped.clear()
            self.finished = 0
            for track in self.tracks.values():
                track.forget()
                track.records = dict(NOTHING)
        self.fresh = False

    def _track(self, place: int) -> Track:
        if place not in self.tracks:
            track = self.load(place)
            if self.restarted:
                track.forget()
                track.records = dict(NOTHING)
            self.tracks[place] = track
        return self.tracks[place]

    def _reopen(self, track: Track, parts: int) -> None:
        if self._live is None:
            self._live = LiveLines(chain(self.earlier(), self._taken))
            self._taken.clear()
        track.forget()
        track.records = dict(NOTHING)
        for entry in self._live.of(track.place):
            track.records = records_after(track.records, entry)
        self.dropped.append((track.id, parts))
        for key in [key for key in self.outputs if key[0] == track.id and key[2] >= parts]:
            del self.outputs[key]

    def _add_outputs(self, track: Track, entry: Entry, now: str) -> None:
        number, rows = entry["part"], entry["rows"]
        files = [(RESULTS, entry, self.ports[0])]
        if "embeddings" in entry:
            files.append((EMBEDDINGS, entry["embeddings"], self.ports[1]))
        for folder, facts, port in files:
            self.outputs[track.id, folder, number] = Output(
                id=derived_id("out", self.job_id, track.id, folder, str(number)),
                job_id=self.job_id,
                seq=self.next_output,
                port_name=port,
                input_id=track.id,
                part=number,
                filename=facts["file"],
                place=folder,
                file_type=FILE_TYPES.get(facts["file"].rpartition(".")[2], "application/octet-stream"),
                num_bytes=facts["bytes"],
                rows=rows,
                first_row=entry.get("first_row", entry["cursor"] - rows),
                last_row=entry.get("last_row", entry["cursor"] - 1),
                sha256=facts["sha256"],
                created_at=now,
            )
            self.next_output += 1

    def _end(self, track: Track, end: dict[str, Any], now: str) -> None:
        self.finished += 1
        track.status = "completed" if end["status"] == "completed" else "failed"
        track.error_code, track.error_message = end.get("code"), end.get("message")
        track.completed_at, track.step = now, self.finished

    def _tell(self, track: Track, entry: Entry, now: str) -> None:
        done, failed, ended = track.records["total"], track.records["failed"], track.completed_at is not None
        expected, exact = (done, True) if ended else self.expected(track)
        percent = 100.0 if ended else min(99.9, 100.0 * done / expected) if expected else 0.0
        unit = "records" if "sums" in entry else "windows"
        track.commits += 1
        message = f"{track.name}: {done:,} {unit}"
        if ended:
            message += ", failed" if track.status == "failed" else ", done"
        metrics = {
            "percent_complete": round(percent, 1),
            "items_processed": done,
            "items_total": round(expected) if exact and expected is not None else None,
            "success": done - failed,
            "failed": failed,
        }
        payload = {"part": entry["part"]} if "part" in entry else {}
        one = ProgressEntry(
            self.job_id,
            self.next_progress,
            "inference",
            track.commits,
            message,
            metrics,
            payload,
            track.id,
            self.worker,
            now,
        )
        self.next_progress += 1
        self.progress.append(one)


def records_after(records: dict[str, int], entry: Entry) -> dict[str, int]:
    """Return an input's records after a line that commits some: windows add up, lines come as sums."""
    if "sums" in entry:
        sums = entry["sums"]
        succeeded, failed = sums.get("succeeded", 0), sums.get("failed", 0)
        return {
            "total": succeeded + failed,
            "succeeded": succeeded,
            "failed": failed,
            "truncated": sums.get("truncated", 0),
            "invalid": 0,
        }
    rows, invalid = entry["rows"], entry["invalid"]
    return {
        **records,
        "total": records["total"] + rows,
        "succeeded": records["succeeded"] + rows - invalid,
        "invalid": records["invalid"] + invalid,
    }
