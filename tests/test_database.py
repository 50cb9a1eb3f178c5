"""The index: whole transactions or none, migrations, and files that are no index."""

import sqlite3
import threading

import pytest

from engine.errors import OutputError
from engine.jobs.database import MIGRATIONS, Database

ADD = "INSERT INTO idempotency VALUES (?, 'k', 'j', 's', 't')"


def count(database):
    with database.read() as sql:
        return sql.execute("SELECT COUNT(*) FROM idempotency").fetchone()[0]


def test_what_was_written_is_there_after_opening_again(tmp_path):
    database = Database(tmp_path / "engine.db")
    with database.write() as sql:
        sql.execute(ADD, ("one",))
    database.close()
    again = Database(tmp_path / "engine.db")
    assert count(again) == 1
    again.close()
    again.close()


def test_an_error_undoes_the_whole_turn(tmp_path):
    database = Database(tmp_path / "engine.db")

    def fail(names, error):
        with database.write() as sql:
            for name in names:
                sql.execute(ADD, (name,))
            raise error

    with pytest.raises(ZeroDivisionError):
        fail(["one"], ZeroDivisionError())
    with pytest.raises(sqlite3.IntegrityError):
        fail(["two", "two"], None)
    assert count(database) == 0
    database.close()


def test_reading_sees_one_moment_and_writing_its_own_words(tmp_path):
    database = Database(tmp_path / "engine.db")
    with database.write() as sql:
        sql.execute(ADD, ("one",))
        assert count(database) == 1
    with database.read():
        assert count(database) == 1
    database.close()


def test_threads_take_turns(tmp_path):
    database = Database(tmp_path / "engine.db")

    def add(name):
        for n in range(50):
            with database.write() as sql:
                sql.execute(ADD, (f"{name}{n}",))

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 200
    database.close()


def test_a_newer_index_and_a_file_that_is_none_are_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "newer.db")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(OutputError, match="was written by a newer engine"):
        Database(tmp_path / "newer.db")
    (tmp_path / "none.db").write_text("no index" * 100)
    with pytest.raises(OutputError, match="cannot be opened"):
        Database(tmp_path / "none.db")
