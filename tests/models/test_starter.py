"""Placing the starter models: found without import, checked, whole or not at all, instant the second time."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from desktop_rag.errors import ModelError
from desktop_rag.models import starter
from desktop_rag.models.catalogue import Entry, ModelFile, Source, load_catalogue

CONTENT = {"config.json": b"{}", "sub/weights.bin": b"weights" * 100}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed data package whose import fails, and a catalogue that lists it."""
    folder = tmp_path / "site" / "carrier_of_data"
    for name, content in CONTENT.items():
        (folder / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "model" / name).write_bytes(content)
    (folder / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(folder.parent)
    files = tuple(ModelFile(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in CONTENT.items())
    source = Source("carrier-of-data", "1.0", "carrier_of_data", "model")
    entry = Entry("m-1", "encoder", "The model", source, files, 702, "MIT", 1, 1, "", ("en",), True)
    monkeypatch.setattr(starter, "load_catalogue", lambda: [entry])
    return folder / "model"


def test_placed_whole_and_not_imported(package: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    (placed,) = starter.place(models)
    assert (placed.id, placed.path, placed.fresh) == ("m-1", models / "m-1", True)
    assert {name: (placed.path / name).read_bytes() for name in CONTENT} == CONTENT
    assert "carrier_of_data" not in sys.modules


def test_second_time_reads_nothing(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starter.place(tmp_path / "models")
    monkeypatch.setattr(starter, "sha256_of", lambda path: pytest.fail(f"hashed {path} again"))
    (placed,) = starter.place(tmp_path / "models")
    assert not placed.fresh


def test_a_changed_file_is_put_right(package: Path, tmp_path: Path) -> None:
    (placed,) = starter.place(tmp_path / "models")
    (placed.path / "config.json").unlink()
    (placed.path / "config.json").write_bytes(b"[]")
    (placed,) = starter.place(tmp_path / "models")
    assert placed.fresh
    assert (placed.path / "config.json").read_bytes() == b"{}"


def test_a_damaged_record_only_costs_time(package: Path, tmp_path: Path) -> None:
    starter.place(tmp_path / "models")
    (tmp_path / "models" / starter.RECORD).write_text("not json")
    (placed,) = starter.place(tmp_path / "models")
    assert placed.fresh


def test_without_hard_links_it_copies(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError("another file system")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (placed,) = starter.place(tmp_path / "models")
    assert (placed.path / "config.json").stat().st_nlink == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"WEIGHTS" * 100, "checksum"), (b"weights" * 99, "truncated"), (b"weights" * 101, "checksum")],
)
def test_wrong_content_is_not_placed(package: Path, tmp_path: Path, content: bytes, code: str) -> None:
    (package / "sub/weights.bin").write_bytes(content)
    with pytest.raises(ModelError) as caught:
        starter.place(tmp_path / "models")
    assert caught.value.code == code
    assert "weights.bin" in caught.value.message
    assert list((tmp_path / "models/m-1/sub").iterdir()) == [], "neither the file nor a temporary one may stay"


def test_missing_file_in_the_package(package: Path, tmp_path: Path) -> None:
    (package / "config.json").unlink()
    with pytest.raises(ModelError) as caught:
        starter.place(tmp_path / "models")
    assert caught.value.code == "not_installed"


def test_missing_package(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(package.parent.parent)])
    sys.path_importer_cache.clear()
    with pytest.raises(ModelError) as caught:
        starter.place(tmp_path / "models")
    assert caught.value.code == "not_installed"
    assert "carrier-of-data 1.0" in caught.value.message
    assert "setup" in caught.value.hint


def test_the_real_starter_models(tmp_path: Path) -> None:
    before = set(sys.modules)
    placed = starter.place(tmp_path)
    packaged = [entry for entry in load_catalogue() if entry.source.module]
    assert [model.id for model in placed] == [entry.id for entry in packaged]
    assert (tmp_path / "en_core_web_sm-3.8.0/config.cfg").is_file()
    assert not {str(entry.source.module) for entry in packaged} & (set(sys.modules) - before)
