"""The request envelope: every key, default and former place; wrong types anywhere; all problems at once."""

import copy
import json
from typing import Any

import pytest
from recordings import request

from engine.errors import RequestError
from engine.jobs.request import parse_request
from engine.pipelines.machine_state.config import MachineStateConfig
from engine.pipelines.request import JobRequest

DEFAULTS = {
    "model_type": "omega_1_4_base",
    "batch_size": 32,
    "reader_config": {
        "data_columns": None,
        "timestamp_column": "timestamp",
        "window_size": 64,
        "step_size": 1,
        "separator": ",",
        "decimal": ".",
        "null_values": [],
    },
    "classifier_config": {
        "n_neighbors": 5,
        "metric": "euclidean",
        "weights": "uniform",
        "normalize_embeddings": False,
    },
    "flush_every_n_iteration": 150,
    "normalization": None,
    "missing_values": "ffill",
    "gap_policy": "ignore",
    "max_gap": None,
    "output": {
        "format": "csv",
        "row_index": False,
        "window_bounds": False,
        "probabilities": False,
        "embeddings": False,
    },
    "evaluation": {"label_column": None, "label_rule": "first"},
}
# A request as clients have sent it since the first version.
SEED = """
{
  "name": "line7-states",
  "pipeline_type": "batch",
  "pipeline_key": "machine-state-classification",
  "inputs": {
    "worker.inference": [{"file_id": "line7.csv"}],
    "worker.n_shots": [
      {"file_id": "idle.csv", "metadata": {"class": "idle"}},
      {"file_id": "run.csv", "metadata": {"class": "run"}}
    ]
  },
  "parameters": {
    "worker": {
      "parallelism": 1,
      "config": {
        "model_type": "omega_1_4_base",
        "batch_size": 32,
        "reader_config": {
          "data_columns": ["speed", "current", "flow"],
          "timestamp_column": "timestamp",
          "window_size": 64,
          "step_size": 1
        },
        "classifier_config": {"n_neighbors": 5, "metric": "euclidean", "weights": "uniform"},
        "flush_every_n_iteration": 150
      }
    }
  }
}
"""


def resolved(job: JobRequest) -> dict[str, Any]:
    config: dict[str, Any] = job.parameters["worker"]["config"]
    return config


def problems(body: Any) -> list[str]:
    with pytest.raises(RequestError) as caught:
        parse_request(body)
    return [str(problem) for problem in caught.value.problems]


def with_config(**config: Any) -> list[str]:
    return problems(request(**config))


def test_the_first_form_of_a_request_still_means_the_same():
    job = parse_request(SEED)
    expected = copy.deepcopy(DEFAULTS)
    expected["reader_config"]["data_columns"] = ["speed", "current", "flow"]
    assert resolved(job) == expected
    assert (job.name, job.pipeline.key, job.pipeline.version) == (
        "line7-states",
        "machine-state-classification",
        "1.1.1",
    )
    assert [file.file_id for file in job.on("worker.inference")] == ["line7.csv"]
    assert [(file.file_id, file.metadata) for file in job.on("worker.n_shots")] == [
        ("idle.csv", {"class": "idle"}),
        ("run.csv", {"class": "run"}),
    ]
    assert job.ignored == ()
    assert isinstance(job.config, MachineStateConfig)
    assert job.config.rows_per_part == 4800


def test_every_default():
    body = request()
    del body["parameters"]
    job = parse_request(body)
    assert job.parameters == {"worker": {"parallelism": 1, "config": DEFAULTS}}
    assert job.pipeline.default_config() == job.parameters


def test_every_key_is_taken():
    given = {
        "model_type": "omega_1_3_slb",
        "batch_size": 7,
        "reader_config": {
            "data_columns": ["b", "a"],
            "timestamp_column": "time",
            "window_size": 1024,
            "step_size": 9,
            "separator": ";",
            "decimal": ",",
            "null_values": ["NA", ""],
        },
        "classifier_config": {"n_neighbors": 1, "metric": "l1", "weights": "distance", "normalize_embeddings": True},
        "flush_every_n_iteration": 2,
        "normalization": "window",
        "missing_values": "invalid",
        "gap_policy": "skip",
        "max_gap": 2.5,
        "output": {
            "format": "parquet",
            "row_index": True,
            "window_bounds": True,
            "probabilities": True,
            "embeddings": True,
        },
        "evaluation": {"label_column": "state", "label_rule": "pure"},
    }
    assert set(given) == set(DEFAULTS)
    job = parse_request(request(**given))
    assert resolved(job) == given
    assert job.ignored == ()


@pytest.mark.parametrize(
    ("section", "key", "values"),
    [
        ("classifier_config", "metric", ["euclidean", "l2", "cosine", "manhattan", "l1"]),
        ("classifier_config", "weights", ["uniform", "distance"]),
        ("", "normalization", ["none", "shots", "file", "window", None]),
        ("", "missing_values", ["ffill", "fail", "invalid"]),
        ("", "gap_policy", ["ignore", "mark", "skip"]),
        ("", "max_gap", [1, 0.5, None]),
        ("output", "format", ["csv", "jsonl", "parquet"]),
        ("evaluation", "label_rule", ["first", "last", "majority", "pure"]),
        ("reader_config", "window_size", [2, 1024]),
        ("reader_config", "separator", [";", "\t", "|", " "]),
    ],
)
def test_values_that_are_allowed(section, key, values):
    for value in values:
        config = {section: {key: value}} if section else {key: value}
        found = resolved(parse_request(request(**config)))
        assert (found[section] if section else found)[key] == value


@pytest.mark.parametrize("key", ["data_columns", "timestamp_column"])
def test_former_places_are_moved(key):
    value: Any = ["a"] if key == "data_columns" else "time"
    other: Any = ["b"] if key == "data_columns" else "when"
    job = parse_request(request(**{key: value}))
    assert resolved(job)["reader_config"][key] == value
    assert key not in resolved(job)
    assert job.ignored == ()
    both = parse_request(request(**{key: value, "reader_config": {key: other}}))
    assert resolved(both)["reader_config"][key] == other, "the present place wins"


def test_a_former_place_has_the_same_rules():
    assert with_config(data_columns="speed") == [
        'reader_config.data_columns must be a list of at least one item, each a text that is not empty, or null; got "speed".'
    ]


def test_ports_with_and_without_component_and_single_objects():
    full = parse_request(request())
    body = request()
    body["inputs"] = {"inference": {"file_id": "line7.csv"}, "n_shots": body["inputs"]["worker.n_shots"]}
    assert parse_request(body).inputs == full.inputs
    assert [file.where for file in full.inputs] == ["worker.inference[0]", "worker.n_shots[0]", "worker.n_shots[1]"]


def test_inputs_have_the_same_names_every_time_and_different_ones_each():
    body = request()
    body["inputs"]["worker.inference"] *= 3
    ids = [file.id for file in parse_request(body).inputs]
    assert ids == [file.id for file in parse_request(json.dumps(body)).inputs]
    assert len(set(ids)) == 5
    assert all(name.startswith("inp_") and len(name) == 30 for name in ids)


def test_unknown_keys_are_kept_and_reported_with_what_they_resemble():
    body = request(omega_1_5={"x": 1}, data_source=None, bach_size=3, classifier_config={"neighbors": 2})
    body["parameters"]["driver"] = {"config": {}}
    body["parameters"]["worker"]["cores"] = 4
    body["tags"] = ["night"]
    body["pipline_key"] = "x"
    job = parse_request(body)
    config = "parameters.worker.config."
    assert set(job.ignored) == {
        "tags",
        "pipline_key",
        "parameters.driver",
        "parameters.worker.cores",
        f"{config}omega_1_5",
        f"{config}data_source",
        f"{config}bach_size",
        f"{config}classifier_config.neighbors",
    }
    assert job.hints["pipline_key"] == "pipeline_key"
    assert job.hints[f"{config}bach_size"] == "batch_size"
    assert resolved(job)["omega_1_5"] == {"x": 1}
    assert resolved(job)["bach_size"] == 3
    assert resolved(job)["batch_size"] == 32


@pytest.mark.parametrize("label", [7, 2.5])
def test_numbers_as_classes_become_texts(label):
    body = request()
    body["inputs"]["worker.n_shots"][0]["metadata"]["class"] = label
    assert parse_request(body).on("worker.n_shots")[0].metadata["class"] == str(label)


def test_a_checkpoint_stands_in_for_shots():
    body = request()
    body["inputs"] = {
        "inference": {"file_id": "line7.csv"},
        "fine_tune_checkpoint": {"kind": "checkpoint", "checkpoint_id": "ckpt_1"},
    }
    assert [file.file_id for file in parse_request(body).on("worker.fine_tune_checkpoint")] == ["ckpt_1"]


def test_all_problems_at_once():
    ports = "worker.inference, worker.n_shots, worker.fine_tune_checkpoint, worker.labels"
    body = {
        "name": 3,
        "pipeline_type": [],
        "pipeline_key": "machine-state-classification",
        "pipeline_version": "9",
        "inputs": {"worker.infernce": [], "worker.n_shots": [{"file_id": "run.csv"}, 5]},
        "parameters": {
            "worker": {
                "parallelism": 0,
                "config": {
                    "batch_size": "x",
                    "reader_config": {"window_size": 1, "step_size": 0},
                    "output": {"format": 1},
                },
            }
        },
    }
    assert problems(body) == [
        "name must be a text that is not empty; got 3.",
        "pipeline_type must be a text that is not empty; got [].",
        'pipeline_version "9" of machine-state-classification not found; it has: 1.1.1.',
        f"machine-state-classification has no input port 'worker.infernce'; it has: {ports}.",
        "worker.n_shots[0] (run.csv) needs metadata.class.",
        "worker.n_shots[1] must be an object; got 5.",
        "Input port worker.inference is required and has no files.",
        "parameters.worker.parallelism must be a whole number, at least 1; got 0.",
        'batch_size must be a whole number, at least 1; got "x".',
        "reader_config.window_size must be 2 to 1024; got 1.",
        "reader_config.step_size must be a whole number, at least 1; got 0.",
        "output.format must be one of 'csv', 'jsonl', 'parquet'; got 1.",
    ]


WRONG_CONFIG = {
    "number as section": ({"reader_config": 5}, "reader_config must be an object; got 5."),
    "null as section": ({"output": None}, "output must be an object; got null."),
    "list as section": ({"reader_config": [], "data_columns": ["a"]}, "reader_config must be an object; got []."),
    "number as model": ({"model_type": 5}, "model_type must be a text that is not empty; got 5."),
    "no model": ({"model_type": ""}, 'model_type must be a text that is not empty; got "".'),
    "no column": ({"reader_config": {"data_columns": []}}, "of at least one item"),
    "number as column": ({"reader_config": {"data_columns": ["a", 5]}}, "data_columns[1] must be a text that is not empty; got 5."),
    "column twice": ({"reader_config": {"data_columns": ["a", "b", "a"]}}, "data_columns names a more than once"),
    "time as data": ({"reader_config": {"data_columns": ["timestamp"]}}, "'timestamp' is also one of data_columns"),
    "time called like the result": ({"timestamp_column": "Prediction"}, "timestamp_column must not be 'Prediction'"),
    "window true": ({"reader_config": {"window_size": True}}, "window_size must be a whole number, 2 to 1024; got true."),
    "window text": ({"reader_config": {"window_size": "64"}}, 'window_size must be a whole number, 2 to 1024; got "64".'),
    "window fraction": ({"reader_config": {"window_size": 64.5}}, "must be a whole number, 2 to 1024; got 64.5."),
    "window 2000": ({"reader_config": {"window_size": 2000}}, "reader_config.window_size must be 2 to 1024; got 2000."),
    "step -1": ({"reader_config": {"step_size": -1}}, "step_size must be a whole number, at least 1; got -1."),
    "separator of two": ({"reader_config": {"separator": ";;"}}, 'separator must be one character; got ";;".'),
    "letter as separator": ({"reader_config": {"separator": "a"}}, "reader_config.separator: it must be an ASCII character"),
    "foreign separator": ({"reader_config": {"separator": "é"}}, "got 'é'."),
    "digit as decimal mark": ({"reader_config": {"decimal": "5"}}, "reader_config.decimal: it must be a character"),
    "one mark for both": ({"reader_config": {"separator": "."}}, "separator and decimal must differ"),
    "null values no list": ({"reader_config": {"null_values": "NA"}}, 'null_values must be a list, each a text; got "NA".'),
    "neighbours 0": ({"classifier_config": {"n_neighbors": 0}}, "n_neighbors must be a whole number, at least 1; got 0."),
    "metric": ({"classifier_config": {"metric": "hamming"}}, "metric must be one of 'euclidean', 'l2', 'cosine', 'manhattan', 'l1'; got \"hamming\"."),
    "switch as number": ({"output": {"row_index": 1}}, "output.row_index must be true or false; got 1."),
    "max_gap 0": ({"max_gap": 0}, "max_gap must be a number above 0, or null; got 0."),
    "max_gap text": ({"max_gap": "5"}, 'max_gap must be a number above 0, or null; got "5".'),
    "rule": ({"evaluation": {"label_rule": "any"}}, "label_rule must be one of 'first', 'last', 'majority', 'pure'"),
    "lone surrogate": ({"model_type": "\ud800"}, "model_type must be a text that is not empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_CONFIG)
def test_a_wrong_value_is_named_with_its_place_and_what_fits(case):
    config, expected = WRONG_CONFIG[case]
    found = with_config(**config)
    assert len(found) == 1
    assert expected in found[0]


WRONG_ENVELOPE: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": None}, "name is required."),
    "empty name": ({"name": ""}, 'name must be a text that is not empty; got "".'),
    "no Unicode in the name": ({"name": "a\ud800"}, "name must be a text that is not empty"),
    "no type": ({"pipeline_type": None}, "pipeline_type is required."),
    "other type": ({"pipeline_type": "training"}, "pipeline_type 'training' does not fit machine-state-classification"),
    "no pipeline": ({"pipeline_key": None}, "pipeline_key is required."),
    "unknown pipeline": ({"pipeline_key": "x"}, "pipeline_key 'x' not found in registry (known: machine-state-classification, activity-detection)"),
    "number as version": ({"pipeline_version": 1}, "pipeline_version 1 of machine-state-classification not found; it has: 1.1.1."),
    "text as inputs": ({"inputs": "a.csv"}, 'inputs must be an object; got "a.csv".'),
    "text as file": ({"inputs": {"inference": "a.csv"}}, 'worker.inference[0] must be an object; got "a.csv".'),
    "file without id": ({"inputs": {"inference": {"file": "a.csv"}}}, "worker.inference[0].file_id is required."),
    "number as file id": ({"inputs": {"inference": {"file_id": 5}}}, "worker.inference[0].file_id must be a text that is not empty; got 5."),
    "list as metadata": ({"inputs": {"n_shots": {"file_id": "a", "metadata": []}}}, "worker.n_shots[0].metadata must be an object; got []."),
    "no shots": ({"inputs": {"inference": {"file_id": "a"}}}, "Input port worker.n_shots is required and has no files."),
    "checkpoint among files": ({"inputs": {"inference": {"kind": "checkpoint", "checkpoint_id": "c"}}}, "worker.inference[0].kind must be 'file'; got \"checkpoint\"."),
    "list as class": ({"inputs": {"n_shots": {"file_id": "a", "metadata": {"class": []}}}}, "worker.n_shots[0].metadata.class must be a text; got []."),
    "true as class": ({"inputs": {"n_shots": {"file_id": "a", "metadata": {"class": True}}}}, "worker.n_shots[0].metadata.class must be a text; got true."),
    "reserved class": ({"inputs": {"n_shots": {"file_id": "a", "metadata": {"class": "INVALID_STATE"}}}}, "the class INVALID_STATE is reserved. Give the class another name."),
    "no Unicode in a class": ({"inputs": {"n_shots": {"file_id": "a", "metadata": {"class": "\ud800"}}}}, "metadata.class must be a text of Unicode characters; got '\\ud800'."),
    "list as parameters": ({"parameters": []}, "parameters must be an object; got []."),
    "list as worker": ({"parameters": {"worker": []}}, "parameters.worker must be an object; got []."),
    "list as config": ({"parameters": {"worker": {"config": []}}}, "parameters.worker.config must be an object; got []."),
    "true as parallelism": ({"parameters": {"worker": {"parallelism": True}}}, "parallelism must be a whole number, at least 1; got true."),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_ENVELOPE)
def test_a_wrong_envelope_is_refused(case):
    changes, expected = WRONG_ENVELOPE[case]
    assert any(expected in problem for problem in problems({**request(), **changes}))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", "The request is empty."),
        ("[1]", "The request must hold a JSON object, not [1]."),
        ('{"name": "x", // night\n}', "The request, line 1, column 15: this is not JSON"),
        ('{"a":' * 10_000, "The request is nested too deeply."),
        ('{"name": ' + "9" * 5000 + "}", "The request holds a number with thousands of digits."),
        (b"\xff\xff{}", "The request is not UTF-8 text"),
    ],
)
def test_what_is_no_json_object_is_refused(body, expected):
    assert problems(body)[0].startswith(expected)


def test_codes_and_places_are_those_of_the_wire():
    with pytest.raises(RequestError) as caught:
        parse_request({**request(reader_config={"window_size": 1}), "name": None})
    assert [(problem.code, problem.where) for problem in caught.value.problems] == [
        ("missing_parameter", "name"),
        ("invalid_parameter", "parameters.worker.config.reader_config.window_size"),
    ]


def test_a_value_that_is_long_is_cut():
    (message,) = with_config(model_type=["x" * 10_000])
    assert len(message) < 150


@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
def test_numbers_without_a_form_in_json_are_refused_wherever_they_are(number):
    text = json.dumps({**request(), "parameters": {"data_source": [{"x": 0}]}}).replace('"x": 0', f'"x": {number}')
    with pytest.raises(RequestError, match=r"parameters\.data_source\[0\]\.x must be a number that is finite"):
        parse_request(text)
    known = json.dumps(request(max_gap=0.5)).replace("0.5", number)
    with pytest.raises(RequestError) as raised:
        parse_request(known)
    assert len(raised.value.problems) == 1, "told once, by the key's own rule"


@pytest.mark.parametrize("key", [5, True, ["k"], {"k": 1}, "half \ud800"])
def test_a_key_that_would_not_work_is_refused(key):
    with pytest.raises(RequestError, match="idempotency_key must be a text"):
        parse_request({**request(), "idempotency_key": key})
    assert parse_request({**request(), "idempotency_key": None}).ignored == ()


def test_a_value_that_no_answer_could_hold_is_refused():
    def nested(levels):
        return json.dumps({**request(), "parameters": {"x": 0}}).replace('"x": 0', f'"x": {"[" * levels}{"]" * levels}')

    assert parse_request(nested(62)).ignored == ("parameters.x",)  # with the request itself and `parameters`: 64
    for levels in (63, 260, 900, 950, 980):
        with pytest.raises(RequestError, match="nested"):
            parse_request(nested(levels))
