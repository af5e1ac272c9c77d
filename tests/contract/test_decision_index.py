"""The gate before the list of records (DECISION.md 5, decide_index)."""

from typing import Any

import pytest

from ledger.contract.decision import Ask, Decision, Emergency, Outcome, Policy, Reason, decide_index
from tests.support.decisions import CAROL, FRANK, NORTH, NOW, ask, break_glass, consent, deny, permit, policy


def permitted(reason: Reason, deciding: str = "", until: int | None = None) -> Decision:
    return Decision(Outcome.PERMIT, reason, tuple(deciding.split()), (), until)


def denied(reason: Reason, deciding: str = "", overridden: str = "") -> Decision:
    return Decision(Outcome.DENY, reason, tuple(deciding.split()), tuple(overridden.split()), None)


BY_CONSENT = permitted(Reason.PERMITTED_BY_CONSENT, "c#0")

LIMITS: list[dict[str, Any]] = [
    {"classes": ["lab"]},
    {"codes": ["knee"]},
    {"period": ["m2"]},
    {"authors": ["erin"]},
    {"related": ["plan"]},
    {"records": ["x"]},
    {"levels": ["U"]},
    {"sensitivities": ["PSY"]},
]

CASES: list[tuple[Policy, Ask, Decision]] = [
    (policy(), ask(), denied(Reason.NO_CONSENT)),
    (policy(ended=True), ask(), denied(Reason.NOT_ACTIVE)),
    (policy(consent(permit())), ask(), BY_CONSENT),
    (policy(consent(permit(valid_until=NOW + 4))), ask(), permitted(Reason.PERMITTED_BY_CONSENT, "c#0", NOW + 4)),
    (policy(consent(permit(actors=[FRANK]))), ask(), denied(Reason.ACTOR_NOT_COVERED)),
    (policy(consent(permit(purposes=["HPAYMT"]))), ask(), denied(Reason.PURPOSE_NOT_COVERED)),
    (policy(consent(permit(actions=["use"]))), ask(), denied(Reason.ACTION_NOT_COVERED)),
    (policy(consent(permit(actions=["use"])), consent(permit(actors=[FRANK]), name="d")), ask(),
     denied(Reason.ACTION_NOT_COVERED)),
    # standing
    (policy(consent(permit(valid_until=NOW))), ask(), denied(Reason.EXPIRED)),
    (policy(consent(permit(valid_from=NOW + 1))), ask(), denied(Reason.NOT_YET_VALID)),
    (policy(consent(permit(), status="rejected")), ask(), denied(Reason.NOT_ACTIVE)),
    (policy(consent(permit(), authority=(0, 0))), ask(), denied(Reason.AUTHORITY_ENDED)),
    (policy(consent(permit(), custodians=["south"])), ask(), BY_CONSENT),
    (policy(consent(deny(valid_until=NOW))), ask(), denied(Reason.NO_CONSENT)),
    (policy(consent(deny(valid_until=NOW), name="a"), consent(permit())), ask(), BY_CONSENT),
    (policy(consent(permit(valid_until=NOW), name="a"), consent(permit())), ask(), BY_CONSENT),
    (policy(consent(permit()), consent(permit(), name="d"), consent(deny(actors=[FRANK]), name="e")), ask(),
     permitted(Reason.PERMITTED_BY_CONSENT, "c#0 d#0")),
    # blocks
    (policy(consent(deny())), ask(), denied(Reason.DENIED_BY_CONSENT, "c#0")),
    (policy(consent(deny()), consent(permit(), name="d")), ask(), denied(Reason.DENY_OVERRIDES, "c#0", "d#0")),
    (policy(consent(deny(actors=[FRANK])), consent(permit(), name="d")), ask(),
     permitted(Reason.PERMITTED_BY_CONSENT, "d#0")),
    (policy(consent(deny(purposes=["HPAYMT"])), consent(permit(), name="d")), ask(),
     permitted(Reason.PERMITTED_BY_CONSENT, "d#0")),
    (policy(consent(deny(), permit(purposes=["HPAYMT"]))), ask(), denied(Reason.DENIED_BY_CONSENT, "c#0")),
    (policy(consent(deny(), permit())), ask(), permitted(Reason.PERMITTED_BY_CONSENT, "c#1")),
    (policy(consent(deny(), permit(valid_until=NOW))), ask(), denied(Reason.DENIED_BY_CONSENT, "c#0")),
    # an exception that denies never blocks the list
    (policy(consent(permit(), deny())), ask(), BY_CONSENT),
    (policy(consent(permit(actors=[FRANK]), deny())), ask(), denied(Reason.ACTOR_NOT_COVERED)),
    (policy(consent(permit(actors=[FRANK]), permit())), ask(), permitted(Reason.PERMITTED_BY_CONSENT, "c#1")),
    # emergencies
    (policy(), break_glass(), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(frozen=True), break_glass(), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(consent(permit(actors=[FRANK]))), break_glass(), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(consent(permit(actions=["use"]))), break_glass(), denied(Reason.ACTION_NOT_COVERED)),
    (policy(consent(permit())), break_glass(), BY_CONSENT),
    (policy(consent(deny())), break_glass(), denied(Reason.DENIED_BY_CONSENT, "c#0")),
    (policy(consent(permit(), deny(Emergency.YIELDS))), break_glass(), BY_CONSENT),
    (policy(consent(permit())), ask(purpose="BTG"), denied(Reason.PURPOSE_NOT_AUTHORISED)),
    (policy(consent(permit()), frozen=True), ask(), denied(Reason.PATIENT_FROZEN)),
    # the own record
    (policy(), ask(purpose="PATRQT", party="patient"), permitted(Reason.OWN_RECORD)),
    (policy(consent(deny())), ask(purpose="PATRQT", party="patient"), permitted(Reason.OWN_RECORD)),
    (policy(consent(deny(actors=[CAROL]))), ask(purpose="FAMRQT", party="proxy"),
     denied(Reason.DENIED_BY_CONSENT, "c#0")),
    (policy(consent(deny(actors=[NORTH]))), ask(purpose="FAMRQT", party="proxy"), permitted(Reason.OWN_RECORD)),
]  # fmt: skip


@pytest.mark.parametrize(("held", "asked", "expected"), CASES)
def test_the_list_is_given_or_not(held: Policy, asked: Ask, expected: Decision) -> None:
    assert decide_index(held, asked) == expected


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_about_records_neither_opens_nor_closes_the_list(limit: dict[str, Any]) -> None:
    assert decide_index(policy(consent(permit(**limit))), ask()) == BY_CONSENT
    held = policy(consent(deny(**limit)), consent(permit(), name="d"))
    assert decide_index(held, ask()) == permitted(Reason.PERMITTED_BY_CONSENT, "d#0")
