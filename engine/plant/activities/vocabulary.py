"""The words of the rule base: domains, what is measured there, and which readings show which activity.

A domain is written as lines of text (`machines.py`, `processes.py`, `everyday.py`) and parsed here:

    domain KEY : names in training || names held out
    role KEY QUANTITY RANGES : names in training || names held out
    act KEY | other names : ROLE LEVEL, *ROLE LEVEL, ...

RANGES is `a..b`, the normal level over small and large plants in the quantity's first unit, or a range for each level,
`l=a..b n=a..b h=a..b`, or, for the quantity `state`, the spellings of each value, `on=on/running off=off/stopped`.

LEVEL is 0 (off), l (low), m (half), n (normal), h (high) or a state's value, then the course over the readings: nothing (steady), + (rises), -
(falls), > and < (a little), ~ (swings), ^ (one spike), d (drops at once). A star marks the readings that together decide the activity: they are always shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

Range = tuple[float, float]

UNITS: dict[str, tuple[tuple[str, float, float], ...]] = {  # quantity -> (unit, factor, offset) from the first one
    "pressure": (("bar", 1, 0), ("kPa", 100, 0), ("psi", 14.504, 0), ("MPa", 0.1, 0), ("bar(g)", 1, 0)),
    "small_pressure": (("Pa", 1, 0), ("mbar", 0.01, 0), ("inH2O", 0.00401, 0)),
    "temperature": (("°C", 1, 0), ("degC", 1, 0), ("°F", 1.8, 32), ("C", 1, 0), ("K", 1, 273.15), ("degF", 1.8, 32)),
    "flow": (("m3/h", 1, 0), ("l/min", 16.667, 0), ("gpm", 4.403, 0), ("l/s", 0.27778, 0), ("m³/h", 1, 0)),
    "air_flow": (("m3/h", 1, 0), ("cfm", 0.5886, 0), ("m³/h", 1, 0), ("l/s", 0.2778, 0)),
    "turns": (("rpm", 1, 0), ("1/min", 1, 0), ("RPM", 1, 0), ("r/min", 1, 0)),
    "velocity": (("km/h", 1, 0), ("mph", 0.6214, 0), ("m/s", 0.27778, 0)),
    "wind_velocity": (("m/s", 1, 0), ("km/h", 3.6, 0), ("mph", 2.237, 0), ("kn", 1.944, 0)),
    "slow_velocity": (("m/s", 1, 0), ("m/min", 60, 0), ("ft/min", 196.85, 0)),
    "feed": (("mm/min", 1, 0), ("in/min", 0.03937, 0), ("mm/s", 0.016667, 0)),
    "length": (("m", 1, 0), ("ft", 3.2808, 0)),
    "rate": (("m/h", 1, 0), ("ft/h", 3.2808, 0), ("m/hr", 1, 0)),
    "weight": (("t", 1, 0), ("klbf", 2.2046, 0), ("kN", 9.81, 0), ("klbs", 2.2046, 0), ("kdaN", 0.981, 0)),
    "mass_flow": (("t/h", 1, 0), ("kg/h", 1000, 0), ("kg/s", 0.27778, 0), ("tph", 1, 0)),
    "mass": (("kg", 1, 0), ("lb", 2.2046, 0), ("t", 0.001, 0)),
    "torque": (("Nm", 1, 0), ("kNm", 0.001, 0), ("ft-lb", 0.7376, 0), ("N·m", 1, 0)),
    "force": (("N", 1, 0), ("lbf", 0.2248, 0)),
    "current": (("A", 1, 0), ("amps", 1, 0), ("Amp", 1, 0)),
    "voltage": (("V", 1, 0), ("volts", 1, 0)),
    "power": (("kW", 1, 0), ("W", 1000, 0), ("hp", 1.341, 0)),
    "share": (("%", 1, 0), ("pct", 1, 0), ("percent", 1, 0)),
    "vibration": (("mm/s", 1, 0), ("in/s", 0.03937, 0), ("mm/s RMS", 1, 0)),
    "sound": (("dB", 1, 0), ("dB(A)", 1, 0)),
    "acceleration": (("g", 1, 0), ("m/s2", 9.81, 0)),
    "angle": (("deg", 1, 0), ("°", 1, 0), ("degrees", 1, 0)),
    "throughput": (("Mbit/s", 1, 0), ("Mbps", 1, 0), ("kB/s", 125, 0), ("MB/s", 0.125, 0)),
    "disk_rate": (("MB/s", 1, 0), ("MiB/s", 0.9537, 0), ("kB/s", 1000, 0)),
    "count_rate": (("/s", 1, 0), ("per s", 1, 0), ("per min", 60, 0)),
    "pulse": (("bpm", 1, 0), ("1/min", 1, 0)),
    "time_ms": (("ms", 1, 0), ("s", 0.001, 0)),
    "count": (("", 1, 0),),
    "volume": (("l", 1, 0), ("m3", 0.001, 0), ("gal", 0.2642, 0)),
}


@dataclass(frozen=True, slots=True)
class Role:
    """Something that is measured: its names, and its readings at each level, in the first unit of its quantity."""

    key: str
    quantity: str
    scale: Range | None
    levels: dict[str, Range]
    states: dict[str, tuple[str, ...]]
    names: tuple[str, ...]
    held_out: tuple[str, ...]
    more: tuple[str, ...] = ()  # names in training that people of other trades use


@dataclass(frozen=True, slots=True)
class Sign:
    """A reading that belongs to an activity; `decides` when the activity cannot be told without it."""

    role: str
    level: str
    course: str
    decides: bool


@dataclass(frozen=True, slots=True)
class Activity:
    """What is going on, by other names too, and its signs."""

    key: str
    others: tuple[str, ...]
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """A kind of machine, plant or wearer."""

    key: str
    names: tuple[str, ...]
    held_out: tuple[str, ...]
    roles: dict[str, Role]
    activities: dict[str, Activity]
    more: tuple[str, ...] = ()


MoreNames = Mapping[tuple[str, str], tuple[str, ...]]


def parse(text: str, roles: MoreNames, machines: Mapping[str, tuple[str, ...]]) -> dict[str, Domain]:
    """Read domains from their lines; more names of roles are given by domain and role, of machines by domain."""
    domains: dict[str, Domain] = {}
    for line in text.strip().splitlines():
        kind, _, rest = line.strip().partition(" ")
        if kind == "domain":
            key, names, held_out = _names(rest)
            domain = domains[key] = Domain(key, (key, *names), held_out, {}, {}, machines.get(key, ()))
        elif kind == "role":
            head, names, held_out = _names(rest)
            role = _role(head.split(), names, held_out)
            role = replace(role, more=roles.get((domain.key, role.key), ()))
            domain.roles[role.key] = role
        elif kind == "act":
            activity = _activity(rest)
            unknown = [sign.role for sign in activity.signs if sign.role not in domain.roles]
            assert not unknown, f"{domain.key}, {activity.key}: no role {unknown}"
            domain.activities[activity.key] = activity
    return domains


def _names(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    head, _, names = text.partition(" : ")
    trained, _, held_out = names.partition("||")
    return head.strip(), _split(trained, ";"), _split(held_out, ";")


def _split(text: str, mark: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(mark) if part.strip())


def _range(text: str) -> Range:
    low, _, high = text.partition("..")
    return float(low), float(high)


def _role(head: list[str], names: tuple[str, ...], held_out: tuple[str, ...]) -> Role:
    key, quantity, *ranges = head
    if quantity == "state":
        pairs = (part.split("=") for part in ranges)
        spellings = {value: tuple(text.replace("_", " ").split("/")) for value, text in pairs}
        return Role(key, quantity, None, {}, spellings, names, held_out)
    assert quantity in UNITS, f"no quantity {quantity}"
    if "=" in ranges[0]:
        levels = {part.split("=")[0]: _range(part.split("=")[1]) for part in ranges}
        return Role(key, quantity, None, levels, {}, names, held_out)
    return Role(key, quantity, _range(ranges[0]), {}, {}, names, held_out)


def _activity(text: str) -> Activity:
    head, _, signs = text.partition(" : ")
    key, _, others = head.partition("|")
    return Activity(key.strip(), _split(others, ";"), tuple(_sign(part) for part in _split(signs, ",")))


def _sign(text: str) -> Sign:
    role, level = text.split()
    course = level[-1] if level[-1] in "+-><~^d" and len(level) > 1 and level[:-1] in "0lmnh" else ""
    return Sign(role.lstrip("*"), level.removesuffix(course) if course else level, course, role.startswith("*"))
