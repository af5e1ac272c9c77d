"""People of a machine: two secrets per key, five tries, nothing left in files (A26, HOSTILE.md 31, 32)."""

import base64
import json
import os
import stat
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.identity.certificates import HospitalAuthority, Role
from app.identity.installation import Installation, MasterKeys
from app.identity.keys import LockedError, MasterKey
from app.identity.keystore import Entry, KeyStoreMismatchError
from app.identity.passphrase_file import PassphraseFile
from app.identity.pins import WeakPinError
from app.identity.profiles import (
    Profile,
    ProfileFolder,
    ProfileLockedError,
    ProfileTamperedError,
    UnknownProfileError,
    WrongPinError,
)
from app.identity.signing import SigningIdentity, WrongCertificateError
from ledger.contract.canonical import encode
from ledger.signatures import spki, verify_signature
from tests.identity.independent import hkdf
from tests.support.certificates import NOW, private_key_of, subject_of
from tests.support.stretching import FAST

PIN = "24681012"
OTHER_PIN = "13579111 and words"


@cache
def alder() -> HospitalAuthority:
    return HospitalAuthority.create("AlderMSP", NOW)


@cache
def certificate_of(name: str, now: int = NOW, role: Role = Role.PRACTITIONER) -> bytes:
    return alder().issue(spki(private_key_of(name).public_key()), subject_of(name), role, now)


def profile_of(name: str) -> Profile:
    return Profile(
        f"{name.title()} Fictive", "practitioner", "Alder Hospital", "AlderMSP", subject_of(name), certificate_of(name)
    )


@dataclass
class Machine:
    """An installation with carol and dan."""

    folder: Path
    keys: MasterKeys
    profiles: ProfileFolder

    def path(self, name: str) -> Path:
        return self.folder / f"{profile_of(name).profile_id}.profile.json"

    def unlock(self, name: str, pin: str) -> SigningIdentity:
        return self.profiles.unlock(profile_of(name).profile_id, pin, self.keys)

    def edit(self, name: str, /, **changes: object) -> None:
        value = json.loads(self.path(name).read_bytes())
        value["profile"].update({key: change for key, change in changes.items() if key in value["profile"]})
        value.update({key: change for key, change in changes.items() if key in value})
        self.path(name).write_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Carol with ``PIN``, dan with ``OTHER_PIN``."""
    folder = tmp_path / "profiles"
    keys = MasterKeys(MasterKey.generate())
    profiles = ProfileFolder(folder, FAST)
    for name, pin in (("carol", PIN), ("dan", OTHER_PIN)):
        profiles.add(profile_of(name), private_key_of(name), pin, keys)
    return Machine(folder, keys, profiles)


def test_the_right_pin_gives_an_identity_that_signs(machine: Machine) -> None:
    identity = machine.unlock("carol", PIN)
    verify_signature(private_key_of("carol").public_key(), b"message", identity.sign(b"message"))
    assert (identity.msp_id, identity.subject, identity.certificate) == (
        "AlderMSP",
        subject_of("carol"),
        profile_of("carol").certificate,
    )


def test_locking_then_signing_is_refused(machine: Machine) -> None:
    identity = machine.unlock("carol", PIN)
    identity.lock()
    with pytest.raises(LockedError):
        identity.sign(b"message")
    machine.unlock("carol", PIN).sign(b"message")


def test_the_sign_in_page_sees_names_without_any_secret(machine: Machine) -> None:
    listed = ProfileFolder(machine.folder, FAST).profiles()
    assert [(profile.name, profile.role, profile.hospital) for profile in listed] == [
        ("Carol Fictive", "practitioner", "Alder Hospital"),
        ("Dan Fictive", "practitioner", "Alder Hospital"),
    ]
    assert [profile.tries_left for profile in listed] == [5, 5]


def test_folder_and_files_are_the_owners_alone(machine: Machine) -> None:
    assert stat.S_IMODE(machine.folder.stat().st_mode) == 0o700
    files = list(machine.folder.iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    machine.unlock("carol", PIN)
    assert {stat.S_IMODE(path.stat().st_mode) for path in machine.folder.iterdir()} == {0o600}


def test_two_persons_of_one_machine_have_nothing_of_each_other(machine: Machine) -> None:
    with pytest.raises(WrongPinError):
        machine.unlock("carol", OTHER_PIN)
    carol, dan = (json.loads(machine.path(name).read_bytes()) for name in ("carol", "dan"))
    for part in ("salt", "pepper", "box", "key_hash"):
        assert carol[part] != dan[part]
    machine.path("carol").write_bytes(machine.path("dan").read_bytes())
    with pytest.raises(ProfileTamperedError):
        machine.unlock("carol", OTHER_PIN)


def test_another_persons_wrapped_key_cannot_be_pasted_in(machine: Machine) -> None:
    dan = json.loads(machine.path("dan").read_bytes())
    machine.edit("carol", box=dan["box"], salt=dan["salt"], pepper=dan["pepper"], key_hash=dan["key_hash"])
    with pytest.raises(ProfileTamperedError):
        machine.unlock("carol", OTHER_PIN)


def test_wrong_pins_are_counted_across_restarts_and_a_right_one_starts_anew(machine: Machine) -> None:
    for left in (4, 3):
        with pytest.raises(WrongPinError, match=rf"^That was not your PIN\. {left} tries left\.$"):
            machine.unlock("carol", "wrong pin")
    machine.profiles = ProfileFolder(machine.folder, FAST)
    assert machine.profiles.profiles()[0].tries_left == 3
    machine.unlock("carol", PIN)
    assert [profile.tries_left for profile in machine.profiles.profiles()] == [5, 5]


def test_five_wrong_tries_delete_the_key_of_that_person_only(machine: Machine) -> None:
    box = json.loads(machine.path("carol").read_bytes())["box"]
    for left in ("4 tries", "3 tries", "2 tries", "1 try"):
        with pytest.raises(WrongPinError, match=left):
            machine.unlock("carol", "wrong pin")
    expected = r"^Too many tries\. Ask a registrar to enrol you with a new key\.$"
    with pytest.raises(ProfileLockedError, match=expected):
        machine.unlock("carol", "wrong pin")
    with pytest.raises(ProfileLockedError, match=expected):
        machine.unlock("carol", PIN)
    assert box not in machine.path("carol").read_text()
    assert json.loads(machine.path("carol").read_bytes())["box"] == ""
    assert [profile.tries_left for profile in machine.profiles.profiles()] == [0, 5]
    machine.unlock("dan", OTHER_PIN)


def test_setting_the_tries_back_by_hand_is_noticed(machine: Machine) -> None:
    with pytest.raises(WrongPinError):
        machine.unlock("carol", "wrong pin")
    machine.edit("carol", tries_left=5)
    with pytest.raises(ProfileTamperedError):
        machine.unlock("carol", PIN)


def test_a_try_counts_although_the_machine_stops_during_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    class StopError(BaseException):
        pass

    def stop(*_arguments: object) -> None:
        raise StopError

    with monkeypatch.context() as patched:
        patched.setattr("app.identity.profiles.open_key", stop)
        for _ in range(2):
            with pytest.raises(StopError):
                machine.unlock("carol", "wrong pin")
    assert machine.profiles.profiles()[0].tries_left == 3


def test_a_person_enrolled_anew_signs_in_again(machine: Machine) -> None:
    for _ in range(5):
        with pytest.raises((WrongPinError, ProfileLockedError)):
            machine.unlock("carol", "wrong pin")
    key = private_key_of("carol's new key")
    certificate = alder().issue(spki(key.public_key()), subject_of("carol"), Role.PRACTITIONER, NOW)
    machine.profiles.add(replace(profile_of("carol"), certificate=certificate), key, PIN, machine.keys)
    assert machine.unlock("carol", PIN).certificate == certificate


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Dan Fictive"},
        {"role": "operator"},
        {"hospital": "Birch Hospital"},
        {"certificate": base64.b64encode(b"another").decode()},
        {"key_hash": "00" * 32},
        {"salt": base64.b64encode(bytes(16)).decode()},
        {"salt": ""},
        {"stretching": {"memory_kib": 16, "iterations": 1, "lanes": 1}},
        {"stretching": {"memory_kib": 2**40, "iterations": 1, "lanes": 1}},
        {"box": ""},
        {"pepper": ""},
        {"tries_left": 6},
        {"tries_left": True},
        {"tries_left": "5"},
        {"subject": subject_of("dan")},
        {"profile": {}},
        {"v": 2},
    ],
)
def test_a_profile_edited_by_hand_does_not_open(machine: Machine, changes: dict[str, object]) -> None:
    machine.edit("carol", **changes)
    with pytest.raises(ProfileTamperedError, match="changed outside Assent"):
        machine.unlock("carol", PIN)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"a":1}'])
def test_a_damaged_profile_is_named(machine: Machine, content: bytes) -> None:
    machine.path("carol").write_bytes(content)
    with pytest.raises(ProfileTamperedError):
        machine.unlock("carol", PIN)
    with pytest.raises(ProfileTamperedError):
        machine.profiles.profiles()


def test_an_exposed_profile_is_not_used(machine: Machine) -> None:
    machine.path("carol").chmod(0o644)
    with pytest.raises(ProfileTamperedError, match="mode 600"):
        machine.unlock("carol", PIN)


@pytest.mark.parametrize("profile_id", ["nobody", "../carol", "", "AlderMSP/..", "AlderMSP.x\x00"])
def test_an_unknown_person_is_unknown(machine: Machine, profile_id: str) -> None:
    with pytest.raises(UnknownProfileError):
        machine.profiles.unlock(profile_id, PIN, machine.keys)


def test_the_passphrase_alone_is_of_no_use(machine: Machine) -> None:
    other = MasterKeys(MasterKey.generate())
    with pytest.raises(KeyStoreMismatchError):
        machine.profiles.unlock(profile_of("carol").profile_id, PIN, other)


def test_the_wrapping_key_comes_from_both_secrets(machine: Machine) -> None:
    value = json.loads(machine.path("carol").read_bytes())
    pepper_key = hkdf(base64.b64decode(machine.keys.current.to_text()), b"assent/profile/1", 32)
    place = {key: part for key, part in value.items() if key != "pepper"}
    pepper = AESGCM(pepper_key).decrypt(*box_of(value["pepper"]), encode(place))
    stretched = Argon2id(salt=base64.b64decode(value["salt"]), length=32, iterations=1, lanes=1, memory_cost=8).derive(
        PIN.encode()
    )
    key = hkdf(pepper + stretched, b"assent/profile/1", 32)
    owner = {"type": "profile-key", "msp_id": "AlderMSP", "subject": subject_of("carol"), "key_hash": value["key_hash"]}
    raw = AESGCM(key).decrypt(*box_of(value["box"]), encode(owner))
    assert raw == private_key_of("carol").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def box_of(text: str) -> tuple[bytes, bytes]:
    box = base64.b64decode(text)
    return box[:12], box[12:]


def test_nothing_opens_while_the_master_key_is_locked(machine: Machine) -> None:
    machine.keys.lock()
    with pytest.raises(LockedError):
        machine.unlock("carol", PIN)
    assert machine.profiles.profiles()[0].tries_left == 5


def test_a_new_passphrase_takes_the_place_of_the_old(machine: Machine) -> None:
    profile_id = profile_of("carol").profile_id
    with pytest.raises(WeakPinError):
        machine.profiles.change_passphrase(profile_id, PIN, "short", machine.keys)
    with pytest.raises(WrongPinError):
        machine.profiles.change_passphrase(profile_id, "wrong pin", "a longer passphrase", machine.keys)
    machine.profiles.change_passphrase(profile_id, PIN, "a longer passphrase", machine.keys)
    with pytest.raises(WrongPinError):
        machine.unlock("carol", PIN)
    machine.unlock("carol", "a longer passphrase")


def test_a_certificate_is_renewed_for_the_same_key_only(machine: Machine) -> None:
    profile_id = profile_of("carol").profile_id
    renewed = certificate_of("carol", NOW + 300 * 86_400)
    machine.profiles.renew(profile_id, renewed, machine.keys)
    assert machine.unlock("carol", PIN).certificate == renewed
    with pytest.raises(WrongCertificateError):
        machine.profiles.renew(profile_id, certificate_of("mallory"), machine.keys)
    with pytest.raises(WrongCertificateError):
        machine.profiles.renew(profile_id, b"rubbish", machine.keys)


def test_a_certificate_of_another_key_or_person_is_not_taken(machine: Machine) -> None:
    with pytest.raises(WrongCertificateError):
        machine.profiles.add(profile_of("carol"), private_key_of("mallory"), PIN, machine.keys)
    stranger = replace(profile_of("carol"), subject=subject_of("mallory"))
    with pytest.raises(WrongCertificateError, match="another person"):
        machine.profiles.add(stranger, private_key_of("carol"), PIN, machine.keys)
    with pytest.raises(WeakPinError):
        machine.profiles.add(profile_of("carol"), private_key_of("carol"), "short", machine.keys)


def test_a_removed_person_is_gone(machine: Machine) -> None:
    machine.profiles.remove(profile_of("carol").profile_id)
    machine.profiles.remove(profile_of("carol").profile_id)
    assert [profile.name for profile in machine.profiles.profiles()] == ["Dan Fictive"]
    with pytest.raises(UnknownProfileError):
        machine.unlock("carol", PIN)


def test_a_full_disk_neither_loses_a_profile_nor_gives_a_free_try(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            machine.unlock("carol", PIN)
    machine.unlock("carol", PIN)


# With the real key store in a file, from first start to a replaced master key.


def secrets_of(name: str) -> list[bytes]:
    """A private key in every form in which it could lie in a file."""
    key = private_key_of(name)
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return [
        scalar,
        scalar[::-1],
        scalar.hex().encode(),
        base64.b64encode(scalar).rstrip(b"="),
        base64.b64encode(der)[40:100],
        str(int.from_bytes(scalar, "big")).encode(),
    ]


def test_no_key_no_pin_and_no_master_key_lies_in_any_file(tmp_path: Path) -> None:
    store = PassphraseFile.create(tmp_path / "keys.sealed", "correct horse battery", FAST)
    keys = Installation(tmp_path).open(store)
    profiles = ProfileFolder(tmp_path / "profiles", FAST)
    secrets = [PIN.encode(), b"correct horse battery"]
    for name in ("carol", "dan"):
        profiles.add(profile_of(name), private_key_of(name), PIN, keys)
        secrets += secrets_of(name)
    for text in (
        keys.current.to_text(),
        Installation(tmp_path).replace_master_key(store, [profiles]).current.to_text(),
    ):
        secrets += [text.encode().rstrip(b"="), base64.b64decode(text), base64.b64decode(text).hex().encode()]
    with pytest.raises(WrongPinError):
        profiles.unlock(profile_of("carol").profile_id, "wrong pin", Installation(tmp_path).open(store))
    profiles.unlock(profile_of("dan").profile_id, PIN, Installation(tmp_path).open(store))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 4
    for path in files:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path
    control = tmp_path / "control"
    control.write_bytes(b"x" + secrets_of("carol")[0])
    assert [secret for secret in secrets if secret in control.read_bytes()]


@pytest.mark.parametrize("writes", range(6))
def test_a_crash_while_the_master_key_is_replaced_leaves_everybody_able_to_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    store = PassphraseFile.create(tmp_path / "keys.sealed", "correct horse battery", FAST)
    keys = Installation(tmp_path).open(store)
    profiles = ProfileFolder(tmp_path / "profiles", FAST)
    for name in ("carol", "dan"):
        profiles.add(profile_of(name), private_key_of(name), PIN, keys)

    class CrashError(BaseException):
        pass

    left = [writes]
    real_replace = Path.replace

    def replace_or_crash(path: Path, target: Path) -> Path:
        if left[0] == 0:
            raise CrashError
        left[0] -= 1
        return real_replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace_or_crash)
        with pytest.raises(CrashError):
            Installation(tmp_path).replace_master_key(store, [profiles])

    again = PassphraseFile.open(tmp_path / "keys.sealed", "correct horse battery")
    found = Installation(tmp_path).open(again)
    for name in ("carol", "dan"):
        profiles.unlock(profile_of(name).profile_id, PIN, found).sign(b"message")
    finished = Installation(tmp_path).replace_master_key(again, [profiles])
    assert {json.loads(path.read_bytes())["key_id"] for path in (tmp_path / "profiles").iterdir()} == {
        finished.current.key_id
    }
    for name in ("carol", "dan"):
        profiles.unlock(profile_of(name).profile_id, PIN, finished).sign(b"message")
    assert len(str(again.get(Entry.MASTER_KEY))) == 44


def test_a_replacement_stops_before_the_old_key_is_forgotten_if_a_profile_was_changed(tmp_path: Path) -> None:
    store = PassphraseFile.create(tmp_path / "keys.sealed", "correct horse battery", FAST)
    keys = Installation(tmp_path).open(store)
    profiles = ProfileFolder(tmp_path / "profiles", FAST)
    profiles.add(profile_of("carol"), private_key_of("carol"), PIN, keys)
    machine = Machine(tmp_path / "profiles", keys, profiles)
    original = machine.path("carol").read_bytes()
    machine.edit("carol", role="operator")
    with pytest.raises(ProfileTamperedError):
        Installation(tmp_path).replace_master_key(store, [profiles])
    machine.path("carol").write_bytes(original)
    profiles.unlock(profile_of("carol").profile_id, PIN, Installation(tmp_path).open(store))
