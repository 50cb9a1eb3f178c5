"""How many bytes a job is expected to write, so that it is not begun on a disk that has no room for them."""

from collections.abc import Mapping
from typing import Any

from engine.jobs.records import Job
from engine.jobs.rows import Sql

# Of one record, in bytes; rounded up, because a job that waits needlessly goes on and one that fills the disk does not.
_WINDOW = 48  # a timestamp and a class
_EXTRA = {"row_index": 12, "window_bounds": 64}
_SHARE = 22  # one class's share of the vote
_KEYS = {"csv": 0, "jsonl": 40, "parquet": 0}  # names that each line repeats
_EMBEDDED = 4 * 32  # a channel's numbers in a window's vector
_ANSWER = 64  # a line without its text
_TOKEN = 5  # text of one token
_DETAILS = 120
_FILE = 1024  # a part's lines in the journal, and what the file system adds


def expected_bytes(sql: Sql, job: Job) -> int:
    """Return what a job is expected to write in all; the order of magnitude, from its estimate and its configuration."""
    estimate = job.engine.get("estimate") or {}
    config = job.parameters.get("worker", {}).get("config", {})
    output = config.get("output") or {}
    records = int(estimate.get("records") or 0)
    files = int(estimate.get("output_files") or 0) * _FILE
    if "generation" in config:
        echoed = _input_bytes(sql, job.id) if output.get("record") else 0
        return files + echoed + records * _answer(config, output)
    classes = _classes(sql, job.id) if output.get("probabilities") else 0
    line = _WINDOW + classes * _SHARE + sum(size for name, size in _EXTRA.items() if output.get(name))
    line += _KEYS.get(output.get("format", "csv"), 0)
    embedded = int(estimate.get("channel_windows") or 0) * _EMBEDDED if output.get("embeddings") else 0
    return files + embedded + records * line


def written_bytes(sql: Sql, job_id: str) -> int:
    """Return what a job has committed."""
    found = sql.execute("SELECT SUM(num_bytes) FROM outputs WHERE job_id = ?", (job_id,)).fetchone()[0]
    return int(found or 0)


def _answer(config: Mapping[str, Any], output: Mapping[str, Any]) -> int:
    tokens = int(config["generation"].get("max_new_tokens") or 0)
    return _ANSWER + tokens * _TOKEN + (_DETAILS if output.get("details") else 0)


def _input_bytes(sql: Sql, job_id: str) -> int:
    query = "SELECT SUM(num_bytes) FROM inputs WHERE job_id = ? AND tracked = 1"
    return int(sql.execute(query, (job_id,)).fetchone()[0] or 0)


def _classes(sql: Sql, job_id: str) -> int:
    query = "SELECT COUNT(DISTINCT json_extract(metadata, '$.class')) FROM inputs WHERE job_id = ? AND tracked = 0"
    return int(sql.execute(query, (job_id,)).fetchone()[0] or 0)
