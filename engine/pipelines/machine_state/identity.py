"""What must be equal for two runs to give the same bytes: the identity at the head of a journal."""

import hashlib
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from engine.models.session import Device
from engine.pipelines.machine_state.plan import Plan
from engine.stream.diagnose import unreadable

END_BYTES = 1 << 16  # of an input's start and end that are digested
LIBRARIES = ("sensor-state-engine", "numpy", "numba", "polars", "onnxruntime", "onnxruntime-gpu")


def identify(plan: Plan, device: Device) -> dict[str, Any]:
    """Return a plan's identity, as JSON values.

    Inputs by name, size, time of change and a digest of both ends; the resolved configuration; the model's digests; the device's
    kind; the versions of what computes. Threads, search and parallelism are not part of it: they change no byte.

    Raises
    ------
    InputError
        `read_error`: a file has gone since the plan was made.
    """
    inputs = []
    for file in plan.request.inputs:
        path = plan.paths[file.id]
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
        "pipeline": f"{plan.request.pipeline.key} {plan.request.pipeline.version}",
        "config": plan.config.model_dump(mode="json"),
        "inputs": inputs,
        "model": {"name": plan.model.name, "sha256": plan.model.manifest.sha256},
        "device": device.kind,
        "machine": platform.machine(),
        "versions": {name: version for name in LIBRARIES if (version := _version(name))},
    }


def _version(distribution: str) -> str | None:
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
