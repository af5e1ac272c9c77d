"""The practitioner's pages and how they lead to each other; every signal ends here or in the window, one hop away."""

from typing import TYPE_CHECKING

from app.services.imports import Imports
from app.services.reasons import Reasons
from app.ui.pages.opening import Opener
from app.ui.pages.patient import PatientPage
from app.ui.pages.worklist import WorklistPage
from app.ui.pages.workplace import Workplace
from app.ui.widgets.rail import RailEntry
from app.ui.window import PageEntry
from app.wiring.desks import StaffDesk

if TYPE_CHECKING:
    from app.wiring.desktop import Desktop


def practitioner_entries(desk: StaffDesk, desktop: "Desktop", place: Workplace) -> tuple[PageEntry, ...]:
    """Return worklist, patient, requests and suggestions, joined."""
    window, installation = desktop.window, desk.installation
    client = desk.machine.custodians[desk.profile.msp_id]
    worklist = WorklistPage(desk.worklist, Imports(client, desk.identity, installation.reader), place)
    patient = PatientPage(Reasons(desk.worklist), place)
    opener = Opener(desk.worklist, installation.reader, place, worklist)

    def show_patient(patient_id: str, row_key: str) -> None:
        patient.show_patient(patient_id, row_key)
        window.open_page("patient")

    for page in (worklist, patient):
        page.open_wanted.connect(opener.open)
        page.copy_wanted.connect(window.copy)
        opener.phase_changed.connect(page.show_phase)
    worklist.patient_wanted.connect(show_patient)
    opener.shown.connect(window.show_alone)
    opener.left.connect(window.show_shell)
    opener.said.connect(window.toast)
    opener.lock_wanted.connect(lambda: desktop.lock("Locked by you"))
    return (
        PageEntry(RailEntry("worklist", "Worklist", "layout-list"), worklist),
        PageEntry(RailEntry("patient", "Patient", "user-round"), patient),
    )
