"""How a line was decided: the consents that decided, in words a practitioner may read, with their blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.consent.terms import Category
from app.records.reader import ReaderProcess
from app.services.drafts import Draft
from app.services.imports import Imports
from app.services.reasons import Reasons, Stand
from app.services.worklist import RowState
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from pathlib import Path

    from app.services.worklist import RecordRow
    from app.wiring.desks import StaffDesk

ASKED = frozenset({Category.CYTOLOGY, Category.DOCUMENT, Category.LABORATORY})


@pytest.fixture
def carol(world: SandboxWorld) -> StaffDesk:
    desk = world.staff(CAROL)
    world.allow(desk, ALMA, ASKED, frozenset({Category.LABORATORY}))
    return desk


def row_of(desk: StaffDesk, state: RowState) -> RecordRow:
    return next(row for row in desk.worklist.rows() if row.state is state)


def test_what_was_left_out_names_permit_and_exception(carol: StaffDesk) -> None:
    explanation = Reasons(carol.worklist).explain(row_of(carol, RowState.DENIED))
    permit, exception = explanation.grounds
    assert (permit.stand, permit.categories) == (Stand.PERMITS, ASKED - {Category.LABORATORY})
    assert (exception.stand, exception.categories) == (Stand.LEAVES_OUT, frozenset({Category.LABORATORY}))
    assert permit.by_patient
    assert permit.block > 0
    assert explanation.asked == ASKED
    assert explanation.reason == "CATEGORY_NOT_COVERED"


def test_an_open_record_names_its_consent(carol: StaffDesk) -> None:
    carol.worklist.list_records(carol.patients.known()[0], "TREAT")
    row = row_of(carol, RowState.OPEN)
    assert row.terms is not None
    assert row.last_opened is None
    explanation = Reasons(carol.worklist).explain(row)
    assert [ground.stand for ground in explanation.grounds] == [Stand.PERMITS]
    assert explanation.reason == "PERMITTED_BY_CONSENT"


def test_waiting_refused_and_ended_requests(world: SandboxWorld, carol: StaffDesk) -> None:
    patient = carol.patients.known()[0]
    carol.requests.send(Draft(patient.patient_id, categories=frozenset({Category.HEART}), reason="To see."))
    explanation = Reasons(carol.worklist).explain(row_of(carol, RowState.WAITING))
    ground = explanation.grounds[0]
    assert (ground.stand, ground.by_patient) == (Stand.WAITS, False)
    assert explanation.reason == "NOT_ACTIVE"
    alma = world.patient(ALMA)
    alma.inbox.turn(alma.inbox.rows()[0]).refuse(world.cards[ALMA], "24681012")
    refused = next(row for row in carol.worklist.rows() if row.category == "heart")
    assert refused.state is RowState.DENIED
    assert [each.stand for each in Reasons(carol.worklist).explain(refused).grounds] == [Stand.REFUSES]
    alma.consents.stop(next(row for row in alma.consents.rows() if row.times_opened == 0 and row.asked_by), "24681012")
    ended = row_of(carol, RowState.ENDED)
    assert [each.stand for each in Reasons(carol.worklist).explain(ended).grounds] == [Stand.ENDED]


def test_the_log_holds_openings_and_their_purge(carol: StaffDesk) -> None:
    patient = carol.patients.known()[0]
    rows = carol.worklist.list_records(patient, "TREAT")
    row = next(row for row in rows if row.category == "cytology")
    carol.openings.close(carol.openings.open(row.wanted, "TREAT"))
    _, lines, log = Reasons(carol.worklist).lines(patient.patient_id)
    opened = next(entry for entry in log if entry.kind == "open")
    assert opened.titles == (row.title,)
    assert opened.closed_at is not None
    assert not opened.denied
    assert next(each for each in lines if each.record_id == row.record_id).last_opened == opened.at


def test_an_unknown_patient_is_not_explained(carol: StaffDesk) -> None:
    with pytest.raises(LookupError):
        Reasons(carol.worklist).lines("nobody")


def test_files_are_looked_at_before_they_are_taken(world: SandboxWorld, carol: StaffDesk, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.csv").write_text("test,value,unit\nHb,13.2,g/dL\n", encoding="utf-8")
    (folder / "bad.csv").write_text("nothing", encoding="utf-8")
    with ReaderProcess() as reader:
        imports = Imports(carol.machine.custodians["AlderMSP"], carol.identity, reader)
        looked = imports.look([folder])
        assert looked.count == 2
        assert [name.rsplit("/", 1)[-1] for name in looked.files] == ["good.csv"]
        assert looked.lacks_date
        person = next(row for row in imports.people() if row.person.name == ALMA)
        outcome = imports.take(person.person_id, looked, "2026-11-20")
    assert [each.accepted for each in outcome] == [True]
    assert outcome[0].record_ids
