"""What the JSON files beside a decoder say of it: its graph's file, how many tokens it holds, which of them end an answer.

Exporters repeat themselves in several files, and the copies disagree. What ends an answer by any of them ends it, and the smallest
number of tokens counts: `model_max_length` is often above what the network was built for, never below.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from engine.errors import ModelError
from engine.models.language.tokens import Tokenizer

GENAI = "genai_config.json"  # onnxruntime-genai's
GENERATION = "generation_config.json"  # transformers'
NETWORK = "config.json"
TOKENIZER = "tokenizer_config.json"
CONFIGS = (GENAI, GENERATION, NETWORK, TOKENIZER)
JINJA = "chat_template.jinja"

JSON_BYTES = 16 << 20  # tokenizer_config.json lists every added token
SANE_CONTEXT = (16, 1 << 24)  # transformers writes 10**30 for what it does not know
POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")


class Configs:
    """The configurations in a folder; those that are missing are empty.

    Raises
    ------
    ModelError
        One is no JSON object, or too large to be one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = {name: _read(folder / name) for name in CONFIGS}

    def graph_file(self) -> str | None:
        """Return the name of the decoder's graph, None where nothing tells it; not checked in any way."""
        name = _inner(self._read[GENAI], "model", "decoder").get("filename")
        return name if isinstance(name, str) and name else None

    def context_length(self) -> int | None:
        """Return how many tokens prompt and answer may have together, None where nothing tells it."""
        network, genai = self._read[NETWORK], _inner(self._read[GENAI], "model")
        told = [genai.get("context_length"), self._read[TOKENIZER].get("model_max_length")]
        told += [part.get(key) for part in (network, _inner(network, "text_config")) for key in POSITIONS]
        least, most = SANE_CONTEXT
        sane = [int(length) for length in told if _is_number(length) and least <= length <= most]
        return min(sane, default=None)

    def stop_tokens(self, tokenizer: Tokenizer) -> list[int]:
        """Return every token that ends an answer by any of the files, in order.

        Raises
        ------
        ModelError
            An `eos_token_id` is neither a whole number nor a list of them.
        """
        found = {
            token for name, told in self._told_stops() if told is not None for token in self._check_stops(name, told)
        }
        text = self._read[TOKENIZER].get("eos_token")
        text = text.get("content") if isinstance(text, dict) else text
        if isinstance(text, str) and text:
            tokens = tokenizer.encode(text)
            found.update(tokens if len(tokens) == 1 else ())
        return sorted(found)

    def template_file(self) -> str | None:
        """Return the name of the file that holds the chat template, None where there is none."""
        if (self._folder / JINJA).is_file():
            return JINJA
        return TOKENIZER if self._read[TOKENIZER].get("chat_template") else None

    def _told_stops(self) -> Iterator[tuple[str, Any]]:
        key = "eos_token_id"
        yield GENAI, _inner(self._read[GENAI], "model").get(key)
        yield GENERATION, self._read[GENERATION].get(key)
        yield NETWORK, self._read[NETWORK].get(key)
        yield NETWORK, _inner(self._read[NETWORK], "text_config").get(key)

    def _check_stops(self, name: str, told: Any) -> list[int]:
        tokens = told if isinstance(told, list) else [told]
        if not all(isinstance(token, int) and not isinstance(token, bool) for token in tokens):
            raise ModelError(
                f"{self._folder / name}: eos_token_id must be a whole number or a list of them; got {told!r:.80}.",
                cure="Correct it there.",
            )
        return [token for token in tokens if token >= 0]  # -1 is how some say that there is none


def _read(path: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file, an empty one where there is no file."""
    try:
        if path.stat().st_size > JSON_BYTES:
            raise ModelError(f"{path} is larger than {JSON_BYTES:,} bytes, so it is not a configuration.")
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        raise ModelError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except (ValueError, RecursionError):  # not UTF-8, or endless digits or brackets
        raise ModelError(f"{path} is not JSON.") from None
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no JSON object.")
    return content


def _inner(config: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return an object inside another one, an empty one where there is none."""
    for key in path:
        inner = config.get(key)
        config = inner if isinstance(inner, dict) else {}
    return config


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
