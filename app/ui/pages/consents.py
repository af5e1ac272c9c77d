"""My consents: what is allowed, what ended, what was refused, and how it is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout

from app.custodian.messages import CustodianRefusal
from app.services.consents import ConsentState
from app.services.turn import NotWaitingError
from app.ui.outcomes import failure_sentence, state_of
from app.ui.page import Page
from app.ui.pages.consent_detail import ConsentDetail
from app.ui.pages.patient_words import consent_chip, moment, name_of
from app.ui.pages.saving import ChoosePath, choose_path
from app.ui.pages.stopping import ask_block, ask_stop
from app.ui.pages.turn.receipt import save_receipt
from app.ui.pages.turn.words import words
from app.ui.theme import scaled
from app.ui.widgets import (
    Band,
    Button,
    EntriesList,
    Group,
    PaneLayout,
    Segment,
    Segments,
    StateView,
    TextKind,
    TwoLine,
    label,
    surface,
)
from app.ui.widgets.states import empty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo

    from PySide6.QtWidgets import QWidget

    from app.services.accesses import Who
    from app.services.consents import ConsentRow, Consents
    from app.services.receipts import Receipt
    from app.services.turn import Turn
    from app.ui.pages.workplace import Workplace

_EMPTY: Final = empty("file-check", "What you allow or refuse stands here.", "Nothing here yet")
_GROUPS: Final = ("Active", "Blocked people", "Ended", "Refused")


@dataclass(frozen=True, slots=True)
class _Loaded:
    rows: tuple[ConsentRow, ...]
    tells: bool | None


class ConsentsPage(Page):
    """The patient's consents. ``turn_ready`` carries a ``Turn`` in which she makes one of them smaller.

    Args:
        consents: hers.
        narrow: begins to make one smaller; blocks.
        place: background, clock and ``settle``.
        language: hers.
        choose_path: asks where a file goes.
    """

    turn_ready = Signal(object)

    def __init__(
        self,
        consents: Consents,
        narrow: Callable[[ConsentRow], Turn],
        place: Workplace,
        language: str,
        choose_path: ChoosePath = choose_path,
    ) -> None:
        super().__init__()
        self._narrow = narrow
        self._consents, self._place, self._language, self._choose_path = consents, place, language, choose_path
        self._wanted = ""
        self.band = Band()
        self.block_button = Button("Block a person…", icon_name="user-x")
        self.list = EntriesList(lambda row: row.consent_id, "My consents", 0.62, patient=True)
        self.nothing = StateView(_EMPTY)
        self.detail = ConsentDetail()
        self.tells = Segments((Segment("yes", "Yes"), Segment("no", "No")), "", accessible="Show hidden records")
        self._tells_row = surface("footer")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(PaneLayout(self._main(), self.detail))
        self.block_button.clicked.connect(self._ask_whom)
        self.list.row_chosen.connect(lambda row: self.detail.show_row(row, self._place.zone))
        self.tells.chosen.connect(self._choose_tells)
        self.band.acted.connect(lambda _key: self.refresh())
        self.detail.stop_wanted.connect(self._stop)
        self.detail.smaller_wanted.connect(self._make_smaller)
        self.detail.save_wanted.connect(self._save)

    def _main(self) -> QFrame:
        main = surface("window")
        head = QHBoxLayout()
        head.setContentsMargins(scaled(24), scaled(18), scaled(24), scaled(14))
        titles = QVBoxLayout()
        titles.setSpacing(0)
        titles.addWidget(label("My consents", TextKind.PATIENT_TITLE))
        about = "You can stop each of them at any time, or make it smaller."
        titles.addWidget(label(about, TextKind.PATIENT, "text2"))
        head.addLayout(titles, 1)
        head.addWidget(self.block_button)
        band = QVBoxLayout()
        band.setContentsMargins(scaled(24), 0, scaled(24), 0)
        band.addWidget(self.band)
        hidden = QHBoxLayout(self._tells_row)
        hidden.setContentsMargins(scaled(24), scaled(12), scaled(24), scaled(12))
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(label("Records I hide", TextKind.PATIENT_STRONG))
        said.addWidget(label("Show that a hidden record exists", TextKind.BODY, "text2"))
        hidden.addLayout(said, 1)
        hidden.addWidget(self.tells)
        layout = QVBoxLayout(main)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addLayout(band)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._tells_row)
        return main

    def show_consent(self, consent_id: str) -> None:
        """Choose one consent (from Who saw what); once it is loaded, if it is not yet."""
        self._wanted = consent_id
        if self.list.choose(consent_id):
            self._wanted = ""

    def refresh(self) -> None:
        """Load again."""
        self._place.background.run(self, self._load, self._show, self._fail)

    def _load(self) -> _Loaded:
        rows = self._consents.rows()
        try:
            told = set(self._consents.tells_withheld().values())
        except CustodianRefusal:
            return _Loaded(rows, None)
        return _Loaded(rows, told == {True} if len(told) == 1 else None)

    def blank(self) -> None:
        """Forget the consents."""
        self.list.show_entries(())
        self.detail.show_row(None, None)
        self.band.show_state(None)

    def panes(self) -> tuple[QWidget, ...]:
        """The list and the detail."""
        return self.list, self.detail.stop_button

    def _fail(self, error: Exception) -> None:
        self.band.show_state(state_of(error))

    def _show(self, loaded: _Loaded) -> None:
        self.band.show_state(None)
        self.list.show_entries(consent_entries(loaded.rows, self._place.zone))
        self._stack.setCurrentWidget(self.list if loaded.rows else self.nothing)
        self.tells.choose("" if loaded.tells is None else ("yes" if loaded.tells else "no"))
        if self._wanted:
            self.show_consent(self._wanted)
        self.list.choose_first()
        if not loaded.rows:
            self.detail.show_row(None, None)
        active = sum(row.state is ConsentState.ACTIVE and not row.denies for row in loaded.rows)
        self.status_said.emit(f"{active} active", "file-check", "muted")

    def _choose_tells(self, key: str) -> None:
        self.tells.setEnabled(False)

        def done(_: None) -> None:
            self.tells.setEnabled(True)
            said = "It is shown that something is hidden." if key == "yes" else "Nobody learns of hidden records."
            self.toast_wanted.emit(said)

        def fail(error: Exception) -> None:
            self.tells.setEnabled(True)
            self._fail(error)
            self.refresh()

        self._place.background.run(self, lambda: self._consents.tell_withheld(on=key == "yes"), done, fail)

    def _stop(self) -> None:
        row: ConsentRow | None = self.list.current_row
        if row is not None:
            ask_stop(self, row, self._consents, self._place, self._language, self._stopped)

    def _stopped(self) -> None:
        self.toast_wanted.emit("Stopped. What was open there closes in a few seconds.")
        self.refresh()

    def _make_smaller(self) -> None:
        row: ConsentRow | None = self.list.current_row
        if row is None:
            return
        self.detail.smaller_button.setEnabled(False)

        def start(turn: Turn) -> None:
            self.detail.smaller_button.setEnabled(True)
            self.turn_ready.emit(turn)

        def fail(error: Exception) -> None:
            self.detail.smaller_button.setEnabled(True)
            if isinstance(error, NotWaitingError):
                self.toast_wanted.emit(str(error))
                self.refresh()
                return
            self._fail(error)

        self._place.background.run(self, lambda: self._narrow(row), start, fail)

    def _ask_whom(self) -> None:
        self.block_button.setEnabled(False)

        def show(people: tuple[Who, ...]) -> None:
            self.block_button.setEnabled(True)
            ask_block(self, people, self._consents, self._place, self._language, self._blocked)

        def fail(error: Exception) -> None:
            self.block_button.setEnabled(True)
            self._fail(error)

        self._place.background.run(self, self._consents.people, show, fail)

    def _blocked(self, name: str) -> None:
        self.toast_wanted.emit(words(self._language).say("block.done", name=name))
        self.refresh()

    def _save(self, kind: str) -> None:
        row: ConsentRow | None = self.list.current_row
        if row is None:
            return
        filters = {"pdf": "PDF (*.pdf)", "json": "JSON (*.json)"}
        path = self._choose_path(self, f"assent-{row.consent_id[:4].upper()}.{kind}", filters[kind])
        if path is None:
            return
        target = path.with_suffix(f".{kind}")
        self.detail.show_saving()

        def write(receipt: Receipt) -> None:
            try:
                save_receipt(target, receipt, words(self._language), self._consents.zone)
            except OSError:
                self.detail.show_saved("It could not be saved there.", failed=True)
                return
            self.detail.show_saved(f"Saved as {target.name}.")

        def fail(error: Exception) -> None:
            self.detail.show_saved(f"The receipt could not be made. {failure_sentence(error)}", failed=True)

        self._place.background.run(self, lambda: self._consents.receipt(row), write, fail)


def consent_entries(rows: Iterable[ConsentRow], zone: tzinfo | None) -> list[Group | TwoLine]:
    """Return consents as rows under their groups; a group without any is left out."""
    grouped: dict[str, list[TwoLine]] = {group: [] for group in _GROUPS}
    for row in rows:
        grouped[_group(row)].append(_entry(row, zone))
    entries: list[Group | TwoLine] = []
    for group, found in grouped.items():
        if found:
            entries += [Group(group), *found]
    return entries


def _group(row: ConsentRow) -> str:
    if row.state is ConsentState.ACTIVE:
        return "Blocked people" if row.denies else "Active"
    return "Refused" if row.state is ConsentState.REFUSED else "Ended"


def _entry(row: ConsentRow, zone: tzinfo | None) -> TwoLine:
    said = row.sentences[0] if row.sentences else "Nothing was signed"
    title = name_of(row.asked_by) if row.asked_by is not None else said
    caption = said if row.asked_by is not None else "Your own decision"
    until = "" if row.ends_at is None else f"until {moment(row.ends_at, zone)}"
    chip = consent_chip(row)
    return TwoLine(
        title=title,
        caption=caption,
        icon_name="ban" if row.denies else "file-check",
        icon_colour="accent",
        middle=row.short_id,
        middle_caption=until,
        chip=chip,
        row=row,
        spoken=f"{row.short_id}, {title}, {caption}, {until}, {chip.word}",
    )
