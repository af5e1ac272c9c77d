"""What must be whole: the journal as the ledger knows it (ATTACKS.md A12), and a person as one person (A30)."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.custodian.journal import _SELECT, GENESIS, Journal, JournalError, JournalKind, _read, row_hash
from app.custodian.messages import CustodianRefusal
from app.custodian.results import Person, Statement
from tests.support.custody import PIN, Opened, World, document

TAIL = "DELETE FROM replies WHERE sequence > 2; DELETE FROM rows WHERE sequence > 2;"
NEWEST_ROW = "DELETE FROM rows WHERE sequence = (SELECT max(sequence) FROM rows);"


@pytest.fixture
def shared(world: World) -> str:
    """Alice's id towards Birch, with two releases on the ledger and a refusal between them."""
    world.alder.import_documents(world.alice, document("fna"))
    patient_id = world.share(world.dan, world.alice)
    opened = open_first(world, patient_id)
    with pytest.raises(CustodianRefusal, match="denied"):
        world.release(open_first(world, patient_id, purpose="HRESCH"))
    world.release(opened)
    world.alder.custodian.tick(force=True)
    return patient_id


def open_first(world: World, patient_id: str, **changed: object) -> Opened:
    return world.open(world.dan, patient_id, world.list(world.dan, patient_id).rows[0].record_id, **changed)


def statement(world: World, patient_id: str) -> Statement:
    return world.alder.client.statement(world.alice.signers["Birch"], patient_id)


def restart(world: World, meanwhile: Callable[[Path], object] = lambda _: None) -> None:
    world.alder.close()
    meanwhile(world.alder.folder / "journal.db")
    world.alder.start()


def sql(script: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        database = sqlite3.connect(path)
        database.executescript(script)
        database.close()

    return run


def rewritten(script: str) -> Callable[[Path], None]:
    """Change rows, then number and hash all of them again: whoever writes the file needs no key for that."""

    def run(path: Path) -> None:
        sql(script)(path)
        database = sqlite3.connect(path)
        previous = GENESIS
        with database:
            found = database.execute(_SELECT + " ORDER BY sequence").fetchall()
            for number, row in enumerate(found, 1):
                database.execute("UPDATE replies SET sequence = ? WHERE sequence = ?", (number, row[0]))
                values = (number, previous, row_hash(number, previous, _read(row).entry), row[0])
                database.execute("UPDATE rows SET sequence = ?, previous = ?, hash = ? WHERE sequence = ?", values)
                previous = values[2]
        database.close()
        Journal(path).close()  # it opens: the chain alone does not tell

    return run


def see_halted(world: World, patient_id: str) -> None:
    """Nothing is signed, posted or released from this journal; offices are told; a stop works."""
    signer, opening = world.alice.signers["Birch"], world.open(world.dan, patient_id)
    for ask in (lambda: statement(world, patient_id), lambda: world.release(opening)):
        with pytest.raises(CustodianRefusal) as caught:
            ask()
        assert caught.value.code == "halted"
    desk, height = world.alder.desk, world.alder.replica.height
    world.alder.custodian.tick(force=True)
    assert world.alder.replica.height == height
    alarms = world.alder.client.alarms(world.alder.staff["officer"].signer)
    assert (alarms.halted, alarms.flags) == (None, {("", "journal"): "journal-mismatch"})
    assert desk.journal.fault
    assert world.alder.client.suspend(signer, patient_id).at == world.clock()


@pytest.mark.parametrize(
    "tamper",
    [
        sql(TAIL),
        sql("DELETE FROM replies; DELETE FROM rows;"),
        sql(NEWEST_ROW),
        sql("DELETE FROM replies WHERE sequence = 1;"),
        sql("UPDATE replies SET receipt = '0' WHERE sequence = 1;"),
        sql("UPDATE replies SET patient_id = 'bob' WHERE sequence = 1;"),
        rewritten("DELETE FROM rows WHERE kind = 'refuse';"),
        rewritten("DELETE FROM replies WHERE sequence = 1; DELETE FROM rows WHERE sequence = 1;"),
        rewritten("UPDATE rows SET subject = 'mallory' WHERE sequence = 1;"),
        rewritten("UPDATE rows SET kind = 'refuse' WHERE sequence = 1;"),
        lambda path: [each.unlink() for each in path.parent.glob("journal.db*")],
    ],
)
def test_a_journal_that_is_less_than_the_ledger_says_signs_nothing(
    world: World, shared: str, tamper: Callable[[Path], object]
) -> None:
    restart(world, tamper)
    see_halted(world, shared)
    restart(world)
    see_halted(world, shared)  # a second start forgets nothing


@pytest.mark.parametrize(
    "script", ["DELETE FROM rows WHERE sequence = 2;", "UPDATE rows SET subject = 'mallory' WHERE sequence = 1;"]
)
def test_a_row_taken_out_or_edited_breaks_the_chain_and_the_custodian_does_not_open(
    world: World, shared: str, script: str
) -> None:
    path = world.alder.folder / "journal.db"
    world.alder.close()
    original = path.read_bytes()
    sql(script)(path)
    with pytest.raises(JournalError):
        world.alder.start()
    for each in path.parent.glob("journal.db*"):
        each.unlink()
    path.write_bytes(original)
    world.alder.start()
    assert len(statement(world, shared).entries) == 3


def test_an_old_copy_of_the_file_is_noticed(world: World, shared: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    restart(world, lambda path: shutil.copy(path, copy))
    world.release(open_first(world, shared))
    world.alder.custodian.tick(force=True)
    assert len(statement(world, shared).entries) == 5
    restart(world, lambda path: shutil.copy(copy, path))
    see_halted(world, shared)


def test_refusals_after_the_last_release_are_fixed_by_the_posted_head(world: World, shared: str) -> None:
    """The receipts alone would not tell: the rows that were cut are no releases."""
    desk = world.alder.desk
    opened = open_first(world, shared)
    with pytest.raises(CustodianRefusal):
        world.release(open_first(world, shared, purpose="HRESCH"))
    world.alder.custodian.tick(force=True)
    assert [row.entry.kind for row in desk.journal.rows()][-1] is JournalKind.REFUSE
    restart(world, sql(NEWEST_ROW))
    with pytest.raises(CustodianRefusal, match="halted"):
        world.release(opened)


def test_a_release_whose_reply_is_gone_before_it_was_posted(world: World, shared: str) -> None:
    world.list(world.dan, shared)
    restart(world, sql("DELETE FROM replies WHERE posted = '';"))
    see_halted(world, shared)


def test_a_ledger_shown_later_is_compared_too(world: World, shared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that holds blocks back at the start gains nothing: each block is compared when it comes."""
    early = list(world.ledger.blocks(0))[:-2]
    restart(world, sql(TAIL))
    with monkeypatch.context() as patched:
        patched.setattr(world.ledger, "blocks", lambda start=0: iter(early[start:]))
        world.alder.custodian.tick()
        assert not world.alder.desk.journal.fault
    see_halted(world, shared)


def test_a_gateway_that_shows_another_block_than_the_verified_one_is_not_believed(
    world: World, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart(world)
    world.alder.replica.follow(world.ledger)
    honest = world.ledger.blocks

    def forged(start: int = 0) -> Iterator[bytes]:
        return (each.replace(b"sequence", b"sequenze") for each in honest(start))

    with monkeypatch.context() as patched:
        patched.setattr(world.ledger, "blocks", forged)
        world.alder.client.alarms(world.alder.staff["officer"].signer)
    see_halted(world, shared)


def test_an_honest_restart_goes_on(world: World, shared: str) -> None:
    before = statement(world, shared)
    restart(world)
    after = statement(world, shared)
    assert (after.entries, after.journal_hash) == (before.entries, before.journal_hash)
    assert world.list(world.dan, shared).rows
    assert world.alder.client.alarms(world.alder.staff["officer"].signer).flags == {}


def test_a_crash_between_journal_and_ledger_goes_on(world: World, shared: str) -> None:
    released = world.release(open_first(world, shared))
    restart(world)
    assert [each.receipt for each in statement(world, shared).entries][-1] == released.receipt
    world.alder.custodian.tick(force=True)
    assert world.alder.desk.journal.unposted(10) == []
    restart(world)
    assert len(statement(world, shared).entries) == 5


def test_a_crash_between_ledger_and_its_note_goes_on(world: World, shared: str) -> None:
    """Receipts that the ledger has already are not posted again, and do not hold up those after them."""
    released = world.release(open_first(world, shared))
    restart(world, sql("UPDATE replies SET posted = '';"))
    world.alder.custodian.tick(force=True)
    desk = world.alder.desk
    assert desk.journal.unposted(10) == []
    assert (desk.find("release", shared, released.access_id) or {}).get("receipt") == released.receipt
    assert not desk.journal.fault


def test_erased_replies_are_no_difference(world: World, shared: str) -> None:
    world.alder.client.erase_person(world.alder.staff["registrar"].signer, world.alice.person_id)
    restart(world)
    world.alder.custodian.tick(force=True)
    assert not world.alder.desk.journal.fault


ELODIE = Person("\u00c9lodie Gro\u00df", "1980-02-29", number="N-7")


@pytest.mark.parametrize(
    "typed",
    [
        replace(ELODIE, name="\u00e9lodie  gro\u00df "),
        replace(ELODIE, name="\u00c9LODIE\tGROSS"),
        replace(ELODIE, name="E\u0301lodie Gro\u00df"),
        replace(ELODIE, number=""),
        replace(ELODIE, number=" ", name="\u00e9lodie gro\u00df"),
        replace(ELODIE, number=" n-7"),
        replace(ELODIE, name="Elodi Gross", birth_date="1980-02-28"),  # the number says who she is
        replace(ELODIE, sex="female", language="de", contact="by post"),
    ],
)
def test_a_person_typed_in_another_way_gets_no_second_card(world: World, typed: Person) -> None:
    registrar = world.alder.staff["registrar"].signer
    world.alder.client.register_person(registrar, ELODIE, PIN)
    with pytest.raises(CustodianRefusal, match="already-exists"):
        world.alder.client.register_person(registrar, typed, PIN)


@pytest.mark.parametrize(
    "other",
    [
        replace(ELODIE, number="N-8"),
        replace(ELODIE, number="", birth_date="1980-02-28"),
        replace(ELODIE, number="", name="\u00c9lodieGro\u00df"),
    ],
)
def test_another_person_gets_her_own_card(world: World, other: Person) -> None:
    registrar = world.alder.staff["registrar"].signer
    first = world.alder.client.register_person(registrar, ELODIE, PIN)
    assert world.alder.client.register_person(registrar, other, PIN).person_id != first.person_id
