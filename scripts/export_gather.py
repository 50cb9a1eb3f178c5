#!/usr/bin/env python3
"""Export the graph that cuts windows out of a series where the encoder runs, to `engine/models/builtin/gather/windows.onnx`.

    windows[n, c, i] = series[c, starts[n] + offsets[i]]   where real[n] and inside[i], else series[c, zero_at]

It has no weights. On a GPU the series crosses the bus once instead of once for every window that a reading is in.

Run it after a change here, and commit what it writes:  .venv/bin/python scripts/export_gather.py
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

PATH = Path(__file__).resolve().parent.parent / "engine" / "models" / "builtin" / "gather" / "windows.onnx"
OPSET = 17


def build_graph() -> onnx.ModelProto:
    """Build the graph."""
    inputs = [
        helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in (
            ("series", TensorProto.FLOAT, ["channels", "rows"]),
            ("starts", TensorProto.INT64, ["windows", 1]),
            ("real", TensorProto.BOOL, ["windows", 1]),
            ("offsets", TensorProto.INT64, [1, "length"]),
            ("inside", TensorProto.BOOL, [1, "length"]),
            ("zero_at", TensorProto.INT64, [1, 1]),
        )
    ]
    nodes = [
        helper.make_node("Add", ["starts", "offsets"], ["places"]),
        helper.make_node("And", ["real", "inside"], ["known"]),
        helper.make_node("Where", ["known", "places", "zero_at"], ["index"]),
        helper.make_node("Gather", ["series", "index"], ["cut"], axis=1),
        helper.make_node("Transpose", ["cut"], ["windows"], perm=[1, 0, 2]),
    ]
    output = helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["windows", "channels", "length"])
    graph = helper.make_graph(nodes, "gather", inputs, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def main() -> None:
    """Write the graph."""
    model = build_graph()
    onnx.checker.check_model(model, full_check=True)
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_bytes(model.SerializeToString())
    print(f"{PATH}: {PATH.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
