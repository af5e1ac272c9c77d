"""Questions about an access, and how far a patient read: only hers, only once, and never beyond what is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.custodian.messages import CustodianRefusal
from app.custodian.results import QUESTION_MAX
from app.identity.certificates import Role
from tests.support.custody import Staff, document

if TYPE_CHECKING:
    from app.identity.signing import SigningIdentity
    from tests.support.custody import World

WHY = "Why was this opened at night?"


def accessed(world: World) -> tuple[SigningIdentity, str, str]:
    """Return alice's signer for the pair with carol, its patient id, and an opening of carol's."""
    records = world.alder.import_documents(world.alice, document("fna"))
    patient_id = world.share(world.carol, world.alice)
    signer = world.alice.signers["Alder"]
    return signer, patient_id, world.open(world.carol, patient_id, records["fna"]).access.access_id


def officer(world: World) -> Staff:
    """Return Alder's privacy officer."""
    return world.alder.staff["officer"]


def test_a_question_reaches_the_privacy_officer_and_the_answer_the_patient(world: World) -> None:
    signer, patient_id, access_id = accessed(world)
    client, petra = world.alder.client, officer(world)
    client.ask_question(signer, patient_id, access_id, WHY)
    asked = client.questions(petra.signer)
    assert [(each.question.text, each.person, each.categories) for each in asked] == [
        (WHY, "Alice Fictive", ("cytology",))
    ]
    assert asked[0].badge == world.carol.badge
    world.clock.now += 60
    client.answer_question(petra.signer, patient_id, access_id, "She was on duty.")
    answered = client.own_questions(signer, patient_id)[0]
    assert (answered.answer, answered.answered_at, answered.answered_by) == (
        "She was on duty.",
        world.clock.now,
        petra.subject,
    )
    told = client.notices(signer, patient_id, world.mailbox(world.alice, "Alder"))
    assert [each.content for each in told if each.kind == "question-answered"] == [{"access_id": access_id}]


def test_the_same_question_again_changes_nothing_and_another_is_refused(world: World) -> None:
    signer, patient_id, access_id = accessed(world)
    client = world.alder.client
    client.ask_question(signer, patient_id, access_id, WHY)
    first = client.own_questions(signer, patient_id)
    world.clock.now += 60
    client.ask_question(signer, patient_id, access_id, WHY)
    assert client.own_questions(signer, patient_id) == first
    with pytest.raises(CustodianRefusal, match="already-exists"):
        client.ask_question(signer, patient_id, access_id, "Another.")


def test_an_answer_is_given_once(world: World) -> None:
    signer, patient_id, access_id = accessed(world)
    client, petra = world.alder.client, officer(world)
    colleague = world.alder.enrol("deputy", Role.PRIVACY_OFFICER, by="operator")
    client.ask_question(signer, patient_id, access_id, WHY)
    for _ in range(2):  # a reply may be lost
        client.answer_question(petra.signer, patient_id, access_id, "On duty.")
    for again, words in ((petra, "Not on duty."), (colleague, "On duty.")):
        with pytest.raises(CustodianRefusal, match="already-exists"):
            client.answer_question(again.signer, patient_id, access_id, words)
    told = client.notices(signer, patient_id, world.mailbox(world.alice, "Alder"))
    assert [each.kind for each in told].count("question-answered") == 1


def test_nobody_asks_or_reads_in_her_place(world: World) -> None:
    _, patient_id, access_id = accessed(world)
    client, bob = world.alder.client, world.alder.register("Bob Fictive")
    world.alder.unlock(bob)
    for signer in (bob.signers["Alder"], world.carol.signer, world.dan.signer, officer(world).signer):
        with pytest.raises(CustodianRefusal):
            client.ask_question(signer, patient_id, access_id, WHY)
        with pytest.raises(CustodianRefusal):
            client.own_questions(signer, patient_id)
        with pytest.raises(CustodianRefusal):
            client.seen(signer, patient_id, 3)
    with pytest.raises(CustodianRefusal, match="unknown-access"):
        client.ask_question(bob.signers["Alder"], bob.patient_id, access_id, WHY)


def test_only_the_hospitals_own_privacy_officer_reads_and_answers(world: World) -> None:
    signer, patient_id, access_id = accessed(world)
    client, petra = world.alder.client, officer(world)
    client.ask_question(signer, patient_id, access_id, WHY)
    others = [signer, world.carol.signer, world.dan.signer, world.birch.staff["officer"].signer]
    for other in (*others, world.alder.staff["registrar"].signer, world.alder.staff["operator"].signer):
        with pytest.raises(CustodianRefusal):
            client.questions(other)
        with pytest.raises(CustodianRefusal):
            client.answer_question(other, patient_id, access_id, "x")
    world.submit(world.alder.staff["operator"].signer, "SuspendMember", {"subject": petra.subject})
    with pytest.raises(CustodianRefusal, match="suspended"):
        client.questions(petra.signer)


@pytest.mark.parametrize("words", ["", "  \n", "x" * (QUESTION_MAX + 1)])
def test_no_words_and_too_many_are_refused(world: World, words: str) -> None:
    signer, patient_id, access_id = accessed(world)
    with pytest.raises(CustodianRefusal, match="malformed"):
        world.alder.client.ask_question(signer, patient_id, access_id, words)


def test_she_cannot_ask_about_her_own_opening(world: World) -> None:
    own = world.alice.signers["Alder"]
    world.alder.import_documents(world.alice, document("fna"))
    opened = world.open(Staff(own, world.carol.badge), world.alice.patient_id, purpose="PATRQT")
    with pytest.raises(CustodianRefusal, match="same-person"):
        world.alder.client.ask_question(own, world.alice.patient_id, opened.access.access_id, WHY)


def test_what_was_asked_is_erased_with_her(world: World) -> None:
    signer, patient_id, access_id = accessed(world)
    world.alder.client.ask_question(signer, patient_id, access_id, WHY)
    world.alder.client.erase_person(world.alder.staff["registrar"].signer, world.alice.person_id)
    assert not world.alder.client.questions(officer(world).signer)
    raw = b"".join(path.read_bytes() for path in world.folder.rglob("*") if path.is_file())
    assert WHY.encode() not in raw


def test_how_far_she_read_never_goes_back_nor_beyond_the_ledger(world: World) -> None:
    signer, patient_id, _ = accessed(world)
    client = world.alder.client
    assert client.seen(signer, patient_id) is None
    assert client.seen(signer, patient_id, 2) is None
    assert client.seen(signer, patient_id, 1) == 2
    assert client.seen(signer, patient_id, 9_999_999) == 2
    newest = client.seen(signer, patient_id)
    assert newest is not None
    assert 2 < newest < 9_999_999


def mailed(world: World, patient_id: str, signer: SigningIdentity) -> list[object]:
    """Return what her mailbox holds of receipts."""
    told = world.alder.client.notices(signer, patient_id, world.mailbox(world.alice, "Alder"))
    return [each.content for each in told if each.kind == "receipt"]


@pytest.mark.parametrize("receipt", [b"{}", b"no receipt", b""])
def test_a_mailbox_takes_nothing_that_proves_no_consent(world: World, receipt: bytes) -> None:
    signer, patient_id, _ = accessed(world)
    with pytest.raises(CustodianRefusal, match="artefact-mismatch"):
        world.alder.client.keep_receipt(signer, patient_id, "c1", receipt)
    assert not mailed(world, patient_id, signer)
