"""Models stay open from job to job, are opened anew when they were replaced, and are let go when memory is short."""

import shutil

import pytest
from boards import body, close_board, open_board, upload_plant

from engine.jobs.worker import run_folder
from engine.models import warm
from engine.models.catalog import Catalog
from engine.models.device import Device
from engine.models.session import Session
from engine.models.warm import WarmSessions

CPU = Device("cpu", "cpu")
ORG = "org_00000000000000000000000001"


@pytest.fixture
def graphs(tmp_path):
    """Four folders with a graph each."""
    shipped = Catalog().find("omega_1_4_base").folder / "filters_16.onnx"
    paths = [tmp_path / name / "graph.onnx" for name in "abcd"]
    for path in paths:
        path.parent.mkdir()
        shutil.copy(shipped, path)
    return paths


def test_the_same_graph_is_opened_once_for_each_way_to_run_it(graphs):
    sessions = WarmSessions()
    first = sessions(graphs[0], device=CPU)
    assert sessions(graphs[0], device=CPU, threads=1) is first
    assert sessions(graphs[0], device=CPU, threads=2) is not first
    assert sessions(graphs[0], device=CPU, spin=True) is not first
    assert sessions(graphs[1], device=CPU) is not first
    assert sessions(graphs[0], device=CPU) is first


@pytest.mark.parametrize("name", ["graph.onnx", "graph.onnx.data"])
def test_a_model_that_was_replaced_is_opened_anew(graphs, name):
    sessions = WarmSessions()
    first = sessions(graphs[0], device=CPU)
    (graphs[0].parent / name).write_bytes(graphs[0].read_bytes())
    assert sessions(graphs[0], device=CPU) is not first


def test_no_more_than_fit_are_kept_and_the_longest_unused_goes_first(graphs, monkeypatch):
    size = graphs[0].stat().st_size
    monkeypatch.setattr(warm, "free_bytes", lambda _: 4 * size)
    sessions = WarmSessions()
    a, b = (sessions(path, device=CPU) for path in graphs[:2])
    assert sessions(graphs[0], device=CPU) is a
    monkeypatch.setattr(warm, "free_bytes", lambda _: 3 * size)  # with what two hold: room for half of five
    c = sessions(graphs[2], device=CPU)
    assert len(sessions) == 2
    assert sessions(graphs[0], device=CPU) is a
    assert sessions(graphs[2], device=CPU) is c
    assert sessions(graphs[1], device=CPU) is not b
    monkeypatch.setattr(warm, "free_bytes", lambda _: 0)
    sessions(graphs[3], device=CPU)
    assert len(sessions) == 1
    monkeypatch.setattr(warm, "free_bytes", lambda _: None)
    monkeypatch.setattr(warm, "MOST", 2)
    for path in graphs:
        sessions(path, device=CPU)
    assert len(sessions) == 2


def test_jobs_of_one_worker_share_their_sessions(tmp_path, monkeypatch):
    opened = []
    real = Session.__init__
    monkeypatch.setattr(
        Session, "__init__", lambda self, path, **options: (opened.append(path.name), real(self, path, **options))[1]
    )
    board = open_board(tmp_path / "home")
    try:
        upload_plant(board, tmp_path / "plant", rows=400)
        sessions = WarmSessions()
        for _ in range(2):
            job = board.create(ORG, body()).job
            status = run_folder(
                board.home.jobs / job.id,
                board.home.path,
                "cpu",
                1,
                on_event=lambda _: None,
                on_progress=lambda _: None,
                open_session=sessions,
            )
            assert status == "completed"
    finally:
        close_board(board)
    assert len(opened) == 1
