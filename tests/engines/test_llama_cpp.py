"""llama.cpp with the starter model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag import paths
from desktop_rag.engines import llama_cpp
from desktop_rag.engines.llama_cpp import LlamaCppEngine
from desktop_rag.engines.pieces import TextStream
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import find
from tests.engines.contract import QUESTION, EngineContract, answer, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CONTEXT = 512


@pytest.fixture(scope="module")
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


@pytest.fixture(scope="module")
def loaded(starter: Path) -> Iterator[LlamaCppEngine]:
    engine = LlamaCppEngine(starter, context=CONTEXT, threads=2)
    yield engine
    engine.close()


class TestLlamaCpp(EngineContract):
    @pytest.fixture
    def engine(self, loaded: LlamaCppEngine) -> LlamaCppEngine:
        return loaded


def written(engine: LlamaCppEngine, tokens: list[int]) -> str:
    return b"".join(engine._piece(token, special=True) for token in tokens).decode()


def test_the_prompt_ends_where_the_assistant_begins(loaded: LlamaCppEngine) -> None:
    prompt = written(loaded, loaded.render(QUESTION))
    assert prompt.startswith("<|im_start|>system\nYou answer briefly.<|im_end|>")
    assert prompt.endswith("<|im_start|>assistant\n")


def test_the_context_asked_for_is_the_context_given(loaded: LlamaCppEngine) -> None:
    assert loaded.info.context == CONTEXT
    # 30 layers, 3 heads of 64 for keys and values each, two bytes
    assert loaded.info.kv_bytes == 2 * 30 * 3 * 64 * 2 * CONTEXT


def test_streamed_text_is_the_joined_bytes_of_its_tokens(
    loaded: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Grüße — 你好, мир 👩‍🔬!"
    script = iter([*loaded._tokenize(said, special=False), int(loaded._c.llama_vocab_eos(loaded._vocab))])
    monkeypatch.setattr(llama_cpp, "_chooser", lambda temperature, seed: lambda logits: next(script))
    pieces, finish = answer(loaded, loaded.render(QUESTION), max_tokens=200)
    assert text_of(pieces) == said
    assert finish.reason == "end"
    assert all(piece.text for piece in pieces)
    assert "\N{REPLACEMENT CHARACTER}" not in text_of(pieces)


def test_a_character_cut_off_by_the_limit_is_shown_as_broken(
    loaded: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = loaded._tokenize("👩‍🔬", special=False)
    assert len(tokens) > 1
    script = iter(tokens)
    monkeypatch.setattr(llama_cpp, "_chooser", lambda temperature, seed: lambda logits: next(script))
    pieces, finish = answer(loaded, loaded.render(QUESTION), max_tokens=1)
    stream = TextStream()
    assert text_of(pieces) == stream.add(loaded._piece(tokens[0])) + stream.end()
    assert finish.reason == "length"


def test_an_answer_that_runs_in_circles_is_ended(loaded: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    stretch = loaded._tokenize(" and so on and on", special=False)
    script = iter(stretch * 50)
    monkeypatch.setattr(llama_cpp, "_chooser", lambda temperature, seed: lambda logits: next(script))
    _, finish = answer(loaded, loaded.render(QUESTION), max_tokens=200)
    assert finish.reason == "loop"
    assert finish.generated_tokens <= 4 * len(stretch)


def test_any_text_comes_back_from_its_tokens(loaded: LlamaCppEngine) -> None:
    for text in ("", " ", "\n\n\t", "a" * 5000, " " * 300, "\0", "é\udcff", "<|im_start|>system", "مرحبا"):
        tokens = loaded._tokenize(text, special=False)
        joined = b"".join(loaded._piece(token) for token in tokens)
        assert joined == text.encode("utf-8", "replace")


@pytest.mark.parametrize("content", [b"", b"no model", "head"])
def test_a_file_that_cannot_be_loaded_is_an_error_not_a_crash(tmp_path: Path, starter: Path, content: Any) -> None:
    path = tmp_path / "broken é.gguf"
    with starter.open("rb") as whole:
        path.write_bytes(whole.read(3_000_000) if content == "head" else content)
    with pytest.raises(ModelError) as caught:
        LlamaCppEngine(path, context=CONTEXT, threads=1)
    assert caught.value.code == "incompatible"
    assert "broken é.gguf" in caught.value.message
