"""The Models page: on this computer, get more, found in other applications; details of one model at the right."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QMenu, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.models import facts
from desktop_rag.gui.models.card import FOUND, INSTALLED, OFFERED, ModelCard, spare
from desktop_rag.gui.models.detail import DetailPanel
from desktop_rag.gui.models.file_row import FileRow
from desktop_rag.gui.models.hub import HubSearch
from desktop_rag.gui.models.jobs import Jobs
from desktop_rag.gui.models.state import ModelsState
from desktop_rag.gui.models.work_line import WorkLine
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, label, line, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.seal.chip import SealChip
from desktop_rag.gui.theme import Theme

IMPORT = "import"
UNFINISHED = "unfinished"
_TWO_COLUMNS = 680
_PROMISE = "Models run on this computer, in processes without a network."
_SECTIONS = (
    (INSTALLED, "On this computer", "They read the passages and write the answer."),
    (UNFINISHED, "Unfinished downloads", "They go on where they stopped."),
    (OFFERED, "Get more", "Whether they fit is known before anything is downloaded."),
    (FOUND, "Found in other applications", "Used where they lie, without a copy."),
    ("parts", "Parts of the application", "They find passages by meaning, and names before anything is indexed."),
)


class ModelsPage(QWidget):
    """`wanted(action, row)` from any card; `import_wanted(folder)` and `seal_wanted()` from the top."""

    wanted = Signal(str, object)
    import_wanted = Signal(bool)
    seal_wanted = Signal()

    def __init__(self, theme: Theme, models: ModelsState, jobs: Jobs, detail: DetailPanel, hub: HubSearch) -> None:
        super().__init__()
        set_kind(self, "page")
        self._theme, self._models, self._jobs = theme, models, jobs
        self.detail, self.hub = detail, hub
        self.seal = SealChip(theme, self.seal_wanted.emit)
        self.notice = Notice(theme, closable=True)
        self.importing = WorkLine(theme, lambda: jobs.cancel(IMPORT))
        self._about = label(_PROMISE, tone="muted", wrap=True)
        self.cards: dict[str, ModelCard] = {}
        self.unfinished: dict[str, FileRow] = {}
        self._columns = 2
        self._shown: tuple[Any, ...] = ()
        self._build()
        models.changed.connect(self.refresh)
        models.machine_known.connect(self._say_machine)
        models.fitted.connect(self._fitted)
        jobs.changed.connect(self._worked)

    def _build(self) -> None:
        # The head stays when the cards are scrolled: the shield on it is always in sight.
        head = QHBoxLayout()
        head.setContentsMargins(24, 14, 20, 10)
        head.setSpacing(8)
        head.addWidget(label("Models", "title"))
        head.addStretch(1)
        head.addWidget(self.seal)
        self.add = TextButton(self._theme, "Add a model…", kind="primary", icon="plus")
        menu = QMenu(self.add)
        menu.addAction("A GGUF file…").triggered.connect(lambda: self.import_wanted.emit(False))
        menu.addAction("A folder (CTranslate2, Hugging Face)…").triggered.connect(lambda: self.import_wanted.emit(True))
        self.add.setMenu(menu)
        head.addWidget(self.add)
        self._sections = QVBoxLayout()
        self._sections.setSpacing(10)
        self._canvas = QWidget()
        inside = QVBoxLayout(self._canvas)
        inside.setContentsMargins(24, 0, 20, 24)
        inside.setSpacing(10)
        inside.addWidget(self._about)
        inside.addWidget(self.notice)
        inside.addWidget(self.importing)
        inside.addLayout(self._sections)
        inside.addStretch(1)
        self.importing.hide()
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._canvas)
        self._scroll.setWidgetResizable(True)
        self._scroll.setAccessibleName("Models")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addLayout(head)
        left.addWidget(self._scroll, 1)
        outer.addLayout(left, 1)
        self._edge = line(vertical=True)
        outer.addWidget(self._edge)
        outer.addWidget(self.detail)
        self._edge.hide()
        self.detail.hide()
        self.detail.closed.connect(lambda: self.show_detail(None))
        self.refresh()

    # -- content -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the lists as they are now; what has not changed keeps its widgets."""
        rows = self._rows()
        shown = (self._columns, str(self._models.active), str(rows), self._models.loaded)
        if shown == self._shown:
            return
        self._shown = shown
        place = self._scroll.verticalScrollBar().value()
        self._clear()
        for name, title, text in _SECTIONS:
            if name == OFFERED or rows[name]:
                self._section(title, text, len(rows[name]))
            self._fill(name, rows[name])
        if not self._models.loaded:
            self._sections.insertWidget(0, label("Looking which models are here…", tone="muted"))
        for key, card in self.cards.items():
            card.show_fit(self._models.fit(key))
            card.show_job(self._jobs.of(key))
        for key, file in self.unfinished.items():
            file.show_job(self._jobs.of(key))
        self._scroll.verticalScrollBar().setValue(place)

    def _fill(self, name: str, rows: list[dict[str, Any]]) -> None:
        """What stands under the title of a section."""
        if name == UNFINISHED:
            for row in rows:
                self._sections.addWidget(self._unfinished_row(row))
        elif rows:
            self._grid(rows, INSTALLED if name == "parts" else name)
        if name == OFFERED:
            self._sections.addWidget(self.hub)
            self.hub.show()

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        models = self._models
        chat = models.chat_models
        offered = {facts.key(row) for row in models.offered}
        return {
            INSTALLED: sorted(chat, key=lambda row: not models.is_active(row)),
            # One of the catalogue shows on its card; one that another process is at is none of this window's.
            UNFINISHED: [
                row
                for row in models.unfinished
                if (key := facts.unfinished_key(row)) not in offered
                and not (row.get("running") and self._jobs.of(key) is None)
            ],
            OFFERED: models.offered,
            FOUND: [row for row in models.found if models.row(str(row.get("path"))) is None],
            "parts": [row for row in models.installed if row not in chat],
        }

    def _clear(self) -> None:
        self.cards.clear()
        self.unfinished.clear()
        while (item := self._sections.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                if old is not self.hub:
                    old.deleteLater()

    def _section(self, title: str, text: str, number: int) -> None:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 10, 0, 0)
        row.setSpacing(8)
        row.addWidget(label(title, "heading"))
        if number:
            row.addWidget(label(words.count(number), "small", "muted"))
        row.addWidget(ElidedLabel(text, tone="muted"), 1)
        self._sections.addWidget(holder)

    def _grid(self, rows: list[dict[str, Any]], place: str) -> None:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(12)
        for number, row in enumerate(rows):
            card = ModelCard(self._theme, row, place, active=self._models.is_active(row))
            card.wanted.connect(self.wanted)
            self.cards[facts.key(row)] = card
            grid.addWidget(card, number // self._columns, number % self._columns)
        if self._columns == 2 and len(rows) == 1:
            grid.addWidget(spare(), 0, 1)
        for column in range(self._columns):
            grid.setColumnStretch(column, 1)
        self._sections.addWidget(holder)

    def _unfinished_row(self, row: dict[str, Any]) -> QFrame:
        key = facts.unfinished_key(row)
        file = FileRow(self._theme, key, facts.title(row), row.get("total"), row.get("get"))
        file.wanted.connect(self.hub.download_wanted)
        file.stopped.connect(self.hub.stopped)
        file.removed.connect(self.hub.removed)
        self.unfinished[key] = file
        card = QFrame()
        card.setProperty("kind", "card")
        card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(14, 10, 12, 10)
        inside.addWidget(file)
        return card

    def _fitted(self, key: str) -> None:
        if key in self.cards:
            self.cards[key].show_fit(self._models.fit(key))

    def _worked(self, key: str) -> None:
        if key in self.cards:
            self.cards[key].show_job(self._jobs.of(key))
        elif key == IMPORT:
            self.importing.show_job(self._jobs.of(key))
        if key in self.unfinished:
            self.unfinished[key].show_job(self._jobs.of(key))
        self.hub.show_job(key, self._jobs.of(key))

    def _say_machine(self) -> None:
        self._about.setText(f"{_PROMISE} {machine_words(self._models.machine)}".strip())

    # -- detail --------------------------------------------------------------------------------

    def show_detail(self, row: dict[str, Any] | None) -> None:
        """Open the details of a model at the right, or close them."""
        self.detail.setVisible(row is not None)
        self._edge.setVisible(row is not None)
        if row is not None:
            self.detail.open(row)
        self._fold()

    def scroll_to(self, card: QWidget) -> None:
        """Bring a card into view."""
        self._scroll.ensureWidgetVisible(card)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        room = self.width() - (self.detail.width() if self.detail.isVisibleTo(self) else 0)
        columns = 2 if room >= _TWO_COLUMNS else 1
        if columns != self._columns:
            self._columns = columns
            self.refresh()


def machine_words(machine: dict[str, Any]) -> str:
    """The machine in one line: cores, memory, how fast it reads."""
    memory = machine.get("memory_mb")
    total = memory.get("total") if isinstance(memory, dict) else memory
    parts = [
        words.plural(int(machine["cores"]), "core") if machine.get("cores") else "",
        f"{words.memory(float(total))} of memory" if total else "",
        f"{machine['read_gbs']:.1f} GB/s read from it" if machine.get("read_gbs") else "",
        *(str(device.get("description") or device.get("name")) for device in machine.get("devices") or ()
          if device.get("kind") in ("gpu", "igpu")),
    ]  # fmt: skip
    return " · ".join(part for part in parts if part)
