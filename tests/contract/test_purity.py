"""The contract uses nothing that differs from node to node (A39)."""

import ast
from pathlib import Path

import pytest

import ledger.contract
from tests.contract.purity import set_fields, violations

MODULES = sorted(Path(ledger.contract.__path__[0]).glob("*.py"))
SET_NAMES = set_fields([ast.parse(path.read_text()) for path in MODULES])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_of_the_contract_is_pure(path: Path) -> None:
    assert violations(path.read_text(), SET_NAMES, may_use_json=path.name == "canonical.py") == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os.path",
        "import json",
        "from datetime import datetime",
        "from random import choice",
        "from uuid import uuid4",
        "from ledger.gateway import Gateway",
        "x = float(1)",
        "x = 1.0",
        "x = 1 / 2",
        "x = hash('a')",
        "x = 'A'.lower()",
        "x = 'a'.casefold()",
        "for x in {1, 2}: y = x",
        "for x in frozenset(y): z = x",
        "for x in self.actors: z = x",
        "x = [y for y in {1, 2}]",
        "x = [y for y in set(z) | w]",
        "x = {y: 1 for y in record.actors}",
        "x = [*{1, 2}]",
        "x = list(set(y))",
        "x = tuple(self.actors)",
        "def f(x): return f(x)",
        "def f(x): return g(x)\ndef g(x): return f(x)",
        "try: x = 1\nexcept ValueError as error: y = f'{error}'",
    ],
)
def test_the_check_bites(source: str) -> None:
    assert violations(source, {"actors"}) != []


@pytest.mark.parametrize(
    "source",
    [
        "for x in sorted({1, 2}): y = x",
        "x = any(y for y in self.actors)",
        "x = sorted(y for y in {1, 2})",
        "x = {y for y in {1, 2}}",
        "x = 1 in {1, 2}",
        "x = 7 // 2",
        "def f(x): return g(x)\ndef g(x): return x",
    ],
)
def test_the_check_lets_order_free_uses_pass(source: str) -> None:
    assert violations(source, {"actors"}) == []
