"""How a test says that the rules, or a custodian, refuse."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.custodian.messages import CustodianRefusal
from ledger.contract.errors import ContractError


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Expect a ``ContractError`` with exactly this code."""
    with pytest.raises(ContractError) as caught:
        yield
    assert caught.value.code == code, str(caught.value)


def custodian_refusal(work: Callable[[], object]) -> CustodianRefusal:
    """Return how a custodian refuses ``work``."""
    with pytest.raises(CustodianRefusal) as caught:
        work()
    return caught.value
