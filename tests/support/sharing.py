"""Terms and artefacts of alice, for tests of the dialog's consents."""

from dataclasses import replace
from typing import Any

from app.consent.artefact import Signing
from app.consent.codes import ACT_REASON
from app.consent.terms import Category, Grantee, GranteeKind, Party, Terms

SIGNED_AT = 1_795_530_660  # 2026-11-24T14:31:00Z
CAROL = Grantee(GranteeKind.PRACTITIONER, "AlderMSP", "Alder Hospital", name="Dr Carol Specimen", subject="c" * 26)
RADIOLOGY = Grantee(GranteeKind.ROLE, "AlderMSP", "Alder Hospital", name="Radiology", function="f1")
ALDER = Grantee(GranteeKind.ORGANIZATION, "AlderMSP", "Alder Hospital")
PARTY = Party("ab" * 16, "BirchMSP", "Birch Hospital")
SIGNING = Signing(PARTY, "c4rt8", SIGNED_AT, assisted_by="c" * 26)
ASKED = Terms(
    grantee=CAROL,
    purpose=(ACT_REASON, "TREAT"),
    categories=frozenset({Category.IMAGE, Category.LABORATORY, Category.CYTOLOGY}),
    keep_open_days=30,
    made_from="2024-11-24",
    made_until="2026-11-24",
    ai_inference=True,
    ai_training=True,
)


def terms(**changes: Any) -> Terms:
    """Return what carol asks for, with ``changes``."""
    return replace(ASKED, **changes)


def signing(**changes: Any) -> Signing:
    """Return alice signing at carol's desk, with ``changes``; those of the party too."""
    party = {name: changes.pop(name) for name in list(changes) if name in Party.__slots__}
    return replace(SIGNING, party=replace(PARTY, **party), **changes)
