"""What the custodian does when the ledger refuses, hesitates or conflicts (ATTACKS.md A41)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.custodian.desk import ATTEMPTS, Desk
from app.custodian.messages import CustodianRefusal
from app.identity.certificates import new_subject
from ledger.gateway import (
    Commit,
    CommitError,
    CommitStatusError,
    EndorseError,
    Envelope,
    SubmitError,
)
from tests.support.custody import World


class Unsteady:
    """A gateway whose ``submit`` first fails as told."""

    def __init__(self, world: World, *failures: Exception) -> None:
        self._ledger = world.ledger
        self._failures = list(failures)
        self.sent: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def submit(self, envelope: Envelope) -> Commit:
        self.sent.append(envelope.transaction_id)
        if self._failures:
            raise self._failures.pop(0)
        return self._ledger.submit(envelope)


def registering(world: World, *failures: Exception) -> tuple[Unsteady, Callable[[], Commit]]:
    gateway = Unsteady(world, *failures)
    desk: Desk = replace(world.alder.desk, gateway=gateway)
    arguments = {"patient_id": new_subject(), "grantee": "Alder", "key_hash": "", "custody": "none"}
    return gateway, lambda: desk.submit("RegisterPatient", arguments)


def test_an_unknown_outcome_is_settled_with_the_same_envelope(world: World) -> None:
    gateway, submit = registering(world, SubmitError("lost"), CommitStatusError("no answer"))
    assert submit().transaction_id == gateway.sent[0]
    assert len(set(gateway.sent)) == 1


def test_a_conflict_is_proposed_anew(world: World) -> None:
    gateway, submit = registering(world, CommitError("stale-read"))
    submit()
    assert len(set(gateway.sent)) == 2


@pytest.mark.parametrize("failure", [SubmitError, CommitStatusError, CommitError])
def test_it_gives_up_and_says_that_nothing_is_known(world: World, failure: type[Exception]) -> None:
    _, submit = registering(world, *[failure("no") for _ in range(ATTEMPTS**2)])
    with pytest.raises(CustodianRefusal, match="not-yet-committed"):
        submit()


@pytest.mark.parametrize(
    ("code", "expected"), [("already-exists", "already-exists"), ("endorsement-mismatch", "refused")]
)
def test_a_refusal_keeps_the_contracts_code(world: World, code: str, expected: str) -> None:
    _, submit = registering(world, EndorseError(code))
    with pytest.raises(CustodianRefusal) as caught:
        submit()
    assert caught.value.code == expected


def test_what_the_replica_has_not_verified_does_not_count(world: World) -> None:
    """The commit is believed only when the block was: a halted replica shows nothing new."""
    assert not world.alder.replica.feed(b"no block")
    gateway, submit = registering(world)
    commit = submit()
    assert gateway.sent == [commit.transaction_id]
    assert world.alder.replica.height < world.ledger.head.number + 1


def test_an_erased_tag_key_ends_all_tagging(world: World) -> None:
    desk = world.alder.desk
    desk.keys.destroy_patient(world.alice.patient_id)
    with pytest.raises(CustodianRefusal, match="unknown-patient"):
        desk.tag(world.alice.patient_id)
