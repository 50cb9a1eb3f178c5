"""Uploads in parts: begun, filled in any order, gone on with after a break, and made a file in one step.

Each is a folder of its own: `upload.json`, and for every part that is whole its bytes and a small file with their tag. Nothing of it is
seen among the files before `complete`.
"""

import base64
import hashlib
import json
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from google_crc32c import Checksum

from engine.errors import Problem, RequestError
from engine.jobs.file_facts import FileRefused, check_name, check_type
from engine.jobs.files import FileStore, StoredFile
from engine.jobs.home import Home
from engine.jobs.ids import at, is_id, new_id, now
from engine.jobs.records import Conflict, NotFound
from engine.jobs.room import Room
from engine.output.files import Draft, make_folder, publish

PART_BYTES = 419_430_400
LARGEST_BYTES = 250_000_000_000
LIFETIME_S = 7 * 86_400  # of an upload that nobody goes on with
_READ_BYTES = 1 << 20

State = Literal["open", "complete", "corrupt"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an upload: its 1-based number, and which bytes of the file it is."""

    number: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `checkpointed` maps part numbers, as text, to the tags that the client has acknowledged."""

    id: str
    org_id: str
    file_uid: str
    name: str
    file_type: str
    num_bytes: int
    created_at: str
    expires_at: str
    state: State = "open"
    checkpointed: dict[str, str] = field(default_factory=dict)

    @property
    def num_parts(self) -> int:
        """Return how many parts there are."""
        return -(-self.num_bytes // PART_BYTES)

    def part(self, number: int) -> Part:
        """Return a part by its number."""
        offset = (number - 1) * PART_BYTES
        return Part(number, offset, min(PART_BYTES, self.num_bytes - offset))

    def parts(self) -> list[Part]:
        """Return all parts in order."""
        return [self.part(number) for number in range(1, self.num_parts + 1)]


class Uploads:
    """The uploads of a home. Threads may share it."""

    def __init__(self, home: Home, files: FileStore, room: Room | None = None) -> None:
        self._folder = home.uploads
        self._files = files
        self._room = room
        self._turn = threading.RLock()

    def initiate(
        self, org_id: str, name: str, file_type: str | None, num_bytes: int, *, resume: bool = False
    ) -> tuple[Upload, bool]:
        """Begin an upload, or with `resume` go on with one of this name; tell which.

        Raises
        ------
        FileRefused
            For the name, the type or the size.
        Conflict
            A file has this name already; or the upload to go on with is of another size or type.
        NoRoom
            The disk has none for the parts and, beside them, the file that they become.
        """
        name, kind = check_name(name), check_type(name, file_type)
        if not 1 <= num_bytes <= LARGEST_BYTES:
            status = 413 if num_bytes > LARGEST_BYTES else 400
            raise FileRefused(
                f"{name} cannot have {num_bytes:,} bytes: 1 to {LARGEST_BYTES:,} are taken.",
                code="invalid_file_size",
                status=status,
            )
        with self._turn:
            try:
                self._files.find(org_id, name)
            except LookupError:
                pass
            else:
                raise Conflict(f"File already exists: {name}", cure="Delete it first, or choose another name.")
            for begun in list(self._all()):
                if (begun.org_id, begun.name, begun.state) != (org_id, name, "open"):
                    continue
                if resume:
                    if (begun.num_bytes, begun.file_type) != (num_bytes, kind):
                        message = f"An upload of {name} with {begun.num_bytes:,} bytes, {begun.file_type}, was begun."
                        raise Conflict(
                            message, cure="Go on with the same file, or begin anew without resume_if_started."
                        )
                    return begun, True
                self._remove(begun)
            if self._room is not None:
                self._room.check_upload(2 * num_bytes, name=name)
            begun_at = time.time()
            upload = Upload(
                new_id("upl"), org_id, new_id("fil"), name, kind, num_bytes, at(begun_at), at(begun_at + LIFETIME_S)
            )
            make_folder(self._folder / upload.id)
            self._save(upload)
            return upload, False

    def find(self, org_id: str | None, upload_id: str) -> Upload:
        """Return an upload; `org_id` None is for who has a signed link. Raises NotFound."""
        upload = self._load(upload_id) if is_id(upload_id, "upl") else None
        if upload is None or org_id not in (None, upload.org_id):
            raise NotFound(f"Upload {upload_id[:64]!a} not found.", code="upload_not_found")
        return upload

    def receive(self, upload: Upload, number: int, declared_bytes: int | None = None) -> "IncomingPart":
        """Begin to take a part's bytes; they count when `finish` returns.

        Parameters
        ----------
        declared_bytes
            What the client says it will send: a wrong length is refused before any of it comes.

        Raises
        ------
        NotFound, Conflict, RequestError
            There is no such part; the upload has ended; another length is declared.
        NoRoom
            The disk has none for the part.
        """
        if not 1 <= number <= upload.num_parts:
            raise NotFound(f"This upload has no part {number}; it has {upload.num_parts}.")
        _check_open(upload)
        part = upload.part(number)
        if declared_bytes not in (None, part.length):
            raise _wrong_length(part, f"{declared_bytes:,}")
        if self._room is not None:
            self._room.check_upload(part.length)
        return IncomingPart(self._folder / upload.id, part)

    def checkpoint(self, org_id: str, upload_id: str, tokens: Mapping[int, str]) -> int:
        """Take note of parts that the client knows to be there; return how many these are in all. Raises RequestError."""
        with self._turn:
            upload = self.find(org_id, upload_id)
            _check_open(upload)
            self._check_tokens(upload, tokens)
            known = {**upload.checkpointed, **{str(number): token for number, token in tokens.items()}}
            self._save(replace(upload, checkpointed=known))
            return len(known)

    def complete(self, org_id: str, upload_id: str, tokens: Mapping[int, str], checksum: str | None) -> StoredFile:
        """Make the parts a file.

        Parameters
        ----------
        tokens
            The tag of each part that is not checkpointed; of others it may be given again.
        checksum
            Base64 of the big-endian CRC-32C of the whole.

        Raises
        ------
        RequestError
            `invalid_part`: a part is missing or has another tag.
        FileRefused
            `integrity_check_failed`: the upload is given up.
        Conflict
            It was completed before, or the name was taken meanwhile.
        NoRoom
            The disk has none for the file beside its parts.
        """
        with self._turn:
            upload = self.find(org_id, upload_id)
            _check_open(upload)
            self._check_tokens(upload, tokens)
            told = {int(number) for number in upload.checkpointed} | set(tokens)
            missing = [part.number for part in upload.parts() if part.number not in told]
            if missing:
                raise _invalid_part(
                    f"Parts {_listed(missing)} of {upload.num_parts} are neither listed nor checkpointed."
                )
            self._check_tokens(upload, {int(number): token for number, token in upload.checkpointed.items()})
            try:
                self._files.find(org_id, upload.name)
            except LookupError:
                pass
            else:
                raise Conflict(f"File already exists: {upload.name}", cure="Delete it first.")
            if self._room is not None:
                self._room.check_upload(upload.num_bytes)
            crc = Checksum()
            with self._files.receive(
                org_id, upload.name, upload.file_type, limit=LARGEST_BYTES, uid=upload.file_uid
            ) as incoming:
                for piece in self._bytes(upload):
                    crc.update(piece)
                    incoming.write(piece)
                if checksum is not None and checksum != base64.b64encode(crc.digest()).decode():
                    self._close(upload, "corrupt")
                    raise FileRefused(
                        f"{upload.name}: the bytes that arrived have another CRC-32C than {checksum[:16]!a}.",
                        code="integrity_check_failed",
                        cure="Upload it again.",
                    )
                file = incoming.finish()
            self._close(upload, "complete")
            return file

    def abort(self, org_id: str, upload_id: str) -> None:
        """Give up an upload. Raises NotFound, or Conflict after `complete`."""
        with self._turn:
            upload = self.find(org_id, upload_id)
            if upload.state == "complete":
                raise Conflict(f"Upload {upload_id} is complete and cannot be aborted.", cure="Delete the file.")
            self._remove(upload)

    def sweep(self) -> int:
        """Remove uploads that nobody went on with in time or that cannot be read, and end what a kill cut short; count the removed.

        After the files were rebuilt: an upload whose file is there was complete.
        """
        removed = 0
        for folder in self._folder.iterdir():
            upload = self._load(folder.name)
            if upload is None or upload.expires_at < now():
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
            else:
                for draft in folder.glob(".*.tmp"):
                    draft.unlink()
                if upload.state == "open" and self._is_file(upload):
                    self._close(upload, "complete")
                elif upload.state != "open":
                    self._drop_parts(upload)
        return removed

    def open(self) -> list[Upload]:
        """Return the uploads that somebody may go on with."""
        return [upload for upload in self._all() if upload.state == "open"]

    def _check_tokens(self, upload: Upload, tokens: Mapping[int, str]) -> None:
        for number, token in tokens.items():
            known = self._tag(upload, number) if 1 <= number <= upload.num_parts else None
            if known is None:
                raise _invalid_part(f"Part {number} was not uploaded.")
            if known != token:
                raise _invalid_part(f"Part {number} has another part_token than {token[:64]!a}.")

    def _tag(self, upload: Upload, number: int) -> str | None:
        try:
            tag: str = json.loads((self._folder / upload.id / f"{number}.json").read_bytes())["tag"]
        except FileNotFoundError:
            return None
        return tag

    def _bytes(self, upload: Upload) -> Iterator[bytes]:
        for part in upload.parts():
            with (self._folder / upload.id / f"{part.number}.{self._tag(upload, part.number)}").open("rb") as file:
                while piece := file.read(_READ_BYTES):
                    yield piece

    def _close(self, upload: Upload, state: State) -> None:
        self._save(replace(upload, state=state))
        self._drop_parts(upload)

    def _drop_parts(self, upload: Upload) -> None:
        for path in (self._folder / upload.id).iterdir():
            if path.name != "upload.json":
                path.unlink()

    def _is_file(self, upload: Upload) -> bool:
        """Tell whether the upload became a file, though a kill came before that was noted here."""
        try:
            self._files.by_uid(upload.file_uid)
        except LookupError:
            return False
        return True

    def _remove(self, upload: Upload) -> None:
        shutil.rmtree(self._folder / upload.id, ignore_errors=True)

    def _all(self) -> Iterator[Upload]:
        for folder in self._folder.iterdir():
            upload = self._load(folder.name)
            if upload is not None:
                yield upload

    def _load(self, upload_id: str) -> Upload | None:
        try:
            return Upload(**json.loads((self._folder / upload_id / "upload.json").read_bytes()))
        except (
            FileNotFoundError,
            NotADirectoryError,
            ValueError,
            TypeError,
        ):  # gone, or damaged: nothing to go on with
            return None

    def _save(self, upload: Upload) -> None:
        publish(self._folder / upload.id / "upload.json", json.dumps(asdict(upload)).encode())


class IncomingPart:
    """A part on its way in; one that was there before stays until this one is whole."""

    def __init__(self, folder: Path, part: Part) -> None:
        self._folder, self._part = folder, part
        self._draft = Draft(folder / f"{part.number}.{new_id('prt')}")
        self._tag = hashlib.md5(usedforsecurity=False)

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises RequestError beyond the part's length."""
        if self._draft.size_bytes + len(data) > self._part.length:
            raise _wrong_length(self._part, "more")
        self._draft.write(data)
        self._tag.update(data)

    def finish(self) -> str:
        """Let the part count and return its tag. Raises RequestError when bytes are missing."""
        if self._draft.size_bytes < self._part.length:
            raise _wrong_length(self._part, f"{self._draft.size_bytes:,}")
        tag = self._tag.hexdigest()
        self._draft.publish()
        self._draft.path.rename(self._folder / f"{self._part.number}.{tag}")
        publish(self._folder / f"{self._part.number}.json", json.dumps({"tag": tag}).encode())
        for path in self._folder.glob(f"{self._part.number}.*"):
            if path.suffix not in (".json", f".{tag}"):
                path.unlink(missing_ok=True)
        return tag

    def __enter__(self) -> Self:
        """Return the part itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget what was not finished."""
        self._draft.discard()


def _check_open(upload: Upload) -> None:
    if upload.state != "open":
        raise Conflict(f"Upload {upload.id} is {upload.state}.", cure="Begin a new one.")


def _wrong_length(part: Part, got: str) -> RequestError:
    return _invalid_part(f"Part {part.number} has {part.length:,} bytes; got {got}.")


def _invalid_part(message: str) -> RequestError:
    return RequestError([Problem("invalid_part", message, "parts")])


def _listed(numbers: Sequence[Any]) -> str:
    return ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
