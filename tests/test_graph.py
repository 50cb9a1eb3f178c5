"""What a decoder's graph is found to be, and why others are refused."""

import onnx
import pytest
from decoders import build_decoder
from encoders import convolution
from onnx import TensorProto, helper

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.language.graph import inspect_decoder
from engine.models.session import Session

CPU = Device("cpu", "cpu")


def inspect(path):
    return inspect_decoder(Session(path, device=CPU), path)


@pytest.mark.parametrize("kind", ["shared", "growing"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("positions", [False, True])
def test_a_decoder_is_described(tmp_path, kind, dtype, last_only, positions):
    path, _ = build_decoder(
        tmp_path, kind=kind, dtype=dtype, last_only=last_only, position_ids=positions, layers=3, kv_heads=1, vocab=40
    )
    graph = inspect(path)
    assert (graph.kind, graph.mask, graph.positions, graph.last_only) == (kind, True, positions, last_only)
    assert (graph.layers, graph.kv_heads, graph.head_size, graph.vocab_size) == (3, 1, 16, 40)
    assert (graph.cache_dtype, graph.logits_dtype) == (dtype, dtype)
    assert graph.past == tuple((f"past_key_values.{n}.key", f"past_key_values.{n}.value") for n in range(3))
    assert graph.present == tuple((f"present.{n}.key", f"present.{n}.value") for n in range(3))


@pytest.mark.parametrize("hidden", [16, 48, 64, 512])
def test_the_size_of_a_head_is_found_where_the_graph_leaves_it_open(tmp_path, hidden):
    path, weights = build_decoder(tmp_path, layers=1, hidden=hidden, heads=1, kv_heads=1)
    assert Session(path, device=CPU).inputs[-1].shape[-1] == "kv_cache_dim"
    assert inspect(path).head_size == weights.head_size == hidden


def test_layers_are_in_the_order_of_their_numbers(tmp_path):
    graph = inspect(build_decoder(tmp_path, layers=11, hidden=16, heads=1, kv_heads=1).path)
    assert [key for key, _ in graph.past] == [f"past_key_values.{n}.key" for n in range(11)]


def altered(folder, change, **options):
    """A decoder's graph after `change` to its file."""
    path = build_decoder(folder, **options).path
    model = onnx.load(path)
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def take(name, dtype=TensorProto.INT64):
    """Declare one more input."""
    return lambda model: model.graph.input.append(helper.make_tensor_value_info(name, dtype, ["batch_size"]))


def give_fewer(model):
    del model.graph.output[-2:]


def give_no_logits(model):
    del model.graph.output[0]


def type_of(name, dtype):
    """Give an output that a Cast writes another type."""

    def change(model):
        for info in model.graph.output:
            if info.name == name:
                info.type.tensor_type.elem_type = dtype
        for node in model.graph.node:
            if node.output[0] == name:
                node.attribute[0].i = dtype

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (take("past_conv.0", TensorProto.FLOAT), "it takes past_conv.0, which is unknown here"),
        (take("block_table"), "it takes block_table, which is unknown here"),
        (give_fewer, "it takes 2 layers of keys and values and gives 1"),
        (give_no_logits, "it has no input input_ids or no output logits"),
        (type_of("logits", TensorProto.DOUBLE), "its logits are float64, not float32 or float16"),
    ],
)
def test_what_cannot_run_is_named(tmp_path, change, reason):
    with pytest.raises(ModelError) as caught:
        inspect(altered(tmp_path, change))
    assert reason in str(caught.value)
    assert str(caught.value).startswith("model.onnx is no language model that runs here: ")
    assert "Export it with" in caught.value.cure


def test_an_encoder_is_no_decoder(tmp_path):
    with pytest.raises(ModelError, match="it has no input input_ids or no output logits"):
        inspect(convolution(tmp_path / "encoder.onnx"))
