"""Workers and servers of the job service that are killed (SIGKILL): a worker at each commit point, both at random under mixed load."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from recordings import request
from service import serving

from engine.jobs.folder import JobFolder
from engine.output.files import POINTS

SOAK = Path(__file__).parent.parent / "scripts" / "soak_service.py"
# Points outside of this come before the first commit of a run, or behind its last.
AMID = {point for point in POINTS if point.startswith(("journal.app", "journal.sync", "part.", "embeddings."))}
# Python runs it in every process that has its folder on PYTHONPATH. A worker ends itself at a point whose name is a file here,
# and takes the file away: each kills once. Those amid a run need a new commit of this process first.
HAUNT = f"""
import os, signal
from pathlib import Path
AMID, POINTS = {AMID!r}, Path(__file__).parent / "points"
commits = 0
def watch(point):
    global commits
    if point == "journal.locked":
        commits = 0
    if commits or point not in AMID:
        try:
            (POINTS / point).unlink()
        except FileNotFoundError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    commits += point == "journal.synced"
if b"engine.jobs.worker" in Path("/proc/self/cmdline").read_bytes():
    from engine.output.files import observe
    observe(watch)
"""
REQUEST = request(batch_size=10, flush_every_n_iteration=1, output={"probabilities": True, "embeddings": True})
REQUEST["inputs"]["worker.inference"] *= 2


@pytest.fixture(scope="module")
def haunted(tmp_path_factory):
    """A server whose workers die at the points that are named in a folder, that folder, and what an undisturbed job came to."""
    folder = tmp_path_factory.mktemp("haunt")
    points = folder / "points"
    points.mkdir()
    (folder / "sitecustomize.py").write_text(HAUNT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))
        with serving(folder / "home", "--workers", "1") as running:
            running.upload_plant(folder / "plant", rows=500)
            undisturbed = running.wait(running.create(REQUEST))
            assert undisturbed["status"] == "COMPLETED"
            assert undisturbed["preemption_count"] == 0
            yield running, points, outcome(running, undisturbed)


def outcome(running, job):
    """Return what must be equal: the bytes of all outputs, in the order of their list, and the counters."""
    listed = running.get(f"/batch/jobs/{job['id']}/outputs", limit=1000)["outputs"]
    contents = running.outputs(job["id"])
    return [contents[one["data"]["filename"]] for one in listed], job["engine"]["records"]


@pytest.mark.parametrize("points", [POINTS[n::6] for n in range(6)], ids=lambda points: points[0])
def test_a_worker_killed_at_each_commit_point_changes_nothing(haunted, points):
    running, armed, wanted = haunted
    for point in points:
        (armed / point).touch()
    job = running.wait(running.create(REQUEST))
    assert [path.name for path in armed.iterdir()] == [], "not reached"
    assert (job["status"], job["error"]) == ("COMPLETED", None)
    assert job["preemption_count"] == len(points)
    assert outcome(running, job) == wanted
    assert [*running.home.rglob(".*.tmp")] == []
    with JobFolder(running.home / "jobs" / job["id"]).journal.open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody holds it


def test_a_dozen_kills_of_workers_and_of_servers_at_random_under_mixed_load(tmp_path):
    command = [sys.executable, str(SOAK), "--service", "--worker-kills", "12", "--server-kills", "12"]
    run = subprocess.run(
        [*command, "--seconds", "900", "--folder", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    done = json.loads(run.stdout.splitlines()[-1])
    assert (done["worker_kills"], done["server_kills"], done["identical"]) == (12, 12, True)
