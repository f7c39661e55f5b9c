"""llama.cpp with the starter model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from desktop_rag import paths
from desktop_rag.engines.llama_cpp import LlamaCppEngine
from desktop_rag.engines.llama_sampling import Greedy
from desktop_rag.engines.pieces import TextStream
from desktop_rag.engines.protocol import LoadOptions, Prompt
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import find
from tests.engines.contract import (
    QUESTION,
    TEXT,
    CancelsInPrefill,
    EngineContract,
    FollowsGrammars,
    ReusesPrefixes,
    StopsAtStrings,
    answer,
    said,
    text_of,
)

pytestmark = pytest.mark.slow

CONTEXT = 512


@pytest.fixture(scope="module")
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


@pytest.fixture(scope="module")
def loaded(starter: Path) -> Iterator[LlamaCppEngine]:
    engine = LlamaCppEngine(starter, LoadOptions(context=CONTEXT))
    yield engine
    engine.close()


class TestLlamaCpp(EngineContract, ReusesPrefixes, CancelsInPrefill, StopsAtStrings, FollowsGrammars):
    @pytest.fixture
    def engine(self, loaded: LlamaCppEngine) -> LlamaCppEngine:
        return loaded


def scripted(monkeypatch: pytest.MonkeyPatch, tokens: Sequence[int]) -> None:
    """Let the model say exactly this, whatever its logits."""
    script = iter(tokens)
    monkeypatch.setattr(Greedy, "choose", lambda self, logits: next(script))


def written(engine: LlamaCppEngine, prompt: Prompt) -> str:
    return "".join(engine._model.text_of(token) for token in prompt.tokens)


def tokens_of(engine: LlamaCppEngine, text: str) -> list[int]:
    return engine._model.tokenize(text, special=False)


def test_the_prompt_ends_where_the_assistant_begins(loaded: LlamaCppEngine) -> None:
    prompt = loaded.render(QUESTION)
    assert written(loaded, prompt) == prompt.text
    assert prompt.text.startswith("<|im_start|>system\nYou answer briefly.<|im_end|>")
    assert prompt.text.endswith("<|im_start|>assistant\n")


def test_the_system_message_is_kept_and_nothing_of_the_question(loaded: LlamaCppEngine) -> None:
    prompt = loaded.render(QUESTION)
    kept = written(loaded, Prompt(tokens=prompt.tokens[: prompt.keep]))
    assert kept == "<|im_start|>system\nYou answer briefly.<|im_end|>\n<|im_start|>user\n"


def test_the_context_asked_for_is_the_context_given(loaded: LlamaCppEngine) -> None:
    assert loaded.info.context == CONTEXT
    # 30 layers, 3 heads of 64 for keys and values each, two bytes
    assert loaded.info.kv_bytes == 2 * 30 * 3 * 64 * 2 * CONTEXT


def test_streamed_text_is_the_joined_bytes_of_its_tokens(
    loaded: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "Grüße — 你好, мир 👩‍🔬!"
    scripted(monkeypatch, [*tokens_of(loaded, sentence), loaded._model.eos])
    pieces, finish = answer(loaded, loaded.render(QUESTION), max_tokens=200)
    assert text_of(pieces) == sentence
    assert finish.reason == "end"
    assert all(piece.text for piece in pieces)
    assert "\N{REPLACEMENT CHARACTER}" not in text_of(pieces)


def test_a_character_cut_off_by_the_limit_is_shown_as_broken(
    loaded: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = tokens_of(loaded, "👩‍🔬")
    assert len(tokens) > 1
    scripted(monkeypatch, tokens)
    pieces, finish = answer(loaded, loaded.render(QUESTION), max_tokens=1)
    stream = TextStream()
    assert text_of(pieces) == stream.add(loaded._model.piece(tokens[0])) + stream.end()
    assert finish.reason == "length"


def test_an_answer_that_runs_in_circles_is_ended(loaded: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    stretch = tokens_of(loaded, " and so on and on")
    scripted(monkeypatch, stretch * 50)
    _, finish = answer(loaded, loaded.render(QUESTION), max_tokens=200)
    assert finish.reason == "loop"
    assert finish.generated_tokens <= 4 * len(stretch)


def test_any_text_comes_back_from_its_tokens(loaded: LlamaCppEngine) -> None:
    for text in ("", " ", "\n\n\t", "a" * 5000, " " * 300, "\0", "é\udcff", "<|im_start|>system", "مرحبا"):
        tokens = tokens_of(loaded, text)
        joined = b"".join(loaded._model.piece(token) for token in tokens)
        assert joined == text.encode("utf-8", "replace")


def test_an_answer_longer_than_the_context_goes_on_and_keeps_its_system_message(
    loaded: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = loaded.render([QUESTION[0], {"role": "user", "content": TEXT * 20}])
    wanted = CONTEXT - len(prompt) + 40
    with monkeypatch.context() as patch:
        scripted(patch, range(1000, 2000))
        _, finish = answer(loaded, prompt, max_tokens=wanted)
    assert (finish.reason, finish.generated_tokens) == ("length", wanted)
    assert finish.shifted > 40
    cached = loaded.cached_tokens
    assert cached[: prompt.keep] == prompt.tokens[: prompt.keep]
    assert cached[-20:] == tuple(range(1000 + wanted - 21, 1000 + wanted - 1))
    again, finish = answer(loaded, prompt, max_tokens=4)
    assert finish.reused_tokens == prompt.keep, "what was computed with lost tokens is of no use"
    loaded._there.clear()
    assert text_of(again) == said(loaded, prompt, max_tokens=4)


@pytest.mark.parametrize("content", [b"", b"no model", "head"])
def test_a_file_that_cannot_be_loaded_is_an_error_not_a_crash(tmp_path: Path, starter: Path, content: Any) -> None:
    path = tmp_path / "broken é.gguf"
    with starter.open("rb") as whole:
        path.write_bytes(whole.read(3_000_000) if content == "head" else content)
    with pytest.raises(ModelError) as caught:
        LlamaCppEngine(path, LoadOptions(context=CONTEXT))
    assert caught.value.code == ("incompatible" if content == b"no model" else "truncated")
    assert "broken é.gguf" in caught.value.message
