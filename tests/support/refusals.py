"""How a test says that the rules refuse."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ledger.contract.errors import ContractError


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Expect a ``ContractError`` with exactly this code."""
    with pytest.raises(ContractError) as caught:
        yield
    assert caught.value.code == code, str(caught.value)
