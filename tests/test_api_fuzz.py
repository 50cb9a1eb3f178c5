"""Whatever the API's own description allows, and much that it does not, over a real socket: the server answers what it describes.

The calls are always the same ones: nothing is drawn by chance.
"""

import itertools
import json
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import schemathesis
from contract import open_plant
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from engine.server.app import create_app

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
    unsupported_method,
]
CONFIG = {
    "phases": {"coverage": {"unexpected-methods": ["PATCH", "TRACE"]}, "stateful": {"enabled": False}},
    "checks": {"negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "405", "409", "413"]}},
}
ALLOWED = settings(
    max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    with open_plant(tmp_path_factory.mktemp("fuzz")) as plant:
        yield plant


@pytest.fixture(scope="module")
def session(plant):
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {plant.service.key}"
        yield session


PICKY = ("/v0.5/files", "/v0.5/files/metadata", "/v0.5/files/download/{file}")  # after or before; bytes that are there
turns = itertools.count()
api = schemathesis.openapi.from_dict(create_app(None).openapi(), config=schemathesis.Config.from_dict(CONFIG))
api = api.exclude(path_regex="events/stream")  # it goes on for as long as a job does


def test_this_is_the_description_that_is_served(plant):
    assert json.loads(json.dumps(create_app(None).openapi())) == plant.contract.document


@api.parametrize()
@ALLOWED
def test_answers_are_those_that_are_described(case, plant, session):
    real = {
        "job_id": plant.partial["id"],
        "pipeline": plant.partial["pipeline_key"],
        "file": "line7.csv",
    }
    if case.method != "DELETE" and next(turns) % 2:
        case.path_parameters.update({name: real[name] for name in case.path_parameters if name in real})
    answer = case.call(base_url=plant.service.address, session=session, timeout=60)
    checks = [*CHECKS]
    sent = dict(parse_qsl(urlsplit(answer.request.url).query, keep_blank_values=True))
    if all(sent.values()) and sent.keys() == (case.query or {}).keys() <= {one.name for one in case.operation.query}:
        checks.append(negative_data_rejection)  # what is empty counts as missing, what is unknown means nothing
    if case.method == "GET" and case.path not in PICKY:
        checks.append(positive_data_acceptance)
    case.validate_response(answer, checks=checks)
    text = answer.content.decode(errors="replace")
    assert str(plant.service.home) not in text
    assert "Traceback" not in text
    if answer.status_code >= 400 and case.method != "HEAD":
        assert json.loads(text)["errors"][0]["code"]
