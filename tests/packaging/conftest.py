"""`packaging/` is a folder of scripts, not a package: its modules are loaded by path."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[2]


def load(name: str) -> ModuleType:
    """A fresh copy of packaging/`name`.py."""
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """packaging/machine.py, also for those who import it by name."""
    module = load("machine")
    monkeypatch.setitem(sys.modules, "machine", module)
    return module


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: ModuleType) -> ModuleType:
    """packaging/dev.py working on an empty checkout in a temporary folder, with commands recorded in `dev.commands`."""
    module = load("dev")
    for name in ("pyproject.toml", "packaging/dev.py", "packaging/machine.py", "assets/models.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((CHECKOUT / name).read_bytes())
    (tmp_path / "desktop_rag/models").mkdir(parents=True)
    (tmp_path / "desktop_rag/models/convert.py").touch()
    (tmp_path / "desktop_rag/models/convert_e5.py").touch()
    venv = tmp_path / ".venv"
    places = {
        "ROOT": tmp_path,
        "VENV": venv,
        "BIN": venv / "bin",
        "PYTHON": venv / "bin/python",
        "STAMP": venv / "setup.stamp",
        "LOG": venv / "setup.log",
        "MODELS": venv / "models",
    }
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)
    return module
