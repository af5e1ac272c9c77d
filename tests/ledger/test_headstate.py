"""The head's state in memory is that of the published head, never of a block that is stored and not yet published."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.blocks import Head
from ledger.embedded import headstate
from ledger.embedded.headstate import HeadState, View
from ledger.embedded.storage import Storage

KEY = ("counter", "a")
FIRST, SECOND = Head(0, "00" * 32, 1), Head(1, "11" * 32, 2)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path / "l", create=True)
    with storage.writing() as state:
        state.append(FIRST, b"genesis", {}, ())
    yield storage
    storage.close()


def test_what_is_stored_but_not_published_is_waited_for(storage: Storage) -> None:
    state = HeadState(storage, FIRST)
    asked: list[int] = []

    def look(view: View) -> tuple[int, bytes | None]:
        asked.append(view.head.number)
        return view.head.number, view.get(KEY)

    with storage.writing() as files:
        files.append(SECOND, b"block", {KEY: b"1"}, ())
    with ThreadPoolExecutor(1) as threads:
        seen = threads.submit(state.at_head, look)
        while not asked:
            assert not seen.done()
        state.publish(SECOND, {KEY: b"1"})
        assert seen.result() == (1, b"1")
    assert asked[0] == 0


def test_a_value_is_asked_for_once(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    with storage.writing() as files:
        files.append(SECOND, b"block", {KEY: b"1"}, ())
        assert files.head_at(1) == SECOND
        with pytest.raises(IndexError):
            files.head_at(2)
    state = HeadState(storage, SECOND)
    assert state.at_head(lambda view: view.get(KEY)) == b"1"
    monkeypatch.setattr(storage, "read", None)
    assert state.at_head(lambda view: view.get(KEY)) == b"1"


def test_old_values_are_let_go_and_found_again(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headstate, "_KEPT", 2)
    keys = [("counter", name) for name in "abc"]
    with storage.writing() as files:
        files.append(SECOND, b"block", dict.fromkeys(keys, b"1"), ())
    state = HeadState(storage, FIRST)
    state.publish(SECOND, dict.fromkeys(keys, b"1"))
    assert len(state._values) == 2
    assert [state.at_head(lambda view, key=key: view.get(key)) for key in keys] == [b"1"] * 3  # type: ignore[misc]
    with storage.reading() as snapshot:
        assert [state.version(key, snapshot) for key in [*keys, ("counter", "d")]] == [1, 1, 1, -1]
