"""What a run of the plant is: its episodes, set points, seed, and the time on its clock."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.errors import Problem, RequestError
from engine.plant.instruments import MOST_CHANNELS

STATES: tuple[str, ...] = ("normal", "leak", "fouling", "sensor_drift", "stuck_valve", "pump_wear")
"""Names of the plant's states; a row's state is an index into it."""

FAULT_RANGES: dict[str, tuple[float, float]] = {
    "leak": (1.5e-5, 3.0e-5),  # m2, discharge coefficient times area: some 10 to 20 per cent of the demand
    "fouling": (0.28, 0.55),  # share of the heater's transfer coefficient that is lost
    "sensor_drift": (-2.5, -6.0),  # K; ageing elements read low
    "stuck_valve": (0.14, 0.32),  # share of the feed valve's travel that the command must leave behind before it moves
    "pump_wear": (0.16, 0.28),  # share of the shut-off head that is lost
}
"""Full size of each fault at severity 0 and at severity 1."""

FAULT_GROWTH_S: dict[str, float] = {
    "leak": 4.0,
    "fouling": 40.0,
    "sensor_drift": 30.0,
    "stuck_valve": 2.0,
    "pump_wear": 20.0,
}
"""Time constant with which a fault comes and, repaired, goes."""

_SET_POINT_RANGES: dict[str, tuple[float, float]] = {
    "demand_lpm": (5.0, 45.0),
    "tank1_level_m": (0.1, 1.3),
    "tank2_level_m": (0.1, 1.3),
    "temperature_c": (5.0, 90.0),
    "ambient_c": (-30.0, 50.0),
    "feed_c": (1.0, 60.0),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STREAM_SET_POINTS, _STREAM_SEVERITIES = 1, 2


@dataclass(frozen=True, slots=True)
class Episode:
    """Successive rows of one state."""

    state: str
    rows: int
    severity: float | None = None  # 0 to 1 within the fault's range; None: drawn from the seed


@dataclass(frozen=True, slots=True)
class SetPoints:
    """What the operators ask of the plant, and the weather around it; constant over a run, disturbed a little all the time."""

    demand_lpm: float  # outlet flow; the pump reaches about 40
    tank1_level_m: float  # the tanks run over at 1.4
    tank2_level_m: float
    temperature_c: float  # of tank 2
    ambient_c: float
    feed_c: float

    @classmethod
    def draw(cls, seed: int) -> "SetPoints":
        """Draw the set points of one run within the plant's habits."""
        rng = np.random.default_rng([seed, _STREAM_SET_POINTS])
        return cls(
            demand_lpm=round(rng.uniform(29.2, 30.8), 1),
            tank1_level_m=round(rng.uniform(0.794, 0.806), 3),
            tank2_level_m=round(rng.uniform(0.596, 0.604), 3),
            temperature_c=round(rng.uniform(44.7, 45.3), 2),
            ambient_c=round(rng.uniform(15.0, 23.0), 1),
            feed_c=round(rng.uniform(12.5, 13.5), 1),
        )


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run of the plant.

    The plant has been in the first episode's state for a while when the first row is taken, so that a run of one episode shows
    that state alone. Equal scenarios give equal recordings, and one with fewer channels gives the first ones of another.

    Raises
    ------
    RequestError
        Names everything that cannot be simulated.
    """

    episodes: tuple[Episode, ...]
    seed: int
    channels: int = 12
    set_points: SetPoints | None = field(default=None)  # None: drawn from the seed
    period_s: float = 1.0
    start: str = "2026-01-05T06:00:00Z"  # ISO 8601; an offset is turned into UTC

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated, all of it at once."""
        problems = tuple(self._problems())
        if problems:
            raise RequestError(problems)

    def _problems(self) -> list[Problem]:
        found: list[Problem] = []

        def refuse(where: str, message: str, suggestion: str) -> None:
            found.append(Problem("invalid_parameter", message, where, suggestion))

        if not self.episodes:
            refuse("episodes", "A scenario needs at least one episode.", "Give one such as Episode('normal', 600).")
        for i, episode in enumerate(self.episodes):
            if episode.state not in STATES:
                refuse(
                    f"episodes.{i}.state",
                    f"The plant knows no state {episode.state!r}.",
                    f"It knows {', '.join(STATES)}.",
                )
            if episode.rows < 1:
                refuse(f"episodes.{i}.rows", f"Episode {i} has {episode.rows} rows.", "Give at least 1.")
            if episode.severity is not None and not 0.0 <= episode.severity <= 1.0:
                refuse(f"episodes.{i}.severity", f"Episode {i} has a severity of {episode.severity}.", "Give 0 to 1.")
        for name, (low, high) in _SET_POINT_RANGES.items() if self.set_points is not None else ():
            value = getattr(self.set_points, name)
            if not low <= value <= high:
                refuse(
                    f"set_points.{name}", f"The plant cannot be run at {name} {value}.", f"Give {low:g} to {high:g}."
                )
        if not 1 <= self.channels <= MOST_CHANNELS:
            refuse("channels", f"The plant has no {self.channels} channels.", f"Ask for 1 to {MOST_CHANNELS}.")
        if self.seed < 0:
            refuse("seed", f"The seed {self.seed} is negative.", "Give 0 or more.")
        if not 0.001 <= self.period_s <= 3600.0:
            refuse("period_s", f"A row every {self.period_s} s cannot be simulated.", "Give 0.001 to 3600 s.")
        try:
            datetime.fromisoformat(self.start)
        except ValueError:
            refuse("start", f"The start {self.start!r} is no time.", "Write it like 2026-01-05T06:00:00Z.")
        return found

    @property
    def rows(self) -> int:
        """Rows of all episodes together."""
        return sum(episode.rows for episode in self.episodes)

    @property
    def settings(self) -> SetPoints:
        """The set points: those given, or those that the seed draws."""
        return self.set_points or SetPoints.draw(self.seed)

    def states(self, first_row: int, rows: int) -> npt.NDArray[np.int64]:
        """Return the state of each of some rows, as indices into `STATES`; shape (rows,)."""
        return np.array([STATES.index(episode.state) for episode in self.episodes])[self._episode(first_row, rows)]

    def severities(self, first_row: int, rows: int) -> npt.NDArray[np.float64]:
        """Return the full size of each row's fault, 0 where there is none; shape (rows,), units of `FAULT_RANGES`."""
        shares = np.random.default_rng([self.seed, _STREAM_SEVERITIES]).random(len(self.episodes))
        ranges = [FAULT_RANGES.get(episode.state, (0.0, 0.0)) for episode in self.episodes]
        for i, episode in enumerate(self.episodes):
            if episode.severity is not None:
                shares[i] = episode.severity
        lows, highs = np.array(ranges).T
        sizes: npt.NDArray[np.float64] = lows + shares * (highs - lows)
        return sizes[self._episode(first_row, rows)]

    def _episode(self, first_row: int, rows: int) -> npt.NDArray[np.intp]:
        ends = np.array(list(itertools.accumulate(episode.rows for episode in self.episodes)))
        return np.searchsorted(ends, np.arange(first_row, first_row + rows), side="right")

    def times(self, first_row: int, rows: int) -> npt.NDArray[np.str_]:
        """Return the time of each of some rows as ISO 8601 text, all of one width; shape (rows,).

        Whole seconds where start and period have no fraction, else milliseconds or microseconds. A start without an offset
        gives times without one.
        """
        moment = datetime.fromisoformat(self.start)
        local = moment.tzinfo is None
        start_us = ((moment.replace(tzinfo=UTC) if local else moment) - _EPOCH) // timedelta(microseconds=1)
        period_us = self.period_s * 1e6
        times_us = start_us + np.rint(np.arange(first_row, first_row + rows) * period_us).astype(np.int64)
        unit: Literal["s", "ms", "us"] = "us"
        if start_us % 1_000_000 == 0 == period_us % 1_000_000:
            unit = "s"
        elif start_us % 1000 == 0 == period_us % 1000:
            unit = "ms"
        moments = times_us.astype("datetime64[us]")
        text = np.datetime_as_string(moments, unit=unit, timezone="naive" if local else "UTC")
        narrow: npt.NDArray[np.str_] = text.astype(f"U{len(text[0])}")  # numpy leaves room for offsets
        return narrow
