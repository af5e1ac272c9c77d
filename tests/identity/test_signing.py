"""Signing: as long as unlocked, never after (ATTACKS.md A26, PROTOCOL.md B11)."""

from __future__ import annotations

import threading
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.identity.certificates import HospitalAuthority, Role
from app.identity.signing import LockedError, SigningIdentity, WrongCertificateError
from ledger.signatures import ORDER, signed_bytes, spki, verify_signature
from tests.identity.independent import hkdf
from tests.support.certificates import NOW, private_key_of, subject_of

if TYPE_CHECKING:
    from ledger.gateway import Signer

KEY = private_key_of("carol")
CAROL = subject_of("carol")


@cache
def certificate() -> bytes:
    return HospitalAuthority.create("AlderMSP", NOW).issue(spki(KEY.public_key()), CAROL, Role.PRACTITIONER, NOW)


def carol() -> SigningIdentity:
    return SigningIdentity("AlderMSP", certificate(), KEY)


def test_the_signature_verifies_and_has_a_low_s() -> None:
    signer: Signer = carol()
    for number in range(32):
        message = signed_bytes("transaction", "ab" * 32, b"%d" % number)
        signature = signer.sign(message)
        verify_signature(KEY.public_key(), message, signature)
        assert decode_dss_signature(signature)[1] <= ORDER // 2


def test_the_identity_says_who_it_is() -> None:
    identity = carol()
    assert (identity.msp_id, identity.subject, identity.certificate) == ("AlderMSP", CAROL, certificate())
    assert identity.key_hash == sha256(spki(KEY.public_key())).hexdigest()


def test_a_locked_identity_never_signs_again() -> None:
    identity = carol()
    identity.lock()
    assert identity.is_locked
    with pytest.raises(LockedError):
        identity.sign(b"message")
    identity.lock()
    with pytest.raises(LockedError):
        identity.sign(b"message")


def test_locking_while_others_sign_ends_their_signing() -> None:
    identity = carol()
    refused = threading.Barrier(4)
    signed = threading.Event()

    def sign_until_locked() -> None:
        while True:
            try:
                identity.sign(b"message")
            except LockedError:
                refused.wait(10)
                return
            signed.set()

    threads = [threading.Thread(target=sign_until_locked) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert signed.wait(10)
    identity.lock()
    refused.wait(10)
    for thread in threads:
        thread.join(10)


def test_a_certificate_for_another_key_is_refused() -> None:
    with pytest.raises(WrongCertificateError, match="another key"):
        SigningIdentity("AlderMSP", certificate(), private_key_of("mallory"))
    with pytest.raises(WrongCertificateError, match="not a certificate"):
        SigningIdentity("AlderMSP", b"\x30\x00", KEY)


def test_what_only_the_owner_may_read_is_under_a_key_of_its_own_and_goes_with_locking() -> None:
    identity = carol()
    scalar = KEY.private_numbers().private_value.to_bytes(32, "big")
    assert identity.derive("assent/notebook/1") == hkdf(scalar, b"assent/notebook/1", 32)
    assert identity.derive("assent/notebook/1") != identity.derive("assent/notebook/2")
    identity.lock()
    with pytest.raises(LockedError):
        identity.derive("assent/notebook/1")


def test_the_representation_shows_no_key() -> None:
    text = repr(carol())
    assert "locked=False" in text
    assert f"{KEY.private_numbers().private_value:x}" not in text
