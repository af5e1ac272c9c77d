"""A long list is an answer like any other, and what it names can still be erased (ATTACKS.md A23, A36)."""

from app.custodian.messages import MESSAGE_MAX
from tests.support.custody import World, document

LINE = "x" * 4000
FILES = 110
BATCHES = 2


def test_a_list_longer_than_a_request_may_be_is_read_and_its_person_erased(world: World) -> None:
    for batch in range(BATCHES):
        world.alder.import_documents(world.alice, *(document(f"{batch}-{each}{LINE}") for each in range(FILES)))
    world.grant(world.alice, "Alder", "c1", world.sharing(world.alice, "c1", world.terms(world.carol)))
    listed = world.list(world.carol, world.alice.patient_id)
    assert len(listed.reply) > MESSAGE_MAX
    assert len(listed.rows) == BATCHES * FILES
    world.alder.client.erase_person(world.alder.staff["registrar"].signer, world.alice.person_id)
    stored = world.alder.desk.journal.find_reply(listed.access_id)
    assert stored is not None
    assert stored.reply == b""
