"""What is remembered of a permission never outlives it: each end counts within the very second (E.1 FetchObject)."""

import pytest

from app.custodian.messages import CustodianRefusal
from app.custodian.standing import Standing
from tests.custodian.test_answers import fetch, names, opening
from tests.support.custody import Opened, World

__all__ = ["opening"]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("revoked", "denied"),
        ("over", "expired"),
        ("stopped", "stopped-by-patient"),
        ("erased", "forbidden"),
        ("other person", "forbidden"),
    ],
)
def test_what_was_permitted_a_moment_ago_ends_at_once(world: World, opening: Opened, end: str, code: str) -> None:
    world.release(opening)
    name = names(world, "fna")[0]
    assert fetch(world, opening, name)
    signer, patient_id = world.alice.signers["Birch"], opening.access.patient_id
    if end == "revoked":
        world.submit(signer, "RevokeConsent", {"patient_id": patient_id, "consent_id": "c1"})
    elif end == "over":
        world.clock.now = int(str(opening.access.value["until"]))
    elif end == "stopped":
        world.alder.client.suspend(signer, patient_id)
    elif end == "erased":
        world.alder.desk.journal.forget_replies([opening.access.access_id])
    with pytest.raises(CustodianRefusal) as caught:
        fetch(world, opening, name, world.mallory if end == "other person" else None)
    assert caught.value.code == code


def test_within_one_second_and_head_it_is_decided_once(
    world: World, opening: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.release(opening)
    decided: list[int] = []
    real = Standing.sizes

    def counted(self: Standing, moment: object, decide: object) -> object:
        def noted() -> object:
            decided.append(world.clock.now)
            return decide()  # type: ignore[operator]

        return real(self, moment, noted)  # type: ignore[arg-type]

    monkeypatch.setattr(Standing, "sizes", counted)
    every = names(world, "fna")
    for name in (*every, *every):
        fetch(world, opening, name)
    assert len(decided) == 1
    world.clock.now += 1
    fetch(world, opening, every[0])
    assert len(decided) == 2
