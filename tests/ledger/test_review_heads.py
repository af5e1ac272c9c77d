"""Only an entry that took effect can say that there are two versions of the ledger (ATTACKS.md A10)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.blocks import envelope_content, transaction_content, verify_envelope
from ledger.contract.canonical import encode
from ledger.gateway import CommitError, Envelope
from ledger.replica import Replica
from ledger.signatures import signed_bytes
from tests.support.custody import Staff, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def smuggled(world: World, who: Staff) -> Envelope:
    """Return releases with a false head, as if endorsed before its signer was enrolled: stale, so recorded unjudged."""
    network = world.ledger.network_id
    arguments = {
        "items": [{"patient_id": "p", "access_id": "a", "receipt": "0" * 64}],
        "head": {"number": 1, "hash": "0" * 64},
        "journal": {"sequence": 0, "hash": "0" * 64},
    }
    content = transaction_content(network, bytes(24), world.clock(), who.signer, "RecordReleases", encode(arguments))
    signature = who.signer.sign(signed_bytes("transaction", network, content))
    envelope = envelope_content(0, signature, content)
    return Envelope(verify_envelope(envelope, world.ledger.chain.genesis).transaction_id, envelope)


def test_a_stale_entry_of_anybody_halts_no_replica(world: World) -> None:
    with pytest.raises(CommitError, match="stale-read"):
        world.ledger.submit(smuggled(world, world.mallory))
    replica = Replica(world.ledger.chain)
    replica.follow(world.ledger)
    assert replica.halted is None
    assert replica.height == world.ledger.head.number + 1
