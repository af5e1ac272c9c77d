"""Badges: the ledger holds only a commitment; another's badge does not open it (ATTACKS.md A19)."""

import hashlib
import hmac
from dataclasses import replace

import pytest

from app.identity.badges import Badge, BadgeError, BadgeOpening, open_badge
from tests.support.certificates import subject_of

CAROL = Badge("Carol Fictive", "consultant radiologist", "Radiology", "AlderMSP", subject_of("carol"))
OPENING = BadgeOpening.create(CAROL, lambda count: bytes(range(count)))


def test_the_badge_is_canonical_and_the_commitment_is_the_protocols() -> None:
    expected = (
        '{"department":"Radiology","msp_id":"AlderMSP","name":"Carol Fictive",'
        f'"qualification":"consultant radiologist","subject":"{CAROL.subject}","type":"badge"}}'
    ).encode()
    assert CAROL.to_bytes() == expected
    digest = hmac.new(bytes(range(32)), hashlib.sha256(expected).digest(), "sha256").hexdigest()
    assert OPENING.commitment == digest


def test_a_badge_opens_its_commitment_also_from_the_wire() -> None:
    opening = BadgeOpening.from_wire(OPENING.to_wire())
    assert open_badge(opening, OPENING.commitment, "AlderMSP", CAROL.subject) == CAROL


def test_the_same_badge_commits_differently_each_time() -> None:
    assert BadgeOpening.create(CAROL).commitment != BadgeOpening.create(CAROL).commitment


@pytest.mark.parametrize(
    "badge",
    [
        replace(CAROL, name="Mallory Fictive"),
        replace(CAROL, department="Psychiatry"),
        replace(CAROL, subject=subject_of("mallory")),
    ],
)
def test_another_badge_does_not_open_it(badge: Badge) -> None:
    with pytest.raises(BadgeError, match="not the one on the ledger"):
        open_badge(replace(OPENING, badge=badge.to_bytes()), OPENING.commitment, "AlderMSP", CAROL.subject)


def test_another_salt_does_not_open_it() -> None:
    with pytest.raises(BadgeError, match="not the one on the ledger"):
        open_badge(replace(OPENING, salt=bytes(32)), OPENING.commitment, "AlderMSP", CAROL.subject)


@pytest.mark.parametrize(("msp_id", "subject"), [("BirchMSP", CAROL.subject), ("AlderMSP", subject_of("dan"))])
def test_a_badge_cannot_be_worn_by_another(msp_id: str, subject: str) -> None:
    with pytest.raises(BadgeError, match="names another member"):
        open_badge(OPENING, OPENING.commitment, msp_id, subject)


@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"[]",
        CAROL.to_bytes() + b" ",
        CAROL.to_bytes().replace(b'"badge"', b'"label"'),
        CAROL.to_bytes().replace(b'"Carol Fictive"', b"7"),
        CAROL.to_bytes().replace(b'"name"', b'"nama"'),
    ],
)
def test_malformed_badges_are_refused(untrusted: bytes) -> None:
    with pytest.raises(BadgeError, match="not a badge"):
        Badge.from_bytes(untrusted)


@pytest.mark.parametrize(
    "untrusted",
    [None, {}, {"badge": "x", "salt": "AAAA"}, {"badge": "ä", "salt": "AAAA"}, {"badge": "x", "salt": "?"}],
)
def test_malformed_openings_are_refused(untrusted: object) -> None:
    with pytest.raises(BadgeError, match="not a badge opening"):
        BadgeOpening.from_wire(untrusted)
