"""What a pipeline is asked to do: a request that has been checked, its files by name, and how names become paths."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from engine.errors import Problem
from engine.pipelines.registry import Pipeline

Resolve = Callable[[str], Path]
"""Turns a `file_id` into a path. Raises LookupError, whose text says what is wrong, when there is no such file."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of the request.

    Attributes
    ----------
    id : str
        `inp_` and 26 characters, made from place and name, so that the same request names its results alike.
    port : str
        Full name, `worker.inference`.
    place : int
        Its 0-based place on the port.
    file_id : str
        As the request gives it.
    metadata : dict
        As the request gives it, `class` as text.
    result : str or None
        What the name of its answers begins with, `inp_` and 26 characters; None: the id.
    """

    id: str
    port: str
    place: int
    file_id: str
    metadata: dict[str, Any]
    result: str | None = None

    @property
    def where(self) -> str:
        """Return `worker.inference[0]`."""
        return f"{self.port}[{self.place}]"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request that is right in itself; its files have not been looked at.

    Attributes
    ----------
    parameters : dict
        Resolved: defaults, request, legacy placements moved to their present place.
    ignored : tuple of str
        Dotted paths of unknown keys.
    hints : dict
        For an ignored key that looks like a slip: the known key it resembles.
    """

    name: str
    pipeline: Pipeline
    inputs: tuple[InputFile, ...]
    config: BaseModel
    parallelism: int
    parameters: dict[str, Any]
    ignored: tuple[str, ...]
    hints: dict[str, str]

    def on(self, port: str) -> tuple[InputFile, ...]:
        """Return the files on a port, in request order."""
        return tuple(file for file in self.inputs if file.port == port)

    def to_json(self, config: BaseModel) -> str:
        """Return the resolved request, with the inputs' ids and this configuration, as JSON text."""
        inputs: dict[str, list[dict[str, object]]] = {}
        for file in self.inputs:
            inputs.setdefault(file.port, []).append({"id": file.id, "file_id": file.file_id, "metadata": file.metadata})
        document = {
            "name": self.name,
            "pipeline_type": self.pipeline.pipeline_type,
            "pipeline_key": self.pipeline.key,
            "pipeline_version": self.pipeline.version,
            "inputs": inputs,
            "parameters": {
                "worker": {"parallelism": self.parallelism, "config": config.model_dump(mode="json")},
            },
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def resolve(self, resolve: Resolve, problems: list[Problem]) -> dict[str, Path]:
        """Return the path of every file, by input id; what has none becomes a problem."""
        paths: dict[str, Path] = {}
        checkpoints = {port.name for port in self.pipeline.inputs if port.mode == "checkpoint"}
        for file in self.inputs:
            if file.port in checkpoints:
                continue
            try:
                paths[file.id] = resolve(file.file_id)
            except LookupError as error:
                message = f"Failed to resolve file inputs: {file.where} {file.file_id!r} {error.args[0]}."
                problems.append(Problem("file_not_found", message, file.where))
        return paths
