"""The contract of what all calls share: which there are, paths, keys, errors, bounds of pages; and the API page that tells of it."""

import http.client
import json
import re
import socket

import pytest
from contract import ID

import engine

NOWHERE = "00000000000000000000000000"
IDS = {
    "job_id": f"job_{NOWHERE}",
    "file": f"fil_{NOWHERE}",
    "pipeline": f"ppl_{NOWHERE}",
    "upload_id": f"upl_{NOWHERE}",
    "place": f"out_{NOWHERE}",
    "number": "1",
}
CALLS = """
POST /v0.5/batch/jobs 201
GET /v0.5/batch/jobs 200
GET /v0.5/batch/jobs/queue 200
GET /v0.5/batch/jobs/{job_id} 200
POST /v0.5/batch/jobs/{job_id}/cancel 200
POST /v0.5/batch/jobs/{job_id}/retry 200
DELETE /v0.5/batch/jobs/{job_id} 200
GET /v0.5/batch/jobs/{job_id}/events 200
GET /v0.5/batch/jobs/{job_id}/events/stream 200
GET /v0.5/batch/jobs/{job_id}/progress 200
GET /v0.5/batch/jobs/{job_id}/inputs 200
GET /v0.5/batch/jobs/{job_id}/inputs/progress 200
GET /v0.5/batch/jobs/{job_id}/inputs/progress/counts 200
GET /v0.5/batch/jobs/{job_id}/inputs/progress/traces 200
GET /v0.5/batch/jobs/{job_id}/outputs 200
GET /v0.5/batch/jobs/{job_id}/checkpoints 200
GET /v0.5/batch/jobs/{job_id}/evaluation 200
GET /v0.5/batch/registry/pipelines 200
GET /v0.5/batch/registry/pipelines/{pipeline} 200
GET /v0.5/batch/registry/pipelines/{pipeline}/schema 200
POST /v0.5/files 200
POST /v0.5/files/base64 200
GET /v0.5/files 200
GET /v0.5/files/info 200
GET /v0.5/files/metadata 200
GET /v0.5/files/metadata/{file} 200
GET /v0.5/files/download/{file} 200
DELETE /v0.5/files/delete/{file} 200
DELETE /v0.5/files/{file} 200
POST /v0.5/files/uploads/initiate 200
POST /v0.5/files/uploads/{upload_id}/parts/urls 200
POST /v0.5/files/uploads/{upload_id}/parts/checkpoint 200
POST /v0.5/files/uploads/{upload_id}/complete 200
POST /v0.5/files/uploads/{upload_id}/abort 200
PUT /blob/{upload_id}/{number} 200
GET /blob/{place} 200
HEAD /blob/{place} 200
GET /healthz 200
GET /metrics 200
"""
TABLE = [tuple(line.split()) for line in CALLS.split("\n") if line]
KEYED = [(method, path) for method, path, _ in TABLE if path.startswith("/v0.5")]
SIGNED = [(method, path) for method, path, _ in TABLE if path.startswith("/blob")]
LISTS = [
    "/batch/jobs",
    "/batch/registry/pipelines",
    *(f"{{job}}/{name}" for name in ("events", "progress", "inputs", "inputs/progress", "outputs", "checkpoints")),
]


def filled(path):
    return re.sub(r"\{(\w+)\}", lambda name: IDS[name[1]], path)


def test_these_calls_are_there_and_described_and_no_others(plant_service):
    described = {
        (method.upper(), path)
        for path, methods in plant_service.contract.document["paths"].items()
        for method in methods
    }
    assert described == {(method, path) for method, path, _ in TABLE}
    for method, path, status in TABLE:
        operation = plant_service.contract.document["paths"][path][method.lower()]
        assert status in operation["responses"]
        assert "500" in operation["responses"]
        assert ("401" in operation["responses"]) == (operation.get("security") != [])
        assert operation["summary"][0].isupper()
        assert not operation["summary"].endswith(".")
        named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))
        assert all(one["description"] for one in operation["parameters"])
        assert len({one["name"] for one in operation["parameters"]}) == len(operation["parameters"])
    ids = [one["operationId"] for path in plant_service.contract.document["paths"].values() for one in path.values()]
    assert len(set(ids)) == len(ids)


def test_the_page_tells_of_all_calls_and_needs_nothing_from_elsewhere(plant_service):
    page = plant_service.anyone.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for _, path, _ in TABLE:
        assert f'<span class="path">{path}</span>' in page.text
    for name in plant_service.contract.document["components"]["schemas"]:
        assert f'<details id="{name}">' in page.text
    assert not re.findall(r"""(?:src|href)=["'](?!#|/openapi\.json)""", page.text)
    assert "https:" not in page.text
    named = set(re.findall(r'href="#([^"]+)"', page.text))
    assert named <= set(re.findall(r'id="([^"]+)"', page.text))


# Keys


@pytest.mark.parametrize(("method", "path"), KEYED)
def test_every_call_but_those_of_links_wants_a_key(plant_service, method, path):
    for headers in ({}, {"Authorization": "Bearer eng_unknown"}):
        answer = plant_service.anyone.request(method, filled(path), headers=headers)
        assert answer.status_code == 401
        body = answer.json()
        assert set(body) == {"detail", "errors"}
        assert body["detail"] == "Invalid access with key: api_key_not_found"
        assert [error["code"] for error in body["errors"]] == ["unauthorized"]


@pytest.mark.parametrize(("method", "path"), SIGNED)
def test_links_want_their_signature_and_no_key(plant_service, method, path):
    answer = plant_service.service.client.request(method, filled(path), content=b"x" if method == "PUT" else None)
    assert answer.status_code == 403
    if method != "HEAD":
        assert answer.json()["errors"][0]["code"] == "forbidden"


def test_who_watches_needs_no_key(plant_service):
    health = plant_service.anyone.get("/healthz").json()
    assert (health["status"], health["version"]) == ("ok", engine.__version__)
    metrics = plant_service.anyone.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert re.search(r'^engine_jobs\{status="FAILED"\} \d+$', metrics.text, re.MULTILINE)


# Paths


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/nothing",
        "/v0.5",
        "/v0.5/agents",
        "/v0.5/query",
        "/v0.5/lens",
        "/v0.5/models",
        "/v0.5/fine-tune",
        "/v0.7/files",
        "/v0.5/files/",
        "/v0.5/batch/jobs/a/b/c",
        "/v0.5/files/uploads/x/y",
        "/%ff%00",
        "/docs/oauth2-redirect",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_path_that_is_not_here_is_json_too(plant_service, method, path):
    assert plant_service.refused(method, path, 404) == "NOT_FOUND"


@pytest.mark.parametrize("path", sorted({path for _, path, _ in TABLE} - {"/v0.5/files/{file}"}))
def test_a_wrong_method_is_json_too_and_names_the_right_ones(plant_service, path):
    right = {method for method, other, _ in TABLE if other == path}
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - right:
        if method == "DELETE" and (path.startswith("/v0.5/files/") or path.endswith("/queue")):
            continue  # there it is the name of a file, or of a job
        answer = plant_service.service.client.request(method, filled(path))
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) >= right
        if method != "HEAD":
            assert answer.json()["errors"][0]["code"] == "method_not_allowed"


@pytest.mark.parametrize(("method", "path"), [one for one in KEYED if "_id}" in one[1] or "{file}" in one[1]])
def test_an_unknown_id_is_404(plant_service, method, path):
    body = {"part_numbers": [1], "parts": []} if method == "POST" else None
    code = plant_service.refused(method, filled(path), 404, json=body)
    assert code == ("upload_not_found" if "upload_id" in path else "NOT_FOUND")


def test_slashes_may_repeat_and_the_short_prefix_stands_for_the_long_one(plant_service):
    address, job_id = plant_service.service.address, plant_service.partial["id"]
    for path in (
        f"//v0.5/batch/jobs/{job_id}",
        f"/v0.5//batch///jobs/{job_id}",
        f"/api/batch/jobs/{job_id}",
        f"//api//batch/jobs/{job_id}",
    ):
        answer = plant_service.service.client.get(address + path)
        assert (answer.status_code, answer.json()["id"]) == (200, job_id)


# Pages


def unsigned(entries):
    """Entries without the signatures of their links, which tell the second of the answer."""
    return [json.loads(re.sub(r"\?exp=[^\"]*", "", json.dumps(entry))) for entry in entries]


@pytest.mark.parametrize("path", LISTS)
def test_pages_have_bounds_a_default_and_nothing_past_their_end(plant_service, path):
    place = path.replace("{job}", plant_service.path)
    first = plant_service.read(place)
    assert (first["offset"], first["limit"]) == (0, 100)
    past = plant_service.read(place, offset=first["total"] + 5, limit=10_000)
    assert (past["total"], past["offset"], past["limit"]) == (first["total"], first["total"] + 5, 10_000)
    (name,) = [key for key, value in past.items() if isinstance(value, list)]
    assert past[name] == []
    assert unsigned(plant_service.read(place, limit="", offset="")[name]) == unsigned(first[name])
    for query in (
        "limit=0",
        "limit=10001",
        "limit=-1",
        "limit=1.0",
        "limit=x",
        "offset=-1",
        "offset=1e3",
        "offset=%00",
    ):
        assert plant_service.refused("GET", f"/v0.5{place}?{query}", 400) == "invalid_parameter", query
    both = plant_service.call("GET", f"/v0.5{place}?limit=0&offset=-1", 400).json()["errors"]
    assert len(both) == 2


@pytest.mark.parametrize(
    "query",
    [
        "events?order=up",
        "events?after_id=-1",
        "events?after_id=x",
        "inputs/progress?order=up",
        "inputs/progress/traces?buckets=x",
        "outputs?order=up",
        "outputs?expires_in=59",
        "outputs?expires_in=604801",
    ],
)
def test_other_parameters_have_bounds_too(plant_service, query):
    assert plant_service.refused("GET", f"/v0.5{plant_service.path}/{query}", 400) == "invalid_parameter"


def test_unknown_parameters_mean_nothing(plant_service):
    assert plant_service.read(plant_service.path, x=1, limit="x") == plant_service.partial


# Errors


def test_every_error_has_an_id_of_its_own_and_a_sentence(plant_service):
    seen = set()
    for _ in range(3):
        body = plant_service.call("GET", "/v0.5/batch/jobs?limit=0&offset=x", 400).json()
        assert list(body) == ["errors", "code", "message", "error_uid"]
        assert body["message"] == "offset must be a whole number, 0 to 1000000000000000; got 'x'."
        for error in body["errors"]:
            assert ID.match(error["error_uid"])
            seen.add(error["error_uid"])
    assert len(seen) == 6


@pytest.mark.parametrize("path", ["/v0.5/batch/jobs", "/v0.5/files/uploads/initiate", "/v0.5/files/base64"])
def test_what_is_too_large_is_one_error_and_is_not_waited_for(plant_service, path):
    service = plant_service.service
    host, _, port = service.address.partition("//")[2].partition(":")
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.key}\r\nContent-Length: {(64 << 20) + 1}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(head.encode())
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.status == 413
        errors = json.loads(answer.read())["errors"]
    assert [error["code"] for error in errors] == ["payload_too_large"]
