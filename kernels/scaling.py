"""Per-channel statistics, repair of missing cells, and the cast of a block to what an encoder sees."""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel

CONSTANT = 1e-6  # a deviation up to this share of the channel's magnitude is no spread, only rounding


@kernel
def add_moments(
    values: npt.NDArray[np.float64],
    count: npt.NDArray[np.int64],
    mean: npt.NDArray[np.float64],
    squares: npt.NDArray[np.float64],
) -> None:
    """Add the finite cells of a block to each channel's running count, mean and sum of squared differences.

    Welford's recurrence, cell by cell in row order: the result does not depend on how the rows were cut into blocks.

    Parameters
    ----------
    values : (channels, rows) float64
    count : (channels,) int64; mean, squares : (channels,) float64
        Updated in place; all zeros at the start. The population variance is `squares / count`.
    """
    channels, rows = values.shape
    for c in range(channels):
        n = count[c]
        m = mean[c]
        s = squares[c]
        for t in range(rows):
            x = values[c, t]
            if np.isfinite(x):
                n += 1
                delta = x - m
                m += delta / n
                s += delta * (x - m)
        count[c] = n
        mean[c] = m
        squares[c] = s


@kernel
def fill_forward(
    values: npt.NDArray[np.float64],
    last: npt.NDArray[np.float64],
    repaired: npt.NDArray[np.int64],
    missing: npt.NDArray[np.bool_],
) -> None:
    """Replace every cell that is not finite by the channel's last finite value, in place.

    Parameters
    ----------
    values : (channels, rows) float64
        Repaired in place.
    last : (channels,) float64
        The value to carry on with, updated to the block's end: the fill of a gap at the start of a file, or of a gap that
        crosses two blocks.
    repaired : (channels,) int64
        Counts repaired cells, added to.
    missing : (rows,) bool
        Set where any channel's cell was repaired, cleared elsewhere.
    """
    channels, rows = values.shape
    for t in range(rows):
        missing[t] = False
    for c in range(channels):
        previous = last[c]
        count = 0
        for t in range(rows):
            x = values[c, t]
            if np.isfinite(x):
                previous = x
            else:
                values[c, t] = previous
                missing[t] = True
                count += 1
        last[c] = previous
        repaired[c] += count


@kernel
def scale_series(
    values: npt.NDArray[np.float64],
    reference: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    out: npt.NDArray[np.float32],
) -> None:
    """Write `(value - reference) * scale`, evaluated in float64, as float32; a cell that is not finite is taken as the reference.

    Parameters
    ----------
    values : (channels, rows) float64
    reference, scale : (channels,) float64
    out : (channels, rows) float32
        Overwritten.
    """
    for c in range(values.shape[0]):
        row, target, near, factor = values[c], out[c], reference[c], scale[c]
        for t in range(row.shape[0]):
            x = row[t]
            target[t] = ((x if np.isfinite(x) else near) - near) * factor


@kernel
def scale_about_mean(
    values: npt.NDArray[np.float64], scale: npt.NDArray[np.float64], out: npt.NDArray[np.float32]
) -> None:
    """Write `(value - mean of its row) * scale` as float32; columns of `out` beyond the values are set to 0.

    Parameters
    ----------
    values : (channels, rows) float64, finite
    scale : (channels,) float64
    out : (at least channels, at least rows) float32
    """
    channels, rows = values.shape
    for c in range(channels):
        total = 0.0
        for t in range(rows):
            total += values[c, t]
        centre = total / rows
        factor = scale[c]
        for t in range(rows):
            out[c, t] = (values[c, t] - centre) * factor
        for t in range(rows, out.shape[1]):
            out[c, t] = 0.0
