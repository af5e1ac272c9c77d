"""The patient card and the keys that card and custodian make together (ATTACKS.md A27).

Neither the card nor what the custodian holds is of use alone: every key of a patient id comes from the card's secret
and that id's share, and the share is given out only for the right PIN.
"""

import base64
import os
import re
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.identity.keys import KEY_BYTES, Random, derive, wipe

SECRET_BYTES: Final = 32
_P256_ORDER: Final = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
_OKM_BYTES: Final = 48  # 128 bits above the order: the remainder is uniform (FIPS 186-5 A.2.1)
_MAX_TEXT: Final = 512
_FORM: Final = re.compile(r"assent1\.([A-Za-z0-9_-]{1,64})\.([a-z0-9]{8,32})\.([a-z2-7]{52})")


class CardError(ValueError):
    """What was scanned or typed is no patient card."""


@dataclass(frozen=True, slots=True)
class Card:
    """What the paper holds. No name is on it.

    Attributes:
        msp_id: the custodian that printed it.
        card_id: lower-case letters and digits; finds the person at the custodian.
        secret: 32 random bytes that only the paper holds.
    """

    msp_id: str
    card_id: str
    secret: bytes = field(repr=False)

    @classmethod
    def create(cls, msp_id: str, random: Random = os.urandom) -> Self:
        """Make a new card of a custodian."""
        return cls(msp_id, new_card_id(random), random(SECRET_BYTES))

    @property
    def text(self) -> str:
        """What the QR code says: ``assent1.<msp_id>.<card_id>.<secret, base32>``."""
        secret = base64.b32encode(self.secret).decode().rstrip("=").lower()
        return f"assent1.{self.msp_id}.{self.card_id}.{secret}"

    @classmethod
    def parse(cls, untrusted_text: str) -> Self:
        """Read a scanned or typed card; white space and the case of the base32 parts do not matter.

        Raises:
            CardError: anything else than one exact card.
        """
        parts = "".join(untrusted_text[:_MAX_TEXT].split()).split(".")
        text = ".".join([*parts[:2], *(part.lower() for part in parts[2:])])
        match = _FORM.fullmatch(text)
        if match is None or len(untrusted_text) > _MAX_TEXT:
            raise CardError("This is not a patient card of Assent.")
        msp_id, card_id, encoded = match.groups()
        card = cls(msp_id, card_id, base64.b32decode(encoded.upper() + "===="))
        if card.text != text:  # base32 has spare bits: one card, one text
            raise CardError("This is not a patient card of Assent.")
        return card


def new_card_id(random: Random = os.urandom) -> str:
    """Return 16 random lower-case base32 characters."""
    return base64.b32encode(random(10)).decode().lower()


def patient_share(share_root: bytes | bytearray, patient_id: str) -> bytes:
    """Return the custodian's half for one patient id, from the person's ``patient_share`` of 32 bytes."""
    _check_secret(share_root)
    return bytes(derive(share_root, _info("assent/patient-share/1", patient_id)))


def patient_private_key(card_secret: bytes, share: bytes, patient_id: str) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key that signs for one patient id, from the card's half and the custodian's."""
    okm = _both(card_secret, share, "assent/patient-sign/1", patient_id, _OKM_BYTES)
    scalar = int.from_bytes(okm, "big") % (_P256_ORDER - 1) + 1
    wipe(okm)
    return ec.derive_private_key(scalar, ec.SECP256R1())


def mailbox_key(card_secret: bytes, share: bytes, patient_id: str) -> X25519PrivateKey:
    """Return the X25519 key that opens the notices of one patient id (PROTOCOL.md F)."""
    okm = _both(card_secret, share, "assent/patient-mailbox/1", patient_id, KEY_BYTES)
    key = X25519PrivateKey.from_private_bytes(okm)
    wipe(okm)
    return key


def _both(card_secret: bytes, share: bytes, label: str, patient_id: str, length: int) -> bytearray:
    _check_secret(card_secret)
    _check_secret(share)
    joined = bytearray(card_secret + share)
    okm = derive(joined, _info(label, patient_id), length)
    wipe(joined)
    return okm


def _info(label: str, patient_id: str) -> bytes:
    return label.encode() + b"\x00" + patient_id.encode("ascii")


def _check_secret(secret: bytes | bytearray) -> None:
    if len(secret) != SECRET_BYTES:
        raise ValueError("a card secret or share has 32 bytes")
