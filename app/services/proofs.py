"""Checking one entry again with nothing but what the custodian hands out and this machine's own genesis block (L3)."""

import hashlib
from dataclasses import dataclass

from app.custodian.results import Proof
from ledger import merkle
from ledger.blocks import Entry, verify_envelope
from ledger.contract import wire
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.encoding import from_base64
from ledger.faults import LedgerFaultError
from ledger.genesis import Genesis
from ledger.signatures import SignatureError, load_public_key, signed_bytes, verify_signature


class NotProvenError(Exception):
    """An entry is not what it is said to be.

    Attributes:
        code: ``block``, ``place``, ``signature``, ``entry`` or ``another``: the first thing that is not right.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Checked:
    """An entry that was found to be where it should be, unchanged.

    Attributes:
        transaction_id: of the entry.
        block: number of its block.
        number: of the entry in the block, from 1.
        at: when it was checked, seconds UTC.
        block_hash: lower-case hex.
    """

    transaction_id: str
    block: int
    number: int
    at: int
    block_hash: str


def check_entry(proof: Proof, genesis: Genesis, block_hash: str) -> Entry:
    """Verify an entry: the block's signature and hash, the Merkle path, the author's signature.

    Args:
        proof: from the custodian.
        genesis: of this ledger, verified.
        block_hash: of the block, from this machine's own verified replica.

    Raises:
        NotProvenError: the first thing that is not right.
    """
    header, signature, envelope, index, path = _parts(proof.content)
    raw = encode(header)
    if hashlib.sha256(raw).hexdigest() != block_hash or header.get("number") != proof.block:
        raise NotProvenError("block", "another block stands here")
    try:
        verify_signature(load_public_key(genesis.ledger_key), signed_bytes("block", genesis.network_id, raw), signature)
        count, root = wire.integer(header["count"]), bytes.fromhex(wire.text(header["merkle_root"]))
        merkle.verify_path(merkle.leaf_hash(envelope), index, count, path, root)
        entry = verify_envelope(envelope, genesis)
    except SignatureError as error:
        raise NotProvenError("signature", str(error)) from None
    except merkle.MerkleError as error:
        raise NotProvenError("place", str(error)) from None
    except LedgerFaultError as fault:
        raise NotProvenError("entry", str(fault)) from None
    if entry.transaction_id != proof.transaction_id or index in wire.items(header["invalid"]):
        raise NotProvenError("another", "it is not this entry, or it was recorded as invalid")
    return entry


def _parts(content: dict[str, Json]) -> tuple[dict[str, Json], bytes, bytes, int, list[bytes]]:
    try:
        return (
            decode_object(wire.text(content["header"]).encode("ascii")),
            from_base64(wire.text(content["block_signature"])),
            wire.text(content["envelope"]).encode("ascii"),
            wire.integer(content["index"]),
            [bytes.fromhex(each) for each in wire.strings(content["path"])],
        )
    except (ContractError, ValueError, KeyError) as error:
        raise NotProvenError("block", f"not the form of a proof: {error}") from None
