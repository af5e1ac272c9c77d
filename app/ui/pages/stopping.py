"""Stopping a consent and blocking a person: a sheet with the PIN, one entry, no default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.pages.turn.sheets import BlockSheet, SigningSheet, recording_for
from app.ui.pages.turn.words import words
from app.ui.wording import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from app.services.accesses import Who
    from app.services.consents import ConsentRow, Consents
    from app.ui.pages.turn.words import Words
    from app.ui.pages.workplace import Workplace


def ask_stop(
    over: QWidget, row: ConsentRow, consents: Consents, place: Workplace, language: str, done: Callable[[], None]
) -> SigningSheet:
    """Ask whether a consent shall end now, in the patient's language, and end it with her PIN.

    Args:
        over: any widget of the window.
        row: which consent.
        consents: hers.
        place: background and settle.
        language: hers.
        done: called once it is recorded; the sheet is closed then.
    """
    said = words(language)
    if row.denies:
        return _sheet(over, said, ("lift.title", said.say("lift_ask"), "lift.go"), row, consents, place, done)
    asked_by = row.asked_by
    name = said.consent.name(asked_by.name) if asked_by is not None and asked_by.name else row.short_id or NONE
    question = said.say("stop_ask", name=name)
    return _sheet(over, said, ("stop.title", question, "stop.go"), row, consents, place, done)


def _sheet(
    over: QWidget,
    said: Words,
    texts: tuple[str, str, str],
    row: ConsentRow,
    consents: Consents,
    place: Workplace,
    done: Callable[[], None],
) -> SigningSheet:
    title, question, go = texts
    sheet = SigningSheet(over, said, said.say(title), question, said.say(go), card=False)
    recording = recording_for(sheet, place, said)
    sheet.signed.connect(lambda _card, pin: recording.start(lambda: consents.stop(row, pin)))

    def finish() -> None:
        sheet.accept()
        done()

    recording.recorded.connect(lambda _commit: finish())
    sheet.open()
    return sheet


def ask_block(
    over: QWidget,
    people: tuple[Who, ...],
    consents: Consents,
    place: Workplace,
    language: str,
    done: Callable[[str], None],
) -> BlockSheet:
    """Ask whom to block, and block with the patient's PIN; ``done`` gets the name."""
    sheet = BlockSheet(over, words(language), people, card=False)
    recording = recording_for(sheet, place, words(language))

    def block(_card: str, pin: str) -> None:
        person, opens = sheet.person, sheet.emergency_opens
        recording.start(lambda: consents.block_person(person, pin, emergency_opens=opens))

    def finish() -> None:
        name = sheet.person.name
        sheet.accept()
        done(name)

    sheet.signed.connect(block)
    recording.recorded.connect(lambda _commit: finish())
    sheet.open()
    return sheet
