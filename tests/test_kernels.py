"""Each kernel against its naive twin, and at its edges."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from sklearn.neighbors import KNeighborsClassifier
from strategies import quick, series

from kernels.features import write_features
from kernels.gather import gather_series, gather_standard_windows, gather_windows
from kernels.lanes import LANES, log_lanes
from kernels.nearest import EUCLIDEAN, MANHATTAN, distance, measure, nearest_stream
from kernels.pooling import pool_means, pool_moments
from kernels.scaling import add_moments, fill_forward, scale_about_mean, scale_series
from kernels.vote import vote


@quick
@given(series(rows=(1, 120), missing=True), st.integers(1, 40), st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_gather_scales_fills_and_pads(values, window, left, right, per_window):
    starts = np.arange(0, max(0, values.shape[1] - window + 1), 3)
    channels = len(values)
    reference = np.nan_to_num(values[:, 0], posinf=0, neginf=0)
    scale = np.linspace(0.5, 2.0, channels)
    out = np.full((len(starts) + 2, channels, left + window + right), 7, dtype=np.float32)
    if per_window:
        gather_standard_windows(values, starts, window, reference, left, out)
    else:
        scaled = np.empty(values.shape, dtype=np.float32)
        scale_series(values, reference, scale, scaled)
        gather_windows(scaled, starts, window, left, out)
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
    mean, deviation = np.empty((2, len(values), len(expected)))
    pool_moments(values, window, starts, mean, deviation)
    for i, part in enumerate(expected):
        assert np.allclose(mean[:, i], part.mean(axis=1), rtol=1e-12, atol=1e-9)
        assert np.allclose(deviation[:, i], part.std(axis=1), rtol=1e-7, atol=1e-7)


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


def test_rows_are_scaled_about_their_mean_before_they_are_cast():
    values = np.array([[1e9 - 1, 1e9 + 1], [4.0, 4.0]])
    out = np.full((3, 4), 9, dtype=np.float32)
    scale_about_mean(values, np.array([2.0, 5.0]), out)
    assert out.tolist() == [[-2, 2, 0, 0], [0, 0, 0, 0], [9, 9, 9, 9]]


@njit
def logarithms(values, weight):
    for at in range(0, values.shape[0], LANES):
        log_lanes(values, at, weight)


def test_logarithms_are_right_from_the_smallest_to_the_largest():
    generator = np.random.default_rng(1)
    edges = [1.0, np.nextafter(np.float32(1), np.float32(2)), np.sqrt(0.5), np.sqrt(2), 3.4e38, 1.2e-38, np.inf, np.nan]
    spread = np.exp(generator.uniform(-80, 80, size=4000))
    x = np.concatenate([edges, spread, generator.uniform(0.5, 2, size=4088)]).astype(np.float32)
    assert x.size % LANES == 0
    got = x.copy()
    logarithms(got, np.float32(1))
    want = np.log(x.astype(np.float64))
    assert np.array_equal(np.isnan(got), np.isnan(want))
    finite = np.isfinite(want)
    assert np.array_equal(got[~finite & ~np.isnan(want)], [np.inf])
    assert (np.abs(got[finite] - want[finite]) <= 1e-7 + 1.2e-7 * np.abs(want[finite])).all()
    half = x.copy()
    logarithms(half, np.float32(0.5))
    assert np.array_equal(half[finite], got[finite] * np.float32(0.5))


@quick
@given(series(channels=(1, 5), rows=(1, 200), spread=(-2, 3)), st.integers(1, 60), st.integers(1, 70), st.booleans())
def test_features_are_means_compressed_channel_by_channel(values, window, step, per_window):
    channels, rows = values.shape
    window = min(window, rows)
    generator = np.random.default_rng(rows)
    counts, group, length = np.array([2, 1]), channels + 1, rows + 3
    fields = np.minimum(np.array([1, 3]), window)
    parts = [
        np.abs(generator.normal(size=(group, n, length - field + 1))) for n, field in zip(counts, fields, strict=True)
    ]
    maps = np.concatenate([part.ravel() for part in parts]).astype(np.float32)
    reference, scale = values.mean(axis=1) + 0.5, generator.uniform(0.5, 2, size=channels)
    raised = generator.normal(size=channels)
    starts = np.arange(0, rows - window + 1, step)
    vectors = np.full((len(starts), 2 + 5 * channels + 1), 7, dtype=np.float32)
    write_features(
        values,
        maps,
        counts,
        fields,
        group,
        length,
        window,
        starts,
        reference,
        scale,
        raised,
        per_window,
        10.0,
        0.5,
        2,
        vectors,
    )
    assert (vectors[:, :2] == 7).all()
    assert (vectors[:, -1] == 7).all()
    for i, start in enumerate(starts):
        cells = values[:, start : start + window]
        flat = cells.std(axis=1) <= 1e-6 * np.maximum(1e-12, np.abs(cells.mean(axis=1)))
        if per_window and (np.abs(cells.std(axis=1) / np.abs(cells.mean(axis=1)) - 1e-6) < 1e-7).any():
            continue  # at the very edge of standing still rounding decides
        for c in range(channels):
            level = 0.0 if per_window else (cells[c].mean() - reference[c]) * scale[c] + raised[c]
            spread = (0.0 if flat[c] else 1.0) if per_window else cells[c].std() * scale[c]
            unit = cells[c].std() * scale[c] if per_window and not flat[c] else 1.0
            responses = [
                part[c, m, start : start + window - field + 1].mean() / unit
                for part, field in zip(parts, fields, strict=True)
                for m in range(part.shape[1])
            ]
            weight = 0.5 / np.sqrt(3)
            want = [
                np.arcsinh(level),
                np.log(1 + 10 * spread) * 0.5,
                *(np.log(1 + 10 * r) * weight for r in map(float, responses)),
            ]
            assert np.allclose(vectors[i, 2 + 5 * c : 7 + 5 * c], want, rtol=2e-5, atol=1e-5)


def test_features_of_any_size_are_finite_and_of_what_is_not_are_not():
    values = np.array([[1e300, 1e300], [-1e300, -1e300], [0.0, 0.0], [0.0, 1e200]])
    maps = np.array([1.0, 1.0, 1.0, np.nan], dtype=np.float32)
    vectors = np.empty((1, 12), dtype=np.float32)
    ones, zeros = np.ones(4), np.zeros(4)
    one = np.array([1])
    write_features(values, maps, one, one + 1, 4, 2, 2, np.array([0]), zeros, ones, zeros, False, 10.0, 0.5, 0, vectors)
    assert np.isfinite(vectors[0, :11]).all()
    assert np.isnan(vectors[0, 11])
    assert vectors[0, 0] == -vectors[0, 3] > 80


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
