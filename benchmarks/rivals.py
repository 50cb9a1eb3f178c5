"""One measurement of a rival, in a process and an environment of its own: `run.py` calls it.

PYTHON benchmarks/rivals.py naive|tuned|search|graph|versions SPEC.json    SPEC: what `run.py` wrote; the last line is JSON

What learns from the shots is not timed, here as there; the recording is timed from its file to its labels.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

Spec = dict[str, Any]
BATCHES = (256, 1024, 4096)
GRAPH_ROWS = (16, 64, 256)
PACKAGES = {
    "pandas": "3.0.6",
    "scikit-learn": "1.9.1",
    "onnxruntime": "1.32.0",
    "faiss-cpu": "1.15.1",
    "aeon": "1.6.0",
    "matplotlib": "3.11.2",
}


def read(path: str, rows: int | None = None) -> np.ndarray:
    """Return a recording's readings, (rows, channels) float64."""
    import pandas as pd

    return pd.read_csv(path, nrows=rows).iloc[:, 1:].to_numpy(dtype=np.float64)


def windows_of(values: np.ndarray, window: int) -> np.ndarray:
    """Return all windows at step 1, (windows, channels, window), a view."""
    return np.lib.stride_tricks.sliding_window_view(values, window, axis=0)


def open_session(path: str, threads: int) -> Any:
    """Open a graph with so many threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def learn(spec: Spec) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the shots' windows and labels, and their rows' mean and deviation."""
    window = spec["options"]["window"]
    shots = [(label, read(path)) for label, paths in spec["shots"].items() for path in paths]
    every = np.concatenate([values for _, values in shots])
    deviation = every.std(axis=0)
    labels = np.concatenate([[label] * (len(values) - window + 1) for label, values in shots])
    cut = np.concatenate([windows_of(values, window) for _, values in shots])
    return cut, labels, every.mean(axis=0), np.where(deviation > 0, deviation, 1)


def naive(spec: Spec) -> dict[str, Any]:
    """Read with pandas, run the shipped encoder's graph window by window in batches, vote with scikit-learn."""
    from sklearn.neighbors import KNeighborsClassifier

    session = open_session(spec["graph"], spec["threads"])
    name, batch = session.get_inputs()[0].name, spec["batch"]
    shot_windows, labels, mean, deviation = learn(spec)

    def encode(cut: np.ndarray) -> np.ndarray:
        """The encoder's definition: level, deviation, and each filter's mean response, compressed."""
        scaled = (cut - mean[:, None]) / deviation[:, None]
        flat = scaled.reshape(-1, 1, scaled.shape[-1]).astype(np.float32)
        maps = session.run(None, {name: flat})
        responses = np.concatenate([one.mean(axis=2) for one in maps], axis=1)
        weight = 0.5 / np.sqrt(responses.shape[1])
        level, spread = np.arcsinh(scaled.mean(axis=2)), np.log(1 + 10 * scaled.std(axis=2)) * 0.5
        own = np.stack([level.ravel(), spread.ravel()], axis=1)
        return np.concatenate([own, np.log(1 + 10 * responses) * weight], axis=1).reshape(len(cut), -1)

    def encode_all(cut: np.ndarray) -> np.ndarray:
        return np.concatenate([encode(cut[first : first + batch]) for first in range(0, len(cut), batch)])

    model = KNeighborsClassifier(spec["options"]["neighbors"], n_jobs=spec["threads"])
    model.fit(encode_all(shot_windows), labels)
    begun = time.perf_counter()
    cut = windows_of(read(spec["files"][0], spec["rows"]), spec["options"]["window"])
    parts = [cut[first : first + batch] for first in range(0, len(cut), batch)]
    found = np.concatenate([model.predict(encode(part)) for part in parts])
    seconds = time.perf_counter() - begun
    np.save(spec["labels"], found.astype(str))
    return {"windows": len(found), "seconds": seconds}


def tuned(spec: Spec) -> dict[str, Any]:
    """Read with pandas, transform every window by aeon's MiniRocket, vote among FAISS's flat neighbours."""
    import faiss
    from aeon.transformations.collection.convolution_based import MiniRocket

    faiss.omp_set_num_threads(spec["threads"])
    shot_windows, labels, mean, deviation = learn(spec)

    def scale(cut: np.ndarray) -> np.ndarray:
        return ((cut - mean[:, None]) / deviation[:, None]).astype(np.float32)

    rocket = MiniRocket(random_state=0, n_jobs=spec["threads"])
    ready = scale(shot_windows)
    rocket.fit(ready)
    library = np.ascontiguousarray(rocket.transform(ready), dtype=np.float32)
    index = faiss.IndexFlatL2(library.shape[1])
    index.add(library)
    classes, codes = np.unique(labels, return_inverse=True)
    begun = time.perf_counter()
    cut = windows_of(read(spec["files"][0], spec["rows"]), spec["options"]["window"])
    found = []
    for first in range(0, len(cut), spec["batch"]):
        queries = np.ascontiguousarray(rocket.transform(scale(cut[first : first + spec["batch"]])), dtype=np.float32)
        _, near = index.search(queries, spec["options"]["neighbors"])
        votes = (codes[near][:, :, None] == np.arange(len(classes))).sum(axis=1)
        found.append(classes[votes.argmax(axis=1)])
    seconds = time.perf_counter() - begun
    np.save(spec["labels"], np.concatenate(found).astype(str))
    return {"windows": len(cut), "seconds": seconds, "width": library.shape[1]}


def search(spec: Spec) -> dict[str, Any]:
    """Search prepared queries with a flat FAISS index, in batches of every size; the caller takes the best."""
    import faiss

    faiss.omp_set_num_threads(spec["threads"])
    folder = Path(spec["folder"])
    references, queries = np.load(folder / "library.npy"), np.load(folder / f"{spec['queries_name']}.npy")
    index = faiss.IndexFlatL2(references.shape[1])
    index.add(references)
    neighbours = spec["options"]["neighbors"]
    index.search(queries[:256], neighbours)
    took: dict[str, Any] = {}
    for batch in BATCHES:
        begun = time.perf_counter()
        found = [index.search(queries[first : first + batch], neighbours)[1] for first in range(0, len(queries), batch)]
        took[f"{batch}"] = time.perf_counter() - begun
    np.save(folder / f"faiss_{spec['queries_name']}.npy", np.concatenate(found))
    return {"batch_s": took}


def graph(spec: Spec) -> dict[str, Any]:
    """Run a graph over ready batches of every size, as many rows as a job has, and nothing else."""
    session = open_session(spec["graph"], spec["threads"])
    name = session.get_inputs()[0].name
    took: dict[str, Any] = {}
    for size in GRAPH_ROWS:
        shape = (size, spec["graph_channels"], spec["options"]["window"])
        ready = {name: np.random.default_rng(0).standard_normal(shape).astype(np.float32)}
        session.run(None, ready)
        begun = time.perf_counter()
        for _ in range(0, spec["graph_rows"], size):
            session.run(None, ready)
        # The last batch may be part empty: what it holds too much is not counted.
        took[f"{size}"] = (time.perf_counter() - begun) * spec["graph_rows"] / (-(-spec["graph_rows"] // size) * size)
    return {"batch_s": took}


def versions(_: Spec) -> dict[str, Any]:
    """Say what is installed."""
    return {name: version(name) for name in [*PACKAGES, "numpy"]}


def main() -> None:
    """Measure once and print a JSON line."""
    spec = json.loads(Path(sys.argv[2]).read_text())
    work = {"naive": naive, "tuned": tuned, "search": search, "graph": graph, "versions": versions}
    print(json.dumps(work[sys.argv[1]](spec)))


if __name__ == "__main__":
    main()
