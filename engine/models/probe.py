"""A graph of unknown make, held so that it can be tried: which input takes the readings, which the mask, and does it run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.session import Session, TensorInfo

Array = npt.NDArray[Any]
Axes = Literal["NCT", "NTC", "NT"]
OutputAxes = Literal["ND", "NTD", "NDT"]
Marks = Literal["readings", "padding"]

FLOATS = ("float32", "float16", "float64")
MASKS = (*FLOATS, "int64", "int32", "int8", "uint8", "bool")
SAME = 1e-4  # relative to the largest value


@dataclass(frozen=True, slots=True)
class Hints:
    """What a person says about a graph; None leaves it to the inspection. The fields are those of `Windowed`."""

    input: str | None = None
    mask: str | None = None
    mask_marks: Marks | None = None
    layout: Literal["univariate", "multivariate"] | None = None
    axes: Axes | None = None
    channels: int | None = None
    length: int | None = None
    padding: Literal["left", "right"] | None = None
    min_window: int | None = None
    max_window: int | None = None
    output: str | None = None
    output_axes: OutputAxes | None = None
    pooling: Literal["none", "last", "mean"] | None = None


class Probe:
    """A graph that runs on (N, C, T) arrays, whatever the order of its own axes.

    Attributes
    ----------
    file : str
        Its name, for messages.
    signal, mask : TensorInfo
        The inputs; `mask` is None where the graph has one input.
    marks : "readings" or "padding"
        What a 1 in the mask stands for; may be changed between runs.
    reason : str
        Why the last attempt failed that `runs` made.
    """

    def __init__(self, path: Path, hints: Hints) -> None:
        self.file = path.name
        self.session = Session(path, device=Device("cpu", "cpu"))
        self.signal = _find_signal(self.session, self.file, hints)
        self.mask = _find_mask(self.session, self.file, self.signal, hints)
        self.marks: Marks = hints.mask_marks or "readings"
        self.reason = ""

    def run(self, axes: Axes, values: Array, real: Array | None = None) -> dict[str, Array]:
        """Run on values (N, C, T), of which the rows with `real` (T,) are readings; all when None. Raises ModelError."""
        fed = {"NCT": values, "NTC": values.swapaxes(1, 2), "NT": values[:, 0]}[axes]
        feeds = {self.signal.name: np.ascontiguousarray(fed, dtype=self.signal.dtype)}
        if self.mask:
            rows = np.ones(values.shape[2], dtype=bool) if real is None else real
            marked = np.tile(rows if self.marks == "readings" else ~rows, (values.shape[0], 1))
            feeds[self.mask.name] = marked.astype(self.mask.dtype)
        names = [info.name for info in self.session.outputs]
        return dict(zip(names, self.session.run(feeds), strict=True))

    def runs(self, axes: Axes, batch: int, channels: int, length: int) -> bool:
        """Tell whether the graph runs on this shape; remembers why not."""
        try:
            self.run(axes, noise(batch, channels, length))
        except ModelError as error:
            self.reason = error.message
            return False
        return True


def noise(batch: int, channels: int, length: int) -> Array:
    """Return the same random readings for the same shape, (batch, channels, length) float32."""
    rng = np.random.default_rng((batch, channels, length))
    return rng.standard_normal((batch, channels, length)).astype(np.float32)


def same(first: Array, second: Array) -> bool:
    """Tell whether two results agree but for rounding; what is not finite agrees with nothing."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return False
    difference = np.abs(first - second).max(initial=0.0)
    return bool(difference <= SAME * np.abs(first).max(initial=0.0))


def _find_signal(session: Session, file: str, hints: Hints) -> TensorInfo:
    """Return the input that takes the readings: of floats, with room for time and perhaps channels."""
    fitting = [info for info in session.inputs if info.dtype in FLOATS and len(info.shape) in (2, 3)]
    if hints.input:
        fitting = [info for info in fitting if info.name == hints.input]
    elif hints.mask:
        fitting = [info for info in fitting if info.name != hints.mask]
    if len(fitting) > 1:
        cubes = [info for info in fitting if len(info.shape) == 3]
        named = [info for info in fitting if "mask" not in info.name.lower()]
        fitting = cubes if len(cubes) == 1 else named
    if len(fitting) != 1:
        has = ", ".join(f"{info.name} {list(info.shape)} of {info.dtype}" for info in session.inputs) or "none"
        raise ModelError(
            f"{file} has {'no' if not fitting else 'more than one'} input that can take the readings (numbers with 2 or 3"
            f" dimensions); its inputs: {has}.",
            cure="Name it with --input."
            if fitting
            else "Export the encoder with a float input (batch, channels, rows).",
        )
    return fitting[0]


def _find_mask(session: Session, file: str, signal: TensorInfo, hints: Hints) -> TensorInfo | None:
    """Return the input that tells readings from padding, None where there is no second input."""
    others = [info for info in session.inputs if info.name != signal.name]
    if not others and not hints.mask:
        return None
    fitting = [info for info in others if info.dtype in MASKS and len(info.shape) == 2]
    if len(others) != 1 or len(fitting) != 1 or (hints.mask and fitting[0].name != hints.mask):
        names = ", ".join(info.name for info in others) or "none"
        raise ModelError(
            f"{file} takes more than readings and one mask of shape (batch, rows); its other inputs: {names}.",
            cure="Export it with these fixed inside the graph.",
        )
    return fitting[0]
