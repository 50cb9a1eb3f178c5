"""The plant's instruments: what each channel measures, in which unit, and how well.

The first twelve are the instruments that a plant like this has. All further ones measure the same quantities again, each in a
unit, with a calibration error, lag and noise of its own: the way to a thousand channels that hang together. An instrument
belongs to the plant, not to a run: channel 37 is the same device in every recording.
"""

import math
from dataclasses import dataclass

import numpy as np

from engine.errors import Problem, RequestError
from kernels import plant as process

MOST_CHANNELS = 1000
_CALIBRATION_SEED = 20_260_105


@dataclass(frozen=True, slots=True)
class Instrument:
    """One channel: reading = round(gain * lagged quantity + offset + noise)."""

    name: str
    quantity: int  # row of the process's quantities
    gain: float  # display units per unit of the quantity
    offset: float  # display units
    lag_s: float
    noise: float  # standard deviation, display units
    decimals: int
    grain: int = 1  # smallest step of the display, in units of its last decimal


@dataclass(frozen=True, slots=True)
class _Unit:
    name: str
    gain: float
    offset: float
    decimals: int


CORE: tuple[Instrument, ...] = (
    Instrument("tank1_level_m", process.Q_SEEN_LEVEL_1, 1.0, 0.0, 0.0, 0.002, 3),
    Instrument("tank1_temp_c", process.Q_TEMP_1, 1.0, 0.0, 5.0, 0.12, 2, 5),
    Instrument("tank1_inflow_lpm", process.Q_INFLOW, 1.0, 0.0, 1.5, 0.30, 2),
    Instrument("feed_valve_pct", process.Q_FEED_COMMAND, 100.0, 0.0, 0.0, 0.05, 1),
    Instrument("pump_speed_pct", process.Q_PUMP_SPEED, 100.0, 0.0, 0.0, 0.10, 1),
    Instrument("pump_power_w", process.Q_PUMP_POWER, 1.0, 0.0, 1.0, 1.5, 1),
    Instrument("tank2_level_m", process.Q_SEEN_LEVEL_2, 1.0, 0.0, 0.0, 0.003, 3),
    Instrument("tank2_temp_c", process.Q_SEEN_TEMP_2, 1.0, 0.0, 0.0, 0.12, 2, 5),
    Instrument("heater_power_kw", process.Q_HEATER_POWER, 1e-3, 0.0, 1.0, 0.30, 2),
    Instrument("heater_surface_c", process.Q_TEMP_SURFACE, 1.0, 0.0, 4.0, 0.40, 1),
    Instrument("outlet_flow_lpm", process.Q_SEEN_OUTFLOW, 1.0, 0.0, 0.0, 0.30, 2),
    Instrument("outlet_temp_c", process.Q_TEMP_2, 1.0, 0.0, 8.0, 0.20, 2, 5),
)

_LENGTH = (_Unit("mm", 1000.0, 0.0, 0), _Unit("m", 1.0, 0.0, 3), _Unit("pct", 100.0 / 1.4, 0.0, 2))
_FLOW = (_Unit("m3h", 0.06, 0.0, 4), _Unit("lpm", 1.0, 0.0, 2), _Unit("kgs", 0.998 / 60.0, 0.0, 4))
_SHARE = (_Unit("pct", 100.0, 0.0, 1), _Unit("ma", 16.0, 4.0, 3))
_SPEED = (_Unit("rpm", 2900.0, 0.0, 0), _Unit("hz", 50.0, 0.0, 2))
_POWER = (_Unit("kw", 1e-3, 0.0, 4), _Unit("w", 1.0, 0.0, 1))
_TEMPERATURE = (_Unit("c", 1.0, 0.0, 2), _Unit("f", 1.8, 32.0, 2), _Unit("k", 1.0, 273.15, 2))

# Stem of the name, quantity, units in turn, and the noise of a good instrument in the quantity's own unit.
_MEASURED: tuple[tuple[str, int, tuple[_Unit, ...], float], ...] = (
    ("tank1_level", process.Q_LEVEL_1, _LENGTH, 0.002),
    ("tank1_temp", process.Q_TEMP_1, _TEMPERATURE, 0.12),
    ("tank1_inflow", process.Q_INFLOW, _FLOW, 0.30),
    ("feed_valve", process.Q_FEED_COMMAND, _SHARE, 0.0005),
    ("pump_speed", process.Q_PUMP_SPEED, _SPEED, 0.001),
    ("pump_power", process.Q_PUMP_POWER, _POWER, 1.5),
    ("tank2_level", process.Q_LEVEL_2, _LENGTH, 0.003),
    ("outlet_temp", process.Q_TEMP_2, _TEMPERATURE, 0.15),
    ("heater_power", process.Q_HEATER_POWER, _POWER, 300.0),
    ("heater_surface", process.Q_TEMP_SURFACE, _TEMPERATURE, 0.40),
    ("outlet_flow", process.Q_OUTFLOW, _FLOW, 0.30),
)


def instruments(channels: int) -> tuple[Instrument, ...]:
    """Return the plant's first instruments.

    Raises
    ------
    RequestError
        There are not so many, or fewer than one was asked for.
    """
    if not 1 <= channels <= MOST_CHANNELS:
        problem = f"The plant has no {channels} channels."
        raise RequestError([Problem("invalid_parameter", problem, "channels", f"Ask for 1 to {MOST_CHANNELS}.")])
    return CORE[:channels] + tuple(_redundant(extra) for extra in range(channels - len(CORE)))


def channel_names(channels: int) -> tuple[str, ...]:
    """Return the names of the plant's first channels, such as `tank1_level_m`; errors as for `instruments`."""
    return tuple(instrument.name for instrument in instruments(channels))


def _redundant(extra: int) -> Instrument:
    turn, which = divmod(extra, len(_MEASURED))
    stem, quantity, units, noise = _MEASURED[which]
    unit = units[turn % len(units)]
    rng = np.random.default_rng([_CALIBRATION_SEED, extra])
    sigma = unit.gain * noise * math.exp(rng.uniform(math.log(0.5), math.log(3.0)))
    return Instrument(
        name=f"{stem}_{turn + 2}_{unit.name}",
        quantity=quantity,
        gain=unit.gain * (1.0 + 0.01 * rng.standard_normal()),
        offset=unit.offset + 3.0 * unit.gain * noise * rng.standard_normal(),
        lag_s=rng.uniform(0.5, 15.0),
        noise=sigma,
        decimals=unit.decimals,
        grain=int(rng.choice([1, 1, 2, 5])),
    )
