"""PINs and passphrases: which are accepted, how they are stretched and verified (ATTACKS.md A27, A51)."""

import os
import unicodedata
from dataclasses import dataclass, field
from hmac import compare_digest
from itertools import pairwise
from typing import Final, Self

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from app.identity.keys import KEY_BYTES, Random, wipe
from ledger.contract.canonical import Json
from ledger.encoding import from_base64, to_base64

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 256
SALT_BYTES: Final = 16
_MAX_MEMORY_KIB: Final = 1024 * 1024
_MAX_ITERATIONS: Final = 16
_MAX_LANES: Final = 16


class WeakPinError(ValueError):
    """A PIN or passphrase that is refused when it is chosen; the text says why and is fit for the screen."""


@dataclass(frozen=True, slots=True)
class Stretching:
    """How much work one guess costs (Argon2id, RFC 9106).

    Attributes:
        memory_kib: memory in KiB.
        iterations: passes over it.
        lanes: parallel lanes.
    """

    memory_kib: int
    iterations: int
    lanes: int

    def __post_init__(self) -> None:
        """Refuse settings from a foreign file that would hang or crash this machine (HOSTILE.md 28)."""
        within = (
            8 * self.lanes <= self.memory_kib <= _MAX_MEMORY_KIB
            and 1 <= self.iterations <= _MAX_ITERATIONS
            and 1 <= self.lanes <= _MAX_LANES
        )
        if not within:
            raise ValueError("Argon2id settings out of range")

    def to_wire(self) -> dict[str, Json]:
        """Return the settings as canonical members."""
        return {"memory_kib": self.memory_kib, "iterations": self.iterations, "lanes": self.lanes}

    @classmethod
    def from_wire(cls, untrusted: object) -> Self:
        """Read ``to_wire``.

        Raises:
            ValueError: another form, or out of range.
        """
        names = ("memory_kib", "iterations", "lanes")
        if not isinstance(untrusted, dict) or sorted(untrusted) != sorted(names):
            raise ValueError("not Argon2id settings")
        values = [untrusted[name] for name in names]
        if not all(type(value) is int for value in values):
            raise ValueError("not Argon2id settings")
        return cls(*values)


VAULT: Final = Stretching(memory_kib=256 * 1024, iterations=3, lanes=4)
"""For what guards the master key or a CA root by a passphrase alone (PROTOCOL.md F)."""

PERSON: Final = Stretching(memory_kib=64 * 1024, iterations=3, lanes=4)
"""For profiles and card PINs, where a second secret is needed too and tries are counted (RFC 9106's second choice)."""


def check_passphrase(passphrase: str) -> None:
    """Accept a passphrase of 8 to 256 characters ("PIN" on screens means either; screens (a)).

    Raises:
        WeakPinError: too short, too long, or one character repeated.
    """
    if not MIN_LENGTH <= len(passphrase) <= MAX_LENGTH:
        raise WeakPinError(f"Choose at least {MIN_LENGTH} characters, and no more than {MAX_LENGTH}.")
    if len(set(passphrase)) == 1:
        raise WeakPinError("Choose more than one character repeated.")
    if any(unicodedata.category(letter) == "Cs" for letter in passphrase):
        raise WeakPinError("Choose letters, digits and signs that can be written.")


def check_pin(pin: str) -> None:
    """Accept a card PIN: at least 8 of the digits 0 to 9, not one digit repeated, not a straight run.

    Five tries stand between a copied card and the patient's signature (A27), so what everyone guesses first is refused.

    Raises:
        WeakPinError: with the reason.
    """
    if not (pin.isascii() and pin.isdigit()):
        raise WeakPinError("A card PIN has digits only.")
    check_passphrase(pin)
    steps = {(int(right) - int(left)) % 10 for left, right in pairwise(pin)}
    if steps in ({1}, {9}):
        raise WeakPinError("Choose a PIN that is not a straight run of digits.")


def stretch(passphrase: str, salt: bytes, stretching: Stretching) -> bytearray:
    """Return 32 bytes of Argon2id; the same passphrase typed on another keyboard gives the same bytes (NFKC).

    Raises:
        ValueError: the passphrase cannot be encoded or the salt is not 16 bytes.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 16 bytes")
    key = bytearray(KEY_BYTES)
    Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=stretching.iterations,
        lanes=stretching.lanes,
        memory_cost=stretching.memory_kib,
    ).derive_into(unicodedata.normalize("NFKC", passphrase).encode(), key)
    return key


@dataclass(frozen=True, slots=True)
class PinVerifier:
    """Tells a right PIN from a wrong one without holding it. Counting the tries is the custodian's part.

    Attributes:
        salt: 16 random bytes.
        digest: Argon2id of the PIN.
        stretching: how it was made.
    """

    salt: bytes
    digest: bytes = field(repr=False)
    stretching: Stretching

    @classmethod
    def make(cls, pin: str, stretching: Stretching = PERSON, random: Random = os.urandom) -> Self:
        """Accept a new card PIN.

        Raises:
            WeakPinError: see ``check_pin``.
        """
        check_pin(pin)
        salt = random(SALT_BYTES)
        return cls(salt, bytes(stretch(pin, salt, stretching)), stretching)

    def is_right(self, untrusted_pin: str) -> bool:
        """Compare in constant time; what cannot be a PIN is wrong after the same work."""
        usable = untrusted_pin if len(untrusted_pin) <= MAX_LENGTH and untrusted_pin.isascii() else ""
        digest = stretch(usable, self.salt, self.stretching)
        try:
            return compare_digest(digest, self.digest)
        finally:
            wipe(digest)

    def to_wire(self) -> dict[str, Json]:
        """Return canonical members; the custodian wraps them before they are stored."""
        return {
            "salt": to_base64(self.salt),
            "digest": to_base64(self.digest),
            "stretching": self.stretching.to_wire(),
        }

    @classmethod
    def from_wire(cls, untrusted: object) -> Self:
        """Read ``to_wire``.

        Raises:
            ValueError: another form.
        """
        if not isinstance(untrusted, dict) or set(untrusted) != {"salt", "digest", "stretching"}:
            raise ValueError("not a PIN verifier")
        salt, digest = (from_base64(str(untrusted[name])) for name in ("salt", "digest"))
        if len(salt) != SALT_BYTES or len(digest) != KEY_BYTES:
            raise ValueError("not a PIN verifier")
        return cls(salt, digest, Stretching.from_wire(untrusted["stretching"]))
