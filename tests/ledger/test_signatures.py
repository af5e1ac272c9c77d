"""Signed bytes and the one accepted form of a signature (PROTOCOL.md B11)."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ledger.signatures import (
    ORDER,
    SignatureError,
    SoftwareKey,
    load_public_key,
    low_s,
    sign,
    signed_bytes,
    verify_signature,
)
from tests.support.certificates import private_key_of

ALICE = private_key_of("alice")


def test_signed_bytes_name_type_and_network() -> None:
    assert signed_bytes("block", "ab", b"{}") == b"assent\0block\0ab\0{}"
    assert signed_bytes("block", "ab", b"{}") != signed_bytes("block", "ac", b"{}")
    assert signed_bytes("block", "ab", b"{}") != signed_bytes("transaction", "ab", b"{}")


def test_every_signature_made_has_low_s_and_verifies() -> None:
    for number in range(50):
        message = str(number).encode()
        signature = sign(ALICE, message)
        assert decode_dss_signature(signature)[1] <= ORDER // 2
        verify_signature(ALICE.public_key(), message, signature)


def test_the_twin_with_high_s_is_refused() -> None:
    signature = sign(ALICE, b"m")
    r, s = decode_dss_signature(signature)
    twin = encode_dss_signature(r, ORDER - s)
    with pytest.raises(SignatureError, match="high S"):
        verify_signature(ALICE.public_key(), b"m", twin)
    assert low_s(twin) == signature


@pytest.mark.parametrize("change", ["message", "key", "flip", "trail", "empty", "r-padded"])
def test_anything_else_is_refused(change: str) -> None:
    signature, message, key = sign(ALICE, b"m"), b"m", ALICE
    if change == "message":
        message = b"n"
    elif change == "key":
        key = private_key_of("mallory")
    elif change == "flip":
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    elif change == "trail":
        signature += b"\0"
    elif change == "empty":
        signature = b""
    else:
        length = signature[3]
        padded = signature[2:3] + bytes([length + 1]) + b"\0" + signature[4:]
        signature = signature[:1] + bytes([signature[1] + 1]) + padded
    with pytest.raises(SignatureError):
        verify_signature(key.public_key(), message, signature)


def test_only_p256_keys_load() -> None:
    key = SoftwareKey(ALICE)
    verify_signature(load_public_key(key.public_key), b"m", key.sign(b"m"))
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    others = (
        ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(*form),
        ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*form),
        b"nothing",
    )
    for other in others:
        with pytest.raises(SignatureError):
            load_public_key(other)
