"""Take a model from where the user has it into a folder of ours: its graph, the files with its weights, its description."""

import mmap
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.inspect import inspect_graph
from engine.models.manifest import MANIFEST, Manifest, check_manifest, digest, find_files, read_manifest, write_manifest
from engine.models.probe import Hints
from engine.models.session import Session

GRAPH = "encoder.onnx"
CPU = Device("cpu", "cpu")


def take_model(source: Path, folder: Path, *, name: str, hints: Hints, told: Mapping[str, Any]) -> Manifest:
    """Copy a model into the empty `folder` and write its `model.json`.

    Parameters
    ----------
    source : Path
        A graph, or a folder with one; a `model.json` in the folder is taken at its word.
    folder : Path
    name : str
        The model's name where it does not describe itself.
    hints : Hints
        What the inspection shall not decide.
    told : mapping
        Fields of the manifest that come from the user.

    Raises
    ------
    ModelError
        There is no graph, its weights are missing, it is no encoder, or the description is wrong.
    OSError
        The folder cannot be written.
    """
    if (source / MANIFEST).is_file():
        fields = _take_described(source, folder, hints).model_dump(exclude_none=True)
    else:
        graph = _find_graph(source)
        try:
            _take_graph(graph, folder, whole_folder=source.is_dir())
            windowed = inspect_graph(folder / GRAPH, hints)
        except ModelError as error:  # about our copy: the user knows the file by its own name
            raise ModelError(error.message.replace(GRAPH, graph.name), code=error.code, cure=error.cure) from None
        fields = {
            "name": name,
            "kind": "windowed",
            "provenance": f"added by the user from {graph.name}",
            "windowed": windowed.model_dump(),
        }
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    fields["sha256"] = {file: digest(folder / file) for file in files}
    fields["size_bytes"] = {file: (folder / file).stat().st_size for file in files}
    manifest = check_manifest(fields | dict(told), f"the description of {source}")
    write_manifest(folder, manifest)
    return manifest


def _find_graph(source: Path) -> Path:
    """Return the one graph that a source holds."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise ModelError(f"There is no file or folder {source}.", code="model_missing")
    if (source / GRAPH).is_file():
        return source / GRAPH
    graphs = sorted(source.glob("*.onnx"))
    if len(graphs) != 1:
        names = ", ".join(path.name for path in graphs) or "none"
        raise ModelError(
            f"{source} has no {GRAPH}, and not one single .onnx file: {names}.",
            code="model_missing",
            cure="Name the graph's file instead of the folder.",
        )
    return graphs[0]


def _take_described(source: Path, folder: Path, hints: Hints) -> Manifest:
    """Copy the files that a folder's own manifest names."""
    if hints != Hints():
        raise ModelError(
            f"{source} describes itself.", cure=f"Change or remove its {MANIFEST} instead of giving hints."
        )
    manifest = read_manifest(source)
    for name, path in find_files(source, manifest).items():
        if digest(path) != manifest.sha256[name]:
            raise ModelError(f"{path} is not the file that {MANIFEST} describes: its digest differs.")
        _copy(path, folder / name)
    return manifest


def _take_graph(graph: Path, folder: Path, *, whole_folder: bool) -> None:
    """Copy a graph, and the files that hold its weights where it does not open without them.

    A graph spells the names of those files: every neighbour whose name occurs in it is taken.
    """
    _copy(graph, folder / GRAPH)
    try:
        Session(folder / GRAPH, device=CPU)
    except ModelError as error:
        if error.code != "weights_missing":
            raise
    else:
        return
    neighbours = graph.parent.rglob("*") if whole_folder else graph.parent.glob("*")
    with graph.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for path in sorted(neighbours):
            name = path.relative_to(graph.parent).as_posix()
            if path != graph and path.is_file() and content.find(name.encode()) >= 0:
                _copy(path, folder / name)
    try:
        Session(folder / GRAPH, device=CPU)
    except ModelError as error:
        cure = f"Put it into {graph.parent}." if error.code == "weights_missing" else error.cure
        raise ModelError(error.message, code=error.code, cure=cure) from None


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
