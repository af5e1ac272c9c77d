"""An open record: the entry first, nothing left of what was cancelled, closed by whatever ends it (A6 to A8, A41)."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from app.consent.terms import Category
from app.custodian.client import CustodianClient
from app.custodian.messages import CustodianRefusal
from app.identity.keys import LockedError
from app.records.refusal import Change
from app.records.sealing import open_object
from app.services.accesses import AccessState
from app.services.openings import ChangedError, DeniedError, Ending, Opened, StoppedError, Wanted
from app.services.submission import UnsettledError
from ledger import merkle
from ledger.contract.canonical import encode
from ledger.gateway import CommitError, EndorseError
from tests.support.gateways import FailingGateway, Loss, fail_between
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.services.worklist import RecordRow
    from app.wiring.desks import StaffDesk

ASKED = frozenset({Category.CYTOLOGY, Category.DOCUMENT})


@pytest.fixture
def world(allowed: SandboxWorld) -> SandboxWorld:
    return allowed


@pytest.fixture
def rows(carol: StaffDesk) -> list[RecordRow]:
    patient = carol.patients.known()[0]
    return [row for row in carol.worklist.list_records(patient, "TREAT") if row.can_open]


def wanted(rows: list[RecordRow], category: str = "cytology") -> Wanted:
    return next(row.wanted for row in rows if row.category == category)


def stop(world: SandboxWorld) -> None:
    """Have Alma stop what she allowed."""
    alma = world.patient(ALMA)
    row = next(row for row in alma.consents.rows() if row.asked_by is not None)
    alma.consents.stop(row, "24681012")


def failing(world: SandboxWorld, carol: StaffDesk) -> FailingGateway:
    """Have Carol open through a door that fails when a test says so."""
    gateway = fail_between(world.installation)
    vars(carol).pop("openings")
    return gateway


def purge_of(world: SandboxWorld, opened: Opened) -> dict[str, Any] | None:
    world.installation.machine.catch_up()
    return world.installation.machine.find("purge", opened.wanted.patient_id, opened.access_id)


def before(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> None:
    """Have something happen just before the custodian is asked for ``name``, once."""
    real = getattr(CustodianClient, name)
    left = [act]

    def asked(client: CustodianClient, *given: Any, **named: Any) -> Any:
        if left:
            left.pop()()
        return real(client, *given, **named)

    monkeypatch.setattr(CustodianClient, name, asked)


def test_an_opening_is_an_entry_that_names_person_record_purpose_and_consent(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    assert opened.access == replace(
        opened.access,
        subject=carol.identity.subject,
        records=(opened.wanted.record_id,),
        purpose="TREAT",
        denied=False,
        consents=(carol.requests.rows()[0].consent_id,),
    )
    assert bytes(opened.objects[0]).startswith(b"\xef\xbb\xbf") or b"mean radius" in bytes(opened.objects[0])
    assert all(item.identity == "" for item in opened.released.items)
    assert "AGE-SECRET-KEY" not in repr(opened).upper()
    assert carol.openings.count == 1


def test_closing_drops_the_plaintext_and_states_the_canonical_receipt(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    names = [item.name for item in opened.manifest.objects]
    opened.viewed.update(names[:1])
    closing = carol.openings.close(opened)
    assert opened.objects == []
    stated = json.loads(closing.statement)
    assert encode(stated) == closing.statement
    assert stated == {
        "type": "purge-receipt",
        "network_id": world.installation.ledger.network_id,
        "patient_id": opened.wanted.patient_id,
        "access_ids": [opened.access_id],
        "objects": names,
        "views_root": merkle.leaf_hash(names[0].encode()).hex(),
        "views_count": 1,
        "at": world.clock(),
    }
    purge = purge_of(world, opened)
    assert purge is not None
    assert purge["receipt"] == closing.receipt == sha256(closing.statement).hexdigest()
    row = next(row for row in world.patient(ALMA).accesses.rows() if row.access_id == opened.access_id)
    assert row.closed_at == world.clock()


def test_nothing_viewed_has_no_root(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    stated = json.loads(carol.openings.close(carol.openings.open(wanted(rows), "TREAT")).statement)
    assert (stated["views_root"], stated["views_count"]) == ("", 0)


def test_closing_twice_states_it_once(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    gateway = failing(world, carol)
    opened = carol.openings.open(wanted(rows), "TREAT")
    first = carol.openings.close(opened, Ending.LOCKED)
    world.installation.machine.catch_up()
    second = carol.openings.close(opened)
    assert first.receipt == second.receipt != ""
    assert second.statement == b""
    assert gateway.prepared.count("RecordPurge") == 1


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
def test_a_receipt_of_unknown_outcome_is_kept_and_sent_again(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], loss: Loss
) -> None:
    gateway = failing(world, carol)
    opened = carol.openings.open(wanted(rows), "TREAT")
    gateway.loss = loss
    closing = carol.openings.close(opened)
    assert (opened.objects, closing.receipt, carol.openings.count) == ([], "", 0)
    carol.lock()
    gateway.loss = None
    world.tick()
    purge = purge_of(world, opened)
    assert purge is not None
    assert purge["receipt"] == sha256(closing.statement).hexdigest()
    assert gateway.prepared.count("RecordPurge") == 1
    outbox = world.installation.machine.outbox
    assert outbox is not None
    assert outbox.waiting() == ()


def test_a_receipt_that_was_refused_for_now_is_stated_later(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    gateway = failing(world, carol)
    opened = carol.openings.open(wanted(rows), "TREAT")
    gateway.loss = Loss.REFUSED
    closing = carol.openings.close(opened)
    assert (opened.objects, closing.receipt) == ([], "")
    assert carol.openings.ended() == ()
    assert purge_of(world, opened) is None
    gateway.loss = None
    carol.openings.ended()
    purge = purge_of(world, opened)
    assert purge is not None
    assert purge["receipt"] == sha256(closing.statement).hexdigest()


def test_a_receipt_that_will_never_be_accepted_is_not_repeated(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    gateway = failing(world, carol)
    opened = carol.openings.open(wanted(rows), "TREAT")
    world.staff("Rita Roster").people.suspend(carol.identity.subject)
    ((ended, ending),) = carol.openings.ended()
    assert (ended, ending) == (opened, Ending.SUSPENDED)
    assert carol.openings.close(opened, ending).receipt == ""
    assert opened.objects == []
    gateway.prepared.clear()
    carol.openings.ended()
    assert gateway.prepared == []


def test_a_wiped_key_still_lets_the_plaintext_go(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    carol.identity.lock()
    assert carol.openings.close(opened, Ending.LOCKED).receipt == ""
    assert opened.objects == []
    with pytest.raises(LockedError):
        carol.openings.open(wanted(rows), "TREAT")


def test_withdrawing_closes_and_names_it(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    opened = [carol.openings.open(wanted(rows, each), "TREAT") for each in ("cytology", "document")]
    assert carol.openings.ended() == ()
    stop(world)
    expected = tuple((each, Ending.WITHDRAWN) for each in opened)
    assert carol.openings.ended() == expected
    assert carol.openings.ended() == expected  # until somebody closes them
    for each, ending in expected:
        assert carol.openings.close(each, ending).receipt
    assert carol.openings.ended() == ()
    with pytest.raises(DeniedError):
        carol.openings.open(wanted(rows), "TREAT")


def test_a_withdrawal_while_the_record_is_decrypted_is_heard(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came after the release and after the last object, when nothing was watched yet."""

    def opened_late(*given: Any) -> Any:
        stop(world)
        return open_object(*given)

    monkeypatch.setattr("app.services.openings.open_object", opened_late)
    opened = carol.openings.open(wanted(rows), "TREAT")
    assert carol.openings.ended() == ((opened, Ending.WITHDRAWN),)


def test_another_persons_withdrawal_or_an_older_one_closes_nothing(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    stop(world)
    draft_patient = carol.patients.known()[0]
    world.allow(carol, ALMA, ASKED)
    again = [row for row in carol.worklist.list_records(draft_patient, "TREAT") if row.can_open]
    opened = carol.openings.open(wanted(again), "TREAT")
    clara = world.staff("Dr Clara Invented")
    world.staff("Rita Roster").people.suspend(clara.identity.subject)
    assert carol.openings.ended() == ()
    carol.openings.close(opened)


def test_a_refusal_of_this_person_closes_what_he_has_open(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    alma = world.patient(ALMA)
    person = next(row.who for row in alma.accesses.rows() if row.who.name == CAROL)
    alma.consents.block_person(person, "24681012", emergency_opens=True)
    assert carol.openings.ended() == ((opened, Ending.WITHDRAWN),)


def test_a_refusal_of_somebody_else_closes_nothing(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    carol.openings.open(wanted(rows), "TREAT")
    alma = world.patient(ALMA)
    person = next(row.who for row in alma.accesses.rows() if row.who.name == CAROL)
    clara = replace(person, subject=world.staff("Dr Clara Invented").identity.subject, name="Dr Clara Invented")
    alma.consents.block_person(clara, "24681012", emergency_opens=True)
    assert carol.openings.ended() == ()


def test_the_permissions_end_closes(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    world.clock.now = opened.until - 1
    assert carol.openings.ended() == ()
    world.clock.now = opened.until
    assert carol.openings.ended() == ((opened, Ending.ENDED),)


def test_erasing_closes(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    people = world.staff("Rita Roster").people
    people.erase(next(row.person_id for row in people.persons() if row.person.name == ALMA))
    world.tick()
    assert carol.openings.ended() == ((opened, Ending.ERASED),)
    assert carol.openings.close(opened, Ending.ERASED).receipt  # RecordPurge is accepted also of who was erased


def test_five_minutes_of_silence_close(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    gateway = failing(world, carol)
    opened = carol.openings.open(wanted(rows), "TREAT")
    gateway.is_silent = True
    world.clock.now += 299
    assert carol.openings.ended() == ()
    world.clock.now += 1
    assert carol.openings.ended() == ((opened, Ending.OFFLINE),)
    gateway.is_silent = False
    assert carol.openings.ended() == ((opened, Ending.OFFLINE),)
    assert carol.openings.close(opened, Ending.OFFLINE).receipt


def test_an_answer_in_between_starts_the_silence_anew(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    gateway = failing(world, carol)
    carol.openings.open(wanted(rows), "TREAT")
    world.clock.now += 200
    assert carol.openings.ended() == ()
    gateway.is_silent = True
    world.clock.now += 200
    assert carol.openings.ended() == ()


def test_a_cancelled_opening_leaves_nothing(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    assert rows
    world.clock.now += 1
    with pytest.raises(StoppedError):
        carol.openings.open(wanted(rows), "TREAT", cancelled=lambda: True)
    assert carol.openings.count == 0
    world.tick()
    newest = world.patient(ALMA).accesses.rows()[0]
    assert (newest.kind, newest.closed_at) == ("open", None)


def test_what_is_being_opened_stays_closed_once_everything_was_closed(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    seen = []

    def progress(done: int, _total: int, _what: str) -> None:
        seen.append(done)
        if done == 1:
            carol.openings.close_all(Ending.LOCKED)

    with pytest.raises(StoppedError):
        carol.openings.open(wanted(rows), "TREAT", progress=progress)
    assert seen == [0, 1]
    assert carol.openings.count == 0


def test_revoked_between_commit_and_release(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, "release", lambda: stop(world))
    with pytest.raises(CustodianRefusal) as refused:
        carol.openings.open(wanted(rows), "TREAT")
    assert refused.value.code == "denied"
    assert carol.openings.count == 0


def test_revoked_between_release_and_the_objects(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, "fetch_object", lambda: stop(world))
    with pytest.raises(CustodianRefusal) as refused:
        carol.openings.open(wanted(rows), "TREAT")
    assert refused.value.code == "denied"


def test_revoked_while_the_access_is_in_flight(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = failing(world, carol)
    real = gateway.prepare

    def prepared(*given: Any) -> Any:
        envelope = real(*given)
        monkeypatch.setattr(gateway, "prepare", real)
        stop(world)
        return envelope

    monkeypatch.setattr(gateway, "prepare", prepared)
    with pytest.raises(CommitError) as invalid:
        carol.openings.open(wanted(rows), "TREAT")
    assert invalid.value.code == "stale-read"


def test_suspended_between_commit_and_release(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, "release", lambda: world.staff("Rita Roster").people.suspend(carol.identity.subject))
    with pytest.raises(CustodianRefusal) as refused:
        carol.openings.open(wanted(rows), "TREAT")
    assert refused.value.code == "suspended"


def test_an_entry_that_waited_too_long_opens_nothing(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait() -> None:
        world.clock.now += 301

    before(monkeypatch, "release", wait)
    with pytest.raises(CustodianRefusal) as refused:
        carol.openings.open(wanted(rows), "TREAT")
    assert refused.value.code == "entry-too-old"


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
def test_an_opening_of_unknown_outcome_shows_nothing(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], loss: Loss
) -> None:
    gateway = failing(world, carol)
    gateway.loss = loss
    with pytest.raises(UnsettledError) as unsettled:
        carol.openings.open(wanted(rows), "TREAT")
    assert carol.openings.count == 0
    assert gateway.submitted == [unsettled.value.envelope.transaction_id]


def test_a_record_that_is_unknown_is_refused_and_nothing_is_recorded(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    with pytest.raises(EndorseError) as refused:
        carol.openings.open(replace(wanted(rows), record_id="nosuchrecord"), "TREAT")
    assert refused.value.code == "unknown-record"


# what came is not what was sealed

OBJECTS = "AlderMSP/objects"


def object_files(world: SandboxWorld, opened: Opened) -> list[Any]:
    return [world.installation.folder / OBJECTS / item.name for item in opened.manifest.objects]


def flip(path: Any) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def cut(path: Any) -> None:
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[:-20])


@pytest.mark.parametrize(
    ("damage", "expected"),
    [(flip, Change.OBJECT_DAMAGED), (cut, Change.OBJECT_TRUNCATED)],
)
def test_a_damaged_object_is_named_and_nothing_shown(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], damage: Callable[[Any], None], expected: Change
) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    (path,) = object_files(world, opened)
    carol.openings.close(opened)
    damage(path)
    with pytest.raises(ChangedError) as changed:
        carol.openings.open(wanted(rows), "TREAT")
    assert changed.value.change is expected
    assert (changed.value.first, changed.value.count, changed.value.total) == (1, 1, 1)
    assert carol.openings.count == 0


def test_objects_that_changed_places_are_named(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    opened = [carol.openings.open(wanted(rows, each), "TREAT") for each in ("cytology", "document")]
    (one,), (other,) = (object_files(world, each) for each in opened)
    carol.openings.close_all(Ending.CLOSED)
    contents = one.read_bytes(), other.read_bytes()
    for path, content in zip((other, one), contents, strict=True):
        path.chmod(0o600)
        path.write_bytes(content)
    for category in ("cytology", "document"):
        with pytest.raises(ChangedError) as changed:
            carol.openings.open(wanted(rows, category), "TREAT")
        assert changed.value.change is Change.OBJECT_SWAPPED


def test_a_changed_manifest_is_named(world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    name = opened.released.items[0].manifest_name
    carol.openings.close(opened)
    flip(world.installation.folder / OBJECTS / name)
    with pytest.raises((ChangedError, CustodianRefusal)) as changed:
        carol.openings.open(wanted(rows), "TREAT")
    assert not isinstance(changed.value, CustodianRefusal) or changed.value.code == "object-mismatch"


def test_a_missing_object_is_refused_before_the_key_is_given(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow]
) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    (path,) = object_files(world, opened)
    carol.openings.close(opened)
    path.unlink()
    with pytest.raises(CustodianRefusal) as refused:
        carol.openings.open(wanted(rows), "TREAT")
    assert refused.value.code == "object-mismatch"


def test_an_object_that_is_lost_on_the_way_is_named(
    world: SandboxWorld, carol: StaffDesk, rows: list[RecordRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = carol.openings.open(wanted(rows), "TREAT")
    (path,) = object_files(world, opened)
    carol.openings.close(opened)
    before(monkeypatch, "fetch_object", path.unlink)  # released already; the manifest comes first
    with pytest.raises(ChangedError) as changed:
        carol.openings.open(wanted(rows), "TREAT")
    assert (changed.value.change, changed.value.first) == (Change.OBJECT_MISSING, 1)


def test_she_sees_at_once_that_it_was_opened_though_its_receipt_is_not_on_the_ledger_yet(
    allowed: SandboxWorld, carol: StaffDesk
) -> None:
    patient = carol.patients.known()[0]
    row = next(row for row in carol.worklist.list_records(patient, "TREAT") if row.can_open)
    opened = carol.openings.open(row.wanted, "TREAT")
    machine = allowed.installation.machine
    machine.catch_up()
    assert machine.find("release", patient.patient_id, opened.access_id) is None
    seen = {each.access_id: each for each in allowed.patient(ALMA).accesses.rows()}
    assert seen[opened.access_id].state is AccessState.OPEN_NOW
