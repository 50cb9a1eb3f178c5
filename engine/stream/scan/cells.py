"""Cells given as text: which of them are numbers, and the first one that is not."""

from dataclasses import dataclass

import polars as pl

from engine.stream.header import ReadOptions, Selection

_BLANKS = " \t"


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell of a data column that is neither a number nor missing, and its place."""

    row: int  # in its frame
    position: int  # of the column in the file
    value: str
    unit_row: bool  # it is in the table's first row, which has no number at all, while the next has


def text_name(position: int) -> str:
    """Return the name in frames of a column read as text; a data column's name is its bare position."""
    return f"text {position}"


def number_of(text: str, decimal: str) -> float | None:
    """Return the number that a null value is as well, None where it is none."""
    try:
        return float(text.replace(decimal, "."))
    except ValueError:
        return None


def parse_cells(
    frame: pl.DataFrame, selection: Selection, options: ReadOptions, *, first_row: int
) -> tuple[pl.DataFrame, BadCell | None]:
    """Turn the data columns that are text into numbers, by the options' decimal mark and null values, blanks around trimmed.

    Parameters
    ----------
    frame : DataFrame
        Data columns named by position, String or Float64. Other columns are passed through.
    first_row : int
        Row of the table of the frame's first row.

    Returns
    -------
    The frame with Float64 data columns, and the first cell, row by row and in file order, that is neither a number nor missing.
    """
    texts = [name for name in map(str, sorted(selection.data)) if frame.schema[name] == pl.String]
    parsed = frame
    if options.decimal == "." and not options.null_values:  # most columns need no more, and this costs half
        parsed = frame.with_columns(pl.col(texts).cast(pl.Float64, strict=False))
        texts = [name for name in texts if parsed[name].null_count() > frame[name].null_count()]
    wrong = pl.DataFrame()
    if texts:
        careful = {name: _parse(pl.col(name), options) for name in texts}
        parsed = parsed.with_columns(frame.select(number.alias(name) for name, (number, _) in careful.items()))
        wrong = frame.select(bad.alias(name) for name, (_, bad) in careful.items())
    found: BadCell | None = None
    for column in wrong:
        row = column.arg_max() if column.any() else None
        if row is not None and (found is None or row < found.row):
            found = BadCell(row, int(column.name), str(frame[column.name][row]), unit_row=False)
    if found is not None and first_row + found.row == 0:
        numbers = parsed.select(str(position) for position in selection.data)
        units = not _has_number(numbers[:1]) and _has_number(numbers[1:2])
        found = BadCell(found.row, found.position, found.value, unit_row=units)
    return parsed, found


def _parse(cell: pl.Expr, options: ReadOptions) -> tuple[pl.Expr, pl.Expr]:
    """Return the number that a text stands for, null where it is missing or wrong, and whether it is wrong."""
    text = cell.str.strip_chars(_BLANKS)
    missing = text.is_null() | (text == "")
    if options.null_values:
        missing |= text.is_in([value.strip(_BLANKS) for value in options.null_values])
    written = text
    if options.decimal != ".":
        point = text.str.contains(".", literal=True)  # a thousands mark, most likely: never a decimal one
        written = pl.when(~point).then(text.str.replace_all(options.decimal, ".", literal=True))
    number = pl.when(~missing).then(written).cast(pl.Float64, strict=False)
    return number, number.is_null() & ~missing


def _has_number(row: pl.DataFrame) -> bool:
    return any(column.count() for column in row)
