"""Followed journal lines become rows, all of a batch in one transaction with the place that they were read to."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.jobs import ids
from engine.jobs.folder import JobFolder
from engine.jobs.follow import NOTHING, Folding, Track
from engine.jobs.lines import read_entries
from engine.jobs.records import Job, Output, ProgressEntry
from engine.jobs.rows import Sql, tracked_input
from engine.output.files import temporary
from engine.output.journal import RESULTS, Entry
from engine.pipelines.registry import PIPELINES

BATCH_LINES = 5_000  # of one transaction

_ADD_OUTPUT = (
    "INSERT OR REPLACE INTO outputs (id, job_id, seq, port_name, input_id, part, filename, place, file_type, num_bytes, rows,"
    " first_row, last_row, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_PROGRESS = (
    "INSERT INTO progress (job_id, id, kind, step, message, metrics, payload, input_id, worker, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SET_INPUT = (
    "UPDATE inputs SET status = ?, error_code = ?, error_message = ?, records = ?, changed_at = ?, completed_at = ?, step = ?"
    " WHERE job_id = ? AND id = ?"
)
_SET_JOB = (
    "UPDATE jobs SET pending = ?, processing = ?, completed = ?, failed = ?, records_total = ?, records_succeeded = ?,"
    " records_failed = ?, records_truncated = ?, records_invalid = ?, journal_bytes = ?, journal_lines = ?, engine = ?,"
    " updated_at = ? WHERE id = ?"
)


def follow_batch(sql: Sql, folder: JobFolder, job: Job, worker: int | None, total_bytes: Callable[[], int]) -> bool:
    """Bring a job's rows to the journal's state, or `BATCH_LINES` nearer to it; tell whether there was anything new.

    Parameters
    ----------
    sql
        In a transaction of its own, which the caller commits.
    job
        As it stands in the index.
    worker
        The number of the worker that writes, for the entries of progress.
    total_bytes
        Returns the bytes of all tracked inputs.
    """
    path, start = folder.journal, job.journal_bytes
    anew = _size(path) < start
    if anew:
        start = 0
    lines = _first(read_entries(path, start), BATCH_LINES)
    if not lines and not anew:
        return False
    now = ids.now()
    share = _share(job, total_bytes)
    folding = Folding(
        job_id=job.id,
        ports=_ports(job.pipeline_key),
        load=lambda place: _load(sql, job.id, place),
        earlier=lambda: (entry for entry, _ in read_entries(path, 0, start)),
        when=lambda entry: _time(folder, entry, now),
        expected=share,
        next_output=_next(sql, "outputs", "seq", job.id),
        next_progress=_next(sql, "progress", "id", job.id),
        finished=_next(sql, "inputs", "step", job.id) - 1,
        fresh=start == 0 and not anew,
        worker=worker,
    )
    place = start
    for entry, behind in lines:
        folding.take(entry)
        place = behind
    if anew and not folding.restarted:  # the journal is gone, or has no head yet
        folding.restarted = True
    _write(sql, folding)
    _write_job(sql, job, folding, place, now, anew=anew)
    return True


def _write(sql: Sql, folding: Folding) -> None:
    job_id = folding.job_id
    if folding.restarted:
        sql.execute("DELETE FROM outputs WHERE job_id = ?", (job_id,))
        sql.execute(
            "UPDATE inputs SET status = 'pending', error_code = NULL, error_message = NULL, records = ?, completed_at = NULL,"
            " step = NULL WHERE job_id = ? AND tracked = 1",
            (json.dumps(NOTHING), job_id),
        )
    sql.executemany(
        "DELETE FROM outputs WHERE job_id = ? AND input_id = ? AND part >= ?",
        [(job_id, input_id, part) for input_id, part in folding.dropped],
    )
    sql.executemany(_ADD_OUTPUT, map(_output_values, folding.outputs.values()))
    sql.executemany(_ADD_PROGRESS, map(_progress_values, folding.progress))
    sql.executemany(_SET_INPUT, [_track_values(job_id, track) for track in folding.tracks.values()])


def _write_job(sql: Sql, job: Job, folding: Folding, journal_bytes: int, now: str, *, anew: bool) -> None:
    counts = {name: getattr(job, name) for name in ("pending", "processing", "completed", "failed")}
    records = {name: getattr(job, f"records_{name}") for name in NOTHING}
    if folding.restarted:
        counts = {"pending": job.tracked, "processing": 0, "completed": 0, "failed": 0}
        records = dict(NOTHING)
    for track in folding.tracks.values():
        status, known = ("pending", NOTHING) if folding.restarted else track.was
        counts[status] -= 1
        counts[track.status] += 1
        for name in NOTHING:
            records[name] += track.records[name] - known[name]
    engine = job.engine
    if folding.identity is not None and "device" in folding.identity:
        engine = {**engine, "accelerator": folding.identity["device"]}
    lines = folding.lines + (0 if anew else job.journal_lines)
    values = (*counts.values(), *(records[name] for name in NOTHING), journal_bytes, lines, json.dumps(engine), now)
    sql.execute(_SET_JOB, (*values, job.id))


def _load(sql: Sql, job_id: str, place: int) -> Track:
    row = tracked_input(sql, job_id, place)
    commits = sql.execute(
        "SELECT COUNT(*) FROM progress WHERE job_id = ? AND input_id = ?", (job_id, row["id"])
    ).fetchone()[0]
    return Track(
        id=row["id"],
        place=place,
        name=row["file_name"],
        num_bytes=row["num_bytes"],
        status=row["status"],
        records=json.loads(row["records"]) if row["records"] else dict(NOTHING),
        error_code=row["error_code"],
        error_message=row["error_message"],
        completed_at=row["completed_at"],
        changed_at=row["changed_at"],
        step=row["step"],
        commits=commits,
    )


def _share(job: Job, total_bytes: Callable[[], int]) -> Callable[[Track], tuple[float | None, bool]]:
    """Return how many records an input may have: its share of the job's estimate, by bytes."""
    estimate = job.engine.get("estimate") or {}
    records = estimate.get("records")

    def share(track: Track) -> tuple[float | None, bool]:
        if not records:
            return None, False
        if job.tracked == 1:
            return records, bool(estimate.get("exact"))
        return records * track.num_bytes / max(1, total_bytes()), False

    return share


def _ports(pipeline_key: str) -> tuple[str, str]:
    names = [port.name for port in PIPELINES[pipeline_key].outputs]
    return names[0], names[-1]


def _next(sql: Sql, table: str, column: str, job_id: str) -> int:
    found = sql.execute(f"SELECT MAX({column}) FROM {table} WHERE job_id = ?", (job_id,)).fetchone()[0]  # noqa: S608 - names of ours
    return 1 if found is None else found + 1


def _time(folder: JobFolder, entry: Entry, now: str) -> str:
    """Return when a line was committed: its file tells, so that the same comes out however late it is followed."""
    if "part" in entry:
        path = folder.run / RESULTS / entry["file"]
    elif "draft" in entry:
        path = temporary(folder.run / RESULTS / entry["draft"]["file"])
    else:
        return now
    try:
        return min(now, ids.at(path.stat().st_mtime))
    except OSError:
        return now


def _output_values(one: Output) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in Output.__slots__)


def _progress_values(one: ProgressEntry) -> tuple[Any, ...]:
    values = (getattr(one, name) for name in ProgressEntry.__slots__)
    return tuple(json.dumps(value) if isinstance(value, dict) else value for value in values)


def _track_values(job_id: str, track: Track) -> tuple[Any, ...]:
    return (
        track.status,
        track.error_code,
        track.error_message,
        json.dumps(track.records),
        track.changed_at,
        track.completed_at,
        track.step,
        job_id,
        track.id,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _first(entries: Iterator[tuple[Entry, int]], most: int) -> list[tuple[Entry, int]]:
    return [one for _, one in zip(range(most), entries, strict=False)]
