"""Layers on a device: the same answers, as much memory as planned, and never a silent fall-back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from desktop_rag.engines.devices import accelerators
from desktop_rag.engines.llama_cpp import LlamaCppEngine
from desktop_rag.engines.offload_trial import Held, Trial, load
from desktop_rag.engines.offload_verify import verify_plan
from desktop_rag.engines.protocol import LoadOptions
from desktop_rag.errors import ModelError
from desktop_rag.models.inspect import inspect
from desktop_rag.models.offload import plan_offload
from desktop_rag.models.shape import Shape, shape_of_gguf
from desktop_rag.workers import trial_service
from tests.engines.contract import answer, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.offload, pytest.mark.slow]

CONTEXT = 512
# Small, because a device in software reads a prompt at a few tokens a second.
MICRO_BATCH = 32
# Processor and device round differently: what counts is that no layer computes something else.
CLOSE = 1.0
PLAN_ERROR = 0.08
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name three fruits."}]


def options(layers: int, **more: Any) -> LoadOptions:
    return LoadOptions(context=CONTEXT, gpu_layers=layers, micro_batch=MICRO_BATCH, lookup=False, **more)


@pytest.fixture(scope="module")
def shape(starter: Path) -> Shape:
    return shape_of_gguf(inspect(starter))


@pytest.fixture(scope="module")
def every(shape: Shape) -> int:
    """All layers and the output matrix."""
    return shape.layers + 1


@pytest.fixture(scope="module")
def processor(starter: Path) -> Iterator[LlamaCppEngine]:
    engine = LlamaCppEngine(starter, options(0))
    yield engine
    engine.close()


def test_without_layers_nothing_lies_on_the_device(starter: Path, attempt: Any) -> None:
    held: Held = attempt(Trial(str(starter), 0, CONTEXT, micro_batch=MICRO_BATCH))
    assert held.gpu_layers == 0
    assert not any(held.on_devices().values())


def test_a_device_is_listed_with_its_memory() -> None:
    there = accelerators()
    assert there, "the build finds no device"
    assert all(0 < device.free_bytes <= device.total_bytes for device in there)
    assert all(device.name and device.description for device in there)


@pytest.mark.parametrize("part", ["half", "all"])
def test_layers_on_the_device_give_the_same_answer(
    starter: Path, processor: LlamaCppEngine, every: int, part: str
) -> None:
    layers = every if part == "all" else every // 2
    prompt = processor.render(QUESTION)
    expected = processor.logits_of(prompt.tokens)
    engine = LlamaCppEngine(starter, options(layers))
    try:
        text = text_of(answer(engine, prompt, max_tokens=8)[0])
        assert text == text_of(answer(processor, prompt, max_tokens=8)[0])
        logits = engine.logits_of(prompt.tokens)
        assert int(logits.argmax()) == int(expected.argmax())
        assert np.abs(logits - expected).max() < CLOSE
        # To people the output matrix is no layer.
        assert engine.info.gpu_layers == min(layers, every - 1)
        assert engine.info.device != processor.info.device == "cpu"
    finally:
        engine.close()


def test_the_memory_of_a_device_can_be_taken_out_and_put_back(starter: Path, every: int) -> None:
    engine = LlamaCppEngine(starter, options(every))
    try:
        prompt = engine.render(QUESTION)
        first = text_of(answer(engine, prompt, max_tokens=8)[0])
        tokens, state = engine.snapshot(len(prompt.tokens) - 1)
        answer(engine, engine.render([{"role": "user", "content": "?"}]), max_tokens=1)
        assert engine.restore(tokens, state)
        pieces, finish = answer(engine, prompt, max_tokens=8)
        assert finish.reused_tokens == len(prompt.tokens) - 1
        assert text_of(pieces) == first
    finally:
        engine.close()


def test_a_device_that_is_gone_is_said_and_nothing_is_loaded(starter: Path) -> None:
    for run in (
        lambda: LlamaCppEngine(starter, options(4, device="Gone0")),
        lambda: load(Trial(str(starter), 4, CONTEXT, device="Gone0")),
    ):
        with pytest.raises(ModelError) as caught:
            run()
        assert caught.value.code == "backend_missing"
        assert "Gone0" in caught.value.message


@pytest.fixture
def attempt(tmp_path: Path) -> Any:
    return trial_service.in_child(tmp_path)


@pytest.mark.parametrize("part", ["some", "all"])
def test_the_plan_holds_and_takes_what_it_said(
    starter: Path, shape: Shape, every: int, attempt: Any, part: str
) -> None:
    there = accelerators()
    most = every if part == "all" else every // 2
    plan = plan_offload(shape, there, CONTEXT, micro_batch=MICRO_BATCH, margin=0, at_most=most)
    result = verify_plan(Trial(str(starter), plan.gpu_layers, CONTEXT, micro_batch=MICRO_BATCH), attempt)
    assert (result.held.gpu_layers, result.held.layers) == (most, every)
    assert len(result.tried) == 1
    taken = sum(result.held.on_devices().values())
    assert taken == pytest.approx(sum(share.used for share in plan.shares), rel=PLAN_ERROR)


def test_with_room_for_less_it_steps_back_and_says_so(starter: Path, every: int, attempt: Any) -> None:
    def scarce(trial: Trial) -> Held:
        if trial.gpu_layers > every // 2:
            raise ModelError("out_of_memory", "no room")
        held: Held = attempt(trial)
        return held

    result = verify_plan(Trial(str(starter), every, CONTEXT, micro_batch=MICRO_BATCH), scarce)
    assert 0 < result.held.gpu_layers <= every // 2
    assert [row.error for row in result.tried][-1] is None
    assert all(row.error == "no room" for row in result.tried[:-1])
    assert result.sentence.startswith(f"{result.held.gpu_layers} of {every - 1} layers on GPU")
