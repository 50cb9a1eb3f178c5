"""The house rules that imports can break: no import goes up, heavy libraries have one door each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "kernels": 0,
    "engine.errors": 0,
    "engine.stream": 1,
    "engine.models": 1,
    "engine.output": 1,
    "engine.plant": 2,
    "engine.pipelines": 2,
    "engine.jobs": 3,
    "engine": 4,
    "engine.client": 1,
    "engine.server": 5,
    "engine.cli": 6,
    "engine.__main__": 7,
}
DOORS = {
    "onnxruntime": {"engine/models/session.py", "engine/models/quantize.py"},  # the second: its tools, no sessions
    "faiss": {"engine/models/flat.py"},
}
MODULES = sorted(path for folder in ("engine", "kernels") for path in (ROOT / folder).rglob("*.py"))


def room(module):
    """The longest known name that a module's name starts with."""
    names = [name for name in FLOORS if module == name or module.startswith(name + ".")]
    return max(names, key=len)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_goes_up_or_sideways(path):
    own = room(name_of(path))
    for module in imports(path):
        if module.split(".")[0] not in ("engine", "kernels"):
            continue
        other = room(module)
        assert other == own or FLOORS[other] < FLOORS[own], f"{own} must not import {module}"


@pytest.mark.parametrize("library", DOORS)
def test_heavy_libraries_have_one_door(library):
    found = {
        str(path.relative_to(ROOT)) for path in MODULES for module in imports(path) if module.split(".")[0] == library
    }
    assert found == DOORS[library]


def test_kernels_are_all_compiled_by_the_one_decorator():
    for path in (ROOT / "kernels").glob("*.py"):
        if path.name not in ("jit.py", "lanes.py"):
            assert "numba" not in {module.split(".")[0] for module in imports(path)}, path.name
