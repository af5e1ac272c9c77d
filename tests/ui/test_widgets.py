"""Widgets: nothing is a default by itself, nothing is cut, and every state says its exact words."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.ui.theme import Look, apply
from app.ui.vocabulary import Status, chip
from app.ui.widgets import (
    Band,
    Button,
    ButtonKind,
    Card,
    ChipLabel,
    CommandPalette,
    Confirm,
    DateField,
    Fact,
    FactsGrid,
    Field,
    FocusRing,
    KeyHelp,
    KeyLine,
    LoadingView,
    Note,
    Option,
    OptionKind,
    PaletteItem,
    PaneLayout,
    PinField,
    PreviewPane,
    Scrim,
    Segment,
    Segments,
    Sheet,
    State,
    StateView,
    StepBar,
    TextKind,
    Toast,
    conflicts,
    initials,
    label,
    rich,
    states,
)
from app.ui.widgets.command_palette import fuzzy, match

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def shown(qtbot: QtBot, widget: QWidget) -> QWidget:
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def labels(widget: QWidget) -> list[QLabel]:
    return [each for each in widget.findChildren(QLabel) if each.isVisible()]


# Buttons


@pytest.mark.parametrize("kind", list(ButtonKind))
def test_no_button_is_a_default_by_itself(qtbot: QtBot, kind: ButtonKind) -> None:
    button = Button("Open", kind=kind)
    qtbot.addWidget(button)
    assert not button.isDefault()
    assert not button.autoDefault()


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("text", ["Open CT chest", "Öffnen und danach sofort wieder schließen lassen", "~" * 30])
def test_a_button_has_room_for_icon_text_and_key(qtbot: QtBot, qapp: QApplication, text: str, scale: float) -> None:
    apply(qapp, Look(text_scale=scale))
    button = Button(text, icon_name="scan", key_hint="Ctrl ↵")
    shown(qtbot, button)
    words = QFontMetrics(button.font()).horizontalAdvance(text)
    assert button.minimumSizeHint().width() >= words + round(16 * scale) + 2 * round(8 * scale) + 20
    assert button.height() >= round(30 * scale) + 2


def test_an_icon_button_has_a_name(qtbot: QtBot) -> None:
    button = Button(icon_name="lock", accessible="Lock, Ctrl L")
    qtbot.addWidget(button)
    assert button.accessibleName() == "Lock, Ctrl L"
    assert button.toolTip() == "Lock, Ctrl L"


def test_a_button_s_kind_can_follow_the_form(qtbot: QtBot) -> None:
    button = Button("Sign with my PIN", patient=True)
    shown(qtbot, button)
    before = button.grab().toImage().pixelColor(10, 20)
    button.set_kind(ButtonKind.PRIMARY)
    assert button.grab().toImage().pixelColor(10, 20) != before
    assert button.height() >= 44


# Chips and segments


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_status_has_icon_word_and_is_drawn(qtbot: QtBot, scheme: object, status: Status, language: str) -> None:
    made = chip(status, language, "2 h")
    assert made.word
    assert "{" not in made.word
    widget = ChipLabel(made)
    qtbot.addWidget(widget)
    assert widget.accessibleName() == made.word
    assert not widget.grab().isNull()


def test_segments_choose_and_keep(qtbot: QtBot) -> None:
    segments = Segments((Segment("all", "All", 14), Segment("open", "Can open", 6)))
    shown(qtbot, segments)
    assert segments.current == "all"
    with qtbot.waitSignal(segments.chosen, check_params_cb=lambda key: key == "open"):
        QTest.mouseClick(segments.button(1), Qt.MouseButton.LeftButton)
    segments.show_segments((Segment("all", "All", 15), Segment("open", "Can open", 7)))
    assert segments.current == "open"
    assert segments.button(1).accessibleName() == "Can open, 7"
    with qtbot.waitSignal(segments.chosen, check_params_cb=lambda key: key == "all"):
        QTest.keyClick(segments, Qt.Key.Key_Right)


def test_segments_can_start_with_none(qtbot: QtBot) -> None:
    segments = Segments((Segment("yes", "Yes"), Segment("no", "No")), "", patient=True)
    qtbot.addWidget(segments)
    assert segments.current == ""


# States

UNKNOWN = (
    "We do not know yet whether this was recorded. Checking… Nothing is opened meanwhile. Please do not send it again."
)
STATES = [
    (
        states.not_sent("suspended"),
        "Not sent. Your access is suspended. Ask a registrar of your hospital. Nothing was recorded.",
    ),
    (states.unknown(), UNKNOWN),
    (states.conflict(), "Someone changed this at the same time. Please look again. Your choices are kept below."),
    (states.was_not_recorded(), "It was not recorded. You can send it again."),
    (
        states.denied("Consent C-4RT8 leaves out laboratory. A refusal is stronger than a permission."),
        "You may not open this. Consent C-4RT8 leaves out laboratory. A refusal is stronger than a permission.",
    ),
    (
        states.changed_record("Pixels changed in 1 of 412 images (image 104). Header unchanged."),
        "This record was changed. Pixels changed in 1 of 412 images (image 104). Header unchanged. It is not shown.",
    ),
    (states.stopped(), "Stopped. The opening stays recorded, nothing was shown."),
]


@pytest.mark.parametrize(("state", "sentence"), STATES, ids=[state.heading or state.text for state, _ in STATES])
def test_a_state_says_exactly_this(qtbot: QtBot, state: State, sentence: str) -> None:
    assert state.sentence == sentence
    for widget in (Band(state), StateView(state)):
        qtbot.addWidget(widget)
        assert widget.accessibleName() == sentence


def test_times_in_states_are_written_with_seconds_where_they_prove_something(qtbot: QtBot) -> None:
    assert states.was_recorded(52_401, UTC).text == "It was recorded at 14:33:21."
    gone = states.withdrawn("Alma Fictive", 52_802, UTC)
    assert gone.sentence == (
        "Alma Fictive withdrew this consent. The record was closed at 14:40:02 and your copy purged. Receipt signed."
    )
    offline = states.offline(52_260, 1, 52_560, UTC)
    assert offline.sentence == (
        "No connection to the ledger since 14:31. Nothing new can be opened. 1 entry waits and is sent by itself. "
        "Records already open stay until 14:36."
    )
    assert [action.text for action in offline.actions] == ["Try now", "What waits (1)"]


def test_only_look_again_is_a_default(qtbot: QtBot) -> None:
    every = [state for state, _ in STATES] + [states.offline(0, 2, None), states.unknown(is_long=True)]
    assert [action.key for state in every for action in state.actions if action.is_default] == ["look"]


def test_a_band_tells_which_action_was_pressed(qtbot: QtBot) -> None:
    band = Band(states.not_sent("suspended", changed=True))
    shown(qtbot, band)
    button = band.findChild(QPushButton, "action-changed")
    assert isinstance(button, Button)
    with qtbot.waitSignal(band.acted, check_params_cb=lambda key: key == "changed"):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    band.show_state(None)
    assert band.isHidden()


def test_loading_shows_nothing_at_once_then_a_bar_then_cancel(qtbot: QtBot) -> None:
    view = LoadingView()
    shown(qtbot, view)
    view.start("Opening CT chest", "The opening is already recorded, 14:33:02.")
    assert not view.bar.isVisible()
    view.report(260, 412, "Decrypting image 260 of 412 · 163 of 258 MB")
    qtbot.waitUntil(view.bar.isVisible, timeout=2_000)
    assert not view.cancel_button.isVisible()
    assert "Decrypting image 260 of 412" in view.bar.accessibleName()
    qtbot.waitUntil(view.cancel_button.isVisible, timeout=4_000)
    with qtbot.waitSignal(view.cancelled):
        QTest.mouseClick(view.cancel_button, Qt.MouseButton.LeftButton)
    view.stop()
    assert not view.bar.isVisible()


# Dialogs


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(900, 600)
    return shown(qtbot, made)


def test_a_confirm_has_no_default_and_enter_does_nothing(qtbot: QtBot, window: QWidget) -> None:
    answers: list[str] = []
    dialog = Confirm(window, "Refuse", "Refuse the whole request?", "Refuse all", "Back", danger=True)
    dialog.confirmed.connect(lambda: answers.append("yes"))
    dialog.open()
    assert not [button for button in dialog.findChildren(QPushButton) if button.isDefault() or button.autoDefault()]
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert answers == []
    with qtbot.waitSignal(dialog.closed):
        QTest.mouseClick(dialog.yes_button, Qt.MouseButton.LeftButton)
    assert answers == ["yes"]
    assert window.findChildren(Scrim) == [] or not window.findChildren(Scrim)[0].isVisible()


def test_a_scrim_lies_over_the_window_while_a_sheet_is_open(qtbot: QtBot, window: QWidget) -> None:
    sheet = Sheet(window, "Import")
    sheet.open()
    scrim = window.findChildren(Scrim)[0]
    assert scrim.geometry() == window.rect()
    with qtbot.waitSignal(sheet.closed):
        QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not scrim.isVisible()


def test_esc_can_be_made_to_do_nothing(qtbot: QtBot, window: QWidget) -> None:
    sheet = Sheet(window, "This part is yours", escape_closes=False)
    sheet.open()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.isVisible()
    sheet.reject()


def test_a_stated_default_is_pressed_by_enter(qtbot: QtBot, window: QWidget) -> None:
    pressed: list[bool] = []
    sheet = Sheet(window, "Enrol")
    button = sheet.add_button(Button("Enrol", kind=ButtonKind.PRIMARY), is_default=True)
    button.clicked.connect(lambda: pressed.append(True))
    sheet.open()
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    assert pressed == [True]
    button.setEnabled(False)
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    assert pressed == [True]
    sheet.reject()


def test_the_keys_of_a_page_are_listed(qtbot: QtBot, window: QWidget) -> None:
    sheet = KeyHelp(window, (KeyLine("N", "Ask for access"),), (KeyLine("Ctrl K", "Search"),))
    sheet.open()
    texts = {text.text() for text in sheet.findChildren(type(label()))}
    assert {"Ask for access", "Search", "On this page", "Everywhere"} <= texts
    sheet.reject()


def test_a_key_given_twice_is_found() -> None:
    assert conflicts((KeyLine("N", "a"), KeyLine("A", "b"), KeyLine("N", "c"))) == ("N",)


# Focus


def target(ring: FocusRing) -> QWidget | None:
    return ring.target


def test_the_ring_follows_tab_and_not_the_mouse(qtbot: QtBot) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.setContentsMargins(20, 20, 20, 20)
    first, second, field = Button("One"), Button("Two"), QLineEdit()
    for each in (first, second, field):
        layout.addWidget(each)
    ring = FocusRing(window)
    shown(qtbot, window)
    window.activateWindow()
    first.setFocus(Qt.FocusReason.MouseFocusReason)
    assert target(ring) is None
    QTest.keyClick(first, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is second)
    assert target(ring) is second
    assert ring.geometry() == second.geometry().adjusted(-4, -4, 4, 4)
    QTest.keyClick(second, Qt.Key.Key_Tab)
    assert target(ring) is None
    QTest.mouseClick(first, Qt.MouseButton.LeftButton)
    assert target(ring) is None
    assert not ring.isVisible()


def test_the_ring_moves_with_its_control(qtbot: QtBot) -> None:
    window = QWidget()
    button = Button("One", parent=window)
    button.move(30, 30)
    ring = FocusRing(window)
    shown(qtbot, window)
    ring.surround(button)
    button.move(60, 40)
    assert ring.geometry().topLeft() == QPoint(56, 36)


# Forms


def test_a_pin_leaves_its_field_when_taken(qtbot: QtBot) -> None:
    pin = PinField()
    shown(qtbot, pin)
    with qtbot.waitSignal(pin.completed, check_params_cb=bool):
        QTest.keyClicks(pin, "24681012")
    assert pin.is_complete
    assert pin.displayText() != "24681012"
    pin.selectAll()
    pin.copy()
    assert QApplication.clipboard().text() != "24681012"
    with qtbot.waitSignal(pin.entered):
        QTest.keyClick(pin, Qt.Key.Key_Return)
    assert pin.take() == "24681012"
    assert pin.text() == ""
    assert not pin.isUndoAvailable()


def test_the_whole_box_of_an_option_is_its_target(qtbot: QtBot) -> None:
    option = Option("Laboratory", "Blood and urine", icon_name="test-tube", patient=True)
    shown(qtbot, option)
    assert not option.is_checked
    assert option.height() >= 44
    with qtbot.waitSignal(option.toggled, check_params_cb=bool):
        QTest.mouseClick(option, Qt.MouseButton.LeftButton, pos=QPoint(option.width() - 5, 20))
    assert option.property("box") == "checked"
    option.setEnabled(False)
    assert not option.button.isEnabled()


def test_a_radio_option_is_never_preselected(qtbot: QtBot) -> None:
    option = Option("Treatment", kind=OptionKind.RADIO, boxed=False)
    qtbot.addWidget(option)
    assert not option.is_checked


def test_a_field_shows_its_gap(qtbot: QtBot) -> None:
    field = Field("Records", QLineEdit(), "Only what the purpose needs.")
    shown(qtbot, field)
    field.show_gap("Choose at least one kind of record.")
    assert field.control.accessibleDescription() == "Choose at least one kind of record."
    assert field.control.accessibleName() == "Records"


def test_a_date_is_written_one_way_and_kept_as_iso(qtbot: QtBot) -> None:
    field = DateField("2026-11-24", "First day")
    shown(qtbot, field)
    assert field.text() == "24 Nov 2026"
    assert field.day == "2026-11-24"
    with qtbot.waitSignal(field.day_changed, check_params_cb=lambda day: day == "2024-02-29"):
        field.set_day("2024-02-29")
    assert field.text() == "29 Feb 2024"


def test_steps_are_told_and_drawn(qtbot: QtBot, scheme: object) -> None:
    bar = StepBar(("Read", "Choose", "Check", "Sign", "Receipt"), 1)
    shown(qtbot, bar)
    assert bar.accessibleName() == "2/5: Choose"
    before = bar.grab().toImage()
    bar.show_steps(("Lesen", "Wählen", "Prüfen", "Unterschreiben", "Beleg"), 2)
    assert bar.accessibleName() == "3/5: Prüfen"
    assert bar.grab().toImage() != before


# Panes


def test_facts_and_links(qtbot: QtBot) -> None:
    grid = FactsGrid((Fact("Held at", "Alder Hospital"), Fact("Decided by", "Consent C-4RT8", link="C-4RT8")))
    shown(qtbot, grid)
    links = [each for each in grid.findChildren(type(label())) if "href" in each.text()]
    with qtbot.waitSignal(grid.followed, check_params_cb=lambda key: key == "C-4RT8"):
        links[0].linkActivated.emit("C-4RT8")
    grid.show_facts((Fact("Held at", "Birch Hospital"),))
    qtbot.waitUntil(lambda: [each.text() for each in labels(grid)] == ["Held at", "Birch Hospital"])


def test_names_bring_no_markup(qtbot: QtBot) -> None:
    made = label('<img src="x"> & <b>')
    qtbot.addWidget(made)
    assert made.textFormat() is Qt.TextFormat.PlainText
    sentence = rich('<b>Dr Carol</b> <a href="http://x">of</a> Alder')
    qtbot.addWidget(sentence)
    bold = '<span style="font-weight:600">Dr Carol</span>'
    assert sentence.text() == f'{bold} &lt;a href="http://x"&gt;of&lt;/a&gt; Alder'


def test_a_pane_becomes_a_drawer_before_anything_is_cut(qtbot: QtBot, qapp: QApplication) -> None:
    layout = PaneLayout(QWidget(), PreviewPane())
    layout.resize(1192, 700)
    shown(qtbot, layout)
    assert layout.pane.isVisible()
    assert not layout.is_drawer
    layout.resize(1000, 700)
    assert not layout.pane.isVisible()
    layout.toggle()
    assert layout.pane.isVisible()
    assert layout.main.width() == 1000
    layout.toggle()
    layout.resize(1832, 700)
    assert layout.pane.width() == 420
    apply(qapp, Look(text_scale=1.5))
    layout.resize(1192, 700)
    assert layout.is_drawer


def test_cards_notes_and_initials(qtbot: QtBot) -> None:
    card = Card("How it was decided", icon_name="scale")
    qtbot.addWidget(card)
    assert card.accessibleName() == "How it was decided"
    note = Note("info", "One")
    qtbot.addWidget(note)
    note.show_note("triangle-alert", "", "wait")
    assert note.isHidden()
    assert initials("Dr Carol Specimen") == "CS"
    assert initials("Alma Maria Fictive") == "AF"
    assert initials("") == ""


def test_a_label_that_gives_way_shows_that_there_is_more(qtbot: QtBot) -> None:
    made = label("CT chest, 24 Nov 2026", gives_way=True)
    shown(qtbot, made)
    made.resize(60, 20)
    assert made.text().endswith("…")
    made.setText("MR brain, 20 Nov 2026")
    assert made.text().startswith("MR")
    assert made.text().endswith("…")
    made.resize(made.sizeHint())
    assert made.text() == "MR brain, 20 Nov 2026"


def test_a_toast_goes_by_itself_or_when_pressed(qtbot: QtBot, window: QWidget) -> None:
    toast = Toast(window, "Sent. You are told when it is decided.", action="Show")
    assert toast.isVisible()
    assert toast.geometry().right() <= window.width()
    with qtbot.waitSignal(toast.acted):
        QTest.mouseClick(toast.findChildren(Button)[0], Qt.MouseButton.LeftButton)
    assert not toast.isVisible()


def test_a_toast_covers_nothing_that_can_be_used(qtbot: QtBot, window: QWidget) -> None:
    low, high = Button("Open CT chest"), Button("Patient page")
    for button, top in ((low, 540), (high, 500)):
        button.setParent(window)
        button.setGeometry(560, top, 330, 36)
        button.show()
    toast = Toast(window, "Closed. Your copy is purged, the receipt recorded.")
    for _ in range(2):
        assert not toast.geometry().intersects(low.geometry())
        assert not toast.geometry().intersects(high.geometry())
        assert toast.geometry().bottom() < high.geometry().top()
        window.resize(901, 601)
    low.hide()
    high.hide()
    qtbot.waitUntil(lambda: toast.geometry().bottom() > 540)  # it comes down again by itself


def test_a_toast_that_finds_no_free_place_stays_in_its_corner(qtbot: QtBot, window: QWidget) -> None:
    wall = Button("All of it")
    wall.setParent(window)
    wall.setGeometry(window.rect())
    wall.show()
    toast = Toast(window, "Sent.")
    assert window.rect().contains(toast.geometry())


# Palette


def item(group: str, title: str, caption: str = "", log: list[str] | None = None) -> PaletteItem:
    return PaletteItem(group, title, lambda: log.append(title) if log is not None else None, caption=caption)


def test_fuzzy_finds_letters_in_order() -> None:
    assert fuzzy("alma", "Alma Fictive") == 0
    assert fuzzy("fic", "Alma Fictive") == 0
    assert fuzzy("afi", "Alma Fictive") is not None
    assert fuzzy("xyz", "Alma Fictive") is None
    assert match("417", (item("Patients", "Alma", "000-417"), item("Pages", "Ledger")))[0].title == "Alma"


def test_the_palette_opens_what_is_chosen(qtbot: QtBot, window: QWidget) -> None:
    log: list[str] = []
    items = (item("Patients", "Alma Fictive", log=log), item("Actions", "Ask Alma for access…", log=log))
    palette = CommandPalette(window, lambda: items)
    palette.open()
    assert [each.title for each in palette.shown] == ["Alma Fictive", "Ask Alma for access…"]
    QTest.keyClicks(palette.field, "alma")
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert log == ["Ask Alma for access…"]
    assert not palette.isVisible()
    assert palette.shown == ()


def test_the_palette_never_says_that_something_hidden_exists(qtbot: QtBot, window: QWidget) -> None:
    palette = CommandPalette(window, lambda: (item("Pages", "Ledger"),))
    palette.open()
    QTest.keyClicks(palette.field, "xyz")
    assert palette.shown == ()
    texts = [each.text() for each in palette.findChildren(type(label())) if each.isVisible()]
    assert "Nothing that you may see matches 'xyz'." in texts
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_tab_shows_more_of_an_item(qtbot: QtBot, window: QWidget) -> None:
    more = (item("Actions", "Patient page"),)
    palette = CommandPalette(window, lambda: (PaletteItem("Patients", "Alma", lambda: None, more=more),))
    palette.open()
    QTest.keyClick(palette.field, Qt.Key.Key_Tab)
    assert [each.title for each in palette.shown] == ["Patient page"]
    palette.leave()


def test_labels_have_the_type_scale(qtbot: QtBot) -> None:
    title = label("Worklist", TextKind.TITLE)
    shown(qtbot, title)
    assert title.font().pixelSize() == 20
