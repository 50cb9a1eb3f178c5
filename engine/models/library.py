"""The labelled vectors: who is near, and what they vote.

The definition is exact: distances of the float32 vectors, by differences in float64; equal distances by library index; equal
votes by label. Whatever proposes candidates, these distances decide.

* `exact` (the default on a CPU): `kernels.nearest`, which uses that successive windows are close together.
* `faiss`: FAISS proposes more candidates than are asked for, on the GPU when the job runs there; they are measured exactly, and a
  query whose k-th neighbour is not clear of the last candidate by the error bound of float32 is searched exactly instead.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import DeviceError
from kernels.nearest import EUCLIDEAN, MANHATTAN, measure, nearest_stream
from kernels.vote import vote

Metric = Literal["euclidean", "cosine", "manhattan"]
Weights = Literal["uniform", "distance"]
Search = Literal["auto", "exact", "faiss"]

SEGMENT = 256  # queries that one thread searches in a row
SPARE = 16  # candidates that FAISS proposes beyond k
LARGE = 200_000  # library vectors from which `auto` takes FAISS even on a CPU


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
        index, distances = self.nearest(queries)
        winner = np.empty(len(queries), dtype=np.int32)
        shares = np.empty((len(queries), len(self.classes)), dtype=np.float64)
        vote(self._codes[index], distances, self._by_distance, winner, shares)
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
        if self._faiss is None:
            self._search_exactly(prepared, index, distances)
        else:
            candidates, horizon = self._faiss.propose(prepared)
            measure(prepared, self._vectors, self._code, candidates, index, distances)
            unsure = np.flatnonzero(distances[:, -1] >= horizon)
            if unsure.size:
                again = np.empty((unsure.size, self._neighbours), dtype=np.int64)
                away = np.empty((unsure.size, self._neighbours), dtype=np.float64)
                self._search_exactly(prepared[unsure], again, away)
                index[unsure], distances[unsure] = again, away
        if self._metric == "cosine":
            distances *= distances
            distances *= 0.5
        return index, distances

    def close(self) -> None:
        """End the library's threads."""
        self._pool.shutdown(wait=True)

    def _search_exactly(
        self, queries: npt.NDArray[Any], index: npt.NDArray[np.int64], distances: npt.NDArray[np.float64]
    ) -> None:
        parts = [slice(first, first + SEGMENT) for first in range(0, len(queries), SEGMENT)]

        def search(part: slice) -> None:
            nearest_stream(queries[part], self._vectors, self._code, index[part], distances[part])

        if self._threads == 1 or len(parts) == 1:
            for part in parts:
                search(part)
        else:
            for _ in self._pool.map(search, parts):
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
