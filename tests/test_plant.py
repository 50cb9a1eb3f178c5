"""The plant: reproducible, cut anywhere, physically sane, faulty in the right way, and written faithfully."""

import csv
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neighbors import KNeighborsClassifier

from engine.errors import OutputError, RequestError
from engine.plant import (
    MOST_CHANNELS,
    STATES,
    Episode,
    Scenario,
    SetPoints,
    channel_names,
    instruments,
    simulate,
    write_csv,
    write_demo,
    write_large,
)
from engine.plant.scenario import FAULT_RANGES
from engine.plant.simulation import STRIDE_ROWS, Panel, run_process
from kernels import plant as process

SETTINGS = SetPoints(30.0, 0.8, 0.6, 45.0, 20.0, 13.0)
EVERY_STATE = tuple(Episode(state, 400) for state in STATES)


def values_of(scenario, block_rows=8192):
    return np.concatenate([block.values for block in simulate(scenario, block_rows)], axis=1)


def quantities_of(scenario):
    return np.concatenate(list(run_process(scenario)), axis=1)


def read(path):
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, [row[0] for row in rows], [row[1:] for row in rows]


# Recordings


WHOLE = Scenario(EVERY_STATE, seed=5)
EXPECTED = values_of(WHOLE)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.one_of(st.integers(1, 3000), st.sampled_from([STRIDE_ROWS - 1, STRIDE_ROWS, STRIDE_ROWS + 1])))
def test_blocks_of_any_size_hold_the_same_rows(block_rows):
    blocks = list(simulate(WHOLE, block_rows))
    assert [block.first_row for block in blocks] == list(range(0, WHOLE.rows, block_rows))
    assert all(block.rows == block_rows for block in blocks[:-1])
    assert np.concatenate([block.values for block in blocks], axis=1).tobytes() == EXPECTED.tobytes()
    assert np.concatenate([block.states for block in blocks]).tolist() == np.repeat(range(len(STATES)), 400).tolist()
    assert [time for block in blocks for time in block.timestamps] == WHOLE.times(0, WHOLE.rows).tolist()


def test_a_seed_is_a_recording():
    assert values_of(WHOLE).tobytes() == EXPECTED.tobytes()
    other = values_of(replace(WHOLE, seed=6))
    assert np.mean(other == EXPECTED) < 0.2  # readings are rounded, so some meet


@pytest.mark.parametrize("channels", [1, 2, 11, 12, 13, 40, 60])
def test_fewer_channels_are_the_first_ones(channels):
    values = values_of(replace(WHOLE, channels=channels))
    assert values.shape == (channels, WHOLE.rows)
    assert values.flags.c_contiguous
    assert np.isfinite(values).all()
    assert np.array_equal(values[:12], EXPECTED[:channels])


def test_a_longer_recording_begins_like_a_shorter_one():
    longer = replace(WHOLE, episodes=(*EVERY_STATE, Episode("normal", 700)))
    assert np.array_equal(values_of(longer)[:, : WHOLE.rows], EXPECTED)


@pytest.mark.parametrize("channels", range(1, 61))
def test_names_are_distinct_and_tell_the_unit(channels):
    names = channel_names(channels)
    assert len(set(names)) == len(names) == channels
    assert names == channel_names(60)[:channels]
    units = {"m", "mm", "c", "f", "k", "lpm", "m3h", "kgs", "pct", "ma", "rpm", "hz", "w", "kw"}
    assert {name.rsplit("_", 1)[1] for name in names} <= units


def test_a_thousand_channels_have_names_of_their_own():
    assert len(set(channel_names(MOST_CHANNELS))) == MOST_CHANNELS


def test_redundant_instruments_follow_the_same_quantity():
    run = Scenario((Episode("normal", 3000),), seed=1, channels=60)
    values, built = values_of(run), instruments(60)
    speed = built[4]
    twins = [i for i, each in enumerate(built) if each.quantity == speed.quantity and i != 4]
    assert len(twins) >= 4
    for i in twins:
        assert np.corrcoef(values[4], values[i])[0, 1] > 0.5
        share = (values[i] - built[i].offset) / built[i].gain
        assert share.mean() == pytest.approx(values[4].mean() / 100.0, rel=1e-2)


def test_sensors_are_lag_calibration_noise_and_rounding():
    built = instruments(40)
    panel = Panel.of(built, 1.0)
    rng = np.random.default_rng(0)
    quantities = rng.normal(50.0, 10.0, (process.QUANTITIES, 50))
    draws = rng.standard_normal((40, 50))
    element = quantities[panel.source, 0].copy()
    last, out = element.copy(), np.empty((40, 50))
    process.read_sensors(
        quantities, panel.source, panel.follow, panel.gain, panel.offset, panel.noise, panel.scale, panel.grain,
        element, draws, out,
    )  # fmt: skip
    for c, each in enumerate(built):
        y = last[c]
        for t in range(50):
            x = quantities[each.quantity, t]
            y = y + (x - y) * (1.0 - np.exp(-1.0 / each.lag_s)) if each.lag_s else x
            exact = each.gain * y + each.offset + each.noise * draws[c, t]
            step = each.grain * 10.0**-each.decimals
            assert abs(out[c, t] - exact) <= step / 2 + 1e-9 * abs(exact)
            assert out[c, t] == float(f"{out[c, t]:.{each.decimals}f}")
            assert round(out[c, t] * 10**each.decimals) % each.grain == 0
        assert element[c] == pytest.approx(y)


def test_noise_never_repeats():
    run = Scenario((Episode("normal", 4 * STRIDE_ROWS),), seed=1)
    level = values_of(run)[:1] - quantities_of(run)[process.Q_SEEN_LEVEL_1]
    flow = values_of(run)[10:11] - quantities_of(run)[process.Q_SEEN_OUTFLOW]
    assert level.std() == pytest.approx(0.002, rel=0.05)
    assert flow.std() == pytest.approx(0.3, rel=0.05)
    strides = np.concatenate([level.reshape(4, STRIDE_ROWS), flow.reshape(4, STRIDE_ROWS)])
    assert np.abs(np.corrcoef(strides) - np.eye(8)).max() < 0.15


# Times


@pytest.mark.parametrize(
    ("start", "period_s", "expected"),
    [
        ("2026-01-05T06:00:00Z", 1.0, ["2026-01-05T06:00:00Z", "2026-01-05T06:00:01Z"]),
        ("2026-01-05T06:00:00", 60.0, ["2026-01-05T06:00:00", "2026-01-05T06:01:00"]),
        ("2026-01-05T00:30:00+01:00", 1.0, ["2026-01-04T23:30:00Z", "2026-01-04T23:30:01Z"]),
        ("2026-12-31T23:59:59.500Z", 0.5, ["2026-12-31T23:59:59.500Z", "2027-01-01T00:00:00.000Z"]),
        ("1969-12-31T23:59:59Z", 0.0125, ["1969-12-31T23:59:59.000000Z", "1969-12-31T23:59:59.012500Z"]),
    ],
)
def test_times_are_iso_8601_at_the_needed_precision(start, period_s, expected):
    run = Scenario((Episode("normal", 2),), 0, start=start, period_s=period_s)
    assert run.times(0, 2).tolist() == expected
    assert run.times(1, 1).tolist() == expected[1:]
    assert [block.timestamps for block in simulate(run, 1)] == [[time] for time in expected]


# Physics


def test_no_water_is_lost_or_made():
    # At half a second a row, one step is one row and every flow is seen: the balance is exact.
    run = Scenario((Episode("normal", 500), Episode("leak", 1000), Episode("stuck_valve", 1000)), 2, period_s=0.5)
    q = quantities_of(run)
    held = process.AREA_1_M2 * q[process.Q_LEVEL_1] + process.AREA_2_M2 * q[process.Q_LEVEL_2]
    net_lpm = q[process.Q_INFLOW] - q[process.Q_OUTFLOW] - q[process.Q_LEAK]
    assert q[[process.Q_LEVEL_1, process.Q_LEVEL_2]].max() < process.BRIM_M
    np.testing.assert_allclose(np.diff(held), net_lpm[1:] / process.LPM_PER_M3_S * 0.5, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ambient_c", [-30.0, 20.0, 50.0])
def test_the_heater_pays_for_the_warm_water_and_the_losses(ambient_c):
    points = replace(SETTINGS, ambient_c=ambient_c)
    q = quantities_of(Scenario((Episode("normal", 20_000),), 2, set_points=points)).mean(axis=1)
    warmed = q[process.Q_OUTFLOW] / process.LPM_PER_M3_S * process.WATER_J_PER_M3_K * (45.0 - 13.0)
    lost = process.LOSS_1_W_PER_K * (q[process.Q_TEMP_1] - ambient_c) + process.LOSS_2_W_PER_K * (45.0 - ambient_c)
    assert q[process.Q_HEATER_POWER] == pytest.approx(warmed + lost, rel=0.006)


@pytest.mark.parametrize(
    "points",
    [SETTINGS, SetPoints(22.0, 0.5, 0.9, 38.0, -5.0, 5.0), SetPoints(34.0, 1.0, 0.4, 48.0, 35.0, 20.0)],
)
def test_the_controllers_hold_their_set_points(points):
    q = quantities_of(Scenario((Episode("normal", 4000),), 3, set_points=points)).mean(axis=1)
    assert q[process.Q_LEVEL_1] == pytest.approx(points.tank1_level_m, abs=0.005)
    assert q[process.Q_LEVEL_2] == pytest.approx(points.tank2_level_m, abs=0.005)
    assert q[process.Q_TEMP_2] == pytest.approx(points.temperature_c, abs=0.2)
    assert q[process.Q_OUTFLOW] == pytest.approx(points.demand_lpm, rel=0.02)


@pytest.mark.parametrize("period_s", [0.1, 0.5, 5.0, 60.0])
def test_the_period_does_not_change_the_physics(period_s):
    rows = int(20_000 / period_s) if period_s > 1 else 4000
    q = quantities_of(Scenario((Episode("leak", rows, 0.5),), 3, set_points=SETTINGS, period_s=period_s)).mean(axis=1)
    # The leak is known, and so the level above it.
    size = sum(FAULT_RANGES["leak"]) / 2
    speed = np.sqrt(2 * process.GRAVITY * (0.6 - process.LEAST_LEVEL_M))
    assert q[process.Q_LEAK] == pytest.approx(size * speed * process.LPM_PER_M3_S, rel=0.02)
    assert q[process.Q_PUMP_SPEED] == pytest.approx(0.82, abs=0.02)


@pytest.fixture(scope="module")
def settled():
    """Return, per state, the true quantities of the same run with and without it, settled: (before, with)."""
    runs = {}
    for state in STATES:
        episodes = (Episode("normal", 500), Episode(state, 3000, 0.5 if state != "normal" else None))
        runs[state] = quantities_of(Scenario(episodes, 11, set_points=SETTINGS))[:, 1000:]
    return {state: (runs["normal"], q) for state, q in runs.items() if state != "normal"}


def test_a_leak_makes_pump_and_feed_work_harder(settled):
    healthy, q = (each.mean(axis=1) for each in settled["leak"])
    assert q[process.Q_LEAK] > 3.0
    assert q[process.Q_INFLOW] - q[process.Q_OUTFLOW] == pytest.approx(q[process.Q_LEAK], rel=0.02)
    assert q[process.Q_LEVEL_2] == pytest.approx(healthy[process.Q_LEVEL_2], abs=0.003)
    assert q[process.Q_OUTFLOW] == pytest.approx(healthy[process.Q_OUTFLOW], rel=0.01)
    assert q[process.Q_PUMP_SPEED] > healthy[process.Q_PUMP_SPEED] + 0.03


def test_fouling_heats_the_surface_not_the_bill(settled):
    healthy, q = (each.mean(axis=1) for each in settled["fouling"])
    assert q[process.Q_HEATER_POWER] == pytest.approx(healthy[process.Q_HEATER_POWER], rel=0.01)
    assert q[process.Q_TEMP_SURFACE] > healthy[process.Q_TEMP_SURFACE] + 8.0
    assert q[process.Q_TEMP_2] == pytest.approx(healthy[process.Q_TEMP_2], abs=0.1)


def test_a_drifting_sensor_shows_what_the_controller_wants(settled):
    healthy, q = (each.mean(axis=1) for each in settled["sensor_drift"])
    assert q[process.Q_SEEN_TEMP_2] == pytest.approx(45.0, abs=0.2)
    assert q[process.Q_TEMP_2] - healthy[process.Q_TEMP_2] == pytest.approx(4.25, abs=0.2)
    assert q[process.Q_HEATER_POWER] > 1.05 * healthy[process.Q_HEATER_POWER]


def test_a_stuck_valve_makes_the_feed_cycle(settled):
    healthy, q = settled["stuck_valve"]
    assert q[process.Q_INFLOW].std() > 2.0 * healthy[process.Q_INFLOW].std()
    assert q[process.Q_LEVEL_1].std() > 2.0 * healthy[process.Q_LEVEL_1].std()
    assert q[process.Q_OUTFLOW].std() == pytest.approx(healthy[process.Q_OUTFLOW].std(), rel=0.05)
    assert q[process.Q_INFLOW].mean() == pytest.approx(healthy[process.Q_INFLOW].mean(), rel=0.02)


def test_a_worn_pump_turns_faster_for_the_same_flow(settled):
    healthy, q = (each.mean(axis=1) for each in settled["pump_wear"])
    assert q[process.Q_PUMP_SPEED] > healthy[process.Q_PUMP_SPEED] + 0.05
    assert q[process.Q_PUMP_POWER] > 1.1 * healthy[process.Q_PUMP_POWER]
    assert q[process.Q_OUTFLOW] == pytest.approx(healthy[process.Q_OUTFLOW], rel=0.01)


def test_faults_come_and_go_with_a_lag():
    episodes = (Episode("normal", 300), Episode("leak", 600, 1.0), Episode("normal", 600))
    leak = quantities_of(Scenario(episodes, 4, set_points=SETTINGS))[process.Q_LEAK]
    full = leak[600:900].mean()
    assert leak[:300].max() == 0.0
    assert 0.0 < leak[300] < 0.5 * full
    assert leak[900] > 0.5 * full
    assert leak[1200:].max() < 1e-6


def test_a_run_of_one_episode_is_in_that_state_from_its_first_row():
    leak = quantities_of(Scenario((Episode("leak", 600, 1.0),), 4, set_points=SETTINGS))[process.Q_LEAK]
    assert leak[0] == pytest.approx(leak.mean(), rel=0.05)


def test_episodes_of_one_state_differ_in_severity():
    run = Scenario((Episode("leak", 3), Episode("normal", 2), Episode("leak", 3)), 9)
    sizes = run.severities(0, 8)
    assert sizes[0] == sizes[2] != sizes[5] == sizes[7]
    assert sizes[3] == sizes[4] == 0.0
    low, high = FAULT_RANGES["leak"]
    assert low <= min(sizes[0], sizes[5]) <= max(sizes[0], sizes[5]) <= high
    assert run.severities(4, 3).tolist() == sizes[4:7].tolist()


# Refusals


def test_everything_wrong_with_a_scenario_is_said_at_once():
    points = replace(SETTINGS, demand_lpm=float("nan"), tank1_level_m=2.0)
    episodes = (Episode("asleep", 5), Episode("leak", 0), Episode("leak", 1, 1.5))
    with pytest.raises(RequestError) as caught:
        Scenario(episodes, -1, channels=MOST_CHANNELS + 1, set_points=points, period_s=0.0, start="noon")
    assert [problem.where for problem in caught.value.problems] == [
        "episodes.0.state",
        "episodes.1.rows",
        "episodes.2.severity",
        "set_points.demand_lpm",
        "set_points.tank1_level_m",
        "channels",
        "seed",
        "period_s",
        "start",
    ]
    assert all(problem.suggestion for problem in caught.value.problems)
    assert "'asleep'" in str(caught.value)
    assert "sensor_drift" in str(caught.value)


def test_a_scenario_needs_an_episode():
    with pytest.raises(RequestError, match="at least one episode"):
        Scenario((), 0)


@pytest.mark.parametrize("channels", [0, -1, MOST_CHANNELS + 1])
def test_instruments_that_are_not_there_are_refused(channels):
    with pytest.raises(RequestError, match="1 to 1000"):
        channel_names(channels)


# Files


@pytest.mark.parametrize("channels", [1, 12, 60])
def test_a_recording_comes_back_exactly(tmp_path, channels):
    run = replace(WHOLE, channels=channels)
    path, truth = tmp_path / "run.csv", tmp_path / "labels.csv"
    assert write_csv(path, run, truth=truth) == run.rows
    header, times, cells = read(path)
    assert header == ["timestamp", *channel_names(channels)]
    assert times == run.times(0, run.rows).tolist()
    assert np.array_equal(np.array(cells, dtype=float).T, values_of(run))
    for each, column in zip(instruments(channels), zip(*cells, strict=True), strict=True):
        assert {len(cell.partition(".")[2]) for cell in column} == {each.decimals}
    header, label_times, labels = read(truth)
    assert header == ["timestamp", "label"]
    assert label_times == times
    assert [label for (label,) in labels] == [episode.state for episode in EVERY_STATE for _ in range(episode.rows)]
    assert sorted(tmp_path.iterdir()) == [truth, path]


def test_the_same_scenario_writes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_csv(tmp_path / name, WHOLE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_recording_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        write_csv(tmp_path / "missing" / "run.csv", WHOLE, truth=tmp_path / "labels.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_large_recording_repeats_its_readings_under_rising_times(tmp_path):
    path = tmp_path / "large.csv"
    rows = write_large(path, num_bytes=1_500_000, channels=2, seed=1)
    size_bytes = path.stat().st_size
    last_line = path.read_bytes().splitlines(keepends=True)[-1]
    assert 1_500_000 <= size_bytes < 1_500_000 + len(last_line)
    header, times, cells = read(path)
    assert header == ["timestamp", *channel_names(2)]
    assert len(times) == rows > 2 * 14_400
    start = datetime.fromisoformat(times[0])
    assert times == [f"{(start + timedelta(seconds=row)).replace(tzinfo=None).isoformat()}Z" for row in range(rows)]
    assert cells[14_400:] == cells[: rows - 14_400]
    assert cells[:3600] != cells[3600:7200]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("num_bytes", "expected"), [(0, 1), (100, 3)])
def test_a_small_large_recording_has_at_least_a_row(tmp_path, num_bytes, expected):
    path = tmp_path / "large.csv"
    assert write_large(path, num_bytes=num_bytes, channels=1) == expected
    assert len(read(path)[1]) == expected


# The demonstration


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo") / "made" / "plant")


def test_the_demonstration_is_complete(demo):
    assert [state for state, _ in demo.shots] == [state for state in STATES for _ in range(2)]
    assert sorted(demo.folder.iterdir()) == sorted(
        [demo.job, *(path for _, path in demo.shots), *demo.recordings, *demo.truths]
    )
    header = ["timestamp", *channel_names(12)]
    for _, path in demo.shots:
        assert (read(path)[0], len(read(path)[1])) == (header, 600)
    for recording, truth in zip(demo.recordings, demo.truths, strict=True):
        labels = [label for (label,) in read(truth)[2]]
        assert read(recording)[0] == header
        assert read(recording)[1] == read(truth)[1]
        assert len(labels) == 10_000
        assert set(labels) == set(STATES)
        assert 0.4 < labels.count("normal") / len(labels) < 0.7


def test_the_job_names_every_file_beside_itself(demo):
    request = json.loads(demo.job.read_text())
    assert set(request) == {"name", "pipeline_type", "pipeline_key", "inputs", "parameters"}
    assert (request["pipeline_type"], request["pipeline_key"]) == ("batch", "machine-state-classification")
    ports = request["inputs"]
    assert set(ports) == {"worker.inference", "worker.n_shots", "worker.labels"}
    assert [demo.folder / each["file_id"] for each in ports["worker.inference"]] == list(demo.recordings)
    assert [(each["metadata"]["class"], demo.folder / each["file_id"]) for each in ports["worker.n_shots"]] == list(
        demo.shots
    )
    pairs = [(demo.folder / each["metadata"]["for"], demo.folder / each["file_id"]) for each in ports["worker.labels"]]
    assert pairs == list(zip(demo.recordings, demo.truths, strict=True))
    assert request["parameters"]["worker"]["config"] == {
        "reader_config": {
            "data_columns": list(channel_names(12)),
            "timestamp_column": "timestamp",
            "window_size": 64,
            "step_size": 1,
        },
        "evaluation": {"label_column": "label"},
    }


def test_the_seed_fixes_every_byte(tmp_path):
    sizes = {"shot_rows": 64, "recording_rows": 1408, "channels": 3}
    first, again, other = (
        write_demo(tmp_path / name, seed=seed, **sizes) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for path in first.folder.iterdir():
        assert path.read_bytes() == (again.folder / path.name).read_bytes()
    assert first.recordings[0].read_bytes() != other.recordings[0].read_bytes()


def test_a_demonstration_too_small_to_classify_is_refused(tmp_path):
    with pytest.raises(RequestError) as caught:
        write_demo(tmp_path / "demo", seed=-1, channels=0, shot_rows=63, recording_rows=1407)
    assert [problem.where for problem in caught.value.problems] == ["channels", "seed", "shot_rows", "recording_rows"]
    assert not (tmp_path / "demo").exists()


def test_the_demonstration_is_neither_trivial_nor_hopeless(demo):
    def features(path: Path) -> np.ndarray:
        scaled = (np.array(read(path)[2], dtype=float).T - mean) / deviation
        windows = np.lib.stride_tricks.sliding_window_view(scaled, 64, axis=1)[:, ::4]
        return np.concatenate([windows.mean(axis=2), windows.std(axis=2)]).T

    rows = np.concatenate([np.array(read(path)[2], dtype=float) for _, path in demo.shots]).T
    mean, deviation = rows.mean(axis=1, keepdims=True), rows.std(axis=1, keepdims=True)
    library = [(features(path), state) for state, path in demo.shots]
    model = KNeighborsClassifier(5).fit(
        np.concatenate([vectors for vectors, _ in library]),
        [state for vectors, state in library for _ in range(len(vectors))],
    )
    predicted = np.concatenate([model.predict(features(path)) for path in demo.recordings])
    labels = [label for truth in demo.truths for (label,) in read(truth)[2][: 10_000 - 63 : 4]]
    assert 0.75 < accuracy_score(labels, predicted) < 0.92
    assert 0.75 < f1_score(labels, predicted, average="macro") < 0.92
