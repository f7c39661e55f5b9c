"""GPT4All with a copy of the starter model, and what it must refuse before its library would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.gpt4all import Gpt4AllEngine
from desktop_rag.engines.llama_cpp import LlamaCppEngine
from desktop_rag.engines.protocol import LoadOptions, Prompt, Sampling
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.models.catalogue import find
from desktop_rag.models.gpt4all_copy import make_copy
from tests.engines.contract import (
    QUESTION,
    CancelsInPrefill,
    EndsWithItsContext,
    EngineContract,
    ReusesPrefixes,
    StopsAtStrings,
    answer,
    said,
)
from tests.models.conftest import write_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop_rag.engines.protocol import Engine

pytestmark = pytest.mark.slow

OPTIONS = LoadOptions(context=512, threads=1)
EXTRACTIVE = "The Zenith pump was installed on 14 March 2019. When was the Zenith pump installed?"
# Two builds of llama.cpp, two years apart, round differently: logits of the same prompt differ by about this much.
NEAR_TIE = 1.0


@pytest.fixture(scope="module")
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


@pytest.fixture(scope="module")
def copy(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("models") / "smollm2 für GPT4All.gguf"
    make_copy(starter, target)
    return target


@pytest.fixture(scope="module")
def loaded(copy: Path) -> Iterator[Gpt4AllEngine]:
    engine = Gpt4AllEngine(copy, OPTIONS)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def reference(starter: Path) -> Iterator[LlamaCppEngine]:
    engine = LlamaCppEngine(starter, OPTIONS)
    yield engine
    engine.close()


class TestGpt4All(EngineContract, ReusesPrefixes, CancelsInPrefill, EndsWithItsContext, StopsAtStrings):
    @pytest.fixture
    def engine(self, loaded: Gpt4AllEngine) -> Engine:
        return loaded

    def test_a_seed_repeats_a_drawn_answer_and_another_seed_differs(self, engine: Engine) -> None:
        """Cannot hold: the library seeds its draws from the clock and takes no seed. It does draw."""
        prompt = engine.render(QUESTION)
        drawn = {said(engine, prompt, sampling=Sampling(temperature=1.5, seed=1)) for _ in range(3)}
        assert len(drawn) > 1

    def test_an_end_that_is_to_be_ignored_is(self, engine: Engine) -> None:
        """It cannot be: the library itself ends an answer where the model does; the finish says so."""
        prompt = engine.render([{"role": "user", "content": "Say only: yes"}])
        _, finish = answer(engine, prompt, max_tokens=100, sampling=Sampling(ignore_end=True))
        assert finish.reason in ("end", "loop")
        assert 0 < finish.generated_tokens < 100


def test_the_library_computes_exactly_the_tokens_that_were_rendered(loaded: Gpt4AllEngine) -> None:
    for content in ("What does %1 mean, and %2?", "{0} {1}", "Grüße — 你好 👩‍🔬", "<|im_end|> 2026-11-22"):
        prompt = loaded.render([QUESTION[0], {"role": "user", "content": content}])
        _, finish = answer(loaded, prompt, max_tokens=1)
        assert loaded._cached[: len(prompt)] == prompt.tokens
        assert finish.prompt_tokens == len(prompt)


@pytest.mark.parametrize("question", [QUESTION[1]["content"], EXTRACTIVE, "What colour is the sky?"])
def test_greedy_tokens_are_those_of_llama_cpp_until_a_near_tie(
    loaded: Gpt4AllEngine, reference: LlamaCppEngine, question: str
) -> None:
    messages = [QUESTION[0], {"role": "user", "content": question}]
    prompt = loaded.render(messages)
    assert prompt.tokens == reference.render(messages).tokens
    ours, theirs = said(loaded, prompt), said(reference, prompt)
    if question == EXTRACTIVE:
        assert ours == theirs == "The Zenith pump was installed on 14 March 2019."
    mine, other = loaded._cached, reference.cached_tokens
    parting = next((at for at, (a, b) in enumerate(zip(mine, other, strict=False)) if a != b), None)
    if parting is not None:
        assert parting >= len(prompt)
        logits = reference.logits_of(other[:parting])
        assert logits.max() - logits[mine[parting]] < NEAR_TIE


def test_an_abandoned_prefill_leaves_a_cache_that_is_true(loaded: Gpt4AllEngine) -> None:
    long = loaded.render([{"role": "user", "content": "The tide comes in. " * 80}])
    cancelled = Cancellation()
    run = loaded._begin(long.text, 0, 4, Sampling(), cancelled)
    cancelled.set()
    loaded._settle()
    assert len(run.prompt) < len(long)
    assert loaded._cached == long.tokens[: len(loaded._cached)]


def test_a_prompt_of_bare_tokens_is_continued(loaded: Gpt4AllEngine) -> None:
    tokens = loaded.render(QUESTION).tokens
    assert said(loaded, Prompt(tokens=tokens)) == said(loaded, loaded.render(QUESTION))


def test_what_the_library_lacks_is_told(loaded: Gpt4AllEngine, copy: Path) -> None:
    for sampling in (Sampling(grammar='root ::= "a"'), Sampling(json_schema={"type": "object"})):
        with pytest.raises(UsageError) as caught:
            answer(loaded, loaded.render(QUESTION), sampling=sampling)
        assert caught.value.code == "not_available"
    with pytest.raises(UsageError):
        Gpt4AllEngine(copy, LoadOptions(adapters=(("some.gguf", 1.0),)))
    for elsewhere in (LoadOptions(gpu_layers=-1), LoadOptions(device="cuda")):
        with pytest.raises(UsageError, match="processor only"):
            Gpt4AllEngine(copy, elsewhere)


def test_the_starter_itself_is_refused_and_a_copy_offered(starter: Path) -> None:
    with pytest.raises(ModelError) as caught:
        Gpt4AllEngine(starter, OPTIONS)
    assert caught.value.code == "incompatible"
    assert "smollm" in caught.value.message
    assert caught.value.hint == "Make a GPT4All copy of it."


@pytest.mark.parametrize(
    ("metadata", "word"),
    [
        ({"general.architecture": "qwen3"}, "GPT4All knows no qwen3"),
        ({"general.architecture": "bert"}, "GPT4All knows no bert"),
        (
            {"general.architecture": "llama", "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-4o"},
            "does not know how “gpt-4o” splits text",
        ),
    ],
)
def test_what_it_does_not_know_is_refused_before_loading(
    tmp_path: Path, metadata: dict[str, object], word: str
) -> None:
    path = tmp_path / "new.gguf"
    path.write_bytes(write_gguf(metadata))
    with pytest.raises(ModelError) as caught:
        Gpt4AllEngine(path, OPTIONS)
    assert caught.value.code == "incompatible"
    assert word in caught.value.message
    assert caught.value.hint == "Use llama.cpp."


def test_a_file_the_library_cannot_load_is_an_error_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "empty llama.gguf"
    path.write_bytes(write_gguf({"general.architecture": "llama", "general.name": "empty"}))
    with pytest.raises(ModelError) as caught:
        Gpt4AllEngine(path, OPTIONS)
    assert caught.value.code == "incompatible"
