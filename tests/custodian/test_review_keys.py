"""A key that somebody else claimed for a patient is told to her and raises the alarm (ATTACKS.md A30)."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.custodian.messages import CustodianRefusal
from app.identity.certificates import Role
from app.identity.signing import SigningIdentity
from ledger.signatures import spki
from tests.support.custody import NOW, World


def claimed(world: World) -> SigningIdentity:
    """A registrar with the hospital's CA claims alice's new pair with a key of his own, past the custodian."""
    world.introduce(world.dan, world.alice)
    link = world.alder.desk.index.find_pair(world.alice.person_id, "Birch")
    assert link is not None
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = world.alder.authority.issue(spki(key.public_key()), link.patient_id, Role.PATIENT, NOW)
    thief = SigningIdentity("Alder", certificate, key)
    arguments = {"patient_id": link.patient_id, "key_hash": thief.key_hash, "custody": "card"}
    world.submit(world.alder.staff["registrar"].signer, "SetPatientKey", arguments)
    world.alder.custodian.tick()
    return thief


def told(world: World) -> list[str]:
    """Return what alice is told at her own hospital."""
    mailbox = world.mailbox(world.alice, "Alder")
    found = world.alder.client.notices(world.alice.signers["Alder"], world.alice.patient_id, mailbox)
    return [notice.kind for notice in found]


def test_a_key_claimed_past_the_custodian_is_told_and_flagged(world: World) -> None:
    thief = claimed(world)
    assert told(world)[-1] == "key-set"
    alarms = world.alder.client.alarms(world.alder.staff["officer"].signer)
    assert alarms.flags == {(thief.subject, "key"): "wrong-key"}


def test_her_notice_stops_what_the_thief_can_reach(world: World) -> None:
    thief = claimed(world)
    mailbox = world.mailbox(world.alice, "Alder")
    own = world.alder.client.notices(world.alice.signers["Alder"], world.alice.patient_id, mailbox)
    world.alder.client.not_me(own[-1].not_me)
    assert world.alder.desk.index.stopped(thief.subject) is not None
    with pytest.raises(CustodianRefusal, match="forbidden"):
        world.alder.client.resume(thief, thief.subject)


def test_her_own_claim_is_told_once_and_raises_nothing(world: World) -> None:
    world.introduce(world.dan, world.alice)
    world.alder.unlock(world.alice, "Birch")
    world.alder.custodian.tick()
    assert [each["kind"] for each in world.alder.desk.index.notices_of(world.alice.pairs["Birch"].patient_id)] == [
        "key-set"
    ]
    assert told(world) == ["registered", "key-set"]
    assert world.alder.desk.index.flags() == []
