"""What the ledger makes the custodian do: honour consents, tell patients, post receipts (A18, A27, E.4).

``follow`` goes through the events of verified blocks once each; ``settle`` does again what a crash left half done and
posts what is owed. Both are called by a thread of wiring, and directly by tests.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Final

from app.custodian.artefacts import is_faithful
from app.custodian.decoding import decode_terms
from app.custodian.desk import Desk
from app.custodian.entries import Link
from app.custodian.journal import JournalError, JournalKind
from app.custodian.messages import CustodianRefusal, member, number, text
from app.custodian.notices import KEY, notify, stop
from app.custodian.registration import public_key_in
from app.custodian.sharing import share_with
from ledger import merkle
from ledger.blocks import envelopes_of, hash_of, header_of
from ledger.contract.canonical import Json, encode, load
from ledger.contract.limits import RELEASES_MAX
from ledger.encoding import from_base64
from ledger.faults import LedgerFaultError
from ledger.gateway import Event

BATCH_SECONDS: Final = 60
HEAD_DEPTH: Final = 5
_CHECKPOINT: Final = "events"
_TOLD: Final = "journal-told"
_POSTED_AT: Final = "releases-posted-at"
BACKED_UP_AT: Final = "key-table-backed-up-at"
_DAY: Final = 86_400


def follow(desk: Desk) -> None:
    """Take new blocks and act on their events, each once; the checkpoint is written after the act."""
    catch_up(desk)
    raw = desk.index.progress(_CHECKPOINT)
    block, transaction_id = json.loads(raw) if raw else (0, "")
    for event in desk.replica.events(block, transaction_id):
        act = _ACTS.get(event.name)
        if act is not None and desk.index.link(str(event.payload.get("patient_id", ""))) is not None:
            act(desk, event)
        desk.index.set_progress(_CHECKPOINT, json.dumps([event.block, event.transaction_id]))


def go_back(desk: Desk) -> None:
    """Act on events anew from the end of an older copy of the ledger, which an operator accepts (A42).

    A consent that the copy calls active and whose end this custodian saw gives nothing out: the patient id is stopped
    until its holder resumes it.
    """
    desk.replica.follow(desk.gateway)
    for patient_id in {
        link.patient_id for held in desk.index.persons() for link in desk.index.links_of(held.person_id)
    }:
        ended = [text(member(each, "content"), "consent_id") for each in _ends(desk, patient_id)]
        back = any((desk.find("consent", patient_id, each) or {}).get("status") == "active" for each in ended)
        if back and desk.index.stopped(patient_id) is None:
            stop(desk, patient_id, "ledger-went-back")
    raw = desk.index.progress(_CHECKPOINT)
    if raw and json.loads(raw)[0] >= desk.replica.height:
        desk.index.set_progress(_CHECKPOINT, json.dumps([desk.replica.height, ""]))


def _ends(desk: Desk, patient_id: str) -> list[dict[str, Json]]:
    return [each for each in desk.index.notices_of(patient_id) if each["kind"] == "consent-revoked"]


def catch_up(desk: Desk) -> None:
    """Take new blocks, and see that the journal still holds what they say of it."""
    desk.replica.follow(desk.gateway)
    compare_journal(desk)


def compare_journal(desk: Desk) -> None:
    """Compare the journal with what was posted from it, in the blocks that are new; after opening, in all (A12).

    Every receipt on the ledger must be here with its row, and the newest head that was posted must be a row: it fixes
    every row before it, earlier heads too, even if somebody wrote the whole chain again. Rows after that head, of the
    last minute, are not on the ledger yet; of those a recipient's receipt tells. A difference is for good: see
    ``Journal.fault``.
    """
    journal, height = desk.journal, desk.replica.height
    if journal.fault or journal.compared == height:
        return
    try:
        if not journal.compared:
            journal.verify()
        posted = [event for event in desk.replica.events(journal.compared) if _is_own(desk, event, height)]
        _compare_posted(desk, posted)
    except (JournalError, LedgerFaultError) as found:
        journal.fault = str(found)
    journal.compared = height


def _compare_posted(desk: Desk, posted: list[Event]) -> None:
    for patient_id, access_id in {pair for event in posted for pair in _released(event)}:
        committed = desk.find("release", patient_id, access_id) or {}
        if desk.journal.find_receipt(patient_id, access_id) != committed.get("receipt"):
            raise JournalError(f"a release on the ledger is not in the journal: {access_id}")
    if posted and not desk.journal.contains(*_posted_head(desk, posted[-1])):
        raise JournalError("the journal does not contain the head on the ledger")


def _is_own(desk: Desk, event: Event, height: int) -> bool:
    return event.name == "ReleasesRecorded" and event.payload["msp_id"] == desk.msp_id and event.block < height


def _released(event: Event) -> list[tuple[str, str]]:
    releases = event.payload["releases"]
    rows = releases if isinstance(releases, list) else []
    return [(str(row["patient_id"]), str(row["access_id"])) for row in rows if isinstance(row, dict)]


def _posted_head(desk: Desk, event: Event) -> tuple[int, str]:
    """Return the journal's head that a verified ``RecordReleases`` states; the block that holds it is read again.

    Raises:
        JournalError, LedgerFaultError: the gateway shows another block than the one that was verified.
    """
    untrusted_block = next(iter(desk.gateway.blocks(event.block)), b"")
    header, envelopes = header_of(untrusted_block), envelopes_of(untrusted_block)
    root = merkle.root([merkle.leaf_hash(each) for each in envelopes]).hex()
    if hash_of(header) != desk.replica.block_hash(event.block) or load(header)["merkle_root"] != root:
        raise JournalError("the stored block is not the verified one")
    for each in envelopes:
        transaction = member(load(each), "transaction")
        identity = from_base64(text(transaction, "nonce")) + encode(transaction["creator"])
        if hashlib.sha256(identity).hexdigest() == event.transaction_id:
            head = member(load(str(transaction["arguments"]).encode()), "journal")
            return number(head, "sequence"), text(head, "hash")
    raise JournalError("the verified block does not hold its entry")


def tell_openings(desk: Desk) -> None:
    """Tell patients who opened their records, from the journal, so that a release does not wait for it (L3)."""
    raw = desk.index.progress(_TOLD)
    for row in desk.journal.rows_after(int(raw) if raw else 0):
        entry = row.entry
        opened = entry.kind in (JournalKind.RELEASE, JournalKind.INDEX) and entry.subject != entry.patient_id
        access = desk.find("access", entry.patient_id, entry.access_id) if opened else None
        if access is not None and desk.index.link(entry.patient_id) is not None:
            content: dict[str, Json] = {name: access[name] for name in ("by", "purpose", "kind", "at")}
            notify(desk, entry.patient_id, "opened", {**content, "access_id": entry.access_id})
        desk.index.set_progress(_TOLD, str(row.sequence))


def settle(desk: Desk, *, force: bool = False) -> None:
    """Post what is owed to the ledger, tell patients of openings, and back the key table up once a day.

    Args:
        desk: the custodian.
        force: post receipts now, whether or not a batch is full or a minute has passed.
    """
    now = desk.clock()
    tell_openings(desk)
    post_owed(desk)
    if (
        force
        or _is_due(desk, _POSTED_AT, now, BATCH_SECONDS)
        or len(desk.journal.unposted(RELEASES_MAX)) == RELEASES_MAX
    ):
        post_releases(desk)
        desk.index.set_progress(_POSTED_AT, str(now))
    if _is_due(desk, BACKED_UP_AT, now, _DAY):
        desk.keys.backup(now)
        desk.index.set_progress(BACKED_UP_AT, str(now))


def post_releases(desk: Desk) -> None:
    """Put the receipts of releases on the ledger, with the heads of ledger and journal (A10, A12)."""
    while waiting := desk.journal.unposted(RELEASES_MAX):
        known = [each.access_id for each in waiting if desk.find("release", each.patient_id, each.access_id)]
        if known:  # a crash came between the commit and the note of it
            desk.journal.mark_posted(known, "found")
            continue
        lost = [each.access_id for each in waiting if desk.find("access", each.patient_id, each.access_id) is None]
        if lost:  # nothing is released without an entry: the entry was on the newer copy of a ledger that went back
            desk.journal.mark_posted(lost, "lost")
            continue
        block = max(0, desk.replica.height - 1 - HEAD_DEPTH)
        sequence, head = desk.journal.head
        arguments = {
            "items": [
                {"patient_id": each.patient_id, "access_id": each.access_id, "receipt": each.receipt}
                for each in waiting
            ],
            "head": {"number": block, "hash": desk.replica.block_hash(block)},
            "journal": {"sequence": sequence, "hash": head},
        }
        commit = desk.submit("RecordReleases", arguments)
        desk.journal.mark_posted([each.access_id for each in waiting], commit.transaction_id)


def owe(desk: Desk, name: str, arguments: dict[str, Json]) -> None:
    """Promise, on disk, to post the end of a record or a patient id once it is destroyed; a newer promise counts."""
    for key, value in desk.index.owed():
        if value["name"] == name and _named(value["arguments"]) == _named(arguments):
            desk.index.remove_owed(key)
    desk.index.put_owed(desk.new_id(), {"name": name, "arguments": arguments})


def post_owed(desk: Desk) -> list[str]:
    """Post what is owed and true by now, or try again what the ledger has not taken yet; return the transaction ids."""
    posted = []
    for key, value in desk.index.owed():
        arguments = value["arguments"]
        if isinstance(arguments, dict) and _is_destroyed(desk, *_named(arguments)):
            posted.append(_post(desk, key, str(value["name"]), arguments))
    return [each for each in posted if each]


def _named(arguments: Json) -> tuple[str, str]:
    """Return the patient id and the record id, or empty, that a promise is about."""
    named = arguments if isinstance(arguments, dict) else {}
    return str(named.get("patient_id", "")), str(named.get("record_id", ""))


def _is_destroyed(desk: Desk, patient_id: str, record_id: str) -> bool:
    """Tell whether the keys are gone: a record's go before what names it, those of a pair's records before its own."""
    if record_id:
        return desk.index.shared(patient_id, record_id) is None
    return desk.keys.tag_key(patient_id) is None


def _post(desk: Desk, key: str, name: str, arguments: dict[str, Json]) -> str:
    try:
        commit = desk.submit(name, arguments)
    except CustodianRefusal as refused:
        if refused.code == "not-yet-committed":
            return ""
        desk.index.remove_owed(key)  # the ledger says it is done, or can never be
        return ""
    desk.index.remove_owed(key)
    return commit.transaction_id


def _is_due(desk: Desk, name: str, now: int, seconds: int) -> bool:
    before = desk.index.progress(name)
    return not before or now - int(before) >= seconds


def _consent_granted(desk: Desk, event: Event) -> None:
    """Honour a consent whose artefact is here and compiles to it; else raise the alarm. Tell the patient either way."""
    patient_id, consent_id = str(event.payload["patient_id"]), str(event.payload["consent_id"])
    link, consent = desk.index.link(patient_id), desk.find("consent", patient_id, consent_id)
    if link is None or consent is None or event.payload["status"] != "active":
        return
    content: dict[str, Json] = {
        "consent_id": consent_id,
        "granted_at": consent["granted_at"],
        "performer": consent["performer"],
        **decode_terms(desk, patient_id, consent["granted"], link.grantee),
    }
    if not is_faithful(desk, patient_id, consent_id):
        desk.index.flag(patient_id, consent_id, {"code": "artefact-mismatch", "at": desk.clock()})
        notify(desk, patient_id, "artefact-mismatch", content)
        return
    if consent["status"] == "active":
        _share(desk, link)
    notify(desk, patient_id, "consent-granted", content)


def _share(desk: Desk, link: Link) -> None:
    """Register what the consent reaches. What the ledger refuses for good must not hold up the events after it."""
    try:
        share_with(desk, link)
    except CustodianRefusal as refused:
        if refused.code == "not-yet-committed":
            raise
        desk.index.flag(link.patient_id, "records", {"code": refused.code, "at": desk.clock()})


def _consent_ended(desk: Desk, event: Event) -> None:
    notify(desk, str(event.payload["patient_id"]), "consent-revoked", {"consent_id": event.payload["consent_id"]})


def _key_set(desk: Desk, event: Event) -> None:
    """Raise the alarm over a key that this custodian did not certify, where the patient reads it (A30).

    She cannot sign under that id herself any more, so she is told under her own hospital's; the notice's code stops the
    id that is in other hands.
    """
    patient_id = str(event.payload["patient_id"])
    link, patient = desk.index.link(patient_id), desk.find("patient", patient_id)
    if link is None or patient is None or _certified(link) == patient["key_hash"]:
        return
    desk.index.flag(patient_id, KEY, {"code": "wrong-key", "at": desk.clock()})
    own = desk.index.find_pair(link.person_id, desk.msp_id) or link
    notify(desk, own.patient_id, "key-set", {"key_hash": patient["key_hash"]}, about=patient_id)


def _certified(link: Link) -> str:
    """Return the hash of the key that was certified for a pair, or empty."""
    if not link.certificate:
        return ""
    return hashlib.sha256(public_key_in(link.certificate)).hexdigest()


def _record_erased(desk: Desk, event: Event) -> None:
    notify(desk, str(event.payload["patient_id"]), "record-erased", {"record_id": event.payload["record_id"]})


_ACTS: Final[dict[str, Callable[[Desk, Event], None]]] = {
    "ConsentGranted": _consent_granted,
    "ConsentRevoked": _consent_ended,
    "PatientKeySet": _key_set,
    "RecordErased": _record_erased,
}
