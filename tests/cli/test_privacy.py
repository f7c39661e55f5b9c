"""`privacy audit` and `privacy selftest` from the terminal: their result, their exit code, their page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

KEYS = {"files", "bytes", "values", "left_out", "not_readable", "traces", "tables", "key", "readable_on_disk", "clean"}


def test_a_clean_library(cli: Any, added: Any, tmp_path: Path) -> None:
    assert added.code == 0
    ran = cli("privacy", "audit", "--json", "--report", tmp_path / "audit.html")
    assert ran.code == 0, ran.json
    assert ran.json.keys() == KEYS
    assert ran.json["clean"] is True
    assert ran.json["values"] >= 3
    assert "Clean" in (tmp_path / "audit.html").read_text()


def test_a_leak_is_found_and_not_told(cli: Any, added: Any) -> None:
    leak = cli.root / "data" / "leak.txt"
    leak.write_text("led by ROSALIND QUILLFEATHER")
    try:
        ran = cli("privacy", "audit", shown=False)
    finally:
        leak.unlink()
    assert ran.code == 1
    assert "NOT clean" in ran.stdout
    assert "leak.txt" in ran.stdout
    assert "quillfeather" not in (ran.stdout + ran.stderr).lower()


def test_a_collection_that_is_not_there(cli: Any) -> None:
    for kind in ("audit", "selftest"):
        assert cli("privacy", kind, "--collection", "nowhere", "--json").code != 0


def test_help_says_what_the_exit_codes_mean(cli: Any) -> None:
    for kind in ("audit", "selftest"):
        assert "Leaves with 0" in " ".join(cli("privacy", kind, "--help").stdout.split())
