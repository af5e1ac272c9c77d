"""A custodian as a process: Alder's people open what Birch holds, through every fault (E.1, E.6, A11, A50, A51)."""

from __future__ import annotations

import signal
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from app.consent.terms import Category
from app.services import pairs
from app.services.accesses import AccessState
from app.services.drafts import Draft
from app.services.turn import start_turn
from app.wiring.custodian_service import CustodianProcess
from app.wiring.custodians import CustodianInUseError
from app.wiring.sandbox import BIRCH, PIN
from tests.support.neighbours import (
    CAROL,
    PASSPHRASE,
    REGISTRAR,
    Neighbours,
    open_neighbours,
    operate,
    short_folder,
)
from tests.support.refusals import custodian_refusal as refusal
from tests.support.service import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.custodian.results import Released
    from app.services.notebook import PatientRef
    from app.services.worklist import RecordRow
    from app.wiring.desks import StaffDesk

folder = pytest.fixture(short_folder)


@pytest.fixture
def near(folder: Path) -> Iterator[Neighbours]:
    """Both hospitals; Birch's custodian does not run yet."""
    made = open_neighbours(folder)
    yield made
    made.close()


@pytest.fixture
def served(near: Neighbours) -> Neighbours:
    """Birch's custodian runs and is unlocked."""
    near.serve()
    near.unlock()
    return near


def allow(near: Neighbours, carol: StaffDesk) -> PatientRef:
    """Have Carol ask Bruno, who signs at her workstation, with the keys of that pair alone."""
    reference = near.introduce(carol)
    asked = Draft(
        reference.patient_id,
        categories=frozenset({Category.CYTOLOGY, Category.DOCUMENT}),
        days=30,
        reason="To compare.",
    )
    consent_id = carol.requests.send(asked)
    unlocked = pairs.unlock(near.alder.machine, near.card, PIN, "AlderMSP")
    assert [pair.grantee for pair in unlocked.pairs] == ["AlderMSP"]
    turn = start_turn(near.alder.machine, unlocked, reference.patient_id, consent_id, zone="+00:00")
    turn.narrow(categories=turn.terms.categories, keep_open_days=7)
    turn.sign(near.card, PIN)
    unlocked.lock()
    return reference


def listed(carol: StaffDesk, reference: PatientRef) -> list[RecordRow]:
    """Return what can be opened, once Birch's custodian saw the consent and registered what it reaches."""
    rows: list[RecordRow] = []

    def look() -> bool:
        rows[:] = [row for row in carol.worklist.list_records(reference, "TREAT") if row.can_open]
        return len(rows) == 2

    until(look, 30)
    return rows


def test_a_hospital_opens_what_another_ones_custodian_holds(served: Neighbours) -> None:
    assert served.birch.custodians == {}, "the desktop does not open what a process serves"
    assert set(served.alder.machine.custodians) == {"AlderMSP", "BirchMSP"}
    carol = served.staff(served.alder, CAROL)
    reference = allow(served, carol)
    row = next(row for row in listed(carol, reference) if row.can_open)
    opened = carol.openings.open(row.wanted, "TREAT")
    assert opened.objects
    carol.openings.close(opened)
    mine = served.patient(served.birch)
    seen = [each for each in mine.accesses.rows() if each.kind == "open"]
    assert [(each.who.name, each.who.hospital, each.state) for each in seen] == [
        (CAROL, "Alder Hospital", AccessState.OPENED)
    ]
    assert mine.accesses.check(seen[0]).block == seen[0].block
    held = next(each for each in mine.records.rows() if each.title == row.title)
    could = mine.records.who_could_see(held, int(time.time()))
    assert (CAROL, "AlderMSP") in {(each.who.name, each.grantee) for each in could if each.who is not None}
    mine.lock()


def test_two_hospitals_agree_about_what_happened(served: Neighbours) -> None:
    carol = served.staff(served.alder, CAROL)
    assert listed(carol, allow(served, carol))
    mine = served.patient(served.alder)
    said = mine.accesses.agreement()
    assert (said.agreeing, said.asked, said.differing) == (2, 2, ())
    assert said.block <= served.alder.machine.replica.height - 1
    assert served.end() == 0
    said = mine.accesses.agreement()
    assert (said.agreeing, said.asked) == (1, 2)
    assert {each.code for each in said.opinions if each.msp_id == BIRCH.msp_id} == {"unreachable"}
    mine.lock()


def test_it_is_locked_until_its_operator_unlocks_it(near: Neighbours) -> None:
    assert near.state == ""
    near.serve()
    place = near.folder / "birch"
    assert near.state == "locked"
    carol = near.staff(near.alder, CAROL)
    birch = near.alder.machine.custodians["BirchMSP"]
    assert refusal(lambda: birch.people(carol.identity)).code == "locked"
    assert refusal(lambda: pairs.unlock(near.alder.machine, near.card, PIN)).code == "locked"
    wrong = operate(place, "unlock", "wrong-passphrase")
    assert (wrong.returncode, "stays locked" in wrong.stderr) == (1, True)
    assert operate(place, "unlock", "").returncode == 1
    assert near.state == "locked"
    near.unlock()
    until(lambda: refusal(lambda: birch.people(carol.identity)).code != "unreachable")  # its door opens anew
    assert refusal(lambda: birch.people(carol.identity)).code == "wrong-organization"
    told = operate(place, "status")
    assert (told.returncode, "ready" in told.stdout) == (0, True)
    assert "already" in operate(place, "unlock", PASSPHRASE).stderr
    assert operate(place, "lock").returncode == 0
    assert refusal(lambda: birch.people(carol.identity)).code == "locked"
    assert operate(place, "status").returncode == 1
    near.unlock()
    assert near.introduce(carol)
    assert operate(place, "stop").returncode == 0
    assert near.process is not None
    assert near.process.wait(30) == 0
    near.process = None
    assert "Start it" in operate(place, "status").stderr


def test_killed_between_journal_and_reply_it_answers_the_same_once_it_is_back(
    served: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = served.staff(served.alder, CAROL)
    reference = allow(served, carol)
    row = listed(carol, reference)[0]
    assert served.end(signal.SIGKILL) == -signal.SIGKILL
    served.serve("tests.support.dying_custodian")
    served.unlock()
    client = served.alder.machine.custodians["BirchMSP"]
    ask = client.release
    refused: list[str] = []
    answers: list[Released] = []

    def release(*given: Any, **named: Any) -> Released:
        """Ask; as nobody answers, start the custodian again and ask the same again, twice."""
        refused.append(refusal(lambda: ask(*given, **named)).code)
        assert served.process is not None
        assert served.process.wait(30) == -signal.SIGKILL
        served.serve()
        served.unlock()
        answers.extend(ask(*given, **named) for _ in range(2))
        return answers[0]

    monkeypatch.setattr(client, "release", release)
    opened = carol.openings.open(row.wanted, "TREAT")
    assert refused == ["unreachable"]
    assert answers[0] == answers[1]
    assert opened.objects
    mine = served.patient(served.birch)
    hers = next(pair for pair in mine.unlocked.pairs if pair.grantee == "AlderMSP")
    stated = hers.client.statement(hers.identity, hers.patient_id)
    assert [each.access_id for each in stated.entries].count(opened.access_id) == 1, "written down once"
    mine.lock()
    carol.openings.close(opened)


def test_only_one_process_has_a_custodian_open(served: Neighbours, folder: Path) -> None:
    second = operate(folder / "birch", "serve")
    assert (second.returncode, "another process" in second.stderr) == (1, True)
    with pytest.raises(CustodianInUseError):
        CustodianProcess(folder / "birch", served.plan, served.birch.circumstances, listen="localhost:0")
    with pytest.raises(CustodianInUseError, match="Stop that one first"):
        served.birch.rotate_master_key()
    assert served.state == "ready"
    assert served.end() == 0
    old = served.birch.master.current.key_id
    served.birch.rotate_master_key()
    assert served.birch.master.current.key_id != old
    served.serve()
    served.unlock()
    assert served.staff(served.birch, REGISTRAR).people.persons()


def test_a_stop_holds_while_the_ledger_is_away(served: Neighbours, folder: Path) -> None:
    carol = served.staff(served.alder, CAROL)
    reference = allow(served, carol)
    assert listed(carol, reference)
    mine = served.patient(served.birch)
    his = next(pair for pair in mine.unlocked.pairs if pair.patient_id == reference.patient_id)
    served.alder.close()
    until(lambda: "does not answer" in operate(folder / "birch", "status").stdout, 30)
    assert his.client.suspend(his.identity, his.patient_id).stopped
    assert refusal(lambda: his.client.make_code(his.identity, his.patient_id)).code == "not-yet-committed"
    served.reopen_alder()
    until(lambda: "does not answer" not in operate(folder / "birch", "status").stdout, 30)
    carol = served.staff(served.alder, CAROL)
    assert refusal(lambda: carol.worklist.list_records(reference, "TREAT")).code == "stopped-by-patient"
    assert not his.client.resume(his.identity, his.patient_id).stopped
    assert carol.worklist.list_records(reference, "TREAT")
    mine.lock()


def test_only_the_locked_key_lies_in_clear(served: Neighbours, folder: Path) -> None:
    place = folder / "birch" / BIRCH.msp_id
    clear = [path.name for path in place.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert clear == ["locked.key"]
    assert stat.S_IMODE((place / "locked.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
