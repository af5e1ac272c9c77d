"""What the patient will read of a request, in her language or the other, rebuilt at every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.consent.sentences import facts
from app.ui.theme import scaled
from app.ui.widgets import Card, Column, IconLabel, Rule, Segment, Segments, TextKind, label
from app.ui.widgets.panes import empty_layout

if TYPE_CHECKING:
    from collections.abc import Sequence

_ICONS: Final = ("stethoscope", "files", "calendar", "clock", "chart-scatter", "graduation-cap")
_QUOTES: Final = {"en": ("“", "”"), "de": ("„", "“")}
_NOTHING: Final = "Choose at least one kind of record to see what the patient will read."


class RequestPreview(Card):
    """The live preview.

    Signals:
        language_chosen: ``en`` or ``de``.
    """

    language_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__("What the patient will read", icon_name="eye", padding=16)
        self.languages = Segments(
            (Segment("en", "English"), Segment("de", "Deutsch")), "en", small=True, accessible="Language of the preview"
        )
        self.languages.chosen.connect(self.language_chosen)
        self.head.addWidget(self.languages)
        column = Column(4, 12)
        self._lines = column.body
        self.body.addWidget(column, 1)
        self.show_sentences((), "")

    @property
    def language(self) -> str:
        """In which language it is shown."""
        return self.languages.current or "en"

    def show_patient(self, name: str) -> None:
        """Say whose preview it is."""
        self.title_label.setText(f"What {name or 'the patient'} will read")

    def show_sentences(self, sentences: Sequence[str], reason: str) -> None:
        """Show the sentences of the request; none says that a choice is missing."""
        empty_layout(self._lines)
        if not sentences:
            self._lines.addWidget(label(_NOTHING, tone="muted", wrap=True))
            self._lines.addStretch(1)
            return
        self._lines.addWidget(label(sentences[0], TextKind.PATIENT_STRONG, wrap=True))
        if reason.strip():
            before, after = _QUOTES[self.language]
            self._add("message-square-quote", f"{before}{reason.strip()}{after}")
        period_first = len(sentences) - 1
        for number, sentence in enumerate(sentences[1:]):
            self._add(_ICONS[min(number, len(_ICONS) - 1, period_first)], sentence)
        self._lines.addWidget(Rule())
        _, stop, refuse, _ = facts(self.language)
        self._lines.addWidget(label(f"{refuse} {stop}", tone="text2", wrap=True))
        self._lines.addStretch(1)

    def _add(self, icon_name: str, text: str) -> None:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(scaled(12))
        row.addWidget(IconLabel(icon_name, "accent", 18), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.addWidget(label(text, TextKind.PATIENT, wrap=True))
        row.addLayout(words, 1)
        self._lines.addWidget(made)
