"""How often one signer or one address may ask: a bucket for each, that fills again with time (PROTOCOL.md E.1)."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_REMEMBERED: Final = 10_000
"""Buckets kept; the one that was asked for longest ago goes first, and it has filled up by then."""


class Buckets:
    """Token buckets by name. Safe for several threads.

    Args:
        rate: requests a second that may go on for ever.
        burst: requests that may come at once.
        clock: seconds that never go back.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._turn = threading.Lock()

    def take(self, name: str) -> float:
        """Take one request from the bucket of ``name``; return 0, or the seconds after which there is one again."""
        now = self._clock()
        with self._turn:
            level, before = self._levels.pop(name, (float(self._burst), now))
            level = min(float(self._burst), level + (now - before) * self._rate)
            allowed = level >= 1
            self._levels[name] = (level - 1 if allowed else level, now)
            if len(self._levels) > _REMEMBERED:
                self._levels.popitem(last=False)
        return 0.0 if allowed else (1 - level) / self._rate


class Places:
    """How much may be going on at once for one name; whoever takes a place gives it back."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, int] = {}
        self._turn = threading.Lock()

    def take(self, name: str) -> bool:
        """Take a place for ``name``; return whether there was one."""
        with self._turn:
            taken = self._taken.get(name, 0)
            if taken >= self._most:
                return False
            self._taken[name] = taken + 1
            return True

    def give_back(self, name: str) -> None:
        """Give back a place that was taken."""
        with self._turn:
            taken = self._taken.pop(name) - 1
            if taken:
                self._taken[name] = taken
