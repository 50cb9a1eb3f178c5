"""The vote of the nearest neighbours, and of those who may be the nearest."""

import numpy as np
import numpy.typing as npt

from kernels.jit import kernel


@kernel
def vote(
    codes: npt.NDArray[np.int32],
    distances: npt.NDArray[np.float64],
    by_distance: bool,
    winner: npt.NDArray[np.int32],
    shares: npt.NDArray[np.float64],
) -> None:
    """Let each query's neighbours vote for their class.

    Parameters
    ----------
    codes : (queries, k) int32
        Class of each neighbour. Codes rise in the sorted order of the labels: the lowest code wins a tie.
    distances : (queries, k) float64
        Nearest first.
    by_distance : bool
        False: one vote each. True: a neighbour's weight is 1/distance, unless some have distance 0: then only those vote, one
        vote each.
    winner : (queries,) int32
        Overwritten: the class with the greatest weight.
    shares : (queries, classes) float64
        Overwritten: each class's share of the weight; a row sums to 1.
    """
    count, k = codes.shape
    classes = shares.shape[1]
    for q in range(count):
        for c in range(classes):
            shares[q, c] = 0.0
        touching = by_distance and distances[q, 0] == 0.0
        total = 0.0
        for n in range(k):
            away = distances[q, n]
            weight = 1.0
            if touching:
                weight = 1.0 if away == 0.0 else 0.0
            elif by_distance:
                weight = 1.0 / away
            shares[q, codes[q, n]] += weight
            total += weight
        best = 0
        for c in range(1, classes):
            if shares[q, c] > shares[q, best]:
                best = c
        winner[q] = best
        for c in range(classes):
            shares[q, c] /= total


@kernel
def agree(
    codes: npt.NDArray[np.int32],
    candidates: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
    winner: npt.NDArray[np.int32],
    shares: npt.NDArray[np.float64],
    open_: npt.NDArray[np.bool_],
) -> None:
    """Settle every query whose candidates are all of one class: whoever of them is nearest, and by whatever weights, it wins all.

    Parameters
    ----------
    codes : (references,) int32
        Class of each reference.
    candidates : (queries, room) int32; counts : (queries,) int64
        References among which the neighbours are, and how many of a row count; a negative count: nobody knows.
    winner : (queries,) int32; shares : (queries, classes) float64
        Overwritten where a query is settled.
    open_ : (queries,) bool
        Overwritten: which are not.
    """
    for q in range(counts.shape[0]):
        open_[q] = counts[q] <= 0
        if open_[q]:
            continue
        first = codes[candidates[q, 0]]
        for n in range(1, counts[q]):
            if codes[candidates[q, n]] != first:
                open_[q] = True
                break
        if not open_[q]:
            winner[q] = first
            shares[q, :] = 0.0
            shares[q, first] = 1.0
