"""Take a language model as exporters leave it: find its graph and its tokenizer, copy what belongs to it, infer the rest.

Taken are graphs that keep keys and values in inputs `past_key_values.*` and take any number of new tokens: what the model builder
of onnxruntime-genai writes (in float32, float16 or int4), and `model.onnx` of optimum's task `text-generation-with-past`; in the
folder of the tokenizer, or in `onnx/` inside it. Refused with the way out are graphs without a cache, and merged ones that switch
it on and off.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.models.files import copy_file, mentions, open_copy
from engine.models.language.configs import CONFIGS, GENAI, JINJA, Configs
from engine.models.language.decoder import Decoder
from engine.models.language.graph import DecoderGraph, inspect_decoder
from engine.models.language.licence import find_papers, name_licence
from engine.models.language.tokens import Tokenizer
from engine.models.manifest import inside
from engine.models.session import Session

TOKENS = "tokenizer.json"
GRAPH = "model.onnx"
FOLDER = "onnx"  # where optimum and the hub put graphs, beside the tokenizer
TOKENIZER_BYTES = 256 << 20
TEMPLATE_BYTES = 1 << 20
EXPORT = (
    "Export it with the model builder of onnxruntime-genai, or with a recent optimum:"
    " optimum-cli export onnx --task text-generation-with-past --model MODEL FOLDER"
)


def find_home(source: Path) -> Path | None:
    """Return the folder of the tokenizer that belongs to a graph or a folder, None where there is none."""
    folder = source.parent if source.is_file() else source
    homes = [folder, folder.parent] if folder.name == FOLDER else [folder]
    return next((home for home in homes if (home / TOKENS).is_file()), None)


def find_decoder(source: Path, home: Path) -> Path | None:
    """Return the graph of a language model, None where the graph beside the tokenizer takes no tokens.

    Raises
    ------
    ModelError
        There is no graph, more than one, or a configuration names one that is not there.
    """
    graph = source if source.is_file() else _choose_graph(home)
    return graph if all(mentions(graph, "input_ids")) else None


def take_decoder(
    graph: Path, home: Path, folder: Path, *, context_length: int | None, stop_tokens: Sequence[int]
) -> dict[str, Any]:
    """Copy a language model into the empty `folder` and return its description, without the files' digests.

    Parameters
    ----------
    graph, home : Path
        The graph, and the folder of its tokenizer.
    folder : Path
    context_length : int or None
        Tokens that it holds, where the user says so.
    stop_tokens : sequence of int
        Tokens that end an answer, where the user says so.

    Raises
    ------
    ModelError
        A file is broken, the graph cannot decode step by step, or context and stop tokens are neither told nor given.
    OSError
        The folder cannot be written.
    """
    _check_size(home / TOKENS, TOKENIZER_BYTES)
    _check_size(home / JINJA, TEMPLATE_BYTES)
    configs, tokenizer = Configs(home), Tokenizer(home)
    context = context_length or configs.context_length()
    stops = sorted(set(stop_tokens)) or configs.stop_tokens(tokenizer)
    if context is None:
        raise ModelError(f"{home} does not say how many tokens its model holds.", cure="Give it with --context.")
    if not stops:
        raise ModelError(f"{home} does not say which token ends an answer.", cure="Give its number with --stop.")
    session = open_copy(graph, folder / graph.name, whole_folder=True)
    decoder = _inspect(session, folder / graph.name)
    vocab_size = decoder.vocab_size or _count_vocab(session, decoder)
    if tokenizer.vocab_size > vocab_size:
        raise ModelError(
            f"{home / TOKENS} has {tokenizer.vocab_size:,} tokens, {graph.name} only {vocab_size:,}: they are of two models.",
            cure="Take the tokenizer that the graph was exported with.",
        )
    language = {
        "file": graph.name,
        "template": configs.template_file(),
        "cache": decoder.kind,
        "context_length": context,
        "vocab_size": vocab_size,
        "stop_tokens": stops,
    }
    for path in [*(home / name for name in (TOKENS, JINJA, *CONFIGS)), *find_papers(home)]:
        if path.is_file():
            copy_file(path, folder / path.name)
    return {
        "kind": "language",
        "licence": name_licence(home),
        "provenance": f"added by the user from {home.resolve().name}",
        "language": language,
    }


def _choose_graph(home: Path) -> Path:
    """Return the graph that belongs to a tokenizer's folder."""
    told = Configs(home).graph_file()
    if told is not None:
        try:
            places = [home / inside(told), home / FOLDER / told]
        except ValueError as error:
            raise ModelError(f"{home / GENAI}: model.decoder.filename: {error}.") from None
        for place in places:
            if place.is_file():
                return place
        raise ModelError(f"{home / GENAI} names the graph {told}, which is not there.", code="model_missing")
    graphs = sorted(home.glob("*.onnx")) or sorted((home / FOLDER).glob("*.onnx"))
    chosen = [path for path in graphs if path.name == GRAPH] or graphs
    if len(chosen) == 1:
        return chosen[0]
    if not graphs:
        raise ModelError(f"{home} has a tokenizer, but no .onnx graph.", code="model_missing", cure=EXPORT)
    names = ", ".join(path.name for path in graphs)
    raise ModelError(
        f"{home} has no {GRAPH}, and not one single .onnx file: {names}.",
        code="model_missing",
        cure=f"Name the graph's file instead of the folder. In parts (decoder_...) it is not taken: {EXPORT}",
    )


def _inspect(session: Session, path: Path) -> DecoderGraph:
    """Describe a decoder; say what to do with a merged one, whose other branch needs no cache."""
    if any(info.name == "use_cache_branch" for info in session.inputs):
        raise ModelError(
            f"{path.name} is a merged decoder, which switches its cache on and off (input use_cache_branch).",
            cure=EXPORT,
        )
    return inspect_decoder(session, path)


def _count_vocab(session: Session, graph: DecoderGraph) -> int:
    """Return the width of logits that the graph does not declare, from a run."""
    decoder = Decoder(session, graph, slots=1, capacity=2)
    try:
        return int(decoder.prefill(0, [0]).shape[-1])
    finally:
        decoder.close()


def _check_size(path: Path, most_bytes: int) -> None:
    if path.is_file() and path.stat().st_size > most_bytes:
        raise ModelError(f"{path} is larger than {most_bytes:,} bytes, which is refused.")
