"""My records: the patient's own records, opened like any other, and who could see each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.page import Page

if TYPE_CHECKING:
    from app.services.own_records import OwnRecords
    from app.ui.pages.workplace import Workplace


class OwnRecordsPage(Page):
    """The patient's own records."""

    def __init__(self, records: OwnRecords, place: Workplace, language: str) -> None:
        super().__init__()
        self._records, self._place, self._language = records, place, language
