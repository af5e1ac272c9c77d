"""Which store, which key; replacing the master key with a crash at every point (PROTOCOL.md F, HOSTILE.md 29)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.identity.installation import Installation, MasterKeys
from app.identity.keys import MasterKey, Purpose, rewrap, unwrap, wrap
from app.identity.keystore import (
    Entry,
    KeyStoreDamagedError,
    KeyStoreForgetfulError,
    KeyStoreMismatchError,
    KeyStoreUnavailableError,
)


class CrashError(BaseException):
    """The machine stops here."""


@dataclass
class FakeStore:
    """A fake key store in memory; ``before`` and ``after`` run around each write, to stop the machine there."""

    store_id: str = "fake"
    title: str = "a fake store"
    entries: dict[Entry, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def get(self, entry: Entry) -> str | None:
        return self.entries.get(entry)

    def set(self, entry: Entry, value: str) -> None:
        self.before()
        self.entries[entry] = value
        self.after()

    def delete(self, entry: Entry) -> None:
        self.entries.pop(entry, None)


@dataclass
class Vault:
    """A part with one secret, as the custodian's key table has many."""

    box: bytes
    key_id: str
    stop: Callable[[], None] = lambda: None

    @classmethod
    def create(cls, keys: MasterKeys) -> "Vault":
        return cls(wrap(keys.current.purpose_key(Purpose.VAULT), b"age identity", b""), keys.current.key_id)

    def rewrap(self, old: MasterKey, new: MasterKey) -> None:
        self.stop()
        if self.key_id == old.key_id:
            keys = old.purpose_key(Purpose.VAULT), new.purpose_key(Purpose.VAULT)
            self.box, self.key_id = rewrap(*keys, self.box, b""), new.key_id
        self.stop()

    def read(self, keys: MasterKeys) -> bytes:
        return bytes(unwrap(keys.named(self.key_id).purpose_key(Purpose.VAULT), self.box, b""))


def test_a_first_start_makes_a_key_and_the_next_finds_it(tmp_path: Path) -> None:
    store = FakeStore()
    folder = tmp_path / "installation"
    assert Installation(folder).store_id == ""
    key_id = Installation(folder).open(store).current.key_id
    assert Installation(folder).store_id == "fake"
    assert Installation(folder).open(store).current.key_id == key_id
    assert len(store.entries[Entry.MASTER_KEY]) == 44
    assert (folder.stat().st_mode & 0o777, (folder / "key-store.json").stat().st_mode & 0o777) == (0o700, 0o600)


def test_the_installations_file_tells_nothing_of_the_key(tmp_path: Path) -> None:
    store = FakeStore()
    Installation(tmp_path).open(store, lambda count: bytes(range(count)))
    content = (tmp_path / "key-store.json").read_bytes()
    assert store.entries[Entry.MASTER_KEY].encode() not in content
    assert bytes(range(32)).hex().encode() not in content


def test_another_store_is_refused(tmp_path: Path) -> None:
    Installation(tmp_path).open(FakeStore("secret-service"))
    with pytest.raises(KeyStoreMismatchError, match="secret-service"):
        Installation(tmp_path).open(FakeStore("passphrase-file"))


def test_an_empty_store_is_forgetful_and_gets_no_new_key(tmp_path: Path) -> None:
    Installation(tmp_path).open(FakeStore())
    empty = FakeStore()
    with pytest.raises(KeyStoreForgetfulError, match="no longer in a fake store"):
        Installation(tmp_path).open(empty)
    assert empty.entries == {}


def test_a_store_with_another_key_is_refused(tmp_path: Path) -> None:
    Installation(tmp_path).open(FakeStore())
    other = FakeStore(entries={Entry.MASTER_KEY: MasterKey.generate().to_text()})
    with pytest.raises(KeyStoreMismatchError, match="another installation"):
        Installation(tmp_path).open(other)


def test_a_key_that_is_already_in_the_store_is_never_overwritten(tmp_path: Path) -> None:
    text = MasterKey.generate().to_text()
    store = FakeStore(entries={Entry.MASTER_KEY: text})
    Installation(tmp_path).open(store)
    assert store.entries[Entry.MASTER_KEY] == text


@pytest.mark.parametrize("text", ["", "rubbish", "a b", "A" * 44 + " " + "B" * 44 + " " + "C" * 44])
def test_an_unreadable_key_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    store = FakeStore()
    Installation(tmp_path).open(store)
    store.entries[Entry.MASTER_KEY] = text
    with pytest.raises(KeyStoreMismatchError, match="cannot be read"):
        Installation(tmp_path).open(store)
    assert store.entries[Entry.MASTER_KEY] == text


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"keys":7,"store":"fake","type":"key-store-choice","v":1}'])
def test_a_damaged_installation_file_is_refused(tmp_path: Path, content: bytes) -> None:
    store = FakeStore()
    Installation(tmp_path).open(store)
    (tmp_path / "key-store.json").write_bytes(content)
    with pytest.raises(KeyStoreDamagedError, match="is damaged"):
        Installation(tmp_path).open(store)


def test_an_exposed_installation_file_is_refused(tmp_path: Path) -> None:
    Installation(tmp_path).open(FakeStore())
    (tmp_path / "key-store.json").chmod(0o666)
    with pytest.raises(KeyStoreDamagedError, match="mode 600"):
        Installation(tmp_path).open(FakeStore())


def test_replacing_the_key_moves_everything_and_forgets_the_old(tmp_path: Path) -> None:
    store = FakeStore()
    keys = Installation(tmp_path).open(store)
    old_text = store.entries[Entry.MASTER_KEY]
    vault = Vault.create(keys)
    fresh = Installation(tmp_path).replace_master_key(store, [vault])
    assert vault.key_id == fresh.current.key_id != keys.current.key_id
    assert vault.read(fresh) == b"age identity"
    assert fresh.previous is None
    assert old_text not in store.entries[Entry.MASTER_KEY]
    assert len(store.entries[Entry.MASTER_KEY]) == 44
    with pytest.raises(KeyStoreMismatchError):
        vault.read(keys)
    again = Installation(tmp_path).open(store)
    assert again.current.key_id == fresh.current.key_id


class StopAt:
    """Stops the machine at the n-th point that is passed."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self) -> None:
        if self.left == 0:
            raise CrashError
        self.left -= 1


POINTS = 2 * 2 + 2 * 2 + 2 * 2  # around two writes to the store, two writes of the file, two parts


@pytest.mark.parametrize("point", range(POINTS))
def test_a_crash_at_any_point_leaves_a_key_that_opens_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    store = FakeStore()
    old = Installation(tmp_path).open(store)
    vaults = [Vault.create(old), Vault.create(old)]
    stop = StopAt(point)
    real_write = Installation._write

    def write(installation: Installation, choice: object) -> None:
        stop()
        real_write(installation, choice)  # type: ignore[arg-type]
        stop()

    store.before = store.after = stop
    for vault in vaults:
        vault.stop = stop
    with monkeypatch.context() as patched:
        patched.setattr(Installation, "_write", write)
        with pytest.raises(CrashError):
            Installation(tmp_path).replace_master_key(store, vaults)

    stop.left = 1_000
    found = Installation(tmp_path).open(store)
    assert [vault.read(found) for vault in vaults] == [b"age identity"] * 2
    finished = Installation(tmp_path).replace_master_key(store, vaults)
    assert {vault.key_id for vault in vaults} == {finished.current.key_id}
    assert [vault.read(finished) for vault in vaults] == [b"age identity"] * 2
    assert len(store.entries[Entry.MASTER_KEY]) == 44
    assert finished.current.key_id != old.current.key_id


def test_every_point_of_a_replacement_was_tried(tmp_path: Path) -> None:
    stop = StopAt(1_000)
    store = FakeStore()
    vaults = [Vault.create(Installation(tmp_path).open(store)) for _ in range(2)]
    store.before = store.after = stop
    for vault in vaults:
        vault.stop = stop
    Installation(tmp_path).replace_master_key(store, vaults)
    assert 1_000 - stop.left == POINTS - 2 * 2  # the file's points are counted by the test above


def test_a_failing_store_loses_nothing(tmp_path: Path) -> None:
    store = FakeStore()
    keys = Installation(tmp_path).open(store)
    vault = Vault.create(keys)

    def fail() -> None:
        raise KeyStoreUnavailableError("gone, says a fake")

    store.before = fail
    with pytest.raises(KeyStoreUnavailableError):
        Installation(tmp_path).replace_master_key(store, [vault])
    assert vault.read(Installation(tmp_path).open(store)) == b"age identity"


def test_locking_overwrites_both_keys() -> None:
    keys = MasterKeys(MasterKey.generate(), MasterKey.generate())
    keys.lock()
    assert keys.current.is_locked
    assert keys.previous is not None
    assert keys.previous.is_locked
