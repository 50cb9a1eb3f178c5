"""Sliding windows of a multi-channel series: views without copies, and batches gathered for an encoder."""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel


def window_view(values: npt.NDArray[np.float64], window: int, step: int) -> npt.NDArray[np.float64]:
    """Return every window of `values` as a view: no element is copied.

    Parameters
    ----------
    values : (channels, rows) float64
    window, step : int
        Rows per window and from one start to the next, both at least 1.

    Returns
    -------
    (windows, channels, window) read-only view; `windows` is 0 when there are fewer rows than one window.
    """
    channels, rows = values.shape
    count = max(0, (rows - window) // step + 1)
    if count == 0:
        return np.empty((0, channels, window), dtype=values.dtype)
    view: npt.NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(values, window, axis=1)[:, ::step]
    return view.transpose(1, 0, 2)


@kernel
def gather_windows(
    values: npt.NDArray[np.float64],
    starts: npt.NDArray[np.int64],
    window: int,
    reference: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    per_window: bool,
    left_pad: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Gather, scale and pad windows straight into a reused batch buffer, in one pass.

    Parameters
    ----------
    values : (channels, rows) float64
        The series. A cell that is not finite is taken as the channel's reference.
    starts : (windows,) int64
        First column of each window.
    window : int
        Rows per window.
    reference, scale : (channels,) float64
        `(value - reference) * scale`, evaluated in float64.
    per_window : bool
        Centre and scale each window by its own mean and population deviation instead. A window that is constant to
        1e-6 of its magnitude is only centred.
    left_pad : int
        Zeros before the window; the rest of the buffer's length is zeros after it.
    out : (at least windows, channels, length) float32
        Overwritten for the given windows; batch rows beyond them are set to 0.
    """
    batch, channels, length = out.shape
    count = starts.shape[0]
    for i in range(count):
        start = starts[i]
        for c in range(channels):
            centre = reference[c]
            factor = scale[c]
            if per_window:
                total = 0.0
                for t in range(window):
                    x = values[c, start + t]
                    if np.isfinite(x):
                        total += x - reference[c]
                mean = total / window
                spread = 0.0
                for t in range(window):
                    x = values[c, start + t]
                    away = x - reference[c] if np.isfinite(x) else 0.0
                    spread += (away - mean) ** 2
                centre += mean
                deviation = np.sqrt(spread / window)
                factor = 1.0 if deviation <= 1e-6 * max(1e-12, abs(centre)) else 1.0 / deviation
            for t in range(left_pad):
                out[i, c, t] = 0.0
            for t in range(window):
                x = values[c, start + t]
                out[i, c, left_pad + t] = ((x if np.isfinite(x) else reference[c]) - centre) * factor
            for t in range(left_pad + window, length):
                out[i, c, t] = 0.0
    for i in range(count, batch):
        for c in range(channels):
            for t in range(length):
                out[i, c, t] = 0.0


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
