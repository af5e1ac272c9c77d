"""Whom a practitioner knows, and how he is introduced to more (ATTACKS.md A50)."""

from dataclasses import dataclass

from app.custodian.results import Introduction
from app.identity.badges import BadgeOpening
from app.services.accesses import AccessRow, read_rows
from app.services.drafts import Drafts, KeptDraft
from app.services.machine import Machine
from app.services.notebook import Notebook, PatientRef
from ledger.gateway import Signer


class NoBadgeError(Exception):
    """This machine does not hold the person's badge; a registrar has to enrol the person anew."""


@dataclass(frozen=True, slots=True)
class Patients:
    """One practitioner's patients.

    Attributes:
        machine: this installation.
        signer: the practitioner.
        subject: of the practitioner.
        notebook: his notes.
        drafts: his requests that were begun and not sent.
    """

    machine: Machine
    signer: Signer
    subject: str
    notebook: Notebook
    drafts: Drafts

    def known(self) -> tuple[PatientRef, ...]:
        """Return the patients he was introduced to, by name; who was erased is forgotten here, too."""
        found = []
        for patient in self.notebook.read().patients.values():
            entry = self.machine.find("patient", patient.patient_id)
            if entry is not None and entry["status"] == "erased":
                self.notebook.forget(patient.patient_id)
                self.drafts.discard(patient.patient_id)
                self.drafts.flush()
            else:
                found.append(patient)
        return tuple(sorted(found, key=lambda patient: (patient.name, patient.patient_id)))

    def read(self, patient_id: str) -> PatientRef:
        """Return one patient.

        Raises:
            LookupError: he was never introduced to this patient.
        """
        return self.notebook.read().patients[patient_id]

    def unfinished(self) -> tuple[tuple[PatientRef, KeptDraft], ...]:
        """Return the requests that were begun and not sent, the newest first, of patients he knows.

        Raises:
            DraftsDamagedError: they could not be read.
        """
        known = {patient.patient_id: patient for patient in self.known()}
        return tuple(
            (known[each.draft.patient_id], each) for each in self.drafts.read() if each.draft.patient_id in known
        )

    def badge(self) -> BadgeOpening:
        """Return the opening of his own badge.

        Raises:
            NoBadgeError: this machine holds none.
        """
        badge = self.notebook.read().badge
        if badge is None:
            raise NoBadgeError("Your badge is not on this machine. Ask a registrar to enrol you anew.")
        return badge

    def introduce(self, custodian: str, code: str) -> PatientRef:
        """Use a patient's introduction code; it works once.

        Raises:
            CustodianRefusal: ``refused``; unknown, used and expired codes look alike.
        """
        introduced = self.machine.custodians[custodian].introduce(self.signer, self.badge(), code=code)
        return self.notebook.keep_patient(introduced)

    def tags(self, patient: PatientRef, purpose: str, categories: list[str], first: str, last: str) -> Introduction:
        """Return the tags of what is going to be asked for."""
        return self.machine.custodians[patient.custodian].introduce(
            self.signer,
            self.badge(),
            patient_id=patient.patient_id,
            purposes=[purpose],
            categories=categories,
            first=first,
            last=last,
        )

    def log(self, patient_id: str) -> tuple[AccessRow, ...]:
        """Return his own openings of one patient's records, newest first."""
        client = self.machine.custodians[self.read(patient_id).custodian]
        rows = read_rows(self.machine, client, self.signer, patient_id)
        return tuple(row for row in rows if row.who.subject == self.subject)
