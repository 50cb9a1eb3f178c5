"""What workers do to jobs, as their supervisor tells it; and how any change of a job's state is made."""

import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from engine.errors import DiskFull
from engine.jobs import ids
from engine.jobs.appetite import expected_bytes, written_bytes
from engine.jobs.create import Find
from engine.jobs.database import Database
from engine.jobs.diary import Diary
from engine.jobs.files import FileStore
from engine.jobs.home import Home
from engine.jobs.ledger import follow_batch
from engine.jobs.outcomes import ENDS, NO_RESULT, ends_to_tell, why_unfinished
from engine.jobs.reading import Reading
from engine.jobs.records import Job, read_row
from engine.jobs.room import Room, Space, say_bytes
from engine.jobs.rows import Sql, begin_input, settle, tracked_input, update_state
from engine.jobs.states import BACKOFF, HELD, MOST_IDLE_PREEMPTIONS, TERMINAL, State, Trigger, advance
from engine.models.catalog import Catalog

KEPT_WARNINGS = 100  # of a job, in its `engine.warnings`
CONSIDERED = 100  # waiting jobs that are looked at, where those in front do not fit the disk
LOOK_AGAIN_S = 10.0  # after a job was passed over: other programs may have made room

# Of the run's own events: what the board tells itself, once for the job and not again at each attempt.
_TOLD_HERE = frozenset({"config.ignored", "job.resumed", "job.created", "job.failed"})
_WARNINGS = frozenset({"job.warning", "window.short", "input.gaps", "input.missing_values", "inference.long_prompt"})


@dataclass(slots=True)
class _Held:
    """A job that a worker has: the worker's number, which ends the run has told, which inputs it has begun."""

    worker: int | None = None
    told: set[str] = field(default_factory=set)
    begun: set[str | int] = field(default_factory=set)
    total_bytes: int | None = None


class Operating(Reading):
    """The jobs of a home, for the supervisor of the workers. Without a `room` jobs run however full the disk is."""

    def __init__(
        self, home: Home, database: Database, files: FileStore, catalog: Catalog, room: Room | None = None
    ) -> None:
        super().__init__(home, database)
        self.files = files
        self.catalog = catalog
        self.diary = Diary(home.jobs, database)
        self.on_work: Callable[[], None] = _nothing
        self.on_cancel: Callable[[str], None] = _nothing
        self.turn = threading.RLock()  # of every change of state
        self.stopping: set[str] = set()  # cancelled jobs whose worker has not stopped yet
        self._held: dict[str, _Held] = {}
        self._behind: set[str] = set()  # jobs whose state the index could not take
        self._room = room
        self._passed_over: set[str] = set()  # jobs that were told that they wait for room
        self._again: threading.Timer | None = None
        if room is not None:
            room.promised = self._promised

    def claim(self, pipeline_type: str | None = None) -> Job | None:
        """Take the next waiting job for a worker; preempted ones come first. None: nothing waits that the disk has room for.

        A job that does not fit is passed over, with a warning: smaller ones behind it need not wait for room that they can do without.
        """
        only = "" if pipeline_type is None else "AND pipeline_type = ? "
        values = () if pipeline_type is None else (pipeline_type,)
        with self.turn:
            self._catch_up()
            for status in ("PREEMPTED", "PENDING"):
                with self.database.read() as sql:
                    rows = sql.execute(
                        f"SELECT id FROM jobs WHERE status = ? {only}ORDER BY queued_at, id LIMIT ?",  # noqa: S608 - of ours
                        (status, *values, CONSIDERED if self._room else 1),
                    ).fetchall()
                job_id = next((row["id"] for row in rows if self._fits(row["id"])), None)
                if job_id is not None:
                    self.move(job_id, "claim")
                    self._held[job_id] = _Held()
                    self.diary.keep_open(job_id)
                    self._passed_over.discard(job_id)
                    return self.get(None, job_id)
        return None

    def started(self, job_id: str, worker: int) -> bool:
        """Take note that a worker runs a job that was claimed. False: it was cancelled meanwhile and must not run."""
        with self.turn:
            held = self._held.get(job_id)
            if held is None or self.get(None, job_id).status != "ADMITTED":
                return False
            before, _ = self.move(job_id, "start")
            held.worker = worker
            if before.started_at is not None:
                where = self.whereabouts(job_id)
                message = f"Job resumed behind {where['committed_outputs']:,} committed outputs"
                self.diary.emit(job_id, "job.resumed", "INFO", message, where, worker=worker)
        return True

    def event(self, job_id: str, event: Mapping[str, Any]) -> None:
        """Take an event of a run: `event_type`, `level`, `message`, `payload`, `input_id`. Of a job that nobody runs it is nothing."""
        kind = event["event_type"]
        with self.turn:
            held = self._held.get(job_id)
            if held is None or kind in _TOLD_HERE or job_id in self.stopping:
                return
            if kind in ENDS:
                held.told.add(kind)
            input_id, payload = event.get("input_id"), dict(event.get("payload") or {})
            self.diary.emit(
                job_id, kind, event["level"], event["message"], payload, input_id=input_id, worker=held.worker
            )
            if input_id is not None and input_id not in held.begun:
                held.begun.add(input_id)
                with self.database.write() as sql:
                    begin_input(sql, job_id, input_id, ids.now())
            if event["level"] == "WARN" and kind in _WARNINGS:
                self._remember(job_id, payload.get("code", kind), event["message"])

    def advanced(self, job_id: str, place: int) -> None:
        """Take note that a run works on the tracked input at a place; cheap, may be told again and again."""
        with self.turn:
            held = self._held.get(job_id)
            if held is None or place in held.begun:
                return
            held.begun.add(place)
            with self.database.write() as sql:
                row = tracked_input(sql, job_id, place)
                if row is not None:
                    begin_input(sql, job_id, row["id"], ids.now())

    def follow(self, job_id: str) -> None:
        """Bring a job's outputs, progress, inputs and counts to what its run has committed. May be called at any time."""
        folder = self.folder(job_id)
        more = True
        while more:
            with self.database.write() as sql:
                row = sql.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
                if row is None:
                    return
                held = self._held.get(job_id)
                worker = None if held is None else held.worker
                more = follow_batch(sql, folder, read_row(Job, row), worker, partial(self._total_bytes, sql, job_id))

    def finished(self, job_id: str, outcome: Mapping[str, Any]) -> None:
        """Take note how a run ended.

        Parameters
        ----------
        outcome
            `status`: `completed`, `partial`, `failed` or `stopped` (which is a preemption, unless it was cancelled); `error`:
            `{code, message, input_id}` or None.
        """
        if outcome["status"] == "stopped":
            self.preempted(job_id, "the worker was stopped")
            return
        with self.turn:
            self.follow(job_id)
            if self.folder(job_id).last_state().status not in HELD:
                self.let_go(job_id)
                return
            job = self.get(None, job_id)
            error = outcome.get("error")
            if outcome["status"] != "failed":
                error = why_unfinished(job)
            elif error is None:
                error = NO_RESULT
            if error is not None:
                self._fail(job_id, error)
                return
            if job.status == "ADMITTED":  # it was over before anybody said that it runs
                self.move(job_id, "start")
            _, after = self.move(job_id, "complete")
            held = self._held.get(job_id)
            for ending in ends_to_tell(job, after, () if held is None else held.told):
                self.diary.emit(job_id, ending.event_type, ending.level, ending.message, ending.payload)
            self.let_go(job_id)

    def preempted(self, job_id: str, reason: str) -> None:
        """Take note that a worker lost a job: it waits again, or fails after too many times without progress."""
        with self.turn:
            self.follow(job_id)
            if self.folder(job_id).last_state().status not in HELD:
                self.let_go(job_id)
                return
            lines = self.get(None, job_id).journal_lines
            _, state = self.move(job_id, "preempt", commits=lines)
            payload = {**self.whereabouts(job_id), "reason": reason}
            self.diary.emit(job_id, "job.preempted", "WARN", f"Job preempted: {reason}", payload)
            if state.idle_preemptions >= MOST_IDLE_PREEMPTIONS:
                message = (
                    f"The job was preempted {state.idle_preemptions} times in a row without progress; last: {reason}."
                )
                self._fail(job_id, {"code": BACKOFF, "message": message})
                return
            self.let_go(job_id)
        self.on_work()

    def move(
        self,
        job_id: str,
        trigger: Trigger,
        *,
        error: dict[str, Any] | None = None,
        commits: int = 0,
        discard: bool = False,
    ) -> tuple[State, State]:
        """Change a job's state, in its folder and then in the index; return the states before and after. Raises Conflict."""
        with self.turn:
            folder = self.folder(job_id)
            before = folder.last_state()
            after = advance(job_id, before, trigger, ids.now(), error=error, commits=commits, discard=discard)
            folder.append_state(after)
            try:
                with self.database.write() as sql:
                    update_state(sql, job_id, after)
            except BaseException:
                self._behind.add(job_id)
                raise
        return before, after

    def let_go(self, job_id: str, *, sweep: bool = True) -> None:
        """Take note that no worker has a job: what it committed counts, what it worked on waits again.

        Parameters
        ----------
        sweep : bool
            Remove the bytes of deleted files that only a final job was bound to. Not while the index lacks jobs: they are bound, too.
        """
        with self.turn:
            self.follow(job_id)
            with self.database.write() as sql:
                settle(sql, job_id, ids.now())
            self._held.pop(job_id, None)
            self.diary.close(job_id)
            final = self.get(None, job_id).status in TERMINAL
        if sweep and final and self._binds_deleted(job_id):
            self.files.sweep()

    def whereabouts(self, job_id: str) -> dict[str, Any]:
        """Return how far a job is: `{committed_outputs, resumed_from_row}`, the row of the input that goes on in its middle."""
        with self.database.read() as sql:
            count = sql.execute("SELECT COUNT(*) FROM outputs WHERE job_id = ?", (job_id,)).fetchone()[0]
            row = sql.execute(
                "SELECT o.last_row FROM outputs o JOIN inputs i ON i.job_id = o.job_id AND i.id = o.input_id"
                " WHERE o.job_id = ? AND i.status IN ('pending', 'processing') ORDER BY o.seq DESC LIMIT 1",
                (job_id,),
            ).fetchone()
        resumed = None if row is None or row[0] is None else row[0] + 1
        return {"committed_outputs": count, "resumed_from_row": resumed}

    def _catch_up(self) -> None:
        """Let the index have the states that it could not take when they came."""
        for job_id in list(self._behind):
            folder = self.folder(job_id)
            if folder.exists:
                with self.database.write() as sql:
                    update_state(sql, job_id, folder.last_state())
            self._behind.discard(job_id)

    def _fits(self, job_id: str) -> bool:
        """Tell whether the disk has room for what a job will write; where it has not, the job is told once, and looked at again later."""
        if self._room is None or not self._room.guarded:
            return True
        needed = self._to_write(job_id)
        space = self._room.lacks(needed)
        if space is None:
            return True
        if job_id not in self._passed_over:
            self._passed_over.add(job_id)
            with contextlib.suppress(DiskFull):  # so short of room that not even this can be said
                self._tell_no_room(job_id, needed, space)
        self._look_again()
        return False

    def _look_again(self) -> None:
        if self._again is None or not self._again.is_alive():
            self._again = threading.Timer(LOOK_AGAIN_S, lambda: self.on_work())  # noqa: PLW0108 - it may be another one by then
            self._again.daemon = True
            self._again.start()

    def _tell_no_room(self, job_id: str, needed: int, space: Space) -> None:
        message = f"Waits for room on the disk: about {say_bytes(needed)} are to be written; {space}."
        payload = {
            "code": "disk_space",
            "needed_bytes": needed,
            "free_bytes": space.free_bytes,
            "reserve_bytes": space.reserve_bytes,
            "promised_bytes": space.promised_bytes,
        }
        self.diary.emit(job_id, "job.warning", "WARN", message, payload)
        self._remember(job_id, "disk_space", message)

    def _to_write(self, job_id: str) -> int:
        """Return the bytes that a job is expected to write still."""
        with self.database.read() as sql:
            row = sql.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                return 0
            return max(0, expected_bytes(sql, read_row(Job, row)) - written_bytes(sql, job_id))

    def _promised(self) -> int:
        return sum(map(self._to_write, list(self._held)))  # without the turn: who asks for health does not wait for it

    def _finder(self, org_id: str) -> Find:
        def find(name: str) -> tuple[Any, Path]:
            file = self.files.find(org_id, name)
            return file, self.files.path(file)

        return find

    def _fail(self, job_id: str, error: Mapping[str, Any]) -> None:
        said = {
            "code": error["code"],
            "message": error["message"],
            "error_uid": ids.new_id("err"),
            "input_id": error.get("input_id"),
        }
        self.move(job_id, "fail", error=said)
        self.diary.emit(job_id, "job.failed", "FAILED", f"Job failed: {said['message']}", {"code": said["code"]})
        self.let_go(job_id)

    def _remember(self, job_id: str, code: str, message: str) -> None:
        with self.database.write() as sql:
            row = sql.execute("SELECT engine FROM jobs WHERE id = ?", (job_id,)).fetchone()
            engine = json.loads(row["engine"])
            warnings = engine["warnings"]
            if len(warnings) < KEPT_WARNINGS and all(one["message"] != message for one in warnings):
                warnings.append({"code": code, "message": message})
                sql.execute("UPDATE jobs SET engine = ? WHERE id = ?", (json.dumps(engine), job_id))

    def _total_bytes(self, sql: Sql, job_id: str) -> int:
        """Return the bytes of all tracked inputs; asked once while a worker has the job."""
        held = self._held.get(job_id)
        if held is not None and held.total_bytes is not None:
            return held.total_bytes
        found = sql.execute("SELECT SUM(num_bytes) FROM inputs WHERE job_id = ? AND tracked = 1", (job_id,)).fetchone()[
            0
        ]
        if held is not None:
            held.total_bytes = found or 0
        return int(found or 0)

    def _binds_deleted(self, job_id: str) -> bool:
        with self.database.read() as sql:
            return (
                sql.execute(
                    "SELECT 1 FROM inputs i JOIN files f ON f.uid = i.file_uid"
                    " WHERE i.job_id = ? AND f.deleted_at IS NOT NULL LIMIT 1",
                    (job_id,),
                ).fetchone()
                is not None
            )


def _nothing(*_: Any) -> None:
    """Do nothing: nobody supervises."""
