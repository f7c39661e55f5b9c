"""Which model the chat role holds: another one only when something else is asked for, never a mixture of two."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.engines.protocol import EngineInfo, Finish, LoadOptions
from desktop_rag.errors import EngineError, ModelError, StoreError
from desktop_rag.meter import machine
from desktop_rag.models.installed import Installed
from desktop_rag.settings import Settings
from desktop_rag.workers import chat_service, tuning
from desktop_rag.workers.loop import Request
from desktop_rag.workers.placing import Placement


class Engine:
    """Remembers how it was loaded, and whether it is still there."""

    def __init__(self, name: str, path: Path, options: LoadOptions) -> None:
        self.name, self.path, self.options = name, path, options
        self.info = EngineInfo(name, path.stem, options.context, 1, 1, 1)
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Bench:
    """A chat role whose engines are counted."""

    def __init__(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loaded: list[Engine] = []
        self.settings = Settings(data_dir)
        self.broken: set[str] = set()
        monkeypatch.setattr(chat_service, "resolve", self._resolve)
        monkeypatch.setattr(chat_service, "open_engine", self._open)
        monkeypatch.setattr(tuning, "place", lambda *_, context, **__: Placement(0, context, "0 of 30 layers on GPU"))
        self.role = chat_service._Chat(data_dir)

    def _resolve(self, name: str | None, _data: Path, engine: str | None) -> tuple[Installed, str]:
        name = name or "starter"
        path = Path(f"/models/{name}.gguf")
        return Installed(name, name, "chat", "gguf", ("llama.cpp",), path, 1), engine or "llama.cpp"

    def _open(self, name: str, path: Path, options: LoadOptions) -> Engine:
        assert all(engine.closed for engine in self.loaded), "there is memory for one model at a time"
        if path.stem in self.broken:
            raise ModelError("truncated", f"{path.stem} is not whole.")
        self.loaded.append(Engine(name, path, options))
        return self.loaded[-1]

    def run(self, op: str = "load", **args: Any) -> dict[str, Any]:
        return self.finish(getattr(self.role, op)(Request(1, op, args)))

    def finish(self, steps: Iterator[Any]) -> dict[str, Any]:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return dict(end.value or {})


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("name", "value"),
    [("model", "other"), ("engine", "CTranslate2"), ("context", 2048), ("kv_type", "q8_0"), ("gpu_layers", 0)],
)
def test_a_changed_setting_holds_from_the_next_question_on(bench: Bench, name: str, value: object) -> None:
    bench.run()
    assert bench.settings.set(name, value)
    bench.run()
    assert [engine.closed for engine in bench.loaded] == [True, False]


def test_what_is_there_already_is_not_loaded_again_whatever_it_is_called(bench: Bench) -> None:
    bench.run()
    for named in ({}, {"model": "starter"}, {"engine": "llama.cpp"}, {"model": "starter", "engine": "LLAMA.CPP"}):
        bench.run(**named)
    assert len(bench.loaded) == 1
    bench.settings.set("theme", "dark")
    bench.run()
    assert len(bench.loaded) == 1, "appearance is nothing to the model"


def test_a_request_that_names_nothing_goes_on_with_what_was_named(bench: Bench) -> None:
    bench.run(model="other", options={"context": 512})
    bench.run()
    assert [(engine.path.stem, engine.options.context) for engine in bench.loaded] == [("other", 512)]


def test_a_model_that_cannot_be_loaded_leaves_a_role_that_answers_by_the_settings(bench: Bench) -> None:
    bench.run()
    bench.broken = {"other"}
    for _ in range(2):
        with pytest.raises(ModelError, match="not whole"):
            bench.run(model="other")
    assert bench.run("status") == {"model": None}
    assert bench.role._loaded({}).info.model == "starter"


def test_tuning_lets_go_of_a_model_before_it_is_closed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []

    def calibrate(_data: Path, _model: Installed, engine: Any) -> Iterator[None]:
        try:
            while True:
                yield None
        finally:
            ended.append(engine.closed)

    monkeypatch.setattr(chat_service, "calibrate", calibrate)
    monkeypatch.setattr(type(bench.role._limits), "known", property(lambda _self: True))
    tuning_steps = bench.role.tune(Request(1, "tune", {}))
    next(tuning_steps)
    bench.run(model="other")
    assert ended == [False], "its contexts compute with the weights of the model: first they go, then it"
    bench.role._status = lambda engine: {"model": engine.info.model}  # type: ignore[method-assign]
    assert bench.finish(tuning_steps) == {"model": "other"}


def test_a_context_that_did_not_hold_is_not_taken_because_it_was_named(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "place", lambda *_, context, **__: Placement(9, context // 2, "9 of 30 layers on GPU"))
    bench.run(model="other", options={"context": 8192})
    assert (bench.loaded[0].options.context, bench.loaded[0].options.gpu_layers) == (4096, 9)


def test_an_answer_outlives_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("disk_full", "The disk is full.")

    limits = tuning.Limits(tmp_path)
    limits._machine = machine.Machine(1.0, "memcpy", 1e9, 2, "cpu")
    monkeypatch.setattr(machine, "remember", full)
    info = EngineInfo("llama.cpp", "m", 4096, 1, 1, 1, read_bytes=10**9)
    engine: Any = type("Loaded", (), {"info": info})()
    finish = Finish("end", 10, 0, 101, 1.0, 2.0)
    assert limits.fraction(engine, finish) == pytest.approx(1.0), "the limit is raised to what was reached"


class Measuring:
    """A process that measures until it is closed."""

    def __init__(self, *_: object, **__: object) -> None:
        self.closed = threading.Event()
        Measuring.last = self

    last: Measuring

    def call(self, op: str, **_: object) -> dict[str, Any]:
        assert self.closed.wait(10)
        raise EngineError("crashed", "It was closed.")

    def close(self) -> None:
        self.closed.set()


def test_a_question_need_not_wait_for_the_machine_to_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "WorkerClient", Measuring)
    limits = tuning.Limits(tmp_path)
    limits._machine = machine.Machine(1.0, "memcpy", 1e9, 2, "cpu", others=1.0)
    assert not limits.known
    steps: Any = limits.measure()
    next(steps)
    next(steps)
    assert not Measuring.last.closed.is_set(), "it still measures, and the loop had its turn twice"
    steps.close()
    assert Measuring.last.closed.is_set()
    machine.remember(tmp_path, machine.Machine(2.0, "memcpy", 1e9, 2, "cpu"))
    assert limits.known, "what was measured since is what counts"
