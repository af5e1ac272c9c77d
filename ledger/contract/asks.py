"""Who asks, as the decision sees it: from the certificate and the ledger's entries (DECISION.md 4).

The contract builds the ask when an access is decided, the custodian builds it again from its newest state at release.
"""

from collections.abc import Iterable

from ledger.contract import wire
from ledger.contract.provision import ANYONE, Actor, Ask
from ledger.contract.shape import Fields


def actors_of(msp_id: str, subject: str, functions: Iterable[str], groups: Iterable[str]) -> frozenset[Actor]:
    """Return every entry that fits a member of staff acting for his organization, device and emergency apart."""
    roles = sorted(functions)
    return frozenset(
        {
            ANYONE,
            ("practitioner", subject),
            ("organization", msp_id),
            *(("role", msp_id, function) for function in roles),
            *(("practitioner", subject, msp_id, function) for function in roles),
            *(("group", group) for group in sorted(groups)),
        }
    )


def practitioner_ask(
    request: Fields, *, msp_id: str, subject: str, member: Fields, organization: Fields, now: int, emergency: bool
) -> Ask:
    """Return the ask of a practitioner of the grantee.

    Args:
        request: an access as asked for or as recorded: its ``purpose``, ``action`` and ``device`` ("" if none).
        msp_id: the grantee.
        subject: whose member entry ``member`` is.
        member: his entry, as it stands now.
        organization: the grantee's entry; it knows the groups.
        now: seconds UTC, the transaction's time or the custodian's clock.
        emergency: whether a running emergency of his own stands behind the purpose.

    Raises:
        ContractError: ``malformed``; purpose, action or device have not the form of the wire.
    """
    actors = actors_of(msp_id, subject, member["functions"], member["groups"])
    device = {("device", request["device"])} if request["device"] else set()
    ask = Ask(
        actors=actors | device,
        purpose=request["purpose"],
        action=request["action"],
        now=now,
        groups=frozenset(organization["groups"]),
        emergency=emergency,
    )
    wire.check_ask(ask.to_wire())
    return ask


def party_ask(request: Fields, *, subject: str, kind: str, organization: Fields, now: int) -> Ask:
    """Return the ask of the patient (``kind`` patient) or of a proxy (``kind`` proxy) for the own record.

    Raises:
        ContractError: ``malformed``.
    """
    person: frozenset[Actor] = frozenset({ANYONE, ("practitioner", subject)})
    ask = Ask(
        actors=person,
        purpose=request["purpose"],
        action=request["action"],
        now=now,
        groups=frozenset(organization["groups"]),
        party=kind,
    )
    wire.check_ask(ask.to_wire())
    return ask
