"""The words around the readings: who asks, what is asked, which answers are offered, which limits are stated."""

from collections.abc import Sequence
from random import Random

from engine.plant.activities import naming
from engine.plant.activities.readings import Reading
from engine.plant.activities.vocabulary import Activity, Domain

ASKS = (
    "What is the {m} doing?", "What is it doing?", "State?", "Which state is the {m} in?", "Name the activity.", "Classify the activity.",
    "What is going on?", "Which activity do these readings show?", "Tell me the current operation.", "What is happening here?", "Status please.",
    "Identify the operating state.", "Which operating mode is this?", "Determine the state of the {m} and say what is unusual.",
    "Summarise what the {m} does and flag anything odd.", "Please classify the state and explain briefly.", "Activity?", "Mode?", "What phase is this?",
    "Describe the current activity in one or two sentences.", "Is everything normal? What is it doing?", "What can you tell from these values?",
    "Label this segment.", "Which label fits?", "What would you call this condition?", "Diagnose.", "Interpret the data.", "Assess the {m}.",
    "Explain what the {m} is doing right now.", "Any idea what is going on with the {m}?", "What was the {m} doing at that time?",
    "Give the activity and the evidence.", "Recognise the activity from the sensors.", "Which step of the cycle is this?", "Can you tell the state?",
    "Say which activity it is and quote the readings that show it.", "We need the operating state for the report.", "Which situation is this?",
    "Your assessment?", "What do you make of this?", "Report the status of the {m}.", "Which of these is it?", "What do the gauges tell you?", "How is the {m} running?",
    "Condition?", "Say what the {m} is up to.", "Enter the operating state.", "Verdict?", "Judge the situation.", "Look at this and tell me the mode.", "Operating point?",
    "Which state would you log for the {m}?", "Complete the log: state =", "What should I write into the shift book?", "Is the {m} in order?", "Current state of the {m}?",
)  # fmt: skip
ASKS_HELD_OUT = (
    "Your verdict on the {m}?", "How would you read this?", "In what condition do you find the {m}?", "Read the instruments and report.",
    "Current regime?", "Fill in the status field for the {m}.",
)  # fmt: skip
SYSTEMS = (
    "You are an assistant for industrial sensor data.", "You read sensor values and name the activity.", "You monitor machines.",
    "You are an expert for condition monitoring.", "Answer briefly.", "You label operating states.", "You are a helpful plant assistant. Be precise.",
    "Sensor analyst.", "Act as a shift engineer.", "You help operators to understand their machines.",
)  # fmt: skip
OPENINGS = (
    "Readings from the {m}:", "Sensor data of {m}:", "Data:", "Values:", "{M} readings:", "Here is the last record from our {m}.", "Current values:",
    "Latest sample, {m}:", "{M}, last minutes:", "This is what the sensors of the {m} say:", "Telemetry:", "Export from the historian ({m}):", "Log:",
    "Hi, these are the values of our {m}:", "From the {m}:", "Measured on the {m}:", "Input:", "Sensors:", "Snapshot of {m}:", "Please look at this {m}.",
    "Panel of {m}:", "Display shows:", "Today's values, {m}:", "Extracted from the database:", "{M} -", "Screen of the {m}:", "We have:", "Trend of {m}:", "Report {m}", "Record:",
)  # fmt: skip
OPENINGS_HELD_OUT = ("Instrument panel of the {m}:", "What we have from {m} today:", "Extract, {m}:")
OFFERS = (
    "Options: {}.", "Choose from: {}.", "Possible states: {}.", "Is it {}?", "Labels: {}", "One of: {}.", "Candidates: {}.", "Pick one of [{}].",
    "It can be {}.", "Allowed answers: {}.", "Classes: {}", "Known states of this machine are {}.", "Select the best match: {}.",
    "Choose between {}.", "The list is {}.", "Answer with one of {}.", "Valid: {}", "We only use {}.", "Our system knows these: {}.", "Which of {}?", "states = [{}]", "The log accepts {}.",
    "Decide: {}?", "Either of {}.", "Select: {}", "Vocabulary: {}.", "I need one out of {}.",
)  # fmt: skip
OFFERS_HELD_OUT = ("Decide between {}.", "The catalogue knows {}.")
CHATTER = (
    "Hi,", "Hello team,", "Good morning,", "Shift B reporting.", "Note from the night shift.", "From the control room.", "Ticket 4711.", "FYI.", "Customer call.",
    "The operator noticed nothing.", "We had maintenance last week.", "Nobody was on site.", "It was raining.", "See below.", "Regards, Tom", "Thanks!", "Thanks in advance.", "Best regards",
    "Please answer quickly.", "No alarms so far.", "The display froze for a moment.", "Second try.", "Taken by hand.", "Recorded automatically.", "As discussed.", "Sent from my phone",
)  # fmt: skip
LIMITS_HIGH = (
    "Limit for {n}: {v}.",
    "{n} must stay below {v}.",
    "Alarm limit {n} {v}.",
    "Max {n}: {v}.",
    "{n} high limit = {v}.",
    "{n} should not exceed {v}.",
    "Normal {n}: up to {v}.",
)
LIMITS_LOW = (
    "Minimum {n}: {v}.",
    "{n} must stay above {v}.",
    "Low limit {n} {v}.",
    "Min {n}: {v}.",
    "{n} should not fall below {v}.",
    "Normal {n}: at least {v}.",
)


def machine(domain: Domain, rng: Random, *, held_out: bool) -> str:
    """Return what the author calls the machine: `feed pump`, `pump P-101`."""
    name = rng.choice(domain.held_out) if held_out else naming.machine(rng.choice((*domain.names, *domain.more)), rng)
    if rng.random() < 0.22:
        name += f" {rng.choice('ABCKMPRTX')}{rng.choice(('-', '', ' '))}{rng.randrange(1, 400)}"
    return name


def ask(domain: Domain, name: str, rng: Random, *, held_out: bool) -> str:
    """Return a question, or nothing."""
    if rng.random() < 0.12:
        return ""
    known = rng.random() < 0.5
    return rng.choice(ASKS_HELD_OUT if held_out else ASKS).format(m=domain.key if known else name)


def open_with(name: str, rng: Random, *, held_out: bool) -> str:
    """Return what leads to the readings, or nothing."""
    if rng.random() < 0.25:
        return ""
    return rng.choice(OPENINGS_HELD_OUT if held_out else OPENINGS).format(m=name, M=name[0].upper() + name[1:])


def offer(domain: Domain, activity: Activity, rng: Random, *, held_out: bool) -> str:
    """Return a list of states with the true one among them, each by one of its names."""
    others = [one for one in domain.activities.values() if one is not activity]
    chosen = [activity, *rng.sample(others, rng.randrange(min(2, len(others)), len(others) + 1))]
    rng.shuffle(chosen)
    plain = rng.random() < 0.5
    names = [one.key if plain or rng.random() < 0.4 else rng.choice((one.key, *one.others)) for one in chosen]
    style = rng.randrange(6)
    if style == 0:
        return "\n".join(
            [rng.choice(("Options:", "States:", "Choose one:", "Labels:")), *(f"- {name}" for name in names)]
        )
    if style == 1:
        return "\n".join(
            [
                rng.choice(("Options:", "States:", "Which one?")),
                *(f"{place}. {name}" for place, name in enumerate(names, 1)),
            ]
        )
    mark = rng.choice((" / ", " | ", ", ", ", ", "; "))
    text = mark.join(names) if rng.random() < 0.7 or mark != ", " else ", ".join(names[:-1]) + " or " + names[-1]
    return rng.choice(OFFERS_HELD_OUT if held_out else OFFERS).format(text)


def limit(
    reading: Reading, rng: Random, high: Sequence[str] = LIMITS_HIGH, low: Sequence[str] = LIMITS_LOW
) -> tuple[str, str]:
    """Return a stated limit of a channel, and what is unusual by it, if anything."""
    unit = f" {reading.unit}" if reading.unit else ""
    value = reading.numbers[-1]  # the one that every form shows
    broken = rng.random() < 0.55
    if rng.random() < 0.7:
        bound = _round(value * (rng.uniform(0.6, 0.92) if broken else rng.uniform(1.1, 1.7)))
        text = rng.choice(high).format(n=reading.name, v=f"{bound}{unit}")
        return text, f"{reading.name} {reading.last} is above the stated limit of {bound}" if value > float(
            bound
        ) else ""
    bound = _round(value * (rng.uniform(1.1, 1.6) if broken else rng.uniform(0.4, 0.88)))
    text = rng.choice(low).format(n=reading.name, v=f"{bound}{unit}")
    return text, f"{reading.name} {reading.last} is below the stated limit of {bound}" if value < float(bound) else ""


def join(parts: Sequence[str], rng: Random) -> str:
    """Join what is not empty by line ends or blanks."""
    texts = [part for part in parts if part]
    return "".join(
        text + (rng.choice(("\n", "\n", "\n\n", " ")) if place < len(texts) - 1 else "")
        for place, text in enumerate(texts)
    )


def _round(value: float) -> str:
    for size, decimals in ((50, 0), (5, 1), (0.5, 2)):
        if abs(value) >= size:
            text = f"{value:.{decimals}f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.3f}"
