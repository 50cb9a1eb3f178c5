"""Sliding means and moments of a series, O(1) a window, without a running difference.

A running sum that adds what enters and subtracts what leaves loses digits for ever and spreads one NaN over all that follows.
Here the series is cut into blocks as long as the window; every window is the suffix of one block joined to a prefix of the next
(van Herk's and Gil and Werman's decomposition, known from running maxima). Nothing is subtracted, so there is no cancellation,
and a NaN stays in the windows that contain it.
"""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel


@kernel
def pool_means(
    maps: npt.NDArray[np.float32],
    positions: int,
    starts: npt.NDArray[np.int64],
    out: npt.NDArray[np.float32],
) -> None:
    """Average feature maps over each window.

    Parameters
    ----------
    maps : (channels, rows) float32
        One map per channel.
    positions : int
        How many successive map values a window averages, at least 1.
    starts : (windows,) int64
        First map position of each window; `start + positions <= rows`.
    out : (windows, channels) float32
        Overwritten; may be a strided view.

    Notes
    -----
    Sums are float64. Cost: two additions per map value and one per window.
    """
    channels, rows = maps.shape
    suffix = np.empty(rows, dtype=np.float64)
    prefix = np.empty(rows, dtype=np.float64)
    share = 1.0 / positions
    for c in range(channels):
        for first in range(0, rows, positions):
            end = min(first + positions, rows)
            total = 0.0
            for t in range(first, end):
                total += maps[c, t]
                prefix[t] = total
            total = 0.0
            for t in range(end - 1, first - 1, -1):
                total += maps[c, t]
                suffix[t] = total
        for i in range(starts.shape[0]):
            start = starts[i]
            total = suffix[start]
            if start % positions != 0:
                total += prefix[start + positions - 1]
            out[i, c] = total * share


@kernel
def pool_moments(
    values: npt.NDArray[np.float64],
    window: int,
    starts: npt.NDArray[np.int64],
    mean: npt.NDArray[np.float64],
    deviation: npt.NDArray[np.float64],
) -> None:
    """Compute each window's mean and population deviation.

    Parameters
    ----------
    values : (channels, rows) float64
    window : int
        Rows per window, at least 1.
    starts : (windows,) int64
        First row of each window; `start + window <= rows`.
    mean, deviation : (windows, channels) float64
        Overwritten.

    Notes
    -----
    Prefix and suffix carry (mean, sum of squared differences); two parts are joined by the pairwise formula of Chan, Golub
    and LeVeque (1979), which adds only terms of one sign. A sensor at 1e6 +- 1 keeps its deviation.
    """
    channels, rows = values.shape
    suffix_mean = np.empty(rows, dtype=np.float64)
    suffix_square = np.empty(rows, dtype=np.float64)
    prefix_mean = np.empty(rows, dtype=np.float64)
    prefix_square = np.empty(rows, dtype=np.float64)
    inverse = np.empty(window + 1, dtype=np.float64)
    inverse[0] = 0.0
    for n in range(1, window + 1):
        inverse[n] = 1.0 / n
    for c in range(channels):
        for first in range(0, rows, window):
            end = min(first + window, rows)
            m = 0.0
            s = 0.0
            for t in range(first, end):
                x = values[c, t]
                delta = x - m
                m += delta * inverse[t - first + 1]
                s += delta * (x - m)
                prefix_mean[t] = m
                prefix_square[t] = s
            m = 0.0
            s = 0.0
            for t in range(end - 1, first - 1, -1):
                x = values[c, t]
                delta = x - m
                m += delta * inverse[end - t]
                s += delta * (x - m)
                suffix_mean[t] = m
                suffix_square[t] = s
        for i in range(starts.shape[0]):
            start = starts[i]
            after = start % window  # rows of the window that lie in the next block
            m = suffix_mean[start]
            s = suffix_square[start]
            if after != 0:
                last = start + window - 1
                delta = prefix_mean[last] - m
                share = after * inverse[window]
                m += delta * share
                s += prefix_square[last] + delta * delta * share * (window - after)
            mean[i, c] = m
            deviation[i, c] = np.sqrt(max(0.0, s * inverse[window]))
