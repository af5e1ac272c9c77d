"""The patient card: A27's formulas against an independent computation, and what is no card."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from app.identity.cards import Card, CardError, mailbox_key, new_card_id, patient_private_key, patient_share
from tests.identity.independent import N, hkdf, point_bytes, sha256_hex, times_g

CARD_SECRET = bytes(range(32))
SHARE_ROOT = bytes(range(100, 132))
PATIENT_ID = "abcdefghijklmnopqrstuvwx23"
OTHER_ID = "abcdefghijklmnopqrstuvwx24"
CARD = Card("AlderMSP", "abcdefgh23456722", CARD_SECRET)


def public_point(secret: bytes, share: bytes, patient_id: str) -> bytes:
    key = patient_private_key(secret, share, patient_id).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def test_known_answers_computed_once_and_written_down() -> None:
    share = patient_share(SHARE_ROOT, PATIENT_ID)
    assert share.hex() == "4682452f8568ebe0a52b45ac17c24178a1310543f11295cf3277f80e5be2ccd3"
    scalar = patient_private_key(CARD_SECRET, share, PATIENT_ID).private_numbers().private_value
    assert f"{scalar:064x}" == "1997bd92eae516f87916b26acae6e95126ff1fbd5c7459f649c1b6fa7b501950"
    assert (
        sha256_hex(public_point(CARD_SECRET, share, PATIENT_ID))
        == "4f0b4f7bea3487acd33108dd5717dd98372bae722b489a883d6fb8624e34e430"
    )
    assert (
        mailbox_key(CARD_SECRET, share, PATIENT_ID).private_bytes_raw().hex()
        == "21518436537a9e7a03d3ca0567d7872811c3c3bae7d1f9d3cdb493234ebf4f31"
    )


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_the_formulas_are_a27s(secret: bytes, root: bytes) -> None:
    share = hkdf(root, b"assent/patient-share/1\0" + PATIENT_ID.encode(), 32)
    assert patient_share(root, PATIENT_ID) == share
    okm = hkdf(secret + share, b"assent/patient-sign/1\0" + PATIENT_ID.encode(), 48)
    scalar = int.from_bytes(okm, "big") % (N - 1) + 1
    assert public_point(secret, share, PATIENT_ID) == point_bytes(times_g(scalar))
    mailbox = hkdf(secret + share, b"assent/patient-mailbox/1\0" + PATIENT_ID.encode(), 32)
    assert mailbox_key(secret, share, PATIENT_ID).private_bytes_raw() == mailbox


def test_neither_card_nor_share_nor_another_id_gives_the_key() -> None:
    share = patient_share(SHARE_ROOT, PATIENT_ID)
    right = public_point(CARD_SECRET, share, PATIENT_ID)
    assert public_point(CARD_SECRET, bytes(32), PATIENT_ID) != right
    assert public_point(bytes(32), share, PATIENT_ID) != right
    assert public_point(share, CARD_SECRET, PATIENT_ID) != right
    assert public_point(CARD_SECRET, share, OTHER_ID) != right
    assert patient_share(SHARE_ROOT, OTHER_ID) != share


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_secrets_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        patient_private_key(bytes(length), bytes(64 - length), PATIENT_ID)
    with pytest.raises(ValueError, match="32 bytes"):
        patient_share(bytes(length), PATIENT_ID)


def test_the_card_says_what_a27_says() -> None:
    encoded = base64.b32encode(CARD_SECRET).decode().rstrip("=").lower()
    assert CARD.text == f"assent1.AlderMSP.abcdefgh23456722.{encoded}"
    assert Card.parse(CARD.text) == CARD
    assert encoded not in repr(CARD)
    assert str(CARD_SECRET) not in repr(CARD)


def test_a_card_typed_in_capitals_and_groups_is_read() -> None:
    prefix, msp_id, card_id, secret = CARD.text.split(".")
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)).upper()
    assert Card.parse(f" {prefix}.{msp_id}.{card_id.upper()}.\n{groups} ") == CARD


def test_new_cards_differ_and_survive_printing() -> None:
    first, second = Card.create("AlderMSP"), Card.create("AlderMSP")
    assert first.secret != second.secret
    assert first.card_id != second.card_id
    assert Card.parse(first.text) == first
    assert len(new_card_id()) == 16


@pytest.mark.parametrize(
    "text",
    [
        "",
        "assent1",
        CARD.text[:-1],
        CARD.text + "a",
        CARD.text[:-1] + "1",
        CARD.text[:-1] + "b",  # spare bits set: the same 32 bytes in another spelling
        CARD.text.replace("assent1", "assent2"),
        CARD.text.replace("AlderMSP", ""),
        CARD.text.replace("AlderMSP", "Alder/../MSP"),
        CARD.text.replace("AlderMSP", "A" * 65),
        CARD.text + "." + CARD.text,
        CARD.text + " " * 600,
        "https://example.org/" + CARD.text,
        "\u212a" * 40,
    ],
)
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(CardError, match="not a patient card"):
        Card.parse(text)


@given(st.text(max_size=120))
def test_any_text_is_refused_or_says_itself(text: str) -> None:
    try:
        card = Card.parse(text)
    except CardError:
        return
    assert Card.parse(card.text) == card
