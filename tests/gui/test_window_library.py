"""The library page: rows that say everything, filters that add up, what can be done, how far reading is, pausing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from desktop_rag.gui.library.document_model import DEPTH, DOCUMENT
from desktop_rag.gui.library.document_row import state_area
from desktop_rag.gui.library.folders_panel import MOST
from desktop_rag.gui.main_window import MainWindow
from tests.gui.script import document, watched
from tests.gui.scripted import ScriptedBackend
from tests.gui.test_window_looks import SMALLEST, why_clipped

DAMAGED = {"code": "unreadable", "message": "The file is damaged.", "hint": "Save it again in its own program."}
ONE_LINE = 74
LOCKED = {"code": "encrypted", "message": "The file is protected by a password.", "hint": "Enter it to add the file."}


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> MainWindow:
    """The window with its library page open on documents in many states."""
    rows = [
        document("ready.md", language="de"),
        document("damaged.pdf", "failed", error=DAMAGED, pages=None),
        document("secret.pdf", "failed", error=LOCKED, pages=None),
        document("memo.docx", "reviewing"),
        document("scans.pdf", "partly_read", pages=40, pages_read=37, pages_ocr=12, pages_doubtful=[4, 9]),
        document("letter.eml", path="/mail/letter.eml", children=["inner"]),
        document(
            "lease.pdf", "failed", id="inner", parent="letter.eml", path="/mail/letter.eml!lease.pdf", error=DAMAGED
        ),
    ]
    backend.rows = {row["id"]: row for row in rows}
    window.library.refresh()
    window.show_page("library")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    return window


def listed(window: MainWindow) -> list[str]:
    model = window.library_page.list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def select(window: MainWindow, *names: str) -> None:
    view = window.library_page.list
    view.clearSelection()
    for name in names:
        view.selectionModel().select(
            view.model().index(listed(window).index(name), 0), view.selectionModel().SelectionFlag.Select
        )


def focus(window: MainWindow, qtbot: QtBot) -> None:
    """Give the list the keyboard."""
    window.activateWindow()
    window.library_page.list.setFocus()
    qtbot.waitUntil(window.library_page.list.hasFocus)


def able(window: MainWindow) -> set[str]:
    return {name for name, action in window.library_page.selection.actions.items() if action.isEnabled()}


def spoken(window: MainWindow, name: str) -> str:
    index = window.library_page.list.model().index(listed(window).index(name), 0)
    return str(index.data(Qt.ItemDataRole.AccessibleTextRole))


def test_rows_say_everything_and_parts_follow_their_file(page: MainWindow) -> None:
    assert listed(page) == [
        "letter.eml",
        "lease.pdf",
        "scans.pdf",
        "memo.docx",
        "secret.pdf",
        "damaged.pdf",
        "ready.md",
    ]
    inner = page.library_page.list.model().index(1, 0)
    assert inner.data(DEPTH) == 1
    assert "in letter.eml" in spoken(page, "lease.pdf")
    assert "Partly read, 40 pages, 12 by OCR (2 doubtful), 3 unreadable" in spoken(page, "scans.pdf")
    assert "unsure of 2 of 12 pages: 4, 9." in spoken(page, "scans.pdf")
    assert "German" in spoken(page, "ready.md")
    assert "Failed" in spoken(page, "damaged.pdf")
    assert "The file is damaged. Save it again" in spoken(page, "damaged.pdf")
    assert "Locked" in spoken(page, "secret.pdf")
    assert "Brackwater 2025" not in spoken(page, "ready.md")
    page.library.choose(None)
    assert "Brackwater 2025" in spoken(page, "ready.md"), "among all documents, a row says where it belongs"


def test_filters_and_totals_add_up(page: MainWindow) -> None:
    about = page.library_page.about.text()
    assert about.split(" · ") == [
        "7 documents", "40 pages, 12 by OCR (2 doubtful), 3 unreadable", "77 private values", "Policy: Pseudonymise",
    ]  # fmt: skip
    chips = {group: chip.text() for group, chip in page.library_page.states.chips.items() if not chip.isHidden()}
    assert chips == {
        "all": "All 7", "ready": "Ready 2", "needs_you": "Needs you 2", "partly_read": "Partly read 1",
        "failed": "Failed 2",
    }  # fmt: skip
    page.library_page.states.chips["needs_you"].click()
    assert listed(page) == ["memo.docx", "secret.pdf"]
    page.library_page.states.chips["failed"].click()
    assert listed(page) == ["lease.pdf", "damaged.pdf"]
    assert page.library_page.list.model().index(0, 0).data(DEPTH) == 0, "its file is not listed here"
    page.library_page.filter.setText("damag")
    assert listed(page) == ["damaged.pdf"]
    assert page.library_page.about.text() == about, "a filter changes no total"
    page.library_page.filter.setText("nothing like it")
    assert listed(page) == []
    assert not page.library_page.list.isVisible()


def test_a_document_leaves_the_filter_it_no_longer_belongs_to(page: MainWindow) -> None:
    page.library_page.states.choose("failed")
    page.library.document_event({**document("damaged.pdf"), "document": "damaged.pdf"})
    assert listed(page) == ["lease.pdf"]
    assert page.library_page.states.chips["ready"].text() == "Ready 3"


def test_what_can_be_done_depends_on_what_is_selected(page: MainWindow) -> None:
    assert able(page) == set()
    select(page, "ready.md")
    assert able(page) == {"open", "show", "remove"}
    select(page, "damaged.pdf")
    assert able(page) == {"retry", "show", "remove"}
    select(page, "secret.pdf")
    assert page.library_page.selection.buttons["open"].text() == "Unlock…"
    assert able(page) == {"open", "show", "remove"}, "a password is asked for, trying again would fail again"
    select(page, "memo.docx")
    assert page.library_page.selection.buttons["open"].text() == "Review…"
    select(page, "damaged.pdf", "lease.pdf", "ready.md")
    assert able(page) == {"retry", "remove"}
    assert page.library_page.selection.buttons["retry"].text() == "Try 2 again"
    assert page.library_page.selection.buttons["remove"].text() == "Remove 3…"


def test_failed_ones_are_tried_again_from_their_files(page: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    select(page, "damaged.pdf", "lease.pdf", "ready.md")
    focus(page, qtbot)
    qtbot.keyClick(page.library_page.list, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.tasks.count == 0)
    (asked,) = backend.library.named("add")
    assert set(asked["paths"]) == {"/mail/letter.eml", backend.rows["damaged.pdf"]["path"]}
    assert len(asked["paths"]) == 2
    assert asked["collection"] == "Brackwater 2025"


def test_a_partly_read_document_can_be_read_again(page: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    select(page, "scans.pdf")
    assert page.library_page.selection.buttons["retry"].text() == "Read again"
    page.library_page.selection.buttons["retry"].click()
    qtbot.waitUntil(lambda: page.tasks.count == 0)
    (asked,) = backend.library.named("reread")
    assert asked["documents"] == ["scans.pdf"]


def test_documents_that_were_cleaned_again_are_told(page: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    backend.library.script["clean_again"] = lambda: iter([{"event": "cleaned_again", "documents": 2}])
    page.intake.clean_again()
    qtbot.waitUntil(lambda: page.tasks.count == 0)
    assert page.library_page.notice.sentence == "2 documents were cleaned again."
    assert "found since" in page.library_page.notice.hint


def test_a_failed_row_offers_another_try(page: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    view = page.library_page.list
    row = view.visualRect(view.model().index(listed(page).index("damaged.pdf"), 0))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=state_area(QRect(row)).center())
    qtbot.waitUntil(lambda: page.tasks.count == 0)
    (asked,) = backend.library.named("add")
    assert asked["paths"] == [backend.rows["damaged.pdf"]["path"]]


def test_what_no_other_try_can_read_is_shown_in_its_folder(page: MainWindow, qtbot: QtBot) -> None:
    row = document("talk.mp3", "failed", error={"code": "unsupported", "message": "No.", "hint": "Save it as PDF."})
    page.library.document_event({**row, "document": "talk.mp3"})
    asked: list[Any] = []
    page.library_page.place_wanted.disconnect()
    page.library_page.place_wanted.connect(asked.append)
    view = page.library_page.list
    place = view.visualRect(view.model().index(listed(page).index("talk.mp3"), 0))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=state_area(QRect(place)).center())
    assert [row["name"] for row in asked] == ["talk.mp3"]


def test_what_a_row_explains_takes_a_second_line_where_there_is_no_room(page: MainWindow, qtbot: QtBot) -> None:
    view = page.library_page.list

    def height() -> int:
        return view.visualRect(view.model().index(listed(page).index("scans.pdf"), 0)).height()

    page.library.document_event({**page.library.document("scans.pdf"), "error": DAMAGED, "document": "scans.pdf"})
    page.resize(1600, 900)
    qtbot.waitUntil(lambda: height() == ONE_LINE)
    page.resize(*SMALLEST)
    qtbot.waitUntil(lambda: height() == ONE_LINE + 20)


def test_the_page_is_used_by_keyboard_alone(page: MainWindow, qtbot: QtBot) -> None:
    view, reached = page.library_page.list, []
    page.activateWindow()
    page.library_page.filter.setFocus()
    qtbot.waitUntil(page.library_page.filter.hasFocus)
    for _ in range(12):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
        if reached[-1] is view:
            break
    assert reached[-1] is view, "Tab does not come from the filter to the documents"
    assert view.currentIndex().row() == 0
    before = view.viewport().grab().toImage()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.currentIndex().data() == "scans.pdf"
    view.clearSelection()
    assert view.viewport().grab().toImage() != before, "the keyboard's place is not to be seen"
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert [row["name"] for row in page.library_page.chosen_documents()] == ["scans.pdf"]


def test_keys_open_and_remove(page: MainWindow, qtbot: QtBot) -> None:
    opened: list[Any] = []
    removed: list[Any] = []
    page.library_page.document_opened.disconnect()
    page.library_page.document_opened.connect(opened.append)
    page.library_page.removal_wanted.disconnect()
    page.library_page.removal_wanted.connect(removed.append)
    page.library_page.list.setCurrentIndex(page.library_page.list.model().index(listed(page).index("ready.md"), 0))
    focus(page, qtbot)
    qtbot.keyClick(page.library_page.list, Qt.Key.Key_Return)
    assert [row["name"] for row in opened] == ["ready.md"]
    qtbot.keyClick(page.library_page.list, Qt.Key.Key_Delete)
    assert [[row["name"] for row in rows] for rows in removed] == [["ready.md"]]


def test_the_menu_offers_the_same(page: MainWindow, qtbot: QtBot) -> None:
    select(page, "damaged.pdf")
    view = page.library_page.list
    view.customContextMenuRequested.emit(view.visualRect(view.selectedIndexes()[0]).center())
    menu = view.findChildren(QMenu)[-1]
    able_ = [action.text() for action in menu.actions() if action.isEnabled() and action.text()]
    assert able_ == ["Try again", "Show in folder", "Remove…"]
    menu.close()


def test_show_in_folder_opens_the_folder_of_the_outermost_file(
    page: MainWindow, qtbot: QtBot, backend: ScriptedBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    (tmp_path / "letter.eml").write_text("Hello")
    backend.rows["letter.eml"]["path"] = str(tmp_path / "letter.eml")
    page.library.refresh()
    qtbot.waitUntil(lambda: page.tasks.count == 0)
    select(page, "lease.pdf")
    page.library_page.selection.buttons["show"].click()
    qtbot.waitUntil(lambda: page.tasks.count == 0)
    assert shown == [str(tmp_path)]
    backend.rows["letter.eml"]["path"] = str(tmp_path / "away" / "letter.eml")
    page.library.refresh()
    qtbot.waitUntil(lambda: page.tasks.count == 0)
    page.library_page.selection.buttons["show"].click()
    qtbot.waitUntil(page.library_page.notice.isVisible)
    assert "cannot be reached" in page.library_page.notice.sentence
    assert len(shown) == 1


def test_the_selection_stays_when_documents_come_in(page: MainWindow) -> None:
    select(page, "damaged.pdf")
    page.library.document_event({**document("new.pdf", "waiting"), "document": "new.pdf"})
    assert listed(page)[0] == "new.pdf"
    assert [row["name"] for row in page.library_page.chosen_documents()] == ["damaged.pdf"]


def test_what_lay_in_a_removed_file_goes_with_it(page: MainWindow) -> None:
    page.library.drop(["letter.eml"])
    assert "lease.pdf" not in listed(page)


@pytest.mark.parametrize("pane", [False, True])
def test_nothing_is_clipped_or_nameless_in_the_smallest_window(
    page: MainWindow, qtbot: QtBot, backend: ScriptedBackend, pane: bool
) -> None:
    log = [{"at": 0.0, "change": "added", "name": "deep/new.txt"}]
    backend.folders = [watched(f"/home/anna/a long way/to the papers {n}", number=n, log=log) for n in range(4)]
    page.folders.refresh()
    qtbot.waitUntil(lambda: len(page.library_page.folders.cards) == MOST)
    page.library_page.folders.cards[0].changes.click()
    select(page, "damaged.pdf")
    page.resize(*SMALLEST)
    page.show_pane(pane)
    qtbot.wait(30)
    assert (page.width(), page.height()) == SMALLEST
    parts = page.library_page.findChildren(QWidget)
    own = [p for p in parts if isinstance(p, QLabel | QAbstractButton) and not isinstance(p.parent(), QLineEdit)]
    assert [why for part in own if part.isVisible() and (why := why_clipped(part))] == []
    assert [part for part in own if isinstance(part, QAbstractButton) and not part.accessibleName()] == []
    assert page.library_page.list.height() > 100, "the folders leave no room for the documents"


@pytest.mark.parametrize("wanted", ["", "nothing like it"])
def test_the_words_of_an_empty_page_are_not_cut(
    page: MainWindow, qtbot: QtBot, backend: ScriptedBackend, wanted: str
) -> None:
    if wanted:
        page.library_page.filter.setText(wanted)
    else:
        backend.rows.clear()
        page.library.refresh()
    qtbot.waitUntil(lambda: page.tasks.count == 0)
    for size in ((1600, 900), SMALLEST):
        page.resize(*size)
        qtbot.wait(30)
        shown = [part for part in page.library_page.findChildren(QLabel) if part.isVisible()]
        assert any("Drop files" in part.text() or "still there" in part.text() for part in shown)
        assert [why for part in shown if (why := why_clipped(part))] == []


def test_a_row_is_a_row_whatever_it_holds(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    backend.rows["bare"] = {"id": "bare", "name": None, "state": None, "collection": "Brackwater 2025"}
    window.library.refresh()
    window.show_page("library")
    qtbot.waitUntil(lambda: window.library.document("bare") is not None)
    window.grab()
    index = window.library_page.list.model().index(0, 0)
    assert index.data(DOCUMENT)["id"] == "bare"


def test_the_sidebar_counts_the_documents_as_they_come_in(page: MainWindow, qtbot: QtBot) -> None:
    first = page.library.collections[0]
    before = [row["documents"] for row in page.library.counted()]
    page.library.document_event(
        {"event": "document", "document": "new", "state": "waiting", "name": "new.pdf", "collection": first["name"]}
    )
    assert [row["documents"] for row in page.library.counted()] == [before[0] + 1, *before[1:]]
    shown = page.sidebar.collections.model()
    rows = [shown.index(at, 0) for at in range(shown.rowCount())]
    (row,) = [row for row in rows if row.data() == first["name"]]
    qtbot.waitUntil(lambda: row.data(Qt.ItemDataRole.AccessibleTextRole) == f"{first['name']}, {before[0] + 1}")
