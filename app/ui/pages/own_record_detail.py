"""One of the patient's own records in the right pane: open it, or see who could have, now or on another day."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QDate, Signal
from PySide6.QtWidgets import QDateEdit, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.services.requests import short_id
from app.ui.kinds import kind_text
from app.ui.pages.patient_words import PURPOSES, role_of
from app.ui.theme import scaled
from app.ui.widgets import (
    Button,
    ButtonKind,
    Fact,
    FactsGrid,
    Note,
    PreviewPane,
    Segment,
    Segments,
    StateView,
    TextKind,
    label,
)
from app.ui.widgets.states import empty
from app.ui.widgets.text import IconLabel
from app.ui.wording import iso_day_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from app.services.own_records import CouldSee, OwnRecord

_NOTHING: Final = empty("folder-heart", "Choose a record.", "")
_RECORD, _WHO = "record", "who"


class OwnRecordDetail(PreviewPane):
    """The right pane. ``who_wanted`` carries the second (UTC) at which it is asked who could see the record."""

    open_wanted = Signal()
    who_wanted = Signal(int)

    def __init__(self, clock: Callable[[], int], zone: tzinfo | None) -> None:
        super().__init__(364)
        self._clock, self._zone = clock, zone
        self._row: OwnRecord | None = None
        self.title = label("", TextKind.PATIENT_STRONG, wrap=True)
        self.tabs = Segments((Segment(_RECORD, "Record"), Segment(_WHO, "Who could see this")))
        self.facts = FactsGrid()
        self.open_button = Button("Open", kind=ButtonKind.PRIMARY, icon_name="folder-open", patient=True)
        self.day = QDateEdit()
        self.day.setCalendarPopup(True)
        self.day.setDisplayFormat("d MMM yyyy")
        self.day.setAccessibleName("On which day")
        self.who_note = Note("info", "", "muted")
        self._people = QWidget()
        self.nothing = StateView(_NOTHING)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._record_tab())
        self._stack.addWidget(self._who_tab())
        for part in (self.title, self.tabs, self._stack, self.nothing):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.buttons.addWidget(self.open_button)
        self.tabs.chosen.connect(self._turn)
        self.open_button.clicked.connect(self.open_wanted)
        self.day.dateChanged.connect(lambda _day: self._ask())
        self.show_row(None)

    def _record_tab(self) -> QWidget:
        tab = QWidget()
        layout = QVBoxLayout(tab)
        layout.setContentsMargins(0, scaled(8), 0, 0)
        layout.addWidget(self.facts)
        layout.addStretch(1)
        return tab

    def _who_tab(self) -> QWidget:
        tab = QWidget()
        layout = QVBoxLayout(tab)
        layout.setContentsMargins(0, scaled(8), 0, 0)
        layout.setSpacing(scaled(10))
        row = QHBoxLayout()
        row.addWidget(label("On", TextKind.PATIENT))
        row.addWidget(self.day)
        row.addStretch(1)
        layout.addLayout(row)
        self._who_layout = QVBoxLayout()
        self._who_layout.setSpacing(scaled(10))
        self._who_layout.addWidget(self._people)
        layout.addLayout(self._who_layout)
        layout.addWidget(self.who_note)
        layout.addStretch(1)
        return tab

    def show_row(self, row: OwnRecord | None) -> None:
        """Show a record; None says that nothing is chosen."""
        self._row = row
        for part in (self.title, self.tabs, self._stack, self.open_button):
            part.setVisible(row is not None)
        self.nothing.setVisible(row is None)
        self._replace_people(QWidget())
        if row is None:
            self.title.clear()
            self.facts.show_facts(())
            return
        self.title.setText(row.title or kind_text(row.category))
        self.facts.show_facts(
            (
                Fact("Kind", kind_text(row.category)),
                Fact("Held at", row.hospital),
                Fact("Made on", iso_day_text(row.made_on)),
            )
        )
        today = datetime.fromtimestamp(self._clock(), UTC).astimezone(self._zone).date()
        self.day.blockSignals(True)  # noqa: FBT003 (Qt's)
        self.day.setMaximumDate(QDate(today.year, today.month, today.day))
        self.day.setDate(self.day.maximumDate())
        self.day.blockSignals(False)  # noqa: FBT003 (Qt's)
        if self.tabs.current == _WHO:
            self._ask()

    def show_busy(self, *, busy: bool) -> None:
        """Say that it is being opened."""
        self.open_button.setEnabled(not busy)
        self.open_button.set_words("Recording…" if busy else "Open")

    def _turn(self, key: str) -> None:
        self._stack.setCurrentIndex(1 if key == _WHO else 0)
        if key == _WHO:
            self._ask()

    def _ask(self) -> None:
        self.who_note.show_note("rotate-cw", "Looking it up…", "text2")
        self.who_wanted.emit(self.asked_at)

    @property
    def asked_at(self) -> int:
        """The second (UTC) that is asked about: now for today, else the end of the day."""
        now = self._clock()
        day = self.day.date()
        if day >= self.day.maximumDate():
            return now
        end = datetime.combine(datetime(day.year(), day.month(), day.day(), tzinfo=UTC).date(), time(23, 59, 59))
        local = end.replace(tzinfo=self._zone) if self._zone is not None else end.astimezone()
        return int(local.timestamp())

    def show_who(self, found: tuple[CouldSee, ...], hospitals: Mapping[str, str]) -> None:
        """Show who could have opened it."""
        people = QWidget()
        layout = QVBoxLayout(people)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scaled(12))
        for each in found:
            layout.addLayout(_could_see(each, hospitals))
        self._replace_people(people)
        nobody = "" if found else "Nobody but you."
        self.who_note.show_note("eye-off" if nobody else "info", nobody or _SAID, "muted")

    def show_who_failed(self, sentence: str) -> None:
        """Say that it is not known."""
        self._replace_people(QWidget())
        self.who_note.show_note("triangle-alert", sentence, "wait")

    def _replace_people(self, people: QWidget) -> None:
        self._who_layout.replaceWidget(self._people, people)
        self._people.hide()
        self._people.deleteLater()
        self._people = people


_SAID: Final = "Who did open it stands under Who saw what. In a declared emergency others may, and you are told."
_ALL: Final = {"anyone": "Everybody", "organization": "All staff of {name}", "role": "A group of staff"}


def _could_see(each: CouldSee, hospitals: Mapping[str, str]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(scaled(12))
    words = QVBoxLayout()
    words.setSpacing(0)
    words.addWidget(label(name_of_seer(each, hospitals), TextKind.PATIENT_STRONG, wrap=True))
    if each.who is not None:
        words.addWidget(label(f"{role_of(each.who)}, {each.who.hospital}", TextKind.PATIENT_CAPTION))
    why = purposes_text(each.purposes)
    consents = ", ".join(short_id(consent) for consent in each.consents)
    words.addWidget(label(" · ".join(part for part in (why, consents) if part), TextKind.BODY, "text2", wrap=True))
    row.addWidget(IconLabel("stethoscope" if each.who is not None else "users-round", "accent", 20))
    row.addLayout(words, 1)
    return row


def purposes_text(purposes: tuple[str, ...]) -> str:
    """Return what for: codes below one that is named ("clinical trial" below research) are not named again."""
    named = [PURPOSES[code] for code in PURPOSES if code in purposes]
    return ", ".join(dict.fromkeys(named)) or ", ".join(purposes)


def name_of_seer(each: CouldSee, hospitals: Mapping[str, str]) -> str:
    """Return whom a row of "Who could see this" is about."""
    if each.who is not None and each.who.name:
        return each.who.name
    return _ALL.get(each.kind, "A group of staff").format(name=hospitals.get(each.named, each.named))
