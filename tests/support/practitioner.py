"""Builders for tests of the practitioner's pages: lines, a workplace on a clock that stands still, plain services."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from app.consent.codes import ACT_REASON
from app.consent.terms import Category, Grantee, GranteeKind, Terms
from app.services.notebook import PatientRef
from app.services.requests import RequestRow, RequestState
from app.services.worklist import RecordRow, RowState
from app.ui.pages.workplace import Workplace
from ledger.gateway import Commit, Envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.services.submission import UnsettledError
    from app.ui.background import Background

NOW: Final = 1_795_530_000
"""24 November 2026, 14:20 UTC."""
ALMA: Final = PatientRef("p" * 26, "AlderMSP", "Alma Fictive", "1961-03-14", "female")
GRETA: Final = PatientRef("q" * 26, "BirchMSP", "Greta Imaginary", "1978-09-02", "female")
HOSPITALS: Final = {"AlderMSP": "Alder Hospital", "BirchMSP": "Birch Hospital"}
TERMS: Final = Terms(
    grantee=Grantee(GranteeKind.PRACTITIONER, "AlderMSP", "Alder Hospital", name="Dr Carol Specimen", subject="c" * 26),
    purpose=(ACT_REASON, "TREAT"),
    categories=frozenset({Category.IMAGE, Category.CYTOLOGY}),
    keep_open_days=7,
    made_from="2025-11-24",
    made_until="2026-11-24",
    ai_inference=True,
)
COMMIT: Final = Commit("t" * 64, 214, 0, NOW, b"{}")
ENVELOPE: Final = Envelope("t" * 64, b"")
CONSENT: Final = "c4rt8" + "a" * 21

OPEN: Final = RecordRow(
    ALMA,
    RowState.OPEN,
    "image",
    title="CT chest",
    record_id="r1",
    version=1,
    made_on="2026-11-24",
    until=NOW + 7 * 86_400,
    consent_id=CONSENT,
    reason="PERMITTED_BY_CONSENT",
    terms=TERMS,
)
CYTOLOGY: Final = replace(
    OPEN, category="cytology", title="Cytology, left breast", record_id="r2", made_on="2026-11-20"
)
SOON: Final = replace(
    OPEN, state=RowState.ENDS_SOON, title="MR brain", record_id="r3", until=NOW + 7_800, patient=GRETA
)
WAITING: Final = RecordRow(GRETA, RowState.WAITING, "cytology", consent_id=CONSENT, terms=TERMS)
LEFT_OUT: Final = RecordRow(
    ALMA, RowState.DENIED, "laboratory", consent_id=CONSENT, reason="CATEGORY_NOT_COVERED", terms=TERMS
)
WITHHELD: Final = RecordRow(ALMA, RowState.WITHHELD, "", reason="LABEL_NOT_COVERED")
UNLISTED: Final = replace(OPEN, state=RowState.NOT_LISTED, title="", record_id="", made_on="")
ENDED: Final = RecordRow(ALMA, RowState.ENDED, "document", consent_id=CONSENT, until=NOW - 90_000)
LINES: Final = (OPEN, CYTOLOGY, SOON, WAITING, LEFT_OUT, WITHHELD, ENDED)


def never_settles(error: UnsettledError) -> Commit | None:
    """Do not know, ever."""
    raise error


def workplace(
    background: Background,
    settle: Callable[[UnsettledError], Commit | None] = never_settles,
    clock: Callable[[], int] = lambda: NOW,
) -> Workplace:
    """Make a workplace at Alder on a clock that stands still."""
    return Workplace(background, clock, settle, HOSPITALS, "AlderMSP", UTC)


def asked(**changes: Any) -> RequestRow:
    """Make a request to Alma that was narrowed from 30 to 7 days, with ``changes``."""
    wide = replace(TERMS, keep_open_days=30, categories=TERMS.categories | {Category.LABORATORY})
    row = RequestRow(CONSENT, ALMA, RequestState.NARROWED, wide, TERMS, NOW - 600, NOW - 60, NOW + 7 * 86_400)
    return replace(row, **changes)


@dataclass
class StubLines:
    """A worklist of fixed lines.

    Attributes:
        lines: what it answers.
        error: what it raises instead, if anything.
    """

    lines: tuple[RecordRow, ...] = LINES
    error: Exception | None = None
    asked: int = field(default=0)

    def rows(self) -> tuple[RecordRow, ...]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.lines
