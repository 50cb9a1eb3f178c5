"""Absolute links to objects that need no key."""

import time
from dataclasses import dataclass

from fastapi import Request

from engine.jobs.ids import at
from engine.jobs.signing import Signer

LIFETIME_S = 3600


@dataclass(frozen=True, slots=True)
class Link:
    """A signed link and when it expires, RFC 3339."""

    url: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links for one request: they lead to the host that it came to, unless the server has a public address.

    Attributes
    ----------
    root : str
        `http://127.0.0.1:8080`, without a slash at its end.
    """

    signer: Signer
    root: str

    @classmethod
    def of(cls, request: Request, signer: Signer, public_url: str | None) -> "Links":
        """Return the links of a request."""
        host = request.headers.get("host") or request.url.netloc
        return cls(signer, public_url.rstrip("/") if public_url else f"{request.url.scheme}://{host}")

    def to(self, place: str, *, lifetime_s: int = LIFETIME_S, method: str = "GET") -> Link:
        """Return a link to an object: `out_...`, `fil_...`."""
        expires = int(time.time()) + lifetime_s
        return Link(f"{self.root}/blob/{place}?{self.signer.sign(method, place, expires)}", at(expires))
