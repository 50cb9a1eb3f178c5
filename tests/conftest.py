"""What all tests share."""

import os

import pytest
from contract import open_plant

from engine.cli import main

os.environ.setdefault("ENGINE_HOME", os.devnull)  # no test sees the models a person has installed


@pytest.fixture
def command(capsys):
    """Run the command in this process; return exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def small_projections(monkeypatch):
    """Let small libraries be projected, on few axes, however little these show."""
    from engine.models import projection

    for name, value in (
        ("LEAST_VECTORS", 4),
        ("LEAST_SEARCHED", 4),
        ("LEAST_WIDTH", 16),
        ("AXES", (16,)),
        ("REST", 1.0),
    ):
        monkeypatch.setattr(projection, name, value)


@pytest.fixture(scope="session")
def plant_service(tmp_path_factory):
    """A server with some jobs on it, whose answers are all held against the API page; the tests of the contract share it."""
    with open_plant(tmp_path_factory.mktemp("contract")) as plant:
        yield plant
