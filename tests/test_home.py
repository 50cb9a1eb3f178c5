"""The home of a service: its folders, who may read them, and one server at a time."""

import stat
import subprocess
import sys

import pytest

from engine.errors import OutputError
from engine.jobs.home import Home


def test_a_home_is_made_for_its_owner_only_and_opened_again(tmp_path):
    home = Home.open(tmp_path / "a" / "home")
    for folder in (home.content, home.files, home.uploads, home.incoming, home.jobs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert Home.open(home.path) == home


def test_a_file_in_the_place_of_a_home_is_refused(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        Home.open(tmp_path / "home")


def test_one_server_holds_a_home_until_it_ends(tmp_path):
    home = Home.open(tmp_path)
    with home.hold(), pytest.raises(OutputError, match="is running on") as caught, home.hold():
        pass
    assert caught.value.code == "home_in_use"
    with home.hold():
        pass
    code = f"import os; from pathlib import Path; from engine.jobs.home import Home\nwith Home(Path({str(tmp_path)!r})).hold(): os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    with home.hold():  # the lock of a process that was killed is free
        pass
