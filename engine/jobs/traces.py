"""How a job went over time: what was finished up to each of some instants, from its rows."""

import bisect
import sqlite3
from datetime import datetime
from typing import Any

from engine.jobs import ids
from engine.jobs.records import Job
from engine.jobs.states import TERMINAL

FEWEST, MOST = 10, 1000  # buckets


def trace(sql: sqlite3.Connection | sqlite3.Cursor, job: Job, buckets: int) -> dict[str, Any]:
    """Return a job's traces: `{job_id, bucket_seconds, latest_event_at, points}`.

    Parameters
    ----------
    buckets : int
        Points; fewer than 10 are 10, more than 1,000 are 1,000.
    """
    buckets = min(MOST, max(FEWEST, buckets))
    ended = job.completed_at or job.failed_at or job.cancelled_at if job.status in TERMINAL else None
    start = _seconds(job.started_at or job.created_at)
    end = max(start, _seconds(ended or ids.now()))
    width = (end - start) / buckets
    times = [start + width * (n + 1) for n in range(buckets - 1)] + [end]
    files = {"completed": [0] * buckets, "failed": [0] * buckets}
    finished = sql.execute(
        "SELECT status, completed_at FROM inputs WHERE job_id = ? AND completed_at IS NOT NULL", (job.id,)
    )
    for status, at in finished:
        if status in files:
            files[status][_bucket(times, at)] += 1
    items = _items(sql, job.id, times)
    latest = sql.execute(
        "SELECT created_at FROM events WHERE job_id = ? ORDER BY id DESC LIMIT 1", (job.id,)
    ).fetchone()
    series = [*files.values(), *(counts for kind in items.values() for counts in kind.values())]
    for counts in series:
        for n in range(1, buckets):
            counts[n] += counts[n - 1]
    points = [
        {
            "t": ids.at(time) if n < buckets - 1 else ended or ids.at(time),
            "step": files["completed"][n] + files["failed"][n],
            "files": {name: counts[n] for name, counts in files.items()},
            "items": {kind: {name: counts[n] for name, counts in both.items()} for kind, both in items.items()},
        }
        for n, time in enumerate(times)
    ]
    return {
        "job_id": job.id,
        "bucket_seconds": round(width, 6),
        "latest_event_at": None if latest is None else latest[0],
        "points": points,
    }


def _items(
    sql: sqlite3.Connection | sqlite3.Cursor, job_id: str, times: list[float]
) -> dict[str, dict[str, list[int]]]:
    """Return what was added to each kind's items in each bucket; entries of progress say how many an input had by then."""
    found: dict[str, dict[str, list[int]]] = {}
    known: dict[str | None, tuple[int, int]] = {}
    rows = sql.execute(
        "SELECT kind, input_id, created_at, json_extract(metrics, '$.success'), json_extract(metrics, '$.failed')"
        " FROM progress WHERE job_id = ? ORDER BY id",
        (job_id,),
    )
    for kind, input_id, at, success, failed in rows:
        both = found.setdefault(kind, {"success": [0] * len(times), "failed": [0] * len(times)})
        bucket = _bucket(times, at)
        before = known.get(input_id, (0, 0))
        known[input_id] = (success or 0, failed or 0)
        both["success"][bucket] += known[input_id][0] - before[0]
        both["failed"][bucket] += known[input_id][1] - before[1]
    return found


def _bucket(times: list[float], at: str) -> int:
    return min(len(times) - 1, bisect.bisect_left(times, _seconds(at)))


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
