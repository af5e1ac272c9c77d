"""The offline verifier on consent receipts (PROTOCOL.md E.5, C9)."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.consent.receipt import make_receipt
from ledger.contract.canonical import encode
from tests.support.receipts import CAROL, CUSTODIAN_KEY, ERIN, Granted, attested, granted
from tests.support.verifier import load, run

VERIFIER = load()


@pytest.fixture(scope="module")
def receipt() -> bytes:
    return make_receipt(granted().proof)


def verified(folder: Path, content: bytes, **options: Any) -> Any:
    (folder / "receipt").write_bytes(content)
    return VERIFIER.verify(folder / "receipt", **options)


def test_a_receipt_verifies(tmp_path: Path, receipt: bytes) -> None:
    (tmp_path / "receipt").write_bytes(receipt)
    network_id = json.loads(receipt)["ledger"]["network_id"]
    status, verdict = run(tmp_path / "receipt", "--network", network_id)
    assert status == 0
    assert (verdict["ok"], verdict["kind"], verdict["network_id"]) == (True, "receipt", network_id)
    assert verdict["fingerprint"] == hashlib.sha256(receipt).hexdigest()
    sentence = VERIFIER.sentence(VERIFIER.verify(tmp_path / "receipt"))
    assert sentence.startswith(f"Verified: a consent in block 1 of ledger {network_id}; ")


def test_another_ledgers_receipt_is_refused(tmp_path: Path, receipt: bytes) -> None:
    assert not verified(tmp_path, receipt, network="0" * 64).ok


PROOF_FIELDS = ["artefact", "salt", "genesis", "header", "envelope", "path"]


@pytest.mark.parametrize("name", PROOF_FIELDS)
def test_every_part_of_the_proof_counts(tmp_path: Path, receipt: bytes, name: str) -> None:
    value = json.loads(receipt)["proof"][name]
    text = encode(value)
    for position in range(3, len(text) - 3, max(1, len(text) // 40)):
        changed = bytearray(text)
        changed[position] ^= 1
        content = receipt.replace(b'"%b":%b' % (name.encode(), text), b'"%b":%b' % (name.encode(), bytes(changed)))
        assert content != receipt
        assert not verified(tmp_path, content).ok


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no proof": lambda content: content.update(proof=None),
    "another id": lambda content: content.update(consentReceiptID="0" * 64),
    "another time": lambda content: content.update(consentTimestamp=1),
    "another patient": lambda content: content.update(piiPrincipalId="bob"),
    "another block": lambda content: content["ledger"].update(block=2),
    "another hash": lambda content: content["ledger"].update(block_hash="0" * 64),
    "another index": lambda content: content["proof"].update(index=3),
    "an index beyond": lambda content: content["proof"].update(index=9),
    "a long path": lambda content: content["proof"]["path"].append("0" * 64),
    "a short path": lambda content: content["proof"]["path"].clear(),
    "no header": lambda content: content["proof"].update(header="{}"),
    "no salt": lambda content: content["proof"].update(salt="!"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edited_receipt_is_refused(tmp_path: Path, receipt: bytes, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(receipt)
    edit(content)
    assert not verified(tmp_path, encode(content)).ok


def rewritten(whole: Granted) -> bytes:
    """Return a receipt over other entries, as someone with the ledger key would write it."""
    proof = whole.proof
    content: dict[str, Any] = json.loads(make_receipt(granted().proof))
    header = json.loads(proof.header)["header"]
    entry = VERIFIER.Inside(VERIFIER.parse_genesis(proof.genesis)).entry(proof.envelope, 1, proof.index)
    told = json.loads(json.loads(proof.envelope)["transaction"]["arguments"])
    content["ledger"] |= {
        "transaction_id": entry.identity.hex(),
        "block_hash": hashlib.sha256(encode(header)).hexdigest(),
    }
    content |= {"consentReceiptID": entry.identity.hex(), "piiPrincipalId": told["patient_id"]}
    content["proof"] |= {
        "header": proof.header.decode(),
        "envelope": proof.envelope.decode(),
        "path": [each.hex() for each in proof.path],
    }
    return encode(content)


def test_a_representatives_grant_verifies(tmp_path: Path) -> None:
    assert verified(tmp_path, rewritten(granted())).ok
    assert verified(tmp_path, rewritten(granted(signer=ERIN))).ok


def test_what_is_no_valid_grant_of_the_patient_is_refused(tmp_path: Path) -> None:
    for whole in (
        granted(invalid=(4,)),
        granted(name="RevokeConsent"),
        granted(signer=CAROL),
        granted(arguments={"patient_id": "bob"}),
        granted(arguments={"artefact_commitment": "0" * 64}),
    ):
        verdict = verified(tmp_path, rewritten(whole))
        assert (verdict.ok, verdict.block, verdict.entry) == (False, 1, 4)


KEY = base64.b64encode(CUSTODIAN_KEY.public_key).decode()


def test_with_the_fingerprint_not_one_byte_can_be_another(tmp_path: Path) -> None:
    receipt = make_receipt(attested(granted()))
    known = hashlib.sha256(receipt).hexdigest()
    assert verified(tmp_path, receipt, fingerprint=known, custodian_key=KEY).attested
    for position in range(0, len(receipt), max(1, len(receipt) // 150)):
        changed = bytearray(receipt)
        changed[position] ^= 1
        assert not verified(tmp_path, bytes(changed), fingerprint=known).ok


def test_the_custodians_word_is_of_this_entry_and_with_its_key_signed_by_it(tmp_path: Path) -> None:
    whole = granted()
    assert verified(tmp_path, make_receipt(attested(whole)), custodian_key=KEY).ok
    assert not verified(tmp_path, make_receipt(attested(whole, block=2))).ok
    assert not verified(tmp_path, make_receipt(attested(whole, transaction_id="0" * 64))).ok
    assert not verified(tmp_path, make_receipt(whole.proof), custodian_key=KEY).ok
    assert not verified(tmp_path, make_receipt(attested(whole)), custodian_key="no key").ok
    another = base64.b64encode(granted().genesis.ledger_key).decode()
    assert not verified(tmp_path, make_receipt(attested(whole)), custodian_key=another).ok
    text = json.loads(make_receipt(attested(whole)))["proof"]["custodian"].encode()
    for position in range(3, len(text) - 3, 5):
        changed = bytearray(text)
        changed[position] ^= 1
        content = json.loads(make_receipt(attested(whole)))
        content["proof"]["custodian"] = bytes(changed).decode()
        assert not verified(tmp_path, encode(content), custodian_key=KEY).ok


def test_the_command_takes_what_is_known(tmp_path: Path) -> None:
    receipt = make_receipt(attested(granted()))
    (tmp_path / "receipt").write_bytes(receipt)
    known = ("--fingerprint", hashlib.sha256(receipt).hexdigest(), "--custodian-key", KEY)
    assert run(tmp_path / "receipt", *known)[0] == 0
    assert run(tmp_path / "receipt", "--fingerprint", "0" * 64)[0] == 1
