"""The labelled vectors: who is near, and what they vote.

The definition is exact: distances of the float32 vectors, by differences in float64 in the order of `kernels.lanes`; distances that are
equal so by library index; equal votes by label. Whatever proposes candidates, these distances decide. Vectors are finite.

* `exact` (the default on a CPU): `kernels.nearest` and, for large libraries of wide vectors, `kernels.projection` before it. Both use that
  successive windows are close together. Where all who may be near are of one class, nobody needs to be found (`kernels.settle`). Under `auto`, a
  stream that turns out not to be coherent goes on with FAISS.
* `faiss`: FAISS proposes more candidates than are asked for, on the GPU when the job runs there; they are measured exactly, and a
  query whose k-th neighbour is not clear of the last candidate by the error bound of float32 is searched exactly instead.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import DeviceError
from engine.models.flat import SPARE, FlatSearch, Metric
from engine.models.projection import Projection, large_enough
from kernels.nearest import EUCLIDEAN, MANHATTAN, measure, nearest_stream
from kernels.vote import agree, vote

__all__ = ["SPARE", "Library", "Metric", "Search", "Votes", "Weights"]

Weights = Literal["uniform", "distance"]
Search = Literal["auto", "exact", "faiss"]

SEGMENT = 1024  # queries that are searched in a row: what is remembered of them stays in the cache
LARGE = 200_000  # library vectors from which `auto` takes FAISS even on a CPU
TRIAL = 512  # queries after which a projection, or a stream, is judged
MISSED = 0.05  # share of queries that it may leave without candidates
COSTLY = 0.03  # share of distances computed from which FAISS is faster
FIRST, HOPELESS = 64, 0.3  # the same after so few queries, where so large a share had to be computed


@dataclass(frozen=True, slots=True)
class Votes:
    """What the neighbours of each query said.

    Attributes
    ----------
    codes : (queries,) int32
        The winning class, an index into the library's sorted classes.
    shares : (queries, classes) float64
        Each class's share of the vote's weight; a row sums to 1.
    """

    codes: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float64]


class Library:
    """Reference vectors with their labels, searched by one metric. Several threads may ask.

    Parameters
    ----------
    vectors : (references, width) float32
        In reference order: equal distances go to the lower index.
    labels : sequence of str
        One label for each vector.
    neighbours : int
        How many vote; 1 to the number of references.
    metric, weights
        As the request names them.
    normalize : bool
        Scale every vector to length 1 first (a zero vector stays zero).
    search : `auto`, `exact` or `faiss`
    gpu : bool
        The job runs on CUDA: `auto` and `faiss` search there (the manhattan metric stays on the CPU).

    Raises
    ------
    DeviceError
        `faiss` was asked for, or is needed, and cannot be imported or has no GPU.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.float32],
        labels: Sequence[str],
        *,
        neighbours: int,
        metric: Metric = "euclidean",
        weights: Weights = "uniform",
        normalize: bool = False,
        search: Search = "auto",
        gpu: bool = False,
    ) -> None:
        assert 1 <= neighbours <= len(vectors) == len(labels)
        self.classes = tuple(sorted(set(labels)))
        order = {label: code for code, label in enumerate(self.classes)}
        self._codes = np.array([order[label] for label in labels], dtype=np.int32)
        self._neighbours = neighbours
        self._metric = metric
        self._code: int = MANHATTAN if metric == "manhattan" else EUCLIDEAN
        self._normalize = normalize
        self._by_distance = weights == "distance"
        self._vectors = self._prepare(vectors, query=False)
        gpu = gpu and metric != "manhattan"  # FAISS has no flat manhattan index with known error on GPUs
        chosen = search
        if search == "auto":
            chosen = "faiss" if gpu or len(labels) >= LARGE else "exact"
        self.search = chosen
        self._faiss = FlatSearch(self._vectors, metric, neighbours + SPARE, gpu=gpu) if chosen == "faiss" else None
        self._large = large_enough(self._vectors)
        self._may_change = search == "auto" and metric != "manhattan" and self._large
        self._begun = 0  # queries that have come
        self._streamed = 0  # of these, those that were searched one by one
        self._computed = 0  # distances that took
        projected = chosen == "exact" and metric != "manhattan"
        self._projection = Projection.of(self._vectors) if projected else None
        self._asked = self._missed = 0  # queries that went through the projection, and those that it could not help
        self._turn = threading.Lock()

    def __len__(self) -> int:
        """Return the number of reference vectors."""
        return len(self._codes)

    def vote(self, queries: npt.NDArray[np.float32]) -> Votes:
        """Let the nearest references of every query vote.

        Parameters
        ----------
        queries : (queries, width) float32
            In row order of the recording: neighbours in time are searched together.
        """
        winner = np.empty(len(queries), dtype=np.int32)
        shares = np.empty((len(queries), len(self.classes)), dtype=np.float64)
        prepared = self._prepare(queries, query=True)
        for part in self._segments(len(prepared)):
            rows, own_winner, own_shares = prepared[part], winner[part], shares[part]
            open_ = self._settle(rows, own_winner, own_shares)
            if open_.any():
                own_winner[open_], own_shares[open_] = self._decide(rows[open_])
        return Votes(winner, shares)

    def warm_up(self, queries: npt.NDArray[np.float32]) -> None:
        """Vote in every way that a stream may come to, so that nothing is compiled while a recording waits."""
        prepared = self._prepare(queries, query=True)
        self.vote(queries)
        self._decide(prepared)
        self._measure(prepared, *_unknown(len(prepared)))
        if self._projection is not None and self._large:
            for coherent in (True, False):
                self._projection.propose(prepared, self._neighbours, coherent=coherent)
        self._begun = self._streamed = self._computed = self._asked = self._missed = 0

    def nearest(self, queries: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Find the nearest references of every query.

        Returns
        -------
        index : (queries, neighbours) int64
            Nearest first, equal distances by rising index.
        distances : (queries, neighbours) float64
        """
        prepared = self._prepare(queries, query=True)
        index = np.empty((len(queries), self._neighbours), dtype=np.int64)
        distances = np.empty((len(queries), self._neighbours), dtype=np.float64)
        for part in self._segments(len(prepared)):
            index[part], distances[part] = self._search(prepared[part])
        return index, self._by_metric(distances)

    def _settle(
        self, queries: npt.NDArray[Any], winner: npt.NDArray[np.int32], shares: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:
        """Settle the votes that need no neighbours; return which queries are open."""
        open_ = np.ones(len(queries), dtype=np.bool_)
        projection = self._projection
        if projection is not None:
            projection.settle(queries, self._vectors, self._codes, self._neighbours, winner, shares, open_)
        return open_

    def _decide(self, queries: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """Let the candidates of each query vote: all of them where they agree, else the nearest."""
        winner = np.empty(len(queries), dtype=np.int32)
        shares = np.empty((len(queries), len(self.classes)), dtype=np.float64)
        candidates, counts = self._propose(queries)
        undecided = np.empty(len(queries), dtype=np.bool_)
        agree(self._codes, candidates, counts, winner, shares, undecided)
        if undecided.any():
            index, distances = self._search(queries[undecided], candidates[undecided], counts[undecided])
            some_winner, some_shares = winner[undecided], shares[undecided]
            vote(self._codes[index], self._by_metric(distances), self._by_distance, some_winner, some_shares)
            winner[undecided], shares[undecided] = some_winner, some_shares
        return winner, shares

    def _search(
        self,
        queries: npt.NDArray[Any],
        candidates: npt.NDArray[np.int32] | None = None,
        counts: npt.NDArray[np.int64] | None = None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the nearest of each query, and the distances as `kernels.nearest` gives them; among candidates, where they are known."""
        faiss = self._faiss
        if faiss is None:
            if candidates is None or counts is None:
                candidates, counts = self._propose(queries)
            found = self._measure(queries, candidates, counts)
            self._reconsider()
            return found
        proposed, horizon = faiss.propose(queries)
        index, distances = self._measure(queries, proposed, np.full(len(queries), proposed.shape[1], dtype=np.int64))
        unsure = distances[:, -1] >= horizon
        if unsure.any():
            again = queries[unsure]
            index[unsure], distances[unsure] = self._measure(again, *_unknown(len(again)))
        return index, distances

    def _propose(self, queries: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return candidates for each query and how many there are, -1 where nothing is known."""
        projection = self._projection
        if projection is None or not self._large:
            return _unknown(len(queries))
        candidates, counts = projection.propose(queries, self._neighbours)
        self._asked += len(counts)  # threads may lose a count: these decide about time only
        self._missed += int((counts < 0).sum())
        if self._asked >= TRIAL and self._missed > MISSED * self._asked:
            with self._turn:
                if self._projection is projection:  # no other thread was faster
                    self._projection = projection.widen(self._vectors)
                    self._asked = self._missed = 0
        return candidates, counts

    def _measure(
        self, queries: npt.NDArray[Any], candidates: npt.NDArray[Any], counts: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the nearest of the candidates, or of all where there are none; distances as `kernels.nearest` gives them."""
        index = np.empty((len(queries), self._neighbours), dtype=np.int64)
        distances = np.empty((len(queries), self._neighbours), dtype=np.float64)
        measure(queries, self._vectors, self._code, candidates, counts, index, distances)
        unknown = counts < 0
        if unknown.any():
            again = np.empty((int(unknown.sum()), self._neighbours), dtype=np.int64)
            away = np.empty(again.shape, dtype=np.float64)
            self._computed += nearest_stream(queries[unknown], self._vectors, self._code, again, away)
            self._streamed += len(again)
            index[unknown], distances[unknown] = again, away
        if (
            self._metric == "cosine"
        ):  # a zero query is as far from all of them: the first ones, not those whom rounding favours
            zero = queries[:, -1] == 1.0
            index[zero], distances[zero] = np.arange(self._neighbours), np.sqrt(2.0)
        return index, distances

    def _reconsider(self) -> None:
        """Go on with FAISS when the stream is none: the same neighbours, sooner."""
        with self._turn:
            if not self._may_change or self._streamed < FIRST:
                return
            bearable = COSTLY if self._streamed >= TRIAL else HOPELESS
            if self._computed > bearable * self._streamed * len(self):
                self._may_change = False
                with contextlib.suppress(DeviceError, MemoryError):  # not installed, or no room: it goes on as it does
                    self._faiss = FlatSearch(self._vectors, self._metric, self._neighbours + SPARE, gpu=False)
                    self._projection = None

    def _by_metric(self, distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn measured distances, in place, into those of the metric."""
        if self._metric == "cosine":
            distances *= distances
            distances *= 0.5
        return distances

    def _segments(self, queries: int) -> Iterator[slice]:
        """Yield the pieces in which so many queries are searched: short ones first, after which the search may be changed."""
        first = 0
        while first < queries:
            judged = self._projection is not None or not self._may_change or self._begun >= TRIAL
            size = SEGMENT if judged else FIRST
            self._begun += size  # threads may lose some
            yield slice(first, min(first + size, queries))
            first += size

    def _prepare(self, vectors: npt.NDArray[np.float32], *, query: bool) -> npt.NDArray[Any]:
        """Bring vectors to the form in which the metric is a euclidean or manhattan distance.

        Cosine: the distance 1 - similarity of two vectors is half the squared euclidean distance of their unit vectors. A zero
        vector has similarity 0 with all; two extra numbers, one for zero references and one for zero queries, put it at the
        distance that gives exactly 1.
        """
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if self._normalize:
            vectors = unit_vectors(vectors).astype(np.float32)
        if self._metric != "cosine":
            return vectors
        units = unit_vectors(vectors)
        extra = np.zeros((len(units), 2))
        zero = ~units.any(axis=1)
        # |u - 0|^2 must be 2 for a similarity of 0: a zero vector becomes a unit vector in a direction of its own.
        extra[zero, 1 if query else 0] = 1.0
        return np.ascontiguousarray(np.hstack([units, extra]))


def unit_vectors(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Scale each row to length 1, in float64; zero rows stay zero."""
    wide = vectors.astype(np.float64)
    length = np.sqrt(np.sum(wide * wide, axis=1, keepdims=True))
    scaled: npt.NDArray[np.float64] = wide / np.where(length > 0, length, 1.0)
    return scaled


def _unknown(queries: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return candidates that say nothing."""
    return np.empty((queries, 1), dtype=np.int32), np.full(queries, -1, dtype=np.int64)
