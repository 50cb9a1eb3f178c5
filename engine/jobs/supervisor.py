"""The supervisor: gives waiting jobs to worker processes, notices when one dies or hangs, stops them, and tells the board.

One thread does all of it; it sleeps until a worker says something, a job is queued, or a beat is overdue. Workers start with the first
job and stay.
"""

import logging
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from engine.errors import EngineError
from engine.jobs.channel import Channel
from engine.jobs.records import Job

SILENCE_S = 30.0  # without a beat a worker that runs a job counts as dead
PATIENCE_S = 0.7  # for a run to stop when it is asked to; then its worker is killed
FAREWELL_S = 10.0  # for a run to finish its flush when the server stops
FOLLOW_S = 0.1  # at most so often the journal of a running job is followed
RECOVERY_S = 5.0  # after what the board could not keep (a full disk), before it is tried again

log = logging.getLogger("engine.jobs")


class Board(Protocol):
    """What the supervisor needs to know of the jobs."""

    on_work: Any
    on_cancel: Any

    def claim(self) -> Job | None: ...
    def started(self, job_id: str, worker: int) -> bool: ...
    def event(self, job_id: str, event: Mapping[str, Any]) -> None: ...
    def advanced(self, job_id: str, place: int) -> None: ...
    def follow(self, job_id: str) -> None: ...
    def finished(self, job_id: str, outcome: Mapping[str, Any]) -> None: ...
    def preempted(self, job_id: str, reason: str) -> None: ...
    def start_over(self, reason: str) -> None: ...


@dataclass(slots=True)
class _Worker:
    number: int
    process: "subprocess.Popen[bytes]"
    channel: Channel
    ready: bool = False
    job: str | None = None
    sent: bool = False  # the job has been handed over
    heard: float = 0.0
    followed: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)  # the run has ended
    reason: str = "the worker process ended"


class Supervisor:
    """Keeps up to `workers` processes at work on the jobs of a board.

    Parameters
    ----------
    board
        Whose `on_work` and `on_cancel` it takes.
    home, jobs : Path
        The home, and the folder of its jobs.
    workers : int
        Processes, at most.
    device : `auto`, `cpu` or `cuda`
    threads : int or None
        Of each run.
    silence_s
        How long a run may go without a sign of life.
    """

    def __init__(
        self,
        board: Board,
        home: Path,
        jobs: Path,
        *,
        workers: int = 1,
        device: str = "auto",
        threads: int | None = None,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._board, self._home, self._jobs = board, home, jobs
        self._most, self._device, self._threads, self._silence_s = workers, device, threads, silence_s
        self._workers: list[_Worker] = []
        self._turn = threading.RLock()  # of the list of workers and what they do
        self._stopping = False
        self._ending = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._bell, self._ring = socket.socketpair()
        self._bell.setblocking(False)
        self._ring.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._supervise, name="supervisor")

    def start(self) -> None:
        """Begin. No worker is started before there is a job."""
        self._board.on_work, self._board.on_cancel = self._wake, self._cancel
        self._thread.start()
        self._wake()

    def stop(self) -> None:
        """End: no further job is claimed, running ones finish their flush and wait for the next start, workers end."""
        with self._turn:
            self._stopping = True
            self._ending.set()
            running = [worker for worker in self._workers if worker.job is not None]
            for worker in running:
                worker.reason = "the server was stopped"
                worker.channel.send({"stop": worker.job})
        deadline = time.monotonic() + FAREWELL_S
        for worker in running:
            if not worker.over.wait(max(0.0, deadline - time.monotonic())):
                worker.process.kill()
        self._wake()
        self._thread.join()
        self._selector.close()
        self._bell.close()
        self._ring.close()

    def pids(self) -> list[int]:
        """Return the process ids of the workers that are there."""
        with self._turn:
            return [worker.process.pid for worker in self._workers]

    def _wake(self) -> None:
        try:
            self._ring.send(b"!")
        except (BlockingIOError, OSError):
            return  # it is awake, or at its end

    def _cancel(self, job_id: str) -> None:
        """Stop the run of a job; return when it has ended."""
        with self._turn:
            worker = next((one for one in self._workers if one.job == job_id), None)
            if worker is None:
                return
            worker.reason = "the job was cancelled"
            worker.channel.send({"stop": job_id})
        if not worker.over.wait(PATIENCE_S):
            worker.process.kill()
            worker.over.wait(FAREWELL_S)

    def _supervise(self) -> None:
        ended = False
        while not ended:
            try:
                self._keep_at_work()
                ended = True
            except EngineError as error:
                log.error("The workers are stopped for a while: %s", error)  # noqa: TRY400 - no fault of ours
                ended = self._recover()
            except Exception:
                log.exception("A fault of the engine; the workers are stopped for a while")
                ended = self._recover()
        self._dismiss()

    def _recover(self) -> bool:
        """Stop all workers, and bring the board to what it could keep as soon as it can keep something; True when it ends before that."""
        with self._turn:
            workers, self._workers = self._workers, []
        for worker in workers:
            self._selector.unregister(worker.channel.end)
            worker.channel.close()
            worker.process.kill()
            worker.process.wait()
            self._free(worker)
        while not self._ending.wait(RECOVERY_S):
            try:
                self._board.start_over("the server could not keep what its worker told")
            except EngineError as error:
                log.error("The workers cannot be started again yet: %s", error)  # noqa: TRY400
            else:
                return False
        return True

    def _keep_at_work(self) -> None:
        """Give jobs to workers and hear what they say, until the end."""
        while True:
            self._assign()
            with self._turn:
                ending = self._stopping and all(worker.job is None for worker in self._workers)
            if ending:
                return
            for key, _ in self._selector.select(self._patience()):
                if key.data is None:
                    self._bell.recv(1024)
                else:
                    self._hear(key.data)
            self._end_silent()

    def _dismiss(self) -> None:
        """Let all workers end."""
        with self._turn:
            workers, self._workers = self._workers, []
        for worker in workers:
            self._selector.unregister(worker.channel.end)
            worker.channel.close()  # it reads the end of the line, and ends
        for worker in workers:
            try:
                worker.process.wait(FAREWELL_S)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()

    def _assign(self) -> None:
        """Give waiting jobs to idle workers, and to new ones as long as there may be more."""
        while True:
            with self._turn:
                if self._stopping:
                    return
                idle = next((worker for worker in self._workers if worker.job is None), None)
                if idle is None and len(self._workers) >= self._most:
                    return
                job = self._board.claim()
                if job is None:
                    return
                worker = idle or self._spawn()
                worker.job, worker.sent, worker.heard = job.id, False, time.monotonic()
                worker.reason = "the worker process ended"
                worker.over.clear()
            self._hand_over(worker)

    def _spawn(self) -> _Worker:
        ours, theirs = socket.socketpair()
        taken = {worker.number for worker in self._workers}
        number = next(number for number in range(self._most) if number not in taken)
        command = [sys.executable, "-m", "engine.jobs.worker", "--socket", str(theirs.fileno())]
        command += ["--parent", str(os.getpid()), "--device", self._device]
        command += ["--threads", str(self._threads)] if self._threads else []
        with theirs:
            # A session of its own: a Ctrl-C at the terminal is the server's to answer.
            process = subprocess.Popen(  # noqa: S603 - this Python, a module of ours
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        worker = _Worker(number, process, Channel(ours))
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        return worker

    def _hand_over(self, worker: _Worker) -> None:
        """Send a claimed job to its worker as soon as this is ready."""
        if not worker.ready or worker.sent or worker.job is None:
            return
        if not self._board.started(worker.job, worker.number):  # it was cancelled meanwhile
            self._free(worker)
            return
        worker.sent, worker.heard = True, time.monotonic()
        folder = self._jobs / worker.job
        worker.channel.send({"run": {"job": worker.job, "folder": str(folder), "home": str(self._home)}})

    def _hear(self, worker: _Worker) -> None:
        messages = worker.channel.receive()
        if messages is None:
            self._bury(worker)
            return
        worker.heard = time.monotonic()
        for message in messages:
            if "ready" in message:
                worker.ready = True
                self._hand_over(worker)
            elif "event" in message and worker.job is not None:
                self._board.event(worker.job, message["event"])
            elif "progress" in message and worker.job is not None:
                self._board.advanced(worker.job, message["progress"]["place"])
            elif "done" in message and worker.job is not None:
                outcome = message["done"]
                if outcome["status"] == "stopped":
                    self._board.preempted(worker.job, worker.reason)
                else:
                    self._board.finished(worker.job, outcome)
                self._free(worker)
        if worker.job is not None and worker.heard - worker.followed >= FOLLOW_S:
            worker.followed = worker.heard
            self._board.follow(worker.job)

    def _free(self, worker: _Worker) -> None:
        with self._turn:
            worker.job, worker.sent = None, False
            worker.over.set()

    def _bury(self, worker: _Worker) -> None:
        """Take note that a worker is dead, and give its job back."""
        self._selector.unregister(worker.channel.end)
        worker.channel.close()
        worker.process.kill()  # an end of the line without an end of the process
        worker.process.wait()
        with self._turn:
            self._workers.remove(worker)
            job, worker.job = worker.job, None
        if job is not None:
            self._board.preempted(job, worker.reason)
        worker.over.set()

    def _patience(self) -> float | None:
        with self._turn:
            running = [worker.heard for worker in self._workers if worker.job is not None]
        return max(0.0, min(running) + self._silence_s - time.monotonic()) if running else None

    def _end_silent(self) -> None:
        now = time.monotonic()
        for worker in [one for one in self._workers if one.job is not None and now - one.heard >= self._silence_s]:
            worker.reason = f"the worker gave no sign of life for {self._silence_s:g} seconds"
            worker.process.kill()  # its end of the line closes: `_hear` buries it
