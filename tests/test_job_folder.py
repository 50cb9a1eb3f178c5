"""A job's folder: whole or not there, its last state whatever a kill left, and removal."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.errors import OutputError
from engine.jobs.folder import JobFolder, find_folders
from engine.jobs.states import State, advance
from engine.output.events import Events

CREATED = State.created("2026-11-23T09:00:00.000000Z")
CLAIMED = advance("job_a", CREATED, "claim", "2026-11-23T09:00:01.000000Z")


@pytest.fixture
def folder(tmp_path):
    folder = JobFolder(tmp_path / "job_a")
    folder.create({"name": "Grüße"}, CREATED)
    return folder


def test_a_new_folder_says_what_was_asked(folder):
    assert folder.read() == {"name": "Grüße"}
    assert folder.last_state() == CREATED
    assert folder.exists
    assert sorted(path.name for path in folder.path.parent.iterdir()) == ["job_a"]


def test_the_last_whole_line_counts(folder):
    folder.append_state(CLAIMED)
    assert folder.last_state() == CLAIMED
    assert len((folder.path / "state.jsonl").read_text().splitlines()) == 2


@quick
@given(cut=st.integers(0, 400), lines=st.integers(1, 4))
def test_a_kill_in_the_middle_of_a_line_leaves_the_state_before(tmp_path_factory, cut, lines):
    folder = JobFolder(tmp_path_factory.mktemp("jobs") / "job_a")
    states = [CREATED]
    folder.create({}, CREATED)
    for _ in range(lines):
        trigger = "claim" if states[-1].status in ("PENDING", "PREEMPTED") else "preempt"
        states.append(advance("job_a", states[-1], trigger, "2026-11-23T09:00:01.000000Z"))
        folder.append_state(states[-1])
    path = folder.path / "state.jsonl"
    size = path.stat().st_size
    torn = len(states[-1].to_json()) + 1
    os.truncate(path, size - min(cut, torn))
    expected = states[-2] if cut else states[-1]
    assert folder.last_state() == expected
    folder.append_state(CLAIMED)
    assert folder.last_state() == CLAIMED
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_state_of_any_length_is_found(folder):
    long = State("FAILED", "t", None, failed_at="t", error={"message": "x" * 100_000})
    folder.append_state(CLAIMED)
    folder.append_state(long)
    assert folder.last_state() == long


def test_a_folder_without_a_state_is_unreadable(folder):
    (folder.path / "state.jsonl").write_text("{")
    with pytest.raises(OutputError, match=r"state\.jsonl cannot be read") as raised:
        folder.last_state()
    assert raised.value.code == "job_unreadable"
    (folder.path / "job.json").write_text("[1]")
    with pytest.raises(OutputError, match=r"job\.json cannot be read"):
        folder.read()


def test_a_name_that_is_taken_is_refused_and_stays(folder):
    with pytest.raises(OutputError):
        folder.create({"name": "another"}, CREATED)
    assert folder.read() == {"name": "Grüße"}
    assert sorted(path.name for path in folder.path.parent.iterdir()) == ["job_a"]


def test_removing_is_whole_and_may_be_repeated(folder):
    (folder.run / "results").mkdir(parents=True)
    (folder.run / "results" / "part").write_bytes(b"x")
    folder.remove()
    folder.remove()
    assert list(folder.path.parent.iterdir()) == []


def test_discarding_takes_the_run_only(folder):
    folder.run.mkdir()
    folder.journal.write_text("")
    folder.discard_run()
    folder.discard_run()
    assert sorted(path.name for path in folder.path.iterdir()) == ["job.json", "state.jsonl"]


def test_what_a_kill_left_of_making_and_removing_is_swept(folder):
    jobs = folder.path.parent
    for name in (".job_b.new", ".job_c.gone"):
        (jobs / name).mkdir()
        (jobs / name / "job.json").write_text("{}")
    (jobs / "notes").mkdir()  # not ours: it stays, and is no job
    assert find_folders(jobs) == [folder]
    assert sorted(path.name for path in jobs.iterdir()) == ["job_a", "notes"]
    assert find_folders(jobs / "missing") == []


def test_events_are_read_back_up_to_a_torn_line(folder):
    assert list(folder.events()) == []
    with Events(folder.path) as events:
        told = [events.emit("info", "INFO", str(n), {"n": n}) for n in range(3)]
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(b'{"id": 4, "ev')
    assert list(folder.events()) == told
    assert list(folder.events(after_id=2)) == told[2:]
