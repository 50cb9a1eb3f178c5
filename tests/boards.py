"""A job service without a server: a home with uploaded files, and runs in this process in the place of workers."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recordings import request, write_plant

from engine.errors import EngineError, JobFailed
from engine.jobs.board import Board
from engine.jobs.create import make_any_plan
from engine.jobs.database import Database
from engine.jobs.files import FileStore
from engine.jobs.home import Home
from engine.jobs.records import Job
from engine.jobs.stored import StoredJob
from engine.models.catalog import Catalog
from engine.output.events import Event
from engine.pipelines.activity_detection.job import run_activity
from engine.pipelines.course import Settings
from engine.pipelines.machine_state.job import run_job
from engine.pipelines.machine_state.plan import Plan

ORG = "org_00000000000000000000000001"


def open_board(path: Path) -> Board:
    """Open the board of a home, new or old."""
    home = Home.open(path)
    database = Database(home.database)
    return Board(home, database, FileStore(home, database), Catalog(path))


def close_board(board: Board) -> None:
    """Let go of the index, as a process that ends."""
    board.database.close()


def upload(board: Board, name: str, data: bytes, *, org_id: str = ORG) -> str:
    """Upload bytes and return the file's uid."""
    with board.files.receive(org_id, name, None) as incoming:
        incoming.write(data)
        return incoming.finish().uid


def upload_plant(board: Board, folder: Path, **shape: Any) -> None:
    """Upload the files of `write_plant`."""
    folder.mkdir(exist_ok=True)
    write_plant(folder, **shape)
    for path in sorted(folder.glob("*.csv")):
        upload(board, path.name, path.read_bytes())


def body(inputs: list[str] | None = None, **config: Any) -> bytes:
    """Return a request for files of `upload_plant`, as bytes; 10 windows a part unless said."""
    asked = request(**{"batch_size": 10, "flush_every_n_iteration": 1, **config})
    if inputs is not None:
        asked["inputs"]["worker.inference"] = [{"file_id": name} for name in inputs]
    return json.dumps(asked).encode()


def load_plan(board: Board, job_id: str) -> Any:
    """Return the plan that a worker makes of a job's folder."""
    stored = StoredJob.from_json(board.folder(job_id).read())
    return make_any_plan(stored.to_request(), stored.resolver(board.home.content), board.catalog)


def run_claimed(board: Board, job: Job, *, on_event: Callable[[Event], None] | None = None) -> dict[str, Any]:
    """Run a claimed job as a worker does; return how it ended, without telling the board."""

    def told(event: Event) -> None:
        board.event(job.id, asdict(event))
        if on_event is not None:
            on_event(event)

    settings = Settings(
        device="cpu", threads=1, on_event=told, on_progress=lambda one: board.advanced(job.id, one.place)
    )
    try:
        plan = load_plan(board, job.id)
        run = run_job if isinstance(plan, Plan) else run_activity
        summary = run(plan, board.folder(job.id).run, settings)  # type: ignore[operator, arg-type]
    except JobFailed as error:
        return {"status": "failed", "error": {"code": error.code, "message": error.message, "input_id": None}}
    except EngineError as error:
        return {"status": "failed", "error": {"code": error.code, "message": error.message, "input_id": None}}
    return {"status": summary.status, "error": None}


def work(board: Board) -> Job:
    """Claim the next job, run it and say how it ended; return it."""
    job = board.claim()
    assert job is not None
    assert board.started(job.id, 0)
    board.finished(job.id, run_claimed(board, job))
    return board.get(None, job.id)
