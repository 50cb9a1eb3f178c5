"""What a job's folder keeps of the request: resolved, with its inputs bound to the files that they were at creation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.jobs.request import parse_request
from engine.pipelines.request import JobRequest, Resolve

_PREFIX_CHARACTERS = 4  # of `fil_` and `inp_`


@dataclass(frozen=True, slots=True)
class StoredInput:
    """One input, bound to a file for good.

    Attributes
    ----------
    id : str
        Of the job's own: the same file has another one in another job.
    port, place
        Full name, and 0-based place on the port.
    tracked : bool
        It is processed by itself, and has a status.
    kind : str
        `file` or `checkpoint`; then `file_name` is the checkpoint's id and the rest is empty.
    """

    id: str
    port: str
    place: int
    tracked: bool
    kind: str
    file_uid: str | None
    file_name: str
    file_type: str | None
    num_bytes: int
    sha256: str | None
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredJob:
    """What `job.json` says.

    Attributes
    ----------
    parameters : dict
        As the wire shows them: resolved, with the components and keys that mean nothing here.
    config : dict
        The worker's configuration as it was given, with what was decided at creation; it does not name defaults, because a column
        that is named must be there and a default one need not.
    engine : dict
        What was known at creation: `ignored_config`, `warnings`, `model`, `token_budget`, `estimate`, ...
    idempotency_key, body_sha256 : str or None
        What a repeated request is known by.
    """

    id: str
    org_id: str
    name: str
    pipeline_type: str
    pipeline_key: str
    pipeline_version: str
    parallelism: int
    parameters: dict[str, Any]
    config: dict[str, Any]
    engine: dict[str, Any]
    inputs: tuple[StoredInput, ...]
    created_at: str
    idempotency_key: str | None = None
    body_sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = {name: getattr(self, name) for name in self.__slots__}
        inputs = [{name: getattr(one, name) for name in StoredInput.__slots__} for one in self.inputs]
        return {**values, "inputs": inputs}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "StoredJob":
        """Return what JSON values say. Raises TypeError or KeyError where they are of another form."""
        return cls(**{**values, "inputs": tuple(StoredInput(**one) for one in values["inputs"])})

    def to_request(self) -> JobRequest:
        """Return the request as pipelines take it: with this job's input ids, and file names for `file_id`.

        Results of activity detection are named after the file's uid, or after the input where a file is given a second time.
        """
        entries: dict[str, list[dict[str, Any]]] = {}
        for one in self.inputs:
            key = "file_id" if one.kind == "file" else "checkpoint_id"
            entries.setdefault(one.port, []).append({key: one.file_name, "kind": one.kind, "metadata": one.metadata})
        request = parse_request(
            {
                "name": self.name,
                "pipeline_type": self.pipeline_type,
                "pipeline_key": self.pipeline_key,
                "pipeline_version": self.pipeline_version,
                "inputs": entries,
                "parameters": {"worker": {"parallelism": self.parallelism, "config": self.config}},
            }
        )
        return bind(request, self.inputs)

    def resolver(self, content: Path) -> Resolve:
        """Return what finds a file's bytes below `content` by the name that the request gives it."""
        digests = {one.file_name: one.sha256 for one in self.inputs if one.sha256 is not None}

        def resolve(file_id: str) -> Path:
            if file_id not in digests:
                raise LookupError("is not uploaded")
            path = content_path(content, digests[file_id])
            if not path.is_file():
                raise LookupError("is not there any more: it was deleted")
            return path

        return resolve


def bind(request: JobRequest, inputs: tuple[StoredInput, ...]) -> JobRequest:
    """Return a request whose inputs have the ids, names and metadata of stored ones."""
    stored = {(one.port, one.place): one for one in inputs}
    seen: set[str] = set()
    bound = []
    for file in request.inputs:
        one = stored[file.port, file.place]
        result = None
        if one.tracked and one.file_uid is not None:
            result = one.id if one.file_uid in seen else "inp_" + one.file_uid[_PREFIX_CHARACTERS:]
            seen.add(one.file_uid)
        bound.append(replace(file, id=one.id, file_id=one.file_name, metadata=one.metadata, result=result))
    return replace(request, inputs=tuple(bound))


def content_path(content: Path, sha256: str) -> Path:
    """Return where bytes of this digest are kept."""
    return content / sha256[:2] / sha256
