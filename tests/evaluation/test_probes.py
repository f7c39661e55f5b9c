"""Probes give no tick for nothing: what is refused is a "no" with its reason, what breaks is not known."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_rag.errors import EngineError, ModelError, UsageError
from desktop_rag.evaluation import probes
from desktop_rag.evaluation.probes import Probed, tried
from desktop_rag.evaluation.probing import probe_lines
from tests.evaluation.scripted import ScriptedWorker


def worker(text: str, **usage: Any) -> ScriptedWorker:
    return ScriptedWorker({"complete": lambda **args: {"text": text, "usage": usage, "reason": "end"}})


@pytest.mark.parametrize(
    ("error", "holds"),
    [
        (UsageError("not_available", "No."), False),
        (ModelError("incompatible", "No."), False),
        (EngineError("crashed", "It broke."), None),
    ],
)
def test_a_refusal_is_a_no_and_a_crash_is_not_known(error: Exception, holds: bool | None) -> None:
    def perform() -> Probed:
        raise error

    found = tried("grammar", perform)
    assert found.holds is holds
    assert list(found.evidence.values()) in (["No."], ["It broke."])


def test_text_that_comes_at_once_is_no_stream() -> None:
    assert probes.streaming(worker("everything")).holds is False


def test_a_seed_without_effect_is_seen() -> None:
    found = probes.seed(worker("always the same"))
    assert found.holds is False
    assert found.evidence == {"same_seed_same_text": True, "other_seed_other_text": False}


@pytest.mark.parametrize(
    ("text", "holds"),
    [('{"colour": "red", "count": 3}', True), ('{"colour": "red"}', False), ("red", False), ('{"count": "3"}', False)],
)
def test_only_text_after_the_schema_holds(text: str, holds: bool) -> None:
    assert probes.structured(worker(text)).holds is holds


def test_an_answer_that_ends_by_itself_shows_nothing_about_cancelling() -> None:
    found = probes.cancel_in_prefill(worker("done"))
    assert found.holds is None
    assert found.evidence == {"reason": "end", "asked": False}


@pytest.mark.parametrize(("reused", "holds"), [(40, True), (5, False), (0, False)])
def test_reuse_is_counted_when_it_is_most_of_the_prompt(reused: int, holds: bool) -> None:
    usage = {"reused_tokens": reused, "prompt_tokens": 50}
    slow = ScriptedWorker({"complete": lambda **args: {"text": "", "usage": usage}})
    assert probes.prefix_reuse(slow).holds is holds


def test_clients_that_fail_fail_the_probe() -> None:
    def broken(**args: Any) -> dict[str, Any]:
        raise EngineError("crashed", "It broke.")

    with pytest.raises(EngineError, match="It broke"):
        probes.concurrency(ScriptedWorker({"complete": broken}))


def test_the_table_shows_engines_across_and_capabilities_down() -> None:
    rows = [Probed("streaming", True, {}).to_payload(), Probed("batching", False, {}).to_payload()]
    engines = [
        {"engine": "llama.cpp", "probes": rows, "error": None},
        {"engine": "GPT4All", "probes": rows[:1], "error": {"message": "It does not open."}},
    ]
    lines = probe_lines(engines)
    assert lines[0].split("|")[1].strip() == "llama.cpp"
    assert [cell.strip() for cell in lines[1].split("|")] == ["streaming", "yes", "yes"]
    assert [cell.strip() for cell in lines[2].split("|")] == ["batching", "no", "–"]
    assert lines[-1] == "GPT4All: It does not open."
