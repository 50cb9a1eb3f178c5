"""Making the index of a home again from its folders, with the old one set aside: the cure of a damaged index."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import OutputError
from engine.jobs.board import Board
from engine.jobs.database import Database
from engine.jobs.files import FileStore, StoredFile, Swept
from engine.jobs.folder import JOB
from engine.jobs.home import Home
from engine.jobs.uploads import Uploads
from engine.models.catalog import Catalog

_BESIDE = ("-wal", "-shm")  # what SQLite keeps beside an index


@dataclass(frozen=True, slots=True)
class Counts:
    """Files and jobs that an index knows."""

    files: int
    jobs: int


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found and did.

    Attributes
    ----------
    kept : Path or None
        Where the old index is now; None: there was none.
    before : Counts or None
        What the old index knew; None where it could not be read.
    after : Counts
    statuses : dict
        Jobs by status.
    uploads, dropped_uploads : int
        Uploads in parts that go on, and those that nobody went on with in time or that cannot be read.
    swept : Swept or None
        What nothing was bound to, and is gone; None: nothing was removed, because what is broken may be bound to it.
    broken : list of str
        Jobs and facts of files that cannot be read, and files whose bytes are not there, each as a sentence.
    """

    kept: Path | None
    before: Counts | None
    after: Counts
    statuses: dict[str, int]
    uploads: int
    dropped_uploads: int
    swept: Swept | None
    broken: list[str]


def repair(home: Home) -> Repaired:
    """Make the index of a home again. Jobs that a worker had when the last server ended wait again, as after its next start.

    Raises
    ------
    OutputError
        A server has this home; or it cannot be written.
    """
    with home.hold():
        before = count_rows(home.database) if home.database.exists() else None
        kept = _set_aside(home.database)
        with closing(Database(home.database)) as database:
            files = FileStore(home, database)
            damaged: list[Path] = []
            files.rebuild(damaged.append)
            board = Board(home, database, files, Catalog(home.path))
            broken = [f"{path} is damaged. Remove it, and upload that file again." for path in damaged]
            broken += [str(error) for error in board.recover()]
            broken += [
                f"{path} is no job: it has no {JOB}. Remove it."
                for path in sorted(home.jobs.iterdir())
                if _is_stray(path)
            ]
            swept = None if broken else files.sweep(leftovers=True)
            uploads = Uploads(home, files)
            dropped = uploads.sweep()
            with database.read() as sql:
                statuses = Counter(
                    {row[0]: row[1] for row in sql.execute("SELECT status, COUNT(*) FROM jobs GROUP BY 1")}
                )
                present = files.all()
            broken += [problem for file in present if (problem := _missing(files, file))]
            after = Counts(len(present), statuses.total())
            return Repaired(kept, before, after, dict(statuses), len(uploads.open()), dropped, swept, broken)


def count_rows(index: Path) -> Counts | None:
    """Return what an index knows, None where it cannot be read. Changes nothing; another process may have it open."""
    try:
        with closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)) as sql:
            if sql.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return None
            files = sql.execute("SELECT COUNT(*) FROM files WHERE deleted_at IS NULL").fetchone()[0]
            return Counts(files, sql.execute("SELECT COUNT(*) FROM jobs").fetchone()[0])
    except sqlite3.Error:
        return None


def _set_aside(index: Path) -> Path | None:
    """Give an index, with what belongs to it, another name beside its own."""
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    kept = index.with_name(f"{index.name}.{time}")
    there = index.exists()
    try:
        for suffix in ("", *_BESIDE):
            path = index.with_name(index.name + suffix)
            if path.exists():
                path.rename(kept.with_name(kept.name + suffix))
    except OSError as error:
        raise OutputError(f"The index {index} cannot be set aside: {error.strerror or error}.") from error
    return kept if there else None


def _is_stray(path: Path) -> bool:
    return not path.name.startswith(".") and not (path / JOB).is_file()


def _missing(files: FileStore, file: StoredFile) -> str:
    """Say what is wrong with the bytes of a file; "" where there are as many as there should be."""
    path = files.path(file)
    found = path.stat().st_size if path.is_file() else None
    if found == file.num_bytes:
        return ""
    what = "are not there any more" if found is None else f"are {found:,} now, and were {file.num_bytes:,}"
    return f"{file.name} ({file.uid}): its bytes {what}. Delete it, and upload it again."
