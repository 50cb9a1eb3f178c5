"""What activity detection is configured with, and the form of its records: every key, every error text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from questions import record, request

from engine.errors import RequestError
from engine.jobs.request import parse_request
from engine.pipelines.activity_detection.config import ActivityConfig
from engine.pipelines.activity_detection.records import Fault, read_record

DEFAULTS = {
    "model_variant": "newton/c:2.5.1-8b-base",
    "max_video_frames": 32,
    "batch_size": None,
    "generation": {
        "do_sample": True,
        "max_new_tokens": 256,
        "temperature": 0.7,
        "top_k": 20,
        "top_p": 0.8,
        "repetition_penalty": 1.0,
        "seed": None,
    },
    "on_truncation": "truncate",
    "flush_every_n_iteration": None,
    "output": {"details": False, "record": False},
}


def parsed(**config: Any) -> Any:
    body = request("a.jsonl")
    body["parameters"]["worker"]["config"] = config
    return parse_request(body)


# The configuration


def test_every_default():
    assert parsed().parameters == {"worker": {"parallelism": 1, "config": DEFAULTS}}
    assert parsed().pipeline.default_config()["worker"]["config"] == DEFAULTS


def test_ports_and_version():
    job = parsed()
    assert (job.pipeline.key, job.pipeline.version, job.pipeline.pipeline_type) == (
        "activity-detection",
        "0.0.20",
        "batch",
    )
    (port,) = job.pipeline.inputs
    assert (port.name, port.required, port.tracked) == ("worker.data", True, True)
    assert [port.name for port in job.pipeline.outputs] == ["worker.result"]
    assert [file.port for file in parse_request(request("a.jsonl", "b.jsonl")).inputs] == ["worker.data"] * 2


def test_unknown_keys_are_kept_and_reported():
    job = parsed(generation={"temprature": 1.0, "num_beams": 4}, reader={"x": 1})
    where = "parameters.worker.config"
    assert job.ignored == (f"{where}.reader", f"{where}.generation.temprature", f"{where}.generation.num_beams")
    assert job.hints == {f"{where}.generation.temprature": "generation.temperature"}
    assert job.parameters["worker"]["config"]["generation"]["num_beams"] == 4


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "too many frames": ({"max_video_frames": 65}, "max_video_frames must be 1 to 64; got 65."),
    "no frames": ({"max_video_frames": 0}, "max_video_frames must be 1 to 64; got 0."),
    "no batch": ({"batch_size": 0}, "batch_size must be a whole number, at least 1, or null; got 0."),
    "no tokens": ({"generation": {"max_new_tokens": 0}}, "generation.max_new_tokens must be 1 to 4096; got 0."),
    "many tokens": ({"generation": {"max_new_tokens": 4097}}, "generation.max_new_tokens must be 1 to 4096; got 4097."),
    "cold": ({"generation": {"temperature": -0.1}}, "generation.temperature must be a number, at least 0; got -0.1."),
    "no candidates": ({"generation": {"top_k": 0}}, "generation.top_k must be a whole number, at least 1; got 0."),
    "no share": ({"generation": {"top_p": 0}}, "generation.top_p must be a number above 0, at most 1; got 0."),
    "more than all": ({"generation": {"top_p": 1.5}}, "generation.top_p must be a number above 0, at most 1; got 1.5."),
    "no penalty": (
        {"generation": {"repetition_penalty": 0}},
        "generation.repetition_penalty must be a number above 0; got 0.",
    ),
    "text as switch": ({"generation": {"do_sample": "no"}}, 'generation.do_sample must be true or false; got "no".'),
    "negative seed": ({"generation": {"seed": -1}}, "generation.seed must be"),
    "large seed": ({"generation": {"seed": 2**63}}, "generation.seed must be"),
    "other truncation": (
        {"on_truncation": "drop"},
        "on_truncation must be one of 'truncate', 'fail'; got \"drop\".",
    ),
    "parts without batches": (
        {"flush_every_n_iteration": 2},
        "flush_every_n_iteration counts batches, so batch_size must be a number too.",
    ),
    "empty name": ({"model_variant": ""}, "model_variant must be a text that is not empty"),
    "number as detail": ({"output": {"details": 1}}, "output.details must be true or false; got 1."),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_named_with_what_fits(case):
    config, expected = WRONG[case]
    with pytest.raises(RequestError) as caught:
        parsed(**config)
    assert expected in str(caught.value)


@given(st.integers(1, 500), st.integers(1, 500))
def test_a_part_has_as_many_lines_as_its_batches(batch, every):
    config = ActivityConfig.model_validate({"batch_size": batch, "flush_every_n_iteration": every})
    assert config.lines_per_part == batch * every
    assert ActivityConfig.model_validate({"batch_size": batch}).lines_per_part is None


# Records

TEXT = {"type": "text", "format": "plain", "data": "x"}


def test_a_record_becomes_what_the_prompt_is_made_of():
    found = read_record(record(1, prompt="Briefly.", note=[1]))
    assert not isinstance(found, Fault)
    assert (found.system, found.instruction, found.prompt) == ("You watch a pump.", "What is going on?", "Briefly.")
    assert [(item.type, item.data) for item in found.items] == [("text", record(1)["inputs"][0]["data"])]


@pytest.mark.parametrize("field", ["system", "instruction", "prompt"])
def test_one_text_is_enough_and_null_is_as_left_out(field):
    found = read_record({"system": None, "instruction": None, "prompt": None, "inputs": None, field: "x"})
    assert not isinstance(found, Fault)
    assert getattr(found, field) == "x"
    assert found.items == ()


FAULTS: dict[str, tuple[Any, str]] = {
    "no text": ({}, "validation error: one of system, instruction, prompt and inputs must hold a text"),
    "empty texts": ({"prompt": "", "inputs": [{**TEXT, "data": ""}]}, "validation error: one of system"),
    "number as text": ({"prompt": 5}, "validation error: prompt: Input should be a valid string"),
    "text as inputs": ({"inputs": "x"}, "validation error: inputs: Input should be a valid list"),
    "text as item": ({"inputs": ["x"]}, "validation error: inputs.0: Input should be"),
    "no format": ({"inputs": [{"type": "text", "data": "x"}]}, "validation error: inputs.0.format: Field required"),
    "no data": ({"inputs": [TEXT, {"type": "text", "format": "plain"}]}, "validation error: inputs.1.data: Field required"),
    "other type": ({"inputs": [{**TEXT, "type": "sound"}]}, "validation error: inputs.0.type: Input should be 'text', 'image' or 'video'"),
    "other format": ({"inputs": [{**TEXT, "format": "hex"}]}, "validation error: inputs.0.format: Input should be 'plain' or 'base64'"),
    "text in base64": ({"inputs": [{**TEXT, "format": "base64"}]}, "validation error: inputs.0.format: Input should be 'plain' where type is 'text'"),
    "plain image": ({"inputs": [{**TEXT, "type": "image"}]}, "validation error: inputs.0.format: Input should be 'base64' where type is 'image'"),
    "image": ({"prompt": "x", "inputs": [TEXT, {"type": "image", "format": "base64", "data": ""}]}, "unsupported input type: image"),
    "video": ({"inputs": [{"type": "video", "format": "base64", "data": "AAAA"}]}, "unsupported input type: video"),
    "half a character": ({"prompt": "a\ud800"}, "validation error: prompt: Input should be Unicode text, without lone surrogates"),
    "half a character in an item": ({"inputs": [{**TEXT, "data": "\udc00"}]}, "validation error: inputs.0.data: Input should be Unicode text"),
    "no mapping": (5, "validation error: a record should be an object"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_with_a_record(case):
    given, expected = FAULTS[case]
    fault = read_record(given)
    assert isinstance(fault, Fault)
    assert fault.error.startswith(expected)
    assert "\n" not in fault.error
    json.dumps(fault.detail).encode()


def test_all_that_is_wrong_stands_in_the_detail():
    fault = read_record({"prompt": 5, "system": []})
    assert isinstance(fault, Fault)
    assert fault.error == "validation error: system: Input should be a valid string"
    assert fault.detail == "system: Input should be a valid string; prompt: Input should be a valid string"
    long = read_record({"inputs": [{}] * 1000})
    assert isinstance(long, Fault)
    assert len(long.detail) < 600


json_values = st.recursive(
    st.sampled_from([None, True, 3, 2.5, float("nan"), "", "text", "video", "plain", "base64", "é", "\ud800"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "format", "data", "extra"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["system", "instruction", "prompt", "inputs", "more"]), json_values))
def test_no_record_raises(value):
    found = read_record(value)
    if isinstance(found, Fault):
        assert found.error.split(":")[0] in ("validation error", "unsupported input type")
    else:
        assert any([found.system, found.instruction, found.prompt, *(item.data for item in found.items)])
