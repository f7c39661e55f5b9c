"""The library page on the real library worker: a watched folder whose changes follow, and work that is paused."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop_rag import paths
from desktop_rag.gui.app import WorkersBackend
from desktop_rag.gui.library.document_model import DOCUMENT
from desktop_rag.gui.library.folders_form import FolderForm
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.theme import Theme
from desktop_rag.models.catalogue import load_catalogue
from desktop_rag.settings import Settings

PATIENCE_MS = 60_000
STOP_SECONDS = 3.0
MANY = 40

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(entry.starter and entry.installed_path(paths.models_dir()) is None for entry in load_catalogue()),
        reason="the starter models are not installed",
    ),
]


@pytest.fixture
def real(qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A window on real workers and an empty library, in which nothing is private."""
    monkeypatch.setenv("DESKTOP_RAG_CONFIG_DIR", str(tmp_path / "config"))
    data_dir = paths.private_dir(tmp_path / "data")
    settings = Settings(data_dir)
    settings.set("policy", "keep")
    settings.set("review", False)
    window = MainWindow(WorkersBackend(data_dir, settings), theme, settings, data_dir)
    qtbot.addWidget(window)
    window.show()
    window.startup.begin()
    qtbot.waitUntil(lambda: window.library.loaded, timeout=PATIENCE_MS)
    idle(window, qtbot)
    yield window
    window.close()


def idle(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until nothing runs."""
    qtbot.waitUntil(lambda: window.tasks.count == 0, timeout=PATIENCE_MS)


def write(path: Path, text: str) -> Path:
    """A file that was written a while ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    old = time.time() - 60
    os.utime(path, (old, old))
    return path


def rows(window: MainWindow) -> dict[str, str]:
    """What the list shows: name and state."""
    model = window.library_page.list.model()
    shown = [model.index(place, 0).data(DOCUMENT) for place in range(model.rowCount())]
    return {str(row["name"]): str(row["state"]) for row in shown}


def watch(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    """Drop a folder and say that it shall be watched, in a collection of its own."""
    window.library.choose(None)
    window.add_paths([str(folder)])
    qtbot.waitUntil(lambda: any(form.isVisible() for form in window.findChildren(FolderForm)))
    (form,) = (form for form in window.findChildren(FolderForm) if form.isVisible())
    form.collection.setCurrentIndex(0)
    form.go.click()
    idle(window, qtbot)


def test_what_changes_in_a_watched_folder_follows(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    lease = write(papers / "lease.txt", "The lease of the hall begins in March and is paid every month.")
    write(papers / "deep" / "heating.md", "# Heating\n\nThe boiler is serviced every October.")
    watch(real, qtbot, papers)
    assert real.library.chosen is not None
    assert real.library.chosen["name"] == "papers"
    assert rows(real) == {"lease.txt": "ready", "heating.md": "ready"}
    (card,) = real.library_page.folders.cards.values()
    assert card.standing.text() == "Checked just now · 2 added"

    before = {row["name"]: row["id"] for row in real.library.documents()}
    lease.rename(papers / "deep" / "moved.txt")
    write(papers / "deep" / "heating.md", "# Heating\n\nThe boiler was replaced by a heat pump.")
    write(papers / "key.txt", "The spare key is kept with the caretaker, in the house beside the gate.")
    real.folders.look()
    idle(real, qtbot)
    assert rows(real) == {"moved.txt": "ready", "heating.md": "ready", "key.txt": "ready"}
    after = {row["name"]: row["id"] for row in real.library.documents()}
    assert after["moved.txt"] == before["lease.txt"]
    assert card.standing.text() == "Checked just now · 1 added · 1 changed · 1 moved"

    (papers / "key.txt").unlink()
    real.folders.look()
    idle(real, qtbot)
    assert rows(real) == {"moved.txt": "ready", "heating.md": "ready"}
    papers.rename(tmp_path / "away")
    real.folders.look()
    idle(real, qtbot)
    assert rows(real) == {"moved.txt": "ready", "heating.md": "ready"}, "a drive that is away loses nothing"
    assert card.standing.text().endswith("Nothing was removed.")
    card.stop.click()
    idle(real, qtbot)
    assert not real.library_page.folders.isVisible()
    assert len(rows(real)) == 2


def test_work_is_paused_goes_on_and_loses_nothing(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    files = [
        write(
            tmp_path / "many" / f"{number:02}.txt", f"Page {number}. " + f"The meter of flat {number} was read. " * 200
        )
        for number in range(MANY)
    ]
    real.intake.add([str(path) for path in files], real.library.chosen)
    qtbot.waitUntil(lambda: any(row["state"] == "ready" for row in real.library.documents()), timeout=PATIENCE_MS)
    begun = time.monotonic()
    real.activity.pause.click()
    qtbot.waitUntil(lambda: not real.intake.running, timeout=PATIENCE_MS)
    assert time.monotonic() - begun < STOP_SECONDS
    idle(real, qtbot)
    waiting = real.library.waiting()
    assert 0 < waiting < MANY
    assert real.activity.sentence.text().startswith("Paused: ")
    qtbot.wait(700)
    real.library.refresh()
    idle(real, qtbot)
    assert real.library.waiting() == waiting, "work went on although it was paused"
    real.activity.pause.click()
    qtbot.waitUntil(lambda: not real.intake.running, timeout=PATIENCE_MS)
    idle(real, qtbot)
    assert [row["state"] for row in real.library.documents()] == ["ready"] * MANY
