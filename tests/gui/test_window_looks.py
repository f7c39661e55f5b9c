"""How the window looks: contrasts of the palette, nothing clipped, a name on every control, themes that switch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop_rag.errors import NetworkError
from desktop_rag.gui import icons, tokens
from desktop_rag.gui.library.collection_form import CollectionForm
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.models.picker import picker
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.pieces.labels import ElidedLabel
from desktop_rag.gui.sources.pane import SOURCES, VIEWER
from desktop_rag.gui.theme import Theme
from tests.gui.model_script import STARTER
from tests.gui.script import PDF, document
from tests.gui.scripted import ScriptedBackend

CONTROLS = (QAbstractButton, QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QAbstractItemView, QAbstractSlider)
SMALLEST = (1024, 640)
NAMED = r'(?:icon=|show_icon\(|IconButton\([\w.]+, |IconLabel\([\w.]+, |EmptyState\(\s*[\w.]+,\s*)"([a-z0-9-]+)"'


@pytest.mark.parametrize("name", tokens.THEMES)
@pytest.mark.parametrize("surface", tokens.SURFACES)
def test_contrasts_keep_what_the_palette_promises(name: str, surface: str) -> None:
    kit = tokens.load(name)
    assert tokens.contrast(kit["text"], kit[surface]) >= 12
    for role in tokens.SEMANTIC:
        assert tokens.contrast(kit[role], kit[surface]) >= 4.5, role
    assert tokens.contrast(kit["accent"], kit.tint("accent", 0.1, surface)) >= 4.5, "a citation chip"
    assert tokens.contrast(kit["private"], kit.tint("private", 0.14, surface)) >= 4.5, "a replaced value in the review"


@pytest.mark.parametrize("name", tokens.THEMES)
def test_contrasts_of_what_lies_on_colour(name: str) -> None:
    kit = tokens.load(name)
    assert tokens.contrast(kit["on_accent"], kit["accent"]) >= 4.5
    assert tokens.contrast(kit["bg"], kit["bad"]) >= 4.5, "the chip of a remote model"
    for surface in tokens.SURFACES:
        assert tokens.contrast(kit["muted"], kit.tint("muted", 0.1, surface)) >= 4.5, "a chip that only says something"
    for ground in (kit["highlight"], kit.hover, kit.selected):
        assert tokens.contrast(kit["text"], ground) >= 7
    for role in ("muted", "accent"):
        assert tokens.contrast(kit[role], kit.selected) >= 4.5


def test_contrast_is_the_formula_of_wcag() -> None:
    assert tokens.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert tokens.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def screens(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> Iterator[tuple[str, QWidget]]:
    """Every screen of the window, one after the other, settled."""

    def settled() -> QWidget:
        qtbot.waitUntil(lambda: window.tasks.count == 0)
        qtbot.wait(30)
        return window

    yield "first screen", settled()
    window.chat.ask("Why was pump P-204 stopped?")
    qtbot.waitUntil(lambda: not window.session.is_running)
    window.show_pane(True)
    yield "answer with sources", settled()
    assert window.chat.latest is not None
    window.pane.explain(window.chat.latest)
    yield "why this answer", settled()
    window.pane.open(window.chat.latest.citations[0])
    yield "viewer", settled()
    window.show_pane(False)
    backend.rows["a.pdf"] = document("a.pdf", "reviewing")
    window.library.refresh()
    window.show_page("library")
    yield "library", settled()
    window.wires.library.review()
    yield "review", settled()
    for page in ("models", "settings", "performance", "bench"):
        window.show_page(page)
        yield page, settled()
    window.bench.run.click()
    yield "benchmark with results", settled()
    backend.library.script["judge"](question="Why was pump P-204 stopped?")
    window.show_page("quality")
    settled()
    window.quality.run.click()
    window.quality.questions.form.field.setText("Which part was worn?")
    window.quality.questions.form.look.click()
    yield "search quality with results", settled()
    yield from model_screens(window, qtbot, backend)
    window.show_page("chat")
    form = CollectionForm(window.theme, window, window.library.collections[0])
    form.show()
    qtbot.wait(30)
    yield "collection form", form
    form.close()
    confirm = Confirm(
        window.theme, window, "Remove “a.pdf” from the library?", "Its text goes.", "Remove", lambda _text: None
    )
    confirm.show()
    qtbot.wait(30)
    yield "confirmation", confirm
    confirm.close()


def model_screens(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> Iterator[tuple[str, QWidget]]:
    """The states of the Models page, and what floats above it."""

    def settled() -> QWidget:
        qtbot.waitUntil(lambda: window.tasks.count == 0)
        qtbot.wait(30)
        return window

    window.show_page("models")
    settled()
    window.models.cards["qwen2.5-0.5b"].ask_download()
    yield "permission for a download", settled()
    backend.download.error = NetworkError("interrupted", "The connection broke off after 312 MB.", "Try again.")
    backend.download.go_on.set()
    window.model_actions.act("allowed", window.models.cards["qwen2.5-0.5b"].row)
    yield "a download that failed", settled()
    window.models.hub.field.setText("qwen")
    window.models.hub.button.click()
    window.models.hub.permission.allow.click()
    yield "search results", settled()
    window.models.show_detail(window.models.cards[STARTER].row)
    yield "details of a model", settled()
    window.models.show_detail(None)
    row = {**window.models.cards[STARTER].row, "adapters": [{"path": "/adapters/tone.gguf", "scale": 0.8}]}
    window.model_actions.act("adapters", row)
    adapters = window.model_actions.adapters
    assert adapters is not None
    qtbot.wait(30)
    yield "adapters", adapters
    adapters.close()
    window.show_page("chat")
    card = picker(window.theme, window.model_state, "", window, lambda _row, _engine: None, lambda: None)
    card.open_under(window.chat.header.model)
    qtbot.wait(30)
    yield "model picker", card
    card.close()
    window.settings.set("engine", "OpenAI-compatible")
    window.settings.set("sealed", False)
    window.wires.start.show_seal()
    window.show_pane(True)
    yield "remote model", settled()
    window.show_pane(False)


def test_every_control_has_an_accessible_name(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    nameless = []
    for screen, root in screens(window, qtbot, backend):
        for control in root.findChildren(QWidget):
            if not isinstance(control, CONTROLS) or isinstance(control, QScrollBar) or not control.isVisibleTo(root):
                continue
            if control.objectName().startswith("qt_") or isinstance(control.parent(), QLineEdit | QComboBox):
                continue
            text = control.text() if isinstance(control, QAbstractButton) else ""
            if not control.accessibleName() and not text:
                nameless.append(f"{screen}: {type(control).__name__} in {type(control.parent()).__name__}")
    assert nameless == []


def test_nothing_is_clipped_in_the_smallest_window(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    window.resize(*SMALLEST)
    clipped = []
    for screen, root in screens(window, qtbot, backend):
        assert (window.width(), window.height()) == SMALLEST, f"{screen} makes the window larger"
        for part in root.findChildren(QWidget):
            own = isinstance(part, QLabel | QAbstractButton) and not isinstance(part.parent(), QLineEdit)
            if own and part.isVisible() and (why := why_clipped(part)):
                clipped.append(f"{screen}: {why}")
    assert clipped == []


def why_clipped(part: QLabel | QAbstractButton) -> str:
    """Why a label or button does not show all it has to, or ""."""
    needed = part.minimumSizeHint()
    if isinstance(part, QLabel) and part.wordWrap():
        needed.setHeight(part.heightForWidth(part.width()))
        needed.setWidth(0)
    elif isinstance(part, QLabel) and not isinstance(part, ElidedLabel):
        needed = part.sizeHint()
    if part.width() + 1 < needed.width() or part.height() + 1 < needed.height():
        return f"“{part.text()}” has {part.width()}×{part.height()}, needs {needed.width()}×{needed.height()}"
    window = part.window()
    corner = part.mapTo(window, part.rect().bottomRight())
    if corner.x() > window.width() or part.mapTo(window, part.rect().topLeft()).x() < 0:
        return f"“{part.text()}” ends outside of the window"
    return ""


def test_themes_switch_while_the_window_is_open(window: MainWindow, qtbot: QtBot, theme: Theme) -> None:
    window.chat.ask("Why?")
    qtbot.waitUntil(lambda: not window.session.is_running)
    seen = set()
    for mode in ("dark", "contrast", "light"):
        theme.set_mode(mode)
        picture = window.grab().toImage()
        seen.add(picture.pixelColor(picture.width() // 2, picture.height() - 4).name().upper())
    assert seen == {tokens.load(name)["surface"] for name in tokens.THEMES}


def test_settings_rows_come_from_the_declarations(window: MainWindow, theme: Theme) -> None:
    from desktop_rag.settings import SETTINGS

    assert set(window.settings_page.controls) == {setting.name for setting in SETTINGS}
    box = window.settings_page.controls["theme"]
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert window.settings["theme"] == "dark"
    assert theme.mode == "dark"
    theme.set_mode("light")


@pytest.mark.parametrize("mode", tokens.THEMES)
def test_what_stands_in_empty_fields_can_be_read(window: MainWindow, theme: Theme, mode: str) -> None:
    theme.set_mode(mode)
    kit = tokens.load(mode)
    fields: list[QLineEdit | QPlainTextEdit] = [*window.findChildren(QLineEdit), *window.findChildren(QPlainTextEdit)]
    hinting = [field for field in fields if field.placeholderText()]
    assert len(hinting) > 3
    for field in hinting:
        field.ensurePolished()
        colour = field.palette().color(QPalette.ColorRole.PlaceholderText)
        assert colour.name(QColor.NameFormat.HexArgb) == f"#ff{kit['muted'][1:].lower()}", field.placeholderText()
    theme.set_mode("light")


def test_a_tick_in_the_settings_says_how_it_is_set(window: MainWindow) -> None:
    box = window.settings_page.controls["review"]
    assert isinstance(box, QAbstractButton)
    assert (box.isChecked(), box.text()) == (True, "On")
    box.click()
    assert (window.settings["review"], box.text()) == (False, "Off")


def test_the_meter_has_fields_of_fixed_width(window: MainWindow, qtbot: QtBot) -> None:
    before = [field.x() for field in window.meter.findChildren(QLabel)]
    window.chat.ask("Why?")
    qtbot.waitUntil(lambda: not window.session.is_running)
    assert [field.x() for field in window.meter.findChildren(QLabel)][:4] == before[:4]


def test_keyboard_reaches_every_pane(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    window.chat.composer.edit.setFocus()
    from desktop_rag.gui.shortcuts import cycle

    cycle(window)
    assert window.focusWidget() is window.sidebar.search
    cycle(window)
    assert window.focusWidget() is window.chat.composer.edit
    window.show_pane(True)
    window.pane.show_tab(SOURCES)
    cycle(window)
    assert window.pane.isAncestorOf(window.focusWidget())
    window.pane.show_tab(VIEWER)


def test_every_icon_that_is_named_is_there() -> None:
    folder = Path(icons.__file__).parent
    assets = {path.stem for path in icons.paths.assets_dir().joinpath("icons").glob("*.svg")}
    named = set()
    for path in folder.rglob("*.py"):
        named |= set(re.findall(NAMED, path.read_text(encoding="utf-8")))
    assert named, "the pattern found nothing"
    assert named <= assets


def test_the_file_the_viewer_shows_is_let_go(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.pane.viewer.shown):
        window.pane.open({"document": PDF, "name": PDF, "page": 1, "locator": None, "start": 0, "end": 5})
    window.close()
    assert window.pane.viewer.pages.count == 0
