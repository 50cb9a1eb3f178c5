"""Votes without neighbours: what is settled is what the nearest say, ties and all, and streams near one class are settled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import neighbours

from engine.models import projection
from engine.models.library import Library
from engine.models.projection import Projection
from kernels.settle import SPAN, middles

few = settings(max_examples=60, deadline=None, derandomize=True)
WIDTH = 40


pytestmark = pytest.mark.usefixtures("small_projections")


def settle(library, codes, stream, k):
    """Return winners, shares and which are open."""
    made = Projection.of(library)
    winner = np.full(len(stream), -7, dtype=np.int32)
    shares = np.full((len(stream), int(codes.max()) + 1), -7.0)
    open_ = np.ones(len(stream), dtype=bool)
    made.settle(stream, library, codes, k, winner, shares, open_)
    return winner, shares, open_


@st.composite
def states(draw):
    """A library of two or three clouds, some of them close together, and a stream that wanders from one to the other."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes, size = draw(st.integers(1, 3)), 10.0 ** draw(st.integers(-18, 8))
    centres = rng.normal(size=(classes, WIDTH)) * draw(st.sampled_from([0.0, 0.3, 1.0, 5.0]))
    codes = rng.integers(0, classes, size=draw(st.integers(20, 200))).astype(np.int32)
    if draw(st.booleans()):
        codes.sort()
    axes = rng.normal(size=(draw(st.integers(1, 6)), WIDTH)) * 0.5
    library = centres[codes] + rng.normal(size=(len(codes), len(axes))) @ axes
    share = np.linspace(0, 1, draw(st.integers(1, 120)))[:, np.newaxis]
    stream = (1 - share) * centres[0] + share * centres[-1]
    stream = stream + draw(st.sampled_from([0.0, 1e-3, 0.05])) * rng.normal(size=stream.shape)
    if draw(st.booleans()):  # ties
        library, stream = np.round(library), np.round(stream)
        library[rng.random(len(library)) < 0.3] = library[0]
    kind = draw(st.sampled_from([np.float32, np.float64]))
    k = draw(st.integers(1, 15))
    return (stream * size).astype(np.float32).astype(kind), (library * size).astype(np.float32).astype(kind), codes, k


@few
@given(states())
def test_what_is_settled_is_what_all_who_are_near_say(drawn):
    stream, library, codes, k = drawn
    winner, shares, open_ = settle(library, codes, stream, k)
    index, distances = neighbours(stream, library, len(library), "euclidean")
    for q in np.flatnonzero(~open_):
        near = index[q][distances[q] <= distances[q, k - 1]]
        assert set(codes[near]) == {winner[q]}
        assert shares[q, winner[q]] == shares[q].sum() == 1.0
    assert (winner[open_] == -7).all()
    assert (shares[open_] == -7).all()


@few
@given(states(), st.sampled_from(["euclidean", "cosine"]), st.sampled_from(["uniform", "distance"]))
def test_a_library_votes_as_without(drawn, metric, weights):
    stream, vectors, codes, k = drawn
    labels = [f"state {code}" for code in codes]
    votes = []
    for least in (4, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(projection, "LEAST_VECTORS", least)
            made = Library(vectors.astype(np.float32), labels, neighbours=k, metric=metric, weights=weights)
        votes.append(made.vote(stream.astype(np.float32)))
    assert (votes[0].codes == votes[1].codes).all()
    assert (votes[0].shares == votes[1].shares).all()


def test_a_stream_near_one_state_is_settled_and_one_between_two_is_not():
    rng = np.random.default_rng(3)
    axes = rng.normal(size=(4, WIDTH))
    codes = np.repeat(np.arange(2, dtype=np.int32), 100)
    library = rng.normal(size=(200, 4)) @ axes + 20.0 * codes[:, np.newaxis]
    walk = np.cumsum(0.02 * rng.normal(size=(400, 4)), axis=0) @ axes
    for code in (0, 1):
        winner, _, open_ = settle(library.astype(np.float32), codes, (walk + 20.0 * code).astype(np.float32), 5)
        assert open_.mean() < 0.1
        assert (winner[~open_] == code).all()
    jump = np.concatenate([walk, walk + 20.0])
    winner, _, open_ = settle(library.astype(np.float32), codes, jump.astype(np.float32), 5)
    assert open_.mean() < 0.1
    assert (winner[:400][~open_[:400]] == 0).all()
    assert (winner[400:][~open_[400:]] == 1).all()
    assert settle(library.astype(np.float32), codes, (walk + 10.0).astype(np.float32), 5)[2].all()


def test_another_company_has_other_strangers():
    """What was far from one class's queries says nothing of the vectors of that class."""
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(2, dtype=np.int32), 96)  # whole groups of one class
    library = rng.normal(size=(192, WIDTH))
    library[10:60] += 30.0
    safe, torn = np.repeat(library[[40]], 5 * SPAN, axis=0), np.repeat(library[[100]], 5 * SPAN, axis=0)
    winner, _, open_ = settle(library.astype(np.float32), codes, np.concatenate([safe, torn]).astype(np.float32), 9)
    assert not open_[: 5 * SPAN].any()
    assert (winner[: 5 * SPAN] == 0).all()
    assert open_[5 * SPAN :].all()


def test_every_span_has_its_middle():
    for count in (1, SPAN - 1, SPAN, SPAN + 1, 5 * SPAN + 3):
        found = middles(count)
        assert len(found) == -(-count // SPAN)
        assert all(n * SPAN <= middle < min((n + 1) * SPAN, count) for n, middle in enumerate(found.tolist()))
