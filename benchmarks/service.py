"""How quick the job service is: small jobs on a warm worker, many at once, creating, listing, uploads and downloads.

    python benchmarks/service.py [--jobs 100] [--stored 2000] [--mb 500]

A real server in a process of its own, on this machine's own address, with one worker. The clock runs from the POST of a 200-row job to the
poll that finds it COMPLETED. A person reads the table; the last line is JSON.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

import engine

POLL_S = 0.005
LONGEST_S = 900.0


def start(home: Path) -> tuple["subprocess.Popen[str]", httpx.Client]:
    """Start a server and return it with a client."""
    command = [sys.executable, "-m", "engine", "serve", "--port", "0", "--home", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = ""
    while "outputs  # links" not in said:
        said += process.stdout.readline() or sys.exit("The server did not start.")
    address, key = re.search(r"Serving on (http://\S+),", said), re.search(r"(eng_\S{43})", said)
    assert address
    assert key
    return process, httpx.Client(base_url=address[1], headers={"Authorization": f"Bearer {key[1]}"}, timeout=600)


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


def measure(client: httpx.Client, pid: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure everything."""
    for name, level, rows in (("line", 0.0, 200), ("idle", 0.0, 100), ("run", 5.0, 100)):
        upload(client, f"{name}.csv", table(rows, level, len(name)))
    begun = time.perf_counter()
    wait(client, create(client))
    found: dict[str, Any] = {"first_job_s": time.perf_counter() - begun}
    times = []
    for _ in range(15):
        begun = time.perf_counter()
        wait(client, create(client))
        times.append(time.perf_counter() - begun)
    found["warm_job_s"] = statistics.median(times)
    begun = time.perf_counter()
    ids = [create(client) for _ in range(options.jobs)]
    found["creates_per_s"] = options.jobs / (time.perf_counter() - begun)
    for job_id in ids:
        wait(client, job_id)
    found["jobs_at_once"] = options.jobs
    found["jobs_per_s"] = options.jobs / (time.perf_counter() - begun)
    for _ in range(options.stored - options.jobs):
        client.post(f"/v0.5/batch/jobs/{create(client)}/cancel")
    asked = []
    for _ in range(200):
        begun = time.perf_counter()
        client.get("/v0.5/batch/jobs", params={"limit": 100}).raise_for_status()
        asked.append(time.perf_counter() - begun)
    found["stored_jobs"] = client.get("/v0.5/batch/jobs", params={"limit": 1}).json()["total"]
    found["list_100_p99_s"] = sorted(asked)[-2]
    big = folder / "big.csv"
    with big.open("wb") as file:
        block = table(20_000, 0.0, 1)
        while file.tell() < options.mb * 1e6:
            file.write(block)
    size = big.stat().st_size
    found["peak_mb_before_transfer"] = peak_mb(pid)
    begun = time.perf_counter()
    with big.open("rb") as file:
        upload(client, "big.csv", file)
    found["upload_mb_per_s"] = size / 1e6 / (time.perf_counter() - begun)
    begun, got = time.perf_counter(), 0
    with client.stream("GET", "/v0.5/files/download/big.csv") as answer:
        for piece in answer.iter_bytes():
            got += len(piece)
    assert got == size
    found["download_mb_per_s"] = size / 1e6 / (time.perf_counter() - begun)
    found["transfer_mb"] = size / 1e6
    found["peak_mb_after_transfer"] = peak_mb(pid)
    return found


def main() -> None:
    """Measure, print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100, help="created at once")
    parser.add_argument("--stored", type=int, default=2000, help="in the store when they are listed")
    parser.add_argument("--mb", type=int, default=500, help="of the file that is uploaded and downloaded")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process, client = start(Path(folder) / "home")
        try:
            found = measure(client, process.pid, options, Path(folder))
        finally:
            client.close()
            process.terminate()
            process.wait(60)
    for name, value in found.items():
        print(f"{name:26} {value:,.4g}")
    print(json.dumps({"benchmark": "service", "version": engine.__version__, "cores": os.cpu_count(), **found}))


if __name__ == "__main__":
    main()
