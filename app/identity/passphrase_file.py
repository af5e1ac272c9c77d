"""A key store in one file under a passphrase, for machines without one of their own and services (ATTACKS.md A51)."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from app.identity.keys import Random, wipe
from app.identity.keystore import (
    Entry,
    KeyStoreDamagedError,
    KeyStoreForgetfulError,
    KeyStoreLockedError,
    KeyStoreUnavailableError,
    KeyStoreWrongPasswordError,
    check_length,
)
from app.identity.passphrases import MAX_FILE, DamagedFileError, PassphraseKey, WrongPassphraseError
from app.identity.pins import VAULT, Stretching
from app.identity.private_files import ExposedFileError, make_private_folder, read_private, write_private
from ledger.contract.canonical import decode_object, encode
from ledger.contract.errors import ContractError

STORE_ID: Final = "passphrase-file"
_KIND: Final = "key-store"


class PassphraseFile:
    """Implements ``KeyStore``. The stretched passphrase stays in memory until ``lock``, the entries do not."""

    def __init__(self, path: Path, key: PassphraseKey, random: Random = os.urandom) -> None:
        """Use ``create`` or ``open``."""
        self._path: Final = path
        self._random: Final = random
        self._key: PassphraseKey | None = key
        self._turn: Final = threading.Lock()

    @classmethod
    def create(cls, path: Path, passphrase: str, stretching: Stretching = VAULT, random: Random = os.urandom) -> Self:
        """Make an empty store.

        Raises:
            WeakPinError: the passphrase is too short.
            KeyStoreDamagedError: there is a file already: it may hold the only master key and is never replaced.
        """
        if path.exists() or path.is_symlink():
            raise KeyStoreDamagedError(f"{path} exists already. Open it with its passphrase.")
        make_private_folder(path.parent)
        store = cls(path, PassphraseKey.choose(passphrase, _KIND, stretching, random), random)
        store._write({})
        return store

    @classmethod
    def open(cls, path: Path, passphrase: str, random: Random = os.urandom) -> Self:
        """Open the store of an earlier start; takes about as long as ``Stretching`` says on purpose.

        Raises:
            KeyStoreUnavailableError: no file.
            KeyStoreWrongPasswordError: not its passphrase, or changed content.
            KeyStoreDamagedError: not such a file, or others can reach it.
        """
        with _told_plainly(path):
            key, content = PassphraseKey.open(read_private(path, MAX_FILE), passphrase, _KIND)
        wipe(content)
        return cls(path, key, random)

    @property
    def store_id(self) -> str:
        """See ``KeyStore``."""
        return STORE_ID

    @property
    def title(self) -> str:
        """See ``KeyStore``."""
        return "a passphrase file"

    def get(self, entry: Entry) -> str | None:
        """See ``KeyStore``."""
        with self._turn:
            return self._read().get(entry)

    def set(self, entry: Entry, value: str) -> None:
        """See ``KeyStore``."""
        check_length(value)
        with self._turn:
            self._write({**self._read(), entry.value: value})

    def delete(self, entry: Entry) -> None:
        """See ``KeyStore``."""
        with self._turn:
            entries = self._read()
            if entries.pop(entry.value, None) is not None:
                self._write(entries)

    def lock(self) -> None:
        """Overwrite the stretched passphrase; the store then has to be opened again."""
        with self._turn:
            if self._key is not None:
                self._key.lock()
            self._key = None

    def change_passphrase(self, passphrase: str) -> None:
        """Seal the same entries under a new passphrase, in one atomic step.

        Raises:
            WeakPinError: too short.
        """
        with self._turn:
            old = self._alive()
            entries = self._read()
            self._key = PassphraseKey.choose(passphrase, _KIND, old.stretching, self._random)
            try:
                self._write(entries)
            except BaseException:
                self._key.lock()
                self._key = old
                raise
            old.lock()

    def _alive(self) -> PassphraseKey:
        if self._key is None:
            raise KeyStoreLockedError("The key store is locked. Enter its passphrase.")
        return self._key

    def _read(self) -> dict[str, str]:
        key = self._alive()
        with _told_plainly(self._path):
            return _entries(key.open_again(read_private(self._path, MAX_FILE)))

    def _write(self, entries: dict[str, str]) -> None:
        content = bytearray(encode(entries))
        try:
            write_private(self._path, self._alive().seal(content, self._random))
        except OSError as error:
            raise KeyStoreUnavailableError(
                f"{self._path} cannot be written: {error.strerror}. Make room for it, then try again."
            ) from error
        finally:
            wipe(content)
        if self._read() != entries:
            raise KeyStoreForgetfulError(f"{self._path} does not keep what is written. Use another disk.")


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    """Turn what can be wrong with the file into the key store's errors."""
    try:
        yield
    except WrongPassphraseError as error:
        raise KeyStoreWrongPasswordError(str(error)) from None
    except (DamagedFileError, ExposedFileError) as error:
        raise KeyStoreDamagedError(str(error)) from None
    except OSError as error:
        raise KeyStoreUnavailableError(
            f"{path} cannot be read: {error.strerror}. Bring it back, then try again."
        ) from error


def _entries(content: bytearray) -> dict[str, str]:
    try:
        value = decode_object(bytes(content))
    except ContractError:
        raise DamagedFileError("The key store file holds something else. Restore it from its backup.") from None
    finally:
        wipe(content)
    return {name: text for name, text in value.items() if isinstance(text, str)}
