"""What a practitioner is shown, and what is on his disk: nothing that was not disclosed to him (A16, A18, A26, A36)."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

import pytest

from app.consent.terms import Category
from app.identity.keys import LockedError, UnwrapError
from app.services.drafts import Draft
from app.services.notebook import PURPOSE, Notebook
from app.services.openings import DeniedError
from app.services.sealed_file import SealedFile
from app.services.worklist import RecordRow, RowState
from app.tour.bytescan import scan
from app.wiring.sandbox import PIN, STAFF
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from pathlib import Path

    from app.services.notebook import PatientRef
    from app.wiring.desks import StaffDesk

ASKED = frozenset({Category.CYTOLOGY, Category.LABORATORY})
DISCLOSING = ("title", "record_id", "made_on")
"""Members of a line that only a list, released by an entry of its own, may fill."""


def ask(desk: StaffDesk, patient: PatientRef) -> None:
    desk.requests.send(Draft(patient.patient_id, categories=ASKED, days=30, reason="To compare."))


def answer(world: SandboxWorld, left: frozenset[Category] | None) -> None:
    """Have Alma allow the kinds that are left of the request, or refuse all of it."""
    inbox = world.patient(ALMA).inbox
    turn = inbox.turn(inbox.rows()[0])
    if left is None:
        turn.refuse(world.cards[ALMA], PIN)
    else:
        turn.narrow(categories=left)
        turn.sign(world.cards[ALMA], PIN)
    world.tick()


def says_nothing(rows: tuple[RecordRow, ...]) -> bool:
    return all(not getattr(row, name) for row in rows for name in DISCLOSING) and all(row.count == 1 for row in rows)


@pytest.fixture
def desk(world: SandboxWorld) -> StaffDesk:
    return world.staff(CAROL)


@pytest.fixture
def patient(world: SandboxWorld, desk: StaffDesk) -> PatientRef:
    return world.introduce(desk, ALMA, "Rita Roster", "AlderMSP")


def test_a_patient_he_only_knows_has_no_lines(desk: StaffDesk, patient: PatientRef) -> None:
    assert desk.worklist.rows() == ()
    with pytest.raises(DeniedError) as denied:
        desk.worklist.list_records(patient, "TREAT")
    assert denied.value.access.reason == "NO_CONSENT"
    assert desk.worklist.rows() == ()
    assert desk.notebook.read().lists == {}


def test_until_a_list_is_released_lines_say_no_more_than_was_asked(
    world: SandboxWorld, desk: StaffDesk, patient: PatientRef
) -> None:
    ask(desk, patient)
    rows = desk.worklist.rows()
    assert {(row.category, row.state) for row in rows} == {(each.value, RowState.WAITING) for each in ASKED}
    assert says_nothing(rows)
    answer(world, frozenset({Category.CYTOLOGY}))
    rows = desk.worklist.rows()
    assert {(row.category, row.state) for row in rows} == {
        ("cytology", RowState.NOT_LISTED),
        ("laboratory", RowState.DENIED),
    }
    assert says_nothing(rows)
    assert not any(row.can_open for row in rows)


def test_the_list_holds_what_she_allowed_and_of_the_rest_nothing(
    world: SandboxWorld, desk: StaffDesk, patient: PatientRef
) -> None:
    ask(desk, patient)
    answer(world, frozenset({Category.CYTOLOGY}))
    rows = desk.worklist.list_records(patient, "TREAT")
    shown = [row for row in rows if row.title]
    assert {row.category for row in shown} == {"cytology"}
    hers = world.patient(ALMA).records.rows()
    assert len([row for row in hers if row.category == "laboratory"]) > 0
    hidden = {each.title for each in hers if each.category != "cytology"} | {
        each.record_id for each in hers if each.category != "cytology"
    }
    text = repr(rows) + repr(desk.notebook.read()) + repr(desk.worklist.rows())
    assert not [each for each in hidden if each in text]
    assert says_nothing(tuple(row for row in rows if not row.title))


def test_a_refused_or_ended_request_takes_the_list_away(
    world: SandboxWorld, desk: StaffDesk, patient: PatientRef
) -> None:
    ask(desk, patient)
    answer(world, ASKED)
    desk.worklist.list_records(patient, "TREAT")
    assert desk.notebook.read().lists
    alma = world.patient(ALMA)
    alma.consents.stop(alma.consents.rows()[0], PIN)
    rows = desk.worklist.rows()
    assert {row.state for row in rows} == {RowState.ENDED}
    assert says_nothing(rows)
    assert desk.notebook.read().lists == {}


def test_it_ends_by_itself_and_is_said_a_day_before(world: SandboxWorld, desk: StaffDesk, patient: PatientRef) -> None:
    ask(desk, patient)
    answer(world, frozenset({Category.CYTOLOGY}))
    desk.worklist.list_records(patient, "TREAT")
    (row,) = [row for row in desk.worklist.rows() if row.record_id]
    assert row.state is RowState.OPEN
    assert row.until is not None
    world.clock.now = row.until - 3600
    assert {each.state for each in desk.worklist.rows() if each.record_id} == {RowState.ENDS_SOON}
    world.clock.now = row.until
    assert not any(each.can_open for each in desk.worklist.rows())
    with pytest.raises(DeniedError):
        desk.openings.open(row.wanted, "TREAT")


def test_a_request_he_only_waits_for_is_not_another_doctors(
    world: SandboxWorld, desk: StaffDesk, patient: PatientRef
) -> None:
    ask(desk, patient)
    clara = world.staff("Dr Clara Invented")
    world.introduce(clara, ALMA, "Rita Roster", "AlderMSP")
    assert clara.requests.rows() == ()
    assert clara.worklist.rows() == ()


def test_an_erased_patient_is_forgotten(world: SandboxWorld, desk: StaffDesk, patient: PatientRef) -> None:
    ask(desk, patient)
    answer(world, ASKED)
    desk.worklist.list_records(patient, "TREAT")
    people = world.staff("Rita Roster").people
    people.erase(next(row.person_id for row in people.persons() if row.person.name == ALMA))
    world.tick()
    world.installation.machine.catch_up()
    assert desk.patients.known() == ()
    assert desk.worklist.rows() == ()
    notes = desk.notebook.read()
    assert (notes.patients, notes.lists) == ({}, {})
    with pytest.raises(LookupError):
        desk.patients.read(patient.patient_id)


# the notebook


def notebook_at(path: Path, desk: StaffDesk) -> Notebook:
    return Notebook(SealedFile(path, desk.identity, PURPOSE, os.urandom), os.urandom)


def test_a_notebook_opens_for_its_person_only_and_not_when_locked(
    world: SandboxWorld, desk: StaffDesk, patient: PatientRef
) -> None:
    path = world.installation.folder / "notebooks" / f"{desk.identity.msp_id}.{desk.identity.subject}"
    clara = world.staff("Dr Clara Invented")
    with pytest.raises(UnwrapError):
        notebook_at(path, clara).read()
    content = path.read_bytes()
    assert ALMA.encode() not in content
    desk.lock()
    with pytest.raises(LockedError):
        desk.notebook.read()
    again = world.staff(CAROL)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UnwrapError):
        again.notebook.read()


def test_a_notebook_moved_to_another_person_does_not_open(world: SandboxWorld, desk: StaffDesk) -> None:
    folder = world.installation.folder / "notebooks"
    clara = world.staff("Dr Clara Invented")
    mine, hers = (folder / f"AlderMSP.{each.identity.subject}" for each in (desk, clara))
    hers.write_bytes(mine.read_bytes())
    with pytest.raises(UnwrapError):
        clara.notebook.read()


def test_a_new_person_has_empty_notes(desk: StaffDesk, tmp_path: Path) -> None:
    notes = notebook_at(tmp_path / "none", desk).read()
    assert (notes.badge, notes.patients, notes.lists, notes.cards_read) == (None, {}, {}, ())


# everything on the disk


def secrets(world: SandboxWorld) -> set[str]:
    """Return what must be readable nowhere: who the people are, and what is in the records."""
    found: set[str] = set()
    for staffing in STAFF:
        for person in staffing.patients:
            found |= {person.name, person.birth_date, person.number, person.contact}
    found |= {row.title for row in world.patient(ALMA).records.rows()}
    return found | {"Psychiatric note", "discharge-letter.pdf", "mean radius", "cytology.csv"}


PUBLIC = {"profiles", "hospitals.json"}
"""Who works here is shown before anybody signs in; the patients are not."""


def test_the_whole_folder_holds_no_patient_no_record_and_no_key(
    world: SandboxWorld, desk: StaffDesk, patient: PatientRef
) -> None:
    ask(desk, patient)
    answer(world, ASKED)
    row = next(row for row in desk.worklist.list_records(patient, "TREAT") if row.can_open)
    desk.openings.close(desk.openings.open(row.wanted, "TREAT"))
    world.tick()
    needles = secrets(world)
    master = world.installation.master.current.to_text()
    raw_master = base64.b64decode(master)
    world.installation.close()
    files = [path for path in world.installation.folder.rglob("*") if path.is_file()]
    cards = world.installation.folder / "sandbox-cards.json"
    assert cards in files
    assert len(files) > 30
    contents = {path: path.read_bytes() for path in files if path != cards}
    found = {
        (str(path.relative_to(world.installation.folder)), find.what, find.coding)
        for path, content in contents.items()
        for find in scan([content], needles, set())
    }
    assert found == set()
    key_texts = (b"AGE-SECRET-KEY", b"PRIVATE KEY", master.encode(), raw_master, raw_master.hex().encode())
    card_secrets = [text.rpartition(".")[2].encode() for text in json.loads(cards.read_text()).values()]
    for path, content in contents.items():
        leaked = [needle for needle in (*key_texts, *card_secrets, PIN.encode()) if needle in content]
        assert not leaked, path
        assert path.stat().st_mode & 0o077 == 0, path
        assert b"%PDF" not in content, path
