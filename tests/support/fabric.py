"""A real Fabric network for tests, its people, and raw calls at a peer that no client of ours would make."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.peer import peer_pb2_grpc, transaction_pb2

from app.identity.certificates import Role, new_subject
from app.network.binaries import programs
from app.network.network import Network
from app.network.plan import CHAINCODE, CHANNEL
from ledger.chaincode.refusals import read_refusal
from ledger.contract import canonical
from ledger.contract.caller import Caller
from ledger.fabric.proposals import (
    NONCE_BYTES,
    Proposal,
    creator_of,
    new_proposal,
    signed_envelope,
    signed_proposal,
    transaction_payload,
)
from ledger.signatures import sign, spki

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DEADLINE = 20.0


@dataclass(frozen=True)
class Person:
    """A ``Signer`` with a certificate of a hospital of the network."""

    msp_id: str
    certificate: bytes
    key: ec.EllipticCurvePrivateKey
    role: Role
    subject: str

    def sign(self, message: bytes) -> bytes:
        return sign(self.key, message)

    @property
    def caller(self) -> Caller:
        key_hash = hashlib.sha256(spki(self.key.public_key())).hexdigest()
        return Caller(self.msp_id, self.subject, self.role.value, key_hash)


@dataclass(frozen=True)
class Reply:
    """What a peer answered to a proposal: a payload, or code and detail of a refusal of the chaincode."""

    status: int
    payload: bytes
    message: str
    raw: Any

    @property
    def code(self) -> str:
        refusal = read_refusal(self.message)
        assert refusal is not None, self.message
        return refusal[0]


@dataclass
class RealNetwork:
    """A running network and the people of its hospitals."""

    network: Network
    people: dict[tuple[str, str], Person] = field(default_factory=dict)

    def issue(self, msp_id: str, role: Role, name: str = "") -> Person:
        """Return a person with this role, the same one for the same name."""
        known = self.people.get((msp_id, name))
        if name and known is not None:
            return known
        key = ec.generate_private_key(ec.SECP256R1())
        subject = new_subject()
        certificate = self.network.authority(msp_id).issue(spki(key.public_key()), subject, role, int(time.time()))
        self.people[msp_id, name or subject] = person = Person(msp_id, certificate, key, role, subject)
        return person

    @contextmanager
    def peer(self, msp_id: str) -> Iterator[RawPeer]:
        """Connect to a hospital's peer."""
        own = self.network.profile(msp_id).peers[0]
        credentials = grpc.ssl_channel_credentials(own.tls_root.encode())
        with grpc.secure_channel(own.endpoint, credentials) as channel:
            yield RawPeer(channel)


class RawPeer:
    """A connection to one peer."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.endorser = peer_pb2_grpc.EndorserStub(channel)
        self.gateway = gateway_pb2_grpc.GatewayStub(channel)

    def ask(
        self, person: Any, name: str, arguments: Mapping[str, object] | bytes, at: int | None = None
    ) -> tuple[Proposal, Reply]:
        """Have this one peer endorse a call."""
        raw = arguments if isinstance(arguments, bytes) else canonical.encode(dict(arguments))
        now = int(time.time()) if at is None else at
        proposal = new_proposal(person, CHANNEL, CHAINCODE, [name.encode(), raw], now, os.urandom(NONCE_BYTES))
        return proposal, self.endorse(signed_proposal(person, proposal))

    def endorse(self, signed: Any) -> Reply:
        answer = self.endorser.ProcessProposal(signed, timeout=DEADLINE)
        response = answer.response
        return Reply(response.status, response.payload, response.message, answer)

    def submit(self, person: Any, name: str, arguments: Mapping[str, object], at: int | None = None) -> int:
        """Have the gateway endorse and order a call, wait, and return the validation code."""
        now = int(time.time()) if at is None else at
        arguments_bytes = canonical.encode(dict(arguments))
        proposal = new_proposal(
            person, CHANNEL, CHAINCODE, [name.encode(), arguments_bytes], now, os.urandom(NONCE_BYTES)
        )
        request = gateway_pb2.EndorseRequest(
            transaction_id=proposal.transaction_id,
            channel_id=CHANNEL,
            proposed_transaction=signed_proposal(person, proposal),
        )
        prepared = self.gateway.Endorse(request, timeout=DEADLINE).prepared_transaction
        return self.order(person, proposal, prepared.payload)

    def record(self, person: Any, proposal: Proposal, replies: list[Reply]) -> int:
        """Order what several peers endorsed and return the validation code."""
        endorsements = [reply.raw.endorsement for reply in replies]
        return self.order(person, proposal, transaction_payload(proposal, replies[0].raw.payload, endorsements))

    def order(self, person: Any, proposal: Proposal, payload: bytes) -> int:
        self.gateway.Submit(
            gateway_pb2.SubmitRequest(
                transaction_id=proposal.transaction_id,
                channel_id=CHANNEL,
                prepared_transaction=signed_envelope(person, payload),
            ),
            timeout=DEADLINE,
        )
        return self.await_commit(person, proposal.transaction_id)

    def await_commit(self, person: Any, transaction_id: str) -> int:
        """Wait until this peer has committed a transaction and return the validation code."""
        asked = gateway_pb2.CommitStatusRequest(
            transaction_id=transaction_id, channel_id=CHANNEL, identity=creator_of(person)
        ).SerializeToString()
        status = self.gateway.CommitStatus(
            gateway_pb2.SignedCommitStatusRequest(request=asked, signature=person.sign(asked)), timeout=DEADLINE
        )
        return int(status.result)


VALID = transaction_pb2.VALID


def network_at(folder: Path) -> Network:
    """Return the network of a folder, with the programs of this checkout."""
    said: list[str] = []
    return Network(folder, lambda: programs(os.environ, said.append), said.append)


def up(network: Network, hospitals: int | None = None, orderers: int | None = None) -> None:
    """Bring a network up now."""
    network.up(hospitals, orderers, int(time.time()), os.urandom)


@contextmanager
def start(folder: Path, hospitals: int = 3, orderers: int = 3) -> Iterator[RealNetwork]:
    """Run a network in a folder and leave nothing of it."""
    network = network_at(folder)
    try:
        up(network, hospitals, orderers)
        yield RealNetwork(network)
    finally:
        network.reset()
