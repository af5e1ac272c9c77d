"""Import… (SCREENS.md b): each file with accepted, or refused and why, before anything is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QDate, Signal
from PySide6.QtWidgets import QComboBox, QDateEdit, QFileDialog, QHBoxLayout

from app.ui.kinds import kind_icon, kind_text
from app.ui.outcomes import state_of
from app.ui.theme import scaled
from app.ui.vocabulary import Chip
from app.ui.widgets import (
    Band,
    Button,
    ButtonKind,
    EntriesList,
    Field,
    LoadingView,
    Sheet,
    TwoLine,
    label,
)
from app.ui.widgets.states import State
from app.ui.wording import count_text, iso_day_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from app.custodian.results import ImportOutcome, PersonRow
    from app.records.importing import Finding
    from app.services.imports import Looked
    from app.ui.pages.workplace import Workplace

_MOST = 500


class Importing(Protocol):
    """What the sheet needs of ``app.services.imports.Imports``."""

    def people(self) -> tuple[PersonRow, ...]:
        """Return the hospital's patients."""

    def look(self, paths: Sequence[Path]) -> Looked:
        """Say what an import would do."""

    def take(self, person_id: str, looked: Looked, made_on: str = "") -> tuple[ImportOutcome, ...]:
        """Import what can be imported."""


class ImportSheet(Sheet):
    """Choose a patient and files, see what would be taken, then take it.

    Args:
        over: any widget of the window.
        imports: looks and takes.
        place: the door off the GUI thread.

    Signals:
        imported: one line that says what was taken.
    """

    imported = Signal(str)

    def __init__(self, over: QWidget, imports: Importing, place: Workplace) -> None:
        super().__init__(over, "Import records", 720, icon_name="file-plus")
        self._imports, self._place = imports, place
        self._looked: Looked | None = None
        self._people: tuple[PersonRow, ...] = ()
        self.person_box = QComboBox()
        self.person_box.setPlaceholderText("Choose a patient")
        self._person_field = Field("Patient", self.person_box, f"Of {place.hospital(place.msp_id)}.")
        self.body.addWidget(self._person_field)
        self.files_button = Button("Choose files…", icon_name="file-plus")
        self.files_button.clicked.connect(self._choose_files)
        self.folder_button = Button("Choose a folder…", icon_name="folder-open")
        self.folder_button.clicked.connect(self._choose_folder)
        row = QHBoxLayout()
        for each in (self.files_button, self.folder_button):
            row.addWidget(each)
        row.addStretch(1)
        self.body.addLayout(row)
        self.body.addWidget(
            label("DICOM, FHIR, PDF and CSV. Every file is read apart from the rest first.", tone="muted")
        )
        self.list = EntriesList(lambda finding: finding, "Files", 1.0)
        self.list.setMinimumHeight(scaled(250))
        self.body.addWidget(self.list)
        self.loading = LoadingView()
        self.loading.hide()
        self.body.addWidget(self.loading)
        self.summary = label("", wrap=True)
        self.body.addWidget(self.summary)
        self.made_on = QDateEdit()
        self.made_on.setCalendarPopup(True)
        self.made_on.setDisplayFormat("d MMM yyyy")
        self.made_on.setDate(QDate.currentDate())
        self._date_field = Field("Made on", self.made_on, "For files that state no day themselves.")
        self._date_field.hide()
        self.body.addWidget(self._date_field)
        self.band = Band()
        self.body.addWidget(self.band)
        self.add_cancel()
        self.import_button = self.add_button(Button("Import", kind=ButtonKind.PRIMARY, icon_name="download"))
        self.import_button.clicked.connect(self._take)
        self.import_button.setEnabled(False)
        place.background.run(self, imports.people, self._show_people, self._failed)

    def _show_people(self, people: tuple[PersonRow, ...]) -> None:
        self._people = people
        for row in people:
            person = row.person
            self.person_box.addItem(f"{person.name}, {iso_day_text(person.birth_date)}, {person.number}")
        self.person_box.setCurrentIndex(-1)

    def _choose_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Choose files")
        if names:
            self.look([Path(name) for name in names])

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Choose a folder")
        if name:
            self.look([Path(name)])

    def look(self, paths: Sequence[Path]) -> None:
        """Have files and folders looked at; nothing is stored."""
        self._show_looked(None)
        self.band.show_state(None)
        self._busy("Looking at the files")
        self._place.background.run(self, lambda: self._imports.look(paths), self._seen, self._failed)

    def _busy(self, what: str) -> None:
        self.loading.show()
        self.list.hide()
        self.loading.start(what)
        self.loading.cancel_button.setEnabled(False)
        self._enable(enabled=False)

    def _idle(self) -> None:
        self.loading.stop()
        self.loading.hide()
        self.list.show()
        self._enable(enabled=True)

    def _enable(self, *, enabled: bool) -> None:
        for each in (self.files_button, self.folder_button, self.person_box):
            each.setEnabled(enabled)
        self.import_button.setEnabled(enabled and self._looked is not None and bool(self._looked.files))

    def _seen(self, looked: Looked) -> None:
        self._show_looked(looked)
        self._idle()

    def _show_looked(self, looked: Looked | None) -> None:
        self._looked = looked
        findings = looked.findings if looked is not None else ()
        shown = sorted(findings, key=lambda finding: finding.accepted)[:_MOST]
        self.list.show_entries([_entry(finding) for finding in shown])
        self.summary.setText(_summary(looked) if looked is not None else "")
        self._date_field.setVisible(looked is not None and looked.lacks_date)

    def _take(self) -> None:
        looked, number = self._looked, self.person_box.currentIndex()
        self._person_field.show_gap("" if number >= 0 else "Choose whose records these are.")
        if number < 0 or looked is None:
            self.person_box.setFocus()
            return
        person = self._people[number]
        made_on = self.made_on.date().toString("yyyy-MM-dd") if looked.lacks_date else ""
        self._busy("Sealing and keeping the files")
        self._place.background.run(
            self, lambda: self._imports.take(person.person_id, looked, made_on), self._taken, self._failed
        )

    def _taken(self, outcomes: tuple[ImportOutcome, ...]) -> None:
        self._idle()
        refused = [outcome for outcome in outcomes if not outcome.accepted]
        if not refused:
            records = len({record for outcome in outcomes for record in outcome.record_ids})
            self.imported.emit(f"{count_text(records, 'record', 'records')} imported.")
            self.accept()
            return
        self.import_button.setEnabled(False)
        worst = refused[0]
        some = f"{len(outcomes) - len(refused)} of {count_text(len(outcomes), 'file', 'files')} were imported."
        self.band.show_state(State("deny", "circle-x", some, f"{Path(worst.name).name}: {worst.reason}"))

    def _failed(self, error: Exception) -> None:
        self._idle()
        self.band.show_state(state_of(error))


def _entry(finding: Finding) -> TwoLine:
    name = Path(finding.path).name
    if not finding.accepted:
        return TwoLine(name, finding.reason, "circle-x", "deny_fg", chip=Chip("Refused", "ban", "deny"), row=finding)
    parts = (finding.display or kind_text(finding.category), iso_day_text(finding.date), finding.reading)
    caption = " · ".join(part for part in parts if part)
    return TwoLine(name, caption, kind_icon(finding.category), chip=Chip("Accepted", "circle-check", "ok"), row=finding)


def _summary(looked: Looked) -> str:
    accepted, count = len(looked.files), looked.count
    if not count:
        return "There is nothing to import."
    text = f"{accepted:,} of {count:,} can be imported."
    refused = next((finding for finding in looked.findings if not finding.accepted), None)
    if refused is None:
        return text
    return f"{text} {Path(refused.path).name} is refused: {refused.reason}"
