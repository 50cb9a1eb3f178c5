"""How people write readings down: lists, tables, logs, sentences. Each form says what a reader can see of a channel's course."""

import json
from collections.abc import Callable, Sequence
from random import Random

from engine.plant.activities.readings import Reading

RISES = "+>"
LEVEL_WORDS = {
    "0": ("zero", "none", "nil", "nothing"),
    "l": ("low", "very low", "small"),
    "n": ("normal", "as usual", "OK", "steady"),
    "h": ("high", "very high", "too high"),
}


def with_unit(text: str, reading: Reading, rng: Random) -> str:
    """Return a value with its unit: `3.1 bar`, `47%`."""
    if not reading.unit:
        return text
    tight = rng.random() < (0.5 if reading.unit in ("%", "°C", "°", "°F") else 0.12)
    return f"{text}{'' if tight else ' '}{reading.unit}"


def say(reading: Reading, rng: Random) -> str:
    """Return a channel's readings in a phrase that tells its course."""
    course = reading.sign.course if reading.sign else ""
    if reading.sign and reading.numbers and not course and not reading.limited and rng.random() < 0.05:
        words = LEVEL_WORDS.get(reading.sign.level)
        if words:
            reading.put_in_words(rng.choice(words))
            return reading.last
    last = with_unit(reading.last, reading, rng)
    if not reading.numbers or not course or len(reading.texts) == 1:
        return last
    first = reading.first
    if course == "~":
        if rng.random() < 0.15:
            reading.forget()
            return f"{last}, {rng.choice(('unsteady', 'fluctuating', 'swinging', 'hunting'))}"
        low, high = reading.lowest, with_unit(reading.highest, reading, rng)
        return rng.choice(("{} to {}, swinging", "between {} and {}", "unsteady, {} to {}", "{}..{}", "{} - {} fluctuating")).format(low, high)  # fmt: skip
    if course == "^":
        high = reading.highest
        return rng.choice(("{1}, peak {0}", "spike to {0}, now {1}", "{1} (max {0})", "{1} after a peak of {0}")).format(high, last)  # fmt: skip
    up = course in RISES
    if rng.random() < 0.22:
        reading.forget()
        words = (
            ("rising", "increasing", "going up", "climbing")
            if up
            else ("falling", "decreasing", "going down", "dropping")
        )
        return rng.choice(("{} and {}", "{}, {}", "{} ({})", "{} {}")).format(last, rng.choice(words))
    forms = [
        f"{first} -> {last}", f"from {first} to {last}", f"{last} (was {first})", f"{first} => {last}",
        f"{'rising' if up else 'falling'} from {first} to {last}", f"{last}, {'up' if up else 'down'} from {first}",
        f"{'climbing' if up else 'dropping'}, {first} then {last}",
    ]  # fmt: skip
    return rng.choice(forms)


def _listed(readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:
    trained = (("\n", "- {}: {}"), ("\n", "{}: {}"), ("\n", "{} = {}"), (", ", "{} {}"), (", ", "{}={}"), ("; ", "{}: {}"), (" ", "{}={}"),
               ("\n", "* {} {}"), (" / ", "{} {}"), ("\n", "{}\t{}"), (" | ", "{}: {}"))  # fmt: skip
    unseen = (("\n", "> {} : {}"), (" & ", "{} at {}"), ("\n", "[{}] {}"))
    mark, pattern = rng.choice(unseen if held_out else trained)
    if pattern == "{}={}":
        return mark.join(
            pattern.format(one.name, say(one, rng).replace(" ", "_" if mark == " " else " ")) for one in readings
        )
    return mark.join(pattern.format(one.name, say(one, rng)) for one in readings)


def _sentences(readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:
    parts = []
    for one in readings:
        phrase = say(one, rng)
        patterns = (
            ("{} reads {}", "{} shows {}", "we see {} at {}")
            if held_out
            else ("{} is {}", "the {} is {}", "{} {}", "{} at {}", "with {} {}", "{} stands at {}")
        )
        parts.append(rng.choice(patterns).format(one.name, phrase))
    half = rng.randrange(1, len(parts)) if len(parts) > 2 else len(parts)
    texts = [", ".join(group) for group in (parts[:half], parts[half:]) if group]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in texts)


def _object(readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:  # noqa: ARG001
    unit_in_name = rng.random() < 0.5
    content: dict[str, object] = {}
    for one in readings:
        key = f"{one.name}_{one.unit}" if unit_in_name and one.unit else one.name
        values = [
            _as_json(text)
            for text in (one.texts if len(one.texts) > 1 and one.sign and one.sign.course else one.texts[-1:])
        ]
        value: object = values[0] if len(values) == 1 else values
        if one.unit and not unit_in_name:
            if rng.random() < 0.3:
                value = {"value": value, "unit": one.unit}
            else:
                one.unit = ""  # not written, so not to be quoted
        content[key] = value
    return json.dumps(content, ensure_ascii=False, indent=rng.choice((None, None, 1)))


def _as_json(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if str(value) == text else text


def _clock(rows: int, rng: Random) -> list[str]:
    style = rng.randrange(5)
    minutes, step, day = rng.randrange(1000), rng.choice((1, 1, 2, 5, 10)), rng.randrange(1, 28)
    texts = []
    for row in range(rows):
        now = minutes + row * step
        hours, rest = now // 60 % 24, now % 60
        texts.append(
            (
                f"{hours:02d}:{rest:02d}",
                f"2024-03-{day:02d}T{hours:02d}:{rest:02d}:00",
                f"{hours:02d}:{rest:02d}:00",
                f"t{row}",
                str(row * step),
            )[style]
        )
    return texts


def _table(readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:
    rows = len(readings[0].texts)
    unit_style = rng.choice(("{} [{}]", "{} ({})", "{} {}", "{}_{}"))
    head = [unit_style.format(one.name, one.unit) if one.unit else one.name for one in readings]
    lines = [[one.texts[row] for one in readings] for row in range(rows)]
    if rng.random() < 0.6:
        head = [rng.choice(("time", "timestamp", "t", "Time")), *head]
        lines = [[clock, *line] for clock, line in zip(_clock(rows, rng), lines, strict=True)]
    style = rng.choice(
        ("bars", "colon") if held_out else ("csv", "csv", "markdown", "tab", "semicolon", "space", "json")
    )
    if style == "markdown":
        rule = ["---"] * len(head)
        return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])
    if style == "json":
        return "\n".join(
            json.dumps(dict(zip(head, map(_as_json, line), strict=True)), ensure_ascii=False) for line in lines
        )
    if style == "colon":
        return "\n".join("; ".join(f"{name}: {text}" for name, text in zip(head, line, strict=True)) for line in lines)
    comma = any("," in text for line in lines for text in line)
    mark = {"csv": ";" if comma else ",", "tab": "\t", "semicolon": ";", "space": "  ", "bars": " || "}[style]
    return "\n".join(mark.join(line) for line in [head, *lines])


def _channels(readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:
    mark = " | " if held_out else rng.choice((" ", ", ", " -> ", " ; "))
    pattern = rng.choice(("{}: {}", "{} {}", "{} = [{}]"))
    return "\n".join(
        pattern.format(f"{one.name} ({one.unit})" if one.unit else one.name, mark.join(one.texts)) for one in readings
    )


def _log(readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:
    rows = len(readings[0].texts)
    level = rng.choice(("", "INFO ", "DATA ")) if not held_out else "rec "
    return "\n".join(
        f"{clock} {level}" + " ".join(f"{one.name}={one.texts[row]}{one.unit}" for one in readings)
        for row, clock in enumerate(_clock(rows, rng))
    )


def _summary(readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:
    pattern = rng.choice((
        "{name}: min {low}, max {high}, last {last}{unit}", "{name}: first {first}, last {last}{unit}, min {low}, max {high}",
        "{name} {low} to {high}{unit}, last {last}", "{name}: start {first}, end {last}{unit} (range {low}-{high})",
    ) if not held_out else ("{name} | lowest {low} | highest {high} | start {first} | end {last}{unit}",))  # fmt: skip
    lines = []
    for one in readings:
        if not one.numbers:
            lines.append(f"{one.name}: {one.last}")
            continue
        facts = {"name": one.name, "low": one.lowest, "high": one.highest, "first": one.first, "last": one.last}
        needs_start = one.sign is not None and one.sign.course and "{first}" not in pattern
        lines.append(
            pattern.format(unit=f" {one.unit}" if one.unit else "", **facts)
            + (f", first {one.first}" if needs_start else "")
        )
    return "\n".join(lines)


def _before_after(readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:
    before, after = rng.choice((("Earlier", "at the end"), ("Start of record", "End of record")) if held_out else (
        ("Before", "After"), ("10 minutes ago", "Now"), ("Then", "Now"), ("t0", "t1"), ("Previous", "Current"), ("Start", "End")))  # fmt: skip
    mark = rng.choice((", ", "; ", "\n- "))
    sides = []
    for title, place in ((before, 0), (after, -1)):
        items = []
        for one in readings:
            text = with_unit(one.texts[place], one, rng)
            if one.sign and one.sign.course == "~":
                text = f"{one.lowest} to {with_unit(one.highest, one, rng)}"
            elif one.sign and one.sign.course == "^" and place == -1:
                text += f" (peak {one.highest})"
            items.append(f"{one.name} {text}")
        sides.append(
            f"{title}: " + mark.removesuffix("- ").join(items) if mark != "\n- " else f"{title}:\n- " + mark.join(items)
        )
    return "\n".join(sides)


Form = Callable[..., str]
SNAPSHOTS: tuple[Form, ...] = (_listed, _listed, _listed, _sentences, _sentences, _object)
SERIES: tuple[Form, ...] = (_table, _table, _table, _channels, _log, _summary, _summary, _before_after)


def draw_form(rng: Random) -> tuple[Form, int]:
    """Draw a form and how many moments it shows."""
    if rng.random() < 0.58:
        return rng.choice(SNAPSHOTS), rng.choice((2, 3, 5))
    form = rng.choice(SERIES)
    return form, 5 if form in (_summary, _before_after) else rng.choice((3, 3, 4, 4, 5, 6, 8))
