"""The decode loop: prompts in, completions out, with the slots kept busy.

Continuous batching as in Orca (Yu et al., OSDI 2022): every step runs all slots at one fixed shape, a finished row leaves at once, and
the next prompt is prefilled alone, straight into the free slot. So a row's tokens depend on its own prompt and draws only, never on
its neighbours. What the prompts begin with in common is computed once.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from engine.errors import OutOfMemory
from engine.models.language.sample import Sampler, Sampling
from engine.models.language.schedule import Completion, Prompt, Schedule

Logits = npt.NDArray[np.float32]
Tokens = npt.NDArray[np.int64]

SMALLEST_PREFIX = 16  # tokens: below that, keeping a prefix saves nothing worth a copy


class Decodes(Protocol):
    """What the loop needs of a decoder (`engine.models.language.decoder.Decoder`)."""

    @property
    def capacity(self) -> int: ...
    @property
    def tokens_prefilled(self) -> int: ...
    def keep_prefix(self, tokens: Sequence[int]) -> None: ...
    def prefill(self, slot: int, tokens: Sequence[int], *, prefix: bool = False) -> Logits: ...
    def step(self, tokens: Tokens, lengths: Tokens) -> Logits: ...
    def grow(self, capacity: int) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Work:
    """What a generation has done so far.

    Attributes
    ----------
    prompt_tokens, prefilled_tokens : int
        Of all admitted prompts, and those that were computed: a kept prefix counts once.
    answer_tokens, steps : int
        Tokens chosen (stop tokens included), and decoder steps at the full shape.
    slots, halvings : int
        Slots now, and how often memory ran out and they were halved.
    prefill_s, step_s, sample_s : float
        Seconds by stage.
    """

    slots: int
    prompt_tokens: int = 0
    prefilled_tokens: int = 0
    answer_tokens: int = 0
    steps: int = 0
    halvings: int = 0
    prefill_s: float = 0.0
    step_s: float = 0.0
    sample_s: float = 0.0


class Generation:
    """One decoder at work.

    Parameters
    ----------
    open_decoder : callable (slots, capacity) -> decoder
        Called at the start, and again with half the slots after memory ran out.
    sampling : Sampling
    vocab_size : int
    stop_tokens : frozenset of int
    slots, capacity : int
        Rows of a step, and tokens that each can hold; the capacity grows where a prompt needs it.
    context : int
        Tokens that prompt and answer may have together.
    prefix : sequence of int
        What prompts may begin with; those that do take it from a copy. Kept from `SMALLEST_PREFIX` tokens on.
    on_memory : callable or None
        Told the number of slots after they were halved.

    Raises
    ------
    OutOfMemory
        Not even an empty decoder of one slot fits.
    """

    def __init__(
        self,
        open_decoder: Callable[[int, int], Decodes],
        sampling: Sampling,
        *,
        vocab_size: int,
        stop_tokens: frozenset[int],
        slots: int,
        capacity: int,
        context: int,
        prefix: Sequence[int] = (),
        on_memory: Callable[[int], None] | None = None,
    ) -> None:
        self.work = Work(slots)
        self._open_decoder = open_decoder
        self._sampling = sampling
        self._vocab_size = vocab_size
        self._stop_tokens = stop_tokens
        self._prefix = tuple(prefix) if len(prefix) >= SMALLEST_PREFIX else ()
        self._capacity = max(capacity, len(self._prefix) + 1)
        self._context = context
        self._on_memory = on_memory
        self._again: deque[Prompt] = deque()  # what was running when memory ran out
        self._prefilled_before = 0  # by decoders that are closed
        self._decoder: Decodes | None = None
        self._open(slots)

    def run(self, prompts: Iterable[Prompt | None]) -> Iterator[Completion]:
        """Answer prompts; completions come in the order in which they finish.

        Parameters
        ----------
        prompts : iterable of Prompt or None
            Asked for the next one only when a slot is free. None: there is nothing to admit now, ask again after the next
            completion; so a caller bounds how far answers run ahead of the oldest unfinished one.
        """
        source = iter(prompts)
        ended = False
        while True:
            held = False
            while (slot := self._schedule.free) is not None and not (held or ended):
                prompt = self._again.popleft() if self._again else next(source, _END)
                if prompt is None:
                    held = True
                elif isinstance(prompt, Prompt):
                    done = self._admit(slot, prompt)
                    if done is not None:
                        yield done
                else:
                    ended = True
            busy = self._schedule.busy
            if busy:
                finished = self._step(busy)
                ended = ended and not self._again
                yield from finished
            elif ended:
                return
            else:
                assert not held, "prompts are held back, but none is running"

    def close(self) -> None:
        """Free the decoder's memory. May be called again."""
        if self._decoder is not None:
            self._prefilled_before += self._decoder.tokens_prefilled
            self._decoder.close()
            self._decoder = None

    def __enter__(self) -> Self:
        """Return the generation itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _open(self, slots: int) -> None:
        """Open the decoder with as many slots as fit, at most `slots`."""
        while True:
            try:
                self._decoder = self._open_decoder(slots, self._capacity)
                if self._prefix:
                    self._decoder.keep_prefix(self._prefix)
                break
            except OutOfMemory:
                self.close()
                if slots == 1:
                    raise
                slots = self._halved(slots)
        self.work.slots = slots
        self._schedule = Schedule(
            slots, max_new_tokens=self._sampling.max_new_tokens, context=self._context, stop_tokens=self._stop_tokens
        )
        self._sampler = Sampler(self._sampling, self._vocab_size, slots)
        self._first: Logits = np.empty((slots, self._vocab_size), np.float32)  # a prompt's logits, at its slot's row

    def _halved(self, slots: int) -> int:
        self.work.halvings += 1
        if self._on_memory is not None:
            self._on_memory(slots // 2)
        return slots // 2

    def _shrink(self) -> None:
        """Start over with half the slots: what ran is answered again, from its beginning."""
        self._again.extendleft(reversed([prompt for _, prompt in self._schedule.evict()]))
        self.close()
        self._open(self._halved(self.work.slots))

    def _admit(self, slot: int, prompt: Prompt) -> Completion | None:
        """Prefill a prompt into a slot and choose its first token; return its completion where that is all."""
        decoder, room = self._decoder, self._schedule.room(prompt)
        assert decoder is not None, "closed"
        begun = time.perf_counter()
        shared = bool(self._prefix) and _begins_with(prompt.tokens, self._prefix)
        try:
            if room > decoder.capacity:
                capacity = min(max(room, 2 * decoder.capacity), max(room, self._context))
                decoder.grow(capacity)
                self._capacity = capacity
            self._first[slot] = decoder.prefill(slot, prompt.tokens, prefix=shared)
        except OutOfMemory:
            return self._refuse(prompt)
        self.work.prefill_s += time.perf_counter() - begun
        self.work.prompt_tokens += len(prompt.tokens)
        self.work.prefilled_tokens = self._prefilled_before + decoder.tokens_prefilled
        self._schedule.admit(slot, prompt)
        self._sampler.admit(slot, prompt.tokens, prompt.draws)
        return next(self._choose(self._first, [slot]), None)

    def _refuse(self, prompt: Prompt) -> Completion | None:
        """After memory ran out over a new prompt: halve the slots and try again; fail the prompt that does not fit alone."""
        if self.work.slots == 1:
            return Completion(prompt.key, (), "memory", len(prompt.tokens))
        self._again.append(prompt)
        self._shrink()
        return None

    def _step(self, busy: list[int]) -> list[Completion]:
        """Run all slots once; return the completions."""
        assert self._decoder is not None, "closed"
        begun = time.perf_counter()
        try:
            logits = self._decoder.step(self._schedule.tokens, self._schedule.lengths)
        except OutOfMemory:
            if self.work.slots == 1:
                return [Completion(one.key, (), "memory", len(one.tokens)) for _, one in self._schedule.evict()]
            self._shrink()
            return []
        self.work.step_s += time.perf_counter() - begun
        self.work.steps += 1
        return list(self._choose(logits, busy))

    def _choose(self, logits: Logits, slots: list[int]) -> Iterator[Completion]:
        begun = time.perf_counter()
        chosen = self._sampler.choose(logits, slots)
        self.work.sample_s += time.perf_counter() - begun
        self.work.answer_tokens += len(slots)
        for slot, token in zip(slots, chosen.tolist(), strict=True):
            done = self._schedule.take(slot, token)
            if done is not None:
                self._sampler.leave(slot)
                yield done


_END = object()  # of the prompts


def _begins_with(tokens: Sequence[int], prefix: Sequence[int]) -> bool:
    """Tell whether a prompt begins with the prefix and has at least one token of its own."""
    return len(tokens) > len(prefix) and tuple(tokens[: len(prefix)]) == tuple(prefix)
