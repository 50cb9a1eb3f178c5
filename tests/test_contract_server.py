"""The contract of how a server is started: its key, its address in links, and taking anybody's requests."""

import subprocess
import sys

import httpx
from service import serving


def test_the_first_start_makes_a_key_and_no_later_one_does(tmp_path):
    with serving(tmp_path) as first:
        assert first.key
        assert first.get("/files")["data"] == []
        assert httpx.get(f"{first.address}/v0.5/files").status_code == 401
        again = first.key
    with serving(tmp_path, "--public-url", "https://edge.example:8443/") as later:
        assert later.key is None
        uid = httpx.post(
            f"{later.address}/v0.5/files",
            files={"file": ("a.csv", b"a,b\n1,2\n", "text/csv")},
            headers={"Authorization": f"bearer {again}"},
        ).json()["file_uid"]
        begun = httpx.post(
            f"{later.address}/v0.5/files/uploads/initiate",
            json={"filename": "b.csv", "num_bytes": 3},
            headers={"Authorization": f"Bearer {again}"},
        ).json()
        assert uid.startswith("fil_")
        assert begun["parts"][0]["url"].startswith(f"https://edge.example:8443/blob/{begun['upload_id']}/1?")


def test_a_server_for_this_machine_alone_takes_any_key_or_none(tmp_path):
    with serving(tmp_path, "--no-auth") as service:
        assert service.key is None
        for headers in ({}, {"Authorization": "Bearer any"}, {"Authorization": "Basic x"}):
            assert httpx.get(f"{service.address}/v0.5/files", headers=headers).status_code == 200
    command = [sys.executable, "-m", "engine", "serve", "--home", str(tmp_path), "--no-auth", "--host", "0.0.0.0"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "--no-auth is for this machine alone" in refused.stderr
