"""What several tests of the Models page do."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from desktop_rag.gui.chat.header import Header
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.models.card import ModelCard

QWEN = "qwen2.5-1.5b-instruct-q4_k_m"
OFFERED = "qwen2.5-0.5b"


def idle(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until nothing runs."""
    qtbot.waitUntil(lambda: window.tasks.count == 0)


def card(window: MainWindow, key: str) -> ModelCard:
    """One card."""
    return window.models.cards[key]


def shield(window: MainWindow) -> str:
    """What the shield says."""
    header: Header = window.chat.header
    return header.seal.accessibleName()
