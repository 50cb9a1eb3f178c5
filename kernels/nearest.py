"""Exact nearest neighbours of a slowly moving stream of vectors.

Embeddings of successive windows move little. For every library vector a lower bound of its distance to the current query is
kept; when the query moves by m, each bound falls by m (triangle inequality), and a true distance is computed only where the
bound does not exceed the current k-th distance, which is seeded with the previous query's neighbours. A stream that wanders to
and fro ends up near its start: the distances to the first query, less how far the query is from it now, are a second bound, which
renews the first where that has run down. The neighbours found are those of brute force, for any stream: a stream that jumps
only costs the bookkeeping on top. This is the idea behind the bounds of Elkan (2003) for k-means, turned to a moving query.

Distances are evaluated by differences in float64, in fixed lanes, so that a pair of vectors has one distance, whatever
is computed around it. Order: by distance, then by library index.
"""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel
from kernels.lanes import sum_absolutes, sum_squares

EUCLIDEAN = 0
MANHATTAN = 1
GROUP = 32  # library vectors that share one bound
SLACK = 1e-9  # relative; far above the rounding of the bounds' sums, far below any distance that matters


@kernel
def distance(metric: int, a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """Return the distance of two vectors: euclidean (metric 0) or manhattan (metric 1).

    Parameters
    ----------
    a, b : (width,) float32 or float64, contiguous
    """
    if metric == MANHATTAN:
        return sum_absolutes(a, b)  # type: ignore[no-any-return]
    return np.sqrt(sum_squares(a, b))  # type: ignore[no-any-return]


@kernel
def insert_neighbour(
    index: npt.NDArray[np.int64], distances: npt.NDArray[np.float64], candidate: int, away: float
) -> None:
    """Insert a candidate into a list of neighbours sorted by (distance, index), dropping the last one if it is nearer.

    Parameters
    ----------
    index : (k,) int64; distances : (k,) float64
        The list, updated in place; unused places hold infinity.
    """
    k = index.shape[0]
    last = k - 1
    if away > distances[last] or (away == distances[last] and candidate > index[last]):
        return
    place = last
    while place > 0 and (
        away < distances[place - 1] or (away == distances[place - 1] and candidate < index[place - 1])
    ):
        index[place] = index[place - 1]
        distances[place] = distances[place - 1]
        place -= 1
    index[place] = candidate
    distances[place] = away


@kernel
def nearest_stream(
    queries: npt.NDArray[np.float32],
    library: npt.NDArray[np.float32],
    metric: int,
    index: npt.NDArray[np.int64],
    distances: npt.NDArray[np.float64],
) -> int:
    """Find the k nearest library vectors of every query of a stream, exactly.

    Parameters
    ----------
    queries : (queries, width) float32 or float64
        In stream order: the nearer a query to the one before it, the less there is to do.
    library : (vectors, width), same type; at least k vectors
    metric : int
        `EUCLIDEAN` or `MANHATTAN`.
    index : (queries, k) int64; distances : (queries, k) float64
        Overwritten, nearest first; equal distances by rising index.

    Returns
    -------
    How many distances to library vectors were computed (brute force: queries x vectors).

    Notes
    -----
    A stored bound is `distance + drift` at the time it was computed, `drift` being the length of the path so far, so that
    nothing needs to be lowered when the query moves. `SLACK` covers the rounding of these sums. `anchor` and `moved` are the
    second bound: the distance from the first query, and how far the current one is from it, each with its rounding taken off.
    """
    count, k = index.shape
    vectors = library.shape[0]
    groups = (vectors + GROUP - 1) // GROUP
    bounds = np.zeros(vectors, dtype=np.float64)
    group_bounds = np.zeros(groups, dtype=np.float64)
    seen = np.full(vectors, -1, dtype=np.int64)  # the query for which a vector was last computed
    anchor = np.zeros(vectors, dtype=np.float64)  # distances to the first query, less their rounding
    group_anchor = np.zeros(groups, dtype=np.float64)
    drift = 0.0
    moved = 0.0  # how far the query is from the first one, and rounding
    computed = 0
    for q in range(count):
        query = queries[q]
        for n in range(k):
            index[q, n] = vectors
            distances[q, n] = np.inf
        if q > 0:
            drift += distance(metric, query, queries[q - 1])
            moved = distance(metric, query, queries[0]) * (1.0 + SLACK)
            for n in range(k):
                j = index[q - 1, n]
                away = distance(metric, query, library[j])
                computed += 1
                seen[j] = q
                bounds[j] = away + drift
                insert_neighbour(index[q], distances[q], j, away)
        for g in range(groups):
            reach = (distances[q, k - 1] + drift) * (1.0 + SLACK)
            if group_bounds[g] > reach:
                continue
            away = group_anchor[g] - moved + drift
            if away > reach:
                group_bounds[g] = away
                continue
            least = np.inf
            for j in range(g * GROUP, min((g + 1) * GROUP, vectors)):
                if bounds[j] <= reach and seen[j] != q:
                    bounds[j] = anchor[j] - moved + drift
                    if bounds[j] <= reach:
                        away = distance(metric, query, library[j])
                        computed += 1
                        bounds[j] = away + drift
                        insert_neighbour(index[q], distances[q], j, away)
                        reach = (distances[q, k - 1] + drift) * (1.0 + SLACK)
                least = min(least, bounds[j])
            group_bounds[g] = least
        if q == 0:
            for g in range(groups):
                group_anchor[g] = group_bounds[g] * (1.0 - SLACK)
            for j in range(vectors):
                anchor[j] = bounds[j] * (1.0 - SLACK)
    return computed


@kernel
def measure(
    queries: npt.NDArray[np.float32],
    library: npt.NDArray[np.float32],
    metric: int,
    candidates: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    index: npt.NDArray[np.int64],
    distances: npt.NDArray[np.float64],
) -> None:
    """Keep the k nearest of proposed candidates, by exact distance.

    Parameters
    ----------
    queries : (queries, width); library : (vectors, width)
        float32 or float64, the same type.
    candidates : (queries, m) integers
        Library indices that somebody proposed, without repeats; negative ones are skipped.
    counts : (queries,) int64
        How many of a row's candidates count, at least k.
    index : (queries, k) int64; distances : (queries, k) float64
        Overwritten, nearest first; equal distances by rising index.
    """
    vectors = library.shape[0]
    for q in range(queries.shape[0]):
        for n in range(index.shape[1]):
            index[q, n] = vectors
            distances[q, n] = np.inf
        for n in range(counts[q]):
            j = candidates[q, n]
            if j >= 0:
                insert_neighbour(index[q], distances[q], j, distance(metric, queries[q], library[j]))
