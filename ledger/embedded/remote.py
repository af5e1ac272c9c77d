"""The embedded ledger of another process of this account, through its door; the same ``Gateway`` as when it is ours."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import grpc

from ledger.blocks import NONCE_BYTES, transaction_content
from ledger.contract import canonical
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.embedded.door import ERRORS, OPTIONS, SERVICE, SOCKET_NAME, WAIT_MAX
from ledger.encoding import from_base64, to_base64
from ledger.faults import LedgerFaultError
from ledger.gateway import (
    Commit,
    CommitStatusError,
    EndorseError,
    Envelope,
    Event,
    GatewayError,
    Signer,
    SubmitError,
)
from ledger.signatures import signed_bytes

SILENT: Final = "unavailable"
"""Code of the error when nobody answers at the door."""
_SECONDS: Final = 10.0
"""In which an answer must have come."""
_OPTIONS: Final = (*OPTIONS, ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000))


class RemoteLedger:
    """A ``Gateway`` over the door of the process that has the ledger open.

    Args:
        folder: the ledger's.
        network_id: of the ledger that is expected there; the replica compares it with the first block.
        clock: seconds UTC.
        random: returns so many unpredictable bytes.
    """

    def __init__(
        self, folder: Path, network_id: str, *, clock: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._network_id = network_id
        self._clock, self._random = clock, random
        self._channel = grpc.insecure_channel(f"unix:{folder / SOCKET_NAME}", options=_OPTIONS)

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    @property
    def network_id(self) -> str:
        """See ``Gateway.network_id``."""
        return self._network_id

    def prepare(self, signer: Signer, name: str, arguments: Mapping[str, object]) -> Envelope:
        """See ``Gateway.prepare``; signed here, checked there."""
        try:
            transaction = transaction_content(
                self._network_id,
                self._random(NONCE_BYTES),
                self._clock(),
                signer,
                name,
                canonical.encode(dict(arguments)),
            )
        except ContractError as error:
            raise EndorseError(error.code, error.detail) from None
        except LedgerFaultError as fault:
            raise EndorseError("malformed", fault.detail) from None
        signature = signer.sign(signed_bytes("transaction", self._network_id, transaction))
        asked = {"transaction": to_base64(transaction), "signature": to_base64(signature)}
        answer = self._ask("Endorse", asked, EndorseError)
        return Envelope(str(answer["transaction_id"]), from_base64(str(answer["content"])))

    def submit(self, envelope: Envelope) -> Commit:
        """See ``Gateway.submit``."""
        asked = {"transaction_id": envelope.transaction_id, "content": to_base64(envelope.content)}
        return _commit(self._ask("Submit", asked, SubmitError))

    def find_commit(self, transaction_id: str) -> Commit | None:
        """See ``Gateway.find_commit``."""
        answer = self._ask("Find", {"transaction_id": transaction_id}, CommitStatusError)
        return _commit(answer) if answer else None

    def evaluate(self, signer: Signer, name: str, arguments: Mapping[str, object]) -> Json:
        """See ``Gateway.evaluate``."""
        asked = {
            "msp_id": signer.msp_id,
            "certificate": to_base64(signer.certificate),
            "name": name,
            "arguments": encode(dict(arguments)).decode(),
        }
        return canonical.load(str(self._ask("Evaluate", asked, EndorseError)["answer"]).encode())

    def wait(self, height: int, timeout: float) -> int:
        """See ``Gateway.wait``."""
        seconds = min(timeout, WAIT_MAX)
        answer = self._ask("Wait", {"height": height, "milliseconds": int(seconds * 1000)}, GatewayError)
        return int(str(answer["height"]))

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """See ``Gateway.blocks``."""
        yield from self._stream("Blocks", {"start": start})

    def events(self, block: int = 0, transaction_id: str = "") -> Iterator[Event]:
        """See ``Gateway.events``."""
        for raw in self._stream("Events", {"block": block, "transaction_id": transaction_id}):
            told = decode_object(raw)
            payload = decode_object(str(told["payload"]).encode())
            yield Event(str(told["name"]), payload, int(str(told["block"])), str(told["transaction_id"]))

    def _ask(self, method: str, asked: Mapping[str, object], silent: type[GatewayError]) -> dict[str, Json]:
        transaction_id = str(asked.get("transaction_id", ""))
        try:
            answer = decode_object(self._channel.unary_unary(f"/{SERVICE}/{method}")(encode(asked), timeout=_SECONDS))
        except grpc.RpcError as error:
            raise silent(SILENT, _why(error), transaction_id) from None
        except ContractError as error:
            raise silent("malformed", error.detail, transaction_id) from None
        except ValueError as closed:  # gRPC's word for a channel that was closed
            raise silent(SILENT, str(closed), transaction_id) from None
        told = answer.get("error")
        if isinstance(told, dict):
            kind = ERRORS.get(str(told["kind"]), silent)
            raise kind(str(told["code"]), str(told["detail"]), str(told["transaction_id"]))
        return answer

    def _stream(self, method: str, asked: Mapping[str, object]) -> Iterator[bytes]:
        try:
            call = self._channel.unary_stream(f"/{SERVICE}/{method}")(encode(asked))
            try:
                yield from call
            finally:
                call.cancel()
        except (grpc.RpcError, ValueError) as error:
            raise GatewayError(SILENT, _why(error)) from None


def _commit(answer: dict[str, Json]) -> Commit:
    block, index, at = (int(str(answer[name])) for name in ("block", "index", "at"))
    return Commit(str(answer["transaction_id"]), block, index, at, str(answer["response"]).encode())


def _why(error: Any) -> str:
    details = getattr(error, "details", None)
    return str(details() if callable(details) else error)
