"""Calibration: the fastest wins when it clearly is, noise changes nothing, and the time is kept."""

from __future__ import annotations

import ctypes
import json
import os
import random
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag import paths
from desktop_rag.engines import calibration
from desktop_rag.engines.calibration import (
    CLEAR_WIN,
    FILE,
    LANE_TOKENS,
    Calibration,
    calibrate,
    clear_winner,
    machine_key,
    model_key,
    remember,
    remembered,
    thread_choices,
)
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Found = tuple[list[dict[str, Any]], Calibration]


class Machine:
    """A machine with a clock of its own: `speed(what, threads, micro_batch, flash)` in tokens a second."""

    def __init__(self, speed: Callable[..., float], noise: float = 0.0, seed: int = 0) -> None:
        self.speed = speed
        self.now = 0.0
        self.noise = noise
        self.random = random.Random(seed)
        self.open_lanes = 0
        self.opened: list[tuple[int, bool]] = []

    def clock(self) -> float:
        return self.now

    def open(self, micro_batch: int, flash: bool) -> SlowLane:
        self.opened.append((micro_batch, flash))
        self.open_lanes += 1
        return SlowLane(self, micro_batch, flash)

    def spend(self, seconds: float) -> float:
        seconds *= 1 + self.random.uniform(-self.noise, self.noise)
        self.now += seconds
        return seconds


class SlowLane:
    def __init__(self, machine: Machine, micro_batch: int, flash: bool) -> None:
        self.machine, self.micro_batch, self.flash = machine, micro_batch, flash
        self.threads = (1, 1)

    def set_threads(self, decode: int, prefill: int) -> None:
        self.threads = (decode, prefill)

    def prefill(self, tokens: int) -> float:
        assert 0 < tokens <= LANE_TOKENS
        speed = self.machine.speed("prefill", self.threads[1], self.micro_batch, self.flash)
        return self.machine.spend(tokens / speed)

    def decode(self, tokens: int) -> float:
        speed = self.machine.speed("decode", self.threads[0], self.micro_batch, self.flash)
        return self.machine.spend(tokens / speed)

    def close(self) -> None:
        self.machine.open_lanes -= 1


def even(what: str, threads: int, micro_batch: int, flash: bool) -> float:
    """Two cores like this project's: nothing beats the defaults."""
    return (170.0 if what == "decode" else 500.0) * (1.0 if threads == 2 else 0.6)


def found(machine: Machine, **options: Any) -> Found:
    steps = calibrate(machine.open, threads=[2, 1], clock=machine.clock, **{"others": lambda: 0.0, **options})
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as stop:
            return events, stop.value


def test_the_defaults_stay_where_nothing_is_better() -> None:
    machine = Machine(even)
    events, result = found(machine)
    assert (result.threads, result.threads_batch, result.micro_batch, result.flash_attention) == (2, 2, 128, True)
    assert result.decode_tps == pytest.approx(170, rel=0.01)
    assert result.prefill_tps == pytest.approx(500, rel=0.01)
    assert machine.now < 6
    assert machine.open_lanes == 0
    fractions = [event["fraction"] for event in events]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("one thread decodes faster", {"threads": 1, "threads_batch": 2}),
        ("one thread reads faster", {"threads": 2, "threads_batch": 1}),
        ("flash attention is slow", {"flash_attention": False}),
        ("small batches", {"micro_batch": 64}),
        ("large batches", {"micro_batch": 256}),
    ],
)
def test_what_is_clearly_faster_is_found(what: str, expected: dict[str, Any]) -> None:
    def speed(kind: str, threads: int, micro_batch: int, flash: bool) -> float:
        base = 170.0 if kind == "decode" else 1500.0
        better = {
            "one thread decodes faster": kind == "decode" and threads == 1,
            "one thread reads faster": kind == "prefill" and threads == 1,
            "flash attention is slow": not flash,
            "small batches": kind == "prefill" and micro_batch == 64,
            "large batches": kind == "prefill" and micro_batch == 256,
        }[what]
        return base * (1.2 if better else 1.0)

    _, result = found(Machine(speed, noise=0.05))
    assert {name: getattr(result, name) for name in expected} == expected


def test_while_others_compute_all_cores_stay_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "available_cores", lambda: 2)
    machine = Machine(lambda kind, threads, *rest: 200.0 / threads)
    _, result = found(machine, others=lambda: machine.now)
    assert result.others == pytest.approx(0.5)
    assert (result.threads, result.threads_batch) == (2, 2)
    assert machine.opened == [(128, True)], "it went on measuring what says nothing"
    _, result = found(Machine(lambda kind, threads, *rest: 200.0 / threads))
    assert (result.others, result.threads, result.threads_batch) == (0, 1, 1)


def test_own_work_is_not_counted_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = SimpleNamespace(user=10.0, nice=1.0, system=2.0, idle=500.0, steal=0.5)
    monkeypatch.setattr("psutil.cpu_times", lambda: busy)
    monkeypatch.setattr("time.process_time", lambda: 3.0)
    assert calibration.others_seconds() == pytest.approx(10.5)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_noisy_machine_rarely_moves_and_never_to_something_slower(seed: int) -> None:
    def speed(kind: str, threads: int, micro_batch: int, flash: bool) -> float:
        return even(kind, threads, micro_batch, flash) * (1 if flash else 0.7) * (1 if micro_batch >= 128 else 0.7)

    _, result = found(Machine(speed, noise=0.1, seed=seed))
    assert (result.threads, result.threads_batch, result.flash_attention) == (2, 2, True)
    assert result.micro_batch >= 128


@given(gain=st.floats(0.5, 2.0), rounds=st.integers(1, 7))
def test_only_a_clear_win_changes_a_default(gain: float, rounds: int) -> None:
    seconds = {1: [1.0] * rounds, 2: [1.0 / gain] * rounds}
    assert clear_winner(seconds) == (2 if 1.0 / (1.0 / gain) > CLEAR_WIN else 1)


def test_one_lucky_round_is_no_win() -> None:
    assert clear_winner({1: [1.0, 1.0, 9.0], 2: [1.01, 1.02, 1.0]}) == 1


def test_the_best_of_several_wins() -> None:
    assert clear_winner({1: [1.0, 1.0], 2: [0.9, 0.9], 3: [0.8, 0.8]}) == 3


@pytest.mark.parametrize("tps", [0.5, 3.0, 30.0, 20_000.0])
def test_time_is_kept_by_slow_and_fast_models(tps: float) -> None:
    machine = Machine(lambda kind, *rest: tps if kind == "decode" else 3 * tps)
    _, result = found(machine, seconds=5.0)
    # A very slow model needs a few tokens to be measured at all; nothing is begun after that.
    assert machine.now < 6 + 60 / tps
    assert result.decode_tps is not None
    if tps > 1000:
        assert {512, 256, 128, 64} <= {size for size, _ in machine.opened}
    if tps < 1:
        assert {size for size, _ in machine.opened} == {128}


def test_a_quantised_kv_memory_keeps_flash_attention() -> None:
    machine = Machine(lambda kind, threads, size, flash: 170.0 if flash else 900.0)
    _, result = found(machine, quantised_kv=True)
    assert result.flash_attention is True
    assert all(flash for _, flash in machine.opened)


def test_stopping_in_the_middle_frees_the_lanes() -> None:
    machine = Machine(even)
    steps = calibrate(machine.open, threads=[2, 1], clock=machine.clock)
    next(steps)
    next(steps)
    assert machine.open_lanes > 0
    steps.close()
    assert machine.open_lanes == 0


def test_a_lane_that_cannot_be_opened_frees_the_others() -> None:
    machine = Machine(even)

    def fails_later(micro_batch: int, flash: bool) -> SlowLane:
        if micro_batch != 128:
            raise ModelError("out_of_memory", "full")
        return machine.open(micro_batch, flash)

    steps = calibrate(fails_later, threads=[2, 1], clock=machine.clock)
    with pytest.raises(ModelError):
        list(steps)
    assert machine.open_lanes == 0


def test_thread_choices_start_with_all_and_stay_few() -> None:
    assert thread_choices(1) == [1]
    assert thread_choices(2) == [2, 1]
    assert thread_choices(4) == [4, 3, 2, 1]
    assert thread_choices(16) == [16, 12, 8, 4]
    assert thread_choices()[0] == calibration.available_cores()


RESULT = Calibration(
    2, 2, 64, False, 171.5, 480.0, 0.1, ({"what": "threads", "choice": 2, "seconds": 0.1, "tokens": 9},)
)


def test_what_is_remembered_comes_back_for_this_model_only(tmp_path: Path) -> None:
    remember(tmp_path, "model a", RESULT)
    remember(tmp_path, "model b", replace(RESULT, threads=1))
    a, b = remembered(tmp_path, "model a"), remembered(tmp_path, "model b")
    assert a is not None
    assert b is not None
    assert replace(a, rounds=RESULT.rounds) == RESULT
    assert list(a.rounds) == list(RESULT.rounds)
    assert b.threads == 1
    assert remembered(tmp_path, "model c") is None


def test_another_machine_measures_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(tmp_path, "model", RESULT)
    monkeypatch.setattr(calibration, "available_cores", lambda: 64)
    assert remembered(tmp_path, "model") is None
    remember(tmp_path, "model", RESULT)
    assert list(json.loads((tmp_path / FILE).read_text())) == [machine_key()]


@pytest.mark.parametrize(
    "content",
    ["", "nonsense", "[]", '{"x": 1}', "{}", '{"KEY": {"model": 3}}', '{"KEY": {"model": {"threads": "many"}}}'],
)
def test_a_damaged_record_counts_as_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content.replace("KEY", machine_key()))
    assert remembered(tmp_path, "model") is None
    remember(tmp_path, "model", RESULT)
    assert remembered(tmp_path, "model") is not None


def test_a_changed_model_file_has_another_key(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    assert model_key(file) == ""
    file.write_bytes(b"one")
    first = model_key(file)
    file.write_bytes(b"three")
    assert first != model_key(file)


@pytest.fixture(scope="module")
def loaded() -> Iterator[Any]:
    import llama_cpp

    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model: Any = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
    yield model
    llama_cpp.llama_model_free(model)
    llama_cpp.llama_log_set(llama_cpp.llama_log_callback(0), ctypes.c_void_p(0))


@pytest.mark.slow
def test_the_real_model_is_measured(loaded: Any) -> None:
    from desktop_rag.engines.calibration_lane import llama_lanes

    steps = calibrate(llama_lanes(loaded), seconds=1.5)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: Calibration = stop.value
            break
    assert result.threads in thread_choices()
    assert result.decode_tps is not None
    assert result.decode_tps > 1
    assert result.prefill_tps is not None
    assert result.prefill_tps > 1
    assert {round_["what"] for round_ in result.rounds} >= {"threads", "threads_batch"}
    assert all(round_["seconds"] > 0 for round_ in result.rounds)


@pytest.mark.slow
def test_a_lane_starts_again_when_its_context_is_full(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop_rag.engines import calibration_lane

    monkeypatch.setattr(calibration_lane, "LANE_TOKENS", 64)
    lane = calibration_lane.llama_lanes(loaded)(32, True)
    try:
        for _ in range(3):
            assert lane.prefill(32) > 0
            assert lane.decode(2) > 0
        # One that was not cleared away would not fit.
        assert lane.prefill(60) > 0
        assert lane.decode(30) > 0
    finally:
        lane.close()
    lane.close()
