"""The example client in `scripts/`, as a person runs it, against a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from recordings import write_plant
from service import serving

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "example_client.py"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def run(service, tmp_path):
    write_plant(tmp_path)

    def call(*arguments, key=service.key):
        environment = os.environ | {"ENGINE_URL": service.address + "/", "ENGINE_KEY": key}
        command = [sys.executable, SCRIPT, *arguments, "--pause", "0.05"]
        return subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)

    return call


SHOTS = ("--shot", "idle=idle.csv", "--shot", "run=run.csv")


def test_it_uploads_creates_waits_and_downloads(run, tmp_path):
    done = run("line7.csv", *SHOTS, "--output", "out/results")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert [line.split()[1] for line in said[:3]] == ["line7.csv:", "idle.csv:", "run.csv:"]
    assert any(line.endswith("Job created") for line in said)
    assert sum("Job completed in" in line for line in said) == 1
    assert said[-1] == "1 files with 137 windows in out/results"
    (part,) = (tmp_path / "out" / "results").iterdir()
    lines = part.read_text().splitlines()
    assert (lines[0], len(lines)) == ("timestamp,Prediction", 138)


def test_many_parts_are_all_there(run, service, tmp_path):
    (tmp_path / "long.csv").write_text("timestamp,speed,current,flow\n" + "1,2,3,4\n" * 10_000)
    done = run("long.csv", "line7.csv", *SHOTS, "--window", "16")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "results").iterdir())) == 4
    assert sum(path.read_text().count("\n") - 1 for path in (tmp_path / "results").iterdir()) == 9985 + 185


def test_refusals_are_sentences(run, tmp_path):
    wrong = run("line7.csv", *SHOTS, key="eng_wrong")
    assert wrong.returncode == 1
    assert wrong.stderr == "POST /files: 401\n  Invalid access with key: api_key_not_found\n"
    wrong = run("line7.csv", *SHOTS, "--window", "1")
    assert "reader_config.window_size must be 2 to 1024; got 1." in wrong.stderr
    (tmp_path / "short.csv").write_text("timestamp,speed,current,flow\n1,2,3,4\n")
    failed = run("short.csv", *SHOTS)
    assert failed.returncode == 1
    assert "is FAILED: No input could be classified" in failed.stderr
    assert "Traceback" not in wrong.stderr + failed.stderr
