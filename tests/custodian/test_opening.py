"""The main path: import, introduction, consent, list, opening, objects."""

import hashlib

from app.records.sealing import open_manifest, open_object
from tests.support.custody import World, document


def test_a_shared_record_opens_and_says_what_was_imported(world: World) -> None:
    file = document("fna")
    world.alder.import_documents(world.alice, file)
    patient_id = world.share(world.dan, world.alice)

    listed = world.list(world.dan, patient_id)
    assert [(row.display, row.category, row.date) for row in listed.rows] == [("fna", "cytology", "2026-06-15")]
    opened = world.open(world.dan, patient_id, listed.rows[0].record_id)
    released = world.release(opened)

    item = released.items[0]
    sealed = world.alder.client.fetch_object(world.dan.signer, patient_id, opened.access.access_id, item.manifest_name)
    manifest = open_manifest(
        item.identity,
        sealed,
        name=item.manifest_name,
        salt=item.manifest_salt,
        committed=item.commitment,
        version=item.version,
    )
    assert hashlib.sha256(manifest.to_bytes()).hexdigest() == item.manifest_digest
    name = manifest.objects[0].name
    content = world.alder.client.fetch_object(world.dan.signer, patient_id, opened.access.access_id, name)
    assert open_object(item.identity, name, content, manifest) == file.content
