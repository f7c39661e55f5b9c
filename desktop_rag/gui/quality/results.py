"""What was measured: the verdict in words, a table of the ways to search, a bar for each, and the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_rag.gui.bench.bar_plot import Bar, BarPlot
from desktop_rag.gui.bench.tables import GridTable
from desktop_rag.gui.pieces.bars import number
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.controls import Choice
from desktop_rag.gui.pieces.labels import ElidedLabel, label
from desktop_rag.gui.pieces.panel import Panel
from desktop_rag.gui.quality import words
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip

_NOTHING = "Nothing was measured yet."


class Results(Panel):
    """Shows one of several sets; `weights_wanted(set, fusion)` and `encoder_wanted(set)` by its buttons."""

    weights_wanted = Signal(object, str)
    encoder_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__("Results")
        self._theme = theme
        self._sets: list[dict[str, Any]] = []
        self.choice = Choice(theme)
        self.choice.setAccessibleName("Collection to show")
        self.choice.activated.connect(self._show)
        self.nothing = label(_NOTHING, tone="muted", wrap=True)
        self.verdict = label("", "reading", wrap=True)
        self.reasons = label("", "small", "muted", wrap=True)
        self.table = ModeTable(theme)
        self.plot = BarPlot(theme, "nDCG@10", whole=1.0)
        self.encoders_title = label("Encoders", "heading")
        self.encoders_verdict = label("", wrap=True)
        self.encoders = EncoderTable(theme)
        self.ways_title = label("Ways to search", "heading")
        self.change = TextButton(theme, "", self._change, kind="primary")
        self.left_out = label("", "small", "muted", wrap=True)
        self.weights = label("", wrap=True)
        self.keep = TextButton(theme, "Keep these weights", lambda: self._want("best"), kind="primary")
        self.usual = TextButton(theme, "Use the usual weights", lambda: self._want("usual"))
        self._build()
        self.show_sets([], 0)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.choice)
        top.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.weights, 1)
        row.addWidget(self.usual)
        row.addWidget(self.keep)
        change = QHBoxLayout()
        change.setSpacing(12)
        change.addWidget(self.encoders_verdict, 1)
        change.addWidget(self.change)
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(self.verdict)
        # Above the ways to search: whoever compares encoders asked for this.
        column.addWidget(self.encoders_title)
        column.addLayout(change)
        column.addWidget(self.encoders)
        column.addWidget(self.ways_title)
        column.addWidget(self.table)
        column.addWidget(self.plot)
        column.addWidget(self.reasons)
        column.addWidget(self.left_out)
        self._weights_title = label("Weights of words and meaning", "heading")
        column.addWidget(self._weights_title)
        column.addLayout(row)
        self.body.addWidget(self.nothing)
        self.body.addWidget(self._content)

    def show_sets(self, sets: Sequence[dict[str, Any]], left_out: int) -> None:
        """Show what was measured."""
        before = self.choice.currentText()
        self._sets = list(sets)
        names = [words.set_name(one) for one in self._sets]
        self.choice.clear()
        self.choice.addItems(names)
        self.choice.setCurrentIndex(names.index(before) if before in names else 0)
        self.choice.setVisible(len(names) > 1)
        self.left_out.setText(words.left_out(left_out))
        self.left_out.setVisible(bool(left_out))
        self.nothing.setVisible(not names)
        self._content.setVisible(bool(names))
        self._show()

    def _show(self) -> None:
        if not self._sets:
            self.about.setText("")
            return
        one = self._sets[self.choice.currentIndex()]
        self.about.setText("" if len(self._sets) > 1 else words.set_name(one))
        # What to do comes last in the verdict, and first on a screen.
        *reasons, advice = one["verdict"] or [""]
        self.verdict.setText(advice)
        self.reasons.setText("\n".join(reasons))
        self.table.show_rows(one["modes"])
        self.plot.show_bars([
            Bar(_mode(row), float(row["ndcg@10"]), f"{float(row['ndcg@10']):.3f}") for row in one["modes"]
        ])  # fmt: skip
        held = one.get("encoders") or []
        for part in (self.encoders_title, self.encoders_verdict, self.encoders, self.ways_title):
            part.setVisible(bool(held))
        self.encoders_verdict.setText(" ".join(one.get("encoders_verdict") or ()))
        self.encoders.show_rows(held)
        better = one.get("better_encoder")
        # A judged folder has no collection that could change.
        self.change.setVisible(bool(better and one.get("collection")))
        self.change.say(f"Change to {better}" if better else "")
        fusion = one.get("fusion")
        for part in (self._weights_title, self.weights):
            part.setVisible(fusion is not None)
        self.weights.setText(fusion["sentence"] if fusion else "")
        self.keep.setVisible(bool(fusion and fusion["sure"]))
        self.usual.setVisible(bool(fusion and fusion["now"] != "usual"))

    def _change(self) -> None:
        self.encoder_wanted.emit(self._sets[self.choice.currentIndex()])

    def _want(self, which: str) -> None:
        one = self._sets[self.choice.currentIndex()]
        self.weights_wanted.emit(one, one["fusion"]["best"] if which == "best" else which)


class ModeTable(GridTable):
    """A way to search in the first column, its figures in the others."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Ways to search")
        self.rows: list[tuple[str, ...]] = []

    def show_rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Show these, the best figure of all in the colour of the accent."""
        if not self.changed_to(str(rows)):
            return
        self.rows = [words.cells(row) for row in rows]
        best = max((float(row["ndcg@10"]) for row in rows), default=0.0)
        self.grid.setColumnStretch(0, 1)
        self.grid.addWidget(label("way to search", "small", "muted"), 0, 0)
        for column, (name, meaning) in enumerate(words.COLUMNS, 1):
            head = label(name, "small", "muted")
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            head.setToolTip(meaning)
            self.grid.addWidget(head, 0, column)
        for place, (row, cells) in enumerate(zip(rows, self.rows, strict=True)):
            self.rule(2 * place + 1, len(words.COLUMNS) + 1)
            self.grid.addWidget(_named(row), 2 * place + 2, 0)
            for column, text in enumerate(cells, 1):
                chosen = column == 1 and float(row["ndcg@10"]) == best
                self.grid.addWidget(self._cell(text, chosen=chosen), 2 * place + 2, column)

    def _cell(self, text: str, *, chosen: bool) -> QLabel:
        return number(self._theme, text, "accent" if chosen else "")


class EncoderTable(GridTable):
    """An encoder in the first column; its languages, size and speed, and how each way to search does with it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Encoders")
        self.rows: list[tuple[str, ...]] = []

    def show_rows(self, encoders: Sequence[Mapping[str, Any]]) -> None:
        """Show these, the best figure of each way to search in the colour of the accent."""
        if not self.changed_to(str(encoders)):
            return
        self.rows = [words.encoder_cells(one) for one in encoders]
        if not encoders:
            return
        modes = [str(row["mode"]) for row in encoders[0]["modes"]]
        heads = (*words.ENCODER_COLUMNS, *(words.SHORT.get(mode, mode) for mode in modes))
        best = [max(float(one["modes"][place]["ndcg@10"]) for one in encoders) for place in range(len(modes))]
        self.grid.setColumnStretch(0, 1)
        self.grid.addWidget(label("encoder", "small", "muted"), 0, 0)
        for column, name in enumerate(heads, 1):
            head = label(name, "small", "muted")
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            self.grid.addWidget(head, 0, column)
        for place, (one, cells) in enumerate(zip(encoders, self.rows, strict=True)):
            self.rule(2 * place + 1, len(heads) + 1)
            self.grid.addWidget(_encoder(one), 2 * place + 2, 0)
            figures = [float(row["ndcg@10"]) for row in one["modes"]]
            chosen = [False] * len(words.ENCODER_COLUMNS) + [a == b for a, b in zip(figures, best, strict=True)]
            meanings = [""] * len(words.ENCODER_COLUMNS) + [words.spent(row) for row in one["modes"]]
            for column, (text, accent, meaning) in enumerate(zip(cells, chosen, meanings, strict=True), 1):
                cell = number(self._theme, text, "accent" if accent else "")
                cell.setToolTip(tip(meaning))
                self.grid.addWidget(cell, 2 * place + 2, column)


def _encoder(one: Mapping[str, Any]) -> QWidget:
    about = f"{one['encoder']['dimension']} dimensions{', in use' if one['in_use'] else ''}"
    return _two_lines(str(one["encoder"]["name"]), about)


def _mode(row: Mapping[str, Any]) -> str:
    name, about = words.MODES.get(str(row["mode"]), (str(row["mode"]), ""))
    return f"{name} ({about})" if name == "Words" else name


def _named(row: Mapping[str, Any]) -> QWidget:
    return _two_lines(*words.MODES.get(str(row["mode"]), (str(row["mode"]), "")))


def _two_lines(name: str, about: str) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(ElidedLabel(name))
    column.addWidget(ElidedLabel(about, "small", "muted"))
    return holder
