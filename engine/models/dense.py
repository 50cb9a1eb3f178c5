"""Encoders that are translation invariant: run once over a block of rows, then averaged over each window.

Neighbouring windows share almost every row. A graph without padding computes each row's feature maps once, and
`kernels.pooling` averages the maps over all windows in a few passes: at step 1 and window 128 this is 1/128 of the work of encoding
window by window, with the same result.

What one channel contributes to a window's vector, in this order:

* its level, `asinh` of the scaled mean: linear near the shots, logarithmic far from them, so that one channel that drifted
  away does not outvote all others;
* its deviation and, for each filter length L up to half the window, the mean responses of the graph's maps, all compressed as
  `log(1 + gain * x) * scale`; the responses divided by the square root of their number, so that they weigh together as much as
  the deviation alone, whatever the window.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError
from engine.models.manifest import DenseGraph, Manifest
from engine.models.scaling import Scaling
from engine.models.session import Bound, Device, Session
from engine.models.warm import OpenSession
from kernels.features import write_features
from kernels.gather import gather_series
from kernels.scaling import scale_about_mean

GROUP = 8  # channels that go through the graph together: their maps stay in the cache until they are averaged
LEAST_ROWS = 1024  # a block is at least so long, and at least eight windows
ITEM_BYTES = 16 << 20  # what one block may weigh, as rows going in or as vectors coming out


class DenseEncoder:
    """Encodes all windows of a block from feature maps that are computed once.

    Parameters
    ----------
    folder, manifest
        The model, of kind `dense`.
    channels, window, step : int
        The job's shape.
    device
        Where the graph runs.

    Attributes
    ----------
    width : int
        Numbers in a window's vector: channels x (2 + maps).
    block_rows : int
        Blocks start at multiples of this many rows from the file's start.

    Raises
    ------
    ModelError
        The window is shorter or longer than the model takes, or the graph cannot be opened.
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
        if manifest.dense is None:
            raise ModelError(f"{manifest.name} is not a dense model.")
        self.model = f"{manifest.name} ({manifest.provenance})"
        self.device = device
        self._channels = channels
        self._window = window
        self._sparse = step > window
        self._compression = manifest.dense.compression
        self._input = manifest.dense.input
        graph = _choose_graph(manifest, window)
        self._outputs = graph.outputs if graph else []
        self._maps = sum(output.maps for output in self._outputs)
        self.features = 2 + self._maps
        self.width = channels * self.features
        self.block_rows = _block_rows(channels, window, step, self.width)
        # Windows that do not overlap are laid side by side and encoded as one series with step = window.
        self._side_by_side = max(1, max(LEAST_ROWS, 8 * window) // window)
        self._series_rows = self._side_by_side * window if self._sparse else self.block_rows + window - 1
        self._session = open_session(folder / graph.file, device=device, threads=1) if graph else None
        self._groups = [slice(first, min(first + GROUP, channels)) for first in range(0, channels, GROUP)]
        self._idle: list[_Worker] = [self._hire()]

    def encode(
        self, values: npt.NDArray[np.float64], starts: npt.NDArray[np.int64], scaling: Scaling
    ) -> npt.NDArray[np.float32]:
        """Return the vectors of the windows that start at `starts`. Several threads may call.

        Parameters
        ----------
        values : (channels, rows) float64, finite
            The block's rows and those after it that its last windows reach.
        starts : (windows,) int64
            Columns of `values`.
        scaling : Scaling
            What the readings are measured against.

        Returns
        -------
        (windows, width) float32, channel by channel.
        """
        vectors = np.empty((starts.size, self.width), dtype=np.float32)
        if not self._sparse:
            self._encode_series(values, starts, scaling, vectors)
        else:
            for first in range(0, starts.size, self._side_by_side):
                picked = starts[first : first + self._side_by_side]
                series = np.empty((self._channels, picked.size * self._window), dtype=np.float64)
                gather_series(values, picked, self._window, series)
                places = np.arange(picked.size, dtype=np.int64) * self._window
                self._encode_series(series, places, scaling, vectors[first : first + picked.size])
        return vectors

    def close(self) -> None:
        """Give back the encoder's buffers."""
        self._idle.clear()

    def _hire(self) -> "_Worker":
        return _Worker(self, self._series_rows, min(GROUP, self._channels))

    def _encode_series(
        self,
        values: npt.NDArray[np.float64],
        starts: npt.NDArray[np.int64],
        scaling: Scaling,
        vectors: npt.NDArray[np.float32],
    ) -> None:
        try:
            worker = self._idle.pop()
        except IndexError:  # as many as there are callers at a time
            worker = self._hire()
        try:
            for group in self._groups:
                worker.encode(values[group], starts, _part(scaling, group), vectors, group.start * self.features)
        finally:
            self._idle.append(worker)


class _Worker:
    """One thread's buffers: a group's scaled rows going in, its maps coming out."""

    def __init__(self, encoder: DenseEncoder, rows: int, group: int) -> None:
        self._encoder = encoder
        self._group = group
        outputs = encoder._outputs  # noqa: SLF001 - one class in two parts
        self._rows = np.zeros((group, 1, rows), dtype=np.float32)
        self._counts = np.array([output.maps for output in outputs], dtype=np.int64)
        self._fields = np.array([output.receptive_field for output in outputs], dtype=np.int64)
        ends = np.cumsum(group * self._counts * (rows - self._fields + 1)).tolist()
        self._maps = np.zeros(ends[-1] if ends else 0, dtype=np.float32)
        session = encoder._session  # noqa: SLF001
        self._bound: Bound | None = None
        if session is not None:
            parts = np.split(self._maps, ends[:-1])
            maps = {
                output.name: part.reshape(group, output.maps, -1) for output, part in zip(outputs, parts, strict=True)
            }
            self._bound = session.bind({encoder._input: self._rows}, maps)  # noqa: SLF001

    def encode(
        self,
        values: npt.NDArray[np.float64],
        starts: npt.NDArray[np.int64],
        scaling: Scaling,
        vectors: npt.NDArray[np.float32],
        first: int,
    ) -> None:
        """Write the vectors of one group of channels into (windows, width) float32, from column `first` on."""
        encoder = self._encoder
        if self._bound is not None:
            # The filters have zero mean: taking off the block's own centre keeps the digits of a channel that has drifted.
            scale_about_mean(values, scaling.scale, self._rows[:, 0])
            self._bound.run()
        write_features(
            values,
            self._maps,
            self._counts,
            self._fields,
            self._group,
            self._rows.shape[2],
            encoder._window,  # noqa: SLF001
            starts,
            scaling.reference,
            scaling.scale,
            scaling.level,
            scaling.per_window,
            encoder._compression.gain,  # noqa: SLF001
            encoder._compression.scale,  # noqa: SLF001
            first,
            vectors,
        )


def _part(scaling: Scaling, group: slice) -> Scaling:
    return Scaling(scaling.reference[group], scaling.scale[group], scaling.level[group], scaling.per_window)


def _choose_graph(manifest: Manifest, window: int) -> DenseGraph | None:
    """Return the graph whose filters fit the window, None when the window is too short for any filter."""
    assert manifest.dense is not None
    graphs = manifest.dense.graphs
    for graph in graphs:
        if graph.min_window <= window <= graph.max_window:
            return graph
    longest = max(graph.max_window for graph in graphs)
    if window > longest:
        raise ModelError(
            f"{manifest.name} takes windows of at most {longest} rows; window_size is {window}.",
            cure="Lower reader_config.window_size.",
        )
    return None


def _block_rows(channels: int, window: int, step: int, width: int) -> int:
    """Choose the block length from the job's shape alone, so that it is the same in every run."""
    if step > window:
        rows = step * max(1, max(LEAST_ROWS, 8 * window) // window)
        return max(window, min(rows, ITEM_BYTES // (8 * channels)))
    rows = max(LEAST_ROWS, 8 * window)
    affordable = ITEM_BYTES // (4 * width) * step
    return max(window, min(rows, affordable))
