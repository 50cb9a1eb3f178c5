"""Tables in, chunks of float64 columns out: CSV (plain, gzip, zstd) and Parquet, in bounded memory and in file order."""

from pathlib import Path

from engine.stream.blocks import Layout
from engine.stream.header import ReadOptions, read_header, select_columns
from engine.stream.scan.parquet import ParquetReader, read_schema
from engine.stream.scan.table import Chunk, Table
from engine.stream.scan.text import TextReader
from engine.stream.source import open_source

__all__ = ["Chunk", "ReadOptions", "Table", "open_table"]


def open_table(path: Path, name: str, options: ReadOptions) -> Table:
    """Open an input file, whatever kind its bytes say it is, and find the columns that the options ask for.

    Parameters
    ----------
    path : Path
    name : str
        The file's name as the caller gave it, used in every message.
    options : ReadOptions

    Raises
    ------
    InputError
        `file_not_found`, `invalid_file_size` (empty), `read_error`, `malformed_row` (a broken header), `missing_column`,
        `duplicate_column`, `invalid_cell` (a typed column without numbers) or `invalid_parameter` (columns in impossible roles).
    """
    source = open_source(path, name)
    if source.kind == "parquet":
        schema = read_schema(source)
        columns = tuple(column.strip() for column in schema)
        selection = select_columns(columns, options, name)
        return Table(source, columns, selection, ParquetReader(source, schema, selection, options))
    header = read_header(source.pieces(), name, options.separator)
    selection = select_columns(header.columns, options, name)
    layout = Layout(name, header, options.separator)
    return Table(source, header.columns, selection, TextReader(source, layout, selection, options))
