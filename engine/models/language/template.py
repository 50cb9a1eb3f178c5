"""The chat template of a language model: how it wants to be spoken to.

A template is a program in Jinja that comes with the model. It is run once, in a process of its own (`skeleton.py`), on a chat whose
texts are stand-ins; what it writes around them is kept, and texts are put in their places. So no record can make a template loop or
grow, records cannot steer it, and a prompt costs no more than joining strings.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from engine.errors import ModelError

JINJA = "chat_template.jinja"
CONFIG = "tokenizer_config.json"
LARGEST_BYTES = 16 << 20
SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
WAIT_S = 60  # of a busy machine; the process itself has far less time

Name = Literal["system", "user"]

# A stand-in is spaces that only trimming removes, around a core that tells if anything else was done to it.
_BEFORE, _AFTER = "\u2003", "\u2005"
_CORES: dict[Name, str] = {name: f'\ufdd1{name} "Aß" \\ <&>\n\n{{{{1}}}}\ufdd2' for name in ("system", "user")}
_EITHER = re.compile("(" + "|".join(map(re.escape, _CORES.values())) + ")")
_CURE = f"Correct the template in {JINJA} beside the graph, or remove it for the plain form."


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a text goes, and whether the template trims it there on its left and right."""

    name: Name
    left: bool = False
    right: bool = False


Skeleton = tuple[str | Hole, ...]

PLAIN: Skeleton = (Hole("system"), "\n\n", Hole("user"), "\n")
PLAIN_USER: Skeleton = (Hole("user"), "\n")


class ChatTemplate:
    """The template of a model, from `chat_template.jinja` or `tokenizer_config.json` in a folder.

    Without one the prompt is plain: the system text, a blank line, the user's text and a line end. Where the template refuses a
    system turn, or leaves it out, the system text begins the user's turn, followed by a blank line.

    Raises
    ------
    ModelError
        A file cannot be read, or the template is broken: it has an error, asks for too much, or does not write the user's text
        as it is.
    """

    def __init__(self, folder: Path) -> None:
        config = _read_config(folder / CONFIG)
        source, path = _find_source(folder, config)
        self._with_system, self._without = PLAIN, PLAIN_USER
        self._folds = False
        if source is None:
            return
        probe = _run if "strftime_now" in source else _run_once
        both, alone = probe(source, json.dumps(_special_tokens(config)), str(path))
        self._without = alone
        self._folds = both is None
        self._with_system = both or alone

    def render(self, system: str | None, user: str) -> str:
        """Return the prompt for a system text (none where empty) and a user's text, up to where the answer begins."""
        if not system:
            return _fill(self._without, {"user": user})
        if self._folds:
            return _fill(self._without, {"user": f"{system}\n\n{user}" if user else system})
        return _fill(self._with_system, {"system": system, "user": user})


def _fill(skeleton: Skeleton, texts: Mapping[str, str]) -> str:
    parts = []
    for part in skeleton:
        if isinstance(part, Hole):
            text = texts[part.name]
            text = text.lstrip() if part.left else text
            text = text.rstrip() if part.right else text
            parts.append(text)
        else:
            parts.append(part)
    return "".join(parts)


def _run(source: str, variables: str, path: str) -> tuple[Skeleton | None, Skeleton]:
    """Return the skeletons of a chat with a system turn, None where it is refused or left out, and of one without."""
    texts = {name: _BEFORE + core + _AFTER for name, core in _CORES.items()}
    plain = [{"role": name, "content": text} for name, text in texts.items()]
    in_parts = [{"role": name, "content": [{"type": "text", "text": text}]} for name, text in texts.items()]
    # Templates of models that also see images may take a text only as a part of a message.
    chats = [messages for form in (plain, in_parts) for messages in (form, form[1:])]
    given = {"tools": None, "documents": None, "add_generation_prompt": True, **json.loads(variables)}
    answer = _start(json.dumps({"source": source, "variables": given, "chats": chats}), path)
    if "failure" in answer:
        raise ModelError(
            f"The chat template in {path} cannot be used: {answer['failure']}.", code="invalid_template", cure=_CURE
        )
    texts_of = [one.get("text", "") for one in answer["chats"]]
    for both, alone in (texts_of[:2], texts_of[2:]):
        if _CORES["user"] in alone:
            return _cut(both) if all(core in both for core in _CORES.values()) else None, _cut(alone)
    why = "it does not write a user's text, or changes it in other ways than trimming"
    if "refused" in answer["chats"][1]:
        why = f"it cannot render one turn of a user: {answer['chats'][1]['refused']}"
    raise ModelError(f"The chat template in {path} cannot be used: {why}.", code="invalid_template", cure=_CURE)


_run_once = lru_cache(maxsize=16)(_run)


def _start(request: str, path: str) -> dict[str, Any]:
    """Run the template's process and return what it wrote."""
    program = Path(__file__).with_name("skeleton.py")
    kept = {name: os.environ[name] for name in ("TZ", "LD_LIBRARY_PATH") if name in os.environ}
    places = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-P", "-B", str(program)],
            input=request.encode(),
            capture_output=True,
            env={**kept, "PYTHONPATH": places},
            timeout=WAIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failure": "it takes too long"}
    except OSError as error:
        raise ModelError(
            f"The chat template in {path} cannot be run: {sys.executable or 'Python'} does not start ({error.strerror}).",
            code="invalid_template",
        ) from error
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"failure": "it takes too long"}
    if done.returncode:
        return {"failure": f"its process ended with status {done.returncode}"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _cut(rendered: str) -> Skeleton:
    """Return the skeleton of a rendered chat: the text between the stand-ins, and a hole for each of them."""
    parts: list[str | Hole] = []
    names = {core: name for name, core in _CORES.items()}
    pieces = _EITHER.split(rendered)  # text, core, text, core, ..., text
    for text, core, after in zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False):
        parts += [
            _between(text),
            Hole(names[core], left=not text.endswith(_BEFORE), right=not after.startswith(_AFTER)),
        ]
    return tuple(part for part in (*parts, _between(pieces[-1])) if part)


def _between(text: str) -> str:
    """Return a text without the spaces of the stand-ins beside it."""
    return text.removeprefix(_AFTER).removesuffix(_BEFORE)


def _find_source(folder: Path, config: Mapping[str, Any]) -> tuple[str | None, Path]:
    """Return the template, None where there is none, and the file it is in."""
    path = folder / JINJA
    if path.is_file():
        return _read(path), path
    path, found = folder / CONFIG, config.get("chat_template") or None
    if isinstance(found, list):
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, dict)}
        found = named.get("default", next(iter(named.values()), None) if len(named) == 1 else None)
        if found is None:
            raise ModelError(
                f"{path} has {len(named)} chat templates, and none of them is called 'default'.",
                code="invalid_template",
                cure=f"Write the one to use into {JINJA} beside it.",
            )
    if found is not None and not isinstance(found, str):
        raise ModelError(
            f"{path}: chat_template must be a text or a list of named ones.", code="invalid_template", cure=_CURE
        )
    return found, path


def _special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of bos_token, eos_token and the like, which templates use."""
    found = {}
    for key in SPECIAL_TOKENS:
        token = config.get(key)
        token = token.get("content") if isinstance(token, dict) else token
        if isinstance(token, str):
            found[key] = token
    return found


def _read_config(path: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file, an empty one where there is no file."""
    if not path.is_file():
        return {}
    try:
        config = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON: {error}.") from None
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds no JSON object.")
    return config


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ModelError(f"{path} is larger than {LARGEST_BYTES:,} bytes, so it is no chat template.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path} is not UTF-8 at byte {error.start:,}.") from None
