"""The consent receipt: made from the ledger's own bytes, checked with the network off (C9, PROTOCOL.md E.5)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.consent.artefact import block, dissent
from app.consent.receipt import Proof, ReceiptError, VerifiedReceipt, make_receipt, prove, receipt_hash, verify_receipt
from app.consent.sentences import sentences
from app.consent.tags import tag
from ledger.blocks import block_content, header_content, verify_envelope
from ledger.contract.canonical import decode_object, encode
from ledger.signatures import SoftwareKey, signed_bytes
from tests.support.certificates import NOW, private_key_of
from tests.support.receipts import (
    ALICE,
    BIRCH,
    CAROL,
    CUSTODIAN_KEY,
    ERIN,
    LEDGER_KEY,
    SALT,
    TAG,
    Granted,
    alices_artefact,
    attested,
    granted,
)
from tests.support.sharing import CAROL as GRANTEE
from tests.support.sharing import signing

WHOLE = granted()
RECEIPT = make_receipt(attested(WHOLE))
NETWORK = WHOLE.genesis.network_id


def check(receipt: bytes, **changes: Any) -> VerifiedReceipt:
    return verify_receipt(receipt, NETWORK, **changes)


def refused(receipt: bytes, network_id: str = NETWORK, **changes: Any) -> str:
    with pytest.raises(ReceiptError) as error:
        verify_receipt(receipt, network_id, **changes)
    return error.value.code


def test_a_receipt_proves_the_grant() -> None:
    entry = verify_envelope(WHOLE.proof.envelope, WHOLE.genesis)
    header = decode_object(WHOLE.proof.header)["header"]
    verified = check(RECEIPT, tag=TAG, custodian_key=CUSTODIAN_KEY.public_key)
    assert verified == VerifiedReceipt(
        network_id=NETWORK,
        transaction_id=entry.transaction_id,
        consent_id="c4rt8",
        patient_id=ALICE.subject,
        signed_at=NOW,
        block=1,
        block_hash=receipt_hash(encode(header)),
        sentences=sentences(alices_artefact()),
        is_compiled=True,
        is_attested=True,
    )
    assert check(RECEIPT) == replace(verified, is_compiled=False, is_attested=False)


def test_its_members_are_those_of_the_standard() -> None:
    receipt = json.loads(RECEIPT)
    assert encode(receipt) == RECEIPT
    assert receipt["version"] == "KI-CR-v1.1.0"
    assert receipt["consentTimestamp"] == NOW
    assert receipt["consentReceiptID"] == receipt["ledger"]["transaction_id"]
    assert receipt["language"] == "en"
    assert receipt["piiPrincipalId"] == ALICE.subject
    assert receipt["piiControllers"] == [{"piiController": "Birch Hospital", "onBehalf": False, "msp_id": "BirchMSP"}]
    assert receipt["policyUrl"] == "https://assent.example.org/policies/sharing/1"
    assert (receipt["sensitive"], receipt["spiCat"], receipt["jurisdiction"]) == (True, ["health"], "not stated")
    assert receipt["services"] == [
        {
            "service": "Assent",
            "purposes": [
                {
                    "purpose": " ".join(sentences(alices_artefact())),
                    "consentType": "EXPLICIT",
                    "form": "sharing",
                    "primaryPurpose": True,
                    "termination": "You can stop it on any day, in a few seconds.",
                    "thirdPartyDisclosure": True,
                    "thirdPartyName": "Dr Carol Specimen of Alder Hospital",
                    "purposeCategory": ["TREAT", "TREATDS", "MLTRAINING"],
                    "piiCategory": ["cytology", "image", "laboratory"],
                    "retention_days": 30,
                    "expires_at": NOW + 30 * 86_400,
                }
            ],
        }
    ]
    assert receipt["ledger"] == {
        "network_id": NETWORK,
        "transaction_id": receipt["consentReceiptID"],
        "block": 1,
        "block_hash": receipt["ledger"]["block_hash"],
        "block_at": NOW + 5,
    }
    assert len(receipt_hash(RECEIPT)) == 64


def test_a_receipt_in_the_patients_language() -> None:
    receipt = make_receipt(granted(alices_artefact(language="de")).proof)
    (purpose,) = json.loads(receipt)["services"][0]["purposes"]
    assert purpose["thirdPartyName"] == "Dr. Carol Specimen vom Alder Hospital"
    assert purpose["termination"] == "Sie können es an jedem Tag beenden, in wenigen Sekunden."
    assert check(receipt, tag=TAG).sentences[0].startswith("Dr. Carol Specimen vom Alder Hospital darf")


def test_blocks_and_dissents_have_receipts_too() -> None:
    hers = signing(patient_id=ALICE.subject, at=NOW)
    for artefact, form in (
        (block(GRANTEE, hers, emergency_opens=True), "block"),
        (dissent(hers, emergency_opens=False), "dissent"),
    ):
        receipt = make_receipt(granted(artefact).proof)
        (purpose,) = json.loads(receipt)["services"][0]["purposes"]
        assert (purpose["form"], purpose["thirdPartyDisclosure"]) == (form, False)
        assert "purposeCategory" not in purpose
        assert check(receipt, tag=TAG).sentences == sentences(artefact)


@pytest.mark.parametrize(("count", "index"), [(1, 0), (2, 1), (5, 0), (5, 4), (6, 3)])
def test_every_place_in_a_block_is_proved(count: int, index: int) -> None:
    assert check(make_receipt(granted(count=count, index=index).proof)).block == 1


def test_a_representative_signs_for_the_patient() -> None:
    hers = alices_artefact(representative=ERIN.subject)
    assert check(make_receipt(granted(hers, ERIN).proof), tag=TAG).patient_id == ALICE.subject
    assert refused(make_receipt(granted(hers, ALICE).proof)) == "signer"


WRONG_GRANTS: list[tuple[dict[str, Any], str]] = [
    ({"signer": CAROL}, "signer"),
    ({"signer": BIRCH.issue("bob", "patient")}, "signer"),
    ({"name": "RevokeConsent"}, "signer"),
    ({"arguments": {"patient_id": "b" * 26}}, "artefact"),
    ({"arguments": {"consent_id": "other"}}, "artefact"),
    ({"arguments": {"retention_days": 90}}, "artefact"),
    ({"arguments": {"artefact_commitment": "0" * 64}}, "artefact"),
    ({"arguments": {"artefact_commitment": 5}}, "artefact"),
]


@pytest.mark.parametrize(("changes", "code"), WRONG_GRANTS)
def test_another_transaction_is_no_grant_of_hers(changes: dict[str, Any], code: str) -> None:
    assert refused(make_receipt(granted(**changes).proof)) == code


def test_the_provision_on_the_ledger_must_be_the_compiled_one() -> None:
    other = granted(alices_artefact(), arguments={"nested": []})
    receipt = make_receipt(other.proof)
    assert check(receipt).consent_id == "c4rt8"
    assert refused(receipt, tag=TAG) == "provision"
    assert refused(RECEIPT, tag=tag(b"another key")) == "provision"


def test_an_invalid_entry_granted_nothing() -> None:
    with pytest.raises(ReceiptError) as error:
        make_receipt(granted(invalid=(1, 4)).proof)
    assert error.value.code == "not-valid"
    assert check(make_receipt(granted(invalid=(1, 3)).proof)).block == 1


def edited(path: str, value: Any) -> bytes:
    """Return the receipt with one place that holds something else."""
    receipt = json.loads(RECEIPT)
    *outer, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = receipt
    for part in outer:
        place = place[part]
    place[last] = value(place[last]) if callable(value) else value
    return encode(receipt)


def swapped(text: str) -> str:
    """Return the text with one character in its middle changed."""
    middle = len(text) // 2
    return text[:middle] + ("B" if text[middle] == "A" else "A") + text[middle + 1 :]


EDITS: list[tuple[str, Any, str]] = [
    ("version", "KI-CR-v1.2", "text"),
    ("consentTimestamp", NOW + 1, "text"),
    ("services.0.purposes.0.purpose", "Everybody may open everything.", "text"),
    ("services.0.purposes.0.expires_at", 0, "text"),
    ("piiPrincipalId", "bob", "text"),
    ("ledger.block", 2, "text"),
    ("proof.index", 3, "not-in-block"),
    ("proof.index", 5, "not-in-block"),
    ("proof.index", -1, "not-in-block"),
    ("proof.index", "4", "malformed"),
    ("proof.path", [], "not-in-block"),
    ("proof.path", ["zz"], "malformed"),
    ("proof.path", None, "malformed"),
    ("proof.salt", "AAAA", "artefact"),
    ("proof.salt", "not base64", "malformed"),
    ("proof.envelope", swapped, "not-in-block"),
    ("proof.envelope", "ü", "malformed"),
    ("proof.header", swapped, "block"),
    ("proof.header", "{}", "block"),
    ("proof.genesis", swapped, "genesis"),
    ("proof.genesis", "", "genesis"),
    ("proof.artefact.retention_days", 90, "artefact"),
    ("proof.artefact.language", "fr", "artefact"),
    ("proof.artefact.assisted_by", "", "artefact"),
    ("proof.artefact.context.zone", "+05:00", "artefact"),
    ("proof.artefact.consent", lambda text: text.replace("TREAT", "HMARKT"), "artefact"),
    ("proof.artefact.note", "", "malformed"),
    ("proof.artefact", None, "malformed"),
    ("proof.note", "", "malformed"),
    ("proof", None, "malformed"),
    ("note", "", "text"),
]


@pytest.mark.parametrize(("path", "value", "code"), EDITS)
def test_a_receipt_that_was_changed_proves_nothing(path: str, value: Any, code: str) -> None:
    assert refused(edited(path, value)) == code


def test_what_is_no_receipt() -> None:
    for raw in (b"", b"{}", b"[]", RECEIPT + b" ", RECEIPT[:-1], b'{"proof":{}}', b"\xff"):
        assert refused(raw) == "malformed"


def test_the_ledger_must_be_the_one_that_was_meant() -> None:
    assert refused(RECEIPT, "0" * 64) == "genesis"


def test_an_entry_must_be_signed_by_its_creator() -> None:
    """The block is signed by the ledger key and holds the entry, but the creator did not sign it."""
    forged = granted(header={})
    honest = forged.proof.envelope
    other = granted(signer=CAROL, arguments={"replaces": "x"}).proof.envelope
    signature = decode_object(other)["signature"]
    assert isinstance(signature, str)
    broken = decode_object(honest) | {"signature": signature}
    with pytest.raises(ReceiptError) as error:
        make_receipt(_reblocked(forged, encode(broken)))
    assert error.value.code == "signature"


def _reblocked(whole: Granted, envelope: bytes) -> Proof:
    """Return the proof of a block that holds ``envelope`` alone, signed by the ledger key."""
    content = header_content(1, NETWORK, NOW, [envelope], ())
    stored = block_content(content, LEDGER_KEY.sign(signed_bytes("block", NETWORK, content)), [envelope])
    return prove(whole.proof.artefact, SALT, whole.proof.genesis, stored, 0)


HEADERS: list[dict[str, Any]] = [
    {"number": "1"},
    {"count": None},
    {"at": True},
    {"invalid": 5},
    {"merkle_root": 5},
    {"merkle_root": "zz"},
]


@pytest.mark.parametrize("changes", HEADERS)
def test_a_header_of_another_form_is_refused_even_when_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(ReceiptError) as error:
        make_receipt(granted(header=changes).proof)
    assert error.value.code == "block"


ATTESTATIONS: list[dict[str, Any]] = [
    {"transaction_id": "0" * 64},
    {"block": 2},
    {"block_hash": "0" * 64},
    {"type": "release"},
    {"network_id": "0" * 64},
]


@pytest.mark.parametrize("changes", ATTESTATIONS)
def test_the_custodian_must_have_signed_for_this_transaction(changes: dict[str, Any]) -> None:
    receipt = make_receipt(attested(WHOLE, **changes))
    assert refused(receipt, custodian_key=CUSTODIAN_KEY.public_key) == "custodian"
    assert check(receipt).is_attested is False


def test_the_custodians_key_comes_from_elsewhere() -> None:
    mallory = SoftwareKey(private_key_of("mallory"))
    assert refused(make_receipt(attested(WHOLE, mallory)), custodian_key=CUSTODIAN_KEY.public_key) == "custodian"
    assert refused(make_receipt(WHOLE.proof), custodian_key=CUSTODIAN_KEY.public_key) == "custodian"
    assert refused(RECEIPT, custodian_key=b"no key") == "custodian"


def test_what_the_custodian_signed_is_part_of_the_receipt() -> None:
    receipt = json.loads(RECEIPT)
    receipt["proof"]["custodian"] = ""
    assert check(encode(receipt)).is_attested is False
    assert refused(encode(receipt), custodian_key=CUSTODIAN_KEY.public_key) == "custodian"
