"""Why a consent is not accepted. A refused artefact is never stored and never half applied (DECISION.md 3.1)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import final


class RefusalCode(StrEnum):
    """Every reason, in the order in which they are checked; the first one names the result."""

    DUPLICATE_KEY = "DUPLICATE_KEY"
    WRONG_RESOURCE_TYPE = "WRONG_RESOURCE_TYPE"
    UNKNOWN_MODIFIER = "UNKNOWN_MODIFIER"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    VERIFICATION_NOT_ALLOWED = "VERIFICATION_NOT_ALLOWED"
    UNKNOWN_STATUS = "UNKNOWN_STATUS"
    WRONG_SCOPE = "WRONG_SCOPE"
    MISSING_PATIENT = "MISSING_PATIENT"
    MISSING_DATETIME = "MISSING_DATETIME"
    MISSING_PERFORMER = "MISSING_PERFORMER"
    MISSING_ORGANIZATION = "MISSING_ORGANIZATION"
    MISSING_SOURCE = "MISSING_SOURCE"
    TWO_SOURCES = "TWO_SOURCES"
    MISSING_POLICY = "MISSING_POLICY"
    TWO_POLICIES = "TWO_POLICIES"
    MISSING_PROVISION_TYPE = "MISSING_PROVISION_TYPE"
    PERFORMER_NOT_ENTITLED = "PERFORMER_NOT_ENTITLED"
    NESTING_TOO_DEEP = "NESTING_TOO_DEEP"
    UNKNOWN_PROVISION_TYPE = "UNKNOWN_PROVISION_TYPE"
    INVALID_DATE = "INVALID_DATE"
    PERIOD_END_BEFORE_START = "PERIOD_END_BEFORE_START"
    DATA_PERIOD_END_BEFORE_START = "DATA_PERIOD_END_BEFORE_START"
    UNKNOWN_PURPOSE = "UNKNOWN_PURPOSE"
    UNKNOWN_LABEL = "UNKNOWN_LABEL"
    UNKNOWN_ACTOR_ROLE = "UNKNOWN_ACTOR_ROLE"
    UNSUPPORTED_ACTOR = "UNSUPPORTED_ACTOR"
    UNKNOWN_ACTION = "UNKNOWN_ACTION"
    UNSUPPORTED_DATA_MEANING = "UNSUPPORTED_DATA_MEANING"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The result of compiling an artefact that must not be accepted."""

    code: RefusalCode


@final
class RefusedError(Exception):
    """Leaves a check inside this room; ``compile_consent`` turns it into a ``Refusal``."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code.value)
        self.code = code
