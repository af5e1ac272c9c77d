"""The key store: where the master key is, outside every file of ours, and what can be wrong with one (PROTOCOL.md F).

Three short entries, because Windows holds 1,280 characters in one (CASES.md 10). Unavailable is not wrong is not empty:
each has its own error, and no error ever leads to a new key in place of one that may still exist.
"""

from enum import StrEnum
from typing import Final, Protocol

MAX_CHARACTERS: Final = 200


class Entry(StrEnum):
    """All that is ever kept in a key store."""

    MASTER_KEY = "master-key"
    LEDGER_HEAD = "ledger-head"
    CACHE_HASH = "cache-hash"


class KeyStoreError(Exception):
    """Keys cannot be read or kept. The text is fit for the screen and says what to do."""


class KeyStoreUnavailableError(KeyStoreError):
    """The store does not answer, or there is none. Says nothing about what it holds."""


class KeyStoreLockedError(KeyStoreError):
    """The store is there, and closed."""


class KeyStoreWrongPasswordError(KeyStoreError):
    """The store is there, and the password or passphrase given does not open it."""


class KeyStoreForgetfulError(KeyStoreError):
    """The store accepted an entry and does not give it back."""


class KeyStoreTooSmallError(KeyStoreError):
    """The store cannot hold an entry of ``MAX_CHARACTERS``, or an entry is longer than that."""


class KeyStoreDamagedError(KeyStoreError):
    """The store's file is damaged or exposed to others."""


class KeyStoreMismatchError(KeyStoreError):
    """The store is another than the one this installation was made with, or holds another master key."""


class KeyStore(Protocol):
    """At most three short entries, kept by the operating system or in a file under a passphrase.

    Every method may raise any ``KeyStoreError``.
    """

    @property
    def store_id(self) -> str:
        """Which store this is, to recognise it at the next start: ``secret-service``, ``passphrase-file``."""

    @property
    def title(self) -> str:
        """The store's name on screens, for example "Secret Service"."""

    def get(self, entry: Entry) -> str | None:
        """Return an entry, or None if it is certain that the store has none."""

    def set(self, entry: Entry, value: str) -> None:
        """Keep an entry, replacing an older one; returns only when it was read back equal."""

    def delete(self, entry: Entry) -> None:
        """Forget an entry; a missing one is no error."""


def check_length(value: str) -> None:
    """Refuse an entry that some store could not hold.

    Raises:
        KeyStoreTooSmallError: longer than ``MAX_CHARACTERS``.
    """
    if len(value) > MAX_CHARACTERS:
        raise KeyStoreTooSmallError(f"A key store entry has at most {MAX_CHARACTERS} characters.")
