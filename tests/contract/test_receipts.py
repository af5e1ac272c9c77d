"""Release and purge receipts (PROTOCOL.md C2; A10, A12, A52)."""

import pytest

from ledger.contract.caller import Caller
from tests.support.contract import (
    ALICE,
    BIRCH_VAULT,
    BOB,
    CAROL,
    DAN,
    MALLORY,
    PETRA,
    PIA,
    RITA,
    VAULT,
    appoint,
    digest,
    opened,
    opening,
    purge,
    releases,
    signed,
)
from tests.support.refusals import refused
from tests.support.staged import NOW, Staged


@pytest.fixture
def consented(ledger: Staged) -> Staged:
    for who in (ALICE, BOB):
        ledger.submit(who, "GrantConsent", signed(who.subject, "c1"))
    return ledger


def test_a_release_is_the_hash_of_the_signed_reply(consented: Staged) -> None:
    first = opened(consented, CAROL, opening("alice", "r1")).access_id
    second = opened(consented, MALLORY, opening("bob", "r1")).access_id
    consented.submit(VAULT, "RecordReleases", releases(("alice", first), ("bob", second)))
    assert consented.value("release", "alice", first) == {"v": 1, "receipt": digest(f"reply to {first}"), "at": NOW}
    assert ("release", "bob", second) in consented.committed


def test_a_release_is_recorded_once(consented: Staged) -> None:
    access = opened(consented, CAROL, opening("alice", "r1")).access_id
    consented.submit(VAULT, "RecordReleases", releases(("alice", access)))
    with refused("already-exists"):
        consented.submit(VAULT, "RecordReleases", releases(("alice", access)))


def test_an_access_twice_in_one_batch_is_malformed(consented: Staged) -> None:
    access = opened(consented, CAROL, opening("alice", "r1")).access_id
    with refused("malformed"):
        consented.submit(VAULT, "RecordReleases", releases(("alice", access), ("alice", access)))


def test_nothing_is_released_without_an_entry(consented: Staged) -> None:
    with refused("unknown-access"):
        consented.submit(VAULT, "RecordReleases", releases(("alice", digest("no entry"))))


def test_nothing_is_released_for_an_entry_that_permits_nothing(ledger: Staged) -> None:
    access = opened(ledger, CAROL, opening("alice", "r1")).access_id
    with refused("forbidden"):
        ledger.submit(VAULT, "RecordReleases", releases(("alice", access)))


def test_the_grantees_custodian_releases_nothing(consented: Staged) -> None:
    access = opened(consented, MALLORY, opening("bob", "r1")).access_id
    with refused("wrong-organization"):
        consented.submit(BIRCH_VAULT, "RecordReleases", releases(("bob", access)))


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_holds_one_to_a_hundred_receipts(consented: Staged, count: int) -> None:
    with refused("malformed"):
        consented.submit(
            VAULT, "RecordReleases", releases(*(("alice", digest(str(number))) for number in range(count)))
        )


@pytest.mark.parametrize("changed", [{"head": {"number": 1}}, {"journal": {"sequence": -1, "hash": digest("x")}}])
def test_the_heads_have_their_form(consented: Staged, changed: dict[str, object]) -> None:
    access = opened(consented, CAROL, opening("alice", "r1")).access_id
    with refused("malformed"):
        consented.submit(VAULT, "RecordReleases", {**releases(("alice", access)), **changed})


def test_whoever_opened_states_that_the_copies_are_gone(consented: Staged) -> None:
    accesses = [opened(consented, CAROL, opening("alice", "r1")).access_id for _ in range(2)]
    consented.submit(CAROL, "RecordPurge", purge("alice", accesses))
    stated = consented.value("purge", "alice", accesses[1])
    assert stated == {
        "v": 1,
        "receipt": digest("what was deleted"),
        "by": {"msp_id": "alder", "subject": "carol"},
        "at": NOW,
    }


def test_the_patient_states_it_for_her_own_accesses(consented: Staged) -> None:
    access = opened(consented, ALICE, opening("alice", "r1", purpose="PATRQT")).access_id
    consented.submit(ALICE, "RecordPurge", purge("alice", [access]))
    assert ("purge", "alice", access) in consented.committed


def test_a_proxy_states_it_for_his_own_accesses_only(consented: Staged) -> None:
    appoint(consented, PETRA, "alice", until=NOW + 100)
    own = opened(consented, PETRA, opening("alice", "r1", purpose="FAMRQT")).access_id
    hers = opened(consented, ALICE, opening("alice", "r1", purpose="PATRQT")).access_id
    consented.submit(PETRA, "RecordPurge", purge("alice", [own]))
    with refused("forbidden"):
        consented.submit(PETRA, "RecordPurge", purge("alice", [hers]))


def test_the_custodian_of_the_grantee_states_it_for_its_people(consented: Staged) -> None:
    access = opened(consented, MALLORY, opening("bob", "r1")).access_id
    consented.submit(BIRCH_VAULT, "RecordPurge", purge("bob", [access]))
    assert ("purge", "bob", access) in consented.committed


def test_the_custodian_of_the_records_does_not_state_it_for_them(consented: Staged) -> None:
    access = opened(consented, MALLORY, opening("bob", "r1")).access_id
    with refused("wrong-organization"):
        consented.submit(VAULT, "RecordPurge", purge("bob", [access]))


def test_the_grantees_custodian_does_not_state_it_for_the_patient(consented: Staged) -> None:
    access = opened(consented, BOB, opening("bob", "r1", purpose="PATRQT")).access_id
    with refused("forbidden"):
        consented.submit(BIRCH_VAULT, "RecordPurge", purge("bob", [access]))


def test_nobody_states_it_for_a_colleague(consented: Staged) -> None:
    access = opened(consented, CAROL, opening("alice", "r1")).access_id
    with refused("forbidden"):
        consented.submit(DAN, "RecordPurge", purge("alice", [access]))


@pytest.mark.parametrize("caller", [RITA, PIA], ids=lambda caller: caller.role)
def test_no_office_states_it(consented: Staged, caller: Caller) -> None:
    access = opened(consented, CAROL, opening("alice", "r1")).access_id
    with refused("forbidden"):
        consented.submit(caller, "RecordPurge", purge("alice", [access]))


def test_a_purge_is_stated_once(consented: Staged) -> None:
    access = opened(consented, CAROL, opening("alice", "r1")).access_id
    consented.submit(CAROL, "RecordPurge", purge("alice", [access]))
    with refused("already-exists"):
        consented.submit(CAROL, "RecordPurge", purge("alice", [access]))


def test_what_was_never_opened_is_not_purged(consented: Staged) -> None:
    with refused("unknown-access"):
        consented.submit(CAROL, "RecordPurge", purge("alice", [digest("no entry")]))


@pytest.mark.parametrize("ids", [[], [digest("a")] * 2, [digest(str(number)) for number in range(33)]], ids=len)
def test_a_purge_is_about_one_to_thirty_two_accesses(consented: Staged, ids: list[str]) -> None:
    with refused("malformed"):
        consented.submit(CAROL, "RecordPurge", purge("alice", ids))
