"""The create-job request: what a client sends, checked in full before any work, every problem at once.

The form is the wire's `POST /batch/jobs`. Known keys are validated by the pipeline's own configuration model; unknown ones are
accepted, kept in the resolved parameters and reported as ignored.
"""

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from engine.errors import Problem, RequestError
from engine.jobs.values import find_endless
from engine.pipelines.registry import PIPELINES, InputPort, Pipeline
from engine.pipelines.request import InputFile, JobRequest
from engine.pipelines.wording import check_config, show_value

TOP_KEYS = ("name", "pipeline_type", "pipeline_key", "pipeline_version", "inputs", "parameters", "idempotency_key")
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LARGEST = 2**53 - 1  # of a whole number that every reader of JSON takes as it is, and the index too
INVALID_STATE = "INVALID_STATE"  # reserved: no class may be called so


def parse_request(body: str | bytes | Mapping[str, Any], *, name: str = "The request") -> JobRequest:
    """Check a create-job request and resolve its parameters.

    Parameters
    ----------
    body
        JSON text, or what it says.
    name
        What messages call a text that is no request: the file it comes from.

    Raises
    ------
    RequestError
        With every problem found.
    """
    document = _read_json(body, name) if isinstance(body, str | bytes) else dict(body)
    endless = find_endless(document)
    problems: list[Problem] = []
    ignored = [key for key in document if key not in TOP_KEYS]
    hints = {key: near for key in ignored if (near := _resembles(key, TOP_KEYS))}
    title = _text(document, "name", problems)
    key = document.get("idempotency_key")
    if key is not None and (not isinstance(key, str) or not _is_text(key)):
        message = f"idempotency_key must be a text; got {show_value(key)}."
        problems.append(Problem("invalid_parameter", message, "idempotency_key"))
    kind = _text(document, "pipeline_type", problems)
    pipeline = _find_pipeline(document, kind, problems)
    if pipeline is None:
        raise RequestError(problems)
    inputs = tuple(_read_inputs(document.get("inputs"), pipeline, problems))
    parallelism, given, stray = _read_parameters(document.get("parameters"), problems)
    ignored += stray
    moved = _move_legacy(given, pipeline.legacy)
    config: BaseModel | None = None
    try:
        config = check_config(pipeline.config, moved)
    except RequestError as error:
        problems += error.problems
    told = tuple(problem.where for problem in problems if problem.where)
    problems += [problem for problem in endless if not problem.where.endswith(told)]
    if problems or config is None:
        raise RequestError(problems)
    for path, near in unknown_keys(config, ""):
        full = f"parameters.worker.config.{path}"
        ignored.append(full)
        if near:
            hints[full] = near
    parameters = {"worker": {"parallelism": parallelism, "config": config.model_dump(mode="json")}}
    return JobRequest(title, pipeline, inputs, config, parallelism, parameters, tuple(ignored), hints)


def _read_json(body: str | bytes, name: str) -> dict[str, Any]:
    if not body.strip():
        raise _not_json(f"{name} is empty.", "It must hold a request: a JSON object.")
    try:
        document = json.loads(body)
    except UnicodeDecodeError as error:
        raise _not_json(f"{name} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        message = f"{name}, line {error.lineno}, column {error.colno}: this is not JSON: {error.msg}."
        raise _not_json(message) from None
    except RecursionError:
        raise _not_json(f"{name} is nested too deeply.") from None
    except ValueError:  # the interpreter's limit on the digits of an integer
        raise _not_json(f"{name} holds a number with thousands of digits.") from None
    if not isinstance(document, dict):
        raise _not_json(f"{name} must hold a JSON object, not {show_value(document)}.")
    return document


def _not_json(message: str, cure: str = "") -> RequestError:
    return RequestError([Problem("INVALID_REQUEST", message, "", cure)])


def _is_text(value: str) -> bool:
    """Tell text from strings that UTF-8 cannot write (lone surrogates), and so no result file either."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(document: Mapping[str, Any], key: str, problems: list[Problem]) -> str:
    value = document.get(key)
    if isinstance(value, str) and value and _is_text(value):
        return value
    if value is None:
        problems.append(Problem("missing_parameter", f"{key} is required.", key))
    else:
        problems.append(
            Problem("invalid_parameter", f"{key} must be a text that is not empty; got {show_value(value)}.", key)
        )
    return ""


def _find_pipeline(document: Mapping[str, Any], kind: str, problems: list[Problem]) -> Pipeline | None:
    key = _text(document, "pipeline_key", problems)
    if not key:
        return None
    pipeline = PIPELINES.get(key)
    known = ", ".join(PIPELINES)
    if pipeline is None:
        message = f"pipeline_key {key!r} not found in registry"
        problems.append(Problem("INVALID_REQUEST", message, "pipeline_key", f"(known: {known})"))
        return None
    if kind and kind != pipeline.pipeline_type:
        message = f"pipeline_type {kind!r} does not fit {key}, which is a {pipeline.pipeline_type} pipeline."
        problems.append(Problem("invalid_parameter", message, "pipeline_type"))
    version = document.get("pipeline_version")
    if version is not None and version != pipeline.version:
        message = f"pipeline_version {show_value(version)} of {key} not found; it has: {pipeline.version}."
        problems.append(Problem("INVALID_REQUEST", message, "pipeline_version"))
    return pipeline


def _read_inputs(inputs: Any, pipeline: Pipeline, problems: list[Problem]) -> Iterator[InputFile]:
    if inputs is None:
        inputs = {}
    if not isinstance(inputs, Mapping):
        problems.append(Problem("invalid_parameter", f"inputs must be an object; got {show_value(inputs)}.", "inputs"))
        return
    ports = {port.name: port for port in pipeline.inputs} | {port.name.split(".")[1]: port for port in pipeline.inputs}
    found: dict[str, list[InputFile]] = {port.name: [] for port in pipeline.inputs}
    for given, entries in inputs.items():
        port = ports.get(given)
        if port is None:
            names = ", ".join(port.name for port in pipeline.inputs)
            message = f"{pipeline.key} has no input port {given!r}; it has: {names}."
            problems.append(Problem("INVALID_REQUEST", message, f"inputs.{given}"))
            continue
        for entry in entries if isinstance(entries, list) else [entries]:
            file = _read_input(entry, port, len(found[port.name]), problems)
            if file is not None:
                found[port.name].append(file)
    replaced = bool(found.get("worker.fine_tune_checkpoint"))
    for port in pipeline.inputs:
        empty = not found[port.name] and not any(problem.where.startswith(port.name) for problem in problems)
        if port.required and empty and not (port.mode == "n_shot_file_list" and replaced):
            message = f"Input port {port.name} is required and has no files."
            problems.append(Problem("missing_parameter", message, port.name))
        yield from found[port.name]


def _read_input(entry: Any, port: InputPort, place: int, problems: list[Problem]) -> InputFile | None:
    where = f"{port.name}[{place}]"
    if not isinstance(entry, Mapping):
        problems.append(Problem("invalid_parameter", f"{where} must be an object; got {show_value(entry)}.", where))
        return None
    kind = entry.get("kind", "file")
    wanted = "checkpoint" if port.mode == "checkpoint" else "file"
    if kind != wanted:
        problems.append(
            Problem("invalid_parameter", f"{where}.kind must be {wanted!r}; got {show_value(kind)}.", where)
        )
        return None
    key = "checkpoint_id" if kind == "checkpoint" else "file_id"
    file_id = entry.get(key)
    if not isinstance(file_id, str) or not file_id:
        what = "is required." if file_id is None else f"must be a text that is not empty; got {show_value(file_id)}."
        code = "missing_parameter" if file_id is None else "invalid_parameter"
        problems.append(Problem(code, f"{where}.{key} {what}", where))
        return None
    metadata = entry.get("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        problems.append(
            Problem("invalid_parameter", f"{where}.metadata must be an object; got {show_value(metadata)}.", where)
        )
        return None
    facts = dict(metadata or {})
    if port.mode == "n_shot_file_list":
        label = facts.get("class")
        if isinstance(label, int | float) and not isinstance(label, bool):
            label = str(label)
        if label is None or label == "":
            message = f"{where} ({file_id}) needs metadata.class."
            problems.append(Problem("missing_parameter", message, where))
        elif not isinstance(label, str):
            message = f"{where}.metadata.class must be a text; got {show_value(label)}."
            problems.append(Problem("invalid_parameter", message, where))
        elif not _is_text(label):
            message = f"{where}.metadata.class must be a text of Unicode characters; got {label!a}."
            problems.append(Problem("invalid_parameter", message, where))
        elif label == INVALID_STATE:
            message = f"{where} ({file_id}): the class {INVALID_STATE} is reserved."
            problems.append(Problem("invalid_parameter", message, where, "Give the class another name."))
        facts["class"] = label
    return InputFile(_input_id(port.name, place, file_id), port.name, place, file_id, facts)


def _read_parameters(parameters: Any, problems: list[Problem]) -> tuple[int, dict[str, Any], list[str]]:
    """Return parallelism, the worker's config as given, and the paths of keys that mean nothing here."""
    stray: list[str] = []
    if parameters is None:
        return 1, {}, stray
    if not isinstance(parameters, Mapping):
        problems.append(
            Problem("invalid_parameter", f"parameters must be an object; got {show_value(parameters)}.", "parameters")
        )
        return 1, {}, stray
    stray += [f"parameters.{key}" for key in parameters if key != "worker"]
    worker = parameters.get("worker")
    if worker is None:
        return 1, {}, stray
    if not isinstance(worker, Mapping):
        problems.append(
            Problem(
                "invalid_parameter",
                f"parameters.worker must be an object; got {show_value(worker)}.",
                "parameters.worker",
            )
        )
        return 1, {}, stray
    stray += [f"parameters.worker.{key}" for key in worker if key not in ("parallelism", "config")]
    parallelism = worker.get("parallelism", 1)
    if isinstance(parallelism, bool) or not isinstance(parallelism, int) or not 1 <= parallelism <= LARGEST:
        bounds = f"1 to {LARGEST}" if isinstance(parallelism, int) and parallelism > LARGEST else "at least 1"
        message = f"parameters.worker.parallelism must be a whole number, {bounds}; got {show_value(parallelism)}."
        problems.append(Problem("invalid_parameter", message, "parameters.worker.parallelism"))
        parallelism = 1
    config = worker.get("config")
    if config is not None and not isinstance(config, Mapping):
        message = f"parameters.worker.config must be an object; got {show_value(config)}."
        problems.append(Problem("invalid_parameter", message, "parameters.worker.config"))
        config = None
    return parallelism, dict(config or {}), stray


def _move_legacy(config: dict[str, Any], legacy: dict[str, str]) -> dict[str, Any]:
    """Move keys from their former places, unless the present place is given too."""
    moved: dict[str, Any] = dict(config)
    for former, present in legacy.items():
        if former not in moved:
            continue
        value = moved.pop(former)
        section, key = present.split(".")
        held = moved.get(section, {})
        if isinstance(held, Mapping):
            moved[section] = {key: value, **held}
    return moved


def unknown_keys(model: BaseModel, prefix: str) -> Iterator[tuple[str, str | None]]:
    """Yield the dotted path of each key that the model does not know, with the known key it resembles."""
    known = list(type(model).model_fields)
    for key in model.model_extra or {}:
        near = _resembles(key, known)
        yield f"{prefix}{key}", near and f"{prefix}{near}"
    for key in known:
        value = getattr(model, key)
        if isinstance(value, BaseModel):
            yield from unknown_keys(value, f"{prefix}{key}.")


def _resembles(key: str, known: Any) -> str | None:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.75)
    return close[0] if close else None


def _input_id(port: str, place: int, file_id: str) -> str:
    named = f"{port}\0{place}\0{file_id}".encode(errors="surrogatepass")  # file names need not be Unicode
    number = int.from_bytes(hashlib.sha256(named).digest()[:17], "big") >> 6
    letters = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        letters.append(ALPHABET[digit])
    return "inp_" + "".join(reversed(letters))
