"""Sessions that stay open from one job to the next, in a process that runs many: opening a large model takes longer than a small job.

Who opens a session takes an `OpenSession`: the class `Session` itself opens anew, a `WarmSessions` gives the one that is open already.
"""

from pathlib import Path
from typing import Protocol

from engine.models.device import Device
from engine.models.language.memory import free_bytes
from engine.models.session import Session

MOST = 8  # sessions
SHARE = 0.5  # of the free memory, that the weights of all kept sessions and the next one may take


class OpenSession(Protocol):
    """Opens a session on a graph; see `Session`."""

    def __call__(self, path: Path, *, device: Device, threads: int = 1, spin: bool = False) -> Session: ...


class WarmSessions:
    """Keeps the sessions that were used last. For one job at a time: what a job holds may be forgotten here, and stays open for it.

    A graph is told by its path and by the sizes and times of all files beside it, so that a model that was replaced is opened anew.
    """

    def __init__(self) -> None:
        self._kept: dict[object, tuple[Session, int]] = {}  # the one used last comes last

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def __call__(self, path: Path, *, device: Device, threads: int = 1, spin: bool = False) -> Session:
        """Return a session, kept or new.

        Raises
        ------
        ModelError, DeviceError
            As `Session`.
        """
        files = _files_beside(path)
        key = (path, files, device, threads, spin)
        if key in self._kept:
            self._kept[key] = self._kept.pop(key)
            return self._kept[key][0]
        weight_bytes = sum(size for _, size, _ in files)
        self._make_room(weight_bytes, device)
        session = Session(path, device=device, threads=threads, spin=spin)
        self._kept[key] = (session, weight_bytes)
        return session

    def _make_room(self, wanted_bytes: int, device: Device) -> None:
        free = free_bytes(device)
        while self._kept:
            held = sum(size for _, size in self._kept.values())
            fits = free is None or held + wanted_bytes <= SHARE * (free + held)
            if fits and len(self._kept) < MOST:
                return
            del self._kept[next(iter(self._kept))]


def _files_beside(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Return (name, bytes, time) of all files in a graph's folder; none where that cannot be read, which `Session` then says."""
    try:
        facts = [(file.name, file.stat()) for file in sorted(path.parent.iterdir()) if file.is_file()]
    except OSError:
        return ()
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in facts)
