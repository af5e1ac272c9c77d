"""Nobody meets a patient by guessing, and what an introduction tells is no diagnosis (ATTACKS.md A16, A17, A50)."""

import pytest

from app.consent.tags import tag
from app.custodian.introductions import CODE_SECONDS
from app.custodian.messages import CustodianRefusal
from app.identity.badges import BadgeOpening
from app.records.description import CATEGORY_SYSTEM
from tests.support.custody import Staff, World


def refused(world: World, who: Staff, **asked: str) -> tuple[str, str]:
    with pytest.raises(CustodianRefusal) as caught:
        world.alder.client.introduce(who.signer, who.badge, **asked)
    return caught.value.code, caught.value.detail


def code(world: World) -> str:
    return world.alder.client.make_code(world.alice.signers["Alder"], world.alice.patient_id).code


def test_a_code_introduces_and_makes_the_pair(world: World) -> None:
    introduced = world.introduce(world.dan, world.alice, categories=["cytology"], first="2025-01-01", last="2025-12-31")
    assert (introduced.custodian, introduced.grantee, introduced.name) == ("Alder", "Birch", "Alice Fictive")
    assert introduced.patient_id != world.alice.patient_id
    patient = world.alder.desk.find("patient", introduced.patient_id)
    assert patient is not None
    assert (patient["grantee"], patient["key_hash"], patient["custody"]) == ("Birch", "", "none")


def test_tags_are_those_of_what_was_asked_and_no_others(world: World) -> None:
    introduced = world.introduce(world.dan, world.alice, categories=["cytology"], first="2025-01-01", last="2026-01-31")
    key = world.alder.desk.keys.tag_key(introduced.patient_id)
    assert key is not None
    asked = {("class", f"{CATEGORY_SYSTEM}|cytology"), ("date", "2025"), ("date", "2026-01")}
    assert introduced.tags == {(kind, value): tag(key)(kind, value) for kind, value in asked}


def test_the_same_hospital_keeps_its_patient_id(world: World) -> None:
    first = world.introduce(world.dan, world.alice)
    second = world.introduce(world.mallory, world.alice)
    assert first.patient_id == second.patient_id


def test_devices_are_the_approved_models(world: World) -> None:
    model = {"model_id": "breast-cytology", "model_hash": "0" * 64}
    world.submit(world.carol.signer, "RegisterModel", model)
    for who in (world.carol, world.dan):
        world.submit(who.signer, "VoteModel", {"model_id": "breast-cytology", "vote": "approve"})
    introduced = world.introduce(world.dan, world.alice)
    key = world.alder.desk.keys.tag_key(introduced.patient_id)
    assert key is not None
    assert introduced.devices == {"breast-cytology": tag(key)("device", "Device/breast-cytology")}


def test_unknown_used_expired_and_foreign_look_alike(world: World) -> None:
    used, late = code(world), code(world)
    world.alder.client.introduce(world.dan.signer, world.dan.badge, code=used)
    introduced = world.introduce(world.dan, world.alice).patient_id
    world.clock.now += CODE_SECONDS
    answers = {
        refused(world, world.dan, code="a" * 26),
        refused(world, world.dan, code=used),
        refused(world, world.dan, code=late),
        refused(world, world.dan, code=""),
        refused(world, world.dan, patient_id="a" * 26),
        refused(world, world.dan, patient_id=world.alice.patient_id),
        refused(world, world.mallory, patient_id=introduced),
    }
    assert answers == {("refused", "")}


def test_who_was_introduced_may_ask_again(world: World) -> None:
    patient_id = world.introduce(world.dan, world.alice).patient_id
    again = world.alder.client.introduce(
        world.dan.signer, world.dan.badge, patient_id=patient_id, categories=["document"]
    )
    assert again.patient_id == patient_id


def test_own_staff_need_no_code_for_own_patients(world: World) -> None:
    introduced = world.alder.client.introduce(
        world.carol.signer, world.carol.badge, patient_id=world.alice.patient_id, categories=["image"]
    )
    assert (introduced.patient_id, introduced.grantee) == (world.alice.patient_id, "Alder")


def test_a_registrar_makes_codes_for_own_patients_and_others_do_not(world: World) -> None:
    assert world.alder.client.make_code(world.alder.staff["registrar"].signer, world.alice.patient_id).code
    for signer, expected in (
        (world.birch.staff["registrar"].signer, "wrong-organization"),
        (world.carol.signer, "forbidden"),
        (world.dan.signer, "wrong-organization"),
    ):
        with pytest.raises(CustodianRefusal) as caught:
            world.alder.client.make_code(signer, world.alice.patient_id)
        assert caught.value.code == expected


def test_a_badge_that_is_not_ones_own_introduces_nobody(world: World) -> None:
    for badge in (world.mallory.badge, BadgeOpening(world.dan.badge.badge, bytes(32))):
        with pytest.raises(CustodianRefusal, match="badge-mismatch"):
            world.alder.client.introduce(world.dan.signer, badge, code=code(world))


@pytest.mark.parametrize("asked", [{"categories": ["everything"]}, {"first": "yesterday"}, {"last": "2026-02-30"}])
def test_what_cannot_be_asked_for_is_refused(world: World, asked: dict[str, object]) -> None:
    with pytest.raises(CustodianRefusal, match="malformed"):
        world.introduce(world.dan, world.alice, **asked)


def test_a_hospital_leaves_its_peoples_badges(world: World) -> None:
    world.alder.client.store_badge(world.birch.staff["registrar"].signer, "Birch", world.dan.subject, world.dan.badge)
    assert world.alder.desk.index.badge("Birch", world.dan.subject) == world.dan.badge
    with pytest.raises(CustodianRefusal, match="forbidden"):
        world.alder.client.store_badge(
            world.alder.staff["registrar"].signer, "Birch", world.dan.subject, world.dan.badge
        )
    with pytest.raises(CustodianRefusal, match="badge-mismatch"):
        world.alder.client.store_badge(
            world.birch.staff["registrar"].signer, "Birch", world.dan.subject, world.mallory.badge
        )
