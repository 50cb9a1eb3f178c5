"""Sentences for what a configuration model found wrong."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.errors import Problem, RequestError

PREFIX = "parameters.worker.config."

Config = TypeVar("Config", bound=BaseModel)


def check_config(form: type[Config], values: Mapping[str, Any]) -> Config:
    """Return a configuration. Raises RequestError with every problem found."""
    try:
        return form.model_validate(plain(values))
    except ValidationError as error:
        schema = form.model_json_schema()
        raise RequestError([say_problem(detail, schema) for detail in error.errors()]) from None


def plain(value: Any) -> Any:
    """Return a value with Python's own numbers in the place of numpy's, which programs have at hand."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") and hasattr(value, "dtype") else value


def say_problem(detail: Mapping[str, Any], schema: Mapping[str, Any]) -> Problem:
    """Turn one validation error into a sentence that names the key, what it takes, and what was given.

    Parameters
    ----------
    detail
        An item of pydantic's `ValidationError.errors()`.
    schema
        The model's JSON Schema: what a key takes is said from it.
    """
    path = [part for part in detail["loc"] if not _is_branch(part)]
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
    value = show_value(detail.get("input"))
    if detail["type"] == "value_error":  # a rule over several keys: the message is ours
        return Problem(
            "invalid_parameter", f"{dotted + ': ' if dotted else ''}{detail['ctx']['error']}.", PREFIX + dotted
        )
    expected = describe(_find(schema, schema, path), schema)
    if not expected:
        return Problem("invalid_parameter", f"{dotted}: {detail['msg']}; got {value}.", PREFIX + dotted)
    if detail["type"] in ("int_type", "int_parsing", "int_from_float") and expected[0].isdigit():
        expected = f"a whole number, {expected}"  # a range alone would not say what is wrong with 64.0 or "64"
    return Problem("invalid_parameter", f"{dotted} must be {expected}; got {value}.", PREFIX + dotted)


def describe(node: Mapping[str, Any] | None, schema: Mapping[str, Any]) -> str:
    """Say in words what a JSON Schema node takes: `2 to 1024`, `one of 'csv', 'jsonl', 'parquet'`."""
    if node is None:
        return ""
    node = _follow(node, schema)
    if "anyOf" in node:
        kinds = [describe(part, schema) for part in node["anyOf"] if part.get("type") != "null"]
        return ", or ".join([*(kind for kind in kinds if kind), "null"])
    if "enum" in node:
        return "one of " + ", ".join(repr(choice) for choice in node["enum"])
    low, high, above = node.get("minimum"), node.get("maximum"), node.get("exclusiveMinimum")
    match node.get("type"):
        case "integer" | "number" as kind:
            noun = "a whole number" if kind == "integer" else "a number"
            if low is not None and high is not None:
                return f"{low} to {high}"
            if low is not None:
                return f"{noun}, at least {low}"
            if above is not None and high is not None:
                return f"{noun} above {above}, at most {high}"
            return f"{noun} above {above}" if above is not None else noun
        case "boolean":
            return "true or false"
        case "string":
            if node.get("maxLength") == 1:
                return "one character"
            return "a text that is not empty" if node.get("minLength") else "a text"
        case "array":
            least = " of at least one item" if node.get("minItems") else ""
            return f"a list{least}, each {describe(node.get('items'), schema)}"
        case "object":
            return "an object"
    return ""


def _find(node: Mapping[str, Any], schema: Mapping[str, Any], path: list[Any]) -> Mapping[str, Any] | None:
    node = _follow(node, schema)
    if not path:
        return node
    for part in node.get("anyOf", ()):
        found = _find(part, schema, path)
        if found is not None:
            return found
    if isinstance(path[0], int):
        return _find(node["items"], schema, path[1:]) if "items" in node else None
    inner = node.get("properties", {}).get(path[0])
    return None if inner is None else _find(inner, schema, path[1:])


def _follow(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def _is_branch(part: Any) -> bool:
    """Tell a key from the name of a union's branch, which pydantic puts into the path."""
    return isinstance(part, str) and ("[" in part or "(" in part)


def show_value(value: Any) -> str:
    """Write a value of the request as JSON, cut to a length that fits a sentence."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
