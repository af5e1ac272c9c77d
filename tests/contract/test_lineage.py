"""Purposes of use (DECISION.md 7)."""

import pytest

from ledger.contract.lineage import ACT_REASONS, PURPOSES, lineage, must_be_named

LINES = {
    "BTG": "BTG ETREAT TREAT",
    "ERTREAT": "ERTREAT ETREAT TREAT",
    "CLINTRL": "CLINTRL TREAT",
    "COC": "COC TREAT",
    "POPHLTH": "POPHLTH TREAT",
    "CLINTRCHNPC": "CLINTRCHNPC CLINTRCH HRESCH",
    "CLINTRCHPC": "CLINTRCHPC CLINTRCH HRESCH",
    "PRECLINTRCH": "PRECLINTRCH CLINTRCH HRESCH",
    "BIORCH": "BIORCH HRESCH",
    "ELIGDTRM": "ELIGDTRM COVERAGE HPAYMT",
    "CLMATTCH": "CLMATTCH HPAYMT",
    "CAREMGT": "CAREMGT HOPERAT",
    "TRAIN": "TRAIN HOPERAT",
    "FAMRQT": "FAMRQT PATRQT",
    "PWATRNY": "PWATRNY PATRQT",
    "THREAT": "THREAT PUBHLTH",
    "HMARKT": "HMARKT",
    "TREAT": "TREAT",
    "TREATDS": "TREATDS",
    "MLTRAINING": "MLTRAINING",
    "https://x:REWARD": "https://x:REWARD",
}


@pytest.mark.parametrize(("purpose", "line"), LINES.items())
def test_a_purpose_lies_below_its_ancestors(purpose: str, line: str) -> None:
    assert lineage(purpose) == tuple(line.split())


def test_the_tree_is_the_one_of_2018() -> None:
    assert len(ACT_REASONS) == 55
    assert {"TREATDS", "MLTRAINING"} == PURPOSES - ACT_REASONS
    roots = {purpose for purpose in ACT_REASONS if lineage(purpose) == (purpose,)}
    assert roots == {"TREAT", "HRESCH", "HPAYMT", "HOPERAT", "PATRQT", "PUBHLTH", "HMARKT"}


NAMED = {"TREATDS", "MLTRAINING", "HRESCH", "HMARKT", "CLINTRCH", "CLINTRCHPC", "DSRCH", "https://x:REWARD", "REWARD"}


@pytest.mark.parametrize("purpose", sorted(NAMED))
def test_what_silence_never_means(purpose: str) -> None:
    assert must_be_named(purpose)


@pytest.mark.parametrize("purpose", ["TREAT", "BTG", "COC", "FRAUD", "ELIGVER", "PATRQT", "DISASTER", "HPAYMT"])
def test_what_a_permit_without_purposes_covers(purpose: str) -> None:
    assert not must_be_named(purpose)
