"""What one core of this machine can do at most, in a process of its own: `run.py` calls it.

    python benchmarks/ceilings.py ceilings SPEC.json      SPEC: what `run.py` wrote; the last line is JSON

Ceilings are those of everyday tools, not of a data sheet: memory as `numpy.copyto` moves it, arithmetic as numpy's product of two
matrices does it, files as a plain `write` with one `fsync` fills them, text as Polars alone parses it.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

MATRIX = 1024
MOVED = 1 << 25  # float64 numbers: 256 MB, more than any cache holds
WRITTEN, PIECE = 1 << 26, 1 << 22  # bytes of a file, and of one write
BEST_OF = 7


def fastest(work: Callable[[], object]) -> float:
    """Return the least seconds of some runs: a ceiling is what the machine does undisturbed."""
    took = []
    for _ in range(BEST_OF):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return min(took)


def main() -> None:
    """Measure on one core, and print a JSON line."""
    spec = json.loads(Path(sys.argv[2]).read_text())
    os.sched_setaffinity(0, spec["cores"])  # before numpy and Polars make their threads
    import numpy as np
    from end_to_end import scan_seconds

    source, target = np.ones(MOVED), np.zeros(MOVED)
    moved_s = fastest(lambda: np.copyto(target, source))
    square = np.random.default_rng(1).random((MATRIX, MATRIX), dtype=np.float32)
    computed_s = fastest(lambda: square @ square)
    piece = bytes(PIECE)

    def write() -> None:
        with tempfile.NamedTemporaryFile(dir=spec["folder"]) as file:
            for _ in range(WRITTEN // PIECE):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())

    (recording,) = spec["files"]
    found = {
        "moved_gb_s": 2 * source.nbytes / moved_s / 1e9,  # read and written
        "computed_gflop_s": 2 * MATRIX**3 / computed_s / 1e9,
        "written_mb_s": WRITTEN / fastest(write) / 1e6,
        "scan_s": fastest(lambda: scan_seconds(Path(recording), spec["channels"], 1)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
