"""Routes of the registry: which pipelines there are, and what they take."""

from typing import Any

from fastapi import APIRouter, Request

from engine.jobs.records import NotFound
from engine.pipelines.registry import PIPELINES, Pipeline
from engine.server import parameters, shapes, wire
from engine.server.asking import Query
from engine.server.description import told
from engine.server.house import House, house_of
from engine.server.parameters import PipelinePath

router = APIRouter(prefix="/v0.5/batch/registry/pipelines", tags=["registry"])


@router.get(
    "",
    openapi_extra=told(
        shapes.PipelinePage,
        query=(parameters.PIPELINE_TYPE, parameters.VISIBILITY, parameters.PIPELINE_STATUS, *parameters.PAGE),
    ),
)
def list_pipelines(request: Request) -> dict[str, Any]:
    """List pipelines."""
    house, query = house_of(request), Query(request)
    org_id = house.doorman.organisation(request)
    offset, limit = query.page()
    kind = query.text(parameters.PIPELINE_TYPE)
    visibility = query.choice(parameters.VISIBILITY)
    status = query.choice(parameters.PIPELINE_STATUS)
    query.check()
    shown = visibility == "platform" and status == "published"
    found = [one for one in PIPELINES.values() if shown and kind in (None, one.pipeline_type)]
    pipelines = [wire.pipeline_object(one, org_id, _models(house)) for one in found[offset : offset + limit]]
    return {"total": len(found), "offset": offset, "limit": limit, "pipelines": pipelines}


@router.get("/{pipeline}", openapi_extra=told(shapes.Pipeline, errors=(404,)))
def read_pipeline(request: Request, pipeline: PipelinePath) -> dict[str, Any]:
    """Return a pipeline by its id or key."""
    house = house_of(request)
    org_id = house.doorman.organisation(request)
    return wire.pipeline_object(_find(pipeline), org_id, _models(house))


@router.get("/{pipeline}/schema", openapi_extra=told(shapes.PipelineSchema, errors=(404,)))
def read_schema(request: Request, pipeline: PipelinePath) -> dict[str, Any]:
    """Return the JSON Schemas of a pipeline's configuration."""
    house = house_of(request)
    house.doorman.organisation(request)
    return wire.schema_object(_find(pipeline), _models(house))


def _find(key_or_id: str) -> Pipeline:
    found = wire.find_pipeline(key_or_id)
    if found is None:
        raise NotFound(f"Pipeline {key_or_id[:100]!a} not found.", cure=f"There are: {', '.join(PIPELINES)}.")
    return found


def _models(house: House) -> dict[str, tuple[str, ...]]:
    """Return the names that a key of the configuration may have, so that clients can discover them."""
    catalog = house.board.catalog
    return {"model_type": catalog.names(), "model_variant": catalog.language_names()}
