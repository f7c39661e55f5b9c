"""Watched folders in the window: the question, the section above the list, when they are looked at, what follows."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop_rag.errors import UsageError
from desktop_rag.gui.library.folders_form import FolderForm
from desktop_rag.gui.library.folders_panel import FolderCard
from desktop_rag.gui.main_window import MainWindow
from tests.gui.script import document, watched
from tests.gui.scripted import ScriptedBackend
from tests.gui.test_window_documents import drop


def idle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.tasks.count == 0)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder with a file."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "lease.txt").write_text("The lease begins in March.")
    return folder


@pytest.fixture
def watching(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> MainWindow:
    """The window on a collection with a watched folder, its library page open."""
    now = time.time()
    log = [
        {"at": now - 130, "change": "added", "name": "deep/new.txt"},
        {"at": now, "change": "failed", "name": "x.pdf"},
    ]
    backend.folders = [watched("/home/anna/papers", checked=now - 130, log=log)]
    window.folders.refresh()
    window.show_page("library")
    idle(window, qtbot)
    return window


def form(window: MainWindow, qtbot: QtBot) -> FolderForm:
    qtbot.waitUntil(lambda: any(one.isVisible() for one in window.findChildren(FolderForm)))
    return next(one for one in window.findChildren(FolderForm) if one.isVisible())


def card(window: MainWindow, folder: int = 1) -> FolderCard:
    return window.library_page.folders.cards[folder]


def test_a_dropped_folder_is_watched_when_the_person_says_so(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, papers: Path
) -> None:
    backend.changes = [{"event": "document", **document("lease.txt", "ready"), "document": "lease.txt"}]
    drop(window, papers)
    question = form(window, qtbot)
    assert question.windowTitle() == "Add “papers”"
    assert backend.library.named("folder_watch") == [], "nothing is done before the answer"
    assert question.watches
    assert question.collection.currentText() == "Brackwater 2025"
    question.go.click()
    idle(window, qtbot)
    assert backend.library.named("folder_watch") == [{"path": str(papers), "collection": "Brackwater 2025"}]
    assert backend.library.named("sync") == [{"folder": 1}]
    assert backend.library.named("add") == []
    assert window.page == "library"
    assert window.library.document("lease.txt") is not None
    assert card(window).standing.text() == "Checked just now · 1 added"


def test_a_folder_may_be_added_once(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, papers: Path) -> None:
    window.add_paths([str(papers)])
    question = form(window, qtbot)
    question.ways.button(1).click()
    assert question.go.text() == "Add once"
    question.go.click()
    idle(window, qtbot)
    (added,) = backend.library.named("add")
    assert (added["paths"], added["collection"]) == ([str(papers)], 1)
    assert backend.library.named("folder_watch") == []


def test_a_folder_may_have_a_collection_of_its_own(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, papers: Path
) -> None:
    window.library.choose(None)
    window.add_paths([str(papers)])
    question = form(window, qtbot)
    assert question.collection.currentText() == "A new collection “papers”", "no collection is chosen"
    question.ways.button(1).click()
    question.go.click()
    idle(window, qtbot)
    (added,) = backend.library.named("add")
    assert added["collection"] == "papers"


def test_nothing_happens_when_the_question_is_closed(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, papers: Path
) -> None:
    window.add_paths([str(papers), str(papers / "lease.txt")])
    form(window, qtbot).reject()
    idle(window, qtbot)
    (added,) = backend.library.named("add")
    assert added["paths"] == [str(papers / "lease.txt")], "the file beside it is no question"
    assert backend.library.named("folder_watch") == []


def test_what_cannot_be_watched_says_why(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, papers: Path
) -> None:
    def refuse(**_: Any) -> Any:
        raise UsageError("bad_request", "The folder papers is watched already.", "Stop watching that one first.")

    backend.library.script["folder_watch"] = refuse
    window.add_paths([str(papers)])
    form(window, qtbot).go.click()
    idle(window, qtbot)
    assert window.library_page.notice.sentence == "The folder papers is watched already."


def test_the_section_shows_how_a_folder_stands(watching: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    shown = card(watching)
    assert shown.isVisible()
    assert shown.path.text() == "/home/anna/papers"
    assert shown.standing.text() == "Checked 2 min ago"
    backend.folders[0]["problem"] = "The folder cannot be reached: No such file or directory."
    watching.folders.refresh()
    idle(watching, qtbot)
    assert shown.standing.text().endswith("No such file or directory. Nothing was removed.")
    watching.library.choose(watching.library.collections[1])
    assert not watching.library_page.folders.isVisible(), "the other collection follows no folder"
    watching.library.choose(None)
    assert watching.library_page.folders.isVisible()


def test_the_log_is_a_small_list(watching: MainWindow) -> None:
    shown = card(watching)
    assert not shown.log.isVisible()
    shown.changes.click()
    assert shown.log.isVisible()
    assert [shown.log.item(row).text() for row in range(shown.log.count())] == [
        "deep/new.txt  ·  added 2 min ago",
        "x.pdf  ·  failed just now",
    ]
    shown.changes.click()
    assert not shown.log.isVisible()


def test_a_folder_is_paused_goes_on_and_is_left(watching: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    shown = card(watching)
    shown.pause.click()
    idle(watching, qtbot)
    assert backend.library.named("folder_pause") == [{"folder": 1, "paused": True}]
    assert shown.standing.text().startswith("Paused")
    assert not shown.check.isEnabled()
    watching.folders.look()
    assert backend.library.named("sync") == []
    shown.pause.click()
    idle(watching, qtbot)
    assert backend.library.named("sync") == [{"folder": 1}], "what changed meanwhile is looked for at once"
    shown.stop.click()
    idle(watching, qtbot)
    assert backend.library.named("folder_forget") == [{"folder": 1}]
    assert not watching.library_page.folders.isVisible()
    assert "Its documents stay" in watching.library_page.notice.hint


def test_changes_follow_by_themselves(watching: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    gone = next(iter(backend.rows))
    backend.changes = [
        {"event": "document", **document("new.txt"), "document": "new.txt"},
        {"event": "removed", "document": gone},
    ]
    watching.folders.look()
    idle(watching, qtbot)
    assert watching.library.document("new.txt") is not None
    assert watching.library.document(gone) is None
    assert card(watching).standing.text() == "Checked just now · 1 added · 1 removed"


def test_a_look_that_finds_nothing_disturbs_nothing(
    watching: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    before = len(backend.library.named("documents"))
    watching.folders.look()
    idle(watching, qtbot)
    assert len(backend.library.named("documents")) == before
    assert not watching.activity.isVisible()


def test_nothing_is_looked_at_while_something_else_goes_on(
    watching: MainWindow, qtbot: QtBot, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def add(**_: Any) -> Any:
        while not go_on.wait(0.01):
            yield {"event": "beat"}

    backend.library.script["add"] = add
    watching.intake.add(["/x/a.pdf"], watching.library.chosen)
    watching.folders.look()
    watching.folders.check(1)
    assert backend.library.named("sync") == []
    go_on.set()
    idle(watching, qtbot)
    assert backend.library.named("sync") == [{"folder": 1}], "what a person asked for comes right after"
    monkeypatch.setattr(type(watching.session), "is_running", property(lambda _self: True))
    watching.folders.look()
    assert len(backend.library.named("sync")) == 1, "not while an answer is written"


def test_two_looks_never_run_at_once(watching: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    go_on = threading.Event()

    def sync(**_: Any) -> Any:
        while not go_on.wait(0.01):
            yield {"event": "beat"}
        yield {"event": "done", "folders": [], "documents": []}

    backend.library.script["sync"] = sync
    watching.folders.look()
    assert card(watching).standing.text() == "Checking…"
    watching.folders.look()
    watching.folders.look()
    go_on.set()
    idle(watching, qtbot)
    assert len(backend.library.named("sync")) == 1


def test_the_first_look_comes_after_what_was_left(
    qtbot: QtBot, theme: Any, tmp_path: Path, backend: ScriptedBackend
) -> None:
    from desktop_rag.settings import Settings

    backend.folders = [watched("/home/anna/papers")]
    opened = MainWindow(backend, theme, Settings(tmp_path), tmp_path)
    qtbot.addWidget(opened)
    opened.show()
    opened.startup.begin()
    qtbot.waitUntil(lambda: bool(backend.library.named("sync")))
    idle(opened, qtbot)
    asked = [op for op, _ in backend.library.calls if op in ("resume", "sync")]
    assert asked == ["resume", "sync"]
    opened.close()


def test_a_deleted_collection_takes_its_folders_along(
    watching: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.folders.clear()
    watching.library.collections = watching.library.collections[1:]
    watching.library.collections_changed.emit()
    idle(watching, qtbot)
    assert watching.folders.rows == []
