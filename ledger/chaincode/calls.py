"""One call of the contract: who asks, when and what, read from the signed proposal; and the answer to it.

The peer has checked the proposal's signature, the creator's chain and that he may write. Everything else about him is
read here as everywhere (``ledger.certificates``), and nothing comes from the unsigned part of the message.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.common import common_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2, proposal_pb2, proposal_response_pb2
from google.protobuf.message import DecodeError

from ledger.certificates import CertificateError, caller_of
from ledger.chaincode.refusals import refusal_text
from ledger.chaincode.state import PeerState
from ledger.contract import check_clock
from ledger.contract.caller import Caller
from ledger.contract.errors import ContractError
from ledger.contract.limits import ARGUMENTS_MAX_BYTES
from ledger.contract.state import StagedState
from ledger.contract.transactions import QUESTIONS
from ledger.execution import Contract
from ledger.faults import Fault

OK: Final = 200
REFUSED: Final = 403
"""The rules refuse. Fabric endorses nothing from 400 on, and a gateway asks no other peer below 500."""

FAILED: Final = 500
"""This chaincode or its peer does not work."""

_log: Final = logging.getLogger(__name__)


class PeerFailedError(Exception):
    """The peer answered a question with an error, or not at all: there is no value, not even an empty one."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a signed proposal asks.

    Attributes:
        at: the proposal's own time, seconds UTC.
        name: wire name of a transaction or query.
        arguments: canonical bytes, not yet checked.
    """

    caller: Caller
    transaction_id: str
    at: int
    name: str
    arguments: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the peer.

    Attributes:
        response: ``proposal_response.Response``.
        event: ``ChaincodeEvent`` or None.
    """

    response: Any
    event: Any = None


def answer(contract: Contract, clock: Callable[[], int], message: Any, state: PeerState) -> Answer:
    """Answer one TRANSACTION message.

    Args:
        contract: the rules.
        clock: this node's, seconds UTC.
        message: ``ChaincodeMessage``.
        state: what the peer holds.
    """
    try:
        call = read_call(message.proposal, message.payload)
        if call.name in QUESTIONS:
            payload = contract.query(state, call.caller, clock(), call.name, call.arguments)
            return Answer(_response(OK, payload=payload))
        return _execute(contract, clock(), call, state, message)
    except ContractError as refusal:
        return _refused(refusal.code, refusal.detail)
    except CertificateError as error:
        return _refused(Fault.CERTIFICATE, str(error))
    except PeerFailedError:
        _log.warning("%s: the peer did not answer a question about its state", message.txid)
        return Answer(_response(FAILED, refusal_text("peer", "the peer did not answer a question about its state")))
    except Exception as defect:  # noqa: BLE001 (one call must not end the stream that carries all)
        # Neither text nor traceback: both may hold what somebody sent.
        _log.error("%s: %s", message.txid, type(defect).__name__)
        return Answer(_response(FAILED, refusal_text("defect", type(defect).__name__)))


def read_call(signed_proposal: Any, sent_input: bytes) -> Call:
    """Read a signed proposal.

    Args:
        signed_proposal: as the client signed it.
        sent_input: the ``ChaincodeInput`` that the peer hands over, which must be the signed one: it differs where
            another chaincode calls this one with arguments that its own caller never signed.

    Raises:
        ContractError: ``malformed`` or ``limit``.
        CertificateError: the creator is no person or service of the agreed form.
    """
    try:
        proposal = proposal_pb2.Proposal.FromString(signed_proposal.proposal_bytes)
        header = common_pb2.Header.FromString(proposal.header)
        channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
        creator = identities_pb2.SerializedIdentity.FromString(
            common_pb2.SignatureHeader.FromString(header.signature_header).creator
        )
        payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
        signed = chaincode_pb2.ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec.input
        sent = chaincode_pb2.ChaincodeInput.FromString(sent_input)
    except DecodeError:
        raise ContractError("malformed", "not a proposal") from None
    if list(signed.args) != list(sent.args):
        raise ContractError("malformed", "called by another chaincode")
    if len(signed.args) != 2:  # noqa: PLR2004 (name and object)
        raise ContractError("malformed", "a call has a name and one object")
    name, arguments = signed.args
    if len(arguments) > ARGUMENTS_MAX_BYTES:
        raise ContractError("limit", "arguments are at most 64 KiB")
    return Call(
        caller_of(_der(creator.id_bytes), creator.mspid),
        channel_header.tx_id,
        channel_header.timestamp.seconds,
        name.decode("ascii", errors="replace"),
        bytes(arguments),
    )


def _execute(contract: Contract, now: int, call: Call, state: PeerState, message: Any) -> Answer:
    """Run a transaction and put its writes into the peer's write set."""
    check_clock(now, call.at)
    staged = StagedState(state)
    outcome = contract.execute(staged, call.caller, call.transaction_id, call.at, call.name, call.arguments)
    for key, value in staged.writes.items():
        state.put(key, value)
    event = None
    if outcome.event_name:
        event = chaincode_event_pb2.ChaincodeEvent(
            tx_id=message.txid, event_name=outcome.event_name, payload=outcome.event_payload
        )
    return Answer(_response(OK, payload=outcome.response), event)


def _der(pem: bytes) -> bytes:
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except ValueError:
        raise CertificateError("not a certificate") from None


def _refused(code: str, detail: str) -> Answer:
    return Answer(_response(REFUSED, refusal_text(code, detail)))


def _response(status: int, message: str = "", payload: bytes = b"") -> Any:
    return proposal_response_pb2.Response(status=status, message=message, payload=payload)
