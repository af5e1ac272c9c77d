"""From a folder to an open installation: founded whole or not at all, by the store that was chosen (A26, A42, A51)."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from app.identity.installation import Installation as KeyInstallation
from app.identity.keys import MasterKey, UnwrapError
from app.identity.keystore import KeyStoreError, KeyStoreUnavailableError
from app.identity.ledger_head import OlderLedgerError
from app.identity.passphrase_file import PassphraseFile
from app.wiring import start as starting
from app.wiring.ledgers import Circumstances
from app.wiring.plans import read_plans
from app.wiring.sandbox import found_sandbox
from app.wiring.service_keys import KeyFile, ServiceKeysError, open_key
from app.wiring.stores import PassphraseNeededError, open_store
from ledger.embedded.opening import LedgerDamagedError
from tests.support.sandbox import FAST, START, found_small

if TYPE_CHECKING:
    from pathlib import Path

    from app.identity.keystore import KeyStore

PASSPHRASE = "sandbox-passphrase"


@pytest.fixture
def placed(tmp_path: Path) -> tuple[Path, KeyStore]:
    """A home that holds a sandbox already."""
    shutil.copytree(found_small(), tmp_path, dirs_exist_ok=True)
    return tmp_path, PassphraseFile.open(tmp_path / "keys.sealed", PASSPHRASE)


def started(home: Path, store: KeyStore | None = None) -> starting.Started:
    return starting.start(home, None, lambda: START, store=store)


def test_what_exists_is_verified_and_opened(placed: tuple[Path, KeyStore]) -> None:
    home, store = placed
    told = []
    made = starting.start(home, None, lambda: START, lambda *said: told.append(said[2]), store=store)
    assert told == ["Verifying the ledger"]
    assert made.damage is None
    assert made.blocks == made.installation.machine.replica.height > 10
    assert len(made.cards) == 4
    made.installation.close()


def test_a_crash_while_founding_leaves_nothing_and_the_next_start_founds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PassphraseFile.create(tmp_path / "keys.sealed", PASSPHRASE, FAST)

    def half(folder: Path, *_: Any) -> None:
        folder.mkdir()
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(starting, "found_sandbox", half)
        with pytest.raises(KeyboardInterrupt):
            started(tmp_path / "home", store)
    assert read_plans(tmp_path / "home" / starting.NAME) == ()

    def small(folder: Path, store: KeyStore, circumstances: Any, progress: Any) -> Any:
        return found_sandbox(folder, store, circumstances, progress, with_records=False)

    monkeypatch.setattr(starting, "found_sandbox", small)
    monkeypatch.setattr(starting, "Circumstances", _quick)
    made = started(tmp_path / "home", store)
    assert made.damage is None
    assert not (tmp_path / "home" / f"{starting.NAME}.new").exists()
    assert not (tmp_path / "home" / starting.NAME / "half").exists()
    made.installation.close()


def _quick(clock: Any) -> Any:
    return Circumstances(clock, stretching=FAST)


def damage_block(home: Path, number: int) -> None:
    database = sqlite3.connect(home / "sandbox" / "ledger" / "ledger.sqlite")
    (content,) = database.execute("SELECT content FROM blocks WHERE number = ?", (number,)).fetchone()
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    with database:
        database.execute("UPDATE blocks SET content = ? WHERE number = ?", (bytes(changed), number))
    database.close()


def test_damage_of_old_blocks_is_told_and_the_rest_can_be_looked_at(
    placed: tuple[Path, KeyStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, store = placed
    damage_block(home, 5)
    monkeypatch.setattr("ledger.embedded.opening._NEWEST", 2)
    made = started(home, store)
    assert made.damage is not None
    assert (made.damage.block, made.blocks) == (5, 5)
    made.installation.close()


def test_damage_of_the_newest_blocks_does_not_open_and_names_the_block(placed: tuple[Path, KeyStore]) -> None:
    home, store = placed
    damage_block(home, 5)
    for _ in range(2):
        with pytest.raises(LedgerDamagedError) as damaged:
            started(home, store)
        assert damaged.value.block == 5


def test_an_older_copy_does_not_open(placed: tuple[Path, KeyStore], tmp_path: Path) -> None:
    home, store = placed
    shutil.copytree(home / "sandbox" / "ledger", home / "older")
    made = started(home, store)
    installation = made.installation
    profile = next(each for each in installation.profiles.profiles() if each.name == "Rita Roster")
    identity = installation.profiles.unlock(profile.profile_id, "24681012", installation.master)
    dr = next(each for each in installation.profiles.profiles() if each.name == "Dr Carol Specimen")
    installation.machine.submission(identity).send("SuspendMember", {"subject": dr.subject})
    installation.tick()
    installation.close()
    shutil.rmtree(home / "sandbox" / "ledger")
    (home / "older").rename(home / "sandbox" / "ledger")
    with pytest.raises(OlderLedgerError):
        started(home, store)


# the key store


def test_a_passphrase_is_asked_for_where_there_is_no_store_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any, **__: Any) -> KeyStore:
        raise KeyStoreUnavailableError("none")

    monkeypatch.setattr("app.wiring.stores.open_keyring", none)
    monkeypatch.setattr("app.identity.passphrase_file.FILE", FAST, raising=False)
    folder = tmp_path / "sandbox"
    with pytest.raises(PassphraseNeededError) as needed:
        open_store(folder, "sandbox", None)
    assert needed.value.is_new
    store = open_store(folder, "sandbox", "a long enough passphrase")
    KeyInstallation(folder).open(store)
    with pytest.raises(PassphraseNeededError) as needed:
        open_store(folder, "sandbox", None)
    assert not needed.value.is_new
    with pytest.raises(KeyStoreError):
        open_store(folder, "sandbox", "another passphrase")
    assert open_store(folder, "sandbox", "a long enough passphrase").store_id == store.store_id


def test_an_installation_with_a_store_of_its_own_takes_no_substitute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any, **__: Any) -> KeyStore:
        raise KeyStoreUnavailableError("gone")

    monkeypatch.setattr("app.wiring.stores.open_keyring", none)
    monkeypatch.setattr(KeyInstallation, "store_id", property(lambda _self: "SecretService"))
    for passphrase in (None, "a long enough passphrase"):
        with pytest.raises(KeyStoreUnavailableError):
            open_store(tmp_path / "sandbox", "sandbox", passphrase)


# keys of services


def test_a_damaged_or_strange_key_file_is_refused(placed: tuple[Path, KeyStore]) -> None:
    home, store = placed
    path = home / "sandbox" / "AlderMSP" / "service-keys.json"
    file, keys = KeyFile(path, lambda count: b"\x00" * count), KeyInstallation(home / "sandbox").open(store)
    _, boxes = file.read()
    key = file.purpose_key(keys)
    with pytest.raises(UnwrapError):
        open_key(key, "receipt", boxes["custodian"])  # a box opens under its own name only
    open_key(key, "custodian", boxes["custodian"])
    with pytest.raises(UnwrapError):
        file.rewrap(MasterKey.generate(), MasterKey.generate())
    before = path.read_bytes()
    path.write_bytes(before[:-2])
    with pytest.raises(ServiceKeysError):
        file.read()
    path.write_bytes(before.replace(b'"key_id":"', b'"key_id":"0', 1))
    with pytest.raises(KeyStoreError):
        file.purpose_key(keys)
