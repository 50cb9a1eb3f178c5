"""Everything that can be asked about jobs, answered from the index."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

from engine.jobs.database import Database
from engine.jobs.folder import JobFolder
from engine.jobs.home import Home
from engine.jobs.lines import LiveLines, read_entries
from engine.jobs.records import (
    Event,
    Input,
    Job,
    NotFound,
    Output,
    Page,
    ProgressEntry,
    event_from,
    read_row,
    read_rows,
)
from engine.jobs.states import TERMINAL
from engine.jobs.traces import trace
from engine.output.score import collect, score

Order = Literal["asc", "desc"]
QUEUES = ("batch", "training")

_WAITING = "status IN ('PENDING', 'PREEMPTED')"


class Reading:
    """The jobs of a home, for those who look. Every call may come from any thread.

    Parameters
    ----------
    home, database
        Where the folders are, and the index of them.
    """

    def __init__(self, home: Home, database: Database) -> None:
        self.home = home
        self.database = database
        with database.write() as sql:
            sql.create_function("folded", 1, str.casefold, deterministic=True)

    def one_moment(self) -> AbstractContextManager[Any]:
        """Let everything that is read inside be of one moment."""
        return self.database.read()

    def get(self, org_id: str | None, job_id: str) -> Job:
        """Return a job; `org_id` None is whoever may see all. Raises NotFound."""
        with self.database.read() as sql:
            row = sql.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None or org_id not in (None, row["org_id"]):
            raise NotFound(f"Job {job_id} not found.")
        return read_row(Job, row)

    def list(
        self,
        org_id: str,
        *,
        pipeline_type: str | None = None,
        pipeline_key: str | None = None,
        statuses: Sequence[str] = (),
        q: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> Page[Job]:
        """Return an organisation's jobs, newest first; `q` is part of a name, an id or a key, in any case."""
        where = _Where("org_id = ?", org_id)
        where.equal("pipeline_type", pipeline_type)
        where.equal("pipeline_key", pipeline_key)
        where.one_of("status", statuses)
        if q:
            text = q.casefold()
            where.add("(instr(folded(name), ?) OR instr(id, ?) OR instr(pipeline_key, ?))", text, text, text)
        return self._page(Job, "jobs", where, "id DESC", offset, limit)

    def queue(self) -> dict[str, int]:
        """Return how many jobs wait, by pipeline type."""
        with self.database.read() as sql:
            rows = sql.execute(f"SELECT pipeline_type, COUNT(*) FROM jobs WHERE {_WAITING} GROUP BY 1").fetchall()  # noqa: S608
        return {**dict.fromkeys(QUEUES, 0), **{row[0]: row[1] for row in rows}}

    def queue_place(self, job: Job) -> tuple[int, int] | None:
        """Return a waiting job's place in its queue, 1 is next, and how many wait there; None for a job that does not wait."""
        return self.queue_places([job]).get(job.id)

    def queue_places(self, jobs: Iterable[Job]) -> dict[str, tuple[int, int]]:
        """Return the places in their queues of those jobs that wait, as `queue_place` does, by id. Costs a look at every waiting job."""
        wanted = {job.id for job in jobs if job.waits}
        if not wanted:
            return {}
        with self.database.read() as sql:
            rows = sql.execute(
                f"SELECT id, pipeline_type FROM jobs WHERE {_WAITING} ORDER BY status = 'PREEMPTED' DESC, queued_at, id"  # noqa: S608
            ).fetchall()
        depths: Counter[str] = Counter()
        places: dict[str, tuple[str, int]] = {}
        for job_id, pipeline_type in rows:
            depths[pipeline_type] += 1
            if job_id in wanted:
                places[job_id] = (pipeline_type, depths[pipeline_type])
        return {job_id: (place, depths[pipeline_type]) for job_id, (pipeline_type, place) in places.items()}

    def events(
        self,
        org_id: str | None,
        job_id: str,
        *,
        level: str | None = None,
        event_type: str | None = None,
        input_id: str | None = None,
        offset: int = 0,
        limit: int = 100,
        order: Order = "desc",
        after_id: int | None = None,
    ) -> Page[Event]:
        """Return a job's events; `after_id` gives those with a higher id, oldest first."""
        self.get(org_id, job_id)
        where = _Where("job_id = ?", job_id)
        where.equal("level", level)
        where.equal("event_type", event_type)
        where.equal("input_id", input_id)
        if after_id is not None:
            where.add("id > ?", after_id)
            order = "asc"
        total, rows = self._rows("events", where, f"id {order}", offset, limit)
        return Page([event_from(row) for row in rows], total)

    def progress(
        self,
        org_id: str | None,
        job_id: str,
        *,
        kind: str | None = None,
        input_id: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> Page[ProgressEntry]:
        """Return the entries of a job's progress, oldest first."""
        self.get(org_id, job_id)
        where = _Where("job_id = ?", job_id)
        where.equal("kind", kind)
        where.equal("input_id", input_id)
        return self._page(ProgressEntry, "progress", where, "id", offset, limit)

    def inputs(
        self,
        org_id: str | None,
        job_id: str,
        *,
        port_name: str | None = None,
        status: Sequence[str] = (),
        offset: int = 0,
        limit: int = 100,
    ) -> Page[Input]:
        """Return a job's inputs in request order."""
        self.get(org_id, job_id)
        where = _Where("job_id = ?", job_id)
        where.equal("port_name", qualified(port_name))
        where.one_of("status", status)
        return self._page(Input, "inputs", where, "seq", offset, limit)

    def input_progress(
        self,
        org_id: str | None,
        job_id: str,
        *,
        port_name: str | None = None,
        status: Sequence[str] = (),
        order: Order = "desc",
        offset: int = 0,
        limit: int = 100,
    ) -> Page[tuple[Input, ProgressEntry | None]]:
        """Return the tracked inputs by the time of their last change, each with its last entry of progress."""
        self.get(org_id, job_id)
        where = _Where("job_id = ? AND tracked = 1", job_id)
        where.equal("port_name", qualified(port_name))
        where.one_of("status", status)
        page = self._page(Input, "inputs", where, f"changed_at {order}, seq {order}", offset, limit)
        latest = "SELECT * FROM progress WHERE job_id = ? AND input_id = ? ORDER BY id DESC LIMIT 1"
        with self.database.read() as sql:
            rows = [sql.execute(latest, (job_id, one.id)).fetchone() for one in page.items]
        entries = [None if row is None else read_row(ProgressEntry, row) for row in rows]
        return Page(list(zip(page.items, entries, strict=True)), page.total)

    def counts(self, org_id: str | None, job_id: str, port_name: str | None = None) -> dict[str, int]:
        """Return how many tracked inputs there are of each status: `{pending, processing, completed, failed}`."""
        job = self.get(org_id, job_id)
        names = ("pending", "processing", "completed", "failed")
        if port_name is None:
            return {name: getattr(job, name) for name in names}
        with self.database.read() as sql:
            rows = sql.execute(
                "SELECT status, COUNT(*) FROM inputs WHERE job_id = ? AND tracked = 1 AND port_name = ? GROUP BY 1",
                (job_id, qualified(port_name)),
            ).fetchall()
        return {**dict.fromkeys(names, 0), **{row[0]: row[1] for row in rows}}

    def traces(self, org_id: str | None, job_id: str, buckets: int = 100) -> dict[str, Any]:
        """Return how a job went over time: `{job_id, bucket_seconds, latest_event_at, points}`, counts up to each point's time."""
        job = self.get(org_id, job_id)
        with self.database.read() as sql:
            return trace(sql, job, buckets)

    def outputs(
        self,
        org_id: str | None,
        job_id: str,
        *,
        port_name: str | None = None,
        input_id: str | None = None,
        offset: int = 0,
        limit: int = 100,
        order: Order = "asc",
    ) -> Page[Output]:
        """Return a job's result files in the order of their commits."""
        self.get(org_id, job_id)
        where = _Where("job_id = ?", job_id)
        where.equal("port_name", qualified(port_name))
        where.equal("input_id", input_id)
        return self._page(Output, "outputs", where, f"seq {order}", offset, limit)

    def input_names(self, job_id: str, input_ids: Iterable[str]) -> dict[str, str]:
        """Return the file names of a job's inputs, by id; those that are not there are left out."""
        one = "SELECT file_name FROM inputs WHERE job_id = ? AND id = ?"
        with self.database.read() as sql:
            rows = {input_id: sql.execute(one, (job_id, input_id)).fetchone() for input_id in dict.fromkeys(input_ids)}
        return {input_id: row[0] for input_id, row in rows.items() if row is not None}

    def output(self, output_id: str) -> tuple[Output, Path]:
        """Return a result file by its id, for whoever has a signed link to it. Raises NotFound."""
        with self.database.read() as sql:
            row = sql.execute("SELECT * FROM outputs WHERE id = ?", (output_id,)).fetchone()
        if row is None:
            raise NotFound(f"Output {output_id} not found.")
        found = read_row(Output, row)
        return found, self.folder(found.job_id).run / found.place / found.filename

    def evaluation(self, org_id: str | None, job_id: str) -> dict[str, Any]:
        """Return how good the predictions are, where the request says what is true. Raises NotFound where it does not."""
        job = self.get(org_id, job_id)
        config = job.parameters.get("worker", {}).get("config", {})
        if (config.get("evaluation") or {}).get("label_column") is None:
            raise NotFound(
                f"Job {job_id} has no evaluation.", cure="Name the column of the truth in evaluation.label_column."
            )
        lines = LiveLines(entry for entry, _ in read_entries(self.folder(job_id).journal, 0, job.journal_bytes))
        pairs, excluded = collect(lines)
        return {"job_id": job_id, "final": job.status in TERMINAL, **score(pairs, excluded=excluded).as_dict()}

    def folder(self, job_id: str) -> JobFolder:
        """Return a job's folder, which need not exist."""
        return JobFolder(self.home.jobs / job_id)

    def _page(self, kind: type[Any], table: str, where: "_Where", order: str, offset: int, limit: int) -> Page[Any]:
        total, rows = self._rows(table, where, order, offset, limit)
        return Page(read_rows(kind, rows), total)

    def _rows(self, table: str, where: "_Where", order: str, offset: int, limit: int) -> tuple[int, Sequence[Any]]:
        with self.database.read() as sql:
            total = sql.execute(f"SELECT COUNT(*) FROM {table} WHERE {where}", where.values).fetchone()[0]  # noqa: S608 - of ours
            rows = sql.execute(
                f"SELECT * FROM {table} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608 - of ours
                (*where.values, limit, offset),
            ).fetchall()
        return total, rows


class _Where:
    """A condition that grows."""

    def __init__(self, first: str, *values: Any) -> None:
        self._conditions = [first]
        self.values: list[Any] = [*values]

    def add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self.values += values

    def equal(self, column: str, value: Any) -> None:
        if value is not None:
            self.add(f"{column} = ?", value)

    def one_of(self, column: str, values: Sequence[Any]) -> None:
        if values:
            self.add(f"{column} IN ({', '.join('?' * len(values))})", *values)

    def __str__(self) -> str:
        return " AND ".join(self._conditions)


def qualified(port_name: str | None) -> str | None:
    """Return a port's full name: `results` is `worker.results`."""
    return port_name if port_name is None or "." in port_name else f"worker.{port_name}"
