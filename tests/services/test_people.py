"""People: each office does its own part and no other; cards and introductions (PROTOCOL.md B2 to B4, A27, A50)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.custodian.messages import CustodianRefusal
from app.custodian.results import Person
from app.identity.certificates import Role
from app.identity.pins import WeakPinError
from app.services.accesses import AccessState
from app.services.openings import DeniedError
from app.services.pairs import WrongPinError
from app.services.people import NewMember
from app.wiring.desks import sign_in
from app.wiring.sandbox import PIN
from ledger.gateway import EndorseError
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.wiring.desks import StaffDesk

NORA = NewMember("Nurse Nora Placeholder", Role.PRACTITIONER, "Nurse")


def person_id(world: SandboxWorld, name: str = ALMA) -> str:
    rows = world.staff("Rita Roster").people.persons()
    return next(row.person_id for row in rows if row.person.name == name)


@pytest.mark.parametrize(
    ("who", "role"),
    [
        ("Otto Operand", Role.PRACTITIONER),
        ("Rita Roster", Role.REGISTRAR),
        ("Rita Roster", Role.OPERATOR),
        ("Rita Roster", Role.PRIVACY_OFFICER),
        ("Petra Protocol", Role.PRACTITIONER),
        (CAROL, Role.PRACTITIONER),
        (CAROL, Role.REGISTRAR),
    ],
)
def test_each_office_enrols_only_its_own(world: SandboxWorld, who: str, role: Role) -> None:
    before = {profile.name for profile in world.installation.profiles.profiles()}
    with pytest.raises(EndorseError) as refused:
        world.staff(who).people.enrol(NewMember("Nobody", role), PIN)
    assert refused.value.code == "wrong-role"
    assert {profile.name for profile in world.installation.profiles.profiles()} == before


def test_who_is_enrolled_signs_in_and_sees_nothing_yet(world: SandboxWorld) -> None:
    people = world.staff("Rita Roster").people
    profile = people.enrol(NORA, PIN)
    nora = sign_in(world.installation, profile, PIN)
    assert nora.worklist.rows() == ()
    assert nora.notebook.read().badge is not None
    row = next(row for row in people.members() if row.name == NORA.name)
    assert (row.role, row.status, row.steward) == ("practitioner", "active", False)


def test_a_weak_pin_is_refused_before_anything_is_recorded(world: SandboxWorld) -> None:
    people, replica = world.staff("Rita Roster").people, world.installation.machine.catch_up()
    height = replica.height
    with pytest.raises(WeakPinError):
        people.enrol(NORA, "1")
    with pytest.raises((WeakPinError, CustodianRefusal)):
        people.register(Person("New Person", "2000-01-01", "female", "1"), "1")
    assert world.installation.machine.catch_up().height == height


def test_who_is_suspended_does_nothing_any_more(world: SandboxWorld) -> None:
    carol = world.staff(CAROL)
    reference = world.introduce(carol, ALMA, "Rita Roster", "AlderMSP")
    people = world.staff("Rita Roster").people
    people.suspend(carol.identity.subject)
    with pytest.raises(EndorseError) as refused:
        carol.worklist.list_records(reference, "TREAT")
    assert refused.value.code == "suspended"
    with pytest.raises(CustodianRefusal) as answered:
        carol.patients.introduce("AlderMSP", "x")
    assert answered.value.code in {"suspended", "refused"}
    with pytest.raises(EndorseError):
        people.suspend(carol.identity.subject)
    assert next(row.status for row in people.members() if row.name == CAROL) == "suspended"


@pytest.mark.parametrize("who", [CAROL, "Petra Protocol", "Otto Operand", "Ruben Roster"])
def test_only_the_hospitals_registrar_works_on_its_patients(world: SandboxWorld, who: str) -> None:
    client = world.installation.machine.custodians["AlderMSP"]
    signer, person = world.staff(who).identity, person_id(world)
    acts: list[Callable[[], object]] = [
        lambda: client.register_person(signer, Person("New Person", "2000-01-01", "female", "1"), PIN),
        lambda: client.reset_pin(signer, person, "97531864"),
        lambda: client.erase_person(signer, person),
    ]
    for act in acts:
        with pytest.raises(CustodianRefusal) as refused:
            act()
        assert refused.value.code in {"wrong-role", "wrong-organization", "forbidden"}
    assert world.patient(ALMA)


def test_the_same_person_is_not_registered_twice(world: SandboxWorld) -> None:
    people = world.staff("Rita Roster").people
    with pytest.raises(CustodianRefusal) as refused:
        people.register(Person(ALMA, "1961-03-14", "female", "000-417-SANDBOX"), PIN)
    assert refused.value.code == "already-exists"


def test_a_new_pin_takes_the_place_of_the_old(world: SandboxWorld) -> None:
    world.staff("Rita Roster").people.reset_pin(person_id(world), "97531864")
    with pytest.raises(WrongPinError):
        world.patient(ALMA)


def test_a_code_works_once_for_a_quarter_of_an_hour(world: SandboxWorld) -> None:
    people, carol = world.staff("Rita Roster").people, world.staff(CAROL)
    row = next(row for row in people.persons() if row.person.name == ALMA)
    code = people.make_code(row.patient_id).code
    assert carol.patients.introduce("AlderMSP", code).name == ALMA
    old = people.make_code(row.patient_id).code
    world.clock.now += 15 * 60 + 1
    answers = []
    for each in (code, old, "unknown"):
        with pytest.raises(CustodianRefusal) as refused:
            carol.patients.introduce("AlderMSP", each)
        answers.append((refused.value.code, refused.value.detail))
    assert len(set(answers)) == 1  # whether a code ever existed is not told


def test_erasing_leaves_no_way_to_her(world: SandboxWorld) -> None:
    people = world.staff("Rita Roster").people
    alma = world.patient(ALMA)
    erasure = people.erase(person_id(world))
    world.tick()
    assert erasure.transaction_ids
    assert [row.person.name for row in people.persons()] == ["Greta Imaginary"]
    with pytest.raises((WrongPinError, CustodianRefusal)):
        world.patient(ALMA)
    with pytest.raises((EndorseError, CustodianRefusal)):
        alma.records.open(alma.records.rows()[0], progress=lambda *_: None)
    objects = [path for path in (world.installation.folder / "AlderMSP" / "objects").rglob("*") if path.is_file()]
    assert objects == []


# who saw what, who could see


def test_she_sees_every_opening_and_attempt_with_name_purpose_and_reason(
    allowed: SandboxWorld, carol: StaffDesk
) -> None:
    reference = carol.patients.known()[0]
    rows = carol.worklist.list_records(reference, "TREAT")
    wanted = next(row.wanted for row in rows if row.can_open)
    allowed.clock.now += 1
    opened = carol.openings.open(wanted, "TREAT")
    allowed.tick()
    alma = allowed.patient(ALMA)
    assert [row.state for row in alma.accesses.rows()] == [AccessState.OPEN_NOW, AccessState.OPENED]
    allowed.clock.now += 1
    carol.openings.close(opened)
    with pytest.raises(DeniedError):
        carol.openings.open(wanted, "HRESCH")
    clara = allowed.staff("Dr Clara Invented")
    with pytest.raises(DeniedError):
        clara.openings.open(wanted, "TREAT")
    allowed.tick()
    seen = alma.accesses.rows()
    assert [row.at for row in seen] == sorted((row.at for row in seen), reverse=True)
    assert len(seen) == 4
    assert {(row.who.name, row.purpose, row.state.value, row.reason) for row in seen} == {
        (CAROL, "TREAT", "opened", "PERMITTED_BY_CONSENT"),
        (CAROL, "HRESCH", "not-opened", "PURPOSE_NOT_COVERED"),
        ("Dr Clara Invented", "TREAT", "not-opened", "ACTOR_NOT_COVERED"),
    }
    assert all(row.records for row in seen if row.kind == "open")
    assert alma.accesses.completeness().complete
    greta = allowed.patient("Greta Imaginary")
    assert greta.accesses.rows() == ()


def test_who_could_see_before_and_after(allowed: SandboxWorld, carol: StaffDesk) -> None:
    alma = allowed.patient(ALMA)
    (consent,) = alma.consents.rows()
    assert consent.given_at is not None
    cytology = next(row for row in alma.records.rows() if row.category == "cytology")
    laboratory = next(row for row in alma.records.rows() if row.category == "laboratory")

    def could(row: object, at: int) -> set[str]:
        found = alma.records.who_could_see(row, at)  # type: ignore[arg-type]
        return {each.who.name for each in found if each.who is not None and "TREAT" in each.purposes}

    assert could(cytology, consent.given_at - 1) == set()
    assert could(cytology, consent.given_at) == {CAROL}
    assert could(laboratory, consent.given_at) == set()
    allowed.clock.now += 60
    alma.consents.stop(consent, PIN)
    assert could(cytology, allowed.clock()) == set()
    assert could(cytology, allowed.clock() - 1) == {CAROL}
    assert consent.ends_at is not None
    allowed.clock.now = consent.ends_at
    assert could(cytology, allowed.clock()) == set()
