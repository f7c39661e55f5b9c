"""The catalogue: readable, pinned, and honest about what is installed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import Entry, ModelFile, Source, find, load_catalogue

CHECKOUT = Path(__file__).parents[2]


def test_every_packaged_file_is_pinned() -> None:
    for entry in load_catalogue():
        if entry.source.converted_from:
            continue
        for file in entry.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256 or ""), f"{entry.id}/{file.name}"
            assert file.size
        assert entry.size == sum(file.size or 0 for file in entry.files)


def test_every_entry_says_what_people_ask() -> None:
    entries = load_catalogue()
    assert len({entry.id for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.kind in ("chat", "encoder", "pii")
        assert entry.licence in ("Apache-2.0", "MIT"), "the starters must be free to ship"
        assert entry.memory_mb > 0
        assert entry.context > 0
        assert entry.languages


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
