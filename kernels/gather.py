"""Sliding windows of a multi-channel series, gathered into batches for an encoder."""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel
from kernels.scaling import CONSTANT


@kernel
def gather_windows(
    series: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    window: int,
    left_pad: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Gather windows of a series that is scaled already, padded, straight into a reused batch buffer.

    Each cell is scaled once for all windows that it is in, so that this is a copy and nothing else: with half the rows shared, it takes
    a twentieth of scaling every window anew.

    Parameters
    ----------
    series : (channels, rows) float32
    starts : (windows,) int64
        First column of each window.
    window : int
        Rows per window.
    left_pad : int
        Zeros before the window; the rest of the buffer's length is zeros after it.
    out : (at least windows, channels, length) float32
        Overwritten for the given windows; batch rows beyond them are set to 0.
    """
    count = starts.shape[0]
    for i in range(count):
        start = starts[i]
        for c in range(out.shape[1]):
            source, row = series[c, start : start + window], out[i, c]
            target = row[left_pad : left_pad + window]
            row[:left_pad] = 0.0
            for t in range(
                window
            ):  # over slices: an index that needs no check for its sign is copied sixteen at a time
                target[t] = source[t]
            row[left_pad + window :] = 0.0
    out[count:] = 0.0


@kernel
def gather_standard_windows(
    values: npt.NDArray[np.float64],
    starts: npt.NDArray[np.int64],
    window: int,
    reference: npt.NDArray[np.float64],
    left_pad: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Gather windows, each centred and scaled by its own mean and population deviation, in one pass.

    Parameters
    ----------
    values : (channels, rows) float64
        The series. A cell that is not finite is taken as the channel's reference.
    starts, window, left_pad, out
        As `gather_windows`.
    reference : (channels,) float64
        Near the values. A window that is constant to 1e-6 of its magnitude is only centred.
    """
    count = starts.shape[0]
    for i in range(count):
        start = starts[i]
        for c in range(out.shape[1]):
            source, row, near = values[c, start : start + window], out[i, c], reference[c]
            total = 0.0
            for t in range(window):
                if np.isfinite(source[t]):
                    total += source[t] - near
            mean = total / window
            spread = 0.0
            for t in range(window):
                away = source[t] - near if np.isfinite(source[t]) else 0.0
                spread += (away - mean) ** 2
            centre, deviation = near + mean, np.sqrt(spread / window)
            factor = 1.0 if deviation <= CONSTANT * max(1e-12, abs(centre)) else 1.0 / deviation
            row[:left_pad] = 0.0
            for t in range(window):
                row[left_pad + t] = ((source[t] if np.isfinite(source[t]) else near) - centre) * factor
            row[left_pad + window :] = 0.0
    out[count:] = 0.0


@kernel
def gather_series(
    values: npt.NDArray[np.float64], starts: npt.NDArray[np.int64], window: int, out: npt.NDArray[np.float64]
) -> None:
    """Lay windows side by side, without what lies between them.

    Parameters
    ----------
    values : (channels, rows) float64
    starts : (windows,) int64
    window : int
    out : (channels, windows * window) float64
        Overwritten.
    """
    for c in range(values.shape[0]):
        for i in range(starts.shape[0]):
            for t in range(window):
                out[c, i * window + t] = values[c, starts[i] + t]
