"""From records to questions: what a record asks as tokens, or why it cannot be asked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ModelError
from engine.models.language.model import LanguageModel
from engine.models.language.prompt import OverBudget, Prompter
from engine.pipelines.activity_detection.config import ActivityConfig
from engine.pipelines.activity_detection.records import Fault, read_record

OVER_BUDGET = "token budget exceeded"


@dataclass(frozen=True, slots=True)
class Question:
    """A record on its way: its prompt's tokens, or its fault. `record` is its JSON text, where the output shall hold it."""

    line_index: int
    tokens: Sequence[int] = ()
    truncated: bool = False
    fault: Fault | None = None
    record: str | None = None


class Questioner:
    """Builds questions from records: validates, renders the prompt, counts its tokens. Used by one thread at a time."""

    def __init__(self, model: LanguageModel, config: ActivityConfig, budget: int) -> None:
        self._prompter = Prompter(model.tokenizer, model.template, budget, config.on_truncation)
        self._keep = config.output.record

    def build(self, line_index: int, value: object) -> Question:
        """Return the question of one record."""
        kept: str | None = None
        if self._keep:
            try:
                kept = compact(value)
            except ValueError:
                return Question(line_index, fault=Fault("validation error: a number is too large", "It is not finite."))
        record = read_record(value)
        if isinstance(record, Fault):
            return Question(line_index, fault=record, record=kept)
        try:
            built = self._prompter.build(record)
        except OverBudget as error:
            return Question(line_index, fault=Fault(OVER_BUDGET, str(error)), record=kept)
        except ModelError as error:  # a chat template may refuse what one record says
            return Question(line_index, fault=Fault(f"validation error: {error.message}", str(error)), record=kept)
        return Question(line_index, built.tokens, built.truncated, record=kept)


def share_prefix(known: Sequence[int] | None, tokens: Sequence[int]) -> tuple[int, ...]:
    """Return what two prompts begin with in common, and leaves each at least one token of its own. None: nothing is known yet."""
    own = tokens[: len(tokens) - 1]
    if known is None:
        return tuple(own)
    if tuple(own[: len(known)]) == tuple(known):
        return tuple(known)
    shared = 0
    for left, right in zip(known, own, strict=False):
        if left != right:
            break
        shared += 1
    return tuple(known[:shared])


def compact(value: object) -> str:
    """Return a value as JSON text without blanks. Raises ValueError for a number that is not finite."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
