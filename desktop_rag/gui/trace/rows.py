"""The rows of a trace, painted from the tokens: place, passage, what became of it, and its place in every stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop_rag.gui.theme import Theme
from desktop_rag.gui.trace import words
from desktop_rag.gui.visible import tip

ROW = 70
_NUMBER = 24
# What stands behind a column's name at most: a place, or what reading again gave.
_PLACE, _SCORE = "000", "0.00"
_GAP = 3
_DATA = int(Qt.ItemDataRole.UserRole) + 1


class TraceRows(QListView):
    """`opened(passage)` by a click or Enter; a row whose passage is gone opens nothing."""

    opened = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = QStandardItemModel(self)
        self.setModel(self._model)
        self.painter = _RowPainter(theme, self)
        self.setItemDelegate(self.painter)
        self.setAccessibleName("Candidates, the best first")
        self.setProperty("ring", "true")
        self.setMouseTracking(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        for bar in (self.setHorizontalScrollBarPolicy, self.setVerticalScrollBarPolicy):
            bar(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._open)
        self.activated.connect(self._open)
        theme.watch(self._repaint)

    def show_rows(
        self,
        rows: Sequence[Mapping[str, Any]],
        columns: list[tuple[str, str]],
        passages: Mapping[int, dict[str, Any]],
        spoken: Callable[[str], str],
    ) -> None:
        """Replace the rows; `passages` are by chunk, `spoken` gives a text as it reads on the screen."""
        self.painter.columns = columns
        self._model.clear()
        for number, row in enumerate(rows, start=1):
            passage = passages.get(int(row["chunk"]))
            text = " ".join(spoken(str(passage["text"])).split()) if passage else ""
            state, cells = words.state(row), words.cells(row, columns)
            item = QStandardItem()
            item.setData({"number": number, "row": row, "passage": passage, "text": text, "cells": cells}, _DATA)
            item.setToolTip(tip("\n".join(part for part in (state.meaning, words.scores(row, columns)) if part)))
            said = [f"{number}. {words.where(passage)}", state.word]
            said += [f"{name} {cell}" for (_stage, name), cell in zip(columns, cells, strict=True) if cell != "–"]
            item.setAccessibleText(", ".join(said))
            self._model.appendRow(item)
        self.setFixedHeight(ROW * len(rows) + 4)

    def place(self, number: int) -> QRect:
        """Where a row lies."""
        return self.visualRect(self._model.index(number, 0))

    @property
    def spoken(self) -> list[str]:
        """Each row as it is read aloud."""
        return [self._model.item(at).accessibleText() for at in range(self._model.rowCount())]

    def _open(self, index: QModelIndex) -> None:
        passage = (index.data(_DATA) or {}).get("passage")
        if passage is not None:
            self.opened.emit(passage)

    def _repaint(self) -> None:
        self.viewport().update()


class _RowPainter(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.columns: list[tuple[str, str]] = []

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(60, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        area: QRect = option.rect
        held = index.data(_DATA)
        kit = self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or (option.state & QStyle.StateFlag.State_MouseOver and held["passage"]):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit.selected if selected else kit.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        inside = area.adjusted(8, 8, -8, -8)
        third = inside.height() // 3
        lines = [QRect(inside.left(), inside.top() + at * third, inside.width(), third) for at in range(3)]
        self._paint_head(painter, lines[0], held)
        self._paint_text(painter, lines[1].adjusted(_NUMBER, 0, 0, 0), held["text"])
        self._paint_cells(painter, lines[2].adjusted(_NUMBER, 0, 0, 0), held)
        painter.setPen(QColor(kit["line"]))
        painter.drawLine(area.left() + 8, area.bottom(), area.right() - 8, area.bottom())
        painter.restore()

    def _paint_head(self, painter: QPainter, area: QRect, held: Mapping[str, Any]) -> None:
        kit, state = self._theme.tokens, words.state(held["row"])
        painter.setFont(self._theme.font("small", mono=True))
        painter.setPen(QColor(kit["muted"]))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, str(held["number"]))
        painter.setFont(self._theme.font("small"))
        painter.setPen(QColor(kit[state.tone]))
        said = f"{state.sign} {state.word}"
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, said)
        room = area.adjusted(_NUMBER, 0, -painter.fontMetrics().horizontalAdvance(said) - 12, 0)
        quiet = state.dropped or held["passage"] is None
        painter.setFont(self._theme.font("body", weight=400 if quiet else 600))
        painter.setPen(QColor(kit["muted" if quiet else "text"]))
        where = words.where(held["passage"])
        painter.drawText(
            room,
            Qt.AlignmentFlag.AlignVCenter,
            painter.fontMetrics().elidedText(where, Qt.TextElideMode.ElideMiddle, room.width()),
        )

    def _paint_text(self, painter: QPainter, area: QRect, text: str) -> None:
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.colour("muted"))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_cells(self, painter: QPainter, area: QRect, held: Mapping[str, Any]) -> None:
        kit = self._theme.tokens
        quiet = words.state(held["row"]).dropped
        left = area.left()
        for (_stage, name), cell, width in zip(self.columns, held["cells"], self.widths(area.width()), strict=True):
            room = QRect(left, area.top(), width, area.height())
            left += width
            painter.setFont(self._theme.font("small"))
            painter.setPen(QColor(kit["muted"]))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
            room.setLeft(room.left() + painter.fontMetrics().horizontalAdvance(name) + _GAP)
            painter.setFont(self._theme.font("small", mono=True))
            painter.setPen(QColor(kit["muted" if quiet else "text"]))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, cell)

    def widths(self, room: int) -> list[int]:
        """How wide each column is: what it needs, and an equal part of what is left."""
        names = QFontMetrics(self._theme.font("small"))
        figures = QFontMetrics(self._theme.font("small", mono=True))
        needed = [
            names.horizontalAdvance(name) + _GAP + figures.horizontalAdvance(_SCORE if stage == "rerank" else _PLACE)
            for stage, name in self.columns
        ]
        spare = max(0, room - sum(needed)) // max(1, len(needed))
        return [width + spare for width in needed]
