"""Encoders that are translation invariant: run once over a block of rows, then averaged over each window.

Neighbouring windows share almost every row. A graph without padding computes each row's feature maps once, and
`kernels.pooling` averages the maps over every window in O(1): at step 1 and window 128 this is 1/128 of the work of encoding
window by window, with the same result.

What one channel contributes to a window's vector, in this order:

* its level, `asinh` of the scaled mean: linear near the shots, logarithmic far from them, so that one channel that drifted
  away does not outvote all others;
* its deviation and, for each filter length L up to half the window, the mean responses of the graph's maps, all compressed as
  `log(1 + gain * x) * scale`; the responses divided by the square root of their number, so that they weigh together as much as
  the deviation alone, whatever the window.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError
from engine.models.manifest import DenseGraph, Manifest
from engine.models.scaling import Scaling
from engine.models.session import Bound, Device, Session
from engine.models.warm import OpenSession
from kernels.gather import gather_series
from kernels.pooling import pool_means, pool_moments
from kernels.scaling import CONSTANT, scale_rows

GROUP = 4  # channels that go through the graph together: their maps stay in the cache until they are averaged
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
    device, threads
        Where the graph runs; on a CPU, groups of channels are spread over `threads` threads.

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
        threads: int,
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
        series_rows = self._side_by_side * window if self._sparse else self.block_rows + window - 1
        self._session = open_session(folder / graph.file, device=device, threads=1) if graph else None
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="encode")
        self._groups = [slice(first, min(first + GROUP, channels)) for first in range(0, channels, GROUP)]
        self._workers = [
            _Worker(self, series_rows, min(GROUP, channels)) for _ in range(max(1, min(threads, len(self._groups))))
        ]

    def encode(
        self, values: npt.NDArray[np.float64], starts: npt.NDArray[np.int64], scaling: Scaling
    ) -> npt.NDArray[np.float32]:
        """Return the vectors of the windows that start at `starts`.

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
        vectors = np.empty((starts.size, self._channels, self.features), dtype=np.float32)
        if not self._sparse:
            self._encode_series(values, starts, scaling, vectors)
        else:
            for first in range(0, starts.size, self._side_by_side):
                picked = starts[first : first + self._side_by_side]
                series = np.empty((self._channels, picked.size * self._window), dtype=np.float64)
                gather_series(values, picked, self._window, series)
                places = np.arange(picked.size, dtype=np.int64) * self._window
                self._encode_series(series, places, scaling, vectors[first : first + picked.size])
        return vectors.reshape(starts.size, self.width)

    def close(self) -> None:
        """End the encoder's threads."""
        self._pool.shutdown(wait=True)

    def _encode_series(
        self,
        values: npt.NDArray[np.float64],
        starts: npt.NDArray[np.int64],
        scaling: Scaling,
        vectors: npt.NDArray[np.float32],
    ) -> None:
        lanes = len(self._workers)
        if lanes == 1:
            for group in self._groups:
                self._workers[0].encode(values[group], starts, _part(scaling, group), vectors[:, group])
            return

        def work(lane: int) -> None:
            for group in self._groups[lane::lanes]:
                self._workers[lane].encode(values[group], starts, _part(scaling, group), vectors[:, group])

        for done in [self._pool.submit(work, lane) for lane in range(lanes)]:
            done.result()


class _Worker:
    """One thread's buffers: a group's scaled rows going in, its maps coming out."""

    def __init__(self, encoder: DenseEncoder, rows: int, group: int) -> None:
        self._encoder = encoder
        self._rows = np.zeros((group, 1, rows), dtype=np.float32)
        self._maps = {
            output.name: np.zeros((group, output.maps, rows - output.receptive_field + 1), dtype=np.float32)
            for output in encoder._outputs  # noqa: SLF001 - one class in two parts
        }
        session = encoder._session  # noqa: SLF001
        self._bound: Bound | None = (
            session.bind({encoder._input: self._rows}, self._maps) if session else None  # noqa: SLF001
        )

    def encode(
        self,
        values: npt.NDArray[np.float64],
        starts: npt.NDArray[np.int64],
        scaling: Scaling,
        vectors: npt.NDArray[np.float32],
    ) -> None:
        """Write the vectors of one group of channels, (windows, channels, features) float32."""
        encoder = self._encoder
        window, gain, height = encoder._window, encoder._compression.gain, encoder._compression.scale  # noqa: SLF001
        channels, count = values.shape[0], starts.size
        mean = np.empty((count, channels))
        deviation = np.empty((count, channels))
        pool_moments(values, window, starts, mean, deviation)
        scale = scaling.scale
        responses = np.empty((encoder._maps, count, channels), dtype=np.float32)  # noqa: SLF001
        if self._bound is not None:
            # The filters have zero mean: taking off the block's own centre keeps the digits of a channel that has drifted.
            scale_rows(values, values.mean(axis=1), scale, self._rows[:channels, 0])
            self._bound.run()
            place = 0
            for output in encoder._outputs:  # noqa: SLF001
                for number in range(output.maps):
                    maps = self._maps[output.name][:channels, number]
                    pool_means(maps, window - output.receptive_field + 1, starts, responses[place])
                    place += 1
        if scaling.per_window:
            flat = deviation <= CONSTANT * np.maximum(1e-12, np.abs(mean))
            unit = np.where(flat, 1.0, deviation * scale)
            level = np.zeros_like(mean)
            spread = np.where(flat, 0.0, 1.0)
            responses /= unit.astype(np.float32)
        else:
            level = (mean - scaling.reference) * scale + scaling.level
            spread = deviation * scale
        vectors[:, :, 0] = np.arcsinh(level)
        vectors[:, :, 1] = np.log(1.0 + gain * spread) * height
        if place_count := encoder._maps:  # noqa: SLF001
            weight = np.float32(height / np.sqrt(place_count))
            responses *= np.float32(gain)
            responses += np.float32(1.0)
            np.log(responses, out=responses)
            responses *= weight
            vectors[:, :, 2:] = responses.transpose(1, 2, 0)


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
