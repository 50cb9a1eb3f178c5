"""The journal: what is committed survives anything, what is not leaves no trace, and one run at a time writes a folder."""

import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DiskFull, FolderInUse, FolderOfAnotherJob, OutputError
from engine.output import journal as journal_module
from engine.output.differences import differences
from engine.output.files import POINTS, make_folder, publish, reach
from engine.output.journal import Journal

IDENTITY = {"config": {"window_size": 64, "data_columns": ["speed", "current"]}, "inputs": [{"bytes": 10}]}


def work(folder: Path) -> None:
    """Run, or resume, a job of two inputs with three parts each, embeddings, a summary and another file."""
    with Journal.open(folder, {"run": 1}) as journal:
        for index in range(2):
            done = journal.of_input(index)
            if any("ended" in line for line in done):
                continue
            for part in range(len(done), 3):
                names = f"inp_{index}_output_x_part_{part}.csv", f"inp_{index}_embeddings_x_part_{part}.parquet"
                data = bytes([65 + part]) * 1000 * (index + 1)
                make_folder(folder / "results")
                make_folder(folder / "embeddings")
                publish(folder / "embeddings" / names[1], data[::-1], kind="embeddings")
                publish(folder / "results" / names[0], [data, b"end"], kind="part")
                second = {"file": names[1], "bytes": len(data)}
                first = {"file": names[0], "bytes": len(data) + 3}
                journal.commit({"input": index, "part": part, **first, "embeddings": second})
            journal.commit({"input": index, "ended": {"status": "completed"}})
            reach("input.ended")
        publish(folder / "request.json", b"{}")
        publish(folder / "summary.json", b"{}", kind="summary")


# Does the same in its own process, and kills itself at the n-th commit point of a name. Prints all that it reaches.
DRIVER = f"""
import os, signal, sys
from pathlib import Path
from engine.output.files import make_folder, observe, publish, reach
from engine.output.journal import Journal

{inspect.getsource(work)}

def watch(reached):
    print(reached)
    seen.append(reached)
    if seen.count(point) == int(occurrence):
        os.kill(os.getpid(), signal.SIGKILL)

folder, point, occurrence = sys.argv[1:]
seen = []
observe(watch)
work(Path(folder))
"""


def run_driver(folder: Path, point: str, occurrence: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", DRIVER, folder, point, str(occurrence)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def lines(folder: Path) -> list[bytes]:
    return (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed") / "job"
    work(folder)
    return tree(folder)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_commit_point_changes_no_byte(point: str, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "job"
    # The second time, where there is one: something is committed by then.
    once = point.startswith(("head", "summary", "file", "journal.locked"))
    assert run_driver(folder, point, 1 if once else 2).returncode == -signal.SIGKILL
    work(folder)
    assert tree(folder) == undisturbed


def test_a_run_reaches_the_named_points_and_no_others(tmp_path: Path) -> None:
    told = run_driver(tmp_path / "job", "none", 1)
    assert set(told.stdout.split()) == set(POINTS)


def test_a_new_folder_gets_a_head_and_a_resume_reads_what_was_committed(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "job"
    with Journal.open(folder, IDENTITY) as journal:
        assert journal.entries == []
        journal.commit({"input": 0, "facts": (1, 2), "name": "caf\u00e9 \u2028\udc80"})
        assert journal.entries[0]["facts"] == [1, 2]
    assert json.loads(lines(folder)[0]) == {"journal": 1, "identity": IDENTITY}
    with Journal.open(folder, IDENTITY) as resumed:
        assert resumed.entries == journal.entries


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.data())
def test_a_torn_last_line_never_happened(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("torn")
    with Journal.open(folder, {"run": 1}) as journal:
        journal.commit({"input": 0, "note": "kept"})
        journal.commit({"input": 0, "note": "torn " * 3})
    whole = lines(folder)
    kept_bytes = data.draw(st.integers(0, len(whole[2]) - 1))
    filler = data.draw(
        st.sampled_from([b"", b"\0" * 9, b"\0\0\n"])
    )  # file systems may give zeros for what was not written
    (folder / "journal.jsonl").write_bytes(b"".join(whole[:2]) + whole[2][:kept_bytes] + filler)
    with Journal.open(folder, {"run": 1}) as journal:
        assert [entry["note"] for entry in journal.entries] == ["kept"]
        journal.commit({"input": 0, "note": "torn " * 3})
    assert lines(folder) == whole


@pytest.mark.parametrize("head_bytes", [0, 1, 9, 30])
def test_a_torn_head_is_a_new_folder(head_bytes: int, tmp_path: Path) -> None:
    Journal.open(tmp_path, IDENTITY).close()
    head = lines(tmp_path)[0]
    (tmp_path / "journal.jsonl").write_bytes(head[:head_bytes])
    Journal.open(tmp_path, IDENTITY).close()
    assert lines(tmp_path) == [head]


def test_damage_before_committed_lines_is_refused_and_restart_starts_over(tmp_path: Path) -> None:
    with Journal.open(tmp_path, IDENTITY) as journal:
        journal.commit({"note": 1})
        journal.commit({"note": 2})
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"note":1', b'"note:1'))
    before = path.read_bytes()
    with pytest.raises(OutputError, match="line 2 is damaged"):
        Journal.open(tmp_path, IDENTITY)
    assert path.read_bytes() == before
    Journal.open(tmp_path, IDENTITY, restart=True).close()
    with Journal.open(tmp_path, IDENTITY) as journal:
        assert journal.entries == []


def test_another_identity_is_refused_with_every_difference_named(tmp_path: Path) -> None:
    Journal.open(tmp_path, IDENTITY).close()
    other = {"config": {"window_size": 128, "data_columns": ["speed"]}, "inputs": [{"bytes": 10}], "device": "cuda"}
    with pytest.raises(FolderOfAnotherJob, match=r"config\.window_size: 64 -> 128") as caught:
        Journal.open(tmp_path, other)
    assert caught.value.differences == (
        "config.window_size: 64 -> 128",
        'config.data_columns[1]: "current" -> (absent)',
        'device: (absent) -> "cuda"',
    )
    assert "--restart" in str(caught.value)


def test_differences_tell_null_from_absent_and_types_apart() -> None:
    assert differences({"a": None, "b": 1, "c": []}, {"b": 1, "c": []}) == ("a: null -> (absent)",)
    assert differences({"a": 1}, {"a": "1"}) == ('a: 1 -> "1"',)
    assert differences({"a": {}}, {"a": {"b": 1}}) == ("a: {} -> (absent)", "a.b: (absent) -> 1")


def commit_part(journal: Journal, name: str, part: int) -> None:
    (journal.folder / "results").mkdir(exist_ok=True)
    publish(journal.folder / "results" / name, b"x" * 10, kind="part")
    journal.commit({"input": 0, "part": part, "file": name, "bytes": 10})


def test_restart_gives_up_results_but_keeps_events_and_other_peoples_files(tmp_path: Path) -> None:
    with Journal.open(tmp_path, IDENTITY) as journal:
        commit_part(journal, "inp_0_output_x_part_0.csv", 0)
    for name in ("events.jsonl", "summary.json", "notes.txt", "results/notes.csv"):
        (tmp_path / name).write_text("1")
    with Journal.open(tmp_path, {"another": "identity"}, restart=True) as journal:
        assert journal.entries == []
    assert sorted(tree(tmp_path)) == ["events.jsonl", "journal.jsonl", "notes.txt", "results/notes.csv"]
    Journal.open(tmp_path, {"another": "identity"}).close()


def test_what_no_line_names_is_removed_and_nothing_else(tmp_path: Path) -> None:
    ours = ["results/inp_0_output_x_part_1.csv", "results/.inp_0_output_x_part_1.csv.tmp", ".summary.json.tmp"]
    ours += ["embeddings/inp_0_embeddings_x_part_0.parquet", "results/inp_0abc_output.jsonl"]
    others = ["results/notes.csv", "results/part_1.csv", "results/.notes.tmp", "inp_0_output_x_part_1.csv", "a.tmp"]
    with Journal.open(tmp_path, IDENTITY) as journal:
        commit_part(journal, "inp_0_output_x_part_0.csv", 0)
    (tmp_path / "embeddings").mkdir()
    for name in (*ours, *others):
        (tmp_path / name).write_text("1")
    (tmp_path / "results" / "inp_0_output_folder_part_0.csv").mkdir()
    Journal.open(tmp_path, IDENTITY).close()
    assert sorted(tree(tmp_path)) == sorted([*others, "journal.jsonl", "results/inp_0_output_x_part_0.csv"])


@pytest.mark.parametrize("change", ["missing", "has 3 bytes"])
def test_a_committed_part_that_changed_is_refused(change: str, tmp_path: Path) -> None:
    with Journal.open(tmp_path, IDENTITY) as journal:
        commit_part(journal, "inp_0_output_x_part_0.csv", 0)
    part = tmp_path / "results" / "inp_0_output_x_part_0.csv"
    part.unlink()
    if change != "missing":
        part.write_bytes(b"abc")
    with pytest.raises(OutputError, match=f"part_0.csv (is )?{change}, but 10 bytes were committed"):
        Journal.open(tmp_path, IDENTITY)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("journal", [None, "", "{}\n", '{"id": 7}\n{"id": 8}\n', "hello"])
def test_nothing_is_written_among_other_peoples_files(journal: str | None, restart: bool, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    if journal is not None:
        (tmp_path / "journal.jsonl").write_text(journal)
    before = tree(tmp_path)
    with pytest.raises(FolderOfAnotherJob, match="nothing was touched"):
        Journal.open(tmp_path, IDENTITY, restart=restart)
    assert tree(tmp_path) == before


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match=r"out is a file, not a folder\. Give another"):
        Journal.open(tmp_path / "out", IDENTITY)


def test_reopened_inputs_lose_their_end_and_later_parts(tmp_path: Path) -> None:
    with Journal.open(tmp_path, IDENTITY) as journal:
        for part in range(3):
            commit_part(journal, f"inp_0_output_x_part_{part}.csv", part)
        journal.commit({"input": 0, "ended": {"status": "failed"}})
        journal.commit({"input": 1, "ended": {"status": "completed"}})
        journal.commit({"input": 0, "reopened": True, "parts": 2})
        assert [entry["part"] for entry in journal.of_input(0)] == [0, 1]
    with Journal.open(tmp_path, IDENTITY) as journal:
        assert [entry["part"] for entry in journal.of_input(0)] == [0, 1]
        assert [entry["input"] for entry in journal.live()] == [0, 0, 1]
    assert len(list((tmp_path / "results").iterdir())) == 2


def test_a_second_run_in_this_process_is_refused_until_the_first_closes(tmp_path: Path) -> None:
    with Journal.open(tmp_path, IDENTITY), pytest.raises(FolderInUse, match=f"{tmp_path} is being written"):
        Journal.open(tmp_path, IDENTITY, restart=True)
    Journal.open(tmp_path, IDENTITY).close()


def test_a_failed_opening_frees_the_lock(tmp_path: Path) -> None:
    Journal.open(tmp_path, IDENTITY).close()
    with pytest.raises(FolderOfAnotherJob):
        Journal.open(tmp_path, {})
    Journal.open(tmp_path, IDENTITY).close()


def test_a_journal_deleted_while_it_is_being_locked_is_not_the_one_that_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = journal_module.fcntl.flock
    calls = []

    def delete_first(descriptor: int, operation: int) -> None:
        if not calls:
            (tmp_path / "journal.jsonl").unlink()
            (tmp_path / "journal.jsonl").touch()
        calls.append(descriptor)
        real(descriptor, operation)

    monkeypatch.setattr(journal_module.fcntl, "flock", delete_first)
    with Journal.open(tmp_path, IDENTITY):
        assert len(calls) == 2
        with pytest.raises(FolderInUse):
            Journal.open(tmp_path, IDENTITY)


# Opens each folder named on a line of its input, says how it went, and holds it until the next line.
RACER = """
import sys
from pathlib import Path
from engine.errors import FolderInUse
from engine.output.journal import Journal

journal = None
print("ready", flush=True)
for line in sys.stdin:
    if journal:
        journal.close()
        journal = None
    if line.strip() != "-":
        try:
            journal = Journal.open(Path(line.strip()), {"run": 1})
            print("won", flush=True)
        except FolderInUse:
            print("in use", flush=True)
    else:
        print("free", flush=True)
"""


@pytest.fixture
def racers() -> Iterator[list[subprocess.Popen[str]]]:
    started = [
        subprocess.Popen([sys.executable, "-c", RACER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    yield started
    for racer in started:
        racer.kill()
        racer.communicate()


def ask(racer: subprocess.Popen[str], line: str) -> None:
    assert racer.stdin is not None
    racer.stdin.write(line + "\n")
    racer.stdin.flush()


def answer(racer: subprocess.Popen[str]) -> str:
    assert racer.stdout is not None
    return racer.stdout.readline().strip()


def test_of_two_processes_racing_for_a_folder_one_wins(racers: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    assert [answer(racer) for racer in racers] == ["ready", "ready"]
    for number in range(40):
        folder = tmp_path / str(number)
        for racer in racers if number % 2 else racers[::-1]:
            ask(racer, str(folder))
        assert sorted(answer(racer) for racer in racers) == ["in use", "won"]
        assert len(lines(folder)) == 1
        for racer in racers:
            ask(racer, "-")
            assert answer(racer) == "free"


def test_the_lock_of_a_killed_process_is_free(racers: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    assert [answer(racer) for racer in racers] == ["ready", "ready"]
    ask(racers[0], str(tmp_path))
    assert answer(racers[0]) == "won"
    with pytest.raises(FolderInUse):
        Journal.open(tmp_path, {"run": 1})
    racers[0].send_signal(signal.SIGKILL)
    racers[0].wait()
    Journal.open(tmp_path, {"run": 1}).close()


FILLER = """
import resource, sys
from pathlib import Path
from engine.errors import DiskFull
from engine.output.files import publish
from engine.output.journal import Journal

folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
committed = 0
with Journal.open(folder, {"run": 1}) as journal:
    try:
        publish(folder / "summary.json", b"x" * 1001)
    except DiskFull as error:
        print(error)
    try:
        while True:
            journal.commit({"number": committed})
            committed += 1
    except DiskFull as error:
        print(error)
    assert journal.path.read_bytes().endswith(b"\\n")
    assert journal.path.read_bytes().count(b"\\n") == committed + 1 == len(journal.entries) + 1
print(committed)
"""


def test_a_size_limit_is_a_full_disk_that_a_later_run_recovers_from(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    told = subprocess.run([sys.executable, "-c", FILLER, folder], check=True, capture_output=True, text=True).stdout
    summary, journal, committed = told.splitlines()
    assert summary.startswith(f"{folder}/summary.json could not be written: a file size limit was reached.")
    assert journal.startswith(f"{folder}/journal.jsonl could not be written: a file size limit was reached.")
    assert sorted(tree(folder)) == ["journal.jsonl"]
    with Journal.open(folder, {"run": 1}) as resumed:
        assert [entry["number"] for entry in resumed.entries] == list(range(int(committed)))
        resumed.commit({"number": int(committed)})


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    # /dev/full answers every write as a full disk does.
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(os, "write", lambda _, data: real(full.fileno(), data))
        with pytest.raises(DiskFull, match=r"a\.json could not be written: the disk is full\. Make room"):
            publish(tmp_path / "a.json", b"{}")
    assert tree(tmp_path) == {}


def test_publish_replaces_a_file_whole(tmp_path: Path) -> None:
    publish(tmp_path / "a", b"old, and longer")
    publish(tmp_path / "a", [b"ne", memoryview(b"w"), b""])
    assert tree(tmp_path) == {"a": b"new"}


def test_an_unwritable_folder_is_an_error_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"gone/a could not be written: No such file"):
        publish(tmp_path / "gone" / "a", b"x")
