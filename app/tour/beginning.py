"""Enrolment and import."""

from app.custodian.results import ImportFile, Person
from app.identity.certificates import Role
from app.services.people import NewMember
from app.tour.world import Done, Step, World, code_of
from app.wiring.sandbox import PIN

ALMA, CAROL, CLARA, DAN, RITA = (
    "Alma Fictive",
    "Dr Carol Specimen",
    "Dr Clara Invented",
    "Dr Dan Template",
    "Rita Roster",
)
NURSE = "Nurse Nora Placeholder"
HOSTILE = b'{"resourceType":"Bundle","resourceType":"Patient","entry":[]}'


def _enrolled(world: World) -> Done:
    desk = world.staff(RITA)
    profile = desk.people.enrol(NewMember(NURSE, Role.PRACTITIONER, "Nurse"), PIN)
    world.sandbox.profiles[NURSE] = profile
    event = next(
        event
        for event in world.machine.catch_up().events()
        if event.name == "MemberEnrolled" and event.payload.get("subject") == profile.subject
    )
    return Done("practitioner enrolled", event.block, event.transaction_id)


def _not_by_himself(world: World) -> Done:
    desk = world.staff(CAROL)
    member = {
        "subject": desk.identity.subject,
        "role": "practitioner",
        "key_hash": desk.identity.key_hash,
        "badge_commitment": "0" * 64,
        "emergency": False,
        "steward": True,
        "functions": [],
        "groups": [],
    }
    return Done(code_of(lambda: world.machine.submission(desk.identity).send("EnrolMember", member)))


def _registered_once(world: World) -> Done:
    desk = world.staff(RITA)
    again = Person(ALMA, "1961-03-14", "female", "000-417-SANDBOX")
    return Done(code_of(lambda: desk.people.register(again, PIN)))


def _imported(world: World) -> Done:
    outcomes = world.sandbox.imported[ALMA]
    accepted = sorted({outcome.kind for outcome in outcomes if outcome.accepted})
    refused = [outcome for outcome in outcomes if not outcome.accepted]
    images = sum(outcome.kind == "dicom" for outcome in outcomes)
    return Done(f"{', '.join(accepted)} accepted, {len(refused)} refused, {images} images")


def _hostile(world: World) -> Done:
    desk = world.staff(RITA)
    person = world.sandbox.persons[ALMA].person_id
    before = world.machine.catch_up().height
    client = world.machine.custodians[desk.profile.msp_id]
    outcome = client.import_files(desk.identity, person, [ImportFile("hostile.json", HOSTILE)])[0]
    nothing = world.machine.catch_up().height == before and not outcome.record_ids
    return Done("refused with a reason, nothing imported" if outcome.reason and nothing else f"{outcome}")


STEPS = (
    Step("A registrar enrols a nurse", "practitioner enrolled", _enrolled),
    Step("A practitioner tries to make himself a data steward", "wrong-role", _not_by_himself),
    Step("A registrar tries to register the same patient twice", "already-exists", _registered_once),
    Step(
        "A CT study, a FHIR chart, a PDF letter and a cytology table were imported",
        "csv, dicom, fhir, pdf accepted, 0 refused, 200 images",
        _imported,
    ),
    Step("A FHIR file with a member twice is imported", "refused with a reason, nothing imported", _hostile),
)
