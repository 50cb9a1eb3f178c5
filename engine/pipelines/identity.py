"""What must be equal for two runs to give the same bytes: the identity at the head of a journal."""

import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from engine.models.manifest import ModelEntry
from engine.models.session import Device
from engine.pipelines.request import JobRequest
from engine.stream.diagnose import unreadable

END_BYTES = 1 << 16  # of an input's start and end that are digested
LIBRARIES = ("sensor-state-engine", "numpy", "numba", "polars", "onnxruntime", "onnxruntime-gpu")


def identify(
    request: JobRequest,
    config: BaseModel,
    paths: Mapping[str, Path],
    *,
    model: ModelEntry,
    device: Device,
    libraries: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return a run's identity, as JSON values.

    Inputs by name, size, time of change and a digest of both ends; the resolved configuration; the model's digests; the device's
    kind; the versions of what computes. Threads, search and parallelism are not part of it: they change no byte.

    Parameters
    ----------
    config
        Resolved.
    paths
        Input id to path, for every file of the request.
    libraries
        Distributions that compute, beside those that every pipeline needs.

    Raises
    ------
    InputError
        `read_error`: a file has gone since the request was checked.
    """
    inputs = []
    for file in request.inputs:
        path = paths[file.id]
        try:
            status = path.stat()
            ends_sha256 = _digest_ends(path, status.st_size)
        except OSError as error:  # it was there when the request was checked
            raise unreadable(file.file_id, error.strerror or str(error)) from error
        inputs.append(
            {
                "port": file.port,
                "file_id": file.file_id,
                "metadata": file.metadata,
                "num_bytes": status.st_size,
                "mtime_ns": status.st_mtime_ns,
                "ends_sha256": ends_sha256,
            }
        )
    return {
        "pipeline": f"{request.pipeline.key} {request.pipeline.version}",
        "config": config.model_dump(mode="json"),
        "inputs": inputs,
        "model": {"name": model.name, "sha256": model.manifest.sha256},
        "device": device.kind,
        "machine": platform.machine(),
        "versions": {name: version for name in LIBRARIES + libraries if (version := version_of(name))},
    }


def version_of(distribution: str = LIBRARIES[0]) -> str | None:
    """Return the installed version of a library, by default the engine's own; None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _digest_ends(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(END_BYTES))
        file.seek(max(0, size - END_BYTES))
        digest.update(file.read(END_BYTES))
    return digest.hexdigest()
