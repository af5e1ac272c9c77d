"""Who is signing in, and the PIN (SCREENS.md a)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.ui.pages.settings import theme_word
from app.ui.preferences import Preferences, Theme
from app.ui.theme import scaled, text_scales
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.cells import TwoLine
from app.ui.widgets.forms import Field, PinField
from app.ui.widgets.header import AlonePage
from app.ui.widgets.panes import Note, centred, empty_layout
from app.ui.widgets.tables import EntriesList
from app.ui.widgets.text import Disc, IconLabel, Rule, TextKind, label

if TYPE_CHECKING:
    from collections.abc import Sequence

_CARD: Final = (904, 500)
_THEME_ICONS: Final = {Theme.SYSTEM: "monitor", Theme.LIGHT: "sun", Theme.DARK: "moon"}

_ROLES: Final = {
    "practitioner": ("Practitioner", "stethoscope"),
    "patient": ("Patient", "user-round"),
    "privacy-officer": ("Privacy officer", "scale"),
    "registrar": ("Registrar", "users-round"),
    "operator": ("Operator", "network"),
}
_CAN: Final = {
    "practitioner": (
        ("layout-list", "see the records that patients shared with you"),
        ("send", "ask for more, with a purpose and an end date"),
        ("chart-scatter", "get a second view from an approved model"),
    ),
    "patient": (
        ("inbox", "decide who may open your records"),
        ("eye", "see who opened what, and why"),
        ("file-check", "stop any access, in a few seconds"),
    ),
    "privacy-officer": (("blocks", "check that nothing on the ledger was changed"),),
    "registrar": (
        ("users-round", "enrol staff and register patients"),
        ("key-round", "print cards, reset PINs, make introduction codes"),
    ),
    "operator": (("blocks", "check that nothing on the ledger was changed"),),
}


def role_words(role: str) -> str:
    """Return a role as people say it."""
    return _ROLES.get(role, (role, ""))[0]


@dataclass(frozen=True, slots=True)
class Tile:
    """One person who may sign in on this machine.

    Attributes:
        key: names the profile, or the sandbox's patient.
        name: of the person.
        role: of the certificate.
        hospital: name of the hospital.
    """

    key: str
    name: str
    role: str
    hospital: str


@dataclass(frozen=True, slots=True)
class StartFacts:
    """What the bottom line and the left side say.

    Attributes:
        verified: "214 of 214 blocks verified at start, 0.8 s"; or what is damaged.
        is_damaged: the ledger does not verify; the page says so in a band.
        key_store: "Keys are in Secret Service".
        version: "Assent 1.0 · Sandbox".
        about: one line under the heading.
        pin_hint: what a sandbox tells, or empty.
    """

    verified: str
    is_damaged: bool
    key_store: str
    version: str
    about: str
    pin_hint: str = ""


class _CardFrame(QFrame):
    """The card: as large as in the picture, smaller where the window is (large text on a small screen)."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "card")

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(_CARD[0]), scaled(_CARD[1]))

    def hasHeightForWidth(self) -> bool:
        """Qt's: wrapped lines inside do not make the card lower."""
        return False


class SignInPage(AlonePage):
    """The sign-in card.

    Args:
        tiles: who may sign in here.
        facts: what is known of this machine.
        chosen: theme and text size as they are now.

    Signals:
        sign_in_asked: key of a tile, and the PIN.
        card_asked: text of a patient's card, and her PIN.
        preferences_changed: other ``Preferences``; the page is to be made anew.
    """

    sign_in_asked = Signal(str, str)
    card_asked = Signal(str, str)
    preferences_changed = Signal(object)

    def __init__(self, tiles: Sequence[Tile], facts: StartFacts, chosen: Preferences) -> None:
        super().__init__()
        self._chosen = chosen
        word, size = theme_word(chosen.theme), f"{chosen.text_scale:.0%}".replace("%", " %")
        self.theme_button = Button(word, icon_name=_THEME_ICONS[chosen.theme])
        self.theme_button.setAccessibleName(f"Theme: {word}. Press for the next")
        self.size_button = Button(f"Text {size}", icon_name="a-large-small")
        self.size_button.setAccessibleName(f"Text size: {size}. Press for the next")
        for button in (self.theme_button, self.size_button):
            self.top.addWidget(button)
        self.theme_button.clicked.connect(self._next_theme)
        self.size_button.clicked.connect(self._next_size)
        self._tiles = {tile.key: tile for tile in tiles}
        self._has_hint = bool(facts.pin_hint)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Name, role or hospital")
        self.search.setAccessibleName("Find a person by name, role or hospital")
        self.people = EntriesList(lambda tile: tile.key, "People of this machine", 1.0)
        self.pin = PinField()
        self.card_text = QLineEdit()
        self.card_text.setPlaceholderText("assent1.…")
        self.sign_in_button = Button("Sign in", kind=ButtonKind.PRIMARY, key_hint="↵")
        self.patient_button = Button("I am a patient…", kind=ButtonKind.LINK, icon_name="user-round")
        self.trouble = Note("triangle-alert", "", "deny", TextKind.BODY)
        self.trouble.hide()
        self._who = Disc("user-round", 44, is_icon=True)
        self._name = label("", TextKind.TITLE)
        self._role = label("", tone="text2")
        self._can = QVBoxLayout()
        self._card_field = Field("Your card", self.card_text, "Scan, paste or type its code")
        self._lay_out(facts)
        self.search.textChanged.connect(self._show_tiles)
        self.search.installEventFilter(self)
        self.people.row_chosen.connect(lambda _tile: self._show_person())
        self.people.row_opened.connect(lambda _tile: self.pin.setFocus(Qt.FocusReason.OtherFocusReason))
        self.pin.entered.connect(self._ask)
        self.card_text.returnPressed.connect(lambda: self.pin.setFocus(Qt.FocusReason.OtherFocusReason))
        self.sign_in_button.clicked.connect(self._ask)
        self.patient_button.clicked.connect(self._patient)
        self._is_card = False
        self._show_tiles("")
        self.first = self.pin

    def _lay_out(self, facts: StartFacts) -> None:
        card = _CardFrame()
        row = QHBoxLayout(card)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._left(facts), 1)
        row.addWidget(Rule(is_vertical=True))
        row.addWidget(self._right(facts), 1)
        self.middle.addStretch(1)
        if facts.is_damaged:
            band = Note("triangle-alert", facts.verified, "deny", TextKind.BODY)
            band.setMinimumWidth(scaled(560))
            self.middle.addLayout(centred(band))
            self.middle.addSpacing(scaled(12))
        self.middle.addLayout(centred(card))
        self.middle.addStretch(1)
        if not facts.is_damaged:
            self._say_below("shield-check", facts.verified)
        self._say_below("key-round", facts.key_store)
        self.bottom.addStretch(1)
        self.bottom.addWidget(label(facts.version, TextKind.CAPTION))

    def _say_below(self, icon_name: str, text: str) -> None:
        line = QHBoxLayout()
        line.setSpacing(scaled(6))
        line.addWidget(IconLabel(icon_name, "text2"))
        line.addWidget(label(text, TextKind.CAPTION))
        self.bottom.addLayout(line)

    def _left(self, facts: StartFacts) -> QWidget:
        left = QWidget()
        layout = QVBoxLayout(left)
        layout.setContentsMargins(0, scaled(20), 0, scaled(12))
        layout.setSpacing(scaled(4))
        head = QVBoxLayout()
        head.setContentsMargins(scaled(20), 0, scaled(20), scaled(8))
        head.setSpacing(scaled(2))
        head.addWidget(label("Who is signing in?", TextKind.TITLE))
        head.addWidget(label(facts.about, tone="text2", wrap=True))
        head.addSpacing(scaled(10))
        head.addWidget(self.search)
        layout.addLayout(head)
        layout.addWidget(self.people, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(scaled(12), scaled(4), scaled(12), 0)
        foot.addWidget(self.patient_button)
        foot.addStretch(1)
        layout.addLayout(foot)
        return left

    def _right(self, facts: StartFacts) -> QWidget:
        right = QWidget()
        layout = QVBoxLayout(right)
        layout.setContentsMargins(scaled(32), scaled(28), scaled(32), scaled(28))
        layout.setSpacing(scaled(8))
        head = QHBoxLayout()
        head.setSpacing(scaled(12))
        head.addWidget(self._who)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._name)
        words.addWidget(self._role)
        head.addLayout(words, 1)
        layout.addLayout(head)
        layout.addSpacing(scaled(12))
        layout.addWidget(self._card_field)
        layout.addWidget(label("PIN", TextKind.STRONG))
        row = QHBoxLayout()
        row.setSpacing(scaled(8))
        row.addWidget(self.pin, 1)
        row.addWidget(self.sign_in_button)
        layout.addLayout(row)
        if facts.pin_hint:
            layout.addWidget(Note("info", facts.pin_hint))
        layout.addWidget(self.trouble)
        layout.addSpacing(scaled(12))
        layout.addWidget(Rule())
        layout.addSpacing(scaled(4))
        self._can.setSpacing(scaled(8))
        layout.addLayout(self._can)
        layout.addStretch(1)
        return right

    def show_trouble(self, text: str) -> None:
        """Say why it did not work: "That was not your PIN. 4 tries left."."""
        self.trouble.show_note("triangle-alert", text, "deny")
        self.trouble.show()
        self.set_busy(busy=False)
        self.pin.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def current_key(self) -> str:
        """Key of the chosen tile; empty for a patient with her card."""
        tile = self.people.current_row
        return tile.key if isinstance(tile, Tile) else ""

    def choose(self, key: str) -> None:
        """Choose a tile, if it is listed."""
        self.people.choose(key)
        self._show_person()

    def _next_theme(self) -> None:
        themes = list(Theme)
        following = themes[(themes.index(self._chosen.theme) + 1) % len(themes)]
        self.preferences_changed.emit(replace(self._chosen, theme=following))

    def _next_size(self) -> None:
        scales = text_scales()
        nearest = min(range(len(scales)), key=lambda at: abs(scales[at] - self._chosen.text_scale))
        self.preferences_changed.emit(replace(self._chosen, text_scale=scales[(nearest + 1) % len(scales)]))

    def set_busy(self, *, busy: bool) -> None:
        """While the keys are unlocked nothing can be sent twice."""
        self.sign_in_button.setEnabled(not busy)
        self.sign_in_button.setText("Signing in…" if busy else "Sign in")

    def _show_tiles(self, query: str) -> None:
        words = query.casefold().split()
        found = [
            tile
            for tile in self._tiles.values()
            if all(word in f"{tile.name} {role_words(tile.role)} {tile.hospital}".casefold() for word in words)
        ]
        self.people.show_entries([_entry(tile) for tile in found])
        self.people.choose_first()
        self._show_person()

    def _show_person(self) -> None:
        tile = self.people.current_row
        self._is_card = not isinstance(tile, Tile)
        self._card_field.setVisible(self._is_card)
        if isinstance(tile, Tile):
            words, icon_name = _ROLES.get(tile.role, (tile.role, "user-round"))
            self._fill(tile.name, f"{words} · {tile.hospital}", icon_name, tile.role)
        else:
            self._fill("I am a patient", "With your card and your PIN", "user-round", "patient")

    def _fill(self, name: str, role: str, icon_name: str, kind: str) -> None:
        self._name.setText(name)
        self._role.setText(role)
        self._who.show_content(icon_name)
        self.trouble.hide()
        empty_layout(self._can)
        article = "an" if role_words(kind)[0] in "AEIO" else "a"
        self._can.addWidget(label(f"As {article} {role_words(kind).lower()} you can", TextKind.STRONG))
        for can_icon, text in _CAN.get(kind, ()):
            self._can.addWidget(Note(can_icon, text, "text2", TextKind.BODY))

    def _patient(self) -> None:
        self.people.clearSelection()
        self.people.setCurrentIndex(self.people.rootIndex())
        self._show_person()
        self.card_text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask(self) -> None:
        if not self.pin.is_complete:
            self.show_trouble("A PIN has at least 8 characters.")
            return
        if self._is_card and not self.card_text.text().strip():
            self.show_trouble("Scan or type the code on your card first.")
            self.card_text.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.trouble.hide()
        self.set_busy(busy=True)
        tile = self.people.current_row
        if isinstance(tile, Tile) and not self._is_card:
            self.sign_in_asked.emit(tile.key, self.pin.take())
        else:
            self.card_asked.emit(self.card_text.text(), self.pin.take())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's: arrows in the search field move in the list, Enter goes to the PIN."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Up}:
                self.people.keyPressEvent(event)
                return True
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self.pin.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return super().eventFilter(watched, event)


def _entry(tile: Tile) -> TwoLine:
    words, icon_name = _ROLES.get(tile.role, (tile.role, "user-round"))
    return TwoLine(tile.name, f"{words} · {tile.hospital}", icon_name, row=tile)
