"""The patient's receipt of a consent: made from the ledger's own blocks, checked again with the network off (C9)."""

from dataclasses import dataclass

from app.consent.artefact import Artefact
from app.consent.receipt import make_receipt as receipt_bytes
from app.consent.receipt import prove, receipt_hash, verify_receipt
from app.consent.sentences import sentences
from app.consent.tags import tag
from app.services.machine import Machine
from app.services.pairs import Pair
from ledger.gateway import Commit


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the patient takes home.

    Attributes:
        consent_id: of the ledger.
        transaction_id: of the grant.
        block: that holds it.
        at: the grant's own time, seconds UTC.
        sentences: the consent in the words that were signed.
        hash: of ``content``, as the QR code shows it.
        content: the receipt file, JSON.
    """

    consent_id: str
    transaction_id: str
    block: int
    at: int
    sentences: tuple[str, ...]
    hash: str
    content: bytes


def make_receipt(machine: Machine, pair: Pair, consent_id: str, commit: Commit) -> Receipt:
    """Return the receipt of a committed grant; it is verified before it is handed out.

    Raises:
        LookupError: the custodian holds no artefact of it.
        ReceiptError: it would prove nothing.
    """
    explained = pair.client.explain(pair.identity, pair.patient_id, [consent_id])
    opening = explained.artefacts[consent_id]
    artefact = Artefact.from_bytes(opening.content)
    genesis = next(iter(machine.gateway.blocks(0)))
    block = next(iter(machine.gateway.blocks(commit.block)))
    attested = pair.client.proof(commit.transaction_id).signed
    content = receipt_bytes(prove(artefact, opening.salt, genesis, block, commit.index, attested))
    custodian_key = machine.custodian_key(pair.custodian)
    verify_receipt(content, machine.gateway.network_id, tag=tag(pair.tag_key), custodian_key=custodian_key)
    return Receipt(
        consent_id,
        commit.transaction_id,
        commit.block,
        commit.at,
        sentences(artefact),
        receipt_hash(content),
        content,
    )


def keep_in_mailbox(pair: Pair, receipt: Receipt) -> None:
    """Put a receipt into the patient's mailbox at her hospital, where her own device finds it.

    Raises:
        CustodianRefusal: it is not the receipt of this consent of hers.
    """
    pair.client.keep_receipt(pair.identity, pair.patient_id, receipt.consent_id, receipt.content)


def find_receipt(machine: Machine, pair: Pair, consent_id: str) -> Receipt:
    """Return the receipt of a consent given earlier.

    Raises:
        LookupError: the ledger holds no grant of it, or the custodian no artefact.
    """
    granted = (
        event.transaction_id
        for event in machine.catch_up().events()
        if event.name == "ConsentGranted" and event.payload.get("consent_id") == consent_id
    )
    commit = machine.gateway.find_commit(next(granted, ""))
    if commit is None:
        raise LookupError(consent_id)
    return make_receipt(machine, pair, consent_id, commit)
