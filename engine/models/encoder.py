"""What every encoder offers, whatever its kind, and how a model folder becomes one."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.manifest import ModelEntry, find_files
from engine.models.scaling import Scaling
from engine.models.session import Session
from engine.models.warm import OpenSession


class Encoder(Protocol):
    """Turns windows into vectors. Several threads may call; what it returns never depends on them, or on how calls are cut.

    Attributes
    ----------
    width : int
        Numbers in a window's vector: all channels in column order.
    block_rows : int
        A call holds the windows that start in [n * block_rows, (n + 1) * block_rows) of a file; a multiple of the step.
    device : Device
        Where it really runs.
    model : str
        Whose weights run.
    """

    width: int
    block_rows: int
    device: Device
    model: str

    def encode(
        self, values: npt.NDArray[np.float64], starts: npt.NDArray[np.int64], scaling: Scaling
    ) -> npt.NDArray[np.float32]:
        """Return a new (windows, width) array for the windows of `values` (channels, rows) that start at `starts`."""
        ...

    def close(self) -> None:
        """Give back the encoder's buffers."""
        ...


def load_encoder(
    entry: ModelEntry,
    *,
    channels: int,
    window: int,
    step: int,
    device: Device,
    open_session: OpenSession = Session,
) -> Encoder:
    """Open a model for one job's shape.

    Raises
    ------
    ModelError
        The model is broken, or does not take so many channels or rows.
    DeviceError
        It does not run on this device.
    """
    if entry.channels is not None and channels != entry.channels:
        raise ModelError(
            f"model_type {entry.name} takes exactly {entry.channels} data_columns; {channels} were given.",
            code="invalid_channel_count",
        )
    find_files(entry.folder, entry.manifest)
    if entry.manifest.kind == "dense":
        from engine.models.dense import DenseEncoder

        return DenseEncoder(
            entry.folder,
            entry.manifest,
            channels=channels,
            window=window,
            step=step,
            device=device,
            open_session=open_session,
        )
    from engine.models.windowed import WindowedEncoder

    return WindowedEncoder(
        entry.folder,
        entry.manifest,
        channels=channels,
        window=window,
        step=step,
        device=device,
        open_session=open_session,
    )
