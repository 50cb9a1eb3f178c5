"""The server that a soak kills: a real `engine serve` on one home, started again and again, with whoever calls it meanwhile."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from engine.client.service import Client, ServiceError
from engine.output.journal import JOURNAL

WAIT_S = 120.0  # for a start: far more than it takes
GONE_S = 10.0  # for processes that die with the server
POLL_S = 0.01

Process = tuple[int, str]  # id and start time: ids are used again
_T = TypeVar("_T")


class Difference(Exception):
    """Something is not as it would be undisturbed."""


@dataclass(frozen=True, slots=True)
class Line:
    """Ways to call a server: our own client, and plain HTTP with the key for what it does not do; links need no key."""

    client: Client
    http: httpx.Client
    links: httpx.Client

    @classmethod
    def open(cls, address: str, key: str | None) -> "Line":
        """Open them."""
        headers = {"Authorization": f"Bearer {key}"}
        http = httpx.Client(base_url=f"{address}/v0.5", headers=headers, timeout=WAIT_S)
        return cls(Client(address, key), http, httpx.Client(timeout=WAIT_S))


class Server:
    """A server process and those who belong to it; calls wait while it is down.

    Parameters
    ----------
    home : Path
        Its home; what it writes to standard error goes to `server.log` beside it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home.with_name("server.log")
        self._process: subprocess.Popen[str] | None = None
        self._key: str | None = None
        self._line: Line | None = None
        self._up = threading.Condition()

    @property
    def pid(self) -> int:
        """Return the process id of the server. Raises Difference where it has ended."""
        assert self._process is not None, "not started"
        if self._process.poll() is not None:
            raise Difference(f"the server ended by itself with code {self._process.returncode}")
        return self._process.pid

    def start(self) -> None:
        """Start it, and return when it takes requests."""
        command = [sys.executable, "-m", "engine", "serve", "--port", "0", "--home", str(self.home)]
        command += ["--workers", "2", "--device", "cpu", "--threads", "1"]
        environment = os.environ | {"ENGINE_HOME": str(self.home)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        assert self._process.stdout is not None
        said = ""
        while "outputs  # links" not in said:  # the last line of its greeting
            line = self._process.stdout.readline()
            if not line:
                raise Difference(f"the server ended at its start with code {self._process.wait(WAIT_S)}: {said}")
            said += line
        address = re.search(r"Serving on (http://\S+),", said)
        assert address is not None, said
        made = re.search(r"(eng_\S{43})", said)
        self._key = made[1] if made else self._key
        with self._up:
            self._line = Line.open(address[1], self._key)
            self._up.notify_all()

    def kill(self) -> set[Process]:
        """SIGKILL it while others may be calling; return the processes that belonged to it."""
        family = descendants(self.pid)
        self._end(self._process)
        return family

    def stop(self) -> None:
        """Kill it for the last time, if it is there."""
        if self._process is not None and self._process.poll() is None:
            self._end(self._process)

    def _end(self, process: "subprocess.Popen[str] | None") -> None:
        assert process is not None
        assert process.stdout is not None
        process.kill()
        with self._up:
            self._line = None
        process.wait()
        process.stdout.close()

    def ask(self, call: Callable[[Line], _T]) -> _T:
        """Return what a call gives, made again whenever the server died under it; so it must be one that may be repeated."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with self._up:
                if not self._up.wait_for(lambda: self._line is not None, WAIT_S):
                    break
                line = self._line
            assert line is not None
            try:
                return call(line)
            except ServiceError as error:
                if error.code != "unreachable":
                    raise Difference(f"the server refused a call: {error.code}: {error}") from error
            except httpx.TransportError:
                time.sleep(POLL_S)
        raise Difference(f"the server did not answer for {WAIT_S:.0f} seconds")

    def workers(self) -> dict[int, str]:
        """Return the ids of the worker processes that have a job's journal open, and the ids of these jobs."""
        return {pid: job for pid in _children(_parents(), {self.pid}) if (job := _job_of(pid)) is not None}


def await_end(family: set[Process]) -> None:
    """Return when none of these processes lives. Raises Difference when one stays."""
    deadline = time.monotonic() + GONE_S
    while alive := [pid for pid, begun in family if _started(pid) == begun]:
        if time.monotonic() > deadline:
            raise Difference(f"processes {alive} outlive the server that started them")
        time.sleep(POLL_S)


def descendants(pid: int, *, itself: bool = False) -> set[Process]:
    """Return all processes below one, or `itself` and those."""
    parents = _parents()
    found = {pid} if itself else set()
    fresh = {pid}
    while fresh := _children(parents, fresh):
        found |= fresh
    return {(one, begun) for one in found if (begun := _started(one)) is not None}


def _children(parents: dict[int, int], of: set[int]) -> set[int]:
    return {pid for pid, parent in parents.items() if parent in of}


def _parents() -> dict[int, int]:
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and (fields := _stat(int(place.name))) is not None:
            found[int(place.name)] = int(fields[1])
    return found


def _started(pid: int) -> str | None:
    """Return when a process was started, None where it is dead, if only in waiting for its parent to notice."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else fields[19]


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None


def _job_of(pid: int) -> str | None:
    """Return the id of the job whose journal a process has open: .../jobs/ID/run/journal.jsonl."""
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            path = descriptor.readlink()
            if path.name == JOURNAL:
                return path.parent.parent.name
    except OSError:  # it ended, or closed it, meanwhile
        return None
    return None
