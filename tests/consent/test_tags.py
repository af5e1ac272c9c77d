"""Keyed tags (DECISION.md 1, A16)."""

import re

import pytest

from app.consent.tags import TagKind, clear_tag, tag

KEY = bytes(range(32))


def test_a_tag_is_the_documented_hmac() -> None:
    # base32(HMAC-SHA256(key, "class" 00 "a|b"))[:16], computed with openssl
    assert tag(KEY)("class", "a|b") == "odbqsofpzojzpcuh"
    assert tag(KEY)(TagKind.CLASS, "a|b") == tag(KEY)("class", "a|b")


def test_a_code_does_not_look_alike_in_two_kinds_or_under_two_keys() -> None:
    tags = {tag(key)(kind, "2026") for key in (KEY, KEY[::-1]) for kind in TagKind}
    assert len(tags) == 2 * len(TagKind)
    assert all(re.fullmatch("[a-z2-7]{16}", each) for each in tags)


def test_the_kind_ends_where_it_ends() -> None:
    assert tag(KEY)("date", "x") != tag(KEY)("dat", "ex")


def test_conformance_tests_read_codes_in_clear() -> None:
    assert clear_tag("sensitive-level", "R") == "sensitive-level=R"


def test_the_kinds() -> None:
    assert [kind.value for kind in TagKind] == [
        "class",
        "code",
        "date",
        "exact",
        "author",
        "related",
        "record",
        "level",
        "sensitive-level",
        "sensitivity",
        "device",
    ]


@pytest.mark.parametrize("code", ["", "ü", "x" * 1000])
def test_any_text_has_a_tag(code: str) -> None:
    assert len(tag(KEY)("code", code)) == 16
