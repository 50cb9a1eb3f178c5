"""Bounded stages in threads: scan | encode | vote, with the writer in the caller's thread.

Each stage runs in a thread of its own and hands its results on through a channel that holds a few items, so that a slow stage
holds back those before it and memory stays bounded by the items' size. Errors travel in order behind the items made before them.
When the caller stops, for whatever reason, every thread ends before the call returns. `Lanes` does whole tasks side by side.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar

CAPACITY = 2  # items that wait between two stages


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

    def put(self, item: Any) -> None:
        """Hand an item over; waits while the channel is full. Raises when the consumer has gone."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self._capacity or self._abandoned)
            if self._abandoned:
                raise _Stopped
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
    """Seconds that each stage worked, waiting not counted."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, stage: str, seconds: float) -> None:
        """Add to a stage's time. A stage is timed by one thread at a time."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

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


def run_stages(
    source: tuple[str, Iterable[Any]], stages: list[tuple[str, Callable[[Any], Any]]], stopwatch: Stopwatch
) -> Iterator[Any]:
    """Pass every item of `source` through the stages, each in its own thread; yield the last stage's results in order.

    Parameters
    ----------
    source : (name, iterable)
        Iterated in the first thread.
    stages : list of (name, function)
        Each called with one item at a time, in order.
    stopwatch
        Collects each stage's working time under its name.

    Raises
    ------
    Whatever the source or a stage raised first in the order of items, after the results before it.
    """
    channels = [Channel() for _ in range(len(stages) + 1)]

    def feed() -> None:
        name, items = source
        iterator = iter(items)
        try:
            while True:
                begun = time.perf_counter()
                try:
                    item = next(iterator)
                except StopIteration:
                    break
                finally:
                    stopwatch.add(name, time.perf_counter() - begun)
                channels[0].put(item)
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, in order
            channels[0].end(error)
            return
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        channels[0].end()

    def work(place: int) -> None:
        name, function = stages[place]
        inward, outward = channels[place], channels[place + 1]
        try:
            for item in inward:
                begun = time.perf_counter()
                result = function(item)
                stopwatch.add(name, time.perf_counter() - begun)
                outward.put(result)
        except _Stopped:
            inward.abandon()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, in order
            inward.abandon()
            outward.end(error)
            return
        outward.end()

    threads = [threading.Thread(target=feed, name=source[0], daemon=True)]
    threads += [
        threading.Thread(target=work, args=(place,), name=stages[place][0], daemon=True) for place in range(len(stages))
    ]
    for thread in threads:
        thread.start()
    try:
        yield from channels[-1]
    finally:
        for channel in channels:
            channel.abandon()
        for thread in threads:
            thread.join()
