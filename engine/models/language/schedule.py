"""Which prompt sits in which slot, and when its answer ends: the policy of continuous batching, without any runtime.

Every slot is one row of the decoder's batch. A row whose answer ends leaves at once, and its slot is free for the next prompt; rows
know nothing of each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.models.language.sample import Draws

FinishReason = Literal["stop", "length", "memory"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be answered.

    Attributes
    ----------
    key : Any
        Whatever the caller knows it by; its completion has the same.
    tokens : sequence of int
        At least one.
    draws : Draws or None
        Its own random numbers; None is enough for greedy answers.
    """

    key: Any
    tokens: Sequence[int]
    draws: Draws | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer.

    Attributes
    ----------
    tokens : tuple of int
        Without the token that ended it.
    finish_reason : str
        `stop`: the model ended it; `length`: `max_new_tokens` or the context's end was reached; `memory`: the prompt did not fit
        into memory even alone, and there is no answer.
    prompt_tokens : int
    """

    key: Any
    tokens: tuple[int, ...]
    finish_reason: FinishReason
    prompt_tokens: int


@dataclass(slots=True)
class _Row:
    prompt: Prompt
    answer: list[int] = field(default_factory=list)


class Schedule:
    """The slots of a decoder and what they hold.

    Parameters
    ----------
    slots : int
    max_new_tokens : int
        Of one answer.
    context : int
        Tokens that prompt and answer may have together.
    stop_tokens : frozenset of int

    Attributes
    ----------
    tokens, lengths : (slots,) int64
        The next decoder step's input: each row's last token, and how many it has behind that; 0 and 0 in free slots.
    """

    def __init__(self, slots: int, *, max_new_tokens: int, context: int, stop_tokens: frozenset[int]) -> None:
        self.tokens: npt.NDArray[np.int64] = np.zeros(slots, np.int64)
        self.lengths: npt.NDArray[np.int64] = np.zeros(slots, np.int64)
        self._rows: list[_Row | None] = [None] * slots
        self._max_new_tokens = max_new_tokens
        self._context = context
        self._stop_tokens = stop_tokens

    @property
    def free(self) -> int | None:
        """Return the first free slot, None when all are taken."""
        return self._rows.index(None) if None in self._rows else None

    @property
    def busy(self) -> list[int]:
        """Return the taken slots, in order."""
        return [slot for slot, row in enumerate(self._rows) if row is not None]

    def room(self, prompt: Prompt) -> int:
        """Return how many tokens a prompt may come to hold, its answer included."""
        return min(len(prompt.tokens) + self._max_new_tokens, max(self._context, len(prompt.tokens) + 1))

    def admit(self, slot: int, prompt: Prompt) -> None:
        """Give a free slot to a prompt, whose first token comes with `take`."""
        assert self._rows[slot] is None, "this slot is taken"
        self._rows[slot] = _Row(prompt)
        self.lengths[slot] = len(prompt.tokens) - 1

    def take(self, slot: int, token: int) -> Completion | None:
        """Note a row's next token; return its completion when that ended it, and free the slot."""
        row = self._rows[slot]
        assert row is not None, "this slot is free"
        if token in self._stop_tokens:
            return self._finish(slot, row, "stop")
        row.answer.append(token)
        if len(row.prompt.tokens) + len(row.answer) >= self.room(row.prompt):
            return self._finish(slot, row, "length")
        self.tokens[slot] = token
        self.lengths[slot] += 1
        return None

    def evict(self) -> Iterator[tuple[int, Prompt]]:
        """Free every taken slot, yielding what sat there; answers so far are forgotten."""
        for slot in self.busy:
            row = self._rows[slot]
            assert row is not None
            self._free(slot)
            yield slot, row.prompt

    def _finish(self, slot: int, row: _Row, reason: FinishReason) -> Completion:
        self._free(slot)
        return Completion(row.prompt.key, tuple(row.answer), reason, len(row.prompt.tokens))

    def _free(self, slot: int) -> None:
        self._rows[slot] = None
        self.tokens[slot] = self.lengths[slot] = 0
