"""The results in a job's folder as frames."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import OutputError
from engine.pipelines.names import name_apart


def read_results(output: str | os.PathLike[str]) -> dict[str, pl.DataFrame]:
    """Read the results in a job's folder: the name of each input file to its predictions, all parts joined.

    Of activity detection, a row is an answer: `line_index`, `prediction`, `error` and, where they were asked for, the details.

    Raises
    ------
    OutputError
        The folder holds no job.
    """
    folder = Path(output)
    try:
        request = json.loads((folder / "request.json").read_bytes())
    except (OSError, ValueError) as error:
        raise OutputError(f"{folder} holds no job: {error}.", code="no_job") from None
    frames: dict[str, pl.DataFrame] = {}
    answers = request["pipeline_key"] == "activity-detection"
    for entry in request["inputs"]["worker.data" if answers else "worker.inference"]:
        # One file without a number, or parts with theirs.
        parts = sorted((folder / "results").glob(f"{entry['id']}_output*"), key=_number)
        read = _read_answers if answers else _read_part
        if parts:
            frames[name_apart(entry["file_id"], frames)] = pl.concat([read(path) for path in parts])
    return frames


def _number(part: Path) -> int:
    _, _, number = part.stem.rpartition("_part_")
    return int(number) if number.isdecimal() else 0


def _read_answers(path: Path) -> pl.DataFrame:
    kinds: dict[str, Any] = {"line_index": pl.Int64, "prediction": pl.String, "error": pl.String}
    with path.open("rb") as file:
        first = json.loads(file.readline())
    details: dict[str, Any] = {
        "finish_reason": pl.String,
        "prompt_tokens": pl.Int64,
        "completion_tokens": pl.Int64,
        "truncated": pl.Boolean,
    }
    kinds |= {name: kind for name, kind in details.items() if name in first}
    return pl.read_ndjson(path, schema=kinds)


def _read_part(path: Path) -> pl.DataFrame:
    match path.suffix:
        case ".parquet":
            return pl.read_parquet(path)
        case ".jsonl":
            with path.open("rb") as lines:
                names = list(json.loads(lines.readline()))
            return pl.read_ndjson(path, schema=_kinds(names))
    with path.open(encoding="utf-8", newline="") as text:
        names = next(csv.reader(text))
    known = pl.read_csv(path, n_rows=0).columns  # Polars (2.1) leaves doubled quotes in names as they are
    frame = pl.read_csv(path, schema=dict(zip(known, _kinds(names).values(), strict=True)))
    frame.columns = names
    return frame


def _kinds(names: list[str]) -> dict[str, Any]:
    """Return the types of a part's columns: a timestamp and a state, then what was asked for beside them."""
    kinds: dict[str, Any] = dict.fromkeys(names[:2], pl.String) | dict.fromkeys(names[2:], pl.Float64)
    kinds |= {name: pl.String for name in names[2:] if name in ("start_timestamp", "finish_timestamp")}
    kinds |= {name: pl.Int64 for name in names[2:] if name == "start_row"}
    return kinds
