"""What an administrator asks of peers: join, install, approve, commit (Fabric's CLI, as gRPC)."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Self

import grpc
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.peer import peer_pb2_grpc, query_pb2
from fabric_protos.peer import transaction_pb2 as transactions
from fabric_protos.peer.lifecycle import lifecycle_pb2

from app.network.identities import FileSigner
from app.network.plan import CHAINCODE, CHANNEL, NetworkError
from ledger.chaincode.refusals import read_refusal
from ledger.fabric.proposals import (
    NONCE_BYTES,
    Proposal,
    channel_header_of,
    creator_of,
    new_proposal,
    signed_envelope,
    signed_proposal,
    transaction_payload,
)

_OK: Final = 200
_DEADLINE: Final = 20.0
_LIFECYCLE: Final = "_lifecycle"
_JOINING: Final = "cscc"
_UNDEFINED: Final = "is not defined"
_UNAPPROVED: Final = "could not fetch approved chaincode definition"
"""What Fabric says, which has no codes for it (core/chaincode/lifecycle)."""


class NotYetError(Exception):
    """A node is not so far; asking again may help."""


@dataclass(frozen=True, slots=True)
class PeerAdmin:
    """One hospital's administrator at his own peer.

    Attributes:
        msp_id: the hospital.
    """

    msp_id: str
    _signer: FileSigner
    _endorser: Any
    _gateway: Any

    @classmethod
    def connect(cls, stack: ExitStack, signer: FileSigner, endpoint: str, tls_root: bytes) -> Self:
        """Open a connection that ends with ``stack``."""
        channel = stack.enter_context(grpc.secure_channel(endpoint, grpc.ssl_channel_credentials(tls_root)))
        return cls(signer.msp_id, signer, peer_pb2_grpc.EndorserStub(channel), gateway_pb2_grpc.GatewayStub(channel))

    def channels(self) -> set[str]:
        """Return the channels that the peer has joined.

        Raises:
            NotYetError: it does not answer.
        """
        payload = self._ask("", _JOINING, b"GetChannels")
        return {each.channel_id for each in query_pb2.ChannelQueryResponse.FromString(payload).channels}

    def join(self, genesis: bytes) -> None:
        """Make the peer join the channel."""
        self._ask("", _JOINING, b"JoinChain", genesis)

    def installed(self) -> set[str]:
        """Return the ids of the chaincode packages on the peer."""
        question = lifecycle_pb2.QueryInstalledChaincodesArgs()
        payload = self._ask("", _LIFECYCLE, b"QueryInstalledChaincodes", question.SerializeToString())
        result = lifecycle_pb2.QueryInstalledChaincodesResult.FromString(payload)
        return {each.package_id for each in result.installed_chaincodes}

    def install(self, package: bytes) -> None:
        """Put a chaincode package on the peer."""
        message = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=package)
        self._ask("", _LIFECYCLE, b"InstallChaincode", message.SerializeToString())

    def sequence(self) -> int:
        """Return the sequence of the definition in force as this peer sees it, 0 without one."""
        question = lifecycle_pb2.QueryChaincodeDefinitionArgs(name=CHAINCODE)
        response = self._respond(CHANNEL, _LIFECYCLE, b"QueryChaincodeDefinition", question.SerializeToString())
        if _UNDEFINED in response.message:
            return 0
        return int(lifecycle_pb2.QueryChaincodeDefinitionResult.FromString(self._payload(response)).sequence)

    def approved(self, sequence: int) -> str:
        """Return the id of the package that the hospital approved for a sequence, empty if it approved none."""
        question = lifecycle_pb2.QueryApprovedChaincodeDefinitionArgs(name=CHAINCODE, sequence=sequence)
        response = self._respond(CHANNEL, _LIFECYCLE, b"QueryApprovedChaincodeDefinition", question.SerializeToString())
        if _UNAPPROVED in response.message:
            return ""
        result = lifecycle_pb2.QueryApprovedChaincodeDefinitionResult.FromString(self._payload(response))
        return str(result.source.local_package.package_id)

    def approvals(self, definition: "Definition") -> set[str]:
        """Return who approved a definition that is not committed yet, as this peer sees it."""
        question = lifecycle_pb2.CheckCommitReadinessArgs(
            name=CHAINCODE, version=definition.version, sequence=definition.sequence
        )
        payload = self._ask(CHANNEL, _LIFECYCLE, b"CheckCommitReadiness", question.SerializeToString())
        result = lifecycle_pb2.CheckCommitReadinessResult.FromString(payload)
        return {msp_id for msp_id, given in result.approvals.items() if given}

    def approve(self, definition: "Definition") -> str:
        """Have the hospital's approval recorded and return the transaction's id; ``await_commit`` waits for it."""
        local = lifecycle_pb2.ChaincodeSource.Local(package_id=definition.package_id)
        message = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(
            name=CHAINCODE,
            version=definition.version,
            sequence=definition.sequence,
            source=lifecycle_pb2.ChaincodeSource(local_package=local),
        )
        return self._record([self], b"ApproveChaincodeDefinitionForMyOrg", message.SerializeToString())

    def commit(self, definition: "Definition", endorsers: "Sequence[PeerAdmin]") -> str:
        """Have a definition that a majority approved put into force and return the transaction's id."""
        message = lifecycle_pb2.CommitChaincodeDefinitionArgs(
            name=CHAINCODE, version=definition.version, sequence=definition.sequence
        )
        return self._record(endorsers, b"CommitChaincodeDefinition", message.SerializeToString())

    def await_commit(self, transaction_id: str) -> None:
        """Return when this peer has committed a transaction as valid.

        Raises:
            NetworkError: it is recorded as invalid.
            NotYetError: the peer does not answer.
        """
        request = gateway_pb2.CommitStatusRequest(
            transaction_id=transaction_id, channel_id=CHANNEL, identity=creator_of(self._signer)
        ).SerializeToString()
        signed = gateway_pb2.SignedCommitStatusRequest(request=request, signature=self._signer.sign(request))
        code = self._call(self._gateway.CommitStatus, signed).result
        if code != transactions.VALID:
            name = transactions.TxValidationCode.Name(code)
            raise NetworkError(
                f"{self.msp_id}: the network's own set-up was recorded as {name}. ./assent network reset"
            )

    def config_block(self) -> bytes:
        """Return the newest config block of the channel."""
        return self._ask(CHANNEL, _JOINING, b"GetConfigBlock", CHANNEL.encode())

    def agree(self, update: bytes) -> Any:
        """Return the administrator's signature (``ConfigSignature``) under a change of the configuration."""
        header = common_pb2.SignatureHeader(creator=creator_of(self._signer), nonce=os.urandom(NONCE_BYTES))
        content = header.SerializeToString()
        return configtx_pb2.ConfigSignature(signature_header=content, signature=self._signer.sign(content + update))

    def change_envelope(self, update: bytes, signatures: Sequence[Any]) -> Any:
        """Return the envelope in which a signed change of the configuration goes to the orderers."""
        content = configtx_pb2.ConfigUpdateEnvelope(config_update=update, signatures=signatures)
        channel_header = channel_header_of(common_pb2.CONFIG_UPDATE, CHANNEL, "", int(time.time()))
        signature_header = common_pb2.SignatureHeader(creator=creator_of(self._signer), nonce=os.urandom(NONCE_BYTES))
        header = common_pb2.Header(
            channel_header=channel_header.SerializeToString(), signature_header=signature_header.SerializeToString()
        )
        payload = common_pb2.Payload(header=header, data=content.SerializeToString())
        return signed_envelope(self._signer, payload.SerializeToString())

    def probe(self, msp_id: str) -> None:
        """Return when this peer knows a hospital's peer, whose chaincode answers: with the refusal of administrators.

        Raises:
            NotYetError: it does not.
        """
        proposal = self._propose(CHANNEL, CHAINCODE, (b"ReadRegistry", b"{}"))
        request = gateway_pb2.EvaluateRequest(
            transaction_id=proposal.transaction_id,
            channel_id=CHANNEL,
            proposed_transaction=signed_proposal(self._signer, proposal),
            target_organizations=[msp_id],
        )
        try:
            self._gateway.Evaluate(request, timeout=_DEADLINE)
        except grpc.RpcError as error:
            if read_refusal(error.details()) is None:
                raise NotYetError(f"{self.msp_id}: {error.details()}") from None

    def _record(self, endorsers: "Sequence[PeerAdmin]", *arguments: bytes) -> str:
        proposal = self._propose(CHANNEL, _LIFECYCLE, arguments)
        signed = signed_proposal(self._signer, proposal)
        answers = [each._endorse(signed) for each in endorsers]  # noqa: SLF001 (peers of one network)
        if len({each.payload for each in answers}) != 1:
            raise NotYetError("the peers do not see the same state yet")
        payload = transaction_payload(proposal, answers[0].payload, [each.endorsement for each in answers])
        request = gateway_pb2.SubmitRequest(
            transaction_id=proposal.transaction_id,
            channel_id=CHANNEL,
            prepared_transaction=signed_envelope(self._signer, payload),
        )
        self._call(self._gateway.Submit, request)
        return proposal.transaction_id

    def _ask(self, channel: str, chaincode: str, *arguments: bytes) -> bytes:
        return self._payload(self._respond(channel, chaincode, *arguments))

    def _payload(self, response: Any) -> bytes:
        if response.status != _OK:
            raise NotYetError(f"{self.msp_id}: {response.message}")
        return bytes(response.payload)

    def _respond(self, channel: str, chaincode: str, *arguments: bytes) -> Any:
        signed = signed_proposal(self._signer, self._propose(channel, chaincode, arguments))
        return self._call(self._endorser.ProcessProposal, signed).response

    def _endorse(self, signed: Any) -> Any:
        answer = self._call(self._endorser.ProcessProposal, signed)
        if answer.response.status != _OK:
            raise NotYetError(f"{self.msp_id}: {answer.response.message}")
        return answer

    def _propose(self, channel: str, chaincode: str, arguments: Sequence[bytes]) -> Proposal:
        return new_proposal(self._signer, channel, chaincode, arguments, int(time.time()), os.urandom(NONCE_BYTES))

    def _call(self, method: Callable[..., Any], message: Any) -> Any:
        try:
            return method(message, timeout=_DEADLINE)
        except grpc.RpcError as error:
            raise NotYetError(f"{self.msp_id}: {error.details()}") from None


@dataclass(frozen=True, slots=True)
class Definition:
    """A chaincode definition: what hospitals approve.

    Attributes:
        sequence: 1 for the first, one more for each change.
        version: for people.
        package_id: what the hospital's peer runs for it.
    """

    sequence: int
    version: str
    package_id: str
