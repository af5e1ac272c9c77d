"""What a person reads when a decision said no, or a service failed.

Decision reasons are DECISION.md 8's, the four gateway errors STYLE.md's pattern 7. Codes are matched, messages never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.ui.wording import UNKNOWN_CODE, code_sentence
from ledger.contract.decision import Reason
from ledger.gateway import CommitError, CommitStatusError, EndorseError, SubmitError

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS: Final[Mapping[Reason, str]] = {
    Reason.NO_CONSENT: "There is no consent on file that could allow this.",
    Reason.CUSTODIAN_NOT_COVERED: "The patient's consent does not include the hospital that holds this record.",
    Reason.NOT_ACTIVE: "The patient's consent is not in force: not signed, rejected, or withdrawn.",
    Reason.EXPIRED: "The patient's consent has ended.",
    Reason.NOT_YET_VALID: "The patient's consent has not begun.",
    Reason.AUTHORITY_ENDED: "The person who signed for the patient may no longer do so.",
    Reason.ACTOR_NOT_COVERED: "The patient's consent is for other people.",
    Reason.PURPOSE_NOT_COVERED: "The patient's consent does not cover this purpose.",
    Reason.ACTION_NOT_COVERED: "The patient's consent does not cover this kind of use.",
    Reason.CATEGORY_NOT_COVERED: "The patient's consent does not cover this kind of record.",
    Reason.DATE_NOT_COVERED: (
        "The record is outside the dates the patient agreed to, or its date is not certain enough."
    ),
    Reason.AUTHOR_NOT_COVERED: "The consent is limited to certain authors.",
    Reason.INSTANCE_NOT_COVERED: "The consent is limited to certain records.",
    Reason.RELATION_NOT_COVERED: "The consent is limited to a certain visit or plan.",
    Reason.LABEL_NOT_COVERED: "The record is more sensitive than the patient agreed to share.",
    Reason.PERMITTED_BY_CONSENT: "The patient's consent allows this.",
    Reason.PERMITTED_BREAK_GLASS: "Opened because you declared an emergency; the patient will be told.",
    Reason.DENIED_BY_CONSENT: "The patient has refused this.",
    Reason.DENY_OVERRIDES: "One consent allows this, another refuses it; the refusal counts.",
    Reason.CONFLICTING_EXCEPTIONS: (
        "The consent both allows and refuses this; it stays closed until the patient clarifies."
    ),
    Reason.PURPOSE_NOT_AUTHORISED: "You have not declared an emergency, or may not.",
    Reason.RECORD_ERASED: "The record was erased.",
    Reason.PATIENT_FROZEN: "The patient has stopped all access for now.",
    Reason.OWN_RECORD: "This is your own record.",
}


def reason_sentence(code: str) -> str:
    """Return what a clinician reads for a decision's reason code."""
    try:
        return REASONS[Reason(code)]
    except ValueError:
        return UNKNOWN_CODE


def error_sentence(error: Exception) -> str:
    """Return what a person reads when a service failed; never the error's own text."""
    if isinstance(error, EndorseError):
        return f"Not sent. {code_sentence(error.code)} Nothing was recorded."
    if isinstance(error, SubmitError | CommitStatusError):
        return "We do not know yet whether this was recorded. Checking…"
    if isinstance(error, CommitError):
        return "Someone changed this at the same time. Please look again."
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return code_sentence(code)
    return "This did not work, and Assent does not know why. Try again; if it stays, tell the operator."
