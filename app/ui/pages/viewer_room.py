"""The rail's Viewer: what is open now, and the way back to it; the record itself is shown alone (SCREENS.md f)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.services.requests import short_id
from app.ui.kinds import kind_icon, purpose_text
from app.ui.page import Page
from app.ui.pages.record_words import title_of
from app.ui.theme import scaled
from app.ui.widgets import (
    Action,
    Band,
    ButtonKind,
    ColumnSpec,
    KeyLine,
    RowsModel,
    RowsTable,
    State,
    StateView,
    title_row,
)
from app.ui.wording import end_text

if TYPE_CHECKING:
    from app.services.openings import Opened
    from app.services.worklist import RecordRow
    from app.ui.pages.opening import Opener
    from app.ui.pages.phases import Phase
    from app.ui.pages.workplace import Workplace

_WORKLIST: Final = Action("worklist", "Worklist", "layout-list")
_NOTHING: Final = State(
    "muted", "scan", "No record is open", "Choose a patient on the worklist, or press Ctrl K.", (_WORKLIST,)
)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A record that is open, with the line it was opened from."""

    row: RecordRow
    opened: Opened


def last_state(row: RecordRow) -> State:
    """Return what to say while nothing is open but something was."""
    title = title_of(row)
    text = f"Last open was {title} of {row.patient.name}. Opening it again is a new entry, which the patient sees."
    return State(
        "muted",
        "scan",
        "No record is open",
        text,
        (Action("again", f"Open {title}", kind_icon(row.category), ButtonKind.PRIMARY), _WORKLIST),
    )


class ViewerRoomPage(Page):
    """Lists what is open; Enter shows it. It keeps the last record until lock or Esc, never its content.

    Args:
        opener: holds what is open.
        place: clock and zone.
    """

    def __init__(self, opener: Opener, place: Workplace) -> None:
        super().__init__()
        self._opener = opener
        self.model: RowsModel[OpenLine] = RowsModel(
            (
                ColumnSpec(
                    "Record",
                    lambda line: title_of(line.row),
                    icon=lambda line: (kind_icon(line.row.category), "text2"),
                ),
                ColumnSpec("Patient", lambda line: line.row.patient.name, 180, weight=500),
                ColumnSpec("Purpose", lambda line: purpose_text(line.opened.access.purpose), 160, tone="text2"),
                ColumnSpec(
                    "Consent", lambda line: ", ".join(map(short_id, line.opened.access.consents)), 140, tone="text2"
                ),
                ColumnSpec(
                    "Access ends",
                    lambda line: end_text(line.opened.until, place.clock(), zone=place.zone),
                    140,
                    tone="text2",
                ),
            ),
            "open record",
        )
        self.table = RowsTable(self.model, lambda line: line.opened.access_id, "Open records")
        self.band, self.nothing = Band(), StateView()
        top, _, _ = title_row("Viewer", "Records that are open now. Locking closes them.")
        head = QVBoxLayout()
        head.setContentsMargins(scaled(24), scaled(16), scaled(24), scaled(12))
        head.setSpacing(scaled(12))
        head.addLayout(top)
        head.addWidget(self.band)
        self._stack = QStackedWidget()
        for part in (self.table, self.nothing):
            self._stack.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        self.table.row_opened.connect(lambda line: opener.show_again(line.opened))
        self.nothing.acted.connect(self._act)
        opener.record_ended.connect(lambda _opened, _state: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show what is open now; nothing is loaded."""
        lines = [OpenLine(row, opened) for row, opened in self._opener.open_lines]
        self.model.set_rows(lines)
        self.count_changed.emit(len(lines), False)  # noqa: FBT003 (a signal's value)
        last = self._opener.last
        self.nothing.show_state(_NOTHING if last is None else last_state(last))
        self._stack.setCurrentWidget(self.table if lines else self.nothing)
        if lines:
            self.table.choose_first()

    def show_phase(self, phase: Phase) -> None:
        """Say how an opening goes, and what is open after it."""
        self.band.show_state(phase.state)
        self.nothing.setEnabled(not phase.is_busy)
        self.refresh()

    def _act(self, key: str) -> None:
        last = self._opener.last
        if key == "again" and last is not None:
            self._opener.open(last)
        else:
            self.page_wanted.emit("worklist")

    def escape(self) -> bool:
        """Forget which record was open last."""
        had = self._opener.last is not None
        self._opener.forget_last()
        self.band.show_state(None)
        self.refresh()
        return had

    def blank(self) -> None:
        """Forget everything shown (lock, sign-out)."""
        self.model.set_rows(())
        self.nothing.show_state(_NOTHING)
        self.band.show_state(None)

    def keys(self) -> tuple[KeyLine, ...]:
        """The keys of this page."""
        return (KeyLine("↵", "Show the record"),)

    def panes(self) -> tuple[QWidget, ...]:
        """What F6 goes through."""
        return (self.table,) if self.model.rows else (self.nothing,)
