"""The journal cannot be changed, shortened or forked without being noticed (PROTOCOL.md E.4)."""

import sqlite3
from pathlib import Path

import pytest

from app.custodian.journal import Journal, JournalEntry, JournalError, JournalKind, JournalRow


def entry(number: int, kind: JournalKind = JournalKind.REFUSE) -> JournalEntry:
    return JournalEntry(kind, f"patient{number % 2}", f"access{number}", "Birch", "dan", "denied", "0" * 64, number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed journal of five rows, the third a release."""
    path = tmp_path / "journal.db"
    journal = Journal(path)
    for number in range(1, 6):
        if number == 3:
            journal.append_reply(entry(number, JournalKind.RELEASE), lambda row: f"reply {row.sequence}".encode())
        else:
            journal.append(entry(number))
    journal.close()
    return path


def tamper(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute(statement)
    database.close()


def test_rows_are_chained_and_survive_a_restart(path: Path) -> None:
    journal = Journal(path)
    rows = list(journal.rows())
    assert [row.sequence for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert journal.head == (5, rows[-1].hash) == journal.verify()
    assert [row.sequence for row in journal.rows("patient0")] == [2, 4]
    journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rows SET code = 'permitted' WHERE sequence = 2",
        "UPDATE rows SET at = 7 WHERE sequence = 5",
        "UPDATE rows SET kind = 'nothing' WHERE sequence = 5",
        "DELETE FROM rows WHERE sequence = 1",
        "DELETE FROM rows WHERE sequence = 3",
        "UPDATE rows SET sequence = 9 WHERE sequence = 5",
        "UPDATE rows SET previous = hash WHERE sequence = 4",
    ],
)
def test_a_changed_row_is_found_at_opening(path: Path, statement: str) -> None:
    tamper(path, statement)
    with pytest.raises(JournalError):
        Journal(path)


def test_a_journal_cut_at_its_end_does_not_contain_the_head_that_was_given_out(path: Path) -> None:
    journal = Journal(path)
    head = journal.head
    journal.close()
    tamper(path, "DELETE FROM rows WHERE sequence = 5")
    shortened = Journal(path)
    assert shortened.verify()[0] == 4
    with pytest.raises(JournalError):
        shortened.verify(*head)
    shortened.close()


def test_a_row_removed_while_it_runs_is_found(path: Path) -> None:
    journal = Journal(path)
    tamper(path, "DELETE FROM rows WHERE sequence = 5")
    with pytest.raises(JournalError):
        journal.verify()
    journal.close()


def test_the_reply_is_stored_with_its_row_or_not_at_all(path: Path) -> None:
    journal = Journal(path)
    before = journal.head

    def dies(_: JournalRow) -> bytes:
        raise OSError("the key is gone")

    with pytest.raises(OSError, match="gone"):
        journal.append_reply(entry(6, JournalKind.RELEASE), dies)
    assert journal.head == before == journal.verify()
    assert journal.find_reply("access6") is None
    journal.append(entry(7))
    assert journal.verify()[0] == 6
    journal.close()


def test_an_access_is_answered_once(path: Path) -> None:
    journal = Journal(path)
    with pytest.raises(sqlite3.IntegrityError):
        journal.append_reply(entry(3, JournalKind.RELEASE), lambda _: b"another")
    assert journal.verify()[0] == 5
    stored = journal.find_reply("access3")
    assert stored is not None
    assert stored.reply == b"reply 3"
    journal.close()


def test_receipts_wait_until_they_are_posted(path: Path) -> None:
    journal = Journal(path)
    assert [each.access_id for each in journal.unposted(10)] == ["access3"]
    journal.mark_posted(["access3"], "transaction")
    assert journal.unposted(10) == []
    journal.close()


def test_a_forgotten_reply_is_in_no_file_and_its_row_stays(path: Path) -> None:
    journal = Journal(path)
    journal.forget_replies(["access3"])
    files = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert b"reply 3" not in files
    assert set(journal.receipts("patient1")) == {"access3"}
    assert journal.verify()[0] == 5
    journal.close()
