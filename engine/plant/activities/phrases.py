"""How people say one reading: a number and its unit, a course in a few words, or no number at all. For training only."""

from random import Random

from engine.plant.activities.readings import Reading

UP, DOWN = "+>", "-<d"
LEVELS = {
    "0": ("zero", "nil", "none", "nothing", "at zero", "dead", "gone", "flat zero", "zip", "absent", "not there"),
    "l": ("low", "very low", "hardly anything", "next to nothing", "way down", "minimal", "below normal", "small", "weak", "tiny", "down"),
    "n": ("normal", "as usual", "OK", "fine", "steady", "in the green", "unchanged", "nominal", "as always", "usual", "ok", "constant", "stable", "unremarkable"),
    "h": ("high", "very high", "too high", "way up", "excessive", "above normal", "through the roof", "elevated", "far too high", "extreme", "maxed out"),
}  # fmt: skip
STILL = ("stopped", "not turning", "stationary", "standing still", "zero", "at rest", "not moving", "0")
WARM = {"l": ("cold", "cool", "low", "lukewarm at best"), "h": ("hot", "very hot", "too hot", "burning hot", "high")}
COURSES = {
    "+": ("rising", "climbing", "going up", "increasing", "on the way up", "building up", "growing", "ramping up", "getting higher", "rising fast"),
    ">": ("creeping up", "slowly rising", "rising a little", "inching up", "slightly up"),
    "-": ("falling", "dropping", "going down", "decreasing", "on the way down", "coming down", "sinking", "ramping down", "getting lower"),
    "<": ("creeping down", "slowly falling", "falling a little", "slightly down"),
    "d": ("suddenly down", "collapsed", "dropped at once", "fell off a cliff", "broke down suddenly"),
    "~": ("swinging", "jumping around", "unstable", "all over the place", "fluctuating", "hunting", "oscillating", "going up and down", "erratic", "bouncing", "wobbling"),
    "^": ("spiked briefly", "had a short peak", "jumped once", "one sharp spike"),
}  # fmt: skip
RISEN = (
    "{a} -> {b}", "{a} → {b}", "from {a} to {b}", "{b}, was {a}", "{b} (before: {a})", "up from {a} to {b}", "{a}, now {b}", "{a} then {b}", "went from {a} to {b}",
    "was {a} and is {b} now", "{b} and climbing (started at {a})", "{b}, up from {a}", "rising, {a} to {b}", "climbed from {a} to {b}", "{a} up to {b}", "rose from {a} to {b}",
    "{b} ↑ (from {a})", "{a}=>{b}", "started at {a}, at {b} now", "increasing {a} ... {b}", "{a} / {b}", "{b} now, {a} at first", "moved up from {a} to {b}", "{a} ↗ {b}",
)  # fmt: skip
FALLEN = (
    "{a} -> {b}", "{a} → {b}", "from {a} to {b}", "{b}, was {a}", "{b} (before: {a})", "down from {a} to {b}", "{a}, now {b}", "{a} then {b}", "went from {a} to {b}",
    "was {a} and is {b} now", "{b} and falling (started at {a})", "{b}, down from {a}", "falling, {a} to {b}", "dropped from {a} to {b}", "{a} down to {b}", "fell from {a} to {b}",
    "{b} ↓ (from {a})", "{a}=>{b}", "started at {a}, at {b} now", "decreasing {a} ... {b}", "{a} / {b}", "{b} now, {a} at first", "came down from {a} to {b}", "{a} ↘ {b}",
)  # fmt: skip
SWUNG = (
    "{l} to {h}, swinging", "between {l} and {h}", "swinging between {l} and {h}", "{l}..{h} unstable", "jumping from {l} to {h} and back", "anywhere from {l} to {h}",
    "hunting {l}-{h}", "{l} - {h}, restless", "varies {l} to {h}", "unsteady, {l} up to {h}", "oscillates {l} / {h}", "bouncing {l} to {h}", "not steady ({l} ... {h})", "min {l} max {h}, erratic",
)  # fmt: skip
PEAKED = (
    "{b}, peak {h}", "{b} with one spike to {h}", "spiked to {h}, now {b}", "{b} (max {h})", "jumped to {h}, back at {b}", "peak of {h}, then {b}", "{h} for a moment, otherwise {b}",
)  # fmt: skip
MOVING_UP = ("{b} and rising", "{b}, rising", "{b} ↑", "{b} (going up)", "{b} climbing", "{b} ↗", "{b} and still going up", "rising, {b} now", "{b} trend up", "{b} increasing", "up at {b}")  # fmt: skip
MOVING_DOWN = ("{b} and falling", "{b}, falling", "{b} ↓", "{b} (going down)", "{b} dropping", "{b} ↘", "{b} and still going down", "falling, {b} now", "{b} trend down", "{b} decreasing", "down at {b}")  # fmt: skip
ABOUT = ("about {}", "around {}", "~{}", "roughly {}", "a steady {}", "constant {}", "{} flat", "{} steady", "approx. {}", "{} (ok)", "stays at {}", "pretty much {}")  # fmt: skip


def measure(text: str, reading: Reading, *, tight: bool) -> str:
    """Return a value with its unit."""
    if not reading.unit:
        return text
    return f"{text}{'' if tight or reading.unit in '°%' else ' '}{reading.unit}"


def in_words(reading: Reading, rng: Random) -> bool:
    """Say a reading without a number, where its sign has words for it; tell whether that was possible."""
    sign = reading.sign
    if sign is None or not reading.numbers or reading.limited:
        return False
    if sign.course:
        words = COURSES[sign.course]
    elif sign.level == "0" and reading.quantity in ("turns", "velocity", "slow_velocity", "feed"):
        words = STILL
    elif reading.quantity == "temperature" and sign.level in WARM:
        words = WARM[sign.level]
    elif sign.level in LEVELS and reading.quantity != "angle":
        words = LEVELS[sign.level]
    else:
        return False
    reading.put_in_words(rng.choice(words))
    return True


def phrase(reading: Reading, rng: Random, *, tight: bool, wordy: float = 0.04) -> str:
    """Return a channel's readings as people say them; `wordy` is the chance of no number."""
    if rng.random() < wordy and in_words(reading, rng):
        return reading.last
    course = reading.sign.course if reading.sign else ""
    last = measure(reading.last, reading, tight=tight)
    if not reading.numbers or len(reading.texts) == 1:
        return last
    if not course:
        return rng.choice(ABOUT).format(last) if rng.random() < 0.08 else last
    if course == "~":
        high = measure(reading.highest, reading, tight=tight)
        return rng.choice(SWUNG).format(l=reading.lowest, h=high)
    if course == "^":
        return rng.choice(PEAKED).format(b=last, h=reading.highest)
    if rng.random() < 0.2:
        reading.forget()
        return rng.choice(MOVING_UP if course in UP else MOVING_DOWN).format(b=last)
    first = measure(reading.first, reading, tight=tight) if rng.random() < 0.4 else reading.first
    return rng.choice(RISEN if course in UP else FALLEN).format(a=first, b=last)
