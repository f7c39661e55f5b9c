"""The run of a benchmark: a platform that fails is noted, the others go on; no server elsewhere is asked unbidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import ModelError, NetworkError, UsageError
from desktop_rag.evaluation.bench import MIN_RUNS
from desktop_rag.evaluation.prompts import QUESTIONS, WARM_UP
from desktop_rag.evaluation.records import recent
from desktop_rag.evaluation.running import Choice, bench
from desktop_rag.settings import Settings
from tests.evaluation.scripted import ScriptedTeam

REFUSED = ModelError("incompatible", "It does not open.", "Choose another.")
USAGE = {"prompt_tokens": 9, "generated_tokens": 3, "decode_tps": 50.0, "roofline_fraction": 0.5}


def load(**args: Any) -> dict[str, Any]:
    if args["engine"] == "CTranslate2":
        raise REFUSED
    return {"device": "cpu", "threads": 2, "options": "Q4_1", "gpu_layers": 0}


def complete(**args: Any) -> dict[str, Any]:
    return {"text": "a few words", "usage": USAGE, "reason": "end"}


def count(**args: Any) -> dict[str, Any]:
    return {"counts": [len(text.split()) for text in args["texts"]]}


@pytest.fixture
def team(tmp_path: Path) -> ScriptedTeam:
    scripts = {
        "chat": {"load": load, "complete": complete},
        "bench": {"count": count},
        "models": {
            "machine": lambda: {"cpu": "a cpu", "read_gbs": 20.0},
            "convert": lambda **args: {"model": {"id": "smollm2-135m-instruct-q4_1"}},
        },
        "network remote_model": {"load": lambda **args: {"model": "there"}, "complete": complete},
    }
    return ScriptedTeam(tmp_path, scripts)


def events(team: ScriptedTeam, choice: Choice) -> list[dict[str, Any]]:
    return list(bench(team, choice))


def test_a_platform_that_cannot_run_is_noted_and_the_others_go_on(team: ScriptedTeam) -> None:
    done = events(team, Choice(engines=("llama.cpp", "CTranslate2")))[-1]
    assert [row["platform"] for row in done["rows"]] == ["llama.cpp"]
    assert [(note["platform"], note["options"]) for note in done["skipped"]] == [
        ("CTranslate2", "int8"),
        ("CTranslate2", "float32"),
    ]
    assert done["skipped"][0]["error"] == {"code": "incompatible", "message": REFUSED.message, "hint": REFUSED.hint}
    assert all(worker.closed for worker in team.handed_out)


def test_a_row_has_every_promised_name_and_its_runs(team: ScriptedTeam) -> None:
    row = events(team, Choice(engines=("llama.cpp",)))[-1]["rows"][0]
    assert {
        *("platform", "options", "device", "model", "n", "avg_tok_s", "std_tok_s", "avg_time_s", "avg_output_tokens"),
        *("ttft_s", "peak_rss_mb", "roofline_fraction", "runs"),
    } <= set(row)
    assert row["n"] == len(row["runs"]) == len(QUESTIONS) >= MIN_RUNS
    assert {"text", "tok_s", "seconds", "output_tokens", "prompt_tokens", "ttft_s"} <= set(row["runs"][0])
    assert row["options"] == "Q4_1"
    assert row["roofline_fraction"] == 0.5


def test_a_row_tells_how_its_model_was_loaded(team: ScriptedTeam) -> None:
    Settings(team.data_dir).set("kv_type", "q8_0")
    row = events(team, Choice(engines=("llama.cpp",)))[-1]["rows"][0]
    assert (row["threads"], row["gpu_layers"], row["kv_type"]) == (2, 0, "q8_0")


def test_the_warm_up_is_asked_first_and_is_no_run(team: ScriptedTeam) -> None:
    events(team, Choice(engines=("llama.cpp",)))
    chat = next(worker for worker in team.handed_out if worker.asked[0][0] == "load")
    asked = [args["messages"][0]["content"] for op, args in chat.asked if op == "complete"]
    assert asked == [WARM_UP, *QUESTIONS]


def test_the_same_run_is_recorded(team: ScriptedTeam) -> None:
    done = events(team, Choice(engines=("llama.cpp",)))[-1]
    record = recent(team.data_dir, "bench")[0]
    assert record["result"]["rows"] == done["rows"]
    assert all(record["models_sha256"].values())


def test_when_nothing_runs_the_reason_is_told(team: ScriptedTeam) -> None:
    with pytest.raises(ModelError, match="does not open"):
        events(team, Choice(engines=("CTranslate2",)))


def test_an_unknown_engine_is_refused_before_anything_starts(team: ScriptedTeam) -> None:
    with pytest.raises(UsageError, match="no engine"):
        events(team, Choice(engines=("abacus",)))
    assert team.handed_out == []


def test_a_server_elsewhere_needs_the_network_opened(team: ScriptedTeam) -> None:
    with pytest.raises(NetworkError) as caught:
        events(team, Choice(url="https://models.example.com/v1"))
    assert caught.value.code == "sealed"
    assert "--online" in caught.value.hint


def test_a_server_elsewhere_is_left_again(team: ScriptedTeam) -> None:
    done = events(team, Choice(url="https://models.example.com/v1", online=True))[-1]
    assert [(row["platform"], row["options"]) for row in done["rows"]] == [("OpenAI-compatible", "models.example.com")]
    assert done["rows"][0]["avg_output_tokens"] == USAGE["generated_tokens"]
    assert done["rows"][0]["peak_rss_mb"] is None
    assert team.left == ["remote_model"]


def test_a_model_that_says_nothing_gives_no_row(team: ScriptedTeam) -> None:
    team.scripts["chat"]["complete"] = lambda **args: {"text": "", "usage": USAGE}
    with pytest.raises(Exception, match="wrote nothing"):
        events(team, Choice(engines=("llama.cpp",)))


def test_a_closed_run_leaves_no_process(team: ScriptedTeam) -> None:
    run = bench(team, Choice(engines=("llama.cpp",)))
    for event in run:
        if event["event"] == "run":
            break
    run.close()
    assert all(worker.closed for worker in team.handed_out)
