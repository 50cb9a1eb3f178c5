"""The library's faces: public names, what an import loads, `classify` and `run`, and the estimator."""

import dataclasses
import json
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from recordings import COLUMNS, LEVELS, readings, request, write_csv, write_job, write_plant
from sklearn.base import clone

import engine
from engine.pipelines.machine_state import estimator

WINDOW = 16
SHOTS = {"idle": "idle.csv", "run": "run.csv"}


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_plant(tmp_path))
    return tmp_path


# Names and imports


def test_the_public_names_are_these():
    assert engine.__all__ == [
        "Answer",
        "AnswerSummary",
        "Classification",
        "DeviceError",
        "DiskFull",
        "EngineError",
        "FolderInUse",
        "FolderOfAnotherJob",
        "InputError",
        "JobFailed",
        "ModelError",
        "OutputError",
        "Problem",
        "Progress",
        "RequestError",
        "StateClassifier",
        "Summary",
        "__version__",
        "classify",
        "generate",
        "quantize",
        "read_results",
        "run",
    ]
    assert all(getattr(engine, name) is not None for name in engine.__all__)
    assert dir(engine) == sorted(engine.__all__)
    with pytest.raises(AttributeError, match="module 'engine' has no attribute 'clasify'"):
        _ = engine.clasify  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["engine", "engine.cli", "engine.errors", "kernels"])
def test_an_import_loads_nothing_heavy_and_starts_no_thread(module):
    script = (
        f"import sys, threading, {module}; heavy = ('onnxruntime', 'faiss', 'numba', 'polars', 'numpy', 'pydantic', 'rich');"
        "print([name for name in heavy if name in sys.modules], threading.active_count())"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "[] 1\n"


def test_every_error_is_an_engine_error():
    errors = [getattr(engine, name) for name in engine.__all__ if name.endswith(("Error", "Failed", "Full", "InUse"))]
    assert len(errors) == 9
    assert all(issubclass(error, engine.EngineError) for error in errors)


# classify and run


def test_in_memory_equals_folder_equals_job(plant):
    options: dict[str, Any] = {"window": WINDOW, "row_index": True, "window_bounds": True, "probabilities": True}
    memory = engine.classify("line7.csv", SHOTS, threads=1, **options)
    folder = engine.classify("line7.csv", SHOTS, output=plant / "folder", threads=1, **options)
    body = request(
        reader_config={"window_size": WINDOW},
        output={"row_index": True, "window_bounds": True, "probabilities": True},
    )
    summary = engine.run(write_job(plant, body), threads=1)
    assert list(memory.predictions) == ["line7.csv"]
    assert memory.predictions["line7.csv"].equals(folder.predictions["line7.csv"])
    assert memory.predictions["line7.csv"].equals(engine.read_results(plant / "job")["line7.csv"])
    assert memory.summary.folder is None
    assert folder.summary.folder == str(plant / "folder")
    assert memory.summary.tally.counts == folder.summary.tally.counts == summary.tally.counts
    assert memory.summary.tally.windows == 185
    assert not list(plant.glob("*.json*")) or sorted(path.name for path in plant.glob("*.json*")) == ["job.json"]


def test_embeddings_in_memory_are_those_of_the_folder(plant):
    memory = engine.classify("line7.csv", SHOTS, window=WINDOW, embeddings=True, threads=1)
    engine.classify("line7.csv", SHOTS, window=WINDOW, embeddings=True, output="out", threads=1)
    (part,) = (plant / "out" / "embeddings").iterdir()
    assert memory.predictions["line7.csv"]["embedding"].equals(pl.read_parquet(part)["embedding"])


def test_several_files_per_label_and_to_classify(plant):
    write_csv(plant / "idle2.csv", readings("idle", 50, seed=20))
    write_csv(plant / "line8.csv", readings("run", 50, seed=21))
    shots = {"idle": [Path("idle.csv"), "idle2.csv"], "run": "run.csv"}
    result = engine.classify(["line7.csv", Path("line8.csv")], shots, window=WINDOW, threads=1)
    assert {name: len(frame) for name, frame in result.predictions.items()} == {"line7.csv": 185, "line8.csv": 35}
    assert set(result.predictions["line8.csv"]["Prediction"]) == {"run"}


def test_every_option_reaches_the_request(plant):
    write_csv(plant / "truth.csv", np.array([[0]] * 100 + [[1]] * 100), columns=("state",))
    options: dict[str, Any] = {
        "window": 32,
        "step": 2,
        "columns": ["flow", "speed"],
        "timestamp_column": "timestamp",
        "neighbors": 3,
        "metric": "cosine",
        "weights": "distance",
        "normalize_embeddings": True,
        "normalization": "none",
        "model": "multiscale",
        "missing_values": "invalid",
        "gap_policy": "mark",
        "max_gap": 9.0,
        "separator": ",",
        "decimal": ".",
        "null_values": ["NA"],
        "output_format": "parquet",
        "row_index": True,
        "window_bounds": True,
        "probabilities": True,
        "embeddings": True,
        "label_column": "state",
        "label_rule": "pure",
    }
    engine.classify("line7.csv", SHOTS, output="out", threads=1, labels={"line7.csv": "truth.csv"}, **options)
    config = json.loads((plant / "out" / "request.json").read_bytes())["parameters"]["worker"]["config"]
    found = config["reader_config"] | config["classifier_config"] | config["output"] | config["evaluation"] | config
    renamed = {
        "window": "window_size",
        "step": "step_size",
        "columns": "data_columns",
        "neighbors": "n_neighbors",
        "model": "model_type",
        "output_format": "format",
    }
    assert {name: found[renamed.get(name, name)] for name in options} == options


def test_an_unknown_option_is_refused(plant):
    with pytest.raises(TypeError, match="There is no option 'windw'; there are: window, step"):
        engine.classify("line7.csv", SHOTS, windw=3)  # type: ignore[call-arg]


def test_progress_and_events_are_told(plant):
    steps: list[engine.Progress] = []
    events = []
    engine.classify("line7.csv", SHOTS, window=WINDOW, threads=1, on_progress=steps.append, on_event=events.append)
    assert (steps[0].done, steps[-1].done, steps[-1].total, steps[-1].unit) == (0, 185, 185, "windows")
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert events[0].event_type == "running_job"
    assert events[-1].event_type == "job.completed"


def test_a_callback_that_raises_ends_the_run_and_leaves_it_resumable(plant):
    def stop(progress: engine.Progress) -> None:
        if progress.done:
            raise KeyError("enough")

    job = write_job(plant, request(reader_config={"window_size": WINDOW}, batch_size=5, flush_every_n_iteration=4))
    with pytest.raises(KeyError, match="enough"):
        engine.run(job, threads=1, on_progress=stop)
    summary = engine.run(job, threads=1)
    assert summary.status == "completed"
    assert summary.resumed_windows == 180
    assert len(engine.read_results(plant / "job")["line7.csv"]) == 185


def test_a_mapping_needs_an_output_and_takes_a_resolver(plant):
    with pytest.raises(engine.RequestError, match="output is required when the request is not a file"):
        engine.run(request())

    def resolve(file_id: str) -> Path:
        if file_id == "line7.csv":
            raise LookupError("is not uploaded")
        return plant / file_id

    with pytest.raises(engine.RequestError) as caught:
        engine.run(request(), "out", resolve=resolve)
    assert str(caught.value) == ("Failed to resolve file inputs: worker.inference[0] 'line7.csv' is not uploaded.")
    assert engine.run(request(), "out", resolve=lambda name: plant / name, threads=1).tally.windows == 137


def test_results_of_no_job(plant):
    with pytest.raises(engine.OutputError, match="holds no job"):
        engine.read_results(plant)


def test_results_with_strange_labels_and_empty_timestamps(plant):
    lines = ["timestamp,speed,current,flow"]
    lines += [
        f"{'' if row < 5000 else row},{a:.3f},{b:.3f},{c:.3f}" for row, (a, b, c) in enumerate(readings("run", 6000))
    ]
    (plant / "bare.csv").write_text("\n".join(lines) + "\n")
    shots = {'5" pipe': "idle.csv", "run": "run.csv"}
    expected = engine.classify("bare.csv", shots, window=np.int64(WINDOW), probabilities=True).predictions["bare.csv"]
    for kind in ("jsonl", "csv", "parquet"):
        found = engine.classify(
            "bare.csv", shots, window=WINDOW, probabilities=True, output=f"{kind}-job", output_format=kind
        ).predictions["bare.csv"]
        assert found.columns == expected.columns == ["timestamp", "Prediction", 'p_5" pipe', "p_run"]
        assert found["Prediction"].to_list() == expected["Prediction"].to_list()
        assert found["timestamp"].fill_null("").to_list() == expected["timestamp"].fill_null("").to_list()


def test_a_failed_job_carries_its_errors(plant):
    (plant / "line7.csv").write_text("timestamp,speed,current,flow\n1,2,3,x\n")
    with pytest.raises(engine.JobFailed) as caught:
        engine.classify("line7.csv", SHOTS)
    (error,) = caught.value.errors
    assert isinstance(error, engine.InputError)
    assert (error.code, error.file) == ("invalid_cell", "line7.csv")
    assert (error.line, error.column, error.value) == (2, "flow", "x")
    assert "line7.csv, line 2, column flow: 'x' is not a number." in str(error)


# The estimator


def learned(**parameters: Any) -> engine.StateClassifier:
    states = engine.StateClassifier(window=WINDOW, threads=1, **parameters)
    return states.fit([readings(state, 100, seed=seed) for seed, state in enumerate(LEVELS)], list(LEVELS))


@pytest.fixture(scope="module")
def states():
    fitted = learned()
    yield fitted
    fitted.close()


PLANT = np.concatenate([readings("idle", 60, seed=7), readings("run", 60, seed=8)])


def test_predictions_and_shares(states):
    predicted = states.predict(PLANT)
    shares = states.predict_proba(PLANT)
    assert states.classes_.tolist() == ["idle", "run"]
    assert states.n_features_in_ == 3
    assert predicted.shape == (120 - WINDOW + 1,)
    assert shares.shape == (120 - WINDOW + 1, 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (states.classes_[shares.argmax(axis=1)] == predicted).all()
    assert set(predicted[:40]) == {"idle"}
    assert set(predicted[-40:]) == {"run"}


def test_arrays_frames_and_files_are_the_same(states, plant):
    expected = states.predict_proba(PLANT)
    frame = pl.DataFrame(PLANT, schema=list(COLUMNS))
    write_csv(plant / "plant.csv", PLANT)
    files = engine.StateClassifier(window=WINDOW, threads=1)
    for number, state in enumerate(LEVELS):
        write_csv(plant / f"shot{number}.csv", readings(state, 100, seed=number))
    files.fit([plant / "shot0.csv", str(plant / "shot1.csv")], list(LEVELS))
    assert files.feature_names_in_ == COLUMNS
    stamped = frame.insert_column(0, pl.Series("timestamp", range(120)))
    for recording in (
        PLANT,
        PLANT.tolist(),
        frame,
        stamped,
        stamped.select("flow", "speed", "current"),
        plant / "plant.csv",
    ):
        np.testing.assert_array_equal(files.predict_proba(recording), expected)
    files.close()


def test_the_estimator_equals_classify(states, plant):
    for number, state in enumerate(LEVELS):
        write_csv(plant / f"{state}.csv", readings(state, 100, seed=number))
    write_csv(plant / "plant.csv", PLANT)
    frame = engine.classify("plant.csv", SHOTS, window=WINDOW, threads=1, probabilities=True).predictions["plant.csv"]
    assert frame["Prediction"].to_list() == states.predict(PLANT).tolist()
    np.testing.assert_array_equal(frame.select("p_idle", "p_run").to_numpy(), states.predict_proba(PLANT))


def test_a_label_for_each_row(states):
    rows = np.concatenate([readings(state, 100, seed=seed) for seed, state in enumerate(LEVELS)])
    labels = np.repeat(list(LEVELS), 100)
    by_row = engine.StateClassifier(window=WINDOW, threads=1)
    for y in (labels, labels.tolist(), pl.Series(labels)):
        np.testing.assert_array_equal(by_row.fit(rows, y).predict_proba(PLANT), states.predict_proba(PLANT))
    by_row.close()


def test_stretches_shorter_than_a_window_show_nothing():
    rows = np.concatenate([readings(state, 100, seed=seed) for seed, state in enumerate(LEVELS)])
    labels = ["idle"] * 100 + ["start"] * (WINDOW - 1) + ["run"] * (101 - WINDOW)
    by_row = engine.StateClassifier(window=WINDOW, threads=1)
    with pytest.warns(UserWarning, match="no stretch of it is as long as a window: start"):
        by_row.fit(rows, labels)
    assert by_row.classes_.tolist() == ["idle", "run"]
    by_row.close()
    with pytest.raises(engine.RequestError, match="No label lasts for 16 rows in a row"):
        by_row.fit(rows, np.arange(200) % 2)


def test_numbers_as_labels_become_texts():
    by_number = engine.StateClassifier(window=WINDOW, threads=1)
    by_number.fit([readings(state, 40) for state in LEVELS], np.array([0, 1]))
    assert by_number.classes_.tolist() == ["0", "1"]
    by_number.close()


@pytest.mark.parametrize(
    "parameters",
    [
        {"step": 5},
        {"metric": "cosine", "weights": "distance"},
        {"metric": "manhattan", "normalize_embeddings": True},
        {"normalization": "window"},
        {"search": "exact", "n_neighbors": 1},
    ],
)
def test_parameters_are_kept_and_used(parameters):
    fitted = learned(**parameters)
    assert {name: fitted.get_params()[name] for name in parameters} == parameters
    assert len(fitted.predict(PLANT)) == (120 - WINDOW) // parameters.get("step", 1) + 1
    fitted.close()


def test_parameters_after_the_habits_of_scikit_learn(states):
    assert set(states.get_params()) == {
        "window",
        "step",
        "n_neighbors",
        "metric",
        "weights",
        "normalize_embeddings",
        "normalization",
        "missing_values",
        "model",
        "device",
        "threads",
        "search",
    }
    copy = clone(states)
    assert copy.get_params() == states.get_params()
    assert not hasattr(copy, "classes_")
    assert copy.set_params(n_neighbors=3) is copy
    assert copy.get_params()["n_neighbors"] == 3
    with pytest.raises(ValueError, match="StateClassifier has no parameter 'k'"):
        copy.set_params(k=3)


def test_missing_cells(states):
    holed = PLANT.copy()
    holed[50, 1] = np.nan
    held = PLANT.copy()
    held[50, 1] = PLANT[49, 1]
    np.testing.assert_array_equal(states.predict_proba(holed), states.predict_proba(held))
    strict = learned(missing_values="fail")
    with pytest.raises(engine.InputError, match="the recording, row 51, column channel_1: the cell is empty"):
        strict.predict(holed)
    strict.close()
    marking = learned(missing_values="invalid")
    predicted, shares = marking.predict(holed), marking.predict_proba(holed)
    within = np.array([start <= 50 < start + WINDOW for start in range(len(predicted))])
    assert ((predicted == "INVALID_STATE") == within).all()
    assert (np.isnan(shares).all(axis=1) == within).all()
    np.testing.assert_array_equal(shares[~within], states.predict_proba(PLANT)[~within])
    marking.close()


WRONG: dict[str, tuple[Any, Any, str]] = {
    "fewer labels": ([PLANT, PLANT], ["a"], "fit got 2 recordings and 1 labels"),
    "fewer labels than rows": (PLANT, ["a", "b"], "fit got 120 rows and 2 labels"),
    "other channels": ([PLANT, PLANT[:, :2]], ["a", "b"], r"recording 1 \(b\) has 2 channels, the first one had 3"),
    "one dimension": ([PLANT[:, 0], PLANT[:, 1]], ["a", "b"], "must have two dimensions"),
    "no recordings": ([], [], "fit got no recordings"),
    "no labels": (PLANT, None, "fit got no labels"),
    "labels of two columns": (PLANT, np.full((120, 2), "a"), "y has 2 columns"),
    "reserved label": ([PLANT, PLANT], ["a", "INVALID_STATE"], "INVALID_STATE is reserved"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_learned(case):
    recordings, labels, expected = WRONG[case]
    with pytest.raises(engine.EngineError, match=expected):
        engine.StateClassifier(window=WINDOW).fit(recordings, labels)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"window": 1}, "window_size must be 2 to 1024; got 1"),
        ({"window": 2.5}, "window_size must be a whole number, 2 to 1024; got 2.5"),
        ({"metric": "hamming"}, "metric must be one of"),
        ({"missing_values": "drop"}, "missing_values must be one of 'ffill', 'fail', 'invalid'"),
        ({"model": "omega_9"}, "model_type 'omega_9' is unknown"),
        ({"device": "tpu"}, "tpu"),
        ({"search": "psychic"}, "search must be one of 'auto', 'exact', 'faiss'; got \"psychic\""),
        ({"threads": 0}, "threads must be"),
        ({"model": "omega_1_3_slb"}, "takes exactly 9 data_columns; 3 were given"),
        ({"n_neighbors": 500}, "n_neighbors is 500 but"),
    ],
)
def test_parameters_that_do_not_do(parameters, expected):
    with pytest.raises(engine.EngineError, match=expected):
        engine.StateClassifier(**{"window": WINDOW, **parameters}).fit([PLANT, PLANT], ["a", "b"])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"search": "psychic"}, "search must be"), ({"threads": 0}, "threads must be"), ({"device": "tpu"}, "tpu")],
)
def test_settings_that_do_not_do(plant, settings, expected):
    with pytest.raises(engine.EngineError, match=expected):
        engine.classify("line7.csv", SHOTS, **settings)


def test_before_and_after():
    fresh = engine.StateClassifier(window=WINDOW)
    for ask in (fresh.predict, fresh.predict_proba):
        with pytest.raises(engine.RequestError, match=r"has not learned anything\. Call fit first"):
            ask(PLANT)


def test_what_was_learned_outlives_the_threads(states):
    closed = learned()
    closed.close()
    np.testing.assert_array_equal(closed.predict_proba(PLANT), states.predict_proba(PLANT))
    closed.close()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"metric": "cosine", "weights": "distance"}, {"normalize_embeddings": True}, {"normalization": "file"}],
)
def test_a_fitted_estimator_goes_through_a_pickle(parameters):
    fitted = learned(**parameters)
    before = fitted.predict_proba(PLANT)
    taken = pickle.loads(pickle.dumps(fitted))
    fitted.close()
    assert taken.get_params() == fitted.get_params()
    assert taken.classes_.tolist() == ["idle", "run"]
    np.testing.assert_array_equal(taken.predict_proba(PLANT), before)
    taken.set_params(window=32, n_neighbors=1, model="other", threads=2)  # for the next fit
    np.testing.assert_array_equal(taken.predict_proba(PLANT), before)
    taken.close()
    fresh = pickle.loads(pickle.dumps(engine.StateClassifier(window=WINDOW)))
    with pytest.raises(engine.RequestError, match="Call fit first"):
        fresh.predict(PLANT)


CHILD = """
import pickle, sys
import numpy as np
states = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(states.predict_proba(np.load(sys.argv[1])).tobytes())
"""


def test_another_process_predicts_the_same(states, tmp_path):
    np.save(tmp_path / "plant.npy", PLANT)
    said = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "plant.npy")],
        input=pickle.dumps(states),
        capture_output=True,
        check=True,
    )
    assert said.stdout == states.predict_proba(PLANT).tobytes()


def test_a_pickle_meets_other_weights_or_another_version(states, monkeypatch):
    taken = pickle.loads(pickle.dumps(states))
    monkeypatch.setattr(estimator, "version_of", lambda: "99.0")
    with pytest.warns(UserWarning, match=r"fitted with version .*; this is 99\.0\. Fit again"):
        taken.predict(PLANT)
    taken.close()
    taken = pickle.loads(pickle.dumps(states))
    digests = dict.fromkeys(taken._fitted.sha256, "0" * 64)
    taken._fitted = dataclasses.replace(taken._fitted, sha256=digests)
    with pytest.raises(engine.ModelError, match=r"fitted with other weights of the model omega_1_4_base\. Fit again"):
        taken.predict(PLANT)


def test_recordings_to_predict_must_fit(states):
    with pytest.raises(engine.RequestError, match="has 2 channels, the first one had 3"):
        states.predict(PLANT[:, :2])
    with pytest.raises(engine.InputError, match="has 5 rows, fewer than window_size 16"):
        states.predict(PLANT[:5])
    with pytest.raises(engine.InputError, match="must have two dimensions"):
        states.predict(PLANT[:, 0])


def test_frames_are_matched_by_name():
    frame = pl.DataFrame(PLANT, schema=list(COLUMNS))
    named = engine.StateClassifier(window=WINDOW, threads=1).fit([frame, frame], ["a", "b"])
    with pytest.raises(engine.RequestError, match="has no column 'speed'; it has: x, current, flow"):
        named.predict(frame.rename({"speed": "x"}))
    named.close()


def test_masked_cells_are_missing(states):
    mask = np.zeros(PLANT.shape, dtype=bool)
    mask[30:40] = True
    masked, holed = np.ma.masked_array(np.where(mask, -9999, PLANT), mask=mask), np.where(mask, np.nan, PLANT)
    np.testing.assert_array_equal(states.predict_proba(masked), states.predict_proba(holed))


class PandasFrame:
    """What the estimator uses of a pandas frame: columns that may be of any name, and repeat; `iloc`; a shape."""

    def __init__(self, values, columns):
        self.values, self.columns, self.iloc = values, columns, self

    def __len__(self):
        return len(self.values)

    def __getitem__(self, place):
        return PandasColumn(self.values[place])


class PandasColumn:
    def __init__(self, values):
        self.values, self.dtype = values, values.dtype

    def to_numpy(self, dtype=None, na_value=None):
        assert na_value is None or np.isnan(na_value)
        return self.values.astype(dtype)

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_columns_of_a_frame_may_be_called_by_numbers_but_not_alike(states):
    named = PandasFrame(PLANT, [0, 1, 2])
    numbered = engine.StateClassifier(window=WINDOW, threads=1).fit([named, named], ["a", "b"])
    assert numbered.feature_names_in_ == ("0", "1", "2")
    assert len(numbered.predict(named)) == len(PLANT) - WINDOW + 1
    with pytest.raises(engine.RequestError, match="several columns called '0'"):
        numbered.predict(PandasFrame(PLANT[:, [0, 1, 2, 0]], [0, 1, 2, 0]))
    numbered.close()


def test_times_are_no_channel(states):
    times = pl.Series("when", range(120)).cast(pl.Datetime)
    frame = pl.DataFrame(PLANT, schema=list(COLUMNS)).with_columns(times)
    pandas = PandasFrame(times.to_numpy()[:, np.newaxis], ["when"])
    for recording in (frame, pandas, times.to_numpy()[:, np.newaxis]):
        with pytest.raises(engine.InputError, match="does not hold numbers only: times are none"):
            engine.StateClassifier(window=WINDOW).fit([recording, recording], ["a", "b"])


def test_a_lazy_frame_is_collected(states):
    frame = pl.DataFrame(PLANT, schema=list(COLUMNS))
    fitted = engine.StateClassifier(window=WINDOW, threads=1).fit([frame.lazy(), frame], ["a", "b"])
    assert fitted.feature_names_in_ == COLUMNS
    fitted.close()


@pytest.mark.parametrize("missing", [None, "", float("nan")])
def test_rows_without_a_label_are_left_out(missing):
    rows = np.concatenate([readings("idle", 100), readings("run", 200)])
    labels = ["idle"] * 100 + [missing] * 50 + ["run"] * 150
    fitted = engine.StateClassifier(window=WINDOW, threads=1).fit(rows, labels)
    assert fitted.classes_.tolist() == ["idle", "run"]
    whole = fitted.predict_proba(PLANT)
    for y in (np.array(labels, dtype=object)[:, np.newaxis], pl.DataFrame({"y": [*labels]}, strict=False)):
        np.testing.assert_array_equal(fitted.fit(rows, y).predict_proba(PLANT), whole)
    fitted.close()
    with pytest.raises(engine.RequestError, match="A recording has no label"):
        fitted.fit([rows, rows], ["idle", missing])


def test_numbers_of_numpy_are_numbers(states):
    fitted = learned(n_neighbors=np.int64(3), normalize_embeddings=np.bool_(False), step=np.int32(2))
    assert len(fitted.predict(PLANT)) == (120 - WINDOW) // 2 + 1
    fitted.close()


def test_warnings_are_warnings():
    flat = readings("idle", 60)
    flat[:, 1] = 7
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        engine.StateClassifier(window=WINDOW, threads=1).fit([flat], ["idle"]).close()
    assert [str(one.message) for one in said] == [
        "Constant over all n-shot rows, to a millionth of its level, so only centred, not scaled: channel_1.",
        "All n-shot files show 'idle': every window will be predicted so.",
    ]
    assert {one.filename for one in said} == {__file__}, "the warning points at the call of fit"
