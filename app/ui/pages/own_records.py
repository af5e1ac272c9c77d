"""My records: the patient's own records, opened like any other, and who could see each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout

from app.ui.kinds import kind_icon, kind_text
from app.ui.outcomes import failure_sentence, state_of
from app.ui.page import Page
from app.ui.pages.own_record_detail import OwnRecordDetail
from app.ui.theme import scaled
from app.ui.widgets import Band, EntriesList, Group, PaneLayout, StateView, TextKind, TwoLine, label, surface
from app.ui.widgets.states import empty
from app.ui.wording import count_text, iso_day_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QFrame, QWidget

    from app.services.own_records import CouldSee, OwnRecord, OwnRecords
    from app.ui.pages.phases import Phase
    from app.ui.pages.workplace import Workplace

_EMPTY: Final = empty(
    "folder-heart", "Your records stand here once your hospital has imported them.", "Nothing here yet"
)


class OwnRecordsPage(Page):
    """The patient's own records.

    Args:
        records: hers.
        place: background, clock and zone.
        language: hers.
        name: hers, for the header of an open record.

    Signals:
        open_wanted: carries a ``RecordRow``; wiring gives it to an ``Opener`` made with ``records.reading``.
    """

    open_wanted = Signal(object)

    def __init__(self, records: OwnRecords, place: Workplace, language: str, name: str = "") -> None:
        super().__init__()
        self._records, self._place, self._language, self._name = records, place, language, name
        self._rows: tuple[OwnRecord, ...] = ()
        self.band = Band()
        self.list = EntriesList(lambda row: row.record_id, "My records", 0.66, patient=True)
        self.nothing = StateView(_EMPTY)
        self.detail = OwnRecordDetail(place.clock, place.zone)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(PaneLayout(self._main(), self.detail))
        self.list.row_chosen.connect(self._choose)
        self.list.row_opened.connect(lambda _row: self._open())
        self.band.acted.connect(lambda _key: self.refresh())
        self.detail.open_wanted.connect(self._open)
        self.detail.who_wanted.connect(self._ask_who)

    def _main(self) -> QFrame:
        main = surface("window")
        head = QVBoxLayout()
        head.setContentsMargins(scaled(24), scaled(18), scaled(24), scaled(14))
        head.setSpacing(0)
        head.addWidget(label("My records", TextKind.PATIENT_TITLE))
        self.subtitle = label("", TextKind.PATIENT, "text2")
        head.addWidget(self.subtitle)
        head.addWidget(self.band)
        layout = QVBoxLayout(main)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        return main

    def refresh(self) -> None:
        """Load again."""
        self._place.background.run(self, self._records.rows, self._show, self._fail)

    def blank(self) -> None:
        """Forget the records."""
        self._rows = ()
        self.list.show_entries(())
        self.detail.show_row(None)
        self.band.show_state(None)

    def panes(self) -> tuple[QWidget, ...]:
        """The list and the detail."""
        return self.list, self.detail.open_button

    def _fail(self, error: Exception) -> None:
        self.band.show_state(state_of(error))

    def _show(self, rows: tuple[OwnRecord, ...]) -> None:
        self._rows = rows
        self.band.show_state(None)
        self.subtitle.setText(f"{count_text(len(rows), 'record', 'records')}. Opening one is recorded, too.")
        self.subtitle.setVisible(bool(rows))
        self.list.show_entries(record_entries(rows))
        self._stack.setCurrentWidget(self.list if rows else self.nothing)
        self.list.choose_first()
        if not rows:
            self.detail.show_row(None)

    def _choose(self, row: OwnRecord | None) -> None:
        self.detail.show_row(row)

    def _open(self) -> None:
        row: OwnRecord | None = self.list.current_row
        if row is not None and self.detail.open_button.isEnabled():
            self.open_wanted.emit(self._records.line(row, self._name))

    def show_phase(self, phase: Phase) -> None:
        """Show how far an opening is."""
        self.detail.show_busy(busy=phase.is_busy)
        self.band.show_state(phase.state)

    def _ask_who(self, at: int) -> None:
        row: OwnRecord | None = self.list.current_row
        if row is None:
            return

        def show(found: tuple[CouldSee, ...]) -> None:
            current: OwnRecord | None = self.list.current_row
            if current is not None and current.record_id == row.record_id:
                self.detail.show_who(found, self._place.hospitals)

        self._place.background.run(
            self,
            lambda: self._records.who_could_see(row, at),
            show,
            lambda error: self.detail.show_who_failed(failure_sentence(error)),
        )


def record_entries(rows: Iterable[OwnRecord]) -> list[Group | TwoLine]:
    """Return records as rows under the months they were made in."""
    entries: list[Group | TwoLine] = []
    month = ""
    for row in rows:
        heading = iso_day_text(row.made_on[:7]) if row.made_on else "Without a date"
        if heading != month:
            entries.append(Group(heading))
            month = heading
        entries.append(
            TwoLine(
                title=row.title or kind_text(row.category),
                caption=kind_text(row.category),
                icon_name=kind_icon(row.category),
                icon_colour="accent",
                middle=iso_day_text(row.made_on),
                middle_caption=row.hospital,
                row=row,
            )
        )
    return entries
