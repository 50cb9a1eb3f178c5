"""Encoders for tests: real graphs with random weights, written with `onnx.helper`.

They have what exports have: a mask or none, channels in front or behind, pooled or sequence outputs, weights beside the graph.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "float64": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
}
OPSET = 17


@dataclass
class _Writer:
    """A graph under construction. Every call adds one node and returns the name of its result."""

    seed: int = 0
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: object) -> str:
        result = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], **attributes))
        return result

    def constant(self, values: object, dtype: str = "float32") -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def random(self, *shape: int, gain: float = 1.0) -> str:
        spread = gain / np.sqrt(shape[-2] if len(shape) > 1 else 1.0)
        return self.constant(self.rng.standard_normal(shape) * spread)

    def linear(self, x: str, inner: int, outer: int) -> str:
        return self.node("Add", self.node("MatMul", x, self.random(inner, outer)), self.random(outer, gain=0.1))

    def norm(self, x: str, dim: int) -> str:
        return self.node(
            "LayerNormalization", x, self.constant(np.ones(dim)), self.constant(np.zeros(dim)), axis=-1, epsilon=1e-5
        )

    def reshape(self, x: str, *shape: int) -> str:
        return self.node("Reshape", x, self.constant(shape, "int64"))

    def save(self, path: Path, inputs: list, outputs: list[tuple[str, list]], *, weights_file: str = "") -> Path:
        graph = helper.make_graph(
            self.nodes,
            "encoder",
            [helper.make_tensor_value_info(name, TYPES[dtype], shape) for name, dtype, shape in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.save_model(
            model,
            str(path),
            save_as_external_data=bool(weights_file),
            location=weights_file or None,
            size_threshold=128,  # shapes stay in the graph, as in real exports
        )
        return path


def transformer(
    path: Path,
    *,
    length: int | None = 64,
    dim: int = 8,
    heads: int = 2,
    layers: int = 1,
    patch: int = 1,
    mask: Literal["", "int64", "float32", "bool"] = "",
    mask_marks: Literal["readings", "padding"] = "readings",
    causal: bool = False,
    axes: Literal["NCT", "NTC", "NT"] = "NCT",
    dtype: Literal["float32", "float16", "float64"] = "float32",
    batch: int | str = "batch",
    outputs: tuple[str, ...] = ("last_hidden_state", "pooler_output"),
    weights_file: str = "",
) -> Path:
    """Write a univariate transformer. `patch` > 1 gives fewer positions than rows; None as `length` takes any window."""
    assert not (mask and patch > 1)
    w = _Writer()
    rows = length or "rows"
    shape = {"NCT": [batch, 1, rows], "NTC": [batch, rows, 1], "NT": [batch, rows]}[axes]
    inputs = [("values", dtype, shape)]
    x = w.node("Cast", "values", to=TensorProto.FLOAT) if dtype != "float32" else "values"
    x = w.reshape(x, 0, -1, patch) if axes == "NT" else w.reshape(w.reshape(x, 0, -1), 0, -1, patch)
    x = w.node("MatMul", x, w.random(patch, dim))
    if length:
        x = w.node("Add", x, w.random(length // patch, dim))
    bias = ""
    if mask:
        inputs.append(("attention_mask", mask, [batch, rows]))
        real = w.node("Cast", "attention_mask", to=TensorProto.FLOAT)
        if mask_marks == "padding":
            real = w.node("Sub", w.constant(1.0), real)
        hidden = w.node("Mul", w.node("Sub", real, w.constant(1.0)), w.constant(1e9))
        bias = w.node("Unsqueeze", hidden, w.constant([1, 2], "int64"))
    if causal:
        assert length
        bias = w.constant(np.triu(np.full((length // patch, length // patch), -1e9), 1))
    for _ in range(layers):
        x = _block(w, x, dim, heads, bias)
    sequence = w.node("Identity", w.norm(x, dim), name="last_hidden_state")
    if mask:
        weight = w.node("Unsqueeze", real, w.constant([2], "int64"))
        total = w.node("ReduceSum", w.node("Mul", sequence, weight), w.constant([1], "int64"), keepdims=0)
        count = w.node("ReduceSum", weight, w.constant([1], "int64"), keepdims=0)
        w.node("Div", total, count, name="pooler_output")
    else:
        w.node("ReduceMean", sequence, axes=[1], keepdims=0, name="pooler_output")
    shapes = {"last_hidden_state": [batch, None, dim], "pooler_output": [batch, dim]}
    return w.save(path, inputs, [(name, shapes[name]) for name in outputs], weights_file=weights_file)


def _block(w: _Writer, x: str, dim: int, heads: int, bias: str) -> str:
    """Add one pre-norm block: attention, then two dense layers."""
    normed = w.norm(x, dim)
    query, key, value = (
        w.node("Transpose", w.reshape(w.linear(normed, dim, dim), 0, 0, heads, dim // heads), perm=perm)
        for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    )
    scores = w.node("Mul", w.node("MatMul", query, key), w.constant((dim // heads) ** -0.5))
    if bias:
        scores = w.node("Add", scores, bias)
    mixed = w.node("MatMul", w.node("Softmax", scores, axis=-1), value)
    mixed = w.reshape(w.node("Transpose", mixed, perm=[0, 2, 1, 3]), 0, 0, dim)
    x = w.node("Add", x, w.linear(mixed, dim, dim))
    inner = w.node("Relu", w.linear(w.norm(x, dim), dim, dim))
    return w.node("Add", x, w.linear(inner, dim, dim))


def convolution(
    path: Path,
    *,
    channels: int = 3,
    width: int = 6,
    hidden: int = 8,
    length: int | None = None,
    axes: Literal["NCT", "NTC"] = "NCT",
    batch: int | str = "batch",
    declared_channels: int | None = None,
    pooled: bool = True,
    weights_file: str = "",
) -> Path:
    """Write a multivariate convolution; not pooled, it gives (batch, features, positions)."""
    w = _Writer(seed=1)
    shown = channels if declared_channels is None else declared_channels or "channels"
    rows = length or "rows"
    x = w.node("Transpose", "values", perm=[0, 2, 1]) if axes == "NTC" else "values"
    x = w.node("Relu", w.node("Conv", x, w.random(hidden, channels, 5), kernel_shape=[5], pads=[2, 2]))
    x = w.node(
        "Tanh", w.node("Conv", x, w.random(width, hidden, 5), kernel_shape=[5], pads=[2, 2]), name="features_map"
    )
    if pooled:
        w.node("Flatten", w.node("GlobalAveragePool", x), name="embedding")
    shape = [batch, shown, rows] if axes == "NCT" else [batch, rows, shown]
    output = ("embedding", [batch, width]) if pooled else ("features_map", [batch, width, None])
    return w.save(path, [("values", "float32", shape)], [output], weights_file=weights_file)


def batch_normalised(path: Path) -> Path:
    """Write an encoder left in training mode: a window's vector depends on the others of its batch."""
    w = _Writer(seed=2)
    mean = w.node("ReduceMean", "values", axes=[0, 2], keepdims=1)
    x = w.node("Conv", w.node("Sub", "values", mean), w.random(6, 1, 5), kernel_shape=[5])
    w.node("Flatten", w.node("GlobalMaxPool", x), name="embedding")
    return w.save(path, [("values", "float32", ["batch", 1, "rows"])], [("embedding", ["batch", 6])])


def constant(path: Path) -> Path:
    """Write a graph that gives the same vector for every window."""
    w = _Writer(seed=3)
    zero = w.node("Mul", w.node("ReduceMean", "values", axes=[2], keepdims=0), w.constant(0.0))
    w.node("Add", zero, w.random(5), name="embedding")
    return w.save(path, [("values", "float32", ["batch", 1, "rows"])], [("embedding", ["batch", 5])])


def root(path: Path) -> Path:
    """Write a graph whose vectors are not numbers on negative readings."""
    w = _Writer(seed=4)
    w.node("Flatten", w.node("GlobalMaxPool", w.node("Sqrt", "values")), name="first")
    w.node("Sqrt", w.node("ReduceMean", "values", axes=[2], keepdims=0), name="embedding")
    return w.save(path, [("values", "float32", ["batch", 1, "rows"])], [("embedding", ["batch", 1])])


def foreign(path: Path) -> Path:
    """Write a graph with an operator that no runtime has."""
    nodes = [helper.make_node("Foo", ["values"], ["embedding"], domain="my.ops")]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["batch", 1, "rows"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 4])],
    )
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("my.ops", 1)]
    path.write_bytes(helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString())
    return path
