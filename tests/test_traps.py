"""What has gone wrong on other platforms, each once over a real socket. What other files test of it is not repeated here."""

import json
import time

import pytest
from contract import body

from engine.jobs.access import Access
from engine.jobs.home import Home
from engine.jobs.signing import Signer

JOBS = "/v0.5/batch/jobs"


def run(plant, asked):
    """Run a job to its end and return it with its events and outputs."""
    job = plant.service.wait(plant.service.create(asked))
    path = f"/batch/jobs/{job['id']}"
    events = plant.read(f"{path}/events", limit=1000, order="asc")["events"]
    return job, events, plant.read(f"{path}/outputs", limit=1000)["outputs"]


def lines_of(plant, outputs):
    return [line for one in outputs for line in plant.anyone.get(one["data"]["ref"]).text.splitlines()]


def test_no_request_of_a_client_harms_a_job(plant_service):
    job_id = plant_service.service.create(body("line7.csv"))
    path = f"{JOBS}/{job_id}"
    while plant_service.read(f"/batch/jobs/{job_id}")["status"] not in ("COMPLETED", "FAILED"):
        plant_service.refused("GET", f"{path}/outputs?limit=0", 400)
        plant_service.refused("GET", f"{path}/nothing", 404)
        plant_service.refused("POST", f"{path}/retry", 400, content=b"{")
        plant_service.refused("POST", JOBS, 400, content=b"\xff")
        plant_service.refused("PUT", path, 405)
        with plant_service.anyone.stream("GET", f"{path}/events/stream") as stream:
            assert stream.status_code == 401
        with plant_service.service.client.stream("GET", f"{path}/inputs"):
            pass  # and hang up
    assert plant_service.service.client.get(path).json()["status"] == "COMPLETED"


@pytest.fixture(scope="module")
def ragged(plant_service):
    """A recording with integers before decimals, equal timestamps, missing cells and a gap in time; and its job."""
    rows, clock = [], 0
    for n in range(200):
        clock += 500 if n == 120 else n % 2  # two rows a second
        speed = str(n % 5) if n < 150 else f"{n % 5}.25"
        current = "" if 30 <= n < 34 else "1.5"
        rows.append(f"{clock},{speed},{current},{n % 3}")
    plant_service.service.upload("ragged.csv", "\n".join(["timestamp,speed,current,flow", *rows]).encode())
    stamps = [row.split(",")[0] for row in rows]
    return stamps, *run(plant_service, body("ragged.csv", gap_policy="mark", batch_size=50, output={"row_index": True}))


def test_line_i_is_window_i_whatever_the_timestamps_are(plant_service, ragged):
    stamps, job, _, outputs = ragged
    assert job["status"] == "COMPLETED", job["error"]
    lines = [line.split(",") for line in lines_of(plant_service, outputs) if not line.startswith("timestamp")]
    assert [(line[0], line[2]) for line in lines] == [(stamps[n], str(n)) for n in range(137)]


def test_what_is_filled_or_crosses_a_gap_is_counted(plant_service, ragged):
    _, job, events, outputs = ragged
    lines = [line for line in lines_of(plant_service, outputs) if not line.startswith("timestamp")]
    marked = sum("INVALID_STATE" in line for line in lines)
    assert marked == 63  # windows of 64 rows that hold both sides of the gap
    assert job["engine"]["records"] == {"total": 137, "succeeded": 74, "failed": 0, "truncated": 0, "invalid": 63}
    told = {event["event_type"]: event for event in events}
    assert told["input.gaps"]["level"] == told["input.missing_values"]["level"] == "WARN"
    assert 1 in told["input.gaps"]["payload"].values()
    assert told["input.missing_values"]["payload"]["cells"] == {"current": 4}


def test_windows_that_are_left_out_are_told_of(plant_service, ragged):
    job, events, outputs = run(plant_service, body("ragged.csv", gap_policy="skip", batch_size=50))
    lines = [line for line in lines_of(plant_service, outputs) if not line.startswith("timestamp")]
    assert len(lines) == 74
    assert job["engine"]["records"]["total"] == 74
    (gaps,) = [event for event in events if event["event_type"] == "input.gaps"]
    assert (gaps["payload"]["gaps"], gaps["payload"]["first_row"]) == (1, 120)


@pytest.mark.parametrize(
    ("config", "words"),
    [({"max_video_frames": 65}, "max_video_frames must be 1 to 64; got 65."), ({"batch_size": 0}, "batch_size")],
)
def test_what_is_over_a_bound_is_refused(plant_service, config, words):
    plant_service.service.upload("asked.jsonl", b'{"prompt": "Pump: speed 0 rpm. State?"}\n')
    errors = plant_service.call("POST", JOBS, 400, json=asking("asked.jsonl", **config)).json()["errors"]
    assert words in errors[0]["message"]


def asking(*names, **config):
    """Return a request for answers, the same at every run."""
    generation = {"do_sample": False, "max_new_tokens": 4}
    return {
        "name": "answers",
        "pipeline_type": "batch",
        "pipeline_key": "activity-detection",
        "inputs": {"data": [{"file_id": name} for name in names]},
        "parameters": {"worker": {"config": {"generation": generation, **config}}},
    }


def test_a_declared_type_changes_nothing_and_lines_are_known_by_number_and_file(plant_service):
    content = b'{"prompt": "Pump: speed 0 rpm. State?"}\nnonsense\n{"prompt": "Tank: level 90 %. State?"}\n'
    plant_service.service.upload("one.jsonl", content, "application/x-ndjson")
    plant_service.service.upload("two.jsonl", content, "text/csv")
    job, events, outputs = run(plant_service, asking("one.jsonl", "two.jsonl"))
    assert job["status"] == "COMPLETED", job["error"]
    one, two = ([json.loads(line) for line in lines_of(plant_service, [output])] for output in outputs)
    assert one == two
    assert [line["line_index"] for line in one] == [0, 1, 2]
    assert one[1] == {"line_index": 1, "prediction": None, "error": "parse error"}
    assert {output["input_file_id"] for output in outputs} == {"one.jsonl", "two.jsonl"}
    assert job["engine"]["records"]["failed"] == 2
    assert [event["level"] for event in events if event["event_type"] == "job.partial"] == ["WARN"]
    assert len([event for event in events if event["event_type"] == "record.failed"]) == 2


def test_a_table_given_to_the_wrong_pipeline_fails_with_an_error_a_line(plant_service):
    plant_service.service.upload("table.csv", b"a,b\n1,2\n3,4\n")
    job, _, outputs = run(plant_service, asking("table.csv"))
    assert job["status"] == "FAILED"
    assert [json.loads(line) for line in lines_of(plant_service, outputs)] == [
        {"line_index": n, "prediction": None, "error": "parse error"} for n in range(3)
    ]


def test_a_link_that_expires_during_a_download_does_not_break_it(plant_service):
    content = bytes(range(256)) * (1 << 17)  # 32 MiB: more than lies in the buffers on the way
    uid = plant_service.service.upload("large.txt", content, "text/plain")["file_uid"]
    signer = Signer(Access(Home.open(plant_service.service.home)))
    for lifetime in (2, 8, 32):
        link = f"/blob/{uid}?{signer.sign('GET', uid, int(time.time()) + lifetime)}"
        with plant_service.anyone.stream("GET", link) as slow:
            if slow.status_code == 403:
                continue  # it expired before it was used
            pieces = slow.iter_bytes(1 << 16)
            got = [next(pieces)]
            while plant_service.anyone.head(link).status_code == 200:
                pass
            assert plant_service.anyone.get(link).status_code == 403
            got += pieces
        assert b"".join(got) == content
        break
    plant_service.call("DELETE", "/v0.5/files/large.txt", 200)


def test_a_job_over_thousands_of_files_starts(plant_service):
    rows = "".join(f"{n},1,2,{n % 3}\n" for n in range(64))
    plant_service.service.upload("tiny.csv", f"timestamp,speed,current,flow\n{rows}".encode())
    job_id = plant_service.service.create(body(*["tiny.csv"] * 5000))
    path = f"/batch/jobs/{job_id}"
    waiting = plant_service.read(path)
    assert waiting["engine"]["estimate"]["windows"] == 5000
    assert sum(waiting["input_progress"].values()) == 5000
    pages = [
        plant_service.read(f"{path}/inputs", port_name="inference", offset=n, limit=1000) for n in range(0, 5000, 1000)
    ]
    assert len({one["id"] for page in pages for one in page["inputs"]}) == 5000
    while not plant_service.read(f"{path}/inputs/progress/counts")["completed"]:
        assert plant_service.read(path)["status"] in ("PENDING", "ADMITTED", "RUNNING")
    plant_service.call("POST", f"{JOBS}/{job_id}/cancel", 200)
    plant_service.call("DELETE", f"{JOBS}/{job_id}", 200)
