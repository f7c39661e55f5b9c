from __future__ import annotations

from typing import Any

import pytest

from desktop_rag.evaluation.gains import gains


def bench(at: str, *rows: tuple[str, str, float]) -> dict[str, Any]:
    named = [{"platform": platform, "options": options, "avg_tok_s": speed} for platform, options, speed in rows]
    return {"at": at, "result": {"rows": named}}


OLD = bench("1", ("CTranslate2", "float32", 10.0), ("CTranslate2", "int8", 15.0))
NEW = bench("2", ("CTranslate2", "float32", 10.0), ("CTranslate2", "int8", 30.0), ("llama.cpp", "Q4_1", 60.0))
TARGETS = {"at": "3", "result": {"targets": [{"name": "ttft_followup", "value": 0.1}]}}
EVIDENCE = {"capability": "batching", "evidence": {"gain": 2.5}}
PROBES = {"at": "4", "result": {"engines": [{"engine": "CTranslate2", "probes": [EVIDENCE]}]}}


def test_each_lever_tells_its_newest_measurement() -> None:
    found = {gain.lever: gain for gain in gains([NEW, OLD], [TARGETS], [PROBES])}
    assert found["low_precision"].gain == pytest.approx(3.0)
    assert found["low_precision"].at == "2"
    assert (found["engine"].before, found["engine"].after) == ("CTranslate2 float32", "llama.cpp Q4_1")
    assert found["engine"].gain == pytest.approx(6.0)
    assert found["prefix_reuse"].gain == pytest.approx(10.0)
    assert found["batching"].gain == 2.5
    assert [gain.gain for gain in gains([NEW], [TARGETS], [PROBES])] == sorted(
        (gain.gain for gain in found.values()), reverse=True
    )


def test_what_was_not_measured_is_not_told() -> None:
    assert gains([], [], []) == []
    alone = bench("1", ("llama.cpp", "Q4_1", 60.0))
    unmeasured = {"at": "1", "result": {"targets": [{"name": "ttft_followup", "value": None}]}}
    assert gains([alone], [unmeasured], []) == []


def test_random_weights_show_what_quantising_brings() -> None:
    record = bench("1", ("llama.cpp", "llama-3.2-1b F16", 10.0), ("llama.cpp", "llama-3.2-1b Q4_0", 32.0))
    assert [(gain.lever, gain.gain) for gain in gains([record], [], [])] == [("quantisation", 3.2)]
