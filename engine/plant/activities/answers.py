"""The true answer to a record: the activity's name, the readings that show it, and what is unusual."""

from collections.abc import Sequence
from random import Random

from engine.plant.activities.readings import Reading

NOTHING = ("Nothing unusual.", "Nothing unusual.", "Nothing unusual.", "No reading is unusual.")


def answer(activity: str, readings: Sequence[Reading], unusual: str, rng: Random) -> str:
    """Return the answer to a record that shows `readings`."""
    deciding = [one for one in readings if one.sign is not None and one.sign.decides]
    chosen = rng.sample(deciding, min(len(deciding), rng.choice((1, 2, 2, 3))))
    clauses = [_clause(one, rng) for one in chosen]
    text = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
    closing = f"Unusual: {unusual}." if unusual else rng.choice(NOTHING)
    return f"{activity[0].upper()}{activity[1:]}. {text[0].upper()}{text[1:]}. {closing}"


def quote(readings: Sequence[Reading], rng: Random) -> str:
    """Return what these readings are, in their order, with no word about an activity."""
    clauses = [
        _clause(one, rng) if one.sign else f"{one.name} is {one.last}{' ' + one.unit if one.unit else ''}"
        for one in readings
    ]
    text = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
    return f"{text[0].upper()}{text[1:]}."


def _clause(reading: Reading, rng: Random) -> str:
    sign = reading.sign
    assert sign is not None
    name, unit = reading.name, f" {reading.unit}" if reading.unit else ""
    if not reading.numbers:
        return f"{name} is {reading.last}"
    if sign.course and len(reading.texts) == 1:
        trend = {"~": "is unsteady at", "^": "is"}.get(
            sign.course, "is rising at" if sign.course in "+>" else "is falling at"
        )
        return f"{name} {trend} {reading.last}{unit}"
    match sign.course:
        case "+" | ">":
            return f"{name} rises from {reading.first} to {reading.last}{unit}"
        case "-" | "<":
            return f"{name} falls from {reading.first} to {reading.last}{unit}"
        case "d":
            return f"{name} drops from {reading.first} to {reading.last}{unit}"
        case "~":
            return f"{name} swings between {reading.lowest} and {reading.highest}{unit}"
        case "^":
            return f"{name} peaks at {reading.highest}{unit}"
    level = {"0": "is", "l": "is low at", "h": "is high at"}.get(sign.level, "is")
    return (
        f"{name} {level} {reading.last}{unit}"
        if rng.random() < 0.8 or sign.level == "0"
        else f"{name} is {reading.last}{unit}"
    )
