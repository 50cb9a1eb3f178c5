"""The labelled vectors: who is near, and what they vote.

The definition is exact: distances of the float32 vectors, by differences in float64; equal distances by library index; equal
votes by label. Whatever proposes candidates, these distances decide.

* `exact` (the default on a CPU): `kernels.nearest` and, for large libraries of wide vectors, `kernels.projection` before it. Both use that
  successive windows are close together. Where all who may be near are of one class, nobody needs to be measured.
* `faiss`: FAISS proposes more candidates than are asked for, on the GPU when the job runs there; they are measured exactly, and a
  query whose k-th neighbour is not clear of the last candidate by the error bound of float32 is searched exactly instead.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import DeviceError
from engine.models.projection import Projection
from kernels.nearest import EUCLIDEAN, MANHATTAN, measure, nearest_stream
from kernels.vote import agree, vote

Metric = Literal["euclidean", "cosine", "manhattan"]
Weights = Literal["uniform", "distance"]
Search = Literal["auto", "exact", "faiss"]

SEGMENT = 256  # queries that one thread searches in a row
SPARE = 16  # candidates that FAISS proposes beyond k
LARGE = 200_000  # library vectors from which `auto` takes FAISS even on a CPU
TRIAL = 8 * SEGMENT  # queries after which a projection is judged
MISSED = 0.05  # share of queries that it may leave without candidates


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
    """Reference vectors with their labels, searched by one metric.

    Parameters
    ----------
    vectors : (references, width) float32
        In reference order: equal distances go to the lower index.
    labels : list of str
        One label for each vector.
    neighbours : int
        How many vote; at most the number of references.
    metric, weights
        As the request names them.
    normalize : bool
        Scale every vector to length 1 first (a zero vector stays zero).
    search : `auto`, `exact` or `faiss`
    gpu : bool
        The job runs on CUDA: `auto` and `faiss` search there (the manhattan metric stays on the CPU).
    threads : int
        Threads of a search on the CPU.

    Raises
    ------
    DeviceError
        `faiss` was asked for, or is needed, and cannot be imported or has no GPU.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.float32],
        labels: list[str],
        *,
        neighbours: int,
        metric: Metric = "euclidean",
        weights: Weights = "uniform",
        normalize: bool = False,
        search: Search = "auto",
        gpu: bool = False,
        threads: int = 1,
    ) -> None:
        self.classes = tuple(sorted(set(labels)))
        order = {label: code for code, label in enumerate(self.classes)}
        self._codes = np.array([order[label] for label in labels], dtype=np.int32)
        self._neighbours = neighbours
        self._metric = metric
        self._code: int = MANHATTAN if metric == "manhattan" else EUCLIDEAN
        self._normalize = normalize
        self._by_distance = weights == "distance"
        self._vectors = self._prepare(vectors, query=False)
        self._threads = max(1, threads)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="vote")
        gpu = gpu and metric != "manhattan"  # FAISS has no flat manhattan index with known error on GPUs
        chosen = search
        if search == "auto":
            chosen = "faiss" if gpu or len(labels) >= LARGE else "exact"
        self.search = chosen
        self._faiss = _Proposer(self._vectors, metric, neighbours + SPARE, gpu=gpu) if chosen == "faiss" else None
        projected = chosen == "exact" and metric != "manhattan"
        self._projection = Projection.of(self._vectors) if projected else None
        self._asked = self._missed = 0  # queries that went through the projection, and those that it could not help

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
        if self._faiss is not None:
            index, distances = self.nearest(queries)
            vote(self._codes[index], distances, self._by_distance, winner, shares)
            return Votes(winner, shares)
        prepared = self._prepare(queries, query=True)

        def decide(part: slice) -> None:
            rows, own_winner, own_shares = prepared[part], winner[part], shares[part]
            candidates, counts = self._propose(rows)
            undecided = np.empty(len(rows), dtype=np.bool_)
            agree(self._codes, candidates, counts, own_winner, own_shares, undecided)
            if undecided.any():
                index, distances = self._measure(rows[undecided], candidates[undecided], counts[undecided])
                some_winner, some_shares = own_winner[undecided], own_shares[undecided]
                vote(self._codes[index], self._by_metric(distances), self._by_distance, some_winner, some_shares)
                own_winner[undecided], own_shares[undecided] = some_winner, some_shares

        self._in_parts(decide, len(prepared))
        return Votes(winner, shares)

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
        if self._faiss is not None:
            candidates, horizon = self._faiss.propose(prepared)
            counts = np.full(len(prepared), candidates.shape[1], dtype=np.int64)
            measure(prepared, self._vectors, self._code, candidates, counts, index, distances)
            unsure = distances[:, -1] >= horizon
            if unsure.any():
                again = prepared[unsure]
                index[unsure], distances[unsure] = self._measure(again, *_unknown(len(again)))
        else:

            def search(part: slice) -> None:
                index[part], distances[part] = self._measure(prepared[part], *self._propose(prepared[part]))

            self._in_parts(search, len(prepared))
        return index, self._by_metric(distances)

    def close(self) -> None:
        """End the library's threads."""
        self._pool.shutdown(wait=True)

    def _propose(self, queries: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return candidates for each query and how many there are, -1 where nothing is known."""
        projection = self._projection
        if projection is None:
            return _unknown(len(queries))
        candidates, counts = projection.propose(queries, self._neighbours)
        self._asked += len(counts)  # threads may lose a count: it decides about time only
        self._missed += int((counts < 0).sum())
        if self._asked >= TRIAL and self._missed > MISSED * self._asked:
            self._projection = None
        return candidates, counts

    def _measure(
        self, queries: npt.NDArray[Any], candidates: npt.NDArray[Any], counts: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the nearest of the candidates, or of all where there are none; distances as `kernels.nearest` gives them."""
        index = np.empty((len(queries), self._neighbours), dtype=np.int64)
        distances = np.empty((len(queries), self._neighbours), dtype=np.float64)
        measure(queries, self._vectors, self._code, candidates, counts, index, distances)
        unknown = counts < 0
        if unknown.all():
            nearest_stream(queries, self._vectors, self._code, index, distances)
        elif unknown.any():
            again = np.empty((int(unknown.sum()), self._neighbours), dtype=np.int64)
            away = np.empty(again.shape, dtype=np.float64)
            nearest_stream(queries[unknown], self._vectors, self._code, again, away)
            index[unknown], distances[unknown] = again, away
        return index, distances

    def _by_metric(self, distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn measured distances, in place, into those of the metric."""
        if self._metric == "cosine":
            distances *= distances
            distances *= 0.5
        return distances

    def _in_parts(self, work: Callable[[slice], None], count: int) -> None:
        """Do segment after segment of so many queries, in threads."""
        parts = [slice(first, first + SEGMENT) for first in range(0, count, SEGMENT)]
        if self._threads == 1 or len(parts) == 1:
            for part in parts:
                work(part)
        else:
            for _ in self._pool.map(work, parts):
                pass

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


class _Proposer:
    """FAISS as a source of candidates, with a bound on what it may have missed."""

    def __init__(self, vectors: npt.NDArray[Any], metric: Metric, count: int, *, gpu: bool) -> None:
        faiss = _import_faiss()
        narrow = np.ascontiguousarray(vectors, dtype=np.float32)
        # Around the library's own centre the squares are smaller, and so is the rounding of FAISS's products.
        self._centre = narrow.mean(axis=0, dtype=np.float64).astype(np.float32)
        if metric == "manhattan":
            self._centre[:] = 0
        centred = narrow - self._centre
        width = narrow.shape[1]
        self._count = min(count, len(narrow))
        self._total = len(narrow)
        self._manhattan = metric == "manhattan"
        index: Any = faiss.IndexFlat(width, faiss.METRIC_L1) if self._manhattan else faiss.IndexFlatL2(width)
        if gpu:
            if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
                raise DeviceError(
                    "FAISS sees no GPU, but the job runs on CUDA.",
                    cure="Install the gpu extra (pip install 'sensor-state-engine[gpu]') or search with --search exact.",
                )
            self._resources = faiss.StandardGpuResources()
            index = faiss.index_cpu_to_gpu(self._resources, 0, index)
        index.add(centred)
        self._index = index
        lengths = np.sqrt(np.sum(centred.astype(np.float64) ** 2, axis=1))
        self._longest = float(lengths.max(initial=0.0))
        self._farthest = float(np.sqrt(np.sum(narrow.astype(np.float64) ** 2, axis=1)).max(initial=0.0))
        self._largest = float(np.abs(narrow).sum(axis=1, dtype=np.float64).max(initial=0.0))
        self._width = width

    def propose(self, queries: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return candidates (queries, m) int64 and, for each query, the distance below which none can be missing."""
        narrow = np.ascontiguousarray(queries, dtype=np.float32)
        centred = np.ascontiguousarray(narrow - self._centre)
        scores, candidates = self._index.search(centred, self._count)
        if self._count == self._total:
            return candidates, np.full(len(queries), np.inf)
        last = scores[:, -1].astype(np.float64)
        unit = float(np.finfo(np.float32).eps)
        if self._manhattan:
            reach = np.abs(narrow).sum(axis=1, dtype=np.float64) + self._largest
            return candidates, np.maximum(0.0, last - (self._width + 8) * unit * reach)
        # Rounding of FAISS's products and sums, and of the coordinates before them (the cast and the centring).
        reach = np.sqrt(np.sum(centred.astype(np.float64) ** 2, axis=1)) + self._longest
        far = np.sqrt(np.sum(narrow.astype(np.float64) ** 2, axis=1)) + self._farthest
        error = unit * ((self._width + 8) * reach * reach + 4 * reach * far)
        return candidates, np.sqrt(np.maximum(0.0, last - error))


def _import_faiss() -> Any:
    try:
        import faiss
    except (ImportError, RuntimeError, OSError) as error:  # the GPU builds raise all three when libraries are missing
        raise DeviceError(
            f"FAISS cannot be loaded: {error}",
            code="missing_library",
            cure="pip install 'sensor-state-engine[cpu]' (or [gpu]), or search with --search exact.",
        ) from error
    return faiss
