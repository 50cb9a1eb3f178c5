"""What the disk has room for: the rule, jobs that wait and uploads that are refused, and a server on a disk that really is small."""

import shutil
import subprocess
import threading

import httpx
import pytest
from boards import ORG, body, close_board, open_board, upload_plant, work
from recordings import request
from service import start

from engine.jobs.appetite import expected_bytes
from engine.jobs.board import Board
from engine.jobs.file_facts import FileRefused
from engine.jobs.room import NoRoom, Reserve, Room, measure_disk, say_bytes
from engine.jobs.uploads import LARGEST_BYTES, Uploads

GB = 10**9
LITTLE = Reserve(0.0, 1000, 1000)


class Disk:
    """A disk that is as full as a test says."""

    def __init__(self, free, total=100 * GB):
        self.free, self.total = free, total

    def __call__(self, _):
        return self.total, self.free


@pytest.fixture
def disk():
    return Disk(0)


@pytest.fixture
def board(tmp_path, disk):
    plain = open_board(tmp_path / "home")
    upload_plant(plain, tmp_path / "plant")
    yield Board(plain.home, plain.database, plain.files, plain.catalog, Room(plain.home.path, LITTLE, disk))
    close_board(plain)


@pytest.mark.parametrize(
    ("text", "total", "reserve"),
    [
        ("5GB", 10 * GB, 5 * GB),
        ("500 mb", 10 * GB, 5 * 10**8),
        ("1.5kB", 10 * GB, 1500),
        ("77", 10 * GB, 77),
        ("3%", 10 * GB, 3 * 10**8),
        ("0.5 %", 10 * GB, 5 * 10**7),
        ("0", 10 * GB, 0),
        ("0%", 10 * GB, 0),
        (None, 10 * GB, GB),  # 2 %, at least 1 GB, at most 20 GB
        (None, 400 * GB, 8 * GB),
        (None, 10_000 * GB, 20 * GB),
    ],
)
def test_a_reserve_is_a_size_or_a_share(text, total, reserve):
    asked = Reserve() if text is None else Reserve.parse(text)
    assert asked.of(total) == reserve
    assert Room(None, asked).guarded == (reserve > 0)


@pytest.mark.parametrize("text", ["", "x", "-1", "5 parsecs", "100%", "1e9", "5GBs"])
def test_what_is_no_size_is_refused(command, text):
    with pytest.raises(ValueError, match=r"no size|nothing of the disk"):
        Reserve.parse(text)
    code, _, said = command("serve", "--reserve", text)
    assert (code, "--reserve" in said) == (2, True)


def test_sizes_are_written_for_people():
    assert [say_bytes(size) for size in (0, 999, 1000, 12_345_678, -5 * GB, 2 * 10**12)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "12.3 MB",
        "-5.0 GB",
        "2.0 TB",
    ]


def test_the_system_is_asked_for_the_disk(tmp_path):
    total, free = measure_disk(tmp_path)
    assert 0 < free < total == shutil.disk_usage(tmp_path).total


def test_a_job_waits_until_there_is_room_and_is_told_so_once(board, disk):
    woken = threading.Event()
    job = board.create(ORG, body(["line7.csv"])).job
    needed = board._to_write(job.id)
    assert 137 * 20 < needed < 137 * 500
    disk.free = 1000 + needed - 1
    for _ in range(3):
        assert board.claim() is None
    assert board.get(ORG, job.id).status == "PENDING"
    (event,) = board.events(ORG, job.id, event_type="job.warning").items
    assert (event.level, event.payload["code"]) == ("WARN", "disk_space")
    assert event.payload == {
        "code": "disk_space",
        "needed_bytes": needed,
        "free_bytes": disk.free,
        "reserve_bytes": 1000,
        "promised_bytes": 0,
    }
    assert event.message == (
        f"Waits for room on the disk: about {say_bytes(needed)} are to be written; {say_bytes(disk.free)} are free, 1.0 kB of these stay in reserve."
    )
    assert board.get(ORG, job.id).engine["warnings"][-1] == {"code": "disk_space", "message": event.message}
    board.on_work = woken.set
    disk.free += 1
    board._again.cancel()
    board._again.function()  # as the timer will
    assert woken.is_set()
    assert work(board).status == "COMPLETED"


def test_a_job_that_does_not_fit_is_passed_over_and_keeps_its_place(board, disk):
    large = board.create(ORG, body(["line7.csv"])).job.id
    small = board.create(ORG, body(["line7.csv"], reader_config={"step_size": 30, "window_size": 16})).job.id
    disk.free = 1000 + board._to_write(large) - 1
    assert work(board).id == small
    disk.free = GB
    assert board.claim().id == large


def test_what_running_jobs_will_write_is_not_given_away_twice(board, disk):
    first, second = (board.create(ORG, body(["line7.csv"])).job.id for _ in range(2))
    needed = board._to_write(first)
    disk.free = 1000 + 2 * needed - 1
    assert board.claim().id == first
    assert board._room.look().promised_bytes == needed
    assert board.claim() is None
    assert board.events(ORG, second, event_type="job.warning").items[0].payload["promised_bytes"] == needed
    with pytest.raises(NoRoom):
        board._room.check_upload(needed)
    board._room.check_upload(needed - 1)
    board.started(first, 0)
    board.preempted(first, "it died")
    assert board._room.look().promised_bytes == 0


def test_without_a_reserve_nothing_waits(tmp_path, board, disk):
    free = Board(board.home, board.database, board.files, board.catalog, Room(tmp_path, Reserve.parse("0"), disk))
    free.create(ORG, body(["line7.csv"]))
    assert work(free).status == "COMPLETED"


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"output": {"probabilities": True, "row_index": True, "window_bounds": True}},
        {"output": {"format": "jsonl", "probabilities": True}},
        {"output": {"embeddings": True}, "reader_config": {"window_size": 64}},
        {"batch_size": 1},
    ],
)
def test_a_job_writes_no_more_than_it_was_expected_to(board, disk, config):
    disk.free = GB
    job = board.create(ORG, body(["line7.csv"], **config)).job
    with board.database.read() as sql:
        expected = expected_bytes(sql, job)
    work(board)
    written = sum(path.stat().st_size for path in board.folder(job.id).run.rglob("*") if path.is_file())
    assert written < expected + 8192  # a summary and a head, whatever the job
    assert board._to_write(job.id) < expected


def test_uploads_in_parts_need_room_twice_and_are_asked_at_each_step(board, disk):
    uploads = Uploads(board.home, board.files, board._room)
    disk.free = 1000 + 2 * 700 - 1
    with pytest.raises(
        NoRoom, match=r"this needs 1\.4 kB; 2\.4 kB are free, 1\.0 kB of these stay in reserve"
    ) as raised:
        uploads.initiate(ORG, "new.csv", None, 700)
    assert raised.value.code == "unavailable"
    assert not list(board.home.uploads.iterdir())
    disk.free += 1
    upload, _ = uploads.initiate(ORG, "new.csv", None, 700)
    disk.free = 1000 + 699
    with pytest.raises(NoRoom):
        uploads.receive(upload, 1)
    disk.free = 1000 + 700
    with uploads.receive(upload, 1, 700) as part:
        part.write(b"x" * 700)
        tag = part.finish()
    disk.free = 1000
    with pytest.raises(NoRoom):
        uploads.complete(ORG, upload.id, {1: tag}, None)
    disk.free = 1000 + 700
    assert uploads.complete(ORG, upload.id, {1: tag}, None).num_bytes == 700


def test_what_no_disk_of_this_size_can_take_is_refused_for_good(board, disk):
    uploads = Uploads(board.home, board.files, board._room)
    disk.free = disk.total
    with pytest.raises(
        FileRefused, match=r"huge\.csv needs 500\.0 GB here, more than the server's whole disk has"
    ) as raised:
        uploads.initiate(ORG, "huge.csv", None, LARGEST_BYTES)
    assert (raised.value.status, raised.value.code) == (413, "invalid_file_size")


# A disk that really is small


@pytest.fixture
def small_disk(tmp_path):
    """A server whose home is a file system of 48 MB, which needs a name space of its own; and what stands before its command."""
    wrap = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f'mount -t tmpfs -o size=48m none {tmp_path} && exec "$0" "$@"'
    if subprocess.run([*wrap, mount, "true"], check=False, capture_output=True).returncode:
        pytest.skip("This system lets nobody but root mount anything.")
    service = start(tmp_path / "home", "--reserve", "16MB", wrap=[*wrap, mount])
    yield service
    service.stop()


def test_a_server_on_a_small_disk(small_disk, tmp_path):
    running = small_disk
    running.upload_plant(tmp_path / "plant")
    filling = b"timestamp,speed\n" + b"1,2\n" * (6 << 20)  # 25 MB
    running.upload("filling.csv", filling)
    health = httpx.get(f"{running.address}/healthz").json()
    assert health["status"] == "ok"
    assert health["disk"]["reserve_bytes"] == 16 * 10**6
    refused = running.client.post("/v0.5/files", files={"file": ("more.csv", filling, "text/csv")})
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert "16.0 MB of these stay in reserve" in refused.json()["message"]
    begun = {"filename": "parts.csv", "num_bytes": 20 << 20}
    assert running.post("/files/uploads/initiate", begun, 413)["code"] == "invalid_file_size"
    assert running.post("/files/uploads/initiate", begun | {"num_bytes": 10 << 20}, 503)["code"] == "unavailable"
    running.upload("little.csv", b"x\n" + b"1\n" * (1 << 20))
    rows = b"timestamp,speed,current,flow\n" + b"1,2,3,4\n" * 300_000
    running.upload("long.csv", rows)
    waiting = request()
    waiting["inputs"]["worker.inference"] = [{"file_id": "long.csv"}]
    job_id = running.create(waiting)
    deadline = threading.Event()
    while not (told := running.get(f"/batch/jobs/{job_id}/events", event_type="job.warning")["events"]):
        deadline.wait(0.02)
    assert told[0]["payload"]["code"] == "disk_space"
    job = running.get(f"/batch/jobs/{job_id}")
    assert (job["status"], job["queue_position"]) == ("PENDING", 1)
    assert "engine_disk_free_bytes" in httpx.get(f"{running.address}/metrics").text
    running.client.delete("/v0.5/files/delete/filling.csv")
    other = running.create(request())  # a new job wakes the queue
    assert running.wait(job_id)["status"] == "COMPLETED"
    assert running.wait(other)["status"] == "COMPLETED"
