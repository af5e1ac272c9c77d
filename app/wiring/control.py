"""How an operator reaches a custodian that runs as a process: a socket in a folder that only this account enters."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc

import app.custodian.wire  # noqa: F401 (says first what gRPC may write to the terminal)
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.sockets import listen

NAME: Final = "control"
_SERVICE: Final = "assent.Operator"
_SECONDS: Final = 120.0
"""Unlocking stretches a passphrase and verifies the ledger's blocks."""

Action = Callable[[dict[str, Json]], dict[str, Json]]


class ControlError(Exception):
    """What was asked could not be done; the text is for the operator and says what to do."""


class NotRunningError(ControlError):
    """Nobody answers: the custodian's process does not run."""


class ControlDoor:
    """The running process's side.

    Args:
        folder: of the hospital; mode 0700.
        actions: what may be asked, by name; each may raise ``ControlError``.

    Raises:
        SocketError: the socket cannot be made there.
    """

    def __init__(self, folder: Path, actions: dict[str, Action]) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="operator")
        self._server = grpc.server(self._threads)
        handlers = {name: grpc.unary_unary_rpc_method_handler(_answering(act)) for name, act in actions.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
        try:
            listen(self._server, folder / NAME)
        except BaseException:
            self._threads.shutdown()
            raise
        self._server.start()

    def close(self) -> None:
        """Answer what was asked, then nothing more."""
        self._server.stop(1.0).wait()
        self._threads.shutdown()


def ask(folder: Path, name: str, asked: dict[str, Json] | None = None) -> dict[str, Json]:
    """Ask the process that serves the custodian in ``folder``.

    Raises:
        NotRunningError: nobody answers.
        ControlError: it could not be done; the text says why.
    """
    with grpc.insecure_channel(f"unix:{folder / NAME}") as channel:
        try:
            answer = decode_object(channel.unary_unary(f"/{_SERVICE}/{name}")(encode(asked or {}), timeout=_SECONDS))
        except grpc.RpcError:
            raise NotRunningError(
                "The custodian's process does not answer. Start it: ./assent custodian serve"
            ) from None
    if "error" in answer:
        raise ControlError(str(answer["error"]))
    return answer


def _answering(act: Action) -> Callable[[bytes, Any], bytes]:
    def answer(request: bytes, _: Any) -> bytes:
        try:
            return encode(act(decode_object(request)))
        except (ControlError, ContractError) as error:
            return encode({"error": str(error)})

    return answer
