"""What a GPU gives beside the CPU: the same vectors to rounding, the same neighbours and labels, the same answers.

Each test compares a device with the CPU. Where no GPU answers, the CPU takes its place, so that the comparison itself is tried
everywhere, and the device's own test is skipped. `scripts/gpu_check` runs these on a machine with a GPU.
"""

import numpy as np
import pytest
from encoders import convolution, transformer
from questions import MODEL, install_model
from recordings import write_plant

import engine
from engine.errors import DeviceError
from engine.models.catalog import SHIPPED, Catalog
from engine.models.device import Device
from engine.models.encoder import load_encoder
from engine.models.library import Library
from engine.models.scaling import Scaling
from engine.models.session import resolve_device

CPU = Device("cpu", "cpu")
CHANNELS, WINDOW = 3, 64


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    """The device that is compared with the CPU."""
    try:
        return resolve_device(request.param)
    except DeviceError as error:
        pytest.skip(f"no GPU to compare with: {error}")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path / "home"))
    return Catalog(tmp_path / "home")


def encode(entry, device, step):
    values = np.random.default_rng(1).normal(3.0, 2.0, (CHANNELS, 3000))
    scaling = Scaling(values.mean(axis=1), 1 / values.std(axis=1), np.zeros(CHANNELS))
    encoder = load_encoder(entry, channels=CHANNELS, window=WINDOW, step=step, device=device)
    found = []
    for first in range(0, values.shape[1] - WINDOW + 1, encoder.block_rows):
        part = values[:, first : first + encoder.block_rows + WINDOW - step]
        starts = np.arange(0, min(encoder.block_rows, part.shape[1] - WINDOW + 1), step)
        found.append(encoder.encode(np.ascontiguousarray(part), starts, scaling))
    encoder.close()
    return np.concatenate(found)


@pytest.mark.parametrize("step", [1, 5, 100])
@pytest.mark.parametrize("model", [SHIPPED, "transformer", "convolution"])
def test_an_encoder_gives_the_same_vectors(device, home, tmp_path, model, step):
    if model == "transformer":
        home.add(transformer(tmp_path / "encoder.onnx", length=WINDOW, mask="int64"), name=model)
    elif model == "convolution":
        home.add(convolution(tmp_path / "encoder.onnx", channels=CHANNELS), name=model)
    there, here = (encode(home.find(model), one, step) for one in (device, CPU))
    assert there.shape == here.shape
    # float32 sums in another order; TF32, which keeps ten bits of a number, would be a hundred times as far off.
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_a_search_gives_the_same_neighbours(device, metric):
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(2000, 96)).astype(np.float32)
    queries = np.concatenate([rng.normal(size=(300, 96)), vectors[:20]]).astype(np.float32)
    labels = [str(n % 3) for n in range(2000)]
    found = []
    for search, gpu in (("faiss", device.kind == "cuda"), ("exact", False)):
        library = Library(vectors, labels, neighbours=9, metric=metric, weights="distance", search=search, gpu=gpu)
        index, distances = library.nearest(queries)
        votes = library.vote(queries)
        found.append((index, distances, votes.codes, votes.shares))
    for there, here in zip(*found, strict=True):
        assert np.array_equal(there, here)


def test_a_job_gives_the_same_labels(device, tmp_path):
    write_plant(tmp_path, rows=2000)
    shots = {state: tmp_path / f"{state}.csv" for state in ("idle", "run")}
    there, here = (
        engine.classify(tmp_path / "line7.csv", shots, window=WINDOW, device=kind, probabilities=True)
        for kind in (device.kind, "cpu")
    )
    assert there.summary.device.startswith("cpu" if device.kind == "cpu" else device.name)
    (ours,), (twin,) = there.predictions.values(), here.predictions.values()
    assert ours["Prediction"].equals(twin["Prediction"])
    assert np.allclose(ours["p_run"], twin["p_run"], atol=0.2)  # a neighbour at the border may be another


def test_a_language_model_gives_the_same_answers(device, home, tmp_path):
    install_model(tmp_path / "home")
    prompts = [f"Pump {n}: speed {100 * n} rpm. What is it doing?" for n in range(12)]
    options = {"model": MODEL, "generation": {"do_sample": False, "max_new_tokens": 12}}
    there, here = (list(engine.generate(prompts, device=kind, **options)) for kind in (device.kind, "cpu"))
    assert [one.prediction for one in there] == [one.prediction for one in here]
