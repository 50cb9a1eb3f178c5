"""One input file as a stream of bytes: what kind it is, and its text decompressed piece by piece.

What a file is, its first bytes say, never its name. Compressed text is read here rather than by a library that takes a path,
because a truncated or damaged stream must be noticed (a zstd reader ends quietly) and because the text before the damage counts.
"""

import os
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

from engine.errors import InputError
from engine.stream import diagnose

Kind = Literal["plain", "gzip", "zstd", "parquet"]

PIECE_BYTES = 1 << 18  # decompressed bytes handed on at once
# compressed bytes read at once: what they can become is held at a time (gzip up to 1,000 times as much, zstd 30,000 times)
_GZIP_BYTES = 1 << 15
_ZSTD_BYTES = 1 << 10


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A regular file that was there and not empty when it was opened."""

    path: Path
    name: str  # as the caller gave it, for messages
    kind: Kind
    num_bytes: int  # on disk
    mtime_ns: int

    def pieces(self, progress: Callable[[int], None] | None = None) -> Iterator[bytes]:
        """Yield the text (decompressed) in order, about `PIECE_BYTES` at a time, none of them empty.

        Parameters
        ----------
        progress : callable, optional
            Told the bytes of the file read so far, before each piece.

        Raises
        ------
        InputError
            `read_error`: the disk fails, the compressed stream is damaged or ends early, or the file is not the one that was
            opened any more. What could be read came first.
        """
        try:
            with self.path.open("rb") as file:
                for piece in self._decompressed(file):
                    if progress is not None:
                        progress(file.tell())
                    yield piece
                self.check(os.fstat(file.fileno()))
        except OSError as error:
            raise diagnose.unreadable(self.name, error.strerror or str(error)) from error

    def check(self, facts: os.stat_result) -> None:
        """Raise InputError (`read_error`) when what is known of the file now says that it was written since it was opened."""
        if (facts.st_size, facts.st_mtime_ns) != (self.num_bytes, self.mtime_ns):
            reason = f"it was written while it was in use ({self.num_bytes:,} bytes before, {facts.st_size:,} now)"
            raise diagnose.unreadable(self.name, reason, "Give a copy that nobody writes to, and start again.")

    def _decompressed(self, file: BinaryIO) -> Iterator[bytes]:
        if self.kind == "gzip":
            return self._members(file, _GZIP_BYTES, lambda: zlib.decompressobj(wbits=31), zlib.error)
        if self.kind == "zstd":
            import zstandard

            codec = zstandard.ZstdDecompressor()
            return self._members(
                file, _ZSTD_BYTES, lambda: cast("_Decompressor", codec.decompressobj()), zstandard.ZstdError
            )
        return iter(lambda: file.read(PIECE_BYTES), b"")

    def _members(
        self, file: BinaryIO, input_bytes: int, start: Callable[[], _Decompressor], failure: type[Exception]
    ) -> Iterator[bytes]:
        """Yield the text of all gzip members or zstd frames, one after the other; zero padding at the end is allowed."""
        current: _Decompressor | None = None
        held: list[bytes] = []
        held_bytes = 0
        try:
            while data := file.read(input_bytes):
                while data:
                    if current is None:
                        if not data.strip(b"\0"):
                            break
                        current = start()
                    text = current.decompress(data)
                    data = b""
                    if text:
                        held.append(text)
                        held_bytes += len(text)
                    if current.eof:
                        data = current.unused_data
                        current = None
                    if held_bytes >= PIECE_BYTES:
                        yield b"".join(held)
                        held, held_bytes = [], 0
        except failure as error:
            if held:
                yield b"".join(held)
            raise diagnose.damaged(self.name, self.kind, str(error)) from error
        if held:
            yield b"".join(held)
        if current is not None:
            raise diagnose.damaged(self.name, self.kind, "it ends in the middle of the compressed stream")


def open_source(path: Path, name: str) -> Source:
    """Look at a file: that it is there, readable and not empty, and what kind it is.

    Raises
    ------
    InputError
        `file_not_found`, `read_error` (a folder, a pipe, no permission) or `invalid_file_size` (no bytes).
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            what = "a folder" if stat.S_ISDIR(facts.st_mode) else "not a regular file"
            raise diagnose.unreadable(name, f"it is {what}")
        with path.open("rb") as file:
            head = file.read(5)
    except FileNotFoundError as error:
        raise InputError(
            f"{name}: there is no such file ({path}).", code="file_not_found", file=name, cure="Check the path."
        ) from error
    except OSError as error:
        raise diagnose.unreadable(name, error.strerror or str(error)) from error
    if facts.st_size == 0:
        raise diagnose.empty(name)
    return Source(path=path, name=name, kind=kind_of(head), num_bytes=facts.st_size, mtime_ns=facts.st_mtime_ns)


def kind_of(head: bytes) -> Kind:
    """Return what a file is from its first bytes (five, or fewer if it has no more)."""
    magic, after = head[:4], head[4:5]
    if magic[:2] == b"\x1f\x8b":
        return "gzip"
    if magic == b"\x28\xb5\x2f\xfd" or (
        magic[1:] == b"\x2a\x4d\x18" and 0x50 <= magic[0] <= 0x5F
    ):  # or a skippable frame
        return "zstd"
    if magic == b"PAR1" and not after.isspace() and after < b" ":  # a column of a CSV may be called PAR1, too
        return "parquet"
    return "plain"
