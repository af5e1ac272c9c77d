"""Which key store this machine uses: the system's, or a passphrase file where there is none (ATTACKS.md A26, A51)."""

from pathlib import Path
from typing import Final

from app.identity.installation import Installation as KeyInstallation
from app.identity.keystore import KeyStore, KeyStoreUnavailableError
from app.identity.os_keyring import open_keyring
from app.identity.passphrase_file import STORE_ID, PassphraseFile

WAIT: Final = 60
"""Seconds in which the desktop may ask the person to unlock the system's key store."""


class PassphraseNeededError(Exception):
    """There is no key store of the system here; a passphrase has to be typed.

    Attributes:
        is_new: none was chosen yet.
    """

    def __init__(self, *, is_new: bool) -> None:
        super().__init__("a passphrase is needed")
        self.is_new = is_new


def open_store(folder: Path, name: str, passphrase: str | None) -> KeyStore:
    """Return the key store of an installation; an installation that exists has no substitute for its own.

    Args:
        folder: of the installation; it may not exist yet.
        name: keeps the entries of two installations on one account apart.
        passphrase: what the person typed, or None.

    Raises:
        PassphraseNeededError: ask for it and call again.
        KeyStoreError: the store is closed, unfit, or the passphrase is wrong; the text says what to do.
    """
    file = folder.parent / f"{name}.keys"
    pinned = KeyInstallation(folder).store_id
    if pinned in {"", STORE_ID} and (passphrase is not None or pinned or file.exists()):
        if passphrase is None:
            raise PassphraseNeededError(is_new=not file.exists())
        return PassphraseFile.open(file, passphrase) if file.exists() else PassphraseFile.create(file, passphrase)
    try:
        return open_keyring(name, pinned, wait=WAIT)
    except KeyStoreUnavailableError:
        if pinned:
            raise
        raise PassphraseNeededError(is_new=True) from None
