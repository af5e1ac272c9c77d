"""The viewer: what is drawn is what the pipeline says, each key does one thing, and zero on the clock blanks it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSizeF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from app.records import rendering
from app.records.images import Image, Unreadable, Window
from app.services.windows import OwnWindow
from app.ui.viewer.canvas import ImageCanvas, Tool
from app.ui.viewer.geometry import View, edge_letters_on, transform_of
from app.ui.viewer.page import ViewerPage, viewer_keys
from app.ui.viewer.series import ImageSeries, Place, corner_texts, picture, series_of
from app.ui.viewer.window_sheet import WindowSheet
from app.ui.widgets import conflicts, states
from app.ui.window import everywhere
from tests.support.qt import Clock, ct_image, ct_series, opening

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

LETTERS = ("R", "L", "A", "P")


@pytest.fixture
def canvas(qtbot: QtBot) -> ImageCanvas:
    made = ImageCanvas()
    qtbot.addWidget(made)
    made.resize(640, 640)
    made.show_series(ct_series())
    made.show()
    qtbot.waitExposed(made)
    return made


# Geometry


def test_a_picture_fits_its_canvas_in_the_middle() -> None:
    transform = transform_of(View(), (100, 200), QSizeF(400, 400))
    assert transform.map(QPointF(0, 0)) == QPointF(0, 100)
    assert transform.map(QPointF(200, 100)) == QPointF(400, 300)


def test_pixels_that_are_no_squares_are_drawn_as_they_are() -> None:
    transform = transform_of(View(), (100, 100), QSizeF(400, 400), aspect=2.0)
    assert transform.map(QPointF(0, 0)) == QPointF(100, 0)
    assert transform.map(QPointF(100, 100)) == QPointF(300, 400)


def test_letters_follow_turns_and_flips() -> None:
    view = View()
    assert edge_letters_on(view, LETTERS) == ("R", "L", "A", "P")
    assert edge_letters_on(view.turned(), LETTERS) == ("P", "A", "R", "L")
    assert edge_letters_on(view.flipped(horizontal=True), LETTERS) == ("L", "R", "A", "P")
    assert edge_letters_on(view.flipped(horizontal=False), LETTERS) == ("R", "L", "P", "A")
    turned = view.flipped(horizontal=True).turned()
    assert edge_letters_on(turned, LETTERS) == ("P", "A", "L", "R")  # clockwise, as seen
    assert edge_letters_on(view.turned().turned().turned().turned(), LETTERS) == LETTERS


@pytest.mark.parametrize("view", [View(), View().turned(), View().flipped(horizontal=True).turned(), View().zoomed(3)])
def test_a_place_and_its_point_are_each_other_s_inverse(canvas: ImageCanvas, view: View) -> None:
    canvas._set_view(view)
    at = canvas.canvas_point(10.5, 20.5)
    point = canvas.picture_point(at)
    assert point == pytest.approx((10.5, 20.5))


def test_zooming_keeps_the_point_under_the_pointer(canvas: ImageCanvas) -> None:
    before = canvas.picture_point(QPointF(100, 120))
    event = QWheelEvent(
        QPointF(100, 120),
        QPointF(100, 120),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    canvas.wheelEvent(event)
    assert canvas.view.magnification > 1
    assert canvas.picture_point(QPointF(100, 120)) == pytest.approx(before)


# What is seen


def test_what_is_drawn_is_what_the_pipeline_says(canvas: ImageCanvas) -> None:
    series = canvas.series
    assert series is not None
    place = series.place(0)
    assert isinstance(place, Place)
    shades = picture(place, canvas.window_shown, inverted=False)
    drawn = canvas.grab().toImage()
    for row, column in ((2, 30), (32, 32), (60, 5)):
        at = canvas.canvas_point(row + 0.5, column + 0.5).toPoint()
        assert drawn.pixelColor(at).red() == shades[row, column]


def test_the_first_window_is_the_file_s(canvas: ImageCanvas) -> None:
    assert canvas.window_shown == Window(50, 400, "Soft tissue")


def test_presets_are_the_keys_one_to_five(canvas: ImageCanvas) -> None:
    for number, expected in enumerate(rendering.PRESETS, 1):
        QTest.keyClick(canvas, Qt.Key(Qt.Key.Key_0.value + number))
        assert canvas.window_shown == expected
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.window_shown == Window(50, 400, "Soft tissue")


def test_inverting_changes_the_display_and_no_value(canvas: ImageCanvas) -> None:
    at = canvas.canvas_point(32.5, 32.5)
    before, read = canvas.grab().toImage().pixelColor(at.toPoint()).red(), canvas.probe(at)
    QTest.keyClick(canvas, Qt.Key.Key_I)
    assert canvas.is_inverted
    assert canvas.grab().toImage().pixelColor(at.toPoint()).red() == 255 - before
    assert canvas.probe(at) == read


def test_the_pointer_reads_value_and_stored_value(canvas: ImageCanvas) -> None:
    assert canvas.probe(canvas.canvas_point(32.5, 20.5)) == "0 HU · stored 1024 · row 33, column 21"
    assert canvas.probe(canvas.canvas_point(0.5, 0.5)) == "1000 HU · stored 2024 · row 1, column 1"
    canvas.rotate()
    assert canvas.probe(canvas.canvas_point(0.5, 0.5)) == "1000 HU · stored 2024 · row 1, column 1"
    canvas.go_to(3)
    assert canvas.probe(canvas.canvas_point(32.5, 20.5)).startswith("30 HU")
    assert canvas.probe(QPointF(-50, -50)) == ""


def test_corner_texts() -> None:
    series = ct_series()
    series.flags = ("PRIOR",)
    corners = corner_texts(series, 2, Window(-550, 1600), 0.98)
    assert corners == (
        ("Alma Fictive", "14 Mar 1961 F", "CT 24 Nov 2026 09:15", "PRIOR"),
        ("Lung 1.0 mm", "Im 3/5"),
        ("W 1600  C −550", "Zoom 98 %"),
        ("z −142.0 mm", "0.50 × 0.50 × 2.0 mm"),
    )
    uncalibrated = ImageSeries("k", "X-ray")
    uncalibrated.add([ct_image(np.zeros((1, 4, 4)), spacing=None)])
    assert corner_texts(uncalibrated, 0, None, 1.0)[3][-1] == "not calibrated"


def test_t_takes_the_texts_away(canvas: ImageCanvas) -> None:
    canvas.choose_preset(1)
    before = canvas.grab().toImage()
    QTest.keyClick(canvas, Qt.Key.Key_T)
    assert canvas.grab().toImage() != before
    QTest.keyClick(canvas, Qt.Key.Key_T)
    assert canvas.grab().toImage() == before


def test_an_image_that_cannot_be_decoded_says_why(qtbot: QtBot) -> None:
    series = ct_series(1)
    series.add([Unreadable("Image 2 uses 12-bit JPEG Extended, which Assent cannot decode.")])
    canvas = ImageCanvas()
    qtbot.addWidget(canvas)
    canvas.show_series(series, 1)
    assert canvas.probe(QPointF(80, 80)) == ""
    assert canvas.presets() == {}
    assert not canvas.grab().isNull()
    canvas.go_to(0)
    assert canvas.probe(canvas.canvas_point(32.5, 20.5)).startswith("0 HU")


# What can be done


def test_images_are_scrolled_by_keys_and_wheel(canvas: ImageCanvas, qtbot: QtBot) -> None:
    for key, index in (
        (Qt.Key.Key_Down, 1),
        (Qt.Key.Key_End, 4),
        (Qt.Key.Key_Down, 4),
        (Qt.Key.Key_Up, 3),
        (Qt.Key.Key_Home, 0),
    ):
        QTest.keyClick(canvas, key)
        assert canvas.index == index
    for key, step in ((Qt.Key.Key_PageDown, 1), (Qt.Key.Key_PageUp, -1)):
        with qtbot.waitSignal(canvas.series_asked, check_params_cb=lambda asked, step=step: asked == step):
            QTest.keyClick(canvas, key)
    assert canvas.accessibleName() == "Image 1 of 5, Lung 1.0 mm"


def drag(canvas: ImageCanvas, button: Qt.MouseButton, first: QPoint, last: QPoint) -> None:
    QTest.mousePress(canvas, button, Qt.KeyboardModifier.NoModifier, first)
    QTest.mouseMove(canvas, last)
    QApplication.processEvents()
    QTest.mouseRelease(canvas, button, Qt.KeyboardModifier.NoModifier, last)


def test_dragging_left_windows(canvas: ImageCanvas) -> None:
    before = canvas.window_shown
    assert before is not None
    drag(canvas, Qt.MouseButton.LeftButton, QPoint(300, 300), QPoint(400, 350))
    after = canvas.window_shown
    assert after is not None
    assert after.width > before.width
    assert after.center > before.center
    drag(canvas, Qt.MouseButton.LeftButton, QPoint(600, 300), QPoint(0, 300))
    narrow = canvas.window_shown
    assert narrow is not None
    assert narrow.width >= 1


def test_dragging_right_zooms_and_middle_pans(canvas: ImageCanvas) -> None:
    drag(canvas, Qt.MouseButton.RightButton, QPoint(300, 300), QPoint(300, 200))
    assert canvas.view.magnification > 1
    canvas.reset()
    drag(canvas, Qt.MouseButton.MiddleButton, QPoint(300, 300), QPoint(340, 310))
    assert canvas.view == View(pan=(40.0, 10.0))


@pytest.mark.parametrize(
    ("key", "tool"), [("W", Tool.WINDOW), ("S", Tool.SCROLL), ("Z", Tool.ZOOM), ("P", Tool.PAN), ("L", Tool.LENGTH)]
)
def test_each_tool_has_its_key(canvas: ImageCanvas, key: str, tool: Tool) -> None:
    canvas.set_tool(Tool.ZOOM if tool is not Tool.ZOOM else Tool.PAN)
    QTest.keyClick(canvas, Qt.Key(ord(key)))
    assert canvas.tool is tool


def test_scrolling_by_dragging(canvas: ImageCanvas) -> None:
    canvas.set_tool(Tool.SCROLL)
    drag(canvas, Qt.MouseButton.LeftButton, QPoint(300, 300), QPoint(300, 330))
    assert canvas.index == 2


def test_a_length_is_told_in_millimetres_only_when_calibrated(canvas: ImageCanvas, qtbot: QtBot) -> None:
    canvas.set_tool(Tool.LENGTH)
    first, last = (canvas.canvas_point(32, 10).toPoint(), canvas.canvas_point(32, 50).toPoint())
    with qtbot.waitSignal(canvas.measured):
        drag(canvas, Qt.MouseButton.LeftButton, first, last)
    assert canvas.length_text() == "20.0 mm"
    series = ImageSeries("k", "X-ray")
    series.add([ct_image(np.full((1, 64, 64), 1024), spacing=None)])
    canvas.show_series(series)
    drag(canvas, Qt.MouseButton.LeftButton, first, last)
    assert canvas.length_text() == "40.0 px not calibrated"


def test_flip_rotate_and_reset_by_key(canvas: ImageCanvas) -> None:
    QTest.keyClick(canvas, Qt.Key.Key_R)
    QTest.keyClick(canvas, Qt.Key.Key_H)
    QTest.keyClick(canvas, Qt.Key.Key_V)
    assert (canvas.view.turns, canvas.view.flip_horizontal, canvas.view.flip_vertical) == (1, True, True)
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.view == View()


def test_cine_plays_and_stops(canvas: ImageCanvas, qtbot: QtBot) -> None:
    canvas.set_fps(100)
    assert canvas.fps == 60
    QTest.keyClick(canvas, Qt.Key.Key_C)
    assert canvas.is_playing
    qtbot.waitUntil(lambda: canvas.index == 4)
    qtbot.waitUntil(lambda: canvas.index == 0)
    QTest.keyClick(canvas, Qt.Key.Key_Space)
    assert not canvas.is_playing


def test_one_image_does_not_play(qtbot: QtBot) -> None:
    canvas = ImageCanvas()
    qtbot.addWidget(canvas)
    canvas.show_series(ct_series(1))
    canvas.toggle_cine()
    assert not canvas.is_playing


def test_blank_forgets_every_pixel(canvas: ImageCanvas) -> None:
    canvas.grab()
    canvas.toggle_cine()
    canvas.blank()
    assert canvas.series is None
    assert canvas._image is None
    assert not canvas.is_playing
    drawn = canvas.grab().toImage()
    assert {drawn.pixelColor(x, 320).name() for x in range(2, 638)} == {"#000000"}
    assert canvas.probe(QPointF(320, 320)) == ""


# The page


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000)


@pytest.fixture
def page(qtbot: QtBot, clock: Clock) -> ViewerPage:
    made = ViewerPage(opening(), (ct_series(), ct_series(3, key="9.9")), clock.seconds)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_keys_are_unique() -> None:
    assert conflicts((*viewer_keys(), *everywhere())) == ()


def test_the_badge_counts_down(page: ViewerPage, clock: Clock) -> None:
    assert page.badge.text() == "Treatment · C-4RT8 · 1 d 0 h 0 min left"
    assert page.badge.tint == "ok"
    clock.now += 86_400 - 3_599
    page.tick()
    assert page.badge.text() == "Treatment · C-4RT8 · 59 min 59 s left"
    assert page.badge.tint == "wait"


def test_emergency_is_solid_crimson(qtbot: QtBot, clock: Clock) -> None:
    made = ViewerPage(opening(1_000 + 5_580, emergency=True), (ct_series(),), clock.seconds)
    qtbot.addWidget(made)
    assert made.badge.text() == "Emergency · 1 h 33 min left"
    assert made.badge.tint == "emergency"


def test_zero_blanks_the_viewer(page: ViewerPage, clock: Clock, qtbot: QtBot) -> None:
    canvas, series = page.canvas, page.series
    clock.now += 86_400
    with qtbot.waitSignal(page.ran_out):
        page.tick()
    assert page.is_ended
    assert canvas.series is None
    assert [len(each) for each in series] == [0, 0]
    assert page.state_view.isVisible()
    assert "The record is closed and your copy purged." in page.state_view.accessibleName()


def test_withdrawn_while_open_goes_blank_at_once(page: ViewerPage) -> None:
    page.canvas.choose_preset(1)
    page.end(states.withdrawn("Alma Fictive", 52_802))
    assert page.is_ended
    assert "Alma Fictive withdrew this consent." in page.state_view.accessibleName()
    assert not page.badge.isVisible()
    drawn = page.grab().toImage()
    shades = {drawn.pixelColor(x, y).lightness() for x in range(0, 1280, 7) for y in range(60, 300, 7)}
    assert max(shades) < 60


def test_five_minutes_before_the_end_more_time_is_offered_once(page: ViewerPage, clock: Clock) -> None:
    clock.now += 86_400 - 300
    page.tick()
    page.tick()
    offers = [each for each in page.findChildren(QLabel) if each.text() == "The permission ends in 5 minutes."]
    assert len(offers) == 1


def test_pages_step_through_series(page: ViewerPage, qtbot: QtBot) -> None:
    QTest.keyClick(page.canvas, Qt.Key.Key_PageDown)
    assert page.canvas.series is page.series[1]
    QTest.keyClick(page.canvas, Qt.Key.Key_PageDown)
    assert page.canvas.series is page.series[0]
    with qtbot.waitSignal(page.viewed, check_params_cb=lambda key, index: (key, index) == ("1.2.3", 1)):
        QTest.keyClick(page.canvas, Qt.Key.Key_Down)
    QTest.mouseClick(page.thumbnails.items[1], Qt.MouseButton.LeftButton)
    assert page.canvas.series is page.series[1]


def test_viewports_and_which_is_active(page: ViewerPage) -> None:
    page.set_layout(2)
    assert [canvas.series for canvas in page.canvases] == [page.series[0], page.series[1]]
    QTest.mouseClick(page.canvases[1], Qt.MouseButton.LeftButton)
    assert page.canvas is page.canvases[1]
    assert page.canvases[1].accessibleName().endswith(", active")
    assert not page.canvases[0].accessibleName().endswith(", active")
    page.set_layout(1)
    assert len(page.canvases) == 1
    assert page.canvas.series is page.series[0]


def test_the_panel_shows_and_chooses_presets(page: ViewerPage) -> None:
    rows = page.panel._rows
    assert [row.preset.name for row in rows] == ["Lung", "Soft tissue", "Bone", "Brain", "Liver"]
    assert [row.isChecked() for row in rows] == [False, True, False, False, False]
    QTest.mouseClick(rows[0], Qt.MouseButton.LeftButton)
    assert page.canvas.window_shown == rendering.PRESETS[0]
    assert rows[0].isChecked()
    assert not rows[1].isChecked()


def test_f8_and_f11_never_hide_the_badge(page: ViewerPage) -> None:
    page.toggle_panel()
    assert page.panel.isHidden()
    page.toggle_sides()
    assert page.thumbnails.isHidden()
    assert page.badge.isVisible()
    page.toggle_sides()
    assert page.panel.isVisible()


def test_the_first_image_is_shown_before_the_rest(qtbot: QtBot, clock: Clock) -> None:
    series = ImageSeries("1.2.3", "Lung 1.0 mm", expected=5)
    made = ViewerPage(opening(), (series,), clock.seconds)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    assert made.canvas.presets() == {}
    made.add_images(0, [ct_image(np.full((1, 16, 16), 1024))])
    assert made.canvas.window_shown == Window(50, 400, "Soft tissue")
    assert "1 of 5 images in memory" in made._memory.text()
    made.add_images(0, [ct_image(np.full((1, 16, 16), 1034))] * 4)
    assert "5 of 5 images in memory" in made._memory.text()
    assert made.thumbnails.items[0].accessibleName() == "Lung 1.0 mm, 5 images"


def test_images_are_sorted_into_series() -> None:
    images: list[Image | Unreadable] = [
        ct_image(np.zeros((1, 4, 4)), series="a"),
        ct_image(np.zeros((2, 4, 4)), series="b"),
        Unreadable("no"),
    ]
    found = series_of(images)
    assert [(each.key, len(each)) for each in found] == [("a", 1), ("b", 3)]
    assert series_of([]) == ()
    assert len(series_of([Unreadable("no")])[0]) == 1


def test_esc_close_and_lock_ask(page: ViewerPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.back_asked):
        page.escape()
    with qtbot.waitSignal(page.close_asked):
        page.panel.close_asked.emit()


# Windows of one's own

MINE = OwnWindow(7, "Node", 12, 90, "HU")


def sheet_of(page: ViewerPage) -> WindowSheet:
    page.panel.save_asked.emit()
    return page.findChildren(WindowSheet)[-1]


def test_an_own_window_is_behind_its_key_in_every_viewport(page: ViewerPage) -> None:
    page.show_own_windows((MINE,))
    QTest.keyClick(page.canvas, Qt.Key.Key_7)
    assert page.canvas.window_shown == Window(12, 90, "Node")
    assert [row.number for row in page.panel._rows] == [1, 2, 3, 4, 5, 7]
    assert [row.number for row in page.panel._rows if row.isChecked()] == [7]
    QTest.keyClick(page.canvas, Qt.Key.Key_6)  # nothing is there
    assert page.canvas.window_shown == Window(12, 90, "Node")
    page.set_layout(2)
    assert page.canvases[1].presets()[7] == Window(12, 90, "Node")


def test_a_window_of_other_values_is_not_offered(page: ViewerPage) -> None:
    page.show_own_windows((replace(MINE, unit="stored"),))
    assert 7 not in page.canvas.presets()


def test_without_a_place_to_keep_them_saving_is_not_offered(page: ViewerPage) -> None:
    assert page.panel.save_button.isHidden()


def test_saving_a_window_asks_name_and_key_and_says_what_is_replaced(qtbot: QtBot, page: ViewerPage) -> None:
    page.show_own_windows((MINE,))
    sheet = sheet_of(page)
    assert sheet.key == 6  # the first that is free
    sheet.save_button.click()
    assert sheet.name_field._gap.text() == "Give the window a name."
    sheet.keys.button(1).click()
    assert "Key 7 is Node, 12 / 90. Saving replaces it." in sheet.says.text()
    sheet.name.setText("  Soft   one ")
    with qtbot.waitSignal(page.save_wanted) as saved:
        QTest.keyClick(sheet, Qt.Key.Key_Return)
    assert saved.args == [OwnWindow(7, "Soft one", 50, 400, "HU")]


def test_an_own_window_can_be_removed(qtbot: QtBot, page: ViewerPage) -> None:
    page.show_own_windows((MINE,))
    sheet = sheet_of(page)
    assert sheet.remove_button.isHidden()
    sheet.keys.button(1).click()
    with qtbot.waitSignal(page.remove_wanted) as removed:
        sheet.remove_button.click()
    assert removed.args == [7]
    page.show_own_windows(())
    assert 7 not in page.canvas.presets()
