"""The client's end of the wire: connects only under the TLS root that the ledger names (PROTOCOL.md E.1, B1)."""

import hashlib
import threading
from collections.abc import Iterable
from typing import Any, Final

import grpc

from app.custodian.gate import LOCKED
from app.custodian.messages import REPLY_MAX, CustodianRefusal, ReplyError
from app.custodian.wire import ASK, LOCKED_NAME, PATIENCE, PIECE_MAX, SERVICE, SLOWEST, STATUS, pem, pieces
from ledger.contract.canonical import decode_object
from ledger.contract.errors import ContractError

_OBJECT_MAX: Final = 16 * 1024 * 1024
"""Bytes that may follow a reply: one part of an object."""
_SHORT: Final = 5.0
"""Seconds in which a custodian must have said that it is locked."""
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", PIECE_MAX),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_http_proxy", 0),
)


def pinned_root(tls_root_hash: str, roots: Iterable[bytes]) -> bytes:
    """Return the certificate (DER) whose SHA-256 the ledger names.

    Raises:
        CustodianRefusal: ``unreachable``: it is none of the hospital's that are known.
    """
    for root in roots:
        if hashlib.sha256(root).hexdigest() == tls_root_hash:
            return root
    raise CustodianRefusal("unreachable", "the TLS root on the ledger is not among the hospital's certificates")


class TlsTransport:
    """Carries the messages of a ``CustodianClient``; call it with a request. Safe for several threads.

    Args:
        endpoint: ``host:port``, as the ledger names it.
        tls_root: see ``pinned_root``: the only anchor of trust, whatever the machine's own store says.
        patience: seconds for one answer.
    """

    def __init__(self, endpoint: str, tls_root: bytes, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._root = pem(tls_root)
        self._endpoint = endpoint
        self._turn = threading.Lock()
        self._channels: dict[str, Any] = {}

    def __call__(self, request: bytes) -> bytes:
        """Return the reply to a request.

        Raises:
            CustodianRefusal: ``locked``, ``busy``, ``malformed``, or ``unreachable``: whether it was done is not known
                then, and the same may be asked again.
            ReplyError: the reply is longer than any.
        """
        call = self._channel("").stream_stream(f"/{SERVICE}/{ASK}")
        seconds = self._patience + len(request) / SLOWEST
        try:
            return self._read(call(pieces(request), timeout=seconds))
        except grpc.RpcError as error:
            raise self._refusal(error) from None
        except ValueError:  # gRPC's word for a channel that was closed
            raise CustodianRefusal("unreachable", "the connection was closed") from None

    def close(self) -> None:
        """Hang up."""
        with self._turn:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()

    @property
    def state(self) -> str:
        """What the custodian says of itself: ``ready``, ``halted``, ``locked``; empty if it does not answer."""
        return self._state("") or self._state(LOCKED_NAME)

    def _read(self, call: Any) -> bytes:
        reply = bytearray()
        for piece in call:
            reply += piece
            if len(reply) > REPLY_MAX + _OBJECT_MAX:
                call.cancel()
                raise ReplyError("the reply is longer than any")
        return bytes(reply)

    def _refusal(self, error: Any) -> CustodianRefusal:
        code, detail = error.code(), str(error.details())
        if code is grpc.StatusCode.FAILED_PRECONDITION and detail == LOCKED:
            return CustodianRefusal("locked")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return CustodianRefusal("busy")
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            return CustodianRefusal("malformed", detail)
        if code is grpc.StatusCode.UNAVAILABLE and self._state(LOCKED_NAME) == LOCKED:
            return CustodianRefusal("locked")
        return CustodianRefusal("unreachable", code.name.lower())

    def _state(self, name: str) -> str:
        """Return the state that is said under a name of the hospital's TLS root; the locked name may only say that."""
        call = self._channel(name).unary_unary(f"/{SERVICE}/{STATUS}")
        try:
            state = str(decode_object(call(b"", timeout=_SHORT)).get("state"))
        except (grpc.RpcError, ContractError, ValueError):
            return ""
        return state if not name or state == LOCKED else ""

    def _channel(self, name: str) -> Any:
        with self._turn:
            if name not in self._channels:
                override = (("grpc.ssl_target_name_override", name),) if name else ()
                options = (*_OPTIONS, *override)
                credentials = grpc.ssl_channel_credentials(self._root)
                self._channels[name] = grpc.secure_channel(self._endpoint, credentials, options=options)
            return self._channels[name]
