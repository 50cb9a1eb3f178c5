"""The server killed at every step of what it does to files and jobs: nothing half-done stays, nothing whole is lost."""

import json
import subprocess
import sys
from pathlib import Path

DYING = Path(__file__).parent / "dying.py"
FILE_POINTS = {"file.opened", "file.writing", "file.written", "file.synced", "file.renamed", "file.settled"}
JOB_POINTS = {
    f"job.{step}" for step in ("create", "insert", "append_state", "index", "event", "discard_run", "remove", "delete")
}


def test_a_server_that_dies_at_any_step_leaves_nothing_half_done(tmp_path):
    run = subprocess.run(
        [sys.executable, str(DYING), str(tmp_path / "home"), str(tmp_path / "plant")],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    seen: dict[str, set[str]] = {}
    ended = set()
    for line in map(json.loads, run.stdout.splitlines()):
        if line["point"] is None:
            ended.add(line["deed"])
        else:
            seen.setdefault(line["deed"], set()).add(line["point"])
    assert ended == {"upload", "replace", "upload in parts", "delete", "a job's life"}
    assert all(points >= FILE_POINTS for deed, points in seen.items() if deed != "a job's life")
    assert seen["a job's life"] >= JOB_POINTS
