"""A suggestion is about a record that might be read; a permitted list is none (PROTOCOL.md C2, A21)."""

from tests.support.contract import ALICE, CAROL, inference, opened, signed, suggestion, terms
from tests.support.refusals import refused
from tests.support.staged import Staged


def test_a_permitted_list_allows_no_suggestion(lab: Staged) -> None:
    """The index is a wide gate: it is permitted although no record of hers may be read by a model."""
    narrow = terms(purposes=["TREATDS"], classes=["z" * 16])
    lab.submit(ALICE, "GrantConsent", signed("alice", "c1", narrow))
    record = opened(lab, CAROL, inference("alice", "r1"))
    listed = opened(lab, CAROL, {**inference("alice", "r1"), "kind": "index", "items": []})
    assert (record.outcome, listed.outcome) == ("deny", "permit")
    with refused("forbidden"):
        lab.submit(CAROL, "RecordSuggestion", suggestion("alice", listed.access_id, "s1"))
