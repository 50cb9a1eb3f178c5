"""A scenario played: rows of readings with their times and true states, in blocks of any size.

Randomness is drawn in strides of a fixed number of rows, each from a generator of its own that is seeded by (seed, purpose,
stride). So a row does not depend on how the recording is cut into blocks, and memory is one stride and one block.
"""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from engine.plant.instruments import Instrument, instruments
from engine.plant.scenario import FAULT_GROWTH_S, STATES, Scenario
from kernels import plant as process

STRIDE_ROWS = 1024  # 8 MB of readings at 1,000 channels
WARM_UP_S = 1500
LONGEST_STEP_S = 0.5
DISTURBANCE_S = (60.0, 60.0, 120.0, 3000.0)  # correlation times: demand, supply pressure, feed and ambient temperature

_STREAM_WARM_UP, _STREAM_DISTURBANCES, _STREAM_NOISE = 3, 4, 5


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of a recording."""

    first_row: int
    timestamps: list[str]
    values: npt.NDArray[np.float64]  # (channels, rows)
    states: npt.NDArray[np.int64]  # (rows,) indices into STATES

    @property
    def rows(self) -> int:
        """Rows in this block."""
        return len(self.states)


@dataclass(frozen=True, slots=True)
class Panel:
    """Instruments as arrays, one element a channel, as `kernels.plant.read_sensors` takes them."""

    source: npt.NDArray[np.int64]
    follow: npt.NDArray[np.float64]
    gain: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    noise: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    grain: npt.NDArray[np.float64]

    @classmethod
    def of(cls, channels: tuple[Instrument, ...], period_s: float) -> "Panel":
        """Lay out instruments that are read every `period_s`."""
        lag_s = np.array([each.lag_s for each in channels])
        return cls(
            source=np.array([each.quantity for each in channels]),
            follow=np.where(lag_s > 0.0, -np.expm1(-period_s / np.maximum(lag_s, 1e-9)), 1.0),
            gain=np.array([each.gain for each in channels]),
            offset=np.array([each.offset for each in channels]),
            noise=np.array([each.noise for each in channels]),
            scale=np.array([10.0**each.decimals for each in channels]),
            grain=np.array([float(each.grain) for each in channels]),
        )


def simulate(scenario: Scenario, block_rows: int = 8192) -> Iterator[Block]:
    """Play a scenario and yield its rows in order, in blocks of `block_rows` (the last one may be shorter).

    Equal scenarios give the same bytes on one machine, whatever the block size. Cost: some 30 to 50 ns a reading and 1 us a row;
    memory is a few blocks.
    """
    assert block_rows >= 1
    strides = play(scenario)
    stride, at = np.empty((scenario.channels, 0)), 0
    for first_row in range(0, scenario.rows, block_rows):
        rows = min(block_rows, scenario.rows - first_row)
        values = np.empty((scenario.channels, rows), dtype=np.float64)
        filled = 0
        while filled < rows:
            if at == stride.shape[1]:
                stride, at = next(strides), 0
            count = min(rows - filled, stride.shape[1] - at)
            values[:, filled : filled + count] = stride[:, at : at + count]
            filled += count
            at += count
        times: list[str] = scenario.times(first_row, rows).tolist()
        yield Block(first_row, times, values, scenario.states(first_row, rows))


def play(scenario: Scenario) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the readings of a scenario in strides; each is (channels, up to STRIDE_ROWS)."""
    channels = instruments(scenario.channels)
    p = Panel.of(channels, scenario.period_s)
    element: npt.NDArray[np.float64] | None = None
    for number, quantities in enumerate(run_process(scenario)):
        if element is None:
            element = quantities[p.source, 0].copy()
        rng = np.random.default_rng([scenario.seed, _STREAM_NOISE, number])
        # Channel by channel, a whole stride each: a recording with fewer channels draws the same numbers for those it has.
        readings = rng.standard_normal((len(channels), STRIDE_ROWS))[:, : quantities.shape[1]]
        process.read_sensors(
            quantities, p.source, p.follow, p.gain, p.offset, p.noise, p.scale, p.grain, element, readings, readings
        )
        yield readings


def run_process(scenario: Scenario) -> Iterator[npt.NDArray[np.float64]]:
    """Yield what really happens in the plant, in strides; each is (kernels.plant.QUANTITIES, up to STRIDE_ROWS).

    Before the first row the plant runs for WARM_UP_S in the first row's state, and so settles.
    """
    settings = np.array(astuple(scenario.settings))
    rng = np.random.default_rng([scenario.seed, _STREAM_WARM_UP])
    x, u = _cold_start(settings, rng)
    codes = np.repeat(scenario.states(0, 1), WARM_UP_S)
    severities = np.repeat(scenario.severities(0, 1), WARM_UP_S)
    _advance(x, u, settings, 1.0, codes, severities, rng.standard_normal((4, WARM_UP_S)))
    for number, first_row in enumerate(range(0, scenario.rows, STRIDE_ROWS)):
        rows = min(STRIDE_ROWS, scenario.rows - first_row)
        rng = np.random.default_rng([scenario.seed, _STREAM_DISTURBANCES, number])
        draws = rng.standard_normal((4, STRIDE_ROWS))
        yield _advance(
            x,
            u,
            settings,
            scenario.period_s,
            scenario.states(first_row, rows),
            scenario.severities(first_row, rows),
            draws,
        )


def _cold_start(
    settings: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a plant near its operating point, which the warm-up then reaches."""
    x = np.zeros(process.STATE_SIZE)
    x[[process.LEVEL_1, process.SEEN_LEVEL_1]] = settings[process.SET_LEVEL_1]
    x[[process.LEVEL_2, process.SEEN_LEVEL_2]] = settings[process.SET_LEVEL_2]
    x[process.TEMP_1] = settings[process.SET_FEED]
    x[[process.TEMP_2, process.SEEN_TEMP_2]] = settings[process.SET_TEMP_2]
    x[process.TEMP_SURFACE] = settings[process.SET_TEMP_2] + 25.0
    x[process.SEEN_OUTFLOW_LPM] = settings[process.SET_DEMAND_LPM]
    x[[process.FEED_VALVE, process.INTEGRAL_FEED, process.OUTLET_VALVE, process.INTEGRAL_OUTLET]] = 0.5
    x[[process.PUMP_SPEED, process.INTEGRAL_PUMP]] = 0.75
    x[process.INTEGRAL_HEATER] = 0.5
    x[process.DISTURBANCE : process.DISTURBANCE + 4] = rng.standard_normal(4)
    return x, np.zeros(process.SCRATCH_SIZE)


def _advance(
    x: npt.NDArray[np.float64],
    u: npt.NDArray[np.float64],
    settings: npt.NDArray[np.float64],
    period_s: float,
    codes: npt.NDArray[np.int64],
    severities: npt.NDArray[np.float64],
    draws: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    steps = max(1, math.ceil(period_s / LONGEST_STEP_S))
    growth = -np.expm1(-period_s / np.array([FAULT_GROWTH_S[state] for state in STATES[1:]]))
    memory = np.exp(-period_s / np.array(DISTURBANCE_S))
    out = np.empty((process.QUANTITIES, len(codes)), dtype=np.float64)
    process.advance(x, u, settings, period_s, steps, codes, severities, growth, memory, draws, out)
    return out
