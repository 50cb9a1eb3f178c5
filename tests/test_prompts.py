"""JSONL files: which lines there are, what they say, and what is wrong with those that say nothing."""

import gzip
import json
import os
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.errors import InputError
from engine.stream.prompts import read_lines
from engine.stream.source import open_source


def read(path, **options):
    return list(read_lines(open_source(path, path.name), **options))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("prompts")


values = st.dictionaries(
    st.text(max_size=4), st.none() | st.integers() | st.text(max_size=8) | st.lists(st.booleans()), max_size=3
)
GOOD = st.builds(lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode(), values, st.booleans())
BAD = st.sampled_from(
    [b"", b"  \t", b"{", b"[1]", b"3", b'"x"', b"null", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff{}", b'{"a": "\\ud800"}', b"a,b,c",
     b'{"a": 1} {"b": 2}', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"]
)  # fmt: skip


@quick
@given(
    st.lists(GOOD | BAD, min_size=1, max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 14),
)
def test_lines_are_the_physical_ones(folder, lines, end, ended, marked, start):
    path = folder / "some.jsonl"
    path.write_bytes((b"\xef\xbb\xbf" if marked else b"") + end.join(lines) + (end if ended else b"") or b"\n")
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    found = read(path)
    assert [line.index for line in found] == list(range(len(lines)))
    for line, raw in zip(found, lines, strict=True):
        try:
            expected = json.loads(raw)
            assert len(json.dumps(expected, ensure_ascii=False).encode()) >= 0
        except (ValueError, RecursionError):
            expected = None
        bad = not isinstance(expected, dict) or raw in (b'{"a": 1, "a": 2}', b'{"a": NaN}')
        assert (line.value is None) == (line.fault is not None) == bad
        if not bad:
            assert line.value == expected
    assert read(path, start=start) == found[start:]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"prompt": "a"', "column 15"),
        (b'["a"]', "a list"),
        (b"time,value", "not JSON"),
        (b"\xe9t\xe9", "Byte 1 of the line is not UTF-8"),
        (b'{"a": "\\udfff"}', "surrogate"),
        (b'{"a": {"b": 1, "b": 1}}', '"b" occurs more than once'),
        (b"{" + b"".join(b'"k%d": 1, ' % n for n in range(100_000)) + b'"z": 1, "z": 2}', '"z" occurs more than once'),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": [1.5, -1e999]}', "-1e999 is too large"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "thousands of digits"),
        (b'{"a": ' + b"[" * 200_000, "nested too deeply"),
    ],
)
def test_a_fault_says_what_is_wrong(tmp_path, raw, said):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"prompt": "ok"}\n' + raw + b'\n{"prompt": "ok"}\n')
    first, second, third = read(path)
    assert first.value == third.value == {"prompt": "ok"}
    assert said in second.fault


def test_a_blank_line_counts_only_before_another_one(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'\n{"a": 1}\n\n \n{"a": 2}\n\n\n')
    assert [(line.index, line.fault is None) for line in read(path)] == [
        (0, False),
        (1, True),
        (2, False),
        (3, False),
        (4, True),
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_a_line_that_is_too_long_is_passed_over_in_bounded_memory(tmp_path, pack):
    path = tmp_path / "x.jsonl"
    path.write_bytes(pack(b'{"a": "' + os.urandom(25_000_000).hex().encode() + b'"}\n{"a": 2}\n'))
    tracemalloc.start()
    first, second = read_lines(open_source(path, "x"), longest_bytes=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "more than 1,000,000 bytes" in first.fault
    assert second.value == {"a": 2}
    assert peak < 20_000_000


@pytest.mark.parametrize("pack", [bytes, zstandard.compress])
def test_blank_lines_are_not_held(tmp_path, pack):
    """A blank line waits for what follows it, and thousands of them are a few compressed bytes."""
    path, blanks = tmp_path / "x.jsonl", 200_000
    path.write_bytes(pack(b'{"a": 1}\n' + b"\n" * blanks + b'{"a": 2}\n' + b"\n" * blanks))
    source = open_source(path, "x")
    tracemalloc.start()
    (line,) = read_lines(source, start=blanks + 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (line.index, line.value) == (blanks + 1, {"a": 2})
    assert peak < 5_000_000


def keep(found, lines):
    """Keep what came before an error."""
    for line in lines:
        found.append(line)
        yield from ()


def test_what_comes_before_damage_is_read(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    content = b"".join(b'{"a": %d}\n' % number for number in range(100_000))
    path.write_bytes(gzip.compress(content)[:-2000])
    lines, found = read_lines(open_source(path, path.name)), []
    with pytest.raises(InputError, match=r"x\.jsonl\.gz"):
        found.extend(keep(found, lines))
    assert len(found) > 50_000
    assert all(line.value == {"a": line.index} for line in found[:-1])
