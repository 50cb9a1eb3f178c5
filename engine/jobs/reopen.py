"""Taking failed inputs of a run up again: they go on behind their last whole part, as if they had not ended."""

from collections import Counter
from pathlib import Path
from typing import Any

from engine.jobs.lines import read_entries
from engine.output.journal import JOURNAL, Journal, files_of
from engine.pipelines.activity_detection.config import ActivityConfig
from engine.pipelines.machine_state.config import MachineStateConfig
from engine.pipelines.request import JobRequest


def reopen_failed(run: Path, request: JobRequest) -> int:
    """Reopen every failed input of a run that nobody works on, and return how many there were.

    Parts that are shorter than the request's are cut: they ended where the error came.

    Raises
    ------
    FolderInUse
        A worker holds the folder.
    OutputError
        What was committed is not there any more, or the system refuses.
    """
    identity = _identity(run / JOURNAL)
    if identity is None:  # nothing was ever committed
        return 0
    rows_per_part = _rows_per_part(request)
    with Journal.open(run, identity) as journal:
        failed: list[int] = []
        full: Counter[int] = Counter()
        doomed = []
        for entry in journal.live():
            if "part" in entry and entry["rows"] == rows_per_part:
                full[entry["input"]] += 1
            if entry.get("ended", {}).get("status") == "failed":
                failed.append(entry["input"])
        if failed:
            for place in failed:
                for entry in journal.of_input(place):
                    if "part" in entry and entry["part"] >= full[place]:
                        doomed += [run / folder / name for (folder, name), _ in files_of(entry)]
            journal.commit(
                *({"shard": 0, "input": place, "reopened": True, "parts": full[place]} for place in sorted(failed))
            )
            for path in doomed:
                path.unlink(missing_ok=True)
    return len(failed)


def _rows_per_part(request: JobRequest) -> int | None:
    config = request.config
    if isinstance(config, ActivityConfig):
        return config.lines_per_part
    assert isinstance(config, MachineStateConfig)
    return config.rows_per_part


def _identity(path: Path) -> dict[str, Any] | None:
    """Return what the last head of a journal identifies."""
    found = None
    for entry, _ in read_entries(path):
        if "journal" in entry:
            found = entry["identity"]
    return found
