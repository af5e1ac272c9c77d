"""Secrets in a file under a passphrase alone: the CA root that is kept offline, and the key store's fallback (A51).

The file says how the passphrase is stretched; these settings are bound to the content, so that weaker ones cannot be
planted, and bounded, so that a foreign file cannot exhaust the machine (HOSTILE.md 28).
"""

import os
from dataclasses import dataclass, field
from typing import Final, Self

from app.identity.keys import Random, UnwrapError, unwrap, wipe, wrap
from app.identity.pins import SALT_BYTES, VAULT, Stretching, check_passphrase, stretch
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.encoding import from_base64, to_base64

MAX_FILE: Final = 64 * 1024
_VERSION: Final = 1


class WrongPassphraseError(Exception):
    """The content does not open: another passphrase, or changed bytes; which cannot be told apart."""

    def __init__(self) -> None:
        super().__init__(
            "That was not the passphrase. If you are sure of it, the file was changed: restore its backup."
        )


class DamagedFileError(Exception):
    """The file is not one of this kind; the text says what to do."""


@dataclass(frozen=True, slots=True)
class PassphraseKey:
    """A stretched passphrase with what is needed to stretch it again.

    Attributes:
        kind: what the file holds, for example ``authority-root``; a file of one kind does not open as another.
        salt: 16 random bytes.
        stretching: how much work one guess costs.
        key: the stretched passphrase; ``lock`` overwrites it.
    """

    kind: str
    salt: bytes
    stretching: Stretching
    key: bytearray = field(repr=False)

    @classmethod
    def choose(cls, passphrase: str, kind: str, stretching: Stretching = VAULT, random: Random = os.urandom) -> Self:
        """Stretch a new passphrase.

        Raises:
            WeakPinError: too short.
        """
        check_passphrase(passphrase)
        salt = random(SALT_BYTES)
        return cls(kind, salt, stretching, stretch(passphrase, salt, stretching))

    @classmethod
    def open(cls, untrusted_file: bytes, passphrase: str, kind: str) -> tuple[Self, bytearray]:
        """Return the key of a sealed file, and its content.

        Raises:
            DamagedFileError: not a file of this kind.
            WrongPassphraseError: another passphrase, or changed content.
        """
        salt, stretching, box = _read(untrusted_file, kind)
        key = cls(kind, salt, stretching, stretch(passphrase, salt, stretching))
        try:
            return key, unwrap(key.key, box, _place(kind, salt, stretching))
        except UnwrapError:
            key.lock()
            raise WrongPassphraseError from None

    def open_again(self, untrusted_file: bytes) -> bytearray:
        """Return the content of the same file, without the work of stretching.

        Raises:
            DamagedFileError: not a file of this kind.
            WrongPassphraseError: another file, or changed content.
        """
        salt, stretching, box = _read(untrusted_file, self.kind)
        try:
            return unwrap(self.key, box, _place(self.kind, salt, stretching))
        except UnwrapError:
            raise WrongPassphraseError from None

    def seal(self, content: bytes | bytearray, random: Random = os.urandom) -> bytes:
        """Return the file's bytes."""
        box = wrap(self.key, content, _place(self.kind, self.salt, self.stretching), random)
        return encode({**_head(self.kind, self.salt, self.stretching), "box": to_base64(box)})

    def lock(self) -> None:
        """Overwrite the key."""
        wipe(self.key)


def seal(
    content: bytes | bytearray,
    passphrase: str,
    kind: str,
    stretching: Stretching = VAULT,
    random: Random = os.urandom,
) -> bytes:
    """Return ``content`` sealed under a new passphrase, as a file's bytes.

    Raises:
        WeakPinError: the passphrase is too short.
    """
    key = PassphraseKey.choose(passphrase, kind, stretching, random)
    try:
        return key.seal(content, random)
    finally:
        key.lock()


def unseal(untrusted_file: bytes, passphrase: str, kind: str) -> bytearray:
    """Return what ``seal`` sealed, in memory that the caller can wipe.

    Raises:
        DamagedFileError: not a file of this kind.
        WrongPassphraseError: another passphrase, or changed content.
    """
    key, content = PassphraseKey.open(untrusted_file, passphrase, kind)
    key.lock()
    return content


def _read(untrusted_file: bytes, kind: str) -> tuple[bytes, Stretching, bytes]:
    damaged = DamagedFileError(f"This is not an undamaged {kind} file. Restore it from its backup.")
    if len(untrusted_file) > MAX_FILE:
        raise damaged
    try:
        value = decode_object(untrusted_file)
        if set(value) != {"type", "v", "salt", "stretching", "box"} or (value["type"], value["v"]) != (kind, _VERSION):
            raise damaged
        salt, box = (from_base64(str(value[name])) for name in ("salt", "box"))
        stretching = Stretching.from_wire(value["stretching"])
    except (ContractError, ValueError):
        raise damaged from None
    if len(salt) != SALT_BYTES:
        raise damaged
    return salt, stretching, box


def _head(kind: str, salt: bytes, stretching: Stretching) -> dict[str, Json]:
    return {
        "type": kind,
        "v": _VERSION,
        "salt": to_base64(salt),
        "stretching": stretching.to_wire(),
    }


def _place(kind: str, salt: bytes, stretching: Stretching) -> bytes:
    return encode(_head(kind, salt, stretching))
