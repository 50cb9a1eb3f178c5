"""What exactly is wrong with an input file, as the error that a person reads: file, line, column, value and the cure.

Every function returns the error for its caller to raise. Cures name the key of a job's request and the command line's option.
"""

import re

from engine.errors import InputError
from kernels import records

_TIME = re.compile(r"\d:\d\d|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_MISSING = {
    "",
    "-",
    "--",
    "?",
    "na",
    "n/a",
    "#n/a",
    "#na",
    "nil",
    "none",
    "null",
    "error",
    "err",
    "bad",
    "invalid",
    "missing",
    "nodata",
}
_SHOWN = 60  # characters of a cell that a message repeats
_LISTED = 20  # columns that a message lists
_FILE_WORDS = {"gzip": "gzip file", "zstd": "zstd file", "parquet": "Parquet file"}
_SEPARATOR_CURES = {
    ";": ("semicolons", "\";\" (--separator ';')"),
    "\t": ("tabs", "\"\\t\" (--separator $'\\t')"),
    "|": ("bars", "\"|\" (--separator '|')"),
    ",": ("commas", "\",\" (--separator ',')"),
}


def empty(name: str) -> InputError:
    """Return the error of a file without a character."""
    return InputError(
        f"{name}: the file is empty.", code="invalid_file_size", file=name, cure="It needs a header row, or records."
    )


def unreadable(name: str, reason: str, cure: str = "") -> InputError:
    """Return the error of a file that cannot be read at all, or not further."""
    return InputError(f"{name} cannot be read: {reason}.", code="read_error", file=name, cure=cure)


def no_text(name: str, head: bytes) -> InputError:
    """Return the error of a file whose first line is not text at all; `head` is its beginning."""
    if head.startswith(b"PK\x03\x04"):
        reason, cure = "it is a zip archive, as Excel workbooks are", "Save the sheet as CSV (UTF-8)."
    else:
        reason, cure = "its first line holds NUL bytes, so it is no text", "Give a CSV or Parquet file."
    return unreadable(name, reason, cure)


def joined_columns(name: str, columns: tuple[str, ...], separator: str) -> InputError | None:
    """Return the error of a header that is one column only because its separator is another one; None for other headers."""
    cure = _separator_cure(columns, separator)
    if not cure:
        return None
    message = f"{name} has one column, '{columns[0]}'."
    return InputError(message, code="missing_column", file=name, line=1, column=columns[0], cure=cure)


def damaged(name: str, kind: str, reason: str) -> InputError:
    """Return the error of a compressed file or a Parquet file whose bytes are not right."""
    return InputError(
        f"{name} is a damaged or truncated {_FILE_WORDS[kind]}: {reason}.",
        code="read_error",
        file=name,
        cure="Copy or write the file again.",
    )


def not_utf_8(name: str, *, line: int, byte: int, utf_16: bool = False) -> InputError:
    """Return the error of text in another encoding."""
    encoding = "utf-16" if utf_16 else "latin1"
    return InputError(
        f"{name}, line {line}: the byte 0x{byte:02x} is not UTF-8.",
        code="read_error",
        file=name,
        line=line,
        value=f"0x{byte:02x}",
        cure=f"Save the file again as UTF-8, e.g. `iconv -f {encoding} -t utf-8 {name} > utf8.csv`.",
    )


def carriage_returns(name: str) -> InputError:
    """Return the error of a text whose lines end in CR alone."""
    return InputError(
        f"{name}, line 1: the lines end in a carriage return alone.",
        code="read_error",
        file=name,
        line=1,
        cure=f"Convert the line ends, e.g. `tr '\\r' '\\n' < {name} > lines.csv`.",
    )


def blank_header(name: str) -> InputError:
    """Return the error of a file that begins with a blank line."""
    return InputError(
        f"{name}, line 1: the header row is blank.",
        code="malformed_row",
        file=name,
        line=1,
        cure="The first line must hold the names of the columns.",
    )


def missing_column(name: str, column: str, columns: tuple[str, ...], separator: str) -> InputError:
    """Return the error of a column that is asked for and not there."""
    return InputError(
        f"{name} has no column '{column}'; it has: {_listed(columns)}.",
        code="missing_column",
        file=name,
        column=column,
        cure=_separator_cure(columns, separator),
    )


def no_data_column(name: str, columns: tuple[str, ...], separator: str) -> InputError:
    """Return the error of a table that holds nothing but its timestamps and labels."""
    return InputError(
        f"{name} has no data column; it has: {_listed(columns)}.",
        code="missing_column",
        file=name,
        cure=_separator_cure(columns, separator),
    )


def duplicate_column(name: str, column: str, count: int) -> InputError:
    """Return the error of a header with the same name more than once."""
    return InputError(
        f"{name} has {count} columns called '{column}'.",
        code="duplicate_column",
        file=name,
        line=1,
        column=column,
        cure="Rename them apart, or list other columns in reader_config.data_columns.",
    )


def conflicting_roles(name: str, column: str, conflict: str) -> InputError:
    """Return the error of a request that uses one column in ways that exclude each other."""
    return InputError(f"{name}: column '{column}' {conflict}.", code="invalid_parameter", file=name, column=column)


def malformed(
    name: str, *, line: int, fault: int, found: int, fields: int, columns: tuple[str, ...] = (), separator: str = ","
) -> InputError:
    """Return the error of a record that `kernels.records.scan_records` refuses.

    Parameters
    ----------
    fault, found : int
        What the kernel said: the kind of fault, and the number of fields.
    fields : int
        The number of fields of the header.
    columns, separator
        The header, for cures.
    """
    if fault == records.BLANK_LINE:
        what, cure = "a blank line between rows", "Delete it."
    elif fault == records.STRAY_QUOTE:
        what = 'a quote (") inside a field that is not quoted as a whole'
        cure = 'Put the whole field in quotes and double the quotes inside it: "5"" pipe".'
    elif fault == records.OPEN_QUOTE:
        what, cure = (
            'the quote (") that opens in this row is never closed',
            "Close it, or double it inside a quoted field.",
        )
    else:
        fields_found = "1 field" if found == 1 else f"{found} fields"
        what = f"{fields_found} where the header has {fields}"
        cure = _separator_cure(columns, separator)
        if not cure and found > fields:
            cure = "A value that contains the separator must be in quotes, a number with a decimal comma too."
        elif not cure:
            cure = "Complete the row or delete it."
    return InputError(f"{name}, line {line}: {what}.", code="malformed_row", file=name, line=line, cure=cure)


def endless_record(name: str, *, line: int, limit_bytes: int) -> InputError:
    """Return the error of a record that goes on for longer than any real one."""
    return InputError(
        f"{name}, line {line}: a row of more than {limit_bytes} bytes.",
        code="malformed_row",
        file=name,
        line=line,
        cure='Look for a quote (") that is never closed, or for missing line ends.',
    )


def too_many_columns(name: str, columns: int, most: int) -> InputError:
    """Return the error of a header with more columns than any table has."""
    return InputError(
        f"{name}, line 1: the header has {columns:,} columns; up to {most:,} are read.",
        code="malformed_row",
        file=name,
        line=1,
        cure="Is it a table? Its first line must hold the names of the columns.",
    )


def invalid_cell(
    name: str,
    *,
    line: int,
    column: str,
    value: str,
    columns: tuple[str, ...],
    separator: str,
    decimal: str,
    unit_row: bool = False,
    word: str = "line",
) -> InputError:
    """Return the error of a cell of a data column that is not a number.

    Parameters
    ----------
    unit_row : bool
        The cell is in the first data row, and no cell of that row is a number.
    word : str
        "row" for tables without lines.
    """
    shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
    return InputError(
        f"{name}, {word} {line}, column {column}: {shown!r} is not a number.",
        code="invalid_cell",
        file=name,
        line=line,
        column=column,
        value=value,
        cure=_cell_cure(value, columns, separator, decimal, f"{word.capitalize()} {line}" if unit_row else ""),
    )


def no_numbers(name: str, *, column: str, kind: str) -> InputError:
    """Return the error of a typed column that cannot hold numbers."""
    return InputError(
        f"{name}, column {column}: it holds {kind} values, which are not numbers.",
        code="invalid_cell",
        file=name,
        column=column,
        cure="List the columns to read in reader_config.data_columns.",
    )


def _listed(columns: tuple[str, ...]) -> str:
    more = [f"and {len(columns) - _LISTED} more"] if len(columns) > _LISTED else []
    return ", ".join([*columns[:_LISTED], *more])


def _cell_cure(value: str, columns: tuple[str, ...], separator: str, decimal: str, unit_row: str) -> str:
    separator_cure = _separator_cure(columns, separator)
    if separator_cure:
        return separator_cure
    bare = value.strip()
    if _TIME.search(bare):
        return "If it is the timestamp, name its column in reader_config.timestamp_column (--timestamp-column)."
    if decimal != "," and _DECIMAL_COMMA.fullmatch(bare):
        return 'For decimal commas set reader_config.decimal to "," (--decimal ,).'
    if decimal != "." and "." in bare and bare.replace(".", "").replace(decimal, "").isdigit():
        return f'reader_config.decimal is {decimal!r}, so a number cannot hold a point: set it to "." or remove the points.'
    quoted = "'" + bare.replace("'", "'\\''") + "'"
    option = f"reader_config.null_values (--null-value {quoted})"
    if bare.lower() in _MISSING:
        return f"If it stands for a missing value, add it to {option}."
    if unit_row:
        return f"{unit_row} looks like a row of units: delete it, or add its texts to {option} to read it as missing values."
    return f"Correct it, or add it to {option} if it stands for a missing value."


def _separator_cure(columns: tuple[str, ...], separator: str) -> str:
    if len(columns) != 1:
        return ""
    for mark, (word, setting) in _SEPARATOR_CURES.items():
        if mark != separator and mark in columns[0]:
            return f"The header's fields are separated by {word}: set reader_config.separator to {setting}."
    return ""
