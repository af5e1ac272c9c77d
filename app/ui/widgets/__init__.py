"""The widgets of every page, by one name each (SCREENS.md 1)."""

from app.ui.widgets import states
from app.ui.widgets.bands import Band, LoadingView, StateView
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.cells import ChipDelegate, Group, TwoLine, TwoLineDelegate
from app.ui.widgets.chips import ChipLabel, paint_chip
from app.ui.widgets.command_palette import CommandPalette, KeyHelp, KeyLine, PaletteItem, conflicts, key_line
from app.ui.widgets.dialogs import Confirm, Scrim, Sheet
from app.ui.widgets.focus import FocusRing
from app.ui.widgets.forms import PIN_LENGTH, DateField, Field, Option, OptionKind, PinField, StepBar
from app.ui.widgets.header import AlonePage, Header, LedgerBadge, LedgerFacts, Notice, Popover, StatusLine
from app.ui.widgets.panes import (
    Card,
    Column,
    Fact,
    FactsGrid,
    Note,
    PaneLayout,
    PreviewPane,
    centred,
    link_label,
    rich,
    title_row,
)
from app.ui.widgets.rail import Rail, RailEntry, RailItem
from app.ui.widgets.rows import ColumnSpec, RowsModel
from app.ui.widgets.segments import Segment, Segments
from app.ui.widgets.states import Action, State
from app.ui.widgets.tables import EntriesList, RowsTable
from app.ui.widgets.text import Disc, IconLabel, KeyCap, Rule, TextKind, initials, label, set_tone, surface
from app.ui.widgets.toast import Toast

__all__ = [
    "PIN_LENGTH",
    "Action",
    "AlonePage",
    "Band",
    "Button",
    "ButtonKind",
    "Card",
    "ChipDelegate",
    "ChipLabel",
    "Column",
    "ColumnSpec",
    "CommandPalette",
    "Confirm",
    "DateField",
    "Disc",
    "EntriesList",
    "Fact",
    "FactsGrid",
    "Field",
    "FocusRing",
    "Group",
    "Header",
    "IconLabel",
    "KeyCap",
    "KeyHelp",
    "KeyLine",
    "LedgerBadge",
    "LedgerFacts",
    "LoadingView",
    "Note",
    "Notice",
    "Option",
    "OptionKind",
    "PaletteItem",
    "PaneLayout",
    "PinField",
    "Popover",
    "PreviewPane",
    "Rail",
    "RailEntry",
    "RailItem",
    "RowsModel",
    "RowsTable",
    "Rule",
    "Scrim",
    "Segment",
    "Segments",
    "Sheet",
    "State",
    "StateView",
    "StatusLine",
    "StepBar",
    "TextKind",
    "Toast",
    "TwoLine",
    "TwoLineDelegate",
    "centred",
    "conflicts",
    "initials",
    "key_line",
    "label",
    "link_label",
    "paint_chip",
    "rich",
    "set_tone",
    "states",
    "surface",
    "title_row",
]
