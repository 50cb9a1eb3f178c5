"""From a record to the tokens of a prompt, within a budget.

The user's turn is the instruction, the items in order, and the prompt, with blank lines between them. A record over the budget loses
the tail of its longest item; the words that say what to do with it stay. Texts of control tokens in a record are read as letters
(see `tokens.py`): data cannot end its own turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, TypeGuard

from engine.models.language.template import ChatTemplate
from engine.models.language.tokens import Tokenizer

OnTruncation = Literal["truncate", "fail"]

GUESSES = 8  # at the right place for a cut, before it is searched by halving


@dataclass(frozen=True, slots=True)
class Item:
    """One of a record's inputs: `type` is `text`, the only one that language models without eyes read."""

    type: str
    data: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is asked. Empty texts are left out; at least one is not empty."""

    system: str = ""
    instruction: str = ""
    prompt: str = ""
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """A prompt. `truncated`: something was cut off to keep within the budget."""

    tokens: tuple[int, ...]
    truncated: bool


class OverBudget(Exception):
    """A record has more tokens than fit, and it may not be cut, or cutting what may be cut is not enough."""


class Prompter:
    """Builds prompts.

    Parameters
    ----------
    tokenizer : Tokenizer
    template : ChatTemplate
    budget : int
        Tokens that a prompt may have, the template's own included.
    on_truncation : str
        `truncate` cuts records that have more, `fail` raises OverBudget.
    """

    def __init__(
        self, tokenizer: Tokenizer, template: ChatTemplate, budget: int, on_truncation: OnTruncation = "truncate"
    ) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._budget = budget
        self._on_truncation = on_truncation

    def build(self, record: Record) -> Built:
        """Return the tokens of a record.

        Over the budget the longest item (in characters; of equal ones the last) is cut at its end, as little as will do, then, where
        even without it there are too many, the next longest, then the prompt. System text and instruction stay as they are. Cuts
        are at the ends of tokens, so a character is whole or gone.

        Raises
        ------
        OverBudget
            The record is over the budget, and `on_truncation` is `fail`, or what must stay is too much by itself.
        """
        assert all(item.type == "text" for item in record.items), "only texts can be read"
        texts = [record.instruction, *(item.data for item in record.items), record.prompt]
        tokens = self._encode(record.system, texts)
        if self._fits(tokens):
            return Built(tuple(tokens), truncated=False)
        if self._on_truncation == "fail":
            raise OverBudget(f"The prompt has more than {self._budget:,} tokens.")
        places = sorted(range(1, len(texts) - 1), key=lambda place: (-len(texts[place]), -place))
        for place in (*places, len(texts) - 1):
            tokens = self._shorten(record.system, texts, place)
            if self._fits(tokens) and any(texts):
                return Built(tuple(tokens), truncated=True)
        raise OverBudget(f"System text and instruction alone leave no room within {self._budget:,} tokens.")

    def _fits(self, tokens: list[int] | None) -> TypeGuard[list[int]]:
        return tokens is not None and len(tokens) <= self._budget

    def _encode(self, system: str, texts: Sequence[str]) -> list[int] | None:
        """Return the tokens of a prompt, None where its length alone tells that they are too many."""
        characters = len(system) + sum(map(len, texts))
        if characters > self._budget * self._tokenizer.longest:
            return None  # megabytes need not be encoded to know
        mark = self._tokenizer.mark
        user = "\n\n".join(filter(None, texts))
        return self._tokenizer.encode(self._template.render(mark(system), mark(user)))

    def _shorten(self, system: str, texts: list[str], place: int) -> list[int] | None:
        """Cut the tail of one of the texts as little as will do, in place; return the tokens of the prompt without it.

        A prompt that keeps n tokens of the text has about n more than one that keeps none, but for merges with what surrounds it.
        So each guess is put right by as many as it was wrong; a few are enough, and halving finds the rest.
        """
        whole, texts[place] = texts[place], ""
        best = self._encode(system, texts)
        if not whole or not self._fits(best):
            return best
        begin, ends = self._begin(whole)
        low, high = 0, len(ends)  # as many tokens of the text fit, and do not
        guess = self._budget - len(best)
        for tries in count():
            if high - low < 2:
                break
            middle = min(max(guess if tries < GUESSES else (low + high) // 2, low + 1), high - 1)
            texts[place] = begin[: ends[middle]]
            tokens = self._encode(system, texts)
            if self._fits(tokens):
                low, best = middle, tokens
            else:
                high = middle
            guess = middle + self._budget - len(tokens) if tokens is not None else low
        texts[place] = begin[: ends[low]]
        return best

    def _begin(self, text: str) -> tuple[str, list[int]]:
        """Return the beginning of a text, as far as the budget can reach, marked, and where its tokens end, 0 first."""
        length = 8 * (self._budget + 1)
        while True:
            begin = self._tokenizer.mark(text[:length])
            ends = [0, *self._tokenizer.ends(begin)]
            if len(ends) > self._budget + 1 or length >= len(text):
                return begin, ends
            length *= 4
