"""The index of the job service: SQLite, one connection, one turn at a time. All of it can be made again from the folders."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import DiskFull, OutputError

BUSY_MS = 10_000
CHECKED_BYTES = 64 << 20  # an index up to this size is looked at page by page when it is opened: some 0.1 s
MENDED = "`engine doctor --repair --home {home}` makes it again from the folders beside it."

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE files (
        uid TEXT PRIMARY KEY, org_id TEXT NOT NULL, name TEXT NOT NULL, file_type TEXT NOT NULL, num_bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL, status TEXT NOT NULL, attributes TEXT, created_at TEXT NOT NULL, deleted_at TEXT
    );
    CREATE UNIQUE INDEX files_by_name ON files (org_id, name) WHERE deleted_at IS NULL;
    CREATE INDEX files_by_age ON files (org_id, uid) WHERE deleted_at IS NULL;
    CREATE INDEX files_by_content ON files (sha256);

    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, org_id TEXT NOT NULL, name TEXT NOT NULL, pipeline_type TEXT NOT NULL, pipeline_key TEXT NOT NULL,
        pipeline_version TEXT NOT NULL, status TEXT NOT NULL, parameters TEXT NOT NULL, engine TEXT NOT NULL,
        parallelism INTEGER NOT NULL, retry_count INTEGER NOT NULL, preemption_count INTEGER NOT NULL, idle_preemptions INTEGER NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL, started_at TEXT, completed_at TEXT, failed_at TEXT, cancelled_at TEXT,
        error TEXT, pending INTEGER NOT NULL, processing INTEGER NOT NULL, completed INTEGER NOT NULL, failed INTEGER NOT NULL,
        records_total INTEGER NOT NULL, records_succeeded INTEGER NOT NULL, records_failed INTEGER NOT NULL,
        records_truncated INTEGER NOT NULL, records_invalid INTEGER NOT NULL, journal_bytes INTEGER NOT NULL,
        journal_lines INTEGER NOT NULL, queued_at TEXT
    );
    CREATE INDEX jobs_by_age ON jobs (org_id, id);
    CREATE INDEX jobs_waiting ON jobs (status, queued_at, id);

    CREATE TABLE inputs (
        id TEXT NOT NULL, job_id TEXT NOT NULL, seq INTEGER NOT NULL, port_name TEXT NOT NULL, place INTEGER NOT NULL,
        tracked INTEGER NOT NULL, kind TEXT NOT NULL, file_uid TEXT, file_name TEXT NOT NULL, file_type TEXT,
        num_bytes INTEGER NOT NULL, sha256 TEXT, metadata TEXT NOT NULL, status TEXT NOT NULL, error_code TEXT, error_message TEXT,
        records TEXT, created_at TEXT NOT NULL, changed_at TEXT NOT NULL, completed_at TEXT, step INTEGER, PRIMARY KEY (job_id, id)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX inputs_in_order ON inputs (job_id, seq);
    CREATE INDEX inputs_tracked ON inputs (job_id, tracked, seq);
    CREATE INDEX inputs_by_change ON inputs (job_id, tracked, changed_at, seq);
    CREATE INDEX inputs_by_content ON inputs (sha256);
    CREATE INDEX inputs_by_step ON inputs (job_id, step);

    CREATE TABLE outputs (
        id TEXT NOT NULL, job_id TEXT NOT NULL, seq INTEGER NOT NULL, port_name TEXT NOT NULL, input_id TEXT NOT NULL,
        part INTEGER NOT NULL, filename TEXT NOT NULL, place TEXT NOT NULL, file_type TEXT NOT NULL, num_bytes INTEGER NOT NULL,
        rows INTEGER NOT NULL, first_row INTEGER, last_row INTEGER, sha256 TEXT NOT NULL, created_at TEXT NOT NULL,
        PRIMARY KEY (job_id, id)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX outputs_by_id ON outputs (id);
    CREATE INDEX outputs_in_order ON outputs (job_id, seq);
    CREATE INDEX outputs_of_input ON outputs (job_id, input_id, seq);

    CREATE TABLE progress (
        job_id TEXT NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL, step INTEGER NOT NULL, message TEXT NOT NULL,
        metrics TEXT NOT NULL, payload TEXT NOT NULL, input_id TEXT, worker INTEGER, created_at TEXT NOT NULL, PRIMARY KEY (job_id, id)
    ) WITHOUT ROWID;
    CREATE INDEX progress_of_input ON progress (job_id, input_id, id);

    CREATE TABLE events (
        job_id TEXT NOT NULL, id INTEGER NOT NULL, event_type TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL,
        payload TEXT NOT NULL, input_id TEXT, worker INTEGER, created_at TEXT NOT NULL, PRIMARY KEY (job_id, id)
    ) WITHOUT ROWID;

    CREATE TABLE idempotency (
        org_id TEXT NOT NULL, key TEXT NOT NULL, job_id TEXT NOT NULL, body_sha256 TEXT NOT NULL, created_at TEXT NOT NULL,
        PRIMARY KEY (org_id, key)
    ) WITHOUT ROWID;
    CREATE INDEX idempotency_of_job ON idempotency (job_id);

    CREATE TABLE uploads (
        id TEXT PRIMARY KEY, org_id TEXT NOT NULL, file_uid TEXT NOT NULL, name TEXT NOT NULL, file_type TEXT NOT NULL,
        num_bytes INTEGER NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL
    );
    """,
)
"""What makes version n + 1 of version n; the version is SQLite's `user_version`."""


class Database:
    """An open index, brought to the newest version. Threads may share it: `read` and `write` give each its turn.

    Raises
    ------
    OutputError
        The file is no index, was written by a newer engine, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.Error as error:
            raise self._refusal(error, "cannot be opened") from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for reading: all that is read inside belongs to one moment."""
        with self._turn:
            if self._connection.in_transaction:  # inside a `write` of this thread
                yield self._connection
                return
            with self._judged():
                self._connection.execute("BEGIN")
                try:
                    yield self._connection
                finally:
                    self._undo()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for writing: all that is written inside happens, or, after an error, nothing of it."""
        with self._turn, self._judged():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._undo()
                raise

    def close(self) -> None:
        """Close the index. May be called again."""
        with self._turn:
            self._connection.close()

    def _undo(self) -> None:
        if self._connection.in_transaction:  # after some errors SQLite has undone it already
            self._connection.execute("ROLLBACK")

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Say what it means when the index turns out damaged, or the disk full, in the middle of the work."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            number = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the upper bits say more than matters here
            if number == sqlite3.SQLITE_FULL:
                raise DiskFull(f"The index {self.path} could not be written: the disk is full.") from error
            if number in _DAMAGE:
                raise self._refusal(error, "is damaged") from error
            raise

    def _refusal(self, error: sqlite3.Error, what: str) -> OutputError:
        cure = MENDED.format(home=self.path.parent)
        return OutputError(f"The index {self.path} {what}: {error}.", code="index_broken", cure=cure)

    def _prepare(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", f"busy_timeout = {BUSY_MS}", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise OutputError(
                f"The index {self.path} was written by a newer engine.",
                code="index_newer",
                cure=f"Use that engine; or {MENDED.format(home=self.path.parent)}",
            )
        if version and self.path.stat().st_size <= CHECKED_BYTES:
            (found,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found.replace("\n", " "))
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self._connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
