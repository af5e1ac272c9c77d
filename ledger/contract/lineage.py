"""Purposes of use: what lies below what, and which purpose a permit must name (DECISION.md 7, A47).

The tree is v3-ActReason of FHIR R4 4.0.1 (code system version 2018-08-12). The edition of 2016 differs and is not used.
"""

from typing import Final

_BELOW: Final = {
    "TREAT": "CLINTRL COC POPHLTH ETREAT",
    "ETREAT": "BTG ERTREAT",
    "HRESCH": "BIORCH DSRCH POARCH TRANSRCH CLINTRCH",
    "CLINTRCH": "CLINTRCHNPC CLINTRCHPC PRECLINTRCH",
    "HPAYMT": "CLMATTCH COVAUTH REMITADV COVERAGE",
    "COVERAGE": "ELIGDTRM ELIGVER ENROLLM",
    "HOPERAT": (
        "CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP HQUALIMP HSYSADMIN MEMADMIN "
        "MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV TRAIN"
    ),
    "PATRQT": "FAMRQT PWATRNY SUPNWK",
    "PUBHLTH": "DISASTER THREAT",
}
_PARENT: Final = {code: above for above, codes in _BELOW.items() for code in codes.split()}
_NEWER: Final = frozenset({"TREATDS", "MLTRAINING"})

ACT_REASONS: Final = frozenset(_PARENT) | frozenset(_BELOW) | {"HMARKT"}
"""Every code of v3-ActReason that R4 knows as a purpose of use."""

PURPOSES: Final = ACT_REASONS | _NEWER
"""Purposes written without a system on the wire: v3-ActReason, TREATDS (AI inference), MLTRAINING (AI training)."""


def lineage(purpose: str) -> tuple[str, ...]:
    """Return ``purpose`` and what it lies below, nearest first; a purpose outside the tree has no ancestors."""
    line = [purpose]
    while (above := _PARENT.get(line[-1])) is not None:
        line.append(above)
    return tuple(line)


def must_be_named(purpose: str) -> bool:
    """Tell whether only a permit that names this purpose, or one above it, covers it: silence is no yes to AI."""
    line = lineage(purpose)
    return line[-1] not in ACT_REASONS or line[-1] in {"HRESCH", "HMARKT"}
