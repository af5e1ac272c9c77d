"""Drafts of one person in a folder of the test's own, for tests and nothing else."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from app.identity.certificates import HospitalAuthority, Role
from app.identity.signing import SigningIdentity
from app.services.drafts import PURPOSE, Drafts
from app.services.sealed_file import SealedFile
from ledger.signatures import spki
from tests.support.certificates import NOW as CERTIFIED
from tests.support.certificates import private_key_of, subject_of
from tests.support.practitioner import NOW

if TYPE_CHECKING:
    from pathlib import Path


@cache
def _certificate(name: str) -> bytes:
    authority = HospitalAuthority.create("AlderMSP", CERTIFIED)
    return authority.issue(spki(private_key_of(name).public_key()), subject_of(name), Role.PRACTITIONER, CERTIFIED)


def identity(name: str = "carol") -> SigningIdentity:
    """Return an identity, unlocked, with the same key each time."""
    return SigningIdentity("AlderMSP", _certificate(name), private_key_of(name))


def drafts_of(path: Path, name: str = "carol") -> Drafts:
    """Open the drafts of a person as after a restart."""
    return Drafts(SealedFile(path, identity(name), PURPOSE, os.urandom), lambda: NOW)
