"""Ledgers for contract tests, each fresh: a test changes only its own."""

from functools import cache

import pytest

from tests.support.contract import approved, clinic
from tests.support.contract import hospitals as two_hospitals
from tests.support.staged import Staged


@pytest.fixture
def hospitals() -> Staged:
    """Two hospitals with their staff."""
    return _hospitals().copy()


@pytest.fixture
def ledger() -> Staged:
    """The hospitals with alice and bob, two records each, no consent."""
    return _clinic().copy()


@pytest.fixture
def lab() -> Staged:
    """The same, where both hospitals approved a model."""
    return _lab().copy()


@cache
def _hospitals() -> Staged:
    return two_hospitals()


@cache
def _clinic() -> Staged:
    return clinic()


@cache
def _lab() -> Staged:
    return approved(clinic())
