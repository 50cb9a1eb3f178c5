"""Records as people write them freely, sentence by sentence: mails, notes, radio talk, logbooks, stories. For training.

With `held_out=True` every part is one that training has not: patterns, sayings, scenes, openings, questions, and whole kinds of letters.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from engine.plant.activities import free, free_words, prose_words, wording
from engine.plant.activities.callings import beside
from engine.plant.activities.circumstances import CIRCUMSTANCES
from engine.plant.activities.free_tables import clocks
from engine.plant.activities.readings import Hand, Reading, take_readings
from engine.plant.activities.scenes import SCENES
from engine.plant.activities.sentences import capital, draw, fill, rename, run, say
from engine.plant.activities.vocabulary import Activity, Domain

NAMELESS = ("machine", "unit", "thing", "system", "equipment")
BULLETS = ("- ", "* ", "• ", "\N{EN DASH} ", "-> ", "+ ", "")
NAMES = ("Ben", "Aisha", "Kurt", "op2", "Mia", "Stan", "night", "field", "J.", "Dora")
FILLERS = ("uh, ", "um, ", "you know, ", "let me see, ", "right, ", "er, ", "okay, ", "hang on, ")
TITLES = ("Subject", "Title", "Ticket", "Re", "Topic", "Short text", "Incident", "Request")
BODIES = ("Description", "Details", "Text", "What I saw", "Findings", "Observation", "Message", "Remarks")


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written: the sentences about readings, with others mixed in, and what stands around them."""

    name: str  # of the machine
    greeting: str
    lead: str
    sentences: list[str]
    question: str
    closing: str


@cache
def scenes() -> dict[tuple[str, str], tuple[tuple[str, ...], ...]]:
    """Return what people tell besides readings, by domain and activity: what they see, and what other instruments say."""
    found: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {}
    for table in (SCENES, CIRCUMSTANCES):
        domain = ""
        for line in table.strip().splitlines():
            if line.startswith("domain "):
                domain = line.removeprefix("domain ").strip()
            else:
                activity, _, text = line.partition(" : ")
                told = tuple(part.strip() for part in text.split(";"))
                found[domain, activity.strip()] = (*found.get((domain, activity.strip()), ()), told)
    return found


def _scene(domain: Domain, activity: Activity, count: int, rng: Random, *, held_out: bool) -> list[str]:
    """Draw what is told besides readings, with numbers where it has some."""
    tables = scenes()[domain.key, activity.key]
    told = [text for table in tables for text in (table[-1:] if held_out else table[:-1])]

    chosen = rng.sample(told, min(len(told), count))
    return [fill(text, rng) for text in chosen]


def leave_out(readings: Sequence[Reading], rng: Random) -> list[Reading]:
    """Leave some readings out where more than readings is told; one that decides stays."""
    kept = [one for one in readings if rng.random() < 0.7]
    deciding = [one for one in readings if one.sign is not None and one.sign.decides]
    return kept if any(one in kept for one in deciding) else [*kept, rng.choice(deciding)]


def write(
    domain: Domain,
    activity: Activity,
    readings: Sequence[Reading],
    notes: str,
    more: int,
    rng: Random,
    *,
    held_out: bool,
) -> dict[str, Any]:
    """Return a record that tells of readings, and of so much more that fits the activity."""
    scene = _scene(domain, activity, more, rng, held_out=held_out)
    known = rng.random() < 0.85
    called = rng.choice(domain.held_out) if held_out else free.call(domain, rng)
    name = called if known else rng.choice(NAMELESS)
    own = rename(readings, domain.key, rng.choice((0.0, 0.4, 0.7, 1.0)), rng, held_out=held_out)
    own = {name: saying for name, saying in own.items() if "{" not in saying or rng.random() < 0.65}
    wordy = rng.choice((0.0, 0.1, 0.3, 0.6))
    terse = rng.random() < 0.2
    sentences = [
        say(one, rng, saying=own.get(one.name, ""), wordy=wordy, terse=terse, held_out=held_out) for one in readings
    ]
    texts = scene
    texts += [
        _mistype(draw(prose_words.ASIDES, rng, held_out=held_out), rng) for _ in range(rng.choice((0, 0, 1, 1, 2)))
    ]
    texts.append(notes)
    if not held_out:
        texts += [beside(rng) for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))]
    another = known and rng.random() < 0.15
    if another:
        texts.append(_another(domain, readings, rng, held_out=held_out))
    for text in filter(None, texts):
        sentences.insert(rng.randrange(len(sentences) + 1), text.rstrip("."))
    words = {"m": name, "o": ""}
    question = _mistype(draw(prose_words.QUESTIONS, rng, held_out=held_out), rng)
    lead = draw(prose_words.LEADS, rng, held_out=held_out) if rng.random() < 0.7 else ""
    if (another or rng.random() < 0.7) and known and "{m}" not in question + lead:
        lead = f"{draw(('{m}:', 'the {m}.', '{m} -', 'on the {m}:', 'for the {m}:'), rng, held_out=held_out)} {lead}"
    letter = Letter(
        name,
        draw(prose_words.GREETINGS, rng, held_out=held_out) if rng.random() < 0.35 else "",
        capital(lead.format(**words).strip()),
        sentences,
        question.format(**words) if another or rng.random() < 0.88 else "",
        draw(prose_words.CLOSINGS, rng, held_out=held_out) if rng.random() < 0.3 else "",
    )
    text = rng.choice(HELD_OUT if held_out else LETTERS)(letter, rng)
    offered = ""
    if rng.random() < 0.35:
        if held_out or rng.random() < 0.5:
            offered = wording.offer(domain, activity, rng, held_out=held_out)
        else:
            offered = free_words.offer(domain, activity, rng)
    return _arrange(text, letter.question, offered, rng)


def _another(domain: Domain, readings: Sequence[Reading], rng: Random, *, held_out: bool) -> str:
    """Return a sentence about another machine, which is not what is asked for."""
    from engine.plant.activities import DOMAINS

    other = DOMAINS[rng.choice([key for key in DOMAINS if key != domain.key])]
    activity = rng.choice(list(other.activities.values()))
    names = {one.name.lower() for one in readings}
    shown = take_readings(other, activity, 3, Hand("as is", ".", "", True, ""), rng, held_out=held_out)
    shown = [one for one in shown if one.name.lower() not in names][: rng.choice((1, 1, 2))]
    if not shown:
        return ""
    told = " and ".join(say(one, rng, held_out=held_out) for one in shown)
    name = rng.choice(other.held_out if held_out else other.names)
    return draw(prose_words.OTHERS, rng, held_out=held_out).format(o=name, s=told)


def _mistype(text: str, rng: Random) -> str:
    """Exchange two letters of a word, at times."""
    place = rng.randrange(max(1, len(text) - 1))
    if rng.random() > 0.12 or not text[place : place + 2].isalpha() or "{" in text[max(0, place - 2) : place + 2]:
        return text
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _mail(letter: Letter, rng: Random) -> str:
    mark = rng.choice(("\n\n", "\n", " "))
    parts = [letter.greeting, f"{letter.lead} {run(letter.sentences, rng)}".strip(), letter.question, letter.closing]
    return mark.join(filter(None, parts))


def _plain(letter: Letter, rng: Random) -> str:
    parts = [letter.lead, run(letter.sentences, rng)]
    parts.insert(rng.choice((0, 2, 2, 2)), letter.question)
    return rng.choice((" ", " ", "\n")).join(filter(None, parts))


def _note(letter: Letter, rng: Random) -> str:
    mark = rng.choice((", ", " / ", " - ", "; ", ". ", " // ", " "))
    return mark.join(filter(None, [letter.lead.rstrip(".:"), *letter.sentences, letter.question]))


def _bullets(letter: Letter, rng: Random) -> str:
    bullet, end, upper = rng.choice(BULLETS), rng.choice(("", "", ".", ";")), rng.random() < 0.5
    lines = [bullet + (capital(text) if upper else text) + end for text in letter.sentences]
    return "\n".join(filter(None, [letter.greeting, letter.lead, *lines, letter.question, letter.closing]))


def _radio(letter: Letter, rng: Random) -> str:
    call = rng.choice(("Control", "Base", "Tower", "Dispatch", "Office", "Bravo two", "Desk"))
    mark = rng.choice((". ", ", break, ", ". ", " - "))
    opening = f"{call}, {rng.choice(('this is', 'from', 'here is'))} {rng.choice(NAMES)}, {letter.lead or letter.name}"
    return f"{opening} {mark.join(letter.sentences)}. {letter.question} {rng.choice(('Over.', 'over', 'Come in.', ''))}".strip()


def _logbook(letter: Letter, rng: Random) -> str:
    lines, place = [], 0
    while place < len(letter.sentences):
        group = letter.sentences[place : place + rng.choice((1, 1, 2, 3))]
        place += len(group)
        lines.append(", ".join(group))
    head = rng.choice(("{} ", "{} - ", "{}: ", "{} h ", "({}) ", "at {} "))
    moments = clocks(len(lines), rng)
    lines = [head.format(moment) + line for moment, line in zip(moments, lines, strict=True)]
    return "\n".join(filter(None, [letter.lead, *lines, letter.question]))


def _ticket(letter: Letter, rng: Random) -> str:
    title, body = rng.choice(TITLES), rng.choice(BODIES)
    mark = rng.choice((": ", ":\n", " - "))
    lines = [f"{title}: {letter.name}", f"{body}{mark}{letter.lead} {run(letter.sentences, rng)}"]
    return "\n".join(filter(None, [*lines, letter.question, letter.closing]))


def _messages(letter: Letter, rng: Random) -> str:
    one, two = rng.sample(NAMES, 2)
    lines = [f"{one}: {text}" for text in (letter.lead, *letter.sentences) if text]
    for _ in range(rng.choice((0, 1, 2))):
        said = rng.choice(("ok", "and?", "hm", "go on", "any more?", "really?", "wait", "got it", "what else", "k"))
        lines.insert(rng.randrange(1, len(lines) + 1), f"{two}: {said}")
    return "\n".join([*lines, f"{rng.choice((one, two))}: {letter.question or 'so?'}"])


def _voicemail(letter: Letter, rng: Random) -> str:
    said = [rng.choice((*FILLERS, "", "")) + text for text in letter.sentences]
    opening = rng.choice(("Voicemail, transcript:", "Message after the tone:", "Dictated:"))
    return f"{opening} {letter.greeting} {letter.lead} {', '.join(said)}, {letter.question} {letter.closing}"


def _numbered(letter: Letter, rng: Random) -> str:
    opening = rng.choice(("Observations,", "Minutes,", "Points to note,"))
    lines = [f"({place}) {capital(text)}." for place, text in enumerate(letter.sentences, 1)]
    return "\n".join([f"{opening} {letter.name}", *lines, letter.question])


def _diary(letter: Letter, rng: Random) -> str:
    opening = rng.choice(("Dear diary, today at work:", "Wednesday, late.", "My day, part three."))
    return f"{opening} {letter.lead} " + " \N{EM DASH} ".join(letter.sentences) + f" \N{EM DASH} {letter.question}"


LETTERS: tuple[Callable[[Letter, Random], str], ...] = (_mail, _mail, _plain, _plain, _plain, _plain, _note, _note, _bullets, _radio, _logbook, _ticket, _messages)  # fmt: skip
HELD_OUT: tuple[Callable[[Letter, Random], str], ...] = (_voicemail, _numbered, _diary, _plain, _mail)


def _arrange(text: str, question: str, offered: str, rng: Random) -> dict[str, Any]:
    """Put the text, and what may be answered, into the fields of a record."""
    text = re.sub(r"  +", " ", text).strip()
    style = rng.random()
    record: dict[str, Any]
    if style < 0.6:
        record = {"prompt": wording.join([text, offered] if rng.random() < 0.8 else [offered, text], rng)}
    elif style < 0.75:
        asked = rng.choice(("What is the activity?", "State?", "Name the state.", "Classify.", question or "Activity?"))
        record = {"instruction": wording.join([asked, offered], rng), "prompt": text}
    else:
        item = {"type": "text", "format": "plain", "data": text}
        asked = rng.choice(("What is it doing?", "Read this and name the state.", "Activity?", question or "?"))
        record = {"inputs": [item], "prompt": wording.join([asked, offered], rng)}
    if rng.random() < 0.15:
        record["system"] = rng.choice((*free_words.SYSTEMS, *wording.SYSTEMS))
    return record
