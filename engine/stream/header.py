"""The header of a CSV file, and which of a file's columns a job reads.

Header names match after trimming blanks; everything after the header is read by position, so that odd or repeated names of columns
that nobody asked for do no harm.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError, Problem, RequestError
from engine.stream import diagnose
from kernels import records

MAX_RECORD_BYTES = 1 << 24  # a longer line or record is damage (or a quote that is never closed), not data
MOST_COLUMNS = 100_000  # what has more is damage, too
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What to read of a table, and how its numbers are written.

    Raises
    ------
    RequestError
        `separator` is not one ASCII character, or `decimal` not one character, or either is one that cannot work.
    """

    data_columns: tuple[str, ...] | None = None  # None: all but timestamp and label, in file order
    timestamp_column: str | None = None  # None: a column called "timestamp" if there is one, else row numbers from 0
    label_column: str | None = None  # read as text
    separator: str = ","
    decimal: str = "."
    null_values: tuple[str, ...] = ()  # texts that count as a missing number, compared after trimming blanks

    def __post_init__(self) -> None:
        """Refuse separators and decimal marks that no file can have."""
        problems = []
        if (
            len(self.separator) != 1
            or not self.separator.isascii()
            or self.separator.isalnum()
            or self.separator in '"\r\n'
        ):
            problems.append(
                ("separator", self.separator, "one ASCII character other than a letter, a digit, a quote or a line end")
            )
        if len(self.decimal) != 1 or self.decimal in '+-"\r\n \t' or self.decimal.isalnum():
            problems.append(("decimal", self.decimal, "one character that cannot be part of a number otherwise"))
        if problems:
            raise RequestError(
                [
                    Problem(
                        code="invalid_parameter",
                        message=f"reader_config.{key} must be {rule}; got {value!r}.",
                        where=f"reader_config.{key}",
                    )
                    for key, value, rule in problems
                ]
            )


@dataclass(frozen=True, slots=True)
class Header:
    """The first record of a CSV file: its names and where the data begins."""

    columns: tuple[str, ...]  # trimmed
    num_bytes: int  # of the decompressed text, byte-order mark included
    lines: int  # physical lines: more than one where a name contains a line end


@dataclass(frozen=True, slots=True)
class Selection:
    """Positions of the columns that a job reads."""

    data: tuple[int, ...]  # in the order asked for
    timestamp: int | None
    label: int | None

    @property
    def texts(self) -> tuple[int, ...]:
        """Positions of the columns read as text, each once."""
        return tuple(dict.fromkeys(at for at in (self.timestamp, self.label) if at is not None))


def read_header(pieces: Iterable[bytes], name: str, separator: str) -> Header:
    """Parse the first record of decompressed CSV text, reading no more pieces than it takes.

    Raises
    ------
    InputError
        `invalid_file_size` (no text), `read_error` (not UTF-8, line ends of CR alone) or `malformed_row` (quotes, a record or a number
        of columns beyond all measure).
    """
    text = b""
    state = np.zeros(records.STATE_SIZE, dtype=np.int64)
    end = 0
    for piece in pieces:
        text += piece
        end = _end_of_header(text, name, separator, state, final=False)
        if end or len(text) > MAX_RECORD_BYTES:
            break
    endless = not end and len(text) > MAX_RECORD_BYTES
    end = end or (MAX_RECORD_BYTES if endless else _end_of_header(text, name, separator, state, final=True))
    line = text[:end]
    if not text.removeprefix(BYTE_ORDER_MARK).strip():
        raise diagnose.empty(name)
    if line[:2] in _UTF_16_MARKS:
        raise diagnose.not_utf_8(name, line=1, byte=line[0], utf_16=True)
    if b"\0" in line or line.startswith(b"PK\x03\x04"):
        raise diagnose.no_text(name, line)
    if endless:
        if b"\r" in line and b'"' not in line:
            raise diagnose.carriage_returns(name)
        raise diagnose.endless_record(name, line=1, limit_bytes=MAX_RECORD_BYTES)
    try:
        decoded = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise diagnose.not_utf_8(name, line=1 + line.count(b"\n", 0, error.start), byte=line[error.start]) from error
    decoded = decoded.removesuffix("\n").removesuffix("\r")
    if not decoded:
        raise diagnose.blank_header(name)
    if "\r" in decoded and '"' not in decoded:
        raise diagnose.carriage_returns(name)
    try:
        cells = next(csv.reader(io.StringIO(decoded, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise diagnose.unreadable(name, f"its header cannot be parsed: {error}") from error
    if len(cells) > MOST_COLUMNS:
        raise diagnose.too_many_columns(name, len(cells), MOST_COLUMNS)
    return Header(tuple(cell.strip() for cell in cells), num_bytes=end, lines=max(1, int(state[records.LINES])))


def _end_of_header(text: bytes, name: str, separator: str, state: np.ndarray, *, final: bool) -> int:
    state[:] = 0
    state[records.POSITION] = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    records.scan_records(np.frombuffer(text, np.uint8), ord(separator), 0, 1, final, state)
    if state[records.FAULT]:
        raise diagnose.malformed(name, line=1, fault=int(state[records.FAULT]), found=0, fields=0)
    return int(state[records.POSITION]) if state[records.ROWS] else 0


def select_columns(columns: tuple[str, ...], options: ReadOptions, name: str) -> Selection:
    """Find the columns that the options ask for.

    Raises
    ------
    InputError
        `missing_column`, `duplicate_column`, or `invalid_parameter` (a timestamp column called Prediction, a column in two roles).
    """
    places: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        places.setdefault(column, []).append(place)

    def find(wanted: str) -> int:
        found = places.get(wanted.strip(), [])
        if not found:
            raise diagnose.missing_column(name, wanted.strip(), columns, options.separator)
        if len(found) > 1:
            raise diagnose.duplicate_column(name, wanted.strip(), len(found))
        return found[0]

    timestamp = None
    if options.timestamp_column is not None or "timestamp" in columns:
        timestamp = find("timestamp" if options.timestamp_column is None else options.timestamp_column)
    label = None if options.label_column is None else find(options.label_column)
    if timestamp is not None and columns[timestamp] == "Prediction":
        raise InputError(
            f"{name}: the timestamp column cannot be called Prediction, which is the header of the results' other column.",
            code="invalid_parameter",
            file=name,
            column="Prediction",
            cure="Rename it in the file and in reader_config.timestamp_column.",
        )
    if options.data_columns is None:
        named = [column for place, column in enumerate(columns) if column and place not in {timestamp, label}]
        data = tuple(
            find(column) for column in named
        )  # one without a name is an index, or a separator at the ends of lines
    else:
        data = tuple(find(column) for column in options.data_columns)
    if not data and (options.data_columns is None or label is None):
        raise diagnose.no_data_column(name, columns, options.separator)
    if len(set(data)) < len(data):
        twice = next(columns[place] for place in data if data.count(place) > 1)
        raise diagnose.conflicting_roles(name, twice, "is named twice in reader_config.data_columns")
    if label is not None and label in data:
        raise diagnose.conflicting_roles(name, columns[label], "is the label column and cannot be a data column")
    return Selection(data=data, timestamp=timestamp, label=label)
