"""What tests on the real workers share: when they can run, and how they wait and read the page."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from desktop_rag import paths
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.models.catalogue import load_catalogue

PATIENCE_MS = 60_000

ON_REAL_WORKERS = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(entry.starter and entry.installed_path(paths.models_dir()) is None for entry in load_catalogue()),
        reason="the starter models are not installed",
    ),
]


def idle(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until nothing runs."""
    qtbot.waitUntil(lambda: window.tasks.count == 0, timeout=PATIENCE_MS)
