"""The one style sheet (SCREENS.md 1.4): ``@token`` becomes a colour, ``@13px`` a length at the chosen text size.

Everything else that is drawn is drawn by widgets and delegates with ``theme.token``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from app.ui.theme.icons import icon_file
from app.ui.theme.tokens import Scheme, colours

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE: Final = """
QToolTip { background:@surface; color:@text; border:1px solid @line_strong; padding:4px 8px }
QMenu { background:@surface; color:@text; border:1px solid @line_strong; padding:4px 0 }
QMenu::item { padding:6px 24px 6px 16px }
QMenu::item:selected { background:@selected; color:@selected_text }
QMenu::item:disabled { color:@disabled }
QMenu::separator { background:@line; height:1px; margin:4px 0 }
QLabel { background:transparent; color:@text; font-size:@13px }
QLabel[type="caption"] { font-size:@12px; color:@muted }
QLabel[type="strong"] { font-weight:600 }
QLabel[type="section"] { font-size:@15px; font-weight:600 }
QLabel[type="title"] { font-size:@20px; font-weight:600 }
QLabel[type="display"] { font-size:@28px; font-weight:600 }
QLabel[type="patient"] { font-size:@16px }
QLabel[type="patient-caption"] { font-size:@13px; color:@muted }
QLabel[type="patient-strong"] { font-size:@16px; font-weight:600 }
QLabel[type="patient-title"] { font-size:@24px; font-weight:600 }
QLabel[type="mono"] { font-family:"IBM Plex Mono","DejaVu Sans Mono",monospace; font-size:@12px }
QLabel[tone="text"] { color:@text }         QLabel[tone="text2"] { color:@text2 }
QLabel[tone="muted"] { color:@muted }       QLabel[tone="accent"] { color:@accent }
QLabel[tone="ok"] { color:@ok_fg }          QLabel[tone="wait"] { color:@wait_fg }
QLabel[tone="deny"] { color:@deny_fg }      QLabel[tone="unknown"] { color:@unknown_fg }
QLabel[tone="held"] { color:@held_fg }      QLabel[tone="info"] { color:@info_fg }
QLabel[tone="on-emergency"] { color:@on_emergency }
QLabel:disabled { color:@disabled }

QFrame[surface="window"] { background:@window }
QFrame[surface="pane"] { background:@surface }
QFrame[surface="sunken"] { background:@sunken }
QFrame[surface="header"] { background:@header; border:0; border-bottom:1px solid @line }
QFrame[surface="footer"] { background:@surface; border:0; border-top:1px solid @line }
QFrame[surface="right"] { background:@surface; border:0; border-left:1px solid @line }
QFrame[surface="left"] { background:@surface; border:0; border-right:1px solid @line }
QFrame[surface="card"] { background:@surface; border:1px solid @line; border-radius:8px }
QFrame[surface="card-head"] { background:@window; border:0; border-bottom:1px solid @line;
  border-top-left-radius:7px; border-top-right-radius:7px }
QFrame[surface="card-head-accent"] { background:@accent_tint; border:0; border-bottom:1px solid @info_line;
  border-top-left-radius:7px; border-top-right-radius:7px }
QFrame[surface="dialog"] { background:@surface; border:1px solid @line_strong }
QFrame[band="ok"] { background:@ok_bg; border:1px solid @ok_line; border-radius:8px }
QFrame[band="wait"] { background:@wait_bg; border:1px solid @wait_line; border-radius:8px }
QFrame[band="deny"] { background:@deny_bg; border:1px solid @deny_line; border-radius:8px }
QFrame[band="unknown"] { background:@unknown_bg; border:1px solid @unknown_line; border-radius:8px }
QFrame[band="held"] { background:@held_bg; border:1px solid @held_line; border-radius:8px }
QFrame[band="info"] { background:@info_bg; border:1px solid @info_line; border-radius:8px }
QFrame[band="muted"] { background:@surface; border:1px solid @line; border-radius:8px }
QFrame[band="emergency"] { background:@emergency; border:1px solid @emergency; border-radius:8px }
QFrame[band][flush="true"] { border-radius:0; border-left:0; border-right:0; border-top:0 }
QFrame[box="true"] { background:@surface; border:1px solid @line; border-radius:6px }
QFrame[box="checked"] { background:@accent_tint; border:1px solid @accent; border-radius:6px }
QFrame[surface="line"] { background:@line; border:0 }
QStackedWidget, QScrollArea { background:transparent; border:0 }
QScrollArea > QWidget > QWidget[scrolled="true"] { background:transparent }
QScrollBar:vertical { background:transparent; width:12px; margin:0 }
QScrollBar:horizontal { background:transparent; height:12px; margin:0 }
QScrollBar::handle { background:@line_strong; border-radius:3px; margin:3px }
QScrollBar::handle:vertical { min-height:32px }   QScrollBar::handle:horizontal { min-width:32px }
QScrollBar::add-line, QScrollBar::sub-line { width:0; height:0 }
QScrollBar::add-page, QScrollBar::sub-page { background:transparent }
QSplitter::handle { background:@line }

QPushButton { background:@surface; border:1px solid @line_strong; border-radius:6px; padding:0 14px; min-height:@30px;
  font-size:@13px; font-weight:500; color:@text }
QPushButton[small="true"] { min-height:@24px; padding:0 10px; font-size:@12px }
QPushButton[patient="true"] { min-height:@42px; padding:0 22px; font-size:@16px }
QPushButton:hover { background:@hover }
QPushButton:pressed { background:@selected }
QPushButton:checked { background:@selected; color:@selected_text }
QPushButton:disabled { background:@sunken; border-color:@line; color:@disabled }
QPushButton[kind="primary"] { background:@accent; border-color:@accent; color:@on_accent }
QPushButton[kind="primary"]:hover { background:@accent_hover; border-color:@accent_hover }
QPushButton[kind="primary"]:pressed { background:@accent_press; border-color:@accent_press }
QPushButton[kind="primary"]:disabled { background:@sunken; border-color:@line; color:@disabled }
QPushButton[kind="danger"] { background:@danger; border-color:@danger; color:@on_danger }
QPushButton[kind="danger"]:hover { background:@danger_hover; border-color:@danger_hover }
QPushButton[kind="danger"]:disabled { background:@sunken; border-color:@line; color:@disabled }
QPushButton[kind="emergency"] { background:@emergency; border-color:@emergency; color:@on_emergency }
QPushButton[kind="danger-outline"] { border-color:@deny_fg; color:@deny_fg }
QPushButton[kind="danger-outline"]:disabled { border-color:@line; color:@disabled }
QPushButton[kind="flat"] { background:transparent; border-color:transparent; color:@accent }
QPushButton[kind="flat"]:hover { background:@hover }
QPushButton[kind="bare"] { background:transparent; border-color:transparent; padding:0 6px }
QPushButton[kind="bare"]:hover { background:@hover }
QPushButton[kind="bare"]:checked { background:@accent; border-color:@accent; color:@on_accent }
QPushButton[kind="bare"]:disabled { color:@disabled }
QPushButton[kind="link"] { background:transparent; border:0; padding:0; min-height:@20px; color:@link; font-weight:400;
  text-align:left; text-decoration:underline }
QPushButton[kind="link"]:hover { color:@accent_hover }
QPushButton[segment] { border-radius:0; border-right-width:0; font-weight:400; padding:0 12px }
QPushButton[segment="first"] { border-top-left-radius:6px; border-bottom-left-radius:6px }
QPushButton[segment="last"] { border-right-width:1px; border-top-right-radius:6px; border-bottom-right-radius:6px }
QPushButton[segment="only"] { border-right-width:1px; border-radius:6px }
QPushButton[segment]:checked { background:@selected; color:@selected_text; font-weight:600 }
QPushButton[tint="ok"] { background:@ok_bg; border-color:@ok_line; color:@ok_fg }
QPushButton[tint="wait"] { background:@wait_bg; border-color:@wait_line; color:@wait_fg }
QPushButton[tint="deny"] { background:@deny_bg; border-color:@deny_line; color:@deny_fg }
QPushButton[tint="held"] { background:@held_bg; border-color:@held_line; color:@held_fg }
QPushButton[tint="emergency"] { background:@emergency; border-color:@emergency; color:@on_emergency }

QLineEdit, QComboBox, QDateEdit, QPlainTextEdit, QSpinBox { background:@surface; border:1px solid @line_strong;
  border-radius:6px; padding:0 10px; min-height:@30px; font-size:@13px; color:@text; selection-background-color:@accent;
  selection-color:@on_accent }
QLineEdit[patient="true"], QComboBox[patient="true"] { min-height:@42px; font-size:@16px }
QLineEdit[icon="true"] { padding-left:34px }
QLineEdit:focus, QComboBox:focus, QDateEdit:focus, QPlainTextEdit:focus, QSpinBox:focus { border:2px solid @focus;
  padding:0 9px; min-height:@28px }
QLineEdit[patient="true"]:focus, QComboBox[patient="true"]:focus { min-height:@40px }
QLineEdit[icon="true"]:focus { padding-left:33px }
QLineEdit[bare="true"], QLineEdit[bare="true"]:focus { border:0; background:transparent; font-size:@15px;
  padding:0 8px; min-height:@32px }
QLineEdit[wrong="true"] { border-color:@deny_fg }
QPlainTextEdit { padding:6px 8px }
QPlainTextEdit:focus { padding:5px 7px }
QLineEdit:disabled, QComboBox:disabled, QDateEdit:disabled, QPlainTextEdit:disabled { background:@sunken;
  border-color:@line; color:@disabled }
QComboBox::drop-down, QDateEdit::drop-down { border:0; width:26px }
QDateEdit::up-button, QDateEdit::down-button { width:0; border:0 }
QDateEdit::drop-down { subcontrol-origin:padding; subcontrol-position:center right }
QDateEdit::down-arrow { image:url("{calendar.muted}"); width:16px; height:16px }
QComboBox::down-arrow { image:url("{chevron-down.muted}"); width:14px; height:14px }
QComboBox QAbstractItemView { background:@surface; color:@text; border:1px solid @line_strong;
  selection-background-color:@selected; selection-color:@selected_text; outline:0 }
QSpinBox::up-button, QSpinBox::down-button { width:0; border:0 }
QCheckBox, QRadioButton { spacing:8px; font-size:@13px; color:@text; background:transparent }
QCheckBox:disabled, QRadioButton:disabled { color:@disabled }
QCheckBox[patient="true"], QRadioButton[patient="true"] { font-size:@16px; spacing:10px; min-height:@44px }
QCheckBox::indicator, QRadioButton::indicator { width:16px; height:16px; border:1px solid @line_strong;
  background:@surface }
QCheckBox[patient="true"]::indicator, QRadioButton[patient="true"]::indicator { width:20px; height:20px }
QCheckBox::indicator { border-radius:4px }
QCheckBox::indicator:checked { background:@accent; border-color:@accent; image:url("{check.on_accent}") }
QRadioButton::indicator { border-radius:9px }
QRadioButton::indicator:checked { border:5px solid @accent; width:8px; height:8px }
QRadioButton[patient="true"]::indicator { border-radius:11px }
QRadioButton[patient="true"]::indicator:checked { border:6px solid @accent; width:10px; height:10px }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color:@line; background:@sunken }
QAbstractItemView { background:@surface; color:@text; border:0; outline:0; selection-background-color:@selected;
  selection-color:@selected_text }
QTableView, QListView { background:@window; border:0; outline:0 }
QTableView[ground="surface"], QListView[ground="surface"] { background:@surface }
QTableView { border:0; outline:0; gridline-color:@line; font-size:@13px }
QTableView::item { border-bottom:1px solid @line; padding:0 8px }
QTableView::item:selected { background:@selected; color:@selected_text }
QHeaderView { background:@window; border:0 }
QHeaderView::section { background:@window; color:@muted; border:0; border-bottom:1px solid @line; padding:0 11px;
  height:@30px; font-size:@12px; font-weight:500 }
QTableCornerButton::section { background:@window; border:0 }
QProgressBar { background:@sunken; border:1px solid @line; border-radius:4px; max-height:8px; min-height:8px }
QProgressBar::chunk { background:@accent; border-radius:3px }
QSlider::groove:horizontal { background:@line; height:4px; border-radius:2px }
QSlider::handle:horizontal { background:@accent; width:14px; margin:-5px 0; border-radius:7px }
QCalendarWidget QWidget { background:@surface; color:@text }
"""

_LENGTH = re.compile(r"@(\d+)px")
_TOKEN = re.compile(r"@([a-z][a-z0-9_]*)")
_ICON = re.compile(r"\{([a-z0-9-]+)\.([a-z_]+)\}")


def render(scheme: Scheme, text_scale: float, folder: Path) -> str:
    """Return the style sheet of a scheme at a text size; icons it names are drawn into ``folder``.

    Raises:
        KeyError: the template names a token that the scheme lacks.
    """
    table = colours(scheme)
    text = _LENGTH.sub(lambda found: f"{round(int(found[1]) * text_scale)}px", TEMPLATE)
    text = _ICON.sub(lambda found: icon_file(found[1], table[found[2]], folder).as_posix(), text)
    return _TOKEN.sub(lambda found: table[found[1]], text)
