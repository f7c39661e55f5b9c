"""Having everything read for a question: offered, followed while it runs, and told in the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from pytestqt.qtbot import QtBot

from desktop_rag.gui.main_window import MainWindow
from tests.gui.script import finished, sources, stored
from tests.gui.scripted import ScriptedBackend
from tests.gui.test_window_asking import ask

QUESTION = "List all parts that were replaced."
LINES = "- The coupling insert was replaced.\n- The bearing was replaced."
EVERYTHING = {"passages_read": 203, "passages_total": 203, "pages_read": 69, "pages_total": 69}


def reading(read: int) -> dict[str, Any]:
    return {"event": "reading_all", **EVERYTHING, "passages_read": read, "pages_read": 0}


def quoted() -> dict[str, Any]:
    sentences = [{"start": 0, "end": 35, "support": "supported", "citations": [1]},
                 {"start": 36, "end": 63, "support": "supported", "citations": [2]}]  # fmt: skip
    told = {"strategy": "whole", "coverage": EVERYTHING, "sentences": sentences, "whole": "list"}
    return {**finished(LINES), **told}


def test_a_question_that_asks_for_all_is_offered_to_be_read_whole(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def some(question: str) -> Iterator[dict[str, Any]]:
        yield from (stored(question), sources(), {**finished(), "whole": "list", "strategy": "concat"})

    backend.answers = some
    card = ask(window, qtbot, QUESTION)
    assert "asks for all there is" in card.notice.sentence
    backend.answers = lambda question: iter((stored(question), sources(), reading(8), quoted()))
    card.read_all.emit(card._answer.question)
    qtbot.waitUntil(lambda: not window.session.is_running and window.tasks.count == 0)
    assert backend.strategies == [None, "whole"]
    assert window.chat.latest is not None
    whole = window.chat.answer_card(window.chat.latest)
    assert whole is not None
    assert "2 places found · 69 of 69 pages · 203 of 203 passages read" in whole.footer
    assert not whole.notice.isVisible()
    assert not whole.offers_all
    assert window.chat.latest.shown_passages == window.chat.latest.citations


def test_any_answer_that_rests_on_a_part_offers_the_whole(window: MainWindow, qtbot: QtBot) -> None:
    card = ask(window, qtbot)
    assert card.offers_all
    assert not card.notice.isVisible(), "nobody asked for all there is"


def test_how_far_the_reading_is_stands_above_the_answer(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    go_on = threading.Event()

    def slow(question: str) -> Iterator[dict[str, Any]]:
        yield from (stored(question), sources(), reading(120))
        go_on.wait(5)
        yield quoted()

    backend.answers = slow
    window.chat.ask(QUESTION)
    qtbot.waitUntil(lambda: window.chat.latest is not None and bool(window.chat.latest.reading_all))
    card = window.chat.answer_card(window.chat.latest)
    assert card is not None
    assert card.status == "Reading everything: 120 of 203 passages…"
    go_on.set()
    qtbot.waitUntil(lambda: not window.session.is_running and window.tasks.count == 0)
    assert card.status == ""


def test_the_model_can_be_asked_to_write_from_what_is_quoted(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.answers = lambda question: iter((stored(question), sources(), reading(203), quoted()))
    card = ask(window, qtbot, QUESTION)
    assert card.offers_text
    go_on = threading.Event()

    def written(question: str) -> Iterator[dict[str, Any]]:
        yield from (stored(question), sources(), reading(203))
        yield {"event": "reducing", "read": 4, "total": 9, "turn": 1}
        go_on.wait(5)
        yield {**finished(), "strategy": "map_reduce", "coverage": EVERYTHING}

    backend.answers = written
    card.write_out.emit(QUESTION)
    qtbot.waitUntil(lambda: window.chat.latest is not None and window.chat.latest.reading_all.get("turn") == 1)
    assert window.chat.latest is not None
    latest = window.chat.answer_card(window.chat.latest)
    assert latest is not None
    assert latest.status == "Reading what was found: 4 of 9 passages…"
    go_on.set()
    qtbot.waitUntil(lambda: not window.session.is_running and window.tasks.count == 0)
    assert backend.strategies == [None, "map_reduce"]
    assert "69 of 69 pages" in latest.footer
    assert not latest.offers_text
