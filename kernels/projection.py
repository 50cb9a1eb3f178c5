"""Vectors seen on a few axes: distances there, and how much lies off the axes, bound the true distances from both sides.

Let the axes be orthonormal, p(x) what they show of a vector and r(x) the length of what they do not. Then by Pythagoras and the
triangle inequality

    |p(a) - p(b)|^2 + (r(a) - r(b))^2  <=  |a - b|^2  <=  |p(a) - p(b)|^2 + (r(a) + r(b))^2.

Embeddings of real machines fill a few dozen of some hundred dimensions, so both bounds are close. Who is near is found among the
bounds, for a tenth of the work, and only those few are measured. The bounds hold as computed: every rounding is in `error`.
"""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel
from kernels.lanes import LANES, ROWS, add_products, add_squares, sum_squares, sum_squares_narrow

GROUP = 32  # library vectors that share one bound
CHUNK = 32  # numbers of a vector that are added up in float32
ROUNDING = 1e-5  # relative, of a distance between points of at most 128 axes: far above what float32 sums lose
TINY = 1e-18  # absolute, of a distance: squares below 1e-38 vanish in float32
LONGEST = 1e15  # of a vector: beyond, squares overflow in float32
SLACK = 1e-9  # relative; above the rounding of what is added up along a stream
TRIED = 64  # queries of a stream after which it is judged, again and again
HOPELESS = 0.35  # share of the library computed for each of them from which `propose_block` is faster


@kernel
def project(
    vectors: npt.NDArray[np.float32],
    centre: npt.NDArray[np.float32],
    axes: npt.NDArray[np.float32],
    skew: float,
    points: npt.NDArray[np.float32],
    rest: npt.NDArray[np.float64],
    error: npt.NDArray[np.float64],
) -> float:
    """Show vectors on axes; return the length of the longest, its centre taken off.

    Parameters
    ----------
    vectors : (vectors, width) float32 or float64
    centre : (width,) float32
        Taken off first.
    axes : (tiles, width, LANES) float32
        Orthonormal columns, but for `skew`, so many side by side.
    skew : float
        Spectral norm of the difference between the axes' products with each other and the identity.
    points : (vectors, tiles * LANES) float32; rest, error : (vectors,) float64
        Overwritten: p(x), r(x), and how far (p(x), r(x)) may be from what exact arithmetic gives.
    """
    tiles, width, _ = axes.shape
    count = vectors.shape[0]
    unit = 2.0**-24
    shifted = np.zeros((ROWS, width), dtype=np.float32)
    origin = np.zeros(width, dtype=np.float32)
    square = np.zeros(ROWS, dtype=np.float64)
    partial = np.empty((ROWS, LANES), dtype=np.float32)
    total = np.empty((ROWS, tiles, LANES), dtype=np.float64)
    longest = 0.0
    for first in range(0, count, ROWS):
        rows = min(ROWS, count - first)
        for row in range(rows):
            for i in range(width):
                shifted[row, i] = np.float64(vectors[first + row, i]) - np.float64(centre[i])
            square[row] = sum_squares(shifted[row], origin)
        total[:] = 0.0
        for tile in range(tiles):
            for start in range(0, width, CHUNK):
                add_products(shifted, axes[tile], start, min(start + CHUNK, width), partial)
                for row in range(ROWS):
                    for lane in range(LANES):
                        total[row, tile, lane] += partial[row, lane]
        for row in range(rows):
            v = first + row
            seen = 0.0
            for tile in range(tiles):
                for lane in range(LANES):
                    points[v, tile * LANES + lane] = total[row, tile, lane]
                    seen += total[row, tile, lane] * total[row, tile, lane]
            length = np.sqrt(square[row])
            longest = max(longest, length)
            # At most CHUNK + 1 roundings on a number's way into a sum, one into `points`; by Cauchy and Schwarz over numbers and axes.
            lost = (CHUNK + 4) * unit * np.sqrt(np.float64(tiles * LANES)) * length + 2.0 * skew * length
            lost += 2.0 * unit * length + TINY  # the shift's own rounding
            doubt = 2.0 * length * lost + lost * lost + (4.0 * unit + skew) * square[row]
            least = np.sqrt(max(0.0, square[row] - seen - doubt))
            most = np.sqrt(max(0.0, square[row] - seen) + doubt)
            rest[v] = 0.5 * (least + most)
            error[v] = lost + 0.5 * (most - least)
    return longest


@kernel
def _keep_least(least: npt.NDArray[np.float64], value: float) -> None:
    """Insert a value into a rising list, dropping its last one."""
    place = least.shape[0] - 1
    if value >= least[place]:
        return
    while place > 0 and value < least[place - 1]:
        least[place] = least[place - 1]
        place -= 1
    least[place] = value


@kernel
def _drop_far(candidates: npt.NDArray[np.int32], bounds: npt.NDArray[np.float64], count: int, horizon: float) -> int:
    """Keep the candidates whose bound is within the horizon; return how many."""
    kept = 0
    for n in range(count):
        if bounds[n] <= horizon:
            candidates[kept] = candidates[n]
            bounds[kept] = bounds[n]
            kept += 1
    return kept


@kernel
def propose_stream(
    points: npt.NDArray[np.float32],
    rest: npt.NDArray[np.float64],
    error: npt.NDArray[np.float64],
    library: npt.NDArray[np.float32],
    library_rest: npt.NDArray[np.float64],
    library_error: npt.NDArray[np.float64],
    k: int,
    candidates: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
) -> int:
    """For the queries of a stream, name library vectors among which the k nearest are for certain, all that tie included.

    Where the queries turn out to be no stream, so that most of the library has to be looked at for each, the rest of them is left.

    Parameters
    ----------
    points, rest, error : of (queries, axes)
        As `project` gives them, in stream order: the nearer a query to the one before it, the less there is to do.
    library, library_rest, library_error : of (vectors, axes)
        At least k vectors.
    candidates : (queries, room) int32
        Overwritten, in no order; what lies behind a query's count is left as it is.
    counts : (queries,) int64
        Overwritten; -1 where there was no room for all.

    Returns
    -------
    How many queries are done.

    Notes
    -----
    As `kernels.nearest.nearest_stream`, which explains the bounds that are kept from query to query, but among points: a stored bound
    is `distance + drift`. The distance of the k-th nearest is at most the k-th least upper bound, `least[k - 1]`.
    """
    vectors = library.shape[0]
    room = candidates.shape[1]
    groups = (vectors + GROUP - 1) // GROUP
    bounds = np.zeros(vectors, dtype=np.float64)
    group_bounds = np.zeros(groups, dtype=np.float64)
    seen = np.full(vectors, -1, dtype=np.int64)  # the query for which a vector was last computed
    anchor = np.zeros(vectors, dtype=np.float64)
    group_anchor = np.zeros(groups, dtype=np.float64)
    least = np.empty(k, dtype=np.float64)  # upper bounds, rising
    lows = np.empty(room, dtype=np.float64)  # lower bounds of the candidates
    widest = library_error.max()
    drift = 0.0
    moved = 0.0
    computed = 0
    queries: int = points.shape[0]
    for q in range(queries):
        if q % TRIED == 0 and q > 0:
            if computed > HOPELESS * TRIED * vectors:
                return q
            computed = 0
        point, off, slip = points[q], rest[q], error[q]
        least[:] = np.inf
        found = 0
        full = False
        if q > 0:
            drift += np.sqrt(np.float64(sum_squares_narrow(point, points[q - 1]))) * (1.0 + ROUNDING) + TINY
            moved = np.sqrt(np.float64(sum_squares_narrow(point, points[0]))) * (1.0 + ROUNDING) + TINY
            for n in range(max(0, counts[q - 1])):
                j = candidates[q - 1, n]
                square = np.float64(sum_squares_narrow(point, library[j]))
                computed += 1
                seen[j] = q
                bounds[j] = np.sqrt(square) * (1.0 - ROUNDING) + drift
                off_j, slips = library_rest[j], slip + library_error[j] + TINY
                _keep_least(least, np.sqrt(square + (off + off_j) * (off + off_j)) * (1.0 + ROUNDING) + slips)
                candidates[q, found] = j
                lows[found] = np.sqrt(square + (off - off_j) * (off - off_j)) * (1.0 - ROUNDING) - slips
                found += 1
        reach = (least[k - 1] + slip + widest + drift) * (1.0 + SLACK)
        for g in range(groups):
            if group_bounds[g] > reach:
                continue
            away = group_anchor[g] - moved + drift
            if away > reach:
                group_bounds[g] = away
                continue
            nearest = np.inf
            for j in range(g * GROUP, min((g + 1) * GROUP, vectors)):
                if bounds[j] <= reach and seen[j] != q:
                    bounds[j] = max(bounds[j], anchor[j] - moved + drift)
                    if bounds[j] <= reach:
                        square = np.float64(sum_squares_narrow(point, library[j]))
                        computed += 1
                        bounds[j] = np.sqrt(square) * (1.0 - ROUNDING) + drift
                        if bounds[j] > reach:
                            nearest = min(nearest, bounds[j])
                            continue
                        off_j, slips = library_rest[j], slip + library_error[j] + TINY
                        low = np.sqrt(square + (off - off_j) * (off - off_j)) * (1.0 - ROUNDING) - slips
                        if low <= least[k - 1]:
                            _keep_least(
                                least, np.sqrt(square + (off + off_j) * (off + off_j)) * (1.0 + ROUNDING) + slips
                            )
                            reach = (least[k - 1] + slip + widest + drift) * (1.0 + SLACK)
                            if found == room:
                                found = _drop_far(candidates[q], lows, found, least[k - 1])
                            if found < room:
                                candidates[q, found] = j
                                lows[found] = low
                                found += 1
                            else:
                                full = True
                nearest = min(nearest, bounds[j])
            group_bounds[g] = nearest
        if q == 0:
            group_anchor[:] = group_bounds
            anchor[:] = bounds
        counts[q] = -1 if full else _drop_far(candidates[q], lows, found, least[k - 1])
    return queries


@kernel
def propose_block(
    points: npt.NDArray[np.float32],
    rest: npt.NDArray[np.float64],
    error: npt.NDArray[np.float64],
    tiles: npt.NDArray[np.float32],
    library_rest: npt.NDArray[np.float64],
    library_error: npt.NDArray[np.float64],
    k: int,
    candidates: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
) -> None:
    """As `propose_stream`, for queries in any order: everybody is looked at for each, but for four queries and sixteen vectors at a time.

    Parameters
    ----------
    tiles : (tiles, axes, LANES) float32
        The library's points, so many side by side; what fills the last tile does not matter.
    points, rest, error, library_rest, library_error, k, candidates, counts
        As `propose_stream`.
    """
    vectors, axes = library_rest.shape[0], points.shape[1]
    room = candidates.shape[1]
    group = np.zeros((ROWS, axes), dtype=np.float32)
    partial = np.empty((ROWS, LANES), dtype=np.float32)
    squares = np.empty((ROWS, tiles.shape[0] * LANES), dtype=np.float32)
    least = np.empty(k, dtype=np.float64)  # upper bounds, squared, rising
    widest = library_error.max()
    for first in range(0, points.shape[0], ROWS):
        rows = min(ROWS, points.shape[0] - first)
        group[:rows] = points[first : first + rows]
        for tile in range(tiles.shape[0]):
            add_squares(group, tiles[tile], 0, axes, partial)
            for row in range(rows):
                squares[row, tile * LANES : (tile + 1) * LANES] = partial[row]
        for row in range(rows):
            q = first + row
            own, off, slips = squares[row], rest[q], error[q] + widest + TINY
            least[:] = np.inf
            for start in range(0, vectors, GROUP):
                part, aside = own[start : start + GROUP], library_rest[start : start + GROUP]
                near, farthest = 0, least[k - 1]
                for j in range(
                    aside.shape[0]
                ):  # counted many at a time, and looked at one by one where there is something
                    outer = off + aside[j]
                    near += np.float64(part[j]) + outer * outer < farthest
                if near > 0:
                    for j in range(aside.shape[0]):
                        outer = off + aside[j]
                        _keep_least(least, np.float64(part[j]) + outer * outer)
            horizon = np.sqrt(least[k - 1]) * (1.0 + ROUNDING) + slips  # the k-th nearest is within it
            limit = ((horizon + slips) / (1.0 - ROUNDING)) ** 2 * (1.0 + SLACK)
            found = 0
            for start in range(0, vectors, GROUP):
                part, aside = own[start : start + GROUP], library_rest[start : start + GROUP]
                near = 0
                for j in range(aside.shape[0]):
                    inner = off - aside[j]
                    near += np.float64(part[j]) + inner * inner <= limit
                if near > 0 and found + near <= room:
                    for j in range(aside.shape[0]):
                        inner = off - aside[j]
                        if np.float64(part[j]) + inner * inner <= limit:
                            candidates[q, found] = start + j
                            found += 1
                elif near > 0:
                    found = room + 1
            counts[q] = found if found <= room else -1
