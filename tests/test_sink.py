"""The output port: exact bytes, parts of exactly N lines, and the same files whatever is killed and whenever."""

import csv
import hashlib
import io
import itertools
import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError, RequestError
from engine.output import sink as sink_module
from engine.output.files import POINTS
from engine.output.journal import Entry, Journal
from engine.output.port import Destination
from engine.output.predictions import OutputOptions, Predictions
from engine.output.score import collect, score
from engine.output.sink import ResultSink
from engine.output.summary import Summary, add_up

CLASSES = ("idle", "run", "stop, now")
EVERYTHING = OutputOptions(row_index=True, window_bounds=True, probabilities=True, embeddings=True)


def windows(count: int, *, step: int = 1, stamped: bool = True, seed: int = 0) -> Predictions:
    draw = np.random.default_rng(seed)
    starts = np.arange(count, dtype=np.int64) * step
    shares = draw.dirichlet(np.ones(len(CLASSES)), count)
    codes = draw.integers(-1, len(CLASSES), count).astype(np.int32)
    return Predictions(
        start_rows=starts,
        codes=codes,
        confidence=np.where(codes < 0, np.nan, shares.max(axis=1)),
        timestamps=pl.Series([f"t{row}" for row in starts], dtype=pl.String) if stamped else None,
        finish_timestamps=pl.Series([f"t{row + 9}" for row in starts], dtype=pl.String)
        if stamped
        else pl.Series(starts + 9),
        probabilities=shares,
        embeddings=draw.normal(size=(count, 4)).astype(np.float32),
        truth=draw.integers(-1, 2, count).astype(np.int32),
        truth_classes=("run", "leak"),
    )


def open_sink(journal: Journal, **changes: Any) -> ResultSink:
    given_options = {
        "input_index": 0,
        "input_id": "inp_0",
        "stem": "line7",
        "timestamp_name": "timestamp",
        "classes": CLASSES,
        "rows_per_part": 10,
        "options": OutputOptions(),
    }
    on_commit = changes.pop("on_commit", None)
    return ResultSink(journal, Destination(**(given_options | changes)), on_commit=on_commit)


def write(folder: Path, predictions: Predictions, *, pieces: list[int] | None = None, **changes: Any) -> list[Entry]:
    """Write all of one input, in pieces of the given sizes."""
    flushed: list[Entry] = []
    with Journal.open(folder, {}) as journal, open_sink(journal, on_commit=flushed.append, **changes) as sink:
        done = sink.windows_committed
        for size in pieces or []:
            sink.write(predictions.cut(done, done + size))
            done += size
        sink.write(predictions.cut(done, len(predictions)))
        sink.end()
    return flushed


def result(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for place in ("results", "embeddings")
        for path in sorted((folder / place).rglob("*"))
    }


def naive_csv(header: list[str], rows: list[list[str]]) -> bytes:
    """The format, field by field: quotes where there is a comma, a quote, CR or LF."""

    def field(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(character in text for character in ',"\r\n') else text

    return "".join(",".join(map(field, row)) + "\n" for row in [header, *rows]).encode()


def naive_rows(predictions: Predictions, timestamps: list[str], classes: tuple[str, ...]) -> list[list[str]]:
    rows = []
    for n, code in enumerate(predictions.codes):
        rows.append([timestamps[n], classes[code] if code >= 0 else "INVALID_STATE"])
    return rows


def test_the_first_lines_of_a_part_are_those_of_the_wire(tmp_path: Path) -> None:
    three = Predictions(
        start_rows=np.arange(3),
        codes=np.array([0, 1, -1], np.int32),
        confidence=np.array([1.0, 0.6, np.nan]),
        timestamps=pl.Series(["1767225600", "28/12/2015 10:29:14 AM", ""]),
    )
    [info] = write(tmp_path, three)
    expected = b"timestamp,Prediction\n1767225600,idle\n28/12/2015 10:29:14 AM,run\n,INVALID_STATE\n"
    assert result(tmp_path) == {"results/inp_0_output_line7_part_0.csv": expected}
    assert (tmp_path / "results" / info["file"]).read_bytes() == expected
    assert (info["bytes"], info["sha256"]) == (len(expected), hashlib.sha256(expected).hexdigest())


def test_parts_have_exactly_so_many_lines(tmp_path: Path) -> None:
    flushed = write(tmp_path, windows(9937), rows_per_part=4800, pieces=[1, 4799, 5000])
    assert [info["rows"] for info in flushed] == [4800, 4800, 337]
    assert [info["cursor"] for info in flushed] == [4800, 9600, 9937]
    assert [(info["first_row"], info["last_row"]) for info in flushed] == [(0, 4799), (4800, 9599), (9600, 9936)]
    assert list(result(tmp_path)) == [f"results/inp_0_output_line7_part_{part}.csv" for part in range(3)]
    assert [data.count(b"\n") - 1 for data in result(tmp_path).values()] == [4800, 4800, 337]


def test_a_resumed_sink_says_where_to_go_on(tmp_path: Path) -> None:
    predictions = windows(25, step=3)
    states = [(0, 0, 0), (10, 1, 28), (20, 2, 58), (20, 2, 58)]
    for before, after in itertools.pairwise(states):
        with Journal.open(tmp_path, {}) as journal, open_sink(journal) as sink:
            assert (sink.windows_committed, sink.parts, sink.next_row) == before
            cursor = sink.windows_committed
            sink.write(predictions.cut(cursor, cursor + 10))
            sink.write(predictions.cut(cursor + 10, cursor + 13))  # too few for a part: forgotten
            assert (sink.windows_committed, sink.parts, sink.next_row) == after
    assert len(result(tmp_path)) == 2


@pytest.mark.parametrize("count", [0, 10, 20])
def test_there_are_no_empty_parts(count: int, tmp_path: Path) -> None:
    assert len(write(tmp_path, windows(count))) == count // 10
    assert len(result(tmp_path)) == count // 10
    with Journal.open(tmp_path, {}) as journal:
        assert open_sink(journal).ended == {"status": "completed"}


texts = st.text(
    st.sampled_from("a, \"\r\n;\t\\\u00e9\u2028\U0001f527#-='\0") | st.characters(codec="utf-8"), max_size=6
)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    stamps=st.lists(texts | st.none(), min_size=1, max_size=25),
    name=texts.filter(lambda text: text != "Prediction"),
    classes=st.lists(texts, min_size=1, max_size=3, unique=True).map(lambda names: tuple(sorted(names))),
    piece=st.integers(1, 9),
)
def test_csv_bytes_equal_the_naive_writer_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, stamps: list[str | None], name: str, classes: tuple[str, ...], piece: int
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    codes = np.resize(np.arange(-1, len(classes), dtype=np.int32), len(stamps))
    predictions = Predictions(
        np.arange(len(stamps)), codes, np.zeros(len(stamps)), timestamps=pl.Series(stamps, dtype=pl.String)
    )
    pieces = [piece] * (len(stamps) // piece)
    write(folder, predictions, pieces=pieces, timestamp_name=name, classes=classes)
    rows = naive_rows(predictions, [stamp or "" for stamp in stamps], classes)
    expected = [naive_csv([name, "Prediction"], rows[start : start + 10]) for start in range(0, len(rows), 10)]
    assert list(result(folder).values()) == expected
    text = expected[0].decode()
    if "\0" not in text:  # Python's reader takes none
        assert list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:] == rows[:10]


def test_every_extra_column_has_its_place(tmp_path: Path) -> None:
    predictions = windows(25, step=3)
    assert predictions.probabilities is not None
    write(tmp_path, predictions, options=EVERYTHING, pieces=[7, 1])
    data = b"".join(data for name, data in result(tmp_path).items() if name.startswith("results"))
    header = [
        "timestamp",
        "Prediction",
        "start_row",
        "start_timestamp",
        "finish_timestamp",
        "p_idle",
        "p_run",
        "p_stop, now",
    ]
    read = [row for row in csv.reader(io.StringIO(data.decode())) if row != header]
    assert data.startswith(naive_csv(header, []))
    for n, row in enumerate(read):
        label = CLASSES[predictions.codes[n]] if predictions.codes[n] >= 0 else "INVALID_STATE"
        assert row[:5] == [f"t{3 * n}", label, str(3 * n), f"t{3 * n}", f"t{3 * n + 9}"]
        if label == "INVALID_STATE":
            assert row[5:] == ["", "", ""]
        else:
            assert [float(share) for share in row[5:]] == predictions.probabilities[n].tolist()
            assert all(len(share) <= 22 for share in row[5:])
    assert len(read) == 25


def test_row_numbers_stand_in_for_timestamps(tmp_path: Path) -> None:
    options = OutputOptions(window_bounds=True)
    write(tmp_path, windows(2, step=5, stamped=False), options=options, classes=CLASSES)
    [data] = result(tmp_path).values()
    assert [line.split(",")[0] for line in data.decode().splitlines()] == ["timestamp", "0", "5"]
    assert [line.split(",")[-2:] for line in data.decode().splitlines()[1:]] == [["0", "9"], ["5", "14"]]


def test_jsonl_has_the_same_keys_in_the_same_order(tmp_path: Path) -> None:
    predictions = windows(12)
    write(tmp_path, predictions, options=OutputOptions("jsonl", row_index=True, probabilities=True))
    assert list(result(tmp_path)) == [f"results/inp_0_output_line7_part_{part}.jsonl" for part in range(2)]
    lines = [json.loads(line) for data in result(tmp_path).values() for line in data.splitlines()]
    assert predictions.probabilities is not None
    for n, line in enumerate(lines):
        valid = predictions.codes[n] >= 0
        shares = predictions.probabilities[n].tolist() if valid else [None] * 3
        label = CLASSES[predictions.codes[n]] if valid else "INVALID_STATE"
        expected = dict(zip([f"p_{name}" for name in CLASSES], shares, strict=True))
        assert list(line.items()) == list(
            {"timestamp": f"t{n}", "Prediction": label, "start_row": n, **expected}.items()
        )
    assert len(lines) == 12


def test_parquet_has_the_same_columns(tmp_path: Path) -> None:
    write(tmp_path, windows(12), options=OutputOptions("parquet", row_index=True, window_bounds=True))
    table = pl.concat([pl.read_parquet(path) for path in sorted((tmp_path / "results").iterdir())])
    assert table.schema == {
        "timestamp": pl.String,
        "Prediction": pl.String,
        "start_row": pl.Int64,
        "start_timestamp": pl.String,
        "finish_timestamp": pl.String,
    }
    assert table["timestamp"].to_list() == [f"t{n}" for n in range(12)]


@pytest.mark.parametrize("output_format", ["csv", "jsonl", "parquet"])
def test_bytes_do_not_depend_on_how_many_windows_come_at_a_time(
    output_format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink_module, "_BLOCK_ROWS", 64)  # several blocks in a part
    options = OutputOptions(output_format, row_index=True, window_bounds=True, probabilities=True, embeddings=True)
    predictions = windows(1000)
    ways = [[], [1] * 999, [399, 1, 200, 63, 64, 65]]
    for n, pieces in enumerate(ways):
        write(tmp_path / str(n), predictions, options=options, rows_per_part=400, pieces=pieces)
        assert len(result(tmp_path / str(n))) == 6
        assert result(tmp_path / str(n)) == result(tmp_path / "0")
        assert (tmp_path / str(n) / "journal.jsonl").read_bytes() == (tmp_path / "0" / "journal.jsonl").read_bytes()


@pytest.mark.parametrize("count", [16_000, 40_000])  # one block, three
def test_parquet_pages_do_not_depend_on_how_many_windows_come_at_a_time(count: int, tmp_path: Path) -> None:
    predictions = windows(count)
    options = OutputOptions("parquet", embeddings=True)
    ways = [[], [1], [9_000, 1, 16_384]]
    for n, pieces in enumerate(ways):
        write(tmp_path / str(n), predictions, options=options, rows_per_part=count, pieces=pieces)
        assert result(tmp_path / str(n)) == result(tmp_path / "0")


def test_embeddings_are_a_second_file_of_the_same_line(tmp_path: Path) -> None:
    predictions = windows(14, step=2)
    [first, last] = write(tmp_path, predictions, options=OutputOptions(embeddings=True))
    assert last["embeddings"]["file"] == "inp_0_embeddings_line7_part_1.parquet"
    table = pl.read_parquet(sorted((tmp_path / "embeddings").iterdir()))
    assert table.schema == {"start_row": pl.Int64, "timestamp": pl.String, "embedding": pl.List(pl.Float32)}
    assert table["start_row"].to_list() == predictions.start_rows.tolist()
    assert np.array_equal(np.array(table["embedding"].to_list(), np.float32), predictions.embeddings)
    with Journal.open(tmp_path, {}) as journal:
        line = journal.entries[0]
    path = tmp_path / "embeddings" / first["embeddings"]["file"]
    assert line["embeddings"] == {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def test_a_journal_line_says_what_the_part_holds(tmp_path: Path) -> None:
    predictions = windows(10)
    assert predictions.truth is not None
    [info] = write(tmp_path, predictions)
    with Journal.open(tmp_path, {}) as journal:
        line = dict(journal.entries[0])
    labels = [CLASSES[code] for code in predictions.codes if code >= 0]
    assert line.pop("counts") == info["counts"] == {name: labels.count(name) for name in CLASSES if name in labels}
    assert line.pop("confidence") == pytest.approx(np.nansum(predictions.confidence))
    pairs = [
        (("run", "leak")[true], CLASSES[code] if code >= 0 else "INVALID_STATE")
        for true, code in zip(predictions.truth, predictions.codes, strict=True)
        if true >= 0
    ]
    assert collect([line]) == ({pair: pairs.count(pair) for pair in pairs}, 10 - len(pairs))
    assert (line.pop("excluded"), len(line.pop("confusion"))) == (10 - len(pairs), len(set(pairs)))
    data = (tmp_path / "results" / info["file"]).read_bytes()
    assert line == {
        "shard": 0,
        "input": 0,
        "part": 0,
        "file": info["file"],
        "rows": 10,
        "first_row": 0,
        "last_row": 9,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "cursor": 10,
        "invalid": 10 - len(labels),
    }


@pytest.mark.parametrize("name", ["Prediction", "start_row", "finish_timestamp", "p_run", "embedding"])
def test_a_timestamp_column_with_an_output_columns_name_is_refused(name: str, tmp_path: Path) -> None:
    with Journal.open(tmp_path, {}) as journal:
        with pytest.raises(RequestError, match=f"timestamp_column '{name}' is also the name of an output column"):
            open_sink(journal, timestamp_name=name, options=EVERYTHING)
        if name != "Prediction":
            open_sink(journal, timestamp_name=name)


def test_a_long_stem_is_cut_where_the_file_system_refuses_it(tmp_path: Path) -> None:
    long = "\u00e9" * 125
    [info] = write(tmp_path, windows(3), stem=long, options=OutputOptions(embeddings=True))
    assert info["file"].startswith("inp_0_output_" + "\u00e9" * 100)
    assert len(result(tmp_path)) == 2
    with pytest.raises(ValueError, match="no path separator"):
        write(tmp_path / "other", windows(3), stem="../x")


def bad_cell() -> InputError:
    message = "line7.csv, line 30, column a: 'bad' is not a number."
    return InputError(message, code="invalid_cell", file="line7.csv", line=30, column="a", value="bad")


def test_a_failed_input_keeps_what_came_before_and_can_be_taken_up_again(tmp_path: Path) -> None:
    predictions = windows(27)
    with Journal.open(tmp_path / "a", {}) as journal, open_sink(journal) as sink:
        sink.write(predictions.cut(0, 13))
        sink.fail(bad_cell(), rows=27)
        told = {"status": "failed", "code": "invalid_cell", "message": str(bad_cell())}
        failed = {**told, "line": 30, "column": "a", "value": "bad", "rows": 27}
        assert sink.ended == failed
        assert len(journal.entries) == 2
    before = result(tmp_path / "a")
    assert [data.count(b"\n") - 1 for data in before.values()] == [10, 3]
    with Journal.open(tmp_path / "a", {}) as journal, open_sink(journal) as sink:
        assert (sink.ended, sink.windows_committed) == (failed, 13)
        sink.reopen()
        assert (sink.ended, sink.windows_committed) == (None, 10)
        assert len(result(tmp_path / "a")) == 1
        sink.write(predictions.cut(10, 13))
        sink.fail(bad_cell(), rows=27)
    assert result(tmp_path / "a") == before
    with Journal.open(tmp_path / "a", {}) as journal, open_sink(journal) as sink:
        sink.reopen()
    write(tmp_path / "a", predictions)
    write(tmp_path / "b", predictions)
    assert result(tmp_path / "a") == result(tmp_path / "b")
    with Journal.open(tmp_path / "a", {}) as journal:
        assert add_up(journal.live()).windows == 27


def test_closing_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "_BLOCK_ROWS", 4)
    with Journal.open(tmp_path, {}) as journal, open_sink(journal) as sink:
        sink.write(windows(16))
        assert len(list((tmp_path / "results").iterdir())) == 2  # a part and the next one's temporary file
    assert list(result(tmp_path)) == ["results/inp_0_output_line7_part_0.csv"]


def test_a_summary_adds_up_what_the_journal_says(tmp_path: Path) -> None:
    write(tmp_path, windows(25), options=OutputOptions(embeddings=True))
    with Journal.open(tmp_path, {}) as journal, open_sink(journal, input_index=1, input_id="inp_1") as sink:
        sink.write(windows(3, seed=1))
        sink.fail(bad_cell())
        tally = add_up(journal.live())
        pairs, excluded = collect(journal.live())
    both = [windows(25), windows(3, seed=1)]
    codes = np.concatenate([one.codes for one in both])
    confidence = np.concatenate([one.confidence for one in both])
    assert (tally.windows, tally.invalid) == (28, np.count_nonzero(codes < 0))
    assert tally.counts == {name: np.count_nonzero(codes == n) for n, name in enumerate(CLASSES)}
    assert tally.mean_confidence == pytest.approx(np.nanmean(confidence))
    assert tally.files[:2] == (
        "results/inp_0_output_line7_part_0.csv",
        "embeddings/inp_0_embeddings_line7_part_0.parquet",
    )
    assert sorted(tally.files) == sorted(result(tmp_path))
    assert (tally.completed_inputs, [one.code for one in tally.failed_inputs]) == (1, ["invalid_cell"])
    summary = Summary(
        status="partial",
        tally=tally,
        repaired_cells=0,
        gaps=0,
        warnings=("channel a is constant",),
        stage_s={"scan": 0.5},
        elapsed_s=1.0,
        windows_per_s=28.0,
        device="cpu",
        model="builtin",
        folder=str(tmp_path),
        evaluation=score(pairs, excluded=excluded),
    )
    written = json.loads(summary.save(tmp_path).read_text())
    assert list(written)[:3] == ["status", "windows", "invalid"]
    told = {"code": "invalid_cell", "message": str(bad_cell()), "line": 30, "column": "a", "value": "bad"}
    assert written["failed_inputs"] == [{"input": 1, **told}]
    assert written["evaluation"]["windows"] + written["evaluation"]["excluded"] == 28


# Finishes the folder named first, then starts the second and is killed at the n-th commit point.
DRIVER = """
import os, signal, sys
from pathlib import Path
import numpy as np
import polars as pl
from engine.errors import InputError
from engine.output import sink as sink_module
from engine.output.files import observe
from engine.output.journal import Journal
from engine.output.port import Destination
from engine.output.predictions import OutputOptions, Predictions
from engine.output.sink import ResultSink

sink_module._BLOCK_ROWS = 8
options = OutputOptions(row_index=True, window_bounds=True, probabilities=True, embeddings=True)

def work(folder, at_a_time):
    with Journal.open(folder, {"run": 1}) as journal:
        for index, count in enumerate((25, 20, 13)):
            rows = np.arange(count)
            codes = (rows * 7 % 4 - 1).astype(np.int32)
            shares = np.stack([rows / 100, 1 - rows / 100, rows * 0.0], axis=1)
            every = Predictions(rows, codes, shares.max(axis=1), pl.Series([f"t{row}" for row in rows]),
                                pl.Series([f"t{row + 4}" for row in rows]), shares, shares.astype(np.float32),
                                (rows % 3 - 1).astype(np.int32), ("a", "b"))
            destination = Destination(index, f"inp_{index}", "x", "time", ("a", "b", "c"), 10, options)
            with ResultSink(journal, destination) as sink:
                if sink.ended:
                    continue
                done = sink.windows_committed
                while done < count:
                    sink.write(every.cut(done, done + at_a_time))
                    done += at_a_time
                if index == 2:
                    sink.fail(InputError("x.csv, line 20: no.", code="invalid_cell", file="x.csv"))
                else:
                    sink.end(rows=count)

def watch(point):
    global left
    reached.append(point)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

finish, start, kill_at = sys.argv[1:]
reached = []
left = 0
if finish:
    work(Path(finish), 3)
if start:
    left = int(kill_at)
    observe(watch)
    work(Path(start), 7)
    print(*reached)
"""


def drive(finish: Path | str, start: Path | str, kill_at: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", DRIVER, finish, start, str(kill_at)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_kills_anywhere_change_no_byte(tmp_path: Path) -> None:
    undisturbed = drive("", tmp_path / "undisturbed")
    reached = undisturbed.stdout.split()
    expected = result(tmp_path / "undisturbed")
    assert len(expected) == 14
    assert set(reached) <= set(POINTS)
    assert {"input.ended", "part.renamed", "embeddings.settled"} < set(reached)
    # Ten instants after the first commit, spread over the run.
    draw = random.Random(7)
    first = reached.index("journal.synced") + 1
    kills = sorted(draw.sample(range(first, len(reached)), 10))
    journal = (tmp_path / "undisturbed" / "journal.jsonl").read_bytes()
    previous: Path | str = ""
    for number, kill_at in enumerate(kills):
        folder = tmp_path / str(number)
        assert drive(previous, folder, kill_at).returncode == -signal.SIGKILL
        previous = folder
    assert drive(previous, "").returncode == 0
    for number, kill_at in enumerate(kills):
        folder = tmp_path / str(number)
        assert result(folder) == expected, f"killed at {reached[kill_at - 1]}, point {kill_at}"
        assert (folder / "journal.jsonl").read_bytes() == journal


def test_a_size_limit_leaves_whole_parts_only(tmp_path: Path) -> None:
    drive("", tmp_path / "undisturbed")
    expected = result(tmp_path / "undisturbed")
    largest = max(map(len, expected.values()))
    assert largest < (tmp_path / "undisturbed" / "journal.jsonl").stat().st_size
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (int(kill_at),) * 2); kill_at = 0\nreached = []"
    limited = DRIVER.replace("reached = []", limit)
    first = len(expected["embeddings/inp_0_embeddings_x_part_0.parquet"])
    # Once the first part does not fit, once only the journal.
    for number, limit_bytes in enumerate((first - 1, largest)):
        folder = tmp_path / str(number)
        command = [sys.executable, "-c", limited, "", folder, str(limit_bytes)]
        stopped = subprocess.run(command, check=False, capture_output=True, text=True)
        assert "DiskFull" in stopped.stderr
        assert result(folder).items() < expected.items()
        journal = (folder / "journal.jsonl").read_text()
        assert journal.endswith("\n")
        assert len(result(folder)) == 2 * journal.count('"part":')
        assert bool(result(folder)) == (number == 1)
    drive(tmp_path / "0", tmp_path / "1")
    assert result(tmp_path / "0") == result(tmp_path / "1") == expected
