r"""The custodian's messages (PROTOCOL.md E.1): canonical, signed, sealed, the same in process and over a wire.

Request = canonical ``{message, msp_id, certificate, signature}``; reply = canonical ``{reply, signature}``; both may
carry raw bytes after one ``\n``, which canonical JSON never contains. ``message`` and ``reply`` are objects with
``type`` and ``network_id``; their signature is that of B11 over their canonical bytes. What opens with a PIN is not
signed: its ``msp_id``, ``certificate`` and ``signature`` are empty.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from app.identity.keys import WeakKeyError, sealing_key
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import CODES, ContractError

SUITE: Final = "x25519-hkdf-sha256-chacha20poly1305"
HPKE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
MESSAGE_MAX: Final = 1024 * 1024
REPLY_MAX: Final = 64 * 1024 * 1024
"""A hospital's registration, a long list of records, a statement of years: signed before it is read."""
ATTACHMENT_MAX: Final = 2 * 1024**3
CLOCK_TOLERANCE: Final = 120
RELEASE_CODES: Final = frozenset(
    {
        "not-yet-committed",
        "wrong-release-key",
        "entry-too-old",
        "stopped-by-patient",
        "denied",
        "label-mismatch",
        "artefact-mismatch",
        "badge-mismatch",
        "object-mismatch",
    }
)
CARD_CODES: Final = frozenset({"refused", "wrong-pin", "card-locked", "halted"})
SERVICE_CODES: Final = frozenset({"locked", "busy", "unreachable"})
"""What stands between a request and the custodian: an operator has to unlock it, too many requests, no answer."""
ALL_CODES: Final = CODES | RELEASE_CODES | CARD_CODES | SERVICE_CODES


class CustodianRefusal(Exception):  # noqa: N818  -- a refusal is an answer, not a defect
    """The custodian does not do what was asked; ``code`` is protocol, ``detail`` is for people and never matched.

    Attributes:
        code: the contract's, a release code, ``refused`` (unknown and not allowed look alike, ATTACKS.md A50),
            ``wrong-pin``, ``card-locked``, ``halted`` (the replica found a difference) or one of ``SERVICE_CODES``.
        detail: for people; for ``denied`` the reason code of the decision.
        tries_left: after ``wrong-pin``; else None.
    """

    def __init__(self, code: str, detail: str = "", tries_left: int | None = None) -> None:
        if code not in ALL_CODES:
            raise ValueError(code)
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.tries_left = tries_left


class ReplyError(Exception):
    """A reply is not what this custodian may say: its signature, request or network is wrong, or the ledger differs."""


@dataclass(frozen=True, slots=True)
class Request:
    """An untrusted request, parsed and bound to its signature bytes.

    Attributes:
        type: of the message.
        fields: all members of the message.
        signed: canonical bytes of the message.
        msp_id: of the signer, or empty.
        certificate: DER, or empty.
        signature: DER, or empty.
        attachment: raw bytes that follow.
    """

    type: str
    fields: dict[str, Json]
    signed: bytes
    msp_id: str
    certificate: bytes
    signature: bytes
    attachment: bytes

    @property
    def digest(self) -> str:
        """Lower-case hex SHA-256 of the message; a reply names it."""
        return hashlib.sha256(self.signed).hexdigest()


def frame(content: Mapping[str, object], attachment: bytes = b"") -> bytes:
    """Return the bytes of a request or reply."""
    return encode(content) + (b"\n" + attachment if attachment else b"")


def unframe(raw: bytes, most: int = MESSAGE_MAX) -> tuple[dict[str, Json], bytes]:
    """Return the object, of at most so many bytes, and the bytes that follow it.

    Raises:
        ContractError: ``malformed``; too long, not canonical.
    """
    end = raw.find(b"\n", 0, most + 1)
    head = raw if end < 0 else raw[:end]
    if len(head) > most or len(raw) > ATTACHMENT_MAX + most:
        raise ContractError("malformed", "message too long")
    return decode_object(head), b"" if end < 0 else raw[end + 1 :]


def parse_request(untrusted: bytes) -> Request:
    """Return the parts of a request; its signature is not yet checked.

    Raises:
        ContractError: ``malformed``.
    """
    outer, attachment = unframe(untrusted)
    message = outer.get("message")
    if set(outer) != {"message", "msp_id", "certificate", "signature"} or not isinstance(message, dict):
        raise ContractError("malformed", "message, msp_id, certificate and signature are needed")
    return Request(
        text(message, "type"),
        message,
        encode(message),
        text(outer, "msp_id"),
        raw_bytes(outer, "certificate"),
        raw_bytes(outer, "signature"),
        attachment,
    )


def to_text(raw: bytes) -> str:
    """Return standard base64 with padding, the form of keys, salts, nonces and signatures."""
    return base64.b64encode(raw).decode()


def text(fields: dict[str, Json], name: str, most: int = 65536) -> str:
    """Return a string member.

    Raises:
        ContractError: ``malformed``.
    """
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise ContractError("malformed", f"{name}: a string is needed")
    return value


def number(fields: dict[str, Json], name: str) -> int:
    """Return an integer member.

    Raises:
        ContractError: ``malformed``.
    """
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ContractError("malformed", f"{name}: an integer is needed")
    return value


def raw_bytes(fields: dict[str, Json], name: str, length: int | None = None) -> bytes:
    """Return the bytes of a base64 member.

    Raises:
        ContractError: ``malformed``; not base64, or not ``length`` bytes.
    """
    value = text(fields, name, REPLY_MAX)
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ContractError("malformed", f"{name}: base64 is needed") from None
    if to_text(raw) != value or (length is not None and len(raw) != length):
        raise ContractError("malformed", f"{name}: wrong length")
    return raw


def member(fields: dict[str, Json], name: str) -> dict[str, Json]:
    """Return an object member.

    Raises:
        ContractError: ``malformed``.
    """
    value = fields.get(name)
    if not isinstance(value, dict):
        raise ContractError("malformed", f"{name}: an object is needed")
    return value


def texts(fields: dict[str, Json], name: str, most: int = 256) -> list[str]:
    """Return a member that is a list of strings.

    Raises:
        ContractError: ``malformed``.
    """
    value = fields.get(name)
    if not isinstance(value, list) or len(value) > most or not all(isinstance(item, str) for item in value):
        raise ContractError("malformed", f"{name}: a list of strings is needed")
    return [item for item in value if isinstance(item, str)]


def objects(fields: dict[str, Json], name: str, most: int = 4096) -> list[dict[str, Json]]:
    """Return a member that is a list of objects.

    Raises:
        ContractError: ``malformed``.
    """
    value = fields.get(name)
    if not isinstance(value, list) or len(value) > most or not all(isinstance(item, dict) for item in value):
        raise ContractError("malformed", f"{name}: a list of objects is needed")
    return [item for item in value if isinstance(item, dict)]


def exactly(fields: dict[str, Json], *names: str) -> None:
    """Refuse unknown and absent members; those that every message has are implied.

    Raises:
        ContractError: ``malformed``.
    """
    if set(fields) != {"type", "network_id", "custodian_msp", "nonce", "at", *names}:
        raise ContractError("malformed", "unknown or missing field")


def seal_to(public_key: bytes, info: bytes, plaintext: bytes) -> bytes:
    """Return HPKE-Base(public_key, info, plaintext) as encapsulation then ciphertext.

    Raises:
        ContractError: ``malformed``; the key is no X25519 key or of low order.
    """
    try:
        return HPKE.encrypt(plaintext, sealing_key(public_key), info=info)
    except WeakKeyError:
        raise ContractError("malformed", "no usable X25519 key") from None


def open_sealed(private_key: X25519PrivateKey, info: bytes, sealed: bytes) -> bytes:
    """Return the plaintext that was sealed to ``private_key`` under exactly this ``info``.

    Raises:
        ReplyError: another key, another info, truncated or changed.
    """
    try:
        return HPKE.decrypt(sealed, private_key, info=info)
    except (InvalidTag, ValueError):
        raise ReplyError("the sealed part does not open with this key and this description") from None


def record_info(
    *,
    kind: str,
    network_id: str,
    custodian_msp: str,
    access_id: str,
    patient_id: str,
    record_id: str,
    version: int,
    commitment: str,
    by: Json,
    purpose: str,
    until: int,
) -> bytes:
    """Return the HPKE info of E.3; ``kind`` is ``record-key`` or ``index``. What it names cannot be swapped."""
    return encode(
        {
            "type": kind,
            "network_id": network_id,
            "custodian_msp": custodian_msp,
            "access_id": access_id,
            "patient_id": patient_id,
            "record_id": record_id,
            "version": version,
            "commitment": commitment,
            "by": by,
            "purpose": purpose,
            "until": until,
        }
    )


def reply_info(network_id: str, request: str) -> bytes:
    """Return the HPKE info of an ordinary reply: it belongs to one request on one network."""
    return encode({"type": "reply", "network_id": network_id, "request": request})
