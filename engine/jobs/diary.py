"""What happens to jobs, told once: into the job's `events.jsonl`, then into the index."""

import threading
from pathlib import Path
from typing import Any

from engine.jobs.database import Database
from engine.jobs.folder import JobFolder
from engine.jobs.rows import insert_events
from engine.output.events import Event, Events, Level


class Diary:
    """Writes the events of all jobs of a home. Threads may share it.

    Parameters
    ----------
    jobs : Path
        The folder of the jobs' folders.
    database
        The index.
    """

    def __init__(self, jobs: Path, database: Database) -> None:
        self._jobs = jobs
        self._database = database
        self._open: dict[str, Events] = {}
        self._turn = threading.Lock()

    def keep_open(self, job_id: str) -> None:
        """Keep a job's file open, because much is about to happen."""
        with self._turn:
            if job_id not in self._open:
                self._open[job_id] = Events(self._jobs / job_id)

    def close(self, job_id: str) -> None:
        """Close a job's file. May be called again."""
        with self._turn:
            events = self._open.pop(job_id, None)
            if events is not None:
                events.close()

    def emit(
        self,
        job_id: str,
        event_type: str,
        level: Level,
        message: str,
        payload: dict[str, Any] | None = None,
        *,
        input_id: str | None = None,
        worker: int | None = None,
    ) -> Event:
        """Tell of an event. Raises DiskFull or OutputError."""
        with self._turn:
            events = self._open.get(job_id)
            if events is not None:
                event = events.emit(event_type, level, message, payload, input_id=input_id, index=worker)
            else:
                with Events(self._jobs / job_id) as events:
                    event = events.emit(event_type, level, message, payload, input_id=input_id, index=worker)
            with self._database.write() as sql:
                insert_events(sql, job_id, [event])
        return event

    def catch_up(self, job_id: str) -> None:
        """Let the index have every event of a job's file: a kill may have come between the two."""
        with self._turn, self._database.write() as sql:
            last = sql.execute("SELECT MAX(id) FROM events WHERE job_id = ?", (job_id,)).fetchone()[0]
            insert_events(sql, job_id, JobFolder(self._jobs / job_id).events(last or 0))
