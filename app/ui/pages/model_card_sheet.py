"""The model card: 31 attributes in nine groups; before the first use of a version it has to be read (g, D6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.services.model_cards import card_xml
from app.ui.pages.paper import pairs, write_pdf
from app.ui.pages.saving import choose_path
from app.ui.theme import scaled
from app.ui.widgets import Band, Button, ButtonKind, Column, Sheet, TextKind, label
from app.ui.widgets.states import failed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from app.services.model_cards import CardGroup
    from app.ui.pages.saving import ChoosePath


class ModelCardSheet(Sheet):
    """One card.

    Args:
        over: any widget of the window.
        card: of a verified model.
        groups: of the card.
        must_read: the picture is shown only after "I have read it".
        choose: asks where a file goes.

    Signals:
        was_read: the person says so.
    """

    was_read = Signal()

    def __init__(
        self,
        over: QWidget,
        card: Mapping[str, Any],
        groups: tuple[CardGroup, ...],
        *,
        must_read: bool,
        choose: ChoosePath = choose_path,
    ) -> None:
        self._title = f"Model card: {card['name']} {card['version']}"
        super().__init__(over, self._title, 760, icon_name="cpu")
        self._card, self._groups, self._choose = card, groups, choose
        if must_read:
            text = "You use this version for the first time. Read what it is for, and what it is not for."
            self.body.addWidget(label(text, wrap=True))
        column = Column(0, 6)
        column.setMinimumHeight(scaled(430))
        for group in groups:
            column.body.addWidget(label(group.title, TextKind.SECTION))
            column.body.addWidget(_grid(group))
        column.body.addStretch(1)
        self.body.addWidget(column)
        self.band = Band()
        self.body.addWidget(self.band)
        self.add_cancel("Close" if not must_read else "Not now")
        self.pdf_button = self.add_button(Button("Save PDF…", icon_name="download"))
        self.pdf_button.clicked.connect(self._save_pdf)
        self.xml_button = self.add_button(Button("Save XML…", icon_name="download"))
        self.xml_button.clicked.connect(self._save_xml)
        self.read_button = Button("I have read it", kind=ButtonKind.PRIMARY, icon_name="check")
        self.read_button.clicked.connect(self._read)
        if must_read:
            self.add_button(self.read_button)

    def _read(self) -> None:
        self.was_read.emit()
        self.accept()

    def _save_pdf(self) -> None:
        path = self._choose(self, "model-card.pdf", "PDF (*.pdf)")
        if path is None:
            return
        body = "".join(f"<h3>{group.title}</h3>{pairs(group.attributes)}" for group in self._groups)
        try:
            write_pdf(path, self._title, f"<h1>{self._title}</h1>{body}")
        except OSError:
            self._say_not_written()

    def _save_xml(self) -> None:
        path = self._choose(self, "model-card.xml", "XML (*.xml)")
        if path is None:
            return
        try:
            path.write_bytes(card_xml(self._card, self._groups))
        except OSError:
            self._say_not_written()

    def _say_not_written(self) -> None:
        self.band.show_state(failed("The file cannot be written there. Choose another folder."))


def _grid(group: CardGroup) -> QWidget:
    made = QWidget()
    grid = QGridLayout(made)
    grid.setContentsMargins(0, 0, 0, scaled(8))
    grid.setHorizontalSpacing(scaled(12))
    grid.setVerticalSpacing(scaled(4))
    grid.setColumnStretch(1, 1)
    grid.setColumnMinimumWidth(0, scaled(240))
    for number, (name, value) in enumerate(group.attributes):
        said = label(name, tone="muted", wrap=True)
        said.setFixedWidth(scaled(240))
        grid.addWidget(said, number, 0, Qt.AlignmentFlag.AlignTop)
        shown = label(value, wrap=True)
        shown.setFixedWidth(scaled(440))
        grid.addWidget(shown, number, 1)
    return made
