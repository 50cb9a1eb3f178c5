"""Uploaded files: names, types, replacing, deleting, sharing bytes, and what a kill leaves."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.jobs.database import Database
from engine.jobs.file_facts import TYPES, FileRefused, check_name, check_type
from engine.jobs.files import FileStore
from engine.jobs.home import Home

ORG, OTHER = "org_one", "org_two"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x05\x08\x06\0\0\0"
JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x05\0\x07\x03" + b"\0" * 12


@pytest.fixture
def home(tmp_path):
    return Home.open(tmp_path)


@pytest.fixture
def store(home):
    database = Database(home.database)
    yield FileStore(home, database)
    database.close()


def put(store, name, content, *, org=ORG, kind=None):
    with store.receive(org, name, kind) as incoming:
        for start in range(0, len(content), 7):
            incoming.write(content[start : start + 7])
        return incoming.finish()


def contents(home):
    return {path.name for path in home.content.glob("*/*")}


def test_a_file_is_found_by_name_and_uid_by_its_own_organisation(home, store):
    file = put(store, "line7.csv", b"timestamp,speed\n1,2\n")
    assert store.find(ORG, "line7.csv") == store.find(ORG, file.uid) == store.by_uid(file.uid) == file
    assert store.path(file).read_bytes() == b"timestamp,speed\n1,2\n"
    assert file.attributes == {"num_rows": None, "num_columns": 2, "column_headers": ["timestamp", "speed"]}
    for name in ("line7.csv", file.uid):
        with pytest.raises(LookupError):
            store.find(OTHER, name)
    assert not any(home.incoming.iterdir())


def test_a_new_upload_takes_the_name_and_the_old_bytes_go(home, store):
    first, second = put(store, "a.csv", b"x\n1\n"), put(store, "a.csv", b"x\n2\n")
    assert store.find(ORG, "a.csv") == second
    assert first.uid != second.uid
    store.sweep()
    assert contents(home) == {second.sha256}
    assert store.info(ORG).num_files == 1


def test_bytes_that_two_names_share_are_kept_once_and_until_both_are_gone(home, store):
    first, second = put(store, "a.csv", b"x\n1\n"), put(store, "b.csv", b"x\n1\n", org=OTHER)
    assert contents(home) == {first.sha256} == {second.sha256}
    store.delete(ORG, "a.csv")
    assert store.path(second).exists()
    store.delete(OTHER, second.uid)
    assert contents(home) == set()
    assert not list(home.files.iterdir())


def test_an_upload_that_is_not_finished_leaves_nothing(home, store):
    with store.receive(ORG, "a.csv", None) as incoming:
        incoming.write(b"half")
    with store.receive(ORG, "a.csv", None) as incoming, pytest.raises(FileRefused, match="is empty"):
        incoming.finish()
    with store.receive(ORG, "a.csv", None, limit=3) as incoming, pytest.raises(FileRefused) as caught:
        incoming.write(b"1234")
    assert (caught.value.code, caught.value.status) == ("invalid_file_size", 413)
    assert not any(home.incoming.iterdir())
    assert store.info(ORG) == type(store.info(ORG))(0, 0, None)


def test_what_a_kill_leaves_is_swept_or_comes_back(home, store, tmp_path):
    kept, gone = put(store, "kept.csv", b"x\n1\n"), put(store, "gone.csv", b"x\n2\n")
    facts = home.files / f"{gone.uid}.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"deleted_at": gone.created_at}))  # no row tells it yet
    (home.incoming / "fil_torn").write_bytes(b"half")
    (home.content / "ab").mkdir()
    (home.content / "ab" / ("ab" * 32)).write_bytes(b"without a name")
    database = Database(tmp_path / "anew.db")  # and an index that knows nothing
    anew = FileStore(home, database)
    anew.rebuild()
    anew.sweep(leftovers=True)
    assert anew.find(ORG, "kept.csv") == kept
    with pytest.raises(LookupError):
        anew.find(ORG, "gone.csv")
    assert contents(home) == {kept.sha256}
    assert not any(home.incoming.iterdir())
    anew.rebuild()
    assert [file.name for file in anew.page(ORG, limit=10).items] == ["kept.csv"]
    database.close()


def test_pages_go_both_ways(store):
    files = [put(store, f"{n}.csv", b"x\n%d\n" % n) for n in range(5)]
    newest = list(reversed(files))
    first = store.page(ORG, limit=2)
    assert (first.items, first.has_newer, first.has_older) == (newest[:2], False, True)
    second = store.page(ORG, limit=2, after=first.items[-1].uid)
    assert (second.items, second.has_newer, second.has_older) == (newest[2:4], True, True)
    last = store.page(ORG, limit=2, after=second.items[-1].uid)
    assert (last.items, last.has_newer, last.has_older) == (newest[4:], True, False)
    back = store.page(ORG, limit=2, before=last.items[0].uid)
    assert (back.items, back.has_newer, back.has_older) == (newest[2:4], True, True)
    assert store.page(ORG, limit=9, before=newest[0].uid).items == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/b", "a\\b", "a\0b", "a\nb", "\x7f", "\x85", "x" * 256, "é" * 128, "\ud800"]
)
def test_names_that_cannot_be(store, name):
    with pytest.raises(FileRefused) as caught:
        store.receive(ORG, name, None)
    assert caught.value.code == "invalid_filename"


@quick
@given(st.text(min_size=1, max_size=90))
def test_a_name_is_taken_as_it_is_or_refused(name):
    try:
        assert check_name(name) == name
    except FileRefused:
        assert (
            any(sign in "/\\" or not sign.isprintable() for sign in name)
            or name in (".", "..")
            or len(name.encode(errors="replace")) > 255
        )


def test_types_are_taken_inferred_or_refused():
    assert all(check_type("x", kind) == kind for kind in TYPES)
    assert check_type("x.CSV", None) == check_type("x.csv", "application/octet-stream") == "text/csv"
    assert check_type("x.csv", "TEXT/PLAIN; charset=utf-8") == "text/plain"
    assert check_type("x", None) == "text/plain"
    with pytest.raises(FileRefused) as caught:
        check_type("x.exe", "application/x-msdownload")
    assert caught.value.code == "invalid_file_type"


@pytest.mark.parametrize(
    ("name", "content", "attributes"),
    [
        ("a.png", PNG, {"width": 7, "height": 5, "num_channels": 4}),
        ("a.jpg", JPEG, {"width": 7, "height": 5, "num_channels": 3}),
        ("a.jsonl", b'{"prompt": "x"}\n', None),
        ("a.csv", b'"broken', None),
        ("a.csv.gz", b"\x1f\x8b damaged", None),
        ("a.txt", b"words", None),
        ("a.csv", b"x" * 70_000 + b",y\n1,2\n", None),  # names that no list can repeat
    ],
)
def test_what_first_bytes_tell(store, name, content, attributes):
    assert put(store, name, content).attributes == attributes
