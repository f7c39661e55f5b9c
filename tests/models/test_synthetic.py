"""Models with random weights: the sizes of the real ones, loadable, finite, and nothing left of an unfinished one."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, ModelError, StoreError, UsageError
from desktop_rag.models import synthetic
from desktop_rag.models.catalogue import find
from desktop_rag.models.inspect import inspect
from desktop_rag.models.parameters import decoder_parameters
from desktop_rag.models.shape import shape_of_ct2, shape_of_gguf
from desktop_rag.models.synthetic import too_large, write_ct2, write_gguf
from desktop_rag.models.synthetic_ct2 import ct2_bytes
from desktop_rag.models.synthetic_shapes import FORMATS, SHAPES, Architecture, gguf_bytes, tensors

# Parameters of the published models (their model cards).
PUBLISHED = {
    "smollm2-135m": 134_515_008,
    "qwen2.5-0.5b": 494_032_768,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "llama-2-7b": 6_738_415_616,
}
# Vocabularies larger than, smaller than and equal to the tokenizer's 260.
TINY = Architecture("Tiny", "llama", 2, 256, 4, 2, 64, 512, 300, 2048, 10_000, 1e-5, tied=True)
UNTIED = Architecture("Untied", "llama", 2, 256, 4, 4, 64, 512, 258, 2048, 10_000, 1e-5, tied=False)
BIASED = Architecture("Biased", "qwen2", 1, 256, 4, 2, 64, 512, 260, 2048, 10_000, 1e-6, tied=True, qkv_bias=True)
SMALL = {"tiny": TINY, "untied": UNTIED, "biased": BIASED}


@pytest.fixture(autouse=True)
def shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "SHAPES", {**SHAPES, **SMALL})


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file with a tokenizer of single bytes, two merges and an end token: real ones take seconds to copy."""
    from gguf import GGUFWriter

    path = tmp_path_factory.mktemp("tokens") / "tokens.gguf"
    writer = GGUFWriter(path, "llama")
    plain = [byte for byte in range(256) if chr(byte).isprintable() and byte not in (0x20, 0xA0, 0xAD)]
    others = [byte for byte in range(256) if byte not in plain]
    alphabet = [chr(byte) for byte in plain] + [chr(256 + at) for at in range(len(others))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(["<end>", *alphabet, "th", "the", "an"])
    writer.add_token_types([3] + [1] * 259)
    writer.add_token_merges(["t h", "th e", "a n"])
    writer.add_eos_token_id(0)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_shapes_have_the_parameters_of_the_published_models(name: str) -> None:
    made = SHAPES[name]
    counted = decoder_parameters(
        made.vocabulary,
        made.width,
        made.layers,
        made.heads,
        made.kv_heads,
        made.head_dim,
        made.feed_forward,
        tied=made.tied,
        qkv_bias=made.qkv_bias,
    )
    assert counted == PUBLISHED[name]
    written = sum(
        tensor.bytes // FORMATS[tensor.format][2] * FORMATS[tensor.format][1] for tensor in tensors(made, "F16")
    )
    assert written == PUBLISHED[name]


@pytest.mark.parametrize(("shape", "quantisation"), list(itertools.product(SMALL, ["Q4_0", "Q8_0", "F16"])))
def test_a_gguf_is_what_it_says(tmp_path: Path, tokens: Path, shape: str, quantisation: str) -> None:
    target = tmp_path / "made.gguf"
    events = list(write_gguf(target, shape, quantisation, tokens))
    assert events[-1]["fraction"] == 1.0
    assert [event["fraction"] for event in events] == sorted(event["fraction"] for event in events)
    found, made = inspect(target), SMALL[shape]
    counted = shape_of_gguf(found)
    assert found.quantisation == quantisation
    assert (found.architecture, counted.vocabulary, counted.tied) == (made.architecture, made.vocabulary, made.tied)
    assert (counted.layers, counted.kv_heads, counted.context) == (made.layers, made.kv_heads, made.context)
    assert counted.weights_bytes == gguf_bytes(made, quantisation)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("shape", "quantisation"), [("tiny", "Q4_0"), ("untied", "F16"), ("biased", "Q8_0")])
def test_llama_cpp_computes_finite_logits_with_it(tmp_path: Path, tokens: Path, shape: str, quantisation: str) -> None:
    target = tmp_path / "made.gguf"
    list(write_gguf(target, shape, quantisation, tokens))
    logits = _logits(target, list(range(20, 36)))
    assert logits.shape == (SMALL[shape].vocabulary,)
    assert np.isfinite(logits).all()
    assert 0.01 < logits.std() < 100


def test_the_tokenizer_is_that_of_its_source(tmp_path: Path, tokens: Path) -> None:
    target = tmp_path / "made.gguf"
    list(write_gguf(target, "tiny", "Q4_0", tokens))
    text = b"Then the pump was installed on 14 March 2019."
    assert _tokenized(target, text) == _tokenized(tokens, text)
    assert inspect(target).chat_template


def test_a_smaller_vocabulary_knows_none_of_the_tokens_that_were_cut(tmp_path: Path, tokens: Path) -> None:
    target = tmp_path / "made.gguf"
    list(write_gguf(target, "untied", "Q4_0", tokens))
    found = _tokenized(target, b"the an")
    assert max(found) < UNTIED.vocabulary
    assert len(found) == len(_tokenized(tokens, b"the an")) + 2


def test_the_starters_tokenizer_can_be_taken(tmp_path: Path) -> None:
    source = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert source is not None, "the starter models are not in place: python3 packaging/dev.py setup"
    target = tmp_path / "made.gguf"
    list(write_gguf(target, "tiny", "Q4_0", source))
    assert inspect(target).metadata["tokenizer.ggml.pre"] == "smollm"
    assert shape_of_gguf(inspect(target)).vocabulary == TINY.vocabulary


@pytest.mark.parametrize(("shape", "compute_type"), [("tiny", "int8"), ("untied", "float32"), ("biased", "int8")])
def test_a_ctranslate2_folder_is_what_it_says(tmp_path: Path, tokens: Path, shape: str, compute_type: str) -> None:
    target = tmp_path / "made"
    events = list(write_ct2(target, shape, compute_type, tokens))
    assert events[-1]["fraction"] == 1.0
    made, counted = SMALL[shape], shape_of_ct2(target)
    assert (counted.layers, counted.heads, counted.kv_heads) == (made.layers, made.heads, made.kv_heads)
    assert (counted.vocabulary, counted.tied) == (made.vocabulary, made.tied)
    # The single numbers (an activation's name, heads) are no weights.
    assert 0 <= ct2_bytes(made, compute_type) - counted.weights_bytes < 200
    assert len(json.loads((target / "vocabulary.json").read_text(encoding="utf-8"))) == made.vocabulary
    logits = _ct2_logits(target, compute_type)
    assert logits.shape[-1] == made.vocabulary
    assert np.isfinite(logits).all()
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("write", [write_gguf, write_ct2])
def test_a_file_that_is_not_finished_is_not_there(tmp_path: Path, tokens: Path, write: type) -> None:
    steps = write(tmp_path / "made", "tiny", "Q4_0" if write is write_gguf else "int8", tokens)
    for _ in itertools.islice(steps, 4):
        pass
    assert not (tmp_path / "made").exists()
    steps.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shape", "quantisation", "family", "code"),
    [("gpt-9", "Q4_0", UsageError, "bad_request"), ("tiny", "Q3_K", UsageError, "bad_request")],
)
def test_what_cannot_be_made_is_refused(
    tmp_path: Path, tokens: Path, shape: str, quantisation: str, family: type[DesktopRagError], code: str
) -> None:
    for write in (write_gguf, write_ct2):
        with pytest.raises(family) as caught:
            list(write(tmp_path / "made", shape, quantisation, tokens))
        assert caught.value.code == code


def test_more_than_two_fifths_of_the_memory_is_too_large(
    tmp_path: Path, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert too_large(401, 1000)
    assert not too_large(400, 1000)
    monkeypatch.setattr(synthetic, "MEMORY_SHARE", 0.0)
    with pytest.raises(ModelError, match="too large") as caught:
        list(write_gguf(tmp_path / "made", "tiny", "Q4_0", tokens))
    assert caught.value.code == "out_of_memory"


def test_a_full_disk_is_told_before_writing(tmp_path: Path, tokens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "DISK_RESERVE", 1 << 60)
    with pytest.raises(StoreError) as caught:
        list(write_gguf(tmp_path / "made", "tiny", "Q4_0", tokens))
    assert caught.value.code == "disk_full"


def _logits(path: Path, prompt: list[int]) -> np.ndarray:
    import llama_cpp

    model = llama_cpp.Llama(str(path), n_ctx=64, logits_all=False, verbose=False, n_threads=1)
    try:
        model.eval(prompt)
        vocabulary = model.n_vocab()
        row = llama_cpp.llama_get_logits_ith(model.ctx, -1)
        return np.ctypeslib.as_array(row, shape=(vocabulary,)).copy()
    finally:
        model.close()


def _tokenized(path: Path, text: bytes) -> list[int]:
    import llama_cpp

    model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    try:
        return model.tokenize(text, add_bos=False)
    finally:
        model.close()


def _ct2_logits(folder: Path, compute_type: str) -> np.ndarray:
    import ctranslate2

    generator = ctranslate2.Generator(str(folder), device="cpu", compute_type=compute_type, intra_threads=1)
    words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))[20:30]
    return np.array(generator.forward_batch([words]))
