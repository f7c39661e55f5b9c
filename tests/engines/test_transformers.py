"""Transformers with the starter model, converted to a Hugging Face folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop_rag.engines import folder_text
from desktop_rag.engines import transformers as adapter
from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.ctranslate2 import CTranslate2Engine
from desktop_rag.engines.protocol import LoadOptions, Sampling
from desktop_rag.engines.transformers import TransformersEngine, choose_device, choose_dtype
from desktop_rag.errors import DesktopRagError, ModelError, UsageError
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

pytestmark = pytest.mark.slow

CONTEXT = 512
FLOAT32 = LoadOptions(context=CONTEXT, threads=2, compute_type="float32")


@pytest.fixture(scope="module")
def loaded(hf_folder: Path) -> Iterator[TransformersEngine]:
    engine = TransformersEngine(hf_folder, FLOAT32)
    yield engine
    engine.close()


class TestTransformers(EngineContract, ReusesPrefixes, CancelsInPrefill, EndsWithItsContext, StopsAtStrings):
    @pytest.fixture
    def engine(self, loaded: TransformersEngine) -> TransformersEngine:
        return loaded


def test_it_says_what_one_token_costs(loaded: TransformersEngine) -> None:
    info = loaded.info
    assert (info.engine, info.options, info.architecture, info.layers) == ("Transformers", "float32", "llama", 30)
    assert info.parameters == 134_515_008
    assert info.weights_bytes == info.read_bytes == 4 * 134_515_008
    # keys and values of 3 heads of 64, in 30 layers, 4 bytes each
    assert info.kv_token_bytes == 2 * 3 * 64 * 30 * 4


def test_pieces_of_a_prompt_give_the_logits_of_the_whole(loaded: TransformersEngine) -> None:
    import torch

    tokens = [(7 * at) % 40_000 + 100 for at in range(300)]
    pieces = loaded.logits_of(tokens)
    with torch.inference_mode():
        whole = loaded._model(input_ids=torch.tensor([tokens])).logits[0, -1].numpy()
    np.testing.assert_allclose(pieces, whole, atol=2e-3)


def test_half_the_bytes_say_the_same_at_first(hf_folder: Path, loaded: TransformersEngine) -> None:
    half = TransformersEngine(hf_folder, LoadOptions(context=CONTEXT, threads=2, compute_type="bfloat16"))
    try:
        assert half.info.weights_bytes * 2 == loaded.info.weights_bytes
        prompt = half.render(QUESTION)
        near = half.logits_of(prompt.tokens), loaded.logits_of(prompt.tokens)
        assert np.corrcoef(near)[0, 1] > 0.999
    finally:
        half.close()


def test_a_failed_pass_leaves_the_next_answer_whole(
    loaded: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = loaded.render(QUESTION)
    whole = said(loaded, prompt)
    real = loaded._model
    calls = 0

    def failing(**given: Any) -> Any:
        nonlocal calls
        calls += 1
        out = real(**given)
        if calls == 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return out

    monkeypatch.setattr(loaded, "_model", failing)
    with pytest.raises(ModelError) as caught:
        said(loaded, prompt)
    assert caught.value.code == "out_of_memory"
    monkeypatch.setattr(loaded, "_model", real)
    assert said(loaded, prompt) == whole


@pytest.mark.parametrize("sampling", [Sampling(grammar='root ::= "a"'), Sampling(json_schema={"type": "object"})])
def test_a_grammar_is_refused(loaded: TransformersEngine, sampling: Sampling) -> None:
    with pytest.raises(UsageError) as caught:
        answer(loaded, loaded.render(QUESTION), sampling=sampling)
    assert caught.value.code == "not_available"


def test_every_filter_is_followed(loaded: TransformersEngine) -> None:
    prompt = loaded.render(QUESTION)
    greedy = said(loaded, prompt)
    for narrow in (Sampling(temperature=2.0, top_p=1e-6), Sampling(temperature=2.0, min_p=1.0)):
        assert said(loaded, prompt, sampling=narrow) == greedy
    assert said(loaded, prompt, sampling=Sampling(repeat_penalty=1.8)) != greedy


def broken(folder: Path, source: Path, change: str) -> Path:
    """A copy of the folder (weights linked) with one thing wrong."""
    folder.mkdir()
    for path in source.iterdir():
        if path.name != change:
            (folder / path.name).symlink_to(path)
    return folder


@pytest.mark.parametrize(
    ("missing", "word"),
    [("tokenizer.json", "tokenizer.json"), ("config.json", "no model folder"), ("model.safetensors", "weights")],
)
def test_what_is_missing_is_named(hf_folder: Path, tmp_path: Path, missing: str, word: str) -> None:
    with pytest.raises(ModelError) as caught:
        TransformersEngine(broken(tmp_path / "model", hf_folder, missing), FLOAT32)
    assert word in caught.value.message


def test_a_file_and_nothing_at_all_are_two_errors(starter_gguf: Path, tmp_path: Path) -> None:
    for path, code in ((starter_gguf, "incompatible"), (tmp_path / "none", "not_installed")):
        with pytest.raises(ModelError) as caught:
            TransformersEngine(path, FLOAT32)
        assert caught.value.code == code


def test_an_architecture_nobody_knows_is_refused(hf_folder: Path, tmp_path: Path) -> None:
    folder = broken(tmp_path / "model", hf_folder, "config.json")
    config = json.loads((hf_folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "crystal-ball"}))
    with pytest.raises(ModelError) as caught:
        TransformersEngine(folder, FLOAT32)
    assert caught.value.code == "incompatible"
    assert "crystal-ball" in caught.value.message


def test_code_that_comes_with_a_model_is_never_run(hf_folder: Path, tmp_path: Path) -> None:
    folder = broken(tmp_path / "model", hf_folder, "config.json")
    config = json.loads((hf_folder / "config.json").read_text())
    own = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(config | own))
    marker = tmp_path / "it-ran"
    (folder / "own.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    with pytest.raises(ModelError):
        TransformersEngine(folder, FLOAT32)
    assert not marker.exists()


def test_too_little_memory_is_told_before_loading(hf_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Little:
        available = 100_000_000

    monkeypatch.setattr(folder_text.psutil, "virtual_memory", Little)
    monkeypatch.setattr(adapter, "_load", lambda *given: pytest.fail("it was loaded"))
    with pytest.raises(ModelError) as caught:
        TransformersEngine(hf_folder, FLOAT32)
    assert caught.value.code == "out_of_memory"
    assert "0.5 GB" in caught.value.message


def test_a_missing_accelerator_is_no_silent_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device(LoadOptions()) == "cpu"
    for options in (LoadOptions(device="cuda"), LoadOptions(gpu_layers=-1), LoadOptions(device="mps")):
        with pytest.raises(ModelError) as caught:
            choose_device(options)
        assert caught.value.code == "backend_missing"


def test_the_type_follows_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "amx_bf16": False})
    assert choose_dtype("cpu", None) == "float32"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert choose_dtype("cpu", None) == "bfloat16"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert (choose_dtype("cuda", None), choose_dtype("mps", None)) == ("float16", "float16")
    with pytest.raises(ModelError):
        choose_dtype("cpu", "int3")


def test_adapters_are_refused(hf_folder: Path) -> None:
    with pytest.raises(DesktopRagError) as caught:
        TransformersEngine(hf_folder, LoadOptions(adapters=(("lora.gguf", 1.0),)))
    assert caught.value.code == "not_available"


def test_nothing_is_computed_for_a_prompt_that_was_cancelled(loaded: TransformersEngine) -> None:
    cancelled = Cancellation()
    cancelled.set()
    loaded.logits_of([1, 2, 3])
    answer(loaded, loaded.render(QUESTION), cancelled=cancelled)
    assert len(loaded._cached) < len(loaded.render(QUESTION))


def test_three_runtimes_say_the_same(loaded: TransformersEngine, ct2_float32: Path, starter_gguf: Path) -> None:
    """Where the model is sure: llama.cpp computes with rounded activations, and may tip a token that is a toss-up."""
    from llama_cpp import Llama

    texts = (
        "The Zenith pump was installed on 14 March 2019. When was the Zenith pump installed?",
        "Count from 1 to 10.",
    )
    prompts = [loaded.render([QUESTION[0], {"role": "user", "content": text}]) for text in texts]
    ours = [said(loaded, prompt, max_tokens=14) for prompt in prompts]
    assert all(len(text) > 10 for text in ours)
    other = CTranslate2Engine(ct2_float32, LoadOptions(context=CONTEXT, threads=2))
    try:
        assert [other.render(prompt.messages) for prompt in prompts] == prompts
        assert [said(other, prompt, max_tokens=14) for prompt in prompts] == ours
    finally:
        other.close()
    reference = Llama(str(starter_gguf), n_ctx=CONTEXT, n_threads=2, n_threads_batch=2, verbose=False)
    try:
        for prompt, text in zip(prompts, ours, strict=True):
            assert reference.tokenize(prompt.text.encode(), add_bos=False, special=True) == list(prompt.tokens)
            made = reference.create_completion(list(prompt.tokens), max_tokens=14, temperature=0.0, top_k=1)
            assert made["choices"][0]["text"] == text  # type: ignore[index]
    finally:
        reference.close()
