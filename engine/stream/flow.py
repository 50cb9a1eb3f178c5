"""Work on a stream in threads: a source that is read ahead, items side by side, results in order; and whole tasks side by side.

What waits between two threads is bounded in number, so that memory stays bounded by the items' size. Errors come in order, behind the
results of the items before them. When the caller stops, for whatever reason, every thread has ended with what it did before the call returns.

Items go side by side, each through all of its work in one thread, rather than from thread to thread, stage by stage: on two cores stages
that hand over kept each other waiting for a third of the time.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

CAPACITY = 2  # items that wait between two threads


_END = object()


class _Stopped(Exception):  # not an error: the consumer has gone
    pass


class Halted(Exception):
    """Raised by `Lanes.go_on` in every task but the one that failed."""


Task = TypeVar("Task")
Result = TypeVar("Result")


class Channel:
    """A bounded queue from one thread to another that either end can close."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._items: deque[Any] = deque()
        self._capacity = capacity
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None
        self._abandoned = False

    def reserve(self) -> None:
        """Wait until there is room for another item of the only producer. Raises when the consumer has gone."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self._capacity or self._abandoned)
            if self._abandoned:
                raise _Stopped

    def put(self, item: Any) -> None:
        """Hand an item over; waits while the channel is full. Raises when the consumer has gone."""
        self.reserve()
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing follows, or that this error does."""
        with self._changed:
            self._ended = True
            self._error = error
            self._changed.notify_all()

    def abandon(self) -> None:
        """Say that nobody takes items any more."""
        with self._changed:
            self._abandoned = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Any]:
        """Yield items in order; then end, or raise the producer's error."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._ended)
                if not self._items:
                    if self._error is not None:
                        raise self._error
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item


@dataclass(slots=True)
class Stopwatch:
    """Seconds that each stage worked, waiting not counted, in all threads together."""

    seconds: dict[str, float] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, stage: str, seconds: float) -> None:
        """Add to a stage's time."""
        with self._turn:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the seconds of a block of code."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - begun)

    def include(self, other: "Stopwatch") -> None:
        """Add what another one has counted."""
        for stage, seconds in other.seconds.items():
            self.add(stage, seconds)


class Lanes:
    """Does tasks side by side, in threads of their own. The first error wins, and ends all of them.

    Parameters
    ----------
    count : int
        Tasks at a time, at least 1. A single lane is the caller's own thread.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._halt = threading.Event()

    def run(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
        """Return what `function` gives for each task, in their order; tasks begin in that order, too.

        Raises
        ------
        Whatever a task raised first, once no thread works any more. Tasks end at their next `go_on`.
        """
        if min(self._count, len(tasks)) <= 1:
            return [function(task) for task in tasks]

        def work(task: Task) -> Result:
            self.go_on()
            try:
                return function(task)
            except Halted:
                raise
            except BaseException as error:
                if not self._halt.is_set():
                    first.append(error)
                    self._halt.set()
                raise

        first: list[BaseException] = []
        with ThreadPoolExecutor(self._count, thread_name_prefix="lane") as pool:
            pending = [pool.submit(work, task) for task in tasks]
            try:
                wait(pending, return_when=FIRST_EXCEPTION)
            finally:  # a Ctrl-C reaches the waiting thread
                if not all(one.done() for one in pending):
                    self._halt.set()
        if first:
            raise first[0]
        return [one.result() for one in pending]

    def go_on(self) -> None:
        """Raise `Halted` when another task has failed: a task calls this where it may end."""
        if self._halt.is_set():
            raise Halted


def run_ahead(
    source: tuple[str, Iterable[Task]],
    work: Callable[[Task], Result],
    pool: Executor,
    stopwatch: Stopwatch,
    ahead: int = CAPACITY,
) -> Generator[Result]:
    """Yield what `work` gives for every item of `source`, in order; the source is read in a thread of its own.

    Parameters
    ----------
    source : (name, iterable)
        Its working time counts as the stage of this name.
    work
        Called in the pool, for several items at a time if that has several threads.
    pool
        Others may use it too.
    ahead : int
        Items that may wait, or be worked on, before the caller takes the first of them.

    Raises
    ------
    Whatever the source or an item raised first in the order of items, after the results before it.
    """
    name, items = source
    channel = Channel(ahead)
    pending: deque[Future[Result]] = deque()

    def feed() -> None:
        iterator = iter(items)
        try:
            while True:
                with stopwatch.time(name):
                    item = next(iterator, _END)
                if item is _END:
                    break
                channel.reserve()
                pending.append(pool.submit(work, item))  # type: ignore[arg-type]
                channel.put(pending[-1])
        except _Stopped:
            return
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, in order
            channel.end(error)
            return
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        channel.end()

    thread = threading.Thread(target=feed, name=name, daemon=True)
    thread.start()
    try:
        for future in channel:
            yield future.result()
            pending.popleft()
    finally:
        channel.abandon()
        thread.join()
        for left in pending:
            left.cancel()
        wait(pending)
