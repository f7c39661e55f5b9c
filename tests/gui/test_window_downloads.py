"""The network, as the window opens it: never unasked, shown on the shield, closed with its last use."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop_rag.errors import DesktopRagError, ModelError, NetworkError
from desktop_rag.gui.backend import Event
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.models import jobs
from desktop_rag.gui.models.card import ModelCard
from desktop_rag.gui.models.file_row import FileRow
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.seal import chip as seal
from tests.gui import model_script
from tests.gui.model_steps import OFFERED, card, idle, shield
from tests.gui.scripted import ScriptedBackend


def test_nothing_opens_the_network_before_it_is_allowed(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    card(models, OFFERED).primary.click()
    permission = card(models, OFFERED).permission
    assert permission.isVisible()
    assert permission.sentence.text() == "Opens the network for this download only."
    assert backend.opened == []
    assert shield(models) == "Network: Sealed"
    permission.findChildren(TextButton)[0].click()
    assert permission.isHidden()
    assert backend.opened == []
    assert card(models, OFFERED).primary.isVisible()


def test_a_download_shows_on_the_shield_and_closes_the_network_at_its_end(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    card(models, OFFERED).primary.click()
    card(models, OFFERED).permission.allow.click()
    qtbot.waitUntil(lambda: "312 MB of 398 MB" in card(models, OFFERED).work.words.text())
    assert "12 MB/s · 7 s left" in card(models, OFFERED).work.words.text()
    assert shield(models) == "Network: Open for a download"
    assert models.models.seal.accessibleName() == shield(models), "it is in sight where the download is"
    assert backend.opened == ["download"]
    assert backend.downloads.named("download") == [{"id": OFFERED}]
    backend.download.go_on.set()
    idle(models, qtbot)
    assert backend.left == backend.uses
    assert shield(models) == "Network: Sealed"
    assert backend.models.named("place") == [{"path": "/models/part", "id": OFFERED}]


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("offline", "huggingface.co cannot be reached.", "Check the connection."),
        NetworkError("no_space", "The disk has room for 100 MB; 398 MB are needed.", "Free some space."),
        ModelError("checksum", "The file is not the one that was asked for.", "It was deleted; try again."),
    ],
)
def test_each_way_a_download_fails_has_its_own_sentence_at_the_card(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend, error: DesktopRagError
) -> None:
    backend.download.error = error
    backend.unfinished = [half(OFFERED)]
    backend.download.go_on.set()
    models.model_actions.act("allowed", card(models, OFFERED).row)
    idle(models, qtbot)
    work = card(models, OFFERED).work
    assert (work.notice.sentence, work.notice.hint) == (error.message, error.hint)
    assert (work.remove.text(), work.remove.isVisible(), work.resume.isVisible()) == ("Remove the 312 MB", True, False)
    assert backend.left == backend.uses, "a failure leaves the network open"
    assert shield(models) == "Network: Sealed"


def test_a_cancelled_download_can_be_continued(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    models.model_actions.act("allowed", card(models, OFFERED).row)
    qtbot.waitUntil(lambda: "312 MB" in card(models, OFFERED).work.words.text())
    backend.unfinished = [half(OFFERED)]
    models.jobs.cancel(OFFERED)
    idle(models, qtbot)
    assert backend.download.closed.is_set(), "the request was not closed"
    assert backend.uses[0].cancelled.is_set(), "a server that stalls would be waited for"
    work = card(models, OFFERED).work
    assert work.words.text() == "Stopped · 312 MB of 398 MB"
    assert (work.resume.isVisible(), work.remove.isVisible()) == (True, True)
    backend.download.go_on.set()
    work.resume.click()
    idle(models, qtbot)
    assert len(backend.downloads.named("download")) == 2
    assert backend.models.named("place")


def test_stopping_one_download_stops_no_other(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    other = "phi-4-mini"
    for key in (OFFERED, other):
        models.model_actions.act("allowed", card(models, key).row)
        qtbot.waitUntil(lambda key=key: "312 MB" in card(models, key).work.words.text())
    first, second = backend.uses
    models.jobs.cancel(OFFERED)
    qtbot.waitUntil(lambda: first in backend.left)
    assert first.cancelled.is_set()
    assert not second.cancelled.is_set()
    assert shield(models) == "Network: Open for a download", "the other one still has it open"
    backend.download.go_on.set()
    idle(models, qtbot)
    assert [asked["id"] for asked in backend.models.named("place")] == [other]
    assert not second.killed.is_set()
    assert backend.left == [first, second]
    assert shield(models) == "Network: Sealed"


def test_work_in_one_process_is_stopped_alone(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    go_on = threading.Event()

    def checking(**args: object) -> Iterator[Event]:
        while not go_on.wait(0.01):
            yield {"event": "progress", "text": "Checking", "fraction": 0.5}
        yield {"event": "done", "model": args["id"]}

    backend.models.script["place"] = checking
    backend.download.go_on.set()
    ended: list[str] = []
    models.jobs.finished.connect(lambda key, _event: ended.append(key))
    for key in (OFFERED, "phi-4-mini"):
        models.model_actions.act("allowed", card(models, key).row)
    qtbot.waitUntil(lambda: [job.title for job in models.jobs.running] == ["Checking"] * 2)
    models.jobs.cancel(OFFERED)
    qtbot.waitUntil(lambda: len(models.jobs.running) == 1)
    assert not backend.models.cancelled.is_set(), "the other check would have ended, too"
    models.jobs.cancel("phi-4-mini")
    assert backend.models.cancelled.is_set(), "alone, it is told at once"
    go_on.set()
    idle(models, qtbot)
    assert ended == []
    assert not backend.models.killed.is_set()


def test_a_process_that_does_not_obey_is_ended_and_only_that(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_PATIENCE_MS", 1)
    stalled, stall = threading.Event(), threading.Event()

    def silent(**_args: object) -> Iterator[Event]:
        yield {"event": "progress", "received": 1, "total": 2}
        stalled.set()
        stall.wait(20)
        yield {"event": "progress", "received": 1, "total": 2}

    models.model_actions.act("allowed", card(models, OFFERED).row)
    backend.downloads.script["download"] = silent
    models.model_actions.act("allowed", card(models, "phi-4-mini").row)
    qtbot.waitUntil(stalled.is_set)
    models.jobs.cancel("phi-4-mini")
    qtbot.waitUntil(backend.uses[1].killed.is_set)
    assert not backend.uses[0].killed.is_set()
    stall.set()
    backend.download.go_on.set()
    idle(models, qtbot)
    assert [asked["id"] for asked in backend.models.named("place")] == [OFFERED]


def test_what_an_earlier_download_left_is_shown_and_can_go(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.unfinished = [
        half(OFFERED),
        model_script.unfinished("old.gguf", 9_000_000, None, name="old.gguf"),
        model_script.unfinished("busy.gguf", 1, 2, name="busy.gguf", running=True),
    ]
    models.model_state.refresh()
    idle(models, qtbot)
    assert list(models.models.unfinished) == ["old.gguf"], "one shows on its card, one is somebody else's"
    old, offered = models.models.unfinished["old.gguf"].work, card(models, OFFERED)
    assert old.words.text() == "Stopped · 9.0 MB"
    assert not old.resume.isVisible(), "nobody knows where it came from"
    assert offered.work.words.text() == "Stopped · 312 MB of 398 MB"
    assert offered.primary.isHidden()
    offered.work.remove.click()
    idle(models, qtbot)
    old.remove.click()
    idle(models, qtbot)
    assert backend.models.named("delete") == [{"model": "half.gguf"}, {"model": "old.gguf"}]
    assert models.models.notice.hint == "9.0 MB are free again."
    assert card(models, OFFERED).work.isHidden()
    assert card(models, OFFERED).primary.isVisible(), "it can be downloaded from the start"
    assert models.models.unfinished == {}


@pytest.mark.parametrize("offered", [True, False])
def test_an_earlier_download_goes_on_only_when_the_network_is_allowed(
    models: MainWindow, qtbot: QtBot, backend: ScriptedBackend, offered: bool
) -> None:
    get = {"id": OFFERED} if offered else {"repo": "owner/tiny", "file": "half.gguf", "sha256": "a" * 64}
    backend.unfinished = [{**half(OFFERED), "get": get}]
    models.model_state.refresh()
    idle(models, qtbot)

    def shown() -> ModelCard | FileRow:
        return card(models, OFFERED) if offered else models.models.unfinished["owner/tiny:half.gguf"]

    shown().work.resume.click()
    row = shown()
    assert backend.opened == []
    assert "The missing 86 MB from huggingface.co" in row.permission.findChildren(QLabel)[2].text()
    assert not row.work.isVisible(), "one thing to press at a time"
    row.permission.findChildren(TextButton)[0].click()

    def offered_again() -> bool:
        return shown().work.isVisible()  # the list may be drawn anew meanwhile

    qtbot.waitUntil(offered_again)
    shown().work.resume.click()
    backend.download.go_on.set()
    shown().permission.allow.click()
    idle(models, qtbot)
    assert backend.opened == ["download"]
    assert backend.downloads.named("download") == [get]


def half(key: str) -> Event:
    """What is on the disk of the catalogue's model."""
    return model_script.unfinished("half.gguf", 312_000_000, 398_000_000, name="Half", get={"id": key})


def test_searching_sends_the_words_and_nothing_else(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    hub = models.models.hub
    qtbot.keyClicks(hub.field, "qwen")
    qtbot.keyClick(hub.field, Qt.Key.Key_Return)
    assert backend.opened == []
    hub.permission.allow.click()
    idle(models, qtbot)
    assert backend.downloads.named("search") == [{"query": "qwen", "limit": 20}]
    assert backend.left == backend.uses
    key = "Qwen/Qwen2.5-1.5B-Instruct-GGUF:model-Q8_0.gguf"
    backend.download.go_on.set()
    hub.files[key].get.click()
    hub.files[key].permission.allow.click()
    idle(models, qtbot)
    asked = backend.downloads.named("download")[0]
    assert (asked["repo"], asked["file"], asked["sha256"]) == (*key.split(":"), "a" * 64)
    assert backend.models.named("place")[0]["repo"] == asked["repo"]


@pytest.mark.parametrize(("query", "said"), [("nothing", "Nothing with GGUF files"), ("offline", "cannot be reached")])
def test_a_search_that_finds_nothing_says_why(models: MainWindow, qtbot: QtBot, query: str, said: str) -> None:
    hub = models.models.hub
    hub.field.setText(query)
    hub.button.click()
    hub.permission.allow.click()
    idle(models, qtbot)
    assert said in hub.notice.sentence
    assert hub.button.isEnabled()


def test_a_remote_model_cannot_be_overlooked(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    models.settings.set("engine", "OpenAI-compatible")
    models.wires.start.show_seal()
    assert shield(models) == "Network: Sealed", "while sealed nothing is sent, whatever the engine"
    models.settings_page.controls["sealed"].click()
    assert shield(models) == f"Network: {seal.REMOTE_WORDS}"
    assert models.chat.header.seal.property("kind") == "alarm"
    models.settings_page.controls["sealed"].click()
    assert shield(models) == "Network: Sealed"
    idle(models, qtbot)
    assert None in backend.left, "sealing again ends every connection"
