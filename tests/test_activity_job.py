"""The job of activity detection: answers in the order of lines, every kind of bad record and file, counts, events, and what changes no answer."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from questions import CONTEXT, MODEL, answers, install_model, record, request, write_job, write_records

import engine
from engine.output.events import Event

VIDEO = {"type": "video", "format": "base64", "data": "AAAA"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    install_model(home)
    return home


@pytest.fixture
def folder(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENGINE_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, *records: Any, to: str = "out", events: list[Event] | None = None, **config: Any) -> Any:
    write_records(folder / "asked.jsonl", list(records))
    on_event = events.append if events is not None else None
    return engine.run(request("asked.jsonl", **config), folder / to, threads=1, on_event=on_event)


def kinds(events: list[Event]) -> list[str]:
    return [event.event_type for event in events]


# Lines


def test_line_i_answers_record_i(folder):
    summary = run(folder, *(record(number, words=1 + number % 7) for number in range(20)), batch_size=3)
    (lines,) = answers(folder / "out")
    assert [line["line_index"] for line in lines] == list(range(20))
    assert all(list(line) == ["line_index", "prediction"] and isinstance(line["prediction"], str) for line in lines)
    assert summary.status == "completed"
    tally = summary.tally
    assert (tally.records, tally.succeeded, tally.failed, tally.truncated) == (20, 20, 0, 0)
    assert (tally.completed_inputs, tally.failed_inputs) == (1, ())
    assert 0 < tally.completion_tokens <= 20 * 8
    assert summary.slots == 3
    assert summary.token_budget == CONTEXT - 8
    assert len({line["prediction"] for line in lines}) > 5, "the model does not look at its prompt"


def test_the_form_of_a_line(folder):
    given = record(1, prompt="Grüße, 世界 \u2028", extra=[1.5, None])
    run(folder, given, "no record", to="plain")
    run(folder, given, "no record", to="full", output={"details": True, "record": True})
    (file,) = (folder / "full" / "results").iterdir()
    assert (
        file.name
        == f"{json.loads((folder / 'full' / 'request.json').read_text())['inputs']['worker.data'][0]['id']}_output.jsonl"
    )
    first, second = file.read_bytes().decode().split("\n")[:2]
    details = ["finish_reason", "prompt_tokens", "completion_tokens", "truncated"]
    line = json.loads(first)
    assert list(line) == ["line_index", "prediction", *details, "record"]
    assert line["record"] == given
    assert line["finish_reason"] in ("stop", "length")
    assert (line["completion_tokens"] == 8) == (line["finish_reason"] == "length")
    assert line["truncated"] is False
    assert "世界" in first, "UTF-8, no escapes"
    assert first.startswith('{"line_index":0,"prediction":"'), "compact"
    assert second == (
        '{"line_index":1,"prediction":null,"error":"parse error","finish_reason":null,"prompt_tokens":null,'
        '"completion_tokens":null,"truncated":null,"record":null}'
    )
    (short,) = answers(folder / "plain")
    assert short == [
        {"line_index": 0, "prediction": line["prediction"]},
        {"line_index": 1, "prediction": None, "error": "parse error"},
    ]


def test_every_kind_of_failed_record(folder):
    events: list[Event] = []
    records = [
        record(0),
        "{torn",
        record(1, inputs=[{"type": "text", "data": "x"}]),
        record(2, inputs=[VIDEO]),
        {"system": "x " * CONTEXT},
        "",
        {},
        '{"prompt": "\\ud800"}',
        record(3),
    ]
    summary = run(folder, *records, events=events)
    (lines,) = answers(folder / "out")
    assert [line.get("error", "")[:50] for line in lines] == [
        "",
        "parse error",
        "validation error: inputs.0.format: Field required",
        "unsupported input type: video",
        "token budget exceeded",
        "parse error",
        "validation error: one of system, instruction, prom",
        "parse error",
        "",
    ]
    assert summary.status == "partial"
    assert (summary.tally.records, summary.tally.succeeded, summary.tally.failed) == (9, 2, 7)
    failed = [event for event in events if event.event_type == "record.failed"]
    assert [event.payload["line_index"] for event in failed] == [1, 2, 3, 4, 5, 6, 7]
    assert all(set(event.payload) == {"line_index", "error", "detail"} and event.payload["detail"] for event in failed)
    assert {event.input_id for event in failed} == {failed[0].input_id}
    assert kinds(events)[-2:] == ["job.partial", "job.completed"]
    assert events[-2].payload == {"failed_inputs": 0, "failed_records": 7}
    assert "7 of 9 records failed (3 parse error, 2 validation error, 1 unsupported input type" in summary.warnings[0]


def test_only_the_first_failed_records_have_an_event(folder):
    events: list[Event] = []
    run(folder, record(0), *["x"] * 150, events=events)
    assert kinds(events).count("record.failed") == 100


def test_events_in_order(folder):
    events: list[Event] = []
    run(folder, record(0), record(1), events=events)
    assert kinds(events) == [
        "running_job",
        "info",
        "info",
        "inference.completed",
        "inference.success",
        "job.completed",
    ]
    assert [event.message.split(" in ")[0] for event in events[1:3]] == ["Using accelerator: cpu", "Model loaded"]
    assert events[3].payload == {"rows": 2, "total_success": 2, "total_failed": 0}
    assert events[4].payload["records"] == 2
    assert events[5].payload == {"records": 2}


# Files


def test_blank_lines_and_ends(folder):
    text = "\ufeff" + json.dumps(record(0)) + "\r\n\r\n" + json.dumps(record(1)) + "\n \n\n"
    (folder / "asked.jsonl").write_bytes(text.encode())
    engine.run(request("asked.jsonl"), folder / "out", threads=1)
    (lines,) = answers(folder / "out")
    assert [line.get("error") for line in lines] == [None, "parse error", None]


@pytest.mark.parametrize("name", ["asked.csv", "asked.jsonl.gz", "asked.txt"])
def test_the_bytes_say_what_a_file_is(folder, name):
    run(folder, record(0), record(1), to="plain")
    data = (folder / "asked.jsonl").read_bytes()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    engine.run(request(name), folder / "other", threads=1)
    assert answers(folder / "other") == answers(folder / "plain")


def test_a_csv_by_mistake(folder):
    (folder / "plant.csv").write_text("timestamp,speed\n1,2\n2,3\n")
    events: list[Event] = []
    with pytest.raises(
        engine.JobFailed, match=r"plant\.csv is no JSONL: none of its 3 lines is a JSON object"
    ) as caught:
        engine.run(request("plant.csv"), folder / "out", threads=1, on_event=events.append)
    assert "`engine classify`" in str(caught.value)
    (error,) = caught.value.errors
    assert (error.code, error.file) == ("all_records_failed", "plant.csv")
    assert answers(folder / "out") == [
        [{"line_index": place, "prediction": None, "error": "parse error"} for place in range(3)]
    ]
    assert kinds(events)[-2:] == ["inference.failed", "job.failed"]
    assert events[-2].payload["error_code"] == "all_records_failed"
    assert json.loads((folder / "out" / "summary.json").read_text())["status"] == "failed"


def test_no_record_has_an_answer(folder):
    with pytest.raises(engine.JobFailed, match=r"none of its 2 records has an answer \(1 parse error, 1 unsupported"):
        run(folder, "x", record(0, inputs=[VIDEO]))


def test_a_file_of_blank_lines(folder):
    (folder / "asked.jsonl").write_text("\n\n \n")
    with pytest.raises(engine.JobFailed, match=r"asked\.jsonl holds no records") as caught:
        engine.run(request("asked.jsonl"), folder / "out", threads=1)
    assert caught.value.errors[0].code == "no_records"


def test_a_damaged_file_keeps_what_came_before(folder):
    records = [record(number) for number in range(400)]
    write_records(folder / "whole.jsonl", records)
    packed = gzip.compress((folder / "whole.jsonl").read_bytes())
    (folder / "torn.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    write_records(folder / "good.jsonl", records[:2])
    summary = engine.run(
        request("torn.jsonl.gz", "good.jsonl", generation={"max_new_tokens": 1}), folder / "out", threads=1
    )
    torn, good = answers(folder / "out")
    assert summary.status == "partial"
    (failed,) = summary.tally.failed_inputs
    assert (failed.input, failed.code) == (0, "read_error")
    assert 0 < len(torn) < 400
    assert [line["line_index"] for line in torn] == list(range(len(torn)))
    assert all(line["prediction"] is not None for line in torn[:-1])
    assert len(good) == 2


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("empty.jsonl", b"", "empty"),
        ("table.parquet", b"PAR1\x15\x00", "is a Parquet file; activity-detection reads JSONL"),
    ],
)
def test_what_no_record_can_be_read_from_is_refused_at_once(folder, name, data, expected):
    (folder / name).write_bytes(data)
    with pytest.raises(engine.RequestError, match=expected):
        engine.run(request(name), folder / "out", threads=1)
    assert not (folder / "out").exists()


def test_a_file_that_is_not_there_and_a_model_that_is_not_there(folder):
    with pytest.raises(engine.RequestError) as caught:
        engine.run(request("nothing.jsonl", model_variant="nobody"), folder / "out")
    assert [problem.code for problem in caught.value.problems] == ["file_not_found", "invalid_parameter"]


def test_an_answer_needs_room(folder):
    with pytest.raises(engine.RequestError) as caught:
        run(folder, record(0), generation={"max_new_tokens": CONTEXT})
    expected = (
        f"generation.max_new_tokens is {CONTEXT}, but the model {MODEL} holds {CONTEXT} tokens, prompt and answer together. "
        f"Let it be at most {CONTEXT - 16}."
    )
    assert str(caught.value) == expected


def test_several_inputs_each_have_their_file(folder):
    write_records(folder / "a.jsonl", [record(number) for number in range(3)])
    write_records(folder / "b.jsonl", [{"prompt": f"number {number}"} for number in range(2)])
    summary = engine.run(request("a.jsonl", "b.jsonl", "a.jsonl"), folder / "out", threads=1)
    a, b, again = answers(folder / "out")
    assert (len(a), len(b), len(again)) == (3, 2, 3)
    assert len(summary.tally.files) == 3
    frames = engine.read_results(folder / "out")
    assert list(frames) == ["a.jsonl", "b.jsonl", "a.jsonl (2)"]
    assert frames["b.jsonl"]["prediction"].to_list() == [line["prediction"] for line in b]


def test_results_as_frames(folder):
    run(folder, record(0), "x", record(1), output={"details": True, "record": True})
    frame = engine.read_results(folder / "out")["asked.jsonl"]
    assert frame.columns[:3] == ["line_index", "prediction", "error"]
    assert frame["error"].to_list() == [None, "parse error", None]
    assert frame["truncated"].to_list() == [False, None, False]
    assert frame.schema["completion_tokens"] == pl.Int64


# Truncation


def test_long_prompts_are_cut_and_counted(folder):
    events: list[Event] = []
    long = record(0, words=200)
    options: dict[str, Any] = {"output": {"details": True}}
    summary = run(folder, record(1), long, events=events, **options)
    (lines,) = answers(folder / "out")
    assert [line["truncated"] for line in lines] == [False, True]
    assert lines[1]["prompt_tokens"] <= CONTEXT - 8
    assert summary.tally.truncated == 1
    (told,) = [event for event in events if event.event_type == "inference.truncation"]
    assert told.payload == {"records": 1}
    assert any("1 prompts were cut to the token budget" in warning for warning in summary.warnings)
    summary = run(folder, record(1), long, to="strict", on_truncation="fail", **options)
    (lines,) = answers(folder / "strict")
    assert lines[1]["error"] == "token budget exceeded"
    assert summary.tally.truncated == 0


# What changes no answer

SAMPLED = {"max_new_tokens": 6, "temperature": 1.0, "top_k": 50, "top_p": 0.95, "repetition_penalty": 1.1}


def test_the_same_job_twice_gives_the_same_bytes(folder):
    records = [record(number) for number in range(6)]
    for to in ("one", "two"):
        run(folder, *records, to=to, generation=SAMPLED)
    one, two = ([path.read_bytes() for path in (folder / name / "results").iterdir()] for name in ("one", "two"))
    assert one == two


def test_seeds(folder):
    records = [record(number) for number in range(8)]

    def answered(to: str, **generation: Any) -> Any:
        summary = run(folder, *records, to=to, generation={**SAMPLED, **generation})
        return answers(folder / to), summary.seed

    first, seed = answered("first")
    assert seed == 7
    assert answered("other", seed=8)[0] != first
    drawn, seed = answered("drawn", seed=None)
    assert answered("drawn again", seed=None)[1] != seed
    assert answered("repeated", seed=seed)[0] == drawn
    greedy, seed = answered("greedy", do_sample=False)
    assert seed is None
    assert answered("cold", temperature=0.0, seed=99)[0] == greedy


def test_a_record_draws_by_its_input_and_its_line(folder):
    write_records(folder / "a.jsonl", [record(5)] * 6)
    engine.run(request("a.jsonl", "a.jsonl", generation=SAMPLED), folder / "out", threads=1)
    first, second = answers(folder / "out")
    assert len({line["prediction"] for line in first}) > 1
    assert [line["prediction"] for line in first] != [line["prediction"] for line in second]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=12),
    batch_size=st.integers(1, 6),
    every=st.sampled_from([None, 1, 2]),
)
def test_neither_batches_nor_parts_nor_company_change_an_answer(folder, tmp_path_factory, lengths, batch_size, every):
    records = [record(number, words=words) for number, words in enumerate(lengths)]
    base = tmp_path_factory.mktemp("batches")
    write_records(folder / "asked.jsonl", records)
    for name, config in (
        ("alone", {"batch_size": 1}),
        ("together", {"batch_size": batch_size, "flush_every_n_iteration": every}),
    ):
        body = request("asked.jsonl", generation=SAMPLED, **config)
        engine.run(body, base / name, threads=1)
    (alone,), (together,) = answers(base / "alone"), answers(base / "together")
    assert together == alone
    parts = sorted(path.read_bytes().count(b"\n") for path in (base / "together" / "results").iterdir())
    if every is not None:
        size = every * batch_size
        assert parts == sorted([size] * (len(lengths) // size) + [len(lengths) % size] * bool(len(lengths) % size))


def test_what_prompts_share_is_computed_once(folder):
    same = [record(number) for number in range(10)]
    summary = run(folder, *same, to="shared")
    shared = summary.tally.prompt_tokens - summary.computed_prompt_tokens
    assert shared > 9 * 16
    mixed = [{"prompt": f"{number} says"} for number in range(10)]
    summary = run(folder, *mixed, to="apart")
    assert summary.computed_prompt_tokens <= summary.tally.prompt_tokens
    options: dict[str, Any] = {"threads": 1}
    alone = [engine.run(write_job(folder, request("asked.jsonl")), folder / "again", **options)]
    assert alone[0].tally.records == 10


def test_running_again_does_nothing_anew(folder):
    first = run(folder, record(0), "x", record(1))
    files = {path: path.stat().st_mtime_ns for path in (folder / "out" / "results").iterdir()}
    steps: list[engine.Progress] = []
    again = engine.run(request("asked.jsonl"), folder / "out", threads=1, on_progress=steps.append)
    assert again.tally == first.tally
    assert again.warnings == first.warnings
    assert again.resumed_records == 3
    assert again.computed_prompt_tokens == 0
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert [(step.done, step.total, step.unit, step.failed) for step in steps] == [(3, 3, "records", 1)]


def test_progress_is_told(folder):
    write_records(folder / "asked.jsonl", [record(0), "x", record(1)])
    steps: list[engine.Progress] = []
    engine.run(request("asked.jsonl"), folder / "out", threads=1, on_progress=steps.append)
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[-1].done, steps[-1].total, steps[-1].failed) == (3, 3, 1)
    assert steps[-1].tokens > 0
