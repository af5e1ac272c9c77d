"""The stream between a peer and its chaincode: many calls at once, each with its own questions and answers.

The peer sends TRANSACTION and gets COMPLETED for it; in between the call asks the peer for state, one question at a
time, and the peer's RESPONSE or ERROR names channel and transaction. What arrives for a call goes to that call alone.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, Final

import grpc
from fabric_protos.peer import chaincode_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim

from ledger.chaincode.calls import Answer, PeerFailedError
from ledger.chaincode.state import PeerState

PATIENCE: Final = 30.0
"""Seconds for one answer of the peer: as long as it gives a call (``chaincode.executetimeout``)."""

Respond = Callable[[Any, PeerState], Answer]
"""Answers one TRANSACTION message with the help of the peer's state."""

_Address = tuple[str, str]
"""Channel and transaction."""

_log: Final = logging.getLogger(__name__)


class Stream:
    """One connection of a peer; lives as long as it.

    Args:
        package_id: under which the peer knows this chaincode.
        respond: answers a call; runs on a thread of ``workers``.
        workers: shared by all streams.
    """

    def __init__(self, package_id: str, respond: Respond, workers: ThreadPoolExecutor) -> None:
        self._package_id = package_id
        self._respond = respond
        self._workers = workers
        self._outgoing: SimpleQueue[Any] = SimpleQueue()
        self._waiting: dict[_Address, SimpleQueue[Any]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def serve(self, incoming: Iterator[Any]) -> Iterator[Any]:
        """Yield what goes to the peer until it hangs up."""
        reader = threading.Thread(target=self._read, args=(incoming,), name="chaincode-stream", daemon=True)
        reader.start()
        identity = chaincode_pb2.ChaincodeID(name=self._package_id)
        yield shim.ChaincodeMessage(type=shim.ChaincodeMessage.REGISTER, payload=identity.SerializeToString())
        while (message := self._outgoing.get()) is not None:
            yield message

    def _read(self, incoming: Iterator[Any]) -> None:
        try:
            for message in incoming:
                self._receive(message)
        except grpc.RpcError:
            _log.info("the peer hung up")
        except Exception as error:  # noqa: BLE001 (gRPC ends an abandoned iterator with a bare Exception)
            _log.info("the peer hung up: %s", type(error).__name__)
        finally:
            self._close()

    def _receive(self, message: Any) -> None:
        kind = message.type
        if kind == shim.ChaincodeMessage.TRANSACTION:
            self._workers.submit(self._answer, message)
        elif kind in (shim.ChaincodeMessage.RESPONSE, shim.ChaincodeMessage.ERROR):
            with self._lock:
                inbox = self._waiting.get((message.channel_id, message.txid))
            if inbox is not None:  # otherwise an answer to nobody, such as one that came too late
                inbox.put(message)
        elif kind == shim.ChaincodeMessage.INIT:  # we ask for none; refuse in the form of any other answer
            self._send(message, shim.ChaincodeMessage.ERROR, b"this contract has no init")
        # REGISTERED, READY and KEEPALIVE need no answer.

    def _answer(self, message: Any) -> None:
        """Answer one call; on a thread of its own."""
        address = (message.channel_id, message.txid)
        inbox: SimpleQueue[Any] = SimpleQueue()
        with self._lock:
            if self._closed:
                return
            self._waiting[address] = inbox

        def ask(kind: int, payload: bytes) -> bytes:
            self._send(message, kind, payload)
            try:
                reply = inbox.get(timeout=PATIENCE)
            except Empty:
                raise PeerFailedError from None
            if reply is None or reply.type != shim.ChaincodeMessage.RESPONSE:
                raise PeerFailedError
            return bytes(reply.payload)

        try:
            answer = self._respond(message, PeerState(ask))
        finally:
            with self._lock:
                self._waiting.pop(address, None)
        self._send(message, shim.ChaincodeMessage.COMPLETED, answer.response.SerializeToString(), answer.event)

    def _send(self, message: Any, kind: int, payload: bytes, event: Any = None) -> None:
        self._outgoing.put(
            shim.ChaincodeMessage(
                type=kind,
                payload=payload,
                txid=message.txid,
                channel_id=message.channel_id,
                chaincode_event=event,
            )
        )

    def _close(self) -> None:
        """Let go of everybody who waits for the peer."""
        with self._lock:
            self._closed = True
            for inbox in self._waiting.values():
                inbox.put(None)
        self._outgoing.put(None)
