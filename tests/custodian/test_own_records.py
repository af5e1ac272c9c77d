"""The patient opens her own record at her own hospital, and real files come in by the reader's child."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.custodian.custodian import Custodian
from app.custodian.messages import CustodianRefusal
from app.custodian.results import ImportFile
from app.records.importing import Importer
from app.records.reader import ReaderProcess
from app.records.sealing import open_manifest, open_object
from tests.support.custody import Opened, Staff, World, document


def own(world: World, *record_ids: str) -> Opened:
    """Commit an access of alice herself to the hospital's own pair."""
    herself = Staff(world.alice.signers["Alder"], world.carol.badge)
    return world.open(herself, world.alice.patient_id, *record_ids, purpose="PATRQT")


def test_the_patient_lists_and_opens_her_own_records_without_a_consent(world: World) -> None:
    file = document("fna", level="R", sensitivities=("PSY",))
    world.alder.import_documents(world.alice, file)
    listed = world.release(own(world), badge=None)
    assert [row.display for row in listed.rows] == ["fna"]
    opening = own(world, listed.rows[0].record_id)
    item = world.release(opening, badge=None).items[0]

    def fetched(name: str) -> bytes:
        signer = world.alice.signers["Alder"]
        return world.alder.client.fetch_object(signer, world.alice.patient_id, opening.access.access_id, name)

    manifest = open_manifest(
        item.identity,
        fetched(item.manifest_name),
        name=item.manifest_name,
        salt=item.manifest_salt,
        committed=item.commitment,
        version=item.version,
    )
    name = manifest.objects[0].name
    assert open_object(item.identity, name, fetched(name), manifest) == file.content


def test_her_own_openings_are_in_the_statement_and_need_no_notice(world: World) -> None:
    world.release(own(world), badge=None)
    world.alder.custodian.tick()
    signer = world.alice.signers["Alder"]
    entries = world.alder.client.statement(signer, world.alice.patient_id).entries
    assert [(each.kind, each.by) for each in entries] == [("index", world.alice.patient_id)]
    told = world.alder.client.notices(signer, world.alice.patient_id, world.mailbox(world.alice, "Alder"))
    assert "opened" not in {each.kind for each in told}


def test_nobody_else_opens_as_the_patient(world: World) -> None:
    opening = own(world)
    with pytest.raises(CustodianRefusal, match="forbidden"):
        world.release(opening, signer=world.carol.signer)


def test_a_reply_that_was_erased_is_not_made_again(world: World) -> None:
    world.alder.import_documents(world.alice, document("fna"), document("letter", category="document"))
    listing = own(world)
    rows = world.release(listing, badge=None).rows
    rita = world.alder.staff["registrar"].signer
    world.alder.client.erase_record(rita, world.alice.patient_id, rows[0].record_id)
    with pytest.raises(CustodianRefusal, match="entry-too-old"):
        world.release(listing, badge=None)


def test_a_real_bundle_is_split_and_a_broken_file_refused(world: World) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1980-02-29"}},
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": "o1",
                    "status": "final",
                    "category": [{"coding": [{"code": "laboratory"}]}],
                    "code": {"text": "Haemoglobin"},
                    "effectiveDateTime": "2026-03-01",
                }
            },
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": "o2",
                    "status": "final",
                    "category": [{"coding": [{"code": "laboratory"}]}],
                    "code": {"text": "Haemoglobin"},
                    "effectiveDateTime": "2026-04-01",
                }
            },
        ],
    }
    files = [ImportFile("chart.json", json.dumps(bundle).encode()), ImportFile("broken.pdf", b"%PDF-1.7 and no more")]
    with ReaderProcess() as reader:
        custodian = Custodian(replace(world.alder.desk, importer=Importer(reader)))
        world.alder.client._transport = custodian.handle
        good, bad = world.alder.client.import_files(world.carol.signer, world.alice.person_id, files)
    assert (good.accepted, good.kind, len(good.record_ids)) == (True, "fhir", 2)
    assert (bad.accepted, bad.record_ids) == (False, ())
    assert bad.reason
    held = world.alder.desk.index.records_of(world.alice.person_id)
    assert sorted(each.date for each in held) == ["2026-03-01", "2026-04-01"]
    for path in Path(world.alder.folder).rglob("*"):
        if path.is_file():
            assert b"Haemoglobin" not in path.read_bytes()
