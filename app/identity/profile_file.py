"""What a profile's file says, and the two boxes in it (ATTACKS.md A26)."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.identity.keys import MasterKey, Purpose, UnwrapError, derive, unwrap, wipe
from app.identity.pins import Stretching, stretch
from app.identity.signing import WrongCertificateError
from ledger.contract.canonical import Json, decode_object, encode
from ledger.encoding import from_base64, to_base64
from ledger.signatures import spki

TRIES: Final = 5


class ProfileError(Exception):
    """A person cannot be signed in. The text is fit for the screen."""


class WrongPinError(ProfileError):
    """Not the person's PIN or passphrase.

    Attributes:
        tries_left: at least 1.
    """

    def __init__(self, tries_left: int) -> None:
        tries = "1 try" if tries_left == 1 else f"{tries_left} tries"
        super().__init__(f"That was not your PIN. {tries} left.")
        self.tries_left = tries_left


class ProfileLockedError(ProfileError):
    """Five wrong tries: the key is gone from this machine."""

    def __init__(self) -> None:
        super().__init__("Too many tries. Ask a registrar to enrol you with a new key.")


class ProfileTamperedError(ProfileError):
    """The profile's file was changed by something else than Assent, or others can reach it."""

    def __init__(self, text: str = "") -> None:
        super().__init__(
            text
            or "This profile's file was changed outside Assent. "
            "Restore it, or ask a registrar to enrol you with a new key."
        )


class UnknownProfileError(ProfileError):
    """There is no such person on this machine."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One person of this machine, as the sign-in page shows it.

    Attributes:
        name: the person's name.
        role: one of ``certificates.Role``.
        hospital: the hospital's name.
        msp_id: the hospital on the ledger.
        subject: the person on the ledger.
        certificate: X.509, DER.
        tries_left: 0 when locked for good.
    """

    name: str
    role: str
    hospital: str
    msp_id: str
    subject: str
    certificate: bytes
    tries_left: int = TRIES

    @property
    def profile_id(self) -> str:
        """Names the profile on this machine."""
        return f"{self.msp_id}.{self.subject}"

    def to_wire(self) -> dict[str, Json]:
        """Return everything that the file says in the clear."""
        return {
            "name": self.name,
            "role": self.role,
            "hospital": self.hospital,
            "msp_id": self.msp_id,
            "subject": self.subject,
            "certificate": to_base64(self.certificate),
            "tries_left": self.tries_left,
        }


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile's file.

    Attributes:
        profile: what the sign-in page shows.
        key_id: names the master key that wraps ``pepper``.
        key_hash: of the person's public key.
        salt: of the passphrase's stretching.
        stretching: how much work one guess costs.
        pepper: 32 random bytes, wrapped by the master key, bound to all the rest.
        box: the signing key (PKCS #8), wrapped by pepper and passphrase; empty when it was deleted.
    """

    profile: Profile
    key_id: str
    key_hash: str
    salt: bytes
    stretching: Stretching
    pepper: bytes = field(repr=False)
    box: bytes = field(repr=False)

    def place(self) -> bytes:
        """Return what the pepper's box is bound to: all of the file but the pepper itself."""
        return encode(self._clear())

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        return encode({**self._clear(), "pepper": to_base64(self.pepper)})

    def _clear(self) -> dict[str, Json]:
        return {
            "type": "profile",
            "v": 1,
            "profile": self.profile.to_wire(),
            "key_id": self.key_id,
            "key_hash": self.key_hash,
            "salt": to_base64(self.salt),
            "stretching": self.stretching.to_wire(),
            "box": to_base64(self.box),
        }

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Read ``to_bytes``; whether the pepper's box belongs to it is found when it is opened.

        Raises:
            ContractError, ValueError, KeyError: another form.
        """
        value = decode_object(untrusted)
        person = value["profile"]
        if (value["type"], value["v"]) != ("profile", 1) or not isinstance(person, dict):
            raise ValueError("another form")
        tries_left = person["tries_left"]
        if type(tries_left) is not int or not 0 <= tries_left <= TRIES:
            raise ValueError("tries out of range")
        texts = {name: str(person[name]) for name in ("name", "role", "hospital", "msp_id", "subject")}
        profile = Profile(**texts, certificate=_raw(person["certificate"]), tries_left=tries_left)
        return cls(
            profile,
            str(value["key_id"]),
            str(value["key_hash"]),
            _raw(value["salt"]),
            Stretching.from_wire(value["stretching"]),
            _raw(value["pepper"]),
            _raw(value["box"]),
        )


def open_pepper(stored: StoredProfile, master: MasterKey) -> bytearray:
    """Return the pepper.

    Raises:
        ProfileTamperedError: the file is not as it was written under this master key.
        LockedError: the master key is locked.
    """
    key = master.purpose_key(Purpose.PROFILE)
    try:
        return unwrap(key, stored.pepper, stored.place())
    except UnwrapError:
        raise ProfileTamperedError from None
    finally:
        wipe(key)


def open_key(stored: StoredProfile, pepper: bytearray, passphrase: str) -> ec.EllipticCurvePrivateKey | None:
    """Return the signing key, or None for a wrong passphrase."""
    wrapping = wrapping_key(pepper, passphrase, stored.salt, stored.stretching)
    try:
        raw = unwrap(wrapping, stored.box, key_place(stored.profile, stored.key_hash))
    except UnwrapError:
        return None
    finally:
        wipe(wrapping)
    key = serialization.load_der_private_key(raw, None)
    wipe(raw)
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def wrapping_key(pepper: bytearray, passphrase: str, salt: bytes, stretching: Stretching) -> bytearray:
    """Return the key that wraps the signing key: neither pepper nor passphrase alone gives it."""
    stretched = stretch(passphrase, salt, stretching)
    both = pepper + stretched
    key = derive(both, Purpose.PROFILE.value.encode())
    wipe(stretched, both)
    return key


def key_place(profile: Profile, key_hash: str) -> bytes:
    """Return what the signing key's box is bound to: the person and the key, not a certificate, which is renewed."""
    names: dict[str, Json] = {"msp_id": profile.msp_id, "subject": profile.subject, "key_hash": key_hash}
    return encode({"type": "profile-key", **names})


def key_hash_of(certificate: bytes) -> str:
    """Return the hex SHA-256 of a certificate's SubjectPublicKeyInfo.

    Raises:
        WrongCertificateError: not a certificate of a P-256 key.
    """
    try:
        public_key = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:
        raise WrongCertificateError("not a certificate") from None
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise WrongCertificateError("the certificate's key is not on P-256")
    return sha256(spki(public_key)).hexdigest()


def _raw(text: Json) -> bytes:
    return from_base64(str(text))
