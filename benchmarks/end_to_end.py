"""How fast a whole job is: files in, result files out, against a bare Polars scan of the same columns.

    python benchmarks/end_to_end.py [--rows 200000] [--channels 40] [--window 128] [--runs 3] [--threads N]
        [--device auto|cpu|cuda] [--folder DIR]

A simulated plant (two states, real dynamics and noise), step 1, 15 neighbours, some 4,000 library vectors. A person reads the
table; the last line is JSON.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

import engine
from engine.jobs.local import build_request, run
from engine.models.session import usable_cores
from engine.output.summary import Summary
from engine.plant import Episode, Scenario, channel_names, write_csv

STATES = ("normal", "leak")
NEIGHBOURS = 15
EPISODE_ROWS = 2_000
LIBRARY_VECTORS = 4_000
SHOTS_PER_STATE = 2
STAGES = ("scan", "encode", "vote", "write")


def write_plant(
    folder: Path, rows: int, channels: int, window: int, vectors: int = LIBRARY_VECTORS
) -> tuple[Path, dict[str, list[Path]]]:
    """Write shots that give about `vectors` windows, and a recording in which the states alternate; the truth is in truth.csv."""
    shots: dict[str, list[Path]] = {state: [] for state in STATES}
    shot_rows = vectors // (len(STATES) * SHOTS_PER_STATE) + window - 1
    for number in range(SHOTS_PER_STATE):
        for place, state in enumerate(STATES):
            path = folder / f"{state}_{number}.csv"
            severity = (number + 0.5) / SHOTS_PER_STATE
            seed = 10 * number + place
            write_csv(path, Scenario((Episode(state, shot_rows, severity),), seed, channels))
            shots[state].append(path)
    recording = folder / "recording.csv"
    lengths = [min(EPISODE_ROWS, rows - first) for first in range(0, rows, EPISODE_ROWS)]
    episodes = tuple(Episode(STATES[n % len(STATES)], length) for n, length in enumerate(lengths))
    write_csv(recording, Scenario(episodes, 99, channels), truth=folder / "truth.csv")
    return recording, shots


def scan_seconds(recording: Path, channels: int, runs: int) -> float:
    """Return the median seconds in which Polars alone reads the timestamp and all channels."""
    kinds: dict[str, Any] = dict.fromkeys(channel_names(channels), pl.Float64())
    took = []
    for _ in range(runs):
        begun = time.perf_counter()
        pl.scan_csv(recording, schema={"timestamp": pl.String(), **kinds}).collect(engine="streaming")
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def processor() -> str:
    """Return the processor's name, as the kernel gives it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def main() -> None:
    """Write the plant, run the job, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--window", type=int, default=128)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--metric", default="euclidean")
    parser.add_argument("--search", default="auto", choices=["auto", "exact", "faiss"])
    parser.add_argument("--folder", type=Path, help="where the files are written for the time of the run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        recording, shots = write_plant(folder, arguments.rows, arguments.channels, arguments.window)
        request = build_request(
            recording,
            shots,
            window=arguments.window,
            step=1,
            neighbors=NEIGHBOURS,
            metric=arguments.metric,
        )
        summaries: list[Summary] = [
            run(
                request,
                folder / f"job_{number}",
                device=arguments.device,
                threads=arguments.threads,
                search=arguments.search,
            )
            for number in range(arguments.runs + 1)  # the first warms the kernels and the page cache up
        ]
        measured = sorted(summaries[1:], key=lambda summary: summary.windows_per_s)
        median = measured[len(measured) // 2]
        bare_s = scan_seconds(recording, arguments.channels, arguments.runs)
        size_bytes = recording.stat().st_size
    seconds = median.tally.windows / median.windows_per_s
    print(f"{processor()}, {usable_cores()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{arguments.rows:,} rows, {arguments.channels} channels, window {arguments.window}, {NEIGHBOURS} neighbours")
    for stage in STAGES:
        took = median.stage_s[stage]
        print(f"  {stage:8} {took:8.2f} s  {took / seconds:6.1%} of the time (stages overlap)")
    print(f"  {'all':8} {seconds:8.2f} s  {median.windows_per_s:10,.0f} windows/s")
    print(f"  bare scan {bare_s:7.2f} s  the job takes {seconds / bare_s:.1f} times as long")
    result = {
        "benchmark": "end_to_end",
        "version": engine.__version__,
        "processor": processor(),
        "cores": usable_cores(),
        "threads": arguments.threads,
        "load": round(os.getloadavg()[0], 2),
        "rows": arguments.rows,
        "channels": arguments.channels,
        "window": arguments.window,
        "neighbours": NEIGHBOURS,
        "device": median.device,
        "metric": arguments.metric,
        "search": arguments.search,
        "num_bytes": size_bytes,
        "windows_per_s": median.windows_per_s,
        "runs_windows_per_s": [summary.windows_per_s for summary in summaries[1:]],
        "stage_s": {stage: median.stage_s[stage] for stage in STAGES},
        "shots_s": median.stage_s["shots"],
        "elapsed_s": round(seconds, 3),
        "bare_scan_s": round(bare_s, 3),
        "times_bare_scan": round(seconds / bare_s, 2),
        "python": platform.python_version(),
        "polars": pl.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
