"""The copy for GPT4All: the same model under an older name of its pre-tokenizer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag import paths
from desktop_rag.errors import ModelError, StoreError
from desktop_rag.models.catalogue import find
from desktop_rag.models.gpt4all_copy import PRE_TOKENIZER, can_copy, make_copy, refusal
from desktop_rag.models.inspect import inspect
from tests.models.conftest import write_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_rag.engines.gpt4all_vocabulary import Vocabulary

SMOLLM: dict[str, object] = {
    "general.architecture": "llama",
    "tokenizer.ggml.model": "gpt2",
    PRE_TOKENIZER: "smollm",
    "general.name": "small",
}


def written(path: Path, metadata: dict[str, object]) -> Path:
    path.write_bytes(write_gguf(metadata, tensors=(("a", 40), ("b", 7))))
    return path


def with_weights(path: Path, metadata: dict[str, object]) -> Path:
    """Weights that can be told apart: the writer's are all zero."""
    data = bytearray(write_gguf(metadata, tensors=(("a", 40), ("b", 7))))
    data[-188:] = bytes(range(188))
    path.write_bytes(data)
    return path


def test_only_the_name_changes(tmp_path: Path) -> None:
    source = with_weights(tmp_path / "model.gguf", SMOLLM)
    target = tmp_path / "new folder" / "copy.gguf"
    make_copy(source, target)
    old, new = inspect(source), inspect(target)
    assert new.metadata == {**old.metadata, PRE_TOKENIZER: "refact"}
    assert new.table == old.table
    assert target.read_bytes()[-188:] == bytes(range(188))
    assert refusal(new) == ""
    assert [path.name for path in target.parent.iterdir()] == ["copy.gguf"]


@given(name=st.text(max_size=70))
@settings(max_examples=30, deadline=None)
def test_whatever_the_length_of_the_header_the_weights_stay_aligned(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = with_weights(
            Path(folder) / "model.gguf", {**SMOLLM, "general.name": name.encode(errors="replace").decode()}
        )
        target = Path(folder) / "copy.gguf"
        make_copy(source, target)
        assert target.read_bytes()[-188:] == bytes(range(188))
        assert (target.stat().st_size - 188) % 32 == 0
        assert inspect(target).table == inspect(source).table


@pytest.mark.parametrize(
    ("change", "possible"),
    [
        ({}, True),
        ({PRE_TOKENIZER: "deepseek-r1-qwen", "general.architecture": "qwen2"}, True),
        ({PRE_TOKENIZER: "refact"}, False),
        ({PRE_TOKENIZER: "gpt-4o"}, False),
        ({"general.architecture": "smollm3"}, False),
        ({"tokenizer.ggml.model": "llama"}, False),
    ],
)
def test_a_copy_is_offered_only_where_it_helps(tmp_path: Path, change: dict[str, object], possible: bool) -> None:
    source = written(tmp_path / "model.gguf", {**SMOLLM, **change})
    assert can_copy(source) is possible
    if not possible:
        with pytest.raises(ModelError) as caught:
            make_copy(source, tmp_path / "copy.gguf")
        assert caught.value.code == "incompatible"
        assert caught.value.hint
        assert not (tmp_path / "copy.gguf").exists()


def test_what_is_no_model_has_no_copy(tmp_path: Path) -> None:
    (tmp_path / "notes.gguf").write_text("no model")
    assert not can_copy(tmp_path / "notes.gguf")
    assert not can_copy(tmp_path / "missing.gguf")


def test_a_copy_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    source = written(tmp_path / "model.gguf", SMOLLM)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError):
        make_copy(source, tmp_path / "file" / "copy.gguf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "model.gguf"]


@pytest.fixture(scope="module")
def vocabularies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Vocabulary, Vocabulary]]:
    """The starter's own vocabulary and its copy's."""
    from desktop_rag.engines.gpt4all_vocabulary import Vocabulary

    source = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert source is not None, "run the set-up"
    target = tmp_path_factory.mktemp("copy") / "copy.gguf"
    make_copy(source, target)
    assert target.stat().st_size == source.stat().st_size
    both = Vocabulary(source), Vocabulary(target)
    yield both
    for vocabulary in both:
        vocabulary.close()


@pytest.mark.slow
@given(text=st.text(max_size=200) | st.from_regex(r"[ 0-9a-zA-Z.,'\n-]{0,200}"))
@settings(max_examples=60, deadline=None)
def test_both_names_split_the_starters_text_alike(vocabularies: tuple[Vocabulary, Vocabulary], text: str) -> None:
    old, new = vocabularies
    assert old.tokenize(text, special=False) == new.tokenize(text, special=False)
