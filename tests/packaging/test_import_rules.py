"""The import rules of pyproject.toml: each one must be able to fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code to plant offences in."""
    shutil.copytree(CHECKOUT / "desktop_rag", tmp_path / "desktop_rag", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(root: Path) -> str:
    # The console script puts the folder it is called in first on the path; `-c` does the same.
    program = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    result = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    return " ".join(result.stdout.split()) + result.stderr


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("store/planted.py", "import PySide6.QtCore", "Qt is imported under gui/ only"),
        ("store/planted.py", "import desktop_rag.gui", "Only the entry points open the window"),
        ("gui/planted.py", "import desktop_rag.models.convert", "reaches no machine learning library"),
        ("cli/planted.py", "def f() -> None:\n    import llama_cpp", "reaches no machine learning library"),
        ("documents/planted.py", "import desktop_rag.engines", "know each other's models"),
        ("retrieval/fuse.py", "import psutil", "Pure modules import the standard library and numpy only"),
        ("store/planted.py", "def f() -> None:\n    import socket", "Sockets only in what the network role runs"),
    ],
)
def test_a_planted_offence_is_found(copy: Path, module: str, line: str, rule: str) -> None:
    with (copy / "desktop_rag" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    said = lint(copy)
    assert "BROKEN" in said.split(rule)[1].split("KEPT")[0], said
