"""Sliding means and moments of a series, without a running difference.

A running sum that adds what enters and subtracts what leaves loses digits for ever and spreads one NaN over all that follows.
Here nothing is subtracted, so there is no cancellation, and a NaN stays in the windows that contain it. Means are added up by
doubling. For moments the series is cut into blocks as long as the window; every window is the suffix of one block joined to a prefix of
the next (van Herk's and Gil and Werman's decomposition, known from running maxima), O(1) a window.
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
    maps : (maps, rows) float32, contiguous
    positions : int
        How many successive values of a map a window averages, at least 1.
    starts : (windows,) int64, rising
        First map position of each window; `start + positions <= rows`.
    out : (maps, windows) float32, contiguous
        Overwritten.

    Notes
    -----
    Sums of 1, 2, 4, ... successive values are made one from the other, and those that `positions` consists of are added: as many passes
    as it has digits in base 2, each at the speed of the vector unit. A sum is a tree of at most twice that depth, the same for every
    window, so float32 loses at most some 1e-6 of the values' mean magnitude, and a NaN stays in the windows that contain it.
    """
    rows = maps.shape[1]
    windows = starts.shape[0]
    if windows == 0:
        return
    first = starts[0]
    span = starts[windows - 1] - first + 1  # successive starts, of which some are wanted
    total = np.empty(span, dtype=np.float32)
    sums, spare = np.empty(rows, dtype=np.float32), np.empty(rows, dtype=np.float32)
    share = np.float32(1.0 / positions)
    for m in range(maps.shape[0]):
        level = maps[m, first:]
        total[:] = 0.0
        covered = 0
        size = 1
        while True:
            if positions & size:
                _add_to(total, level[covered : covered + span])
                covered += size
            if covered == positions:
                break
            length = level.shape[0] - size
            _add(
                level[:length], level[size:], sums[:length]
            )  # not in place: the compiler could not tell that this is safe
            level = sums[:length]
            sums, spare = spare, sums
            size *= 2
        if span == windows:
            for i in range(windows):
                out[m, i] = total[i] * share
        else:
            for i in range(windows):
                out[m, i] = total[starts[i] - first] * share


@kernel
def _add(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32], out: npt.NDArray[np.float32]) -> None:
    for t in range(out.shape[0]):
        out[t] = left[t] + right[t]


@kernel
def _add_to(total: npt.NDArray[np.float32], more: npt.NDArray[np.float32]) -> None:
    for t in range(total.shape[0]):
        total[t] += more[t]


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
    mean, deviation : (channels, windows) float64
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
            ahead = ahead_square = behind = behind_square = 0.0
            for n in range(
                end - first
            ):  # both ways at a time: each addition waits for the one before it, but not for the other way's
                x = values[c, first + n]
                delta = x - ahead
                ahead += delta * inverse[n + 1]
                ahead_square += delta * (x - ahead)
                prefix_mean[first + n] = ahead
                prefix_square[first + n] = ahead_square
                x = values[c, end - 1 - n]
                delta = x - behind
                behind += delta * inverse[n + 1]
                behind_square += delta * (x - behind)
                suffix_mean[end - 1 - n] = behind
                suffix_square[end - 1 - n] = behind_square
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
            mean[c, i] = m
            deviation[c, i] = np.sqrt(max(0.0, s * inverse[window]))
