"""Salted commitments (PROTOCOL.md C1)."""

import hashlib
import hmac

import pytest

from ledger.commitments import CommitmentError, commitment, verify_commitment

SALT = bytes(range(32))


def test_the_formula() -> None:
    expected = hmac.new(SALT, hashlib.sha256(b"badge").digest(), hashlib.sha256).hexdigest()
    assert commitment(SALT, b"badge") == expected
    verify_commitment(expected, SALT, b"badge")


def test_other_bytes_or_another_salt_open_nothing() -> None:
    expected = commitment(SALT, b"badge")
    for salt, data in ((SALT, b"badgf"), (SALT[::-1], b"badge"), (SALT[:31], b"badge")):
        with pytest.raises(CommitmentError):
            verify_commitment(expected, salt, data)


def test_a_short_salt_makes_no_commitment() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(b"", b"badge")
