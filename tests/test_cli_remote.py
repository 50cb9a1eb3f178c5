"""`engine jobs` and `engine files` against a real server."""

import json

import pytest
from recordings import request, write_job, write_plant
from service import serving

from engine.client import Client, ServiceError


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def remote(service, command):
    return lambda *arguments: command(*arguments, "--url", service.address, "--key", service.key)


def test_a_job_from_its_request_to_its_results(remote, tmp_path):
    job = write_job(write_plant(tmp_path), request(batch_size=10, flush_every_n_iteration=1))
    code, said, _ = remote("jobs", "create", job, "--upload", "--wait")
    job_id = said.splitlines()[0]
    assert code == 0
    assert "Job completed" in said
    _, said, _ = remote("jobs", "list", "--status", "COMPLETED", "-q", "line7")
    assert said.split()[:6] == ["id", "status", "inputs", "records", "created", "name"]
    assert any(line.split()[:4] == [job_id, "COMPLETED", "1/1", "137"] for line in said.splitlines())
    assert json.loads(remote("jobs", "show", job_id)[1])["id"] == job_id
    assert len(remote("jobs", "outputs", job_id)[1].splitlines()) == 15
    code, said, _ = remote("jobs", "download", job_id, "--output", tmp_path / "down")
    first = sorted((tmp_path / "down").iterdir())
    assert (code, len(said.splitlines()), len(first)) == (0, 14, 14)
    first[0].write_bytes(b"")
    assert remote("jobs", "download", job_id, "--output", tmp_path / "down")[0] == 0
    assert all(path.stat().st_size for path in first)
    assert "Running job" in remote("jobs", "events", job_id)[1]
    code, _, said = remote("jobs", "cancel", job_id)
    assert (code, "COMPLETED and cannot be cancelled" in said) == (1, True)
    assert remote("jobs", "delete", job_id)[0] == 0
    assert remote("jobs", "show", job_id)[0] == 1


def test_a_dry_run_prints_what_the_request_becomes(remote, tmp_path):
    job = write_job(write_plant(tmp_path), request())
    code, said, _ = remote("jobs", "create", job, "--upload", "--dry-run")
    assert (code, json.loads(said)["valid"]) == (0, True)


def test_files_come_and_go(remote, tmp_path):
    path = tmp_path / "some.csv"
    path.write_text("x\n1\n")
    code, said, _ = remote("files", "upload", path)
    assert code == 0
    assert said.split("\t")[1].strip() == "some.csv"
    assert "some.csv" in remote("files", "list")[1]
    assert remote("files", "delete", "some.csv")[0] == 0
    code, _, said = remote("files", "delete", "some.csv")
    assert (code, "not found" in said) == (1, True)


def test_refusals_carry_every_sentence_and_are_not_tried_again(service, tmp_path):
    with Client(service.address, service.key) as client:
        with pytest.raises(ServiceError) as caught:
            client.create_job({**request(), "name": "", "pipeline_type": "training"})
        assert (caught.value.status, caught.value.code) == (400, "invalid_parameter")
        assert len(str(caught.value).splitlines()) > 1
    with Client(service.address, "wrong") as client, pytest.raises(ServiceError, match="api_key_not_found"):
        list(client.files())


def test_a_service_that_is_not_there_is_said_to_be_so(command, monkeypatch):
    monkeypatch.setattr("engine.client.service.FIRST_PAUSE_S", 0)
    code, _, said = command("jobs", "list", "--url", "http://127.0.0.1:9")
    assert (code, "The service cannot be reached" in said) == (1, True)
