"""Proposals and envelopes of Fabric: what a client signs to ask endorsers, and what it signs to have it recorded.

Field by field as fabric-protos defines them; the transaction id is the hex SHA-256 of nonce and creator.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from fabric_protos.common import common_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2, transaction_pb2

from ledger.gateway import Signer

NONCE_BYTES: Final = 24
"""As Fabric's own clients."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What endorsers are asked.

    Attributes:
        transaction_id: lower-case hex SHA-256 of nonce and creator.
        channel_header, signature_header: serialized; they come back in the envelope byte by byte.
        payload: the serialized chaincode call.
    """

    transaction_id: str
    channel_header: bytes
    signature_header: bytes
    payload: bytes

    @property
    def content(self) -> bytes:
        """The bytes that are signed and sent."""
        header = common_pb2.Header(channel_header=self.channel_header, signature_header=self.signature_header)
        proposal = proposal_pb2.Proposal(header=header.SerializeToString(), payload=self.payload)
        return bytes(proposal.SerializeToString())


def creator_of(signer: Signer) -> bytes:
    """Return the serialized identity: msp_id and certificate in PEM."""
    certificate = load_der_x509_certificate(signer.certificate).public_bytes(Encoding.PEM)
    return bytes(identities_pb2.SerializedIdentity(mspid=signer.msp_id, id_bytes=certificate).SerializeToString())


def new_proposal(
    signer: Signer, channel_name: str, chaincode_name: str, arguments: Sequence[bytes], at: int, nonce: bytes
) -> Proposal:
    """Put a chaincode call into the form that endorsers read.

    Args:
        signer: whose certificate names the caller; it signs in ``signed_proposal``.
        channel_name: empty for what concerns one peer and no channel (install, join).
        chaincode_name: for example ``assent``, or a system chaincode.
        arguments: the function's name and its arguments.
        at: seconds UTC.
        nonce: fresh random bytes.
    """
    creator = creator_of(signer)
    transaction_id = hashlib.sha256(nonce + creator).hexdigest()
    chaincode = chaincode_pb2.ChaincodeID(name=chaincode_name)
    extension = proposal_pb2.ChaincodeHeaderExtension(chaincode_id=chaincode)
    channel_header = channel_header_of(common_pb2.ENDORSER_TRANSACTION, channel_name, transaction_id, at)
    channel_header.extension = extension.SerializeToString()
    call = chaincode_pb2.ChaincodeInvocationSpec(
        chaincode_spec=chaincode_pb2.ChaincodeSpec(
            type=chaincode_pb2.ChaincodeSpec.GOLANG,  # the official clients' value; endorsers do not read it
            chaincode_id=chaincode,
            input=chaincode_pb2.ChaincodeInput(args=arguments),
        )
    )
    return Proposal(
        transaction_id,
        channel_header.SerializeToString(),
        common_pb2.SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
        proposal_pb2.ChaincodeProposalPayload(input=call.SerializeToString()).SerializeToString(),
    )


def channel_header_of(kind: int, channel_name: str, transaction_id: str, at: int) -> Any:
    """Return the header that every message on a channel begins with."""
    header = common_pb2.ChannelHeader(type=kind, channel_id=channel_name, tx_id=transaction_id)
    header.timestamp.seconds = at
    return header


def signed_proposal(signer: Signer, proposal: Proposal) -> Any:
    """Sign a proposal for ``Endorser.ProcessProposal`` or the Gateway service."""
    content = proposal.content
    return proposal_pb2.SignedProposal(proposal_bytes=content, signature=signer.sign(content))


def transaction_payload(proposal: Proposal, endorsed: bytes, endorsements: Sequence[Any]) -> bytes:
    """Return the payload of the envelope that records an endorsed proposal.

    Args:
        proposal: what was asked.
        endorsed: ``ProposalResponse.payload``, the same bytes from every endorser.
        endorsements: their ``ProposalResponse.endorsement``.
    """
    action = transaction_pb2.ChaincodeActionPayload(
        chaincode_proposal_payload=proposal.payload,
        action=transaction_pb2.ChaincodeEndorsedAction(
            proposal_response_payload=endorsed, endorsements=list(endorsements)
        ),
    )
    transaction = transaction_pb2.Transaction(
        actions=[
            transaction_pb2.TransactionAction(header=proposal.signature_header, payload=action.SerializeToString())
        ]
    )
    header = common_pb2.Header(channel_header=proposal.channel_header, signature_header=proposal.signature_header)
    return bytes(common_pb2.Payload(header=header, data=transaction.SerializeToString()).SerializeToString())


def signed_envelope(signer: Signer, payload: bytes) -> Any:
    """Sign a payload for the orderers."""
    return common_pb2.Envelope(payload=payload, signature=signer.sign(payload))
