"""CTranslate2 with the starter model, converted to float32 and int8."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop_rag.engines import ctranslate2 as adapter
from desktop_rag.engines import folder_text
from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.ctranslate2 import MAX_BEGINNINGS, CTranslate2Engine
from desktop_rag.engines.ctranslate2_run import Run
from desktop_rag.engines.protocol import Engine, Finish, LoadOptions, Piece, Sampling
from desktop_rag.errors import DesktopRagError, EngineError, ModelError, UsageError
from tests.engines.contract import (
    QUESTION,
    CancelsInPrefill,
    EndsWithItsContext,
    EngineContract,
    StopsAtStrings,
    answer,
    raised_after,
    said,
    text_of,
)

pytestmark = pytest.mark.slow

CONTEXT = 512
OPTIONS = LoadOptions(context=CONTEXT, threads=2)


@pytest.fixture(scope="module")
def loaded(ct2_float32: Path) -> Iterator[CTranslate2Engine]:
    engine = CTranslate2Engine(ct2_float32, OPTIONS)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def small(ct2_int8: Path) -> Iterator[CTranslate2Engine]:
    engine = CTranslate2Engine(ct2_int8, OPTIONS)
    yield engine
    engine.close()


class TestCTranslate2(EngineContract, CancelsInPrefill, EndsWithItsContext, StopsAtStrings):
    """Without `ReusesPrefixes`: the library keeps the state of a fixed beginning only, never of a whole prompt."""

    @pytest.fixture
    def engine(self, small: CTranslate2Engine) -> Engine:
        return small

    def test_only_the_system_message_is_reused(self, small: CTranslate2Engine) -> None:
        system = {"role": "system", "content": f"You know pumps. {time.time_ns()}"}
        one, two = (small.render([system, {"role": "user", "content": text}]) for text in ("Why?", "When was it?"))
        assert [answer(small, prompt)[1].reused_tokens for prompt in (one, two, one)] == [0, two.keep, one.keep]
        assert said(small, two) == said(small, two)


def test_it_says_what_is_loaded(loaded: CTranslate2Engine, small: CTranslate2Engine, ct2_int8: Path) -> None:
    assert (loaded.info.options, small.info.options) == ("float32", "int8")
    assert small.info.weights_bytes == (ct2_int8 / "model.bin").stat().st_size
    assert small.info.parameters == 134_515_008
    # one byte a parameter, and the scales
    assert 1.0 <= (small.info.read_bytes or 0) / 134_515_008 < 1.02
    assert loaded.info.read_bytes == pytest.approx(4 * 134_515_008, rel=0.001)
    assert small.info.kv_token_bytes == 2 * 30 * 3 * 64 * 4
    assert small.info.kv_bytes == CONTEXT * 2 * 30 * 3 * 64 * 4


def test_a_beginning_changes_no_answer(loaded: CTranslate2Engine) -> None:
    prompt = loaded.render(QUESTION)
    whole = said(loaded, type(prompt)(tokens=prompt.tokens))
    assert said(loaded, prompt) == whole
    assert said(loaded, prompt) == whole


def test_few_beginnings_are_kept(loaded: CTranslate2Engine) -> None:
    for number in range(MAX_BEGINNINGS + 3):
        prompt = loaded.render([{"role": "system", "content": f"Rule {number}."}, QUESTION[1]])
        answer(loaded, prompt, max_tokens=1)
    assert len(loaded._beginnings) == MAX_BEGINNINGS


def test_many_at_once_say_what_each_says_alone(loaded: CTranslate2Engine) -> None:
    questions = (
        "Name three fruits.",
        "What is the capital of France?",
        "Count to five, please.",
        "Why is grass green?",
    )
    prompts = [loaded.render([{"role": "user", "content": text}]) for text in questions]
    alone = [said(loaded, prompt, max_tokens=12) for prompt in prompts]
    together = loaded.generate_many(prompts, max_tokens=12, sampling=Sampling())
    assert together == alone


def test_a_draw_stays_repeatable_when_others_came_between(small: CTranslate2Engine) -> None:
    prompt = small.render(QUESTION)
    drawing = Sampling(temperature=1.2, top_p=0.9, top_k=50, seed=7)
    first = said(small, prompt, sampling=drawing)
    said(small, prompt)
    assert said(small, prompt, sampling=Sampling(temperature=1.2, seed=8)) != first
    assert said(small, prompt, sampling=drawing) == first


def test_a_repetition_penalty_is_followed(small: CTranslate2Engine) -> None:
    prompt = small.render(QUESTION)
    assert said(small, prompt, sampling=Sampling(repeat_penalty=1.8)) != said(small, prompt)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(grammar='root ::= "a"'),
        Sampling(json_schema={"type": "object"}),
        Sampling(temperature=1.0, min_p=0.1),
    ],
)
def test_what_the_library_lacks_is_refused(small: CTranslate2Engine, sampling: Sampling) -> None:
    with pytest.raises(UsageError) as caught:
        answer(small, small.render(QUESTION), sampling=sampling)
    assert caught.value.code == "not_available"


def test_an_abandoned_answer_ends_its_thread(small: CTranslate2Engine) -> None:
    before = set(threading.enumerate())
    begun = small.generate(small.render(QUESTION), max_tokens=200, sampling=Sampling(), cancelled=Cancellation())
    assert isinstance(next(iter(begun)), Piece)
    assert len(set(threading.enumerate()) - before) == 1
    begun.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) == before


def test_a_question_after_a_cancelled_prefill_can_be_cancelled_too(small: CTranslate2Engine) -> None:
    class Slow:
        """A computation that is still reading its prompt."""

        def __init__(self) -> None:
            self.done = threading.Event()

        def __call__(self, callback: Callable[[Any], bool]) -> None:
            self.done.wait()

    slow = Slow()
    small._run = Run(slow)
    try:
        with raised_after(0.1) as cancelled:
            pieces, finish = answer(small, small.render(QUESTION), cancelled=cancelled)
        assert (pieces, finish.reason) == ([], "cancelled")
    finally:
        slow.done.set()
    assert said(small, small.render(QUESTION))


def test_what_breaks_in_the_thread_is_told_here(small: CTranslate2Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = small.render(QUESTION)
    for error, family, code in (
        (RuntimeError("primitive failed"), EngineError, "crashed"),
        (MemoryError(), ModelError, "out_of_memory"),
    ):

        def fail(*_args: Any, error: Exception = error, **_options: Any) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(small, "_generator", SimpleNamespace(generate_batch=fail))
            with pytest.raises(family) as caught:
                answer(small, prompt)
        assert caught.value.code == code
    assert said(small, prompt)


def test_tokens_are_stamped_when_they_are_made() -> None:
    def compute(callback: Callable[[Any], bool]) -> None:
        for token in (5, 6, 7):
            callback(SimpleNamespace(token_id=token))

    run = Run(compute)
    assert run.wait()
    made = time.perf_counter()
    steps = list(run.steps(Cancellation()))
    assert [token for token, _ in steps] == [5, 6, 7]
    assert all(moment < made for _, moment in steps)


def test_an_end_is_an_end(small: CTranslate2Engine) -> None:
    prompt = small.render([{"role": "user", "content": "What is the capital of France?"}])
    *pieces, finish = small.generate(prompt, max_tokens=100, sampling=Sampling(), cancelled=Cancellation())
    assert isinstance(finish, Finish)
    assert finish.reason == "end"
    assert "Paris" in text_of([piece for piece in pieces if isinstance(piece, Piece)])


@pytest.mark.parametrize("compute_type", ["int3", "float16"])
def test_a_compute_type_this_machine_lacks_is_refused(ct2_int8: Path, compute_type: str) -> None:
    with pytest.raises(ModelError) as caught:
        CTranslate2Engine(ct2_int8, LoadOptions(compute_type=compute_type))
    assert caught.value.code == "incompatible"
    assert "int8" in caught.value.hint


@pytest.mark.parametrize("options", [LoadOptions(device="cuda"), LoadOptions(gpu_layers=-1)])
def test_a_device_that_is_not_there_is_no_silent_fall_back(
    ct2_int8: Path, options: LoadOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ctranslate2  # type: ignore[import-untyped]

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    with pytest.raises(ModelError) as caught:
        CTranslate2Engine(ct2_int8, options)
    assert caught.value.code == "backend_missing"


@pytest.mark.parametrize(
    ("missing", "word"),
    [("tokenizer.json", "tokenizer.json"), ("model.bin", "model"), ("vocabulary.json", "vocabulary")],
)
def test_what_is_missing_is_named(ct2_int8: Path, tmp_path: Path, missing: str, word: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in ct2_int8.iterdir():
        if path.name != missing:
            (folder / path.name).symlink_to(path)
    with pytest.raises(ModelError) as caught:
        CTranslate2Engine(folder, OPTIONS)
    assert word in caught.value.message


def test_a_damaged_binary_is_an_error_not_a_crash(ct2_int8: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in ct2_int8.iterdir():
        if path.name != "model.bin":
            (folder / path.name).symlink_to(path)
    with (ct2_int8 / "model.bin").open("rb") as whole:
        (folder / "model.bin").write_bytes(whole.read(2_000_000))
    with pytest.raises(ModelError) as caught:
        CTranslate2Engine(folder, OPTIONS)
    assert caught.value.code in ("incompatible", "truncated")


def test_too_little_memory_is_told_before_loading(ct2_int8: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Little:
        available = 1_000_000

    monkeypatch.setattr(folder_text.psutil, "virtual_memory", Little)
    monkeypatch.setattr(adapter.CTranslate2Engine, "_open", lambda self: pytest.fail("it was loaded"))
    with pytest.raises(ModelError) as caught:
        CTranslate2Engine(ct2_int8, OPTIONS)
    assert caught.value.code == "out_of_memory"


def test_adapters_are_refused(ct2_int8: Path) -> None:
    with pytest.raises(DesktopRagError) as caught:
        CTranslate2Engine(ct2_int8, LoadOptions(adapters=(("lora.gguf", 1.0),)))
    assert caught.value.code == "not_available"
