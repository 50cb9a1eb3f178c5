"""Work on a stream in threads: a source that is read ahead, items side by side, results in order; and whole tasks side by side.

What waits between two threads is bounded in number, so that memory stays bounded by the items' size. Errors come in order, behind the
results of the items before them. When the caller stops, for whatever reason, every thread has ended with what it did before the call returns
(unless a second Ctrl-C ends that wait).

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
from typing import Generic, TypeVar

CAPACITY = 2  # items that wait, or are worked on, unless the caller says otherwise

_END = object()


class Halted(Exception):
    """Raised by `Lanes.go_on` in every task but the one that failed."""


Task = TypeVar("Task")
Result = TypeVar("Result")


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
    """Does tasks side by side, in threads of their own, once. The first error wins, and ends all of them.

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
            try:
                pending = [pool.submit(work, task) for task in tasks]
                _, left = wait(pending, return_when=FIRST_EXCEPTION)
            except BaseException:  # a Ctrl-C reaches this thread
                self._halt.set()
                raise
            if left:
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
        Items that may wait, or be worked on, before the caller takes the first of them; at least 1.

    Raises
    ------
    Whatever the source or an item raised first in the order of items, after the results before it.
    """
    assert ahead >= 1
    feed = _Feed(source, work, pool, stopwatch, ahead)
    try:
        feed.start()
        while (future := feed.take()) is not None:
            yield future.result()
    finally:
        feed.stop()


class _Feed(threading.Thread, Generic[Task, Result]):
    """The thread that reads a source, and the items that it has handed to the pool."""

    def __init__(
        self,
        source: tuple[str, Iterable[Task]],
        work: Callable[[Task], Result],
        pool: Executor,
        stopwatch: Stopwatch,
        ahead: int,
    ) -> None:
        super().__init__(name=source[0], daemon=True)
        self._source, self._work, self._pool, self._stopwatch = source[1], work, pool, stopwatch
        self._ahead = ahead
        self._changed = threading.Condition()
        self._pending: deque[Future[Result]] = deque()
        self._taken: Future[Result] | None = None
        self._ended = self._stopped = False
        self._error: BaseException | None = None

    def run(self) -> None:
        """Read the source to its end, or until nobody takes items any more; an error waits for the caller's thread."""
        iterator: Iterator[Task] | None = None
        error: BaseException | None = None
        try:
            iterator = iter(self._source)
            while True:
                with self._stopwatch.time(self.name):
                    item = next(iterator, _END)
                if item is _END or not self._hand_over(item):  # type: ignore[arg-type]
                    break
        except BaseException as raised:  # noqa: BLE001 - raised again in the caller's thread, in order
            error = raised
        try:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        except BaseException as raised:  # noqa: BLE001 - as above
            error = error or raised
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def _hand_over(self, item: Task) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: len(self._pending) < self._ahead or self._stopped)
            if not self._stopped:
                self._pending.append(self._pool.submit(self._work, item))
                self._changed.notify_all()
            return not self._stopped

    def take(self) -> Future[Result] | None:
        """Return the next item's future, None behind the last; or raise what the source raised."""
        with self._changed:
            self._taken = None
            self._changed.wait_for(lambda: self._pending or self._ended)
            if self._pending:
                self._taken = self._pending.popleft()
                self._changed.notify_all()
            elif self._error is not None:
                raise self._error
            return self._taken

    def stop(self) -> None:
        """Return when the thread has ended, and what the pool has begun."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self.ident is not None:  # it was started
            self.join()
        left = [*self._pending, *([self._taken] if self._taken is not None else [])]
        wait([future for future in left if not future.cancel()])
