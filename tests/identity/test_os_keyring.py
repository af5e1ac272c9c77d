"""The operating system's key store, on a real daemon, in every state (HOSTILE.md 29 and 30, CASES.md 10)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.identity.keystore import (
    MAX_CHARACTERS,
    Entry,
    KeyStoreForgetfulError,
    KeyStoreLockedError,
    KeyStoreMismatchError,
    KeyStoreTooSmallError,
    KeyStoreUnavailableError,
)
from app.identity.os_keyring import ALLOWED, Candidate, open_keyring
from tests.support.secret_service import SecretService, secret_service

PRELUDE = """
import json, sys
from app.identity.keystore import Entry, KeyStoreError
from app.identity.os_keyring import open_keyring
def say(**what): print(json.dumps(what), flush=True)
def tried(work):
    try:
        return {"answer": work()}
    except KeyStoreError as error:
        return {"error": type(error).__name__, "text": str(error)}
"""
OPEN = PRELUDE + 'say(**tried(lambda: open_keyring("one").store_id))'
MASTER = "bWFzdGVyIGtleSBvZiBhIHRlc3QsIDMyIGJ5dGVzISE="
KEEP = PRELUDE + f'store = open_keyring("one"); store.set(Entry.MASTER_KEY, "{MASTER}"); say(kept=store.store_id)'
READ = PRELUDE + 'say(**tried(lambda: open_keyring("one", "secret-service").get(Entry.MASTER_KEY)))'
LOCK = """
import secretstorage
secretstorage.Collection(secretstorage.dbus_init(), "/org/freedesktop/secrets/aliases/default").lock()
print("{}")
"""


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[SecretService]:
    """A session with a bus and, once it is started, a real daemon."""
    with secret_service(tmp_path) as session:
        yield session


@pytest.fixture
def opened(desktop: SecretService) -> SecretService:
    """The usual state: a daemon that is open."""
    desktop.start_bus()
    desktop.start_keyring("correct horse")
    return desktop


def test_three_entries_are_kept_replaced_and_deleted(opened: SecretService) -> None:
    said = opened.run(
        PRELUDE
        + """
store = open_keyring("one")
before = store.get(Entry.MASTER_KEY)
for entry in Entry:
    store.set(entry, entry.value + "-old")
    store.set(entry, entry.value + "-new")
values = [store.get(entry) for entry in Entry]
store.delete(Entry.CACHE_HASH)
store.delete(Entry.CACHE_HASH)
say(before=before, values=values, gone=store.get(Entry.CACHE_HASH), title=store.title,
    other=open_keyring("two").get(Entry.MASTER_KEY))
"""
    )
    assert said == {
        "before": None,
        "values": ["master-key-new", "ledger-head-new", "cache-hash-new"],
        "gone": None,
        "title": "Secret Service",
        "other": None,
    }
    assert opened.lookup("assent-one", "master-key") == "master-key-new"
    assert opened.lookup("assent-one", "probe") == ""


def test_the_master_key_is_in_no_file_of_the_session(opened: SecretService) -> None:
    opened.run(KEEP)
    files = [path for path in opened.home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".keyring" for path in files)
    assert not [path for path in files if MASTER.encode() in path.read_bytes()]


def test_no_bus_is_unavailable(desktop: SecretService) -> None:
    said = desktop.run(OPEN)
    assert said["error"] == "KeyStoreUnavailableError"
    assert "Choose a passphrase instead. Assent never stores keys unprotected." in said["text"]


def test_a_bus_without_a_daemon_is_unavailable(desktop: SecretService) -> None:
    desktop.start_bus()
    assert desktop.run(OPEN)["error"] == "KeyStoreUnavailableError"


def test_a_locked_store_is_locked_not_empty(opened: SecretService) -> None:
    opened.run(KEEP)
    opened.run(LOCK)
    said = opened.run(READ)
    assert said == {"error": "KeyStoreLockedError", "text": "Your key store is locked. Unlock it and try again."}


def test_a_locked_store_is_not_asked_to_put_a_question_on_the_screen(opened: SecretService) -> None:
    opened.run(KEEP)
    opened.run(LOCK)
    said = opened.run(
        "import secretstorage\nasked = []\n"
        "secretstorage.Collection.unlock = lambda *_arguments, **_names: asked.append(1) or True\n"
        + PRELUDE
        + """
answers = [tried(lambda: open_keyring("one", "secret-service")), len(asked)]
answers += [tried(lambda: open_keyring("one", "secret-service", wait=1)), len(asked)]
say(error=answers[0]["error"], without=answers[1], again=answers[2]["error"], asked=answers[3])
"""
    )
    assert said == {"error": "KeyStoreLockedError", "without": 0, "again": "KeyStoreLockedError", "asked": 1}


def test_asking_the_desktop_to_unlock_ends_when_nobody_answers(opened: SecretService) -> None:
    opened.run(KEEP)
    opened.run(LOCK)
    said = opened.run(PRELUDE + 'say(**tried(lambda: open_keyring("one", "secret-service", wait=1).store_id))')
    assert said["error"] in {"KeyStoreLockedError", "KeyStoreUnavailableError"}


def test_a_wrong_password_leaves_the_store_locked_and_its_keys_unharmed(opened: SecretService) -> None:
    opened.run(KEEP)
    opened.kill_keyring()
    opened.start_keyring("wrong horse", expect="locked")
    assert opened.run(READ)["error"] == "KeyStoreLockedError"
    opened.kill_keyring()
    opened.start_keyring("correct horse")
    assert opened.run(READ) == {"answer": MASTER}


def test_a_daemon_killed_mid_way_is_unavailable_not_empty(opened: SecretService) -> None:
    program = opened.start(
        PRELUDE
        + f"""
store = open_keyring("one"); store.set(Entry.MASTER_KEY, "{MASTER}"); say(ready=True)
sys.stdin.readline()
say(read=tried(lambda: store.get(Entry.MASTER_KEY)), write=tried(lambda: store.set(Entry.MASTER_KEY, "x")),
    delete=tried(lambda: store.delete(Entry.MASTER_KEY)))
"""
    )
    assert program.stdout is not None
    assert program.stdin is not None
    assert program.stdout.readline() == '{"ready": true}\n'
    opened.kill_keyring()
    out, _ = program.communicate("go\n", timeout=60)
    assert out.count("KeyStoreUnavailableError") == 3
    opened.start_keyring("correct horse")
    assert opened.run(READ) == {"answer": MASTER}


def test_the_null_backend_of_the_environment_is_not_used(opened: SecretService) -> None:
    null = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    control = opened.run("import json, keyring; print(json.dumps(type(keyring.get_keyring()).__module__))", null)
    assert control == "keyring.backends.null"
    opened.run(KEEP, null)
    assert opened.lookup("assent-one", "master-key") == MASTER


def test_an_injected_keyringrc_loads_nothing(opened: SecretService) -> None:
    foreign = opened.home / "foreign"
    foreign.mkdir()
    (foreign / "stolen.py").write_text(
        "import pathlib, keyring.backends.null\n"
        f"pathlib.Path({str(foreign / 'loaded')!r}).touch()\n"
        "class Keyring(keyring.backends.null.Keyring): pass\n"
    )
    folder = opened.home / "config" / "python_keyring"
    folder.mkdir(parents=True)
    (folder / "keyringrc.cfg").write_text(
        f"[backend]\ndefault-keyring=stolen.Keyring\nkeyring-path={foreign}\n", encoding="utf-8"
    )
    opened.run(KEEP)
    assert not (foreign / "loaded").exists()
    assert opened.lookup("assent-one", "master-key") == MASTER
    control = opened.run("import json, keyring; print(json.dumps(type(keyring.get_keyring()).__module__))")
    assert control == "stolen"
    assert (foreign / "loaded").exists()


def test_properties_from_the_environment_are_not_obeyed(opened: SecretService) -> None:
    opened.run(
        KEEP,
        {
            "KEYRING_PROPERTY_PREFERRED_COLLECTION": "/org/freedesktop/secrets/collection/elsewhere",
            "KEYRING_PROPERTY_SCHEME": "KeePassXC",
        },
    )
    assert opened.lookup("assent-one", "master-key") == MASTER


def test_another_desktop_does_not_take_the_place_of_the_pinned_store(opened: SecretService) -> None:
    said = opened.run(PRELUDE + 'say(**tried(lambda: open_keyring("one", "kwallet").store_id))')
    assert said["error"] == "KeyStoreUnavailableError"
    assert "keeps its keys in KWallet" in said["text"]
    assert opened.lookup("assent-one", "probe") == ""


# Fakes from here on: backends that no test daemon can be.


@dataclass
class FakeBackend:
    """A fake: remembers in memory, and misbehaves as told."""

    limit: int = 10_000
    forgets: bool = False
    keeps_deleted: bool = False
    locked: bool = False
    entries: dict[tuple[str, str], str] = field(default_factory=dict)

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > self.limit:
            raise OSError(1783, "CredWrite", "The stub received bad data")
        if not self.forgets:
            self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if not self.keeps_deleted:
            del self.entries[service, username]


def fake(backend: FakeBackend, store_id: str = "fake") -> Candidate:
    def refuse_locked(_wait: float) -> None:
        if backend.locked:
            raise KeyStoreLockedError("locked, says a fake")

    return Candidate(store_id, f"a fake store ({store_id})", lambda: backend, refuse_locked)


def broken(store_id: str) -> Candidate:
    def make() -> FakeBackend:
        raise RuntimeError("not on this desktop, says a fake")

    return Candidate(store_id, f"a fake store ({store_id})", make, lambda _wait: None)


def test_a_store_that_forgets_is_named_and_refused() -> None:
    with pytest.raises(KeyStoreForgetfulError, match=r"a fake store \(fake\) does not keep .*No record is imported"):
        open_keyring("one", candidates=[fake(FakeBackend(forgets=True))])


def test_a_store_that_does_not_delete_is_refused() -> None:
    with pytest.raises(KeyStoreForgetfulError, match="does not delete"):
        open_keyring("one", candidates=[fake(FakeBackend(keeps_deleted=True))])


def test_windows_limit_of_1280_characters_is_enough() -> None:
    store = open_keyring("one", candidates=[fake(FakeBackend(limit=1280))])
    store.set(Entry.MASTER_KEY, MASTER)
    assert store.get(Entry.MASTER_KEY) == MASTER
    assert len(MASTER) == 44


def test_a_store_too_small_for_an_entry_is_told_apart_from_one_that_fails() -> None:
    with pytest.raises(KeyStoreTooSmallError, match="cannot hold 200 characters"):
        open_keyring("one", candidates=[fake(FakeBackend(limit=MAX_CHARACTERS - 1))])
    with pytest.raises(KeyStoreUnavailableError):
        open_keyring("one", candidates=[fake(FakeBackend(limit=0))])


def test_an_entry_longer_than_every_store_holds_is_refused_before_it_is_sent() -> None:
    backend = FakeBackend()
    store = open_keyring("one", candidates=[fake(backend)])
    with pytest.raises(KeyStoreTooSmallError):
        store.set(Entry.LEDGER_HEAD, "x" * (MAX_CHARACTERS + 1))
    assert backend.entries == {}


def test_a_store_that_is_locked_later_is_locked_for_every_verb() -> None:
    backend = FakeBackend()
    store = open_keyring("one", candidates=[fake(backend)])
    store.set(Entry.MASTER_KEY, MASTER)
    backend.locked = True
    with pytest.raises(KeyStoreLockedError):
        store.get(Entry.MASTER_KEY)
    with pytest.raises(KeyStoreLockedError):
        store.set(Entry.MASTER_KEY, "x")
    with pytest.raises(KeyStoreLockedError):
        store.delete(Entry.MASTER_KEY)
    assert backend.entries["assent-one", "master-key"] == MASTER


def test_a_first_start_takes_the_first_store_that_exists_and_no_other_if_that_one_is_unfit() -> None:
    assert open_keyring("one", candidates=[broken("absent"), fake(FakeBackend(), "there")]).store_id == "there"
    with pytest.raises(KeyStoreLockedError):
        open_keyring("one", candidates=[fake(FakeBackend(locked=True), "closed"), fake(FakeBackend(), "there")])


def test_a_pinned_store_has_no_substitute() -> None:
    candidates = [broken("mine"), fake(FakeBackend(), "there")]
    with pytest.raises(KeyStoreUnavailableError, match=r"a fake store \(mine\), which does not answer here"):
        open_keyring("one", "mine", candidates=candidates)
    with pytest.raises(KeyStoreMismatchError, match="unheard-of"):
        open_keyring("one", "unheard-of", candidates=candidates)


def test_the_allow_list_has_no_store_that_loses_or_exposes_keys() -> None:
    names = [candidate.store_id for candidate in ALLOWED]
    assert names == ["macos-keychain", "windows-credentials", "secret-service", "libsecret", "kwallet"]
