"""Work ahead keeps order and bound, raises at the item's turn, and stops when nobody wants more."""

from __future__ import annotations

import threading

import pytest

from app.services.ahead import ahead


def test_order_is_kept_and_no_more_than_the_bound_is_ahead() -> None:
    begun: list[int] = []
    guard = threading.Lock()

    def work(item: int) -> int:
        with guard:
            begun.append(item)
        return item * item

    pieces = ahead(range(20), work, most=3)
    assert next(pieces) == 0
    assert set(begun) <= {0, 1, 2, 3}
    assert list(pieces) == [item * item for item in range(1, 20)]


def test_nothing_begins_before_it_is_asked_for_and_closing_stops() -> None:
    begun: list[int] = []
    pieces = ahead(range(100), begun.append, most=2)
    assert begun == []
    next(pieces)
    pieces.close()
    assert len(begun) <= 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_a_failure_is_raised_at_its_turn() -> None:
    pieces = ahead([2, 1, 0, 5], lambda item: 10 // item)
    assert [next(pieces), next(pieces)] == [5, 10]
    with pytest.raises(ZeroDivisionError):
        next(pieces)
