"""Tasks side by side: order of results, the first error wins, and nothing is left running."""

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from engine.stream.flow import Halted, Lanes, Stopwatch, run_ahead

WAIT_S = 60


@pytest.mark.parametrize("count", [1, 2, 5, 50])
def test_results_come_in_the_order_of_the_tasks(count):
    assert Lanes(count).run(lambda n: n * n, range(20)) == [n * n for n in range(20)]
    assert Lanes(count).run(str, []) == []


def test_so_many_tasks_are_at_work_at_a_time_and_no_more():
    meeting = threading.Barrier(3, timeout=WAIT_S)  # breaks unless three wait together
    lock = threading.Lock()
    working = [0, 0]

    def task(_):
        with lock:
            working[0] += 1
            working[1] = max(working)
        meeting.wait()
        with lock:
            working[0] -= 1

    Lanes(3).run(task, range(9))
    assert working == [0, 3]


def test_one_lane_is_the_callers_own_thread():
    assert set(Lanes(1).run(lambda _: threading.current_thread(), range(3))) == {threading.current_thread()}


class Strange(BaseException):
    """What a callback may raise to end a run."""


@pytest.mark.parametrize("kind", [ValueError, Strange])
def test_the_first_error_ends_all_tasks_and_is_raised(kind):
    lanes = Lanes(2)
    begun, failed = threading.Event(), threading.Event()
    ends = []

    def task(n):
        if n == 0:
            assert begun.wait(WAIT_S)
            failed.set()
            raise kind("first")
        begun.set()
        assert failed.wait(WAIT_S)
        try:
            while True:  # a long task: it ends where it asks
                lanes.go_on()
        except Halted:
            ends.append(n)
            raise

    with pytest.raises(kind, match="first"):
        lanes.run(task, range(100))
    assert ends == [1]  # no other began
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane")]


@pytest.fixture(params=[1, 3])
def pool(request):
    with ThreadPoolExecutor(request.param) as made:
        yield made


def test_results_come_in_order_and_both_sides_are_timed(pool):
    watch = Stopwatch()
    assert list(run_ahead(("read", range(50)), lambda n: n * n, pool, watch)) == [n * n for n in range(50)]
    assert list(watch.seconds) == ["read"]


@pytest.mark.parametrize("at", ["source", "item"])
def test_an_error_comes_behind_the_results_before_it(pool, at):
    def source():
        for n in range(9):
            if at == "source" and n == 4:
                raise ValueError(n)
            yield n

    def work(n):
        if at == "item" and n >= 4:
            raise ValueError(n)
        return n

    found = []
    before = set(threading.enumerate())

    def read():
        found.extend(run_ahead(("read", source()), work, pool, Stopwatch()))

    with pytest.raises(ValueError, match="4"):
        read()
    assert found == [0, 1, 2, 3]
    assert not [one for one in set(threading.enumerate()) - before if one.name == "read"]


class Source:
    """An iterator that fails where it is told to."""

    def __init__(self, *, at):
        self.at = at
        self.left = 3

    def __iter__(self):
        if self.at == "iter":
            raise ValueError(self.at)
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        return self.left

    def close(self):
        if self.at == "close":
            raise ValueError(self.at)


@pytest.mark.parametrize("at", ["iter", "close"])
def test_a_source_that_fails_before_its_first_item_or_behind_its_last(pool, at):
    found = []

    def read():
        found.extend(run_ahead(("read", Source(at=at)), str, pool, Stopwatch(), ahead=5))

    with pytest.raises(ValueError, match=at):
        read()
    assert found == ([] if at == "iter" else ["2", "1", "0"])


def test_a_pool_that_is_shut_down_meanwhile():
    pool = ThreadPoolExecutor(1)
    held, go_on = threading.Event(), threading.Event()

    def work(n):
        held.set()
        assert go_on.wait(WAIT_S)
        return n

    results = run_ahead(("read", range(100)), work, pool, Stopwatch(), ahead=4)
    threading.Thread(
        target=lambda: (held.wait(WAIT_S), pool.shutdown(wait=False, cancel_futures=True), go_on.set())
    ).start()
    assert next(results) == 0
    with pytest.raises((CancelledError, RuntimeError)):
        list(results)
    assert not [one for one in threading.enumerate() if one.name == "read"]


def test_ctrl_c_while_the_reading_thread_starts(pool, monkeypatch):
    start = threading.Thread.start

    def interrupted(thread):
        start(thread)
        if thread.name == "read":
            raise KeyboardInterrupt

    closed = []

    def source():
        try:
            yield from range(1000)
        finally:
            closed.append(True)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(run_ahead(("read", source()), str, pool, Stopwatch()))
    assert closed == [True]
    assert not [one for one in threading.enumerate() if one.name == "read"]


def test_ctrl_c_while_tasks_are_handed_out_ends_those_that_have_begun(monkeypatch):
    lanes, submit, begun = Lanes(2), ThreadPoolExecutor.submit, threading.Event()

    def interrupted(pool, function, task):
        if task == 1:
            assert begun.wait(WAIT_S)
            raise KeyboardInterrupt
        return submit(pool, function, task)

    def task(_):
        begun.set()
        while True:
            lanes.go_on()

    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lanes.run(task, range(5))


def test_no_more_is_read_than_may_wait_and_all_has_ended_when_the_caller_stops(pool):
    seen, closed, working = [], [], []

    def source():
        try:
            for n in range(1000):
                seen.append(n)
                yield n
        finally:
            closed.append(True)

    def work(n):
        working.append(n)
        try:
            return n
        finally:
            working.remove(n)

    results = run_ahead(("read", source()), work, pool, Stopwatch(), ahead=3)
    assert [next(results), next(results)] == [0, 1]
    results.close()
    assert len(seen) <= 2 + 3 + 2  # taken, waiting, and the one in each hand
    assert closed == [True]
    assert working == []
    assert not [one for one in threading.enumerate() if one.name == "read"]


def test_stopwatches_add_up():
    watch, other = Stopwatch({"scan": 1.0}), Stopwatch({"scan": 2.0, "vote": 0.5})
    watch.include(other)
    assert watch.seconds == {"scan": 3.0, "vote": 0.5}
