"""What the command line does not do (yet), said in one JSON object with the right exit code; no worker is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop_rag.cli import main
from desktop_rag.errors import EngineError, StoreError


@pytest.fixture
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a worker was about to start")

    monkeypatch.setattr("desktop_rag.workers.client.subprocess.Popen", refuse)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    error: dict[str, str] = json.loads(capsys.readouterr().out)["error"]
    assert error.keys() >= {"code", "message", "hint"}
    return error


@pytest.mark.usefixtures("no_workers")
@pytest.mark.parametrize(
    "words",
    [
        *(["eval", "answers", "FILE"], ["serve"]),
        ["ask", "x", "--strategy", "post-fusion"],
    ],
)
def test_what_is_not_built_says_so(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*words, "--json"]) == 2
    error = told(capsys)
    assert error["code"] == "not_available"
    assert "not available yet" in error["message"]


@pytest.mark.usefixtures("no_workers")
@pytest.mark.parametrize(
    "words",
    [
        *(
            ["search"],
            ["search", "x", "--mode", "magic"],
            ["eval", "retrieval"],
            ["eval", "retrieval", "--mine", "DIR"],
            ["eval", "retrieval", "--mine", "--run", "FILE"],
            ["ask"],
            ["add"],
            ["nonsense"],
            ["search", "x", "-k", "many"],
        ),
        *(["add", "x", "--policy", "burn"], ["ask", "x", "--engine", "steam"]),
        ["add", "x", "--password-file", "/nowhere/at/all"],
    ],
)
def test_wrong_use_is_one_object_and_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*words, "--json"]) == 2
    assert told(capsys)["code"] == "bad_request"


def test_without_json_the_complaint_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["ask", "x", "--strategy", "post-fusion"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(("error", "code"), [(StoreError("locked", "Held."), 5), (EngineError("crashed", "Gone."), 7)])
def test_each_family_has_its_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr("desktop_rag.cli.commands.collections", fail)
    assert main.run(["collections", "--json"]) == code
    assert told(capsys)["message"] in ("Held.", "Gone.")


def test_help_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.run(["--help"])
    assert ended.value.code == 0
    assert "Exit codes" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--data-dir=X", "--data-dir X"])
def test_a_planned_command_is_recognised_behind_options(
    option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run([*option.split(), "serve", "--json"]) == 2
    assert told(capsys)["code"] == "not_available"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_workers")
def test_a_data_directory_that_cannot_be_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "afile").write_text("in the way")
    assert main.run(["--data-dir", str(tmp_path / "afile" / "data"), "documents", "--json"]) == StoreError.exit_code
    assert told(capsys)["code"] == "read_only"


@pytest.mark.usefixtures("no_workers")
@pytest.mark.parametrize("name", ["receipt.txt", "missing/receipt.html", "taken.json"])
def test_a_receipt_that_cannot_be_saved_is_refused_before_anything_is_erased(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken.json").mkdir()
    words = ["--data-dir", str(tmp_path / "data"), "remove", "x", "--receipt", str(tmp_path / name), "--json"]
    assert main.run(words) == 2
    assert told(capsys)["code"] == "bad_request"
