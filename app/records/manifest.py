"""The manifest: the list that makes objects a record version; the ledger commits to it (PROTOCOL.md E.3, R3)."""

import base64
from dataclasses import dataclass
from typing import Final

from app.records.refusal import Change, IntegrityError
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError

SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ManifestObject:
    """One object: its name is the SHA-256 of its ciphertext, its digests are salted commitments to the plaintext.

    Attributes:
        name: lower-case hex.
        size: bytes of the ciphertext.
        plain_size: bytes of the plaintext.
        media_type: of the plaintext.
        file: commitment to all bytes.
        pixels: commitment to the pixel data's value; empty if there is none in clear (no picture, or deflated).
        header: commitment to all other bytes; empty likewise.
        pixels_at: offset and length of the pixel data's value, or None.
    """

    name: str
    size: int
    plain_size: int
    media_type: str
    file: str
    pixels: str
    header: str
    pixels_at: tuple[int, int] | None

    def to_wire(self) -> dict[str, Json]:
        """Return the canonical form."""
        return {
            "name": self.name,
            "size": self.size,
            "plain_size": self.plain_size,
            "media_type": self.media_type,
            "digests": {"file": self.file, "pixels": self.pixels, "header": self.header},
            "pixels_at": None if self.pixels_at is None else list(self.pixels_at),
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one record version consists of and what it is called.

    Attributes:
        version: of the record, from 1.
        recipient: public part of the version's own age identity.
        salt: of the digests of this manifest's objects.
        kind: dicom, fhir, pdf or csv.
        category: code of our category system.
        codes: ``system|code``.
        dates: none, one, or first and last.
        display: what the list shows.
        objects: in the order in which they are shown.
    """

    version: int
    recipient: str
    salt: bytes
    kind: str
    category: str
    codes: tuple[str, ...]
    dates: tuple[str, ...]
    display: str
    objects: tuple[ManifestObject, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that the ledger's commitment is to."""
        return encode(
            {
                "type": "record-manifest",
                "v": 1,
                "version": self.version,
                "recipient": self.recipient,
                "salt": base64.b64encode(self.salt).decode(),
                "kind": self.kind,
                "category": self.category,
                "codes": list(self.codes),
                "dates": list(self.dates),
                "display": self.display,
                "objects": [item.to_wire() for item in self.objects],
            }
        )

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Manifest":
        """Return a manifest from bytes whose commitment was checked.

        Raises:
            IntegrityError: ``manifest-changed``; they are no manifest.
        """
        try:
            wire = decode_object(raw)
            if wire.pop("type") != "record-manifest" or wire.pop("v") != 1:
                raise IntegrityError(Change.MANIFEST_CHANGED)
            return cls(
                version=_integer(wire["version"]),
                recipient=_text(wire["recipient"]),
                salt=base64.b64decode(_text(wire["salt"]), validate=True),
                kind=_text(wire["kind"]),
                category=_text(wire["category"]),
                codes=tuple(map(_text, _list(wire["codes"]))),
                dates=tuple(map(_text, _list(wire["dates"]))),
                display=_text(wire["display"]),
                objects=tuple(map(_object, _list(wire["objects"]))),
            )
        except (ContractError, KeyError, TypeError, ValueError):
            raise IntegrityError(Change.MANIFEST_CHANGED) from None

    def object_named(self, name: str) -> ManifestObject:
        """Return the object of this name.

        Raises:
            IntegrityError: ``object-swapped``; this version has no such object.
        """
        for item in self.objects:
            if item.name == name:
                return item
        raise IntegrityError(Change.OBJECT_SWAPPED, name)


def _object(wire: Json) -> ManifestObject:
    if not isinstance(wire, dict):
        raise TypeError(wire)
    digests = wire["digests"]
    at = wire["pixels_at"]
    if not isinstance(digests, dict):
        raise TypeError(digests)
    place = None if at is None else tuple(map(_integer, _list(at)))
    if place is not None and len(place) != 2:  # noqa: PLR2004  -- offset and length
        raise ValueError(place)
    return ManifestObject(
        name=_text(wire["name"]),
        size=_integer(wire["size"]),
        plain_size=_integer(wire["plain_size"]),
        media_type=_text(wire["media_type"]),
        file=_text(digests["file"]),
        pixels=_text(digests["pixels"]),
        header=_text(digests["header"]),
        pixels_at=None if place is None else (place[0], place[1]),
    )


def _integer(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(value)
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value
