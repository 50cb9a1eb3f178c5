"""A server without a socket that dies again and again: every start is a process of its own, which kills itself (SIGKILL) at a point.

    python dying.py HOME PLANT

One start for each point of each deed of `DEEDS`, on one home. A start first does what a server does, then checks what the start before
left, then does the deed under a new name and dies at its next point: a commit point of the files, or a step of a job's change. A line
of JSON on standard output for each: `{"deed", "point"}`, point null where the deed came to its end.
"""

import hashlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boards import ORG, body, close_board, open_board, upload_plant

from engine.jobs import board as creating
from engine.jobs import operating
from engine.jobs.board import Board
from engine.jobs.diary import Diary
from engine.jobs.folder import JobFolder
from engine.jobs.states import HELD, TERMINAL
from engine.jobs.uploads import Uploads
from engine.output.files import observe, reach

OLD = b"timestamp,speed\n1,2\n"


@contextmanager
def served(home: Path) -> Iterator[tuple[Board, Uploads]]:
    """Do what a server does at its start."""
    board = open_board(home)
    board.database._connection.execute("PRAGMA synchronous = OFF")  # as with `os.fsync`
    uploads = Uploads(board.home, board.files)
    board.files.rebuild()
    board.recover()
    board.files.sweep(leftovers=True)
    uploads.sweep()
    yield board, uploads
    close_board(board)


def content(number: int) -> bytes:
    """Return the bytes that a deed brings, others for each number."""
    return OLD + b"%d,3\n" % number


def look(board: Board, name: str) -> bytes | None:
    """Return the bytes of a file, None where there is none."""
    try:
        file = board.files.find(ORG, name)
    except LookupError:
        return None
    data = board.files.path(file).read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (file.num_bytes, file.sha256)
    return data


# Deeds: what is done to the file or job of a number, and what may be there afterwards, whenever the server died.


def put(board: Board, name: str, data: bytes) -> None:
    with board.files.receive(ORG, name, None) as incoming:
        incoming.write(data)
        incoming.finish()


def upload(board: Board, uploads: Uploads, number: int) -> None:
    put(board, f"simple{number}.csv", content(number))


def check_upload(board: Board, uploads: Uploads, number: int) -> None:
    assert look(board, f"simple{number}.csv") in (None, content(number))


def replace(board: Board, uploads: Uploads, number: int) -> None:
    put(board, "replaced.csv", content(number))


def check_replace(board: Board, uploads: Uploads, number: int) -> None:
    assert look(board, "replaced.csv") in (content(number), None if number == 1 else OLD)
    put(board, "replaced.csv", OLD)


def upload_in_parts(board: Board, uploads: Uploads, number: int) -> None:
    name, data = f"parts{number}.csv", content(number)
    begun, _ = uploads.initiate(ORG, name, None, len(data), resume=True)
    with uploads.receive(begun, 1) as part:
        part.write(data)
        tag = part.finish()
    uploads.checkpoint(ORG, begun.id, {1: tag})
    uploads.complete(ORG, begun.id, {}, None)


def check_upload_in_parts(board: Board, uploads: Uploads, number: int) -> None:
    name = f"parts{number}.csv"
    if look(board, name) is None:
        upload_in_parts(board, uploads, number)  # it goes on
    assert look(board, name) == content(number)
    assert {path.name for path in board.home.uploads.rglob("*.*")} == {"upload.json"}, "parts of a file stay"
    board.files.delete(ORG, name)
    upload_in_parts(board, uploads, number)  # the name is free
    assert look(board, name) == content(number)


def delete(board: Board, uploads: Uploads, number: int) -> None:
    put(board, f"deleted{number}.csv", content(number))
    reach("deleting")
    board.files.delete(ORG, f"deleted{number}.csv")


def check_delete(board: Board, uploads: Uploads, number: int) -> None:
    assert look(board, f"deleted{number}.csv") in (None, content(number))


def lead_a_job(board: Board, uploads: Uploads, number: int) -> None:
    """Let a job go through all its changes."""
    made = board.create(ORG, body(["line7.csv"]), idempotency_key=f"job {number}").job
    assert made is not None
    board.claim()
    board.started(made.id, 0)
    board.preempted(made.id, "it died")
    board.claim()
    board.started(made.id, 0)
    board.finished(made.id, {"status": "failed", "error": None})
    board.retry(ORG, made.id)
    board.cancel(ORG, made.id)
    board.retry(ORG, made.id, restart=True)
    board.cancel(ORG, made.id)
    board.delete(ORG, made.id)


def check_lead_a_job(board: Board, uploads: Uploads, number: int) -> None:
    for job in board.list(ORG).items:
        assert job.status not in HELD
        assert JobFolder(board.home.jobs / job.id).last_state().status == job.status
        ids = [event.id for event in board.events(ORG, job.id, order="asc", limit=1000).items]
        assert ids == list(range(1, len(ids) + 1))
        assert (job.pending, job.processing, job.completed) == (1, 0, 0)
        if job.status not in TERMINAL:
            claimed = board.claim()
            assert claimed is not None
            assert claimed.id == job.id
            board.cancel(ORG, job.id)
        board.delete(ORG, job.id)
    assert board.queue() == {"batch": 0, "training": 0}
    assert list(board.home.jobs.iterdir()) == []


Deed = Callable[[Board, Uploads, int], None]
DEEDS: dict[str, tuple[Deed, Deed]] = {
    "upload": (upload, check_upload),
    "replace": (replace, check_replace),
    "upload in parts": (upload_in_parts, check_upload_in_parts),
    "delete": (delete, check_delete),
    "a job's life": (lead_a_job, check_lead_a_job),
}


def check_home(board: Board) -> None:
    """Check what must be so after every start."""
    home = board.home
    assert not [*home.path.rglob(".*.tmp"), *home.incoming.iterdir()]
    files = [*board.files.page(ORG, limit=1000).items]
    assert {path.name for path in home.content.glob("??/*")} == {file.sha256 for file in files}
    for file in files:
        assert look(board, file.name) is not None


def name_the_steps_of_a_change() -> None:
    """Let the steps of a job's change be points, too: before its folder, its index and its followers learn of it."""

    def named(owner: Any, name: str, point: str) -> None:
        whole = getattr(owner, name)

        def step(*arguments: Any, **options: Any) -> Any:
            reach(point)
            return whole(*arguments, **options)

        setattr(owner, name, step)

    for name in ("create", "append_state", "discard_run", "remove"):
        named(JobFolder, name, f"job.{name}")
    named(operating, "update_state", "job.index")
    named(creating, "insert_job", "job.insert")
    named(creating, "delete_job", "job.delete")
    named(Diary, "emit", "job.event")


def live(home: Path, last: tuple[str, int] | None, deed: str, number: int) -> None:
    """Be a server that dies at a point of its own deed."""
    with served(home) as (board, uploads):
        check_home(board)
        if last is not None:
            DEEDS[last[0]][1](board, uploads, last[1])
        left = number

        def watch(point: str) -> None:
            nonlocal left
            left -= point != "folder.made"  # a folder of `content` is there or not, as digests begin
            if left == 0 and point != "folder.made":
                print(json.dumps({"deed": deed, "point": point}), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

        observe(watch)
        try:
            DEEDS[deed][0](board, uploads, number)
        finally:
            observe(None)
        print(json.dumps({"deed": deed, "point": None}), flush=True)


def start(home: Path, last: tuple[str, int] | None, deed: str, number: int) -> bool:
    """Let a server live in a process of its own; tell whether it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            live(home, last, deed, number)
        except BaseException:  # noqa: BLE001 - not into the caller's hands: this is another process
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGKILL):
        sys.exit(f"After {last}, {deed} {number} ended with {code}.")
    return code != 0


def main() -> None:
    """Go through all deeds."""
    home, plant = Path(sys.argv[1]), Path(sys.argv[2])
    os.fsync = lambda _: None  # a power cut is not what this is about, and the disk is slow
    board = open_board(home)
    upload_plant(board, plant)
    close_board(board)
    name_the_steps_of_a_change()
    last = None
    for deed in DEEDS:
        number = 1
        while start(home, last, deed, number):
            last = deed, number
            number += 1
        last = deed, number
    with served(home) as (board, _):
        check_home(board)


if __name__ == "__main__":
    main()
