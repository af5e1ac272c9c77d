"""Erasure destroys what opens and what links, in every file (ATTACKS.md A23)."""

import base64

import pytest

from app.custodian.journal import JournalKind
from app.custodian.keytable import BACKUP_DAYS, DAY
from app.custodian.messages import CustodianRefusal
from ledger.contract.canonical import decode_object
from ledger.gateway import EndorseError
from tests.support.custody import PIN, Opened, World, document


def files(world: World, *, backups: bool = False) -> dict[str, bytes]:
    """Return every file of the custodian and of the ledger."""
    return {
        str(path): path.read_bytes()
        for path in world.folder.rglob("*")
        if path.is_file() and (backups or "key-backups" not in path.parts)
    }


def holds(world: World, secret: bytes, *, backups: bool = False) -> list[str]:
    forms = {secret, secret.hex().encode(), base64.b64encode(secret)}
    return [name for name, content in files(world, backups=backups).items() if any(form in content for form in forms)]


def wrapped(world: World, table: str) -> list[bytes]:
    rows = world.alder.desk.keys._database.execute(f"SELECT wrapped FROM {table}").fetchall()  # noqa: S608
    return [bytes(row[0]) for row in rows]


@pytest.fixture
def opening(world: World) -> Opened:
    """An opening of alice's one record, released."""
    world.alder.import_documents(world.alice, document("fna"))
    patient_id = world.share(world.dan, world.alice)
    opened = world.open(world.dan, patient_id, world.list(world.dan, patient_id).rows[0].record_id)
    world.release(opened)
    world.alder.custodian.tick(force=True)
    return opened


def test_a_record_is_erased_in_every_pair(world: World, opening: Opened) -> None:
    desk, rita = world.alder.desk, world.alder.staff["registrar"].signer
    patient_id = opening.access.patient_id
    shared = desk.index.shared_of(patient_id)[0]
    own = next(desk.index.shared_everywhere(shared.internal_id))
    version = desk.index.version(shared.internal_id, 1)
    assert version is not None
    secrets = [*wrapped(world, "identities"), *shared.salts.values(), *own.salts.values()]
    sealed = [
        bytes(row[0])
        for name in ("records", "versions", "shared")
        for row in desk.index._database.execute(f"SELECT sealed FROM {name}").fetchall()  # noqa: S608
    ]
    replies = [desk.journal.find_reply(each) for each in desk.journal.receipts(patient_id)]
    assert all(holds(world, each, backups=True) for each in wrapped(world, "identities"))

    erasure = world.alder.client.erase_record(rita, patient_id, shared.record_id)

    for secret in [*secrets, *sealed, *(each.reply for each in replies if each is not None)]:
        assert holds(world, secret) == []
    assert not any(desk.store.has(name) for name in version.sizes)
    assert set(erasure.certificates) == {patient_id, world.alice.patient_id}
    assert len(erasure.transaction_ids) == 2
    record = desk.find("record", patient_id, shared.record_id)
    assert record is not None
    assert record["status"] == "erased"
    assert world.list(world.dan, patient_id).rows == ()
    with pytest.raises(CustodianRefusal):
        world.release(opening)
    with pytest.raises(CustodianRefusal, match="forbidden"):
        world.alder.client.fetch_object(world.dan.signer, patient_id, opening.access.access_id, version.manifest_name)


def test_the_certificate_names_the_last_backup(world: World, opening: Opened) -> None:
    """Both dates: destroyed now, and the day from which no backup can hold it."""
    desk = world.alder.desk
    last = desk.keys.last_backup()
    assert last is not None
    world.clock.now += DAY // 2
    shared = desk.index.shared_of(opening.access.patient_id)[0]
    secret = wrapped(world, "identities")[0]
    rita = world.alder.staff["registrar"].signer
    erasure = world.alder.client.erase_record(rita, opening.access.patient_id, shared.record_id)
    said = decode_object(erasure.certificates[opening.access.patient_id])
    assert said == {
        "type": "erasure-certificate",
        "network_id": world.ledger.network_id,
        "patient_id": opening.access.patient_id,
        "record_ids": [shared.record_id],
        "destroyed_at": world.clock(),
        "last_backup_expires": last + BACKUP_DAYS * DAY,
    }
    assert holds(world, secret, backups=True)
    world.clock.now = erasure.last_backup_expires
    world.alder.custodian.tick()
    assert holds(world, secret, backups=True) == []


def test_a_person_is_erased_with_everything_that_links(world: World, opening: Opened) -> None:
    desk, rita = world.alder.desk, world.alder.staff["registrar"].signer
    patient_id = opening.access.patient_id
    ids = {patient_id, world.alice.patient_id}
    secrets = [key for name in ("identities", "tag_keys", "shares") for key in wrapped(world, name)]
    secrets += [pair.tag_key for pair in world.alice.pairs.values()]
    secrets += [pair.share for pair in world.alice.pairs.values()]
    for name in ("persons", "cards", "links", "records", "versions", "shared", "artefacts", "notices", "codes"):
        rows = desk.index._database.execute(f"SELECT sealed FROM {name}").fetchall()  # noqa: S608
        assert rows, name
        secrets += [bytes(row[0]) for row in rows]

    erasure = world.alder.client.erase_person(rita, world.alice.person_id)

    assert [secret for secret in secrets if holds(world, secret)] == []
    assert set(erasure.certificates) == ids
    for each in ids:
        patient = desk.find("patient", each)
        assert patient is not None
        assert patient["status"] == "erased"
    assert world.alder.client.people(rita) == ()
    with pytest.raises(CustodianRefusal, match="wrong-pin"):
        world.alder.client.unlock_card(world.alice.card.card_id, PIN)
    with pytest.raises(EndorseError, match="illegal-transition"):
        world.open(world.dan, patient_id)
    kinds = [row.entry.kind for row in desk.journal.rows()]
    assert kinds.count(JournalKind.ERASE) == 2


def test_nothing_that_remains_links_the_two_pairs(world: World, opening: Opened) -> None:
    """With every file and the master key, the two patient ids of one person share no value any more."""
    rita = world.alder.staff["registrar"].signer
    world.alder.client.erase_person(rita, world.alice.person_id)
    index = world.alder.desk.index
    remaining = [
        table
        for table in (index._persons, index._cards, index._links, index._records, index._shared, index._notices)
        if list(table.all())
    ]
    assert remaining == []
    world.alder.custodian.tick()
    told = {row.entry.patient_id for row in world.alder.desk.journal.rows()}
    assert opening.access.patient_id in told  # the journal keeps ids, which are random and say nothing of each other


def test_an_erasure_is_posted_when_the_ledger_answers_again(
    world: World, opening: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Destroyed first, posted after (A23; L7)."""
    desk = world.alder.desk
    shared = desk.index.shared_of(opening.access.patient_id)[0]
    rita = world.alder.staff["registrar"].signer

    def unreachable(*_: object) -> None:
        raise CustodianRefusal("not-yet-committed")

    with monkeypatch.context() as patched:
        patched.setattr("app.custodian.desk.Desk.submit", unreachable)
        erasure = world.alder.client.erase_record(rita, opening.access.patient_id, shared.record_id)
    assert erasure.transaction_ids == ()
    record = desk.find("record", opening.access.patient_id, shared.record_id)
    assert record is not None
    assert record["status"] == "active"
    world.alder.custodian.tick()
    record = desk.find("record", opening.access.patient_id, shared.record_id)
    assert record is not None
    assert record["status"] == "erased"
    assert desk.index.owed() == []


def test_only_a_registrar_of_this_hospital_erases(world: World, opening: Opened) -> None:
    shared = world.alder.desk.index.shared_of(opening.access.patient_id)[0]
    for signer, code in (
        (world.carol.signer, "wrong-role"),
        (world.birch.staff["registrar"].signer, "wrong-organization"),
        (world.alice.signers["Alder"], "not-enrolled"),
    ):
        with pytest.raises(CustodianRefusal) as caught:
            world.alder.client.erase_record(signer, opening.access.patient_id, shared.record_id)
        assert caught.value.code == code


def test_what_is_not_here_is_not_erased(world: World) -> None:
    rita = world.alder.staff["registrar"].signer
    with pytest.raises(CustodianRefusal, match="unknown-record"):
        world.alder.client.erase_record(rita, world.alice.patient_id, "a" * 26)
    with pytest.raises(CustodianRefusal, match="refused"):
        world.alder.client.erase_person(rita, "a" * 26)
