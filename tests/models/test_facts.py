"""What a model on disk says of itself, and how each kind of damage is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_rag.errors import ModelError
from desktop_rag.models.facts import facts_of
from tests.models.kit import ct2_folder, gguf_bytes, hf_folder, safetensors


def refusal(path: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        facts_of(path)
    assert caught.value.message.endswith(".")
    return caught.value


def test_a_gguf_file(tmp_path: Path) -> None:
    path = tmp_path / "Tiny-Chat-0.5B-Q4_K_M.gguf"
    path.write_bytes(gguf_bytes())
    facts = facts_of(path)
    assert (facts.format, facts.kind, facts.name) == ("gguf", "chat", "Tiny Chat 0.5B")
    assert (facts.architecture, facts.context, facts.layers, facts.parameters) == ("qwen2", 512, 3, 64)
    assert facts.quantisation == "Q8_0", "what the file says goes before what its name says"
    assert (facts.licence, facts.chat_template, facts.pre_tokenizer) == ("apache-2.0", True, "qwen2")


def test_a_file_that_is_replaced_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_bytes())
    assert facts_of(path).context == 512
    path.write_bytes(gguf_bytes(qwen2__context_length=1024, general__name="another"))
    assert facts_of(path).context == 1024


@pytest.mark.parametrize(
    ("name", "inside", "expected"),
    [
        ("sha256-" + "a" * 64, "Llama 3.2 1B", "Llama 3.2 1B"),
        ("a" * 64, None, "qwen2 model"),
        ("SmolLM2-135M.Q4_1.gguf", "inside", "SmolLM2 135M"),
        ("qwen2.5-0.5b-instruct-q4_k_m.gguf", None, "qwen2.5 0.5b instruct"),
        ("Q8_0.gguf", "Named inside", "Named inside"),
    ],
)
def test_a_name_for_people(tmp_path: Path, name: str, inside: str | None, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(gguf_bytes(general__name=inside))
    assert facts_of(path).name == expected


def test_a_split_model_needs_all_its_parts(tmp_path: Path) -> None:
    parts = [tmp_path / f"big-Q8_0-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    for part in parts:
        part.write_bytes(gguf_bytes())
    facts = facts_of(parts[0])
    assert facts.files == tuple(part.name for part in parts)
    assert facts.size == 3 * parts[0].stat().st_size
    parts[1].unlink()
    parts[0].write_bytes(gguf_bytes(general__name="touched"))
    error = refusal(parts[0])
    assert (error.code, "part 2 of 3" in error.message) == ("truncated", True)


def test_a_hugging_face_folder(tmp_path: Path) -> None:
    facts = facts_of(hf_folder(tmp_path / "my-llama"))
    assert (facts.format, facts.kind, facts.name, facts.architecture) == ("hf", "chat", "my-llama", "llama")
    assert (facts.context, facts.layers, facts.parameters, facts.quantisation) == (256, 2, 6, "BF16")
    assert facts.chat_template


def test_an_encoder_is_told_apart(tmp_path: Path) -> None:
    assert facts_of(hf_folder(tmp_path / "e", model_type="bert", architectures=["BertModel"])).kind == "encoder"
    assert facts_of(ct2_folder(tmp_path / "c", spec=b"TransformerEncoderSpec\0")).kind == "encoder"


def test_a_ctranslate2_folder(tmp_path: Path) -> None:
    facts = facts_of(ct2_folder(tmp_path / "c", context=2048, layers=4, name="Mine"))
    assert (facts.format, facts.kind, facts.name, facts.quantisation) == ("ct2", "chat", "Mine", "int8")
    assert (facts.context, facts.layers) == (2048, 4)


def test_damaged_hugging_face_folders(tmp_path: Path) -> None:
    cut = hf_folder(tmp_path / "cut")
    (cut / "model.safetensors").write_bytes(safetensors()[:-4])
    text = hf_folder(tmp_path / "text")
    (text / "model.safetensors").write_text("hello, this is no model")
    pickled = hf_folder(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    empty = hf_folder(tmp_path / "empty")
    (empty / "model.safetensors").unlink()
    shard = hf_folder(tmp_path / "shard")
    (shard / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00002.safetensors"}}')
    garbled = hf_folder(tmp_path / "garbled")
    (garbled / "config.json").write_text("{")
    expected = {
        cut: ("truncated", "MB of model.safetensors are there"),
        text: ("incompatible", "no safetensors file"),
        pickled: ("incompatible", "pickled"),
        empty: ("truncated", "weights are missing"),
        shard: ("truncated", "model-00002.safetensors is missing"),
        garbled: ("incompatible", "config.json cannot be read"),
        hf_folder(tmp_path / "nameless", model_type=None): ("incompatible", "names no model type"),
    }
    messages = {folder: refusal(folder) for folder in expected}
    for folder, (code, words) in expected.items():
        assert (messages[folder].code, words in messages[folder].message) == (code, True), messages[folder].message


def test_damaged_ctranslate2_folders(tmp_path: Path) -> None:
    empty = ct2_folder(tmp_path / "empty")
    (empty / "model.bin").write_bytes(b"")
    alien = ct2_folder(tmp_path / "alien")
    (alien / "model.bin").write_bytes(b"PK\x03\x04" + bytes(100))
    wordless = ct2_folder(tmp_path / "wordless")
    (wordless / "vocabulary.json").unlink()
    tokenless = ct2_folder(tmp_path / "tokenless")
    (tokenless / "tokenizer.json").unlink()
    assert refusal(empty).code == "truncated"
    assert "no CTranslate2 model" in refusal(alien).message
    assert "vocabulary is missing" in refusal(wordless).message
    assert "tokenizer.json" in refusal(tokenless).message
    assert "newer than" in refusal(ct2_folder(tmp_path / "future", version=9)).message


def test_folders_that_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "with" / "inside.gguf").write_bytes(gguf_bytes())
    assert "inside.gguf" in refusal(tmp_path / "with").hint
    (tmp_path / "without").mkdir()
    assert "no model folder" in refusal(tmp_path / "without").message
    assert refusal(tmp_path / "nowhere").code == "not_installed"


@pytest.mark.parametrize("config", ["[" * 100_000, '{"model_type": ""}', "[]"])
def test_a_strange_configuration_is_refused(tmp_path: Path, config: str) -> None:
    folder = hf_folder(tmp_path / "model")
    (folder / "config.json").write_text(config)
    assert refusal(folder).code == "incompatible"


def test_a_list_that_is_none_is_no_bug(tmp_path: Path) -> None:
    assert facts_of(hf_folder(tmp_path / "model", architectures=5)).kind == "encoder"
