"""Random consents, records and requests of a small world, in which rules meet often."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from app.consent.codes import ACT_CODE, ACT_REASON, CONFIDENTIALITY
from app.consent.compile import Compiled, compile_consent
from app.consent.dates import read_date_time
from app.consent.describe import Directory, RecordFacts, Request, describe_record, describe_request
from app.consent.tags import Tag, clear_tag
from ledger.contract.decision import Ask, Consent, Policy, Record
from tests.support.consents import action, actor, coding, consent, context, data, labels, purpose

Resource = dict[str, Any]
T = TypeVar("T")
BOTH = ("permit", "permit", "deny")
STATED, TIMED, INACTIVE, OPEN_ENDED = 0.2, 0.3, 0.05, 0.4
"""How often an element, a period, an inactive consent and an open end occur."""

INSTANTS = (
    "2026-01-01",
    "2026-05-31T23:59:59Z",
    "2026-06",
    "2026-06-01T12:00:00Z",
    "2026-06-02",
    "2026-06-02T00:00:00.5Z",
    "2026-06-10",
    "2026-06-30T23:59:59Z",
    "2026-07",
    "2027",
)
PURPOSES = (
    "TREAT",
    "TREAT",
    "TREAT",
    "BTG",
    "ETREAT",
    "BTG",
    "COC",
    "HPAYMT",
    "HRESCH",
    "CLINTRCH",
    "TREATDS",
    "MLTRAINING",
)
NURSES: Resource = {
    "resourceType": "PractitionerRole",
    "id": "nurses",
    "organization": {"reference": "Organization/north"},
    "code": [{"coding": [{"system": "s", "code": "nurse"}]}],
}
ERIN: Resource = {
    "resourceType": "RelatedPerson",
    "id": "erin",
    "patient": {"reference": "Patient/alice"},
    "period": {"end": "2026-06-14"},
}
CONTEXT = context(NURSES, ERIN)
DIRECTORY = Directory(frozenset({"ward"}), {"carol": frozenset({"ward"})})


Element = Callable[[Random], Any]


def some(*values: Any) -> Element:
    """Return one or two of ``values``."""
    return lambda random: random.sample(values, random.randint(1, 2))


def stated_range(random: Random) -> Resource:
    """Return a Period that is in order, open at either end or not."""
    first, last = sorted((random.choice(INSTANTS), random.choice(INSTANTS)), key=_start)
    whole = {"start": first, "end": last}
    if random.random() < OPEN_ENDED or not _is_ordered(whole):
        return random.choice(({"start": first}, {"end": first}, {"start": last}, {"end": last}))
    return whole


def _start(text: str) -> Any:
    read = read_date_time(text)
    assert read is not None
    return read.starts_at(0)


def _is_ordered(stated: Resource) -> bool:
    last, first = read_date_time(stated["end"]), read_date_time(stated["start"])
    return last is not None and first is not None and not last.is_before(first, 0)


ACTORS = some(
    *actor(
        "Practitioner/carol",
        "Practitioner/dan",
        "Practitioner/lost",
        "Organization/north",
        "Organization/south",
        "Group/ward",
        "PractitionerRole/nurses",
        "PractitionerRole/lost",
        "Device/wdbc",
    )
)
ABOUT_ASKERS: Mapping[str, Element] = {
    "actor": ACTORS,
    "purpose": some(*purpose("TREAT", *PURPOSES)),
    "action": some(*action("access", "use")),
}
ABOUT_RECORDS: Mapping[str, Element] = {
    "class": some(coding("https://x/class", "ct"), coding("https://x/class", "lab"), {"display": "x"}),
    "code": some({"coding": [coding("https://x/code", "1")]}, {"coding": [coding("https://x/code", "2")]}),
    "dataPeriod": stated_range,
    "data": some(
        *data("instance", "Observation/r", "Observation/s"),
        *data("related", "Encounter/1", "Encounter/2"),
        *data("authoredby", "Practitioner/dan", "Practitioner/frank"),
    ),
    "securityLabel": some(*labels("N", "R", "V", "PSY", "HIV", "ETH")),
}
ELEMENTS = {**ABOUT_ASKERS, **ABOUT_RECORDS}


def provision(random: Random, kinds: Sequence[str], elements: Mapping[str, Element]) -> Resource:
    """Return a provision of one of ``kinds``, most of whose elements are not stated."""
    stated = {name: make(random) for name, make in elements.items() if random.random() < STATED}
    if random.random() < TIMED:
        stated["period"] = stated_range(random)
    return {"type": random.choice(kinds), **stated}


def random_consent(
    random: Random, kinds: Sequence[str] = BOTH, elements: Mapping[str, Element] = ELEMENTS, exceptions: int = 3
) -> Resource:
    """Return a Consent whose provisions are all of ``kinds``."""
    nested = [provision(random, kinds, elements) for _ in range(random.randint(0, exceptions))]
    performer = random.choice(("Patient/alice", "Patient/alice", "Patient/alice", "RelatedPerson/erin"))
    status = "inactive" if random.random() < INACTIVE else "active"
    base = provision(random, kinds, elements)
    return copy.deepcopy(consent(base, *nested, performer=[{"reference": performer}], status=status))


@dataclass(frozen=True)
class World:
    """Everything one decision depends on, before it is compiled and described."""

    consents: tuple[Resource, ...]
    facts: RecordFacts
    request: Request
    directory: Directory = DIRECTORY

    def policy(self, tag: Tag = clear_tag) -> Policy:
        """Return the compiled consents, named by their place."""
        return Policy(tuple(compile_as(f"c{number}", each, tag) for number, each in enumerate(self.consents)))

    def ask(self, tag: Tag = clear_tag) -> Ask:
        """Return the described request."""
        return describe_request(self.request, self.directory, tag)

    def record(self, tag: Tag = clear_tag) -> Record:
        """Return the described record."""
        return describe_record(self.facts, 0, tag)


def compile_as(name: str, resource: Resource, tag: Tag = clear_tag) -> Consent:
    """Return a compiled consent under another name; the small world holds none that is refused."""
    result = compile_consent(json.dumps(resource | {"id": name}), CONTEXT, tag)
    assert isinstance(result, Compiled), result
    return result.consent


RECORD_DATES = ("", "2026", "2026-06", "2026-06-02", "2026-06-10T08:00:00Z", "2026-05-31", "2026-07-01", "2025-12")


def random_facts(random: Random) -> RecordFacts:
    """Return a record held by north."""
    labelled = random.sample(("N", "R", "V", "PSY", "HIV", "ETHUD"), random.randint(0, 2))
    return RecordFacts(
        record_id="r",
        reference="Observation/r",
        classes=(("https://x/class", random.choice(("ct", "lab"))),),
        codes=random.choice(((), (("https://x/code", "1"),))),
        first=random.choice(RECORD_DATES),
        authors=random.choice(((), ("Practitioner/dan",), ("Practitioner/frank",))),
        related=random.choice(((), ("Encounter/1",))),
        labels=tuple((CONFIDENTIALITY if len(code) == 1 else ACT_CODE, code) for code in labelled),
        custodian="north",
    )


def random_request(random: Random, purposes: Sequence[str] = PURPOSES) -> Request:
    """Return a request; break-glass is always declared."""
    code = random.choice(purposes)
    return Request(
        person=random.choice(("carol", "dan")),
        organization=random.choice(("north", "south")),
        purpose=(ACT_REASON, code),
        action=random.choice(("access", "access", "use")),
        now=random.choice((1_780_315_200, 1_780_401_600, 1_781_481_600, 1_798_761_600)),
        functions=random.choice(((), ("nurse",))),
        device=random.choice(("", "Device/wdbc")),
        emergency=code == "BTG",
    )


def seeded(make: Callable[[Random], T]) -> st.SearchStrategy[T]:
    """Return what ``make`` makes of a random seed: far faster than drawing each choice, at the price of shrinking."""
    return st.integers(0, 2**63).map(lambda seed: make(Random(seed)))  # noqa: S311


def ranges() -> st.SearchStrategy[Resource]:
    """Return Periods that are in order."""
    return seeded(stated_range)


def consents(kinds: Sequence[str] = BOTH) -> st.SearchStrategy[Resource]:
    """Return Consents whose provisions are all of ``kinds``."""
    return seeded(lambda random: random_consent(random, kinds))


def worlds(
    purposes: Sequence[str] = PURPOSES,
    elements: Mapping[str, Element] = ELEMENTS,
    exceptions: int = 3,
    kinds: Sequence[str] = BOTH,
) -> st.SearchStrategy[World]:
    """Return small worlds with up to three consents."""

    def make(random: Random) -> World:
        held = [random_consent(random, kinds, elements, exceptions) for _ in range(random.choice((0, 1, 1, 2, 2, 3)))]
        return World(tuple(held), random_facts(random), random_request(random, purposes))

    return seeded(make)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["permit", "deny"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "coding", "reference", "system", "code", "start", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@st.composite
def disturbed(draw: st.DrawFn) -> Any:
    """Return a Consent in which one to three places hold something else."""
    resource: Any = copy.deepcopy(draw(consents()))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_places(resource))))
        container, key = place
        container[key] = draw(JSON_VALUES)
    return resource


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container and key within ``value``."""
    pairs: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        item = pending.pop()
        inside = (
            list(item.items()) if isinstance(item, dict) else list(enumerate(item)) if isinstance(item, list) else []
        )
        pairs += [(item, key) for key, _ in inside]
        pending += [each for _, each in inside]
    return pairs or [({"x": 1}, "x")]
