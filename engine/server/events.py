"""Routes of events: pages for who asks, a stream for who follows."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from engine.jobs.board import Board
from engine.jobs.states import TERMINAL
from engine.server import parameters, shapes, wire
from engine.server.asking import Query
from engine.server.description import told
from engine.server.house import house_of
from engine.server.parameters import JobPath

router = APIRouter(prefix="/v0.5/batch/jobs", tags=["events"])

LOOK_S = 0.25  # between two looks at a job that somebody follows
COMMENT_S = 15.0  # a comment keeps the line open
AT_ONCE = 500


@router.get(
    "/{job_id}/events",
    openapi_extra=told(
        shapes.EventPage,
        query=(
            parameters.LEVEL,
            parameters.EVENT_TYPE,
            parameters.INPUT_ID,
            parameters.NEWEST,
            parameters.AFTER_ID,
            *parameters.PAGE,
        ),
        errors=(404,),
    ),
)
def list_events(request: Request, job_id: JobPath) -> dict[str, Any]:
    """List a job's events, newest first. With `after_id`: those behind one, oldest first."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    offset, limit = query.page()
    order = query.choice(parameters.NEWEST)
    after_id = query.whole(parameters.AFTER_ID)
    query.check()
    page = house.board.events(
        org_id,
        job_id,
        level=query.text(parameters.LEVEL),
        event_type=query.text(parameters.EVENT_TYPE),
        input_id=query.text(parameters.INPUT_ID),
        offset=offset,
        limit=limit,
        order="asc" if order == "asc" else "desc",
        after_id=after_id,
    )
    events = [wire.event_object(event) for event in page.items]
    return {"job_id": job_id, "total": page.total, "offset": offset, "limit": limit, "events": events}


@router.get(
    "/{job_id}/events/stream",
    response_class=StreamingResponse,
    openapi_extra=told(
        "text/event-stream",
        headers={"Last-Event-ID": "The id of the last event that was seen: go on behind it."},
        errors=(404,),
    ),
)
async def stream_events(request: Request, job_id: JobPath) -> Response:
    """Follow a job until it is final, as server-sent events. The names of events are `status`, `event` and `progress`, data is the object."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    await run_in_threadpool(house.board.get, org_id, job_id)
    given = request.headers.get("last-event-id", "")
    last = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
    return StreamingResponse(_follow(house.board, org_id, job_id, last), media_type="text/event-stream")


async def _follow(board: Board, org_id: str, job_id: str, last: int) -> AsyncIterator[str]:
    status, seen, spoken = "", 0, time.monotonic()
    while True:
        job = await run_in_threadpool(board.get, org_id, job_id)  # before the events: what it says, they explain
        events = await run_in_threadpool(board.events, org_id, job_id, after_id=last, limit=AT_ONCE)
        entries = await run_in_threadpool(board.progress, org_id, job_id, offset=seen, limit=AT_ONCE)
        pieces = [_message("event", wire.event_object(event), event.id) for event in events.items]
        pieces += [_message("progress", wire.entry_object(entry)) for entry in entries.items]
        last = events.items[-1].id if events.items else last
        seen += len(entries.items)
        if job.status != status:
            status = job.status
            pieces.append(_message("status", wire.job_object(job, None)))
        more = len(events.items) == AT_ONCE or len(entries.items) == AT_ONCE
        if pieces:
            yield "".join(pieces)
            spoken = time.monotonic()
        elif time.monotonic() - spoken >= COMMENT_S:
            yield ": still here\n\n"
            spoken = time.monotonic()
        if status in TERMINAL and not more:
            return
        if not more:
            await asyncio.sleep(LOOK_S)


def _message(kind: str, data: dict[str, Any], number: int | None = None) -> str:
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {kind}\ndata: {json.dumps(data)}\n\n"
