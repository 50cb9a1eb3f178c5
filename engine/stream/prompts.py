"""A JSONL file as records: every physical line by itself, in bounded memory, and what is wrong with it where it is no record.

A line ends with LF or CR LF. A byte order mark at the start of the file is no part of it. Blank lines inside the file are lines;
those after the last record are not.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.stream.source import PIECE_BYTES, Source

LONGEST_BYTES = 16 << 20  # of a line; what is longer is passed over without being held
_BLANK = b" \t\r"
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line.

    Attributes
    ----------
    index : int
        0-based, within its own file.
    value : dict or None
        What it says; None with a fault.
    fault : str or None
        Why it is no record, for a person.
    """

    index: int
    value: dict[str, Any] | None
    fault: str | None = None


def read_lines(source: Source, *, start: int = 0, longest_bytes: int = LONGEST_BYTES) -> Iterator[Line]:
    """Yield the lines of a file from `start` on.

    Raises
    ------
    InputError
        As `Source.pieces`, after the lines before the damage.
    """
    told = 0  # lines before this one are done with
    for index, raw in enumerate(_split(source, longest_bytes)):
        if raw is not None and not raw.strip(_BLANK):
            continue  # it counts only if a line that is not blank follows
        for blank in range(max(told, start), index):
            yield Line(blank, None, "The line is blank.")
        told = index + 1
        if index < start:
            continue
        if raw is None:
            yield Line(index, None, f"The line has more than {longest_bytes:,} bytes.")
        else:
            yield _parse(index, raw)


def _split(source: Source, longest_bytes: int) -> Iterator[bytes | None]:
    """Yield each line without its end, None for one that is too long."""
    held: list[bytes] = []
    held_bytes = 0
    first = True
    for piece in _cut(source.pieces()):
        lines = piece.split(b"\n")
        for place, part in enumerate(lines):
            held_bytes += len(part)
            if held_bytes <= longest_bytes:
                held.append(part)
            else:
                held.clear()
            if place < len(lines) - 1:
                line = b"".join(held) if held_bytes <= longest_bytes else None
                if first and line is not None:
                    line = line.removeprefix(_MARK)
                first = False
                yield line
                held, held_bytes = [], 0
    if held_bytes > longest_bytes:
        yield None
    elif held_bytes:
        last = b"".join(held)
        yield last.removeprefix(_MARK) if first else last


def _cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes at most `PIECE_BYTES` at a time: thousandfold compressed text comes in far longer pieces."""
    for piece in pieces:
        for start in range(0, len(piece), PIECE_BYTES):
            yield piece[start : start + PIECE_BYTES]


def _parse(index: int, raw: bytes) -> Line:
    try:
        text = raw.decode()
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
        if not isinstance(value, dict):
            kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(
                type(value), "a number"
            )
            return Line(index, None, f"The line is {kind}, not a JSON object.")
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        return Line(index, None, f"Byte {error.start + 1} of the line is not UTF-8.")
    except UnicodeEncodeError:
        return Line(index, None, "The line holds half of a surrogate pair, which is no character.")
    except json.JSONDecodeError as error:
        return Line(index, None, f"This is not JSON: {error.msg}, column {error.colno}.")
    except RecursionError:
        return Line(index, None, "The line is nested too deeply.")
    except _NotJson as error:
        return Line(index, None, str(error))
    except ValueError:  # the interpreter's limit on the digits of an integer
        return Line(index, None, "The line holds a number with thousands of digits.")
    return Line(index, value)


class _NotJson(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise _NotJson(f"The key {json.dumps(twice)} occurs more than once in one object.")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _NotJson(f"The number {digits[:20]} is too large.")
    return number


def _refuse(word: str) -> Any:
    raise _NotJson(f"{word} is not JSON.")
