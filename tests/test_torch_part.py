"""What PyTorch does is said to need it where it is not installed, with the one command that adds it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import desktop_rag
from desktop_rag import torch_part
from desktop_rag.engines.protocol import LoadOptions
from desktop_rag.engines.transformers import TransformersEngine
from desktop_rag.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The installed application, without PyTorch; the folder where the other package would put it."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "desktop-rag"))
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setitem(sys.modules, "torch", None)
    return tmp_path / "torch"


def test_what_needs_it_says_how_to_add_it(installed: Path) -> None:
    with pytest.raises(ModelError, match=r"^Converting a model needs PyTorch, which is not installed\.$") as raised:
        torch_part.require("Converting a model")
    assert raised.value.code == "backend_missing"
    assert "sudo apt install ./desktop-rag-torch_" in raised.value.hint
    assert torch_part.version() is None


def test_the_transformers_engine_says_it_before_it_looks_at_the_model(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="The Transformers engine needs PyTorch"):
        TransformersEngine(tmp_path / "nothing", LoadOptions())


def test_the_other_package_is_found_behind_the_applications_own_modules(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    (installed / "torch").mkdir(parents=True)
    (installed / "torch/__init__.py").touch()
    (installed / "torch-9.9.dist-info").mkdir()
    (installed / "torch-9.9.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n")
    assert torch_part.version() == "9.9", "without reaching for it"
    assert sys.path == []
    torch_part.require("Converting a model")
    torch_part.require("Converting a model")
    assert sys.path == [str(installed)], "once, at the end"


def test_a_package_for_another_version_is_not_reached_for(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    (installed / "torch").mkdir(parents=True)
    (installed / "torch/__init__.py").touch()
    (installed / torch_part.STAMP).write_text("0.0.9\n")
    with pytest.raises(ModelError, match=r"and desktop-rag-torch is of version 0\.0\.9\.") as raised:
        torch_part.require("Converting a model")
    assert f"desktop-rag-torch_{desktop_rag.__version__}_" in raised.value.hint
    assert not torch_part.is_there()
    assert sys.path == []
    (installed / torch_part.STAMP).write_text(f"{desktop_rag.__version__}\n")
    torch_part.require("Converting a model")


def test_from_source_it_is_set_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelError) as raised:
        torch_part.require("Converting a model")
    assert raised.value.hint == "Run: python3 packaging/dev.py setup"
