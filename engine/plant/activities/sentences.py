"""Sentences about one reading as people say it: by name and number, in the words of the trade, or without a number. For training.

Patterns are written in few marks: `(one|or another)` is drawn, innermost first; `{n}` is the channel's name; `{v}` its last value with
the unit, `{a}` and `{b}` the first and the last, `{l}` and `{h}` the lowest and the highest; `{t}` is a time since when; `[shaft]` is what
the channel is called there, in place of its name, and `<not turning>` a reading in words. Every fifth pattern of a list, and the last saying of
the trade of a reading, is held out: it is for measuring how prose is read, and training has none of them.
"""

import re
from collections.abc import Sequence
from functools import cache
from random import Random

from engine.plant.activities.phrases import in_words, measure
from engine.plant.activities.readings import Reading
from engine.plant.activities.telltales import MACHINES
from engine.plant.activities.telltales_plants import EVERYDAY, PLANTS

NUMBER = re.compile(r"<([\d.]+?)\.\.([\d.]+)>")
CHOICE = re.compile(r"\(([^()|]*(?:\|[^()|]*)+)\)")
SMALL = re.compile(r"\b(the|an?|is|are|was|has|have|had|been|I|it|my|our|his|her) ")
STEADY = (
    "the {n} (is|sits|stands|stays|is still|hangs|rests) at {v}", "{n} (at|about|around|steady at|still at|flat at|holding|holds|keeps) {v}", "{v} on the {n}", "{n} {v}",
    "I (have|got|noted|wrote down|took) {v} for the {n}", "{n} (shows|says|gives|indicates|displays|tells me) {v}", "the {n} (hasn't moved from|does not move from|never leaves) {v}", "for {n} it is {v}",
    "(it says|the display says|the screen says|the panel says) {v} for {n}", "the {n} (measured|came out at|was found at|checked at) {v}", "with the {n} at {v}", "{n} has been {v} {t}",
    "(a|the) {n} of {v}", "{n} (looks|seems) (constant|steady|stable) at {v}", "(we have|there is|there are) {v} at the {n}", "{n} = {v}", "{n}, {v}, (same as before|no change|unchanged|as you can see)",
    "{n} ({v})", "{v} ({n})", "(my|our|his|her) {n} (is|was|shows) {v}", "{n}: {v}", "the {n} (needle|bar|curve|line|trace|value|figure) (is|sits|stays) at {v}", "(at the moment|right now|currently|presently) {n} {v}",
    "{n} (runs|goes|works) at {v}", "reading of the {n}: {v}", "I (can see|can read|find) {v} at {n}", "{n} is (roughly|approximately|more or less|pretty much|some|exactly) {v}", "{n} (flat|flatlined|level|constant), {v}",
    "(then|also|further|besides|and|plus) {n} {v}", "{n} still (shows|says|sits at|at) {v}", "(checked|looked at|read|touched) the {n}: {v}", "the {n} (I was told|he told me|as they say) is {v}", "{n} (hovers|lingers|idles) around {v}",
    "at {v} (is|was) the {n}", "the {n} gives me {v}", "when I looked, {n} was {v}", "last {n} {v}", "{n} (OK|fine|odd|strange)? {v}", "what the {n} has: {v}", "{v} is what the {n} (shows|says|gives)",
)  # fmt: skip
RISING = (
    "{n} (has climbed|has risen|has gone up|rose|climbed|went up|crept up|came up|moved up|jumped) from {a} to {b} {t}", "{n} was {a} and is {b} now", "{n} (climbing|rising|going up|on its way up), {a} to {b}",
    "{n} {a} (then|and then|first, then|before,) {b} (now|later|after that)", "from {a} to {b} went the {n}", "{t} the {n} (has gone|went|climbed|rose) from {a} to {b}", "{n} up from {a} to {b}", "{n} {a} -> {b}",
    "the {n} (started|began|was) at {a}, (it is|now) {b}", "when I came the {n} was {a}, when I left {b}", "{n} at {b}, up from {a}", "{n} (keeps climbing|keeps rising|won't stop rising): {a}, then {b}", "I saw the {n} go from {a} to {b}",
    "{n} gained, {a} to {b}", "{b} on the {n} now, (it was|I had|before that) {a}", "{n} (increased|increases|builds) from {a} to {b} {t}", "the {n} (made it|got) from {a} to {b}", "{n}: (first|earlier|before) {a}, (now|later|after) {b}",
    "before it was {a} on the {n}, after {b}", "{n} (up and up|ever higher|higher and higher), {a}, {b}", "{n} {a} at the start, {b} at the end", "a moment ago {n} was {a}, and already {b}", "{n} (still going up|still climbing), {a} before and {b} now",
    "the {n} curve (points up|goes up|climbs), from {a} to {b}", "{n} grew from {a} to {b} (within|in) a few minutes",
)  # fmt: skip
FALLING = (
    "{n} (has fallen|has dropped|has gone down|fell|dropped|went down|sank|came down|moved down|slid) from {a} to {b} {t}", "{n} was {a} and is {b} now", "{n} (falling|dropping|going down|on its way down), {a} to {b}",
    "{n} {a} (then|and then|first, then|before,) {b} (now|later|after that)", "from {a} to {b} went the {n}", "{t} the {n} (has gone|went|fell|dropped) from {a} to {b}", "{n} down from {a} to {b}", "{n} {a} -> {b}",
    "the {n} (started|began|was) at {a}, (it is|now) {b}", "when I came the {n} was {a}, when I left {b}", "{n} at {b}, down from {a}", "{n} (keeps falling|keeps dropping|won't stop falling): {a}, then {b}", "I saw the {n} go from {a} to {b}",
    "{n} lost, {a} to {b}", "{b} on the {n} now, (it was|I had|before that) {a}", "{n} (decreased|decreases|decays) from {a} to {b} {t}", "the {n} (went back|returned) from {a} to {b}", "{n}: (first|earlier|before) {a}, (now|later|after) {b}",
    "before it was {a} on the {n}, after {b}", "{n} (down and down|ever lower|lower and lower), {a}, {b}", "{n} {a} at the start, {b} at the end", "a moment ago {n} was {a}, and already {b}", "{n} (still going down|still dropping), {a} before and {b} now",
    "the {n} curve (points down|goes down|sinks), from {a} to {b}", "{n} shrank from {a} to {b} (within|in) a few minutes",
)  # fmt: skip
MOVING = {
    "+": ("{n} (is climbing|keeps rising|is going up), {v} now", "{n} {v} and (climbing|rising|still going up)", "{n} rising {t}, at {v}", "{n} up to {v} and (not finished|more to come)", "{n} on the way up, {v} (at the moment|so far)"),
    "-": ("{n} (is dropping|keeps falling|is going down), {v} now", "{n} {v} and (dropping|falling|still going down)", "{n} falling {t}, at {v}", "{n} down to {v} and (not finished|more to come)", "{n} on the way down, {v} (at the moment|so far)"),
}  # fmt: skip
SWINGING = (
    "{n} (swings|jumps|hunts|wanders|bounces|flickers) between {l} and {h}", "{n} (all over the place|very restless|never still|like a yo-yo), {l} to {h}", "{n} goes up and down, {l} to {h}", "the {n} needle dances from {l} to {h}",
    "{n} anything from {l} to {h}", "I (can't|could not) get a fixed {n}, {l} up to {h}", "{n} {l} one moment and {h} the next", "{n} (oscillating|unsteady|erratic|pulsing), {l} - {h}", "{l} to {h} on the {n}, back and forth", "{n} not steady, {l}..{h}",
)  # fmt: skip
PEAKED = (
    "{n} (shot up|jumped|kicked|spiked) to {h} and is {b} now", "a (short|sharp|single) peak of {h} on the {n}, now {b}", "{n} {b}, once {h}", "for a moment the {n} was {h}, then {b}", "{n} had a spike ({h}), otherwise {b}", "{n} hit {h}, back at {b}",
)  # fmt: skip
WORDY = (
    "the {n} is {v}", "{n} (looks|seems|appears) {v}", "{n} {v}", "{n}: {v}", "{n} (now|currently|still) {v}", "{n} is {v} (I think|they say|as far as I can see|if you ask me)", "I'd call the {n} {v}", "{n} {v} {t}", "{n} (was|has been) {v} {t}",
    "{v}, the {n}",
)  # fmt: skip
STATED = (
    "the {n} is {v}", "{n} (shows|says|indicates) {v}", "{n}: {v}", "{n} {v}", "{n} (on|at) {v}", "{n} (reported|flagged|displayed) as {v}", "{n} = {v}", "the {n} (bit|lamp|flag|contact|signal) (is|says) {v}", "{n} is {v} (still|again|now)", "{v} is the {n}",
)  # fmt: skip
NORMALLY = (" (normally|usually|otherwise) {u}", ", (should be|ought to be) {u}", " instead of {u}", " where (yesterday|last week|on other days) it was {u}", ", (expected|design|nameplate) {u}", " (vs|against) {u} in the manual")  # fmt: skip
LINKS = (", and ", ", but ", ", while ", "; ", ". Then ", ". After that ", ". Also ", ". At the same time ", ". ", ", so ", ", though ", ". Besides, ", " - ", ", whereas ", ". Well, ")  # fmt: skip
SINCE = (
    "since (nine|six|noon|lunch|midnight|the shift change|this morning|yesterday|10:15|7 o'clock|half past two)", "(in|over|within|during) the last (ten minutes|half hour|hour|minute|quarter of an hour|20 min|3 hours|30 s)",
    "for (ten minutes|an hour|a while|some time|5 min|two days) now", "since (we started|I came|he called|the alarm|they left)", "(between|from) (8 and 9|two and three|13:05 and 13:20)", "all (morning|shift|night|week|the time)",
)  # fmt: skip


def keep(patterns: Sequence[str], *, held_out: bool) -> Sequence[str]:
    """Return the patterns of training, or the others: every fifth."""
    return [pattern for place, pattern in enumerate(patterns) if (place % 5 == 4) == held_out]


def expand(pattern: str, rng: Random) -> str:
    """Draw one of each `(one|or another)`."""
    while True:
        drawn = CHOICE.sub(lambda found: rng.choice(found[1].split("|")), pattern)
        if drawn == pattern:
            return drawn
        pattern = drawn


def fill(pattern: str, rng: Random) -> str:
    """Draw one of each `(one|or another)`, and a number for each `<2..6>`, with as many decimals as its first bound."""

    def number(found: re.Match[str]) -> str:
        low, high = found[1], found[2]
        return f"{rng.uniform(float(low), float(high)):.{len(low.partition('.')[2])}f}"

    return NUMBER.sub(number, expand(pattern, rng)).strip()


def draw(patterns: Sequence[str], rng: Random, *, held_out: bool) -> str:
    """Return one pattern, expanded."""
    return expand(rng.choice(keep(patterns, held_out=held_out)), rng)


@cache
def sayings() -> dict[tuple[str, str, str], tuple[str, ...]]:
    """Return the trades' sayings by domain, role, and level and course."""
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    domain = ""
    for line in (MACHINES + PLANTS + EVERYDAY).strip().splitlines():
        if line.startswith("domain "):
            domain = line.removeprefix("domain ").strip()
        elif line:
            head, _, text = line.partition(" : ")
            role, _, levels = head.partition(" ")
            for level in levels.split(","):
                found[domain, role, level] = tuple(part.strip() for part in text.split(";"))
    return found


def rename(readings: Sequence[Reading], domain: str, share: float, rng: Random, *, held_out: bool) -> dict[str, str]:
    """Give a share of the readings a saying of the trade, and the name that it has there; return the sayings by name."""
    names = {one.name.lower() for one in readings}
    chosen: dict[str, str] = {}
    for one in readings:
        if one.sign is None or one.limited or rng.random() >= share:
            continue
        known = sayings().get((domain, one.sign.role, one.sign.level + one.sign.course), ())
        known = known[-1:] if held_out else known[:-1]
        usable = [text for text in known if one.numbers or "{" not in text]
        if not usable:
            continue
        text = expand(rng.choice(usable), rng)
        found = re.search(r"\[(.+?)\]", text)
        if found is None or found[1].lower() in names:
            continue
        names.add(found[1].lower())
        one.name = found[1]
        words = re.search(r"<(.+?)>", text)
        if words and (one.numbers or not one.sign.course):
            one.put_in_words(words[1])
        chosen[one.name] = re.sub(r"[\[\]<>]", "", text)
    return chosen


def say(
    reading: Reading,
    rng: Random,
    *,
    saying: str = "",
    wordy: float = 0.1,
    terse: bool = False,
    held_out: bool = False,
) -> str:
    """Return a sentence about a reading, without its end mark; `wordy` is the chance of no number, `terse` leaves small words out."""
    tight = rng.random() < 0.2
    since = draw(SINCE, rng, held_out=held_out) if rng.random() < 0.8 else ""
    if not saying:
        saying = _pattern(reading, rng, wordy, held_out=held_out)
        saying = SMALL.sub("", saying) if terse else saying
    values = {"n": reading.name, "t": since, "v": measure(reading.last, reading, tight=tight)}
    if reading.numbers:
        both = rng.random() < 0.4
        values |= {
            "a": measure(reading.first, reading, tight=tight) if both else reading.first,
            "b": values["v"],
            "l": reading.lowest,
            "h": measure(reading.highest, reading, tight=tight),
        }
    text = saying.format(**values).rstrip()
    return text + _expected(reading, rng, tight=tight, held_out=held_out)


def _pattern(reading: Reading, rng: Random, wordy: float, *, held_out: bool) -> str:
    course = reading.sign.course if reading.sign else ""
    if not reading.numbers:
        return draw(STATED, rng, held_out=held_out)
    if rng.random() < wordy and in_words(reading, rng):
        return draw(WORDY, rng, held_out=held_out)
    if not course or len(reading.texts) == 1:
        return draw(STEADY, rng, held_out=held_out)
    if course in "~^":
        return draw(SWINGING if course == "~" else PEAKED, rng, held_out=held_out)
    up = course in "+>"
    if rng.random() < 0.2:
        reading.forget()
        return draw(MOVING["+" if up else "-"], rng, held_out=held_out)
    return draw(RISING if up else FALLING, rng, held_out=held_out)


def _expected(reading: Reading, rng: Random, *, tight: bool, held_out: bool) -> str:
    """Say what the reading is on other days, where it is low or high, at times."""
    sign = reading.sign
    usual = {"l": (2.5, 6), "h": (0.35, 0.6)}.get(sign.level if sign and not sign.course else "")
    if not usual or not reading.numbers or reading.quantity in ("temperature", "angle") or rng.random() < 0.75:
        return ""
    number = reading.numbers[-1] * rng.uniform(*usual)
    if reading.limited or (reading.quantity == "share" and number > 100):
        return ""
    text = f"{number:.{0 if number >= 20 else 1 if number >= 2 else 3}f}"
    return draw(NORMALLY, rng, held_out=held_out).format(u=measure(text, reading, tight=tight))


def tell(readings: Sequence[Reading], rng: Random) -> str:
    """Return sentences about readings and nothing around them."""
    wordy = rng.choice((0.0, 0.1, 0.3))
    return run([say(one, rng, wordy=wordy) for one in readings], rng)


def capital(text: str) -> str:
    """Return a text that opens with a capital."""
    return text[:1].upper() + text[1:]


def run(sentences: Sequence[str], rng: Random) -> str:
    """Return sentences one after the other, as one author ends and links them."""
    style = rng.random()
    if style < 0.35:
        end = rng.choice((". ", ". ", "! ", ".\n"))
        return end.join(map(capital, sentences)) + end.strip()
    if style < 0.55:
        mark = rng.choice((", ", "; ", ", ", " - ", " ... ", " / "))
        return capital(mark.join(sentences)) + rng.choice((".", "", "!"))
    links = rng.sample(LINKS, rng.choice((2, 3, 5)))
    text = capital(sentences[0])
    for sentence in sentences[1:]:
        link = rng.choice(links)
        text += link + (capital(sentence) if link == ". " else sentence)
    return text + "."
