"""Each kernel against its naive twin, and at its edges."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier
from strategies import quick, series

from kernels.gather import gather_series, gather_windows, window_view
from kernels.nearest import EUCLIDEAN, MANHATTAN, distance, measure, nearest_stream
from kernels.pooling import pool_means, pool_moments
from kernels.scaling import add_moments, fill_forward, scale_rows
from kernels.vote import vote


@quick
@given(series(), st.integers(1, 70), st.integers(1, 80))
def test_window_view_shows_every_window_without_a_copy(values, window, step):
    expected = naive.windows(values, window, step)
    view = window_view(values, window, step)
    assert view.shape == (len(expected), len(values), window)
    for got, want in zip(view, expected, strict=True):
        assert np.array_equal(got, want)
    if len(expected):
        assert np.shares_memory(view, values)


@quick
@given(series(rows=(1, 120), missing=True), st.integers(1, 40), st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_gather_scales_fills_and_pads(values, window, left, right, per_window):
    starts = np.arange(0, max(0, values.shape[1] - window + 1), 3)
    channels = len(values)
    reference = np.nan_to_num(values[:, 0], posinf=0, neginf=0)
    scale = np.linspace(0.5, 2.0, channels)
    out = np.full((len(starts) + 2, channels, left + window + right), 7, dtype=np.float32)
    gather_windows(values, starts, window, reference, scale, per_window, left, out)
    for i, start in enumerate(starts):
        for c in range(channels):
            part = values[c, start : start + window]
            cells = np.where(np.isfinite(part), part, reference[c])
            want = (cells - reference[c]) * scale[c]
            if per_window:
                spread = cells - reference[c]
                mean, deviation = spread.mean(), spread.std()
                flat = deviation <= 1e-6 * max(1e-12, abs(mean + reference[c]))
                want = (spread - mean) / (1.0 if flat else deviation)
            assert np.allclose(out[i, c, left : left + window], want, rtol=1e-5, atol=1e-4)
    assert not out[:, :, :left].any()
    assert not out[:, :, left + window :].any()
    assert not out[len(starts) :].any()


def test_gather_series_lays_windows_side_by_side():
    values = np.arange(20.0).reshape(2, 10)
    out = np.empty((2, 6))
    gather_series(values, np.array([1, 6]), 3, out)
    assert out.tolist() == [[1, 2, 3, 6, 7, 8], [11, 12, 13, 16, 17, 18]]


@quick
@given(series(rows=(1, 300)), st.integers(1, 64), st.integers(1, 70))
def test_pooled_moments_are_those_of_each_window(values, window, step):
    expected = naive.windows(values, window, step)
    starts = np.arange(len(expected)) * step
    mean, deviation = np.empty((2, len(expected), len(values)))
    pool_moments(values, window, starts, mean, deviation)
    for i, part in enumerate(expected):
        assert np.allclose(mean[i], part.mean(axis=1), rtol=1e-12, atol=1e-9)
        assert np.allclose(deviation[i], part.std(axis=1), rtol=1e-7, atol=1e-7)


@quick
@given(series(rows=(1, 300), spread=(-2, 2)), st.integers(1, 64), st.integers(1, 70))
def test_pooled_means_are_those_of_each_window(values, window, step):
    maps = values.astype(np.float32)
    expected = naive.windows(maps.astype(np.float64), window, step)
    starts = np.arange(len(expected)) * step
    out = np.empty((len(maps), len(expected)), dtype=np.float32)
    pool_means(maps, window, starts, out)
    for i, part in enumerate(expected):
        assert np.allclose(out[:, i], part.mean(axis=1), rtol=1e-6, atol=1e-6)


def test_pooling_keeps_a_nan_in_its_own_windows():
    maps = np.ones((1, 40), dtype=np.float32)
    maps[0, 20] = np.nan
    out = np.empty((1, 31), dtype=np.float32)
    pool_means(maps, 10, np.arange(31), out)
    hit = np.isnan(out[0])
    assert hit.tolist() == [start <= 20 < start + 10 for start in range(31)]


@pytest.mark.parametrize("level", [1e6, 1e9])
def test_moments_keep_the_digits_of_a_high_level(level):
    generator = np.random.default_rng(1)
    values = level + generator.normal(size=(1, 500))
    mean, deviation = np.empty((2, 437, 1))
    pool_moments(values, 64, np.arange(437), mean, deviation)
    exact = (values - level).astype(np.longdouble)
    want = [float(exact[0, s : s + 64].std()) for s in range(437)]
    assert np.allclose(deviation[:, 0], want, rtol=1e-6)


@quick
@given(series(missing=True), st.integers(1, 60))
def test_moments_do_not_depend_on_the_cut(values, size):
    channels = len(values)

    def run(pieces):
        count, mean, squares = np.zeros(channels, dtype=np.int64), np.zeros(channels), np.zeros(channels)
        for piece in pieces:
            add_moments(np.ascontiguousarray(piece), count, mean, squares)
        return count, mean, squares

    whole = run([values])
    parts = run([values[:, s : s + size] for s in range(0, values.shape[1], size)])
    for a, b in zip(whole, parts, strict=True):
        assert np.array_equal(a, b)
    for c in range(channels):
        cells = values[c][np.isfinite(values[c])]
        assert whole[0][c] == cells.size
        if cells.size:
            assert np.isclose(whole[1][c], cells.mean(), rtol=1e-9)
            assert np.isclose(np.sqrt(whole[2][c] / cells.size), cells.std(), rtol=1e-6, atol=1e-9)


@quick
@given(series(missing=True), st.integers(1, 60))
def test_fill_forward_equals_its_twin_whatever_the_cut(values, size):
    fill = np.arange(len(values), dtype=np.float64)
    want = naive.fill_forward(values, fill)
    holes = ~np.isfinite(values)
    last, repaired = fill.copy(), np.zeros(len(values), dtype=np.int64)
    for start in range(0, values.shape[1], size):
        piece = np.ascontiguousarray(values[:, start : start + size])
        missing = np.empty(piece.shape[1], dtype=np.bool_)
        fill_forward(piece, last, repaired, missing)
        assert np.array_equal(piece, want[:, start : start + size])
        assert np.array_equal(missing, holes[:, start : start + size].any(axis=0))
    assert np.array_equal(repaired, holes.sum(axis=1))


def test_scale_rows_casts_after_the_difference():
    values = np.array([[1e9, 1e9 + 1]])
    out = np.full((1, 4), 9, dtype=np.float32)
    scale_rows(values, np.array([1e9]), np.array([2.0]), out)
    assert out.tolist() == [[0, 2, 0, 0]]


@quick
@given(st.integers(0, 2**32 - 1), st.integers(0, 70), st.sampled_from([np.float32, np.float64]))
def test_distance_is_a_sum_of_differences(seed, width, kind):
    a, b = np.random.default_rng(seed).normal(size=(2, width)).astype(kind)
    difference = a.astype(np.float64) - b.astype(np.float64)
    assert np.isclose(distance(EUCLIDEAN, a, b), np.sqrt((difference**2).sum()), rtol=1e-14)
    assert np.isclose(distance(MANHATTAN, a, b), np.abs(difference).sum(), rtol=1e-14)
    assert distance(EUCLIDEAN, a, a) == 0
    assert np.isnan(distance(EUCLIDEAN, np.append(a, np.nan).astype(kind), np.append(b, 0).astype(kind)))


@st.composite
def streams(draw):
    """A library and a stream: slow walks, jumps, repeats, duplicates, ties on a grid, zeros."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width, vectors, queries = draw(st.integers(1, 40)), draw(st.integers(1, 150)), draw(st.integers(1, 60))
    kind = draw(st.sampled_from(["walk", "jumps", "grid", "still", "huge"]))
    library = generator.normal(size=(vectors, width))
    if kind == "walk":
        stream = np.cumsum(generator.normal(size=(queries, width)) * 0.05, axis=0)
    elif kind == "still":
        stream = np.repeat(generator.normal(size=(1, width)), queries, axis=0)
    else:
        stream = generator.normal(size=(queries, width))
        stream[generator.random(queries) < 0.3] = library[0]
    if kind == "grid":
        library, stream = np.round(library), np.round(stream)
    if kind == "huge":
        library, stream = library * 1e15, stream * 1e15
    library[generator.random(vectors) < 0.2] = library[0]
    library[generator.random(vectors) < 0.05] = 0
    k = draw(st.integers(1, min(vectors, 20)))
    return stream.astype(np.float32), library.astype(np.float32), k


@quick
@given(streams(), st.sampled_from(["euclidean", "manhattan"]))
def test_the_coherent_search_is_brute_force(drawn, metric):
    stream, library, k = drawn
    code = MANHATTAN if metric == "manhattan" else EUCLIDEAN
    index, away = np.empty((len(stream), k), dtype=np.int64), np.empty((len(stream), k))
    nearest_stream(stream, library, code, index, away)
    brute, exact = np.empty_like(index), np.empty_like(away)
    everyone = np.tile(np.arange(len(library)), (len(stream), 1))
    counts = np.full(len(stream), len(library))
    measure(stream, library, code, everyone, counts, brute, exact)
    assert np.array_equal(index, brute)
    assert np.array_equal(away, exact)
    _, twin = naive.neighbours(stream, library, k, metric)
    assert np.allclose(away, twin, rtol=1e-12, atol=1e-12)


def test_a_slow_stream_computes_few_distances():
    generator = np.random.default_rng(3)
    library = generator.normal(size=(2000, 32)).astype(np.float32)
    stream = (np.cumsum(generator.normal(size=(500, 32)) * 0.002, axis=0)).astype(np.float32)
    index, away = np.empty((500, 5), dtype=np.int64), np.empty((500, 5))
    computed = nearest_stream(stream, library, EUCLIDEAN, index, away)
    assert computed < 0.1 * 500 * 2000
    jumps = generator.permutation(np.vstack([stream, -9 * stream]))[:500]
    assert nearest_stream(jumps, library, EUCLIDEAN, index, away) <= 1.01 * 500 * 2000


@quick
@given(streams(), st.integers(1, 4), st.booleans())
def test_the_vote_equals_its_twin(drawn, classes, by_distance):
    stream, library, k = drawn
    labels = np.random.default_rng(k).integers(0, classes, len(library)).astype(np.int32)
    index, away = np.empty((len(stream), k), dtype=np.int64), np.empty((len(stream), k))
    nearest_stream(stream, library, EUCLIDEAN, index, away)
    winner, shares = np.empty(len(stream), dtype=np.int32), np.empty((len(stream), classes))
    vote(labels[index], away, by_distance, winner, shares)
    for q in range(len(stream)):
        want, parts = naive.vote(labels[index[q]], away[q], classes, by_distance=by_distance)
        assert winner[q] == want
        assert np.allclose(shares[q], parts, atol=1e-12)
        assert np.isclose(shares[q].sum(), 1)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_away_from_ties_the_vote_is_scikit_learns(weights):
    generator = np.random.default_rng(5)
    library = generator.normal(size=(300, 12)).astype(np.float32)
    labels = generator.integers(0, 3, 300).astype(np.int32)
    queries = generator.normal(size=(200, 12)).astype(np.float32)
    index, away = np.empty((200, 7), dtype=np.int64), np.empty((200, 7))
    nearest_stream(queries, library, EUCLIDEAN, index, away)
    winner, shares = np.empty(200, dtype=np.int32), np.empty((200, 3))
    vote(labels[index], away, weights == "distance", winner, shares)
    reference = KNeighborsClassifier(7, weights=weights, algorithm="brute").fit(library.astype(np.float64), labels)
    wide = reference.predict_proba(queries.astype(np.float64))
    assert np.allclose(shares, wide, atol=1e-6)
    clear = np.sort(wide, axis=1)[:, -1] - np.sort(wide, axis=1)[:, -2] > 1e-9
    assert clear.sum() > 100
    assert np.array_equal(winner[clear], reference.predict(queries.astype(np.float64))[clear])
