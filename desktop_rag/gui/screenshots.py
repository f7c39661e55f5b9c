"""Pictures of every screen, light and dark, large and small: `python -m desktop_rag.gui.screenshots FOLDER`.

Drives the real window on the real workers with the sample documents in a library of its own, which
is thrown away afterwards.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from desktop_rag import paths
from desktop_rag.gui.app import WorkersBackend, application, open_window
from desktop_rag.gui.backend import Backend
from desktop_rag.gui.library.collection_form import CollectionForm
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.models.card import OFFERED
from desktop_rag.gui.models.picker import picker
from desktop_rag.gui.seal.card import SealCard
from desktop_rag.gui.sources.pane import SOURCES
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings

THEMES = ("light", "dark")
SIZES = ((1280, 800), (1024, 640))
_PATIENCE_S = 180.0
_BENCH_S = 900.0
_SETTLE_MS = 250


class Photographer:
    """Takes each screen in every theme and size; the last one taken stays on the screen."""

    def __init__(self, window: MainWindow, theme: Theme, folder: Path) -> None:
        self._window, self._theme, self._folder = window, theme, folder
        self._number = 0

    def take(self, name: str, over: Callable[[], QWidget] | None = None) -> None:
        """One screen; `over` opens something that floats above the window and returns it."""
        self._number += 1
        for width, height in SIZES:
            for theme in THEMES:
                self._theme.set_mode(theme)
                self._window.resize(width, height)
                QTest.qWait(_SETTLE_MS)
                wait_until(lambda: self._window.pane.viewer.pages.is_sharp)
                picture = self._window.grab()
                if over is not None:
                    self._lay_over(picture, over())
                picture.save(str(self._folder / f"{self._number:02}-{name}-{theme}-{width}x{height}.png"))

    def _lay_over(self, picture: QPixmap, floating: QWidget) -> None:
        QTest.qWait(_SETTLE_MS)
        corner = floating.mapToGlobal(QPoint(0, 0)) - self._window.mapToGlobal(QPoint(0, 0))
        if floating.windowTitle():
            area = QRect(QPoint(0, 0), self._window.size())
            corner = area.center() - floating.rect().center()
        painter = QPainter(picture)
        if floating.windowTitle():
            painter.fillRect(picture.rect(), QColor(0, 0, 0, 110))
        painter.drawPixmap(corner, floating.grab())
        painter.end()
        floating.close()


def wait_until(reached: Callable[[], bool], seconds: float = _PATIENCE_S) -> None:
    """Let the window work until something holds; TimeoutError when it never does."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError("The window did not get there in time.")
        QTest.qWait(40)


def tour(window: MainWindow, camera: Photographer) -> None:
    """Walk through the whole journey, from an empty library to an answer and its source."""
    _first_start(window, camera)
    wait_until(lambda: window.library.loaded)
    camera.take("empty")
    samples = sorted(str(path) for path in (paths.assets_dir() / "samples").iterdir() if path.suffix != ".json")
    window.show_page("library")
    window.add_paths(samples)
    wait_until(lambda: len(window.library.documents()) == len(samples))
    camera.take("adding")
    wait_until(lambda: len(window.library.reviewing()) == len(samples) and not window.intake.running)
    window.wires.library.review(window.library.documents()[1]["id"])
    wait_until(lambda: bool(window.review.decisions))
    camera.take("review")
    _review(window, camera)
    window.review.index.click()
    wait_until(lambda: not window.intake.running and window.tasks.count == 0)
    camera.take("library")
    _chat(window, camera)
    window.show_page("settings")
    camera.take("settings")
    camera.take("collection", lambda: _form(window))
    _privacy(window, camera)
    _models(window, camera)
    _measurements(window, camera)
    window.locking.page.show_for("passphrase")
    window.show_instead(window.locking.page)
    camera.take("locked")


def _first_start(window: MainWindow, camera: Photographer) -> None:
    """Without a keyring the window asks how the library shall be protected."""
    first = window.locking.first
    wait_until(lambda: window.library.loaded or first.isVisible())
    if first.isVisible():
        camera.take("first-start")
        first.by_file.click()
        first.start.click()


def _review(window: MainWindow, camera: Photographer) -> None:
    """The pages with their boxes, and all documents together."""
    sheet = window.review
    sheet.document.show_pages(True)
    wait_until(lambda: sheet.document.pages.is_marked and sheet.document.pages.is_sharp)
    camera.take("review-pages")
    sheet.document.show_pages(False)
    sheet.show_all()
    wait_until(lambda: not sheet.session.missing and window.tasks.count == 0)
    camera.take("review-all")


def _chat(window: MainWindow, camera: Photographer) -> None:
    window.wires.chat.new_chat()
    camera.take("first-screen")
    camera.take("seal", lambda: _seal(window))
    window.veil.show_for(str(window.library.collections[0]["name"]), review=True)
    camera.take("drop")
    window.veil.hide()
    for question in ("Why was feed pump P-204 taken out of service?", "What did Daniel Hughes cut?"):
        window.chat.ask(question)
        wait_until(lambda: window.session.is_running)
        wait_until(lambda: not window.session.is_running)
    window.show_pane(True)
    camera.take("answer")
    latest = window.chat.latest
    if latest is not None and latest.citations:
        window.wires.chat.cite(latest, 1)
        wait_until(lambda: window.tasks.count == 0)
        camera.take("viewer")
        window.pane.explain(latest)
        window.quality_state.call_good(latest.message)
        wait_until(lambda: window.tasks.count == 0)
        camera.take("why")
    window.reveal.set_shown(False)
    window.pane.show_tab(SOURCES)
    camera.take("stand-ins")
    window.reveal.set_shown(True)
    _text_viewer(window, camera)
    window.show_pane(False)
    window.chat.ask("What does the harbour master say about zebra crossings?")
    wait_until(lambda: window.session.is_running)
    wait_until(lambda: not window.session.is_running)
    camera.take("not-in-your-documents")


def _privacy(window: MainWindow, camera: Photographer) -> None:
    """The audit of the sample documents, and the self-test."""
    window.show_page("privacy")
    window.privacy.audit.run.click()
    window.privacy.selftest.run.click()
    wait_until(lambda: not (window.privacy.audit.examination.running or window.privacy.selftest.examination.running))
    camera.take("privacy")


def _models(window: MainWindow, camera: Photographer) -> None:
    """What is here, what could be, the question before a download, the details of the model that answers."""
    window.show_page("models")
    wait_until(lambda: window.tasks.count == 0)
    camera.take("models")
    offered = next((card for card in window.models.cards.values() if card.place == OFFERED), None)
    if offered is not None:
        offered.ask_download()
        window.models.scroll_to(offered)
        camera.take("models-download")
        offered.permission.hide()
    active = next((row for row in window.model_state.chat_models if window.model_state.is_active(row)), None)
    if active is not None:
        window.models.show_detail(active)
        wait_until(lambda: window.tasks.count == 0)
        camera.take("model-details")
        window.models.show_detail(None)
    window.show_page("chat")
    camera.take("model-picker", lambda: _picker(window))
    # Nothing is asked while it is set: only the words on the shield are photographed.
    window.settings.set("engine", "OpenAI-compatible")
    window.settings.set("sealed", False)
    window.wires.start.show_seal()
    camera.take("remote")
    window.settings.set("sealed", True)
    window.settings.set("engine", "")
    window.wires.start.show_seal()


def _measurements(window: MainWindow, camera: Photographer) -> None:
    """What the last answers took, a benchmark of one engine, and the search measured by a good answer."""
    window.show_page("performance")
    wait_until(lambda: bool(window.performance.memory.cells) and window.tasks.count <= 1)
    camera.take("performance")
    window.show_page("bench")
    for name, tick in window.bench.ticks.items():
        tick.setChecked(name == "llama.cpp")
    window.bench.run.click()
    wait_until(lambda: not window.bench_state.running, _BENCH_S)
    for tick in window.bench.ticks.values():
        tick.setChecked(True)
    camera.take("benchmark")
    window.show_page("quality")
    wait_until(lambda: bool(window.quality_state.questions))
    window.quality.run.click()
    wait_until(lambda: not window.quality_state.running)
    camera.take("search-quality")


def _picker(window: MainWindow) -> QWidget:
    card = picker(window.theme, window.model_state, "", window, lambda _row, _engine: None, lambda: None)
    card.open_under(window.chat.header.model)
    return card


def _text_viewer(window: MainWindow, camera: Photographer) -> None:
    window.chat.ask("At which wavelength is the absorbance measured?")
    wait_until(lambda: window.session.is_running)
    wait_until(lambda: not window.session.is_running)
    latest = window.chat.latest
    if latest is not None and latest.citations:
        window.wires.chat.cite(latest, 1)
        wait_until(lambda: window.tasks.count == 0)
        camera.take("viewer-text")


def _seal(window: MainWindow) -> QWidget:
    card = SealCard(window.theme, window.backend, window.proving, window)
    card.open_under(window.chat.header.seal)
    return card


def _form(window: MainWindow) -> QWidget:
    form = CollectionForm(window.theme, window, window.library.collections[0])
    form.show()
    return form


def main(arguments: list[str], make_backend: Callable[[Path, Settings], Backend] = WorkersBackend) -> int:
    """Take the tour and leave the pictures in the folder that is named."""
    if len(arguments) != 1:
        sys.stderr.write("Usage: python -m desktop_rag.gui.screenshots FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    app = application(sys.argv[:1])
    theme = Theme(app, THEMES[0])
    with tempfile.TemporaryDirectory() as own:
        os.environ["DESKTOP_RAG_CONFIG_DIR"] = str(Path(own) / "config")
        data_dir = paths.private_dir(Path(own) / "data")
        settings = Settings(data_dir)
        window = open_window(make_backend(data_dir, settings), theme, settings, Path.home() / "desktop-rag")
        try:
            tour(window, Photographer(window, theme, folder))
        finally:
            window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
