"""Encoding window by window: equal to a naive twin, whatever the batches, threads, blocks, padding and masks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from encoders import convolution, transformer
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ModelError
from engine.models import windowed as windowed_module
from engine.models.device import Device
from engine.models.encoder import Encoder, load_encoder
from engine.models.gather import DeviceGather, open_gather
from engine.models.inspect import inspect_graph
from engine.models.manifest import Manifest, ModelEntry, Windowed, added_entry, digest
from engine.models.probe import Hints
from engine.models.scaling import Scaling
from engine.models.session import Session
from engine.models.windowed import choose_batch
from kernels.gather import gather_windows

CPU = Device("cpu", "cpu")
ROWS = 150


def entry_of(graph: Path, **hints: object) -> ModelEntry:
    windowed = inspect_graph(graph, Hints(**hints))
    files = {path.name: digest(path) for path in graph.parent.iterdir()}
    manifest = Manifest(name="test", kind="windowed", provenance="random weights", windowed=windowed, sha256=files)
    return added_entry("test", graph.parent, manifest)


def open_encoder(entry: ModelEntry, channels: int, window: int, *, step: int = 1) -> Encoder:
    return load_encoder(entry, channels=channels, window=window, step=step, device=CPU)


def readings(channels: int, rows: int = ROWS, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((channels, rows)).cumsum(axis=1) * 3.0 + 1000.0 * np.arange(1, channels + 1)[:, None]


def scaling_of(values: np.ndarray, *, per_window: bool = False) -> Scaling:
    return Scaling(values.mean(axis=1), 1.0 / values.std(axis=1), np.zeros(len(values)), per_window)


def naive(entry: ModelEntry, values: np.ndarray, starts: np.ndarray, window: int, scaling: Scaling) -> np.ndarray:
    """Encode one window, or one channel of it, at a time."""
    spec = entry.manifest.windowed
    session = Session(entry.folder / spec.file, device=CPU)
    types = {info.name: info.dtype for info in session.inputs}
    length = spec.length or -(-window // spec.multiple) * spec.multiple
    place = slice(length - window, length) if spec.padding == "left" else slice(0, window)
    vectors = []
    for start in starts:
        cut = values[:, start : start + window]
        if scaling.per_window:
            cut = (cut - cut.mean(axis=1, keepdims=True)) / cut.std(axis=1, keepdims=True)
        else:
            cut = (cut - scaling.reference[:, None]) * scaling.scale[:, None] + scaling.level[:, None]
        parts = []
        for series in cut[:, None] if spec.layout == "univariate" else [cut]:
            padded = np.zeros((len(series), length))
            padded[:, place] = series
            fed = {"NCT": padded, "NTC": padded.T, "NT": padded[0]}[spec.axes]
            batch = np.zeros((spec.batch or 1, *fed.shape), dtype=types[spec.input])
            batch[0] = fed
            feeds = {spec.input: batch}
            if spec.mask:
                real = np.zeros((len(batch), length), dtype=bool)
                real[:, place] = True
                feeds[spec.mask] = (real if spec.mask_marks == "readings" else ~real).astype(types[spec.mask])
            result = session.run(feeds, [spec.output])[0][0]
            if spec.pooling != "none":
                result = result if spec.output_axes == "NTD" else result.T
                count = int(np.ceil(window * len(result) / length))
                kept = result[len(result) - count :] if spec.padding == "left" else result[:count]
                result = kept[-1] if spec.pooling == "last" else kept.mean(axis=0)
            parts.append(result)
        vectors.append(np.concatenate(parts))
    return np.asarray(vectors, dtype=np.float32)


CASES = {
    "pooled": (transformer, {}, {}),
    "any length": (transformer, {"length": None}, {}),
    "patches of any length": (transformer, {"length": None, "patch": 8}, {}),
    "padded left": (transformer, {}, {"padding": "left"}),
    "mask": (transformer, {"mask": "int64"}, {}),
    "mask of booleans, left": (transformer, {"mask": "bool"}, {"padding": "left"}),
    "mask that marks padding": (transformer, {"mask": "float32", "mask_marks": "padding"}, {}),
    "mean of a sequence": (transformer, {"mask": "int64", "outputs": ("last_hidden_state",)}, {}),
    "mean, left": (transformer, {"outputs": ("last_hidden_state",)}, {"padding": "left"}),
    "last of a causal sequence": (transformer, {"causal": True, "outputs": ("last_hidden_state",)}, {}),
    "last, left": (transformer, {"causal": True, "outputs": ("last_hidden_state",)}, {"padding": "left"}),
    "patches": (transformer, {"patch": 8, "outputs": ("last_hidden_state",)}, {}),
    "patches, left": (transformer, {"patch": 8, "outputs": ("last_hidden_state",)}, {"padding": "left"}),
    "time before channels": (transformer, {"axes": "NTC"}, {}),
    "no axis of channels": (transformer, {"axes": "NT"}, {}),
    "float64": (transformer, {"dtype": "float64", "axes": "NT"}, {}),
    "float16": (transformer, {"dtype": "float16"}, {}),
    "batch of 1": (transformer, {"batch": 1, "mask": "int64"}, {}),
    "batch of 4": (transformer, {"batch": 4}, {}),
    "multivariate": (convolution, {}, {}),
    "multivariate, time before channels": (convolution, {"axes": "NTC"}, {}),
    "multivariate, fixed length, left": (convolution, {"length": 48}, {"padding": "left"}),
    "multivariate, positions last": (convolution, {"pooled": False, "length": 48}, {}),
    "multivariate, batch of 7": (convolution, {"batch": 7}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_equals_the_naive_twin(tmp_path, case):
    write, options, hints = CASES[case]
    entry = entry_of(write(tmp_path / "encoder.onnx", **options), **hints)
    values, starts, window = readings(3), np.arange(0, ROWS - 45, 1), 45
    encoder = open_encoder(entry, 3, window)
    try:
        vectors = encoder.encode(values, starts, scaling_of(values))
    finally:
        encoder.close()
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(starts), encoder.width)
    some = np.unique(np.r_[0:3, 30:36, len(starts) - 3 : len(starts)])
    expected = naive(entry, values, starts[some], window, scaling_of(values))
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(vectors[some], expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("window", [2, 63, 64])
def test_equals_the_naive_twin_at_the_edges_of_the_length(tmp_path, window):
    entry = entry_of(transformer(tmp_path / "encoder.onnx", mask="int64", outputs=("last_hidden_state",)))
    values = readings(2)
    encoder = open_encoder(entry, 2, window)
    starts = np.array([0, 7, ROWS - window])
    vectors = encoder.encode(values, starts, scaling_of(values))
    encoder.close()
    expected = naive(entry, values, starts, window, scaling_of(values))
    np.testing.assert_allclose(vectors, expected, rtol=2e-5, atol=2e-5)


def test_normalises_each_window_by_itself(tmp_path):
    entry = entry_of(convolution(tmp_path / "encoder.onnx"))
    values, starts = readings(3), np.arange(0, 90, 3)
    scaling = scaling_of(values, per_window=True)
    encoder = open_encoder(entry, 3, 32, step=3)
    vectors = encoder.encode(values, starts, scaling)
    encoder.close()
    np.testing.assert_allclose(vectors, naive(entry, values, starts, 32, scaling), rtol=2e-5, atol=2e-5)


def test_sees_raw_readings_where_the_level_is_added_back(tmp_path):
    entry = entry_of(transformer(tmp_path / "encoder.onnx"))
    values, starts = readings(1) - 1000.0, np.arange(4)
    mean = values.mean(axis=1)
    encoder = open_encoder(entry, 1, 64)
    with_level = encoder.encode(values, starts, Scaling(mean, np.ones(1), mean))
    raw = encoder.encode(values, starts, Scaling(np.zeros(1), np.ones(1), np.zeros(1)))
    encoder.close()
    assert np.array_equal(with_level, raw)


def test_channels_are_concatenated_in_column_order(tmp_path):
    entry = entry_of(transformer(tmp_path / "encoder.onnx"))
    values, starts = readings(3), np.arange(5)
    scaling = scaling_of(values)
    encoder, single = open_encoder(entry, 3, 40), open_encoder(entry, 1, 40)
    together = encoder.encode(values, starts, scaling).reshape(5, 3, -1)
    for channel in range(3):
        own = Scaling(scaling.reference[[channel]], scaling.scale[[channel]], scaling.level[[channel]])
        alone = single.encode(values[[channel]], starts, own)
        np.testing.assert_allclose(together[:, channel], alone, rtol=1e-5, atol=1e-5)
    encoder.close()
    single.close()


@settings(derandomize=True, max_examples=15, deadline=None)
@given(data=st.data())
def test_neither_blocks_nor_threads_change_a_bit(tmp_path_factory, data):
    univariate = data.draw(st.booleans(), label="univariate")
    path = tmp_path_factory.mktemp("model") / "encoder.onnx"
    entry = entry_of(transformer(path, mask="int64") if univariate else convolution(path))
    channels = data.draw(st.integers(1, 5), label="channels") if univariate else 3
    step = data.draw(st.sampled_from([1, 2, 5]), label="step")
    window, count = data.draw(st.integers(2, 64), label="window"), data.draw(st.integers(1, 200), label="windows")
    values = readings(channels, rows=(count - 1) * step + window)
    starts, scaling = np.arange(count) * step, scaling_of(values)
    encoder = open_encoder(entry, channels, window, step=step)
    with ThreadPoolExecutor(3) as pool:
        whole = list(pool.map(lambda _: encoder.encode(values, starts, scaling), range(3)))
    assert all(np.array_equal(whole[0], one) for one in whole)
    # Blocks of any number of whole batches, cut out of the file with nothing around them.
    batch = encoder._shape.windows
    assert encoder.block_rows % (batch * step) == 0
    size = batch * data.draw(st.integers(1, 3), label="batches")
    for first in range(0, count, size):
        part = starts[first : first + size]
        cut = np.ascontiguousarray(values[:, part[0] : part[-1] + window])
        again = encoder.encode(cut, part - part[0], scaling)
        assert np.array_equal(again, whole[0][first : first + size])
    encoder.close()


def test_an_empty_block_gives_no_vectors(tmp_path):
    encoder = open_encoder(entry_of(convolution(tmp_path / "encoder.onnx")), 3, 16)
    assert encoder.encode(readings(3), np.empty(0, dtype=np.int64), scaling_of(readings(3))).shape == (0, 6)
    encoder.close()


def test_results_are_not_overwritten_by_the_next_call(tmp_path):
    encoder = open_encoder(entry_of(convolution(tmp_path / "encoder.onnx")), 3, 16)
    values = readings(3)
    first = encoder.encode(values, np.arange(5), scaling_of(values))
    kept = first.copy()
    encoder.encode(values[:, 50:], np.arange(5), scaling_of(values))
    encoder.close()
    assert np.array_equal(first, kept)


def test_a_long_wide_masked_transformer(tmp_path):
    # One row at a time, and what a 1 means is given: this graph takes a quarter of a second per row.
    options = {"length": 1024, "dim": 768, "heads": 12, "mask": "int64", "batch": 1}
    entry = entry_of(transformer(tmp_path / "encoder.onnx", **options), mask_marks="readings")
    spec = entry.manifest.windowed
    assert (spec.length, spec.embedding_size, spec.layout, spec.mask) == (1024, 768, "univariate", "attention_mask")
    values = readings(2, rows=600)
    encoder = open_encoder(entry, 2, 512)
    vectors = encoder.encode(values, np.array([3]), scaling_of(values))
    encoder.close()
    assert vectors.shape == (1, 2 * 768)
    expected = naive(entry, values, np.array([3]), 512, scaling_of(values))
    np.testing.assert_allclose(vectors, expected, rtol=1e-4, atol=1e-4)


def test_refuses_windows_and_channels_that_the_model_does_not_take(tmp_path):
    fixed = entry_of(convolution(tmp_path / "encoder.onnx", length=48))
    with pytest.raises(ModelError, match=r"windows of 2 to 48 rows; window_size is 49\. Lower reader_config"):
        open_encoder(fixed, 3, 49)
    with pytest.raises(ModelError, match=r"takes exactly 3 data_columns; 4 were given") as caught:
        open_encoder(fixed, 4, 48)
    assert caught.value.code == "invalid_channel_count"


def test_refuses_a_graph_that_is_not_what_the_manifest_says(tmp_path):
    entry = entry_of(convolution(tmp_path / "encoder.onnx"))
    convolution(tmp_path / "encoder.onnx", width=5)
    with pytest.raises(ModelError, match=r"'embedding' gives \d+ x 5 numbers, not \d+ x 6 as its model.json says"):
        open_encoder(entry, 3, 16)


@pytest.mark.parametrize(
    ("outputs", "largest_bytes"),
    [(("last_hidden_state", "pooler_output"), 4 * 8 * 8), (("pooler_output",), 4 * 64 * 8)],
    ids=["positions are shown", "no positions: taken for as many as rows"],
)
def test_what_a_row_weighs_is_taken_from_the_graph(tmp_path, outputs, largest_bytes, monkeypatch):
    entry = entry_of(transformer(tmp_path / "encoder.onnx", dim=8, patch=8, outputs=outputs))
    monkeypatch.setattr(windowed_module, "CACHED_BYTES", 5 * largest_bytes)
    encoder = open_encoder(entry, 2, 64)
    assert encoder._shape.rows == 4, "of five rows that the cache holds, two windows' channels"
    encoder.close()


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    layout=st.sampled_from(["univariate", "multivariate"]),
    channels=st.integers(1, 600),
    length=st.integers(2, 1024),
    step=st.integers(1, 5000),
    fixed=st.none() | st.integers(1, 300),
    size=st.sampled_from([1, 64, 768]),
    kind=st.sampled_from(["cpu", "cuda"]),
    largest=st.none() | st.integers(1, 1 << 22),
)
def test_batches_hold_all_rows_and_stay_small(layout, channels, length, step, fixed, size, kind, largest):
    spec = Windowed(input="x", layout=layout, output="y", embedding_size=size, batch=fixed)
    width = size * (channels if layout == "univariate" else 1)
    shape = choose_batch(spec, channels, length, step, width, kind, largest)
    assert shape.units == (channels if layout == "univariate" else 1)
    assert shape.rows * (shape.runs - 1) < shape.windows * shape.units <= shape.rows * shape.runs
    assert fixed is None or shape.rows == fixed
    assert shape.windows == 1 or shape.windows * channels * max(4 * length, 8 * step) <= 8 << 20
    if fixed is None:
        if largest is None or kind == "cuda":
            assert shape.rows == 1 or shape.rows * length <= {"cpu": 4096, "cuda": 65536}[kind]
        else:
            assert shape.rows == 1 or shape.rows * largest <= 256 << 10
        assert shape.rows * shape.runs < shape.windows * shape.units + shape.runs  # at most one idle row per run


# Windows that are cut where the graph runs: on a GPU. Here the CPU runs the same graphs.


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_graph_cuts_windows_as_the_kernel_does(data):
    channels, window = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 9))
    left, right = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    room = data.draw(st.integers(1, 6))
    session = open_gather(CPU, Session)
    out = session.buffer((room, channels, left + window + right), "float32")
    there = DeviceGather(session, out, window=window, left_pad=left)
    for _ in range(data.draw(st.integers(1, 3))):  # of series of different lengths, one after the other
        rows = data.draw(st.integers(window, window + 4))
        series = np.random.default_rng(rows).standard_normal((channels, rows)).astype(np.float32)
        there.load(series)
        for _ in range(2):
            starts = np.array(data.draw(st.lists(st.integers(0, rows - window), max_size=room)), dtype=np.int64)
            there.cut(starts)
            here = np.full(out.shape, np.nan, np.float32)
            gather_windows(series, starts, window, left, here)
            assert np.array_equal(out.to_host(), here)


THERE = {
    "transformer": (lambda path: transformer(path, mask="int64"), {}, 45),
    "padded on the left": (lambda path: transformer(path, mask="bool"), {"padding": "left"}, 45),
    "batch of 4": (lambda path: transformer(path, batch=4), {}, 64),
    "sequence": (lambda path: transformer(path, outputs=("last_hidden_state",)), {}, 50),
    "time last of one": (lambda path: transformer(path, axes="NTC"), {}, 64),
    "flat": (lambda path: transformer(path, axes="NT"), {}, 64),
    "convolution": (convolution, {}, 33),
    "channels behind: gathered here": (lambda path: convolution(path, axes="NTC"), {}, 33),
    "float16: gathered here": (lambda path: transformer(path, dtype="float16"), {}, 64),
}


@pytest.mark.parametrize("per_window", [False, True])
@pytest.mark.parametrize("case", THERE)
def test_cut_on_the_device_or_here_the_vectors_are_the_same(tmp_path, monkeypatch, case, per_window):
    write, hints, window = THERE[case]
    entry = entry_of(write(tmp_path / "encoder.onnx"), **hints)
    found = []
    for there in (False, True):
        monkeypatch.setattr(windowed_module, "cuts_on_device", lambda _, there=there: there)
        encoder = open_encoder(entry, 3, window)
        parts = []
        for rows in (window, 90, ROWS, 70):
            values = readings(3, rows)
            parts.append(
                encoder.encode(values, np.arange(rows - window + 1), scaling_of(values, per_window=per_window))
            )
        found.append(np.concatenate(parts))
        uses = encoder._idle[0]._there is not None
        assert uses is (there and "here" not in case)
        encoder.close()
    assert np.array_equal(*found)


def test_parts_of_a_buffer(tmp_path):
    session = open_gather(CPU, Session)
    buffer = session.buffer((3, 2, 4), "float32", np.arange(24, dtype=np.float32).reshape(3, 2, 4))
    assert buffer.view(1).to_host().tolist() == [[[8, 9, 10, 11], [12, 13, 14, 15]]]
    part = buffer.shaped((2, 3), 5)
    assert part.to_host().tolist() == [[5, 6, 7], [8, 9, 10]]
    assert part.pointer == buffer.pointer + 20
    buffer.fill(np.zeros((3, 2, 4), np.float32))
    assert not part.to_host().any(), "it is the same memory"
    with pytest.raises(AssertionError):
        buffer.shaped((25,))
    with pytest.raises(AssertionError):
        part.fill(np.zeros((2, 3), np.float32))
    with pytest.raises(AssertionError):
        buffer.fill(np.zeros((2, 3, 4), np.float32))
