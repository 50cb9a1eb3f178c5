"""Choosing tokens: the kernel against transformers' processors written out in NumPy, and rows that know nothing of each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from strategies import quick

from engine.models.language.sample import Draws, Sampler, Sampling
from kernels.sampling import BLOCK

ROWS = 3
VOCAB = 3 * BLOCK + 7  # whole blocks, and a rest
finite = st.floats(-30, 30, width=32)
odd = st.sampled_from([0.0, 1.0, float("nan"), float("-inf")])  # ties, and what is no number
logits_of = arrays.arrays(np.float32, (ROWS, VOCAB), elements=finite | odd)
samplings = st.builds(
    Sampling,
    do_sample=st.booleans(),
    temperature=st.sampled_from([0.0, 0.3, 1.0, 2.5]),
    top_k=st.integers(1, 12) | st.integers(1, VOCAB + 5),
    top_p=st.sampled_from([0.05, 0.5, 0.9, 1.0]),
    repetition_penalty=st.sampled_from([0.7, 1.0, 1.4]),
)


def processed(row, known, sampling):
    """The tokens that may come, the likeliest first, and their chances: one processor after the other."""
    scores = np.where(np.isnan(row), -np.inf, row).astype(np.float32)
    penalty = np.float32(sampling.repetition_penalty)
    for token in known:
        scores[token] = scores[token] * penalty if scores[token] < 0 else scores[token] / penalty
    order = np.array(sorted(range(len(row)), key=lambda token: (-scores[token], token)))
    if not sampling.do_sample or sampling.temperature == 0 or not np.isfinite(scores[order[0]]):
        return order[:1], np.ones(1)
    order = order[: sampling.top_k]
    scaled = scores[order].astype(np.float64) / sampling.temperature
    shares = np.exp(scaled - scaled[0])
    shares /= shares.sum()
    at_or_below = np.cumsum(shares[::-1])[::-1]
    kept = at_or_below > 1 - sampling.top_p
    kept[0] = True
    return order[kept], shares[kept] / shares[kept].sum()


def expected(row, known, sampling, number):
    """The tokens that a draw may give; more than one only where it falls on a border, to within rounding."""
    order, chances = processed(row, known, sampling)
    upper = np.cumsum(chances)
    return set(order[(upper - chances - 1e-9 <= number) & (number <= upper + 1e-9)].tolist())


@quick
@given(logits_of, samplings, st.lists(st.integers(0, VOCAB - 1), min_size=1), st.integers(0, 2**63))
def test_choices_are_those_of_the_processors_one_after_the_other(logits, sampling, prompt, seed):
    sampler = Sampler(sampling, VOCAB, ROWS)
    streams = [Draws(seed, 1, row) for row in range(ROWS)]
    for row, draws in enumerate(streams):
        sampler.admit(row, prompt, draws)
    numbers = [draws.open() for draws in streams]
    known = [set(prompt) for _ in range(ROWS)]
    before = logits.copy()
    for _ in range(4):
        for row, token in enumerate(sampler.choose(logits, range(ROWS)).tolist()):
            assert token in expected(logits[row], known[row], sampling, numbers[row]())
            known[row].add(token)
    assert np.array_equal(logits, before, equal_nan=True)


@quick
@given(logits_of, samplings, st.permutations(range(ROWS)), st.integers(0, 2**63))
def test_a_row_does_not_know_the_others(logits, sampling, order, seed):
    together, apart = Sampler(sampling, VOCAB, ROWS), Sampler(sampling, VOCAB, ROWS)
    for row in range(ROWS):
        together.admit(row, [row], Draws(seed, 0, row))
    for slot, row in enumerate(order):
        apart.admit(slot, [row], Draws(seed, 0, row))
    moved = logits[order].copy()
    for _ in range(3):
        wanted = together.choose(logits, range(ROWS))
        found = {row: int(apart.choose(moved, [slot])[0]) for slot, row in enumerate(order)}
        assert [found[row] for row in range(ROWS)] == wanted.tolist()


@pytest.mark.parametrize("size", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 2, 5 * BLOCK + 1])
@pytest.mark.parametrize("penalty", [0.5, 1.0, 2.0])
def test_the_largest_is_found_wherever_it_is(size, penalty):
    sampler = Sampler(Sampling(do_sample=False, repetition_penalty=penalty), size, 1)
    for place in range(size):
        logits = np.full((1, size), -1, np.float32)
        logits[0, place] = 3
        sampler.admit(0, [place], None)
        assert sampler.choose(logits, [0]).tolist() == [place]


def test_draws_follow_the_chances():
    logits = np.linspace(0, 3, 40, dtype=np.float32)[None]
    sampling = Sampling(temperature=1.0, top_k=8, top_p=0.9)
    sampler = Sampler(sampling, 40, 1)
    counts = np.zeros(40)
    for line in range(4000):
        sampler.admit(0, [0], Draws(11, 0, line))
        counts[sampler.choose(logits, [0])[0]] += 1
    order, chances = processed(logits[0], [], sampling)
    assert counts[order].sum() == 4000
    assert np.abs(counts[order] / 4000 - chances).max() < 0.03


def test_draws_are_the_same_each_time_and_differ_between_records():
    first = [Draws(5, 0, 3).open()() for _ in range(2)]
    assert first[0] == first[1]
    others = {Draws(*stream).open()() for stream in ((5, 0, 4), (5, 1, 3), (6, 0, 3), (-1, 0, 3))}
    assert first[0] not in others
    assert len(others) == 4


def test_a_slot_forgets_who_sat_there():
    sampler = Sampler(Sampling(do_sample=False, repetition_penalty=4.0), 4, 2)
    logits = np.array([[3, 2, 1, 0], [3, 2, 1, 0]], np.float32)
    sampler.admit(0, [3], None)
    assert [sampler.choose(logits, [0])[0] for _ in range(3)] == [0, 1, 2]
    sampler.leave(0)
    sampler.admit(0, [3], None)
    assert sampler.choose(logits, [0])[0] == 0


def test_of_equal_logits_the_lower_tokens_are_kept():
    logits = np.zeros((1, VOCAB), np.float32)
    sampler = Sampler(Sampling(top_k=3, top_p=1.0), VOCAB, 1)
    found = set()
    for line in range(60):
        sampler.admit(0, [0], Draws(1, 0, line))
        found.add(int(sampler.choose(logits, [0])[0]))
    assert found == {0, 1, 2}


def test_logits_that_are_no_numbers_give_the_first_token():
    sampler = Sampler(Sampling(), VOCAB, 1)
    sampler.admit(0, [0], Draws(1, 0, 0))
    assert sampler.choose(np.full((1, VOCAB), np.nan, np.float32), [0]).tolist() == [0]


def test_sampling_without_draws_is_refused():
    with pytest.raises(AssertionError, match="draws"):
        Sampler(Sampling(), VOCAB, 1).admit(0, [0], None)
