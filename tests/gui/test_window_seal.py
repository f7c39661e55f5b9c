"""The shield's card: what it says of each process, the proof it runs, and the log of connections."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop_rag.errors import EngineError
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.seal import lines
from desktop_rag.gui.seal.card import SealCard
from desktop_rag.gui.seal.chip import TEAM_WORDS
from tests.gui.model_steps import idle, shield
from tests.gui.real import ON_REAL_WORKERS, PATIENCE_MS
from tests.gui.scripted import ScriptedBackend


def proof(sealed: bool = True, seal: str = "seccomp", **children: Any) -> dict[str, Any]:
    attempts = [{"call": "connect to 127.0.0.1:9 (IPv4)", "result": "refused" if sealed else "open", "errno": "EACCES"}]
    return {"seal": seal, "sealed": sealed, "words": "As it is.", "attempts": attempts, "children": children}


@pytest.fixture
def proving(backend: ScriptedBackend) -> ScriptedBackend:
    """Three processes that prove their seal; the library's reader does not run."""
    for worker in (backend.chat, backend.models):
        worker.script["prove"] = proof
    backend.library.script["prove"] = lambda: proof(parse={})
    return backend


def opened(window: MainWindow) -> SealCard:
    window.chat.header.seal.click()
    (card,) = (card for card in window.findChildren(SealCard) if card.isVisible())
    return card


def said(card: SealCard) -> list[str]:
    """The words that can be read on the card."""
    return [one.text() for one in card.findChildren(QLabel) if one.isVisible() and one.text()]


@pytest.fixture
def proved(window: MainWindow, qtbot: QtBot) -> Callable[[], SealCard]:
    """Opens the card, presses its button and waits for the answers."""

    def prove() -> SealCard:
        card = opened(window)
        card.prove.click()
        idle(window, qtbot)
        return card

    return prove


@pytest.mark.usefixtures("proving")
def test_the_sentence_is_said_once(window: MainWindow) -> None:
    words = said(opened(window))
    assert sum(lines.ENFORCED in word for word in words) == 1
    assert words.count("Sealed") == 3
    assert "Nothing leaves this computer" in words


def test_every_process_that_runs_proves_its_seal_and_none_is_started(
    window: MainWindow, proving: ScriptedBackend, proved: Callable[[], SealCard]
) -> None:
    proving.models.hello = None
    card = proved()
    words = said(card)
    assert words.count("Proved") == 2
    assert words.count("Connect refused by the system: EACCES") == 2
    assert any(word.startswith("All 2 processes were refused every connection. ") for word in words)
    assert "Not running" in words
    assert proving.models.named("prove") == []
    assert shield(window) == "Network: Sealed"


def test_the_reader_of_files_is_proved_through_the_library(
    proving: ScriptedBackend, proved: Callable[[], SealCard]
) -> None:
    proving.library.script["prove"] = lambda: proof(parse=proof())
    words = said(proved())
    assert "Reader of files" in words
    assert words.count("Proved") == 4


def test_the_window_goes_on_while_a_process_is_asked(
    window: MainWindow, qtbot: QtBot, proving: ScriptedBackend
) -> None:
    answer = threading.Event()

    def slowly() -> dict[str, Any]:
        answer.wait(10)
        return proof()

    proving.chat.script["prove"] = slowly
    card = opened(window)
    assert not card.copy.isVisible()
    card.prove.click()
    qtbot.waitUntil(lambda: said(card).count("Proved") == 2)
    assert not card.prove.isEnabled()
    assert card.prove.text() == "Asking …"
    window.proving.run()
    answer.set()
    idle(window, qtbot)
    assert said(card).count("Proved") == 3
    assert len(proving.library.named("prove")) == 1, "nobody is asked twice at a time"


def test_a_proof_that_fails_turns_the_shield_bad(
    window: MainWindow, proving: ScriptedBackend, proved: Callable[[], SealCard]
) -> None:
    proving.chat.script["prove"] = lambda: proof(sealed=False)
    card = proved()
    assert shield(window) == "Network: The seal is broken"
    assert window.chat.header.seal.property("kind") == "alarm"
    words = said(card)
    assert "A process can open connections" in words
    assert "Nothing leaves this computer" not in words
    assert "Not sealed" in words
    assert any(word.startswith("The seal is broken: only 2 of 3 processes were refused.") for word in words)
    card.close()
    proving.chat.pid = 4711
    window.wires.start.show_seal()
    assert shield(window) == "Network: Sealed", "the process that failed is gone"


def test_a_system_without_a_lock_is_no_alarm(
    window: MainWindow, proving: ScriptedBackend, proved: Callable[[], SealCard]
) -> None:
    for worker in proving.running:
        worker.hello = {**(worker.hello or {}), "seal": "audit"}
        worker.script["prove"] = lambda: proof(sealed=False, seal="audit")
    words = said(proved())
    window.wires.start.show_seal()
    assert shield(window) == "Network: Sealed in part"
    assert any(lines.WATCHED in word for word in words)
    assert words.count("No stronger lock on this system") == 3


def test_a_process_that_cannot_answer_says_why(proving: ScriptedBackend, proved: Callable[[], SealCard]) -> None:
    def gone() -> dict[str, Any]:
        raise EngineError("hung", "The chat process stopped answering.")

    proving.chat.script["prove"] = gone
    words = said(proved())
    assert "The chat process stopped answering." in words
    assert any(word.startswith("2 of 3 processes were refused every connection.") for word in words)


@pytest.mark.usefixtures("proving")
def test_details_open_and_the_report_is_plain_text(proved: Callable[[], SealCard]) -> None:
    card = proved()
    assert not card.details.isVisible()
    before = card.height()
    card.details.button.click()
    assert card.details.isVisible()
    assert card.height() > before
    assert "connect to 127.0.0.1:9 (IPv4): refused (EACCES)" in card.details.text.text()
    card.copy.click()
    report = QGuiApplication.clipboard().text()
    assert report.startswith("Desktop RAG: proof of the seal\n")
    assert "All 3 processes were refused every connection." in report
    assert card.copy.text() == "Copied"


def test_the_log_of_connections_is_on_the_card(window: MainWindow, backend: ScriptedBackend) -> None:
    backend.connections = [
        _row("2026-11-12T08:00:00+00:00", "begun"),
        _row("2026-11-20T09:12:44+00:00", "connection", host="models.example", port=443),
        *[_row("2026-11-21T10:00:00+00:00", "socket", allowed=False)] * 2,
    ]
    card = opened(window)
    assert "1 connection since 12 November 2026" in said(card)
    assert "Each one is written down before it is made. 1 kind of attempt refused." in said(card)
    card.log.button.click()
    refused, connected = card.log.text.text().split("\n")[0::2]
    assert refused.endswith("socket refused 2 times")
    assert connected.endswith("models.example:443")


def test_without_any_connection_there_is_nothing_to_unfold(window: MainWindow) -> None:
    card = opened(window)
    assert "0 connections so far" in said(card)
    assert not card.log.button.isVisible()


@pytest.mark.parametrize(
    ("address", "sealed", "word", "line"),
    [
        ("http://192.0.2.7:8000", True, "Sealed", None),
        ("http://192.0.2.7:8000", False, TEAM_WORDS, "Team server"),
        ("http://127.0.0.1:8000", True, "Sealed", "Team server on this computer"),
    ],
)
def test_a_team_server_is_on_the_shield(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, address: str, sealed: bool, word: str, line: str | None
) -> None:
    window.settings.set("sealed", sealed)
    collections = backend.library.script["collections"]()["collections"]
    collections[0]["server"] = address
    backend.library.script["collections"] = lambda: {"collections": collections}
    window.library.refresh_collections()
    idle(window, qtbot)
    assert shield(window) == f"Network: {word}"
    words = said(opened(window))
    assert [name for name in ("Team server", "Team server on this computer") if name in words] == (
        [line] if line else []
    )
    assert ("Vectors of cleaned text leave this computer" in words) is (word == TEAM_WORDS)


def _row(at: str, what: str, *, allowed: bool = True, host: str | None = None, port: int | None = None) -> Any:
    told = {"at": at, "role": "network", "what": what, "allowed": allowed, "reason": "a reason"}
    return {**told, "host": host, "port": port}


class TestOnRealWorkers:
    """The button in a window whose processes are real."""

    pytestmark = ON_REAL_WORKERS

    def test_the_live_processes_are_refused(self, open_real: Callable[..., MainWindow], qtbot: QtBot) -> None:
        window = open_real()
        qtbot.waitUntil(lambda: window.tasks.count == 0, timeout=PATIENCE_MS)
        window.proving.run()
        qtbot.waitUntil(lambda: window.proving.at is not None, timeout=PATIENCE_MS)
        proofs = window.proving.proofs
        assert {"library", "chat"} <= proofs.keys()
        assert all(one["sealed"] for one in proofs.values()), proofs
        assert not window.proving.broken
