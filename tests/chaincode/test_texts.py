"""Keys and refusals in the form in which they travel through Fabric."""

from __future__ import annotations

import pytest

from ledger.chaincode.refusals import read_refusal, refusal_text
from ledger.chaincode.state import composite
from ledger.contract.errors import ContractError


def test_a_key_is_no_prefix_of_a_longer_part() -> None:
    assert composite(("consent", "c1")) == "\0consent\0c1\0"
    assert not composite(("consent", "c10")).startswith(composite(("consent", "c1")))


@pytest.mark.parametrize("part", ["", "a b", "a\0b", "ä", "a" * 65, "a/b"])
def test_a_part_beyond_the_alphabet_is_refused(part: str) -> None:
    with pytest.raises(ContractError, match="malformed"):
        composite(("consent", part))


@pytest.mark.parametrize("detail", ["", "member/AlderMSP/x", 'a "quoted" {"code":"expired","detail":""}', "Zürich \0"])
def test_a_refusal_is_found_behind_the_words_of_peer_and_gateway(detail: str) -> None:
    said = f"chaincode response 403, {refusal_text('forbidden', detail)}"
    assert read_refusal(said) == ("forbidden", detail)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chaincode stream terminated",
        '{"code":"forbidden"}',
        '{"code":1,"detail":""}',
        '{"code":"forbidden","detail":"","more":1}',
        '{"code":"forbidden","detail":""} and more',
        '{"code":',
    ],
)
def test_what_the_chaincode_has_not_said_is_no_refusal(text: str) -> None:
    assert read_refusal(text) is None
