"""Who may ask: organisations, their keys (kept as digests), and the secrets that links are signed with.

One small file, readable by its owner only, replaced whole under a lock; it is read again when it has changed, so that a key which
the command line revokes is refused by a running server at once.
"""

import base64
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from engine.errors import OutputError
from engine.jobs.home import Home
from engine.jobs.ids import new_id, now
from engine.output.files import publish, refusal

KEY_PREFIX = "eng_"
KEPT_SECRETS = 2  # the one that signs, and the one before: links that it signed go on

Document = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whom files and jobs belong to."""

    id: str
    name: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without its text. `hint` is its beginning, by which its owner knows it again."""

    id: str
    org_id: str
    name: str
    hint: str
    sha256: str
    created_at: str
    revoked_at: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """What links are signed with."""

    id: str
    value: bytes


class Access:
    """The organisations, keys and secrets of a home. Threads and processes may share it.

    Raises
    ------
    OutputError
        In every method: the file is damaged, or cannot be read or written.
    """

    def __init__(self, home: Home) -> None:
        self._path = home.access
        self._lock = home.access.with_suffix(".lock")
        self._turn = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: Document = {"organisations": [], "keys": [], "secrets": []}

    def organisation(self) -> Organisation:
        """Return the first organisation; it is made when there is none."""
        with self._change() as document:
            if not document["organisations"]:
                made = Organisation(new_id("org"), "default", now())
                document["organisations"].append(asdict(made))
            return Organisation(**document["organisations"][0])

    def create_key(self, name: str, org_id: str | None = None) -> tuple[Key, str]:
        """Make a key of an organisation, by default the first; return it with its text, which is not kept."""
        owner = org_id or self.organisation().id
        text = KEY_PREFIX + secrets.token_urlsafe(32)
        key = Key(new_id("key"), owner, name, text[:8], _digest(text), now())
        with self._change() as document:
            document["keys"].append(asdict(key))
        return key, text

    def all_keys(self) -> list[Key]:
        """Return all keys, revoked ones too, oldest first."""
        return [Key(**key) for key in self._read()["keys"]]

    def revoke(self, key_id: str) -> Key:
        """Refuse a key from now on. Raises LookupError when there is none of this id."""
        with self._change() as document:
            for place, key in enumerate(document["keys"]):
                if key["id"] == key_id:
                    document["keys"][place] = {**key, "revoked_at": key["revoked_at"] or now()}
                    return Key(**document["keys"][place])
        raise LookupError(key_id)

    def identify(self, text: str) -> str | None:
        """Return the organisation that a key's text belongs to, None for an unknown or revoked one. Looks at every key, always."""
        digest, found = _digest(text), None
        for key in self._read()["keys"]:
            if hmac.compare_digest(key["sha256"], digest) and key["revoked_at"] is None:
                found = key["org_id"]
        return found

    def secrets(self) -> list[Secret]:
        """Return the secrets that links may be signed with, newest first; one is made when there is none."""
        if not self._read()["secrets"]:
            with self._change() as document:
                if not document["secrets"]:
                    document["secrets"].append(_new_secret())
        return [Secret(one["id"], base64.b64decode(one["value"])) for one in self._read()["secrets"]]

    def rotate(self) -> Secret:
        """Sign with a new secret from now on; what the one before it signed stays valid."""
        with self._change() as document:
            document["secrets"] = [_new_secret(), *document["secrets"]][:KEPT_SECRETS]
            newest = document["secrets"][0]
        return Secret(newest["id"], base64.b64decode(newest["value"]))

    def _read(self) -> Document:
        with self._turn:
            try:
                facts = self._path.stat()
            except FileNotFoundError:
                return {"organisations": [], "keys": [], "secrets": []}
            seen = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
            if seen != self._seen:
                self._known, self._seen = self._load(), seen
            return self._known

    def _load(self) -> Document:
        try:
            document = json.loads(self._path.read_bytes())
            return {name: list(document[name]) for name in ("organisations", "keys", "secrets")}
        except FileNotFoundError:
            return {"organisations": [], "keys": [], "secrets": []}
        except OSError as error:
            raise refusal(error, self._path) from error
        except (ValueError, KeyError, TypeError) as error:
            raise OutputError(
                f"{self._path} is damaged.",
                code="access_broken",
                cure="Put it back from a copy; or move it away: keys have to be made anew then.",
            ) from error

    @contextmanager
    def _change(self) -> Iterator[Document]:
        """Give the newest content for changing, and publish it if it was changed. One process at a time."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise refusal(error, self._lock) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            document = self._load()
            before = json.dumps(document)
            yield document
            if json.dumps(document) != before:
                self._publish(document)
        finally:
            os.close(descriptor)

    def _publish(self, document: Document) -> None:
        # Made with narrow rights from the start: a draft that is widely readable for an instant is readable.
        draft = self._path.with_name(f".{self._path.name}.tmp")
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        publish(self._path, json.dumps(document, indent=1).encode() + b"\n")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _new_secret() -> dict[str, str]:
    return {"id": new_id("sec"), "value": base64.b64encode(secrets.token_bytes(32)).decode()}
