"""Numbers as CSV text: against the standard library's decimal arithmetic."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernels.fixed_point import WIDEST_CELL_BYTES, write_rows


def written(values, decimals, times):
    values = np.array(values, dtype=np.float64)
    stamps = np.array([list(time.encode()) for time in times], dtype=np.uint8).reshape(len(times), -1 if times else 20)
    starts = np.full(len(times), -1)
    out = np.zeros(len(times) * (stamps.shape[1] + 1 + len(decimals) * WIDEST_CELL_BYTES), dtype=np.uint8)
    size = write_rows(stamps, values, np.array(decimals), starts, out)
    assert not out[size:].any()
    return out[:size].tobytes().decode(), starts.tolist()


def text_of(value, decimals):
    """Return the naive twin: the float times the power of ten, rounded as a decimal."""
    whole = Decimal(float(value) * 10.0**decimals).quantize(Decimal(1), ROUND_HALF_EVEN)
    text = f"{whole.scaleb(-decimals):.{decimals}f}"
    return text.removeprefix("-") if whole == 0 else text


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.floats(-1e9, 1e9), st.integers(0, 6))
@example(0.0, 0)
@example(-0.0, 3)
@example(-0.0004, 3)
@example(0.5, 0)
@example(1.5, 0)
@example(-9.9999, 2)
@example(1e-9, 6)
def test_a_cell_is_the_decimal_of_its_float(value, decimals):
    text, _ = written([[value]], [decimals], ["t"])
    assert text == f"t,{text_of(value, decimals)}\n"


def test_the_widest_cell_fits_its_room():
    text, _ = written([[-999_999_999_999_999.0]], [0], ["t"])
    assert text == "t,-999999999999999\n"
    text, _ = written([[-0.999_999_999_999_999]], [15], ["t"])
    assert text == "t,-0.999999999999999\n"


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_lines_begin_where_it_says(rows):
    times = [f"2026-01-05T06:00:0{row}Z" for row in range(rows)]
    text, starts = written([[10.0**row for row in range(rows)], [-1.25] * rows], [0, 1], times)
    lines = text.splitlines(keepends=True)
    assert lines == [f"{time},{10**row},-1.2\n" for row, time in enumerate(times)]
    assert starts == [sum(map(len, lines[:row])) for row in range(rows)]
