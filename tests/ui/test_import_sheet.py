"""Importing: what would be taken is said before anything is stored; nothing is half imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.custodian.results import ImportOutcome, Person, PersonRow
from app.records.importing import Finding
from app.services.imports import Looked
from app.ui.page import Page
from app.ui.pages.import_sheet import ImportSheet
from tests.support.practitioner import NOW, workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytestqt.qtbot import QtBot

    from app.ui.background import Background

GOOD = Finding("/in/a.dcm", "dicom", accepted=True, category="image", date="2026-11-24", display="CT chest")
DATELESS = Finding("/in/l.csv", "csv", accepted=True, category="laboratory", display="Laboratory table")
BAD = Finding("/in/scan.dcm", "dicom", accepted=False, reason="nested 400 levels deep.")
TAKEN = ImportOutcome("/in/a.dcm", "dicom", accepted=True, reason="", record_ids=("r",))
HERE = ImportOutcome("/in/a.dcm", "dicom", accepted=False, reason="It is here already.", record_ids=())
HALF = Finding("/in/a.dcm", "dicom", accepted=False, reason="One record of it is refused.")


@dataclass
class StubImports:
    """Looks at nothing."""

    findings: tuple[Finding, ...] = (GOOD, BAD)
    outcome: tuple[ImportOutcome, ...] = (TAKEN,)
    taken: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)

    def people(self) -> tuple[PersonRow, ...]:
        return (PersonRow("person", "p" * 26, Person("Alma Fictive", "1961-03-14"), "active", NOW, "s" * 26),)

    def look(self, _paths: Sequence[Path]) -> Looked:
        return Looked(self.findings)

    def take(self, person_id: str, looked: Looked, made_on: str = "") -> tuple[ImportOutcome, ...]:
        self.taken.append((person_id, looked.files, made_on))
        return self.outcome


@pytest.fixture
def service() -> StubImports:
    return StubImports()


@pytest.fixture
def sheet(qtbot: QtBot, background: Background, service: StubImports) -> Iterator[ImportSheet]:
    page = Page()
    qtbot.addWidget(page)
    page.resize(1192, 724)
    page.show()
    made = ImportSheet(page, service, workplace(background))
    made.open()
    qtbot.waitUntil(lambda: made.person_box.count() == 1)
    yield made
    page.close()


def look(qtbot: QtBot, sheet: ImportSheet) -> None:
    sheet.look([Path("/in")])
    qtbot.waitUntil(lambda: sheet._looked is not None)


def test_it_says_what_would_be_taken_and_why_not(qtbot: QtBot, sheet: ImportSheet) -> None:
    look(qtbot, sheet)
    assert sheet.summary.text() == "1 of 2 can be imported. scan.dcm is refused: nested 400 levels deep."
    titles = [entry.title for entry in sheet.list.entries_model.entries if hasattr(entry, "title")]
    assert titles == ["scan.dcm", "a.dcm"]
    assert sheet.import_button.isEnabled()


def test_a_file_with_one_refused_record_is_not_half_taken(
    qtbot: QtBot, sheet: ImportSheet, service: StubImports
) -> None:
    service.findings = (GOOD, HALF)
    look(qtbot, sheet)
    assert not sheet.import_button.isEnabled()
    assert Looked((GOOD, HALF)).files == ()


def test_a_patient_has_to_be_chosen(qtbot: QtBot, sheet: ImportSheet, service: StubImports) -> None:
    look(qtbot, sheet)
    sheet.import_button.click()
    assert service.taken == []
    assert sheet._person_field._gap.text() == "Choose whose records these are."
    sheet.person_box.setCurrentIndex(0)
    with qtbot.waitSignal(sheet.imported) as said:
        sheet.import_button.click()
    assert said.args == ["1 record imported."]
    assert service.taken == [("person", ("/in/a.dcm",), "")]


def test_a_day_is_asked_only_for_files_that_state_none(qtbot: QtBot, sheet: ImportSheet, service: StubImports) -> None:
    look(qtbot, sheet)
    assert not sheet.made_on.isVisible()
    service.findings = (DATELESS,)
    sheet._looked = None
    look(qtbot, sheet)
    assert sheet.made_on.isVisible()
    sheet.person_box.setCurrentIndex(0)
    with qtbot.waitSignal(sheet.imported):
        sheet.import_button.click()
    assert service.taken[0][2] == sheet.made_on.date().toString("yyyy-MM-dd")


def test_what_the_custodian_refuses_is_said(qtbot: QtBot, sheet: ImportSheet, service: StubImports) -> None:
    service.outcome = (HERE,)
    look(qtbot, sheet)
    sheet.person_box.setCurrentIndex(0)
    sheet.import_button.click()
    qtbot.waitUntil(lambda: sheet.band.state is not None)
    assert sheet.band.state is not None
    assert sheet.band.state.text == "a.dcm: It is here already."
    assert not sheet.import_button.isEnabled()
