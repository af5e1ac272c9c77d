"""The consent receipt (C9): what the patient takes home, and anyone can check with the network off (PROTOCOL.md E.5).

A receipt is one canonical JSON object: members of the Kantara consent receipt 1.1 (where it has none, of ISO/IEC TS
27560) for people and their tools, and ``proof``: artefact and salt, the signed envelope, the block's signed header, the
Merkle path between them, the genesis block with the CA certificates, and what the custodian signed. Everything outside
``proof`` follows from it, so verifying makes the receipt again and compares.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.consent import codes
from app.consent.artefact import POLICY_URI, Artefact
from app.consent.compile import Compiled, compile_consent
from app.consent.reading import Signed, UnreadableError, read_artefact
from app.consent.sentences import sentences, texts, who
from app.consent.tags import Tag
from ledger import merkle
from ledger.blocks import Entry, verify_envelope
from ledger.commitments import CommitmentError, verify_commitment
from ledger.contract import wire
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.encoding import from_base64, to_base64
from ledger.faults import LedgerFaultError
from ledger.genesis import Genesis, verify_genesis
from ledger.signatures import SignatureError, load_public_key, signed_bytes, verify_signature

VERSION: Final = "KI-CR-v1.1.0"
SCHEMA: Final = "assent-consent-receipt/1"
_PROOF: Final = frozenset({"artefact", "salt", "genesis", "header", "envelope", "index", "path", "custodian"})
_ERRORS: Final = (ContractError, ValueError, LookupError, TypeError)


class ReceiptError(Exception):
    """A receipt does not prove what it says.

    Attributes:
        code: ``malformed``, ``genesis``, ``block``, ``not-in-block``, ``not-valid``, ``signature``, ``signer``,
            ``artefact``, ``provision``, ``custodian`` or ``text``: the first thing that is not right.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything a receipt proves from.

    Attributes:
        artefact, salt: open the commitment on the ledger.
        genesis: block 0 as stored.
        header: first line of the stored block: header and ledger key's signature.
        envelope: the signed transaction, as it stands in the block.
        index, path: its place in the block and the Merkle siblings from the bottom up.
        custodian: the custodian's signed reply to Proof, empty if there is none.
    """

    artefact: Artefact
    salt: bytes
    genesis: bytes
    header: bytes
    envelope: bytes
    index: int
    path: tuple[bytes, ...]
    custodian: bytes = b""


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt was found to prove.

    Attributes:
        signed_at: the transaction's own time, seconds UTC.
        block, block_hash: where the ledger holds it.
        sentences: the consent in the words that were signed.
        is_compiled: the provision on the ledger was recomputed with the patient's tag key.
        is_attested: the custodian's signature was checked.
    """

    network_id: str
    transaction_id: str
    consent_id: str
    patient_id: str
    signed_at: int
    block: int
    block_hash: str
    sentences: tuple[str, ...]
    is_compiled: bool
    is_attested: bool


def prove(
    artefact: Artefact, salt: bytes, genesis_block: bytes, stored_block: bytes, index: int, custodian: bytes = b""
) -> Proof:
    """Return the proof that entry ``index`` of a stored block holds the grant of ``artefact``."""
    header, *envelopes = stored_block.split(b"\n")
    tree = merkle.levels([merkle.leaf_hash(each) for each in envelopes])
    path = tuple(merkle.path(tree, index))
    return Proof(artefact, salt, genesis_block, header, envelopes[index], index, path, custodian)


def make_receipt(proof: Proof) -> bytes:
    """Return the canonical bytes of the receipt.

    Raises:
        ReceiptError: what is put into it proves nothing.
    """
    genesis, header, entry = _chain(proof)
    return encode(_content(proof, genesis, header, entry))


def receipt_hash(receipt: bytes) -> str:
    """Return the lower-case hex SHA-256 that the receipt's QR code shows."""
    return hashlib.sha256(receipt).hexdigest()


def verify_receipt(
    untrusted: bytes, network_id: str, *, tag: Tag | None = None, custodian_key: bytes | None = None
) -> VerifiedReceipt:
    """Check a receipt without a network.

    Args:
        untrusted: the receipt.
        network_id: the ledger's id, known from elsewhere: it fixes the organizations' CAs and the ledger key.
        tag: with the patient's tag key, the provision is compiled again and compared.
        custodian_key: SubjectPublicKeyInfo of the custodian, known from elsewhere, to check what it signed.

    Raises:
        ReceiptError: the first thing that is not right.
    """
    proof = _read(untrusted)
    genesis, header, entry = _chain(proof)
    if genesis.network_id != network_id:
        raise ReceiptError("genesis", "another ledger's")
    arguments = _grant(proof, entry)
    if tag is not None:
        _verify_provision(proof.artefact, arguments, tag)
    number, block_hash = wire.integer(header["number"]), hashlib.sha256(encode(header)).hexdigest()
    if custodian_key is not None:
        _verify_custodian(proof, genesis.network_id, (entry.transaction_id, number, block_hash), custodian_key)
    if encode(_content(proof, genesis, header, entry)) != untrusted:
        raise ReceiptError("text", "the words are not those of the consent")
    return VerifiedReceipt(
        network_id=genesis.network_id,
        transaction_id=entry.transaction_id,
        consent_id=wire.text(arguments["consent_id"]),
        patient_id=wire.text(arguments["patient_id"]),
        signed_at=entry.at,
        block=number,
        block_hash=block_hash,
        sentences=sentences(proof.artefact),
        is_compiled=tag is not None,
        is_attested=custodian_key is not None,
    )


def _read(untrusted: bytes) -> Proof:
    try:
        proof = wire.members(decode_object(untrusted)["proof"])
        if proof.keys() != _PROOF:
            raise ReceiptError("malformed", "members of the proof")
        return Proof(
            artefact=Artefact.from_bytes(encode(proof["artefact"])),
            salt=from_base64(wire.text(proof["salt"])),
            genesis=wire.text(proof["genesis"]).encode("ascii"),
            header=wire.text(proof["header"]).encode("ascii"),
            envelope=wire.text(proof["envelope"]).encode("ascii"),
            index=wire.integer(proof["index"]),
            path=tuple(bytes.fromhex(each) for each in wire.strings(proof["path"])),
            custodian=wire.text(proof["custodian"]).encode("ascii"),
        )
    except _ERRORS as error:
        raise ReceiptError("malformed", str(error)) from None


def _chain(proof: Proof) -> tuple[Genesis, dict[str, Json], Entry]:
    """Return genesis, header and entry: signed, linked by the path, and valid."""
    try:
        genesis = verify_genesis(proof.genesis)
    except LedgerFaultError as fault:
        raise ReceiptError("genesis", str(fault)) from None
    header = _header(proof.header, genesis)
    _verify_place(proof, header)
    try:
        return genesis, header, verify_envelope(proof.envelope, genesis)
    except LedgerFaultError as fault:
        raise ReceiptError("signature", str(fault)) from None


def _header(untrusted: bytes, genesis: Genesis) -> dict[str, Json]:
    try:
        line = decode_object(untrusted)
        header, signature = wire.members(line["header"]), from_base64(wire.text(line["signature"]))
        message = signed_bytes("block", genesis.network_id, encode(header))
        verify_signature(load_public_key(genesis.ledger_key), message, signature)
        for name in ("number", "count", "at"):
            wire.integer(header[name])
        wire.items(header["invalid"])
        bytes.fromhex(wire.text(header["merkle_root"]))
    except (*_ERRORS, SignatureError) as error:
        raise ReceiptError("block", str(error)) from None
    return header


def _verify_place(proof: Proof, header: dict[str, Json]) -> None:
    leaf, count = merkle.leaf_hash(proof.envelope), wire.integer(header["count"])
    try:
        merkle.verify_path(leaf, proof.index, count, proof.path, bytes.fromhex(wire.text(header["merkle_root"])))
    except merkle.MerkleError as error:
        raise ReceiptError("not-in-block", str(error)) from None
    if proof.index in wire.items(header["invalid"]):
        raise ReceiptError("not-valid", "the entry was recorded as invalid")


def _grant(proof: Proof, entry: Entry) -> dict[str, Json]:
    """Return the arguments of the grant, which must commit to this artefact and come from whoever may sign it."""
    signed = _signed(proof.artefact)
    party = signed.signing.party
    try:
        arguments = decode_object(entry.arguments)
        verify_commitment(wire.text(arguments["artefact_commitment"]), proof.salt, proof.artefact.to_bytes())
        told = (arguments["patient_id"], arguments["consent_id"], arguments["retention_days"])
    except (*_ERRORS, CommitmentError) as error:
        raise ReceiptError("artefact", str(error)) from None
    if told != (party.patient_id, signed.signing.consent_id, proof.artefact.retention_days):
        raise ReceiptError("artefact", "the artefact is another consent's")
    expected = (party.custodian, party.representative or party.patient_id)
    if entry.name != "GrantConsent" or (entry.caller.msp_id, entry.caller.subject) != expected:
        raise ReceiptError("signer", "not granted by the patient or her representative")
    return arguments


def _signed(artefact: Artefact) -> Signed:
    try:
        return read_artefact(artefact)
    except UnreadableError as error:
        raise ReceiptError("artefact", str(error)) from None


def _verify_provision(artefact: Artefact, arguments: dict[str, Json], tag: Tag) -> None:
    compiled = compile_consent(artefact.consent, artefact.context, tag)
    granted = {name: arguments.get(name) for name in ("base", "nested")}
    if not isinstance(compiled, Compiled) or compiled.terms_bytes() != encode(granted):
        raise ReceiptError("provision", "the ledger holds another provision")


def _verify_custodian(proof: Proof, network_id: str, expected: tuple[str, int, str], custodian_key: bytes) -> None:
    """Check the custodian's signed ``{transaction_id, block, block_hash}``, its reply to Proof."""
    try:
        outer = decode_object(proof.custodian)
        reply, signature = wire.members(outer["reply"]), from_base64(wire.text(outer["signature"]))
        message = signed_bytes("proof", network_id, encode(reply))
        verify_signature(load_public_key(custodian_key), message, signature)
        told = (reply["transaction_id"], reply["block"], reply["block_hash"])
    except (*_ERRORS, SignatureError) as error:
        raise ReceiptError("custodian", str(error)) from None
    if told != expected or reply.get("type") != "proof" or reply.get("network_id") != network_id:
        raise ReceiptError("custodian", "the custodian signed for another transaction")


def _content(proof: Proof, genesis: Genesis, header: dict[str, Json], entry: Entry) -> dict[str, Json]:
    signed = _signed(proof.artefact)
    signing = signed.signing
    return {
        "version": VERSION,
        "schema_version": SCHEMA,
        "jurisdiction": "not stated",
        "consentTimestamp": entry.at,
        "collectionMethod": "read, checked and signed with the patient's own key",
        "consentReceiptID": entry.transaction_id,
        "language": signing.language,
        "piiPrincipalId": signing.party.patient_id,
        "piiControllers": [
            {"piiController": signing.party.custodian_name, "onBehalf": False, "msp_id": signing.party.custodian}
        ],
        "policyUrl": POLICY_URI,
        "services": [{"service": "Assent", "purposes": [_purpose(proof.artefact, signed)]}],
        "sensitive": True,
        "spiCat": ["health"],
        "ledger": {
            "network_id": genesis.network_id,
            "transaction_id": entry.transaction_id,
            "block": header["number"],
            "block_hash": hashlib.sha256(encode(header)).hexdigest(),
            "block_at": header["at"],
        },
        "proof": {
            "artefact": decode_object(proof.artefact.to_bytes()),
            "salt": to_base64(proof.salt),
            "genesis": proof.genesis.decode("ascii"),
            "header": proof.header.decode("ascii"),
            "envelope": proof.envelope.decode("ascii"),
            "index": proof.index,
            "path": _hex(proof.path),
            "custodian": proof.custodian.decode("ascii"),
        },
    }


def _purpose(artefact: Artefact, signed: Signed) -> dict[str, Json]:
    """Return the one purpose of the receipt: the words, and for tools the codes."""
    language = signed.signing.language
    purpose: dict[str, Json] = {
        "purpose": " ".join(sentences(artefact)),
        "consentType": "EXPLICIT",
        "form": signed.form.value,
        "primaryPurpose": True,
        "termination": texts(language).say("fact_stop"),
        "thirdPartyDisclosure": signed.terms is not None,
    }
    if signed.terms is not None:
        terms = signed.terms
        purpose |= {
            "purposeCategory": [codes.purpose_code(terms.purpose), *_ai_purposes(signed)],
            "piiCategory": [*sorted(terms.categories)],
            "thirdPartyName": who(terms.grantee, language),
            "retention_days": terms.keep_open_days,
            "expires_at": signed.signing.at + terms.keep_open_days * 86_400,
        }
    return purpose


def _ai_purposes(signed: Signed) -> list[str]:
    terms = signed.terms
    asked = {"TREATDS": terms is not None and terms.ai_inference, "MLTRAINING": terms is not None and terms.ai_training}
    return [code for code, allowed in asked.items() if allowed]


def _hex(siblings: Sequence[bytes]) -> list[Json]:
    return [each.hex() for each in siblings]
