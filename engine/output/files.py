"""Writing into a job's folder: a file is there whole, or not at all.

Everything that outlives a process goes through this module: `publish` and `Draft` for files that appear whole, `write_all` for
the two that grow (journal and events). It also names the commit points, the instants between which a kill must change nothing.
"""

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.errors import DiskFull, OutputError

Bytes = bytes | bytearray | memoryview

_KINDS = ("part", "embeddings", "summary", "file")
_STEPS = ("opened", "writing", "written", "synced", "renamed", "settled")
POINTS: tuple[str, ...] = (
    "folder.made",
    "journal.locked",
    "head.appending",  # half of the journal's first line is written
    "head.appended",
    "head.synced",
    "journal.appending",  # half of a commit's line is written
    "journal.appended",
    "journal.synced",
    "input.ended",
    # "writing" is after half of a write, "settled" when the folder knows the new name for good.
    *(f"{kind}.{step}" for kind in _KINDS for step in _STEPS),
)
"""Every commit point, for tests that stop a process there. A new kind of published file gets its name in `_KINDS`."""

_READ_BYTES = 1 << 20
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file size limit was reached",
}

_observer: Callable[[str], None] | None = None


def observe(observer: Callable[[str], None] | None) -> None:
    """Call `observer` at every commit point from now on; None ends it. For tests: one observer for the process."""
    global _observer  # noqa: PLW0603 - a probe of the process, set by tests only
    _observer = observer


def reach(point: str) -> None:
    """Say that a commit point was reached. Costs nothing without an observer."""
    if _observer is not None:
        _observer(point)


def refusal(error: OSError, path: Path) -> OutputError:
    """Turn the system's refusal to write `path` into an error for a person: `DiskFull` or `OutputError`."""
    reason = _FULL.get(error.errno or 0)
    if reason is not None:
        return DiskFull(f"{path} could not be written: {reason}.", cure="Make room and run the same again: it resumes.")
    denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    cure = "Give an output folder that you may write." if denied else ""
    return OutputError(f"{path} could not be written: {error.strerror}.", code="output_not_written", cure=cure)


def write_all(descriptor: int, data: Bytes, halfway: str | None = None) -> None:
    """Write all of `data`, however little the system takes at a time; `halfway` names a commit point in the middle.

    Raises
    ------
    OSError
        As the system gives it: the caller knows what to undo.
    """
    view = memoryview(data).cast("B")
    middle = len(view) // 2
    _drain(descriptor, view[:middle])
    if halfway is not None:
        reach(halfway)
    _drain(descriptor, view[middle:])


def _drain(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, so that they survive a power cut.

    Raises
    ------
    OutputError
        It cannot be made, or a file has its name.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    try:
        # Another process that makes the same folder at the same time is no problem.
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        if not folder.is_dir():
            raise OutputError(f"{folder} is a file, not a folder.", cure="Give another output folder.")
        _sync_folder(folder.parent)
    except OSError as error:
        raise refusal(error, folder) from error
    reach("folder.made")


def temporary(path: Path) -> Path:
    """Return where the bytes of `path` are gathered before they are published."""
    return path.with_name(f".{path.name}.tmp")


def publish(path: Path, data: Bytes | Iterable[Bytes], *, kind: str = "file") -> None:
    """Write a whole file so that readers, and a kill at any instant, see the old one or the new one.

    Cost: the write, two fsyncs (file and folder) and a rename. An existing file is replaced.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    data : bytes-like, or several of them
        Written one after the other.
    kind : str
        First half of the commit points' names.

    Raises
    ------
    DiskFull
        The disk, a quota or a file size limit refused bytes; the temporary file is gone.
    OutputError
        Anything else that the system refused.
    """
    draft = Draft(path, kind)
    try:
        for piece in [data] if isinstance(data, Bytes) else data:
            draft.write(piece)
        draft.publish()
    finally:
        draft.discard()


class Draft:
    """A file that grows beside its final name and appears there at once, when it is published.

    `size_bytes` and `sha256` describe what was written so far. Errors are those of `publish`, and leave no temporary file, but
    for bytes that were committed.

    Parameters
    ----------
    path : Path
        The final name.
    kind : str
        First half of the commit points' names.
    keep_bytes : int
        Go on behind so many bytes of a draft that an earlier run left, and forget the rest of it. Reads them once.
    """

    def __init__(self, path: Path, kind: str = "file", *, keep_bytes: int = 0) -> None:
        self.path = path
        self.size_bytes = keep_bytes
        self._kind = kind
        self._kept = keep_bytes > 0
        self._digest = hashlib.sha256()
        self._temporary = temporary(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._descriptor: int | None = os.open(self._temporary, flags, 0o666)
            os.ftruncate(self._descriptor, keep_bytes)
            for start in range(0, keep_bytes, _READ_BYTES):
                self._digest.update(os.pread(self._descriptor, min(_READ_BYTES, keep_bytes - start), start))
        except OSError as error:
            raise refusal(error, path) from error
        reach(f"{kind}.opened")

    @property
    def sha256(self) -> str:
        """Return the digest of the bytes written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, data: Bytes) -> None:
        """Append bytes."""
        assert self._descriptor is not None, "already published or discarded"
        try:
            write_all(self._descriptor, data, f"{self._kind}.writing")
        except OSError as error:
            self.discard()
            raise refusal(error, self.path) from error
        self._digest.update(data)
        self.size_bytes += len(data)

    def sync(self) -> None:
        """Make the bytes so far durable under the temporary name, where they stay from now on, until they are published."""
        try:
            self._sync()
        except OSError as error:
            raise refusal(error, self.path) from error
        self._kept = True

    def _sync(self) -> None:
        assert self._descriptor is not None, "already published or discarded"
        reach(f"{self._kind}.written")
        os.fsync(self._descriptor)
        reach(f"{self._kind}.synced")

    def publish(self) -> None:
        """Make the bytes durable, then visible under the final name, then that name durable."""
        try:
            self._sync()
            self._temporary.rename(self.path)
            reach(f"{self._kind}.renamed")
            _sync_folder(self.path.parent)
        except OSError as error:
            raise refusal(error, self.path) from error
        finally:
            self.discard()
        reach(f"{self._kind}.settled")

    def keep(self) -> None:
        """Leave what was written under its temporary name, for a later run. May be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def discard(self) -> None:
        """Remove what was written, unless it was published or committed (`sync`). May be called again."""
        if self._descriptor is not None:
            self.keep()
            if not self._kept:
                self._temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    try:
        _sync_folder(folder)
    except OSError as error:
        raise refusal(error, folder) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
