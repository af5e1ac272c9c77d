"""Work done a little ahead of whoever needs it, in order, with a bound: fetching while the last piece is checked."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def ahead(items: Iterable[A], work: Callable[[A], B], *, most: int = 2, workers: int = 2) -> Generator[B]:
    """Yield what ``work`` makes of each item, in their order; close the generator to stop.

    Args:
        items: taken one by one.
        work: called on other threads; what it raises is raised here, at its item's turn.
        most: pieces that may wait ready or in work.
        workers: threads.
    """
    rest = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="ahead")
    try:
        waiting: deque[Future[B]] = deque(pool.submit(work, item) for item in islice(rest, most))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(work, item) for item in islice(rest, 1))
            yield done
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
