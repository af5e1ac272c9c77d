"""What a patient chooses: the asked value or less, and no answer given for her."""

from datetime import date

import pytest

from app.consent.terms import Category, Grantee, GranteeKind, Labels, WideningError
from app.services.accesses import Who
from app.services.choices import (
    Choices,
    Since,
    SinceKind,
    Unanswered,
    days_offered,
    labels_offered,
    only,
    since_offered,
)
from tests.support.sharing import ALDER, CAROL, terms

TODAY = date(2026, 11, 24)


def test_untouched_choices_allow_what_was_asked_but_no_computer() -> None:
    asked = terms()
    left = Choices.asked(asked).terms(asked)
    assert left == terms(ai_inference=False, ai_training=False)


def test_nothing_is_answered_for_her() -> None:
    asked = terms()
    choices = Choices.asked(asked)
    assert choices.open_questions(asked) == (Unanswered.AI, Unanswered.TRAINING)
    assert choices.change(ai=False, training=True).open_questions(asked) == ()
    assert choices.change(ai=True, training=False).terms(asked) == terms(ai_training=False)


def test_nothing_is_asked_about_computers_where_none_could_read_what_is_left() -> None:
    asked = terms()
    choices = Choices.asked(asked).change(categories=frozenset({Category.IMAGE}))
    assert choices.open_questions(asked) == ()
    assert not choices.change(ai=True).terms(asked).ai_inference


def test_no_kind_at_all_is_a_question_and_no_consent() -> None:
    asked = terms()
    choices = Choices.asked(asked).change(categories=frozenset())
    assert Unanswered.CATEGORIES in choices.open_questions(asked)
    with pytest.raises(WideningError):
        choices.terms(asked)


def test_what_stays_closed_asks_about_emergencies_and_counts_as_closed_until_answered() -> None:
    asked = terms(ai_inference=False, ai_training=False)
    choices = Choices.asked(asked).change(labels=Labels.NOT_MENTAL_HEALTH)
    assert choices.open_questions(asked) == (Unanswered.EMERGENCY,)
    assert not choices.terms(asked).emergency_opens
    answered = choices.change(emergency_opens=True)
    assert answered.terms(asked).emergency_opens
    assert answered.change(labels=Labels.NORMAL_ONLY).open_questions(asked) == (Unanswered.EMERGENCY,)


def test_an_emergency_is_not_asked_about_where_nothing_stays_closed() -> None:
    asked = terms(ai_inference=False, ai_training=False)
    choices = Choices.asked(asked).change(labels=Labels.NORMAL_ONLY, emergency_opens=False).change(labels=Labels.ALL)
    assert choices.terms(asked) == asked


@pytest.mark.parametrize(
    "wider",
    [
        {"days": 31},
        {"categories": frozenset(Category)},
        {"made_from": "2024-11-23"},
        {"made_until": "2026-11-25"},
        {"grantee": ALDER},
    ],
)
def test_more_than_was_asked_is_refused(wider: dict[str, object]) -> None:
    asked = terms()
    with pytest.raises(WideningError):
        Choices.asked(asked).change(**wider).terms(asked)


def test_every_offered_day_and_duration_is_the_asked_one_or_less() -> None:
    asked = terms()
    choices = Choices.asked(asked)
    assert days_offered(asked) == (1, 7, 30)
    assert days_offered(terms(keep_open_days=5)) == (1, 5)
    for days in days_offered(asked):
        assert choices.change(days=days).terms(asked).keep_open_days == days
    for since in since_offered(asked, TODAY):
        assert choices.change(made_from=since.first_day).terms(asked).made_from == since.first_day


def test_offered_days_have_the_names_people_use() -> None:
    assert since_offered(terms(), TODAY) == (
        Since(SinceKind.ASKED, "2024-11-24", 2),
        Since(SinceKind.YEARS, "2025-11-24", 1),
        Since(SinceKind.MONTH, "2026-11-01"),
    )
    assert since_offered(terms(made_from="", made_until=""), TODAY)[0] == Since(SinceKind.ASKED, "")
    old = since_offered(terms(made_from="2019-02-03", made_until="2020-02-03"), TODAY)
    assert old == (Since(SinceKind.ASKED, "2019-02-03"),)


def test_a_leap_day_has_a_year_before() -> None:
    offered = since_offered(terms(made_from="", made_until=""), date(2028, 2, 29))
    assert Since(SinceKind.YEARS, "2027-02-28", 1) in offered


def test_only_stricter_labels_are_offered() -> None:
    assert labels_offered(terms()) == tuple(Labels)
    assert labels_offered(terms(labels=Labels.NORMAL_ONLY)) == (Labels.NORMAL_ONLY,)


def test_a_hospital_can_be_narrowed_to_one_person() -> None:
    asked = terms(grantee=ALDER)
    asker = Who(CAROL.name, "practitioner", "", CAROL.organization_name, CAROL.subject, CAROL.msp_id)
    narrowed = Choices.asked(asked).change(grantee=only(asker)).terms(asked)
    assert narrowed.grantee == Grantee(
        GranteeKind.PRACTITIONER, "AlderMSP", "Alder Hospital", name=CAROL.name, subject=CAROL.subject
    )
