"""Documents in the window: dropping, adding, reviewing, removing, and a library that does not open."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop_rag.errors import StoreError
from desktop_rag.gui import words
from desktop_rag.gui.library.document_model import DOCUMENT
from desktop_rag.gui.library.receipt import ReceiptSheet
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from tests.gui.script import PDF, SAMPLES, document, receipt
from tests.gui.scripted import ScriptedBackend


def drop(window: MainWindow, *paths: Path, over: QWidget | None = None) -> None:
    """Drag files over the window and let go, with the MIME data a file manager gives."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(400, 300), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(over or window, enter)
    assert enter.isAccepted()
    assert window.veil.isVisible()
    QApplication.sendEvent(over or window, QDropEvent(QPointF(400, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    assert not window.veil.isVisible()


def test_dropped_files_go_through_the_review_to_ready(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.rows.clear()
    window.library.refresh()
    drop(window, SAMPLES / PDF, SAMPLES / "lab-protocol.md")
    qtbot.waitUntil(lambda: len(window.library.reviewing()) == 2 and window.tasks.count == 0)
    assert backend.library.named("add") == [
        {"paths": [str(SAMPLES / PDF), str(SAMPLES / "lab-protocol.md")], "collection": 1, "review": True}
    ]
    assert window.activity.review.isVisible()
    qtbot.mouseClick(window.activity.review, Qt.MouseButton.LeftButton)
    assert window.page == "review"
    qtbot.waitUntil(lambda: window.review.decisions != {} and window.tasks.count == 0)
    qtbot.mouseClick(window.review.index, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    (accepted,) = backend.library.named("accept")
    assert sorted(accepted["documents"]) == ["lab-protocol.md", PDF]
    assert {row["state"] for row in window.library.documents()} == {"ready"}


def test_files_may_be_dropped_on_any_part(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    window.show_pane(True)
    targets = (window.chat.composer.edit.viewport(), window.sidebar.search, window.pane.passages, window.chat.column)
    for number, part in enumerate(targets, 1):
        drop(window, SAMPLES / PDF, over=part)
        qtbot.waitUntil(lambda: window.tasks.count == 0)
        assert len(backend.library.named("add")) == number, type(part).__name__
    assert window.chat.composer.text() == ""


def test_a_failed_file_shows_its_cause_at_its_row(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    error = {
        "code": "encrypted",
        "message": "The file is protected by a password.",
        "hint": "Add it with its password.",
    }
    backend.rows["secret.pdf"] = {**document("secret.pdf", "failed"), "error": error}
    window.library.refresh()
    window.show_page("library")
    qtbot.waitUntil(lambda: window.library.document("secret.pdf") is not None)
    model = window.library_page.list.model()
    spoken = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount())]
    assert any("secret.pdf, Locked" in text and error["message"] in text for text in spoken)


def test_removing_asks_first_and_shows_a_receipt(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    window.show_page("library")
    window.library_page.list.setCurrentIndex(window.library_page.list.model().index(0, 0))
    name = window.library_page.chosen_documents()[0]["name"]
    window.library_page.removal_wanted.emit(window.library_page.chosen_documents())
    (dialog,) = window.findChildren(Confirm)
    assert name in dialog.windowTitle()
    assert backend.library.named("remove") == []
    dialog.button.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert backend.library.named("remove") == [{"documents": [name]}]
    assert window.library_page.notice.isVisible()
    assert "is removed" in window.library_page.notice.sentence
    assert window.library_page.notice.hint == (
        "Erased: 12 passages, 1 vault entry. Nothing of it was found in 214 files."
    )
    assert name not in [row["name"] for row in window.library.documents()]


def removed(window: MainWindow, qtbot: QtBot, *names: str) -> ReceiptSheet:
    """Remove documents and open the receipt by its button."""
    window.show_page("library")
    rows = [row for row in window.library.documents() if row["name"] in names]
    window.actions_.remove_documents(rows)
    window.findChildren(Confirm)[-1].button.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    (button,) = (b for b in window.library_page.notice.findChildren(QPushButton) if b.text() == "Receipt…")
    button.click()
    return window.findChildren(ReceiptSheet)[-1]


@pytest.mark.parametrize("ending", [".html", ".json"])
@pytest.mark.parametrize("nameless", [False, True])
def test_the_receipt_is_saved_with_or_without_names(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, ending: str, nameless: bool
) -> None:
    sheet = removed(window, qtbot, PDF)
    sheet.nameless.setChecked(nameless)
    file = tmp_path / f"receipt{ending}"
    sheet.keep(file)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    saved = file.read_text()
    assert (PDF in saved) is not nameless
    assert "6ef1c531ddccc8d6" in saved
    assert window.library_page.notice.sentence == "The receipt is saved."


def test_a_receipt_that_could_not_be_saved_says_so(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    removed(window, qtbot, PDF).keep(tmp_path / "taken" / "receipt.html")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert "receipt is saved" not in window.library_page.notice.sentence
    assert window.library_page.notice.property("kind") == "error"


def test_what_was_still_found_is_said_in_the_notice(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    answer = {"event": "done", "receipt": receipt([PDF], found="the conversations")}
    backend.library.script["remove"] = lambda documents: iter([answer])
    sheet = removed(window, qtbot, PDF)
    assert window.library_page.notice.property("kind") == "error"
    assert "Something of it still stands in: the conversations." in window.library_page.notice.hint
    sheet.reject()


def test_what_was_erased_leaves_the_screen(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    viewer = window.pane.viewer
    window.library_page.document_opened.emit(window.library.document(PDF))
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    window.sidebar.conversation_chosen.emit(window.library.conversations[0]["id"])
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert viewer.document == PDF
    issued = receipt([PDF])
    issued["erased"]["answers"] = 1
    backend.rows.pop(PDF)
    events = [{"event": "removed", "document": PDF}, {"event": "done", "receipt": issued}]
    backend.library.script["remove"] = lambda documents: iter(events)
    asked = len(backend.library.named("conversation"))
    removed(window, qtbot, PDF).reject()
    assert viewer.document is None
    assert len(backend.library.named("conversation")) == asked + 1, "its blanked answers are shown as they are now"


def test_a_locked_library_is_a_page_with_a_reason_and_another_try(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    backend = ScriptedBackend()
    backend.refusal = StoreError(
        "locked", "Another window holds this library (process 4711).", "Close it and try again."
    )
    window = MainWindow(backend, theme, Settings(tmp_path), tmp_path)
    qtbot.addWidget(window)
    window.show()
    window.startup.begin()
    qtbot.waitUntil(lambda: window.failed)
    assert window.failure.sentence == "Another window holds this library (process 4711)."
    backend.refusal = None
    window.startup.begin()
    qtbot.waitUntil(lambda: not window.failed and window.tasks.count == 0)
    window.close()


def test_an_empty_library_teaches(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    backend = ScriptedBackend(documents=False)
    window = MainWindow(backend, theme, Settings(tmp_path), tmp_path)
    qtbot.addWidget(window)
    window.show()
    assert window.chat.first.title == "Opening your library…"
    window.startup.begin()
    qtbot.waitUntil(lambda: window.library.loaded and window.tasks.count == 0)
    assert window.chat.first.title == "Drop documents here"
    window.close()
    assert backend.closed


def test_the_samples_bring_three_questions(window: MainWindow, qtbot: QtBot) -> None:
    assert window.chat.first.title == "Ask your documents"
    assert len(window.chat.first.questions) == 3


def test_an_encrypted_document_is_unlocked_from_its_row(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    row = document("salaries.pdf") | {
        "state": "failed",
        "path": "/files/salaries.pdf",
        "error": {"code": "encrypted", "message": "The PDF is encrypted.", "hint": "Enter its password to add it."},
    }
    backend.rows["salaries.pdf"] = row
    window.library.refresh()
    window.show_page("library")
    qtbot.waitUntil(
        lambda: window.library_page.list.model().rowCount() == len(backend.rows) and window.tasks.count == 0
    )
    index = next(
        window.library_page.list.model().index(place, 0)
        for place in range(len(backend.rows))
        if window.library_page.list.model().index(place, 0).data(DOCUMENT)["name"] == "salaries.pdf"
    )
    window.library_page.list.activated.emit(index)
    (question,) = window.library_page.findChildren(Confirm)
    assert question.field.echoMode() == QLineEdit.EchoMode.Password
    qtbot.keyClicks(question.field, " open sesame")
    qtbot.keyClick(question.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(backend.library.named("add")) and window.tasks.count == 0)
    (added,) = backend.library.named("add")
    assert (added["paths"], added["passwords"]) == (["/files/salaries.pdf"], [" open sesame"]), (
        "a password is what was typed"
    )


@pytest.mark.parametrize(
    ("name", "shown"), [("new\nline.txt", "new␊line.txt"), ("a\u202etxt.exe", "a�txt.exe"), (None, "")]
)
def test_names_that_would_deceive_are_made_plain(name: str | None, shown: str) -> None:
    assert words.file_name(name) == shown
