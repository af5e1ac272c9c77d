"""The keys that a person can change: which there are, what they mean, and whether two of them clash (SCREENS.md 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from shiboken6 import isValid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QWidget

EVERYWHERE: Final = "everywhere"
VIEWER: Final = "viewer"


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a key does.

    Attributes:
        name: stable, for the settings file.
        meaning: in words.
        standard: the key as Qt writes it, ``Ctrl+K``.
        pages: where it works; ``everywhere`` is all of them.
    """

    name: str
    meaning: str
    standard: str
    pages: tuple[str, ...] = (EVERYWHERE,)


COMMANDS: Final = (
    Command("palette", "Search or type a command", "Ctrl+K"),
    Command("lock", "Lock", "Ctrl+L"),
    Command("notices", "Notifications", "Ctrl+J"),
    Command("refresh", "Refresh", "F5"),
    Command("pane", "Next pane", "F6"),
    Command("filter", "Filter", "/"),
    Command("larger", "Larger text", "Ctrl++"),
    Command("smaller", "Smaller text", "Ctrl+-"),
    Command("ask", "Ask for access", "N", ("worklist", "patient", "requests")),
    Command("more", "Ask for more of this patient", "A", ("worklist",)),
    Command("patient", "Patient page", "P", ("worklist",)),
    Command("why", "Why", "W", ("patient",)),
    Command("agree", "Agree", "G", ("suggestions",)),
    Command("override", "Override", "V", ("suggestions",)),
    Command("reason", "Reason", "R", ("suggestions",)),
    Command("card", "Model card", "C", ("suggestions",)),
    Command("block", "Go to block", "Ctrl+G", ("ledger",)),
    Command("window", "Window: drag", "W", (VIEWER,)),
    Command("scroll", "Scroll: drag", "S", (VIEWER,)),
    Command("zoom", "Zoom: drag", "Z", (VIEWER,)),
    Command("pan", "Pan: drag", "P", (VIEWER,)),
    Command("length", "Length: drag", "L", (VIEWER,)),
    Command("invert", "Invert", "I", (VIEWER,)),
    Command("rotate", "Rotate", "R", (VIEWER,)),
    Command("flip-across", "Flip left to right", "H", (VIEWER,)),
    Command("flip-down", "Flip upside down", "V", (VIEWER,)),
    Command("reset", "Reset", "0", (VIEWER,)),
    Command("cine", "Cine, also space", "C", (VIEWER,)),
    Command("texts", "Texts on the image", "T", (VIEWER,)),
)
_BY_NAME: Final = {command.name: command for command in COMMANDS}
_FIXED: Final = {
    *("Esc", "Tab", "Shift+Tab", "Backtab", "Return", "Enter", "Space", "?", "F8", "F11", "Ctrl+C", "Ctrl+Return"),
    *("Up", "Down", "Left", "Right", "Home", "End", "PgUp", "PgDown", "Ctrl+=", "Ctrl+V", "Ctrl+X", "Ctrl+Z"),
    *(f"Ctrl+{number}" for number in range(1, 6)),
    *(f"Ctrl+Alt+{number}" for number in range(1, 4)),
    *(str(number) for number in range(1, 10)),
}
"""Keys that stay what they are, on every page."""
_MODIFIERS: Final = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)
_chosen: dict[str, str] = {}
_bound: list[tuple[QShortcut, str]] = []


def key_of(name: str) -> str:
    """Return the key of a command now, as Qt writes it."""
    return _chosen.get(name, _BY_NAME[name].standard)


def meaning_of(name: str) -> str:
    """Return what a command does, in words."""
    return _BY_NAME[name].meaning


def key_text(name: str) -> str:
    """Return the key of a command now, as people read it: "Ctrl K"."""
    return written(key_of(name))


def written(key: str) -> str:
    """Return a key as people read it."""
    *modifiers, last = key[:-1].split("+") if key.endswith("+") else key.split("+")
    return " ".join((*modifiers, "+" if key.endswith("+") else last.replace("-", "−")))


def code_of(name: str) -> int:
    """Return Qt's number of a command's key that stands alone (the viewer's)."""
    return _combination(key_of(name)).key().value


def _combination(key: str) -> QKeyCombination:
    sequence: Any = QKeySequence(key)  # Qt's stubs do not say that it can be indexed
    made: QKeyCombination = sequence[0]
    return made


def use_keys(chosen: Mapping[str, str]) -> None:
    """Use other keys from now on, also where they are bound already; names and keys were checked with ``sensible``."""
    _chosen.clear()
    _chosen.update(chosen)
    _bound[:] = [(shortcut, name) for shortcut, name in _bound if isValid(shortcut)]
    for shortcut, name in _bound:
        shortcut.setKey(QKeySequence(key_of(name)))


def bind(owner: QWidget, name: str, run: Callable[[], object], *, alone: bool = True) -> QShortcut:
    """Have a command's key do something.

    Args:
        owner: the widget it works in.
        name: of the command.
        run: what it does.
        alone: only while the focus is inside ``owner``; else in its whole window.
    """
    shortcut = QShortcut(QKeySequence(key_of(name)), owner)
    if alone:
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    shortcut.activated.connect(run)
    _bound.append((shortcut, name))
    return shortcut


def trouble_of(name: str, key: str, chosen: Mapping[str, str]) -> str:
    """Return why a key cannot be a command's, in words; empty if it can.

    Args:
        name: of the command.
        key: as Qt writes it.
        chosen: all other keys that differ from the standard.
    """
    command, sequence = _BY_NAME[name], QKeySequence(key)
    is_one = sequence.count() == 1 and sequence.toString() == key and key.isprintable()
    if not is_one or _combination(key).key() == Qt.Key.Key_unknown:
        return "This is not one key."
    modifiers = _combination(key).keyboardModifiers()
    if key in _FIXED:
        return f"{written(key)} always means the same in Assent."
    is_plain = not modifiers & _MODIFIERS
    if VIEWER in command.pages and modifiers != Qt.KeyboardModifier.NoModifier:
        return "Choose a key that stands alone: it is used while dragging."
    if EVERYWHERE in command.pages and is_plain and len(key) == 1 and key.isalnum():
        return "Choose a key with Ctrl or Alt: pages use the letters."
    for other in COMMANDS:
        if other is not command and chosen.get(other.name, other.standard) == key and _meet(command, other):
            return f"{written(key)} is already “{other.meaning}”."
    return ""


def _meet(one: Command, other: Command) -> bool:
    """Tell whether two commands work on the same page."""
    return EVERYWHERE in (*one.pages, *other.pages) or bool(set(one.pages) & set(other.pages))


def sensible(kept: object) -> dict[str, str]:
    """Return chosen keys as they were kept; none if they are no keys, of no command, or clash."""
    if not isinstance(kept, dict):
        return {}
    chosen = {str(name): key for name, key in kept.items() if isinstance(key, str)}
    if len(chosen) != len(kept) or not set(chosen) <= set(_BY_NAME):
        return {}
    if any(trouble_of(name, key, chosen) for name, key in chosen.items()):
        return {}
    return {name: key for name, key in chosen.items() if key != _BY_NAME[name].standard}
