"""The contract of a job's course: events, progress, inputs, counts, traces, outputs, checkpoints, evaluation."""

from datetime import datetime

import pytest
from contract import ID, TIME


def page(plant, name, **query):
    """Return the list of a page and the page without it."""
    answer = plant.read(f"{plant.path}/{name}", **query)
    (key,) = [key for key, value in answer.items() if isinstance(value, list)]
    assert list(answer) == ["job_id", "total", "offset", "limit", key]
    assert answer["job_id"] == plant.partial["id"]
    return answer.pop(key), answer


# Events


def test_events_are_newest_first_and_never_without_words(plant_service):
    events, whole = page(plant_service, "events")
    assert [event["id"] for event in events] == list(range(whole["total"], 0, -1))
    names = ["id", "event_type", "level", "message", "payload", "input_id", "index", "created_at"]
    assert all(list(event) == names for event in events)
    times = [event["created_at"] for event in events]
    assert times == sorted(times, reverse=True)
    oldest = page(plant_service, "events", order="asc")[0]
    assert oldest == events[::-1]


def test_events_can_be_followed_and_paged(plant_service):
    events, whole = page(plant_service, "events", order="asc")
    behind, rest = page(plant_service, "events", after_id=3, limit=2, order="desc")
    assert behind == events[3:5]
    assert rest["total"] == whole["total"] - 3
    assert page(plant_service, "events", after_id=10**15)[0] == []
    steps = [page(plant_service, "events", offset=n, limit=3)[0] for n in range(0, whole["total"], 3)]
    assert [event for step in steps for event in step] == events[::-1]


def test_events_are_found_by_level_kind_and_input(plant_service):
    events = page(plant_service, "events")[0]
    for name in ("level", "event_type", "input_id"):
        for value in {event[name] for event in events} - {None}:
            found, whole = page(plant_service, "events", **{name: value})
            assert found == [event for event in events if event[name] == value]
            assert whole["total"] == len(found)
    assert page(plant_service, "events", level="NO")[0] == []


EVENTS = {  # of a job with a failed input, a key that means nothing and two kinds of files
    "job.created": ("INFO", set()),
    "config.ignored": ("WARN", {"keys"}),
    "info": ("INFO", set()),
    "running_job": ("INFO", set()),
    "vectorizing_file": ("INFO", set()),
    "inference.completed": ("INFO", {"rows", "total_success", "total_failed"}),
    "inference.success": ("SUCCESS", {"records", "failed_records", "duration_ms"}),
    "inference.failed": ("FAILED", {"records", "failed_records", "duration_ms", "error_code"}),
    "job.partial": ("WARN", set()),
    "job.completed": ("SUCCESS", set()),
}


@pytest.mark.parametrize("kind", EVENTS)
def test_each_kind_of_event_has_its_level_and_payload(plant_service, kind):
    level, keys = EVENTS[kind]
    events = page(plant_service, "events", event_type=kind)[0]
    assert events
    for event in events:
        assert event["level"] == level
        assert keys <= set(event["payload"])


def test_the_words_that_clients_look_for(plant_service):
    events = page(plant_service, "events", order="asc", limit=1000)[0]
    told = [event["message"] for event in events]
    assert told[-1].startswith("Job completed in ")
    assert told[-1].endswith("s")
    assert "Running job" in told
    assert "Using accelerator: cpu" in told
    assert any(text.startswith("Model loaded") and text.endswith(" sec") for text in told)
    assert "Vectorizing file labelled.csv" in told
    assert any(text.startswith("Saving chunk with result for labelled.csv - Done ") for text in told)
    (failed,) = [event for event in events if event["event_type"] == "inference.failed"]
    bad = page(plant_service, "inputs", status="failed")[0][0]
    assert (failed["input_id"], failed["message"]) == (bad["id"], bad["error_message"])
    assert failed["payload"]["error_code"] == "invalid_cell"
    (lost,) = plant_service.read(f"/batch/jobs/{plant_service.failed['id']}/events", event_type="job.failed")["events"]
    assert lost["level"] == "FAILED"
    assert lost["message"].startswith("Job failed: ")
    assert plant_service.failed["error"]["message"].endswith(lost["message"].removeprefix("Job failed: "))


def test_the_stream_ends_with_the_job_and_goes_on_where_one_was(plant_service):
    path = f"/v0.5{plant_service.path}/events/stream"
    total = page(plant_service, "events")[1]["total"]
    whole = plant_service.call("GET", path, 200)
    assert whole.headers["content-type"].startswith("text/event-stream")
    rest = plant_service.call("GET", path, 200, headers={"Last-Event-ID": str(total - 2)})
    for answer, first in ((whole, 1), (rest, total - 1)):
        told = [line for line in answer.text.split("\n") if line.startswith("id: ")]
        assert told == [f"id: {n}" for n in range(first, total + 1)]
        kinds = {line for line in answer.text.split("\n") if line.startswith("event: ")}
        assert kinds == {"event: event", "event: progress", "event: status"}


# Progress and inputs


def test_progress_is_oldest_first_with_an_entry_a_flush_and_one_an_end(plant_service):
    entries, whole = page(plant_service, "progress")
    assert [entry["id"] for entry in entries] == list(range(1, whole["total"] + 1))
    names = ["id", "kind", "step", "message", "metrics", "payload", "input_id", "index", "created_at"]
    assert all(list(entry) == names for entry in entries)
    assert {entry["kind"] for entry in entries} == {"inference"}
    inputs = page(plant_service, "inputs", port_name="inference")[0]
    for one in inputs:
        parts = page(plant_service, "outputs", input_id=one["id"], port_name="results")[1]["total"]
        own = page(plant_service, "progress", input_id=one["id"])[0]
        assert [entry["step"] for entry in own][:parts] == list(range(1, parts + 1))
        assert len(own) == parts + 1
        done = [entry["metrics"]["items_processed"] for entry in own]
        assert done == sorted(done)
    assert page(plant_service, "progress", kind="train")[0] == []
    assert page(plant_service, "progress", kind="inference")[0] == entries
    assert page(plant_service, "progress", offset=3, limit=2)[0] == entries[3:5]


def test_inputs_are_in_request_order(plant_service):
    inputs, whole = page(plant_service, "inputs")
    assert [(one["port_name"], one["file_id"], one["status"]) for one in inputs] == [
        ("worker.inference", "labelled.csv", "completed"),
        ("worker.inference", "bad.csv", "failed"),
        ("worker.n_shots", "idle.csv", "reference"),
        ("worker.n_shots", "run.csv", "reference"),
    ]
    assert whole["total"] == 4
    good, bad, shot, _ = inputs
    assert (good["error_message"], shot["error_message"]) == (None, None)
    assert bad["error_message"].startswith("bad.csv, line 121, column flow: 'oops' is not a number.")
    assert (good["completed_at"] is None, shot["completed_at"]) == (False, None)
    assert good["data"]["metadata"] == {}
    assert shot["data"]["metadata"] == {"class": "idle"}
    assert (good["data"]["file_type"], good["data"]["file_extension"]) == ("text/csv", ".csv")
    assert plant_service.anyone.get(good["data"]["ref"]).num_bytes_downloaded == good["data"]["num_bytes"]
    assert page(plant_service, "inputs", port_name="n_shots")[0][0]["id"] == shot["id"]
    assert page(plant_service, "inputs", port_name="worker.labels")[0] == []
    assert [one["id"] for one in page(plant_service, "inputs", status=["failed", "completed"])[0]] == [
        good["id"],
        bad["id"],
    ]
    assert [one["id"] for one in page(plant_service, "inputs", offset=1, limit=2)[0]] == [bad["id"], shot["id"]]


def test_only_tracked_inputs_have_progress_the_last_changed_first(plant_service):
    items, whole = page(plant_service, "inputs/progress")
    assert whole["total"] == 2
    assert all(list(item) == ["input", "latest_progress", "step"] for item in items)
    assert sorted(item["step"] for item in items) == [1, 2]
    assert [item["step"] for item in items] == [2, 1]
    for item in items:
        last = page(plant_service, "progress", input_id=item["input"]["id"])[0][-1]
        assert item["latest_progress"] == last
    turned = page(plant_service, "inputs/progress", order="asc")[0]
    assert [item["step"] for item in turned] == [1, 2]
    assert [item["step"] for item in page(plant_service, "inputs/progress", status="failed")[0]] == [2]
    assert page(plant_service, "inputs/progress", port_name="n_shots")[0] == []
    assert page(plant_service, "inputs/progress", status="reference")[0] == []


def test_counts_are_those_of_the_job(plant_service):
    counts = plant_service.read(f"{plant_service.path}/inputs/progress/counts")
    assert counts == {"job_id": plant_service.partial["id"], **plant_service.partial["input_progress"]}
    for name, tracked in (("inference", 2), ("worker.inference", 2), ("n_shots", 0), ("worker.no", 0)):
        counts = plant_service.read(f"{plant_service.path}/inputs/progress/counts", port_name=name)
        assert sum(count for key, count in counts.items() if key != "job_id") == tracked


# Traces


def test_traces_are_cumulative_and_end_with_the_job(plant_service):
    path = f"{plant_service.path}/inputs/progress/traces"
    traces = plant_service.read(path)
    assert list(traces) == ["job_id", "bucket_seconds", "latest_event_at", "points"]
    assert traces["latest_event_at"] == page(plant_service, "events", limit=1)[0][0]["created_at"]
    points = traces["points"]
    assert len(points) == 100
    assert points[-1]["t"] == plant_service.partial["completed_at"]
    assert points[-1]["files"] == {"completed": 1, "failed": 1}
    assert points[-1]["step"] == 2
    assert points[-1]["items"]["inference"]["success"] == plant_service.partial["engine"]["records"]["succeeded"]
    assert [point["t"] for point in points] == sorted(point["t"] for point in points)
    assert [point["step"] for point in points] == sorted(point["step"] for point in points)
    apart = (datetime.fromisoformat(points[1]["t"]) - datetime.fromisoformat(points[0]["t"])).total_seconds()
    assert abs(apart - traces["bucket_seconds"]) < 1e-4
    for asked, given in ((0, 10), (-5, 10), (11, 11), (1000, 1000), (5000, 1000)):
        assert len(plant_service.read(path, buckets=asked)["points"]) == given


def test_traces_that_did_not_change_are_not_sent_again(plant_service):
    path = f"/v0.5{plant_service.path}/inputs/progress/traces"
    tag = plant_service.call("GET", path, 200).headers["etag"]
    assert tag.startswith('"')
    assert tag.endswith('"')
    for known in (tag, tag.strip('"'), f"W/{tag}", f'"other", {tag}', "*"):
        again = plant_service.call("GET", path, 304, headers={"If-None-Match": known})
        assert (again.content, again.headers["etag"]) == (b"", tag)
    plant_service.call("GET", path, 200, headers={"If-None-Match": '"other"'})
    plant_service.call("GET", f"{path}?buckets=50", 200, headers={"If-None-Match": tag})


# Outputs


def test_outputs_are_in_commit_order_under_their_full_names(plant_service):
    outputs, whole = page(plant_service, "outputs", port_name="worker.results")
    short, _ = page(plant_service, "outputs", port_name="results")
    assert [one["id"] for one in short] == [one["id"] for one in outputs]
    assert {one["port_name"] for one in outputs} == {"worker.results"}
    vectors = page(plant_service, "outputs", port_name="embeddings")[0]
    assert {one["port_name"] for one in vectors} == {"worker.embeddings"}
    everything, both = page(plant_service, "outputs", limit=1000)
    assert both["total"] == whole["total"] + len(vectors) == len(everything)
    names = [one["data"]["filename"] for one in everything]
    assert len(set(names)) == len(names)
    for one in everything:
        assert (one["input_file_id"] or "").removesuffix(".csv") in one["data"]["filename"]
    turned = page(plant_service, "outputs", order="desc", limit=1000)[0]
    assert [one["id"] for one in turned] == [one["id"] for one in everything][::-1]
    steps = [page(plant_service, "outputs", offset=n, limit=7)[0] for n in range(0, both["total"], 7)]
    assert [one["id"] for step in steps for one in step] == [one["id"] for one in everything]
    assert page(plant_service, "outputs", port_name="result")[0] == []


def test_an_output_has_the_wires_fields_and_is_named_after_its_input(plant_service):
    one_input = page(plant_service, "inputs")[0][0]
    outputs = page(plant_service, "outputs", input_id=one_input["id"], port_name="results")[0]
    assert len(outputs) == 14
    for number, one in enumerate(outputs):
        names = "id job_id port_name input_id input_file_id data expires_at created_at engine"
        assert list(one) == names.split()
        assert one["id"].startswith("out_")
        assert one["input_file_id"] == "labelled.csv"
        assert one["data"]["filename"] == f"{one_input['id']}_output_labelled_part_{number}.csv"
        assert (one["data"]["file_type"], one["data"]["file_extension"]) == ("text/csv", ".csv")
        assert one["engine"]["rows"] == (10 if number < 13 else 7)
        assert (one["engine"]["first_row"], one["engine"]["last_row"]) == (
            number * 10,
            number * 10 + one["engine"]["rows"] - 1,
        )


def test_bytes_and_lines_are_those_that_are_told(plant_service):
    outputs = page(plant_service, "outputs", port_name="results", limit=1000)[0]
    lines = 0
    for one in outputs:
        content = plant_service.anyone.get(one["data"]["ref"]).content
        assert len(content) == one["data"]["num_bytes"]
        head, *rest = content.decode().splitlines()
        assert head == "timestamp,Prediction"
        assert len(rest) == one["engine"]["rows"]
        lines += len(rest)
    assert lines == plant_service.partial["engine"]["records"]["total"]


def test_links_live_as_long_as_asked_and_no_longer(plant_service):
    outputs = page(plant_service, "outputs", limit=1)[0]
    short = page(plant_service, "outputs", limit=1, expires_in=60)[0]
    long = page(plant_service, "outputs", limit=1, expires_in=604_800)[0]
    until = [datetime.fromisoformat(one[0]["expires_at"]).timestamp() for one in (short, outputs, long)]
    assert 3530 <= until[1] - until[0] <= 3600
    assert 601_100 <= until[2] - until[1] <= 601_300
    assert TIME.match(outputs[0]["expires_at"])
    assert f"exp={int(until[1])}" in outputs[0]["data"]["ref"]


def test_links_lead_to_the_host_that_was_asked(plant_service):
    answer = plant_service.call(
        "GET", f"/v0.5{plant_service.path}/outputs?limit=1", 200, headers={"Host": "edge.box:81"}
    )
    assert answer.json()["outputs"][0]["data"]["ref"].startswith("http://edge.box:81/blob/out_")


# Checkpoints and evaluation


def test_inference_has_no_checkpoints(plant_service):
    assert page(plant_service, "checkpoints")[0] == []


def test_an_evaluation_has_every_figure_beside_the_baseline(plant_service):
    found = plant_service.read(f"{plant_service.path}/evaluation")
    assert list(found) == (
        [
            "job_id",
            "final",
            "windows",
            "excluded",
            "accuracy",
            "macro_f1",
            "majority_baseline",
            "per_class",
            "confusion",
        ]
    )
    assert found["final"] is True
    assert found["windows"] == plant_service.partial["engine"]["records"]["total"]
    assert set(found["per_class"]) == {"idle", "run"}
    rows = found["confusion"]["matrix"]
    assert sum(map(sum, rows)) == found["windows"]
    assert found["accuracy"] == sum(rows[n][n] for n in range(2)) / found["windows"]
    assert found["majority_baseline"] == max(map(sum, rows)) / found["windows"]
    for place, name in enumerate(found["confusion"]["classes"]):
        one = found["per_class"][name]
        assert one["support"] == sum(rows[place])
        assert one["recall"] == rows[place][place] / one["support"]
    plain = f"/v0.5/batch/jobs/{plant_service.failed['id']}/evaluation"
    assert plant_service.refused("GET", plain, 404) == "NOT_FOUND"


# Ids and times


def test_ids_and_times_have_their_forms_everywhere(plant_service):
    found, named = [], ("file_id", "input_file_id")  # those are names

    def look(value, key):
        if isinstance(value, dict):
            for name, one in value.items():
                look(one, name)
        elif isinstance(value, list):
            for one in value:
                look(one, key)
        elif (isinstance(value, str) and key == "t") or (str(key).endswith("_at") and value is not None):
            assert TIME.match(value), (key, value)
            found.append(key)
        elif isinstance(value, str) and (key == "id" or str(key).endswith(("_id", "_uid"))) and key not in named:
            assert ID.match(value), (key, value)
            found.append(key)

    names = ("", "/inputs", "/inputs/progress", "/progress", "/outputs", "/inputs/progress/traces")
    for name in names:
        look(plant_service.read(plant_service.path + name), "")
    look(plant_service.read("/files"), "")
    assert {"id", "org_id", "job_id", "input_id", "file_uid", "t", "created_at", "expires_at"} <= set(found)
