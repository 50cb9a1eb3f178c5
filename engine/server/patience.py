"""Limits on requests that do not end: whoever begins one must go on with it, and its head must be one that somebody could mean."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.errors import Problem
from engine.server.errors import body_of

HEAD_S = 20.0  # for the request line and the headers, from the connection or the end of the last answer on
BODY_S = 30.0  # for a body, and a second more for every
BODY_RATE = 1000.0  # bytes of it that came
HEAD_BYTES = 65_536  # of the request line and the headers; and of what comes around a body's bytes, more than these are

LATE = Problem("request_timeout", "The request was begun, and then did not come.", "", "Send it again.")
TOO_LARGE = Problem("payload_too_large", f"The head of the request is larger than {HEAD_BYTES:,} bytes.")
MALFORMED = Problem("INVALID_REQUEST", "This is not a request of HTTP/1.1.")


class PatientProtocol(HttpToolsProtocol):
    """Answers 408 or 431 and hangs up where a head or a body takes longer than any honest line needs, or a head grows beyond measure.

    Time in which the server itself does not read (its disk is slower than the line) is not held against the client.
    """

    head_s, body_s, body_rate = HEAD_S, BODY_S, BODY_RATE

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._watch: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._allowed_bytes = HEAD_BYTES

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._expect(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; of those that are no body only so many are held, whatever they are (headers, chunk sizes, trailers)."""
        self._allowed_bytes -= len(data)  # first: where a request begins in the middle of these bytes, it starts anew
        super().data_received(data)
        if self._allowed_bytes < 0 and not self.transport.is_closing():
            self._done()
            cycle: Any = self.cycle
            if cycle is None or cycle.response_complete:
                self.transport.write(_refusal("431 Request Header Fields Too Large", TOO_LARGE))
            self.transport.close()

    def on_message_begin(self) -> None:
        """Wait for the head of a further request; the first one's clock runs since the connection."""
        super().on_message_begin()
        self._allowed_bytes = HEAD_BYTES
        if self._watch is None:
            self._expect(self.head_s)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        super().on_headers_complete()
        self._expect(self.body_s)

    def on_body(self, body: bytes) -> None:
        """Give time for what is still to come."""
        self._due += len(body) / self.body_rate
        self._allowed_bytes += 2 * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here; the answer takes what it takes."""
        self._done()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it would name the parser
        """Refuse what is no HTTP, in the form that every error has here."""
        self.transport.write(_refusal("400 Bad Request", MALFORMED))
        self.transport.close()

    def _expect(self, seconds: float) -> None:
        self._done()
        self._due = self.loop.time() + seconds
        self._watch = self.loop.call_later(seconds, self._look)

    def _done(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look(self) -> None:
        self._watch = None
        now = self.loop.time()
        if self.flow.read_paused:
            self._due = max(self._due, now + self.body_s)
        if now < self._due:
            self._watch = self.loop.call_at(self._due, self._look)
        elif not self.transport.is_closing():
            cycle: Any = self.cycle  # none yet, or that of the last request
            if not self.pipeline and (cycle is None or cycle.response_complete or not cycle.response_started):
                self.transport.write(_refusal("408 Request Timeout", LATE))
            self.transport.close()


def _refusal(status: str, problem: Problem) -> bytes:
    body = json.dumps(body_of([problem])).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body
