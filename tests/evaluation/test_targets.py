"""Targets that cannot be measured: no value, the reason in words, the others go on, nothing is left behind."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import ModelError, UsageError
from desktop_rag.evaluation.promises import TARGETS
from desktop_rag.evaluation.prompts import EXTRACTIVE, QUESTIONS, copied_share, passages
from desktop_rag.evaluation.records import recent
from desktop_rag.evaluation.target_memory import weights_in_uss
from desktop_rag.evaluation.targets import targets
from tests.evaluation.scripted import ScriptedTeam

_numbers = itertools.count()


def complete(**args: Any) -> dict[str, Any]:
    return {"text": "one two three", "usage": {}}


def other_each_time(**args: Any) -> dict[str, Any]:
    return {"text": f"one two {next(_numbers)}", "usage": {}}


def team(tmp_path: Path, **chat: Any) -> ScriptedTeam:
    def broken(**args: Any) -> dict[str, Any]:
        raise ModelError("out_of_memory", "There is no room.")

    scripts = {
        "chat": {"load": lambda **args: {}, "complete": complete, **chat},
        "bench": {"bare_loop": broken, "high_level": broken},
        "models": {"machine": lambda: {"cpu": "a cpu"}, "synthetic": broken},
    }
    return ScriptedTeam(tmp_path, scripts)


def measured(scripted: ScriptedTeam, *names: str) -> dict[str, dict[str, Any]]:
    done = list(targets(scripted, names=names))[-1]
    assert all(worker.closed for worker in scripted.handed_out)
    return {target["name"]: target for target in done["targets"]}


def test_a_target_that_breaks_has_no_value_and_the_others_go_on(tmp_path: Path) -> None:
    found = measured(team(tmp_path), "decode_vs_bare_loop", "lookup_chat")
    assert found["decode_vs_bare_loop"]["value"] is None
    assert found["decode_vs_bare_loop"]["error"]["message"] == "There is no room."
    assert found["lookup_chat"]["value"] > 0
    assert found["lookup_chat"]["met"] is (found["lookup_chat"]["value"] >= TARGETS["lookup_chat"].bound)
    assert [record["kind"] for record in recent(tmp_path, "targets")] == ["targets"]


def test_lookup_that_changes_a_text_is_no_speed(tmp_path: Path) -> None:
    found = measured(team(tmp_path, complete=other_each_time), "lookup_extractive")
    assert found["lookup_extractive"]["met"] is None
    assert "changed an answer" in found["lookup_extractive"]["error"]["message"]


def test_memory_that_was_not_saved_is_no_restart(tmp_path: Path) -> None:
    scripted = team(tmp_path, generate=complete, remember=lambda: {"kept": False})
    found = measured(scripted, "ttft_restart")
    assert set(found) == {"ttft_followup", "ttft_restart"}
    assert "was not saved" in found["ttft_restart"]["error"]["message"]
    assert list(tmp_path.glob("bench-kv-*")) == []


def test_a_process_that_tells_nothing_has_no_overhead(tmp_path: Path) -> None:
    status = {"process": {"uss": None}, "weights_mb": 1.0, "kv_mb": 1.0}
    found = measured(team(tmp_path, generate=complete, status=lambda: status), "chat_overhead_mb")
    assert "does not tell" in found["chat_overhead_mb"]["error"]["message"]


def test_overhead_is_what_is_left_without_weights_and_kv(tmp_path: Path) -> None:
    status = {"process": {"uss": 300.0}, "weights_mb": 94.0, "kv_mb": 90.0}
    found = measured(team(tmp_path, generate=complete, status=lambda: status), "chat_overhead_mb")
    assert found["chat_overhead_mb"]["value"] == pytest.approx(116.0)
    assert found["chat_overhead_mb"]["met"] is True
    assert len(found["chat_overhead_mb"]["rounds"]) == 5


@pytest.mark.parametrize(
    ("memory", "counted"),
    [
        # Alone with the file: it is all private.
        ({"rss": 290.0, "uss": 250.0, "anonymous": 140.0}, 94.0),
        # Another process has it mapped: nothing of it is private.
        ({"rss": 290.0, "uss": 140.5, "anonymous": 140.0}, 0.5),
        # Copied into the process: no file is mapped.
        ({"rss": 290.0, "uss": 250.0, "anonymous": 245.0}, 94.0),
        ({"rss": None, "uss": 250.0, "anonymous": None}, 94.0),
    ],
)
def test_weights_count_as_often_as_they_are_private(memory: dict[str, Any], counted: float) -> None:
    assert weights_in_uss(memory, 94.0) == pytest.approx(counted)


def test_an_unknown_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no target"):
        list(targets(team(tmp_path), names=["speed_of_light"]))


def test_the_prompts_are_long_and_different_enough() -> None:
    words = sum(len(passage["text"].split()) for passage in passages())
    assert len(passages()) == 2
    assert 1000 < words < 1700
    assert passages()[0]["text"] != passages()[1]["text"]
    assert len(set(QUESTIONS)) == len(QUESTIONS) >= 6
    assert all(messages[-1]["content"].endswith(source) for messages, source in EXTRACTIVE)


def test_only_what_stands_in_the_source_counts_as_quoted() -> None:
    source = "The pump was replaced in March and cleaned again in June by the works."
    assert copied_share(source, source) == 1.0
    assert copied_share("Somebody else wrote every word of this other sentence here.", source) == 0.0
    half = "The pump was replaced in March but nobody ever told us why."
    assert copied_share(half, source) == pytest.approx(6 / 12)
    assert copied_share("", source) == 0.0
