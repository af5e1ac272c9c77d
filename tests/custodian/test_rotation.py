"""Another master key: everything goes over to it in one step per file, wherever a crash comes (PROTOCOL.md F, O3)."""

import base64

import pytest

from app.custodian.database import key_id_in
from app.custodian.index import Index
from app.identity.keys import MasterKey, UnwrapError
from tests.support.custody import PIN, World, document


def boxes(world: World) -> list[bytes]:
    """Return everything that is wrapped on the custodian's disk."""
    found: list[bytes] = []
    for database in (world.alder.desk.keys._database, world.alder.desk.index._database):
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            for column in columns & {"sealed", "wrapped"}:
                found += [bytes(row[0]) for row in database.execute(f"SELECT {column} FROM {table}")]  # noqa: S608
    return found


def works(world: World, patient_id: str) -> bool:
    """Tell whether a list and a record open, and the card unlocks."""
    rows = world.list(world.dan, patient_id).rows
    released = world.release(world.open(world.dan, patient_id, rows[0].record_id))
    pairs = world.alder.client.unlock_card(world.alice.card.card_id, PIN).pairs
    return bool(released.items) and len(pairs) == 2


@pytest.fixture
def shared(world: World) -> str:
    world.alder.import_documents(world.alice, document("fna"))
    patient_id = world.share(world.dan, world.alice)
    world.alder.custodian.tick(force=True)
    return patient_id


def test_everything_goes_over_and_nothing_stays_under_the_old_key(world: World, shared: str) -> None:
    before, new = boxes(world), MasterKey.generate()
    assert len(before) > 20
    world.alder.custodian.rewrap(world.alder.master, new)
    assert works(world, shared)
    content = b"".join(path.read_bytes() for path in world.alder.folder.rglob("*") if path.is_file())
    assert [base64.b64encode(box) for box in before if box in content] == []
    world.alder.close()
    world.alder.master = new
    world.alder.start()
    assert works(world, shared)
    assert {key_id_in(world.alder.folder / name) for name in ("keys.db", "index.db")} == {new.key_id}
    world.alder.custodian.tick()
    assert world.alder.desk.keys.last_backup() == world.clock()


def test_a_strange_master_key_changes_nothing(world: World, shared: str) -> None:
    with pytest.raises(UnwrapError):
        world.alder.custodian.rewrap(MasterKey.generate(), MasterKey.generate())
    assert works(world, shared)


def test_it_may_be_called_again(world: World, shared: str) -> None:
    new = MasterKey.generate()
    world.alder.custodian.rewrap(world.alder.master, new)
    before = boxes(world)
    world.alder.custodian.rewrap(world.alder.master, new)
    assert boxes(world) == before
    assert works(world, shared)


def test_a_crash_between_the_files_is_gone_on_from(world: World, shared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = world.alder.master, MasterKey.generate()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Index, "rewrap", killed)
        with pytest.raises(KeyboardInterrupt):
            world.alder.custodian.rewrap(old, new)
    assert key_id_in(world.alder.folder / "keys.db") == new.key_id
    assert key_id_in(world.alder.folder / "index.db") == old.key_id
    world.alder.custodian.rewrap(old, new)
    assert works(world, shared)


def test_a_crash_inside_a_file_leaves_it_as_it_was(world: World, shared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("app.custodian.index.set_key_id", killed)
        with pytest.raises(KeyboardInterrupt):
            world.alder.desk.index.rewrap(MasterKey.generate())
    assert works(world, shared)
