"""The details of one model: will it fit, how fast, what is in the file. The context slider moves the bar as it goes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSlider, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.models import facts
from desktop_rag.gui.models.arithmetic import arithmetic
from desktop_rag.gui.models.contents import Contents
from desktop_rag.gui.models.fact_rows import FactRows
from desktop_rag.gui.models.fit_bar import FitBar
from desktop_rag.gui.models.state import fit_args
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.controls import Choice
from desktop_rag.gui.pieces.labels import ElidedLabel, label, line, set_kind, set_tone
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme

WIDTH = 380
_SETTLE_MS = 90
_LEAST_CONTEXT = 512
_TYPES = tuple(facts.KV_TYPES)


class DetailPanel(QWidget):
    """`open(row)` shows a model; `closed()` when it shall go."""

    closed = Signal()
    shown = Signal()

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks, settings: Any) -> None:
        super().__init__()
        set_kind(self, "surface")
        self.setFixedWidth(WIDTH)
        self._theme, self._backend, self._tasks, self._settings = theme, backend, tasks, settings
        self._row: dict[str, Any] = {}
        self._asked = 0
        self._title = ElidedLabel("", "heading")
        self.bar = FitBar(theme, legend=True)
        self.sentence = label("", wrap=True)
        self.plan = label("", "small", "muted", wrap=True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Context in tokens")
        self.context = label("", "small")
        self.kv_type = Choice(theme)
        self.kv_type.setAccessibleName("Precision of the context's memory")
        self.kv_type.addItems([facts.KV_TYPES[name] for name in _TYPES])
        self.speed = FactRows(theme)
        self.contents = Contents(theme)
        self.notice = Notice(theme)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_SETTLE_MS)
        self._later.timeout.connect(self._ask_fit)
        self._build()
        self.slider.valueChanged.connect(self._moved)
        self.kv_type.activated.connect(lambda _place: self._ask_fit())

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(16, 10, 10, 8)
        head.addWidget(self._title, 1)
        head.addWidget(IconButton(self._theme, "x", "Close details", self.closed.emit))
        canvas = QWidget()
        column = QVBoxLayout(canvas)
        column.setContentsMargins(16, 12, 16, 20)
        column.setSpacing(8)
        column.addWidget(self.notice)
        column.addWidget(label("Will it fit?", "heading"))
        column.addWidget(self.sentence)
        column.addWidget(self.bar)
        column.addWidget(self.plan)
        column.addLayout(self._context_row())
        column.addWidget(self.slider)
        column.addLayout(self._kv_row())
        column.addSpacing(8)
        column.addWidget(label("How fast?", "heading"))
        column.addWidget(self.speed)
        column.addSpacing(8)
        column.addWidget(self.contents)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(canvas)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("Details of the model")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(head)
        outer.addWidget(line())
        outer.addWidget(scroll, 1)

    def _context_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 6, 0, 0)
        row.addWidget(label("Context", "small", "muted"))
        row.addStretch(1)
        font = self._theme.font("small", mono=True)
        self.context.setStyleSheet(f"font-family: '{font.family()}'; font-size: {font.pixelSize()}px;")
        row.addWidget(self.context)
        return row

    def _kv_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(label("Memory of the context in", "small", "muted"))
        row.addStretch(1)
        row.addWidget(self.kv_type)
        return row

    # -- content -------------------------------------------------------------------------------

    def open(self, row: dict[str, Any]) -> None:
        """Show a model; its file is read in the background."""
        self._row = row
        self._title.setText(facts.title(row))
        self.notice.hide()
        self.contents.clear()
        self.speed.show_rows([])
        self.sentence.setText("Working out whether it fits…")
        self.plan.hide()
        self.bar.show_fit(None)
        self._set_context(int(row.get("context") or 0), int(self._settings["context"]))
        self.kv_type.setCurrentIndex(_TYPES.index(str(self._settings["kv_type"])))
        self._ask_fit()
        if row.get("path"):
            key = facts.key(row)
            self._tasks.call(
                lambda: self._backend.models.call("inspect", path=str(row["path"])),
                lambda answer: self._show_contents(key, answer),
                lambda error: self._wrong(key, error),
            )

    @property
    def row(self) -> dict[str, Any]:
        """The model that is shown."""
        return self._row

    def _set_context(self, most: int, wanted: int) -> None:
        most = max(_LEAST_CONTEXT, most or wanted)
        self.slider.blockSignals(True)
        self.slider.setRange(1, max(1, most // _LEAST_CONTEXT))
        self.slider.setValue(min(wanted, most) // _LEAST_CONTEXT)
        self.slider.blockSignals(False)
        self._say_context()

    @property
    def chosen_context(self) -> int:
        """The context the slider stands at, in tokens."""
        return self.slider.value() * _LEAST_CONTEXT

    def _say_context(self) -> None:
        most = words.count(self.slider.maximum() * _LEAST_CONTEXT)
        self.context.setText(f"{words.count(self.chosen_context)} of {most} tokens")

    def _moved(self) -> None:
        self._say_context()
        self._later.start()

    def _ask_fit(self) -> None:
        self._later.stop()
        self._asked += 1
        number, row = self._asked, self._row
        args = {**fit_args(row), "context": self.chosen_context, "kv_type": _TYPES[self.kv_type.currentIndex()]}
        self._tasks.call(
            lambda: self._backend.models.call("fit", **args),
            lambda answer: self._show_fit(number, answer),
            lambda error: self._show_fit(number, {"error": error.message}),
        )

    def _show_fit(self, number: int, fit: Event) -> None:
        if number != self._asked:
            return
        sentence, role, _icon = facts.fit_words(fit)
        self.sentence.setText(sentence)
        set_tone(self.sentence, "bad" if role == "bad" else "")
        self.bar.show_fit(fit)
        self.plan.setText(str(fit.get("plan") or ""))
        self.plan.setVisible(bool(fit.get("plan")))
        self.speed.show_rows(arithmetic(fit, self.chosen_context))
        self.shown.emit()

    def _show_contents(self, key: str, answer: Event) -> None:
        if key == facts.key(self._row):
            self.contents.show_model(self._row, answer)
            self.shown.emit()

    def _wrong(self, key: str, error: DesktopRagError) -> None:
        if key == facts.key(self._row):
            self.notice.say_error(error)
