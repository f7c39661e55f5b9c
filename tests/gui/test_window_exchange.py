"""A collection goes into one file and comes out of one: what is asked, told, wrong, and stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop_rag.errors import StoreError
from desktop_rag.gui.key.passphrase_form import PassphraseForm
from desktop_rag.gui.library.exchange import Exchange, ExportForm
from desktop_rag.gui.main_window import MainWindow
from tests.gui.scripted import ScriptedBackend

Event = dict[str, Any]
GOOD = "correct horse battery staple"
EXPORTED = {
    "event": "done", "file": "/x/Leases.collection", "bytes": 2_400_000, "uuid": "u", "collection": "Leases",
    "documents": 3, "passages": 41, "left_out": 1, "originals": False, "kept": 0,
}  # fmt: skip
IMPORTED = {"event": "done", "collection": "Leases", "added": 3, "unchanged": 1, "removed": 0, "encoded_anew": 0}


@pytest.fixture
def exchange(window: MainWindow) -> Exchange:
    window.show_page("library")
    return window.wires.library.exchange


def form_of(window: MainWindow) -> PassphraseForm:
    return next(form for form in window.findChildren(PassphraseForm) if form.isVisible())


def chosen(window: MainWindow) -> Event:
    return window.library.collections[0]


def type_new(form: PassphraseForm, text: str) -> None:
    form.new.first.setText(text)
    form.new.again.setText(text)


def test_a_collection_is_exported(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, exchange: Exchange, tmp_path: Path
) -> None:
    asked: list[Event] = []

    def export(**args: Any) -> Iterator[Event]:
        asked.append(args)
        yield {"event": "progress", "step": "exporting", "share": 40}
        yield EXPORTED

    backend.library.script["collection_export"] = export
    exchange.export_to(chosen(window), str(tmp_path / "Leases.collection"))
    form = form_of(window)
    assert isinstance(form, ExportForm)
    type_new(form, "short")
    assert not form.go.isEnabled()
    type_new(form, GOOD)
    form.originals.setChecked(True)
    form.go.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert not form.isVisible()
    assert (asked[0]["passphrase"], asked[0]["originals"], asked[0]["replace"]) == (GOOD, True, True)
    said = window.library_page.notice.sentence
    assert "“Leases” is exported." in said
    assert form.new.first.text() == "", "a passphrase leaves its field"


def test_a_wrong_passphrase_is_told_where_it_was_typed(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, exchange: Exchange
) -> None:
    def bring(**args: Any) -> Iterator[Event]:
        if args["passphrase"] != GOOD:
            raise StoreError("wrong_key", "The passphrase does not open this export.", "Type it again.")
        yield {"event": "document", "document": "d", "state": "ready"}
        yield IMPORTED

    backend.library.script["collection_import"] = bring
    exchange.bring_from("/x/Leases.collection")
    form = form_of(window)
    assert form.present.accessibleName() == "Passphrase of the export"
    form.present.setText("wrong")
    form.go.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert form.isVisible()
    assert "does not open" in form.notice.sentence
    assert not form.go.isEnabled(), "there is nothing to go on with yet"
    form.present.setText(GOOD)
    form.go.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert not form.isVisible()
    assert "“Leases” is in your library." in window.library_page.notice.sentence


def test_it_can_be_stopped(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, exchange: Exchange, tmp_path: Path
) -> None:
    go_on, ended = threading.Event(), threading.Event()

    def slow(**_: Any) -> Iterator[Event]:
        try:
            for share in range(100):
                yield {"event": "progress", "step": "exporting", "share": share}
                go_on.wait(0.02)
        finally:
            ended.set()

    backend.library.script["collection_export"] = slow
    exchange.export_to(chosen(window), str(tmp_path / "x.collection"))
    form = form_of(window)
    type_new(form, GOOD)
    form.go.click()
    qtbot.waitUntil(lambda: form.go.text().endswith("%"))
    form.cancel.click()
    qtbot.waitUntil(lambda: not form.isVisible())
    assert ended.wait(5)


def test_what_stays_in_clear_is_said_before(window: MainWindow, exchange: Exchange, tmp_path: Path) -> None:
    exchange.export_to({**chosen(window), "policy": "keep"}, str(tmp_path / "x.collection"))
    form = form_of(window)
    assert any("in clear" in text.text() for text in form.findChildren(type(form.new._said)))
    form.reject()
    assert not form.isVisible()
