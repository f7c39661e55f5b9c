"""The meter: what is drawn while an answer comes, what the performance page says of it, and that nothing jumps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.meter.advisor import Advisor
from desktop_rag.gui.meter.plot import rounded_up
from desktop_rag.gui.meter.readings import read
from desktop_rag.gui.meter.stages_panel import parts, reading
from desktop_rag.gui.meter.telemetry import Telemetry, Trace
from desktop_rag.gui.models.state import ModelsState
from desktop_rag.gui.tasks import Tasks
from tests.gui.model_script import STARTER
from tests.gui.script import finished, sources, stored, token
from tests.gui.scripted import ScriptedBackend


def measured() -> dict[str, Any]:
    """The end of an answer of which everything was measured."""
    done = finished()
    done["usage"] = {**done["usage"], "roofline_fraction": 0.78, "reused_tokens": 390, "drafted": 40, "accepted": 31}
    done["timings_ms"] = {"scrub": 21.0, "encode": 9.0, "dense": 11.0, "prefill": 370.0, "decode": 1650.0}
    return done


def answer(question: str) -> Iterator[dict[str, Any]]:
    """An answer at a steady 30 tokens a second."""
    yield stored(question)
    yield sources()
    yield {"event": "prefill", "seconds": 0.2, "tok_s": 240.0}
    for number in range(30):
        yield {**token("word ", number), "generated": number + 1, "seconds": 0.4 + number / 30}
    yield measured()


@pytest.fixture
def asked(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> MainWindow:
    """A window in which a question was answered."""
    backend.answers = answer
    window.chat.ask("Why?")
    qtbot.waitUntil(lambda: not window.session.is_running and window.tasks.count == 0)
    return window


def test_a_click_on_the_meter_opens_the_performance_page(asked: MainWindow, qtbot: QtBot) -> None:
    qtbot.mouseClick(asked.meter, Qt.MouseButton.LeftButton)
    assert asked.page == "performance"
    assert "78 % of limit" in asked.meter.spoken()


def test_the_tiles_show_the_last_answer(asked: MainWindow, qtbot: QtBot) -> None:
    asked.show_page("performance")
    tiles = asked.performance.tiles
    assert (tiles.decode.text, tiles.prefill.text, tiles.first.text, tiles.share.text) == ("41.8", "240", "0.4", "78")
    values = {fact.name: fact.value for fact in asked.performance.facts.facts}
    assert values["Copied from the passages"] == "31 of 40 tried"
    assert values["Still known from before"] == "390 tokens"


def test_the_bar_splits_the_time_until_the_first_word(asked: MainWindow) -> None:
    asked.show_page("performance")
    shown = {part.name: part.text for part in asked.performance.stages.bar.parts}
    assert shown == {"Clean the question": "21 ms", "Search": "20 ms", "Read the passages": "370 ms"}
    assert "390 of them (64 %) were still in the model's memory" in asked.performance.stages.words.text()


def test_memory_is_read_by_process(asked: MainWindow, qtbot: QtBot) -> None:
    asked.show_page("performance")
    qtbot.waitUntil(lambda: bool(asked.performance.memory.cells))
    own, shared = asked.performance.memory.cells["Window"][:2]
    assert own.endswith(("MB", "GB"))
    assert shared.endswith(("MB", "GB"))


def test_the_cards_of_advice_come_from_the_answer(asked: MainWindow, qtbot: QtBot) -> None:
    asked.show_page("performance")
    qtbot.waitUntil(lambda: asked.tasks.count == 0)
    names = [fact.name for fact in asked.performance._why.facts]
    assert "Kept from before" in names
    assert "Copied from the passages" in names


def benchmarks() -> list[dict[str, Any]]:
    """One run with the model itself, its copy, and a model that has nothing to do with it."""
    about: dict[str, Any] = {"device": "cpu", "threads": 2, "decode_tps": 50.0}
    rows = [
        {**about, "platform": "llama.cpp", "options": "Q4_1", "model": STARTER},
        {**about, "platform": "CTranslate2", "options": "int8", "model": "smollm2-135m-ct2-int8", "decode_tps": 80.0},
        {**about, "platform": "Transformers", "options": "float32", "model": "mistral-7b", "decode_tps": 900.0},
    ]
    return [{"result": {"rows": rows}}]


def test_after_a_benchmark_the_first_answer_has_its_advice(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    backend.answers, backend.records = answer, benchmarks()
    window.chat.ask("Why?")
    qtbot.waitUntil(lambda: not window.session.is_running and window.tasks.count == 0)
    lever = next(fact for fact in window.performance._levers.facts if fact.name == "Another engine")
    assert lever.value == "1.60×"
    assert lever.meaning == "The same model ran faster in CTranslate2. Measured in the benchmark."


def test_an_answer_of_another_model_is_not_this_one_s(backend: ScriptedBackend, tmp_path: Path) -> None:
    state = ModelsState(backend, Tasks())
    state.installed = backend.installed
    advisor = Advisor(backend, state, tmp_path)
    loaded = {"engine": "llama.cpp", "options": "Q4_1", "threads": 2, "device": "cpu", "gpu_layers": 0}
    first, second = ({**measured(), "message": name} for name in ("one", "two"))
    first["usage"] = {**first["usage"], "decode_tps": 10.0}
    advisor(first, [first], {**loaded, "model": "mistral-7b", "options": "Q4_K_M"})
    kept = advisor(second, [first, second], {**loaded, "model": STARTER})
    assert [row["gain"] for row in kept["faster"]] == [None] * len(kept["faster"])
    assert [told["family"] for told in advisor._told.values()] == ["mistral-7b", STARTER]
    advisor(second, [second], {**loaded, "model": STARTER})
    assert len(advisor._told) == 1


def test_an_answer_without_a_model_leaves_the_last_numbers(asked: MainWindow) -> None:
    spoken, drawn = asked.meter.spoken(), list(asked.meter.spark._values)
    for heard in (asked.meter, asked.performance._telemetry):
        heard.set_running(True)
        heard.measure({"event": "done", "usage": {"context": 8192, "context_used": 0, "generated_tokens": 0}})
        heard.set_running(False)
    assert asked.meter.spoken().split(" · ")[:3] == spoken.split(" · ")[:3]
    assert list(asked.meter.spark._values) == drawn
    asked.show_page("performance")
    assert asked.performance.tiles.decode.text == "41.8"


def test_while_the_prompt_is_read_the_strip_says_how_fast(window: MainWindow) -> None:
    window.meter.measure({"event": "prefill", "seconds": 0.2, "tok_s": 240.0})
    assert "240 tok/s read" in window.meter.spoken()
    window.meter.measure({"event": "token", "tok_s": 40.0, "ttft_s": 0.4})
    assert "0.4 s to first" in window.meter.spoken()


def test_nothing_in_the_strip_jumps(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    before = [field.x() for field in window.meter.findChildren(QLabel)]
    backend.answers = answer
    window.chat.ask("Why?")
    qtbot.waitUntil(lambda: not window.session.is_running)
    window.meter.measure({"event": "prefill", "tok_s": 9999.0})
    assert [field.x() for field in window.meter.findChildren(QLabel)][:4] == before[:4]


def test_a_trace_gives_the_speed_between_events() -> None:
    trace = Trace()
    for number in range(10):
        trace.token({"seconds": 0.5 + number * 0.1, "generated": 1 + number * 5, "ttft_s": 0.5})
    assert trace.first == 0.5
    assert [speed for _at, speed in trace.points] == pytest.approx([50.0] * 9)
    trace.token({"seconds": None, "generated": None})
    assert len(trace.points) == 9
    trace.done = measured()
    assert trace.limit == pytest.approx(41.8 / 0.78)


def test_telemetry_keeps_the_last_answers() -> None:
    telemetry = Telemetry()
    for _ in range(20):
        telemetry.set_running(True)
        telemetry.measure(measured())
    assert len(telemetry.past) == 12
    telemetry.set_energy(3.5)
    assert telemetry.last is not None
    assert telemetry.last.done["energy_j"] == 3.5


def test_an_answer_without_stages_still_has_its_wait() -> None:
    assert [(part.name, part.text) for part in parts({"usage": {"ttft_s": 1.25}})] == [("Read the passages", "1.2 s")]
    assert parts({}) == []
    assert reading({"prompt_tokens": 1, "reused_tokens": 0}) == "The prompt had 1 token, all of them read anew."


def test_a_process_that_is_gone_has_no_row() -> None:
    rows = read({"window": os.getpid(), "chat": 2**22 + 1})["processes"]
    assert set(rows) == {"window"}
    assert rows["window"]["rss"] > 10


@pytest.mark.parametrize(("value", "top"), [(0.3, 1), (7, 8), (9, 10), (41, 60), (80, 80), (81, 100), (450, 600)])
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert rounded_up(value) == top


def test_no_word_of_an_answer_is_in_the_numbers(asked: MainWindow, tmp_path: Path) -> None:
    trace = asked.telemetry.last
    assert trace is not None
    assert all(isinstance(at, float) and isinstance(speed, float) for at, speed in trace.points)
