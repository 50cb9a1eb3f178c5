"""The one decorator of every compiled kernel, and their warm-up.

Kernels are numba functions on arrays: no I/O, no logging, no objects. They release the GIL, so callers run them in their own
threads; none of them starts threads itself (numba's thread layers do not survive forks or two callers).

Floating point is exact by contract: no fast-maths flag is set, so that a kernel gives the same bits wherever it is inlined and
NaN and infinity keep their meaning. Where a sum should run in parallel lanes, the lanes are written out.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES = tuple(
    (path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(Path(__file__).parent.glob("*.py"))
)
_registered: list[Any] = []
_cache_problem: str | None = None


def kernel(function: F) -> F:
    """Compile `function` on first use: nopython, GIL released, cached on disk, C division rules.

    The compiled code is cached beside the source, or in the user's cache folder when that cannot be written (numba's own
    order; `NUMBA_CACHE_DIR` overrides), until any file of this package changes: a kernel holds what it calls from the others. Where
    no place can be written the kernel is compiled anew in each process, and `cache_problem()` says so.
    """
    global _cache_problem  # noqa: PLW0603 - one fact about this process
    options = {"nogil": True, "error_model": "numpy"}
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except (RuntimeError, OSError) as error:  # numba: "cannot cache function ...: no locator available"
        _cache_problem = str(error)
        compiled = numba.njit(**options)(function)
    kept: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):
        kept._source_stamp = (kept._source_stamp, _SOURCES)  # noqa: SLF001 - numba would look at the kernel's own file only
    _registered.append(compiled)
    return compiled  # type: ignore[no-any-return]


def cache_problem() -> str | None:
    """Return why compiled kernels cannot be kept on disk, or None when they can."""
    return _cache_problem


def registered() -> tuple[Any, ...]:
    """Return every kernel declared so far in this process (numba dispatchers)."""
    return tuple(_registered)


def cache_folder() -> str:
    """Return the folder where compiled kernels are kept (it may not exist yet)."""
    for compiled in _registered:
        path = compiled.stats.cache_path
        if path:
            return str(path)
    return os.environ.get("NUMBA_CACHE_DIR") or tempfile.gettempdir()
