"""The ledger's page: at every text size nothing is cut, and the block beside the list has room."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from app.services.ledger_audit import BlockDetail, BlockRow, EntryRow, LedgerAudit, Verification
from app.ui.pages.ledger import LedgerPage, LedgerPlace
from app.ui.theme import Look, apply
from tests.support.practitioner import NOW

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.ui.background import Background

HASH = "0123456789abcdef" * 4
LONG = '{\n "hash": "' + "f" * 400 + '"\n}'
ENTRY = EntryRow(1, "SuspendPractitioner", "AlderMSP", "c" * 26, "custodian", "denied", "t" * 64, LONG)


class StubAudit:
    """A ledger of twelve blocks that verifies."""

    def blocks(self) -> tuple[BlockRow, ...]:
        return tuple(BlockRow(number, NOW, 1, 1_500, HASH) for number in range(11, -1, -1))

    def block(self, number: int) -> BlockDetail:
        return BlockDetail(self.blocks()[11 - number], HASH, HASH, (ENTRY,))

    def verify(self, _progress: object, _cancelled: object) -> Verification:
        return Verification(ok=True, blocks=12, total=12, entries=12, seconds=0.1, at=NOW)


@pytest.fixture(params=[1.0, 1.5], ids=["100 %", "150 %"])
def page(request: pytest.FixtureRequest, qtbot: QtBot, qapp: QApplication, background: Background) -> LedgerPage:
    apply(qapp, Look(text_scale=request.param))
    made = LedgerPage(cast("LedgerAudit", StubAudit()), LedgerPlace(background, {"c" * 26: "Dr Carol Specimen"}))
    qtbot.addWidget(made)
    made.resize(1192 if request.param == 1.0 else 1148, 686)
    made.show()
    made.refresh()
    qtbot.waitUntil(lambda: made.entries_table.current_row is not None)
    qtbot.waitUntil(lambda: "nothing changed" in made.result._heading.text())
    qtbot.wait(50)  # the layout follows the words
    return made


def test_no_word_of_the_ledger_s_page_is_cut(page: LedgerPage) -> None:
    for each in page.findChildren(QLabel):
        if each.isVisible() and each.text():
            need = each.heightForWidth(each.width()) if each.wordWrap() else each.sizeHint().height()
            assert each.height() >= need, each.text()
            assert each.wordWrap() or each.width() >= each.sizeHint().width(), each.text()


def test_each_control_is_inside_the_page(page: LedgerPage) -> None:
    for each in page.findChildren(QAbstractButton):
        if each.isVisible():
            left = each.mapTo(page, each.rect().topLeft()).x()
            assert left >= 0, each.accessibleName()
            assert left + each.width() <= page.width(), each.accessibleName()
    assert page.entries_table.horizontalHeader().length() <= page.entries_table.viewport().width()
    assert page.blocks_table.horizontalHeader().length() <= page.blocks_table.viewport().width()


def test_a_long_entry_wraps_and_can_be_read_to_its_end(page: LedgerPage) -> None:
    text = page._entry_text
    assert text.toPlainText() == LONG
    assert text.horizontalScrollBar().maximum() == 0
    assert text.isReadOnly()


def test_a_small_page_lists_less_of_each_block(page: LedgerPage) -> None:
    is_large = page.blocks_table.isColumnHidden(4)
    assert is_large is (page.width() == 1148)
    page.resize(2400, 1000)
    assert not page.blocks_table.isColumnHidden(4)
