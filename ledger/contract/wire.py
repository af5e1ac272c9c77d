"""The shape of provisions, consents, records and asks on the wire, checked member by member (DECISION.md 2).

A tag must look like a tag: a code in clear is refused, so that no meaning reaches the ledger by mistake (A16).
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Final, TypeGuard

from ledger.contract.canonical import LIMIT, Json
from ledger.contract.errors import ContractError
from ledger.contract.lineage import PURPOSES

_TAG: Final = re.compile(r"[a-z2-7]{16}")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_FOREIGN_PURPOSE: Final = re.compile(r"[!-~]{1,200}:[!-~]{1,64}")
_NEVER: Final = "never"
_ACTIONS: Final = frozenset({"collect", "access", "use", "disclose", "correct"})
_PARTS: Final = {
    "practitioner": (2, 4),
    "organization": (2,),
    "group": (2,),
    "role": (3,),
    "device": (2,),
    "anyone": (1,),
    _NEVER: (1,),
}
_TAG_LISTS: Final = {
    "classes": 128,
    "codes": 128,
    "period": 160,
    "authors": 128,
    "related": 128,
    "records": 128,
    "levels": 13,
    "sensitivities": 32,
}
_PROVISION: Final = frozenset(
    {"type", "emergency", "actors", "purposes", "actions", "valid_from", "valid_until", *_TAG_LISTS}
)
_CONSENT: Final = frozenset({"id", "authority", "base", "nested", "retention_days"})
_DESCRIPTION_LISTS: Final = {name: size for name, size in _TAG_LISTS.items() if name not in {"period", "levels"}}
DESCRIPTION: Final = frozenset({"dates", "level", *_DESCRIPTION_LISTS})
"""The members of a record's description."""
_ASK: Final = frozenset({"actors", "groups", "purpose", "action", "now", "emergency", "party"})
MAX_ACTORS: Final = 64
MAX_PURPOSES: Final = 32
MAX_NESTED: Final = 16
MAX_RETENTION_DAYS: Final = 36_525
MAX_DATE_GROUPS: Final = 32
MAX_GROUP_TAGS: Final = 8


def check_provision(value: object, *, base_kind: str | None = None) -> None:
    """Check an untrusted provision; ``base_kind`` is the base's type when it is an exception.

    Raises:
        ContractError: ``malformed``.
    """
    provision = _object(value, _PROVISION, "provision")
    kind, emergency = provision["type"], provision["emergency"]
    _require(kind in ("permit", "deny"), "type")
    allowed = ("holds", "named", "yields") if kind == "deny" and base_kind == "permit" else ("holds",)
    _require(emergency in allowed, "emergency")
    _require(
        _sorted_list(provision["actors"], MAX_ACTORS) and all(map(_is_actor, items(provision["actors"]))), "actors"
    )
    _require(
        _sorted_list(provision["purposes"], MAX_PURPOSES) and all(map(_is_purpose, items(provision["purposes"]))),
        "purposes",
    )
    _require(
        _sorted_list(provision["actions"], len(_ACTIONS))
        and all(map(_is_limiting_action, items(provision["actions"]))),
        "actions",
    )
    for name, size in _TAG_LISTS.items():
        _require(_sorted_list(provision[name], size) and all(map(_is_limit, items(provision[name]))), name)
    for name in ("valid_from", "valid_until"):
        _require(provision[name] is None or _is_integer(provision[name]), name)


def check_terms(base: object, nested: object, retention_days: object) -> None:
    """Check what ``ProposeConsent`` and ``GrantConsent`` carry: a base, its exceptions and the retention in days.

    Raises:
        ContractError: ``malformed``.
    """
    check_provision(base)
    _require(isinstance(nested, list) and len(nested) <= MAX_NESTED, "nested")
    for each in items(nested):
        check_provision(each, base_kind=text(members(base)["type"]))
    _require(_is_integer(retention_days) and 0 <= integer(retention_days) <= MAX_RETENTION_DAYS, "retention_days")


def check_consent(value: object) -> None:
    """Check an untrusted consent of the policy form.

    Raises:
        ContractError: ``malformed``.
    """
    consent = _object(value, _CONSENT, "consent")
    _require(_is_id(consent["id"]), "id")
    authority = consent["authority"]
    _require(isinstance(authority, list) and len(authority) == 2, "authority")  # noqa: PLR2004 (from, until; PROTOCOL.md C)
    _require(all(each is None or _is_integer(each) for each in items(authority)), "authority")
    check_terms(consent["base"], consent["nested"], consent["retention_days"])


def check_description(value: object) -> None:
    """Check an untrusted description of a record, as ``RegisterRecords`` carries it.

    Raises:
        ContractError: ``malformed``.
    """
    description = _object(value, DESCRIPTION, "description")
    for name, size in _DESCRIPTION_LISTS.items():
        _require(_sorted_list(description[name], size) and all(map(_is_tag, items(description[name]))), name)
    _require(_is_tag(description["level"]), "level")
    groups = description["dates"]
    _require(_sorted_list(groups, MAX_DATE_GROUPS) and bool(groups), "dates")
    for group in items(groups):
        _require(_sorted_list(group, MAX_GROUP_TAGS) and bool(group) and all(map(_is_tag, items(group))), "dates")


def check_record(value: object) -> None:
    """Check an untrusted record: an id, a description, and whether it is erased.

    Raises:
        ContractError: ``malformed``.
    """
    record = _object(value, DESCRIPTION | {"record_id", "erased"}, "record")
    _require(_is_id(record["record_id"]), "record_id")
    _require(isinstance(record["erased"], bool), "erased")
    check_description({name: record[name] for name in DESCRIPTION})


def check_ask(value: object) -> None:
    """Check an untrusted ask.

    Raises:
        ContractError: ``malformed``.
    """
    ask = _object(value, _ASK, "ask")
    _require(_sorted_list(ask["actors"], MAX_ACTORS) and all(map(_is_actor, items(ask["actors"]))), "actors")
    _require(_sorted_list(ask["groups"], MAX_ACTORS) and all(map(_is_id, items(ask["groups"]))), "groups")
    _require(ask["purpose"] != _NEVER and _is_purpose(ask["purpose"]), "purpose")
    _require(_is_limiting_action(ask["action"]) and ask["action"] != _NEVER, "action")
    _require(_is_integer(ask["now"]), "now")
    _require(isinstance(ask["emergency"], bool), "emergency")
    _require(ask["party"] in ("", "patient", "proxy"), "party")


def members(value: object) -> dict[str, Json]:
    """Return ``value`` as the object it must be.

    Raises:
        ContractError: ``malformed``.
    """
    if not isinstance(value, dict):
        raise ContractError("malformed", "an object is needed")
    return value


def items(value: object) -> list[Json]:
    """Return ``value`` as the list it must be.

    Raises:
        ContractError: ``malformed``.
    """
    if not isinstance(value, list):
        raise ContractError("malformed", "a list is needed")
    return value


def strings(value: object) -> list[str]:
    """Return ``value`` as the list of strings it must be.

    Raises:
        ContractError: ``malformed``.
    """
    return [text(each) for each in items(value)]


def text(value: object) -> str:
    """Return ``value`` as the string it must be.

    Raises:
        ContractError: ``malformed``.
    """
    if not isinstance(value, str):
        raise ContractError("malformed", "a string is needed")
    return value


def integer(value: object) -> int:
    """Return ``value`` as the integer it must be.

    Raises:
        ContractError: ``malformed``.
    """
    if not _is_integer(value):
        raise ContractError("malformed", "an integer is needed")
    return value


def instant(value: object) -> int | None:
    """Return ``value`` as the integer or null it must be.

    Raises:
        ContractError: ``malformed``.
    """
    return None if value is None else integer(value)


def _object(value: object, names: frozenset[str], what: str) -> Mapping[str, Json]:
    if not isinstance(value, dict) or value.keys() != names:
        raise ContractError("malformed", f"{what}: members")
    return value


def _require(fits: bool, what: str) -> None:  # noqa: FBT001 (an assertion's condition)
    if not fits:
        raise ContractError("malformed", what)


def _sorted_list(value: object, size: int) -> bool:
    """Tell whether ``value`` is a list of strings, or of lists of strings, strictly ascending and not too long."""
    if not isinstance(value, list) or len(value) > size:
        return False
    plain = all(isinstance(each, str) for each in value)
    listed = all(isinstance(each, list) and all(isinstance(part, str) for part in each) for each in value)
    return (plain or listed) and all(left < right for left, right in pairwise(value))


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and -LIMIT <= value <= LIMIT


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_tag(value: object) -> bool:
    return isinstance(value, str) and _TAG.fullmatch(value) is not None


def _is_limit(value: object) -> bool:
    return value == _NEVER or _is_tag(value)


def _is_limiting_action(value: object) -> bool:
    return isinstance(value, str) and (value == _NEVER or value in _ACTIONS)


def _is_purpose(value: object) -> bool:
    if not isinstance(value, str):
        return False
    return value == _NEVER or value in PURPOSES or _FOREIGN_PURPOSE.fullmatch(value) is not None


def _is_actor(value: object) -> bool:
    if not isinstance(value, list) or not value or len(value) not in _PARTS.get(value[0], ()):
        return False
    return all(map(_is_tag if value[0] == "device" else _is_id, value[1:]))
