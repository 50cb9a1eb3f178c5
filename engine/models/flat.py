"""FAISS as a source of candidates, with a bound on what it may have missed. The only place that imports it."""

import threading
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import DeviceError

Metric = Literal["euclidean", "cosine", "manhattan"]

SPARE = 16  # candidates that are proposed beyond k


class FlatSearch:
    """A flat index of a library.

    Parameters
    ----------
    vectors : (vectors, width) float32 or float64
    metric
        Cosine vectors come as unit vectors, and are searched as euclidean ones.
    count : int
        How many candidates to propose.
    gpu : bool
        Search on the first GPU.

    Raises
    ------
    DeviceError
        FAISS cannot be imported, or sees no GPU.
    """

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
        self._turn = threading.Lock()

    def propose(self, queries: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return candidates (queries, m) int64 and, for each query, the distance below which none can be missing."""
        narrow = np.ascontiguousarray(queries, dtype=np.float32)
        with np.errstate(over="ignore"):
            centred = np.ascontiguousarray(narrow - self._centre)
        with self._turn:  # it uses all cores by itself, and a GPU's scratch memory has one user at a time
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
        limits = np.finfo(np.float32)
        error += 4 * (self._width + 8) * float(limits.tiny)  # squares that vanish
        error[reach * reach > 0.5 * float(limits.max)] = np.inf  # squares that overflow: nothing is known
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
