"""Numbers with a fixed count of decimals, written as CSV text."""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel

WIDEST_CELL_BYTES = 21  # separator, sign, 18 digits, point

_COMMA, _MINUS, _POINT, _ZERO, _LINE_FEED = 44, 45, 46, 48, 10


@kernel
def write_rows(
    times: npt.NDArray[np.uint8],
    values: npt.NDArray[np.float64],
    decimals: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
) -> int:
    """Write rows as `time,value,...` lines and return how many bytes they take.

    Parameters
    ----------
    times : (rows, width) uint8
        The text of each row's time; it needs no quotes.
    values : (channels, rows) float64
        Finite, and below 1e15 when multiplied by 10 to the channel's decimals.
    decimals : (channels,) int64
        Digits after the point, 0 (no point then) to 15. Halves round to even.
    starts : (rows,) int64
        Overwritten: the byte at which each line begins.
    out : (at least rows * (width + 1 + channels * WIDEST_CELL_BYTES),) uint8
        Overwritten.

    Notes
    -----
    A value that rounds to zero is written without a sign.
    """
    channels, rows = values.shape
    width = times.shape[1]
    digits = np.empty(20, dtype=np.uint8)
    scale = np.ones(channels, dtype=np.float64)
    for c in range(channels):
        for _ in range(decimals[c]):
            scale[c] *= 10.0
    at = 0
    for t in range(rows):
        starts[t] = at
        for i in range(width):
            out[at + i] = times[t, i]
        at += width
        for c in range(channels):
            out[at] = _COMMA
            at += 1
            whole = np.int64(np.rint(values[c, t] * scale[c]))
            if whole < 0:
                out[at] = _MINUS
                at += 1
                whole = -whole
            count = 0
            rest = np.uint64(whole)  # unsigned division by ten is a multiplication and a shift
            while rest > np.uint64(0) or count <= decimals[c]:
                tenth = rest // np.uint64(10)
                digits[count] = _ZERO + np.uint8(rest - tenth * np.uint64(10))
                rest = tenth
                count += 1
            for i in range(count - 1, -1, -1):
                out[at] = digits[i]
                at += 1
                if i == decimals[c] and i > 0:
                    out[at] = _POINT
                    at += 1
        out[at] = _LINE_FEED
        at += 1
    return at
