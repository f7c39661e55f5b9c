"""The classes of personal data in the window: what is usual, what is changed, and the word more that leaving takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop_rag.errors import StoreError
from desktop_rag.gui.backend import Event
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.review.rules_form import RulesForm
from tests.gui.real import ON_REAL_WORKERS, PATIENCE_MS, idle
from tests.gui.scripted import ScriptedBackend


@pytest.fixture
def classes_form(window: MainWindow, qtbot: QtBot) -> RulesForm:
    window.wires.library.edit_rules("Brackwater 2025")
    (form,) = window.findChildren(RulesForm)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    form.tabs.buttons[1].click()
    return form


def choose(form: RulesForm, label: str, treatment: str, threshold: float | None = None) -> None:
    choice = form.classes.choices[label]
    choice.setCurrentIndex(next(n for n in range(choice.count()) if [*choice.itemData(n)] == [treatment, threshold]))
    choice.activated.emit(choice.currentIndex())


def test_every_class_shows_what_is_usual_and_a_quasi_one_is_changed_at_once(
    classes_form: RulesForm, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    choices = classes_form.classes.choices
    assert choices["PERSON"].currentText() == "Replace (usual)"
    assert choices["LOCATION"].currentText() == "Leave (usual)"
    choose(classes_form, "LOCATION", "replace")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert backend.library.named("rule_class") == [
        {"label": "LOCATION", "treatment": "replace", "threshold": None, "collection": "Brackwater 2025"}
    ]
    assert choices["LOCATION"].currentText() == "Replace"
    assert "1 changed" in classes_form.tabs.buttons[1].text()


@pytest.mark.parametrize("threshold", [None, 0.8])
def test_what_is_usually_replaced_stays_readable_only_after_a_word_more(
    classes_form: RulesForm, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, threshold: float | None
) -> None:
    person = classes_form.classes.choices["PERSON"]
    choose(classes_form, "PERSON", "replace" if threshold else "leave", threshold)
    assert backend.library.named("rule_class") == []
    assert person.currentText() == "Replace (usual)", "nothing has changed yet"
    assert "readable" in classes_form.notice.sentence
    assert ("80%" in classes_form.notice.sentence) is (threshold is not None)
    word = "Replace the sure ones" if threshold else "Leave it readable"
    next(b for b in classes_form.notice.findChildren(QPushButton) if b.text() == word).click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert person.currentText() == ("Replace if 80% sure" if threshold else "Leave")
    choose(classes_form, "PERSON", "replace")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert person.currentText() == "Replace (usual)"
    assert [told["treatment"] for told in backend.library.named("rule_class")][-1] == "replace"


def test_a_class_that_could_not_be_stored_shows_what_holds(
    classes_form: RulesForm, window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    def fail(**_: Any) -> Event:
        raise StoreError("disk_full", "The disk is full.")

    backend.library.script["rule_class"] = fail
    choose(classes_form, "LOCATION", "replace")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert classes_form.notice.sentence == "The disk is full."
    assert classes_form.classes.choices["LOCATION"].currentText() == "Leave (usual)"


def test_the_wheel_scrolls_the_classes_and_changes_none(classes_form: RulesForm, backend: ScriptedBackend) -> None:
    person = classes_form.classes.choices["PERSON"]
    person.setFocus()
    for target in (person, classes_form.classes.choices["LOCATION"]):
        middle = QPointF(target.rect().center())
        for step in (-120, 120):
            turn = QWheelEvent(
                middle, target.mapToGlobal(middle), QPoint(), QPoint(0, step), Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(target, turn)
    assert person.currentText() == "Replace (usual)"
    assert not classes_form.notice.isVisible()
    assert backend.library.named("rule_class") == []


class TestOnTheRealLibrary:
    pytestmark = ON_REAL_WORKERS

    def test_what_was_chosen_holds_in_the_next_document(
        self, open_real: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
    ) -> None:
        window = open_real(policy="mask", review=False)
        idle(window, qtbot)
        window.wires.library.edit_rules("")
        (form,) = window.findChildren(RulesForm)
        qtbot.waitUntil(lambda: bool(form.classes.choices), timeout=PATIENCE_MS)
        choose(form, "LOCATION", "replace")
        qtbot.waitUntil(lambda: form.classes.changed == 1, timeout=PATIENCE_MS)
        form.accept()
        letter = tmp_path / "letter.txt"
        letter.write_text("Jean Rivera moved to Leeds, says the report of the city council.\n")
        window.add_paths([str(letter)])
        idle(window, qtbot)
        (row,) = window.library.documents()
        (page,) = window.backend.library.call("document_text", document=row["id"])["pages"]
        assert page["text"].startswith("[PERSON] moved to [LOCATION], says")
