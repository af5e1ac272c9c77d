"""Keys at rest: one master key, one derived key per purpose, authenticated wrapping, overwriting (PROTOCOL.md F).

The master key is in the key store only; what lies in files is wrapped by a key derived from it for one purpose, bound
by associated data to the place it belongs to. Python cannot promise that no copy stays in memory; what can be
overwritten (every ``bytearray`` here) is, and ``hardening`` keeps the rest out of core files and other processes.
"""

import os
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.encoding import from_base64, to_base64

Random = Callable[[int], bytes]
"""Returns that many unpredictable bytes: ``os.urandom`` except in tests of known answers."""

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class LockedError(Exception):
    """The key was wiped; its owner has to unlock it again."""


class UnwrapError(Exception):
    """The box does not open: another key, another place (associated data), or changed bytes; which cannot be known."""


class WeakKeyError(ValueError):
    """A public key that is no use as one: wrong length, not on the curve, or of low order."""


class Purpose(StrEnum):
    """What a derived key wraps (PROTOCOL.md F). A key of one purpose never opens a box of another."""

    VAULT = "assent/vault/1"
    TAGS = "assent/tags/1"
    SHARES = "assent/shares/1"
    SERVICE = "assent/service/1"
    MAILBOX = "assent/mailbox/1"
    PROFILE = "assent/profile/1"


_KEY_ID_INFO: Final = b"assent/key-id/1"


def wipe(*secrets: bytearray) -> None:
    """Overwrite secrets in place."""
    for secret in secrets:
        secret[:] = bytes(len(secret))


def derive(secret: bytes | bytearray, info: bytes, length: int = KEY_BYTES) -> bytearray:
    """Return HKDF-SHA256 of ``secret`` without salt, in memory that can be overwritten."""
    okm = bytearray(length)
    HKDF(SHA256(), length, None, info).derive_into(secret, okm)
    return okm


class MasterKey:
    """The one secret of an installation from which every wrapping key comes."""

    __slots__ = ("_secret", "key_id")

    def __init__(self, secret: bytes | bytearray) -> None:
        """Take 32 random bytes.

        Raises:
            ValueError: it is not 32 bytes.
        """
        if len(secret) != KEY_BYTES:
            raise ValueError("a master key has 32 bytes")
        self._secret = bytearray(secret)
        self.key_id: Final = derive(secret, _KEY_ID_INFO, 8).hex()
        """Names the key without telling anything about it: 16 hex digits."""

    @classmethod
    def generate(cls, random: Random = os.urandom) -> Self:
        """Make a new master key."""
        return cls(random(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the 44 characters of ``to_text``.

        Raises:
            ValueError: they are something else.
        """
        return cls(from_base64(text))

    def to_text(self) -> str:
        """Return 44 characters of base64, for the key store only."""
        return to_base64(bytes(self._alive()))

    def purpose_key(self, purpose: Purpose) -> bytearray:
        """Return the 32-byte key for one purpose; the caller wipes it when done.

        Raises:
            LockedError: the master key was wiped.
        """
        return derive(self._alive(), purpose.value.encode())

    def lock(self) -> None:
        """Overwrite the key."""
        wipe(self._secret)
        self._secret = bytearray()

    @property
    def is_locked(self) -> bool:
        """Tell whether the key was wiped."""
        return not self._secret

    def _alive(self) -> bytearray:
        if not self._secret:
            raise LockedError("the master key is locked")
        return self._secret


def wrap(key: bytes | bytearray, plaintext: bytes | bytearray, aad: bytes, random: Random = os.urandom) -> bytes:
    """Seal ``plaintext`` with AES-256-GCM to the place ``aad`` names: nonce (12 bytes), ciphertext, tag (16)."""
    nonce = random(NONCE_BYTES)
    return nonce + AESGCM(_key(key)).encrypt(nonce, plaintext, aad)


def unwrap(key: bytes | bytearray, box: bytes, aad: bytes) -> bytearray:
    """Open what ``wrap`` sealed, into memory that the caller can wipe.

    Raises:
        UnwrapError: another key, another place, or changed bytes.
    """
    if len(box) < NONCE_BYTES + TAG_BYTES:
        raise UnwrapError("too short to be a wrapped key")
    plaintext = bytearray(len(box) - NONCE_BYTES - TAG_BYTES)
    try:
        AESGCM(_key(key)).decrypt_into(box[:NONCE_BYTES], box[NONCE_BYTES:], aad, plaintext)
    except InvalidTag:
        wipe(plaintext)
        raise UnwrapError("the wrapped key does not open") from None
    return plaintext


def rewrap(
    old: bytes | bytearray, new: bytes | bytearray, box: bytes, aad: bytes, random: Random = os.urandom
) -> bytes:
    """Move a box from one key to another; the plaintext is overwritten at once.

    Raises:
        UnwrapError: ``old`` does not open it.
    """
    plaintext = unwrap(old, box, aad)
    try:
        return wrap(new, plaintext, aad, random)
    finally:
        wipe(plaintext)


def sealing_key(untrusted_raw: bytes) -> X25519PublicKey:
    """Return a foreign X25519 public key that is safe to seal to.

    A point of low order makes the shared secret zero for every private key, so that anybody could open what is sealed
    (HOSTILE.md 27; RFC 7748 section 6.1 asks for this check).

    Raises:
        WeakKeyError: wrong length or low order.
    """
    try:
        key = X25519PublicKey.from_public_bytes(untrusted_raw)
        X25519PrivateKey.generate().exchange(key)
    except ValueError:
        raise WeakKeyError("not a usable X25519 key") from None
    return key


def _key(key: bytes | bytearray) -> bytes | bytearray:
    if len(key) != KEY_BYTES:
        raise ValueError("a wrapping key has 32 bytes: AES-256")
    return key
