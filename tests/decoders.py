"""Decoders for tests: small Llama-shaped language models with random weights, and their slow twin in NumPy.

`shared` writes what onnxruntime-genai's builder writes (GroupQueryAttention, the rotation inside), `growing` what optimum writes
(keys and values concatenated, the mask as a bias). The same seed gives both the same weights, so the same logits.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "int64": TensorProto.INT64}
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")  # the first tokens of the test tokenizer
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MERGES = ("t h", "th e", "Ġ the", "i n", "i s", "Ġ is", "Ġ p", "u m", "p s")  # Ġ is the byte-level space

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """A whole model in float64: `layers` hold (norm, q, k, v, o, norm, gate, up, down), matrices as (inner, outer)."""

    embedding: Array  # (vocab, hidden)
    layers: tuple[tuple[Array, ...], ...]
    norm: Array
    head: Array  # (hidden, vocab)
    heads: int
    kv_heads: int
    theta: float = 10_000.0
    epsilon: float = 1e-5

    @property
    def head_size(self) -> int:
        return self.layers[0][1].shape[1] // self.heads


class Built(NamedTuple):
    path: Path
    weights: Weights


def build_decoder(
    folder: Path,
    *,
    kind: Literal["shared", "growing"] = "shared",
    layers: int = 2,
    hidden: int = 32,
    heads: int = 4,
    kv_heads: int = 2,
    vocab: int = 64,
    seed: int = 0,
    context: int = 256,
    dtype: Literal["float32", "float16"] = "float32",
    tied: bool = False,
    position_ids: bool | None = None,
    last_only: bool = False,
    name: str = "model.onnx",
) -> Built:
    """Write `folder/model.onnx`. `dtype` is that of caches and logits; `context` ends the tables of the rotation.

    `position_ids` None is the kind's custom (growing has them); `last_only` gives logits of the last position alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = random_weights(
        layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads, vocab=vocab, seed=seed, tied=tied
    )
    with_positions = kind == "growing" if position_ids is None else position_ids
    writer = _Writer(weights, context, dtype, last_only)
    model = writer.shared(with_positions) if kind == "shared" else writer.growing(with_positions)
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return Built(path, weights)


def random_weights(
    *, layers: int, hidden: int, heads: int, kv_heads: int, vocab: int, seed: int, tied: bool = False
) -> Weights:
    """Draw weights whose logits are well apart, rounded to float32 so that graph and twin hold the same numbers."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int, gain: float = 1.0) -> Array:
        return (rng.standard_normal(shape) * gain / np.sqrt(shape[0])).astype(np.float32).astype(np.float64)

    size = -(-hidden // heads // 16) * 16  # GroupQueryAttention takes multiples of 16
    embedding = (rng.standard_normal((vocab, hidden))).astype(np.float32).astype(np.float64)
    stack = tuple(
        (
            1 + 0.1 * draw(hidden),
            draw(hidden, heads * size, gain=2.0),
            draw(hidden, kv_heads * size, gain=2.0),
            draw(hidden, kv_heads * size),
            draw(heads * size, hidden),
            1 + 0.1 * draw(hidden),
            draw(hidden, 2 * hidden),
            draw(hidden, 2 * hidden),
            draw(2 * hidden, hidden),
        )
        for _ in range(layers)
    )
    stack = tuple(tuple(part.astype(np.float32).astype(np.float64) for part in layer) for layer in stack)
    head = embedding.T if tied else draw(hidden, vocab, gain=4.0)
    return Weights(embedding, stack, np.ones(hidden), head, heads, kv_heads)


def full_logits(weights: Weights, tokens: object) -> Array:
    """Compute everything anew in float64: (tokens,) -> (tokens, vocab)."""
    w, ids = weights, np.asarray(tokens, dtype=np.int64)
    size, count = w.head_size, ids.size
    x = w.embedding[ids]
    angles = _angles(w, count)
    visible = np.tril(np.ones((count, count), dtype=bool))
    for norm_1, q, k, v, o, norm_2, gate, up, down in w.layers:
        h = _rms(x, norm_1, w.epsilon)
        queries = _rotate((h @ q).reshape(count, w.heads, size), angles)
        keys = _rotate((h @ k).reshape(count, w.kv_heads, size), angles)
        values = (h @ v).reshape(count, w.kv_heads, size)
        mixed = np.empty((count, w.heads, size))
        for head in range(w.heads):
            group = head // (w.heads // w.kv_heads)
            scores = np.where(visible, queries[:, head] @ keys[:, group].T / np.sqrt(size), -np.inf)
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            mixed[:, head] = shares / shares.sum(axis=1, keepdims=True) @ values[:, group]
        x = x + mixed.reshape(count, -1) @ o
        h = _rms(x, norm_2, w.epsilon)
        x = x + (h @ gate / (1 + np.exp(-(h @ gate))) * (h @ up)) @ down
    return _rms(x, w.norm, w.epsilon) @ w.head


def write_tokenizer(folder: Path, *, template: str | None = TEMPLATE, vocab: int | None = None) -> int:
    """Write a byte-level tokenizer, its chat template and the stop tokens; return the number of its tokens.

    `SPECIAL` are the tokens 0, 1 and 2, the 256 bytes follow, then a few merges; unused tokens fill up to `vocab`.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    folder.mkdir(parents=True, exist_ok=True)
    merges = [tuple(merge.split()) for merge in MERGES]
    words = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(merge) for merge in merges)]
    words += [f"<|unused_{number}|>" for number in range(len(words), vocab or 0)]
    tokenizer = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"bos_token": SPECIAL[0], "eos_token": {"content": SPECIAL[2]}, "model_max_length": 256}
    if template is not None:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps({"bos_token_id": 0, "eos_token_id": [2, 0]}))
    return len(words)


def _rms(x: Array, scale: Array, epsilon: float) -> Array:
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + epsilon) * scale


def _angles(w: Weights, count: int) -> Array:
    frequencies = w.theta ** (-np.arange(0, w.head_size, 2) / w.head_size)
    return np.arange(count)[:, None] * frequencies


def _rotate(x: Array, angles: Array) -> Array:
    """(tokens, heads, size) by (tokens, size / 2) angles, halves against halves as Llama does."""
    first, second = np.split(x, 2, axis=-1)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


@dataclass
class _Writer:
    """A decoder graph under construction. Every call adds one node and returns the name of its (first) result."""

    weights: Weights
    context: int
    dtype: str
    last_only: bool
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    tensors: list[onnx.TensorProto] = field(default_factory=list)

    def node(self, kind: str, *inputs: str, name: str = "", domain: str = "", also: tuple[str, ...] = (), **attributes):
        result = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result, *also], domain=domain, **attributes))
        return result

    def constant(self, values: object, dtype: str = "float32") -> str:
        name = f"weight_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def reshape(self, x: str, *shape: int) -> str:
        return self.node("Reshape", x, self.constant(shape, "int64"))

    def cast(self, x: str, dtype: str, name: str = "") -> str:
        return self.node("Cast", x, to=TYPES[dtype], name=name)

    def rms(self, x: str, scale: Array) -> str:
        epsilon = self.weights.epsilon
        return self.node("SimplifiedLayerNormalization", x, self.constant(scale), axis=-1, epsilon=epsilon)

    def linear(self, x: str, matrix: Array) -> str:
        return self.node("MatMul", x, self.constant(matrix))

    def stored(self, x: str) -> str:
        """A float32 value as the cache holds it."""
        return x if self.dtype == "float32" else self.cast(x, self.dtype)

    def loaded(self, x: str) -> str:
        return x if self.dtype == "float32" else self.cast(x, "float32")

    def shared(self, with_positions: bool) -> onnx.ModelProto:
        """Attention by GroupQueryAttention; past and present may be one buffer."""
        w = self.weights
        total = self.node("ReduceSum", "attention_mask", self.constant([1], "int64"), keepdims=0)
        last = self.node("Sub", total, self.constant([1], "int64"))
        seqlens_k = self.node("Cast", last, to=TensorProto.INT32)
        width = self.node("Gather", self.node("Shape", "attention_mask"), self.constant(1, "int64"), axis=0)
        total_length = self.node("Cast", width, to=TensorProto.INT32)
        angles = _angles(w, self.context)
        tables = [self.constant(table, self.dtype) for table in (np.cos(angles), np.sin(angles))]

        def attend(layer: int, queries: str, keys: str, values: str) -> str:
            mixed = self.node(
                "GroupQueryAttention",
                *(self.stored(part) for part in (queries, keys, values)),
                f"past_key_values.{layer}.key",
                f"past_key_values.{layer}.value",
                seqlens_k,
                total_length,
                *tables,
                also=(f"present.{layer}.key", f"present.{layer}.value"),
                domain="com.microsoft",
                num_heads=w.heads,
                kv_num_heads=w.kv_heads,
                scale=float(1 / np.sqrt(w.head_size)),
                do_rotary=1,
                rotary_interleaved=0,
            )
            return self.loaded(mixed)

        inputs = [("input_ids", ["batch_size", "sequence_length"])]
        inputs.append(("attention_mask", ["batch_size", "total_sequence_length"]))
        if with_positions:  # declared and, as in some exports, used by nothing that matters
            inputs.append(("position_ids", ["batch_size", "sequence_length"]))
        return self.model(attend, inputs, fixed_size=False)

    def growing(self, with_positions: bool) -> onnx.ModelProto:
        """Attention by plain operators: present is past with the new tokens behind it."""
        w = self.weights
        size, group = w.head_size, w.heads // w.kv_heads
        one = self.constant(1, "int64")
        count = self.node("Gather", self.node("Shape", "input_ids"), one, axis=0)
        width = self.node("Gather", self.node("Shape", "attention_mask"), one, axis=0)
        places = self.node("Range", self.constant(0, "int64"), width, one)
        news = self.node("Range", self.node("Sub", width, count), width, one)
        if with_positions:
            positions = "position_ids"
        else:  # from the mask, as exports without the input do
            sums = self.node("Sub", self.node("CumSum", "attention_mask", one), one)
            at = self.node("Sub", width, count)
            positions = self.node(
                "Slice", sums, self.reshape(at, 1), self.reshape(width, 1), self.constant([1], "int64")
            )
        causal = self.node("LessOrEqual", places, self.reshape(news, -1, 1))  # (new, all)
        real = self.node("Cast", self.node("Unsqueeze", "attention_mask", self.constant([1, 2], "int64")), to=9)
        seen = self.node("And", real, causal)  # (batch, 1, new, all)
        bias = self.node("Where", seen, self.constant(0.0), self.constant(np.finfo(np.float32).min))
        angles = _angles(w, self.context)
        cos, sin = (
            self.node("Unsqueeze", self.node("Gather", self.constant(table), positions), self.constant([1], "int64"))
            for table in (np.cos(angles), np.sin(angles))
        )

        def split(x: str, heads: int) -> str:
            return self.node("Transpose", self.reshape(x, 0, 0, heads, size), perm=[0, 2, 1, 3])

        def rotate(x: str) -> str:
            first, second = f"half_{len(self.nodes)}_0", f"half_{len(self.nodes)}_1"
            self.nodes.append(helper.make_node("Split", [x], [first, second], axis=-1, num_outputs=2))
            left = self.node("Sub", self.node("Mul", first, cos), self.node("Mul", second, sin))
            right = self.node("Add", self.node("Mul", second, cos), self.node("Mul", first, sin))
            return self.node("Concat", left, right, axis=-1)

        def repeat(x: str) -> str:
            spread = self.node("Unsqueeze", x, self.constant([2], "int64"))
            spread = self.node("Expand", spread, self.constant([1, 1, group, 1, 1], "int64"))
            lengths = self.constant([0, w.heads, -1, size], "int64")
            return self.node("Reshape", spread, lengths)

        def attend(layer: int, queries: str, keys: str, values: str) -> str:
            caches = []
            for part, new in (("key", rotate(split(keys, w.kv_heads))), ("value", split(values, w.kv_heads))):
                past = f"past_key_values.{layer}.{part}"
                caches.append(self.node("Concat", past, self.stored(new), axis=2, name=f"present.{layer}.{part}"))
            every_key, every_value = (repeat(self.loaded(cache)) for cache in caches)
            scores = self.node(
                "MatMul", rotate(split(queries, w.heads)), self.node("Transpose", every_key, perm=[0, 1, 3, 2])
            )
            scaled = self.node("Mul", scores, self.constant(1 / np.sqrt(size)))
            shares = self.node("Softmax", self.node("Add", scaled, bias), axis=-1)
            mixed = self.node("Transpose", self.node("MatMul", shares, every_value), perm=[0, 2, 1, 3])
            return self.reshape(mixed, 0, 0, w.heads * size)

        inputs = [("input_ids", ["batch_size", "sequence_length"])]
        inputs.append(("attention_mask", ["batch_size", "past_sequence_length + sequence_length"]))
        if with_positions:
            inputs.append(("position_ids", ["batch_size", "sequence_length"]))
        return self.model(attend, inputs, fixed_size=True)

    def model(self, attend, inputs: list[tuple[str, list[str]]], *, fixed_size: bool) -> onnx.ModelProto:
        w = self.weights
        x = self.node("Gather", self.constant(w.embedding), "input_ids")
        for layer, (norm_1, q, k, v, o, norm_2, gate, up, down) in enumerate(w.layers):
            h = self.rms(x, norm_1)
            mixed = attend(layer, *(self.linear(h, matrix) for matrix in (q, k, v)))
            x = self.node("Add", x, self.linear(mixed, o))
            h = self.rms(x, norm_2)
            gated = self.linear(h, gate)
            gated = self.node("Mul", gated, self.node("Sigmoid", gated))
            x = self.node("Add", x, self.linear(self.node("Mul", gated, self.linear(h, up)), down))
        if self.last_only:
            x = self.node("Gather", x, self.constant([-1], "int64"), axis=1)
        x = self.linear(self.rms(x, w.norm), w.head)
        self.node("Cast", x, to=TYPES[self.dtype], name="logits")
        # The builder leaves the last axis open, optimum does not.
        cache = ["batch_size", w.kv_heads, "past_sequence_length", w.head_size if fixed_size else "kv_cache_dim"]
        names = [f"{layer}.{part}" for layer in range(len(w.layers)) for part in ("key", "value")]
        dtype, rows = TYPES[self.dtype], 1 if self.last_only else "sequence_length"
        graph = helper.make_graph(
            self.nodes,
            "decoder",
            [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in inputs]
            + [helper.make_tensor_value_info(f"past_key_values.{name}", dtype, cache) for name in names],
            [helper.make_tensor_value_info("logits", dtype, ["batch_size", rows, w.embedding.shape[0]])]
            + [
                helper.make_tensor_value_info(f"present.{name}", dtype, [*cache[:2], "total_sequence_length", cache[3]])
                for name in names
            ],
            self.tensors,
        )
        imports = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=imports, ir_version=8)
