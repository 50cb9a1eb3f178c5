"""The folder of a job service: where everything of it lies, and the lock that keeps a second server out."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.errors import OutputError
from engine.models.catalog import default_home
from engine.output.files import make_folder, refusal


@dataclass(frozen=True, slots=True)
class Home:
    """Places below one folder.

    Attributes
    ----------
    path : Path
        The folder itself: $ENGINE_HOME, or where the platform keeps data of applications.
    """

    path: Path

    @classmethod
    def open(cls, path: Path | None = None) -> "Home":
        """Return a home whose folders are there, readable by their owner only. Raises OutputError."""
        home = cls(Path(path) if path is not None else default_home())
        for folder in (home.path, home.content, home.files, home.uploads, home.incoming, home.jobs):
            known = folder.is_dir()
            make_folder(folder)
            if not known:
                try:
                    folder.chmod(0o700)
                except OSError as error:
                    raise refusal(error, folder) from error
        return home

    @property
    def database(self) -> Path:
        """Return the index, which can be rebuilt from the rest."""
        return self.path / "engine.db"

    @property
    def access(self) -> Path:
        """Return the file of organisations, hashed keys and signing secrets."""
        return self.path / "access.json"

    @property
    def content(self) -> Path:
        """Return the folder of uploaded bytes, named after their digest."""
        return self.path / "content"

    @property
    def files(self) -> Path:
        """Return the folder of what is known of uploaded files."""
        return self.path / "files"

    @property
    def uploads(self) -> Path:
        """Return the folder of uploads that come in parts."""
        return self.path / "uploads"

    @property
    def incoming(self) -> Path:
        """Return the folder of bytes that are on their way in."""
        return self.path / "incoming"

    @property
    def jobs(self) -> Path:
        """Return the folder of jobs, a folder each."""
        return self.path / "jobs"

    @property
    def lock(self) -> Path:
        """Return the file whose flock a server holds."""
        return self.path / "server.lock"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one server of this home. Raises OutputError when another one is."""
        try:
            descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise refusal(error, self.lock) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                other = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
                raise OutputError(
                    f"A server{f' (process {other})' if other else ''} is running on {self.path} already.",
                    code="home_in_use",
                    cure="Stop it, or give this one another --home.",
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)
