"""One vocabulary of status words everywhere (SCREENS.md 1.2): icon and word, never a dot alone, English and German."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class Chip:
    """A status as it is shown.

    Attributes:
        word: what the chip says.
        icon_name: Lucide's name.
        role: ok, wait, deny, unknown, held, info or emergency: the colours.
        spoken: what a screen reader says; empty means the word.
    """

    word: str
    icon_name: str
    role: str
    spoken: str = ""


class Status(StrEnum):
    """The states that chips name."""

    OPEN = "open"
    OPEN_UNTIL = "open-until"
    ENDS_IN = "ends-in"
    WAITING = "waiting"
    NOT_ASKED = "not-asked"
    OUTSIDE = "outside"
    DENIED = "denied"
    WITHHELD = "withheld"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    EMERGENCY = "emergency"
    EMERGENCY_LEFT = "emergency-left"
    CHANGED = "changed"
    VERIFIED = "verified"
    OFFLINE = "offline"
    UP = "up"
    DOWN = "down"


_TABLE: Final[dict[Status, tuple[str, str, str, str]]] = {
    Status.OPEN: ("circle-check", "ok", "Open", "Offen"),
    Status.OPEN_UNTIL: ("circle-check", "ok", "Open until {time}", "Offen bis {time}"),
    Status.ENDS_IN: ("clock-alert", "wait", "Ends in {time}", "Endet in {time}"),
    Status.WAITING: ("hourglass", "wait", "Waiting for patient", "Wartet auf Patient"),
    Status.NOT_ASKED: ("circle-dashed", "held", "Not asked yet", "Nicht angefragt"),
    Status.OUTSIDE: ("circle-dashed", "held", "Outside the period", "Außerhalb des Zeitraums"),
    Status.DENIED: ("ban", "deny", "Denied", "Abgelehnt"),
    Status.WITHHELD: ("eye-off", "held", "Withheld", "Zurückgehalten"),
    Status.ENDED: ("circle-slash-2", "held", "Ended", "Beendet"),
    Status.WITHDRAWN: ("circle-slash-2", "held", "Withdrawn", "Widerrufen"),
    Status.UNKNOWN: ("circle-question-mark", "unknown", "Not known yet", "Noch nicht bekannt"),
    Status.EMERGENCY: ("siren", "emergency", "Emergency", "Notfall"),
    Status.EMERGENCY_LEFT: ("siren", "emergency", "Emergency, {time} left", "Notfall, noch {time}"),
    Status.CHANGED: ("file-diff", "deny", "Changed, not shown", "Verändert, nicht gezeigt"),
    Status.VERIFIED: ("shield-check", "ok", "Verified", "Geprüft"),
    Status.OFFLINE: ("cloud-off", "wait", "Offline", "Offline"),
    Status.UP: ("circle-check", "ok", "Up", "Läuft"),
    Status.DOWN: ("circle-x", "deny", "Down", "Ausgefallen"),
}


def chip(status: Status, language: str = "en", time: str = "") -> Chip:
    """Return the chip of a state.

    Args:
        status: which.
        language: ``en`` or ``de``.
        time: what stands for the end or the time left, already written ("1 Dec", "2 h 10 min").
    """
    icon_name, role, english, german = _TABLE[status]
    word = (german if language == "de" else english).format(time=time)
    return Chip(word, icon_name, role)
