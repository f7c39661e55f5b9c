"""A panel with one examination: what it does, Run and Stop, how far it is, its outcome, and saving it as a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.pieces.bars import ProgressLine
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, set_tone
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.pieces.panel import Panel
from desktop_rag.gui.privacy.examination import Examination
from desktop_rag.gui.theme import Theme
from desktop_rag.store.files import write_private


class ExaminationPanel(Panel):
    """Shows an `Examination`; `show_result` fills `details`, and `make_page` gives the page to save."""

    def __init__(
        self,
        theme: Theme,
        title: str,
        about: str,
        examination: Examination,
        verdict: Callable[[], tuple[str, bool]],
        make_page: Callable[[], str],
        show_result: Callable[[QVBoxLayout], None],
    ) -> None:
        super().__init__(title)
        self.examination = examination
        self._verdict, self._make_page, self._show_result = verdict, make_page, show_result
        self._file = f"{title.lower().replace(' ', '-')}.html"
        self.run = TextButton(theme, "Run", self._run, kind="primary", icon="play")
        self.save = TextButton(theme, "Save as a page…", self._choose_file, kind="quiet", icon="download")
        self.notice = Notice(theme, closable=True)
        self._line = ProgressLine(theme, f"Progress of: {title}")
        self._doing = ElidedLabel("", "small", "muted")
        self._icon = IconLabel(theme, "shield-check", "ok", 20)
        self.verdict = label("", "heading", wrap=True)
        self._outcome = QWidget()
        self._build(about)
        examination.changed.connect(self._refresh)
        examination.failed.connect(self._failed)
        self._refresh()

    def _build(self, about: str) -> None:
        bar = QHBoxLayout()
        bar.addWidget(self.run)
        bar.addWidget(self.save)
        bar.addStretch(1)
        told = QHBoxLayout(self._outcome)
        told.setContentsMargins(0, 4, 0, 0)
        told.setSpacing(10)
        told.addWidget(self._icon)
        told.addWidget(self.verdict, 1)
        self._details = QWidget()
        self._fresh_details()
        for widget in (label(about, tone="muted", wrap=True), self._doing, self._line, self.notice, self._outcome):
            self.body.addWidget(widget)
        self.body.addWidget(self._details)
        self.body.addLayout(bar)

    def _fresh_details(self) -> QVBoxLayout:
        fresh = QWidget()
        column = QVBoxLayout(fresh)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        place = self.body.indexOf(self._details)
        if place >= 0:
            self.body.replaceWidget(self._details, fresh)
            self._details.deleteLater()
        self._details = fresh
        return column

    def _refresh(self) -> None:
        state = self.examination
        running, done = state.running, bool(state.result) and not state.running
        self.run.say("Stop" if running else "Run again" if done else "Run")
        self.run.set_kind("" if running or done else "primary")
        self.run.show_icon("square" if running else "play", "text" if running or done else "on_accent")
        self.run.setEnabled(not state.stopping)
        self.save.setVisible(done)
        for widget in (self._line, self._doing):
            widget.setVisible(running)
        self._line.set_share(state.share)
        text = state.text[:1].upper() + state.text[1:]
        self._doing.setText("Stopping after this step…" if state.stopping else text or "Starting…")
        self._outcome.setVisible(done)
        self._details.setVisible(done)
        if done:
            self._show_outcome()

    def _show_outcome(self) -> None:
        words, good = self._verdict()
        self.verdict.setText(words)
        set_tone(self.verdict, "ok" if good else "bad")
        self._icon.show_icon(*(("shield-check", "ok") if good else ("shield-alert", "bad")))
        self._show_result(self._fresh_details())

    # -- actions -------------------------------------------------------------------------------

    def _run(self) -> None:
        self.notice.hide()
        if self.examination.running:
            self.examination.stop()
        else:
            self.examination.run()

    def _failed(self, error: DesktopRagError) -> None:
        self.notice.say_error(error)

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Save as a page", self._file, "Page (*.html)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("html")
        dialog.fileSelected.connect(self.export)
        dialog.open()

    def export(self, path: str) -> None:
        """Write the page to a file."""
        try:
            write_private(Path(path), self._make_page().encode("utf-8", "replace"))
        except DesktopRagError as error:
            self.notice.say_error(error)
        else:
            self.notice.say("The page is saved.", "Any browser opens and prints it.", kind="calm")
