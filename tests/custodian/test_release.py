"""Each of the 17 checks of PROTOCOL.md E.3, broken once: the first that fails answers, and is in the journal."""

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.consent import artefact
from app.consent.terms import Party
from app.custodian.client import CustodianClient
from app.custodian.journal import JournalKind
from app.custodian.messages import (
    MESSAGE_MAX,
    SUITE,
    CustodianRefusal,
    ReplyError,
    frame,
    member,
    open_sealed,
    to_text,
    unframe,
)
from app.custodian.release import _check_openings
from app.custodian.results import Opening
from app.identity.badges import BadgeOpening
from app.identity.certificates import Role
from app.identity.signing import SigningIdentity
from ledger.commitments import commitment
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json, encode
from ledger.gateway import CommitError
from ledger.signatures import signed_bytes, spki
from tests.support.custody import DAY, Opened, Staff, World, document

PIXELS = "fna"


@pytest.fixture
def shared(world: World) -> str:
    """The id of alice towards Birch, with one record that dan may open."""
    world.alder.import_documents(world.alice, document(PIXELS))
    return world.share(world.dan, world.alice)


def opened(world: World, patient_id: str, **changed: object) -> Opened:
    row = world.list(world.dan, patient_id).rows[0]
    return world.open(world.dan, patient_id, row.record_id, **changed)


def refusal(world: World, opening: Opened, **changed: object) -> CustodianRefusal:
    """Return how a release is refused, and see that the refusal is in the journal."""
    with pytest.raises(CustodianRefusal) as caught:
        world.release(opening, **changed)
    last = list(world.alder.desk.journal.rows())[-1].entry
    assert (last.kind, last.code) == (JournalKind.REFUSE, caught.value.code)
    assert last.access_id == opening.access.access_id
    return caught.value


def request(world: World, opening: Opened, **changed: object) -> dict[str, object]:
    """Return the fields of a release request that would succeed."""
    return {
        "type": "release-request",
        "network_id": world.ledger.network_id,
        "custodian_msp": "Alder",
        "access_id": opening.access.access_id,
        "patient_id": opening.access.patient_id,
        "release_key": to_text(opening.release_key.public_key().public_bytes_raw()),
        "suite": SUITE,
        "openings": {"badge": opening.by.badge.to_wire()},
        "nonce": to_text(os.urandom(16)),
        "at": world.clock(),
        **changed,
    }


def signed(world: World, fields: dict[str, object], signer: SigningIdentity) -> bytes:
    signature = signer.sign(signed_bytes(str(fields["type"]), world.ledger.network_id, encode(fields)))
    outer = {
        "message": fields,
        "msp_id": signer.msp_id,
        "certificate": to_text(signer.certificate),
        "signature": to_text(signature),
    }
    return frame(outer)


def answer(world: World, message: bytes) -> dict[str, Json]:
    return member(unframe(world.alder.custodian.handle(message))[0], "reply")


def test_every_check_passes(world: World, shared: str) -> None:
    opening = opened(world, shared)
    assert answer(world, signed(world, request(world, opening), world.dan.signer))["type"] == "release"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda _: b"{" + b" " * MESSAGE_MAX + b"}", "malformed"),
        (lambda raw: raw.replace(b'{"certificate"', b'{ "certificate"', 1), "malformed"),
        (lambda raw: raw.replace(b'"type":"release-request"', b'"type":"release-request2"'), "wrong-key"),
        (lambda _: b"[]", "malformed"),
        (lambda _: b'{"message":{"type":"release-request"}}', "malformed"),
    ],
)
def test_1_form(world: World, shared: str, spoil: Callable[[bytes], bytes], code: str) -> None:
    message = signed(world, request(world, opened(world, shared)), world.dan.signer)
    assert answer(world, spoil(message))["code"] == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"network_id": "0" * 64}, "malformed"),
        ({"custodian_msp": "Birch"}, "wrong-organization"),
        ({"extra": ""}, "malformed"),
        ({"suite": "none"}, "malformed"),
        ({"release_key": "AAAA"}, "malformed"),
        ({"type": "release-please"}, "unknown-transaction"),
    ],
)
def test_1_address_and_members(world: World, shared: str, changed: dict[str, object], code: str) -> None:
    fields = request(world, opened(world, shared), **changed)
    assert answer(world, signed(world, fields, world.dan.signer))["code"] == code


def test_2_another_signature(world: World, shared: str) -> None:
    opening = opened(world, shared)
    fields = request(world, opening)
    outer = unframe(signed(world, fields, world.dan.signer))[0]
    forged = unframe(signed(world, fields, world.mallory.signer))[0]
    assert answer(world, frame({**outer, "signature": forged["signature"]}))["code"] == "wrong-key"


def test_2_a_certificate_of_another_ca(world: World, shared: str) -> None:
    opening = opened(world, shared)
    foreign = SigningIdentity("Alder", world.dan.signer.certificate, _key(world.dan))
    assert refusal(world, opening, signer=foreign).code == "not-enrolled"


def test_2_an_unknown_organization(world: World, shared: str) -> None:
    opening = opened(world, shared)
    foreign = SigningIdentity("Cedar", world.dan.signer.certificate, _key(world.dan))
    assert refusal(world, opening, signer=foreign).code == "unknown-organization"


def test_2_a_certificate_without_a_member_entry(world: World, shared: str) -> None:
    opening = opened(world, shared)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = world.birch.authority.issue(spki(key.public_key()), "a" * 26, Role.PRACTITIONER, world.clock())
    assert refusal(world, opening, signer=SigningIdentity("Birch", certificate, key)).code == "not-enrolled"


def test_2_the_same_subject_with_another_key(world: World, shared: str) -> None:
    opening = opened(world, shared)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = world.birch.authority.issue(
        spki(key.public_key()), world.dan.subject, Role.PRACTITIONER, world.clock()
    )
    assert refusal(world, opening, signer=SigningIdentity("Birch", certificate, key)).code == "wrong-key"


def test_2_a_member_suspended_since(world: World, shared: str) -> None:
    opening = opened(world, shared)
    world.submit(world.birch.staff["registrar"].signer, "SuspendMember", {"subject": world.dan.subject})
    assert refusal(world, opening).code == "suspended"


@pytest.mark.parametrize(("offset", "code"), [(-121, "clock-skew"), (121, "clock-skew"), (-120, ""), (120, "")])
def test_3_the_clock(world: World, shared: str, offset: int, code: str) -> None:
    opening = opened(world, shared)
    fields = request(world, opening, at=world.clock() + offset)
    reply = answer(world, signed(world, fields, world.dan.signer))
    assert (reply.get("code", ""), reply["type"]) == (code, "refusal" if code else "release")


def test_3_a_nonce_is_used_once(world: World, shared: str) -> None:
    message = signed(world, request(world, opened(world, shared)), world.dan.signer)
    assert answer(world, message)["type"] == "release"
    assert answer(world, message)["code"] == "already-exists"


def test_4_an_access_that_is_not_committed(world: World, shared: str) -> None:
    fields = request(world, opened(world, shared), access_id="0" * 64)
    assert answer(world, signed(world, fields, world.dan.signer))["code"] == "not-yet-committed"


def test_5_another_practitioner(world: World, shared: str) -> None:
    opening = opened(world, shared)
    assert refusal(world, opening, signer=world.mallory.signer, badge=world.mallory.badge).code == "forbidden"


def test_6_another_release_key(world: World, shared: str) -> None:
    opening = opened(world, shared)
    assert refusal(world, opening, release_key=X25519PrivateKey.generate()).code == "wrong-release-key"


def test_6_another_release_key_after_the_release(world: World, shared: str) -> None:
    opening = opened(world, shared)
    world.release(opening)
    assert refusal(world, opening, release_key=X25519PrivateKey.generate()).code == "wrong-release-key"


def test_7_another_custodian(world: World, shared: str) -> None:
    opening = opened(world, shared)
    birch = CustodianClient(
        world.birch.custodian.handle,
        world.ledger.network_id,
        "Birch",
        lambda: world.birch.receipt_key.public_key,
        clock=world.clock,
    )
    with pytest.raises(CustodianRefusal) as caught:
        birch.release(world.dan.signer, opening.access, opening.release_key, world.follower, badge=world.dan.badge)
    assert caught.value.code == "wrong-organization"


def test_7_an_erased_patient(world: World, shared: str) -> None:
    opening = opened(world, shared)
    world.alder.client.erase_person(world.alder.staff["registrar"].signer, world.alice.person_id)
    assert refusal(world, opening).code == "illegal-transition"


@pytest.mark.parametrize(("later", "code"), [(300, ""), (301, "entry-too-old")])
def test_8_an_entry_opens_for_five_minutes(world: World, shared: str, later: int, code: str) -> None:
    opening = opened(world, shared)
    world.clock.now += later
    if code:
        assert refusal(world, opening).code == code
    else:
        assert world.release(opening).items


def test_8_endorse_now_and_submit_later(world: World, shared: str) -> None:
    """ATTACKS.md A6: the entry is committed, and too old to open anything."""
    row = world.list(world.dan, shared).rows[0]
    release_key = X25519PrivateKey.generate()
    prepared = world.ledger.prepare(
        world.dan.signer,
        "OpenRecords",
        {
            "patient_id": shared,
            "kind": "open",
            "action": "access",
            "device": "",
            "purpose": "TREAT",
            "items": [{"record_id": row.record_id, "version": 1}],
            "release_key_hash": hashlib.sha256(release_key.public_key().public_bytes_raw()).hexdigest(),
            "emergency_id": "",
        },
    )
    world.clock.now += 301
    commit = world.ledger.submit(prepared)
    late = Opened(world.committed(shared, commit.transaction_id), release_key, world.dan)
    assert refusal(world, late).code == "entry-too-old"


def test_8_an_entry_of_the_future(world: World, shared: str) -> None:
    opening = opened(world, shared)
    world.clock.now -= 121
    assert refusal(world, opening).code == "clock-skew"


def test_8_the_end_of_the_consent(world: World, shared: str) -> None:
    world.clock.now += 7 * DAY - 60
    opening = opened(world, shared)
    assert opening.access.value["until"] == world.clock.now + 60
    world.clock.now += 60
    assert refusal(world, opening).code == "expired"


def test_9_a_stop_by_the_patient(world: World, shared: str) -> None:
    opening = opened(world, shared)
    signer = world.alice.signers["Birch"]
    world.alder.client.suspend(signer, shared)
    assert refusal(world, opening).code == "stopped-by-patient"
    world.alder.client.resume(signer, shared)
    assert world.release(opening).items


def test_10_a_revocation_between_commit_and_release(world: World, shared: str) -> None:
    opening = opened(world, shared)
    world.submit(world.alice.signers["Birch"], "RevokeConsent", {"patient_id": shared, "consent_id": "c1"})
    refused = refusal(world, opening)
    assert (refused.code, refused.detail) == ("denied", "NOT_ACTIVE")


def test_10_a_revocation_makes_an_access_in_flight_invalid(world: World, shared: str) -> None:
    row = world.list(world.dan, shared).rows[0]
    arguments = {
        "patient_id": shared,
        "kind": "open",
        "action": "access",
        "device": "",
        "purpose": "TREAT",
        "items": [{"record_id": row.record_id, "version": 1}],
        "release_key_hash": "0" * 64,
        "emergency_id": "",
    }
    flying = world.ledger.prepare(world.dan.signer, "OpenRecords", arguments)
    world.submit(world.alice.signers["Birch"], "RevokeConsent", {"patient_id": shared, "consent_id": "c1"})
    with pytest.raises(CommitError):
        world.ledger.submit(flying)


def test_10_an_entry_that_denied(world: World, shared: str) -> None:
    opening = opened(world, shared, purpose="HRESCH")
    refused = refusal(world, opening)
    assert (refused.code, refused.detail) == ("denied", "PURPOSE_NOT_COVERED")


def test_10_a_block_of_the_person_since(world: World, shared: str) -> None:
    opening = opened(world, shared)
    blocked = world.terms(world.dan).grantee
    signing = artefact.Signing(Party(shared, "Alder", "Alder Hospital"), "c2", world.clock())
    world.grant(world.alice, "Birch", "c2", artefact.block(blocked, signing, emergency_opens=False))
    refused = refusal(world, opening)
    assert (refused.code, refused.detail) == ("denied", "DENY_OVERRIDES")


def test_11_a_label_that_the_custodian_would_not_write(world: World, shared: str) -> None:
    opening = opened(world, shared)
    desk = world.alder.desk
    held = desk.index.records_of(world.alice.person_id)[0]
    desk.index.put_record(replace(held, inputs={**held.inputs, "dates": ["2026-06-16"]}))
    assert refusal(world, opening).code == "label-mismatch"


def test_12_an_artefact_that_is_not_here(world: World, shared: str) -> None:
    opening = opened(world, shared)
    world.alder.desk.index._artefacts.remove(f"{shared}/c1")
    assert refusal(world, opening).code == "artefact-mismatch"


def test_12_an_artefact_that_says_less_than_the_ledger(world: World, shared: str) -> None:
    """ATTACKS.md A28: the screen showed one day, the ledger says seven."""
    opening = opened(world, shared)
    shown = world.sharing(world.alice, "c1", world.terms(world.dan, keep_open_days=1)).to_bytes()
    kept = world.alder.desk.index.artefact(shared, "c1")
    assert kept is not None
    world.alder.desk.index.put_artefact(shared, "c1", Opening(shown, kept.salt))
    assert refusal(world, opening).code == "artefact-mismatch"


@pytest.mark.parametrize("badge", ["", "other", "salt"])
def test_13_the_badge(world: World, shared: str, badge: str) -> None:
    opening = opened(world, shared)
    own = world.dan.badge
    worn = {"": None, "other": world.mallory.badge, "salt": BadgeOpening(own.badge, bytes(32))}[badge]
    assert refusal(world, opening, badge=worn).code == "badge-mismatch"


def test_14_the_same_request_gets_the_same_bytes(world: World, shared: str) -> None:
    opening = opened(world, shared)
    first = world.release(opening)
    again = world.release(opening)
    assert again.reply == first.reply
    rows = [row for row in world.alder.desk.journal.rows() if row.entry.access_id == opening.access.access_id]
    assert [row.entry.kind for row in rows] == [JournalKind.RELEASE]


def test_14_a_crash_between_journal_and_reply(world: World, shared: str) -> None:
    opening = opened(world, shared)
    reply = world.alder.custodian.handle(signed(world, request(world, opening), world.dan.signer))  # and it is lost
    world.alder.close()
    world.alder.start()
    assert world.release(opening).reply == reply


def test_15_an_object_that_is_gone(world: World, shared: str) -> None:
    opening = opened(world, shared)
    held = world.alder.desk.index.records_of(world.alice.person_id)[0]
    version = world.alder.desk.index.version(held.internal_id, 1)
    assert version is not None
    world.alder.desk.store.delete(next(name for name in version.sizes if name != version.manifest_name))
    assert refusal(world, opening).code == "object-mismatch"


def test_15_a_manifest_that_is_not_the_committed_one(world: World, shared: str) -> None:
    opening = opened(world, shared)
    held = world.alder.desk.index.records_of(world.alice.person_id)[0]
    version = world.alder.desk.index.version(held.internal_id, 1)
    assert version is not None
    world.alder.desk.index.put_version(replace(version, manifest_digest="0" * 64))
    assert refusal(world, opening).code == "object-mismatch"


def test_16_the_journal_holds_the_release_before_the_answer(world: World, shared: str) -> None:
    opening = opened(world, shared)
    released = world.release(opening)
    row = list(world.alder.desk.journal.rows())[-1]
    assert (row.sequence, row.hash) == (released.journal_sequence, released.journal_hash)
    reply = member(unframe(released.reply)[0], "reply")
    said = {name: value for name, value in reply.items() if name != "journal"}
    assert row.entry.digest == hashlib.sha256(encode(said)).hexdigest()


def test_17_what_the_reply_seals_is_bound_to_its_entry(world: World, shared: str) -> None:
    """Another description (record, purpose, end) does not open it, nor does another key."""
    opening = opened(world, shared)
    released = world.release(opening)
    item = member(unframe(released.reply)[0], "reply")["items"]
    assert isinstance(item, list)
    sealed = item[0]
    assert isinstance(sealed, dict)
    with pytest.raises(ReplyError):
        open_sealed(opening.release_key, b"{}", base64.b64decode(str(sealed["sealed"])))


def test_the_recipient_believes_only_the_custodian_of_the_ledger(world: World, shared: str) -> None:
    opening = opened(world, shared)
    impostor = world.birch.receipt_key

    def swapped(message: bytes) -> bytes:
        reply = member(unframe(world.alder.custodian.handle(message))[0], "reply")
        signature = impostor.sign(signed_bytes("release", world.ledger.network_id, encode(reply)))
        return frame({"reply": reply, "signature": to_text(signature)})

    client = CustodianClient(
        swapped, world.ledger.network_id, "Alder", lambda: world.alder.receipt_key.public_key, clock=world.clock
    )
    with pytest.raises(ReplyError):
        client.release(world.dan.signer, opening.access, opening.release_key, world.follower, badge=world.dan.badge)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda reply: {**reply, "access_id": "0" * 64},
        lambda reply: {**reply, "block": {"number": 1, "hash": "0" * 64}},
        lambda reply: {**reply, "until": reply["until"] + 1},
        lambda reply: {**reply, "items": []},
        lambda reply: {**reply, "items": [*reply["items"], *reply["items"]]},
        lambda reply: {**reply, "items": [{**reply["items"][0], "version": 2}]},
        lambda reply: {**reply, "items": [{**reply["items"][0], "sealed": to_text(bytes(122))}]},
        lambda reply: {**reply, "network_id": "0" * 64},
    ],
)
def test_the_recipient_refuses_what_its_own_entry_does_not_say(
    world: World, shared: str, spoil: Callable[[dict[str, Json]], dict[str, Json]]
) -> None:
    """A rogue custodian signs something else: nothing is opened (A12)."""
    opening = opened(world, shared)

    def rogue(message: bytes) -> bytes:
        reply = spoil(member(unframe(world.alder.custodian.handle(message))[0], "reply"))
        signature = world.alder.receipt_key.sign(signed_bytes("release", world.ledger.network_id, encode(reply)))
        return frame({"reply": reply, "signature": to_text(signature)})

    client = CustodianClient(
        rogue, world.ledger.network_id, "Alder", lambda: world.alder.receipt_key.public_key, clock=world.clock
    )
    with pytest.raises(ReplyError):
        client.release(world.dan.signer, opening.access, opening.release_key, world.follower, badge=world.dan.badge)


def test_a_declared_reason_must_be_opened(world: World, shared: str) -> None:
    """Check 13's second half; the transaction that declares comes later, so the state is written as it will be."""
    opening = opened(world, shared)
    reason, salt = b"unconscious after a fall", os.urandom(32)
    desk = world.alder.desk
    emergency = {"reason_commitment": commitment(salt, reason)}
    desk.replica._values[("emergency", shared, "e1")] = (encode(emergency), 0)
    stated = {**opening.access.value, "emergency_id": "e1"}

    class Access:
        patient_id, access_id, value = shared, "", stated

    caller = world.dan.signer
    member_entry = desk.find("member", "Birch", world.dan.subject) or {}
    who = Caller("Birch", caller.subject, "practitioner", caller.key_hash)
    badge = world.dan.badge.to_wire()
    right = {"openings": {"badge": badge, "reason": {"content": reason.decode(), "salt": to_text(salt)}}}
    _check_openings(desk, Access(), right, who, member_entry)  # type: ignore[arg-type]
    kept = desk.index.reason(shared, "e1")
    assert kept == Opening(reason, salt)
    for wrong in ({"badge": badge}, {"badge": badge, "reason": {"content": "other", "salt": to_text(salt)}}):
        with pytest.raises(CustodianRefusal, match="badge-mismatch"):
            _check_openings(desk, Access(), {"openings": wrong}, who, member_entry)  # type: ignore[arg-type]


def test_a_halted_replica_releases_nothing(world: World, shared: str) -> None:
    opening = opened(world, shared)
    assert not world.alder.replica.feed(b"no block")
    assert refusal(world, opening).code == "halted"


def _key(who: Staff) -> ec.EllipticCurvePrivateKey:
    key = who.signer._private_key
    assert key is not None
    return key
