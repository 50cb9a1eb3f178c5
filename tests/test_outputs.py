"""What a job writes: parts and their names, extra columns, missing values, gaps, labels, and their evaluation."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import COLUMNS, readings, request, write_csv, write_job, write_plant
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

import engine
from engine.jobs.local import read_results
from engine.pipelines.machine_state.config import MachineStateConfig

WINDOW = 16
INVALID = "INVALID_STATE"


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return write_plant(tmp_path)


def run(folder: Path, into: str = "job", /, **config: Any) -> tuple[engine.Summary, Path]:
    """Run a request over windows of 16 rows, unless the config says otherwise."""
    config = {"reader_config": {"window_size": WINDOW}, **config}
    summary = engine.run(write_job(folder, request(**config)), folder / into, threads=1)
    return summary, folder / into


def predictions(folder: Path, **config: Any) -> pl.DataFrame:
    into = f"out{len(list(folder.glob('out*')))}"
    (frame,) = read_results(run(folder, into, **config)[1]).values()
    return frame


def rewrite(path: Path, cells: dict[tuple[int, str], str]) -> None:
    """Set cells by (data row, column)."""
    header, *lines = path.read_text().splitlines()
    names = header.split(",")
    rows = [line.split(",") for line in lines]
    for (row, column), text in cells.items():
        rows[row][names.index(column)] = text
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")


def add_column(path: Path, name: str, cells: list[str]) -> None:
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},{name}", *(f"{a},{b}" for a, b in zip(lines, cells, strict=True))]) + "\n")


# Parts


def test_parts_have_as_many_lines_as_batches_times_batch_size(tmp_path):
    write_plant(tmp_path, rows=10_000)
    summary, output = run(tmp_path, reader_config={"window_size": 64})
    parts = [output / name for name in summary.tally.files]
    lengths = [len(path.read_text().splitlines()) - 1 for path in parts]
    assert lengths == [4800, 4800, 337]
    assert summary.tally.windows == 9937
    (entry,) = json.loads((output / "request.json").read_bytes())["inputs"]["worker.inference"]
    assert [path.name for path in parts] == [f"{entry['id']}_output_line7_part_{n}.csv" for n in range(3)]
    assert sorted(path.name for path in (output / "results").iterdir()) == sorted(path.name for path in parts)
    for path in parts:
        assert path.read_text().splitlines()[0] == "timestamp,Prediction"
        assert path.read_bytes().count(b"\r") == 0
    stamps = [line.split(",")[0] for path in parts for line in path.read_text().splitlines()[1:]]
    assert stamps == [str(1000 + row) for row in range(9937)]


@pytest.mark.parametrize(
    ("name", "stem"),
    [("line7.csv.gz", "line7"), ("sub/Line 7.CSV", "Line 7"), ("a.b.csv", "a.b"), ("plain", "plain"), (".csv", ".csv")],
)
def test_parts_are_named_after_the_stem_of_the_input(plant, name, stem):
    (plant / name).parent.mkdir(exist_ok=True)
    (plant / "line7.csv").rename(plant / name)
    body = request()
    body["inputs"]["worker.inference"] = {"file_id": name}
    summary = engine.run(write_job(plant, body), plant / "out", threads=1)
    assert [file.split("_output_")[1] for file in summary.tally.files] == [f"{stem}_part_0.csv"]


@settings(derandomize=True, deadline=None, max_examples=8)
@given(rows=st.integers(WINDOW, 90), step=st.integers(1, 40), batch=st.integers(1, 9), every=st.integers(1, 4))
def test_windows_and_parts_are_counted_as_written(tmp_path_factory, rows, step, batch, every):
    folder = write_plant(tmp_path_factory.mktemp("plant"), rows=rows, shot_rows=WINDOW + 5 * step)
    summary, output = run(
        folder,
        reader_config={"window_size": WINDOW, "step_size": step},
        batch_size=batch,
        flush_every_n_iteration=every,
        output={"row_index": True},
    )
    windows = (rows - WINDOW) // step + 1
    frames = [pl.read_csv(output / name) for name in summary.tally.files]
    full, rest = divmod(windows, batch * every)
    assert [len(frame) for frame in frames] == [batch * every] * full + [rest] * (rest > 0)
    assert pl.concat(frames)["start_row"].to_list() == [n * step for n in range(windows)]


def test_flush_settings_change_the_parts_and_not_a_line(plant):
    whole = predictions(plant)
    assert predictions(plant, batch_size=3, flush_every_n_iteration=2).equals(whole)


# Columns and formats


EVERYTHING = {"row_index": True, "window_bounds": True, "probabilities": True}


def test_extra_columns_in_their_order(plant):
    frame = predictions(plant, output=EVERYTHING)
    assert frame.columns == [
        "timestamp",
        "Prediction",
        "start_row",
        "start_timestamp",
        "finish_timestamp",
        "p_idle",
        "p_run",
    ]
    assert frame["start_row"].to_list() == list(range(200 - WINDOW + 1))
    assert frame["start_timestamp"].equals(frame["timestamp"].alias("start_timestamp"))
    assert frame["finish_timestamp"].to_list() == [str(1000 + row + WINDOW - 1) for row in range(len(frame))]
    shares = frame.select("p_idle", "p_run").to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert frame["Prediction"].to_list() == ["idle" if a >= b else "run" for a, b in shares]


def test_row_numbers_stand_in_for_timestamps(plant):
    for name in ("idle.csv", "run.csv", "line7.csv"):
        path = plant / name
        path.write_text("\n".join(line.split(",", 1)[1] for line in path.read_text().splitlines()) + "\n")
    frame = predictions(plant, output={"window_bounds": True})
    assert frame["timestamp"].to_list() == [str(row) for row in range(len(frame))]
    assert frame["finish_timestamp"].to_list() == [str(row + WINDOW - 1) for row in range(len(frame))]


def test_timestamps_are_copied_as_they_are(plant):
    stamps = ["28/12/2015 10:29:14 AM", "007", ' "quoted"', "1e3", "same", "same"]
    rewrite(plant / "line7.csv", {(row, "timestamp"): stamp for row, stamp in enumerate(stamps) if '"' not in stamp})
    frame = predictions(plant)
    assert [frame["timestamp"][row] for row in (0, 1, 3, 4, 5)] == [stamps[row] for row in (0, 1, 3, 4, 5)]
    assert len(frame) == 200 - WINDOW + 1, "equal timestamps lose no line"


def test_formats_say_the_same(plant):
    frames = {name: predictions(plant, output={"format": name, **EVERYTHING}) for name in ("csv", "jsonl", "parquet")}
    suffixes = sorted(path.suffix for path in plant.rglob("*_part_0.*"))
    assert suffixes == [".csv", ".jsonl", ".parquet"]
    csv = frames.pop("csv")
    for frame in frames.values():
        assert frame.columns == csv.columns
        assert frame["Prediction"].equals(csv["Prediction"])
        np.testing.assert_array_equal(frame["p_run"].to_numpy(), csv["p_run"].to_numpy())
        assert frame["timestamp"].cast(pl.String).equals(csv["timestamp"])


@pytest.mark.parametrize("layout", ["csv", "parquet"])
def test_embeddings_are_a_second_output(plant, layout):
    summary, output = run(
        plant, output={"embeddings": True, "format": layout}, batch_size=10, flush_every_n_iteration=8
    )
    results = [name for name in summary.tally.files if name.startswith("results/")]
    vectors = [name for name in summary.tally.files if name.startswith("embeddings/")]
    assert len(results) == len(vectors) == 3
    assert [name.split("/")[1].replace("_embeddings_", "_output_").rsplit(".", 1)[0] for name in vectors] == [
        name.split("/")[1].rsplit(".", 1)[0] for name in results
    ]
    frame = pl.concat([pl.read_parquet(output / name) for name in vectors])
    assert frame.columns == ["start_row", "timestamp", "embedding"]
    assert frame.schema["embedding"] == pl.List(pl.Float32)
    assert frame["start_row"].to_list() == list(range(185))
    assert len(set(frame["embedding"].list.len())) == 1


# Missing values


MISSING = {(50, "speed"): "", (120, "flow"): "NaN", (121, "flow"): "inf"}


def crosses(rows: list[int], windows: int, *, window: int = WINDOW, behind: int = 0) -> list[bool]:
    """Tell for each window whether one of the rows is in it, its first `behind` rows left out."""
    return [any(start + behind <= row < start + window for row in rows) for start in range(windows)]


def test_missing_cells_take_the_value_before(plant):
    write_plant(plant)
    clean = (plant / "line7.csv").read_text().splitlines()
    held = {(50, "speed"): clean[50].split(",")[1], (120, "flow"): clean[120].split(",")[3]}
    held[121, "flow"] = held[120, "flow"]
    rewrite(plant / "line7.csv", held)
    expected = predictions(plant, output={"probabilities": True})
    rewrite(plant / "line7.csv", MISSING)
    summary, output = run(plant, output={"probabilities": True})
    assert read_results(output)["line7.csv"].equals(expected)
    assert summary.repaired_cells == 3
    assert summary.warnings == ("line7.csv: 3 missing or infinite cells (0.5%) in speed, flow",)
    events = [json.loads(line) for line in (output / "events.jsonl").read_text().splitlines()]
    (event,) = (event for event in events if event["event_type"] == "input.missing_values")
    assert event["payload"]["cells"] == {"speed": 1, "flow": 2}


def test_a_gap_at_the_start_takes_the_mean_of_the_shots(plant):
    shots = np.concatenate([np.loadtxt(plant / f"{name}.csv", delimiter=",", skiprows=1) for name in ("idle", "run")])
    vectors = []
    for cell in (str(shots[:, 2].mean()), ""):
        rewrite(plant / "line7.csv", {(row, "current"): cell for row in range(30)})
        _, output = run(plant, f"cell{cell}", output={"embeddings": True})
        (part,) = (output / "embeddings").iterdir()
        vectors.append(np.array(pl.read_parquet(part)["embedding"].to_list()))
    np.testing.assert_allclose(*vectors, atol=1e-6)


def test_windows_with_missing_cells_can_be_marked(plant):
    whole = predictions(plant, output=EVERYTHING)
    rewrite(plant / "line7.csv", MISSING)
    frame = predictions(plant, missing_values="invalid", output=EVERYTHING)
    marked = crosses([50, 120, 121], len(frame))
    assert [label == INVALID for label in frame["Prediction"]] == marked
    assert frame["p_idle"].is_null().to_list() == marked
    kept = ~np.array(marked)
    assert frame.filter(kept).equals(whole.filter(kept))


def test_marked_windows_are_counted(plant):
    rewrite(plant / "line7.csv", MISSING)
    summary, _ = run(plant, missing_values="invalid")
    assert summary.tally.invalid == sum(crosses([50, 120, 121], 185)) == 33
    assert sum(summary.tally.counts.values()) == 185 - 33


@pytest.mark.parametrize("cell", ["", "nan", "-inf"])
def test_missing_cells_can_fail_the_input(plant, cell):
    rewrite(plant / "line7.csv", {(50, "speed"): cell})
    with pytest.raises(engine.JobFailed) as caught:
        run(plant, missing_values="fail")
    assert caught.value.errors[0].code == "invalid_cell"
    assert "line7.csv, line 52, column speed: " in str(caught.value)
    assert "missing_values be 'ffill'" in str(caught.value)
    (frame,) = read_results(plant / "job").values()
    assert len(frame) == 50 - WINDOW + 1, "what was whole before the cell is there"


@pytest.mark.parametrize("texts", [["NA"], ["NA", "-"]])
def test_words_for_missing_cells(plant, texts):
    rewrite(plant / "line7.csv", {(50, "speed"): ""})
    expected = predictions(plant)
    rewrite(plant / "line7.csv", {(50, "speed"): " NA "})
    assert predictions(plant, reader_config={"window_size": WINDOW, "null_values": texts}).equals(expected)


# Gaps in time


def set_times(path: Path, times: list[str]) -> None:
    rewrite(path, {(row, "timestamp"): time for row, time in enumerate(times)})


def jumpy(form: str) -> list[str]:
    """Times one second apart, with a gap of 50 s before row 80, and a step back before row 150."""
    seconds = np.arange(200.0) + 50 * (np.arange(200) >= 80) - 10 * (np.arange(200) >= 150)
    if form == "number":
        return [f"{1e9 + second:.1f}" for second in seconds]
    texts = np.datetime_as_string(np.datetime64("2026-03-29T01:59:00") + seconds.astype("timedelta64[s]"))
    suffix = {"iso": "", "zulu": "Z", "offset": "+01:00", "blank": ""}[form]
    return [f"{text.replace('T', ' ') if form == 'blank' else text}{suffix}" for text in texts]


@pytest.mark.parametrize("form", ["number", "iso", "zulu", "offset", "blank"])
def test_gaps_are_counted_marked_or_left_out(plant, form):
    set_times(plant / "line7.csv", jumpy(form))
    crossing = crosses([80, 150], 185, behind=1)
    whole = predictions(plant, output=EVERYTHING)
    marked = predictions(plant, gap_policy="mark", output=EVERYTHING)
    assert [label == INVALID for label in marked["Prediction"]] == crossing
    skipped = predictions(plant, gap_policy="skip", output=EVERYTHING)
    assert skipped.equals(whole.filter(~np.array(crossing)))
    summary, output = run(plant)
    assert summary.gaps == 2
    events = [json.loads(line) for line in (output / "events.jsonl").read_text().splitlines()]
    (event,) = (event for event in events if event["event_type"] == "input.gaps")
    assert event["payload"] == {"gaps": 2, "backward": 1, "first_row": 80}
    assert "the first before line 82" in event["message"]


def test_places_in_parquet_are_rows(plant):
    set_times(plant / "line7.csv", jumpy("iso"))
    frame = pl.read_csv(plant / "line7.csv")
    frame.write_parquet(plant / "line7.csv")  # what a file is, its bytes say
    summary, _ = run(plant)
    assert any("the first before row 81" in message for message in summary.warnings)
    column = frame.columns[1]
    frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 120).then(None).otherwise(pl.col(column)).alias(column)
    ).write_parquet(plant / "line7.csv")
    with pytest.raises(engine.JobFailed, match=f"row 121, column {column}: the cell is empty"):
        run(plant, "refused", missing_values="fail")


def test_skipped_windows_leave_the_parts_full(plant):
    set_times(plant / "line7.csv", jumpy("iso"))
    summary, output = run(plant, gap_policy="skip", batch_size=10, flush_every_n_iteration=5)
    lengths = [len(pl.read_csv(output / name)) for name in summary.tally.files]
    kept = 185 - sum(crosses([80, 150], 185, behind=1))
    assert lengths == [50, 50, 50, kept - 150]


def test_the_largest_step_can_be_named(plant):
    set_times(plant / "line7.csv", jumpy("iso"))
    assert run(plant, max_gap=60)[0].gaps == 1, "a step back is always a gap"
    assert run(plant, "half", max_gap=0.5)[0].gaps == 199


def test_windows_that_all_cross_gaps_fail_the_input_when_they_are_left_out(plant):
    set_times(plant / "line7.csv", [str(row * 60) for row in range(200)])
    with pytest.raises(
        engine.JobFailed, match=r"line7\.csv: every window crosses a time gap, and gap_policy is 'skip'"
    ) as caught:
        run(plant, gap_policy="skip", max_gap=30)
    assert caught.value.code == "no_windows"
    with pytest.raises(engine.RequestError, match=r"n-shot file idle\.csv: every window crosses a time gap"):
        run(plant, gap_policy="skip", max_gap=0.5)


def test_timestamps_that_are_no_times_have_no_gaps(plant):
    set_times(plant / "line7.csv", [f"shift {row % 7}" for row in range(200)])
    summary, _ = run(plant, gap_policy="mark")
    assert (summary.gaps, summary.tally.invalid) == (0, 0)


# Labels and evaluation


LABELS = ["idle"] * 60 + [""] * 10 + ["run"] * 50 + ["idle"] * 5 + ["run"] * 60 + ["broken"] * 15


def window_label(labels: list[str], rule: str) -> str:
    """The label of a window by definition, "" where it has none."""
    if rule in ("first", "last"):
        return labels[0 if rule == "first" else -1]
    present = [label for label in labels if label]
    if rule == "pure":
        return labels[0] if len(set(labels)) == 1 else ""
    order = list(dict.fromkeys(LABELS))
    return max(set(present), key=lambda label: (present.count(label), -order.index(label)), default="")


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("rule", ["first", "last", "majority", "pure"])
def test_evaluation_equals_scikit_learn(plant, rule, apart):
    body = request(reader_config={"window_size": WINDOW}, evaluation={"label_column": "state", "label_rule": rule})
    if apart:
        (plant / "truth.csv").write_text("\n".join(["other,state", *(f"9,{label}" for label in LABELS)]) + "\n")
        body["inputs"]["worker.labels"] = {"file_id": "truth.csv", "metadata": {"for": "line7.csv"}}
    else:
        add_column(plant / "line7.csv", "state", LABELS)
    summary = engine.run(write_job(plant, body), plant / "job", threads=1)
    (frame,) = read_results(plant / "job").values()
    truth = [window_label(LABELS[start : start + WINDOW], rule) for start in range(len(frame))]
    pairs = [(a, b) for a, b in zip(truth, frame["Prediction"], strict=True) if a]
    expected, found = zip(*pairs, strict=True)
    scores = summary.evaluation
    assert scores is not None
    assert (scores.windows, scores.excluded) == (len(pairs), truth.count(""))
    names = sorted({*expected, *found})
    assert list(scores.classes) == names
    assert scores.accuracy == pytest.approx(accuracy_score(expected, found))
    assert scores.macro_f1 == pytest.approx(f1_score(expected, found, average="macro", labels=names, zero_division=0))
    assert np.array_equal(scores.matrix, confusion_matrix(expected, found, labels=names))
    each = precision_recall_fscore_support(expected, found, labels=names, zero_division=0)
    for name, *values in zip(names, *each, strict=True):
        one = scores.per_class[name]
        assert [one.precision, one.recall, one.f1, one.support] == pytest.approx(values)
    assert scores.majority_baseline == pytest.approx(max(map(expected.count, names)) / len(expected))
    assert (
        "state"
        not in json.loads((plant / "job" / "request.json").read_bytes())["parameters"]["worker"]["config"][
            "reader_config"
        ]["data_columns"]
    )


def test_labels_change_no_prediction(plant):
    expected = predictions(plant)
    add_column(plant / "line7.csv", "state", LABELS)
    assert predictions(plant, evaluation={"label_column": "state"}).equals(expected)


@pytest.mark.parametrize(("rows", "shorter"), [(199, "truth.csv"), (201, "line7.csv")])
def test_labels_must_be_as_many_as_rows(plant, rows, shorter):
    (plant / "truth.csv").write_text("\n".join(["state", *(["idle"] * rows)]) + "\n")
    body = request(evaluation={"label_column": "state"})
    body["inputs"]["worker.labels"] = {"file_id": "truth.csv", "metadata": {"for": "line7.csv"}}
    with pytest.raises(engine.JobFailed, match=f"{shorter} has fewer rows than") as caught:
        engine.run(write_job(plant, body), plant / "job", threads=1)
    assert caught.value.code == "label_count"


def test_labels_are_read_as_text(plant):
    """Codes such as 007 and 7 are two classes."""
    add_column(plant / "line7.csv", "state", ["007"] * 100 + ["7"] * 100)
    summary, _ = run(plant, evaluation={"label_column": "state", "label_rule": "pure"})
    assert summary.evaluation is not None
    assert summary.evaluation.classes == ("007", "7", "idle", "run")


# Normalization


def change_units(path: Path, gain: float, offset: float) -> None:
    """Write a recording in other units."""
    values = np.loadtxt(path, delimiter=",", skiprows=1)[:, 1:]
    write_csv(path, values * gain + offset)


@pytest.mark.parametrize("normalization", ["none", "shots", "file", "window"])
def test_every_normalization_runs_and_is_told(plant, normalization):
    summary, output = run(plant, normalization=normalization)
    assert summary.tally.windows == 185
    config = json.loads((output / "request.json").read_bytes())["parameters"]["worker"]["config"]
    assert config["normalization"] == normalization


def test_shots_is_the_default_and_does_not_care_for_units(plant):
    first = predictions(plant, output={"probabilities": True})
    assert predictions(plant, normalization="shots", output={"probabilities": True}).equals(first)
    for name in ("idle.csv", "run.csv", "line7.csv"):
        change_units(plant / name, 4096, 1024)
    assert predictions(plant)["Prediction"].equals(first["Prediction"])


def test_a_file_by_its_own_does_not_care_for_its_units(plant):
    """Shots and file each have both states, so that each can be measured by its own."""
    for seed, state in enumerate(("idle", "run")):
        write_csv(plant / f"{state}.csv", readings(state, 100, seed=seed) * np.linspace(1, 3, 100)[:, np.newaxis])
    first = predictions(plant, normalization="file")
    raw = predictions(plant, normalization="none")
    change_units(plant / "line7.csv", 64, 512)
    assert predictions(plant, normalization="file")["Prediction"].equals(first["Prediction"])
    assert not predictions(plant, normalization="none")["Prediction"].equals(raw["Prediction"])


def test_a_window_by_its_own_does_not_see_the_level(plant):
    """The states differ in nothing but the level: without it the vote is open, with it not."""
    assert set(predictions(plant, normalization="window")["Prediction"][:60]) == {"idle", "run"}
    assert set(predictions(plant, normalization="none")["Prediction"][:60]) == {"idle"}


# The form of the input


def test_the_form_of_a_file_changes_no_byte(plant):
    whole = (plant / "line7.csv").read_bytes()
    _, output = run(plant, "csv", output=EVERYTHING)
    (expected,) = (path.read_bytes() for path in (output / "results").iterdir())
    table = pl.read_csv(plant / "line7.csv", schema_overrides=dict.fromkeys(COLUMNS, pl.Float64))
    forms = {
        "gzip": gzip.compress(whole),
        "zstd": zstandard.compress(whole),
        "CRLF": whole.replace(b"\n", b"\r\n"),
        "byte-order mark": b"\xef\xbb\xbf" + whole,
        "no last line end": whole[:-1],
        "blanks around names": whole.replace(b",current,", b", current ,", 1),
        "quotes": whole.replace(b"timestamp,speed", b'"timestamp","speed"', 1),
        "another column": b"\n".join(line + b",x" if line else b"" for line in whole.split(b"\n")),
    }
    reader = {"window_size": WINDOW, "data_columns": list(COLUMNS)}
    for number, (form, data) in enumerate(forms.items()):
        (plant / "line7.csv").write_bytes(data)
        _, output = run(plant, f"form{number}", output=EVERYTHING, reader_config=reader)
        (found,) = (path.read_bytes() for path in (output / "results").iterdir())
        assert found == expected, form
    table.write_parquet(plant / "line7.csv")
    _, output = run(plant, "parquet", output=EVERYTHING, reader_config=reader)
    (found,) = (path.read_bytes() for path in (output / "results").iterdir())
    assert found == expected


def test_integers_first_and_decimals_later(plant):
    values = np.concatenate([np.full((150, 3), 5.0), np.full((50, 3), 5.25)])
    lines = ["timestamp,speed,current,flow"]
    lines += [f"{row}," + ",".join(f"{cell:g}" for cell in cells) for row, cells in enumerate(values)]
    (plant / "line7.csv").write_text("\n".join(lines) + "\n")
    assert len(predictions(plant)) == 185


def test_columns_are_those_asked_for_in_their_order(plant):
    names = ["flow", "speed"]
    _, output = run(plant, reader_config={"window_size": WINDOW, "data_columns": names})
    resolved = MachineStateConfig.model_validate(
        json.loads((output / "request.json").read_bytes())["parameters"]["worker"]["config"]
    )
    assert resolved.reader_config.data_columns == names


def test_the_same_job_twice_gives_the_same_bytes(plant):
    options = {"output": {**EVERYTHING, "embeddings": True}, "classifier_config": {"weights": "distance"}}
    runs = [run(plant, name, **options)[1] for name in ("first", "second")]
    first, second = ({path.name: path.read_bytes() for path in folder.glob("*/*")} for folder in runs)
    assert first == second
    assert len(first) == 2


# What is said aloud


def test_timestamps_that_are_no_times_are_said_where_gaps_were_to_be_found(plant):
    text = (plant / "line7.csv").read_text().replace("\n1", "\nt1")
    (plant / "line7.csv").write_text(text)
    summary, _ = run(plant, "marked", gap_policy="mark")
    assert [
        warning
        for warning in summary.warnings
        if "the first is 't1000'; numbers, ISO 8601 and day.month.year are read, and must rise" in warning
    ]
    assert run(plant, "ignored")[0].warnings == ()


def test_truth_without_shots_is_said(plant):
    lines = (plant / "line7.csv").read_text().splitlines()
    labelled = [f"{lines[0]},state", *(f"{line},Run" for line in lines[1:])]
    (plant / "line7.csv").write_text("\n".join(labelled) + "\n")
    columns = {"data_columns": ["speed", "current", "flow"], "window_size": WINDOW}
    summary, _ = run(plant, reader_config=columns, evaluation={"label_column": "state"})
    assert summary.evaluation.accuracy == 0
    (warning,) = summary.warnings
    assert "'Run' (185 windows)" in warning
    assert "'idle', 'run'" in warning


def test_a_class_that_cannot_win_a_vote_is_said(plant):
    summary, _ = run(plant, reader_config={"window_size": WINDOW, "step_size": 40})
    assert [warning for warning in summary.warnings if "n_neighbors (5) for idle, run" in warning]


def test_a_file_given_twice_keeps_both_results(plant):
    result = engine.classify(
        [plant / "line7.csv"] * 2,
        {state: plant / f"{state}.csv" for state in ("idle", "run")},
        window=WINDOW,
        threads=1,
    )
    name = str(plant / "line7.csv")
    assert list(result.predictions) == [name, f"{name} (2)"]
    assert result.predictions[name].equals(result.predictions[f"{name} (2)"])
