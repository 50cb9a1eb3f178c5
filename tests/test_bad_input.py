"""Wrong input of every kind, through the command: exit code, what the message names, and what is left behind."""

import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from encoders import convolution
from recordings import COLUMNS, readings, request, write_csv, write_job, write_plant

from engine.jobs import local
from engine.models.catalog import Catalog
from engine.output.files import make_folder
from engine.output.journal import Journal
from engine.pipelines.machine_state import job as job_module

FAILED, WRONG = 1, 2
Edit = Callable[[bytes], bytes]


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return write_plant(tmp_path)


def run_job(command, folder: Path, body: dict[str, Any] | None = None, *options: object) -> tuple[int, str]:
    """Run a request; return exit code and standard error, having checked what holds for every end."""
    job = write_job(folder, request() if body is None else body)
    code, _, said = command("run", job, "--threads", "1", *options)
    assert "Traceback" not in said
    assert "fault of the engine" not in said
    output = folder / "job"
    if code == WRONG:
        assert not output.exists(), "a wrong request leaves nothing"
    leftovers = [path.name for path in folder.rglob("*") if path.name.endswith(".tmp")]
    assert not leftovers, "nothing half-written is left"
    return code, said


def edit(path: Path, change: Edit) -> None:
    path.write_bytes(change(path.read_bytes()))


def replace_line(line: int, text: str) -> Edit:
    def change(data: bytes) -> bytes:
        lines = data.split(b"\n")
        lines[line - 1] = text.encode()
        return b"\n".join(lines)

    return change


def set_column(path: Path, column: str, cell: str) -> None:
    """Overwrite a column's cells, all of them."""
    place = COLUMNS.index(column) + 1
    header, *lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    for row in rows:
        row[place] = cell
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")


def config(**keys: Any) -> dict[str, Any]:
    return request(**keys)


# Files that are refused before any work


REFUSED: dict[str, tuple[str, Edit, list[str]]] = {
    "empty file": ("line7.csv", lambda _: b"", ["line7.csv: the file is empty.", "It needs a header row, or records."]),
    "empty shot": ("run.csv", lambda _: b"", ["run.csv: the file is empty."]),
    "missing column": (
        "run.csv",
        lambda data: data.replace(b"current", b"amps"),
        ["run.csv has no column 'current'; it has: timestamp, speed, amps, flow.", "Every column of line7.csv is taken for a channel"],
    ),
    "duplicate column": (
        "line7.csv",
        lambda data: data.replace(b"current", b"speed", 1),
        ["line7.csv has 2 columns called 'speed'.", "Rename them apart"],
    ),
    "latin-1 header": (
        "line7.csv",
        lambda data: data.replace(b"speed", b"d\xe9bit"),
        ["line7.csv, line 1: the byte 0xe9 is not UTF-8.", "iconv -f latin1 -t utf-8 line7.csv"],
    ),
    "UTF-16": ("line7.csv", lambda data: data.decode().encode("utf-16"), ["iconv -f utf-16 -t utf-8 line7.csv"]),
    "semicolons in the file to classify": (
        "line7.csv",
        lambda data: data.replace(b",", b";"),
        ["line7.csv has one column, 'timestamp;speed;current;flow'.", 'reader_config.separator to ";" (--separator'],
    ),
    "semicolons in a shot": (
        "idle.csv",
        lambda data: data.replace(b",", b";"),
        ["idle.csv has no column 'speed'; it has: timestamp;speed;current;flow.", "separated by semicolons"],
    ),
    "workbook": ("line7.csv", lambda data: b"PK\x03\x04" + data, ["line7.csv cannot be read: it is a zip archive", "as CSV"]),
    "NUL header": ("line7.csv", lambda _: bytes(5000), ["line7.csv cannot be read: its first line holds NUL bytes"]),
    "picture": ("line7.csv", lambda _: b"\x89PNG\r\n\x1a\n" + bytes(99), ["line7.csv"]),
    "Parquet cut off": ("line7.csv", lambda _: b"PAR1\0\0\0", ["line7.csv is a damaged or truncated Parquet file"]),
    "shot with a header only": (
        "idle.csv",
        lambda data: data.split(b"\n")[0] + b"\n",
        ["n-shot file idle.csv has 0 rows, fewer than window_size 64.", "Add rows or lower window_size."],
    ),
    "shot shorter than a window": (
        "idle.csv",
        lambda data: b"\n".join(data.split(b"\n")[:41]) + b"\n",
        ["n-shot file idle.csv has 40 rows, fewer than window_size 64."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_do_is_refused_before_any_work(plant, command, case):
    name, change, expected = REFUSED[case]
    edit(plant / name, change)
    code, said = run_job(command, plant)
    assert code == WRONG
    for text in expected:
        assert text in said
    assert said.count("error:") == 1, "one fault, one message"


def test_many_columns_are_not_all_listed(plant, command):
    many = [f"sensor{number}" for number in range(500)]
    edit(plant / "run.csv", replace_line(1, ",".join(["timestamp", *many])))
    code, said = run_job(command, plant)
    assert code == WRONG
    assert "sensor18, and 481 more" in said
    assert "sensor19," not in said


def test_control_characters_in_a_header_do_not_reach_the_terminal(plant, command):
    edit(plant / "run.csv", lambda data: data.replace(b"current", b"\x1b[31mred\x07"))
    code, said = run_job(command, plant)
    assert code == WRONG
    assert "\\x1b[31mred\\x07" in said
    assert "\x07" not in said


# Requests that do not fit their files


def test_no_such_file_says_where_it_was_looked_for(plant, command):
    body = request()
    body["inputs"]["worker.inference"] += [{"file_id": "nope.csv"}, {"file_id": "."}, {"file_id": "x" * 5000}]
    code, said = run_job(command, plant, body)
    assert code == WRONG
    first, second, third = said.strip().split("\n")
    assert first == f"error: Failed to resolve file inputs: worker.inference[1] 'nope.csv' does not exist in {plant}."
    assert second == "error: Failed to resolve file inputs: worker.inference[2] '.' is a folder, not a file."
    assert "worker.inference[3]" in third
    assert len(third) < 2100


@pytest.mark.parametrize("name", ["\0", "\ud800"])
def test_a_file_name_that_no_system_takes(plant, command, name):
    body = request()
    body["inputs"]["worker.inference"] = {"file_id": name}
    code, said = run_job(command, plant, body)
    assert code == WRONG
    assert "Failed to resolve file inputs: worker.inference[0]" in said


def test_a_pipe_as_input(plant, command):
    (plant / "line7.csv").unlink()
    os.mkfifo(plant / "line7.csv")
    code, said = run_job(command, plant)
    assert code == WRONG
    assert "'line7.csv' is not a regular file: write what it delivers into one." in said


def test_a_shot_without_class(plant, command):
    body = request()
    del body["inputs"]["worker.n_shots"][1]["metadata"]
    assert run_job(command, plant, body) == (WRONG, "error: worker.n_shots[1] (run.csv) needs metadata.class.\n")


def test_more_shots_than_memory(plant, command, monkeypatch):
    monkeypatch.setattr("engine.pipelines.machine_state.classifier.free_bytes", lambda _: 10_000)
    code, said = run_job(command, plant, config())
    assert code == 1
    assert "windows (at idle.csv), whose vectors do not fit into the memory of this machine. Raise step_size" in said


def test_more_neighbours_than_vectors(plant, command):
    code, said = run_job(command, plant, config(classifier_config={"n_neighbors": 75}))
    assert code == WRONG
    assert said == (
        "error: n_neighbors is 75 but the n-shot files give 74 windows of 64 rows; add rows or lower window_size.\n"
    )
    code, said = run_job(command, plant, config(reader_config={"step_size": 30}))
    assert code == WRONG
    assert "n-shot files give 4 windows of 64 rows" in said
    assert "Or lower step_size, which is 30." in said


@pytest.mark.parametrize(
    "alias", ["omega_1_3_surface", "omega_1_3_power_drive", "omega_1_3_slb", "omega_1_3_slb_surface"]
)
def test_a_1_3_model_with_8_columns(tmp_path, command, alias):
    write_plant(tmp_path, channels=8)
    code, said = run_job(command, tmp_path, config(model_type=alias))
    assert (code, said) == (WRONG, f"error: model_type {alias} takes exactly 9 data_columns; 8 were given.\n")


def test_a_1_3_model_with_9_columns_works(tmp_path, command):
    write_plant(tmp_path, channels=9)
    assert run_job(command, tmp_path, config(model_type="omega_1_3_slb"))[0] == 0


def test_window_1_and_2000_step_0_and_an_unknown_metric(plant, command):
    reader = {"window_size": 1, "step_size": 0}
    code, said = run_job(command, plant, config(reader_config=reader, classifier_config={"metric": "hamming"}))
    assert code == WRONG
    assert said.splitlines() == [
        "error: reader_config.window_size must be 2 to 1024; got 1.",
        "error: reader_config.step_size must be a whole number, at least 1; got 0.",
        "error: classifier_config.metric must be one of 'euclidean', 'l2', 'cosine', 'manhattan', 'l1'; got \"hamming\".",
    ]
    code, said = run_job(command, plant, config(reader_config={"window_size": 2000}))
    assert (code, said) == (WRONG, "error: reader_config.window_size must be 2 to 1024; got 2000.\n")


def test_a_timestamp_column_that_is_named_and_absent(plant, command):
    code, said = run_job(command, plant, config(reader_config={"timestamp_column": "time"}))
    assert (code, said) == (WRONG, "error: line7.csv has no column 'time'; it has: timestamp, speed, current, flow.\n")


def test_a_timestamp_column_called_like_an_output_column(plant, command):
    edit(plant / "line7.csv", lambda data: data.replace(b"timestamp", b"start_row"))
    body = config(
        reader_config={"timestamp_column": "start_row", "data_columns": ["speed"]}, output={"row_index": True}
    )
    code, said = run_job(command, plant, body)
    assert code == WRONG
    assert "timestamp_column 'start_row' is also the name of an output column." in said


def test_a_label_column_is_no_data_column(plant, command):
    body = config(reader_config={"data_columns": ["speed", "flow"]}, evaluation={"label_column": "flow"})
    code, said = run_job(command, plant, body)
    assert (code, said) == (WRONG, "error: line7.csv: column 'flow' is the label column and cannot be a data column.\n")


def test_an_unknown_checkpoint(plant, command):
    body = request()
    body["inputs"]["worker.fine_tune_checkpoint"] = {"kind": "checkpoint", "checkpoint_id": "ckpt_1"}
    code, said = run_job(command, plant, body)
    assert (code, said) == (WRONG, "error: worker.fine_tune_checkpoint[0]: checkpoint 'ckpt_1' is not known here.\n")


@pytest.mark.parametrize(
    ("metadata", "column", "expected"),
    [
        ({}, "label", "worker.labels[0] (run.csv) needs metadata.for, the name of one of the inference files."),
        ({"for": "other.csv"}, "label", "needs metadata.for"),
        ({"for": "line7.csv"}, None, "worker.labels has files, but evaluation.label_column is not set."),
        ({"for": "line7.csv"}, "label", "run.csv has no column 'label'; it has: timestamp, speed, current, flow."),
    ],
)
def test_labels_that_do_not_fit(plant, command, metadata, column, expected):
    body = config(evaluation={"label_column": column})
    body["inputs"]["worker.labels"] = {"file_id": "run.csv", "metadata": metadata}
    code, said = run_job(command, plant, body)
    assert code == WRONG
    assert expected in said
    assert said.count("error: ") == 1


# What shows only when a file is read


READ: dict[str, tuple[Edit, list[str]]] = {
    "text": (
        replace_line(51, "1049,1,bad,3"),
        ["line7.csv, line 51, column current: 'bad' is not a number.", "reader_config.null_values (--null-value 'bad')"],
    ),
    "NUL in a cell": (replace_line(51, "1049,1,\x002,3"), ["line7.csv, line 51, column current: '\\x002' is not"]),
    "decimal comma": (
        replace_line(51, '1049,1,"2,5",3'),
        ["line7.csv, line 51, column current: '2,5' is not a number.", 'reader_config.decimal to "," (--decimal ,)'],
    ),
    "short row": (replace_line(51, "1049,1,2"), ["line7.csv, line 51: 3 fields where the header has 4."]),
    "long row": (replace_line(51, "1049,1,2,3,4"), ["line7.csv, line 51: 5 fields where the header has 4."]),
    "blank line": (replace_line(51, ""), ["line7.csv, line 51: a blank line between rows. Delete it."]),
    "wrong encoding": (
        lambda data: data.replace(b"\n1049,", b"\n10\xb049,"),
        ["line7.csv, line 51: the byte 0xb0 is not UTF-8."],
    ),
    "header only": (
        lambda data: data.split(b"\n")[0] + b"\n",
        ["line7.csv has 0 rows, fewer than window_size 64.", "Give more rows or lower window_size."],
    ),
    "shorter than a window": (
        lambda data: b"\n".join(data.split(b"\n")[:41]) + b"\n",
        ["line7.csv has 40 rows, fewer than window_size 64."],
    ),
    "gzip cut off": (
        lambda data: gzip.compress(data)[:-30],
        ["line7.csv is a damaged or truncated gzip file", "Copy or write the file again."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_a_fault_inside_a_file_fails_it_with_its_place(plant, command, case):
    change, expected = READ[case]
    edit(plant / "line7.csv", change)
    code, said = run_job(command, plant)
    assert code == FAILED
    for text in expected:
        assert text in said
    summary = json.loads((plant / "job" / "summary.json").read_bytes())
    assert summary["status"] == "failed"
    assert len(summary["failed_inputs"]) == 1
    events = [json.loads(line) for line in (plant / "job" / "events.jsonl").read_text().splitlines()]
    assert [event["event_type"] for event in events if event["level"] == "FAILED"] == ["inference.failed", "job.failed"]


@pytest.mark.parametrize("case", ["text", "short row", "decimal comma"])
def test_a_fault_inside_a_shot_fails_the_job_and_leaves_nothing(plant, command, case):
    change, expected = READ[case]
    edit(plant / "idle.csv", change)
    code, said = run_job(command, plant)
    assert code == FAILED
    for text in expected:
        assert text.replace("line7", "idle") in said
    assert not (plant / "job").exists()


def test_what_was_whole_before_a_fault_is_kept_and_other_inputs_go_on(plant, command):
    write_csv(plant / "good.csv", readings("run", 100, seed=3))
    body = request()
    body["inputs"]["worker.inference"].append({"file_id": "good.csv"})
    edit(plant / "line7.csv", replace_line(102, "1100,1,bad,3"))
    assert run_job(command, plant, body)[0] == FAILED
    results = local.read_results(plant / "job")
    assert len(results["line7.csv"]) == 100 - 63
    assert len(results["good.csv"]) == 100 - 63
    summary = json.loads((plant / "job" / "summary.json").read_bytes())
    assert (summary["status"], summary["windows"], summary["completed_inputs"]) == ("partial", 74, 1)


def test_a_failed_input_is_taken_up_again_when_the_file_is_repaired(plant, command):
    good = (plant / "line7.csv").read_bytes()
    edit(plant / "line7.csv", replace_line(151, "1149,1,bad,3"))
    assert run_job(command, plant)[0] == FAILED
    (plant / "line7.csv").write_bytes(good)
    code, said = run_job(command, plant)
    assert code == FAILED
    assert "holds the results of another job" in said
    assert "discard these results with --restart" in said
    assert run_job(command, plant, None, "--restart")[0] == 0


# Odd data that works, and says so


def test_a_column_without_a_number(plant, command):
    set_column(plant / "line7.csv", "current", "")
    code, said = run_job(command, plant)
    assert code == FAILED
    assert "line7.csv, column current: not one of 200 cells holds a finite number." in said
    assert "Leave the column out of data_columns, or repair the file." in said


def test_a_shot_with_a_column_without_a_number(plant, command):
    set_column(plant / "idle.csv", "current", "NaN")
    code, said = run_job(command, plant)
    assert code == FAILED
    assert "idle.csv, column current: not one of 100 cells holds a finite number." in said
    set_column(plant / "run.csv", "current", "inf")
    code, said = run_job(command, plant)
    assert code == FAILED
    assert "No n-shot file holds a finite number in column current." in said


def test_a_constant_column_works_and_is_named(plant, command):
    for name in ("idle.csv", "run.csv", "line7.csv"):
        set_column(plant / name, "current", "7")
    code, out, _ = command("run", write_job(plant, request()))
    assert code == 0
    assert "Constant over all n-shot rows, to a millionth of its level, so only centred, not scaled: current." in out


def test_infinite_cells_are_repaired_and_counted(plant, command):
    edit(plant / "line7.csv", replace_line(51, "1049,inf,-inf,1"))
    code, out, _ = command("run", write_job(plant, request()))
    assert code == 0
    assert "2 missing or infinite cells (0.3%) in speed, current" in out
    assert json.loads((plant / "job" / "summary.json").read_bytes())["repaired_cells"] == 2


def test_one_class_works_and_says_so(plant, command):
    body = request()
    body["inputs"]["worker.n_shots"].pop()
    code, out, _ = command("run", write_job(plant, body))
    assert code == 0
    assert "All n-shot files show 'idle': every window will be predicted so." in out
    assert set(local.read_results(plant / "job")["line7.csv"]["Prediction"]) == {"idle"}


def test_decimal_commas_in_quotes_between_commas(plant, command):
    for name in ("idle.csv", "run.csv", "line7.csv"):
        header, *lines = (plant / name).read_text().splitlines()
        cells = [line.split(",") for line in lines]
        quoted = [",".join([row[0], *(f'"{cell}"'.replace(".", ",") for cell in row[1:])]) for row in cells]
        (plant / f"de_{name}").write_text("\n".join([header, *quoted]) + "\n")
    point, comma = request(), config(reader_config={"decimal": ","})
    for port in comma["inputs"].values():
        for entry in port:
            entry["file_id"] = f"de_{entry['file_id']}"
    assert run_job(command, plant, point, "--output", plant / "point")[0] == 0
    assert run_job(command, plant, comma, "--output", plant / "comma")[0] == 0
    (expected,) = local.read_results(plant / "point").values()
    (found,) = local.read_results(plant / "comma").values()
    assert found.equals(expected)


def test_a_plant_file_with_semicolons_decimal_commas_and_a_missing_word(plant, command):
    for name in ("idle.csv", "run.csv", "line7.csv"):
        edit(plant / name, lambda data: data.replace(b",", b";").replace(b".", b","))
    edit(plant / "line7.csv", replace_line(51, "1049;n.v.;1,5;2"))
    code, said = run_job(command, plant)
    assert "separated by semicolons: set reader_config.separator" in said
    code, said = run_job(command, plant, config(reader_config={"separator": ";"}))
    assert "For decimal commas set reader_config.decimal" in said
    code, said = run_job(command, plant, config(reader_config={"separator": ";", "decimal": ","}))
    assert "line7.csv, line 51, column speed: 'n.v.' is not a number." in said
    assert "--null-value 'n.v.'" in said
    reader = {"separator": ";", "decimal": ",", "null_values": ["n.v."]}
    code, said = run_job(command, plant, config(reader_config=reader), "--restart")
    assert code == 0


# Request files


JOBS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "job.json is empty. It must hold a request: a JSON object."),
    "blank": (b" \n", "job.json is empty."),
    "binary": (bytes(range(256)) * 10, "job.json"),
    "comment": (b'{"name": "x", // night shift\n}', "job.json, line 1, column 15: this is not JSON"),
    "cut off": (json.dumps(request()).encode()[:-9], "this is not JSON"),
    "nested": (b"[" * 10_000 + b"]" * 10_000, "job.json is nested too deeply."),
    "nested objects": (b'{"a":' * 100_000, "job.json is nested too deeply."),
    "list": (b"[1]", "job.json must hold a JSON object, not [1]."),
    "long number": (b'{"name": ' + b"9" * 5000 + b"}", "job.json holds a number with thousands of digits."),
    "not a number": (
        json.dumps(request(max_gap=float("nan"))).encode(),
        "max_gap must be a number above 0, or null; got NaN.",
    ),
    "infinite": (
        json.dumps(request(max_gap=float("inf"))).encode(),
        "max_gap must be a number above 0, or null; got Infinity.",
    ),
    "nested value": (
        json.dumps(request(batch_size="?")).replace('"?"', "[" * 50 + "]" * 50).encode(),
        "batch_size must be a whole number, at least 1; got [[[",
    ),
    "nested beyond reason": (
        json.dumps(request(batch_size="?")).replace('"?"', "[" * 900 + "]" * 900).encode(),
        "parameters is nested too deeply: the request may have 64 levels.",
    ),
    "no Unicode": (json.dumps({**request(), "name": "\ud800"}).encode(), "name must be a text that is not empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", JOBS)
@pytest.mark.parametrize("dry", [True, False])
def test_a_request_file_that_is_none(plant, command, case, dry):
    body, expected = JOBS[case]
    job = plant / "job.json"
    job.write_bytes(body)
    code, out, said = command("run", job, *["--dry-run"] * dry)
    assert code == WRONG
    assert out == ""
    assert expected in said
    assert not (plant / "job").exists()


def test_a_byte_order_mark_does_no_harm(plant, command):
    job = write_job(plant, request())
    edit(job, lambda data: b"\xef\xbb\xbf" + data)
    assert command("run", job, "--dry-run")[0] == 0


def test_no_request_file_and_a_folder_in_its_place(plant, command):
    assert command("run", plant / "nope.json")[::2] == (
        WRONG,
        f"error: {plant}/nope.json cannot be read: No such file or directory.\n",
    )
    assert command("run", plant)[::2] == (
        WRONG,
        f"error: {plant} is a folder, not a request. Give the JSON file with the request.\n",
    )


# The output folder


@pytest.mark.parametrize("place", ["out", "out/deep/er"])
def test_an_output_folder_below_or_at_a_file(plant, command, place):
    (plant / "out").write_text("mine")
    code, said = run_job(command, plant, None, "--output", plant / place)
    assert (code, said) == (FAILED, f"error: {plant}/out is a file, not a folder. Give another output folder.\n")
    assert (plant / "out").read_text() == "mine"


def test_an_output_folder_that_cannot_be_made(plant, command):
    code, said = run_job(command, plant, None, "--output", "/proc/nothing")
    assert code == FAILED
    assert said.startswith("error: /proc/nothing could not be written")


def test_an_output_folder_with_other_things_is_not_touched(plant, command):
    before = sorted(path.name for path in plant.iterdir())
    code, said = run_job(command, plant, None, "--output", plant)
    assert code == FAILED
    assert "nothing was touched" in said
    assert sorted(path.name for path in plant.iterdir()) == sorted({*before, "job.json"})


def test_an_output_folder_of_another_job_names_the_difference(plant, command):
    assert run_job(command, plant)[0] == 0
    kept = {path: path.read_bytes() for path in (plant / "job").rglob("*") if path.is_file()}
    code, said = run_job(command, plant, config(classifier_config={"n_neighbors": 3}))
    assert code == FAILED
    assert "classifier_config.n_neighbors: 5 -> 3" in said
    assert "Give another output folder, or discard these results with --restart." in said
    assert {path: path.read_bytes() for path in (plant / "job").rglob("*") if path.is_file()} == kept


def test_an_output_folder_in_use(plant, command):
    make_folder(plant / "job")
    with Journal.open(plant / "job", {"a": 1}):
        code, said = run_job(command, plant)
    assert code == FAILED
    assert f"{plant}/job" in said
    assert "is being written by another run. Wait for it to end, or give another output folder." in said


def test_a_full_disk(plant):
    """In a process of its own, that no file may grow beyond 2,000 bytes."""
    job = write_job(plant, request())

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    command = [sys.executable, "-m", "engine", "run", str(job), "--threads", "1"]
    ended = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert ended.returncode == FAILED
    assert "a file size limit was reached. Make room and run the same again: it resumes." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list((plant / "job").rglob("*.tmp"))
    assert not list((plant / "job").rglob("*.csv"))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


# Files that change between check and run


@pytest.mark.parametrize("name", ["line7.csv", "idle.csv"])
def test_a_file_that_vanishes_after_the_check(plant, command, monkeypatch, name):
    original = job_module.run_job

    def vanish(*arguments: Any) -> Any:
        (plant / name).unlink()
        return original(*arguments)

    monkeypatch.setattr(local, "run_job", vanish)
    code, said = run_job(command, plant)
    assert code == FAILED
    assert f"error: {name} cannot be read: No such file or directory." in said
    assert not (plant / "job").exists()


def test_a_file_that_vanishes_while_the_job_runs(plant, command, monkeypatch):
    original = job_module._Run.execute

    def vanish(*arguments: Any) -> Any:
        (plant / "line7.csv").unlink()
        return original(*arguments)

    monkeypatch.setattr(job_module._Run, "execute", vanish)
    code, said = run_job(command, plant)
    assert code == FAILED
    assert "line7.csv cannot be read: No such file or directory." in said


# Models


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path / "home"))
    Catalog().add(convolution(tmp_path / "encoder.onnx"), name="mine")
    return tmp_path / "home"


def model_folder(home: Path) -> Path:
    (folder,) = (path.parent for path in home.rglob("model.json"))
    return folder


def test_an_unknown_model(plant, command):
    code, said = run_job(command, plant, config(model_type="omega_9"))
    assert code == WRONG
    assert "model_type 'omega_9' is unknown; there are: omega_1_4_base" in said


def test_a_model_with_a_broken_description(plant, command, home):
    (model_folder(home) / "model.json").write_text('{"kind": ')
    code, said = run_job(command, plant, config(model_type="mine"))
    assert code == WRONG
    assert "model.json, line 1, column 10" in said


@pytest.mark.parametrize("size", [0, 100])
def test_a_model_whose_graph_is_cut_off(plant, command, home, size):
    graph = model_folder(home) / "encoder.onnx"
    os.truncate(graph, size)
    code, said = run_job(command, plant, config(model_type="mine"))
    assert code in (FAILED, WRONG)
    assert str(graph) in said or "mine" in said
    assert not (plant / "job").exists()


def test_a_model_without_its_graph(plant, command, home):
    (model_folder(home) / "encoder.onnx").unlink()
    code, said = run_job(command, plant, config(model_type="mine"))
    assert code in (FAILED, WRONG)
    assert "encoder.onnx" in said
    assert not (plant / "job").exists()


def test_a_model_of_another_shape(tmp_path, command, home):
    write_plant(tmp_path, channels=8)
    code, said = run_job(command, tmp_path, config(model_type="mine"))
    assert (code, said) == (WRONG, "error: model_type mine takes exactly 3 data_columns; 8 were given.\n")


@pytest.mark.parametrize("arguments", [["models", "list"], ["run", "job.json"], ["models", "add", "encoder.onnx"]])
def test_a_home_that_is_a_file(plant, command, monkeypatch, arguments):
    convolution(plant / "encoder.onnx")
    write_job(plant, request())
    (plant / "home").write_text("mine")
    monkeypatch.setenv("ENGINE_HOME", str(plant / "home"))
    monkeypatch.chdir(plant)
    code, _, said = command(*arguments)
    if "add" in arguments:
        assert code == FAILED
        assert f"{plant}/home" in said
        assert "ENGINE_HOME" in said
    else:
        assert code == 0
    assert (plant / "home").read_text() == "mine"


# The other face, and a real process


CLASSIFY = {
    "no files": ([], "Missing argument 'FILES...'"),
    "shot without label": (["line7.csv", "--shot", "idle.csv"], "--shot takes LABEL=FILE; got 'idle.csv'."),
    "window as text": (["line7.csv", "--shot", "a=idle.csv", "--window", "x"], "'x' is not a valid integer"),
    "no such file": (["nope.csv", "--shot", "a=idle.csv"], "worker.inference[0] 'nope.csv' does not exist in"),
    "no such shot": (["line7.csv", "--shot", "a=nope.csv"], "worker.n_shots[0] 'nope.csv' does not exist in"),
    "no column": (["line7.csv", "--shot", "a=idle.csv", "--columns", "speed,rpm"], "line7.csv has no column 'rpm'"),
    "empty column": (["line7.csv", "--shot", "a=idle.csv", "--columns", ""], "data_columns[0] must be a text"),
    "endless gap": (["line7.csv", "--shot", "a=idle.csv", "--max-gap", "nan"], "max_gap must be a number above 0"),
    "labels of nothing": (
        ["line7.csv", "--shot", "a=idle.csv", "--labels", "x.csv=run.csv", "--label-column", "flow"],
        "worker.labels[0] (run.csv) needs metadata.for",
    ),
}


@pytest.mark.parametrize("case", CLASSIFY)
def test_wrong_options_of_classify(plant, command, monkeypatch, case):
    arguments, expected = CLASSIFY[case]
    monkeypatch.chdir(plant)
    code, _, said = command("classify", *arguments)
    assert code == WRONG
    assert expected in said
    assert not (plant / "classified").exists()


def test_a_fault_in_a_real_process(plant):
    edit(plant / "line7.csv", replace_line(51, "1049,1,bad,3"))
    job = write_job(plant, request())
    ended = subprocess.run([sys.executable, "-m", "engine", "run", job], capture_output=True, text=True, check=False)
    assert ended.returncode == FAILED
    assert ended.stdout == ""
    assert "line7.csv, line 51, column current: 'bad' is not a number." in ended.stderr
    assert "\x1b" not in ended.stderr, "no colours in a file"


def test_a_file_name_that_is_no_unicode(plant):
    """A name from an old system: its bytes are no UTF-8."""
    name = os.fsdecode(b"stra\xdfe.csv")
    (plant / "line7.csv").rename(plant / name)
    command = [sys.executable, "-m", "engine", "classify", name, "--shot", "idle=idle.csv", "--shot", "run=run.csv"]
    ended = subprocess.run([*command, "-v"], cwd=plant, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (part,) = (plant / "classified" / "results").iterdir()
    assert os.fsencode(part.name).endswith(b"_output_stra\xdfe_part_0.csv")


def test_a_fault_of_the_engine_is_a_sentence_too(plant, command, monkeypatch):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("index 7 is out of bounds")

    monkeypatch.setattr(local, "run_job", fail)
    code, _, said = command("run", write_job(plant, request()))
    assert code == FAILED
    assert "a fault of the engine, not of your data: RuntimeError: index 7 is out of bounds." in said
    assert "python -X dev -m engine" in said
    assert "Traceback" not in said


def test_frames_of_an_estimator_are_checked_like_files(plant):
    import engine

    states = engine.StateClassifier()
    frame = pl.DataFrame({"a": ["x"] * 80})
    with pytest.raises(engine.InputError, match="does not hold numbers only"):
        states.fit([frame, frame], ["idle", "run"])
    with pytest.raises(engine.RequestError, match="recording 0 \\(idle\\) has 10 rows, fewer than window_size 64"):
        states.fit([readings("idle", 10), readings("run", 100)], ["idle", "run"])
    with pytest.raises(engine.RequestError, match="fit got no recordings"):
        states.fit([], [])
    with pytest.raises(engine.RequestError, match="has not learned anything"):
        states.predict(np.zeros((100, 2)))
