"""The connections between the parts of the window, in one place."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import shortcuts, words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.chat.entries import Answer
from desktop_rag.gui.library.exchange import Exchange
from desktop_rag.gui.library.receipt import receipt_words
from desktop_rag.gui.library.throttle import Throttle
from desktop_rag.gui.model_wires import ModelWires, remote
from desktop_rag.gui.quality_wires import QualityWires
from desktop_rag.gui.review.rules_form import RulesForm
from desktop_rag.gui.seal.card import SealCard
from desktop_rag.gui.seal.chip import state_of
from desktop_rag.gui.seal.leaving import asks_a_team, purposes
from desktop_rag.gui.sidebar.sidebar import ALL
from desktop_rag.gui.sources.pane import SOURCES, VIEWER
from desktop_rag.workers.program import AS_ROOT, is_installed, is_root
from desktop_rag.workers.protocol import UPGRADING

if TYPE_CHECKING:
    from desktop_rag.gui.main_window import MainWindow

_SETTLE_MS = 400
_NUMBERS_MS = 500
_ANSWERING = ("model", "engine", "context", "kv_type", "gpu_layers", "sealed", "remote_url", "remote_model")


class Wires:
    """Holds the parts below as long as the window lives; each is about one concern."""

    def __init__(self, window: MainWindow) -> None:
        self.chat = ChatWires(window)
        self.library = LibraryWires(window, self.chat)
        self.quality = QualityWires(window, self.chat.open_passage)
        self.start = StartWires(window)
        self.models = ModelWires(window, self.start.reload_soon, self.start.show_seal)
        shortcuts.bind(window, self.chat.new_chat)


class ChatWires:
    """Conversation, sources and meter."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        session, chat, pane, sidebar = window.session, window.chat, window.pane, window.sidebar
        sidebar.new_wanted.connect(self.new_chat)
        sidebar.conversation_chosen.connect(self.open)
        session.measured.connect(window.meter.measure)
        session.measured.connect(window.telemetry.measure)
        session.running.connect(window.meter.set_running)
        session.running.connect(window.telemetry.set_running)
        session.running.connect(lambda running: window.energy.begin() if running else window.energy.end())
        window.energy.measured.connect(window.telemetry.set_energy)
        window.meter.opened.connect(lambda: window.show_page("performance"))
        window.performance.bench_wanted.connect(lambda: window.show_page("bench"))
        session.saved.connect(lambda _identifier: window.library.refresh_conversations())
        chat.answer_shown.connect(self._list_sources)
        chat.cited.connect(self.cite)
        chat.passage_opened.connect(lambda _answer, passage: self.open_passage(passage))
        chat.why_wanted.connect(self._explain)
        session.replaced.connect(lambda _entries: pane.trace.clear())
        pane.trace.opened.connect(lambda _passage: window.widen_pane())
        chat.header.pane_toggled.connect(lambda: window.show_pane(chat.header.pane.isChecked()))
        chat.header.policy_wanted.connect(lambda: window.actions_.edit_collection())
        chat.header.seal_wanted.connect(lambda: self._show_seal(chat.header.seal))
        window.models.seal_wanted.connect(lambda: self._show_seal(window.models.seal))
        window.privacy.seal_wanted.connect(self._show_seal)
        window.privacy.library_wanted.connect(lambda: window.show_page("library"))
        pane.closed.connect(lambda: window.show_pane(False))

    def new_chat(self) -> None:
        """An empty conversation, ready to type."""
        window = self._window
        window.session.start_new()
        window.chat.header.set_title("")
        window.show_page("chat")
        window.chat.composer.edit.setFocus()

    def open(self, conversation: str) -> None:
        """A stored conversation, asked of the collection it belongs to."""
        window = self._window
        row = next((row for row in window.library.conversations if row["id"] == conversation), {})
        window.session.open(conversation)
        window.chat.header.set_title(str(row.get("title") or ""))
        if row.get("collection") is not None:
            window.library.choose(window.library.collection(row["collection"]))
        window.show_page("chat")

    def _list_sources(self, answer: Answer | None) -> None:
        passages = answer.shown_passages if answer else []
        self._window.pane.passages.show_passages(passages, answer.coverage if answer else {})
        if passages and self._window.pane.tab == SOURCES and self._window.width() >= 1180:
            self._window.show_pane(True)

    def cite(self, answer: Answer, marker: int) -> None:
        """Open the passage of a citation at the right and ring its chip."""
        citation = answer.citation(marker)
        if citation is not None:
            self._window.pane.passages.show_passages(answer.shown_passages, answer.coverage)
            self.open_passage(citation)
            self._window.chat.ring(answer, marker)

    def open_passage(self, passage: dict[str, Any]) -> None:
        """Open a passage at the right."""
        self._window.show_pane(True)
        self._window.widen_pane()
        self._window.pane.open(passage)

    def _explain(self, answer: Answer) -> None:
        self._window.show_pane(True)
        self._window.pane.explain(answer)

    def _show_seal(self, chip: QWidget) -> None:
        window = self._window
        SealCard(window.theme, window.backend, window.proving, window, purposes(window)).open_under(chip)


class LibraryWires:
    """Documents, collections, reviews."""

    def __init__(self, window: MainWindow, chat: ChatWires) -> None:
        self._window, self._chat = window, chat
        library, page, sidebar, actions = window.library, window.library_page, window.sidebar, window.actions_
        library.collections_changed.connect(self._collections)
        library.chosen_changed.connect(self._collections)
        library.documents_changed.connect(self._first_screen)
        self._numbers = Throttle(window, self._show_numbers, _NUMBERS_MS)
        for signal in (library.documents_changed, library.encoding_changed):
            signal.connect(self._numbers.ask)
        library.conversations_changed.connect(self._conversations)
        library.failed.connect(window.library_page.notice.say_error)
        for signal in (page.add_wanted, window.chat.composer.add_wanted, window.chat.first.add_wanted):
            signal.connect(self.choose_files)
        page.folder_wanted.connect(self.choose_folder)
        window.chat.first.samples_wanted.connect(self._add_samples)
        window.chat.header.collection_chosen.connect(library.choose)
        sidebar.page_chosen.connect(window.show_page)
        sidebar.collection_chosen.connect(self._open_collection)
        sidebar.collection_wanted.connect(actions.new_collection)
        sidebar.conversation_renamed.connect(actions.rename_conversation)
        sidebar.conversation_deleted.connect(actions.delete_conversation)
        page.removal_wanted.connect(actions.remove_documents)
        page.collection_edited.connect(actions.edit_collection)
        page.collection_removed.connect(actions.delete_collection)
        self.exchange = Exchange(window.theme, window.backend, window.tasks, window)
        self.exchange.connect_page(page, library, actions)
        page.document_opened.connect(self._open_document)
        page.password_given.connect(window.intake.unlock)
        page.retry_wanted.connect(window.intake.retry)
        page.place_wanted.connect(actions.show_place)
        window.intake.cleaned_again.connect(lambda number: page.notice.say(*words.cleaned_again(number), kind="calm"))
        window.intake.paused_changed.connect(lambda: page.set_paused(window.intake.paused))
        window.intake.settled.connect(window.folders.begin)
        window.folders.told.connect(lambda text, hint: page.notice.say(text, hint, kind="calm"))
        window.folders.failed.connect(page.notice.say_error)
        page.review_wanted.connect(lambda row: self.review(str(row["id"])))
        actions.told.connect(lambda text, hint: page.notice.say(text, hint, kind="calm"))
        actions.erased.connect(self._erased)
        actions.conversation_gone.connect(self._conversation_gone)
        window.activity.review_wanted.connect(self.review)
        window.activity.library_wanted.connect(lambda: window.show_page("library"))
        window.review.left.connect(lambda: window.show_page("library"))
        window.review.accepted.connect(self._accept)
        window.review.view_changed.connect(lambda pages: self._set("review_pages", pages))
        window.reveal.toggled.connect(lambda shown: self._set("real_values", shown))
        window.chat.composer.show_search(str(window.settings["search"]))
        window.chat.composer.search_chosen.connect(lambda mode: self._set("search", mode))
        for signal in (window.review.rules_wanted, actions.rules_wanted, window.settings_page.rules_wanted):
            signal.connect(self.edit_rules)

    def _set(self, name: str, value: object) -> None:
        """What is chosen beside the settings page is one of its settings all the same."""
        self._window.settings.set(name, value)
        self._window.settings_page.refresh(name)

    def choose_files(self) -> None:
        """A file dialog, for those who do not drag."""
        dialog = QFileDialog(self._window, "Add documents")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._window.add_paths)
        dialog.open()

    def choose_folder(self) -> None:
        """A dialog for a whole folder."""
        dialog = QFileDialog(self._window, "Add a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.filesSelected.connect(self._window.add_paths)
        dialog.open()

    def _add_samples(self) -> None:
        folder = paths.assets_dir() / "samples"
        files = sorted(str(path) for path in folder.iterdir() if path.suffix in (".pdf", ".docx", ".md"))
        self._window.add_paths(files)

    def _collections(self) -> None:
        window = self._window
        chosen = window.library.chosen
        self._numbers.now()
        window.chat.header.set_collections(window.library.collections, chosen)
        window.session.collection = chosen["id"] if chosen else None
        window.reveal.use(int(chosen["id"]) if chosen else None)
        self._first_screen()

    def _show_numbers(self) -> None:
        chosen = self._window.library.chosen
        self._window.sidebar.show_collections(self._window.library.counted(), chosen["id"] if chosen else ALL)

    def _first_screen(self) -> None:
        window = self._window
        if not window.library.loaded:
            return
        chosen = window.library.chosen
        ready = [row for row in window.library.documents(chosen) if row.get("state") in ("ready", "partly_read")]
        if ready:
            window.chat.first.show_ready(str(chosen["name"]) if chosen else None, ready)
        else:
            window.chat.first.show_empty()

    def _conversations(self) -> None:
        window = self._window
        window.sidebar.show_conversations(window.library.conversations)
        present = next((row for row in window.library.conversations if row["id"] == window.session.conversation), None)
        if present is not None:
            window.chat.header.set_title(str(present.get("title") or ""))
        window.sidebar.mark(window.page, window.session.conversation)

    def _open_collection(self, key: object) -> None:
        self._window.library.choose(self._window.library.collection(key) if key != ALL else None)
        if self._window.page not in ("chat", "library"):
            self._window.show_page("library")

    def _open_document(self, row: dict[str, Any]) -> None:
        self._window.show_pane(True)
        self._window.widen_pane()
        self._window.pane.show_tab(VIEWER)
        self._window.pane.viewer.open_document(row)

    def review(self, first: str | None = None) -> None:
        """Open the review sheet on everything that waits."""
        waiting = self._window.library.reviewing()
        if waiting:
            self._window.review.open(waiting, first)
            self._window.show_page("review")

    def edit_rules(self, collection: str) -> None:
        """The terms always or never replaced in a collection, or ("") in all of them."""
        window = self._window
        form = RulesForm(window.theme, window.backend, window.tasks, window, collection or None)
        form.finished.connect(lambda _code: window.review.reload() if window.page == "review" else None)
        form.finished.connect(lambda _code: window.intake.clean_again())
        form.open()

    def _accept(self, documents: list[str], decided: dict[str, dict[str, Any]]) -> None:
        self._window.intake.accept(documents, decided)
        self._window.show_page("library")

    def _erased(self, receipt: dict[str, Any], sentence: str) -> None:
        """Take what was erased off the screen too, and offer the receipt."""
        window = self._window
        viewer, session = window.pane.viewer, window.session
        if viewer.document is not None and window.library.document(viewer.document) is None:
            viewer.close_document()
        window.pane.trace.reload()
        window.quality_state.read()
        if {"answers", "questions"} & receipt["erased"].keys() and session.conversation and not session.is_running:
            session.open(session.conversation)
        said, kind = receipt_words(receipt)
        window.library_page.notice.say(
            *(sentence, said),
            kind=kind,
            action="Receipt…" if receipt["documents"] else "",
            on_action=partial(window.actions_.show_receipt, receipt),
        )

    def _conversation_gone(self, identifier: str) -> None:
        if identifier == self._window.session.conversation:
            self._chat.new_chat()


class StartWires:
    """From the first paint to a model that answers."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        startup = window.startup
        window.chat.composer.set_ready(False, "Opening your library…")
        self._later = QTimer(window)
        self._later.setSingleShot(True)
        self._later.setInterval(_SETTLE_MS)
        self._later.timeout.connect(self._reload)
        startup.opened.connect(self._opened)
        startup.refused.connect(self._refused)
        startup.samples_wanted.connect(window.intake.add_samples)
        startup.model_loaded.connect(self._model)
        startup.model_failed.connect(self._no_model)
        startup.examined.connect(window.settings_page.show_doctor)
        startup.worker_state.connect(self._worker)
        window.sidebar.lock_wanted.connect(window.locking.lock)
        window.settings_page.key.lock_wanted.connect(window.locking.lock)
        window.settings_page.changed.connect(self._setting)
        window.page_shown.connect(self._shown)
        window.proving.changed.connect(self.show_seal)
        window.library.collections_changed.connect(self.show_seal)

    def reload_soon(self) -> None:
        """Load what the settings say now; several changes at once are one."""
        self._later.start()

    def _opened(self) -> None:
        window = self._window
        window.locking.opened()
        window.chat.composer.set_ready(True)
        window.chat.composer.edit.setFocus()
        window.intake.resume()
        self.show_seal()

    def _refused(self, error: DesktopRagError) -> None:
        if not self._window.locking.refused(error):
            self._window.failure.say(error)
            self._window.show_instead(self._window.failure)

    def _model(self, event: Event) -> None:
        window = self._window
        window.chat.notice.hide()
        if is_installed() and is_root():
            sentence, _, hint = AS_ROOT.partition(": ")
            window.chat.notice.say(f"{sentence}.", f"{hint[0].upper()}{hint[1:]}")
        window.telemetry.set_model(event)
        window.model_state.set_active(event)
        window.meter.set_context(event.get("context"))
        window.model_state.refresh()
        self.show_seal()

    def _no_model(self, error: DesktopRagError) -> None:
        window = self._window
        window.model_state.set_active({})
        window.telemetry.set_model({})
        window.model_state.refresh()
        window.chat.notice.say_error(error, "Try again", window.startup.load)
        if window.page == "models":
            window.models.notice.say_error(error)

    def _worker(self, role: str, state: str) -> None:
        self.show_seal()
        if (role, state) == ("library", "crashed"):
            self._window.locking.crashed()
        if role == "library":
            self._window.chat.notice.say_while(UPGRADING, state == "upgrading")

    def show_seal(self) -> None:
        """Say on the shield what is sealed, or what the network is open for."""
        window = self._window
        leaving = {"remote": remote(window), "team": asks_a_team(window)}
        state = state_of(window.backend, window.network.word, **leaving, broken=window.proving.broken)
        for chip in (window.chat.header.seal, window.models.seal, window.privacy.seal):
            chip.show_state(state)

    def _shown(self, page: str) -> None:
        if page == "settings" and self._window.library.loaded:
            self._window.startup.examine()

    def _setting(self, name: str, value: object) -> None:
        window = self._window
        if name == "theme":
            window.theme.set_mode(str(value))
        elif name in _ANSWERING:
            self._later.start()
            self.show_seal()
        elif name == "auto_lock":
            window.locking.watch(int(str(value)))
        elif name == "real_values":
            window.reveal.set_shown(bool(value))
        elif name == "search":
            window.chat.composer.show_search(str(value))
        if name == "sealed" and value:
            window.tasks.call(lambda: _leave(window.backend))

    def _reload(self) -> None:
        window = self._window
        if window.session.is_running:
            self._later.start()  # an answer that is being written is finished with the model it began with
            return
        window.chat.header.set_model("Loading…")
        window.model_state.forget_fits()
        self.show_seal()
        window.startup.load_again()


def _leave(backend: Backend) -> Event:
    backend.leave_network()
    return {}
