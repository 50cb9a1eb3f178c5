"""Workers and their supervisor, with a board in memory: silence, death, cancelling, and an end without leftovers."""

import fcntl
import os
import signal
import threading
import time

import pytest
from boards import body, close_board, open_board, upload_plant

from engine.errors import DiskFull
from engine.jobs import supervisor as module
from engine.jobs.records import Conflict
from engine.jobs.supervisor import Supervisor

WAIT_S = 120.0
ORG = "org_00000000000000000000000001"


@pytest.fixture
def board(tmp_path):
    board = open_board(tmp_path / "home")
    upload_plant(board, tmp_path / "plant", rows=3000)
    yield board
    close_board(board)


def supervise(board, **options):
    return Supervisor(board, board.home.path, board.home.jobs, device="cpu", threads=1, **options)


def wait(check):
    deadline = time.monotonic() + WAIT_S
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def status(board, job):
    return board.get(ORG, job.id).status


def test_no_worker_before_the_first_job_and_none_after_the_end(board):
    supervisor = supervise(board)
    supervisor.start()
    assert supervisor.pids() == []
    job = board.create(ORG, body()).job
    wait(lambda: status(board, job) == "COMPLETED")
    (pid,) = supervisor.pids()
    again = board.create(ORG, body()).job
    wait(lambda: status(board, again) == "COMPLETED")
    assert supervisor.pids() == [pid]  # warm
    supervisor.stop()
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110
    assert threading.active_count() == 1


def test_a_worker_that_hangs_is_ended_and_its_job_goes_on(board):
    supervisor = supervise(board, silence_s=7.0)
    supervisor.start()
    job = board.create(ORG, body(batch_size=1)).job
    wait(lambda: board.outputs(ORG, job.id, limit=1).total > 20)
    (pid,) = supervisor.pids()
    os.kill(pid, signal.SIGSTOP)
    wait(lambda: board.get(ORG, job.id).preemption_count == 1)
    wait(lambda: status(board, job) == "COMPLETED")
    events = [event.event_type for event in board.events(ORG, job.id, limit=10_000).items]
    assert "job.preempted" in events
    assert "job.resumed" in events
    supervisor.stop()


def test_jobs_that_wait_are_cancelled_and_first_come_is_first_served(board):
    jobs = [board.create(ORG, body()).job for _ in range(3)]
    assert [board.queue_place(board.get(ORG, job.id)) for job in jobs] == [(1, 3), (2, 3), (3, 3)]
    board.cancel(ORG, jobs[1].id)
    supervisor = supervise(board)
    supervisor.start()
    wait(lambda: all(status(board, job) == "COMPLETED" for job in (jobs[0], jobs[2])))
    supervisor.stop()
    first, second = (board.get(ORG, job.id) for job in (jobs[0], jobs[2]))
    assert first.completed_at <= second.started_at
    assert status(board, jobs[1]) == "CANCELLED"


def test_a_folder_that_somebody_still_writes_is_waited_for(board):
    """As the worker of a server that was killed may for an instant."""
    stopped, job = (board.create(ORG, body()).job for _ in range(2))
    supervisor = supervise(board)
    with lock(board, stopped), lock(board, job) as journal:
        supervisor.start()
        wait(lambda: status(board, stopped) == "RUNNING")
        board.cancel(ORG, stopped.id)  # the run waits for the lock, and stops where it is
        assert supervisor.pids()
        wait(lambda: status(board, job) == "RUNNING")
        assert status(board, stopped) == "CANCELLED"
        fcntl.flock(journal, fcntl.LOCK_UN)
        wait(lambda: status(board, job) == "COMPLETED")
    supervisor.stop()
    assert board.get(ORG, job.id).preemption_count == 0


def lock(board, job):
    """Lock the journal of a job that nobody runs, and return it open."""
    run = board.folder(job.id).run
    run.mkdir(exist_ok=True)
    journal = (run / "journal.jsonl").open("ab")
    fcntl.flock(journal, fcntl.LOCK_EX)
    return journal


def test_a_failure_does_not_tell_where_on_this_machine_it_was(board):
    job = board.create(ORG, body(batch_size=1)).job
    supervisor = supervise(board)
    supervisor.start()
    wait(lambda: board.outputs(ORG, job.id, limit=1).total > 20)
    supervisor.stop()
    board.cancel(ORG, job.id)
    with lock(board, job), pytest.raises(Conflict, match="cannot go on") as refused:
        board.retry(ORG, job.id)
    assert str(board.home.path) not in refused.value.message
    board.retry(ORG, job.id)
    part = next((board.folder(job.id).run / "results").iterdir())
    part.unlink()
    again = supervise(board)
    again.start()
    wait(lambda: status(board, job) == "FAILED")
    again.stop()
    message = board.get(ORG, job.id).error["message"]
    assert f"run/results/{part.name}" in message
    assert str(board.home.path) not in message


def test_two_workers_run_two_jobs_at_a_time(board):
    supervisor = supervise(board, workers=2)
    supervisor.start()
    jobs = [board.create(ORG, body(batch_size=1)).job for _ in range(2)]
    wait(lambda: all(status(board, job) == "COMPLETED" for job in jobs))
    assert len(supervisor.pids()) == 2
    first, second = (board.get(ORG, job.id) for job in jobs)
    assert second.started_at < first.completed_at
    supervisor.stop()


def test_stopping_lets_a_job_wait_for_the_next_start(board):
    job = board.create(ORG, body(batch_size=1)).job
    supervisor = supervise(board)
    supervisor.start()
    wait(lambda: board.outputs(ORG, job.id, limit=1).total > 20)
    supervisor.stop()
    assert status(board, job) == "PREEMPTED"
    committed = board.outputs(ORG, job.id, limit=1).total
    again = supervise(board)
    again.start()
    wait(lambda: status(board, job) == "COMPLETED")
    again.stop()
    assert board.outputs(ORG, job.id, limit=1).total > committed


def test_what_could_not_be_kept_is_made_good_when_it_can_be(board, monkeypatch, caplog):
    monkeypatch.setattr(module, "RECOVERY_S", 0.05)
    follow, full = board.follow, threading.Event()

    def follow_if_there_is_room(job_id):
        if full.is_set():
            raise DiskFull("The disk is full.")
        follow(job_id)

    monkeypatch.setattr(board, "follow", follow_if_there_is_room)
    supervisor = supervise(board)
    supervisor.start()
    job = board.create(ORG, body(batch_size=3)).job
    wait(lambda: board.outputs(ORG, job.id, limit=1).total > 5)
    full.set()
    wait(lambda: "The workers cannot be started again yet: The disk is full." in caplog.text)
    assert supervisor.pids() == []
    assert status(board, job) == "RUNNING"  # what the index knew last
    full.clear()
    wait(lambda: status(board, job) == "COMPLETED")
    assert board.get(ORG, job.id).preemption_count == 1
    supervisor.stop()


def test_a_supervisor_that_waits_for_room_can_be_stopped(board, monkeypatch):
    monkeypatch.setattr(board, "claim", lambda: 1 / 0)
    supervisor = supervise(board)
    supervisor.start()
    supervisor.stop()
    assert threading.active_count() == 1
