"""From feature maps and readings to window vectors: means over each window, compressed, laid out channel by channel."""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel
from kernels.lanes import LANES, log_lanes
from kernels.pooling import pool_means, pool_moments
from kernels.scaling import CONSTANT

TILE = 16  # windows that are laid out together: what they share of the vectors' memory is touched once
MOST = 3.0e38  # what is compressed stays below this, so that a reading of any size gives a finite number


@kernel
def write_features(
    values: npt.NDArray[np.float64],
    maps: npt.NDArray[np.float32],
    counts: npt.NDArray[np.int64],
    fields: npt.NDArray[np.int64],
    group: int,
    length: int,
    window: int,
    starts: npt.NDArray[np.int64],
    reference: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    raised: npt.NDArray[np.float64],
    per_window: bool,
    gain: float,
    height: float,
    first: int,
    vectors: npt.NDArray[np.float32],
) -> None:
    """Write a group of channels' part of every window's vector.

    Parameters
    ----------
    values : (channels, rows) float64, finite
        Readings.
    maps : float32
        Feature maps, one output of the graph behind the other, each (group, its maps, length - its field + 1).
    counts, fields : (outputs,) int64
        Maps of each output, and how many rows each of their values sees.
    group, length : int
        Channels and rows that went through the graph, at least those of `values`.
    window : int
    starts : (windows,) int64, rising
        First row of each window.
    reference, scale, raised : (channels,) float64
        A window's level is `(mean - reference) * scale + raised`, its deviation `deviation * scale`.
    per_window : bool
        Levels are 0 and responses are divided by the window's own deviation, which is then 1; 0 where it is nothing but rounding.
    gain, height : float
        A deviation or response x becomes `log(1 + gain * x) * height`, a response's height divided by the root of their number; a level
        becomes its `asinh`.
    first : int
        Column of the group's first number.
    vectors : (windows, width) float32
        Written: for each channel level, deviation and responses in the order of the outputs.
    """
    channels = values.shape[0]
    windows = starts.shape[0]
    total = counts.sum()
    features = 2 + total
    room = (windows + LANES - 1) // LANES * LANES
    columns = np.ones((channels * features, room), dtype=np.float32)  # to be compressed, a column of the vectors a row
    mean, deviation = np.empty((channels, windows)), np.empty((channels, windows))
    pool_moments(values, window, starts, mean, deviation)
    offset = 0
    place = 2
    for n in range(counts.shape[0]):
        series = channels * counts[n]
        means = np.empty((series, windows), dtype=np.float32)
        size = length - fields[n] + 1
        own_maps = maps[offset : offset + series * size].reshape((series, size))
        pool_means(own_maps, window - fields[n] + 1, starts, means)
        for c in range(channels):
            for m in range(counts[n]):
                own, out = means[c * counts[n] + m], columns[c * features + place + m]
                for i in range(windows):
                    out[i] = own[i]
        offset += group * counts[n] * size
        place += counts[n]
    weight = height / np.sqrt(max(1.0, np.float64(total)))
    for c in range(channels):
        level, spread = columns[c * features], columns[c * features + 1]
        centre, own = mean[c], deviation[c]
        factor, near, lift = scale[c], reference[c], raised[c]
        for i in range(windows):
            away = 0.0 if per_window else abs((centre[i] - near) * factor + lift)
            level[i] = min(away + np.sqrt(away * away + 1.0), MOST)  # asinh(x) = log(x + sqrt(x^2 + 1))
        for i in range(windows):
            flat = per_window and own[i] <= CONSTANT * max(1e-12, abs(centre[i]))
            scaled = own[i] * factor
            unit = scaled if per_window and not flat else 1.0
            spread[i] = min(1.0 + gain * ((0.0 if flat else 1.0) if per_window else scaled), MOST)
            own[i] = gain / unit
        for row in range(c * features + 2, (c + 1) * features):
            response = columns[row]
            for i in range(windows):
                response[i] = 1.0 + own[i] * response[i]
        for row in range(features):
            heights = np.float32(1.0 if row == 0 else height if row == 1 else weight)
            column = columns[c * features + row]
            for at in range(0, room, LANES):
                log_lanes(column, at, heights)
        for i in range(windows):
            level[i] = -level[i] if (centre[i] - near) * factor + lift < 0.0 else level[i]
    for start in range(0, windows, TILE):
        for row in range(channels * features):
            for i in range(start, min(start + TILE, windows)):
                vectors[i, first + row] = columns[row, i]
