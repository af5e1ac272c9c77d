"""Which key store an installation uses, its master key, and the replacing of that key (PROTOCOL.md F).

A small file beside the data names the store and the master key (by an id that tells nothing), so that a store that is
absent, empty or another's is noticed: a new key is made only where no installation exists.

Replacing the master key is safe wherever a crash comes, because the store holds old and new together until all is
wrapped anew: (1) the file names both, (2) the store holds both, (3) each part wraps anew in one durable step, (4) the
store holds the new one only, (5) the file names the new one only. What is opened in between says by its key id
which of the two it needs, and the next start goes on at (3).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from app.identity.keys import MasterKey, Random
from app.identity.keystore import (
    Entry,
    KeyStore,
    KeyStoreDamagedError,
    KeyStoreForgetfulError,
    KeyStoreMismatchError,
)
from app.identity.private_files import ExposedFileError, make_private_folder, read_private, write_private
from ledger.contract.canonical import decode_object, encode
from ledger.contract.errors import ContractError

_FILE: Final = "key-store.json"
_MAX_FILE: Final = 4096
_KEYS_TEXT: Final = 2  # the new one after the old one


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The master key, and during a replacement the one that takes its place.

    Attributes:
        current: what new wrapping uses.
        previous: what some parts may still be wrapped under; None outside a replacement.
    """

    current: MasterKey
    previous: MasterKey | None = None

    def named(self, key_id: str) -> MasterKey:
        """Return the key that a part is wrapped under.

        Raises:
            KeyStoreMismatchError: the part belongs to another installation or an older backup.
        """
        for key in (self.current, self.previous):
            if key is not None and key.key_id == key_id:
                return key
        raise KeyStoreMismatchError(
            "This is wrapped under another master key. Restore the key store that belongs to it."
        )

    def lock(self) -> None:
        """Overwrite the keys."""
        self.current.lock()
        if self.previous is not None:
            self.previous.lock()


class Wrapped(Protocol):
    """A part of the installation that holds things wrapped under the master key: profiles, the custodian's vault."""

    def rewrap(self, old: MasterKey, new: MasterKey) -> None:
        """Wrap everything anew, durably; what is under ``new`` already stays. Called again after a crash."""


class Installation:
    """The folder of one installation, as far as its keys are concerned."""

    def __init__(self, folder: Path) -> None:
        """Look at ``folder``; nothing is made before ``open``."""
        self.folder: Final = folder

    @property
    def store_id(self) -> str:
        """The store that holds this installation's master key; empty if there is no installation yet.

        Raises:
            KeyStoreDamagedError: the file that says so is damaged or exposed.
        """
        choice = self._find()
        return choice.store_id if choice else ""

    def open(self, store: KeyStore, random: Random = os.urandom) -> MasterKeys:
        """Return the master key; only a first start makes one.

        Raises:
            KeyStoreMismatchError: another store, or one that holds another key.
            KeyStoreForgetfulError: the store has lost the key.
            KeyStoreDamagedError: the installation's file is damaged or exposed.
            KeyStoreError: the store's own errors.
        """
        choice = self._find()
        if choice is None:
            return self._create(store, random)
        if choice.store_id != store.store_id:
            raise KeyStoreMismatchError(f'This installation keeps its keys in "{choice.store_id}". Open that one.')
        text = store.get(Entry.MASTER_KEY)
        if text is None:
            raise KeyStoreForgetfulError(
                f"The master key is no longer in {store.title}. Restore the key store or use the recovery file; "
                "nothing is lost until then."
            )
        keys = _read_keys(text)
        if keys.current.key_id not in choice.key_ids:
            raise KeyStoreMismatchError(f"{store.title} holds the key of another installation. Open the right one.")
        return keys

    def replace_master_key(self, store: KeyStore, parts: Iterable[Wrapped], random: Random = os.urandom) -> MasterKeys:
        """Replace the master key, or finish a replacement that a crash interrupted; returns the new key.

        The caller then locks the keys it had.

        Raises:
            KeyStoreError: the store fails; nothing is lost, call again.
        """
        keys = self.open(store, random)
        if keys.previous is None:
            old, new = keys.current, MasterKey.generate(random)
            self._write(_Choice(store.store_id, (old.key_id, new.key_id)))
            store.set(Entry.MASTER_KEY, f"{old.to_text()} {new.to_text()}")
        else:
            old, new = keys.previous, keys.current
        for part in parts:
            part.rewrap(old, new)
        store.set(Entry.MASTER_KEY, new.to_text())
        self._write(_Choice(store.store_id, (new.key_id,)))
        old.lock()
        return MasterKeys(new)

    def _create(self, store: KeyStore, random: Random) -> MasterKeys:
        make_private_folder(self.folder)
        text = store.get(Entry.MASTER_KEY)
        if text is None:  # a key from an interrupted first start, or of a folder that was lost, is never overwritten
            text = MasterKey.generate(random).to_text()
            store.set(Entry.MASTER_KEY, text)
        keys = _read_keys(text)
        ids = [key.key_id for key in (keys.current, keys.previous) if key is not None]
        self._write(_Choice(store.store_id, tuple(ids)))
        return keys

    def _find(self) -> "_Choice | None":
        path = self.folder / _FILE
        try:
            return _Choice.from_bytes(read_private(path, _MAX_FILE))
        except FileNotFoundError:
            return None
        except (ContractError, ValueError, KeyError):
            raise KeyStoreDamagedError(f"{path} is damaged. Restore it from a backup.") from None
        except ExposedFileError as error:
            raise KeyStoreDamagedError(str(error)) from None

    def _write(self, choice: "_Choice") -> None:
        write_private(self.folder / _FILE, choice.to_bytes())


@dataclass(frozen=True, slots=True)
class _Choice:
    store_id: str
    key_ids: tuple[str, ...]

    def to_bytes(self) -> bytes:
        return encode({"type": "key-store-choice", "v": 1, "store": self.store_id, "keys": list(self.key_ids)})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        value = decode_object(untrusted)
        ids = value["keys"]
        if (value["type"], value["v"]) != ("key-store-choice", 1) or not isinstance(ids, list):
            raise ValueError("another form")
        return cls(str(value["store"]), tuple(str(key_id) for key_id in ids))


def _read_keys(text: str) -> MasterKeys:
    """Read "key" or, during a replacement, "old new"."""
    try:
        keys = [MasterKey.from_text(part) for part in text.split(" ")]
    except ValueError:
        keys = []
    if len(keys) == 1:
        return MasterKeys(keys[0])
    if len(keys) == _KEYS_TEXT:
        return MasterKeys(current=keys[1], previous=keys[0])
    raise KeyStoreMismatchError("The master key in the key store cannot be read. Restore the key store.")
