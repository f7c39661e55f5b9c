"""The network, as the window opens it: never unasked, shown on the shield, closed with its last use."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop_rag.errors import DesktopRagError, ModelError, NetworkError
from desktop_rag.gui import seal
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.pieces.buttons import TextButton
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
    assert backend.opened[0] == ("download", True)
    assert backend.downloads.named("download") == [{"id": OFFERED}]
    backend.download.go_on.set()
    idle(models, qtbot)
    assert backend.left == ["download"]
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
    backend.download.go_on.set()
    models.model_actions.act("allowed", card(models, OFFERED).row)
    idle(models, qtbot)
    work = card(models, OFFERED).work
    assert (work.notice.sentence, work.notice.hint) == (error.message, error.hint)
    assert backend.left == ["download"], "a failure leaves the network open"
    assert shield(models) == "Network: Sealed"


def test_a_cancelled_download_can_be_resumed(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    models.model_actions.act("allowed", card(models, OFFERED).row)
    qtbot.waitUntil(lambda: "312 MB" in card(models, OFFERED).work.words.text())
    models.jobs.cancel(OFFERED)
    idle(models, qtbot)
    assert backend.download.closed.is_set(), "the request was not closed"
    assert "cancel" in [op for op, _args in backend.downloads.calls]
    assert "What was loaded is kept" in card(models, OFFERED).work.notice.sentence
    backend.download.go_on.set()
    card(models, OFFERED).work.notice.findChildren(TextButton)[0].click()
    idle(models, qtbot)
    assert len(backend.downloads.named("download")) == 2
    assert backend.models.named("place")


def test_one_download_does_not_cut_off_another(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    models.network.begin("download")
    backend.download.go_on.set()
    models.model_actions.act("allowed", card(models, OFFERED).row)
    idle(models, qtbot)
    assert backend.left == []
    assert models.network.purposes == ["download"]
    models.network.end("download")
    idle(models, qtbot)
    assert backend.left == ["download"]


def test_searching_sends_the_words_and_nothing_else(models: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    hub = models.models.hub
    qtbot.keyClicks(hub.field, "qwen")
    qtbot.keyClick(hub.field, Qt.Key.Key_Return)
    assert backend.opened == []
    hub.permission.allow.click()
    idle(models, qtbot)
    assert backend.downloads.named("search") == [{"query": "qwen", "limit": 20}]
    assert backend.left == ["download"]
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
