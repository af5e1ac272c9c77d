"""What a patient chooses in her turn: the asked value or less, and answers that nobody gives for her (feature C2)."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from app.consent.terms import DAYS, Category, Grantee, GranteeKind, Labels, Terms
from app.services.accesses import Who

_ABOUT: Final = timedelta(days=7)


class Unanswered(StrEnum):
    """A question of the dialog that still needs an answer, in the dialog's order."""

    CATEGORIES = "categories"
    EMERGENCY = "emergency"
    AI = "ai"
    TRAINING = "training"


class SinceKind(StrEnum):
    """What an offered first day is called."""

    ASKED = "asked"
    YEARS = "years"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Since:
    """A first day that is offered.

    Attributes:
        kind: what it is called.
        first_day: ISO day, or empty for any time.
        years: of ``YEARS``, and of ``ASKED`` if the asked day is that many years ago; else 0.
    """

    kind: SinceKind
    first_day: str
    years: int = 0


@dataclass(frozen=True, slots=True)
class Choices:
    """The patient's choices so far. What was not answered counts as no until it is.

    Attributes:
        categories: left ticked; may be empty for a moment.
        made_from, made_until: ISO days, empty for no limit.
        days: for how long.
        grantee: who.
        labels: what stays closed.
        ai: may a computer suggest a diagnosis; None is not answered.
        training: may computers learn; None is not answered.
        emergency_opens: what ``labels`` keeps closed opens in an emergency; None is not answered.
    """

    categories: frozenset[Category]
    made_from: str
    made_until: str
    days: int
    grantee: Grantee
    labels: Labels
    ai: bool | None = None
    training: bool | None = None
    emergency_opens: bool | None = None

    @classmethod
    def asked(cls, terms: Terms) -> Self:
        """Return the choices that allow all that was asked, with nothing answered for her."""
        return cls(
            terms.categories, terms.made_from, terms.made_until, terms.keep_open_days, terms.grantee, terms.labels
        )

    def change(self, **changes: Any) -> "Choices":
        """Return other choices; another ``labels`` asks about emergencies anew."""
        if "labels" in changes and changes["labels"] is not self.labels:
            changes.setdefault("emergency_opens", None)
        return replace(self, **changes)

    def open_questions(self, asked: Terms) -> tuple[Unanswered, ...]:
        """Return what still has to be answered before it can be checked."""
        asks_ai = bool((self.categories & asked.ai_categories) or not self.categories)
        found = {
            Unanswered.CATEGORIES: not self.categories,
            Unanswered.EMERGENCY: asks_emergency(asked, self.labels) and self.emergency_opens is None,
            Unanswered.AI: asked.ai_inference and asks_ai and self.ai is None,
            Unanswered.TRAINING: asked.ai_training and asks_ai and self.training is None,
        }
        return tuple(question for question, is_open in found.items() if is_open)

    def terms(self, asked: Terms) -> Terms:
        """Return what they leave of ``asked``.

        Raises:
            WideningError: they allow more than was asked, or nothing is left.
        """
        return asked.narrowed(
            categories=self.categories,
            made_from=self.made_from,
            made_until=self.made_until,
            keep_open_days=self.days,
            grantee=self.grantee,
            labels=self.labels,
            ai_inference=asked.ai_inference and self.ai is True,
            ai_training=asked.ai_training and self.training is True,
            emergency_opens=self._emergency(asked),
        )

    def _emergency(self, asked: Terms) -> bool:
        return self.emergency_opens is True if asks_emergency(asked, self.labels) else asked.emergency_opens


def asks_emergency(asked: Terms, labels: Labels) -> bool:
    """Whether "Also in an emergency?" is a question: something stays closed, and it was not asked to stay so."""
    return labels is not Labels.ALL and asked.emergency_opens


def labels_offered(asked: Terms) -> tuple[Labels, ...]:
    """Return what may stay closed: what was asked, or more."""
    return tuple(Labels) if asked.labels is Labels.ALL else (asked.labels,)


def days_offered(asked: Terms) -> tuple[int, ...]:
    """Return for how long it may be opened: what was asked, or less."""
    return tuple(sorted({asked.keep_open_days, *(days for days in DAYS if days < asked.keep_open_days)}))


def since_offered(asked: Terms, today: date) -> tuple[Since, ...]:
    """Return the first days that are offered, the asked one first; none lies outside what was asked."""
    month = today.replace(day=1).isoformat()
    offered = [Since(SinceKind.YEARS, _years_ago(today, years), years) for years in (5, 2, 1)]
    offered.append(Since(SinceKind.MONTH, month))
    shorter = [
        each
        for each in offered
        if each.first_day > asked.made_from and (not asked.made_until or each.first_day <= asked.made_until)
    ]
    if not asked.made_from:
        return (Since(SinceKind.ASKED, ""), *shorter)
    named = next((years for years in (5, 2, 1) if _is_about(asked.made_from, _years_ago(today, years))), 0)
    rest = [each for each in shorter if not (named and each.years == named)]
    return (Since(SinceKind.ASKED, asked.made_from, named), *rest)


def only(asked_by: Who) -> Grantee:
    """Return the grantee "only this person", to which a role or a hospital can be narrowed."""
    return Grantee(
        GranteeKind.PRACTITIONER, asked_by.msp_id, asked_by.hospital, name=asked_by.name, subject=asked_by.subject
    )


def _years_ago(today: date, years: int) -> str:
    try:
        return today.replace(year=today.year - years).isoformat()
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28).isoformat()


def _is_about(day: str, other: str) -> bool:
    """Whether two days are no more than a few apart: the request was written some days before it is decided."""
    return abs(date.fromisoformat(day) - date.fromisoformat(other)) <= _ABOUT
