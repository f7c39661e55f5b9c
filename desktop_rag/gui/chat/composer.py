"""The composer: grows to eight lines; Enter sends, Shift+Enter breaks the line, Stop while an answer runs.

Beside it stands how passages are searched for answers.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPlainTextEdit, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, restyle
from desktop_rag.gui.settings_rows import choice_name
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip

MOST_LINES = 8
SEARCHES = {
    "hybrid": "By words and by meaning, in milliseconds.",
    "rerank": "The best passages are read again, each together with the question.",
    "deep": "Several searches at once, also with your question in other words; more passages are read again.",
}
"""The ways to search, and what each does."""


class QuestionEdit(QPlainTextEdit):
    """The field itself."""

    entered = Signal()
    focused = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)  # dropped files belong to the window, not into the question
        self.setAccessibleName("Your question")
        self.setPlaceholderText("Ask about your documents")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.textChanged.connect(self.fit)

    def fit(self) -> None:
        """Take the height of the text, up to eight lines."""
        lines = max(1, round(self.document().size().height()))
        shown = min(lines, MOST_LINES)
        always = lines > MOST_LINES
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if always else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        self.setFixedHeight(shown * self.fontMetrics().lineSpacing() + 2 * round(self.document().documentMargin()) + 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the keys that are special here."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.entered.emit()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard comes."""
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keyboard leaves."""
        super().focusOutEvent(event)
        self.focused.emit(False)


class Composer(QFrame):
    """`asked(text)` and `stopped()`; the text stays until `clear` is called, when the question is stored."""

    asked = Signal(str)
    stopped = Signal()
    add_wanted = Signal()
    search_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "composer")
        self._running = False
        self._ready = True
        self.edit = QuestionEdit()
        self._hint = ElidedLabel("Enter to ask · Shift+Enter for a new line", "small", "muted")
        self._add = IconButton(theme, "plus", "Add documents…", self.add_wanted.emit)
        self.search = TextButton(theme, "", kind="quiet", icon="search")
        self.search.setMenu(self._searches())
        self._send = TextButton(theme, "Ask", self._pressed, kind="primary", icon="arrow-up")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._add)
        row.addWidget(self._hint, 1)
        row.addWidget(self.search)
        row.addWidget(self._send)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 8)
        column.setSpacing(4)
        column.addWidget(self.edit)
        column.addLayout(row)
        self.edit.entered.connect(self._enter)
        self.edit.textChanged.connect(self._refresh)
        self.edit.focused.connect(self._light)
        self.edit.fit()
        self._refresh()

    def text(self) -> str:
        """What is typed."""
        return self.edit.toPlainText().strip()

    def put(self, text: str) -> None:
        """Replace what is typed and place the cursor behind it."""
        self.edit.setPlainText(text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
        self.edit.setFocus()

    def clear(self) -> None:
        """Forget what is typed."""
        self.edit.clear()

    def show_search(self, mode: str) -> None:
        """How passages are searched now, by the setting's value."""
        self.search.setText(choice_name("search", mode))
        self.search.setAccessibleName(f"Search: {choice_name('search', mode)}")
        for action in self.search.menu().actions():
            action.setChecked(action.data() == mode)

    def _searches(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for mode, does in SEARCHES.items():
            action = menu.addAction(choice_name("search", mode))
            action.setData(mode)
            action.setCheckable(True)
            action.setToolTip(tip(does))
            action.triggered.connect(lambda _on, mode=mode: self._choose(mode))
        return menu

    def _choose(self, mode: str) -> None:
        self.show_search(mode)
        self.search_chosen.emit(mode)

    def set_running(self, running: bool) -> None:
        """Show Stop while an answer runs."""
        self._running = running
        self._send.say("Stop" if running else "Ask")
        self._send.set_kind("" if running else "primary")
        self._send.show_icon("square" if running else "arrow-up", "text" if running else "on_accent")
        self._refresh()

    def set_ready(self, ready: bool, why: str = "") -> None:
        """Whether questions can be asked now, and if not, why."""
        self._ready = ready
        self._hint.setText(why or "Enter to ask · Shift+Enter for a new line")
        self._refresh()

    def _enter(self) -> None:
        if not self._running:
            self._pressed()

    def _pressed(self) -> None:
        if self._running:
            self.stopped.emit()
        elif self.text() and self._ready:
            self.asked.emit(self.text())

    def _refresh(self) -> None:
        self._send.setEnabled(self._running or (self._ready and bool(self.text())))

    def _light(self, active: bool) -> None:
        self.setProperty("active", "true" if active else "false")
        restyle(self)
