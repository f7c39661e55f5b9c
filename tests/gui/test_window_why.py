"""Why an answer says what it says: the steps, the candidates, what became of them, and opening them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from desktop_rag.errors import StoreError
from desktop_rag.gui.chat.answer_card import AnswerCard
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.sources.pane import VIEWER, WHY
from desktop_rag.gui.trace import words
from tests.gui.script import PDF, finished, sources, stored, traced
from tests.gui.scripted import ScriptedBackend
from tests.gui.test_window_asking import ask


def why(window: MainWindow, qtbot: QtBot, card: AnswerCard) -> None:
    """Press the button under an answer and wait until everything is there."""
    (button,) = (b for b in card.findChildren(QAbstractButton) if b.accessibleName() == "Why this answer?")
    assert button.isVisible()
    button.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)


def answering(backend: ScriptedBackend, **data: Any) -> None:
    def answers(question: str) -> Iterator[dict[str, Any]]:
        yield from (stored(question), sources(), {**finished(), **data})

    backend.answers = answers


def test_every_candidate_stands_with_its_places_and_what_became_of_it(window: MainWindow, qtbot: QtBot) -> None:
    why(window, qtbot, ask(window, qtbot))
    assert window.pane.isVisible()
    assert window.pane.tab == WHY
    assert window.pane.trace.rows.spoken == [
        f"1. {PDF} · page 1, in the prompt, words 1, meaning 1, joined 1, reread 0.71",
        f"2. {PDF} · page 2, in the prompt, words 2, meaning 2, joined 2, reread 0.66",
        f"3. {PDF} · page 3, no room, meaning 3, joined 4, reread 0.40",
        "4. lab-protocol.md · Quality control, a repeat, words 3, joined 3",
        "5. removed since, not taken, meaning 4, joined 5",
    ]
    assert not window.pane.trace.notice.isVisible()


def test_the_steps_tell_what_they_found_and_how_long_they_took(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    answering(backend, timings_ms={"scrub": 12.0, "encode": 8.2, "prefill": 1840.0})
    why(window, qtbot, ask(window, qtbot))
    assert [(line.name, line.found, line.time) for line in window.pane.trace.lines] == [
        ("Question cleaned", "", "12 ms"),
        ("Question encoded", "", "8.2 ms"),
        ("Searched by words", "87 passages", "3.1 ms"),
        ("Searched by meaning", "100 passages", "6.4 ms"),
        ("Joined", "121 passages", "0.4 ms"),
        ("Read again", "30 passages", "212 ms"),
        ("Put into the prompt", "2 of 3, 612 tokens", ""),
        ("Prompt read", "", "1.8 s"),
    ]


def test_a_row_opens_its_passage_by_click_and_by_key(window: MainWindow, qtbot: QtBot) -> None:
    why(window, qtbot, ask(window, qtbot))
    rows = window.pane.trace.rows
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rows.place(1).center())
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert window.pane.tab == VIEWER
    assert window.backend.library.named("locate")[-1]["page"] == 2  # type: ignore[attr-defined]
    window.pane.show_tab(WHY)
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert window.pane.tab == VIEWER
    assert window.backend.library.named("locate")[-1]["page"] == 3  # type: ignore[attr-defined]


def test_a_row_whose_document_is_gone_opens_nothing(window: MainWindow, qtbot: QtBot) -> None:
    why(window, qtbot, ask(window, qtbot))
    rows = window.pane.trace.rows
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rows.place(4).center())
    assert window.pane.tab == WHY


def test_what_did_not_work_is_said(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    note = "The search by meaning failed and was left out."
    members = [{"name": "words", "state": "answered", "hits": 5, "ms": 3.0},
               {"name": "meaning", "state": "late", "hits": 0, "ms": 900.0}]  # fmt: skip
    answering(backend, trace={**traced(), "notes": [note], "members": members})
    why(window, qtbot, ask(window, qtbot))
    assert window.pane.trace.notice.sentence == note
    assert words.Line("Member: meaning", "was not done in time", "900 ms") in window.pane.trace.lines


def test_an_answer_of_a_stored_conversation_tells_it_too(window: MainWindow, qtbot: QtBot) -> None:
    window.wires.chat.open("c1")
    qtbot.waitUntil(lambda: window.chat.latest is not None and window.tasks.count == 0)
    assert window.chat.latest is not None
    card = window.chat.answer_card(window.chat.latest)
    assert card is not None
    why(window, qtbot, card)
    assert len(window.pane.trace.rows.spoken) == 5


def test_an_older_answer_says_that_nothing_was_kept(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    answering(backend, trace=None)
    why(window, qtbot, ask(window, qtbot))
    assert window.pane.trace.said == words.NOT_KEPT
    window.wires.chat.new_chat()
    assert window.pane.trace.said[0] == "Why this answer?"


def test_a_library_that_cannot_be_asked_leaves_the_numbers(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def refused(chunks: list[int]) -> dict[str, Any]:
        raise StoreError("locked", "Another program uses the library.", "Close it.")

    card = ask(window, qtbot)
    asked = backend.library.script["passages"]
    backend.library.script["passages"] = refused
    why(window, qtbot, card)
    assert "Another program" in window.pane.trace.notice.sentence
    backend.library.script["passages"] = asked
    window.pane.trace.reload()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert not window.pane.trace.notice.isVisible()
    assert PDF in window.pane.trace.rows.spoken[0]


def test_every_column_has_room_for_its_number_in_the_narrowest_pane(window: MainWindow, qtbot: QtBot) -> None:
    why(window, qtbot, ask(window, qtbot))
    rows = window.pane.trace.rows
    narrow = window.theme.tokens.size["pane_min"] - 2 * 12 - 2 * 8 - 24 - 4
    assert sum(rows.painter.widths(narrow)) <= narrow


@pytest.mark.parametrize("state", words.STATES)
def test_every_state_reads_without_its_colour(state: str) -> None:
    held = words.STATES[state]
    assert held.sign
    assert held.word
    assert held.meaning
