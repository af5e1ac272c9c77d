"""The practitioner's pages and how they lead to each other; every signal ends here or in the window, one hop away."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from app.services.imports import Imports
from app.services.notebook import PatientRef
from app.services.openings import Opened
from app.services.reasons import Reasons
from app.ui.pages.opening import Opener
from app.ui.pages.patient import PatientPage
from app.ui.pages.requests_list import RequestsPage
from app.ui.pages.suggestions import SuggestionsPage
from app.ui.pages.viewer_room import ViewerRoomPage
from app.ui.pages.worklist import WorklistPage
from app.ui.widgets import PaletteItem
from app.ui.widgets.rail import RailEntry
from app.ui.window import PageEntry
from app.ui.wording import iso_day_text
from app.wiring.desks import StaffDesk
from app.wiring.pages import Rooms, join_opener, settings_entry, stop_opener, workplace

if TYPE_CHECKING:
    from app.wiring.desktop import Desktop


def practitioner_rooms(desk: StaffDesk, desktop: "Desktop") -> Rooms:
    """Return worklist, patient, viewer, requests and suggestions, joined."""
    window, installation = desktop.window, desk.installation
    place = workplace(desk, desktop)
    client = desk.machine.custodians[desk.profile.msp_id]
    worklist = WorklistPage(desk.worklist, Imports(client, desk.identity, installation.reader), place)
    patient = PatientPage(Reasons(desk.worklist), place)
    requests = RequestsPage(desk.requests, place)
    suggestions = SuggestionsPage(desk.suggestions, place)
    opener = Opener(desk.worklist, installation.reader, place, window)
    viewer = ViewerRoomPage(opener, place)

    def show_patient(patient_id: str, row_key: str) -> None:
        patient.show_patient(patient_id, row_key)
        window.open_page("patient")

    def ask(patient_id: str, category: str) -> None:
        window.open_page("requests")
        requests.ask(patient_id, category)

    def suggest(opened: Opened, values: Mapping[str, object], title: str) -> None:
        window.open_page("suggestions")
        suggestions.run(opened, values, title)

    for page in (worklist, patient):
        page.open_wanted.connect(opener.open)
        page.copy_wanted.connect(window.copy)
        opener.phase_changed.connect(page.show_phase)
    opener.phase_changed.connect(viewer.show_phase)
    for asker in (worklist, patient, suggestions, opener):
        asker.ask_wanted.connect(ask)
    worklist.patient_wanted.connect(show_patient)
    requests.hand_over_wanted.connect(partial(desktop.turns.hand_over, desk))
    suggestions.record_wanted.connect(opener.show_again)
    opener.suggestion_wanted.connect(suggest)
    opener.record_ended.connect(suggestions.forget)
    join_opener(opener, desktop)
    entries = (
        PageEntry(RailEntry("worklist", "Worklist", "layout-list"), worklist),
        PageEntry(RailEntry("patient", "Patient", "user-round"), patient),
        PageEntry(RailEntry("viewer", "Viewer", "scan"), viewer),
        PageEntry(RailEntry("requests", "Requests", "send"), requests),
        PageEntry(RailEntry("suggestions", "Suggestions", "chart-scatter"), suggestions),
        settings_entry(desktop, is_patient=False),
    )
    finder = _Finder(desk, desktop, worklist, show_patient)
    return Rooms(entries, "worklist", partial(stop_opener, opener), finder.items, finder.look)


class _Finder:
    """What the command palette finds on every page: the patients he knows, records he may open, and what he can do."""

    def __init__(
        self, desk: StaffDesk, desktop: "Desktop", worklist: WorklistPage, show: Callable[[str, str], None]
    ) -> None:
        self._desk, self._desktop, self._worklist, self._show = desk, desktop, worklist, show
        self._known: tuple[PatientRef, ...] = ()

    def look(self) -> None:
        """Look again whom he knows."""
        self._desktop.background.run(self._worklist, self._desk.patients.known, self._keep, self._desktop.report)

    def _keep(self, known: tuple[PatientRef, ...]) -> None:
        self._known = known

    def items(self) -> tuple[PaletteItem, ...]:
        """Return them; what the worklist finds is there once when it is the open page itself."""
        hospitals = self._desk.machine.hospitals
        patients = tuple(
            PaletteItem(
                "Patients",
                each.name,
                partial(self._show, each.patient_id, ""),
                "user-round",
                f"{iso_day_text(each.birth_date)} · {hospitals.get(each.custodian, each.custodian)}",
            )
            for each in self._known
        )
        if self._desktop.window.current_key == "worklist":
            return patients
        own = self._desktop.window.page(self._desktop.window.current_key).palette_items()
        taken = {item.title for item in own}
        return (*patients, *(item for item in self._worklist.palette_items() if item.title not in taken))
