"""Making the index again: what the folders say comes back, the old one is kept, nobody else is in the home."""

import json
import re
import sqlite3
import subprocess
import sys

import pytest
from boards import ORG, body, close_board, open_board, upload, upload_plant, work
from service import serving

from engine.errors import OutputError
from engine.jobs.database import Database
from engine.jobs.home import Home
from engine.jobs.ids import new_id
from engine.jobs.repair import Counts, repair
from engine.jobs.uploads import Uploads


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """The bytes of a home in which much has happened, and what its index said."""
    folder = tmp_path_factory.mktemp("lived")
    board = open_board(folder / "home")
    upload_plant(board, folder / "plant")
    done = board.create(ORG, body(["line7.csv"]), idempotency_key="k").job.id
    work(board)
    waiting = board.create(ORG, body(["line7.csv"])).job.id
    cancelled = board.create(ORG, body(["line7.csv"])).job.id
    board.cancel(ORG, cancelled)
    held = board.create(ORG, body(["idle.csv"])).job.id
    upload(board, "line7.csv", b"another\n1\n")  # two jobs are bound to the one before it
    Uploads(board.home, board.files).initiate(ORG, "later.csv", None, 100)
    told = {job_id: snapshot(board, job_id) for job_id in (done, waiting, cancelled, held)}
    close_board(board)
    return folder / "home", told


@pytest.fixture
def home(lived, tmp_path):
    subprocess.run(["cp", "-a", lived[0], tmp_path / "home"], check=True)
    return Home(tmp_path / "home")


def snapshot(board, job_id):
    job = board.get(ORG, job_id)
    facts = {name: getattr(job, name) for name in job.__slots__ if name not in ("updated_at", "engine")}
    inputs = [(one.id, one.file_uid, one.status, one.step) for one in board.inputs(ORG, job_id).items]
    outputs = [(one.id, one.seq, one.sha256) for one in board.outputs(ORG, job_id).items]
    return facts, inputs, outputs, [event.message for event in board.events(ORG, job_id).items]


def damage(home, how):
    """Spoil the index, and return its bytes."""
    with sqlite3.connect(home.database) as sql:
        sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sql.close()
    data = home.database.read_bytes()
    spoilt = {
        "no database": b"\x93" * 20_000,
        "empty pages": data[:4096] + bytes(len(data) - 4096),
        "garbage inside": data[:8192] + b"\xa5" * (len(data) - 8192),
        "truncated": data[: len(data) // 2 // 4096 * 4096],
        "cut in a page": data[:5000],
        "nothing of it": b"\0" * 100,
    }[how]
    home.database.write_bytes(spoilt)
    return spoilt


@pytest.mark.parametrize("how", ["no database", "empty pages", "garbage inside", "truncated", "cut in a page"])
def test_a_damaged_index_is_refused_with_its_cure_and_made_again(command, home, lived, how):
    spoilt = damage(home, how)
    code, _, said = command("serve", "--home", home.path, "--port", "0")
    assert code == 1
    assert re.search(rf"The index {home.database} .*`engine doctor --repair --home {home.path}` makes it again", said)
    code, out, said = command("doctor", "--repair", "--home", home.path)
    assert (code, said) == (0, "")
    assert "which could not be read, is kept as engine.db.2" in out
    assert re.search(r"files +3\n", out)
    assert re.search(r"jobs +4: 1 CANCELLED, 1 COMPLETED, 2 PENDING\n", out)
    (kept,) = home.path.glob("engine.db.*Z")
    assert kept.read_bytes() == spoilt
    board = open_board(home.path)
    assert {job_id: snapshot(board, job_id) for job_id in lived[1]} == lived[1]
    assert board.create(ORG, body(["idle.csv"]), idempotency_key="j").job.status == "PENDING"
    close_board(board)


def test_a_whole_index_is_compared_and_the_repair_repeats_itself(home):
    first = repair(home)
    assert first.before == first.after == Counts(files=3, jobs=4)
    assert first.kept.is_file()
    assert (first.uploads, first.dropped_uploads, first.broken) == (1, 0, [])
    assert (first.swept.orphans, first.swept.cut_short) == (0, 0)
    again = repair(home)
    assert again.kept != first.kept
    assert (again.before, again.after, again.statuses) == (first.after, first.after, first.statuses)


def test_an_index_that_is_gone_is_made_without_anything_to_keep(home):
    for path in home.path.glob("engine.db*"):
        path.unlink()
    done = repair(home)
    assert (done.kept, done.before, done.after) == (None, None, Counts(files=3, jobs=4))


def test_what_nothing_is_bound_to_goes_and_uploads_that_cannot_go_on(home):
    (home.content / "ab").mkdir(exist_ok=True)
    (home.content / "ab" / ("ab" * 32)).write_bytes(b"12345")
    (home.incoming / "fil_torn").write_bytes(b"half")
    old, torn = home.uploads / new_id("upl"), home.uploads / new_id("upl")
    (begun,) = home.uploads.iterdir()
    for folder in (old, torn):
        folder.mkdir()
    facts = json.loads((begun / "upload.json").read_bytes())
    (old / "upload.json").write_text(json.dumps(facts | {"expires_at": "2020-01-01T00:00:00.000000Z"}))
    (torn / "upload.json").write_text("{")
    done = repair(home)
    assert (done.swept.orphans, done.swept.num_bytes, done.swept.cut_short) == (1, 5, 1)
    assert (done.uploads, done.dropped_uploads) == (1, 2)
    assert [path.name for path in home.uploads.iterdir()] == [begun.name]
    assert not list(home.incoming.iterdir())


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"id": "job_x", "inputs": []}', "other"])
def test_a_job_that_cannot_be_read_is_named_and_nothing_is_thrown_away(command, home, lived, text):
    broken, other, *_ = lived[1]
    path = home.jobs / broken / "job.json"
    path.write_text((home.jobs / other / "job.json").read_text() if text == "other" else text)
    orphan = home.content / "ab" / ("ab" * 32)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"perhaps it is the one that the job needs")
    (home.jobs / "notes").mkdir()
    damage(home, "no database")
    code, out, _ = command("doctor", "--repair", "--home", home.path)
    assert code == 1
    assert f"✗ broken       {path} cannot be read" in out
    assert "notes is no job: it has no job.json" in out
    assert "jobs         3:" in out
    assert "nothing was removed" in out
    assert orphan.exists()


def test_files_without_facts_or_bytes_are_named(command, home):
    first, *_, second = sorted(home.files.glob("fil_*.json"))
    first.write_text("{")
    facts = json.loads(second.read_bytes())
    (home.content / facts["sha256"][:2] / facts["sha256"]).unlink()
    code, out, _ = command("doctor", "--repair", "--home", home.path)
    assert code == 1
    assert f"{first} is damaged. Remove it" in out
    assert f"{facts['name']} ({facts['uid']}): its bytes are not there any more" in out


def test_damaged_lines_of_events_are_passed_over(home, lived):
    done = next(iter(lived[1]))
    path = home.jobs / done / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"\0\0\0\n", b'{"id": "x"}\n', *lines[1:]]))
    assert repair(home).broken == []
    board = open_board(home.path)
    assert board.events(ORG, done).total == len(lines)
    close_board(board)


def test_a_home_with_a_server_is_left_alone(command, tmp_path):
    with serving(tmp_path) as running:
        running.upload("a.csv", b"x\n1\n")
        index = (tmp_path / "engine.db").stat().st_ino
        code, out, said = command("doctor", "--repair", "--home", tmp_path)
        assert (code, f"A server (process {running.process.pid}) is running on {tmp_path} already." in said) == (
            1,
            True,
        )
        assert "made again" not in out
        code, out, _ = command("doctor", "--home", tmp_path)
        assert code == 0
        assert f"1 files and 0 jobs in {tmp_path / 'engine.db'}" in out
        assert (tmp_path / "engine.db").stat().st_ino == index
        assert running.get("/files/info")["num_files"] == 1


def test_the_doctor_finds_a_damaged_index(command, home):
    damage(home, "garbage inside")
    code, out, _ = command("doctor", "--home", home.path)
    assert code == 1
    assert f"✗ index        {home.database} cannot be read: `engine doctor --repair` makes it again" in out


def test_damage_that_shows_in_the_middle_of_the_work_is_named(home, monkeypatch):
    database = Database(home.database)

    def read(table):
        with database.read() as sql:
            return sql.execute(f"SELECT * FROM {table}").fetchall()

    with database.read() as sql:
        page = sql.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'uploads'").fetchone()[0]
    database.close()
    with home.database.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    with pytest.raises(OutputError, match="cannot be opened"):
        Database(home.database)
    monkeypatch.setattr("engine.jobs.database.CHECKED_BYTES", 0)  # as for an index that is too large to look at
    database = Database(home.database)
    with pytest.raises(OutputError, match=r"is damaged: .* `engine doctor --repair --home") as raised:
        read("uploads")
    assert raised.value.code == "index_broken"
    assert len(read("files")) == 4
    database.close()


def test_a_server_starts_on_what_was_repaired(lived, home):
    damage(home, "truncated")
    organisation = {"id": ORG, "name": "default", "created_at": ""}
    home.access.write_text(json.dumps({"organisations": [organisation], "keys": [], "secrets": []}))
    repaired = subprocess.run(
        [sys.executable, "-m", "engine", "doctor", "--repair", "--home", home.path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert repaired.returncode == 0, repaired.stderr
    with serving(home.path, "--no-auth") as running:
        waiting = list(lived[1])[1]
        assert running.wait(waiting)["status"] == "COMPLETED"
