"""The Privacy page: both examinations run, can be stopped, say what they found, and are saved as a page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop_rag.errors import EngineError
from desktop_rag.gui.backend import Event
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.privacy.page import PrivacyPage
from desktop_rag.gui.privacy.panel import ExaminationPanel
from desktop_rag.gui.seal.card import SealCard
from desktop_rag.privacy import audit
from tests.gui import privacy_script
from tests.gui.scripted import ScriptedBackend


@pytest.fixture
def page(window: MainWindow) -> PrivacyPage:
    """The page, opened from the sidebar."""
    window.sidebar.page_chosen.emit("privacy")
    assert window.privacy.isVisible()
    return window.privacy


def run(panel: ExaminationPanel, qtbot: QtBot) -> str:
    """Press Run and wait; what the panel says then."""
    panel.run.click()
    qtbot.waitUntil(lambda: not panel.examination.running)
    return "\n".join(one.text() for one in panel.findChildren(QLabel) if one.isVisible())


def test_a_clean_audit(page: PrivacyPage, qtbot: QtBot, backend: ScriptedBackend, tmp_path: Path) -> None:
    backend.library.script["audit"] = lambda **_: privacy_script.audited(privacy_script.CLEAN)
    said = run(page.audit, qtbot)
    assert page.audit.verdict.text().startswith("Clean:")
    assert page.audit.verdict.property("tone") == "ok"
    assert "31 files" in said
    assert "Brackwater 2025" in said
    page.audit.export(str(tmp_path / "audit.html"))
    saved = (tmp_path / "audit.html").read_text()
    assert "Leak audit" in saved
    assert "214" in saved


def test_what_could_not_be_looked_for_is_said_only_where_there_is_some() -> None:
    assert "12 values are too short or too common to look for." in audit.lines(privacy_script.CLEAN)
    assert not any("too short" in line for line in audit.lines({**privacy_script.CLEAN, "left_out": 0}))


def test_an_audit_that_finds_something_says_where(page: PrivacyPage, qtbot: QtBot, backend: ScriptedBackend) -> None:
    backend.library.script["audit"] = lambda **_: privacy_script.audited(privacy_script.LEAKING)
    said = run(page.audit, qtbot)
    assert page.audit.verdict.text() == "NOT clean: replaced values still stand in 1 file and 1 cleaned text."
    assert page.audit.verdict.property("tone") == "bad"
    assert "settings.json: [EMAIL_ADDRESS_2], 3 ×" in said
    assert "the cleaned text of lab-protocol.md" in said
    assert "old.pdf: The file is not there any more." in said


def test_the_self_test_names_what_is_weak(
    page: PrivacyPage, qtbot: QtBot, backend: ScriptedBackend, tmp_path: Path
) -> None:
    backend.selftest = privacy_script.tested
    said = run(page.selftest, qtbot)
    assert "None of 1,019 planted values" in page.selftest.verdict.text()
    assert "Passwords and keys · weak" in said
    assert "Names of persons\n" in said
    page.selftest.export(str(tmp_path / "selftest.html"))
    saved = (tmp_path / "selftest.html").read_text()
    assert "Self-test of privacy" in saved
    assert "Weak points" in saved


def test_nothing_is_run_unasked_and_nothing_can_be_saved_before(page: PrivacyPage, backend: ScriptedBackend) -> None:
    assert not page.audit.save.isVisible()
    assert backend.library.named("audit") == []


def test_it_can_be_stopped_and_run_again(page: PrivacyPage, qtbot: QtBot, backend: ScriptedBackend) -> None:
    go_on = threading.Event()

    def slow(**_: object) -> Iterator[Event]:
        yield {"event": "progress", "text": "looking into the files 1 %", "fraction": 0.01}
        go_on.wait(5)
        yield from privacy_script.audited(privacy_script.CLEAN)

    backend.library.script["audit"] = slow
    page.audit.run.click()
    qtbot.waitUntil(lambda: page.audit.examination.share is not None)
    assert page.audit.run.text() == "Stop"
    page.audit.run.click()
    go_on.set()
    qtbot.waitUntil(lambda: not page.audit.examination.running)
    assert page.audit.examination.result == {}
    assert page.audit.run.text() == "Run"
    backend.library.script["audit"] = lambda **_: privacy_script.audited(privacy_script.CLEAN)
    run(page.audit, qtbot)
    assert page.audit.run.text() == "Run again"


def test_what_went_wrong_is_said_in_the_panel(page: PrivacyPage, qtbot: QtBot, backend: ScriptedBackend) -> None:
    def broken(**_: object) -> Iterator[Event]:
        yield {"event": "progress", "text": "looking", "fraction": 0.1}
        raise EngineError("crashed", "The library process stopped unexpectedly.", "Try again.")

    backend.library.script["audit"] = broken
    assert "The library process stopped unexpectedly." in run(page.audit, qtbot)
    assert not page.audit.save.isVisible()


def test_a_folder_that_cannot_be_written_is_said(
    page: PrivacyPage, qtbot: QtBot, backend: ScriptedBackend, tmp_path: Path
) -> None:
    backend.library.script["audit"] = lambda **_: privacy_script.audited(privacy_script.CLEAN)
    run(page.audit, qtbot)
    (tmp_path / "file").write_text("no folder")
    page.audit.export(str(tmp_path / "file" / "audit.html"))
    assert page.audit.notice.isVisible()
    assert page.audit.notice.property("kind") == "error"


def test_the_seal_is_seen_and_proved_from_here(window: MainWindow, page: PrivacyPage) -> None:
    assert page.seal.text() == "Sealed"
    for button in (page.seal, page.prove):
        button.click()
        (card,) = (card for card in window.findChildren(SealCard) if card.isVisible())
        inside = window.rect().translated(window.mapToGlobal(QPoint(0, 0)))
        assert inside.left() < card.geometry().left()
        assert card.geometry().top() >= button.mapToGlobal(QPoint(0, button.height())).y()
        card.close()


def test_receipts_are_made_in_the_library(window: MainWindow, page: PrivacyPage) -> None:
    page.to_library.click()
    assert window.page == "library"
