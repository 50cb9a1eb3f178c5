"""Rows of the job service as the objects of the wire."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from engine.jobs.files import StoredFile
from engine.jobs.ids import derived_id
from engine.jobs.records import Event, Input, Job, Output, ProgressEntry
from engine.pipelines.registry import PIPELINES, Pipeline
from engine.server.links import Links

SINCE = "2026-01-01T00:00:00.000000Z"  # of the registry: it ships with the engine


def job_object(job: Job, place: tuple[int, int] | None, *, written: bool = False) -> dict[str, Any]:
    """Return a job; `written` as the answer of a call that changed it, else as one that reads."""
    shown: dict[str, Any] = {
        name: getattr(job, name)
        for name in (
            "id",
            "org_id",
            "name",
            "pipeline_type",
            "pipeline_key",
            "pipeline_version",
            "status",
            "parameters",
        )
    }
    shown |= {"retry_count": job.retry_count, "preemption_count": job.preemption_count}
    if place is not None or not written:
        shown["queue_position"], shown["queue_depth"] = place or (None, None)
    if not written:
        shown["input_progress"] = counts_object(job)
    for name in ("created_at", "updated_at", "started_at", "completed_at", "failed_at", "cancelled_at", "error"):
        shown[name] = getattr(job, name)
    records = {
        name: getattr(job, f"records_{name}") for name in ("total", "succeeded", "failed", "truncated", "invalid")
    }
    return shown | {"engine": job.engine | {"records": records}}


def counts_object(job: Job) -> dict[str, int]:
    """Return how many tracked inputs of a job there are of each status."""
    return {name: getattr(job, name) for name in ("pending", "processing", "completed", "failed")}


def event_object(event: Event) -> dict[str, Any]:
    """Return an event."""
    return {name: getattr(event, name) for name in Event.__slots__}


def entry_object(entry: ProgressEntry) -> dict[str, Any]:
    """Return an entry of progress."""
    names = ("id", "kind", "step", "message", "metrics", "payload", "input_id")
    return {name: getattr(entry, name) for name in names} | {"index": entry.worker, "created_at": entry.created_at}


def input_object(one: Input, links: Links) -> dict[str, Any]:
    """Return an input."""
    suffix = PurePath(one.file_name).suffix
    data = {
        "ref": None if one.file_uid is None else links.to(one.file_uid).url,
        "filename": one.file_name,
        "file_type": one.file_type,
        "file_extension": suffix,
        "num_bytes": one.num_bytes,
        "metadata": one.metadata,
        "file_tags": None,
        "file_attributes": None,
    }
    return {
        "id": one.id,
        "job_id": one.job_id,
        "port_name": one.port_name,
        "file_id": one.file_name,
        "data": data,
        "status": one.status,
        "error_message": one.error_message,
        "created_at": one.created_at,
        "completed_at": one.completed_at,
        "engine": {"records": one.records},
    }


def output_object(one: Output, names: Mapping[str, str], links: Links, lifetime_s: int) -> dict[str, Any]:
    """Return an output; `names` are the file names of inputs by id."""
    link = links.to(one.id, lifetime_s=lifetime_s)
    data = {
        "ref": link.url,
        "filename": one.filename,
        "file_type": one.file_type,
        "file_extension": PurePath(one.filename).suffix,
        "num_bytes": one.num_bytes,
        "metadata": {},
        "file_tags": None,
        "file_attributes": None,
    }
    return {
        "id": one.id,
        "job_id": one.job_id,
        "port_name": one.port_name,
        "input_id": one.input_id,
        "input_file_id": names.get(one.input_id),
        "data": data,
        "expires_at": link.expires_at,
        "created_at": one.created_at,
        "engine": {"rows": one.rows, "first_row": one.first_row, "last_row": one.last_row, "sha256": one.sha256},
    }


def file_object(file: StoredFile) -> dict[str, Any]:
    """Return the record of a file."""
    return {
        "file_id": file.name,
        "file_uid": file.uid,
        "is_valid": True,
        "file_type": file.file_type,
        "num_bytes": file.num_bytes,
        "file_status": file.status,
        "file_attributes": file.attributes,
        "ingested": False,
        "file_index": None,
        "file_tags": None,
    }


def pipeline_id(pipeline: Pipeline) -> str:
    """Return the id of a pipeline's version, the same at every start."""
    return derived_id("ppl", pipeline.key, pipeline.version)


def find_pipeline(key_or_id: str) -> Pipeline | None:
    """Return a pipeline by its key or id."""
    return next((one for one in PIPELINES.values() if key_or_id in (one.key, pipeline_id(one))), None)


def pipeline_object(pipeline: Pipeline, org_id: str, models: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return a pipeline; `models` are the names that each configuration key of a model may have."""
    schema = {"worker": config_schema(pipeline, models)}
    return {
        "id": pipeline_id(pipeline),
        "pipeline_key": pipeline.key,
        "pipeline_version": pipeline.version,
        "name": pipeline.name,
        "description": pipeline.description,
        "pipeline_type": pipeline.pipeline_type,
        "components": {"worker": derived_id("cmp", pipeline.key, pipeline.version, "worker")},
        "default_config": pipeline.default_config(),
        "config_schema": schema,
        "user_config_schema": schema,
        "edges": [],
        "inputs": _inputs(pipeline),
        "outputs": _outputs(pipeline),
        "retry_policy": {"max_preemptions": 5},
        "visibility": "platform",
        "org_id": org_id,
        "status": "published",
        "created_at": SINCE,
        "updated_at": SINCE,
    }


def schema_object(pipeline: Pipeline, models: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the schemas of a pipeline."""
    schema = {"worker": config_schema(pipeline, models)}
    return {
        "id": pipeline_id(pipeline),
        "pipeline_key": pipeline.key,
        "pipeline_version": pipeline.version,
        "user_schema": schema,
        "config_schema": schema,
        "inputs": _inputs(pipeline),
        "outputs": _outputs(pipeline),
    }


def config_schema(pipeline: Pipeline, models: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the JSON Schema of a pipeline's configuration, with the names of the models that there are."""
    schema = pipeline.schema()
    for key, names in models.items():
        if key in schema["properties"]:
            schema["properties"][key] = schema["properties"][key] | {"enum": list(names)}
    return schema


def _inputs(pipeline: Pipeline) -> dict[str, Any]:
    return {
        port.name: {
            "name": port.name,
            "description": port.description,
            "mode": port.mode,
            "distribute": "scatter" if port.tracked else "replicate",
            "required": port.required,
            "tracked": port.tracked,
        }
        for port in pipeline.inputs
    }


def _outputs(pipeline: Pipeline) -> dict[str, Any]:
    return {port.name: {"name": port.name, "description": port.description} for port in pipeline.outputs}
