"""Kills at every instant, interrupts and full disks while answering: the same command again ends as an undisturbed run does.

What a child process is told to do to itself comes with its command line, as in `test_resume`; here it commits every three lines.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from questions import install_model, record, request, write_job, write_records
from test_resume import CHILD, finish

import engine
from engine.errors import FolderOfAnotherJob
from engine.output.files import POINTS

OFTEN = "from engine.pipelines.activity_detection import delivery\ndelivery.COMMIT_LINES = 3\n"
# What tells of the last run alone: its times and its own work.
OF_THE_LAST_RUN = {
    "stage_s",
    "elapsed_s",
    "tokens_per_s",
    "computed_prompt_tokens",
    "resumed_records",
    "folder",
    "device",
}
REACHED = [point for point in POINTS if not point.startswith("embeddings.")]
FORMS = ("one file each", "parts")
VIDEO = {"type": "video", "format": "base64", "data": "AAAA"}


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model that child processes find, too."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        install_model(home)
        patch.setenv("ENGINE_HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job of three inputs, one of which fails; answers are drawn."""
    folder = tmp_path_factory.mktemp("asked")
    records: list[Any] = [record(number, words=1 + number % 9) for number in range(40)]
    records[7] = "{torn"
    records[20] = record(20, inputs=[VIDEO])
    records[31] = record(31, words=300)
    write_records(folder / "a.jsonl", records)
    write_records(folder / "b.jsonl", [*records[10:30], "", records[3]])
    write_records(folder / "c.jsonl", ["no", "record"])
    return write_job(
        folder, body(flush_every_n_iteration=None if getattr(request, "param", "parts") == "one file each" else 2)
    )


def body(*, generation: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    generation = {"max_new_tokens": 6, "temperature": 1.0, "top_k": 50, **(generation or {})}
    options = {"details": True, "record": True}
    return request("a.jsonl", "b.jsonl", "c.jsonl", generation=generation, batch_size=3, output=options, **config)


@pytest.fixture(scope="module")
def undisturbed(job: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same job in this process, never stopped, committed as seldom as usual."""
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    summary = engine.run(job, output, threads=1)
    assert (summary.tally.records, summary.tally.failed, summary.tally.truncated) == (64, 6, 1)
    return output


def start(action: str, job: Path, output: Path, *options: str, **pipes: Any) -> subprocess.Popen[str]:
    told = [action, str(job), "--output", str(output), "--threads", "1", *options]
    command = [sys.executable, "-c", OFTEN + CHILD, *told]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **pipes)


def attempt(action: str, job: Path, output: Path, *options: str) -> tuple[int, str]:
    return finish(start(action, job, output, *options))


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "results").iterdir())}


def counters(folder: Path) -> dict[str, Any]:
    summary = json.loads((folder / "summary.json").read_text())
    return {name: value for name, value in summary.items() if name not in OF_THE_LAST_RUN}


def assert_same(output: Path, undisturbed: Path) -> None:
    assert tree(output) == tree(undisturbed)
    assert counters(output) == counters(undisturbed)


@pytest.mark.parametrize("job", FORMS, indirect=True)
def test_a_kill_at_every_commit_point(job, undisturbed, tmp_path):
    """Two folders, each killed at every second point, and each resumed after every kill."""
    chains = [(tmp_path / "even", REACHED[::2]), (tmp_path / "odd", REACHED[1::2])]
    waiting = [list(points) for _, points in chains]
    while any(waiting):
        running = [
            (start(f"kill {left[0]} 1", job, output), left)
            for (output, _), left in zip(chains, waiting, strict=True)
            if left
        ]
        for process, left in running:
            code, text = finish(process)
            assert code == -signal.SIGKILL, f"{left[0]} was not reached: {text}"
            left.pop(0)
    for output, _ in chains:
        code, text = attempt("run", job, output)
        assert code == 1, text  # an input failed, and records
        assert_same(output, undisturbed)


@pytest.mark.parametrize("job", FORMS, indirect=True)
def test_kills_at_random_each_after_a_new_commit(job, undisturbed, tmp_path):
    output = tmp_path / "out"
    rng = Random(11)
    committed = 0
    for _ in range(6):
        code, text = attempt(f"after {rng.randint(1, 30)}", job, output)
        assert code == -signal.SIGKILL, text
        lines = (output / "journal.jsonl").read_bytes().count(b"\n")
        assert lines > committed, "nothing new was committed"
        committed = lines
    code, text = attempt("run", job, output)
    assert code == 1, text
    assert "from an earlier run" in text
    assert_same(output, undisturbed)


def test_an_interrupt_leaves_a_resumable_folder(job, undisturbed, tmp_path):
    output = tmp_path / "out"
    process = start("hold part.synced 4", job, output, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.send_signal(signal.SIGINT)
    code, text = finish(process)
    assert code == 130, text
    assert "the same command goes on from there" in text
    assert not (output / "summary.json").exists()
    code, text = attempt("run", job, output)
    assert code == 1, text
    assert_same(output, undisturbed)


def test_no_room_for_a_file(job, undisturbed, tmp_path):
    output = tmp_path / "out"
    limit = max(len(content) for content in tree(undisturbed).values()) // 2
    code, text = attempt(f"limit {limit}", job, output)
    assert code == 1, text
    assert "a file size limit was reached" in text
    assert "Traceback" not in text
    code, text = attempt("run", job, output)
    assert code == 1, text
    assert_same(output, undisturbed)


def test_a_survey_is_made_once(job, tmp_path):
    """What a resumed run needs to know of its inputs is in the journal; so is a seed that was drawn."""
    asked = tmp_path / "asked"
    asked.mkdir()
    for path in job.parent.glob("*.jsonl"):
        (asked / path.name).write_bytes(path.read_bytes())
    output = tmp_path / "out"
    drawn = write_job(asked, body(generation={"seed": None}))
    assert attempt("kill journal.synced 6", drawn, output)[0] == -signal.SIGKILL
    before = (output / "journal.jsonl").read_text()
    assert attempt("run", drawn, output)[0] == 1
    after = (output / "journal.jsonl").read_text()
    assert after.startswith(before)
    entries = [json.loads(line) for line in after.splitlines()]
    assert [entry["survey"] for entry in entries if "survey" in entry] == [0, 1, 2]
    (setup,) = [entry["setup"] for entry in entries if "setup" in entry]
    assert json.loads((output / "summary.json").read_text())["seed"] == setup["seed"]
    chosen = write_job(asked, body(generation={"seed": setup["seed"]}))
    assert attempt("run", chosen, tmp_path / "again")[0] == 1
    assert tree(tmp_path / "again") == tree(output)


def test_another_job_is_refused(job, tmp_path):
    output = tmp_path / "out"
    assert attempt("kill journal.synced 5", job, output)[0] == -signal.SIGKILL
    document = json.loads(job.read_text())
    document["parameters"]["worker"]["config"]["generation"]["seed"] = 8
    other = job.with_name("other.json")
    other.write_text(json.dumps(document))
    with pytest.raises(FolderOfAnotherJob, match="seed") as refused:
        engine.run(other, output, threads=1)
    assert len(refused.value.differences) == 1
    assert engine.run(other, output, threads=1, restart=True).tally.records == 64


def test_the_identity_names_what_computes(job, undisturbed):
    head = json.loads((undisturbed / "journal.jsonl").read_text().splitlines()[0])
    assert {"numpy", "tokenizers", "jinja2"} <= set(head["identity"]["versions"])
    assert head["identity"]["pipeline"] == "activity-detection 0.0.20"
    assert head["identity"]["model"]["sha256"]
