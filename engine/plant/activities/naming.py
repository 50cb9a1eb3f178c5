"""Names as many authors would give them: the rule base's own, varied word by word, cut short, numbered, or telling nothing at all.

A small model that has met ten names of a quantity knows ten names. What people write is endless, so most channels of an example get a
name that is nearly, or entirely, its own: such names can only be quoted by reading them, and the activity has to be told from units,
values and the other channels. Names that are held out for measuring are never made.
"""

import re
from collections.abc import Container
from functools import cache
from random import Random

SYNONYMS = {  # word -> what others write for it
    "speed": ("velocity", "rate", "spd", "revs"), "rate": ("speed", "per time", "ratio"), "rpm": ("revolutions", "turns", "speed", "r.p.m."),
    "temperature": ("temp", "temp.", "thermal reading", "heat", "degrees", "T"), "temp": ("temperature", "temp.", "heat", "thermo"),
    "pressure": ("press", "press.", "p", "head", "gauge"), "flow": ("stream", "throughput", "volume", "flux", "flow meter", "quantity"),
    "current": ("amps", "amperage", "draw", "load current", "ampere"), "amps": ("current", "amperage", "ampere"),
    "power": ("load", "kW", "consumption", "wattage", "energy use", "demand"), "voltage": ("volts", "U", "potential", "tension"),
    "vibration": ("vib", "vibr.", "shake", "oscillation", "vibration velocity", "vibes"), "level": ("height", "content", "amount", "filling", "depth"),
    "motor": ("drive", "engine", "machine", "mtr", "e-motor"), "drive": ("motor", "gear", "drv", "inverter"), "pump": ("pmp", "machine", "unit", "impeller"),
    "valve": ("vlv", "damper", "tap", "cock", "actuator"), "position": ("pos", "location", "place", "reading", "setting"),
    "status": ("state", "signal", "flag", "indication", "bit"), "door": ("gate", "hatch", "leaf", "door switch", "entrance"),
    "room": ("space", "hall", "chamber", "area", "zone"), "air": ("gas", "airstream", "breeze"), "supply": ("feed", "incoming", "delivered", "inlet"),
    "discharge": ("outlet", "exit", "downstream", "output", "delivery"), "outlet": ("discharge", "exit", "downstream", "out"),
    "inlet": ("intake", "entry", "upstream", "suction", "in"), "suction": ("inlet", "upstream", "intake", "entry"),
    "bearing": ("brg", "shaft support", "journal", "roller"), "spindle": ("spdl", "tool shaft", "main shaft", "cutter"),
    "fan": ("vent", "blower wheel", "impeller", "rotor"), "heater": ("heating", "element", "heat source", "warmer"),
    "heating": ("heater", "heat", "warming", "hot side"), "cooling": ("chiller", "cold side", "refrigeration", "chill"),
    "load": ("burden", "effort", "weight", "duty", "utilisation"), "weight": ("load", "mass", "force", "wt"), "torque": ("twist", "moment", "trq", "M"),
    "force": ("pressure", "effort", "push", "F"), "memory": ("RAM", "mem", "working set", "heap use"), "CPU": ("processor", "cores", "compute"),
    "disk": ("storage", "drive", "volume", "SSD"), "network": ("net", "LAN", "interface", "ethernet"), "traffic": ("volume", "usage", "transfer", "data"),
    "packets": ("pkts", "frames in", "PDU"), "requests": ("queries", "jobs", "operations", "hits per host"), "loss": ("lost share", "missing", "drop", "error share"),
    "latency": ("delay", "lag", "response time", "wait"), "heart": ("cardiac", "pulse", "heartbeat"), "steps": ("paces", "step count", "stepping"),
    "battery": ("pack", "accu", "cells", "batt"), "cell": ("element", "module", "unit"), "charge": ("charging", "fill state", "SoC"),
    "fuel": ("diesel", "petrol", "tank"), "engine": ("motor", "ICE", "machine"), "brake": ("braking", "brk", "retarder"), "gear": ("drive mode", "selector", "ratio"),
    "wind": ("air speed", "gust", "anemometer"), "rotor": ("hub", "blades", "turning part"), "pitch": ("blade setting", "blade pos", "incidence"),
    "belt": ("band", "strip", "conveyor", "web"), "slip": ("slippage", "creep", "lag"), "bit": ("drill bit", "tool end", "bottom tool"),
    "depth": ("MD", "distance down", "measured depth"), "hook": ("travelling", "crane", "hoist"), "block": ("travelling block", "blk", "pulley"),
    "mud": ("drilling fluid", "fluid", "slurry"), "drum": ("basket", "tub", "barrel"), "water": ("liquid", "H2O", "bath"), "tank": ("vessel", "container", "drum", "silo"),
    "car": ("cab", "lift car", "platform"), "joint": ("axis", "pivot", "J"), "gripper": ("hand", "claw", "clamp", "tool"), "coil": ("exchanger", "evap", "register"),
    "compressor": ("comp", "cooling machine", "chiller unit"), "humidity": ("moisture", "damp", "wetness", "RH"), "oil": ("lubricant", "lube", "sump"),
    "filter": ("strainer", "screen", "F7 filter"), "alarm": ("alert", "warning", "emergency"), "call": ("demand", "button", "request for ride"),
    "output": ("result", "out", "production", "delivered"), "active": ("real", "true", "effective"),
}  # fmt: skip
BEFORE = (
    "main", "actual", "measured", "mean", "avg", "total", "line 1", "no. 2", "left", "right", "north", "PV", "raw", "filtered", "upper", "lower", "front",
    "rear", "unit B", "sensor", "meas.", "cur.", "HMI", "PLC", "AI", "overall", "local", "remote", "primary",
)  # fmt: skip
AFTER = (
    "value",
    "PV",
    "1",
    "2",
    "A",
    "B",
    "avg",
    "reading",
    "sensor",
    "signal",
    "act",
    "meas",
    "mean",
    "now",
    "(raw)",
    "side A",
    "DE",
    "NDE",
    "ch 3",
)
SYLLABLES = (
    "ka",
    "ro",
    "min",
    "tel",
    "va",
    "sor",
    "pi",
    "lum",
    "dex",
    "or",
    "ban",
    "cy",
    "tri",
    "mo",
    "ul",
    "fen",
    "gra",
    "zo",
    "ne",
    "wick",
    "ho",
    "bar",
)
GENERIC = (
    "unit",
    "machine",
    "asset",
    "equipment",
    "device",
    "system",
    "plant",
    "installation",
    "station",
    "aggregate",
    "object",
    "line",
)


CONSONANTS, VOWELS = "bcdfghjklmnpqrstvwxz", "aeiouy"


def normalise(name: str) -> str:
    """Return a name in small letters with single blanks for marks: by this, names are the same."""
    return " ".join(re.split(r"[\s_.\-/]+", name.lower())).strip()


def channel(name: str, forbidden: Container[str], rng: Random) -> str:
    """Return a name for a channel that one of the rule base's names stands for; `forbidden` are normalised names that are held out."""
    style = rng.random()
    if style < 0.4:
        return name
    core = name
    if style < 0.46:
        varied = blank(rng)
    elif style < 0.56:
        varied = " ".join(_short(word, rng) for word in name.split())
    else:
        varied = core = " ".join(
            rng.choice(SYNONYMS[word]) if word in SYNONYMS and rng.random() < 0.6 else word for word in name.split()
        )
        if rng.random() < 0.3:
            varied = f"{rng.choice(BEFORE)} {varied}"
        elif rng.random() < 0.3:
            varied = f"{varied} {rng.choice(AFTER)}"
        elif rng.random() < 0.1:
            varied = f"{word(rng)} {varied}"
    return name if normalise(varied) in forbidden or normalise(core) in forbidden else varied


def machine(name: str, rng: Random) -> str:
    """Return a name for a machine: mostly what it is, at times a word that does not say so."""
    style = rng.random()
    if style < 0.7:
        return name
    if style < 0.85:
        return rng.choice(GENERIC)
    return word(rng) if style < 0.92 else f"{word(rng)} {name}"


def blank(rng: Random) -> str:
    """Return a name that tells nothing about what is measured."""
    style = rng.random()
    if style < 0.4:
        return word(rng)
    if style < 0.6:
        return f"{word(rng)} {word(rng)}"
    return f"{rng.choice(('CH', 'AI', 'tag', 'x', 'sig', 'PT', 'TT', 'FI', 'SI', 'P', 'T', 'var', 'DB'))}{rng.choice(('', '-', '_'))}{rng.randrange(1, 400)}"


def strange(rng: Random) -> str:
    """Return a name that cannot be guessed: words put together without sense, a code, or both."""
    style = rng.random()
    if style < 0.2:
        return blank(rng)
    if style < 0.3:
        letters = "".join(
            rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-") for _ in range(rng.randrange(2, 8))
        )
        return letters + str(rng.randrange(100)) if rng.random() < 0.5 else letters
    words = [rng.choice(_every_word()) if rng.random() < 0.8 else word(rng) for _ in range(rng.choice((1, 2, 2, 3)))]
    return rng.choice((" ", " ", " ", "_", "-", ".", "")).join(words)


@cache
def _every_word() -> tuple[str, ...]:
    return tuple(
        sorted(
            {
                part
                for words in (*SYNONYMS.values(), tuple(SYNONYMS), BEFORE, AFTER, GENERIC)
                for one in words
                for part in one.split()
            }
        )
    )


def word(rng: Random) -> str:
    """Return a word that means nothing."""
    if rng.random() < 0.5:
        return "".join(
            rng.choice(CONSONANTS) + rng.choice(VOWELS) + (rng.choice(CONSONANTS) if rng.random() < 0.4 else "")
            for _ in range(rng.choice((1, 2, 2, 3)))
        )
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 2, 3))))


def _short(word: str, rng: Random) -> str:
    if len(word) < 5 or rng.random() < 0.3:
        return word
    if rng.random() < 0.5:
        return word[: rng.choice((3, 4))] + rng.choice(("", "."))
    return word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")
