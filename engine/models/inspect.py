"""Describe an exported graph as an encoder, by looking at its inputs and outputs and by running it.

Everything that can be read from the graph or from small runs is inferred. What remains open can be given (`Hints`), and the
error says which hint would decide it.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from engine.errors import ModelError
from engine.models.manifest import Windowed
from engine.models.probe import FLOATS, Array, Hints, Marks, OutputAxes, Probe, noise, same
from engine.models.shape import Lengths, Shape, find_lengths, find_shape

OUTPUTS = (  # outputs of these names come first, those with one vector per window before those with one per position
    "pooler_output",
    "sentence_embedding",
    "embedding",
    "embeddings",
    "features",
    "last_hidden_state",
    "hidden_states",
)
MEANINGS: tuple[Marks, ...] = ("readings", "padding")


def inspect_graph(path: Path, hints: Hints | None = None) -> Windowed:
    """Describe the graph at `path`. Costs some dozen runs of one or two windows.

    Raises
    ------
    ModelError
        It is not an encoder, or what it takes cannot be decided; the cure names the hint that decides it.
    """
    given = hints or Hints()
    probe = Probe(path, given)
    shape = find_shape(probe, given)
    lengths = find_lengths(probe, shape, given)
    layout = given.layout or ("univariate" if shape.channels == 1 else "multivariate")
    name, axes, size = _choose_output(probe, shape, lengths, given)
    if probe.mask and given.mask_marks is None:
        probe.marks = _find_marks(probe, shape, name, axes)
    pooling = given.pooling or ("none" if axes == "ND" else _find_pooling(probe, shape, name, axes))
    if (pooling == "none") != (axes == "ND"):
        gives = "one vector" if axes == "ND" else "one vector per position"
        raise ModelError(
            f"{probe.file}: '{name}' gives {gives} for a window, so pooling cannot be {pooling}.",
            cure="Leave --pooling out." if axes == "ND" else "Give --pooling last or --pooling mean.",
        )
    return Windowed(
        file=path.name,
        input=probe.signal.name,
        layout=layout,
        axes=shape.form.axes,
        channels=shape.form.channels if layout == "multivariate" else None,
        length=lengths.fixed,
        multiple=lengths.multiple,
        padding=given.padding or "right",
        mask=probe.mask.name if probe.mask else None,
        mask_marks=probe.marks,
        min_window=lengths.least,
        max_window=lengths.most,
        output=name,
        output_axes=axes,
        pooling=pooling,
        embedding_size=size,
        batch=shape.form.batch,
    )


def _choose_output(probe: Probe, shape: Shape, lengths: Lengths, hints: Hints) -> tuple[str, OutputAxes, int]:
    """Return the output that holds the vectors, the order of its axes, and the size of a vector."""
    results = probe.run(shape.form.axes, noise(shape.batch, shape.channels, shape.length))
    fitting = {
        name: result.shape
        for name, result in results.items()
        if result.ndim in (2, 3) and result.shape[0] == shape.batch and result.dtype.name in FLOATS
    }
    if hints.output:
        choices = [hints.output] if hints.output in fitting else []
    else:
        if hints.pooling:
            rank = 2 if hints.pooling == "none" else 3
            fitting = {name: dims for name, dims in fitting.items() if len(dims) == rank}
        pooled = [name for name, dims in fitting.items() if len(dims) == 2]
        choices = [name for name in OUTPUTS if name in fitting]
        choices += [*(pooled if len(pooled) == 1 else ()), *(fitting if len(fitting) == 1 else ())]
    if not choices:
        has = ", ".join(f"{name} {list(result.shape)}" for name, result in results.items())
        wrong = f"no output '{hints.output}' with" if hints.output else "no single output that is clearly"
        raise ModelError(
            f"{probe.file} has {wrong} one vector, or one per position, for each window; its outputs: {has}.",
            cure="Name one with --output.",
        )
    name, dims = choices[0], fitting[choices[0]]
    longer = None  # the same output for a longer window, where the graph takes one
    if lengths.fixed is None:
        rows = min(2 * shape.length, lengths.most) // lengths.multiple * lengths.multiple
        longer = probe.run(shape.form.axes, noise(shape.batch, shape.channels, rows))[name].shape
    axes: OutputAxes = "ND" if len(dims) == 2 else _order(shape, dims, longer)
    if len(dims) == 3 and hints.output_axes in ("NTD", "NDT"):
        axes = hints.output_axes
    place = axes.index("D")
    if longer and longer[place] != dims[place]:
        raise ModelError(
            f"{probe.file}: the size of '{name}' changes with the length of the window.",
            cure="Fix the length with --length.",
        )
    return name, axes, dims[place]


def _order(shape: Shape, dims: tuple[int, ...], longer: tuple[int, ...] | None) -> OutputAxes:
    """Return the order of a sequence output's axes: positions are what grows with the window, or what is as long as it."""
    if longer and longer != dims:
        return "NDT" if longer[1] == dims[1] else "NTD"
    if shape.length in dims[1:]:
        return "NTD" if dims[1] == shape.length else "NDT"
    return "NDT" if dims[2] == 1 else "NTD"


def _find_marks(probe: Probe, shape: Shape, output: str, axes: OutputAxes) -> Marks:
    """Tell what a 1 in the mask stands for: under the right meaning, what is masked has no influence on the rest."""
    half = shape.length // 2
    real = np.arange(shape.length) < half
    values = noise(shape.batch, shape.channels, shape.length)
    changed = values.copy()
    changed[:, :, half:] += 1.0
    for marks in MEANINGS:
        probe.marks = marks
        first, second = (
            _first_positions(probe.run(shape.form.axes, series, real)[output], axes, half / shape.length)
            for series in (values, changed)
        )
        if same(first, second):
            return marks
    return "readings"


def _find_pooling(probe: Probe, shape: Shape, output: str, axes: OutputAxes) -> Literal["last", "mean"]:
    """Return `last` for a causal graph whose last position has seen the whole window, `mean` for all others."""
    values = noise(shape.batch, shape.channels, shape.length)
    early, late = values.copy(), values.copy()
    early[:, :, 0] += 1.0
    late[:, :, -1] += 1.0
    whole, of_early, of_late = (
        _first_positions(probe.run(shape.form.axes, series)[output], axes, 1.0) for series in (values, early, late)
    )
    sees_first = not np.array_equal(whole[:, -1], of_early[:, -1])
    blind_to_last = whole.shape[1] > 1 and same(whole[:, 0], of_late[:, 0])
    return "last" if sees_first and blind_to_last else "mean"


def _first_positions(result: Array, axes: OutputAxes, share: float) -> Array:
    """Return the given share of a sequence output's positions, (N, positions, D); a pooled output as it is."""
    if axes == "ND":
        return result
    ordered = result if axes == "NTD" else result.swapaxes(1, 2)
    return ordered[:, : max(1, int(ordered.shape[1] * share))]
