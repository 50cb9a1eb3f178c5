"""The board: creation, lists, lifecycle, workers and recovery, on real files, a real index and real runs."""

import json
import threading
from datetime import timedelta

import pytest
import questions
from boards import ORG, body, close_board, load_plan, open_board, run_claimed, upload, upload_plant, work

from engine.errors import DiskFull, RequestError
from engine.jobs import board as module
from engine.jobs.records import Conflict, NotFound
from engine.jobs.stored import StoredJob
from engine.output.files import observe

OTHER = "org_00000000000000000000000002"
BAD = b"timestamp,speed,current,flow\n" + b"".join(b"%d,1,2,3\n" % n for n in range(90)) + b"90,1,2,oops\n"


@pytest.fixture
def board(tmp_path):
    board = open_board(tmp_path / "home")
    upload_plant(board, tmp_path / "plant")
    yield board
    observe(None)
    close_board(board)


def kinds(board, job_id):
    return [one.event_type for one in board.events(None, job_id, order="asc", limit=1000).items]


def result_bytes(board, job_id):
    """The results by name, without the input's id, which each job has of its own."""
    found = {}
    for one in board.outputs(None, job_id, limit=1000).items:
        path = board.output(one.id)[1]
        assert path.stat().st_size == one.num_bytes
        found[one.filename.partition("_output_")[2]] = path.read_bytes()
    return found


class Stopped(BaseException):
    """A worker that dies."""


def die(board, commits):
    """Claim the next job and let its worker die right after so many commits; return the job's id."""
    job = board.claim()
    board.started(job.id, 3)
    point = "journal.synced" if commits else "journal.locked"
    reached = []

    def watch(name):
        reached.append(name)
        if reached.count(point) == max(1, commits):
            raise Stopped

    observe(watch)
    with pytest.raises(Stopped):
        run_claimed(board, job)
    observe(None)
    return job.id


# Creation


def test_a_new_job_waits_with_everything_resolved(board):
    told = []
    board.on_work = lambda: told.append(1)
    made = board.create(ORG, body(["line7.csv"]))
    job = made.job
    assert told == [1]
    assert (job.status, job.pending, job.tracked, job.retry_count, job.started_at) == ("PENDING", 1, 1, 0, None)
    config = job.parameters["worker"]["config"]
    assert config["reader_config"]["data_columns"] == ["speed", "current", "flow"]
    assert config["normalization"] == "shots"
    assert job.engine["model"] == "multiscale"
    assert made.estimate.to_json() == job.engine["estimate"]
    assert (made.estimate.records, made.estimate.channel_windows, made.estimate.output_files) == (137, 411, 14)
    assert made.estimate.exact
    inputs = board.inputs(ORG, job.id).items
    assert [(one.port_name, one.place, one.file_name, one.status) for one in inputs] == [
        ("worker.inference", 0, "line7.csv", "pending"),
        ("worker.n_shots", 0, "idle.csv", "reference"),
        ("worker.n_shots", 1, "run.csv", "reference"),
    ]
    assert [one.metadata for one in inputs] == [{}, {"class": "idle"}, {"class": "run"}]
    assert board.queue() == {"batch": 1, "training": 0}
    assert board.queue_place(job) == (1, 1)
    assert kinds(board, job.id) == ["job.created"]


def test_every_problem_is_told_at_once_and_nothing_is_made(board):
    upload(board, "short.csv", b"timestamp,speed,current\n1,2,3\n")
    with pytest.raises(RequestError) as raised:
        board.create(ORG, body(["gone.csv", "line7.csv", "short.csv"], model_type="no-such-model"))
    assert {problem.code for problem in raised.value.problems} == {
        "file_not_found",
        "missing_column",
        "invalid_parameter",
    }
    with pytest.raises(RequestError) as raised:
        board.create(ORG, body(["gone.csv"], batch_size=0))
    assert [problem.code for problem in raised.value.problems] == ["invalid_parameter", "file_not_found"]
    message = "Failed to resolve file inputs: worker.inference[0] 'gone.csv' is not uploaded."
    assert raised.value.problems[1].message == message
    for broken in (b"", b"[]", b"\xff", b'{"inputs": 3}', b"[" * 100_000):
        with pytest.raises(RequestError):
            board.create(ORG, broken)
    assert board.list(ORG).total == 0
    assert list(board.home.jobs.iterdir()) == []


def test_too_few_shots_are_refused_before_any_work(board):
    with pytest.raises(RequestError) as raised:
        board.create(ORG, body(["line7.csv"], reader_config={"window_size": 101}))
    assert [problem.message for problem in raised.value.problems] == [
        "n-shot file idle.csv has 100 rows, fewer than window_size 101.",
        "n-shot file run.csv has 100 rows, fewer than window_size 101.",
    ]
    with pytest.raises(
        RequestError, match=r"n_neighbors is 5 but the n-shot files give 4 windows of 99 rows"
    ) as raised:
        board.create(ORG, body(["line7.csv"], reader_config={"window_size": 99}))
    assert raised.value.code == "not_enough_shots"
    board.create(ORG, body(["line7.csv"], reader_config={"window_size": 99}, classifier_config={"n_neighbors": 4}))


def test_a_dry_run_checks_everything_and_makes_nothing(board):
    made = board.create(ORG, body(["line7.csv"]), idempotency_key="k", dry_run=True)
    assert made.job is None
    assert made.estimate.records == 137
    assert made.parameters["worker"]["config"]["reader_config"]["data_columns"] == ["speed", "current", "flow"]
    with pytest.raises(RequestError):
        board.create(ORG, body(["gone.csv"]), dry_run=True)
    assert board.list(ORG).total == 0
    assert board.create(ORG, body(["line7.csv"]), idempotency_key="k").repeated is False


def test_a_repeated_key_gives_the_first_job_for_a_day(board, monkeypatch):
    first = board.create(ORG, body(["line7.csv"]), idempotency_key="k")
    spaced = json.dumps(json.loads(body(["line7.csv"])), indent=3).encode()
    again = board.create(ORG, spaced, idempotency_key="k")
    assert (again.repeated, again.job.id, again.estimate) == (True, first.job.id, first.estimate)
    with pytest.raises(Conflict, match="'k' was used with another body"):
        board.create(ORG, body(["line7.csv"], batch_size=9), idempotency_key="k")
    inside = json.dumps({**json.loads(body(["line7.csv"])), "idempotency_key": "j"}).encode()
    assert board.create(ORG, inside).job.id == board.create(ORG, inside).job.id
    assert board.list(ORG).total == 2
    monkeypatch.setattr(module, "IDEMPOTENT_S", -1.0)
    later = board.create(ORG, body(["line7.csv"], batch_size=9), idempotency_key="k")
    assert (later.repeated, board.list(ORG).total) == (False, 3)


def test_of_two_equal_requests_at_a_time_one_makes_the_job(board):
    made = []
    barrier = threading.Barrier(4)

    def send():
        barrier.wait()
        made.append(board.create(ORG, body(["line7.csv"]), idempotency_key="k"))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.job.id for one in made}) == 1
    assert sorted(one.repeated for one in made) == [False, True, True, True]
    assert [path.name for path in board.home.jobs.iterdir()] == [made[0].job.id]


def test_what_means_nothing_is_kept_and_told(board):
    asked = json.loads(body(["line7.csv"], omega_1_5={"x": 1}, neighbours=3))
    asked["parameters"]["data_source"] = {"y": 2}
    asked["parameters"]["worker"]["priority"] = 4
    job = board.create(ORG, json.dumps(asked).encode()).job
    worker = job.parameters["worker"]
    assert job.parameters["data_source"] == {"y": 2}
    assert (worker["priority"], worker["config"]["omega_1_5"], worker["config"]["neighbours"]) == (4, {"x": 1}, 3)
    ignored = [
        "parameters.data_source",
        "parameters.worker.priority",
        "parameters.worker.config.omega_1_5",
        "parameters.worker.config.neighbours",
    ]
    assert sorted(job.engine["ignored_config"]) == sorted(ignored)
    event = board.events(ORG, job.id, event_type="config.ignored").items[0]
    assert (event.level, sorted(event.payload["keys"])) == ("WARN", sorted(ignored))
    assert work(board).status == "COMPLETED"
    assert kinds(board, job.id).count("config.ignored") == 1


def test_a_long_job_is_warned_of_with_a_step_that_helps(board, tmp_path, monkeypatch):
    upload_plant(board, tmp_path / "plant", shot_rows=1000)
    monkeypatch.setattr("engine.jobs.estimate._CHANNEL_WINDOWS_PER_S", 0.05)
    made = board.create(ORG, body(["line7.csv"]))
    (warning,) = made.warnings
    step = int(warning["message"].partition("step_size ")[2].split()[0])
    shorter = board.create(ORG, body(["line7.csv"], reader_config={"step_size": step}), dry_run=True)
    assert made.estimate.seconds > 3600
    assert shorter.estimate.seconds < 60
    assert board.events(ORG, made.job.id, event_type="job.warning").items[0].message == warning["message"]
    upload_plant(board, tmp_path / "plant", shot_rows=70)
    (warning,) = board.create(ORG, body(["line7.csv"])).warnings
    assert "step_size" not in warning["message"], "a larger step leaves too few shots"


def test_files_are_bound_by_uid(board, tmp_path):
    uid = upload(board, "again.csv", (tmp_path / "plant" / "line7.csv").read_bytes())
    job = board.create(ORG, body([uid, "again.csv"])).job
    one, two = board.inputs(ORG, job.id, port_name="inference").items
    assert (one.file_uid, one.file_name, two.file_uid) == (uid, "again.csv", uid)
    assert one.id != two.id
    upload(board, "again.csv", b"something else\n")
    board.files.delete(ORG, "idle.csv")
    done = work(board)
    assert (done.status, done.completed, done.records_total) == ("COMPLETED", 2, 274)


def test_a_column_that_was_not_named_may_be_missing_in_the_run_too(board, tmp_path):
    for name in ("line7.csv", "idle.csv", "run.csv"):
        lines = (tmp_path / "plant" / name).read_text().splitlines()
        upload(board, name, "\n".join(line.partition(",")[2] for line in lines).encode())
    board.create(ORG, body(["line7.csv"]))
    assert work(board).status == "COMPLETED"


# Lists


def test_jobs_are_listed_newest_first_and_found(board):
    made = []
    for name in ("alpha", "Ölpumpe", "beta_1"):
        asked = {**json.loads(body(["line7.csv"])), "name": name}
        made.append(board.create(ORG, json.dumps(asked).encode()).job)
    assert [one.name for one in board.list(ORG).items] == ["beta_1", "Ölpumpe", "alpha"]
    assert [one.name for one in board.list(ORG, offset=1, limit=1).items] == ["Ölpumpe"]
    assert board.list(ORG, offset=9).items == []
    assert board.list(ORG, offset=9).total == 3
    for q, names in (
        ("ÖLP", ["Ölpumpe"]),
        ("a_", ["beta_1"]),
        (made[0].id[4:], ["alpha"]),
        ("STATE-CLASS", [3]),
        ("%", []),
    ):
        found = [one.name for one in board.list(ORG, q=q).items]
        assert found == names or [len(found)] == names, q
    assert board.list(ORG, pipeline_type="training").total == 0
    assert board.list(ORG, pipeline_key="machine-state-classification").total == 3
    board.cancel(ORG, made[1].id)
    assert board.list(ORG, statuses=("CANCELLED",)).items[0].id == made[1].id
    assert board.list(ORG, statuses=("CANCELLED", "PENDING")).total == 3
    assert board.list(OTHER).total == 0


def test_another_organisation_sees_nothing(board):
    job = board.create(ORG, body(["line7.csv"])).job
    for call in (board.get, board.cancel, board.retry, board.delete, board.events, board.progress, board.inputs):
        with pytest.raises(NotFound) as raised:
            call(OTHER, job.id)
        assert raised.value.code == "NOT_FOUND"
    for call in (board.input_progress, board.counts, board.traces, board.outputs, board.evaluation):
        with pytest.raises(NotFound):
            call(OTHER, job.id)
    with pytest.raises(NotFound):
        board.output("out_0")


def test_the_queue_is_first_come_first_served_but_for_the_preempted(board):
    first, second, third = (board.create(ORG, body(["line7.csv"])).job for _ in range(3))
    assert board.claim().id == first.id
    assert board.claim().id == second.id
    board.preempted(second.id, "it died")
    jobs = [board.get(ORG, job.id) for job in (first, second, third)]
    assert [board.queue_place(job) for job in jobs] == [None, (1, 2), (2, 2)]
    assert board.claim("training") is None
    assert [board.claim("batch").id, board.claim().id, board.claim()] == [second.id, third.id, None]


# Runs


def test_a_run_is_followed_from_claim_to_completion(board):
    board.create(ORG, body(["line7.csv"], output={"embeddings": True}))
    job = board.claim()
    assert job.status == "ADMITTED"
    assert board.started(job.id, 4)
    assert board.get(ORG, job.id).status == "RUNNING"
    seen = []

    def look(event):
        board.follow(job.id)
        now = board.get(ORG, job.id)
        seen.append((event.event_type, now.processing, now.completed))
        assert now.tracked == 1

    outcome = run_claimed(board, job, on_event=look)
    board.finished(job.id, outcome)
    done = board.get(ORG, job.id)
    assert (done.status, done.completed, done.error) == ("COMPLETED", 1, None)
    assert done.completed_at is not None
    assert done.started_at is not None
    assert ("vectorizing_file", 1, 0) in seen
    assert (done.records_total, done.records_succeeded) == (137, 137)
    outputs = board.outputs(ORG, job.id, port_name="results").items
    assert [one.part for one in outputs] == list(range(14))
    assert sum(one.rows for one in outputs) == 137
    assert sum(board.output(one.id)[1].read_bytes().count(b"\n") - 1 for one in outputs) == 137
    assert board.outputs(ORG, job.id).total == 28
    assert [one.seq for one in board.outputs(ORG, job.id, order="desc").items] == list(range(28, 0, -1))
    assert board.counts(ORG, job.id) == board.counts(ORG, job.id, "inference")
    assert board.counts(ORG, job.id)["completed"] == 1
    ((one, latest),) = board.input_progress(ORG, job.id).items
    assert (one.step, latest.metrics["items_processed"], latest.worker) == (1, 137, 4)
    assert board.input_names(job.id, [one.id, "inp_x"]) == {one.id: "line7.csv"}
    told = kinds(board, job.id)
    assert told[0] == "job.created"
    assert told[-1] == "job.completed"
    assert told.count("job.completed") == 1
    events = board.events(ORG, job.id)
    assert [event.id for event in events.items] == list(range(events.total, 0, -1))
    assert [event.id for event in board.events(ORG, job.id, after_id=3).items] == list(range(4, events.total + 1))
    assert list(board.folder(job.id).events()) == list(reversed(events.items))
    assert {event.index for event in events.items} == {None, 4}


def test_a_job_with_a_failed_input_is_partial(board):
    upload(board, "bad.csv", BAD)
    board.create(ORG, body(["bad.csv", "line7.csv"]))
    job = work(board)
    assert (job.status, job.completed, job.failed) == ("COMPLETED", 1, 1)
    bad, good = board.inputs(ORG, job.id, port_name="worker.inference").items
    assert (bad.status, bad.error_code, good.status) == ("failed", "invalid_cell", "completed")
    assert "'oops' is not a number" in bad.error_message
    assert [one.id for one in board.inputs(ORG, job.id, status=["failed"]).items] == [bad.id]
    assert bad.records["total"] == sum(one.rows for one in board.outputs(ORG, job.id, input_id=bad.id).items)
    assert kinds(board, job.id).count("job.partial") == 1


def test_a_job_whose_inputs_all_failed_fails(board):
    upload(board, "bad.csv", BAD)
    board.create(ORG, body(["bad.csv"]))
    job = work(board)
    assert (job.status, job.failed, job.error["code"]) == ("FAILED", 1, "invalid_cell")
    assert job.error["error_uid"].startswith("err_")
    assert (job.failed_at is not None, job.completed_at) == (True, None)
    assert kinds(board, job.id).count("job.failed") == 1
    assert board.outputs(ORG, job.id).total > 0


def test_a_run_that_says_too_much_is_not_believed(board):
    board.create(ORG, body(["line7.csv"]))
    job = board.claim()
    board.started(job.id, 0)
    board.finished(job.id, {"status": "completed", "error": None})
    done = board.get(ORG, job.id)
    assert (done.status, done.error["code"]) == ("FAILED", "internal_error")
    assert kinds(board, job.id)[-1] == "job.failed"
    assert board.events(ORG, job.id).items[0].message == f"Job failed: {done.error['message']}"


def test_the_board_says_what_the_run_could_not(board):
    upload(board, "bad.csv", BAD)
    board.create(ORG, body(["bad.csv", "line7.csv"]))
    job = board.claim()
    board.started(job.id, 0)
    outcome = run_claimed(board, job)
    close_board(board)  # and with it what the board has been told
    again = open_board(board.home.path)
    again.recover()
    assert again.get(ORG, job.id).status == "PREEMPTED"
    job = again.claim()
    again.started(job.id, 0)
    again.finished(job.id, outcome)
    assert again.get(ORG, job.id).status == "COMPLETED"
    assert kinds(again, job.id)[-2:] == ["job.partial", "job.completed"]
    close_board(again)


def test_an_evaluation_grows_with_the_run(board, tmp_path):
    lines = (tmp_path / "plant" / "line7.csv").read_text().splitlines()
    labelled = [f"{lines[0]},state"] + [f"{line},{'idle' if n < 100 else 'run'}" for n, line in enumerate(lines[1:])]
    upload(board, "labelled.csv", "\n".join(labelled).encode())
    plain = board.create(ORG, body(["line7.csv"])).job
    with pytest.raises(NotFound, match="has no evaluation"):
        board.evaluation(ORG, plain.id)
    work(board)
    asked = body(
        ["labelled.csv"],
        evaluation={"label_column": "state"},
        reader_config={"data_columns": ["speed", "current", "flow"]},
    )
    job = board.create(ORG, asked).job
    empty = board.evaluation(ORG, job.id)
    assert (empty["final"], empty["windows"], empty["accuracy"]) == (False, 0, None)
    work(board)
    found = board.evaluation(ORG, job.id)
    summary = json.loads((board.folder(job.id).run / "summary.json").read_text())
    assert found == {"job_id": job.id, "final": True, **summary["evaluation"]}
    assert found["windows"] == 137


def test_traces_are_cumulative_and_end_with_the_job(board):
    upload(board, "bad.csv", BAD)
    board.create(ORG, body(["bad.csv", "line7.csv"]))
    job = work(board)
    found = board.traces(ORG, job.id, buckets=7)
    points = found["points"]
    assert len(points) == 10
    assert points[-1]["t"] == job.completed_at
    assert points[-1]["files"] == {"completed": 1, "failed": 1}
    assert points[-1]["items"] == {"inference": {"success": job.records_total, "failed": 0}}
    done = [(one["t"], one["step"], one["items"]["inference"]["success"]) for one in points]
    assert done == sorted(done)
    assert len(board.traces(ORG, job.id, buckets=5000)["points"]) == 1000


# Answers


@pytest.fixture
def answering(board):
    questions.install_model(board.home.path)
    return board


def ask(board, names, **config):
    return board.create(ORG, json.dumps(questions.request(*names, **config)).encode()).job


def test_answers_are_named_after_the_files_uid(answering):
    board = answering
    text = "\n".join(json.dumps(questions.record(n)) for n in range(5))
    uid = upload(board, "asked.jsonl", text.encode())
    other = upload(board, "other.jsonl", b"no record\n")
    job = ask(board, ["asked.jsonl", uid, "other.jsonl"], generation={"do_sample": False})
    done = work(board)
    assert (done.status, done.completed, done.failed) == ("COMPLETED", 2, 1)
    assert (done.records_total, done.records_succeeded, done.records_failed) == (11, 10, 1)
    assert done.engine["token_budget"] == questions.CONTEXT - 8
    inputs = board.inputs(ORG, job.id).items
    outputs = board.outputs(ORG, job.id, port_name="result").items
    assert [one.filename for one in outputs] == [
        f"inp_{uid[4:]}_output.jsonl",
        f"{inputs[1].id}_output.jsonl",
        f"inp_{other[4:]}_output.jsonl",
    ]
    assert [one.input_id for one in outputs] == [one.id for one in inputs]
    first, second = (board.output(one.id)[1].read_bytes() for one in outputs[:2])
    assert first == second
    assert (outputs[0].rows, outputs[0].first_row, outputs[0].last_row) == (5, 0, 4)
    assert inputs[2].error_code == "all_records_failed"


def test_a_seed_is_drawn_once_and_kept(answering):
    board = answering
    upload(board, "asked.jsonl", json.dumps(questions.record(1)).encode())
    jobs = [ask(board, ["asked.jsonl"], generation={"seed": None}) for _ in range(2)]
    seeds = [job.parameters["worker"]["config"]["generation"]["seed"] for job in jobs]
    assert len(set(seeds)) == 2
    assert all(0 <= seed < 2**53 for seed in seeds)
    assert load_plan(board, jobs[0].id).config.generation.seed == seeds[0]
    assert ask(board, ["asked.jsonl"]).parameters["worker"]["config"]["generation"]["seed"] == 7


# Lifecycle


def test_a_waiting_job_is_cancelled_at_once(board):
    job = board.create(ORG, body(["line7.csv"])).job
    cancelled = board.cancel(ORG, job.id)
    assert (cancelled.status, cancelled.cancelled_at is not None) == ("CANCELLED", True)
    assert board.claim() is None
    with pytest.raises(Conflict, match="is CANCELLED and cannot be cancelled"):
        board.cancel(ORG, job.id)
    assert kinds(board, job.id) == ["job.created", "job.cancelled"]


def test_a_running_job_is_cancelled_and_its_worker_stopped(board):
    job = board.create(ORG, body(["line7.csv"])).job
    die(board, 4)
    asked = []

    def stop(job_id):
        assert board.get(ORG, job_id).status == "CANCELLED"
        with pytest.raises(Conflict, match="is being stopped"):
            board.retry(ORG, job_id)
        board.event(job_id, {"event_type": "info", "level": "INFO", "message": "late", "payload": {}, "input_id": None})
        board.finished(job_id, {"status": "stopped", "error": None})
        asked.append(job_id)

    board.on_cancel = stop
    board.cancel(ORG, job.id)
    assert asked == [job.id]
    done = board.get(ORG, job.id)
    assert (done.status, done.pending, done.processing) == ("CANCELLED", 1, 0)
    assert board.outputs(ORG, job.id).total == 4
    assert kinds(board, job.id)[-1] == "job.cancelled"
    board.preempted(job.id, "late")
    board.finished(job.id, {"status": "completed", "error": None})
    assert board.get(ORG, job.id) == done


def test_a_cancelled_claim_is_not_started(board):
    job = board.create(ORG, body(["line7.csv"])).job
    board.claim()
    board.cancel(ORG, job.id)
    assert board.started(job.id, 0) is False


def test_a_preempted_job_goes_on_and_gives_the_same_bytes(board):
    board.create(ORG, body(["line7.csv"]))
    whole = result_bytes(board, work(board).id)
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    started = None
    for count in (3, 0, 5):
        die(board, count)
        started = started or board.get(ORG, job_id).started_at
        board.preempted(job_id, "the worker died")
    waiting = board.get(ORG, job_id)
    assert (waiting.status, waiting.preemption_count, waiting.processing) == ("PREEMPTED", 3, 0)
    done = work(board)
    assert (done.id, done.status, done.started_at, done.retry_count) == (job_id, "COMPLETED", started, 0)
    assert result_bytes(board, job_id) == whole
    assert board.progress(ORG, job_id).total == 15
    events = board.events(ORG, job_id, event_type="job.resumed", order="asc").items
    assert events[0].payload == {"committed_outputs": 3, "resumed_from_row": 30}
    told = kinds(board, job_id)
    assert (told.count("job.preempted"), told.count("job.resumed")) == (3, 3)


def test_five_preemptions_without_progress_fail_the_job(board):
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    for number in range(5):
        assert board.claim().id == job_id, number
        board.started(job_id, 0)
        board.preempted(job_id, "the worker died")
    job = board.get(ORG, job_id)
    assert (job.status, job.error["code"], job.preemption_count) == ("FAILED", "backoff_limit_exceeded", 5)
    assert board.claim() is None
    assert board.retry(ORG, job_id).idle_preemptions == 0


def test_a_retry_keeps_what_was_committed_and_takes_failed_inputs_up_again(board, tmp_path):
    upload(board, "bad.csv", BAD)
    board.create(ORG, body(["bad.csv"]))
    job = work(board)
    parts = board.outputs(ORG, job.id).total
    assert parts > 1
    retried = board.retry(ORG, job.id)
    assert (retried.status, retried.retry_count, retried.error, retried.failed_at) == ("PENDING", 1, None, None)
    assert (retried.pending, retried.failed) == (1, 0)
    kept = board.outputs(ORG, job.id).items
    assert {one.rows for one in kept} == {10}
    assert retried.records_total == 10 * len(kept)
    again = work(board)
    assert (again.status, again.id, board.outputs(ORG, job.id).total) == ("FAILED", job.id, parts)
    assert kinds(board, job.id).count("job.retried") == 1


def test_a_retry_of_a_cancelled_job_goes_on(board):
    board.create(ORG, body(["line7.csv"]))
    whole = result_bytes(board, work(board).id)
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    die(board, 4)
    board.cancel(ORG, job_id)
    board.retry(ORG, job_id)
    assert board.outputs(ORG, job_id).total == 4
    assert work(board).status == "COMPLETED"
    assert result_bytes(board, job_id) == whole


def test_a_retry_from_nothing_discards_the_results(board):
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    die(board, 4)
    board.cancel(ORG, job_id)
    retried = board.retry(ORG, job_id, restart=True)
    assert (retried.status, retried.pending, retried.records_total) == ("PENDING", 1, 0)
    assert board.outputs(ORG, job_id).total == 0
    assert not board.folder(job_id).run.exists()
    done = work(board)
    assert (done.status, done.records_total, board.outputs(ORG, job_id).total) == ("COMPLETED", 137, 14)


def test_a_retry_is_refused_where_it_cannot_be(board):
    job = board.create(ORG, body(["line7.csv"])).job
    with pytest.raises(Conflict, match="is PENDING and cannot be retried"):
        board.retry(ORG, job.id)
    die(board, 4)
    board.cancel(ORG, job.id)
    path = board.output(board.outputs(ORG, job.id).items[0].id)[1]
    board.folder(job.id).journal.read_bytes()
    upload(board, "line7.csv", b"another\n1\n")
    board.files.sweep()
    with pytest.raises(Conflict, match=r"line7\.csv was deleted"):
        board.retry(ORG, job.id)
    assert board.get(ORG, job.id).status == "CANCELLED"
    assert path.exists()


def test_results_that_were_changed_are_not_built_upon(board):
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    die(board, 4)
    board.cancel(ORG, job_id)
    board.output(board.outputs(ORG, job_id).items[0].id)[1].write_bytes(b"")
    with pytest.raises(Conflict, match="cannot go on from where it ended"):
        board.retry(ORG, job_id)
    assert board.retry(ORG, job_id, restart=True).status == "PENDING"


def test_a_final_job_is_deleted_with_everything(board):
    job_id = board.create(ORG, body(["line7.csv"]), idempotency_key="k").job.id
    with pytest.raises(Conflict, match="is PENDING and cannot be deleted"):
        board.delete(ORG, job_id)
    work(board)
    output = board.outputs(ORG, job_id).items[0]
    board.delete(ORG, job_id)
    for call in (lambda: board.get(ORG, job_id), lambda: board.output(output.id), lambda: board.delete(ORG, job_id)):
        with pytest.raises(NotFound):
            call()
    assert list(board.home.jobs.iterdir()) == []
    assert board.files.find(ORG, "line7.csv")
    assert not board.create(ORG, body(["line7.csv"]), idempotency_key="k").repeated


# Recovery


def reopened(board):
    close_board(board)
    again = open_board(board.home.path)
    again.recover()
    return again


def snapshot(board, job_id):
    job = board.get(None, job_id)
    facts = {name: getattr(job, name) for name in job.__slots__ if name not in ("updated_at", "engine")}
    outputs = [(one.id, one.seq, one.sha256) for one in board.outputs(None, job_id).items]
    inputs = [(one.id, one.status, one.records, one.step) for one in board.inputs(None, job_id).items]
    return facts, inputs, outputs, kinds(board, job_id)


def test_an_index_that_was_lost_is_made_again(board):
    upload(board, "bad.csv", BAD)
    jobs = [board.create(ORG, body(["bad.csv", "line7.csv"]), idempotency_key="k").job.id]
    work(board)
    jobs += [board.create(ORG, body(["line7.csv"])).job.id for _ in range(2)]
    board.cancel(ORG, jobs[1])
    before = [snapshot(board, job_id) for job_id in jobs]
    with board.database.write() as sql:
        for table in ("jobs", "inputs", "outputs", "progress", "events", "idempotency"):
            sql.execute(f"DELETE FROM {table}")
    again = reopened(board)
    assert [snapshot(again, job_id) for job_id in jobs] == before
    assert again.create(ORG, body(["bad.csv", "line7.csv"]), idempotency_key="k").job.id == jobs[0]
    assert again.claim().id == jobs[2]
    close_board(again)


def test_making_an_index_again_keeps_the_bytes_of_jobs_that_it_lacks_yet(board):
    first = board.create(ORG, body(["line7.csv"])).job.id
    second = board.create(ORG, body(["line7.csv"])).job.id
    board.cancel(ORG, first)  # final, and bound to the same deleted file as the one that waits
    upload(board, "line7.csv", b"another\n1\n")
    with board.database.write() as sql:
        for table in ("jobs", "inputs", "events"):
            sql.execute(f"DELETE FROM {table}")
    again = reopened(board)
    assert again.get(ORG, second).status == "PENDING"
    assert work(again).status == "COMPLETED"
    close_board(again)


def test_an_index_that_is_behind_its_folders_is_brought_up(board):
    board.create(ORG, body(["line7.csv"]))
    with board.database.write() as sql:
        columns = [row[1] for row in sql.execute("PRAGMA table_info(jobs)")]
        old = tuple(sql.execute("SELECT * FROM jobs").fetchone())
    job = work(board)
    before = snapshot(board, job.id)
    with board.database.write() as sql:  # as it was before the run
        for table in ("outputs", "progress"):
            sql.execute(f"DELETE FROM {table}")
        sql.execute("DELETE FROM events WHERE id > 1")
        sql.execute(
            "UPDATE inputs SET status = 'pending', records = NULL, step = NULL, completed_at = NULL WHERE tracked"
        )
        sql.execute(f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in columns)}", old)
    again = reopened(board)
    assert snapshot(again, job.id) == before
    close_board(again)


def killed(*_):
    raise Stopped


def moved(board, trigger):
    """Bring a job to where a trigger may come, and return what makes it come."""
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    if trigger == "cancel":
        return job_id, lambda: board.cancel(ORG, job_id)
    if trigger == "claim":
        return job_id, board.claim
    if trigger == "retry":
        board.cancel(ORG, job_id)
        return job_id, lambda: board.retry(ORG, job_id)
    job = board.claim()
    if trigger == "start":
        return job_id, lambda: board.started(job_id, 0)
    board.started(job_id, 0)
    if trigger == "preempt":
        return job_id, lambda: board.preempted(job_id, "it died")
    outcome = run_claimed(board, job)
    if trigger == "fail":
        outcome = {"status": "failed", "error": {"code": "x", "message": "y", "input_id": None}}
    return job_id, lambda: board.finished(job_id, outcome)


@pytest.mark.parametrize(
    ("trigger", "status"),
    [
        ("claim", "PREEMPTED"),  # it was held when the server died
        ("start", "PREEMPTED"),
        ("preempt", "PREEMPTED"),
        ("complete", "COMPLETED"),
        ("fail", "FAILED"),
        ("cancel", "CANCELLED"),
        ("retry", "PENDING"),
    ],
)
@pytest.mark.parametrize("point", ["before the folder", "before the index", "before the event"])
def test_a_kill_at_any_point_of_a_change_leaves_it_done_or_not(board, monkeypatch, trigger, status, point):
    job_id, change = moved(board, trigger)
    place = {
        "before the folder": "engine.jobs.folder.JobFolder.append_state",
        "before the index": "engine.jobs.operating.update_state",
        "before the event": "engine.jobs.diary.Diary.emit",
    }[point]
    before = board.get(ORG, job_id).status
    monkeypatch.setattr(place, killed)
    if point == "before the event" and trigger in ("claim", "start", "complete"):
        change()  # nothing is told, or the run told it
    else:
        with pytest.raises(Stopped):
            change()
    monkeypatch.undo()
    again = reopened(board)
    held = {"ADMITTED": "PREEMPTED", "RUNNING": "PREEMPTED"}
    job = again.get(ORG, job_id)
    assert job.status == (held.get(before, before) if point == "before the folder" else status)
    assert again.folder(job_id).last_state().status == job.status
    assert (job.pending, job.completed) in {(1, 0), (0, 1)}
    close_board(again)


@pytest.mark.parametrize(
    ("trigger", "status"), [("claim", "PREEMPTED"), ("start", "PREEMPTED"), ("complete", "COMPLETED")]
)
def test_a_full_disk_in_the_middle_of_a_change_is_made_good(board, monkeypatch, trigger, status):
    job_id, change = moved(board, trigger)

    def refuse(*_):
        raise DiskFull("The disk is full.")

    monkeypatch.setattr("engine.jobs.operating.update_state", refuse)
    monkeypatch.setattr("engine.jobs.recovery.update_state", refuse)
    with pytest.raises(DiskFull):
        change()
    before = board.get(ORG, job_id).status
    with pytest.raises(DiskFull):
        board.start_over("the disk was full")
    assert board.get(ORG, job_id).status == before
    monkeypatch.undo()
    board.start_over("the disk was full")
    assert board.get(ORG, job_id).status == status
    if status == "PREEMPTED":
        assert work(board).status == "COMPLETED"


def test_a_state_that_the_index_could_not_take_counts_at_the_next_claim(board, monkeypatch):
    job_id, change = moved(board, "retry")

    def refuse(*_):
        raise DiskFull("The disk is full.")

    monkeypatch.setattr("engine.jobs.operating.update_state", refuse)
    with pytest.raises(DiskFull):
        change()
    monkeypatch.undo()
    assert board.get(ORG, job_id).status == "CANCELLED"
    assert board.claim().id == job_id


def test_a_kill_in_a_creation_leaves_a_job_or_none(board, monkeypatch):
    monkeypatch.setattr("engine.jobs.board.insert_job", killed)
    monkeypatch.setattr("engine.jobs.folder.JobFolder.remove", lambda _: None)  # a kill runs nothing
    with pytest.raises(Stopped):
        board.create(ORG, body(["line7.csv"]), idempotency_key="k")
    monkeypatch.undo()
    again = reopened(board)
    (job,) = again.list(ORG).items
    assert (job.status, job.pending) == ("PENDING", 1)
    assert again.create(ORG, body(["line7.csv"]), idempotency_key="k").job.id == job.id
    assert work(again).status == "COMPLETED"
    close_board(again)


def test_a_job_that_ran_when_the_server_died_waits_again(board):
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    die(board, 5)
    again = reopened(board)
    job = again.get(ORG, job_id)
    assert (job.status, job.preemption_count, job.pending) == ("PREEMPTED", 1, 1)
    assert again.outputs(ORG, job_id).total == 5
    assert again.events(ORG, job_id).items[0].payload["reason"] == "the server was restarted"
    assert work(again).status == "COMPLETED"
    close_board(again)


def test_what_was_half_made_or_half_removed_is_gone(board):
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    work(board)
    board.folder(job_id).path.rename(board.home.jobs / f".{job_id}.gone")
    (board.home.jobs / ".job_x.new").mkdir()
    again = reopened(board)
    assert again.list(ORG).total == 0
    assert list(again.home.jobs.iterdir()) == []
    close_board(again)


def test_a_retry_from_nothing_that_was_cut_short_is_ended(board, monkeypatch):
    job_id = board.create(ORG, body(["line7.csv"])).job.id
    die(board, 4)
    board.cancel(ORG, job_id)

    monkeypatch.setattr("engine.jobs.folder.JobFolder.discard_run", killed)
    with pytest.raises(Stopped):
        board.retry(ORG, job_id, restart=True)
    monkeypatch.undo()
    again = reopened(board)
    job = again.get(ORG, job_id)
    assert (job.status, job.records_total, again.outputs(ORG, job_id).total) == ("PENDING", 0, 0)
    assert work(again).records_total == 137
    close_board(again)


def test_a_folder_that_cannot_be_read_is_in_nobodys_way(board):
    broken = board.create(ORG, body(["line7.csv"])).job.id
    good = board.create(ORG, body(["line7.csv"])).job.id
    (board.folder(broken).path / "state.jsonl").write_text("")
    again = reopened(board)
    assert again.get(ORG, broken).error["code"] == "job_unreadable"
    assert again.claim().id == good
    close_board(again)


def test_a_stored_job_is_read_back_as_it_was(board):
    job = board.create(ORG, body(["line7.csv", "idle.csv"])).job
    values = board.folder(job.id).read()
    stored = StoredJob.from_json(values)
    assert stored.to_json() == values
    request = stored.to_request()
    assert [file.id for file in request.inputs] == [one.id for one in board.inputs(ORG, job.id).items]
    assert load_plan(board, job.id).config.model_dump(mode="json") == job.parameters["worker"]["config"]


def test_a_day_is_a_day():
    assert timedelta(seconds=module.IDEMPOTENT_S) == timedelta(days=1)


def test_a_new_job_is_told_as_it_was_born_however_quick_a_worker_is(board):
    board.on_work = board.claim
    made = board.create(ORG, body(["line7.csv"]))
    assert (made.job.status, made.place) == ("PENDING", (1, 1))
    assert made.job.updated_at == made.job.created_at
    assert board.get(ORG, made.job.id).status == "ADMITTED"
