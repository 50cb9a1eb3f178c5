"""What a request says: who asks, which page, which filters, which body. What is out of range is refused, never adapted."""

import json
import re
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from engine.errors import Problem, RequestError
from engine.jobs.access import Access
from engine.server.errors import TooLarge, Unauthorized
from engine.server.parameters import LIMIT, OFFSET, Choice, Parameter, Text, Whole

BODY_BYTES = 64 << 20
_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class Doorman:
    """Who may come in: those with a key, or anybody where the server was started so."""

    access: Access
    open_to_all: bool

    def organisation(self, request: Request) -> str:
        """Return whose request it is. Raises Unauthorized."""
        if self.open_to_all:
            return self.access.organisation().id
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        found = self.access.identify(text.strip()) if scheme.lower() == "bearer" and text.strip() else None
        if found is None:
            raise Unauthorized
        return found


class Query:
    """The query of a request; problems gather until `check`."""

    def __init__(self, request: Request) -> None:
        self._given = request.query_params
        self._problems: list[Problem] = []

    def text(self, asked: Parameter) -> str | None:
        """Return a parameter, None where it is missing or empty."""
        return self._given.get(asked.name) or None

    def texts(self, asked: Text) -> list[str]:
        """Return all values of a repeatable parameter."""
        return [value for value in self._given.getlist(asked.name) if value]

    def choice(self, asked: Choice) -> str:
        """Return a parameter that is one of some words."""
        given = self._given.get(asked.name)
        if not given or given in asked.choices:
            return given or asked.usual
        self._refuse(asked.name, f"must be one of {', '.join(asked.choices)}", given)
        return asked.usual

    def flag(self, asked: Choice) -> bool:
        """Return a parameter that is true or false."""
        return self.choice(asked) in ("true", "1")

    def whole(self, asked: Whole) -> int | None:
        """Return a whole number within its bounds."""
        given, low, high = self._given.get(asked.name), asked.low, asked.high
        if not given:
            return asked.usual
        number = int(given) if _WHOLE.fullmatch(given) else None
        if number is None or (low is not None and number < low) or (high is not None and number > high):
            bounds = "" if low is None else f", at least {low}" if high is None else f", {low} to {high}"
            self._refuse(asked.name, f"must be a whole number{bounds}", given)
            return asked.usual
        return number

    def number(self, asked: Whole) -> int:
        """Return a whole number that has a usual value."""
        found = self.whole(asked)
        assert found is not None
        return found

    def page(self) -> tuple[int, int]:
        """Return offset and limit."""
        return self.number(OFFSET), self.number(LIMIT)

    def check(self) -> None:
        """Raise RequestError with every problem found so far."""
        if self._problems:
            raise RequestError(self._problems)

    def refuse(self, name: str, message: str) -> None:
        """Note a problem."""
        self._problems.append(Problem("invalid_parameter", message, name))

    def _refuse(self, name: str, rule: str, given: str) -> None:
        self.refuse(name, f"{name} {rule}; got {given[:80]!a}.")


def declared_bytes(request: Request) -> int | None:
    """Return how long a body is said to be, None where that is not said."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 19 else None


async def read_body(request: Request, limit: int = BODY_BYTES) -> bytes:
    """Return the whole body. Raises TooLarge."""
    if (declared_bytes(request) or 0) > limit:
        raise TooLarge(limit)
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise TooLarge(limit)
        pieces.append(piece)
    return b"".join(pieces)


def check_text(body: bytes) -> None:
    """Refuse JSON that is not UTF-8, and texts that are not Unicode: half of a character can be written as an escape.

    Readers of JSON take UTF-16 too, with a mark or without: what is written in it would not be seen here.

    Raises
    ------
    RequestError
    """
    try:
        strange = b"\0" in body or not body.decode()
    except UnicodeDecodeError:
        strange = True
    if strange and body:
        raise RequestError([Problem("INVALID_REQUEST", "The body is not UTF-8 text.", "", "Send JSON as UTF-8.")])
    if b"\\ud" not in body and b"\\uD" not in body:
        return
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        message = "A text in the body is not Unicode: it has half of a surrogate pair."
        raise RequestError([Problem("INVALID_REQUEST", message)]) from None
    except (ValueError, RecursionError):
        return  # who reads it says what is wrong


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a body; an empty body is an empty one. Raises RequestError."""
    body = await read_body(request)
    if not body.strip():
        return {}
    check_text(body)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise RequestError([Problem("INVALID_REQUEST", "The body must be a JSON object.")])
    return document
