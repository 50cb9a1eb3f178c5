"""Gaps in time: which texts are times, and where a step is too long."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.stream import clock as clock_module
from engine.stream.clock import Clock, LateClock, peek, read_times, recognise
from engine.stream.scan import ReadOptions, open_table


def stamps(*texts):
    return pl.Series(list(texts), dtype=pl.String)


def find(*texts, max_gap=None):
    series = stamps(*texts)
    clock = Clock.for_file(series, max_gap)
    assert clock is not None
    gaps = clock.find(series)
    assert clock.found == gaps.sum()
    return gaps.tolist(), clock.backward


@pytest.mark.parametrize(
    "texts",
    [
        ("0", "1", "2", "3", "90"),
        (
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:01",
            "2026-01-01T00:00:02",
            "2026-01-01T00:00:03",
            "2026-01-02T00:00:00",
        ),
        (
            "2026-01-01 00:00:00.5",
            "2026-01-01 00:00:01",
            "2026-01-01 00:00:02",
            "2026-01-01 00:00:03",
            "2026-01-02 00:00:00",
        ),
        (
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:01Z",
            "2026-01-01T00:00:02Z",
            "2026-01-01T02:00:03+02:00",
            "2026-01-02T00:00:00Z",
        ),
        ("2026-01-01T00:00Z", "2026-01-01T00:01Z", "2026-01-01T00:02Z", "2026-01-01T00:03Z", "2026-01-02T00:00Z"),
        ("20251231235958", "20251231235959", "20260101000000", "20260101000001", "20260102000000"),
        ("0,0", "0,1", "0,2", "0,3", "9,0"),
        (
            "2026-01-01T00:00:00,000",
            "2026-01-01T00:00:00,500",
            "2026-01-01T00:00:01,000",
            "2026-01-01T00:00:01,500",
            "2026-01-02T00:00:00,000",
        ),
        (
            "31.12.2025 23:59:58",
            "31.12.2025 23:59:59",
            "01.01.2026 00:00:00",
            "01.01.2026 00:00:01",
            "02.01.2026 00:00:00",
        ),
    ],
)
def test_a_step_of_more_than_five_usual_ones_is_a_gap(texts):
    assert find(*texts) == ([False, False, False, False, True], 0)


INSTANTS = st.integers(-(10**15), 10**16)  # microseconds since 1970
STYLES = st.tuples(
    st.sampled_from("T "), st.sampled_from([("seconds", 10**6), ("milliseconds", 1000), ("microseconds", 1)])
)
SPOILT = st.sampled_from(["", "?", "2026-02-30T00:00:00", "2026-01-01T25:00:00Z", "noon"])


@given(st.data(), st.booleans(), st.booleans())
def test_times_are_read_alike_whatever_stands_beside_them(data, zoned, mixed):
    """Texts that are all of one style are read by a quicker way than others."""
    style = data.draw(STYLES)
    texts, times = [], []
    for instant in data.draw(st.lists(INSTANTS, min_size=1, max_size=20)):
        apart, (digits, unit) = data.draw(STYLES) if mixed else style
        seconds = instant // unit * unit / 1e6
        zone, shift = data.draw(st.sampled_from([("Z", 0), ("Z", 0), ("+02:00", 7200)])) if zoned else ("", 0)
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant // unit * unit, seconds=shift)
        texts.append(when.isoformat(apart, digits).removesuffix("+00:00") + zone)
        times.append(seconds)
        if mixed and data.draw(st.booleans()):
            texts.append(data.draw(SPOILT))
            times.append(np.nan)
    read = read_times(stamps(*texts), "%Y-%m-%dT%H:%M:%S%.f%#z" if zoned else "%Y-%m-%dT%H:%M:%S%.f")
    np.testing.assert_allclose(read, times, rtol=1e-15, atol=1e-6)


def test_a_backward_step_is_a_gap_and_counted_apart():
    assert find("10", "11", "12", "5", "6") == ([False, False, False, True, False], 1)


def test_max_gap_wins():
    assert find("0", "1", "4", "5", max_gap=2.0) == ([False, False, True, False], 0)


def test_a_time_that_cannot_be_read_does_not_hide_the_gap_it_lies_in():
    assert find("0", "1", "2", "", "500", "501") == ([False, False, False, False, True, False], 0)


def test_the_step_between_two_pieces_counts_even_behind_unreadable_times():
    clock = Clock("number", 5.0)
    assert clock.find(stamps("0", "1", "?")).tolist() == [False, False, False]
    assert clock.find(stamps("?", "?")).tolist() == [False, False]
    assert clock.find(stamps("60", "61")).tolist() == [True, False]


@pytest.mark.parametrize("text", ["28/12/2015 10:29:14 AM", "t17", "", "12:30"])
def test_what_is_no_time_or_ambiguous_sets_no_clock(text):
    assert recognise(stamps(text, text)) is None
    assert Clock.for_file(stamps(text, text), None) is None


@pytest.mark.parametrize("rows", [1, 2, 3, 9])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_peeking_takes_nothing_away(tmp_path, rows, size):
    path = tmp_path / "run.csv"
    path.write_text("timestamp,a\n01,2\n02,3\n03,4\n04,x\n")
    head, chunks = peek(open_table(path, "run.csv", ReadOptions()).chunks(size), rows)
    assert head.to_list() == ["01", "02", "03"][:rows]
    found = []

    def read():
        for chunk in chunks:
            found.extend(chunk.timestamps)

    with pytest.raises(InputError, match="line 5"):
        read()
    assert found == ["01", "02", "03"]


def test_peeking_where_there_is_nothing_to_see(tmp_path):
    path = tmp_path / "run.csv"
    for text, head in (("a,b\n1,2\n", None), ("timestamp,a\n", None)):
        path.write_text(text)
        found, chunks = peek(open_table(path, "run.csv", ReadOptions()).chunks(), 9)
        assert found is head
        assert len(list(chunks)) == text.count("\n") - 1
    path.write_text("timestamp,a\n01,x\n")
    with pytest.raises(InputError, match="line 2"):
        peek(open_table(path, "run.csv", ReadOptions()).chunks(), 9)


PIECES = st.lists(
    st.lists(st.sampled_from(["0", "1", "2", "3", "9", "40", "", "x"]), min_size=1, max_size=6), max_size=8
)


@given(PIECES, st.integers(1, 12), st.sampled_from([None, 1.5, 100.0]))
def test_a_late_clock_counts_what_one_counts_that_was_set_before(pieces, head_rows, max_gap):
    texts = [stamps(*piece) for piece in pieces]
    late = LateClock(max_gap)
    with mock.patch.object(clock_module, "HEAD_ROWS", head_rows):
        for piece in texts:
            assert not late.find(piece).any(), "where gaps are is not told"
        late.finish()
    clock = Clock.for_file(pl.concat(texts)[:head_rows] if texts else None, max_gap)
    if clock is not None:
        for piece in texts:
            clock.find(piece)
        assert (late.found, late.backward, late.first_row) == (clock.found, clock.backward, clock.first_row)
    else:
        assert (late.found, late.backward, late.first_row) == (0, 0, None)
