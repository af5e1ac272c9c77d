"""The contract on a real channel: the same bytes as everywhere, refused in the same words, and hard to break."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import chaincode_event_pb2, proposal_pb2, proposal_response_pb2

from app.identity.certificates import Role
from app.network.identities import FileSigner
from app.network.plan import CHAINCODE
from ledger.chaincode.package import package_id
from ledger.chaincode.state import composite
from ledger.contract import canonical, execute, query
from ledger.contract.errors import ContractError
from ledger.contract.state import Key, StagedState
from ledger.fabric.proposals import signed_proposal
from tests.support import contract as arguments
from tests.support.certificates import Hospital
from tests.support.fabric import VALID, Person, RawPeer, RealNetwork, Reply
from tests.support.staged import Archived

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ledger.contract.transaction import Outcome

ALDER, BIRCH = "AlderMSP", "BirchMSP"


@dataclass
class Twin:
    """The channel and, beside it, the same contract over values in memory; every step is compared, byte by byte."""

    running: RealNetwork
    peers: dict[str, RawPeer]
    committed: dict[Key, bytes] = field(default_factory=dict)

    def submit(self, person: Person, name: str, given: Mapping[str, object]) -> str:
        """Record a transaction on both and return its id."""
        at = int(time.time())
        proposal, reply = self.peers[ALDER].ask(person, name, given, at)
        assert reply.status == 200, reply.message
        state = StagedState(Archived(self.committed))
        raw = canonical.encode(dict(given))
        outcome = execute(state, person.caller, proposal.transaction_id, at, name, raw)
        compare(reply.raw.payload, state, outcome)
        signed = signed_proposal(person, proposal)
        others = [peer.endorse(signed) for msp_id, peer in self.peers.items() if msp_id != ALDER]
        assert {each.raw.payload for each in others} == {reply.raw.payload}
        assert self.peers[ALDER].record(person, proposal, [reply, *others]) == VALID
        for peer in self.peers.values():
            assert peer.await_commit(person, proposal.transaction_id) == VALID
        self.committed |= state.writes
        return proposal.transaction_id

    def refused(self, person: Person, name: str, given: Mapping[str, object]) -> str:
        """Return the code with which both refuse a call."""
        raw = canonical.encode(dict(given))
        _, reply = self.peers[ALDER].ask(person, name, given)
        with pytest.raises(ContractError) as refusal:
            execute(StagedState(Archived(self.committed)), person.caller, "0" * 64, int(time.time()), name, raw)
        assert (reply.status, reply.code) == (403, refusal.value.code)
        return reply.code

    def asked(self, person: Person, name: str, given: Mapping[str, object]) -> bytes:
        """Return what both answer to a query."""
        _, reply = self.peers[BIRCH].ask(person, name, given)
        expected = query(Archived(self.committed), person.caller, int(time.time()), name, canonical.encode(dict(given)))
        assert reply.payload == expected
        return reply.payload


def compare(endorsed: bytes, state: StagedState, outcome: Outcome) -> None:
    """Compare what a peer signed with an execution here: reads, writes, response and event."""
    action = action_of(endorsed)
    own = writes_and_ranges(endorsed)
    assert sorted(read.key for read in own.reads) == sorted(map(composite, state.reads))
    assert {each.key: each.value for each in own.writes} == {
        composite(key): value for key, value in state.writes.items()
    }
    assert not own.range_queries_info
    assert not any(each.is_delete for each in own.writes)
    assert action.response.payload == outcome.response
    event = chaincode_event_pb2.ChaincodeEvent.FromString(action.events)
    assert (event.event_name, event.payload) == (outcome.event_name, outcome.event_payload)


def action_of(endorsed: bytes) -> Any:
    payload = proposal_response_pb2.ProposalResponsePayload.FromString(endorsed)
    return proposal_pb2.ChaincodeAction.FromString(payload.extension)


def writes_and_ranges(endorsed: bytes) -> Any:
    """Return the contract's read and write set of what a peer signed."""
    sets = rwset_pb2.TxReadWriteSet.FromString(action_of(endorsed).results).ns_rwset
    (own,) = (each.rwset for each in sets if each.namespace == CHAINCODE)
    return kv_rwset_pb2.KVRWSet.FromString(own)


@pytest.fixture(scope="module")
def twin(fabric: RealNetwork) -> Iterator[Twin]:
    """A channel with two registered hospitals, their people, and alice with two records and a consent."""
    with fabric.peer(ALDER) as alder, fabric.peer(BIRCH) as birch, fabric.peer("CedarMSP") as cedar:
        yield Twin(fabric, {ALDER: alder, BIRCH: birch, "CedarMSP": cedar})


@pytest.fixture(scope="module")
def story(twin: Twin) -> Twin:
    people = twin.running
    olga, oscar = people.issue(ALDER, Role.OPERATOR, "olga"), people.issue(BIRCH, Role.OPERATOR, "oscar")
    rita, vault = people.issue(ALDER, Role.REGISTRAR, "rita"), people.issue(ALDER, Role.CUSTODIAN, "vault")
    remy = people.issue(BIRCH, Role.REGISTRAR, "remy")
    carol, alice = people.issue(BIRCH, Role.PRACTITIONER, "carol"), people.issue(ALDER, Role.PATIENT, "alice")
    pid = alice.subject
    twin.submit(olga, "RegisterOrganization", arguments.organization("alder"))
    twin.submit(oscar, "RegisterOrganization", arguments.organization("birch"))
    for office in (rita, vault):
        twin.submit(olga, "EnrolMember", arguments.enrolment(office.caller))
    twin.submit(oscar, "EnrolMember", arguments.enrolment(remy.caller))
    twin.submit(remy, "EnrolMember", arguments.enrolment(carol.caller))
    twin.submit(rita, "RegisterPatient", arguments.patient(alice.caller, BIRCH))
    twin.submit(vault, "RegisterRecords", arguments.records(pid, "r1", "r2"))
    twin.submit(carol, "ProposeConsent", arguments.proposal(pid, "c1"))
    twin.submit(alice, "GrantConsent", arguments.signed(pid, "c1"))
    opened = twin.submit(carol, "OpenRecords", arguments.opening(pid, "r1"))
    head = {"number": 0, "hash": people.network.profile(ALDER).network_id}
    twin.submit(vault, "RecordReleases", {**arguments.releases((pid, opened)), "head": head})
    twin.submit(carol, "RecordPurge", arguments.purge(pid, [opened]))
    return twin


def named(twin: Twin, name: str) -> Person:
    return next(person for (_, known), person in twin.running.people.items() if known == name)


def test_values_responses_and_events_are_the_bytes_of_every_other_ledger(story: Twin) -> None:
    carol, pid = named(story, "carol"), named(story, "alice").subject
    assert b'"r1"' in story.asked(carol, "FindRecords", {"patient_id": pid})
    assert b'"active"' in story.asked(carol, "FindConsents", {"patient_id": pid})
    assert b'"permit"' in story.asked(carol, "FindAccesses", {"patient_id": pid, "after": "", "limit": 10})
    story.asked(carol, "PreviewDecision", arguments.opening(pid, "r2"))
    story.asked(carol, "ReadRegistry", {})


def test_refusals_carry_the_codes_of_every_other_ledger(story: Twin) -> None:
    carol, alice, olga = (named(story, name) for name in ("carol", "alice", "olga"))
    pid = alice.subject
    stranger = story.running.issue(BIRCH, Role.PRACTITIONER)
    assert story.refused(stranger, "OpenRecords", arguments.opening(pid, "r1")) == "not-enrolled"
    assert story.refused(carol, "GrantConsent", arguments.signed(pid, "c2")) == "wrong-organization"
    assert story.refused(olga, "RegisterOrganization", arguments.organization("alder")) == "already-exists"
    assert story.refused(carol, "OpenRecords", arguments.opening(pid, "r9")) == "unknown-record"
    assert story.refused(carol, "OpenRecords", {"x": 1}) == "malformed"
    assert story.refused(carol, "Nothing", {}) == "unknown-transaction"


@pytest.mark.parametrize(("offset", "accepted"), [(118, True), (-118, True), (123, False), (-123, False)])
def test_a_clock_that_is_wrong_is_refused(story: Twin, offset: int, accepted: bool) -> None:  # noqa: FBT001
    """Two seconds beside 119 and 121, because peer and test read the clock one after the other."""
    given = {**arguments.enrolment(story.running.issue(ALDER, Role.CUSTODIAN).caller)}
    _, reply = story.peers[ALDER].ask(named(story, "olga"), "EnrolMember", given, int(time.time()) + offset)
    assert (reply.status == 200) is accepted
    if not accepted:
        assert reply.code == "clock-skew"


def test_a_question_may_come_from_any_clock(story: Twin) -> None:
    _, reply = story.peers[ALDER].ask(named(story, "olga"), "ReadRegistry", {}, at=1)
    assert reply.status == 200


def test_an_organization_that_is_not_the_callers_is_refused_by_the_peer(story: Twin) -> None:
    mallory = replace(named(story, "carol"), msp_id=ALDER)
    with pytest.raises(grpc.RpcError, match="access denied"):
        story.peers[ALDER].ask(mallory, "ReadRegistry", {})


def test_a_certificate_of_no_authority_of_the_channel_is_refused_by_the_peer(story: Twin) -> None:
    with pytest.raises(grpc.RpcError, match="access denied"):
        story.peers[ALDER].ask(Hospital(ALDER).issue("mallory", "operator"), "ReadRegistry", {})


def test_an_administrator_of_the_network_is_nobody_to_the_contract(story: Twin) -> None:
    admin = FileSigner.read(ALDER, story.running.network.places.admin(ALDER))
    _, reply = story.peers[ALDER].ask(admin, "RegisterOrganization", arguments.organization("alder"))
    assert (reply.status, reply.code) == (403, "certificate")


def test_a_changed_signature_is_refused_by_the_peer(story: Twin) -> None:
    olga = named(story, "olga")
    proposal, _ = story.peers[ALDER].ask(olga, "ReadRegistry", {})
    signed = proposal_pb2.SignedProposal(proposal_bytes=proposal.content, signature=olga.sign(b"another"))
    with pytest.raises(grpc.RpcError, match="access denied"):
        story.peers[ALDER].endorse(signed)


@pytest.mark.parametrize("size", [(64 << 10) + 1, 15 << 20])
def test_arguments_that_are_too_large_are_refused_and_disturb_nobody(story: Twin, size: int) -> None:
    olga = named(story, "olga")
    _, reply = story.peers[ALDER].ask(olga, "ReadRegistry", b" " * size)
    assert (reply.status, reply.code) == (403, "limit")
    assert story.peers[ALDER].ask(olga, "ReadRegistry", {})[1].status == 200


def test_a_message_beyond_the_peers_bound_does_not_reach_the_chaincode(story: Twin) -> None:
    olga = named(story, "olga")
    with pytest.raises(grpc.RpcError) as refused:
        story.peers[ALDER].ask(olga, "ReadRegistry", b" " * (17 << 20))
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert story.peers[ALDER].ask(olga, "ReadRegistry", {})[1].status == 200


def test_many_calls_at_once_each_get_their_own_answer(story: Twin) -> None:
    olga = named(story, "olga")
    names = [person.subject for person in story.running.people.values() if person.msp_id == ALDER]

    def ask(number: int) -> tuple[str, Any]:
        subject = names[number % len(names)]
        return subject, story.peers[ALDER].ask(olga, "ReadMember", {"msp_id": ALDER, "subject": subject})[1]

    with ThreadPoolExecutor(50) as pool:
        replies: list[tuple[str, Reply]] = list(pool.map(ask, range(400)))
    for subject, reply in replies:
        if reply.status == 200:
            assert canonical.load(reply.payload)["subject"] == subject
        else:
            assert (reply.code, subject in reply.message) == ("unknown-member", True)
    assert sum(reply.status == 200 for _, reply in replies) > 100


def test_a_long_scan_comes_in_pages_and_in_order(story: Twin) -> None:
    carol, vault, pid = named(story, "carol"), named(story, "vault"), named(story, "alice").subject
    for batch in range(3):
        story.submit(vault, "RegisterRecords", arguments.records(pid, *(f"s{batch}{n:02}" for n in range(50))))
    found = canonical.load(story.asked(carol, "FindRecords", {"patient_id": pid}))["records"]
    assert isinstance(found, list)
    ids = [str(each["record_id"]) for each in found if isinstance(each, dict)]
    assert len(ids) == len(found) >= 152
    assert ids == sorted(ids)


def test_a_question_that_somebody_records_changes_nothing(story: Twin) -> None:
    """Fabric cannot tell who asks from who records, so a question may stand in a block, with the ranges it read."""
    carol, pid = named(story, "carol"), named(story, "alice").subject
    proposal, reply = story.peers[ALDER].ask(carol, "FindRecords", {"patient_id": pid})
    signed = signed_proposal(carol, proposal)
    other = story.peers[BIRCH].endorse(signed)
    own = writes_and_ranges(reply.raw.payload)
    assert (len(own.writes), len(own.range_queries_info)) == (0, 1)
    assert story.peers[ALDER].record(carol, proposal, [reply, other]) == VALID
    story.asked(carol, "FindRecords", {"patient_id": pid})


def test_no_log_of_any_node_holds_what_was_sent(story: Twin) -> None:
    network = story.running.network
    secrets = [named(story, "alice").subject, "custodian.alder.example.org", "badge_commitment"]
    for node in network.status():
        text = network.log(node.name).read_text(errors="replace")
        assert not any(secret in text for secret in secrets), node.name


def test_every_hospital_runs_the_same_package(fabric: RealNetwork) -> None:
    logs = [fabric.network.log(f"{each.name}-{CHAINCODE}").read_text() for each in fabric.network.plan.hospitals]
    assert all(package_id() in log for log in logs)
