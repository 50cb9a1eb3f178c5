"""The decoder at work: keys and values of all slots, one prompt at a time into its slot, and steps of all slots together.

Every step runs at the same shape, so a row's bits do not depend on what the other slots hold. A prompt runs alone, straight into
its slot's part of the cache, in chunks that start at its beginning (or where the kept prefix ends).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import OutOfMemory
from engine.models.language.graph import IDS, LOGITS, MASK, POSITIONS, DecoderGraph
from engine.models.session import Array, Bound, Buffer, Session

Logits = npt.NDArray[np.float32]
Tokens = npt.NDArray[np.int64]

CHUNK = 256  # tokens of a prompt that run at once: their logits have to fit into memory, too


def slot_bytes(graph: DecoderGraph, capacity: int) -> int:
    """Return the bytes of cache that one slot of so many tokens takes; a growing graph holds it twice during a step."""
    copies = 1 if graph.kind == "shared" else 2
    itemsize = np.dtype(graph.cache_dtype).itemsize
    return 2 * copies * graph.layers * graph.kv_heads * graph.head_size * itemsize * capacity


class Decoder:
    """One batch of slots over a decoder's graph. One thread at a time may use it.

    Parameters
    ----------
    session : Session
        Stays the caller's.
    graph : DecoderGraph
        Of that session.
    slots, capacity : int
        Rows of a step, and the tokens that each can hold.

    Attributes
    ----------
    capacity : int
    tokens_prefilled : int
        Prompt tokens that were computed, a kept prefix once.

    Raises
    ------
    OutOfMemory
        Here and in every method that computes or makes room.
    """

    def __init__(self, session: Session, graph: DecoderGraph, *, slots: int, capacity: int) -> None:
        self.capacity = capacity
        self.tokens_prefilled = 0
        self._graph = graph
        self._slots = slots
        self._prefix_tokens = 0
        self._ids = np.zeros((slots, 1), np.int64)
        self._positions = np.zeros((slots, 1), np.int64)
        self._cache: _Cache = (
            _Shared(session, graph, slots) if graph.kind == "shared" else _Growing(session, graph, slots)
        )
        self._cache.make_room(capacity)
        self._prepare()

    def keep_prefix(self, tokens: Sequence[int]) -> None:
        """Compute what prompts begin with, once; `prefill` with `prefix=True` takes it from there."""
        assert 0 < len(tokens) < self.capacity, "a prefix is shorter than the capacity"
        self._cache.open_prefix()
        self._run_prompt(self._cache.prefix, tokens, 0)
        self._prefix_tokens = len(tokens)

    def prefill(self, slot: int, tokens: Sequence[int], *, prefix: bool = False) -> Logits:
        """Run a prompt into a slot and return the logits after its last token, (vocab,) float32.

        With `prefix` it begins with the kept one, and has at least one token more.
        """
        assert 0 < len(tokens) <= self.capacity
        start = self._prefix_tokens if prefix else 0
        assert start < len(tokens)
        if start:
            self._cache.take_prefix(slot, start)
        return self._run_prompt(slot, tokens, start)

    def step(self, tokens: Tokens, lengths: Tokens) -> Logits:
        """Run every slot's next token at once.

        Parameters
        ----------
        tokens : (slots,) int64
        lengths : (slots,) int64
            How many tokens each slot holds before this one, below the capacity. 0, with any token, for idle slots.

        Returns
        -------
        (slots, vocab) float32, valid until the next call.
        """
        assert lengths.max() < self.capacity, "a slot is full"
        self._ids[:, 0] = tokens
        self._positions[:, 0] = lengths
        self._cache.mark(self._mask, lengths)
        self._bound.run()
        self._cache.settle(lengths)
        return self._logits[:, 0].astype(np.float32, copy=False)

    def grow(self, capacity: int) -> None:
        """Make room for so many tokens in each slot; what they hold stays, also where memory does not suffice."""
        assert capacity > self.capacity
        kept = self._cache.contents()
        try:
            self._cache.make_room(capacity)
            self._prepare()
        except OutOfMemory:  # the old room still serves
            self._cache.restore(kept)
            raise
        self.capacity = capacity

    def close(self) -> None:
        """Free the caches. The decoder cannot be used any more."""
        self._cache.free()
        del self._bound

    def _prepare(self) -> None:
        """Tie the buffers of a step to the graph, once for all steps."""
        try:
            mask = np.zeros((self._slots, self._cache.width), np.int64)
            logits = np.zeros((self._slots, 1, self._cache.vocab_size), self._graph.logits_dtype)
        except MemoryError:
            raise OutOfMemory(f"The logits of {self._slots} slots do not fit into memory.") from None
        feeds: dict[str, Array | Buffer] = {IDS: self._ids, MASK: mask}
        if self._graph.positions:
            feeds[POSITIONS] = self._positions
        self._bound: Bound = self._cache.bind_step(feeds, {LOGITS: logits})
        self._mask, self._logits = mask, logits

    def _run_prompt(self, slot: int, tokens: Sequence[int], start: int) -> Logits:
        ids = np.asarray(tokens, np.int64)
        logits = np.empty(0, np.float32)
        for first in range(start, len(ids), CHUNK):
            chunk = ids[None, first : first + CHUNK]
            positions = np.arange(first, first + chunk.shape[1], dtype=np.int64)[None]
            feeds = {IDS: chunk} | ({POSITIONS: positions} if self._graph.positions else {})
            logits = self._cache.run_chunk(slot, feeds, first, chunk.shape[1])
            self.tokens_prefilled += chunk.shape[1]
        return logits.astype(np.float32, copy=False)


class _Cache:
    """Keys and values of all slots, and of one prefix, whose slot is called `prefix`."""

    def __init__(self, session: Session, graph: DecoderGraph, slots: int) -> None:
        self.prefix = slots
        self.width = 0  # of the mask of a step
        self._session = session
        self._graph = graph
        self._slots = slots
        self._capacity = 0
        self.vocab_size = graph.vocab_size or self._find_vocab_size()

    def make_room(self, capacity: int) -> None: ...
    def contents(self) -> tuple[Any, ...]:
        """Return what `restore` needs to undo `make_room`."""
        raise NotImplementedError

    def restore(self, kept: tuple[Any, ...]) -> None: ...
    def open_prefix(self) -> None: ...
    def take_prefix(self, slot: int, tokens: int) -> None: ...
    def mark(self, mask: Tokens, lengths: Tokens) -> None: ...
    def settle(self, lengths: Tokens) -> None: ...
    def free(self) -> None: ...
    def bind_step(self, feeds: dict[str, Array | Buffer], results: dict[str, Array | Buffer]) -> Bound:
        raise NotImplementedError

    def run_chunk(self, slot: int, feeds: dict[str, Array], first: int, count: int) -> Array:
        raise NotImplementedError

    def _names(self) -> list[tuple[str, str]]:
        """Return (past, present), keys and values of all layers."""
        graph = self._graph
        return [names for pair in zip(graph.past, graph.present, strict=True) for names in zip(*pair, strict=True)]

    def _shape(self, slots: int, tokens: int) -> tuple[int, ...]:
        return slots, self._graph.kv_heads, tokens, self._graph.head_size

    def _find_vocab_size(self) -> int:
        """Run one token to see how wide the logits are."""
        feeds: dict[str, Array] = {IDS: np.zeros((1, 1), np.int64), MASK: np.ones((1, 1), np.int64)}
        if self._graph.positions:
            feeds[POSITIONS] = np.zeros((1, 1), np.int64)
        empty = np.zeros(self._shape(1, 0), self._graph.cache_dtype)
        (logits,) = self._session.run(feeds | {past: empty for past, _ in self._names()}, [LOGITS])
        return int(logits.shape[-1])


class _Shared(_Cache):
    """Past and present are one buffer; the mask, as wide as the capacity, says how long each row is."""

    def __init__(self, session: Session, graph: DecoderGraph, slots: int) -> None:
        super().__init__(session, graph, slots)
        self._buffers: dict[str, Buffer] = {}  # by the past's name
        self._prefix: dict[str, Buffer] = {}
        self._taken: int | None = None  # the slot that the next chunk copies the prefix into

    def make_room(self, capacity: int) -> None:
        old, prefix = self._buffers, self._prefix
        dtype = self._graph.cache_dtype

        def widen(kept: dict[str, Buffer], slots: int) -> dict[str, Buffer]:
            return {
                past: self._session.buffer(
                    self._shape(slots, capacity), dtype, kept[past].to_host() if past in kept else None
                )
                for past, _ in self._names()
            }

        self._buffers = widen(old, self._slots)
        self._prefix = widen(prefix, 1) if prefix else {}
        self._capacity = self.width = capacity

    def contents(self) -> tuple[Any, ...]:
        return self._buffers, self._prefix, self._capacity, self.width

    def restore(self, kept: tuple[Any, ...]) -> None:
        self._buffers, self._prefix, self._capacity, self.width = kept

    def open_prefix(self) -> None:
        shape = self._shape(1, self._capacity)
        self._prefix = {past: self._session.buffer(shape, self._graph.cache_dtype) for past, _ in self._names()}

    def take_prefix(self, slot: int, tokens: int) -> None:  # noqa: ARG002 - the operator copies what its mask covers
        self._taken = slot

    def mark(self, mask: Tokens, lengths: Tokens) -> None:
        np.less_equal(np.arange(self._capacity), lengths[:, None], out=mask, casting="unsafe")

    def free(self) -> None:
        self._buffers, self._prefix = {}, {}

    def bind_step(self, feeds: dict[str, Array | Buffer], results: dict[str, Array | Buffer]) -> Bound:
        pasts = {past: self._buffers[past] for past, _ in self._names()}
        presents = {present: self._buffers[past] for past, present in self._names()}
        return self._session.bind(feeds | pasts, results | presents)

    def run_chunk(self, slot: int, feeds: dict[str, Array], first: int, count: int) -> Array:
        mask = np.zeros((1, self._capacity), np.int64)
        mask[0, : first + count] = 1
        logits = np.empty((1, 1 if self._graph.last_only else count, self.vocab_size), self._graph.logits_dtype)
        inputs: dict[str, Array | Buffer] = {**feeds, MASK: mask}
        outputs: dict[str, Array | Buffer] = {LOGITS: logits}
        for past, present in self._names():
            buffer = self._prefix[past] if slot == self.prefix else self._buffers[past].view(slot)
            outputs[present] = buffer
            # Where past and present are two buffers, the operator copies the one into the other.
            inputs[past] = self._prefix[past] if slot == self._taken else buffer
        self._taken = None
        self._session.bind(inputs, outputs).run()
        last: Array = logits[0, -1]
        return last


class _Growing(_Cache):
    """Present is past with the new tokens behind it: past runs at full capacity, and the new token is moved to its place.

    The caches stay in the machine's memory, on CUDA too, where the runtime copies them.
    """

    def __init__(self, session: Session, graph: DecoderGraph, slots: int) -> None:
        super().__init__(session, graph, slots)
        self._pasts: dict[str, Array] = {}
        self._presents: dict[str, Array] = {}
        self._prefix: dict[str, Array] = {}
        self._rows = np.arange(slots)

    def make_room(self, capacity: int) -> None:
        old, dtype = self._pasts, self._graph.cache_dtype
        session = self._session
        fresh = {past: session.buffer(self._shape(self._slots, capacity), dtype).to_host() for past, _ in self._names()}
        for past, kept in old.items():
            fresh[past][:, :, : kept.shape[2]] = kept
        shape = self._shape(self._slots, capacity + 1)
        self._presents = {past: session.buffer(shape, dtype).to_host() for past, _ in self._names()}
        self._pasts = fresh
        self._capacity = capacity
        self.width = capacity + 1

    def contents(self) -> tuple[Any, ...]:
        return self._pasts, self._presents, self._capacity, self.width

    def restore(self, kept: tuple[Any, ...]) -> None:
        self._pasts, self._presents, self._capacity, self.width = kept

    def open_prefix(self) -> None:
        self._prefix = {
            past: np.zeros(self._shape(1, self._capacity), self._graph.cache_dtype) for past, _ in self._names()
        }

    def take_prefix(self, slot: int, tokens: int) -> None:
        for past, kept in self._prefix.items():
            self._pasts[past][slot, :, :tokens] = kept[0, :, :tokens]

    def mark(self, mask: Tokens, lengths: Tokens) -> None:
        np.less(np.arange(self._capacity), lengths[:, None], out=mask[:, :-1], casting="unsafe")
        mask[:, -1] = 1

    def settle(self, lengths: Tokens) -> None:
        for past, cache in self._pasts.items():
            cache[self._rows, :, lengths] = self._presents[past][:, :, self._capacity]

    def free(self) -> None:
        self._pasts, self._presents, self._prefix = {}, {}, {}

    def bind_step(self, feeds: dict[str, Array | Buffer], results: dict[str, Array | Buffer]) -> Bound:
        return self._session.bind(
            feeds | self._pasts, results | {present: self._presents[past] for past, present in self._names()}
        )

    def run_chunk(self, slot: int, feeds: dict[str, Array], first: int, count: int) -> Array:
        names = self._names()
        store = {
            past: self._prefix[past] if slot == self.prefix else self._pasts[past][slot : slot + 1] for past, _ in names
        }
        pasts = {past: np.ascontiguousarray(store[past][:, :, :first]) for past, _ in names}
        mask = np.ones((1, first + count), np.int64)
        logits, *presents = self._session.run(
            {**feeds, MASK: mask, **pasts}, [LOGITS, *(present for _, present in names)]
        )
        for (past, _), present in zip(names, presents, strict=True):
            store[past][:, :, first : first + count] = present[:, :, first:]
            # Masked places weigh 0, but 0 times a leftover that is no number is none either.
            store[past][:, :, first + count :] = 0
        last: Array = logits[0, -1]
        return last
