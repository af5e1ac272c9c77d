"""The genesis block: whom an embedded ledger trusts, and so what its id means (PROTOCOL.md C0).

Block 0 is one line, canonical ``{"genesis": {at, ledger_key, nonce, organizations, type}, "signature"}``. The ledger's
id is SHA-256 of the canonical genesis, so it fixes the organizations' CAs and the ledger key.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ledger.contract import canonical
from ledger.contract.errors import ContractError
from ledger.encoding import from_base64, to_base64
from ledger.faults import Fault, LedgerFaultError
from ledger.signatures import SignatureError, load_public_key, signed_bytes, verify_signature

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Genesis:
    """Whom a ledger trusts, from its first block.

    Attributes:
        network_id: lower-case hex SHA-256 of the canonical genesis: the ledger's id.
        organizations: CA certificates, DER, of each msp_id: roots and intermediates.
        ledger_key: SubjectPublicKeyInfo, DER, of the key that signs blocks.
        at: seconds UTC.
    """

    network_id: str
    organizations: Mapping[str, tuple[bytes, ...]]
    ledger_key: bytes
    at: int


def genesis_content(organizations: Mapping[str, Sequence[bytes]], ledger_key: bytes, at: int, nonce: bytes) -> bytes:
    """Return the canonical genesis, whose SHA-256 is the ledger's id."""
    return canonical.encode(
        {
            "type": "genesis",
            "organizations": [
                {"msp_id": msp_id, "roots": [to_base64(root) for root in organizations[msp_id]]}
                for msp_id in sorted(organizations)
            ],
            "ledger_key": to_base64(ledger_key),
            "at": at,
            "nonce": to_base64(nonce),
        }
    )


def genesis_block(content: bytes, signature: bytes) -> bytes:
    """Return the stored block 0."""
    return b'{"genesis":%b,"signature":"%b"}' % (content, to_base64(signature).encode())


def verify_genesis(untrusted_block: bytes) -> Genesis:
    """Return whom block 0 says to trust. Its id must be known from elsewhere; the signature shows it was made whole.

    Raises:
        LedgerFaultError: not a genesis block, or not signed by the ledger key in it.
    """
    try:
        outer = canonical.decode_object(untrusted_block)
        signature = from_base64(_member(outer, "signature", str))
        inner = _member(outer, "genesis", dict)
        content = canonical.encode(inner)
        ledger_key = from_base64(_member(inner, "ledger_key", str))
        listed = _member(inner, "organizations", list)
        organizations = {
            _member(one, "msp_id", str): tuple(from_base64(root) for root in _member(one, "roots", list))
            for one in listed
        }
        at = _member(inner, "at", int)
        nonce = from_base64(_member(inner, "nonce", str))
        network_id = hashlib.sha256(content).hexdigest()
        verify_signature(load_public_key(ledger_key), signed_bytes("genesis", network_id, content), signature)
    except (ContractError, SignatureError, TypeError, ValueError) as error:
        raise LedgerFaultError(Fault.GENESIS, str(error)) from None
    if untrusted_block != genesis_block(genesis_content(organizations, ledger_key, at, nonce), signature):
        raise LedgerFaultError(Fault.GENESIS, "not the one form of its content")
    return Genesis(network_id, organizations, ledger_key, at)


def _member(value: object, name: str, kind: type[T]) -> T:
    member = value.get(name) if isinstance(value, dict) else None
    if type(member) is not kind:
        raise TypeError(f"{name} is missing")
    return member
