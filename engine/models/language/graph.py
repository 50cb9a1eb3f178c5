"""What a decoder's graph takes and gives, found out by looking at it: names, sizes, and how it keeps keys and values.

Two kinds are known. `shared` graphs use GroupQueryAttention, as onnxruntime-genai's model builder writes: past and present may be
one buffer, and each row's length comes from the mask. `growing` graphs, as optimum exports them, concatenate: present is past and
the new tokens behind it.
"""

import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from engine.errors import ModelError, OutOfMemory
from engine.models.session import Array, Session, TensorInfo

CacheKind = Literal["shared", "growing"]

IDS, MASK, POSITIONS, LOGITS = "input_ids", "attention_mask", "position_ids", "logits"
_PAST = re.compile(r"past_key_values\.(\d+)\.(key|value)")
_PRESENT = re.compile(r"present\.(\d+)\.(key|value)")
HEAD_SIZES = tuple(
    sorted(range(8, 513, 8), key=lambda size: (size not in (64, 128, 96, 80, 256), size))
)  # likely first
_SHARED_OPERATOR = b"GroupQueryAttention"
_CURE = "Export it with onnxruntime-genai's model builder, or with optimum as text-generation-with-past."


@dataclass(frozen=True, slots=True)
class DecoderGraph:
    """The inputs and outputs of a decoder.

    Attributes
    ----------
    kind : "shared" or "growing"
    mask, positions : bool
        Whether the graph takes `attention_mask` and `position_ids`.
    past, present : tuple of (key, value)
        Names, a pair for each layer.
    layers, kv_heads, head_size : int
        Of the cache: (batch, kv_heads, tokens, head_size).
    vocab_size : int
        Width of the logits; 0 where the graph leaves it open.
    last_only : bool
        Logits come for the last position only.
    cache_dtype, logits_dtype : str
        NumPy's names.
    """

    kind: CacheKind
    mask: bool
    positions: bool
    past: tuple[tuple[str, str], ...]
    present: tuple[tuple[str, str], ...]
    layers: int
    kv_heads: int
    head_size: int
    vocab_size: int
    last_only: bool
    cache_dtype: str
    logits_dtype: str


def inspect_decoder(session: Session, path: Path) -> DecoderGraph:
    """Return what a graph is.

    Raises
    ------
    ModelError
        It is no decoder with a cache, or it takes what nobody would give it.
    """
    inputs = {info.name: info for info in session.inputs}
    outputs = {info.name: info for info in session.outputs}
    if IDS not in inputs or LOGITS not in outputs:
        raise _not_a_decoder(path, f"it has no input {IDS} or no output {LOGITS}")
    past, present = _layers(inputs, _PAST), _layers(outputs, _PRESENT)
    if not past:
        raise _not_a_decoder(
            path, "it keeps no keys and values (past_key_values), so every token would cost the whole text"
        )
    if len(past) != len(present):
        raise _not_a_decoder(path, f"it takes {len(past)} layers of keys and values and gives {len(present)}")
    known = {IDS, MASK, POSITIONS, *(name for pair in past for name in pair)}
    if unknown := sorted(set(inputs) - known):
        raise _not_a_decoder(path, f"it takes {', '.join(unknown)}, which is unknown here")
    for name in (IDS, MASK, POSITIONS):
        if name in inputs and inputs[name].dtype != "int64":
            raise _not_a_decoder(path, f"its {name} is {inputs[name].dtype}, not int64")
    cache = inputs[past[0][0]]
    sizes = (cache.shape[1], cache.shape[3]) if len(cache.shape) == 4 else (None, None)
    heads, size = sizes
    if not isinstance(heads, int):
        raise _not_a_decoder(path, f"{cache.name} is not (batch, heads, tokens, size) with a fixed number of heads")
    for name in (name for pair in past for name in pair):
        if inputs[name].shape[1::2] != (heads, size) or inputs[name].dtype != cache.dtype:
            raise _not_a_decoder(path, f"{name} has another shape or type than {cache.name}")
    if cache.dtype not in ("float32", "float16"):
        raise _not_a_decoder(path, f"its cache is {cache.dtype}, not float32 or float16")
    if outputs[LOGITS].dtype not in ("float32", "float16"):
        raise _not_a_decoder(path, f"its logits are {outputs[LOGITS].dtype}, not float32 or float16")
    if MASK not in inputs:
        raise _not_a_decoder(path, f"it takes no {MASK}, so prompts of different lengths cannot be told apart")
    if not isinstance(size, int):
        size = _find_head_size(session, path, inputs, past, heads)
    width = outputs[LOGITS].shape[-1]
    return DecoderGraph(
        kind="shared" if _mentions(path, _SHARED_OPERATOR) else "growing",
        mask=True,
        positions=POSITIONS in inputs,
        past=past,
        present=present,
        layers=len(past),
        kv_heads=heads,
        head_size=size,
        vocab_size=width if isinstance(width, int) else 0,
        last_only=outputs[LOGITS].shape[1] == 1,
        cache_dtype=cache.dtype,
        logits_dtype=outputs[LOGITS].dtype,
    )


def is_decoder(session: Session) -> bool:
    """Tell whether a graph reads tokens, rather than readings."""
    return any(info.name == IDS for info in session.inputs)


def _layers(infos: dict[str, TensorInfo], pattern: re.Pattern[str]) -> tuple[tuple[str, str], ...]:
    """Return the names of keys and values by layer."""
    found: dict[int, dict[str, str]] = {}
    for name in infos:
        match = pattern.fullmatch(name)
        if match:
            found.setdefault(int(match[1]), {})[match[2]] = name
    return tuple((pair.get("key", ""), pair.get("value", "")) for _, pair in sorted(found.items()) if len(pair) == 2)


def _find_head_size(
    session: Session, path: Path, inputs: dict[str, TensorInfo], past: tuple[tuple[str, str], ...], heads: int
) -> int:
    """Find the size of a head by running one token: the model builder of onnxruntime-genai 0.18 leaves it open in the cache."""
    one = {IDS: np.zeros((1, 1), np.int64), MASK: np.ones((1, 1), np.int64), POSITIONS: np.zeros((1, 1), np.int64)}
    feeds: dict[str, Array] = {name: value for name, value in one.items() if name in inputs}
    reason = ""
    for size in HEAD_SIZES:
        empty = np.zeros((1, heads, 0, size), inputs[past[0][0]].dtype)
        try:
            session.run(feeds | {name: empty for pair in past for name in pair}, [LOGITS])
        except OutOfMemory:
            raise
        except ModelError as error:
            reason = reason or str(error)
        else:
            return size
    raise _not_a_decoder(path, f"no head size up to {max(HEAD_SIZES)} runs ({reason.rstrip('.')})")


def _mentions(path: Path, word: bytes) -> bool:
    """Tell whether a file holds a word. Operators are spelt out in a graph; weights are mostly beside it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(word) >= 0


def _not_a_decoder(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path.name} is no language model that runs here: {reason}.", cure=_CURE)
