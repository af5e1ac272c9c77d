"""A record and a request in tags (DECISION.md 4)."""

from typing import Any

import pytest

from app.consent.codes import ACT_CODE, ACT_REASON, CONFIDENTIALITY
from app.consent.describe import Directory, RecordFacts, Request, describe_record, describe_request
from app.consent.tags import clear_tag, tag
from ledger.contract.provision import Record
from ledger.contract.wire import check_description

HOUR = 3600


def described(zone: int = 0, **changes: Any) -> Record:
    return describe_record(RecordFacts(record_id="r", reference="Observation/r", **changes), zone, clear_tag)


def test_a_record_without_anything_known() -> None:
    assert described() == Record(
        record_id="r",
        dates=(frozenset({"exact=unknown"}),),
        level="level=N",
        authors=frozenset({"author=unknown"}),
        records=frozenset({"record=Observation/r"}),
    )


def test_a_record_with_everything() -> None:
    record = described(
        classes=(("s", "a"), ("s", "b")),
        codes=(("t", "c"),),
        authors=("Practitioner/dan", "Practitioner/erin"),
        related=("Encounter/1",),
        first="2026-06-10",
        last="2026-06-10",
        custodian="north",
        erased=True,
    )
    assert record.classes == {"class=s|a", "class=s|b"}
    assert record.codes == {"code=t|c"}
    assert record.authors == {"author=Practitioner/dan", "author=Practitioner/erin"}
    assert record.related == {"related=Encounter/1"}
    assert (record.custodian, record.erased) == ("north", True)


def group(text: str) -> frozenset[str]:
    return frozenset(f"exact={each[1:]}" if each[0] == "=" else f"date={each}" for each in text.split())


JUNE_10 = "2026-06-10 2026-06 2026 202 20 2"

DATES: list[tuple[str, str, int, list[str]]] = [
    ("2026-06-10", "", 0, [JUNE_10]),
    ("2026-06-10", "2026-06-10", 0, [JUNE_10]),
    ("2026-06", "", 0, ["2026-06 2026 202 20 2 =2026-06"]),
    ("2026", "", 0, ["2026 202 20 2 =2026"]),
    ("2026-06-10T23:00:00Z", "", 0, [JUNE_10]),
    ("2026-06-09T23:00:00Z", "", HOUR, [JUNE_10]),
    ("2026-06-11T00:30:00Z", "", -HOUR, [JUNE_10]),
    ("2026-06-10", "", -HOUR, [JUNE_10]),
    ("2026-06-10T23:00:00Z", "2026-06-10T23:00:00Z", HOUR, ["2026-06-11 2026-06 2026 202 20 2"]),
    ("2026-06-09", "2026-06-10", 0, ["2026-06-09 2026-06 2026 202 20 2", JUNE_10]),
    ("2026-06-10", "2026-06-09", 0, ["2026-06-09 2026-06 2026 202 20 2", JUNE_10]),
    ("2026-06-10T01:00:00Z", "2026-06-10T05:00:00Z", 0, [JUNE_10]),
    ("2026-06-10T23:00:00Z", "2026-06-11T00:30:00Z", 0, [JUNE_10, "2026-06-11 2026-06 2026 202 20 2"]),
    ("2026-05-31", "2026-06", 0, ["2026-05-31 2026-05 2026 202 20 2", "2026-06 2026 202 20 2 =2026-06"]),
    ("2019-12-31", "2020-12-31", 0, ["2019-12-31 2019-12 2019 201 20 2", "2020 202 20 2 =2020"]),
    ("2020", "2029", 0, ["202 20 2 =202"]),
    ("", "2026-06-10", 0, ["=unknown"]),
    ("2026-06-10", "soon", 0, ["=unknown"]),
    ("soon", "", 0, ["=unknown"]),
    ("2026-02-30", "", 0, ["=unknown"]),
]


@pytest.mark.parametrize(("first", "last", "zone", "groups"), DATES)
def test_a_date_is_a_group_of_cells(first: str, last: str, zone: int, groups: list[str]) -> None:
    assert described(zone, first=first, last=last).dates == tuple(map(group, groups))


ROUNDED = [
    ("2026-01-02", "2026-02-02", 32, "date=2026-01-02"),  # thirty days and two: short enough
    ("2026-01-02", "2026-02-03", 2, "exact=2026-01"),  # to months
    ("2026-01-31", "2028-11-30", 24, "date=2026-01-31"),
    ("2011-02-01", "2019-11-30", 29, "exact=2011-02"),
    ("2011-02-01", "2048-11-30", 20, "exact=2011"),  # to years
    ("0002-02-01", "1998-11-30", 2, "exact=0"),  # to decades, which happen to be millennia
    ("0002-02-01", "9998-11-30", 10, "exact=0"),
]


@pytest.mark.parametrize(("first", "last", "count", "has"), ROUNDED)
def test_many_groups_are_rounded_outward(first: str, last: str, count: int, has: str) -> None:
    record = described(first=first, last=last)
    assert (len(record.dates), has in record.dates[0]) == (count, True)
    check_description(describe_record(RecordFacts("r", "r", first=first, last=last), 0, tag(b"k")).description())


def labelled(*names: str) -> Record:
    levels = [(CONFIDENTIALITY, name) for name in names if len(name) == 1]
    return described(labels=(*levels, *((ACT_CODE, name) for name in names if len(name) > 1)))


LEVELS = [
    ((), "level=N", ""),
    (("U",), "level=U", ""),
    (("L", "M"), "level=M", ""),
    (("V", "R"), "level=V", ""),
    (("X",), "level=V", ""),
    (("PSY",), "sensitive-level=R", "PSY"),
    (("N", "PSY"), "sensitive-level=R", "PSY"),
    (("V", "PSY", "HIV"), "sensitive-level=V", "PSY HIV"),
    (("X", "PSY"), "sensitive-level=V", "PSY"),
    (("UNHEARD",), "sensitive-level=R", "UNHEARD"),
    (("ETHUD",), "sensitive-level=R", "ETHUD"),
]


@pytest.mark.parametrize(("names", "level", "sensitivities"), LEVELS)
def test_a_sensitivity_makes_a_record_at_least_restricted(
    names: tuple[str, ...], level: str, sensitivities: str
) -> None:
    record = labelled(*names)
    assert record.level == level
    assert record.sensitivities == {f"sensitivity={each}" for each in sensitivities.split()}


def test_a_label_of_no_known_system_counts_against_disclosure() -> None:
    assert described(labels=(("https://x", "N"),)).level == "level=V"
    assert described(labels=(("", ""), (CONFIDENTIALITY, "L"))).level == "level=V"


REQUEST = Request(person="carol", organization="north", purpose=(ACT_REASON, "TREAT"), action="access", now=5)


def test_a_plain_request() -> None:
    ask = describe_request(REQUEST, Directory(), clear_tag)
    assert ask.actors == {("anyone",), ("practitioner", "carol"), ("organization", "north")}
    assert (ask.purpose, ask.action, ask.now, ask.groups) == ("TREAT", "access", 5, frozenset())
    assert (ask.emergency, ask.party) == (False, "")


def test_a_request_with_everything() -> None:
    request = Request(
        person="carol",
        organization="north",
        purpose=("https://x", "heart-17"),
        action="use",
        now=6,
        functions=("nurse",),
        device="Device/wdbc",
        emergency=True,
        party="proxy",
    )
    directory = Directory(frozenset({"ward", "night"}), {"carol": frozenset({"ward"}), "dan": frozenset({"night"})})
    ask = describe_request(request, directory, clear_tag)
    assert ask.actors == {
        ("anyone",),
        ("practitioner", "carol"),
        ("organization", "north"),
        ("role", "north", "nurse"),
        ("practitioner", "carol", "north", "nurse"),
        ("group", "ward"),
        ("device", "device=Device/wdbc"),
    }
    assert (ask.purpose, ask.action, ask.now) == ("https://x:heart-17", "use", 6)
    assert ask.groups == {"ward", "night"}
    assert (ask.emergency, ask.party) == (True, "proxy")
