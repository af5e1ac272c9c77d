"""Nobody reads a patient's own consent by naming it, and nobody speaks under another's request (ATTACKS.md A28)."""

import os
from dataclasses import replace

import pytest

from app.consent.artefact import Artefact, Signing, sharing
from app.consent.terms import Party
from app.custodian.messages import CustodianRefusal
from ledger.commitments import commitment
from tests.support.custody import Staff, World


def propose(world: World, who: Staff, patient_id: str, reason: str, salt: bytes) -> None:
    """Put a request on the ledger; what the patient reads is not stored yet."""
    base: dict[str, object] = {
        "type": "permit",
        "emergency": "holds",
        "valid_from": None,
        "valid_until": None,
        **{
            name: []
            for name in (
                "actors",
                "purposes",
                "actions",
                "classes",
                "codes",
                "period",
                "authors",
                "related",
                "records",
                "levels",
                "sensitivities",
            )
        },
    }
    arguments = {
        "patient_id": patient_id,
        "consent_id": "c2",
        "base": base,
        "nested": [],
        "retention_days": 0,
        "reason_commitment": commitment(salt, reason.encode()),
    }
    world.submit(who.signer, "ProposeConsent", arguments)


def test_a_request_under_her_own_consent_reads_nothing(world: World) -> None:
    """A colleague of the grantee names a consent that nobody asked for: its words stay hers and her custodian's."""
    patient_id = world.share(world.dan, world.alice)
    client, mallory = world.alder.client, world.mallory.signer
    with pytest.raises(CustodianRefusal, match="already-exists"):
        client.store_request(mallory, patient_id, "c1", text="{}", reason="", salt=os.urandom(32))
    assert client.explain(mallory, patient_id, ["c1"]).artefacts == {}
    assert client.explain(world.alice.signers["Birch"], patient_id, ["c1"]).artefacts.keys() == {"c1"}


def test_only_the_proposer_leaves_the_text_of_a_recorded_request(world: World) -> None:
    patient_id = world.share(world.dan, world.alice)
    client, salt = world.alder.client, os.urandom(32)
    propose(world, world.dan, patient_id, "second opinion", salt)
    for who, reason in ((world.mallory, "second opinion"), (world.dan, "something else")):
        with pytest.raises(CustodianRefusal, match="already-exists"):
            client.store_request(who.signer, patient_id, "c2", text="{}", reason=reason, salt=salt)
    client.store_request(world.dan.signer, patient_id, "c2", text="{}", reason="second opinion", salt=salt)
    assert client.read_request(world.alice.signers["Birch"], patient_id, "c2").subject == world.dan.subject


@pytest.mark.parametrize("status", ["proposed", "draft", "rejected", "inactive", "entered-in-error"])
def test_an_artefact_that_says_it_is_not_in_force_is_not_honoured(world: World, status: str) -> None:
    world.introduce(world.dan, world.alice)
    world.alder.unlock(world.alice, "Birch")
    signer, patient_id = world.alice.signers["Birch"], world.alice.pairs["Birch"].patient_id
    signing = Signing(Party(patient_id, "Alder", "Alder Hospital"), "c1", world.clock())

    def store(artefact: Artefact) -> None:
        world.alder.client.store_consent(signer, patient_id, "c1", artefact.to_bytes(), os.urandom(32))

    with pytest.raises(CustodianRefusal, match="artefact-mismatch"):
        store(sharing(world.terms(world.dan), replace(signing, status=status)))
    store(sharing(world.terms(world.dan), signing))
