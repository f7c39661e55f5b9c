"""Devices: the list is the library's own; a plan is tried in a process that may die and steps back until it holds."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag import paths
from desktop_rag.engines import devices as module
from desktop_rag.engines.devices import Device, accelerators, backends, device_pointers, devices
from desktop_rag.engines.offload_trial import Held, Trial, _Report, load
from desktop_rag.engines.offload_verify import LEAST_CONTEXT, verify_plan
from desktop_rag.errors import EngineError, ModelError
from desktop_rag.models.catalogue import find
from desktop_rag.workers import client, trial_service

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20
REPORT = """load_tensors: offloading output layer to GPU
load_tensors: offloaded 12/31 layers to GPU
load_tensors:   CPU_Mapped model buffer size =    70.00 MiB
load_tensors:      Vulkan0 model buffer size =    20.50 MiB
load_tensors:      Vulkan0 model buffer size =     4.00 MiB
llama_context:        CPU  output buffer size =     0.19 MiB
llama_kv_cache:        CPU KV buffer size =     6.75 MiB
llama_kv_cache:    Vulkan0 KV buffer size =     4.50 MiB
sched_reserve:    Vulkan0 compute buffer size =    90.00 MiB
sched_reserve:    Vulkan0 compute buffer size =    96.13 MiB
sched_reserve: Vulkan_Host compute buffer size =     5.01 MiB
"""


@pytest.fixture(scope="module")
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


def trial(gpu_layers: int = 32, context: int = 4096) -> Trial:
    return Trial("model.gguf", gpu_layers, context)


def held(step: Trial) -> Held:
    return Held(step.gpu_layers, 33, step.context, {}, {"Vulkan0": 9 * 10**9}, {"Vulkan0": 400_000_000})


# --- the list ---------------------------------------------------------------------------------


def test_the_processor_is_always_there_and_says_how_much_is_free() -> None:
    (cpu,) = [device for device in devices() if device.kind == "cpu"]
    assert cpu.description
    assert 0 < cpu.free_bytes <= cpu.total_bytes
    assert not cpu.takes_layers
    assert "CPU" in backends()


class FakeGgml:
    """A library built for two kinds of devices; functions as ggml names them."""

    rows = (
        (b"Vulkan0", b"Card A ", 1, 6, 8),
        (b"Vulkan1", b"Chip", 2, 3, 4),
        (b"BLAS", b"Helper", 3, 0, 0),
        (b"Odd", b"Newer than this list", 9, 1, 1),
    )

    def ggml_backend_dev_count(self) -> int:
        return len(self.rows)

    def ggml_backend_dev_get(self, at: int) -> int:
        return 100 + at

    def ggml_backend_dev_name(self, handle: int) -> bytes:
        return self.rows[handle - 100][0]

    def ggml_backend_dev_description(self, handle: int) -> bytes:
        return self.rows[handle - 100][1]

    def ggml_backend_dev_type(self, handle: int) -> int:
        return self.rows[handle - 100][2]

    def ggml_backend_dev_memory(self, handle: int, free: Any, total: Any) -> None:
        free._obj.value, total._obj.value = self.rows[handle - 100][3:]


def test_graphics_devices_take_layers_and_helpers_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ggml", FakeGgml)
    assert [device.kind for device in devices()] == ["gpu", "igpu", "accel", "accel"]
    assert accelerators() == [Device("Vulkan0", "Card A", "gpu", 6, 8), Device("Vulkan1", "Chip", "igpu", 3, 4)]
    assert list(device_pointers(["Vulkan1"])) == [101, None]
    with pytest.raises(ModelError) as caught:
        device_pointers(["CUDA0"])
    assert caught.value.code == "backend_missing"
    assert "CUDA0" in caught.value.message
    assert "Vulkan0, Vulkan1" in caught.value.hint


# --- the trial --------------------------------------------------------------------------------


def test_the_library_s_report_is_read() -> None:
    report = _Report(SimpleNamespace(llama_log_callback=lambda f: f, llama_log_set=lambda *a: None))
    report.lines = REPORT.splitlines(keepends=True)
    assert report.layers() == (12, 31)
    buffers = report.buffers()
    assert buffers["Vulkan0"] == {
        "model": round(24.5 * MIB),
        "KV": round(4.5 * MIB),
        "compute": round(96.13 * MIB),
    }
    assert buffers["CPU"]["KV"] == round(6.75 * MIB)
    result = Held(12, 31, 512, buffers, {"Vulkan0": 0}, {"Vulkan0": 0})
    assert result.on_devices() == {"Vulkan0": sum(buffers["Vulkan0"].values())}
    assert Held(**result.to_payload()) == result


def in_child(tmp_path: Path, seconds: float = 60.0) -> Any:
    return trial_service.in_child(tmp_path, seconds)


@pytest.mark.slow
def test_a_child_loads_the_model_and_reports_its_buffers(starter: Path, tmp_path: Path) -> None:
    result = in_child(tmp_path)(Trial(str(starter), 0, 512))
    assert (result.gpu_layers, result.context) == (0, 512)
    kv = sum(sizes.get("KV", 0) for sizes in result.buffers.values())
    # 30 layers, 3 heads of 64 for keys and values each, two bytes
    assert kv == pytest.approx(2 * 30 * 3 * 64 * 2 * 512, abs=0.01 * MIB)
    weights = sum(sizes.get("model", 0) for sizes in result.buffers.values())
    assert weights == pytest.approx(starter.stat().st_size, rel=0.05)


@pytest.mark.slow
def test_without_a_device_layers_are_refused_in_words(starter: Path, tmp_path: Path) -> None:
    if accelerators():
        pytest.skip("this build has a device")
    with pytest.raises(ModelError) as caught:
        verify_plan(Trial(str(starter), 4, 512), in_child(tmp_path))
    assert caught.value.code == "backend_missing"
    assert "processor" in caught.value.hint


@pytest.mark.slow
def test_a_file_that_does_not_load_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF and nothing")
    with pytest.raises(ModelError) as caught:
        load(Trial(str(tmp_path / "broken.gguf"), 0, 512))
    assert caught.value.code == "out_of_memory"
    assert "broken.gguf" in caught.value.message


# The real role's process around a load that never ends, or that takes the process with it.
HANGS = """import sys, time
from desktop_rag.workers import trial_service
from desktop_rag.workers.arguments import run_worker
trial_service.load = lambda trial: time.sleep(600)
sys.exit(run_worker(sys.argv[1:]))"""
CRASHES = HANGS.replace("time.sleep(600)", "__import__('os').abort()")


@pytest.mark.slow
@pytest.mark.parametrize(("program", "code"), [(CRASHES, "crashed"), (HANGS, "hung")])
def test_a_crash_and_a_hang_are_told_apart(
    program: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "worker_command", lambda role: [sys.executable, "-c", program, role])
    with pytest.raises(EngineError) as caught:
        in_child(tmp_path, 20.0 if code == "crashed" else 3.0)(trial())
    assert caught.value.code == code


# --- stepping back ----------------------------------------------------------------------------


def test_a_plan_that_holds_is_taken_as_it_is() -> None:
    result = verify_plan(trial(22), held)
    assert (result.gpu_layers, result.context) == (22, 4096)
    assert [(row.gpu_layers, row.error) for row in result.tried] == [(22, None)]
    assert result.sentence == "22 of 32 layers on GPU, 0.4 GB free"
    assert result.to_payload()["sentence"] == result.sentence


def test_the_output_matrix_is_no_layer_to_people() -> None:
    assert verify_plan(trial(33), held).sentence.startswith("32 of 32 layers")


@given(
    planned=st.integers(1, 100),
    context=st.sampled_from([512, 1024, 4096, 8192]),
    room=st.integers(0, 100 * 8192),
    error=st.sampled_from(
        [ModelError("out_of_memory", "full"), EngineError("crashed", "dead"), EngineError("hung", "late")]
    ),
)
def test_less_is_tried_until_it_holds_and_never_nothing(planned: int, context: int, room: int, error: Any) -> None:
    steps: list[Trial] = []

    def attempt(step: Trial) -> Held:
        steps.append(step)
        if step.gpu_layers * step.context > room:
            raise error
        return held(step)

    result, failure = None, None
    try:
        result = verify_plan(trial(planned, context), attempt)
    except ModelError as raised:
        failure = raised
    if result:
        assert result.gpu_layers * result.context <= room
        assert (result.gpu_layers, result.context) == (steps[-1].gpu_layers, steps[-1].context)
        assert [row.error for row in result.tried[:-1]] == [error.message] * (len(steps) - 1)
    if failure:
        assert failure.code == "out_of_memory"
        assert len(failure.details["tried"]) == len(steps)
        assert steps[-1].gpu_layers == 1
        assert room < max(LEAST_CONTEXT, context / 16)
    sizes = [(step.gpu_layers, step.context) for step in steps]
    assert sizes[0] == (planned, context)
    assert len(set(sizes)) == len(sizes) <= 11
    assert all(layers >= 1 and size >= LEAST_CONTEXT for layers, size in sizes)
    assert all(b[0] <= a[0] and b[1] <= a[1] for a, b in pairwise(sizes))


def test_layers_go_before_context() -> None:
    steps: list[tuple[int, int]] = []

    def attempt(step: Trial) -> Held:
        steps.append((step.gpu_layers, step.context))
        raise ModelError("out_of_memory", "full")

    with pytest.raises(ModelError):
        verify_plan(trial(32, 2048), attempt)
    assert steps == [(32, 2048), (28, 2048), (24, 2048), (20, 2048), (16, 2048), (16, 1024), (16, 512), (1, 512)]


@pytest.mark.parametrize("error", [ModelError("backend_missing", "x"), ModelError("incompatible", "x")])
def test_what_less_cannot_cure_is_raised_at_once(error: ModelError) -> None:
    calls = []

    def attempt(step: Trial) -> Held:
        calls.append(step)
        raise error

    with pytest.raises(ModelError) as caught:
        verify_plan(trial(), attempt)
    assert caught.value is error
    assert len(calls) == 1


def test_a_load_that_moved_nothing_is_no_success() -> None:
    with pytest.raises(ModelError) as caught:
        verify_plan(trial(8), lambda step: Held(0, 33, step.context))
    assert caught.value.code == "backend_missing"
