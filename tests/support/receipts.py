"""A ledger of two blocks that holds alice's grant, made by hand, for tests of receipts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.consent.artefact import Artefact, sharing
from app.consent.compile import Compiled, compile_consent
from app.consent.receipt import Proof, make_receipt, prove
from app.consent.tags import Tag, tag
from ledger.blocks import block_content, envelope_content, header_content, transaction_content
from ledger.commitments import commitment
from ledger.contract.canonical import encode
from ledger.encoding import to_base64
from ledger.genesis import Genesis, genesis_block, genesis_content, verify_genesis
from ledger.signatures import SoftwareKey, signed_bytes
from tests.support.certificates import NOW, Hospital, Person, private_key_of
from tests.support.sharing import ASKED, signing

SALT = b"s" * 32
TAG: Tag = tag(b"alice and alder")
LEDGER_KEY = SoftwareKey(private_key_of("ledger"))
CUSTODIAN_KEY = SoftwareKey(private_key_of("custodian"))
BIRCH = Hospital("BirchMSP")
ALDER = Hospital("AlderMSP")
ALICE = BIRCH.issue("alice", "patient")
ERIN = BIRCH.issue("erin", "proxy")
CAROL = ALDER.issue("carol", "practitioner")


@dataclass(frozen=True)
class Granted:
    """A recorded grant.

    Attributes:
        proof: everything a receipt needs.
        genesis: of the ledger.
        stored: the block as stored.
    """

    proof: Proof
    genesis: Genesis
    stored: bytes


def alices_artefact(**changes: Any) -> Artefact:
    """Return carol's sharing, signed by alice; ``changes`` are of the signing."""
    plain: dict[str, Any] = {"patient_id": ALICE.subject, "at": NOW}
    return sharing(ASKED, signing(**plain | changes))


def a_genesis() -> bytes:
    """Return block 0 of both hospitals."""
    content = genesis_content({"AlderMSP": ALDER.roots, "BirchMSP": BIRCH.roots}, LEDGER_KEY.public_key, NOW, b"n" * 16)
    network_id = hashlib.sha256(content).hexdigest()
    return genesis_block(content, LEDGER_KEY.sign(signed_bytes("genesis", network_id, content)))


def granted(
    artefact: Artefact | None = None,
    signer: Person = ALICE,
    *,
    name: str = "GrantConsent",
    arguments: Mapping[str, Any] | None = None,
    invalid: tuple[int, ...] = (),
    count: int = 5,
    index: int = 4,
    header: Mapping[str, Any] | None = None,
) -> Granted:
    """Return a grant recorded at ``index`` of a block of ``count`` entries.

    Args:
        artefact: alice's by default.
        signer: who signed the transaction.
        name: of the transaction.
        arguments: changes to its arguments.
        invalid: entries recorded as invalid.
        count: of entries.
        index: of the grant.
        header: changes to the block's signed header.
    """
    artefact = artefact or alices_artefact()
    genesis_raw = a_genesis()
    genesis = verify_genesis(genesis_raw)
    compiled = compile_consent(artefact.consent, artefact.context, TAG)
    assert isinstance(compiled, Compiled)
    told: dict[str, Any] = {
        "patient_id": ALICE.subject,
        "consent_id": "c4rt8",
        **compiled.terms(),
        "retention_days": artefact.retention_days,
        "artefact_commitment": commitment(SALT, artefact.to_bytes()),
        "replaces": "",
        **(arguments or {}),
    }
    envelopes = [
        _envelope(genesis.network_id, signer, name, told, number) if number == index
        else _envelope(genesis.network_id, CAROL, "WithdrawConsent", {"consent_id": str(number)}, number)
        for number in range(count)
    ]  # fmt: skip
    content = header_content(1, genesis.network_id, NOW + 5, envelopes, invalid)
    if header is not None:
        content = encode(json.loads(content) | dict(header))
    stored = block_content(content, LEDGER_KEY.sign(signed_bytes("block", genesis.network_id, content)), envelopes)
    return Granted(prove(artefact, SALT, genesis_raw, stored, index), genesis, stored)


def attested(whole: Granted, key: SoftwareKey = CUSTODIAN_KEY, **changes: Any) -> Proof:
    """Return the proof with the custodian's signed reply; ``changes`` are of the reply."""
    ledger = json.loads(make_receipt(whole.proof))["ledger"]
    reply: dict[str, Any] = {
        "type": "proof",
        "network_id": whole.genesis.network_id,
        "request": "00",
        "transaction_id": ledger["transaction_id"],
        "block": ledger["block"],
        "block_hash": ledger["block_hash"],
        "content": {"index": 4},
    }
    reply |= changes
    signature = key.sign(signed_bytes("proof", whole.genesis.network_id, encode(reply)))
    return replace(whole.proof, custodian=encode({"reply": reply, "signature": to_base64(signature)}))


def _envelope(network_id: str, signer: Person, name: str, arguments: Mapping[str, Any], number: int) -> bytes:
    transaction = transaction_content(network_id, bytes([number]) * 24, NOW, signer, name, encode(arguments))
    return envelope_content(0, signer.sign(signed_bytes("transaction", network_id, transaction)), transaction)
