"""Links that need no key: a digest over method, object and expiry, made with a secret that only the server knows (RFC 2104, SHA-256)."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from engine.errors import EngineError
from engine.jobs.access import Access

READING = {"GET": "GET", "HEAD": "GET"}  # who may read may look


class SignatureRefused(EngineError):
    """A link is forged, altered, for something else, or too old."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message, code="forbidden", cure=cure)


class Signer:
    """Signs and checks links with the secrets of a home."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def sign(self, method: str, place: str, expires: int) -> str:
        """Return the query of a link: until `expires`, a Unix time, `method` is allowed on `place`."""
        secret = self._access.secrets()[0]
        digest = _sign(secret.value, method, place, str(expires), secret.id)
        return urlencode({"exp": expires, "kid": secret.id, "sig": digest})

    def check(self, method: str, place: str, query: Mapping[str, str], now: float) -> None:
        """Let a link pass that this home signed and that has not expired at `now`, a Unix time. Raises SignatureRefused."""
        expires, key_id, given = (query.get(name, "") for name in ("exp", "kid", "sig"))
        valid = False
        for secret in self._access.secrets():
            digest = _sign(secret.value, method, place, expires, key_id)
            valid |= hmac.compare_digest(digest.encode(), given.encode(errors="replace")) and secret.id == key_id
        if not valid:
            raise SignatureRefused("This link is not valid.", cure="List the object again for a new one.")
        if int(expires) <= now:
            raise SignatureRefused("This link has expired.", cure="List the object again for a new one.")


def _sign(secret: bytes, method: str, *parts: str) -> str:
    told = [READING.get(method, method), *parts]
    message = b"".join(f"{len(part.encode(errors='replace'))}:{part}".encode(errors="replace") for part in told)
    return hmac.new(secret, message, hashlib.sha256).hexdigest()
