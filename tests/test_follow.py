"""Following a run's journal: the same rows however it is read, through restarts, reopened inputs, drafts and torn ends."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.jobs.database import Database
from engine.jobs.files import FileStore
from engine.jobs.home import Home
from engine.jobs.ids import new_id, now
from engine.jobs.lines import LiveLines, read_entries
from engine.jobs.operating import Operating
from engine.jobs.rows import insert_job
from engine.jobs.states import State
from engine.jobs.stored import StoredInput, StoredJob
from engine.models.catalog import Catalog

HEAD = {"journal": 1, "identity": {"device": "cpu"}}
ROWS = 10  # of a whole part
INPUTS = 3


class Model:
    """A journal as a run writes it, and what it should come to."""

    def __init__(self, *, lines: bool = False):
        self.entries = [HEAD]
        self.lines = lines  # answers instead of windows
        self.parts = [[] for _ in range(INPUTS)]
        self.status = ["pending"] * INPUTS
        self.drafted = [0] * INPUTS
        self.finished = []

    def part(self, place, rows, ended=None):
        if self.status[place] in ("completed", "failed"):
            return
        number, cursor = len(self.parts[place]), sum(self.parts[place]) + rows
        entry = {"shard": 0, "input": place, "part": number, "file": f"inp_{place}_output_part_{number}.csv"}
        entry |= {"rows": rows, "bytes": 7, "sha256": "ab", "cursor": cursor}
        if self.lines:
            entry |= {"sums": {"succeeded": cursor - 1, "failed": 1}}
        else:
            entry |= {"first_row": cursor - rows, "last_row": cursor - 1, "invalid": 1, "confidence": 1.0, "counts": {}}
        self.parts[place].append(rows)
        self.drafted[place] = 0
        self.status[place] = "processing"
        if ended:
            entry["ended"] = {
                "status": ended,
                **({"code": "bad", "message": "It is bad."} if ended == "failed" else {}),
            }
            self.status[place] = ended
            self.finished.append(place)
        self.entries.append(entry)

    def draft(self, place):
        if self.status[place] in ("completed", "failed"):
            return
        self.drafted[place] += 2
        cursor = sum(self.parts[place]) + self.drafted[place]
        sums = {"succeeded": cursor - 1, "failed": 1}
        self.entries.append(
            {"shard": 0, "input": place, "draft": {"file": "f", "bytes": 1}, "cursor": cursor, "sums": sums}
        )
        self.status[place] = "processing"

    def reopen(self, place):
        if self.status[place] != "failed":
            return
        full = sum(rows == ROWS for rows in self.parts[place])
        self.entries.append({"shard": 0, "input": place, "reopened": True, "parts": full})
        self.parts[place] = self.parts[place][:full]
        self.drafted[place] = 0
        self.status[place] = "pending"
        self.finished.remove(place)

    def restart(self):
        before = self.entries
        self.__init__(lines=self.lines)
        self.entries = before + self.entries

    def total(self, place):
        return sum(self.parts[place]) + self.drafted[place]


@st.composite
def models(draw):
    model = Model(lines=draw(st.booleans()))
    steps = ["part", "part", "last", "fail", "reopen", "restart"] + ["draft"] * model.lines
    for step, place in draw(st.lists(st.tuples(st.sampled_from(steps), st.integers(0, INPUTS - 1)), max_size=25)):
        if step == "part":
            model.part(place, ROWS)
        elif step == "last":
            model.part(place, 3, "completed")
        elif step == "fail":
            model.part(place, 3, "failed")
        elif step == "draft":
            model.draft(place)
        elif step == "reopen":
            model.reopen(place)
        else:
            model.restart()
    return model


def open_home(path: Path) -> Operating:
    home = Home.open(path)
    database = Database(home.database)
    return Operating(home, database, FileStore(home, database), Catalog(path))


def new_job(board, *, lines: bool = False):
    """Make a job of three inputs, which no file stands behind; return its folder."""
    port = "worker.data" if lines else "worker.inference"
    inputs = tuple(
        StoredInput(new_id("inp"), port, n, True, "file", None, f"f{n}.csv", "text/csv", 100, None, {})
        for n in range(INPUTS)
    )
    key, version = ("activity-detection", "0.0.20") if lines else ("machine-state-classification", "1.1.1")
    stored = StoredJob(
        new_id("job"), "org", "n", "batch", key, version, 1, {}, {}, {"warnings": [], "estimate": None}, inputs, now()
    )
    folder = board.folder(stored.id)
    folder.create(stored.to_json(), State.created(stored.created_at))
    with board.database.write() as sql:
        insert_job(sql, stored, State.created(stored.created_at))
    folder.run.mkdir()
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    board = open_home(tmp_path_factory.mktemp("home"))
    yield board
    board.database.close()


@pytest.fixture
def home(service):
    return service, new_job(service)


def rows(board, job_id):
    """Everything that was followed, without times."""
    job = board.get(None, job_id)
    inputs = board.inputs(None, job_id).items
    outputs = board.outputs(None, job_id).items
    progress = board.progress(None, job_id).items
    return (
        (job.pending, job.processing, job.completed, job.failed, job.journal_lines, job.journal_bytes),
        [(one.id, one.status, one.records, one.step, one.error_code, one.error_message) for one in inputs],
        [(one.id, one.input_id, one.part, one.rows, one.first_row, one.last_row, one.place) for one in outputs],
        [(one.id, one.step, one.message, one.metrics["items_processed"], one.input_id) for one in progress],
    )


@quick
@given(model=models(), cuts=st.lists(st.floats(0, 1), max_size=8))
def test_any_pieces_come_to_the_same_rows_which_are_those_of_the_run(service, model, cuts):
    data = b"".join(json.dumps(entry).encode() + b"\n" for entry in model.entries)
    found = []
    for at in ([], sorted(int(cut * len(data)) for cut in cuts)):
        board, folder = service, new_job(service, lines=model.lines)
        for size in [*at, len(data)]:
            folder.journal.write_bytes(data[:size])  # a torn line is not there yet
            board.follow(folder.job_id)
        board.follow(folder.job_id)
        found.append((board, folder.job_id))
    (whole, job_id), (pieces, other_id) = found
    ids = [{one.id: n for n, one in enumerate(board.inputs(None, job).items)} for board, job in found]
    counts, inputs, outputs, progress = rows(whole, job_id)
    other = rows(pieces, other_id)
    assert counts == other[0]
    assert [one[1:] for one in inputs] == [one[1:] for one in other[1]]
    assert [(ids[0][one[1]], *one[2:]) for one in outputs] == [(ids[1][one[1]], *one[2:]) for one in other[2]]
    assert [(*one[:4], ids[0][one[4]]) for one in progress] == [(*one[:4], ids[1][one[4]]) for one in other[3]]

    assert [one[1] for one in inputs] == model.status
    assert [one[2]["total"] for one in inputs] == [model.total(place) for place in range(INPUTS)]
    assert sorted((ids[0][one[1]], one[2], one[3]) for one in outputs) == sorted(
        (place, number, rows) for place in range(INPUTS) for number, rows in enumerate(model.parts[place])
    )
    assert counts[:4] == tuple(model.status.count(name) for name in ("pending", "processing", "completed", "failed"))
    job = whole.get(None, job_id)
    assert job.records_total == sum(map(model.total, range(INPUTS)))
    assert job.records_total == job.records_succeeded + job.records_failed + job.records_invalid
    assert job.engine["accelerator"] == "cpu"
    ended = [one[3] for one in inputs if one[3] is not None]
    assert len(set(ended)) == len(ended) == len(model.finished)
    assert sorted(LiveLines(model.entries), key=json.dumps) == sorted(
        LiveLines(entry for entry, _ in read_entries(whole.folder(job_id).journal)), key=json.dumps
    )


def write(folder, entries, end=b""):
    folder.journal.write_bytes(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries) + end)


def test_following_again_changes_nothing(home):
    board, folder = home
    model = Model()
    model.part(0, ROWS)
    model.part(0, 3, "failed")
    write(folder, model.entries, b'{"input": 1, "part"')
    board.follow(folder.job_id)
    before, updated = rows(board, folder.job_id), board.get(None, folder.job_id).updated_at
    board.follow(folder.job_id)
    assert rows(board, folder.job_id) == before
    assert board.get(None, folder.job_id).updated_at == updated
    (failed, *_), _ = before[1], None
    assert failed[1:] == (
        "failed",
        {"total": 13, "succeeded": 11, "failed": 0, "truncated": 0, "invalid": 2},
        1,
        "bad",
        "It is bad.",
    )


def test_a_journal_that_is_begun_anew_or_gone_takes_its_rows_along(home):
    board, folder = home
    model = Model()
    model.part(0, ROWS)
    model.part(1, 3, "completed")
    write(folder, model.entries)
    board.follow(folder.job_id)
    assert board.outputs(None, folder.job_id).total == 2
    write(folder, [HEAD])
    board.follow(folder.job_id)
    assert rows(board, folder.job_id)[0][:4] == (3, 0, 0, 0)
    assert board.outputs(None, folder.job_id).total == 0
    folder.discard_run()
    board.follow(folder.job_id)
    job = board.get(None, folder.job_id)
    assert (job.journal_bytes, job.journal_lines, job.records_total) == (0, 0, 0)


def test_embeddings_are_outputs_of_their_own_port(home):
    board, folder = home
    model = Model()
    model.part(2, ROWS)
    model.entries[-1]["embeddings"] = {"file": "e.parquet", "bytes": 9, "sha256": "cd"}
    write(folder, model.entries)
    board.follow(folder.job_id)
    one, two = board.outputs(None, folder.job_id).items
    assert (one.port_name, one.place, one.file_type) == ("worker.results", "results", "text/csv")
    assert (two.port_name, two.place, two.file_type) == ("worker.embeddings", "embeddings", "application/x-parquet")
    assert (two.filename, two.num_bytes, two.sha256, two.part) == ("e.parquet", 9, "cd", 0)
    assert board.outputs(None, folder.job_id, port_name="embeddings").items == [two]
    assert board.output(two.id) == (two, folder.run / "embeddings" / "e.parquet")


def test_progress_has_an_entry_for_each_flush_and_each_end(home):
    board, folder = home
    model = Model()
    model.part(0, ROWS)
    model.part(0, 3, "completed")
    model.part(1, ROWS)
    write(folder, model.entries)
    board.follow(folder.job_id)
    entries = board.progress(None, folder.job_id).items
    assert [(one.id, one.step, one.metrics["items_processed"]) for one in entries] == [
        (1, 1, 10),
        (2, 2, 13),
        (3, 3, 13),
        (4, 1, 10),
    ]
    assert entries[2].metrics == {
        "percent_complete": 100.0,
        "items_processed": 13,
        "items_total": 13,
        "success": 13,
        "failed": 0,
    }
    assert entries[3].metrics["items_total"] is None


def test_reading_ends_where_it_is_told_and_before_what_is_torn(tmp_path):
    path = tmp_path / "journal.jsonl"
    assert list(read_entries(path)) == []
    path.write_bytes(b'{"a":1}\n{"a":2}\n[3]\n{"a":4}\n')
    assert list(read_entries(path)) == [({"a": 1}, 8), ({"a": 2}, 16)]
    assert list(read_entries(path, 8)) == [({"a": 2}, 16)]
    assert list(read_entries(path, 0, 8)) == [({"a": 1}, 8)]
    assert list(read_entries(path, 0, 15)) == [({"a": 1}, 8)]
    assert list(read_entries(path, 1000)) == []
