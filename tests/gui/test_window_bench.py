"""The Benchmark page: a run from start to table, stopping, earlier runs, evidence, taking the numbers along."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop_rag.errors import EngineError
from desktop_rag.gui.bench import words
from desktop_rag.gui.main_window import MainWindow
from tests.gui import model_script
from tests.gui.scripted import ScriptedBackend


@pytest.fixture
def bench(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with its Benchmark page open."""
    window.show_page("bench")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    return window


def run(window: MainWindow, qtbot: QtBot) -> None:
    """Press Run and wait for the end."""
    window.bench.run.click()
    qtbot.waitUntil(lambda: window.tasks.count == 0)


def test_a_run_fills_table_and_plots(bench: MainWindow, qtbot: QtBot) -> None:
    run(bench, qtbot)
    assert [cells[0] for cells in bench.bench.results.rows] == ["82.4", "61.0", "22.3", "68.9", "9.8"]
    assert bench.bench.results.rows[0] == ("82.4", "1.9", "0.71 s", "58.3", "6", "0.09 s", "284 MB", "78 %")
    said = " ".join(label.text() for label in bench.bench.results.findChildren(QLabel))
    assert "The server is not part of this installation." in said, "a platform that could not run says why"
    assert [bar.text for bar in bench.bench.speed.bars][:2] == ["82.4", "61.0"]
    assert bench.bench.speed.bars[0].spread == 1.9
    assert bench.bench.run.text() == "Run"


def test_a_share_is_drawn_against_the_whole_and_a_doubt_about_the_machine_is_said(
    bench: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    doubt = "Other programs were busy during the measurement: the limit may be too low."

    def busy(engines: list[str]) -> Iterator[dict[str, Any]]:
        for event in model_script.bench(engines):
            about = event.get("machine")
            yield {**event, "machine": {**about, "flag": doubt}} if about else event

    backend.benchmark = busy
    run(bench, qtbot)
    said = [label.text() for label in bench.bench.findChildren(QLabel) if label.isVisibleTo(bench.bench)]
    assert doubt in said
    assert bench.bench.share.full == 1.0, "28 % of the limit must not look like all of it"
    assert bench.bench.speed.full == max(bar.value + bar.spread for bar in bench.bench.speed.bars if bar.value)


def test_only_the_ticked_engines_are_measured(bench: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    asked: list[list[str]] = []

    def remember(engines: list[str]) -> Iterator[dict[str, Any]]:
        asked.append(engines)
        return model_script.bench(engines)

    backend.benchmark = remember
    for name in ("Transformers", "OpenAI-compatible"):
        bench.bench.ticks[name].setChecked(False)
    run(bench, qtbot)
    assert asked == [["llama.cpp", "CTranslate2", "GPT4All"]]
    for tick in bench.bench.ticks.values():
        tick.setChecked(False)
    assert not bench.bench.run.isEnabled()


def test_stop_keeps_what_was_measured(bench: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    ended = threading.Event()

    def endless(_engines: list[str]) -> Iterator[dict[str, Any]]:
        try:
            yield {"event": "row", "row": model_script.bench_rows()[0]}
            while not ended.wait(0.01):
                yield {"event": "run", "platform": "GPT4All", "options": "Q4_1", "number": 2, "of": 6}
        finally:
            ended.set()

    backend.benchmark = endless
    bench.bench.run.click()
    qtbot.waitUntil(lambda: "question 2 of 6" in bench.bench._doing.text())
    assert bench.bench.run.text() == "Stop"
    assert not bench.bench.probe.isEnabled()
    bench.bench.run.click()
    qtbot.waitUntil(lambda: bench.tasks.count == 0)
    assert ended.is_set(), "the run was not closed"
    assert len(bench.bench.results.rows) == 1
    assert bench.bench.run.text() == "Run"


@pytest.mark.parametrize("missing", [True, False])
def test_a_run_that_cannot_begin_says_why(
    bench: MainWindow, qtbot: QtBot, backend: ScriptedBackend, missing: bool
) -> None:
    def broken(_engines: list[str]) -> Iterator[dict[str, Any]]:
        raise EngineError("crashed", "The bench process stopped unexpectedly.")
        yield {}

    backend.benchmark = model_script.unavailable if missing else broken
    run(bench, qtbot)
    expected = "The benchmark is not available yet." if missing else "The bench process stopped unexpectedly."
    assert bench.bench.notice.sentence == expected
    assert not bench.bench.copy.isEnabled()


def test_earlier_runs_are_read_and_shown(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    rows = model_script.bench_rows()
    backend.records = [
        {"at": "2026-11-21T14:05:00+00:00", "result": {"rows": rows, "skipped": []}},
        {"at": "2026-11-20T09:00:00+00:00", "result": {"rows": rows[:2], "skipped": []}},
    ]
    window.show_page("bench")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert len(window.bench.results.rows) == 5, "the newest is shown"
    window.bench.records.setCurrentIndex(1)
    window.bench.records.activated.emit(1)
    assert len(window.bench.results.rows) == 2


def test_a_tick_shows_its_evidence(bench: MainWindow, qtbot: QtBot) -> None:
    bench.bench.probe.click()
    qtbot.waitUntil(lambda: bench.tasks.count == 0)
    cells = bench.bench.probes.cells
    reuse = cells["llama.cpp", "prefix_reuse"]
    assert (reuse.text(), reuse.toolTip()) == ("✓", "reused tokens: 412")
    assert reuse.accessibleName() == "llama.cpp, Known beginnings are not read again: yes"
    assert cells["GPT4All", "batching"].text() == "✗"
    assert cells["GPT4All", "several_devices"].text() == "–"


def test_the_table_goes_along_as_text_and_as_json(bench: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    run(bench, qtbot)
    bench.bench.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert copied.splitlines()[0].startswith("platform")
    assert "CTranslate2" in copied
    bench.bench.export(str(tmp_path / "out.json"))
    saved = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [row["platform"] for row in saved["rows"]] == [row["platform"] for row in model_script.bench_rows()]
    (tmp_path / "file").write_text("", encoding="utf-8")
    bench.bench.export(str(tmp_path / "file" / "out.json"))
    assert bench.bench.notice.property("kind") == "error"


def test_words_of_the_benchmark() -> None:
    assert words.cells({}) == ("—",) * 8
    assert words.when("nonsense") == "Earlier"
    assert words.evidence({"evidence": {"gain": 2.34567, "same_texts": 8}}) == "gain: 2.35\nsame texts: 8"
    assert words.capability("something_new") == "Something new"
