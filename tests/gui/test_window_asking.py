"""Asking in the window: streaming, citations, failures, stopping."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop_rag.errors import DesktopRagError, EngineError, StoreError
from desktop_rag.gui.chat import inline
from desktop_rag.gui.chat.answer_card import CUT_OFF, AnswerCard
from desktop_rag.gui.chat.entries import ENDED
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.controls import Choice
from desktop_rag.gui.sources.pane import VIEWER
from tests.gui.script import ANSWER, PDF, absent, crash, finished, refuse, sources, stored, token
from tests.gui.scripted import ScriptedBackend

QUESTION = "Why was the pump stopped?"


def ask(window: MainWindow, qtbot: QtBot, question: str = QUESTION) -> AnswerCard:
    """Type a question, press Enter, and wait for the end of its answer."""
    window.chat.composer.edit.setFocus()
    qtbot.keyClicks(window.chat.composer.edit, question)
    qtbot.keyClick(window.chat.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.session.is_running and window.tasks.count == 0)
    card = window.chat.answer_card(window.chat.latest)
    assert card is not None
    return card


def visible(card: AnswerCard) -> str:
    """The words of an answer, without chips and marks."""
    return " ".join(card.text.toPlainText().replace(inline.OBJECT_CHARACTER, "").split())


def test_an_answer_ends_with_its_text_its_chips_and_its_numbers(window: MainWindow, qtbot: QtBot) -> None:
    window.reveal.set_shown(False)
    card = ask(window, qtbot)
    assert "Person 1 led the inspection" in visible(card)
    assert [card.text.chip_position(marker) is not None for marker in (1, 2, 3)] == [True, True, False]
    assert window.chat.composer.text() == ""
    assert "41.8 tok/s" in window.meter.spoken()
    assert "— of limit" in window.meter.spoken()
    assert len(window.pane.passages.cards) == 4


def test_an_answer_that_was_cut_off_says_so_and_what_to_do(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def cut(question: str) -> Iterator[dict[str, Any]]:
        yield from (stored(question), sources(), {**finished("The vibration alarm was"), "reason": "length"})

    assert not any("cut off" in part.text() for part in ask(window, qtbot).findChildren(QLabel))
    backend.answers = cut
    (footer,) = (part for part in ask(window, qtbot).findChildren(QLabel) if "cut off" in part.text())
    assert footer.toolTip() == CUT_OFF


def test_tokens_appear_while_they_come(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    window.reveal.set_shown(False)
    go_on = threading.Event()

    def slow(question: str) -> Iterator[dict[str, Any]]:
        yield stored(question)
        yield sources()
        yield token("The pump was stopped by [PERS", 0)
        go_on.wait(5)
        yield token("ON_1] at night.", 1)
        yield finished("The pump was stopped by [PERSON_1] at night.")

    backend.answers = slow
    window.chat.ask(QUESTION)
    qtbot.waitUntil(lambda: window.chat.latest is not None and window.chat.answer_card(window.chat.latest) is not None)
    card = window.chat.answer_card(window.chat.latest)
    assert card is not None
    qtbot.waitUntil(lambda: visible(card) == "The pump was stopped by")
    assert window.session.is_running
    go_on.set()
    qtbot.waitUntil(lambda: visible(card) == "The pump was stopped by Person 1 at night.")


def test_a_chip_opens_the_document_at_the_passage(window: MainWindow, qtbot: QtBot) -> None:
    card = ask(window, qtbot)
    place = card.text.chip_position(1)
    assert place is not None
    with qtbot.waitSignal(window.pane.viewer.shown):
        qtbot.mouseClick(card.text.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.pane.tab == VIEWER
    assert window.pane.isVisible()
    assert window.pane.viewer.pages.count == 4
    assert window.pane.viewer.pages.page == 1
    assert len(window.pane.viewer.pages.boxes) == 2
    assert card.text.painter.ringed == 1


def test_a_changed_original_shows_the_scrubbed_text_and_says_so(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    text = "A note. [PERSON_1] measured it."
    backend.library.script["locate"] = lambda **_: {"format": "pdf", "original": False, "start": 8, "end": 31}
    backend.library.script["document_view"] = lambda document: {
        "original": False,
        "note": "The file has changed.",
        "pages": [{"page": 1, "locator": None, "text": text}],
    }
    with qtbot.waitSignal(window.pane.viewer.shown):
        window.pane.open({"document": PDF, "name": PDF, "page": 1, "locator": None, "start": 0, "end": 5})
    assert window.pane.viewer.notice.sentence == "The file has changed."
    assert window.pane.viewer.text.highlighted == "[PERSON_1] measured it."


def test_a_crash_keeps_the_partial_answer_and_the_next_question_works(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.answers = crash
    card = ask(window, qtbot)
    assert visible(card) == ANSWER[:110].strip()
    assert "stopped unexpectedly" in card.notice.sentence
    backend.answers = backend.full_answer
    again = ask(window, qtbot, "And now?")
    assert "Both bearings were replaced" in visible(again)


def test_a_failure_after_storing_shows_its_sentence_with_retry(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def broken(question: str) -> Iterator[dict[str, Any]]:
        yield stored(question)
        raise EngineError("crashed", "The chat process stopped unexpectedly.", "Try again.", retryable=True)

    backend.answers = broken
    card = ask(window, qtbot)
    assert card.notice.sentence == "The chat process stopped unexpectedly."
    assert backend.questions == [QUESTION]


@pytest.mark.parametrize("error", [StoreError("disk_full", "The disk is full."), DesktopRagError("bug", "Went wrong.")])
def test_a_question_that_was_not_stored_stays_in_the_composer(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, error: DesktopRagError
) -> None:
    backend.answers = refuse(error)
    window.chat.composer.put(QUESTION)
    qtbot.keyClick(window.chat.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.session.is_running)
    assert window.chat.composer.text() == QUESTION
    assert window.chat.notice.sentence == error.message


def test_not_in_your_documents_looks_deliberate(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    backend.answers = absent
    card = ask(window, qtbot)
    assert "Not in your documents" in card.status
    assert card.nearest_names == [f"{PDF} · page 1", f"{PDF} · page 2", f"{PDF} · page 3"]


def test_stop_keeps_what_was_written(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    stopped = threading.Event()

    def endless(question: str) -> Iterator[dict[str, Any]]:
        try:
            yield stored(question)
            yield sources()
            for number in range(10_000):
                yield token("word ", number)
                stopped.wait(0.01)
        finally:
            stopped.set()

    backend.answers = endless
    window.chat.ask(QUESTION)
    qtbot.waitUntil(lambda: window.chat.latest is not None and "word word" in window.chat.latest.text)
    window.chat.composer.stopped.emit()
    qtbot.waitUntil(lambda: not window.session.is_running)
    assert stopped.is_set(), "the request was not closed"
    assert window.chat.latest is not None
    assert window.chat.latest.phase == ENDED
    card = window.chat.answer_card(window.chat.latest)
    assert card is not None
    assert "Stopped" in card.notice.sentence


def test_a_worker_that_does_not_obey_is_ended(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    def deaf(question: str) -> Iterator[dict[str, Any]]:
        yield stored(question)
        backend.chat.killed.wait(5)
        raise EngineError("crashed", "It was ended.")

    backend.answers = deaf
    window.chat.ask(QUESTION)
    qtbot.waitUntil(lambda: window.session.conversation == "c1")
    window.session.stop()
    qtbot.waitUntil(lambda: not window.session.is_running)
    assert backend.chat.killed.is_set()
    assert window.chat.latest is not None
    assert window.chat.latest.error is None


def test_the_toggle_shows_real_values(window: MainWindow, qtbot: QtBot) -> None:
    card = ask(window, qtbot)
    qtbot.waitUntil(lambda: window.reveal.value("[PERSON_1]") is not None)
    assert window.settings["real_values"] is True
    assert "Marta Lindqvist led the inspection" in visible(card)
    window.reveal.set_shown(False)
    assert window.settings["real_values"] is False, "who hides them for a meeting finds them hidden the next time"
    assert "Marta" not in visible(card)
    assert "Supported by the cited passage" in card.text.words_at("cite:1:supported")
    assert card.text.words_at("private:[PERSON_1]") == "Person 1 is Marta Lindqvist"
    window.reveal.set_shown(True)
    assert "Marta Lindqvist led the inspection" in visible(card)
    assert any(button.accessibleName() == "Hide real values" for button in window.chat.header.findChildren(IconButton))


def test_a_stored_conversation_opens_with_its_answer(window: MainWindow, qtbot: QtBot) -> None:
    window.wires.chat.open("c1")
    qtbot.waitUntil(lambda: window.chat.latest is not None)
    card = window.chat.answer_card(window.chat.latest)
    assert card is not None
    assert "Both bearings were replaced" in visible(card)


def test_a_long_conversation_makes_few_widgets(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    message = {"id": "m", "parent": None, "role": "assistant", "text": ANSWER, "data": finished()}
    backend.library.script["conversation"] = lambda id: {"messages": [message] * 1000}
    window.wires.chat.open("c1")
    qtbot.waitUntil(lambda: window.chat.latest is not None)
    qtbot.waitUntil(lambda: window.chat.answer_card(window.chat.latest) is not None)
    assert window.chat.column.shown < 40
    bar = window.chat.column.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    qtbot.waitUntil(lambda: window.chat.answer_card(window.chat.latest) is None)
    assert window.chat.column.shown < 40


def test_how_passages_are_searched_is_chosen_beside_the_question(window: MainWindow, qtbot: QtBot) -> None:
    composer, control = window.chat.composer, window.settings_page.controls["search"]
    assert isinstance(control, Choice)
    menu = composer.search.menu()
    assert [(action.text(), action.isChecked()) for action in menu.actions()] == [
        ("Standard", True),
        ("A closer look", False),
        ("Deep search", False),
    ]
    menu.actions()[2].trigger()
    assert window.settings["search"] == "deep"
    assert (composer.search.text(), control.currentText()) == ("Deep search", "Deep search")
    assert composer.search.accessibleName() == "Search: Deep search"
    control.activated.emit(1)
    assert (window.settings["search"], composer.search.text()) == ("rerank", "A closer look")
    assert [action.isChecked() for action in menu.actions()] == [False, True, False]
