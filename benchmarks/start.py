"""How long it takes to start: the import, a small job with compiled kernels at hand, and the first job ever.

    python benchmarks/start.py [--runs 5] [--folder DIR]

Every measurement is a process of its own, from its start to its end. The first job ever compiles the kernels into an empty
cache. A person reads the table; the last line is JSON.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import engine
from engine.jobs.local import build_request
from engine.plant import Episode, Scenario, write_csv

STATES = ("normal", "leak")
ROWS = 200
HEAVY = ("onnxruntime", "faiss", "numba", "polars")
IMPORT = f"""
import sys, time
begun = time.perf_counter()
import engine
print(time.perf_counter() - begun, *[name for name in {HEAVY!r} if name in sys.modules])
"""


def write_job(folder: Path) -> Path:
    """Write a job of 200 rows."""
    for state in STATES:
        write_csv(folder / f"{state}.csv", Scenario((Episode(state, ROWS, 0.8),), 3, 4))
    recording = folder / "recording.csv"
    write_csv(recording, Scenario(tuple(Episode(state, ROWS // 2, 0.8) for state in STATES), 5, 4))
    job = folder / "job.json"
    job.write_text(json.dumps(build_request(recording, {state: folder / f"{state}.csv" for state in STATES})))
    return job


def job_seconds(job: Path, output: Path, cache: Path) -> float:
    """Return the seconds of `engine run` from a cold start, kernels kept in `cache`."""
    command = [sys.executable, "-m", "engine", "run", str(job), "--output", str(output)]
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"NUMBA_CACHE_DIR": str(cache)})
    return time.perf_counter() - begun


def main() -> None:
    """Measure, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the files are written for the time of the run")
    arguments = parser.parse_args()
    imports, heavy = [], set()
    for _ in range(arguments.runs):
        done = subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True, text=True)
        seconds, *loaded = done.stdout.split()
        imports.append(float(seconds))
        heavy |= set(loaded)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        job = write_job(folder)
        first = job_seconds(job, folder / "first", folder / "cache")
        warm = [job_seconds(job, folder / f"warm_{n}", folder / "cache") for n in range(arguments.runs)]
    import_s, warm_s = statistics.median(imports), statistics.median(warm)
    print(f"import engine          {import_s:7.3f} s, loading of {', '.join(HEAVY)}: {', '.join(heavy) or 'none'}")
    print(f"a job of {ROWS} rows      {warm_s:7.2f} s in a cold process with compiled kernels")
    print(f"the first job ever     {first:7.2f} s, with nothing compiled")
    result = {
        "benchmark": "start",
        "version": engine.__version__,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "import_s": round(import_s, 4),
        "import_loads": sorted(heavy),
        "job_s": round(warm_s, 3),
        "jobs_s": [round(seconds, 3) for seconds in warm],
        "first_job_s": round(first, 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
