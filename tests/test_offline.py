"""The environment of every process: offline whatever the caller's shell said, and no more threads than cores."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop_rag import offline
from desktop_rag.offline import set_environment, thread_budget


def test_an_offline_switch_is_never_left_to_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("ANONYMIZED_TELEMETRY", "True")
    monkeypatch.setenv("OPENTELEMETRY_ENDPOINT", "http://collector.example.org")
    set_environment()
    assert {os.environ[n] for n in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")} == {"1"}
    assert os.environ["ANONYMIZED_TELEMETRY"] == "False"
    assert "OPENTELEMETRY_ENDPOINT" not in os.environ


@pytest.mark.parametrize(("cores", "budget"), [(None, 2), (1, 1), (2, 2), (8, 8), (128, 8)])
def test_the_thread_budget_follows_the_cores(monkeypatch: pytest.MonkeyPatch, cores: int | None, budget: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert thread_budget("chat") == thread_budget("library") == budget
    assert thread_budget("parse") == 1


@pytest.mark.parametrize(
    ("flags", "core"),
    [
        ("fpu sse4_2 avx avx2 fma", None),
        ("fpu sse4_2 avx", "Sandybridge"),
        ("fpu ssse3 sse4_1 sse4_2 popcnt", "Nehalem"),
    ],
)
def test_a_processor_without_avx2_gets_kernels_that_run_on_it(tmp_path: Path, flags: str, core: str | None) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(f"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: {flags}\nbugs\t\t: none\n")
    assert offline._older_core(told) == core


def test_a_processor_that_tells_nothing_is_left_alone(tmp_path: Path) -> None:
    assert offline._older_core(tmp_path / "cpuinfo") is None
    (tmp_path / "cpuinfo").write_text("processor: 0\nFeatures: fp asimd\n")
    assert offline._older_core(tmp_path / "cpuinfo") is None
