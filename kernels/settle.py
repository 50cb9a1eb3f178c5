"""Votes that need no neighbours: where all who may be near are of one class, for a whole span of a stream at a time.

Let m be the middle query of a span and R the distance to the one farthest from it. If k vectors lie within D of m, then every query of the
span has its k nearest within D + R; and a vector that is farther than D + 2R from m is farther than that from all of them. So if every
vector of another class is, the class of the k wins every vote of the span, whoever is nearest and by whatever weights. Windows that
share all but a few rows make short spans of embeddings, and the states of a machine lie far apart: most windows are settled so.
"""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel
from kernels.lanes import sum_squares, sum_squares_narrow
from kernels.projection import GROUP, ROUNDING, SLACK, TINY

SPAN = 8  # queries that are settled together
PATIENCE = 8  # spans to go on with known company, at most, after a look at the whole library was of no use


@kernel
def settle_stream(
    queries: npt.NDArray[np.float32],
    points: npt.NDArray[np.float32],
    rest: npt.NDArray[np.float64],
    error: npt.NDArray[np.float64],
    vectors: npt.NDArray[np.float32],
    library: npt.NDArray[np.float32],
    library_rest: npt.NDArray[np.float64],
    library_error: npt.NDArray[np.float64],
    codes: npt.NDArray[np.int32],
    k: int,
    winner: npt.NDArray[np.int32],
    shares: npt.NDArray[np.float64],
    open_: npt.NDArray[np.bool_],
) -> None:
    """Settle the spans of a stream near which one class is alone.

    Parameters
    ----------
    queries : (queries, width) float32 or float64
        In stream order.
    points, rest, error : of (spans, axes)
        The middle query of each `SPAN` queries, `middles`, as `kernels.projection.project` gives it.
    vectors : (vectors, width), the queries' type
        At least k.
    library, library_rest, library_error : of (vectors, axes)
        The same, projected.
    codes : (vectors,) int32
        Class of each.
    winner : (queries,) int32; shares : (queries, classes) float64
        Overwritten where a query is settled.
    open_ : (queries,) bool
        Overwritten: which are not.

    Notes
    -----
    The k vectors, the company, stay from span to span: their distances are measured anew, and only when they have become too far is the
    whole library looked at for nearer ones. Of the vectors of other classes each group keeps a lower bound of its distance, plus how far
    the middles have moved, as in `kernels.projection.propose_stream`.
    """
    count, total = queries.shape[0], vectors.shape[0]
    groups = (total + GROUP - 1) // GROUP
    company = np.empty(k, dtype=np.int64)
    least = np.empty(k, dtype=np.float64)
    bounds = np.zeros(groups, dtype=np.float64)
    code = np.int32(-1)
    drift = 0.0
    pause = wait = 0
    for span in range(points.shape[0]):
        first, stop = span * SPAN, min((span + 1) * SPAN, count)
        middle = (first + stop) // 2
        point, off, slip = points[span], rest[span], error[span]
        if span > 0:
            step = np.float64(sum_squares_narrow(point, points[span - 1])) + (off - rest[span - 1]) ** 2
            drift += np.sqrt(step) * (1.0 + ROUNDING) + TINY
        square = 0.0
        for q in range(first, stop):
            square = max(square, sum_squares(queries[q], queries[middle]))
        margin = 2.0 * np.sqrt(square) + slip + TINY + drift
        settled = False
        if code >= 0:
            horizon = (_farthest(queries[middle], vectors, company) + margin) * (1.0 + SLACK)
            settled = _alone(point, off, drift, horizon, library, library_rest, library_error, codes, code, bounds)
        if not settled and wait == 0:
            _look(point, off, library, library_rest, library_error, least, company)
            if codes[company[0]] != code:
                code = codes[company[0]]
                bounds[:] = 0.0
            horizon = (_farthest(queries[middle], vectors, company) + margin) * (1.0 + SLACK)
            settled = _alone(point, off, drift, horizon, library, library_rest, library_error, codes, code, bounds)
            pause = 0 if settled else min(2 * pause + 1, PATIENCE)
            wait = pause
        elif not settled:
            wait -= 1
        open_[first:stop] = not settled
        if settled:
            winner[first:stop] = code
            shares[first:stop] = 0.0
            shares[first:stop, code] = 1.0


@kernel
def _farthest(
    query: npt.NDArray[np.float32], vectors: npt.NDArray[np.float32], company: npt.NDArray[np.int64]
) -> float:
    """Return the distance of the farthest of some vectors."""
    square = 0.0
    for n in range(company.shape[0]):
        square = max(square, sum_squares(query, vectors[company[n]]))
    return float(np.sqrt(square))


@kernel
def _alone(
    point: npt.NDArray[np.float32],
    off: float,
    drift: float,
    horizon: float,
    library: npt.NDArray[np.float32],
    library_rest: npt.NDArray[np.float64],
    library_error: npt.NDArray[np.float64],
    codes: npt.NDArray[np.int32],
    code: np.int32,
    bounds: npt.NDArray[np.float64],
) -> bool:
    """Tell whether all vectors of other classes are beyond the horizon; renew the groups' bounds that do not say so."""
    for g in range(bounds.shape[0]):
        if bounds[g] > horizon:
            continue
        nearest = np.inf
        for j in range(g * GROUP, min((g + 1) * GROUP, library.shape[0])):
            if codes[j] != code:
                square = np.float64(sum_squares_narrow(point, library[j])) + (off - library_rest[j]) ** 2
                nearest = min(nearest, np.sqrt(square) * (1.0 - ROUNDING) - library_error[j] - TINY)
        bounds[g] = nearest + drift
        if bounds[g] <= horizon:
            return False
    return True


@kernel
def _look(
    point: npt.NDArray[np.float32],
    off: float,
    library: npt.NDArray[np.float32],
    library_rest: npt.NDArray[np.float64],
    library_error: npt.NDArray[np.float64],
    least: npt.NDArray[np.float64],
    company: npt.NDArray[np.int64],
) -> None:
    """Find the vectors whose upper bounds are least, nearest first."""
    last = least.shape[0] - 1
    least[:] = np.inf
    company[:] = 0
    for j in range(library.shape[0]):
        square = np.float64(sum_squares_narrow(point, library[j])) + (off + library_rest[j]) ** 2
        bound = np.sqrt(square) + library_error[j]
        if bound >= least[last]:
            continue
        place = last
        while place > 0 and bound < least[place - 1]:
            least[place], company[place] = least[place - 1], company[place - 1]
            place -= 1
        least[place], company[place] = bound, j


def middles(count: int) -> npt.NDArray[np.int64]:
    """Return the middle query of each span of so many queries."""
    firsts = np.arange(0, count, SPAN)
    return (firsts + np.minimum(firsts + SPAN, count)) // 2
