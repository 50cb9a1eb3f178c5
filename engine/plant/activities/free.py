"""Records as people of many trades would send them, for training only: what is measured is drawn as ever, the writing is free."""

from random import Random
from typing import Any

from engine.plant.activities import free_words, naming, wording
from engine.plant.activities.answers import quote
from engine.plant.activities.callings import beside
from engine.plant.activities.free_forms import draw_free_form
from engine.plant.activities.readings import Hand, Reading, take_readings
from engine.plant.activities.sentences import capital, tell
from engine.plant.activities.vocabulary import Activity, Domain

NAMED = 0.8  # the share of records that say which machine it is
TOLD = 0.4  # the share of quotes from sentences
QUOTES = (
    "Quote {}.",
    "{}?",
    "Read {}.",
    "What about {}?",
    "Give {}.",
    "Value of {}?",
    "Tell me {}.",
    "Only {}, please.",
    "How is {}?",
)


def shorten(readings: list[Reading], rng: Random) -> list[Reading]:
    """Keep the readings that decide, and hardly another."""
    return [one for one in readings if (one.sign is not None and one.sign.decides) or rng.random() < 0.15]


def call(domain: Domain, rng: Random) -> str:
    """Return what a person calls the machine."""
    name = rng.choice(domain.more) if rng.random() < 0.6 else rng.choice(domain.names)
    if rng.random() < 0.12:
        name = naming.machine(name, rng)
    if rng.random() < 0.15:
        name += f" {rng.choice('ABCDEFGHKLMNPRSTWX')}{rng.choice(('-', '', ' ', '/'))}{rng.randrange(1, 900)}"
    return rng.choice((name, name, name, name.upper(), name[0].upper() + name[1:])) if rng.random() < 0.3 else name


def write(data: str, domain: Domain, activity: Activity, notes: str, rng: Random) -> dict[str, Any]:
    """Return a record around readings: who speaks, what is asked, what may be answered, small talk."""
    known = rng.random() < NAMED
    called = call(domain, rng)
    name = (
        rng.choice((called, called, domain.key))
        if known
        else rng.choice(("machine", "unit", "thing", "system", "equipment"))
    )
    question = "" if rng.random() < 0.1 else rng.choice((*free_words.ASKS, *wording.ASKS)).format(m=name)
    offered = free_words.offer(domain, activity, rng) if rng.random() < 0.4 else ""
    opening = (
        rng.choice(free_words.OPENINGS).format(m=name, M=name[0].upper() + name[1:])
        if known
        else rng.choice(("", *free_words.NAMELESS))
    )
    if known and rng.random() < 0.25:  # said in the question only, or before it
        opening, question = ("", question if name in question else f"{name}: {question}")
    before = [_chat(rng) for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))] + [opening]
    after = [_chat(rng) for _ in range(rng.choice((0, 0, 0, 0, 1, 2)))] + [notes]
    rng.shuffle(after)
    record = _arrange(before, data, after, question, offered, rng)
    if rng.random() < 0.2:
        record["system"] = rng.choice((*free_words.SYSTEMS, *wording.SYSTEMS))
    return {field: content for field, content in record.items() if content}


def _chat(rng: Random) -> str:
    return free_words.chatter(rng) if rng.random() < 0.6 else capital(beside(rng)) + "."


def _arrange(
    before: list[str], data: str, after: list[str], question: str, offered: str, rng: Random
) -> dict[str, Any]:
    style = rng.random()
    asked = [question, offered] if rng.random() < 0.6 else [offered, question]
    if style < 0.6:
        parts = [*before, data, *after, *asked] if rng.random() < 0.7 else [*asked, *before, data, *after]
        return {"prompt": wording.join(parts, rng)}
    if style < 0.75:
        return {
            "instruction": wording.join(asked, rng) or "State?",
            "prompt": wording.join([*before, data, *after], rng),
        }
    item = {"type": "text", "format": "plain", "data": data}
    if style < 0.88:
        return {
            "instruction": wording.join([*before, *after], rng),
            "inputs": [item],
            "prompt": wording.join(asked, rng) or "?",
        }
    return {
        "inputs": [item | {"data": wording.join([*before, data, *after], rng)}],
        "prompt": wording.join(asked, rng) or "What is this?",
    }


def ask_to_quote(domain: Domain, activity: Activity, rng: Random) -> tuple[dict[str, Any], str]:
    """Return a record that asks for readings by name, and the answer: the names mean nothing, so they have to be read."""
    form, rows = (tell, 3) if rng.random() < TOLD else draw_free_form(rng)
    readings = take_readings(domain, activity, rows, Hand.draw(rng), rng, held_out=False)
    for place, one in enumerate(readings):
        one.name = naming.strange(rng) + (f" {place}" if rng.random() < 0.03 else "")
        _blur(one, rng)
    text = form(readings, rng)
    wanted = rng.sample(readings, min(len(readings), rng.choice((1, 2, 2, 3))))
    names = [one.name for one in wanted]
    asked = rng.choice(QUOTES).format(names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1])
    parts = [text, asked] if rng.random() < 0.6 else [asked, text]
    return {"system": "Quote.", "prompt": "\n".join(parts)}, quote(wanted, rng)


def _blur(reading: Reading, rng: Random) -> None:
    """Give a steady reading a number that its name and its unit do not let one guess."""
    if not reading.numbers or (reading.sign and reading.sign.course) or rng.random() < 0.4:
        return
    size, decimals = 10 ** rng.randrange(1, 7), rng.choice((0, 0, 1, 1, 2, 3))
    number = rng.uniform(0, size)
    reading.texts = [f"{number:.{decimals}f}"] * len(reading.texts)
    reading.numbers = [number] * len(reading.texts)
    if reading.sign:
        reading.sign = None
