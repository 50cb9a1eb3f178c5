"""The job service over a real socket, with real workers: the life of jobs, kills, and what survives them."""

import base64
import json
import os
import signal
import socket
import time

import httpx
import pytest
from contract import judged
from google_crc32c import Checksum
from recordings import request, write_plant
from service import FINAL, WAIT_S, serving, start

import engine
from engine.jobs.results import read_results
from engine.server.run import _listen

SMALL = {"batch_size": 10, "flush_every_n_iteration": 1}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("home")) as running:
        judged(running)
        running.upload_plant(tmp_path_factory.mktemp("plant"))
        yield running


@pytest.fixture(scope="module")
def done(service):
    job_id = service.create(request(**SMALL))
    return service.wait(job_id)


def test_a_job_gives_what_the_library_gives(service, done, tmp_path):
    assert done["status"] == "COMPLETED"
    write_plant(tmp_path)
    body = request(**SMALL)
    engine.run({**body, "inputs": _with_folder(body["inputs"], tmp_path)}, tmp_path / "job", threads=1)
    frame = read_results(tmp_path / "job").popitem()[1]
    lines = [f"{time},{state}" for time, state in frame.iter_rows()]
    parts = service.outputs(done["id"])
    served = [line for part in parts.values() for line in part.decode().splitlines()[1:]]
    assert served == lines
    assert len(lines) == 137
    assert len(parts) == 14


def _with_folder(inputs, folder):
    return {
        port: [entry | {"file_id": str(folder / entry["file_id"])} for entry in entries]
        for port, entries in inputs.items()
    }


def test_a_job_object_has_the_wires_form(done):
    texts = ("id", "org_id", "name", "pipeline_type", "pipeline_key", "pipeline_version", "status", "created_at")
    assert all(isinstance(done[name], str) for name in texts)
    assert done["pipeline_version"] == "1.1.1"
    assert done["input_progress"] == {"pending": 0, "processing": 0, "completed": 1, "failed": 0}
    assert (done["queue_position"], done["queue_depth"]) == (None, None)
    assert done["completed_at"].endswith("Z")
    assert (done["failed_at"], done["cancelled_at"], done["error"]) == (None, None, None)
    assert done["engine"]["records"] == {"total": 137, "succeeded": 137, "failed": 0, "truncated": 0, "invalid": 0}
    assert done["parameters"]["worker"]["config"]["normalization"] == "shots"


def test_created_jobs_omit_what_only_reading_tells(service):
    made = service.post("/batch/jobs", request(**SMALL), 201)
    assert made["status"] == "PENDING"
    assert "input_progress" not in made
    assert made["queue_position"] >= 1
    assert service.wait(made["id"])["status"] == "COMPLETED"


def test_events_are_newest_first_and_can_be_followed(service, done):
    path = f"/batch/jobs/{done['id']}/events"
    newest = service.get(path, limit=1000)
    ids = [event["id"] for event in newest["events"]]
    assert ids == list(range(len(ids), 0, -1))
    assert newest["total"] == len(ids)
    assert newest["events"][-1]["event_type"] == "job.created"
    assert newest["events"][0]["event_type"] == "job.completed"
    behind = service.get(path, after_id=2)["events"]
    assert [event["id"] for event in behind] == list(range(3, len(ids) + 1))
    assert all(event["message"] and event["level"] for event in behind)
    with service.client.stream("GET", f"/v0.5{path}/stream") as stream:
        text = stream.read().decode()
    told = [line for line in text.splitlines() if line.startswith("id: ")]
    assert told == [f"id: {n}" for n in range(1, len(ids) + 1)]
    assert '"status": "COMPLETED"' in text


def test_progress_has_an_entry_a_flush_and_one_at_the_end(service, done):
    entries = service.get(f"/batch/jobs/{done['id']}/progress", limit=1000)["entries"]
    assert [entry["id"] for entry in entries] == list(range(1, 16))
    assert [entry["metrics"]["items_processed"] for entry in entries] == [*range(10, 131, 10), 137, 137]
    assert entries[-1]["metrics"]["percent_complete"] == 100


def test_inputs_outputs_and_counts_agree(service, done):
    path = f"/batch/jobs/{done['id']}"
    inputs = service.get(f"{path}/inputs")
    assert [one["status"] for one in inputs["inputs"]] == ["completed", "reference", "reference"]
    ref = inputs["inputs"][0]["data"]["ref"]
    assert len(httpx.get(ref).read()) == inputs["inputs"][0]["data"]["num_bytes"]
    outputs = service.get(f"{path}/outputs", limit=5)
    assert (outputs["total"], len(outputs["outputs"])) == (14, 5)
    assert service.get(f"{path}/outputs", port_name="results")["total"] == 14
    assert service.get(f"{path}/outputs", port_name="worker.embeddings")["total"] == 0
    assert service.get(f"{path}/outputs", offset=99)["outputs"] == []
    names = [one["data"]["filename"] for one in outputs["outputs"]]
    assert [name.rsplit("_part_")[1] for name in names] == [f"{n}.csv" for n in range(5)]
    counts = service.get(f"{path}/inputs/progress/counts")
    assert counts == {"job_id": done["id"], **done["input_progress"]}
    item = service.get(f"{path}/inputs/progress")["items"][0]
    assert (item["step"], item["input"]["file_id"]) == (1, "line7.csv")
    for one in outputs["outputs"]:
        assert one["input_file_id"] == "line7.csv"
        assert len(httpx.get(one["data"]["ref"]).read()) == one["data"]["num_bytes"]


def test_traces_can_be_asked_for_again_at_no_cost(service, done):
    path = f"/v0.5/batch/jobs/{done['id']}/inputs/progress/traces"
    first = service.client.get(path, params={"buckets": 3})
    assert len(first.json()["points"]) == 10
    assert first.json()["points"][-1]["files"] == {"completed": 1, "failed": 0}
    again = service.client.get(path, params={"buckets": 3}, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_links_need_no_key_and_cannot_be_forged(service, done):
    ref = service.get(f"/batch/jobs/{done['id']}/outputs")["outputs"][0]["data"]["ref"]
    whole = httpx.get(ref).content
    piece = httpx.get(ref, headers={"Range": "bytes=3-12"})
    assert (piece.status_code, piece.content) == (206, whole[3:13])
    assert httpx.head(ref).headers["content-length"] == str(len(whole))
    other = service.get(f"/batch/jobs/{done['id']}/outputs")["outputs"][1]["id"]
    own = ref.split("/blob/")[1].split("?")[0]
    changed = (
        ref[:-1] + ("0" if ref[-1] != "0" else "1"),
        ref.replace("exp=1", "exp=2"),
        ref.replace(own, other),
        ref.split("?")[0],
    )
    for forged in changed:
        answer = httpx.get(forged)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert httpx.put(ref).status_code == 405


def test_a_job_can_be_found_by_name_status_and_pages(service, done):
    assert service.get("/batch/jobs", q="LINE7-st")["total"] >= 1
    assert service.get("/batch/jobs", q="no such job")["total"] == 0
    assert service.get("/batch/jobs", status=["FAILED", "CANCELLED"])["total"] == 0
    page = service.get("/batch/jobs", limit=1)
    assert len(page["jobs"]) == 1
    newest = [job["created_at"] for job in service.get("/batch/jobs")["jobs"]]
    assert newest == sorted(newest, reverse=True)


def test_paths_may_have_more_slashes_and_the_short_prefix(service, done):
    for path in (f"//v0.5//batch/jobs/{done['id']}", f"/api/batch/jobs/{done['id']}"):
        assert service.client.get(service.address + path).json()["id"] == done["id"]


@pytest.mark.parametrize(
    "call",
    [
        "GET /v0.5/nothing",
        "PUT /v0.5/files",
        "POST /v0.5/fine-tune",
        "GET /v0.5/batch/jobs/job_x",
        "DELETE /v0.5/files/no.csv",
    ],
)
def test_every_error_is_json_with_a_code(service, call):
    method, path = call.split()
    answer = service.client.request(method, path)
    assert answer.status_code in (404, 405)
    body = answer.json()
    assert body["errors"][0]["code"] == body["code"]
    assert body["errors"][0]["error_uid"].startswith("err_")


@pytest.mark.parametrize(
    "path",
    [
        "/files",
        "/batch/jobs",
        "/batch/jobs/queue",
        "/batch/jobs/job_x/outputs",
        "/batch/registry/pipelines",
        "/files/info",
    ],
)
@pytest.mark.parametrize("key", ["", "Bearer wrong", "Basic x"])
def test_nobody_comes_in_without_a_key(service, path, key):
    answer = httpx.get(f"{service.address}/v0.5{path}", headers={"Authorization": key} if key else {})
    assert answer.status_code == 401
    body = answer.json()
    assert body["detail"] == "Invalid access with key: api_key_not_found"
    assert body["errors"][0]["code"] == "unauthorized"


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=x", "offset=-1", "limit=1.5"])
def test_pages_out_of_range_are_refused(service, query):
    answer = service.client.get(f"/v0.5/batch/jobs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_a_wrong_request_is_refused_with_every_problem_and_creates_nothing(service):
    before = service.get("/batch/jobs")["total"]
    body = request(reader_config={"window_size": 1}, batch_size=0)
    body["inputs"]["worker.inference"] = [{"file_id": "missing.csv"}]
    problems = service.post("/batch/jobs", body, 400)["errors"]
    assert {problem["code"] for problem in problems} == {"invalid_parameter", "file_not_found"}
    assert any("window_size must be 2 to 1024; got 1." in problem["message"] for problem in problems)
    assert service.get("/batch/jobs")["total"] == before
    assert service.client.post("/v0.5/batch/jobs", content=b"\xff{").status_code == 400
    lone = service.client.post(
        "/v0.5/batch/jobs", content=b'{"name": "\\ud800"}', headers={"Content-Type": "text/plain"}
    )
    assert lone.status_code == 400
    half = {**request(**SMALL), "name": "half \ud800"}
    assert service.client.post("/v0.5/batch/jobs", content=json.dumps(half)).status_code == 400


def test_a_repeated_key_gives_the_first_job(service):
    send = {"json": request(**SMALL), "headers": {"Idempotency-Key": "once"}}
    first = service.client.post("/v0.5/batch/jobs", **send)
    again = service.client.post("/v0.5/batch/jobs", **send)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = service.client.post("/v0.5/batch/jobs", json=request(), headers=send["headers"])
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    service.wait(first.json()["id"])


def test_a_dry_run_checks_and_creates_nothing(service):
    before = service.get("/batch/jobs")["total"]
    answer = service.post("/batch/jobs?dry_run=true", request(**SMALL))
    assert answer["valid"] is True
    assert answer["estimate"]["windows"] == 137
    assert service.get("/batch/jobs")["total"] == before


def test_a_job_without_a_usable_input_fails_with_a_sentence(service):
    service.upload("short.csv", b"timestamp,speed,current,flow\n1,2,3,4\n")
    body = request(**SMALL)
    body["inputs"]["worker.inference"] = [{"file_id": "short.csv"}]
    job = service.wait(service.create(body))
    assert job["status"] == "FAILED"
    assert "short.csv has 1 rows, fewer than window_size 64" in job["error"]["message"]
    inputs = service.get(f"/batch/jobs/{job['id']}/inputs")["inputs"]
    assert inputs[0]["status"] == "failed"
    again = service.post(f"/batch/jobs/{job['id']}/retry")
    assert again == {"id": job["id"], "status": "PENDING", "retry_count": 1}
    assert service.wait(job["id"])["status"] == "FAILED"


def test_a_final_job_is_deleted_with_all_of_it_and_not_before(service):
    job_id = service.create(request(**SMALL))
    service.wait(job_id)
    ref = service.get(f"/batch/jobs/{job_id}/outputs")["outputs"][0]["data"]["ref"]
    assert service.client.delete(f"/v0.5/batch/jobs/{job_id}").json() == {"id": job_id, "deleted": True}
    assert service.client.get(f"/v0.5/batch/jobs/{job_id}").status_code == 404
    assert httpx.get(ref).status_code == 404
    assert not (service.home / "jobs" / job_id).exists()


def test_files_bound_to_a_job_may_be_replaced_and_deleted(service, tmp_path):
    service.upload("bound.csv", (write_plant(tmp_path) / "line7.csv").read_bytes())
    body = request(**SMALL)
    body["inputs"]["worker.inference"] = [{"file_id": "bound.csv"}]
    job_id = service.create(body)
    service.upload("bound.csv", b"nothing of use")
    assert service.client.delete("/v0.5/files/delete/bound.csv").json()["is_valid"] is True
    assert service.wait(job_id)["status"] == "COMPLETED"
    assert service.client.get("/v0.5/files/metadata/bound.csv").status_code == 404


def test_the_api_page_and_the_metrics_are_there(service):
    paths = httpx.get(f"{service.address}/openapi.json").json()["paths"]
    assert "/v0.5/batch/jobs/{job_id}/events/stream" in paths
    assert httpx.get(f"{service.address}/docs").status_code == 200
    assert 'engine_jobs{status="COMPLETED"}' in httpx.get(f"{service.address}/metrics").text
    assert httpx.get(f"{service.address}/healthz").json()["status"] == "ok"


def test_pipelines_name_their_ports_models_and_defaults(service):
    listed = service.get("/batch/registry/pipelines")
    assert [one["pipeline_key"] for one in listed["pipelines"]] == [
        "machine-state-classification",
        "activity-detection",
    ]
    one = listed["pipelines"][0]
    assert service.get(f"/batch/registry/pipelines/{one['id']}") == one
    schema = one["config_schema"]["worker"]
    assert "omega_1_4_base" in schema["properties"]["model_type"]["enum"]
    assert one["default_config"]["worker"]["config"]["flush_every_n_iteration"] == 150
    assert one["inputs"]["worker.inference"]["distribute"] == "scatter"
    found = service.get("/batch/registry/pipelines/activity-detection/schema")
    assert found["outputs"] == {"worker.result": {"name": "worker.result", "description": "One answer per line."}}
    assert service.client.get("/v0.5/batch/registry/pipelines/none").status_code == 404


@pytest.fixture
def busy(tmp_path):
    """A server with a job that runs for a while, in many flushes, and the outputs of an undisturbed run."""
    with serving(tmp_path / "home") as running:
        running.upload_plant(tmp_path / "plant", rows=2400)
        body = request(batch_size=1, flush_every_n_iteration=3)
        undisturbed = running.create(body)
        running.wait(undisturbed)
        whole = _lines(running.outputs(undisturbed))
        yield running, body, whole


def _lines(outputs):
    return [content for _, content in sorted(outputs.items(), key=lambda item: int(item[0].split("_part_")[1][:-4]))]


def _wait_for_outputs(running, job_id, count):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        job = running.get(f"/batch/jobs/{job_id}")
        total = running.get(f"/batch/jobs/{job_id}/outputs", limit=1)["total"]
        if total >= count or job["status"] in FINAL:
            return total
    raise AssertionError(f"{job_id} has no {count} outputs")


def test_a_killed_worker_costs_nothing_but_time(busy):
    running, body, whole = busy
    job_id = running.create(body)
    for kill in range(1, 4):
        _wait_for_outputs(running, job_id, 100 * kill)
        for pid in running.workers():
            os.kill(pid, signal.SIGKILL)
        running.wait(job_id, "ADMITTED", "RUNNING", "PREEMPTED", *FINAL)
    job = running.wait(job_id)
    assert job["status"] == "COMPLETED"
    assert job["preemption_count"] >= 1
    assert _lines(running.outputs(job_id)) == whole
    assert job["engine"]["records"]["total"] == 2337


def test_a_cancelled_job_stops_and_a_retried_one_goes_on(busy):
    running, body, whole = busy
    job_id = running.create(body)
    _wait_for_outputs(running, job_id, 50)
    answer = running.post(f"/batch/jobs/{job_id}/cancel")
    assert (answer["id"], answer["status"]) == (job_id, "CANCELLED")
    kept = running.get(f"/batch/jobs/{job_id}/outputs", limit=1)["total"]
    assert 50 <= kept < len(whole)
    assert running.client.post(f"/v0.5/batch/jobs/{job_id}/cancel").status_code == 409
    running.post(f"/batch/jobs/{job_id}/retry")
    job = running.wait(job_id)
    assert (job["status"], job["retry_count"]) == ("COMPLETED", 1)
    assert _lines(running.outputs(job_id)) == whole


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_ends_goes_on_at_its_next_start(busy, number):
    running, body, whole = busy
    job_id = running.create(body)
    _wait_for_outputs(running, job_id, 50)
    workers = running.workers()
    code = running.stop(number)
    assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    deadline = time.monotonic() + WAIT_S
    while any(os.path.exists(f"/proc/{pid}") for pid in workers):  # noqa: PTH110 - a look at a process
        assert time.monotonic() < deadline
    if number == signal.SIGTERM:  # the index is only an index
        for path in running.home.glob("engine.db*"):
            path.unlink()
    again = start(running.home, key=running.key)
    try:
        assert again.get("/batch/jobs")["total"] == 2
        job = again.wait(job_id)
        assert job["status"] == "COMPLETED"
        assert _lines(again.outputs(job_id)) == whole
    finally:
        again.stop()


def test_an_answers_body_does_not_wait_for_its_head_to_be_acknowledged():
    with (
        _listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as one,
    ):
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_two_servers_never_share_a_home(service):
    with pytest.raises(AssertionError, match="The server ended with 1"):
        start(service.home)


def test_a_prompt_file_becomes_answers_named_after_its_file(service):
    uid = service.upload("asked.jsonl", b'{"prompt": "Pump: speed 0 rpm, flow 0 m3/h. State?"}\nnonsense\n')["file_uid"]
    body = {
        "name": "answers",
        "pipeline_type": "batch",
        "pipeline_key": "activity-detection",
        "inputs": {"data": {"file_id": "asked.jsonl"}},
        "parameters": {"worker": {"config": {"generation": {"do_sample": False, "max_new_tokens": 16}}}},
    }
    job = service.wait(service.create(body))
    assert job["status"] == "COMPLETED", job["error"]
    ((name, content),) = service.outputs(job["id"]).items()
    assert name == f"inp_{uid[4:]}_output.jsonl"
    lines = [json.loads(line) for line in content.splitlines()]
    assert [line["line_index"] for line in lines] == [0, 1]
    assert lines[0]["prediction"]
    assert lines[1] == {"line_index": 1, "prediction": None, "error": "parse error"}
    assert job["engine"]["records"]["failed"] == 1
    kinds = {event["event_type"] for event in service.get(f"/batch/jobs/{job['id']}/events", limit=1000)["events"]}
    assert {"job.partial", "record.failed"} <= kinds


def test_a_file_comes_in_parts_and_goes_on_after_a_break(service):
    content = b"timestamp,speed\n" + b"1,2.5\n" * 1000
    asked = {"filename": "parts.csv", "file_type": "text/csv", "num_bytes": len(content)}
    first = service.post("/files/uploads/initiate", asked)
    assert (first["strategy"], first["num_parts"], first["is_resume"]) == ("simple", 1, False)
    again = service.post("/files/uploads/initiate", {**asked, "resume_if_started": True})
    assert (again["upload_id"], again["is_resume"], len(again["parts"])) == (first["upload_id"], True, 1)
    assert service.post("/files/uploads/initiate", {**asked, "num_bytes": 7, "resume_if_started": True}, 409)
    path = f"/files/uploads/{first['upload_id']}"
    url = service.post(f"{path}/parts/urls", {"part_numbers": [1, 1]})["parts"][1]["url"]
    assert httpx.put(url, content=content[:-1]).json()["code"] == "invalid_part"
    assert httpx.put(url.replace("sig=", "sig=0"), content=content).status_code == 403
    assert httpx.get(url).status_code in (403, 405)
    tag = httpx.put(url, content=content).headers["etag"]
    assert tag.startswith('"')
    assert service.post(f"{path}/complete", {"parts": []}, 400)["code"] == "invalid_part"
    part = {"part_number": 1, "part_token": tag.strip('"')}
    assert service.post(f"{path}/parts/checkpoint", {"parts": [part]}) == {"num_checkpointed": 1}
    told = service.post("/files/uploads/initiate", {**asked, "resume_if_started": True})
    assert (told["parts"], told["num_parts"], told["total_bytes"]) == ([], 1, len(content))
    checksum = base64.b64encode(Checksum(content).digest()).decode()
    done = service.post(f"{path}/complete", {"parts": [], "integrity_checksum": checksum})
    assert done["file_uid"] == first["file_uid"]
    assert done["file_status"] == "Registered"
    assert done["file_attributes"] == {"column_headers": ["timestamp", "speed"], "num_columns": 2}
    assert service.client.get("/v0.5/files/download/parts.csv").content == content
    assert service.post(f"{path}/complete", {"parts": [part]}, 409)
    assert service.post(f"{path}/abort", None, 409)
    known = service.post("/files/uploads/initiate", asked, 409)
    assert known["message"] == "File already exists: parts.csv"
    service.client.delete("/v0.5/files/parts.csv")
    assert service.post("/files/uploads/initiate", asked)["is_resume"] is False


def test_a_wrong_checksum_gives_an_upload_up_and_frees_its_name(service):
    asked = {"filename": "torn.csv", "num_bytes": 3}
    begun = service.post("/files/uploads/initiate", asked)
    tag = httpx.put(begun["parts"][0]["url"], content=b"a,b").headers["etag"]
    told = {"parts": [{"part_number": 1, "part_token": tag}], "integrity_checksum": "AAAAAA=="}
    path = f"/files/uploads/{begun['upload_id']}"
    assert service.post(f"{path}/complete", told, 400)["code"] == "integrity_check_failed"
    assert service.client.get("/v0.5/files/metadata/torn.csv").status_code == 404
    anew = service.post("/files/uploads/initiate", asked)
    assert service.post(f"/files/uploads/{anew['upload_id']}/abort")["aborted"] is True
    assert service.post(f"/files/uploads/{anew['upload_id']}/abort", None, 404)["code"] == "upload_not_found"


def test_uploads_of_the_simple_kind(service):
    plain = service.client.post(
        "/v0.5/files/base64", files={"file": ("b.csv", base64.b64encode(b"x,y\n1,2\n"), "text/csv")}
    )
    assert set(plain.json()) == {"is_valid", "file_id", "file_uid"}
    service.post(
        "/files/base64", {"filename": "c.csv", "file_type": "text/csv", "data": base64.b64encode(b"x\n1\n").decode()}
    )
    assert service.client.get("/v0.5/files/download/b.csv").content == b"x,y\n1,2\n"
    part = service.client.get("/v0.5/files/download/c.csv", headers={"Range": "bytes=2-"})
    assert (part.status_code, part.content) == (206, b"1\n")
    for name, content, kind, code in (
        ("../x.csv", b"1", "text/csv", "invalid_filename"),
        ("x.exe", b"1", "application/x-msdownload", "invalid_file_type"),
        ("x.csv", b"", "text/csv", "invalid_file_size"),
    ):
        answer = service.client.post("/v0.5/files", files={"file": (name, content, kind)})
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert service.client.post("/v0.5/files", data={"other": "1"}).status_code == 400
    assert service.client.post("/v0.5/files", content=b"no form").status_code == 400
    page = service.get("/files", limit=2)
    behind = service.get("/files", limit=2, after=page["next_cursor"])
    assert not {file["file_uid"] for file in page["data"]} & {file["file_uid"] for file in behind["data"]}
    assert [file["file_uid"] for file in service.get("/files", limit=2, before=behind["prev_cursor"])["data"]] == [
        file["file_uid"] for file in page["data"]
    ]
    bare = service.get("/files/metadata")
    assert len(bare) == service.get("/files/info")["num_files"]
    assert service.get("/files/metadata", shard_index=1, max_items_per_shard=2) == bare[2:4]
    assert service.client.get("/v0.5/files", params={"limit": 1001}).status_code == 400
    for name in ("b.csv", "c.csv"):
        assert service.client.delete(f"/v0.5/files/delete/{name}").status_code == 200
