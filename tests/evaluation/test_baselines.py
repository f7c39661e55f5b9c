"""The baselines on the real starter model: both write the requested number of tokens, and the same words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import ModelError, UsageError
from desktop_rag.evaluation.bare_loop import BareLoop
from desktop_rag.evaluation.high_level import HighLevel
from desktop_rag.evaluation.recount import count_tokens
from desktop_rag.models.installed import resolve
from desktop_rag.workers.bench_service import open_service
from desktop_rag.workers.loop import Request
from tests.workers.driving import run

TOKENS = 6
MESSAGES = [{"role": "user", "content": "Say hello."}]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return resolve(None, tmp_path_factory.mktemp("none"))[0].path


@pytest.fixture
def bare(model: Path) -> Iterator[BareLoop]:
    loop = BareLoop(model, threads=1, context=256, micro_batch=64)
    yield loop
    loop.close()


def last(steps: Iterator[dict[str, Any] | None]) -> dict[str, Any]:
    *_, result = steps
    assert result is not None
    return result


def test_the_bare_loop_and_the_high_level_class_write_the_same(bare: BareLoop, model: Path) -> None:
    prompt = bare.tokens(MESSAGES)
    result = last(bare.run(prompt, TOKENS))
    assert len(result["tokens"]) == TOKENS
    assert result["tok_s"] == pytest.approx((TOKENS - 1) / result["seconds"])
    high = HighLevel(model, threads=1, context=256)
    try:
        other = last(high.run(MESSAGES, TOKENS))
    finally:
        high.close()
    assert other["generated"] == TOKENS
    text = bare.text(result["tokens"])
    assert text.strip()
    assert other["text"] == text


def test_a_second_run_starts_from_nothing(bare: BareLoop) -> None:
    prompt = bare.tokens(MESSAGES)
    first, second = (last(bare.run(prompt, TOKENS))["tokens"] for _ in range(2))
    assert first == second


def test_the_end_is_ignored_only_while_it_is_measured(model: Path) -> None:
    from llama_cpp import llama_cpp as low_level

    asked = low_level.llama_vocab_is_eog
    high = HighLevel(model, threads=1, context=256)
    try:
        steps = high.run(MESSAGES, 40)
        next(steps)
        assert low_level.llama_vocab_is_eog is not asked
        steps.close()
    finally:
        high.close()
    assert low_level.llama_vocab_is_eog is asked


def test_tokens_are_counted_again(model: Path) -> None:
    assert count_tokens(model, ["", "hello", "hello hello"]) == [0, 1, 2]


def test_a_folder_without_a_tokenizer_cannot_count(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        count_tokens(tmp_path, ["x"])


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    with pytest.raises(ModelError):
        BareLoop(broken, threads=1, context=256, micro_batch=64)
    with pytest.raises(ModelError):
        count_tokens(broken, ["x"])


def test_the_role_answers_and_refuses(tmp_path: Path, model: Path) -> None:
    service = open_service(tmp_path, {})
    args = {"path": str(model), "messages": MESSAGES, "tokens": TOKENS, "threads": 1, "context": 256}
    operation = service.handlers["bare_loop"](Request(1, "bare_loop", args))
    result = run(operation)[1]
    assert result["generated"] == TOKENS
    assert result["prompt_tokens"] > 4
    unload = service.handlers["unload"](Request(2, "unload", {}))
    assert list(unload) == [None]
    with pytest.raises(UsageError, match="no model"):
        next(service.handlers["count"](Request(3, "count", {"path": str(tmp_path / "gone"), "texts": []})))
