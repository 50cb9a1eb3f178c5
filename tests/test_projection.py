"""Bounds from a few axes hold, those who may be near include those who are, and the library answers as it does without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import neighbours

from engine.models import library as library_module
from engine.models import projection
from engine.models.library import SEGMENT, Library
from engine.models.projection import Projection
from kernels.projection import LONGEST, ROUNDING, TINY, TRIED, propose_block, propose_stream

few = settings(max_examples=40, deadline=None, derandomize=True)
WIDTH = 40


@pytest.fixture(autouse=True)
def small(small_projections, monkeypatch):
    """Small libraries are projected, and candidates have little room."""
    monkeypatch.setattr(projection, "SPARE", 80)  # so that it does run out


@st.composite
def crowds(draw):
    """A library and a stream in few dimensions and some noise, of any size and level; ties, duplicates, zeros, jumps, rare giants."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors, queries = draw(st.integers(20, 300)), draw(st.integers(1, 60))
    turn = rng.normal(size=(draw(st.integers(1, 20)), WIDTH))
    noise = draw(st.sampled_from([0.0, 1e-6, 1e-2, 1.0]))
    kind = draw(st.sampled_from(["walk", "jumps", "grid", "still", "swings"]))
    library = rng.normal(size=(vectors, len(turn))) @ turn + noise * rng.normal(size=(vectors, WIDTH))
    steps = rng.normal(size=(queries, len(turn)))
    if kind == "walk":
        steps = np.cumsum(steps * 0.02, axis=0)
    elif kind == "still":
        steps[:] = steps[0]
    elif kind == "jumps":
        steps *= 10.0 ** rng.integers(-3, 4, size=(queries, 1))
    elif kind == "swings":
        steps = steps[:2][np.arange(queries) % min(2, queries)]
    stream = steps @ turn + noise * rng.normal(size=(queries, WIDTH))
    stream[rng.random(queries) < 0.2] = library[0]
    if kind == "grid":
        library, stream = np.round(library), np.round(stream)
    library[rng.random(vectors) < 0.2] = library[0]
    size, level = 10.0 ** draw(st.integers(-21, 10)), draw(st.sampled_from([0.0, 1.0, 1e4]))
    library, stream = (library + level) * size, (stream + level) * size
    library[rng.random(vectors) < 0.05] = 0
    stream[rng.random(queries) < 0.1] = 0
    if draw(st.booleans()):
        stream[-1] = 1e25
    kind = draw(st.sampled_from([np.float32, np.float64]))
    return stream.astype(np.float32).astype(kind), library.astype(np.float32).astype(kind), draw(st.integers(1, 15))


def bounds(made, shown):
    """Lower and upper bounds of all distances, as the kernel's notes say."""
    square = ((shown.points[:, None].astype(np.float64) - made.points[None]) ** 2).sum(axis=2)
    slips = shown.error[:, None] + made.error[None] + TINY
    apart, together = shown.rest[:, None] - made.rest[None], shown.rest[:, None] + made.rest[None]
    low = np.sqrt(square + apart**2) * (1 - ROUNDING) - slips
    return low, np.sqrt(square + together**2) * (1 + ROUNDING) + slips


@few
@given(crowds())
def test_the_bounds_hold(drawn):
    stream, library, _ = drawn
    made = Projection.of(library)
    wide = stream[np.linalg.norm(stream.astype(np.float64), axis=1) < LONGEST / 10]
    shown = Projection._project(wide, made.centre, made.axes, made.skew)
    low, high = bounds(made, shown)
    exact = np.sqrt(((wide.astype(np.float64)[:, None] - library.astype(np.float64)[None]) ** 2).sum(axis=2))
    assert (low <= exact).all()
    assert (exact <= high).all()


def test_the_bounds_are_close_where_the_axes_show_nearly_all():
    rng = np.random.default_rng(5)
    library = (rng.normal(size=(300, 10)) @ rng.normal(size=(10, WIDTH))).astype(np.float32)
    made = Projection.of(library)
    low, high = bounds(made, made)
    exact = np.sqrt(((library.astype(np.float64)[:, None] - library[None]) ** 2).sum(axis=2))
    far = exact > 1
    assert ((high - low) / exact.clip(1))[far].max() < 0.1
    assert np.median((high - low)[far] / exact[far]) < 0.02


def check_candidates(candidates, counts, stream, library, k):
    index, distances = neighbours(stream, library, len(library), "euclidean")
    for q in range(len(stream)):
        if counts[q] < 0:
            continue
        named = candidates[q, : counts[q]].tolist()
        assert len(set(named)) == len(named) >= k
        assert set(index[q][distances[q] <= distances[q, k - 1]]) <= set(named)


@few
@given(crowds())
def test_those_who_may_be_near_include_those_who_are(drawn):
    stream, library, k = drawn
    made = Projection.of(library)
    check_candidates(*made.propose(stream, k), stream, library, k)


@few
@given(crowds(), st.integers(1, 300))
def test_so_do_those_of_a_block(drawn, room):
    """Whatever the order; where there is no room for all, it says so."""
    stream, library, k = drawn
    made = Projection.of(library)
    stream = stream[np.linalg.norm(stream.astype(np.float64), axis=1) < LONGEST / 10]
    shown = Projection._project(stream, made.centre, made.axes, made.skew)
    candidates = np.full((len(stream), k + room), -9, dtype=np.int32)
    counts = np.zeros(len(stream), dtype=np.int64)
    far = (made.rest, made.error, k)
    propose_block(shown.points, shown.rest, shown.error, made.tiles, *far, candidates, counts)
    assert (counts != 0).all()
    assert (candidates < len(library)).all()
    assert (counts >= 0).all() or k + room < len(library)
    check_candidates(candidates, counts, stream, library, k)


@pytest.mark.parametrize("calm", [0, 100, 300])
def test_queries_that_are_no_stream_are_looked_for_in_blocks(monkeypatch, calm):
    monkeypatch.setattr(projection, "SPARE", 700)  # room for all
    rng = np.random.default_rng(calm)
    turn = rng.normal(size=(20, WIDTH))
    library = (rng.normal(size=(700, 20)) @ turn).astype(np.float32)
    path = np.cumsum(rng.normal(size=(calm, 20)) * 0.001, axis=0)
    stream = (np.concatenate([path, rng.normal(size=(450, 20))]) @ turn).astype(np.float32)
    made = Projection.of(library)
    shown = Projection._project(stream, made.centre, made.axes, made.skew)
    k, candidates, counts = 5, np.empty((len(stream), 200), dtype=np.int32), np.empty(len(stream), dtype=np.int64)
    far = (made.rest, made.error, k)
    done = propose_stream(shown.points, shown.rest, shown.error, made.points, *far, candidates, counts)
    assert calm < done <= calm + 3 * TRIED
    candidates, counts = made.propose(stream, k)
    assert (counts >= k).all()
    check_candidates(candidates, counts, stream, library, k)


@few
@given(crowds(), st.sampled_from(["euclidean", "cosine"]), st.sampled_from(["uniform", "distance"]), st.booleans())
def test_a_library_answers_as_without(drawn, metric, weights, normalize):
    stream, vectors, k = drawn
    rng = np.random.default_rng(len(stream))
    labels = [f"state {code}" for code in np.sort(rng.integers(0, 3, size=len(vectors)))]
    stream = np.concatenate([stream, stream[::-1]] * (1 + SEGMENT // len(stream))).astype(np.float32)
    answers = []
    for projected in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not projected:
                patch.setattr(projection, "LEAST_VECTORS", 10**9)
            made = Library(
                vectors.astype(np.float32),
                labels,
                neighbours=k,
                metric=metric,
                weights=weights,
                normalize=normalize,
            )
        assert (made._projection is not None) == projected
        index, distances = made.nearest(stream)
        votes = made.vote(stream)
        answers.append((index, distances, votes.codes, votes.shares))
    for with_axes, without in zip(*answers, strict=True):
        assert np.array_equal(with_axes, without)


def test_noise_is_not_projected(monkeypatch):
    monkeypatch.undo()
    rng = np.random.default_rng(6)
    noise = rng.normal(size=(2000, 300)).astype(np.float32)
    assert Projection.of(noise) is None
    crowd = (rng.normal(size=(2000, 20)) @ rng.normal(size=(20, 300))).astype(np.float32)
    made = Projection.of(crowd)
    assert made.axes.shape == (2, 300, 16)  # the fewest that show nearly all
    wider = made.widen(crowd)
    assert wider.axes.shape == (4, 300, 16)
    assert wider.widen(crowd).axes.shape == (8, 300, 16)
    assert wider.widen(crowd).widen(crowd) is None
    assert Projection.of(crowd[:100]) is not None
    assert Projection.of(crowd[:30]) is None
    assert Projection.of(np.zeros((600, 200), dtype=np.float32)) is None
    assert Projection.of(np.full((600, 200), 1e30, dtype=np.float32) * rng.random((600, 200), dtype=np.float32)) is None


def test_a_projection_that_does_not_help_is_given_up(monkeypatch):
    """Queries from everywhere among references that the axes do not tell apart."""
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(4000, WIDTH)).astype(np.float32)
    labels = [str(n % 2) for n in range(4000)]
    queries = rng.normal(size=(library_module.TRIAL, WIDTH)).astype(np.float32)
    made = Library(vectors, labels, neighbours=3)
    assert made._projection is not None
    votes = made.vote(queries)
    assert made._projection is None
    again = made.vote(queries)
    assert len(queries) >= library_module.TRIAL
    assert np.array_equal(votes.codes, again.codes)
    assert np.array_equal(votes.shares, again.shares)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_stream_that_is_none_goes_on_with_faiss(metric):
    """Independent queries in all directions: what comes before and after the change is what it always was."""
    rng = np.random.default_rng(8)
    vectors = rng.normal(size=(600, WIDTH)).astype(np.float32)
    labels = [str(n % 3) for n in range(600)]
    queries = rng.normal(size=(2 * library_module.TRIAL, WIDTH)).astype(np.float32)
    half = library_module.TRIAL
    answers = {}
    for search in ("auto", "exact"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Projection, "of", lambda _: None)
            made = Library(vectors, labels, neighbours=4, metric=metric, weights="distance", search=search)
        parts = [(*made.nearest(part), made.vote(part).shares) for part in (queries[:half], queries[half:])]
        assert (made._faiss is not None) == (search == "auto")
        answers[search] = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    for auto, exact in zip(answers["auto"], answers["exact"], strict=True):
        assert np.array_equal(auto, exact)


def test_a_coherent_stream_does_not_change_its_search():
    rng = np.random.default_rng(9)
    vectors = (10 * rng.normal(size=(600, WIDTH))).astype(np.float32)
    queries = np.cumsum(rng.normal(size=(2 * library_module.TRIAL, WIDTH)) * 0.001, axis=0).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Projection, "of", lambda _: None)
        made = Library(vectors, ["a"] * 600, neighbours=4)
    made.vote(queries)
    assert made._faiss is None


def test_a_projection_that_shows_too_little_gets_more_axes(monkeypatch):
    """Most of the spread lies along one axis, but what tells neighbours apart lies along thirty."""
    monkeypatch.undo()
    monkeypatch.setattr(projection, "SPARE", 80)
    rng = np.random.default_rng(10)
    turn = np.linalg.qr(rng.normal(size=(200, 200)))[0][:40]
    sizes = np.concatenate([[160.0], np.full(39, 1.0)])
    vectors = (rng.normal(size=(6000, 40)) * sizes @ turn).astype(np.float32)
    queries = (np.cumsum(rng.normal(size=(3000, 40)) * 0.01, axis=0) * sizes @ turn).astype(np.float32)
    labels = [str(n % 3) for n in range(6000)]
    made = Library(vectors, labels, neighbours=5)
    tiles = len(made._projection.axes)
    found = [made.nearest(queries[n : n + 500])[0] for n in range(0, 3000, 500)]
    assert made._projection is not None
    assert len(made._projection.axes) > tiles
    monkeypatch.setattr(projection, "LEAST_VECTORS", 10**9)
    plain = Library(vectors, labels, neighbours=5)
    assert np.array_equal(np.concatenate(found), plain.nearest(queries)[0])
