"""Rows of jobs, inputs and events: how they are written, from what a job's folder says."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, TypeAlias

from engine.jobs.follow import NOTHING
from engine.jobs.states import State
from engine.jobs.stored import StoredInput, StoredJob
from engine.output.events import Event

Sql: TypeAlias = sqlite3.Connection | sqlite3.Cursor

_OF_JOB = ("inputs", "outputs", "progress", "events", "idempotency")
_ADD_EVENT = (
    "INSERT OR IGNORE INTO events (job_id, id, event_type, level, message, payload, input_id, worker, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_INPUT = (
    "INSERT INTO inputs (id, job_id, seq, port_name, place, tracked, kind, file_uid, file_name, file_type, num_bytes, sha256,"
    " metadata, status, error_code, error_message, records, created_at, changed_at, completed_at, step)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?, ?, NULL, NULL)"
)


def insert_job(sql: Sql, stored: StoredJob, state: State) -> None:
    """Insert a job and its inputs, none of which has been processed, and the key that its request is known by."""
    tracked = sum(one.tracked for one in stored.inputs)
    values: dict[str, Any] = {
        "id": stored.id,
        "org_id": stored.org_id,
        "name": stored.name,
        "pipeline_type": stored.pipeline_type,
        "pipeline_key": stored.pipeline_key,
        "pipeline_version": stored.pipeline_version,
        "parameters": json.dumps(stored.parameters),
        "engine": json.dumps(stored.engine),
        "parallelism": stored.parallelism,
        "created_at": stored.created_at,
        "pending": tracked,
        **dict.fromkeys(("processing", "completed", "failed", "journal_bytes", "journal_lines"), 0),
        **{f"records_{name}": 0 for name in NOTHING},
        **_state_values(state),
    }
    marks = ", ".join("?" * len(values))
    sql.execute(f"INSERT INTO jobs ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))  # noqa: S608 - names of ours
    sql.executemany(_ADD_INPUT, (_input_values(stored, seq, one) for seq, one in enumerate(stored.inputs)))
    if stored.idempotency_key is not None:
        values = {
            "org_id": stored.org_id,
            "key": stored.idempotency_key,
            "job_id": stored.id,
            "body_sha256": stored.body_sha256,
            "created_at": stored.created_at,
        }
        sql.execute(
            "INSERT OR IGNORE INTO idempotency VALUES (:org_id, :key, :job_id, :body_sha256, :created_at)", values
        )


def update_state(sql: Sql, job_id: str, state: State) -> None:
    """Make a state that of a job's row."""
    values = _state_values(state)
    changes = ", ".join(f"{name} = ?" for name in values)
    sql.execute(f"UPDATE jobs SET {changes} WHERE id = ?", (*values.values(), job_id))  # noqa: S608 - names of ours


def settle(sql: Sql, job_id: str, now: str) -> None:
    """Make inputs that were being processed pending again: nobody works on them."""
    count = sql.execute(
        "UPDATE inputs SET status = 'pending', changed_at = ? WHERE job_id = ? AND status = 'processing'", (now, job_id)
    ).rowcount
    if count:
        sql.execute(
            "UPDATE jobs SET pending = pending + ?, processing = processing - ?, updated_at = ? WHERE id = ?",
            (count, count, now, job_id),
        )


def begin_input(sql: Sql, job_id: str, input_id: str, now: str) -> bool:
    """Make a pending input one that is being processed; tell whether it was pending."""
    count = sql.execute(
        "UPDATE inputs SET status = 'processing', changed_at = ? WHERE job_id = ? AND id = ? AND status = 'pending'",
        (now, job_id, input_id),
    ).rowcount
    if count:
        sql.execute(
            "UPDATE jobs SET pending = pending - 1, processing = processing + 1, updated_at = ? WHERE id = ?",
            (now, job_id),
        )
    return bool(count)


def tracked_input(sql: Sql, job_id: str, place: int) -> Any:
    """Return the row of the tracked input at a place, None where there is none."""
    return sql.execute(
        "SELECT * FROM inputs WHERE job_id = ? AND tracked = 1 AND seq ="
        " (SELECT seq FROM inputs WHERE job_id = ? AND tracked = 1 ORDER BY seq LIMIT 1) + ?",
        (job_id, job_id, place),
    ).fetchone()


def insert_events(sql: Sql, job_id: str, events: Iterable[Event]) -> None:
    """Insert events; those that are there already stay as they are."""
    sql.executemany(_ADD_EVENT, (_event_values(job_id, event) for event in events))


def delete_job(sql: Sql, job_id: str) -> None:
    """Delete everything of a job."""
    for table in _OF_JOB:
        sql.execute(f"DELETE FROM {table} WHERE job_id = ?", (job_id,))  # noqa: S608 - names of ours
    sql.execute("DELETE FROM jobs WHERE id = ?", (job_id,))


def _state_values(state: State) -> dict[str, Any]:
    return {
        "status": state.status,
        "updated_at": state.updated_at,
        "queued_at": state.queued_at,
        "retry_count": state.retry_count,
        "preemption_count": state.preemption_count,
        "idle_preemptions": state.idle_preemptions,
        "started_at": state.started_at,
        "completed_at": state.completed_at,
        "failed_at": state.failed_at,
        "cancelled_at": state.cancelled_at,
        "error": None if state.error is None else json.dumps(state.error),
    }


def _input_values(stored: StoredJob, seq: int, one: StoredInput) -> tuple[Any, ...]:
    return (
        one.id,
        stored.id,
        seq,
        one.port,
        one.place,
        int(one.tracked),
        one.kind,
        one.file_uid,
        one.file_name,
        one.file_type,
        one.num_bytes,
        one.sha256,
        json.dumps(one.metadata),
        "pending" if one.tracked else "reference",
        json.dumps(NOTHING) if one.tracked else None,
        stored.created_at,
        stored.created_at,
    )


def _event_values(job_id: str, event: Event) -> tuple[Any, ...]:
    payload = json.dumps(event.payload)
    return (
        job_id,
        event.id,
        event.event_type,
        event.level,
        event.message,
        payload,
        event.input_id,
        event.index,
        event.created_at,
    )
