"""From the body of a create request to a job that can be kept: everything is checked, files are bound, what chance decides is drawn."""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from engine.errors import InputError, Problem, RequestError
from engine.jobs import ids
from engine.jobs.estimate import LONG_S, Estimate, estimate_answers, estimate_windows, shorter_step
from engine.jobs.request import parse_request
from engine.jobs.stored import StoredInput, StoredJob, bind
from engine.models.catalog import Catalog
from engine.pipelines.activity_detection.config import ActivityConfig
from engine.pipelines.activity_detection.plan import ActivityPlan, make_activity_plan
from engine.pipelines.machine_state.plan import Plan, make_plan
from engine.pipelines.request import JobRequest, Resolve
from engine.stream.scan import Table
from engine.stream.windows import count_windows

SEED_BITS = 53  # of a seed that is drawn: every reader of JSON has integers of this size
USABLE = "FILE_STATUS_REGISTERED"


class File(Protocol):
    """What a job needs to know of an uploaded file."""

    @property
    def uid(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def file_type(self) -> str: ...
    @property
    def num_bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def status(self) -> str: ...


Find = Callable[[str], tuple[File, Path]]
"""Returns an organisation's file and where its bytes are, by name or uid. Raises LookupError."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A job that was checked and is not there yet. `warnings` are `{code, message}`."""

    job: StoredJob
    estimate: Estimate
    warnings: list[dict[str, str]]
    hints: dict[str, str]


def propose(
    org_id: str,
    body: bytes,
    find: Find,
    catalog: Catalog,
    *,
    idempotency_key: str | None = None,
    body_sha256: str | None = None,
) -> Proposal:
    """Check a create request in full and bind it to the files that it names; nothing is written.

    Raises
    ------
    RequestError
        With every problem found.
    """
    find = _remembered(find)
    try:
        request = parse_request(body)
    except RequestError as error:
        raise RequestError([*error.problems, *_missing_files(body, find)]) from None
    request = _draw(request)
    inputs, paths = _bind_files(request, find)
    request = bind(request, inputs)

    def resolve(file_id: str) -> Path:
        if file_id not in paths:
            find(file_id)  # says what is wrong
        return paths[file_id]

    plan = make_any_plan(request, resolve, catalog)
    now = ids.now()
    estimate = estimate_windows(plan) if isinstance(plan, Plan) else estimate_answers(plan)
    warnings = [{"code": code, "message": message} for code, message in plan.warnings]
    if estimate.seconds > LONG_S:
        warnings.append({"code": "long_job", "message": _long_message(plan, estimate)})
    shown = json.loads(body).get("parameters") or {}
    stray = shown.get("worker") or {}
    worker = {**stray, "parallelism": request.parallelism, "config": plan.config.model_dump(mode="json")}
    engine = {
        "ignored_config": list(request.ignored),
        "overridden_config": [],
        "warnings": warnings,
        "accelerator": None,
        "model": plan.model.folder.name,
        "token_budget": plan.budget if isinstance(plan, ActivityPlan) else None,
        "estimate": estimate.to_json(),
    }
    job = StoredJob(
        id=ids.new_id("job"),
        org_id=org_id,
        name=request.name,
        pipeline_type=request.pipeline.pipeline_type,
        pipeline_key=request.pipeline.key,
        pipeline_version=request.pipeline.version,
        parallelism=request.parallelism,
        parameters={**shown, "worker": worker},
        config=plan.config.model_dump(mode="json", exclude_unset=True),
        engine=engine,
        inputs=inputs,
        created_at=now,
        idempotency_key=idempotency_key,
        body_sha256=body_sha256,
    )
    return Proposal(job, estimate, warnings, request.hints)


def make_any_plan(request: JobRequest, resolve: Resolve, catalog: Catalog) -> Plan | ActivityPlan:
    """Return the plan of a request, whatever its pipeline. Raises RequestError with every problem found."""
    if isinstance(request.config, ActivityConfig):
        return make_activity_plan(request, resolve, catalog)
    plan = make_plan(request, resolve, catalog)
    _check_shots(plan)
    return plan


def digest_body(body: bytes) -> str:
    """Return what a body is compared by: its values, however they are written."""
    try:
        text = json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        text = body
    return hashlib.sha256(text).hexdigest()


def key_of(body: bytes) -> str | None:
    """Return the `idempotency_key` in a body, None where there is none that is a text."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    key = document.get("idempotency_key") if isinstance(document, dict) else None
    return key if isinstance(key, str) and key else None


def _remembered(find: Find) -> Find:
    """Ask once for each name: all inputs that give it are the same file, whatever is uploaded meanwhile."""
    found: dict[str, tuple[File, Path] | LookupError] = {}

    def ask(name: str) -> tuple[File, Path]:
        if name not in found:
            try:
                found[name] = find(name)
            except LookupError:
                found[name] = LookupError("is not uploaded")
        answer = found[name]
        if isinstance(answer, LookupError):
            raise answer
        if answer[0].status != USABLE:
            raise LookupError("is not complete")
        return answer

    return ask


def _draw(request: JobRequest) -> JobRequest:
    config = request.config
    if not isinstance(config, ActivityConfig) or config.generation.seed is not None:
        return request
    drawn = config.generation.model_copy(update={"seed": secrets.randbits(SEED_BITS)})
    return replace(request, config=config.model_copy(update={"generation": drawn}))


def _bind_files(request: JobRequest, find: Find) -> tuple[tuple[StoredInput, ...], dict[str, Path]]:
    """Return the inputs with fresh ids, and the paths of their files by name; a file that is not there stays a name."""
    ports = {port.name: port for port in request.pipeline.inputs}
    names: dict[str, str] = {}
    paths: dict[str, Path] = {}
    inputs = []
    for file in request.inputs:
        port = ports[file.port]
        kind = "checkpoint" if port.mode == "checkpoint" else "file"
        one = StoredInput(
            ids.new_id("inp"),
            file.port,
            file.place,
            port.tracked,
            kind,
            None,
            file.file_id,
            None,
            0,
            None,
            file.metadata,
        )
        if kind == "file":
            try:
                found, path = find(file.file_id)
            except LookupError:
                pass  # the plan says it, with everything else
            else:
                names[file.file_id] = found.name
                paths[found.name] = path
                one = replace(
                    one,
                    file_uid=found.uid,
                    file_name=found.name,
                    file_type=found.file_type,
                    num_bytes=found.num_bytes,
                    sha256=found.sha256,
                )
        inputs.append(one)
    return tuple(_join_labels(one, names) for one in inputs), paths


def _join_labels(one: StoredInput, names: dict[str, str]) -> StoredInput:
    """Let a file of labels name its inference file by the name that this has in the job."""
    target = one.metadata.get("for")
    if one.port != "worker.labels" or not isinstance(target, str) or names.get(target, target) == target:
        return one
    return replace(one, metadata={**one.metadata, "for": names[target]})


def _missing_files(body: bytes, find: Find) -> list[Problem]:
    """Return the files of a request that is wrong elsewhere which are not there either."""
    try:
        inputs = json.loads(body).get("inputs")
    except (ValueError, RecursionError, AttributeError):
        return []
    problems = []
    for port, entries in inputs.items() if isinstance(inputs, dict) else ():
        full = port if "." in port else f"worker.{port}"
        for place, entry in enumerate(entries if isinstance(entries, list) else [entries]):
            name = entry.get("file_id") if isinstance(entry, dict) else None
            if isinstance(name, str) and name:
                try:
                    find(name)
                except LookupError as error:
                    where = f"{full}[{place}]"
                    message = f"Failed to resolve file inputs: {where} {name!r} {error.args[0]}."
                    problems.append(Problem("file_not_found", message, where))
    return problems


def _check_shots(plan: Plan) -> None:
    """Refuse too few example rows where these can be counted at once."""
    reader, problems, total, certain = plan.config.reader_config, [], 0, True
    for file, shot in zip(plan.request.on("worker.n_shots"), plan.shots, strict=True):
        assert isinstance(shot.recording, Table)
        try:
            rows, exact = shot.recording.estimate_rows()
        except InputError as error:
            problems.append(Problem(error.code, error.message, file.where, error.cure))
            continue
        windows = count_windows(rows, reader.window_size, reader.step_size)
        if exact and not windows:
            message = f"n-shot file {file.file_id} has {rows} rows, fewer than window_size {reader.window_size}."
            problems.append(Problem("not_enough_shots", message, file.where, "Add rows or lower window_size."))
        total += windows
        certain = certain and exact
    wanted = plan.config.classifier_config.n_neighbors
    if certain and not problems and total < wanted:
        message = (
            f"n_neighbors is {wanted} but the n-shot files give {total} windows of {reader.window_size} rows; "
            f"add rows or lower window_size."
        )
        cure = f"Or lower step_size, which is {reader.step_size}." if reader.step_size > 1 else ""
        problems.append(Problem("not_enough_shots", message, "worker.n_shots", cure))
    if problems:
        raise RequestError(problems)


def _long_message(plan: Plan | ActivityPlan, estimate: Estimate) -> str:
    hours = estimate.seconds / 3600
    message = f"This job is estimated at {hours:.1f} hours on this machine's processor"
    step = shorter_step(plan, estimate) if isinstance(plan, Plan) else None
    return f"{message}; step_size {step} would bring it under a minute." if step else f"{message}."
