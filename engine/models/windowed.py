"""Encoders that are run on every window: transformers, convolutions with normalisation, any exported graph.

A block is scaled once; a kernel gathers and pads the windows of a batch straight into the buffer that the graph reads, or, on a GPU, a
graph cuts them there out of the block. Every batch has the same
shape and the same place in the file's grid of windows, and each is computed alone by one thread: so neither threads nor the way
a file is cut into calls can change a bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.gather import DeviceGather, open_gather
from engine.models.manifest import Manifest, Windowed
from engine.models.scaling import Scaling
from engine.models.session import Buffer, Session
from engine.models.warm import OpenSession
from kernels.gather import gather_standard_windows, gather_windows
from kernels.scaling import scale_series

Array = npt.NDArray[Any]
Gather = Callable[[npt.NDArray[np.int64]], None]  # of a batch of windows by their starts, to where the graph reads

# Positions (rows of the batch x length) of one run, at most: the attention of one row of 1,024 positions and 12 heads already weighs 48 MiB.
POSITIONS = {"cpu": 4096, "cuda": 65536}
# What a CPU computes at once should stay in its cache: the largest tensor that a graph shows, or would show if it were no patches.
CACHED_BYTES = 256 << 10
ROWS = {"cpu": 64, "cuda": 512}
BATCH_BYTES = 8 << 20  # the readings of one batch
ITEM_BYTES = 16 << 20  # what one call may weigh, as rows going in or as vectors coming out
BATCHES = 16  # in one call: calls are what is spread over threads
WINDOWS = 32  # in one call, at least: what a call costs beside its batches


@dataclass(frozen=True, slots=True)
class BatchShape:
    """How windows are laid into runs of a graph.

    Attributes
    ----------
    windows : int
        Windows of a batch.
    rows : int
        Rows of one run: windows, or windows x channels for a univariate graph.
    runs : int
        Runs of a batch; the last may end with rows of zeros.
    units : int
        Rows of one window.
    """

    windows: int
    rows: int
    runs: int
    units: int


class WindowedEncoder:
    """Encodes windows one batch at a time; the threads that call share one session.

    Parameters
    ----------
    folder, manifest
        The model, of kind `windowed`.
    channels, window, step : int
        The job's shape.
    device
        Where the graph runs.

    Attributes
    ----------
    width : int
        Numbers in a window's vector.
    block_rows : int
        Calls start at multiples of this many rows from the file's start.

    Raises
    ------
    ModelError
        The window or the number of channels is none that the model takes, or its graph is not what the manifest says.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        channels: int,
        window: int,
        step: int,
        device: Device,
        open_session: OpenSession = Session,
    ) -> None:
        spec = manifest.windowed
        if spec is None:
            raise ModelError(f"{manifest.name} is not a windowed model.")
        _check_fit(manifest.name, spec, channels, window)
        length = spec.length or -(-window // spec.multiple) * spec.multiple
        univariate = spec.layout == "univariate"
        self.model = f"{manifest.name} ({manifest.provenance})"
        self.width = spec.embedding_size * (channels if univariate else 1)
        self._session = open_session(folder / spec.file, device=device, threads=1)
        row, row_bytes = 1 if univariate else channels, None
        if device.kind == "cpu":
            row_bytes = _largest_bytes(self._session, spec, channels=row, window=window, length=length)
        self._shape = choose_batch(spec, channels, length, step, self.width, device.kind, row_bytes)
        self.block_rows = (
            step * self._shape.windows * _batches_per_call(self._shape.windows, channels, step, self.width)
        )
        self.device = self._session.device
        there = cuts_on_device(self.device) and _takes_gathered(_dtype(self._session, spec.input), spec.axes, row)
        gather = open_gather(device, open_session) if there else None
        self._make_lane = partial(
            _Lane, self._session, spec, self._shape, gather, channels=channels, window=window, length=length
        )
        self._idle = [self._make_lane()]

    def encode(
        self, values: npt.NDArray[np.float64], starts: npt.NDArray[np.int64], scaling: Scaling
    ) -> npt.NDArray[np.float32]:
        """Return the vectors of the windows that start at `starts`. Several threads may call.

        Parameters
        ----------
        values : (channels, rows) float64
        starts : (windows,) int64
            Columns of `values`.
        scaling : Scaling
            What the readings are measured against.

        Returns
        -------
        (windows, width) float32, a new array.
        """
        vectors = np.empty((starts.size, self.width), dtype=np.float32)
        series = None if scaling.per_window else self._scale(values, scaling)
        size = self._shape.windows
        try:
            lane = self._idle.pop()
        except IndexError:  # as many as there are callers at a time
            lane = self._make_lane()
        try:
            gather = lane.gather_from(values, series, scaling)
            for first in range(0, starts.size, size):
                lane.encode(gather, starts[first : first + size], vectors[first : first + size])
        finally:
            self._idle.append(lane)
        return vectors

    def _scale(self, values: npt.NDArray[np.float64], scaling: Scaling) -> npt.NDArray[np.float32]:
        series = np.empty(values.shape, dtype=np.float32)
        scale_series(values, scaling.reference - scaling.level / scaling.scale, scaling.scale, series)
        return series

    def close(self) -> None:
        """Give back the encoder's buffers."""
        self._idle.clear()


class _Lane:
    """One thread's buffers and the runs bound to them."""

    def __init__(
        self,
        session: Session,
        spec: Windowed,
        shape: BatchShape,
        gather: Session | None,
        *,
        channels: int,
        window: int,
        length: int,
    ) -> None:
        self._spec, self._shape, self._window = spec, shape, window
        self._left = length - window if spec.padding == "left" else 0
        per_row = channels // shape.units  # channels in one row of the graph's batch
        rows = shape.rows * shape.runs
        self._readings = np.zeros((rows, per_row, length), dtype=np.float32)
        flat = self._readings.reshape(-1)[: shape.windows * channels * length]
        self._windows = flat.reshape(shape.windows, channels, length)
        self._fed, view = _feed_buffer(self._readings, spec.axes, _dtype(session, spec.input))
        self._fed_view = view  # None where the graph reads the gathered buffer itself
        masks = _make_masks(session, spec, rows=shape.rows, window=window, length=length)
        parts: list[Array | Buffer] = [
            self._fed[run * shape.rows : (run + 1) * shape.rows] for run in range(shape.runs)
        ]
        self._result = _result_buffer(session, spec, {spec.input: self._fed[: shape.rows], **masks})
        self._there: Buffer | None = None  # the readings on the device
        if gather is not None:
            self._there = session.buffer(self._readings.shape, "float32")
            size = self._fed[: shape.rows].size
            parts = [self._there.shaped(self._fed[: shape.rows].shape, run * size) for run in range(shape.runs)]
            out = self._there.shaped(self._windows.shape)
            self._gather = DeviceGather(gather, out, window=window, left_pad=self._left)
        self._bound = [session.bind({spec.input: part, **masks}, {spec.output: self._result}) for part in parts]
        self._vectors = np.zeros((rows, spec.embedding_size), dtype=np.float32)
        self._real = self._real_positions(length)

    def gather_from(
        self, values: npt.NDArray[np.float64], series: npt.NDArray[np.float32] | None, scaling: Scaling
    ) -> Gather:
        """Return what gathers windows of a scaled series, or of values of which each window is scaled by itself."""
        if series is None:
            return lambda starts: self._pass_on(
                gather_standard_windows(values, starts, self._window, scaling.reference, self._left, self._windows)
            )
        if self._there is not None:
            self._gather.load(series)
            return self._gather.cut
        return lambda starts: self._pass_on(gather_windows(series, starts, self._window, self._left, self._windows))

    def _pass_on(self, _: None) -> None:
        """Bring what was gathered to where the graph reads it, if that is elsewhere."""
        if self._there is not None:
            self._there.fill(self._readings)
        elif self._fed_view is not None:
            np.copyto(self._fed_view, self._readings, casting="same_kind")

    def encode(self, gather: Gather, starts: npt.NDArray[np.int64], out: Array) -> None:
        """Write the vectors of at most one batch of windows to `out`, (windows, width) float32."""
        gather(starts)
        wanted = starts.size * self._shape.units
        for run, bound in enumerate(self._bound):
            first = run * self._shape.rows
            if first >= wanted:
                break  # rows of zeros alone
            bound.run()
            self._vectors[first : first + self._shape.rows] = self._reduce()
        out[:] = self._vectors[:wanted].reshape(out.shape)

    def _reduce(self) -> Array:
        """Return one vector per row of the run just done."""
        if self._spec.pooling == "none":
            return self._result
        result = self._result if self._spec.output_axes == "NTD" else self._result.swapaxes(1, 2)
        if self._spec.pooling == "last":
            return result[:, self._real.stop - 1]
        mean: Array = result[:, self._real].mean(axis=1, dtype=np.float64)
        return mean

    def _real_positions(self, length: int) -> slice:
        """Return the positions of a sequence output that stem from readings; they may be fewer than rows (patches)."""
        if self._spec.pooling == "none":
            return slice(0, 1)
        positions = self._result.shape[1 if self._spec.output_axes == "NTD" else 2]
        real = -(-self._window * positions // length)
        return slice(positions - real, positions) if self._spec.padding == "left" else slice(0, real)


def choose_batch(
    spec: Windowed, channels: int, length: int, step: int, width: int, kind: str, largest_bytes: int | None = None
) -> BatchShape:
    """Choose the shape of a batch from the job's shape, the graph and the kind of device alone, so that it is the same in every run.

    Parameters
    ----------
    channels, step, width : int
        Of the job's windows, and numbers of their vectors.
    length : int
        Rows that the graph sees.
    kind : `cpu` or `cuda`
    largest_bytes : int or None
        What one row of the batch weighs in the graph, where that is known.
    """
    units = channels if spec.layout == "univariate" else 1
    row_bytes = 4 * length * (channels // units)
    window_bytes = max(units * row_bytes, 2 * 4 * width, 8 * channels * step)
    most = max(1, BATCH_BYTES // window_bytes)  # windows
    if spec.batch is not None:
        rows = spec.batch
        choices = range(1, min(most, max(1, ROWS[kind], rows // units)) + 1)
        windows = min(choices, key=lambda count: (-(count * units) % rows / (count * units), count))
    else:
        most_rows = POSITIONS[kind] // length
        if kind == "cpu" and largest_bytes is not None:
            most_rows = CACHED_BYTES // largest_bytes
        aim = max(1, min(most_rows, ROWS[kind], BATCH_BYTES // row_bytes))
        windows = max(1, min(most, aim // units))
        rows = -(-units // -(-units // aim)) if windows == 1 else windows * units
    return BatchShape(windows=windows, rows=rows, runs=-(-windows * units // rows), units=units)


def _batches_per_call(windows: int, channels: int, step: int, width: int) -> int:
    vectors = ITEM_BYTES // (4 * width * windows)
    readings = ITEM_BYTES // (8 * channels * step * windows)
    return max(1, min(max(BATCHES, WINDOWS // windows), vectors, readings))


def cuts_on_device(device: Device) -> bool:
    """Tell whether windows are cut where the graph runs: there the bus is narrower than the memory on either side."""
    return device.kind == "cuda"


def _takes_gathered(dtype: str, axes: str, channels: int) -> bool:
    """Tell whether a graph reads windows as they are gathered: float32, time last."""
    return dtype == "float32" and (axes == "NCT" or channels == 1)


def _check_fit(name: str, spec: Windowed, channels: int, window: int) -> None:
    if spec.channels is not None and spec.layout == "multivariate" and channels != spec.channels:
        raise ModelError(
            f"{name} takes exactly {spec.channels} data_columns; {channels} were given.", code="invalid_channel_count"
        )
    longest = min(spec.max_window, spec.length or spec.max_window)
    if not spec.min_window <= window <= longest:
        cure = "Lower" if window > longest else "Raise"
        raise ModelError(
            f"{name} takes windows of {spec.min_window} to {longest} rows; window_size is {window}.",
            code="invalid_parameter",
            cure=f"{cure} reader_config.window_size.",
        )


def _dtype(session: Session, name: str) -> str:
    for info in session.inputs:
        if info.name == name:
            return info.dtype
    names = ", ".join(info.name for info in session.inputs)
    raise ModelError(f"The graph has no input '{name}'; it has: {names}.", cure="Correct the name in model.json.")


def _feed_buffer(readings: Array, axes: str, dtype: str) -> tuple[Array, Array | None]:
    """Return the buffer that the graph reads, and where gathered readings are copied to when that is another one.

    The second has the shape of `readings`, (rows, channels, length), and lies in the first.
    """
    rows, channels, length = readings.shape
    if _takes_gathered(dtype, axes, channels):
        shape = {"NCT": (rows, channels, length), "NTC": (rows, length, channels), "NT": (rows, length)}[axes]
        return readings.reshape(shape), None
    if axes == "NTC":
        fed = np.zeros((rows, length, channels), dtype=dtype)
        return fed, fed.swapaxes(1, 2)
    fed = np.zeros((rows, channels, length), dtype=dtype)
    return (fed[:, 0] if axes == "NT" else fed), fed


def _make_masks(session: Session, spec: Windowed, *, rows: int, window: int, length: int) -> dict[str, Array]:
    if spec.mask is None:
        return {}
    left = length - window if spec.padding == "left" else 0
    real = np.zeros((rows, length), dtype=bool)
    real[:, left : left + window] = True
    marked = real if spec.mask_marks == "readings" else ~real
    return {spec.mask: marked.astype(_dtype(session, spec.mask))}


def _largest_bytes(session: Session, spec: Windowed, *, channels: int, window: int, length: int) -> int | None:
    """Return what one row of a batch weighs in the largest tensor with positions that the graph gives; None where nothing tells.

    A graph of one channel that gives none is taken for a transformer without patches.
    """
    if spec.batch is not None:
        return None
    fed, _ = _feed_buffer(np.zeros((1, channels, length), np.float32), spec.axes, _dtype(session, spec.input))
    feed = {spec.input: fed, **_make_masks(session, spec, rows=1, window=window, length=length)}
    sizes = [result.nbytes for result in session.run(feed) if result.ndim == 3]
    if sizes:
        return max(sizes)
    return 4 * length * spec.embedding_size if spec.layout == "univariate" else None


def _result_buffer(session: Session, spec: Windowed, feed: dict[str, Array]) -> Array:
    """Run once on zeros: what comes out tells the shape of the buffer, and whether the manifest is right."""
    result = session.run(feed, [spec.output])[0]
    rows = feed[spec.input].shape[0]
    sizes = dict(zip(spec.output_axes, result.shape, strict=False))
    if result.ndim != len(spec.output_axes) or sizes["N"] != rows or sizes["D"] != spec.embedding_size:
        expected = " x ".join(
            {"N": str(rows), "D": str(spec.embedding_size), "T": "positions"}[axis] for axis in spec.output_axes
        )
        raise ModelError(
            f"{spec.file}: '{spec.output}' gives {' x '.join(map(str, result.shape))} numbers, not {expected} as"
            " its model.json says.",
            cure="Remove the model and add it again.",
        )
    return np.zeros_like(result)
