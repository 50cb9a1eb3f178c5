"""What a supervisor and a worker say to each other: JSON lines over a socket pair."""

import json
import socket
import threading
from typing import Any

Message = dict[str, Any]

_READ_BYTES = 1 << 16


class Channel:
    """One end of the line. Any thread may send; one thread receives."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._turn = threading.Lock()
        self._held = b""

    def send(self, message: Message) -> bool:
        """Send a message; False when the other end is gone."""
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            with self._turn:
                self.end.sendall(line)
        except OSError:
            return False
        return True

    def receive(self) -> list[Message] | None:
        """Wait for bytes and return the messages that they complete, perhaps none; None when the other end is gone."""
        try:
            data = self.end.recv(_READ_BYTES)
        except OSError:
            return None
        if not data:
            return None
        *lines, self._held = (self._held + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Close this end. May be called again."""
        self.end.close()
