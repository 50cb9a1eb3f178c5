"""Language models by name: what is inferred from exporters' files, what is refused, what is kept, and the trial."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from decoders import build_decoder, full_logits, write_tokenizer
from encoders import convolution
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from engine.errors import ModelError
from engine.models import catalog as catalog_module
from engine.models.catalog import ALIASES, LANGUAGE_ALIASES, SHIPPED_LANGUAGE, Catalog, Hints, LanguageHints
from engine.models.device import Device
from engine.models.language import intake
from engine.models.language.model import load_language
from engine.models.language.trial import STEPS, try_decoder
from engine.models.manifest import check_manifest

CPU = Device("cpu", "cpu")
CONTEXT = 256


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "home")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return export(tmp_path / "export")


def export(folder: Path, *, graphs: str = "", context: int | None = CONTEXT, **decoder: object) -> Path:
    """Write a folder as an exporter does: graph in `graphs`, tokenizer and configurations beside it."""
    vocab = write_tokenizer(folder)
    build_decoder(folder / graphs, **{"vocab": vocab, "context": CONTEXT, **decoder})
    if context is not None:
        write(folder / "config.json", {"max_position_embeddings": context, "eos_token_id": 2})
    return folder


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def graph_of(folder: Path, inputs: list[str], name: str = "model.onnx") -> Path:
    """Write a graph that takes tokens and whatever else, and knows no decoding."""
    nodes = [helper.make_node("Cast", ["input_ids"], ["logits"], to=TensorProto.FLOAT)]
    declared = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "tokens"])
    model = helper.make_model(helper.make_graph(nodes, "tokens", declared, [output]), ir_version=8)
    model.opset_import[0].version = 18
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


# Adding


@pytest.mark.parametrize("kind", ["shared", "growing"])
@pytest.mark.parametrize("graphs", ["", "onnx"])
def test_an_exported_folder_is_added_and_decodes(catalog, tmp_path, kind, graphs):
    source = tmp_path / "export"
    vocab = write_tokenizer(source)
    built = build_decoder(source / graphs, kind=kind, vocab=vocab)
    write(source / "config.json", {"max_position_embeddings": 200})
    write(source / "LICENSE", "MIT License")
    write(source / "NOTICE.txt", "whose it is")
    write(source / "notes.txt", "not part of the model")
    (source / "checkpoint").mkdir()
    write(source / "checkpoint" / "weights.bin", "not part of it either")
    entry = catalog.add(source, name="newton/c:2.5.1-8b-base")
    assert entry == catalog.find_language("newton/c:2.5.1-8b-base")
    assert entry.folder == catalog.folder / "newton%2Fc%3A2.5.1-8b-base"
    assert entry.manifest.model_dump(include={"kind", "licence", "provenance", "normalization"}) == {
        "kind": "language",
        "licence": "MIT",
        "provenance": "added by the user from export",
        "normalization": None,
    }
    assert entry.manifest.language.model_dump() == {
        "file": "model.onnx",
        "tokenizer": "tokenizer.json",
        "template": "tokenizer_config.json",
        "cache": kind,
        "context_length": 200,
        "vocab_size": vocab,
        "stop_tokens": [0, 2],
    }
    kept = {path.name: path.stat().st_size for path in entry.folder.iterdir() if path.name != "model.json"}
    assert set(kept) == {
        *("model.onnx", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "config.json"),
        *("LICENSE", "NOTICE.txt"),
    }
    assert entry.manifest.size_bytes == kept
    assert set(entry.manifest.sha256) == set(kept)
    assert catalog.verify(entry.name) == ()
    model = load_language(entry, device=CPU, threads=1)
    assert (model.name, model.context_length, model.vocab_size) == (entry.name, 200, vocab)
    assert model.stop_tokens == {0, 2}
    tokens = model.tokenizer.encode(model.template.render("You watch.", "Is the pump on?"))
    decoder = model.open_decoder(2, 64)
    logits = np.array(decoder.prefill(1, tokens))
    decoder.close()
    model.close()
    assert np.allclose(logits, full_logits(built.weights, tokens)[-1], atol=1e-3)


def test_weights_beside_the_graph_and_the_graphs_name_come_from_the_export(catalog, tmp_path):
    source = export(tmp_path / "export", name="decoder.onnx")
    model = onnx.load(source / "decoder.onnx")
    onnx.save(
        model, source / "decoder.onnx", save_as_external_data=True, location="decoder.onnx.data", size_threshold=64
    )
    graph_of(source, ["input_ids"], "other.onnx")
    write(source / "genai_config.json", {"model": {"context_length": 128, "decoder": {"filename": "decoder.onnx"}}})
    entry = catalog.add(source, name="mine")
    assert entry.manifest.language.file == "decoder.onnx"
    assert entry.manifest.language.context_length == 128
    assert {"decoder.onnx", "decoder.onnx.data", "genai_config.json"} < set(entry.manifest.sha256)
    assert "other.onnx" not in entry.manifest.sha256
    (source / "decoder.onnx.data").unlink()
    with pytest.raises(
        ModelError, match=r"decoder\.onnx keeps its weights in decoder\.onnx\.data.*Put it into .*export\."
    ):
        catalog.add(source, name="other")


@pytest.mark.parametrize("graphs", ["", "onnx"])
def test_a_graph_is_chosen_by_naming_it(catalog, tmp_path, graphs):
    source = export(tmp_path / "export", graphs=graphs, name="model_b.onnx")
    graph_of(source / graphs, ["input_ids"], "model_a.onnx")
    with pytest.raises(
        ModelError, match=r"not one single \.onnx file: model_a\.onnx, model_b\.onnx\. Name the graph's"
    ):
        catalog.add(source, name="mine")
    assert catalog.add(source / graphs / "model_b.onnx", name="mine").manifest.language.file == "model_b.onnx"


def test_a_linked_export_is_copied_as_files(catalog, source, tmp_path):
    blobs = tmp_path / "blobs"
    source.rename(blobs)
    source.mkdir()
    for path in blobs.iterdir():
        (source / path.name).symlink_to(path)
    entry = catalog.add(source, name="mine")
    assert not any(path.is_symlink() for path in entry.folder.iterdir())
    assert catalog.verify("mine") == ()


def test_a_vocabulary_that_the_graph_does_not_declare_is_counted(catalog, source):
    model = onnx.load(source / "model.onnx")
    dimension = model.graph.output[0].type.tensor_type.shape.dim[2]
    vocab = dimension.dim_value
    dimension.Clear()
    dimension.dim_param = "vocab"
    onnx.save(model, source / "model.onnx")
    assert catalog.add(source, name="mine").manifest.language.vocab_size == vocab


@pytest.mark.parametrize(
    ("template", "file", "expected"),
    [
        (None, None, None),
        (None, "{% for message in messages %}{{ message.content }}{% endfor %}", "chat_template.jinja"),
    ],
)
def test_the_chat_template_is_where_it_is(catalog, source, template, file, expected):
    write_tokenizer(source, template=template)
    if file:
        write(source / "chat_template.jinja", file)
    entry = catalog.add(source, name="mine")
    assert entry.manifest.language.template == expected
    assert ((entry.folder / "chat_template.jinja").is_file()) == (expected is not None)


def test_only_what_no_file_tells_is_asked_for(catalog, source):
    write(source / "tokenizer_config.json", {})
    write(source / "config.json", {})
    with pytest.raises(ModelError, match=r"export does not say how many tokens.*--context"):
        catalog.add(source, name="mine")
    write(source / "generation_config.json", {})
    with pytest.raises(ModelError, match=r"export does not say which token ends an answer.*--stop"):
        catalog.add(source, name="mine", hints=LanguageHints(64))
    found = catalog.add(source, name="mine", hints=LanguageHints(64, (7, 3, 7))).manifest.language
    assert (found.context_length, found.stop_tokens) == (64, [3, 7])
    assert found.template is None


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            ["input_ids", "past_key_values.0.key", "use_cache_branch"],
            r"model\.onnx is a merged decoder.*text-generation-with",
        ),
        (
            ["input_ids", "attention_mask"],
            r"model\.onnx .*keeps no keys and values.*Export it with onnxruntime-genai's model builder",
        ),
    ],
)
def test_a_graph_that_cannot_decode_step_by_step_is_refused_with_the_cure(catalog, source, inputs, message):
    graph_of(source, inputs)
    with pytest.raises(ModelError, match=message):
        catalog.add(source, name="mine")
    assert list(catalog.folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", "a\\b", "gone.onnx"])
def test_a_configuration_cannot_lead_out_of_the_folder(catalog, source, name):
    write(source / "genai_config.json", {"model": {"decoder": {"filename": name}}})
    with pytest.raises(ModelError, match=r"must stay inside|names the graph gone\.onnx, which is not there"):
        catalog.add(source, name="mine")


def broken_tokenizer(folder: Path) -> None:
    write(folder / "tokenizer.json", '{"model": ')


def broken_template(folder: Path) -> None:
    write(folder / "chat_template.jinja", "{% for message in messages %}")


def large_template(folder: Path) -> None:
    write(folder / "chat_template.jinja", " " * ((1 << 20) + 1))


def foreign_tokenizer(folder: Path) -> None:
    write_tokenizer(folder, vocab=900)


def foreign_stops(folder: Path) -> None:
    write(folder / "config.json", {"max_position_embeddings": 64, "eos_token_id": 4_000})


def no_graph(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (broken_tokenizer, r"export"),
        (broken_template, r"template"),
        (large_template, r"chat_template\.jinja is larger than 1,048,576 bytes"),
        (foreign_tokenizer, r"tokenizer\.json has 900 tokens, model\.onnx only \d+: they are of two models"),
        (foreign_stops, r"export: language: stop token 4,000 is none of the \d+ tokens"),
        (no_graph, r"export has a tokenizer, but no \.onnx graph.*optimum-cli export"),
        (no_tokenizer, r"model\.onnx takes tokens as a language model does, but there is no tokenizer\.json beside it"),
    ],
)
def test_a_broken_export_is_refused_and_not_kept(catalog, source, spoil, message):
    spoil(source)
    with pytest.raises(ModelError, match=message) as caught:
        catalog.add(source, name="mine")
    assert ".adding-" not in str(caught.value)
    assert list(catalog.folder.iterdir()) == []


def test_hints_are_for_their_own_kind(catalog, source, tmp_path):
    with pytest.raises(ModelError, match=r"export is a language model\. .*--context and --stop only"):
        catalog.add(source, name="mine", hints=Hints(length=4))
    with pytest.raises(ModelError, match=r"a language model takes no normalization"):
        catalog.add(source, name="mine", normalization="file")
    encoder = convolution(tmp_path / "encoder.onnx")
    with pytest.raises(ModelError, match=r"encoder\.onnx is no language model\. Leave --context and --stop out"):
        catalog.add(encoder, name="mine", hints=LanguageHints(64))
    assert catalog.add(source, name="mine", hints=Hints(), licence="mine alone").manifest.licence == "mine alone"


def test_an_encoder_with_a_tokenizer_beside_it_stays_an_encoder(catalog, tmp_path):
    write_tokenizer(tmp_path / "both")
    convolution(tmp_path / "both" / "encoder.onnx")
    assert catalog.add(tmp_path / "both", name="mine").manifest.kind == "windowed"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{'a'}", r"config\.json, line 1, column 2"),
        ("[1]", r"config\.json holds no JSON object"),
        ("[" * 100_000, r"config\.json is not JSON"),
        ('{"a": ' + "1" * 5000 + "}", r"config\.json is not JSON"),
        (" " * ((16 << 20) + 1), r"config\.json is larger than 16,777,216 bytes"),
    ],
)
def test_a_configuration_that_is_none_is_refused(catalog, source, content, message):
    write(source / "config.json", content)
    with pytest.raises(ModelError, match=message):
        catalog.add(source, name="mine")
    assert list(catalog.folder.iterdir()) == []


@pytest.mark.parametrize("told", ["2", [2, "3"], True, 2.5, {}])
def test_a_stop_token_that_is_no_number_is_refused(catalog, source, told):
    write(source / "generation_config.json", {"eos_token_id": told})
    with pytest.raises(
        ModelError, match=r"export/generation_config\.json: eos_token_id must be a whole number or a list"
    ):
        catalog.add(source, name="mine")


# Names


def test_a_described_folder_is_taken_at_its_word_and_tried(catalog, source):
    first = catalog.add(source, name="first")
    assert catalog.add(first.folder, name="second").manifest == first.manifest
    with pytest.raises(ModelError, match=r"describes itself"):
        catalog.add(first.folder, name="third", hints=LanguageHints(64))
    described = json.loads((first.folder / "model.json").read_text())
    described["language"]["cache"] = "growing"
    write(first.folder / "model.json", described)
    with pytest.raises(ModelError, match=r"not the graph that its description tells of \(cache shared, not growing"):
        catalog.add(first.folder, name="third")


def test_each_kind_is_found_as_what_it_is(catalog, source, tmp_path):
    catalog.add(source, name="lab/talker:1")
    catalog.add(convolution(tmp_path / "encoder.onnx"), name="eye")
    assert "lab/talker:1" in catalog.language_names()
    assert "lab/talker:1" not in catalog.names()
    assert {"eye", *ALIASES} <= set(catalog.names())
    with pytest.raises(ModelError, match=r"model_type 'lab/talker:1' is a language model; an encoder is needed.*eye"):
        catalog.find("lab/talker:1")
    with pytest.raises(
        ModelError, match=r"model_variant 'eye' is an encoder; a language model is needed.*lab/talker:1"
    ):
        catalog.find_language("eye")
    with pytest.raises(ModelError, match=r"model_variant 'omega_1_4' is an encoder"):
        catalog.find_language("omega_1_4")
    with pytest.raises(
        ModelError, match=r"model_variant 'lab/talker:2' is unknown.*Did you mean lab/talker:1\?"
    ) as caught:
        catalog.find_language("lab/talker:2")
    assert caught.value.code == "unknown_model"
    assert [entry.name for entry in catalog.list() if not entry.shipped] == ["eye", "lab/talker:1"]
    with pytest.raises(ModelError, match=r"'omega_1_4' is a name of encoders, and this is a language model"):
        catalog.add(source, name="omega_1_4")
    with pytest.raises(ModelError, match=r"is a name of language models, and this is an encoder"):
        catalog.add(tmp_path / "encoder.onnx", name=LANGUAGE_ALIASES[0])
    catalog.remove("lab/talker:1")
    assert [path.name for path in catalog.folder.iterdir()] == ["eye"]


@given(name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,20}(/[A-Za-z0-9][A-Za-z0-9_:-]{0,20}){0,2}", fullmatch=True))
def test_a_names_folder_is_one_folder_and_leads_back(tmp_path_factory, name):
    home = tmp_path_factory.mktemp("home")
    catalog = Catalog(home)
    place = catalog._store.place(name)
    place.mkdir(parents=True)
    assert place.parent == catalog.folder
    assert catalog._store.names() == (name,)


def test_without_a_shipped_language_model_its_names_say_so(catalog, source, monkeypatch, tmp_path):
    monkeypatch.setattr(catalog_module, "BUILTIN", tmp_path / "nothing")
    for name in (*LANGUAGE_ALIASES, SHIPPED_LANGUAGE):
        with pytest.raises(ModelError, match=r"this build has none.*engine models add FOLDER") as caught:
            catalog.find_language(name)
        assert caught.value.code == "model_missing"
    assert catalog.language_names() == ()
    with pytest.raises(ModelError, match=r"'other' is unknown, and no such model was added.*engine models add"):
        catalog.find_language("other")
    added = catalog.add(source, name=LANGUAGE_ALIASES[0])
    assert catalog.find_language(LANGUAGE_ALIASES[0]) == added


def test_every_name_of_the_wire_leads_to_the_shipped_language_model(source, monkeypatch, tmp_path):
    built = Catalog(tmp_path / "build").add(source, name="draft")
    manifest = json.loads((built.folder / "model.json").read_text()) | {"name": SHIPPED_LANGUAGE}
    write(built.folder / "model.json", manifest)
    (tmp_path / "builtin").mkdir()
    built.folder.rename(tmp_path / "builtin" / SHIPPED_LANGUAGE)
    monkeypatch.setattr(catalog_module, "BUILTIN", tmp_path / "builtin")
    catalog = Catalog(tmp_path / "home")
    for name in (*LANGUAGE_ALIASES, SHIPPED_LANGUAGE):
        entry = catalog.find_language(name)
        assert (entry.name, entry.shipped, entry.manifest.name) == (name, True, SHIPPED_LANGUAGE)
    (ours,) = catalog.list()
    assert (ours.name, ours.aliases) == (SHIPPED_LANGUAGE, LANGUAGE_ALIASES)
    assert catalog.verify(LANGUAGE_ALIASES[1]) == ()
    with pytest.raises(ModelError, match="is shipped and cannot be removed"):
        catalog.remove(LANGUAGE_ALIASES[0])
    model = load_language(catalog.find_language(LANGUAGE_ALIASES[0]), device=CPU, threads=1)
    model.close()
    assert model.name == SHIPPED_LANGUAGE
    catalog.add(source, name=LANGUAGE_ALIASES[0])
    assert not catalog.find_language(LANGUAGE_ALIASES[0]).shipped
    assert catalog.list()[0].aliases == LANGUAGE_ALIASES[1:]


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "LICENSE"])
def test_damage_is_noticed(catalog, source, file):
    write(source / "LICENSE", "MIT License")
    entry = catalog.add(source, name="mine")
    whole = (entry.folder / file).read_bytes()
    (entry.folder / file).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (problem,) = catalog.verify("mine")
    assert f"{file} is not the file that was recorded" in problem
    (entry.folder / file).unlink()
    assert list(catalog.broken()) == ["mine"]
    with pytest.raises(ModelError, match="is missing"):
        load_language(entry, device=CPU, threads=1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"file": "../model.onnx"}, "language.file: a file name must stay inside"),
        ({"file": "other.onnx"}, "the whole: sha256 has no digest of other.onnx"),
        ({"template": "chat_template.jinja"}, "the whole: sha256 has no digest of chat_template.jinja"),
        ({"template": "/etc/passwd"}, "language.template:"),
        ({"cache": "none"}, "language.cache:"),
        ({"context_length": 1}, "language.context_length:"),
        ({"stop_tokens": []}, "language.stop_tokens:"),
        ({"stop_tokens": [-1]}, "language.stop_tokens.0:"),
        ({"stop_tokens": [9]}, "language: stop token 9 is none of the 9 tokens"),
        ({"colour": "red"}, "language.colour:"),
    ],
)
def test_a_wrong_field_of_a_description_is_named(changes, field):
    language = {"cache": "shared", "context_length": 64, "vocab_size": 9, "stop_tokens": [0]}
    whole = {"name": "m", "kind": "language", "provenance": "p"}
    whole["sha256"] = dict.fromkeys(("model.onnx", "tokenizer.json"), "0" * 64)
    assert check_manifest(whole | {"language": language}, "here").language.file == "model.onnx"
    with pytest.raises(ModelError) as caught:
        check_manifest(whole | {"language": language | changes}, "here")
    assert str(caught.value).startswith(f"here: {field}")


# The trial


class Rows:
    """A decoder whose logits are a function of a row's tokens, and of what is wrong with it."""

    def __init__(self, slots: int, fault: str = "") -> None:
        self._rows: list[list[int]] = [[] for _ in range(slots)]
        self._fault = fault

    def _logits(self, slot: int, *, alone: bool) -> np.ndarray:
        row = self._rows[slot][-1:] if self._fault == "forgets" and not alone else self._rows[slot]
        logits = np.random.default_rng([len(row), *row]).normal(size=50).astype(np.float32)
        if self._fault == "neighbours" and not alone:
            logits += 0.01 * sum(len(other) for other in self._rows)
        if self._fault == "infinite" and len(row) % 2:
            logits[3] = np.inf
        return logits

    def prefill(self, slot: int, tokens: list[int]) -> np.ndarray:
        self._rows[slot] = list(tokens)
        return self._logits(slot, alone=True)

    def step(self, tokens: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        for slot, row in enumerate(self._rows):
            del row[lengths[slot] :]
            row.append(int(tokens[slot]))
        return np.array([self._logits(slot, alone=False) for slot in range(len(self._rows))])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("neighbours", r"An answer depends on the others that are written beside it \(its logits by 0\.\d+\)\. Export"),
        ("infinite", r"logits that are not finite on an ordinary prompt\. Export the model again in float32"),
        ("forgets", r"read token by token goes on in another way than one read at once"),
    ],
)
def test_a_decoder_that_cannot_be_relied_on_fails_the_trial(fault, message):
    prompts = [[5, 6, 7], [8] * 12, [9, 1]]
    assert STEPS > 1
    try_decoder(Rows(4), prompts)
    with pytest.raises(ModelError, match=message) as caught:
        try_decoder(Rows(4, fault), prompts)
    assert caught.value.code == "model_trial"


def test_a_model_that_fails_the_trial_is_not_kept(catalog, source):
    model = onnx.load(source / "model.onnx")
    table = max(model.graph.initializer, key=lambda tensor: tensor.ByteSize())
    values = np.full([*table.dims], np.nan, np.float32)
    table.raw_data = values.tobytes()
    onnx.save(model, source / "model.onnx")
    with pytest.raises(ModelError, match="logits that are not finite"):
        catalog.add(source, name="mine")
    assert list(catalog.folder.iterdir()) == []


# The command


def test_the_command_adds_lists_shows_verifies_and_removes(command, source, monkeypatch, tmp_path):
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path / "home"))
    code, out, _ = command("models", "add", source, "--name", "lab/talker:1")
    assert (code, "Added lab/talker:1: language, 256 tokens of context, a vocabulary of" in out) == (0, True)
    code, out, _ = command("models", "list")
    assert (code, "lab/talker:1  language, 256 tokens of context" in out) == (0, True)
    code, out, err = command("models", "show", "lab/talker:1")
    assert (code, json.loads(out)["language"]["cache"], "lab%2Ftalker%3A1" in err) == (0, "shared", True)
    assert command("models", "verify", "lab/talker:1")[:2] == (0, "lab/talker:1 is in order.\n")
    assert command("models", "remove", "lab/talker:1")[0] == 0
    assert command("models", "show", "lab/talker:1")[0] != 0


def test_the_command_takes_what_no_file_tells(command, source, monkeypatch, tmp_path):
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path / "home"))
    for name in ("tokenizer_config.json", "generation_config.json", "config.json"):
        write(source / name, {})
    assert command("models", "add", source, "--name", "mine")[0] != 0
    code, _, err = command("models", "add", source, "--context", 64, "--stop", 2, "--stop", 0, "--length", 4)
    assert (code, "the other options about encoders" in err) == (2, True)
    renamed = source.rename(source.with_name("talker-0.5b"))
    assert command("models", "add", renamed, "--context", 64, "--stop", 2, "--stop", 0)[0] == 0
    found = Catalog().find_language("talker-0.5b").manifest.language
    assert (found.context_length, found.stop_tokens) == (64, [0, 2])


def test_the_parts_of_an_older_export_are_named(catalog, tmp_path):
    source = tmp_path / "export"
    write_tokenizer(source)
    for name in ("decoder_model.onnx", "decoder_with_past_model.onnx"):
        graph_of(source, ["input_ids"], name)
    with pytest.raises(ModelError, match=r"decoder_model\.onnx, decoder_with_past_model\.onnx\..*optimum-cli export"):
        catalog.add(source, name="mine")
    assert intake.find_home(source) == source
