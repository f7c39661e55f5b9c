"""The real command line with its real workers, on one data directory for the whole module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HANG_SECONDS = 240
LETTER = """# Service letter

The inspection of the feed pump was led by Rosalind Quillfeather on 3 March 2025. The bearing of the pump was replaced
for 286 pounds. Questions go to zq.sentinel@plantedvalue.example.com or to +44 20 7946 0991.

## Warranty

The warranty of the pump ends after 24 months. Ms Quillfeather keeps the certificate in the safe of the office.
"""
TABLE = "Part,Number,Price\nSeal kit,K-103,18.40\nImpeller,K-118,42.90\nBearing,K-121,27.15\n"


@dataclass
class Ran:
    """What one command gave."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one object on stdout; anything else there fails the test."""
        assert self.stdout.count("\n") == 1, self.stdout + self.stderr
        return json.loads(self.stdout)

    @property
    def progress(self) -> list[Any]:
        return [json.loads(line) for line in self.stderr.splitlines()]


@dataclass
class CommandLine:
    """`cli("add", path, "--json")` on this data directory."""

    root: Path
    said: list[str] = field(default_factory=list)

    def __call__(self, *words: str | Path, shown: bool = True) -> Ran:
        environment = {**os.environ, "DESKTOP_RAG_CONFIG_DIR": str(self.root / "config")}
        environment.pop("DESKTOP_RAG_DATA_DIR", None)
        done = subprocess.run(
            [sys.executable, "-m", "desktop_rag", "--data-dir", str(self.root / "data"), *map(str, words)],
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
            env=environment,
            check=False,
        )
        if shown:
            self.said += [done.stdout, done.stderr]
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A command line on a data directory of its own."""
    return CommandLine(tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def files(cli: CommandLine) -> Path:
    """A folder with a letter, a table and an empty file."""
    folder = cli.root / "files"
    folder.mkdir()
    (folder / "letter.md").write_text(LETTER, encoding="utf-8")
    (folder / "parts.csv").write_text(TABLE, encoding="utf-8")
    (folder / "empty.txt").touch()
    return folder


@pytest.fixture(scope="module")
def added(cli: CommandLine, files: Path) -> Ran:
    """The run that indexed the folder."""
    return cli("add", files, "--yes", "--json")


@pytest.fixture(scope="module")
def by_name(added: Ran) -> dict[str, Any]:
    """The indexed documents by their name."""
    return {row["name"]: row for row in added.json["documents"]}
