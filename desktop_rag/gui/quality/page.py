"""The Search quality page: measure, read the verdict, keep the weights, and look after the questions."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.pieces.bars import ProgressLine
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, label, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.pieces.scrolling import scrolling_column
from desktop_rag.gui.quality import words
from desktop_rag.gui.quality.questions import QuestionsPanel
from desktop_rag.gui.quality.results import Results
from desktop_rag.gui.quality.state import QualityState
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip

_ABOUT = (
    "How well each way of searching finds the right passage for your own questions. Nothing is sent anywhere, answers "
    "go first while it runs, and it can be stopped at any time."
)
_ENCODERS = (
    "Every way of searching, and the other installed encoders beside the one in use: your passages are encoded with "
    "them in memory, which takes a while. Your index stays as it is."
)


class QualityPage(QWidget):
    """Shows a `QualityState`; `collection` is the one a typed question is searched in."""

    back_wanted = Signal()

    def __init__(self, theme: Theme, reveal: Reveal, state: QualityState) -> None:
        super().__init__()
        set_kind(self, "page")
        self._state = state
        self.collection: Any = None
        self.run = TextButton(theme, "Measure", self._run, kind="primary", icon="play")
        self.encoders = TextButton(theme, "Compare encoders", self._compare, icon="scale")
        self.encoders.setToolTip(tip(_ENCODERS))
        self.folder = TextButton(theme, "Measure by a folder…", self._choose_folder, icon="folder-open")
        self._back = TextButton(theme, "Benchmark", self.back_wanted.emit, kind="quiet", icon="chart-column")
        self.notice = Notice(theme, closable=True)
        self._line = ProgressLine(theme, "Progress of the measurement")
        self._doing = ElidedLabel("", "small", "muted")
        self.foreseen = label("", "small", "muted", wrap=True)
        self.results = Results(theme)
        self.questions = QuestionsPanel(theme, reveal)
        self._build()
        self._connect()
        self._refresh()

    def _build(self) -> None:
        column = scrolling_column(self, "Search quality")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label("Search quality", "title"))
        head.addStretch(1)
        for button in (self._back, self.run):
            head.addWidget(button)
        more = QHBoxLayout()
        more.setSpacing(8)
        for button in (self.encoders, self.folder):
            more.addWidget(button)
        more.addStretch(1)
        column.addLayout(head)
        column.addWidget(label(_ABOUT, tone="muted", wrap=True))
        column.addLayout(more)
        for part in (self._doing, self._line, self.foreseen, self.notice, self.results, self.questions):
            column.addWidget(part)
        column.addStretch(1)

    def _connect(self) -> None:
        state, questions = self._state, self.questions
        state.changed.connect(self._refresh)
        state.questions_changed.connect(self._refresh_questions)
        state.failed.connect(self._failed)
        state.kept.connect(lambda said: self.notice.say(said, kind="calm"))
        questions.removed.connect(state.remove)
        questions.form.searched.connect(self._search)
        questions.form.kept.connect(state.add)
        self.results.weights_wanted.connect(
            lambda one, fusion: state.keep_weights(one["collection"], str(one["set"]), fusion)
        )

    # -- content -------------------------------------------------------------------------------

    def _refresh(self) -> None:
        state = self._state
        running = state.running
        self.run.say("Stop" if running else "Measure")
        self.run.set_kind("" if running else "primary")
        self.run.show_icon("square" if running else "play", "text" if running else "on_accent")
        self.run.setEnabled(not state.stopping and (running or bool(state.questions)))
        self.folder.setEnabled(not running)
        self.encoders.setEnabled(not running and bool(state.questions))
        self._line.setVisible(running)
        self._line.set_share(state.share)
        self._doing.setVisible(running)
        self._doing.setText("Stopping after this step…" if state.stopping else words.doing(state.text))
        self.foreseen.setVisible(running and bool(state.foreseen))
        self.foreseen.setText(" ".join(state.foreseen))
        if not running:
            self.results.show_sets(state.sets, state.left_out)

    def _refresh_questions(self) -> None:
        self.questions.show_questions(self._state.questions)
        self._refresh()

    def _search(self, question: str) -> None:
        self.notice.hide()
        self._state.search(question, self.collection, lambda hits: self.questions.form.show_hits(question, hits))

    # -- actions -------------------------------------------------------------------------------

    def _run(self) -> None:
        self.notice.hide()
        if self._state.running:
            self._state.stop()
        else:
            self._state.measure()

    def _compare(self) -> None:
        self.notice.hide()
        self._state.measure(encoders=True)

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, "A judged set: corpus.jsonl, queries.jsonl and qrels/test.tsv")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.measure_folder)
        dialog.open()

    def measure_folder(self, folder: str) -> None:
        """Measure by the judged set in a folder."""
        self.notice.hide()
        self._state.measure_folder(folder)

    def _failed(self, error: DesktopRagError) -> None:
        self.notice.say_error(error)

    def showEvent(self, event: QShowEvent) -> None:
        """The questions are read when somebody looks."""
        super().showEvent(event)
        self._state.read()
