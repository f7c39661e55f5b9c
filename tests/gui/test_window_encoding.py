"""A collection that changes to another encoder: how far it is stands in the bar, the sidebar and the library."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from pytestqt.qtbot import QtBot

from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.sidebar.nav_list import NavList
from tests.gui.scripted import ScriptedBackend

NAME, ENCODER = "Brackwater 2025", "multilingual-e5-small"


def encoding(done: int) -> dict[str, Any]:
    return {"event": "encoding", "collection": NAME, "encoder": ENCODER, "passages_done": done, "passages": 1203}


def rows(shown: NavList) -> list[str]:
    model = shown.model()
    return [str(model.index(at, 0).data(0x0B)) for at in range(model.rowCount())]  # AccessibleTextRole


def test_the_progress_of_a_change_is_seen_wherever_one_looks(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    go_on, changed = threading.Event(), threading.Event()

    def resume() -> Iterator[dict[str, Any]]:
        yield encoding(32)
        yield encoding(412)
        go_on.wait(10)
        changed.set()
        yield {"event": "done", "documents": []}

    backend.library.script["resume"] = resume
    window.show_page("library")
    window.intake.resume()
    sentence = f"“{NAME}” is encoded anew with {ENCODER} · 412 of 1\u202f203 passages · it can be searched meanwhile"
    qtbot.waitUntil(lambda: window.activity.sentence.text() == sentence)
    assert window.activity.isVisible()
    assert window.activity.pause.isVisible()
    qtbot.waitUntil(lambda: f"{NAME}, 34 % · 3" in rows(window.sidebar.collections))
    assert window.library_page.about.text().endswith(f"Encoded anew with {ENCODER}: 34 %")
    go_on.set()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert changed.is_set()
    qtbot.waitUntil(lambda: f"{NAME}, 3" in rows(window.sidebar.collections))
    assert not window.activity.isVisible()
    assert "Encoded anew" not in window.library_page.about.text()


def test_a_change_that_waits_is_told_by_the_library_itself(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    held = backend.library.script["collections"]

    def collections() -> dict[str, Any]:
        listed = held()["collections"]
        listed[0]["next_encoder"] = {"name": ENCODER, "passages_done": 602, "passages": 1203}
        return {"collections": listed}

    backend.library.script["collections"] = collections
    window.library.refresh()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert f"{NAME}, 50 % · 3" in rows(window.sidebar.collections)
    assert not window.activity.isVisible()
