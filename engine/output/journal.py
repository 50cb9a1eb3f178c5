"""The memory of a job's folder: who may write it, for which run, and what is committed.

`journal.jsonl` has one JSON object a line. The first, the head, holds the run's identity; each further line commits something
for good. A line counts once its newline is there: whatever a crash left behind the last whole line never happened, and a file
that no line names is not part of the results. Starting over appends a new head, which makes all lines before it history.

The flock on this one file, which is never replaced, is the lease that counts: two processes never write one folder.

Keys of a line that this module understands (all others belong to whoever commits):

    input        index of the input in the request
    part         number of a published part of that input; `file`, `bytes` describe it, `embeddings` its second file
    ended        the input is final: {"status": "completed"|"failed", ...}
    draft        {"file", "bytes"}: so much of a result file that is not whole yet counts; a later line of the input replaces it
    reopened     true: the input is not final any more, and only its first `parts` parts still count
"""

import fcntl
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.errors import FolderInUse, FolderOfAnotherJob, OutputError
from engine.output.differences import differences, listed
from engine.output.files import make_folder, reach, refusal, sync_folder, temporary, write_all

JOURNAL = "journal.jsonl"
RESULTS = "results"
EMBEDDINGS = "embeddings"

_VERSION = 1
_HEAD_START = b'{"journal":'
_JOB_FILES = ("request.json", "state.jsonl", "summary.json")
# The names that the engine gives to result files: only these are ever removed.
_PART = re.compile(r".+_(output|embeddings)_(.+_)?part_\d+\.(csv|jsonl|parquet)|inp_[0-9a-z]+_output\.jsonl", re.DOTALL)

Entry = dict[str, Any]


class Journal:
    """An open, locked journal. `entries` are the committed lines since the last head, in order."""

    def __init__(self, folder: Path, descriptor: int, size_bytes: int) -> None:
        """Take over a locked journal; callers use `open`."""
        self.folder = folder
        self.path = folder / JOURNAL
        self.entries: list[Entry] = []
        self._live: dict[int | None, list[Entry]] = {}
        self._descriptor = descriptor
        self._size_bytes = size_bytes
        self._turn = threading.Lock()

    @classmethod
    def open(cls, folder: Path, identity: dict[str, Any], *, restart: bool = False) -> Self:
        """Lock a folder, new or left by an earlier run, and bring it to the state of its last commit.

        A new folder is made and gets its head. In an old one a torn last line is cut, and temporary files and parts that no
        line names are removed; files that are not the engine's are never touched. Cost: one read of the journal and one look
        at each result file's size.

        Parameters
        ----------
        folder : Path
            The job's folder.
        identity : dict
            What must be equal for two runs to give the same bytes; JSON values.
        restart : bool
            Give up all that was committed, whatever its identity. Events are kept.

        Raises
        ------
        FolderInUse
            Another run holds the lock.
        FolderOfAnotherJob
            The folder holds another identity's results, or files that are not the engine's.
        OutputError
            A committed file is missing or has another size, or the system refuses.
        """
        folder = Path(folder)
        make_folder(folder)
        _refuse_strangers(folder)
        path = folder / JOURNAL
        try:
            descriptor = _lock(path)
        except OSError as error:
            raise refusal(error, path) from error
        journal = cls(folder, descriptor, 0)
        try:
            reach("journal.locked")
            journal._recover(json.loads(_line(identity)), restart=restart)
        except BaseException:
            journal.close()
            raise
        return journal

    def of_input(self, input_index: int | None) -> list[Entry]:
        """Return the lines of one input that still count: its parts in order, then its end. None: lines of no input."""
        return list(self._live.get(input_index, ()))

    def live(self) -> Iterator[Entry]:
        """Yield every line that still counts, input by input."""
        for entries in list(self._live.values()):
            yield from entries

    def commit(self, *entries: Entry) -> None:
        """Append a line, or several at once, and make them durable. Several threads may commit.

        A kill in the middle of several leaves the first ones.

        Raises
        ------
        DiskFull
            No room; the journal is as before.
        OutputError
            The system refused; the journal is as before.
        """
        lines = [_line(entry) for entry in entries]
        with self._turn:
            self._append(b"".join(lines), "journal")
            for line in lines:
                self._apply(json.loads(line))

    def close(self) -> None:
        """Give the folder free. May be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _append(self, line: bytes, name: str) -> None:
        try:
            write_all(self._descriptor, line, f"{name}.appending")
            reach(f"{name}.appended")
            os.fsync(self._descriptor)
        except BaseException as error:
            os.ftruncate(self._descriptor, self._size_bytes)
            if isinstance(error, OSError):
                raise refusal(error, self.path) from error
            raise
        self._size_bytes += len(line)
        reach(f"{name}.synced")

    def _apply(self, entry: Entry) -> None:
        index = entry.get("input")
        lines = self._live.setdefault(index, [])
        if lines and "draft" in lines[-1]:
            replaced = lines.pop()  # they are many: memory must not grow with them
            if self.entries[-1] is replaced:
                self.entries.pop()
        self.entries.append(entry)
        if entry.get("reopened"):
            lines[:] = [line for line in lines if "part" in line and line["part"] < entry["parts"]]
        else:
            lines.append(entry)

    def _recover(self, identity: dict[str, Any], *, restart: bool) -> None:
        content = self.path.read_bytes()
        lines, whole_bytes = _read_lines(content)
        heads = [n for n, line in enumerate(lines) if "journal" in line]
        if not heads:
            _refuse_other_journal(self.path, content)
        # A crash tears the last line only. Whole lines behind a torn one are damage, and not ours to throw away.
        if not restart and content.find(b"\n", whole_bytes) not in (-1, len(content) - 1):
            raise OutputError(
                f"{self.path}, line {len(lines) + 1} is damaged, and committed lines follow it.",
                code="output_changed",
                cure="Put the journal back as it was, or start over with --restart.",
            )
        try:
            os.ftruncate(self._descriptor, whole_bytes)
        except OSError as error:
            raise refusal(error, self.path) from error
        self._size_bytes = whole_bytes
        if restart or not heads:
            self._append(_line({"journal": _VERSION, "identity": identity}), "head")
            sync_folder(self.folder)
        else:
            _check_head(self.folder, lines[heads[-1]], identity)
            for entry in lines[heads[-1] + 1 :]:
                self._apply(entry)
        self._sweep()

    def _sweep(self) -> None:
        """Remove what no commit names, and check that what commits name is there."""
        committed = {place: size for entry in self.live() for place, size in files_of(entry)}
        for draft in [entry["draft"] for entry in self.live() if "draft" in entry]:
            _check_draft(self.folder / RESULTS / draft["file"], draft["bytes"])
            committed[RESULTS, _where(self.folder / RESULTS / draft["file"]).name] = 0
        found: dict[tuple[str, str], int] = {}
        doomed = [temporary(self.folder / name) for name in _JOB_FILES]
        if not self.entries:  # a summary that was written before starting over tells of something else
            doomed.append(self.folder / "summary.json")
        try:
            for place in (RESULTS, EMBEDDINGS):
                if not (self.folder / place).is_dir():
                    continue
                with os.scandir(self.folder / place) as files:
                    for file in files:
                        if (place, file.name) in committed:
                            found[place, file.name] = file.stat().st_size
                        elif _is_ours(file.name) and file.is_file(follow_symlinks=False):
                            doomed.append(Path(file.path))
            for path in doomed:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise refusal(error, self.folder) from error
        for (place, name), size in committed.items():
            if size and found.get((place, name)) != size:
                now = f"has {found[place, name]:,} bytes" if (place, name) in found else "is missing"
                raise OutputError(
                    f"{self.folder / place / name} {now}, but {size:,} bytes were committed.",
                    code="output_changed",
                    cure="Put it back as it was, or start over with --restart.",
                )


def files_of(entry: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield ((folder, name), bytes) of each file that a journal line commits."""
    if "file" in entry:
        yield (RESULTS, entry["file"]), entry["bytes"]
    if "embeddings" in entry:
        yield (EMBEDDINGS, entry["embeddings"]["file"]), entry["embeddings"]["bytes"]


def _where(path: Path) -> Path:
    """Return where the bytes of a committed draft are: beside the final name, or there, if a kill came just after the rename."""
    draft = temporary(path)
    return draft if draft.exists() else path


def _check_draft(path: Path, size: int) -> None:
    """Refuse a draft that has lost bytes which were committed."""
    try:
        found = _where(path).stat().st_size
    except FileNotFoundError:
        found = -1
    if found < size:
        now = f"has {found:,} bytes" if found >= 0 else "is missing"
        raise OutputError(
            f"{temporary(path)} {now}, but {size:,} bytes were committed.",
            code="output_changed",
            cure="Put it back as it was, or start over with --restart.",
        )


def _line(value: dict[str, Any]) -> bytes:
    # ASCII: file names that are no UTF-8 survive as escapes, and no line separator hides in a string.
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def _read_lines(content: bytes) -> tuple[list[Entry], int]:
    """Return the whole lines before the first one that is torn, and their bytes."""
    lines: list[Entry] = []
    whole_bytes = 0
    for raw in content.splitlines(keepends=True):
        if not raw.endswith(b"\n"):
            break
        try:
            line = json.loads(raw)
        except ValueError:
            break
        if not isinstance(line, dict) or (not lines and not raw.startswith(_HEAD_START)):
            break
        lines.append(line)
        whole_bytes += len(raw)
    return lines, whole_bytes


def _lock(path: Path) -> int:
    """Open the journal, made if missing, and lock exactly the file that has this name now."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise FolderInUse(
                f"{path.parent} is being written by another run.",
                cure="Wait for it to end, or give another output folder.",
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was deleted between opening and locking


def _refuse_strangers(folder: Path) -> None:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise refusal(error, folder) from error
    # Looked for after the listing: a run that starts meanwhile makes its journal before anything else.
    if names and not (folder / JOURNAL).exists():
        raise FolderOfAnotherJob(
            f"{folder} is not empty ({_shown(names)}) and has no journal of a run.",
            cure="Give an empty or new output folder: nothing was touched.",
        )


def _refuse_other_journal(path: Path, content: bytes) -> None:
    """Let only an empty or torn head pass: the trace of a run that was killed before it wrote anything else."""
    if not (content.startswith(_HEAD_START) or _HEAD_START.startswith(content)):
        raise FolderOfAnotherJob(
            f"{path} was not written by this engine.", cure="Give another output folder: nothing was touched."
        )
    others = sorted(other.name for other in path.parent.iterdir() if other.name != JOURNAL)
    if others:
        raise FolderOfAnotherJob(
            f"{path.parent} is not empty ({_shown(others)}) and its journal has no head.",
            cure="Give an empty or new output folder: nothing was touched.",
        )


def _shown(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _check_head(folder: Path, head: Entry, identity: dict[str, Any]) -> None:
    cure = "Give another output folder, or discard these results with --restart."
    if head["journal"] != _VERSION:
        raise FolderOfAnotherJob(f"{folder} was written by another version of the engine.", cure=cure)
    found = differences(head["identity"], identity)
    if found:
        raise FolderOfAnotherJob(
            f"{folder} holds the results of another job. What differs:\n{listed(found)}\n", differences=found, cure=cure
        )


def _is_ours(name: str) -> bool:
    inner = name[1:-4] if name.startswith(".") and name.endswith(".tmp") else name
    return _PART.fullmatch(inner) is not None
