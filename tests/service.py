"""A real server of the job service, in a process of its own on a free port of this machine's own address."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from recordings import write_plant

FINAL = ("COMPLETED", "FAILED", "CANCELLED")
WAIT_S = 120.0  # for anything: far more than it takes


class Service:
    """A running server: its process, a client with its key, and what tests do again and again."""

    def __init__(self, process: "subprocess.Popen[str]", address: str, key: str | None, home: Path) -> None:
        self.process, self.address, self.key, self.home = process, address, key, home
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.client = httpx.Client(base_url=address, headers=headers, timeout=60)

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a call that succeeds."""
        answer = self.client.get(f"/v0.5{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """Return the JSON of a call that ends with this status."""
        answer = self.client.post(f"/v0.5{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def upload(self, name: str, content: bytes, kind: str = "text/csv") -> Any:
        """Upload a file."""
        answer = self.client.post("/v0.5/files", files={"file": (name, content, kind)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def upload_plant(self, folder: Path, **shape: Any) -> None:
        """Upload the files of `write_plant`."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(write_plant(folder, **shape).glob("*.csv")):
            self.upload(path.name, path.read_bytes())

    def create(self, body: Any) -> str:
        """Create a job and return its id."""
        return str(self.post("/batch/jobs", body, 201)["id"])

    def wait(self, job_id: str, *statuses: str) -> Any:
        """Return a job once it has one of these states, a final one unless said."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            job = self.get(f"/batch/jobs/{job_id}")
            if job["status"] in (statuses or FINAL):
                return job
            assert job["status"] not in FINAL, job
            time.sleep(0.02)
        raise AssertionError(f"{job_id} is still {job['status']}")

    def outputs(self, job_id: str) -> dict[str, bytes]:
        """Return the bytes of all outputs of a job by name, through their links."""
        listed = self.get(f"/batch/jobs/{job_id}/outputs", limit=1000)["outputs"]
        with httpx.Client() as anyone:  # links need no key
            return {one["data"]["filename"]: anyone.get(one["data"]["ref"]).read() for one in listed}

    def workers(self) -> list[int]:
        """Return the process ids of the server's workers."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == self.process.pid:
                found.append(int(path.parent.name))
        return found

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the server and return its exit code."""
        self.client.close()
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def start(home: Path, *options: str, key: str | None = None, wrap: Sequence[str] = ()) -> Service:
    """Start a server, by a command that stands before its own if one is given, and wait until it takes requests."""
    command = [*wrap, sys.executable, "-m", "engine", "serve", "--port", "0", "--home", str(home), "--threads", "1"]
    command += ["--reserve", "0", *options]  # however full this machine's disk is
    environment = os.environ | {"ENGINE_HOME": str(home)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    said = ""
    while "outputs  # links" not in said:
        line = process.stdout.readline()
        if not line:
            process.stdout.close()
            raise AssertionError(f"The server ended with {process.wait(60)}: {said}")
        said += line
    address = re.search(r"Serving on (http://\S+),", said)
    made = re.search(r"(eng_\S{43})", said)
    assert address is not None
    return Service(process, address[1], made[1] if made else key, home)


@contextmanager
def serving(home: Path, *options: str) -> Iterator[Service]:
    """Give a server, and end it."""
    service = start(home, *options)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()
