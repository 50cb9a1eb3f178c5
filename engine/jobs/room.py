"""Room on the disk of a home: what is free, what stays in reserve, what running jobs will still write; and what that leaves.

A disk that runs full fails whatever is being written, the index and the journals too. So nothing is begun that would take the disk below a
reserve: an upload is refused, a job waits.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.jobs.file_facts import FileRefused
from engine.output.files import refusal

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*(%|[kmgt]?b)?", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


class NoRoom(EngineError):
    """The disk has not enough room for this now; that may change."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message, code="unavailable", cure=cure)


@dataclass(frozen=True, slots=True)
class Reserve:
    """How much of a disk stays free: a share of it, within bounds. With `most_bytes` 0 nothing does, and nothing is refused."""

    share: float = 0.02
    least_bytes: int = 10**9
    most_bytes: int = 20 * 10**9  # two per cent of a large disk is more than anything needs

    @classmethod
    def parse(cls, text: str) -> "Reserve":
        """Return the reserve that a text asks for: `5GB`, `500 MB`, `3%`, a number of bytes. Raises ValueError."""
        found = _SIZE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no size: write 5GB, 500MB, 3% or a number of bytes; 0 switches it off.")
        number, unit = float(found[1]), (found[2] or "b").lower()
        if unit == "%":
            if number >= 100:
                raise ValueError(f"{text!r} leaves nothing of the disk.")
            return cls(number / 100, 0, 2**62 if number else 0)
        num_bytes = int(number * _UNITS[unit])
        return cls(0.0, num_bytes, num_bytes)

    def of(self, total_bytes: int) -> int:
        """Return the bytes of a disk of this size that stay free."""
        return min(self.most_bytes, max(self.least_bytes, int(self.share * total_bytes)))


@dataclass(frozen=True, slots=True)
class Space:
    """A disk at one moment. `promised_bytes` is what running jobs are expected to write still."""

    total_bytes: int
    free_bytes: int
    reserve_bytes: int
    promised_bytes: int

    @property
    def usable_bytes(self) -> int:
        """Return what may be taken; negative where the reserve is touched already."""
        return self.free_bytes - self.reserve_bytes - self.promised_bytes

    def __str__(self) -> str:
        """Say it to a person."""
        promised = f", {say_bytes(self.promised_bytes)} are what running jobs will write" if self.promised_bytes else ""
        return (
            f"{say_bytes(self.free_bytes)} are free, {say_bytes(self.reserve_bytes)} of these stay in reserve{promised}"
        )


Measure = Callable[[Path], tuple[int, int]]
"""Returns the bytes of a disk in all, and those that are free to this user."""


def measure_disk(path: Path) -> tuple[int, int]:
    """Ask the system for a disk's size and free bytes. Raises OutputError."""
    try:
        found = shutil.disk_usage(path)
    except OSError as error:
        raise refusal(error, path) from error
    return found.total, found.free


class Room:
    """Decides what the disk of a folder has room for. Threads may share it.

    Attributes
    ----------
    promised : callable
        Returns the bytes that running jobs are expected to write still.
    """

    def __init__(self, folder: Path, reserve: Reserve | None = None, measure: Measure = measure_disk) -> None:
        self._folder, self._reserve, self._measure = folder, reserve or Reserve(), measure
        self.promised: Callable[[], int] = lambda: 0

    @property
    def guarded(self) -> bool:
        """Tell whether there is a reserve at all."""
        return self._reserve.most_bytes > 0

    def look(self) -> Space:
        """Return how the disk is now."""
        total, free = self._measure(self._folder)
        return Space(total, free, self._reserve.of(total), self.promised())

    def lacks(self, num_bytes: int) -> Space | None:
        """Return how the disk is, where that leaves no room for so many bytes; else None."""
        if not self.guarded:
            return None
        space = self.look()
        return space if num_bytes > space.usable_bytes else None

    def check_upload(self, num_bytes: int, *, name: str = "") -> None:
        """Let an upload pass that there is room for.

        Parameters
        ----------
        num_bytes
            That will be written for it, at most at a time.
        name
            Of the file; then it is refused for good where even an empty disk would be too small.

        Raises
        ------
        NoRoom, FileRefused
            Now; or ever (413).
        """
        space = self.lacks(num_bytes)
        if space is None:
            return
        if name and num_bytes > space.total_bytes - space.reserve_bytes:
            raise FileRefused(
                f"{name} needs {say_bytes(num_bytes)} here, more than the server's whole disk has.",
                code="invalid_file_size",
                status=413,
                cure="Compress it, or split it.",
            )
        raise NoRoom(
            f"There is no room on the server's disk: this needs {say_bytes(num_bytes)}; {space}.",
            cure="Delete files or jobs that are not needed, or try again later.",
        )


def say_bytes(num_bytes: int) -> str:
    """Write a number of bytes for a person: `12.5 GB`."""
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if abs(num_bytes) >= size:
            return f"{num_bytes / size:,.1f} {unit}"
    return f"{num_bytes} bytes"
