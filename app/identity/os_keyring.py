"""The operating system's key store, through ``keyring``, but only one we name (FACTS.md, HOSTILE.md 29).

``keyring`` obeys ``PYTHON_KEYRING_BACKEND``, ``keyringrc.cfg`` and ``KEYRING_PROPERTY_*``: with the null backend
secrets are lost in silence, and ``keyring-path`` loads foreign code. So its choosing is never called: a backend is
imported by its own name from the list below, cleared of what the environment set, and tried before it is relied on.
"""

import base64
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, cast

from keyring.errors import KeyringLocked, PasswordDeleteError

from app.identity.keys import Random
from app.identity.keystore import (
    MAX_CHARACTERS,
    Entry,
    KeyStoreError,
    KeyStoreForgetfulError,
    KeyStoreLockedError,
    KeyStoreMismatchError,
    KeyStoreTooSmallError,
    KeyStoreUnavailableError,
    check_length,
)

_PROBE: Final = "probe"
_SHORT: Final = 8
_ENVIRONMENT: Final = "KEYRING_PROPERTY_"


class Backend(Protocol):
    """The part of ``keyring.backend.KeyringBackend`` that is used."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep an entry."""

    def delete_password(self, service: str, username: str) -> None:
        """Forget an entry."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A store that may be used.

    Attributes:
        store_id: kept with the installation, so that no other store is taken in its place later.
        title: its name on screens.
        make: loads it; raises anything when it does not exist here.
        refuse_locked: raises ``KeyStoreLockedError`` while it is closed, without ever asking on screen by itself; the
            argument says for how many seconds the desktop may ask the person to open it.
    """

    store_id: str
    title: str
    make: Callable[[], Backend]
    refuse_locked: Callable[[float], None]


def _named(module: str, name: str) -> Callable[[], Backend]:
    def make() -> Backend:
        found = getattr(importlib.import_module(f"keyring.backends.{module}"), name)
        float(found.priority)  # raises RuntimeError with the reason where the store is not usable
        backend = found()
        for variable in os.environ:
            if variable.startswith(_ENVIRONMENT):
                vars(backend).pop(variable.removeprefix(_ENVIRONMENT).lower(), None)
        return cast("Backend", backend)

    return make


def _secret_service(wait: float) -> None:
    from app.identity.secret_service import refuse_locked  # noqa: PLC0415 (secretstorage exists on Linux only)

    refuse_locked(wait)


def _asks_itself(_wait: float) -> None:
    """These stores ask for their own password when they are used."""


ALLOWED: Final = (
    Candidate("macos-keychain", "macOS Keychain", _named("macOS", "Keyring"), _asks_itself),
    Candidate("windows-credentials", "Windows Credential Manager", _named("Windows", "WinVaultKeyring"), _asks_itself),
    Candidate("secret-service", "Secret Service", _named("SecretService", "Keyring"), _secret_service),
    Candidate("libsecret", "Secret Service (libsecret)", _named("libsecret", "Keyring"), _asks_itself),
    Candidate("kwallet", "KWallet", _named("kwallet", "DBusKeyring"), _asks_itself),
)
"""Every store that is ever used, in the order they are tried on a first start."""


class KeyringStore:
    """Implements ``KeyStore`` on one backend."""

    def __init__(self, candidate: Candidate, backend: Backend, installation: str, wait: float = 0) -> None:
        """Use ``open_keyring``."""
        self._candidate: Final = candidate
        self._backend: Final = backend
        self._service: Final = f"assent-{installation}"
        self._wait: Final = wait

    @property
    def store_id(self) -> str:
        """See ``KeyStore``."""
        return self._candidate.store_id

    @property
    def title(self) -> str:
        """See ``KeyStore``."""
        return self._candidate.title

    def get(self, entry: Entry) -> str | None:
        """See ``KeyStore``."""
        return self._get(entry.value)

    def set(self, entry: Entry, value: str) -> None:
        """See ``KeyStore``."""
        check_length(value)
        self._set(entry.value, value)

    def delete(self, entry: Entry) -> None:
        """See ``KeyStore``."""
        self._delete(entry.value)

    def probe(self, random: Random = os.urandom) -> None:
        """Write, read, compare and delete the longest entry there can be.

        Raises:
            KeyStoreForgetfulError: it accepts and does not give back, or does not forget.
            KeyStoreTooSmallError: a short entry goes, the longest does not.
            KeyStoreUnavailableError, KeyStoreLockedError: as they say.
        """
        text = base64.b64encode(random(MAX_CHARACTERS)).decode()[:MAX_CHARACTERS]
        try:
            self._set(_PROBE, text)
        except KeyStoreUnavailableError as error:
            self._set(_PROBE, text[:_SHORT])
            self._delete(_PROBE)
            raise KeyStoreTooSmallError(
                f"{self.title} cannot hold {MAX_CHARACTERS} characters. Choose a passphrase instead."
            ) from error
        self._delete(_PROBE)
        if self._get(_PROBE) is not None:
            raise KeyStoreForgetfulError(f"{self.title} does not delete entries. Choose a passphrase instead.")

    def _get(self, name: str) -> str | None:
        return self._ask(lambda: self._backend.get_password(self._service, name))

    def _set(self, name: str, value: str) -> None:
        self._ask(lambda: self._backend.set_password(self._service, name, value))
        if self._get(name) != value:
            raise KeyStoreForgetfulError(
                f"{self.title} does not keep what it is given. No record is imported. Choose a passphrase instead."
            )

    def _delete(self, name: str) -> None:
        if self._get(name) is not None:
            self._ask(lambda: self._backend.delete_password(self._service, name))

    def _ask(self, question: Callable[[], "str | None"]) -> str | None:
        """Put one question; a store that fails is unavailable, never empty. Each raises its platform's exceptions."""
        try:
            self._candidate.refuse_locked(self._wait)
            return question()
        except KeyStoreError:
            raise
        except KeyringLocked:
            raise KeyStoreLockedError("Your key store is locked. Unlock it and try again.") from None
        except PasswordDeleteError as error:
            raise KeyStoreUnavailableError(f"{self.title} refuses to delete an entry: {error}") from error
        except Exception as error:
            raise KeyStoreUnavailableError(
                f"{self.title} does not answer ({type(error).__name__}). Start it and try again."
            ) from error


def open_keyring(
    installation: str,
    pinned: str = "",
    *,
    wait: float = 0,
    candidates: Iterable[Candidate] = ALLOWED,
    random: Random = os.urandom,
) -> KeyringStore:
    """Return the operating system's key store, tried by write, read, compare, delete.

    Args:
        installation: keeps the entries of two installations on one account apart.
        pinned: ``store_id`` of an installation that exists; empty on a first start. A pinned store has no substitute.
        wait: seconds for which the desktop may ask the person to unlock it; 0 does not ask.
        candidates: the allow-list.
        random: for the probe.

    Raises:
        KeyStoreUnavailableError: no allowed store works here; choose a passphrase instead.
        KeyStoreLockedError, KeyStoreForgetfulError, KeyStoreTooSmallError: the store here is closed or unfit.
        KeyStoreMismatchError: ``pinned`` is not on the list.
    """
    allowed = list(candidates)
    if pinned and pinned not in {candidate.store_id for candidate in allowed}:
        raise KeyStoreMismatchError(f'This installation keeps its keys in "{pinned}", which Assent does not use.')
    for candidate in allowed:
        if pinned not in {"", candidate.store_id}:
            continue
        try:
            backend = candidate.make()
        except Exception:  # noqa: BLE001, S112 (a store of another platform fails in that platform's way; next one)
            continue
        store = KeyringStore(candidate, backend, installation, wait)
        store.probe(random)
        return store
    if pinned:
        title = next(candidate.title for candidate in allowed if candidate.store_id == pinned)
        raise KeyStoreUnavailableError(
            f"This installation keeps its keys in {title}, which does not answer here. Start it and try again."
        )
    raise KeyStoreUnavailableError(
        f"No key store was found on this {sys.platform} machine. Choose a passphrase instead. "
        "Assent never stores keys unprotected."
    )
