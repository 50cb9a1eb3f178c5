"""Parquet tables read by Polars, batch by batch."""

import polars as pl

from engine.errors import InputError
from engine.stream import diagnose
from engine.stream.header import ReadOptions, Selection
from engine.stream.scan.cells import number_of, parse_cells, text_name
from engine.stream.scan.table import Frames
from engine.stream.source import Source

_BATCH_BYTES = 1 << 23
_FAULTS = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
)  # a panic is no Exception, but damage like any other


class ParquetReader:
    """Reads Parquet; the schema is `read_schema`'s."""

    def __init__(self, source: Source, schema: pl.Schema, selection: Selection, options: ReadOptions) -> None:
        self._source = source
        self._selection = selection
        self._options = options
        self._columns = tuple(schema)
        kinds = list(schema.items())
        missing = [number for text in options.null_values if (number := number_of(text, options.decimal)) is not None]
        self._wanted = [
            _number(source.name, *kinds[position], missing).alias(str(position)) for position in selection.data
        ]
        self._wanted += [_text(*kinds[position]).alias(text_name(position)) for position in selection.texts]

    def frames(self) -> Frames:
        """Yield the rows in batches of about 8 MB."""
        rows = max(1, _BATCH_BYTES // (8 * len(self._wanted)))
        first_row = 0
        lazy = pl.scan_parquet(self._source.path, glob=False).select(self._wanted)
        try:
            for batch in lazy.collect_batches(chunk_size=rows, maintain_order=True, lazy=True, engine="streaming"):
                frame, bad = parse_cells(batch, self._selection, self._options, first_row=first_row)
                if bad is not None:
                    yield frame.head(bad.row), self._invalid_cell(first_row + bad.row, bad.position, bad.value)
                    return
                yield frame, None
                first_row += batch.height
            promised, _ = self.estimate_rows()
        except _FAULTS as error:
            yield _nothing(self._selection), diagnose.damaged(self._source.name, "parquet", _first_line(error))
            return
        if first_row != promised:  # Polars (2.1) ends quietly where a fault in the middle makes it panic
            reason = f"its metadata says {promised:,} rows, {first_row:,} could be read"
            yield _nothing(self._selection), diagnose.damaged(self._source.name, "parquet", reason)
            return
        try:
            self._source.check(self._source.path.stat())
        except (InputError, OSError) as error:
            fault = error if isinstance(error, InputError) else diagnose.unreadable(self._source.name, str(error))
            yield _nothing(self._selection), fault

    def estimate_rows(self) -> tuple[int, bool]:
        """Return the number of rows that the file's metadata says."""
        try:
            rows = pl.scan_parquet(self._source.path, glob=False).select(pl.len()).collect().item()
        except _FAULTS as error:
            raise diagnose.damaged(self._source.name, "parquet", _first_line(error)) from error
        return int(rows), True

    def line_of(self, row: int) -> int:
        """Return the 1-based row: Parquet has no lines."""
        if not 0 <= row < self.estimate_rows()[0]:
            raise IndexError(f"{self._source.name} has no row {row}")
        return row + 1

    def _invalid_cell(self, row: int, position: int, value: str) -> InputError:
        return diagnose.invalid_cell(
            self._source.name,
            line=row + 1,
            column=self._columns[position].strip(),
            value=value,
            columns=self._columns,
            separator=self._options.separator,
            decimal=self._options.decimal,
            word="row",
        )


def read_schema(source: Source) -> pl.Schema:
    """Return the names and types of a Parquet file's columns.

    Raises
    ------
    InputError
        `read_error`: the file is damaged.
    """
    try:
        return pl.scan_parquet(source.path, glob=False).collect_schema()
    except _FAULTS as error:
        raise diagnose.damaged(source.name, "parquet", _first_line(error)) from error


def _number(name: str, column: str, kind: pl.DataType, missing: list[float]) -> pl.Expr:
    if kind.is_numeric() or kind in (pl.Boolean, pl.Null):
        number = pl.col(column).cast(pl.Float64)
        return pl.when(~number.is_in(missing)).then(number) if missing else number
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return pl.col(column).cast(pl.String)
    raise diagnose.no_numbers(name, column=column.strip(), kind=str(kind))


def _text(column: str, kind: pl.DataType) -> pl.Expr:
    if kind.is_temporal():
        return pl.col(column).dt.to_string("iso:strict")  # with a T, and the zone if there is one
    return pl.col(column).cast(pl.String)


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0].rstrip(".")


def _nothing(selection: Selection) -> pl.DataFrame:
    """Return a frame without rows, of the same columns as those that `parse_cells` gives."""
    schema: dict[str, pl.DataType] = {str(position): pl.Float64() for position in selection.data}
    return pl.DataFrame(schema=schema | {text_name(position): pl.String() for position in selection.texts})
