"""The command: each subcommand, its exit codes, what it prints, and that the same command goes on where it ended."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from encoders import convolution, transformer
from recordings import LEVELS, readings, request, write_csv, write_job, write_plant

import engine
from engine.cli import COMMANDS
from engine.jobs.local import read_results

EVERY_OPTION = (
    "--window 32 --step 2 --columns flow,speed --timestamp-column time --neighbors 3 --metric cosine --weights distance "
    "--normalize-embeddings --normalization none --model multiscale --missing-values invalid --gap-policy mark --max-gap 9 "
    "--null-value NA --null-value - --format jsonl --row-index --window-bounds --probabilities --embeddings "
    "--label-column state --label-rule pure --output out --threads 1 --device cpu --search exact --restart "
    "--shot idle=idle2.csv"
)
SHOTS = ("--shot", "idle=idle.csv", "--shot", "run=run.csv")


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_plant(tmp_path))
    return tmp_path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def process(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


# The command itself


def test_version_and_help(command):
    assert command("--version")[:2] == (0, f"engine, version {engine.__version__}\n")
    code, out, _ = command("--help")
    assert code == 0
    for name in COMMANDS:
        assert f"  {name} " in out
        code, text, _ = command(name, "--help")
        assert code == 0
        assert text.startswith(f"Usage: engine {name}")


def test_unknown_commands_and_options(command):
    assert command("clasify")[0] == 2
    assert "No such command 'clasify'" in command("clasify")[2]
    assert command("run", "job.json", "--fast")[0] == 2
    assert command()[0] == 2


def test_an_interrupt_is_130(plant, command, monkeypatch):
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.jobs.local.run_job", interrupt)
    code, out, said = command("run", write_job(plant, request()))
    assert (code, out) == (130, "")
    assert said.lstrip() == "Interrupted. What was committed is kept: the same command goes on from there.\n"


def test_a_reader_that_goes_away_is_no_fault(plant):
    """`engine pipelines show ... | head -1`."""
    script = f"{sys.executable} -m engine pipelines show machine-state-classification | true"
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stderr


# run


def test_run_writes_beside_the_request_and_sums_up(plant, command):
    code, out, said = command("run", write_job(plant, request()))
    assert code == 0
    lines = dict(line.split(None, 1) for line in out.splitlines())
    assert lines["status"] == "completed"
    assert lines["windows"] == "137"
    assert lines["results"] == f"{plant}/job/results (1 files)"
    assert "idle" in out
    assert "run" in out
    assert "1.000 on average" in lines["agreement"]
    assert said == "line7.csv (1/1): 137 of 137 windows\n"
    assert "\x1b" not in out + said, "plain lines where there is no terminal"
    names = sorted(path.name for path in (plant / "job").iterdir())
    assert names == ["events.jsonl", "journal.jsonl", "request.json", "results", "summary.json"]
    assert json.loads((plant / "job" / "summary.json").read_bytes())["windows"] == 137


def test_run_again_does_nothing_anew(plant, command):
    job = write_job(plant, request())
    command("run", job)
    results = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (plant / "job" / "results").iterdir()}
    code, out, _ = command("run", job)
    assert code == 0
    assert "137, 137 of them from an earlier run" in out
    for path, (data, changed) in results.items():
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (data, changed)
    code, out, _ = command("run", job, "--restart")
    assert code == 0
    assert "earlier run" not in out


def test_run_elsewhere_with_every_option(plant, command):
    job = write_job(plant, request())
    options = ("--device", "cpu", "--threads", "2", "--search", "exact", "-v")
    code, _, said = command("run", job, "--output", plant / "deep" / "out", *options)
    assert code == 0
    assert len(read_results(plant / "deep" / "out")["line7.csv"]) == 137
    assert "INFO    Running job" in said
    assert "SUCCESS Job completed" in said
    assert not (plant / "job").exists()


def test_files_are_looked_for_beside_the_request(plant, command, tmp_path_factory, monkeypatch):
    job = write_job(plant, request())
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert command("run", job, "--dry-run")[0] == 0


def test_a_request_without_a_suffix(plant, command):
    write_job(plant, request()).rename(plant / "line7job")
    assert command("run", "line7job")[0] == 0
    assert (plant / "line7job.results" / "summary.json").exists()


def test_dry_run_prints_the_resolved_request_and_writes_nothing(plant, command):
    body = request(bach_size=3, reader_config={"window_size": 8})
    before = sorted([*plant.iterdir(), plant / "job.json"])
    code, out, said = command("run", write_job(plant, body), "--dry-run")
    assert code == 0
    assert sorted(plant.iterdir()) == before
    worker = json.loads(out)["parameters"]["worker"]["config"]
    assert worker["reader_config"]["data_columns"] == ["speed", "current", "flow"]
    assert worker["normalization"] == "shots"
    assert worker["classifier_config"]["n_neighbors"] == 5
    assert said.splitlines() == [
        "ignored: parameters.worker.config.bach_size (did you mean batch_size?)",
        "warning: window_size 8 is short: below 16 rows a window shows little.",
    ]
    (plant / "line7.csv").unlink()
    code, out, said = command("run", plant / "job.json", "--dry-run")
    assert (code, out) == (2, "")
    assert "worker.inference[0] 'line7.csv' does not exist" in said


def test_what_is_printed_can_be_run(plant, command):
    _, out, _ = command("run", write_job(plant, request()), "--dry-run")
    (plant / "resolved.json").write_text(out)
    assert command("run", plant / "resolved.json")[0] == 0
    assert command("run", plant / "job.json")[0] == 0
    assert read_results(plant / "resolved")["line7.csv"].equals(read_results(plant / "job")["line7.csv"])


def test_ignored_keys_are_warned_of(plant, command):
    code, out, _ = command("run", write_job(plant, request(bach_size=3)))
    assert code == 0
    assert "bach_size (did you mean batch_size?)" in out
    events = [json.loads(line) for line in (plant / "job" / "events.jsonl").read_text().splitlines()]
    (event,) = (event for event in events if event["event_type"] == "config.ignored")
    assert (event["level"], event["payload"]["keys"]) == ("WARN", ["parameters.worker.config.bach_size"])


def test_one_failed_input_of_two_is_1_and_partial(plant, command):
    write_csv(plant / "short.csv", readings("idle", 10))
    body = request()
    body["inputs"]["worker.inference"].append({"file_id": "short.csv"})
    code, out, _ = command("run", write_job(plant, body))
    assert code == 1
    assert "status  partial" in out
    assert "short.csv has 10 rows, fewer than window_size 64. Give more rows or lower window_size. [no_windows]" in out


def test_a_device_that_is_not_there(plant, command):
    from engine.models.session import resolve_device

    try:
        resolve_device("cuda")
    except engine.DeviceError:
        code, _, said = command("run", write_job(plant, request()), "--device", "cuda")
        assert code == 1
        assert "device cuda was asked for" in said
        assert not (plant / "job").exists()


def test_progress_on_a_terminal_is_a_bar(plant):
    """In a process whose standard error is a terminal."""
    ours, theirs = pty.openpty()
    job = write_job(plant, request())
    command = [sys.executable, "-m", "engine", "run", str(job)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment) as run:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece
        out = run.communicate()[0]
    os.close(ours)
    assert run.returncode == 0
    assert b"line7.csv (1/1)" in seen
    assert b"\x1b[" in seen
    assert "status  completed" in out


# classify


def test_classify_equals_the_job(plant, command):
    code, out, _ = command("classify", "line7.csv", *SHOTS)
    assert code == 0
    assert "status  completed" in out
    assert command("run", write_job(plant, request()))[0] == 0
    assert read_results(plant / "classified")["line7.csv"].equals(read_results(plant / "job")["line7.csv"])
    assert "137, 137 of them from an earlier run" in command("classify", "line7.csv", *SHOTS)[1]


def test_classify_takes_every_option(plant, command):
    write_csv(plant / "idle2.csv", readings("idle", 80, seed=4))
    write_csv(plant / "line8.csv", readings("run", 80, seed=5))
    (plant / "truth.csv").write_text("\n".join(["state", *["idle"] * 100, *["run"] * 100]) + "\n")
    for name in ("idle.csv", "run.csv", "idle2.csv", "line7.csv", "line8.csv"):
        text = (plant / name).read_text()
        (plant / name).write_text(text.replace(",", "\t").replace(".", ",").replace("timestamp", "time"))
    files = ("line7.csv", "line8.csv", "--labels", "line7.csv=truth.csv", "--labels", "line8.csv=truth8.csv")
    (plant / "truth8.csv").write_text("state\n" + "run\n" * 80)
    code, out, said = command("classify", *files, *SHOTS, "--separator", "\\t", "--decimal", ",", *EVERY_OPTION.split())
    assert code == 0, said
    document = json.loads((plant / "out" / "request.json").read_bytes())
    shots = [(entry["metadata"]["class"], entry["file_id"]) for entry in document["inputs"]["worker.n_shots"]]
    assert shots == [("idle", "idle.csv"), ("idle", "idle2.csv"), ("run", "run.csv")]
    config = document["parameters"]["worker"]["config"]
    assert config["reader_config"] == {
        "data_columns": ["flow", "speed"],
        "timestamp_column": "time",
        "window_size": 32,
        "step_size": 2,
        "separator": "\t",
        "decimal": ",",
        "null_values": ["NA", "-"],
    }
    assert config["classifier_config"] == {
        "n_neighbors": 3,
        "metric": "cosine",
        "weights": "distance",
        "normalize_embeddings": True,
    }
    assert config["output"]["format"] == "jsonl"
    assert all(config["output"][key] for key in ("row_index", "window_bounds", "probabilities", "embeddings"))
    assert config["evaluation"] == {"label_column": "state", "label_rule": "pure"}
    assert [config[key] for key in ("model_type", "normalization", "missing_values", "gap_policy", "max_gap")] == [
        "multiscale",
        "none",
        "invalid",
        "mark",
        9.0,
    ]
    assert "truth  accuracy" in out
    assert "always answering the most frequent state" in out


# models


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return convolution(tmp_path / "valves.onnx")


def test_a_model_is_added_listed_shown_verified_used_and_removed(plant, home, graph, command):
    code, out, _ = command("models", "add", graph, "--licence", "MIT", "--provenance", "trained on line 7")
    assert code == 0
    assert out.startswith("Added valves: windowed, 3 channels, windows of ")
    assert "trained on line 7 (MIT)" in out
    code, out, _ = command("models", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["multiscale", "serves:", "activity", "serves:", "valves"]
    code, out, said = command("models", "show", "valves")
    assert code == 0
    manifest = json.loads(out)
    assert (manifest["name"], manifest["kind"], manifest["licence"]) == ("valves", "windowed", "MIT")
    assert str(home) in said
    assert command("models", "verify", "valves")[:2] == (0, "valves is in order.\n")
    code, out, _ = command("run", write_job(plant, request(model_type="valves")))
    assert code == 0
    assert "trained on line 7" in out
    assert command("models", "remove", "valves")[:2] == (0, "Removed valves.\n")
    assert command("models", "show", "valves")[0] == 1
    assert command("run", plant / "job.json", "--restart")[0] == 2


def test_a_damaged_model_is_found(home, graph, command):
    command("models", "add", graph)
    (stored,) = home.rglob("encoder.onnx")
    with stored.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 8)
    code, out, said = command("models", "verify", "valves")
    assert (code, out) == (1, "")
    assert "encoder.onnx" in said


def test_names_of_models(home, graph, command):
    assert command("models", "add", graph, "--name", "pumps")[0] == 0
    code, _, said = command("models", "add", graph, "--name", "pumps")
    assert code == 1
    assert "pumps" in said
    assert command("models", "add", graph, "--name", "pumps", "--replace")[0] == 0
    for name in ("../evil", "a/../b", ".hidden"):
        assert command("models", "add", graph, "--name", name)[0] in (1, 2)
    assert sorted(path.name for path in home.rglob("encoder.onnx")) == ["encoder.onnx"]
    assert command("models", "remove", "multiscale")[0] == 1


def test_what_is_no_model(tmp_path, home, command):
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    (tmp_path / "empty").mkdir()
    for source in ("data.csv", "empty"):
        code, _, said = command("models", "add", tmp_path / source)
        assert code == 1
        assert "Traceback" not in said
    assert command("models", "add", tmp_path / "nothing")[0] == 2
    assert not list(home.rglob("model.json"))


def test_hints_for_a_model(tmp_path, home, command):
    graph = transformer(tmp_path / "patches.onnx", length=64)
    hints = ("--output", "last_hidden_state", "--pooling", "last", "--padding", "left")
    assert command("models", "add", graph, *hints)[0] == 0
    manifest = json.loads(command("models", "show", "patches")[1])["windowed"]
    assert (manifest["output"], manifest["pooling"], manifest["padding"]) == ("last_hidden_state", "last", "left")


# pipelines, doctor, demo


def test_pipelines(command):
    code, out, _ = command("pipelines")
    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()] == [
        "machine-state-classification 1.1.1",
        "activity-detection 0.0.20",
    ]
    code, out, _ = command("pipelines", "show", "machine-state-classification")
    assert code == 0
    document = json.loads(out)
    assert list(document["inputs"]) == [
        "worker.inference",
        "worker.n_shots",
        "worker.fine_tune_checkpoint",
        "worker.labels",
    ]
    schema = document["config_schema"]["worker"]
    assert set(schema["properties"]) == set(document["default_config"]["worker"]["config"])
    code, out, said = command("pipelines", "show", "x")
    assert (code, out) == (2, "")
    known = "machine-state-classification, activity-detection"
    assert said == f"error: pipeline_key 'x' not found in registry. Known pipelines: {known}.\n"


def test_doctor(command, tmp_path, monkeypatch):
    code, out, _ = command("doctor")
    assert code == 0, out
    subjects = {line[2:].split()[0] for line in out.splitlines()}
    assert {
        "engine",
        "python",
        "numba",
        "polars",
        "device",
        "faiss",
        "kernels",
        "compiled",
        "cache",
        "models",
    } <= subjects
    assert "✗" not in out


def test_demo(tmp_path, command, monkeypatch):
    from engine import plant

    small = plant.write_demo

    def write_demo(folder: Path, **options: Any) -> Any:
        return small(folder, shot_rows=200, recording_rows=2000, **options)

    monkeypatch.setattr(plant, "write_demo", write_demo)
    code, out, said = command("demo", tmp_path / "demo", "--channels", "6", "--seed", "3")
    assert code == 0
    assert "Simulating a two-tank plant with 6 sensors" in said
    assert "truth  accuracy" in out
    assert f"engine run {tmp_path}/demo/job.json" in out
    assert json.loads((tmp_path / "demo" / "job" / "summary.json").read_bytes())["windows"] == 2 * (2000 - 63)
    assert command("run", tmp_path / "demo" / "job.json")[0] == 0
    assert command("demo", tmp_path / "demo", "--channels", "6", "--seed", "3")[0] == 0  # an earlier demo


@pytest.mark.parametrize(
    "files", [{"job.json": '{"name": "mine"}'}, {"plant_a.csv": "a\n1\n"}, {"job.json": "no json"}]
)
def test_demo_writes_nothing_over(tmp_path, command, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    code, _, said = command("demo", tmp_path)
    assert code == 1
    assert "holds other files; nothing was touched. Name a folder that is new or empty." in said
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize("arguments", [("run", "."), ("run", "/"), ("generate", "."), ("generate", "/")])
def test_a_folder_is_no_request(command, arguments):
    code, _, said = command(*arguments)
    assert code in (1, 2)
    assert "folder" in said
    assert "fault of the engine" not in said


def test_columns_without_names_are_told_of(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, level in (("idle.csv", 0), ("run.csv", 9)):
        Path(name).write_text("temp,flow,\n" + "".join(f"{level + row % 3},{level},\n" for row in range(60)))
    shots = ("--shot", "idle=idle.csv", "--shot", "run=run.csv")
    code, out, _ = command("classify", "run.csv", *shots, "--window", "16")
    assert code == 0
    assert "run.csv: 1 columns without a name in the header are no channels." in out


@pytest.mark.parametrize(
    ("asked", "told"), [((), True), (("--timestamp-column", "Time"), False), (("--columns", "a"), False)]
)
def test_a_channel_that_may_be_the_time_is_told_of(tmp_path, command, monkeypatch, asked, told):
    monkeypatch.chdir(tmp_path)
    for name, level in (("idle.csv", 0), ("run.csv", 9)):
        Path(name).write_text("Time,a\n" + "".join(f"{row / 2},{level + row % 3}\n" for row in range(60)))
    shots = ("--shot", "idle=idle.csv", "--shot", "run=run.csv", "--columns", "a")
    shots = shots if asked else shots[:-2]
    code, out, _ = command("classify", "run.csv", *shots, "--window", "16", *asked)
    assert code == 0
    assert ("run.csv: the column Time is taken for a channel" in out) is told


def test_columns_whose_names_hold_commas(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, level in (("idle.csv", 0), ("run.csv", 9)):
        Path(name).write_text('"temp, in",flow\n' + "".join(f"{level + row % 3},{level}\n" for row in range(60)))
    shots = ("--shot", "idle=idle.csv", "--shot", "run=run.csv")
    assert command("classify", "run.csv", *shots, "--window", "16", "--columns", '"temp, in", flow')[0] == 0


# A real process


def test_a_real_process_from_files_to_results(plant):
    ended = process("classify", "line7.csv", *SHOTS, "--window", "16", "--output", "out", cwd=plant)
    assert ended.returncode == 0, ended.stderr
    assert "windows  185" in ended.stdout
    (part,) = (plant / "out" / "results").iterdir()
    assert set(pl.read_csv(part)["Prediction"]) == set(LEVELS)
