"""The purge receipt of a closed record: what was open, what was seen, and where the ledger says that it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.widgets import Fact, FactsGrid, Note, Sheet
from app.ui.wording import count_text, time_text

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.services.openings import Closing
    from app.ui.pages.workplace import Workplace


class ReceiptSheet(Sheet):
    """One receipt.

    Args:
        over: any widget of the window.
        closing: what was closed.
        place: for the zone.
    """

    def __init__(self, over: QWidget, closing: Closing, place: Workplace) -> None:
        super().__init__(over, "Purge receipt", 520, icon_name="receipt-text")
        opened = closing.opened
        total = len(opened.manifest.objects)
        facts = (
            Fact("Record", opened.manifest.display),
            Fact("Opened", time_text(opened.access.at, place.zone, seconds=True)),
            Fact("Closed", time_text(closing.at, place.zone, seconds=True)),
            Fact("Seen", f"{len(opened.viewed):,} of {count_text(total, 'part', 'parts')}"),
            Fact("Entry", opened.access_id, is_mono=True),
            Fact("Receipt", closing.receipt, is_mono=True),
        )
        self.body.addWidget(FactsGrid(facts))
        self.body.addWidget(Note("shield-check", "The ledger holds the hash of this receipt, signed by you."))
        self.add_cancel("Close")
