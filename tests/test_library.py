"""The labelled vectors against their naive twin and scikit-learn: who is near, and what they vote."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import neighbours, vote
from sklearn.neighbors import KNeighborsClassifier

from engine.models.library import SEGMENT, SPARE, Library

METRICS = ("euclidean", "cosine", "manhattan")
few = settings(max_examples=25, deadline=None, derandomize=True)


def unit(vectors):
    """Rows of length 1 as float32, zero rows as they are."""
    wide = vectors.astype(np.float64)
    length = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    return (wide / np.where(length > 0, length, 1)).astype(np.float32)


def ask(library, labels, queries, k, metric, **options):
    """Neighbours, distances and votes of the product."""
    made = Library(library, labels, neighbours=k, metric=metric, **options)
    index, distances = made.nearest(queries)
    votes = made.vote(queries)
    return index, distances, votes, made.classes


def check(library, labels, queries, k, metric, weights="uniform", normalize=False, search="exact"):
    """Compare neighbours, distances, winners and shares with the definition."""
    index, distances, votes, classes = ask(
        library, labels, queries, k, metric, weights=weights, normalize=normalize, search=search
    )
    own = (unit(library), unit(queries)) if normalize else (library, queries)
    wanted, away = neighbours(own[1], own[0], k, metric)
    assert classes == tuple(sorted(set(labels)))
    assert np.allclose(distances, away, rtol=1e-9, atol=1e-15)
    assert (np.diff(distances, axis=1) >= 0).all()
    codes = np.array([classes.index(label) for label in labels])
    everyone, _ = neighbours(own[1], own[0], len(library), metric)
    for i in range(len(queries)):
        # Where two distances differ only by the rounding of different sums, either order is right: compare as sets of distances.
        if not np.array_equal(index[i], wanted[i]):
            assert tied(own, i, everyone[i], k, metric), (i, index[i], wanted[i])
        winner, shares = vote(codes[index[i]], distances[i], len(classes), by_distance=weights == "distance")
        assert np.allclose(votes.shares[i], shares, rtol=0, atol=1e-12)
        best = np.sort(votes.shares[i])[::-1]
        if len(best) == 1 or best[0] - best[1] > 1e-9 or weights == "uniform":
            assert votes.codes[i] == winner
    return index, distances, votes


def tied(own, i, order, k, metric):
    """Whether any two of the first k + 1 distances of a query are the same but for rounding, and not the very same vector."""
    _, distances = neighbours(own[1][i : i + 1], own[0], min(k + 1, len(order)), metric)
    gaps = np.diff(distances[0])
    return bool((gaps <= 1e-12 * np.maximum(1e-3, distances[0][1:])).any())


def stream(rng, kind, count, width):
    """Queries as they come: slowly moving, jumping, standing still, going round, or swinging between two ends."""
    if kind == "slow":
        return np.cumsum(rng.normal(size=(count, width)) * 0.02, axis=0)
    if kind == "jumps":
        return rng.normal(size=(count, width)) * 10.0 ** rng.integers(-3, 4, size=(count, 1))
    if kind == "still":
        return np.repeat(rng.normal(size=(1, width)), count, axis=0)
    if kind == "round":
        angle = np.linspace(0, 4 * np.pi, count)[:, None]
        return np.cos(angle + np.arange(width))
    ends = rng.normal(size=(2, width)) * 5
    return ends[np.arange(count) % 2]


kinds = st.sampled_from(["slow", "jumps", "still", "round", "swings"])


@few
@given(
    st.integers(0, 2**32 - 1),
    kinds,
    st.sampled_from(METRICS),
    st.sampled_from(["uniform", "distance"]),
    st.booleans(),
    st.sampled_from(["exact", "faiss"]),
    st.integers(1, 60),
    st.integers(1, 20),
)
def test_any_stream_equals_the_naive_twin(seed, kind, metric, weights, normalize, search, references, width):
    """Duplicates, zero vectors, queries that are references: whatever the stream, whoever proposes."""
    rng = np.random.default_rng(seed)
    library = rng.normal(size=(references, width)).astype(np.float32)
    library[rng.random(references) < 0.2] = library[0]
    library[rng.random(references) < 0.1] = 0
    queries = stream(rng, kind, 40, width).astype(np.float32)
    queries[5] = 0
    queries[[10, 11]] = library[rng.integers(references)]
    labels = [f"state {code}" for code in rng.integers(0, 4, size=references)]
    k = int(rng.integers(1, references + 1))
    check(library, labels, queries, k, metric, weights, normalize, search)


@pytest.mark.parametrize("search", ["exact", "faiss"])
@pytest.mark.parametrize("references", [20, 900])
def test_a_zero_query_is_as_far_from_everybody_under_cosine(search, references):
    """The first references are its neighbours, not those whom rounding favours."""
    vectors = np.random.default_rng(1).normal(size=(references, 40)).astype(np.float32)
    labels = ["b"] * (references // 2) + ["a"] * (references - references // 2)
    made = Library(vectors, labels, neighbours=3, metric="cosine", search=search)
    queries = np.concatenate([vectors[-20:], np.zeros((2, 40), dtype=np.float32), vectors[:20]])
    index, distances = made.nearest(queries)
    assert index[20:22].tolist() == [[0, 1, 2]] * 2
    np.testing.assert_allclose(distances[20:22], 1, rtol=1e-15)
    assert made.vote(queries).shares[20:22].tolist() == [[0.0, 1.0]] * 2


def agree_with_faiss(vectors, queries, k):
    found = [Library(vectors, ["x"] * len(vectors), neighbours=k, search=search) for search in ("exact", "faiss")]
    (index, distances), (other_index, other_distances) = (made.nearest(queries) for made in found)
    assert np.array_equal(distances, other_distances)
    assert np.array_equal(index, other_index)


def test_products_that_overflow_in_faiss_are_not_trusted():
    size = 1e19
    angles = np.linspace(0.85, 0.95, 40)
    half = np.concatenate([[[1.9, 0]], 1.1 * np.stack([np.cos(angles), np.sin(angles)], axis=1)])
    vectors, queries = np.zeros((82, 560), dtype=np.float32), np.zeros((300, 560), dtype=np.float32)
    vectors[:, :2] = np.concatenate([half, -half]) * size
    queries[:, 0] = 1.1 * size
    agree_with_faiss(vectors, queries, 1)


@pytest.mark.parametrize("width", [4, 40])
def test_squares_that_vanish_in_faiss_are_not_trusted(width):
    rng = np.random.default_rng(0)
    core = rng.normal(size=width)
    vectors = ((core + 1e-6 * rng.normal(size=(1000, width))) * 3e-21).astype(np.float32)
    queries = ((-core + 1e-6 * rng.normal(size=(64, width))) * 3e-21).astype(np.float32)
    agree_with_faiss(vectors, queries, 2)


def test_arrays_that_may_not_be_written_are_searched():
    """As they come from a memory map, or from a pickle that shares its buffers."""
    vectors = np.random.default_rng(0).normal(size=(700, 40)).astype(np.float32)
    queries = vectors[:80].copy()
    expected = Library(vectors, ["a"] * 700, neighbours=3).nearest(queries)
    for locked in (vectors, queries):
        locked.setflags(write=False)
        made = Library(vectors, ["a"] * 700, neighbours=3)
        for mine, other in zip(made.nearest(queries), expected, strict=True):
            assert np.array_equal(mine, other)
        assert (made.vote(queries).shares == 1).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("search", ["exact", "faiss"])
def test_scikit_learn_says_the_same(metric, weights, search):
    rng = np.random.default_rng(8)
    library = rng.normal(size=(300, 24)).astype(np.float32)
    labels = [f"state {code}" for code in rng.integers(0, 3, size=300)]
    queries = stream(rng, "slow", 2 * SEGMENT + 9, 24).astype(np.float32) * 4
    _, _, votes, classes = ask(library, labels, queries, 7, metric, weights=weights, search=search)
    judge = KNeighborsClassifier(7, metric=metric, weights=weights, algorithm="brute")
    judge.fit(library.astype(np.float64), labels)
    shares = judge.predict_proba(queries.astype(np.float64))
    assert list(judge.classes_) == list(classes)
    assert np.allclose(votes.shares, shares, atol=1e-6)
    ranked = np.sort(shares, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 1e-6
    assert clear.mean() > 0.6
    assert np.array_equal(votes.codes[clear], shares.argmax(axis=1)[clear])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("level", [0.0, 30.0, 1e4])
def test_near_ties_are_decided_by_exact_distances(metric, level):
    """FAISS cannot tell vectors apart that differ by 1e-7 of their length: what it proposes is measured, or searched anew.

    A second, opposite crowd keeps the library's centre away, so that centring does not resolve them.
    """
    rng = np.random.default_rng(3)
    core = rng.normal(size=32) + level
    size = np.abs(core).mean()
    crowd = core + size * 1e-7 * rng.normal(size=(400, 32))
    library = np.concatenate([crowd, -crowd]).astype(np.float32)
    labels = [f"state {n % 3}" for n in range(800)]
    queries = (core * 1.5 + size * 1e-7 * np.cumsum(rng.normal(size=(50, 32)), axis=0)).astype(np.float32)
    exact = ask(library, labels, queries, 9, metric, search="exact")
    proposed = ask(library, labels, queries, 9, metric, search="faiss")
    assert np.array_equal(exact[0], proposed[0])
    assert np.array_equal(exact[1], proposed[1])
    assert np.array_equal(exact[2].codes, proposed[2].codes)
    assert len(np.unique(exact[1])) > 9  # they do differ
    check(library, labels, queries, 9, "manhattan" if metric == "manhattan" else "euclidean", search="faiss")


@pytest.mark.parametrize("search", ["exact", "faiss"])
def test_equal_distances_go_to_the_lower_reference(search):
    """More copies of one vector than are proposed beyond k: the first of them are the neighbours."""
    copies = 5 + SPARE + 40
    library = np.zeros((copies + 1, 6), dtype=np.float32)
    library[1:] = 1
    library[0] = 3
    labels = ["far"] + ["b", "a"] * (copies // 2) + ["a"] * (copies % 2)
    index, distances, votes, classes = ask(library, labels, np.ones((3, 6), np.float32), 4, "euclidean", search=search)
    assert index.tolist() == [[1, 2, 3, 4]] * 3
    assert (distances == 0).all()
    assert [classes[code] for code in votes.codes] == ["a"] * 3  # two votes each: the label that sorts first


def test_references_at_distance_zero_vote_alone():
    library = np.array([[0, 0], [0, 0], [1e-30, 0], [2, 0], [3, 0]], dtype=np.float32)
    labels = ["b", "a", "b", "b", "b"]
    _, _, votes, classes = ask(library, labels, np.zeros((1, 2), np.float32), 5, "euclidean", weights="distance")
    assert classes == ("a", "b")
    assert votes.shares.tolist() == [[0.5, 0.5]]
    assert classes[votes.codes[0]] == "a"


@pytest.mark.parametrize("search", ["exact", "faiss"])
def test_a_zero_vector_is_at_cosine_distance_one(search):
    library = np.array([[0, 0], [0, 5], [-1, 0]], dtype=np.float32)
    queries = np.array([[0, 0], [2, 0]], dtype=np.float32)
    index, distances, _, _ = ask(library, ["a", "b", "c"], queries, 3, "cosine", search=search)
    assert index.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert np.allclose(distances, [[1, 1, 1], [1, 1, 2]])


def test_threads_and_segments_change_nothing():
    rng = np.random.default_rng(4)
    library = rng.normal(size=(90, 12)).astype(np.float32)
    labels = [str(n % 5) for n in range(90)]
    queries = stream(rng, "slow", 3 * SEGMENT + 17, 12).astype(np.float32)
    first = ask(library, labels, queries, 11, "euclidean", weights="distance")
    made = Library(library, labels, neighbours=11, weights="distance")
    for threads, cut in ((2, 1), (3, 100), (1, 333)):
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(made.nearest, (queries[n : n + cut] for n in range(0, len(queries), cut))))
        assert np.array_equal(np.concatenate([part[0] for part in parts]), first[0])
        assert np.array_equal(np.concatenate([part[1] for part in parts]), first[1])


def test_one_reference_and_no_query():
    made = Library(np.ones((1, 3), np.float32), ["only"], neighbours=1, weights="distance")
    votes = made.vote(np.ones((0, 3), np.float32))
    assert votes.codes.shape == (0,)
    assert votes.shares.shape == (0, 1)
    assert len(made) == 1
    assert made.vote(np.zeros((1, 3), np.float32)).shares.tolist() == [[1.0]]
