#!/usr/bin/env python3
"""Classify a recording over HTTP: upload, create, wait, download. Nothing but the public API, and requests (`pip install requests`).

    export ENGINE_URL=http://127.0.0.1:8080 ENGINE_KEY=eng_...
    scripts/example_client.py line7.csv --shot idle=idle.csv --shot run=run1.csv --shot run=run2.csv --output results

It is meant to be read and copied: `engine jobs` does the same and more, and `GET /docs` describes every call.
"""

import argparse
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import requests

FINAL = ("COMPLETED", "FAILED", "CANCELLED")
ATTEMPTS = 5  # of a call that the server could not answer just now


class Service:
    """A job service at an address; every call ends the program with the service's own sentence where it is refused."""

    def __init__(self, address: str, key: str) -> None:
        self._root = address.rstrip("/") + "/v0.5"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Return the JSON of an answer. What may pass (5xx: no room, a restart) is tried again, a refusal is not."""
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._session.request(method, self._root + path, timeout=60, **options)
            if answer.status_code < 500 or attempt == ATTEMPTS:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        body = answer.json()  # every answer is JSON, errors too
        if not answer.ok:
            problems = [f"{one['message']} {one.get('suggestion', '')}".rstrip() for one in body["errors"]]
            sys.exit(f"{method} {path}: {answer.status_code}\n  " + "\n  ".join(problems))
        return body

    def upload(self, path: Path) -> str:
        """Upload a file of up to 512 MB and return its uid, which stays the same file whatever is uploaded later."""
        uid: str = self.call("POST", "/files", files={"file": (path.name, path.read_bytes(), "text/csv")})["file_uid"]
        print(f"uploaded {path.name}: {uid}")
        return uid

    def create(self, body: dict[str, Any]) -> str:
        """Create a job and return its id. The key makes trying again safe: there is one job, however often it is sent."""
        job: str = self.call("POST", "/batch/jobs", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})["id"]
        print(f"created {job}")
        return job

    def follow(self, job: str, pause_s: float) -> dict[str, Any]:
        """Print events as they come, until the job is final; return it."""
        seen = 0
        while True:
            found: dict[str, Any] = self.call("GET", f"/batch/jobs/{job}")  # before the events, so that none is missed
            events = self.call("GET", f"/batch/jobs/{job}/events", params={"after_id": seen, "limit": 1000})["events"]
            for event in events:
                print(f"  {event['created_at'][11:19]} {event['level']:7} {event['message']}")
                seen = event["id"]
            if found["status"] in FINAL and not events:
                return found
            time.sleep(0 if events else pause_s)

    def download(self, job: str, folder: Path) -> int:
        """Download all results of a job into a folder, and return how many there are."""
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        while True:
            page = self.call("GET", f"/batch/jobs/{job}/outputs", params={"offset": count, "limit": 100})
            for output in page["outputs"]:
                data = output["data"]
                with requests.get(data["ref"], stream=True, timeout=60) as answer:  # a signed link: no key
                    answer.raise_for_status()
                    with (folder / Path(data["filename"]).name).open("wb") as file:
                        for piece in answer.iter_content(1 << 20):
                            file.write(piece)
            count += len(page["outputs"])
            if count >= page["total"]:
                return count


def main() -> None:
    """Run the example."""
    options = argparse.ArgumentParser(description="Classify a recording with the job service.")
    options.add_argument("recording", type=Path, nargs="+")
    options.add_argument(
        "--shot", metavar="LABEL=FILE", action="append", required=True, help="shows one state throughout"
    )
    options.add_argument("--window", type=int, default=64, help="rows")
    options.add_argument("--output", type=Path, default=Path("results"))
    options.add_argument("--pause", type=float, default=1.0, help="seconds between two looks at the job")
    asked = options.parse_args()
    service = Service(os.environ.get("ENGINE_URL", "http://127.0.0.1:8080"), os.environ.get("ENGINE_KEY", ""))
    shots = [(label, Path(file)) for label, _, file in (shot.partition("=") for shot in asked.shot)]
    inputs = {
        "worker.inference": [{"file_id": service.upload(path)} for path in asked.recording],
        "worker.n_shots": [{"file_id": service.upload(path), "metadata": {"class": label}} for label, path in shots],
    }
    config = {"reader_config": {"window_size": asked.window}}
    named = {"name": asked.recording[0].stem, "pipeline_type": "batch", "pipeline_key": "machine-state-classification"}
    job = service.follow(
        service.create({**named, "inputs": inputs, "parameters": {"worker": {"config": config}}}), asked.pause
    )
    if job["status"] != "COMPLETED":
        sys.exit(f"{job['id']} is {job['status']}: {(job['error'] or {}).get('message', '')}")
    records = job["engine"]["records"]
    print(f"{service.download(job['id'], asked.output)} files with {records['total']} windows in {asked.output}")


if __name__ == "__main__":
    main()
