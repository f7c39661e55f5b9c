"""The keys of the window: new chat, search, composer, adding, locking, the next pane, and Esc."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from desktop_rag.gui.main_window import MainWindow


def bind(window: MainWindow, new_chat: Callable[[], None]) -> None:
    """Give the window its keys."""

    def on(keys: str, action: Any) -> None:
        QShortcut(QKeySequence(keys), window, action)

    def write() -> None:
        window.show_page("chat")
        window.chat.composer.edit.setFocus()

    on("Ctrl+N", new_chat)
    on("Ctrl+K", window.sidebar.search.setFocus)
    on("Ctrl+L", write)
    on("Ctrl+O", window.library_page.add_wanted.emit)
    on("Ctrl+Shift+O", window.library_page.folder_wanted.emit)
    on("Ctrl+Shift+L", window.locking.lock)
    on("F6", lambda: cycle(window))
    on("Esc", lambda: _escape(window))


def cycle(window: MainWindow) -> None:
    """Move the keyboard to the next pane: sidebar, page, sources."""
    places: dict[str, QWidget] = {
        "chat": window.chat.composer.edit,
        "models": window.models.add,
        "bench": window.bench.run,
        "performance": window.performance.benchmark,
        "settings": window.settings_page.controls["theme"],
        "review": window.review.values if window.review.present else window.review.overview.values,
    }
    stops: list[QWidget] = [window.sidebar.search, places.get(window.page, window.library_page.list)]
    if window.pane.isVisible():
        pane = window.pane
        shown = (part for part in (pane.viewer.pages, pane.trace.rows) if part.isVisible())
        stops.append(next(shown, pane.passages))
    focused = window.focusWidget()
    present = 0 if focused and window.sidebar.isAncestorOf(focused) else 1
    if focused and window.pane.isAncestorOf(focused):
        present = 2
    stops[(present + 1) % len(stops)].setFocus()


def _escape(window: MainWindow) -> None:
    """Stop what runs, else close what is open."""
    if window.session.is_running:
        window.session.stop()
    elif window.page == "review":
        window.review.leave()
    elif window.page == "models" and window.models.detail.isVisible():
        window.models.show_detail(None)
    elif window.pane.isVisible():
        window.show_pane(False)
