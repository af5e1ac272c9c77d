"""Whether the Linux desktop's key store is open: asked before every use, because the backend would wait without end."""

from contextlib import closing

import secretstorage
from secretstorage.exceptions import ItemNotFoundException

from app.identity.keystore import KeyStoreLockedError, KeyStoreUnavailableError


def refuse_locked(wait: float) -> None:
    """Pass only while the default collection is open.

    Args:
        wait: seconds for which the desktop may ask the person to unlock it; 0 does not ask.

    Raises:
        KeyStoreLockedError: it is closed, or the person dismissed the question.
        KeyStoreUnavailableError: there is no default collection.
    """
    with closing(secretstorage.dbus_init()) as connection:
        try:
            collection = secretstorage.Collection(connection, "/org/freedesktop/secrets/aliases/default")
            locked = collection.is_locked()
        except ItemNotFoundException:
            raise KeyStoreUnavailableError(
                "Secret Service has no default keyring. Create one in your desktop's password application, or choose a "
                "passphrase instead."
            ) from None
        if locked and wait > 0:
            try:
                locked = collection.unlock(timeout=wait)
            except TimeoutError:
                locked = True
        if locked:
            raise KeyStoreLockedError("Your key store is locked. Unlock it and try again.")
