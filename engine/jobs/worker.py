"""A worker: a process that runs jobs, one after the other, as its supervisor says. It stays, with libraries and models loaded.

It owns nothing but the lock on the folder of the job that it runs. When its supervisor is gone, so is it.
"""

import argparse
import ctypes
import os
import queue
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.errors import EngineError, FolderInUse, JobFailed
from engine.jobs.channel import Channel, Message
from engine.jobs.folder import JobFolder
from engine.models.warm import OpenSession, WarmSessions
from engine.output.events import Event

BEAT_S = 5.0
TELL_S = 0.1  # at most so often is told how far a run is
LOCK_S, LOOK_S = 20.0, 0.1  # for whoever writes the folder to let it go, and how often is looked

_PR_SET_PDEATHSIG = 1


class Stopped(BaseException):
    """The supervisor wants this run to end; what it committed stays."""


class Worker:
    """Runs jobs that come over a channel, in the calling thread, and tells what happens.

    Parameters
    ----------
    channel
        To the supervisor.
    device, threads
        Where jobs run; as in `engine.run`.
    """

    def __init__(self, channel: Channel, device: str, threads: int | None) -> None:
        self._channel = channel
        self._device, self._threads = device, threads
        self._asked: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._busy = threading.Event()
        self._told = 0.0
        self._sessions = WarmSessions()

    def work(self) -> None:
        """Run jobs until the supervisor is gone."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        self._channel.send({"ready": os.getpid()})
        while (message := self._asked.get()) is not None:
            asked = message["run"]
            self._busy.set()
            outcome = self._run(Path(asked["folder"]), Path(asked["home"]))
            self._busy.clear()
            self._stop.clear()
            self._channel.send({"done": {"job": asked["job"], **outcome}})

    def _run(self, folder: Path, home: Path) -> dict[str, Any]:
        """Run the job of a folder, as soon as nobody else writes it; return how it ended."""
        deadline = time.monotonic() + LOCK_S
        try:
            while True:
                try:
                    return self._run_once(folder, home)
                except FolderInUse:
                    if time.monotonic() > deadline:
                        raise
                if self._stop.wait(LOOK_S):
                    return {"status": "stopped", "error": None}
        except Stopped:
            return {"status": "stopped", "error": None}
        except EngineError as error:
            told = error.message if isinstance(error, JobFailed) else str(error)
            return _failure(error.code, JobFolder(folder).placeless(told))
        except MemoryError:
            return _failure("out_of_memory", "The memory of this machine does not suffice for the job.")
        except Exception as error:  # noqa: BLE001 - the last net: the job fails with a sentence, the log has the trace
            traceback.print_exc()
            return _failure("internal_error", f"A fault of the engine, not of your data: {type(error).__name__}.")

    def _run_once(self, folder: Path, home: Path) -> dict[str, Any]:
        status = run_folder(
            folder,
            home,
            self._device,
            self._threads,
            on_event=self._tell_event,
            on_progress=self._tell_progress,
            open_session=self._sessions,
        )
        return {"status": status, "error": None}

    def _tell_event(self, event: Event) -> None:
        self._channel.send({"event": asdict(event)})
        self._obey()

    def _tell_progress(self, progress: Any) -> None:
        self._obey()
        now = time.monotonic()
        if now - self._told >= TELL_S:
            self._told = now
            self._channel.send({"progress": {"place": progress.place}})

    def _obey(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _listen(self) -> None:
        while (messages := self._channel.receive()) is not None:
            for message in messages:
                if "stop" in message:
                    self._stop.set()
                else:
                    self._stop.clear()
                    self._asked.put(message)
        if self._busy.is_set():
            os._exit(0)  # the lock goes with the process; what was committed stays
        self._asked.put(None)

    def _beat(self) -> None:
        while self._busy.wait():
            if not self._channel.send({"beat": True}):
                return
            time.sleep(BEAT_S)


def run_folder(
    folder: Path,
    home: Path,
    device: str,
    threads: int | None,
    *,
    on_event: Callable[[Event], None],
    on_progress: Callable[[Any], None],
    open_session: OpenSession,
) -> str:
    """Run the job of a folder, or go on with it; return the status of its summary.

    Raises
    ------
    As `engine.run`.
    """
    from engine.jobs.create import make_any_plan
    from engine.jobs.home import Home
    from engine.jobs.stored import StoredJob
    from engine.models.catalog import Catalog
    from engine.pipelines.course import Settings
    from engine.pipelines.machine_state.job import run_job
    from engine.pipelines.machine_state.plan import Plan

    place = JobFolder(folder)
    stored = StoredJob.from_json(place.read())
    plan = make_any_plan(stored.to_request(), stored.resolver(Home(home).content), Catalog(home))
    settings = Settings(
        device=device, threads=threads, on_event=on_event, on_progress=on_progress, open_session=open_session
    )
    if isinstance(plan, Plan):
        return run_job(plan, place.run, settings).status
    from engine.pipelines.activity_detection.job import run_activity

    return run_activity(plan, place.run, settings).status


def _failure(code: str, message: str) -> dict[str, Any]:
    return {"status": "failed", "error": {"code": code, "message": message, "input_id": None}}


def _die_with(parent: int) -> None:
    """End when the supervisor ends, however that happens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def main() -> None:
    """Be a worker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the supervisor decides
        signal.signal(number, signal.SIG_IGN)
    _die_with(options.parent)
    channel = Channel(socket.socket(fileno=options.socket))
    Worker(channel, options.device, options.threads).work()


if __name__ == "__main__":
    main()
