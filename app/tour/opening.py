"""The list, openings of each kind, and every way in which an opening is refused."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.records.images import Image, open_images
from app.records.manifest import Manifest
from app.records.phantom import LINES
from app.records.sealing import open_manifest
from app.services.entries import Access, objects, strings
from app.services.openings import DeniedError, Opened, Wanted
from app.services.requests import short_id
from app.services.worklist import RecordRow
from app.tour.beginning import ALMA, CAROL, CLARA, DAN
from app.tour.world import Done, Step, World, code_of
from app.wiring.samples import samples_of
from app.wiring.sandbox import PIN, STAFF
from ledger.contract.canonical import Json
from ledger.gateway import Commit


def _listed(world: World) -> Done:
    desk = world.staff(CAROL)
    world.rows = desk.worklist.list_records(desk.patients.read(world.kept["patient_id"]), "TREAT")
    kinds = sorted({row.category for row in world.rows if row.can_open})
    kept = desk.notebook.read().lists[world.kept["patient_id"]]
    return world.done(f"{', '.join(kinds)} listed, {kept.withheld} withheld", kept.access_id)


def _row(world: World, category: str) -> RecordRow:
    """Return the openable row of a category; of documents the PDF."""
    rows = [row for row in world.rows if row.category == category and row.can_open]
    return next((row for row in rows if "discharge" in row.title), rows[0])


def _opened(world: World, category: str) -> Opened:
    opened = world.staff(CAROL).openings.open(_row(world, category).wanted, "TREAT")
    world.opened[category] = opened
    return opened


def _originals(world: World) -> set[str]:
    today = world.kept["today"]
    alma = next(person for staffing in STAFF for person in staffing.patients if person.name == ALMA)
    return {hashlib.sha256(file.content).hexdigest() for file in samples_of(alma, today)}


def _same_bytes(world: World, category: str) -> Done:
    opened = _opened(world, category)
    found = {hashlib.sha256(content).hexdigest() for content in opened.objects}
    same = found <= _originals(world)
    return world.done(f"{len(opened.objects)} objects, {'same' if same else 'other'} bytes", opened.access_id)


def _images(world: World) -> Done:
    opened = _opened(world, "image")
    shown = list(open_images(world.installation.reader, opened.objects))
    images = [image for image in shown if isinstance(image, Image)]
    found = {hashlib.sha256(content).hexdigest() for content in opened.objects}
    same = "pixel-exact" if found <= _originals(world) and _as_drawn(images) else "other pixels"
    opened.viewed.update(item.name for item in opened.manifest.objects[:3])
    return world.done(f"{len(images)} images, {same}", opened.access_id)


def _as_drawn(images: list[Image]) -> bool:
    """Tell whether the phantom's lines are where they were drawn, in stored values."""
    slice_ = images[LINES[0].slice_number - 1].pixels[0]
    ends = [
        slice_[place]
        for line in LINES
        if line.slice_number == LINES[0].slice_number
        for place in (line.first, line.last)
    ]
    return bool(min(ends) == max(ends) == slice_.max())


def _chart(world: World) -> Done:
    opened = _opened(world, "problem")
    text = bytes(opened.objects[0])
    return world.done("a FHIR bundle" if b'"Bundle"' in text else text[:40].decode(), opened.access_id)


def _denied(world: World, who: str, wanted: Wanted, purpose: str) -> Done:
    """Try to open; say the reason and the consents that decided, or came nearest."""
    desk = world.staff(who)
    arguments = {
        "patient_id": wanted.patient_id,
        "kind": "open",
        "action": "access",
        "device": "",
        "purpose": purpose,
        "items": [{"record_id": wanted.record_id, "version": wanted.version}],
        "release_key_hash": "",
        "emergency_id": "",
    }
    preview = world.machine.gateway.evaluate(desk.identity, "PreviewDecision", arguments)
    try:
        desk.openings.open(wanted, purpose)
    except DeniedError as denied:
        named = _named(world, preview, denied.access)
        access_id = _last(world)
        return Done(f"denied {denied.access.reason}{named}", denied.block, access_id)
    return Done("not denied")


def _named(world: World, preview: Json, access: Access) -> str:
    items = objects(preview["items"]) if isinstance(preview, dict) else []
    nearest = {name.rpartition("#")[0] for item in items for name in strings(item["nearest"])}
    words = []
    if access.consents:
        words.append("by " + _ours(world, access.consents))
    if access.overridden:
        words.append("over " + _ours(world, access.overridden))
    if nearest and not access.consents:
        words.append("nearest " + _ours(world, tuple(sorted(nearest))))
    return ", " + ", ".join(words) if words else ""


def _ours(world: World, consents: tuple[str, ...]) -> str:
    """Return a consent in words that are the same on every tour."""
    known = {world.request: "the consent", world.kept.get("block", "-"): "the refusal"}
    return " and ".join(known.get(each, short_id(each)) for each in consents)


def _last(world: World) -> str:
    events = [event for event in world.machine.catch_up().events() if event.name == "AccessDecided"]
    return events[-1].transaction_id


def _of_ledger(world: World, category: str, *, newest: bool) -> Wanted:
    """Return a record of the patient that the practitioner's list does not show, as she herself knows it."""
    rows = [row for row in world.patient(ALMA).records.rows() if row.category == category]
    row = (rows if newest else rows[::-1])[0]
    return Wanted(row.patient_id, "AlderMSP", row.record_id, row.version)


def _refused_person(world: World) -> Done:
    """She refuses one doctor; a refusal is stronger than a permission."""
    alma = world.patient(ALMA)
    person = next(row.who for row in alma.accesses.rows() if row.who.name == CAROL)
    commit = alma.consents.block_person(person, PIN, emergency_opens=True)
    world.settle()
    world.kept["block"] = next(row.consent_id for row in alma.consents.rows() if row.denies)
    done = _denied(world, CAROL, _row(world, "document").wanted, "TREAT")
    block = next(row for row in alma.consents.rows() if row.denies)
    alma.consents.stop(block, PIN)
    world.kept["block_transaction"] = commit.transaction_id
    world.settle()
    return done


def _withheld(world: World) -> Done:
    rows = [row for row in world.patient(ALMA).records.rows() if "sychiatric" in row.title]
    return _denied(world, CAROL, Wanted(rows[0].patient_id, "AlderMSP", rows[0].record_id, rows[0].version), "TREAT")


def _recorded(world: World, category: str, key: X25519PrivateKey) -> Commit:
    return _submitted(world, _row(world, category).wanted, key)


def _submitted(world: World, wanted: Wanted, key: X25519PrivateKey) -> Commit:
    desk = world.staff(CAROL)
    arguments = {
        "patient_id": wanted.patient_id,
        "kind": "open",
        "action": "access",
        "device": "",
        "purpose": "TREAT",
        "items": [{"record_id": wanted.record_id, "version": wanted.version}],
        "release_key_hash": hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest(),
        "emergency_id": "",
    }
    return world.machine.submission(desk.identity).send("OpenRecords", arguments)


def _release(world: World, commit: Commit, key: X25519PrivateKey) -> str:
    desk = world.staff(CAROL)
    access = world.machine.committed(world.kept["patient_id"], commit.transaction_id)
    client = world.machine.custodians["AlderMSP"]
    return code_of(
        lambda: client.release(desk.identity, access, key, world.machine.replica, badge=desk.patients.badge())
    )


def released(world: World, wanted: Wanted) -> tuple[str, Manifest]:
    """Return the age identity and the manifest of a record, as an opening has them for a moment."""
    desk, key = world.staff(CAROL), X25519PrivateKey.generate()
    commit = _submitted(world, wanted, key)
    access = world.machine.committed(wanted.patient_id, commit.transaction_id)
    client = world.machine.custodians[wanted.custodian]
    item = client.release(desk.identity, access, key, world.machine.replica, badge=desk.patients.badge()).items[0]
    sealed = client.fetch_object(desk.identity, wanted.patient_id, commit.transaction_id, item.manifest_name)
    manifest = open_manifest(
        item.identity,
        sealed,
        name=item.manifest_name,
        salt=item.manifest_salt,
        committed=item.commitment,
        version=item.version,
    )
    return item.identity, manifest


def _another_key(world: World) -> Done:
    key, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    commit = _recorded(world, "document", key)
    first, second = _release(world, commit, key), _release(world, commit, other)
    return world.done(f"first {first}, second {second}", commit.transaction_id)


def _same_key(world: World) -> Done:
    desk, key = world.staff(CAROL), X25519PrivateKey.generate()
    commit = _recorded(world, "document", key)
    access = world.machine.committed(world.kept["patient_id"], commit.transaction_id)
    client = world.machine.custodians["AlderMSP"]
    replies = {
        client.release(desk.identity, access, key, world.machine.replica, badge=desk.patients.badge()).receipt
        for _ in range(2)
    }
    return world.done(f"{len(replies)} reply", commit.transaction_id)


def _too_old(world: World) -> Done:
    key = X25519PrivateKey.generate()
    commit = _recorded(world, "document", key)
    world.clock.ahead += 301
    return world.done(_release(world, commit, key), commit.transaction_id)


def _other_hospital(world: World) -> Done:
    wanted, desk = _row(world, "document").wanted, world.staff(DAN)
    arguments = {
        "patient_id": wanted.patient_id,
        "kind": "open",
        "action": "access",
        "device": "",
        "purpose": "TREAT",
        "items": [{"record_id": wanted.record_id, "version": wanted.version}],
        "release_key_hash": "0" * 64,
        "emergency_id": "",
    }
    return Done(code_of(lambda: world.machine.submission(desk.identity).send("OpenRecords", arguments)))


def _suspended(world: World) -> Done:
    registrar, nurse = world.staff("Rita Roster"), world.staff("Nurse Nora Placeholder")
    commit = registrar.people.suspend(nurse.identity.subject)
    wanted = _row(world, "document").wanted
    return world.done(code_of(lambda: nurse.openings.open(wanted, "TREAT")), commit.transaction_id)


STEPS = (
    Step(
        "He has her list released, which is an entry of its own",
        "cytology, document, image, problem listed, 1 withheld",
        _listed,
    ),
    Step("He opens the CT", "200 images, pixel-exact", _images),
    Step("He opens the cytology table", "1 objects, same bytes", lambda world: _same_bytes(world, "cytology")),
    Step("He opens the letter", "1 objects, same bytes", lambda world: _same_bytes(world, "document")),
    Step("He opens the chart", "a FHIR bundle", _chart),
    Step(
        "He tries laboratory, which she took out",
        "denied CATEGORY_NOT_COVERED, nearest the consent",
        lambda world: _denied(world, CAROL, _of_ledger(world, "laboratory", newest=True), "TREAT"),
    ),
    Step(
        "He tries a record older than she allowed",
        "denied DATE_NOT_COVERED, nearest the consent",
        lambda world: _denied(world, CAROL, _of_ledger(world, "problem", newest=False), "TREAT"),
    ),
    Step(
        "He tries for research",
        "denied PURPOSE_NOT_COVERED, nearest the consent",
        lambda world: _denied(world, CAROL, _row(world, "document").wanted, "HRESCH"),
    ),
    Step(
        "A colleague of his hospital tries",
        "denied ACTOR_NOT_COVERED, nearest the consent",
        lambda world: _denied(world, CLARA, _row(world, "document").wanted, "TREAT"),
    ),
    Step("A doctor of another hospital tries her id", "wrong-organization", _other_hospital),
    Step("A suspended nurse tries", "suspended", _suspended),
    Step("He tries the psychiatric note, which she holds back", "denied DENIED_BY_CONSENT, by the consent", _withheld),
    Step(
        "She refuses him by name although a consent permits him",
        "denied DENY_OVERRIDES, by the refusal, over the consent",
        _refused_person,
    ),
    Step("The same entry is released to the same key again", "1 reply", _same_key),
    Step(
        "The same entry is released to another key",
        "first not refused, second wrong-release-key",
        _another_key,
    ),
    Step("An entry older than 300 seconds is to be released", "entry-too-old", _too_old),
)
