"""`desktop-rag key` from outside: passphrases from files, refusals in words, what is said of a key in a file."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag import paths
from desktop_rag.cli.main import run
from desktop_rag.store.key import load_key, make_key

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.slow

OWN, OTHER = "correct horse battery", "staple of another field"


class Terminal:
    """Runs a command line in this process (its library in another, as always); answers what it asks for."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder, self._capsys, self._patch = folder, capsys, patch
        self.asked: list[str] = []
        self.errors = ""

    def __call__(self, *words: object, code: int = 0, answers: tuple[str, ...] = ()) -> dict[str, Any]:
        waiting = list(answers)

        def answer(prompt: str) -> str:
            self.asked.append(prompt)
            return waiting.pop(0)

        self._patch.setattr(getpass, "getpass", answer)
        self._patch.setattr(sys.stdin, "isatty", lambda: bool(answers))
        assert run([*map(str, words), "--json"]) == code
        assert waiting == []
        said = self._capsys.readouterr()
        self.errors = said.err
        assert OWN not in said.out + said.err
        assert OTHER not in said.out + said.err
        return dict(json.loads(said.out))

    def file(self, passphrase: str) -> Path:
        path = self.folder / f"{len(passphrase)}.txt"
        path.write_text(passphrase + "\n")
        return path


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, capsys, monkeypatch)


@pytest.fixture
def locked() -> None:
    make_key(paths.data_dir(), "passphrase", OWN.encode())


def opens_with(passphrase: str) -> bool:
    return load_key(paths.data_dir(), passphrase.encode()).protection == "passphrase"


def test_a_script_gets_its_library_and_is_told_once_how_it_is_kept(terminal: Terminal) -> None:
    assert terminal("key", "status") == {"key": None, "keyring": False}
    terminal("collections")
    (line,) = terminal.errors.splitlines()
    told = json.loads(line)
    assert (told["event"], told["key"]) == ("key", "file")
    assert "file permissions only" in told["message"]
    terminal("collections")
    assert terminal.errors == ""
    assert terminal("key", "status")["key"] == "file"


def test_a_passphrase_from_files_set_changed_and_taken_off(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = terminal.file(OWN), terminal.file(OTHER)
    terminal("collections")
    assert terminal("key", "passphrase", "--new-passphrase-file", own) == {"key": "passphrase", "before": "file"}
    refused = terminal("collections", code=5)["error"]
    assert refused["code"] == "wrong_key"
    assert "DESKTOP_RAG_PASSPHRASE_FILE" in refused["hint"]
    change = ("key", "passphrase", "--passphrase-file", own, "--new-passphrase-file", other)
    assert terminal(*change) == {"key": "passphrase", "before": "passphrase"}
    assert terminal(*change, code=5)["error"]["message"] == "This is not the library's passphrase."
    monkeypatch.setenv("DESKTOP_RAG_PASSPHRASE_FILE", str(other))
    assert terminal("collections")["collections"]
    assert "--yes" in terminal("key", "file", code=2)["error"]["hint"]
    assert terminal("key", "keyring", code=2)["error"]["code"] == "not_available"
    assert opens_with(OTHER)
    assert terminal("key", "file", "--yes") == {"key": "file", "before": "passphrase"}
    monkeypatch.delenv("DESKTOP_RAG_PASSPHRASE_FILE")
    assert terminal("collections")["collections"]


def test_a_new_library_begins_with_a_passphrase_that_is_asked_for(terminal: Terminal) -> None:
    terminal("key", "passphrase", answers=(OWN, OTHER), code=2)
    assert terminal("key", "status")["key"] is None
    assert terminal("key", "passphrase", answers=(OWN, OWN)) == {"key": "passphrase", "before": None}
    assert opens_with(OWN)
    terminal.asked.clear()
    terminal("key", "passphrase", answers=(OWN, OTHER, OTHER))
    assert terminal.asked == ["Passphrase: ", "New passphrase: ", "The same again: "]
    assert opens_with(OTHER)


def test_who_cannot_be_asked_is_told_how_to_answer(terminal: Terminal, locked: None) -> None:
    assert terminal("key", "passphrase", code=5)["error"]["code"] == "wrong_key"
    assert terminal("key", "restore", "b.zip", code=2)["error"]["hint"] == "Name a file: see --help"
    missing = terminal("key", "backup", "b.zip", "--passphrase-file", "none.txt", code=2)["error"]
    assert missing["message"].startswith("The passphrase file cannot be read")
    assert opens_with(OWN)


def test_a_backup_goes_to_another_place(terminal: Terminal, locked: None, tmp_path: Path) -> None:
    own, other, target = terminal.file(OWN), terminal.file(OTHER), tmp_path / "library.zip"
    backup = ("key", "backup", target, "--passphrase-file", own, "--new-passphrase-file", other)
    assert terminal(*backup) == {"file": str(target), "bytes": target.stat().st_size}
    assert "already" in terminal(*backup, code=2)["error"]["message"]
    restore = ("--data-dir", tmp_path / "elsewhere", "key", "restore", target, "--passphrase-file")
    assert terminal(*restore, own, code=5)["error"]["code"] == "wrong_key"
    assert terminal(*restore, other) == {"data": str(tmp_path / "elsewhere"), "key": "passphrase"}
    assert terminal(*restore, other, code=2)["error"]["code"] == "bad_request"
    assert load_key(tmp_path / "elsewhere", OTHER.encode()).raw == load_key(paths.data_dir(), OWN.encode()).raw


def test_for_people_it_says_what_a_lost_passphrase_means(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "p").write_text(OWN)
    ran = cli("key", "passphrase", "--new-passphrase-file", tmp_path / "p")
    assert ran.code == 0, ran.stderr
    assert "Nobody can recover a lost passphrase" in ran.stdout
    assert cli("key", "status").stdout.startswith("The library opens with your passphrase only.")
    ran = cli("collections")
    assert ran.code == 5
    assert "locked by a passphrase" in ran.stderr
