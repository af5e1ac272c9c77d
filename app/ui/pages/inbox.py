"""Requests that wait for the patient (rail: Requests)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from app.ui.page import Page

if TYPE_CHECKING:
    from app.services.inbox import Inbox
    from app.ui.pages.workplace import Workplace


class InboxPage(Page):
    """What still has to be decided. ``turn_ready`` carries a started ``Turn``: wiring shows ``ConsentTurn`` with it."""

    turn_ready = Signal(object)

    def __init__(self, inbox: Inbox, place: Workplace, language: str) -> None:
        super().__init__()
        self._inbox, self._place, self._language = inbox, place, language
