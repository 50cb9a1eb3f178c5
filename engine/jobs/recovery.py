"""How the index of a home is brought to what the folders say, whenever a kill came between the two."""

from collections.abc import Mapping
from typing import TypeAlias

from engine.errors import DiskFull, OutputError
from engine.jobs import ids
from engine.jobs.folder import JOB, JobFolder, find_folders, unreadable
from engine.jobs.operating import Operating
from engine.jobs.rows import delete_job, insert_job, update_state
from engine.jobs.states import HELD, TERMINAL, State
from engine.jobs.stored import StoredJob

_Known: TypeAlias = tuple[str, int, int]  # status, retries, preemptions


def recover(board: Operating) -> list[OutputError]:
    """Bring the index up, let every job wait again that a worker had, and return what is wrong with jobs that cannot be read.

    For the start of a server: nobody else may use the home. Costs a look at each job's last state, and reads what the index lacks.
    """
    broken = []
    with board.turn:
        folders = {folder.job_id: folder for folder in find_folders(board.home.jobs)}
        known = _known(board)
        with board.database.write() as sql:
            for job_id in known.keys() - folders.keys():
                delete_job(sql, job_id)
        for job_id, folder in folders.items():
            try:
                _bring_up(board, folder, known.get(job_id))
            except DiskFull:
                raise
            except OutputError as error:
                broken.append(error)
                _give_up(board, job_id, known, error)
        _give_back(board, "the server was restarted")
    board.on_work()
    return broken


def start_over(board: Operating, reason: str) -> None:
    """Bring the jobs that are not final to what their folders say, and let every job wait again that a worker had.

    For a server that could not keep what happened, once no worker is alive. Raises DiskFull or OutputError where it still cannot.
    """
    with board.turn:
        for job_id, known in _known(board).items():
            if known[0] not in TERMINAL:
                try:
                    _bring_up(board, board.folder(job_id), known)
                except DiskFull:
                    raise
                except OutputError as error:
                    _give_up(board, job_id, {job_id: known}, error)
        _give_back(board, reason)
    board.on_work()


def _give_back(board: Operating, reason: str) -> None:
    for job_id, (status, _, _) in _known(board).items():
        if status in HELD:
            board.preempted(job_id, reason)


def _known(board: Operating) -> dict[str, _Known]:
    with board.database.read() as sql:
        rows = sql.execute("SELECT id, status, retry_count, preemption_count FROM jobs ORDER BY id").fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _bring_up(board: Operating, folder: JobFolder, known: _Known | None) -> None:
    """Let the index have what one folder says."""
    job_id, state = folder.job_id, folder.last_state()
    if known is None:
        stored = _stored(folder)
        with board.database.write() as sql:
            insert_job(sql, stored, state)
    current = (state.status, state.retry_count, state.preemption_count)
    if known == current and state.status in TERMINAL:
        return
    if known is not None and known != current:
        with board.database.write() as sql:
            update_state(sql, job_id, state)
    if state.discard:
        folder.discard_run()
    board.diary.catch_up(job_id)
    board.let_go(job_id, sweep=False)


def _stored(folder: JobFolder) -> StoredJob:
    """Return what a folder's `job.json` keeps. Raises OutputError where that is no job, or another one."""
    try:
        stored = StoredJob.from_json(folder.read())
    except (TypeError, KeyError) as error:
        raise unreadable(folder.path / JOB, error) from None
    if stored.id != folder.job_id:
        raise unreadable(folder.path / JOB, ValueError(f"it is that of {stored.id}"))
    return stored


def _give_up(board: Operating, job_id: str, known: Mapping[str, _Known], error: OutputError) -> None:
    """Let a job whose folder cannot be read stand as failed, so that it is in nobody's way."""
    if job_id in known and known[job_id][0] not in TERMINAL:
        said = {"code": error.code, "message": str(error), "error_uid": ids.new_id("err"), "input_id": None}
        now = ids.now()
        with board.database.write() as sql:
            update_state(sql, job_id, State("FAILED", now, None, failed_at=now, error=said))
