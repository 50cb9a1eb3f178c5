"""Routes of jobs: create, list, read, cancel, retry, delete, queue; their inputs, progress, outputs and evaluation."""

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from engine.errors import Problem, RequestError
from engine.server import wire
from engine.server.asking import Query, check_text, read_body, read_object
from engine.server.house import house_of
from engine.server.links import LIFETIME_S

router = APIRouter(prefix="/v0.5/batch/jobs", tags=["jobs"])

STATUSES = ("PENDING", "ADMITTED", "RUNNING", "PREEMPTED", "COMPLETED", "FAILED", "CANCELLED")
BUCKETS = (10, 100, 1000)  # fewest, usual, most


@router.post("", status_code=201)
async def create_job(request: Request) -> Response:
    """Create a job; `dry_run=true` checks it only. The header Idempotency-Key makes repeating safe."""
    house, query = house_of(request), Query(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    dry_run = query.flag("dry_run")
    query.check()
    body = await read_body(request)
    check_text(body)
    key = request.headers.get("idempotency-key") or None
    made = await run_in_threadpool(house.board.create, org_id, body, idempotency_key=key, dry_run=dry_run)
    if made.job is None:
        checked = {
            "valid": True,
            "parameters": made.parameters,
            "estimate": made.estimate.to_json(),
            "warnings": made.warnings,
        }
        return JSONResponse(checked)
    place = await run_in_threadpool(house.board.queue_place, made.job)
    return JSONResponse(wire.job_object(made.job, place, written=True), 200 if made.repeated else 201)


@router.get("")
def list_jobs(request: Request) -> dict[str, Any]:
    """List jobs, newest first; filter by pipeline_type, pipeline_key, status (repeatable) and q."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    offset, limit = query.page()
    query.check()
    page = house.board.list(
        org_id,
        pipeline_type=query.text("pipeline_type"),
        pipeline_key=query.text("pipeline_key"),
        statuses=query.texts("status"),
        q=query.text("q"),
        offset=offset,
        limit=limit,
    )
    places = house.board.queue_places(page.items)
    jobs = [wire.job_object(job, places.get(job.id)) for job in page.items]
    return {"total": page.total, "offset": offset, "limit": limit, "jobs": jobs}


@router.get("/queue")
def read_queue(request: Request) -> dict[str, Any]:
    """Tell how many jobs wait."""
    house = house_of(request)
    house.doorman.organisation(request)
    return {"queues": [{"pipeline_type": kind, "depth": depth} for kind, depth in house.board.queue().items()]}


@router.get("/{job_id}")
def read_job(request: Request, job_id: str) -> dict[str, Any]:
    """Return a job."""
    house = house_of(request)
    job = house.board.get(house.doorman.organisation(request), job_id)
    return wire.job_object(job, house.board.queue_place(job))


@router.post("/{job_id}/cancel")
def cancel_job(request: Request, job_id: str) -> dict[str, Any]:
    """Cancel a job that is not final."""
    house = house_of(request)
    job = house.board.cancel(house.doorman.organisation(request), job_id)
    return {"id": job.id, "status": job.status, "cancelled_at": job.cancelled_at}


@router.post("/{job_id}/retry")
async def retry_job(request: Request, job_id: str) -> dict[str, Any]:
    """Run a failed or cancelled job again, from where it ended; `{"restart": true}` from nothing."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    restart = (await read_object(request)).get("restart", False)
    if not isinstance(restart, bool):
        raise RequestError([Problem("invalid_parameter", "restart must be true or false.", "restart")])
    job = await run_in_threadpool(house.board.retry, org_id, job_id, restart=restart)
    return {"id": job.id, "status": "PENDING", "retry_count": job.retry_count}


@router.delete("/{job_id}")
def delete_job(request: Request, job_id: str) -> dict[str, Any]:
    """Delete a final job with its outputs, events and progress."""
    house = house_of(request)
    house.board.delete(house.doorman.organisation(request), job_id)
    return {"id": job_id, "deleted": True}


@router.get("/{job_id}/progress")
def read_progress(request: Request, job_id: str) -> dict[str, Any]:
    """List the entries of a job's progress, oldest first."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    offset, limit = query.page()
    query.check()
    page = house.board.progress(
        org_id, job_id, kind=query.text("kind"), input_id=query.text("input_id"), offset=offset, limit=limit
    )
    entries = [wire.entry_object(entry) for entry in page.items]
    return {"job_id": job_id, "total": page.total, "offset": offset, "limit": limit, "entries": entries}


@router.get("/{job_id}/inputs")
def list_inputs(request: Request, job_id: str) -> dict[str, Any]:
    """List a job's inputs in request order."""
    house, query = house_of(request), Query(request)
    org_id, links = house.doorman.organisation(request), house.links(request)
    offset, limit = query.page()
    query.check()
    page = house.board.inputs(
        org_id, job_id, port_name=query.text("port_name"), status=query.texts("status"), offset=offset, limit=limit
    )
    inputs = [wire.input_object(one, links) for one in page.items]
    return {"job_id": job_id, "total": page.total, "offset": offset, "limit": limit, "inputs": inputs}


@router.get("/{job_id}/inputs/progress")
def list_input_progress(request: Request, job_id: str) -> dict[str, Any]:
    """List the tracked inputs by the time of their last change."""
    house, query = house_of(request), Query(request)
    org_id, links = house.doorman.organisation(request), house.links(request)
    offset, limit = query.page()
    order = query.choice("order", ("desc", "asc"), "desc")
    query.check()
    page = house.board.input_progress(
        org_id,
        job_id,
        port_name=query.text("port_name"),
        status=query.texts("status"),
        order="asc" if order == "asc" else "desc",
        offset=offset,
        limit=limit,
    )
    items = [
        {
            "input": wire.input_object(one, links),
            "latest_progress": None if entry is None else wire.entry_object(entry),
            "step": one.step,
        }
        for one, entry in page.items
    ]
    return {"job_id": job_id, "total": page.total, "offset": offset, "limit": limit, "items": items}


@router.get("/{job_id}/inputs/progress/counts")
def count_inputs(request: Request, job_id: str) -> dict[str, Any]:
    """Count the tracked inputs by status."""
    house, query = house_of(request), Query(request)
    counts = house.board.counts(house.doorman.organisation(request), job_id, query.text("port_name"))
    return {"job_id": job_id, **counts}


@router.get("/{job_id}/inputs/progress/traces")
def trace_inputs(request: Request, job_id: str) -> Response:
    """Return cumulative counts over time."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    fewest, usual, most = BUCKETS
    buckets = query.whole("buckets", -(10**18), None, usual)
    query.check()
    assert buckets is not None
    job = house.board.get(org_id, job_id)
    events = house.board.events(org_id, job_id, limit=1).total
    tag = re.sub(r"\W", "", f"{job.updated_at}{job.journal_bytes}{job.status}{events}x{buckets}")
    known = [one.strip().removeprefix("W/").strip('"') for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers={"ETag": f'"{tag}"'})
    points = house.board.traces(org_id, job_id, min(most, max(fewest, buckets)))
    return JSONResponse(points, headers={"ETag": f'"{tag}"'})


@router.get("/{job_id}/outputs")
def list_outputs(request: Request, job_id: str) -> dict[str, Any]:
    """List a job's outputs in the order of their commits, each with a link that needs no key."""
    house, query = house_of(request), Query(request)
    org_id, links = house.doorman.organisation(request), house.links(request)
    offset, limit = query.page()
    order = query.choice("order", ("asc", "desc"), "asc")
    lifetime_s = query.whole("expires_in", 60, 604_800, LIFETIME_S)
    query.check()
    assert lifetime_s is not None
    page = house.board.outputs(
        org_id,
        job_id,
        port_name=query.text("port_name"),
        input_id=query.text("input_id"),
        offset=offset,
        limit=limit,
        order="desc" if order == "desc" else "asc",
    )
    names = house.board.input_names(job_id, (one.input_id for one in page.items))
    outputs = [wire.output_object(one, names, links, lifetime_s) for one in page.items]
    return {"job_id": job_id, "total": page.total, "offset": offset, "limit": limit, "outputs": outputs}


@router.get("/{job_id}/checkpoints")
def list_checkpoints(request: Request, job_id: str) -> dict[str, Any]:
    """List the checkpoints of a training job: inference has none."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    offset, limit = query.page()
    query.check()
    house.board.get(org_id, job_id)
    return {"job_id": job_id, "total": 0, "offset": offset, "limit": limit, "checkpoints": []}


@router.get("/{job_id}/evaluation")
def read_evaluation(request: Request, job_id: str) -> dict[str, Any]:
    """Return how good the predictions are, where the request says what is true."""
    house = house_of(request)
    return house.board.evaluation(house.doorman.organisation(request), job_id)
