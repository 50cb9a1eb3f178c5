"""What can be said of an uploaded file: whether its name and type may be, and what its first bytes tell."""

import struct
from pathlib import Path, PurePath
from typing import Any

from engine.errors import EngineError, InputError
from engine.stream.header import read_header
from engine.stream.scan.parquet import read_schema
from engine.stream.source import open_source

LONGEST_NAME = 255  # bytes
LONGEST_HEADER = 1 << 16  # characters of all columns' names: lists repeat them for each file
PICTURE_BYTES = 1 << 18  # in which a picture says how large it is

TYPES = {  # file type -> the suffixes that it is inferred from
    "text/csv": (".csv", ".tsv"),
    "text/plain": (".txt", ".log"),
    "application/json": (".json",),
    "application/x-ndjson": (".jsonl", ".ndjson"),
    "application/jsonl": (),
    "application/x-parquet": (".parquet",),
    "application/gzip": (".gz",),
    "application/zstd": (".zst",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "video/mp4": (".mp4",),
}
UNKNOWN = "application/octet-stream"

_TABLES = ("text/csv", "application/x-parquet", "application/gzip", "application/zstd")


class FileRefused(EngineError):
    """An upload that cannot be taken. `status` is the HTTP status that says so."""

    def __init__(self, message: str, *, code: str, status: int = 400, cure: str = "") -> None:
        super().__init__(message, code=code, cure=cure)
        self.status = status


def check_name(name: str) -> str:
    """Return a file name that may be. Raises FileRefused."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        length = 0
    strange = any(sign in "/\\" or ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in name)
    if strange or name in (".", "..") or not 1 <= length <= LONGEST_NAME:
        shown = ascii(name if len(name) <= 80 else name[:77] + "...")
        raise FileRefused(
            f"{shown} cannot be a file's name.",
            code="invalid_filename",
            cure=f"Use 1 to {LONGEST_NAME} bytes without slashes, backslashes and control characters.",
        )
    return name


def check_type(name: str, given: str | None) -> str:
    """Return a file's type: the given one, or by its suffix where none is given. Raises FileRefused."""
    kind = (given or "").partition(";")[0].strip().lower()
    if kind in TYPES:
        return kind
    if kind in ("", UNKNOWN):
        suffix = PurePath(name).suffix.lower()
        return next((known for known, suffixes in TYPES.items() if suffix in suffixes), "text/plain")
    raise FileRefused(
        f"{name!a}: the type {kind[:80]!a} is not taken.",
        code="invalid_file_type",
        cure=f"Use one of {', '.join(TYPES)}, or none.",
    )


def describe(path: Path, name: str) -> dict[str, Any] | None:
    """Return what the first bytes of a file tell: columns of a table, sizes of a picture; None for anything else. Never raises InputError."""
    picture = _picture(path)
    if picture is not None:
        return picture
    if check_type(name, None) not in _TABLES or PurePath(name).with_suffix("").suffix.lower() in (".jsonl", ".ndjson"):
        return None
    try:
        source = open_source(path, name)
        columns = (
            tuple(read_schema(source)) if source.kind == "parquet" else read_header(source.pieces(), name, ",").columns
        )
    except InputError:
        return None
    if sum(len(column) for column in columns) > LONGEST_HEADER:
        return None
    return {"num_rows": None, "num_columns": len(columns), "column_headers": list(columns)}


def _picture(path: Path) -> dict[str, Any] | None:
    with path.open("rb") as file:
        head = file.read(PICTURE_BYTES)
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and len(head) >= 26:
        width, height, _, colours = struct.unpack(">IIBB", head[16:26])
        return {"width": width, "height": height, "num_channels": {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(colours, 3)}
    place = 2
    while head[:2] == b"\xff\xd8" and place + 10 <= len(head) and head[place] == 0xFF:
        mark, length = head[place + 1], int.from_bytes(head[place + 2 : place + 4], "big")
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):
            height, width, channels = struct.unpack(">HHB", head[place + 5 : place + 10])
            return {"width": width, "height": height, "num_channels": channels}
        place += 2 + length
    return None
