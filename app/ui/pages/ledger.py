"""The ledger for whoever audits it: verified on request, its blocks, and what each entry says (SCREENS.md k)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QTextOption
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QInputDialog, QPlainTextEdit, QVBoxLayout, QWidget

from app.ui.keys import bind, key_text
from app.ui.page import Page
from app.ui.refusals import error_sentence
from app.ui.theme import mono, scaled, size
from app.ui.widgets.bands import Band
from app.ui.widgets.buttons import Button
from app.ui.widgets.command_palette import KeyLine, key_line
from app.ui.widgets.panes import Column, Fact, FactsGrid, Note, title_row
from app.ui.widgets.rows import ColumnSpec, RowsModel
from app.ui.widgets.states import Action, State, failed
from app.ui.widgets.tables import RowsTable
from app.ui.widgets.text import IconLabel, Rule, TextKind, label
from app.ui.wording import date_text, size_text, time_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QResizeEvent

    from app.services.ledger_audit import BlockDetail, BlockRow, EntryRow, LedgerAudit, Verification
    from app.ui.background import Background, Task


LOCAL = (
    "Local ledger, not shared: whoever owns this machine could rewrite all of it. A receipt kept elsewhere shows that."
)
_BLOCKS_WIDE, _BLOCKS_NARROW, _ROOMY = 452, 264, 1000
_LEFT_OUT = (3, 4)
"""Size and hash, which the block beside says too."""
_ROWS_SEEN, _TEXT_HIGH = 3, 140
_RESULTS = {"valid": ("Valid", "ok_fg"), "denied": ("Valid, denied", "deny_fg"), "stale": ("Stale read", "held_fg")}


@dataclass(frozen=True, slots=True)
class LedgerPlace:
    """What the page knows besides the ledger.

    Attributes:
        background: the one door off the GUI thread.
        names: names of the own hospital's people by subject; nobody else's are joined.
    """

    background: Background
    names: Mapping[str, str]


class LedgerPage(Page):
    """Result card, list of blocks, one block with its entries.

    Args:
        audit: the service.
        place: see ``LedgerPlace``.
    """

    def __init__(self, audit: LedgerAudit, place: LedgerPlace) -> None:
        super().__init__()
        self._audit, self._place = audit, place
        self._task: Task | None = None
        self._verified: Verification | None = None
        self._detail: BlockDetail | None = None
        self.verify_button = Button("Verify again", icon_name="rotate-cw", key_hint=key_text("refresh"))
        self.export_button = Button("Export blocks…", icon_name="download")
        self.copy_button = Button("Copy as JSON", small=True, icon_name="copy")
        self.back_button = Button(icon_name="chevron-left", small=True, accessible="Previous block, Left")
        self.next_button = Button(icon_name="chevron-right", small=True, accessible="Next block, Right")
        self.result = ResultCard()
        self.band = Band()
        self.blocks_model: RowsModel[BlockRow] = RowsModel(_block_columns(), "block")
        self.blocks_table = RowsTable(self.blocks_model, lambda row: row.number, "Blocks, newest first")
        self.entries_model: RowsModel[EntryRow] = RowsModel(self._entry_columns(), "entry")
        self.entries_table = RowsTable(self.entries_model, lambda row: row.number, "Entries of the block")
        self._title = label("", TextKind.SECTION)
        self._facts = FactsGrid((), 96)
        self._entry_title = label("", TextKind.STRONG)
        self._entry_text = QPlainTextEdit(readOnly=True)
        self._entry_text.setFont(mono())
        self._entry_text.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self._entry_text.setFrameShape(QFrame.Shape.NoFrame)
        self._entry_text.setTabChangesFocus(True)
        self._entry_text.setAccessibleName("Entry, as it was recorded")
        self._entry_text.setMinimumHeight(scaled(_TEXT_HIGH))
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        row, _, self._subtitle = title_row("Ledger", " ")
        row.addWidget(self.export_button)
        row.addWidget(self.verify_button)
        head = QVBoxLayout()
        head.setContentsMargins(scaled(24), scaled(16), scaled(24), scaled(12))
        head.setSpacing(scaled(10))
        head.addLayout(row)
        head.addWidget(self.result)
        head.addWidget(self.band)
        head.addWidget(Note("triangle-alert", LOCAL, "wait", TextKind.BODY))
        below = QHBoxLayout()
        below.setSpacing(0)
        below.addWidget(self.blocks_table)
        below.addWidget(Rule(is_vertical=True))
        below.addWidget(self._right(), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(Rule())
        layout.addLayout(below, 1)

    def _right(self) -> QWidget:
        """Block and entry, one below the other; with large text on a small screen all of it scrolls."""
        right = Column(0, 0)
        head = QVBoxLayout()
        head.setContentsMargins(scaled(20), scaled(12), scaled(20), scaled(12))
        head.setSpacing(scaled(8))
        row = QHBoxLayout()
        row.addWidget(self._title)
        row.addStretch(1)
        row.addWidget(self.back_button)
        row.addWidget(self.next_button)
        head.addLayout(row)
        head.addWidget(self._facts)
        self.entries_table.setMinimumHeight(size("table_header") + _ROWS_SEEN * size("row"))
        entry = QVBoxLayout()
        entry.setContentsMargins(scaled(20), scaled(16), scaled(20), scaled(16))
        entry.setSpacing(scaled(8))
        title = QHBoxLayout()
        title.addWidget(self._entry_title)
        title.addStretch(1)
        title.addWidget(self.copy_button)
        entry.addLayout(title)
        entry.addWidget(self._entry_text)
        right.body.addLayout(head)
        right.body.addWidget(self.entries_table, 1)
        right.body.addLayout(entry, 2)
        frame = QFrame()
        frame.setProperty("surface", "right")
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(1, 0, 0, 0)
        layout.addWidget(right)
        return frame

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's: with little room the list of blocks shows less of each, so that the block itself has room."""
        super().resizeEvent(event)
        is_narrow = self.width() < scaled(_ROOMY)
        for column in _LEFT_OUT:
            self.blocks_table.setColumnHidden(column, is_narrow)
        self.blocks_table.setFixedWidth(scaled(_BLOCKS_NARROW if is_narrow else _BLOCKS_WIDE))

    def _connect(self) -> None:
        self.verify_button.clicked.connect(self.refresh)
        self.export_button.clicked.connect(self.choose_file)
        self.copy_button.clicked.connect(self._copy)
        self.blocks_table.row_chosen.connect(self._choose_block)
        self.entries_table.row_chosen.connect(self._choose_entry)
        self.back_button.clicked.connect(lambda: self._step(-1))
        self.next_button.clicked.connect(lambda: self._step(1))
        self.result.cancelled.connect(self._cancel)
        self.band.acted.connect(lambda _key: self._show_damage())
        bind(self, "block", self.go_to_block)
        for sequence, act in (("Left", self._previous), ("Right", self._following)):
            shortcut = QShortcut(QKeySequence(sequence), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def refresh(self) -> None:
        """Load the blocks and verify the whole ledger again."""
        self._place.background.run(self, self._audit.blocks, self._show_blocks, self._fail)
        self._cancel()
        self.verify_button.setEnabled(False)
        self._task = self._place.background.follow(
            self,
            lambda task: self._audit.verify(
                lambda done, total, _text: task.report((done, total)), lambda: task.is_cancelled
            ),
            lambda report: self.result.show_running(*report),
            self._show_verified,
            self._fail,
        )

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self.verify_button.setEnabled(True)
            if self._verified is not None:
                self.result.show_result(self._verified)

    def _show_blocks(self, rows: tuple[BlockRow, ...]) -> None:
        self.blocks_model.set_rows(rows)
        entries, stored = sum(row.entries for row in rows), sum(row.size for row in rows)
        since = date_text(rows[-1].at) if rows else ""
        self._subtitle.setText(f"{len(rows)} blocks since {since} · {entries} entries · {size_text(stored)}")
        self._subtitle.show()
        if self.blocks_table.current_row is None:
            self.blocks_table.choose_first()

    def _show_verified(self, verified: Verification) -> None:
        self._verified, self._task = verified, None
        self.verify_button.setEnabled(True)
        self.result.show_result(verified)
        self.band.show_state(None if verified.ok else _damage(verified))

    def _choose_block(self, row: BlockRow | None) -> None:
        if row is None:
            return
        number = row.number
        self._place.background.run(self, lambda: self._audit.block(number), self._show_block, self._fail)

    def _show_block(self, detail: BlockDetail) -> None:
        self._detail = detail
        row = detail.row
        self._title.setText(f"Block {row.number}" if row.number else "Block 0, the genesis block")
        previous = (Fact(f"Previous, {row.number - 1}", _grouped(detail.previous), is_mono=True),) if row.number else ()
        merkle = (Fact("Merkle root", _grouped(detail.merkle_root), is_mono=True),) if row.number else ()
        self._facts.show_facts(
            (
                Fact("Hash", _grouped(row.hash), is_mono=True),
                *previous,
                *merkle,
                Fact("Recorded", f"{date_text(row.at)}, {time_text(row.at, seconds=True)}"),
            )
        )
        self.entries_model.set_rows(detail.entries)
        self.entries_table.choose_first()
        if not detail.entries:
            self._choose_entry(None)

    def _choose_entry(self, entry: EntryRow | None) -> None:
        self.copy_button.setVisible(entry is not None)
        self._entry_title.setText("" if entry is None else f"Entry {entry.number}, {entry.name}")
        self._entry_text.setPlainText("" if entry is None else entry.arguments)

    def _step(self, by: int) -> None:
        row = self.blocks_table.current_row
        if row is not None:
            self.blocks_table.choose(row.number + by)

    def _previous(self) -> None:
        self._step(-1)

    def _following(self) -> None:
        self._step(1)

    def go_to_block(self) -> None:
        """Ask for a block's number and go there (Ctrl G)."""
        most = max((row.number for row in self.blocks_model.rows), default=0)
        number, chosen = QInputDialog.getInt(self, "Go to block", f"Block number, 0 to {most}", most, 0, most)
        if chosen:
            self.blocks_table.choose(number)

    def choose_file(self) -> None:
        """Ask where to write the export."""
        name, _ = QFileDialog.getSaveFileName(self, "Export blocks", "assent-ledger.export", "Ledger export (*.export)")
        if name:
            self.export_to(Path(name))

    def export_to(self, file: Path) -> None:
        """Write all blocks to a file that the separate verifier reads; no names are inside."""
        self.export_button.setEnabled(False)
        self._place.background.run(self, lambda: self._audit.export(file), lambda _: self._exported(file), self._fail)

    def _exported(self, file: Path) -> None:
        self.export_button.setEnabled(True)
        self.toast_wanted.emit(
            f"Exported to {file.name}. It includes everything the verifier needs; no names are inside."
        )

    def _copy(self) -> None:
        entry = self.entries_table.current_row
        window = self.window()
        if entry is not None and hasattr(window, "copy"):
            window.copy(entry.arguments)
            self.toast_wanted.emit("Copied. The lock takes it off the clipboard again.")

    def _show_damage(self) -> None:
        if self._verified is not None and self._verified.damaged_block is not None:
            self.blocks_table.choose(self._verified.damaged_block)

    def _fail(self, error: Exception) -> None:
        self.verify_button.setEnabled(True)
        self.export_button.setEnabled(True)
        self.band.show_state(failed(error_sentence(error)))

    def blank(self) -> None:
        """Forget what is shown."""
        self._cancel()
        self.blocks_model.set_rows(())
        self.entries_model.set_rows(())
        self._choose_entry(None)

    def keys(self) -> tuple[KeyLine, ...]:
        """The page's keys."""
        return (key_line("block"), KeyLine("Left, Right", "Previous, next block"))

    def panes(self) -> tuple[QWidget, ...]:
        """F6 goes through list and entries."""
        return (self.blocks_table, self.entries_table)

    def search_hint(self) -> str:
        """The search field's words."""
        return "Block or command"

    def _entry_columns(self) -> tuple[ColumnSpec[EntryRow], ...]:
        return (
            ColumnSpec("#", lambda row: str(row.number), 40, sort_key=lambda row: row.number),
            ColumnSpec("Entry", lambda row: row.name, 172, is_mono=True),
            ColumnSpec("By", self._by),
            ColumnSpec(
                "Result",
                lambda row: _RESULTS[row.result][0],
                120,
                icon=lambda row: (_RESULT_ICONS[row.result], _RESULTS[row.result][1]),
            ),
        )

    def _by(self, row: EntryRow) -> str:
        pseudonym = f"{row.role or 'nobody'} {row.subject[:4].upper()}"
        return f"{self._place.names.get(row.subject, pseudonym.capitalize())} ({row.msp_id})"


_RESULT_ICONS = {"valid": "check", "denied": "ban", "stale": "circle-slash-2"}


class ResultCard(QFrame):
    """The verdict at the left, four counters beside it; while it runs, how far it is."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "card")
        self.setMinimumHeight(scaled(68))
        self._icon = IconLabel("shield-check", "ok_fg", 28)
        self._heading = label("Verifying…", TextKind.SECTION, wrap=True)
        self._when = label("", tone="text2", wrap=True)
        self._counters = [(label("", TextKind.STRONG), label("", TextKind.CAPTION, wrap=True)) for _ in range(3)]
        self.cancel_button = Button("Cancel", small=True)
        self.cancel_button.hide()
        self.cancel_button.clicked.connect(self.cancelled)
        row = QHBoxLayout(self)
        row.setContentsMargins(scaled(20), scaled(8), scaled(20), scaled(8))
        row.setSpacing(scaled(16))
        row.addWidget(self._icon)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._heading)
        words.addWidget(self._when)
        words.addStretch(1)
        row.addLayout(words, 2)
        for number, name in self._counters:
            row.addWidget(Rule(is_vertical=True))
            counter = QVBoxLayout()
            counter.setSpacing(0)
            counter.addStretch(1)
            counter.addWidget(number)
            counter.addWidget(name)
            counter.addStretch(1)
            row.addLayout(counter, 1)
        row.addWidget(self.cancel_button)

    def show_running(self, done: int, total: int) -> None:
        """Say how far the verification is; the last result's counters stay."""
        self._heading.setText(f"Verifying block {done} of {total}")
        self.cancel_button.show()

    def show_result(self, result: Verification) -> None:
        """Say what was found."""
        self.cancel_button.hide()
        self._icon.show_icon("shield-check" if result.ok else "shield-x", "ok_fg" if result.ok else "deny_fg")
        self._heading.setText("Verified, nothing changed" if result.ok else f"Block {result.damaged_block} was changed")
        self._when.setText(
            f"{date_text(result.at)}, {time_text(result.at, seconds=True)} · took {result.seconds:.1f} s"
        )
        texts = (
            (f"{result.blocks} of {result.total}", "blocks linked, signed, Merkle root right"),
            (f"{result.entries} of {result.entries}" if result.ok else str(result.entries), "client signatures"),
            (f"{result.entries} of {result.entries}" if result.ok else str(result.entries), "entries decided again"),
        )
        for (number, name), (count, text) in zip(self._counters, texts, strict=True):
            number.setText(count)
            name.setText(text)


def _damage(result: Verification) -> State:
    number = result.damaged_block or 0
    entry = "" if result.damaged_entry is None else f", entry {result.damaged_entry}"
    before = f"Blocks 0 to {number - 1} are fine; " if number else ""
    return State(
        icon_name="shield-x",
        role="deny",
        heading=f"Block {number}{entry} was changed.",
        text=f"{result.detail[:1].upper()}{result.detail[1:]}. {before}{number} and later ones cannot be trusted.",
        actions=(Action("show", f"Show block {number}"),),
    )


def _block_columns() -> tuple[ColumnSpec[BlockRow], ...]:
    return (
        ColumnSpec("Block", lambda row: str(row.number), 66, sort_key=lambda row: row.number, weight=600),
        ColumnSpec("Time", lambda row: time_text(row.at, seconds=True), 84, sort_key=lambda row: row.at, tone="text2"),
        ColumnSpec("Entries", lambda row: str(row.entries), 72, sort_key=lambda row: row.entries, is_right=True),
        ColumnSpec("Size", lambda row: size_text(row.size), 82, sort_key=lambda row: row.size, is_right=True),
        ColumnSpec("Hash", lambda row: f"{row.hash[:4]} {row.hash[4:8]}", is_mono=True, tone="text2"),
    )


def _grouped(digest: str) -> str:
    first, last = digest[:16], digest[-8:]
    return f"{first[:4]} {first[4:8]} {first[8:12]} {first[12:]} … {last[:4]} {last[4:]}" if digest else ""
