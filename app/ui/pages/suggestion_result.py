"""The result of a model: band, icon array with zones, contributions, nearest known cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.pages.suggestion_charts import (
    CaseMark,
    ContributionBars,
    IconArray,
    ReliabilityCurve,
    ZonesScale,
    reliability,
)
from app.ui.pages.suggestion_words import (
    bars_of,
    differs_text,
    nearest_text,
    of_hundred,
    of_hundred_text,
    result_state,
    sum_text,
)
from app.ui.theme import scaled
from app.ui.widgets import Band, Card, Rule, Sheet, TextKind, label, link_label, rich
from app.ui.widgets.panes import empty_layout
from diagnostics.applicability import Declined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnostics.suggestion import KnownCase, Suggestion

_FEW, _MANY = 8, 14


class ResultView(QWidget):
    """Everything the model says about one case."""

    def __init__(self) -> None:
        super().__init__()
        self._result: Suggestion | None = None
        self._calibration: tuple[Sequence[float], Sequence[float]] = ((), ())
        self._most = _FEW
        self.band = Band()
        self.array = IconArray()
        self.scale = ZonesScale()
        self.bars = ContributionBars()
        self._sentence = rich("", TextKind.PATIENT)
        self._counts = QHBoxLayout()
        self._sum = label("", TextKind.CAPTION, "text2")
        self._all = link_label("All features", "all")
        self._all.linkActivated.connect(lambda _key: self._show_all())
        self._cases = QVBoxLayout()
        self._cases_sentence = label("", TextKind.CAPTION, wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scaled(12))
        self._picture, lower = self._make_picture(), QHBoxLayout()
        lower.setSpacing(scaled(12))
        self._moved, self._nearest = self._make_moved(), self._make_nearest()
        lower.addWidget(self._moved, 548)
        lower.addWidget(self._nearest, 260)
        layout.addWidget(self.band)
        layout.addWidget(self._picture)
        layout.addLayout(lower)
        layout.addStretch(1)
        self.clear()

    def _make_picture(self) -> Card:
        card = Card(padding=18)
        row = QHBoxLayout()
        row.setSpacing(scaled(24))
        row.addWidget(self.array, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(scaled(8))
        words.addStretch(1)
        words.addWidget(self._sentence)
        words.addWidget(self.scale)
        bottom = QHBoxLayout()
        bottom.addLayout(self._counts)
        bottom.addStretch(1)
        calibrated = link_label("How well calibrated?", "calibration")
        calibrated.linkActivated.connect(lambda _key: self._show_calibration())
        bottom.addWidget(calibrated)
        words.addLayout(bottom)
        words.addStretch(1)
        row.addLayout(words, 1)
        card.body.addLayout(row)
        return card

    def _make_moved(self) -> Card:
        card = Card(padding=16)
        head = QHBoxLayout()
        head.addWidget(label("What moved it", TextKind.STRONG))
        head.addStretch(1)
        head.addWidget(self._sum)
        card.body.addLayout(head)
        card.body.addWidget(self.bars)
        card.body.addStretch(1)
        card.body.addWidget(Rule())
        foot = QHBoxLayout()
        foot.addWidget(label("Exact for this model: the bars add up to the sum.", TextKind.CAPTION))
        foot.addStretch(1)
        foot.addWidget(self._all)
        card.body.addLayout(foot)
        return card

    def _make_nearest(self) -> Card:
        card = Card(padding=16)
        card.body.addWidget(label("Nearest known cases", TextKind.STRONG))
        card.body.addWidget(label("Distance 0 is identical", TextKind.CAPTION))
        card.body.addLayout(self._cases)
        card.body.addStretch(1)
        card.body.addWidget(Rule())
        card.body.addWidget(self._cases_sentence)
        return card

    def show_result(self, result: Suggestion | Declined, malignant: Sequence[float], benign: Sequence[float]) -> None:
        """Show a result.

        Args:
            result: what the model said, or why it declined.
            malignant: out-of-sample probabilities of the malignant calibration cases.
            benign: likewise.
        """
        self.band.show_state(result_state(result))
        self._result = None if isinstance(result, Declined) else result
        self._calibration = (malignant, benign)
        for part in (self._picture, self._moved, self._nearest):
            part.setVisible(self._result is not None)
        if self._result is not None:
            self._fill(self._result)

    def _fill(self, result: Suggestion) -> None:
        count = of_hundred(result.probability)
        self.array.show_count(count)
        before, bold, after = of_hundred_text(result.probability)
        self._sentence.setText(f'{before}<span style="font-weight:600">{bold}</span>{after}')
        self._sentence.setAccessibleName(f"{before}{bold}{after}")
        self.scale.show_result(result.zones, result.probability)
        empty_layout(self._counts)
        for number, word, is_malignant in ((count, "malignant", True), (100 - count, "benign", False)):
            self._counts.addWidget(CaseMark(malignant=is_malignant))
            self._counts.addWidget(label(f"{number} {word}", tone="text2"))
            self._counts.addSpacing(scaled(12))
        self._sum.setText(sum_text(result))
        self.bars.show_bars(bars_of(result.contributions, self._most))
        self._all.setText(f'<a href="all">All {len(result.contributions)} features</a>')
        empty_layout(self._cases)
        for case in result.nearest:
            self._cases.addWidget(Rule())
            self._cases.addWidget(_case(case))
        self._cases_sentence.setText(nearest_text(result.nearest))

    def show_more(self, *, more: bool) -> None:
        """Show more features where there is room."""
        most = _MANY if more else _FEW
        if most != self._most:
            self._most = most
            if self._result is not None:
                self.bars.show_bars(bars_of(self._result.contributions, most))

    def clear(self) -> None:
        """Forget the result."""
        self._result = None
        self._calibration = ((), ())
        self.band.show_state(None)
        self.bars.show_bars(())
        empty_layout(self._cases)
        for part in (self._picture, self._moved, self._nearest):
            part.hide()

    def _show_all(self) -> None:
        if self._result is None:
            return
        sheet = Sheet(self, "What moved it: all features", 640, icon_name="chart-scatter")
        bars = ContributionBars()
        bars.show_bars(bars_of(self._result.contributions, len(self._result.contributions)))
        sheet.body.addWidget(label(sum_text(self._result), TextKind.CAPTION))
        sheet.body.addWidget(bars)
        sheet.add_cancel("Close")
        sheet.open()

    def _show_calibration(self) -> None:
        sheet = Sheet(self, "How well calibrated?", 440, icon_name="chart-scatter")
        sheet.body.addWidget(
            label("Of cases the model had not seen: what it predicted, and what they turned out to be.", wrap=True)
        )
        sheet.body.addWidget(ReliabilityCurve(reliability(*self._calibration)), 0, Qt.AlignmentFlag.AlignHCenter)
        sheet.add_cancel("Close")
        sheet.open()


def _case(case: KnownCase) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, scaled(4), 0, scaled(4))
    column.setSpacing(scaled(2))
    row = QHBoxLayout()
    row.setSpacing(scaled(6))
    row.addWidget(CaseMark(malignant=case.label == "malignant"))
    row.addWidget(label(case.label.capitalize(), TextKind.STRONG), 1)
    row.addWidget(label(f"{case.distance:.2f}"))
    column.addLayout(row)
    column.addWidget(label(differs_text(case), TextKind.CAPTION, "text2", wrap=True))
    return made
