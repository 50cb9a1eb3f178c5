"""Readings of one imagined plant: which channels a record shows, what they are called there, and their values as text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

from engine.plant.activities import naming
from engine.plant.activities.spellings import MORE_SIDE, MORE_STATES, MORE_UNITS
from engine.plant.activities.vocabulary import UNITS, Activity, Domain, Role, Sign

SCALED = {"0": (0.0, 0.0), "l": (0.08, 0.3), "m": (0.4, 0.65), "n": (0.85, 1.1), "h": (1.5, 2.2)}  # shares of normal
ADDED = {"temperature": (6, 35), "share": (6, 40)}  # how far these move, in their unit; the others move by a factor
SIDE = (  # channels that have nothing to do with it
    ("ambient temperature", "°C", 8, 31), ("logger battery", "V", 11.6, 12.9), ("air humidity", "%", 30, 80),
    ("mains frequency", "Hz", 49.9, 50.1), ("barometer", "hPa", 985, 1030), ("signal strength", "dBm", -95, -55),
    ("cabinet temperature", "°C", 22, 38), ("line voltage", "V", 396, 412), ("operating hours", "h", 900, 48000),
    ("free storage", "GB", 8, 220), ("GPS satellites", "", 5, 14), ("sensor age", "days", 12, 900), ("unit id", "", 2, 97),
)  # fmt: skip
SIDE_HELD_OUT = (("room light", "lx", 120, 480), ("controller uptime", "h", 40, 9000), ("dew point", "°C", 2, 14))
TAGS = {
    "pressure": "PT",
    "temperature": "TT",
    "flow": "FT",
    "turns": "SI",
    "current": "II",
    "share": "LI",
    "vibration": "VT",
}


@dataclass(slots=True)
class Reading:
    """One channel of a record: name and unit as written, its values in time as text, and what it shows."""

    name: str
    unit: str
    texts: list[str]
    numbers: list[float] = field(default_factory=list)  # empty for states
    sign: Sign | None = None  # None: it has nothing to do with the activity
    limited: bool = False  # a limit is stated for it, so its number has to be
    quantity: str = ""

    def forget(self) -> None:
        """Keep the last value only: the record tells the course in words."""
        self.texts, self.numbers = self.texts[-1:], self.numbers[-1:]

    def put_in_words(self, word: str) -> None:
        """Say a level in words, without a number."""
        self.texts, self.numbers, self.unit = [word], [], ""

    @property
    def first(self) -> str:
        """Return the first value's text."""
        return self.texts[0]

    @property
    def last(self) -> str:
        """Return the last value's text."""
        return self.texts[-1]

    @property
    def lowest(self) -> str:
        """Return the text of the smallest value."""
        return self.texts[self.numbers.index(min(self.numbers))]

    @property
    def highest(self) -> str:
        """Return the text of the largest value."""
        return self.texts[self.numbers.index(max(self.numbers))]


@dataclass(frozen=True, slots=True)
class Hand:
    """How one author writes names and numbers."""

    case: str
    decimal: str
    thousands: str
    units: bool
    zero: str  # what stands for a reading of nothing, "" for a plain 0

    @classmethod
    def draw(cls, rng: Random) -> "Hand":
        """Draw an author."""
        case = rng.choices(("as is", "title", "snake", "camel", "upper", "tag"), (46, 16, 14, 8, 6, 10))[0]
        comma = rng.random() < 0.05
        thousands = "," if not comma and rng.random() < 0.06 else ""
        zero = rng.choice(("zero", "nil", "none", "zero")) if rng.random() < 0.08 else ""
        return cls(case, "," if comma else ".", thousands, rng.random() < 0.86, zero)


def take_readings(
    domain: Domain, activity: Activity, rows: int, hand: Hand, rng: Random, *, held_out: bool
) -> list[Reading]:
    """Draw a plant and what its channels show over `rows` moments: those that decide, some others, some of no concern."""
    shown = [sign for sign in activity.signs if sign.decides or rng.random() < 0.55]
    rng.shuffle(shown)
    names: set[str] = set()
    readings = []
    for sign in shown:
        reading = _read(domain.roles[sign.role], sign, rows, hand, rng, held_out=held_out)
        if reading.name not in names:
            names.add(reading.name)
            readings.append(reading)
        elif sign.decides:  # two roles of one name would be told apart by nobody
            reading.name += " 2"
            names.add(reading.name)
            readings.append(reading)
    for name, unit, low, high in rng.sample(
        SIDE_HELD_OUT if held_out else (*SIDE, *MORE_SIDE), rng.choice((0, 0, 0, 1, 1, 2, 3))
    ):
        value = rng.uniform(low, high)
        numbers = [value * (1 + rng.gauss(0, 0.002)) for _ in range(rows)]
        side = Reading(spell(name, hand, rng), unit if hand.units else "", write(numbers, hand, rng), numbers)
        readings.insert(rng.randrange(len(readings) + 1), side)
    return readings


def spell(name: str, hand: Hand, rng: Random, quantity: str = "") -> str:
    """Write a name in the author's way."""
    words = name.replace("_", " ").split()
    match hand.case:
        case "title":
            return " ".join(word if word.isupper() else word.capitalize() for word in words)
        case "snake":
            return "_".join(words).replace("-", "_").lower()
        case "camel":
            return words[0].lower() + "".join(word[:1].upper() + word[1:] for word in words[1:])
        case "upper":
            return "_".join(words).replace("-", "_").upper()
        case "tag":
            mark, number = rng.choice(("-", "_", " ", "")), rng.randrange(1, 999)
            return f"{TAGS.get(quantity, 'XI')}{mark}{number:03d} {name}"
    return name


def write(numbers: Sequence[float], hand: Hand, rng: Random) -> list[str]:
    """Write numbers with as many decimals as their size asks for."""
    largest = max(abs(number) for number in numbers)
    sizes = ((1000, (0, 0, 1)), (100, (0, 0, 1)), (10, (0, 1, 1, 2)), (1, (1, 1, 2)), (0.1, (2, 2, 3)), (0, (3, 4)))
    decimals = rng.choice(next(choice for size, choice in sizes if largest >= size))
    texts = []
    for number in numbers:
        if number == 0:
            texts.append(hand.zero or "0" if decimals == 0 or largest == 0 else f"{0:.{decimals}f}")
            continue
        text = f"{number:,.{decimals}f}" if hand.thousands else f"{number:.{decimals}f}"
        texts.append(text.replace(".", hand.decimal) if hand.decimal == "," else text)
    return texts


def _read(role: Role, sign: Sign, rows: int, hand: Hand, rng: Random, *, held_out: bool) -> Reading:
    if held_out:
        chosen = rng.choice(role.held_out or role.names)
    else:
        chosen = rng.choice(role.more if role.more and rng.random() < 0.55 else role.names)
        chosen = naming.channel(chosen, _normalised(role.held_out), rng)
    name = spell(chosen, hand, rng, role.quantity)
    if role.quantity == "state":
        spellings = role.states[sign.level]
        if not held_out and rng.random() < 0.45:
            spellings = MORE_STATES.get(f"{role.key} {sign.level}", MORE_STATES.get(sign.level, spellings))
        return Reading(name, "", [rng.choice(spellings)] * rows, sign=sign)
    more = () if held_out or rng.random() < 0.5 else MORE_UNITS.get(role.quantity, ())
    unit, factor, offset = rng.choice(more or UNITS[role.quantity])
    path = _course(role, sign, rows, rng, held_out=held_out)
    if factor == 0.001 and max(map(abs, path)) < 50:  # no author measures watts in megawatts
        unit, factor, offset = UNITS[role.quantity][0]
    numbers = [value * factor + offset for value in path]
    return Reading(name, unit if hand.units else "", write(numbers, hand, rng), numbers, sign, quantity=role.quantity)


@cache
def _normalised(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(naming.normalise, names))


def _course(role: Role, sign: Sign, rows: int, rng: Random, *, held_out: bool) -> list[float]:
    """Return a channel's values in its quantity's first unit."""
    if role.scale is not None:
        low, high = role.scale
        share = rng.random() ** (0.6 if held_out else 1.0)
        normal = low * (high / low) ** share * (rng.uniform(1.15, 1.3) if held_out else 1.0)
        start = normal * rng.uniform(*SCALED[sign.level])
    else:
        start = rng.uniform(*role.levels.get(sign.level, (0.0, 0.0)))
    if start == 0:
        noise = rng.random() < 0.12 and role.scale is not None
        return [abs(rng.gauss(0, 0.002)) * (role.scale or (1, 1))[0] if noise else 0.0 for _ in range(rows)]
    spread = rng.choice((0.0, 0.002, 0.006, 0.015))
    if rows == 1:
        return [start]
    if role.quantity == "temperature":
        values = [start + rng.gauss(0, 8 * spread) for _ in range(rows)]
    else:
        values = [start * (1 + rng.gauss(0, spread)) for _ in range(rows)]
        if role.quantity == "share":
            values = [min(100.0, value) if start <= 100 else value for value in values]
    return _bend(role, sign.course, start, values, rng)


def _bend(role: Role, course: str, start: float, values: list[float], rng: Random) -> list[float]:
    rows = len(values)
    steps = [place / (rows - 1) for place in range(rows)]
    added = ADDED.get(role.quantity)
    far = rng.uniform(*added) if added else start * rng.uniform(0.25, 1.4)
    match course:
        case "+":
            moved = [value + far * step for value, step in zip(values, steps, strict=True)]
            return [min(100.0, value) for value in moved] if role.quantity == "share" else moved
        case "-":
            far = min(far, 0.8 * abs(start)) if role.quantity != "temperature" else far
            return [value - far * step for value, step in zip(values, steps, strict=True)]
        case ">":
            far = rng.uniform(1, 4) if added else start * rng.uniform(0.002, 0.02)
            return [start + far * step for step in steps]
        case "<":
            far = rng.uniform(1, 4) if added else start * rng.uniform(0.002, 0.02)
            return [start - far * step for step in steps]
        case "~":
            width = rng.uniform(0.18, 0.5)
            sides = [1 if (place + rng.randrange(2)) % 2 else -1 for place in range(rows)]
            sides[0], sides[-1] = 1, -1
            return [start * (1 + side * width * rng.uniform(0.5, 1)) for side in sides]
        case "^":
            values[rng.randrange(1, rows)] *= rng.uniform(2.2, 3.5)
            return values
        case "d":
            cut = rng.randrange(1, rows)
            fall = rng.uniform(60, 220) if role.quantity == "temperature" else start * rng.uniform(0.75, 1)
            return [value - fall * (place >= cut) for place, value in enumerate(values)]
    return values
