"""The key store under a passphrase, and sealed files: wrong, damaged, exposed, locked (A51, HOSTILE.md 28)."""

import base64
import json
import os
import stat
import time
from pathlib import Path

import pytest

from app.identity.keystore import (
    Entry,
    KeyStoreDamagedError,
    KeyStoreForgetfulError,
    KeyStoreLockedError,
    KeyStoreTooSmallError,
    KeyStoreUnavailableError,
    KeyStoreWrongPasswordError,
)
from app.identity.passphrase_file import PassphraseFile
from app.identity.passphrases import DamagedFileError, WrongPassphraseError, seal, unseal
from app.identity.pins import VAULT, WeakPinError
from app.identity.private_files import write_private
from tests.support.stretching import FAST

PASSPHRASE = "correct horse battery"
MASTER = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is; a folder of its own, which does not exist yet."""
    return tmp_path / "keys" / "keys.sealed"


@pytest.fixture
def store(path: Path) -> PassphraseFile:
    """An empty store."""
    return PassphraseFile.create(path, PASSPHRASE, FAST)


def test_entries_are_there_after_a_restart(store: PassphraseFile, path: Path) -> None:
    assert store.get(Entry.MASTER_KEY) is None
    store.set(Entry.MASTER_KEY, MASTER)
    store.set(Entry.LEDGER_HEAD, "head")
    store.delete(Entry.LEDGER_HEAD)
    store.delete(Entry.LEDGER_HEAD)
    again = PassphraseFile.open(path, PASSPHRASE)
    assert [again.get(entry) for entry in Entry] == [MASTER, None, None]
    assert (again.store_id, again.title) == ("passphrase-file", "a passphrase file")


def test_file_and_folder_are_the_owners_and_hold_no_key(store: PassphraseFile, path: Path) -> None:
    store.set(Entry.MASTER_KEY, MASTER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    content = path.read_bytes()
    for secret in (MASTER.encode(), bytes(range(32)), PASSPHRASE.encode(), bytes(range(32)).hex().encode()):
        assert secret not in content


def test_a_wrong_passphrase_is_wrong_and_says_what_to_do(store: PassphraseFile, path: Path) -> None:
    with pytest.raises(KeyStoreWrongPasswordError, match="That was not the passphrase"):
        PassphraseFile.open(path, PASSPHRASE + "!")


def test_no_file_is_unavailable_not_empty(path: Path) -> None:
    with pytest.raises(KeyStoreUnavailableError, match="cannot be read"):
        PassphraseFile.open(path, PASSPHRASE)


def test_a_file_that_vanishes_later_is_unavailable_not_empty(store: PassphraseFile, path: Path) -> None:
    path.unlink()
    with pytest.raises(KeyStoreUnavailableError):
        store.get(Entry.MASTER_KEY)
    with pytest.raises(KeyStoreUnavailableError):
        store.set(Entry.MASTER_KEY, MASTER)


def test_an_existing_file_is_never_replaced(store: PassphraseFile, path: Path) -> None:
    store.set(Entry.MASTER_KEY, MASTER)
    with pytest.raises(KeyStoreDamagedError, match="exists already"):
        PassphraseFile.create(path, "another passphrase", FAST)
    assert PassphraseFile.open(path, PASSPHRASE).get(Entry.MASTER_KEY) == MASTER


def test_every_changed_byte_is_noticed(store: PassphraseFile, path: Path) -> None:
    store.set(Entry.MASTER_KEY, MASTER)
    content = path.read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises((KeyStoreWrongPasswordError, KeyStoreDamagedError)):
            store.get(Entry.MASTER_KEY)
    path.write_bytes(content[:-1])
    with pytest.raises(KeyStoreDamagedError):
        store.get(Entry.MASTER_KEY)


def test_weaker_stretching_cannot_be_planted(store: PassphraseFile, path: Path) -> None:
    value = json.loads(path.read_bytes())
    value["stretching"]["iterations"] = 2
    path.write_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
    with pytest.raises(KeyStoreWrongPasswordError):
        PassphraseFile.open(path, PASSPHRASE)


@pytest.mark.parametrize("change", [{"memory_kib": 2**31}, {"iterations": 10**6}, {"lanes": 2**20}])
def test_a_foreign_file_that_would_exhaust_the_machine_is_refused_at_once(
    store: PassphraseFile, path: Path, change: dict[str, int]
) -> None:
    value = json.loads(path.read_bytes())
    value["stretching"].update(change)
    path.write_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
    started = time.monotonic()
    with pytest.raises(KeyStoreDamagedError):
        PassphraseFile.open(path, PASSPHRASE)
    assert time.monotonic() - started < 1


def test_another_stores_file_does_not_answer_for_this_one(store: PassphraseFile, path: Path, tmp_path: Path) -> None:
    store.set(Entry.MASTER_KEY, MASTER)
    other = PassphraseFile.create(tmp_path / "other" / "keys.sealed", PASSPHRASE, FAST)
    other.set(Entry.MASTER_KEY, "planted")
    path.write_bytes((tmp_path / "other" / "keys.sealed").read_bytes())
    with pytest.raises(KeyStoreWrongPasswordError):
        store.get(Entry.MASTER_KEY)


def test_a_file_open_to_others_is_not_used(store: PassphraseFile, path: Path) -> None:
    path.chmod(0o644)
    with pytest.raises(KeyStoreDamagedError, match="mode 600"):
        store.get(Entry.MASTER_KEY)
    with pytest.raises(KeyStoreDamagedError, match="mode 600"):
        PassphraseFile.open(path, PASSPHRASE)


def test_a_locked_store_gives_and_takes_nothing(store: PassphraseFile) -> None:
    store.set(Entry.MASTER_KEY, MASTER)
    assert store._key is not None
    memory = store._key.key
    store.lock()
    store.lock()
    assert memory == bytes(32)
    with pytest.raises(KeyStoreLockedError, match="Enter its passphrase"):
        store.get(Entry.MASTER_KEY)
    with pytest.raises(KeyStoreLockedError):
        store.set(Entry.MASTER_KEY, "x")
    with pytest.raises(KeyStoreLockedError):
        store.delete(Entry.MASTER_KEY)
    with pytest.raises(KeyStoreLockedError):
        store.change_passphrase("another passphrase")


def test_a_full_disk_keeps_the_old_entries(store: PassphraseFile, monkeypatch: pytest.MonkeyPatch) -> None:
    store.set(Entry.MASTER_KEY, MASTER)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(KeyStoreUnavailableError, match=r"No space left on device\. Make room"):
            store.set(Entry.MASTER_KEY, "new")
        with pytest.raises(KeyStoreUnavailableError):
            store.change_passphrase("another passphrase")
    assert store.get(Entry.MASTER_KEY) == MASTER


def test_a_disk_that_forgets_is_noticed(store: PassphraseFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.identity.passphrase_file.write_private", lambda _path, _content: None)
    with pytest.raises(KeyStoreForgetfulError):
        store.set(Entry.MASTER_KEY, MASTER)


def test_a_new_passphrase_takes_the_place_of_the_old(store: PassphraseFile, path: Path) -> None:
    store.set(Entry.MASTER_KEY, MASTER)
    store.change_passphrase("another passphrase")
    assert store.get(Entry.MASTER_KEY) == MASTER
    assert PassphraseFile.open(path, "another passphrase").get(Entry.MASTER_KEY) == MASTER
    with pytest.raises(KeyStoreWrongPasswordError):
        PassphraseFile.open(path, PASSPHRASE)


def test_weak_passphrases_and_long_entries_are_refused(store: PassphraseFile, tmp_path: Path) -> None:
    with pytest.raises(WeakPinError):
        PassphraseFile.create(tmp_path / "weak" / "keys.sealed", "short", FAST)
    with pytest.raises(WeakPinError):
        store.change_passphrase("short")
    with pytest.raises(KeyStoreTooSmallError):
        store.set(Entry.CACHE_HASH, "x" * 201)


def test_the_protocols_stretching_works_and_costs_something(path: Path) -> None:
    started = time.monotonic()
    PassphraseFile.create(path, PASSPHRASE, VAULT).set(Entry.MASTER_KEY, MASTER)
    assert time.monotonic() - started > 0.1
    assert PassphraseFile.open(path, PASSPHRASE).get(Entry.MASTER_KEY) == MASTER
    assert json.loads(path.read_bytes())["stretching"]["memory_kib"] == 256 * 1024


def test_a_file_of_one_kind_does_not_open_as_another() -> None:
    sealed = seal(b"root key", PASSPHRASE, "authority-root", FAST)
    assert unseal(sealed, PASSPHRASE, "authority-root") == b"root key"
    with pytest.raises(DamagedFileError, match="not an undamaged key-store file"):
        unseal(sealed, PASSPHRASE, "key-store")
    with pytest.raises(WrongPassphraseError):
        unseal(sealed.replace(b"authority-root", b"key-store"), PASSPHRASE, "key-store")


def test_a_store_whose_content_is_something_else_is_damaged(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    write_private(path, seal(b"no entries", PASSPHRASE, "key-store", FAST))
    with pytest.raises(KeyStoreDamagedError, match="holds something else"):
        PassphraseFile.open(path, PASSPHRASE).get(Entry.MASTER_KEY)


def test_a_salt_of_another_length_is_damage() -> None:
    value = json.loads(seal(b"root key", PASSPHRASE, "authority-root", FAST))
    value["salt"] = "AAAA"
    with pytest.raises(DamagedFileError):
        unseal(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), PASSPHRASE, "authority-root")


@pytest.mark.parametrize("untrusted", [b"", b"{}", b"[]", b"\xff", b"{" * 70_000])
def test_other_files_are_refused(untrusted: bytes) -> None:
    with pytest.raises(DamagedFileError):
        unseal(untrusted, PASSPHRASE, "authority-root")
