"""A language model that is loaded: its graph, its tokenizer, its chat template, and what ends its answers."""

from dataclasses import dataclass, field

from engine.errors import ModelError
from engine.models.device import Device
from engine.models.language.decoder import Decoder
from engine.models.language.graph import DecoderGraph, inspect_decoder
from engine.models.language.memory import choose_slots
from engine.models.language.template import ChatTemplate
from engine.models.language.tokens import Tokenizer
from engine.models.manifest import Manifest, ModelEntry, find_files
from engine.models.session import Session
from engine.models.warm import OpenSession

__all__ = ["LanguageModel", "choose_slots", "load_language"]


@dataclass(slots=True)
class LanguageModel:
    """A model that continues texts, on a device.

    Attributes
    ----------
    name : str
        Its own; not the alias that it was asked for by.
    manifest : Manifest
    graph : DecoderGraph
    tokenizer : Tokenizer
    template : ChatTemplate
    stop_tokens : frozenset of int
        Tokens that end an answer.
    context_length : int
        Tokens that prompt and answer may have together.
    vocab_size : int
        Width of the logits.
    device : Device
        Where it really runs.
    """

    name: str
    manifest: Manifest
    graph: DecoderGraph
    tokenizer: Tokenizer
    template: ChatTemplate
    stop_tokens: frozenset[int]
    context_length: int
    vocab_size: int
    device: Device
    session: Session | None = field(repr=False)

    def open_decoder(self, slots: int, capacity: int) -> Decoder:
        """Return a new decoder; the caller closes it. Raises OutOfMemory where its cache does not fit."""
        assert self.session is not None, "closed"
        return Decoder(self.session, self.graph, slots=slots, capacity=capacity)

    def close(self) -> None:
        """Give the weights' memory back, once the last decoder is closed. May be called again."""
        self.session = None


def load_language(
    entry: ModelEntry, *, device: Device, threads: int, open_session: OpenSession = Session
) -> LanguageModel:
    """Open a language model.

    Parameters
    ----------
    entry : ModelEntry
        Of `Catalog.find_language`.
    device : Device
    threads : int
        Threads inside one step.
    open_session : callable
        Opens the graph, or has it open.

    Raises
    ------
    ModelError
        A file is missing or broken, or the graph is not what the description says.
    DeviceError
        It does not run on this device.
    """
    language = entry.manifest.language
    assert language is not None, "find_language gives no other"
    files = find_files(entry.folder, entry.manifest)
    tokenizer, template = Tokenizer(entry.folder), ChatTemplate(entry.folder)
    session = open_session(files[language.file], device=device, threads=threads, spin=True)
    graph = inspect_decoder(session, files[language.file])
    if graph.kind != language.cache or graph.vocab_size not in (0, language.vocab_size):
        raise ModelError(
            f"Model {entry.manifest.name}: {files[language.file]} is not the graph that its description tells of"
            f" (cache {graph.kind}, not {language.cache}, or another vocabulary).",
            cure="Remove the model and add it again.",
        )
    return LanguageModel(
        name=entry.manifest.name if entry.shipped else entry.name,
        manifest=entry.manifest,
        graph=graph,
        tokenizer=tokenizer,
        template=template,
        stop_tokens=frozenset(language.stop_tokens),
        context_length=language.context_length,
        vocab_size=language.vocab_size,
        device=device,
        session=session,
    )
