"""The contract of jobs: create, list, read, cancel, retry, delete, queue. Forms are held against the API page by every call."""

import json

import pytest
from contract import ID, TIME, body

JOB = [
    "id",
    "org_id",
    "name",
    "pipeline_type",
    "pipeline_key",
    "pipeline_version",
    "status",
    "parameters",
    "retry_count",
    "preemption_count",
    "queue_position",
    "queue_depth",
    "input_progress",
    "created_at",
    "updated_at",
    "started_at",
    "completed_at",
    "failed_at",
    "cancelled_at",
    "error",
    "engine",
]
NULLED = ("started_at", "completed_at", "failed_at", "cancelled_at", "error")
TERMINAL = ("completed_at", "failed_at", "cancelled_at")
JOBS = "/v0.5/batch/jobs"


@pytest.fixture(scope="module")
def waiting(plant_service, tmp_path_factory):
    """A job that holds the only worker and two that wait; all are cancelled and deleted in the end."""
    rows = b"".join(b"%d,1.5,%d,0\n" % (n, n % 7) for n in range(100_000))
    plant_service.service.upload("long.csv", b"timestamp,speed,current,flow\n" + rows)
    made = [plant_service.service.post("/batch/jobs", body("long.csv"), 201)]
    plant_service.service.wait(made[0]["id"], "RUNNING")
    made += [plant_service.service.post("/batch/jobs", body("line7.csv"), 201) for _ in range(2)]
    yield made
    for job in made:
        plant_service.service.client.post(f"{JOBS}/{job['id']}/cancel")


def test_a_created_job_has_the_fields_of_one_and_omits_what_only_reading_tells(waiting):
    for place, job in enumerate(waiting):
        assert ID.match(job["id"])
        assert job["id"].startswith("job_")
        assert job["org_id"].startswith("org_")
        assert job["status"] == "PENDING"
        assert (job["retry_count"], job["preemption_count"]) == (0, 0)
        assert "input_progress" not in job
        assert [job[name] for name in NULLED] == [None] * 5
        assert job["created_at"] == job["updated_at"]
        assert TIME.match(job["created_at"])
        assert (job["queue_position"], job["queue_depth"]) == (max(1, place), max(1, place))
        assert set(job) == set(JOB) - {"input_progress"}


def test_a_read_job_has_all_fields_and_the_same_ones_in_the_list(plant_service, waiting):
    listed = {job["id"]: job for job in plant_service.read("/batch/jobs")["jobs"]}
    for job in waiting[1:]:
        read = plant_service.read(f"/batch/jobs/{job['id']}")
        assert list(read) == JOB
        assert read == listed[job["id"]]
        assert read["input_progress"] == {"pending": 1, "processing": 0, "completed": 0, "failed": 0}
    running = plant_service.read(f"/batch/jobs/{waiting[0]['id']}")
    assert (running["queue_position"], running["queue_depth"]) == (None, None)
    assert running["started_at"] is not None
    assert [running[name] for name in TERMINAL] == [None] * 3
    assert [plant_service.read(f"/batch/jobs/{job['id']}")["queue_position"] for job in waiting[1:]] == [1, 2]


def test_the_queue_counts_those_that_wait(plant_service, waiting):
    queues = plant_service.read("/batch/jobs/queue")
    assert queues == {"queues": [{"pipeline_type": "batch", "depth": 2}, {"pipeline_type": "training", "depth": 0}]}


def test_a_final_job_has_one_time_of_its_end(plant_service):
    for job, name in ((plant_service.partial, "completed_at"), (plant_service.failed, "failed_at")):
        assert [other for other in TERMINAL if job[other]] == [name]
        assert job["created_at"] <= job["started_at"] <= job[name] <= job["updated_at"]
        assert (job["queue_position"], job["queue_depth"]) == (None, None)
    assert plant_service.partial["error"] is None
    assert plant_service.partial["input_progress"] == {"pending": 0, "processing": 0, "completed": 1, "failed": 1}


def test_a_failed_job_says_why(plant_service):
    error = plant_service.failed["error"]
    assert list(error) == ["code", "message", "error_uid", "input_id"]
    assert error["code"] == "no_windows"
    assert "short.csv has 8 rows, fewer than window_size 64" in error["message"]
    assert ID.match(error["error_uid"])


def test_parameters_are_resolved_and_what_means_nothing_is_kept_and_told(plant_service):
    job = plant_service.partial
    worker = job["parameters"]["worker"]
    assert (worker["parallelism"], worker["config"]["neighbours"]) == (1, 3)
    assert worker["config"]["classifier_config"]["n_neighbors"] == 5
    assert worker["config"]["normalization"] == "shots"
    assert job["engine"]["ignored_config"] == ["parameters.worker.config.neighbours"]
    estimate = job["engine"]["estimate"]
    assert list(estimate) == ["records", "windows", "channel_windows", "output_files", "seconds", "exact"]
    assert estimate["windows"] == 137 + 57
    records = job["engine"]["records"]
    assert records["total"] == records["succeeded"] + records["failed"] + records["invalid"]


def test_traces_of_a_job_that_waits_end_now_and_are_not_sent_again_while_nothing_happens(plant_service, waiting):
    path = f"{JOBS}/{waiting[2]['id']}/inputs/progress/traces"
    traces = plant_service.call("GET", f"{path}?buckets=10", 200)
    points = traces.json()["points"]
    assert len(points) == 10
    assert points[-1]["t"] > waiting[2]["created_at"]
    assert {point["step"] for point in points} == {0}
    tag = {"If-None-Match": traces.headers["etag"]}
    assert plant_service.call("GET", f"{path}?buckets=10", 304, headers=tag).content == b""


# Creation


def test_a_port_takes_one_object_or_many_with_its_full_name_or_the_short_one(plant_service):
    asked = body("line7.csv")
    shots = asked["inputs"]["worker.n_shots"]
    for inputs in (
        {"inference": {"file_id": "line7.csv"}, "n_shots": shots},
        {"worker.inference": {"file_id": "line7.csv"}, "worker.n_shots": shots},
        {"inference": [{"file_id": "line7.csv", "kind": "file"}], "worker.n_shots": shots},
    ):
        checked = plant_service.call("POST", f"{JOBS}?dry_run=true", 200, json={**asked, "inputs": inputs}).json()
        assert list(checked) == ["valid", "parameters", "estimate", "warnings"]
        assert checked["estimate"]["windows"] == 137


def test_a_file_is_named_by_its_name_or_its_uid_and_answers_give_the_name(plant_service, waiting):
    uid = plant_service.read("/files/metadata/line7.csv")["file_uid"]
    job = plant_service.service.post("/batch/jobs", body(uid), 201)
    inputs = plant_service.read(f"/batch/jobs/{job['id']}/inputs")["inputs"]
    assert inputs[0]["file_id"] == inputs[0]["data"]["filename"] == "line7.csv"
    plant_service.call("POST", f"{JOBS}/{job['id']}/cancel", 200)
    plant_service.call("DELETE", f"{JOBS}/{job['id']}", 200)


def edited(**changes):
    return {key: value for key, value in {**body("line7.csv"), **changes}.items() if value is not ...}


REFUSALS = {
    "no name": (edited(name=...), "missing_parameter", "name"),
    "a name of another type": (edited(name=7), "invalid_parameter", "name"),
    "no type": (edited(pipeline_type=...), "missing_parameter", "pipeline_type"),
    "another type": (edited(pipeline_type="training"), "invalid_parameter", "pipeline_type"),
    "no pipeline": (edited(pipeline_key=...), "missing_parameter", "pipeline_key"),
    "an unknown pipeline": (edited(pipeline_key="x"), "INVALID_REQUEST", "pipeline_key 'x' not found in registry"),
    "an unknown version": (edited(pipeline_version="9"), "INVALID_REQUEST", "1.1.1"),
    "an unknown port": (edited(inputs={"worker.x": []}), "INVALID_REQUEST", "worker.x"),
    "no inference files": (body(), "missing_parameter", "Input port worker.inference is required and has no files."),
    "a file that is not there": (
        body("no.csv"),
        "file_not_found",
        "Failed to resolve file inputs: worker.inference[0] 'no.csv' is not uploaded.",
    ),
    "no class": (
        edited(
            inputs={
                "inference": [{"file_id": "line7.csv"}],
                "n_shots": [{"file_id": "idle.csv"}, {"file_id": "run.csv"}],
            }
        ),
        "missing_parameter",
        "worker.n_shots[1] (run.csv) needs metadata.class.",
    ),
    "no parallelism": (edited(parameters={"worker": {"parallelism": 0}}), "invalid_parameter", "parallelism"),
    "a wrong value": (
        body("line7.csv", reader_config={"window_size": 1}),
        "invalid_parameter",
        "reader_config.window_size must be 2 to 1024; got 1.",
    ),
    "too long a window": (
        body("line7.csv", reader_config={"window_size": 1025}),
        "invalid_parameter",
        "reader_config.window_size must be 2 to 1024; got 1025.",
    ),
    "a missing column": (
        body("line7.csv", reader_config={"data_columns": ["speed", "heat"]}),
        "missing_column",
        "has no column 'heat'",
    ),
    "too few examples": (body("line7.csv", classifier_config={"n_neighbors": 500}), "not_enough_shots", "500"),
    "a wrong count of channels": (
        body("line7.csv", model_type="omega_1_3_surface"),
        "invalid_channel_count",
        "model_type omega_1_3_surface takes exactly 9 data_columns; 3 were given.",
    ),
    "an unknown checkpoint": (
        edited(
            inputs={
                "inference": [{"file_id": "line7.csv"}],
                "fine_tune_checkpoint": [{"kind": "checkpoint", "checkpoint_id": "ckp_01m83xnjthe2zbdw95pa7835sy"}],
            }
        ),
        "checkpoint_not_found",
        "ckp_01m83xnjthe2zbdw95pa7835sy",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_and_how(plant_service, case):
    asked, code, words = REFUSALS[case]
    before = plant_service.read("/batch/jobs", limit=1)["total"]
    errors = plant_service.call("POST", JOBS, 400, json=asked).json()["errors"]
    assert any(error["code"] == code and words in error["message"] for error in errors), errors
    plant_service.call("POST", f"{JOBS}?dry_run=true", 400, json=asked)
    assert plant_service.read("/batch/jobs", limit=1)["total"] == before


def test_bodies_are_json_whatever_their_type_is_said_to_be(plant_service):
    text = json.dumps({**body("line7.csv"), "unknown": {"x": 1}}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        headers = {"Content-Type": kind} if kind else {}
        answer = plant_service.call("POST", f"{JOBS}?dry_run=1&unknown=2", 200, content=text, headers=headers)
        assert answer.json()["valid"] is True


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe{}", b"[" * 5000])
def test_a_body_that_is_no_object_is_refused(plant_service, content):
    assert plant_service.refused("POST", JOBS, 400, content=content) == "INVALID_REQUEST"


# Lists


def test_jobs_are_newest_first_filtered_and_counted(plant_service, waiting):
    everything = plant_service.read("/batch/jobs")
    assert list(everything) == ["total", "offset", "limit", "jobs"]
    ids = [job["id"] for job in everything["jobs"]]
    assert ids == sorted(ids, reverse=True)
    assert everything["total"] == len(ids)
    for query, wanted in (
        ({"q": "PARTIAL"}, [plant_service.partial]),
        ({"q": plant_service.failed["id"][6:].upper()}, [plant_service.failed]),
        ({"q": plant_service.failed["id"][6:]}, [plant_service.failed]),
        ({"status": "FAILED"}, [plant_service.failed]),
        ({"status": ["FAILED", "COMPLETED"], "q": "n"}, [plant_service.failed]),
        ({"pipeline_type": "training"}, []),
        ({"pipeline_key": "no-such-pipeline"}, []),
        ({"pipeline_key": "machine-state-classification", "q": "Partial"}, [plant_service.partial]),
    ):
        found = plant_service.read("/batch/jobs", **query)
        assert {one["id"] for one in wanted} <= {one["id"] for one in found["jobs"]}, query
        assert found["total"] == len(found["jobs"])
        assert bool(wanted) == bool(found["jobs"]), query


def test_pages_join_and_the_one_past_the_end_is_empty(plant_service, waiting):
    whole = plant_service.read("/batch/jobs")
    steps = [plant_service.read("/batch/jobs", offset=n, limit=2) for n in range(0, whole["total"], 2)]
    assert [job["id"] for step in steps for job in step["jobs"]] == [job["id"] for job in whole["jobs"]]
    past = plant_service.read("/batch/jobs", offset=whole["total"], limit=10_000)
    assert past == {"total": whole["total"], "offset": whole["total"], "limit": 10_000, "jobs": []}
    assert plant_service.read("/batch/jobs", offset=10**15)["jobs"] == []


# Cancel, retry, delete


def test_a_waiting_job_goes_its_whole_way_and_is_refused_off_it(plant_service, waiting):
    made = plant_service.service.post("/batch/jobs", body("line7.csv"), 201)
    path = f"{JOBS}/{made['id']}"
    for wrong in (("POST", f"{path}/retry"), ("DELETE", path)):
        assert plant_service.refused(*wrong, 409) == "conflict"
    cancelled = plant_service.call("POST", f"{path}/cancel", 200).json()
    assert list(cancelled) == ["id", "status", "cancelled_at"]
    assert (cancelled["id"], cancelled["status"]) == (made["id"], "CANCELLED")
    assert plant_service.refused("POST", f"{path}/cancel", 409) == "conflict"
    read = plant_service.call("GET", path, 200).json()
    assert (read["cancelled_at"], read["queue_position"]) == (cancelled["cancelled_at"], None)
    assert read["input_progress"]["pending"] == 1
    assert plant_service.refused("POST", f"{path}/retry", 400, json={"restart": "yes"}) == "invalid_parameter"
    retried = plant_service.call("POST", f"{path}/retry", 200).json()
    assert retried == {"id": made["id"], "status": "PENDING", "retry_count": 1}
    read = plant_service.call("GET", path, 200).json()
    assert [read[name] for name in NULLED] == [None] * 5
    assert read["updated_at"] > cancelled["cancelled_at"]
    plant_service.call("POST", f"{path}/cancel", 200)
    again = plant_service.call("POST", f"{path}/retry", 200, json={"restart": True}).json()
    assert again["retry_count"] == 2
    plant_service.call("POST", f"{path}/cancel", 200)
    assert plant_service.call("DELETE", path, 200).json() == {"id": made["id"], "deleted": True}
    for method, place in (("GET", path), ("DELETE", path), ("POST", f"{path}/cancel"), ("POST", f"{path}/retry")):
        assert plant_service.refused(method, place, 404) == "NOT_FOUND"


def test_a_completed_job_can_neither_be_cancelled_nor_retried(plant_service):
    path = f"{JOBS}/{plant_service.partial['id']}"
    before = plant_service.call("GET", path, 200).json()
    for what in ("cancel", "retry"):
        assert plant_service.refused("POST", f"{path}/{what}", 409) == "conflict"
    assert plant_service.refused("POST", f"{JOBS}/{plant_service.failed['id']}/cancel", 409) == "conflict"
    assert plant_service.call("GET", path, 200).json() == before


def test_an_idempotency_key_in_header_or_body_gives_the_first_job(plant_service, waiting):
    asked = {**body("line7.csv"), "name": "once"}
    first = plant_service.call("POST", JOBS, 201, json=asked, headers={"Idempotency-Key": "k1"}).json()
    again = plant_service.call("POST", JOBS, 200, json=asked, headers={"Idempotency-Key": "k1"}).json()
    assert again["id"] == first["id"]
    assert set(again) == set(first)
    other = {**asked, "name": "twice"}
    assert plant_service.refused("POST", JOBS, 409, json=other, headers={"Idempotency-Key": "k1"}) == "conflict"
    inside = {**other, "idempotency_key": "k2"}
    made = plant_service.call("POST", JOBS, 201, json=inside).json()
    assert plant_service.call("POST", JOBS, 200, json=inside).json()["id"] == made["id"]
    for job in (first, made):
        plant_service.call("POST", f"{JOBS}/{job['id']}/cancel", 200)
        plant_service.call("DELETE", f"{JOBS}/{job['id']}", 200)
