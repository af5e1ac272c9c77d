"""What the patient sees, how she stops it, and what cannot be forged."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from pyrage import decrypt, encrypt, x25519

from app.consent import codes as labels
from app.consent.terms import Category
from app.identity.certificates import Role
from app.identity.signing import SigningIdentity
from app.records.manifest import Manifest, ManifestObject
from app.services.accesses import AccessState
from app.services.drafts import Draft
from app.services.openings import ChangedError, Ending
from app.tour.beginning import ALMA, CAROL, RITA
from app.tour.bytescan import CODE_MIN, scan
from app.tour.opening import released
from app.tour.sharing import verify
from app.tour.world import Done, Step, World, code_of
from app.wiring.samples import samples_of
from app.wiring.sandbox import PIN, STAFF
from ledger.embedded.export import export
from ledger.gateway import CommitError
from ledger.signatures import spki

SECONDS_TO_CLOSE = 5


def _who_saw(world: World) -> Done:
    world.settle()
    alma = world.patient(ALMA)
    rows = alma.accesses.rows()
    mine = {pair.patient_id for pair in alma.unlocked.pairs}
    entries = [
        event
        for event in world.machine.replica.events()
        if event.name == "AccessDecided" and event.payload["patient_id"] in mine
    ]
    complete = len(rows) == len(entries) and alma.accesses.completeness().complete
    named = all(row.who.name and row.purpose and row.reason for row in rows)
    refused = sum(row.state is AccessState.NOT_OPENED for row in rows)
    told = "complete, each with name, purpose and reason" if complete and named and refused else "not complete"
    return Done(told, world.machine.replica.height - 1)


def _could_see(world: World) -> Done:
    alma = world.patient(ALMA)
    row = next(row for row in alma.records.rows() if row.category == "image")
    now = alma.records.who_could_see(row, world.clock())
    assert world.receipt is not None  # noqa: S101 -- an earlier step made it
    before = alma.records.who_could_see(row, world.receipt.at - 1)
    named = sorted({each.who.name for each in now if each.who is not None and "TREAT" in each.purposes})
    deciding = {each for row in now for each in row.consents}
    then = [each for each in before if "TREAT" in each.purposes]
    by = "by the consent" if world.request in deciding else "by nothing"
    return Done(f"today {', '.join(named)} {by}; before it nobody" if not then else f"before: {then}")


def _revoked(world: World) -> Done:
    desk, alma = world.staff(CAROL), world.patient(ALMA)
    opened = world.opened["image"]
    in_flight = world.machine.gateway.prepare(
        desk.identity,
        "OpenRecords",
        {
            "patient_id": opened.wanted.patient_id,
            "kind": "open",
            "action": "access",
            "device": "",
            "purpose": "TREAT",
            "items": [{"record_id": opened.wanted.record_id, "version": opened.wanted.version}],
            "release_key_hash": "0" * 64,
            "emergency_id": "",
        },
    )
    row = next(row for row in alma.consents.rows() if row.consent_id == world.request)
    started = world.clock()
    commit = alma.consents.stop(row, PIN)
    ended = desk.openings.ended()
    endings = {ending for _, ending in ended}
    closings = [desk.openings.close(each, ending) for each, ending in ended]
    took = world.clock() - started
    try:
        world.machine.gateway.submit(in_flight)
        flight = "valid"
    except CommitError as error:
        flight = error.code
    quick = took <= SECONDS_TO_CLOSE and all(closing.receipt and not closing.opened.objects for closing in closings)
    told = f"{len(ended)} records closed and purged" if quick and endings == {Ending.WITHDRAWN} else f"{endings}"
    return world.done(f"{told}, in flight {flight}", commit.transaction_id)


def _stated(world: World) -> Done:
    world.settle()
    pair = world.patient(ALMA).unlocked.pair(world.kept["patient_id"])
    statement = pair.client.statement(pair.identity, pair.patient_id)
    purges = sum(event.name == "CopiesPurged" for event in world.machine.replica.events())
    released = {key[2] for key, _ in world.machine.scan("release", pair.patient_id)}
    same = {entry.access_id for entry in statement.entries} == released
    return Done("statement equals the ledger, purges stated" if same and purges else "they differ")


def _reminted(world: World) -> Done:
    """The hospital's own CA mints the patient again; the ledger knows her key."""
    patient_id = world.kept["patient_id"]
    authority = world.installation.keys["AlderMSP"].authority
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue(spki(key.public_key()), patient_id, Role.PATIENT, world.clock())
    forged = SigningIdentity("AlderMSP", certificate, key)
    return Done(
        code_of(
            lambda: world.machine.submission(forged).send(
                "RevokeConsent", {"patient_id": patient_id, "consent_id": world.request}
            )
        )
    )


def _tampered_object(world: World) -> Done:
    """Somebody with the hospital's disk and keys changes twelve pixels and seals the file again."""
    desk, alma = world.staff(CAROL), world.patient_anew(ALMA)
    desk.requests.send(
        Draft(world.kept["patient_id"], categories=frozenset({Category.IMAGE}), reason="Once more.", days=1)
    )
    row = alma.inbox.rows()[0]
    alma.inbox.turn(row).sign(world.sandbox.cards[ALMA], PIN)
    world.settle()
    rows = desk.worklist.list_records(desk.patients.read(world.kept["patient_id"]), "TREAT")
    wanted = next(row.wanted for row in rows if row.category == "image" and row.can_open)
    identity, manifest = released(world, wanted)
    middle = manifest.objects[103]
    file = world.installation.folder / "AlderMSP" / "objects" / middle.name
    original = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(_with_other_pixels(identity, manifest, middle, original))
    try:
        desk.openings.open(wanted, "TREAT")
    except ChangedError as changed:
        return Done(f"{changed.change} in {changed.count} of {changed.total} images, image {changed.first}")
    finally:
        file.write_bytes(original)
    return Done("opened")


def _with_other_pixels(identity: str, manifest: Manifest, item: ManifestObject, sealed: bytes) -> bytes:
    plain = bytearray(decrypt(sealed, [x25519.Identity.from_str(identity)]))
    assert item.pixels_at is not None  # noqa: S101 -- a CT has pixels
    start = item.pixels_at[0] + 2000
    plain[start : start + 24] = bytes(24)
    return bytes(encrypt(bytes(plain), [x25519.Recipient.from_str(manifest.recipient)]))


def _tampered_ledger(world: World) -> Done:
    file = world.folder / "ledger.export"
    export(world.machine.gateway, file)
    good = verify(file)
    content = bytearray(file.read_bytes())
    needle = base64.b64encode(hashlib.sha256(b"").digest())[:4]
    place = content.index(b"GrantConsent") if b"GrantConsent" in content else content.index(needle)
    content[place + 1] ^= 1
    file.write_bytes(content)
    bad = verify(file)
    named = "its block named" if not bad["ok"] and isinstance(bad["block"], int) else f"{bad}"
    return Done(f"export {'verified' if good['ok'] else good}, one flipped bit: {named}")


def _scanned(world: World) -> Done:
    """Everything of the sandbox's people, records and files, and every code, over all blocks."""
    identifiers: set[str] = set()
    codes = set(labels.SENSITIVITIES) | {category.value for category in Category} | {"image", "CT"}
    for staffing in STAFF:
        names = (staffing.operator, staffing.registrar, staffing.privacy_officer)
        identifiers |= {*names, *(name for name, _, _ in staffing.practitioners)}
        for person in staffing.patients:
            identifiers |= {person.name, person.birth_date, person.number, person.contact}
            identifiers |= {file.name for file in samples_of(person, world.kept["today"])}
    opened = world.opened["image"].manifest
    identifiers |= {code.rpartition("|")[2] for code in opened.codes} | {opened.display}
    identifiers |= {part for name in list(identifiers) for part in name.split() if len(part) >= CODE_MIN}
    blocks = list(world.machine.gateway.blocks(0))
    found = scan(blocks, identifiers, codes)
    return Done(f"{len(found)} traces" if not found else f"{found[:3]}", len(blocks) - 1)


def _erased(world: World) -> Done:
    desk, carol = world.staff(RITA), world.staff(CAROL)
    erasure = desk.people.erase(world.sandbox.persons[ALMA].person_id)
    world.settle()
    opens = code_of(lambda: carol.openings.index(world.kept["patient_id"], "AlderMSP", "TREAT"))
    known = [patient.name for patient in carol.patients.known()]
    listed = [row.person.name for row in desk.people.persons()]
    gone = ALMA not in known and ALMA not in listed
    return world.done(f"{opens}, {'nobody links it to her' if gone else 'still linked'}", erasure.transaction_ids[-1])


STEPS = (
    Step("She sees who saw what", "complete, each with name, purpose and reason", _who_saw),
    Step(
        "She asks who could see her scan today, and before she signed",
        f"today {CAROL} by the consent; before it nobody",
        _could_see,
    ),
    Step(
        "She withdraws while records are open",
        "4 records closed and purged, in flight stale-read",
        _revoked,
    ),
    Step("Her hospital signs what it released", "statement equals the ledger, purges stated", _stated),
    Step("Her certificate is minted again by the hospital's own CA", "wrong-key", _reminted),
    Step(
        "Twelve pixels of one image are changed on the disk",
        "pixels-changed in 1 of 200 images, image 104",
        _tampered_object,
    ),
    Step(
        "One bit of the exported ledger is flipped",
        "export verified, one flipped bit: its block named",
        _tampered_ledger,
    ),
)
LAST = (
    Step("Every block is searched for names, dates, numbers, file names and codes", "0 traces", _scanned),
    Step("She has everything erased", "illegal-transition, nobody links it to her", _erased),
)
