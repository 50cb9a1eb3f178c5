"""Sensor prompts with true answers, composed from a rule base: for training the shipped language model, and for measuring it.

An example is drawn in steps: a kind of machine, an activity, a plant with its sizes, channel names and units, the readings that the
activity's signs ask for, a form to write them in, and words around them. The answer follows from the signs, so it is true by
construction. `held_out=True` takes names, wordings, sizes and styles that no other example has.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from engine.plant.activities import free, free_words, prose, prose_words, wording
from engine.plant.activities.answers import answer
from engine.plant.activities.everyday import EVERYDAY
from engine.plant.activities.forms import draw_form
from engine.plant.activities.free_forms import draw_free_form
from engine.plant.activities.machines import MACHINES
from engine.plant.activities.processes import PROCESSES
from engine.plant.activities.readings import Hand, Reading, take_readings
from engine.plant.activities.sentences import draw
from engine.plant.activities.synonyms import parse_more
from engine.plant.activities.vocabulary import Activity, Domain, parse

__all__ = ["ACTIVITIES", "Example", "compose", "compose_prose", "compose_quote"]

DOMAINS = parse(MACHINES + PROCESSES + EVERYDAY, *parse_more())
ACTIVITIES: dict[str, dict[str, tuple[str, ...]]] = {
    domain.key: {activity.key: activity.others for activity in domain.activities.values()}
    for domain in DOMAINS.values()
}
"""Domain -> activity -> its other names."""

_CHOICES = [(domain, activity) for domain in DOMAINS.values() for activity in domain.activities.values()]
PROSE = 0.5  # the share of training examples that are told in sentences
FREE = 0.7  # the share of the others that are written freely
LONGEST = 1100  # characters of a record: what does not fit is drawn again


@dataclass(frozen=True, slots=True)
class Example:
    """A record as the pipeline takes it, and what is to be answered."""

    record: dict[str, Any]
    answer: str
    domain: str
    activity: str


def compose(seed: int, index: int, *, held_out: bool = False) -> Example:
    """Return one example, the same for the same arguments.

    Parameters
    ----------
    seed, index : int
        Any series of examples is `compose(seed, 0)`, `compose(seed, 1)`, ...
    held_out : bool
        Channel names, machine names, wordings, list and table styles and sizes that no example without it has.
    """
    rng = Random(f"{seed}/{index}/{held_out}")  # noqa: S311 - examples, no secrets
    domain, activity = rng.choice(_CHOICES)
    while True:
        if not held_out and rng.random() < PROSE:
            example = _compose_prose(domain, activity, rng, held_out=False)
        elif not held_out and rng.random() < FREE:
            example = _compose_free(domain, activity, rng)
        else:
            example = _compose(domain, activity, rng, held_out=held_out)
        if len(json.dumps(example.record)) <= LONGEST:
            return example


def compose_prose(seed: int, index: int, *, held_out: bool = False) -> Example:
    """Return an example that is told in sentences; held out, with names, patterns and kinds of letters that no other example has."""
    rng = Random(f"{seed}/{index}/prose/{held_out}")  # noqa: S311 - examples, no secrets
    domain, activity = rng.choice(_CHOICES)
    while True:
        example = _compose_prose(domain, activity, rng, held_out=held_out)
        if len(json.dumps(example.record)) <= LONGEST:
            return example


def compose_quote(seed: int, index: int) -> Example:
    """Return an example that asks for some readings of a record by their names, which mean nothing: for learning to quote."""
    rng = Random(f"{seed}/{index}/quote")  # noqa: S311 - examples, no secrets
    domain, activity = rng.choice(_CHOICES)
    while True:
        record, text = free.ask_to_quote(domain, activity, rng)
        if len(json.dumps(record)) <= LONGEST:
            return Example(record, text, domain.key, activity.key)


def _compose_prose(domain: Domain, activity: Activity, rng: Random, *, held_out: bool) -> Example:
    hand = Hand.draw(rng)
    if rng.random() < 0.75:  # in a sentence few write XI_204
        hand = replace(hand, case="as is")
    readings = take_readings(domain, activity, rng.choice((2, 3, 4)), hand, rng, held_out=held_out)
    if rng.random() < 0.4:
        readings = free.shorten(readings, rng)
    more = rng.choice((0, 0, 0, 0, 1, 1, 2, 3))
    if more > 1:
        readings = prose.leave_out(readings, rng)
    limits = (draw(words, rng, held_out=held_out) for words in (prose_words.TOO_HIGH, prose_words.TOO_LOW))
    unusual, notes = _find_unusual(readings, rng, *((limit,) for limit in limits))
    record = prose.write(domain, activity, readings, notes, more, rng, held_out=held_out)
    return Example(record, answer(activity.key, readings, unusual, rng), domain.key, activity.key)


def _compose_free(domain: Domain, activity: Activity, rng: Random) -> Example:
    form, rows = draw_free_form(rng)
    readings = take_readings(domain, activity, rows, Hand.draw(rng), rng, held_out=False)
    if rng.random() < 0.15:
        readings = free.shorten(readings, rng)
    unusual, notes = _find_unusual(readings, rng, free_words.TOO_HIGH, free_words.TOO_LOW)
    record = free.write(form(readings, rng), domain, activity, notes, rng)
    return Example(record, answer(activity.key, readings, unusual, rng), domain.key, activity.key)


def _compose(domain: Domain, activity: Activity, rng: Random, *, held_out: bool) -> Example:
    form, rows = draw_form(rng)
    hand = Hand.draw(rng)
    readings = take_readings(domain, activity, rows, hand, rng, held_out=held_out)
    unusual, notes = _find_unusual(readings, rng)
    data = form(readings, rng, held_out=held_out)
    name = wording.machine(domain, rng, held_out=held_out)
    question = wording.ask(domain, name, rng, held_out=held_out)
    offered = wording.offer(domain, activity, rng, held_out=held_out) if rng.random() < 0.45 else ""
    opening = wording.open_with(name, rng, held_out=held_out)
    if domain.key not in f"{question} {opening}" and name not in question + opening and rng.random() < 0.75:
        opening = f"{name[0].upper()}{name[1:]}. {opening}".rstrip()
    if rng.random() < 0.12:
        opening = f"{rng.choice(wording.CHATTER)} {opening}".rstrip()
    if rng.random() < 0.1:
        notes = f"{notes} {rng.choice(wording.CHATTER)}".lstrip()
    record = _arrange(opening, data, notes, question, offered, rng)
    if rng.random() < 0.22:
        record["system"] = rng.choice(wording.SYSTEMS)
    record = {field: content for field, content in record.items() if content}
    return Example(record, answer(activity.key, readings, unusual, rng), domain.key, activity.key)


def _find_unusual(
    readings: list[Reading],
    rng: Random,
    high: Sequence[str] = wording.LIMITS_HIGH,
    low: Sequence[str] = wording.LIMITS_LOW,
) -> tuple[str, str]:
    """State a limit, or break a channel that nothing depends on; return what is unusual and the sentences about it."""
    # Of a channel that swings some forms show the ends only, and the limit speaks of the last value.
    numeric = [
        one for one in readings if one.numbers and one.numbers[-1] > 0 and not (one.sign and one.sign.course == "~")
    ]
    if numeric and rng.random() < 0.32:
        one = rng.choice(numeric)
        one.limited = True
        text, unusual = wording.limit(one, rng, high, low)
        return unusual, text
    side = [one for one in readings if one.sign is None and len(one.texts) > 2]
    if side and rng.random() < 0.5:
        one = rng.choice(side)
        place = rng.randrange(len(one.texts))
        if rng.random() < 0.5:
            one.texts[place] = rng.choice(("n/a", "-", "NaN", "null", "?"))
            one.texts[-1] = one.texts[place]  # so that every form shows it
            return f"{one.name} has no reading ({one.last})", ""
        one.numbers[-1] *= rng.choice((-1, 10, 100))
        one.texts[-1] = f"{one.numbers[-1]:.1f}"
        return f"{one.name} jumps to {one.last}", ""
    return "", ""


def _arrange(opening: str, data: str, notes: str, question: str, offered: str, rng: Random) -> dict[str, Any]:
    """Spread the text over the record's fields."""
    before, after = [opening], [notes, offered]
    (before if rng.random() < 0.35 else after).append(question)
    rng.shuffle(after)
    style = rng.random()
    if style < 0.5:
        return {"prompt": wording.join([*before, data, *after], rng)}
    if style < 0.72:
        instruction = wording.join([question or "What is going on?", *([offered] if offered else [])], rng)
        return {"instruction": instruction, "prompt": wording.join([opening, data, notes], rng)}
    item = {"type": "text", "format": "plain", "data": data}
    if style < 0.86:
        return {
            "instruction": wording.join([opening, notes], rng),
            "inputs": [item],
            "prompt": wording.join([question, offered], rng) or "?",
        }
    return {
        "inputs": [item | {"data": wording.join([opening, data, notes], rng)}],
        "prompt": wording.join([question, offered], rng) or "State?",
    }
