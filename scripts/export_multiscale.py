#!/usr/bin/env python3
"""Export the shipped encoder, `multiscale`, to `engine/models/builtin/multiscale/`.

The encoder has no trained weights. It is a bank of short filters at dyadic lengths, and an ONNX graph for each range of window
sizes: a window of W rows uses the lengths 2, 4, ... up to W/2. Each graph maps `values` (channels, 1, rows) to one output per
length L, `response_L` (channels, 2, rows - L + 1), without padding: map 0 is the absolute response of a zero-mean step, map 1
the magnitude of a Hann-windowed sine and cosine pair of one period. Filters have absolute sum 1, so that a response is at most
half the swing of the data under the filter.

Run it after a change here, and commit what it writes:  .venv/bin/python scripts/export_multiscale.py
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).resolve().parent.parent / "engine" / "models" / "builtin" / "multiscale"
LENGTHS = tuple(2**power for power in range(1, 10))  # 2 ... 512, half of the longest window
OPSET = 17


def filters(length: int) -> np.ndarray:
    """Return the three filters of one length, (3, 1, length) float32: step, sine, cosine; zero mean, absolute sum 1."""
    place = (np.arange(length) + 0.5) / length
    step = np.where(place < 0.5, -1.0, 1.0)
    hann = np.sin(np.pi * place) ** 2
    rows = []
    for row in (step, hann * np.sin(2 * np.pi * place), hann * np.cos(2 * np.pi * place)):
        centred = row - row.mean()
        total = np.abs(centred).sum()
        rows.append(centred / total if total > 1e-9 else np.zeros(length))  # the cosine of length 2 is flat
    return np.asarray(rows, dtype=np.float32)[:, None, :]


def build_graph(longest: int) -> onnx.ModelProto:
    """Build the graph with one output for each length up to `longest`."""
    nodes, outputs, weights = [], [], []
    # |step| and the pair's magnitude are roots of sums of squares: one small convolution adds them, faster than a reduction.
    weights.append(numpy_helper.from_array(np.array([[[1], [0], [0]], [[0], [1], [1]]], dtype=np.float32), "sums"))
    for length in (n for n in LENGTHS if n <= longest):
        name = f"filters_{length}"
        weights.append(numpy_helper.from_array(filters(length), name))
        nodes += [
            helper.make_node("Conv", ["values", name], [f"raw_{length}"], kernel_shape=[length]),
            helper.make_node("Mul", [f"raw_{length}", f"raw_{length}"], [f"square_{length}"]),
            helper.make_node("Conv", [f"square_{length}", "sums"], [f"sum_{length}"], kernel_shape=[1]),
            helper.make_node("Sqrt", [f"sum_{length}"], [f"response_{length}"]),
        ]
        outputs.append(
            helper.make_tensor_value_info(
                f"response_{length}", TensorProto.FLOAT, ["channels", 2, f"positions_{length}"]
            )
        )
    values = helper.make_tensor_value_info("values", TensorProto.FLOAT, ["channels", 1, "rows"])
    graph = helper.make_graph(nodes, "multiscale", [values], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Write every graph and the manifest."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    graphs, digests = [], {}
    for longest in LENGTHS:
        file = f"filters_{longest}.onnx"
        data = build_graph(longest).SerializeToString(deterministic=True)
        (FOLDER / file).write_bytes(data)
        digests[file] = hashlib.sha256(data).hexdigest()
        graphs.append(
            {
                "file": file,
                "min_window": 2 * longest,
                "max_window": 4 * longest - 1 if longest < LENGTHS[-1] else 1024,
                "outputs": [
                    {"name": f"response_{length}", "receptive_field": length, "maps": 2}
                    for length in LENGTHS
                    if length <= longest
                ],
            }
        )
    manifest = {
        "format": 1,
        "name": "multiscale",
        "kind": "dense",
        "licence": "Apache-2.0",
        "provenance": "shipped with sensor-state-engine: a fixed bank of multi-scale filters, no trained weights",
        "normalization": "shots",
        "dense": {"input": "values", "graphs": graphs, "compression": {"gain": 10.0, "scale": 0.5}},
        "sha256": digests,
    }
    (FOLDER / "model.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(graphs)} graphs, {total:,} bytes in {FOLDER}")


if __name__ == "__main__":
    main()
