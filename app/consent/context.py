"""What a compiler may know besides the consent; stored with it, so that whoever recompiles gets equal bytes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.consent import codes
from app.consent.dates import read_zone
from app.consent.untrusted import ReadingError, read_json
from ledger.contract import wire
from ledger.contract.canonical import Json
from ledger.contract.errors import ContractError

_MEMBERS: Final = frozenset({"zone", "local_purposes", "ids", "resources"})
_RESOURCES: Final = frozenset({"PractitionerRole", "RelatedPerson"})


@dataclass(frozen=True, slots=True)
class Context:
    """The custodian's offset, the registered local purposes, and who the artefact's references are on the ledger.

    Attributes:
        zone: the custodian's fixed offset, ``+02:00``.
        local_purposes: purposes that the site has registered besides v3-ActReason.
        ids: reference, or ``system|code`` of a function, to ledger id. What is absent is unknown.
        resources: raw JSON of each PractitionerRole and RelatedPerson that the artefact names.
    """

    zone: str = "+00:00"
    local_purposes: frozenset[codes.Coding] = frozenset()
    ids: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[str, ...] = ()

    @classmethod
    def from_wire(cls, value: object) -> "Context":
        """Return the context of an untrusted artefact.

        Raises:
            ContractError: ``malformed``.
        """
        context = wire.members(value)
        zone = wire.text(context.get("zone"))
        if context.keys() != _MEMBERS or read_zone(zone) is None:
            raise ContractError("malformed", "context")
        return cls(
            zone=zone,
            local_purposes=frozenset(_purpose(each) for each in wire.items(context["local_purposes"])),
            ids={name: wire.text(each) for name, each in wire.members(context["ids"]).items()},
            resources=tuple(wire.strings(context["resources"])),
        )

    def to_wire(self) -> dict[str, Json]:
        """Return the canonical form, as the artefact carries it."""
        return {
            "zone": self.zone,
            "local_purposes": [{"system": system, "code": code} for system, code in sorted(self.local_purposes)],
            "ids": dict(self.ids),
            "resources": list(self.resources),
        }

    @property
    def zone_seconds(self) -> int:
        """Seconds east of UTC; an offset that cannot be read is UTC (``from_wire`` refuses it)."""
        return read_zone(self.zone) or 0

    def resource(self, reference: str) -> dict[str, Json] | None:
        """Return the PractitionerRole or RelatedPerson behind ``reference``; None if it is unknown or unreadable."""
        for raw in self.resources:
            try:
                untrusted = read_json(raw)
            except ReadingError:
                continue
            kind, name = untrusted.get("resourceType"), untrusted.get("id")
            if kind in _RESOURCES and isinstance(name, str) and f"{kind}/{name}" == reference:
                return untrusted
        return None


def raw_resource(resource: Mapping[str, object]) -> str:
    """Return the raw JSON of a resource as a context keeps it."""
    return json.dumps(resource, ensure_ascii=True, separators=(",", ":"), sort_keys=True)


def _purpose(value: object) -> codes.Coding:
    code = codes.coding(value)
    if "" in code:
        raise ContractError("malformed", "local purpose")
    return code
