"""The library page on the real library worker: watched folders, and work that is paused, killed or left."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop_rag.gui.library.document_model import DOCUMENT
from desktop_rag.gui.library.folders_form import FolderForm
from desktop_rag.gui.library.folders_panel import FolderCard
from desktop_rag.gui.main_window import MainWindow
from tests.gui.real import ON_REAL_WORKERS, PATIENCE_MS, idle

MANY = 40

pytestmark = ON_REAL_WORKERS


@pytest.fixture
def plain(open_real: Callable[..., MainWindow], qtbot: QtBot) -> Callable[[], MainWindow]:
    """Opens a window in whose library nothing is private, and waits until it is idle."""

    def opened() -> MainWindow:
        window = open_real(policy="keep", review=False)
        idle(window, qtbot)
        return window

    return opened


@pytest.fixture
def real(plain: Callable[[], MainWindow]) -> MainWindow:
    """One such window, the library empty."""
    return plain()


def write(path: Path, text: str) -> Path:
    """A file that was written a while ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    old = time.time() - 60
    os.utime(path, (old, old))
    return path


def write_many(folder: Path) -> list[Path]:
    """Files that take a few seconds altogether."""
    return [
        write(folder / f"{number:02}.txt", f"Page {number}. " + f"The meter of flat {number} was read. " * 200)
        for number in range(MANY)
    ]


def rows(window: MainWindow) -> dict[str, str]:
    """What the list shows: name and state."""
    model = window.library_page.list.model()
    shown = [model.index(place, 0).data(DOCUMENT) for place in range(model.rowCount())]
    return {str(row["name"]): str(row["state"]) for row in shown}


def states(window: MainWindow) -> list[str]:
    """The states of all documents, a copy of one counted again."""
    return [str(row["state"]) for row in window.library.documents()]


def begin_many(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    """Add many files and wait until one is ready and others are not."""
    window.intake.add([str(path) for path in write_many(folder)], window.library.chosen)
    qtbot.waitUntil(lambda: "ready" in states(window), timeout=PATIENCE_MS)
    assert 0 < window.library.waiting() < MANY


def finish(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until nothing is worked on."""
    qtbot.waitUntil(lambda: not window.intake.running, timeout=PATIENCE_MS)
    idle(window, qtbot)


def watch(window: MainWindow, qtbot: QtBot, folder: Path) -> FolderCard:
    """Drop a folder and say that it shall be watched, in a collection of its own."""
    window.library.choose(None)
    window.add_paths([str(folder)])
    qtbot.waitUntil(lambda: any(form.isVisible() for form in window.findChildren(FolderForm)))
    (form,) = (form for form in window.findChildren(FolderForm) if form.isVisible())
    form.collection.setCurrentIndex(0)
    form.go.click()
    idle(window, qtbot)
    (card,) = window.library_page.folders.cards.values()
    return card


def look(window: MainWindow, qtbot: QtBot) -> None:
    """Look at the folders, as the window does every half a minute."""
    window.folders.look()
    idle(window, qtbot)


def logged(card: FolderCard) -> list[str]:
    """What the log says of each change, without how long ago it was."""
    if not card.log.isVisible():
        card.changes.click()
    return [card.log.item(row).text().removesuffix(" just now") for row in range(card.log.count())]


def test_what_changes_in_a_watched_folder_follows(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    lease = write(papers / "lease.txt", "The lease of the hall begins in March and is paid every month.")
    write(papers / "deep" / "heating.md", "# Heating\n\nThe boiler is serviced every October.")
    card = watch(real, qtbot, papers)
    assert real.library.chosen is not None
    assert real.library.chosen["name"] == "papers"
    assert rows(real) == {"lease.txt": "ready", "heating.md": "ready"}
    assert card.standing.text() == "Checked just now · 2 added"

    before = {row["name"]: row["id"] for row in real.library.documents()}
    lease.rename(papers / "deep" / "moved.txt")
    write(papers / "deep" / "heating.md", "# Heating\n\nThe boiler was replaced by a heat pump.")
    write(papers / "key.txt", "The spare key is kept with the caretaker, in the house beside the gate.")
    write(papers / "plan.pdf", "%PDF-1.7 that ends too soon")
    look(real, qtbot)
    assert rows(real) == {"moved.txt": "ready", "heating.md": "ready", "key.txt": "ready", "plan.pdf": "failed"}
    after = {row["name"]: row["id"] for row in real.library.documents()}
    assert after["moved.txt"] == before["lease.txt"]
    assert card.standing.text() == "Checked just now · 2 added · 1 changed · 1 moved"
    assert "deep/moved.txt  ·  moved" in logged(card)
    assert {"deep/heating.md  ·  changed", "key.txt  ·  added", "plan.pdf  ·  failed"} <= set(logged(card))


def test_what_leaves_a_watched_folder_leaves_the_library(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    write(papers / "lease.txt", "The lease of the hall begins in March and is paid every month.")
    write(papers / "key.txt", "The spare key is kept with the caretaker, in the house beside the gate.")
    write(papers / "stays.txt", "The gate is locked at ten in the evening.")
    card = watch(real, qtbot, papers)
    (papers / "key.txt").unlink()
    shutil.move(papers / "lease.txt", tmp_path / "lease.txt")
    look(real, qtbot)
    assert rows(real) == {"stays.txt": "ready"}
    assert logged(card)[:2] == ["lease.txt  ·  removed", "key.txt  ·  removed"]
    assert (tmp_path / "lease.txt").exists()

    papers.rename(tmp_path / "away")
    look(real, qtbot)
    assert rows(real) == {"stays.txt": "ready"}, "a drive that is away loses nothing"
    assert card.standing.text().endswith("Nothing was removed.")
    (tmp_path / "away").rename(papers)
    look(real, qtbot)
    assert card.standing.text() == "Checked just now"
    card.stop.click()
    idle(real, qtbot)
    assert not real.library_page.folders.isVisible()
    assert rows(real) == {"stays.txt": "ready"}


def test_a_question_comes_before_the_rest_of_a_folder(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    write(papers / "key.txt", "The spare key is kept with the caretaker, in the house beside the gate.")
    watch(real, qtbot, papers)
    write_many(papers / "more")
    real.folders.look()
    qtbot.waitUntil(lambda: states(real).count("ready") > 1, timeout=PATIENCE_MS)
    real.chat.ask("Where is the spare key kept?")
    qtbot.waitUntil(lambda: real.chat.latest is not None and bool(real.chat.latest.passages), timeout=PATIENCE_MS)
    assert real.library.waiting() > 0, "the question waited for the folder"
    qtbot.waitUntil(lambda: not real.session.is_running, timeout=PATIENCE_MS)
    finish(real, qtbot)
    assert states(real) == ["ready"] * (MANY + 1)


def test_work_is_paused_goes_on_and_loses_nothing(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    begin_many(real, qtbot, tmp_path / "many")
    real.activity.pause.click()
    finish(real, qtbot)
    assert not real.backend.library.busy, "work goes on although it is paused"
    waiting = real.library.waiting()
    assert 0 < waiting < MANY
    assert real.activity.sentence.text().startswith("Paused: ")
    real.library.refresh()
    idle(real, qtbot)
    assert real.library.waiting() == waiting
    real.activity.pause.click()
    finish(real, qtbot)
    assert states(real) == ["ready"] * MANY


def test_a_killed_library_goes_on_by_itself(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    begin_many(real, qtbot, tmp_path / "many")
    pid = real.backend.library.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: real.backend.library.pid not in (pid, None), timeout=PATIENCE_MS)
    finish(real, qtbot)
    assert states(real) == ["ready"] * MANY
    assert len(rows(real)) == MANY
    assert not real.activity.isVisible(), "an error that was overcome is still told"


def test_a_window_that_is_closed_goes_on_when_it_is_opened_again(
    real: MainWindow, plain: Callable[[], MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    begin_many(real, qtbot, tmp_path / "many")
    done = {str(row["id"]) for row in real.library.documents() if row["state"] == "ready"}
    real.close()
    again = plain()
    finish(again, qtbot)
    assert states(again) == ["ready"] * MANY
    assert done <= {str(row["id"]) for row in again.library.documents()}, "what was ready was done anew"
