"""The words around readings as people of many trades write them: questions, ways in, offers, small talk. For training only."""

from random import Random

from engine.plant.activities.vocabulary import Activity, Domain

ASKS = (
    "whats it doing", "What's it doing?", "what is the {m} up to right now?", "so what is going on?", "Can you tell me what the {m} was doing?", "What state is it in?", "state please", "Which one?",
    "What's happening with the {m}?", "Give me the state in one word.", "Name the state.", "Which operation is running?", "please tell me the operating state of the {m}", "What's your guess?",
    "Tell me what you think it does.", "Is the {m} working normally?", "What is wrong with it?", "Is anything wrong?", "What would an operator call this?", "What phase are we in?", "Which regime is this?",
    "What is the current activity of the {m}?", "Explain in a sentence what the {m} is doing.", "In one sentence: what is happening?", "What do you conclude?", "How would you describe the state of the {m}?",
    "I'd like to know what the {m} is doing.", "Need a status on the {m}.", "Status of {m}?", "Operating state?", "current activity?", "activity please", "What mode is the {m} in?", "Any problem here?",
    "What did the {m} do in this window?", "Summarize.", "Summary?", "Describe the situation.", "Describe what you see.", "What can be said about the {m}?", "Could you classify this for me?", "label?",
    "Which label belongs to this record?", "Annotate this interval.", "Add the missing state.", "Classify.", "Classification:", "Answer:", "State:", "state =", "Activity:", "=> ?", "What now?", "?",
    "Does this look like normal operation?", "Should I worry?", "What is the most likely state?", "most probable activity of the {m}?", "Tell the shift what the {m} is doing.", "Write one line for the log.",
    "One line for the shift report please.", "Please give a short summary for the handover.", "For the report: what was going on?", "What do these numbers mean?", "Make sense of this.", "Translate this into plain words.",
    "What exactly is the {m} doing here, and why do you think so?", "Which values tell you that?", "Is the {m} on or off, or what?", "what's up with the {m}", "What kind of operation is this?", "Identify the activity.",
    "Detect the state.", "Determine the activity.", "Say what is going on and what looks odd.", "Anything unusual?", "Is something out of the ordinary?", "Which of the known states fits best?", "Your opinion?",
    "What are we looking at?", "What would you write in the logbook?", "Tell me the mode and the evidence.", "Give your diagnosis.", "Diagnosis?", "What is the diagnosis?", "How is it going with the {m}?", "Everything ok?",
)  # fmt: skip
OPENINGS = (
    "Hi, {m} here.", "{M}:", "{m}", "{M} -", "This is our {m}.", "About the {m}:", "I am standing next to the {m}.", "Looking at the {m} now.", "Just checked the {m}.", "Numbers from the {m}:", "{M}, just now:",
    "From the display of the {m}:", "Our {m} gives this:", "Machine: {m}", "Asset: {m}", "Equipment: {m}.", "Subject: {m}", "Device {m}", "Source: {m}", "System: {m}", "Object: {m}", "# {m}", "== {m} ==", "*** {m} ***",
    "Walk-round, {m}:", "Round at the {m}.", "Inspection of the {m}.", "Handover, {m}.", "Alarm came from the {m}.", "I got a call about the {m}.", "Here are the figures for the {m}:", "Values of the {m} below.",
    "The following was recorded on the {m}.", "Recorded at the {m}:", "SCADA, {m}:", "BMS point list, {m}:", "Data logger, {m}:", "PLC dump of the {m}:", "Trend data {m}:", "Monitoring, {m}:", "Event on {m}:",
    "Question about the {m}.", "I have a {m} and it gives me this.", "we have a {m} here", "Today on the {m}:", "Copy of the {m} screen:", "Logbook, {m}:", "Shift notes on the {m}:", "Report on the {m}.", "Ticket: {m}",
    "Got these from the {m}:", "Telemetry packet ({m})", "Readings, {m}.", "Dear support, this is about our {m}.", "Hello, can you help with the {m}?", "Sample from {m}", "{m}, quick look:", "Reading the panel of the {m}:",
)  # fmt: skip
NAMELESS = (
    "Readings below.", "I see this:", "Numbers:", "data", "Got this:", "Here:", "This came in:", "Have a look:", "See attached values.", "Last values:", "Snapshot:", "Sensors say:", "Signals:", "On the screen:",
    "Measured:", "The record:", "Just in:", "Current picture:", "Log entry:", "Note:", "Values are as follows.", "Below is the latest data.", "From the sheet:", "My notes:",
)  # fmt: skip
OFFERS = (
    "Options are {}.", "It's either {}.", "Could be {}.", "Pick from {}.", "Pick: {}", "Use one of these: {}.", "Use exactly one of: {}.", "Please choose: {}", "({})", "[{}]", "Allowed: {}", "Allowed labels: {}.",
    "Possible: {}", "Possible answers are {}.", "States: {}", "Known states: {}.", "Our labels: {}.", "The states we use are {}.", "choose {}", "Is this {}?", "Would you say {}?", "{}?", "Only these count: {}.",
    "Select from the list: {}", "The answer should be one of {}.", "Valid labels: {}.", "Possible classes: {}.", "Class list: {}", "label set = {{{}}}", "enum: {}", "modes: {}", "Which one of these: {}?",
    "We distinguish {}.", "The logbook has {}.", "In our system that is {}.", "Categories: {}.", "Answer with: {}.", "I am torn between {}.", "One of these it must be: {}.", "Possible modes {}.", "Tick one: {}",
)  # fmt: skip
HEADS = ("Options", "States", "Choose one", "Labels", "Pick one", "Possible states", "Candidates", "Choices", "Which one?", "Allowed", "Modes", "Tick one", "List of states", "Classes")  # fmt: skip
CHATTER = (
    "Weather is fine.", "It is quiet here.", "The new guy is on shift.", "Filter was changed yesterday.", "We replaced the sensor last month.", "Serial number {a}-{b}.", "Ticket #{a}.", "Built in {y}.", "Since {h} o'clock.",
    "Photo attached.", "I could not reach anybody.", "The manual does not help.", "Customer is waiting.", "No one touched it.", "Someone was here before.", "Phone me at extension {b}.", "Kind regards, Ines", "cheers", "Thx", "BR, Paul",
    "Sorry for the short mail.", "Order no. {a}.", "Work order {a}.", "Room {b}.", "Hall {b}, line {c}.", "Shift {c}.", "Maintenance is due in {b} hours.", "Last service {y}.", "Noticed at {h}:{b}.", "It smells normal.",
    "No leak visible.", "The lamp is green.", "Nothing in the logbook.", "It has been like this for {c} minutes.", "Calibration was in {y}.", "Sampling every {c} s.", "Firmware {c}.{b}.", "Sensor box {b} is new.", "As always.",
    "Same as last week.", "First time I see this.", "Not urgent.", "Urgent!", "Please hurry.", "Take your time.", "We are {c} people here.", "Two sensors are missing.", "Trust the numbers.", "Data may be noisy.", "Site {b}.",
    "Page {c} of {b}.", "Contract {a}.", "Line {c} is down for cleaning.", "Good evening,", "Dear colleagues,", "Hey,", "hi there", "Guten Tag,", "Moin,", "Hello,", "To whom it may concern:", "Team,", "ping @all", "Hi all,",
)  # fmt: skip
SYSTEMS = (
    "You classify machine states.", "You are a maintenance assistant.", "Answer in one or two sentences.", "You are an operator's helper.", "You read instrument values and say what is going on.", "Be brief and factual.",
    "State first, then evidence.", "You get sensor readings; name the activity and quote the evidence.", "You are a diagnostic service.", "Only use what is in the record.", "Be short.", "You are connected to a SCADA system.",
    "You support the control room.", "Reply with the activity, the readings that show it, and anything unusual.", "You turn telemetry into words.", "You are a data analyst for machines.", "Monitoring bot.",
)  # fmt: skip
TOO_HIGH = (
    "{n} may be {v} at most.", "{n} not above {v}.", "{n} alarm at {v}.", "Upper limit of {n} is {v}.", "Allowed {n}: max. {v}.", "{n} limit {v}", "Keep {n} under {v}.", "Warn if {n} > {v}.", "{n} trip point {v}.", "The maximum for {n} is {v}.",
    "{n} (max allowed {v}).", "We must not go over {v} on {n}.",
)  # fmt: skip
TOO_LOW = (
    "{n} has to be {v} at least.", "{n} not below {v}.", "{n} low alarm at {v}.", "Lower limit of {n} is {v}.", "Required {n}: min. {v}.", "Keep {n} over {v}.", "Warn if {n} < {v}.", "The minimum for {n} is {v}.",
    "{n} (at least {v} needed).", "We must not go under {v} on {n}.",
)  # fmt: skip


def chatter(rng: Random) -> str:
    """Return a sentence that has nothing to do with it, some with numbers that are no readings."""
    return rng.choice(CHATTER).format(
        a=rng.randrange(1000, 99999),
        b=rng.randrange(10, 60),
        c=rng.randrange(1, 9),
        h=rng.randrange(5, 20),
        y=rng.randrange(1988, 2026),
    )


def offer(domain: Domain, activity: Activity, rng: Random) -> str:
    """Return a list of states with the true one among them, in one of many forms."""
    others = [one for one in domain.activities.values() if one is not activity]
    chosen = [activity, *rng.sample(others, rng.randrange(1, len(others) + 1))]
    rng.shuffle(chosen)
    other = rng.choice((0.0, 0.3, 0.6))  # the share of states that go by another of their names
    names = [rng.choice(one.others) if one.others and rng.random() < other else one.key for one in chosen]
    style = rng.random()
    if style < 0.1:
        names = [name.upper() for name in names]
    elif style < 0.2:
        names = [name.replace(" ", "_") for name in names]
    elif style < 0.3:
        names = [name[0].upper() + name[1:] for name in names]
    elif style < 0.35:
        names = [f'"{name}"' for name in names]
    if rng.random() < 0.25:
        marks = rng.choice(
            (
                ("- {}",),
                ("* {}",),
                ("{place}. {}",),
                ("{place}) {}",),
                ("[ ] {}",),
                ("({letter}) {}",),
                ("{letter}) {}",),
                ("{letter}: {}",),
                ("{}",),
            )
        )
        lines = [marks[0].format(name, place=place + 1, letter="abcdefghij"[place]) for place, name in enumerate(names)]
        return "\n".join([rng.choice(HEADS) + rng.choice((":", ":", "", " -")), *lines])
    mark = rng.choice((" / ", "/", " | ", "|", ", ", ", ", ", ", "; ", ",", " or ", " - "))
    text = mark.join(names)
    if mark == ", " and len(names) > 1 and rng.random() < 0.5:
        text = ", ".join(names[:-1]) + rng.choice((" or ", " and ", ", or ")) + names[-1]
    return rng.choice(OFFERS).format(text)
