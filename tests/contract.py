"""What the API page promises, as a judge of answers: every status must be told, every body must have the form that is told for it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
from recordings import request, write_plant
from service import Service, serving

ID = re.compile(r"^[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}$")
INSIDE = re.compile(
    r"Traceback|dtype|float(32|64)|\bi64\b|[Tt]ensor|\bshape '|\.py\b|/tmp/|/home/"
)  # of no use to a client
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


class Contract:
    """The OpenAPI document of a running server."""

    def __init__(self, address: str) -> None:
        self.document = httpx.get(f"{address}/openapi.json").json()
        self.seen: set[tuple[str, str, int]] = set()
        self._validators: dict[str, Any] = {}

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], str, dict[str, Any]]]:
        found = []
        for path, methods in self.document["paths"].items():
            pattern = "[^/]+".join(re.escape(piece) for piece in re.split(r"\{\w+\}", path))
            found.append((re.compile(pattern), path, methods))
        return sorted(found, key=lambda one: one[1].count("{"))  # as routed: /queue before /{job_id}

    def call_of(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """Return the template of a path and what is told of a method on it."""
        for pattern, template, methods in self._paths:
            if pattern.fullmatch(path) and method.lower() in methods:
                return template, methods[method.lower()]
        return None

    def judge(self, answer: httpx.Response) -> None:
        """Hold an answer against what is told. Answers of unknown paths and methods must be errors in the common form."""
        answer.read()
        method, path = answer.request.method, answer.request.url.path
        found = self.call_of(method, path)
        if answer.status_code >= 400:
            self.check_error(answer)
        if found is None:
            return
        template, operation = found
        if answer.headers.get("content-type") == "application/json" and "/registry/" not in path:
            assert not INSIDE.search(answer.text), answer.text
        self.seen.add((method, template, answer.status_code))
        told = operation["responses"].get(str(answer.status_code))
        assert told is not None, f"{method} {template} does not tell of {answer.status_code}: {answer.text[:300]}"
        if "$ref" in told:
            told = self.document["components"]["responses"][told["$ref"].rpartition("/")[2]]
        schema = told.get("content", {}).get("application/json", {}).get("schema")
        if schema is not None and method != "HEAD":
            self.check(schema, answer.json(), f"{method} {path} {answer.status_code}")
        for name in told.get("headers", {}):
            assert name in answer.headers, f"{method} {template} has no {name}"

    def check(self, schema: dict[str, Any], value: Any, where: str) -> None:
        """Hold a value against a schema of the document."""
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = jsonschema_rs.validator_for(whole)
        problems = [
            f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}"
            for error in self._validators[key].iter_errors(value)
        ]
        assert not problems, f"{where}: {problems}"

    def check_error(self, answer: httpx.Response) -> None:
        """Hold an error against the form of all errors."""
        if answer.request.method == "HEAD":
            return
        assert answer.headers["content-type"] == "application/json"
        body = json.loads(answer.content)
        first = body["errors"][0]
        assert first["code"]
        assert first["message"]
        assert ID.match(first["error_uid"])
        assert first["error_uid"].startswith("err_")
        if answer.status_code == 401:
            assert set(body) == {"detail", "errors"}
            assert body["detail"] == first["message"]
        else:
            assert {key: value for key, value in body.items() if key != "errors"} == first
        assert not INSIDE.search(answer.text), answer.text


def judged(service: Service) -> Contract:
    """Let a service's client hold every answer against the contract."""
    contract = Contract(service.address)
    service.client.event_hooks = {"response": [contract.judge]}
    return contract


@dataclass
class Plant:
    """A server that has worked: `partial` is a completed job with a failed input, `failed` one without any result.

    The windows of `partial`: 137 of labelled.csv, some of bad.csv; ten in a part, vectors beside them, labels to be held against.
    """

    service: Service
    contract: Contract
    partial: dict[str, Any]
    failed: dict[str, Any]
    anyone: httpx.Client  # without a key

    @property
    def path(self) -> str:
        """Where the completed job is."""
        return f"/batch/jobs/{self.partial['id']}"

    def read(self, path: str, **query: Any) -> Any:
        """Return the JSON of a call."""
        return self.service.get(path, **query)

    def call(self, method: str, path: str, status: int, **more: Any) -> httpx.Response:
        """Make a call that ends with this status."""
        answer = self.service.client.request(method, path, **more)
        assert answer.status_code == status, answer.text
        return answer

    def refused(self, method: str, path: str, status: int, **more: Any) -> str:
        """Return the code of a refusal."""
        return str(self.call(method, path, status, **more).json()["errors"][0]["code"])


def body(*names: str, **config: Any) -> dict[str, Any]:
    """Return a request for files of a plant: ten windows a part, and columns that all have."""
    reader = {"data_columns": ["speed", "current", "flow"]}
    asked = request(**{"batch_size": 10, "flush_every_n_iteration": 1, "reader_config": reader, **config})
    asked["inputs"]["worker.inference"] = [{"file_id": name} for name in names]
    return asked


@contextmanager
def open_plant(folder: Path) -> Iterator[Plant]:
    """Start a server, let it work, and end it."""
    write_plant(folder)
    lines = (folder / "line7.csv").read_text().splitlines()
    labelled = [f"{lines[0]},state", *(f"{line},{'idle' if n < 100 else 'run'}" for n, line in enumerate(lines[1:]))]
    with serving(folder / "home") as service:
        contract = judged(service)
        for name in ("idle.csv", "run.csv", "line7.csv"):
            service.upload(name, (folder / name).read_bytes())
        service.upload("labelled.csv", "\n".join(labelled).encode())
        service.upload("bad.csv", "\n".join([*labelled[:120], "1119,1,2,oops,run"]).encode())
        service.upload("short.csv", "\n".join(labelled[:9]).encode())
        asked = body(
            "labelled.csv",
            "bad.csv",
            evaluation={"label_column": "state"},
            output={"embeddings": True},
            neighbours=3,
        )
        jobs = [service.create({**asked, "name": "Partial"}), service.create({**body("short.csv"), "name": "none"})]
        with httpx.Client(base_url=service.address, timeout=60) as anyone:
            yield Plant(service, contract, *(service.wait(job_id) for job_id in jobs), anyone)
