"""Which models are here, and what a name means."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag import torch_part
from desktop_rag.errors import DesktopRagError, ModelError, UsageError
from desktop_rag.models.cards import card_of, free_id, read_card, slug, user_models, write_card
from desktop_rag.models.catalogue import offered
from desktop_rag.models.facts import facts_of
from desktop_rag.models.installed import find_installed, installed, resolve
from desktop_rag.models.lora import chosen_adapters, set_adapters
from desktop_rag.settings import Settings
from tests.models.conftest import GgufWriter

STARTER = "smollm2-135m-instruct-q4_1"
META = {
    "general.architecture": "qwen2",
    "general.file_type": 7,
    "qwen2.block_count": 3,
    "qwen2.context_length": 512,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "qwen2",
    "tokenizer.chat_template": "{{ messages }}",
}


def put(data: Path, model_id: str, content: bytes, **more: Any) -> Path:
    """A model of the user's, as a download or an import leaves it."""
    folder = user_models(data) / model_id
    folder.mkdir(parents=True)
    path = folder / f"{model_id}.gguf"
    path.write_bytes(content)
    write_card(folder, card_of(facts_of(path), folder, **more))
    return path


def test_the_starter_is_first_and_says_what_it_is(tmp_path: Path) -> None:
    model = installed(tmp_path)[0]
    assert (model.id, model.kind, model.format, model.source) == (STARTER, "chat", "gguf", "starter")
    assert (model.quantisation, model.architecture, model.layers, model.context) == ("Q4_1", "llama", 30, 8192)
    assert model.engines == ("llama.cpp",), "GPT4All refuses its pre-tokenizer"
    assert not model.missing
    json.dumps(model.row())


def test_encoders_and_detectors_are_listed_but_answer_nothing(tmp_path: Path) -> None:
    kinds = {model.id: model.kind for model in installed(tmp_path)}
    assert {"encoder", "pii"} <= set(kinds.values())
    with pytest.raises(UsageError) as caught:
        resolve("all-minilm-l6-v2-ct2-int8", tmp_path)
    assert "not a chat model" in caught.value.message


def test_a_model_of_the_user(tmp_path: Path, gguf: GgufWriter) -> None:
    path = put(tmp_path, "my-model", gguf(META), source="download", sha256="a" * 64)
    model, engine = resolve("my-model", tmp_path)
    assert (model.path, engine) == (path, "llama.cpp")
    assert (model.quantisation, model.context, model.layers, model.source) == ("Q8_0", 512, 3, "download")
    assert model.engines == ("llama.cpp", "GPT4All")
    assert resolve("my", tmp_path)[0].id == "my-model", "the beginning is enough"
    assert resolve(str(path), tmp_path)[0].id == "my-model", "its path means the same model"


def test_without_a_name_the_settings_decide_then_the_starter(tmp_path: Path, gguf: GgufWriter) -> None:
    put(tmp_path, "my-model", gguf(META))
    assert resolve(None, tmp_path)[0].id == STARTER
    Settings(tmp_path).set("model", "my-model")
    Settings(tmp_path).set("engine", "GPT4All")
    assert resolve(None, tmp_path)[1] == "GPT4All"
    assert resolve(STARTER, tmp_path)[1] == "llama.cpp", "a preferred engine that cannot open it is passed over"


@pytest.mark.parametrize("there", ["2.13.0", None])
def test_who_lacks_pytorch_is_told_so_with_the_conversion_that_needs_it(
    there: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_part, "version", lambda: there)
    with pytest.raises(ModelError) as caught:
        resolve(STARTER, tmp_path, "Transformers")
    assert "desktop-rag models convert" in caught.value.hint
    assert ("needs PyTorch. " + torch_part.how_to_add() in caught.value.hint) is (there is None)
    with pytest.raises(ModelError) as other:
        resolve(STARTER, tmp_path, "GPT4All")
    assert "PyTorch" not in other.value.hint, "its copy is made without"


def test_a_model_of_the_settings_that_is_gone_is_told_and_not_replaced(tmp_path: Path) -> None:
    Settings(tmp_path).set("model", "was-here")
    with pytest.raises(ModelError) as caught:
        resolve(None, tmp_path)
    assert "was-here" in caught.value.message


@pytest.mark.parametrize("length", [-1, 1])
def test_a_file_of_another_size_is_not_a_model(tmp_path: Path, gguf: GgufWriter, length: int) -> None:
    content = gguf(META)
    path = put(tmp_path, "my-model", content)
    path.write_bytes(content[:length] if length < 0 else content + b"x")
    assert find_installed("my-model", tmp_path).missing
    with pytest.raises(ModelError) as caught:
        resolve("my-model", tmp_path)
    assert caught.value.code == "truncated"


def test_a_file_that_was_taken_away(tmp_path: Path, gguf: GgufWriter) -> None:
    put(tmp_path, "my-model", gguf(META)).unlink()
    with pytest.raises(ModelError) as caught:
        resolve("my-model", tmp_path)
    assert (caught.value.code, caught.value.hint[:12]) == ("not_installed", "Put it back,")


def test_a_folder_without_a_card_is_not_installed(tmp_path: Path, gguf: GgufWriter) -> None:
    before = len(installed(tmp_path))
    (put(tmp_path, "half", gguf(META)).parent / "model.json").unlink()
    assert len(installed(tmp_path)) == before


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"version": 9, "path": "x"}', '{"version": 1, "path": 3}'])
def test_a_damaged_card_is_no_model(tmp_path: Path, card: str) -> None:
    (tmp_path / "model.json").write_text(card)
    assert read_card(tmp_path) is None


def test_a_copy_stands_in_for_its_original(tmp_path: Path, gguf: GgufWriter) -> None:
    with pytest.raises(ModelError) as caught:
        resolve(STARTER, tmp_path, "GPT4All")
    assert f"models convert {STARTER} --to gpt4all" in caught.value.hint
    put(tmp_path, f"{STARTER}-gpt4all", gguf(META), source="converted", parent=STARTER)
    model, engine = resolve(None, tmp_path, "GPT4All")
    assert (model.id, engine) == (f"{STARTER}-gpt4all", "GPT4All")
    assert resolve("smollm2", tmp_path)[0].id == STARTER, "the beginning of the id still means the original"


def test_names_that_mean_nothing_or_too_much(tmp_path: Path, gguf: GgufWriter) -> None:
    put(tmp_path, "my-one", gguf(META))
    put(tmp_path, "my-two", gguf(META))
    offer = offered()[0].id
    expected = {
        "my": ("bad_request", "my-one, my-two"),
        "unheard": ("not_installed", "no model called"),
        offer: ("not_installed", "in the catalogue, but not on this computer"),
        str(tmp_path / "none.gguf"): ("not_installed", "no model at"),
        str(tmp_path): ("incompatible", "no model folder"),
    }
    for name, (code, words) in expected.items():
        with pytest.raises(DesktopRagError) as caught:
            resolve(name, tmp_path)
        assert caught.value.code == code
        assert words in caught.value.message


def test_adapters_go_with_their_model(tmp_path: Path) -> None:
    set_adapters(tmp_path, STARTER, [("/adapters/a.gguf", 0.5)])
    assert installed(tmp_path)[0].adapters == (("/adapters/a.gguf", 0.5),)
    assert installed(tmp_path)[0].row()["adapters"] == [{"path": "/adapters/a.gguf", "name": "a", "scale": 0.5}]
    set_adapters(tmp_path, STARTER, [])
    assert chosen_adapters(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Qwen2.5 0.5B Instruct (Q4_K_M)", "qwen2.5-0.5b-instruct-q4_k_m"),
        ("Ünïcode/модель", "n-code"),
        ("модель", "model"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON.gguf", "model-con.gguf"),
        ("x" * 200, "x" * 80),
    ],
)
def test_ids_are_readable_and_safe_as_folders(text: str, expected: str) -> None:
    assert slug(text) == expected


@given(st.text() | st.sampled_from(["CON", "nul.txt", "a/../b", "Com1.x"]))
def test_an_id_is_one_safe_folder_name(text: str) -> None:
    made = slug(text)
    assert slug(made) == made
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,85}", made)
    assert ".." not in made.split("/")


@given(st.lists(st.text(max_size=90), max_size=12))
def test_ids_never_collide(names: list[str]) -> None:
    taken: list[str] = []
    for name in names:
        taken.append(free_id(name, taken))
    assert len(set(taken)) == len(names)
    assert all(len(made) <= 90 for made in taken)


def test_the_first_of_a_name_has_no_number() -> None:
    assert [free_id("A Model", taken) for taken in ([], ["a-model"], ["a-model", "a-model-2"])] == [
        *("a-model", "a-model-2", "a-model-3"),
    ]
