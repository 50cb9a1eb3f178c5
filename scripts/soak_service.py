"""Kill workers and servers at random until every job is done, compare with undisturbed runs, and begin anew.

    ./scripts/soak --service [--worker-kills 200] [--server-kills 50] [--seconds 1800] [--seed 0] [--folder DIR]

A real `engine serve` with two workers runs a batch of jobs of both pipelines, while files come in parts, are read back and deleted, and
jobs are cancelled and retried. A worker is killed behind a new commit of its job, a server behind new commits of all jobs that are
being run; each at any instant at all, a random number of commits later. A server is started again on the same home at once. A round
is one batch, from its creation to the last job's end. Ends with exit code 1 at the first difference, and keeps the folder.
"""

import base64
import fcntl
import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
from google_crc32c import Checksum
from soak_bench import STATES, make_folder, make_parser, remove, write_plant
from soak_server import POLL_S, WAIT_S, Difference, Line, Server, await_end, descendants

from engine.client.service import ServiceError
from engine.jobs.folder import JobFolder
from engine.jobs.states import HELD, TERMINAL
from engine.plant.activities import compose

WINDOW = 24
PROMPTS = 64  # of each file
MOST_COMMITS = 8  # between two kills of a kind
JITTER_S = 0.05
PAUSE_S = 0.1  # between two things that the traffic does
UPLOAD_BYTES = 3 << 20

Request = dict[str, Any]
Outcome = dict[str, object]


def write_files(folder: Path) -> list[Path]:
    """Write all that the jobs read, and return it: shots, three recordings and two files of prompts."""
    recordings = write_plant(folder, recordings=3, episodes=4, episode_rows=300)
    prompts = [folder / "shift.jsonl", folder / "night.jsonl"]
    for seed, path in enumerate(prompts):
        lines = [json.dumps(compose(seed, n).record) for n in range(PROMPTS)]
        lines[7] = "no record"
        path.write_text("\n".join(lines) + "\n")
    return [*(folder / f"{state}.csv" for state in STATES), *recordings, *prompts]


def make_requests(files: Iterable[Path]) -> list[Request]:
    """Return the jobs of a round: machine states one by one and side by side, answers in parts and in whole files."""
    names = [path.name for path in files]
    plants = [{"file_id": name} for name in names if name.startswith("plant_")]
    prompts = [{"file_id": name} for name in names if name.endswith(".jsonl")]
    shots = [{"file_id": f"{state}.csv", "metadata": {"class": state}} for state in STATES]
    states = {
        "reader_config": {"window_size": WINDOW},
        "batch_size": 8,
        "flush_every_n_iteration": 4,
        "output": {"probabilities": True, "embeddings": True},
    }
    answers = {
        "generation": {"max_new_tokens": 8, "temperature": 1.0, "seed": 7},
        "output": {"details": True},
    }
    jobs: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("states, one by one", "machine-state-classification", {}, states),
        ("states, side by side", "machine-state-classification", {"parallelism": 2}, states),
        ("answers in parts", "activity-detection", {}, answers | {"batch_size": 4, "flush_every_n_iteration": 1}),
        ("answers, whole files", "activity-detection", {}, answers),
        ("states as JSON lines", "machine-state-classification", {"parallelism": 2}, json_lines(states)),
    ]
    return [
        {
            "name": name,
            "pipeline_type": "batch",
            "pipeline_key": key,
            "inputs": {"worker.data": prompts}
            if key == "activity-detection"
            else {"worker.inference": plants, "worker.n_shots": shots},
            "parameters": {"worker": {**options, "config": config}},
        }
        for name, key, options, config in jobs
    ]


def json_lines(config: dict[str, Any]) -> dict[str, Any]:
    """Return a config whose results are JSON lines."""
    return config | {"output": config["output"] | {"format": "jsonl"}}


class Watch:
    """Knows what jobs have committed since somebody lost them last, from their folders: a server has nothing to do for it."""

    def __init__(self, jobs: Path) -> None:
        self._jobs = jobs
        self._lost: dict[str, int] = {}

    def status(self, job_id: str) -> str:
        """Return the state of a job."""
        return JobFolder(self._jobs / job_id).last_state().status

    def lost(self, job_id: str) -> None:
        """Take note that a job begins a new attempt."""
        self._lost[job_id] = self._lines(job_id)

    def fresh(self, job_id: str, commits: int) -> bool:
        """Tell whether so much was committed in this attempt."""
        return self._lines(job_id) - self._lost.get(job_id, 0) >= commits

    def _lines(self, job_id: str) -> int:
        try:
            return JobFolder(self._jobs / job_id).journal.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0


class Traffic:
    """What else goes on: a thread that uploads files in parts, reads them back, deletes them, and cancels and retries jobs."""

    def __init__(self, server: Server, watch: Watch, jobs: list[str], rng: random.Random, done: Counter[str]) -> None:
        self._server, self._watch, self._jobs, self._rng, self._done = server, watch, jobs, rng, done
        self._over = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End it. Raises what went wrong in it."""
        self._over.set()
        self._thread.join()
        self.check()

    def check(self) -> None:
        """Raise what went wrong in it."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._over.wait(PAUSE_S):
                if self._rng.random() < 0.1:
                    self._cancel(self._rng.choice(self._jobs))
                else:
                    self._upload(f"traffic_{self._done['uploads']}.csv")
        except Exception as error:  # noqa: BLE001 - it is raised where `check` is called
            self._error = error

    def _upload(self, name: str) -> None:
        size = self._rng.randint(1, UPLOAD_BYTES)
        content = b"timestamp,speed\n" + self._rng.randbytes(size // 2).hex().encode()
        self._server.ask(lambda line: _send_in_parts(line, name, content))
        got = self._server.ask(lambda line: line.http.get(f"/files/download/{name}"))
        if got.content != content:
            raise Difference(f"{name} came back with other bytes ({got.status_code}, {len(got.content)} bytes)")
        self._server.ask(lambda line: line.http.delete(f"/files/delete/{name}"))  # 404 where a kill came behind it
        self._done["uploads"] += 1

    def _cancel(self, job_id: str) -> None:
        """Cancel a job and let it go on."""
        if self._watch.status(job_id) in TERMINAL:
            return
        self._server.ask(lambda line: line.http.post(f"/batch/jobs/{job_id}/cancel"))
        deadline = time.monotonic() + WAIT_S
        while self._watch.status(job_id) == "CANCELLED":  # or it was completed before
            self._server.ask(lambda line: line.http.post(f"/batch/jobs/{job_id}/retry", json={}))
            if time.monotonic() > deadline:
                raise Difference(f"{job_id} was cancelled and cannot be retried")
            self._done["retries"] += 1
        self._watch.lost(job_id)


def _send_in_parts(line: Line, name: str, content: bytes) -> None:
    """Upload a file in parts, from wherever an earlier call of this came to."""
    asked = {"filename": name, "file_type": "text/csv", "num_bytes": len(content), "resume_if_started": True}
    begun = line.http.post("/files/uploads/initiate", json=asked)
    if begun.status_code == 409:  # it was complete when the server was killed
        return
    upload = begun.raise_for_status().json()
    parts = [
        {
            "part_number": part["part_number"],
            "part_token": line.links.put(
                part["url"], content=content[part["offset"] : part["offset"] + part["length"]]
            ).headers["etag"],
        }
        for part in upload["parts"]
    ]
    path = f"/files/uploads/{upload['upload_id']}"
    if parts:
        line.http.post(f"{path}/parts/checkpoint", json={"parts": parts}).raise_for_status()
    checksum = base64.b64encode(Checksum(content).digest()).decode()
    line.http.post(f"{path}/complete", json={"parts": parts, "integrity_checksum": checksum}).raise_for_status()


class Killer:
    """Kills workers and servers behind new commits, at random, until its kills are used up."""

    def __init__(self, server: Server, watch: Watch, left: Counter[str], rng: random.Random, until: float) -> None:
        self._server, self._watch, self._left, self._rng, self._until = server, watch, left, rng, until

    @property
    def done(self) -> bool:
        """Tell whether there is nothing left to kill."""
        return not self._left.total() or time.monotonic() > self._until

    def disturb(self, jobs: list[str], check: Callable[[], None]) -> None:
        """Kill until all jobs are final, or all is done."""
        deadline = time.monotonic() + WAIT_S
        kind, commits = self._draw()
        while not self.done and any(self._watch.status(job) not in ("COMPLETED", "FAILED") for job in jobs):
            check()
            if time.monotonic() > deadline:
                raise Difference(f"nothing new was committed in {WAIT_S:.0f} seconds")
            if self._ready(kind, jobs, commits):
                time.sleep(self._rng.random() * JITTER_S)
                if self._kill(kind, jobs):
                    self._left[kind] -= 1
                    kind, commits = self._draw()
                    deadline = time.monotonic() + WAIT_S
            time.sleep(POLL_S)

    def _draw(self) -> tuple[str, int]:
        left = +self._left
        kind = self._rng.choices([*left], [*left.values()])[0] if left else ""
        return kind, self._rng.randint(1, MOST_COMMITS)

    def _ready(self, kind: str, jobs: list[str], commits: int) -> list[int]:
        """Return the processes that may be killed now."""
        workers = self._server.workers()
        if kind == "server":
            held = [job for job in jobs if self._watch.status(job) in HELD]
            ready = set(workers.values()) == set(held) and all(self._watch.fresh(job, 1) for job in held)
            return [self._server.pid] if ready and any(self._watch.fresh(job, commits) for job in held) else []
        return sorted(pid for pid, job in workers.items() if self._watch.fresh(job, commits))

    def _kill(self, kind: str, jobs: list[str]) -> bool:
        ready = self._ready(kind, jobs, 1)  # again: meanwhile a worker may have begun another job
        if not ready:
            return False
        if kind == "server":
            family = self._server.kill()
            for job in jobs:
                self._watch.lost(job)
            self._server.start()
            await_end(family)
            return True
        pid = self._rng.choice(ready)
        job = self._server.workers().get(pid)
        if job is None:
            return False
        family = descendants(pid, itself=True)
        os.kill(pid, signal.SIGKILL)
        await_end(family)
        self._watch.lost(job)
        return True


def read_outcome(line: Line, job_id: str) -> Outcome:
    """Return what must be equal: every output's digest by its port, input and part, and what was counted."""
    job = line.client.job(job_id)
    outcome: Outcome = {name: job[name] for name in ("name", "status", "error", "input_progress")}
    outcome["records"] = job["engine"]["records"]
    lines = 0
    for one in line.client.outputs(job_id):
        data = one["data"]
        content = line.links.get(data["ref"]).raise_for_status().content
        if len(content) != data["num_bytes"]:
            raise Difference(f"{data['filename']} is said to have {data['num_bytes']} bytes, but {len(content)} came")
        part = data["filename"].split("_", 2)[2]  # without the input's id, which each job has of its own
        name = f"{one['port_name']}/{one['input_file_id']}/{part}"
        if name in outcome:
            raise Difference(f"{job_id} lists {name} twice")
        outcome[name] = hashlib.sha256(content).hexdigest()
        if not data["filename"].endswith(".parquet"):
            lines += content.count(b"\n") - data["filename"].endswith(".csv")
    if lines != job["engine"]["records"]["total"]:
        raise Difference(f"{job_id} has {lines} lines, but counts {job['engine']['records']}")
    told = [event["id"] for event in line.client.events(job_id)]
    if told != list(range(1, len(told) + 1)):
        raise Difference(f"the events of {job_id} have a hole")
    return outcome


def await_final(server: Server, jobs: list[str]) -> None:
    """Return when all jobs are final."""
    deadline = time.monotonic() + WAIT_S
    while waiting := [job for job in jobs if server.ask(lambda line: line.client.job(job))["status"] not in TERMINAL]:  # noqa: B023 - called at once
        if time.monotonic() > deadline:
            raise Difference(f"{', '.join(waiting)} came to no end")
        time.sleep(10 * POLL_S)


def check_home(server: Server, jobs: list[str]) -> None:
    """Raise Difference where a kill left something behind."""
    if left := sorted(map(str, [*server.home.rglob(".*.tmp"), *(server.home / "incoming").iterdir()])):
        raise Difference(f"temporary files stay: {', '.join(left)}")
    held = [one["id"] for status in HELD for one in server.ask(lambda line: [*line.client.jobs(status=status)])]  # noqa: B023
    if held:
        raise Difference(f"{', '.join(held)} are held, but nothing runs")
    for job in jobs:
        with JobFolder(server.home / "jobs" / job).journal.open("rb") as journal:
            try:
                fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Difference(f"the journal of {job} is locked, but it is final") from None
    if "Traceback" in server.log.read_text():
        raise Difference(f"somebody stumbled: see {server.log}")


def create(server: Server, requests: list[Request], batch: str) -> list[str]:
    """Create the jobs of a round, each once, and return their ids."""
    return [
        server.ask(lambda line: line.client.create_job(request, key=f"{batch}, {n}"))["id"]  # noqa: B023
        for n, request in enumerate(requests)
    ]


def compare(server: Server, jobs: list[str], wanted: list[Outcome]) -> int:
    """Return how many outputs were compared. Raises Difference."""
    compared = 0
    for job_id, one in zip(jobs, wanted, strict=True):
        got = server.ask(lambda line: read_outcome(line, job_id))  # noqa: B023
        differing = sorted(name for name in one.keys() | got.keys() if one.get(name) != got.get(name))
        if differing:
            shown = "; ".join(f"{name}: {got.get(name)}, not {one.get(name)}" for name in differing[:4])
            raise Difference(f"{job_id} ({one['name']}) differs in {len(differing)} things: {shown}")
        compared += sum("/" in name for name in got)
    return compared


def clear(server: Server, jobs: list[str]) -> None:
    """Delete the jobs of a round."""
    for job_id in jobs:
        server.ask(lambda line: line.client.delete_job(job_id))  # noqa: B023
    if left := [path.name for path in (server.home / "jobs").iterdir()]:
        raise Difference(f"of deleted jobs {', '.join(left)} stay")


def soak(server: Server, folder: Path, left: Counter[str], seconds: float, rng: random.Random) -> dict[str, Any]:
    """Run rounds until the kills or the seconds are used up; return what was done. Raises Difference."""
    begun = time.monotonic()
    done: Counter[str] = Counter()
    wanted_kills = left.copy()
    files = write_files(folder)
    requests = make_requests(files)
    server.start()
    for path in files:
        server.ask(lambda line: line.client.upload(path))  # noqa: B023
    undisturbed = create(server, requests, "undisturbed")
    await_final(server, undisturbed)
    wanted = [server.ask(lambda line: read_outcome(line, job_id)) for job_id in undisturbed]  # noqa: B023
    if any(one["status"] != "COMPLETED" for one in wanted):
        raise Difference(f"undisturbed jobs ended {[(one['name'], one['status'], one['error']) for one in wanted]}")
    clear(server, undisturbed)
    print(f"undisturbed  {time.monotonic() - begun:.0f} s", flush=True)
    watch = Watch(server.home / "jobs")
    killer = Killer(server, watch, left, rng, begun + seconds)
    while not killer.done:
        before = left.copy()
        jobs = create(server, requests, f"round {done['rounds']}")
        traffic = Traffic(server, watch, jobs, random.Random(rng.random()), done)
        killer.disturb(jobs, traffic.check)
        traffic.end()
        await_final(server, jobs)
        compared = compare(server, jobs, wanted)
        check_home(server, jobs)
        clear(server, jobs)
        killed = before - left
        print(
            f"round {done['rounds']:3}  {killed['worker']:3} worker kills  {killed['server']:3} server kills"
            f"  {compared:4} outputs identical  {time.monotonic() - begun:5.0f} s",
            flush=True,
        )
        done += Counter(rounds=1, jobs=len(jobs), outputs=compared)
    kills = wanted_kills - left
    return {
        "worker_kills": kills["worker"],
        "server_kills": kills["server"],
        **{name: done[name] for name in ("rounds", "jobs", "outputs", "uploads", "retries")},
        "seconds": round(time.monotonic() - begun, 1),
    }


def main() -> None:
    """Soak a service."""
    parser = make_parser(__doc__)
    parser.add_argument("--service", action="store_true", help="what chooses this soak")
    parser.add_argument("--worker-kills", type=int, default=200)
    parser.add_argument("--server-kills", type=int, default=50)
    arguments = parser.parse_args()
    folder = make_folder(arguments.folder)
    server = Server(folder / "home")
    left = Counter(worker=arguments.worker_kills, server=arguments.server_kills)
    try:
        result = soak(server, folder, left, arguments.seconds, random.Random(arguments.seed))
    except (Difference, ServiceError, httpx.HTTPError) as error:
        sys.exit(f"{type(error).__name__}: {error}\nLook into {folder}.")
    finally:
        server.stop()
    remove(folder)
    print(json.dumps({"soak": "service", **result, "identical": True}))


if __name__ == "__main__":
    main()
