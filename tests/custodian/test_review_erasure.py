"""A crash in the middle of an erasure leaves nothing that opens, and nothing that the ledger never hears of (A23)."""

import pytest

from app.custodian import erasure
from app.custodian.keytable import KeyTable
from tests.support.custody import World, document


class CrashError(Exception):
    """The process ends here."""


@pytest.fixture
def patient_id(world: World) -> str:
    world.alder.import_documents(world.alice, document("fna"))
    return world.share(world.dan, world.alice)


def crash(*_: object) -> None:
    raise CrashError


def status(world: World, *key: str) -> str:
    found = world.alder.desk.find(*key)
    assert found is not None
    return str(found["status"])


def restart(world: World) -> None:
    world.alder.close()
    world.alder.start()
    world.alder.custodian.tick(force=True)


def test_a_person_destroyed_and_not_posted_is_posted_after_the_restart(
    world: World, patient_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "post_owed", crash)
        with pytest.raises(CrashError):
            world.alder.client.erase_person(world.alder.staff["registrar"].signer, world.alice.person_id)
    restart(world)
    assert {status(world, "patient", each) for each in (patient_id, world.alice.patient_id)} == {"erased"}
    assert world.alder.desk.index.owed() == []


def test_a_record_destroyed_and_not_posted_is_posted_after_the_restart(
    world: World, patient_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = world.alder.desk.index.shared_of(patient_id)[0]
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "post_owed", crash)
        with pytest.raises(CrashError):
            world.alder.client.erase_record(world.alder.staff["registrar"].signer, patient_id, shared.record_id)
    restart(world)
    assert status(world, "record", patient_id, shared.record_id) == "erased"


def test_what_was_only_promised_is_not_posted_and_can_be_done_again(
    world: World, patient_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger must not say that a key is gone while it is there; the certificate that counts is the last one."""
    rita = world.alder.staff["registrar"].signer
    shared = world.alder.desk.index.shared_of(patient_id)[0]
    with monkeypatch.context() as patched:
        patched.setattr(KeyTable, "destroy_record", crash)
        with pytest.raises(CrashError):
            world.alder.client.erase_record(rita, patient_id, shared.record_id)
    restart(world)
    assert status(world, "record", patient_id, shared.record_id) == "active"
    world.clock.now += 60
    done = world.alder.client.erase_record(rita, patient_id, shared.record_id)
    assert done.destroyed_at == world.clock()
    assert len(done.transaction_ids) == 2
    assert status(world, "record", patient_id, shared.record_id) == "erased"
    assert world.alder.desk.index.owed() == []
