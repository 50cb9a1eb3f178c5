"""The API page: the description of the API as one page of HTML, made here, so that it needs no internet."""

import json
import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

router = APIRouter(include_in_schema=False)

DEEPEST = 4  # levels of objects in objects that an example shows

_CODE = re.compile(r"`([^`]+)`")
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


@router.get("/docs", response_class=HTMLResponse)
def show_page(request: Request) -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(render(request.app.openapi()))


def render(document: dict[str, Any]) -> str:
    """Return an OpenAPI document as a page of HTML."""
    reader = _Reader(document)
    groups = {tag["name"]: {"told": tag["description"], "calls": []} for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups[operation["tags"][0]]["calls"].append(_call(reader, path, method, operation))
    schemas = {name: reader.fields(schema) for name, schema in document["components"]["schemas"].items()}
    told = {name: schema.get("description", "") for name, schema in document["components"]["schemas"].items()}
    errors = document["components"]["responses"]
    page: str = _ENVIRONMENT.get_template("page.html").render(
        info=document["info"], groups=groups, schemas=schemas, told=told, errors=errors, words=_words
    )
    return page


def _call(reader: "_Reader", path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows of one call."""
    answers = []
    for code, response in operation["responses"].items():
        known = reader.resolve(response)
        answers.append((code, known["description"], [reader.name(one) for one in _schemas(known)]))
    body = operation.get("requestBody", {})
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [{**one, "kind": reader.name(one["schema"])} for one in operation["parameters"]],
        "bodies": [(kind, reader.name(content["schema"])) for kind, content in body.get("content", {}).items()],
        "answers": answers,
        "curl": _curl(reader, path, method, operation),
    }


def _curl(reader: "_Reader", path: str, method: str, operation: dict[str, Any]) -> str:
    """Return a command that makes the call."""
    words = ["curl -sS"]
    words += [] if method == "get" else ["-I"] if method == "head" else [f"-X {method.upper()}"]
    words += ['-H "Authorization: Bearer $ENGINE_KEY"'] if operation.get("security") != [] else []
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        example = json.dumps(reader.example(content["application/json"]["schema"])).replace("'", "'\\''")
        words.append(f"-d '{example}'")
    elif "multipart/form-data" in content:
        words.append("-F file=@line7.csv")
    elif content:
        words.append("--data-binary @part")
    query = "&".join(
        f"{one['name']}=..." for one in operation["parameters"] if one["in"] == "query" and one["required"]
    )
    return " ".join([*words, f'"$ENGINE_URL{path}{"?" if query else ""}{query}"'])


def _schemas(response: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["schema"] for one in response.get("content", {}).values()]


def _words(text: str) -> Markup:
    """Return a text with what is between backticks as code."""
    pieces = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    )


class _Reader:
    """Reads schemas: by reference, in words, as examples."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference leads to."""
        if "$ref" not in value:
            return value
        found = self._document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return found

    def name(self, schema: dict[str, Any]) -> Markup:
        """Return what a value is in a few words, with links to the shapes of objects."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return Markup('<a href="#{0}">{0}</a>').format(name)
        if "anyOf" in schema:
            return Markup(" or ").join(self.name(one) for one in schema["anyOf"])
        if "const" in schema or "enum" in schema:
            words = [schema["const"]] if "const" in schema else schema["enum"]
            return Markup(" or ").join(Markup("<code>{}</code>").format(json.dumps(one)) for one in words)
        if schema.get("type") == "array":
            return Markup("array of ") + self.name(schema.get("items", {}))
        if schema.get("type") == "object":
            inner = schema.get("additionalProperties")
            return Markup("object of ") + self.name(inner) if isinstance(inner, dict) and inner else Markup("object")
        return Markup("{}{}").format(schema.get("format", schema.get("type", "anything")), _bounds(schema))

    def fields(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the fields of an object."""
        needed = schema.get("required", [])
        return [
            {
                "name": name,
                "kind": self.name(one),
                "told": one.get("description", ""),
                "usual": json.dumps(one["default"]) if "default" in one else "",
                "needed": name in needed,
            }
            for name, one in schema.get("properties", {}).items()
        ]

    def example(self, schema: dict[str, Any], depth: int = 0) -> Any:
        """Return a value that fits a schema: its own example, or one of what it requires."""
        schema = self.resolve(schema)
        if schema.get("examples"):
            return schema["examples"][0]
        if "anyOf" in schema:
            return self.example(schema["anyOf"][0], depth)
        if schema.get("type") == "object" and depth < DEEPEST:
            needed = schema.get("required", [])
            return {
                key: self.example(one, depth + 1) for key, one in schema.get("properties", {}).items() if key in needed
            }
        if schema.get("type") == "array":
            return [self.example(schema["items"], depth + 1)]
        return {"integer": schema.get("minimum", 1), "string": "...", "boolean": True}.get(schema.get("type", ""))


def _bounds(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return ""
    return f", at least {low:,}" if high is None else f", at most {high:,}" if low is None else f", {low:,} to {high:,}"
