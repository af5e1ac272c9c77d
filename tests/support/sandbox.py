"""The sandbox for tests: founded once per run with fast key stretching, copied for each test, on a clock of its own."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from app.consent.terms import Category
from app.custodian.results import ImportFile
from app.identity.passphrase_file import PassphraseFile
from app.identity.pins import Stretching
from app.records.description import Person
from app.records.phantom import cytology_csv, document_pdf, fhir_bundle
from app.services.drafts import Draft
from app.wiring.desks import PatientDesk, StaffDesk, sign_in, sign_in_patient
from app.wiring.installation import Installation, open_installation
from app.wiring.ledgers import Circumstances
from app.wiring.sandbox import PIN, found_sandbox, read_cards, unlock_staff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.services.notebook import PatientRef

START: Final = 1_795_530_000
"""24 November 2026, 14:20 UTC."""
FAST: Final = Stretching(64, 1, 1)
ALMA: Final = "Alma Fictive"
CAROL: Final = "Dr Carol Specimen"
_PASSPHRASE: Final = "sandbox-passphrase"


@dataclass
class Clock:
    """A clock that only tests move."""

    now: int = START

    def __call__(self) -> int:
        return self.now


@dataclass
class SandboxWorld:
    """An open sandbox of one test.

    Attributes:
        installation: open.
        clock: of everything in it.
        cards: patients' cards by name.
    """

    installation: Installation
    clock: Clock
    cards: dict[str, str] = field(default_factory=dict)

    def staff(self, name: str) -> StaffDesk:
        """Sign a member of staff in."""
        found = next(each for each in self.installation.profiles.profiles() if each.name == name)
        return sign_in(self.installation, found, PIN)

    def patient(self, name: str) -> PatientDesk:
        """Sign a patient in with her card."""
        return sign_in_patient(self.installation, self.cards[name], PIN)

    def tick(self) -> None:
        """Let the custodians look at the ledger."""
        self.installation.tick(force=True)

    def introduce(self, desk: StaffDesk, patient: str, registrar: str, msp_id: str) -> PatientRef:
        """Introduce a practitioner to a patient with a code that a registrar makes."""
        people = self.staff(registrar).people
        person = next(row for row in people.persons() if row.person.name == patient)
        return desk.patients.introduce(msp_id, people.make_code(person.patient_id).code)

    def allow(
        self, desk: StaffDesk, patient: str, asked: frozenset[Category], left_out: frozenset[Category] = frozenset()
    ) -> PatientRef:
        """Have a practitioner of Alder ask one of its patients, who signs without ``left_out``."""
        reference = self.introduce(desk, patient, "Rita Roster", "AlderMSP")
        draft = Draft(reference.patient_id, categories=asked, days=30, ai=True, reason="To compare.")
        desk.requests.send(draft)
        signer = self.patient(patient)
        turn = signer.inbox.turn(signer.inbox.rows()[0])
        turn.narrow(categories=turn.terms.categories - left_out, keep_open_days=7)
        turn.sign(self.cards[patient], PIN)
        self.tick()
        return reference


def found_once(folder: Path) -> Path:
    """Found a sandbox with all its records in ``folder`` and close it; return the folder to be copied."""
    store = PassphraseFile.create(folder / "keys.sealed", _PASSPHRASE, FAST)
    made = found_sandbox(folder / "sandbox", store, Circumstances(Clock(), stretching=FAST))
    made.installation.close()
    return folder


def open_copy(founded: Path, folder: Path) -> SandboxWorld:
    """Open a copy of what ``found_once`` made; the caller closes its installation."""
    shutil.copytree(founded, folder, dirs_exist_ok=True)
    clock = Clock()
    store = PassphraseFile.open(folder / "keys.sealed", _PASSPHRASE)
    installation = open_installation(folder / "sandbox", store, Circumstances(clock, stretching=FAST))
    installation.machine.catch_up()
    return SandboxWorld(installation, clock, read_cards(folder / "sandbox"))


def _kept_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="assent-tests-sandbox-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def found_allowed() -> Path:
    """Return ``found_small`` after Alma allowed Dr Carol Specimen her cytology and documents; to be copied."""
    folder = _kept_folder()
    world = open_copy(found_small(), folder)
    world.allow(world.staff(CAROL), ALMA, frozenset({Category.CYTOLOGY, Category.DOCUMENT}))
    world.installation.close()
    return folder


@cache
def found_small() -> Path:
    """Found a sandbox in which only Alma Fictive has records (chart, letter, cytology); once per run, to be copied."""
    folder = _kept_folder()
    store = PassphraseFile.create(folder / "keys.sealed", _PASSPHRASE, FAST)
    circumstances = Circumstances(Clock(), stretching=FAST)
    made = found_sandbox(folder / "sandbox", store, circumstances, with_records=False)
    alma = Person(ALMA, "1961-03-14")
    files = [
        ImportFile("chart.json", fhir_bundle(alma, "2026-11-21", seed="chart")),
        ImportFile("discharge-letter.pdf", document_pdf(alma, "2026-11-12")),
        ImportFile("cytology.csv", cytology_csv("2026-11-20", (455, 0, 19))),
    ]
    client = made.installation.machine.custodians["AlderMSP"]
    outcomes = client.import_files(unlock_staff(made, "Rita Roster"), made.persons[ALMA].person_id, files)
    assert all(each.accepted for each in outcomes)
    made.installation.tick(force=True)
    made.installation.close()
    return folder


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SandboxWorld]:
    """An open sandbox in which Alma Fictive of Alder has a chart, a letter and a cytology table."""
    made = open_copy(found_small(), tmp_path)
    yield made
    made.installation.close()


@pytest.fixture
def allowed(tmp_path: Path) -> Iterator[SandboxWorld]:
    """The same after Alma allowed Dr Carol Specimen her cytology and documents for a week."""
    made = open_copy(found_allowed(), tmp_path)
    yield made
    made.installation.close()
