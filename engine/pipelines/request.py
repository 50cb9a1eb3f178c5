"""What a pipeline is asked to do: a request that has been checked, files by name."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from engine.pipelines.registry import Pipeline


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
    """

    id: str
    port: str
    place: int
    file_id: str
    metadata: dict[str, Any]

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
