"""Windows cut out of a series where the encoder runs: on a GPU a reading crosses the bus once, not once for every window that it is in.

What `kernels.gather.gather_windows` does on the CPU, as a graph (`scripts/export_gather.py`); both copy, so they give the same bits.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.models.device import Device
from engine.models.session import Array, Bound, Buffer, Session
from engine.models.warm import OpenSession

GRAPH = Path(__file__).parent / "builtin" / "gather" / "windows.onnx"


def open_gather(device: Device, open_session: OpenSession) -> Session:
    """Open the graph; several `DeviceGather` may share it. Raises DeviceError, ModelError."""
    return open_session(GRAPH, device=device, threads=1)


class DeviceGather:
    """One thread's series on the device, and the run that cuts windows out of it.

    Parameters
    ----------
    session : Session
        Of `open_gather`.
    out : Buffer
        (windows, channels, length) float32, overwritten by each cut.
    window, left_pad : int
        Rows of a window, and zeros before it; what is left of the length is zeros after it.
    """

    def __init__(self, session: Session, out: Buffer, *, window: int, left_pad: int) -> None:
        windows, self._channels, length = out.shape
        self._session, self._out = session, out
        self._starts = np.zeros((windows, 1), dtype=np.int64)
        self._real = np.zeros((windows, 1), dtype=np.bool_)
        offsets = (np.arange(length, dtype=np.int64) - left_pad).reshape(1, length)
        inside = (offsets >= 0) & (offsets < window)
        self._offsets = session.buffer(offsets.shape, "int64", offsets)
        self._inside = session.buffer(inside.shape, "bool", inside)
        self._columns = 0
        self._bound: Bound | None = None

    def load(self, series: npt.NDArray[np.float32]) -> None:
        """Bring a series to the device, (channels, rows); windows are cut out of it until the next one comes."""
        rows = series.shape[1]
        if self._bound is None or rows >= self._columns:
            self._make_room(rows + 1)
        self._staged[:, :rows] = series  # the last column stays zero: that is where padding is read
        self._series.fill(self._staged)

    def cut(self, starts: npt.NDArray[np.int64]) -> None:
        """Write the windows that start at these columns, at most as many as there is room for, and zeros behind them."""
        assert self._bound is not None, "no series was loaded"
        count = starts.size
        self._starts[:count, 0], self._starts[count:] = starts, 0
        self._real[:count], self._real[count:] = True, False
        self._bound.run()

    def _make_room(self, columns: int) -> None:
        self._columns = columns
        self._staged = np.zeros((self._channels, columns), dtype=np.float32)
        self._series = self._session.buffer(self._staged.shape, "float32")
        feeds: dict[str, Array | Buffer] = {
            "series": self._series,
            "starts": self._starts,
            "real": self._real,
            "offsets": self._offsets,
            "inside": self._inside,
            "zero_at": self._session.buffer((1, 1), "int64", np.array([[columns - 1]])),
        }
        self._bound = self._session.bind(feeds, {"windows": self._out})
