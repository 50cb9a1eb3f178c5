"""How people of many trades write readings down: endless mixtures of marks, orders and file formats. For training only.

Each form is drawn anew for a record from marks of its own, so that hardly two records look alike; the styles by which examples are
measured that are held out (`forms.py`) are not among them.
"""

import json
from collections.abc import Callable, Sequence
from random import Random

from engine.plant.activities.free_tables import clocks, compared, draw_title, logged, long, narrated, statistics, wide
from engine.plant.activities.phrases import phrase
from engine.plant.activities.readings import Reading

BULLETS = ("", "", "- ", "* ", "• ", "\N{EN DASH} ", "+ ", "o ", "# ", "-- ", "· ", "→ ", "~ ")
LINKS = (
    ": ",
    " = ",
    " - ",
    " ",
    "=",
    ":",
    " -> ",
    ":\t",
    " .... ",
    ": ",
    " ",
    " := ",
    " ~ ",
    "  ",
    " \N{EN DASH} ",
    " is ",
    " at ",
    "\t",
    " @ ",
    ", ",
)
ENDS = (
    "\n",
    "\n",
    "\n",
    ", ",
    "; ",
    " | ",
    " / ",
    " · ",
    ". ",
    " + ",
    ",\n",
    ";\n",
    "  ",
    " - ",
    " and ",
    ",",
    ";",
    "\n\n",
)
SAYINGS = (
    "the {n} is {v}", "{n} is {v}", "{n} {v}", "{n} at {v}", "{n}: {v}", "{v} on the {n}", "{n} sits at {v}", "I have {v} for {n}", "{n} is at {v}", "with {n} at {v}", "{n} was {v}",
    "{n} = {v}", "the {n} says {v}", "{n} stays at {v}", "{v} {n}", "{n} of {v}", "{n}, {v}", "I noted {v} for the {n}", "for {n} I get {v}", "the {n} gives {v}", "the {n} indicates {v}", "{n} around {v}",
    "my {n} is {v}", "{n} came out as {v}", "there is {v} on {n}", "{n} - {v}", "{n} hovers at {v}", "{n} ({v})", "{v} for {n}", "{n} has been {v}", "{n} currently {v}", "{n} now {v}",
)  # fmt: skip
GLUE = (
    ", ",
    ". ",
    "; ",
    " and ",
    ", ",
    ", ",
    " while ",
    ". ",
    " but ",
    ", then ",
    ". Also, ",
    ", plus ",
    ". And ",
    ", with ",
)
GROUPS = (
    "readings",
    "values",
    "data",
    "sensors",
    "measurements",
    "telemetry",
    "state",
    "channels",
    "signals",
    "payload",
    "tags",
)
PEOPLE = (
    "Tom",
    "Anna",
    "op",
    "tech",
    "Raj",
    "me",
    "Lena",
    "control",
    "field",
    "A",
    "B",
    "Maria",
    "shift lead",
    "user",
    "agent",
)


def listed(readings: Sequence[Reading], rng: Random) -> str:
    """Return names and values with marks of one author, at times the value first."""
    bullet, link, end, tight = rng.choice(BULLETS), rng.choice(LINKS), rng.choice(ENDS), rng.random() < 0.3
    wordy = rng.choice((0.0, 0.03, 0.03, 0.3))
    value_first = rng.random() < 0.14
    numbered = rng.random() < 0.06
    lines = []
    for place, one in enumerate(readings, 1):
        value = phrase(one, rng, tight=tight, wordy=wordy)
        text = (
            f"{value}{' ' if link in ('=', ':', ', ') else link}{one.name}"
            if value_first
            else f"{one.name}{link}{value}"
        )
        lines.append((f"{place}. " if numbered else bullet if "\n" in end else "") + text)
    return end.join(lines)


def prose(readings: Sequence[Reading], rng: Random) -> str:
    """Return sentences of one author, who keeps to a few ways of saying it."""
    sayings = rng.sample(SAYINGS, rng.choice((1, 2, 3, 5)))
    glue = rng.sample(GLUE, rng.choice((1, 2, 3)))
    wordy, tight = rng.choice((0.03, 0.1, 0.35, 0.6)), rng.random() < 0.2
    text = ""
    for place, one in enumerate(readings):
        value = phrase(one, rng, tight=tight, wordy=wordy)
        said = rng.choice(sayings).format(n=one.name, v=value)
        mark = "" if not place else rng.choice(glue)
        if (not place or mark == ". ") and rng.random() < 0.8:
            said = said[0].upper() + said[1:]
        text += mark + said
    return text + rng.choice((".", ".", "", "!", " ..."))


def telegraph(readings: Sequence[Reading], rng: Random) -> str:
    """Return everything in small letters, without marks, as typed in a hurry."""
    wordy, tight, mark = rng.choice((0.05, 0.3)), rng.random() < 0.5, rng.choice((" ", " ", ", ", "  ", " . "))
    for one in readings:
        one.name = one.name.lower()
    return mark.join(f"{one.name} {phrase(one, rng, tight=tight, wordy=wordy)}" for one in readings)


def chat(readings: Sequence[Reading], rng: Random) -> str:
    """Return a talk in which one asks and the other tells."""
    asks, tells = rng.sample(PEOPLE, 2)
    lines, place = [], 0
    while place < len(readings):
        group = readings[place : place + rng.choice((1, 1, 2, 3))]
        place += len(group)
        if rng.random() < 0.6:
            lines.append(
                f"{asks}: "
                + rng.choice(("and {}?", "{}?", "what about {}?", "how is {}?", "{} please")).format(group[0].name)
            )
        lines.append(
            f"{tells}: " + ", ".join(f"{one.name} {phrase(one, rng, tight=False, wordy=0.1)}" for one in group)
        )
    return "\n".join(lines)


def _value(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if str(value) == text else text


def structured(readings: Sequence[Reading], rng: Random) -> str:
    """Return JSON as programs of many hands write it."""
    style, several = rng.randrange(5), rng.random() < 0.7
    name, value, unit = draw_title("name", rng), draw_title("value", rng), draw_title("unit", rng)
    items: list[object] = []
    for one in readings:
        course = bool(one.sign and one.sign.course and len(one.texts) > 1)
        told = course and not several  # with its unit, in a phrase
        shown: object = [_value(text) for text in one.texts] if course else _value(one.last)
        shown = phrase(one, rng, tight=False, wordy=0) if told else shown
        with_unit = bool(one.unit) and not told
        if style in (0, 1):
            items.append({name: one.name, value: shown} | ({unit: one.unit} if with_unit else {}))
        elif style == 2:
            items.append([one.name, shown, one.unit] if with_unit else [one.name, shown])
        elif with_unit and not course:
            items.append((one.name, f"{one.last} {one.unit}"))
        else:
            items.append((one.name, shown))
            one.unit = "" if with_unit else one.unit
    content: object = dict(items) if style > 2 else items  # type: ignore[arg-type]
    if rng.random() < 0.5:
        content = {rng.choice(GROUPS): content}
        if rng.random() < 0.4:
            content = {draw_title("time", rng): clocks(1, rng)[0]} | content
    return json.dumps(content, ensure_ascii=False, indent=rng.choice((None, None, None, 1, 2)))


def outline(readings: Sequence[Reading], rng: Random) -> str:
    """Return YAML, XML, topics or a line of a time series database."""
    style, tight = rng.randrange(5), rng.random() < 0.3
    stem = rng.choice(GROUPS)
    lines = []
    for one in readings:
        text = phrase(one, rng, tight=tight, wordy=0.02)
        if style == 0:
            lines.append(f"  {one.name}: {text}")
        elif style == 1:
            lines.append(f'<{stem[:-1]} name="{one.name}">{text}</{stem[:-1]}>')
        elif style == 2:
            lines.append(f"{stem}/{one.name} {text}")
        elif style == 3:
            lines.append(f"{one.name}={text}")
        else:
            lines.append(f"<{one.name}> {text}")
    if style == 0:
        return f"{stem}:\n" + "\n".join(lines)
    return (" ; " if style == 3 else "\n").join(lines)


FreeForm = Callable[[Sequence[Reading], Random], str]
SNAPSHOTS: tuple[FreeForm, ...] = (
    listed,
    listed,
    listed,
    listed,
    prose,
    prose,
    prose,
    prose,
    telegraph,
    telegraph,
    chat,
    structured,
    outline,
)
SERIES: tuple[FreeForm, ...] = (
    wide,
    wide,
    wide,
    long,
    logged,
    logged,
    narrated,
    narrated,
    statistics,
    statistics,
    compared,
)


def draw_free_form(rng: Random) -> tuple[FreeForm, int]:
    """Draw a form and how many moments it shows."""
    if rng.random() < 0.64:
        return rng.choice(SNAPSHOTS), rng.choice((2, 3, 4, 5))
    form = rng.choice(SERIES)
    return form, rng.choice((4, 5, 6)) if form in (statistics, compared) else rng.choice((2, 3, 3, 4, 5, 6))
