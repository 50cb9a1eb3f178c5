"""How the next token is chosen: greedily, or drawn with each record's own random numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kernels.sampling import choose_tokens

_WORD = 2**64


@dataclass(frozen=True, slots=True)
class Sampling:
    """The rules of a generation; names, order and definitions are those of Hugging Face transformers.

    Attributes
    ----------
    do_sample : bool
        False is greedy, and so is temperature 0.
    temperature, top_p, repetition_penalty : float
    top_k : int
    max_new_tokens : int
    """

    do_sample: bool = True
    temperature: float = 0.7
    top_k: int = 20
    top_p: float = 0.8
    repetition_penalty: float = 1.0
    max_new_tokens: int = 256

    @property
    def greedy(self) -> bool:
        """Tell whether the likeliest token is always taken."""
        return not self.do_sample or self.temperature == 0


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of one record: a Philox stream (Salmon et al., 2011) of (seed, ordinal of the input, line).

    The n-th number is always the same, whoever else draws.
    """

    seed: int
    ordinal: int
    line: int

    def open(self) -> Callable[[], float]:
        """Return a function that gives the numbers, in [0, 1), from the first one on."""
        key = np.array([self.seed % _WORD, self.ordinal], np.uint64)
        counter = np.array([0, 0, self.line, 0], np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=counter)).random


class Sampler:
    """Chooses the tokens of all rows of a decoder, each by its own logits, history and draws.

    Parameters
    ----------
    sampling : Sampling
    vocab_size, slots : int
        Of the logits. With a repetition penalty, `slots * vocab_size` bytes are kept.
    """

    def __init__(self, sampling: Sampling, vocab_size: int, slots: int) -> None:
        kept = 1 if sampling.greedy else min(sampling.top_k, vocab_size)
        self._sampling = sampling
        self._values = np.empty(kept, np.float32)
        self._ids = np.empty(kept, np.int64)
        self._penalised = sampling.repetition_penalty != 1
        self._seen = np.zeros((slots, vocab_size if self._penalised else 1), np.uint8)
        self._draws: list[Callable[[], float] | None] = [None] * slots

    def admit(self, slot: int, prompt_tokens: Sequence[int], draws: Draws | None) -> None:
        """Begin a row. `draws` may be None where nothing is drawn."""
        assert draws is not None or self._sampling.greedy, "a row that samples needs its draws"
        self._draws[slot] = None if draws is None or self._sampling.greedy else draws.open()
        if self._penalised:
            self._seen[slot] = 0
            self._seen[slot, np.asarray(prompt_tokens)] = 1

    def choose(self, logits: npt.NDArray[np.float32], rows: Sequence[int]) -> npt.NDArray[np.int64]:
        """Return the next token of each of `rows`, which index the (slots, vocab) logits; other rows stay as they are."""
        places = np.asarray(rows, np.int64)
        numbers = np.array([0.0 if draw is None else draw() for draw in (self._draws[row] for row in rows)])
        chosen = np.empty(len(places), np.int64)
        choose_tokens(
            logits,
            places,
            self._seen,
            np.float32(self._sampling.repetition_penalty),
            self._sampling.temperature,
            self._sampling.top_p,
            numbers,
            self._values,
            self._ids,
            chosen,
        )
        if self._penalised:
            self._seen[places, chosen] = 1
        return chosen

    def leave(self, slot: int) -> None:
        """End a row."""
        self._draws[slot] = None
