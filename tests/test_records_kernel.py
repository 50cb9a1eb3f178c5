"""The record scanner against a twin that reads one character after the other, and the byte counter against `bytes.count`."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import records
from kernels.records import BLANK_LINE, FIELD_COUNT, OPEN_QUOTE, SOUND, STRAY_QUOTE

EVERY_ROW = 1 << 60
TEXTS = st.lists(
    st.sampled_from(['"', ",", "\n", "\r\n", "\r", "7", "ab", '"a"', '"x\ny"', '""', "1,2\n"]), max_size=30
).map(lambda parts: "".join(parts).encode())
check = settings(derandomize=True, deadline=None, max_examples=400)

# RFC 4180, field by field; a carriage return that belongs to a line end is not part of a field
QUOTED = re.compile(rb'"(?:[^"]|"")*+"')
BARE = re.compile(rb'[^",\n]*')


def naive_scan(data: bytes, fields: int, stop: int, *, final: bool) -> tuple[int, int, int, int, int]:
    """Return position, rows, lines, fault, fields found."""
    position = rows = lines = 0
    while rows < stop and position < len(data):
        at, found, fault, ended = position, 1, SOUND, False
        while True:
            if data[at : at + 1] == b'"':
                quoted = QUOTED.match(data, at)
                if not quoted:
                    fault, at = OPEN_QUOTE, len(data)
                    break
                at = quoted.end()
                if data[at : at + 2] in (b"\r\n", b"\r"):
                    at += 1
                if data[at : at + 1] not in (b",", b"\n", b""):
                    fault = STRAY_QUOTE
                    break
            else:
                at = BARE.match(data, at).end()
                if data[at : at + 1] == b'"':
                    fault = STRAY_QUOTE
                    break
            if data[at : at + 1] == b",":
                found += 1
                at += 1
                continue
            ended = data[at : at + 1] == b"\n"
            break
        if fault != STRAY_QUOTE and not ended and not final:
            break
        record = data[position:at]
        if fault == SOUND and fields and found != fields:
            fault = BLANK_LINE if record in (b"", b"\r") else FIELD_COUNT
        if fault:
            return position, rows, lines, fault, found
        position = at + ended
        rows += 1
        lines += record.count(b"\n") + ended
    return position, rows, lines, SOUND, 0


def scan(
    data: bytes, fields: int, stop: int = EVERY_ROW, *, final: bool = True, state: np.ndarray | None = None
) -> tuple[int, ...]:
    state = np.zeros(records.STATE_SIZE, dtype=np.int64) if state is None else state
    records.scan_records(np.frombuffer(data, np.uint8), ord(","), fields, stop, final, state)
    return tuple(state.tolist())


@check
@given(TEXTS, st.integers(0, 3), st.integers(0, 4) | st.just(EVERY_ROW), st.booleans())
def test_scan_equals_its_naive_twin(data, fields, stop, final):
    assert scan(data, fields, stop, final=final) == naive_scan(data, fields, stop, final=final)


@check
@given(TEXTS, st.integers(0, 3), st.integers(0, 60))
def test_scan_resumes_where_it_stopped(data, fields, cut):
    state = np.zeros(records.STATE_SIZE, dtype=np.int64)
    scan(data[:cut], fields, final=False, state=state)
    first_fault = state[records.FAULT]
    scan(data, fields, state=state)
    assert tuple(state.tolist()) == scan(data, fields)
    if first_fault == FIELD_COUNT:
        assert state[records.FAULT] == FIELD_COUNT


@pytest.mark.parametrize(
    ("data", "fields", "expected"),
    [
        (b"", 2, (0, 0, 0, SOUND, 0)),
        (b"1,2\n3,4", 2, (7, 2, 1, SOUND, 0)),
        (b"1,2\r\n3,4\r\n", 2, (10, 2, 2, SOUND, 0)),
        (b'"1,\n2",3\n', 2, (9, 1, 2, SOUND, 0)),
        (b'"a""b",3\n', 2, (9, 1, 1, SOUND, 0)),
        (b"1,2\n3\n", 2, (4, 1, 1, FIELD_COUNT, 1)),
        (b"1,2\n3,4,\n", 2, (4, 1, 1, FIELD_COUNT, 3)),
        (b"1,2\n\r\n3,4\n", 2, (4, 1, 1, BLANK_LINE, 1)),
        (b"1\n\n3\n", 1, (5, 3, 3, SOUND, 0)),
        (b'1,5" pipe\n', 2, (0, 0, 0, STRAY_QUOTE, 2)),
        (b'"a"b,1\n', 2, (0, 0, 0, STRAY_QUOTE, 1)),
        (b'1,2\n3,"4\n5,6\n', 2, (4, 1, 1, OPEN_QUOTE, 2)),
    ],
)
def test_scan_of_written_out_cases(data, fields, expected):
    assert scan(data, fields) == expected


@check
@given(st.binary(max_size=3000), st.integers(0, 255), st.integers(0, 40))
def test_count_byte_equals_bytes_count(data, byte, repeats):
    data = (data + bytes((byte,)) * repeats) * 5
    words = len(data) // 8
    counted = records.count_byte(np.frombuffer(data, np.uint64, count=words), byte)
    assert counted == data[: 8 * words].count(bytes((byte,)))


def test_count_byte_does_not_overflow_its_lanes():
    data = b"," * 80_000
    assert records.count_byte(np.frombuffer(data, np.uint64), ord(",")) == 80_000
