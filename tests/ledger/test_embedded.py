"""The embedded ledger as a gateway: what it records, refuses and answers again (ATTACKS.md A5, A41, A42, A45)."""

import json
import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.blocks import envelopes_of, transaction_content
from ledger.contract.errors import ContractError
from ledger.embedded import (
    Anchor,
    EmbeddedLedger,
    HeadBehindError,
    LedgerDamagedError,
    LedgerInUseError,
    LedgerStorageError,
)
from ledger.embedded.storage import FILE_NAME
from ledger.gateway import Commit, CommitError, EndorseError, Envelope, GatewayError, SubmitError
from ledger.signatures import SoftwareKey, signed_bytes
from tests.support.certificates import NOW, private_key_of
from tests.support.ledger import (
    ALDER,
    CAROL,
    MALLORY,
    Chance,
    Clock,
    CounterOutcome,
    Counters,
    count,
    create_ledger,
    open_ledger,
    signed_envelope,
)


def test_what_is_submitted_is_answered_found_and_announced(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        envelope = ledger.prepare(CAROL, "Count", {"name": "a"})
        assert ledger.find_commit(envelope.transaction_id) is None
        assert ledger.find_commit("") is None
        assert ledger.find_commit("no id") is None
        commit = ledger.submit(envelope)
        assert commit == Commit(envelope.transaction_id, 1, 0, NOW, b'{"count":1,"name":"a"}')
        assert ledger.find_commit(envelope.transaction_id) == commit
        assert ledger.evaluate(CAROL, "Counters", {}) == {"a": 1}
        (event,) = ledger.events()
        assert (event.name, event.block, event.transaction_id) == ("Counted", 1, envelope.transaction_id)
        assert event.payload == {"count": 1, "name": "a"}
        assert ledger.head.number == 1
        assert ledger.verify() is None


def test_it_continues_where_it_was_closed(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        network_id = ledger.network_id
        late = ledger.prepare(CAROL, "Count", {"name": "late"})
        assert [count(ledger) for _ in range(3)] == [1, 2, 3]
    with open_ledger(tmp_path / "l") as ledger:
        assert ledger.network_id == network_id
        assert count(ledger) == 4
        assert ledger.submit(late).block == 5
        assert [event.payload["count"] for event in ledger.events()] == [1, 2, 3, 4, 1]
        assert ledger.verify() is None


def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        count(ledger)
        assert stat.S_IMODE((tmp_path / "l").stat().st_mode) == 0o700
        files = list((tmp_path / "l").iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert len(files) >= 4


# What is refused before it is recorded


def refused(ledger: EmbeddedLedger, envelope: Envelope) -> str:
    height = ledger.head.number
    with pytest.raises(EndorseError) as error:
        ledger.submit(envelope)
    assert ledger.head.number == height
    return str(error.value.code)


def test_the_rules_refuse_before_anything_is_recorded(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        with pytest.raises(EndorseError) as error:
            ledger.prepare(CAROL, "Fail", {})
        assert error.value.code == "unknown-transaction"
        assert len(error.value.transaction_id) == 64
        with pytest.raises(EndorseError) as error:
            ledger.evaluate(CAROL, "Fail", {})
        assert error.value.code == "unknown-transaction"
        assert ledger.head.number == 0


@pytest.mark.parametrize("arguments", [{"name": 1.5}, {"name": "\ud800"}, {1: "a"}])
def test_what_has_no_canonical_form_is_refused(tmp_path: Path, arguments: dict[str, object]) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        with pytest.raises(EndorseError, match="malformed"):
            ledger.prepare(CAROL, "Count", arguments)
        with pytest.raises(EndorseError, match="malformed"):
            ledger.prepare(CAROL, "not a name", {"name": "a"})
        with pytest.raises(EndorseError, match="malformed"):
            ledger.prepare(CAROL, "Count", {"name": "a\0b"})
        with pytest.raises(EndorseError, match="malformed"):
            ledger.evaluate(CAROL, "Counters", arguments)


def test_a_certificate_of_no_organization_here_is_refused(tmp_path: Path) -> None:
    stranger = type(ALDER)("Elm").issue("eve", "practitioner")
    with create_ledger(tmp_path / "l") as ledger:
        with pytest.raises(EndorseError) as error:
            ledger.prepare(stranger, "Count", {"name": "a"})
        assert error.value.code == "organization"
        with pytest.raises(EndorseError) as error:
            ledger.evaluate(stranger, "Counters", {})
        assert error.value.code == "certificate"


def endorse_at(ledger: EmbeddedLedger, at: int) -> Envelope:
    transaction = transaction_content(ledger.network_id, bytes(24), at, CAROL, "Count", b'{"name":"a"}')
    return ledger.endorse(transaction, CAROL.sign(signed_bytes("transaction", ledger.network_id, transaction)))


@pytest.mark.parametrize("offset", [-119, 0, 119, 120, -120])
def test_a_clock_within_two_minutes_is_accepted(tmp_path: Path, offset: int) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        assert ledger.submit(endorse_at(ledger, NOW + offset)).at == NOW + offset


@pytest.mark.parametrize("offset", [-121, 121, 86400])
def test_a_clock_beyond_two_minutes_is_refused(tmp_path: Path, offset: int) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        with pytest.raises(EndorseError) as error:
            endorse_at(ledger, NOW + offset)
        assert (error.value.code, error.value.detail) == ("clock-skew", str(offset))


def test_a_clock_that_was_turned_back_is_refused(tmp_path: Path) -> None:
    clock = Clock()
    with create_ledger(tmp_path / "l", clock) as ledger:
        count(ledger)
        clock.now -= 120
        assert count(ledger) == 2
        assert ledger.head.at == NOW
        clock.now -= 1
        with pytest.raises(EndorseError) as error:
            count(ledger)
        assert error.value.code == "clock-behind-ledger"
        clock.now = NOW - 86400
        with pytest.raises(EndorseError) as error:
            count(ledger)
        assert error.value.code == "clock-behind-ledger"


def test_another_ledgers_transaction_is_refused(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        other = signed_envelope("f" * 64)
        assert refused(ledger, Envelope("0" * 64, other)) == "network"
        resigned = signed_envelope(ledger.network_id, signed_network="f" * 64)
        assert refused(ledger, Envelope("0" * 64, resigned)) == "signature"


def test_an_altered_envelope_is_refused(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        envelope = ledger.prepare(CAROL, "Count", {"name": "a"})
        altered = envelope.content.replace(rb"{\"name\":\"a\"}", rb"{\"name\":\"b\"}")
        assert altered != envelope.content
        assert refused(ledger, Envelope(envelope.transaction_id, altered)) == "signature"
        assert refused(ledger, Envelope(envelope.transaction_id, b"{}")) == "envelope"
        assert refused(ledger, Envelope("0" * 64, envelope.content)) == "malformed"


def test_an_endorsement_from_the_future_is_refused(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        content = signed_envelope(ledger.network_id, height=1)
        transaction_id = ledger.prepare(CAROL, "Count", {"name": "x"}).transaction_id
        assert refused(ledger, Envelope(transaction_id, content)) == "malformed"
        envelope = endorse_at(ledger, NOW)
        raised = envelope.content.replace(b'{"height":0', b'{"height":1')
        assert refused(ledger, Envelope(envelope.transaction_id, raised)) == "height"


class Refusing(Counters):
    """Newer rules that know no transaction."""

    def execute(self, *_: object) -> CounterOutcome:
        raise ContractError("unknown-transaction")


def test_a_stranger_to_the_rules_is_refused_at_submit_too(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        envelope = endorse_at(ledger, NOW)
        ledger.submit(envelope)
        fresh = ledger.prepare(CAROL, "Count", {"name": "b"})
    with open_ledger(tmp_path / "l", contract=Refusing()) as ledger:
        assert refused(ledger, fresh) == "unknown-transaction"


# Stale reads and repeated submits


def test_what_was_read_and_has_changed_is_recorded_as_invalid(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        first = ledger.prepare(CAROL, "Count", {"name": "a"})
        second = ledger.prepare(CAROL, "Count", {"name": "a"})
        other = ledger.prepare(CAROL, "Count", {"name": "b"})
        ledger.submit(first)
        for _ in range(2):
            with pytest.raises(CommitError) as error:
                ledger.submit(second)
            assert (error.value.code, error.value.transaction_id) == ("stale-read", second.transaction_id)
        with pytest.raises(CommitError):
            ledger.find_commit(second.transaction_id)
        assert ledger.submit(other).block == 3
        assert ledger.evaluate(CAROL, "Counters", {}) == {"a": 1, "b": 1}
        assert [event.transaction_id for event in ledger.events()] == [first.transaction_id, other.transaction_id]
        assert ledger.verify() is None


def test_a_key_that_had_no_value_is_watched_too(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        look = ledger.prepare(CAROL, "Look", {"name": "a"})
        count(ledger)
        with pytest.raises(CommitError, match="stale-read"):
            ledger.submit(look)


def test_the_same_envelope_is_recorded_once(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        envelope = ledger.prepare(CAROL, "Count", {"name": "a"})
        commit = ledger.submit(envelope)
        count(ledger, "b")
        assert ledger.submit(envelope) == commit
        assert ledger.head.number == 2
    with open_ledger(tmp_path / "l") as ledger:
        assert ledger.submit(envelope) == commit
        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(ledger.submit, [envelope] * 40)) == {commit}
        assert ledger.evaluate(CAROL, "Counters", {}) == {"a": 1, "b": 1}


def test_the_same_envelope_twice_in_one_block_is_recorded_once(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger, ThreadPoolExecutor(3) as threads:
        envelope = ledger.prepare(CAROL, "Count", {"name": "a"})
        ledger._committer._is_led = True
        waiting = [threads.submit(ledger.submit, envelope) for _ in range(3)]
        while len(ledger._committer._queue) < 3:
            threading.Event().wait(0.001)
        ledger._committer._queue[0].turn.release()
        assert {one.result().index for one in waiting} == {0}
        assert len(envelopes_of(list(ledger.blocks())[1])) == 1


def test_an_endorsement_that_was_forgotten_is_executed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.embedded.ledger._REMEMBERED", 1)
    with create_ledger(tmp_path / "l") as ledger:
        first, second = (ledger.prepare(CAROL, "Count", {"name": name}) for name in "ab")
        assert len(ledger._endorsed) == 1
        assert [ledger.submit(envelope).block for envelope in (first, second)] == [1, 2]
        assert ledger.verify() is None


def test_another_transaction_under_a_used_id_is_refused(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        content = transaction_content(ledger.network_id, bytes(24), NOW, CAROL, "Count", b'{"name":"b"}')
        signature = CAROL.sign(signed_bytes("transaction", ledger.network_id, content))
        ledger.submit(endorse_at(ledger, NOW))
        twin = ledger.endorse(content, signature)
        assert refused(ledger, twin) == "duplicate"


def test_a_locked_signer_signs_nothing(tmp_path: Path) -> None:
    class Locked:
        msp_id, certificate = CAROL.msp_id, CAROL.certificate

        def sign(self, message: bytes) -> bytes:
            raise PermissionError(message)

    with create_ledger(tmp_path / "l") as ledger, pytest.raises(PermissionError):
        ledger.prepare(Locked(), "Count", {"name": "a"})


# Many at once


def submit_all(ledger: EmbeddedLedger, envelopes: list[Envelope]) -> list[Commit | GatewayError]:
    barrier = threading.Barrier(len(envelopes))

    def submit(envelope: Envelope) -> Commit | GatewayError:
        barrier.wait()
        try:
            return ledger.submit(envelope)
        except GatewayError as error:
            return error

    with ThreadPoolExecutor(len(envelopes)) as threads:
        return list(threads.map(submit, envelopes))


def test_two_hundred_at_once_share_blocks(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        envelopes = [ledger.prepare(CAROL, "Count", {"name": f"n{number}"}) for number in range(200)]
        answers = submit_all(ledger, envelopes)
        commits = [answer for answer in answers if isinstance(answer, Commit)]
        assert len(commits) == 200
        assert len({(commit.block, commit.index) for commit in commits}) == 200
        assert ledger.head.number < 200
        assert ledger.verify() is None


def test_of_many_that_conflict_exactly_one_counts(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        envelopes = [ledger.prepare((CAROL, MALLORY)[number % 2], "Count", {"name": "a"}) for number in range(200)]
        answers = submit_all(ledger, envelopes)
        assert len([answer for answer in answers if isinstance(answer, Commit)]) == 1
        assert {answer.code for answer in answers if isinstance(answer, GatewayError)} == {"stale-read"}
        assert ledger.evaluate(CAROL, "Counters", {}) == {"a": 1}
        assert ledger.verify() is None


def test_readers_and_writers_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:

        def work(number: int) -> int:
            if number % 2:
                ledger.evaluate(CAROL, "Counters", {})
                return len(list(ledger.blocks()))
            return count(ledger, f"n{number}")

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(work, range(100)))
        assert ledger.verify() is None


def test_waiting_ends_with_the_next_block(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        assert ledger.wait(1, 0.0) == 1
        assert ledger.wait(0, 60.0) == 1
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(ledger.wait, 1, 60.0)
            count(ledger)
            assert waiting.result() == 2


def test_events_resume_after_their_checkpoint(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        envelopes = [ledger.prepare(CAROL, "Count", {"name": f"n{number}"}) for number in range(20)]
        submit_all(ledger, envelopes)
        events = list(ledger.events())
        assert len(events) == 20
        for number, event in enumerate(events):
            assert list(ledger.events(event.block, event.transaction_id)) == events[number + 1 :]
        assert list(ledger.events(events[-1].block, "0" * 64))[-1] == events[-1]
        assert list(ledger.events(events[-1].block + 1)) == []


# Files that are not what they were


def test_a_ledger_is_open_once(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l"), pytest.raises(LedgerInUseError, match="another window"):
        open_ledger(tmp_path / "l")
    open_ledger(tmp_path / "l").close()


def test_a_folder_holds_one_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerStorageError, match="no ledger"):
        open_ledger(tmp_path / "l")
    create_ledger(tmp_path / "l").close()
    with pytest.raises(LedgerStorageError, match="already"):
        create_ledger(tmp_path / "l")


def edit(folder: Path, *statements: str) -> None:
    database = sqlite3.connect(folder / FILE_NAME)
    for statement in statements:
        assert database.execute(statement).rowcount != 0
    database.commit()
    database.close()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000])
def test_unreadable_files_are_refused(tmp_path: Path, content: bytes) -> None:
    create_ledger(tmp_path / "l").close()
    for file in (tmp_path / "l").iterdir():
        file.write_bytes(content)
    with pytest.raises(LedgerStorageError):
        open_ledger(tmp_path / "l")


def test_an_unreadable_database_is_refused(tmp_path: Path) -> None:
    create_ledger(tmp_path / "l").close()
    (tmp_path / "l" / FILE_NAME).write_bytes(b"no database at all" * 1000)
    with pytest.raises(LedgerStorageError, match="cannot be read"):
        open_ledger(tmp_path / "l")


def test_files_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    create_ledger(tmp_path / "l").close()
    database = sqlite3.connect(tmp_path / "l" / FILE_NAME)
    database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(LedgerStorageError, match="another version"):
        open_ledger(tmp_path / "l")


def test_another_ledger_key_opens_nothing(tmp_path: Path) -> None:
    create_ledger(tmp_path / "l").close()
    with pytest.raises(LedgerDamagedError, match="another ledger key"):
        EmbeddedLedger.open(tmp_path / "l", SoftwareKey(private_key_of("x")), clock=Clock(), random=Chance())


def test_an_older_copy_is_refused(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        start = Anchor(0, ledger.network_id)
        count(ledger)
        older = {file.name: file.read_bytes() for file in (tmp_path / "l").iterdir()}
        middle = Anchor(ledger.head.number, ledger.head.hash)
        count(ledger)
        newest = Anchor(ledger.head.number, ledger.head.hash)
    for anchor in (start, middle, newest):
        open_ledger(tmp_path / "l", expected=anchor).close()
    with pytest.raises(HeadBehindError):
        open_ledger(tmp_path / "l", expected=Anchor(0, "0" * 64))
    with pytest.raises(HeadBehindError):
        open_ledger(tmp_path / "l", expected=Anchor(1, newest.hash))
    for name, content in older.items():
        (tmp_path / "l" / name).write_bytes(content)
    open_ledger(tmp_path / "l", expected=middle).close()
    with pytest.raises(HeadBehindError) as error:
        open_ledger(tmp_path / "l", expected=newest)
    assert (error.value.found.number, error.value.expected) == (1, newest)


DAMAGE = {
    "a cut block": "UPDATE blocks SET content = substr(content, 1, 40) WHERE number = 2",
    "a missing block": "DELETE FROM blocks WHERE number = 2",
    "another hash": "UPDATE blocks SET hash = zeroblob(32) WHERE number = 3",
    "no genesis": "DELETE FROM blocks WHERE number = 0",
    "an entry more": "UPDATE blocks SET content = CAST(content || char(10) || '{}' AS BLOB) WHERE number = 3",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_ledger_does_not_open(tmp_path: Path, statement: str) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        for _ in range(3):
            count(ledger)
    edit(tmp_path / "l", statement)
    with pytest.raises(LedgerDamagedError):
        open_ledger(tmp_path / "l")


DERIVED = {
    "a changed value": 'UPDATE state SET value = CAST(\'{"by":"x","count":9}\' AS BLOB)',
    "a changed version": "UPDATE state SET block = 1",
    "a value more": "INSERT INTO state VALUES (CAST('counter' AS BLOB), 1, x'00')",
    "a value less": "DELETE FROM state",
    "a flipped validity": "UPDATE transactions SET code = '', event = 'Counted', payload = '{}' WHERE code != ''",
    "a hidden event": "DELETE FROM transactions WHERE position = (SELECT max(position) FROM transactions)",
    "a changed answer's id": "UPDATE transactions SET id = zeroblob(32) WHERE position < 2 * 1048576",
}


@pytest.mark.parametrize("statement", DERIVED.values(), ids=DERIVED.keys())
def test_verification_finds_what_was_changed_beside_the_blocks(tmp_path: Path, statement: str) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        count(ledger)
        stale = ledger.prepare(CAROL, "Count", {"name": "a"})
        count(ledger)
        with pytest.raises(CommitError):
            ledger.submit(stale)
        count(ledger)
        assert ledger.verify() is None
    edit(tmp_path / "l", statement)
    with open_ledger(tmp_path / "l") as ledger:
        alarm = ledger.verify()
        assert alarm is not None
        assert alarm.reason == "storage"


def test_verification_reads_blocks_that_opening_did_not(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        for _ in range(70):
            count(ledger)
    edit(tmp_path / "l", "UPDATE blocks SET content = x'00' WHERE number = 3")
    with open_ledger(tmp_path / "l") as ledger:
        alarm = ledger.verify()
        assert alarm is not None
        assert (alarm.block, alarm.reason) == (3, "form")


def test_a_ledger_that_was_closed_records_nothing(tmp_path: Path) -> None:
    ledger = create_ledger(tmp_path / "l")
    envelope = ledger.prepare(CAROL, "Count", {"name": "a"})
    ledger.close()
    ledger.close()
    with pytest.raises(SubmitError):
        ledger.submit(envelope)
    with pytest.raises(EndorseError, match="storage"):
        ledger.prepare(CAROL, "Count", {"name": "b"})
    with pytest.raises(EndorseError, match="storage"):
        ledger.evaluate(CAROL, "Counters", {})
    with pytest.raises(GatewayError, match="storage"):
        list(ledger.blocks())


def test_a_ledger_key_that_fails_records_nothing(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        envelope = ledger.prepare(CAROL, "Count", {"name": "a"})
        ledger._ledger_key = type("Gone", (), {})()
        with pytest.raises(AttributeError):
            ledger.submit(envelope)
        ledger._ledger_key = SoftwareKey(private_key_of("ledger"))
        assert ledger.find_commit(envelope.transaction_id) is None
        assert ledger.submit(envelope).block == 1


def test_an_envelope_holds_its_height_beside_what_was_signed(tmp_path: Path) -> None:
    with create_ledger(tmp_path / "l") as ledger:
        count(ledger)
        count(ledger)
        envelope = envelopes_of(list(ledger.blocks())[2])[0]
        assert json.loads(envelope)["height"] == 1
