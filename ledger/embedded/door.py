"""The embedded ledger's door for other processes of this account: a Unix socket in its folder, mode 0700.

The files have one owner at a time, who makes the blocks. Another process, such as a custodian that runs as a service,
reaches them as a Fabric client reaches a peer: over gRPC, with the ledger's own signed bytes, believing none of it but
what its replica verifies. Nothing is authenticated here: one account is one trust domain (ATTACKS.md A42).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import grpc

from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.embedded.ledger import EmbeddedLedger
from ledger.encoding import from_base64, to_base64
from ledger.gateway import Commit, CommitError, CommitStatusError, EndorseError, Envelope, GatewayError, SubmitError
from ledger.sockets import listen

SOCKET_NAME: Final = "door"
SERVICE: Final = "assent.Ledger"
OPTIONS: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
"""A block may hold a thousand entries; who sends it is of this account."""
WAIT_MAX: Final = 5.0
"""Seconds for which one call may wait for a block."""
ERRORS: Final[dict[str, type[GatewayError]]] = {
    each.__name__: each for each in (GatewayError, EndorseError, SubmitError, CommitStatusError, CommitError)
}
_THREADS: Final = 32
_GRACE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks a query, as ``EmbeddedLedger.evaluate`` needs him: it signs nothing."""

    msp_id: str
    certificate: bytes

    def sign(self, message: bytes) -> bytes:
        """Refuse: the key is in another process."""
        raise NotImplementedError(f"{len(message)} bytes are signed where the key is")


class LedgerDoor:
    """The open door. Close it before the ledger.

    Args:
        ledger: open.
        folder: the ledger's own.

    Raises:
        SocketError: the folder's name is too long for a socket, or it cannot be written.
    """

    def __init__(self, ledger: EmbeddedLedger, folder: Path) -> None:
        path = folder / SOCKET_NAME
        self._ledger = ledger
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="door")
        self._server = grpc.server(self._threads, options=OPTIONS)
        unary = {"Endorse": self._endorse, "Submit": self._submit, "Find": self._find, "Evaluate": self._evaluate}
        handlers = {name: grpc.unary_unary_rpc_method_handler(_answering(work)) for name, work in unary.items()}
        handlers["Wait"] = grpc.unary_unary_rpc_method_handler(_answering(self._wait))
        handlers["Blocks"] = grpc.unary_stream_rpc_method_handler(self._blocks)
        handlers["Events"] = grpc.unary_stream_rpc_method_handler(self._events)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        listen(self._server, path)
        self._server.start()

    def close(self) -> None:
        """Let nobody in any more; what runs has a second."""
        self._server.stop(_GRACE).wait()
        self._threads.shutdown()

    def _endorse(self, asked: dict[str, Json]) -> dict[str, Json]:
        return _envelope_fields(self._ledger.endorse(_bytes(asked, "transaction"), _bytes(asked, "signature")))

    def _submit(self, asked: dict[str, Json]) -> dict[str, Json]:
        return _commit_fields(self._ledger.submit(Envelope(str(asked["transaction_id"]), _bytes(asked, "content"))))

    def _find(self, asked: dict[str, Json]) -> dict[str, Json]:
        found = self._ledger.find_commit(str(asked["transaction_id"]))
        return {} if found is None else _commit_fields(found)

    def _evaluate(self, asked: dict[str, Json]) -> dict[str, Json]:
        arguments = decode_object(str(asked["arguments"]).encode())
        signer = Asking(str(asked["msp_id"]), _bytes(asked, "certificate"))
        answer = self._ledger.evaluate(signer, str(asked["name"]), arguments)
        return {"answer": encode(answer).decode()}  # a string: the depth of what is carried does not add to ours

    def _wait(self, asked: dict[str, Json]) -> dict[str, Json]:
        height, milliseconds = _integer(asked, "height"), _integer(asked, "milliseconds")
        return {"height": self._ledger.wait(height, min(milliseconds / 1000, WAIT_MAX))}

    def _blocks(self, request: bytes, context: Any) -> Iterator[bytes]:
        try:
            yield from self._ledger.blocks(_integer(decode_object(request), "start"))
        except (GatewayError, ContractError, KeyError, TypeError) as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))

    def _events(self, request: bytes, context: Any) -> Iterator[bytes]:
        try:
            asked = decode_object(request)
            for event in self._ledger.events(_integer(asked, "block"), str(asked["transaction_id"])):
                yield encode({**asdict(event), "payload": encode(event.payload).decode()})
        except (GatewayError, ContractError, KeyError, TypeError) as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))


def _commit_fields(commit: Commit) -> dict[str, Json]:
    """Return a commit as the door says it; its response is canonical JSON already."""
    return {**asdict(commit), "response": commit.response.decode()}


def _envelope_fields(envelope: Envelope) -> dict[str, Json]:
    return {"transaction_id": envelope.transaction_id, "content": to_base64(envelope.content)}


def _answering(work: Callable[[dict[str, Json]], dict[str, Json]]) -> Callable[[bytes, Any], bytes]:
    """Turn the gateway's errors into answers, so that each arrives as what it is."""

    def answer(request: bytes, _: Any) -> bytes:
        try:
            return encode(work(decode_object(request)))
        except GatewayError as error:
            return _error_fields(error)
        except (ContractError, KeyError, TypeError, ValueError) as error:
            return _error_fields(GatewayError("malformed", str(error)))

    return answer


def _error_fields(error: GatewayError) -> bytes:
    """Return an error as the door says it."""
    told = {"code": error.code, "detail": error.detail, "transaction_id": error.transaction_id}
    return encode({"error": {"kind": type(error).__name__, **told}})


def _bytes(asked: dict[str, Json], name: str) -> bytes:
    return from_base64(str(asked[name]))


def _integer(asked: dict[str, Json], name: str) -> int:
    value = asked[name]
    if not isinstance(value, int):
        raise TypeError(name)
    return value
