"""The window: puts sidebar, pages, pane and meter together and connects them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.bench.page import BenchPage
from desktop_rag.gui.bench.state import BenchState
from desktop_rag.gui.chat.page import ChatPage
from desktop_rag.gui.chat.session import Session
from desktop_rag.gui.drop import DropVeil, local_paths
from desktop_rag.gui.failure_page import FailurePage
from desktop_rag.gui.key.locking import Locking
from desktop_rag.gui.key.section import KeySection
from desktop_rag.gui.library.actions import LibraryActions
from desktop_rag.gui.library.activity import ActivityBar
from desktop_rag.gui.library.folders import Folders
from desktop_rag.gui.library.folders_form import FolderForm
from desktop_rag.gui.library.intake import Intake
from desktop_rag.gui.library.page import LibraryPage
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.meter.advisor import Advisor
from desktop_rag.gui.meter.energy_watch import EnergyWatch
from desktop_rag.gui.meter.page import PerformancePage
from desktop_rag.gui.meter.strip import MeterStrip
from desktop_rag.gui.meter.telemetry import Telemetry
from desktop_rag.gui.models.actions import ModelActions, is_model
from desktop_rag.gui.models.detail import DetailPanel
from desktop_rag.gui.models.hub import HubSearch
from desktop_rag.gui.models.jobs import Jobs
from desktop_rag.gui.models.page import ModelsPage
from desktop_rag.gui.models.state import ModelsState
from desktop_rag.gui.network import Networking
from desktop_rag.gui.pieces.labels import line, set_kind
from desktop_rag.gui.privacy.page import PrivacyPage
from desktop_rag.gui.quality.page import QualityPage
from desktop_rag.gui.quality.state import QualityState
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.review.sheet import ReviewSheet
from desktop_rag.gui.seal.proving import Proving
from desktop_rag.gui.settings_page import SettingsPage
from desktop_rag.gui.sidebar.sidebar import Sidebar
from desktop_rag.gui.sources.pane import Pane
from desktop_rag.gui.startup import Startup
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.wiring import Wires
from desktop_rag.settings import Settings

_JOIN_SECONDS = 5.0
_PANE_FITS = 1180
_SOURCES_WIDTH, _VIEWER_WIDTH = 400, 500


class MainWindow(QMainWindow):
    """Owns the background tasks; closing it ends them and the backend."""

    page_shown = Signal(str)

    def __init__(self, backend: Backend, theme: Theme, settings: Settings, data_dir: Path) -> None:
        super().__init__()
        self.setWindowTitle("Desktop RAG")
        self.setMinimumSize(1024, 640)
        self.resize(1280, 800)
        self.setAcceptDrops(True)
        self.backend, self.theme, self.settings = backend, theme, settings
        self._make_state()
        self._make_parts(data_dir)
        self.page = "chat"
        self._pane_width = _SOURCES_WIDTH
        self._closed = False
        self._build()
        self._veil = DropVeil(theme, self)
        self.wires = Wires(self)

    def _make_state(self) -> None:
        """What the window knows and does, apart from how it looks."""
        backend, theme, settings = self.backend, self.theme, self.settings
        self.tasks = Tasks(self)
        self.reveal = Reveal(backend, self.tasks, self, shown=bool(settings["real_values"]))
        self.library = LibraryState(backend, self.tasks, self)
        self.intake = Intake(backend, self.tasks, self.library, self)
        self.session = Session(backend, self.tasks, self)
        self.folders = Folders(backend, self.tasks, self.library, self.intake, lambda: self.session.is_running, self)
        self.network = Networking(backend, self.tasks, self)
        self.proving = Proving(backend, self.tasks, self)
        self.telemetry = Telemetry(self)
        self.model_state = ModelsState(backend, self.tasks, self)
        self.jobs = Jobs(backend, self.tasks, self.network, self)
        self.bench_state = BenchState(backend, self.tasks, self)
        self.quality_state = QualityState(backend, self.tasks, self)
        self.actions_ = LibraryActions(theme, self.library, self, {key: settings[key] for key in ("policy", "review")})
        self.energy = EnergyWatch(self.tasks, self)

    def _make_parts(self, data_dir: Path) -> None:
        """The pages and bars."""
        backend, theme, settings = self.backend, self.theme, self.settings
        self.sidebar = Sidebar(theme)
        self.chat = ChatPage(theme, self.reveal, self.session)
        self.library_page = LibraryPage(theme, self.library, self.folders)
        self.models = ModelsPage(
            theme,
            self.model_state,
            self.jobs,
            DetailPanel(theme, backend, self.tasks, settings),
            HubSearch(theme, self.tasks, self.network),
        )
        self.bench = BenchPage(theme, self.bench_state)
        self.quality = QualityPage(theme, self.reveal, self.quality_state)
        self.performance = PerformancePage(
            theme, backend, self.tasks, self.telemetry, Advisor(backend, self.model_state, data_dir)
        )
        self.privacy = PrivacyPage(theme, backend, self.tasks)
        self.locking = Locking(self, data_dir)
        self.settings_page = SettingsPage(theme, settings, data_dir, KeySection(theme, backend, self.tasks))
        self.review = ReviewSheet(theme, backend, self.tasks, pages=lambda: bool(settings["review_pages"]))
        self.pane = Pane(theme, self.reveal, backend, self.tasks)
        self.activity = ActivityBar(theme, self.library, self.intake)
        self.meter = MeterStrip(theme, backend)
        self.startup = Startup(backend, self.tasks, self.library, self)
        self.model_actions = ModelActions(
            theme, backend, self.tasks, settings, self.model_state, self.jobs, self.models, self
        )
        self.failure = FailurePage(theme, self.locking.try_again, self.close)
        self._pages = {
            "chat": self.chat,
            "library": self.library_page,
            "models": self.models,
            "bench": self.bench,
            "quality": self.quality,
            "performance": self.performance,
            "privacy": self.privacy,
            "settings": self.settings_page,
            "review": self.review,
        }

    def _build(self) -> None:
        self._stack = QStackedWidget()
        for page in self._pages.values():
            self._stack.addWidget(page)
        self._split = QSplitter()
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._stack)
        self._split.addWidget(self.pane)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 0)
        self.pane.hide()
        self._split.splitterMoved.connect(self._pane_dragged)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(0)
        top.addWidget(self.sidebar)
        top.addWidget(line(vertical=True))
        top.addWidget(self._split, 1)
        working = QWidget()
        set_kind(working, "page")
        column = QVBoxLayout(working)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top, 1)
        column.addWidget(self.activity)
        column.addWidget(line())
        column.addWidget(self.meter)
        self._whole = QStackedWidget()
        self._working = working
        for page in (working, self.failure, self.locking.page, self.locking.first):
            self._whole.addWidget(page)
        self.setCentralWidget(self._whole)

    # -- pages ---------------------------------------------------------------------------------

    def show_page(self, name: str) -> None:
        """Bring a page to the front by its name: "chat", "library", … ("quality" belongs to "bench" in the sidebar)."""
        self.page = name
        self._stack.setCurrentWidget(self._pages[name])
        if name not in ("chat", "library"):
            self.show_pane(False)
        self.activity.set_page(name)
        self.sidebar.mark("bench" if name == "quality" else name, self.session.conversation)
        if name == "library":
            self.library_page.list.setFocus()
        self.page_shown.emit(name)

    def show_pane(self, shown: bool) -> None:
        """Open or fold the pane at the right."""
        if shown == self.pane.isVisibleTo(self):
            return
        self.pane.setVisible(shown)
        self.chat.header.set_pane(shown)
        if shown:
            self._set_pane_width(self._pane_width)

    def widen_pane(self) -> None:
        """Give a document the room that is there; a pane the user made wider stays as it is."""
        self._set_pane_width(max(self._pane_width, _VIEWER_WIDTH))

    def _pane_dragged(self) -> None:
        self._pane_width = self.pane.width()

    def _set_pane_width(self, wanted: int) -> None:
        self._pane_width = wanted
        width = wanted if self.width() >= _PANE_FITS else self.theme.tokens.size["pane_min"]
        self._split.setSizes([max(1, self._split.width() - width), width])

    def show_instead(self, page: QWidget | None) -> None:
        """Show the failure page, or one of those that ask for the key, instead of everything else; None goes back."""
        self._whole.setCurrentWidget(page or self._working)
        # What is not on the screen must not be reached by keys or by dropping either.
        self.setAcceptDrops(page is None)
        for shortcut in self.findChildren(QShortcut):
            shortcut.setEnabled(page is None)

    @property
    def failed(self) -> bool:
        """Whether the failure page is shown."""
        return self._whole.currentWidget() is self.failure

    # -- dropping ------------------------------------------------------------------------------

    def add_paths(self, paths: list[str]) -> None:
        """Add files and folders to the chosen collection; a model is no document and goes to the models."""

        def look() -> Event:
            models = [path for path in paths if is_model(path)]
            return {"models": models, "folders": [path for path in paths if path not in models and Path(path).is_dir()]}

        # A dropped path may lie on a drive that needs its time.
        self.tasks.call(look, lambda found: self._add_paths(paths, found["models"], found["folders"]))

    def _add_paths(self, paths: list[str], models: list[str], folders: list[str]) -> None:
        if files := [path for path in paths if path not in models and path not in folders]:
            self.intake.add(files, self._target(), bool(self.settings["review"]))
        if folders:
            form = FolderForm(self.theme, self, folders, self.library.collections, self.library.chosen)
            form.submitted.connect(lambda watch, collection: self._add_folders(folders, watch, collection))
            form.open()
        if models:
            self.show_page("models")
            self.model_actions.bring(models[0])

    def _add_folders(self, folders: list[str], watch: bool, collection: dict[str, Any] | None) -> None:
        """Follow folders, or add them once, to a collection that is there or to one of each folder's name."""
        for folder in folders:
            if watch:
                self.folders.watch(folder, str(collection["name"]) if collection else None)
            else:
                self.intake.add([folder], collection or Path(folder).name or folder, bool(self.settings["review"]))
        self.show_page("library")

    def _target(self) -> dict[str, Any] | None:
        return self.library.chosen or (self.library.collections[0] if self.library.collections else None)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files come over the window: cover it."""
        dropped = local_paths(event.mimeData())
        if dropped:
            event.acceptProposedAction()
            if all(is_model(path) for path in dropped):
                self._veil.show_words("Drop to add this model", "It is checked and copied; nothing runs before that")
                return
            target = self._target()
            review = bool(target["review"]) if target else bool(self.settings["review"])
            self._veil.show_for(str(target["name"]) if target else "your library", review)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """The files leave again."""
        self._veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        self._veil.hide()
        paths = local_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.add_paths(paths)

    @property
    def veil(self) -> DropVeil:
        """What covers the window while files are dragged over it."""
        return self._veil

    # -- end -----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._veil.setGeometry(self.rect())
        if self.pane.isVisible():
            self._set_pane_width(self._pane_width)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End every task and the backend, then close."""
        if not self._closed:
            self._closed = True
            self.folders.end()
            self.tasks.cancel_all()
            self.pane.viewer.pages.close_document()
            self.backend.close()
            self.tasks.join_all(_JOIN_SECONDS)
        super().closeEvent(event)
