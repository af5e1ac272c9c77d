"""Language-neutral conformance cases: whoever reads the rules differently finds out here.

Each case is run twice, on codes in clear and on keyed tags; both must give what is expected (DECISION.md 1).
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from app.consent import codes
from app.consent.compile import Compiled, compile_consent
from app.consent.context import Context, raw_resource
from app.consent.dates import DateTime, read_date_time, read_zone
from app.consent.describe import Directory, RecordFacts, Request, describe_record, describe_request
from app.consent.tags import Tag, clear_tag, tag
from ledger.contract.decision import Decision, Outcome, Policy, decide
from ledger.contract.provision import Consent

_FORMAT: Final = 1
_MODES: Final[tuple[tuple[str, Tag], ...]] = (
    ("in clear", clear_tag),
    ("on tags", tag(b"conformance vectors, not a secret")),
)
Case = Mapping[str, Any]


class VectorError(Exception):
    """A file is not of the vectors' format."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one case went; ``message`` says what differed, and is empty when nothing did."""

    case_id: str
    message: str

    @property
    def passed(self) -> bool:
        """Whether everything expected was found, in clear and on tags."""
        return not self.message


def main(folder: Path, output: TextIO = sys.stdout) -> int:
    """Print every failure and, last, how many cases passed and failed.

    Returns:
        The exit status: 0 if there were cases and none failed, else 1.
    """
    results = list(run(folder))
    failures = [each for each in results if not each.passed]
    for each in failures:
        print(f"{each.case_id}: {each.message}", file=output)
    print(f"{len(results) - len(failures)} passed, {len(failures)} failed", file=output)
    return 0 if results and not failures else 1


def run(folder: Path) -> Iterator[Result]:
    """Run all cases of all JSON files in ``folder``; an unreadable file is a failure of its own."""
    for path in sorted(folder.glob("*.json")):
        try:
            cases = _cases(path)
        except (VectorError, OSError, ValueError, RecursionError) as error:
            yield Result(path.name, f"cannot be read: {error}")
            continue
        yield from map(_run_case, cases)


def _cases(path: Path) -> list[Any]:
    vectors = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(vectors, dict) or vectors.get("format") != _FORMAT or not isinstance(vectors.get("cases"), list):
        raise VectorError("not a file of vectors, format 1")
    return list(vectors["cases"])


def _run_case(case: Any) -> Result:
    case_id = str(case.get("id", "?")) if isinstance(case, dict) else "?"
    messages = []
    for mode, tagging in _MODES:
        try:
            found, expected = _outcome(case, tagging), _expectation(case)
        except (LookupError, TypeError, ValueError, AttributeError, VectorError) as error:
            return Result(case_id, f"is not a case: {error!r}")
        messages += [
            f"{mode}: {name} is {found[name]!r}, expected {value!r}"
            for name, value in expected.items()
            if found.get(name) != value
        ]
    return Result(case_id, "; ".join(messages))


def _expectation(case: Case) -> dict[str, object]:
    """Return what a case expects, in the form of ``_outcome``; absent members are not compared."""
    expected = case["expected"]
    if case["kind"] == "register":
        return {"result": expected["result"], "reason": expected["reason"]}
    found: dict[str, object] = {"decision": expected["decision"], "reason": expected["reason"]}
    found["deciding"] = sorted(expected["deciding"])
    for each in expected.get("records", []):
        found |= _named(each["id"], each["outcome"], each["reason"], each["deciding"], each.get("overridden", []))
    return found


def _outcome(case: Case, tagging: Tag) -> dict[str, object]:
    if case["kind"] == "register":
        return _register(case, tagging)
    if case["kind"] != "decide":
        raise VectorError(f"unknown kind {case['kind']!r}")
    records = case["records"]
    decisions = [_decide(case, record, tagging) for record in records]
    permits = [each for each in decisions if each.is_permit]
    chosen = permits or decisions
    found: dict[str, object] = {
        "decision": _summary(len(permits), len(decisions)),
        "reason": chosen[0].reason.value,
        "deciding": sorted({each for decision in chosen for each in _consents(decision.deciding)}),
    }
    for record, decision in zip(records, decisions, strict=True):
        found |= _named(
            record["id"],
            decision.outcome.value,
            decision.reason.value,
            _consents(decision.deciding),
            _consents(decision.overridden),
        )
    return found


def _summary(permits: int, decisions: int) -> str:
    if not permits:
        return Outcome.DENY.value
    return Outcome.PERMIT.value if permits == decisions else "permit-with-withheld"


def _named(
    name: str, outcome: str, reason: str, deciding: Iterable[str], overridden: Iterable[str]
) -> dict[str, object]:
    return {
        f"{name} outcome": outcome,
        f"{name} reason": reason,
        f"{name} deciding": sorted(deciding),
        f"{name} overridden": sorted(overridden),
    }


def _consents(names: Iterable[str]) -> set[str]:
    """Vectors name consents, not their provisions."""
    return {name.rpartition("#")[0] for name in names}


def _register(case: Case, tagging: Tag) -> dict[str, object]:
    raw = case["raw"] if "raw" in case else json.dumps(case["consent"])
    compiled = compile_consent(raw, _context(case), tagging)
    if not isinstance(compiled, Compiled):
        return {"result": "refused", "reason": compiled.code.value}
    until = compiled.consent.base.valid_until
    if until is not None and until <= _second(case["time"]):
        return {"result": "refused", "reason": "ALREADY_EXPIRED"}
    return {"result": "accepted", "reason": "REGISTERED"}


def _decide(case: Case, record: Case, tagging: Tag) -> Decision:
    context = _context(case)
    policy = Policy(tuple(_stored(case, record["patient"], context, tagging)))
    asked = case["request"]
    request = Request(
        person=asked["practitioner"],
        organization=asked["organization"],
        functions=(codes.joined(codes.coding(asked["role"])),) if asked.get("role") else (),
        purpose=codes.coding(asked["purpose"]),
        action=asked["action"],
        now=_second(asked["time"]),
        device=asked.get("device") or "",
        emergency=asked["purpose"].get("code") == "BTG" and asked.get("break_glass_authorised") is True,
    )
    ask = describe_request(request, _directory(case, asked), tagging)
    return decide(policy, ask, describe_record(_facts(record), context.zone_seconds, tagging))


def _stored(case: Case, patient: str, context: Context, tagging: Tag) -> Iterator[Consent]:
    """Yield the consents of ``patient``; a refused one was never stored."""
    for raw in case["consents"]:
        compiled = compile_consent(json.dumps(raw), context, tagging)
        if isinstance(compiled, Compiled) and compiled.patient == patient:
            yield compiled.consent


def _facts(record: Case) -> RecordFacts:
    return RecordFacts(
        record_id=record["id"],
        reference=record["id"],
        classes=tuple(map(codes.coding, record.get("class", []))),
        codes=tuple(map(codes.coding, record.get("code", []))),
        first=record.get("date") or "",
        last=record.get("date") or "",
        authors=tuple(record.get("author", [])),
        related=tuple(record.get("related", [])),
        labels=tuple(map(codes.coding, record.get("label", []))),
        custodian=record["custodian"],
    )


class _Same(dict[str, str]):
    """In the vectors a reference is its own ledger id."""

    def get(self, key: str, default: object = None) -> str:  # noqa: ARG002 (a mapping's signature)
        return key


def _context(case: Case) -> Context:
    context = case.get("context", {})
    kept = [each for each in context.get("resources", []) if each["resourceType"] != "Group"]
    return Context(
        zone=context.get("zone", "+00:00"),
        local_purposes=frozenset(map(codes.coding, context.get("local_purposes", []))),
        ids=_Same(),
        resources=tuple(map(raw_resource, kept)),
    )


def _directory(case: Case, asked: Case) -> Directory:
    """Return the groups of the case and which of them hold the asker at the time of asking."""
    context = case.get("context", {})
    zone, now = read_zone(context.get("zone", "+00:00")) or 0, _second(asked["time"])
    groups = {f"Group/{each['id']}": each for each in context.get("resources", []) if each["resourceType"] == "Group"}
    mine = frozenset(name for name, group in groups.items() if _is_member(group, asked["practitioner"], now, zone))
    return Directory(frozenset(groups), {asked["practitioner"]: mine})


def _is_member(group: Case, person: str, now: int, zone: int) -> bool:
    return group.get("active") is not False and any(
        codes.reference(each.get("entity")) == person
        and not each.get("inactive")
        and _is_within(each.get("period", {}), now, zone)
        for each in group.get("member", [])
    )


def _is_within(period: Case, now: int, zone: int) -> bool:
    starts = [_date(period[name]).first_second(zone) for name in ("start",) if name in period]
    ends = [_date(period[name]).end_second(zone) for name in ("end",) if name in period]
    return all(start <= now for start in starts) and all(now < end for end in ends)


def _date(text: object) -> DateTime:
    if (read := read_date_time(text)) is None:
        raise VectorError(f"{text!r} is no dateTime")
    return read


def _second(text: object) -> int:
    return _date(text).first_second(0)
