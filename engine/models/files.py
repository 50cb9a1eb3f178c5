"""The files of a model that is taken in: a graph, and those beside it that hold its weights."""

import mmap
import shutil
from pathlib import Path

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.session import Session

CPU = Device("cpu", "cpu")


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's content, into folders that are made where they are missing; a link's target is copied."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def mentions(path: Path, *texts: str) -> tuple[bool, ...]:
    """Tell of each text whether it occurs in a file, which is not read into memory."""
    if not path.stat().st_size:
        return (False,) * len(texts)  # cannot be mapped
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return tuple(content.find(text.encode()) >= 0 for text in texts)


def open_copy(graph: Path, copy: Path, *, whole_folder: bool) -> Session:
    """Copy a graph, and the files that hold its weights where it does not open without them, and open the copy on the CPU.

    A graph spells the names of those files: every neighbour whose name occurs in it is taken, with `whole_folder` from folders
    below as well.

    Raises
    ------
    ModelError
        It is no graph, or weights are missing.
    OSError
        The copy cannot be written.
    """
    copy_file(graph, copy)
    try:
        return Session(copy, device=CPU)
    except ModelError as error:
        if error.code != "weights_missing":
            raise
    neighbours = sorted(path for path in _neighbours(graph, whole_folder=whole_folder) if path != graph)
    names = [path.relative_to(graph.parent).as_posix() for path in neighbours]
    for name, path, meant in zip(names, neighbours, mentions(graph, *names), strict=True):
        if meant:
            copy_file(path, copy.parent / name)
    try:
        return Session(copy, device=CPU)
    except ModelError as error:
        cure = f"Put it into {graph.parent}." if error.code == "weights_missing" else error.cure
        raise ModelError(error.message, code=error.code, cure=cure) from None


def _neighbours(graph: Path, *, whole_folder: bool) -> list[Path]:
    found = graph.parent.rglob("*") if whole_folder else graph.parent.glob("*")
    return [path for path in found if path.is_file()]
