"""How results are named after the files that they come from."""

from collections.abc import Iterable


def name_apart(name: str, taken: Iterable[str]) -> str:
    """Return the name of an input's results: its file's, or `name (2)` where a file is given a second time."""
    number = 1 + sum(other == name or other.startswith(f"{name} (") for other in taken)
    return name if number == 1 else f"{name} ({number})"


def stem_of(name: str) -> str:
    """Return a file's name without folders and without compression and format suffixes: `line7.csv.gz` -> `line7`."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1]
    for suffixes in ((".gz", ".zst", ".zstd"), (".csv", ".tsv", ".txt", ".parquet", ".pq", ".jsonl", ".ndjson")):
        for suffix in suffixes:
            if stem.lower().endswith(suffix) and len(stem) > len(suffix):
                stem = stem[: -len(suffix)]
                break
    return stem
