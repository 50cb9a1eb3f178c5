"""Kills at every instant, interrupts, full disks and rivals: the same command again ends as an undisturbed run does.

Every run here is a process of its own. What it is told to do to itself comes with its command line:

    kill POINT N     SIGKILL itself when it reaches a commit point for the Nth time
    after N          SIGKILL itself at the Nth commit point behind its first new commit
    hold POINT N     say so on standard output, and wait for a line on standard input
    limit BYTES      let no file grow beyond (RLIMIT_FSIZE)
    run              nothing
"""

import contextlib
import json
import random
import signal
import subprocess
import sys

import pytest

import engine
from engine.errors import FolderOfAnotherJob
from engine.output.files import POINTS
from engine.plant import Episode, Scenario, write_csv

CHILD = """
import os, resource, signal, sys
from engine.output.files import observe
action, *rest = sys.argv[1].split()
seen = {}
def kill(point):
    seen[point] = seen.get(point, 0) + 1
    if point == rest[0] and seen[point] == int(rest[1]):
        os.kill(os.getpid(), signal.SIGKILL)
def after(point):
    if point == "journal.synced" or seen:
        seen["commit"] = seen.get("commit", 0) + 1
        if seen["commit"] == int(rest[0]):
            os.kill(os.getpid(), signal.SIGKILL)
def hold(point):
    seen[point] = seen.get(point, 0) + 1
    if point == rest[0] and seen[point] == int(rest[1]):
        print("held", flush=True)
        sys.stdin.readline()
if action == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(rest[0]), int(rest[0])))
elif action != "run":
    observe({"kill": kill, "after": after, "hold": hold}[action])
from engine.cli import main
main(["run", *sys.argv[2:]])
"""
WINDOW = 16
# What tells of the last run alone: its times, and the warnings about what it read itself.
OF_THE_LAST_RUN = {"stage_s", "elapsed_s", "windows_per_s", "resumed_windows", "folder"}


def start(action, job, output, *options, **pipes):
    command = [sys.executable, "-c", CHILD, action, str(job), "--output", str(output), "--threads", "1", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **pipes)


def finish(process, say=None):
    out, errors = process.communicate(say, timeout=120)
    return process.returncode, out + errors


def attempt(action, job, output, *options):
    return finish(start(action, job, output, *options))


def tree(folder):
    return {
        f"{place}/{path.name}": path.read_bytes()
        for place in ("results", "embeddings")
        for path in sorted((folder / place).iterdir())
    }


def counters(folder):
    summary = json.loads((folder / "summary.json").read_text())
    summary["device"] = summary["device"].partition(" (")[0]  # runs may differ in threads, not in the device
    return {name: value for name, value in summary.items() if name not in OF_THE_LAST_RUN}


def blank_cells(path, rng):
    """Empty some cells: one in three hundred, and a stretch of one channel across several windows."""
    header, *lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    for row in rows:
        for column in range(1, len(row)):
            if rng.random() < 1 / 300:
                row[column] = ""
    for row in rows[100:130]:
        row[2] = ""
    path.write_text("\n".join([header, *map(",".join, rows)]) + "\n")


def write_job(folder, name, **changes):
    config = {
        "reader_config": {"window_size": WINDOW},
        "classifier_config": {"n_neighbors": 3, "weights": "distance"},
        "batch_size": 8,
        "flush_every_n_iteration": 7,
        "missing_values": "invalid",
        "output": {"row_index": True, "window_bounds": True, "probabilities": True, "embeddings": True},
        "evaluation": {"label_column": "label", "label_rule": "majority"},
    }
    request = {
        "name": "kills",
        "pipeline_type": "batch",
        "pipeline_key": "machine-state-classification",
        "inputs": {
            "worker.inference": [{"file_id": f"{stem}.csv"} for stem in "ab"],
            "worker.n_shots": [
                {"file_id": f"shot_{state}.csv", "metadata": {"class": state}} for state in ("normal", "leak")
            ],
            "worker.labels": [{"file_id": f"{stem}_labels.csv", "metadata": {"for": f"{stem}.csv"}} for stem in "ab"],
        },
        "parameters": {"worker": {"config": config | changes}},
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(request))
    return path


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A job of two inputs with missing cells, about sixteen parts each."""
    folder = tmp_path_factory.mktemp("plant")
    rng = random.Random(5)
    for state in ("normal", "leak"):
        write_csv(folder / f"shot_{state}.csv", Scenario((Episode(state, 150, 0.8),), 3, 3))
    for stem, rows in (("a", 480), ("b", 420)):
        scenario = Scenario((Episode("normal", rows), Episode("leak", rows, 0.8)), ord(stem), 3)
        write_csv(folder / f"{stem}.csv", scenario, truth=folder / f"{stem}_labels.csv")
        blank_cells(folder / f"{stem}.csv", rng)
    return write_job(folder, "job")


@pytest.fixture(scope="module")
def undisturbed(job, tmp_path_factory):
    """The same job in this process, never stopped."""
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    summary = engine.run(job, output)
    assert summary.tally.invalid
    assert summary.repaired_cells
    assert len(summary.tally.files) == 2 * (17 + 15)
    return output


def assert_same(output, undisturbed):
    assert tree(output) == tree(undisturbed)
    assert counters(output) == counters(undisturbed)


def test_a_kill_at_every_commit_point(job, undisturbed, tmp_path):
    """Two folders, each killed at every second point, and each resumed after every kill."""
    chains = [(tmp_path / "even", POINTS[::2]), (tmp_path / "odd", POINTS[1::2])]
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
        assert code == 0, text
        assert_same(output, undisturbed)


def test_ten_kills_at_random_each_after_a_new_commit(job, undisturbed, tmp_path):
    output = tmp_path / "out"
    rng = random.Random(11)
    committed = 0
    for _ in range(10):
        code, text = attempt(f"after {rng.randint(1, 40)}", job, output)
        assert code == -signal.SIGKILL, text
        lines = (output / "journal.jsonl").read_bytes().count(b"\n")
        assert lines > committed, "nothing new was committed"
        committed = lines
    code, text = attempt("run", job, output)
    assert code == 0, text
    assert "from an earlier run" in text
    assert_same(output, undisturbed)


def test_an_interrupt_leaves_a_resumable_folder(job, undisturbed, tmp_path):
    output = tmp_path / "out"
    process = start("hold part.synced 4", job, output, stdin=subprocess.PIPE)
    assert process.stdout.readline() == "held\n"
    process.send_signal(signal.SIGINT)
    code, text = finish(process)
    assert code == 130, text
    assert "the same command goes on from there" in text
    assert not (output / "summary.json").exists()
    assert not list(output.glob("*/.*.tmp"))
    assert len(list((output / "results").iterdir())) == 3  # the fourth was not committed
    code, text = attempt("run", job, output)
    assert code == 0, text
    assert_same(output, undisturbed)


def test_no_room_for_a_file(job, undisturbed, tmp_path):
    """The limit lets half of the journal through: the job dies in the middle and goes on when there is room."""
    output = tmp_path / "out"
    limit = (undisturbed / "journal.jsonl").stat().st_size // 2
    assert max(len(content) for content in tree(undisturbed).values()) < limit
    code, text = attempt(f"limit {limit}", job, output)
    assert code == 1, text
    assert "a file size limit was reached" in text
    assert "Make room and run the same again" in text
    assert "Traceback" not in text
    assert list((output / "results").iterdir())
    code, text = attempt("run", job, output)
    assert code == 0, text
    assert_same(output, undisturbed)


def test_two_processes_never_write_one_folder(job, undisturbed, tmp_path):
    output = tmp_path / "out"
    first = start("hold journal.synced 3", job, output, stdin=subprocess.PIPE)
    with contextlib.ExitStack() as stack:
        stack.callback(first.kill)
        assert first.stdout.readline() == "held\n"
        code, text = attempt("run", job, output, "--restart")
        assert code == 1, text
        assert f"{output} is being written by another run" in text
        code, text = finish(first, "\n")
        assert code == 0, text
    assert_same(output, undisturbed)


def test_another_job_is_refused_and_restart_discards(job, undisturbed, tmp_path):
    output = tmp_path / "out"
    other = write_job(job.parent, "other", classifier_config={"n_neighbors": 4, "weights": "distance"})
    code, _ = attempt("kill journal.synced 5", other, output)
    assert code == -signal.SIGKILL
    before = (output / "journal.jsonl").read_bytes()
    code, text = attempt("run", job, output)
    assert code == 1, text
    assert "n_neighbors" in text
    assert "4" in text
    assert "--restart" in text
    assert (output / "journal.jsonl").read_bytes() == before
    code, text = attempt("run", job, output, "--restart")
    assert code == 0, text
    assert_same(output, undisturbed)


def test_a_changed_input_is_another_job(job, tmp_path):
    """The same name and the same size do not do."""
    plant = tmp_path / "plant"
    plant.mkdir()
    for path in job.parent.iterdir():
        (plant / path.name).write_bytes(path.read_bytes())
    output = tmp_path / "out"
    assert attempt("kill journal.synced 2", plant / job.name, output)[0] == -signal.SIGKILL
    text = (plant / "a.csv").read_text()
    (plant / "a.csv").write_text(text[:-2] + ("8" if text[-2] != "8" else "9") + text[-1])
    with pytest.raises(FolderOfAnotherJob, match=r"a\.csv|ends_sha256") as refused:
        engine.run(plant / job.name, output)
    assert any("sha256" in difference for difference in refused.value.differences)


def test_windows_that_are_skipped_resume(job, tmp_path):
    """Skipped windows leave holes between the starts: the resumed run goes on behind the last one written."""
    folder = tmp_path / "gaps"
    folder.mkdir()
    for path in job.parent.glob("*.csv"):
        lines = path.read_text().splitlines(keepends=True)
        if not path.stem.startswith("shot"):
            del lines[700:730], lines[300:320], lines[120:130]
        (folder / path.name).write_text("".join(lines))
    gapped = write_job(folder, "job", gap_policy="skip", flush_every_n_iteration=13)
    whole = tmp_path / "whole"
    summary = engine.run(gapped, whole)
    assert summary.gaps == 6
    assert summary.tally.windows == 900 + 780 - 2 * 4 * (WINDOW - 1)
    told = [warning for warning in summary.warnings if "left out" in warning]
    assert len(told) == 2
    assert all(f"; {3 * (WINDOW - 1)} windows that cross one were left out" in warning for warning in told)
    output = tmp_path / "out"
    for commits in (1, 2):  # the second kill comes behind a part that ends in front of a hole
        assert attempt(f"kill journal.synced {commits}", gapped, output)[0] == -signal.SIGKILL
    code, text = attempt("run", gapped, output)
    assert code == 0, text
    assert_same(output, whole)


def test_inputs_side_by_side_give_the_same_and_survive_kills(job, undisturbed, tmp_path):
    request = json.loads(job.read_text())
    request["parameters"]["worker"]["parallelism"] = 2
    beside = job.parent / "beside.json"
    beside.write_text(json.dumps(request))
    output = tmp_path / "out"
    rng = random.Random(12)
    for _ in range(4):
        code, text = attempt(f"after {rng.randint(4, 40)}", beside, output, "--threads", "2")
        assert code == -signal.SIGKILL, text
    whole, _, _ = (output / "journal.jsonl").read_text().rpartition("\n")  # the last kill may have torn a line
    lines = [json.loads(line) for line in whole.splitlines()]
    assert {line["input"] for line in lines[1:]} == {0, 1}, "the second input waited for the first"
    assert not any("ended" in line for line in lines[1:]), "an input was final before the other began"
    code, text = attempt("run", beside, output, "--threads", "2")
    assert code == 0, text
    assert_same(output, undisturbed)
