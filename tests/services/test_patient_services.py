"""A patient's own services: checking an entry, blocking, hidden records, a turn that signs what was read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.consent.terms import Category
from app.services.accesses import AccessState
from app.services.choices import Choices
from app.services.consents import ConsentState
from app.services.drafts import Draft
from app.services.openings import DeniedError, Wanted
from app.services.own_records import OWN_RECORD
from app.services.pairs import WrongPinError
from app.services.proofs import NotProvenError, check_entry
from app.wiring.sandbox import PIN
from ledger.genesis import verify_genesis
from tests.support.sandbox import ALMA, CAROL

if TYPE_CHECKING:
    from app.services.accesses import AccessRow
    from app.services.turn import Turn
    from app.wiring.desks import PatientDesk
    from ledger.contract.canonical import Json
    from tests.support.sandbox import SandboxWorld


def opened(world: SandboxWorld) -> tuple[PatientDesk, AccessRow]:
    """Return Alma with an entry of Dr Carol Specimen."""
    carol = world.staff(CAROL)
    reference = world.allow(carol, ALMA, frozenset({Category.DOCUMENT, Category.LABORATORY}))
    carol.worklist.list_records(reference, "TREAT")
    alma = world.patient(ALMA)
    return alma, alma.accesses.rows()[0]


def waiting(world: SandboxWorld) -> Turn:
    """Return the turn on a request of Dr Carol Specimen."""
    carol = world.staff(CAROL)
    reference = world.introduce(carol, ALMA, "Rita Roster", "AlderMSP")
    carol.requests.send(Draft(reference.patient_id, categories=frozenset({Category.DOCUMENT}), days=7, reason="Why."))
    alma = world.patient(ALMA)
    return alma.inbox.turn(alma.inbox.rows()[0])


def test_an_entry_checks_out_on_this_machine_alone(world: SandboxWorld) -> None:
    alma, row = opened(world)
    checked = alma.accesses.check(row)
    assert (checked.transaction_id, checked.block, checked.number) == (row.access_id, row.block, 1)
    assert checked.at == world.clock.now


def told_otherwise(row: AccessRow, transaction_id: str) -> dict[str, AccessRow]:
    """Return the entry as others would have it: later, elsewhere, by somebody else, or another transaction."""
    return {
        "later": replace(row, at=row.at + 1),
        "elsewhere": replace(row, block=row.block - 1),
        "somebody else": replace(row, who=replace(row.who, subject="another")),
        "another transaction": replace(row, access_id=transaction_id),
    }


@pytest.mark.parametrize("lie", ["later", "elsewhere", "somebody else", "another transaction"])
def test_an_entry_that_says_something_else_does_not_check_out(world: SandboxWorld, lie: str) -> None:
    alma, row = opened(world)
    other = next(each for each in world.installation.machine.replica.events() if each.block == row.block - 1)
    with pytest.raises(NotProvenError):
        alma.accesses.check(told_otherwise(row, other.transaction_id)[lie])


@pytest.mark.parametrize("part", ["header", "block_signature", "envelope", "path", "index"])
def test_a_proof_of_which_anything_was_changed_proves_nothing(world: SandboxWorld, part: str) -> None:
    alma, row = opened(world)
    machine = world.installation.machine
    proof = alma.unlocked.pairs[0].client.proof(row.access_id)
    genesis = verify_genesis(next(iter(machine.gateway.blocks(0))))
    block_hash = machine.replica.block_hash(row.block)
    assert check_entry(proof, genesis, block_hash).transaction_id == row.access_id
    other = (
        alma.unlocked.pairs[0]
        .client.proof(next(each.transaction_id for each in machine.replica.events() if each.block == row.block - 1))
        .content
    )
    changed: dict[str, Json] = {
        "header": other["header"],
        "block_signature": other["block_signature"],
        "envelope": other["envelope"],
        "path": ["00" * 32],
        "index": 7,
    }
    with pytest.raises(NotProvenError):
        check_entry(replace(proof, content={**proof.content, part: changed[part]}), genesis, block_hash)


def test_a_turn_signs_the_bytes_that_were_read_last(world: SandboxWorld) -> None:
    turn = waiting(world)
    turn.choose(Choices.asked(turn.asked))
    read = turn.fix().to_bytes()
    world.clock.now += 900
    assert turn.artefact().to_bytes() == read
    turn.read("de")
    assert turn.artefact().to_bytes() != read


def test_a_change_after_that_lets_go_of_them(world: SandboxWorld) -> None:
    turn = waiting(world)
    read = turn.fix().to_bytes()
    turn.choose(Choices.asked(turn.asked).change(days=1))
    assert turn.artefact().to_bytes() != read
    assert turn.artefact().retention_days == 1


def test_the_asked_sentences_stay_whatever_she_chooses(world: SandboxWorld) -> None:
    turn = waiting(world)
    before = turn.asked_sentences()
    turn.choose(Choices.asked(turn.asked).change(days=1))
    assert turn.asked_sentences() == before


def test_she_can_block_every_doctor_of_the_hospital_but_not_the_asker_in_his_own_request(world: SandboxWorld) -> None:
    turn = waiting(world)
    names = {each.name for each in turn.people()}
    assert CAROL not in names
    assert {each.name for each in world.patient(ALMA).consents.people()} == {*names, CAROL}


def test_a_block_needs_her_pin_and_overrides_what_she_allows(world: SandboxWorld) -> None:
    alma, row = opened(world)
    carol = world.staff(CAROL)
    person = next(each for each in alma.consents.people() if each.name == CAROL)
    with pytest.raises(WrongPinError):
        alma.consents.block_person(person, "00000000", emergency_opens=False)
    alma.consents.block_person(person, PIN, emergency_opens=False)
    blocks = [each for each in alma.consents.rows() if each.denies]
    assert [each.state for each in blocks] == [ConsentState.ACTIVE]
    own = next(each for each in alma.records.rows() if each.category == Category.LABORATORY)
    world.clock.now += 1
    with pytest.raises(DeniedError):
        carol.openings.open(Wanted(row.patient_id, "AlderMSP", own.record_id, own.version), "TREAT")
    newest = alma.accesses.rows()[0]
    assert newest.state is AccessState.NOT_OPENED
    alma.consents.stop(blocks[0], PIN)
    carol.openings.open(Wanted(row.patient_id, "AlderMSP", own.record_id, own.version), "TREAT")


def test_whether_hidden_records_are_shown_is_hers_to_choose(world: SandboxWorld) -> None:
    consents = world.patient(ALMA).consents
    assert set(consents.tells_withheld().values()) == {True}
    consents.tell_withheld(on=False)
    assert set(world.patient(ALMA).consents.tells_withheld().values()) == {False}


def test_her_own_record_opens_as_a_line_of_hers(world: SandboxWorld) -> None:
    alma = world.patient(ALMA)
    row = next(each for each in alma.records.rows() if each.category == Category.DOCUMENT)
    line = alma.records.line(row, ALMA)
    assert line in alma.records.reading.list_records(line.patient, OWN_RECORD)
    record = alma.records.reading.openings.open(line.wanted, line.purpose)
    assert record.objects
    alma.records.reading.openings.close(record)
    world.tick()
    newest = alma.accesses.rows()[0]
    assert (newest.who.role, newest.purpose, newest.state) == ("patient", OWN_RECORD, AccessState.OPENED)
