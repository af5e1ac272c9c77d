"""The active consents of one patient id, under one key, so that an access in flight conflicts with every change."""

from collections.abc import Collection
from typing import Final

from ledger.contract.errors import ContractError
from ledger.contract.limits import CONSENTS_MAX
from ledger.contract.shape import Fields

EMPTY: Final[Fields] = {"version": 0, "ended": False, "consents": []}


def end_of(consent: Fields) -> int | None:
    """Return when a consent is over by itself, seconds UTC: its base's end, or its signer's authority's."""
    ends = [end for end in (consent["base"]["valid_until"], consent["authority"][1]) if end is not None]
    return min(ends, default=None)


def holds(consent: Fields, kind: str) -> bool:
    """Tell whether base or exceptions contain a provision of ``kind`` (permit or deny)."""
    return any(provision["type"] == kind for provision in (consent["base"], *consent["nested"]))


def added(policy: Fields, consent: Fields, replaced: str, now: int) -> Fields:
    """Return the policy with ``consent``, without what it replaces; a full one first drops the consent longest over.

    Raises:
        ContractError: ``limit``; the policy is full and every consent in it still counts.
    """
    dropped = {replaced}
    rest = [each for each in policy["consents"] if each["id"] != replaced]
    if len(rest) >= CONSENTS_MAX:
        over = [(end, each["id"]) for each in rest if (end := end_of(each)) is not None and end <= now]
        if not over:
            raise ContractError("limit", f"{CONSENTS_MAX} consents are in force")
        dropped.add(min(over)[1])
    return _changed(policy, dropped, [consent])


def removed(policy: Fields, consent_id: str) -> Fields:
    """Return the policy without one consent."""
    return _changed(policy, {consent_id}, [])


def cleared(policy: Fields) -> Fields:
    """Return the policy of an erased patient id."""
    return _changed(policy, {each["id"] for each in policy["consents"]}, [])


def _changed(policy: Fields, dropped: Collection[str], new: list[Fields]) -> Fields:
    gone = [each for each in policy["consents"] if each["id"] in dropped]
    kept = [each for each in policy["consents"] if each["id"] not in dropped]
    return {
        "version": policy["version"] + 1,
        "ended": policy["ended"] or any(holds(each, "permit") for each in gone),
        "consents": sorted([*kept, *new], key=lambda each: str(each["id"])),
    }
