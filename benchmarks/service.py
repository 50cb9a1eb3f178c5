"""How quick the job service is: small jobs on a warm worker, many at once, creating, listing, uploads and downloads.

    python benchmarks/service.py [--jobs 100] [--stored 20000] [--mb 2000] [--save]

A real server in a process of its own, on this machine's own address, with one worker. The clock runs from the POST of a 200-row job to the
poll that finds it COMPLETED. The store is filled with copies of a cancelled job's folder while no server runs; the next start takes them
into its index. A person reads the table; the last line is JSON.
"""

import argparse
import dataclasses
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import numpy as np
from end_to_end import processor

import engine
from engine.jobs import ids
from engine.jobs.folder import JobFolder
from engine.jobs.home import Home
from engine.jobs.stored import StoredJob

POLL_S = 0.005
LONGEST_S = 900.0


def start(home: Path, key: str = "") -> tuple["subprocess.Popen[str]", httpx.Client, str]:
    """Start a server and return it with a client and the client's key, which a first start tells."""
    command = [sys.executable, "-m", "engine", "serve", "--port", "0", "--home", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = ""
    while "outputs  # links" not in said:
        said += process.stdout.readline() or sys.exit("The server did not start.")
    address = re.search(r"Serving on (http://\S+),", said)
    assert address
    told = re.search(r"(eng_\S{43})", said)
    key = told[1] if told else key
    client = httpx.Client(base_url=address[1], headers={"Authorization": f"Bearer {key}"}, timeout=600)
    return process, client, key


def stop(process: "subprocess.Popen[str]", client: httpx.Client) -> None:
    """Stop a server."""
    client.close()
    process.terminate()
    process.wait(60)


def fill(home: Path, template: str, count: int) -> None:
    """Put so many copies of a job's folder beside it."""
    jobs = Home(home).jobs
    folder = JobFolder(jobs / template)
    job, state = StoredJob.from_json(folder.read()), folder.last_state()
    for _ in range(count):
        copy = dataclasses.replace(job, id=ids.new_id("job"), created_at=ids.now(), idempotency_key=None)
        JobFolder(jobs / copy.id).create(copy.to_json(), state)


def idle_percent(pid: int, seconds: float = 3.0) -> float:
    """Return how much of one core a process takes while nobody asks it anything."""

    def ticks() -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(seconds)
    return 100 * (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds


def upload(client: httpx.Client, name: str, content: Any) -> None:
    """Upload a file."""
    client.post("/v0.5/files", files={"file": (name, content, "text/csv")}).raise_for_status()


def table(rows: int, level: float, seed: int) -> bytes:
    """Return a CSV of noise around a level."""
    values = np.random.default_rng(seed).normal(level, 1, (rows, 3)).round(3)
    lines = [f"{row},{cells[0]},{cells[1]},{cells[2]}" for row, cells in enumerate(values.tolist())]
    return ("timestamp,a,b,c\n" + "\n".join(lines) + "\n").encode()


def request() -> dict[str, Any]:
    """Return the request of a 200-row job."""
    return {
        "name": "small",
        "pipeline_type": "batch",
        "pipeline_key": "machine-state-classification",
        "inputs": {
            "inference": [{"file_id": "line.csv"}],
            "n_shots": [{"file_id": f"{name}.csv", "metadata": {"class": name}} for name in ("idle", "run")],
        },
    }


def create(client: httpx.Client) -> str:
    """Create a job and return its id."""
    answer = client.post("/v0.5/batch/jobs", json=request())
    answer.raise_for_status()
    return str(answer.json()["id"])


def wait(client: httpx.Client, job_id: str) -> None:
    """Return when a job is completed."""
    deadline = time.perf_counter() + LONGEST_S
    while time.perf_counter() < deadline:
        status = client.get(f"/v0.5/batch/jobs/{job_id}").json()["status"]
        if status == "COMPLETED":
            return
        if status in ("FAILED", "CANCELLED"):
            sys.exit(f"{job_id} is {status}")
        time.sleep(POLL_S)
    sys.exit(f"{job_id} is not done after {LONGEST_S:.0f} s")


def peak_mb(pid: int) -> float:
    """Return the largest memory that a process has had."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def measure_jobs(client: httpx.Client, pid: int, jobs: int) -> dict[str, float]:
    """Measure small jobs: the first, one at a time on a warm worker, many at once."""
    for name, level, rows in (("line", 0.0, 200), ("idle", 0.0, 100), ("run", 5.0, 100)):
        upload(client, f"{name}.csv", table(rows, level, len(name)))
    found = {"idle_before_first_job_percent": idle_percent(pid)}
    begun = time.perf_counter()
    wait(client, create(client))
    found["first_job_s"] = time.perf_counter() - begun
    times = []
    for _ in range(31):
        begun = time.perf_counter()
        wait(client, create(client))
        times.append(time.perf_counter() - begun)
    found["warm_job_s"] = statistics.median(times)
    begun = time.perf_counter()
    created = [create(client) for _ in range(jobs)]
    found["creates_per_s"] = jobs / (time.perf_counter() - begun)
    for job_id in created:
        wait(client, job_id)
    found["jobs_at_once"] = jobs
    found["jobs_per_s"] = jobs / (time.perf_counter() - begun)
    found["idle_percent"] = idle_percent(pid)
    return found


def measure_lists(client: httpx.Client) -> dict[str, float]:
    """Measure listing in a store that is full: the newest hundred, a search, one job."""
    found: dict[str, float] = {"stored_jobs": client.get("/v0.5/batch/jobs", params={"limit": 1}).json()["total"]}
    newest = client.get("/v0.5/batch/jobs", params={"limit": 1}).json()["jobs"][0]["id"]
    for name, path, query in (
        ("list_100_p99_s", "/v0.5/batch/jobs", {"limit": 100}),
        ("list_failed_p99_s", "/v0.5/batch/jobs", {"limit": 100, "status": "FAILED"}),
        ("search_p99_s", "/v0.5/batch/jobs", {"limit": 100, "q": "small"}),
        ("get_p99_s", f"/v0.5/batch/jobs/{newest}", {}),
    ):
        asked = []
        for _ in range(200):
            begun = time.perf_counter()
            client.get(path, params=query).raise_for_status()
            asked.append(time.perf_counter() - begun)
        found[name] = sorted(asked)[-2]
    return found


def measure_transfers(client: httpx.Client, pid: int, size_mb: int, folder: Path) -> dict[str, float]:
    """Measure a large file's way in, in parts, and out."""
    big = folder / "big.csv"
    with big.open("wb") as file:
        block = table(20_000, 0.0, 1)
        while file.tell() < size_mb * 1e6:
            file.write(block)
    size = big.stat().st_size
    found = {"transfer_mb": size / 1e6, "peak_mb_before_transfer": peak_mb(pid)}
    begun = time.perf_counter()
    answer = client.post(
        "/v0.5/files/uploads/initiate", json={"filename": "big.csv", "file_type": "text/csv", "num_bytes": size}
    )
    answer.raise_for_status()
    opened, tokens = answer.json(), []
    with big.open("rb") as file:
        for part in opened["parts"]:
            file.seek(part["offset"])
            put = httpx.put(part["url"], content=pieces(file, part["length"]), timeout=600)
            put.raise_for_status()
            tokens.append({"part_number": part["part_number"], "part_token": put.headers["etag"]})
    done = client.post(f"/v0.5/files/uploads/{opened['upload_id']}/complete", json={"parts": tokens})
    done.raise_for_status()
    found["upload_mb_per_s"] = size / 1e6 / (time.perf_counter() - begun)
    begun, got = time.perf_counter(), 0
    with client.stream("GET", "/v0.5/files/download/big.csv") as download:
        for piece in download.iter_raw():
            got += len(piece)
    assert got == size
    found["download_mb_per_s"] = size / 1e6 / (time.perf_counter() - begun)
    found["peak_mb_after_transfer"] = peak_mb(pid)
    return found


def pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    """Yield the next bytes of a file."""
    while length and (piece := file.read(min(length, 1 << 20))):
        length -= len(piece)
        yield piece


def main() -> None:
    """Measure, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100, help="created at once")
    parser.add_argument("--stored", type=int, default=20_000, help="jobs in the store when they are listed")
    parser.add_argument("--mb", type=int, default=2000, help="of the file that is uploaded and downloaded")
    parser.add_argument("--save", action="store_true", help="keep the result in benchmarks/results/service.json")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        process, client, key = start(home)
        try:
            found |= measure_jobs(client, process.pid, options.jobs)
            found |= measure_transfers(client, process.pid, options.mb, Path(folder))
            held = [create(client) for _ in range(3)]  # the last one waits long enough to be cancelled
            client.post(f"/v0.5/batch/jobs/{held[-1]}/cancel").raise_for_status()
        finally:
            stop(process, client)
        fill(home, held[-1], options.stored - options.jobs)
        begun = time.perf_counter()
        process, client, _ = start(home, key)
        found["start_with_new_jobs_s"] = time.perf_counter() - begun
        try:
            found |= measure_lists(client)
        finally:
            stop(process, client)
        begun = time.perf_counter()
        process, client, _ = start(home, key)
        found["start_again_s"] = time.perf_counter() - begun
        stop(process, client)
    for name, value in found.items():
        print(f"{name:30} {value:,.4g}")
    result = {"benchmark": "service", "version": engine.__version__, "processor": processor(), "cores": os.cpu_count()}
    line = json.dumps(result | found)
    if options.save:
        (Path(__file__).parent / "results" / "service.json").write_text(line + "\n")
    print(line)


if __name__ == "__main__":
    main()
