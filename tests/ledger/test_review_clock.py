"""An envelope that nobody endorsed cannot bring a time of its own choice from the future (ATTACKS.md A5)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.blocks import envelope_content, transaction_content, verify_envelope
from ledger.contract.canonical import encode
from ledger.contract.limits import CLOCK_TOLERANCE
from ledger.gateway import EndorseError, Envelope
from ledger.signatures import signed_bytes
from tests.support.custody import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def unendorsed(world: World, at: int) -> Envelope:
    """Return a rightly signed suspension of mallory by herself."""
    network, signer = world.ledger.network_id, world.mallory.signer
    content = transaction_content(
        network, bytes(24), at, signer, "SuspendMember", encode({"subject": world.mallory.subject})
    )
    signature = signer.sign(signed_bytes("transaction", network, content))
    envelope = envelope_content(world.ledger.head.number, signature, content)
    return Envelope(verify_envelope(envelope, world.ledger.chain.genesis).transaction_id, envelope)


def test_what_was_never_endorsed_comes_from_no_future(world: World) -> None:
    with pytest.raises(EndorseError) as caught:
        world.ledger.submit(unendorsed(world, world.clock() + CLOCK_TOLERANCE + 1))
    assert (caught.value.code, caught.value.detail) == ("clock-skew", str(CLOCK_TOLERANCE + 1))


@pytest.mark.parametrize("offset", [CLOCK_TOLERANCE, -3600])
def test_what_is_sent_again_may_be_old(world: World, offset: int) -> None:
    height = world.ledger.head.number
    assert world.ledger.submit(unendorsed(world, world.clock() + offset)).block == height + 1
