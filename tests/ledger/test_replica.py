"""The replica believes blocks and rules only: every way to lie to it halts it (ATTACKS.md A1 to A4, A10, A45)."""

import copy
import dataclasses
import hashlib
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.blocks import EmbeddedChain, Head, block_content, envelopes_of, header_of
from ledger.contract import canonical
from ledger.contract.caller import Caller
from ledger.contract.state import WorldState
from ledger.embedded import EmbeddedLedger
from ledger.faults import Fault, LedgerFaultError
from ledger.gateway import CommitError
from ledger.genesis import genesis_block, genesis_content
from ledger.replica import CommittedAccess, Replica, ReplicaHaltedError
from ledger.signatures import SoftwareKey, signed_bytes
from tests.support.certificates import NOW, Hospital, private_key_of
from tests.support.ledger import (
    ALDER,
    BIRCH,
    CAROL,
    LEDGER_KEY,
    MALLORY,
    CounterOutcome,
    Counters,
    count,
    create_ledger,
    forged_block,
    signed_envelope,
)

CONTENT = genesis_content({"Alder": ALDER.roots, "Birch": BIRCH.roots}, LEDGER_KEY.public_key, NOW, bytes(24))
NETWORK = hashlib.sha256(CONTENT).hexdigest()
GENESIS = genesis_block(CONTENT, LEDGER_KEY.sign(signed_bytes("genesis", NETWORK, CONTENT)))
START = Head(0, NETWORK, NOW)


def replica() -> Replica:
    return Replica(EmbeddedChain.of(GENESIS, NETWORK), Counters())


def envelope(nonce: int = 0, **changed: object) -> bytes:
    return signed_envelope(NETWORK, nonce, **changed)  # type: ignore[arg-type]


def halted(block: bytes, reason: Fault, entry: int | None = None, *, after: Replica | None = None) -> Replica:
    """Feed ``block`` and expect the alarm; nothing of the block may have been taken."""
    follower = after or replica()
    before = dict(follower.everything()), follower.head, list(follower.events())
    assert not follower.feed(block)
    alarm = follower.halted
    assert alarm is not None
    assert (alarm.reason, alarm.entry, alarm.block) == (reason, entry, follower.height)
    assert (dict(follower.everything()), follower.head, list(follower.events())) == before
    good, _ = forged_block(follower.head, [envelope(99)], NETWORK)
    assert not follower.feed(good)
    with pytest.raises(ReplicaHaltedError, match=str(reason)):
        follower.committed_access("a", "b")
    return follower


class Source:
    """A peer that serves what it likes."""

    def __init__(self, *blocks: bytes) -> None:
        self._blocks = blocks

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        yield from self._blocks[start:]


# What is right


def test_it_follows_a_ledger_and_knows_its_state(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        follower = Replica(ledger.chain, Counters())
        assert (follower.height, follower.head_hash, follower.block_time) == (1, ledger.network_id, NOW)
        count(ledger, "b")
        count(ledger)
        follower.follow(ledger)
        assert follower.halted is None
        assert follower.network_id == ledger.network_id
        assert follower.height == 3
        assert follower.head == ledger.head
        assert follower.block_hash(2) == follower.head_hash
        assert follower.get(("counter", "a")) == canonical.encode({"by": CAROL.subject, "count": 1})
        assert follower.get(("counter", "z")) is None
        assert [key for key, _ in follower.scan(("counter",))] == [("counter", "a"), ("counter", "b")]
        assert [key for key, _ in follower.scan(("counter", "b"))] == [("counter", "b")]
        assert list(follower.scan(("counter", "z"))) == []
        follower.follow(ledger)
        assert follower.height == 3


def test_stale_entries_take_no_effect(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        first, second = (ledger.prepare(CAROL, "Count", {"name": "a"}) for _ in range(2))
        ledger.submit(first)
        with pytest.raises(CommitError):
            ledger.submit(second)
        count(ledger)
        follower = Replica(ledger.chain, Counters())
        follower.follow(ledger)
        assert follower.halted is None
        assert [event.payload["count"] for event in follower.events()] == [1, 2]


def test_events_resume_after_their_checkpoint(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        for _ in range(4):
            count(ledger)
        ledger.submit(ledger.prepare(CAROL, "Look", {"name": "a"}))
        follower = Replica(ledger.chain, Counters())
        follower.follow(ledger)
        events = list(follower.events())
        assert events == list(ledger.events())
        assert len(events) == 4
        for number, event in enumerate(events):
            assert list(follower.events(event.block, event.transaction_id)) == events[number + 1 :]
        assert list(follower.events(3)) == events[2:]


def test_there_is_no_hash_of_a_block_that_is_not_there() -> None:
    for number in (-1, 1):
        with pytest.raises(IndexError):
            replica().block_hash(number)


# Committed accesses


def test_an_access_is_committed_when_verified_blocks_hold_it(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        follower = Replica(ledger.chain, Counters())
        count(ledger)
        commit = ledger.submit(ledger.prepare(CAROL, "Access", {"name": "p1"}))
        assert follower.committed_access("p1", commit.transaction_id) is None
        follower.follow(ledger)
        access = follower.committed_access("p1", commit.transaction_id)
        assert access is not None
        assert access.value == {"by": CAROL.subject, "at": NOW}
        assert (access.patient_id, access.access_id, access.block) == ("p1", commit.transaction_id, 2)
        assert access.block_hash == ledger.head.hash
        assert follower.committed_access("p2", commit.transaction_id) is None


def test_nobody_else_makes_a_committed_access(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        commit = ledger.submit(ledger.prepare(CAROL, "Access", {"name": "p1"}))
        follower = Replica(ledger.chain, Counters())
        follower.follow(ledger)
        access = follower.committed_access("p1", commit.transaction_id)
    assert access is not None
    with pytest.raises(TypeError):
        CommittedAccess("p1", commit.transaction_id, b"{}", 1, "0" * 64)
    with pytest.raises(TypeError):
        CommittedAccess("p1", commit.transaction_id, b"{}", 1, "0" * 64, object())
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(access, content=b"{}")
    for travel in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            travel(access)
    with pytest.raises(dataclasses.FrozenInstanceError):
        access.content = b"{}"  # type: ignore[misc]


# Genesis


def test_the_genesis_must_be_the_expected_one() -> None:
    with pytest.raises(LedgerFaultError, match="another ledger"):
        EmbeddedChain.of(GENESIS, "0" * 64)


MALFORMED_GENESIS = {
    "nothing": b"",
    "no object": b"[]",
    "no signature": b'{"genesis":%b}' % CONTENT,
    "a number for text": b'{"genesis":%b,"signature":1}' % CONTENT,
    "no base64": b'{"genesis":%b,"signature":"!"}' % CONTENT,
    "an unsigned change": GENESIS.replace(b'"at":18', b'"at":19'),
    "a list of numbers": genesis_block(b'{"organizations":[1]}', b""),
    "mallory's signature": genesis_block(
        CONTENT, SoftwareKey(private_key_of("mallory")).sign(signed_bytes("genesis", NETWORK, CONTENT))
    ),
}


@pytest.mark.parametrize("content", MALFORMED_GENESIS.values(), ids=MALFORMED_GENESIS.keys())
def test_other_genesis_blocks_are_refused(content: bytes) -> None:
    with pytest.raises(LedgerFaultError) as error:
        EmbeddedChain.of(content, NETWORK)
    assert error.value.fault is Fault.GENESIS


def test_a_signed_genesis_with_more_than_its_form_is_refused() -> None:
    content = CONTENT.replace(b'{"at"', b'{"admin":"x","at"')
    network_id = hashlib.sha256(content).hexdigest()
    block = genesis_block(content, LEDGER_KEY.sign(signed_bytes("genesis", network_id, content)))
    with pytest.raises(LedgerFaultError, match="one form"):
        EmbeddedChain.of(block, network_id)


# Blocks


def test_a_block_that_is_missing_halts() -> None:
    one, head = forged_block(START, [envelope()], NETWORK)
    two, _ = forged_block(head, [envelope(1, height=1)], NETWORK)
    halted(two, Fault.NUMBER)
    follower = replica()
    assert follower.feed(one)
    halted(one, Fault.NUMBER, after=follower)


def test_a_block_of_another_chain_halts() -> None:
    halted(forged_block(Head(0, "0" * 64, NOW), [envelope()], NETWORK)[0], Fault.PREVIOUS)


def test_a_block_older_than_the_one_before_halts() -> None:
    halted(forged_block(START, [envelope()], NETWORK, at=NOW - 1)[0], Fault.TIME)


def test_a_block_of_another_key_or_network_halts() -> None:
    mallory = SoftwareKey(private_key_of("mallory"))
    halted(forged_block(START, [envelope()], NETWORK, key=mallory)[0], Fault.BLOCK_SIGNATURE)
    halted(forged_block(START, [envelope()], "0" * 64)[0], Fault.BLOCK_SIGNATURE)


def test_a_block_whose_signature_is_spelled_otherwise_halts() -> None:
    block, _ = forged_block(START, [envelope()], NETWORK)
    first, rest = block.split(b"\n", 1)
    spelled = re.sub(rb'"signature":"[^"]*"', b'"signature":"MB=="', first)
    halted(spelled + b"\n" + rest, Fault.BLOCK_SIGNATURE)


def test_an_edited_entry_halts() -> None:
    block, _ = forged_block(START, [envelope(), envelope(1)], NETWORK)
    halted(block.replace(b'{"height":0', b'{"height":1', 1), Fault.MERKLE_ROOT)


@pytest.mark.parametrize("edit", [lambda lines: lines[:2], lambda lines: [*lines, lines[1]], lambda lines: lines[:1]])
def test_entries_too_few_or_too_many_halt(edit: Callable[[list[bytes]], list[bytes]]) -> None:
    block, _ = forged_block(START, [envelope(), envelope(1)], NETWORK)
    halted(b"\n".join(edit(block.split(b"\n"))), Fault.COUNT)


@pytest.mark.parametrize(
    "edit",
    [
        lambda block: block[:0],
        lambda block: b"\xff" + block,
        lambda block: block.replace(b'{"header":', b'{ "header":'),
        lambda block: block.replace(b'"number":1', b'"number":01'),
        lambda block: block.replace(b'"number":1', b'"number":1,"number":1'),
        lambda block: block.replace(b'"count":', b'"cnt":'),
    ],
)
def test_what_has_not_the_form_of_a_block_halts(edit: Callable[[bytes], bytes]) -> None:
    halted(edit(forged_block(START, [envelope()], NETWORK)[0]), Fault.FORM)


@pytest.mark.parametrize("listed", [b"1,0", b"0,0", b"00", b"2"])
def test_a_list_of_invalid_entries_has_one_spelling(listed: bytes) -> None:
    block, _ = forged_block(
        START,
        [envelope(), envelope(1)],
        NETWORK,
        edit=lambda header: header.replace(b'"invalid":[]', b'"invalid":[%b]' % listed),
    )
    halted(block, Fault.FORM)


def test_a_fed_block_must_be_one() -> None:
    with pytest.raises(LedgerFaultError):
        header_of(b"nothing")


# Entries


def test_an_entry_recorded_twice_halts() -> None:
    halted(forged_block(START, [envelope(), envelope()], NETWORK)[0], Fault.DUPLICATE, 1)
    one, head = forged_block(START, [envelope()], NETWORK)
    follower = replica()
    assert follower.feed(one)
    halted(forged_block(head, [envelope()], NETWORK)[0], Fault.DUPLICATE, 0, after=follower)


def test_an_entry_of_another_ledger_halts() -> None:
    other = signed_envelope("0" * 64)
    halted(forged_block(START, [envelope(), other], NETWORK)[0], Fault.NETWORK, 1)


def test_an_entry_signed_for_another_ledger_halts() -> None:
    halted(forged_block(START, [envelope(signed_network="0" * 64)], NETWORK)[0], Fault.SIGNATURE, 0)


def test_an_entry_of_a_stranger_halts() -> None:
    stranger = Hospital("Elm").issue("eve", "practitioner")
    halted(forged_block(START, [envelope(signer=stranger)], NETWORK)[0], Fault.ORGANIZATION, 0)


def test_an_entry_by_an_expired_certificate_halts() -> None:
    late = NOW + 400 * 86400
    halted(forged_block(START, [envelope(at=late)], NETWORK, at=late)[0], Fault.CERTIFICATE, 0)


def test_a_swapped_signature_halts() -> None:
    one, two = envelope(), envelope(1)
    signatures = [re.search(rb'"signature":"([^"]*)"', content) for content in (one, two)]
    assert signatures[0] is not None
    assert signatures[1] is not None
    swapped = one.replace(signatures[0][1], signatures[1][1])
    halted(forged_block(START, [swapped, two], NETWORK)[0], Fault.SIGNATURE, 0)


def test_an_entry_endorsed_on_a_later_state_halts() -> None:
    halted(forged_block(START, [envelope(height=1)], NETWORK)[0], Fault.HEIGHT, 0)


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content[:0] + b"{}",
        lambda content: content.replace(b'"height":0', b'"height":00'),
        lambda content: content.replace(b'"height":0', b'"height":9007199254740992'),
        lambda content: content.replace(b'{"height":0', b'{"height":0,"height":0'),
        lambda content: content.replace(b'"name":"Count"', b'"name":"Co\\u0075nt"'),
        lambda content: content.replace(b'"type":"transaction"', b'"type":"query"'),
        lambda content: content.replace(b'"at":18', b'"at":9007199254740992', 1).replace(b"992000000", b"992"),
        lambda content: re.sub(rb'"signature":"[^"]*"', b'"signature":"MB=="', content),
        lambda content: re.sub(rb'"nonce":"[^"]*"', b'"nonce":"MB=="', content),
        lambda content: re.sub(rb'"nonce":"[^"]*"', b'"nonce":"MA=="', content),
        lambda content: content.replace(rb"\"name\"", rb"\u0022name\""),
        lambda content: content + b" ",
    ],
)
def test_what_has_not_the_form_of_an_envelope_halts(edit: Callable[[bytes], bytes]) -> None:
    content = edit(envelope())
    assert content != envelope()
    halted(forged_block(START, [content], NETWORK)[0], Fault.ENVELOPE, 0)


def test_escapes_in_arguments_are_read_back() -> None:
    follower = Replica(EmbeddedChain.of(GENESIS, NETWORK), Echo())
    text = 'a "quoted" \\ é \n text'
    assert follower.feed(forged_block(START, [envelope(arguments={"name": text})], NETWORK)[0])
    assert [event.payload for event in follower.events()] == [{"name": text}]


class Echo(Counters):
    """Rules that announce what they were given."""

    def execute(self, *given: object) -> CounterOutcome:
        arguments = given[-1]
        assert isinstance(arguments, bytes)
        return CounterOutcome(arguments, "Echoed", canonical.encode(canonical.decode(arguments)))


# Validity and rules


def test_a_stale_entry_passed_off_as_valid_halts() -> None:
    halted(forged_block(START, [envelope(), envelope(1)], NETWORK)[0], Fault.VALIDITY, 1)


def test_a_valid_entry_passed_off_as_stale_halts() -> None:
    halted(forged_block(START, [envelope()], NETWORK, invalid=[0])[0], Fault.VALIDITY, 0)


def test_what_changed_between_endorsement_and_block_is_stale() -> None:
    one, head = forged_block(START, [envelope()], NETWORK)
    follower = replica()
    assert follower.feed(one)
    halted(forged_block(head, [envelope(1, height=0)], NETWORK)[0], Fault.VALIDITY, 0, after=follower)
    follower = replica()
    assert follower.feed(one)
    assert follower.feed(forged_block(head, [envelope(1, height=0)], NETWORK, invalid=[0])[0])
    assert follower.get(("counter", "a")) == canonical.encode({"by": CAROL.subject, "count": 1})


def test_an_entry_that_the_rules_refuse_halts() -> None:
    halted(forged_block(START, [envelope(name="Fail")], NETWORK)[0], Fault.RULES, 0)


def test_an_entry_that_breaks_the_rules_program_halts() -> None:
    halted(forged_block(START, [envelope(arguments={"x": 1})], NETWORK)[0], Fault.RULES, 0)


class Patched(Counters):
    """The ledger's owner lets mallory count from a million: its answers and state differ, blocks look right."""

    def execute(
        self, state: WorldState, caller: Caller, transaction_id: str, timestamp: int, name: str, arguments: bytes, /
    ) -> CounterOutcome:
        if name == "Grab":
            state.get(("counter", "a"))
            state.put(("counter", "a"), canonical.encode({"by": "mallory", "count": 1_000_000}))
            return CounterOutcome(b"{}", "Counted", b"{}")
        return super().execute(state, caller, transaction_id, timestamp, name, arguments)


def test_a_ledger_with_patched_rules_is_noticed(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l", contract=Patched()) as ledger:
        count(ledger)
        grab = ledger.submit(ledger.prepare(MALLORY, "Grab", {}))
        assert ledger.verify() is None
        follower = Replica(ledger.chain, Counters())
        follower.follow(ledger)
        alarm = follower.halted
        assert alarm is not None
        assert (alarm.block, alarm.entry, alarm.transaction_id) == (2, 0, grab.transaction_id)
        assert alarm.reason is Fault.RULES
        count(ledger)
        follower.follow(ledger)
        assert follower.height == 2


# Heads that custodians saw (A10)


def releases(number: object, seen: object, nonce: int) -> bytes:
    return envelope(nonce, name="RecordReleases", arguments={"head": {"hash": seen, "number": number}})


def test_a_custodian_who_saw_this_chain_is_heard() -> None:
    follower = replica()
    block, head = forged_block(START, [releases(0, NETWORK, 0)], NETWORK)
    assert follower.feed(block)
    assert follower.feed(forged_block(head, [releases(1, head.hash, 1)], NETWORK)[0])


@pytest.mark.parametrize(
    ("number", "seen"),
    [(0, "0" * 64), (1, NETWORK), (-1, NETWORK), (0, None)],
    ids=["another hash", "not yet there", "never there", "no hash"],
)
def test_a_custodian_who_saw_another_chain_halts(number: int, seen: object) -> None:
    halted(forged_block(START, [envelope(), releases(number, seen, 1)], NETWORK)[0], Fault.FORK, 1)


@pytest.mark.parametrize("head", [None, [], {}, {"number": "0"}])
def test_a_head_without_form_is_left_to_the_rules(head: object) -> None:
    content = envelope(name="RecordReleases", arguments={"head": head})
    assert replica().feed(forged_block(START, [content], NETWORK)[0])


def test_arguments_that_are_not_canonical_are_left_to_the_rules() -> None:
    content = envelope(name="RecordReleases", arguments=b"{ }")
    halted(forged_block(START, [content], NETWORK)[0], Fault.RULES, 0)


def test_two_versions_of_one_ledger_find_each_other(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "one") as one, create_ledger(tmp_path / "two") as two:
        assert one.network_id == two.network_id
        count(one)
        seen = one.head
        count(two, "other")
        head = {"hash": seen.hash, "number": seen.number}
        two.submit(two.prepare(CAROL, "RecordReleases", {"head": head}))
        follower = Replica(two.chain, Counters())
        follower.follow(two)
        assert follower.halted is not None
        assert follower.halted.reason is Fault.FORK


# A source that lies


def blocks_of(ledger: EmbeddedLedger) -> list[bytes]:
    for _ in range(3):
        count(ledger)
    return list(ledger.blocks())


def test_a_source_that_flips_validity_edits_omits_or_resigns_is_refused(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        blocks = blocks_of(ledger)
        chain = ledger.chain
    lines = blocks[2].split(b"\n")
    header = header_of(blocks[2])
    mallory = SoftwareKey(private_key_of("mallory"))
    resigned = block_content(
        header, mallory.sign(signed_bytes("block", chain.network_id, header)), envelopes_of(blocks[2])
    )
    lies = {
        Fault.BLOCK_SIGNATURE: [
            blocks[2].replace(b'"invalid":[]', b'"invalid":[0]'),
            resigned,
        ],
        Fault.MERKLE_ROOT: [b"\n".join([lines[0], lines[1].replace(b"Count", b"Count".swapcase())])],
        Fault.NUMBER: [blocks[3]],
        Fault.FORM: [blocks[2][:50]],
    }
    for reason, told in lies.items():
        for lie in told:
            follower = Replica(chain, Counters())
            follower.follow(Source(blocks[0], blocks[1], lie, blocks[3]))
            assert follower.halted is not None
            assert (follower.halted.block, follower.halted.reason) == (2, reason)
            assert follower.height == 2
