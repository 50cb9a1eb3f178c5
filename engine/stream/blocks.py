"""A CSV text cut into blocks of whole records, each with its place in the file.

A reader that works block by block knows the line of everything, needs memory for two blocks only, and can read one odd block again
with more patience without starting over. The usual block costs one copy and two counts at memory speed: as many separators as its
rows should have, and (that is for whoever parses it) no row with too few, prove that every row is whole. Only where that fails, or
where there are quotes, the records are walked one by one.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import InputError
from engine.stream import diagnose
from engine.stream.header import MAX_RECORD_BYTES, Header
from engine.stream.source import Source
from kernels import records

FIRST_BYTES = 1 << 19  # of the first block, which is waited for; each has twice as many as the one before
BLOCK_BYTES = 1 << 22  # at most; larger ones are parsed hardly faster

_ALL = np.iinfo(np.int64).max
_LINE_FEED = 10


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records of a CSV text."""

    data: bytes  # starts at the start of a record; the last line end may be missing
    first_row: int  # 0-based data row of the file
    first_line: int  # 1-based physical line of the file
    rows: int
    walked: bool  # every record was seen to have the right number of fields
    last: bool = False  # nothing comes after it
    error: InputError | None = None  # what is wrong right after these rows; nothing can be read from there on


@dataclass(frozen=True, slots=True)
class Layout:
    """What a cutter must know of a table: its name for messages, its header and its separator."""

    name: str
    header: Header
    separator: str

    @property
    def fields(self) -> int:
        """How many fields every record must have."""
        return len(self.header.columns)


def cut_blocks(
    source: Source, layout: Layout, *, progress: Callable[[int], None] | None = None
) -> Generator[Block, None, None]:
    """Yield the data rows of a file in blocks of up to about `BLOCK_BYTES`, in order, none of them empty but one with an error.

    `progress` is told the bytes of the file (as it is on disk) that have been read.

    Whatever is wrong with the file comes as the `error` of the last block, behind the rows before it. Blank lines at the end of the
    file are left out.
    """
    pieces = _after_header(source.pieces(progress), layout.header.num_bytes)
    row, line = 0, 1 + layout.header.lines
    rest = b""
    final = False
    failure: InputError | None = None
    block_bytes = FIRST_BYTES
    while not (final or failure):
        held, size = [rest], len(rest)
        try:
            while size < min(block_bytes, BLOCK_BYTES) or size == len(rest):
                piece = next(pieces, None)
                if piece is None:
                    final = True
                    break
                held.append(piece)
                size += len(piece)
        except InputError as error:
            failure = error
        block_bytes *= 2
        data, rest = _cut(held, final=final)
        block, end = _examine(data, layout, row, line, final=final)
        rest = data[end:] + rest
        row += block.rows
        # Where there are no quotes, each row is a line.
        line += count_byte(block.data, _LINE_FEED) if block.walked else block.rows
        fault = block.error or failure
        if fault is None and not final and len(rest) > MAX_RECORD_BYTES:
            fault = diagnose.endless_record(layout.name, line=line, limit_bytes=MAX_RECORD_BYTES)
        if block.rows or fault:
            yield replace(block, error=fault, last=final or fault is not None)
        if fault is not None:
            return


def walk(block: Block, layout: Layout) -> Block:
    """Return the block with every record checked: cut before the first broken one, which is then its error."""
    if block.walked:
        return block
    state = _walk(block.data, layout, final=True)
    return _settle(block, state, layout)


def line_of(block: Block, layout: Layout, row: int) -> int:
    """Return the 1-based physical line of a data row of the file that lies in this block."""
    state = _walk(block.data, layout, final=True, stop=row - block.first_row)
    return block.first_line + int(state[records.LINES])


def count_byte(data: bytes, byte: int) -> int:
    """Count how often a byte occurs in a text, at memory speed."""
    words = len(data) // 8
    counted = int(records.count_byte(np.frombuffer(data, np.uint64, count=words), byte)) if words else 0
    return counted + data.count(bytes((byte,)), 8 * words)


def _after_header(pieces: Iterator[bytes], skip: int) -> Iterator[bytes]:
    for piece in pieces:
        if skip < len(piece):
            yield piece[skip:] if skip else piece
        skip = max(0, skip - len(piece))


def _cut(held: list[bytes], *, final: bool) -> tuple[bytes, bytes]:
    """Join pieces up to the last record end that can be told without walking; return that and the rest.

    With quotes a line end may lie inside a record: then everything is joined, and the walk decides.
    """
    last = held[-1]
    cut = last.rfind(b"\n") + 1
    if final or not cut or any(b'"' in piece for piece in held):
        data = b"".join(held)
        cut = _end_without_blanks(data)
        return data[:cut], data[cut:]
    held[-1] = last[:cut]
    data = b"".join(held)
    blanks = _end_without_blanks(data)
    return data[:blanks], data[blanks:] + last[cut:]


def _end_without_blanks(data: bytes) -> int:
    """Return where the last line that is not blank ends, its line end included."""
    if len(data) > 2 and not data.endswith((b"\n\n", b"\n\r\n", b"\r")):
        return len(data)
    body = len(data.rstrip(b"\r\n"))
    line_end = data.find(b"\n", body)
    return line_end + 1 if body and line_end >= 0 else body


def _examine(data: bytes, layout: Layout, row: int, line: int, *, final: bool) -> tuple[Block, int]:
    """Return the whole records of a text as a block, and where they end."""
    block = Block(data=data, first_row=row, first_line=line, rows=0, walked=False)
    quoted = b'"' in data
    if not quoted and (final or data.endswith(b"\n")):
        rows = count_byte(data, _LINE_FEED) + (not data.endswith(b"\n") and data != b"")
        if count_byte(data, ord(layout.separator)) == rows * (layout.fields - 1):
            block = replace(block, rows=rows, walked=layout.fields == 1)
            return _check_encoding(block, layout), len(data)
    state = _walk(data, layout, final=final)
    end = int(state[records.POSITION])
    return _check_encoding(_settle(block, state, layout), layout), end


def _settle(block: Block, state: np.ndarray, layout: Layout) -> Block:
    end = int(state[records.POSITION])
    error = block.error
    if state[records.FAULT]:
        error = diagnose.malformed(
            layout.name,
            line=block.first_line + int(state[records.LINES]),
            fault=int(state[records.FAULT]),
            found=int(state[records.FOUND]),
            fields=layout.fields,
            columns=layout.header.columns,
            separator=layout.separator,
        )
    data = block.data if end == len(block.data) else block.data[:end]
    return replace(block, data=data, rows=int(state[records.ROWS]), walked=True, error=error)


def _check_encoding(block: Block, layout: Layout) -> Block:
    """Cut the block before the first record that is not UTF-8."""
    if block.data.isascii():
        return block
    try:
        block.data.decode("utf-8")
    except UnicodeDecodeError as problem:
        state = _walk(block.data[: problem.start], layout, final=False)
        line = block.first_line + block.data.count(b"\n", 0, problem.start)
        error = diagnose.not_utf_8(layout.name, line=line, byte=block.data[problem.start])
        settled = _settle(replace(block, error=None), state, layout)
        return settled if settled.error else replace(settled, error=error)
    return block


def _walk(data: bytes, layout: Layout, *, final: bool, stop: int = _ALL) -> np.ndarray:
    state = np.zeros(records.STATE_SIZE, dtype=np.int64)
    records.scan_records(np.frombuffer(data, np.uint8), ord(layout.separator), layout.fields, stop, final, state)
    return state
