"""The two sheets of the turn: whom to block, and whether to refuse everything. Each signs with card and PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.pages.turn.sheets import BlockSheet, SigningSheet, recording_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from app.services.accesses import Who
    from app.services.turn import Turn
    from app.ui.pages.turn.place import TurnPlace
    from app.ui.pages.turn.words import Words


def ask_whom(
    over: QWidget, people: tuple[Who, ...], turn: Turn, where: TurnPlace, words: Words, done: Callable[[str], None]
) -> None:
    """Ask whom to block and block; ``done`` gets the name once it is recorded."""
    sheet = BlockSheet(over, words, people, sandbox_card=where.sandbox_card)
    recording = recording_for(sheet, where.place, words)

    def block(card: str, pin: str) -> None:
        person, opens = sheet.person, sheet.emergency_opens
        recording.start(lambda: turn.block_person(person, card, pin, emergency_opens=opens))

    def finish() -> None:
        name = words.consent.name(sheet.person.name)
        sheet.accept()
        done(name)

    sheet.signed.connect(block)
    recording.recorded.connect(lambda _commit: finish())
    sheet.open()


def ask_refusal(over: QWidget, turn: Turn, where: TurnPlace, words: Words, done: Callable[[], None]) -> None:
    """Ask once whether the whole request is refused, and refuse it; ``done`` once it is recorded."""
    sheet = SigningSheet(
        over, words, words.say("refuse"), words.say("refuse_ask"), words.say("refuse"), sandbox_card=where.sandbox_card
    )
    recording = recording_for(sheet, where.place, words)

    def finish() -> None:
        sheet.accept()
        done()

    sheet.signed.connect(lambda card, pin: recording.start(lambda: turn.refuse(card, pin)))
    recording.recorded.connect(lambda _commit: finish())
    sheet.open()
