"""My consents: what is allowed, what ended, what was refused, and how it is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.page import Page
from app.ui.pages.saving import ChoosePath, choose_path

if TYPE_CHECKING:
    from app.services.consents import Consents
    from app.ui.pages.workplace import Workplace


class ConsentsPage(Page):
    """The patient's consents."""

    def __init__(
        self, consents: Consents, place: Workplace, language: str, choose_path: ChoosePath = choose_path
    ) -> None:
        super().__init__()
        self._consents, self._place, self._language, self._choose_path = consents, place, language, choose_path

    def show_consent(self, consent_id: str) -> None:
        """Choose one consent (from Who saw what)."""
