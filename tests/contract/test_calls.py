"""The two doors of the contract, its clock, its bytes and its state (PROTOCOL.md C0; A5, A39)."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contract import CONTRACT_VERSION, check_clock
from ledger.contract.canonical import LIMIT, Json, decode, decode_object, encode
from ledger.contract.errors import CODES, ContractError
from ledger.contract.state import ReadAfterWriteError, RewriteError, StagedState
from tests.support.contract import CAROL, OLGA, organization
from tests.support.refusals import refused
from tests.support.staged import NOW, Archived, Staged

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-LIMIT, LIMIT) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def outcome(call: Callable[[], object]) -> object:
    """Return what ``call`` gives, or the code with which it is refused."""
    try:
        return call()
    except ContractError as error:
        return error.code


def test_the_contract_has_a_version() -> None:
    assert CONTRACT_VERSION == 1


class TestClock:
    """±120 s, on every backend before execution."""

    @pytest.mark.parametrize("offset", [-120, -119, 0, 119, 120])
    def test_near(self, offset: int) -> None:
        ledger = Staged()
        ledger.endorse(OLGA, "RegisterOrganization", organization("alder"), at=NOW + offset)
        assert ledger.journal

    @pytest.mark.parametrize("offset", [-121, 121, -86_400])
    def test_far(self, offset: int) -> None:
        ledger = Staged()
        with refused("clock-skew"):
            ledger.endorse(OLGA, "RegisterOrganization", organization("alder"), at=NOW + offset)

    def test_the_refusal_says_by_how_much(self) -> None:
        with pytest.raises(ContractError) as caught:
            check_clock(NOW, NOW - 180)
        assert (caught.value.code, caught.value.detail) == ("clock-skew", "-180")

    def test_a_time_before_1970_is_malformed(self) -> None:
        ledger = Staged(now=-5)
        with refused("malformed"):
            ledger.endorse(OLGA, "RegisterOrganization", organization("alder"))


class TestCanonical:
    """One value, one encoding."""

    @given(VALUES)
    def test_what_is_encoded_is_decoded(self, value: Json) -> None:
        assert outcome(lambda: decode(encode(value))) in (value, "malformed")

    @given(st.binary(max_size=40))
    def test_any_bytes_are_canonical_or_refused(self, raw: bytes) -> None:
        assert outcome(lambda: encode(decode(raw))) in (raw, "malformed")

    @pytest.mark.parametrize(
        "raw",
        [
            b'{"b":1,"a":2}',
            b'{"a":1,"a":1}',
            b'{"a": 1}',
            b'["\xc3\xa9"]',
            b'["\\u00E9"]',
            b'["\\ud800"]',
            b"[1.0]",
            b"[1e3]",
            b"[-0]",
            b"[01]",
            b"[NaN]",
            b"[Infinity]",
            b"[9007199254740992]",
            b"[99999999999999999999]",
            b"[[[[[[[[[]]]]]]]]]",
            b"[" * 100_000,
            b"{}\n",
            b"",
            b"\xef\xbb\xbf{}",
        ],
        ids=lambda raw: repr(raw[:20]),
    )
    def test_other_encodings_are_refused(self, raw: bytes) -> None:
        with refused("malformed"):
            decode(raw)

    @pytest.mark.parametrize("raw", [b"[]", b"1", b'"x"', b"null"])
    def test_arguments_are_one_object(self, raw: bytes) -> None:
        with refused("malformed"):
            decode_object(raw)

    def test_depth_eight_is_allowed(self) -> None:
        assert decode(b"[[[[[[[[]]]]]]]]") == [[[[[[[[]]]]]]]]

    @pytest.mark.parametrize(
        "value", [1.5, {"a": (1,)}, {1: "a"}, [b"x"], {"a": {1, 2}}, LIMIT + 1, -LIMIT - 1], ids=repr
    )
    def test_values_without_a_canonical_form(self, value: object) -> None:
        with refused("malformed"):
            encode(value)


class TestState:
    """Stricter than either backend."""

    def state(self) -> StagedState:
        return StagedState(Archived({("network",): b"{}"}))

    def test_a_read_is_kept_with_its_value(self) -> None:
        state = self.state()
        assert (state.get(("network",)), state.get(("network",)), state.get(("x",))) == (b"{}", b"{}", None)
        assert state.reads == {("network",): b"{}", ("x",): None}

    def test_what_was_written_is_not_read(self) -> None:
        state = self.state()
        state.get(("network",))
        state.put(("network",), b"[]")
        assert state.writes == {("network",): b"[]"}
        with pytest.raises(ReadAfterWriteError):
            state.get(("network",))

    def test_what_was_not_read_is_not_written(self) -> None:
        with pytest.raises(RewriteError):
            self.state().put(("network",), b"[]")

    def test_nothing_is_written_twice(self) -> None:
        state = self.state()
        state.get(("network",))
        state.put(("network",), b"[]")
        with pytest.raises(RewriteError):
            state.put(("network",), b"[1]")

    def test_a_prefix_is_whole_parts(self) -> None:
        archive = Archived({("consent", "c1", "a"): b"1", ("consent", "c10", "a"): b"2"})
        assert list(archive.scan(("consent", "c1"))) == [(("consent", "c1", "a"), b"1")]


class TestErrors:
    """Codes are protocol."""

    def test_a_code_that_is_not_in_the_protocol_is_a_defect(self) -> None:
        with pytest.raises(ValueError, match="no-such-code"):
            ContractError("no-such-code")

    def test_the_detail_is_for_people(self) -> None:
        assert str(ContractError("limit", "too many")) == "limit: too many"
        assert str(ContractError("limit")) == "limit"
        assert "limit" in CODES


def test_a_response_says_no_more_than_the_event_unless_a_rule_does() -> None:
    ledger = Staged()
    endorsed = ledger.endorse(OLGA, "RegisterOrganization", organization("alder"))
    assert endorsed.outcome.response == endorsed.outcome.event_payload == b'{"msp_id":"alder"}'
    assert endorsed.outcome.event_name == "OrganizationRegistered"


def test_carol_is_nobody_on_an_empty_ledger() -> None:
    with refused("not-enrolled"):
        Staged().submit(CAROL, "RegisterModel", {"model_id": "m1", "model_hash": "0" * 64})
