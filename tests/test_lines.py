"""The lines sink: whatever interrupts it, the files end as if nothing had, and the journal adds up."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.errors import InputError, OutputError
from engine.output import files
from engine.output.journal import Journal
from engine.output.lines import LinesSink

IDENTITY = {"job": 1}
INPUT = "inp_0123456789abcdefghjkmnpqrs"


class Stop(BaseException):
    pass


def line(index):
    return json.dumps({"line_index": index, "prediction": "x" * (index % 7)}).encode() + b"\n"


def write_on(folder, total, *, every, per_part=None, fault=None):
    """Write what is missing of an input, with a commit every so many lines."""
    with Journal.open(folder, IDENTITY) as journal, LinesSink(journal, 0, INPUT, lines_per_part=per_part) as sink:
        if sink.ended is not None:
            return
        new = 0
        for index in range(sink.lines_committed, total):
            sink.write(index, line(index))
            new += 1
            if sink.full or new == every:
                sink.commit(lines=new, odd=sum(place % 2 for place in range(index + 1 - new, index + 1)))
                new = 0
        sink.commit(lines=new, odd=sum(place % 2 for place in range(total - new, total)))
        if fault is None:
            sink.end(warnings=[])
        else:
            sink.fail(fault)


def content(folder):
    return (
        {path.name: path.read_bytes() for path in sorted((folder / "results").iterdir())}
        if (folder / "results").exists()
        else {}
    )


@quick
@given(st.integers(0, 30), st.integers(1, 9), st.none() | st.integers(1, 11), st.lists(st.integers(1, 60), max_size=6))
def test_kills_at_any_point_change_no_byte(tmp_path_factory, total, every, per_part, kills):
    folder, undisturbed = tmp_path_factory.mktemp("a"), tmp_path_factory.mktemp("b")
    write_on(undisturbed, total, every=every, per_part=per_part)
    for kill in kills:
        left = [kill]

        def stop(_point, left=left):
            left[0] -= 1
            if left[0] == 0:
                raise Stop

        files.observe(stop)
        try:
            write_on(folder, total, every=every, per_part=per_part)
        except Stop:
            pass
        finally:
            files.observe(None)
    write_on(folder, total, every=every, per_part=per_part)
    found = content(folder)
    assert found == content(undisturbed)
    assert b"".join(found[name] for name in sorted(found, key=lambda name: (len(name), name))) == b"".join(
        map(line, range(total))
    )
    with Journal.open(folder, IDENTITY) as journal:
        sink = LinesSink(journal, 0, INPUT, lines_per_part=per_part)
        assert sink.lines_committed == total
        assert (sink.sums["lines"], sink.sums["odd"]) == (total, total // 2)
        assert sink.ended == {"status": "completed", "warnings": []}
        parts = [entry for entry in journal.of_input(0) if "part" in entry]
    assert [entry["part"] for entry in parts] == list(range(len(parts)))
    for entry in parts:
        assert hashlib.sha256(found[entry["file"]]).hexdigest() == entry["sha256"]
        assert len(found[entry["file"]]) == entry["bytes"]
        assert found[entry["file"]].count(b"\n") == entry["rows"] <= (per_part or total)


def test_names_are_those_of_the_wire(tmp_path):
    write_on(tmp_path / "one", 5, every=2)
    write_on(tmp_path / "parts", 5, every=2, per_part=3)
    assert list(content(tmp_path / "one")) == [f"{INPUT}_output.jsonl"]
    assert list(content(tmp_path / "parts")) == [f"{INPUT}_output_part_0.jsonl", f"{INPUT}_output_part_1.jsonl"]


def test_an_input_that_failed_keeps_its_lines(tmp_path):
    write_on(tmp_path / "x", 4, every=3, fault=InputError("x is no JSONL", code="all_records_failed", file="x"))
    assert content(tmp_path / "x")[f"{INPUT}_output.jsonl"].count(b"\n") == 4
    with Journal.open(tmp_path / "x", IDENTITY) as journal:
        assert LinesSink(journal, 0, INPUT).ended["status"] == "failed"


def test_the_journal_does_not_grow_in_memory(tmp_path):
    with Journal.open(tmp_path / "x", IDENTITY) as journal, LinesSink(journal, 0, INPUT) as sink:
        for index in range(200):
            sink.write(index, line(index))
            sink.commit(lines=1)
        assert len(journal.entries) == 1
        assert len(journal.of_input(0)) == 1
    assert (tmp_path / "x" / "journal.jsonl").read_bytes().count(b"\n") == 201


@pytest.mark.parametrize("harm", ["shorter", "gone"])
def test_a_draft_that_lost_committed_bytes_is_refused(tmp_path, harm):
    folder = tmp_path / "x"
    with Journal.open(folder, IDENTITY) as journal, LinesSink(journal, 0, INPUT) as sink:
        sink.write(0, line(0))
        sink.commit(lines=1)
    (draft,) = (folder / "results").iterdir()
    if harm == "gone":
        draft.unlink()
    else:
        draft.write_bytes(draft.read_bytes()[:-1])
    with pytest.raises(OutputError, match="committed"):
        Journal.open(folder, IDENTITY)


def test_a_draft_that_nothing_committed_is_swept_away(tmp_path):
    folder = tmp_path / "x"
    with Journal.open(folder, IDENTITY) as journal:
        sink = LinesSink(journal, 0, INPUT)
        sink.write(0, line(0))
        assert len(list((folder / "results").iterdir())) == 1
        sink._draft.keep()  # as a kill leaves it
    with Journal.open(folder, IDENTITY):
        assert not list((folder / "results").iterdir())


def test_lines_out_of_order_are_a_mistake_of_the_caller(tmp_path):
    with (
        Journal.open(tmp_path / "x", IDENTITY) as journal,
        LinesSink(journal, 0, INPUT) as sink,
        pytest.raises(AssertionError, match="order"),
    ):
        sink.write(1, line(1))
