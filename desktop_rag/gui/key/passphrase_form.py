"""The dialog for everything that needs a passphrase: the one that holds now, a new one, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Event
from desktop_rag.gui.key.fields import NewPassphrase, PassphraseField
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.tasks import Task, Tasks
from desktop_rag.gui.theme import Theme

_WIDTH = 440
Work = Callable[[str, str], Iterator[Event]]
"""(present passphrase, new one) -> the events of what shall be done with them."""


class PassphraseForm(QDialog):
    """Does `work` itself and stays until that has succeeded: what was wrong is said where it was typed.

    `words`: its title, what it is about, and what the button says. `stoppable` work ends with Cancel.
    """

    def __init__(
        self,
        theme: Theme,
        tasks: Tasks,
        parent: QWidget,
        words: tuple[str, str, str],
        work: Work,
        done: Callable[[Event], object],
        *,
        present: bool,
        new: bool,
        stoppable: bool = False,
    ) -> None:
        super().__init__(parent)
        self._theme, self._stoppable = theme, stoppable
        self._task: Task | None = None
        title, about, self._action = words
        self.setWindowTitle(title)
        self.setFixedWidth(_WIDTH)
        self._tasks, self._work, self._done = tasks, work, done
        self.present = PassphraseField(theme, "Present passphrase")
        self.present.setVisible(present)
        self.new = NewPassphrase(theme, "New passphrase" if present else "Passphrase")
        self.new.setVisible(new)
        self._needs = (present, new)
        self.notice = Notice(theme)
        self.cancel = TextButton(theme, "Cancel", self.reject)
        self.go = TextButton(theme, self._action, self._go, kind="primary")
        self.go.setDefault(True)
        self._build(title, about)
        for field in (self.present, self.new.first, self.new.again):
            field.textChanged.connect(self._refresh)
        self._refresh()

    def _build(self, title: str, about: str) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(8)
        column.addWidget(label(title, "title"))
        column.addWidget(label(about, tone="muted", wrap=True))
        column.addSpacing(4)
        for part in (self.present, self.new, self.notice):
            column.addWidget(part)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.go)
        column.addSpacing(4)
        column.addLayout(row)

    def add(self, part: QWidget) -> None:
        """Put something more above the buttons."""
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.count() - 2, part)

    def showEvent(self, event: QShowEvent) -> None:
        """As high as the words at this width, and ready to type."""
        super().showEvent(event)
        (self.present if self._needs[0] else self.new.first).setFocus()
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(self.heightForWidth(_WIDTH))

    def _refresh(self) -> None:
        present, new = self._needs
        self.go.setEnabled((not present or bool(self.present.text())) and (not new or self.new.good))

    def _go(self) -> None:
        given = self.present.take(), self.new.take()
        self._set_busy(True)
        self.notice.hide()
        self._task = self._tasks.run(
            lambda: self._work(*given), event=self._progress, done=self._finish, failed=self._failed
        )
        self._task.cancelled.connect(self._stopped)

    def _set_busy(self, busy: bool) -> None:
        if not self._stoppable:
            self.setEnabled(not busy)
            return
        for part in (self.present, self.new):
            part.setEnabled(not busy)
        self.go.setEnabled(not busy)

    def reject(self) -> None:
        """Cancel; work that goes on is stopped first, and nothing of it stays."""
        if self._task is None:
            super().reject()
        elif self._stoppable:
            self.cancel.say("Stopping…")
            self.cancel.setEnabled(False)
            self._task.cancel()

    def _stopped(self) -> None:
        self._task = None
        self.reject()

    def _progress(self, event: Event) -> None:
        if event.get("event") == "progress" and "share" in event:
            self.go.say(f"{event['share']} %")

    def _finish(self, event: Event) -> None:
        self.accept()
        self._done(event)

    def _failed(self, error: DesktopRagError) -> None:
        self._task = None
        self._set_busy(False)
        self._refresh()
        self.go.say(self._action)
        self.notice.say_error(error)
        self._fit()
        (self.present if self._needs[0] else self.new.first).setFocus()
