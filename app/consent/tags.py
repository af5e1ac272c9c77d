"""Keyed tags: what the ledger compares instead of meanings (DECISION.md 1, A16)."""

import base64
import hmac
from collections.abc import Callable
from enum import StrEnum

Tag = Callable[[str, str], str]
"""``tag(kind, code)``."""


class TagKind(StrEnum):
    """What a code is a code of; part of the tag's input, so that a code never looks alike in two kinds."""

    CLASS = "class"
    CODE = "code"
    DATE = "date"
    EXACT = "exact"
    AUTHOR = "author"
    RELATED = "related"
    RECORD = "record"
    LEVEL = "level"
    SENSITIVE_LEVEL = "sensitive-level"
    SENSITIVITY = "sensitivity"
    DEVICE = "device"


def tag(tag_key: bytes) -> Tag:
    """Return the tag function of one patient id.

    Args:
        tag_key: the random key of the patient id, known to its custodian and its patient only.

    Returns:
        A function from kind and code to 16 lower-case base32 characters: ``HMAC-SHA256(tag_key, kind ‖ 0x00 ‖ code)``.
    """

    def keyed(kind: str, code: str) -> str:
        digest = hmac.digest(tag_key, kind.encode() + b"\x00" + code.encode(), "sha256")
        return base64.b32encode(digest[:10]).decode().lower()

    return keyed


def clear_tag(kind: str, code: str) -> str:
    """Return ``kind=code``: the tag of conformance tests, with which every outcome must be the same."""
    return f"{kind}={code}"
