"""Where the ledger holds an entry: envelope, header, Merkle path, as the verified replica has them (E.5, A42)."""

import hashlib

from app.custodian.desk import Desk
from app.custodian.messages import CustodianRefusal, Request, exactly, text
from ledger import merkle
from ledger.contract.canonical import Json, encode, load
from ledger.encoding import from_base64


def proof(desk: Desk, request: Request) -> tuple[dict[str, Json], bytes]:
    """Return what is signed about a valid transaction, and envelope, header and path, which prove themselves.

    Nothing in it is secret, so whoever knows the id may ask.

    Raises:
        CustodianRefusal: ``refused``: the verified ledger holds no valid transaction of this id.
    """
    exactly(request.fields, "transaction_id")
    transaction_id = text(request.fields, "transaction_id", 64)
    number = next((each.block for each in desk.replica.events() if each.transaction_id == transaction_id), None)
    if number is None:
        raise CustodianRefusal("refused")
    untrusted_block = next(iter(desk.gateway.blocks(number)))
    first, *envelopes = untrusted_block.split(b"\n")
    head = load(first)
    header = encode(head["header"])
    block_hash = desk.replica.block_hash(number)
    if hashlib.sha256(header).hexdigest() != block_hash:
        raise CustodianRefusal("halted", "the stored block is not the verified one")
    index = next(place for place, each in enumerate(envelopes) if _transaction_id(each) == transaction_id)
    tree = merkle.levels([merkle.leaf_hash(each) for each in envelopes])
    content = {
        "header": header.decode("ascii"),
        "block_signature": head["signature"],
        "envelope": envelopes[index].decode("ascii"),
        "index": index,
        "count": len(envelopes),
        "path": [sibling.hex() for sibling in merkle.path(tree, index)],
    }
    return {"transaction_id": transaction_id, "block": number, "block_hash": block_hash}, encode(content)


def _transaction_id(envelope: bytes) -> str:
    transaction = load(envelope)["transaction"]
    if not isinstance(transaction, dict):
        return ""
    return hashlib.sha256(from_base64(str(transaction["nonce"])) + encode(transaction["creator"])).hexdigest()
