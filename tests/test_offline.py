"""The environment of every process: offline whatever the caller's shell said, and no more threads than cores."""

from __future__ import annotations

import os

import pytest

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
