"""Models by name: what is inferred from a graph, what is refused, and what the store does."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from encoders import batch_normalised, constant, convolution, foreign, root, transformer
from pydantic import ValidationError

from engine.errors import ModelError
from engine.models.catalog import ALIASES, Catalog, Hints, default_home
from engine.models.device import Device
from engine.models.encoder import load_encoder
from engine.models.inspect import inspect_graph
from engine.models.manifest import Manifest, check_manifest, read_manifest
from engine.models.scaling import Scaling

CPU = Device("cpu", "cpu")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "home")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


# What a graph says of itself


INFERRED = {
    "plain": (transformer, {}, {"layout": "univariate", "length": 64, "output": "pooler_output", "pooling": "none"}),
    "any length": (transformer, {"length": None}, {"length": None, "multiple": 1, "max_window": 1024}),
    "patches": (transformer, {"length": None, "patch": 8}, {"length": None, "multiple": 8, "min_window": 2}),
    "mask": (transformer, {"mask": "int64"}, {"mask": "attention_mask", "mask_marks": "readings"}),
    "mask of padding": (transformer, {"mask": "bool", "mask_marks": "padding"}, {"mask_marks": "padding"}),
    "mask, any length": (transformer, {"mask": "float32", "length": None}, {"mask": "attention_mask", "length": None}),
    "sequence": (
        transformer,
        {"outputs": ("last_hidden_state",)},
        {"output_axes": "NTD", "pooling": "mean", "embedding_size": 8},
    ),
    "causal": (transformer, {"causal": True, "outputs": ("last_hidden_state",)}, {"pooling": "last"}),
    "causal patches": (
        transformer,
        {"causal": True, "patch": 4, "outputs": ("last_hidden_state",)},
        {"pooling": "last", "output_axes": "NTD"},
    ),
    "behind": (transformer, {"axes": "NTC"}, {"layout": "univariate", "axes": "NTC"}),
    "flat": (transformer, {"axes": "NT", "dtype": "float64"}, {"layout": "univariate", "axes": "NT"}),
    "batch of 1": (transformer, {"batch": 1}, {"batch": 1}),
    "batch of 4": (transformer, {"batch": 4}, {"batch": 4}),
    "channels": (convolution, {}, {"layout": "multivariate", "channels": 3, "length": None, "embedding_size": 6}),
    "channels behind": (convolution, {"axes": "NTC"}, {"axes": "NTC", "channels": 3}),
    "undeclared channels": (convolution, {"declared_channels": 0}, {"layout": "multivariate", "channels": 3}),
    "undeclared, behind": (convolution, {"declared_channels": 0, "axes": "NTC"}, {"axes": "NTC", "channels": 3}),
    "undeclared, fixed length": (convolution, {"declared_channels": 0, "length": 96}, {"channels": 3, "length": 96}),
    "one undeclared channel": (convolution, {"channels": 1, "declared_channels": 0}, {"layout": "univariate"}),
    "positions last": (convolution, {"pooled": False}, {"output_axes": "NDT", "pooling": "mean", "embedding_size": 6}),
    "fixed, positions last": (convolution, {"pooled": False, "length": 32}, {"output_axes": "NDT", "length": 32}),
}


@pytest.mark.parametrize("case", INFERRED)
def test_a_graph_is_described_from_its_shapes_and_trial_runs(tmp_path, case, capfd):
    write, options, expected = INFERRED[case]
    found = inspect_graph(write(tmp_path / "encoder.onnx", **options)).model_dump()
    assert {key: found[key] for key in expected} == expected
    assert capfd.readouterr() == ("", "")  # failed attempts are no news


def test_what_is_given_is_not_inferred(tmp_path):
    graph = transformer(tmp_path / "encoder.onnx", length=None, mask="int64")
    hints = Hints(length=100, padding="left", output="last_hidden_state", pooling="last", max_window=90)
    found = inspect_graph(graph, hints)
    assert (found.length, found.padding, found.output, found.pooling) == (100, "left", "last_hidden_state", "last")
    assert (found.min_window, found.max_window) == (2, 90)


def test_the_pooling_asked_for_chooses_the_output(tmp_path):
    graph = transformer(tmp_path / "encoder.onnx")
    assert inspect_graph(graph, Hints(pooling="mean")).output == "last_hidden_state"


@pytest.mark.parametrize(
    ("options", "hints", "message"),
    [
        ({"channels": 8, "length": 8}, {}, r"'values' is 8 x 8.*Give --axes NCT or --axes NTC"),
        ({}, {"output": "vector"}, r"no output 'vector'.*its outputs: embedding \[2, 6\]\. Name one with --output"),
        ({}, {"output": "embedding", "pooling": "mean"}, r"pooling cannot be mean\. Leave --pooling out"),
        ({}, {"channels": 4}, r"runs on no shape that was tried.*Say what it takes with --axes, --channels"),
        ({}, {"layout": "univariate"}, r"runs on no shape that was tried"),
        ({}, {"mask": "attention_mask"}, r"takes more than readings and one mask"),
        ({}, {"input": "signal"}, r"no input that can take the readings.*its inputs: values"),
    ],
)
def test_what_cannot_be_decided_names_the_flag(tmp_path, options, hints, message):
    with pytest.raises(ModelError, match=message):
        inspect_graph(convolution(tmp_path / "encoder.onnx", **options), Hints(**hints))


# Adding


def test_a_graph_is_added_under_a_name_and_encodes(catalog, source):
    entry = catalog.add(transformer(source / "weird name.onnx"), name="mine", licence="MIT", normalization="window")
    assert entry == catalog.find("mine")
    assert (entry.name, entry.shipped, entry.channels) == ("mine", False, None)
    assert entry.manifest.licence == "MIT"
    assert entry.manifest.normalization == "window"
    assert "weird name.onnx" in entry.manifest.provenance
    assert sorted(path.name for path in entry.folder.iterdir()) == ["encoder.onnx", "model.json"]
    assert entry.manifest.size_bytes == {"encoder.onnx": (entry.folder / "encoder.onnx").stat().st_size}
    assert catalog.verify("mine") == ()
    encoder = load_encoder(entry, channels=2, window=20, step=1, device=CPU)
    values = np.random.default_rng(0).standard_normal((2, 30))
    vectors = encoder.encode(values, np.arange(5), Scaling(np.zeros(2), np.ones(2), np.zeros(2)))
    encoder.close()
    assert vectors.shape == (5, 16)
    assert encoder.model == f"mine ({entry.manifest.provenance})"


@pytest.mark.parametrize("whole_folder", [True, False])
def test_weights_beside_the_graph_come_along(catalog, source, whole_folder):
    graph = transformer(source / "encoder.onnx", weights_file="encoder.onnx.data")
    (source / "notes.txt").write_text("not part of the model")
    entry = catalog.add(source if whole_folder else graph, name="mine")
    assert set(entry.manifest.sha256) == {"encoder.onnx", "encoder.onnx.data"}
    assert catalog.verify("mine") == ()


def test_missing_weights_are_named(catalog, source):
    graph = transformer(source / "big.onnx", weights_file="big.onnx.data")
    (source / "big.onnx.data").unlink()
    with pytest.raises(ModelError, match=r"big\.onnx keeps its weights in big\.onnx\.data.*Put it into .*source"):
        catalog.add(graph, name="mine")
    assert catalog.find("omega_1_4").shipped
    assert list(catalog.folder.iterdir()) == []


@pytest.mark.parametrize("place", ["../outside.data", "/etc/hostname", "sub/../../outside.data"])
def test_weights_outside_the_folder_are_neither_read_nor_taken_along(catalog, source, place):
    path = transformer(source / "big.onnx", weights_file="big.onnx.data")
    (source / "big.onnx.data").rename(source.parent / "outside.data")
    graph = onnx.load(path, load_external_data=False)
    for tensor in graph.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = place
    onnx.save(graph, path)
    with pytest.raises(ModelError):
        catalog.add(path, name="mine")
    assert list(catalog.folder.iterdir()) == []


def test_a_folder_that_describes_itself_is_taken_at_its_word_and_tried(catalog, source):
    first = catalog.add(convolution(source / "encoder.onnx"), name="first", provenance="a test")
    second = catalog.add(first.folder, name="second")
    assert second.manifest == first.manifest
    with pytest.raises(ModelError, match=r"describes itself\. Change or remove its model\.json"):
        catalog.add(first.folder, name="third", hints=Hints(padding="left"))
    described = json.loads((first.folder / "model.json").read_text())
    described["windowed"]["embedding_size"] = 7
    (first.folder / "model.json").write_text(json.dumps(described))
    with pytest.raises(ModelError, match=r"gives \d+ x 6 numbers, not \d+ x 7"):
        catalog.add(first.folder, name="third")
    convolution(first.folder / "encoder.onnx", width=7)
    with pytest.raises(ModelError, match=r"has [\d,]+ bytes, [\d,]+ were recorded"):
        catalog.add(first.folder, name="third")
    assert sorted(path.name for path in catalog.folder.iterdir()) == ["first", "second"]


def test_the_shipped_kind_of_model_can_be_added_too(catalog):
    shipped = catalog.find("multiscale")
    entry = catalog.add(shipped.folder, name="copy")
    assert entry.manifest.dense == shipped.manifest.dense
    assert catalog.verify("copy") == ()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (batch_normalised, r"depends on the other windows of its batch.*Export the model in evaluation mode"),
        (constant, r"the same vector for two different windows"),
        (root, r"vectors that are not finite"),
        (foreign, r"mine\.onnx uses the operator my\.ops:Foo"),
    ],
)
def test_a_model_that_fails_the_trial_is_not_kept(catalog, source, write, message):
    with pytest.raises(ModelError, match=message):
        catalog.add(write(source / "mine.onnx"), name="mine")
    assert list(catalog.folder.iterdir()) == []
    assert "mine" not in catalog.names()


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_what_is_no_graph_is_refused(catalog, source, content):
    graph = transformer(source / "mine.onnx")
    graph.write_bytes(graph.read_bytes()[:500] if content is None else content)
    with pytest.raises(ModelError, match=r"^mine\.onnx is not an ONNX model, or it is truncated\."):
        catalog.add(graph, name="mine")


def test_a_source_without_a_graph_is_refused(catalog, source):
    with pytest.raises(ModelError, match=r"There is no file or folder .*nowhere"):
        catalog.add(source / "nowhere", name="mine")
    with pytest.raises(ModelError, match=r"has no encoder\.onnx, and not one single \.onnx file: none"):
        catalog.add(source, name="mine")
    transformer(source / "a.onnx")
    transformer(source / "b.onnx")
    with pytest.raises(ModelError, match=r"a\.onnx, b\.onnx\. Name the graph's file instead"):
        catalog.add(source, name="mine")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../mine",
        "a/../b",
        "a..b",
        "a//b",
        "/a",
        "a/",
        "a/.b",
        ".hidden",
        "a b",
        "a%2Fb",
        "x" * 101,
        "a" + ":" * 99,
        "multiscale",
        "activity",
    ],
)
def test_names_that_could_not_be_folders_are_refused(catalog, source, name):
    with pytest.raises(ModelError):
        catalog.add(convolution(source / "encoder.onnx"), name=name)


def test_a_name_is_taken_once(catalog, source):
    catalog.add(convolution(source / "encoder.onnx"), name="mine")
    wider = convolution(source / "wider.onnx", width=9)
    with pytest.raises(ModelError, match=r"There is a model 'mine' already\. Remove it first"):
        catalog.add(wider, name="mine")
    assert catalog.add(wider, name="mine", replace=True).manifest.windowed.embedding_size == 9
    assert [path.name for path in catalog.folder.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, source):
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"cannot be stored or changed: .*home.*ENGINE_HOME") as caught:
        Catalog(tmp_path / "home").add(convolution(source / "encoder.onnx"), name="mine")
    assert caught.value.code == "model_store"


# Finding


def test_every_name_of_the_wire_leads_to_the_shipped_encoder(catalog):
    for name, channels in ALIASES.items():
        entry = catalog.find(name)
        assert (entry.name, entry.channels, entry.shipped) == (name, channels, True)
        assert entry.manifest.name == "multiscale"
    assert {name for name, channels in ALIASES.items() if channels == 9} == {
        name for name in ALIASES if name.startswith("omega_1_3_")
    }
    assert not catalog.folder.exists()
    with pytest.raises(ModelError, match=r"model_type omega_1_3_surface takes exactly 9 data_columns; 4 were given\."):
        load_encoder(catalog.find("omega_1_3_surface"), channels=4, window=64, step=1, device=CPU)


def test_a_users_model_replaces_ours_under_a_name_of_the_wire(catalog, source):
    added = catalog.add(convolution(source / "encoder.onnx"), name="omega_1_3_slb")
    assert added.channels == 3
    assert catalog.find("omega_1_3_slb") == added
    assert catalog.find("omega_1_3_surface").shipped
    ours, *_, mine = catalog.list()
    assert ours.name == "multiscale"
    assert set(ours.aliases) == set(ALIASES) - {"omega_1_3_slb"}
    assert mine == added
    assert len(catalog.names()) == len(set(catalog.names())) == len(ALIASES) + 1
    catalog.remove("omega_1_3_slb")
    assert catalog.find("omega_1_3_slb").shipped


def test_an_unknown_name_lists_what_there_is(catalog, source):
    catalog.add(convolution(source / "encoder.onnx"), name="mine")
    with pytest.raises(
        ModelError, match=r"model_type 'omega_1_4_bse' is unknown; there are: .*mine\. Did you mean"
    ) as e:
        catalog.find("omega_1_4_bse")
    assert e.value.code == "unknown_model"
    assert e.value.cure == "Did you mean omega_1_4_base?"
    with pytest.raises(ModelError):
        catalog.find("../home/models/mine")


def test_only_added_models_can_be_removed(catalog, source):
    catalog.add(convolution(source / "encoder.onnx"), name="mine")
    catalog.remove("mine")
    assert list(catalog.folder.iterdir()) == []
    for name, message in (("mine", "was not added"), ("omega_1_4", "is shipped"), ("multiscale", "is shipped")):
        with pytest.raises(ModelError, match=message):
            catalog.remove(name)


# Verifying


def test_the_shipped_model_is_whole(catalog):
    assert catalog.verify("multiscale") == ()


def test_a_changed_file_is_noticed(catalog, source):
    entry = catalog.add(convolution(source / "encoder.onnx"), name="mine")
    graph = entry.folder / "encoder.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (problem,) = catalog.verify("mine")
    assert "its digest differs" in problem
    graph.write_bytes(whole[:-1])
    (problem,) = catalog.verify("mine")
    assert f"has {len(whole) - 1:,} bytes, {len(whole):,} were recorded" in problem
    with pytest.raises(ModelError, match="is damaged"):
        load_encoder(catalog.find("mine"), channels=3, window=64, step=1, device=CPU)
    graph.unlink()
    (problem,) = catalog.verify("mine")
    assert "is missing" in problem
    assert list(catalog.broken()) == ["mine"]
    assert [entry.name for entry in catalog.list() if not entry.shipped] == []


def test_a_broken_description_spoils_only_its_own_model(catalog, source):
    entry = catalog.add(convolution(source / "encoder.onnx"), name="mine")
    (entry.folder / "model.json").write_text("{\n 'name'")
    with pytest.raises(ModelError, match=r"model\.json, line 2, column 2"):
        catalog.find("mine")
    assert "line 2" in catalog.broken()["mine"]
    assert [entry.name for entry in catalog.list() if not entry.shipped] == []
    (entry.folder / "model.json").unlink()
    with pytest.raises(ModelError, match=r"is not a model folder: it has no model\.json"):
        catalog.find("mine")


def test_a_link_out_of_the_folder_is_refused(catalog, source):
    entry = catalog.add(convolution(source / "encoder.onnx"), name="mine")
    graph = entry.folder / "encoder.onnx"
    graph.rename(source / "elsewhere.onnx")
    graph.symlink_to(source / "elsewhere.onnx")
    with pytest.raises(ModelError, match="leads out of the model's folder"):
        load_encoder(entry, channels=3, window=64, step=1, device=CPU)


# The manifest


def described(**changes: object) -> dict[str, object]:
    windowed = {"input": "x", "layout": "univariate", "output": "y", "embedding_size": 4}
    whole = {"name": "m", "kind": "windowed", "provenance": "p", "sha256": {"encoder.onnx": "0" * 64}}
    return whole | {"windowed": windowed | changes}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"file": "../encoder.onnx"}, "windowed.file: a file name must stay inside"),
        ({"file": "/etc/passwd"}, "windowed.file: a file name must stay inside"),
        ({"layout": "both"}, "windowed.layout:"),
        ({"embedding_size": 0}, "windowed.embedding_size:"),
        ({"length": "64"}, "windowed.length:"),
        ({"colour": "red"}, "windowed.colour:"),
        ({"length": 32}, "windowed: max_window 1024 is above length 32"),
        ({"layout": "multivariate", "axes": "NT"}, "windowed: axes NT has no place for channels"),
        ({"pooling": "mean"}, "windowed: pooling is none exactly where output_axes is ND"),
        ({"file": "other.onnx"}, "the whole: sha256 has no digest of other.onnx"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(changes, field):
    assert check_manifest(described(), "here").windowed.embedding_size == 4
    with pytest.raises(ModelError) as caught:
        check_manifest(described(**changes), "here/model.json")
    assert str(caught.value).startswith(f"here/model.json: {field}")


def test_all_wrong_fields_are_named_at_once():
    with pytest.raises(ModelError, match=r"name: Field required; kind: Field required; provenance: Field required"):
        check_manifest({}, "here")
    with pytest.raises(ModelError):
        check_manifest([1], "here")


def test_a_manifest_does_not_change():
    manifest = Manifest.model_validate(described())
    with pytest.raises(ValidationError):
        manifest.name = "other"


def test_a_huge_or_binary_description_is_refused(tmp_path):
    path = tmp_path / "model.json"
    for content, message in (
        (b" " * (2 << 20), "larger than"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 9999, "model.json"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=message):
            read_manifest(tmp_path)


def test_the_users_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path / "chosen"))
    assert default_home() == tmp_path / "chosen"
    monkeypatch.delenv("ENGINE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_home() == tmp_path / "data" / "sensor-state-engine"
    assert Catalog().folder == tmp_path / "data" / "sensor-state-engine" / "models"
    assert list(tmp_path.iterdir()) == []
