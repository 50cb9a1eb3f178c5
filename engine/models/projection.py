"""A library of vectors seen on its main axes, to find who may be near without measuring everybody; see `kernels.projection`."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from kernels.lanes import LANES
from kernels.projection import LONGEST, project, propose_block, propose_stream
from kernels.settle import middles, settle_stream

LEAST_VECTORS = 32  # of a smaller library nothing is worth settling
LEAST_SEARCHED = 512  # a smaller one is measured soon: then it is not worth it to compile what looks for candidates,
LEAST_SEARCHED_WIDE = 128, 1 << 16  # unless its vectors, so many at least, have so many numbers together
LEAST_WIDTH = 32
SAMPLE = 512  # vectors that the axes are made from
AXES = (
    16,
    32,
    48,
    64,
    96,
    128,
)  # as many as are needed, a multiple of the lanes; `kernels.projection.ROUNDING` covers 128
REST = 1e-3  # share of the library's spread that may lie off the axes: the distances would tell too little else
SPARE = 496  # candidates of a query, beyond twice k, that there is room for: long windows and noise have many at nearly one distance


@dataclass(frozen=True)
class Projection:
    """A library on its main axes.

    Attributes
    ----------
    centre : (width,) float32
    axes : (tiles, width, LANES) float32
        Principal axes of the library (Hotelling, 1933), or of an evenly spaced sample of it. Any axes give right answers; these give them soon.
    skew : float
        How far the axes are from orthonormal; see `kernels.projection.project`.
    points, rest, error : of (vectors, axes)
        The library on the axes.
    spare : (tiles, width, LANES) float32
        More axes, for `widen`.
    tiles : (tiles, axes, LANES) float32
        The points once more, `LANES` side by side; the last ones of the last tile are nobody's.
    """

    centre: npt.NDArray[np.float32]
    axes: npt.NDArray[np.float32]
    skew: float
    points: npt.NDArray[np.float32]
    rest: npt.NDArray[np.float64]
    error: npt.NDArray[np.float64]
    spare: npt.NDArray[np.float32]

    @cached_property
    def tiles(self) -> npt.NDArray[np.float32]:
        count, axes = self.points.shape
        padded = np.zeros((-(-count // LANES), LANES, axes), dtype=np.float32)
        padded.reshape(-1, axes)[:count] = self.points
        return np.ascontiguousarray(padded.transpose(0, 2, 1))

    @classmethod
    def of(cls, vectors: npt.NDArray[Any]) -> Self | None:
        """Return the projection of a library, None where it would not help.

        Parameters
        ----------
        vectors : (vectors, width) float32 or float64
        """
        if len(vectors) < LEAST_VECTORS or vectors.shape[1] < LEAST_WIDTH:
            return None
        count = len(vectors)
        centre = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        axes = _principal_axes(vectors[:: -(-count // SAMPLE)].astype(np.float64) - centre, max(AXES))
        wide = cls._project(vectors, centre, _in_tiles(axes))
        if wide is None:
            return None
        shown = np.cumsum(np.mean(wide.points.astype(np.float64) ** 2, axis=0))
        whole = shown[-1] + float(np.mean(wide.rest**2))
        for number in AXES:
            if number <= shown.size and whole - shown[number - 1] <= REST * whole:
                return cls._project(vectors, centre, wide.axes[: number // LANES], spare=wide.axes[number // LANES :])
        return None

    def widen(self, vectors: npt.NDArray[Any]) -> Self | None:
        """Return the projection of the same library on twice as many axes, None where there are no more."""
        more = len(self.axes)
        if not len(self.spare):
            return None
        axes = np.concatenate([self.axes, self.spare[:more]])
        return self._project(vectors, self.centre, axes, spare=self.spare[more:])

    def propose(
        self, queries: npt.NDArray[Any], k: int, *, coherent: bool = True
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Name the vectors among which the k nearest of each query are.

        Parameters
        ----------
        queries : (queries, width), the library's type
            In stream order.
        coherent : bool
            Take them for a stream, until they prove to be none.

        Returns
        -------
        candidates : (queries, room) int32
        counts : (queries,) int64
            How many of a row's candidates count; -1 where nothing is known.
        """
        shown = self._project(queries, self.centre, self.axes, self.skew)
        candidates = np.empty((len(queries), min(2 * k + SPARE, len(self.points))), dtype=np.int32)
        counts = np.full(len(queries), -1, dtype=np.int64)
        if shown is not None:
            far = (self.rest, self.error, k)
            done = 0
            if coherent:
                done = propose_stream(shown.points, shown.rest, shown.error, self.points, *far, candidates, counts)
            if done < len(queries):
                propose_block(
                    shown.points[done:], shown.rest[done:], shown.error[done:],
                    self.tiles, *far, candidates[done:], counts[done:],
                )  # fmt: skip
        return candidates, counts

    def settle(
        self,
        queries: npt.NDArray[Any],
        vectors: npt.NDArray[Any],
        codes: npt.NDArray[np.int32],
        k: int,
        winner: npt.NDArray[np.int32],
        shares: npt.NDArray[np.float64],
        open_: npt.NDArray[np.bool_],
    ) -> None:
        """Settle the queries whose k nearest are certainly of one class; see `kernels.settle.settle_stream`.

        Parameters
        ----------
        queries, vectors : (queries, width) and (vectors, width), of one type
            In stream order; the library itself.
        codes : (vectors,) int32
        winner, shares, open_ : of (queries,)
            Left as they are where the queries are too long for a projection.
        """
        shown = self._project(queries[middles(len(queries))], self.centre, self.axes, self.skew)
        if shown is None:
            return
        settle_stream(
            queries, shown.points, shown.rest, shown.error,
            vectors, self.points, self.rest, self.error,
            codes, k, winner, shares, open_,
        )  # fmt: skip

    @classmethod
    def _project(
        cls,
        vectors: npt.NDArray[Any],
        centre: npt.NDArray[np.float32],
        axes: npt.NDArray[np.float32],
        skew: float | None = None,
        spare: npt.NDArray[np.float32] | None = None,
    ) -> Self | None:
        """Return vectors on axes, None where some are too long for it."""
        if skew is None:
            columns = np.concatenate(list(axes), axis=1).astype(np.float64)
            with _one_thread():
                skew = float(np.linalg.norm(columns.T @ columns - np.eye(columns.shape[1])))
        points = np.empty((len(vectors), len(axes) * LANES), dtype=np.float32)
        rest, error = np.empty(len(vectors)), np.empty(len(vectors))
        longest = project(vectors, centre, axes, skew, points, rest, error)
        spare = axes[:0] if spare is None else spare
        return cls(centre, axes, skew, points, rest, error, spare) if longest < LONGEST else None


def large_enough(vectors: npt.NDArray[Any]) -> bool:
    """Tell whether a library is so large that looking for candidates, or changing the search, pays."""
    count, width = vectors.shape
    fewest, numbers = LEAST_SEARCHED_WIDE
    return bool(width >= LEAST_WIDTH and (count >= LEAST_SEARCHED or (count >= fewest and count * width >= numbers)))


def _in_tiles(axes: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Lay (width, axes) columns out as the kernel reads them, `LANES` side by side; the last ones that fill no tile are left out."""
    width, count = axes.shape
    return axes[:, : count // LANES * LANES].reshape(width, -1, LANES).transpose(1, 0, 2).astype(np.float32, order="C")


def _principal_axes(sample: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.float64]:
    """Return at most so many orthonormal axes along which (vectors, width) spread most, as columns."""
    with _one_thread():
        _, turns = np.linalg.eigh(sample @ sample.T)
        axes, _ = np.linalg.qr(sample.T @ turns[:, ::-1][:, :most])
    return axes


def _one_thread() -> threadpool_limits:
    """Keep BLAS to one thread: its others wait by spinning, for a tenth of a second after each product, on cores that have work."""
    return threadpool_limits(1, user_api="blas")
