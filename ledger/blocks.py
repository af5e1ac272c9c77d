r"""Blocks and envelopes of the embedded ledger, written and verified: untrusted bytes in, objects out (PROTOCOL.md C0).

A stored block is lines joined by ``\n``, which canonical JSON never contains: canonical ``{"header": {at, count,
invalid, merkle_root, number, previous}, "signature"}``, then ``count`` envelopes, each canonical ``{"height",
"signature", "transaction"}``. Block 0 is the genesis (``ledger.genesis``).

``previous`` and the ledger id of block 0 are SHA-256 of the canonical header, or genesis, before it. ``height`` is the
number of the last block whose state the endorsement read; ``invalid`` lists the entries that had become stale by then.
Both follow from the blocks alone, so a replica recomputes them; the ledger key signs them so that one who cannot
execute the contract (the offline verifier) still knows which entries took effect.

The forms are fixed, so they are read by grammar: what matches has exactly one encoding.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger import merkle
from ledger.certificates import CertificateError, read_creator
from ledger.contract import canonical
from ledger.contract.caller import Caller
from ledger.encoding import from_base64, to_base64
from ledger.faults import Fault, LedgerFaultError
from ledger.gateway import Signer
from ledger.genesis import Genesis, verify_genesis
from ledger.signatures import SignatureError, load_public_key, signed_bytes, verify_signature

NONCE_BYTES: Final = 24
_INTEGER: Final = rb"(0|[1-9][0-9]{0,15})"
_BASE64: Final = rb"([A-Za-z0-9+/]+={0,2})"
_HASH: Final = rb"([0-9a-f]{64})"
_MSP: Final = rb"([A-Za-z0-9.-]{1,64})"
_TRANSACTION: Final = re.compile(
    rb'\{"arguments":"((?:[ !#-\[\]-~]++|\\["\\])*+)","at":' + _INTEGER + rb',"creator":(\{"certificate":"' + _BASE64
    + rb'","msp_id":"' + _MSP + rb'"\}),"name":"([A-Za-z]{1,64})","network_id":"' + _HASH + rb'","nonce":"' + _BASE64
    + rb'","type":"transaction"\}'
)  # fmt: skip
_ENVELOPE: Final = re.compile(
    rb'\{"height":' + _INTEGER + rb',"signature":"' + _BASE64 + rb'","transaction":(\{.*\})\}'
)
_HEADER: Final = re.compile(
    rb'\{"header":(\{"at":' + _INTEGER + rb',"count":' + _INTEGER
    + rb',"invalid":\[((?:[0-9]+(?:,[0-9]+)*)?)\],"merkle_root":"' + _HASH + rb'","number":' + _INTEGER
    + rb',"previous":"' + _HASH + rb'"\}),"signature":"' + _BASE64 + rb'"\}'
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block of a chain; anchors elsewhere hold number and hash (ATTACKS.md A42).

    Attributes:
        number: 0 for the genesis block.
        hash: lower-case hex SHA-256 of its canonical header, or of the genesis.
        at: the block's time, seconds UTC.
    """

    number: int
    hash: str
    at: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block whose form, linkage, signature, count and Merkle root are verified; its entries are not."""

    head: Head
    invalid: tuple[int, ...]
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction whose form, network, creator and signature are verified.

    Attributes:
        at: the client's time, seconds UTC.
        arguments: bytes as signed; whether they are canonical is the contract's check.
        height: number of the last block whose state its endorsement read.
    """

    transaction_id: str
    caller: Caller
    at: int
    name: str
    arguments: bytes
    height: int


@dataclass(frozen=True, slots=True)
class EmbeddedChain:
    """How a replica reads and judges an embedded ledger's bytes; Fabric's blocks get a judge of the same shape.

    Args:
        genesis: verified, and its id known from elsewhere.
    """

    genesis: Genesis

    @property
    def network_id(self) -> str:
        """The ledger's id."""
        return self.genesis.network_id

    @property
    def start(self) -> Head:
        """The head of a chain that has its genesis block only."""
        return Head(0, self.genesis.network_id, self.genesis.at)

    def verify_block(self, untrusted_block: bytes, previous: Head) -> Block:
        """See the function of this name."""
        return verify_block(untrusted_block, self.genesis, previous)

    def verify_envelope(self, untrusted_envelope: bytes) -> Entry:
        """See the function of this name."""
        return verify_envelope(untrusted_envelope, self.genesis)

    @classmethod
    def of(cls, untrusted_genesis: bytes, network_id: str) -> "EmbeddedChain":
        """Return the chain that begins with a genesis block.

        Raises:
            LedgerFaultError: it is not the genesis block of the ledger ``network_id``.
        """
        genesis = verify_genesis(untrusted_genesis)
        if genesis.network_id != network_id:
            raise LedgerFaultError(Fault.GENESIS, "the genesis block is another ledger's")
        return cls(genesis)


def transaction_content(network_id: str, nonce: bytes, at: int, signer: Signer, name: str, arguments: bytes) -> bytes:
    """Return the canonical transaction that ``signer`` has to sign.

    Raises:
        LedgerFaultError: no such transaction can stand on a ledger.
    """
    content = canonical.encode(
        {
            "type": "transaction",
            "network_id": network_id,
            "nonce": to_base64(nonce),
            "at": at,
            "creator": {"certificate": to_base64(signer.certificate), "msp_id": signer.msp_id},
            "name": name,
            "arguments": arguments.decode("ascii"),
        }
    )
    if not _TRANSACTION.fullmatch(content):
        raise LedgerFaultError(Fault.ENVELOPE, "not the form of a transaction")
    return content


def envelope_content(height: int, signature: bytes, transaction: bytes) -> bytes:
    """Return the canonical envelope of a signed canonical transaction."""
    return b'{"height":%d,"signature":"%b","transaction":%b}' % (height, to_base64(signature).encode(), transaction)


def header_content(number: int, previous: str, at: int, envelopes: Sequence[bytes], invalid: Sequence[int]) -> bytes:
    """Return the canonical header over ``envelopes``, of which those at ``invalid`` had become stale."""
    root = merkle.root([merkle.leaf_hash(envelope) for envelope in envelopes]).hex()
    return (
        f'{{"at":{at},"count":{len(envelopes)},"invalid":[{",".join(map(str, invalid))}],"merkle_root":"{root}",'
        f'"number":{number},"previous":"{previous}"}}'
    ).encode()


def block_content(header: bytes, signature: bytes, envelopes: Sequence[bytes]) -> bytes:
    """Return the stored block of a signed header and its entries."""
    first = b'{"header":%b,"signature":"%b"}' % (header, to_base64(signature).encode())
    return b"\n".join([first, *envelopes])


def hash_of(content: bytes) -> str:
    """Return the hash of a canonical header, or genesis, by which the next block and anchors name it."""
    return hashlib.sha256(content).hexdigest()


def header_of(block: bytes) -> bytes:
    """Return the canonical header of a stored block that was verified.

    Raises:
        LedgerFaultError: it has not the form of a block.
    """
    match = _HEADER.fullmatch(block.split(b"\n", 1)[0])
    if match is None:
        raise LedgerFaultError(Fault.FORM, "not the form of a block")
    return match[1]


def envelopes_of(block: bytes) -> list[bytes]:
    """Return the envelopes of a stored block that was verified."""
    return block.split(b"\n")[1:]


def transaction_part(envelope: bytes) -> bytes:
    """Return the canonical transaction in an envelope that was verified."""
    return envelope.split(b'"transaction":', 1)[1][:-1]


def verify_block(untrusted_block: bytes, genesis: Genesis, previous: Head) -> Block:
    """Return the block after ``previous``; its entries still want ``verify_envelope``.

    Raises:
        LedgerFaultError: form, number, linkage, time, ledger key's signature, count or Merkle root are not right.
    """
    first, *envelopes = untrusted_block.split(b"\n")
    match = _HEADER.fullmatch(first)
    if match is None:
        raise LedgerFaultError(Fault.FORM, "not the form of a block")
    content, at, count, listed, root, number, linked, signature = match.groups()
    head = Head(int(number), hash_of(content), int(at))
    if head.number != previous.number + 1:
        raise LedgerFaultError(Fault.NUMBER, f"{head.number} follows {previous.number}")
    if linked.decode() != previous.hash:
        raise LedgerFaultError(Fault.PREVIOUS, "it does not follow the block before it")
    if head.at < previous.at:
        raise LedgerFaultError(Fault.TIME, "it is older than the block before it")
    try:
        verify_signature(
            load_public_key(genesis.ledger_key),
            signed_bytes("block", genesis.network_id, content),
            from_base64(signature),
        )
    except (SignatureError, ValueError):
        raise LedgerFaultError(Fault.BLOCK_SIGNATURE, "not signed by the ledger key") from None
    if len(envelopes) != int(count) or not envelopes:
        raise LedgerFaultError(Fault.COUNT, f"{len(envelopes)} entries instead of {int(count)}")
    if merkle.root([merkle.leaf_hash(envelope) for envelope in envelopes]).hex() != root.decode():
        raise LedgerFaultError(Fault.MERKLE_ROOT, "the entries are not those that were signed")
    return Block(head, _indices(listed, len(envelopes)), tuple(envelopes))


def verify_envelope(untrusted_envelope: bytes, genesis: Genesis) -> Entry:
    """Return the entry of one envelope.

    Raises:
        LedgerFaultError: form, network, organization, certificate or signature are not right.
    """
    match = _ENVELOPE.fullmatch(untrusted_envelope)
    if match is None:
        raise LedgerFaultError(Fault.ENVELOPE, "not the form of an envelope")
    height, signature, transaction = match.groups()
    try:
        return verify_transaction(transaction, from_base64(signature), genesis, _integer(height))
    except ValueError:
        raise LedgerFaultError(Fault.ENVELOPE, "not the form of an envelope") from None


def verify_transaction(
    untrusted_transaction: bytes, untrusted_signature: bytes, genesis: Genesis, height: int
) -> Entry:
    """Return the entry of one signed transaction, read at ``height``.

    Raises:
        LedgerFaultError: form, network, organization, certificate or signature are not right.
    """
    match = _TRANSACTION.fullmatch(untrusted_transaction)
    if match is None:
        raise LedgerFaultError(Fault.ENVELOPE, "not the form of a transaction")
    quoted, at, creator, certificate, msp, name, network, nonce = match.groups()
    arguments = _unquote(quoted)
    try:
        raw_nonce, raw_certificate, moment = from_base64(nonce), from_base64(certificate), _integer(at)
    except ValueError:
        raise LedgerFaultError(Fault.ENVELOPE, "not the form of a transaction") from None
    if len(raw_nonce) != NONCE_BYTES:
        raise LedgerFaultError(Fault.ENVELOPE, "the nonce has the wrong length")
    transaction_id = hashlib.sha256(raw_nonce + creator).hexdigest()
    if network.decode() != genesis.network_id:
        raise LedgerFaultError(Fault.NETWORK, "signed for another ledger", transaction_id)
    msp_id = msp.decode()
    if (roots := genesis.organizations.get(msp_id)) is None:
        raise LedgerFaultError(Fault.ORGANIZATION, f"{msp_id} is not on this ledger", transaction_id)
    try:
        who = read_creator(raw_certificate, roots, msp_id, moment)
        message = signed_bytes("transaction", genesis.network_id, untrusted_transaction)
        verify_signature(who.public_key, message, untrusted_signature)
    except CertificateError as error:
        raise LedgerFaultError(Fault.CERTIFICATE, str(error), transaction_id) from None
    except SignatureError as error:
        raise LedgerFaultError(Fault.SIGNATURE, str(error), transaction_id) from None
    return Entry(transaction_id, who.caller, moment, name.decode(), arguments, height)


def _indices(listed: bytes, count: int) -> tuple[int, ...]:
    """Return the indices of invalid entries, which are ascending and have one spelling."""
    indices = tuple(map(int, listed.split(b","))) if listed else ()
    if ",".join(map(str, indices)).encode() != listed or list(indices) != sorted({*indices} & {*range(count)}):
        raise LedgerFaultError(Fault.FORM, "the list of invalid entries is not ascending")
    return indices


def _unquote(quoted: bytes) -> bytes:
    """Return the text that a JSON string of the grammar stands for."""
    if b"\\\\" in quoted:
        return re.sub(rb"\\(.)", rb"\1", quoted)
    return quoted.replace(b'\\"', b'"')


def _integer(digits: bytes) -> int:
    if (number := int(digits)) > canonical.LIMIT:
        raise ValueError("out of range")
    return number
