"""The device of an access is the one thing in it that an argument says; the custodian looks again (DECISION.md 4)."""

import pytest

from app.consent.tags import TagKind
from app.consent.terms import Category
from app.custodian.messages import CustodianRefusal
from tests.support.custody import Opened, World, document

MODEL = "m1"


def vote(world: World, cast: str) -> None:
    for who in (world.carol, world.dan):
        world.submit(who.signer, "VoteModel", {"model_id": MODEL, "vote": cast})


@pytest.fixture
def patient_id(world: World) -> str:
    """Alice lets dan use models on her cytology; one model is approved."""
    world.submit(world.carol.signer, "RegisterModel", {"model_id": MODEL, "model_hash": "0" * 64})
    vote(world, "approve")
    world.alder.import_documents(world.alice, document("fna"))
    return world.share(world.dan, world.alice, ai_inference=True, categories=frozenset({Category.CYTOLOGY}))


def inference(world: World, patient_id: str, device: str) -> Opened:
    record_id = world.list(world.dan, patient_id).rows[0].record_id
    return world.open(world.dan, patient_id, record_id, purpose="TREATDS", action="use", device=device)


def device_tag(world: World, patient_id: str) -> str:
    return world.alder.desk.tag(patient_id)(TagKind.DEVICE, f"Device/{MODEL}")


def test_an_approved_model_gets_the_record(world: World, patient_id: str) -> None:
    assert len(world.release(inference(world, patient_id, device_tag(world, patient_id))).items) == 1


@pytest.mark.parametrize("device", ["a" * 16, ""])
def test_a_tag_of_no_model_gets_no_key(world: World, patient_id: str, device: str) -> None:
    """``""`` stands for a model that was never registered."""
    made_up = device or world.alder.desk.tag(patient_id)(TagKind.DEVICE, "Device/unknown")
    with pytest.raises(CustodianRefusal, match="denied: ACTOR_NOT_COVERED"):
        world.release(inference(world, patient_id, made_up))


def test_a_suspended_model_gets_no_key_and_no_bytes(world: World, patient_id: str) -> None:
    """Approved when it was decided, suspended before the key went out, and again before the bytes."""
    waiting = inference(world, patient_id, device_tag(world, patient_id))
    held = inference(world, patient_id, device_tag(world, patient_id))
    name = world.release(held).items[0].manifest_name
    client = world.alder.client
    assert client.fetch_object(world.dan.signer, patient_id, held.access.access_id, name)
    world.submit(world.dan.signer, "VoteModel", {"model_id": MODEL, "vote": "suspend"})
    with pytest.raises(CustodianRefusal, match="denied: ACTOR_NOT_COVERED"):
        world.release(waiting)
    with pytest.raises(CustodianRefusal, match="denied: ACTOR_NOT_COVERED"):
        client.fetch_object(world.dan.signer, patient_id, held.access.access_id, name)
