"""What lies on disk is sealed to its place, and keys are in a file of their own (PROTOCOL.md F)."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from app.custodian.database import connect, key_id_in, truncate
from app.custodian.index import Index
from app.custodian.keytable import BACKUP_DAYS, DAY, KeyTable
from app.custodian.tables import SealedTable
from app.identity.keys import MasterKey, UnwrapError

NOW = 1_800_000_000


@pytest.fixture
def master() -> MasterKey:
    return MasterKey.generate()


def table(path: Path, key: bytearray) -> SealedTable:
    database = connect(path, SealedTable.schema("things"))
    return SealedTable(database, threading.RLock(), "things", key, os.urandom)


def test_rows_are_found_by_id_and_by_group(tmp_path: Path) -> None:
    things = table(tmp_path / "t.db", bytearray(32))
    things.put("a", {"value": 1}, "alice")
    things.put("b", {"value": 2}, "alice")
    things.put("c", {"value": 3}, "bob")
    things.put("a", {"value": 4}, "alice")
    assert things.find("a") == {"value": 4}
    assert [row for row, _ in things.of_group("alice")] == ["a", "b"]
    assert things.count("alice") == 2
    things.remove_group("alice")
    assert [row for row, _ in things.all()] == ["c"]
    things.remove("c")
    assert things.find("c") is None
    things._database.close()


def test_content_and_groups_are_unreadable_and_rows_cannot_be_moved(tmp_path: Path) -> None:
    things = table(tmp_path / "t.db", bytearray(32))
    things.put("a", {"value": "Alice Fictive"}, "alice-internal-id")
    things.put("b", {"value": "Bob Mockup"}, "bob-internal-id")
    content = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    for secret in (b"Fictive", b"Mockup", b"internal"):
        assert secret not in content
    things._database.execute("UPDATE things SET sealed = (SELECT sealed FROM things WHERE id = 'b') WHERE id = 'a'")
    with pytest.raises(UnwrapError):
        things.find("a")
    other = SealedTable(things._database, threading.RLock(), "things", bytearray(b"1" * 32), os.urandom)
    with pytest.raises(UnwrapError):
        other.find("b")
    things._database.close()


def test_files_are_for_their_owner_only(tmp_path: Path, master: MasterKey) -> None:
    index = Index(tmp_path / "custodian" / "index.db", master, os.urandom)
    assert (tmp_path / "custodian").stat().st_mode & 0o077 == 0
    assert (tmp_path / "custodian" / "index.db").stat().st_mode & 0o077 == 0
    index.close()


def test_every_commit_is_flushed_and_deletions_overwrite(tmp_path: Path) -> None:
    database = connect(tmp_path / "t.db", "")
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA secure_delete").fetchone() == (1,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_an_erasure_with_a_reader_in_the_way_is_not_certified(tmp_path: Path) -> None:
    database = connect(tmp_path / "t.db", "CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('a'), ('b');")
    database.execute("PRAGMA busy_timeout = 0")
    reader = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t").fetchone()
    with database:
        database.execute("DELETE FROM t")
    with pytest.raises(sqlite3.OperationalError):
        truncate(database)
    reader.execute("COMMIT")
    truncate(database)
    reader.close()
    database.close()


def test_a_nonce_is_accepted_once_while_it_is_remembered(tmp_path: Path, master: MasterKey) -> None:
    index = Index(tmp_path / "index.db", master, os.urandom)
    assert index.use_nonce(b"n", NOW, NOW - 600)
    assert not index.use_nonce(b"n", NOW + 600, NOW)
    assert index.use_nonce(b"n", NOW + 601, NOW + 1)
    index.close()


def test_keys_are_bound_to_their_place(tmp_path: Path, master: MasterKey) -> None:
    keys = KeyTable(tmp_path / "keys.db", tmp_path / "backups", master, os.urandom)
    keys.put_identity("record", 1, "AGE-SECRET-KEY-1")
    keys.put_identity("record", 2, "AGE-SECRET-KEY-2")
    keys.put_tag_key("pair", b"t" * 32)
    keys.put_share("person", b"s" * 32)
    assert bytes(keys.identity("record", 1) or b"") == b"AGE-SECRET-KEY-1"
    assert (keys.tag_key("pair"), bytes(keys.share("person") or b"")) == (b"t" * 32, b"s" * 32)
    content = b"".join(each.read_bytes() for each in tmp_path.iterdir() if each.is_file())
    for secret in (b"AGE-SECRET", b"t" * 32, b"s" * 32):
        assert secret not in content
    keys._database.execute("UPDATE identities SET version = 3 WHERE version = 1")
    with pytest.raises(UnwrapError):
        keys.identity("record", 3)
    keys.destroy_record("record")
    keys.destroy_patient("pair")
    keys.destroy_person("person")
    assert (keys.identity("record", 2), keys.tag_key("pair"), keys.share("person")) == (None, None, None)
    keys.close()


def test_backups_roll_over_thirty_days(tmp_path: Path, master: MasterKey) -> None:
    keys = KeyTable(tmp_path / "keys.db", tmp_path / "backups", master, os.urandom)
    keys.put_share("person", b"s" * 32)
    assert keys.last_backup() is None
    for day in range(40):
        keys.backup(NOW + day * DAY)
    kept = sorted(int(path.stem.removeprefix("keys-")) for path in (tmp_path / "backups").iterdir())
    assert len(kept) == BACKUP_DAYS
    assert keys.last_backup() == kept[-1] == NOW + 39 * DAY
    keys.close()
    restored = KeyTable(tmp_path / "backups" / f"keys-{kept[-1]}.db", tmp_path / "other", master, os.urandom)
    assert bytes(restored.share("person") or b"") == b"s" * 32
    restored.close()


def test_a_file_says_which_master_key_it_needs(tmp_path: Path, master: MasterKey) -> None:
    assert key_id_in(tmp_path / "index.db") == ""
    Index(tmp_path / "index.db", master, os.urandom).close()
    assert key_id_in(tmp_path / "index.db") == master.key_id
    with pytest.raises(UnwrapError):
        Index(tmp_path / "index.db", MasterKey.generate(), os.urandom)
