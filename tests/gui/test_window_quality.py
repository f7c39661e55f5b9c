"""The Search quality page: good answers, typed questions, a measurement from start to verdict, and the weights."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop_rag.errors import UsageError
from desktop_rag.gui.chat.answer_card import GOOD, NOT_GOOD
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.quality import words
from tests.gui import quality_script
from tests.gui.script import PDF, absent
from tests.gui.scripted import ScriptedBackend
from tests.gui.test_window_asking import ask

QUESTION = "Who signed the report?"


def button(place: QWidget, name: str) -> QAbstractButton:
    (found,) = (b for b in place.findChildren(QAbstractButton) if b.accessibleName() == name and not b.isHidden())
    return found


def press(window: MainWindow, qtbot: QtBot, place: QWidget, name: str) -> None:
    button(place, name).click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)


@pytest.fixture
def quality(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> MainWindow:
    """The window with the page open, and one question on it."""
    backend.library.script["judge"](question=QUESTION)
    window.show_page("bench")
    press(window, qtbot, window.bench, "Search quality")
    assert window.page == "quality"
    return window


def test_a_good_answer_is_marked_and_the_mark_is_taken_back(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    card = ask(window, qtbot)
    press(window, qtbot, card, GOOD)
    assert backend.library.named("judge") == [{"message": "m2"}]
    assert [row["message"] for row in window.quality_state.questions] == ["m2"]
    window.wires.chat.open("c1")
    qtbot.waitUntil(lambda: window.chat.latest is not None and window.tasks.count == 0)
    assert window.chat.latest is not None
    again = window.chat.answer_card(window.chat.latest)
    assert again is not None
    press(window, qtbot, again, NOT_GOOD)
    assert backend.judged == []
    assert button(again, GOOD).isVisible()


def test_an_answer_that_was_not_found_cannot_be_called_good(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.answers = absent
    card = ask(window, qtbot)
    assert not any(b.accessibleName() == GOOD and b.isVisible() for b in card.findChildren(QAbstractButton))


def test_an_answer_that_cannot_be_kept_says_why(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    def refused(**_: Any) -> dict[str, Any]:
        raise UsageError("bad_request", "No passage of this is in the library.")

    backend.library.script["judge"] = refused
    press(window, qtbot, ask(window, qtbot), GOOD)
    assert "No passage" in window.chat.notice.sentence


def test_a_measurement_ends_in_a_table_a_verdict_and_bars(quality: MainWindow, qtbot: QtBot) -> None:
    page = quality.quality
    page.run.click()
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    results = page.results
    assert results.table.rows[3] == ("0.803", "0.783", "0.903", "0.703", "11 ms", "0.012")
    assert results.table.rows[0] == ("0.712", "0.692", "0.812", "0.612", "3.1 ms", "–")
    assert results.verdict.text() == "Use hybrid: rerank is not surely better, and slower."
    assert results.reasons.text().startswith("Hybrid beats BM25")
    assert [bar.text for bar in results.plot.bars] == ["0.712", "0.655", "0.748", "0.803", "0.841", "0.839"]
    assert results.left_out.text().startswith("1 question left out")
    assert results.choice.count() == 2


def test_encoders_are_compared_side_by_side(quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    page, asked = quality.quality, []

    def measure(**args: Any) -> Iterator[dict[str, Any]]:
        asked.append(args)
        one = quality_script.one_set("Contracts", sure=False) | quality_script.side_by_side()
        yield {"event": "done", "sets": [one], "left_out": 0}

    backend.library.script["measure"] = measure
    page.encoders.click()
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    assert asked == [{"encoders": ["all"]}]
    results = page.results
    assert results.encoders.rows == [
        ("en", "25 MB", "95/s", "0.748", "0.803"),
        ("many", "128 MB", "34/s", "0.771", "0.812"),
    ]
    assert "no sure difference" in results.encoders_verdict.text()
    assert results.encoders_title.isVisible()
    assert not results.change.isVisible(), "a lead that may be chance is no reason to change"
    tips = {cell.toolTip() for cell in results.encoders.findChildren(QLabel)}
    assert "Half of the questions within 9 ms, 19 of 20 within 21 ms, p = 0.012 against BM25" in tips
    page.run.click()
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    assert asked[-1] == {}


def test_how_long_the_other_encoders_take_is_said_while_they_run(
    quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    go_on = threading.Event()

    def slow(**_: Any) -> Iterator[dict[str, Any]]:
        told = {"encoder": "multilingual-e5-small", "passages": 1203, "seconds": 33.4}
        yield {"event": "progress", "text": "to encode …", "foreseen": told}
        yield {"event": "progress", "text": "encoding 1,203 passages 8 %", "fraction": 0.08}
        go_on.wait(5)
        yield from quality_script.measured()

    backend.library.script["measure"] = slow
    page = quality.quality
    page.encoders.click()
    qtbot.waitUntil(lambda: quality.quality_state.share == 0.08)
    assert page.foreseen.text() == "To encode 1\u202f203 passages with multilingual-e5-small takes about 30 s."
    assert page.foreseen.isVisible()
    assert words.doing(quality.quality_state.text) == "Encoding 1,203 passages 8 %"
    assert words.doing("Brackwater 2025: bm25 8 %") == "Measuring Brackwater 2025: bm25 8 %"
    go_on.set()
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    assert not page.foreseen.isVisible()


def test_the_surely_better_encoder_is_offered_once(quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    asked = []

    def measure(**_: Any) -> Iterator[dict[str, Any]]:
        one = quality_script.one_set("Brackwater 2025", sure=False) | quality_script.side_by_side(sure=True)
        yield {"event": "done", "sets": [one], "left_out": 0}

    def change(**args: Any) -> Iterator[dict[str, Any]]:
        asked.append(args)
        yield {"event": "encoding", "collection": "Brackwater 2025", "encoder": args["name"],
               "passages_done": 3, "passages": 41}  # fmt: skip
        yield {"event": "done", "collection": {}}

    backend.library.script |= {"measure": measure, "collection_encoder": change}
    page = quality.quality
    page.encoders.click()
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    press(quality, qtbot, page.results, "Change to multilingual-e5-small")
    assert asked == [{"collection": 1, "name": "multilingual-e5-small"}]
    assert page.notice.sentence.startswith("“Brackwater 2025” is encoded anew with multilingual-e5-small.")
    assert not page.results.change.isVisible()


def test_weights_are_kept_only_where_they_are_surely_better(
    quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    page = quality.quality
    page.run.click()
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    results = page.results
    results.choice.setCurrentIndex(1)
    results.choice.activated.emit(1)
    assert not results.keep.isVisible()
    assert "may be chance" in results.weights.text()
    results.choice.setCurrentIndex(0)
    results.choice.activated.emit(0)
    assert results.keep.isVisible()
    press(quality, qtbot, results, "Keep these weights")
    assert backend.library.named("collection_fusion") == [{"collection": 1, "fusion": "votes:0.4"}]
    assert page.notice.sentence == "votes:0.4 is in use from now on in “Brackwater 2025”."
    assert not results.keep.isVisible()
    press(quality, qtbot, results, "Use the usual weights")
    assert backend.library.named("collection_fusion")[-1] == {"collection": 1, "fusion": "usual"}
    assert not results.usual.isVisible()


def test_a_question_is_typed_and_its_passages_are_ticked(
    quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    form = quality.quality.questions.form
    form.field.setText("  What is the cause? ")
    form.field.returnPressed.emit()
    qtbot.waitUntil(lambda: bool(form.ticks) and quality.tasks.count == 0)
    assert backend.library.named("search") == [
        {"query": "What is the cause?", "collection": 1, "mode": "hybrid", "k": 8}
    ]
    assert [tick.text() for tick in form.ticks][:2] == [f"{PDF} · page 1", f"{PDF} · page 2"]
    assert not form.keep.isEnabled()
    form.ticks[1].setChecked(True)
    press(quality, qtbot, form, "Keep question")
    (kept,) = backend.library.named("judge")
    assert (kept["question"], [passage["page"] for passage in kept["passages"]]) == ("What is the cause?", [2])
    assert form.ticks == []
    assert form.field.text() == ""


def test_a_question_is_forgotten_and_its_passage_opened(
    quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    panel = quality.quality.questions
    press(quality, qtbot, panel, f"{PDF} · page 1")
    assert quality.pane.viewer.document == PDF
    press(quality, qtbot, panel, f"Forget “{QUESTION}”")
    assert backend.judged == []
    assert not quality.quality.run.isEnabled(), "there is nothing to measure by any more"


def test_a_folder_is_measured_without_weights_to_keep(
    quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    quality.quality.measure_folder("/sets/manuals")
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    results = quality.quality.results
    assert results.about.text() == "manuals · 24 questions · all-MiniLM-L6-v2"
    assert len(results.table.rows) == 6
    assert not results.weights.isVisible()
    assert not results.choice.isVisible()


def test_a_measurement_can_be_stopped(quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    go_on = threading.Event()

    def slow(**_: Any) -> Iterator[dict[str, Any]]:
        yield {"event": "progress", "text": "Brackwater 2025: bm25 8 %", "fraction": 0.08}
        go_on.wait(5)
        yield from quality_script.measured()

    backend.library.script["measure"] = slow
    page = quality.quality
    page.run.click()
    qtbot.waitUntil(lambda: quality.quality_state.share == 0.08)
    assert page.run.text() == "Stop"
    page.run.click()
    assert not page.run.isEnabled()
    go_on.set()
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    assert (page.run.text(), quality.quality_state.sets) == ("Measure", [])


def test_what_went_wrong_is_said_on_the_page(quality: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    def refused(**_: Any) -> dict[str, Any]:
        raise UsageError("bad_request", "There are no questions of your own to measure by yet.", "Call answers good.")

    backend.library.script["measure"] = refused
    quality.quality.run.click()
    qtbot.waitUntil(lambda: quality.tasks.count == 0)
    assert quality.quality.notice.sentence.startswith("There are no questions")
