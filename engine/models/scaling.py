"""How a channel's readings become what an encoder sees: `(value - reference) * scale`."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Scaling:
    """The affine map of each channel, computed in float64 before the cast to float32.

    A sensor at 1e6 +- 1 keeps its last digits because the reference is subtracted first.

    Attributes
    ----------
    reference : (channels,) float64
        Subtracted from every reading, in the sensor's own unit.
    scale : (channels,) float64
        Multiplied afterwards: one over the deviation, or 1 for a channel that is only centred.
    level : (channels,) float64
        Added to the mean level after scaling. Zero but under `normalization: none`, where the level of the raw values is the
        feature and the reference was taken off only to keep digits.
    per_window : bool
        Every window is centred and scaled by its own mean and deviation instead; `reference` then only keeps digits.
    """

    reference: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    level: npt.NDArray[np.float64]
    per_window: bool = False
