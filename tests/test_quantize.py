"""An encoder's int8 twin: what it costs, what is refused, and that it is the same model otherwise."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import polars as pl
import pytest
from encoders import convolution, transformer

import engine
from engine.errors import InputError, ModelError, RequestError
from engine.models import quantize as tools
from engine.models.catalog import Catalog
from engine.models.quantize import MOST, Listener

WINDOW = 32
COLUMNS = ("a", "b", "c")


@pytest.fixture
def shots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Return a file of each of two states, and work beside them with a home of its own."""
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    made = {}
    for label, speed in (("slow", 0.1), ("fast", 0.9)):
        rows = np.arange(400)
        values = {
            name: np.sin(speed * rows + place) + 0.1 * rng.standard_normal(400) for place, name in enumerate(COLUMNS)
        }
        made[label] = tmp_path / f"{label}.csv"
        pl.DataFrame(values).write_csv(made[label])
    return made


def add(graph: Path, name: str = "mine") -> None:
    Catalog().add(graph, name=name, licence="MIT")


def test_the_twin_of_a_convolution_votes_as_before(shots, tmp_path):
    add(convolution(tmp_path / "encoder.onnx"))
    found = engine.quantize(shots, model="mine", window=WINDOW)
    assert found.model.name == "mine-int8"
    assert found.asked == 2 * (369 - 246)
    assert 0 < found.error < 0.05
    assert (found.agreement, found.accuracy, found.accuracy_before) == (1.0, 1.0, 1.0)
    graph = onnx.load(found.model.folder / "encoder.onnx")
    weights = {one.name for one in graph.graph.initializer if one.data_type == onnx.TensorProto.INT8}
    assert len(weights) >= 2, "both convolutions have weights of eight bits"
    assert Catalog().verify("mine-int8") == ()
    assert found.model.manifest.licence == "MIT"
    predicted = engine.classify(shots["fast"], shots, model="mine-int8", window=WINDOW).predictions[str(shots["fast"])]
    assert set(predicted["Prediction"]) == {"fast"}


@pytest.mark.parametrize("options", [{"length": 64, "mask": "int64"}, {"length": None, "patch": 8}])
def test_the_twin_of_a_transformer(shots, tmp_path, options):
    add(transformer(tmp_path / "encoder.onnx", dim=16, **options))
    found = engine.quantize(shots, model="mine", name="eight", window=WINDOW, step=2)
    assert found.agreement > 0.9
    assert found.error < 0.2


def test_ranges_and_so_bytes_are_the_same_each_time(shots, tmp_path):
    add(convolution(tmp_path / "encoder.onnx"))
    one = engine.quantize(shots, model="mine", window=WINDOW)
    again = engine.quantize(shots, model="mine", window=WINDOW, replace=True)
    assert one.model.manifest.sha256 == again.model.manifest.sha256


def test_the_last_third_has_no_say(shots, tmp_path):
    add(convolution(tmp_path / "encoder.onnx"))
    before = engine.quantize(shots, model="mine", window=WINDOW, normalization="none").model.manifest.sha256
    lines = shots["fast"].read_text().splitlines(keepends=True)
    lines[-1] = "9,-9,9\n"  # far beyond everything else, in the last window alone
    shots["fast"].write_text("".join(lines))
    after = engine.quantize(
        shots, model="mine", window=WINDOW, normalization="none", replace=True
    ).model.manifest.sha256
    assert before == after


def test_weights_of_seven_bits_where_eight_could_overflow(shots, tmp_path, monkeypatch):
    add(convolution(tmp_path / "encoder.onnx"))
    largest = {}
    for has, name in ((True, "exact"), (False, "any")):
        monkeypatch.setattr(tools, "_has_vnni", lambda has=has: has)
        found = engine.quantize(shots, model="mine", name=name, window=WINDOW)
        weights = [
            np.abs(onnx.numpy_helper.to_array(one).astype(int)).max()
            for one in onnx.load(found.model.folder / "encoder.onnx").graph.initializer
            if one.data_type == onnx.TensorProto.INT8 and len(one.dims) == 3
        ]
        largest[name] = (max(weights), found.model.manifest.provenance.rpartition("; ")[2])
    assert largest == {"exact": (127, "int8 for processors with VNNI"), "any": (64, "int8 for any processor")}


def rewrite(path: Path, change: Callable[[onnx.ModelProto], object]) -> Path:
    """Change a graph in its file."""
    model = onnx.load(path)
    changed = change(model)
    onnx.save_model(model if changed is None else changed, path)
    return path


def test_weights_beside_the_graph(shots, tmp_path):
    folder = tmp_path / "exported"
    folder.mkdir()
    convolution(folder / "encoder.onnx", width=40, weights_file="weights.data")
    add(folder)
    found = engine.quantize(shots, model="mine", window=WINDOW)
    assert [path.name for path in sorted(found.model.folder.iterdir())] == ["encoder.onnx", "model.json"]
    assert found.agreement == 1.0


@pytest.mark.parametrize("opset", [11, 12])
def test_graphs_of_an_older_standard(shots, tmp_path, opset):
    path = convolution(tmp_path / "encoder.onnx")
    add(rewrite(path, lambda model: setattr(model.opset_import[0], "version", opset)))  # its operators were the same
    assert engine.quantize(shots, model="mine", window=WINDOW).agreement == 1.0


def test_a_twin_may_take_its_model_s_place(shots, tmp_path):
    add(convolution(tmp_path / "encoder.onnx"))
    found = engine.quantize(shots, model="mine", name="mine", replace=True, window=WINDOW)
    assert found.agreement == 1.0
    assert Catalog().verify("mine") == ()
    with pytest.raises(ModelError, match="mine is quantised already"):
        engine.quantize(shots, model="mine", window=WINDOW)


@pytest.mark.parametrize("level", [0.0, 60.0])
def test_readings_that_are_not_scaled_before(shots, tmp_path, level):
    """The trial of a twin is made with readings as it will see them: all others may come to the same in eight bits."""

    def divide(model: onnx.ModelProto) -> None:
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1e-4), "unit"))
        model.graph.node[0].input[0] = "scaled"
        model.graph.node.insert(0, onnx.helper.make_node("Mul", ["values", "unit"], ["scaled"]))

    add(rewrite(convolution(tmp_path / "encoder.onnx"), divide))
    for path in shots.values():
        (pl.read_csv(path) * 1e4 + level).write_csv(path)
    found = engine.quantize(shots, model="mine", window=WINDOW, normalization="none")
    assert found.agreement > 0.95
    assert Catalog().verify("mine-int8") == ()


def test_what_fails_while_it_is_measured_leaves_nothing(shots, tmp_path, monkeypatch):
    add(convolution(tmp_path / "encoder.onnx"))

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.pipelines.machine_state.quantize._compare", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "between"))
    (tmp_path / "between").mkdir()
    with pytest.raises(KeyboardInterrupt):
        engine.quantize(shots, model="mine", window=WINDOW)
    assert "mine-int8" not in Catalog().names()
    assert list((tmp_path / "between").iterdir()) == []


def test_a_graph_without_products(shots, tmp_path):
    nodes = [
        onnx.helper.make_node("ReduceMax", ["values"], ["embedding"], axes=[2], keepdims=0),
    ]
    shapes = (("values", ["batch", 3, "rows"]), ("embedding", ["batch", 3]))
    values, embedding = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes
    )
    graph = onnx.helper.make_graph(nodes, "plain", [values], [embedding])
    onnx.save_model(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8),
        tmp_path / "encoder.onnx",
    )
    add(tmp_path / "encoder.onnx", "plain")
    with pytest.raises(ModelError, match="plain has no convolution and no matrix product"):
        engine.quantize(shots, model="plain", window=WINDOW)


def test_the_tools_say_nothing_on_the_terminal(shots, tmp_path, capfd):
    path = convolution(tmp_path / "encoder.onnx")

    def list_weights(model: onnx.ModelProto) -> None:  # as inputs, an old habit that ONNX Runtime warns of
        for one in model.graph.initializer:
            model.graph.input.append(onnx.helper.make_tensor_value_info(one.name, one.data_type, one.dims))

    add(rewrite(path, list_weights))
    engine.quantize(shots, model="mine", window=WINDOW)
    assert capfd.readouterr() == ("", "")


def test_shots_too_short_to_be_asked_about(shots, tmp_path):
    add(convolution(tmp_path / "encoder.onnx"))
    lines = shots["slow"].read_text().splitlines(keepends=True)
    shots["slow"].write_text("".join(lines[: WINDOW + 1]))
    found = engine.quantize({"slow": shots["slow"]}, model="mine", window=WINDOW, neighbors=1)
    assert found.asked == 0
    shots["slow"].write_text("".join(lines[: WINDOW + 30]))  # each window shares rows with those asked about
    assert engine.quantize(shots, model="mine", window=WINDOW, neighbors=1, replace=True).asked == 0


def test_what_has_no_twin(shots, tmp_path):
    with pytest.raises(ModelError, match="run over the series"):
        engine.quantize(shots, model="multiscale")
    with pytest.raises(RequestError, match="language model"):
        engine.quantize(shots, model="activity")
    add(transformer(tmp_path / "half.onnx", dtype="float16"), "half")
    with pytest.raises(ModelError, match="half takes float16; only encoders of float32"):
        engine.quantize(shots, model="half")
    add(convolution(tmp_path / "encoder.onnx"))
    with pytest.raises(ModelError, match="There is a model 'half' already"):
        engine.quantize(shots, model="mine", name="half")
    with pytest.raises(RequestError) as caught:
        engine.quantize({"slow": "gone.csv"}, model="mine")
    assert len(caught.value.problems) == 1
    shots["slow"].write_text("a,b,c\n" + "1,x,2\n" * 99)
    with pytest.raises(InputError, match=r"line 2, column b: 'x' is not a number"):
        engine.quantize(shots, model="mine")


def test_what_is_not_installed(shots, tmp_path, monkeypatch):
    add(convolution(tmp_path / "encoder.onnx"))
    monkeypatch.setitem(sys.modules, "onnxruntime.quantization.shape_inference", None)
    with pytest.raises(ModelError, match="needs the package onnx") as caught:
        engine.quantize(shots, model="mine")
    assert caught.value.cure == "pip install 'sensor-state-engine[quantize]'"


def test_a_graph_that_their_tools_cannot_take(shots, tmp_path, monkeypatch):
    add(convolution(tmp_path / "encoder.onnx"))

    def fail(*_: object, **__: object) -> None:
        raise ValueError("no such\n operator")

    monkeypatch.setattr(tools._load_tools(), "quantize_static", fail)
    with pytest.raises(ModelError, match=r"encoder\.onnx cannot be quantised: no such operator"):
        engine.quantize(shots, model="mine")
    assert "mine-int8" not in Catalog().names()


@pytest.mark.parametrize("batches", [1, MOST, MOST + 1, 1000])
def test_batches_are_chosen_evenly(batches):
    listener = Listener()
    for place in range(batches):
        listener.hear({"x": np.array([place])})
    kept = [int(feed["x"][0]) for feed in listener.take()]
    assert kept == list(range(0, batches, max(1, kept[1] if len(kept) > 1 else 1)))
    assert min(batches, MOST / 2) <= len(kept) <= MOST
    assert listener.take() == []


def test_a_share_of_the_batches():
    listener = Listener()
    for place in range(30):
        listener.hear({"x": np.array([place])})
    assert [int(feed["x"][0]) for feed in listener.take(2 / 3)] == list(range(20))


def test_the_command_tells_what_it_costs(shots, tmp_path, command):
    add(convolution(tmp_path / "encoder.onnx"))
    examples = [part for label, path in shots.items() for part in ("--shot", f"{label}={path}")]
    code, out, _ = command("models", "quantize", "mine", *examples, "--window", str(WINDOW))
    assert code == 0
    assert "Added mine-int8: windowed, 3 channels" in out
    assert "labels  100.0% of 246 windows as before; right: 100.0%, before 100.0%" in out
