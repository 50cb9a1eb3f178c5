"""Uploads as they come over the wire: a multipart form, written to the disk while it arrives, or base64 text in one."""

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from engine.errors import Problem, RequestError
from engine.jobs.files import FileStore, Incoming, StoredFile

FIELD = "file"
_HEADER_BYTES = 16_384  # of one part
_LINE = 4  # characters of base64 that are decoded on their own


class Form:
    """The part `file` of a multipart form, handed to the store piece by piece; other parts are passed over.

    Parameters
    ----------
    store, org_id
        Where the file goes.
    encoded : bool
        The part's content is base64 text.

    Raises
    ------
    RequestError
        In `feed` and `finish`: it is no such form, or the part is missing.
    FileRefused
        The name, the type or the size cannot be.
    """

    def __init__(self, store: FileStore, org_id: str, content_type: str, *, encoded: bool) -> None:
        self._store, self._org_id, self._encoded = store, org_id, encoded
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise _wrong("The body must be a multipart form with a boundary.")
        self._headers: dict[str, bytes] = {}
        self._name = self._value = b""
        self._open = False
        self._left = b""
        self.incoming: Incoming | None = None
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._take_name,
            "on_header_value": self._take_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._take,
            "on_part_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise _wrong("The body is not a well-formed multipart form.") from None

    def finish(self) -> StoredFile:
        """Return the file, which is there now."""
        try:
            self._parser.finalize()
        except FormParserError:
            raise _wrong("The multipart form ends early.") from None
        if self.incoming is None:
            message = "The form has no part 'file' with a filename."
            raise RequestError([Problem("missing_parameter", message, FIELD)])
        if self._open:
            raise _wrong("The multipart form ends early.")
        return self.incoming.finish()

    def discard(self) -> None:
        """Forget what was not finished. May be called again."""
        if self.incoming is not None:
            self.incoming.__exit__(None, None, None)

    def _begin(self) -> None:
        self._headers = {}

    def _take_name(self, data: bytes, start: int, end: int) -> None:
        self._name = (self._name + data[start:end])[:_HEADER_BYTES]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value = (self._value + data[start:end])[:_HEADER_BYTES]

    def _end_header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        if options.get(b"name") != FIELD.encode() or b"filename" not in options or self.incoming is not None:
            return
        try:
            name = options[b"filename"].decode()
        except UnicodeDecodeError:
            name = options[b"filename"].decode("latin-1")
        kind = self._headers.get("content-type", b"").decode("latin-1")
        self.incoming = self._store.receive(self._org_id, name, kind)
        self._open = True

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self.incoming is None or not self._open:
            return
        piece = data[start:end]
        if self._encoded:
            text = self._left + b"".join(piece.split())
            whole = len(text) - len(text) % _LINE
            piece, self._left = decode(text[:whole]), text[whole:]
        if piece:
            self.incoming.write(piece)

    def _end(self) -> None:
        if self._open and self._left:
            raise _not_base64()
        self._open = False


async def receive_form(request: Request, store: FileStore, org_id: str, *, encoded: bool) -> StoredFile:
    """Take an upload from a request's body, in constant memory."""
    form = Form(store, org_id, request.headers.get("content-type", ""), encoded=encoded)
    try:
        async for piece in _pieces(request):
            await run_in_threadpool(form.feed, piece)
        return await run_in_threadpool(form.finish)
    finally:
        await run_in_threadpool(form.discard)


def decode(text: bytes) -> bytes:
    """Decode base64. Raises RequestError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _not_base64() from None


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        if piece:
            yield piece


def _wrong(message: str) -> RequestError:
    cure = "Send the file as the part 'file' of multipart/form-data: curl -F file=@line7.csv."
    return RequestError([Problem("INVALID_REQUEST", message, "", cure)])


def _not_base64() -> RequestError:
    return RequestError([Problem("INVALID_REQUEST", "The file's content is not base64.", FIELD)])
