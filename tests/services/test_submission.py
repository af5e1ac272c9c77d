"""Unknown outcomes: settled by the same envelope, recorded once, never proposed anew (ATTACKS.md A41)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.services.outbox import ORDER, Outbox
from app.services.submission import Submission, UnsettledError
from ledger.gateway import CommitError, EndorseError, Envelope
from tests.support.gateways import FailingGateway, Loss, fail_between
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from pathlib import Path

    from app.services.notebook import PatientRef
    from app.wiring.desks import StaffDesk


def arguments(world: SandboxWorld, patient: PatientRef) -> dict[str, object]:
    """Return an index access that Carol may record."""
    return {
        "patient_id": patient.patient_id,
        "kind": "index",
        "action": "access",
        "device": "",
        "purpose": "TREAT",
        "items": [],
        "release_key_hash": "0" * 64,
        "emergency_id": "",
    }


def accesses(world: SandboxWorld, patient: PatientRef) -> int:
    world.installation.machine.catch_up()
    return len(list(world.installation.machine.scan("access", patient.patient_id)))


@pytest.fixture
def carol(world: SandboxWorld) -> StaffDesk:
    return world.staff(CAROL)


@pytest.fixture
def patient(world: SandboxWorld, carol: StaffDesk) -> PatientRef:
    return world.introduce(carol, ALMA, "Rita Roster", "AlderMSP")


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
def test_a_lost_answer_is_settled_by_the_same_envelope(
    world: SandboxWorld, carol: StaffDesk, patient: PatientRef, loss: Loss
) -> None:
    gateway = FailingGateway(world.installation.ledger, loss)
    submission = Submission(gateway, carol.identity)
    with pytest.raises(UnsettledError) as unsettled:
        submission.send("OpenRecords", arguments(world, patient))
    with pytest.raises(UnsettledError) as again:
        submission.settle(unsettled.value)
    assert again.value.envelope == unsettled.value.envelope
    gateway.loss = None
    first, second = (submission.settle(unsettled.value) for _ in range(2))
    assert first is not None
    assert first == second
    assert first.transaction_id == unsettled.value.envelope.transaction_id
    assert gateway.prepared == ["OpenRecords"]
    assert accesses(world, patient) == 1


def test_nothing_is_kept_of_a_request_for_access(world: SandboxWorld, carol: StaffDesk, patient: PatientRef) -> None:
    gateway = fail_between(world.installation)
    gateway.loss = Loss.BEFORE
    machine = world.installation.machine
    with pytest.raises(UnsettledError):
        machine.submission(carol.identity).send("OpenRecords", arguments(world, patient))
    assert machine.outbox is not None
    assert machine.outbox.waiting() == ()
    gateway.loss = None
    world.tick()
    assert accesses(world, patient) == 0


def test_what_changed_at_the_same_time_is_recorded_as_invalid(
    world: SandboxWorld, carol: StaffDesk, patient: PatientRef
) -> None:
    gateway = FailingGateway(world.installation.ledger, Loss.BEFORE)
    submission = Submission(gateway, carol.identity)
    with pytest.raises(UnsettledError) as unsettled:
        submission.send("OpenRecords", arguments(world, patient))
    world.staff("Rita Roster").people.suspend(carol.identity.subject)
    gateway.loss = None
    with pytest.raises(CommitError) as invalid:
        submission.settle(unsettled.value)
    assert invalid.value.code == "stale-read"
    with pytest.raises(CommitError):
        submission.settle(unsettled.value)
    assert accesses(world, patient) == 0


def test_an_envelope_that_the_ledger_refuses_is_settled_as_not_recorded(world: SandboxWorld, carol: StaffDesk) -> None:
    submission = Submission(world.installation.ledger, carol.identity)
    assert submission.settle(UnsettledError(Envelope("0" * 64, b"no envelope"))) is None


def test_a_refusal_is_no_unknown_outcome(world: SandboxWorld, carol: StaffDesk, patient: PatientRef) -> None:
    wrong = {**arguments(world, patient), "purpose": "NONSENSE"}
    with pytest.raises(EndorseError):
        Submission(world.installation.ledger, carol.identity).send("OpenRecords", wrong)
    assert accesses(world, patient) == 0


def test_the_outbox_sends_the_most_urgent_first_and_after_a_restart(
    world: SandboxWorld, carol: StaffDesk, patient: PatientRef, tmp_path: Path
) -> None:
    installation = world.installation
    gateway = fail_between(installation)
    rita = world.staff("Rita Roster")
    envelopes = [
        gateway.prepare(carol.identity, "OpenRecords", arguments(world, patient)),
        gateway.prepare(carol.identity, "OpenRecords", arguments(world, patient)),
        gateway.prepare(rita.identity, "SuspendMember", {"subject": world.staff("Dr Clara Invented").identity.subject}),
    ]
    folder = tmp_path / "kept"
    kept = Outbox(folder, gateway)
    # the kinds only order them here; what an envelope holds is the ledger's matter
    for name, envelope in zip(("RecordVerdict", "RecordPurge", "RevokeConsent"), envelopes, strict=True):
        assert kept.keep(name, envelope, carol.identity)
    assert not kept.keep("OpenRecords", envelopes[0], carol.identity)
    expected = [each.transaction_id for each in reversed(envelopes)]
    again = Outbox(folder, gateway)
    assert list(again.waiting()) == expected
    gateway.loss = Loss.BEFORE
    assert again.send() == 0
    assert list(again.waiting()) == expected
    gateway.loss, gateway.submitted = None, []
    assert again.send() == 3
    assert gateway.submitted == expected
    assert again.waiting() == ()
    assert again.send() == 0
    assert accesses(world, patient) == 2


def test_the_outbox_drops_what_can_never_be_recorded(world: SandboxWorld, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "kept", world.installation.ledger)
    outbox.keep("RevokeConsent", Envelope("1" * 64, b"no envelope"), world.staff(CAROL).identity)
    assert outbox.send() == 1
    assert outbox.waiting() == ()


def test_access_is_nowhere_in_the_order() -> None:
    assert "OpenRecords" not in ORDER
    assert ORDER.index("RevokeConsent") < ORDER.index("RecordPurge") < ORDER.index("RecordVerdict")


def test_what_the_ledger_finally_refuses_is_told_to_its_signer_alone_until_it_is_read(world: SandboxWorld) -> None:
    gateway, rita, petra = fail_between(world.installation), world.staff("Rita Roster"), world.staff("Petra Protocol")
    outbox, subject = world.installation.machine.outbox, world.staff(CAROL).identity.subject
    assert outbox is not None
    gateway.loss = Loss.BEFORE
    with pytest.raises(UnsettledError):
        rita.people.suspend(subject)
    gateway.loss = None
    petra_sent = Submission(gateway, petra.identity).send("SuspendMember", {"subject": subject})
    assert petra_sent.block > 0
    assert outbox.send() == 1
    (refused,) = Outbox(world.installation.folder / "outbox", gateway).refused(rita.identity)
    assert (refused.name, refused.code) == ("SuspendMember", "stale-read")
    assert outbox.refused(petra.identity) == ()
    outbox.forget(refused.transaction_id)
    assert outbox.refused(rita.identity) == ()
