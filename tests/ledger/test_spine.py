"""The embedded ledger, the replica and the offline verifier with the real contract."""

from pathlib import Path

from ledger.contract.transactions import REGISTRY
from ledger.replica import Replica
from tests.support.spine import Spine, create_real, record_everything


def test_every_transaction_is_recorded_and_recomputed(tmp_path: Path) -> None:
    with create_real(tmp_path / "l") as ledger:
        spine = Spine(ledger)
        record_everything(spine)
        assert spine.commits.keys() == REGISTRY.keys()
        assert ledger.verify() is None
        replica = Replica(ledger.chain)
        replica.follow(ledger)
        assert replica.halted is None
        assert list(replica.events()) == list(ledger.events())
        opened = spine.commits["RecordSuggestion"]
        assert opened.block < ledger.head.number
