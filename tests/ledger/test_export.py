"""Exports: one file, whole or absent, the same for the same blocks."""

import stat
from pathlib import Path

import pytest

from ledger.embedded.export import export
from tests.support.ledger import count, create_ledger, open_ledger
from tests.support.verifier import export_of


def test_the_same_blocks_give_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with create_ledger(tmp_path / "l") as ledger:
        for _ in range(3):
            count(ledger)
        head = export(ledger, first)
        assert (head.number, head.hash) == (ledger.head.number, ledger.head.hash)
        assert first.read_bytes() == export_of(ledger)
    with open_ledger(tmp_path / "l") as ledger:
        export(ledger, second)
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


def test_a_new_ledger_has_an_export(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        head = export(ledger, tmp_path / "file")
        assert (head.number, head.hash) == (0, ledger.network_id)
        assert (tmp_path / "file").read_bytes() == export_of(ledger)


def test_an_export_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    ledger = create_ledger(tmp_path / "l")
    ledger.close()
    with pytest.raises(Exception, match="closed"):
        export(ledger, file)
    assert file.read_bytes() == b"old"
