"""Routes of jobs: create, list, read, cancel, retry, delete, queue; their inputs, progress, outputs and evaluation."""

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from engine.errors import Problem, RequestError
from engine.server import bodies, parameters, shapes, wire
from engine.server.asking import Query, check_text, read_body, read_object
from engine.server.description import told
from engine.server.house import house_of
from engine.server.parameters import PAGE, JobPath

router = APIRouter(prefix="/v0.5/batch/jobs", tags=["jobs"])

FEWEST_BUCKETS, MOST_BUCKETS = 10, 1000


@router.post(
    "",
    status_code=201,
    openapi_extra=told(
        shapes.NewJob,
        status=201,
        also={200: shapes.CheckedJob | shapes.NewJob},
        query=(parameters.DRY_RUN,),
        headers={"Idempotency-Key": "The same key with the same body within a day gives the first job, with 200."},
        body=bodies.CreateJob,
        errors=(409, 413, 503),
    ),
)
async def create_job(request: Request) -> Response:
    """Create a job. Everything is checked first; with `dry_run=true` that is all. An idempotency key makes repeating safe."""
    house, query = house_of(request), Query(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    dry_run = query.flag(parameters.DRY_RUN)
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
    return JSONResponse(wire.job_object(made.job, made.place, written=True), 200 if made.repeated else 201)


@router.get(
    "",
    openapi_extra=told(
        shapes.JobPage,
        query=(parameters.PIPELINE_TYPE, parameters.PIPELINE_KEY, parameters.STATUS, parameters.Q, *PAGE),
    ),
)
def list_jobs(request: Request) -> dict[str, Any]:
    """List jobs, newest first."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    offset, limit = query.page()
    query.check()
    with house.board.one_moment():
        page = house.board.list(
            org_id,
            pipeline_type=query.text(parameters.PIPELINE_TYPE),
            pipeline_key=query.text(parameters.PIPELINE_KEY),
            statuses=query.texts(parameters.STATUS),
            q=query.text(parameters.Q),
            offset=offset,
            limit=limit,
        )
        places = house.board.queue_places(page.items)
    jobs = [wire.job_object(job, places.get(job.id)) for job in page.items]
    return {"total": page.total, "offset": offset, "limit": limit, "jobs": jobs}


@router.get("/queue", openapi_extra=told(shapes.Queues))
def read_queue(request: Request) -> dict[str, Any]:
    """Tell how many jobs wait."""
    house = house_of(request)
    house.doorman.organisation(request)
    return {"queues": [{"pipeline_type": kind, "depth": depth} for kind, depth in house.board.queue().items()]}


@router.get("/{job_id}", openapi_extra=told(shapes.Job, errors=(404,)))
def read_job(request: Request, job_id: JobPath) -> dict[str, Any]:
    """Return a job."""
    house = house_of(request)
    org_id = house.doorman.organisation(request)
    with house.board.one_moment():  # a job that waits has a place
        job = house.board.get(org_id, job_id)
        return wire.job_object(job, house.board.queue_place(job))


@router.post("/{job_id}/cancel", openapi_extra=told(shapes.CancelledJob, errors=(404, 409, 503)))
def cancel_job(request: Request, job_id: JobPath) -> dict[str, Any]:
    """Cancel a job that is not final."""
    house = house_of(request)
    job = house.board.cancel(house.doorman.organisation(request), job_id)
    return {"id": job.id, "status": job.status, "cancelled_at": job.cancelled_at}


@router.post(
    "/{job_id}/retry",
    openapi_extra=told(shapes.RetriedJob, body=bodies.RetryJob, needed=False, errors=(404, 409, 413, 503)),
)
async def retry_job(request: Request, job_id: JobPath) -> dict[str, Any]:
    """Run a failed or cancelled job again. It goes on from where it ended, or with `{"restart": true}` from nothing."""
    house = house_of(request)
    org_id = await run_in_threadpool(house.doorman.organisation, request)
    restart = (await read_object(request)).get("restart", False)
    if not isinstance(restart, bool):
        raise RequestError([Problem("invalid_parameter", "restart must be true or false.", "restart")])
    job = await run_in_threadpool(house.board.retry, org_id, job_id, restart=restart)
    return {"id": job.id, "status": "PENDING", "retry_count": job.retry_count}


@router.delete("/{job_id}", openapi_extra=told(shapes.DeletedJob, errors=(404, 409)))
def delete_job(request: Request, job_id: JobPath) -> dict[str, Any]:
    """Delete a final job with its outputs, events and progress. Files stay."""
    house = house_of(request)
    house.board.delete(house.doorman.organisation(request), job_id)
    return {"id": job_id, "deleted": True}


@router.get(
    "/{job_id}/progress",
    openapi_extra=told(shapes.ProgressPage, query=(parameters.KIND, parameters.INPUT_ID, *PAGE), errors=(404,)),
)
def read_progress(request: Request, job_id: JobPath) -> dict[str, Any]:
    """List the entries of a job's progress, oldest first."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    offset, limit = query.page()
    query.check()
    page = house.board.progress(
        org_id,
        job_id,
        kind=query.text(parameters.KIND),
        input_id=query.text(parameters.INPUT_ID),
        offset=offset,
        limit=limit,
    )
    entries = [wire.entry_object(entry) for entry in page.items]
    return {"job_id": job_id, "total": page.total, "offset": offset, "limit": limit, "entries": entries}


@router.get(
    "/{job_id}/inputs",
    openapi_extra=told(shapes.InputPage, query=(parameters.PORT_NAME, parameters.INPUT_STATUS, *PAGE), errors=(404,)),
)
def list_inputs(request: Request, job_id: JobPath) -> dict[str, Any]:
    """List a job's inputs in request order."""
    house, query = house_of(request), Query(request)
    org_id, links = house.doorman.organisation(request), house.links(request)
    offset, limit = query.page()
    query.check()
    page = house.board.inputs(
        org_id,
        job_id,
        port_name=query.text(parameters.PORT_NAME),
        status=query.texts(parameters.INPUT_STATUS),
        offset=offset,
        limit=limit,
    )
    inputs = [wire.input_object(one, links) for one in page.items]
    return {"job_id": job_id, "total": page.total, "offset": offset, "limit": limit, "inputs": inputs}


@router.get(
    "/{job_id}/inputs/progress",
    openapi_extra=told(
        shapes.InputProgressPage,
        query=(parameters.PORT_NAME, parameters.INPUT_STATUS, parameters.NEWEST, *PAGE),
        errors=(404,),
    ),
)
def list_input_progress(request: Request, job_id: JobPath) -> dict[str, Any]:
    """List how far the inputs are, the last changed first. Examples and other inputs that are only read are not among them."""
    house, query = house_of(request), Query(request)
    org_id, links = house.doorman.organisation(request), house.links(request)
    offset, limit = query.page()
    order = query.choice(parameters.NEWEST)
    query.check()
    page = house.board.input_progress(
        org_id,
        job_id,
        port_name=query.text(parameters.PORT_NAME),
        status=query.texts(parameters.INPUT_STATUS),
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


@router.get(
    "/{job_id}/inputs/progress/counts",
    openapi_extra=told(shapes.JobCounts, query=(parameters.PORT_NAME,), errors=(404,)),
)
def count_inputs(request: Request, job_id: JobPath) -> dict[str, Any]:
    """Count the inputs by status. Examples and other inputs that are only read are not counted."""
    house, query = house_of(request), Query(request)
    counts = house.board.counts(house.doorman.organisation(request), job_id, query.text(parameters.PORT_NAME))
    return {"job_id": job_id, **counts}


@router.get(
    "/{job_id}/inputs/progress/traces",
    openapi_extra=told(
        shapes.Traces,
        also={304: None},
        query=(parameters.BUCKETS,),
        headers={"If-None-Match": "The ETag of an earlier answer: 304 where nothing has happened since."},
        errors=(404,),
        etag=True,
    ),
)
def trace_inputs(request: Request, job_id: JobPath) -> Response:
    """Count what was finished over time. The counts are cumulative, the last point is the end or now."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    buckets = query.number(parameters.BUCKETS)
    query.check()
    job = house.board.get(org_id, job_id)
    events = house.board.events(org_id, job_id, limit=1).total
    tag = re.sub(r"\W", "", f"{job.updated_at}{job.journal_bytes}{job.status}{events}x{buckets}")
    known = [one.strip().removeprefix("W/").strip('"') for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers={"ETag": f'"{tag}"'})
    points = house.board.traces(org_id, job_id, min(MOST_BUCKETS, max(FEWEST_BUCKETS, buckets)))
    return JSONResponse(points, headers={"ETag": f'"{tag}"'})


@router.get(
    "/{job_id}/outputs",
    openapi_extra=told(
        shapes.OutputPage,
        query=(parameters.PORT_NAME, parameters.INPUT_ID, parameters.OLDEST, parameters.EXPIRES_IN, *PAGE),
        errors=(404,),
    ),
)
def list_outputs(request: Request, job_id: JobPath) -> dict[str, Any]:
    """List a job's outputs, in the order of their commits. Each has a link that needs no key. A running job lists what it has."""
    house, query = house_of(request), Query(request)
    org_id, links = house.doorman.organisation(request), house.links(request)
    offset, limit = query.page()
    order = query.choice(parameters.OLDEST)
    lifetime_s = query.number(parameters.EXPIRES_IN)
    query.check()
    page = house.board.outputs(
        org_id,
        job_id,
        port_name=query.text(parameters.PORT_NAME),
        input_id=query.text(parameters.INPUT_ID),
        offset=offset,
        limit=limit,
        order="desc" if order == "desc" else "asc",
    )
    names = house.board.input_names(job_id, (one.input_id for one in page.items))
    outputs = [wire.output_object(one, names, links, lifetime_s) for one in page.items]
    return {"job_id": job_id, "total": page.total, "offset": offset, "limit": limit, "outputs": outputs}


@router.get("/{job_id}/checkpoints", openapi_extra=told(shapes.CheckpointPage, query=PAGE, errors=(404,)))
def list_checkpoints(request: Request, job_id: JobPath) -> dict[str, Any]:
    """List the checkpoints of a training job. Inference has none."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    offset, limit = query.page()
    query.check()
    house.board.get(org_id, job_id)
    return {"job_id": job_id, "total": 0, "offset": offset, "limit": limit, "checkpoints": []}


@router.get("/{job_id}/evaluation", openapi_extra=told(shapes.Evaluation, errors=(404,)))
def read_evaluation(request: Request, job_id: JobPath) -> dict[str, Any]:
    """Tell how good the predictions are. The request must name the column of the truth."""
    house = house_of(request)
    return house.board.evaluation(house.doorman.organisation(request), job_id)
