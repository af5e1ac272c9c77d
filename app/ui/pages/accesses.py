"""Who saw what: every opening of the patient's records and every attempt (SCREENS.md h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from app.ui.page import Page
from app.ui.pages.saving import ChoosePath, choose_path

if TYPE_CHECKING:
    from app.services.accesses import Accesses
    from app.services.consents import Consents
    from app.ui.pages.workplace import Workplace


class AccessesPage(Page):
    """The patient's list of openings. ``consent_wanted`` carries a consent id: wiring opens My consents with it."""

    consent_wanted = Signal(str)

    def __init__(
        self,
        accesses: Accesses,
        consents: Consents,
        place: Workplace,
        language: str,
        choose_path: ChoosePath = choose_path,
    ) -> None:
        super().__init__()
        self._accesses, self._consents, self._place = accesses, consents, place
        self._language, self._choose_path = language, choose_path
