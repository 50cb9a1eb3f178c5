"""The speed of machine-state classification beside its rivals, on one machine, in minutes.

    python benchmarks/run.py [--quick] [--only NAME ...] [--save] [--memory [--big]]

A simulated plant, 40 channels, window 128, step 1, two states, some 4,000 library vectors, 15 neighbours. What is compared runs
A B A B, each in a process of its own, the rivals in an environment of their own that is made the first time; a number is the
median, `spread` is (highest - lowest) / median. Only ratios within a run mean something on a shared machine. The last line is
JSON; `--save` keeps it in benchmarks/results/throughput.json and draws the scaling plots beside it; `readme.py` brings it into
the README.

measures: whole, ceilings, naive, tuned, search, encoders, cpu, cores, scaling (and memory with --memory)
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import engine
from engine.models.session import usable_cores

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
sys.path[:0] = [str(HERE), str(HERE.parent / "scripts")]
from end_to_end import LIBRARY_VECTORS, NEIGHBOURS, processor, scan_seconds, write_plant  # noqa: E402
from environment import fill  # noqa: E402
from rivals import PACKAGES  # noqa: E402

CHANNELS, WINDOW = 40, 128
BATCH = 1024  # windows that a rival takes at a time
MULTISCALE = Path(engine.__file__).parent / "models" / "builtin" / "multiscale"
FILTERS = 3  # of each length in the shipped encoder
SCALING = {
    "channels": (5, 10, 20, 40, 80),
    "window": (16, 32, 64, 128, 256, 512),
    "step": (1, 2, 4, 8, 16, 32),
    "library": (500, 1000, 2000, 4000, 8000),
    "rows": (5_000, 10_000, 20_000, 50_000, 100_000),
}
Found = dict[str, Any]


def middle(values: list[float]) -> Found:
    """Return the median of some runs and how far they lie apart."""
    median = statistics.median(values)
    return {"median": round(median, 4), "spread": round((max(values) - min(values)) / median, 3), "runs": len(values)}


def alternate(runs: int, *measures: Callable[[], Found]) -> list[list[Found]]:
    """Run measures in turn, A B A B, so that what else the machine does meets all of them."""
    found: list[list[Found]] = [[] for _ in measures]
    for _ in range(runs):
        for place, measure in enumerate(measures):
            found[place].append(measure())
    return found


def ratio(over: list[Found], under: list[Found], key: str = "windows_per_s") -> Found:
    """Return the ratio of each pair of neighbouring runs."""
    return middle([a[key] / b[key] for a, b in zip(over, under, strict=True)])


class Bench:
    """A folder with a plant in it, and the processes that measure there."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.options = folder, options
        self.recording, self.shots = write_plant(folder, options.rows, CHANNELS, WINDOW)
        self._python: Path | None = None

    @property
    def rivals_python(self) -> Path:
        """The Python of the rivals' environment, made when it is first needed."""
        if self._python is None:
            packages = tuple(f"{name}=={pin}" for name, pin in PACKAGES.items())
            self._python = fill(self.options.environment.absolute(), packages)
        return self._python

    def spec(self, **changes: Any) -> Found:
        """Return what a child is to do, the plant's job unless something else is said."""
        options = {"window": WINDOW, "step": 1, "neighbors": NEIGHBOURS, "metric": "euclidean"}
        options |= changes.pop("options", {})
        shots = changes.pop("shots", self.shots)
        return {
            "files": [str(path) for path in changes.pop("files", [self.recording])],
            "shots": {state: [str(path) for path in paths] for state, paths in shots.items()},
            "options": options,
            "threads": self.options.threads,
            "folder": str(self.folder),
            "output": str(self.folder / "job"),
            **changes,
        }

    def ours(self, name: str, **changes: Any) -> Found:
        """Measure the engine once, in a process of its own."""
        return self.own("ours.py", name, **changes)

    def own(self, script: str, name: str, **changes: Any) -> Found:
        """Run another script of ours in a process of its own."""
        return self._child(sys.executable, script, name, self.spec(**changes))

    def rival(self, name: str, **changes: Any) -> Found:
        """Measure a rival once, in its own environment."""
        found = self._child(str(self.rivals_python), "rivals.py", name, self.spec(**changes))
        if "windows" in found:
            found["windows_per_s"] = found["windows"] / found["seconds"]
        return found

    def _child(self, python: str, script: str, name: str, spec: Found) -> Found:
        path = self.folder / "spec.json"
        path.write_text(json.dumps(spec))
        threads = {"OMP_NUM_THREADS": str(spec["threads"]), "NUMBA_NUM_THREADS": str(spec["threads"])}
        done = subprocess.run(
            [python, str(HERE / script), name, str(path)],
            capture_output=True, text=True, check=False, env=os.environ | threads,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{script} {name} failed:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])


def whole(bench: Bench) -> Found:
    """The whole job, and a bare Polars scan of the same columns."""
    ours, bare = alternate(
        bench.options.runs,
        lambda: bench.ours("job"),
        lambda: {"seconds": scan_seconds(bench.recording, CHANNELS, 1)},
    )
    return {
        "windows_per_s": middle([one["windows_per_s"] for one in ours]),
        "times_bare_scan": ratio(ours, bare, "seconds"),
        "stage_s": ours[-1]["stage_s"],
    }


def ceilings(bench: Bench) -> Found:
    """What a window costs in each stage on one core, beside what it must cost at least at the speed of the core's ceilings.

    At least means: the text is parsed as fast as Polars alone parses it; the filters' multiplications and additions run at the speed of a
    matrix product, and the vectors are written to memory once; the vote reads them once; the lines of results are written once.
    """
    core = sorted(os.sched_getaffinity(0))[:1]
    job, scan, limits = alternate(
        bench.options.runs,
        lambda: bench.ours("job", cores=core, threads=1),
        lambda: bench.ours("scan", cores=core, threads=1),
        lambda: bench.own("ceilings.py", "ceilings", cores=core, threads=1, channels=CHANNELS),
    )
    most = {name: statistics.median([one[name] for one in limits]) for name in limits[0]}
    manifest = json.loads((MULTISCALE / "model.json").read_text())["dense"]
    graph = next(one for one in manifest["graphs"] if one["min_window"] <= WINDOW <= one["max_window"])
    operations = 2 * CHANNELS * sum(FILTERS * one["receptive_field"] for one in graph["outputs"])
    vector_bytes = 4 * CHANNELS * (2 + sum(one["maps"] for one in graph["outputs"]))
    windows = job[0]["windows"]
    least_us = {
        "scan": most["scan_s"] / windows * 1e6,
        "encode": operations / most["computed_gflop_s"] / 1e3 + vector_bytes / most["moved_gb_s"] / 1e3,
        "vote": vector_bytes / most["moved_gb_s"] / 1e3,
        "write": job[0]["result_bytes"] / windows / most["written_mb_s"],
    }
    took_us = {stage: statistics.median([one["stage_s"][stage] / windows * 1e6 for one in job]) for stage in least_us}
    # In a job it goes on beside the other stages, and its time there is theirs, too.
    took_us["scan"] = statistics.median([one["seconds"] / windows * 1e6 for one in scan])
    return {
        **{name: round(value, 3) for name, value in most.items()},
        "took_us": {stage: round(value, 3) for stage, value in took_us.items()},
        "least_us": {stage: round(value, 3) for stage, value in least_us.items()},
        "share": {stage: round(least_us[stage] / took_us[stage], 3) for stage in least_us},
    }


def _beside(bench: Bench, name: str, rows: int) -> Found:
    """Compare rates: ours on the whole recording, the rival's on its first rows, for it is slow. Labels on the same windows."""
    ours_labels, rival_labels = bench.folder / "ours_labels.npy", bench.folder / f"{name}_labels.npy"
    shipped = MULTISCALE / "filters_64.onnx"
    ours, rival = alternate(
        bench.options.runs,
        lambda: bench.ours("job", labels=str(ours_labels)),
        lambda: bench.rival(name, labels=str(rival_labels), rows=rows, graph=str(shipped), batch=BATCH),
    )
    mine, other = np.load(ours_labels), np.load(rival_labels)
    mine = mine[: len(other)]
    truth = pl.read_csv(bench.folder / "truth.csv", n_rows=len(other) + WINDOW - 1)["label"].to_numpy().astype(str)
    # A window across a change has two states: only pure ones say who is right.
    starts = np.arange(len(other))
    changes = np.concatenate([[0], np.cumsum(truth[1:] != truth[:-1])])
    pure = changes[starts] == changes[starts + WINDOW - 1]
    label = truth[starts]
    return {
        "windows": len(other),
        "ours_windows_per_s": middle([one["windows_per_s"] for one in ours]),
        "rival_windows_per_s": middle([one["windows_per_s"] for one in rival]),
        "times_as_fast": ratio(ours, rival),
        "agreement": round(float((mine == other).mean()), 5),
        "ours_accuracy": round(float((mine == label)[pure].mean()), 4),
        "rival_accuracy": round(float((other == label)[pure].mean()), 4),
    }


def naive(bench: Bench) -> Found:
    """The usual stack with the same encoder: pandas, sliding windows, ONNX Runtime, scikit-learn."""
    found = _beside(bench, "naive", min(bench.options.rows, bench.options.rival_windows + WINDOW - 1))
    if found["agreement"] < 0.99:
        sys.exit(f"The naive stack gives other labels (agreement {found['agreement']}): the comparison means nothing.")
    return found


def tuned(bench: Bench) -> Found:
    """A tuned stack with a better-known encoder: aeon's MiniRocket and a flat FAISS index.

    MiniRocket's authors put a ridge classifier behind it; here both encoders vote among neighbours. Half the windows: it is slow.
    """
    return _beside(bench, "tuned", min(bench.options.rows, bench.options.rival_windows // 2 + WINDOW - 1))


def search(bench: Bench) -> Found:
    """The neighbour search alone, beside FAISS at its best batch, on the plant's stream and on white noise."""
    bench.ours("vectors", queries=bench.options.queries, noise=min(2000, bench.options.queries))
    found: Found = {}
    for name in ("stream", "noise"):
        ours, rival = alternate(
            bench.options.runs,
            lambda name=name: bench.ours("search", queries_name=name, block=BATCH),
            lambda name=name: bench.rival("search", queries_name=name),
        )
        for one in rival:
            one["best_s"] = min(one["batch_s"].values())
        for mine, other in zip(ours, rival, strict=True):
            mine["faiss_s"] = other["best_s"]
        near, far = (np.sort(np.load(bench.folder / f"{who}_{name}.npy"), axis=1) for who in ("ours", "faiss"))
        same = (near == far).all(axis=1)
        queries = len(near)
        found[name] = {
            "queries": queries,
            "vote_times_as_fast": middle([one["faiss_s"] / one["vote_s"] for one in ours]),
            "nearest_times_as_fast": middle([one["faiss_s"] / one["nearest_s"] for one in ours]),
            "nearest_queries_per_s": middle([queries / one["nearest_s"] for one in ours]),
            "faiss_queries_per_s": middle([queries / one["faiss_s"] for one in ours]),
            "faiss_batch_s": rival[-1]["batch_s"],
            "same_neighbours": round(float(same.mean()), 5),
            "faiss_farther_by": _farther(bench.folder, name, near[~same], far[~same], np.flatnonzero(~same)),
        }
    return found


def _farther(folder: Path, name: str, near: np.ndarray, far: np.ndarray, places: np.ndarray) -> list[float]:
    """Return the least and greatest share by which FAISS's neighbours are farther than ours, where they are others.

    About 0 on both sides: ties and the rounding of float32. Less than 0 by more than that: ours would be wrong.
    """
    references = np.load(folder / "library.npy").astype(np.float64)
    queries = np.load(folder / f"{name}.npy").astype(np.float64)
    gaps = [0.0]
    for place, mine, other in zip(places, near, far, strict=True):
        sums = [np.linalg.norm(references[index] - queries[place], axis=1).sum() for index in (mine, other)]
        gaps.append(float(sums[1] / sums[0] - 1) if sums[0] else 0.0)
    return [min(gaps), max(gaps)]


def encoders(bench: Bench) -> Found:
    """Whole jobs with a transformer and convolutions, beside a bare loop of ready batches through their graphs.

    The small convolution costs little more than reading the windows does, the large one some thirty times as much.
    """
    sys.path.insert(0, str(HERE.parent / "tests"))
    from encoders import convolution, transformer

    from engine.models.catalog import Catalog

    home = bench.folder / "home"
    os.environ["ENGINE_HOME"] = str(home)
    graphs = {
        "transformer": (
            transformer(bench.folder / "transformer.onnx", length=WINDOW, dim=32, heads=4, layers=2, patch=8), 1, 32
        ),
        "large_convolution": (
            convolution(bench.folder / "large.onnx", channels=CHANNELS, width=256, hidden=64), CHANNELS, 8
        ),
        "convolution": (
            convolution(bench.folder / "convolution.onnx", channels=CHANNELS, width=128, hidden=32), CHANNELS, 4
        ),
        "small_convolution": (convolution(bench.folder / "small.onnx", channels=CHANNELS, width=64), CHANNELS, 2),
    }  # fmt: skip
    found: Found = {}
    for name, (graph, per_row, step) in graphs.items():
        Catalog(home).add(graph, name=name)
        ours = [bench.ours("job", options={"model": name, "step": step})]
        rows = ours[0]["windows"] * (CHANNELS // per_row)
        ours, bare = alternate(
            bench.options.runs,
            lambda name=name, step=step: bench.ours("job", options={"model": name, "step": step}),
            lambda graph=graph, rows=rows, per_row=per_row: bench.rival(
                "graph", graph=str(graph), graph_rows=rows, graph_channels=per_row
            ),
        )
        for one in bare:
            one["seconds"] = min(one["batch_s"].values())
        found[name] = {
            "windows": ours[0]["windows"],
            "windows_per_s": middle([one["windows_per_s"] for one in ours]),
            "bare_windows_per_s": middle([ours[0]["windows"] / one["seconds"] for one in bare]),
            "share_of_bare_loop": ratio(bare, ours, "seconds"),
            "bare_batch_s": bare[-1]["batch_s"],
        }
    found["int8"] = _int8(bench, "convolution", graphs["convolution"][2])
    return found


def _int8(bench: Bench, name: str, step: int) -> Found:
    """The job of an encoder that was added, and the same with its int8 twin."""
    twin = engine.quantize(bench.shots, model=name, window=WINDOW, step=step, neighbors=NEIGHBOURS)
    labels = {model: bench.folder / f"{model}_labels.npy" for model in (name, twin.model.name)}
    before, after = alternate(
        bench.options.runs,
        *(
            lambda model=model, path=path: bench.ours("job", options={"model": model, "step": step}, labels=str(path))
            for model, path in labels.items()
        ),
    )
    old, new = (np.load(path) for path in labels.values())
    return {
        "windows_per_s": middle([one["windows_per_s"] for one in after]),
        "times_as_fast": ratio(after, before),
        "agreement": round(float((old == new).mean()), 5),
        "vectors_off": round(twin.error, 5),
    }


def cpu(bench: Bench) -> Found:
    """A job whose windows do not overlap: how much longer it takes than its own CPU time spread over all cores."""
    folder = bench.folder / "long"  # a window each 128 rows: the usual recording would be over too soon
    folder.mkdir()
    rows = 5 * bench.options.rows
    recording, shots = write_plant(folder, rows, CHANNELS, WINDOW)
    job = {"files": [recording], "shots": shots, "options": {"step": WINDOW}}
    found = [bench.ours("job", **job) for _ in range(bench.options.runs)]
    threads = bench.options.threads
    return {
        "recording_rows": rows,
        "windows_per_s": middle([one["windows_per_s"] for one in found]),
        "times_cpu_over_cores": middle([one["whole_s"] / (one["cpu_s"] / threads) for one in found]),
    }


def cores(bench: Bench) -> Found:
    """All cores against one, and eight files side by side against one after the other."""
    every = sorted(os.sched_getaffinity(0))
    both, one = alternate(
        bench.options.runs,
        lambda: bench.ours("job", cores=every),
        lambda: bench.ours("job", cores=every[:1], threads=1),
    )
    files = []
    for number in range(8):
        folder = bench.folder / f"file_{number}"
        folder.mkdir(exist_ok=True)
        files.append(write_plant(folder, max(1000, bench.options.rows // 16), CHANNELS, WINDOW, 8)[0])
    side, after = alternate(
        bench.options.runs,
        lambda: bench.ours("job", files=files, parallelism=2),
        lambda: bench.ours("job", files=files, parallelism=1),
    )
    return {
        "cores": len(every),
        "times_one_core": ratio(both, one),
        "files": len(files),
        "parallelism_2_over_1": ratio(side, after),
    }


def scaling(bench: Bench) -> Found:
    """Windows each second against every size of a job, one at a time from the usual one. One run a point, but for threads."""
    rows = min(20_000, bench.options.rows)
    found: Found = {"usual_rows": rows}
    for axis, values in SCALING.items():
        points = []
        for value in values:
            size = {"channels": CHANNELS, "window": WINDOW, "step": 1, "library": LIBRARY_VECTORS, "rows": rows}
            size[axis] = value
            if axis == "rows" and value > bench.options.rows:
                continue
            with tempfile.TemporaryDirectory(dir=bench.folder) as name:
                recording, shots = write_plant(
                    Path(name), size["rows"], size["channels"], size["window"], size["library"] * size["step"]
                )  # the step cuts the shots too: the library keeps its size
                job = {"options": {"window": size["window"], "step": size["step"]}}
                one = bench.ours("job", files=[recording], shots=shots, **job)
            points.append([value, one["windows_per_s"]])
        found[axis] = points
    most = usable_cores()
    threads = sorted({1, most, *(2**power for power in range(1, 8) if 2**power < most)})
    counts = [lambda count=count: bench.ours("job", threads=count) for count in threads]
    for count, ones in zip(threads, alternate(bench.options.runs, *counts), strict=True):
        found.setdefault("threads", []).append([count, statistics.median(one["windows_per_s"] for one in ones)])
    return found


def memory(bench: Bench) -> Found:
    """Peak memory of 200 MB and 2 GB, as memory.py measures it; 10 GB with --big."""
    sizes = ["--small", "200", "--large", "10000" if bench.options.big else "2000"]
    command = [sys.executable, str(HERE / "memory.py"), *sizes, "--folder", str(bench.folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"memory.py failed: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


MEASURES = {one.__name__: one for one in (whole, ceilings, naive, tuned, search, encoders, cpu, cores, scaling, memory)}
QUICK = ("whole", "cpu", "cores")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute, without rivals")
    parser.add_argument("--only", nargs="+", choices=[*MEASURES], metavar="NAME", help="some of the measures")
    parser.add_argument(
        "--save", action="store_true", help="keep the result, its other measures as they are; draw plots"
    )
    parser.add_argument("--memory", action="store_true", help="measure peak memory too (some minutes, 3 GB of disk)")
    parser.add_argument("--big", action="store_true", help="with --memory: 10 GB instead of 2 (15 GB of disk)")
    parser.add_argument("--rows", type=int, help="of the recording (100000; quick 20000)")
    parser.add_argument("--runs", type=int, help="of each measure (3; quick 1)")
    parser.add_argument("--rival-windows", type=int, default=5000)
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=usable_cores(), help="for everybody")
    parser.add_argument("--environment", type=Path, default=Path(".venv-bench"), help="the rivals' (%(default)s)")
    parser.add_argument("--folder", type=Path, help="where the files are written for the time of the run")
    options = parser.parse_args()
    options.rows = options.rows or (20_000 if options.quick else 100_000)
    options.runs = options.runs or (1 if options.quick else 3)
    return options


def main() -> None:
    """Measure, print what was found as it comes, and a JSON line."""
    options = read_options()
    names = options.only or (QUICK if options.quick else [name for name in MEASURES if name != "memory"])
    names = [*names, *(["memory"] if options.memory and "memory" not in names else [])]
    machine: Found = {
        "processor": processor(), "cores": usable_cores(), "threads": options.threads,
        "python": platform.python_version(), "engine": engine.__version__,
        "versions": {name: version(name) for name in ("numpy", "polars", "onnxruntime", "numba")},
    }  # fmt: skip
    print(f"{machine['processor']}, {machine['cores']} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    measures: Found = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        bench = Bench(Path(name), options)
        for one in names:
            load = round(os.getloadavg()[0], 2)
            measures[one] = MEASURES[one](bench) | {
                "load_before": load,
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "plant_rows": options.rows,
            }
            print(f"{one}: {json.dumps(measures[one], indent=1)}", flush=True)
        if bench._python is not None:  # noqa: SLF001 - only if a rival ran
            machine["rivals"] = bench.rival("versions")
    result = {"benchmark": "throughput", "channels": CHANNELS, "window": WINDOW, "neighbours": NEIGHBOURS}
    result |= {"machine": machine, "measures": measures}
    if options.save:
        save(result, options)
    print(json.dumps(result))


def save(result: Found, options: argparse.Namespace) -> None:
    """Keep the result; of a part of the measures, beside the others of the same machine."""
    path = RESULTS / "throughput.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    if all(kept.get("machine", {}).get(key) == result["machine"][key] for key in ("processor", "cores", "threads")):
        result["measures"] = kept["measures"] | result["measures"]
        result["machine"] = kept["machine"] | result["machine"]
    path.write_text(json.dumps(result) + "\n")
    if "scaling" in result["measures"]:
        packages = tuple(f"{name}=={pin}" for name, pin in PACKAGES.items())
        python = fill(options.environment.absolute(), packages)
        subprocess.run([python, str(HERE / "plots.py"), str(path), str(RESULTS)], check=True)


if __name__ == "__main__":
    main()
