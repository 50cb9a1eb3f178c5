"""One measurement of the engine, in a process of its own: `run.py` calls it.

PYTHON benchmarks/ours.py job|scan|vectors|search SPEC.json    SPEC: what `run.py` wrote; the last line is JSON
"""

import json
import os
import resource
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

Spec = dict[str, Any]


def cpu_seconds() -> float:
    """Return the CPU seconds of this process so far, of all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def job(spec: Spec) -> dict[str, Any]:
    """Run a job twice, the first time to warm up; say what the second took, its library included, and keep its labels."""
    from engine.jobs.local import build_request, run
    from engine.jobs.results import read_results

    request = build_request(spec["files"], spec["shots"], spec.get("parallelism", 1), **spec["options"])
    output = Path(spec["output"])
    run(request, output, threads=spec["threads"])
    shutil.rmtree(output)
    before, begun = cpu_seconds(), time.perf_counter()
    summary = run(request, output, threads=spec["threads"])
    seconds, used = time.perf_counter() - begun, cpu_seconds() - before
    if "labels" in spec:
        frames = list(read_results(output).values())
        np.save(spec["labels"], np.concatenate([frame["Prediction"].to_numpy().astype(str) for frame in frames]))
    result_bytes = sum((output / name).stat().st_size for name in summary.tally.files)
    shutil.rmtree(output)
    windows = summary.tally.windows
    return {
        "windows": windows,
        "result_bytes": result_bytes,
        "windows_per_s": summary.windows_per_s,
        "seconds": windows / summary.windows_per_s,  # without the library, as for every rival
        "whole_s": seconds,
        "cpu_s": used,
        "stage_s": summary.stage_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def scan(spec: Spec) -> dict[str, Any]:
    """Read a recording as a job does, up to blocks that are ready to be encoded, and nothing else."""
    from engine.stream.clock import LateClock
    from engine.stream.repair import Findings, repair_rows
    from engine.stream.scan import ReadOptions, open_table
    from engine.stream.windows import Cut, cut_blocks

    window, step = spec["options"]["window"], spec["options"]["step"]
    table = open_table(Path(spec["files"][0]), "recording", ReadOptions())
    fill = np.zeros(len(table.data_columns))
    took = []
    for _ in range(2):  # the first time to warm up
        begun = time.perf_counter()
        rows = repair_rows(table, table.chunks(), Findings(), fill=fill, clock=LateClock(None))
        windows = sum(block.starts.size for block in cut_blocks(rows, Cut(window, step, 1024)))
        took.append(time.perf_counter() - begun)
    return {"windows": windows, "seconds": took[-1]}


def read(path: str) -> np.ndarray:
    """Return a recording's readings, (channels, rows) float64."""
    return np.ascontiguousarray(pl.read_csv(path).drop("timestamp").cast(pl.Float64).to_numpy().T)


def vectors(spec: Spec) -> dict[str, Any]:
    """Write the shipped encoder's vectors of the shots and of the recording, as a job makes them."""
    from engine.models.catalog import SHIPPED, Catalog
    from engine.models.device import Device
    from engine.models.encoder import load_encoder
    from engine.models.scaling import Scaling

    window = spec["options"]["window"]
    shots = [(label, read(path)) for label, paths in spec["shots"].items() for path in paths]
    every = np.concatenate([values for _, values in shots], axis=1)
    deviation = every.std(axis=1)
    scale = 1 / np.where(deviation > 0, deviation, 1)
    scaling = Scaling(every.mean(axis=1), scale, np.zeros(len(every)))
    encoder = load_encoder(
        Catalog().find(SHIPPED), channels=len(every), window=window, step=1, device=Device("cpu", "cpu")
    )  # fmt: skip

    def encode(values: np.ndarray) -> np.ndarray:
        found = []
        for first in range(0, values.shape[1] - window + 1, encoder.block_rows):
            part = np.ascontiguousarray(values[:, first : first + encoder.block_rows + window - 1])
            found.append(encoder.encode(part, np.arange(part.shape[1] - window + 1), scaling))
        return np.concatenate(found)

    parts = [(label, encode(values)) for label, values in shots]
    folder = Path(spec["folder"])
    np.save(folder / "library.npy", np.concatenate([part for _, part in parts]))
    np.save(folder / "library_labels.npy", np.concatenate([[label] * len(part) for label, part in parts]))
    stream = encode(read(spec["files"][0]))[: spec["queries"]]
    np.save(folder / "stream.npy", stream)
    noise = np.random.default_rng(5).standard_normal((spec["noise"], stream.shape[1]))
    np.save(folder / "noise.npy", (noise * stream.std(axis=0) + stream.mean(axis=0)).astype(np.float32))
    encoder.close()
    return {"width": stream.shape[1], "references": sum(len(part) for _, part in parts)}


def search(spec: Spec) -> dict[str, Any]:
    """Search the neighbours of prepared queries, in pieces as long as a job's blocks, by `vote` and by `nearest`."""
    from engine.models.library import Library

    folder = Path(spec["folder"])
    labels = np.load(folder / "library_labels.npy").tolist()
    queries = np.load(folder / f"{spec['queries_name']}.npy")
    references = np.load(folder / "library.npy")
    took: dict[str, Any] = {}
    pieces = [queries[first : first + spec["block"]] for first in range(0, len(queries), spec["block"])]
    for name in ("vote", "nearest"):
        library = Library(references, labels, neighbours=spec["options"]["neighbors"])
        call = getattr(library, name)
        call(queries[:64])  # compiles
        with ThreadPoolExecutor(spec["threads"]) as pool:
            begun = time.perf_counter()
            found = list(pool.map(call, pieces))
            took[f"{name}_s"] = time.perf_counter() - begun
        if name == "nearest":
            np.save(folder / f"ours_{spec['queries_name']}.npy", np.concatenate([index for index, _ in found]))
    return took


def main() -> None:
    """Measure once and print a JSON line."""
    spec = json.loads(Path(sys.argv[2]).read_text())
    if "cores" in spec:
        os.sched_setaffinity(0, spec["cores"])  # before any thread is there
    print(json.dumps({"job": job, "scan": scan, "vectors": vectors, "search": search}[sys.argv[1]](spec)))


if __name__ == "__main__":
    main()
