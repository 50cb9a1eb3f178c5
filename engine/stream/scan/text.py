"""CSV text parsed by Polars, one block at a time.

A block is parsed as floats at full speed first. Where that fails, or where something shows that it may have gone wrong quietly, the
same block is parsed as text and its cells are judged one by one: this is how blanks behind numbers are read, how the first bad cell
is found, and why the rows before it are always the same.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import polars as pl

from engine.errors import InputError
from engine.stream import diagnose
from engine.stream.blocks import Block, Layout, count_byte, cut_blocks, line_of, walk
from engine.stream.header import BYTE_ORDER_MARK, ReadOptions, Selection
from engine.stream.scan.cells import number_of, parse_cells, text_name
from engine.stream.scan.table import Frames
from engine.stream.source import Source

COUNTED_BYTES, JUDGED_BYTES = (
    12 << 20,
    1 << 20,
)  # of a file whose rows are counted, and from which those of a larger one are judged
AHEAD = 2  # blocks that are parsed while another is handed on: part of parsing one runs on one core only
_SENTINEL = "last"  # the last column of the file: null in every row that is too short


class TextReader:
    """Reads CSV: plain, gzip or zstd."""

    def __init__(self, source: Source, layout: Layout, selection: Selection, options: ReadOptions) -> None:
        self._source = source
        self._layout = layout
        self._selection = selection
        self._options = options
        comma = options.decimal == ","
        self._always_careful = (
            (options.decimal != "." and not comma)  # Polars knows no other mark
            or (comma and options.separator == ",")
            or not set(selection.data).isdisjoint(selection.texts)  # one column as number and as text
        )
        # Polars reads a number behind blanks, but knows a null value only without them.
        self._padded = [
            (blank + text).encode()
            for text in options.null_values
            if number_of(text, options.decimal) is not None
            for blank in " \t"
        ]
        kinds = dict.fromkeys(range(layout.fields), pl.String()) | dict.fromkeys(selection.data, pl.Float64())
        self._schema = {str(position): kind for position, kind in kinds.items()}
        self._texts = [pl.col(str(position)).alias(text_name(position)) for position in selection.texts]
        self._data = [pl.col(str(position)) for position in selection.data]

    def frames(self) -> Frames:
        """Yield the rows block by block; while one block is handed on, the next ones are parsed.

        The threads are ours, and end with the iteration: a background query of Polars itself (2.1) aborts the process when it is
        dropped before it is fetched.
        """
        ahead: deque[tuple[Block, Future[pl.DataFrame] | None]] = deque()
        with ThreadPoolExecutor(max_workers=AHEAD, thread_name_prefix="scan") as parsers:
            for block in cut_blocks(self._source, self._layout):
                ready = self._finish(*ahead.popleft()) if len(ahead) == AHEAD else None
                if ready and ready[1]:
                    yield ready
                    return
                ahead.append((block, parsers.submit(self._parse, block) if self._can_be_quick(block) else None))
                if ready:
                    yield ready
            while ahead:
                ready = self._finish(*ahead.popleft())
                yield ready
                if ready[1]:
                    return

    def estimate_rows(self) -> tuple[int, bool]:
        """Return the number of rows, counted in a small file, and judged from the first ones in a larger one."""
        seen_bytes = 0

        def progress(num_bytes: int) -> None:
            nonlocal seen_bytes
            seen_bytes = num_bytes

        rows, text_bytes = 0, 0
        enough = COUNTED_BYTES if self._source.num_bytes <= COUNTED_BYTES else JUDGED_BYTES
        with closing(cut_blocks(self._source, self._layout, progress=progress)) as blocks:
            for block in blocks:
                rows += block.rows
                text_bytes += len(block.data)
                if block.last:
                    return rows, True
                if text_bytes >= enough:
                    return round(rows * self._source.num_bytes / seen_bytes), False
        return rows, True

    def line_of(self, row: int) -> int:
        """Return the line by counting the rows before it."""
        for block in cut_blocks(self._source, self._layout):
            if block.first_row <= row < block.first_row + block.rows:
                return line_of(block, self._layout, row)
        raise IndexError(f"{self._layout.name} has no row {row}")

    def _can_be_quick(self, block: Block) -> bool:
        if self._always_careful or not block.rows or block.data.startswith(BYTE_ORDER_MARK):
            return False
        return not any(text in block.data for text in self._padded)

    def _parse(self, block: Block) -> pl.DataFrame:
        """Parse a block as floats; fails where one of its cells is not exactly a number."""
        sentinel = pl.col(str(self._layout.fields - 1)).alias(_SENTINEL)
        lazy = pl.scan_csv(
            block.data,
            has_header=False,
            schema=self._schema,
            separator=self._options.separator,
            decimal_comma=self._options.decimal == ",",
            null_values=list(self._options.null_values) or None,
        )
        return lazy.select(*self._data, *self._texts, sentinel).collect()

    def _finish(self, block: Block, parsing: Future[pl.DataFrame] | None) -> tuple[pl.DataFrame, InputError | None]:
        if parsing is None:
            return self._read_carefully(block)
        try:
            frame = parsing.result()
        except pl.exceptions.PolarsError:
            return self._read_carefully(block)  # which finds what it was, and names it better
        if frame.height != block.rows:
            return self._read_carefully(block)
        if not block.walked and frame[_SENTINEL].null_count():
            walked = walk(block, self._layout)
            if walked.rows != block.rows:
                return self._read_carefully(walked)
        texts = [text_name(position) for position in self._selection.texts]
        if self._options.null_values and any(frame[text].null_count() for text in texts):
            frame = frame.with_columns(self._text_frame(block).select(self._texts))
        if self._options.decimal == ",":
            points = sum(int(frame[text].str.count_matches(".", literal=True).sum()) for text in texts)
            if count_byte(block.data, ord(".")) != points:
                return self._read_carefully(block)  # Polars would take a point for a decimal mark too
        frame.drop_in_place(_SENTINEL)
        return frame, block.error

    def _read_carefully(self, block: Block) -> tuple[pl.DataFrame, InputError | None]:
        block = walk(block, self._layout)
        texts = self._text_frame(block).with_columns(self._texts)
        frame, bad = parse_cells(texts, self._selection, self._options, first_row=block.first_row)
        frame = frame.select(*self._data, *(text_name(position) for position in self._selection.texts))
        if bad is None:
            return frame, block.error
        error = diagnose.invalid_cell(
            self._layout.name,
            line=line_of(block, self._layout, block.first_row + bad.row),
            column=self._layout.header.columns[bad.position],
            value=bad.value,
            columns=self._layout.header.columns,
            separator=self._options.separator,
            decimal=self._options.decimal,
            unit_row=bad.unit_row,
        )
        return frame.head(bad.row), error

    def _text_frame(self, block: Block) -> pl.DataFrame:
        """Parse the columns of a block as text. A header goes before it, lest Polars judge the fields by the first row."""
        header = self._options.separator.join(self._schema) + "\n"
        wanted = sorted({*self._selection.data, *self._selection.texts})
        frame = (
            pl.scan_csv(
                header.encode() + block.data,
                schema=dict.fromkeys(self._schema, pl.String()),
                separator=self._options.separator,
            )
            .select(str(position) for position in wanted)
            .collect()
        )
        if frame.height != block.rows:
            raise diagnose.unreadable(
                self._layout.name, f"{block.rows} rows from line {block.first_line} were read as {frame.height}"
            )
        return frame
