"""Deleting: the user's own with its file, a starter never, and what was made from it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_rag.errors import ModelError, StoreError, UsageError
from desktop_rag.models.cards import user_models
from desktop_rag.models.deleting import delete
from desktop_rag.models.installed import installed
from desktop_rag.models.lora import chosen_adapters, set_adapters
from desktop_rag.settings import Settings
from tests.models.kit import gguf_bytes, put

STARTER = "smollm2-135m-instruct-q4_1"


def test_a_model_of_the_user_goes_with_its_file(tmp_path: Path) -> None:
    path = put(tmp_path, "mine")
    set_adapters(tmp_path, "mine", [("/a.gguf", 1.0)])
    told = delete("mine", tmp_path)
    assert told["freed"] >= len(gguf_bytes())
    assert (told["deleted"], told["kept"], told["was_chosen"]) == ("mine", None, False)
    assert not path.exists()
    assert chosen_adapters(tmp_path) == {}
    assert [entry.name for entry in user_models(tmp_path).iterdir() if entry.is_dir()] == []
    with pytest.raises(ModelError):
        delete("mine", tmp_path)


def test_a_starter_stays(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        delete(STARTER, tmp_path)
    assert "comes with the application" in caught.value.message
    assert installed(tmp_path)[0].path.is_file()


def test_copies_stay_and_are_named(tmp_path: Path) -> None:
    put(tmp_path, "mine")
    put(tmp_path, "mine-gpt4all", source="converted", parent="mine")
    assert delete("mine", tmp_path)["made_from_it"] == ["mine-gpt4all"]
    assert not next(model for model in installed(tmp_path) if model.id == "mine-gpt4all").missing


def test_the_chosen_model_gives_way_to_the_starter(tmp_path: Path) -> None:
    put(tmp_path, "mine")
    Settings(tmp_path).set("model", "mine")
    assert delete("mine", tmp_path)["was_chosen"]
    assert Settings(tmp_path)["model"] == ""


def test_a_folder_that_cannot_go_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "mine")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StoreError) as caught:
        delete("mine", tmp_path)
    assert "Close what uses it" in caught.value.hint
    assert path.exists()
