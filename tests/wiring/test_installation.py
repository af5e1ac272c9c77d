"""An installation that is opened anew, and whose master key is replaced wherever a crash comes (PROTOCOL.md F, A42)."""

from __future__ import annotations

import shutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from app.custodian.database import key_id_in
from app.identity.installation import Installation as KeyInstallation
from app.identity.installation import MasterKeys
from app.identity.keys import LockedError, MasterKey, UnwrapError
from app.identity.keystore import Entry, KeyStoreError
from app.identity.ledger_head import OlderLedgerError
from app.identity.passphrase_file import PassphraseFile
from app.wiring.installation import Installation, found, open_installation
from app.wiring.ledgers import Circumstances
from app.wiring.plans import read_plans
from app.wiring.sandbox import ALDER, PIN, read_cards
from tests.support.sandbox import ALMA, CAROL, FAST, Clock, SandboxWorld, found_allowed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PASSPHRASE = "sandbox-passphrase"
"""Of ``tests.support.sandbox``."""


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A closed installation in which Carol may open two kinds of Alma's records."""
    shutil.copytree(found_allowed(), tmp_path, dirs_exist_ok=True)
    return tmp_path


def opened(place: Path, clock: Clock | None = None) -> SandboxWorld:
    clock = clock or Clock()
    store = PassphraseFile.open(place / "keys.sealed", PASSPHRASE)
    installation = open_installation(place / "sandbox", store, Circumstances(clock, stretching=FAST))
    installation.machine.catch_up()
    return SandboxWorld(installation, clock, read_cards(place / "sandbox"))


def key_ids(installation: Installation) -> set[str]:
    """Return the ids of all master keys that any file of an installation is under."""
    custodians = [path for name in ("keys.db", "index.db") for path in installation.folder.glob(f"*MSP/{name}")]
    files = [*installation.folder.rglob("*.profile.json"), *installation.folder.rglob("*-key*.json")]
    files = [path for path in files if path.name != "key-store.json"]
    assert (len(custodians), len(files)) == (4, 10 + 3)
    texts = [path.read_text().split('"key_id":"') for path in files]
    return {key_id_in(path) for path in custodians} | {parts[1][:16] for parts in texts}


def assert_works(world: SandboxWorld) -> None:
    """Everything that needs a key of the installation works: people, patient, list, record, import, receipts."""
    carol = world.staff(CAROL)
    patient = carol.patients.known()[0]
    row = next(row for row in carol.worklist.list_records(patient, "TREAT") if row.can_open)
    carol.openings.close(carol.openings.open(row.wanted, "TREAT"))
    assert world.patient(ALMA).accesses.rows()
    rita = world.staff("Rita Roster")
    assert len(rita.people.persons()) == 2
    rita.people.make_code(rita.people.persons()[0].patient_id)
    world.tick()


def test_what_is_opened_anew_works_and_goes_on(place: Path) -> None:
    for _ in range(2):
        world = opened(place)
        assert_works(world)
        world.installation.close()
        world.installation.close()


def test_closing_wipes_the_keys(place: Path) -> None:
    world = opened(place)
    installation = world.installation
    installation.close()
    with pytest.raises(LockedError):
        installation.master.current.to_text()
    assert installation.keys["AlderMSP"].authority is not None
    with pytest.raises((LockedError, KeyError)):
        installation.profiles.unlock(installation.profiles.profiles()[0].profile_id, PIN, installation.master)


def test_an_older_copy_of_the_ledger_is_noticed_and_the_files_given_free(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "sandbox" / "ledger", place / "older")
    world = opened(place)
    assert_works(world)
    world.installation.close()
    newer = place / "newer"
    (place / "sandbox" / "ledger").rename(newer)
    shutil.copytree(place / "older", place / "sandbox" / "ledger")
    for _ in range(2):
        with pytest.raises(OlderLedgerError):
            opened(place)
    shutil.rmtree(place / "sandbox" / "ledger")
    newer.rename(place / "sandbox" / "ledger")
    world = opened(place)
    assert_works(world)
    world.installation.close()


def test_a_hospital_needs_its_own_master_key(place: Path, tmp_path: Path) -> None:
    other = PassphraseFile.create(tmp_path / "other.sealed", PASSPHRASE, FAST)
    other.set(Entry.MASTER_KEY, MasterKey.generate().to_text())
    with pytest.raises(KeyStoreError):
        open_installation(place / "sandbox", other, Circumstances(Clock(), stretching=FAST))


def test_no_folder_no_hospitals(tmp_path: Path) -> None:
    assert read_plans(tmp_path) == ()


def test_a_hospital_alone_can_be_founded(tmp_path: Path) -> None:
    store = PassphraseFile.create(tmp_path / "keys.sealed", PASSPHRASE, FAST)
    installation, roots = found(tmp_path / "one", [ALDER], store, Circumstances(Clock(), stretching=FAST))
    assert set(roots) == set(installation.custodians) == {"AlderMSP"}
    assert read_plans(tmp_path / "one") == (ALDER,)
    installation.tick()
    installation.close()


# another master key


def test_everything_goes_over_to_another_master_key(place: Path) -> None:
    world = opened(place)
    installation = world.installation
    carol, before = world.staff(CAROL), installation.master
    notes, old = carol.notebook.read(), before.current.key_id
    assert key_ids(installation) == {old}
    installation.rotate_master_key()
    new = installation.master.current.key_id
    assert new != old
    assert key_ids(installation) == {new}
    assert before.current.is_locked
    assert_works(world)  # without a restart
    assert carol.notebook.read().badge == notes.badge
    carol.reauthenticate(PIN)
    installation.close()
    world = opened(place)
    assert world.installation.master.current.key_id == new
    assert world.installation.master.previous is None
    assert_works(world)
    assert world.staff(CAROL).notebook.read().badge == notes.badge
    world.installation.close()


POINTS = [
    ("app.identity.installation.Installation._write", 0),
    ("app.identity.passphrase_file.PassphraseFile.set", 0),
    ("app.identity.profiles.ProfileFolder._write", 0),
    ("app.identity.profiles.ProfileFolder._write", 3),
    ("app.wiring.service_keys.KeyFile._store", 0),
    ("app.wiring.service_keys.KeyFile._store", 1),
    ("app.wiring.service_keys.KeyFile._store", 2),
    ("app.custodian.keytable.KeyTable.rewrap", 0),
    ("app.custodian.index.Index.rewrap", 0),
    ("app.custodian.keytable.KeyTable.rewrap", 1),
    ("app.custodian.index.Index.rewrap", 1),
    ("app.identity.passphrase_file.PassphraseFile.set", 1),
    ("app.identity.installation.Installation._write", 1),
]
"""Where the process is killed: before which call of which act, counted from 0."""


def kill_before(monkeypatch: pytest.MonkeyPatch, target: str, count: int) -> None:
    module, name, method = target.rsplit(".", 2)
    real: Callable[..., Any] = getattr(getattr(import_module(module), name), method)
    done = [0]

    def act(*given: Any, **named: Any) -> Any:
        if done[0] == count:
            raise Killed
        done[0] += 1
        return real(*given, **named)

    monkeypatch.setattr(target, act)


@pytest.mark.parametrize(
    ("target", "count"), POINTS, ids=[f"{t.rsplit('.', 2)[1]}.{t.rsplit('.')[-1]}-{n}" for t, n in POINTS]
)
def test_a_crash_before_each_step_is_finished_by_the_next_opening(
    place: Path, target: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = opened(place)
    installation, old = world.installation, world.installation.master.current.key_id
    with monkeypatch.context() as patched:
        kill_before(patched, target, count)
        with pytest.raises(Killed):
            installation.rotate_master_key()
    assert_works(world)  # whoever is still in the same process is not thrown out
    installation.close()
    world = opened(place)
    found = key_ids(world.installation)
    assert found == {world.installation.master.current.key_id}
    assert world.installation.master.previous is None
    finished = world.installation.master.current.key_id != old
    assert finished == ((target, count) not in POINTS[:2])
    assert_works(world)
    world.installation.close()


def test_a_crash_while_it_is_finished_is_finished_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = opened(place)
    with monkeypatch.context() as patched:
        kill_before(patched, "app.custodian.index.Index.rewrap", 0)
        with pytest.raises(Killed):
            world.installation.rotate_master_key()
    world.installation.close()
    with monkeypatch.context() as patched:
        kill_before(patched, "app.custodian.index.Index.rewrap", 1)
        with pytest.raises(Killed):
            opened(place)
    world = opened(place)
    assert key_ids(world.installation) == {world.installation.master.current.key_id}
    assert_works(world)
    world.installation.close()


def test_a_custodians_file_of_a_strange_master_key_is_refused(place: Path) -> None:
    world = opened(place)
    world.installation.close()
    store = PassphraseFile.open(place / "keys.sealed", PASSPHRASE)
    KeyInstallation(place / "sandbox").replace_master_key(store, [])  # the parts were left out
    with pytest.raises((KeyStoreError, UnwrapError)):
        opened(place)


def test_master_keys_name_what_they_open() -> None:
    old, new = MasterKey.generate(), MasterKey.generate()
    keys = MasterKeys(new, old)
    assert keys.named(old.key_id) is old
    with pytest.raises(KeyStoreError):
        keys.named("0" * 16)
