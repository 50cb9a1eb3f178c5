"""How people write readings of several moments down: tables, logs, stories, figures, two times side by side. For training only."""

from collections.abc import Sequence
from random import Random

from engine.plant.activities.phrases import measure
from engine.plant.activities.readings import Reading

CELLS = (",", ";", "\t", " | ", "  ", ", ", "; ", "|", " ; ", "    ")
TITLES = {
    "name": ("name", "tag", "sensor", "channel", "signal", "id", "parameter", "item", "point", "quantity"),
    "value": ("value", "val", "v", "reading", "measurement", "actual", "act", "now"),
    "unit": ("unit", "uom", "units", "eu"),
    "time": ("time", "ts", "timestamp", "t", "when", "date", "at", "clock"),
    "min": ("min", "minimum", "low", "lo", "smallest", "bottom"),
    "max": ("max", "maximum", "high", "hi", "largest", "top"),
    "first": ("first", "begin", "initial", "opening", "from", "at start", "old"),
    "last": ("last", "final", "latest", "current", "to", "at end", "new", "now"),
    "mean": ("mean", "avg", "average", "typical"),
}
FIGURES = (
    ("min", "max", "last"), ("first", "last"), ("min", "mean", "max"), ("first", "last", "min", "max"), ("last", "min", "max"), ("mean", "min", "max"),
    ("min", "mean", "max", "first", "last"), ("first", "max", "last"), ("mean", "last"),
)  # fmt: skip
WORDS = ("at {c}", "{c}", "[{c}]", "({c})", "{c} h", "around {c}")


def clocks(rows: int, rng: Random) -> list[str]:
    """Return so many moments as one author writes them."""
    style = rng.randrange(13)
    start, step, day = rng.randrange(86000), rng.choice((1, 5, 10, 30, 60, 60, 300, 600, 900)), rng.randrange(1, 29)
    texts = []
    for row in range(rows):
        now = (start + row * step) % 86400
        hours, minutes, seconds = now // 3600, now // 60 % 60, now % 60
        texts.append((
            f"{hours:02d}:{minutes:02d}", f"{hours:02d}:{minutes:02d}:{seconds:02d}", f"{hours % 12 or 12}:{minutes:02d} {'pm' if hours > 11 else 'am'}",
            f"{hours:02d}h{minutes:02d}", f"2025-11-{day:02d} {hours:02d}:{minutes:02d}:{seconds:02d}", f"t={row * step}", f"+{row * step}s", f"T+{row}", f"min {row}",
            f"{day:02d}.06. {hours:02d}:{minutes:02d}", str(1700000000 + start + row * step), f"#{row + 1}", f"2025-06-{day:02d}T{hours:02d}:{minutes:02d}:{seconds:02d}Z",
        )[style])  # fmt: skip
    return texts


def draw_title(key: str, rng: Random) -> str:
    """Return what a column, or a figure, is called: `key` is one of `TITLES`."""
    title = rng.choice(TITLES[key])
    return title.capitalize() if rng.random() < 0.2 else title


def wide(readings: Sequence[Reading], rng: Random) -> str:
    """Return a table: a row for each moment, or, turned, for each channel."""
    cell, moments = rng.choice(CELLS), clocks(len(readings[0].texts), rng)
    listing = "{n}, {u}" if "," not in cell else "{n} in {u}"
    label = rng.choice(("{n} [{u}]", "{n} ({u})", "{n} {u}", "{n}_{u}", "{n}/{u}", listing, "{n}"))
    for one in readings:
        if label == "{n}":
            one.unit = ""
    heads = [label.format(n=one.name, u=one.unit) if one.unit else one.name for one in readings]
    with_time = rng.random() < 0.75
    if "|" not in cell and rng.random() < 0.35:
        rows = [[head, *one.texts] for head, one in zip(heads, readings, strict=True)]
        if with_time:
            rows = [[draw_title("name", rng), *moments], *rows]
    else:
        rows = [heads, *([one.texts[row] for one in readings] for row in range(len(moments)))]
        if with_time:
            rows = [[moment, *row] for moment, row in zip([draw_title("time", rng), *moments], rows, strict=True)]
    lines = [cell.join(row) for row in rows]
    if "|" in cell and rng.random() < 0.5:
        lines = [f"|{line}|" for line in lines]
    return "\n".join(lines)


def long(readings: Sequence[Reading], rng: Random) -> str:
    """Return a line for each value of each channel: moment, name, value, unit."""
    cell = rng.choice((",", ";", " ", "\t", " | ", ", "))
    order = rng.choice(("tnvu", "ntvu", "tnv", "ntv", "tnvu"))
    if "u" not in order:
        for one in readings:
            one.unit = ""
    lines = []
    if rng.random() < 0.4:
        names = {"t": "time", "n": "name", "v": "value", "u": "unit"}
        lines.append(cell.join(draw_title(names[key], rng) for key in order))
    grouped = rng.random() < 0.5
    moments = clocks(len(readings[0].texts), rng)
    places = [(row, one) for row in range(len(moments)) for one in readings]
    if grouped:
        places = [(row, one) for one in readings for row in range(len(moments))]
    for row, one in places:
        cells = {"t": moments[row], "n": one.name, "v": one.texts[row], "u": one.unit}
        lines.append(cell.join(cells[key] for key in order if cells[key] or key != "u"))
    return "\n".join(lines)


def logged(readings: Sequence[Reading], rng: Random) -> str:
    """Return a line for each moment, with the names repeated."""
    head = rng.choice(
        ("{} ", "[{}] ", "{} - ", "{}: ", "{} | ", "<{}> ", "{} INFO ", "{} sample ", "at {}: ", "{}\t", "{} > ")
    )
    link, end, tight = (
        rng.choice(("=", ": ", " ", "=", ":", " = ")),
        rng.choice((" ", ", ", " | ", ",")),
        rng.random() < 0.6,
    )
    if rng.random() < 0.4:
        for one in readings:
            one.unit = ""
    moments = clocks(len(readings[0].texts), rng)
    return "\n".join(
        head.format(moment)
        + end.join(f"{one.name}{link}{measure(one.texts[row], one, tight=tight)}" for one in readings)
        for row, moment in enumerate(moments)
    )


def narrated(readings: Sequence[Reading], rng: Random) -> str:
    """Return each channel's way through the moments in a sentence."""
    moments, when = clocks(len(readings[0].texts), rng), rng.choice(WORDS)
    tight, told = rng.random() < 0.2, []
    for one in readings:
        if one.sign is None or not one.sign.course or not one.numbers:
            told.append(
                rng.choice(
                    ("{} {} all the time", "{} {} throughout", "{} {}", "{} always {}", "{} constant, {}")
                ).format(one.name, measure(one.last, one, tight=tight))
            )
            continue
        places = range(len(moments)) if rng.random() < 0.5 or one.sign.course in "~^" else (0, len(moments) - 1)
        steps = [f"{measure(one.texts[row], one, tight=tight)} {when.format(c=moments[row])}" for row in places]
        told.append(f"{one.name} " + rng.choice((", ", ", then ", " -> ", "; ")).join(steps))
    return rng.choice((". ", "\n", "; ")).join(told) + "."


def _figures(readings: Sequence[Reading], rng: Random) -> tuple[str, ...]:
    """Draw which figures are given: all that it takes to see the courses are among them."""
    keys: tuple[str, ...] = rng.choice(FIGURES)
    courses = {one.sign.course for one in readings if one.sign and one.sign.course}
    if not {"first", "last"} <= set(keys) and courses & set("+-><d"):
        keys = ("first", *(key for key in keys if key not in ("first", "last")), "last")
    elif "last" not in keys:
        keys = (*keys, "last")
    if not {"min", "max"} <= set(keys) and courses & set("~^"):
        keys = (*keys, *(key for key in ("min", "max") if key not in keys))
    return keys


def statistics(readings: Sequence[Reading], rng: Random) -> str:
    """Return figures of each channel over the time: least, mean, most, first, last in some order."""
    keys = _figures(readings, rng)
    titles = {key: draw_title(key, rng) for key in keys}
    tabular, cell = rng.random() < 0.4, rng.choice(CELLS)
    link, end = rng.choice((" ", "=", ": ", " ")), rng.choice((", ", "; ", " / ", " "))
    lines = [cell.join((draw_title("name", rng), *titles.values(), draw_title("unit", rng)))] if tabular else []
    for one in readings:
        if not one.numbers:
            lines.append(cell.join((one.name, *(one.last for _ in keys))) if tabular else f"{one.name}: {one.last}")
            continue
        figures = {"min": one.lowest, "max": one.highest, "first": one.first, "last": one.last, "mean": _mean(one)}
        if tabular:
            lines.append(cell.join((one.name, *(figures[key] for key in keys), one.unit)))
        else:
            told = end.join(f"{titles[key]}{link}{figures[key]}" for key in keys)
            lines.append(f"{one.name}{rng.choice((': ', ' ', ' - '))}{told}{' ' + one.unit if one.unit else ''}")
    return "\n".join(lines)


def _mean(reading: Reading) -> str:
    decimals = len(reading.last.partition(".")[2]) if "," not in reading.last else 1
    text = f"{sum(reading.numbers) / len(reading.numbers):.{decimals}f}"
    return text.replace(".", ",") if "," in reading.last else text


def compared(readings: Sequence[Reading], rng: Random) -> str:
    """Return two moments side by side, channel by channel or one after the other."""
    old, new = rng.choice((("yesterday", "today"), ("an hour ago", "now"), ("first reading", "second reading"), ("at 8:00", "at 8:15"), ("was", "is"), ("morning", "noon"),
                           ("start of shift", "end of shift"), ("sample 1", "sample 2"), ("before lunch", "right now"), ("5 min ago", "now")))  # fmt: skip
    tight = rng.random() < 0.2

    def shown(one: Reading, place: int) -> str:
        course = one.sign.course if one.sign else ""
        if course == "~":
            return f"{one.lowest}-{measure(one.highest, one, tight=tight)}"
        return measure(one.texts[place], one, tight=tight) + (
            f" (peak {one.highest})" if course == "^" and place else ""
        )

    if rng.random() < 0.5:
        return "\n".join(f"{one.name}: {old} {shown(one, 0)}, {new} {shown(one, -1)}" for one in readings)
    sides = [
        f"{title}: " + ", ".join(f"{one.name} {shown(one, place)}" for one in readings)
        for title, place in ((old, 0), (new, -1))
    ]
    return rng.choice(("\n", ". ", "\n\n")).join(sides)
