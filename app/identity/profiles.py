"""The people of this machine: who may sign in, and each one's signing key under two secrets (ATTACKS.md A26).

The signing key is wrapped by ``HKDF(pepper ‖ Argon2id(passphrase))``, and the pepper, 32 random bytes, by the master
key's purpose ``assent/profile/1``: an open desktop session without the passphrase signs nothing, nor does the
passphrase on a copied disk. (The pepper stands between so that a new master key can be put in without every person's
passphrase.) The pepper's box also binds all that the file says, the tries too: a file edited by hand does not open.
"""

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.identity.installation import MasterKeys
from app.identity.keys import KEY_BYTES, MasterKey, Purpose, Random, UnwrapError, unwrap, wipe, wrap
from app.identity.pins import PERSON, SALT_BYTES, Stretching, check_passphrase
from app.identity.private_files import (
    ExposedFileError,
    make_private_folder,
    read_private,
    remove_private,
    write_private,
)
from app.identity.profile_file import (
    TRIES,
    Profile,
    ProfileError,
    ProfileLockedError,
    ProfileTamperedError,
    StoredProfile,
    UnknownProfileError,
    WrongPinError,
    key_hash_of,
    key_place,
    open_key,
    open_pepper,
    wrapping_key,
)
from app.identity.signing import SigningIdentity, WrongCertificateError
from ledger.contract.errors import ContractError

__all__ = [
    "TRIES",
    "Profile",
    "ProfileError",
    "ProfileFolder",
    "ProfileLockedError",
    "ProfileTamperedError",
    "UnknownProfileError",
    "WrongPinError",
]
_MAX_FILE: Final = 64 * 1024
_SUFFIX: Final = ".profile.json"


class ProfileFolder:
    """The profiles of one installation: one file each, 0600 in a folder 0700. Implements ``installation.Wrapped``."""

    def __init__(self, folder: Path, stretching: Stretching = PERSON, random: Random = os.urandom) -> None:
        """Use ``folder``; it is made if need be.

        Raises:
            ExposedFileError: the folder is a link or another account's.
        """
        make_private_folder(folder)
        self._folder: Final = folder
        self._stretching: Final = stretching
        self._random: Final = random
        self._turn: Final = threading.Lock()

    def profiles(self) -> tuple[Profile, ...]:
        """Return who may sign in here, by name; nothing is unlocked, and what the files say is not yet verified.

        Raises:
            ProfileTamperedError: a file is damaged or exposed.
        """
        found = [self._read(path).profile for path in self._folder.glob(f"*{_SUFFIX}")]
        return tuple(sorted(found, key=lambda profile: (profile.name, profile.profile_id)))

    def add(
        self, profile: Profile, private_key: ec.EllipticCurvePrivateKey, passphrase: str, keys: MasterKeys
    ) -> SigningIdentity:
        """Keep a person's new key; also in place of a locked one, after a registrar enrolled the person anew.

        Raises:
            WeakPinError: the passphrase is too short.
            WrongCertificateError: the certificate is for another key.
            LockedError: the master key is locked.
        """
        identity = SigningIdentity(profile.msp_id, profile.certificate, private_key)
        if identity.subject != profile.subject:
            raise WrongCertificateError("the certificate is for another person")
        check_passphrase(passphrase)
        with self._turn:
            self._write(self._sealed(replace(profile, tries_left=TRIES), private_key, passphrase, keys.current))
        return identity

    def unlock(self, profile_id: str, passphrase: str, keys: MasterKeys) -> SigningIdentity:
        """Return the person's identity, ready to sign.

        The try is counted on disk before it is made, so that pulling the plug gives no free ones. (Whoever can put an
        old copy of the file back has tries without end; he also needs the key store, and then Argon2id stands alone.)

        Raises:
            WrongPinError: with the tries left.
            ProfileLockedError: this was the fifth, or an earlier one was: the wrapped key is deleted.
            ProfileTamperedError, UnknownProfileError: as they say.
            LockedError: the master key is locked.
        """
        with self._turn:
            stored, private_key = self._opened(profile_id, passphrase, keys)
        try:
            return SigningIdentity(stored.profile.msp_id, stored.profile.certificate, private_key)
        except WrongCertificateError:
            raise ProfileTamperedError from None

    def change_passphrase(self, profile_id: str, old: str, new: str, keys: MasterKeys) -> None:
        """Give a profile a new passphrase; a wrong old one counts as a try.

        Raises:
            WeakPinError: the new one is too short.
            ProfileError: as ``unlock``.
        """
        check_passphrase(new)
        with self._turn:
            stored, private_key = self._opened(profile_id, old, keys)
            self._write(self._sealed(stored.profile, private_key, new, keys.current))

    def renew(self, profile_id: str, certificate: bytes, keys: MasterKeys) -> None:
        """Take a renewed certificate for the same key (B6).

        Raises:
            WrongCertificateError: it is for another key.
            ProfileError: as ``unlock``, without a passphrase.
        """
        with self._turn:
            stored = self._read(self._path(profile_id))
            if key_hash_of(certificate) != stored.key_hash:
                raise WrongCertificateError("the certificate is for another key")
            master = keys.named(stored.key_id)
            pepper = open_pepper(stored, master)
            self._counted(
                replace(stored, profile=replace(stored.profile, certificate=certificate)),
                pepper,
                master,
                stored.profile.tries_left,
            )
            wipe(pepper)

    def remove(self, profile_id: str) -> None:
        """Forget a person and the wrapped key."""
        with self._turn:
            remove_private(self._path(profile_id))

    def rewrap(self, old: MasterKey, new: MasterKey) -> None:
        """See ``installation.Wrapped``: the peppers move, file by file, each in one durable step.

        Raises:
            ProfileTamperedError: a file was changed; the old key is then still needed and kept.
        """
        with self._turn:
            for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
                stored = self._read(path)
                if stored.key_id == old.key_id:
                    self._write(self._moved(stored, old, new))

    def _opened(
        self, profile_id: str, passphrase: str, keys: MasterKeys
    ) -> tuple[StoredProfile, ec.EllipticCurvePrivateKey]:
        """Make one try, counted before it is made."""
        stored = self._read(self._path(profile_id))
        if stored.profile.tries_left == 0:
            raise ProfileLockedError
        master = keys.named(stored.key_id)
        pepper = open_pepper(stored, master)
        try:
            counted = self._counted(stored, pepper, master, stored.profile.tries_left - 1)
            private_key = open_key(stored, pepper, passphrase)
            if private_key is None:
                raise self._wrong(counted, pepper, master)
            return self._counted(counted, pepper, master, TRIES), private_key
        finally:
            wipe(pepper)

    def _moved(self, stored: StoredProfile, old: MasterKey, new: MasterKey) -> StoredProfile:
        moved = replace(stored, key_id=new.key_id)
        old_key, new_key = old.purpose_key(Purpose.PROFILE), new.purpose_key(Purpose.PROFILE)
        try:
            pepper = unwrap(old_key, stored.pepper, stored.place())
            box = wrap(new_key, pepper, moved.place(), self._random)
            wipe(pepper)
        except UnwrapError:
            raise ProfileTamperedError from None
        finally:
            wipe(old_key, new_key)
        return replace(moved, pepper=box)

    def _wrong(self, counted: StoredProfile, pepper: bytearray, master: MasterKey) -> ProfileError:
        if counted.profile.tries_left > 0:
            return WrongPinError(counted.profile.tries_left)
        self._counted(replace(counted, box=b""), pepper, master, 0)
        return ProfileLockedError()

    def _counted(self, stored: StoredProfile, pepper: bytearray, master: MasterKey, tries_left: int) -> StoredProfile:
        """Write a profile with another number of tries, authenticated anew."""
        changed = replace(stored, profile=replace(stored.profile, tries_left=tries_left), key_id=master.key_id)
        key = master.purpose_key(Purpose.PROFILE)
        changed = replace(changed, pepper=wrap(key, pepper, changed.place(), self._random))
        wipe(key)
        self._write(changed)
        return changed

    def _sealed(
        self, profile: Profile, private_key: ec.EllipticCurvePrivateKey, passphrase: str, master: MasterKey
    ) -> StoredProfile:
        salt = self._random(SALT_BYTES)
        pepper = bytearray(self._random(KEY_BYTES))
        key_hash = key_hash_of(profile.certificate)
        wrapping = wrapping_key(pepper, passphrase, salt, self._stretching)
        raw = bytearray(
            private_key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        box = wrap(wrapping, raw, key_place(profile, key_hash), self._random)
        wipe(raw, wrapping)
        stored = StoredProfile(profile, master.key_id, key_hash, salt, self._stretching, b"", box)
        key = master.purpose_key(Purpose.PROFILE)
        stored = replace(stored, pepper=wrap(key, pepper, stored.place(), self._random))
        wipe(key, pepper)
        return stored

    def _path(self, profile_id: str) -> Path:
        if not profile_id.isascii() or not profile_id.replace(".", "").replace("-", "").replace("_", "").isalnum():
            raise UnknownProfileError("There is no such person on this machine.")
        return self._folder / f"{profile_id}{_SUFFIX}"

    def _read(self, path: Path) -> StoredProfile:
        try:
            stored = StoredProfile.from_bytes(read_private(path, _MAX_FILE))
        except FileNotFoundError:
            raise UnknownProfileError("There is no such person on this machine.") from None
        except ExposedFileError as error:
            raise ProfileTamperedError(str(error)) from None
        except (ContractError, ValueError, KeyError, TypeError):
            raise ProfileTamperedError from None
        if path.name != f"{stored.profile.profile_id}{_SUFFIX}":
            raise ProfileTamperedError
        return stored

    def _write(self, stored: StoredProfile) -> None:
        write_private(self._path(stored.profile.profile_id), stored.to_bytes())
