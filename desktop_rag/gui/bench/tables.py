"""The two tables of the Benchmark screen: platforms with their numbers, engines with what they can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from desktop_rag.gui import words as common
from desktop_rag.gui.bench import words
from desktop_rag.gui.pieces.bars import number
from desktop_rag.gui.pieces.labels import ElidedLabel, label, line
from desktop_rag.gui.theme import Theme


class GridTable(QWidget):
    """A grid of labels that is filled anew when its content changes."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._content: object = None
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(14)
        self.grid.setVerticalSpacing(6)
        self.setAccessibleName(name)

    def changed_to(self, content: object) -> bool:
        """Whether there is something new; the old cells are gone then."""
        if content == self._content:
            return False
        self._content = content
        while (item := self.grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        return True

    def rule(self, row: int, columns: int) -> None:
        """A line across so many columns."""
        self.grid.addWidget(line(), row, 0, 1, columns)


class ResultTable(GridTable):
    """Platform, options and device in the first column; the numbers in the others."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Results")
        self.rows: list[tuple[str, ...]] = []

    def show_rows(self, rows: Sequence[Mapping[str, Any]], skipped: Sequence[Mapping[str, Any]]) -> None:
        """Show a report; a platform that could not run says why."""
        if not self.changed_to((str(rows), str(skipped))):
            return
        self.rows = [words.cells(row) for row in rows]
        columns = len(words.COLUMNS) + 1
        self.grid.setColumnStretch(0, 1)
        self.grid.addWidget(label("platform · options · device", "small", "muted"), 0, 0)
        for column, (name, tip) in enumerate(words.COLUMNS, 1):
            head = label(name, "small", "muted")
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            head.setToolTip(tip)
            self.grid.addWidget(head, 0, column)
        place = 1
        for row, cells in zip(rows, self.rows, strict=True):
            self.rule(place, columns)
            self.grid.addWidget(_platform(row), place + 1, 0)
            for column, text in enumerate(cells, 1):
                self.grid.addWidget(number(self._theme, text), place + 1, column)
            place += 2
        for note in skipped:
            self.rule(place, columns)
            self.grid.addWidget(_platform(note), place + 1, 0)
            error = note.get("error") or {}
            why = label(f"{error.get('message') or 'not measured'} {error.get('hint') or ''}".strip(), "small",
                        "muted", wrap=True)  # fmt: skip
            why.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.grid.addWidget(why, place + 1, 1, 1, columns - 1)
            place += 2


class ProbeTable(GridTable):
    """Capabilities down, engines across; the evidence of a tick is in its tooltip."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "What engines can do")
        self.cells: dict[tuple[str, str], QLabel] = {}

    def show_engines(self, engines: Sequence[Mapping[str, Any]]) -> None:
        """Show what was found."""
        if not self.changed_to(str(engines)):
            return
        self.cells = {}
        names = list(dict.fromkeys(probe["capability"] for engine in engines for probe in engine["probes"]))
        if not names:
            return
        self.grid.setColumnStretch(0, 1)
        for column, engine in enumerate(engines, 1):
            head = label(str(engine["engine"]), "small", "muted")
            head.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            if engine.get("error"):
                head.setToolTip(str(engine["error"].get("message") or ""))
            self.grid.addWidget(head, 0, column)
        for place, name in enumerate(names):
            self.rule(2 * place + 1, len(engines) + 1)
            self.grid.addWidget(label(words.capability(name)), 2 * place + 2, 0)
            for column, engine in enumerate(engines, 1):
                self.grid.addWidget(self._cell(engine, name), 2 * place + 2, column, Qt.AlignmentFlag.AlignHCenter)

    def _cell(self, engine: Mapping[str, Any], name: str) -> QLabel:
        probe = next((row for row in engine["probes"] if row["capability"] == name), None)
        sign, tone, said = words.SIGNS[probe["holds"] if probe else None]
        cell = label(sign, "body", tone)
        cell.setToolTip(words.evidence(probe) if probe else "Not tried.")
        cell.setAccessibleName(f"{engine['engine']}, {words.capability(name)}: {said}")
        self.cells[(str(engine["engine"]), name)] = cell
        return cell


def _platform(row: Mapping[str, Any]) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(ElidedLabel(str(row.get("platform") or "")))
    about = " · ".join(part for part in (str(row.get("options") or ""), common.device(row.get("device"))) if part)
    if about:
        column.addWidget(ElidedLabel(about, "small", "muted"))
    return holder
