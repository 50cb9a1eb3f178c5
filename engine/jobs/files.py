"""Uploaded files: bytes by content, names on top of them, one small file of facts each, which the index is made from.

A file is there when its facts are: bytes come first, then `files/<uid>.json`, then the index. A kill between any two of these leaves
bytes without facts, which `sweep` removes, or facts without a row, which `rebuild` reads.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from engine.errors import OutputError
from engine.jobs.database import Database
from engine.jobs.file_facts import FileRefused, check_name, check_type, describe
from engine.jobs.home import Home
from engine.jobs.ids import new_id, now
from engine.output.files import Draft, make_folder, publish, refusal, sync_folder

SIMPLE_BYTES = 512_000_000  # of an upload in one piece

REGISTERED = "FILE_STATUS_REGISTERED"

Sql: TypeAlias = sqlite3.Connection


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One uploaded file. `attributes` are `{num_rows, num_columns, column_headers}` of a table, `{width, height, num_channels}` of a picture."""

    uid: str
    org_id: str
    name: str
    file_type: str
    num_bytes: int
    sha256: str
    status: str
    attributes: dict[str, Any] | None
    created_at: str
    deleted_at: str | None = None


@dataclass(frozen=True, slots=True)
class FilePage:
    """A piece of the list of files, newest first, and whether there is more in both directions."""

    items: list[StoredFile]
    has_newer: bool
    has_older: bool


@dataclass(frozen=True, slots=True)
class FileInfo:
    """How many files an organisation has, their bytes, and when the newest came (None without one)."""

    num_files: int
    num_bytes: int
    last_updated: str | None


@dataclass(frozen=True, slots=True)
class Swept:
    """What was removed: contents that nothing is bound to, their bytes, and uploads that were cut short."""

    orphans: int
    num_bytes: int
    cut_short: int


class FileStore:
    """The files of a home. Threads may share it."""

    def __init__(self, home: Home, database: Database) -> None:
        self._home = home
        self._database = database

    def receive(
        self, org_id: str, name: str, file_type: str | None, *, limit: int = SIMPLE_BYTES, uid: str | None = None
    ) -> "Incoming":
        """Begin an upload; the file is there when `finish` returns. Raises FileRefused for a name or a type."""
        return Incoming(self, org_id, check_name(name), check_type(name, file_type), limit, uid or new_id("fil"))

    def find(self, org_id: str, name_or_uid: str) -> StoredFile:
        """Return a file by its name or uid. Raises LookupError."""
        with self._database.read() as sql:
            for column in ("name", "uid"):
                row = sql.execute(
                    f"SELECT * FROM files WHERE org_id = ? AND {column} = ? AND deleted_at IS NULL",  # noqa: S608 - of ours
                    (org_id, name_or_uid),
                ).fetchone()
                if row is not None:
                    return _read(row)
        raise LookupError(name_or_uid)

    def by_uid(self, uid: str) -> StoredFile:
        """Return a file, deleted or not. Raises LookupError."""
        with self._database.read() as sql:
            row = sql.execute("SELECT * FROM files WHERE uid = ?", (uid,)).fetchone()
        if row is None:
            raise LookupError(uid)
        return _read(row)

    def all(self) -> list[StoredFile]:
        """Return the files of all organisations, oldest first."""
        with self._database.read() as sql:
            rows = sql.execute("SELECT * FROM files WHERE deleted_at IS NULL ORDER BY uid").fetchall()
        return [_read(row) for row in rows]

    def path(self, file: StoredFile) -> Path:
        """Return where a file's bytes are; they never change."""
        return self._home.content / file.sha256[:2] / file.sha256

    def page(
        self,
        org_id: str,
        *,
        limit: int,
        after: str | None = None,
        before: str | None = None,
        file_type: str | None = None,
    ) -> FilePage:
        """Return files, newest first: those behind the uid `after`, or those just in front of the uid `before`."""
        where, values = "org_id = ? AND deleted_at IS NULL", [org_id]
        if file_type is not None:
            where, values = f"{where} AND file_type = ?", [*values, file_type]
        place, bound, order = "", [], "DESC"
        if after is not None:
            place, bound = " AND uid < ?", [after]
        elif before is not None:
            place, bound, order = " AND uid > ?", [before], "ASC"
        with self._database.read() as sql:
            rows = sql.execute(
                f"SELECT * FROM files WHERE {where}{place} ORDER BY uid {order} LIMIT ?",  # noqa: S608 - of ours
                (*values, *bound, limit + 1),
            ).fetchall()
            more, rows = len(rows) > limit, rows[:limit]
            if order == "ASC":
                rows.reverse()
                other = f"SELECT 1 FROM files WHERE {where} AND uid < ? LIMIT 1"  # noqa: S608 - of ours
                edge = rows[-1]["uid"] if rows else before
            else:
                other = f"SELECT 1 FROM files WHERE {where} AND uid > ? LIMIT 1"  # noqa: S608 - of ours
                edge = rows[0]["uid"] if rows else after
            behind = edge is not None and sql.execute(other, (*values, edge)).fetchone() is not None
        newer, older = (more, behind) if order == "ASC" else (behind, more)
        return FilePage([_read(row) for row in rows], newer, older)

    def info(self, org_id: str) -> FileInfo:
        """Return what an organisation has."""
        with self._database.read() as sql:
            row = sql.execute(
                "SELECT COUNT(*), COALESCE(SUM(num_bytes), 0), MAX(created_at) FROM files WHERE org_id = ? AND deleted_at IS NULL",
                (org_id,),
            ).fetchone()
        return FileInfo(*row)

    def delete(self, org_id: str, name_or_uid: str) -> StoredFile:
        """Delete a file; its bytes stay while a job that is not final is bound to them. Raises LookupError."""
        with self._database.write() as sql:
            file = self.find(org_id, name_or_uid)
            self._forget(sql, file)
        self.sweep()
        return file

    def sweep(self, *, leftovers: bool = False) -> Swept:
        """Remove bytes that no file and no unfinished job is bound to, and tell of them.

        Parameters
        ----------
        leftovers : bool
            And those that a kill left on their way in.
        """
        cut_short = orphans = num_bytes = 0
        if leftovers:
            for path in [*self._home.incoming.iterdir(), *self._home.files.glob(".*.tmp")]:
                path.unlink()
                cut_short += 1
        with self._database.read() as sql:
            for path in self._home.content.glob("??/*"):
                if not _is_bound(sql, path.name):
                    with contextlib.suppress(FileNotFoundError):  # another sweep was faster
                        num_bytes += path.stat().st_size
                        path.unlink()
                        orphans += 1
            gone = [
                row["uid"]
                for row in sql.execute("SELECT uid, sha256 FROM files WHERE deleted_at IS NOT NULL").fetchall()
                if not (self._home.content / row["sha256"][:2] / row["sha256"]).exists()
            ]
        for uid in gone:
            self._facts(uid).unlink(missing_ok=True)
        return Swept(orphans, num_bytes, cut_short)

    def rebuild(self, on_damage: Callable[[Path], None] | None = None) -> None:
        """Bring the index to what the facts of the files say. Cost: a look at each.

        Parameters
        ----------
        on_damage
            Told of facts that cannot be read, which are passed over then.

        Raises
        ------
        OutputError
            Without `on_damage`: facts cannot be read.
        """
        with self._database.write() as sql:
            known = {row["uid"]: _read(row) for row in sql.execute("SELECT * FROM files").fetchall()}
            for path in sorted(self._home.files.glob("fil_*.json")):
                try:
                    file = StoredFile(**json.loads(path.read_bytes()))
                except (ValueError, TypeError) as error:
                    if on_damage is not None:
                        on_damage(path)
                        continue
                    raise OutputError(
                        f"{path} is damaged.", code="file_broken", cure="Remove it, and upload that file again."
                    ) from error
                if known.get(file.uid) == file:
                    continue
                sql.execute("DELETE FROM files WHERE uid = ?", (file.uid,))
                if file.deleted_at is None:  # a kill came before the one that had this name was forgotten
                    older = "UPDATE files SET deleted_at = ? WHERE org_id = ? AND name = ? AND deleted_at IS NULL AND uid < ?"
                    sql.execute(older, (file.created_at, file.org_id, file.name, file.uid))
                _insert(sql, file)

    def _keep(self, file: StoredFile, incoming: Path) -> None:
        """Give received bytes their place and name; a file that had the name loses it."""
        place = self.path(file)
        with self._database.write() as sql:  # `sweep` waits: it would see bytes without a name
            make_folder(place.parent)
            try:
                incoming.chmod(0o400)
                incoming.rename(place)
            except OSError as error:
                raise refusal(error, place) from error
            sync_folder(place.parent)
            publish(self._facts(file.uid), json.dumps(asdict(file)).encode())
            with contextlib.suppress(LookupError):
                self._forget(sql, self.find(file.org_id, file.name))
            _insert(sql, file)

    def _forget(self, sql: Sql, file: StoredFile) -> None:
        gone = replace(file, deleted_at=now())
        publish(self._facts(file.uid), json.dumps(asdict(gone)).encode())
        sql.execute("UPDATE files SET deleted_at = ? WHERE uid = ?", (gone.deleted_at, file.uid))

    def _facts(self, uid: str) -> Path:
        return self._home.files / f"{uid}.json"

    def _begin(self, uid: str) -> Draft:
        return Draft(self._home.incoming / uid)


class Incoming:
    """An upload on its way in. Left without `finish`, nothing of it stays."""

    def __init__(self, store: FileStore, org_id: str, name: str, file_type: str, limit: int, uid: str) -> None:
        self._store = store
        self._org_id, self._name, self._file_type, self._limit = org_id, name, file_type, limit
        self.uid, self._draft = uid, store._begin(uid)  # noqa: SLF001 - one piece in two classes

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises FileRefused (413) beyond the limit, DiskFull or OutputError."""
        if self._draft.size_bytes + len(data) > self._limit:
            raise FileRefused(
                f"{self._name} is larger than {self._limit:,} bytes, the most that comes in one piece.",
                code="invalid_file_size",
                status=413,
                cure="Compress it, or upload it in parts.",
            )
        self._draft.write(data)

    def finish(self) -> StoredFile:
        """Make what was written a file, in the place of one of the same name. Raises FileRefused when it is empty."""
        if self._draft.size_bytes == 0:
            raise FileRefused(f"{self._name} is empty.", code="invalid_file_size", cure="Upload a file with content.")
        sha256, num_bytes = self._draft.sha256, self._draft.size_bytes
        self._draft.publish()
        path = self._draft.path
        file = StoredFile(
            self.uid,
            self._org_id,
            self._name,
            self._file_type,
            num_bytes,
            sha256,
            REGISTERED,
            describe(path, self._name),
            now(),
        )
        try:
            self._store._keep(file, path)  # noqa: SLF001 - one piece in two classes
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return file

    def __enter__(self) -> Self:
        """Return the upload itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget what was not finished."""
        self._draft.discard()


def _insert(sql: Sql, file: StoredFile) -> None:
    values = asdict(file) | {"attributes": None if file.attributes is None else json.dumps(file.attributes)}
    marks = ", ".join(f":{name}" for name in values)
    sql.execute(f"INSERT INTO files ({', '.join(values)}) VALUES ({marks})", values)  # noqa: S608 - names of ours


def _read(row: sqlite3.Row) -> StoredFile:
    values = dict(row)
    values["attributes"] = None if values["attributes"] is None else json.loads(values["attributes"])
    return StoredFile(**values)


def _is_bound(sql: Sql, sha256: str) -> bool:
    one = "SELECT 1 FROM files WHERE sha256 = ? AND deleted_at IS NULL"
    if sql.execute(one, (sha256,)).fetchone() is not None:
        return True
    held = (
        "SELECT 1 FROM inputs i JOIN jobs j ON j.id = i.job_id WHERE i.sha256 = ?"
        " AND j.status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED') LIMIT 1"
    )
    return sql.execute(held, (sha256,)).fetchone() is not None
