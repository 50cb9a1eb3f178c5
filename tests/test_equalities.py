"""What must not change a byte: how a recording is read, cut, spread over threads, searched and written."""

import gzip
import itertools
import threading
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from naive import fill_forward

import engine
from engine.models.catalog import Catalog
from engine.models.encoder import load_encoder
from engine.models.session import resolve_device
from engine.pipelines.machine_state.classifier import Classifier, Pass, Shot
from engine.pipelines.machine_state.config import MachineStateConfig
from engine.plant import Episode, Scenario, write_csv
from engine.stream.scan import ReadOptions, open_table

CHANNELS = 3
few = settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])  # shrinking takes minutes


class Recut:
    """A recording that is read in chunks of any size."""

    def __init__(self, table, sizes):
        self._table = table
        self._sizes = sizes
        self.name, self.data_columns, self.timestamp_name = table.name, table.data_columns, table.timestamp_name
        self.line_of, self.line_word = table.line_of, table.line_word

    def chunks(self, rows=None):
        sizes = itertools.cycle(self._sizes)
        first = 0
        for chunk in self._table.chunks(rows):
            while first < chunk.first_row + chunk.values.shape[1]:
                inside = slice(first - chunk.first_row, first - chunk.first_row + next(sizes))
                values = chunk.values[:, inside].copy()
                yield replace(
                    chunk,
                    first_row=first,
                    values=values,
                    timestamps=chunk.timestamps[inside],
                    labels=None if chunk.labels is None else chunk.labels[inside],
                )
                first += values.shape[1]


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    """Two shots and a recording over several blocks, with missing cells and holes in time."""
    folder = tmp_path_factory.mktemp("plant")
    for state in ("normal", "leak"):
        write_csv(folder / f"{state}.csv", Scenario((Episode(state, 300, 0.9),), 4, CHANNELS))
    lengths = (700, 600, 900, 500)
    states = ("normal", "leak")
    episodes = tuple(Episode(states[n % 2], length, 0.9) for n, length in enumerate(lengths))
    write_csv(folder / "long.csv", Scenario(episodes, 9, CHANNELS))
    table = pl.read_csv(folder / "long.csv", schema_overrides={"timestamp": pl.String})
    rng = np.random.default_rng(1)
    names = table.columns[1:]
    for name in names:
        holes = rng.random(len(table)) < 0.01
        table = table.with_columns(pl.when(~pl.Series(holes)).then(pl.col(name)).alias(name))
    kept = np.ones(len(table), dtype=bool)
    kept[1000:1060] = kept[1990:2010] = False
    table.filter(pl.Series(kept)).write_csv(folder / "long.csv")
    return folder


def open_plant(folder):
    return {name: open_table(folder / f"{name}.csv", name, ReadOptions()) for name in ("normal", "leak", "long")}


def make_config(**changes):
    window, step = changes.pop("window", 32), changes.pop("step", 1)
    base = {
        "reader_config": {"window_size": window, "step_size": step},
        "classifier_config": {"n_neighbors": 7, "weights": "distance"},
        "output": {"probabilities": True, "embeddings": True, "window_bounds": True},
    }
    return MachineStateConfig.model_validate(base | changes)


def open_classifier(config, tables, *, threads=1, search="exact", sizes=None):
    cut = (lambda table: table) if sizes is None else (lambda table: Recut(table, sizes))
    encoder = load_encoder(
        Catalog().find(config.model_type),
        channels=CHANNELS,
        window=config.reader_config.window_size,
        step=config.reader_config.step_size,
        device=resolve_device("cpu"),
    )
    shots = [Shot(state, cut(tables[state])) for state in ("normal", "leak")]
    return Classifier(config, encoder, shots, search=search, threads=threads, report=lambda *_: None)


def gather(predictions):
    """Everything that a run says, joined over its blocks, as bytes."""
    pieces = list(predictions)
    arrays = ("start_rows", "codes", "confidence", "probabilities", "embeddings")
    found = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in arrays}
    found["timestamps"] = np.array([text for piece in pieces for text in piece.timestamps])
    found["finish_timestamps"] = np.array([text for piece in pieces for text in piece.finish_timestamps])
    return found


def same(got, wanted):
    return all(got[name].tobytes() == wanted[name].tobytes() for name in wanted)


def classify(config, tables, first_row=0, sizes=None, **options):
    with open_classifier(config, tables, sizes=sizes, **options) as classifier:
        recording = tables["long"] if sizes is None else Recut(tables["long"], sizes)
        return gather(classifier.classify(recording, Pass(first_row=first_row)))


VARIANTS = (
    {},
    {"step": 5, "normalization": "window"},
    {"step": 50, "normalization": "file"},
    {"window": 100, "normalization": "none", "missing_values": "invalid"},
    {"gap_policy": "skip", "classifier_config": {"n_neighbors": 4, "metric": "cosine"}},
    {"gap_policy": "mark", "classifier_config": {"n_neighbors": 4, "metric": "manhattan", "weights": "distance"}},
)


@few
@given(
    config=st.sampled_from(VARIANTS),
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=5).filter(lambda sizes: sum(sizes) > 20),
    threads=st.integers(1, 3),
    search=st.sampled_from(["exact", "faiss"]),
    first_row=st.integers(0, 2700),
)
def test_reading_threads_search_and_resume_change_no_byte(plant, config, sizes, threads, search, first_row):
    """Chunks of any size, any threads, either search, from any row on: the tail of the plain run."""
    tables = open_plant(plant)
    settled = make_config(**config)
    whole = classify(settled, tables)
    got = classify(settled, tables, first_row, sizes, threads=threads, search=search)
    tail = whole["start_rows"] >= first_row
    assert same(got, {name: column[tail] for name, column in whole.items()})


def test_chunks_of_a_few_rows(plant):
    tables = open_plant(plant)
    assert same(classify(make_config(step=3), tables, sizes=[6]), classify(make_config(step=3), tables))


@pytest.mark.parametrize("changes", VARIANTS[:4], ids=lambda changes: "-".join(map(str, changes.values())) or "plain")
def test_blocks_equal_the_whole_series_window_by_window(plant, changes):
    """A window's vector across block borders is that of the window alone, and the labels follow."""
    tables = open_plant(plant)
    config = make_config(**changes)
    values = np.concatenate([chunk.values for chunk in tables["long"].chunks()], axis=1)
    with open_classifier(config, tables) as classifier:
        got = gather(classifier.classify(tables["long"], Pass()))
        window, step = config.reader_config.window_size, config.reader_config.step_size
        assert np.array_equal(got["start_rows"], np.arange(0, values.shape[1] - window + 1, step))
        assert values.shape[1] > 1.5 * classifier.encoder.block_rows
        filled = fill_forward(values, classifier._moments.mean)
        scaling = classifier.scaling(tables["long"])
        border = classifier.encoder.block_rows
        near = [n for n, row in enumerate(got["start_rows"]) if (row + window) % border < 2 * window]
        for n in near[:: max(1, len(near) // 40)]:
            row = int(got["start_rows"][n])
            alone = classifier.encoder.encode(filled[:, row : row + window], np.zeros(1, np.int64), scaling)
            assert np.allclose(got["embeddings"][n], alone[0], rtol=1e-5, atol=6e-5)
        votes = classifier.library.vote(got["embeddings"])
        marked = got["codes"] < 0
        assert np.array_equal(votes.codes[~marked], got["codes"][~marked])
    missing = ~np.isfinite(values).all(axis=0)
    crossed = np.array([missing[row : row + window].any() for row in got["start_rows"]])
    assert np.array_equal(marked, crossed if config.missing_values == "invalid" else np.zeros_like(crossed))
    texts = np.concatenate([chunk.timestamps.to_numpy() for chunk in tables["long"].chunks()])
    assert np.array_equal(got["timestamps"], texts[got["start_rows"]])
    assert np.array_equal(got["finish_timestamps"], texts[got["start_rows"] + window - 1])


def test_batches_and_flushes_change_no_line(plant, tmp_path):
    """`batch_size` and `flush_every_n_iteration` cut the files, nothing else."""
    lines, parts = [], []
    for batch, flush in ((32, 150), (1, 97), (1000, 1)):
        request = request_of(plant, plant / "long.csv")
        request["parameters"]["worker"]["config"] |= {"batch_size": batch, "flush_every_n_iteration": flush}
        output = tmp_path / f"{batch}"
        engine.run(request, output)
        files = sorted((output / "results").iterdir(), key=lambda path: int(path.stem.rsplit("_", 1)[1]))
        texts = [path.read_text().splitlines() for path in files]
        assert all(len(text) - 1 == batch * flush for text in texts[:-1])
        assert len({text[0] for text in texts}) == 1
        parts.append(len(texts))
        lines.append([line for text in texts for line in text[1:]])
    assert lines[0] == lines[1] == lines[2]
    assert len(set(parts)) == 3


def request_of(plant, recording):
    from engine.jobs.local import build_request

    shots = {state: plant / f"{state}.csv" for state in ("normal", "leak")}
    return build_request(recording, shots, window=32, step=2, probabilities=True)


@pytest.mark.parametrize("form", ["csv.gz", "parquet"])
def test_the_form_of_the_input_changes_no_value(plant, form, tmp_path):
    text = (plant / "long.csv").read_bytes()
    other = tmp_path / f"long.{form}"
    if form == "parquet":
        pl.read_csv(plant / "long.csv", schema_overrides={"timestamp": pl.String}).write_parquet(other)
    else:
        other.write_bytes(gzip.compress(text))
    shots = {state: plant / f"{state}.csv" for state in ("normal", "leak")}
    frames = []
    for path in (plant / "long.csv", other):
        done = engine.classify(path, shots, window=32, step=2, probabilities=True, row_index=True)
        frames += done.predictions.values()
    assert frames[0].equals(frames[1])
    assert len(frames[0]) > 1000


def test_the_form_of_the_output_changes_no_value(plant, tmp_path):
    shots = {state: plant / f"{state}.csv" for state in ("normal", "leak")}
    recording = plant / "long.csv"
    memory = engine.classify(recording, shots, window=32, step=2, probabilities=True)
    wanted = next(iter(memory.predictions.values()))
    for form in ("csv", "jsonl", "parquet"):
        done = engine.classify(
            recording, shots, window=32, step=2, probabilities=True, output_format=form, output=tmp_path / form
        )
        frame = next(iter(done.predictions.values()))
        assert frame.columns == wanted.columns
        assert frame["Prediction"].equals(wanted["Prediction"])
        assert frame["timestamp"].equals(wanted["timestamp"])
        for name in wanted.columns[2:]:
            assert np.allclose(frame[name].to_numpy(), wanted[name].to_numpy(), atol=1e-6)


def test_parallelism_changes_no_byte_and_no_word(plant, tmp_path):
    """Five inputs, one of them broken in its middle: one after the other, or side by side."""
    lines = (plant / "long.csv").read_text().splitlines(keepends=True)
    files = []
    for n, rows in enumerate((2500, 90, 1200, 40, 700)):
        files.append(tmp_path / f"line{n}.csv")
        files[-1].write_text("".join(lines[: rows + 1]))
    files[2].write_text(files[2].read_text().replace(lines[900], "late,1,broken,3\n"))
    found = []
    for parallelism, threads in ((1, 1), (2, 2), (5, 3), (5, 8)):
        seen = []
        result = engine.classify(
            files,
            {state: plant / f"{state}.csv" for state in ("normal", "leak")},
            window=32,
            probabilities=True,
            output=tmp_path / f"out{parallelism}-{threads}",
            threads=threads,
            parallelism=parallelism,
            on_progress=lambda progress, seen=seen: seen.append((progress.place, progress.done)),
        )
        folder = tmp_path / f"out{parallelism}-{threads}"
        bytes_of = {path.name: path.read_bytes() for path in (folder / "results").iterdir()}
        told = result.summary.as_dict()
        for name in ("stage_s", "elapsed_s", "windows_per_s", "device", "folder"):
            del told[name]
        assert {place for place, _ in seen} == set(range(5))
        for place in range(5):  # what is told of one input never goes back
            done = [count for input_place, count in seen if input_place == place]
            assert done == sorted(done)
        found.append((bytes_of, told))
    assert found[0][1]["status"] == "partial"
    assert len(found[0][1]["warnings"]) >= 4
    assert all(one == found[0] for one in found[1:])


@pytest.mark.parametrize("stage", ["encode", "vote"])
def test_blocks_go_side_by_side(plant, stage):
    """Two calls wait for each other: were they made one after the other, none would return."""
    meeting = threading.Barrier(2, timeout=60)
    calls = itertools.count()
    with open_classifier(make_config(), open_plant(plant), threads=2) as classifier:
        owner = classifier.encoder if stage == "encode" else classifier.library
        real = getattr(owner, stage)

        def call(*arguments):
            if next(calls) < 2:
                meeting.wait()
            return real(*arguments)

        setattr(owner, stage, call)
        assert sum(len(part) for part in classifier.classify(open_plant(plant)["long"], Pass()))
    assert next(calls) >= 2


@pytest.mark.parametrize("parallelism", [1, 3])
def test_what_a_callback_raises_ends_the_run_and_the_folder_goes_on(plant, tmp_path, parallelism):
    class Enough(BaseException):
        pass

    def tell(progress):
        if progress.place == 1 and progress.done:
            raise Enough

    files = [plant / "long.csv"] * 3
    shots = {state: plant / f"{state}.csv" for state in ("normal", "leak")}
    options = {"window": 32, "threads": 3, "parallelism": parallelism}
    before = set(threading.enumerate())
    with pytest.raises(Enough):
        engine.classify(files, shots, output=tmp_path / "out", on_progress=tell, **options)
    assert set(threading.enumerate()) <= before
    engine.classify(files, shots, output=tmp_path / "out", **options)
    engine.classify(files, shots, output=tmp_path / "whole", **options)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out" / "results").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "whole" / "results").iterdir()
    }
