"""The tokens keep what the design promises, and no colour comes from anywhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.ui.theme import Scheme, contrast, stylesheet
from app.ui.theme.tokens import TOKENS, colours, pairs

UI = Path(__file__).resolve().parents[2] / "app" / "ui"
LITERAL = re.compile(
    r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?=[\"'; ])|QColor\(\s*[\d\"']|rgba?\(|GlobalColor\.(?!transparent)"
)
PROMISED = [(scheme, pair) for scheme in Scheme for pair in pairs(scheme)]


@pytest.mark.parametrize(("scheme", "pair"), PROMISED, ids=str)
def test_each_pair_can_be_read(scheme: Scheme, pair: Any) -> None:
    table = colours(scheme)
    assert contrast(table[pair.foreground], table[pair.background]) >= pair.needs


def test_the_ratios_stated_are_the_ratios_there_are() -> None:
    stated = json.loads(TOKENS.read_text(encoding="utf-8"))["contrast"]
    for scheme in Scheme:
        for name, promise in stated[scheme.value].items():
            foreground, background = name.split(" on ")
            table = colours(scheme)
            assert contrast(table[foreground], table[background]) == pytest.approx(promise["ratio"], abs=0.01)


def test_contrast_is_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#FFFFFF", "#FFFFFF") == 1


def literals(text: str) -> list[str]:
    return LITERAL.findall(text)


def test_no_colour_stands_outside_the_tokens() -> None:
    found = {str(path): hits for path in UI.rglob("*.py") if (hits := literals(path.read_text(encoding="utf-8")))}
    assert found == {}


@pytest.mark.parametrize(
    "planted", ['token = "#A8123A"', "QColor(255, 0, 0)", "Qt.GlobalColor.red", "QColor('red')", "rgba(0, 0, 0, 128)"]
)
def test_a_planted_colour_is_found(planted: str) -> None:
    assert literals(planted)


@pytest.mark.parametrize("scheme", list(Scheme))
def test_the_style_sheet_names_only_tokens_that_exist(scheme: Scheme, tmp_path: Path) -> None:
    text = stylesheet.render(scheme, 1.0, tmp_path)
    assert "@" not in text
    assert "{chevron" not in text
    for path in re.findall(r'url\("([^"]+)"\)', text):
        assert Path(path).read_bytes().startswith(b"<svg")


def test_the_style_sheet_grows_with_the_text(tmp_path: Path) -> None:
    assert "font-size:20px" in stylesheet.render(Scheme.LIGHT, 1.5, tmp_path).replace(" ", "")
    assert "min-height:45px" in stylesheet.render(Scheme.LIGHT, 1.5, tmp_path).replace(" ", "")


def test_an_unknown_token_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stylesheet, "TEMPLATE", "QLabel { color:@no_such_token }")
    with pytest.raises(KeyError):
        stylesheet.render(Scheme.LIGHT, 1.0, tmp_path)
