"""The description of the API: what each route tells of itself, made one OpenAPI document.

A route's docstring says what it does, its declared parameters are those that it checks, its shapes are those that the tests hold its
answers against. Errors are described here, once for all routes.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from engine.server import bodies, shapes
from engine.server.parameters import Parameter

TOLD = "x-told"  # where a route's own words wait in the operation that the library makes
KEY = "key"
SCHEMAS = "#/components/schemas/"

TAGS = {
    "jobs": "Create jobs, watch them, and get their results.",
    "events": "What happens to a job, in pages or as a stream.",
    "registry": "Which pipelines there are, and what they take.",
    "files": "Upload, list, read and delete files.",
    "uploads": "Large files in parts, which go on after a break.",
    "links": "Objects behind signed links, which need no key.",
    "health": "Whether the server is well, and how much there is.",
}

ERRORS = {
    400: "Something in the request is wrong; `errors` lists every problem.",
    401: "There is no key, or one that is not known.",
    403: "The link is not valid, or it has expired: list the object again for a new one.",
    404: "There is nothing of this name.",
    405: "This path does not take this method.",
    408: "The request was begun, and then did not come.",
    409: "The state of the object forbids it, or the name is taken.",
    413: "The body is too large.",
    416: "The file does not have these bytes.",
    500: "The server could not do it.",
    503: "There is no room on the server's disk. Try again later.",
}
ABOUT = """
An error has a JSON body on every path, with all problems in `errors` and the first of them on top; a program reads
`errors[0].code`. Wrong requests are 400, never 422. A path that is not here is 404, a wrong method 405.

Ids are a prefix and 26 characters. Times are UTC with six decimals. Lists have `offset` and `limit`, those of files cursors; what
is out of range is refused, never adapted. Repeated slashes count as one, and `/api/...` stands for `/v0.5/...`.
"""


def told(
    answer: Any = None,
    *,
    status: int = 200,
    also: Mapping[int, Any] | None = None,
    query: Sequence[Parameter] = (),
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    form: Any = None,
    needed: bool = True,
    errors: Sequence[int] = (),
    etag: bool = False,
    public: bool = False,
    summary: str = "",
) -> dict[str, Any]:
    """Return what a route tells of itself, as its `openapi_extra`.

    Parameters
    ----------
    answer, also
        What a success is: a shape, some of them, or a media type; `also` for other successes by status.
    query, headers
        What the route reads beside the path; headers by name, with what they are.
    body, form
        The JSON body or a media type, and the multipart form that may stand in its place; `needed`: there must be one.
    errors
        The statuses that are particular to it; others follow from the rest.
    public
        No key is asked for.
    summary
        In place of the first sentence of the docstring, where two routes share one.
    """
    several = {status: answer, **(also or {})}
    usual = {500} | (set() if public else {401}) | ({400} if query or body or form else set())
    operation: dict[str, Any] = {
        "parameters": [
            {"name": one.name, "in": "query", "description": one.told, "required": public, "schema": one.schema()}
            for one in query
        ]
        + [
            {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
            for name, text in (headers or {}).items()
        ],
        "responses": {str(code): _success(code, shape, etag=etag) for code, shape in several.items()}
        | {str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted({*usual, *errors})},
    }
    content = _content(body) | ({"multipart/form-data": {"schema": _ref(form)}} if form else {})
    if content:
        operation["requestBody"] = {"content": content, "required": needed}
    if public:
        operation["security"] = []
    if summary:
        operation["summary"] = summary
    return {TOLD: operation}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application whose routes tell of themselves."""
    document = get_openapi(
        title=app.title, version=app.version, description=f"{app.description}\n{ABOUT}", routes=app.routes
    )
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation)
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    document["security"] = [{KEY: []}]
    document["components"] = {
        "schemas": _schemas(),
        "responses": {str(code): _error(code, text) for code, text in ERRORS.items()},
        "securitySchemes": {
            KEY: {"type": "http", "scheme": "bearer", "description": "A key of this server: `engine keys create`."}
        },
    }
    return document


def methods_of(document: Mapping[str, Any], path: str) -> list[str]:
    """Return the methods that a path takes, whichever of its routes has them."""
    found: set[str] = set()
    for template, methods in document["paths"].items():
        pieces = [re.escape(piece) for piece in re.split(r"\{\w+\}", template)]
        if re.fullmatch("[^/]+".join(pieces), path):
            found |= {method.upper() for method in methods}
    return sorted(found)


def _complete(operation: dict[str, Any]) -> None:
    """Replace what the library guesses by what the route tells."""
    own = operation.pop(TOLD)
    placed = [one for one in operation.pop("parameters", []) if one["in"] == "path"]
    for one in placed:
        one["schema"].pop("title", None)
    summary, _, rest = operation.pop("description", "").partition(". ")
    operation["summary"] = summary.rstrip(".")
    if rest:
        operation["description"] = rest
    operation.pop("responses", None)
    operation |= {**own, "parameters": placed + own["parameters"]}


def _success(code: int, shape: Any, *, etag: bool) -> dict[str, Any]:
    response: dict[str, Any] = {"description": HTTPStatus(code).phrase}
    if shape is not None:
        response["content"] = _content(shape)
        if isinstance(shape, type) and shape.__doc__:
            response["description"] = shape.__doc__
    if etag:
        response["headers"] = {"ETag": {"description": "In double quotes.", "schema": {"type": "string"}}}
    return response


def _error(code: int, text: str) -> dict[str, Any]:
    shape = shapes.NoKey if code == 401 else shapes.Error
    response = {"description": text, "content": _content(shape)}
    if code == 503:
        response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    return response


def _content(shape: Any) -> dict[str, Any]:
    if shape is None:
        return {}
    if isinstance(shape, str):
        text = shape.startswith("text/")
        return {shape: {"schema": {"type": "string"} if text else {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": _ref(shape)}}


def _ref(shape: Any) -> dict[str, Any]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return {"$ref": f"{SCHEMAS}{shape.__name__}"}
    made: dict[str, Any] = TypeAdapter(shape).json_schema(mode="serialization", ref_template=SCHEMAS + "{model}")
    del made["$defs"]
    return made


def _schemas() -> dict[str, Any]:
    """Return the JSON Schemas of all shapes and bodies by name."""
    models: list[tuple[type[BaseModel], Literal["serialization", "validation"]]]
    models = [(getattr(shapes, name), "serialization") for name in shapes.__all__ if name != "Shape"]
    models += [(one, "validation") for one in bodies.Body.__subclasses__()]
    _, made = models_json_schema(models, ref_template=SCHEMAS + "{model}")
    found: dict[str, Any] = _plain(made["$defs"])
    return found


def _plain(value: Any, *, names: bool = True) -> Any:
    """Drop what says nothing: titles that repeat a name, defaults that are null. `names`: the keys are names, not words of the schema."""
    if isinstance(value, list):
        return [_plain(one, names=False) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _plain(one, names=not names and key in ("properties", "$defs"))
        for key, one in value.items()
        if names or not (key == "title" or (key == "default" and one is None))
    }
