"""Take a model from where the user has it into a folder of ours: its graph, the files with its weights, its description."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.models.files import copy_file, mentions, open_copy
from engine.models.inspect import inspect_graph
from engine.models.manifest import MANIFEST, Manifest, check_manifest, digest, find_files, read_manifest, write_manifest
from engine.models.probe import Hints

GRAPH = "encoder.onnx"


@dataclass(frozen=True, slots=True)
class LanguageHints:
    """What a person says about a language model whose own files do not: tokens that it holds, tokens that end an answer."""

    context_length: int | None = None
    stop_tokens: tuple[int, ...] = ()


def take_model(
    source: Path, folder: Path, *, name: str, hints: Hints | LanguageHints | None, told: Mapping[str, Any]
) -> Manifest:
    """Copy a model into the empty `folder` and write its `model.json`.

    Parameters
    ----------
    source : Path
        A graph, or a folder with one; a `model.json` in the folder is taken at its word. A graph that takes tokens, with a
        `tokenizer.json` beside it, is a language model; any other is an encoder.
    folder : Path
    name : str
        The model's name where it does not describe itself.
    hints : Hints, LanguageHints or None
        What the inspection shall not decide.
    told : mapping
        Fields of the manifest that come from the user.

    Raises
    ------
    ModelError
        There is no graph, its weights are missing, it is of neither kind, or the description is wrong.
    OSError
        The folder cannot be written.
    """
    if hints in (Hints(), LanguageHints()):
        hints = None
    if (source / MANIFEST).is_file():
        if hints is not None:
            raise ModelError(
                f"{source} describes itself.", cure=f"Change or remove its {MANIFEST} instead of giving hints."
            )
        fields = _take_described(source, folder).model_dump(exclude_none=True)
    else:
        fields = {"name": name, **(_take_language(source, folder, hints) or _take_encoder(source, folder, hints))}
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    fields["sha256"] = {file: digest(folder / file) for file in files}
    fields["size_bytes"] = {file: (folder / file).stat().st_size for file in files}
    manifest = check_manifest(fields | dict(told), f"the description of {source}")
    write_manifest(folder, manifest)
    return manifest


def _take_described(source: Path, folder: Path) -> Manifest:
    """Copy the files that a folder's own manifest names."""
    manifest = read_manifest(source)
    for name, path in find_files(source, manifest).items():
        if digest(path) != manifest.sha256[name]:
            raise ModelError(f"{path} is not the file that {MANIFEST} describes: its digest differs.")
        copy_file(path, folder / name)
    return manifest


def _take_language(source: Path, folder: Path, hints: Hints | LanguageHints | None) -> dict[str, Any] | None:
    """Copy a language model and return its description; None where the source is none."""
    from engine.models.language.intake import find_decoder, find_home, take_decoder

    home = find_home(source)
    graph = find_decoder(source, home) if home else None
    if home is None or graph is None:
        return None
    if isinstance(hints, Hints):
        raise ModelError(
            f"{source} is a language model.", cure="Of the options about the graph it takes --context and --stop only."
        )
    given = hints or LanguageHints()
    return take_decoder(graph, home, folder, context_length=given.context_length, stop_tokens=given.stop_tokens)


def _take_encoder(source: Path, folder: Path, hints: Hints | LanguageHints | None) -> dict[str, Any]:
    """Copy an encoder and return its description."""
    graph = _find_graph(source)
    if all(mentions(graph, "input_ids")):
        raise ModelError(
            f"{graph} takes tokens as a language model does, but there is no tokenizer.json beside it.",
            code="model_missing",
            cure="Put it there: AutoTokenizer.from_pretrained(MODEL).save_pretrained(FOLDER) of transformers writes it.",
        )
    if isinstance(hints, LanguageHints):
        raise ModelError(f"{source} is no language model.", cure="Leave --context and --stop out.")
    try:
        open_copy(graph, folder / GRAPH, whole_folder=source.is_dir())
        windowed = inspect_graph(folder / GRAPH, hints)
    except ModelError as error:  # about our copy: the user knows the file by its own name
        raise ModelError(error.message.replace(GRAPH, graph.name), code=error.code, cure=error.cure) from None
    return {"kind": "windowed", "provenance": f"added by the user from {graph.name}", "windowed": windowed.model_dump()}


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
