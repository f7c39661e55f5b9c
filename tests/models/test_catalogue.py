"""The catalogue: readable, pinned, and honest about what is installed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models.cards import slug
from desktop_rag.models.catalogue import Entry, ModelFile, Source, find, load_catalogue, offered
from desktop_rag.models.parameters import decoder_parameters
from desktop_rag.models.shape import Shape, shape_of_entry

CHECKOUT = Path(__file__).parents[2]


def test_every_file_is_pinned() -> None:
    for entry in [*load_catalogue(), *offered()]:
        if entry.source.converted_from:
            continue
        for file in entry.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256 or ""), f"{entry.id}/{file.name}"
            assert file.size
        assert entry.size == sum(file.size or 0 for file in entry.files)


def test_every_entry_says_what_people_ask() -> None:
    entries = load_catalogue()
    assert len({entry.id for entry in [*entries, *offered()]}) == len(entries) + len(offered())
    for entry in entries:
        assert entry.kind in ("chat", "encoder", "pii")
        assert entry.licence in ("Apache-2.0", "MIT"), "the starters must be free to ship"
        assert (entry.memory_mb or 0) > 0
        assert entry.context > 0
        assert entry.languages


@pytest.mark.parametrize("entry", [e for e in offered() if e.kind == "chat"], ids=lambda entry: entry.id)
def test_what_is_offered_can_be_judged_before_the_download(entry: Entry) -> None:
    assert (entry.kind, entry.starter, len(entry.files)) == ("chat", False, 1)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", entry.source.repo or "")
    assert entry.source.file == entry.files[0].name
    assert entry.id == slug(entry.id)
    assert entry.quantisation.lower() in entry.files[0].name.lower()
    assert entry.licence
    assert entry.languages
    assert entry.context > 0
    shape = shape_of_entry(entry)
    assert shape is not None
    # A number typed wrongly would not come out at the published count, or not at this many bits a weight.
    if entry.parameters is not None:
        assert entry.parameters == _counted(shape)
    assert 4.5 < entry.size * 8 / _counted(shape) < 8.7


def _counted(shape: Shape) -> int:
    """Weights by the shape alone; what an architecture adds to the plain one is small, but known exactly."""
    dimensions = (shape.vocabulary, shape.embedding, shape.layers, shape.heads, shape.kv_heads)
    plain = decoder_parameters(
        *dimensions, shape.head_dim_k, shape.feed_forward, tied=shape.tied, qkv_bias=shape.architecture == "qwen2"
    )
    heads = 2 * shape.head_dim_k if shape.architecture in ("qwen3", "gemma3") else 0
    norms = 2 * shape.embedding if shape.architecture == "gemma3" else 0
    return plain + shape.layers * (heads + norms)


@pytest.mark.parametrize("word", ["Llama", "Gemma", "Qwen2.5 3B"])
def test_licences_with_conditions_say_so(word: str) -> None:
    for entry in offered():
        if entry.name.startswith(word):
            assert re.search("not open source|not for commercial use", entry.licence), entry.id


def test_conversions_name_an_entry() -> None:
    for entry in load_catalogue():
        if entry.source.converted_from:
            assert find(entry.source.converted_from).kind == entry.kind


def test_packages_are_those_of_the_extra() -> None:
    wanted = {f"{entry.source.package}=={entry.source.version}" for entry in load_catalogue() if entry.source.package}
    listed = re.search(r"^starter = \[(.*?)^\]", (CHECKOUT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert set(re.findall(r'"([^"]+)"', listed[1])) == wanted


def test_the_encoder_is_the_upstream_release() -> None:
    weights = next(file for file in find("all-minilm-l6-v2").files if file.name == "model.safetensors")
    assert weights.sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_all_starters_are_installed_here() -> None:
    missing = [entry.id for entry in load_catalogue() if entry.installed_path(paths.models_dir()) is None]
    assert not missing, "python3 packaging/dev.py setup"


def test_unknown_id_names_the_known_ones() -> None:
    with pytest.raises(ModelError) as caught:
        find("none")
    assert caught.value.code == "not_installed"
    assert "smollm2" in caught.value.hint


@pytest.mark.parametrize("content", ["", "[]", '{"models": [{"id": "x"}]}', '{"models": 3}', '{"models": [3]}'])
def test_a_damaged_catalogue_is_a_known_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "models.json"
    path.write_text(content)
    with pytest.raises(ModelError) as caught:
        load_catalogue(path)
    assert caught.value.code == "incompatible"


def test_installed_path(tmp_path: Path) -> None:
    chat = entry("m", "chat", ModelFile("m.gguf", "0" * 64, 3))
    assert chat.installed_path(tmp_path) is None
    (tmp_path / "m").mkdir()
    (tmp_path / "m/m.gguf").write_bytes(b"ab")
    assert chat.installed_path(tmp_path) is None, "a shorter file is not the model"
    (tmp_path / "m/m.gguf").write_bytes(b"abc")
    assert chat.installed_path(tmp_path) == tmp_path / "m/m.gguf"
    made = entry("m", "encoder", ModelFile("m.gguf", None, None))
    assert made.installed_path(tmp_path) == tmp_path / "m"
    (tmp_path / "m/m.gguf").write_bytes(b"")
    assert made.installed_path(tmp_path) is None


def test_the_file_is_plain_json_with_a_version() -> None:
    assert json.loads((paths.assets_dir() / "models.json").read_text())["version"] == 1


def entry(model_id: str, kind: str, file: ModelFile) -> Entry:
    return Entry(model_id, kind, model_id, Source(), (file,), 3, "MIT", 1, 1, "", ("en",), True)  # type: ignore[arg-type]
