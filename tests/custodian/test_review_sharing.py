"""What a grantee gets to know of: nothing by a consent that is not honoured, nothing that she excepted (A18, A28)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.consent import codes
from app.consent.artefact import Artefact, Signing, block
from app.consent.compile import Compiled, compile_consent
from app.consent.tags import tag
from app.consent.terms import Category, Grantee, GranteeKind, Labels, Party
from tests.support.custody import World, document


@pytest.fixture
def patient_id(world: World) -> str:
    """Alice towards Birch with three records; nothing is granted."""
    world.introduce(world.dan, world.alice)
    world.alder.unlock(world.alice, "Birch")
    files = [
        document("fna"),
        document("letter", category="document"),
        document("sealed letter", category="document", level="R", sensitivities=("PSY",)),
    ]
    world.alder.import_documents(world.alice, *files)
    return world.alice.pairs["Birch"].patient_id


def known_to(world: World, patient_id: str) -> set[str]:
    """Return what the ledger holds for a patient id, by display."""
    return {
        held.display
        for shared in world.alder.desk.index.shared_of(patient_id)
        if world.alder.desk.find("record", patient_id, shared.record_id) is not None
        and (held := world.alder.desk.index.record(shared.internal_id)) is not None
    }


def excepting(artefact: Artefact, exception: dict[str, Any]) -> Artefact:
    consent = json.loads(artefact.consent)
    consent["provision"].setdefault("provision", []).append({"type": "deny", **exception})
    return replace(artefact, consent=json.dumps(consent))


def category(code: str) -> dict[str, str]:
    return {"system": codes.CATEGORY, "code": code}


def test_a_consent_that_is_not_honoured_tells_nothing_later_either(world: World, patient_id: str) -> None:
    """The ledger says more than the artefact; asking for a refreshed list must not register what it says."""
    shown = world.sharing(world.alice, "c1", world.terms(world.dan, categories=frozenset({Category.CYTOLOGY})))
    wide = world.sharing(world.alice, "c1", world.terms(world.dan))
    compiled = compile_consent(wide.consent, wide.context, tag(world.alice.pairs["Birch"].tag_key))
    assert isinstance(compiled, Compiled)
    world.grant(world.alice, "Birch", "c1", shown, **compiled.terms())
    assert known_to(world, patient_id) == set()
    assert world.alder.client.refresh_records(world.dan.signer, patient_id) == 0
    assert known_to(world, patient_id) == set()
    honest = world.sharing(world.alice, "c2", world.terms(world.dan, categories=frozenset({Category.CYTOLOGY})))
    world.grant(world.alice, "Birch", "c2", honest)
    assert known_to(world, patient_id) == {"fna"}


def test_what_she_excepted_by_kind_is_not_told(world: World, patient_id: str) -> None:
    artefact = world.sharing(world.alice, "c1", world.terms(world.dan))
    world.grant(world.alice, "Birch", "c1", excepting(artefact, {"class": [category("document")]}))
    assert known_to(world, patient_id) == {"fna"}


def test_an_exception_that_inherits_labels_is_not_told(world: World, patient_id: str) -> None:
    """The base allows normal data only; the refusal of documents has that label too, and is not about labels."""
    terms = world.terms(world.dan, labels=Labels.NORMAL_ONLY, emergency_opens=False)
    artefact = world.sharing(world.alice, "c1", terms)
    world.grant(world.alice, "Birch", "c1", excepting(artefact, {"class": [category("document")]}))
    assert known_to(world, patient_id) == {"fna"}


def test_what_a_label_withholds_is_still_told(world: World, patient_id: str) -> None:
    terms = world.terms(world.dan, labels=Labels.NOT_MENTAL_HEALTH, emergency_opens=False)
    world.grant(world.alice, "Birch", "c1", world.sharing(world.alice, "c1", terms))
    assert known_to(world, patient_id) == {"fna", "letter", "sealed letter"}
    assert world.list(world.dan, patient_id).withheld == 1


@pytest.mark.parametrize("kind", [GranteeKind.PRACTITIONER, GranteeKind.ORGANIZATION])
def test_who_is_blocked_makes_nothing_known_and_others_still_do(
    world: World, patient_id: str, kind: GranteeKind
) -> None:
    """A block of dan leaves mallory's hospital-wide consent as it is; a consent for dan alone reaches nobody."""
    signer = Signing(Party(patient_id, "Alder", "Alder Hospital"), "b1", world.clock())
    dan = Grantee(GranteeKind.PRACTITIONER, "Birch", "Birch", "Dr Dan Specimen", world.dan.subject)
    world.grant(world.alice, "Birch", "b1", block(dan, signer, emergency_opens=False))
    grantee = dan if kind is GranteeKind.PRACTITIONER else Grantee(kind, "Birch", "Birch")
    artefact = world.sharing(world.alice, "c1", world.terms(world.dan, grantee=grantee, labels=Labels.ALL))
    world.grant(world.alice, "Birch", "c1", artefact)
    everything = {"fna", "letter", "sealed letter"}
    assert known_to(world, patient_id) == (set() if kind is GranteeKind.PRACTITIONER else everything)
