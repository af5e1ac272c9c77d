"""Master key, purposes, wrapping: known answers, wrong keys and places (PROTOCOL.md F, HOSTILE.md 26, 27)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.keys import (
    LockedError,
    MasterKey,
    Purpose,
    UnwrapError,
    WeakKeyError,
    derive,
    rewrap,
    sealing_key,
    unwrap,
    wipe,
    wrap,
)
from tests.identity.independent import hkdf

SECRET = bytes(range(32))


def test_hkdf_is_rfc_5869s() -> None:
    okm = derive(b"\x0b" * 22, b"", 42)  # appendix A.3: no salt, no info
    assert okm.hex() == ("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")


def test_each_purpose_has_its_own_key_as_hkdf_of_the_master_key() -> None:
    master = MasterKey(SECRET)
    keys = {purpose: bytes(master.purpose_key(purpose)) for purpose in Purpose}
    assert keys == {purpose: hkdf(SECRET, purpose.value.encode(), 32) for purpose in Purpose}
    assert len(set(keys.values())) == len(Purpose)
    assert [purpose.value for purpose in Purpose] == [
        "assent/vault/1",
        "assent/tags/1",
        "assent/shares/1",
        "assent/service/1",
        "assent/mailbox/1",
        "assent/profile/1",
    ]
    assert master.key_id == hkdf(SECRET, b"assent/key-id/1", 8).hex()


def test_the_master_key_travels_as_44_characters() -> None:
    master = MasterKey(SECRET)
    assert len(master.to_text()) == 44
    assert MasterKey.from_text(master.to_text()).key_id == master.key_id


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 44, "AAAA" * 11 + "!", "ä" * 44])
def test_what_is_no_master_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        MasterKey.from_text(text)


def test_a_locked_master_key_gives_nothing() -> None:
    master = MasterKey(SECRET)
    memory = master._secret
    master.lock()
    assert memory == bytes(32)
    assert master.is_locked
    with pytest.raises(LockedError):
        master.purpose_key(Purpose.VAULT)
    with pytest.raises(LockedError):
        master.to_text()


def test_wrapping_is_aes_256_gcm() -> None:
    # Test case 14 of McGrew and Viega's GCM specification: key, nonce and one block of zeros.
    box = wrap(bytes(32), bytes(16), b"", bytes)
    assert box == bytes(12) + bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_wrapped_unwraps_in_its_place_only(plaintext: bytes, place: bytes) -> None:
    box = wrap(SECRET, plaintext, place)
    assert unwrap(SECRET, box, place) == plaintext
    with pytest.raises(UnwrapError):
        unwrap(SECRET, box, place + b"x")
    with pytest.raises(UnwrapError):
        unwrap(bytes(32), box, place)


def test_every_flipped_bit_and_every_truncation_is_refused() -> None:
    box = wrap(SECRET, b"age identity", b"record 1")
    for position in range(len(box)):
        changed = bytearray(box)
        changed[position] ^= 1
        with pytest.raises(UnwrapError):
            unwrap(SECRET, bytes(changed), b"record 1")
        with pytest.raises(UnwrapError):
            unwrap(SECRET, box[:position], b"record 1")


def test_the_same_secret_wraps_differently_each_time() -> None:
    assert wrap(SECRET, b"x", b"") != wrap(SECRET, b"x", b"")


def test_rewrapping_moves_a_box_to_another_key() -> None:
    new = bytes(31) + b"\x01"
    box = rewrap(SECRET, new, wrap(SECRET, b"secret", b"place"), b"place")
    assert unwrap(new, box, b"place") == b"secret"
    with pytest.raises(UnwrapError):
        unwrap(SECRET, box, b"place")
    with pytest.raises(UnwrapError):
        rewrap(SECRET, new, box, b"place")


def test_a_short_wrapping_key_is_refused_also_where_aes_would_take_it() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        wrap(bytes(16), b"x", b"")


def test_wiping_overwrites_in_place() -> None:
    first, second = bytearray(b"abc"), bytearray(b"de")
    wipe(first, second)
    assert (first, second) == (bytearray(3), bytearray(2))


# The u-coordinates of low order on Curve25519 and its twist (RFC 7748 section 6.1; the list is libsodium's).
LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


@pytest.mark.parametrize("untrusted", [*LOW_ORDER, "00" * 31, "00" * 33, ""])
def test_low_order_and_misshapen_sealing_keys_are_refused(untrusted: str) -> None:
    with pytest.raises(WeakKeyError):
        sealing_key(bytes.fromhex(untrusted))


def test_an_ordinary_sealing_key_is_accepted() -> None:
    assert sealing_key(bytes.fromhex("09" + "00" * 31)).public_bytes_raw()[0] == 9
