"""Salted commitments: what the ledger holds in place of anything that could be guessed (PROTOCOL.md C1)."""

import hashlib
import hmac
from typing import Final

SALT_BYTES: Final = 32


class CommitmentError(Exception):
    """Bytes and salt do not open a commitment."""


def commitment(salt: bytes, data: bytes) -> str:
    """Return lower-case hex HMAC-SHA256(salt, SHA-256(data)).

    Args:
        salt: 32 random bytes; whoever destroys it makes the commitment unguessable for ever.
        data: the canonical artefact, badge, manifest, suggestion or verdict, or a UTF-8 reason.

    Raises:
        ValueError: the salt has another length.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 32 bytes")
    return hmac.digest(salt, hashlib.sha256(data).digest(), "sha256").hex()


def verify_commitment(expected: str, salt: bytes, data: bytes) -> None:
    """Accept only the salt and bytes that were committed to.

    Raises:
        CommitmentError: they do not open ``expected``.
    """
    if len(salt) != SALT_BYTES or not hmac.compare_digest(commitment(salt, data), expected):
        raise CommitmentError("these bytes are not what was committed to")
