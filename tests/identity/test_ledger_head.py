"""The head that a copied-back older ledger cannot match (ATTACKS.md A42)."""

from dataclasses import dataclass, field

import pytest

from app.identity.keystore import MAX_CHARACTERS, Entry, KeyStoreMismatchError, KeyStoreUnavailableError
from app.identity.ledger_head import HeadKeeper, LedgerHead, OlderLedgerError, OtherLedgerError

LEDGER = "ab" * 32


def hash_of(number: int) -> str:
    return f"{number:064x}"


def head(height: int) -> LedgerHead:
    return LedgerHead(LEDGER, height, hash_of(height - 1))


@dataclass
class FakeStore:
    """A fake key store in memory that counts writings."""

    store_id: str = "fake"
    title: str = "a fake store"
    entries: dict[Entry, str] = field(default_factory=dict)
    writings: int = 0
    fails: bool = False

    def get(self, entry: Entry) -> str | None:
        return self.entries.get(entry)

    def set(self, entry: Entry, value: str) -> None:
        if self.fails:
            raise KeyStoreUnavailableError("gone, says a fake")
        self.writings += 1
        self.entries[entry] = value

    def delete(self, entry: Entry) -> None:
        self.entries.pop(entry, None)


@dataclass
class Clock:
    now: int = 1_000

    def __call__(self) -> int:
        return self.now


def test_the_head_is_written_at_most_every_ten_seconds_and_at_close() -> None:
    store, clock = FakeStore(), Clock()
    keeper = HeadKeeper(store, clock)
    for height in range(1, 40):
        keeper.note(head(height))
        clock.now += 1
    assert store.writings == 4
    assert store.entries[Entry.LEDGER_HEAD] == head(31).to_text()
    keeper.flush()
    keeper.flush()
    assert store.writings == 5
    assert store.entries[Entry.LEDGER_HEAD] == head(39).to_text()


def test_a_ledger_that_grew_or_stands_still_is_accepted_and_a_first_one_too() -> None:
    store = FakeStore()
    keeper = HeadKeeper(store, Clock())
    keeper.verify(LEDGER, 5, hash_of)
    keeper.note(head(5))
    keeper.verify(LEDGER, 5, hash_of)
    keeper.verify(LEDGER, 500, hash_of)


def test_an_older_copy_a_rewritten_block_and_another_ledger_are_refused() -> None:
    keeper = HeadKeeper(FakeStore(), Clock())
    keeper.note(head(5))
    with pytest.raises(OlderLedgerError, match="older copy of the ledger: 4 blocks, 5 were seen"):
        keeper.verify(LEDGER, 4, hash_of)
    with pytest.raises(OtherLedgerError, match="Block 4"):
        keeper.verify(LEDGER, 9, lambda number: hash_of(number + 1))
    with pytest.raises(OtherLedgerError, match="another ledger"):
        keeper.verify("cd" * 32, 9, hash_of)


def test_a_restored_ledger_is_accepted_only_when_told_so() -> None:
    keeper = HeadKeeper(FakeStore(), Clock())
    keeper.note(head(5))
    keeper.accept(head(3))
    keeper.verify(LEDGER, 3, hash_of)


def test_a_head_that_could_not_be_written_stays_pending() -> None:
    store = FakeStore(fails=True)
    keeper = HeadKeeper(store, Clock())
    with pytest.raises(KeyStoreUnavailableError):
        keeper.note(head(5))
    store.fails = False
    keeper.flush()
    assert LedgerHead.from_text(store.entries[Entry.LEDGER_HEAD]) == head(5)


def test_the_head_fits_every_key_store() -> None:
    assert len(LedgerHead(LEDGER, 2**53 - 1, "ff" * 32).to_text()) <= MAX_CHARACTERS


@pytest.mark.parametrize("text", ["", "x 1 y", f"{LEDGER} -1 {LEDGER}", f"{LEDGER} 1", f"{LEDGER} 1 {LEDGER}\n"])
def test_an_unreadable_head_is_not_no_head(text: str) -> None:
    keeper = HeadKeeper(FakeStore(entries={Entry.LEDGER_HEAD: text}), Clock())
    with pytest.raises(KeyStoreMismatchError, match="cannot be read"):
        keeper.verify(LEDGER, 5, hash_of)
