"""World state as the peer holds it, asked for over the stream that also carries the call.

A key is Fabric's composite key: U+0000, then each part followed by U+0000, so that ``("consent", "c1")`` is no prefix
of ``("consent", "c10")``. Parts are those of the contract, ``[A-Za-z0-9.-]{1,64}``.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim

from ledger.contract.errors import ContractError
from ledger.contract.shape import PART
from ledger.contract.state import Key

_LAST: Final = "\U0010ffff"
"""Sorts after every part (Fabric's ``maxUnicodeRuneValue``)."""

Ask = Callable[[int, bytes], bytes]
"""Sends one message of a kind to the peer and returns the payload of its answer."""


def composite(key: Key) -> str:
    """Return the name under which a peer keeps a key.

    Raises:
        ContractError: ``malformed``; a part is not of the agreed alphabet.
    """
    if not all(map(PART, key)):
        raise ContractError("malformed", "a key part is not of the agreed alphabet")
    return "\0" + "".join(part + "\0" for part in key)


class PeerState:
    """Committed state, behind ``ask``; reads join the transaction's read set at the peer."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def get(self, key: Key) -> bytes | None:
        """Return the committed value of ``key``, or None."""
        message = shim.GetState(key=composite(key))
        return self._ask(shim.ChaincodeMessage.GET_STATE, message.SerializeToString()) or None

    def put(self, key: Key, value: bytes) -> None:
        """Add one write to the transaction's write set."""
        message = shim.PutState(key=composite(key), value=value)
        self._ask(shim.ChaincodeMessage.PUT_STATE, message.SerializeToString())

    def scan(self, prefix: Key) -> Iterator[tuple[Key, bytes]]:
        """Yield what begins with all parts of ``prefix``, in key order; the peer hands it out in pages."""
        first = composite(prefix)
        question = shim.GetStateByRange(startKey=first, endKey=first + _LAST)
        page = self._page(shim.ChaincodeMessage.GET_STATE_BY_RANGE, question)
        while True:
            for each in page.results:
                row = kv_query_result_pb2.KV.FromString(each.resultBytes)
                yield tuple(row.key[1:-1].split("\0")), bytes(row.value)
            if not page.has_more:
                return  # the peer has closed the query by itself
            page = self._page(shim.ChaincodeMessage.QUERY_STATE_NEXT, shim.QueryStateNext(id=page.id))

    def _page(self, kind: int, question: Any) -> Any:
        return shim.QueryResponse.FromString(self._ask(kind, question.SerializeToString()))
