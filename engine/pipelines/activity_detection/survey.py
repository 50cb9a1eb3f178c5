"""The look at every input before the first answer: how many records there are, how long prompts get, what they share.

It costs one pass of reading and counting tokens, and settles how many answers fit into memory side by side and what needs to be
computed only once. It is kept in the journal, so that a resumed run decides alike without looking again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.models.language.generate import SMALLEST_PREFIX
from engine.output.journal import Entry, Journal
from engine.pipelines.activity_detection.questions import Question, share_prefix


@dataclass(frozen=True, slots=True)
class Survey:
    """What one input holds.

    Attributes
    ----------
    lines, prompts : int
        All of them, and those that can be answered.
    longest : int
        Tokens of the longest prompt.
    prefix : tuple of int
        What all prompts begin with; empty where that is shorter than `SMALLEST_PREFIX`, or there is one prompt only.
    """

    lines: int
    prompts: int
    longest: int
    prefix: tuple[int, ...]


def look_at(questions: Iterable[Question]) -> Survey:
    """Survey the questions of one input."""
    lines = prompts = longest = 0
    shared: tuple[int, ...] | None = None
    for question in questions:
        lines += 1
        if question.fault is None:
            prompts += 1
            longest = max(longest, len(question.tokens))
            if shared is None or len(shared) >= SMALLEST_PREFIX:
                shared = share_prefix(shared, question.tokens)
    worth = shared is not None and len(shared) >= SMALLEST_PREFIX and prompts > 1
    return Survey(lines, prompts, longest, shared if worth and shared is not None else ())


def recall(journal: Journal) -> dict[int, Survey]:
    """Return the surveys that a journal holds, by the input's place."""
    found: dict[int, Survey] = {}
    for entry in _of_run(journal, "survey"):
        prefix = entry["prefix"]
        same = found[prefix].prefix if isinstance(prefix, int) else tuple(prefix)
        found[entry["survey"]] = Survey(entry["lines"], entry["prompts"], entry["longest"], same)
    return found


def keep(journal: Journal, place: int, survey: Survey, known: dict[tuple[int, ...], int]) -> None:
    """Commit a survey. A prefix that an earlier input has too is kept once: `known` tells which one has it."""
    twin = known.setdefault(survey.prefix, place)
    prefix = list(survey.prefix) if twin == place or not survey.prefix else twin
    facts = {"lines": survey.lines, "prompts": survey.prompts, "longest": survey.longest, "prefix": prefix}
    journal.commit({"survey": place, **facts})


@dataclass(frozen=True, slots=True)
class Setup:
    """What is decided once for a job, and so for all runs into its folder: seed, rows of a step, tokens that a row can hold."""

    seed: int
    slots: int
    capacity: int


def recall_setup(journal: Journal) -> Setup | None:
    """Return what an earlier run decided."""
    for entry in _of_run(journal, "setup"):
        return Setup(**entry["setup"])
    return None


def keep_setup(journal: Journal, setup: Setup) -> None:
    """Commit what was decided."""
    values: dict[str, Any] = {"seed": setup.seed, "slots": setup.slots, "capacity": setup.capacity}
    journal.commit({"setup": values})


def _of_run(journal: Journal, key: str) -> Iterator[Entry]:
    """Yield the lines of no input that have a key."""
    return (entry for entry in journal.of_input(None) if key in entry)
