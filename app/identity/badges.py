"""Badges carry a staff member's name; the ledger holds only their commitment (ATTACKS.md A19)."""

import os
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final, Self

from app.identity.keys import Random
from ledger.commitments import commitment
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.encoding import from_base64, to_base64

SALT_BYTES: Final = 32
_FIELDS: Final = ("department", "msp_id", "name", "qualification", "subject")


class BadgeError(ValueError):
    """The badge is malformed, or is not the one that the ledger's member entry commits to."""


@dataclass(frozen=True, slots=True)
class Badge:
    """Who a random subject is, as the patient will read it.

    Attributes:
        name: as on the hospital's own badge.
        qualification: "consultant radiologist".
        department: "Radiology".
        msp_id: the hospital.
        subject: the member's subject, so that a badge cannot be worn by another.
    """

    name: str
    qualification: str
    department: str
    msp_id: str
    subject: str

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are committed to."""
        return encode({"type": "badge", **{field: getattr(self, field) for field in _FIELDS}})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Read ``to_bytes``.

        Raises:
            BadgeError: another form.
        """
        try:
            value = decode_object(untrusted)
        except ContractError:
            raise BadgeError("not a badge") from None
        kind = value.pop("type", None)
        if kind != "badge" or set(value) != set(_FIELDS) or not all(isinstance(value[name], str) for name in _FIELDS):
            raise BadgeError("not a badge")
        return cls(**{name: str(value[name]) for name in _FIELDS})


@dataclass(frozen=True, slots=True)
class BadgeOpening:
    """A badge with the salt that opens its commitment; given to the custodian with every release request.

    Attributes:
        badge: canonical bytes of a ``Badge``.
        salt: 32 random bytes.
    """

    badge: bytes
    salt: bytes

    @classmethod
    def create(cls, badge: Badge, random: Random = os.urandom) -> Self:
        """Give a badge a fresh salt."""
        return cls(badge.to_bytes(), random(SALT_BYTES))

    @property
    def commitment(self) -> str:
        """What the member entry holds: lower-case hex."""
        return commitment(self.salt, self.badge)

    def to_wire(self) -> dict[str, Json]:
        """Return canonical members: the badge as the string of its raw bytes, the salt in base64."""
        return {"badge": self.badge.decode("ascii"), "salt": to_base64(self.salt)}

    @classmethod
    def from_wire(cls, untrusted: object) -> Self:
        """Read ``to_wire``.

        Raises:
            BadgeError: another form.
        """
        if not isinstance(untrusted, dict) or set(untrusted) != {"badge", "salt"}:
            raise BadgeError("not a badge opening")
        try:
            salt = from_base64(str(untrusted["salt"]))
            badge = str(untrusted["badge"]).encode("ascii")
        except ValueError:
            raise BadgeError("not a badge opening") from None
        if len(salt) != SALT_BYTES:
            raise BadgeError("not a badge opening")
        return cls(badge, salt)


def open_badge(opening: BadgeOpening, badge_commitment: str, msp_id: str, subject: str) -> Badge:
    """Return the badge behind a member entry's commitment.

    Raises:
        BadgeError: it is another badge, or one made for another member (the custodian answers ``badge-mismatch``).
    """
    if not compare_digest(opening.commitment.encode(), badge_commitment.encode()):
        raise BadgeError("the badge is not the one on the ledger")
    badge = Badge.from_bytes(opening.badge)
    if (badge.msp_id, badge.subject) != (msp_id, subject):
        raise BadgeError("the badge names another member")
    return badge
