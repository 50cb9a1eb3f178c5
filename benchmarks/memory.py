"""What a job's memory peaks at, for a small file and one ten times as long.

    python benchmarks/memory.py [--small 200] [--large 2000] [--channels 40] [--window 64] [--step 64] [--folder DIR]

Each file (sizes in MB) is classified by a process of its own, which says its highest resident size at the end. Memory must not
grow with the input. A person reads the table; the last line is JSON.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import engine
from engine.jobs.local import build_request
from engine.plant import Episode, Scenario, write_csv, write_large

STATES = ("normal", "leak")
CHILD = """
import json, resource, sys
from engine.jobs.local import run
summary = run(sys.argv[1], sys.argv[2])
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"peak_mb": round(peak_kb / 1024, 1), "windows": summary.tally.windows,
                  "elapsed_s": summary.elapsed_s, "windows_per_s": summary.windows_per_s}))
"""


def measure(folder: Path, size_mb: int, arguments: argparse.Namespace) -> dict[str, float]:
    """Write a recording, classify it in a process of its own, remove it, and return what the process said."""
    recording = folder / "recording.csv"
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < 1.5 * size_mb * 1e6:
        sys.exit(f"{folder} has {free_bytes / 1e6:,.0f} MB of room; --folder names another place.")
    begun = time.perf_counter()
    rows = write_large(recording, num_bytes=size_mb * 1_000_000, channels=arguments.channels)
    print(f"{size_mb:,} MB: {rows:,} rows written in {time.perf_counter() - begun:.0f} s", flush=True)
    shots = {state: folder / f"{state}.csv" for state in STATES}
    request = build_request(recording, shots, window=arguments.window, step=arguments.step)
    job = folder / "job.json"
    job.write_text(json.dumps(request))
    output = folder / f"out_{size_mb}"
    command = [sys.executable, "-c", CHILD, str(job), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    recording.unlink()
    shutil.rmtree(output)
    found: dict[str, float] = json.loads(done.stdout)
    print(
        f"  peak {found['peak_mb']:,.0f} MB, {found['windows']:,.0f} windows in {found['elapsed_s']:.1f} s", flush=True
    )
    return found | {"size_mb": size_mb, "rows": rows}


def main() -> None:
    """Measure both sizes; print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=200, help="MB")
    parser.add_argument("--large", type=int, default=2000, help="MB")
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument(
        "--step", type=int, default=64, help="a large one: what is read is measured, not how long the vote takes"
    )
    parser.add_argument("--folder", type=Path, help="where the files are written for the time of the run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        for state in STATES:
            write_csv(folder / f"{state}.csv", Scenario((Episode(state, 1000, 0.8),), 3, arguments.channels))
        small, large = (measure(folder, size, arguments) for size in (arguments.small, arguments.large))
    ratio = large["peak_mb"] / small["peak_mb"]
    print(f"{large['size_mb'] / small['size_mb']:.0f} times the input takes {ratio:.2f} times the memory")
    result = {
        "benchmark": "memory",
        "version": engine.__version__,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "channels": arguments.channels,
        "window": arguments.window,
        "step": arguments.step,
        "small": small,
        "large": large,
        "ratio": round(ratio, 3),
        "own_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
