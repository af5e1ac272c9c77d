"""What may be fetched and read afterwards: objects, texts, the statement, the proof, receipts on the ledger."""

import hashlib
from collections.abc import Callable

import pytest

from app.custodian.client import CustodianClient
from app.custodian.messages import CustodianRefusal, ReplyError, frame, member, to_text, unframe
from app.records.refusal import IntegrityError
from app.records.sealing import open_manifest
from ledger import merkle
from ledger.blocks import verify_envelope
from ledger.contract.canonical import Json, decode_object, encode
from ledger.encoding import from_base64
from ledger.signatures import load_public_key, signed_bytes, verify_signature
from tests.support.custody import Opened, Staff, World, document


@pytest.fixture
def opening(world: World) -> Opened:
    """An opening of one of two records, not yet released."""
    world.alder.import_documents(world.alice, document("fna"), document("letter", category="document"))
    patient_id = world.share(world.dan, world.alice)
    row = next(row for row in world.list(world.dan, patient_id).rows if row.display == "fna")
    return world.open(world.dan, patient_id, row.record_id)


def names(world: World, display: str) -> list[str]:
    held = next(each for each in world.alder.desk.index.records_of(world.alice.person_id) if each.display == display)
    version = world.alder.desk.index.version(held.internal_id, 1)
    assert version is not None
    return sorted(version.sizes)


def fetch(world: World, opening: Opened, name: str, who: Staff | None = None) -> bytes:
    signer = (who or opening.by).signer
    return world.alder.client.fetch_object(signer, opening.access.patient_id, opening.access.access_id, name)


def test_objects_of_a_released_access_are_given_out(world: World, opening: Opened) -> None:
    world.release(opening)
    for name in names(world, "fna"):
        assert hashlib.sha256(fetch(world, opening, name)).hexdigest() == name


def test_a_large_object_comes_in_parts(world: World, opening: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    world.release(opening)
    monkeypatch.setattr("app.custodian.objects.CHUNK", 100)
    for name in names(world, "fna"):
        assert hashlib.sha256(fetch(world, opening, name)).hexdigest() == name


@pytest.mark.parametrize("what", ["before the release", "other record", "unknown", "other person"])
def test_nothing_else_is_given_out(world: World, opening: Opened, what: str) -> None:
    if what != "before the release":
        world.release(opening)
    name = {"other record": names(world, "letter")[0], "unknown": "0" * 64}.get(what, names(world, "fna")[0])
    with pytest.raises(CustodianRefusal, match="forbidden"):
        fetch(world, opening, name, world.mallory if what == "other person" else None)


@pytest.mark.parametrize(
    ("end", "code"), [("revoked", "denied"), ("over", "expired"), ("stopped", "stopped-by-patient")]
)
def test_objects_end_with_the_opening(world: World, opening: Opened, end: str, code: str) -> None:
    world.release(opening)
    signer, patient_id = world.alice.signers["Birch"], opening.access.patient_id
    if end == "revoked":
        world.submit(signer, "RevokeConsent", {"patient_id": patient_id, "consent_id": "c1"})
    elif end == "over":
        world.clock.now = int(str(opening.access.value["until"]))
    else:
        world.alder.client.suspend(signer, patient_id)
    with pytest.raises(CustodianRefusal) as caught:
        fetch(world, opening, names(world, "fna")[0])
    assert caught.value.code == code


def test_an_object_that_is_gone_is_named_so(world: World, opening: Opened) -> None:
    world.release(opening)
    name = names(world, "fna")[0]
    world.alder.desk.store.delete(name)
    with pytest.raises(CustodianRefusal, match="object-mismatch"):
        fetch(world, opening, name)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda chunk: chunk[:-1] + bytes([chunk[-1] ^ 1]),
        lambda chunk: chunk[:5],
        lambda chunk: chunk[:-1],
    ],
)
def test_what_the_store_changed_is_given_out_untrusted_and_refused_at_opening(
    world: World, opening: Opened, spoil: Callable[[bytes], bytes]
) -> None:
    """The recipient must be able to say what was changed (R3), so bytes come as they are and are never believed."""
    item = world.release(opening).items[0]
    path = world.alder.folder / "objects" / item.manifest_name
    path.write_bytes(spoil(path.read_bytes()))
    untrusted = fetch(world, opening, item.manifest_name)
    with pytest.raises(IntegrityError):
        open_manifest(
            item.identity,
            untrusted,
            name=item.manifest_name,
            salt=item.manifest_salt,
            committed=item.commitment,
            version=item.version,
        )


def test_a_statement_lists_every_release_and_nothing_else(world: World, opening: Opened) -> None:
    patient_id = opening.access.patient_id
    released = world.release(opening)
    world.release(opening)
    with pytest.raises(CustodianRefusal):
        world.release(world.open(world.dan, patient_id, *_ids(opening), purpose="HRESCH"))
    listed = world.list(world.dan, patient_id)
    signer = world.alice.signers["Birch"]
    said = world.alder.client.statement(signer, patient_id)
    assert [(each.kind, each.receipt) for each in said.entries] == [
        ("index", said.entries[0].receipt),
        ("release", released.receipt),
        ("index", listed.receipt),
    ]
    assert {each.by for each in said.entries} == {world.dan.subject}
    assert (said.journal_sequence, said.journal_hash) == world.alder.desk.journal.head
    reply = unframe(said.signed)[0]
    verify_signature(
        load_public_key(world.alder.receipt_key.public_key),
        signed_bytes("statement", world.ledger.network_id, encode(reply["reply"])),
        from_base64(str(reply["signature"])),
    )
    for other in (world.dan.signer, world.alder.staff["registrar"].signer, world.alice.signers["Alder"]):
        with pytest.raises(CustodianRefusal):
            world.alder.client.statement(other, patient_id)


def test_receipts_go_on_the_ledger_with_both_heads(world: World, opening: Opened) -> None:
    released = world.release(opening)
    world.alder.custodian.tick(force=True)
    desk = world.alder.desk
    receipt = desk.find("release", opening.access.patient_id, opening.access.access_id)
    assert receipt is not None
    assert receipt["receipt"] == released.receipt
    assert desk.journal.unposted(10) == []
    event = [each for each in desk.replica.events() if each.name == "ReleasesRecorded"][-1]
    block = next(iter(world.ledger.blocks(event.block))).split(b"\n")
    entry = verify_envelope(block[1], world.ledger.chain.genesis)
    arguments = decode_object(entry.arguments)
    head, journal = member(arguments, "head"), member(arguments, "journal")
    number = head["number"]
    assert isinstance(number, int)
    assert event.block - 1 - number >= 5
    assert head["hash"] == desk.replica.block_hash(number)
    assert (journal["sequence"], journal["hash"]) == desk.journal.head


def test_receipts_wait_for_a_full_batch_or_a_minute(world: World, opening: Opened) -> None:
    world.alder.custodian.tick(force=True)
    world.release(opening)
    world.clock.now += 59
    world.alder.custodian.tick()
    assert len(world.alder.desk.journal.unposted(10)) == 1
    world.clock.now += 1
    world.alder.custodian.tick()
    assert world.alder.desk.journal.unposted(10) == []


def test_a_proof_leads_from_the_entry_to_the_signed_block(world: World, opening: Opened) -> None:
    proof = world.alder.client.proof(opening.access.access_id)
    genesis = world.ledger.chain.genesis
    content = proof.content
    assert (proof.block, proof.block_hash) == (opening.access.block, opening.access.block_hash)
    header, envelope = str(content["header"]).encode(), str(content["envelope"]).encode()
    assert hashlib.sha256(header).hexdigest() == proof.block_hash
    verify_signature(
        load_public_key(genesis.ledger_key),
        signed_bytes("block", genesis.network_id, header),
        from_base64(str(content["block_signature"])),
    )
    assert verify_envelope(envelope, genesis).transaction_id == opening.access.access_id
    path = [bytes.fromhex(str(each)) for each in _items(content["path"])]
    root = bytes.fromhex(str(decode_object(header)["merkle_root"]))
    index, count = content["index"], content["count"]
    assert isinstance(index, int)
    assert isinstance(count, int)
    merkle.verify_path(merkle.leaf_hash(envelope), index, count, path, root)


def test_the_custodians_signature_is_over_the_place_alone(world: World, opening: Opened) -> None:
    """So that a receipt does not hold everything twice."""
    proof = world.alder.client.proof(opening.access.access_id)
    outer, rest = unframe(proof.signed)
    assert rest == b""
    reply = member(outer, "reply")
    assert set(reply) == {"type", "network_id", "request", "transaction_id", "block", "block_hash"}
    verify_signature(
        load_public_key(world.alder.receipt_key.public_key),
        signed_bytes("proof", world.ledger.network_id, encode(reply)),
        from_base64(str(outer["signature"])),
    )


@pytest.mark.parametrize("attachment", [b"", b"{}", b'{"header":"other"}'])
def test_a_proof_about_something_else_is_refused(world: World, opening: Opened, attachment: bytes) -> None:
    def rogue(message: bytes) -> bytes:
        return frame(unframe(world.alder.custodian.handle(message))[0], attachment)

    client = CustodianClient(
        rogue, world.ledger.network_id, "Alder", lambda: world.alder.receipt_key.public_key, clock=world.clock
    )
    with pytest.raises(ReplyError):
        client.proof(opening.access.access_id)


def test_there_is_no_proof_of_what_is_not_there(world: World) -> None:
    with pytest.raises(CustodianRefusal, match="refused"):
        world.alder.client.proof("0" * 64)


def test_the_patient_reads_who_and_what(world: World, opening: Opened) -> None:
    patient_id = opening.access.patient_id
    world.release(opening)
    salt = bytes(32)
    world.alder.client.store_request(world.dan.signer, patient_id, "q9", text="t", reason="r", salt=salt)
    ids = [world.dan.subject, *_ids(opening), "c1", "q9", "unknown"]
    told = world.alder.client.explain(world.alice.signers["Birch"], patient_id, ids)
    assert told.badges == {world.dan.subject: world.dan.badge}
    assert {each.display for each in told.records.values()} == {"fna"}
    assert told.requests["q9"].reason == "r"
    assert told.artefacts["c1"] == world.alder.desk.index.artefact(patient_id, "c1")
    assert told.reasons == {}


def test_a_practitioner_reads_only_what_is_his(world: World, opening: Opened) -> None:
    patient_id = opening.access.patient_id
    world.alder.client.store_request(world.dan.signer, patient_id, "q9", text="t", reason="r", salt=bytes(32))
    ids = [world.dan.subject, *_ids(opening), "c1", "q9"]
    told = world.alder.client.explain(world.dan.signer, patient_id, ids)
    assert set(told.requests) == {"q9"}
    assert not told.records
    assert not told.artefacts
    other = world.alder.client.explain(world.mallory.signer, patient_id, ids)
    assert not any((other.requests, other.records, other.artefacts))
    with pytest.raises(CustodianRefusal, match="wrong-organization"):
        world.alder.client.explain(world.carol.signer, patient_id, ids)


def test_alarms_are_for_offices(world: World) -> None:
    assert world.alder.client.alarms(world.alder.staff["operator"].signer).halted is None
    assert not world.alder.replica.feed(b"no block")
    halted = world.alder.client.alarms(world.alder.staff["officer"].signer).halted
    assert halted is not None
    assert halted[2] == "form"
    with pytest.raises(CustodianRefusal, match="wrong-role"):
        world.alder.client.alarms(world.carol.signer)


def test_a_halted_custodian_refuses_everything_but_a_stop(world: World, opening: Opened) -> None:
    assert not world.alder.replica.feed(b"no block")
    with pytest.raises(CustodianRefusal, match="halted"):
        world.alder.client.people(world.carol.signer)
    assert world.alder.client.suspend(world.alice.signers["Birch"], opening.access.patient_id).at == world.clock()


@pytest.mark.parametrize("changed", [{"network_id": "0" * 64}, {"request": "0" * 64}, {"type": "statement"}])
def test_a_reply_to_something_else_is_refused(world: World, changed: dict[str, Json]) -> None:
    def rogue(message: bytes) -> bytes:
        reply = {**member(unframe(world.alder.custodian.handle(message))[0], "reply"), **changed}
        signature = world.alder.receipt_key.sign(
            signed_bytes(str(reply["type"]), world.ledger.network_id, encode(reply))
        )
        return frame({"reply": reply, "signature": to_text(signature)})

    client = CustodianClient(
        rogue, world.ledger.network_id, "Alder", lambda: world.alder.receipt_key.public_key, clock=world.clock
    )
    with pytest.raises(ReplyError):
        client.people(world.carol.signer)


@pytest.mark.parametrize("reply", [b"", b"{}", b'{"reply":{},"signature":""}', b"no json"])
def test_what_is_no_reply_is_refused(world: World, reply: bytes) -> None:
    client = CustodianClient(
        lambda _: reply, world.ledger.network_id, "Alder", lambda: world.alder.receipt_key.public_key, clock=world.clock
    )
    with pytest.raises(ReplyError):
        client.people(world.carol.signer)


def _ids(opening: Opened) -> list[str]:
    return [str(item["record_id"]) for item in _items(opening.access.value["items"]) if isinstance(item, dict)]


def _items(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value
