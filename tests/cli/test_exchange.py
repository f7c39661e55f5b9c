"""`collections --export` and `--import` in the terminal: one file, behind a passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import CommandLine, Ran

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def phrase(cli: CommandLine) -> Path:
    """A file with the export's passphrase."""
    file = cli.root / "phrase"
    file.write_text("correct horse battery\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def exported(cli: CommandLine, added: Ran, phrase: Path) -> tuple[Path, Ran]:
    """The file, and what the command said."""
    assert added.code == 0
    file = cli.root / "team.collection"
    words = ("collections", "--collection", "My documents", "--export", file, "--passphrase-file", phrase, "--json")
    return file, cli(*words)


def test_another_computer_finds_the_same(
    cli: CommandLine, exported: tuple[Path, Ran], phrase: Path, tmp_path: Path
) -> None:
    file, told = exported
    assert (told.json["documents"], told.json["left_out"]) == (2, 1), "the empty file is no document"
    assert file.stat().st_mode & 0o077 == 0
    other = CommandLine(tmp_path)
    done = other("collections", "--import", file, "--passphrase-file", phrase, "--json").json
    assert (done["collection"], done["added"]) == ("My documents", 2)
    question = ("search", "warranty of the pump", "--json")
    here, there = (
        [(hit["name"], hit["text"], hit["score"]) for hit in each(*question).json["hits"]] for each in (other, cli)
    )
    assert here == there
    again = other("collections", "--import", file, "--passphrase-file", phrase)
    assert "0 added, 2 unchanged, 0 removed" in again.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (lambda file, phrase: ("--export", file, "--passphrase-file", phrase), "Which collection?"),
        (
            lambda file, phrase: ("--collection", "My documents", "--export", file, "--passphrase-file", phrase),
            "There is a file",
        ),
        (lambda file, phrase: ("--import", file), "passphrase is needed"),
        (
            lambda file, phrase: ("--import", file, "--passphrase-file", file.with_name("files") / "parts.csv"),
            "passphrase",
        ),
        (lambda file, phrase: ("--import", phrase, "--passphrase-file", phrase), "no exported collection"),
        (lambda file, phrase: ("--import", file, "--passphrase-file", phrase), "this very library"),
        (lambda file, phrase: ("--with-originals",), "--with-originals"),
    ],
)
def test_what_cannot_be_done_is_told(
    cli: CommandLine,
    exported: tuple[Path, Ran],
    phrase: Path,
    words: Callable[[Path, Path], tuple[str | Path, ...]],
    message: str,
) -> None:
    ran = cli("collections", *words(exported[0], phrase), "--json")
    assert ran.code != 0
    assert message in ran.json["error"]["message"]
