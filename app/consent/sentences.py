"""Plain words for a consent, in the patient's language, built from the artefact that will be signed (SCREENS.md e).

Texts are in ``resources/consent``, one file per language with the same keys; ``text_id`` names their version, is part
of the artefact, and a changed text asks for consent again.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from app.consent import codes
from app.consent.artefact import LANGUAGES, Artefact
from app.consent.dates import read_zone
from app.consent.reading import Form, Signed, UnreadableError, read_artefact
from app.consent.terms import AI_CATEGORIES, Category, Grantee, GranteeKind, Labels, Narrowing, Terms
from ledger.contract.lineage import lineage

_FOLDER: Final = Path(__file__).resolve().parents[2] / "resources" / "consent"
_TITLES: Final = ("Dr",)
_PURPOSES: Final = frozenset({"TREAT", "COC", "HQUALIMP", "HRESCH"})
_FACTS: Final = ("fact_seen", "fact_stop", "fact_no", "fact_copy")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a read-back question."""

    text: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A read-back question: four answers, the last of which is "I am not sure".

    Attributes:
        again: what is said after a wrong or unsure answer.
    """

    text: str
    answers: tuple[Answer, ...]
    again: str


class Texts:
    """The texts of one language."""

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        self.language = language
        self.text_id = texts["text_id"]
        self._texts = texts

    def say(self, key: str, **fields: str) -> str:
        """Return a text with its fields filled in.

        Raises:
            KeyError: there is no such text, or a field is missing.
        """
        return self._texts[key].format(**fields)

    def name(self, name: str) -> str:
        """Return a person's name with its title as the language writes it."""
        title, _, rest = name.partition(" ")
        return f"{self.say(f'title.{title}')} {rest}" if title in _TITLES and rest else name

    def short_name(self, name: str) -> str:
        """Return title and family name of a person with a title, else the name."""
        title, _, rest = name.partition(" ")
        return self.name(f"{title} {rest.rpartition(' ')[2]}") if title in _TITLES and rest else name

    def day(self, day: str) -> str:
        """Return an ISO day in words."""
        read = date.fromisoformat(day)
        return self.say(
            "day", day=str(read.day), month=self._texts["months"].split()[read.month - 1], year=str(read.year)
        )

    def moment(self, second: int, zone: str) -> str:
        """Return a second (UTC) in words, in ``zone``."""
        local = datetime.fromtimestamp(second, UTC) + timedelta(seconds=read_zone(zone) or 0)
        return self.say("moment", day=self.day(local.date().isoformat()), hour=f"{local:%H}", minute=f"{local:%M}")

    def days(self, days: int) -> str:
        """Return a number of days in words."""
        return self.say("days.one" if days == 1 else "days.many", days=str(days))

    def categories(self, categories: Iterable[Category], *, asked: bool = False) -> str:
        """Return categories as one list; ``asked`` chooses the fuller words of a request where there are any."""
        chosen = frozenset(categories)
        words = [self._category(each, asked=asked) for each in Category if each in chosen]
        head, tail = words[:-1], words[-1:]
        return self.say("and").join([self.say("comma").join(head), *tail] if head else tail)

    def _category(self, category: Category, *, asked: bool) -> str:
        fuller = f"asked.{category.value}"
        return self.say(fuller if asked and fuller in self._texts else f"category.{category.value}")


@cache
def texts(language: str) -> Texts:
    """Return the texts of ``language``.

    Raises:
        KeyError: there are none.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    return Texts(language, json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8")))


def preview(artefact: Artefact, language: str = "") -> tuple[str, ...]:
    """Return what the patient reads of a request, sentence by sentence.

    Args:
        artefact: the proposed consent.
        language: another language than the artefact's, for the proposer's preview.

    Raises:
        UnreadableError: the artefact is not exactly what the dialog writes, or not a sharing.
    """
    words, signed = texts(language or artefact.language), read_artefact(artefact)
    terms = _terms(signed)
    days = terms.keep_open_days
    lines = [
        words.say(f"intro.{terms.grantee.kind.value}", **_who(terms.grantee, words)),
        _purpose(terms, words, "purpose"),
        words.say("records", categories=words.categories(terms.categories, asked=True)),
        _made(terms, words, "period"),
        words.say("retention.one" if days == 1 else "retention.many", days=str(days), until=_until(signed, words)),
    ]
    lines += [words.say("ai_ask")] if terms.ai_inference else []
    lines += [words.say("train_ask")] if terms.ai_training else []
    return tuple(lines)


def sentences(artefact: Artefact, language: str = "") -> tuple[str, ...]:
    """Return all that ``artefact`` says: "in one sentence", then what else it says of AI, labels and emergencies.

    Raises:
        UnreadableError: the artefact is not exactly what the dialog writes.
    """
    words, signed = texts(language or artefact.language), read_artefact(artefact)
    return _SAYING[signed.form](signed, words)


def facts(language: str) -> tuple[str, ...]:
    """Return the four plain facts beside the sentence."""
    return tuple(texts(language).say(key) for key in _FACTS)


def questions(artefact: Artefact, shuffle: Callable[[list[Answer]], None]) -> tuple[Question, Question]:
    """Return the two read-back questions on a sharing: what is opened, and how to stop.

    Args:
        artefact: the consent to be signed.
        shuffle: puts the answers in random order, in place; "I am not sure" is added last.

    Raises:
        UnreadableError: the artefact is not exactly what the dialog writes, or not a sharing.
    """
    words, signed = texts(artefact.language), read_artefact(artefact)
    terms, until = _terms(signed), _until(signed, words)
    others = [each for each in Category if each not in terms.categories]
    wrong = words.say("q1.others", categories=words.categories(others)) if others else words.say("q1.nothing")
    right = words.say("q1.right", categories=words.categories(terms.categories), until=until)
    by_person = terms.grantee.kind is GranteeKind.PRACTITIONER
    opened = words.say("check_q1" if by_person else "check_q1_others", short_name=words.short_name(terms.grantee.name))
    again = words.say("q1.again", sentence=_sharing(signed, words)[0])
    stop = (words.say("q2.right"), words.say("q2.never"), words.say("q2.wait", until=until))
    return (
        Question(opened, _answers((right, wrong, words.say("q1.everything")), words, shuffle), again),
        Question(words.say("check_q2"), _answers(stop, words, shuffle), words.say("again")),
    )


def narrowing_words(narrowing: Narrowing, language: str) -> str:
    """Return what the patient cut, for the row's mark and for the request's detail."""
    words = texts(language)
    if narrowing.term == "categories":
        return words.say("took_out", categories=words.categories(_set(narrowing.asked) - _set(narrowing.allowed)))
    saying = _VALUES.get(narrowing.term, _said_plainly)
    asked, allowed = saying(narrowing.asked, words), saying(narrowing.allowed, words)
    return words.say(f"narrowed.{narrowing.term}", asked=asked, allowed=allowed)


def who(grantee: Grantee, language: str) -> str:
    """Return the grantee in words."""
    words = texts(language)
    return words.say(f"who.{grantee.kind.value}", **_who(grantee, words))


def _sharing(signed: Signed, words: Texts) -> tuple[str, ...]:
    terms = _terms(signed)
    main = words.say(
        "sentence",
        who=who(terms.grantee, words.language),
        categories=words.categories(terms.categories),
        made=_made(terms, words, "made"),
        purpose=_purpose(terms, words, "to"),
        until=_until(signed, words),
    )
    return (main, *_ai(terms, words), *_labels(terms, words))


def _ai(terms: Terms, words: Texts) -> tuple[str, ...]:
    """A no is said too: nobody should have to notice that a sentence is missing."""
    fields = {
        "categories": words.categories(terms.ai_categories or AI_CATEGORIES),
        "organization": terms.grantee.organization_name,
    }
    inference = "sentence.ai_yes" if terms.ai_inference else "sentence.ai_no"
    training = "sentence.training_yes" if terms.ai_training else "sentence.training_no"
    return words.say(inference, **fields), words.say(training, **fields)


def _labels(terms: Terms, words: Texts) -> tuple[str, ...]:
    if terms.labels is Labels.ALL:
        return ()
    return words.say(f"sentence.{terms.labels.value}"), _emergency(words, opens=terms.emergency_opens)


def _block(signed: Signed, words: Texts) -> tuple[str, ...]:
    named = "" if signed.person is None else who(signed.person, words.language)
    said = words.say("sentence.block", who=named, custodian=signed.signing.party.custodian_name)
    return said, _emergency(words, opens=signed.emergency_opens)


def _dissent(signed: Signed, words: Texts) -> tuple[str, ...]:
    said = words.say("sentence.dissent", custodian=signed.signing.party.custodian_name)
    return said, _emergency(words, opens=signed.emergency_opens)


_SAYING: Final[dict[Form, Callable[[Signed, Texts], tuple[str, ...]]]] = {
    Form.SHARING: _sharing,
    Form.BLOCK: _block,
    Form.DISSENT: _dissent,
}


def _emergency(words: Texts, *, opens: bool) -> str:
    return words.say("sentence.emergency_open" if opens else "sentence.emergency_closed")


def _terms(signed: Signed) -> Terms:
    if signed.terms is None:
        raise UnreadableError("not a sharing")
    return signed.terms


def _who(grantee: Grantee, words: Texts) -> dict[str, str]:
    return {"name": words.name(grantee.name), "organization": grantee.organization_name}


def _until(signed: Signed, words: Texts) -> str:
    return words.moment(signed.signing.end(_terms(signed)), signed.signing.party.zone)


def _purpose(terms: Terms, words: Texts, prefix: str) -> str:
    system, code = terms.purpose
    if system == codes.ACT_REASON and code in _PURPOSES:
        return words.say(f"{prefix}.{code}")
    is_research = system != codes.ACT_REASON or "HRESCH" in lineage(code)
    return words.say(f"{prefix}.{'research' if is_research else 'other'}", code=code)


def _made(terms: Terms, words: Texts, prefix: str) -> str:
    ends = {"start": terms.made_from, "end": terms.made_until}
    kinds = {(True, True): "between", (True, False): "since", (False, True): "until", (False, False): "all"}
    said = {name: words.day(day) for name, day in ends.items() if day}
    return words.say(f"{prefix}.{kinds['start' in said, 'end' in said]}", **said)


def _answers(
    choices: tuple[str, str, str], words: Texts, shuffle: Callable[[list[Answer]], None]
) -> tuple[Answer, ...]:
    answers = [Answer(text, is_right=number == 0) for number, text in enumerate(choices)]
    shuffle(answers)
    return (*answers, Answer(words.say("unsure"), is_right=False))


def _set(value: object) -> frozenset[Category]:
    return frozenset(Category(each) for each in value) if isinstance(value, frozenset) else frozenset()


def _said_grantee(value: object, words: Texts) -> str:
    return who(value, words.language) if isinstance(value, Grantee) else str(value)


def _said_plainly(value: object, _: Texts) -> str:
    return str(value)


def _said_start(value: object, words: Texts) -> str:
    return words.say("from_day", day=words.day(str(value))) if value else words.say("from_any")


def _said_end(value: object, words: Texts) -> str:
    return words.say("until_day", day=words.day(str(value))) if value else words.say("until_any")


_VALUES: Final[dict[str, Callable[[object, Texts], str]]] = {
    "made_from": _said_start,
    "made_until": _said_end,
    "keep_open_days": lambda value, words: words.days(int(str(value))),
    "grantee": _said_grantee,
    "labels": lambda value, words: words.say(f"labels.{value}"),
}
