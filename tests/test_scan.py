"""Reading tables: the same content as Python's own csv module and float(), and every error with its place and cure."""

import csv
import gzip
import io
import os
import re
import threading
import tracemalloc
from unittest import mock

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError, RequestError
from engine.stream import blocks, source
from engine.stream.scan import ReadOptions, open_table
from engine.stream.scan import text as text_module

check = settings(derandomize=True, deadline=None, max_examples=120)

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
NUMBERS = ["1", "-2.5", "+2.5", "1e5", "1E-3", ".5", "7.", "007", "0.1", "nan", "NaN", "inf", "-Infinity", "1e400", ""]
BLANKED = [" 1.5", "1.5 ", "\t-3", " 4 ", " ", "  "]
TEXTS = ["", "007", " x ", "28/12/2015 10:29:14 AM", "é°", "1767225600", "2026-11-23T09:00:00Z", "nan", "-", "."]
AWKWARD = ["a,b", 'say "so"', "two\nlines", "two\r\nlines", '"']


def write(folder, data, name="run.csv"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def read(path, rows=None, **options):
    """Return values, timestamps, labels and the error that ended the reading."""
    table = open_table(path, path.name, ReadOptions(**options))
    chunks, error, row = [], None, 0
    try:
        for chunk in table.chunks(rows):
            assert chunk.first_row == row
            assert chunk.values.dtype == np.float64
            assert chunk.values.flags.c_contiguous
            assert chunk.values.flags.writeable
            row += chunk.values.shape[1]
            chunks.append(chunk)
    except InputError as caught:
        error = caught
    values = np.concatenate([np.empty((len(table.data_columns), 0)), *(chunk.values for chunk in chunks)], axis=1)
    texts = [
        None
        if any(getattr(chunk, key) is None for chunk in chunks)
        else [text for chunk in chunks for text in getattr(chunk, key)]
        for key in ("timestamps", "labels")
    ]
    return values, *texts, error


def failure(path, **options):
    with pytest.raises(InputError) as caught:
        for _ in open_table(path, path.name, ReadOptions(**options)).chunks():
            pass
    assert caught.value.file == path.name
    return caught.value


def compress(data, kind):
    if kind == "gzip":  # two members and zero padding, as tape and block devices leave it
        return gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :]) + bytes(100)
    if kind == "zstd":
        codec = zstandard.ZstdCompressor()
        return codec.compress(data[: len(data) // 3]) + codec.compress(data[len(data) // 3 :])
    return data


@st.composite
def tables(draw):
    """A CSV text, the column positions to read, the index of its first bad row or None, and how the file is packed."""
    columns = draw(st.integers(1, 5))
    names = (
        ["timestamp", *(f"c{i}" for i in range(1, columns))]
        if draw(st.booleans())
        else [f"c{i}" for i in range(columns)]
    )
    texts = {i for i, name in enumerate(names) if name == "timestamp"}
    texts |= {columns - 1} if columns > 2 and draw(st.booleans()) else set()
    if len(texts) == columns:
        texts.clear()
        names[0] = "c0"
    blanks, bad = draw(st.booleans()), draw(st.sampled_from([0, 0, 0, 1]))
    numbers = st.sampled_from(NUMBERS + BLANKED * blanks + ["x", "0x10", "true", "1,5", "1_0"] * bad)
    words = st.sampled_from(TEXTS + AWKWARD * draw(st.booleans()))
    kinds = [words if i in texts else numbers for i in range(columns)]
    rows = draw(st.lists(st.tuples(*kinds), max_size=25))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    wrap = draw(st.sampled_from([0.0, 0.0, 0.3]))
    generator = np.random.default_rng(draw(st.integers(0, 99)))

    def cell(text):
        if wrap > generator.random() or any(mark in text for mark in ',"\n\r'):
            return '"' + text.replace('"', '""') + '"'
        return text

    lines = [",".join(map(cell, row)) for row in [tuple(f" {name} " for name in names), *rows]]
    if columns == 1:  # an empty line at the end of a one-column file is left out
        while lines and lines[-1] == "":
            lines.pop()
    text = end.join(lines) + draw(st.sampled_from(["", end, end * 3]))
    data = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()
    return data, names, texts, draw(st.sampled_from(["plain", "gzip", "zstd"]))


def expected_rows(data, names, texts):
    """Read with the csv module; stop at the first cell that is not a number."""
    text = data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]
    while rows and rows[-1] == []:
        rows.pop()
    rows = [row or [""] for row in rows]  # the csv module's way of showing an empty line
    numbers = []
    for row in rows:
        cells = [cell.strip(" \t") for i, cell in enumerate(row) if i not in texts]
        if not all(cell == "" or NUMBER.fullmatch(cell) for cell in cells):
            return np.array(numbers).reshape(len(numbers), len(names) - len(texts)).T, rows[: len(numbers)], row
        numbers.append([float(cell or "nan") for cell in cells])
    return np.array(numbers).reshape(len(numbers), len(names) - len(texts)).T, rows, None


@check
@given(tables(), st.integers(1, 30) | st.none(), st.sampled_from([1, 40, 1 << 23]), st.sampled_from([1, 7, 1 << 18]))
def test_content_equals_the_csv_module(tmp_path_factory, table, rows, block_bytes, piece_bytes):
    data, names, texts, kind = table
    path = write(tmp_path_factory.mktemp("scan"), compress(data, kind))
    wanted, good, bad = expected_rows(data, names, texts)
    label = names[-1] if len(names) - 1 in texts and names[-1] != "timestamp" else None
    with mock.patch.object(blocks, "BLOCK_BYTES", block_bytes), mock.patch.object(source, "PIECE_BYTES", piece_bytes):
        values, stamps, labels, error = read(path, rows, label_column=label)
        table = open_table(path, path.name, ReadOptions(label_column=label))
        lines = [table.line_of(row) for row in range(len(good))]
    if wanted.size:
        np.testing.assert_array_equal(values, wanted)
    assert values.shape[1] == len(good)
    assert stamps == (None if "timestamp" not in names else [row[0] for row in good]) or not good
    assert labels == (None if label is None else [row[-1].strip() for row in good]) or not good
    assert (error is None) == (bad is None)
    ends = _record_ends(data)
    assert lines == [end + 1 for end in ends[: len(good)]]
    if bad is not None:
        assert error.code == "invalid_cell"
        assert error.value in bad
        assert error.line == ends[len(good)] + 1


def _record_ends(data):
    """Return the physical line on which each record ends, the header first, counting line feeds alone."""
    ends, quoted, line = [], False, 0
    for character in data.decode("utf-8-sig"):
        quoted ^= character == '"'
        if character == "\n":
            line += 1
            if not quoted:
                ends.append(line)
    return [*ends, line + 1]


@pytest.mark.parametrize("kind", ["plain", "gzip", "zstd", "parquet"])
def test_kind_is_told_by_bytes_not_by_name(tmp_path, kind):
    text = "timestamp,a,b\n1,2,3\n4,5,6\n"
    path = tmp_path / "run.txt"
    if kind == "parquet":
        pl.read_csv(io.StringIO(text)).write_parquet(path)
    else:
        path.write_bytes(compress(text.encode(), kind))
    values, stamps, labels, error = read(path)
    assert values.tolist() == [[2.0, 5.0], [3.0, 6.0]]
    assert stamps == ["1", "4"]
    assert labels is None
    assert error is None


@pytest.mark.parametrize("header", ["PAR1,a", "PAR1", "PAR1\ta"])
def test_a_column_called_like_the_mark_of_parquet(tmp_path, header):
    assert (
        open_table(write(tmp_path, header + "\n"), "run.csv", ReadOptions(separator="\t")).columns[0].startswith("PAR1")
    )


def test_a_skippable_zstd_frame_may_come_first(tmp_path):
    frame = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    assert read(write(tmp_path, frame + compress(b"a\n1\n2\n", "zstd")))[0].tolist() == [[1.0, 2.0]]


def test_columns_come_in_the_order_asked_for(tmp_path):
    path = write(tmp_path, "a, time ,b, label\n1,t0,2, on \n3,t1,4,off\n")
    values, stamps, labels, _ = read(path, data_columns=("b", "a"), timestamp_column="time", label_column="label")
    assert values.tolist() == [[2.0, 4.0], [1.0, 3.0]]
    assert stamps == ["t0", "t1"]
    assert labels == ["on", "off"]
    table = open_table(path, "run.csv", ReadOptions(timestamp_column="time", label_column="label"))
    assert table.columns == ("a", "time", "b", "label")
    assert table.data_columns == ("a", "b")
    assert table.timestamp_name == "time"
    assert table.num_bytes == path.stat().st_size


def test_a_column_may_be_both_timestamp_and_data(tmp_path):
    path = write(tmp_path, "hour,a\n01,5\n02,6\n")
    values, stamps, _, _ = read(path, data_columns=("hour", "a"), timestamp_column="hour")
    assert values.tolist() == [[1.0, 2.0], [5.0, 6.0]]
    assert stamps == ["01", "02"]


def test_rows_are_numbered_without_a_timestamp_column(tmp_path):
    table = open_table(write(tmp_path, "a,b\n1,2\n"), "run.csv", ReadOptions())
    assert table.timestamp_name == "timestamp"
    assert next(table.chunks()).timestamps is None


def test_floats_after_many_integers_and_a_late_blank(tmp_path):
    rows = [f"{i},{i}" for i in range(3000)] + ["3000,0.25", "3001,0.5 ", "3002,7"]
    values, _, _, error = read(write(tmp_path, "timestamp,a\n" + "\n".join(rows)))
    assert error is None
    assert values[0, -3:].tolist() == [0.25, 0.5, 7.0]


def test_a_header_alone_has_no_rows(tmp_path):
    for text in ("timestamp,a", "timestamp,a\n", "timestamp,a\r\n\r\n\r\n"):
        table = open_table(write(tmp_path, text), "run.csv", ReadOptions())
        assert list(table.chunks()) == []
        assert table.estimate_rows() == (0, True)


def test_header_names_follow_the_csv_rules(tmp_path):
    path = write(tmp_path, '\ufeff"speed, left","a\nb" ,"say ""so"""\r\n1,2,3\r\n'.replace('" ,', '",'))
    table = open_table(path, "run.csv", ReadOptions())
    assert table.columns == ("speed, left", "a\nb", 'say "so"')
    assert table.line_of(0) == 3


def test_odd_columns_that_are_not_asked_for_do_no_harm(tmp_path):
    path = write(tmp_path, "x,x,timestamp,a,\nbad,worse,1,2,\n,,3,4,text\n")
    values, stamps, _, error = read(path, data_columns=("a",))
    assert (values.tolist(), stamps, error) == ([[2.0, 4.0]], ["1", "3"], None)


def test_an_empty_last_cell_is_not_a_short_row(tmp_path):
    values, _, _, error = read(write(tmp_path, "timestamp,a,b\n1,2,\n2,,3\n3,,\n"))
    assert error is None
    np.testing.assert_array_equal(values, [[2, np.nan, np.nan], [np.nan, 3, np.nan]])


@pytest.mark.parametrize("separator", [";", "\t", "|", " "])
@pytest.mark.parametrize("stamp", ["5", "01.02.2026"])
def test_decimal_commas_and_other_separators(tmp_path, separator, stamp):
    lines = [["timestamp", "a", "b"], [stamp, "1,5", "2"], [stamp, "-1,25e2", "inf"]]
    path = write(tmp_path, "\n".join(separator.join(line) for line in lines))
    values, stamps, _, error = read(path, separator=separator, decimal=",")
    assert (values.tolist(), stamps, error) == ([[1.5, -125.0], [2.0, np.inf]], [stamp, stamp], None)


def test_decimal_commas_in_quotes_between_commas(tmp_path):
    values, _, _, error = read(write(tmp_path, 'timestamp,a\n1,"2,5"\n2,3\n'), decimal=",")
    assert (values.tolist(), error) == ([[2.5, 3.0]], None)


def test_a_point_is_no_decimal_mark_beside_commas(tmp_path):
    error = failure(write(tmp_path, "timestamp;a\n1;2,5\n2;1.500\n"), separator=";", decimal=",")
    assert (error.line, error.column, error.value) == (3, "a", "1.500")
    assert 'set it to "."' in error.cure


@pytest.mark.parametrize("cell", ["NA", " NA "])
def test_null_values_are_missing_cells_but_text_stays_text(tmp_path, cell):
    path = write(tmp_path, f'timestamp,a,b,label\nNA,1,{cell},NA\n-,-,"NA",ok\n,3,4,-\n')
    values, stamps, labels, error = read(path, null_values=("NA", "-"), label_column="label")
    np.testing.assert_array_equal(values, [[1, np.nan, 3], [np.nan, np.nan, 4]])
    assert (stamps, labels, error) == (["NA", "-", ""], ["NA", "ok", "-"], None)


@pytest.mark.parametrize(
    "text", ["timestamp,a,b,\n1,1,2,\n2,3,4,\n", ",a,,b\n0,1,,2\n1,3,,4\n", "a,b,,\n1,2,,\n3,4,,\n"]
)
def test_columns_without_a_name_are_no_channels(tmp_path, text):
    """An index, or separators at the ends of lines."""
    table = open_table(write(tmp_path, text), "run.csv", ReadOptions())
    assert table.data_columns == ("a", "b")
    (chunk,) = table.chunks()
    assert chunk.values.tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize("blank", [" ", "   ", "\t"])
def test_a_null_value_that_is_a_number_may_stand_behind_blanks(tmp_path, blank):
    path = write(tmp_path, f"timestamp,a,b\n1,{blank}-999.000,2\n2,{blank}3,-999.000\n")
    values, _, _, _ = read(path, null_values=("-999.000",))
    np.testing.assert_array_equal(values, [[np.nan, 3], [2, np.nan]])


def test_null_values_are_missing_in_numbers_of_parquet_too(tmp_path):
    path = tmp_path / "run.parquet"
    pl.DataFrame({"a": [1.5, -999.0, None], "b": [-999, 2, 3], "c": ["-999", "4", "n/a"]}).write_parquet(path)
    values, _, _, _ = read(path, null_values=("-999", "n/a"))
    np.testing.assert_array_equal(values, [[1.5, np.nan, np.nan], [np.nan, 2, 3], [np.nan, 4, np.nan]])


@pytest.mark.parametrize("change", ["longer", "shorter", "other"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_that_is_written_while_it_is_read_is_an_error(tmp_path, change, kind):
    path = write(tmp_path, "a,b\n" + "1,2\n" * 5000)
    if kind == "parquet":
        pl.read_csv(path).write_parquet(path)
    table = open_table(path, "run.csv", ReadOptions())
    data = path.read_bytes()
    if kind == "csv":
        path.write_bytes(
            {"longer": data + b"3,4\n", "shorter": data[:-4], "other": data.replace(b"1,2", b"1,3", 1)}[change]
        )
    os.utime(path, ns=(0, 0))
    with pytest.raises(InputError, match="it was written while it was in use") as caught:
        list(table.chunks())
    assert caught.value.code == "read_error"


def test_early_close_and_a_second_reading(tmp_path):
    path = write(tmp_path, "a\n" + "1\n" * 5000)
    table = open_table(path, "run.csv", ReadOptions())
    with mock.patch.object(blocks, "BLOCK_BYTES", 100), mock.patch.object(source, "PIECE_BYTES", 100):
        chunks = table.chunks(10)
        next(chunks)
        chunks.close()
        assert sum(chunk.values.shape[1] for chunk in table.chunks(10)) == 5000


def test_no_thread_is_left_behind(tmp_path):
    path = write(tmp_path, "a\n" + "1\n" * 5000)
    before = threading.active_count()
    with mock.patch.object(blocks, "BLOCK_BYTES", 100), mock.patch.object(source, "PIECE_BYTES", 100):
        chunks = open_table(path, "run.csv", ReadOptions()).chunks(10)
        next(chunks)
        chunks.close()
    assert threading.active_count() == before


def test_chunks_refuse_less_than_a_row(tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        open_table(write(tmp_path, "a\n1\n"), "run.csv", ReadOptions()).chunks(0)


def test_rows_are_counted_or_estimated(tmp_path):
    path = write(tmp_path, "timestamp,a\n" + "".join(f"{10_000 + i},1.5\n" for i in range(80_000)))
    packed = write(tmp_path, gzip.compress(path.read_bytes()), "run.csv.gz")
    assert open_table(path, "run.csv", ReadOptions()).estimate_rows() == (80_000, True)
    assert open_table(packed, "run.csv", ReadOptions()).estimate_rows() == (80_000, True)
    with mock.patch.object(blocks, "BLOCK_BYTES", 50_000), mock.patch.object(source, "PIECE_BYTES", 10_000):
        for file, counted in ((path, 200_000), (packed, 50_000)):
            limits = {"COUNTED_BYTES": counted, "JUDGED_BYTES": 100_000}
            with mock.patch.multiple(text_module, **limits):
                rows, exact = open_table(file, "run.csv", ReadOptions()).estimate_rows()
            assert not exact
            assert rows == pytest.approx(80_000, rel=0.2)


@pytest.mark.parametrize("first_bytes", [10, 1000, 1 << 30])
def test_first_blocks_and_chunks_are_smaller_and_hold_the_same_rows(tmp_path, first_bytes):
    rows = 50_000
    path = write(tmp_path, "timestamp,a,b\n" + "".join(f"{i},{i}.5,{-i}\n" for i in range(rows)))
    sizes = mock.patch.multiple(blocks, FIRST_BYTES=first_bytes, BLOCK_BYTES=100_000)
    with sizes, mock.patch.object(source, "PIECE_BYTES", 4096):
        table = open_table(path, "run.csv", ReadOptions())
        chunks = list(table.chunks())
        texts = [len(block.data) for block in blocks.cut_blocks(table._reader._source, table._reader._layout)]
    for number, size in enumerate(texts[:-1]):
        assert size == pytest.approx(min(first_bytes * 2**number, 100_000), abs=4096)
    assert [chunk.values.shape[1] for chunk in chunks] == [1024, 2048, 4096, 8192, 16384, rows - 31744]
    assert [chunk.first_row for chunk in chunks] == [0, 1024, 3072, 7168, 15360, 31744]
    assert np.concatenate([chunk.values[1] for chunk in chunks]).tolist() == [-i for i in range(rows)]
    with pytest.raises(IndexError):
        open_table(path, "run.csv", ReadOptions()).line_of(80_000)


# What a person reads: file, line, column, value, cure; and always the rows before the fault.


def test_text_in_a_data_column_whatever_the_chunks(tmp_path):
    lines = ["timestamp,speed,current"] + [f"{i},{i},{i}" for i in range(1041)] + ["1041,1,bad"] + ["1,2,3"] * 50
    path = write(tmp_path, "\n".join(lines), "line7.csv")
    for rows in (None, 1, 1000, 5000):
        for block_bytes in (1 << 23, 1000):
            with mock.patch.object(blocks, "BLOCK_BYTES", block_bytes), mock.patch.object(source, "PIECE_BYTES", 300):
                values, stamps, _, error = read(path, rows)
            assert values.shape == (2, 1041)
            assert len(stamps) == 1041
            assert str(error).startswith("line7.csv, line 1043, column current: 'bad' is not a number. ")
            assert (error.code, error.line, error.column, error.value) == ("invalid_cell", 1043, "current", "bad")
            assert "reader_config.null_values (--null-value 'bad')" in error.cure


@pytest.mark.parametrize("value", ["NA", "-", "null", "N/A", "ERROR", "x y"])
def test_texts_for_missing_values_have_a_cure(tmp_path, value):
    error = failure(write(tmp_path, f"timestamp,a\n1,2\n2,{value}\n"))
    assert str(error).startswith(f"run.csv, line 3, column a: {value!r} is not a number.")
    assert f"--null-value '{value}'" in error.cure


@pytest.mark.parametrize("value", ["true", "0x10", "1_000", "1 000", "1.2.3", "--1", "1e", "\uff11"])
def test_what_is_not_a_number(tmp_path, value):
    error = failure(write(tmp_path, f"timestamp,a\n1,2\n2,{value}\n"))
    assert (error.code, error.line, error.value) == ("invalid_cell", 3, value)


def test_the_first_bad_cell_is_named_by_row_then_by_column(tmp_path):
    path = write(tmp_path, "a,b,c\n1,2,3\n1,x,y\nz,2,3\n")
    assert failure(path, data_columns=("c", "b", "a")).column == "b"
    assert failure(path, data_columns=("c", "a")).value == "y"


def test_a_long_value_is_shown_shortened(tmp_path):
    error = failure(write(tmp_path, "a\n1\n" + "x" * 500 + "\n"))
    assert len(str(error)) < 1000
    assert "x..." in error.message
    assert len(error.value) == 500


def test_a_row_of_units(tmp_path):
    error = failure(write(tmp_path, "timestamp,speed,current\ns,rpm,A\n1,2,3\n"))
    assert str(error).startswith(
        "run.csv, line 2, column speed: 'rpm' is not a number. Line 2 looks like a row of units: delete it"
    )
    assert "null_values" in error.cure
    values, _, _, error = read(tmp_path / "run.csv", null_values=("rpm", "A"))
    assert error is None
    np.testing.assert_array_equal(values, [[np.nan, 2], [np.nan, 3]])
    assert "units" not in failure(write(tmp_path, "timestamp,speed,current\ns,rpm,5\n1,2,3\n")).cure


@pytest.mark.parametrize(
    ("mark", "option"), [(";", "--separator ';'"), ("\t", "--separator $'\\t'"), ("|", "--separator '|'")]
)
def test_another_separator_has_a_cure(tmp_path, mark, option):
    path = write(tmp_path, f"timestamp{mark}a\n1{mark}2\n")
    for options in ({}, {"data_columns": ("a",)}, {"timestamp_column": "timestamp"}):
        error = failure(path, **options)
        assert "reader_config.separator" in error.cure
        assert option in error.cure
    path = write(tmp_path, f"timestamp{mark}a\n1{mark}2,5\n")
    assert "reader_config.separator" in failure(path).cure
    assert failure(path).code == "malformed_row"


def test_decimal_commas_have_a_cure(tmp_path):
    error = failure(write(tmp_path, "timestamp;a\n1;2\n2;2,5\n"), separator=";")
    assert str(error).startswith("run.csv, line 3, column a: '2,5' is not a number.")
    assert 'reader_config.decimal to "," (--decimal ,)' in error.cure


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("3,4", "2 fields where the header has 3"),
        ("3", "1 field where the header has 3"),
        ("3,4,5,6", "4 fields where the header has 3"),
        ("3,4,5,", "4 fields where the header has 3"),
        ("", "a blank line between rows"),
        ('3,4,5" pipe', 'a quote (") inside a field that is not quoted as a whole'),
        ('3,"4"x,5', 'a quote (") inside a field that is not quoted as a whole'),
    ],
)
@pytest.mark.parametrize("columns", [None, ("a",), ("c",)])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_malformed_row_after_the_rows_before_it(tmp_path, row, said, columns, end):
    path = write(tmp_path, end.join(["a,b,c", '1,"2",3', "4,,", "7,8,9", row, "10,11,12", "", ""]))
    for rows in (None, 1, 2):
        for block_bytes in (1 << 23, 1):
            with mock.patch.object(blocks, "BLOCK_BYTES", block_bytes), mock.patch.object(source, "PIECE_BYTES", 5):
                values, _, _, error = read(path, rows, data_columns=columns)
            assert values.shape[1] == 3
            assert error.message == f"run.csv, line 5: {said}."
            assert (error.code, error.line) == ("malformed_row", 5)
            assert error.cure


def test_short_and_long_rows_that_balance_out(tmp_path):
    path = write(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n")
    for columns in (None, ("a",), ("b",)):
        values, _, _, error = read(path, data_columns=columns)
        assert values.shape[1] == 1
        assert error.message == "run.csv, line 3: 2 fields where the header has 3."


def test_a_malformed_row_comes_before_a_later_bad_cell_and_after_an_earlier_one(tmp_path):
    assert failure(write(tmp_path, "a,b\n1,2\n3\n4,x\n")).code == "malformed_row"
    assert failure(write(tmp_path, "a,b\n1,2\n4,x\n3\n")).code == "invalid_cell"


def test_a_quote_that_is_never_closed(tmp_path):
    path = write(tmp_path, 'timestamp,a\n1,2\n"2,3\n' + "3,4\n" * 100)
    values, _, _, error = read(path)
    assert values.tolist() == [[2.0]]
    assert error.message == 'run.csv, line 3: the quote (") that opens in this row is never closed.'


def test_a_record_without_end_is_refused_in_bounded_memory(tmp_path):
    path = write(tmp_path, 'timestamp,a\n1,2\n"2,3\n' + "3,4\n" * 1000)
    with (
        mock.patch.object(blocks, "BLOCK_BYTES", 200),
        mock.patch.object(source, "PIECE_BYTES", 100),
        mock.patch.object(blocks, "MAX_RECORD_BYTES", 500),
    ):
        values, _, _, error = read(path)
    assert values.tolist() == [[2.0]]
    assert error.message == "run.csv, line 3: a row of more than 500 bytes."


def test_another_encoding(tmp_path):
    good = "timestamp,name,a\n" + "1,ok,2\n" * 5
    path = write(tmp_path, good.encode() + "2,größe,3\n".encode("latin1"))
    for block_bytes in (1 << 23, 10):
        with mock.patch.object(blocks, "BLOCK_BYTES", block_bytes), mock.patch.object(source, "PIECE_BYTES", 9):
            values, _, _, error = read(path, data_columns=("a",))
        assert values.shape[1] == 5
        assert str(error).startswith("run.csv, line 7: the byte 0xf6 is not UTF-8. Save the file again as UTF-8")
        assert "iconv -f latin1 -t utf-8 run.csv" in error.cure
        assert (error.code, error.line) == ("read_error", 7)
    error = failure(write(tmp_path, "zeit,größe\n1,2\n".encode("latin1")))
    assert (error.code, error.line) == ("read_error", 1)
    assert "iconv -f utf-16" in failure(write(tmp_path, "a,b\n1,2\n".encode("utf-16"))).cure


def test_a_malformed_row_comes_before_a_later_wrong_byte(tmp_path):
    error = failure(write(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n1,2,ö\n".encode("latin1")))
    assert error.message == "run.csv, line 3: 2 fields where the header has 3."


def test_carriage_returns_alone(tmp_path):
    error = failure(write(tmp_path, "a,b\r1,2\r3,4\r"))
    assert error.message == "run.csv, line 1: the lines end in a carriage return alone."
    assert "tr '\\r' '\\n'" in error.cure


@pytest.mark.parametrize(
    "data", [b"", b"\xef\xbb\xbf", b"\n\n", gzip.compress(b""), zstandard.ZstdCompressor().compress(b"")]
)
def test_an_empty_file(tmp_path, data):
    error = failure(write(tmp_path, data))
    assert str(error) == "run.csv: the file is empty. It needs a header row, or records."
    assert error.code == "invalid_file_size"


def test_a_blank_header(tmp_path):
    error = failure(write(tmp_path, "\na,b\n1,2\n"))
    assert error.message == "run.csv, line 1: the header row is blank."


def test_a_broken_header(tmp_path):
    assert failure(write(tmp_path, 'a,b" x\n1,2\n')).message.startswith("run.csv, line 1: a quote")
    assert failure(write(tmp_path, 'a,"b\n1,2\n')).message.endswith("is never closed.")


def test_no_such_file_a_folder_and_a_pipe(tmp_path):
    error = failure(tmp_path / "none.csv")
    assert error.message == f"none.csv: there is no such file ({tmp_path / 'none.csv'})."
    assert error.code == "file_not_found"
    (tmp_path / "folder").mkdir()
    error = failure(tmp_path / "folder")
    assert (error.code, error.message) == ("read_error", "folder cannot be read: it is a folder.")
    os.mkfifo(tmp_path / "pipe")
    assert failure(tmp_path / "pipe").message == "pipe cannot be read: it is not a regular file."


def test_a_missing_column(tmp_path):
    path = write(tmp_path, "timestamp,speed\n1,2\n")
    for options in ({"data_columns": ("current",)}, {"timestamp_column": "current"}, {"label_column": "current"}):
        error = failure(path, **options)
        assert str(error) == "run.csv has no column 'current'; it has: timestamp, speed."
        assert (error.code, error.column) == ("missing_column", "current")
    assert failure(path, label_column="speed").message == "run.csv has no data column; it has: timestamp, speed."


def test_a_duplicate_column(tmp_path):
    path = write(tmp_path, "a,b, a\n1,2,3\n")
    for columns in (None, ("a",)):
        error = failure(path, data_columns=columns)
        assert error.message == "run.csv has 2 columns called 'a'."
        assert (error.code, error.column) == ("duplicate_column", "a")
    assert read(path, data_columns=("b",))[0].tolist() == [[2.0]]


def test_columns_in_impossible_roles(tmp_path):
    path = write(tmp_path, "Prediction,a,b\n1,2,3\n")
    error = failure(path, timestamp_column="Prediction")
    assert error.code == "invalid_parameter"
    assert "cannot be called Prediction" in error.message
    assert failure(path, data_columns=("a", "a")).code == "invalid_parameter"
    assert "label column" in failure(path, data_columns=("a", "b"), label_column="b").message


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_truncated_file_gives_its_whole_rows_first(tmp_path, kind):
    generator = np.random.default_rng(0)
    data = "a,b\n" + "".join(f"{x:.17g},1\n" for x in generator.random(20_000))
    pack = gzip.compress if kind == "gzip" else zstandard.ZstdCompressor().compress
    path = write(tmp_path, pack(data.encode())[:-20_000])
    counts = set()
    for rows in (None, 7, 5000):
        values, _, _, error = read(path, rows)
        counts.add(values.shape[1])
        assert error.code == "read_error"
        assert (
            error.message
            == f"run.csv is a damaged or truncated {kind} file: it ends in the middle of the compressed stream."
        )
    assert len(counts) == 1
    assert counts.pop() > 5000


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_damaged_file(tmp_path, kind):
    data = bytearray(compress(("a,b\n" + "1,2\n" * 5000).encode(), kind))
    if kind == "gzip":
        data[-106] ^= 0xFF  # in the checksum of the last member
    else:
        data[4] ^= 0xFF
    error = failure(write(tmp_path, bytes(data)))
    assert error.code == "read_error"
    assert error.message.startswith(f"run.csv is a damaged or truncated {kind} file")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("separator", ""),
        ("separator", ";;"),
        ("separator", '"'),
        ("separator", "§"),
        ("separator", "1"),
        ("decimal", "5"),
        ("decimal", ""),
    ],
)
def test_options_that_cannot_work(key, value):
    with pytest.raises(RequestError, match=f"reader_config.{key} must be one"):
        ReadOptions(**{key: value})


# Parquet


def test_parquet_types(tmp_path):
    path = tmp_path / "run.parquet"
    when = pl.Series(["2026-11-23T09:00:00.123456", "2026-11-23T09:00:01"]).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f")
    frame = pl.DataFrame(
        {" i ": [1, None], "f": [0.5, float("inf")], "b": [True, False], "s": ["2.5", " 1e3 "], "n": [None, None]}
    )
    frame.with_columns(
        d=pl.Series(["1.5", "2"]).cast(pl.Decimal(10, 2)),
        when=when,
        utc=when.dt.replace_time_zone("UTC"),
        id=pl.Series([7, None]),
    ).write_parquet(path)
    columns = ("i", "f", "b", "s", "n", "d")
    for column, texts in (
        ("when", ["2026-11-23T09:00:00.123456", "2026-11-23T09:00:01.000000"]),
        ("utc", ["2026-11-23T09:00:00.123456+00:00", "2026-11-23T09:00:01.000000+00:00"]),
        ("id", ["7", ""]),
        ("s", ["2.5", " 1e3 "]),
    ):
        values, stamps, _, error = read(path, 1, data_columns=columns, timestamp_column=column)
        assert stamps == texts
        assert error is None
    nan = np.nan
    np.testing.assert_array_equal(values, [[1, nan], [0.5, np.inf], [1, 0], [2.5, 1000], [nan, nan], [1.5, 2]])
    table = open_table(path, "run.parquet", ReadOptions(data_columns=columns))
    assert table.estimate_rows() == (2, True)
    assert table.line_of(1) == 2
    error = failure(path, data_columns=("i", "when"))
    assert error.message.startswith("run.parquet, column when: it holds Datetime")


def test_parquet_text_that_is_not_a_number(tmp_path):
    path = tmp_path / "run.parquet"
    pl.DataFrame({"timestamp": range(50_000), "a": ["1.5"] * 41_000 + ["bad"] + ["2"] * 8_999}).write_parquet(
        path, row_group_size=5000
    )
    for rows in (None, 999):
        values, stamps, _, error = read(path, rows)
        assert values.shape == (1, 41_000)
        assert stamps[-1] == "40999"
        assert error.message == "run.parquet, row 41001, column a: 'bad' is not a number."
        assert (error.code, error.line) == ("invalid_cell", 41_001)


def test_parquet_closed_early(tmp_path):
    path = tmp_path / "run.parquet"
    pl.DataFrame({"a": np.arange(200_000.0)}).write_parquet(path, row_group_size=2000)
    for _ in range(20):
        chunks = open_table(path, "run.parquet", ReadOptions()).chunks(100)
        assert next(chunks).values[0, 0] == 0.0
        chunks.close()


def test_parquet_that_ends_before_its_metadata_says_so_is_damaged(tmp_path, capfd):
    path = tmp_path / "run.parquet"
    pl.DataFrame({"t": range(300), "a": np.arange(300.0)}).write_parquet(path, row_group_size=100)
    data = path.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    whole, group = b"\xd8\x04", b"\xc8\x01"  # 300 and 100 as the footer writes them
    assert data.count(whole, footer) == 1
    more = data[:footer] + data[footer:].replace(whole, b"\xda\x04")
    values, _, _, error = read(write(tmp_path, more, "more.parquet"))
    assert values.shape[1] == 300
    assert "its metadata says 301 rows, 300 could be read" in error.message
    last = data.rindex(group, 0, -8)  # Polars panics where a column has fewer rows than its group, and says nothing
    torn = data[:last] + b"\xca\x01" + data[last + 2 :]
    values, _, _, error = read(write(tmp_path, torn, "torn.parquet"))
    assert values.shape[1] <= 200
    assert re.search(r"its metadata says 300 rows, \d+ could be read", error.message)
    assert "panicked" in capfd.readouterr().err


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_a_header_without_end_is_refused_in_bounded_memory(tmp_path, pack):
    name = "x" * (40 << 20)
    tracemalloc.start()
    error = failure(write(tmp_path, pack(name.encode()), "endless.csv"))
    assert error.message.startswith("endless.csv, line 1: a row of more than 16777216 bytes")
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()
    assert "carriage return alone" in failure(write(tmp_path, pack(b"a,b\r" * (5 << 20)))).message
    wide = failure(write(tmp_path, pack(",".join(f"c{n}" for n in range(100_001)).encode())))
    assert wide.message.endswith("the header has 100,001 columns; up to 100,000 are read.")


def test_a_damaged_parquet_file(tmp_path):
    path = tmp_path / "run.parquet"
    pl.DataFrame({"a": np.random.default_rng(0).random(20_000)}).write_parquet(path)
    data = path.read_bytes()
    error = failure(write(tmp_path, data[:-50], "short.parquet"))
    assert (error.code, error.message[:51]) == ("read_error", "short.parquet is a damaged or truncated Parquet fil")
    hurt = bytearray(data)
    hurt[100:150_000] = bytes(149_900)
    error = failure(write(tmp_path, bytes(hurt), "hurt.parquet"))
    assert error.code == "read_error"


@pytest.mark.parametrize("cell", ["2026-01-01 10:00:00", "28/12/2015 10:29:14 AM", "10:15", "1.2.2026"])
def test_a_time_in_a_data_column_proposes_to_name_the_timestamp_column(cell, tmp_path):
    path = tmp_path / "plant.csv"
    path.write_text(f"time,speed\n{cell},1\n")
    with pytest.raises(InputError, match="--timestamp-column"):
        list(open_table(path, "plant.csv", ReadOptions()).chunks())
