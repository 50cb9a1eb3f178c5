"""The contract of the registry: pipelines by page, key and id; ports, defaults and the schemas of their configurations."""

import jsonschema_rs
import pytest
from contract import ID

PIPELINES = "/batch/registry/pipelines"
PORTS = {  # key -> version, input ports with (mode, distribute, required, tracked), output ports
    "machine-state-classification": (
        "1.1.1",
        {
            "worker.inference": ("plain_file_list", "scatter", True, True),
            "worker.n_shots": ("n_shot_file_list", "replicate", True, False),
            "worker.fine_tune_checkpoint": ("checkpoint", "replicate", False, False),
            "worker.labels": ("plain_file_list", "replicate", False, False),
        },
        ["worker.results", "worker.embeddings"],
    ),
    "activity-detection": ("0.0.20", {"worker.data": ("plain_file_list", "scatter", True, True)}, ["worker.result"]),
}
KEYS = {  # dotted paths of all keys of the configuration
    "machine-state-classification": """model_type batch_size flush_every_n_iteration normalization missing_values gap_policy max_gap
        reader_config.data_columns reader_config.timestamp_column reader_config.window_size reader_config.step_size
        reader_config.separator reader_config.decimal reader_config.null_values classifier_config.n_neighbors
        classifier_config.metric classifier_config.weights classifier_config.normalize_embeddings output.format output.row_index
        output.window_bounds output.probabilities output.embeddings evaluation.label_column evaluation.label_rule""",
    "activity-detection": """model_variant max_video_frames batch_size generation.do_sample generation.max_new_tokens
        generation.temperature generation.top_k generation.top_p generation.repetition_penalty generation.seed on_truncation
        flush_every_n_iteration output.details output.record""",
}
FIELDS = [
    "id",
    "pipeline_key",
    "pipeline_version",
    "name",
    "description",
    "pipeline_type",
    "components",
    "default_config",
    "config_schema",
    "user_config_schema",
    "edges",
    "inputs",
    "outputs",
    "retry_policy",
    "visibility",
    "org_id",
    "status",
    "created_at",
    "updated_at",
]


def test_pipelines_come_in_pages_and_by_filters(plant_service):
    whole = plant_service.read(PIPELINES)
    assert list(whole) == ["total", "offset", "limit", "pipelines"]
    keys = [one["pipeline_key"] for one in whole["pipelines"]]
    assert set(PORTS) <= set(keys)
    assert whole["total"] == len(keys)
    assert [one["pipeline_key"] for one in plant_service.read(PIPELINES, offset=1, limit=1)["pipelines"]] == keys[1:2]
    for kind in ("batch", "training", "none"):
        found = plant_service.read(PIPELINES, pipeline_type=kind)
        assert found["pipelines"] == [one for one in whole["pipelines"] if one["pipeline_type"] == kind]
    assert plant_service.read(PIPELINES, visibility="platform", status="published") == whole
    for query in ({"visibility": "org"}, {"status": "draft"}, {"status": "deactivated"}, {"status": "deleted"}):
        assert plant_service.read(PIPELINES, **query)["total"] == 0
    assert plant_service.refused("GET", f"/v0.5{PIPELINES}?status=new&visibility=mine", 400) == "invalid_parameter"


@pytest.mark.parametrize("key", PORTS)
def test_a_pipeline_has_its_ports_and_is_the_same_by_key_and_id(plant_service, key):
    version, inputs, outputs = PORTS[key]
    one = plant_service.read(f"{PIPELINES}/{key}")
    assert list(one) == FIELDS
    assert plant_service.read(f"{PIPELINES}/{one['id']}") == one
    assert ID.match(one["id"])
    assert one["id"].startswith("ppl_")
    assert one["components"]["worker"].startswith("cmp_")
    assert (one["pipeline_version"], one["visibility"], one["status"]) == (version, "platform", "published")
    assert one["retry_policy"] == {"max_preemptions": 5}
    assert one["edges"] == []
    assert one["org_id"] == plant_service.partial["org_id"]
    names = ("mode", "distribute", "required", "tracked")
    assert {name: tuple(port[key] for key in names) for name, port in one["inputs"].items()} == inputs
    assert all(port["name"] == name and port["description"] for name, port in one["inputs"].items())
    assert list(one["outputs"]) == outputs


@pytest.mark.parametrize("key", PORTS)
def test_the_schema_has_all_keys_takes_others_and_fits_the_defaults(plant_service, key):
    one = plant_service.read(f"{PIPELINES}/{key}/schema")
    assert list(one) == ["id", "pipeline_key", "pipeline_version", "user_schema", "config_schema", "inputs", "outputs"]
    whole = plant_service.read(f"{PIPELINES}/{key}")
    assert (one["id"], one["inputs"], one["outputs"]) == (whole["id"], whole["inputs"], whole["outputs"])
    assert one["user_schema"] == one["config_schema"] == whole["config_schema"] == whole["user_config_schema"]
    schema = one["config_schema"]["worker"]
    assert flat(schema, schema) == set(KEYS[key].split())
    defaults = whole["default_config"]["worker"]
    assert defaults["parallelism"] == 1
    fits = jsonschema_rs.validator_for(schema)
    fits.validate(defaults["config"])
    fits.validate({**defaults["config"], "omega_1_5": {"x": 1}})
    assert not fits.is_valid({**defaults["config"], "batch_size": 0})


def flat(schema, root, prefix=""):
    """The dotted paths of the keys that have a value of their own."""
    found = set()
    for name, one in schema["properties"].items():
        inner = root["$defs"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        assert inner.get("additionalProperties", True) is not False
        found |= flat(inner, root, f"{prefix}{name}.") if "properties" in inner else {f"{prefix}{name}"}
    return found


def test_models_can_be_discovered(plant_service):
    for key, name, known in (
        ("machine-state-classification", "model_type", {"omega_1_4_base", "omega_1_3_surface"}),
        (
            "activity-detection",
            "model_variant",
            {f"newton/c:{version}-base" for version in ("2.5.1-8b", "2.5.0-8b", "2.4.0-7b", "2.3.0-7b")},
        ),
    ):
        schema = plant_service.read(f"{PIPELINES}/{key}")["config_schema"]["worker"]["properties"][name]
        assert known <= set(schema["enum"])
        assert schema["default"] in schema["enum"]


@pytest.mark.parametrize("path", ["no", "ppl_00000000000000000000000000", "Machine-State-Classification"])
def test_an_unknown_pipeline_is_404_and_names_those_that_are_there(plant_service, path):
    for end in ("", "/schema"):
        error = plant_service.call("GET", f"/v0.5{PIPELINES}/{path}{end}", 404).json()
        assert error["code"] == "NOT_FOUND"
        assert "machine-state-classification" in error["suggestion"]
