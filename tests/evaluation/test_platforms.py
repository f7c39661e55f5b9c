from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from desktop_rag.evaluation.platforms import existing, prepared, thinned, wanted
from desktop_rag.models.installed import Installed, resolve
from tests.evaluation.scripted import ScriptedTeam


@pytest.fixture
def starter(tmp_path: Path) -> Installed:
    return resolve(None, tmp_path)[0]


def test_the_starter_gives_the_five_platforms(starter: Installed) -> None:
    assert [(row.engine, row.options) for row in wanted(starter)] == [
        ("llama.cpp", "Q4_1"),
        ("CTranslate2", "int8"),
        ("CTranslate2", "float32"),
        ("GPT4All", "Q4_1 copy"),
        ("Transformers", ""),
        ("OpenAI-compatible", "llama_cpp.server, Q4_1"),
    ]


def test_only_the_named_engines_are_wanted(starter: Installed) -> None:
    assert [row.engine for row in wanted(starter, ("CTranslate2", "GPT4All"))] == ["CTranslate2"] * 2 + ["GPT4All"]


def test_a_model_gpt4all_opens_needs_no_copy(starter: Installed) -> None:
    known = dataclasses.replace(starter, engines=("llama.cpp", "GPT4All"))
    row = next(row for row in wanted(known) if row.engine == "GPT4All")
    assert (row.options, row.to) == ("Q4_1", None)


@pytest.mark.parametrize(
    ("kind", "engines"), [("ct2", ["CTranslate2"]), ("hf", ["CTranslate2"] * 2 + ["Transformers"])]
)
def test_a_folder_is_measured_on_what_opens_it(starter: Installed, kind: str, engines: list[str]) -> None:
    folder = dataclasses.replace(starter, format=kind)
    assert [row.engine for row in wanted(folder)] == engines


def test_a_model_as_it_is_needs_no_preparation(starter: Installed, tmp_path: Path) -> None:
    row = wanted(starter, ("llama.cpp",))[0]
    assert existing(starter, row, tmp_path) is starter
    making = prepared(ScriptedTeam(tmp_path, {}), starter, row)
    with pytest.raises(StopIteration) as stop:
        next(making)
    assert stop.value.value is starter


def test_a_copy_that_is_not_there_is_not_found(starter: Installed, tmp_path: Path) -> None:
    assert existing(starter, wanted(starter, ("CTranslate2",))[0], tmp_path) is None


def test_progress_is_told_in_steps_and_never_loses_the_end() -> None:
    steps = [{"event": "progress", "text": "Writing", "fraction": number / 100} for number in range(101)]
    told = list(thinned([*steps, {"event": "progress", "text": "Ready", "fraction": 1.0}, {"event": "done"}]))
    assert len(told) < 15
    assert told[0]["fraction"] == 0.0
    assert [event.get("text") for event in told[-2:]] == ["Ready", None]
    assert told[-1] == {"event": "done"}
