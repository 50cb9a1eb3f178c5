"""Compiled kernels are kept until any source of theirs changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import kernels.jit

CHILD = """
import numpy as np
from kernels.scaling import scale_series
scale_series(np.ones((1, 4)), np.zeros(1), np.ones(1), np.empty((1, 4), dtype=np.float32))
print(sum(scale_series.stats.cache_hits.values()), sum(scale_series.stats.cache_misses.values()))
"""


def run(folder: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=folder, env=environment | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_kernel_is_compiled_anew_when_a_file_that_it_may_call_has_changed(tmp_path):
    shutil.copytree(
        Path(kernels.jit.__file__).parent, tmp_path / "kernels", ignore=shutil.ignore_patterns("__pycache__")
    )
    assert [run(tmp_path), run(tmp_path)] == ["0 1", "1 0"]
    with (tmp_path / "kernels" / "lanes.py").open("a") as file:
        file.write("# changed\n")
    assert [run(tmp_path), run(tmp_path)] == ["0 1", "1 0"]
