#!/usr/bin/env python3
"""Verify an exported Assent ledger, or one consent receipt, with nothing but Python 3.11 and ``cryptography``.

    python verify.py FILE [--json] [--network ID] [--head NUMBER:HASH] [--jobs N] [--chain-only]
                     [--fingerprint HASH] [--custodian-key KEY]

It trusts the genesis block, whose SHA-256 is the ledger's id: compare the printed id with one you know from elsewhere,
or give it with --network. It checks of every block: number, link to the block before, the ledger key's signature, the
count and the Merkle root of its entries; of every entry: its form, that it is for this ledger and unique, that its
creator's certificate chains to a CA of the genesis block and was valid, the creator's signature; and that the key
is the one that had to sign such a transaction, as far as earlier entries say. It does not decide again what the
contract decided; a custodian's replica does that.

Of a consent receipt it checks the same of its one entry, and that the entry commits to the consent in the receipt. The
words beside the proof are for reading, and of what the custodian signed only the form can be checked without its key:
with --fingerprint, which the QR code shows that was handed out, not one byte can be another; with --custodian-key
(base64, as RegisterOrganization put it on the ledger) the custodian's signature is checked too.

--head compares with a head that was kept apart from the file: without it, a shorter, older export also verifies.
--chain-only leaves out what entries say and who signed them; the ledger key vouches for that then.

The last line of output is a sentence, or with --json an object {ok, block, entry, reason, …}; entries count from 0.
The exit status is 0 if everything is right and 1 if not.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import multiprocessing
import os
import re
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtensionOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

HALF_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
ALGORITHM: Final = ec.ECDSA(hashes.SHA256())
ROLE: Final = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
CHAIN_MAX: Final = 4
CHUNK: Final = 1 << 20
MARK: Final = 65
POOL_FROM: Final = 4 << 20
GENESIS_MEMBERS: Final = ["at", "ledger_key", "nonce", "organizations", "type"]

INTEGER: Final = rb"(0|[1-9][0-9]{0,15})"
BASE64: Final = rb"([A-Za-z0-9+/]+={0,2})"
HASH: Final = rb"([0-9a-f]{64})"
HEADER: Final = re.compile(
    rb'\{"header":(\{"at":' + INTEGER + rb',"count":' + INTEGER + rb',"invalid":\[((?:[0-9]+(?:,[0-9]+)*)?)\]'
    rb',"merkle_root":"' + HASH + rb'","number":' + INTEGER + rb',"previous":"' + HASH + rb'"\})'
    rb',"signature":"' + BASE64 + rb'"\}'
)  # fmt: skip
ENVELOPE: Final = re.compile(
    rb'\{"height":' + INTEGER + rb',"signature":"' + BASE64 + rb'","transaction":'
    rb'(\{"arguments":"((?:[ !#-\[\]-~]++|\\["\\])*+)","at":' + INTEGER + rb',"creator":(\{"certificate":"' + BASE64
    + rb'","msp_id":"([A-Za-z0-9.-]{1,64})"\}),"name":"([A-Za-z]{1,64})","network_id":"' + HASH
    + rb'","nonce":"([A-Za-z0-9+/]{32})","type":"transaction"\})\}'
)  # fmt: skip


MALFORMED: Final = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    StopIteration,
    OverflowError,
    RecursionError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
)
"""What Python and ``cryptography`` raise for bytes that are not what they should be."""


class Wrong(Exception):  # noqa: N818  # a finding, not a failure of this program
    """Something is not as it must be; ``entry`` is None where it concerns a block or the file as a whole."""

    def __init__(self, reason: str, block: int | None = None, entry: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.block = block
        self.entry = entry


@dataclass(frozen=True)
class Verdict:
    """What is printed."""

    ok: bool
    block: int | None
    entry: int | None
    reason: str
    kind: str = "export"
    network_id: str = ""
    height: int = 0
    entries: int = 0
    head: str = ""
    fingerprint: str = ""
    attested: bool = False


@dataclass(frozen=True)
class Genesis:
    """Whom the ledger trusts."""

    network_id: str
    authorities: Mapping[str, tuple[x509.Certificate, ...]]
    ledger_key: ec.EllipticCurvePublicKey
    at: int


@dataclass(frozen=True)
class Creator:
    """Who a certificate names, and the seconds at which its whole chain is valid."""

    msp_id: str
    subject: str
    role: str
    key_hash: str
    public_key: ec.EllipticCurvePublicKey
    not_before: int
    not_after: int


class Signed(NamedTuple):
    """A verified entry, as far as the table of signers needs it."""

    identity: bytes
    name: str
    msp_id: str
    subject: str
    role: str
    key_hash: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Block:
    """A block whose inside is verified; its place in the chain is not."""

    number: int
    previous: str
    hash: str
    at: int
    invalid: frozenset[int]
    count: int
    entries: tuple[Signed, ...]


# Signatures and certificates


def verify_signature(key: ec.EllipticCurvePublicKey, kind: bytes, network: bytes, content: bytes, text: bytes) -> None:
    """Accept the one signature, DER with low S in the one spelling of base64, of a typed statement on a ledger."""
    signature = base64.b64decode(text, validate=True)
    if base64.b64encode(signature) != text or decode_dss_signature(signature)[1] > HALF_ORDER:
        raise ValueError("not the one form of a signature")
    key.verify(signature, b"assent\0" + kind + b"\0" + network + b"\0" + content, ALGORITHM)


def load_key(der: bytes) -> ec.EllipticCurvePublicKey:
    """Return a P-256 key."""
    key = serialization.load_der_public_key(der)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TypeError("not a P-256 key")
    return key


def read_genesis(line: bytes) -> Genesis:
    """Return whom block 0 says to trust."""
    try:
        return parse_genesis(line)
    except MALFORMED:
        raise Wrong("the genesis block is not what the ledger key signed", 0) from None


def parse_genesis(line: bytes) -> Genesis:
    """Return the same, or fail in one of many ways."""
    outer = canonical(line)
    content = outer["genesis"]
    if (sorted(outer), sorted(content)) != (["genesis", "signature"], GENESIS_MEMBERS):
        raise ValueError("unknown members")
    raw = encode(content)
    network_id = hashlib.sha256(raw).hexdigest()
    key = load_key(base64.b64decode(content["ledger_key"], validate=True))
    verify_signature(key, b"genesis", network_id.encode(), raw, outer["signature"].encode())
    authorities = {
        one["msp_id"]: tuple(x509.load_der_x509_certificate(base64.b64decode(root)) for root in one["roots"])
        for one in content["organizations"]
    }
    return Genesis(network_id, authorities, key, int(content["at"]))


def canonical(raw: bytes) -> dict[str, Any]:
    """Return the object of canonical JSON."""
    value = json.loads(raw)
    if not isinstance(value, dict) or encode(value) != raw:
        raise ValueError("not canonical")
    return value


def encode(value: object) -> bytes:
    """Return canonical JSON."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True).encode()


def read_creator(certificate_text: bytes, msp_id: str, genesis: Genesis) -> Creator:
    """Return whom a certificate names after checking its chain, its name and its role."""
    der = base64.b64decode(certificate_text, validate=True)
    if base64.b64encode(der) != certificate_text or msp_id not in genesis.authorities:
        raise ValueError("of no organization on this ledger")
    leaf = x509.load_der_x509_certificate(der)
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TypeError("not a P-256 key")
    understood = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ROLE}
    if is_authority(leaf) or any(one.critical and one.oid not in understood for one in leaf.extensions):
        raise ValueError("not a client's certificate")
    parts = [(one.oid, one.value) for rdn in leaf.subject.rdns for one in rdn]
    subject = str(parts[-1][1])
    wanted = [(NameOID.ORGANIZATIONAL_UNIT_NAME, "client"), (NameOID.COMMON_NAME, subject)]
    if parts != wanted or len(leaf.subject.rdns) != len(wanted) or not re.fullmatch("[a-z2-7]{26}", subject):
        raise ValueError("not the form of a name")
    chain = [leaf, *chain_of(leaf, genesis.authorities[msp_id])]
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Creator(
        msp_id,
        subject,
        role_of(leaf),
        hashlib.sha256(spki).hexdigest(),
        key,
        max(int(one.not_valid_before_utc.timestamp()) for one in chain),
        min(int(one.not_valid_after_utc.timestamp()) for one in chain),
    )


def chain_of(leaf: x509.Certificate, authorities: tuple[x509.Certificate, ...]) -> list[x509.Certificate]:
    """Return the CAs from the leaf's issuer to a self-signed root."""
    chain: list[x509.Certificate] = []
    while len(chain) < CHAIN_MAX:
        below = chain[-1] if chain else leaf
        issuer = next(one for one in authorities if has_issued(one, below, len(chain)))
        chain.append(issuer)
        if issuer.subject == issuer.issuer:
            return chain
    raise ValueError("the chain is too long")


def has_issued(issuer: x509.Certificate, below: x509.Certificate, depth: int) -> bool:
    """Did this CA sign the certificate, and may it, with so many intermediates under it?"""
    if issuer.subject != below.issuer or not is_authority(issuer):
        return False
    length = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    strong = isinstance(below.signature_hash_algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512)
    if (length is not None and length < depth) or not strong:
        return False
    try:
        below.verify_directly_issued_by(issuer)
        if issuer.subject == issuer.issuer:
            issuer.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """Is it a CA certificate?"""
    found = [one.value for one in certificate.extensions if isinstance(one.value, x509.BasicConstraints)]
    return any(one.ca for one in found)


def role_of(certificate: x509.Certificate) -> str:
    """Return the role attribute, empty without one."""
    for extension in certificate.extensions:
        if extension.oid == ROLE and isinstance(extension.value, x509.UnrecognizedExtension):
            return str(json.loads(extension.value.value)["attrs"].get("assent.role", ""))
    return ""


# The inside of blocks


def merkle_root(leaves: list[bytes]) -> bytes:
    """Return the root over leaf hashes; an odd node rises unchanged."""
    while len(leaves) > 1:
        above = [
            hashlib.sha256(b"\x01" + leaves[index] + leaves[index + 1]).digest()
            for index in range(0, len(leaves) - 1, 2)
        ]
        leaves = above + leaves[len(leaves) - 1 :] if len(leaves) % 2 else above
    return leaves[0]


@dataclass
class Inside:
    """Verifies blocks apart from their place in the chain, so that several processes share the work."""

    genesis: Genesis
    chain_only: bool = False
    creators: dict[bytes, Creator] = field(default_factory=dict)

    def block(self, lines: list[bytes], place: int) -> Block:
        """Return the block of these lines, which stands at ``place`` in the file."""
        match = HEADER.fullmatch(lines[0])
        if match is None:
            raise Wrong("not a block: the file was altered or ends too early", place)
        content, at, count, listed, root, number, previous, signature = match.groups()
        try:
            verify_signature(self.genesis.ledger_key, b"block", self.genesis.network_id.encode(), content, signature)
        except MALFORMED:
            raise Wrong("the block's header is not signed by the ledger key", place) from None
        invalid = tuple(map(int, listed.split(b","))) if listed else ()
        leaves = self._leaves(lines[1:], int(count), place)
        if not leaves or merkle_root(leaves) != bytes.fromhex(root.decode()):
            for index, line in enumerate(lines[1:]):
                self.entry(line[MARK:], place, index)
            raise Wrong("the entries are not those whose Merkle root was signed", place)
        if list(invalid) != sorted({*invalid} & {*range(len(leaves))}):
            raise Wrong("the list of invalid entries is not ascending", place)
        entries: tuple[Signed, ...] = ()
        if not self.chain_only:
            entries = tuple(self.entry(line[MARK:], place, index) for index, line in enumerate(lines[1:]))
        head = hashlib.sha256(content).hexdigest()
        return Block(int(number), previous.decode(), head, int(at), frozenset(invalid), len(leaves), entries)

    def _leaves(self, lines: list[bytes], count: int, place: int) -> list[bytes]:
        """Return the leaf hashes of a block's lines; names the first entry whose own mark does not fit."""
        leaves = []
        for index, line in enumerate(lines[:count]):
            leaf = hashlib.sha256(b"\0" + line[MARK:]).digest()
            if line[:MARK] != leaf.hex().encode() + b" ":
                raise Wrong("the entry was altered", place, index)
            leaves.append(leaf)
        if len(lines) > count:
            raise Wrong("neither a block nor an entry: the file was altered or ends too early", place + 1)
        if len(lines) < count:
            raise Wrong("the entry is missing", place, len(lines))
        return leaves

    def entry(self, envelope: bytes, place: int, index: int) -> Signed:
        """Return one entry after checking form, ledger, certificate and signature."""
        match = ENVELOPE.fullmatch(envelope)
        if match is None:
            raise Wrong("the entry has not the form of an envelope", place, index)
        height, signature, transaction, quoted, at, creator, certificate, msp, name, network, nonce = match.groups()
        identity = hashlib.sha256(base64.b64decode(nonce) + creator).digest()
        if network.decode() != self.genesis.network_id or int(height) >= place:
            raise Wrong("the entry is another ledger's, or endorsed on a state that was not yet", place, index)
        try:
            who = self._creator(creator, certificate, msp.decode())
        except MALFORMED:
            raise Wrong("the entry's certificate is not one of its organization", place, index) from None
        if not who.not_before <= int(at) <= who.not_after:
            raise Wrong("the entry's certificate was not valid at that time", place, index)
        try:
            verify_signature(who.public_key, b"transaction", network, transaction, signature)
            arguments = needed(json.loads(unquote(quoted.decode())))
        except MALFORMED:
            raise Wrong("the entry is not signed by its creator", place, index) from None
        return Signed(identity, name.decode(), who.msp_id, who.subject, who.role, who.key_hash, arguments)

    def _creator(self, creator: bytes, certificate: bytes, msp_id: str) -> Creator:
        if creator not in self.creators:
            self.creators[creator] = read_creator(certificate, msp_id, self.genesis)
        return self.creators[creator]


def unquote(quoted: str) -> str:
    """Return what a JSON string of printable ASCII stands for."""
    return re.sub(r"\\(.)", r"\1", quoted) if "\\\\" in quoted else quoted.replace('\\"', '"')


NEEDED: Final = ("patient_id", "subject", "role", "key_hash", "grantee", "steward", "access_id", "access_ids")


def needed(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what the table of signers looks at."""
    facts: dict[str, Any] = {name: arguments[name] for name in NEEDED if name in arguments}
    if "items" in arguments and "patient_id" not in arguments:
        facts["patient_ids"] = [item["patient_id"] for item in arguments["items"]]
    return facts


# Which key must have signed which transaction


@dataclass
class Member:
    """A member of staff as the entries so far say."""

    key_hash: str
    role: str
    steward: bool
    is_active: bool = True


@dataclass
class Patient:
    """A patient id as the entries so far say."""

    custodian: str
    grantee: str
    key_hash: str


@dataclass
class Keys:
    """Who may sign what, from the entries so far."""

    organizations: set[str] = field(default_factory=set)
    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    patients: dict[str, Patient] = field(default_factory=dict)
    accesses: dict[str, tuple[str, str]] = field(default_factory=dict)

    def staff(self, entry: Signed, *roles: str) -> bool:
        """Signed by the registered key of an active member with one of these roles?"""
        member = self.members.get((entry.msp_id, entry.subject))
        return (
            member is not None
            and member.is_active
            and (member.key_hash, member.role) == (entry.key_hash, entry.role)
            and member.role in roles
        )

    def custodian(self, entry: Signed, *roles: str) -> bool:
        """The same, of the hospital that holds the patient's records?"""
        patient = self._patient(entry)
        return patient is not None and patient.custodian == entry.msp_id and self.staff(entry, *roles)

    def grantee(self, entry: Signed, *roles: str) -> bool:
        """The same, of the hospital to which the patient id was given?"""
        patient = self._patient(entry)
        return patient is not None and patient.grantee == entry.msp_id and self.staff(entry, *roles)

    def patient(self, entry: Signed) -> bool:
        """Signed by the patient's registered key?"""
        patient = self._patient(entry)
        return patient is not None and (patient.custodian, patient.key_hash, "patient", entry.subject) == (
            entry.msp_id,
            entry.key_hash,
            entry.role,
            entry.arguments["patient_id"],
        )

    def holder(self, entry: Signed) -> bool:
        """Signed by whoever opened all these accesses?"""
        ids = entry.arguments.get("access_ids") or [entry.arguments.get("access_id")]
        opened = all(self.accesses.get(one) == (entry.msp_id, entry.subject) for one in ids)
        return opened and (self.patient(entry) or self.grantee(entry, "practitioner"))

    def steward(self, entry: Signed) -> bool:
        """Signed by a data steward?"""
        return self.staff(entry, "practitioner") and self.members[entry.msp_id, entry.subject].steward

    def _patient(self, entry: Signed) -> Patient | None:
        return self.patients.get(entry.arguments.get("patient_id", ""))

    def apply(self, entry: Signed) -> None:
        """Remember what a valid entry changes about keys."""
        facts = entry.arguments
        if entry.name == "RegisterOrganization":
            self.organizations.add(entry.msp_id)
            self.members[entry.msp_id, entry.subject] = Member(entry.key_hash, "operator", steward=False)
        elif entry.name == "EnrolMember":
            self.members[entry.msp_id, facts["subject"]] = Member(facts["key_hash"], facts["role"], facts["steward"])
        elif entry.name == "SuspendMember":
            self.members[entry.msp_id, facts["subject"]].is_active = False
        elif entry.name == "RegisterPatient":
            self.patients[facts["patient_id"]] = Patient(entry.msp_id, facts["grantee"], facts["key_hash"])
        elif entry.name == "SetPatientKey":
            self.patients[facts["patient_id"]].key_hash = facts["key_hash"]
        elif entry.name == "OpenRecords":
            self.accesses[entry.identity.hex()] = (entry.msp_id, entry.subject)


OFFICES: Final = ("operator", "registrar", "privacy-officer")
EVERYBODY: Final = (*OFFICES, "custodian", "practitioner", "proxy")


def may_register(keys: Keys, entry: Signed) -> bool:
    """The first operator of an organization enrols himself with it."""
    return entry.role == "operator" and entry.msp_id not in keys.organizations


def may_enrol(keys: Keys, entry: Signed) -> bool:
    """Offices are enrolled by an operator, practitioners and proxies by a registrar, nobody twice or by himself."""
    subject, role = entry.arguments["subject"], entry.arguments["role"]
    office = "registrar" if role in {"practitioner", "proxy"} else "operator"
    return keys.staff(entry, office) and (entry.msp_id, subject) not in keys.members


def may_suspend(keys: Keys, entry: Signed) -> bool:
    """An office, or the member."""
    subject = entry.arguments["subject"]
    known = (entry.msp_id, subject) in keys.members
    return known and keys.staff(entry, *(EVERYBODY if subject == entry.subject else OFFICES))


def may_register_patient(keys: Keys, entry: Signed) -> bool:
    """Registrar or custodian, an id that is new."""
    return keys.staff(entry, "registrar", "custodian") and entry.arguments["patient_id"] not in keys.patients


def may_set_key(keys: Keys, entry: Signed) -> bool:
    """The patient by her old key; registrar or custodian of her custodian while there is none."""
    if keys.patient(entry):
        return True
    office = keys.custodian(entry, "registrar", "custodian")
    return office and keys.patients[entry.arguments["patient_id"]].key_hash == ""


def may_release(keys: Keys, entry: Signed) -> bool:
    """The custodian of every patient id in it."""
    owners = [keys.patients.get(one) for one in entry.arguments["patient_ids"]]
    return keys.staff(entry, "custodian") and all(one and one.custodian == entry.msp_id for one in owners)


SIGNERS: Final[Mapping[str, Callable[[Keys, Signed], bool]]] = {
    "RegisterOrganization": may_register,
    "EnrolMember": may_enrol,
    "SuspendMember": may_suspend,
    "RegisterPatient": may_register_patient,
    "SetPatientKey": may_set_key,
    "ErasePatient": lambda keys, entry: keys.custodian(entry, "custodian"),
    "RegisterRecords": lambda keys, entry: keys.custodian(entry, "custodian"),
    "EraseRecord": lambda keys, entry: keys.custodian(entry, "custodian"),
    "ProposeConsent": lambda keys, entry: keys.grantee(entry, "practitioner"),
    "RejectConsent": lambda keys, entry: keys.patient(entry),
    "GrantConsent": lambda keys, entry: keys.patient(entry) or keys.custodian(entry, "registrar"),
    "RevokeConsent": lambda keys, entry: keys.patient(entry) or keys.custodian(entry, "registrar"),
    "OpenRecords": lambda keys, entry: keys.patient(entry) or keys.grantee(entry, "practitioner"),
    "RecordReleases": may_release,
    "RecordPurge": lambda keys, entry: keys.holder(entry) or keys.grantee(entry, "custodian"),
    "RegisterModel": lambda keys, entry: keys.steward(entry),
    "VoteModel": lambda keys, entry: keys.steward(entry),
    "RecordSuggestion": lambda keys, entry: keys.holder(entry),
    "RecordVerdict": lambda keys, entry: keys.grantee(entry, "practitioner"),
    "AnchorLedger": lambda keys, entry: keys.staff(entry, "operator"),
}


# The chain


@dataclass
class Chain:
    """Verifies what only the order of blocks shows."""

    genesis: Genesis
    number: int = 0
    hash: str = ""
    at: int = 0
    entries: int = 0
    seen: set[bytes] = field(default_factory=set)
    keys: Keys = field(default_factory=Keys)

    def __post_init__(self) -> None:
        """Begin at the genesis block."""
        self.hash, self.at = self.genesis.network_id, self.genesis.at

    def add(self, block: Block) -> None:
        """Take the next block."""
        expected = self.number + 1
        if block.number != expected:
            raise Wrong(f"the block is missing; block {block.number} stands in its place", expected)
        if block.previous != self.hash or block.at < self.at:
            raise Wrong("the block does not follow the block before it", expected)
        for index, entry in enumerate(block.entries):
            if entry.identity in self.seen:
                raise Wrong("the entry was recorded before", expected, index)
            self.seen.add(entry.identity)
            if index not in block.invalid:
                self._judge(entry, expected, index)
        self.number, self.hash, self.at = block.number, block.hash, block.at
        self.entries += block.count

    def _judge(self, entry: Signed, number: int, index: int) -> None:
        rule = SIGNERS.get(entry.name)
        try:
            allowed = rule is not None and rule(self.keys, entry)
            if allowed:
                self.keys.apply(entry)
        except MALFORMED:
            raise Wrong(f"{entry.name} lacks what it must say", number, index) from None
        if not allowed:
            raise Wrong(f"{entry.name} was not signed by a key that may", number, index)


# The file


def chunks(content: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of whole blocks, each about ``CHUNK`` bytes."""
    while start < end:
        cut = content.find(b'\n{"header":', min(start + CHUNK, end), end)
        stop = end if cut < 0 else cut + 1
        yield start, stop
        start = stop


def split(content: bytes) -> list[list[bytes]]:
    """Return the lines of each block in a range of whole blocks."""
    blocks: list[list[bytes]] = []
    for line in content.split(b"\n")[:-1]:
        if line.startswith(b'{"header":') or not blocks:
            blocks.append([])
        blocks[-1].append(line)
    return blocks


WORK: dict[str, Any] = {}
"""What a worker process was given once."""


def start_worker(path: str, genesis_line: bytes, *, chain_only: bool) -> None:
    """Prepare a worker process."""
    WORK["inside"] = Inside(read_genesis(genesis_line), chain_only)
    WORK["path"] = path


def examine(task: tuple[int, int, int]) -> list[Block | tuple[str, int | None, int | None]]:
    """Return the blocks of one range, in order, ending with a finding if there is one."""
    start, stop, place = task
    with Path(WORK["path"]).open("rb") as stream:
        stream.seek(start)
        content = stream.read(stop - start)
    answer: list[Block | tuple[str, int | None, int | None]] = []
    try:
        for offset, lines in enumerate(split(content)):
            answer.append(WORK["inside"].block(lines, place + offset))
    except Wrong as wrong:
        answer.append((wrong.reason, wrong.block, wrong.entry))
    return answer


def verify_export(path: Path, content: bytes, *, jobs: int, chain_only: bool) -> Chain:
    """Return the verified chain of an export."""
    first_end = content.find(b"\n") + 1
    genesis_end = content.find(b"\n", first_end) + 1
    if not genesis_end:
        raise Wrong("the file ends before the genesis block", 0)
    genesis_line = content[first_end : genesis_end - 1]
    genesis = read_genesis(genesis_line)
    if content[: first_end - 1] != encode({"assent-export": {"network_id": genesis.network_id, "version": 1}}):
        raise Wrong("the first line of the file was altered")
    last = content.rfind(b"\n", 0, len(content) - 1) + 1
    has_end = content.startswith(b'{"end":', last)
    stop = last if has_end else len(content)
    if not has_end and not content.endswith(b"\n"):
        content += b"\n"
        stop += 1
    tasks, place = [], 1
    for start, end in chunks(content, genesis_end, stop):
        tasks.append((start, end, place))
        place += content.count(b'\n{"header":', start, end) + 1
    chain = Chain(genesis)
    for result in run(path, genesis_line, tasks, jobs=jobs, chain_only=chain_only):
        for block in result:
            if not isinstance(block, Block):
                raise Wrong(*block)
            chain.add(block)
    if not has_end:
        raise Wrong("the file ends before its last line: blocks may be missing", chain.number + 1)
    ending = {"hash": chain.hash, "number": chain.number, "sha256": hashlib.sha256(content[:last]).hexdigest()}
    if content[last:] != encode({"end": ending}) + b"\n":
        raise Wrong("the last line of the file was altered, or blocks before it are missing", chain.number + 1)
    return chain


def run(
    path: Path, genesis_line: bytes, tasks: list[tuple[int, int, int]], *, jobs: int, chain_only: bool
) -> Iterable[list[Block | tuple[str, int | None, int | None]]]:
    """Examine ranges here, or in several processes, in order."""
    if jobs == 1 or len(tasks) == 1:
        start_worker(str(path), genesis_line, chain_only=chain_only)
        yield from map(examine, tasks)
        return
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    with context.Pool(jobs, Prepared(str(path), genesis_line, chain_only)) as pool:
        yield from pool.imap(examine, tasks)


@dataclass(frozen=True)
class Prepared:
    """Starts a worker; a function object that every start method can send."""

    path: str
    genesis_line: bytes
    chain_only: bool

    def __call__(self) -> None:
        """Prepare this process."""
        start_worker(self.path, self.genesis_line, chain_only=self.chain_only)


# A consent receipt


def verify_receipt(content: bytes, custodian_key: str = "") -> Verdict:
    """Check that a receipt's grant stands in a signed block and commits to the artefact in it."""
    try:
        receipt = canonical(content)
        proof, place, index = receipt["proof"], int(receipt["ledger"]["block"]), int(receipt["proof"]["index"])
        genesis = parse_genesis(proof["genesis"].encode())
    except MALFORMED:
        raise Wrong("not a consent receipt, or altered") from None
    try:
        header = read_header(proof["header"].encode(), genesis)
        is_there = is_valid_in(header, index, proof["envelope"].encode(), proof["path"])
    except MALFORMED:
        raise Wrong("the block's header is not signed by the ledger key", place) from None
    if not is_there:
        raise Wrong("the entry is not a valid one of the block", place, index)
    entry = Inside(genesis).entry(proof["envelope"].encode(), header["number"], index)
    try:
        wrong = compare_receipt(receipt, header, entry) or compare_attested(receipt, custodian_key)
    except MALFORMED:
        raise Wrong("not a consent receipt, or altered", place, index) from None
    if wrong:
        raise Wrong(wrong, place, index)
    return Verdict(
        ok=True,
        block=None,
        entry=None,
        reason="",
        kind="receipt",
        network_id=genesis.network_id,
        height=header["number"] + 1,
        entries=1,
        head=hashlib.sha256(encode(header)).hexdigest(),
        fingerprint=hashlib.sha256(content).hexdigest(),
        attested=bool(custodian_key),
    )


def read_header(line: bytes, genesis: Genesis) -> dict[str, Any]:
    """Return a block's header that the ledger key signed."""
    outer = canonical(line)
    header: dict[str, Any] = outer["header"]
    network = genesis.network_id.encode()
    verify_signature(genesis.ledger_key, b"block", network, encode(header), outer["signature"].encode())
    return header


def is_valid_in(header: dict[str, Any], index: int, envelope: bytes, path: list[str]) -> bool:
    """Does the path lead from the envelope to the signed root, and was the entry valid?"""
    leaf = hashlib.sha256(b"\0" + envelope).digest()
    root = climb(leaf, index, header["count"], [bytes.fromhex(one) for one in path])
    return root.hex() == header["merkle_root"] and index not in header["invalid"]


def compare_receipt(receipt: dict[str, Any], header: dict[str, Any], entry: Signed) -> str:
    """Return what a receipt says that its proof does not show, empty if there is nothing."""
    proof = receipt["proof"]
    transaction = json.loads(proof["envelope"])["transaction"]
    arguments = json.loads(transaction["arguments"])
    salt, artefact = base64.b64decode(proof["salt"], validate=True), hashlib.sha256(encode(proof["artefact"])).digest()
    shown = {
        "network_id": transaction["network_id"],
        "transaction_id": entry.identity.hex(),
        "block": header["number"],
        "block_hash": hashlib.sha256(encode(header)).hexdigest(),
        "block_at": header["at"],
    }
    told = (receipt["consentReceiptID"], receipt["consentTimestamp"], receipt["piiPrincipalId"])
    if receipt["ledger"] != shown or told != (shown["transaction_id"], transaction["at"], arguments["patient_id"]):
        return "the receipt says something else than its proof"
    if entry.name != "GrantConsent" or entry.role not in {"patient", "proxy"}:
        return "the entry is not the grant of a consent by a patient or her representative"
    if entry.role == "patient" and entry.subject != arguments["patient_id"]:
        return "the grant is signed by another patient"
    if hmac.digest(salt, artefact, "sha256").hex() != arguments["artefact_commitment"]:
        return "the consent is not the one that was signed"
    return ""


def compare_attested(receipt: dict[str, Any], key: str) -> str:
    """Return what is wrong with the custodian's word on the entry, empty if nothing; its signature needs a key."""
    text: str = receipt["proof"]["custodian"]
    if not text:
        return "the custodian signed nothing" if key else ""
    outer, ledger = canonical(text.encode()), receipt["ledger"]
    reply, signature = outer["reply"], outer["signature"].encode()
    told = {"type": "proof", **{name: ledger[name] for name in ("network_id", "transaction_id", "block", "block_hash")}}
    if sorted(outer) != ["reply", "signature"] or {name: reply[name] for name in told} != told:
        return "the custodian signed for another entry"
    if key:
        try:
            custodian = load_key(base64.b64decode(key, validate=True))
            verify_signature(custodian, b"proof", ledger["network_id"].encode(), encode(reply), signature)
        except MALFORMED:
            return "the custodian's word is not signed by that key"
    return ""


def climb(leaf: bytes, index: int, count: int, siblings: list[bytes]) -> bytes:
    """Return the root to which a path leads."""
    if not 0 <= index < count:
        raise IndexError(index)
    while count > 1:
        if index ^ 1 < count:
            other = siblings.pop(0)
            leaf = hashlib.sha256(b"\x01" + (other + leaf if index % 2 else leaf + other)).digest()
        index, count = index // 2, (count + 1) // 2
    if siblings:
        raise ValueError("the path is too long")
    return leaf


# The command


def verify(
    path: Path,
    *,
    network: str = "",
    head: str = "",
    jobs: int = 0,
    chain_only: bool = False,
    fingerprint: str = "",
    custodian_key: str = "",
) -> Verdict:
    """Return the verdict on an export or a receipt."""
    kind = "export"
    try:
        content = path.read_bytes()
        if not content.startswith(b'{"assent-export":') and b'"proof":' in content[:CHUNK]:
            kind = "receipt"
            verdict = verify_receipt(content, custodian_key)
        else:
            workers = jobs or (os.cpu_count() or 1 if len(content) > POOL_FROM else 1)
            chain = verify_export(path, content, jobs=workers, chain_only=chain_only)
            verdict = Verdict(
                ok=True,
                block=None,
                entry=None,
                reason="",
                network_id=chain.genesis.network_id,
                height=chain.number + 1,
                entries=chain.entries,
                head=chain.hash,
            )
        compare(verdict, network, head, fingerprint)
    except Wrong as wrong:
        return Verdict(ok=False, block=wrong.block, entry=wrong.entry, reason=wrong.reason, kind=kind)
    except OSError as error:
        return Verdict(ok=False, block=None, entry=None, reason=f"the file cannot be read: {error}", kind=kind)
    return verdict


def compare(verdict: Verdict, network: str, head: str, fingerprint: str) -> None:
    """Compare with what is known from elsewhere."""
    if network and verdict.network_id != network:
        raise Wrong("it is another ledger's", 0)
    if head and head != f"{verdict.height - 1}:{verdict.head}":
        raise Wrong("it does not end with the head that is known", verdict.height)
    if fingerprint and fingerprint != verdict.fingerprint:
        raise Wrong("it is not the receipt whose fingerprint is known")


def sentence(verdict: Verdict) -> str:
    """Return the verdict for people."""
    if not verdict.ok:
        where = "" if verdict.block is None else f" block {verdict.block}"
        where += "" if verdict.entry is None else f", entry {verdict.entry}"
        return f"NOT VERIFIED{where}: {verdict.reason}."
    if verdict.kind == "receipt":
        return (
            f"Verified: a consent in block {verdict.height - 1} of ledger {verdict.network_id}; "
            f"{'its custodian attests it; ' if verdict.attested else ''}"
            f"the receipt's fingerprint is {verdict.fingerprint}."
        )
    return (
        f"Verified: {verdict.entries} entries in {verdict.height} blocks of ledger {verdict.network_id}, "
        f"head {verdict.height - 1}:{verdict.head}."
    )


def main() -> NoReturn:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Verify an exported Assent ledger or a consent receipt.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="print an object instead of a sentence")
    parser.add_argument("--network", default="", help="the ledger's id, known from elsewhere")
    parser.add_argument("--head", default="", help="NUMBER:HASH of the last block, known from elsewhere")
    parser.add_argument("--jobs", type=int, default=0, help="processes; by default as many as there are cores")
    parser.add_argument("--chain-only", action="store_true", help="leave out the signatures of entries")
    parser.add_argument("--fingerprint", default="", help="SHA-256 of the receipt, as its QR code shows it")
    parser.add_argument("--custodian-key", default="", help="the custodian's public key, base64, known from elsewhere")
    given = parser.parse_args()
    options = {name: value for name, value in vars(given).items() if name not in {"file", "json"}}
    verdict = verify(given.file, **options)
    print(json.dumps(asdict(verdict)) if given.json else sentence(verdict))
    sys.exit(0 if verdict.ok else 1)


if __name__ == "__main__":
    main()
