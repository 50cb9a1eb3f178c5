"""Identifiers and times as the wire has them: a prefix and 26 characters that sort by time; RFC 3339 in UTC, six decimals."""

import hashlib
import re
import secrets
import threading
import time
from datetime import UTC, datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
CHARACTERS = 26

_RANDOM_BITS = 80  # below 48 bits of milliseconds, as in a ULID
_FORM = re.compile(r"[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}")

_turn = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """Return a new id, greater than all that this process made before."""
    global _last  # noqa: PLW0603 - ids of one process increase
    number = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    with _turn:
        _last = number = max(number, _last + 1)
    return f"{prefix}_{_spell(number)}"


def derived_id(prefix: str, *parts: str) -> str:
    """Return the id that belongs to these texts: the same for the same texts, for ever."""
    named = "\0".join(parts).encode(errors="surrogatepass")  # file names need not be Unicode
    return f"{prefix}_{_spell(int.from_bytes(hashlib.sha256(named).digest()[:16], 'big'))}"


def is_id(text: str, prefix: str) -> bool:
    """Tell whether a text has the form of an id with this prefix."""
    return text.startswith(f"{prefix}_") and _FORM.fullmatch(text) is not None


def now() -> str:
    """Return the time."""
    return at(time.time())


def at(seconds: float) -> str:
    """Return a Unix time as text: `2026-11-23T09:00:00.120450Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _spell(number: int) -> str:
    letters = []
    for _ in range(CHARACTERS):
        number, digit = divmod(number, 32)
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))
