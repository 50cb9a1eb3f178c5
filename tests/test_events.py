"""Events: numbered from 1, on and on through resumes, in one order for file and callback."""

import json
import re
import resource
import threading
from pathlib import Path

import pytest

from engine.errors import DiskFull, OutputError
from engine.output.events import Event, Events


def read(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_an_event_has_the_form_of_the_wire(tmp_path: Path) -> None:
    seen: list[Event] = []
    with Events(tmp_path, seen.append) as events:
        event = events.emit("input.gaps", "WARN", "2 gaps \u2028", {"gaps": 2}, input_id="inp_0", index=1)
        events.emit("running_job", "INFO", "Running job")
    first, second = read(tmp_path)
    assert list(first) == ["id", "event_type", "level", "message", "payload", "input_id", "index", "created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", str(first.pop("created_at")))
    assert list(first.values()) == [1, "input.gaps", "WARN", "2 gaps \u2028", {"gaps": 2}, "inp_0", 1]
    assert (second["id"], second["payload"], second["input_id"], second["index"]) == (2, {}, None, None)
    assert seen[0] == event
    assert [one.id for one in seen] == [1, 2]


@pytest.mark.parametrize("torn", ["", '{"id": 4, "mess'])
@pytest.mark.parametrize("message", ["short", "long " * 40_000])
def test_ids_go_on_after_a_resume_and_a_torn_line_is_cut(message: str, torn: str, tmp_path: Path) -> None:
    with Events(tmp_path) as events:
        for _ in range(3):
            events.emit("info", "INFO", message)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write(torn)
    with Events(tmp_path) as events:
        assert events.emit("job.resumed", "INFO", "Resumed").id == 4
    assert [event["id"] for event in read(tmp_path)] == [1, 2, 3, 4]


def test_a_file_with_nothing_but_a_torn_line_starts_from_one(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"id": 1')
    with Events(tmp_path) as events:
        assert events.emit("info", "INFO", "").id == 1
    assert len(read(tmp_path)) == 1


def test_without_a_folder_only_the_callback_hears(tmp_path: Path) -> None:
    seen: list[Event] = []
    Events(callback=seen.append).emit("info", "INFO", "Using accelerator: cpu")
    assert [event.message for event in seen] == ["Using accelerator: cpu"]
    assert list(tmp_path.iterdir()) == []


def test_threads_share_events_and_the_callback_sees_them_in_order(tmp_path: Path) -> None:
    seen: list[int] = []
    with Events(tmp_path, lambda event: seen.append(event.id)) as events:
        threads = [
            threading.Thread(target=lambda: [events.emit("info", "INFO", "x") for _ in range(50)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [event["id"] for event in read(tmp_path)] == list(range(1, 201))


def test_a_callback_may_emit_and_its_error_reaches_the_emitter(tmp_path: Path) -> None:
    def answer(event: Event) -> None:
        if event.message == "first":
            events.emit("info", "INFO", "second")
        else:
            raise KeyError(event.message)

    with Events(tmp_path, answer) as events, pytest.raises(KeyError, match="second"):
        events.emit("info", "INFO", "first")
    assert [event["message"] for event in read(tmp_path)] == ["first", "second"]


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Events(tmp_path) as events:
        events.emit("info", "INFO", "kept")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            with pytest.raises(DiskFull, match="a file size limit was reached"):
                events.emit("info", "INFO", "x" * 2000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert events.emit("info", "INFO", "later").id == 2
    assert [event["message"] for event in read(tmp_path)] == ["kept", "later"]


def test_a_missing_folder_is_an_error_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"gone/events\.jsonl could not be written"):
        Events(tmp_path / "gone")
