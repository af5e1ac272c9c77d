"""Messages have one form each: everything else is refused before anything is done with it (PROTOCOL.md E.1)."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.custodian import messages
from app.custodian.messages import CustodianRefusal, ReplyError
from ledger.contract.canonical import Json
from ledger.contract.errors import ContractError


@pytest.mark.parametrize(
    ("read", "fields"),
    [
        (lambda fields: messages.text(fields, "a"), {"a": 1}),
        (lambda fields: messages.text(fields, "a", 2), {"a": "abc"}),
        (lambda fields: messages.number(fields, "a"), {"a": True}),
        (lambda fields: messages.number(fields, "a"), {"a": "1"}),
        (lambda fields: messages.raw_bytes(fields, "a"), {"a": "AA"}),
        (lambda fields: messages.raw_bytes(fields, "a"), {"a": "AB=="}),
        (lambda fields: messages.raw_bytes(fields, "a", 2), {"a": "AA=="}),
        (lambda fields: messages.member(fields, "a"), {"a": []}),
        (lambda fields: messages.texts(fields, "a"), {"a": ["b", 1]}),
        (lambda fields: messages.texts(fields, "a", 1), {"a": ["b", "c"]}),
        (lambda fields: messages.objects(fields, "a"), {"a": ["b"]}),
        (lambda fields: messages.objects(fields, "a"), {}),
    ],
)
def test_members_have_one_form(read: Callable[[dict[str, Json]], object], fields: dict[str, Json]) -> None:
    with pytest.raises(ContractError, match="malformed"):
        read(fields)


def test_bytes_may_follow_a_message() -> None:
    raw = messages.frame({"a": "b\n"}, b"\x00\nraw")
    assert messages.unframe(raw) == ({"a": "b\n"}, b"\x00\nraw")
    assert messages.unframe(messages.frame({"a": ""})) == ({"a": ""}, b"")


def test_a_message_that_never_ends_is_refused() -> None:
    with pytest.raises(ContractError, match="malformed"):
        messages.unframe(b'{"a":"' + b"b" * messages.MESSAGE_MAX + b'"}')


def test_a_refusal_has_a_known_code() -> None:
    with pytest.raises(ValueError, match="surprise"):
        CustodianRefusal("surprise")
    assert str(CustodianRefusal("denied", "NOT_ACTIVE")) == "denied: NOT_ACTIVE"


@pytest.mark.parametrize("key", [bytes(32), (1).to_bytes(32, "little"), b"short"])
def test_nothing_is_sealed_to_a_key_of_low_order(key: bytes) -> None:
    with pytest.raises(ContractError, match="malformed"):
        messages.seal_to(key, b"info", b"secret")


def test_what_is_sealed_opens_with_its_key_and_description_only() -> None:
    key = X25519PrivateKey.generate()
    sealed = messages.seal_to(key.public_key().public_bytes_raw(), b"info", b"i" * 74)
    assert len(sealed) == 122
    assert messages.open_sealed(key, b"info", sealed) == b"i" * 74
    for wrong_key, info, box in (
        (X25519PrivateKey.generate(), b"info", sealed),
        (key, b"other", sealed),
        (key, b"info", sealed[:-1]),
        (key, b"info", b""),
        (key, b"info", bytes(122)),
    ):
        with pytest.raises(ReplyError):
            messages.open_sealed(wrong_key, info, box)
