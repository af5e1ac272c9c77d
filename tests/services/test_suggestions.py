"""A model runs only while hospitals approve its hash and she allows it; what people say to it is added (A21, D5)."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.consent.terms import Category
from app.identity.profiles import ProfileError
from app.records.views import open_table
from app.services.drafts import Draft
from app.services.models import BundledModel, bundled_models, status_of
from app.services.openings import DeniedError, Opened
from app.services.submission import UnsettledError
from app.services.suggestions import NotRunError
from app.wiring.sandbox import PIN
from diagnostics.model import CARD, CASES, MANIFEST, ONNX, SKOPS
from diagnostics.suggestion import suggest
from ledger.commitments import commitment
from ledger.gateway import EndorseError
from tests.support.gateways import Loss, fail_between
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from pathlib import Path

    from app.services.turn import Turn
    from app.wiring.desks import StaffDesk

MODEL = bundled_models()[0]


def cytology(desk: StaffDesk) -> Opened:
    patient = desk.patients.known()[0]
    rows = desk.worklist.list_records(patient, "TREAT")
    return desk.openings.open(next(row for row in rows if row.category == "cytology").wanted, "TREAT")


def values(world: SandboxWorld, opened: Opened) -> dict[str, object]:
    table = open_table(world.installation.reader, opened.objects[0])
    roles = set(table.roles.values())
    return {
        column.name: cell.text
        for number, (column, cell) in enumerate(zip(table.columns, table.rows[0], strict=True))
        if number not in roles
    }


def entries(world: SandboxWorld, kind: str, opened: Opened) -> list[dict[str, Any]]:
    world.installation.machine.catch_up()
    return [value for _, value in world.installation.machine.scan(kind, opened.wanted.patient_id)]


def vote(world: SandboxWorld, name: str, choice: str) -> None:
    arguments = {"model_id": MODEL.model_id, "vote": choice}
    world.installation.machine.submission(world.staff(name).identity).send("VoteModel", arguments)


@pytest.fixture
def opened(carol: StaffDesk) -> Opened:
    return cytology(carol)


def test_what_the_ledger_holds_of_a_suggestion_says_nothing_of_the_patient(
    allowed: SandboxWorld, carol: StaffDesk, opened: Opened
) -> None:
    answer = carol.suggestions.run(opened, values(allowed, opened), MODEL)
    (stored,) = entries(allowed, "suggestion", opened)
    assert stored["outcome"] == answer.outcome
    assert set(stored) == {"v", "access_id", "by", "registry_epoch", "outcome", "commitment", "status", "verdicts"}
    row = next(row for row in allowed.patient(ALMA).accesses.rows() if row.access_id == answer.access_id)
    assert (row.computer, row.purpose) == (True, "TREATDS")


def test_a_changed_model_never_runs_and_asks_for_nothing(
    allowed: SandboxWorld, carol: StaffDesk, opened: Opened, tmp_path: Path
) -> None:
    for name in (MANIFEST, ONNX, SKOPS, CARD, CASES):
        folder = tmp_path / f"changed-{name}"
        shutil.copytree(MODEL.folder, folder)
        file = folder / name
        file.chmod(0o600)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        stranger: BundledModel = replace(MODEL, folder=folder)
        with pytest.raises(NotRunError) as refused:
            carol.suggestions.run(opened, values(allowed, opened), stranger)
        assert refused.value.code in {"not-approved", "changed"}
    assert entries(allowed, "suggestion", opened) == []
    assert not any(value["device"] for value in entries(allowed, "access", opened))


def test_one_hospitals_suspension_stops_it(allowed: SandboxWorld, carol: StaffDesk, opened: Opened) -> None:
    vote(allowed, "Dr Finn Madeup", "suspend")
    with pytest.raises(NotRunError) as refused:
        carol.suggestions.run(opened, values(allowed, opened), MODEL)
    assert refused.value.code == "suspended"
    assert status_of(allowed.installation.machine, MODEL.model_id).approved_by == ()
    vote(allowed, "Dr Finn Madeup", "approve")
    with pytest.raises(NotRunError):
        carol.suggestions.run(opened, values(allowed, opened), MODEL)  # one of two hospitals is no majority
    vote(allowed, "Dr Clara Invented", "approve")
    assert carol.suggestions.run(opened, values(allowed, opened), MODEL).status.status == "approved"


def test_suspended_while_it_ran_nothing_is_recorded_or_shown(
    allowed: SandboxWorld, carol: StaffDesk, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*given: Any) -> Any:
        vote(allowed, "Dr Finn Madeup", "suspend")
        return suggest(*given)

    monkeypatch.setattr("app.services.suggestions.suggest", slow)
    with pytest.raises(EndorseError) as refused:
        carol.suggestions.run(opened, values(allowed, opened), MODEL)
    assert refused.value.code == "not-approved"
    assert entries(allowed, "suggestion", opened) == []


def test_without_her_permission_for_a_computer_it_is_denied_and_recorded(world: SandboxWorld) -> None:
    desk = world.staff(CAROL)
    patient = world.introduce(desk, ALMA, "Rita Roster", "AlderMSP")
    desk.requests.send(Draft(patient.patient_id, categories=frozenset({Category.CYTOLOGY}), ai=True, reason="x"))
    inbox = world.patient(ALMA).inbox
    turn: Turn = inbox.turn(inbox.rows()[0])
    turn.narrow(ai_inference=False)
    turn.sign(world.cards[ALMA], PIN)
    world.tick()
    opened = cytology(desk)
    with pytest.raises(DeniedError) as denied:
        desk.suggestions.run(opened, values(world, opened), MODEL)
    assert denied.value.access.reason == "PURPOSE_NOT_COVERED"
    assert entries(world, "suggestion", opened) == []


def test_after_she_stopped_it_nothing_more_is_suggested(
    allowed: SandboxWorld, carol: StaffDesk, opened: Opened
) -> None:
    row = values(allowed, opened)
    alma = allowed.patient(ALMA)
    alma.consents.stop(alma.consents.rows()[0], PIN)
    with pytest.raises(DeniedError):
        carol.suggestions.run(opened, row, MODEL)


def test_another_kind_of_record_has_no_model(carol: StaffDesk, opened: Opened) -> None:
    assert carol.suggestions.model_for("document") is None
    with pytest.raises(NotRunError) as refused:
        carol.suggestions.open_model("document")
    assert refused.value.code == "no-model"


def test_a_verdict_needs_his_pin_and_is_added_never_changed(
    allowed: SandboxWorld, carol: StaffDesk, opened: Opened
) -> None:
    answer = carol.suggestions.run(opened, values(allowed, opened), MODEL)
    with pytest.raises(ProfileError):
        carol.suggestions.answer(answer, "accept", "", "", "", "13579246")
    assert entries(allowed, "suggestion", opened)[0]["verdicts"] == []
    carol.suggestions.answer(answer, "override", "benign", "disagree", "Looks benign to me.", PIN)
    carol.suggestions.answer(answer, "accept", "", "", "", PIN)
    (stored,) = entries(allowed, "suggestion", opened)
    assert [each["verdict"] for each in stored["verdicts"]] == ["override", "accept"]
    blocks = b"".join(allowed.installation.ledger.blocks(0))
    assert b"Looks benign" not in blocks
    assert b"malignant" not in blocks


def test_a_verdict_whose_answer_is_lost_is_sent_again_by_itself(
    allowed: SandboxWorld, carol: StaffDesk, opened: Opened
) -> None:
    answer = carol.suggestions.run(opened, values(allowed, opened), MODEL)
    gateway = fail_between(allowed.installation)
    again = allowed.staff(CAROL)
    gateway.loss = Loss.BEFORE
    with pytest.raises(UnsettledError):
        again.suggestions.answer(answer, "accept", "", "", "", PIN)
    gateway.loss = None
    allowed.tick()
    (stored,) = entries(allowed, "suggestion", opened)
    assert [each["verdict"] for each in stored["verdicts"]] == ["accept"]
    assert gateway.prepared == ["RecordVerdict"]


def test_who_gave_it_can_open_what_the_ledger_commits_to(
    allowed: SandboxWorld, carol: StaffDesk, opened: Opened
) -> None:
    answer = carol.suggestions.run(opened, values(allowed, opened), MODEL)
    stored = allowed.installation.machine
    stored.catch_up()
    kept = {each.about: each for each in carol.notebook.read().statements}
    statement = kept[f"{answer.suggestion_id}#0"]
    on_ledger = stored.find("suggestion", opened.wanted.patient_id, answer.suggestion_id)
    assert on_ledger is not None
    assert on_ledger["commitment"] == commitment(bytes.fromhex(statement.salt), statement.content.encode())
    assert answer.model.model_hash in statement.content
    carol.notebook.forget(opened.wanted.patient_id)
    assert carol.notebook.read().statements == ()
