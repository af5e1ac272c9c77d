"""Look, icons and fonts: one change reaches everything, and high contrast leaves only the system's colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QFontDatabase, QFontMetrics
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.ui.theme import (
    Fonts,
    Look,
    Scheme,
    TextSize,
    apply,
    contrast,
    font,
    icon,
    ink,
    look,
    mono,
    paper,
    read_dark,
    scaled,
    scheme_of,
    size,
    token,
)
from app.ui.theme import fonts as fonts_module
from app.ui.theme.icons import source
from app.ui.theme.tokens import colours
from app.ui.vocabulary import Status, chip
from app.ui.widgets import Button, ButtonKind, ChipLabel

UI = Path(__file__).resolve().parents[2] / "app" / "ui"
ICON = re.compile(r"(?:icon_name=|IconLabel\(|RailEntry\([^)]*?, )\"([a-z0-9-]+)\"")


def test_every_icon_named_in_the_code_is_in_the_package() -> None:
    names = {name for path in UI.rglob("*.py") for name in ICON.findall(path.read_text(encoding="utf-8"))}
    names |= {chip(status, time="1 h").icon_name for status in Status}
    assert len(names) > 20
    for name in names:
        assert "currentColor" in source(name)


def test_an_icon_that_does_not_exist_is_an_error(qapp: QApplication) -> None:
    with pytest.raises(KeyError):
        icon("no-such-icon", token("text"))


def test_an_icon_has_the_token_s_colour(qapp: QApplication) -> None:
    drawn = icon("square", token("emergency"), 32).toImage()
    seen = {
        drawn.pixelColor(x, 32).name().upper() for x in range(drawn.width()) if drawn.pixelColor(x, 32).alpha() == 255
    }
    assert colours(Scheme.LIGHT)["emergency"] in seen


def test_a_change_of_theme_reaches_token_and_palette(qapp: QApplication) -> None:
    before = token("surface")
    apply(qapp, Look(Scheme.DARK))
    assert token("surface") != before
    assert qapp.palette().base().color() == token("surface")
    assert token("surface").name().upper() == colours(Scheme.DARK)["surface"]


def test_the_reading_palette_holds_below_its_widget_only(qtbot: object) -> None:
    outside, page = QWidget(), QWidget()
    layout = QVBoxLayout(page)
    inside = Button("Close")
    layout.addWidget(inside)
    read_dark(page)
    assert scheme_of(inside) is Scheme.READING
    assert scheme_of(outside) is Scheme.LIGHT
    assert token("surface", inside).name().upper() == colours(Scheme.READING)["surface"]
    apply(QApplication.instance(), Look(Scheme.DARK))  # type: ignore[arg-type]
    assert token("surface", inside).name().upper() == colours(Scheme.READING)["surface"]
    for widget in (outside, page):
        widget.deleteLater()


def test_text_size_multiplies_type_and_rows(qapp: QApplication) -> None:
    apply(qapp, Look(text_scale=1.5))
    assert font(TextSize.BODY).pixelSize() == 20
    assert size("row") == 54
    assert scaled(8) == 12
    apply(qapp, Look(text_scale=1.5, compact=True))
    assert size("row") == 45


def test_high_contrast_leaves_only_the_system_s_colours(qapp: QApplication) -> None:
    apply(qapp, Look(high_contrast=True))
    assert qapp.styleSheet() == ""
    assert look().high_contrast
    system = qapp.style().standardPalette()
    allowed = {
        system.color(role).name()
        for role in (system.ColorRole(number) for number in range(system.ColorRole.NColorRoles.value))
    }
    for name in colours(Scheme.LIGHT):
        if name != "canvas":
            assert token(name).name() in allowed
    denied = ChipLabel(chip(Status.DENIED))
    assert denied.accessibleName() == "Denied"
    primary = Button("Open", kind=ButtonKind.PRIMARY)
    assert not primary.grab().isNull()
    for widget in (denied, primary):
        widget.deleteLater()


def test_ink_on_paper_is_the_same_in_every_theme(scheme: Scheme) -> None:
    assert contrast(ink().name(), paper().name()) == pytest.approx(21)


def test_until_the_fonts_are_cut_the_variable_file_serves(qapp: QApplication, tmp_path: Path) -> None:
    assert not Fonts().load(tmp_path)
    assert "IBM Plex Sans" in QFontDatabase.families()
    assert "IBM Plex Mono" in QFontDatabase.families()


def test_digits_are_equally_wide_and_ids_can_be_told_apart(qapp: QApplication) -> None:
    for made in (font(TextSize.BODY), mono()):
        metrics = QFontMetrics(made)
        assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1


def test_cut_fonts_are_found_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for weight in fonts_module.WEIGHTS:
        fonts_module._cut_path(tmp_path, weight).write_bytes(b"already here")
    assert fonts_module.are_cut(tmp_path)
    fonts_module.cut(tmp_path)
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"already here"}


@pytest.mark.deep
def test_cutting_gives_three_weights_that_differ(qapp: QApplication, tmp_path: Path) -> None:
    fonts_module.cut_apart(tmp_path)
    assert Fonts().load(tmp_path)
    widths = [
        QFontMetrics(font(TextSize.DISPLAY, weight)).horizontalAdvance("Assent") for weight in fonts_module.WEIGHTS
    ]
    assert len(set(widths)) == 3
