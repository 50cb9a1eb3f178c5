"""`engine.generate` and `engine generate`: the faces of activity detection."""

import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from questions import CONTEXT, MODEL, answers, install_model, record, request, write_job, write_records

import engine
from engine.jobs import answers as module

SAMPLED = {"max_new_tokens": 6, "temperature": 1.0, "top_k": 50}


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


def generated(records: Any, **options: Any) -> list[engine.Answer]:
    settings: dict[str, Any] = {"model": MODEL, "seed": 7, "threads": 1, "generation": SAMPLED, **options}
    return list(engine.generate(records, **settings))


# engine.generate


def test_generate_equals_the_job(folder):
    records = [record(number, words=1 + number % 5) for number in range(9)]
    records[4] = record(4, inputs=[{"type": "video", "format": "base64", "data": ""}])
    write_records(folder / "asked.jsonl", records)
    options: dict[str, Any] = {"output": {"details": True}}
    engine.run(request("asked.jsonl", generation=SAMPLED, **options), folder / "out", threads=1)
    (lines,) = answers(folder / "out")
    found = generated(records)
    assert [
        {
            "line_index": one.line_index,
            "prediction": one.prediction,
            **({"error": one.error} if one.error else {}),
            "finish_reason": one.finish_reason,
            "prompt_tokens": one.prompt_tokens,
            "completion_tokens": one.completion_tokens,
            "truncated": one.truncated,
        }
        for one in found
    ] == lines
    assert found[4] == engine.Answer(4, None, "unsupported input type: video")


def test_a_text_is_a_record_with_this_prompt(folder):
    one, two, three = generated(["Why?", {"prompt": "Why?"}, 5], generation={"do_sample": False, "max_new_tokens": 4})
    assert (one.prediction, two.prediction) == (two.prediction, one.prediction)
    assert one.prediction
    assert (three.prediction, three.error) == (None, "validation error: a record should be an object")


def test_answers_do_not_change(folder):
    with pytest.raises(FrozenInstanceError):
        generated(["x"])[0].prediction = "y"  # type: ignore[misc]


@pytest.mark.parametrize("seen_first", [1, 3, 256])
@pytest.mark.parametrize("batch_size", [1, 4, None])
def test_what_is_seen_first_and_the_batch_change_no_answer(folder, monkeypatch, seen_first, batch_size):
    records = [record(number, words=1 + 5 * (number % 3)) for number in range(7)]
    expected = generated(records, batch_size=1)
    monkeypatch.setattr(module, "SEEN_FIRST", seen_first)
    assert generated(iter(records), batch_size=batch_size) == expected


def test_records_are_taken_as_they_are_needed(folder, monkeypatch):
    monkeypatch.setattr(module, "SEEN_FIRST", 2)
    taken = 0

    def endless() -> Iterator[dict[str, Any]]:
        nonlocal taken
        while True:
            taken += 1
            yield record(taken)

    run = engine.generate(endless(), model=MODEL, seed=1, batch_size=2, generation=SAMPLED, threads=1)
    assert taken == 0, "nothing is taken before the first answer is asked for"
    assert [next(run).line_index for _ in range(5)] == [0, 1, 2, 3, 4]
    assert taken < 20
    run.close()  # type: ignore[attr-defined]


def test_what_a_source_raises_comes_through(folder):
    def broken() -> Iterator[str]:
        yield "one"
        raise KeyError("two")

    with pytest.raises(KeyError, match="two"):
        generated(broken())


def test_nothing_to_answer(folder):
    assert generated([]) == []
    assert [one.error for one in generated([{}, 1])] == [one.error for one in generated([{}, 1])]


def test_a_budget(folder):
    long = record(0, words=200)
    (cut,) = generated([long])
    assert cut.truncated
    assert cut.prompt_tokens is not None
    assert cut.prompt_tokens <= CONTEXT - 6
    assert generated([long], on_truncation="fail")[0].error == "token budget exceeded"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "one record": ({"records": record(0)}, "records must be several records"),
    "one text": ({"records": "Why?"}, "Put a single one into a list."),
    "a number": ({"records": 5}, "records must be several records"),
    "slip": ({"generation": {"temprature": 1}}, "generation.temprature is unknown. Did you mean generation.temperature?"),
    "value": ({"generation": {"top_p": 2}}, "generation.top_p must be a number above 0, at most 1; got 2."),
    "seed": ({"seed": -1}, "generation.seed must be"),
    "batch": ({"batch_size": 0}, "batch_size must be a whole number, at least 1, or null; got 0."),
    "truncation": ({"on_truncation": "drop"}, "on_truncation must be one of 'truncate', 'fail'"),
    "model": ({"model": "nobody"}, "nobody"),
    "room": ({"generation": {"max_new_tokens": CONTEXT}}, "prompt and answer together. Let it be at most 240."),
    "threads": ({"threads": 0}, "threads must be a whole number, at least 1"),
    "device": ({"device": "tpu"}, "tpu"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_arguments_are_checked_at_once(folder, monkeypatch, case):
    monkeypatch.setattr(module, "load_language", None)  # nothing is loaded
    changes, expected = WRONG[case]
    with pytest.raises(engine.EngineError) as caught:
        engine.generate(**{"records": ["x"], "model": MODEL, "generation": SAMPLED, **changes})
    assert expected in str(caught.value)


# engine generate


OPTIONS = ("--model", MODEL, "--max-new-tokens", "6", "--threads", "1")


def test_the_command_answers_beside_the_file(folder, command):
    write_records(folder / "asked.jsonl", [record(number) for number in range(5)])
    code, out, said = command("generate", "asked.jsonl", *OPTIONS, "--greedy")
    assert code == 0, said
    shown = dict(line.split(None, 1) for line in out.splitlines() if not line.startswith("            "))
    assert shown["status"] == "completed"
    assert shown["records"] == "5"
    assert shown["results"] == "asked-answers/results (1 files)"
    assert shown["speed"].endswith("tokens/s")
    (lines,) = answers(folder / "asked-answers")
    assert len(lines) == 5
    first = " ".join(lines[0]["prediction"].split())
    assert shown.get("answers", "")[:3] == first[:3] or not first.isprintable()
    assert said.splitlines()[-1] == "asked.jsonl (1/1): 5 of 5 records"
    assert command("generate", "asked.jsonl", *OPTIONS, "--greedy")[0] == 0, "again"


def test_every_option_reaches_the_request(folder, command):
    write_records(folder / "asked.jsonl", [record(0)])
    code, _, said = command(
        "generate", "asked.jsonl", *OPTIONS, "--temperature", "0.5", "--top-k", "3", "--top-p", "0.9",
        "--repetition-penalty", "1.2", "--seed", "5", "--batch-size", "2", "--on-truncation", "fail", "--details",
        "--record", "--output", "out", "--device", "cpu", "--restart", "-v",
    )  # fmt: skip
    assert code == 0, said
    config = json.loads((folder / "out" / "request.json").read_bytes())["parameters"]["worker"]["config"]
    assert config == {
        "model_variant": MODEL,
        "max_video_frames": 32,
        "batch_size": 2,
        "generation": {
            "do_sample": True,
            "max_new_tokens": 6,
            "temperature": 0.5,
            "top_k": 3,
            "top_p": 0.9,
            "repetition_penalty": 1.2,
            "seed": 5,
        },
        "on_truncation": "fail",
        "flush_every_n_iteration": None,
        "output": {"details": True, "record": True},
    }
    assert "Running job" in said


def test_exit_codes(folder, command):
    write_records(folder / "asked.jsonl", [record(0), "x"])
    code, out, said = command("generate", "asked.jsonl", *OPTIONS)
    assert (code, "partial" in out) == (1, True)
    assert "2, 1 of them failed" in out
    assert said.splitlines()[-1] == "asked.jsonl (1/1): 2 of 2 records, 1 failed"
    assert command("generate", "asked.jsonl", *OPTIONS, "--top-p", "2")[0] == 2
    assert command("generate", "nothing.jsonl", *OPTIONS)[0] == 2
    (folder / "plant.csv").write_text("timestamp,speed\n1,2\n")
    code, _, said = command("generate", "plant.csv", *OPTIONS)
    assert code == 1
    assert "plant.csv is no JSONL" in said
    assert "Details: plant-answers/summary.json" in said


def test_run_dispatches_by_the_pipeline(folder, command):
    write_records(folder / "asked.jsonl", [record(0)])
    job = write_job(folder, request("asked.jsonl", max_frames=3))
    code, out, said = command("run", job, "--dry-run")
    assert code == 0
    assert json.loads(out)["pipeline_version"] == "0.0.20"
    assert "ignored: parameters.worker.config.max_frames (did you mean max_video_frames?)" in said.replace(
        "parameters.worker.config.max_video_frames", "max_video_frames"
    )
    assert not (folder / "job").exists()
    code, out, said = command("run", job, "--threads", "1")
    assert code == 0, said
    assert "records" in out


def test_pipelines_shows_it(command):
    code, out, _ = command("pipelines", "show", "activity-detection")
    assert code == 0
    document = json.loads(out)
    assert list(document["inputs"]) == ["worker.data"]
    schema = document["config_schema"]["worker"]
    assert set(schema["properties"]) == set(document["default_config"]["worker"]["config"])
