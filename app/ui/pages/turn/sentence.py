"""The cards at the right: the consent in one sentence, and what it allows, both from the object that is signed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.consent.reading import read_artefact
from app.consent.sentences import facts, sentences, who
from app.ui.theme import scaled
from app.ui.widgets import Button, ButtonKind, Card, IconLabel, Rule, TextKind, label, set_tone

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLabel

    from app.consent.artefact import Artefact
    from app.consent.terms import Terms
    from app.ui.pages.turn.words import Words

_FACT_ICONS: Final = (("check", "ok_fg"), ("check", "ok_fg"), ("check", "ok_fg"), ("triangle-alert", "wait_fg"))


def icon_row(icon_name: str, colour: str, text: str, tone: str = "", edge: int = 20) -> QHBoxLayout:
    """Make a line of an icon and a sentence in the patient's type."""
    row = QHBoxLayout()
    row.setSpacing(scaled(12))
    row.addWidget(IconLabel(icon_name, colour, edge), 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(label(text, TextKind.PATIENT, tone, wrap=True), 1)
    return row


class SentenceCard(Card):
    """In one sentence, and four plain facts."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.say("sentence_title"), accent=True, padding=20)
        self._words = words
        self._said = ""
        self.first = label("", TextKind.PATIENT, wrap=True)
        self.first.setTextFormat(Qt.TextFormat.RichText)
        self.rest = label("", TextKind.PATIENT, wrap=True)
        self.body.setSpacing(scaled(12))
        self.body.addWidget(self.first)
        self.body.addWidget(self.rest)
        self.body.addWidget(Rule())
        for fact, (icon_name, colour) in zip(facts(words.language), _FACT_ICONS, strict=True):
            self.body.addLayout(icon_row(icon_name, colour, fact))
        self.body.addWidget(Rule())
        self.body.addLayout(icon_row("circle-question-mark", "text2", words.say("fact_less"), "text2"))

    @property
    def text(self) -> str:
        """All that it says of the consent."""
        return f"{self._said} {self.rest.text()}".strip()

    def show_artefact(self, artefact: Artefact | None) -> None:
        """Say what this consent says; None while the choices make none."""
        said = () if artefact is None else sentences(artefact, self._words.language)
        self._said = said[0] if said else self._words.say("choose.none")
        self.first.setText(escape(self._said) if artefact is None else self._marked(artefact))
        self.rest.setText(" ".join(said[1:]))
        self.rest.setVisible(bool(said[1:]))
        set_tone(self.first, "" if said else "wait")
        self.first.setAccessibleName(f"{self._words.say('sentence_title')}: {self.text}")
        self.body.activate()  # a longer sentence takes its room at once, whatever Qt has put off
        self.updateGeometry()

    def _marked(self, artefact: Artefact) -> str:
        """Return the sentence with who, what and until when in bold; names can bring no markup."""
        signed, say = read_artefact(artefact), self._words.consent
        terms = signed.terms
        if terms is None:
            raise TypeError(signed.form)
        until = say.moment(signed.signing.end(terms), signed.signing.party.zone)
        days = [say.day(day) for day in (terms.made_from, terms.made_until) if day]
        html = escape(self._said)
        for part in (say.name(terms.grantee.name), say.categories(terms.categories), until, *days):
            if part and f"<b>{escape(part)}" not in html:
                html = html.replace(escape(part), f"<b>{escape(part)}</b>", 1)
        return html


class AllowCard(Card):
    """What the consent allows, term by term. ``change_wanted`` leads back to the choices."""

    change_wanted = Signal()

    def __init__(self, artefact: Artefact, words: Words) -> None:
        super().__init__(words.say("allow.title"), accent=True, padding=20)
        self._words = words
        change = Button(words.say("allow.change"), kind=ButtonKind.LINK)
        change.clicked.connect(self.change_wanted)
        self.head.addWidget(change)
        self.change_button = change
        signed = read_artefact(artefact)
        terms = signed.terms
        if terms is None:
            raise TypeError(signed.form)
        until = words.consent.moment(signed.signing.end(terms), signed.signing.party.zone)
        days = words.say("allow.days", days=words.consent.days(terms.keep_open_days), moment=until)
        self._line("user-round", "allow.who", who(terms.grantee, words.language))
        self._line("stethoscope", "allow.purpose", words.say(purpose_key(terms), code=terms.purpose[1]))
        kinds = words.consent.categories(terms.categories)
        self._line("files", "allow.what", kinds[:1].upper() + kinds[1:])
        self._line("calendar", "allow.made", made_text(terms, words))
        self._line("clock", "allow.long", days)
        self.body.addWidget(Rule())
        for name, is_yes in (("ai", terms.ai_inference), ("training", terms.ai_training)):
            mark = ("check", "ok_fg") if is_yes else ("ban", "deny_fg")
            self.body.addLayout(icon_row(*mark, words.say(f"allow.{name}_{'yes' if is_yes else 'no'}")))
        for sentence in sentences(artefact, words.language)[3:]:
            self.body.addLayout(icon_row("lock", "text2", sentence))

    def _line(self, icon_name: str, name_key: str, value: str) -> QLabel:
        row = QHBoxLayout()
        row.setSpacing(scaled(12))
        row.addWidget(IconLabel(icon_name, "accent", 20), 0, Qt.AlignmentFlag.AlignTop)
        both = QVBoxLayout()
        both.setSpacing(0)
        both.addWidget(label(self._words.say(name_key), TextKind.PATIENT_CAPTION))
        text = label(value, TextKind.PATIENT, wrap=True)
        both.addWidget(text)
        row.addLayout(both, 1)
        self.body.addLayout(row)
        return text


def purpose_key(terms: Terms) -> str:
    """Return which of the consent's texts names the purpose."""
    known = {"TREAT", "COC", "HQUALIMP", "HRESCH"}
    return f"purpose.{terms.purpose[1]}" if terms.purpose[1] in known else "purpose.other"


def made_text(terms: Terms, words: Words) -> str:
    """Return between which days a record was made, as a note."""
    day = words.consent.day
    if terms.made_from and terms.made_until:
        return words.say("made_between", first=day(terms.made_from), last=day(terms.made_until))
    if terms.made_from:
        return words.say("made_since", day=day(terms.made_from))
    return words.say("made_until", day=day(terms.made_until)) if terms.made_until else words.say("allow.any")
