"""The review sheet in the window: by keyboard and by mouse, as text and as pages, one document and many."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from desktop_rag.errors import StoreError
from desktop_rag.gui.backend import Event
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.review.decisions import Span
from desktop_rag.gui.review.mask_menu import mask_menu
from desktop_rag.gui.review.rules_form import RulesForm
from desktop_rag.gui.review.sheet import MANY, ReviewSheet
from desktop_rag.gui.review.value_row import ROW
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy.scrub import POLICIES
from tests.gui.conftest import Open
from tests.gui.script import PDF, TEXT
from tests.gui.scripted import ScriptedBackend


def refuse(backend: ScriptedBackend, op: str, error: StoreError) -> None:
    """From now on an operation fails."""

    def fail(**_: Any) -> Event:
        raise error

    backend.library.script[op] = fail


def of(sheet: ReviewSheet, text: str) -> Span:
    assert sheet.present is not None
    return next(span for span in sheet.present.spans if span.text == text)


def select(sheet: ReviewSheet, text: str) -> None:
    panel = sheet.document.text
    cursor = QTextCursor(panel.document())
    cursor.setPosition(TEXT.index(text))
    cursor.setPosition(TEXT.index(text) + len(text), QTextCursor.MoveMode.KeepAnchor)
    panel.setTextCursor(cursor)


def test_the_review_is_done_by_keyboard(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    sheet = open_review(PDF)
    values = sheet.values
    assert window.focusWidget() is values
    assert sheet.counts == "10 found · 1 to check"
    doubtful = values.current
    assert doubtful is not None
    assert doubtful.doubtful, "the doubtful value does not come first"
    qtbot.keyClick(values, Qt.Key.Key_Space)
    assert not doubtful.replace
    assert sheet.counts == "10 found", "what was decided is not to be checked any more"
    qtbot.keyClicks(values, "jj")
    moved = values.current
    assert moved is not None
    assert moved.text == "Marta Lindqvist"
    qtbot.keyClicks(values, "n")
    assert not moved.replace
    qtbot.keyClicks(values, "a")
    assert moved.replace
    qtbot.keyClicks(values, "k")
    assert values.current is not None
    assert values.current.text == "Tomasz Okafor"
    qtbot.keyClick(values, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    (accepted,) = backend.library.named("accept")
    assert accepted["decisions"] == {PDF: {7: False}}
    assert window.page == "library"


def test_always_and_never_make_rules_that_can_be_taken_back(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    sheet = open_review(PDF)
    sheet.values.pick(of(sheet, "Daniel Hughes"))
    qtbot.keyClicks(sheet.values, "n")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert [(rule["kind"], rule["term"], rule["collection"]) for rule in backend.rules] == [
        ("never", "Daniel Hughes", "Brackwater 2025")
    ]
    assert sheet.values.entry is not None
    assert (sheet.values.entry.note, of(sheet, "Daniel Hughes").replace) == ("Never", False)
    assert sheet.notice.sentence == "“Daniel Hughes” is never replaced in Brackwater 2025 from now on."
    qtbot.keyClicks(sheet.values, "a")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert [(rule["kind"], rule["label"]) for rule in backend.rules] == [("always", "PERSON")]
    qtbot.keyClick(sheet.values, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert [rule["kind"] for rule in backend.rules] == ["never"], "what was said before holds again"
    sheet.foot.take_back.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert backend.rules == []
    assert of(sheet, "Daniel Hughes").replace
    assert not sheet.foot.take_back.isEnabled()


def test_a_rule_that_cannot_be_stored_is_told_and_the_decision_holds(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    sheet = open_review(PDF)
    refuse(backend, "rule_add", StoreError("disk_full", "The disk is full.", "Free some space."))
    sheet.values.pick(of(sheet, "2 March"))
    sheet.foot.always.emit()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert sheet.notice.sentence == "The disk is full."
    assert "not remembered" in sheet.notice.hint
    assert of(sheet, "2 March").replace


def test_the_mouse_can_do_the_same_by_a_menu(open_review: Open, window: MainWindow, qtbot: QtBot) -> None:
    sheet = open_review(PDF)
    sheet.values.pick(of(sheet, "Marta Lindqvist"))
    place = sheet.values.visualRect(sheet.values.currentIndex()).center()
    sheet.values.customContextMenuRequested.emit(place)
    menu = next(each for each in sheet.findChildren(QMenu) if each.isVisible())
    assert [action.text().split("\t")[0] for action in menu.actions()] == [
        "Keep as it is", "Always replace in this collection", "Never replace in this collection"
    ]  # fmt: skip
    menu.actions()[0].trigger()
    menu.close()
    assert not of(sheet, "Marta Lindqvist").replace


def test_text_is_masked_by_hand(open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    sheet = open_review(PDF)
    select(sheet, "control room")
    assert sheet.document.mask_button.isEnabled()
    sheet.document.text.setFocus()
    qtbot.keyClicks(sheet.document.text, "m")
    menu = next(each for each in sheet.findChildren(QMenu) if each.isVisible() and each.title() == "")
    next(action for action in menu.actions() if action.text() == "Place").trigger()
    menu.close()
    span = of(sheet, "control room")
    assert (span.label, span.replace) == ("LOCATION", True)
    assert sheet.values.current is span
    assert sheet.counts.startswith("11 found")
    window.review.leave()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    start = TEXT.index("control room")
    mark = {"page": 0, "start": start, "end": start + 12, "label": "LOCATION", "replace": True}
    assert backend.library.named("decide") == [{"document": PDF, "marks": [mark]}], "leaving keeps what was decided"


def test_the_keyboard_selects_text(open_review: Open, qtbot: QtBot) -> None:
    sheet = open_review(PDF)
    panel = sheet.document.text
    panel.setFocus()
    for _ in range(8):
        qtbot.keyClick(panel, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert panel.selection() == (0, 8)
    sheet.mask_selection("PERSON", everywhere=False)
    assert of(sheet, "Operator").replace


def test_a_selection_counts_characters_as_python_does(open_review: Open, backend: ScriptedBackend) -> None:
    sheet = open_review(PDF)
    assert sheet.present is not None
    sheet.present.text = "👷 Ann Lee 👷"
    sheet.present.spans = []
    sheet.document.text.show_document(sheet.present)
    cursor = QTextCursor(sheet.document.text.document())
    cursor.setPosition(3)
    cursor.setPosition(10, QTextCursor.MoveMode.KeepAnchor)
    sheet.document.text.setTextCursor(cursor)
    assert cursor.selectedText() == "Ann Lee"
    assert sheet.document.text.selection() == (2, 9)


def test_a_selection_without_a_word_masks_nothing_and_says_so(open_review: Open) -> None:
    sheet = open_review(PDF)
    select(sheet, ".")
    sheet.mask_selection("PERSON", everywhere=True)
    assert "no word" in sheet.notice.sentence
    assert sheet.counts.startswith("10 found")


def test_pages_show_boxes_that_are_picked_and_the_choice_is_remembered(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    sheet = open_review(PDF, "memo.docx", first=PDF)
    assert not sheet.document.shows_pages
    qtbot.keyClick(sheet.values, Qt.Key.Key_V)
    assert window.settings["review_pages"] is True
    pages = sheet.document.pages
    qtbot.waitUntil(lambda: window.tasks.count == 0 and len(pages._found) == 10)
    (asked,) = backend.library.named("review_boxes")
    assert (asked["page"], len(asked["ranges"])) == (1, 10), "one request for all places of the page"
    picked = of(sheet, "Daniel Hughes")
    (_, area), *_ = pages._visible()
    box = pages._found[0, picked.first, picked.last][0].center() * pages._scale
    place = (area.topLeft() + QPointF(box)).toPoint()
    QTest.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert sheet.values.current is picked
    sheet._turn(1)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert not sheet.document.shows_pages, "a document without pages is shown as text"
    sheet._turn(-1)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert sheet.document.shows_pages


def test_pages_that_cannot_be_had_give_way_to_the_text(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    sheet = open_review(PDF)
    refuse(backend, "page_sizes", StoreError("unreadable", "The page could not be opened."))
    sheet.document.show_pages(True)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert not sheet.document.shows_pages
    assert sheet.document.notice.sentence == "The page could not be opened."


def test_a_page_that_was_not_read_is_said(open_review: Open) -> None:
    assert open_review(PDF).document.notice.sentence == "Page 2 could not be read."


def test_the_policy_of_one_document_is_changed(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    sheet = open_review(PDF)
    policy = sheet.head.policy
    assert [policy.itemData(at) for at in range(policy.count())] == list(POLICIES)
    policy.setCurrentIndex(policy.findData("mask"))
    policy.activated.emit(policy.currentIndex())
    sheet.index.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert backend.library.named("accept")[0]["policies"] == {PDF: "mask"}


def test_many_documents_begin_with_all_their_values(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    names = [f"{number}.pdf" for number in range(MANY)]
    sheet = open_review(*names)
    qtbot.waitUntil(lambda: not sheet.session.missing and window.tasks.count == 0)
    assert sheet.present is None
    assert sheet.counts == f"{MANY} documents · {10 * MANY} found · {MANY} to check"
    assert sheet.index.text() == f"Index {MANY} documents"
    values = sheet.overview.values
    assert window.focusWidget() is values
    qtbot.keyClick(values, Qt.Key.Key_Space)
    assert sheet.counts == f"{MANY} documents · {10 * MANY} found"
    assert sheet.overview.places.model().rowCount() == MANY
    assert backend.library.named("review") == [], "no document was opened by itself"
    qtbot.keyClick(values, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert sheet.present is not None
    assert sheet.values.current is of(sheet, "Priya Raman")
    assert not of(sheet, "Priya Raman").replace, "what was decided for all holds in each"
    qtbot.keyClick(sheet.values, Qt.Key.Key_O)
    assert sheet.present is None
    sheet.index.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    kept = {name: {7: False} for name in names}
    asked = {call["document"]: call["ticks"] for call in backend.library.named("decide")}
    assert asked | backend.library.named("accept")[0]["decisions"] == kept


def test_a_document_of_the_overview_opens_by_the_keyboard(open_review: Open, window: MainWindow, qtbot: QtBot) -> None:
    sheet = open_review(*(f"{number}.pdf" for number in range(MANY)))
    documents = sheet.overview.documents
    documents.setCurrentIndex(documents.model().index(2, 0))
    documents.setFocus()
    qtbot.keyClick(documents, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert sheet.present is not None
    assert sheet.present.document == "2.pdf"


def test_decisions_that_could_not_be_stored_on_leaving_are_sent_with_the_last_word(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    sheet = open_review(PDF)
    refuse(backend, "decide", StoreError("disk_full", "The disk is full."))
    qtbot.keyClick(sheet.values, Qt.Key.Key_Space)
    sheet.leave()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert sheet.notice.sentence == "The disk is full."
    assert sheet.session.request()["decisions"] == {PDF: {7: False}}


def test_terms_edited_during_the_review_are_seen_in_it_with_what_was_decided(
    open_review: Open, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    sheet = open_review(PDF)
    qtbot.keyClick(sheet.values, Qt.Key.Key_Space)
    sheet.head.rules_wanted.emit()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    (form,) = window.findChildren(RulesForm)
    form.accept()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert [name for name, _ in backend.library.calls if name in ("decide", "review")] == ["review", "decide", "review"]
    assert backend.library.named("clean_again") == [{}], "a new rule holds for what is indexed, too"


def test_every_row_is_spoken_and_folds_by_keyboard(open_review: Open, qtbot: QtBot) -> None:
    sheet = open_review(PDF)
    model = sheet.values.model()
    spoken = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount())]
    assert "Priya Raman, Person, doubtful, replaced, Person?" in spoken
    rows = model.rowCount()
    sheet.values.setCurrentIndex(model.index(0, 0))
    qtbot.keyClick(sheet.values, Qt.Key.Key_Left)
    assert model.rowCount() == rows - 1
    assert model.index(0, 0).data(ROW).opened is False
    qtbot.keyClick(sheet.values, Qt.Key.Key_Right)
    assert model.rowCount() == rows


def test_the_menu_of_classes_has_both_ways(window: MainWindow, theme: Theme) -> None:
    chosen: list[tuple[str, bool]] = []
    menu = mask_menu(theme, window, lambda label, everywhere: chosen.append((label, everywhere)))
    next(action for action in menu.actions() if action.text() == "Person").trigger()
    here = menu.actions()[-1].menu()
    assert isinstance(here, QMenu)
    next(action for action in here.actions() if action.text() == "Person").trigger()
    assert chosen == [("PERSON", True), ("PERSON", False)]


@pytest.mark.parametrize("collection", ["Brackwater 2025", ""])
def test_rules_are_seen_added_and_forgotten(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, collection: str
) -> None:
    where = collection or None
    backend.rules = [
        {"id": 1, "kind": "always", "term": "Blue Heron", "label": "OWN_TERM", "collection": None},
        {"id": 2, "kind": "never", "term": "Halden", "label": "OWN_TERM", "collection": "Brackwater 2025"},
    ]
    window.wires.library.edit_rules(collection)
    (form,) = window.findChildren(RulesForm)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    rows = form.rules.model()
    assert rows.rowCount() == (2 if collection else 1)
    assert rows.index(0, 0).data().startswith("Blue Heron   always replaced, Own term")
    form.term.setText("  Otto Falk ")
    form.label.setCurrentIndex(form.label.findData("PERSON"))
    qtbot.keyClick(form.term, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert backend.library.named("rule_add") == [
        {"kind": "always", "term": "Otto Falk", "collection": where, "label": "PERSON"}
    ]
    assert form.term.text() == ""
    form.rules.setCurrentIndex(rows.index(rows.rowCount() - 1, 0))
    qtbot.keyClick(form.rules, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert "Otto Falk" not in [rule["term"] for rule in backend.rules]
    form.accept()
