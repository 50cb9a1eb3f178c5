"""The dense encoder: what it computes by definition, and that no cut of the work changes it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick, series

import engine
from engine.errors import ModelError
from engine.models.dense import DenseEncoder
from engine.models.device import Device
from engine.models.manifest import read_manifest
from engine.models.scaling import Scaling

FOLDER = Path(engine.__file__).parent / "models" / "builtin" / "multiscale"
CPU = Device("cpu", "cpu")


def open_encoder(channels, window, step):
    return DenseEncoder(FOLDER, read_manifest(FOLDER), channels=channels, window=window, step=step, device=CPU)


def scaling_of(values, per_window=False):
    deviation = values.std(axis=1)
    mean = values.mean(axis=1)
    flat = deviation <= 1e-6 * np.maximum(1e-12, np.abs(mean))
    ones = np.ones(len(values))
    scale = ones if per_window else 1 / np.where(flat, 1, deviation)
    return Scaling(mean, scale, 0 * mean, per_window)


def filters(length):
    place = (np.arange(length) + 0.5) / length
    hann = np.sin(np.pi * place) ** 2
    rows = [np.where(place < 0.5, -1.0, 1.0), hann * np.sin(2 * np.pi * place), hann * np.cos(2 * np.pi * place)]
    rows = [row - row.mean() for row in rows]
    return [row / abs(row).sum() if abs(row).sum() > 1e-9 else 0 * row for row in rows]


def naive_vector(part, scaling):
    """One window's vector, by definition, in float64."""
    vector = []
    window = part.shape[1]
    for c, cells in enumerate(part):
        if scaling.per_window:
            deviation = cells.std()
            flat = deviation <= 1e-6 * max(1e-12, abs(cells.mean()))
            x = (cells - cells.mean()) / (1 if flat else deviation)
            level, spread = 0.0, 0.0 if flat else 1.0
        else:
            x = (cells - scaling.reference[c]) * scaling.scale[c]
            level, spread = x.mean() + scaling.level[c], x.std()
        responses = []
        length = 2
        while length <= window // 2:
            step, sine, cosine = (np.correlate(x, f, mode="valid") for f in filters(length))
            responses += [abs(step).mean(), np.sqrt(sine**2 + cosine**2).mean()]
            length *= 2
        weight = 0.5 / np.sqrt(max(1, len(responses)))
        vector += [np.arcsinh(level), np.log(1 + 10 * spread) * 0.5]
        vector += [np.log(1 + 10 * r) * weight for r in responses]
    return np.array(vector)


@quick
@given(
    series(channels=(1, 6), rows=(4, 300)),
    st.sampled_from([2, 3, 4, 5, 16, 31, 32, 64]),
    st.integers(1, 90),
    st.booleans(),
)
def test_dense_equals_windowed(values, window, step, per_window):
    """Each window's vector is that of the window by itself, to 1e-5 of the channel's scale."""
    window = min(window, values.shape[1])
    starts = np.arange(0, values.shape[1] - window + 1, step)
    scaling = scaling_of(values, per_window)
    encoder = open_encoder(len(values), window, step)
    try:
        got = encoder.encode(values, starts, scaling)
    finally:
        encoder.close()
    assert got.shape == (len(starts), encoder.width)
    assert got.dtype == np.float32
    for i, start in enumerate(starts):
        want = naive_vector(values[:, start : start + window], scaling)
        # The compression is steepest at 0, by a factor of 5; a channel at 1e6 +- 1 was cast about its own centre.
        assert np.allclose(got[i], want, rtol=1e-5, atol=6e-5), (i, np.abs(got[i] - want).max())


@pytest.mark.parametrize("step", [1, 7, 100])
def test_threads_that_share_an_encoder_change_no_bit(step):
    rng = np.random.default_rng(2)
    recordings = [rng.normal(size=(9, 700)) for _ in range(6)]
    starts = np.arange(0, 700 - 64 + 1, step)
    encoder = open_encoder(9, 64, step)

    def encode(values):
        return encoder.encode(values, starts, scaling_of(values))

    alone = [encode(values) for values in recordings]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            assert all(map(np.array_equal, pool.map(encode, recordings), alone))
    encoder.close()


def test_none_keeps_the_raw_level():
    values = 50 + np.random.default_rng(2).normal(size=(1, 100))
    encoder = open_encoder(1, 64, 1)
    raw = encoder.encode(values, np.array([0]), Scaling(np.array([47.0]), np.ones(1), np.array([47.0])))
    encoder.close()
    assert np.isclose(np.sinh(raw[0, 0]), values[0, :64].mean())


def test_a_drifted_channel_keeps_its_texture():
    """A channel that has moved 1e7 deviations away is still filtered about its own centre."""
    noise = np.random.default_rng(4).normal(size=(1, 256))
    encoder = open_encoder(1, 64, 1)
    unit = Scaling(np.zeros(1), np.ones(1), np.zeros(1))
    near, far = (encoder.encode(noise + level, np.arange(190), unit) for level in (0.0, 1e7))
    encoder.close()
    assert np.allclose(near[:, 1:], far[:, 1:], atol=1e-5)


def test_windows_up_to_1024_rows():
    for window in (128, 1000, 1024):
        encoder = open_encoder(2, window, 50)
        values = np.random.default_rng(window).normal(size=(2, window + 120))
        got = encoder.encode(values, np.array([0, 50, 100]), scaling_of(values))
        for i, start in enumerate((0, 50, 100)):
            want = naive_vector(values[:, start : start + window], scaling_of(values))
            assert np.allclose(got[i], want, atol=3e-5)
        encoder.close()
    with pytest.raises(ModelError, match="at most 1024 rows; window_size is 1025"):
        open_encoder(2, 1025, 1)


def test_the_block_is_chosen_from_the_shape_alone():
    for channels, window, step in ((1, 2, 1), (40, 128, 1), (1000, 1024, 1), (40, 64, 5000)):
        encoder = open_encoder(channels, window, step)
        assert encoder.block_rows >= window
        assert encoder.block_rows * channels * 8 <= 80 << 20
        encoder.close()
