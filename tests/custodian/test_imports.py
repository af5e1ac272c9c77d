"""Files come in whole or not at all (feature R1), and their plaintext is in no file of the custodian (R2)."""

from pathlib import Path

import pytest

from app.custodian.client import CustodianClient
from app.custodian.messages import CustodianRefusal, ReplyError
from app.custodian.results import ImportFile
from app.records.refusal import RefusedError
from app.records.sealing import seal_record
from tests.support.custody import World, document

JUNK = ImportFile("junk.bin", b"MZ junk")


def importing(world: World, *files: ImportFile) -> list[tuple[str, bool, str, int]]:
    outcomes = world.alder.client.import_files(world.carol.signer, world.alice.person_id, files)
    return [(each.name, each.accepted, each.reason, len(each.record_ids)) for each in outcomes]


def stored(world: World) -> list[Path]:
    return sorted((world.alder.folder / "objects").iterdir())


def test_a_refused_file_says_why_and_the_others_come_in(world: World) -> None:
    assert importing(world, JUNK, document("fna")) == [
        ("junk.bin", False, "It is no file that can be read.", 0),
        ("fna.csv", True, "", 1),
    ]
    assert len(world.alder.desk.index.records_of(world.alice.person_id)) == 1


def test_plaintext_is_in_no_file(world: World) -> None:
    file = document("fna")
    importing(world, file)
    for path in world.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert file.content not in content
            assert b"what fna says" not in content


def test_the_same_content_comes_in_once(world: World) -> None:
    importing(world, document("fna"))
    assert importing(world, document("fna")) == [("fna.csv", False, "It is here already.", 0)]
    assert importing(world, document("new"), document("new"))[0][1]
    assert len(world.alder.desk.index.records_of(world.alice.person_id)) == 2


def test_nothing_is_half_imported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the second record: the first leaves nothing behind either."""
    sealed: list[object] = []

    def full(*arguments: object, **named: object) -> object:
        if sealed:
            raise RefusedError("It could not be stored: no space. Make room and import it again.")
        sealed.append(seal_record(*arguments, **named))  # type: ignore[arg-type]
        return sealed[0]

    monkeypatch.setattr("app.custodian.imports.seal_record", full)
    outcomes = importing(world, document("one"), document("two"))
    assert [(accepted, reason[:22]) for _, accepted, reason, _ in outcomes] == [(False, "It could not be stored")] * 2
    assert stored(world) == []
    assert world.alder.desk.index.records_of(world.alice.person_id) == []


def test_only_own_staff_imports(world: World) -> None:
    for signer, code in (
        (world.dan.signer, "wrong-organization"),
        (world.alice.signers["Alder"], "not-enrolled"),
        (world.alder.staff["officer"].signer, "wrong-role"),
    ):
        with pytest.raises(CustodianRefusal) as caught:
            world.alder.client.import_files(signer, world.alice.person_id, [document("fna")])
        assert caught.value.code == code


def test_an_unknown_person_gets_no_records(world: World) -> None:
    with pytest.raises(CustodianRefusal, match="refused"):
        world.alder.client.import_files(world.carol.signer, "a" * 26, [document("fna")])


@pytest.mark.parametrize("change", [b"", b"x"])
def test_the_bytes_must_be_those_that_were_signed_for(world: World, change: bytes) -> None:
    client = CustodianClient(
        lambda message: world.alder.custodian.handle(message[:-1] + change + change),
        world.ledger.network_id,
        "Alder",
        lambda: world.alder.receipt_key.public_key,
        clock=world.clock,
    )
    with pytest.raises((CustodianRefusal, ReplyError), match="malformed"):
        client.import_files(world.carol.signer, world.alice.person_id, [document("fna")])


def test_many_records_are_registered_in_batches(world: World) -> None:
    """More than 50 records and more than 64 KiB of arguments."""
    files = [document(f"fna {number:03d}", date=f"2026-01-{number % 28 + 1:02d}") for number in range(120)]
    record_ids = world.alder.import_documents(world.alice, *files)
    assert len(set(record_ids.values())) == 120
    for record_id in record_ids.values():
        assert world.alder.desk.find("record", world.alice.patient_id, record_id) is not None


def test_what_a_crash_left_unregistered_is_registered_at_the_next_import(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise CustodianRefusal("not-yet-committed")

    with monkeypatch.context() as patched:
        patched.setattr("app.custodian.desk.Desk.submit", unreachable)
        with pytest.raises(CustodianRefusal, match="not-yet-committed"):
            world.alder.client.import_files(world.carol.signer, world.alice.person_id, [document("one")])
    importing(world, document("two"))
    shared = world.alder.desk.index.shared_of(world.alice.patient_id)
    assert len(shared) == 2
    assert all(world.alder.desk.find("record", each.patient_id, each.record_id) for each in shared)
