"""What an administrator asks of peers: join, install, approve, commit (Fabric's CLI, as gRPC)."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Self

import grpc
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

    def committed(self) -> tuple[int, set[str]]:
        """Return the sequence of the committed definition, 0 without one, and who approved it, as this peer sees it."""
        question = lifecycle_pb2.QueryChaincodeDefinitionArgs(name=CHAINCODE)
        try:
            payload = self._ask(CHANNEL, _LIFECYCLE, b"QueryChaincodeDefinition", question.SerializeToString())
        except NotYetError as error:
            if "not defined" in str(error):
                return 0, set()
            raise
        result = lifecycle_pb2.QueryChaincodeDefinitionResult.FromString(payload)
        return result.sequence, {msp_id for msp_id, given in result.approvals.items() if given}

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

    def probe(self) -> None:
        """Return when the hospital's chaincode answers its peer: with the refusal that an administrator gets.

        Raises:
            NotYetError: it does not.
        """
        response = self._respond(CHANNEL, CHAINCODE, b"ReadRegistry", b"{}")
        if read_refusal(response.message) is None:
            raise NotYetError(f"{self.msp_id}: {response.message}")

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
        response = self._respond(channel, chaincode, *arguments)
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
