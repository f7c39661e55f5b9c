"""Conversions of the starter model: whole, in place at once, refused early where they cannot work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from desktop_rag.errors import ModelError, StoreError
from desktop_rag.models import convert_chat
from desktop_rag.models.convert_chat import special_tokens, to_ctranslate2, to_hf
from desktop_rag.models.convert_tokenizer import PATTERNS, read_tokens
from desktop_rag.models.facts import facts_of
from desktop_rag.models.starter import sha256_of
from tests.engines.converted import ct2_folder, hf_folder, starter
from tests.models.conftest import GgufWriter


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test as soon as a weight would be read."""
    monkeypatch.setattr(convert_chat, "_quiet", lambda: pytest.fail("the work began"))


@pytest.mark.usefixtures("no_work")
class TestRefusedBeforeTheWork:
    @pytest.mark.parametrize("architecture", ["crystal-ball", "mamba", "bert"])
    def test_an_architecture_nobody_converts(self, tmp_path: Path, gguf: GgufWriter, architecture: str) -> None:
        source = tmp_path / "model.gguf"
        source.write_bytes(gguf({"general.architecture": architecture}))
        for convert in (to_hf(source, tmp_path / "hf"), to_ctranslate2(source, tmp_path / "ct2", "int8")):
            with pytest.raises(ModelError) as caught:
                next(convert)
            assert caught.value.code == "incompatible"
            assert architecture in caught.value.message
        assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]

    def test_what_is_no_model(self, tmp_path: Path) -> None:
        (tmp_path / "page.gguf").write_text("<html>")
        for source, code in ((tmp_path / "page.gguf", "incompatible"), (tmp_path / "none", "not_installed")):
            with pytest.raises(ModelError) as caught:
                next(to_hf(source, tmp_path / "hf"))
            assert caught.value.code == code

    def test_a_type_that_does_not_exist(self, tmp_path: Path) -> None:
        for convert in (to_hf(starter(), tmp_path / "a", "int3"), to_ctranslate2(starter(), tmp_path / "b", "q4")):
            with pytest.raises(ModelError, match="no compute type"):
                next(convert)

    def test_too_little_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(convert_chat, "free_memory", lambda: 4 * 134_515_008)
        with pytest.raises(ModelError) as caught:
            next(to_ctranslate2(starter(), tmp_path / "ct2", "int8"))
        assert caught.value.code == "out_of_memory"
        assert "0.5 GB are free" in caught.value.message

    def test_too_little_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(convert_chat.shutil, "disk_usage", lambda place: SimpleNamespace(free=500_000_000))
        with pytest.raises(StoreError) as caught:
            next(to_hf(starter(), tmp_path / "hf"))
        assert caught.value.code == "disk_full"


def test_closing_it_leaves_nothing_behind(tmp_path: Path) -> None:
    convert = to_hf(starter(), tmp_path / "hf")
    assert next(convert)["event"] == "progress"
    assert len(list(tmp_path.iterdir())) == 1
    assert isinstance(convert, Iterator)
    convert.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "family", "code"),
    [
        (MemoryError(), ModelError, "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), ModelError, "out_of_memory"),
        (ImportError("No module named 'torch'"), ModelError, "backend_missing"),
        (OSError(28, "No space left on device"), StoreError, "disk_full"),
        (ValueError("no such layer"), ModelError, "incompatible"),
    ],
)
def test_a_failure_leaves_the_old_folder_and_says_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, family: type[Any], code: str
) -> None:
    def fail(*_given: Any) -> None:
        raise error

    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "old").touch()
    monkeypatch.setattr(convert_chat, "_read_gguf", fail)
    with pytest.raises(family) as caught:
        list(to_hf(starter(), tmp_path / "hf"))
    assert caught.value.code == code
    assert [path.name for path in tmp_path.rglob("*")] == ["hf", "old"]


def test_special_tokens_are_read_in_both_notations(tmp_path: Path) -> None:
    content = {"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": False}, "pad_token": None}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(content))
    assert special_tokens(tmp_path) == {"bos_token": "<s>", "eos_token": "</s>"}


@pytest.mark.slow
class TestTheStarterModel:
    @pytest.fixture
    def hf(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return hf_folder(tmp_path_factory)

    @pytest.fixture
    def ct2(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return ct2_folder(tmp_path_factory, "float32")

    def test_the_card_says_where_it_came_from(self, hf: Path) -> None:
        card = json.loads((hf / "card.json").read_text())
        assert (card["format"], card["compute_type"], card["architecture"]) == ("hf", "float32", "llama")
        assert card["source_sha256"] == sha256_of(starter())
        assert (card["parameters"], card["context"], card["layers"]) == (134_515_008, 8192, 30)
        assert set(card["runtime_versions"]) == {"ctranslate2", "transformers", "torch", "tokenizers"}

    def test_the_results_are_models_to_everybody_else(self, hf: Path, ct2: Path) -> None:
        for folder, made in ((hf, "hf"), (ct2, "ct2")):
            facts = facts_of(folder)
            assert (facts.format, facts.kind, facts.chat_template) == (made, "chat", True)
            assert facts.parameters == 134_515_008
        assert not [path for path in hf.parent.iterdir() if path.name.startswith(".")]

    def test_what_ends_an_answer_is_what_ends_it_in_llama_cpp(self, hf: Path) -> None:
        assert json.loads((hf / "generation_config.json").read_text())["eos_token_id"] == [0, 2, 4]
        assert special_tokens(hf)["eos_token"] == "<|im_end|>"

    def test_texts_are_cut_as_llama_cpp_cuts_them(self, hf: Path) -> None:
        from llama_cpp import Llama
        from tokenizers import Tokenizer

        assert read_tokens(starter()).pre in PATTERNS
        tokenizer = Tokenizer.from_file(str(hf / "tokenizer.json"))
        reference = Llama(str(starter()), vocab_only=True, verbose=False)
        random = np.random.default_rng(1)
        alphabet = [*list("aeinst ABC 0123456789 .,;:'\n\t-_()äßжд中文👩½"), "<|im_end|>", "'s", "  "]
        try:
            for _ in range(300):
                text = "".join(random.choice(alphabet, size=40))
                assert tokenizer.encode(text, add_special_tokens=False).ids == reference.tokenize(
                    text.encode(), add_bos=False, special=True
                ), text
        finally:
            reference.close()

    def test_the_weights_are_the_same_numbers(self, hf: Path) -> None:
        """The rows of the quantised table, unpacked by the gguf package, are those in the folder."""
        from gguf import GGUFReader, dequantize
        from safetensors import safe_open

        table = next(t for t in GGUFReader(starter()).tensors if t.name == "token_embd.weight")
        with safe_open(str(hf / "model.safetensors"), "np") as file:
            rows = file.get_slice("model.embed_tokens.weight")[:64]
        np.testing.assert_array_equal(rows, dequantize(table.data[:64], table.tensor_type))
